"""What a run reports of a model without cycles: curves at some months only, outcomes, and no whole curves.

Sums of path curves are made at the months that are read, and for medians at the places of a bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.curves import populations, up_to
from simulator.engines.exact import accuracy, engine
from simulator.engines.exact.crossing import AROUND, Crossing, is_even, is_inside
from simulator.engines.exact.first_events import FirstEvents
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.path_flows import PathFlows
from simulator.engines.exact.path_sums import PathSums, path_sums
from simulator.engines.exact.paths import Paths, TooManyPaths
from simulator.engines.exact.solution import ROUNDING, Flow, Solution, months_to, window_of
from simulator.engines.lifetimes import is_below, least_of_path, on_curve
from simulator.engines.model import Model
from simulator.pathway.end_points import EndPoint
from simulator.pathway.pathway import Pathway

Key = tuple[str, str]

OVER = 1e-11
"""Share of a group whose events may be too many, as the lattice's error makes them, before its curve is cut at 0."""

COARSE = 32
"""Places of the lattice between those at which a median is looked for first, where no months are reported."""

NEAR = 10
"""Places among which a median is looked for at once."""


@dataclass
class OutcomeReadings:
    """Readings of survival, or of patients without an end point's event, by (clock, population).

    made : makes the model; keys : those of a column each; columns : those of others, too, who are like them
    sums : of who has died, or has had an event; by_cause : of each cause's first events
    known : key -> (n_draws,) the share of its clock's patients in it, but for groups; joined : sums of who joins them
    states : those in which time passes; there : clock -> sums of the patients in each
    entries, stays : of counts, the sums of entries or of the patients in its states
    solve : what solves a model to a horizon, with `step` and `window`
    """

    pathway: Pathway
    made: Callable[[], Model]
    horizon: float
    keys: Sequence[Key]
    columns: Mapping[Key, int]
    sums: PathSums
    by_cause: Mapping[str, PathSums]
    known: Mapping[Key, Floats]
    joined: PathSums
    states: Sequence[str]
    there: Mapping[str, PathSums]
    entries: PathSums
    stays: PathSums
    solve: Callable[..., Solution | FirstEvents]
    end_points: dict[str, OutcomeReadings] = field(default_factory=dict)
    patients: None = None
    is_settled = True
    _kept: dict[object, Floats] = field(default_factory=dict)

    def of_draws(self, rows: slice, paths: Paths) -> OutcomeReadings:
        """Return the readings of some draws. paths : theirs"""
        return self._changed(
            lambda sums: sums.of_draws(rows, paths),
            made=lambda: self.model.of_draws(range(self.model.n_draws)[rows]),
            known={key: share[rows] for key, share in self.known.items()},
            end_points={name: free.of_draws(rows, paths) for name, free in self.end_points.items()},
        )

    def mixed(self, none: OutcomeReadings, benefit: Floats) -> OutcomeReadings:
        """Return the readings if a share of the additional patients, (n_draws,), benefits.

        none : the readings if nobody does, where these are if everybody does
        """

        def made() -> Model:
            marginal = self.model.marginal
            assert marginal is not None
            return replace(self.model, marginal=replace(marginal, benefit=benefit[:, None]))

        others = none._sums()
        return self._changed(
            lambda sums: sums.mixed(next(others), benefit),
            made=made,
            end_points={name: free.mixed(none.end_points[name], benefit) for name, free in self.end_points.items()},
        )

    def _sums(self) -> Iterator[PathSums]:
        """Yield all sums, but for those of end points."""
        yield from (self.sums, *self.by_cause.values(), self.joined, *self.there.values(), self.entries, self.stays)

    def every_sums(self) -> Iterator[PathSums]:
        """Yield all sums, those of end points, too."""
        for readings in (self, *self.end_points.values()):
            yield from readings._sums()

    def find_paths(self) -> None:
        """Find all paths, which a run that asks for everything goes along."""
        for sums in self.every_sums():
            sums.shares  # noqa: B018 - it is made now and kept

    def _changed(self, change: Callable[[PathSums], PathSums], **others: Any) -> OutcomeReadings:
        """Return the readings of changed sums, changed in the order of `_sums`."""
        return replace(
            self,
            sums=change(self.sums),
            by_cause={cause: change(sums) for cause, sums in self.by_cause.items()},
            joined=change(self.joined),
            there={clock: change(sums) for clock, sums in self.there.items()},
            entries=change(self.entries),
            stays=change(self.stays),
            _kept={},
            **others,
        )

    @cached_property
    def model(self) -> Model:
        return self.made()

    @property
    def lattice(self) -> Lattice:
        return self.sums.paths.lattice

    @cached_property
    def shares(self) -> Floats:
        """The share of patients in each key's population, (n_draws, n_keys), NaN where it is empty."""
        size = np.stack([self.size(name, clock) for clock, name in self.keys], axis=1)
        empty = [ROUNDING if name in self.pathway.groups else 0.0 for _, name in self.keys]
        return np.where(size > empty, size, np.nan)

    def size(self, population: str, clock: str | None = None) -> Floats:
        """Return the share of a clock's patients in a population, (n_draws,)."""
        groups = list(self.pathway.groups)
        if population not in groups:
            return self.known[clock or self.pathway.clock, population]
        members = self._once("members", lambda: self.joined.at(window_of(self.pathway, self.lattice)))
        return np.clip(members[:, groups.index(population)], 0.0, 1.0)

    @cached_property
    def survival(self) -> dict[Key, Floats]:
        """Key -> S at the reported months, (n_draws, n_reported)."""
        alive = 1.0 - self.sums.at_reported / self.shares[..., None]
        return self._by_key(np.minimum.accumulate(alive, axis=-1))

    @cached_property
    def incidence(self) -> dict[str, dict[Key, Floats]]:
        """Cause -> key -> first events by the reported months, (n_draws, n_reported)."""
        events = self.sums.at_reported / self.shares[..., None]
        # The lattice's error may make the events of a small group more than its patients.
        most = np.where(events > 1.0 + ROUNDING, events, 1.0)
        by_cause = {cause: sums.at_reported / self.shares[..., None] for cause, sums in self.by_cause.items()}
        return {cause: self._by_key(np.maximum.accumulate(come, axis=-1) / most) for cause, come in by_cause.items()}

    @cached_property
    def occupancy(self) -> dict[str, dict[str, Floats]]:
        """Clock -> state -> the probability of being there at the reported months, (n_draws, n_reported)."""
        by_clock = {clock: there.at_reported for clock, there in self.there.items()}
        return {
            clock: dict(zip(self.states, np.moveaxis(np.clip(there, 0.0, 1.0), 1, 0), strict=True))
            for clock, there in by_clock.items()
        }

    def alive(self, key: Key, month: float) -> Floats:
        """Return S(month), (n_draws,); NaN beyond the horizon."""
        if month in self.sums.reported:
            return self.survival[key][:, self.sums.reported.index(month)]
        return self._of(key, month, ("alive", month), lambda: 1.0 - self.sums.at(month) / self.shares)

    def months_alive(self, key: Key, month: float) -> Floats:
        """Return the integral of S from 0 to a month, (n_draws,); NaN beyond the horizon."""
        if month > self.months[-1] + 1e-9:
            return np.full(len(self.shares), np.nan)
        lost = self._of(key, month, ("lost", month), lambda: self.sums.up_to(month) / self.shares / month)
        if not np.any(self._column(key, ("gone", month), lambda: self.sums.at(month) / self.shares) > 1.0 + OVER):
            return month * (1.0 - lost)
        column = self.columns[key]
        alive = 1.0 - self.sums.means(column)[:, : self.months.size - 1] / self.shares[:, [column]]
        return up_to(np.clip(np.minimum.accumulate(alive, axis=-1), 0.0, 1.0), self.lattice.step, month)

    def come(self, cause: str, key: Key, month: float) -> Floats:
        """Return the probability of a first event of a cause by a month, (n_draws,); NaN beyond the horizon."""
        if month in self.sums.reported:
            return self.incidence[cause][key][:, self.sums.reported.index(month)]

        def read() -> Floats:
            events = self.sums.at(month) / self.shares
            # As of curves: the lattice's error may make the events of a small group more than its patients.
            most = np.where(events > 1.0 + ROUNDING, events, 1.0)
            return self.by_cause[cause].at(month) / self.shares / most

        return self._of(key, month, (cause, month), read)

    def median(self, key: Key) -> Floats:
        """Return the median, (n_draws,), months; inf where it is not reached, NaN for nobody."""
        return self._column(key, "median", self._medians)

    @cached_property
    def sizes(self) -> dict[str, Floats]:
        """Population -> (n_draws,) share of all patients who reach the default clock."""
        return {name: self.size(name) for name in populations(self.pathway)}

    @cached_property
    def counts(self) -> dict[str, Floats]:
        """Count -> (n_draws,) per patient, from the default clock to the horizon."""
        numbers = zip(self.entries.at(float(self.months[-1])).T, self.stays.up_to(self.horizon).T, strict=True)
        counts = zip(self.pathway.counts.items(), numbers, strict=True)
        return {name: entries if count.entries else months for (name, count), (entries, months) in counts}

    @cached_property
    def months(self) -> Floats:
        """(n_months,) from 0 to the horizon."""
        return months_to(self.horizon, self.lattice.step)

    def _by_key(self, values: Floats) -> dict[Key, Floats]:
        """Return probabilities, (n_draws, n_keys, n_reported), by key."""
        values = np.clip(values, 0.0, 1.0)
        return {key: values[:, column] for key, column in self.columns.items()}

    def _of(self, key: Key, month: float, name: object, read: Callable[[], Floats]) -> Floats:
        if month > self.months[-1] + 1e-9:
            return np.full(len(self.shares), np.nan)
        return self._column(key, name, lambda: np.clip(read(), 0.0, 1.0))

    def _column(self, key: Key, name: object, make: Callable[[], Floats]) -> Floats:
        return self._once(name, make)[:, self.columns[key]]

    def _once(self, name: object, make: Callable[[], Floats]) -> Floats:
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def _medians(self) -> Floats:
        """Return the medians, (n_draws, n_keys)."""
        months, level, last = self.months, 0.5, self.months.size - 1

        def alive(places: Integers) -> Floats:
            return 1.0 - self.sums.at_places(np.clip(places, 0, last)) / self.shares[..., None]

        above, below = self._bracket(level, last)
        while np.any(below - above > NEAR):
            middle = (above + below) // 2
            low = is_below(alive(middle), level)
            above, below = np.where(low, above, middle), np.where(low, middle, below)
        near = alive(above + np.arange(-AROUND + 1, NEAR + AROUND))
        low = is_below(near[..., AROUND : NEAR + AROUND], level)
        first = np.where(low.any(axis=-1), low.argmax(axis=-1) + 1, last + 1 - above[..., 0])
        below = above[..., 0] + first
        about = np.minimum(first[..., None] - 1 + np.arange(2 * AROUND), near.shape[-1] - 1)
        around = np.moveaxis(np.take_along_axis(near, about, axis=-1), -1, 0)
        means = 1.0 - self.sums.means_at(np.clip(below, 1, last)[..., None] - 1)[..., 0] / self.shares
        medians = on_curve(months, around[AROUND - 1], around[AROUND], means, level, below)
        even = is_even(around, means, self.lattice.step) & is_inside(below, last)
        uneven = np.isfinite(medians) & (below > 0) & ~even & ~np.isnan(self.shares)
        crossing = Crossing(self, {}, {}, self.solve)
        for column in np.flatnonzero(uneven.any(axis=0)).tolist():
            paths = crossing.along(self.keys[column], below[:, column], uneven[:, column])
            for draw, path in enumerate(paths):
                if path is not None:
                    medians[draw, column] = least_of_path(path, level)
        return np.where(np.isnan(self.shares), np.nan, medians)

    def _bracket(self, level: float, last: int) -> tuple[Integers, Integers]:
        """Return the places between which survival falls below a level, (n_draws, n_keys, 1): the last, if nowhere."""
        places = self.sums.places if self.sums.reported else np.arange(0, last + 1, COARSE)
        come = self.sums.at_reported if self.sums.reported else self.sums.by_place(places)
        low = is_below(1.0 - come / self.shares[..., None], level)
        first = np.where(low.any(axis=-1, keepdims=True), low.argmax(axis=-1)[..., None], places.size)
        ends = np.concatenate([[-1], places, [last + 1]])
        return ends[first], ends[first + 1]


def readings(
    model: Model,
    horizon: float,
    step: float,
    paths: Paths,
    only: engine.Wanted | None = None,
    reported: tuple[float, ...] = (),
) -> OutcomeReadings | None:
    """Return what is read of a model, by the path curves of models of the same draws, without its own curves.

    reported : months at which curves are read. None where that does not do: patients come back, join a group after an
    end point's event, or go too many paths.
    """
    engine.refuse(model.scenario)
    pathway, window = model.pathway, engine.is_windowed(model.pathway, only)
    if accuracy.cycle(model):
        return None
    try:
        solution = engine.solve(model, horizon, step=step, window=window, paths=paths)
    except TooManyPaths:
        return None
    if not isinstance(solution.flows, PathFlows):
        return None
    every = [(clock, name) for clock in pathway.clocks for name in populations(pathway)]
    wanted = every if only is None else [key for key in every if key in only]
    like = {(clock, name): (clock, engine.alike(model, name)) for clock, name in wanted}
    keys = list(dict.fromkeys(like.values()))
    clocks = list(dict.fromkeys(clock for clock, _ in wanted))
    sums, deaths, stays = partial(path_sums, solution.flows), pathway.deaths, engine.stays(model)
    whole = OutcomeReadings(
        pathway=pathway,
        made=lambda: model,
        horizon=horizon,
        keys=keys,
        columns={key: keys.index(same) for key, same in like.items()},
        sums=sums(lambda: [solution.flow(deaths, name, clock) for clock, name in keys], reported),
        by_cause={},
        known={key: solution.size(*key[::-1]) for key in every if key[1] not in pathway.groups},
        joined=sums(lambda: list(map(solution.joining, pathway.groups))),
        states=stays,
        there={clock: sums(partial(solution.there, stays, clock), reported) for clock in clocks},
        entries=sums(lambda: [solution.flow(count.entries, "all") for count in pathway.counts.values()]),
        stays=sums(lambda: [solution.flow(count.months, "all", None, "net") for count in pathway.counts.values()]),
        solve=engine.solve,
    )
    for end_point in pathway.end_points.values():
        if only is not None and not any(key[2:] == (end_point.name,) for key in only):
            continue
        first = engine.first_events(solution, end_point, horizon, window)
        if not first.is_settled:
            return None
        whole.end_points[end_point.name] = _without_event(whole, first, end_point)
    # Merged paths are one model's: their places mean others among the paths of other models.
    return whole if all(sums.paths is paths for sums in whole.every_sums()) else None


def _without_event(whole: OutcomeReadings, first: FirstEvents, end_point: EndPoint) -> OutcomeReadings:
    """Return what is read of patients without an end point's event."""
    keys, n_keys = whole.keys, len(whole.keys)

    def flows() -> list[Flow]:
        return [first.flow(cause, name, clock) for cause in first.causes for clock, name in keys]

    assert isinstance(first.until.flows, PathFlows)
    events = path_sums(first.until.flows, flows, whole.sums.reported)
    causes = enumerate(first.causes)
    return replace(
        whole,
        sums=events.folded(n_keys),
        by_cause={cause: events.part(slice(place * n_keys, (place + 1) * n_keys)) for place, cause in causes},
        solve=partial(engine.first_events_again, end_point),
        end_points={},
        _kept={},
    )
