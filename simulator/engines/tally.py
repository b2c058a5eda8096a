"""Simulated patients into curves: the same lattice and the same quantities as the exact engine gives.

Months are counted up to lattice points, so that S at a point is the share with T > t. Of each death its time is kept
too, 12 bytes a clock, for means and medians.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.curves import Curves, populations
from simulator.engines.event_counts import Events, alive_of, path
from simulator.engines.lifetimes import Path
from simulator.engines.model import Model
from simulator.engines.steps import step_of_reading
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.pathway.pathway import Count, Pathway, reachable

DEATH = ""
"""The event that every pathway has, next to its end points."""


def counted_states(pathway: Pathway) -> frozenset[str]:
    """Return the states whose entries and exits are counted."""
    states = {name for group in pathway.groups.values() for name in group.entered + group.not_entered}
    states |= {name for count in pathway.counts.values() for name in count.entries + count.months}
    states |= {name for end_point in pathway.end_points.values() for name in end_point.states}
    return frozenset(states) | {name for name, state in pathway.states.items() if not state.is_choice}


def of_blocks(model: Model, horizon: float, blocks: Iterable[Trajectories]) -> Curves:
    """Return the curves of blocks of patients, who are followed to the end of the group window at least."""
    tally = Tally(model, horizon)
    for block in blocks:
        tally.add(block)
    return tally.curves()


def replicated(model: Model, horizon: float, blocks: Sequence[Trajectories]) -> tuple[Curves, Curves]:
    """Return the curves of all blocks of patients, and of all but one in turn : (n_blocks, n_months), block by block.

    The latter show how chance moves what all blocks give together, and have no occupancy. Neither have `patients`,
    who depend on one another.
    """
    together, tallies = Tally(model, horizon), [Tally(model, horizon) for _ in blocks]
    for tally, block in zip(tallies, blocks, strict=True):
        tally.add(block)
        together.merge(tally)
    whole, without = together.curves(), _with_end_points(tallies, without_each=True)
    end_points = {name: replace(free, patients=None) for name, free in whole.end_points.items()}
    reached = sum(tally.patients for tally in tallies)
    patients = np.array([max(reached - tally.patients, 1) for tally in tallies])
    totals = {name: np.array([tally.sums[name][0] for tally in tallies]) for name in model.pathway.counts}
    counts = {name: (total.sum() - total) / patients for name, total in totals.items()}
    return replace(whole, patients=None, end_points=end_points), replace(without, counts=counts)


def _with_end_points(tallies: Sequence[Tally], *, without_each: bool) -> Curves:
    """Return survival of all tallies together, or of all but one in turn, and the curves of end points."""
    events = {name: _of_event(tallies, name, without_each) for name in tallies[0].causes}
    return replace(events.pop(DEATH), end_points=events)


def _of_event(tallies: Sequence[Tally], event: str, without_each: bool) -> Curves:
    pathway, step, names = tallies[0].pathway, tallies[0].step, populations(tallies[0].pathway)
    member = np.array([tallies[0].rows(name) for name in names], dtype=float)
    survival: dict[tuple[str, str], Floats] = {}
    means: dict[tuple[str, str], Floats] = {}
    incidence: dict[str, dict[tuple[str, str], Floats]] = {cause: {} for cause in tallies[0].causes[event]}
    sizes: dict[str, Floats] = {}

    def together(parts: Sequence[Floats]) -> Floats:
        total = np.sum(parts, axis=0)
        return np.asarray(total - np.array(parts) if without_each else total[None])

    for clock in pathway.clocks:
        counted = [tally.events[clock, event].of(member) for tally in tallies]
        happened, waited, sizes[clock] = (together(parts) for parts in zip(*counted, strict=True))
        alive, between = alive_of(happened.sum(axis=-2), waited, sizes[clock], step)
        survival |= {(clock, name): alive[:, place] for place, name in enumerate(names)}
        means |= {(clock, name): between[:, place] for place, name in enumerate(names)}
        with np.errstate(invalid="ignore", divide="ignore"):
            by_cause = np.cumsum(happened, axis=-1) / sizes[clock][..., None, None]
        for number, of_cause in enumerate(incidence.values()):
            of_cause |= {(clock, name): by_cause[:, place, number] for place, name in enumerate(names)}

    def paths(key: tuple[str, str], places: Integers) -> list[Path | None]:
        clock, name = key
        size, rows = sizes[clock][:, names.index(name)], member[names.index(name)] > 0
        counted = [tally.events[clock, event] for tally in tallies]
        others = [counted[:row] + counted[row + 1 :] if without_each else counted for row in range(places.size)]
        return [path(others[i], rows, int(place), step, survival[key][i], size[i]) for i, place in enumerate(places)]

    reached = sizes[pathway.clock]
    return Curves(
        months=tallies[0].months,
        survival=survival,
        means=means,
        occupancy={},
        sizes={name: reached[:, place] / np.maximum(reached[:, 0], 1.0) for place, name in enumerate(names)},
        lifetimes=paths,
        counts={},
        count_variances={},
        patients=None if without_each else sum(tally.patients for tally in tallies),
        incidence=incidence,
    )


class Tally:
    """Patients are distinguished by a code: which groups they are in (bits), then their level of every attribute."""

    def __init__(self, model: Model, horizon: float) -> None:
        self.pathway, self.horizon = model.pathway, horizon
        end_points = self.pathway.end_points
        self.step = step_of_reading(model.pathway, horizon)
        self.n_months = int(np.ceil(horizon / self.step - 1e-9)) + 1
        self.stays = [name for name, state in self.pathway.states.items() if not state.is_choice]
        self.sizes = [len(attribute.levels) for attribute in self.pathway.attributes.values()]
        codes = 2 ** len(self.pathway.groups) * int(np.prod(self.sizes))
        # Entries less exits, by place; one place is past the horizon, and one for patients not on the clock.
        places = self.n_months + 2
        self.moves = {clock: np.zeros((len(self.stays), places)) for clock in self.pathway.clocks}
        self.causes = {DEATH: (), **{name: tuple(declared.causes) for name, declared in end_points.items()}}
        self.events = {
            (clock, event): Events(codes, max(len(causes), 1), self.n_months, self.step)
            for clock in self.pathway.clocks
            for event, causes in self.causes.items()
        }
        # Other events are the same on every clock.
        before = self.pathway.states_before_clock
        self.before_clock = {name for name, declared in end_points.items() if before.intersection(declared.states)}
        self.orders = {name: _as_passed(model, declared.states) for name, declared in end_points.items()}
        self.sums = {name: np.zeros(2) for name in self.pathway.counts}

    def add(self, block: Trajectories) -> None:
        """Count a block of patients."""
        code = self._code(block)
        events: dict[str, tuple[Integers | int, Floats]] = {}
        for clock in self.pathway.clocks:
            zero = self._zero(block, clock)
            for event in self.causes:
                if event not in events or event in self.before_clock:
                    events[event] = self._happens(block, clock, event)
                cause, month = events[event]
                since = _since(zero, [(slice(None), month)])
                self.events[clock, event].add(code, cause, self._places(since), np.maximum(since, 0.0))
            for count, moves in ((np.add, block.entered), (np.subtract, block.left)):
                for row, name in zip(self.moves[clock], self.stays, strict=True):
                    if name in moves:
                        places = self._places(_since(zero, moves[name]))
                        count(row, np.bincount(places, minlength=row.size), out=row)
        for name in self.pathway.counts:
            total = self.totals(block, name)
            self.sums[name] += (total.sum(), (total**2).sum())

    def merge(self, other: Tally) -> None:
        """Add the patients of another tally of the same model."""
        for clock, moves in other.moves.items():
            self.moves[clock] += moves
        for key, events in self.events.items():
            events.merge(other.events[key])
        for name, total in other.sums.items():
            self.sums[name] += total

    @property
    def patients(self) -> int:
        """How many have reached the default clock."""
        return int(self.events[self.pathway.clock, DEATH].size)

    def _happens(self, block: Trajectories, clock: str, event: str) -> tuple[Integers | int, Floats]:
        """Return the cause of every patient's event, by place, and its month from entry, inf if never."""
        if event == DEATH:
            return 0, block.death_month
        causes, order = self.pathway.end_points[event].causes, self.orders[event]
        from_entry = clock != self.pathway.clock
        which, since = block.first_entry(order, from_entry=from_entry)
        cause = np.array(
            [next(place for place, names in enumerate(causes.values()) if name in names) for name in order]
        )
        return cause[which], since if from_entry else block.clock_month + since

    def totals(self, block: Trajectories, count: str) -> Floats:
        """Return what is counted of each patient in a block who reaches the default clock."""
        return self._total(block, self.pathway.counts[count])[np.isfinite(block.clock_month)]

    @property
    def months(self) -> Floats:
        return self.step * np.arange(self.n_months, dtype=np.float64)

    def _zero(self, block: Trajectories, clock: str) -> Floats | None:
        """Return the month of each patient in which a clock starts, inf if never; None where all start at entry."""
        return block.clock_month if clock == self.pathway.clock and block.clock_month.any() else None

    def _places(self, since: Floats) -> Integers:
        """Return the lattice point from which on what happens some months after a clock's start counts as past: 0 if
        before the start, n_months if beyond the horizon, one more if the clock never starts."""
        place = since * (1.0 / self.step)
        # Sums of the same fixed times may differ by rounding; what comes after month 0 has not happened by then.
        least = place > 0.0
        place -= 1e-9
        np.ceil(place, out=place)
        np.maximum(place, least, out=place)
        np.minimum(place, self.n_months, out=place)
        place[~(since > -np.inf)] = self.n_months + 1
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
        patients = self.patients
        return replace(
            _with_end_points([self], without_each=False),
            occupancy={clock: self._occupancy(clock) for clock in self.pathway.clocks},
            counts={name: np.array([total[0] / max(patients, 1)]) for name, total in self.sums.items()},
            count_variances={name: np.array([_variance(total, patients)]) for name, total in self.sums.items()},
        )

    def _occupancy(self, clock: str) -> dict[str, Floats]:
        size = max(self.events[clock, DEATH].size, 1.0)
        there = np.cumsum(self.moves[clock][:, : self.n_months], axis=1) / size
        return {name: there[row][None] for row, name in enumerate(self.stays)}


def _since(zero: Floats | None, moves: Sequence[tuple[Integers | slice, Floats]]) -> Floats:
    """Return the months since a clock's start, -inf or NaN if it never starts. moves : who, and months from entry"""
    month = moves[0][1] if len(moves) == 1 else np.concatenate([month for _, month in moves])
    if zero is None:
        return month
    with np.errstate(invalid="ignore"):
        return np.asarray(month - np.concatenate([zero[who] for who, _ in moves]))


def _as_passed(model: Model, states: Iterable[str]) -> list[str]:
    """Return states so that, of those that a patient passes within one instant, the first is listed first."""
    onward = {name: [exit.to for exit in exits if exit.is_at_once] for name, exits in model.exits.items()}
    return sorted(states, key=lambda name: -len(reachable([name], onward.__getitem__)))


def _variance(sums: Floats, n: int) -> float:
    # Where all are alike, rounding may leave the difference below zero.
    return max(float(sums[1] - sums[0] ** 2 / n), 0.0) / (n - 1) if n > 1 else float("nan")
