"""A fit warns if its cells, whose width follows declared values, are too wide for its draws: against a closed form."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from sojourn_times import exponential
from worlds import in_a_row, rate

from calibration import fit
from calibration.fit import LARGEST_LATTICE_ERROR, Posterior, lattice_error_of
from calibration.likelihood.targets import Targets
from simulator.arrays import Floats

PRIOR = {"family": "gamma", "shape": 1, "rate": 0.01}
TIME = exponential(rate="rate")
ROW = "dead,deaths,all,,,0.02,30,60,,,,made up,likelihood,"


@pytest.fixture
def cohort(tmp_path: Path) -> Callable[[float], Targets]:
    """Load a cohort in which half have died after 15 hours: two hazards of about 84 a month, with a declared value."""

    def write(declared: float) -> Targets:
        worse = in_a_row(TIME, TIME, clocks={"illness": "s0"}, parameters={"rate": rate(declared, prior=PRIOR)})
        return write_cohort(tmp_path, worse, [ROW], clock="illness", n=60)

    return write


def likelihoods_of_draws(targets: Targets) -> tuple[Floats, Floats, Floats]:
    """Return scores about the posterior, their log-likelihood, and how far that is from the closed form."""
    posterior = Posterior(targets)
    rates = np.linspace(68.0, 105.0, 30)
    z = stats.norm.isf(np.exp(-0.01 * rates))[:, None]
    np.testing.assert_allclose(posterior.priors.transform(z)[:, 0], rates)
    log_likelihoods = posterior.log_likelihood(z)
    return z, log_likelihoods, log_likelihoods - stats.binom.logpmf(30, 60, stats.gamma.cdf(0.02, 2, scale=1 / rates))


def test_draws_far_faster_than_declared_need_narrower_cells(cohort: Callable[[float], Targets]) -> None:
    z, log_likelihoods, errors = likelihoods_of_draws(cohort(1.0))
    error = lattice_error_of(cohort(1.0), z, log_likelihoods)
    assert error > LARGEST_LATTICE_ERROR
    assert error == pytest.approx(np.std(errors), rel=0.2)


def test_draws_as_fast_as_declared_need_no_narrower_cells(cohort: Callable[[float], Targets]) -> None:
    z, log_likelihoods, errors = likelihoods_of_draws(cohort(84.0))
    assert np.std(errors) < LARGEST_LATTICE_ERROR
    assert lattice_error_of(cohort(84.0), z, log_likelihoods) < LARGEST_LATTICE_ERROR


def test_the_warning_says_what_to_declare_and_how_far_means_may_move(cohort: Callable[[float], Targets]) -> None:
    fitted = fit.run(cohort(84.0), seed=1, wanted=50, effective=50.0, points=1000)
    assert fitted.warnings() == []
    (warning,) = replace(fitted, lattice_error=0.2).warnings()
    assert "posterior means may move by 0.20 posterior standard deviations" in warning
    assert "declare a `value` near the posterior mean" in warning
