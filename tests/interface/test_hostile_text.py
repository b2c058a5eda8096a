"""Names and texts of a file stay text, whatever they contain: in the terminal, tables, figures, pages and folders."""

from __future__ import annotations

import csv
import json
import re
import xml.dom.minidom
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.cli import folder as run_folder
from simulator.experiment.run import compare
from simulator.figures import abridged, style
from simulator.figures.gallery import gallery, overall_survival
from simulator.figures.picture import Picture
from simulator.pathway.format import load_pathway
from simulator.report import run_folder as report_folder
from simulator.scenario.scenario import Scenario

Command = Callable[..., Any]

PATHWAY = r"""
title = "<script>alert(1)</script> $x^2$ [red]r[/red] \u001b[31mANSI\u001b]0;pwned\u0007 \u202eRTL"
description = "]]> --> &amp; \u001b[31m <img src=x onerror=alert(2)>"
start = "healthy"

[states.healthy]
kind = "sojourn"
label = "\"><img src=x onerror=alert(2)>$\\frac{1}{2}$ =1+1"
meaning = "<script>alert(1)</script>\u0000"

[[states.healthy.transitions]]
to = "=1+1"
time = { family = "exponential", rate = "onset" }

[states."=1+1"]
kind = "sojourn"
holds = "<svg onload=alert(1)>"
label = "[bold red]X[/]\n\u001b[2J\tY =HYPERLINK(\"http://x\")"

[[states."=1+1".transitions]]
to = "dead"
time = { family = "exponential", rate = 0.2 }

[states.dead]
kind = "death"
cause = "any"

[end_points.event]
label = "<img src=x onerror=alert(4)> $y^3$ [bold]\u001b[31m"
causes = { "=1+1 <b>" = "=1+1", "@SUM(A1) $x$" = "dead" }

[groups."@SUM(A1:A9)"]
label = "javascript:alert(1)' onmouseover='alert(3) [link=file:///etc/passwd]x[/link]"
entered = "=1+1"

[parameters.onset]
unit = "per month"
meaning = "</text></svg><script>alert(4)</script>"
value = 0.1
lever = true
source = "<script>alert(1)</script>](javascript:alert(1)) http://x\" onclick=\"alert(1)"

[counts."=1+cmd|' /C calc'!A0"]
label = "<b>x</b> $\\sqrt{"
unit = "=2+5"
entries = "=1+1"

[resources."<svg onload=alert(1)>"]
label = "<svg onload=alert(5)>"
"""
NOW = r"""
pathway = "p.toml"
title = "<i>now</i> \u001b[5m"
question = "=1+1 \u2066?"
"""
LESS = """
base = "now.toml"

[scale]
onset = 0.5
"""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def hostile(folder: Path) -> Path:
    for name, text in {"p": PATHWAY, "now": NOW, "less": LESS}.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


class Page(HTMLParser):
    """The elements of a page, and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str | None] = {}
        self.images: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= dict(attrs)
        self.images |= {str(value).partition(",")[0] for name, value in attrs if name in ("src", "srcset")}


@pytest.mark.usefixtures("without_png", "in_one_width")
def test_hostile_text_stays_text_in_every_output_of_a_run(
    aftercart_with_figures: Command, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = aftercart_with_figures("compare", "now.toml", "less.toml", "--out", "out")
    assert ran.exit_code == 0, ran.stderr
    pages = [(hostile / "out" / "report.html").read_text(encoding="utf-8")]
    # Made again the report has one figure: to draw the others takes the longest.
    monkeypatch.setattr(report_folder, "gallery", lambda *of: [overall_survival(*of[:2])])
    assert aftercart_with_figures("report", "out").exit_code == 0
    assert not CONTROL.search(ran.stdout)
    assert "<b>x</b> $\\sqrt{" in ran.stdout
    files = sorted((hostile / "out").iterdir())
    for file in files:
        if file.suffix != ".png":
            assert not CONTROL.search(file.read_text(encoding="utf-8")), file.name
        if file.suffix == ".svg":
            tags = {element.tagName for element in xml.dom.minidom.parse(str(file)).getElementsByTagName("*")}
            assert not tags & {"script", "img", "foreignObject"}, file.name
        if file.suffix == ".csv":
            with file.open(encoding="utf-8", newline="") as stream:
                cells = [cell for row in csv.reader(stream) for cell in row]
            assert not [cell for cell in cells if re.match(r"[=+@\t\r]|-[^0-9]", cell)], file.name
    for page in map(Page, [*pages, (hostile / "out" / "report.html").read_text(encoding="utf-8")]):
        assert not page.tags & {"script", "i", "iframe", "object"}
        assert page.images == {"data:image/svg+xml"}
        assert not [name for name in page.attributes if name.startswith("on")]
    assert json.loads((hostile / "out" / "manifest.json").read_text(encoding="utf-8"))["pathway"]["title"]


def test_escaped_text_is_read_back_unchanged(aftercart: Command, hostile: Path) -> None:
    assert aftercart("run", "now.toml", "--out", "out").exit_code == 0
    results = report_folder.read(hostile / "out")
    assert set(results.occupancy["state"]) == {"healthy", "=1+1", "dead"}
    assert {"all", "@SUM(A1:A9)"} <= set(results.outcomes["population"])


@pytest.mark.parametrize(
    "typed",
    [
        ["check", "p.toml"],
        ["check", "now.toml"],
        ["sweep", "now.toml", "--vary", "onset=0.1,0.2", "--out", "out"],
        ["run", "now.toml", "--engine", "microsim", "--patients", "50", "--histories", "--out", "out"],
        ["story", "less.toml", "--versus", "now.toml", "--patients", "50", "--out", "out"],
    ],
)
def test_other_commands_print_no_control_characters(typed: list[str], aftercart: Command, hostile: Path) -> None:
    result = aftercart(*typed)
    assert result.exit_code == 0, result.stderr
    assert not CONTROL.search(result.stdout + result.stderr)


NAMES = {
    "a control character": 'states."\\u001b[31m"',
    "a line break": 'states."a\\nb"',
    "a mark of direction": 'parameters."a\\u202eb"',
    "nothing": 'groups." "',
    "a byte order mark": 'counts."\\ufeff"',
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_is_not_plain_text_is_refused(case: str, aftercart: Command, hostile: Path) -> None:
    (hostile / "p.toml").write_text(f"{PATHWAY}\n[{NAMES[case]}]\n", encoding="utf-8")
    result = aftercart("check", "p.toml")
    assert result.exit_code == 2
    assert "a name that is not plain text in one line" in result.stderr
    assert not CONTROL.search(result.stderr)


def test_a_file_name_with_control_characters_is_refused_and_printed_with_escapes(
    aftercart: Command, hostile: Path
) -> None:
    (hostile / "now.toml").rename(hostile / "no\x1b[31mw.toml")
    for command in ("check", "run"):
        result = aftercart(command, "no\x1b[31mw.toml")
        assert result.exit_code == 2
        assert "no\\x1b[31mw.toml: the file's name is not plain text" in result.stderr


BAD_PATH = "no\nsuch\x1b[2J\tfile"


@pytest.mark.parametrize("exists", [False, True], ids=["missing", "an empty folder"])
@pytest.mark.parametrize(
    "typed",
    [
        *(("run", "{}.toml"), ("compare", "now.toml", "{}"), ("sweep", "{}", "--vary", "stay=1,2"), ("check", "{}")),
        *(("sensitivity", "{}"), ("report", "{}"), ("calibrate", "{}"), ("check-calibration", "{}")),
        *(("validate", "{}"), ("virtual-cohorts", "{}"), ("guarantee-time", "{}")),
        ("story", "{}"),
        ("run", "now.toml", "--out", "now.toml/{}"),
    ],
    ids=" ".join,
)
def test_a_refused_path_is_shown_in_one_line_of_visible_text(
    typed: tuple[str, ...], exists: bool, aftercart: Command, hostile: Path
) -> None:
    if exists:
        (hostile / BAD_PATH).mkdir()
        (hostile / f"{BAD_PATH}.toml").mkdir()
    result = aftercart(*(word.format(BAD_PATH) for word in typed))
    assert result.exit_code == 2, result.output
    assert "no\\nsuch\\x1b[2J\\tfile" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not CONTROL.search(result.stderr)


SAFE = {
    "..": "unnamed",
    "a/b\\c": "a-b-c",
    "CON": "_CON",
    "lpt1.x": "_lpt1.x",
    " a. ": "a",
    "wider-salvage@0.5": "wider-salvage@0.5",
    "今日": "今日",
}


@pytest.mark.parametrize("name", SAFE)
def test_a_folder_name_is_valid_on_every_system(name: str) -> None:
    assert run_folder.safe(name) == SAFE[name]


@pytest.mark.parametrize("letter", ["x", "今"])
def test_a_folders_name_is_never_too_long(letter: str, tmp_path: Path) -> None:
    (tmp_path / run_folder.safe(letter * 300)).mkdir()


# --- Long names in figures ---

LONG = "immunotherapy-first-for-everybody-who-relapses-within-two-years-of-the-first-infusion-and-hsct-variant-"


def drawn(scenarios: list[Scenario]) -> list[Picture]:
    return gallery(compare(*scenarios))


def legible_texts(figure: Figure) -> list[str]:
    """Return the texts of a figure; all are inside of it, and none overlaps another."""
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    # As the files have them: letters are wider where they are fitted to pixels.
    with style.applied():
        figure.draw_without_rendering()
        boxes = [(text.get_text(), Text.get_window_extent(text, canvas.get_renderer())) for text in texts]
    for text, box in boxes:
        assert figure.bbox.x0 - 1 <= box.x0 <= box.x1 <= figure.bbox.x1 + 1, text
        assert figure.bbox.y0 - 1 <= box.y0 <= box.y1 <= figure.bbox.y1 + 1, text
    for (first, a), (second, b) in combinations([(text, box.shrunk(0.9, 0.7)) for text, box in boxes], 2):
        assert not a.overlaps(b), (first, second)
    return [text.replace("\n", "") for text, _ in boxes]


@pytest.mark.slow
def test_twelve_long_names_that_differ_at_the_end_stay_distinct_and_legible() -> None:
    pathway = load_pathway("three_state")
    base = Scenario("base", pathway)
    policies = [Scenario(f"{LONG}{i:02d}", pathway, scale={"onset_rate": 1 - 0.06 * i}) for i in range(12)]
    figures = drawn([base, *policies])
    pictures = {picture.name: legible_texts(picture.figure) for picture in figures}
    for picture in figures:
        if picture.compact is not None:
            legible_texts(picture.compact)
    ends = [text for text in pictures["what_the_policy_adds"] if re.search(r"variant-\d\d$", text)]
    assert len(set(ends)) == 12
    assert "survival_by_policy" not in pictures, "more than six curves are not drawn"


def test_names_that_differ_in_their_middle_are_numbered() -> None:
    names = [f"{'a' * 40}{i}{'b' * 40}" for i in range(3)]
    short_names = abridged.shortened([*names, "short"], 32)
    assert len(set(short_names.values())) == 4
    assert short_names["short"] == "short"
    assert max(map(len, short_names.values())) <= 32


@pytest.mark.slow
def test_labels_and_titles_of_300_letters_leave_a_figure_legible() -> None:
    pathway = load_pathway("three_state")
    states = {name: replace(state, label=f"{name} " + "and so on " * 30) for name, state in pathway.states.items()}
    groups = {name: replace(group, label="W" * 300) for name, group in pathway.groups.items()}
    clocks = {"a clock of many words " * 14: "healthy"}
    long = replace(pathway, title="A title " * 40, states=states, groups=groups, clocks=clocks)
    for picture in drawn([Scenario("n" * 300, long), Scenario("m" * 300, long, scale={"onset_rate": 0.5})]):
        for figure in filter(None, (picture.figure, picture.compact)):
            legible_texts(figure)


@pytest.mark.slow
def test_a_figure_notes_letters_that_no_font_has(recwarn: pytest.WarningsRecorder) -> None:
    pathway = load_pathway("three_state")
    states = {name: replace(state, label=f"{name} \U000f0000") for name, state in pathway.states.items()}
    for picture in drawn([Scenario("\U000f0000", replace(pathway, states=states))]):
        assert picture.svg
        assert style.png(picture.figure)
        assert [text.get_text() for text in picture.figure.texts].count(style.NO_FONT) == 1
    assert not recwarn.list


def test_letters_that_a_font_has_need_no_note() -> None:
    figure = style.canvas(3, 1)
    figure.text(0.1, 0.1, "Ελληνικά שלום x² ≤ 5")
    assert style.png(figure)
    assert not [text for text in figure.texts if text.get_text() == style.NO_FONT]
