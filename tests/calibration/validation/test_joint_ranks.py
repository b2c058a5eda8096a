"""Joint ranks and randomised PITs are uniform if the model is right, whatever ties and dependence; else they are not.

Uniform ranks fail a test here once in a million (Kolmogorov-Smirnov; fixed seeds).
"""

import numpy as np
import pytest
from scipy import stats

from calibration.validation.joint_ranks import Ranks
from simulator.arrays import Floats

FALSE_ALARM = 1e-6
WORLDS, COHORTS = 600, 99


def world(rng: np.random.Generator, shift: float = 0.0) -> tuple[Floats, Floats]:
    """The figures of one reported and 99 simulated cohorts: three counts of one share, and a time that may be endless.

    shift : of the share of the reported cohort, on the logit scale
    """
    logit = rng.normal(0.3, 1.0, COHORTS + 1) + np.where(np.arange(COHORTS + 1) == 0, shift, 0.0)
    share = 1 / (1 + np.exp(-logit))
    treated = rng.binomial(18, share)
    time = rng.exponential(10 * share)
    figures = np.column_stack([treated, rng.binomial(treated, 0.8), rng.binomial(5, share), time])
    figures[figures[:, 3] > 20, 3] = np.inf
    return figures[0], figures[1:]


@pytest.fixture(scope="module")
def of_worlds() -> list[Ranks]:
    rng = np.random.default_rng(11)
    return [Ranks.of(*world(rng), seed) for seed in range(WORLDS)]


def assert_uniform(shares: Floats) -> None:
    """Discrete shares 1/100 .. 100/100, spread over their cells."""
    spread = shares - np.random.default_rng(3).random(shares.size) / (COHORTS + 1)
    assert stats.kstest(spread, "uniform").pvalue > FALSE_ALARM


def test_the_joint_rank_of_the_truth_is_uniform(of_worlds: list[Ranks]) -> None:
    assert_uniform(np.array([ranks.joint() for ranks in of_worlds]))


@pytest.mark.parametrize("figure", range(4))
def test_the_randomised_pit_of_the_truth_is_uniform(figure: int, of_worlds: list[Ranks]) -> None:
    assert_uniform(np.array([ranks.pits[0, figure] for ranks in of_worlds]) + 0.5 / (COHORTS + 1))


def test_the_evenness_of_all_pits_is_uniform_though_the_figures_depend_on_one_another(of_worlds: list[Ranks]) -> None:
    assert_uniform(np.array([ranks.uneven() for ranks in of_worlds]))


def test_the_share_that_survives_better_than_the_truth_is_uniform(of_worlds: list[Ranks]) -> None:
    better = np.array([ranks.above(np.array([1.0, 1.0, 0.0, 1.0])) for ranks in of_worlds])
    spread = better + np.random.default_rng(4).uniform(-0.5, 0.5, better.size) / COHORTS
    assert stats.kstest(spread, "uniform", args=(-0.5 / COHORTS, 1 + 1 / COHORTS)).pvalue > FALSE_ALARM


def test_a_model_that_predicts_survival_too_high_is_found_out() -> None:
    rng = np.random.default_rng(12)
    ranks_of_seeds = [Ranks.of(*world(rng, shift=-3.0), seed) for seed in range(100)]
    assert np.mean([ranks.above(np.array([1.0, 0.0, 0.0, 0.0])) >= 0.9 for ranks in ranks_of_seeds]) > 0.8
    assert np.mean([ranks.above(np.array([-1.0, 0.0, 0.0, 0.0])) <= 0.1 for ranks in ranks_of_seeds]) > 0.8
    # Five standard errors above the 10 % of a right model.
    assert np.mean([ranks.joint() < 0.1 for ranks in ranks_of_seeds]) > 0.25


def test_figures_that_do_not_go_together_lie_far_out_though_each_is_inside() -> None:
    """Among cohorts in which two figures agree, one where they differ by two standard deviations."""
    rng = np.random.default_rng(13)
    first = rng.normal(size=1000)
    simulated = np.column_stack([first, first + 0.1 * rng.normal(size=1000)])
    ranks = Ranks.of(np.array([1.0, -1.0]), simulated, seed=1)
    assert (np.abs(ranks.pits[0] - 0.5) < 0.45).all()
    assert ranks.joint() < 0.005
    assert Ranks.of(np.array([1.0, 1.0]), simulated, seed=1).joint() > 0.3


def test_a_figure_that_is_another_again_adds_nothing() -> None:
    rng = np.random.default_rng(14)
    once = rng.normal(size=(500, 1))
    reported = np.array([1.7])
    twice = Ranks.of(np.repeat(reported, 2), np.repeat(once, 2, axis=1), seed=1)
    assert twice.joint() == Ranks.of(reported, once, seed=1).joint()


def test_a_simulated_cohort_that_lacks_a_figure_is_left_out() -> None:
    simulated = np.array([[1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]])
    assert Ranks.of(np.array([2.0, 3.0]), simulated, seed=1).pits.shape == (3, 2)
