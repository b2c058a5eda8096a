"""A page's model as it is stored in the page: one JSON object, and one compressed block of path curves.

A curve is stored as 16-bit numbers, 0 to 65535 for 0 to its largest possible value. Curves are smooth: differences of
differences along the row are small, and compress well as 0, -1, 1, -2, ... with all low bytes before all high ones.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.exact.routes import Branch, Route
from simulator.explorer.page_model import PageModel
from simulator.explorer.sliders import held_by
from simulator.pathway.pathway import Pathway, Transition
from simulator.pathway.references import REST, Reference, leaf_of, names_in
from simulator.scenario.levers import apply_levers

TOP = 65535
DIGITS = 12
"""Of a parameter's value: the others would move survival by less than 1e-12."""


def quantised(values: Floats, top: Floats) -> Floats:
    """Return curves from 0 to `top` as they come back from the page."""
    return np.asarray(_whole(values, top) * (top / TOP))


def _whole(values: Floats, top: Floats) -> Floats:
    return np.asarray(np.rint(np.clip(values / top, 0.0, 1.0) * TOP))


def stored(page: PageModel) -> dict[str, Any]:
    """Return everything that the page's code reads, as JSON has it; of `page.others`, what is not the page's own."""
    names, block = list(page.model.pathway.parameters), Block()
    of_shares = _of_shares(page.model.pathway)
    solved = _solved(page)
    others = map(_solved, page.others)
    return {
        "draws": page.model.n_draws,
        "months": page.months.tolist(),
        "means": list(page.means),
        "integrated": list(page.integrated),
        "occupiedMonths": page.occupied.tolist(),
        "parameters": [_parameter(page, name, name in of_shares) for name in names],
        "siblings": _siblings(page, names),
        "practice": _practice(page),
        **solved,
        "alternatives": [{key: value for key, value in other.items() if value != solved[key]} for other in others],
        "curves": {path: block.add(curve, _tops(page.months, page.integrated)) for path, curve in page.curves.items()},
        # Of the other paths, occupancy is read from what survival is.
        "occupied": {
            path: block.add(curve, _tops(page.occupied, page.integrated[-1:]))
            for path, curve in page.there.items()
            if path not in page.curves
        },
        "block": block.text,
    }


def _solved(page: PageModel) -> dict[str, Any]:
    """Return what a solution of the page's model reads, except values and curves."""
    pathway = page.model.pathway
    names = list(pathway.parameters)
    branches = list(dict.fromkeys(branch for route in page.routes.all for branch in route.branches))
    masks = list(dict.fromkeys(route.cells for route in page.routes.all if route.cells is not None))

    def as_json(routes: Iterable[Route]) -> list[Any]:
        places = {branch: place for place, branch in enumerate(branches)}
        return [
            [
                route.path,
                route.sign,
                [places[b] for b in route.branches],
                -1 if route.cells is None else masks.index(route.cells),
            ]
            for route in routes
        ]

    last = len(page.occupied)
    counts = {
        name: {
            # Entries are counted to the last month, and months added up to it.
            "column": last - 1 if count.entries else last,
            "routes": as_json(
                route
                for states, by_state in ((count.entries, page.routes.entered), (count.months, page.routes.there))
                for state in states
                for route in by_state.get(state, ())
            ),
        }
        for name, count in pathway.counts.items()
    }
    used = sorted({branch.state for branch in branches})
    return {
        "held": _held(page, names),
        "choices": [_choice(page, state, names) for state in used],
        "branches": [_branch(branch) for branch in branches],
        "masks": [list(map(int, mask)) for mask in masks],
        **_case_mix(page),
        "deaths": as_json(page.deaths),
        "there": {state: as_json(routes) for state, routes in page.routes.there.items() if routes},
        "entered": {state: as_json(routes) for state, routes in page.routes.entered.items() if routes},
        "counts": counts,
    }


def _held(page: PageModel, names: list[str]) -> dict[int, Any]:
    """Return the values of parameters that the scenario moves and no slider does."""
    scenario, sliders = page.scenario, {slider.name for slider in page.sliders}
    values, moved = apply_levers(scenario, page.values), {*scenario.set, *held_by(scenario)} - sliders
    return {names.index(name): _column(page, np.asarray(values[name])) for name in sorted(moved)}


def _tops(months: Floats, integrated: Sequence[float]) -> Floats:
    """Return the largest possible values of a curve and its integrals."""
    return np.append(np.ones(len(months)), integrated)


class Block:
    """Curves one after the other, each once."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}
        self.parts: list[Integers] = []

    def add(self, curve: Floats, tops: Floats) -> list[int]:
        """Add a curve, (rows, columns); return the place of its first number and its rows."""
        steps = _whole(curve, tops).astype(np.int64)
        for _ in range(2):
            steps = np.diff(steps, axis=1, prepend=0)
        steps = (steps + 2**15) % 2**16 - 2**15
        codes = np.where(steps >= 0, 2 * steps, -2 * steps - 1)
        if codes.tobytes() not in self.places:
            self.places[codes.tobytes()] = sum(part.size for part in self.parts)
            self.parts.append(codes.ravel())
        return [self.places[codes.tobytes()], len(codes)]

    @property
    def text(self) -> str:
        deflate, whole = zlib.compressobj(9, zlib.DEFLATED, -15), np.concatenate(self.parts)
        halves = b"".join((whole >> bits & 255).astype(np.uint8).tobytes() for bits in (0, 8))
        return base64.b64encode(deflate.compress(halves) + deflate.flush()).decode("ascii")


def _of_shares(pathway: Pathway) -> set[str]:
    """Return the parameters of shares and of who may have what: the page reads the values of no other."""
    transitions = (transition for state in pathway.states.values() for transition in state.transitions)
    references = (reference for one in transitions for reference in replace(one, time=None).references)
    return {name for reference in references for name in names_in(reference)}


def _parameter(page: PageModel, name: str, is_share: bool) -> dict[str, Any]:
    parameter = page.model.pathway.parameters[name]
    about = {"name": name, "meaning": parameter.meaning, "unit": parameter.unit, "source": parameter.source}
    return {**about, "lever": parameter.lever, "values": _column(page, page.values[name]) if is_share else []}


def _column(page: PageModel, values: Floats) -> list[float]:
    """Return a value for every parameter set, in `DIGITS` digits."""
    whole = np.broadcast_to(np.reshape(values, (-1, 1)), (page.model.n_draws, 1))
    return [_rounded(value) for value in whole[:, 0]]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _siblings(page: PageModel, names: list[str]) -> list[dict[str, Any]]:
    pathway = page.model.pathway
    choices = dict.fromkeys(choice for slider in page.sliders for choice in pathway.siblings(slider.name))
    return [
        {"names": [names.index(name) for name in choice.names], "fixed": choice.fixed, "rest": choice.has_rest}
        for choice in choices
    ]


def _choice(page: PageModel, state: str, names: list[str]) -> dict[str, Any]:
    """Return a choice's branches: of each, by cell of the case mix, its share and what it is multiplied by."""
    model = page.model
    transitions = model.pathway.states[state].transitions
    cells = [dict(zip(model.attributes, cell, strict=True)) for cell in model.cells]
    leaves = [[_leaf(transition.probability, cell, names) for cell in cells] for transition in transitions]
    open_to = [[_open(transition, cell, names) for cell in cells] for transition in transitions]
    by_cell = any(of[0] != one for table in (leaves, open_to) for of in table for one in of)
    return {
        "state": state,
        "byCell": by_cell,
        "branches": [
            {"name": transition.name, "share": share, "open": eligible}
            for transition, share, eligible in zip(transitions, leaves, open_to, strict=True)
        ],
    }


def _leaf(reference: Reference | None, cell: Mapping[str, str], names: list[str]) -> Any:
    """Return a number, {p: place of a parameter}, or "rest"."""
    leaf = REST if reference is None else leaf_of(reference, cell)
    return {"p": names.index(leaf)} if isinstance(leaf, str) and leaf != REST else leaf


def _open(transition: Transition, cell: Mapping[str, str], names: list[str]) -> list[Any]:
    """Return the factors on a branch's share for patients of a cell."""
    return [
        _leaf(levels[cell[attribute]], cell, names)
        for attribute, levels in transition.eligible.items()
        if cell[attribute] in levels
    ]


def _branch(branch: Branch) -> dict[str, Any]:
    return {"state": branch.state, "name": branch.name, "among": list(branch.among), "who": branch.who}


def _practice(page: PageModel) -> list[float]:
    """Return the share treated today, of every parameter set; where it is by cell, of every cell of it."""
    marginal = page.model.marginal
    shares = np.atleast_2d(1.0 if marginal is None else marginal.practice_share)
    by_set = np.broadcast_to(shares, (page.model.n_draws, shares.shape[1]))
    return [_rounded(share) for share in by_set.ravel()]


def _case_mix(page: PageModel) -> dict[str, Any]:
    """Return the joint tables of attributes that matter, and for every cell its place in each."""
    model = page.model
    joints = [joint for joint in model.scenario.joints if joint.of[0] in model.attributes]
    tables, places = [], []
    for joint in joints:
        levels = [model.pathway.attributes[name].levels for name in joint.of]
        at = [tuple(cell) for cell in product(*levels)]
        places.append(
            [at.index(tuple(cell[model.attributes.index(name)] for name in joint.of)) for cell in model.cells]
        )
        shares = [joint.share(dict(zip(joint.of, cell, strict=True))) for cell in at]
        tables.append(
            {
                "of": list(joint.of),
                "levels": [list(map(int, place)) for place in np.ndindex(*map(len, levels))],
                "shares": shares,
            }
        )
    return {"joints": tables, "cells": [list(cell) for cell in zip(*places, strict=True)] or [[]]}
