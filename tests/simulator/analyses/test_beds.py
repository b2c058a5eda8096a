"""How many beds meet a target: by queueing theory, and in words."""

import re
from dataclasses import replace
from math import exp
from pathlib import Path

import numpy as np
import pytest
from known_waits import MONTH, beds_of, erlang_c

from simulator import load_scenario
from simulator.analyses.beds import beds
from simulator.errors import InputError
from simulator.experiment.results import Results
from simulator.report.run_folder import read
from simulator.scenario.arrivals import DAYS_A_MONTH, Service
from simulator.scenario.scenario import Scenario
from simulator.wording.opening import paragraphs

LOAD = 1.5
"""Beds' worth of patients, who stay for a month on average and never give up."""


@pytest.fixture(scope="module")
def patients() -> Scenario:
    years = Service(years=40.0, warm_up_years=5.0, arrivals_per_year=12 * LOAD)
    return replace(beds_of(MONTH, 2), service=years)


@pytest.fixture(scope="module")
def results(patients: Scenario) -> Results:
    return beds(patients, "wait_over_14_days <= 20%", replications=30, horizon=12.0)


def row(results: Results, name: str, outcome: str) -> dict[str, float]:
    table = results.service
    assert table is not None
    (match,) = table[(table["scenario"] == name) & (table["outcome"] == outcome)].to_dict("records")
    return match


@pytest.mark.parametrize("beds_there", [2, 3, 4])
def test_as_many_wait_for_longer_than_any_days_as_queueing_theory_says(results: Results, beds_there: int) -> None:
    """M/M/c: P(wait > t) = P(wait) exp(-(c - load) t); five standard errors, of 30 replications."""
    late = erlang_c(beds_there, LOAD) * exp(-(beds_there - LOAD) * 14 / DAYS_A_MONTH)
    measured = row(results, f"{beds_there} beds", "wait_over_14_days")
    assert abs(measured["estimate"] - late) < 5 * measured["monte_carlo_se"]


def test_the_answer_names_the_fewest_beds_that_meet_the_target_and_those_that_do_not(results: Results) -> None:
    """By theory 51 of 100 wait over 14 days for two beds, 12 for three, 2.4 for four."""
    answer = results.answer
    assert answer.startswith("3 beds meet the target (wait over 14 days, of requests: at most 20 %): of patients who ")
    assert re.search(r" 1[12] % wait over 14 days", answer)
    assert re.search(r"2 beds do not \((49|5[0-3]) %\)\. ", answer)
    assert re.search(r"One more changes 1[12] % to 2\.\d %\. In use: 1\.[45]\d? of 3\.", answer)


def test_a_queue_that_grows_without_limit_is_named(patients: Scenario) -> None:
    answer = beds(patients, "utilisation <= 80%", units=[1, 2], replications=2, horizon=12.0).answer
    assert answer.startswith("2 beds meet the target (utilisation: at most 80 %): utilisation 7")
    assert re.search(r"1 bed does not \(100 %\), and its queue grows without limit", answer)


def test_where_no_number_meets_the_target_the_answer_says_how_far_the_most_beds_are_off(patients: Scenario) -> None:
    answer = beds(patients, "lost_while_waiting >= 5%", units=[2, 3], replications=2, horizon=12.0).answer
    assert answer.startswith("None of 2 and 3 beds meets the target (lost while waiting, of requests: at least 5 %): ")


def test_only_the_numbers_that_were_run_are_named(patients: Scenario) -> None:
    """Of 2 and 5 beds, 3 was not run, and 5 is not one more than 2."""
    few = {"replications": 2, "horizon": 12.0}
    none = beds(patients, "lost_while_waiting >= 5%", units=[2, 5], **few).answer  # type: ignore[arg-type]
    assert none.startswith("None of 2 and 5 beds meets the target ")
    met = beds(patients, "utilisation <= 90%", units=[2, 5], **few).answer  # type: ignore[arg-type]
    assert re.match(r"2 beds meet the target .*: utilisation [78]\d %.* 5 beds change [78]\d % to [23]\d %\.", met)
    one = beds(patients, "wait_mean <= 0 days", units=[2], **few).answer  # type: ignore[arg-type]
    assert re.match(r"2 beds do not meet the target .*: with 2 beds, mean wait of patients served \d+ days", one)


def test_the_year_of_the_centre_is_that_of_the_beds_which_meet_the_target(results: Results) -> None:
    """Survival is the same under two, three and four beds; three meet the target."""
    _, year, _ = paragraphs(results)
    assert re.match(r"In a year of 18 patients, .* are alive at .* under 3 beds", year)


def test_parameter_sets_that_meet_the_target_are_counted(tmp_path: Path) -> None:
    few = {"units": [1, 2], "draws": 2, "replications": 1, "horizon": 12.0}
    results = beds("letter-centre", "wait_over_30_days <= 5%", **few)  # type: ignore[arg-type]
    by_draw = results.service_draws
    assert by_draw is not None
    of_two = by_draw.loc[by_draw["scenario"] == "2 HSCT beds", "wait_over_30_days"]
    assert of_two.mean() == pytest.approx(row(results, "2 HSCT beds", "wait_over_30_days")["estimate"], abs=1e-7)
    assert f"in {100 * np.mean(of_two <= 0.05):.0f} of 100 parameter sets" in results.answer
    results.write(tmp_path)
    assert read(tmp_path).answer == results.answer


def test_a_resource_without_limit_can_be_asked_for() -> None:
    few = {"units": [1], "draws": 1, "replications": 2, "horizon": 12.0}
    answer = beds("letter-centre", "wait_over_30_days <= 99%", resource="car_t_slots", **few).answer  # type: ignore[arg-type]
    assert answer.startswith("1 CAR-T slot meets the target ")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("baseline", {}, "patients do not arrive over time"),
        ("letter-centre", {"resource": "hsct_bed"}, "did you mean 'hsct_beds'"),
        ("letter-centre", {"units": [1.5]}, "not a whole number above zero"),
        ("letter-centre", {"units": [0]}, "not a whole number above zero"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(name: str, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError) as refused:
        beds(load_scenario(name), "wait_over_30_days <= 5%", **options)
    assert message in str(refused.value)


def test_a_pathway_without_resources_has_no_beds() -> None:
    without = load_scenario("baseline")
    alone = replace(without, pathway=replace(without.pathway, resources={}))
    with pytest.raises(InputError, match="the pathway has no resource"):
        beds(alone, "wait_over_30_days <= 5%")


def test_other_limits_and_the_policy_before_stay_as_they_are() -> None:
    """Patients who arrive before a policy starts have the same beds."""
    regional = load_scenario("regional-centre-wider-salvage")
    from simulator.analyses.beds import with_units
    from simulator.outcomes.target import read as target

    first, last = with_units(regional, "hsct_beds", [5, 2], target("wait_over_3_days <= 1%", ""), "--units")
    assert (first.name, last.name) == ("2 HSCT beds", "5 HSCT beds")
    assert "three HSCT beds" not in first.title + last.title + first.question + last.question
    assert first.before is None or first.before.capacity == first.capacity
    assert last.service is not None
    assert last.service.wait_days == (3,)
