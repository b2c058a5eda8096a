"""Outcomes of survival curves, against closed forms and simulated patients."""

import math
from dataclasses import replace

import numpy as np
import pytest

from simulator.arrays import Floats
from simulator.engines.curves import Curves, check_horizon, populations, split_level
from simulator.engines.exact import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.experiment.parts import outcomes_of
from simulator.outcomes import summaries
from simulator.pathway.format import load_pathway
from simulator.pathway.outcome_months import OutcomeMonths
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

OUTCOME_MONTHS = OutcomeMonths((6.0, 12.0, 24.0, 60.0), 12.0)
MONTHS = 0.1 * np.arange(1_201)
RATES = np.array([0.02, 0.1, 0.5])
EXPONENTIAL = np.exp(-RATES[:, None] * MONTHS)
MEANS = -np.diff(EXPONENTIAL) / (0.1 * RATES[:, None])


def test_survival_is_read_at_a_month_and_between_lattice_points() -> None:
    for month, rtol in ((12, 1e-12), (120, 1e-12), (0, 1e-12), (5.03, 1e-6), (0.77, 1e-6)):
        at = summaries.survival_at(MONTHS, EXPONENTIAL, MEANS, month)
        np.testing.assert_allclose(at, np.exp(-month * RATES), rtol=rtol)


def test_survival_between_lattice_points_where_all_die_at_one_instant_does_not_rise() -> None:
    """Of a death at 90 % of the cell from month 1 on, its mean remembers when."""
    alive, means = np.where(MONTHS < 1.05, 1.0, 0.0)[None], np.where(MONTHS[:-1] < 0.95, 1.0, 0.0)[None]
    means[0, 10] = 0.9
    read = [summaries.survival_at(MONTHS, alive, means, month)[0] for month in np.linspace(1.0, 1.1, 21)]
    assert np.all(np.diff(read) <= 0.0)
    assert read[0] == 1.0
    assert read[-1] == 0.0


def curves_of(survival: Floats, patients: int | None = None) -> Curves:
    """Curves that are lines between the months."""
    ones = np.ones(len(survival))
    key = ("main", "all")
    return Curves(
        months=MONTHS,
        survival={key: survival},
        means={key: 0.5 * (survival[:, 1:] + survival[:, :-1])},
        occupancy={"main": {}},
        sizes={"all": ones},
        lifetimes=lambda _, places: [None] * places.size,
        counts={},
        count_variances={},
        patients=patients,
    )


def median(survival: Floats) -> Floats:
    return summaries.median(curves_of(survival), "main", "all")


def noise_of_the_median(survival: Floats, patients: int) -> Floats:
    return summaries.median_noise(curves_of(survival, patients), "main", "all", median(survival))


def restricted(survival: Floats, month: float) -> Floats:
    return summaries.rmst(MONTHS, curves_of(survival).means["main", "all"], month)


def test_outcomes_after_the_horizon_are_unknown() -> None:
    assert np.isnan(summaries.survival_at(MONTHS, EXPONENTIAL, MEANS, 120.5)).all()
    assert np.isnan(summaries.rmst(MONTHS, MEANS, 120.5)).all()


def test_the_restricted_mean_of_an_exponential() -> None:
    """(1 - exp(-r t)) / r."""
    for month in (12, 60, 120, 3.77):
        expected = -np.expm1(-RATES * month) / RATES
        np.testing.assert_allclose(restricted(EXPONENTIAL, month), expected, rtol=3e-4)


def test_the_restricted_mean_without_deaths_and_with_immediate_deaths() -> None:
    np.testing.assert_allclose(restricted(np.ones((1, 1_201)), 60), 60.0)
    np.testing.assert_allclose(restricted(np.zeros((1, 1_201)), 60), 0.0)


def test_the_median_of_an_exponential() -> None:
    np.testing.assert_allclose(median(EXPONENTIAL), math.log(2) / RATES, rtol=1e-3)


def test_a_median_that_is_not_reached_is_infinite_and_without_patients_unknown() -> None:
    assert median(0.55 + 0.45 * EXPONENTIAL[:1])[0] == np.inf
    assert np.isnan(median(np.full((1, 1_201), np.nan))[0])
    assert median(np.zeros((1, 1_201)))[0] == 0.0


@pytest.mark.parametrize("rounding", [-1e-9, 0.0, 1e-9])
def test_survival_that_stays_at_one_half_has_no_median_until_it_falls_again(rounding: float) -> None:
    half = 0.5 + rounding
    assert median(np.where(MONTHS < 7.25, 1.0, half)[None])[0] == np.inf
    later = median(np.where(MONTHS < 7.25, 1.0, np.where(MONTHS < 30.05, half, 0.1))[None])[0]
    assert later == pytest.approx(30.0, abs=1e-6)


def test_sampling_noise_agrees_with_repeated_samples() -> None:
    """Standard deviations over 2,000 repetitions of 400 exponential patients, to a tenth."""
    random = np.random.default_rng(1)
    n = np.array([400.0])
    times = random.exponential(10.0, (2_000, 400))
    truth = np.exp(-MONTHS / 10)[None]
    at_12 = (times > 12).mean(axis=1).std()
    means = curves_of(truth).means["main", "all"]
    alive = summaries.survival_at(MONTHS, truth, means, 12)
    assert summaries.survival_noise(alive, n)[0] == pytest.approx(at_12, rel=0.1)
    to_60 = np.minimum(times, 60).mean(axis=1).std()
    assert summaries.rmst_noise(MONTHS, means, 60, n)[0] == pytest.approx(to_60, rel=0.1)
    middle = np.median(times, axis=1).std()
    assert noise_of_the_median(truth, 400)[0] == pytest.approx(middle, rel=0.1)


def test_noise_of_a_median_not_reached_is_unknown() -> None:
    assert np.isnan(noise_of_the_median(np.ones((1, 1_201)), 100)[0])


def test_a_median_at_which_many_patients_die_has_little_noise() -> None:
    falls = np.where(MONTHS < 7.25, 1.0, 0.2)[None]
    assert noise_of_the_median(falls, 400)[0] < 0.05


def test_the_outcomes_of_a_curve_have_their_names_and_units() -> None:
    outcomes = summaries.of_survival(curves_of(EXPONENTIAL), "main", "all", OUTCOME_MONTHS)
    assert list(outcomes) == ["os_6", "os_12", "os_24", "os_60", "median_os", "rmst_12", "rmst_60"]
    for name, (unit, values, noise) in outcomes.items():
        assert unit == ("probability" if name.startswith("os_") else "months")
        assert values.shape == noise.shape == (3,)
        np.testing.assert_array_equal(noise, 0.0)
    np.testing.assert_allclose(outcomes["os_24"][1], np.exp(-24 * RATES))


def test_simulated_outcomes_agree_with_exact_ones_within_their_noise() -> None:
    """Five standard errors; the microsimulation of 50,000 patients, every population and outcome."""
    model = resolve(load_scenario("baseline"))
    solved = engine.curves(model, 120.0)
    simulated = microsim.curves(model, 120.0, patients=50_000, uniforms=Uniforms(1))
    for clock in ("relapse", "infusion"):
        for population in populations(model.pathway):
            truth = summaries.of_survival(solved, clock, population, OUTCOME_MONTHS)
            for name, (_, values, noise) in summaries.of_survival(simulated, clock, population, OUTCOME_MONTHS).items():
                expected = truth[name][1]
                if np.isfinite(expected).all() and np.isfinite(noise).all():
                    assert abs(values - expected) < 5 * noise + 2e-3, (clock, population, name)


def test_counts_are_shown_per_hundred_with_their_noise() -> None:
    model = resolve(load_scenario("baseline"))
    solved = summaries.of_counts(engine.curves(model, 120.0), model.pathway)
    simulated = summaries.of_counts(microsim.curves(model, 120.0, patients=50_000, uniforms=Uniforms(1)), model.pathway)
    assert list(solved) == list(model.pathway.counts)
    assert solved["salvage_courses"][1] == pytest.approx(48.6)
    for name, (unit, values, noise) in simulated.items():
        assert unit == model.pathway.counts[name].unit
        assert abs(values - solved[name][1]) < 5 * noise
        assert solved[name][2] == 0.0


def test_survivors_gained_per_ten_more_treated_are_a_ratio_of_differences() -> None:
    """39.4 more of 100 treated and 26 more alive at 12 months: 6.6 per ten; where no more are treated, unknown."""
    baseline, other, treated = np.array([0.35, 0.35]), np.array([0.61, 0.37]), np.array([0.88, 0.486])
    outcomes = summaries.survivors_per_10(other, baseline, treated, np.array([0.486, 0.486]))
    assert outcomes[0] == pytest.approx(2.6 / 0.394)
    assert np.isnan(outcomes[1])


def test_the_treated_group_is_the_patients_who_take_the_treated_branch() -> None:
    pathway = load_pathway("b_all_post_cd19")
    assert summaries.treated_group(pathway) == "treated"
    treated = pathway.groups["treated"]
    never_hsct = {"never_hsct": replace(treated, name="never_hsct", not_entered=("hsct",))}
    assert summaries.treated_group(replace(pathway, groups=never_hsct | dict(pathway.groups))) == "treated"
    assert summaries.treated_group(replace(pathway, groups={})) is None
    assert summaries.treated_group(load_pathway("three_state")) is None


def test_populations_are_all_patients_the_groups_and_the_levels() -> None:
    pathway = load_pathway("b_all_post_cd19")
    outcomes = populations(pathway)
    assert outcomes[:5] == ["all", "treated", "untreated", "hsct", "other_treated"]
    assert split_level(pathway, "cd19=unknown") == ("cd19", "unknown")
    for unknown in ("cd19=unknwon", "cd20=positive", "everybody"):
        with pytest.raises(InputError, match="unknown population"):
            split_level(pathway, unknown)


@pytest.mark.parametrize("horizon", [0.0, -1.0, math.nan, math.inf, 1e9])
def test_an_invalid_horizon_is_refused(horizon: float) -> None:
    with pytest.raises(InputError, match="no horizon"):
        check_horizon(horizon)
    model = resolve(Scenario("x", load_pathway("three_state")))
    with pytest.raises(InputError, match="no horizon"):
        engine.curves(model, horizon)
    with pytest.raises(InputError, match="no horizon"):
        microsim.curves(model, horizon, patients=10, uniforms=Uniforms(1))


def test_the_noise_of_a_single_patient_is_unknown() -> None:
    one_patient, two_patients = (np.array([n]) for n in (1.0, 2.0))
    truth = np.exp(-0.1 * MONTHS)[None]
    for noise in (
        lambda n: summaries.survival_noise(truth, n)[:, 60],
        lambda n: summaries.rmst_noise(MONTHS, truth[:, 1:], 12, n),
        lambda n: noise_of_the_median(truth, int(n[0])),
    ):
        assert np.isnan(noise(one_patient)).all()
        assert np.isfinite(noise(two_patients)).all()


@pytest.mark.parametrize("patients", [1, 300])
def test_outcomes_read_of_all_populations_at_once_are_those_of_each_alone(patients: int) -> None:
    model = resolve(load_scenario("baseline"))
    simulated = microsim.curves(model, 36.0, patients=patients, uniforms=Uniforms(1))
    for (clock, population), together in outcomes_of(simulated, model.pathway).items():
        alone = summaries.of_survival(simulated, clock, population, model.pathway.months)
        alone |= summaries.of_end_points(simulated, clock, population, model.pathway)
        for name, (unit, values, noise) in alone.items():
            assert together[name][0] == unit
            np.testing.assert_array_equal(together[name][1:], (values, noise), err_msg=f"{population} {name}")
