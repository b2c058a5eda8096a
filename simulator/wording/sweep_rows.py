"""The outcomes of a sweep's table that reports and figures display, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.outcomes import labels
from simulator.pathway.outcome_months import alive_at, in_words, mean_to
from simulator.scenario.arrivals import DAYS_A_MONTH
from simulator.wording.intervals import Estimate, rounded

MOST = 8

LATE = ("wait_over_30_days", "waits over 30 days for {}, of requests, %", 100.0)
"""What figures show first where units are limited: survival hardly changes there."""
HARMS = (LATE[0], "lost_while_waiting", "wait_mean")

RESOURCE_OUTCOMES = (
    ("lost_while_waiting", "lost while waiting for {}, of requests, %", 100.0),
    ("wait_mean", "mean wait for {} of patients served, days", DAYS_A_MONTH),
    ("utilisation", "{} in use, %", 100.0),
)


@dataclass(frozen=True)
class Displayed:
    """A displayed outcome: its key in the table, its label, and the factor from the table to the display."""

    outcome: str
    label: str
    factor: float
    clock: str = ""
    population: str = ""
    resource: str = ""

    @property
    def unit(self) -> str:
        """The displayed unit: the words after the label's last comma."""
        return self.label.rpartition(", ")[2]

    @property
    def words(self) -> str:
        """The label without its unit."""
        return self.label.rpartition(", ")[0] or self.label

    @property
    def is_harm(self) -> bool:
        """Whether more is worse."""
        return self.outcome in HARMS

    def rows(self, sweep: Sweep) -> list[dict[Any, Any]]:
        """Return the outcome's row of every cell, in the order of the cells."""
        return sweep.rows.get((self.outcome, self.clock, self.population, self.resource), [])

    def estimates(self, sweep: Sweep) -> list[Estimate]:
        """Return the outcome of every cell with its interval, as displayed."""
        columns = (values.ravel() for values in self.values(sweep))
        return [rounded(value, lower, upper, self.unit) for value, lower, upper in zip(*columns, strict=True)]

    def values(self, sweep: Sweep) -> tuple[Floats, Floats, Floats]:
        """Return estimate, lower, upper : the grid's shape, in the displayed unit."""
        return self._column(sweep, "estimate"), self._column(sweep, "lower"), self._column(sweep, "upper")

    def errors(self, sweep: Sweep) -> Floats:
        """Return the Monte Carlo standard errors : the grid's shape, NaN if one replication has none."""
        return self._column(sweep, "monte_carlo_se")

    def _column(self, sweep: Sweep, name: str) -> Floats:
        values = np.array([row[name] for row in self.rows(sweep)], dtype=float)
        return self.factor * values.reshape(sweep.grid.shape)


def lead(sweep: Sweep) -> Displayed | None:
    """Return the OS of the answer; None if the horizon is too short."""
    if sweep.lead is None:
        return None
    clock, outcome = sweep.lead
    return _alive(outcome, clock, sweep)


def drawn(sweep: Sweep) -> list[Displayed]:
    """Return the outcomes of figures: long waits first where units are limited, then those of the table."""
    outcomes, (name, words, factor) = displayed(sweep), LATE
    resource = next((outcome.resource for outcome in outcomes if outcome.resource), "")
    if not resource:
        return outcomes
    label = words.format(sweep.scenario.pathway.resources[resource].label)
    return [Displayed(name, label, factor, resource=resource), *outcomes][:MOST]


def displayed(sweep: Sweep) -> list[Displayed]:
    """Return the OS of the answer, then the outcomes of limited resources, or else later OS and planners' counts."""
    first = lead(sweep)
    outcomes = [] if first is None else [first]
    pathway = sweep.scenario.pathway
    limited = sweep.grid.at(0).capacity
    if limited:
        varied = [axis.key for axis in sweep.grid.axes if axis.table == "capacity"]
        for resource in sorted(limited, key=lambda name: name not in varied):
            label = pathway.resources[resource].label
            for name, words, factor in RESOURCE_OUTCOMES:
                outcomes.append(Displayed(name, words.format(label), factor, resource=resource))
        return outcomes[:MOST]
    clock = pathway.clock if sweep.lead is None else sweep.lead[0]
    horizon = sweep.manifest["horizon"]
    last = pathway.months.means[-1]
    if horizon >= last:
        outcomes += [] if sweep.lead == (clock, alive_at(last)) else [_alive(alive_at(last), clock, sweep)]
        outcomes.append(Displayed(mean_to(last), labels.label(mean_to(last), pathway), 1.0, clock, "all"))
    for name, count in pathway.counts.items():
        _, per, patients = count.unit.partition(" per ")
        outcomes.append(Displayed(name, f"{count.label}{per}{patients}", 1.0, pathway.clock, "all"))
    return outcomes[:MOST]


def _alive(outcome: str, clock: str, sweep: Sweep) -> Displayed:
    since = "" if clock == sweep.scenario.pathway.clock else f" after {clock}"
    return Displayed(outcome, f"alive at {in_words(outcome.removeprefix('os_'))}{since}, %", 100.0, clock, "all")
