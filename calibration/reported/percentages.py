"""Survival printed as a percentage without a count, as Kaplan-Meier curves with censoring are: a binomial.

n = S (1 - S) / SE^2                                                      patients that the figure is worth
log L = log C(n, k) + k log p + (n - k) log(1 - p),   k = S n, whole or not;   C by the gamma function
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
from scipy import special

from calibration.reported import population_sizes
from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort

WIDTH = 2.0 * float(special.ndtri(0.975))
"""Standard errors that a 95 % interval is wide."""
AS_PRINTED = "the figures of one place of the source, as it prints them"
"""How to mend an impossible figure: never by another figure."""
FEWEST_AT_RISK, FEWEST_FOLLOWED = 5.0, 1.0 / 3.0
"""Patients, and share of survivors: with fewer of both, 95 % intervals include the truth in 83 to 94 % of cohorts."""


@dataclass(frozen=True)
class Percentage:
    """`alive` of `n` patients of a population at a month, neither of them whole. `warning` : the assumption."""

    population: str
    month: float
    alive: float
    n: float
    warning: str = ""

    def log_likelihood(self, survival: Floats) -> Floats:
        """Return the log-likelihood of survival probabilities, of their shape."""
        dead = self.n - self.alive
        coefficient = special.gammaln(self.n + 1) - special.gammaln(self.alive + 1) - special.gammaln(dead + 1)
        return np.asarray(coefficient + special.xlogy(self.alive, survival) + special.xlog1py(dead, -survival))


def read(row: pd.Series, cohort: Cohort, at: str) -> Percentage:
    """Return a row of survival as a figure: a count if it has one, else a percentage. Raises InputError naming `at`."""
    population, month = population_sizes.of_row(cohort, row), float(row["month"])
    if np.isfinite(row["count"]):
        return Percentage(population, month, float(row["count"]), float(row["n"]))
    share, error, n = row["value"] / 100.0, standard_error(row) / 100.0, float(row["n"])
    if not 0.0 <= share <= 1.0:
        raise InputError("a percentage is missing", where=at, got=row["value"], allowed="`value`, 0 to 100")
    if share in (0.0, 1.0) or not error > 0.0:
        if not np.isfinite(n):
            what = "0 and 100 % need the number of patients" if share in (0.0, 1.0) else "no standard error and no n"
            raise InputError(what, where=at, got=f"{row['value']:g} %", allowed="`n`")
        assumed = f"{at}: no standard error, so treated as if none of {n:g} patients were censored"
        return Percentage(population, month, share * n, n, assumed if 0.0 < share < 1.0 else "")
    most = n if np.isfinite(n) else population_sizes.most(cohort, population)
    _check_not_surer(row, population, most, at)
    size = min(share * (1.0 - share) / error**2, most)
    if np.isfinite(n) and month <= cohort.no_censoring_before:
        size = n
    return Percentage(population, month, share * size, size)


def _check_not_surer(row: pd.Series, population: str, n: float, at: str) -> None:
    """Refuse a printed error, rounded, that is smaller than n patients can give if none of them is censored."""
    low, high = printed_range(row, "value")
    shares = np.clip(np.array([low, row["value"], high]) / 100.0, 0.0, 1.0)
    largest = printed_range(row, "standard_error")[1]
    smallest = 100.0 * float(np.sqrt(shares * (1.0 - shares) / n).min())
    if np.isfinite(largest):
        what, given = "a standard error smaller", f"{smallest:.1f} % if nobody is censored"
    else:
        largest = printed_range(row, "upper")[1] - printed_range(row, "lower")[0]
        smallest = min(float(np.nanmin(np.diff(_usual_intervals(share, n)))) for share in shares)
        what, given = "a 95 % interval narrower", f"{smallest:.0f} % wide if nobody is censored"
    if largest < smallest - 1e-9:
        of = "" if np.isfinite(row["n"]) else f" of {population}"
        what = f"{what} than {n:g} patients{of} can give ({given})"
        raise InputError(what, where=at, got=as_printed(row), allowed=f"{AS_PRINTED}; blank where it prints none")


def least_worth(row: pd.Series) -> float:
    """Return the fewest patients, none censored, whose survival has a row's printed error or 95 % interval."""
    shares = np.clip(np.array(printed_range(row, "value")) / 100.0, 0.0, 1.0)
    if np.isfinite(row["standard_error"]):
        return float((shares * (1.0 - shares)).min() / (printed_range(row, "standard_error")[1] / 100.0) ** 2)
    widest = printed_range(row, "upper")[1] - printed_range(row, "lower")[0]
    sizes = range(1, int(row["n"]))
    narrow = (n for n in sizes if min(np.nanmin(np.diff(_usual_intervals(share, n))) for share in shares) <= widest)
    return float(next(narrow, row["n"]))


def standard_error(row: pd.Series) -> float:
    """Return a row's standard error in percent, from its 95 % interval if none is printed; NaN if neither is."""
    printed, interval = float(row["standard_error"]), float(row["upper"] - row["lower"])
    return printed if np.isfinite(printed) else interval / WIDTH


def printed_range(row: pd.Series, column: str) -> tuple[float, float]:
    """Return the lowest and the highest number that a printed one can mean: rounded, or cut after its last digit."""
    unit = _digit(row, column)
    return float(row[column]) - 0.5 * unit, float(row[column]) + unit


def _digit(row: pd.Series, column: str) -> float:
    """Return a unit of the last digit that a number of a row is printed with."""
    printed = row[f"printed_{column}"]
    return 10.0 ** int(Decimal(printed).as_tuple().exponent) if printed else 0.0


def _is_printed(given: float, row: pd.Series, column: str, *, cut: bool = True) -> bool:
    """Return whether a row prints a number so: rounded either way, or, if allowed, cut."""
    above = given - row[column]
    half = 0.5 * _digit(row, column)
    return bool(abs(above) <= half + 1e-9 or (cut and 0.0 <= above < 2.0 * half - 1e-9))


def check_error(row: pd.Series, at: str) -> None:
    """Refuse an impossible standard error or 95 % interval. Raises InputError naming `at`."""
    value, error, lower, upper = (float(row[name]) for name in ("value", "standard_error", "lower", "upper"))
    certain = is_percentage(row) and value in (0.0, 100.0)
    if error < 0.0 or (error == 0.0 and not certain):
        got = row["printed_standard_error"]
        raise InputError("not a standard error", where=at, got=got, allowed="above 0, or blank")
    if certain and error > 0.0:
        raise InputError("0 and 100 % have no standard error", where=at, got=as_printed(row), allowed="blank, and `n`")
    if np.isfinite(lower) != np.isfinite(upper):
        got = row["printed_lower"] or row["printed_upper"]
        allowed = "both `lower` and `upper`, or neither, as where one is not reached"
        raise InputError("half an interval", where=at, got=got, allowed=allowed)
    if np.isfinite(lower):
        within = np.isnan(value) or lower <= value <= upper
        above = 100.0 if is_percentage(row) else np.inf
        if not (within and lower >= 0.0 and upper <= above and (lower < upper or certain)):
            allowed = f"0 <= lower <= value <= upper{' <= 100' if is_percentage(row) else ''}, lower < upper"
            raise InputError("not a 95 % interval of its value", where=at, got=as_printed(row), allowed=allowed)


def check_value(row: pd.Series, at: str) -> None:
    """Refuse a count that does not give the value next to it. Raises InputError naming `at`."""
    count, n = row["count"], row["n"]
    percent = is_percentage(row)
    given, unit = (100.0 * count / max(n, 1.0), "%") if percent else (count, "patients")
    if not _is_printed(given, row, "value", cut=percent):
        what = f"{count:g} of {n:g} is {given:.3g} {unit}, which differs from the printed value"
        raise InputError(what, where=at, got=f"{row['printed_value']} {unit}", allowed=AS_PRINTED)


def cut_warning(row: pd.Series, cohort: Cohort, at: str) -> str:
    """Return that a percentage is cut after its last digit, where its count would be rounded to another; else ""."""
    if not (np.isfinite(row["value"]) and is_percentage(row)):
        return ""
    if np.isfinite(row["count"]):
        cut = not _is_printed(100.0 * row["count"] / max(row["n"], 1.0), row, "value", cut=False)
    else:
        cut = row["month"] <= cohort.no_censoring_before and not _is_counted(row, cohort, cut=False)
    return f"{at}: {row['printed_value']} % is treated as truncated after its last digit, not rounded" if cut else ""


def at_risk_warning(row: pd.Series, cohort: Cohort, at: str) -> str:
    """Return that hardly any patients are followed until a fitted percentage's month; else "".

    n S G are at risk, G : share of survivors who are followed for longer. With few, Greenwood's error is too small.
    """
    if cohort.follow_up is None or (row["kind"], row["use"]) != ("survival", "likelihood"):
        return ""
    lower, upper = cohort.follow_up
    n = row["n"] if np.isfinite(row["n"]) else population_sizes.most(cohort, population_sizes.of_row(cohort, row))
    longer = (upper - row["month"]) / (upper - lower)
    at_risk = n * row["value"] / 100.0 * longer
    if longer >= FEWEST_FOLLOWED or at_risk >= FEWEST_AT_RISK:
        return ""
    return (
        f"{at}: at month {row['month']:g} only about {at_risk:.1f} of {n:g} patients are still at risk, so that the "
        f"fit takes this figure as more certain than it is; an earlier month of the curve is safer"
    )


def is_percentage(row: pd.Series) -> bool:
    """Return whether a row's value is in percent: survival always is, and a value with a count and without a unit."""
    return bool(row["kind"] == "survival" or row["unit"] == "%" or (row["unit"] == "" and np.isfinite(row["count"])))


def check_counted(row: pd.Series, cohort: Cohort, at: str) -> None:
    """Refuse a percentage, with its error, that no count gives, where nobody is censored before. Raises InputError."""
    is_exact = np.isfinite(row["value"]) and is_percentage(row) and row["month"] <= cohort.no_censoring_before
    if not is_exact or _is_counted(row, cohort):
        return
    of = f"{row['n']:g} patients" if np.isfinite(row["n"]) else "patients"
    counted = f"{row['count']:g} of {of} do not give" if np.isfinite(row["count"]) else f"no count of {of} gives"
    near = f" ({_nearest(row, int(row['n']))})" if np.isfinite(row["n"]) else ""
    raise InputError(
        f"{counted} this figure{near}, and nobody is censored before month {cohort.no_censoring_before:g}",
        where=at,
        got=as_printed(row),
        allowed=f"{AS_PRINTED}; no `no_censoring_before` where somebody was censored",
    )


def _is_counted(row: pd.Series, cohort: Cohort, *, cut: bool = True) -> bool:
    """Return whether some count gives a row's figures, where nobody is censored."""
    most = population_sizes.most(cohort, population_sizes.of_row(cohort, row))
    sizes = [int(row["n"])] if np.isfinite(row["n"]) else range(1, most + 1)
    counts = [int(row["count"])] if np.isfinite(row["count"]) else None
    return any(_prints(alive, n, row, cut=cut) for n in sizes for alive in counts or _near(row, n))


def _near(row: pd.Series, n: int) -> range:
    """Return the counts of n that could print a row's percentage."""
    lowest, highest = (n * percent / 100.0 for percent in printed_range(row, "value"))
    return range(max(0, int(np.floor(lowest))), min(n, int(np.ceil(highest))) + 1)


def _prints(alive: int, n: int, row: pd.Series, *, cut: bool) -> bool:
    share = alive / n
    if not _is_printed(100.0 * share, row, "value", cut=cut):
        return False
    binomial = 100.0 * np.sqrt(share * (1.0 - share) / n)
    if np.isfinite(row["standard_error"]) and not _is_printed(binomial, row, "standard_error"):
        return False
    return not np.isfinite(row["lower"]) or _has_interval(share, n, row)


def _has_interval(share: float, n: int, row: pd.Series) -> bool:
    """Return whether the ends of a row's interval lie among those of the usual intervals of a share of n."""
    for column, ends in zip(("lower", "upper"), _usual_intervals(share, n).T, strict=True):
        lowest, highest = printed_range(row, column)
        if highest < np.nanmin(ends) - 1e-9 or lowest > np.nanmax(ends) + 1e-9:
            return False
    return True


def _usual_intervals(share: float, n: float) -> Floats:
    """Return the 95 % intervals that are printed of a share of n, in percent, (6, 2); NaN where there is none.

    Plain, log, log-log and arcsine (Kalbfleisch and Prentice 2002, 1.4), Wilson (1927), Clopper and Pearson (1934).
    """
    z, alive, sides = WIDTH / 2.0, share * n, np.array([-1.0, 1.0])
    error = np.sqrt(share * (1.0 - share) / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = share * np.exp(sides * z * error / share)
        log_log = share ** np.exp(sides * z * error / (share * np.log(share)))
    arcsine = np.sin(np.clip(np.arcsin(np.sqrt(share)) + sides * z / (2.0 * np.sqrt(n)), 0.0, np.pi / 2.0)) ** 2
    wilson = (alive + z**2 / 2.0 + sides * z * np.sqrt(n * share * (1.0 - share) + z**2 / 4.0)) / (n + z**2)
    exact = [
        special.betaincinv(alive, n - alive + 1.0, 0.025) if alive > 0.0 else 0.0,
        special.betaincinv(alive + 1.0, n - alive, 0.975) if alive < n else 1.0,
    ]
    return np.clip(100.0 * np.array([share + sides * z * error, log, log_log, arcsine, wilson, exact]), 0.0, 100.0)


def _nearest(row: pd.Series, n: int) -> str:
    alive = round(n * row["value"] / 100.0)
    share = alive / n
    error = 100 * np.sqrt(share * (1 - share) / n)
    given = f"{100 * share:.3g} ± {error:.2g} %"
    if np.isfinite(row["lower"]):
        lower, upper = np.nanmean(_usual_intervals(share, n), axis=0)
        given += f", about {lower:.0f} to {upper:.0f}"
    return f"{alive} of {n} gives {given}"


def as_printed(row: pd.Series) -> str:
    """Return a percentage with its error or interval, as the source prints them."""
    error = f" ± {row['printed_standard_error']}" if row["printed_standard_error"] else ""
    interval = f", {row['printed_lower']} to {row['printed_upper']}" if row["printed_lower"] else ""
    return f"{row['printed_value']}{error} %{interval}"
