"""Patients who are treated without benefit: their share at the decision, and the exits that are open to them.

They go the way of the treated as far as the state of no response, with deaths and ends on the way left out, except
deaths of treatment (`harm`). Wherever they are, the death that supportive care had in store for them is a latent time
carried forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exits import Exit
from simulator.engines.model import Model
from simulator.pathway.pathway import Pathway


def share_without_benefit(model: Model) -> Floats | None:
    """Return the share treated without benefit at the decision, (n_draws or 1, n_cells or 1); None if nobody is."""
    marginal, rule = model.marginal, model.pathway.marginal
    if marginal is None or not marginal.raised or np.all(np.equal(marginal.benefit, 1.0)):
        return None
    if rule is not None and rule.decision in model.ends:
        return None
    raised = np.maximum(np.atleast_2d(marginal.share) - np.atleast_2d(marginal.practice_share), 0.0)
    return (1.0 - marginal.benefit) * raised


def ends_of_benefit(model: Model) -> list[tuple[Model, Floats]]:
    """Return the models to solve for one, with the share of patients of each, (n_draws,).

    A patient benefits at every visit to the marginal decision or at none: if patients come back to it, what happens to
    them is a mixture of a benefit of 1 and of 0, and no single model.
    """
    marginal, rule = model.marginal, model.pathway.marginal
    whole = [(model, np.ones(model.n_draws))]
    if marginal is None or rule is None or not marginal.raised or rule.decision not in model.pathway.states_of_cycles:
        return whole
    if np.all(marginal.benefit == 0.0) or np.all(marginal.benefit == 1.0):
        return whole
    benefit = np.broadcast_to(marginal.benefit, (model.n_draws, 1))[:, 0]
    ends = ((1.0, benefit), (0.0, 1.0 - benefit))
    return [(replace(model, marginal=replace(marginal, benefit=end)), share) for end, share in ends]


def ways(pathway: Pathway, state: str) -> list[tuple[str, str]]:
    """Return the exits of a state, as (name, to), that are open to patients without benefit."""
    marginal = pathway.marginal
    assert marginal is not None
    if state == marginal.no_benefit:
        return []
    exits = [(transition.name, transition.to) for transition in pathway.states[state].transitions]
    onward = [exit for exit in exits if not pathway.states[exit[1]].is_absorbing]
    if pathway.states[state].is_choice:
        return [exit for exit in onward if exit[1] == marginal.no_benefit] or onward
    return [exit for exit in exits if exit in onward or exit[1] in marginal.harm]


def exits_without_benefit(model: Model) -> dict[str, tuple[Exit, ...]]:
    """Return, by state, the exits of patients without benefit: first the deaths of the untreated, carried forward."""
    pathway = model.pathway
    assert pathway.marginal is not None
    otherwise = pathway.marginal.otherwise
    deaths = tuple(
        replace(exit, name=untreated(otherwise, exit), time=None, probability=None, carried_forward=True)
        for exit in model.exits[otherwise]
    )
    return {
        name: (*(deaths if pathway.states[name].kind == "sojourn" else ()), *open_exits(pathway, name, exits))
        for name, exits in model.exits.items()
    }


def untreated(otherwise: str, exit: Exit) -> str:
    """Return the name under which a time of the untreated is carried forward."""
    return f"{otherwise}/{exit.name}"


def open_exits(pathway: Pathway, state: str, exits: Iterable[Exit]) -> tuple[Exit, ...]:
    """Return the exits that are open to patients without benefit, their probabilities made to sum to one."""
    kept = {name for name, _ in ways(pathway, state)}
    open_to = [exit for exit in exits if exit.name in kept]
    if not open_to or open_to[0].probability is None:
        return tuple(open_to)
    total = sum((np.asarray(exit.probability) for exit in open_to), np.zeros(()))
    return tuple(
        replace(exit, probability=_share(np.asarray(exit.probability), total, len(open_to))) for exit in open_to
    )


def _share(part: Floats, total: Floats, n: int) -> Floats:
    """Return a part of a total; one in n where there is none: where no patient is a non-responder."""
    shape = np.broadcast_shapes(part.shape, total.shape)
    return np.asarray(np.divide(part, total, out=np.full(shape, 1.0 / n), where=total > 0))
