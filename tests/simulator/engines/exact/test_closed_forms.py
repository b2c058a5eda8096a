"""The exact engine against matrix exponentials, hypoexponential distributions and other closed forms."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy import integrate, linalg, stats
from sojourn_times import Table, by, exponential, fixed, gamma, loglogistic, lognormal, weibull
from worlds import DEATH, exit_to, in_a_row, scenario, sojourn, world

from simulator.arrays import Floats
from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario

ERROR = 1e-4
"""What the exact engine may be off by at its default step."""


def curves_of(
    states: Mapping[str, Table], horizon: float = 60.0, step: float | None = None,
    attributes: Mapping[str, Mapping[str, int]] | None = None, **levers: Mapping[str, float],
) -> engine.Curves:  # fmt: skip
    """The curves of a world that begins in the first of its states."""
    told = world(next(iter(states)), dict(states), **({"attributes": attributes} if attributes else {}))
    return engine.curves(resolve(scenario(told, **levers)), horizon, step=step)


def by_expm(rates: Mapping[tuple[str, str], float], start: str, months: Floats) -> dict[str, Floats]:
    """P(in each state at t) of a Markov chain: the first row of expm(Q t)."""
    states = sorted({name for pair in rates for name in pair})
    q = np.zeros((len(states), len(states)))
    for (source, target), rate in rates.items():
        q[states.index(source), states.index(target)] += rate
        q[states.index(source), states.index(source)] -= rate
    rows = linalg.expm(q[None] * months[:, None, None])[:, states.index(start)]
    return {name: rows[:, place] for place, name in enumerate(states)}


def hypoexponential(months: Floats, *rates: float) -> Floats:
    """F(t) of a sum of exponentials of different rates (Ross, Introduction to Probability Models, 5.2.4)."""
    weights = [np.prod([other / (other - rate) for other in rates if other != rate]) for rate in rates]
    return 1.0 - sum(w * np.exp(-rate * months) for w, rate in zip(weights, rates, strict=True))


def test_illness_and_death_at_constant_hazards_are_the_matrix_exponential() -> None:
    curves = engine.curves(resolve(Scenario("shipped", load_pathway("three_state"))), 60.0)
    rates = {("healthy", "ill"): 0.10, ("healthy", "dead"): 0.02, ("ill", "dead"): 0.20}
    for state, expected in by_expm(rates, "healthy", curves.months[::5]).items():
        np.testing.assert_allclose(curves.occupancy["start"][state][0, ::5], expected, atol=ERROR / 5)
    ever_ill = 0.10 / 0.12
    np.testing.assert_allclose(curves.sizes["ever_ill"], ever_ill * (1 - np.exp(-0.12 * 120)), atol=1e-7)


def test_the_exponential_chain_is_hypoexponential() -> None:
    curves = engine.curves(resolve(Scenario("shipped", load_pathway("exponential_chain"))), 60.0)
    t = curves.months
    dead = 0.42 * hypoexponential(t, 1, 0.5, 0.125) + 0.3 * hypoexponential(t, 1, 0.5, 0.2)
    np.testing.assert_allclose(curves.survival["start", "all"][0], 1 - dead, atol=ERROR)
    cured = 0.28 * hypoexponential(t, 1, 0.5, 0.25)
    np.testing.assert_allclose(curves.occupancy["start"]["cured"][0], cured, atol=ERROR)


CYCLE = {
    "well": sojourn(ill=exponential(rate=0.3), dead=exponential(mean=50)),
    "ill": sojourn(
        exit_to("dead", exponential(rate=0.05), name="suddenly"),
        exit_to("dead", exponential(rate=0.02), name="slowly"),
        well=exponential(mean=2.5), worse=exponential(median=4.0),
    ),
    "worse": sojourn(ill=exponential(rate=0.1), dead=exponential(rate=0.25)),
}  # fmt: skip


def test_a_chain_with_cycles_and_two_ways_into_one_state_is_the_matrix_exponential() -> None:
    rates = {
        ("well", "ill"): 0.3, ("well", "dead"): 0.02, ("ill", "well"): 0.4, ("ill", "worse"): np.log(2) / 4,
        ("ill", "dead"): 0.07, ("worse", "ill"): 0.1, ("worse", "dead"): 0.25,
    }  # fmt: skip
    chain_is_expm(CYCLE, rates, "well")


def chain_is_expm(states: Mapping[str, Table], rates: Mapping[tuple[str, str], float], start: str) -> None:
    """Half the step leaves a quarter of the error."""
    coarse, fine = curves_of(states, step=0.1), curves_of(states, step=0.05)
    expected = by_expm(rates, start, coarse.months[::5])
    off = max(np.abs(coarse.occupancy["start"][name][0, ::5] - expected[name]).max() for name in expected)
    off_by_half = max(np.abs(fine.occupancy["start"][name][0, ::10] - expected[name]).max() for name in expected)
    assert off < 3 * ERROR
    assert off_by_half < 0.27 * off


@pytest.mark.parametrize("seed", range(3))
def test_random_exponential_chains_are_the_matrix_exponential(seed: int) -> None:
    random = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(5)]
    rates: dict[tuple[str, str], float] = {}
    for i, name in enumerate(names):
        targets = {names[(i + 1) % 5], "dead", *random.choice(names, 2)} - {name}
        rates |= {(name, target): float(random.uniform(0.01, 0.3)) for target in sorted(targets)}
    states = {
        name: sojourn(**{to: exponential(rate=speed) for (source, to), speed in rates.items() if source == name})
        for name in names
    }
    chain_is_expm(states, rates, "s0")


def test_stages_in_a_row_are_hypoexponential_and_alike_ones_are_erlang() -> None:
    rates = [0.9, 0.4, 0.15]
    curves = engine.curves(resolve(scenario(in_a_row(*(exponential(rate=speed) for speed in rates)))), 60.0)
    expected = 1 - hypoexponential(curves.months, *rates)
    np.testing.assert_allclose(curves.survival["start", "all"][0], expected, atol=ERROR)
    curves = engine.curves(resolve(scenario(in_a_row(*[exponential(mean=5)] * 3))), 60.0)
    np.testing.assert_allclose(
        curves.survival["start", "all"][0], stats.gamma(3, scale=5).sf(curves.months), atol=ERROR / 3
    )


@pytest.mark.parametrize("shape", [0.5, 1.0, 1.7])
def test_competing_weibulls_of_one_shape_share_as_their_scales_say(shape: float) -> None:
    """P(by j at t) = p_j F(t), p_j = s_j^-k / sum s^-k, F Weibull of scale (sum s^-k)^(-1/k)."""
    scales = {"a": 6.0, "b": 15.0, "c": 40.0}
    risks = sojourn(**{state: weibull(shape=shape, scale=scale) for state, scale in scales.items()})
    curves = curves_of({"s": risks, **dict.fromkeys(scales, DEATH)})
    together = sum(s**-shape for s in scales.values())
    leaves = stats.weibull_min(shape, scale=together ** (-1 / shape)).cdf(curves.months)
    for state, scale in scales.items():
        expected = scale**-shape / together * leaves
        np.testing.assert_allclose(curves.occupancy["start"][state][0], expected, atol=ERROR)


def test_competing_times_of_different_families_are_the_integral_of_the_hazard() -> None:
    """P(by j at t) = int_0^t S dH_j, by quadrature."""
    first, second = stats.lognorm(0.9, scale=8.0), stats.weibull_min(1.8, scale=12.0)
    risks = sojourn(a=lognormal(sigma=0.9, median=8), b=weibull(shape=1.8, scale=12))
    curves = curves_of({"s": risks, "a": DEATH, "b": DEATH}, horizon=30.0)
    for month in (2, 7, 15, 30):
        by_first = integrate.quad(lambda t: first.pdf(t) * second.sf(t), 0, month)[0]
        by_second = integrate.quad(lambda t: second.pdf(t) * first.sf(t), 0, month)[0]
        at = round(month / curves.months[1])
        np.testing.assert_allclose(curves.occupancy["start"]["a"][0, at], by_first, atol=ERROR)
        np.testing.assert_allclose(curves.occupancy["start"]["b"][0, at], by_second, atol=ERROR)


def test_a_sojourn_declared_by_destination_mixes_its_times() -> None:
    stay = sojourn(
        exit_to("a", gamma(shape=2.5, mean=6), probability=0.3),
        exit_to("b", loglogistic(shape=2, median=9), probability=0.5),
        exit_to("b", fixed(20), name="later", probability="rest"),
    )
    curves = curves_of({"s": stay, "a": DEATH, "b": DEATH})
    t = curves.months
    a, b = 0.3 * stats.gamma(2.5, scale=6 / 2.5).cdf(t), 0.5 * stats.fisk(2, scale=9).cdf(t) + 0.2 * (t >= 20)
    np.testing.assert_allclose(curves.occupancy["start"]["a"][0], a, atol=1e-7)
    np.testing.assert_allclose(curves.occupancy["start"]["b"][0], b, atol=1e-7)


def test_a_fraction_is_cured_and_the_others_leave_as_before() -> None:
    """With a competing time: P(by a at t) = int_0^t S dH_a, S_a = c + (1 - c) S0."""
    cure, base, other = 0.35, stats.weibull_min(1.4, scale=10.0), stats.expon(scale=25.0)
    risks = sojourn(a=weibull(shape=1.4, scale=10, cure=cure), b=exponential(mean=25))
    curves = curves_of({"s": risks, "a": DEATH, "b": DEATH}, horizon=40.0)
    for month in (5, 12, 40):
        expected = integrate.quad(lambda t: (1 - cure) * base.pdf(t) * other.sf(t), 0, month)[0]
        np.testing.assert_allclose(curves.occupancy["start"]["a"][0, month * 10], expected, atol=ERROR)
    stays = (cure + (1 - cure) * base.sf(curves.months)) * other.sf(curves.months)
    np.testing.assert_allclose(curves.survival["start", "all"][0], stays, atol=1e-7)


def test_a_hazard_ratio_raises_survival_to_its_power() -> None:
    ill = {"s": sojourn(dead=lognormal(sigma=1.1, median=9, cure=0.2))}
    plain, halved = curves_of(ill), curves_of(ill, hazard_ratio={"s.dead": 0.5})
    np.testing.assert_allclose(halved.survival["start", "all"], np.sqrt(plain.survival["start", "all"]), atol=1e-7)


@pytest.mark.parametrize("months", [3.0, 3.14, 0.25])
def test_a_fixed_sojourn_puts_off_by_its_length_whatever_came_before(months: float) -> None:
    curves = curves_of({"waits": sojourn(held=exponential(rate=0.2)), "held": sojourn(dead=fixed(months))})
    t = curves.months
    expected = np.exp(-0.2 * np.maximum(t - months, 0))
    np.testing.assert_allclose(curves.survival["start", "all"][0], expected, atol=ERROR)
    np.testing.assert_allclose(curves.occupancy["start"]["held"][0], expected - np.exp(-0.2 * t), atol=ERROR)


def test_a_fixed_time_among_latent_ones_takes_the_patients_who_are_left() -> None:
    risks = sojourn(early=weibull(shape=0.7, scale=9), late=fixed(5.03))
    curves = curves_of({"s": risks, "early": DEATH, "late": DEATH})
    early = stats.weibull_min(0.7, scale=9)
    t = curves.months
    np.testing.assert_allclose(curves.occupancy["start"]["early"][0], early.cdf(np.minimum(t, 5.03)), atol=1e-7)
    np.testing.assert_allclose(curves.occupancy["start"]["late"][0], early.sf(5.03) * (t >= 5.03), atol=1e-7)


def test_the_case_mix_is_a_mixture_and_a_level_is_its_own_curve() -> None:
    ill = sojourn(dead=exponential(mean=by("sex", female=20, male=5)))
    curves = curves_of({"s": ill}, attributes={"sex": {"female": 3, "male": 1}})
    t = curves.months
    np.testing.assert_allclose(curves.survival["start", "sex=female"][0], np.exp(-t / 20), atol=1e-7)
    np.testing.assert_allclose(curves.survival["start", "sex=male"][0], np.exp(-t / 5), atol=1e-7)
    np.testing.assert_allclose(
        curves.survival["start", "all"][0], 0.75 * np.exp(-t / 20) + 0.25 * np.exp(-t / 5), atol=1e-7
    )
    assert (curves.sizes["sex=female"], curves.sizes["sex=male"]) == (0.75, 0.25)
