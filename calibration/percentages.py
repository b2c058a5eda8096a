"""Survival printed as a percentage without a count, as Kaplan-Meier curves with censoring are: a binomial.

    n = S (1 - S) / SE^2                                                      patients whom the figure is worth
    log L = log C(n, k) + k log p + (n - k) log(1 - p),   k = S n, whole or not;   C by the gamma function
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from simulator.cohort import Cohort
from simulator.errors import InputError

Floats = NDArray[np.float64]

WIDTH = 2.0 * float(special.ndtri(0.975))
"""Standard errors that a 95 % interval is wide."""


@dataclass(frozen=True)
class Percentage:
    """`alive` of `n` patients of a population at a month, neither of them whole. `warning` : what was assumed."""

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
    """Return what a row of survival tells: a count if it has one, else a percentage. Raises InputError naming `at`."""
    population, month = str(row["population"]), float(row["month"])
    if np.isfinite(row["count"]):
        return Percentage(population, month, float(row["count"]), float(row["n"]))
    share, error, n = row["value"] / 100.0, standard_error(row) / 100.0, float(row["n"])
    if not 0.0 <= share <= 1.0:
        raise InputError("a percentage is missing", where=at, got=row["value"], allowed="`value`, 0 to 100")
    if share in (0.0, 1.0) or not error > 0.0:
        if not np.isfinite(n):
            what = "0 and 100 % need the number of patients" if share in (0.0, 1.0) else "no standard error and no n"
            raise InputError(what, where=at, got=f"{row['value']:g} %", allowed="`n`")
        assumed = f"{at}: no standard error, so taken as if none of {n:g} patients were censored"
        return Percentage(population, month, share * n, n, assumed if 0.0 < share < 1.0 else "")
    size = share * (1.0 - share) / error**2
    if np.isfinite(n):
        # A printed error is rounded: half of its last digit more may be meant.
        least = share * (1.0 - share) / (error + half_a_digit(row["standard_error"]) / 100.0) ** 2
        if least > n + 1e-9:
            what = f"a standard error smaller than {n:g} patients can give"
            allowed = f"{100 * np.sqrt(share * (1 - share) / n):.1f} % or more"
            raise InputError(what, where=at, got=f"{100 * error:.3g} %", allowed=allowed)
        size = n if month <= cohort.no_censoring_before else min(size, n)
    return Percentage(population, month, share * size, size)


def standard_error(row: pd.Series) -> float:
    """Return a row's standard error in percent, from its 95 % interval if none is printed; NaN if neither is."""
    printed, interval = float(row["standard_error"]), float(row["upper"] - row["lower"])
    return printed if np.isfinite(printed) else interval / WIDTH


def half_a_digit(printed: float) -> float:
    """Return half a unit of the last digit that a number is printed with."""
    digits = f"{printed:.10g}".partition(".")[2]
    return 0.5 * 10.0 ** -len(digits) if np.isfinite(printed) else 0.0


def check_counted(row: pd.Series, cohort: Cohort, at: str) -> None:
    """Refuse a percentage, with its error, that no count prints, where nobody is censored before. Raises InputError."""
    if not (np.isfinite(row["value"]) and row["unit"] == "%" and row["month"] <= cohort.no_censoring_before):
        return
    sizes = [int(row["n"])] if np.isfinite(row["n"]) else range(1, cohort.n + 1)
    told = [int(row["count"])] if np.isfinite(row["count"]) else None
    if any(_prints(alive, n, row) for n in sizes for alive in told or range(n + 1)):
        return
    of = f"{sizes[0]} patients" if len(sizes) == 1 else "patients"
    raise InputError(
        f"{f'{told[0]} of {of} do not give' if told else f'no count of {of} gives'} this figure, and nobody is "
        f"censored before month {cohort.no_censoring_before:g}",
        where=at,
        got=_in_words(row["value"], row["standard_error"]),
        allowed=_nearest(row, sizes[0]) if len(sizes) == 1 else "a figure that a count gives, or no_censoring_before",
    )


def _prints(alive: int, n: int, row: pd.Series) -> bool:
    share = alive / n
    of_share = abs(100.0 * share - row["value"]) <= half_a_digit(row["value"]) + 1e-9
    error = row["standard_error"]
    binomial = 100.0 * np.sqrt(share * (1.0 - share) / n)
    return bool(of_share and (np.isnan(error) or abs(binomial - error) <= half_a_digit(error) + 1e-9))


def _nearest(row: pd.Series, n: int) -> str:
    alive = round(n * row["value"] / 100.0)
    share = alive / n
    return f"{alive} of {n} gives {_in_words(100 * share, 100 * np.sqrt(share * (1 - share) / n))}"


def _in_words(value: float, error: float) -> str:
    return f"{value:.3g}{'' if np.isnan(error) else f' ± {error:.2g}'} %"
