"""A name says what it holds, in the field's words: the vague and private ones that have gone do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("simulator", "calibration", "scenarios", "tests", "docs")
SOURCES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))

INSTEAD = {
    "told": "declared, reported or text",
    "tell": "what is declared, reported or printed",
    "each": "the noun: state, exit, scenario",
    "found": "the noun: result, rows, places",
    "own": "the noun: policy, draw_values, share",
    "apart": "difference",
    "shown": "displayed",
    "doom": "without_benefit",
    "doomed": "without_benefit",
    "desk": "allocator",
    "pull": "apply_levers",
    "guarantee": "immortal_time",
    "halving": "lattice_error",
}
"""A word that does not say what it names -> the words that do."""
TEXT = re.compile(r"""(?<!\w)([rRbBuUfF]{0,2})(\"{3}|'{3}|"|')(?:\\.|(?!\2)[\s\S])*?\2|#[^\n]*""")
"""A string, its prefix first, or a comment."""
WORDS = re.compile(rf"\b({'|'.join(INSTEAD)})\b")


def vague(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of names that are one of the words. The keyword of a call may be a column, and keeps its name."""
    # To parse a file takes far longer than to see that no word is outside its texts. Those with "f" have names, too.
    if not WORDS.search(TEXT.sub(lambda text: text[0] if text[1] and "f" in text[1].lower() else "", source)):
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.keyword):
            names = [getattr(node, field, None) for field in ("id", "attr", "arg", "name", "asname")]
            yield from ((node.lineno, name) for name in names if name in INSTEAD)


def test_no_name_is_a_word_that_does_not_say_what_it_holds() -> None:
    places = {
        f"{file.relative_to(ROOT)}:{line}: `{word}` does not say what it holds; instead: {INSTEAD[word]}"
        for file in SOURCES
        for line, word in vague(file.read_text(encoding="utf-8"))
    }
    assert len(SOURCES) > 300
    assert not places, "\n".join(sorted(places))


@pytest.mark.parametrize(
    "source",
    [
        "each = 1",
        "[each for each in rows]",
        "def found(): ...",
        "lambda own: 1",
        "class Row:\n    told: str",
        "row.told",
        "from rows import row as own",
        "text = '# '; told = 1",
        'f"{row.told}"',
    ],
)
def test_a_vague_name_would_be_noticed(source: str) -> None:
    assert len(list(vague(source))) > 0


def test_a_column_keeps_its_name() -> None:
    assert list(vague('table.assign(told="")["told"]')) == []
