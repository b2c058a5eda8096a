"""The checks of a cohort's targets before they are used: every row by itself, against the pathway and the cohort."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from calibration.reported import percentages, population_sizes
from calibration.reported.kinds import BY_KIND, KINDS, MEDIANS, PERCENTAGE, TIMED, readers
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.checks import unknown
from simulator.pathway.pathway import Pathway

USES = ("likelihood", "predictive", "case_mix", "setting", "validation")
HORIZON = 240.0
"""Months that are simulated."""


def where(folder: Path, *lines: object) -> str:
    """Return the place of rows of targets, whose index is their line."""
    return " and ".join(f"{folder / 'targets.csv'}: line {line}" for line in lines)


def check_somebody(cohort: Cohort, folder: Path) -> None:
    """Refuse a reported figure of nobody, as a simulated one may be. Raises InputError naming file and line."""
    for line in cohort.targets.index[cohort.targets["n"] == 0]:
        raise InputError("a figure for no patients", where=f"{where(folder, line)}, n", got="0", allowed="1 or more")


def check_cohort(cohort: Cohort, pathway: Pathway, folder: Path) -> None:
    """Refuse a cohort.toml that does not fit the pathway, or a bad row. Raises InputError naming file and line."""
    file = folder / "cohort.toml"
    if cohort.clock not in pathway.clocks:
        raise unknown("clock", cohort.clock, pathway.clocks, f"{file}: clock")
    for arm in sorted({arm for members in cohort.arms.values() for arm in members}):
        if arm != "all" and arm not in pathway.groups:
            raise unknown("group", arm, pathway.groups, f"{file}: [arms]")
    if cohort.follow_up is not None and not 0 <= cohort.follow_up[0] < cohort.follow_up[1]:
        at, allowed = f"{file}: [follow_up]", "0 <= lower < upper"
        raise InputError("not an interval", where=at, got=cohort.follow_up, allowed=allowed)
    for line, row in cohort.targets.iterrows():
        at = where(folder, line)
        _check_names(row, cohort, pathway, at)
        _check_columns(row, at)
        _check_numbers(row, cohort, at)
        if row["use"] == "likelihood":
            _check_fitted(row, cohort, pathway, at)
    for line, row in cohort.targets.iterrows():
        _check_size(row, cohort, where(folder, line))
        _check_printed(row, cohort, where(folder, line))


def _check_names(row: pd.Series, cohort: Cohort, pathway: Pathway, at: str) -> None:
    if row["kind"] not in KINDS:
        raise unknown("kind", row["kind"], KINDS, at)
    if row["use"] not in USES:
        raise unknown("use", row["use"], USES, at)
    units = KINDS[row["kind"]].units
    if row["unit"] and row["unit"] not in units:
        raise unknown(f"unit of kind '{row['kind']}'", row["unit"], units, at)
    if not row["place"].strip():
        raise InputError("a target has no place in its source", where=at, got=row["name"], allowed="where it is read")
    states = pathway.deaths if row["kind"] == "deaths" else tuple(pathway.states)
    if row["state"] and row["state"] not in states:
        raise unknown("death" if row["kind"] == "deaths" else "state", row["state"], states, at)
    if row["kind"] in TIMED and row["state"] not in ("", pathway.clock_state):
        what = f"kind '{row['kind']}' is of the time from entry to {pathway.clock_state}"
        raise InputError(what, where=f"{at}, state", got=row["state"], allowed=f"{pathway.clock_state}, or blank")
    levels = [f"{name}={level}" for name, attribute in pathway.attributes.items() for level in attribute.levels]
    if row["population"] not in cohort.arms and row["population"] not in levels:
        raise unknown("population", row["population"], [*cohort.arms, *levels], at)
    if row["attribute"] and row["attribute"] not in levels:
        raise unknown("attribute", row["attribute"], levels, at)
    if row["use"] == "case_mix" and not row["attribute"]:
        allowed = f"one of {', '.join(levels)}"
        raise InputError("a case_mix row without an attribute", where=at, got=row["name"], allowed=allowed)
    if row["use"] == "case_mix" and row["kind"] != "patients":
        raise InputError("a case_mix row of another kind", where=at, got=row["kind"], allowed='"patients"')


def _check_columns(row: pd.Series, at: str) -> None:
    """Refuse a filled cell that the row's kind does not read, and a blank one that it needs."""
    kind = KINDS[row["kind"]]
    for column in BY_KIND:
        cell = row[column]
        filled = bool(cell.strip()) if isinstance(cell, str) else np.isfinite(cell)
        if filled and column not in (*kind.needs, *kind.reads):
            raise InputError(
                f"kind '{row['kind']}' does not read `{column}`",
                where=f"{at}, {column}",
                got=cell if isinstance(cell, str) else f"{cell:g}",
                allowed=f"blank (what the source adds goes into `note`); read by {', '.join(readers(column))}",
            )
        if column in kind.needs and not filled:
            needed = ", ".join(f"`{need}`" for need in kind.needs)
            what = f"kind '{row['kind']}' needs `{column}`, which is blank"
            raise InputError(what, where=at, got=row["name"], allowed=f"{needed} as the source prints them")


def _check_numbers(row: pd.Series, cohort: Cohort, at: str) -> None:
    count, n = row["count"], row["n"]
    if np.isfinite(n) and (n != int(n) or n < 0):
        raise InputError("not whole patients", where=f"{at}, n", got=f"{n:g}", allowed="1 or more")
    percentages.check_error(row, at)
    if row["kind"] in (*TIMED, *MEDIANS) and row["value"] <= 0:
        raise InputError("not a time", where=f"{at}, value", got=row["printed_value"], allowed="months above 0")
    if np.isfinite(n) and n > cohort.n:
        raise InputError("more patients than the cohort has", where=at, got=int(n), allowed=f"up to {cohort.n}")
    if np.isfinite(row["month"]) and not 0 < row["month"] <= HORIZON:
        what, allowed = "a month that is not simulated", f"months above 0, up to {HORIZON:g}"
        raise InputError(what, where=f"{at}, month", got=f"{row['month']:g}", allowed=allowed)
    if cohort.follow_up is not None:
        _check_followed(row, cohort.follow_up[1], at)
    if not np.isfinite(count):
        return
    if count != int(count):
        raise InputError("not whole patients", where=at, got=f"{count:g} of {n:g}")
    if not 0 <= count <= n:
        raise InputError("more than the total", where=at, got=f"{count:g} of {n:g}", allowed=f"0 to {n:g}")


def _check_followed(row: pd.Series, end: float, at: str) -> None:
    """Refuse Kaplan-Meier survival after the last follow-up, and a median of either kind that lies there."""
    column = "month" if row["kind"] == PERCENTAGE else "value" if row["kind"] in MEDIANS else ""
    month = percentages.printed_range(row, "value")[0] if column == "value" else row["month"]
    if column and month > end:
        what, allowed = (
            f"{row['kind'].replace('_', ' ')} after the last",
            f"up to {end:g}, or a later end of [follow_up]",
        )
        raise InputError(f"{what} follow-up", where=f"{at}, {column}", got=f"{row[column]:g}", allowed=allowed)


def _check_size(row: pd.Series, cohort: Cohort, at: str) -> None:
    """Refuse figures of more patients than their population has.

    The n of counts that are not fitted may be larger, as where responses are of everybody treated. The size of an arm
    is compared with those of others.
    """
    if row["kind"] == "patients" and not row["attribute"]:
        return
    most = population_sizes.most(cohort, row["population"])
    may_be_of_more = row["kind"] in ("patients", "deaths", "entered") and row["use"] != "likelihood"
    patients = row["count"] if may_be_of_more or row["kind"] == "patients" else row["n"]
    if patients > most:
        what = f"more patients than {row['population']} has"
        raise InputError(what, where=at, got=int(patients), allowed=f"up to {most}")


def _check_printed(row: pd.Series, cohort: Cohort, at: str) -> None:
    if row["kind"] in ("survivors", PERCENTAGE):
        percentages.check_counted(row, cohort, at)
    if row["kind"] == PERCENTAGE:
        percentages.read(row, cohort, at)
    elif np.isfinite(row["count"]) and np.isfinite(row["value"]):
        percentages.check_value(row, at)


def _check_fitted(row: pd.Series, cohort: Cohort, pathway: Pathway, at: str) -> None:
    if cohort.clock != pathway.clock:
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
        population = population_sizes.of_row(cohort, row)
        of_all = cohort.is_everybody(population)
        if not of_all and (row["kind"] != "median" or "=" not in population):
            what = "only a median can be reported for a level, and no time for an arm"
            raise InputError(what, where=at, got=f"{row['kind']} of {population}")
        attribute, _, level = population.partition("=")
        sizes = population_sizes.of_levels(cohort, pathway, attribute) if level else {}
        most = sizes.get(level, population_sizes.most(cohort, population))
        if row["n"] < most:
            what = f"a time of some of the {most} patients of {population} cannot be fitted"
            raise InputError(what, where=f"{at}, n", got=int(row["n"]), allowed=f'{most}, or use = "predictive"')
        return
