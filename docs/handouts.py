"""What a teacher takes from a lesson: a notebook, and slides, one HTML file that needs nothing else.

A slide is a section: its heading, its first paragraph, and the figures, tables and sentences that its cells return. The
answer of the exercise and the teacher's note are not on slides. Printed, a slide is a page.
"""

from __future__ import annotations

import re
from base64 import b64encode
from mimetypes import guess_type
from pathlib import Path

import jupytext
from docutils import nodes
from sphinx.application import Sphinx

LEFT_OUT = "For the teacher"
ANSWERED = "Exercise"
PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
html {{ scroll-snap-type: y mandatory; font: 3.2vmin/1.4 sans-serif; color: #111; background: #fff }}
body {{ margin: 0 }}
section {{ box-sizing: border-box; min-height: 100vh; padding: 3vmin 6vmin; scroll-snap-align: start;
  break-after: page; display: flex; flex-direction: column; justify-content: center }}
h1 {{ font-size: 2em }} h2 {{ font-size: 1.5em; margin: 0 0 .3em }} p {{ margin: .4em 0; max-width: 60em }}
img, svg {{ max-width: 100%; max-height: 68vh; object-fit: contain; object-position: left }}
table {{ border-collapse: collapse; font-size: .8em }} td, th {{ padding: .1em .8em; text-align: right }}
tr {{ border-bottom: 1px solid #ccc }} a {{ color: inherit }} .headerlink {{ display: none }}
@page {{ size: 297mm 167mm; margin: 0 }}
</style>
{slides}
</html>
"""


def write(app: Sphinx, docname: str, lesson: Path, folder: Path) -> None:
    """Write NAME.ipynb and NAME-slides.html of an executed lesson into a folder."""
    (folder / f"{lesson.stem}.ipynb").write_text(notebook(lesson), encoding="utf-8")
    (folder / f"{lesson.stem}-slides.html").write_text(slides(app, docname), encoding="utf-8")


def notebook(lesson: Path) -> str:
    """Return a lesson as a notebook to work on: without its checks, and without links to pages beside it."""
    read = jupytext.read(lesson, fmt="md:myst")
    read.cells = [cell for cell in read.cells if "remove-cell" not in cell.metadata.get("tags", ())]
    for cell in read.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", cell.source)
    return str(jupytext.writes(read, fmt="ipynb"))


def slides(app: Sphinx, docname: str) -> str:
    """Return the slides of an executed lesson as one page."""
    document = app.env.get_and_resolve_doctree(docname, app.builder)
    (lesson,) = (child for child in document.children if isinstance(child, nodes.section))
    sections = [child for child in lesson.children if isinstance(child, nodes.section)]
    displayed = [lesson, *(section for section in sections if section[0].astext() != LEFT_OUT)]
    pages = [_slide(app, section, first=section is lesson) for section in displayed]
    return PAGE.format(title=lesson[0].astext(), slides="\n".join(pages))


def _slide(app: Sphinx, section: nodes.section, first: bool) -> str:
    level, title = ("h1" if first else "h2"), section[0].astext()
    paragraphs = [child for child in section.children if isinstance(child, nodes.paragraph)]
    displayed: list[nodes.Node] = paragraphs[:1]
    if not first and title != ANSWERED:
        cells = section.findall(lambda node: isinstance(node, nodes.container) and "cell_output" in node["classes"])
        displayed += [output for cell in cells for output in cell.children]
    html = "\n".join(_html(app, node) for node in displayed)
    return f"<section>\n<{level}>{title}</{level}>\n{html}\n</section>"


def _html(app: Sphinx, node: nodes.Node) -> str:
    """Return a node as HTML, with pictures in it."""
    html = str(app.builder.render_partial(node)["fragment"])
    return re.sub(
        r'(?<= src=")(?!data:)[^"]+', lambda image: _in_page(Path(app.outdir, "_images", Path(image[0]).name)), html
    )


def _in_page(picture: Path) -> str:
    return f"data:{guess_type(picture)[0]};base64,{b64encode(picture.read_bytes()).decode()}"
