"""A report opens with what its reader asks: who lives longer or, where options differ in their beds, who waits."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from simulator.experiment.results import Results
from simulator.experiment.run import compare
from simulator.wording.difference import Difference
from simulator.wording.headline import answer
from simulator.wording.opening import paragraphs
from simulator.wording.resources import rows_of


@pytest.fixture(scope="module")
def centres() -> Results:
    names = ("letter-centre", "letter-centre-2-beds", "letter-centre-3-beds")
    return compare(*names, draws=3, replications=2, horizon=24.0)


def test_a_policy_opens_with_its_additional_survivors(results: Results) -> None:
    assert paragraphs(results) == [answer(results.outcomes, results.scenarios)]


def test_options_that_differ_in_their_beds_open_with_who_waits(centres: Results) -> None:
    first, waits, *_ = paragraphs(centres)
    assert centres.service is not None
    late = {one.name: rows_of(centres.service, one.name, "hsct_beds")["wait_over_30_days"] for one in centres.scenarios}
    most = max(list(late)[1:], key=lambda name: abs(late[name]["difference"]))
    number = f"{abs(100 * late[most]['difference']):.2g}"
    led = "Of 100" if Difference.of_row(late[most]).is_clear else "No clear difference: of 100"
    assert re.match(rf"{led} requests for HSCT beds, {number}(\.0)? fewer .*wait over 30 days under {most}: ", first)
    assert waits.count("of patients who request") == 3


def test_a_heading_without_an_interval_says_that_uncertainty_is_not_shown() -> None:
    single = compare("letter-centre", "letter-centre-2-beds", draws=2, replications=1, horizon=24.0)
    first, *_ = paragraphs(single)
    assert "interval" not in first
    assert first.endswith(" under letter-centre; uncertainty is not shown.")


def test_survival_that_differs_by_less_than_the_margin_is_said_once(centres: Results) -> None:
    (alive,) = paragraphs(centres)[2:]
    assert re.match(
        r"Survival at 12 months (differs little|does not clearly differ): \d+ of 100 patients who relapse are alive "
        r"under letter-centre, \d+ under letter-centre-2-beds and \d+ under letter-centre-3-beds; at most [\d.]+ "
        r"(more|fewer) .*than under ",
        alive,
    )
    wide = replace(centres, manifest={**centres.manifest, "margin": 0.1})
    assert len(paragraphs(wide)) == 4
