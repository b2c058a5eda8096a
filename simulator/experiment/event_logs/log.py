"""An event log: the histories of a run as cases with dates and names, in parts that a file takes one after another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from simulator.errors import InputError
from simulator.experiment.event_logs.activities import DAYS_A_MONTH, of_scenario
from simulator.experiment.events import attribute_columns
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

ORIGIN = "2026-01-01"
DATES = "a date from 1900-01-01 to 2199-12-31, as 2026-01-01"

ABOUT = "Simulated patients, not real ones. Month 0 is {origin}; a month is 365.25 / 12 = 30.4375 days."

OBJECTS = ("patient", "scenario")
"""Kinds of objects in a log next to the units of resources."""

PATIENTS = 5_000
"""Cases of a part: what is in memory as text at once."""


@dataclass(frozen=True)
class Part:
    """Consecutive cases of a scenario. number : of the scenario, from 1; activities : as `of_scenario`, of these cases

    cases : row -> `case`, its identifier, and the attributes of a case
    """

    scenario: Scenario
    number: int
    activities: pd.DataFrame
    cases: pd.DataFrame


@dataclass(frozen=True)
class EventLog:
    """Histories and requests of scenarios, as `Results` has them. origin : the date of month 0; horizon : in months"""

    scenarios: tuple[Scenario, ...]
    histories: pd.DataFrame
    requests: pd.DataFrame | None
    horizon: float
    origin: date

    @property
    def pathway(self) -> Pathway:
        return self.scenarios[0].pathway

    @property
    def about(self) -> str:
        """What the log has, and what its dates are, in a sentence or two."""
        return ABOUT.format(origin=self.origin.isoformat())

    @property
    def dating(self) -> dict[str, str | float]:
        """How months become dates."""
        return {"origin": self.origin.isoformat(), "days_a_month": DAYS_A_MONTH}

    @cached_property
    def activity_names(self) -> dict[str, str]:
        """State -> its label."""
        return distinct({name: state.label for name, state in self.pathway.states.items()})

    @cached_property
    def resource_names(self) -> dict[str, str]:
        """Resource -> its label; "" -> ""."""
        return distinct({name: resource.label for name, resource in self.pathway.resources.items()}) | {"": ""}

    @cached_property
    def followed(self) -> tuple[Scenario, ...]:
        """The scenarios that have histories."""
        names = set(self.histories["scenario"])
        return tuple(scenario for scenario in self.scenarios if scenario.name in names)

    def parts(self) -> Iterator[Part]:
        """Yield the cases of every scenario that has histories."""
        for number, scenario in enumerate(self.followed, start=1):
            events = _of(self.histories, scenario)
            requests = None if self.requests is None else _of(self.requests, scenario)
            activities = of_scenario(scenario, events, requests, self.horizon)
            cases = self._cases(scenario, events.loc[activities["row"].unique()])
            starts = np.append(np.searchsorted(activities["row"], cases.index[::PATIENTS]), len(activities))
            for i, (first, last) in enumerate(pairwise(starts)):
                some = cases.iloc[i * PATIENTS : (i + 1) * PATIENTS]
                yield Part(scenario, number, activities.iloc[first:last], some)

    def _cases(self, scenario: Scenario, first: pd.DataFrame) -> pd.DataFrame:
        """Return the cases of a scenario. first : every patient's first event

        Histories are those of the first parameter set's first replication. A patient's number is the same in all
        scenarios, and the same simulated person has it.
        """
        cases = pd.DataFrame(
            {
                "case": [f"{scenario.name}/1/1/{patient}" for patient in first["patient"].tolist()],
                "scenario": scenario.name,
                "parameter_set": 1,
                "replication": 1,
                "patient": first["patient"],
                "origin": self.origin.isoformat(),
            },
            index=first.index,
        )
        if "counted" in first:
            cases["counted"] = first["counted"]
        columns = attribute_columns(scenario.pathway)
        for attribute, key in attribute_keys(scenario.pathway).items():
            cases[key] = first[columns[attribute]]
        return cases

    def activities(self, table: pd.DataFrame) -> list[str]:
        """Return the names of activities; of a request that could have been for several states, the resource's."""
        pairs = zip(table["state"], table["resource"], strict=True)
        return [self.activity_names[state] if state else self.resource_names[resource] for state, resource in pairs]

    def unit(self, resource: str, number: int) -> str:
        """Return the name of a unit, as "bed 1"; "" without a number."""
        return f"{self.unit_names[resource]} {number}" if number else ""

    @cached_property
    def unit_names(self) -> dict[str, str]:
        """Resource -> the label of one unit of it."""
        return distinct({name: resource.labelled(1) for name, resource in self.pathway.resources.items()}, OBJECTS)

    def dates(self, milliseconds: pd.Series) -> np.ndarray:
        """Return dates, as datetime64[ms], from milliseconds since month 0."""
        return np.datetime64(self.origin, "ms") + milliseconds.to_numpy().astype("timedelta64[ms]")


def read_origin(origin: str | date, where: str = "origin") -> date:
    """Return the date of month 0. Raises InputError for what is no date."""
    if isinstance(origin, datetime):
        origin = origin.date()
    if isinstance(origin, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", origin):
        try:
            origin = date.fromisoformat(origin)
        except ValueError as error:
            raise InputError(f"not a date: {error}", where=where, got=origin, allowed=DATES) from error
    if not isinstance(origin, date):
        raise InputError("not a date", where=where, got=origin, allowed=DATES)
    if not 1900 <= origin.year < 2200:
        raise InputError("the date is out of range", where=where, got=origin, allowed=DATES)
    return origin


def distinct(labels: Mapping[str, str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return name -> its label; a label that several names have, or that is taken, has the name after it."""
    used = [*labels.values(), *taken]
    return {name: label if used.count(label) == 1 else f"{label} ({name})" for name, label in labels.items()}


def attribute_keys(pathway: Pathway) -> dict[str, str]:
    """Return attribute -> its key in a log: its name, unless a log has that key already or cannot have such a key."""
    taken = ("case", "scenario", "parameter_set", "replication", "patient", "origin", "counted")
    usable = {name: name not in taken and re.match("[A-Za-z]", name) is not None for name in pathway.attributes}
    return {name: name if usable[name] else f"attribute_{name}" for name in pathway.attributes}


def _of(table: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Return a scenario's rows of a table, numbered from 0."""
    return table[table["scenario"] == scenario.name].reset_index(drop=True)
