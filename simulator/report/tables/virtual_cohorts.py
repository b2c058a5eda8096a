"""The reports of `guarantee-time` and `virtual-cohorts`: the answer, then the tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from simulator.analyses.virtual_cohorts.immortal_time import ImmortalTime
from simulator.analyses.virtual_cohorts.power import VirtualCohorts
from simulator.experiment.manifest import note
from simulator.wording import intervals, rounding, virtual_cohorts
from simulator.wording.headline import scenario_in_words
from simulator.wording.table import Part, Row, Table, columns, comparison


def immortal_time(result: ImmortalTime) -> Iterator[Part]:
    """Yield the answer, a table a clock, why the analyses differ, and the limits."""
    yield virtual_cohorts.immortal_time(result)
    for clock, rows in result.analyses.groupby("clock", sort=False):
        headings = columns("", *(group.label for group in result.groups), "difference", "sign", "range", "P<.05")
        yield Table(
            headings,
            [_analysis(row) for row in rows.to_dict("records")],
            virtual_cohorts.clock_caption(result, str(clock)),
        )
    yield virtual_cohorts.why_analyses_differ(result)
    yield virtual_cohorts.size(result)
    yield note(result.scenario.pathway)


def _analysis(row: intervals.Row) -> Row:
    entered, other = (_share(row, column) for column in ("entered", "other"))
    ends = rounding.interval(row["cohort_lower"], row["cohort_upper"], "probability", row["difference"])
    agree = virtual_cohorts.percent(row["difference_same_sign"])
    significant = f"{virtual_cohorts.percent(row['significant'])} %" if row["cohorts"] > 0 else rounding.NONE
    label = virtual_cohorts.short_label(row["analysis"], row["begins"])
    between = rounding.NONE if ends is None else " to ".join(ends)
    return Row(label, [entered, other, _share(row, "difference", "+"), agree, between, significant])


def _share(row: intervals.Row, name: str, sign: str = "") -> intervals.Estimate:
    return intervals.rounded(row[name], row[f"{name}_lower"], row[f"{name}_upper"], "probability", sign=sign)


def cohorts(result: VirtualCohorts) -> Iterator[Part]:
    """Yield the answer, the standard deviations, the power by size, and the limits."""
    yield virtual_cohorts.cohorts(result)
    yield virtual_cohorts.standard_deviations(result)
    if result.power is not None:
        names = dict.fromkeys(map(str, result.power["scenario"]))
        lines = [
            (str(size), "", {row["scenario"]: row for row in rows.to_dict("records")})
            for size, rows in result.power.groupby("patients_an_arm")
        ]
        yield comparison(
            lines,
            [(scenario_in_words(name), name, _power) for name in names],
            corner="patients an arm",
            caption=virtual_cohorts.power_caption(result),
            notes=[virtual_cohorts.ARMS],
        )
    yield virtual_cohorts.size(result)
    yield note(result.scenarios[0].pathway)


def _power(row: intervals.Row) -> intervals.Estimate:
    power = intervals.rounded(row["power"], row["lower"], row["upper"], "probability")
    error = row["monte_carlo_se"]
    return replace(power, error=rounding.number(error, "probability")) if math.isfinite(error) else power
