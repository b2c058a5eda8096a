"""A labelled table on the terminal and on the page: no digit is lost, and texts of files are never markup."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from simulator.report import terminal
from simulator.report.elements import table as html
from simulator.wording.headline import scenario_in_words
from simulator.wording.intervals import Estimate
from simulator.wording.table import Bar, Cell, Column, Row, Table, columns

ALIVE = Estimate("30", ("24", "42"))
GAIN = Estimate("+2.1", ("\N{MINUS SIGN}1.3", "5.2"), error="0.4")


def printed(table: Table, width: int = 80) -> list[str]:
    file = io.StringIO()
    terminal.show([table], Console(file=file, width=width, highlight=False, markup=False))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def table_of_policies(count: int) -> Table:
    names = [f"policy-{place}" for place in range(count)]
    return Table(columns("", *names), [Row("alive at 12 months", [ALIVE] * count, "%")], "All patients", ["Means."])


def test_a_table_has_its_caption_its_labels_with_units_and_its_notes() -> None:
    caption, heading, _, row, note = printed(table_of_policies(2))
    assert (caption, note) == ("All patients", "Means.")
    assert heading.split() == ["policy-0", "policy-1"]
    assert row.split() == ["alive", "at", "12", "months,", "%", *["30", "(24", "to", "42)"] * 2]


def test_an_interval_stands_below_its_estimate_if_a_line_has_no_room() -> None:
    value, interval = printed(table_of_policies(5))[3:-1]
    assert value.split()[-5:] == ["30"] * 5
    assert interval.split() == ["(24", "to", "42)"] * 5


def test_columns_without_room_stand_below_under_the_same_labels() -> None:
    lines = printed(table_of_policies(20))
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("alive at 12 months, %") for line in lines) > 1
    assert sum(line.split().count("30") for line in lines) == 20
    assert [f"policy-{place}" in " ".join(lines) for place in range(20)] == [True] * 20


def test_an_error_stands_with_its_estimate() -> None:
    assert str(GAIN) == "+2.1 (\N{MINUS SIGN}1.3 to 5.2) ± 0.4"
    assert GAIN.lines == "+2.1 ± 0.4\n(\N{MINUS SIGN}1.3 to 5.2)"
    page = html(Table(columns("", ""), [Row("benefit", [GAIN])]))
    assert "<b>+2.1</b>" in page
    assert "(\N{MINUS SIGN}1.3 to 5.2)" in page
    assert "± 0.4" in page


def test_columns_for_the_page_only_are_not_printed() -> None:
    cell = Cell("0.9", Bar(0.0, 0.9, 0.5), [("mark", "informed")])
    table = Table([*columns("", "share"), Column("place", page_only=True)], [Row("uptake", [cell, "paragraph 3"])])
    assert printed(table)[-1].split() == ["uptake", "0.9"]
    assert "paragraph 3" not in " ".join(printed(table))
    page = html(table)
    assert all(words in page for words in ("paragraph 3", "informed", "width:90.0%", "left:50.0%"))


def test_a_table_without_rows_has_its_headings() -> None:
    assert printed(Table(columns("figure", "reported"), []))[0].split() == ["figure", "reported"]


@pytest.mark.parametrize("width", [30, 40, 200])
def test_every_number_is_printed_at_any_width(width: int) -> None:
    lines = printed(table_of_policies(4), width)
    assert max(map(len, lines)) <= width
    assert [sum(line.count(text) for line in lines) for text in ("30", "(24 to 42)")] == [4, 4]


def test_text_of_a_file_is_never_markup() -> None:
    table = Table(columns("", "[bold]a"), [Row("<b>x</b> [red]y[/red]", ["<i>1</i>"])])
    assert "<b>x</b> [red]y[/red]" in printed(table)[-1]
    assert "<b>x" not in html(table)
    assert "<i>" not in html(table)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wider", "wider"),
        ("wider@cohorts", "wider (cautious estimate)"),
        ("wider@0.3", "wider (if 30 % benefit)"),
        ("wider@break-even", "wider (smallest share)"),
    ],
)
def test_a_scenario_at_another_benefit_is_named_in_words(name: str, words: str) -> None:
    assert scenario_in_words(name) == words
