"""Uncertainty over draws and over replications, kept apart: recovered where it is known.

Statistical tests share FALSE_ALARM: fewer than one suite in 10,000 fails by chance, though seeds are fixed.
"""

import numpy as np
import pytest
from scipy import stats

from simulator.arrays import Floats
from simulator.experiment import resource_tables
from simulator.experiment.centre import ResourceDraws
from simulator.pathway.format import load_pathway
from simulator.scenario.arrivals import Service
from simulator.scenario.scenario import Scenario

FALSE_ALARM = 1e-4 / 5
DRAWS, REPLICATIONS = 4_000, 4
BETWEEN, WITHIN = 2.0, 3.0
"""Standard deviations."""

KEY = ("beds", 0, "wait_mean")


def normals(between: float, within: float, seed: int = 1) -> Floats:
    generator = np.random.default_rng(seed)
    means = generator.normal(10.0, between, size=(DRAWS, 1))
    return np.asarray(means + generator.normal(0.0, within, size=(DRAWS, REPLICATIONS)))


def scenario(name: str, precision: float = 0.1) -> Scenario:
    service = Service(years=1.0, arrivals_per_year=12.0, precision=precision)
    return Scenario(name, load_pathway("three_state"), service=service)


def resources(values: Floats) -> list[ResourceDraws]:
    months = np.arange(3.0)
    parts = []
    for value in values:
        queue = np.tile(value[:, None], (1, months.size))
        parts.append(ResourceDraws({KEY: ("months", value)}, months, {"beds": queue}, {"beds": queue + 1.0}, {}))
    return parts


def row(values: Floats, precision: float = 0.1) -> dict[str, float]:
    (outcome,) = resource_tables.service([scenario("one", precision)], [resources(values)]).to_dict("records")
    return outcome


def test_the_replications_variance_is_recovered() -> None:
    """D (R - 1) S^2 / sigma^2 is chi-square with D (R - 1) degrees of freedom."""
    _, within = resource_tables.summary(normals(BETWEEN, WITHIN))
    freedom = DRAWS * (REPLICATIONS - 1)
    assert FALSE_ALARM / 2 < stats.chi2.cdf(freedom * within / WITHIN**2, freedom) < 1 - FALSE_ALARM / 2


@pytest.mark.parametrize(("between", "within"), [(2.0, 3.0), (2.0, 0.5), (1.0, 2.0)])
def test_the_interval_is_that_of_the_draws_and_not_of_chance(between: float, within: float) -> None:
    """Half of it over 1.96 is the standard deviation between draws, to 12 %; of the raw means it would be larger.

    A sample's 97.5 % quantile has the standard error sqrt(p (1 - p) / D) / density: 3.3 % of the distance here, and
    taking the noise away makes it at most 1 + within^2 / (R between^2) = 2 times as large.
    """
    values = normals(between, within)
    (_, lower, upper, _), _ = resource_tables.summary(values)
    assert (upper - lower) / 2 / 1.96 == pytest.approx(between, rel=0.12)
    raw = np.quantile(values.mean(axis=1), [0.025, 0.975])
    assert (raw[1] - raw[0]) / 2 / 1.96 == pytest.approx(np.sqrt(between**2 + within**2 / REPLICATIONS), rel=0.06)


def test_where_draws_do_not_differ_hardly_an_interval_is_left_or_none() -> None:
    """The variance of the means exceeds its noise by chance only: four standard errors are 4 sqrt(2 / D)."""
    most = np.sqrt(4 * np.sqrt(2 / DRAWS)) * WITHIN / np.sqrt(REPLICATIONS)
    summaries = [resource_tables.summary(normals(0.0, WITHIN, seed))[0] for seed in range(1, 9)]
    widths = np.array([summary.upper - summary.lower for summary in summaries])
    assert np.isnan(widths).any()
    assert (widths[np.isfinite(widths)] / 2 / 1.96 <= most).all()


def test_without_chance_the_interval_is_that_of_the_draws_as_they_are() -> None:
    values = np.repeat(np.arange(101.0)[:, None], 3, axis=1)
    assert resource_tables.summary(values) == ((50.0, 2.5, 97.5, 0.0), 0.0)


def test_the_monte_carlo_error_and_the_replications_wanted_by_hand() -> None:
    """Both draws have a variance of 2; 1.96^2 2 / (0.1 3)^2 / 2 = 42.7 replications of each bring it to 10 %."""
    outcome = row(np.array([[1.0, 3.0], [3.0, 5.0]]))
    assert outcome["estimate"] == 3.0
    assert outcome["replication_sd"] == pytest.approx(np.sqrt(2.0))
    assert outcome["monte_carlo_se"] == pytest.approx(np.sqrt(2.0 / 4))
    assert outcome["replications_wanted"] == 43.0
    assert row(np.array([[1.0, 3.0], [3.0, 5.0]]), precision=1.0)["replications_wanted"] == 1.0


def test_one_draw_has_no_interval_and_one_replication_no_monte_carlo_error() -> None:
    one_draw = row(np.array([[1.0, 3.0]]))
    assert np.isnan(one_draw["lower"])
    assert one_draw["monte_carlo_se"] == pytest.approx(1.0)
    one_replication = row(np.array([[1.0], [3.0]]))
    assert one_replication["estimate"] == 2.0
    assert all(np.isnan(one_replication[name]) for name in ("lower", "monte_carlo_se", "replications_wanted"))


def test_replications_in_which_nobody_waited_are_left_out() -> None:
    nan = np.nan
    outcome = row(np.array([[1.0, nan, 3.0], [nan, nan, nan], [4.0, 6.0, nan]]))
    assert outcome["estimate"] == pytest.approx((2.0 + 5.0) / 2)
    assert outcome["monte_carlo_se"] == pytest.approx(np.sqrt(2.0 / 4))
    nothing = row(np.full((2, 2), nan))
    assert np.isnan(nothing["estimate"])
    assert np.isnan(nothing["replications_wanted"])


def test_differences_are_taken_replication_by_replication() -> None:
    """The same chance in both scenarios leaves none in their difference."""
    values = normals(BETWEEN, WITHIN)
    shift = np.linspace(0.0, 1.0, DRAWS)[:, None]
    table = resource_tables.service([scenario("one"), scenario("two")], [resources(values), resources(values + shift)])
    first, second = table.to_dict("records")
    assert np.isnan(first["difference"])
    assert second["difference"] == pytest.approx(0.5)
    assert second["difference_lower"] == pytest.approx(0.025)
    assert second["difference_upper"] == pytest.approx(0.975)
    assert second["difference_monte_carlo_se"] == pytest.approx(0.0, abs=1e-12)


def test_the_share_of_draws_with_the_sign_of_a_difference_is_counted() -> None:
    """By a known shift of every draw, of which some have none, and one has no patient in the second scenario."""
    values, shift = normals(BETWEEN, WITHIN), np.linspace(-0.25, 0.75, DRAWS).round(1)
    second = values + shift[:, None]
    second[-1] = np.nan
    table = resource_tables.service([scenario("one"), scenario("two")], [resources(values), resources(second)])
    expected = np.count_nonzero(shift[:-1] > 0.0) / (DRAWS - 1)
    assert table["difference_same_sign"].iloc[1] == pytest.approx(expected)
    assert np.isnan(table["difference_same_sign"].iloc[0])


def test_the_queue_over_time_is_of_all_replications_of_all_draws() -> None:
    values = np.arange(100.0).reshape(25, 4)
    table = resource_tables.queue([scenario("one")], [resources(values)])
    assert table is not None
    assert table["month"].tolist() == [0.0, 1.0, 2.0]
    assert table["waiting"].tolist() == [49.5] * 3
    assert table["in_use"].tolist() == [50.5] * 3
    for series, more in (("waiting", 0.0), ("in_use", 1.0)):
        assert table[f"{series}_least"].tolist() == pytest.approx([np.quantile(values, 0.025) + more] * 3)
        assert table[f"{series}_most"].tolist() == pytest.approx([np.quantile(values, 0.975) + more] * 3)


def test_the_queue_over_time_has_the_share_of_all_replications_in_which_so_many_wait() -> None:
    table = resource_tables.queue(
        [scenario("one")], [resources(np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 9.0], [10.0, 40.0]]))]
    )
    assert table is not None
    columns = ("waiting_0", "waiting_1", "waiting_2", "waiting_3_to_9", "waiting_10_or_more")
    assert [table[name].tolist() for name in columns] == [[share] * 3 for share in (0.25, 0.125, 0.125, 0.25, 0.25)]


def test_the_mean_queue_has_the_uncertainty_of_every_other_outcome() -> None:
    values = normals(BETWEEN, WITHIN)
    months = resource_tables.queue([scenario("one")], [resources(values)])
    assert months is not None
    for _, month in months.iterrows():
        outcome = row(values)
        waiting = {key: month[f"waiting_{key}"] for key in ("lower", "upper", "monte_carlo_se")}
        assert waiting == pytest.approx({key: outcome[key] for key in waiting})
        assert (month["waiting_upper"] - month["waiting_lower"]) / 2 / 1.96 == pytest.approx(BETWEEN, rel=0.12)
        all_of_it = np.sqrt(BETWEEN**2 + WITHIN**2)
        assert (month["waiting_most"] - month["waiting_least"]) / 2 / 1.96 == pytest.approx(all_of_it, rel=0.06)


def test_of_one_replication_the_queue_has_no_interval_and_no_monte_carlo_error() -> None:
    table = resource_tables.queue([scenario("one")], [resources(np.array([[1.0], [3.0], [8.0]]))])
    assert table is not None
    assert table["waiting"].tolist() == [4.0] * 3
    assert table[["waiting_lower", "waiting_upper", "waiting_monte_carlo_se"]].isna().all(axis=None)
    assert table["waiting_least"].tolist() == pytest.approx([1.1] * 3)


def test_where_nothing_is_limited_there_is_no_queue() -> None:
    free = [ResourceDraws({KEY: ("months", np.ones(2))}, np.arange(3.0), {}, {}, {})]
    assert resource_tables.queue([scenario("one")], [free]) is None
