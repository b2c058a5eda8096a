"""Draw every kind of figure with hard inputs into one folder, with a page of all: `python -m tests.gallery`.

The page shows each figure wide, compact, and both in grey. Words after the options choose inputs by their names.
"""

from __future__ import annotations

import argparse
import html
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# The small worlds, which tests import by name.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from hard_inputs import CASES

from simulator.figures import picture as pictures
from simulator.figures.picture import Picture

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Figures with hard inputs</title>
<style>
body { font: 15px sans-serif; margin: 1rem; }
.figure { display: grid; grid-template-columns: 2fr 1fr 2fr 1fr; gap: 1rem; align-items: start; }
.figure img { width: 100%; border: 1px solid #ddd; }
.grey { filter: grayscale(1); }
code { color: #595959; }
</style>
"""


def numbered(drawn: Sequence[Picture]) -> list[tuple[str, Picture]]:
    """Return the pictures with names of their files: figures of one name are numbered."""
    names = [picture.name for picture in drawn]
    return [
        (name if names.count(name) == 1 else f"{name}_{names[: place + 1].count(name)}", picture)
        for place, (name, picture) in enumerate(zip(names, drawn, strict=True))
    ]


def section(case: str, drawn: Sequence[tuple[str, Picture]], png: bool) -> str:
    """Return a case's part of the page: a row a figure."""
    rows = [f"<h2>{html.escape(case)}</h2>"]
    for name, picture in drawn:
        alt = html.escape(picture.alt, quote=True)
        ending = "png" if png else "svg"
        files = [f"{name}.{ending}", *([f"{name}_compact.{ending}"] if picture.compact is not None else [])]
        images = [f'<img src="{case}/{file}" alt="{alt}" loading="lazy">' for file in files] + [""] * (2 - len(files))
        grey = [image.replace("<img", '<img class="grey"') for image in images]
        cells = "".join(f"<div>{image}</div>" for image in (*images, *grey))
        rows += [f"<h3>{html.escape(name)}</h3><p><code>{alt}</code></p>", f'<div class="figure">{cells}</div>']
    return "\n".join(rows)


def save(case: str, folder: Path, png: bool) -> str:
    """Draw a case into its folder, and return its part of the page."""
    drawn = numbered(CASES[case]())
    into = folder / case
    into.mkdir(parents=True, exist_ok=True)
    for name, picture in drawn:
        for ending, figure in (("", picture.figure), ("_compact", picture.compact)):
            if figure is not None:
                file = into / f"{name}{ending}"
                if png:
                    file.with_suffix(".png").write_bytes(pictures.style.png(figure))
                else:
                    file.with_suffix(".svg").write_text(
                        pictures.style.svg(figure, title=picture.title, alt=picture.alt), encoding="utf-8"
                    )
    return section(case, drawn, png)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="INPUT", help=f"some of {', '.join(CASES)}; default all")
    parser.add_argument("--out", type=Path, default=Path("results/gallery"), help="the folder (results/gallery)")
    parser.add_argument("--png", action="store_true", help="PNG instead of SVG")
    given = parser.parse_args()
    unknown = [case for case in given.cases if case not in CASES]
    if unknown:
        parser.error(f"no such input: {', '.join(unknown)}; allowed: {', '.join(CASES)}")
    parts = []
    for case in given.cases or CASES:
        start = time.process_time()
        parts.append(save(case, given.out, given.png))
        print(f"{case}: {time.process_time() - start:.1f} s", file=sys.stderr)
    (given.out / "index.html").write_text(HEAD + "\n".join(parts), encoding="utf-8")
    print(given.out / "index.html")


if __name__ == "__main__":
    main()
