"""Elements of HTML. Every text is escaped here, and only here text becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape


def text(content: object) -> str:
    """Return a text as HTML."""
    return escape(str(content), quote=True)


def tag(name: str, *inside: str, **attributes: str) -> str:
    """Return an element. inside : HTML; attributes : texts, `class_` for class, `_` for a hyphen."""
    pairs = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{pairs}>{''.join(inside)}</{name}>"


def paragraph(content: str, **attributes: str) -> str:
    return tag("p", text(content), **attributes)


def section(anchor: str, title: str, *inside: str) -> str:
    return tag("section", tag("h2", text(title)), *inside, id=anchor)


def table(head: Sequence[str], rows: Iterable[str], *, caption: str = "", kind: str = "") -> str:
    """Return a table that scrolls sideways if it is too wide. head : texts; rows : HTML, see `row`."""
    titles = "".join(tag("th", text(title), scope="col") for title in head)
    label = tag("caption", text(caption)) if caption else ""
    body = tag("tbody", *rows)
    return tag("div", tag("table", label, tag("thead", tag("tr", titles)), body, class_=kind), class_="scroll")


def row(first: str, *cells: str, kind: str = "") -> str:
    """Return a row. first, cells : HTML; the first heads the row."""
    inside = tag("th", first, scope="row") + "".join(tag("td", cell) for cell in cells)
    return tag("tr", inside, class_=kind) if kind else tag("tr", inside)


def span(content: object, kind: str) -> str:
    return tag("span", text(content), class_=kind)


def folded(summary: str, *inside: str) -> str:
    """Return an element that opens on a click, and is open in print."""
    return tag("details", tag("summary", text(summary)), *inside)


def inline_svg(svg: str, name: str, alt: str) -> str:
    """Return an SVG file's text as an element with an alternative text, and with ids that no other figure has."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<(title|desc)>.*?</\1>", "", body, count=2, flags=re.DOTALL)
    body = body.replace("xlink:href=", "href=")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    opening, rest = body.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', opening)
    assert box is not None
    return f'<svg {box.group()} role="img" aria-label="{escape(alt)}">{rest.strip()}'
