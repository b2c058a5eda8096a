"""What an arrival asks of limited resources, where requests are granted at once and where they wait without end.

Whoever waits without end leaves by another latent time, if one ever strikes. Those for whom none does are served at
last: what they ask for is what a queue must be able to serve, or it grows without limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from simulator.arrays import Floats
from simulator.distributions.exponential import Exponential
from simulator.engines.exact.embedded import NEVER, absorption, earliest, entries, leaving, visits
from simulator.engines.exact.flows_without_benefit import streams_without_benefit
from simulator.engines.exact.history_graph import UNMARKED, Node
from simulator.engines.exact.lattice import Lattice, choose_step
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.engines.no_benefit import ends_of_benefit, open_exits, share_without_benefit
from simulator.pathway.pathway import reachable

LONGEST_FOLLOWED = 1_200.0
"""Months for which whoever is treated without benefit is followed."""


@dataclass(frozen=True)
class Row:
    """How a state is left where requests for some resources wait without end. Arrays : (n_draws or 1, n_cells or 1).

    by : (exit, probability); ends : of going nowhere
    """

    by: list[tuple[Exit, Floats]]
    ends: Floats


class Uses:
    """What an arrival at the default clock asks of each limited resource of a model, in whole lives."""

    def __init__(self, model: Model) -> None:
        self.model, self.limited = model, list(model.scenario.capacity)
        self.ends = [(_EndUses(end), share) for end, share in ends_of_benefit(model)]

    def months(self, served: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return what an arrival asks of each resource, (n_draws,): months held, or requests where units are offered.

        served : resource -> (n_draws,), the share of requests that are granted at once; others wait without end
        """
        months = {name: np.zeros(self.model.n_draws) for name in self.limited}
        for end, share in self.ends:
            for name, of_end in end.months(served).items():
                months[name] = months[name] + _times(share, of_end)
        return months


class _EndUses:
    """The uses of a model in which patients differ by chance only, and not in whether they benefit at every visit."""

    def __init__(self, model: Model) -> None:
        self.model, pathway = model, model.pathway
        self.limited = list(model.scenario.capacity)
        onward = reachable([pathway.clock_state], model.onward.__getitem__)
        self.states = [name for name in pathway.states if name in onward]
        self.holds = {name: pathway.states[name].holds for name in self.states}
        self.rows = {name: self._rows(name) for name in self.states if model.exits[name]}
        self.stay = {name: leaving(model, name).stay() for name in self.states if self.holds[name] in self.limited}
        self.share_without_benefit = share_without_benefit(model)
        self.uses_without_benefit = {} if self.share_without_benefit is None else _uses_without_benefit(model)
        reached = np.atleast_2d(model.weights) * absorption(model)
        total = reached.sum(axis=-1, keepdims=True)
        self.weights = np.divide(reached, total, out=np.zeros_like(reached), where=total > 0)

    def _rows(self, state: str) -> dict[frozenset[str], Row]:
        """Return how a state is left, by the resources for which requests wait without end."""
        exits = self.model.exits[state]
        requested = [_request(self.model, state, exit) for exit in exits]
        law = leaving(self.model, state)
        rows = {frozenset[str](): Row(list(zip(exits, law.by, strict=True)), law.never)}
        resources = sorted({resource for resource in requested if resource is not None})
        for waiting in (frozenset(c) for n in range(1, len(resources) + 1) for c in combinations(resources, n)):
            others = [way for way, resource in zip(exits, requested, strict=True) if resource not in waiting]
            wanted = [way for way, resource in zip(exits, requested, strict=True) if resource in waiting]
            left = earliest([way.time for way in others if way.time is not None]) if others else None
            stuck = np.ones((1, 1)) if left is None else left.never
            by = [] if left is None else list(zip(others, left.by, strict=True))
            made = [np.atleast_2d(way.time.cdf(np.inf)) for way in wanted if way.time is not None]
            # Who is stuck with several requests is served by any of them: an equal part each.
            by += [(way, stuck * share / len(made)) for way, share in zip(wanted, made, strict=True)]
            rows[waiting] = Row(by, np.maximum(stuck * (1.0 - sum(made, np.zeros((1, 1))) / len(made)), 0.0))
        return rows

    def months(self, served: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return what `Uses.months` does."""
        place = {name: i for i, name in enumerate(self.states)}
        mixed = {name: self._mixed(rows, served) for name, rows in self.rows.items()}
        shape = np.broadcast_shapes(
            (1, 1), *(p.shape for row in mixed.values() for p in (row.ends, *(p for _, p in row.by)))
        )
        onward, ends = np.zeros((*shape, len(place), len(place))), np.ones((*shape, len(place), 1))
        for name, row in mixed.items():
            ends[..., place[name], 0] = row.ends
            for way, p in row.by:
                if way.to in place:
                    onward[..., place[name], place[way.to]] += self._with_benefit(name, way, p)
        often = entries(onward, ends, place[self.model.pathway.clock_state])
        months = {name: np.zeros((1, 1)) for name in self.limited}
        for name, stay in self.stay.items():
            if self.model.scenario.capacity[self.holds[name] or ""].offered_every is None:
                known = often[..., place[name]]
                months[self.holds[name] or ""] = months[self.holds[name] or ""] + _times(known, stay)
        for name, row in mixed.items():
            for way, p in row.by:
                wanted = _request(self.model, name, way)
                if wanted is not None and self.model.scenario.capacity[wanted].offered_every is not None:
                    months[wanted] = months[wanted] + _times(often[..., place[name]], p)
        marginal = self.model.pathway.marginal
        for name, (at_once, at_last) in self.uses_without_benefit.items():
            assert marginal is not None
            assert self.share_without_benefit is not None
            decided = often[..., place[marginal.decision]] * self.share_without_benefit
            part = np.atleast_1d(served[name])[:, None]
            months[name] = months[name] + _times(decided, part * at_once + (1.0 - part) * at_last)
        return {name: self._everybody(value) for name, value in months.items()}

    def _mixed(self, rows: Mapping[frozenset[str], Row], served: Mapping[str, Floats]) -> Row:
        if len(rows) == 1:
            return rows[frozenset()]
        requested = frozenset().union(*rows)
        by: dict[str, tuple[Exit, Floats]] = {}
        ends = np.zeros((1, 1))
        for waiting, row in rows.items():
            share = np.ones((1, 1))
            for name in requested:
                grant = np.atleast_1d(served[name])[:, None]
                share = share * ((1.0 - grant) if name in waiting else grant)
            ends = ends + share * row.ends
            for way, p in row.by:
                known = by[way.name][1] if way.name in by else np.zeros((1, 1))
                by[way.name] = way, known + share * p
        return Row(list(by.values()), ends)

    def _with_benefit(self, state: str, way: Exit, p: Floats) -> Floats:
        marginal = self.model.pathway.marginal
        if self.share_without_benefit is None or marginal is None:
            return p
        return p - self.share_without_benefit if (state, way.name) == (marginal.decision, marginal.branch) else p

    def _everybody(self, by_cell: Floats) -> Floats:
        mixed = np.sum(np.where(self.weights > 0.0, by_cell, 0.0) * self.weights, axis=-1)
        return np.broadcast_to(mixed, (self.model.n_draws,)).copy()


def most_requests(model: Model) -> tuple[str, float]:
    """Return from which state a patient asks most often for limited resources who once does, and how often on average.

    In the cell of the case mix and with the resources never granted for which it is most, the others always at once; or
    treated without benefit, until the death of the untreated.
    """
    pathway, marginal, capacity = model.pathway, model.pathway.marginal, list(model.scenario.capacity)
    lives = [(model.exits, np.inf)]
    if marginal is not None and model.marginal is not None and model.marginal.raised:
        uses_without_benefit = {name: open_exits(pathway, name, exits) for name, exits in model.exits.items()}
        lives.append((uses_without_benefit, float(np.max(leaving(model, marginal.otherwise).stay()))))
    short = [combination for n in range(len(capacity) + 1) for combination in combinations(capacity, n)]
    asking = [name for name, exits in model.exits.items() if any(_request(model, name, way) for way in exits)]
    most = "", 0.0
    for (exits, within), never, name in product(lives, short, asking):
        open_ = {
            state: tuple(x for x in exit if _request(model, state, x) not in never) for state, exit in exits.items()
        }
        again = visits(replace(model, exits=open_), start=name, within=within)[name]
        requests = float(np.where(np.atleast_2d(model.weights) > 0.0, again, 0.0).max())
        most = max(most, (name, requests), key=lambda pair: pair[1])
    return most


def _request(model: Model, state: str, way: Exit) -> str | None:
    """Return the limited resource that an exit is a request for, or None."""
    wanted = model.pathway.states[way.to].holds
    return wanted if wanted in model.scenario.capacity and wanted != model.pathway.states[state].holds else None


def _times(often: Floats, months: Floats) -> Floats:
    """Return a product in which never is never, however long it would be."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(often > NEVER, often * months, 0.0))


def _uses_without_benefit(model: Model) -> dict[str, tuple[Floats, Floats]]:
    """Return what a patient without benefit uses of each resource, (n_draws or 1, n_cells or 1) each.

    If served at once; and at last, after waits without end in which all but those without a time of death have died.
    """
    marginal = model.pathway.marginal
    assert marginal is not None
    exits = model.exits[marginal.otherwise]
    lasts = max(float(np.max(exit.time.ppf(1.0 - 1e-6))) for exit in exits if exit.time is not None)
    horizon = float(np.ceil(min(max(lasts, 12.0), LONGEST_FOLLOWED)))
    lattice = Lattice(choose_step([model], horizon), horizon)
    at_once, never = _requests_without_benefit(model, lattice), leaving(model, marginal.otherwise).never
    if not np.any(never > NEVER):
        return {name: (requests, np.zeros((1, 1))) for name, requests in at_once.items()}
    undying = replace(exits[0], time=Exponential.from_parameters({"mean": np.full((1, 1), np.inf)}), probability=None)
    at_last = _requests_without_benefit(replace(model, exits={**model.exits, marginal.otherwise: (undying,)}), lattice)
    return {name: (requests, never * at_last[name]) for name, requests in at_once.items()}


def _requests_without_benefit(model: Model, lattice: Lattice) -> dict[str, Floats]:
    marginal, pathway = model.pathway.marginal, model.pathway
    assert marginal is not None
    streams = streams_without_benefit(model, lattice, Node(marginal.decision, frozenset()), np.ones((1, 1)), UNMARKED)
    requests = {}
    for name, capacity in model.scenario.capacity.items():
        nodes = [node for node in streams.into if pathway.states[node.state].holds == name]
        total = np.zeros((1, 1))
        for node in nodes:
            if capacity.offered_every is not None:
                came = lattice.stream(streams.into[node] + 0.0 * lattice.z)
                total = total + streams.atoms[node] + came.sum(axis=-1)
                continue
            total = total + lattice.step * streams.means[node].sum(axis=-1)
        requests[name] = total
    return requests
