"""The documentation site: its pages are those of the repository, links and all, and nothing in it comes from outside.

Lessons are executed. The command line's reference, the explorer, notebooks and slides are made here, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# The commands of the lessons are those of this environment, on terminals of one width.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ |= {"COLUMNS": "80", "OPENBLAS_NUM_THREADS": "1"}

project = html_title = "aftercart"
author = "the aftercart developers"
release = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
root_doc = "docs/index"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**.md", "calibration/**/SOURCES.md"]
exclude_patterns = [".*", "build", "results", "venv"]
extensions = ["myst_nb", "sphinx.ext.autodoc"]
default_role = "code"
html_theme = "furo"
html_static_path = ["site"]
html_css_files = ["site.css"]
html_show_sourcelink = html_show_copyright = False
html_copy_source = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

EMBEDDED = {
    "docs/explorer": ("explore", "baseline", "wider-salvage", "--draws", "100"),
    "docs/animation": ("animate", "baseline", "wider-salvage"),
}
"""Pages that show what a command makes: the command. Its file stands beside the page."""


class CommandLine(SphinxDirective):
    """`{command-line}`: a section for every command, with what its --help prints."""

    def run(self) -> list[nodes.Node]:
        from simulator.cli.application import COMMANDS

        helps = {name: _printed("aftercart", name, "--help") for name in COMMANDS}
        text = "\n\n".join(f"## aftercart {name}\n\n```text\n{of.strip()}\n```" for name, of in helps.items())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def _printed(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def with_fields(app: Sphinx, what: str, name: str, of: object, options: object, lines: list[str]) -> None:
    """Make list items of a docstring's lines "name : what it is"; a new sentence ends the list."""
    listed, text = False, list(lines)
    lines.clear()
    for line in text:
        if field := re.match(r"([`\w, ]+) : (.+)", line):
            item = f"* `{field[1].replace('`', '')}`: {field[2]}"
            lines += [item] if listed else ["", item]
            listed = True
        elif listed and line and not (line[0].isupper() and lines[-1].endswith(".")):
            lines.append(f"  {line.strip()}")
        else:
            lines += ["", line] if listed else [line]
            listed = False


def with_what_the_site_adds(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put below a page's heading what only the site has: a lesson's notebook and slides, and pages in a page."""
    name = docname.rpartition("/")[2]
    added = ""
    if docname in EMBEDDED:
        file = f"{name}-page.html"
        added = f'<p><a href="{file}">On a page of its own</a></p><iframe src="{file}" title="{name}"></iframe>'
    elif docname.startswith("docs/lessons/"):
        added = f'<p><a href="{name}.ipynb" download>Notebook</a> · <a href="{name}-slides.html">Slides</a></p>'
    if added:
        source[0] = re.sub(r"^(# .*\n)", rf"\1\n{added}\n", source[0], count=1, flags=re.MULTILINE)


def finish(app: Sphinx, failure: Exception | None) -> None:
    """Write what is no page into the site: its first address, what pages show, and the lessons' handouts."""
    if failure is not None or app.builder.format != "html":
        return
    import handouts

    site = Path(app.outdir)
    to = f"{root_doc}.html"
    (site / "index.html").write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={to}">'
        f'<title>aftercart</title><a href="{to}">aftercart</a>\n',
        encoding="utf-8",
    )
    for docname, command in EMBEDDED.items():
        file = site / f"{docname}-page.html"
        file.unlink(missing_ok=True)
        _printed("aftercart", *command, "--quiet", "--out", str(file))
    for lesson in sorted((HERE / "lessons").glob("0*.md")):
        handouts.write(app, f"docs/lessons/{lesson.stem}", lesson, site / "docs" / "lessons")


def setup(app: Sphinx) -> None:
    app.add_directive("command-line", CommandLine)
    app.connect("autodoc-process-docstring", with_fields)
    app.connect("source-read", with_what_the_site_adds)
    app.connect("build-finished", finish)
