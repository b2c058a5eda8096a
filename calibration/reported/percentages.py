"""Survival printed as a percentage without a count, as Kaplan-Meier curves with censoring are: a binomial.

n = S (1 - S) / SE^2                                                      patients that the figure is worth
log L = log C(n, k) + k log p + (n - k) log(1 - p),   k = S n, whole or not;   C by the gamma function
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from calibration.reported import population_sizes
from calibration.reported.figure import WIDTH, Figure
from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort

AS_PRINTED = "the figures of one place of the source, as it prints them"
"""How to mend an impossible figure: never by another figure."""
FEWEST_AT_RISK, FEWEST_FOLLOWED = 5.0, 1.0 / 3.0
"""Patients, and share of survivors: with fewer of both, 95 % intervals include the truth in 83 to 94 % of cohorts."""


@dataclass(frozen=True)
class Percentage:
    """`alive` of `n` patients of a population at a month, neither of them whole. `warning` : the assumption.

    end_point : alive are those without it, "" for death; cause : or those who had an event of this one
    """

    population: str
    month: float
    alive: float
    n: float
    warning: str = ""
    end_point: str = ""
    cause: str = ""

    @property
    def months(self) -> tuple[float, ...]:
        return (self.month,)

    def log_likelihood(self, survival: Floats) -> Floats:
        """Return the log-likelihood of survival probabilities, of their shape."""
        dead = self.n - self.alive
        coefficient = special.gammaln(self.n + 1) - special.gammaln(self.alive + 1) - special.gammaln(dead + 1)
        return np.asarray(coefficient + special.xlogy(self.alive, survival) + special.xlog1py(dead, -survival))


def check_share(figure: Figure) -> None:
    """Refuse a value that is no percentage. Raises InputError."""
    if not 0.0 <= figure.value <= 100.0:
        what = "a percentage is missing" if np.isnan(figure.value) else "not a percentage"
        raise InputError(what, where=f"{figure.where}, value", got=figure.printed["value"], allowed="0 to 100")


def read(figure: Figure, cohort: Cohort) -> Percentage:
    """Return a figure of survival: a count if it has one, else a percentage. Raises InputError."""
    population, month = population_sizes.of_figure(cohort, figure), float(figure.month)
    if np.isfinite(figure.count):
        return Percentage(population, month, float(figure.count), float(figure.n))
    check_share(figure)
    share, error, n = figure.value / 100.0, figure.error / 100.0, float(figure.n)
    if share in (0.0, 1.0) or not error > 0.0:
        if not np.isfinite(n):
            what = "0 and 100 % need the number of patients" if share in (0.0, 1.0) else "no standard error and no n"
            raise InputError(what, where=figure.where, got=f"{figure.value:g} %", allowed="`n`")
        assumed = f"{figure.where}: no standard error, so treated as if none of {n:g} patients were censored"
        is_assumed = 0.0 < share < 1.0 and not figure.is_exact(cohort)
        return Percentage(population, month, share * n, n, assumed if is_assumed else "")
    most = n if np.isfinite(n) else population_sizes.most(cohort, population)
    check_not_surer(figure, most)
    size = min(share * (1.0 - share) / error**2, most)
    if np.isfinite(n) and figure.is_exact(cohort):
        size = n
    return Percentage(population, month, share * size, size)


def check_not_surer(figure: Figure, n: float) -> None:
    """Refuse a printed error, rounded, that is smaller than n patients can give if none of them is censored."""
    low, high = figure.range_of("value")
    shares = np.clip(np.array([low, figure.value, high]) / 100.0, 0.0, 1.0)
    largest = figure.range_of("standard_error")[1]
    smallest = 100.0 * float(np.sqrt(shares * (1.0 - shares) / n).min())
    if np.isfinite(largest):
        what, given = "a standard error smaller", f"{smallest:.1f} % if nobody is censored"
    else:
        largest = figure.range_of("upper")[1] - figure.range_of("lower")[0]
        smallest = min(float(np.nanmin(np.diff(usual_intervals(share, n)))) for share in shares)
        what, given = "a 95 % interval narrower", f"{smallest:.0f} % wide if nobody is censored"
    if largest < smallest - 1e-9:
        of = "" if np.isfinite(figure.n) else f" of {figure.of_patients}"
        what = f"{what} than {n:g} patients{of} can give ({given})"
        raise InputError(
            what, where=figure.where, got=figure.as_printed, allowed=f"{AS_PRINTED}; blank where it prints none"
        )


def least_worth(figure: Figure) -> float:
    """Return the fewest patients, none censored, whose survival has a figure's printed error or 95 % interval."""
    shares = np.clip(np.array(figure.range_of("value")) / 100.0, 0.0, 1.0)
    if np.isfinite(figure.standard_error):
        return float((shares * (1.0 - shares)).min() / (figure.range_of("standard_error")[1] / 100.0) ** 2)
    widest = figure.range_of("upper")[1] - figure.range_of("lower")[0]
    sizes = range(1, int(figure.n))
    narrow = (n for n in sizes if min(np.nanmin(np.diff(usual_intervals(share, n))) for share in shares) <= widest)
    return float(next(narrow, figure.n))


def check_error(figure: Figure, *, is_open: bool = False) -> None:
    """Refuse an impossible standard error or 95 % interval. Raises InputError.

    is_open : whether the upper end of the interval may be blank, because it is not reached
    """
    value, error, lower, upper = (getattr(figure, name) for name in ("value", "standard_error", "lower", "upper"))
    certain = figure.is_percentage and value in (0.0, 100.0)
    if error < 0.0 or (error == 0.0 and not certain):
        got = figure.printed["standard_error"]
        raise InputError("not a standard error", where=figure.where, got=got, allowed="above 0, or blank")
    if certain and error > 0.0:
        raise InputError(
            "0 and 100 % have no standard error", where=figure.where, got=figure.as_printed, allowed="blank, and `n`"
        )
    if np.isfinite(lower) != np.isfinite(upper) and not (is_open and np.isfinite(lower)):
        got = figure.printed["lower"] or figure.printed["upper"]
        allowed = "both `lower` and `upper`, or neither, as where one is not reached"
        raise InputError("half an interval", where=figure.where, got=got, allowed=allowed)
    if np.isfinite(lower):
        upper = upper if np.isfinite(upper) else np.inf
        within = np.isnan(value) or lower <= value <= upper
        above = 100.0 if figure.is_percentage else np.inf
        if not (
            within and lower >= 0.0 and (upper <= above or not figure.is_percentage) and (lower < upper or certain)
        ):
            allowed = f"0 <= lower <= value <= upper{' <= 100' if figure.is_percentage else ''}, lower < upper"
            raise InputError(
                "not a 95 % interval of its value", where=figure.where, got=figure.as_printed, allowed=allowed
            )


def check_value(figure: Figure) -> None:
    """Refuse a count that does not give the value next to it. Raises InputError."""
    count, n = figure.count, figure.n
    percent = figure.is_percentage
    given, unit = (100.0 * count / max(n, 1.0), "%") if percent else (count, "patients")
    if not figure.prints(given, "value", cut=percent):
        what = f"{count:g} of {n:g} is {given:.3g} {unit}, which differs from the printed value"
        raise InputError(what, where=figure.where, got=f"{figure.printed['value']} {unit}", allowed=AS_PRINTED)


def cut_warning(figure: Figure, cohort: Cohort) -> str:
    """Return that a percentage is cut after its last digit, where its count would be rounded to another; else ""."""
    if not (np.isfinite(figure.value) and figure.is_percentage):
        return ""
    if np.isfinite(figure.count):
        cut = not figure.prints(100.0 * figure.count / max(figure.n, 1.0), "value", cut=False)
    else:
        cut = figure.is_exact(cohort) and not _is_counted(figure, cohort, cut=False)
    return (
        f"{figure.where}: {figure.printed['value']} % is treated as truncated after its last digit, not rounded"
        if cut
        else ""
    )


def at_risk_warning(figure: Figure, cohort: Cohort) -> str:
    """Return that hardly any patients are followed until a fitted percentage's month; else ""."""
    few = few_at_risk(figure, cohort) if figure.is_fitted else ""
    return few and (
        f"{figure.where}: at month {figure.month:g} {few}, so that the fit takes this figure as more certain than it "
        "is; an earlier month of the curve is safer"
    )


def few_at_risk(figure: Figure, cohort: Cohort, counted: float = np.nan) -> str:
    """Return "only about 2.1 of 57 patients are still at risk" at a figure's month, if hardly any are; else "".

    n S G are at risk, G : share of survivors who are followed for longer. With few, Greenwood's error is too small.
    counted : the patients at risk, if they are reported
    """
    n = figure.n if np.isfinite(figure.n) else population_sizes.most(cohort, population_sizes.of_figure(cohort, figure))
    alive = figure.count if np.isfinite(figure.count) else n * figure.value / 100.0
    if np.isfinite(counted):
        longer = counted / max(alive, 1.0)
    elif cohort.follow_up is None:
        return ""
    else:
        lower, upper = cohort.follow_up
        longer = (upper - figure.month) / (upper - lower)
    at_risk = counted if np.isfinite(counted) else alive * longer
    if longer >= FEWEST_FOLLOWED or at_risk >= FEWEST_AT_RISK:
        return ""
    return f"only about {at_risk:.1f} of {n:g} patients are still at risk"


def check_counted(figure: Figure, cohort: Cohort) -> None:
    """Refuse a percentage, with its error, that no count gives, where nobody is censored before. Raises InputError."""
    is_exact = np.isfinite(figure.value) and figure.is_percentage and figure.is_exact(cohort)
    if not is_exact or _is_counted(figure, cohort):
        return
    of = f"{figure.n:g} patients" if np.isfinite(figure.n) else "patients"
    counted = f"{figure.count:g} of {of} do not give" if np.isfinite(figure.count) else f"no count of {of} gives"
    near = f" ({_nearest(figure, int(figure.n))})" if np.isfinite(figure.n) else ""
    raise InputError(
        f"{counted} this figure{near}, and nobody is censored before month {cohort.no_censoring_before:g}",
        where=figure.where,
        got=figure.as_printed,
        allowed=f"{AS_PRINTED}; no `no_censoring_before` where somebody was censored",
    )


def _is_counted(figure: Figure, cohort: Cohort, *, cut: bool = True) -> bool:
    """Return whether some count gives its numbers, where nobody is censored."""
    most = population_sizes.most(cohort, population_sizes.of_figure(cohort, figure))
    sizes = [int(figure.n)] if np.isfinite(figure.n) else range(1, most + 1)
    counts = [int(figure.count)] if np.isfinite(figure.count) else None
    return any(_prints(alive, n, figure, cut=cut) for n in sizes for alive in counts or _near(figure, n))


def _near(figure: Figure, n: int) -> range:
    """Return the counts of n that could print a figure's percentage."""
    lowest, highest = (n * percent / 100.0 for percent in figure.range_of("value"))
    return range(max(0, int(np.floor(lowest))), min(n, int(np.ceil(highest))) + 1)


def _prints(alive: int, n: int, figure: Figure, *, cut: bool) -> bool:
    share = alive / n
    if not figure.prints(100.0 * share, "value", cut=cut):
        return False
    binomial = 100.0 * np.sqrt(share * (1.0 - share) / n)
    if np.isfinite(figure.standard_error) and not figure.prints(binomial, "standard_error"):
        return False
    return not np.isfinite(figure.lower) or _has_interval(share, n, figure)


def _has_interval(share: float, n: int, figure: Figure) -> bool:
    """Return whether the ends of a figure's interval lie among those of the usual intervals of a share of n."""
    for column, ends in zip(("lower", "upper"), usual_intervals(share, n).T, strict=True):
        lowest, highest = figure.range_of(column)
        if highest < np.nanmin(ends) - 1e-9 or lowest > np.nanmax(ends) + 1e-9:
            return False
    return True


def usual_intervals(share: float, n: float) -> Floats:
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


def _nearest(figure: Figure, n: int) -> str:
    alive = round(n * figure.value / 100.0)
    share = alive / n
    error = 100 * np.sqrt(share * (1 - share) / n)
    given = f"{100 * share:.3g} ± {error:.2g} %"
    if np.isfinite(figure.lower):
        lower, upper = np.nanmean(usual_intervals(share, n), axis=0)
        given += f", about {lower:.0f} to {upper:.0f}"
    return f"{alive} of {n} gives {given}"
