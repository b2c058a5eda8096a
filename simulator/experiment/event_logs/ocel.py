"""Event logs in OCEL 2.0 (JSON): patients, units of limited resources and scenarios are objects that events relate to.

An event's type is its activity and the step of its lifecycle, as "admission (start)", or the activity alone of what
takes no time. All values are texts, as in the published schema; the types of attributes say what they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, TextIO

import pandas as pd

from simulator.experiment.event_logs.log import OBJECTS, EventLog
from simulator.experiment.event_logs.tables import CASE, TIME, of_cases, process_mining, stamps
from simulator.scenario.scenario import Scenario

PATIENT, SCENARIO = OBJECTS
OF_SCENARIO, STEP = "case:scenario", "lifecycle:transition"
ALWAYS = "1970-01-01T00:00:00.000+00:00"
"""The time of a value that an object has from the beginning, as logs of the standard have it."""

KINDS = {"i": "integer", "u": "integer", "b": "boolean"}
"""NumPy's kind of a column, and the type of its attribute; others are "string"."""


def write(log: EventLog, file: TextIO) -> None:
    """Write a log: its events, a case after another, then the objects, and the types of both."""
    patients, units, event_types, number = dict[str, str](), dict[str, str](), dict[str, None](), count(1)
    attributes = dict[str, str]()
    file.write('{\n"events": [')
    for table in process_mining(log):
        # Parameter set and replication stand in a case's identifier, before the patient's number.
        table["unit"] = (table[CASE].str.rsplit("/", n=1).str[0] + "/" + table["org:resource"]).astype(object)
        table["type"] = _event_types(table)
        event_types |= dict.fromkeys(table["type"])
        for event in _events(table, number):
            file.write(event)
        of_case = [column for column in of_cases(table) if column not in (CASE, OF_SCENARIO)]
        attributes = {column: KINDS.get(table[column].dtype.kind, "string") for column in of_case}
        patients |= _patients(table, of_case)
        units |= _units(log, table)
    scenarios = [_object(scenario.name, SCENARIO, _about(log, scenario)) for scenario in log.followed]
    object_types = [
        _type(PATIENT, {column.removeprefix("case:"): kind for column, kind in attributes.items()}),
        _type(SCENARIO, dict.fromkeys(_about(log, log.scenarios[0]), "string")),
        *(_type(name, {}) for name in log.unit_names.values()),
    ]
    _write_list(file, '\n],\n"objects": [\n', [*scenarios, *patients.values(), *units.values()])
    _write_list(file, '\n],\n"eventTypes": [\n', [_type(name, {"lifecycle": "string"}) for name in event_types])
    _write_list(file, '\n],\n"objectTypes": [\n', object_types)
    file.write("\n]\n}\n")


def _event_types(table: pd.DataFrame) -> list[str]:
    """Return the type of each step: its activity, and its lifecycle unless the activity takes no time."""
    alone = table.groupby([CASE, "concept:instance"])[STEP].transform("size") == 1
    takes_no_time = alone & (table[STEP] == "complete")
    return list(table["concept:name"].where(takes_no_time, table["concept:name"] + " (" + table[STEP] + ")"))


def _events(table: pd.DataFrame, number: Iterator[int]) -> Iterator[str]:
    """Yield the events of a table, each with the patient and, if a unit is held, the unit."""
    columns = (table["type"], stamps(table[TIME]), table[STEP], table[CASE], table["unit"])
    for type_, time, step, case, unit in zip(*columns, strict=True):
        place = next(number)
        related = [_to(case, PATIENT), *([_to(unit, "unit")] if isinstance(unit, str) else [])]
        values = [{"name": "lifecycle", "value": step}]
        event = {"id": f"e{place:09}", "type": type_, "time": time, "attributes": values, "relationships": related}
        yield ("," if place > 1 else "") + "\n" + _json(event)


def _patients(table: pd.DataFrame, columns: list[str]) -> Iterator[tuple[str, str]]:
    """Yield identifier and object of every patient."""
    first = table[~table[CASE].duplicated()]
    names = [column.removeprefix("case:") for column in columns]
    for case, scenario, *values in first[[CASE, OF_SCENARIO, *columns]].itertuples(index=False, name=None):
        yield case, _object(case, PATIENT, dict(zip(names, values, strict=True)), [_to(scenario, SCENARIO)])


def _units(log: EventLog, table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield identifier and object of every unit that is held."""
    types = {log.resource_names[name]: label for name, label in log.unit_names.items()}
    held = table.dropna(subset="unit").drop_duplicates("unit")
    for unit, resource, scenario in zip(held["unit"], held["org:group"], held[OF_SCENARIO], strict=True):
        yield unit, _object(unit, types[resource], {}, [_to(scenario, SCENARIO)])


def _about(log: EventLog, scenario: Scenario) -> dict[str, Any]:
    return {"title": scenario.title, "question": scenario.question, "description": log.about, **log.dating}


def _object(id_: str, type_: str, values: Mapping[str, Any], related: list[dict[str, str]] | None = None) -> str:
    attributes = [{"name": name, "value": _text(value), "time": ALWAYS} for name, value in values.items()]
    return _json({"id": id_, "type": type_, "attributes": attributes, "relationships": related or []})


def _type(name: str, attributes: Mapping[str, str]) -> str:
    return _json({"name": name, "attributes": [{"name": key, "type": kind} for key, kind in attributes.items()]})


def _to(id_: str, qualifier: str) -> dict[str, str]:
    return {"objectId": id_, "qualifier": qualifier}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_list(file: TextIO, key: str, entries: list[str]) -> None:
    file.write(key + ",\n".join(entries))
