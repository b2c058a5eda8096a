"""The spelling of numbers for a reader: "16 to 40", and a true minus."""

from __future__ import annotations

import re

NUMBER = r"\d+(?:\.\d+)?"
RANGE = re.compile(rf"(?<![\w.:;/-])(?!(?:19|20)\d\d-){NUMBER}[-\N{{EN DASH}}]{NUMBER}(?![\w-])")
"""Two numbers with a hyphen between: no years, no pages after a volume's colon, no names, no address."""
HYPHEN = re.compile(rf"(?<![\w^=-])-{NUMBER}")
"""A hyphen as a minus, but not in a formula or after a word."""
CSV = r"^(?:[^,\n]*,(?! )){3}[^\n]*"
TYPED = re.compile(rf"^\$ [^\n]*|```.*?```|`[^`]*`|https?://\S+|<[^>]*>|{CSV}", re.MULTILINE | re.DOTALL)
"""Commands, code, addresses, and rows of CSV."""


def misspelled(text: str) -> list[str]:
    """Return the numbers of a text that are not spelled as a reader has them, with some words around."""
    words = TYPED.sub(" ", text)
    return [
        words[max(match.start() - 30, 0) : match.end() + 20]
        for what in (RANGE, HYPHEN)
        for match in what.finditer(words)
    ]
