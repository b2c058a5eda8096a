"""Simulated patients into curves: the same lattice and the same quantities as the exact engine gives.

Months are counted up to lattice points, so that S at a point is the share with T > t. Of each death its time is kept
too, 12 bytes a clock, for means and medians.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.curves import Curves, populations
from simulator.engines.lifetimes import Path
from simulator.engines.model import Model
from simulator.engines.steps import step_of_reading
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.pathway.pathway import Count, Pathway

FLUSH = 8
"""Blocks that are gathered before they are counted."""


def counted_states(pathway: Pathway) -> frozenset[str]:
    """Return the states whose entries and exits are counted."""
    states = {name for group in pathway.groups.values() for name in group.entered + group.not_entered}
    states |= {name for count in pathway.counts.values() for name in count.entries + count.months}
    return frozenset(states) | {name for name, state in pathway.states.items() if not state.is_choice}


def of_blocks(model: Model, horizon: float, blocks: Iterable[Trajectories]) -> Curves:
    """Return the curves of blocks of patients, who are followed to the end of the group window at least."""
    tally = Tally(model, horizon)
    for block in blocks:
        tally.add(block)
    return tally.curves()


def without_each(model: Model, horizon: float, blocks: Sequence[Trajectories]) -> Curves:
    """Return the curves of all blocks of patients but one in turn : (n_blocks, n_months), block by block.

    They show how chance moves what all blocks give together, and have no occupancy.
    """
    pathway, names = model.pathway, populations(model.pathway)
    tallies = [Tally(model, horizon) for _ in blocks]
    for tally, block in zip(tallies, blocks, strict=True):
        tally.add(block)
    survival: dict[tuple[str, str], Floats] = {}
    means: dict[tuple[str, str], Floats] = {}
    sizes: dict[str, Floats] = {}
    for clock in pathway.clocks:
        died, waited = (np.array(column) for column in zip(*(tally.died(clock) for tally in tallies), strict=True))
        alive, between, sizes[clock] = _alive(died.sum(axis=0) - died, waited.sum(axis=0) - waited, tallies[0].step)
        survival |= {(clock, name): alive[:, place] for place, name in enumerate(names)}
        means |= {(clock, name): between[:, place] for place, name in enumerate(names)}
    patients = np.maximum(sizes[pathway.clock][:, 0], 1.0)
    totals = {name: np.array([tally.sums[name][0] for tally in tallies]) for name in pathway.counts}

    def paths(key: tuple[str, str], places: Integers) -> list[Path | None]:
        clock, name = key
        size = sizes[clock][:, names.index(name)]
        lives, step = [tally.lives[clock] for tally in tallies], tallies[0].step
        others = [lives[:row] + lives[row + 1 :] for row in range(places.size)]
        rows, alive = tallies[0].rows(name), survival[key]
        return [_path(others[i], rows, int(place), step, alive[i], size[i]) for i, place in enumerate(places)]

    return Curves(
        months=tallies[0].months,
        survival=survival,
        means=means,
        occupancy={},
        sizes={name: sizes[pathway.clock][:, place] / patients for place, name in enumerate(names)},
        lifetimes=paths,
        counts={name: (total.sum() - total) / patients for name, total in totals.items()},
        count_variances={},
    )


def _alive(died: Floats, waited: Floats, step: float) -> tuple[Floats, Floats, Floats]:
    """Return S at lattice points (..., n_months), its means between them, and how many there are (...).

    died : (..., n_months + 2), by place, the last not on the clock; waited : (..., n_months), months
    from deaths to the place
    """
    size = died[..., :-1].sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alive = 1.0 - np.cumsum(died[..., :-2], axis=-1) / size[..., None]
        means = alive[..., :-1] - waited[..., 1:] / (step * size[..., None])
    return alive, means, size


def _path(
    lives: Sequence[_Deaths], rows: Booleans, place: int, step: float, alive: Floats, patients: float
) -> Path | None:
    """Return S from the place before one to it. rows : codes; alive : (n_months,), S at places, of `patients`."""
    if place == 0:
        return None
    month = np.sort(np.concatenate([life.months_of(rows, place) for life in lives]))
    steps = alive[place - 1] - np.arange(month.size + 1) / patients
    return np.concatenate([[step * (place - 1)], np.repeat(month, 2), [step * place]]), np.repeat(steps, 2)


class _Deaths:
    """The months of all deaths on a clock up to the horizon, by code and place."""

    def __init__(self, codes: int, places: int, step: float) -> None:
        self.codes, self.places, self.step = codes, places, step
        self.gathered: list[tuple[NDArray[np.int32], Floats]] = []

    def add(self, code: Integers, place: Integers, month: Floats) -> None:
        inside = place < self.places
        self.gathered.append(((code * self.places + place)[inside].astype(np.int32), month[inside]))

    def table(self) -> tuple[NDArray[np.int32], Floats]:
        """Return where, code x places + place, and the months, (n_deaths,) each."""
        if len(self.gathered) > 1:
            where, month = zip(*self.gathered, strict=True)
            self.gathered = [(np.concatenate(where), np.concatenate(month))]
        return self.gathered[0] if self.gathered else (np.zeros(0, dtype=np.int32), np.zeros(0))

    def waited(self) -> Floats:
        """Return the months between deaths and the lattice point that follows them, in all, (codes, places)."""
        where, month = self.table()
        early = self.step * (where % self.places) - month
        months = np.bincount(where, weights=early, minlength=self.codes * self.places)
        return np.asarray(months, dtype=np.float64).reshape(self.codes, self.places)

    def months_of(self, rows: Booleans, place: int) -> Floats:
        """Return the months of the deaths at a place. rows : the codes that count"""
        where, month = self.table()
        return np.asarray(month[(where % self.places == place) & rows[where // self.places]])


class _Cells:
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


class Tally:
    """Patients are distinguished by a code: which groups they are in (bits), then their level of every attribute."""

    def __init__(self, model: Model, horizon: float) -> None:
        self.pathway, self.horizon = model.pathway, horizon
        self.step = step_of_reading(model.pathway, horizon)
        self.n_months = int(np.ceil(horizon / self.step - 1e-9)) + 1
        self.stays = [name for name, state in self.pathway.states.items() if not state.is_choice]
        self.sizes = [len(attribute.levels) for attribute in self.pathway.attributes.values()]
        codes = 2 ** len(self.pathway.groups) * int(np.prod(self.sizes))
        # A place past the horizon, and one for patients not on the clock.
        places = self.n_months + 2
        self.deaths = {clock: _Cells(codes, places) for clock in self.pathway.clocks}
        self.entered = {clock: _Cells(len(self.stays), places) for clock in self.pathway.clocks}
        self.left = {clock: _Cells(len(self.stays), places) for clock in self.pathway.clocks}
        self.lives = {clock: _Deaths(codes, self.n_months, self.step) for clock in self.pathway.clocks}
        self.sums = {name: np.zeros(2) for name in self.pathway.counts}
        self.blocks = 0

    def add(self, block: Trajectories) -> None:
        """Count a block of patients."""
        code = self._code(block)
        for clock in self.pathway.clocks:
            zero = self._zero(block, clock)
            place = self._places(block.death_month, zero)
            self.deaths[clock].add(code, place)
            with np.errstate(invalid="ignore"):
                self.lives[clock].add(code, place, np.maximum(block.death_month - zero, 0.0))
            for cells, moves in ((self.entered[clock], block.entered), (self.left[clock], block.left)):
                for row, name in enumerate(self.stays):
                    for who, month in moves.get(name, ()):
                        cells.add(row, self._places(month, zero[who]))
        for name in self.pathway.counts:
            total = self.totals(block, name)
            self.sums[name] += (total.sum(), (total**2).sum())
        self.blocks += 1
        if self.blocks % FLUSH == 0:
            self.flush()

    def flush(self) -> None:
        """Add up what has been gathered."""
        for cells in self._tables():
            cells.flush()

    def merge(self, other: Tally) -> None:
        """Add the patients of another tally of the same model."""
        for mine, others in zip(self._tables(), other._tables(), strict=True):
            mine.counts += others.table().ravel()
        for clock, lives in self.lives.items():
            lives.gathered += other.lives[clock].gathered
        for name, total in other.sums.items():
            self.sums[name] += total

    def died(self, clock: str) -> tuple[Floats, Floats]:
        """Return how many of each population die at each place, and months from deaths to it : (n_populations, places).

        The last two places of the former: patients alive at the horizon, and patients not on the clock.
        """
        member = np.array([self.rows(name) for name in populations(self.pathway)], dtype=float)
        return member @ self.deaths[clock].table(), member @ self.lives[clock].waited()

    def totals(self, block: Trajectories, count: str) -> Floats:
        """Return what is counted of each patient in a block who reaches the default clock."""
        return self._total(block, self.pathway.counts[count])[np.isfinite(block.clock_month)]

    @property
    def months(self) -> Floats:
        return self.step * np.arange(self.n_months, dtype=np.float64)

    def _zero(self, block: Trajectories, clock: str) -> Floats:
        return block.clock_month if clock == self.pathway.clock else np.zeros(block.patients.size)

    def _tables(self) -> list[_Cells]:
        return [table[clock] for clock in self.pathway.clocks for table in (self.deaths, self.entered, self.left)]

    def _places(self, month: Floats, zero: Floats) -> Integers:
        """Return the lattice point from which on a month counts as past: 0 if before the clock starts, n_months if
        beyond the horizon, one more if the clock never starts."""
        with np.errstate(invalid="ignore"):
            place = (month - zero) * (1.0 / self.step)
        # Sums of the same fixed times may differ by rounding; what comes after month 0 has not happened by then.
        least = (place > 0.0).astype(float)
        place -= 1e-9
        np.ceil(place, out=place)
        np.clip(place, least, self.n_months, out=place)
        place[np.isinf(zero)] = self.n_months + 1
        return place.astype(np.int64)

    def _code(self, block: Trajectories) -> Integers:
        window, reached = self.pathway.group_window, np.isfinite(block.clock_month)
        code = np.zeros(block.patients.size, dtype=np.int64)
        for bit, group in enumerate(self.pathway.groups.values()):
            inside = block.ever_entered(group.entered, window) & reached
            if group.not_entered:
                inside &= ~block.ever_entered(group.not_entered, window)
            code += inside.astype(np.int64) << bit
        for name, size in zip(self.pathway.attributes, self.sizes, strict=True):
            code = code * size + block.levels[name]
        return code

    def _total(self, block: Trajectories, count: Count) -> Floats:
        """Return how often, or how many months, each patient is counted from the clock's start to the horizon."""
        n = block.patients.size
        total = np.zeros(n)
        for state in count.entries:
            for who, since in block.on_the_clock(state):
                total += np.bincount(who[since <= self.horizon + MOMENT], minlength=n)
        for state in count.months:
            for sign, moves in ((1.0, block.entered), (-1.0, block.left)):
                for who, month in moves.get(state, ()):
                    # Who comes in has the rest of the horizon before them; who leaves gives back what is left of it.
                    left = self.horizon - np.clip(month - block.clock_month[who], 0.0, self.horizon)
                    total += np.bincount(who, weights=sign * left, minlength=n)
        return total

    def rows(self, population: str) -> Booleans:
        """Return which codes belong to a population."""
        codes = np.arange(2 ** len(self.pathway.groups) * int(np.prod(self.sizes)))
        if population == "all":
            return np.ones(codes.size, dtype=bool)
        if population in self.pathway.groups:
            bit = list(self.pathway.groups).index(population)
            return np.asarray((codes // int(np.prod(self.sizes)) >> bit) % 2 == 1)
        name, level = population.split("=", 1)
        place = list(self.pathway.attributes).index(name)
        below = int(np.prod(self.sizes[place + 1 :]))
        wanted = list(self.pathway.attributes[name].levels).index(level)
        return np.asarray(codes // below % self.sizes[place] == wanted)

    def curves(self) -> Curves:
        """Return what has been counted."""
        names = populations(self.pathway)
        survival: dict[tuple[str, str], Floats] = {}
        means: dict[tuple[str, str], Floats] = {}
        size: dict[str, Floats] = {}
        for clock in self.pathway.clocks:
            alive, between, size[clock] = _alive(*self.died(clock), self.step)
            survival |= {(clock, name): alive[[place]] for place, name in enumerate(names)}
            means |= {(clock, name): between[[place]] for place, name in enumerate(names)}
        sizes = dict(zip(names, size[self.pathway.clock], strict=True))

        def paths(key: tuple[str, str], places: Integers) -> list[Path | None]:
            patients = size[key[0]][names.index(key[1])]
            lives, rows = [self.lives[key[0]]], self.rows(key[1])
            return [_path(lives, rows, int(place), self.step, survival[key][0], patients) for place in places]

        patients = int(sizes["all"])
        return Curves(
            months=self.months,
            survival=survival,
            means=means,
            lifetimes=paths,
            occupancy={clock: self._occupancy(clock) for clock in self.pathway.clocks},
            sizes={name: np.array([size / max(patients, 1)]) for name, size in sizes.items()},
            counts={name: np.array([total[0] / max(patients, 1)]) for name, total in self.sums.items()},
            count_variances={name: np.array([_variance(total, patients)]) for name, total in self.sums.items()},
            patients=patients,
        )

    def _occupancy(self, clock: str) -> dict[str, Floats]:
        moves = self.entered[clock].table() - self.left[clock].table()
        size = max(self.deaths[clock].table()[:, :-1].sum(), 1.0)
        there = np.cumsum(moves[:, : self.n_months], axis=1) / size
        return {name: there[row][None] for row, name in enumerate(self.stays)}


def _variance(sums: Floats, n: int) -> float:
    # Where all are alike, rounding may leave the difference below zero.
    return max(float(sums[1] - sums[0] ** 2 / n), 0.0) / (n - 1) if n > 1 else float("nan")
