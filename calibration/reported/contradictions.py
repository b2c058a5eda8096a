"""Rows of a cohort's targets that cannot all be right, though every one of them can.

Every row bounds a number of patients: how many a population has, how many of them are dead or have entered a state by a
month. Facts of any cohort link these numbers (`links`). Rows contradict one another if no whole numbers satisfy all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import coo_array

from calibration.reported import links
from calibration.reported.consistency import where
from calibration.reported.kinds import MEDIANS, TIMED, by_month
from calibration.reported.links import ANY, Body, Bound, Number, Populations
from calibration.reported.percentages import as_printed, least_worth, printed_range
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

T = TypeVar("T")

LEAST_WORTH = 0.9
"""Of the patients that a standard error is worth: errors by other formulas than Greenwood's differ by less."""
ESTIMATED = ("alive", *TIMED, *MEDIANS)
"""Numbers that need not be whole."""
CANNOT_BE = "a figure that no cohort of this size and follow-up can have"
HOW_MANY = {2: "two", 3: "three", 4: "four"}


def check_reported_once(targets: pd.DataFrame, folder: Path) -> None:
    """Refuse a row without a name, and two of one name or level of the case mix. Raises InputError with the line."""
    names: dict[str, object] = {}
    levels: dict[str, object] = {}
    for line, row in targets.iterrows():
        if row["use"] == "case_mix":
            level = row["attribute"]
            if level in levels:
                allowed = f"one case_mix row for it: line {levels[level]} is one"
                raise InputError("a level has more than one row", where=where(folder, line), got=level, allowed=allowed)
            levels[level] = line
        if not row["name"].strip():
            raise InputError("a row without a name", where=where(folder, line), allowed="a name that no other row has")
        if row["name"] in names:
            allowed = f"another name: line {names[row['name']]} has this one"
            raise InputError("two rows have one name", where=where(folder, line), got=row["name"], allowed=allowed)
        names[row["name"]] = line


def check(cohort: Cohort, pathway: Pathway, onward: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Refuse rows that contradict one another. onward : state -> the next ones. Raises InputError naming the lines."""
    populations = Populations.of(cohort, pathway)
    bounds = [bound for line, row in cohort.targets.iterrows() for bound in _bounds(row, line, populations)]
    bounds += [*_arms(cohort, populations), *links.of(bounds, populations, onward)]
    if _can_be(bounds):
        return
    lines = list(dict.fromkeys(bound.line for bound in bounds if bound.line is not None))
    lines = conflict(lines, lambda kept: _can_be([bound for bound in bounds if bound.line in (None, *kept)]))
    raise InputError(
        f"{HOW_MANY.get(len(lines), len(lines))} rows contradict one another" if lines[1:] else CANNOT_BE,
        where=where(folder, *lines),
        got="; ".join(_in_words(row) for line, row in cohort.targets.iterrows() if line in lines),
        allowed="figures possible for the same patients; check kind, population, month and n in the source",
    )


def _arms(cohort: Cohort, populations: Populations) -> list[Bound]:
    """Return that the arms of the cohort add up to it, if rows report the size of every one of them."""
    rows = cohort.targets
    of_all = rows[(rows["kind"] == "patients") & (rows["attribute"] == "") & (rows["n"] == cohort.n)]
    counted = {populations.named(name) for name in of_all["population"]}
    arms = {populations.named(name) for name in cohort.arms.get("all", ())}
    if not arms or not arms <= counted:
        return []
    return [Bound({Number("size", Body(arm)): 1 for arm in arms}, cohort.n, cohort.n)]


def _bounds(row: pd.Series, line: object, populations: Populations) -> list[Bound]:
    """Return the bounds that a row sets to numbers of patients."""
    if row["kind"] == "patients":
        return [_size(row, line, populations)]
    body = populations.body(row)
    entered = Number("entered", body, row["state"], by_month(row["month"]))
    if row["kind"] == "survival":
        return _estimate(row, line, body, populations.cohort)
    if row["kind"] in (*TIMED, *MEDIANS):
        one = Bound({Number(row["kind"], body): 1}, *printed_range(row, "value"), line)
        return [one, *(_median(row, line, body) if row["kind"] == "median_survival" else [])]
    size = populations.whole(row, body, line)
    if row["kind"] == "survivors":
        return [*size, Bound({Number("size", body): 1, entered: -1}, row["count"], row["count"], line)]
    if row["kind"] in ("deaths", "entered"):
        return [*size, Bound({entered: 1}, row["count"], row["count"], line)]
    return []


def _median(row: pd.Series, line: object, body: Body) -> list[Bound]:
    """Kaplan-Meier survival is a half or more before a printed median, and a half or less after it."""
    before, after = (Number("alive", body, ANY, month) for month in printed_range(row, "value"))
    half = {Number("size", body): -0.5}
    return [Bound({before: 1, **half}, line=line), Bound({after: 1, **half}, -np.inf, 0.0, line)]


def _size(row: pd.Series, line: object, populations: Populations) -> Bound:
    """An arm has as many as its row counts; so has a level, if the row is of all patients, and otherwise at least."""
    body = Body(populations.patients(row))
    whole = populations.sizes.get(populations.named(row["population"]), np.inf)
    is_arm = not row["attribute"] and "=" not in row["population"]
    number = Number("size", body) if is_arm or row["n"] >= whole else Number("known", body, ANY, row["n"])
    return Bound({number: 1}, row["count"], row["count"], line)


def _estimate(row: pd.Series, line: object, body: Body, cohort: Cohort) -> list[Bound]:
    """Kaplan-Meier survival: as printed, and as far above the share without a death as censoring allows.

    Of n patients D are seen to die: S <= 1 - D / n, and 1 - D / n - S <= (1 - S) (1 - m / n), where the estimate is
    worth m = S (1 - S) / SE^2 patients by Greenwood's SE: censoring loses less to each death than it takes of them.
    """
    month = float(row["month"])
    size, dead, alive = Number("size", body), Number("entered", body, ANY, month), Number("alive", body, ANY, month)
    low, high = (min(max(percent / 100.0, 0.0), 1.0) for percent in printed_range(row, "value"))
    bounds = [Bound({alive: 1, size: -low}, line=line), Bound({alive: 1, size: -high}, -np.inf, 0.0, line)]
    without_error = not np.isfinite([row["standard_error"], row["lower"]]).any()
    followed = month <= cohort.follow_up[0] if cohort.follow_up else without_error
    if month <= cohort.no_censoring_before:
        bounds.append(Bound({alive: 1, size: -1, dead: 1}, line=line))
    elif followed:
        # By last follow-up, or for want of an error, nobody is taken as censored; no count need print the percentage.
        bounds.append(Bound({alive: 1, size: -1, dead: 1}, -1.0, line=line))
    elif np.isfinite(row["n"]) and low < high:
        worth = LEAST_WORTH * least_worth(row) / row["n"]
        lost = (1.0 - low) * (1.0 - min(max(worth, 0.0), 1.0))
        bounds.append(Bound({alive: 1, size: lost - 1.0, dead: 1}, line=line))
    return bounds


def _can_be(bounds: Sequence[Bound]) -> bool:
    """Return whether numbers of patients, whole but for estimates, satisfy all bounds."""
    place = {number: i for i, number in enumerate(dict.fromkeys(term for bound in bounds for term in bound.terms))}
    entries = [(r, place[number], c) for r, bound in enumerate(bounds) for number, c in bound.terms.items()]
    if not entries:
        return True
    rows, columns, values = zip(*entries, strict=True)
    solution = milp(
        np.zeros(len(place)),
        integrality=np.array([number.what not in ESTIMATED for number in place], dtype=np.int64),
        constraints=LinearConstraint(
            coo_array((values, (rows, columns)), shape=(len(bounds), len(place))).tocsr(),
            np.array([bound.lower for bound in bounds]) - 1e-6,
            np.array([bound.upper for bound in bounds]) + 1e-6,
        ),
    )
    return solution.status != 2


def conflict(names: Sequence[T], fit: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return names that contradict one another, none of which can be spared (Chinneck & Dravnieks 1991)."""
    kept = list(names)
    for name in reversed(names):
        rest = [other for other in kept if other != name]
        kept = kept if fit(rest) else rest
    return kept


def _in_words(row: pd.Series) -> str:
    """Return "20 of 60 treated dead by month 12"."""
    patients = " with ".join(dict.fromkeys(name for name in (row["population"], row["attribute"]) if name))
    counted = f"{row['count']:g} of {row['n']:g}"
    by = f"by month {row['month']:g}" if np.isfinite(row["month"]) else "by last follow-up"
    return {
        "patients": f"{counted} are {patients}",
        "entered": f"{counted} ({patients}) entered {row['state']} {by}",
        "deaths": f"{counted} ({patients}) dead{' of ' if row['state'] else ''}{row['state']} {by}",
        "survivors": f"{counted} ({patients}) alive at month {row['month']:g}",
        "survival": f"{as_printed(row)} ({patients}) alive at month {row['month']:g}",
    }.get(row["kind"], f"{row['kind'].replace('_', ' ')} of {row['printed_value']} months ({patients})")
