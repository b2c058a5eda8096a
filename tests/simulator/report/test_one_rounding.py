"""A run shows the same number everywhere: on the terminal, in the report, in texts of figures, in files."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import pytest
from rich.console import Console

from simulator.experiment.results import Results
from simulator.figures.gallery import overall_survival
from simulator.outcomes.labels import label, words_and_unit
from simulator.outcomes.resource_use import LABELS
from simulator.plain_text import capital
from simulator.report import terminal as screen
from simulator.report.page import html as page_of
from simulator.report.tables.run import report
from simulator.scenario.arrivals import DAYS_A_MONTH
from simulator.wording import resources
from simulator.wording.headline import answer
from simulator.wording.intervals import Estimate

DAYS = {"wait_mean", "wait_median", "wait_90th_percentile"}


@pytest.fixture(scope="module", params=["two policies", "beds"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def results(kind: str, results: Results, two_centres: Results) -> Results:
    return results if kind == "two policies" else two_centres


def numbers(text: str) -> list[str]:
    """The numbers of a cell as written, a minus as a hyphen."""
    return re.findall(r"[+-]?\d+(?:\.\d+)?", text.replace("\N{MINUS SIGN}", "-"))


def is_value(text: str, value: float) -> bool:
    """Whether a shown number is a value of the table to its last digit; a value shown as 0 is below a tenth."""
    if text.lstrip("+-") == "0":
        return abs(value) <= 0.05
    return abs(float(text) - value) <= 0.5 * 10.0 ** -len(text.partition(".")[2]) + 1e-6 * abs(value)


def rows(results: Results, scenario: int) -> list[dict[str, Any]]:
    """The outcomes of all patients under a scenario, probabilities of 100."""
    pathway = results.scenarios[0].pathway
    # First events are displayed at the answer's month; at the others they stand in the files.
    hidden = [
        end_point.incidence_at(cause, month)
        for end_point in pathway.end_points.values()
        for cause in end_point.causes
        for month in set(pathway.months.survival) - {pathway.months.answer}
    ]
    table = results.outcomes[~results.outcomes["outcome"].isin(hidden)]
    table_of_scenario = table[(table["clock"] == pathway.clock) & (table["population"] == "all")]
    table_of_scenario = table_of_scenario[table_of_scenario["scenario"] == results.scenarios[scenario].name].copy()
    columns = [name for name in table_of_scenario if str(table_of_scenario[name].dtype) == "float64"]
    table_of_scenario.loc[table_of_scenario["unit"] == "probability", columns] *= 100.0
    return table_of_scenario.to_dict("records")  # type: ignore[return-value]


def values(row: dict[str, Any], difference: bool) -> list[float]:
    names = ("difference", "difference_lower", "difference_upper") if difference else ("estimate", "lower", "upper")
    return [row[name] for name in names if math.isfinite(row[name])]


@pytest.fixture(scope="module")
def terminal(results: Results) -> list[str]:
    output = io.StringIO()
    screen.show(report(results, None), Console(file=output, width=240, highlight=False, markup=False))
    return output.getvalue().splitlines()


@pytest.fixture(scope="module")
def page(results: Results) -> list[list[str]]:
    """The report's table rows, a list of their cells' texts each."""
    html = page_of(results, figures=[])
    return [
        [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    ]


def line_on_terminal(terminal: list[str], words: str) -> str:
    return next(line.strip().removeprefix(words) for line in terminal if line.strip().startswith(words))


def test_terminal_report_and_table_have_the_same_outcomes(
    results: Results, terminal: list[str], page: list[list[str]]
) -> None:
    pathway = results.scenarios[0].pathway
    compared = 0
    for before, after in zip(rows(results, 0), rows(results, 1), strict=False):
        if before["outcome"] != after["outcome"]:
            break
        on_terminal = numbers(line_on_terminal(terminal, label(before["outcome"], pathway)))
        words, _ = words_and_unit(before["outcome"], pathway)
        # Where patients wait, another row has the patients of a year.
        of_page = [
            [number for cell in cells[1:4] for number in numbers(cell)]
            for cells in page
            if cells and cells[0].startswith(capital(words))
        ]
        on_page = next((of_row for of_row in of_page if on_terminal[: len(of_row)] == of_row), None)
        assert on_page is not None, (before["outcome"], on_terminal, of_page)
        expected = values(before, False) + values(after, False) + values(after, True)
        matching = [value for value, number in zip(expected, on_page, strict=False) if is_value(number, value)]
        if len(on_page) == len(expected):
            assert matching == expected, before["outcome"]
            compared += 1
    assert compared > 3


def test_a_difference_is_that_of_the_table_and_not_of_two_rounded_numbers(
    results: Results, terminal: list[str]
) -> None:
    pathway = results.scenarios[0].pathway
    for row in rows(results, 1):
        if not math.isfinite(row["difference"]) or row["outcome"].startswith("survivors"):
            continue
        line = line_on_terminal(terminal, label(row["outcome"], pathway))
        signed = [number for number in numbers(re.sub(r"\([^)]*\)", "", line)) if number[0] in "+-"]
        assert is_value(signed[0] if signed else "0", row["difference"]), row["outcome"]


def test_the_answer_and_the_figures_agree_with_the_table(results: Results) -> None:
    after = next(row for row in rows(results, 1) if row["outcome"] == "os_12")
    text = answer(results.outcomes, results.scenarios)
    match = re.search(r"relapse, (?:([\d.]+) (?:more|fewer)|as many)", text)
    assert match is not None
    assert is_value(match[1] or "0", abs(after["difference"]))
    pair = re.search(r": ([\d.]+) instead of ([\d.]+) under", text)
    assert pair is not None
    first = next(row for row in rows(results, 0) if row["outcome"] == "os_12")
    numbers = overall_survival(results).numbers
    assert numbers is not None
    place = [column.label for column in numbers.columns].index("12 months") - 1
    alive = {row.label: row.cells[place] for row in numbers.rows}
    for group, row in zip(pair.groups(), (after, first), strict=True):
        assert is_value(group, row["estimate"])
        cell = alive[row["scenario"]]
        assert isinstance(cell, Estimate)
        assert cell.value == group


def test_terminal_report_and_table_have_the_same_beds(
    results: Results, terminal: list[str], page: list[list[str]]
) -> None:
    if results.service is None:
        return
    scenario = results.scenarios[0]
    rows = resources.rows_of(results.service, scenario.name, "hsct_beds")
    days = resources.in_days(rows.values())
    assert rows[resources.FOR_EVER]["estimate"] == 0.0
    for outcome in resources.DISPLAYED:
        if outcome == resources.FOR_EVER:
            continue
        row = rows[outcome]
        scale = 100.0 if row["unit"] == "probability" else DAYS_A_MONTH if outcome in DAYS and days else 1.0
        on_terminal = numbers(line_on_terminal(terminal, LABELS[outcome]))
        words = LABELS[outcome]
        cells = next(cells for cells in page if cells and cells[0].startswith(words[0].upper() + words[1:]))
        on_page = numbers(cells[1])
        assert on_terminal[: len(on_page)] == on_page
        assert is_value(on_page[0], scale * row["estimate"])
        if len(on_page) == 4:
            assert is_value(on_page[1], scale * row["lower"])
            assert is_value(on_page[2], scale * row["upper"])
