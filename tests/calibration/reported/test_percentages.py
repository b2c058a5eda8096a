"""Survival printed as a percentage, against the binomial, the beta integral, and Kaplan-Meier with Greenwood."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from worlds import slow

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets, load_targets
from calibration.reported import percentages
from calibration.reported.figure import cells
from calibration.reported.kinds.survival import Survival
from calibration.reported.percentages import Percentage
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, CohortTable

NewCohort = Callable[..., Targets]


def cohort(n: int = 60, no_censoring_before: float = 0.0) -> Cohort:
    declared = CohortTable(title="", citation="", pathway="", clock="relapse", n=n, seed=1, arms={})
    rest = Path(), declared, "made up", "", "", "relapse", n, {}, None, pd.DataFrame()
    return Cohort(*rest, no_censoring_before=no_censoring_before)


def row(value: float | str, where: str = "", **columns: float | str) -> Survival:
    """A percentage as it is printed, with the digits that it needs."""
    printed = {"value": value, "standard_error": "", "lower": "", "upper": ""}
    printed |= {name: value for name, value in columns.items() if name in printed}
    texts = {f"printed_{name}": str(value) if value == value else "" for name, value in printed.items()}
    numbers = {name: float(value) if value != "" else np.nan for name, value in printed.items()}
    named = {"name": "it", "use": "likelihood", "population": "all", "unit": "%", "month": 12.0}
    return Survival(**cells({**named, **columns, **numbers, **texts}, 7, Path()) | {"where": where})


def test_a_whole_count_is_the_binomial() -> None:
    probabilities = np.array([0.1, 0.35, 0.9])
    log_likelihood = Percentage("all", 12.0, 13.0, 37.0).log_likelihood(probabilities)
    np.testing.assert_allclose(log_likelihood, stats.binom.logpmf(13, 37, probabilities), rtol=1e-12)


@pytest.mark.parametrize(("alive", "n"), [(29.64, 57.0), (0.4, 3.3), (0.0, 5.0), (5.0, 5.0)])
def test_a_count_that_is_not_whole_integrates_as_a_beta(alive: float, n: float) -> None:
    percentage = Percentage("all", 12.0, alive, n)
    total, _ = integrate.quad(lambda p: np.exp(percentage.log_likelihood(np.array(p))), 0.0, 1.0)
    assert total * (n + 1.0) == pytest.approx(1.0, rel=1e-8)


def test_a_standard_error_gives_the_number_of_patients_that_a_figure_stands_for() -> None:
    assert percentages.read(row(52, standard_error=10.0), cohort()).n == pytest.approx(0.52 * 0.48 / 0.01)
    interval = row(52, lower=52 - 19.6, upper=52 + 19.6)
    assert percentages.read(interval, cohort()).n == pytest.approx(0.52 * 0.48 / 0.01, rel=1e-4)


def test_a_censored_figure_stands_for_fewer_patients_and_a_complete_one_for_all(lifelines: Any) -> None:
    rng = np.random.default_rng(3)
    died, followed = rng.exponential(12.0, 80), rng.uniform(3.0, 30.0, 80)
    for censored, least in ((followed, 30.0), (np.full(80, 50.0), 80.0 - 1e-6)):
        curve = lifelines.KaplanMeierFitter().fit(np.minimum(died, censored), died <= censored)
        alive = float(curve.predict(12.0))
        at = curve.event_table[(curve.event_table.index <= 12.0) & (curve.event_table["observed"] > 0)]
        greenwood = alive * np.sqrt((1.0 / (at["at_risk"] * (at["at_risk"] - 1.0))).sum())
        n = percentages.read(row(100 * alive, standard_error=100 * greenwood), cohort(80)).n
        assert least <= n <= 80.0 + 1e-6
    assert percentages.read(row(100 * alive, standard_error=100 * greenwood, n=80), cohort(80)).n <= 80.0


def test_without_an_error_nobody_is_taken_as_censored_and_a_warning_says_so() -> None:
    percentage = percentages.read(row(52, "targets.csv: line 3", n=57.0), cohort())
    assert (percentage.n, percentage.alive) == (57.0, pytest.approx(29.64))
    assert percentage.warning.startswith("targets.csv: line 3: no standard error")
    assert percentages.read(row(100, n=5.0), cohort()).warning == ""
    assert percentages.read(row(52, standard_error=10.0), cohort()).warning == ""
    assert not percentages.read(row(52, n=60), cohort(no_censoring_before=12.0)).warning


REFUSED = {
    "no n": (row(52), "no standard error and no n"),
    "100 % without n": (row(100), "0 and 100 % need the number of patients"),
    "0 % without n": (row(0, standard_error=0.0), "0 and 100 % need"),
    "more than all": (row(120, n=10.0), "value: not a percentage; got '120'; allowed: 0 to 100"),
    "nothing": (row(np.nan, n=10.0), "a percentage is missing"),
    "an error smaller than n patients can give": (
        row(52, standard_error=4, n=57.0),
        "smaller than 57 patients .* got '52 ± 4",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_percentage_that_cannot_be_used_is_refused(case: str) -> None:
    printed, complaint = REFUSED[case]
    with pytest.raises(InputError, match=f"line 7.*{complaint}"):
        percentages.read(replace(printed, where="line 7"), cohort())


def test_without_censoring_a_percentage_is_a_count() -> None:
    for whole in (row(35, standard_error=8, n=37.0), row(35, standard_error=8), row(35, n=37.0)):
        percentages.check_counted(whole, cohort(37, 12.0))
    for wrong in (row(35, standard_error=5, n=37.0), row(36, n=37.0), row(35, standard_error=3)):
        percentages.check_counted(wrong, cohort(37, 6.0))
        with pytest.raises(InputError, match=r"line 7: no count .* nobody is censored before month 12"):
            percentages.check_counted(replace(wrong, where="line 7"), cohort(37, 12.0))


def test_without_censoring_a_count_that_prints_another_percentage_is_refused() -> None:
    with pytest.raises(InputError, match=r"12 of 37 patients do not .*.13 of 37 gives 35.1 ± 7.8 %.*allowed: the"):
        percentages.check_counted(row(35, "line 7", count=12.0, n=37.0), cohort(37, 12.0))


@pytest.mark.parametrize(("month", "at_risk"), [(15.0, 9.9), (35.0, 0.1)])
def test_a_figure_with_few_patients_at_risk_makes_a_fit_too_certain_and_gives_a_warning(
    month: float, at_risk: float
) -> None:
    followed = replace(cohort(40), follow_up=(6.0, 36.0))
    survival = 2.0 ** (-month / 10.0)
    assert 40 * survival * min((36.0 - month) / 30.0, 1.0) == pytest.approx(at_risk, abs=0.02)
    printed = row(round(100 * survival), standard_error=9.0, n=40.0, month=month, use="likelihood")
    warning = percentages.at_risk_warning(printed, followed)
    covered = coverage(month, 2000)
    if at_risk > 5.0:
        assert warning == ""
        assert covered > 0.925
    else:
        assert "month 35" in warning
        assert "about 0.1 of 40 patients are still at risk" in warning
        assert covered < 0.9


def coverage(month: float, n_cohorts: int) -> float:
    """Share of 95 % intervals that hold the true median: cohorts of 40, follow-up 6 to 36 months, Greenwood's error."""
    rng, medians = np.random.default_rng(5), np.geomspace(0.5, 200.0, 1500)
    log_prior = -0.5 * (np.log(medians / 10.0) / 0.5) ** 2
    is_covered = []
    for _ in range(n_cohorts):
        median = 10.0 * np.exp(0.5 * rng.standard_normal())
        death, end = median * rng.exponential(size=40) / np.log(2.0), rng.uniform(6.0, 36.0, 40)
        at_risk = 40.0 - np.searchsorted(np.sort(np.minimum(death, end)), death[(death <= end) & (death <= month)])
        alive = np.prod(1.0 - 1.0 / at_risk)
        if not 0.0 < alive < 1.0:
            continue
        size = min(alive * (1.0 - alive) / (alive**2 * np.sum(1.0 / (at_risk * (at_risk - 1.0)))), 40.0)
        log_posterior = Percentage("all", month, alive * size, size).log_likelihood(2.0 ** (-month / medians))
        weights = np.exp(log_posterior + log_prior - np.max(log_posterior + log_prior))
        is_covered.append(0.025 < np.interp(median, medians, np.cumsum(weights) / weights.sum()) < 0.975)
    return float(np.mean(is_covered))


def usual_intervals(lifelines: Any, alive: int, n: int) -> dict[str, tuple[float, float]]:
    """Intervals in percent of other libraries: Kaplan-Meier's log-log, Wilson's, Clopper and Pearson's."""
    died = np.where(np.arange(n) < alive, 24.0, 6.0)
    curve = lifelines.KaplanMeierFitter().fit(died, died < 24.0)
    intervals = {"log-log": tuple(curve.confidence_interval_survival_function_.loc[6.0])} if 0 < alive < n else {}
    for method in ("wilson", "exact"):
        ends = stats.binomtest(alive, n).proportion_ci(method=method)
        intervals[method] = (ends.low, ends.high)
    return {method: (100.0 * low, 100.0 * high) for method, (low, high) in intervals.items()}


@pytest.mark.representatives(6)
@pytest.mark.parametrize(("alive", "n"), [(1, 3), (1, 8), (5, 8), (13, 18), (19, 20), (27, 60), (300, 400)])
@pytest.mark.parametrize("digits", [0, 1])
def test_a_percentage_stands_for_no_more_patients_than_the_count_that_prints_it(
    lifelines: Any, alive: int, n: int, digits: int
) -> None:
    share = alive / n
    error = {"standard_error": f"{100 * np.sqrt(share * (1 - share) / n):.{digits}f}"}
    ends = usual_intervals(lifelines, alive, n).values()
    intervals = [{"lower": f"{low:.{digits}f}", "upper": f"{high:.{digits}f}"} for low, high in ends]
    assert len(intervals) == 3
    for interval in (error, *intervals):
        for size in ({"n": float(n)}, {}):
            whole = row(f"{100 * share:.{digits}f}", **interval, **size)
            percentages.check_error(whole)
            percentages.check_counted(whole, cohort(n, 12.0))
            assert percentages.read(whole, cohort(n)).n <= n


@pytest.mark.parametrize("digits", [0, 1])
@pytest.mark.parametrize("n", [6, 11, 38, slow(150)])
def test_errors_and_intervals_of_counts_are_never_refused_as_too_small(n: int, digits: int) -> None:
    """Every count of n, nobody censored, its percentage and its error rounded: none is refused."""
    z = 1.959963984540054
    for alive in range(1, n):
        share = alive / n
        value = f"{100 * share:.{digits}f}"
        if float(value) in (0.0, 100.0):
            continue
        error = np.sqrt(share * (1 - share) / n)
        theta = np.arcsin(np.sqrt(share)) + np.array([-z, z]) / (2 * np.sqrt(n))
        arcsine = np.sin(np.clip(theta, 0, np.pi / 2)) ** 2
        log_log = share ** np.exp(np.array([z, -z]) * error / (share * -np.log(share)))
        plain = np.clip(share + z * error * np.array([-1, 1]), 0, 1)
        for ends in (arcsine, log_log, plain):
            lower, upper = (f"{100 * end:.1f}" for end in ends)
            percentage = percentages.read(row(value, lower=lower, upper=upper, n=n), cohort(n))
            assert 0 < percentage.n <= n
        printed = f"{100 * error:.1f}"
        if float(printed) > 0:
            assert percentages.read(row(value, standard_error=printed, n=n), cohort(n)).n <= n


@pytest.mark.parametrize(("alive", "value"), [(0, 0), (8, 100)])
def test_0_and_100_percent_have_intervals(lifelines: Any, alive: int, value: int) -> None:
    for low, high in usual_intervals(lifelines, alive, 8).values():
        whole = row(value, n=8.0, lower=f"{max(low, 0.0):.0f}", upper=f"{high:.0f}")
        percentages.check_error(whole)
        percentages.check_counted(whole, cohort(8, 12.0))
        assert percentages.read(whole, cohort(8)).n == 8.0


def test_an_interval_that_another_number_of_patients_gives_is_refused(lifelines: Any) -> None:
    low, high = usual_intervals(lifelines, 27, 60)["wilson"]
    interval = {"lower": f"{low:.0f}", "upper": f"{high:.0f}"}
    percentages.check_counted(row(45, n=60.0, **interval), cohort(120, 12.0))
    with pytest.raises(InputError, match=r"no count of 120 patients .* about 36 to 54.*got '45 %, 33 to 58'"):
        percentages.check_counted(row(45, n=120.0, **interval), cohort(120, 12.0))


def test_percentages_enter_the_likelihood_as_binomials(new_cohort: NewCohort) -> None:
    targets = new_cohort(40, "alive,survival,all,,,6,,40,61", "of_women,survival,sex=female,,,6,,10,33")
    log_likelihood = Likelihood(targets)({"uptake": np.array([[0.4], [0.7]])})
    alive = np.exp(-6.0 / 10.0)
    beta = sum(stats.beta.logpdf(alive, k + 1, n - k + 1) - np.log(n + 1) for k, n in ((24.4, 40), (3.3, 10)))
    np.testing.assert_allclose(log_likelihood, beta, atol=2e-4)
    assert len(targets.warnings) == 2


def test_survival_by_an_attribute_of_all_is_fitted_as_survival_of_the_level(new_cohort: NewCohort) -> None:
    arms = ("treated,patients,treated,,,,7,20,", "untreated,patients,untreated,,,,13,20,")
    values = {"uptake": np.array([[0.2], [0.4], [0.7]]), "treated_mean": np.array([[10.0], [30.0], [50.0]])}
    by_attribute = new_cohort(20, *arms, "alive,survival,all,,sex=female,12,,5,40")
    by_population = new_cohort(20, *arms, "alive,survival,sex=female,,,12,,5,40")
    np.testing.assert_array_equal(Likelihood(by_attribute)(values), Likelihood(by_population)(values))
    with pytest.raises(InputError, match=r"line 4: survival by an attribute of an arm cannot be fitted"):
        new_cohort(20, *arms, "alive,survival,treated,,sex=female,12,,5,40")


def test_survival_of_two_arms_together_is_a_mixture(new_cohort: NewCohort) -> None:
    targets = new_cohort(40, "alive,survival,all,,,6,,40,61")
    likelihood = Likelihood(targets)
    for mean in (5.0, 20.0):
        log_likelihood = likelihood({"uptake": np.array([[0.4]]), "treated_mean": np.array([[mean]])})
        alive = 0.4 * np.exp(-6.0 / mean) + 0.6 * np.exp(-0.6)
        assert log_likelihood == pytest.approx(stats.beta.logpdf(alive, 25.4, 16.6) - np.log(41), abs=2e-3)


def test_a_shipped_cohort_warns_of_its_assumption() -> None:
    (warning,) = load_targets("schultz2023").warnings
    assert f"{Path('schultz2023') / 'targets.csv'}: line 3: no standard error" in warning
    assert "none of 57 patients were censored" in warning
