"""Numbers are spelled in one way wherever a person reads them: "16 to 40", and a true minus."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.text import Text
from spelling import misspelled

from simulator.experiment.results import Results
from simulator.figures.picture import Picture
from simulator.report.page import html as page_of
from simulator.wording.rounding import fixed

REPOSITORY = Path(__file__).parents[3]
READ = [*sorted((REPOSITORY / "tests" / "snapshots").glob("*.txt")), REPOSITORY / "README.md"]
AS_TYPED = ("pathway-format.md", "stress-des.md")
READ += [path for path in sorted((REPOSITORY / "docs").glob("*.md")) if path.name not in AS_TYPED]
"""Pages of words: not formulas as they are typed, and not names of sources as their papers have them."""


@pytest.mark.parametrize("path", READ, ids=lambda path: path.name)
def test_pages_and_terminal_have_one_spelling(path: Path) -> None:
    assert misspelled(path.read_text(encoding="utf-8")) == []


def test_the_page_has_one_spelling(results: Results, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch) -> None:
    # Figures have a test of their own.
    monkeypatch.setattr("simulator.figures.style.svg", lambda figure, **_: "")
    unwritten = [replace(picture) for picture in pictures]
    page = re.sub(r"<style.*?</style>", " ", page_of(results, figures=unwritten), flags=re.DOTALL)
    # The register has the sources' own words.
    before, register, _ = page.partition('<section id="assumptions">')
    assert register
    assert misspelled(html.unescape(re.sub(r"<[^>]*>", " ", before))) == []


def test_figures_have_one_spelling(pictures: list[Picture]) -> None:
    for picture in pictures:
        for figure in filter(None, (picture.figure, picture.compact)):
            texts = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
            assert misspelled("\n".join(texts)) == [], picture.name
        assert misspelled(picture.alt) == []


def test_no_sign_and_no_range_is_written_by_hand() -> None:
    by_hand = re.compile(r"\{[^{}]*:[+][^{}]*\}|\}[-\N{EN DASH}]\{")
    for room in ("wording", "report", "figures"):
        for path in sorted((REPOSITORY / "simulator" / room).rglob("*.py")):
            assert by_hand.findall(path.read_text(encoding="utf-8")) == [], path.name


@pytest.mark.parametrize("wrong", ["16-40", "(2.5\N{EN DASH}5.7)", "by -0.78 points", "(-9.7 to 3.3)"])
def test_a_wrong_spelling_is_found(wrong: str) -> None:
    assert misspelled(wrong)


@pytest.mark.parametrize(
    "right", ["wider-salvage-2-beds", "2017-2021", "1926;27:733-743", f"{fixed(-0.78, 2)} (16 to 40)"]
)
def test_names_years_and_pages_are_no_ranges(right: str) -> None:
    assert misspelled(right) == []
