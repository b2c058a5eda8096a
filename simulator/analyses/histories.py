"""The histories of the same patients under several scenarios, one parameter set at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from simulator.engines.exact.embedded import refuse_endless
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence.draws import load_informed_draws, single
from simulator.experiment import centre, events, overload
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.events import Histories
from simulator.experiment.run import count_draws, draws_for_overload
from simulator.experiment.settings import Settings
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, check, check_names, check_one_pathway

PATIENTS = 1_000
"""Patients who are simulated unless arrivals are declared: enough for "of 1,000 patients"."""


@dataclass(frozen=True)
class Source:
    """Patients under scenarios of one pathway; `why` the engine was chosen."""

    scenarios: Sequence[Scenario]
    table: pd.DataFrame | None
    settings: Settings
    why: str
    n_draws: int

    @property
    def is_limited(self) -> bool:
        return any(scenario.is_limited for scenario in self.scenarios)

    def everybody(self, draw: int, replication: int = 0) -> list[Histories]:
        """Return the histories, to the horizon, of all who are simulated. draw : from 1

        They are those that a run with histories keeps of its first parameter set.
        """
        values, uniforms = single(self.table, draw - 1), Uniforms(self.settings.seed, draw, replication)
        return [self._under(scenario, values, uniforms) for scenario in self.scenarios]

    def of(self, draw: int, replication: int = 0) -> list[Histories]:
        """Return the histories, to the horizon, of the patients who are counted under every scenario."""
        kept = self.everybody(draw, replication)
        patients = set.intersection(*(set(one.events.loc[one.events["counted"], "patient"]) for one in kept))
        if not patients:
            where = self.scenarios[0].where
            raise InputError("no patient arrives", where=where, allowed="more years or arrivals in [service]")
        return [
            Histories(*(None if table is None else table[table["patient"].isin(patients)] for table in (
                one.events, one.requests)))  # type: ignore[arg-type]
            for one in kept
        ]  # fmt: skip

    def _under(self, scenario: Scenario, values: dict[str, float], uniforms: Uniforms) -> Histories:
        settings = self.settings
        replication = centre.replication(
            scenario, values, engine=settings.engine, horizon=settings.horizon, patients=settings.patients,
            uniforms=uniforms, whole=True,
        )  # fmt: skip
        return events.of_replication(scenario, replication, settings.horizon)


def source(scenarios: Sequence[Scenario], settings: Settings) -> Source:
    """Return the source of the patients of scenarios. Raises InputError before anything is simulated."""
    check_one_pathway(scenarios)
    check_names(scenarios)
    for scenario in scenarios:
        check(scenario)
    pathway = scenarios[0].pathway
    table = load_informed_draws(pathway)
    engine, why = choose_engine(events.engine(settings.engine, scenarios, "--engine"), scenarios, settings.horizon)
    n_draws = count_draws(settings, engine, any(scenario.is_limited for scenario in scenarios), table, pathway)
    few = draws_for_overload(table)
    for scenario in scenarios:
        if scenario.capacity:
            refuse_endless(resolve(scenario, few))
            if scenario.service is not None:
                overload.check(scenario, table, n_draws, settings.overload, None)
    return Source(scenarios, table, replace(settings, engine=engine), why, n_draws)
