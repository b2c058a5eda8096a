"""Kaplan-Meier, log-rank, landmark and Simon-Makuch against lifelines, closed forms, brute force and hand counts."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.outcomes.episodes import Courses, Episodes, landmark, naive, simon_makuch, whole
from simulator.outcomes.kaplan_meier import KaplanMeier, kaplan_meier, numbers_at_risk
from simulator.outcomes.log_rank import log_rank


def patients(n: int, seed: int, *, grid: float = 0.0) -> Courses:
    """Patients with censoring, some of whom enter the state; times on a grid have many ties."""
    random = np.random.default_rng(seed)
    death, end, entered = random.weibull(0.9, n) * 8, random.uniform(2, 20, n), random.exponential(6, n)
    if grid:
        death, end, entered = (np.ceil(times / grid) * grid for times in (death, end, entered))
    last_seen = np.minimum(death, end)
    return Courses(last_seen, death <= end, np.where(entered <= last_seen, entered, np.inf))


def everybody(courses: Courses) -> Episodes:
    return whole(courses, np.zeros(courses.seen.size, dtype=bool))


def lifelines_curve(lifelines: Any, episodes: Episodes) -> Any:
    entry = episodes.start if np.isfinite(episodes.start).any() else None
    entry = None if entry is None else np.where(np.isfinite(entry), entry, 0.0)
    return lifelines.KaplanMeierFitter().fit(episodes.stop, episodes.died, entry=entry)


def assert_equal_curves(curve: KaplanMeier, reference: Any) -> None:
    for month in curve.months:
        expected = reference.survival_function_at_times(month).iloc[0]
        assert float(curve.at(month)) == pytest.approx(expected, abs=1e-10)
        at = reference.confidence_interval_.index.get_indexer([month])[0]
        lower, upper = reference.confidence_interval_.iloc[at]
        if 0.0 < expected < 1.0:
            np.testing.assert_allclose(curve.interval(month), (lower, upper), rtol=0, atol=1e-10)
            error = expected * math.sqrt(reference._cumulative_sq_.iloc[at].item())
            assert float(curve.standard_error(month)) == pytest.approx(error, abs=1e-10)


@pytest.mark.representatives(5)
@pytest.mark.parametrize("grid", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("n", [2, 10, 37, 500])
def test_kaplan_meier_with_its_error_and_interval_agrees_with_lifelines(lifelines: Any, n: int, grid: float) -> None:
    episodes = everybody(patients(n, seed=n, grid=grid))
    curve, reference = kaplan_meier(episodes), lifelines_curve(lifelines, episodes)
    assert_equal_curves(curve, reference)
    events = reference.event_table.loc[curve.months]
    np.testing.assert_array_equal(curve.at_risk, events["at_risk"])
    np.testing.assert_array_equal(curve.deaths, events["observed"])


def test_the_letters_standard_errors_are_greenwoods() -> None:
    """13 of 37, 13 of 18, 8 of 10 and 5 of 8 alive at 12 months, nobody censored before: as printed."""
    for alive, n, printed in ((13, 37, 7.85), (13, 18, 10.56), (8, 10, 12.65), (5, 8, 17.12)):
        died = np.arange(n) >= alive
        courses = Courses(np.where(died, 5.0 + np.arange(n) / n, 30.0), died, np.full(n, np.inf))
        assert 100 * float(kaplan_meier(everybody(courses)).standard_error(12.0)) == pytest.approx(printed, abs=0.005)


def test_a_patient_censored_in_the_month_of_a_death_is_at_risk_then() -> None:
    episodes = everybody(Courses(np.array([1.0, 2, 2, 3, 4]), np.array([True, True, False, False, True]), np.ones(5)))
    curve = kaplan_meier(episodes)
    np.testing.assert_array_equal(curve.at_risk, [5, 4, 1])
    np.testing.assert_allclose(curve.survival, [4 / 5, 3 / 5, 0])
    assert float(curve.standard_error(4.0)) == 0.0
    assert np.isnan(curve.interval(4.0)).all()
    assert float(curve.at(0.5)) == 1.0


def test_curves_without_deaths_or_without_patients_stay_at_one() -> None:
    alive = kaplan_meier(everybody(Courses(np.ones(3), np.zeros(3, dtype=bool), np.ones(3))))
    assert (float(alive.at(1.0)), float(alive.standard_error(1.0))) == (1.0, 0.0)
    curve_of_nobody = kaplan_meier(everybody(Courses(np.empty(0), np.empty(0, dtype=bool), np.empty(0))))
    assert float(curve_of_nobody.at(1.0)) == 1.0


def test_a_death_in_month_0_counts() -> None:
    died = np.array([True, False, False, False])
    curve = kaplan_meier(everybody(Courses(np.array([0.0, 1, 2, 3]), died, np.full(4, np.inf))))
    assert float(curve.at(0.0)) == 0.75


@pytest.mark.parametrize("grid", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("n", [4, 37, 400])
def test_the_log_rank_test_agrees_with_lifelines(lifelines: Any, n: int, grid: float) -> None:
    courses = patients(n, seed=n + 1, grid=grid)
    groups = [courses.only(np.arange(n) % 4 < 1), courses.only(np.arange(n) % 4 >= 1)]
    test = log_rank([everybody(group) for group in groups])
    first, second = groups
    reference = lifelines.statistics.logrank_test(first.seen, second.seen, first.died, second.died)
    assert test.statistic == pytest.approx(reference.test_statistic, abs=1e-10)
    assert test.p == pytest.approx(reference.p_value, abs=1e-10)


def test_the_log_rank_test_of_several_groups_agrees_with_lifelines(lifelines: Any) -> None:
    courses = patients(200, seed=5, grid=0.5)
    group_of = np.random.default_rng(5).integers(0, 4, 200)
    test = log_rank([everybody(courses.only(group_of == group)) for group in range(4)])
    reference = lifelines.statistics.multivariate_logrank_test(courses.seen, group_of, courses.died)
    assert (test.degrees, test.statistic) == (3, pytest.approx(reference.test_statistic, abs=1e-10))
    assert test.p == pytest.approx(reference.p_value, abs=1e-10)
    assert sum(test.excess) == pytest.approx(0.0, abs=1e-10)


def test_the_letters_three_arms_differ_by_the_untreated_only() -> None:
    """P < 0.001 for three arms, and no difference between HSCT and other treatment."""

    def arm(n: int, alive: int) -> Episodes:
        died = np.arange(n) >= alive
        return everybody(Courses(np.where(died, 1.0 + 5.0 * np.arange(n) / n, 40.0), died, np.full(n, np.inf)))

    hsct, other_treatment, untreated = arm(10, 8), arm(8, 5), arm(19, 0)
    assert log_rank([hsct, other_treatment, untreated]).p < 0.001
    assert log_rank([hsct, other_treatment]).p > 0.3


def test_groups_without_patients_do_not_differ() -> None:
    no_patients = everybody(Courses(np.empty(0), np.empty(0, dtype=bool), np.empty(0)))
    five_patients = everybody(patients(5, seed=1))
    for groups in ([], [no_patients, no_patients], [five_patients, no_patients], [five_patients]):
        test = log_rank(groups)
        assert (test.statistic, test.p) == (0.0, 1.0)


def brute_force(groups: list[Episodes]) -> float:
    """The chi^2 of two groups, patient by patient and death by death."""
    observed = expected = variance = 0.0
    for month in sorted({t for g in groups for t, d in zip(g.stop, g.died, strict=True) if d}):
        risk = [sum(a < month <= b for a, b in zip(g.start, g.stop, strict=True)) for g in groups]
        dead = [sum(d and t == month for t, d in zip(g.stop, g.died, strict=True)) for g in groups]
        n, d = sum(risk), sum(dead)
        observed, expected = observed + dead[0], expected + d * risk[0] / n
        if n > 1:
            variance += d * (n - d) / (n - 1) * risk[0] / n * risk[1] / n
    return (observed - expected) ** 2 / variance if variance else 0.0


def product_limit(episodes: Episodes, month: float) -> float:
    alive = 1.0
    for t in sorted({t for t, d in zip(episodes.stop, episodes.died, strict=True) if d and t <= month}):
        risk = sum(a < t <= b for a, b in zip(episodes.start, episodes.stop, strict=True))
        alive *= 1 - sum(d and s == t for s, d in zip(episodes.stop, episodes.died, strict=True)) / risk
    return alive


@pytest.mark.slow
@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.sampled_from([0.0, 1.0]))
def test_groups_formed_during_follow_up_agree_with_brute_force(seed: int, n: int, grid: float) -> None:
    """Kaplan-Meier with late entry, and the Mantel-Byar test, on Simon & Makuch's episodes and a landmark's."""
    courses = patients(n, seed, grid=grid)
    for episodes in (naive(courses), landmark(courses, 3.0), simon_makuch(courses)):
        groups = [episodes.of(True), episodes.of(False)]
        if all((group.start < group.stop).all() for group in groups):
            assert log_rank(groups).statistic == pytest.approx(brute_force(groups), abs=1e-9)
            for group in groups:
                curve = kaplan_meier(group)
                for month in (2.0, 6.0, 15.0):
                    assert float(curve.at(month)) == pytest.approx(product_limit(group, month), abs=1e-12)


@pytest.mark.parametrize("grid", [0.0, 0.5])
def test_the_simon_makuch_curve_agrees_with_lifelines_and_late_entry(lifelines: Any, grid: float) -> None:
    courses = patients(300, seed=9, grid=grid)
    episodes = simon_makuch(courses)
    for group in (True, False):
        group_episodes = episodes.of(group)
        group_episodes = Episodes(
            *(
                column[group_episodes.start < group_episodes.stop]
                for column in (group_episodes.start, group_episodes.stop, group_episodes.died, group_episodes.group)
            )
        )
        assert_equal_curves(kaplan_meier(group_episodes), lifelines_curve(lifelines, group_episodes))


def test_a_small_cohort_counted_by_hand() -> None:
    """Five patients: two enter in months 2 and 4, one of whom dies in month 6; one dies in month 1, one in month 3."""
    inf = np.inf
    seen, died = np.array([9.0, 6, 1, 3, 9]), np.array([False, True, True, True, False])
    courses = Courses(seen, died, np.array([2.0, 4, inf, inf, inf]))
    as_naive = naive(courses)
    assert [float(kaplan_meier(as_naive.of(g)).at(8.0)) for g in (True, False)] == [0.5, pytest.approx(1 / 3)]
    # Month 3: the patient who enters in month 4 still counts as other; the one dead in month 1 is left out.
    at_3 = landmark(courses, 2.5)
    assert sorted(at_3.stop[at_3.group]) == [9]
    assert sorted(at_3.stop[~at_3.group]) == [3, 6, 9]
    assert float(kaplan_meier(at_3.of(False)).at(8.0)) == pytest.approx(2 / 3 * 1 / 2)
    changing_groups = simon_makuch(courses)
    # Others: 5 at risk in month 1, 3 in month 3 (one has entered, one is dead). Entered: 2 at risk in month 6.
    assert float(kaplan_meier(changing_groups.of(False)).at(8.0)) == pytest.approx(4 / 5 * 2 / 3)
    assert float(kaplan_meier(changing_groups.of(True)).at(8.0)) == pytest.approx(1 / 2)
    np.testing.assert_array_equal(numbers_at_risk(changing_groups.of(True), np.array([1.0, 3, 5, 9.5])), [0, 1, 2, 0])


def test_a_death_in_the_month_of_entry_counts_in_the_group_entered() -> None:
    courses = Courses(np.array([5.0, 8.0]), np.array([True, False]), np.array([5.0, 1.0]))
    curve = kaplan_meier(simon_makuch(courses).of(True))
    assert float(curve.at(6.0)) == 0.5


@pytest.mark.parametrize("hazard_ratio", [1.0, 0.5])
def test_only_naive_groups_differ_if_entry_changes_nothing(hazard_ratio: float) -> None:
    """20,000 patients with a hazard of 0.1 a month who enter at 0.2 a month; within 5 standard errors of the curves.

    With a hazard ratio of 0.5 from entry on, Simon & Makuch's curve has it, exp(-0.05 t), from month 1 on.
    """
    random = np.random.default_rng(4)
    n = 20_000
    entered, death = random.exponential(5, n), random.exponential(10, n)
    later = random.exponential(10 / hazard_ratio, n)
    death = np.where(entered < death, entered + later, death)
    courses = Courses(np.minimum(death, 30.0), death <= 30.0, np.where(entered < death, entered, np.inf))

    def standardised_difference(episodes: Episodes, origin: float) -> float:
        curves = [kaplan_meier(episodes.of(group), origin) for group in (True, False)]
        survival = [float(curve.at(12.0) / curve.at(origin)) for curve in curves]
        errors = [float(curve.standard_error(12.0)) / float(curve.at(origin)) for curve in curves]
        return (survival[0] - survival[1]) / math.hypot(*errors)

    assert standardised_difference(naive(courses), 0.0) > 40
    if hazard_ratio == 1.0:
        assert abs(standardised_difference(simon_makuch(courses), 1.0)) < 5
        assert abs(standardised_difference(landmark(courses, 4.0), 4.0)) < 5
        assert log_rank([simon_makuch(courses).of(g) for g in (True, False)]).p > 1e-4
        assert log_rank([naive(courses).of(g) for g in (True, False)]).p < 1e-10
    else:
        curve = kaplan_meier(simon_makuch(courses).of(True))
        survival = float(curve.at(12.0) / curve.at(1.0))
        assert survival == pytest.approx(math.exp(-0.05 * 11), abs=5 * float(curve.standard_error(12.0)))


def test_a_patient_who_dies_at_entry_is_at_risk_only_then() -> None:
    start, stop = np.array([0.0, 2.0, 0.0]), np.array([10.0, 2.0, 5.0])
    episodes = Episodes(start, stop, np.array([False, True, True]), np.ones(3, dtype=bool))
    np.testing.assert_array_equal(numbers_at_risk(episodes, np.array([2.0, 5.0, 7.0])), [3, 2, 1])


def test_a_log_rank_test_without_groups_has_no_statistic() -> None:
    test = log_rank([])
    assert (test.statistic, test.degrees, test.p, test.excess) == (0.0, 0, 1.0, ())


def test_a_curve_begins_at_month_0_unless_an_origin_is_given() -> None:
    died = np.array([True, False])
    episodes = Episodes(np.zeros(2), np.array([3.0, 8.0]), died, died)
    assert kaplan_meier(episodes).at(0.5) == 1.0
    assert np.isnan(kaplan_meier(episodes, origin=1.0).at(0.5))


@pytest.mark.parametrize(
    ("seen", "died", "median"),
    [
        ([1.0, 2.0, 3.0], [True, True, True], 2.0),
        ([1.0, 2.0, 4.0, 5.0], [True, True, True, True], 3.0),
        ([1.0, 2.0, 4.0, 5.0], [True, True, False, False], math.inf),
        ([1.0, 2.0, 3.0, 4.0, 5.0], [False, False, True, True, True], 4.0),
        ([1.0, 2.0], [False, False], math.inf),
    ],
)
def test_a_median_is_where_survival_falls_below_one_half(seen: list[float], died: list[bool], median: float) -> None:
    """Survival of one half between two deaths has the middle as its median; one half for ever has none."""
    courses = Courses(np.array(seen), np.array(died), np.full(len(seen), np.inf))
    assert kaplan_meier(everybody(courses)).median() == median
