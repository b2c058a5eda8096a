"""What a cohort's targets must be before they are used: each row on its own, against the pathway and the cohort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from calibration import percentages, population_sizes
from calibration.population_sizes import Size
from simulator.cohort import Cohort
from simulator.errors import InputError
from simulator.graph import unknown
from simulator.pathway import Pathway

COUNTED = ("patients", "survivors", "deaths")
TIMED = ("median", "minimum", "maximum")
MEDIANS = ("median_follow_up", "median_survival")
PERCENTAGE = "survival"
KINDS = (*COUNTED, PERCENTAGE, "entered", *TIMED, *MEDIANS)
UNITS = ("%", "patients", "months")
USES = ("likelihood", "predictive", "case_mix", "setting", "validation")
HORIZON = 240.0
"""Months that are simulated."""


def where(folder: Path, *lines: object) -> str:
    """Return the place of rows of targets, whose index is their line."""
    return " and ".join(f"{folder / 'targets.csv'}: line {each}" for each in lines)


def check_somebody(cohort: Cohort, folder: Path) -> None:
    """Refuse a reported figure of nobody, as a simulated one may be. Raises InputError naming file and line."""
    for line, n in cohort.targets["n"].items():
        if n == 0:
            raise InputError("a figure of nobody", where=f"{where(folder, line)}, n", got="0", allowed="1 or more")


def check_cohort(cohort: Cohort, pathway: Pathway, folder: Path) -> None:
    """Refuse a cohort.toml that does not fit the pathway, or a bad row. Raises InputError naming file and line."""
    file = folder / "cohort.toml"
    if cohort.clock not in pathway.clocks:
        raise unknown("clock", cohort.clock, pathway.clocks, f"{file}: clock")
    for arm in sorted({arm for members in cohort.arms.values() for arm in members}):
        if arm != "all" and arm not in pathway.groups:
            raise unknown("group", arm, pathway.groups, f"{file}: [arms]")
    if cohort.follow_up is not None and not 0 <= cohort.follow_up[0] < cohort.follow_up[1]:
        raise InputError(
            "not an interval", where=f"{file}: [follow_up]", got=cohort.follow_up, allowed="0 <= lower < upper"
        )
    for line, row in cohort.targets.iterrows():
        at = where(folder, line)
        _check_names(row, cohort, pathway, at)
        _check_numbers(row, cohort, at)
        if row["use"] == "likelihood":
            _check_fitted(row, cohort, at, clock_is_another=cohort.clock != pathway.clock)
    sizes = population_sizes.told(cohort)
    for line, row in cohort.targets.iterrows():
        _check_size(row, cohort, sizes, where(folder, line))
        _check_printed(row, cohort, where(folder, line))


def _check_names(row: pd.Series, cohort: Cohort, pathway: Pathway, at: str) -> None:
    if row["kind"] not in KINDS:
        raise unknown("kind", row["kind"], KINDS, at)
    if row["use"] not in USES:
        raise unknown("use", row["use"], USES, at)
    if row["unit"] and row["unit"] not in UNITS:
        raise unknown("unit", row["unit"], UNITS, at)
    if not row["place"].strip():
        raise InputError("a target has no place in its source", where=at, got=row["name"], allowed="where it is read")
    states = pathway.deaths if row["kind"] == "deaths" else tuple(pathway.states)
    if row["state"] and row["state"] not in states:
        raise unknown("death" if row["kind"] == "deaths" else "state", row["state"], states, at)
    if row["kind"] == "entered" and not row["state"]:
        raise InputError("a state is missing", where=at, got=row["name"])
    levels = [f"{name}={level}" for name, each in pathway.attributes.items() for level in each.levels]
    if row["population"] not in cohort.arms and row["population"] not in levels:
        raise unknown("population", row["population"], [*cohort.arms, *levels], at)
    if row["attribute"] and row["attribute"] not in levels:
        raise unknown("attribute", row["attribute"], levels, at)
    if row["use"] == "case_mix" and not row["attribute"]:
        allowed = f"one of {', '.join(levels)}"
        raise InputError("a case_mix row without an attribute", where=at, got=row["name"], allowed=allowed)
    if row["use"] == "case_mix" and row["kind"] != "patients":
        raise InputError("a case_mix row of another kind", where=at, got=row["kind"], allowed='"patients"')


def _check_numbers(row: pd.Series, cohort: Cohort, at: str) -> None:
    count, n = row["count"], row["n"]
    if np.isfinite(n) and (n != int(n) or n < 0):
        raise InputError("not whole patients", where=f"{at}, n", got=f"{n:g}", allowed="1 or more")
    percentages.check_error(row, at)
    if row["kind"] in (*TIMED, *MEDIANS):
        if not (np.isfinite(row["value"]) and row["value"] > 0):
            raise InputError("a time is missing", where=at, got=row["value"], allowed="months above 0")
        return
    if np.isfinite(n) and n > cohort.n:
        raise InputError("more patients than the cohort has", where=at, got=int(n), allowed=f"up to {cohort.n}")
    if row["kind"] in ("survivors", PERCENTAGE) and not 0 < row["month"] <= HORIZON:
        allowed = f"months above 0, up to {HORIZON:g}: what is simulated"
        raise InputError("survivors need a month", where=at, got=row["month"], allowed=allowed)
    if row["kind"] == PERCENTAGE:
        if np.isfinite(count):
            raise InputError("a percentage that has a count", where=at, got=f"{count:g}", allowed='kind "survivors"')
        return
    if not (np.isfinite(count) and np.isfinite(n)):
        raise InputError("a count is missing", where=at, got=row["name"], allowed="`count` and `n`")
    if count != int(count):
        raise InputError("not whole patients", where=at, got=f"{count:g} of {n:g}")
    if not 0 <= count <= n:
        raise InputError("more than there are", where=at, got=f"{count:g} of {n:g}", allowed=f"0 to {n:g}")


def _check_size(row: pd.Series, cohort: Cohort, sizes: Mapping[str, Size], at: str) -> None:
    """Refuse figures of more patients than their population has.

    Counts that are not fitted may be told of more, as the responses of some arms are of everybody treated. An arm's
    own size is held against those of others.
    """
    if row["kind"] == "patients" and not row["attribute"]:
        return
    most = population_sizes.most(cohort, row["population"], sizes)
    may_be_of_more = row["kind"] in ("patients", "deaths", "entered") and row["use"] != "likelihood"
    who = row["count"] if may_be_of_more or row["kind"] == "patients" else row["n"]
    if who > most:
        what = f"more patients than {row['population']} has"
        raise InputError(what, where=at, got=int(who), allowed=f"up to {most}")


def _check_printed(row: pd.Series, cohort: Cohort, at: str) -> None:
    if row["kind"] in ("survivors", PERCENTAGE):
        percentages.check_counted(row, cohort, at)
    if row["kind"] == PERCENTAGE:
        percentages.read(row, cohort, at)
    elif np.isfinite(row["count"]) and np.isfinite(row["value"]):
        percentages.check_value(row, at)


def _check_fitted(row: pd.Series, cohort: Cohort, at: str, *, clock_is_another: bool) -> None:
    if clock_is_another:
        what = "only figures on the pathway's first clock can be fitted"
        raise InputError(what, where=at, got=cohort.clock, allowed='use = "validation"')
    if row["kind"] == PERCENTAGE:
        if row["attribute"] not in ("", population_sizes.of_row(cohort, row)):
            what = "survival by an attribute of an arm cannot be fitted"
            raise InputError(what, where=at, got=row["attribute"], allowed='use = "predictive"')
        return
    if row["kind"] in MEDIANS:
        raise InputError("a kind that cannot be fitted", where=at, got=row["kind"], allowed='use = "predictive"')
    if row["kind"] in TIMED:
        if row["population"] != "all" and (row["kind"] != "median" or "=" not in row["population"]):
            raise InputError(
                "only a median can be told of a level, and no time of an arm",
                where=at,
                got=f"{row['kind']} of {row['population']}",
            )
        return
    if row["population"] not in cohort.arms:
        raise InputError("not an arm of the cohort", where=at, got=row["population"], allowed=", ".join(cohort.arms))
    if row["attribute"]:
        raise InputError(
            "counts by an attribute cannot be fitted", where=at, got=row["attribute"], allowed='use = "predictive"'
        )
