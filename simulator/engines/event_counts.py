"""Events of simulated patients on one clock: how many by cause, and when, on the lattice of the exact engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.lifetimes import Path


def alive_of(happened: Floats, waited: Floats, step: float) -> tuple[Floats, Floats, Floats]:
    """Return S at lattice points (..., n_months), its means between them, and how many there are (...).

    happened : (..., n_months + 2), by place, the last not on the clock; waited : (..., n_months), months
    from events to the place
    """
    size = happened[..., :-1].sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alive = 1.0 - np.cumsum(happened[..., :-2], axis=-1) / size[..., None]
        means = alive[..., :-1] - waited[..., 1:] / (step * size[..., None])
    return alive, means, size


def path(
    times: Sequence[Times], rows: Booleans, place: int, step: float, alive: Floats, patients: float
) -> Path | None:
    """Return S from the place before one to it. rows : codes; alive : (n_months,), S at places, of `patients`."""
    if place == 0:
        return None
    month = np.sort(np.concatenate([of_some.months_of(rows, place) for of_some in times]))
    steps = alive[place - 1] - np.arange(month.size + 1) / patients
    return np.concatenate([[step * (place - 1)], np.repeat(month, 2), [step * place]]), np.repeat(steps, 2)


class Times:
    """The months of all events on a clock up to the horizon, by code and place."""

    def __init__(self, codes: int, places: int, step: float) -> None:
        self.codes, self.places, self.step = codes, places, step
        self.gathered: list[tuple[NDArray[np.int32], Floats]] = []

    def add(self, code: Integers, place: Integers, month: Floats) -> None:
        inside = place < self.places
        self.gathered.append(((code * self.places + place)[inside].astype(np.int32), month[inside]))

    def table(self) -> tuple[NDArray[np.int32], Floats]:
        """Return where, code x places + place, and the months, (n_events,) each."""
        if len(self.gathered) > 1:
            where, month = zip(*self.gathered, strict=True)
            self.gathered = [(np.concatenate(where), np.concatenate(month))]
        return self.gathered[0] if self.gathered else (np.zeros(0, dtype=np.int32), np.zeros(0))

    def waited(self) -> Floats:
        """Return the months between events and the lattice point that follows them, in all, (codes, places)."""
        where, month = self.table()
        early = self.step * (where % self.places) - month
        months = np.bincount(where, weights=early, minlength=self.codes * self.places)
        return np.asarray(months, dtype=np.float64).reshape(self.codes, self.places)

    def months_of(self, rows: Booleans, place: int) -> Floats:
        """Return the months of the events at a place. rows : the codes that count"""
        where, month = self.table()
        return np.asarray(month[(where % self.places == place) & rows[where // self.places]])


class Cells:
    """Counts by (row, place), gathered over several blocks before they are added up."""

    def __init__(self, rows: int, places: int) -> None:
        self.counts = np.zeros(rows * places)
        self.places, self.gathered = places, list[Integers]()

    def add(self, rows: Integers | int, places: Integers) -> None:
        self.gathered.append(rows * self.places + places)

    def flush(self) -> None:
        if self.gathered:
            self.counts += np.bincount(np.concatenate(self.gathered), minlength=self.counts.size)
            self.gathered.clear()

    def table(self) -> Floats:
        self.flush()
        return self.counts.reshape(-1, self.places)


class Events:
    """Events of one kind on one clock, of patients of each code: by cause and place, and their months."""

    def __init__(self, codes: int, causes: int, n_months: int, step: float) -> None:
        self.causes = causes
        # A place past the horizon, and one for patients not on the clock.
        self.counts = Cells(codes * causes, n_months + 2)
        self.times = Times(codes, n_months, step)

    def add(self, code: Integers, cause: Integers | int, place: Integers, month: Floats) -> None:
        """Count patients by the place of their event. month : since the clock's start"""
        self.counts.add(code * self.causes + cause, place)
        self.times.add(code, place, month)

    def of(self, member: Floats) -> tuple[Floats, Floats]:
        """Return the events of populations, (n_populations, n_causes, places), and months from them to places.

        member : (n_populations, codes), 1 where a code belongs to a population
        """
        counts = self.counts.table().reshape(member.shape[1], -1)
        # Most combinations of groups are nobody's.
        used = counts.any(axis=1)
        happened = member[:, used] @ counts[used]
        return happened.reshape(len(member), self.causes, -1), member[:, used] @ self.times.waited()[used]
