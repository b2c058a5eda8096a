"""Microsim's queue path: who asks for a limited resource waits for it, first come, first served.

A life is cut into segments: from entry, from a grant, or from leaving a queue, to the next request. What happens in a
segment does not depend on when it begins, so all of them are simulated beforehand, every patient of a state at once,
for either way in which a request may end. Only everybody's requests go through one time-ordered heap (`fifo.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.exits import Exit
from simulator.engines.microsim.engine import BLOCK, Plan, Run, check_single, least
from simulator.engines.microsim.fifo import HALF, SegmentTable, serve
from simulator.engines.model import Model
from simulator.engines.no_benefit import open_exits
from simulator.engines.requests import Arrivals, Requests
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.errors import EngineRefusal, InputError
from simulator.randomness import Uniforms
from simulator.scenario.capacity import beyond_microsim, lasting
from simulator.scenario.scenario import Scenario

MOST_ROWS, MOST_ROWS_A_PATIENT, MOST_ROUNDS = 500_000, 50, 1_000
"""Segments beforehand: more than both of the first two are refused, and more rounds without a unit granted."""


class TooManyWaits(EngineRefusal):
    """Both outcomes of every wait are too many to simulate beforehand; des simulates only the one that happens."""

    instead = "des"


def simulate(
    model: Model,
    uniforms: Uniforms,
    arrivals: Arrivals,
    *,
    horizon: float,
    before: Model | None = None,
    keep: frozenset[str] | None = None,
) -> tuple[Trajectories, Requests]:
    """Return what happened to all patients who arrive, and the request log. Models must be of a single draw.

    `before` : the model of patients who are not under the policy. `keep` : states whose entries and exits are kept;
    None keeps all, and their order. Raises InputError where only des can run the limits.
    """
    refuse(model.scenario)
    runs, rounds = list[Segments](), 0
    plans = [QueuePlan(world, horizon, keep) for world in (model, before or model)]
    if any(plan.marginal is not None for plan in plans):
        # Who is treated without benefit dies wherever they are then, so all that anybody does is kept.
        plans = [QueuePlan(plan.model, horizon, None) for plan in plans]
    for plan, under in zip(plans, (arrivals.under_policy, ~arrivals.under_policy), strict=True):
        check_single(plan.model)
        places = np.flatnonzero(under)
        level = [
            Segments(plan, uniforms, arrivals.patients[block], block)
            for block in np.split(places, range(BLOCK, places.size, BLOCK))
            if block.size or not runs  # one segment at least, an empty one if nobody comes
        ]
        while level:
            rounds += 1
            level = _simulate(level, runs)
            _check_number(model, rounds, sum(run.patients.size for run in (*runs, *level)), arrivals.patients.size)
    units = [limits.units for limits in model.scenario.capacity.values()]
    served = serve(_all_rows(runs), arrivals.origin, units)
    return _Assembly(runs, arrivals, served.start, horizon).trajectories(), served.requests(arrivals)


def refuse(scenario: Scenario) -> None:
    """Raise InputError if the scenario's limits are beyond this path."""
    why = beyond_microsim(scenario.pathway, scenario.capacity)
    if why is not None:
        what = "the queues of microsim cannot simulate this scenario"
        raise InputError(what, where=scenario.where, got=why, allowed="--engine des")


def _check_number(model: Model, rounds: int, rows: int, patients: int) -> None:
    """Raise TooManyWaits if both ways out of every wait lead on to too many segments."""
    if (rows > MOST_ROWS and rows > MOST_ROWS_A_PATIENT * patients) or rounds > MOST_ROUNDS:
        raise TooManyWaits(
            "microsim simulates both outcomes of every wait in advance, and there are too many",
            where=model.scenario.where,
            got=f"{rows:,} for {patients:,} patients, {rounds:,} one after another",
            allowed="--engine des",
        )


def _simulate(level: Sequence[Segments], runs: list[Segments]) -> list[Segments]:
    """Simulate segments, number their rows among all runs, and return the segments that follow them."""
    known = runs[-1].first + runs[-1].patients.size if runs else 0
    for run in level:
        run.first, known = known, known + run.patients.size
        run.run()
        run.ends = run.newly_ending()
        runs.append(run)
    followers = []
    for few in _gathered([run for run in level if run.granted]):
        followers.append(follow(few, known))
        known += followers[-1].patients.size
    return followers


def _gathered(runs: Iterable[Segments]) -> Iterator[list[Segments]]:
    """Yield runs together, so that what follows them is about a block: many small arrays cost more than a large one."""
    few: list[Segments] = []
    size = 0
    for run in runs:
        few.append(run)
        size += sum(ending.rows.size for ending in (*run.granted, *run.reneged))
        if size >= BLOCK:
            yield few
            few, size = [], 0
    if few:
        yield few


class QueuePlan(Plan):
    """A plan that knows which exits are requests: into a state that holds a limited resource not held already.

    lasting : states in which patients are followed beyond the horizon, for they may keep others waiting
    """

    def __init__(self, model: Model, horizon: float, keep: frozenset[str] | None) -> None:
        super().__init__(model, horizon, keep)
        states = model.pathway.states
        self.limited = {resource: place for place, resource in enumerate(model.scenario.capacity)}
        self.asks = {
            f"{name}/{transition.name}": self.limited[states[transition.to].holds or ""]
            for name, state in states.items()
            for transition in state.transitions
            if states[transition.to].holds in self.limited and states[transition.to].holds != state.holds
        }
        self.asking = {key.split("/")[0] for key in self.asks}
        self.lasting = lasting(model.pathway, model.onward, model.scenario.capacity)

    def _exits_without_benefit(self) -> dict[str, tuple[Exit, ...]]:
        """As without queues, without the deaths: when they are in a row is not known before the waits are."""
        return {name: open_exits(self.model.pathway, name, exits) for name, exits in self.model.exits.items()}


@dataclass(frozen=True)
class _Ending:
    """Rows whose request ends in one way: at `month` they leave `state` for `to`."""

    rows: Integers
    state: str
    to: str
    month: Floats


class Segments(Run):
    """Segments of patients, a row each, simulated as if each began at month 0. Arrays : (n_rows,).

    patients : their numbers; places : in the arrivals; first : the number of the first row among all
    asked, resource, expiry : the request that ends a row, and when another risk ends the wait; inf if there is none
    granted, gone : what follows a request, by the state that comes next
    granted_row, reneged_row : the row that follows; -1 if none
    release : when the unit that a row begins with is given back; inf if never
    ends : the death of a patient without benefit, where the row settles it; inf otherwise
    """

    def __init__(self, plan: QueuePlan, uniforms: Uniforms, patients: Integers, places: Integers) -> None:
        super().__init__(plan, uniforms, patients)
        n = patients.size
        self.queue, self.places, self.first = plan, places, 0
        self.requested, self.expiry, self.release = (np.full(n, np.inf) for _ in range(3))
        self.resource = np.zeros(n, dtype=np.int64)
        self.granted_row, self.reneged_row = np.full(n, -1), np.full(n, -1)
        self.begins = True
        self.granted: list[_Ending] = []
        self.reneged: list[_Ending] = []
        self.on_clock, self.without_benefit_before = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        self.ends = np.full(n, np.inf)

    @property
    def untreated_death(self) -> Floats:
        """Return when patients without benefit die, wherever they are then; inf of the others."""
        return np.asarray(np.minimum.reduce([self.latent[name] for name in self.plan.untreated]))

    def newly_ending(self) -> Floats:
        """Return the deaths of patients without benefit, where the row settles them."""
        if self.without_benefit is None:
            return np.full(self.patients.size, np.inf)
        return np.where(self.without_benefit_before, np.inf, self.untreated_death)

    def _stay(self, state: str, arrived: Integers, at: Floats, visits: Integers | int) -> None:
        for exits, who, month, visit in self._by_benefit(state, arrived, at, visits):
            if state in self.queue.asking:
                self._ask(state, exits, who, month, visit)
            elif exits:
                self._leave_alive(state, exits, who, *self._departure(state, exits, who, month, visit))

    def _leave_alive(self, state: str, exits: Sequence[Exit], who: Integers, month: Floats, winner: Integers) -> None:
        """Send on the patients still alive; a wait can only bring their death forward in the row."""
        alive = np.flatnonzero(month < self.untreated_death[who]) if self.without_benefit is not None else slice(None)
        self._leave(state, exits, who[alive], month[alive], winner[alive])

    def _ask(self, state: str, exits: Sequence[Exit], who: Integers, month: Floats, visit: Integers | int) -> None:
        """Send on who leaves a state before asking for a unit, and write down the others' requests."""
        if not who.size or not exits:
            return
        times = self._risks(state, exits, who, month, visit)
        earliest, winner = least(times)
        asking = [place for place, exit in enumerate(exits) if f"{state}/{exit.name}" in self.queue.asks]
        chosen = np.zeros(who.size, dtype=bool)
        if asking:
            at, others = asking[0], [place for place in range(len(exits)) if place != asking[0]]
            chosen = (winner == at) & self._alive(who, times[at])
            self._write_down(state, exits, at, others, who[chosen], [time[chosen] for time in times])
        rest = np.flatnonzero(~chosen & (winner != asking[0])) if asking else np.arange(who.size)
        self._leave_alive(state, exits, who[rest], earliest[rest], winner[rest])

    def _alive(self, who: Integers, month: Floats) -> Booleans:
        """Return the patients who reach a month alive, as without a wait."""
        comes = np.isfinite(month)
        return comes if self.without_benefit is None else comes & (month < self.untreated_death[who])

    def _in_time(self, who: Integers, month: Floats, exits: Sequence[Exit], winner: Integers) -> Booleans:
        """As without queues; but whoever may keep others waiting is followed beyond the horizon."""
        may_ask = np.array([exit.to in self.queue.lasting for exit in exits])[winner]
        may_ask = may_ask if self.without_benefit is None else may_ask | self.without_benefit[who]
        return super()._in_time(who, month, exits, winner) | (may_ask & np.isfinite(month))

    def _write_down(
        self, state: str, exits: Sequence[Exit], at: int, others: list[int], who: Integers, times: list[Floats]
    ) -> None:
        self.requested[who] = times[at]
        self.resource[who] = self.queue.asks[f"{state}/{exits[at].name}"]
        self.granted.append(_Ending(who, state, exits[at].to, times[at]))
        if not others:
            return
        self.expiry[who], first = least([times[place] for place in others])
        left = self._alive(who, self.expiry[who])
        left &= self._in_time(who, self.expiry[who], [exits[place] for place in others], first)
        for number, place in enumerate(others):
            rows = np.flatnonzero((first == number) & left)
            if rows.size:
                self.reneged.append(_Ending(who[rows], state, exits[place].to, self.expiry[who[rows]]))

    def _leave(self, state: str, exits: Sequence[Exit], who: Integers, month: Floats, winner: Integers) -> None:
        held = self.plan.model.pathway.states[state].holds
        if held in self.queue.limited:
            states = self.plan.model.pathway.states
            given_back = np.array([states[exit.to].holds != held for exit in exits])[winner]
            self.release[who[given_back]] = month[given_back]
        super()._leave(state, exits, who, month, winner)


def follow(runs: Sequence[Segments], first: int) -> Segments:
    """Return the segments after some: requests granted at once, and requests whose wait ends by another risk.

    `first` : the number that its first row will have.
    """
    parts = [(run, ending, True) for run in runs for ending in run.granted]
    parts += [(run, ending, False) for run in runs for ending in run.reneged]

    def taken(values: Callable[[Segments], Any]) -> NDArray[Any]:
        return np.concatenate([values(run)[ending.rows] for run, ending, _ in parts])

    since = np.concatenate([ending.month for _, ending, _ in parts])
    after = Segments(runs[0].queue, runs[0].uniforms, taken(lambda run: run.patients), taken(lambda run: run.places))
    after.waiting, after.begins = {}, False
    begin = 0
    for run, ending, is_granted in parts:
        rows = np.arange(begin, begin + ending.rows.size)
        (run.granted_row if is_granted else run.reneged_row)[ending.rows] = first + rows
        after.waiting.setdefault(ending.to, []).append((rows, np.zeros(rows.size)))
        if after.plan.keep is None or ending.state in after.plan.keep:
            after.trajectories.left.setdefault(ending.state, []).append((rows, np.zeros(rows.size)))
        begin += rows.size
    for name in after.visits:
        after.visits[name] = np.concatenate([run.visits[name][ending.rows] for run, ending, _ in parts])
    after.events = taken(lambda run: run.events)
    after.trajectories.clock_month = taken(lambda run: run.trajectories.clock_month) - since
    after.trajectories.follow_up_end = taken(lambda run: run.trajectories.follow_up_end) - since
    after.on_clock = np.isfinite(after.trajectories.clock_month)
    if runs[0].without_benefit is not None:
        after.without_benefit = taken(lambda run: run.without_benefit)
        after.without_benefit_before = after.without_benefit.copy()
    for name in runs[0].plan.untreated:
        after.latent[name] = np.concatenate([run.latent[name][ending.rows] for run, ending, _ in parts]) - since
    return after


def _all_rows(runs: Sequence[Segments]) -> SegmentTable:
    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(run, name) for run in runs])

    shared = ("resource", "requested", "expiry", "release", "ends", "granted_row", "reneged_row")
    return SegmentTable(
        place=joined("places"),
        begins=np.concatenate([np.full(run.patients.size, run.begins) for run in runs]),
        **{name: joined(name) for name in shared},
    )


class _Assembly:
    """Puts the rows that happened together: months since each patient's entry, in one block."""

    def __init__(self, runs: Sequence[Segments], arrivals: Arrivals, start: Floats, horizon: float) -> None:
        n = arrivals.patients.size
        self.runs, self.start, self.horizon = runs, start, horizon
        self.untreated_death, self.untreated_exit = np.full(n, np.inf), np.zeros(n, dtype=np.int64)
        levels = {name: np.zeros(n, dtype=np.int64) for name in runs[0].levels} if runs else {}
        longest = runs[0].plan.longest if runs else np.inf
        self.whole = Trajectories.at_entry(arrivals.patients, levels, longest)
        self.last = np.full(n, -1), np.zeros(n, dtype=np.int64)

    def trajectories(self) -> Trajectories:
        for run in self.runs:
            self._settle(run)
        for run in self.runs:
            self._move(run)
        self._put_deaths_without_benefit()
        return self.whole

    def _settle(self, run: Segments) -> None:
        """Put in when each clock starts and each follow-up, or life without benefit, ends."""
        begun = self._begun(run)
        new = np.flatnonzero(np.isfinite(begun) & np.isfinite(run.trajectories.clock_month) & ~run.on_clock)
        clock = begun[new] + run.trajectories.clock_month[new]
        self.whole.clock_month[run.places[new]] = clock
        self.whole.follow_up_end[run.places[new]] = clock + self.horizon
        first = np.flatnonzero(np.isfinite(begun)) if run.begins else np.empty(0, dtype=np.int64)
        for name, level in run.levels.items():
            self.whole.levels[name][run.places[first]] = level[first]
        if run.without_benefit is not None:
            new = np.flatnonzero(np.isfinite(begun) & run.without_benefit & ~run.without_benefit_before)
            self.untreated_death[run.places[new]] = begun[new] + run.untreated_death[new]
            self.untreated_exit[run.places[new]] = least([run.latent[name][new] for name in run.plan.untreated])[1]

    def _begun(self, run: Segments) -> Floats:
        return self.start[run.first : run.first + run.patients.size]

    def _move(self, run: Segments) -> None:
        """Put in the entries and exits of the rows that happened, as far as patients are followed."""
        begun, whole = self._begun(run), self.whole
        end = np.minimum(whole.follow_up_end + MOMENT, self.untreated_death)[run.places]
        # After a wait, what would happen in the very instant of a death without benefit comes too late.
        end = np.where(run.without_benefit_before, np.minimum(end, self.untreated_death[run.places] - HALF), end)
        names = list(run.plan.model.pathway.states)
        dead = begun + run.trajectories.death_month
        died = np.flatnonzero(dead <= end)
        whole.death_month[run.places[died]] = dead[died]
        for state, events in run.trajectories.entered.items():
            for number, (rows, month) in enumerate(events):
                at = begun[rows] + month
                kept = np.flatnonzero(at <= end[rows])
                who, at = run.places[rows[kept]], at[kept]
                whole.entered.setdefault(state, []).append((who, at))
                if state in run.trajectories.early:
                    whole.early.setdefault(state, []).append(run.trajectories.early[state][number][kept])
                if run.plan.keep is None:
                    order = run.trajectories.order[state][number][kept]
                    whole.order.setdefault(state, []).append(order)
                    later = order >= self.last[0][who]
                    self.last[0][who[later]], self.last[1][who[later]] = order[later], names.index(state)
        for state, exits in run.trajectories.left.items():
            for rows, month in exits:
                at = begun[rows] + month
                kept = np.flatnonzero(at <= end[rows])
                whole.left.setdefault(state, []).append((run.places[rows[kept]], at[kept]))

    def _put_deaths_without_benefit(self) -> None:
        whole = self.whole
        is_dead = (self.untreated_death <= whole.follow_up_end + MOMENT) & np.isfinite(self.untreated_death)
        # Who has died of treatment dies once.
        dead = np.flatnonzero(is_dead & np.isinf(whole.death_month))
        if not dead.size:
            return
        pathway = self.runs[0].plan.model.pathway
        assert pathway.marginal is not None
        names, deaths = list(pathway.states), self.runs[0].plan.exits[pathway.marginal.otherwise]
        for place, death in enumerate(deaths):
            who = dead[self.untreated_exit[dead] == place]
            whole.entered.setdefault(death.to, []).append((who, self.untreated_death[who]))
            whole.order.setdefault(death.to, []).append(self.last[0][who] + 1)
            if death.to in whole.early:
                whole.early[death.to].append(np.zeros(who.size, dtype=bool))
            whole.death_month[who] = self.untreated_death[who]
        for place in np.unique(self.last[1][dead]):
            who = dead[self.last[1][dead] == place]
            whole.left.setdefault(names[place], []).append((who, self.untreated_death[who]))
