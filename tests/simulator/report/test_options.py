"""Options side by side: a column an option, on a terminal of 80 columns, with differences and uncertainty."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from simulator.experiment.results import Results
from simulator.report import terminal
from simulator.report.tables.outcomes import side_by_side
from simulator.report.tables.run import answer, report
from simulator.wording import intervals
from simulator.wording.table import Table

NAMES = ("no-hsct", "earlier-hsct", "immunotherapy-first")


@pytest.fixture(scope="module")
def five(results: Results) -> Results:
    """Practice today, wider salvage, and three policies as effective as it."""
    _, policy = (scenario for scenario in results.scenarios if "@" not in scenario.name)
    rows = results.outcomes[results.outcomes["scenario"] == policy.name]
    outcomes = pd.concat([results.outcomes, *(rows.assign(scenario=name) for name in NAMES)])
    others = [replace(policy, name=name) for name in NAMES]
    return replace(results, scenarios=(*results.scenarios, *others), outcomes=outcomes)


def printed(table: Table) -> list[str]:
    file = io.StringIO()
    terminal.show([table], Console(file=file, width=80, highlight=False, markup=False))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_five_options_are_columns_of_one_table_in_80_columns(five: Results) -> None:
    table = side_by_side(five, "relapse")
    lines = printed(table)
    assert max(map(len, lines)) <= 80
    assert sum("─" in line for line in lines) == 1
    assert [column.label for column in table.columns[1:]] == ["baseline", "wider-salvage", *NAMES]


def test_below_every_estimate_stand_its_difference_and_the_cautious_one(five: Results) -> None:
    table = side_by_side(five, "relapse")
    place = next(place for place, row in enumerate(table.rows) if row.label == "alive at 12 months")
    rows = five.outcomes[five.outcomes["clock"] == "relapse"]
    known = rows[(rows["population"] == "all") & (rows["outcome"] == "os_12")].set_index("scenario")
    estimates, differences, cautious = (table.rows[place + below].cells for below in range(3))
    for option, estimate, difference in zip(["baseline", "wider-salvage", *NAMES], estimates, differences, strict=True):
        assert estimate == intervals.estimate(known.loc[option])
        assert difference == intervals.difference(known.loc[option])
    assert cautious[1] == intervals.difference(known.loc["wider-salvage@cohorts"])
    assert not any(cautious[2:])


def test_what_options_declare_otherwise_has_words_and_keys(five: Results) -> None:
    parts = [part for part in report(five, None, diff=True) if isinstance(part, str)]
    place = next(place for place, part in enumerate(parts) if part.startswith("Different under wider-salvage"))
    assert parts[place].startswith("Different under wider-salvage than under baseline: salvage uptake 49 % → 88 %")
    assert parts[place + 1] == "  + [set] salvage_uptake = 0.88"
    assert not any(part.startswith("Different") for part in report(five, None) if isinstance(part, str))


def test_of_many_options_the_answer_begins_with_the_one_that_changes_most(five: Results, results: Results) -> None:
    assert answer(five).startswith("In the model, wider-salvage changes most: ")
    assert answer(results).startswith("Of 100 patients who relapse, ")
