"""How far the lattice puts a solved model's curves wrong, measured by solving it on finer cells.

Where patients can come back, the error of one visit is carried into all that follow: there the cells are halved until
that moves no curve by more than `LIMIT`, or the model is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from simulator.arrays import Floats
from simulator.engines.curves import populations
from simulator.engines.exact.lattice import Lattice
from simulator.engines.exact.solution import Solution
from simulator.engines.model import Model
from simulator.engines.steps import FINEST
from simulator.errors import EngineRefusal

LIMIT = 1e-4
"""Of any probability, where patients can come back."""
MOST_NUMBERS = 2**24
"""Entries that are solved for at once, one a draw, cell of the case mix, state and cell of the lattice: 1 GB or so."""


class TooCoarse(EngineRefusal):
    """No lattice that fits in memory is fine enough for a model in which patients come back."""

    instead = "microsim"


def cycle(model: Model) -> list[str]:
    """Return the states of a cycle that patients can go round, in order; none if there is no cycle."""
    for name in model.onward:
        came_from: dict[str, str] = {}
        reached = [name]
        for state in reached:
            new = [to for to in model.onward[state] if to not in came_from]
            came_from |= dict.fromkeys(new, state)
            reached += new
        if name in came_from:
            path = [came_from[name]]
            while path[0] != name:
                # Breadth first, so that the way back is the shortest.
                path.insert(0, came_from[path[0]])
            return path
    return []


class Solved(Protocol):
    """A solved model, or the first events of one."""

    @property
    def model(self) -> Model: ...

    @property
    def lattice(self) -> Lattice: ...

    def curves_of(self, keys: Sequence[tuple[str, str]]) -> list[Floats]:
        """Return all curves of (clock, population) keys, (n_draws, n_months) each."""


def difference(coarse: Solution, fine: Solution) -> tuple[Floats, Floats]:
    """Return how far two solutions of one model are apart at most, (n_draws,): in survival, and in being in any state.

    See `of_curves`.
    """
    pathway = coarse.model.pathway
    stays = [name for name, state in pathway.states.items() if not state.is_choice]
    pairs = [(coarse.occupied(stays, clock), fine.occupied(stays, clock)) for clock in pathway.clocks]
    stride = round(coarse.lattice.step / fine.lattice.step)
    there = [_gap(*of_state, stride) for of_clock in pairs for of_state in zip(*of_clock, strict=True)]
    return of_curves(coarse, fine), np.max(there, axis=0)


def of_curves(coarse: Solved, fine: Solved) -> Floats:
    """Return how far survival, or first events by cause and survival without any, are apart at most, (n_draws,).

    Those are of every level too: a rare one moves that of all patients by little. Groups where both reach them.
    """
    pathway = coarse.model.pathway
    ends = [solved.lattice.step * (solved.lattice.n - 1) for solved in (coarse, fine)]
    whole = min(ends) > pathway.group_window - 1e-9
    who = [name for name in populations(pathway) if whole or name not in pathway.groups]
    keys = [(clock, name) for clock in pathway.clocks for name in who]
    stride = round(coarse.lattice.step / fine.lattice.step)
    pairs = zip(coarse.curves_of(keys), fine.curves_of(keys), strict=True)
    return np.asarray(np.max([_gap(*pair, stride) for pair in pairs], axis=0))


def _gap(coarse: Floats, fine: Floats, stride: int) -> Floats:
    fine = fine[:, ::stride]
    both = min(coarse.shape[1], fine.shape[1])
    return np.asarray(np.nan_to_num(np.abs(coarse[:, :both] - fine[:, :both])).max(axis=1))


def fine_enough(
    model: Model,
    step: float,
    horizon: float,
    solve: Callable[[float], Solution],
    difference: Callable[[Solution, Solution], float],
) -> Solution:
    """Return a model with cycles solved on cells of which halving moves no curve by more than `LIMIT`.

    solve : step -> the solved model; difference : the largest between two solutions' curves. Raises TooCoarse, naming
    the cycle.
    """
    # Sojourns much shorter than a cell may do no harm, since their mean is kept: that is measured, not assumed.
    while 8 * horizon / step > FINEST:
        step *= 2
    coarse, error = solve(step), np.inf
    size = model.n_draws * max(len(model.cells), 1) * len(model.pathway.states)
    while 2 * horizon / step <= FINEST and 2 * horizon / step * size <= MOST_NUMBERS:
        step /= 2
        fine = solve(step)
        error = difference(coarse, fine)
        if error <= LIMIT:
            return fine
        coarse = fine
    names = cycle(model)
    raise TooCoarse(
        "the exact engine is not accurate enough for so many returns",
        where=f"{model.scenario.where}: [states.{names[0]}]",
        got=f"the cycle {' -> '.join([*names, names[0]])}, with an error of {error:.1g} on cells of {step:.2g} months"
        if np.isfinite(error)
        else f"the cycle {' -> '.join([*names, names[0]])}, over {horizon:g} months",
        allowed=f"an error up to {LIMIT:g}: --engine microsim, a shorter --horizon, or longer sojourns in the cycle",
    )
