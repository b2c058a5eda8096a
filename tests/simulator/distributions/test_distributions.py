"""Sojourn times, held against scipy.stats, closed forms and quadrature of the hazard."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from simulator.distributions import FAMILIES, build

pytestmark = pytest.mark.filterwarnings("error")

LOG_2 = np.log(2.0)
TAIL = -np.log(1e-300)


def prentice(mu: float, sigma: float, q: float) -> Any:
    """scipy's generalised gamma (Stacy's) in Prentice's parameters."""
    return stats.gengamma(q**-2, q / sigma, scale=np.exp(mu) * abs(q) ** (2.0 * sigma / q))


EVERY_PARAMETRISATION = [
    ("exponential", {"rate": 0.3}, stats.expon(scale=1 / 0.3)),
    ("exponential", {"mean": 9.0}, stats.expon(scale=9.0)),
    ("exponential", {"median": 4.0}, stats.expon(scale=4.0 / LOG_2)),
    ("weibull", {"shape": 1.3, "scale": 9.0}, stats.weibull_min(1.3, scale=9.0)),
    ("weibull", {"shape": 1.0, "scale": 9.0}, stats.weibull_min(1.0, scale=9.0)),
    ("weibull", {"shape": 2.0, "scale": 9.0}, stats.weibull_min(2.0, scale=9.0)),
    ("weibull", {"shape": 0.5, "scale": 9.0}, stats.weibull_min(0.5, scale=9.0)),
    ("weibull", {"shape": 0.7, "median": 4.0}, stats.weibull_min(0.7, scale=4.0 / LOG_2 ** (1 / 0.7))),
    ("weibull", {"shape": 0.7, "mean": 4.0}, stats.weibull_min(0.7, scale=4.0 / special.gamma(1 + 1 / 0.7))),
    ("gamma", {"shape": 2.5, "rate": 0.4}, stats.gamma(2.5, scale=2.5)),
    ("gamma", {"shape": 0.3, "scale": 7.0}, stats.gamma(0.3, scale=7.0)),
    ("gamma", {"shape": 40.0, "mean": 5.0}, stats.gamma(40.0, scale=0.125)),
    ("lognormal", {"sigma": 0.8, "mu": 1.2}, stats.lognorm(0.8, scale=np.exp(1.2))),
    ("lognormal", {"sigma": 2.0, "median": 6.0}, stats.lognorm(2.0, scale=6.0)),
    ("loglogistic", {"shape": 1.4, "scale": 6.0}, stats.fisk(1.4, scale=6.0)),
    ("loglogistic", {"shape": 0.6, "median": 6.0}, stats.fisk(0.6, scale=6.0)),
    ("gompertz", {"shape": 0.05, "rate": 0.02}, stats.gompertz(0.02 / 0.05, scale=1 / 0.05)),
    ("gompertz", {"shape": 0.0, "rate": 0.02}, stats.expon(scale=50.0)),
    ("generalised_gamma", {"mu": 1.1, "sigma": 0.7, "q": 0.6}, prentice(1.1, 0.7, 0.6)),
    ("generalised_gamma", {"mu": 1.1, "sigma": 0.7, "q": 2.5}, prentice(1.1, 0.7, 2.5)),
    ("generalised_gamma", {"mu": 1.1, "sigma": 0.7, "q": -0.6}, prentice(1.1, 0.7, -0.6)),
    ("generalised_gamma", {"mu": 1.1, "sigma": 0.7, "q": -2.5}, prentice(1.1, 0.7, -2.5)),
    ("generalised_gamma", {"mu": 1.1, "sigma": 0.7, "q": 0.0}, stats.lognorm(0.7, scale=np.exp(1.1))),
    ("piecewise_exponential", {"breaks": [], "rates": [0.3]}, stats.expon(scale=1 / 0.3)),
]  # fmt: skip
# The survival of these two comes out as 0 in scipy; their tails have closed forms below.
SCIPY_HAS_THE_TAIL = [x for x in EVERY_PARAMETRISATION if x[0] != "loglogistic" and x[1].get("q") != -2.5]
THREE_CELLS: dict[str, dict[str, Any]] = {
    "exponential": {"mean": np.array([1.0, 9.0, 0.0])},
    "weibull": {"shape": np.array([0.7, 1.0, 2.0]), "median": np.array([1.0, 9.0, 4.0])},
    "gamma": {"shape": np.array([0.7, 1.0, 20.0]), "mean": 4.0},
    "lognormal": {"sigma": 1.1, "median": np.array([1.0, 9.0, 4.0])},
    "loglogistic": {"shape": np.array([0.7, 1.0, 2.0]), "scale": 3.0},
    "gompertz": {"shape": np.array([-0.1, 0.0, 0.2]), "rate": np.array([0.1, 0.2, 0.0])},
    "generalised_gamma": {"mu": 1.0, "sigma": 0.6, "q": np.array([-0.5, 0.0, 0.8])},
    "piecewise_exponential": {"breaks": [1.0, 4.0], "rates": [0.5, np.array([0.1, 0.0, 0.7]), 0.2]},
    "fixed": {"months": np.array([1.0, 0.0, 3.0])},
}
CURE, HAZARD_RATIO, AFTER = np.array([0.0, 0.3, 1.0]), np.array([1.0, 0.0, 2.5]), np.array([0.0, 1.25, 4.0])
TIMES = np.array([-1.0, 0.0, 1e-9, 0.5, 1.0, 3.0, 4.0, 25.0, 1e9, np.inf])
EXPOSURES = np.array([0.0, 1e-300, 1e-9, 0.2, 1.0, 4.0, 40.0, 690.0, 1e5, np.inf])


def test_every_family_is_held_against_another_formula_and_against_its_own_inverse() -> None:
    """A fixed time has no density: its tests are literal."""
    assert {family for family, *_ in EVERY_PARAMETRISATION} | {"fixed"} == set(FAMILIES)
    assert {*PARAMETERS, "fixed"} == set(THREE_CELLS) == set(FAMILIES)


def of_cell(parameters: Mapping[str, Any], cell: int) -> dict[str, Any]:
    def picked(value: Any) -> Any:
        if isinstance(value, list):
            return [picked(member) for member in value]
        return value[cell] if isinstance(value, np.ndarray) else value

    return {key: picked(value) for key, value in parameters.items()}


@pytest.mark.parametrize(("family", "parameters", "reference"), EVERY_PARAMETRISATION)
def test_every_parametrisation_is_scipys_distribution(family: str, parameters: dict[str, Any], reference: Any) -> None:
    sojourn = build(family, parameters)
    u = np.array([1e-9, 1e-4, 0.05, 0.25, 0.5, 0.75, 0.95, 0.9999])
    times = reference.ppf(u)
    assert_allclose(sojourn.ppf(u), times, rtol=1e-9)
    assert_allclose(sojourn.cdf(times), u, rtol=1e-9)
    assert_allclose(sojourn.survival(times), reference.sf(times), rtol=1e-9)
    assert_allclose(sojourn.cumulative_hazard(times)[1:], -reference.logsf(times)[1:], rtol=1e-9)
    assert_allclose(sojourn.median(), reference.median(), rtol=1e-9)
    assert_allclose(sojourn.spread(), reference.ppf(0.75) - reference.ppf(0.25), rtol=1e-9)


@pytest.mark.parametrize(("family", "parameters", "reference"), SCIPY_HAS_THE_TAIL)
def test_one_patient_in_1e300_is_still_shown_correctly(family: str, parameters: dict[str, Any], reference: Any) -> None:
    time = build(family, parameters).inverse_cumulative_hazard(TAIL)
    assert_allclose(np.log(reference.sf(time)), -TAIL, rtol=1e-9)
    assert_allclose(build(family, parameters).cumulative_hazard(time), TAIL, rtol=1e-9)


@pytest.mark.parametrize("family", ["exponential", "weibull", "gamma"])
def test_a_reported_mean_is_the_area_under_the_survival_curve(family: str) -> None:
    sojourn = build(family, {"mean": 7.0} if family == "exponential" else {"mean": 7.0, "shape": 1.6})
    area, _ = integrate.quad(sojourn.survival, 0.0, np.inf)
    assert area == pytest.approx(7.0, rel=1e-8)


def test_beyond_the_smallest_number_a_gamma_keeps_its_exact_tail() -> None:
    # An Erlang of three stages: S = e^-x (1 + x + x^2 / 2).
    x = np.array([600.0, 700.0, 5e3, 1e6])
    hazards = x - np.log1p(x + x**2 / 2)
    sojourn = build("gamma", {"shape": 3.0, "scale": 2.0})
    assert_allclose(sojourn.cumulative_hazard(2.0 * x), hazards, rtol=1e-12)
    assert_allclose(sojourn.inverse_cumulative_hazard(hazards), 2.0 * x, rtol=1e-12)


@pytest.mark.parametrize("q", [-1.0, -2.5])
def test_beyond_the_smallest_number_a_generalised_gamma_keeps_its_exact_tail(q: float) -> None:
    # P(a, w) -> w^a / Gamma(a + 1) for small w, here with a = q^-2 and w = a t^(q / sigma).
    times = np.array([1e10, 1e20, 1e100])
    hazards = special.gammaln(q**-2 + 1.0) - q**-2 * (np.log(q**-2) + q / 0.05 * np.log(times))
    sojourn = build("generalised_gamma", {"mu": 0.0, "sigma": 0.05, "q": q})
    assert_allclose(sojourn.cumulative_hazard(times), hazards, rtol=1e-12)
    assert_allclose(sojourn.inverse_cumulative_hazard(hazards), times, rtol=1e-9)


def test_a_log_logistic_tail_is_a_power_of_time() -> None:
    times = np.array([1e20, 1e100, 1e250])
    sojourn = build("loglogistic", {"shape": 9.0, "scale": 2.0})
    assert_allclose(sojourn.cumulative_hazard(times), 9.0 * np.log(times / 2.0), rtol=1e-12)
    assert_allclose(sojourn.inverse_cumulative_hazard(9.0 * np.log(times / 2.0)), times, rtol=1e-9)


def test_a_generalised_gamma_has_the_weibull_the_gamma_and_the_log_normal_as_members() -> None:
    times = np.array([0.01, 0.5, 2.0, 9.0, 30.0])
    for q, family, parameters in (
        (1.0, "weibull", {"shape": 1 / 0.4, "scale": np.exp(1.3)}),
        (0.4, "gamma", {"shape": 0.4**-2, "mean": np.exp(1.3)}),
        (0.0, "lognormal", {"sigma": 0.4, "mu": 1.3}),
    ):
        member = build("generalised_gamma", {"mu": 1.3, "sigma": 0.4, "q": q})
        assert_allclose(member.cumulative_hazard(times), build(family, parameters).cumulative_hazard(times), 1e-10)


@pytest.mark.parametrize("q", [0.0019, -0.0019, 3e-4, -3e-4])
def test_a_nearly_log_normal_generalised_gamma_is_not_taken_for_log_normal(q: float) -> None:
    # Within 4.4 standard deviations SciPy's own incomplete gamma function is good to 1e-11 at these shapes.
    z = np.linspace(-4.4, 4.4, 23)
    sojourn = build("generalised_gamma", {"mu": 0.0, "sigma": 1.0, "q": q})
    w = q**-2 * np.exp(q * z)
    survival = special.gammaincc(q**-2, w) if q > 0 else special.gammainc(q**-2, w)
    assert_allclose(sojourn.survival(np.exp(z)), survival, rtol=2e-8)
    assert np.abs(sojourn.survival(np.exp(z)) / special.ndtr(-z) - 1.0).max() > abs(q)


def test_an_improper_gompertz_is_its_hazard_integrated_and_leaves_some_behind() -> None:
    sojourn = build("gompertz", {"shape": -0.2, "rate": 0.1})
    for time in (0.5, 3.0, 20.0, 80.0):
        exposure, _ = integrate.quad(lambda t: 0.1 * np.exp(-0.2 * t), 0.0, time)
        assert_allclose(sojourn.cumulative_hazard(time), exposure, rtol=1e-9)
        assert_allclose(sojourn.inverse_cumulative_hazard(exposure), time, rtol=1e-6)
    assert sojourn.survival(np.inf) == pytest.approx(np.exp(-0.5), rel=1e-12)
    assert_array_equal(sojourn.inverse_cumulative_hazard([0.5001, 0.7, 50.0, np.inf]), np.inf)
    assert_array_equal(sojourn.median(), np.inf)


def test_a_piecewise_hazard_of_many_pieces_is_its_steps_integrated() -> None:
    breaks = np.cumsum(np.linspace(0.1, 1.0, 40))
    rates = 0.05 + np.sin(np.arange(41.0)) ** 2
    sojourn = build("piecewise_exponential", {"breaks": list(breaks), "rates": list(rates)})
    for time in (0.03, 0.1, 5.0, float(breaks[20]), 30.0):
        exposure, _ = integrate.quad(
            lambda t: rates[np.searchsorted(breaks, t)], 0.0, time, points=breaks[breaks < time], limit=200
        )
        assert_allclose(sojourn.cumulative_hazard(time), exposure, rtol=1e-9)
        assert_allclose(sojourn.inverse_cumulative_hazard(exposure), time, rtol=1e-9)


def test_nobody_leaves_in_a_piece_without_hazard() -> None:
    sojourn = build("piecewise_exponential", {"breaks": [2.0, 5.0, 6.0], "rates": [0.0, 0.5, 0.0, 0.0]})
    assert_allclose(sojourn.cumulative_hazard([1.0, 2.0, 4.0, 5.0, 5.5, np.inf]), [0, 0, 1.0, 1.5, 1.5, 1.5])
    assert_allclose(sojourn.inverse_cumulative_hazard([0.0, 1e-12, 1.5, 1.50001]), [0.0, 2.0, 5.0, np.inf])


def test_everybody_leaves_a_fixed_sojourn_at_its_end() -> None:
    sojourn = build("fixed", {"months": 2.5})
    assert_array_equal(sojourn.survival([-1.0, 0.0, 2.4999, 2.5, np.inf]), [1, 1, 1, 0, 0])
    assert_array_equal(sojourn.ppf([0.0, 0.3, 1.0]), 2.5)
    assert sojourn.atom == 2.5
    assert sojourn.spread() == 0.0
    assert build("exponential", {"mean": 2.5}).atom is None


@pytest.mark.parametrize("cure", [0.0, 1e-12, 1e-5, 0.02, 0.4, 0.999])
@pytest.mark.parametrize("hazard_ratio", [0.01, 0.6, 1.0, 30.0])
def test_cure_and_hazard_ratio_act_on_survival_in_that_order(cure: float, hazard_ratio: float) -> None:
    sojourn = build("weibull", {"shape": 1.3, "scale": 9.0}, cure=cure, hazard_ratio=hazard_ratio)
    times = np.array([0.0, 1e-8, 0.1, 3.0, 9.0, 40.0, 150.0])
    uncured = np.exp(-((times / 9.0) ** 1.3))
    assert_allclose(sojourn.survival(times), (cure + (1.0 - cure) * uncured) ** hazard_ratio, rtol=1e-11)
    assert_allclose(sojourn.inverse_cumulative_hazard(sojourn.cumulative_hazard(times[1:5])), times[1:5], rtol=1e-9)
    # Early on everybody is at risk: H = ratio (1 - cure) H0 to first order.
    early = hazard_ratio * (1.0 - cure) * (1e-8 / 9.0) ** 1.3
    assert_allclose(sojourn.cumulative_hazard(1e-8), early, rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cured_patient_never_leaves_and_the_others_leave_as_before(family: str) -> None:
    parameters = of_cell(THREE_CELLS[family], 0)
    plain, cured = build(family, parameters), build(family, parameters, cure=0.3)
    u = np.array([0.0, 0.1, 0.5, 0.6])
    leaving = plain.cdf(np.inf)
    assert_allclose(cured.ppf(0.7 * u), plain.ppf(u), rtol=1e-9)
    assert_array_equal(cured.ppf([0.7 * leaving + 1e-9, 0.8, 0.999, 1.0]), np.inf)
    assert_allclose(cured.survival(np.inf), 1.0 - 0.7 * leaving)
    assert_allclose(cured.spread(), plain.spread(), rtol=1e-9)


def test_a_tail_far_beyond_the_cure_of_one_cell_is_kept_in_another() -> None:
    sojourn = build("weibull", {"shape": 1.0, "scale": 1.0}, cure=np.array([0.0, 1e-20, 0.5])).columns()
    hazards = sojourn.cumulative_hazard([30.0, 45.0, 1e4])
    assert_allclose(hazards[0], [30.0, 45.0, 1e4], rtol=1e-12)
    assert_allclose(hazards[1], -np.log(np.exp([-30.0, -45.0, -1e4]) + 1e-20), rtol=1e-12)
    assert_allclose(hazards[2], LOG_2, rtol=1e-9)
    assert_allclose(sojourn.inverse_cumulative_hazard([30.0, 1e4])[0], [30.0, 1e4], rtol=1e-12)


def test_a_cured_fixed_sojourn_is_a_step_whose_height_is_the_uncured_share() -> None:
    cured = build("fixed", {"months": 2.5}, cure=0.3)
    stronger = build("fixed", {"months": 2.5}, cure=0.3, hazard_ratio=2.0)
    for sojourn, stay in ((cured, 0.3), (stronger, 0.09)):
        assert sojourn.atom == 2.5
        assert_allclose(sojourn.survival([2.4999, 2.5, np.inf]), [1.0, stay, stay])
        assert_array_equal(sojourn.ppf([0.0, 0.999 - stay, 1.001 - stay]), [2.5, 2.5, np.inf])
        assert sojourn.spread() == 0.0
    unmoved = build("fixed", {"months": 2.5}, hazard_ratio=0.0)
    assert unmoved.atom == 2.5
    assert_array_equal(unmoved.survival([2.5, np.inf]), 1.0)


# --- Hazard ratios by period since entry ---

BY_PERIOD: dict[str, Any] = {"hazard_ratio": [0.5, 0.0, 3.0], "breaks": [2.0, 5.0]}


def test_an_exponential_with_ratios_by_period_is_piecewise_exponential() -> None:
    sojourn = build("exponential", {"rate": 0.3}, **BY_PERIOD)
    piecewise = build("piecewise_exponential", {"breaks": [2.0, 5.0], "rates": [0.15, 0.0, 0.9]})
    for method, values in (("cumulative_hazard", TIMES), ("inverse_cumulative_hazard", EXPOSURES)):
        assert_allclose(getattr(sojourn, method)(values), getattr(piecewise, method)(values), rtol=1e-14)


@pytest.mark.representatives(9)
@pytest.mark.parametrize(("family", "parameters", "reference"), SCIPY_HAS_THE_TAIL)
def test_a_hazard_ratio_by_period_multiplies_the_hazard_of_its_period(
    family: str, parameters: dict[str, Any], reference: Any
) -> None:
    sojourn = build(family, parameters, hazard_ratio=[2.0, 0.5, 4.0], breaks=[1.5, 6.0])
    reached = 0.0
    for ratio, start, end in ((2.0, 0.0, 1.5), (0.5, 1.5, 6.0), (4.0, 6.0, 9.0)):
        # Over the cube root, smooth where a hazard is infinite at 0.
        hazard, _ = integrate.quad(
            lambda root: 3 * root**2 * reference.pdf(root**3) / reference.sf(root**3),
            np.cbrt(start), np.cbrt(end), epsrel=1e-11,
        )  # fmt: skip
        reached += ratio * hazard
        assert_allclose(sojourn.cumulative_hazard(end), reached, rtol=1e-8)
        assert_allclose(sojourn.inverse_cumulative_hazard(reached), end, rtol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("cure", [None, 0.3])
def test_one_ratio_in_every_period_is_a_constant_ratio(family: str, cure: float | None) -> None:
    parameters = of_cell(THREE_CELLS[family], 0)
    constant = build(family, parameters, cure=cure, hazard_ratio=0.7)
    by_period = build(family, parameters, cure=cure, hazard_ratio=[0.7, 0.7, 0.7], breaks=[0.4, 2.0])
    assert_allclose(by_period.cumulative_hazard(TIMES), constant.cumulative_hazard(TIMES), rtol=1e-12)
    assert_allclose(by_period.inverse_cumulative_hazard(EXPOSURES), constant.inverse_cumulative_hazard(EXPOSURES), 1e-9)


@pytest.mark.parametrize(
    ("months", "breaks", "ratios", "stay"),
    [
        (2.5, [3.0], [2.0, 1.0], 0.3**2),
        (2.5, [2.5], [2.0, 1.0], 0.3),
        (2.5, [2.0], [2.0, 0.5], 0.3**0.5),
        (2.5, [1.0, 3.0], [1.0, 0.0, 5.0], 1.0),
        (0.0, [3.0], [0.0, 2.0], 1.0),
    ],
)
def test_a_fixed_sojourn_has_the_ratio_of_the_period_in_which_it_ends(
    months: float, breaks: list[float], ratios: list[float], stay: float
) -> None:
    cured = build("fixed", {"months": months}, cure=0.3, hazard_ratio=ratios, breaks=breaks)
    everybody = build("fixed", {"months": months}, hazard_ratio=ratios, breaks=breaks)
    assert cured.atom == months
    assert_allclose(cured.survival([-1.0, 2.4999, 2.5, 9.0, np.inf]), [1.0, 1.0, stay, stay, stay])
    assert_array_equal(everybody.survival([2.5, 9.0]), float(stay == 1.0))
    gone = 1.0 - stay
    assert_array_equal(cured.ppf([0.999 * gone, gone + 1e-9]), [months, np.inf])
    assert_array_equal(everybody.ppf([0.5, 1.0]), np.inf if stay == 1.0 else months)


def test_nobody_leaves_in_a_period_with_ratio_0_or_after_the_last_who_could() -> None:
    sojourn = build("weibull", {"shape": 2.0, "scale": 4.0}, **BY_PERIOD)
    just_before, just_after = sojourn.ppf(sojourn.cdf(2.0) * np.array([1 - 1e-9, 1 + 1e-9]))
    assert just_before == pytest.approx(2.0)
    assert just_after == pytest.approx(5.0)
    closed = build("weibull", {"shape": 2.0, "scale": 4.0}, hazard_ratio=[1.0, 0.0], breaks=[2.0])
    assert_array_equal(closed.inverse_cumulative_hazard([0.25 + 1e-12, 1.0, np.inf]), np.inf)
    # All whom the law lets go have gone by month 2, but for those whom the ratio kept.
    gone = build("piecewise_exponential", {"breaks": [1.0], "rates": [0.5, 0.0]}, **BY_PERIOD)
    assert_array_equal(gone.survival([1.0, np.inf]), np.exp(-0.25))
    assert_array_equal(gone.inverse_cumulative_hazard([0.26, 9.0]), np.inf)


# --- Times that have run for some months: who is left is followed from there on ---


@pytest.mark.parametrize(("family", "parameters", "reference"), SCIPY_HAS_THE_TAIL)
@pytest.mark.parametrize("after", [0.3, 1.25, 8.0])
def test_patients_left_after_some_months_have_the_law_of_those_left(
    family: str, parameters: dict[str, Any], reference: Any, after: float
) -> None:
    sojourn = build(family, parameters, after=after)
    times = np.array([1e-3, 0.2, 1.0, 6.0, 24.0])
    assert_allclose(sojourn.survival(times), reference.sf(after + times) / reference.sf(after), rtol=1e-9)
    assert_allclose(sojourn.inverse_cumulative_hazard(sojourn.cumulative_hazard(times)), times, rtol=1e-9)
    assert_array_equal(sojourn.survival([-1.0, 0.0]), 1.0)


def test_an_exponential_time_does_not_remember_how_long_it_has_run() -> None:
    memoryless, plain = build("exponential", {"mean": 9.0}, after=7.0), build("exponential", {"mean": 9.0})
    times = np.array([0.1, 2.0, 40.0])
    assert_allclose(memoryless.survival(times), plain.survival(times), rtol=1e-13)
    assert_allclose(memoryless.spread(), plain.spread(), rtol=1e-13)


def test_a_weibull_time_that_has_run_is_a_weibull_hazard_from_a_later_month_on() -> None:
    times = np.array([0.0, 0.5, 3.0, 20.0])
    sojourn = build("weibull", {"shape": 0.6, "scale": 9.0}, after=1.25)
    assert_allclose(sojourn.cumulative_hazard(times), ((times + 1.25) / 9) ** 0.6 - (1.25 / 9) ** 0.6, atol=1e-15)


def test_the_cured_are_a_larger_share_of_those_who_are_left() -> None:
    sojourn = build("weibull", {"shape": 1.3, "scale": 2.0}, cure=0.3, after=1.25)
    left = 0.3 + 0.7 * np.exp(-((1.25 / 2.0) ** 1.3))
    assert_allclose(sojourn.survival(np.inf), 0.3 / left, rtol=1e-12)
    assert_array_equal(sojourn.ppf([1.0 - 0.3 / left + 1e-9, 1.0]), np.inf)
    assert_allclose(sojourn.ppf(0.999 * (1 - 0.3 / left)), sojourn.ppf(0.999 * sojourn.cdf(np.inf)), rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("modified", [{}, {"cure": 0.3}, {"cure": 0.3, **BY_PERIOD}])
def test_stretches_of_one_time_join_and_its_periods_are_of_its_own_clock(family: str, modified: dict[str, Any]) -> None:
    parameters = of_cell(THREE_CELLS[family], 0)
    whole = build(family, parameters, **modified)
    for after in (0.7, 3.0):
        rest = build(family, parameters, **modified, after=after)
        times = np.array([0.1, 1.0, 4.5, 30.0])
        assert_allclose(whole.survival(after) * rest.survival(times), whole.survival(after + times), rtol=1e-12)
        assert rest.breaks_of_hazard == {month - after for month in whole.breaks_of_hazard if month > after}


def test_a_fixed_time_that_has_run_ends_sooner_or_at_once_and_its_cured_never() -> None:
    assert_array_equal(build("fixed", {"months": 2.5}, after=1.0).ppf([0.0, 0.5, 1.0]), 1.5)
    for months in (1.0, 2.5):
        over = build("fixed", {"months": months}, after=2.5)
        assert over.atom == 0.0
        assert_array_equal(over.survival([-1.0, 0.0, 1.0]), [1.0, 0.0, 0.0])
        assert_array_equal(over.ppf([0.0, 0.5, 1.0]), 0.0)
        cured = build("fixed", {"months": months}, cure=0.3, after=2.5)
        assert_array_equal(cured.survival([0.0, 1.0, np.inf]), 1.0)
        assert_array_equal(cured.ppf([1e-9, 1.0]), np.inf)


def test_a_time_that_has_run_for_no_month_is_the_time_itself() -> None:
    assert (
        build("weibull", {"shape": 1.3, "scale": 2.0}, after=0).key
        == build("weibull", {"shape": 1.3, "scale": 2.0}).key
    )


AT_ONCE = [
    ("exponential", {"mean": 0.0}), ("exponential", {"median": 0.0}), ("exponential", {"rate": 1e300}),
    ("weibull", {"shape": 1.3, "scale": 0.0}), ("weibull", {"shape": 0.7, "median": 0.0}),
    ("weibull", {"shape": 2.0, "mean": 0.0}), ("gamma", {"shape": 2.5, "scale": 0.0}),
    ("gamma", {"shape": 0.4, "mean": 0.0}), ("gamma", {"shape": 0.4, "rate": 1e300}),
    ("lognormal", {"sigma": 1.0, "median": 0.0}), ("lognormal", {"sigma": 1.0, "mu": -1e4}),
    ("loglogistic", {"shape": 1.3, "scale": 0.0}), ("loglogistic", {"shape": 1.3, "median": 0.0}),
    ("gompertz", {"shape": 0.1, "rate": 1e300}), ("gompertz", {"shape": -0.1, "rate": 1e300}),
    ("generalised_gamma", {"mu": -1e4, "sigma": 1.0, "q": -0.5}),
    ("piecewise_exponential", {"breaks": [1.0], "rates": [1e300, 0.0]}), ("fixed", {"months": 0.0}),
]  # fmt: skip
NEVER = [
    ("exponential", {"rate": 0.0}), ("gamma", {"shape": 2.5, "rate": 0.0}),
    ("gompertz", {"shape": 0.1, "rate": 0.0}), ("gompertz", {"shape": -0.1, "rate": 0.0}),
    ("gompertz", {"shape": 0.0, "rate": 0.0}), ("lognormal", {"sigma": 1.0, "mu": 1e4}),
    ("generalised_gamma", {"mu": 1e4, "sigma": 1.0, "q": 0.5}),
    ("piecewise_exponential", {"breaks": [1.0], "rates": [0.0, 0.0]}),
]  # fmt: skip


@pytest.mark.parametrize(("family", "parameters"), AT_ONCE)
def test_a_sojourn_of_no_length_is_left_at_once(family: str, parameters: dict[str, Any]) -> None:
    sojourn = build(family, parameters)
    assert_allclose(sojourn.survival([-1.0, 1e-9, 3.0, np.inf]), [1, 0, 0, 0], atol=1e-12)
    assert_allclose(sojourn.inverse_cumulative_hazard([0.0, 1e-9, 1.0, 40.0]), 0.0, atol=1e-250)
    assert sojourn.spread() <= 1e-250
    cured = build(family, parameters, cure=0.4, hazard_ratio=0.5)
    assert_allclose(cured.survival([1e-9, np.inf]), np.sqrt(0.4))
    assert_allclose(cured.ppf([0.1, 0.36, 0.37]), [0.0, 0.0, np.inf], atol=1e-250)


@pytest.mark.parametrize(("family", "parameters"), NEVER)
def test_without_a_hazard_nobody_ever_leaves(family: str, parameters: dict[str, Any]) -> None:
    for modified in ({}, {"cure": 0.4}, {"hazard_ratio": 5.0}, {"cure": 0.4, "hazard_ratio": 0.2}):
        sojourn = build(family, parameters, **modified)
        assert_array_equal(sojourn.survival([-1.0, 0.0, 1.0, 1e9, np.inf]), 1.0)
        assert_array_equal(sojourn.inverse_cumulative_hazard([1e-16, 1.0, 40.0, np.inf]), np.inf)
        assert_array_equal(sojourn.inverse_cumulative_hazard(0.0), 0.0)
        assert sojourn.spread() == 0.0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("modified", [{"cure": 1.0}, {"hazard_ratio": 0.0}, {"cure": 1.0, "hazard_ratio": 1e9}])
def test_complete_cure_or_no_hazard_keeps_everybody(family: str, modified: dict[str, float]) -> None:
    sojourn = build(family, of_cell(THREE_CELLS[family], 0), **modified)
    assert_array_equal(sojourn.survival(TIMES), 1.0)
    assert_array_equal(sojourn.inverse_cumulative_hazard(EXPOSURES[1:]), np.inf)


@pytest.mark.representatives(27)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "modified",
    [
        {},
        {"cure": CURE},
        {"hazard_ratio": HAZARD_RATIO},
        {"cure": CURE, "hazard_ratio": HAZARD_RATIO},
        {"hazard_ratio": [2.0, HAZARD_RATIO], "breaks": [0.7]},
        {"cure": CURE, "hazard_ratio": [HAZARD_RATIO, 0.5, 1.5], "breaks": [0.7, 3.0]},
        {"after": AFTER},
        {"cure": CURE, "after": 2.0},
        {"cure": CURE, "hazard_ratio": [HAZARD_RATIO, 0.5, 1.5], "breaks": [0.7, 3.0], "after": AFTER},
    ],
)
def test_each_cell_is_the_distribution_built_of_its_own_numbers(family: str, modified: dict[str, Any]) -> None:
    together = build(family, THREE_CELLS[family], **modified)
    alone = [build(family, of_cell(THREE_CELLS[family], cell), **of_cell(modified, cell)) for cell in range(3)]
    cells = np.array([2, 0, 0, 1, 2, 1, 0, 2, 1, 1])
    assert together.cell_shape == (3,)
    assert together.take(cells).cell_shape == (10,)
    assert together.columns().cell_shape == (3, 1)
    # What has run already and what is to come share their digits.
    atol = 1e-14 if "after" in modified else 0.0
    for method, values in (("cumulative_hazard", TIMES), ("inverse_cumulative_hazard", EXPOSURES)):
        expected = np.array([getattr(law, method)(values) for law in alone])
        assert not np.isnan(expected).any()
        assert_allclose(getattr(together.columns(), method)(values), expected, rtol=1e-12, atol=atol)
        assert_allclose(getattr(together.take(cells), method)(values), expected[cells, range(10)], 1e-12, atol)
    assert_allclose(together.spread(), [law.spread() for law in alone], rtol=1e-12)
    if together.atom is not None:
        assert_array_equal(together.take(cells).atom, np.array([law.atom for law in alone])[cells])


def test_a_scalar_stays_scalar_and_draws_keep_an_axis_of_their_own() -> None:
    scalar = build("weibull", {"shape": 1.3, "scale": 9.0}, cure=0.2)
    assert scalar.take(np.array([0, 0])).cell_shape == scalar.columns().cell_shape == ()
    draws = build("weibull", {"shape": 1.3, "scale": np.array([[4.0], [9.0]])}, cure=np.array([0.1, 0.2, 0.3]))
    hazards = draws.columns().cumulative_hazard(TIMES)
    assert hazards.shape == (2, 3, TIMES.size)
    assert_allclose(hazards[1, 1], scalar.cumulative_hazard(TIMES), rtol=1e-13)
    assert_allclose(draws.take(np.array([1, 1])).median()[1], scalar.median(), rtol=1e-13)
    by_period = build(
        "weibull",
        {"shape": 1.3, "scale": np.array([[4.0], [9.0]])},
        hazard_ratio=[1.0, np.array([0.5, 2.0, 1.0]), 0.3],
        breaks=[1.0, 3.0],
    )
    alone = build("weibull", {"shape": 1.3, "scale": 9.0}, hazard_ratio=[1.0, 2.0, 0.3], breaks=[1.0, 3.0])
    second = by_period.with_parameters(lambda values: values[1:2] if len(values) == 2 else values)
    for law, draw in ((by_period, 1), (second, 0)):
        assert_allclose(law.columns().cumulative_hazard(TIMES)[draw, 1], alone.cumulative_hazard(TIMES), rtol=1e-13)
        assert_allclose(law.take(np.array([1, 1])).median()[draw], alone.median(), rtol=1e-13)
    one_cell = build("piecewise_exponential", {"breaks": [1.0], "rates": [np.array([0.1]), np.array([0.2])]})
    assert one_cell.columns().cumulative_hazard(TIMES).shape == (1, TIMES.size)
    assert one_cell.take(np.zeros(4, dtype=np.intp)).median().shape == (4,)


positive = st.floats(0.05, 20.0)
PARAMETERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "exponential": st.fixed_dictionaries({"rate": positive}),
    "weibull": st.fixed_dictionaries({"shape": st.floats(0.2, 8.0), "scale": positive}),
    "gamma": st.fixed_dictionaries({"shape": st.floats(0.1, 200.0), "mean": positive}),
    "lognormal": st.fixed_dictionaries({"sigma": st.floats(0.05, 3.0), "median": positive}),
    "loglogistic": st.fixed_dictionaries({"shape": st.floats(0.2, 8.0), "median": positive}),
    "gompertz": st.fixed_dictionaries({"shape": st.floats(0.0, 1.0), "rate": positive}),
    "generalised_gamma": st.fixed_dictionaries(
        {"mu": st.floats(-2.0, 2.0), "sigma": st.floats(0.05, 3.0), "q": st.floats(-3.0, 3.0)}
    ),
    "piecewise_exponential": st.integers(1, 30).flatmap(
        lambda n: st.fixed_dictionaries(
            {
                "breaks": st.lists(st.integers(1, 99), min_size=n, max_size=n, unique=True).map(sorted),
                "rates": st.lists(st.floats(0.001, 2.0), min_size=n + 1, max_size=n + 1),
            }
        )
    ),
}
deterministic = settings(derandomize=True, database=None, deadline=None, max_examples=25)


@pytest.mark.parametrize("family", PARAMETERS)
@deterministic
@given(data=st.data())
def test_time_and_exposure_are_each_others_inverse(family: str, data: st.DataObject) -> None:
    base = build(family, data.draw(PARAMETERS[family]))
    exposures = np.array(data.draw(st.lists(st.floats(1e-9, 600.0), min_size=1, max_size=20)))
    times = base.inverse_cumulative_hazard(exposures)
    inside = (times > 1e-290) & (times < 1e290)
    assert_allclose(base.cumulative_hazard(times)[inside], exposures[inside], rtol=1e-9)
    assert_allclose(base.inverse_cumulative_hazard(base.cumulative_hazard(times))[inside], times[inside], rtol=1e-9)


@pytest.mark.parametrize("family", PARAMETERS)
@deterministic
@given(data=st.data(), cure=st.floats(0.0, 0.9), hazard_ratio=st.floats(0.05, 20.0))
def test_a_modified_sojourn_returns_to_its_time(
    family: str, data: st.DataObject, cure: float, hazard_ratio: float
) -> None:
    parameters = data.draw(PARAMETERS[family])
    uncured = np.array(data.draw(st.lists(st.floats(1e-6, 5.0), min_size=1, max_size=20)))
    times = build(family, parameters).inverse_cumulative_hazard(uncured)
    modified = build(family, parameters, cure=cure, hazard_ratio=hazard_ratio)
    assert_allclose(modified.inverse_cumulative_hazard(modified.cumulative_hazard(times)), times, rtol=1e-9)


@pytest.mark.parametrize("family", PARAMETERS)
@deterministic
@given(data=st.data(), cure=st.floats(0.0, 1.0), hazard_ratio=st.floats(0.0, 20.0))
def test_a_patient_who_is_exposed_to_more_never_leaves_earlier(
    family: str, data: st.DataObject, cure: float, hazard_ratio: float
) -> None:
    breaks = data.draw(st.sampled_from([[], [0.3], [0.5, 4.0]]))
    ratios = [hazard_ratio, *data.draw(st.permutations([0.0, 2.5]))][: len(breaks) + 1]
    sojourn = build(family, data.draw(PARAMETERS[family]), cure=cure, hazard_ratio=ratios, breaks=breaks)
    exposures = np.sort(data.draw(st.lists(st.floats(0.0, 1e6), min_size=2, max_size=40)))
    times = sojourn.inverse_cumulative_hazard(exposures)
    assert not np.isnan(times).any()
    assert (times[1:] >= times[:-1] * (1.0 - 1e-12)).all()
    assert (sojourn.inverse_cumulative_hazard([0.0, np.inf]) == [0.0, np.inf]).all()
