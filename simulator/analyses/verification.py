"""Checks that an installation gives correct answers: engines against one another and against themselves.

Without limited resources, exact against microsim and against a finer lattice; with them, microsim against des, event
by event. Every check has a measured value and its limit; NaN fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import scenarios
from simulator.engines.curves import LONGEST, Curves
from simulator.engines.exact import accuracy
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import Model, resolve
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.errors import AftercartError
from simulator.evidence import draws
from simulator.experiment import centre, lattice_error
from simulator.outcomes import event_log
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.milestones import without
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.capacity import beyond_microsim
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario, load_scenario

HORIZON = 120.0
PATIENTS = 40_000
FOLLOWED = 500
"""Patients whose events are all checked."""
SEED = 20240680
FALSE_ALARM = 1e-6
"""The rate for one comparison of two engines."""
FINER = 8
SOME = 10
"""Cells of the finer lattice in one of the run's: more than the four by which a run measures its error."""
DIGITS = 1e-8
"""Error of the damped transform in a cumulative probability."""


@dataclass(frozen=True)
class Check:
    """One check: its scenario, its law, the measured deviation, and its limit."""

    subject: str
    law: str
    measured: float
    limit: float

    @property
    def passed(self) -> bool:
        return bool(self.measured <= self.limit)


def checks(progress: Callable[[int, int], None] | None = None) -> Iterator[Check]:
    """Yield the checks of every shipped pathway and scenario."""
    scenarios_to_check = subjects()
    for done, scenario in enumerate(scenarios_to_check):
        if progress is not None:
            progress(done, len(scenarios_to_check))
        yield from of(scenario)
    if progress is not None:
        progress(len(scenarios_to_check), len(scenarios_to_check))


def subjects() -> list[Scenario]:
    """Return every shipped pathway as it is declared, and every shipped scenario."""
    pathways = [Scenario(name=name, pathway=load_pathway(name)) for name in shipped.names()]
    return pathways + [load_scenario(name) for name in scenarios.names()]


def of(scenario: Scenario) -> Iterator[Check]:
    """Yield the checks of one scenario, under the first parameter set of its pathway."""
    draw_values = draws.single(draws.load_draws(scenario.pathway), 0)
    if scenario.is_limited:
        yield from _limited(scenario, draw_values)
        return
    model = resolve(scenario, draw_values)
    if scenario.pathway.milestones:
        ratios = {**scenario.hazard_ratio, **without(scenario.pathway)}
        never = resolve(replace(scenario, hazard_ratio=ratios), draw_values)
        yield Check(scenario.name, "milestones move deaths by", _death_difference(model, never), 0.0)
    else:
        yield from _unlimited(scenario, model)
    blocks = list(microsim.simulate(model, Uniforms(SEED), range(FOLLOWED), horizon=HORIZON))
    yield _possible(scenario, blocks)


def _unlimited(scenario: Scenario, model: Model) -> Iterator[Check]:
    curves = exact.curves(model, HORIZON)
    yield Check(scenario.name, "occupancy sums to one", _occupancy_gap(curves), 1e-6)
    yield Check(scenario.name, "survival never rises", _rise(curves, scenario.pathway), DIGITS)
    yield from _lattice(scenario)
    yield _engines_agree(scenario, model, curves)


def _limited(scenario: Scenario, draw_values: Values) -> Iterator[Check]:
    by_des = _followed(scenario, draw_values, "des")
    yield _possible(scenario, [by_des])
    if beyond_microsim(scenario.pathway, scenario.capacity) is None:
        by_microsim = _followed(scenario, draw_values, "microsim")
        difference = _event_difference(event_log.table([by_microsim]), event_log.table([by_des]))
        yield Check(scenario.name, "microsim and des apart, months at any event", difference, MOMENT)


def _followed(scenario: Scenario, draw_values: Values, engine: str) -> Trajectories:
    """Return all patients' events in one replication."""
    replication = centre.replication(
        scenario, draw_values, engine=engine, horizon=HORIZON, patients=FOLLOWED, uniforms=Uniforms(SEED), whole=True
    )
    return replication.trajectories


def _event_difference(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the most months by which an event differs; infinite where the events are not the same."""
    keys = ["patient", "event", "state"]
    if not one[keys].astype(str).equals(other[keys].astype(str)):
        return np.inf
    return float(np.max(np.abs(one["month"].to_numpy() - other["month"].to_numpy()), initial=0.0))


def _possible(scenario: Scenario, blocks: list[Trajectories]) -> Check:
    events, wrong, reason = event_log.table(blocks), 0, ""
    try:
        event_log.check(events, scenario.pathway)
    except AftercartError as error:
        wrong, reason = 1, f": {error}"
    return Check(scenario.name, f"impossible among {events['patient'].nunique():,} histories{reason}", wrong, 0.0)


def _death_difference(one: Model, other: Model) -> float:
    """Return the largest difference of a patient's death, in months."""
    dead = [
        np.concatenate([b.death_month for b in microsim.simulate(m, Uniforms(SEED), range(PATIENTS), horizon=HORIZON)])
        for m in (one, other)
    ]
    return float(np.max(np.abs(np.subtract(*(np.where(np.isinf(months), LONGEST, months) for months in dead)))))


def _occupancy_gap(curves: Curves) -> float:
    totals = [sum(states.values(), np.zeros(1)) for states in curves.occupancy.values()]
    return float(np.max([np.abs(total - 1.0).max() for total in totals]))


def _rise(curves: Curves, pathway: Pathway) -> float:
    """Return the largest rise of survival, or fall of the share who have died; an empty population has none."""
    alive = [survival for survival in curves.survival.values() if not np.isnan(survival).all()]
    alive += [-states[death] for states in curves.occupancy.values() for death in pathway.deaths]
    return float(np.max([np.diff(curve).max(initial=0.0) for curve in alive]))


def _lattice(scenario: Scenario) -> Iterator[Check]:
    """Yield how far a finer lattice moves some draws' curves, against the error that a run states of others."""
    table = draws.load_draws(scenario.pathway)
    n_draws = draws.choose(table, None, scenario.pathway)
    stated = lattice_error.measured([scenario], table, HORIZON, n_draws)
    rows = slice(0, n_draws, max(n_draws // SOME, 1))
    model = resolve(scenario, draws.values(table, rows))
    claimed = accuracy.LIMIT if accuracy.cycle(model) else np.inf
    coarse = exact.solve(model, HORIZON, window=False)
    fine = exact.solve(model, HORIZON, step=coarse.lattice.step / FINER, window=False)
    for what, moved in zip(("survival", "occupancy"), accuracy.difference(coarse, fine), strict=True):
        limit = min(lattice_error.OTHERS * stated[f"{what}_error"]["largest"], claimed) + DIGITS
        yield Check(scenario.name, f"a lattice {FINER} times as fine moves {what} by", float(moved.max()), limit)


def _engines_agree(scenario: Scenario, model: Model, curves: Curves) -> Check:
    """The greatest gap between exact and simulated curves, as a share of the Dvoretzky-Kiefer-Wolfowitz bound."""
    simulated = microsim.curves(model, HORIZON, patients=PATIENTS, uniforms=Uniforms(SEED))
    gaps = [0.0]
    stride = round((simulated.months[1] - simulated.months[0]) / (curves.months[1] - curves.months[0]))
    compared = [(simulated.survival, curves.survival)]
    for name, free in simulated.end_points.items():
        solved = curves.end_points[name]
        compared.append((free.survival, solved.survival))
        compared += [(by_key, solved.incidence[cause]) for cause, by_key in free.incidence.items()]
    for counted, solved_curves in compared:
        for key, shares in counted.items():
            n = PATIENTS * float(simulated.sizes[key[1]][0])
            if n < 1 or np.isnan(shares).any():
                continue
            bound = np.sqrt(np.log(2.0 / FALSE_ALARM) / (2.0 * n))
            gaps.append(float(np.abs(shares - solved_curves[key][:, ::stride]).max() / bound))
    return Check(
        scenario.name,
        f"exact and microsim apart, of the bound (1 false alarm in {1 / FALSE_ALARM:.0e})",
        float(np.max(gaps)),
        1.0,
    )
