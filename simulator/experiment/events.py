"""Histories: every event, and every request for a limited resource, of the first draw's first replication."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.errors import InputError
from simulator.experiment.centre import Replication
from simulator.outcomes import event_log
from simulator.scenario.scenario import Scenario

MONTHS = {"asked": "requested", "granted": "granted", "gone": "reneged", "released": "released"}
"""Columns of the requests, each with its field of the request log."""


@dataclass(frozen=True)
class Histories:
    """One scenario's events; and its requests, in calendar months, where resources are limited."""

    events: pd.DataFrame
    requests: pd.DataFrame | None = None


def engine(requested: str, scenarios: Sequence[Scenario]) -> str:
    """Return an engine that has histories. Raises InputError if another was requested."""
    if requested == "exact":
        raise InputError("the exact engine has no histories", where="--histories", allowed="--engine microsim or des")
    # A scenario with limited resources never runs by exact: "auto" stays, with its reason.
    return "microsim" if requested == "auto" and not any(scenario.is_limited for scenario in scenarios) else requested


def followed(horizon: float, blocks: Iterable[Trajectories]) -> pd.DataFrame:
    """Return the events of patients to the horizon after the default clock; for groups they are followed for longer."""
    parts: list[pd.DataFrame] = []
    for block in blocks:
        events = event_log.table([block])
        end = np.where(np.isfinite(block.clock_month), block.clock_month + horizon + MOMENT, np.inf)
        is_followed = events["month"].to_numpy() <= end[_places(block, events)]
        parts.append(events.loc[is_followed])
    return pd.concat(parts, ignore_index=True)


def of_replication(scenario: Scenario, replication: Replication, horizon: float = np.inf) -> Histories:
    """Return the events with their calendar month, and whether the patient is counted; and the requests."""
    trajectories = replication.trajectories
    events = followed(horizon, [trajectories])
    place = _places(trajectories, events)
    months = replication.origin[place] + events["month"]
    events = events.assign(calendar_month=months, counted=replication.counted[place])
    return Histories(events, _requests(scenario, replication) if scenario.capacity else None)


def _places(trajectories: Trajectories, events: pd.DataFrame) -> np.ndarray:
    """Return the place of each event's patient."""
    order = np.argsort(trajectories.patients)
    return np.asarray(order[np.searchsorted(trajectories.patients[order], events["patient"])])


def _requests(scenario: Scenario, replication: Replication) -> pd.DataFrame:
    """Return the request log; the cell of an event that did not happen is empty."""
    requests, names = replication.requests, np.array(list(scenario.capacity))
    columns = {"patient": requests.patients, "resource": names[requests.resource]}
    months = {column: getattr(requests, name) for column, name in MONTHS.items()}
    return pd.DataFrame(columns | {name: np.where(np.isfinite(month), month, np.nan) for name, month in months.items()})


def tables(histories: Mapping[Scenario, Histories]) -> dict[str, pd.DataFrame]:
    """Return the tables of a run, `histories` and, where a resource is limited, `requests`, a scenario after another.

    Where any scenario has limited resources, events have the calendar month, and whether the patient is counted.
    """
    columns = [*event_log.COLUMNS]
    if any(scenario.is_limited for scenario in histories):
        columns += ["calendar_month", "counted"]
    events = {scenario.name: kept.events[columns] for scenario, kept in histories.items()}
    requests = {scenario.name: kept.requests for scenario, kept in histories.items() if kept.requests is not None}
    named = {"histories": events, "requests": requests}
    return {name: _of_scenarios(parts) for name, parts in named.items() if parts}


def _of_scenarios(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    tables = []
    for name, table in parts.items():
        table.insert(0, "scenario", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
