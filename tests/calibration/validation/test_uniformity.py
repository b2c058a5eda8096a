"""The band of uniform ranks, and coverage, against brute force and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration.validation.ecdf_bands import band, coverage, ecdf, judged, probability_of_leaving

N, POSSIBLE = 50, 120


def test_uniform_ranks_leave_the_band_as_often_as_stated() -> None:
    """20,000 simulated sets; five binomial standard errors of either."""
    limits = band(N, POSSIBLE, 0.05)
    stated = probability_of_leaving(N, limits.z, limits.lower * N, limits.upper * N)
    generator = np.random.default_rng(1)
    shares = [ecdf(generator.integers(0, POSSIBLE, N), POSSIBLE) for _ in range(20_000)]
    outside = np.mean([np.any((s < limits.lower - 1e-9) | (s > limits.upper + 1e-9)) for s in shares])
    assert stated <= 0.05
    assert outside == pytest.approx(stated, abs=5 * np.sqrt(0.05 * 0.95 / 20_000))


def test_at_one_point_the_band_is_a_binomial_interval() -> None:
    probability = probability_of_leaving(30, np.array([0.3]), np.array([4.0]), np.array([15.0]))
    assert probability == pytest.approx(1 - (stats.binom.cdf(15, 30, 0.3) - stats.binom.cdf(3, 30, 0.3)), abs=1e-12)


def test_at_two_points_the_probability_is_a_sum_over_the_trinomial() -> None:
    n, z, lower, upper = 12, np.array([0.25, 0.7]), np.array([1.0, 6.0]), np.array([5.0, 10.0])
    inside = sum(
        stats.multinomial.pmf([a, b - a, n - b], n, [0.25, 0.45, 0.3])
        for a in range(1, 6)
        for b in range(max(a, 6), 11)
    )
    assert probability_of_leaving(n, z, lower, upper) == pytest.approx(1 - inside, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "ranks"),
    [
        ("intervals too narrow", np.r_[np.arange(20), np.arange(100, 120)]),
        ("intervals too wide", np.arange(40, 80)),
        ("estimates too low", np.arange(70, 120)),
    ],
)
def test_ranks_that_pile_up_are_not_uniform(name: str, ranks: np.ndarray) -> None:
    generator = np.random.default_rng(2)
    table = pd.DataFrame({"fair": generator.integers(0, POSSIBLE, 200), name: np.resize(ranks, 200)})
    assert judged(table, POSSIBLE)["uniform"].tolist() == ["yes", "no"]


def test_the_ranks_of_exact_levels_are_counted() -> None:
    table = coverage(pd.DataFrame({"even": np.arange(POSSIBLE)}), POSSIBLE)
    assert table["covered"].tolist() == [60, 96, 114]
    assert (table["inside"] == "yes").all()


def test_coverage_is_bounded_by_the_binomial_of_all_rows_together() -> None:
    table = coverage(pd.DataFrame({"a": np.arange(POSSIBLE), "b": np.full(POSSIBLE, 60)}), POSSIBLE)
    lower, upper = stats.binom.ppf([0.05 / 6 / 2, 1 - 0.05 / 6 / 2], POSSIBLE, 0.8)
    rows = table[table["level"] == 0.8]
    assert rows[["lower", "upper"]].to_numpy().tolist() == [[lower, upper]] * 2
    assert rows["inside"].tolist() == ["yes", "no"]
