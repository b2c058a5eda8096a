"""Letters of any script: which fonts of this machine have them, and which letters none has."""

from __future__ import annotations

from functools import lru_cache

from matplotlib.font_manager import findfont, fontManager, get_font

FAMILY = "DejaVu Sans"
"""Comes with matplotlib."""


@lru_cache(maxsize=256)
def families(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return `FAMILY` and whatever else is needed to draw letters, and the letters that no font of this machine has."""
    found, missing = [FAMILY], letters - _drawn_by(findfont(FAMILY))
    # A font of last resort has a box for everything.
    others = [each for each in fontManager.ttflist if each.style == "normal" and "resort" not in each.name.lower()]
    for font in sorted(others, key=lambda each: (each.name, each.fname)) if missing else ():
        if font.name not in found and missing & _drawn_by(font.fname):
            found.append(font.name)
            missing -= _drawn_by(font.fname)
    return tuple(found), missing


@lru_cache(maxsize=1024)
def _drawn_by(file: str) -> frozenset[str]:
    return frozenset(map(chr, get_font(file).get_charmap()))
