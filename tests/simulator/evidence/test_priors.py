"""The prior as a map from standard normal scores, against scipy's distributions."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import special, stats

from simulator.errors import InputError
from simulator.evidence.priors import Priors


@dataclass(frozen=True)
class DeclaredPrior:
    """A prior as the pathway file declares it."""

    family: str
    arguments: dict[str, float]


@dataclass(frozen=True)
class Parameter:
    prior: DeclaredPrior | None
    unit: str = "number"
    value: float = field(default=1.0)


FAMILIES = {
    "beta": (DeclaredPrior("beta", {"a": 0.7, "b": 3.0}), stats.beta(0.7, 3.0)),
    "beta from counts": (DeclaredPrior("beta", {"a": 19.0, "b": 20.0}), stats.beta(19, 20)),
    "lognormal": (DeclaredPrior("lognormal", {"median": 6.0, "sigma": 0.5}), stats.lognorm(0.5, scale=6.0)),
    "normal": (DeclaredPrior("normal", {"mean": -2.0, "sd": 3.0}), stats.norm(-2, 3)),
    "gamma": (DeclaredPrior("gamma", {"shape": 0.4, "rate": 2.0}), stats.gamma(0.4, scale=0.5)),
    "uniform": (DeclaredPrior("uniform", {"lower": -1.0, "upper": 4.0}), stats.uniform(-1, 5)),
}


def priors_of(declared: DeclaredPrior) -> Priors:
    return Priors.from_parameters({"only": Parameter(declared)}, [])


def dirichlet(**alphas: float) -> dict[str, Parameter]:
    return {name: Parameter(DeclaredPrior("dirichlet", {"alpha": alpha})) for name, alpha in alphas.items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_score_becomes_the_value_of_the_same_probability(name: str) -> None:
    declared, expected = FAMILIES[name]
    z = np.linspace(-8, 8, 401)
    reference = np.where(z < 0, expected.ppf(special.ndtr(z)), expected.isf(special.ndtr(-z)))
    np.testing.assert_allclose(priors_of(declared).transform(z[:, None])[:, 0], reference, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_value_maps_back_to_its_score(name: str) -> None:
    priors = priors_of(FAMILIES[name][0])
    z = np.linspace(-5, 5, 201)[:, None]
    np.testing.assert_allclose(priors.inverse(priors.transform(z)), z, atol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_extreme_scores_have_finite_values(name: str) -> None:
    values = priors_of(FAMILIES[name][0]).transform(np.array([[-50.0], [-38.0], [-10.0], [10.0], [38.0], [50.0]]))
    assert np.all(np.isfinite(values))
    assert np.all(np.diff(values[:, 0]) >= 0)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_summary_agrees_with_the_distribution(name: str) -> None:
    declared, expected = FAMILIES[name]
    summary = priors_of(declared).summary()["only"]
    numbers = [summary.mean, summary.sd, summary.lower, summary.median, summary.upper]
    reference = [expected.mean(), expected.std(), *expected.ppf([0.025, 0.5, 0.975])]
    np.testing.assert_allclose(numbers, reference, rtol=1e-9)


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
        log_density = stats.norm.logpdf(z).sum() - log_jacobian
        assert log_density == pytest.approx(stats.dirichlet(list(alphas.values())).logpdf(theta), abs=1e-6)


def test_siblings_sum_to_one_and_map_back_from_the_tails() -> None:
    alphas = {"first": 2.0, "second": 0.5, "third": 30.0}
    priors = Priors.from_parameters(dirichlet(**alphas), [tuple(alphas)])
    z = np.array([[first, second] for first in (-5.0, -1.0, 0.0, 5.0) for second in (-4.0, 0.5, 4.0)])
    theta = priors.transform(z)
    np.testing.assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(priors.inverse(theta), z, atol=1e-6)
    extreme = priors.transform(np.array([[50.0, -50.0], [-50.0, 50.0]]))
    assert np.all(np.isfinite(extreme) & (extreme >= 0))


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
    siblings = dirichlet(a=2.0, b=3.0, c=4.0)
    uptake = Parameter(DeclaredPrior("beta", {"a": 2.0, "b": 2.0}), unit="probability")
    parameters = {
        "c": siblings["c"],
        "uptake": uptake,
        "fixed": Parameter(None),
        "a": siblings["a"],
        "b": siblings["b"],
    }
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
    ("declared", "unit", "message"),
    [
        (
            DeclaredPrior("betta", {"a": 1, "b": 1}),
            "number",
            r"parameters\.only\.prior: .*'betta'.*did you mean 'beta'",
        ),
        (DeclaredPrior("beta", {"a": 1}), "number", "beta prior lacks b"),
        (DeclaredPrior("beta", {"a": 1, "b": 1, "sigma": 2}), "number", "unknown argument of a beta prior.*'sigma'"),
        (DeclaredPrior("beta", {"a": 0, "b": 1}), "number", "prior's a is out of range; got 0"),
        (DeclaredPrior("gamma", {"shape": 1, "rate": float("nan")}), "number", "prior's rate is out of range; got nan"),
        (DeclaredPrior("normal", {"mean": float("inf"), "sd": 1}), "number", "prior's mean is out of range"),
        (DeclaredPrior("lognormal", {"median": 1, "sigma": True}), "number", "prior's sigma is out of range; got True"),
        (DeclaredPrior("uniform", {"lower": 1, "upper": 1}), "number", "lower < upper"),
        (DeclaredPrior("lognormal", {"median": 0.5, "sigma": 1}), "probability", "unit 'probability'.*allowed: 0 to 1"),
        (DeclaredPrior("normal", {"mean": 6, "sd": 1}), "months", "unit 'months'"),
        (DeclaredPrior("dirichlet", {"alpha": 2}), "probability", "needs siblings"),
    ],
)
def test_a_prior_that_cannot_be_used_is_refused(declared: DeclaredPrior, unit: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Priors.from_parameters({"only": Parameter(declared, unit)}, [])


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
    parameters = dirichlet(a=1.0, b=1.0, c=1.0) | {"uptake": Parameter(DeclaredPrior("beta", {"a": 1.0, "b": 1.0}))}
    with pytest.raises(InputError, match=message):
        Priors.from_parameters(parameters, siblings)


def test_a_value_outside_its_prior_has_no_score() -> None:
    with pytest.raises(InputError, match=r"parameters\.only: outside its prior; got 1\.2; allowed: between 0 and 1"):
        priors_of(FAMILIES["beta"][0]).inverse(np.array([[0.5], [1.2]]))
    siblings = Priors.from_parameters(dirichlet(a=1.0, b=1.0), [("a", "b")])
    with pytest.raises(InputError, match="sum to 1"):
        siblings.inverse(np.array([[0.5, 0.4]]))
