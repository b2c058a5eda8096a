"""Chance and the draws' spread, in runs where patients wait for one another: recovered where the truth can be had.

Statistical tests share FALSE_ALARM: fewer than one suite in 10,000 fails by chance, though seeds are fixed. That few
patients do not widen an interval is shown without queues by default, and with queues in the slow tests.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sojourn_times import exponential
from worlds import months, policy, sojourn, ward

from simulator.arrays import Floats
from simulator.evidence.draws import load_draws
from simulator.experiment.parts import ScenarioDraws
from simulator.experiment.run import parts_of
from simulator.experiment.settings import Settings
from simulator.experiment.summaries import outcomes_of_population, outcomes_table
from simulator.scenario.scenario import Scenario

FALSE_ALARM = 1e-4 / 12
RUNS = 40

LISTED = ward(
    exponential(mean=1), exponential(mean=0.1), exponential(mean="untreated"),
    states={"home": sojourn(dead=exponential(mean="treated"))}, draws="draws.csv",
    attributes={"fitness": {"fit": 3, "frail": 1}}, parameters={"untreated": months(6), "treated": months(40)},
)  # fmt: skip
BUSY = """
[capacity]
beds = 4
[service]
arrivals_per_year = 60
warm_up_years = 1
years = 2
"""
"""Five arrivals a month for four beds, who all would stay a month: the queue wanders, and all share its fate."""

Rows = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def busy() -> Scenario:
    # Quantiles of a lognormal in no order, so that the first draws are as the others.
    means = 40.0 * np.exp(0.4 * stats.norm.ppf((np.arange(200) + 0.5) / 200))
    means = np.random.default_rng(1).permutation(means)
    return policy(LISTED, BUSY, draws="treated\n" + "\n".join(f"{mean:.6g}" for mean in means))


def with_beds(scenario: Scenario, beds: int) -> Scenario:
    calendar = ((0.0, beds),)
    return replace(scenario, capacity={"beds": replace(scenario.capacity["beds"], calendar=calendar)})


def parts(scenario: Scenario, draws: int, engine: str = "microsim", **settings: Any) -> list[ScenarioDraws]:
    table, chosen = load_draws(scenario.pathway), Settings(horizon=24.0, **settings)
    if engine == "exact":
        return parts_of(scenario, table, engine, chosen, slice(draws))
    return [part for i in range(draws) for part in parts_of(scenario, table, engine, chosen, slice(i, i + 1))]


def rows(scenario: Scenario, draws_of_scenario: list[ScenarioDraws], first: list[ScenarioDraws] | None = None) -> Rows:
    outcomes = [
        outcome
        for population in ("all", "fitness=frail")
        for outcome in outcomes_of_population(scenario, "start", population, draws_of_scenario, first)
    ]
    table = outcomes_table(outcomes, 24.0, scenario.pathway).to_dict("records")
    return {(row["population"], row["outcome"]): row for row in table}


OUTCOMES = [("all", "os_6"), ("all", "os_12"), ("all", "rmst_12"), ("fitness=frail", "os_12")]


@pytest.fixture(scope="module")
def repeated(busy: Scenario) -> list[tuple[Rows, Rows]]:
    """Four beds, and five compared with them, simulated RUNS times with 3 replications of one draw."""
    five = with_beds(busy, 5)
    runs = []
    for seed in range(RUNS):
        of_four, other = (parts(scenario, 1, seed=seed, replications=3) for scenario in (busy, five))
        runs.append((rows(busy, of_four), rows(five, other, of_four)))
    return runs


@pytest.mark.slow
def test_the_monte_carlo_error_is_the_spread_of_repeated_runs(repeated: list[tuple[Rows, Rows]]) -> None:
    """The spread's variance over the mean of the errors' squares is F(RUNS - 1, RUNS x (3 - 1)), nearly."""
    for key in OUTCOMES:
        of_four, of_five = (np.array([run[place][key]["estimate"] for run in repeated]) for place in (0, 1))
        differences = np.array([five[key]["difference"] for _, five in repeated])
        np.testing.assert_allclose(differences, of_five - of_four)
        for name, place, column in (
            (of_four, 0, "monte_carlo_se"),
            (of_five, 1, "monte_carlo_se"),
            (differences, 1, "difference_monte_carlo_se"),
        ):
            errors = np.array([run[place][key][column] for run in repeated])
            ratio = name.var(ddof=1) / np.mean(errors**2)
            assert FALSE_ALARM / 2 < stats.f.cdf(ratio, RUNS - 1, 2 * RUNS) < 1 - FALSE_ALARM / 2, (key, column, ratio)


def test_patients_who_share_a_ward_are_no_binomial_sample(repeated: list[tuple[Rows, Rows]]) -> None:
    """3 replications of 120 patients: were they independent, the error would be two fifths less."""
    alive = np.mean([four["all", "os_6"]["estimate"] for four, _ in repeated])
    error = np.sqrt(np.mean([four["all", "os_6"]["monte_carlo_se"] ** 2 for four, _ in repeated]))
    assert error > 1.3 * np.sqrt(alive * (1.0 - alive) / (3 * 120))


def test_a_difference_is_known_better_than_what_it_is_of(repeated: list[tuple[Rows, Rows]]) -> None:
    """The same patients come to four beds and to five, so that most of chance is the same."""
    for key in OUTCOMES:
        of_five, of_difference = (
            np.mean([five[key][column] for _, five in repeated])
            for column in ("monte_carlo_se", "difference_monte_carlo_se")
        )
        assert of_difference < 0.85 * of_five, key


def width(values: Rows) -> float:
    return float(values["all", "os_12"]["upper"] - values["all", "os_12"]["lower"])


def with_chance(draws_of_scenario: list[ScenarioDraws]) -> Floats:
    """The interval over draws as they were simulated."""
    return np.quantile([part.outcomes["start", "all"]["os_12"][1][0] for part in draws_of_scenario], [0.025, 0.975])


@pytest.mark.slow
def test_few_patients_do_not_widen_the_interval_over_draws(busy: Scenario) -> None:
    """60 patients a draw, and 480: chance adds two thirds to the first's interval, unless it is taken away.

    Of one such run of few the standard deviation is 13 %, of the mean of three 7 %.
    """
    few = replace(busy, service=replace(busy.service, years=0.5))
    many = width(rows(busy, parts(busy, 200, replications=4)))
    runs = [parts(few, 200, replications=2, seed=seed) for seed in range(3)]
    assert np.mean([width(rows(few, run)) for run in runs]) == pytest.approx(many, rel=0.28)
    assert np.mean([np.ptp(with_chance(run)) for run in runs]) > 1.4 * many


@pytest.mark.slow
def test_few_patients_without_queues_do_not_widen_it_either(busy: Scenario) -> None:
    """Of 20 independent patients a draw chance is known without replications; the truth is the exact engine's."""
    free = replace(busy, capacity={}, service=None)
    truth = width(rows(free, parts(free, 200, engine="exact")))
    runs = [parts(free, 200, patients=20, seed=seed) for seed in range(3)]
    assert np.mean([width(rows(free, run)) for run in runs]) == pytest.approx(truth, rel=0.28)
    assert np.mean([np.ptp(with_chance(run)) for run in runs]) > 1.5 * truth


def test_one_replication_does_not_say_what_chance_is(busy: Scenario) -> None:
    of_four, other = (parts(with_beds(busy, beds), 3, replications=1) for beds in (4, 5))
    row = rows(busy, other, of_four)["all", "os_12"]
    assert np.isnan([row["monte_carlo_se"], row["difference_monte_carlo_se"]]).all()
    assert (row["lower"], row["upper"]) == pytest.approx(tuple(with_chance(other))), "the interval holds it"
