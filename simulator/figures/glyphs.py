"""Letters of any script: the fonts of this machine that have them, and the letters without a font."""

from __future__ import annotations

from functools import lru_cache

from matplotlib.font_manager import findfont, fontManager, get_font

FAMILY = "DejaVu Sans"
"""Comes with matplotlib."""


@lru_cache(maxsize=256)
def families(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return `FAMILY` and the other fonts that the letters need, and the letters without a font on this machine."""
    names, missing = [FAMILY], letters - _drawn_by(findfont(FAMILY))
    # A font of last resort has a box for everything.
    others = [font for font in fontManager.ttflist if font.style == "normal" and "resort" not in font.name.lower()]
    for font in sorted(others, key=lambda font: (font.name, font.fname)) if missing else ():
        if font.name not in names and missing & _drawn_by(font.fname):
            names.append(font.name)
            missing -= _drawn_by(font.fname)
    return tuple(names), missing


@lru_cache(maxsize=1024)
def _drawn_by(file: str) -> frozenset[str]:
    return frozenset(map(chr, get_font(file).get_charmap()))
