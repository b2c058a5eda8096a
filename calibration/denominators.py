"""The patients that a reported figure is of: a predicted one is of as many patients of the same kind.

A set of patients has a name for each thing that they share, an arm or a level of an attribute; the cohort has none. A
row of `patients` counts its size. The n of a count is the size of a set that includes the row's patients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from calibration.likelihood.targets import Targets
from calibration.reported.kinds.kind import Kind
from simulator.errors import InputError
from simulator.pathway.pathway import Group, is_part

Patients = frozenset[str]
"""Populations, and levels of attributes, that they all belong to."""
COHORT: Patients = frozenset()


class Denominator(NamedTuple):
    """The first `n` simulated patients who belong to all of `patients`, and entered `state`, if one, after `since`."""

    patients: Patients
    n: int
    state: str = ""
    since: str = ""


def of_rows(targets: Targets) -> list[tuple[Denominator, ...]]:
    """Return the denominators of every target, one for each of its populations: a hazard ratio compares two.

    Of a count, what its n counts; of other figures, the row's patients. Where no row reports which patients these are,
    or how many, it is the cohort, however many of them are in it.
    """
    sizes = _sizes(targets)
    return [
        tuple(_denominator(figure, population, targets, sizes) for population in figure.populations)
        for figure in targets.figures
    ]


def _denominator(figure: Kind, population: str, targets: Targets, sizes: Mapping[Patients, set[int]]) -> Denominator:
    if figure.is_count:
        try:
            return Denominator(_of(figure, targets, sizes), int(figure.n))
        except InputError:
            return Denominator(COHORT, targets.cohort.n)
    patients = _patients(population, figure.attribute, targets)
    if figure.of_entered and np.isfinite(figure.n):
        return Denominator(patients, int(figure.n), figure.state, figure.since)
    known = {int(figure.n)} if np.isfinite(figure.n) else sizes.get(patients, set())
    return Denominator(patients, min(known)) if known else Denominator(COHORT, targets.cohort.n)


def denominators(targets: Targets, figures: Iterable[Kind]) -> dict[int, Patients]:
    """Return line -> the patients of n, of figures that are counts. Raises InputError naming a line whose n fits none.

    targets : the whole cohort's, whose other figures report the sizes
    """
    sizes = _sizes(targets)
    return {figure.line: _of(figure, targets, sizes) for figure in figures if figure.is_count}


def check_fitted(targets: Targets) -> None:
    """Refuse a fitted row of `patients` whose n is no population's size: its count would be read as one of everybody.

    Raises InputError naming its line.
    """
    denominators(targets, (figure for figure in targets.fitted if figure.counts_sizes))


def assessed(targets: Targets, figures: Sequence[Kind]) -> dict[str, str]:
    """Return place -> "26 of 42 treated", of figures whose n is fewer than their patients."""
    sizes, patients_of_n, notes = _sizes(targets), denominators(targets, figures), dict[str, str]()
    for figure in figures:
        patients = _patients(figure.population, figure.attribute, targets)
        sizes_of_figure, same_patients = sizes.get(patients, set()), patients_of_n.get(figure.line) == patients
        if sizes_of_figure and same_patients and figure.n < min(sizes_of_figure):
            of = f"{min(sizes_of_figure)} {in_words(patients_of_n[figure.line])}"
            notes[figure.where] = f"{int(figure.n)} of {of}"
    return notes


def in_words(patients: Patients) -> str:
    """Return "all", "treated", "treated with sex=female"."""
    arms, levels = (sorted(patient for patient in patients if ("=" in patient) is level) for level in (False, True))
    return " with ".join(" and ".join(names) for names in (arms, levels) if names) or "all"


def _patients(population: str, attribute: str, targets: Targets) -> Patients:
    """Return the patients of a population of a row, its attribute included."""
    everybody = {name for name, arms in targets.cohort.arms.items() if "all" in arms} - set(targets.pathway.groups)
    return frozenset({population, attribute} - {"", "all"} - everybody)


def _sizes(targets: Targets) -> dict[Patients, set[int]]:
    """Return patients -> how many, by rows of `patients`: more than one number where they contradict one another."""
    sizes = {COHORT: {targets.cohort.n}}
    for figure in targets.figures:
        patients = _patients(figure.population, figure.attribute, targets)
        if patients and figure.counts_sizes:
            sizes.setdefault(patients, set()).add(int(figure.count))
    return sizes


def _of(figure: Kind, targets: Targets, sizes: Mapping[Patients, set[int]]) -> Patients:
    of_figure = _patients(figure.population, figure.attribute, targets)
    n, counts_own = int(figure.n), figure.counts_sizes
    holding = [size for size in sizes if _includes(size, of_figure, targets) and not (counts_own and size == of_figure)]
    fitting = [patients for patients in holding if n in sizes[patients]]
    # Where one includes the other, sets of one size are the same patients, as reported.
    narrowest = [patients for patients in fitting if all(_includes(other, patients, targets) for other in fitting)]
    for patients in (of_figure, COHORT, *narrowest):
        if patients in fitting:
            return patients
    if not fitting:
        most = min(min(sizes[patients]) for patients in holding) if holding else targets.cohort.n
        if not counts_own and n <= most:
            return of_figure
        is_counted = counts_own and figure.is_fitted
        if not is_counted and (not of_figure or (len(of_figure) == 1 and "=" in min(of_figure))):
            return COHORT
    choices = [f"{size} ({in_words(patients)})" for patients in holding for size in sorted(sizes[patients])]
    what = "n may count several sets of patients" if fitting else "no row reports which patients n counts"
    raise InputError(
        what,
        where=figure.where,
        got=f"n = {n} of '{figure.name}'",
        allowed=", ".join(choices) + "; or a row of kind patients with this n",
    )


def _includes(patients: Patients, others: Patients, targets: Targets) -> bool:
    """Return whether some patients include all of some others."""
    return all(any(_is_part(other, patient, targets) for other in others) for patient in patients)


def _is_part(part: str, whole: str, targets: Targets) -> bool:
    """Return whether everybody of a population is of another one: arms, by their groups."""
    if part == whole or "=" in part or "=" in whole:
        return part == whole
    parts, wholes = (_groups(population, targets) for population in (part, whole))
    return all(any(is_part(part, other, targets.pathway) for other in wholes) for part in parts)


def _groups(arm: str, targets: Targets) -> list[Group]:
    """Return the groups of an arm; a name that is both is the group, as where its members are simulated."""
    groups = targets.pathway.groups
    return [groups[name] for name in ((arm,) if arm in groups else targets.cohort.arms[arm])]
