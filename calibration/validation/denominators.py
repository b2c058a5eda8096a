"""Whom `n` of a counted row is: the patients that a predicted count is divided by, as the reported one is by n.

A set of patients is told by what they all have, an arm or a level of an attribute; of the cohort, by nothing. Its size
is what a row of `patients` counts. n is of that set which holds the row's own patients and has n of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from calibration.likelihood.targets import Targets
from calibration.predictive import SimulatedCohort
from calibration.reported.consistency import where
from calibration.reported.kinds import COUNTS
from simulator.arrays import Booleans
from simulator.errors import InputError
from simulator.pathway.pathway import Group, is_part

Patients = frozenset[str]
"""Populations, and levels of attributes, that they all belong to."""
COHORT: Patients = frozenset()


def denominators(targets: Targets, rows: pd.DataFrame) -> dict[object, Patients]:
    """Return index -> whom n is, of those rows that are counts. Raises InputError naming the line if it fits no one.

    targets : the whole cohort's, for its other rows tell how many there are
    """
    sizes = _sizes(targets)
    return {index: _of(row, targets, sizes) for index, row in rows[rows["kind"].isin(COUNTS)].iterrows()}


def assessed(targets: Targets, rows: pd.DataFrame) -> dict[object, str]:
    """Return index -> "26 of 42 treated", of those rows whose n is fewer than their own patients."""
    sizes, whom, found = _sizes(targets), denominators(targets, rows), dict[object, str]()
    for index, row in rows.iterrows():
        own = sizes.get(_patients(row, targets), set())
        if own and whom.get(index) == _patients(row, targets) and row["n"] < min(own):
            found[index] = f"{int(row['n'])} of {min(own)} {in_words(whom[index])}"
    return found


def members(cohort: SimulatedCohort, patients: Patients) -> Booleans:
    """Return which simulated patients they are, (n,)."""
    found = np.ones(cohort.follow_up.size, dtype=bool)
    for patient in patients:
        found &= cohort.members(patient)
    return found


def in_words(patients: Patients) -> str:
    """Return "all", "treated", "treated with sex=female"."""
    arms, levels = (sorted(patient for patient in patients if ("=" in patient) is level) for level in (False, True))
    return " with ".join(" and ".join(each) for each in (arms, levels) if each) or "all"


def _patients(row: pd.Series, targets: Targets) -> Patients:
    """Return whom a row is told of, its attribute included."""
    everybody = {name for name, arms in targets.cohort.arms.items() if "all" in arms} - set(targets.pathway.groups)
    return frozenset({str(row["population"]), str(row["attribute"])} - {"", "all"} - everybody)


def _sizes(targets: Targets) -> dict[Patients, set[int]]:
    """Return whom rows of `patients` count -> how many; more than one number where they contradict one another."""
    found = {COHORT: {targets.cohort.n}}
    rows = targets.cohort.targets
    for _, row in rows[rows["kind"] == "patients"].iterrows():
        whom = _patients(row, targets)
        if whom:
            found.setdefault(whom, set()).add(int(row["count"]))
    return found


def _arms(patients: Patients) -> list[str]:
    return [patient for patient in patients if "=" not in patient]


def _of(row: pd.Series, targets: Targets, sizes: Mapping[Patients, set[int]]) -> Patients:
    own, n, counts_own = _patients(row, targets), int(row["n"]), row["kind"] == "patients"
    holding = [size for size in sizes if _holds(size, own, targets) and not (counts_own and size == own)]
    fitting = [each for each in holding if n in sizes[each]]
    # Where one holds the other, sets of one size are the same patients, as reported.
    narrowest = [each for each in fitting if all(_holds(other, each, targets) for other in fitting)]
    for each in (own, COHORT, *narrowest):
        if each in fitting:
            return each
    if not fitting:
        most = min(min(sizes[each]) for each in holding) if holding else targets.cohort.n
        if not counts_own and n <= most:
            return own
        if len(own) <= 1 and not _arms(own):
            return COHORT
    told = [f"{size} ({in_words(each)})" for each in holding for size in sorted(sizes[each])]
    what = "n may count several sets of patients" if fitting else "no row reports which patients n counts"
    raise InputError(
        what,
        where=where(targets.folder, row.name),
        got=f"n = {n} of '{row['name']}'",
        allowed=", ".join(told) + "; or a row of kind patients with this n",
    )


def _holds(patients: Patients, others: Patients, targets: Targets) -> bool:
    """Return whether some patients hold all of some others."""
    return all(any(_is_part(other, patient, targets) for other in others) for patient in patients)


def _is_part(part: str, whole: str, targets: Targets) -> bool:
    """Return whether everybody of a population is of another one: arms, by the groups that they consist of."""
    if part == whole or "=" in part or "=" in whole:
        return part == whole
    parts, wholes = (_groups(each, targets) for each in (part, whole))
    return all(any(is_part(part, other, targets.pathway) for other in wholes) for part in parts)


def _groups(arm: str, targets: Targets) -> list[Group]:
    """Return the groups of an arm; a name that is both is the group, as where its members are simulated."""
    groups = targets.pathway.groups
    return [groups[each] for each in ((arm,) if arm in groups else targets.cohort.arms[arm])]
