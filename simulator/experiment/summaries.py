"""Tables of a run made of its parts: survival, occupancy, and a row an outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.outcomes import summaries
from simulator.outcomes.uncertainty import NOTHING, Sample, of_means, of_medians, read_off
from simulator.pathway.outcome_months import alive_at, written
from simulator.scenario.scenario import BREAK_EVEN, Scenario, parted

if TYPE_CHECKING:
    from simulator.experiment.parts import ScenarioDraws


CERTAIN = 4.0
"""Standard errors of how many more are treated, of a draw, from which on survivors are told per 10 of them."""


def _joined(own: Sequence[ScenarioDraws], table: str, *keys: Any) -> Floats:
    found = []
    for part in own:
        value = getattr(part, table)
        for key in keys:
            value = value[key]
        found.append(value)
    return np.concatenate(found)


def sample(parts: Sequence[ScenarioDraws], clock: str, population: str, name: str) -> Sample:
    """Return an outcome of one population on one clock over draws."""
    values, noise = (_joined(parts, "outcomes", (clock, population), name, place) for place in (1, 2))
    without = _joined(parts, "without", (clock, population), name) if parts[0].without else None
    return Sample(values, noise, without)


def treated(parts: Sequence[ScenarioDraws]) -> Sample:
    """Return who is treated; its noise is never told alone."""
    values = _joined(parts, "treated")
    return Sample(values, np.zeros_like(values), _joined(parts, "treated_without") if parts[0].without else None)


def survival_table(
    scenario: Scenario, clock: str, population: str, months: Floats, own: Sequence[ScenarioDraws]
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


def occupancy_table(scenario: Scenario, clock: str, months: Floats, own: Sequence[ScenarioDraws]) -> pd.DataFrame:
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
    scenario: Scenario, clock: str, population: str, own: Sequence[ScenarioDraws], first: Sequence[ScenarioDraws] | None
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
    scenario: Scenario, clock: str, own: Sequence[ScenarioDraws], first: Sequence[ScenarioDraws]
) -> list[dict[str, Any]]:
    rows = []
    more = read_off(np.subtract, treated(own), treated(first))
    told = more.values > CERTAIN * np.sqrt(np.mean(more.noise**2))
    for name, month in summaries.gained(scenario.pathway.months).items():
        alive = [sample(parts, clock, "all", alive_at(month)) for parts in (own, first)]
        found = read_off(summaries.gained_per_10, *alive, treated(own), treated(first))
        found = replace(found, values=np.where(told, found.values, np.nan))
        if not np.isnan(found.values).all():
            rows.append(_row(scenario, clock, "all", name, "survivors", found, None))
    return rows


def _paying(
    scenario: Scenario,
    own: Sequence[ScenarioDraws],
    scenarios: Sequence[Scenario],
    by_scenario: Sequence[Sequence[ScenarioDraws]],
    margin: float,
) -> list[dict[str, Any]]:
    """Return in which share of the draws a policy pays, and at the policy itself the benefit from which on it does."""
    stem, clock, month = parted(scenario.name)[0], scenario.pathway.clock, scenario.pathway.months.answer
    alike = (parts for scenario, parts in zip(scenarios, by_scenario, strict=True) if parted(scenario.name)[0] == stem)
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
    return [_row(scenario, clock, "all", name, "probability", sample, None) for name, sample in samples.items()]


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
