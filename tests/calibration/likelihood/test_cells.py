"""Cells of reported counts, and rows that contradict one another, against brute force."""

import numpy as np
import pytest
from arm_cells import Row, cells_of, equations

from calibration.likelihood.cells import Equation, check_equations, settled
from simulator.errors import InputError

ARMS = ("treated", "untreated")
MEMBERS = {"treated": ["treated"], "untreated": ["untreated"], "all": ["treated", "untreated"]}
CAUSES = ("of_disease", "of_treatment")


def row(
    kind: str, population: str, count: int, n: int, *, state: str = "", month: float = np.inf, line: int = 2
) -> Row:
    return Row(kind, population, state, month, count, n, f"targets.csv: line {line}")


def check_rows(rows: list[Row]) -> None:
    cohort_cells = cells_of(rows, ARMS, MEMBERS, CAUSES)
    check_equations(equations(rows, cohort_cells, MEMBERS, 9, "cohort.toml: n"), len(cohort_cells), "targets.csv")


def brute_force(system: list[Equation], number: int) -> set[tuple[int, ...]]:
    most = max(equation.count for equation in system)
    tables = np.indices((most + 1,) * number).reshape(number, -1)
    fits = np.all([tables[list(equation.cells)].sum(axis=0) == equation.count for equation in system], axis=0)
    return {tuple(table) for table in tables[:, fits].T.tolist()}


def random_system(generator: np.random.Generator) -> tuple[list[Equation], int]:
    """Counts of overlapping sets of cells: of one true table, or (one in four) of nobody in particular."""
    number = int(generator.integers(2, 6))
    truth = generator.integers(0, 3, number)
    system = [Equation(frozenset(range(number)), int(truth.sum()), "everybody")]
    for line in range(int(generator.integers(1, 5))):
        subset = frozenset(np.flatnonzero(generator.random(number) < 0.5).tolist())
        if subset:
            error = int(generator.random() < 0.25)
            system.append(Equation(subset, int(truth[list(subset)].sum()) + error, f"line {line}"))
    return [system[i] for i in generator.permutation(len(system))], number


def test_only_counts_that_some_table_fits_are_accepted() -> None:
    generator = np.random.default_rng(71)
    contradictory = 0
    for _ in range(200):
        system, number = random_system(generator)
        if brute_force(system, number):
            check_equations(system, number, "here")
            continue
        contradictory += 1
        with pytest.raises(InputError, match="contradict"):
            check_equations(system, number, "here")
    assert contradictory > 15


def test_a_count_is_determined_by_others_if_every_table_that_fits_them_fits_it() -> None:
    generator = np.random.default_rng(75)
    outcomes = []
    for _ in range(150):
        system, number = random_system(generator)
        *others, tested = system
        tables = brute_force(others, number) if others else set()
        if not tables or not any("everybody" in equation.where for equation in others):
            continue
        expected = all(sum(table[i] for i in tested.cells) == tested.count for table in tables)
        assert (settled(others, tested.cells, number) == tested.count) == expected
        outcomes.append(expected)
    assert 10 < sum(outcomes) < len(outcomes) - 10


def test_only_rows_that_contradict_one_another_are_named() -> None:
    generator = np.random.default_rng(74)
    with_three_rows = 0
    for _ in range(250):
        system, number = random_system(generator)
        system = [Equation(equation.cells, equation.count, f"line {line}") for line, equation in enumerate(system)]
        if brute_force(system, number):
            continue
        with pytest.raises(InputError, match="contradict") as refusal:
            check_equations(system, number, "here")
        places = refusal.value.where.replace(" and ", ", ").split(", ")
        named_rows = [equation for equation in system if equation.where in places]
        assert len(named_rows) == len(places) >= 2
        assert not brute_force(named_rows, number)
        assert all(
            brute_force([equation for equation in named_rows if equation is not removed], number)
            for removed in named_rows
        )
        with_three_rows += len(named_rows) > 2
    assert with_three_rows > 10


def test_rows_that_contradict_each_other_are_both_named() -> None:
    rows = [row("survivors", "all", 3, 9, month=6.0, line=7), row("survivors", "all", 4, 9, month=6.0, line=12)]
    with pytest.raises(InputError, match=r"line 7 and targets.csv: line 12: two rows contradict"):
        check_rows(rows)


def test_a_row_that_contradicts_the_size_of_a_group_is_named_with_it() -> None:
    rows = [row("patients", "treated", 18, 37, line=3), row("survivors", "treated", 13, 17, month=12.0, line=5)]
    with pytest.raises(InputError, match=r"line 3 and targets.csv: line 5: two rows contradict .*got '18 and 17'; all"):
        check_rows(rows)


def test_counts_that_no_table_fits_are_refused() -> None:
    rows = [row("patients", "treated", 5, 9), row("patients", "untreated", 4, 9)]
    rows += [row("survivors", "all", 2, 9, month=6.0), row("survivors", "treated", 3, 5, month=6.0)]
    with pytest.raises(InputError, match="no table of whole patients fits the counts"):
        check_rows(rows)


def test_survivors_cannot_come_back_to_life() -> None:
    rows = [row("survivors", "all", 4, 9, month=6.0), row("survivors", "all", 5, 9, month=12.0)]
    with pytest.raises(InputError, match="contradict one another"):
        check_rows(rows)


def test_more_patients_in_an_arm_than_in_the_cohort_are_refused_naming_both() -> None:
    with pytest.raises(InputError, match=r"line 2.*contradict") as refusal:
        check_rows([row("survivors", "treated", 3, 10, month=6.0)])
    assert "cohort.toml: n" in refusal.value.where


def test_a_cell_that_no_count_includes_is_refused() -> None:
    with pytest.raises(InputError, match=r"no count includes cell 1"):
        check_equations([Equation(frozenset({0}), 3, "a")], 2, "here")
