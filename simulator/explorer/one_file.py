"""A page as one file: its template, style, code and data, with the hashes by which a browser knows them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any


def page(package: str, title: str, code: str, data: Mapping[str, Any]) -> str:
    """Return page.html of a package, with page.css, code and data in it. Text is never markup."""
    css = text_of(package, "page.css")
    parts = {
        "title": escape(title),
        "css": css,
        "script": code,
        "script-hash": _hash(code),
        "css-hash": _hash(css),
        # As JSON it is the same; as HTML it has no tag in it.
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    pieces = text_of(package, "page.html").split("{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}")
        filled.append(parts[name] + rest)
    return "".join(filled)


def script(package: str, names: Sequence[str]) -> str:
    """Return a page's own code, one script of several files."""
    return "\n".join(text_of(package, f"{name}.js") for name in names)


def text_of(package: str, name: str) -> str:
    """Return the text of a package's file."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
