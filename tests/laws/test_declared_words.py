"""The code speaks of no disease, no cohort and none of their months: files declare them, and the code reads them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file for name in ("simulator", "calibration", "scenarios") for file in (ROOT / name).rglob("*") if file.suffix in
    (".py", ".css", ".html", ".js")
)  # fmt: skip

DISEASE = re.compile(
    r"relaps|hsct|\bcar-?t\b|b-all|leuk|lymph|salvage|transplant|remission|cd19|blinatu|inotuzu|infusion|marrow"
    r"|\bwang|schultz|wudhikarn|\bthe letter\b|letter's",
    re.IGNORECASE,
)
MONTHS = re.compile(r"\b(?:6|12|24|60)[ -]months?\b|\bmonths? (?:6|12|24|60)\b|\b(?:os|rmst)_\d")
SIZE = re.compile(r"\b37\b")

CITATIONS = {
    ("imis.py", "Technometrics 37"): "the volume of a journal",
    ("marginal_benefit.py", "Stat Comput 25, 37"): "the page of an article",
    ("splines.py", "37) * len(y)"): "how many penalties are tried",
}
"""(file, what stands there) -> why the number of the first cohort's patients may stand there."""


def lines() -> Iterator[tuple[Path, int, str]]:
    for file in SOURCES:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            yield file, number, line


def test_every_source_file_is_looked_at() -> None:
    assert len(SOURCES) > 150
    assert any(source.suffix == ".css" for source in SOURCES)


def test_no_word_of_a_disease_or_of_a_cohort_stands_in_the_code() -> None:
    places = [f"{file.relative_to(ROOT)}:{number}: {line}" for file, number, line in lines() if DISEASE.search(line)]
    assert not places, "\n".join(places)


def test_the_size_of_no_cohort_stands_in_the_code() -> None:
    allowed = set(CITATIONS)
    places = []
    for file, number, line in lines():
        # Inches and shares, as 0.37, are sizes of nothing that was reported.
        if SIZE.search(re.sub(r"\d*\.\d+", "", line)):
            known = next((citation for citation in allowed if citation[0] == file.name and citation[1] in line), None)
            places += [] if known else [f"{file.relative_to(ROOT)}:{number}: {line}"]
    assert not places, "\n".join(places)


@pytest.mark.parametrize(("name", "words"), CITATIONS)
def test_every_exception_is_still_there(name: str, words: str) -> None:
    assert any(file.name == name and words in line for file, _, line in lines())


def spoken(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module that are no docstrings: what the program says, and the names that it gives."""
    docstrings = set()
    # A statement comes before the text that it consists of.
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr):
            docstrings.add(id(node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_no_month_of_a_pathway_stands_in_what_the_code_says() -> None:
    places = [
        f"{file.relative_to(ROOT)}:{number}: {text}"
        for file in SOURCES
        if file.suffix == ".py"
        for number, text in spoken(file)
        if MONTHS.search(text)
    ]
    assert not places, "\n".join(places)


@pytest.mark.parametrize("said", ["alive at 12 months", "os_12", "a 6-month landmark", "mean survival to month 60"])
def test_a_month_would_be_found(said: str) -> None:
    assert MONTHS.search(said)
