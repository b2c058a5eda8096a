"""Write docs/figures/rooms.svg: the rooms of the code on their floors, and the imports between them.

Floors are the layers in pyproject.toml, which import-linter holds; a room's words are its docstring. An arrow goes from
the room that imports, and only where no longer way down leads there.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import wrap

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "figures" / "rooms.svg"
WIDE, HIGH, GAP, STEP = 250, 50, 14, 72
"""Pixels: of a box, between boxes, and from floor to floor."""


def floors(package: str) -> list[list[str]]:
    """Return the rooms of a package from the top floor down, each as "package.room"."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == [package])
    return [[f"{package}.{room}" for room in layer.replace(":", "|").replace(" ", "").split("|")] for layer in layers]


def room_of(module: str) -> str:
    """Return the room that a module stands in: the first two parts of its name."""
    return ".".join(module.split(".")[:2])


def imports() -> set[tuple[str, str]]:
    """Return which room imports which other, for more than its types."""
    pairs = set()
    for package in ("simulator", "calibration"):
        for file in (ROOT / package).rglob("*.py"):
            here = room_of(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
            pairs |= {(here, there) for there in map(room_of, _imported(ast.parse(file.read_text()))) if there != here}
    return pairs


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            yield from (f"{node.module}.{alias.name}" if len(parts) == 1 else node.module for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            yield from _imported(node)


def direct(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the imports that no longer way replaces: a -> c is left out where a -> b -> ... -> c is there."""
    below: dict[str, set[str]] = {}

    def reach(room: str) -> set[str]:
        if room not in below:
            below[room] = set()
            below[room] = {there for a, b in edges if a == room for there in {b} | reach(b)}
        return below[room]

    return {(a, c) for a, c in edges if not any(c in reach(b) for b in {b for x, b in edges if x == a} - {c})}


def words(room: str) -> str:
    """Return what a room is for: the first sentence of its docstring."""
    path = ROOT.joinpath(*room.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return text.split("\n\n")[0].replace("\n", " ").replace("`", "").split(". ")[0].rstrip(".")


def places() -> dict[str, tuple[float, float]]:
    """Return the left upper corner of every room's box: a floor in rows of three."""
    corners: dict[str, tuple[float, float]] = {}
    for left, package in ((10.0, "simulator"), (30.0 + 2 * (WIDE + GAP), "calibration")):
        rows = [rooms[first : first + 3] for rooms in floors(package) for first in range(0, len(rooms), 3)]
        for row, rooms in enumerate(rows):
            for number, room in enumerate(rooms):
                corners[room] = (left + number * (WIDE + GAP), 34.0 + row * STEP)
    return corners


def picture() -> str:
    """Return the picture as SVG."""
    at = places()
    edges = {(a, b) for a, b in imports() if a in at and b in at}
    high, wide = max(y for _, y in at.values()) + STEP, max(x for x, _ in at.values()) + WIDE + 10
    title = "The rooms of aftercart: an arrow goes from the room that imports to the room that is imported"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" role="img" aria-label="{title}" '
        'font-family="sans-serif" font-size="11">',
        f'<title>{title}</title><rect width="100%" height="100%" fill="white"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>',
    ]
    for package in ("simulator", "calibration"):
        left = at[floors(package)[0][0]][0]
        lines.append(f'<text x="{left}" y="22" font-size="15" font-weight="bold">{package}</text>')
    for a, b in sorted(direct(edges)):
        x, y, to_x, to_y = at[a][0] + WIDE / 2, at[a][1] + HIGH, at[b][0] + WIDE / 2, at[b][1]
        if to_y < y:  # in one row, or a command's import of the calibration: from side to side
            rightwards = at[b][0] > at[a][0]
            x, to_x = at[a][0] + WIDE * rightwards, at[b][0] + WIDE * (not rightwards)
            y, to_y = at[a][1] + HIGH / 2, at[b][1] + HIGH / 2
        down = 24 if to_y > at[a][1] + HIGH else 0
        bend = f"C{x} {y + down} {to_x} {to_y - down} {to_x} {to_y}"
        lines.append(f'<path d="M{x} {y}{bend}" fill="none" stroke="#888" marker-end="url(#tip)"/>')
    for room, (x, y) in at.items():
        lines.append(f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="5" fill="#eef4fa" stroke="#0072b2"/>')
        lines.append(f'<text x="{x + 8}" y="{y + 16}" font-weight="bold">{room.partition(".")[2]}</text>')
        for number, line in enumerate(wrap(words(room), 40, max_lines=2, placeholder=" ...")):
            lines.append(f'<text x="{x + 8}" y="{y + 30 + 13 * number}" fill="#333">{escape(line)}</text>')
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
