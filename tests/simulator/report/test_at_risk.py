"""Numbers at risk as a table: the cohort's size times survival, next to the reported counts."""

from __future__ import annotations

import pytest

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.report.at_risk import table


def test_numbers_at_risk_are_of_the_cohort_with_its_reported_counts(results: Results, cohort: Cohort) -> None:
    numbers = table(results, cohort)
    rows = numbers[
        (numbers["scenario"] == "baseline") & (numbers["clock"] == "relapse") & (numbers["population"] == "all")
    ]
    rows = rows.set_index("month")
    assert list(rows.index[:6]) == [0.0, 6.0, 12.0, 18.0, 24.0, 36.0]
    survival = results.survival.set_index(["scenario", "clock", "population", "month"])["survival"]
    assert rows["at_risk"][12.0] == pytest.approx(37 * survival["baseline", "relapse", "all", 12.0])
    assert (rows["reported"][6.0], rows["reported"][12.0]) == (14.0, 13.0)


def test_without_a_cohort_and_of_groups_they_are_of_100(results: Results, cohort: Cohort) -> None:
    assert set(table(results, None)["n"]) == {100}
    assert table(results, None)["reported"].isna().all()
    numbers = table(results, cohort)
    assert set(numbers.loc[numbers["population"] != "all", "n"]) == {100}
