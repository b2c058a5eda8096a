"""What the addressed uniforms have in store for each patient of a model, a number at a time; looked up in blocks.

latent time = H^-1(-log u),   branch taken = least -log(u_b) / p_b
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import inf
from typing import NamedTuple

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.cells import levels_of
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.engines.no_benefit import exits_without_benefit
from simulator.randomness import Uniforms

BLOCK = 256
"""Patients whose numbers are found together when one of them is asked for."""


class TimedExit(NamedTuple):
    """A way out of a state, and the months after which it is taken."""

    months: float
    exit: Exit


class PatientSampler:
    """What happens to patients : (n,) under a model of one draw. `place` is a patient's place among them."""

    def __init__(self, model: Model, uniforms: Uniforms, patients: Integers) -> None:
        self.model, self.uniforms, self.patients = model, uniforms, patients
        self.levels = levels_of(model.scenario, uniforms, patients)
        self.cell = np.zeros(patients.size, dtype=np.int64)
        for name in model.attributes:
            self.cell = self.cell * len(model.pathway.attributes[name].levels) + self.levels[name]
        self._latent: dict[tuple[str, int, int], list[float]] = {}
        self._branches: dict[tuple[str, int, int, bool], list[int]] = {}

    def exits(self, state: str, without_benefit: bool) -> tuple[Exit, ...]:
        """Return a state's exits, or those of patients without benefit."""
        return self._without_benefit[state] if without_benefit else self.model.exits[state]

    @cached_property
    def _without_benefit(self) -> dict[str, tuple[Exit, ...]]:
        return exits_without_benefit(self.model)

    def timed_exits(self, state: str, place: int, visit: int, without_benefit: bool = False) -> list[TimedExit]:
        """Return when a patient would leave a sojourn by each exit, as declared; of branches, by the one taken.

        What is carried forward from the state before is infinite: only the patient knows when.
        """
        exits = self.exits(state, without_benefit)
        if any(exit.probability is not None for exit in exits):
            taken = self.branch(state, place, visit, without_benefit)
            exits = tuple(exit for exit in exits if exit.carried_forward or exit is taken)
        return [
            TimedExit(inf if exit.carried_forward else self._months(state, exit, place, visit), exit) for exit in exits
        ]

    def branch(self, state: str, place: int, visit: int, without_benefit: bool = False) -> Exit:
        """Return the branch that a patient takes."""
        exits = [exit for exit in self.exits(state, without_benefit) if exit.probability is not None]
        key = (state, visit, place // BLOCK, without_benefit)
        if key not in self._branches:
            shares = [np.asarray(exit.probability) for exit in exits]
            self._branches[key] = self._race(state, exits, shares, place // BLOCK, visit)
        return exits[self._branches[key][place % BLOCK]]

    def treated_today(self, place: int, visit: int) -> bool:
        """Return whether practice would treat a patient at a visit of the marginal decision."""
        rule, marginal = self.model.pathway.marginal, self.model.marginal
        assert rule is not None
        assert marginal is not None
        exits = self.model.exits[rule.decision]
        key = (f"{rule.decision} before", visit, place // BLOCK, False)
        if key not in self._branches:
            share = marginal.practice_share
            shares = [share if exit.name == rule.branch else 1.0 - share for exit in exits]
            self._branches[key] = self._race(rule.decision, exits, shares, place // BLOCK, visit)
        return exits[self._branches[key][place % BLOCK]].name == rule.branch

    def benefits(self, place: int) -> bool:
        """Return whether a marginal patient benefits."""
        assert self.model.marginal is not None
        u = self.uniforms.at("marginal_benefit", self.patients[place : place + 1])
        return bool(u[0] < self.model.marginal.benefit)

    def _block(self, block: int) -> tuple[Integers, Integers]:
        chosen = slice(BLOCK * block, BLOCK * (block + 1))
        return self.patients[chosen], self.cell[chosen]

    def _months(self, state: str, way: Exit, place: int, visit: int) -> float:
        name = f"{state}/{way.name}" if way.probability is None else f"{state}/{way.name}/time"
        key = (name, visit, place // BLOCK)
        if key not in self._latent:
            patients, cell = self._block(place // BLOCK)
            assert way.time is not None
            time = way.time if len(self.model.cells) == 1 else way.time.take(cell)
            exposure = -np.log(self.uniforms.at(name, patients, visit))
            self._latent[key] = np.broadcast_to(time.inverse_cumulative_hazard(exposure), exposure.shape).tolist()
        return self._latent[key][place % BLOCK]

    def _race(self, state: str, exits: Sequence[Exit], shares: Sequence[Floats], block: int, visit: int) -> list[int]:
        patients, cell = self._block(block)
        with np.errstate(divide="ignore"):
            ranks = [
                -np.log(self.uniforms.at(f"{state}/{exit.drawn_as}", patients, visit))
                / (share[cell] if share.ndim and share.size > 1 else share)
                for exit, share in zip(exits, shares, strict=True)
            ]
        winners: list[int] = np.argmin(np.stack([np.broadcast_to(r, patients.shape) for r in ranks]), axis=0).tolist()
        return winners
