"""Events of simulated patients on one clock: how many by cause, and when, on the lattice of the exact engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.lifetimes import Path


def alive_of(happened: Floats, waited: Floats, size: Floats, step: float) -> tuple[Floats, Floats]:
    """Return S at lattice points (..., n_months), and its means between them.

    happened : (..., n_months), events by place; waited : (..., n_months), months from events to the place; size : (...)
    patients on the clock
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        alive = 1.0 - np.cumsum(happened, axis=-1) / size[..., None]
        means = alive[..., :-1] - waited[..., 1:] / (step * size[..., None])
    return alive, means


def path(
    events: Sequence[Events], rows: Booleans, place: int, step: float, alive: Floats, patients: float
) -> Path | None:
    """Return S from the place before one to it. rows : codes; alive : (n_months,), S at places, of `patients`."""
    if place == 0:
        return None
    month = np.sort(np.concatenate([of_some.months_of(rows, place) for of_some in events]))
    steps = alive[place - 1] - np.arange(month.size + 1) / patients
    return np.concatenate([[step * (place - 1)], np.repeat(month, 2), [step * place]]), np.repeat(steps, 2)


class Events:
    """Events of one kind on one clock: of every event up to the horizon its code, cause, place and month.

    outside : (codes, 2), how many have none up to the horizon, and how many are not on the clock
    """

    def __init__(self, codes: int, causes: int, n_months: int, step: float) -> None:
        self.causes, self.n_months, self.step = causes, n_months, step
        self.outside = np.zeros((codes, 2))
        self.kinds = np.min_scalar_type(codes * causes), np.min_scalar_type(n_months), np.dtype(float)
        self.gathered = list[tuple[Integers, Integers, Floats]]()

    def add(self, code: Integers, cause: Integers | int, place: Integers, month: Floats) -> None:
        """Count patients by the place of their event. month : since the clock's start"""
        inside = place < self.n_months
        row_kind, place_kind, _ = self.kinds
        row = (code * self.causes + cause)[inside]
        self.gathered.append((row.astype(row_kind), place[inside].astype(place_kind), month[inside]))
        beyond = (2 * code + place - self.n_months)[~inside]
        self.outside += np.bincount(beyond, minlength=self.outside.size).reshape(-1, 2)

    def merge(self, other: Events) -> None:
        """Add the events of other patients."""
        self.gathered += other.gathered
        self.outside += other.outside

    @property
    def size(self) -> float:
        """How many patients are on the clock."""
        return float(self.outside[:, 0].sum()) + sum(month.size for *_, month in self.gathered)

    def of(self, member: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the events of populations, (n_populations, n_causes, n_months), the months from them to places,
        (n_populations, n_months), and how many are on the clock, (n_populations,).

        member : (n_populations, codes), 1 where a code belongs to a population
        """
        row, place, month = self._together()
        code, cause = np.divmod(row, self.causes)
        # Most combinations of groups are nobody's.
        used = np.asarray(self.outside.any(axis=1))
        used[code] = True
        number = (np.cumsum(used) - 1)[code]
        n_used = np.count_nonzero(used)

        def counted(causes: int, weights: Floats | None = None) -> Floats:
            row = number * causes + cause if causes > 1 else number
            cells = np.bincount(row * self.n_months + place, weights, minlength=n_used * causes * self.n_months)
            return np.asarray(member[:, used] @ cells.reshape(n_used, -1).astype(float))

        happened = counted(self.causes).reshape(len(member), self.causes, -1)
        size = happened.sum(axis=(1, 2)) + member @ self.outside[:, 0]
        return happened, counted(1, self.step * place - month), size

    def months_of(self, rows: Booleans, place: int) -> Floats:
        """Return the months of the events at a place. rows : the codes that count"""
        row, places, month = self._together()
        at_place = np.flatnonzero(places == place)
        return month[at_place[rows[row[at_place] // self.causes]]]

    def _together(self) -> tuple[Integers, Integers, Floats]:
        """Return of each event its row, code x causes + cause, its place and its month, (n_events,) each."""
        if len(self.gathered) != 1:
            nothing = [np.zeros(0, dtype=kind) for kind in self.kinds]
            row, place, month = map(np.concatenate, zip(nothing, *self.gathered, strict=True))
            self.gathered = [(row, place, month)]
        return self.gathered[0]
