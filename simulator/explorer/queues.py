"""Beds and arrivals: a table of what a centre has at a few of their values, simulated, which no slider moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.analyses.sweep.run import simulate
from simulator.errors import InputError
from simulator.experiment.settings import Settings
from simulator.plain_text import capital
from simulator.scenario.scenario import Scenario
from simulator.wording import sweep_axes
from simulator.wording.intervals import over_draws
from simulator.wording.resources import losses_in_words
from simulator.wording.sweep import answer
from simulator.wording.sweep_rows import displayed

FIXED = "Simulated beforehand: the sliders do not move these numbers."
SHOWN = 4
"""Outcomes of a table: survival, then losses while waiting, the wait, and use."""


def table(centre: Scenario, queued: Mapping[str, str], *, draws: int | None, seed: int) -> dict[str, Any]:
    """Return a table of a centre at the values of one quantity, in words. Raises InputError before anything runs.

    queued : the name of a resource or a key of [service], and its values as a sweep has them
    draws : how many parameter sets; None: as many as a sweep
    """
    if len(queued) != 1:
        allowed = "one resource or [service] key, as --choose beds=1..3"
        got = list(queued) or None
        raise InputError("a centre has a table of one quantity", where="--centre", got=got, allowed=allowed)
    sweep = simulate(centre, queued, Settings(draws=draws, seed=seed), yes=False)
    axis, pathway = sweep.grid.axes[0], centre.pathway
    varied = sweep_axes.name(axis, pathway)
    outcomes = displayed(sweep)[:SHOWN]
    columns = [outcome.estimates(sweep) for outcome in outcomes]
    return {
        "caption": f"{capital(centre.policy)}, by {varied}{over_draws(sweep.manifest['draws'])}",
        "head": [varied, *(outcome.label for outcome in outcomes)],
        "rows": [
            [sweep_axes.number(axis, pathway, value), *map(str, cells)]
            for value, cells in zip(axis.values, zip(*columns, strict=True), strict=True)
        ],
        "note": " ".join([answer(sweep), f"{_lost(sweep.grid.at(0))}{FIXED}", centre.assumes, *sweep.notes]),
    }


def _lost(scenario: Scenario) -> str:
    """Return what losses while waiting are, in a sentence; empty without limits."""
    limited = [(scenario, resource) for resource in scenario.capacity]
    return f"Lost: {losses_in_words(limited)}. " if limited else ""
