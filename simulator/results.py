"""Results: the tidy tables of an experiment, and the manifest that says how they came about.

`lower` and `upper` are the 95 % interval over parameter draws, `monte_carlo_se` is the noise of the simulation, 0 for
exact: see `simulator.uncertainty`. Patients who share a ward depend on one another, so their noise is what a draw's
replications show; patients without limits are independent, and theirs is binomial. Where nobody knows it the cell is
empty and the interval holds it: of a single replication, and of a difference between simulations without limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator import csv_file, manifest, outcomes, ward_tables
from simulator.curves import populations
from simulator.outcome_months import alive_at, written
from simulator.outcome_words import follow_up
from simulator.scenario import BREAK_EVEN, Scenario, parted
from simulator.uncertainty import NOTHING, Sample, of_means, of_medians, read_off

if TYPE_CHECKING:
    from simulator.experiment import Part, Settings

Floats = NDArray[np.float64]

DIGITS = ".8g"
"""Of the numbers in the files."""

TABLES = ("survival", "outcomes", "occupancy", "service", "queue")

CERTAIN = 4.0
"""Standard errors of how many more are treated, of a draw, from which on survivors are told per 10 of them."""


@dataclass(frozen=True)
class Results:
    """An experiment's tables, as in its folder: survival, outcomes, occupancy; and the manifest.

    service : where resources are limited or patients arrive over time; queue : where resources are limited
    """

    scenarios: tuple[Scenario, ...]
    survival: pd.DataFrame
    outcomes: pd.DataFrame
    occupancy: pd.DataFrame
    manifest: dict[str, Any]
    service: pd.DataFrame | None = None
    queue: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Say what was run, and which tables there are."""
        names, told = [each.name for each in self.scenarios], self.manifest
        others = f" and {len(names) - 4} more" if len(names) > 4 else ""
        rough = ", a rough answer" if self.is_rough else ""
        ran = f"{told['engine']}, {told['draws']} parameter sets, {told['horizon']:g} months{rough}"
        tables = {name: getattr(self, name) for name in TABLES}
        rows = [f"  {name}: {len(each):,} rows" for name, each in tables.items() if each is not None]
        return "\n".join([f"Results of {', '.join(names[:4])}{others}: {ran}", *rows])

    @property
    def is_rough(self) -> bool:
        """Whether they are for a first look only."""
        return bool(self.manifest.get("rough"))

    def marked(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of rough results with a last column, `quality`, that says so in every row; others as it is."""
        return table.assign(quality="rough") if self.is_rough else table

    def write(self, folder: str | Path) -> None:
        """Write survival.csv, outcomes.csv, occupancy.csv and manifest.json into a folder, made if need be.

        Raises InputError where there can be no such folder.
        """
        folder = manifest.made(folder)
        for name in TABLES:
            table = getattr(self, name)
            if table is not None:
                csv_file.write(table, folder / f"{name}.csv", DIGITS)
        manifest.write(self.manifest, folder)


def gather(
    scenarios: Sequence[Scenario],
    parts: Sequence[Sequence[Part]],
    settings: Settings,
    engine: str,
    why: str,
    n_draws: int,
) -> Results:
    """Return the tables of chunks of draws, each a part a scenario."""
    from simulator.experiment import report_months

    pathway = scenarios[0].pathway
    months = report_months(settings.horizon, pathway.months.early)
    by_scenario = [[chunk[i] for chunk in parts] for i in range(len(scenarios))]
    survival, occupancy, rows = [], [], []
    for i, (scenario, own) in enumerate(zip(scenarios, by_scenario, strict=True)):
        for clock in clocks(scenario):
            for name in populations(pathway):
                survival.append(_survival(scenario, clock, name, months, own))
                rows.extend(outcome_rows(scenario, clock, name, own, by_scenario[0] if i else None))
            occupancy.append(_occupancy(scenario, clock, months, own))
        rows.extend(_paying(scenario, own, scenarios, by_scenario, settings.margin))
    rows = [row | {"follow_up": follow_up(row["outcome"], settings.horizon)} for row in rows]
    limited = [(each, [p.ward for p in own if p.ward]) for each, own in zip(scenarios, by_scenario, strict=True)]
    limited = [(each, wards) for each, wards in limited if wards]
    service = queue = None
    if limited:
        chosen, wards = [each for each, _ in limited], [each for _, each in limited]
        service, queue = as_written(ward_tables.service(chosen, wards)), ward_tables.queue(chosen, wards)
    made = Results(
        tuple(scenarios),
        as_written(pd.concat(survival, ignore_index=True)),
        as_written(pd.DataFrame(rows)),
        as_written(pd.concat(occupancy, ignore_index=True)),
        manifest.manifest(scenarios, settings, engine, why, n_draws),
        service,
        None if queue is None else as_written(queue),
    )
    tables = {name: getattr(made, name) for name in TABLES}
    marked: dict[str, Any] = {name: made.marked(table) for name, table in tables.items() if table is not None}
    return replace(made, **marked)


def as_written(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the digits that its file will have, so that a report says the same of either."""
    for column in table.select_dtypes("float"):
        table[column] = [float(f"{value:{DIGITS}}") for value in table[column]]
    return table


def clocks(scenario: Scenario) -> list[str]:
    """Return the clocks, the one that the scenario leads with first."""
    return sorted(scenario.pathway.clocks, key=lambda clock: clock != scenario.leads_with)


def _joined(own: Sequence[Part], table: str, *keys: Any) -> Floats:
    found = []
    for part in own:
        value = getattr(part, table)
        for key in keys:
            value = value[key]
        found.append(value)
    return np.concatenate(found)


def sample(parts: Sequence[Part], clock: str, population: str, name: str) -> Sample:
    """Return an outcome of one population on one clock over draws."""
    values, noise = (_joined(parts, "outcomes", (clock, population), name, place) for place in (1, 2))
    without = _joined(parts, "without", (clock, population), name) if parts[0].without else None
    return Sample(values, noise, without)


def _treated(parts: Sequence[Part]) -> Sample:
    """Return who is treated; its noise is never told alone."""
    values = _joined(parts, "treated")
    return Sample(values, np.zeros_like(values), _joined(parts, "treated_without") if parts[0].without else None)


def _survival(
    scenario: Scenario, clock: str, population: str, months: Floats, own: Sequence[Part]
) -> pd.DataFrame:
    values = _joined(own, "survival", (clock, population))
    noise = _joined(own, "noise", (clock, population)) if own[0].noise else np.zeros_like(values)
    told = of_means(values, noise**2)
    return pd.DataFrame(
        {
            "scenario": scenario.name,
            "clock": clock,
            "population": population,
            "month": months,
            "survival": told.estimate,
            "lower": told.lower,
            "upper": told.upper,
            "monte_carlo_se": told.monte_carlo_se,
        }
    )


def _occupancy(scenario: Scenario, clock: str, months: Floats, own: Sequence[Part]) -> pd.DataFrame:
    states = list(own[0].occupancy[clock])
    means = [_joined(own, "occupancy", clock, state).mean(axis=0) for state in states]
    return pd.DataFrame(
        {
            "scenario": scenario.name,
            "clock": clock,
            "month": np.tile(months, len(states)),
            "state": np.repeat(states, months.size),
            "probability": np.concatenate(means),
        }
    )


def outcome_rows(
    scenario: Scenario, clock: str, population: str, own: Sequence[Part], first: Sequence[Part] | None
) -> list[dict[str, Any]]:
    """Return the rows of one population on one clock, differences told to the `first` scenario's parts."""
    rows = []
    for name, (unit, _, _) in own[0].outcomes[clock, population].items():
        found = sample(own, clock, population, name)
        apart = None if first is None else read_off(np.subtract, found, sample(first, clock, population, name))
        rows.append(_row(scenario, clock, population, name, unit, found, apart))
    if first is not None and population == "all" and clock == scenario.pathway.clock:
        rows.extend(_gained(scenario, clock, own, first))
    return rows


def _gained(
    scenario: Scenario, clock: str, own: Sequence[Part], first: Sequence[Part]
) -> list[dict[str, Any]]:
    rows = []
    more = read_off(np.subtract, _treated(own), _treated(first))
    told = more.values > CERTAIN * np.sqrt(np.mean(more.noise**2))
    for name, month in outcomes.gained(scenario.pathway.months).items():
        alive = [sample(parts, clock, "all", alive_at(month)) for parts in (own, first)]
        found = read_off(outcomes.gained_per_10, *alive, _treated(own), _treated(first))
        found = replace(found, values=np.where(told, found.values, np.nan))
        if not np.isnan(found.values).all():
            rows.append(_row(scenario, clock, "all", name, "survivors", found, None))
    return rows


def _paying(
    scenario: Scenario,
    own: Sequence[Part],
    scenarios: Sequence[Scenario],
    by_scenario: Sequence[Sequence[Part]],
    margin: float,
) -> list[dict[str, Any]]:
    """Return in which share of the draws a policy pays, and at the policy itself the benefit from which on it does."""
    stem, clock, month = parted(scenario.name)[0], scenario.pathway.clock, scenario.pathway.months.answer
    alike = (parts for each, parts in zip(scenarios, by_scenario, strict=True) if parted(each.name)[0] == stem)
    found = [part.break_even for parts in alike for part in parts if part.break_even is not None]
    if not found or scenario.marginal_benefit == BREAK_EVEN:
        return []
    alive, wanted = sample(own, clock, "all", alive_at(month)), np.concatenate([each.survival for each in found])
    told = {f"draws_with_{margin:g}_more_at_{written(month)}": np.array([(alive.values >= wanted - 1e-9).mean()])}
    if scenario.marginal_benefit == 1.0:
        told[f"break_even_for_{margin:g}_more_at_{written(month)}"] = np.concatenate([each.benefit for each in found])
    # Of simulated patients nobody knows how much chance moves either.
    noise = 0.0 if not alive.noise.any() else np.nan
    samples = {name: Sample(values, np.full(len(values), noise)) for name, values in told.items()}
    return [_row(scenario, clock, "all", name, "probability", each, None) for name, each in samples.items()]


def _row(
    scenario: Scenario, clock: str, population: str, name: str, unit: str, found: Sample, apart: Sample | None
) -> dict[str, Any]:
    # Some draws never reach a median, or a break-even: the median over draws can be told all the same.
    summary = of_medians if name == "median_os" or name.startswith("break_even") else of_means
    difference = NOTHING if apart is None else summary(apart.values, apart.noise**2)
    return {
        "scenario": scenario.name,
        "clock": clock,
        "population": population,
        "outcome": name,
        "unit": unit,
        **summary(found.values, found.noise**2).columns(),
        **difference.difference_columns(),
    }
