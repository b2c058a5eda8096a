"""A scenario's levers pulled: the values that a model is made of, from each draw's own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.arrays import Floats
from simulator.errors import InputError, plain
from simulator.pathway.pathway import Siblings
from simulator.pathway.units import check_unit
from simulator.scenario.scenario import LEVERS, Scenario

Values = Mapping[str, Floats | float]
"""Parameter name -> its value: a number, or (n_draws, 1)."""


def apply_levers(scenario: Scenario, draw_values: Mapping[str, Floats | float]) -> dict[str, Floats | float]:
    """Return the values with a scenario's levers pulled; siblings of a changed branch are rescaled in proportion.

    A replaced branch gives its draw's own share to another, and its siblings keep theirs.
    """
    changed: dict[str, Floats | float] = dict(scenario.set)
    with np.errstate(over="ignore", invalid="ignore"):
        for name, factor in scenario.scale.items():
            changed[name] = draw_values[name] * np.float64(factor)
        for name, ratio in scenario.odds_ratio.items():
            p = np.asarray(draw_values[name])
            changed[name] = ratio * p / (1.0 - p + ratio * p) if ratio > 0 else 0.0 * p
    for lever in LEVERS:
        for name in getattr(scenario, lever):
            hint = "try [odds_ratio]" if lever == "scale" else ""
            unit, where = scenario.pathway.parameters[name].unit, f"{scenario.where}: [{lever}] {name}"
            check_unit(changed[name], unit, where, hint)
    moved = tuple(changed)
    for name, replaced in scenario.replace.items():
        changed |= {name: draw_values[name] + draw_values[replaced], replaced: 0.0}
    values = {**draw_values, **changed}
    for name in moved:
        for choice in scenario.pathway.siblings(name):
            _rescale(scenario, choice, changed, values, draw_values)
    return values


def _rescale(
    scenario: Scenario,
    choice: Siblings,
    changed: Mapping[str, Floats | float],
    values: dict[str, Floats | float],
    draw_values: Mapping[str, Floats | float],
) -> None:
    """Share what a choice's changed branches leave among the others, in the proportions they had.

    A share declared as a number stays, and a branch that takes the rest is one of the others.
    """
    together = [name for name in choice.names if name in changed]
    siblings = [name for name in choice.names if name not in changed]
    rest = ["the rest"] if choice.has_rest else []
    before = sum(np.asarray(draw_values[name]) for name in together)
    had = sum((np.asarray(draw_values[sibling]) for sibling in siblings), np.zeros(()))
    if choice.has_rest:
        had = np.maximum(1.0 - choice.fixed - before, 0.0)
    left = before + had - sum(np.asarray(values[name]) for name in together)
    where, others = f"{scenario.where}: {', '.join(together)}", ", ".join([*siblings, *rest])
    if np.any(np.abs(left) > 1e-9) and not others and not choice.fixed:
        raise InputError(
            f"probabilities ({', '.join(together)}) do not sum to one",
            where=where,
            got=plain(float(np.max(sum(np.asarray(values[name]) for name in together)))),
            allowed="1",
        )
    if np.any(np.abs(left) > 1e-9) and not others:
        raise InputError(
            f"the other branches of '{choice.state}' are fixed numbers and cannot be rescaled",
            where=where,
            got=plain(float(np.max(np.asarray(values[together[0]])))),
            allowed='branches declared by parameters, or by "rest"',
        )
    if np.any(left < -1e-9):
        raise InputError(
            f"leaves a negative share for {others}", where=where, got=plain(float(np.min(left))), allowed="0 or more"
        )
    left = np.where(np.asarray(left) < 1e-12, 0.0, left)
    if siblings and np.any((had <= 0) & (left > 0)):
        raise InputError(
            f"{others} sum to zero and cannot be rescaled to the rest",
            where=where,
            got=plain(float(np.max(left))),
            allowed=f"set {siblings[0]} as well",
        )
    factor = np.divide(left, had, out=np.zeros(np.broadcast(left, had).shape), where=np.asarray(had) > 0)
    for sibling in siblings:
        values[sibling] = np.asarray(draw_values[sibling]) * factor
