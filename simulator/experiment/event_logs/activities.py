"""Activities: what a history says in the terms of process mining, and the steps of their lifecycle.

A state that lasts is an activity from its start to its completion; a choice or a death takes no time and is completed
only. Where a resource is limited, an activity that holds it is scheduled when a unit is requested, starts when one is
granted, and is withdrawn if the patient leaves first. The words are those of the lifecycle extension of IEEE 1849.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from simulator.arrays import Booleans, Integers
from simulator.calendar import INSTANTS
from simulator.engines.trajectories import MOMENT
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

LIFECYCLE = {"schedule": -0.3, "withdraw": -0.2, "start": 0.0, "complete": 0.9}
"""The steps, and their order at one instant next to other activities: a request is made, and withdrawn, in the activity
before. What takes no time is completed where others start."""

DAYS_A_MONTH = 365.25 / 12
MILLISECONDS = 86_400_000
"""Of a day."""


def of_scenario(
    scenario: Scenario, events: pd.DataFrame, requests: pd.DataFrame | None, horizon: float
) -> pd.DataFrame:
    """Return the activities of one scenario's patients, a row each, by patient.

    events, requests : its histories, as their tables have them; horizon : months from the start of the default clock

    place : among the events, a request that was never granted with the event that came next; row : the patient's first
    event; instance : the activity's number among the patient's, from 0; state : "" where it is open which one was
    requested; resource : "" where none is held; unit : its number from 1 on, 0 for none
    schedule, withdraw, start, complete : calendar months (since entry without a calendar), NaN for what did not happen
    """
    pathway, rows = scenario.pathway, np.arange(len(events))
    patient, state = events["patient"].to_numpy(), events["state"].astype(object).to_numpy()
    month = events["calendar_month" if "calendar_month" in events else "month"].to_numpy(dtype=np.float64)
    is_first = np.diff(patient, prepend=-1) != 0
    left = np.where(np.append(is_first[1:], True)[: rows.size], np.nan, np.append(month[1:], np.nan)[: rows.size])
    lasting = {name for name, declared in pathway.states.items() if not (declared.is_choice or declared.is_absorbing)}
    lasts = np.array([name in lasting for name in state], dtype=bool)
    activities = pd.DataFrame(
        {
            "place": rows,
            "row": np.maximum.accumulate(np.where(is_first, rows, 0)),
            "patient": patient,
            "state": state,
            "resource": np.array([pathway.states[name].holds or "" for name in state], dtype=object),
            "unit": 0,
            "schedule": np.nan,
            "withdraw": np.nan,
            "start": np.where(lasts, month, np.nan),
            "complete": np.where(lasts, left, month),
        }
    )
    if requests is None or requests.empty:
        return activities.assign(instance=activities["place"] - activities["row"])
    requests = requests.assign(unit=_units(requests))
    granted = _granted(activities, requests)
    for column in ("schedule", "unit"):
        activities.loc[granted["place"], column] = granted[column].to_numpy()
    held = np.where(activities["unit"] > 0, rows, 0)
    is_carried = _is_carried(activities, set(requests["resource"]))
    activities["unit"] = activities["unit"].to_numpy()[np.where(is_carried, np.maximum.accumulate(held), rows)]
    entered = activities[["patient", "place", "row", "state"]].assign(month=month)
    others = _not_granted(pathway, entered, requests[~requests.index.isin(granted["request"])], horizon)
    every = pd.concat([activities, others], ignore_index=True)
    return every.assign(instance=every.groupby("row").cumcount()).sort_values("row", kind="stable", ignore_index=True)


def _is_carried(activities: pd.DataFrame, limited: Collection[str]) -> Booleans:
    """Return which activities hold the unit of the patient's activity before."""
    before = activities[["row", "resource"]].shift().eq(activities[["row", "resource"]]).all(axis=1)
    return (before & activities["resource"].isin(limited)).to_numpy()


def _granted(activities: pd.DataFrame, requests: pd.DataFrame) -> pd.DataFrame:
    """Return the places of activities that began with a unit, its number and its request: the k-th with the k-th.

    Requests go on after patients are no longer followed, so the last ones may have no activity.
    """
    limited, who = set(requests["resource"]), ["patient", "resource"]
    begun = activities[activities["resource"].isin(limited) & ~_is_carried(activities, limited)]
    begun = begun.assign(visit=begun.groupby(who).cumcount())
    granted = requests[requests["granted"].notna()].rename_axis("request").reset_index().sort_values("granted")
    granted = granted.assign(visit=granted.groupby(who).cumcount()).drop(columns="unit").assign(number=granted["unit"])
    both = begun.merge(granted, on=[*who, "visit"])
    # Granted at once, a request and its grant may differ by rounding.
    return both.assign(schedule=np.minimum(both["asked"], both["start"]), unit=both["number"])


def _not_granted(pathway: Pathway, entered: pd.DataFrame, requests: pd.DataFrame, horizon: float) -> pd.DataFrame:
    """Return the activities that were requested while patients were followed, and never began."""
    clock = entered[entered["state"] == pathway.clock_state].groupby("patient")["month"].min()
    until = (clock + pathway.followed(horizon) + MOMENT).reindex(requests["patient"]).fillna(np.inf).to_numpy()
    requests = requests.assign(until=until)[requests["asked"].to_numpy() <= until].sort_values("asked")
    by_month = entered.sort_values(["month", "place"])
    made = pd.merge_asof(requests, by_month, left_on="asked", right_on="month", by="patient")
    made = made.sort_values(["place", "asked"])
    awaited = {
        (name, resource): _only(way.to for way in state.transitions if pathway.states[way.to].holds == resource)
        for name, state in pathway.states.items()
        for resource in pathway.resources
    }
    return pd.DataFrame(
        {
            "place": made["place"] + 1,
            "row": made["row"],
            "patient": made["patient"],
            "state": [awaited[key] for key in zip(made["state"], made["resource"], strict=True)],
            "resource": made["resource"],
            "unit": 0,
            "schedule": made["asked"],
            "withdraw": made["gone"].where(made["gone"] <= made["until"]),
            "start": np.nan,
            "complete": np.nan,
        }
    )


def _only(states: Iterable[str]) -> str:
    """Return the state, if it is the only one, or ""."""
    different = set(states)
    return different.pop() if len(different) == 1 else ""


def _units(requests: pd.DataFrame) -> Integers:
    """Return the number of each request's unit, from 1 on: the lowest that is free when it is granted; 0 for none."""
    number = np.zeros(len(requests), dtype=np.int64)
    at = np.rint(requests[["granted", "released"]].to_numpy() * INSTANTS)
    resources = requests["resource"].to_numpy()
    order = np.lexsort((requests["patient"], requests["asked"], at[:, 0]))
    for resource in dict.fromkeys(resources):
        free, held, most = list[int](), list[tuple[float, int]](), 0
        for place in order[(resources[order] == resource) & ~np.isnan(at[order, 0])].tolist():
            granted, released = at[place]
            while held and held[0][0] <= granted:
                heapq.heappush(free, heapq.heappop(held)[1])
            if not free:
                most += 1
                free.append(most)
            number[place] = heapq.heappop(free)
            heapq.heappush(held, (np.inf if np.isnan(released) else released, number[place]))
    return number


def steps(activities: pd.DataFrame) -> pd.DataFrame:
    """Return a row a step, by patient and time: its activity's columns, `lifecycle`, and `at`, in milliseconds."""
    parts = []
    for name, order in LIFECYCLE.items():
        happened = activities[activities[name].notna()]
        at = np.rint(happened[name].to_numpy() * (DAYS_A_MONTH * MILLISECONDS)).astype(np.int64)
        within = happened["place"] + np.where(happened["start"].isna() & (name == "complete"), 0.0, order)
        parts.append(happened.assign(lifecycle=name, at=at, within=within))
    table = pd.concat(parts, ignore_index=True)
    order_of_rows = np.lexsort((table["within"], table["at"], table["row"]))
    return table.iloc[order_of_rows].reset_index(drop=True)
