"""The tables of whole patients that reported counts leave open, held against brute force and scipy."""

from itertools import combinations, product
from math import factorial, log, prod

import numpy as np
import pytest
from scipy import special, stats

from calibration.cells import ALIVE, ANY, Cell, Equation, Row, Tables, cells_of, enumerate_tables, equations
from calibration.targets import load_targets
from simulator.errors import InputError

ARMS = ("treated", "untreated")
MEMBERS = {"treated": ["treated"], "untreated": ["untreated"], "all": ["treated", "untreated"]}
CAUSES = ("of_disease", "of_treatment")


def cells(number: int) -> list[Cell]:
    return [Cell(f"arm {i}", ALIVE, np.inf, np.inf) for i in range(number)]


def row(
    kind: str, population: str, count: int, n: int, *, state: str = "", month: float = np.inf, line: int = 2
) -> Row:
    return Row(kind, population, state, month, count, n, f"targets.csv: line {line}")


def tables_of(rows: list[Row]) -> Tables:
    found = cells_of(rows, ARMS, MEMBERS, CAUSES)
    return enumerate_tables(found, equations(rows, found, MEMBERS), "targets.csv")


def brute_force(told: list[Equation], number: int) -> set[tuple[int, ...]]:
    most = max(each.count for each in told)
    tables = np.indices((most + 1,) * number).reshape(number, -1)
    fits = np.all([tables[list(each.cells)].sum(axis=0) == each.count for each in told], axis=0)
    return {tuple(table) for table in tables[:, fits].T.tolist()}


def random_system(generator: np.random.Generator) -> tuple[list[Equation], int]:
    """Counts of overlapping sets of cells: of one true table, or (one in four) of nobody in particular."""
    number = int(generator.integers(2, 6))
    truth = generator.integers(0, 3, number)
    told = [Equation(frozenset(range(number)), int(truth.sum()), "everybody")]
    for line in range(int(generator.integers(1, 5))):
        some = frozenset(np.flatnonzero(generator.random(number) < 0.5).tolist())
        if some:
            wrong = int(generator.random() < 0.25)
            told.append(Equation(some, int(truth[list(some)].sum()) + wrong, f"line {line}"))
    return [told[i] for i in generator.permutation(len(told))], number


def test_every_table_that_fits_is_found_and_no_other() -> None:
    generator = np.random.default_rng(71)
    none, several = 0, 0
    for _ in range(400):
        told, number = random_system(generator)
        expected = brute_force(told, number)
        if not expected:
            none += 1
            with pytest.raises(InputError, match="contradict"):
                enumerate_tables(cells(number), told, "here")
            continue
        found = enumerate_tables(cells(number), told, "here")
        assert len(found.counts) == len(expected)
        assert {tuple(each) for each in found.counts.tolist()} == expected
        several += len(expected) > 1
    assert none > 30
    assert several > 100


def test_the_rows_that_contradict_one_another_are_named_and_no_other() -> None:
    generator = np.random.default_rng(74)
    named = 0
    for _ in range(250):
        told, number = random_system(generator)
        told = [Equation(each.cells, each.count, f"line {line}") for line, each in enumerate(told)]
        if brute_force(told, number):
            continue
        with pytest.raises(InputError, match="contradict") as refusal:
            enumerate_tables(cells(number), told, "here")
        places = refusal.value.where.replace(" and ", ", ").split(", ")
        guilty = [each for each in told if each.where in places]
        assert len(guilty) == len(places) >= 2
        assert not brute_force(guilty, number)
        assert all(brute_force([each for each in guilty if each is not spared], number) for spared in guilty)
        named += len(guilty) > 2
    assert named > 10


def wang_tables() -> set[tuple[tuple[str, int], ...]]:
    """Three timings of the deaths, and for each every way to give two of the HSCT group's four to treatment."""
    found = set()
    for untreated, hsct, other in ((18, 2, 3), (19, 1, 3), (19, 2, 2)):
        times = ["early"] * hsct + ["middle"] * (2 - hsct) + ["late"] * 2
        for of_treatment in combinations(range(4), 2):
            table = {"untreated early": untreated, "untreated middle": 19 - untreated}
            table |= {"other early": other, "other middle": 3 - other, "other late": 1}
            table |= {"hsct alive": 6, "other alive": 4}
            for place, time in enumerate(times):
                cause = "treatment" if place in of_treatment else "relapse"
                table[f"hsct {cause} {time}"] = table.get(f"hsct {cause} {time}", 0) + 1
            found.add(tuple(sorted((name, k) for name, k in table.items() if k)))
    return found


def in_words(cell: Cell) -> str:
    arm = "other" if cell.arm == "other_treated" else cell.arm
    if cell.cause is ALIVE:
        return f"{arm} alive"
    cause = {"death_of_treatment": " treatment", "death_after_relapse": " relapse", ANY: ""}[cell.cause]
    time = {1.0: "before month 1", 6.0: "early", 12.0: "middle", np.inf: "late"}[cell.end]
    return f"{arm}{cause} {time}"


def test_the_letter_leaves_ten_tables_open() -> None:
    tables = load_targets("wang2024").tables
    assert tables is not None
    names = [in_words(each) for each in tables.cells]
    told = [tuple(sorted((n, k) for n, k in zip(names, t, strict=True) if k)) for t in tables.counts.tolist()]
    assert len(told) == 10
    assert set(told) == wang_tables()


def test_nobody_in_the_letter_dies_before_month_1() -> None:
    tables = load_targets("wang2024").tables
    assert tables is not None
    first = [i for i, each in enumerate(tables.cells) if each.end == 1.0]
    # one for the untreated, two (by cause) for HSCT, one for the other treated
    assert len(first) == 4
    assert not tables.counts[:, first].any()


def test_each_table_of_the_letter_counts_in_as_many_ways_as_37_patients_can_fill_it() -> None:
    tables = load_targets("wang2024").tables
    assert tables is not None
    for counts, log_coefficient in zip(tables.counts.tolist(), tables.log_coefficients, strict=True):
        ways = factorial(37) // prod(factorial(k) for k in counts)
        assert log_coefficient == pytest.approx(log(ways), rel=1e-14)


def test_the_likelihood_is_the_sum_of_the_tables_multinomial_probabilities() -> None:
    tables = load_targets("wang2024").tables
    assert tables is not None
    shares = np.random.default_rng(72).dirichlet(np.ones(len(tables.cells)), 50)
    direct = [special.logsumexp([stats.multinomial.logpmf(counts, 37, p) for counts in tables.counts]) for p in shares]
    np.testing.assert_allclose(tables.log_likelihood(shares), direct, rtol=1e-11)


def test_a_table_that_leaves_nothing_open_is_one_multinomial() -> None:
    rows = [row("patients", "treated", 5, 9), row("patients", "untreated", 4, 9)]
    rows += [row("survivors", "treated", 3, 5, month=6.0), row("survivors", "untreated", 1, 4, month=6.0)]
    rows += [row("deaths", "treated", 2, 5), row("deaths", "untreated", 4, 4)]
    tables = tables_of(rows)
    # each arm: dead by month 6, dead later, alive
    assert tables.counts.tolist() == [[2, 0, 3, 3, 1, 0]]
    p = np.array([0.1, 0.1, 0.3, 0.2, 0.25, 0.05])
    expected = stats.multinomial.logpmf([2, 0, 3, 3, 1, 0], 9, p)
    np.testing.assert_allclose(tables.log_likelihood(p[None]), [expected], rtol=1e-13)


def test_the_chances_of_all_possible_reports_add_up_to_one() -> None:
    shares = np.random.default_rng(73).dirichlet(np.ones(6), 4)
    total = np.zeros(4)
    reports = 0
    for treated in range(4):
        untreated = 3 - treated
        for alive in product(range(treated + 1), range(untreated + 1)):
            for late in product(range(alive[0] + 1), range(alive[1] + 1)):
                sizes = dict(zip(ARMS, (treated, untreated), strict=True))
                rows = [row("patients", arm, n, 3) for arm, n in sizes.items()]
                for arm, k, later in zip(ARMS, alive, late, strict=True):
                    rows.append(row("survivors", arm, k, sizes[arm], month=6.0))
                    rows.append(row("deaths", arm, sizes[arm] - k + later, sizes[arm]))
                total += np.exp(tables_of(rows).log_likelihood(shares))
                reports += 1
    # three patients in six cells
    assert reports == 56
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)


def test_causes_are_told_apart_only_in_the_arm_where_a_row_asks() -> None:
    rows = [row("survivors", "all", 3, 4, month=6.0), row("deaths", "treated", 1, 2, state="of_disease")]
    found = cells_of(rows, ARMS, MEMBERS, CAUSES)
    assert {each.cause for each in found if each.arm == "treated"} == {*CAUSES, ALIVE}
    assert {each.cause for each in found if each.arm == "untreated"} == {ANY, ALIVE}


def test_rows_that_contradict_each_other_are_both_named() -> None:
    rows = [row("survivors", "all", 3, 9, month=6.0, line=7), row("survivors", "all", 4, 9, month=6.0, line=12)]
    with pytest.raises(InputError, match=r"line 7 and targets.csv: line 12: two rows contradict"):
        tables_of(rows)


def test_a_row_that_contradicts_the_size_of_a_group_is_named_with_it() -> None:
    rows = [row("patients", "treated", 18, 37, line=3), row("survivors", "treated", 13, 17, month=12.0, line=5)]
    with pytest.raises(InputError, match=r"line 3 and targets.csv: line 5: two rows contradict"):
        tables_of(rows)


def test_counts_that_no_table_fits_are_refused() -> None:
    rows = [row("patients", "treated", 5, 9), row("patients", "untreated", 4, 9)]
    rows += [row("survivors", "all", 2, 9, month=6.0), row("survivors", "treated", 3, 5, month=6.0)]
    with pytest.raises(InputError, match="no table of whole patients fits the counts"):
        tables_of(rows)


def test_more_survivors_than_patients_are_refused() -> None:
    with pytest.raises(InputError, match="line 2: more than there are; got 18; allowed: 0 to 17"):
        tables_of([row("survivors", "treated", 18, 17, month=6.0)])


def test_survivors_cannot_come_back_to_life() -> None:
    rows = [row("survivors", "all", 4, 9, month=6.0), row("survivors", "all", 5, 9, month=12.0)]
    with pytest.raises(InputError, match="contradict one another"):
        tables_of(rows)


def test_an_arm_of_which_nothing_is_told_is_refused() -> None:
    with pytest.raises(InputError, match=r"no count says anything of cell .*untreated"):
        tables_of([row("survivors", "treated", 3, 5, month=6.0)])


def test_counts_that_leave_too_much_open_are_refused() -> None:
    told = [Equation(frozenset(range(8)), 37, "everybody")]
    with pytest.raises(InputError, match="more than 100000 tables open"):
        enumerate_tables(cells(8), told, "here")


def test_a_chance_of_zero_rules_a_table_out_only_where_a_patient_sits() -> None:
    told = [Equation(frozenset({0, 1}), 2, "a"), Equation(frozenset({2, 3}), 1, "b"), Equation(frozenset({3}), 0, "c")]
    tables = enumerate_tables(cells(4), told, "here")
    assert sorted(tables.counts.tolist()) == [[0, 2, 1, 0], [1, 1, 1, 0], [2, 0, 1, 0]]
    shares = np.array([[0.2, 0.3, 0.5, 0.0], [0.0, 0.5, 0.5, 0.0], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    expected = [3 * 0.5 * (0.2 + 0.3) ** 2, 3 * 0.5 * 0.5**2, 0.0, 0.0]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(tables.log_likelihood(shares), np.log(expected), rtol=1e-12)


def test_chances_too_small_for_a_double_do_not_overflow() -> None:
    told = [Equation(frozenset({0}), 30, "a"), Equation(frozenset({1}), 7, "b")]
    tables = enumerate_tables(cells(2), told, "here")
    found = tables.log_likelihood(np.array([[1e-300, 1.0]]))
    ways = factorial(37) // factorial(30) // factorial(7)
    np.testing.assert_allclose(found, log(ways) - 30 * 300 * log(10), rtol=1e-12)
