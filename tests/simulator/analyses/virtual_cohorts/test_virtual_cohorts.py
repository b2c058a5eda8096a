"""Virtual cohorts against theory: exact binomials, Schoenfeld's formula, the level of a test."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sojourn_times import exponential, weibull
from worlds import load, scenario, sojourn, two_state, world

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime, immortal_time
from simulator.analyses.virtual_cohorts.patients import Hospital
from simulator.analyses.virtual_cohorts.power import VirtualCohorts, power_of, variation_between, virtual_cohorts
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.engines.exact import engine as exact
from simulator.engines.model import resolve
from simulator.evidence.draws import load_draws
from simulator.outcomes.kaplan_meier import kaplan_meier
from simulator.outcomes.uncertainty import of_means
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording import virtual_cohorts as answers

DEATH_BY_WEIBULL = weibull(shape=1.3, median=6)
FALSE_ALARM = 1e-6


def arms(pathway: Pathway, ratio: float) -> tuple[Scenario, Scenario]:
    return Scenario("one", pathway), Scenario("other", pathway, hazard_ratio={"ill.dead": ratio})


@pytest.mark.parametrize("ratio", [0.5])
def test_power_agrees_with_schoenfeld_if_hazards_are_proportional(ratio: float) -> None:
    """power = Phi(sqrt(D) |log HR| / 2 - z), D the expected deaths in both arms (Schoenfeld 1981, Biometrika 68:316).

    An approximation, by five points at most here; and 5 standard errors of 300 comparisons.
    """
    pathway = load(two_state(DEATH_BY_WEIBULL))
    results = virtual_cohorts(*arms(pathway, ratio), settings=Settings(n=40, cohorts=300, horizon=13.0))
    assert results.power is not None
    for row in results.power.to_dict("records"):
        n = row["patients_an_arm"]
        hazard = math.log(2) * (13.0 / 6.0) ** 1.3
        deaths = n * (2 - math.exp(-hazard) - math.exp(-ratio * hazard))
        expected = stats.norm.cdf(math.sqrt(deaths) * abs(math.log(ratio)) / 2 - stats.norm.isf(0.025))
        assert abs(row["power"] - expected) < 0.05 + 5 * math.sqrt(expected * (1 - expected) / 300), n


def test_five_percent_of_comparisons_of_equal_policies_are_significant() -> None:
    """The test's level, at a false alarm of 10^-6 a size: an exact binomial of 400 comparisons, and 0.015 for small
    arms, where the test's own level is a little off."""
    scenario_of_arm, _ = arms(load(two_state(DEATH_BY_WEIBULL)), 1.0)
    settings = Settings(n=20, cohorts=400, horizon=24.0)
    results = virtual_cohorts(scenario_of_arm, replace(scenario_of_arm, name="the same"), settings=settings)
    assert results.power is not None
    for power in results.power["power"]:
        lower, upper = stats.binom.interval(1 - FALSE_ALARM, 400, 0.05)
        assert lower / 400 - 0.015 < power < upper / 400 + 0.015


def test_arms_have_different_patients_and_estimates_of_a_policy_the_same() -> None:
    hospital = Hospital(arms(load(two_state(DEATH_BY_WEIBULL)), 1.0)[0], None, None, 60.0, 1, "microsim")
    first, second = (hospital.patients(2_000, 1, replication) for replication in (0, 1))
    correlation = stats.spearmanr(first.seen, second.seen).statistic
    assert abs(correlation) < 5 / math.sqrt(2_000)
    results = virtual_cohorts(
        load_scenario("baseline"), load_scenario("wider-salvage"), settings=Settings(n=30, cohorts=4, draws=2)
    )
    assert [scenario.name for scenario in results.scenarios] == ["baseline", "wider-salvage", "wider-salvage@cohorts"]


def test_survivors_of_a_cohort_are_binomial_with_the_exact_probability() -> None:
    """12-month OS of 2,000 cohorts of 37 at one draw: a chi-square test of the counts, and Greenwood's error."""
    base = load_scenario("baseline")
    results = virtual_cohorts(base, settings=Settings(cohorts=2_000, draws=1))
    parameters = {name: float(value) for name, value in load_draws(base.pathway).iloc[0].items()}  # type: ignore[union-attr]
    p = float(exact.curves(resolve(base, parameters), 12.0).survival["relapse", "all"][0, -1])
    alive = np.rint(37 * results.cohorts["survival"]).astype(int)
    observed, expected = np.bincount(alive, minlength=38), 2_000 * stats.binom.pmf(np.arange(38), 37, p)
    common = expected > 5
    observed, expected = (
        np.append(observed[common], observed[~common].sum()),
        np.append(expected[common], expected[~common].sum()),
    )
    assert stats.chisquare(observed, expected).pvalue > FALSE_ALARM
    assert results.variation["sampling"] == pytest.approx(math.sqrt(p * (1 - p) / 37), rel=0.08)
    assert results.variation["standard_error"] == pytest.approx(results.variation["sampling"], rel=0.08)
    assert math.isnan(results.variation["parameters"])
    # The printed 35 +- 8 % is of this size: 13 of 37.
    assert answers.reported_error(results) == pytest.approx(0.0785, abs=5e-5)


def test_follow_up_is_uniform_between_28_and_74_7_months() -> None:
    base = load_scenario("no-hsct")
    follow_up = (28.0, 74.7)
    patients = Hospital(base, load_draws(base.pathway), follow_up, 120.0, 3, "microsim").patients(20_000, 1)
    ends = patients.seen[~patients.died]
    assert ends.min() >= 28.0
    # Ends of follow-up are uniform over all patients; survivors have fewer late ends, by deaths after month 28.
    u = Uniforms(3, 1).at("follow-up", np.arange(20_000))
    assert stats.kstest(u, "uniform").pvalue > FALSE_ALARM
    assert set(ends) <= set(28.0 + 46.7 * u) or np.isin(ends, 28.0 + (74.7 - 28.0) * u).all()
    curve = kaplan_meier(patients.alive(slice(None)))
    parameters = {name: float(value) for name, value in load_draws(base.pathway).iloc[0].items()}  # type: ignore[union-attr]
    solved = exact.curves(resolve(base, parameters), 60.0)
    for month in (6.0, 24.0, 50.0):
        expected = float(solved.survival["relapse", "all"][0, round(month / (solved.months[1] - solved.months[0]))])
        assert abs(float(curve.at(month)) - expected) < 5 * float(curve.standard_error(month))


def test_microsim_and_des_simulate_the_same_cohorts() -> None:
    hospitals = [
        Hospital(load_scenario("hsct-as-milestone"), None, (28.0, 74.7), 120.0, 1, engine, frozenset({"hsct"}))
        for engine in ("microsim", "des")
    ]
    by_microsim, by_des = (hospital.patients(200, 1) for hospital in hospitals)
    np.testing.assert_allclose(by_microsim.seen, by_des.seen, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(by_microsim.died, by_des.died)
    np.testing.assert_allclose(by_microsim.entered["hsct"], by_des.entered["hsct"], rtol=0, atol=1e-9)


def test_a_cohort_includes_only_patients_who_start_the_clock() -> None:
    states = {"well": sojourn(ill=exponential(mean=5), dead=exponential(mean=1)), "ill": sojourn(dead=DEATH_BY_WEIBULL)}
    before = scenario(world("well", states, clocks={"ill": "ill"}))
    patients = Hospital(before, None, None, 60.0, 1, "microsim").patients(3_000, 1)
    assert patients.seen.size == 3_000
    middle = float(np.median(patients.seen))
    assert middle == pytest.approx(6.0, abs=0.6)


def test_variation_of_parameters_is_separated_from_sampling() -> None:
    """Known components: a standard deviation of 0.1 between draws, and of 0.07 between cohorts of a draw."""
    random = np.random.default_rng(1)
    draws = 400
    centre = random.normal(0.4, 0.1, draws)
    rows = [(d, centre[d] + random.normal(0, 0.07)) for d in range(draws) for _ in range(5)]
    table = pd.DataFrame(rows, columns=["draw", "survival"]).assign(standard_error=0.07)
    variation = variation_between(table)
    assert variation["sampling"] == pytest.approx(0.07, rel=0.1)
    assert variation["parameters"] == pytest.approx(0.1, rel=0.15)
    summary = of_means(centre + random.normal(0, 0.07, draws), np.full(draws, 0.07**2))
    assert float(summary.upper - summary.lower) / (2 * 1.96) == pytest.approx(0.1, rel=0.15)


def test_a_power_that_is_equal_in_all_draws_has_an_error_and_no_interval() -> None:
    random = np.random.default_rng(2)
    power = power_of([random.uniform(size=30) < 0.6 for _ in range(50)])
    assert power["monte_carlo_se"] == pytest.approx(math.sqrt(0.24 / 1_500), rel=0.1)
    assert math.isnan(power["lower"])
    assert math.isnan(power["upper"])


@pytest.fixture(scope="module")
def immortal() -> ImmortalTime:
    return immortal_time(load_scenario("hsct-as-milestone"), settings=Settings(cohorts=240, draws=24))


def test_the_letters_difference_appears_although_hsct_changes_nothing(immortal: ImmortalTime) -> None:
    """80 % against 63 %: naive groups of this world differ nearly as much, and those of a third of cohorts do."""
    first = immortal.analyses.iloc[0]
    assert immortal.reported == pytest.approx(8 / 10 - 5 / 8)
    assert first["analysis"] == "naive"
    assert first["difference"] > 0.12
    assert first["as_large_as_reported"] > 0.35


def test_relapse_free_survival_from_response_shows_no_difference(immortal: ImmortalTime) -> None:
    """Within 5 Monte Carlo errors of 0 by a landmark and by Simon & Makuch, and far beyond by the naive groups."""
    rows = immortal.analyses[immortal.analyses["clock"] == "complete_response"].set_index(["analysis", "begins"])
    for key, row in rows.iterrows():
        noise = row["difference_monte_carlo_se"]
        if key == ("naive", 0.0):
            assert row["difference"] > 5 * noise
        else:
            assert abs(row["difference"]) < 5 * noise, key
    simon_makuch = rows.loc[("simon_makuch", 0.0)]
    assert simon_makuch["significant"] < 0.05 + 5 * math.sqrt(0.05 * 0.95 / simon_makuch["cohorts"])


def test_the_share_that_agrees_on_the_sign_is_of_parameter_sets_and_of_cohorts() -> None:
    """One cohort a set, so that both are alike: set k has the difference k m_k - (k - 1) m_(k-1), m_k that of k."""
    sets = range(1, 5)
    tables = [
        immortal_time(load_scenario("baseline"), landmarks=[3.0], settings=Settings(n=60, cohorts=k, draws=k)).analyses
        for k in sets
    ]
    total = np.array([k * table["difference"] for k, table in zip(sets, tables, strict=True)])
    differences = np.diff(total, axis=0, prepend=0.0)
    known = np.isfinite(differences).all(axis=0)
    assert known.any()
    agree = (np.sign(differences) == np.sign(total[-1])).mean(axis=0)[known]
    assert 0.0 < agree.min() < agree.max()
    for column in ("difference_same_sign", "cohort_same_sign"):
        np.testing.assert_allclose(tables[-1][column][known], agree)
    assert tables[0]["difference_same_sign"].isna().all(), "one set has no other to agree with"


def test_the_answer_starts_with_the_bias(immortal: ImmortalTime) -> None:
    text = answers.immortal_time(immortal)
    assert text.startswith("Where HSCT after relapse changes nothing, ")
    assert "saved none of them" in text
    assert "show the reported difference of 17.5 percentage points or more" in text


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes(work_by_other_processes: None) -> None:
    results: list[VirtualCohorts] = [
        virtual_cohorts(load_scenario("baseline"), settings=Settings(n=10, cohorts=6, draws=3, jobs=jobs))
        for jobs in (1, 2)
    ]
    pd.testing.assert_frame_equal(results[0].cohorts, results[1].cohorts)
