"""Rows of a cohort's targets that cannot all be so: each may be on its own, not beside the others.

Every row bounds a number of patients: how many a population has, how many of them are dead or have entered a state by a
month. What holds in any cohort links these numbers (`links`). Rows contradict one another if no whole numbers satisfy
them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

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

LEAST_WORTH = 0.9
"""Of the patients that a standard error is worth: errors by other formulas than Greenwood's differ by less."""
ESTIMATED = ("alive", *TIMED, *MEDIANS)
"""Numbers that need not be whole."""
CANNOT_BE = "a figure that no cohort of this size and follow-up can have"
HOW_MANY = {2: "two", 3: "three", 4: "four"}


def check_told_once(targets: pd.DataFrame, folder: Path) -> None:
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


def check(cohort: Cohort, pathway: Pathway, ways: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Refuse rows that contradict one another. ways : state -> where it leads. Raises InputError naming the lines."""
    populations = Populations.of(cohort, pathway)
    told = [bound for line, row in cohort.targets.iterrows() for bound in _bounds(row, line, populations)]
    every = [*told, *_arms(cohort, populations), *links.of(told, populations, ways)]
    if _can_be(every):
        return
    lines = _conflict(every)
    raise InputError(
        f"{HOW_MANY.get(len(lines), len(lines))} rows contradict one another" if lines[1:] else CANNOT_BE,
        where=where(folder, *lines),
        got="; ".join(_in_words(row) for line, row in cohort.targets.iterrows() if line in lines),
        allowed="figures possible for the same patients; check kind, population, month and n in the source",
    )


def _arms(cohort: Cohort, populations: Populations) -> list[Bound]:
    """Return that arms that make up the cohort, each of which a row counts of all of it, are all of it."""
    rows = cohort.targets
    of_all = rows[(rows["kind"] == "patients") & (rows["attribute"] == "") & (rows["n"] == cohort.n)]
    counted = {populations.named(name) for name in of_all["population"]}
    arms = {populations.named(name) for name in cohort.arms.get("all", ())}
    is_told = arms and arms <= counted
    return [Bound({Number("size", Body(arm)): 1 for arm in arms}, cohort.n, cohort.n)] if is_told else []


def _bounds(row: pd.Series, line: object, populations: Populations) -> list[Bound]:
    """Return what a row says of numbers of patients."""
    if row["kind"] == "patients":
        return [_size(row, line, populations)]
    body = populations.body(row)
    entered = Number("entered", body, row["state"], by_month(row["month"]))
    if row["kind"] == "survival":
        return _estimate(row, line, body, populations.cohort)
    if row["kind"] in (*TIMED, *MEDIANS):
        one = Bound({Number(row["kind"], body): 1}, *printed_range(row, "value"), line)
        return [one, *(_median(row, line, body) if row["kind"] == "median_survival" else [])]
    found = populations.whole(row, body, line)
    if row["kind"] == "survivors":
        return [*found, Bound({Number("size", body): 1, entered: -1}, row["count"], row["count"], line)]
    if row["kind"] in ("deaths", "entered"):
        return [*found, Bound({entered: 1}, row["count"], row["count"], line)]
    return []


def _median(row: pd.Series, line: object, body: Body) -> list[Bound]:
    """Kaplan-Meier survival is a half or more before a printed median, and a half or less after it."""
    before, after = (Number("alive", body, ANY, month) for month in printed_range(row, "value"))
    size = Number("size", body)
    return [Bound({before: 1, size: -0.5}, 0.0, np.inf, line), Bound({after: 1, size: -0.5}, -np.inf, 0.0, line)]


def _size(row: pd.Series, line: object, populations: Populations) -> Bound:
    """An arm has as many as its row counts, a level too if it is counted of all; of fewer, it has at least so many."""
    who = populations.patients(row)
    whole = populations.sizes.get(populations.named(row["population"]), np.inf)
    is_arm = not row["attribute"] and "=" not in row["population"]
    number = Number("size", Body(who)) if is_arm or row["n"] >= whole else Number("known", Body(who), ANY, row["n"])
    return Bound({number: 1}, row["count"], row["count"], line)


def _estimate(row: pd.Series, line: object, body: Body, cohort: Cohort) -> list[Bound]:
    """Kaplan-Meier survival: of a printed percentage, and as far above the deaths as censoring allows.

    Of n patients D are seen to die: S <= 1 - D / n, and 1 - D / n - S <= (1 - S) (1 - m / n), where the estimate is
    worth m = S (1 - S) / SE^2 patients by Greenwood's SE: censoring loses less to each death than it takes of them.
    """
    month = float(row["month"])
    size, dead, alive = Number("size", body), Number("entered", body, ANY, month), Number("alive", body, ANY, month)
    low, high = (min(max(each / 100.0, 0.0), 1.0) for each in printed_range(row, "value"))
    found = [Bound({alive: 1, size: -low}, 0.0, np.inf, line), Bound({alive: 1, size: -high}, -np.inf, 0.0, line)]
    unsaid = not np.isfinite([row["standard_error"], row["lower"]]).any()
    followed = month <= cohort.follow_up[0] if cohort.follow_up else unsaid
    if month <= cohort.no_censoring_before:
        found.append(Bound({alive: 1, size: -1, dead: 1}, 0.0, np.inf, line))
    elif followed:
        # By last follow-up, or for want of an error, nobody is taken as censored; no count need print the percentage.
        found.append(Bound({alive: 1, size: -1, dead: 1}, -1.0, np.inf, line))
    elif np.isfinite(row["n"]) and low < high:
        worth = LEAST_WORTH * least_worth(row) / row["n"]
        lost = (1.0 - low) * (1.0 - min(max(worth, 0.0), 1.0))
        found.append(Bound({alive: 1, size: lost - 1.0, dead: 1}, 0.0, np.inf, line))
    return found


def _can_be(bounds: Sequence[Bound]) -> bool:
    """Return whether numbers of patients, whole but for estimates, satisfy all bounds."""
    place = {number: i for i, number in enumerate(dict.fromkeys(term for bound in bounds for term in bound.terms))}
    entries = [(r, place[each], c) for r, bound in enumerate(bounds) for each, c in bound.terms.items()]
    if not entries:
        return True
    rows, columns, values = zip(*entries, strict=True)
    found = milp(
        np.zeros(len(place)),
        integrality=np.array([number.what not in ESTIMATED for number in place], dtype=np.int64),
        constraints=LinearConstraint(
            coo_array((values, (rows, columns)), shape=(len(bounds), len(place))).tocsr(),
            np.array([bound.lower for bound in bounds]) - 1e-6,
            np.array([bound.upper for bound in bounds]) + 1e-6,
        ),
    )
    return found.status != 2


def _conflict(bounds: Sequence[Bound]) -> list[object]:
    """Return lines that contradict one another, none of which can be spared (Chinneck & Dravnieks 1991)."""
    kept = list(dict.fromkeys(bound.line for bound in bounds if bound.line is not None))
    for line in reversed(kept):
        rest = {None, *kept} - {line}
        if not _can_be([bound for bound in bounds if bound.line in rest]):
            kept.remove(line)
    return kept


def _in_words(row: pd.Series) -> str:
    """Return "20 of 60 treated dead by month 12"."""
    whom = " with ".join(dict.fromkeys(each for each in (row["population"], row["attribute"]) if each))
    counted = f"{row['count']:g} of {row['n']:g}"
    by = f"by month {row['month']:g}" if np.isfinite(row["month"]) else "by last follow-up"
    return {
        "patients": f"{counted} are {whom}",
        "entered": f"{counted} ({whom}) entered {row['state']} {by}",
        "deaths": f"{counted} ({whom}) dead{' of ' if row['state'] else ''}{row['state']} {by}",
        "survivors": f"{counted} ({whom}) alive at month {row['month']:g}",
        "survival": f"{as_printed(row)} ({whom}) alive at month {row['month']:g}",
    }.get(row["kind"], f"{row['kind'].replace('_', ' ')} of {row['printed_value']} months ({whom})")
