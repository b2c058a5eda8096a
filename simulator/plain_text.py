"""Text from a file or a file's name is only text: the characters that act on a terminal, a page or a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ACTING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls, marks of direction, characters without width, and what XML cannot hold. Joiners stay: scripts need them."""

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def clean(text: str) -> str:
    """Return a text without characters that act; what breaks a line becomes a line feed, a tab becomes a space."""
    if _ACTING.search(text) is None:
        return text
    return _ACTING.sub("", _BREAKS.sub("\n", text).replace("\t", " "))


def one_line(text: str) -> str:
    """Return a text in one line, as labels and titles are: each run of white space is one space."""
    return " ".join(clean(text).split())


def visible(text: str) -> str:
    """Return a text in one line, characters that act as their escapes: a message shows what it complains of."""
    escaped = _ACTING.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)
    return escaped.replace("\n", "\\n")


def is_name(text: str) -> bool:
    """Return whether a text can be the name of something: one line, with something in it, and nothing that acts."""
    return bool(text.strip()) and "\n" not in text and _ACTING.search(text) is None


def capital(words: str) -> str:
    """Return words with their first letter as a capital."""
    return words[:1].upper() + words[1:]


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b", "a, b and c". last : the word before the last one"""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
