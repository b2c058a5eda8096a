"""The outcomes that a sweep's tables and figures show, of all that are in its table, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.outcomes import labels
from simulator.pathway.outcome_months import alive_at, in_words, mean_to
from simulator.scenario.arrivals import DAYS_A_MONTH

MOST = 8

WARDS = (
    ("lost_while_waiting", "lost while waiting for {}, of those who asked, %", 100.0),
    ("wait_mean", "mean wait for {} of those served, days", DAYS_A_MONTH),
    ("utilisation", "{} in use, %", 100.0),
)


@dataclass(frozen=True)
class Shown:
    """An outcome: its key in the table, what it is called, and by what its numbers are multiplied."""

    outcome: str
    label: str
    factor: float
    clock: str = ""
    population: str = ""
    resource: str = ""

    @property
    def unit(self) -> str:
        """The unit of its numbers as they are shown: what follows the label's last comma."""
        return self.label.rpartition(", ")[2]

    def rows(self, sweep: Sweep) -> list[dict[str, Any]]:
        """Return its row of every cell, in the order of the cells."""
        table = sweep.table
        chosen = table["outcome"] == self.outcome
        for key in ("clock", "population", "resource"):
            chosen &= table[key] == getattr(self, key)
        return [{str(key): value for key, value in row.items()} for row in table[chosen].to_dict("records")]

    def values(self, sweep: Sweep) -> tuple[Floats, Floats, Floats]:
        """Return estimate, lower, upper : the grid's shape, as they are shown."""
        shape = [len(axis.values) for axis in sweep.grid.axes]
        rows = self.rows(sweep)
        found = [self.factor * np.array([row[key] for row in rows]) for key in ("estimate", "lower", "upper")]
        estimate, lower, upper = (each.reshape(shape) for each in found)
        return estimate, lower, upper


def lead(sweep: Sweep) -> Shown | None:
    """Return the OS that answers; None where the horizon is too short."""
    if sweep.lead is None:
        return None
    clock, outcome = sweep.lead
    return _alive(outcome, clock, sweep)


def shown(sweep: Sweep) -> list[Shown]:
    """Return what is shown: the OS that answers, then what the wards do, or else later OS and what planners count."""
    first = lead(sweep)
    found = [] if first is None else [first]
    pathway = sweep.scenario.pathway
    limited = sweep.grid.at(0).capacity
    if limited:
        varied = [axis.key for axis in sweep.grid.axes if axis.table == "capacity"]
        for resource in sorted(limited, key=lambda name: name not in varied):
            label = pathway.resources[resource].label
            found += [Shown(name, words.format(label), factor, resource=resource) for name, words, factor in WARDS]
        return found[:MOST]
    clock = pathway.clock if sweep.lead is None else sweep.lead[0]
    horizon = sweep.manifest["horizon"]
    last = pathway.months.means[-1]
    if horizon >= last:
        found += [] if sweep.lead == (clock, alive_at(last)) else [_alive(alive_at(last), clock, sweep)]
        found.append(Shown(mean_to(last), labels.label(mean_to(last), pathway), 1.0, clock, "all"))
    for name, count in pathway.counts.items():
        _, per, whom = count.unit.partition(" per ")
        found.append(Shown(name, f"{count.label}{per}{whom}", 1.0, pathway.clock, "all"))
    return found[:MOST]


def _alive(outcome: str, clock: str, sweep: Sweep) -> Shown:
    since = "" if clock == sweep.scenario.pathway.clock else f" after {clock}"
    return Shown(outcome, f"alive at {in_words(outcome.removeprefix('os_'))}{since}, %", 100.0, clock, "all")
