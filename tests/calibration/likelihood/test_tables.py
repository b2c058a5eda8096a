"""The probability of reported counts, against a list of all tables, simulated patients and closed forms."""

from itertools import product
from math import factorial, log

import numpy as np
import pytest
from arm_cells import ALIVE, Cell, Row, cells_of, equations
from scipy import special, stats
from worlds import slow

from calibration.likelihood.cells import Equation
from calibration.likelihood.tables import Tables
from simulator.arrays import Floats, Integers
from simulator.errors import InputError

ARMS = ("a", "b", "c")
MEMBERS = {"a": ["a"], "b": ["b"], "c": ["c"], "all": ["a", "b", "c"]}
CAUSES = ("of_disease", "of_treatment")


def tables(system: list[Equation], number: int) -> Tables:
    return Tables(number, tuple(system), "here")


def tables_of(
    rows: list[tuple[str, str, int, int, str, float]], members: dict[str, list[str]] = MEMBERS
) -> tuple[Tables, tuple[Cell, ...]]:
    read = [Row(kind, arm, state, month, k, n, f"line {i}") for i, (kind, arm, k, n, state, month) in enumerate(rows)]
    cells = cells_of(read, ARMS, members, CAUSES)
    return Tables(len(cells), equations(read, cells, members, 450, "cohort.toml: n"), "targets.csv"), cells


def survivors(arm: str, alive: int, n: int, month: float) -> tuple[str, str, int, int, str, float]:
    return "survivors", arm, alive, n, "", month


def deaths(arm: str, dead: int, n: int, state: str = "") -> tuple[str, str, int, int, str, float]:
    return "deaths", arm, dead, n, state, np.inf


def every_table(system: list[Equation], number: int) -> list[tuple[int, ...]]:
    most = max(equation.count for equation in system)
    candidates = np.indices((most + 1,) * number).reshape(number, -1)
    fits = np.all([candidates[list(equation.cells)].sum(axis=0) == equation.count for equation in system], axis=0)
    return [tuple(table) for table in candidates[:, fits].T.tolist()]


@pytest.fixture(params=["by angles", slow("patient by patient")])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sum tables by the one way or the other, whatever is cheaper."""
    monkeypatch.setattr("calibration.likelihood.tables.AN_ANGLE", 1e-9 if request.param == "by angles" else 1e9)


@pytest.mark.usefixtures("either_way")
def test_the_probability_is_the_sum_over_every_table_that_fits() -> None:
    """Overlapping counts of two to six cells, whatever sets they are of; a chance of a cell may be 0."""
    generator = np.random.default_rng(76)
    with_several_tables = 0
    for _ in range(100):
        number = int(generator.integers(2, 7))
        truth = generator.integers(0, 3, number)
        system = [Equation(frozenset(range(number)), int(truth.sum()), "everybody")]
        for line in range(int(generator.integers(0, 5))):
            subset = frozenset(np.flatnonzero(generator.random(number) < 0.5).tolist())
            system.append(Equation(subset, int(truth[list(subset)].sum()), f"line {line}"))
        if truth.sum() == 0:
            continue
        shares = generator.dirichlet(np.full(number, 0.5), 4)
        shares[3, generator.integers(number)] = 0.0
        fitting = every_table(system, number)
        logs = [special.gammaln(truth.sum() + 1) - special.gammaln(np.array(k) + 1.0).sum() for k in fitting]
        log_terms = np.array(
            [
                [log_orderings + special.xlogy(k, p).sum() for log_orderings, k in zip(logs, fitting, strict=True)]
                for p in shares
            ]
        )
        np.testing.assert_allclose(
            tables(system, number).log_likelihood(shares), special.logsumexp(log_terms, axis=1), rtol=0, atol=1e-9
        )
        with_several_tables += len(fitting) > 1
    assert with_several_tables > 30


def test_arms_with_separate_rows_are_separate_multinomials() -> None:
    """450 in three arms, each with its survivors at two months and its deaths by the end."""
    sizes, by_12, by_24, by_end = (120, 190, 140), (16, 30, 44), (34, 52, 74), (50, 90, 110)
    rows = []
    for arm, n, first, second, end in zip(ARMS, sizes, by_12, by_24, by_end, strict=True):
        rows += [survivors(arm, n - first, n, 12.0), survivors(arm, n - second, n, 24.0), deaths(arm, end, n)]
    reported, _ = tables_of(rows)
    counts = [k for n, a, b, c in zip(sizes, by_12, by_24, by_end, strict=True) for k in (a, b - a, c - b, n - c)]
    shares = np.random.default_rng(77).dirichlet(np.array(counts) + 1.0, 5)
    np.testing.assert_allclose(
        reported.log_likelihood(shares), [stats.multinomial.logpmf(counts, 450, p) for p in shares], rtol=1e-11
    )


def test_a_count_of_the_whole_cohort_is_a_binomial_whatever_its_arms() -> None:
    reported, cells = tables_of([survivors("all", 311, 450, 12.0)])
    shares = np.random.default_rng(78).dirichlet(np.ones(len(cells)), 5)
    dead = shares[:, [cell.end == 12.0 for cell in cells]].sum(axis=1)
    np.testing.assert_allclose(reported.log_likelihood(shares), stats.binom.logpmf(139, 450, dead), rtol=1e-11)


@pytest.mark.usefixtures("either_way")
def test_two_arms_with_survivors_of_both_together_are_a_sum_of_binomials() -> None:
    """By hand: deaths in the first arm times deaths in the second that make up the deaths of both, 200 and 250."""
    members = {"a": ["a"], "b": ["b"], "all": ["a", "b"]}
    rows = [("patients", "a", 200, 450, "", np.nan), survivors("all", 300, 450, 6.0)]
    reported, cells = tables_of(rows, members)
    for shares in np.random.default_rng(79).dirichlet(np.full(len(cells), 5.0), 5):
        died, survived, later_died, later_survived = (
            shares[[cell.arm == arm and (cell.end == 6.0) == early for cell in cells]].sum()
            for arm in "ab"
            for early in (True, False)
        )
        size = died + survived
        first_arm, second_arm = (
            stats.binom(200, died / size),
            stats.binom(250, later_died / (later_died + later_survived)),
        )
        both = special.logsumexp([first_arm.logpmf(k) + second_arm.logpmf(150 - k) for k in range(151)])
        expected = stats.binom.logpmf(200, 450, size) + both
        np.testing.assert_allclose(reported.log_likelihood(shares[None]), [expected], rtol=0, atol=1e-9)


@pytest.mark.usefixtures("either_way")
def test_three_arms_whose_survivors_are_reported_together_are_convolved() -> None:
    """Sizes and deaths of each arm of 50, survivors of all at two months: arm after arm, by hand."""
    sizes, dead, by = (50, 50, 50), (20, 30, 40), (35, 60)
    rows = [deaths(arm, k, n) for arm, k, n in zip(ARMS, dead, sizes, strict=True)]
    rows += [survivors("all", 150 - by[0], 150, 6.0), survivors("all", 150 - by[1], 150, 12.0)]
    reported, cells = tables_of(rows)
    starts = {0.0: 0, 6.0: 1, 12.0: 2}
    for shares in np.random.default_rng(80).dirichlet(np.full(len(cells), 3.0), 2):
        sums = np.ones((1, 1))
        expected = special.gammaln(151)
        for arm, k, n in zip(ARMS, dead, sizes, strict=True):
            p = np.zeros(3)
            for cell, share in zip(cells, shares, strict=True):
                if cell.arm == arm and cell.cause is not ALIVE:
                    p[starts[cell.start]] += share
            alive = shares[[cell.arm == arm and cell.cause is ALIVE for cell in cells]].sum()
            early, middle = np.indices((k + 1, k + 1))
            late = k - early - middle
            fits = late >= 0
            logs = special.xlogy(early, p[0]) + special.xlogy(middle, p[1]) + special.xlogy(np.maximum(late, 0), p[2])
            logs -= sum(
                special.gammaln(np.maximum(deaths_in_interval, 0) + 1) for deaths_in_interval in (early, middle, late)
            )
            scale = logs[fits].max()
            arm_terms = np.where(fits, np.exp(logs - scale), 0.0)
            expected += scale + (n - k) * log(alive) - special.gammaln(n - k + 1)
            convolved = np.zeros(np.add(sums.shape, arm_terms.shape) - 1)
            for (i, j), value in np.ndenumerate(sums):
                convolved[i : i + k + 1, j : j + k + 1] += value * arm_terms
            sums = convolved
        expected += log(sums[by[0], by[1] - by[0]])
        np.testing.assert_allclose(reported.log_likelihood(shares[None]), [expected], rtol=0, atol=1e-9)


def test_causes_intervals_and_arms_reported_separately_agree_with_simulated_cohorts() -> None:
    """Three arms of 4, deaths by cause and survivors of all: how often 100,000 cohorts have these counts.

    The chance that a right probability fails is 1e-6 (exact binomial bounds).
    """
    rows = [deaths(arm, k, 4) for arm, k in zip(ARMS, (3, 2, 2), strict=True)]
    rows += [deaths("all", 4, 12, "of_disease"), survivors("all", 8, 12, 6.0)]
    reported, cells = tables_of(rows)
    assert len(cells) == 15
    shares = np.array([0.2 if cell.cause is ALIVE else 0.075 for cell in cells])
    shares[[cell.cause == "of_treatment" for cell in cells]] = 0.05
    shares /= shares.sum()
    cohorts = np.random.default_rng(81).multinomial(12, shares, 100_000)
    fits = [cohorts[:, sorted(equation.cells)].sum(axis=1) == equation.count for equation in reported.equations]
    matching = int(np.all(fits, axis=0).sum())
    expected = float(np.exp(reported.log_likelihood(shares[None]))[0])
    assert stats.binomtest(matching, 100_000, expected).pvalue > 1e-6
    assert matching > 30


@pytest.mark.slow
def test_the_probabilities_of_all_possible_reports_add_up_to_one() -> None:
    members = {"a": ["a"], "b": ["b"], "all": ["a", "b"]}
    total = np.zeros(4)
    reports = 0
    for size, alive in product(range(5), range(5)):
        for late in range(alive + 1):
            rows = [("patients", "a", size, 4, "", np.nan), survivors("all", alive, 4, 6.0), deaths("all", 4 - late, 4)]
            reported, cells = tables_of(rows, members)
            shares = np.random.default_rng(73).dirichlet(np.ones(len(cells)), 4)
            total += np.exp(reported.log_likelihood(shares))
            reports += 1
    assert reports == 75
    np.testing.assert_allclose(total, 1.0, rtol=1e-10)


@pytest.mark.usefixtures("either_way")
def test_a_probability_of_zero_excludes_a_table_only_if_a_patient_is_in_the_cell() -> None:
    system = [
        Equation(frozenset({0, 1}), 2, "a"),
        Equation(frozenset({2, 3}), 1, "b"),
        Equation(frozenset({3}), 0, "c"),
    ]
    shares = np.array([[0.2, 0.3, 0.5, 0.0], [0.0, 0.5, 0.5, 0.0], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    expected = [3 * 0.5 * (0.2 + 0.3) ** 2, 3 * 0.5 * 0.5**2, 0.0, 0.0]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(tables(system, 4).log_likelihood(shares), np.log(expected), rtol=1e-12)


@pytest.mark.usefixtures("either_way")
def test_probabilities_too_small_for_a_double_do_not_overflow() -> None:
    system = [Equation(frozenset({0}), 30, "a"), Equation(frozenset({1}), 7, "b")]
    log_likelihood = tables(system, 2).log_likelihood(np.array([[1e-300, 1.0]]))
    orderings = factorial(37) // factorial(30) // factorial(7)
    np.testing.assert_allclose(log_likelihood, log(orderings) - 30 * 300 * log(10), rtol=1e-12)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("chance", [1e-8, 1e-100, 1e-300])
def test_counts_that_are_next_to_impossible_keep_their_probability(chance: float) -> None:
    """Two by two with both margins reported; the only likely table is not among those that fit."""
    system = [Equation(frozenset(subset), 30, str(subset)) for subset in ((0, 1), (2, 3), (0, 2), (1, 3))]
    shares = np.array([[0.5, chance, chance, 0.5], [chance, 0.5, 0.5, chance], [0.25, chance, 0.5, 0.25]])
    logs = [special.logsumexp([log_chance(np.array([k, 30 - k, 30 - k, k]), p) for k in range(31)]) for p in shares]
    np.testing.assert_allclose(tables(system, 4).log_likelihood(shares), logs, rtol=1e-11)


def log_chance(counts: Integers, p: Floats) -> float:
    log_orderings = special.gammaln(counts.sum() + 1.0) - special.gammaln(counts + 1.0).sum()
    return float(log_orderings + special.xlogy(counts, p).sum())


def test_counts_that_allow_too_many_tables_are_refused_with_their_rows() -> None:
    """Six arms by six intervals, both margins reported: five counts of about 12 standard deviations' width each."""
    table = np.arange(36).reshape(6, 6)
    system = [Equation(frozenset(line.tolist()), 120, f"line {i}") for i, line in enumerate([*table, *table.T])]
    with pytest.raises(InputError, match="leave too many tables open") as refusal:
        tables(system, 36)
    assert "line" in refusal.value.where
    assert 'use = "predictive"' in str(refusal.value)


def test_counts_that_do_not_give_the_number_of_patients_are_refused() -> None:
    with pytest.raises(InputError, match="how many patients there are"):
        tables([Equation(frozenset({0, 1}), 3, "a"), Equation(frozenset({1, 2}), 4, "b")], 3)


def test_by_the_saddle_point_other_parameters_are_as_much_more_probable() -> None:
    """What is the same at all parameters does not matter to a fit; for 8 of an arm, the rest is a few hundredths."""
    early, late = survivors("all", 300, 450, 6.0), survivors("all", 120, 450, 12.0)
    reported, cells = tables_of([early, late, ("patients", "a", 8, 450, "", np.nan), deaths("a", 5, 8)])
    shares = np.random.default_rng(5).dirichlet(np.full(len(cells), 5.0), 200)
    exact, rough = (counts.log_likelihood(shares) for counts in (reported, reported.by_saddle_point))
    assert exact.std() > 1.0
    assert 1e-9 < (rough - exact).std() < 0.05
