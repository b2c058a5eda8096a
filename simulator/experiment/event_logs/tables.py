"""Event logs as tables: in the columns of process mining, a row a step, and in those of vidigi, a row an event."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from simulator.experiment.event_logs.activities import MILLISECONDS, steps
from simulator.experiment.event_logs.log import EventLog

CASE, TIME = "case:concept:name", "time:timestamp"


def process_mining(log: EventLog) -> Iterator[pd.DataFrame]:
    """Yield the steps of cases, in the columns that pm4py and bupaR read.

    A row a step : concept:instance numbers the activities of a case; org:group is the resource that the activity holds
    or asks for, org:resource its unit, where units are limited; the attributes of a case begin with case:
    """
    for part in log.parts():
        table = steps(part.activities)
        number = table["unit"].where(table["lifecycle"] != "schedule", 0)
        columns = {
            CASE: part.cases["case"].loc[table["row"]].to_numpy(),
            "concept:name": log.activities(table),
            TIME: pd.to_datetime(log.dates(table["at"]), utc=True),
            "lifecycle:transition": table["lifecycle"],
            "concept:instance": table["instance"].astype(str),
            # Objects: pandas 3 would have NaN for None.
            "org:resource": pd.Series(map(log.unit, table["resource"], number), dtype=object).replace("", None),
            "org:group": table["resource"].astype(object).map(log.resource_names).replace("", None),
        }
        attributes = part.cases.drop(columns="case").add_prefix("case:").loc[table["row"]]
        yield pd.DataFrame(columns | {name: column.to_numpy() for name, column in attributes.items()})


def vidigi(log: EventLog) -> Iterator[pd.DataFrame]:
    """Yield the events of patients, in the columns of vidigi 2.

    A row an event : time in days since month 0; run_number is the scenario's place, and pathway its name; a patient who
    is alive at the end of follow-up has no departure
    """
    absorbing = [name for name, state in log.pathway.states.items() if state.is_absorbing]
    for part in log.parts():
        table = steps(part.activities)
        step, has_unit = table["lifecycle"], table["unit"] > 0
        kinds = {
            "arrival_departure": table["state"].isin(absorbing),
            "resource_use": has_unit & (step == "start"),
            "resource_use_end": has_unit & (step == "complete"),
            "queue": step.isin(["schedule", "start"]),
        }
        name = pd.Series(log.activities(table))
        waiting = "waiting: " + table["resource"].map(log.resource_names)
        events = table.assign(
            event_type=np.select(list(kinds.values()), list(kinds), ""),
            event=name.mask(kinds["resource_use_end"], name + " ends").mask(step == "schedule", waiting),
            resource_id=table["unit"].where(has_unit & (step != "schedule")),
        )
        events.loc[kinds["arrival_departure"], "event"] = "depart"
        arrivals = events[~events["row"].duplicated()]
        arrivals = arrivals.assign(event_type="arrival_departure", event="arrival", resource_id=np.nan)
        # What takes no time, as a choice, is no event that can be seen.
        events = pd.concat([arrivals, events[events["event_type"] != ""]]).sort_values("row", kind="stable")
        columns = {
            "entity_id": events["patient"],
            "pathway": part.scenario.name,
            "event_type": events["event_type"],
            "event": events["event"],
            "time": events["at"] / MILLISECONDS,
            "timestamp": log.dates(events["at"]),
            "run_number": part.number,
            "resource_id": events["resource_id"].astype("Int64"),
        }
        attributes = part.cases.drop(columns=["case", "scenario", "patient"]).loc[events["row"]]
        made = columns | {name: column.to_numpy() for name, column in attributes.items()}
        yield pd.DataFrame(made).reset_index(drop=True)


def of_cases(table: pd.DataFrame) -> list[str]:
    """Return the columns that belong to cases."""
    return [column for column in table.columns.tolist() if column.startswith("case:")]


def stamps(times: pd.Series) -> list[str]:
    """Return times as ISO 8601 has them, in UTC: 2026-01-01T00:00:00.000+00:00."""
    texts = np.datetime_as_string(times.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]"), unit="ms")
    return [f"{text}+00:00" for text in texts.tolist()]
