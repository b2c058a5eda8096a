"""A posterior under a wider prior, by reweighting, against conjugate posteriors."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration.likelihood.targets import Targets
from calibration.validation import prior_sensitivity
from simulator.evidence.priors import Priors
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Prior

RATES = {"onset_rate": 0.1, "death_rate_healthy": 0.02, "death_rate_ill": 0.2}
SIGMA = 0.3


@pytest.fixture
def targets(tmp_path: Path) -> Any:
    text = (shipped.path("three_state")).read_text()
    for rate in RATES.values():
        prior = f"prior = {{ family = 'lognormal', median = {rate}, sigma = {SIGMA} }}"
        text = text.replace(f"value = {rate:.2f}", f"value = {rate:.2f}\n{prior}")
    (tmp_path / "uncertain.toml").write_text(text)
    return SimpleNamespace(pathway=load_pathway(tmp_path / "uncertain.toml"))


def normal(sigma: float, measured: float, error: float) -> tuple[float, float]:
    """Mean and sd of log(theta / median) given `measured`, its measurement with an error; the prior N(0, sigma)."""
    precision = 1 / sigma**2 + 1 / error**2
    return measured / error**2 / precision, precision**-0.5


@pytest.mark.parametrize(("error", "method"), [(10.0, "moved"), (0.6, "either"), (0.1, "reweighted")])
def test_a_reweighted_posterior_is_the_conjugate_one_under_the_wider_prior(
    targets: Any, error: float, method: str
) -> None:
    measured, n = 0.2, 4000
    mean, sd = normal(SIGMA, measured, error)
    scores = np.random.default_rng(1).normal(size=(n, 3)) * [sd / SIGMA, 1, 1] + [mean / SIGMA, 0, 0]
    draws = pd.DataFrame(np.array(list(RATES.values())) * np.exp(SIGMA * scores), columns=list(RATES))

    def log_likelihood(z: np.ndarray) -> np.ndarray:
        return stats.norm.logpdf(SIGMA * z[:, 0], measured, error)

    (widened,) = prior_sensitivity.widened(targets, draws, log_likelihood, ["onset_rate"], lambda done, total: None)
    assert (widened.parameters, widened.description) == (("onset_rate",), "twice as wide")
    weights = np.exp(widened.log_weights - widened.log_weights.max())
    x = np.log(widened.draws["onset_rate"].to_numpy() / RATES["onset_rate"])
    expected = normal(2 * SIGMA, measured, error)
    effective = weights.sum() ** 2 / (weights**2).sum()
    assert effective > 1000
    # Five standard errors.
    assert np.average(x, weights=weights) == pytest.approx(expected[0], abs=5 * expected[1] / effective**0.5)
    spread = np.sqrt(np.average((x - np.average(x, weights=weights)) ** 2, weights=weights))
    assert spread == pytest.approx(expected[1], rel=5 / (2 * effective) ** 0.5 + 0.02)
    assert widened.draws["death_rate_ill"].to_numpy() == pytest.approx(draws["death_rate_ill"].to_numpy())
    if method != "either":
        assert widened.draws["onset_rate"].equals(draws["onset_rate"]) == (method == "reweighted")


def test_the_ratio_of_priors_is_the_ratio_of_their_densities() -> None:
    x = np.linspace(0.05, 0.95, 7)
    known = {
        "lognormal": ({"median": 2.0, "sigma": 0.5}, lambda a: stats.lognorm(a["sigma"], scale=a["median"])),
        "normal": ({"mean": 1.0, "sd": 2.0}, lambda a: stats.norm(a["mean"], a["sd"])),
        "gamma": ({"shape": 3.0, "rate": 2.0}, lambda a: stats.gamma(a["shape"], scale=1 / a["rate"])),
        "beta": ({"a": 2.0, "b": 0.5}, lambda a: stats.beta(a["a"], a["b"])),
    }
    for family, (arguments, law) in known.items():
        prior = Prior(family, arguments)
        wider = prior_sensitivity.without(prior)
        log_ratio = prior_sensitivity._log_density(wider, x) - prior_sensitivity._log_density(prior, x)
        expected = law(wider.arguments).logpdf(x) - law(arguments).logpdf(x)
        assert log_ratio - log_ratio[0] == pytest.approx(expected - expected[0]), family
        if family != "beta":
            assert law(wider.arguments).std() > 1.9 * law(arguments).std() or family == "lognormal"


def test_only_informative_priors_marked_as_assumptions_are_widened(letter: Targets) -> None:
    assumed = prior_sensitivity.assumed(letter.pathway)
    flat = {"salvage_uptake", "hsct_if_cr", "hsct_if_pr"}
    assert not flat & {name for parameters in assumed for name in parameters}
    assert ("hsct_admission_months",) in assumed
    assert ("cr_chemotherapy", "pr_chemotherapy", "nr_chemotherapy") in assumed
    assert ("trm_median",) not in assumed
    siblings = ("cr_chemotherapy", "pr_chemotherapy", "nr_chemotherapy")
    priors = {name: letter.pathway.parameters[name].prior for name in siblings}
    widened = prior_sensitivity._priors_without(letter.pathway, priors)
    assert isinstance(widened, Priors)
    assert widened.summary()["cr_chemotherapy"].mean == pytest.approx(1 / 3)
