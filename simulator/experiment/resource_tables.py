"""The tables of a centre over time: use of resources and waits, with draws and replications kept separate.

For values x_dr of draw d and replication r, with R replications a draw:

    within = mean_d var_r x_dr,   monte_carlo_se = sqrt(within / (D R)),   replication_sd = sqrt(within)

`lower`, `upper` are the 95 % interval over draws: of the draws' means, without the replications' share within / R of
their variance (see `simulator.outcomes.uncertainty`). One replication does not show that share, and gives no
interval: of few patients, it would be an interval of chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.engines.curves import INTERVAL
from simulator.experiment.centre import Key, ResourceDraws
from simulator.outcomes.labels import WHOLE_STAYS, follow_up, words_and_unit
from simulator.outcomes.resource_use import label, shares_waiting
from simulator.outcomes.uncertainty import NOTHING, Summary, of_means, same_sign
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

NORMAL = 1.959964
"""97.5 % point of the standard normal distribution."""


def service(scenarios: Sequence[Scenario], resources: Sequence[Sequence[ResourceDraws]]) -> pd.DataFrame:
    """Return a row per outcome of a resource, or of a year of arrival; resources : by scenario and draw."""
    outcomes = [[draw.outcomes for draw in draws] for draws in resources]
    return pd.DataFrame(
        {"scenario": scenario.name, **_key(key, scenario.pathway), "unit": unit, **row, "follow_up": _followed(key)}
        for scenario, key, unit, row in _rows(scenarios, outcomes)
    )


def by_group(scenarios: Sequence[Scenario], resources: Sequence[Sequence[ResourceDraws]]) -> pd.DataFrame | None:
    """Return a row per outcome of a group of patients who request a resource; None where nothing is limited."""
    outcomes = [[draw.groups for draw in draws] for draws in resources]
    rows = [
        {
            **dict(zip(("scenario", "resource", "by", "level", "outcome"), (scenario.name, *key), strict=True)),
            "label": label(key[-1]),
            "unit": unit,
            **row,
        }
        for scenario, key, unit, row in _rows(scenarios, outcomes)
    ]
    return pd.DataFrame(rows) if rows else None


def _rows(
    scenarios: Sequence[Scenario], outcomes: Sequence[Sequence[Mapping[Key, tuple[str, Floats]]]]
) -> Iterator[tuple[Scenario, Key, str, dict[str, float]]]:
    """Yield scenario, key, unit and summary of every outcome. outcomes : by scenario and draw"""
    for place, (scenario, draws) in enumerate(zip(scenarios, outcomes, strict=True)):
        precision = 0.1 if scenario.service is None else scenario.service.precision
        for key, (unit, _) in draws[0].items():
            values = np.array([draw[key][1] for draw in draws])
            is_compared = place and key in outcomes[0][0]
            first = np.array([draw[key][1] for draw in outcomes[0]]) if is_compared else None
            yield scenario, key, unit, _row(values, first, precision)


def by_draw(scenarios: Sequence[Scenario], resources: Sequence[Sequence[ResourceDraws]]) -> pd.DataFrame | None:
    """Return a row a scenario, resource and parameter set, a column an outcome: the mean of its replications.

    None where nothing is limited.
    """
    tables = []
    for scenario, draws in zip(scenarios, resources, strict=True):
        for resource in scenario.capacity:
            names = [name for of, year, name in draws[0].outcomes if (of, year) == (resource, 0)]
            values = {name: _means(np.array([draw.outcomes[resource, 0, name][1] for draw in draws])) for name in names}
            key = {"scenario": scenario.name, "resource": resource, "draw": np.arange(1, 1 + len(draws))}
            tables.append(pd.DataFrame({**key, **values}))
    return pd.concat(tables, ignore_index=True) if tables else None


def _means(values: Floats) -> Floats:
    """Return the means over replications : (n_draws,), NaN for nobody."""
    counts = np.isfinite(values).sum(axis=1)
    return np.asarray(np.where(counts > 0, np.nansum(values, axis=1) / np.maximum(counts, 1), np.nan))


def _key(key: tuple[str, int, str], pathway: Pathway) -> dict[str, Any]:
    resource, year, outcome = key
    words = label(outcome) if resource else words_and_unit(outcome, pathway)[0]
    return {"resource": resource, "arrival_year": year or "", "outcome": outcome, "label": words}


def _followed(key: tuple[str, int, str]) -> str:
    """Return how far patients are followed for an outcome; arrivals are counted as they come."""
    resource, _, outcome = key
    if resource:
        return WHOLE_STAYS
    return "" if outcome == "arrivals" else follow_up(outcome, np.inf)


def _row(values: Floats, first: Floats | None, precision: float) -> dict[str, float]:
    """Return the summary of values : (n_draws, n_replications), NaN for nobody; first : the first scenario's."""
    estimate, within = summary(values)
    half = precision * abs(float(estimate.estimate))
    wanted = np.ceil((NORMAL**2 * within) / half**2 / len(values)) if half > 0 else np.nan
    gap = np.full_like(values, np.nan) if first is None or first.shape != values.shape else values - first
    difference, known = summary(gap)[0], gap[np.isfinite(gap).any(axis=1)]
    return {
        **estimate.columns(),
        "replication_sd": float(np.sqrt(within)),
        "replications_wanted": float(max(wanted, 1.0)) if np.isfinite(wanted) else np.nan,
        **difference.columns("difference"),
        "difference_same_sign": float(same_sign(np.nanmean(known, axis=1), difference.estimate)),
    }


def summary(values: Floats) -> tuple[Summary, float]:
    """Return the summary of values : (n_draws, n_replications), NaN for nobody, and the variance within a draw."""
    counts = np.isfinite(values).sum(axis=1)
    values, counts = values[counts > 0], counts[counts > 0]
    if not values.size:
        return NOTHING, np.nan
    several = counts > 1
    variances = np.full(len(values), np.nan)
    variances[several] = np.nanvar(values[several], axis=1, ddof=1)
    within = float(np.nanmean(variances)) if several.any() else np.nan
    estimate = of_means(np.nanmean(values, axis=1), np.where(several, variances, within) / counts)
    return estimate if several.any() else estimate.without_interval(), within


def queue(scenarios: Sequence[Scenario], resources: Sequence[Sequence[ResourceDraws]]) -> pd.DataFrame | None:
    """Return how many wait and how many units are in use by calendar month; None where nothing is limited.

    Next to the mean and its interval over draws: from `least` to `most`, 95 % of all replications of all draws; and the
    share of all of them in which so many wait.
    """
    parts = []
    for scenario, draws in zip(scenarios, resources, strict=True):
        for resource in draws[0].queue:
            n = min(draw.months.size for draw in draws)
            columns = {"scenario": scenario.name, "resource": resource, "month": draws[0].months[:n]}
            waiting = np.array([draw.queue[resource][:, :n] for draw in draws])
            columns |= _by_month("waiting", waiting) | shares_waiting(waiting)
            columns |= _by_month("in_use", np.array([draw.in_use[resource][:, :n] for draw in draws]))
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True) if parts else None


def _by_month(name: str, values: Floats) -> dict[str, Floats]:
    """Return the columns of a series : (n_draws, n_replications, n_months)."""
    n = values.shape[1]
    chance = values.var(axis=1, ddof=1) / n if n > 1 else np.full_like(values[:, 0], np.nan)
    mean = of_means(values.mean(axis=1), chance)
    mean = mean if n > 1 else mean.without_interval()
    least, most = np.quantile(values, INTERVAL, axis=(0, 1))
    return {**mean.series(name), f"{name}_least": least, f"{name}_most": most}
