"""Elements of HTML, and a table as one. Every text is escaped here, and only here text becomes markup."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from simulator.plain_text import capital
from simulator.wording.intervals import Estimate
from simulator.wording.table import Bar, Content, Part, Row, Table

NARROW = "screen and (max-width: 720px)"
"""Where a page shows a figure's second width: never in print."""
VOID = ("img", "source")
"""Elements that have no end."""
PLAIN = "!$'()*+,-./:;=?@_~"
"""Signs of a figure that an address may hold as they are, here and where a list of addresses is read."""


def text(content: object) -> str:
    """Return a text as HTML."""
    return escape(str(content), quote=True)


def tag(name: str, *inside: str, **attributes: str) -> str:
    """Return an element. inside : HTML; attributes : texts, `class_` for class, `_` for a hyphen."""
    pairs = "".join(f' {key.rstrip("_").replace("_", "-")}="{_quoted(value)}"' for key, value in attributes.items())
    return f"<{name}{pairs}>" if name in VOID else f"<{name}{pairs}>{''.join(inside)}</{name}>"


def _quoted(value: str) -> str:
    """Return the value of an attribute. An apostrophe ends none, and a figure has thousands."""
    return escape(value, quote=False).replace('"', "&quot;")


def paragraph(content: str, **attributes: str) -> str:
    return tag("p", text(content), **attributes)


def section(anchor: str, title: str, *inside: str, level: int = 2) -> str:
    return tag("section", tag(f"h{level}", text(title)), *inside, id=anchor)


def part(content: Part) -> str:
    """Return a paragraph or a table as HTML."""
    return table(content) if isinstance(content, Table) else paragraph(content)


def table(content: Table) -> str:
    """Return a table that scrolls sideways if it is too wide, with its notes."""
    caption = tag("caption", text(content.caption)) if content.caption else ""
    heads = (tag("th", text(column.label), scope="col") if column.label else tag("td") for column in content.columns)
    head = tag("tr", *heads)
    inside = tag("table", caption, tag("thead", head), tag("tbody", *map(_row, content.rows)), class_=content.style)
    return scrolled(inside) + "".join(paragraph(note, class_="note") for note in content.notes)


def scrolled(inside: str) -> str:
    """Return what scrolls sideways where it is too wide, with the keys, too."""
    return tag("div", inside, class_="scroll", tabindex="0")


def _row(row: Row) -> str:
    label = capital(row.label) if isinstance(row.label, str) else row.label
    # "12 months %" must not leave its unit alone on a line.
    unit = f"{' ' if ' ' in row.unit else '&nbsp;'}{span(row.unit, 'unit')}" if row.unit else ""
    cells = tag("th", _cell(label), unit, scope="row"), *(tag("td", _cell(cell)) for cell in row.cells)
    return tag("tr", *cells, class_=row.style) if row.style else tag("tr", *cells)


def _cell(cell: Content) -> str:
    if isinstance(cell, str):
        return text(cell)
    if isinstance(cell, Estimate):
        error = cell.error and f"\N{PLUS-MINUS SIGN} {cell.error}"
        details = ((cell.unit, "unit"), (cell.interval, "interval"), (error, "interval"))
        return " ".join([tag("b", text(cell.value)), *(span(words, kind) for words, kind in details if words)])
    notes = (tag("div", text(words), class_=style) for style, words in cell.notes)
    return "".join([_cell(cell.content), _bar(cell.bar) if cell.bar else "", *notes])


def _bar(bar: Bar) -> str:
    """Return a range on a bar, with its tick."""
    width = tag("i", style=f"left:{100 * bar.lower:.1f}%;width:{100 * (bar.upper - bar.lower):.1f}%")
    if bar.tick is None:
        return " " + tag("span", width, class_="bar", aria_hidden="true")
    tick = tag("b", style=f"left:{100 * bar.tick:.1f}%")
    return tag("span", width, tick, class_="range", aria_hidden="true")


def span(content: object, kind: str) -> str:
    return tag("span", text(content), class_=kind)


def folded(summary: str, *inside: str) -> str:
    """Return an element that opens on a click, and is open in print."""
    return tag("details", tag("summary", text(summary)), *inside)


def drawing(wide: str, compact: str, alt: str) -> str:
    """Return a drawing in the page itself, with an alternative text: on a narrow screen at its second width.

    wide, compact : SVG; no compact : empty. As images, their ids and styles cannot meet those of others.
    """
    sources = [tag("source", media=NARROW, srcset=_in_page(compact))] if compact else []
    return tag("picture", *sources, tag("img", src=_in_page(wide), alt=alt))


def _in_page(svg: str) -> str:
    return f"data:image/svg+xml,{quote(svg, safe=PLAIN)}"
