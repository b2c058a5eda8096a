"""Checks that an installation gives the answers it should: engines against one another and against themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

import scenarios
from simulator import draws, histories, pathway_file
from simulator.curves import LONGEST, Curves
from simulator.engines import exact, microsim, tally
from simulator.milestone import without
from simulator.model import Model, resolve
from simulator.randomness import Uniforms
from simulator.scenario import Scenario, load_scenario

HORIZON = 120.0
PATIENTS = 40_000
SEED = 20240680
FALSE_ALARM = 1e-6
"""Of one comparison of two engines."""


@dataclass(frozen=True)
class Check:
    """One check: what was held against what, how far they were apart, and how far they may be."""

    subject: str
    law: str
    found: float
    limit: float

    @property
    def passed(self) -> bool:
        return bool(self.found <= self.limit)


def checks(progress: Callable[[int, int], None] | None = None) -> Iterator[Check]:
    """Yield the checks of every shipped pathway and scenario."""
    subjects = [Scenario(name=name, pathway=pathway_file.load_pathway(name)) for name in pathway_file.names()]
    subjects += [load_scenario(name) for name in scenarios.names()]
    for done, scenario in enumerate(subjects):
        if progress is not None:
            progress(done, len(subjects))
        yield from _of(scenario)
    if progress is not None:
        progress(len(subjects), len(subjects))


def _of(scenario: Scenario) -> Iterator[Check]:
    own = draws.single(draws.load_draws(scenario.pathway), 0)
    model = resolve(scenario, own)
    if scenario.pathway.milestones:
        never = resolve(replace(scenario, hazard_ratio=without(scenario.pathway)), own)
        yield Check(scenario.name, "milestones move deaths by", _deaths_apart(model, never), 0.0)
        return
    curves = exact.curves(model, HORIZON)
    yield Check(scenario.name, "occupancy sums to one", _occupancy_gap(curves), 1e-6)
    rise = max(float(np.nanmax(np.diff(each), initial=0.0)) for each in curves.survival.values())
    yield Check(scenario.name, "survival never rises", rise, 0.0)
    yield Check(scenario.name, "halving the lattice moves OS by", _halving(model), 1e-4)
    yield _engines_agree(scenario, model, curves)
    blocks = list(microsim.simulate(model, Uniforms(SEED), range(500), horizon=HORIZON))
    histories.check(histories.table(blocks), scenario.pathway)
    yield Check(scenario.name, "impossible histories", 0.0, 0.0)


def _deaths_apart(one: Model, other: Model) -> float:
    """Return the most months by which anybody dies at another time."""
    dead = [
        np.concatenate([b.death_month for b in microsim.simulate(m, Uniforms(SEED), range(PATIENTS), horizon=HORIZON)])
        for m in (one, other)
    ]
    return float(np.max(np.abs(np.subtract(*(np.where(np.isinf(each), LONGEST, each) for each in dead)))))


def _occupancy_gap(curves: Curves) -> float:
    totals = [sum(states.values(), np.zeros(1)) for states in curves.occupancy.values()]
    return max(float(np.abs(each - 1.0).max()) for each in totals)


def _halving(model: Model) -> float:
    coarse = exact.solve(model, HORIZON)
    fine = exact.solve(model, HORIZON, step=coarse.lattice.step / 2)
    return float(np.abs(coarse.survival()[:, : coarse.n_months] - fine.survival()[:, ::2]).max())


def _engines_agree(scenario: Scenario, model: Model, curves: Curves) -> Check:
    """The greatest gap between exact and simulated OS, as a share of the Dvoretzky-Kiefer-Wolfowitz bound."""
    simulated = tally.curves(model, HORIZON, patients=PATIENTS, uniforms=Uniforms(SEED))
    worst = 0.0
    stride = round((simulated.months[1] - simulated.months[0]) / (curves.months[1] - curves.months[0]))
    for key, survival in simulated.survival.items():
        n = PATIENTS * float(simulated.sizes[key[1]][0])
        if n < 1 or np.isnan(survival).any():
            continue
        bound = np.sqrt(np.log(2.0 / FALSE_ALARM) / (2.0 * n))
        worst = max(worst, float(np.abs(survival - curves.survival[key][:, ::stride]).max() / bound))
    return Check(
        scenario.name,
        f"exact and microsim apart, of the bound (1 false alarm in {1 / FALSE_ALARM:.0e})",
        worst,
        1.0,
    )
