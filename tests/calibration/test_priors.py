"""The prior as a map from standard normal scores, held against scipy's distributions."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import special, stats

from calibration.priors import Priors
from simulator.errors import InputError


@dataclass(frozen=True)
class Told:
    """A prior as the pathway file tells it."""

    family: str
    arguments: dict[str, float]


@dataclass(frozen=True)
class Parameter:
    prior: Told | None
    unit: str = "number"
    value: float = field(default=1.0)


FAMILIES = {
    "beta": (Told("beta", {"a": 0.7, "b": 3.0}), stats.beta(0.7, 3.0)),
    "beta from counts": (Told("beta", {"a": 19.0, "b": 20.0}), stats.beta(19, 20)),
    "lognormal": (Told("lognormal", {"median": 6.0, "sigma": 0.5}), stats.lognorm(0.5, scale=6.0)),
    "normal": (Told("normal", {"mean": -2.0, "sd": 3.0}), stats.norm(-2, 3)),
    "gamma": (Told("gamma", {"shape": 0.4, "rate": 2.0}), stats.gamma(0.4, scale=0.5)),
    "uniform": (Told("uniform", {"lower": -1.0, "upper": 4.0}), stats.uniform(-1, 5)),
}


def one(told: Told) -> Priors:
    return Priors.from_parameters({"only": Parameter(told)}, [])


def dirichlet(**alphas: float) -> dict[str, Parameter]:
    return {name: Parameter(Told("dirichlet", {"alpha": alpha})) for name, alpha in alphas.items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_score_becomes_the_value_of_the_same_probability(name: str) -> None:
    told, expected = FAMILIES[name]
    z = np.linspace(-8, 8, 401)
    reference = np.where(z < 0, expected.ppf(special.ndtr(z)), expected.isf(special.ndtr(-z)))
    np.testing.assert_allclose(one(told).transform(z[:, None])[:, 0], reference, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_score_of_a_value_is_where_it_came_from(name: str) -> None:
    priors = one(FAMILIES[name][0])
    z = np.linspace(-5, 5, 201)[:, None]
    np.testing.assert_allclose(priors.inverse(priors.transform(z)), z, atol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_score_is_so_far_out_that_its_value_is_not_finite(name: str) -> None:
    values = one(FAMILIES[name][0]).transform(np.array([[-50.0], [-38.0], [-10.0], [10.0], [38.0], [50.0]]))
    assert np.all(np.isfinite(values))
    assert np.all(np.diff(values[:, 0]) >= 0)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_summary_is_that_of_the_distribution(name: str) -> None:
    told, expected = FAMILIES[name]
    summary = one(told).summary()["only"]
    told_numbers = [summary.mean, summary.sd, summary.lower, summary.median, summary.upper]
    reference = [expected.mean(), expected.std(), *expected.ppf([0.025, 0.5, 0.975])]
    np.testing.assert_allclose(told_numbers, reference, rtol=1e-9)


def test_siblings_have_the_density_of_one_dirichlet() -> None:
    """Change of variables: log density of theta = that of z minus log |d theta / d z|, in the first k - 1 siblings."""
    alphas = {"first": 0.8, "second": 3.0, "third": 10.0, "fourth": 5.0}
    priors = Priors.from_parameters(dirichlet(**alphas), [tuple(alphas)])
    step = 1e-5
    for z in np.random.default_rng(7).standard_normal((20, 3)):
        theta = priors.transform(z[None])[0]
        offsets = step * np.eye(3)
        rise = priors.transform(z + offsets) - priors.transform(z - offsets)
        log_jacobian = np.linalg.slogdet(rise[:, :3] / (2 * step))[1]
        told = stats.norm.logpdf(z).sum() - log_jacobian
        assert told == pytest.approx(stats.dirichlet(list(alphas.values())).logpdf(theta), abs=1e-6)


def test_siblings_sum_to_one_and_come_back_from_the_tails() -> None:
    alphas = {"first": 2.0, "second": 0.5, "third": 30.0}
    priors = Priors.from_parameters(dirichlet(**alphas), [tuple(alphas)])
    z = np.array([[first, second] for first in (-5.0, -1.0, 0.0, 5.0) for second in (-4.0, 0.5, 4.0)])
    theta = priors.transform(z)
    np.testing.assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(priors.inverse(theta), z, atol=1e-6)
    far = priors.transform(np.array([[50.0, -50.0], [-50.0, 50.0]]))
    assert np.all(np.isfinite(far) & (far >= 0))


def test_a_sibling_alone_is_a_beta() -> None:
    alphas = {"chemotherapy": 3.0, "immunotherapy": 10.0, "reinfusion": 5.0}
    summary = Priors.from_parameters(dirichlet(**alphas), [tuple(alphas)]).summary()
    for name, alpha in alphas.items():
        expected = stats.beta(alpha, 18.0 - alpha)
        assert summary[name].mean == pytest.approx(expected.mean())
        assert summary[name].sd == pytest.approx(expected.std())
        assert summary[name].lower == pytest.approx(expected.ppf(0.025))
        assert summary[name].upper == pytest.approx(expected.ppf(0.975))


def test_columns_are_the_parameters_with_a_prior_as_declared() -> None:
    told = dirichlet(a=2.0, b=3.0, c=4.0)
    uptake = Parameter(Told("beta", {"a": 2.0, "b": 2.0}), unit="probability")
    parameters = {"c": told["c"], "uptake": uptake, "fixed": Parameter(None), "a": told["a"], "b": told["b"]}
    priors = Priors.from_parameters(parameters, [("a", "b", "c")])
    assert priors.names == ("c", "uptake", "a", "b")
    assert priors.dimension == 3
    theta = priors.transform(np.array([[0.3, -1.2, 0.8]]))[0]
    # the set of siblings stands where its first one is declared, its sticks break in the order of the set
    first = stats.beta(2, 7).ppf(stats.norm.cdf(0.3))
    second = (1 - first) * stats.beta(3, 4).ppf(stats.norm.cdf(-1.2))
    expected = [1 - first - second, stats.beta(2, 2).ppf(stats.norm.cdf(0.8)), first, second]
    np.testing.assert_allclose(theta, expected, rtol=1e-10)
    np.testing.assert_allclose(priors.inverse(theta[None]), [[0.3, -1.2, 0.8]], atol=1e-9)


@pytest.mark.parametrize(
    ("told", "unit", "message"),
    [
        (Told("betta", {"a": 1, "b": 1}), "number", r"parameters\.only\.prior: .*'betta'.*did you mean 'beta'"),
        (Told("beta", {"a": 1}), "number", "beta prior lacks b"),
        (Told("beta", {"a": 1, "b": 1, "sigma": 2}), "number", "unknown argument of a beta prior.*'sigma'"),
        (Told("beta", {"a": 0, "b": 1}), "number", "prior's a is out of range; got 0"),
        (Told("gamma", {"shape": 1, "rate": float("nan")}), "number", "prior's rate is out of range; got nan"),
        (Told("normal", {"mean": float("inf"), "sd": 1}), "number", "prior's mean is out of range"),
        (Told("lognormal", {"median": 1, "sigma": True}), "number", "prior's sigma is out of range; got True"),
        (Told("uniform", {"lower": 1, "upper": 1}), "number", "lower < upper"),
        (Told("lognormal", {"median": 0.5, "sigma": 1}), "probability", "unit 'probability'.*allowed: 0 to 1"),
        (Told("normal", {"mean": 6, "sd": 1}), "months", "unit 'months'"),
        (Told("dirichlet", {"alpha": 2}), "probability", "needs siblings"),
    ],
)
def test_a_prior_that_cannot_be_used_is_refused(told: Told, unit: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Priors.from_parameters({"only": Parameter(told, unit)}, [])


@pytest.mark.parametrize(
    ("siblings", "message"),
    [
        ([("a",)], "two siblings or more"),
        ([("a", "b"), ("b", "c")], "one Dirichlet only; got 'b'"),
        ([("a", "a")], "one Dirichlet only; got 'a'"),
        ([("a", "bb")], "without a dirichlet prior; got 'bb'; did you mean 'b'"),
        ([("a", "uptake")], "without a dirichlet prior; got 'uptake'"),
    ],
)
def test_siblings_that_are_not_one_choice_are_refused(siblings: list[tuple[str, ...]], message: str) -> None:
    parameters = dirichlet(a=1.0, b=1.0, c=1.0) | {"uptake": Parameter(Told("beta", {"a": 1.0, "b": 1.0}))}
    with pytest.raises(InputError, match=message):
        Priors.from_parameters(parameters, siblings)


def test_a_value_outside_its_prior_has_no_score() -> None:
    with pytest.raises(InputError, match=r"parameters\.only: outside its prior; got 1\.2; allowed: between 0 and 1"):
        one(FAMILIES["beta"][0]).inverse(np.array([[0.5], [1.2]]))
    siblings = Priors.from_parameters(dirichlet(a=1.0, b=1.0), [("a", "b")])
    with pytest.raises(InputError, match="sum to 1"):
        siblings.inverse(np.array([[0.5, 0.4]]))
