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
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

MONTHS = {"asked": "requested", "granted": "granted", "gone": "reneged", "released": "released"}
"""Columns of the requests, each with its field of the request log."""

OF_CENTRE = ("calendar_month", "counted")
"""Columns of the events where resources are limited."""


@dataclass(frozen=True)
class Histories:
    """One scenario's events; and its requests, in calendar months, where resources are limited."""

    events: pd.DataFrame
    requests: pd.DataFrame | None = None


def engine(requested: str, scenarios: Sequence[Scenario], where: str = "--histories") -> str:
    """Return an engine that has histories. where : they are asked for. Raises InputError if another was requested."""
    if requested == "exact":
        raise InputError("the exact engine has no histories", where=where, allowed="--engine microsim or des")
    # A scenario with limited resources never runs by exact: "auto" stays, with its reason.
    return "microsim" if requested == "auto" and not any(scenario.is_limited for scenario in scenarios) else requested


def followed(pathway: Pathway, horizon: float, blocks: Iterable[Trajectories]) -> pd.DataFrame:
    """Return the events of patients, with their attributes, to the horizon after the default clock.

    For groups patients are followed for longer.
    """
    parts: list[pd.DataFrame] = []
    for block in blocks:
        events = event_log.table([block])
        place = _places(block, events)
        end = np.where(np.isfinite(block.clock_month), block.clock_month + horizon + MOMENT, np.inf)
        for name, column in attribute_columns(pathway).items():
            levels = np.array(list(pathway.attributes[name].levels), dtype=object)
            events[column] = levels[block.levels[name][place]]
        parts.append(events.loc[events["month"].to_numpy() <= end[place]])
    return pd.concat(parts, ignore_index=True)


def attribute_columns(pathway: Pathway) -> dict[str, str]:
    """Return attribute -> its column in the events: its name, unless that is another column's."""
    taken = ("scenario", *event_log.COLUMNS, *OF_CENTRE, "quality")
    return {name: f"{name} (attribute)" if name in taken else name for name in pathway.attributes}


def of_replication(scenario: Scenario, replication: Replication, horizon: float = np.inf) -> Histories:
    """Return the events with their calendar month, and whether the patient is counted; and the requests."""
    trajectories = replication.trajectories
    events = followed(scenario.pathway, horizon, [trajectories])
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
    of_centre = OF_CENTRE if any(scenario.is_limited for scenario in histories) else ()
    attributes = (column for scenario in histories for column in attribute_columns(scenario.pathway).values())
    columns = [*event_log.COLUMNS, *of_centre, *dict.fromkeys(attributes)]
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
