"""The methods of a sensitivity analysis on functions whose answers are known in closed form."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.interpolate import BSpline
from worlds import slow

from simulator.analyses.sensitivity import prcc, sobol, tornado, value_of_information
from simulator.analyses.sensitivity.alternatives import Alternative, table, weights_of
from simulator.analyses.sensitivity.splines import smooth
from simulator.errors import InputError
from simulator.randomness import Uniforms

rng = np.random.default_rng


def test_a_partial_correlation_agrees_with_the_precision_matrix() -> None:
    # r = -P_xy / sqrt(P_xx P_yy), P the inverse of the correlation matrix: no regression in it.
    data = rng(1).multivariate_normal(np.zeros(5), stats.wishart(8, np.eye(5), seed=2).rvs(), size=400)
    precision = np.linalg.inv(np.corrcoef(data, rowvar=False))
    expected = -precision[0, 4] / np.sqrt(precision[0, 0] * precision[4, 4])
    correlation, freedom, _ = prcc.partial_correlation(data[:, 0], data[:, 4], data[:, 1:4])
    assert correlation == pytest.approx(expected, abs=1e-12)
    assert freedom == 400 - 3 - 3


def test_without_controls_the_partial_correlation_is_spearmans() -> None:
    x, y = rng(3).normal(size=(2, 200))
    draws = pd.DataFrame({"x": x, "sibling": -x})
    table = prcc.table(draws, np.exp(x) + y, {"x": ["x", "sibling"]})
    assert table["prcc"].iloc[0] == pytest.approx(stats.spearmanr(x, np.exp(x) + y).statistic, abs=1e-12)


def test_an_input_that_correlates_with_a_cause_is_not_taken_for_a_cause() -> None:
    cause = rng(4).normal(size=2000)
    bystander = cause + 0.3 * rng(5).normal(size=2000)
    table = prcc.table(
        pd.DataFrame({"cause": cause, "bystander": bystander}),
        cause**3 + 0.5 * rng(6).normal(size=2000),
        {"cause": ["cause"], "bystander": ["bystander"]},
    ).set_index("parameter")
    # Ranks of a cube are not linear, so the bystander keeps a small correlation: 0.05, where plain ranks give 0.75.
    assert table.loc["cause", "prcc"] > 0.3
    assert abs(table.loc["bystander", "prcc"]) < 0.1


def test_an_input_that_its_siblings_determine_has_no_correlation() -> None:
    x = rng(7).normal(size=100)
    assert np.isnan(prcc.partial_correlation(x, rng(8).normal(size=100), x[:, None])).all()


def test_the_interval_of_a_partial_correlation_has_its_coverage() -> None:
    """200 samples of 100: coverage of 180 or more, below which a binomial of 95 % is once in 900 times."""
    covered = 0
    for seed in range(200):
        x, control, noise = rng(seed).normal(size=(3, 100))
        draws = pd.DataFrame({"x": x, "control": control})
        # Spearman's rho of a bivariate normal with correlation r is 6 / pi asin(r / 2).
        row = prcc.table(draws, 0.5 * x + np.sqrt(0.75) * noise, {"x": ["x"]}).iloc[0]
        covered += row["lower"] < 6.0 / np.pi * np.arcsin(0.25) < row["upper"]
    assert covered >= 180


@pytest.mark.parametrize("effect", [slow(0.0), 1.0])
@pytest.mark.parametrize("share", [0.01, slow(0.05), 0.5])
def test_the_interval_of_an_input_that_rarely_differs_has_its_coverage_or_is_blank(share: float, effect: float) -> None:
    """200 samples of 400; the truth is that of 100,000. Fisher's own interval covers 85 % of the time."""

    def sample(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
        control, noise = rng(seed).normal(size=(2, n))
        x = (rng(1000 + seed).random(n) < share).astype(float)
        return pd.DataFrame({"x": x, "control": control}), control + effect * x + 0.3 * noise

    table = pd.concat(prcc.table(*sample(400, seed), {"x": ["x"]}) for seed in range(200))
    reported = table[table["prcc"].notna()]
    if share == 0.01:
        assert reported.empty
    else:
        truth = prcc.table(*sample(100_000, 999), {"x": ["x"]})["prcc"].iloc[0]
        covered = ((reported["lower"] < truth) & (truth < reported["upper"])).mean()
        # Below this a binomial of 95 % is once in 1,000 times.
        assert covered >= stats.binom.ppf(1e-3, len(reported), 0.95) / len(reported)


A, B = 7.0, 0.1


def ishigami(u: np.ndarray) -> np.ndarray:
    x = np.pi * (2.0 * u - 1.0)
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_indices_of_ishigamis_function() -> None:
    factors = [("first",), ("second",), ("third",)]
    n = 50_000
    draws = pd.DataFrame({name: (np.arange(n) + 0.5) / n for (name,) in factors} | {"fixed": 0.0})
    rows = sobol.rows(draws, factors, dict.fromkeys(draws, 0.5), 1024, 1)
    assert len(rows) == 1024 * 5
    assert set(rows["fixed"]) == {0.5}
    values = ishigami(rows[["first", "second", "third"]].to_numpy())
    table = sobol.table(factors, values, 0).set_index("parameter")
    total = A**2 / 8 + B * np.pi**4 / 5 + B**2 * np.pi**8 / 18 + 0.5
    alone = {"first": 0.5 * (1 + B * np.pi**4 / 5) ** 2, "second": A**2 / 8, "third": 0.0}
    together = 8 * B**2 * np.pi**8 / 225
    for name, expected in alone.items():
        shared = together if name != "second" else 0.0
        assert table.loc[name, "first_order"] == pytest.approx(expected / total, abs=0.02)
        assert table.loc[name, "total"] == pytest.approx((expected + shared) / total, abs=0.02)
    repeated = sobol.table(factors, values, 0).set_index("parameter")
    pd.testing.assert_frame_equal(table, repeated)


def test_siblings_are_one_input_with_values_of_one_draw() -> None:
    shares = rng(9).dirichlet([1, 2, 3], size=500)
    draws = pd.DataFrame(shares, columns=["a", "b", "c"]).assign(other=rng(10).normal(size=500))
    factors = [("a", "b", "c"), ("other",)]
    rows = sobol.rows(draws, factors, dict.fromkeys(draws, 0.0), 256, 2)
    assert rows[["a", "b", "c"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert set(rows["a"]) <= set(draws["a"])
    # Y = a + 2 b + other: the group's share of the variance, whatever the order in which its draws are taken.
    group = float((draws["a"] + 2 * draws["b"]).var() / ((draws["a"] + 2 * draws["b"]).var() + draws["other"].var()))
    table = sobol.table(factors, (rows["a"] + 2 * rows["b"] + rows["other"]).to_numpy(), 2).set_index("parameter")
    assert table.loc["a", "together"] == "a b c"
    assert table.loc["a", "total"] == pytest.approx(group, abs=0.03)


def test_sobol_totals_are_shares_of_the_variance_with_intervals_around_them() -> None:
    """Of x + 3 y, y explains nine tenths of the variance, x the tenth; the least known input is declared first."""
    draws = pd.DataFrame(rng(27).normal(size=(500, 2)), columns=["x", "y"])
    rows = sobol.rows(draws, [("x",), ("y",)], {"x": 0.0, "y": 0.0}, 256, 1)
    table = sobol.table([("x",), ("y",)], np.asarray(rows["x"] + 3 * rows["y"]), 1)
    assert table["total"].to_list() == pytest.approx([0.1, 0.9], abs=0.1)
    for index in ("first_order", "total"):
        half = table[index] - table[f"{index}_lower"]
        assert (half > 0.0).all()
        assert (table[f"{index}_upper"] - table[index]).to_list() == pytest.approx(half.to_list())


@pytest.mark.parametrize(("count", "power"), [(0.5, 1), (1, 1), (63.9, 32), (64, 64), (1000, 512)])
def test_the_number_of_base_samples_is_rounded_down_to_a_power_of_two(count: float, power: int) -> None:
    assert sobol.power_of_two(count) == power


@pytest.mark.parametrize("samples", [0, 15, 100, 3])
def test_a_number_of_samples_that_is_no_power_of_two_is_refused(samples: int) -> None:
    with pytest.raises(InputError, match="power of two"):
        sobol.check_samples(samples)


def test_the_error_of_a_smooth_curve_agrees_with_its_stated_variance() -> None:
    """Ten samples of sin(2x) with noise as large: mean squared error and stated variance, both about 0.07^2."""
    errors, stated = [], []
    for seed in range(10):
        x, noise = rng(seed).normal(size=(2, 2000))
        curve = smooth(x, np.sin(2 * x) + noise)
        errors.append(np.mean((curve.fitted - np.sin(2 * x)) ** 2))
        stated.append((curve.root**2).sum(axis=1).mean())
    assert np.mean(errors) < 0.1**2
    assert 0.6 < np.mean(errors) / np.mean(stated) < 1.7


def test_a_line_is_fitted_as_by_least_squares() -> None:
    x = stats.norm.ppf((rng(13).permutation(1000) + 0.5) / 1000)
    y = 3.0 - 2.0 * x + 0.1 * rng(14).normal(size=1000)
    slope, start = np.polyfit(x, y, 1)
    assert smooth(x, y).fitted == pytest.approx(start + slope * x, abs=0.02)


def test_a_constant_input_predicts_the_mean() -> None:
    y = rng(15).normal(size=100)
    assert smooth(np.ones(100), y).fitted == pytest.approx(y.mean())


def regret(mean: float, sd: float) -> float:
    """E max(0, N(mean, sd)) - max(0, mean)."""
    z = abs(mean) / sd
    return sd * float(stats.norm.pdf(z) - z * stats.norm.sf(z))


@pytest.mark.parametrize("mean", [0.0, 1.0, -2.0])
def test_the_value_of_information_of_a_normal_decision(mean: float) -> None:
    # D = mean + 2 x + y + noise; five standard errors, twelve comparisons: a false alarm in 100,000 runs.
    n = 4000
    x, y, other, noise = rng(16).normal(size=(4, n))
    net_benefit = mean + 2 * x + y + noise
    draws = pd.DataFrame({"x": x, "y": y, "other": other})
    table = value_of_information.table(net_benefit, draws, ["x", "y", "other"], 1).set_index("parameter")
    for name, sd in (("everything", np.sqrt(6)), ("x", 2.0), ("y", 1.0)):
        row = table.loc[name]
        assert abs(row["value"] - regret(mean, sd)) < 5 * row["standard_error"] + 0.02, name
    assert table.loc["other", "value"] < 4 * table.loc["other", "standard_error"] + 0.02
    assert table.index[0] == "everything"


def test_the_value_of_one_input_agrees_with_nested_monte_carlo() -> None:
    # A gain that bends and interacts: D = exp(x) - 2 + y (1 + x).
    def gain(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.exp(x) - 2.0 + y * (1.0 + x)

    x, y = rng(17).normal(size=(2, 4000))
    draws = pd.DataFrame({"x": x, "y": y})
    table = value_of_information.table(gain(x, y), draws, ["x", "y"], 1).set_index("parameter")
    outer, inner = rng(18).normal(size=(2, 4000))
    for name, by in (("x", lambda u: gain(u[:, None], inner)), ("y", lambda u: gain(inner, u[:, None]))):
        known = np.concatenate([by(part).mean(axis=1) for part in np.split(outer, 8)])
        nested = np.maximum(known, 0.0).mean() - max(known.mean(), 0.0)
        # Two samples of 4,000: each mean is known to about 0.03.
        assert table.loc[name, "value"] == pytest.approx(nested, abs=0.09), name


def test_an_upward_bias_is_reported_and_subtracted() -> None:
    """Between equal options even noise seems worth knowing: 20 samples in which knowing x is worth nothing."""
    values = []
    for seed in range(20):
        x, noise = rng(seed).normal(size=(2, 500))
        values.append(value_of_information.evppi(10.0 * noise, x, Uniforms(1), "x"))
    assert np.mean([value.upward_bias for value in values]) > 0.0
    assert np.mean([value.estimate for value in values]) < 0.1  # of an EVPI of 4
    assert all(value.estimate < 4 * value.standard_error for value in values)


def test_the_standard_error_of_a_value_agrees_with_repeated_samples() -> None:
    """Of 400 samples a standard deviation is known to 3.5 %: a bound of more than four of its standard errors."""
    net_benefits = 1.0 + 2.0 * rng(23).normal(size=(400, 150))
    values = [value_of_information.evpi(net_benefit) for net_benefit in net_benefits]
    spread = np.std([value.estimate for value in values], ddof=1)
    assert np.mean([value.standard_error for value in values]) == pytest.approx(spread, rel=0.15)


def test_an_input_that_determines_the_benefit_has_the_value_and_error_of_perfect_information() -> None:
    """The regression has hardly an error, so that all of the standard error comes from the number of draws."""
    net_benefit = 1.0 + 2.0 * stats.norm.ppf((rng(24).permutation(400) + 0.5) / 400)
    everything, input_ = (
        value_of_information.evpi(net_benefit),
        value_of_information.evppi(net_benefit, net_benefit, Uniforms(1), "x"),
    )
    assert input_.estimate == pytest.approx(everything.estimate, rel=1e-3)
    assert input_.standard_error == pytest.approx(everything.standard_error, rel=0.01)


def test_the_upward_bias_is_subtracted_from_the_value() -> None:
    x, noise = rng(25).normal(size=(2, 300))
    net_benefit = 0.1 * x + 2.0 * noise
    fitted, value = smooth(x, net_benefit).fitted, value_of_information.evppi(net_benefit, x, Uniforms(1), "x")
    assert value.upward_bias > 0.01
    naive_value = np.maximum(fitted, 0.0).mean() - max(fitted.mean(), 0.0)
    assert value.estimate + value.upward_bias == pytest.approx(naive_value)


def test_an_input_that_does_not_vary_is_worth_nothing() -> None:
    net_benefit = rng(26).normal(size=200)
    assert value_of_information.evppi(net_benefit, np.ones(200), Uniforms(1), "x") == value_of_information.Value(
        0, 0, 0
    )


def test_inputs_are_sorted_by_value_and_none_exceeds_perfect_information() -> None:
    capped = 0
    for seed in range(20):
        x, y, noise = rng(seed).normal(size=(3, 100))
        net_benefit = 2.0 * x + y + 0.1 * noise
        table = value_of_information.table(
            net_benefit, pd.DataFrame({"y": y, "x": x, "gain": net_benefit}), ["y", "x", "gain"], 1
        )
        assert table["parameter"].to_list() == ["everything", "gain", "x", "y"]
        assert table["value"].is_monotonic_decreasing
        capped += table.loc[1, "value"] == table.loc[0, "value"]
    assert capped > 0, "no estimate was larger than that of everything"


def test_a_weighted_mean_and_its_interval_agree_with_the_reweighted_law() -> None:
    # N(0, 1) reweighted to N(0.5, 1): known exactly. Bounds of five standard errors.
    x = rng(19).normal(size=20_000)
    log_weights = 0.5 * x - 0.125
    # Logarithms of likelihoods are far from 0: only their differences count.
    row = table(x, [Alternative("moved", "", x, weights_of(log_weights + 800.0))]).iloc[0]
    assert abs(row["estimate"] - 0.5) < 5 * np.sqrt(1.3 / 20_000)
    assert abs(row["change"] - 0.5) < 5 * row["change_se"]
    assert (row["lower"], row["upper"]) == pytest.approx((0.5 - 1.96, 0.5 + 1.96), abs=0.1)
    assert row["effective_draws"] == pytest.approx(20_000 / np.exp(0.25), rel=0.05)


def test_an_outcome_that_may_be_infinite_has_the_median_of_the_reweighted_law_and_its_error() -> None:
    """Two medians of n normal values each: their difference has the variance pi / n (Laplace 1818)."""
    declared, other = rng(21).normal(size=(2, 2000))
    rows = table(declared, [Alternative("other", "", other, np.ones(2000))], medians=True).iloc[0]
    assert rows["estimate"] == pytest.approx(np.median(other))
    assert rows["change"] == pytest.approx(np.median(other) - np.median(declared))
    # 200 resamples give a standard error to 5 %, and the density about a median of 2,000 values to 10 %.
    assert rows["change_se"] == pytest.approx(np.sqrt(np.pi / 2000), rel=0.35)
    moved = table(declared, [Alternative("moved", "", declared, weights_of(0.5 * declared))], medians=True).iloc[0]
    assert moved["estimate"] == pytest.approx(0.5, abs=4 * np.sqrt(np.pi / 2 / moved["effective_draws"]))
    endless = np.where(declared > 0.5, np.inf, declared)
    unreached = table(endless, [Alternative("as declared", "", endless, np.ones(2000))], medians=True).iloc[0]
    assert unreached["estimate"] == pytest.approx(np.median(declared))
    assert unreached["change"] == 0.0


@pytest.mark.parametrize("heavy", [0.0, 0.5])
def test_copies_of_draws_do_not_change_the_standard_error_of_a_change(heavy: float) -> None:
    declared, other, log_weights = rng(21).normal(size=(3, 400))
    drawn = np.arange(400)

    def change_of(copies: np.ndarray) -> pd.Series:
        alternatives = [Alternative("other", "", other[copies], weights_of(heavy * log_weights[copies]))]
        return table(declared[copies], alternatives, copies).iloc[0]

    single, tripled = change_of(drawn), change_of(np.tile(drawn, 3))
    assert tripled["change"] == pytest.approx(single["change"])
    assert tripled["change_se"] == pytest.approx(single["change_se"])

    # A weighted sample repeats some draws and omits others. The jackknife leaves out a draw with its copies.
    copies = rng(22).choice(drawn, size=400, p=weights_of(log_weights) / 400)
    change, numbers = change_of(copies), np.unique(copies)
    without = np.array([change_of(copies[copies != number])["change"] for number in numbers])
    jackknife = np.sqrt((numbers.size - 1) / numbers.size * ((without - without.mean()) ** 2).sum())
    assert change["change_se"] == pytest.approx(jackknife, rel=0.1)
    as_if_all_differed = table(declared[copies], [Alternative("", "", other[copies], np.ones(400))]).iloc[0]
    assert as_if_all_differed["change_se"] < 0.85 * jackknife


def test_too_few_effective_draws_leave_the_estimate_blank() -> None:
    x = rng(20).normal(size=400)
    row = table(x, [Alternative("far", "", x, weights_of(5.0 * x))]).iloc[0]
    assert row["effective_draws"] < 100
    assert np.isnan(row["estimate"])


# --- Smoothness ---


def penalised(x: np.ndarray, y: np.ndarray, caution: float) -> tuple[np.ndarray, float]:
    """The fit of least n RSS / (n - caution edf)^2 and its edf, by least squares with the penalty as further rows."""
    scores = stats.norm.ppf((stats.rankdata(x) - 0.5) / len(x))
    spacing = np.ptp(scores) / 12
    knots = scores.min() + spacing * np.arange(-3, 16)
    basis = BSpline.design_matrix(np.clip(scores, knots[3], knots[-4]), knots, 3).toarray()
    second = np.diff(np.eye(basis.shape[1]), 2, axis=0)
    best = (np.inf, y, 0.0)
    for amount in np.geomspace(1e-3, 1e6, 37) * len(y) / 100.0:
        rows = np.vstack([basis, np.sqrt(amount) * second])
        hat = basis @ np.linalg.pinv(rows)[:, : len(y)]
        edf = float(np.trace(hat))
        residuals = y - hat @ y
        criterion = float(len(y) * residuals @ residuals / (len(y) - caution * edf) ** 2)
        if criterion < best[0]:
            best = (criterion, hat @ y, edf)
    return best[1], best[2]


def test_the_smoothness_follows_from_cross_validation_with_1_4_per_degree_of_freedom() -> None:
    """Kim and Gu (2004). In some of the samples the plain criterion, 1 each, takes a rougher curve."""
    rougher = 0
    for seed in range(30):
        x, noise = rng(seed).normal(size=(2, 150))
        y = np.sin(2 * x) + 2.0 * noise
        cautious, plain = penalised(x, y, 1.4), penalised(x, y, 1.0)
        assert smooth(x, y).fitted == pytest.approx(cautious[0], abs=1e-5)
        rougher += plain[1] > cautious[1] + 0.5
    assert rougher >= 2


def test_the_error_of_a_smooth_curve_uses_its_residual_degrees_of_freedom() -> None:
    """Wood (2017): Cov of the fit is s^2 B (B'B + a P)^-1 B', s^2 = RSS / (n - edf); a straight line has edf 2."""
    x, noise = rng(31).normal(size=(2, 200))
    scores = stats.norm.ppf((stats.rankdata(x) - 0.5) / 200)
    y = 3.0 * scores + noise
    curve = smooth(x, y)
    fitted, edf = penalised(x, y, 1.4)
    assert edf == pytest.approx(2.0, abs=0.05)
    design = np.column_stack([np.ones(200), scores])
    s2 = np.sum((y - fitted) ** 2) / (200 - edf)
    line = s2 * np.einsum("ij,jk,ik->i", design, np.linalg.inv(design.T @ design), design)
    assert (curve.root**2).sum(axis=1) == pytest.approx(line, rel=0.05)


def tornado_of(draws: pd.DataFrame, values: list[float]) -> pd.DataFrame:
    """The tornado of two inputs, from the outcome at the centre and at the ends of each."""
    inputs: Any = SimpleNamespace(
        names=["x", "y"],
        constant=[],
        draws=draws,
        silent=[],
        centre={"x": 0.5, "y": 0.5},
        unit=lambda name: "months",
        ends=lambda name: (0.0, 1.0),
    )
    return tornado.table(inputs, ["x", "y"], np.array(values)).set_index("parameter")


def test_an_input_is_never_named_as_correlated_with_itself() -> None:
    """Over the four corners of a square the ranks of both inputs have no correlation at all."""
    draws = pd.DataFrame({"x": [0.0, 0.0, 1.0, 1.0], "y": [0.0, 1.0, 0.0, 1.0]})
    table = tornado_of(draws, [0.5, 0.4, 0.6, 0.5, 0.5])
    assert table["correlated_with"].to_dict() == {"x": "y", "y": "x"}
    assert table["correlation"].to_list() == [0.0, 0.0]


def test_a_swing_includes_the_centre_and_a_correlation_is_of_ranks() -> None:
    """The outcome is largest at the centre of x; y is the fifth power of x, whose ranks are those of x."""
    x = np.linspace(-1.0, 2.0, 50)
    table = tornado_of(pd.DataFrame({"x": x, "y": x**5}), [0.9, 0.4, 0.6, 0.9, 0.7])
    assert table["swing"].to_list() == pytest.approx([0.5, 0.2])
    assert table["correlation"].to_list() == pytest.approx([1.0, 1.0])
