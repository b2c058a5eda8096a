"""The microsimulation: every patient of a state at once, in NumPy, by addressed uniforms.

A latent time is the inverse of the cumulative hazard at -log(u); a branch is the least -log(u_b) / p_b.
Each patient is followed to the horizon after the default clock, or until it is clear
that they never reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from simulator.arrays import Booleans, Floats, Integers
from simulator.engines.cells import levels_of
from simulator.engines.curves import Curves, check_horizon
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.engines.no_benefit import exits_without_benefit, untreated
from simulator.engines.tally import Tally, counted_states
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.errors import InputError
from simulator.randomness import Uniforms

BLOCK = 65_536
"""Patients at once: enough to share the cost of a call, few enough for the processor's cache."""


def curves(model: Model, horizon: float, *, patients: int, uniforms: Uniforms) -> Curves:
    """Return the curves of simulated patients 0 to `patients` - 1 of a model of one draw.

    horizon : months after the default clock. Groups look to the end of their window, whatever the horizon.
    """
    return counted(model, horizon, range(patients), uniforms).curves()


def counted(
    model: Model, horizon: float, patients: range, uniforms: Uniforms, blocks: list[Trajectories] | None = None
) -> Tally:
    """Return the tally of simulated patients of a model of one draw; see `curves`. blocks : to keep their events in"""
    check_horizon(horizon)
    pathway = model.pathway
    tally = Tally(model, horizon)
    keep = counted_states(pathway) if blocks is None else None
    for block in simulate(model, uniforms, patients, horizon=pathway.followed(horizon), keep=keep):
        tally.add(block)
        if blocks is not None:
            blocks.append(block)
    return tally


def simulate(
    model: Model, uniforms: Uniforms, patients: range, *, horizon: float, keep: frozenset[str] | None = None
) -> Iterator[Trajectories]:
    """Yield blocks of simulated patients, who find every resource free. The model must be of a single draw.

    `keep` : states whose entries and exits are kept; None keeps all, and the order of each patient's events.
    """
    check_single(model)
    plan = Plan(model, horizon, keep)
    for first in range(patients.start, patients.stop, BLOCK):
        yield Run(plan, uniforms, np.arange(first, min(first + BLOCK, patients.stop))).run()


def simulate_at_once(
    model: Model, uniforms: Uniforms, patients: range, *, horizon: float, keep: frozenset[str] | None = None
) -> Trajectories:
    """Return all patients of `simulate` in one block, however many."""
    check_single(model)
    return Run(Plan(model, horizon, keep), uniforms, np.arange(patients.start, patients.stop)).run()


def check_single(model: Model) -> None:
    """Refuse a model of many draws."""
    shares = [exit.probability for exits in model.exits.values() for exit in exits if exit.probability is not None]
    if any(share.ndim > 1 for share in shares):
        raise InputError("microsim runs one draw at a time", got=f"{model.n_draws} draws", allowed="one, as numbers")


class Plan:
    """What is the same for every block: the order of states, and each state's exits by cell."""

    def __init__(self, model: Model, horizon: float, keep: frozenset[str] | None) -> None:
        self.model, self.horizon, self.keep = model, horizon, keep
        pathway = model.pathway
        self.order = pathway.in_order
        self.before_clock = pathway.states_before_clock
        self.longest = pathway.longest_way_to_clock
        self.times_carried_forward = pathway.times_carried_forward
        self.cyclic = pathway.states_of_cycles
        self.exits = {name: [exit for exit in exits if _possible(exit)] for name, exits in model.exits.items()}
        marginal = model.marginal
        self.marginal = marginal if marginal is not None and marginal.raised and marginal.benefit < 1.0 else None
        self.exits_without_benefit: Mapping[str, Sequence[Exit]] = {}
        self.untreated: list[str] = []
        if self.marginal is not None and pathway.marginal is not None:
            otherwise = pathway.marginal.otherwise
            self.exits_without_benefit = {
                name: [exit for exit in exits if _possible(exit)]
                for name, exits in self._exits_without_benefit().items()
            }
            self.untreated = [untreated(otherwise, exit) for exit in self.exits[otherwise]]
        sizes = [len(pathway.attributes[name].levels) for name in model.attributes]
        self.strides = [int(np.prod(sizes[i + 1 :])) for i in range(len(sizes))]

    def _exits_without_benefit(self) -> dict[str, tuple[Exit, ...]]:
        return exits_without_benefit(self.model)


def _possible(way: Exit) -> bool:
    return way.probability is None or bool(np.any(way.probability > 0))


class Run:
    """One block of patients on their way. Indices are places in the block."""

    def __init__(self, plan: Plan, uniforms: Uniforms, patients: Integers) -> None:
        self.plan, self.uniforms, self.patients = plan, uniforms, patients
        n = patients.size
        everybody = np.arange(n)
        self.levels = levels_of(plan.model.scenario, uniforms, patients)
        self.cell = np.zeros(n, dtype=np.int64)
        for name, stride in zip(plan.model.attributes, plan.strides, strict=True):
            self.cell += stride * self.levels[name]
        self.one_cell = len(plan.model.cells) == 1
        self.trajectories = Trajectories.at_entry(patients, self.levels, plan.longest)
        self.waiting: dict[str, list[tuple[Integers, Floats]]] = {plan.model.pathway.start: [(everybody, np.zeros(n))]}
        self.visits = {name: np.zeros(n, dtype=np.int64) for name in plan.cyclic}
        names = {name for carried in plan.times_carried_forward.values() for name in carried}
        self.latent = {name: np.full(n, np.inf) for name in (*names, *plan.untreated)}
        self.events = np.zeros(n, dtype=np.int64)
        self.without_benefit = np.zeros(n, dtype=bool) if plan.marginal is not None else None

    def run(self) -> Trajectories:
        while self.waiting:
            for state in self.plan.order:
                arrivals = self.waiting.pop(state, None)
                if arrivals is not None:
                    columns = zip(*arrivals, strict=True)
                    self._enter(state, *(parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in columns))
        return self.trajectories

    def _enter(self, state: str, who: Integers, month: Floats) -> None:
        pathway = self.plan.model.pathway
        if state == pathway.clock_state:
            first = np.isinf(self.trajectories.clock_month[who])
            self.trajectories.clock_month[who[first]] = month[first]
            self.trajectories.follow_up_end[who[first]] = month[first] + self.plan.horizon
        if self.plan.keep is None or state in self.plan.keep:
            self.trajectories.entered.setdefault(state, []).append((who, month))
            if state in self.plan.before_clock:
                self.trajectories.early.setdefault(state, []).append(np.isinf(self.trajectories.clock_month[who]))
            if self.plan.keep is None:
                self.trajectories.order.setdefault(state, []).append(self.events[who])
                self.events[who] += 1
        declared = pathway.states[state]
        if declared.kind == "death":
            self.trajectories.death_month[who] = month
        if declared.is_absorbing:
            return
        visit: Integers | int = 0
        if state in self.visits:
            visit = self.visits[state][who]
            self.visits[state][who] = visit + 1
        if declared.is_choice:
            self._choose(state, who, month, visit)
        else:
            self._stay(state, who, month, visit)

    def _send(self, to: str, who: Integers, month: Floats) -> None:
        if who.size:
            self.waiting.setdefault(to, []).append((who, month))

    def _exposures(self, names: tuple[str, ...], who: Integers, visit: Integers | int) -> Floats:
        """Return -log(u), (n_names, n)."""
        u = self.uniforms.of(names, self.patients[who], visit)
        np.log(u, out=u)
        return np.negative(u, out=u)

    def _by_cell(self, values: Floats, who: Integers) -> Floats:
        return values[self.cell[who]] if np.ndim(values) else values

    def _race(
        self, state: str, exits: Sequence[Exit], shares: Sequence[Floats], who: Integers, visit: Integers | int
    ) -> list[Floats]:
        """Return each branch's -log(u) / p, (n,) each; inf where it is closed."""
        ranks = list(self._exposures(tuple(f"{state}/{exit.drawn_as}" for exit in exits), who, visit))
        with np.errstate(divide="ignore"):
            for rank, share in zip(ranks, shares, strict=True):
                np.divide(rank, self._by_cell(share, who), out=rank)
        return ranks

    def _winner(self, state: str, exits: Sequence[Exit], who: Integers, visit: Integers | int) -> Integers:
        """Return the place of the branch that each patient takes, (n,)."""
        if len(exits) == 1:
            return np.zeros(who.size, dtype=np.int64)
        shares = [np.asarray(exit.probability) for exit in exits]
        return least(self._race(state, exits, shares, who, visit))[1]

    def _by_benefit(
        self, state: str, who: Integers, month: Floats, visit: Integers | int
    ) -> Iterator[tuple[Sequence[Exit], Integers, Floats, Integers | int]]:
        """Yield the exits of a state, and the patients to whom they are open: those without benefit, and the others."""
        if self.without_benefit is None:
            yield self.plan.exits[state], who, month, visit
            return
        without_benefit = self.without_benefit[who]
        for exits, chosen in (
            (self.plan.exits_without_benefit[state], np.flatnonzero(without_benefit)),
            (self.plan.exits[state], np.flatnonzero(~without_benefit)),
        ):
            if chosen.size:
                yield exits, who[chosen], month[chosen], visit[chosen] if isinstance(visit, np.ndarray) else visit

    def _choose(self, state: str, arrived: Integers, at: Floats, visits: Integers | int) -> None:
        for exits, who, month, visit in self._by_benefit(state, arrived, at, visits):
            winner = self._winner(state, exits, who, visit)
            self._mark_marginal(state, exits, winner, who, month, visit)
            for place, exit in enumerate(exits):
                chosen = slice(None) if len(exits) == 1 else np.flatnonzero(winner == place)
                self._send(exit.to, who[chosen], month[chosen])

    def _mark_marginal(
        self, state: str, exits: Sequence[Exit], winner: Integers, who: Integers, month: Floats, visit: Integers | int
    ) -> None:
        """Mark patients without benefit: treated under the scenario's shares, untreated in practice."""
        marginal, rule = self.plan.marginal, self.plan.model.pathway.marginal
        if marginal is None or rule is None or state != rule.decision or self.without_benefit is None:
            return
        treated = np.array([exit.name == rule.branch for exit in exits])[winner]
        candidates = np.flatnonzero(treated & ~self.without_benefit[who])
        treated_patients = who[candidates]
        visits = visit[candidates] if isinstance(visit, np.ndarray) else visit
        untreated = self._untreated_before(state, treated_patients, visits)
        no_benefit = untreated & (
            self.uniforms.at("marginal_benefit", self.patients[treated_patients]) >= marginal.benefit
        )
        self._mark_without_benefit(rule.otherwise, treated_patients[no_benefit], month[candidates][no_benefit])

    def _untreated_before(self, state: str, who: Integers, visit: Integers | int) -> Booleans:
        """Return who would not be treated in practice, with the same uniforms."""
        rule, marginal = self.plan.model.pathway.marginal, self.plan.marginal
        assert rule is not None
        assert marginal is not None
        shares = [
            marginal.practice_share if exit.name == rule.branch else 1.0 - marginal.practice_share
            for exit in self.plan.model.exits[state]
        ]
        ranks = self._race(state, self.plan.model.exits[state], shares, who, visit)
        place = [exit.name for exit in self.plan.model.exits[state]].index(rule.branch)
        return np.asarray(least(ranks)[1] != place)

    def _mark_without_benefit(self, otherwise: str, who: Integers, month: Floats) -> None:
        assert self.without_benefit is not None
        if who.size:
            self.without_benefit[who] = True
            ends, winner = self._departure(otherwise, self.plan.exits[otherwise], who, month, 0)
            for place, name in enumerate(self.plan.untreated):
                self.latent[name][who[winner == place]] = ends[winner == place]

    def _departure(
        self, state: str, exits: Sequence[Exit], who: Integers, month: Floats, visit: Integers | int
    ) -> tuple[Floats, Integers]:
        """Return when each patient who enters a sojourn at a month leaves it, and by which exit, (n,) each."""
        branches = [exit for exit in exits if exit.probability is not None]
        if not branches:
            return least(self._risks(state, exits, who, month, visit))
        taken = self._winner(state, branches, who, visit)
        ends = np.empty(who.size)
        for place, exit in enumerate(branches):
            chosen = np.flatnonzero(taken == place)
            patients = who[chosen]
            visits = visit[chosen] if isinstance(visit, np.ndarray) else visit
            exposures = self._exposures((f"{state}/{exit.name}/time",), patients, visits)
            ends[chosen] = self._end(month[chosen], exit, exposures[0], patients)
        carried = [self.latent[exit.name][who] for exit in exits if exit.carried_forward]
        if not carried:
            return ends, taken
        # What is carried forward is declared before the branches, and first at ties.
        ends, winner = least([*carried, ends])
        return ends, np.where(winner == len(carried), winner + taken, winner)

    def _risks(
        self, state: str, exits: Sequence[Exit], who: Integers, month: Floats, visit: Integers | int
    ) -> list[Floats]:
        """Return when each latent time strikes, (n,) each; in a milestone those of the state before go on."""
        names = tuple(f"{state}/{exit.name}" for exit in exits if not exit.carried_forward)
        exposures = iter(self._exposures(names, who, visit))
        risks = [
            self.latent[exit.name][who] if exit.carried_forward else self._end(month, exit, next(exposures), who)
            for exit in exits
        ]
        carried = self.plan.times_carried_forward.get(state, ())
        going_on = [(exit.name, at) for exit, at in zip(exits, risks, strict=True) if exit.name in carried]
        for name in carried:
            self.latent[name][who] = np.inf
        for (name, _), at in zip(going_on, first_at_ties([at for _, at in going_on]), strict=True):
            self.latent[name][who] = at
        return risks

    def _end(self, month: Floats, way: Exit, exposure: Floats, who: Integers) -> Floats:
        """Return when patients who enter at a month would leave by an exit, (n,), in the memory of their -log(u)."""
        assert way.time is not None
        time = way.time if self.one_cell else way.time.take(self.cell[who])
        return np.add(month, time.inverse_cumulative_hazard(exposure), out=exposure)

    def _stay(self, state: str, arrived: Integers, at: Floats, visits: Integers | int) -> None:
        for exits, who, month, visit in self._by_benefit(state, arrived, at, visits):
            ends, winner = self._departure(state, exits, who, month, visit)
            self._leave(state, exits, who, ends, winner)

    def _leave(self, state: str, exits: Sequence[Exit], who: Integers, month: Floats, winner: Integers) -> None:
        """Send patients on by their exits, but for those whose follow-up is over before."""
        in_time = self._in_time(who, month, exits, winner)
        for place, exit in enumerate(exits):
            chosen = ((winner == place) & in_time).nonzero()[0]
            leaving = who[chosen], month[chosen]
            if self.plan.keep is None or state in self.plan.keep:
                self.trajectories.left.setdefault(state, []).append(leaving)
            self._send(exit.to, *leaving)

    def _in_time(self, who: Integers, month: Floats, exits: Sequence[Exit], winner: Integers) -> Booleans:
        """Return who leaves before their follow-up is over, (n,)."""
        return np.asarray((month <= self.trajectories.follow_up_end[who] + MOMENT) & np.isfinite(month))


def least(ranks: Sequence[Floats]) -> tuple[Floats, Integers]:
    """Return the least of several arrays, and the place of the array that has it, the first at ties, (n,) each."""
    lowest, winner = ranks[0], np.zeros(ranks[0].size, dtype=np.int64)
    for place, rank in enumerate(ranks[1:], start=1):
        # Without a branch of the processor for each patient.
        np.maximum(winner, (rank < lowest) * place, out=winner)
        lowest = np.minimum(lowest, rank)
    return lowest, winner


def first_at_ties(times: Sequence[Floats]) -> list[Floats]:
    """Return latent times of which the first at a tie is the least, in whatever order they are looked at later."""
    first, latent = np.array(np.inf), []
    for time in times:
        latent.append(np.where(time == first, np.nextafter(time, np.inf), time))
        first = np.minimum(first, time)
    return latent
