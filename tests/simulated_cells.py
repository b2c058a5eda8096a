"""Simulated patients in the cells of the likelihood, by their events: no flow of the exact engine is asked."""

from __future__ import annotations

import numpy as np
from scipy import stats

from calibration.reported.kinds.counts import Row
from calibration.reported.kinds.kind import Kind
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans, Floats, Integers

FALSE_ALARM = 1e-6
"""Chance that a test of simulated against exact shares fails though both are right, over all its shares together."""
LATTICE = 1e-4
"""Error of the lattice."""


def in_cells(cohort: SimulatedCohort) -> Integers:
    """Return how many patients are in each cell, (n_cells,)."""
    courses = cohort.targets.courses
    reported = {figure.where: figure for figure in cohort.targets.figures}
    of_rows = [_of_row(cohort, row, reported[row.where]) for row in courses.rows]
    patients = np.packbits([part for pair in of_rows for part in pair], axis=0)
    alike = np.ascontiguousarray(patients.T).view(f"V{len(patients)}").ravel()
    _, first, numbers = np.unique(alike, return_index=True, return_counts=True)
    counts = np.zeros(courses.n_cells, dtype=np.int64)
    for rows, number in zip(np.unpackbits(patients[:, first], axis=0).T, numbers, strict=True):
        counts[courses.cells[frozenset(np.flatnonzero(rows).tolist())]] += number
    return counts


def _of_row(cohort: SimulatedCohort, row: Row, reported: Kind) -> tuple[Booleans, Booleans]:
    """Return which patients are of a row, and which of them it counts."""
    patients = cohort.patients_of(reported)
    if row.kind == "patients":
        return patients, patients
    states = row.states or cohort.targets.pathway.deaths
    return patients, patients & cohort.entered(states, row.month)


def check_shares(counts: Integers, n: Integers, shares: Floats) -> None:
    """Refuse counts outside exact binomial bounds, Bonferroni over all of them."""
    tail = FALSE_ALARM / counts.size / 2
    lowest = stats.binom.ppf(tail, n, np.clip(shares - LATTICE, 0, 1))
    highest = stats.binom.ppf(1 - tail, n, np.clip(shares + LATTICE, 0, 1))
    outside = (counts < lowest) | (counts > highest)
    assert not outside.any(), list(zip(counts[outside], n[outside], shares[outside], strict=True))
