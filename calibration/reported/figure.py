"""A row of targets.csv, read once: its cells, typed, and the line that it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf, isfinite, isnan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from simulator.evidence.cohort import Cohort

WIDTH = 2.0 * float(special.ndtri(0.975))
"""Standard errors that a 95 % interval is wide."""
TEXTS = ("name", "population", "state", "attribute", "unit", "place", "use", "note", "evidence")
TEXTS_OF_KINDS = ("from", "end_point", "cause", "versus", "limit", "curve")
NUMBERS = ("month", "landmark", "quantile", "count", "n", "value", "standard_error", "lower", "upper")
FIELDS = {"from": "since"}
"""Column -> its field, where these differ."""


def where(folder: Path, *lines: object) -> str:
    """Return the place of rows of targets, whose index is their line."""
    return " and ".join(f"{folder / 'targets.csv'}: line {line}" for line in lines)


def digit(printed: str) -> float:
    """Return a unit of the last digit of a printed number; 0 for none."""
    return 10.0 ** int(Decimal(printed).as_tuple().exponent) if printed else 0.0


class FileRow(NamedTuple):
    """A patient: months seen, half a unit of their last digit, and whether the event came then."""

    month: float
    half: float
    event: bool


@dataclass(frozen=True)
class Figure:
    """A reported figure. Numbers that are blank are NaN; where : the file and the line.

    since : the state from which its months count, "" for the cohort's clock; end_point : "" for death
    versus : the population that it is compared with; limit : what is reported is a bound; curve : that it is read off
    rows : of single patients; printed : column -> its number as the source prints it, with all digits
    """

    line: int
    where: str
    name: str
    population: str
    state: str
    attribute: str
    unit: str
    place: str
    use: str
    note: str
    evidence: str
    since: str
    end_point: str
    cause: str
    versus: str
    limit: str
    curve: str
    month: float
    landmark: float
    quantile: float
    count: float
    n: float
    value: float
    standard_error: float
    lower: float
    upper: float
    printed: Mapping[str, str]
    rows: tuple[FileRow, ...] = ()

    @property
    def by(self) -> float:
        """The month by which patients are counted; inf if blank: by their last follow-up."""
        return inf if isnan(self.month) else self.month

    @property
    def is_fitted(self) -> bool:
        """Whether the figure enters the likelihood."""
        return self.use == "likelihood"

    @property
    def is_percentage(self) -> bool:
        """Whether the value is in percent, as a value with a count and without a unit is."""
        return self.unit == "%" or (self.unit == "" and isfinite(self.count))

    @property
    def is_plain(self) -> bool:
        """Whether it is of death, or of survival, from the cohort's clock on."""
        return not self.since and not self.end_point

    @property
    def error(self) -> float:
        """The standard error in percent, from the 95 % interval if none is printed; NaN if neither is."""
        return self.standard_error if isfinite(self.standard_error) else (self.upper - self.lower) / WIDTH

    def cell(self, column: str) -> str:
        """Return a cell as text, "" if blank."""
        cell = getattr(self, FIELDS.get(column, column))
        return cell.strip() if isinstance(cell, str) else "" if isnan(cell) else f"{cell:g}"

    def range_of(self, column: str) -> tuple[float, float]:
        """Return the lowest and highest number that a printed one can mean: rounded, or cut after its last digit."""
        unit = self.digit_of(column)
        return getattr(self, column) - 0.5 * unit, getattr(self, column) + unit

    def prints(self, given: float, column: str, *, cut: bool = True) -> bool:
        """Return whether the source prints a number so: rounded either way, or, if allowed, cut."""
        above = given - getattr(self, column)
        half = 0.5 * self.digit_of(column)
        return bool(abs(above) <= half + 1e-9 or (cut and 0.0 <= above < 2.0 * half - 1e-9))

    def digit_of(self, column: str) -> float:
        """Return a unit of the last digit that a number is printed with."""
        return digit(self.printed[column])

    @property
    def months(self) -> list[float]:
        """The months at which it is read."""
        return [self.month] if isfinite(self.month) else []

    @property
    def as_printed(self) -> str:
        """The value with its error or interval, as the source prints them."""
        error = f" ± {self.printed['standard_error']}" if self.printed["standard_error"] else ""
        upper = self.printed["upper"] or "not reached"
        interval = f", {self.printed['lower']} to {upper}" if self.printed["lower"] else ""
        unit = " %" if self.is_percentage else f" {self.unit}" if self.unit else ""
        return f"{self.printed['value'] or 'not reached'}{error}{unit}{interval}"

    def is_exact(self, cohort: Cohort) -> bool:
        """Return whether nobody of the cohort is censored before its month."""
        return not self.since and self.month <= cohort.no_censoring_before

    @property
    def of_patients(self) -> str:
        """ "treated with sex=female"."""
        return " with ".join(dict.fromkeys(name for name in (self.population, self.attribute) if name))


def cells(row: Mapping[Any, Any], line: int, folder: Path) -> dict[str, Any]:
    """Return the cells of a row of targets.csv as the fields of a `Figure`. line : of the file"""
    texts: dict[str, Any] = {column: str(row.get(column, "")) for column in TEXTS}
    texts |= {FIELDS.get(column, column): str(row.get(column, "")).strip() for column in TEXTS_OF_KINDS}
    numbers = {column: float(row.get(column, np.nan)) for column in NUMBERS}
    printed = {
        column: str(row.get(f"printed_{column}", "")) for column in ("value", "standard_error", "lower", "upper")
    }
    return texts | numbers | {"line": line, "where": where(folder, line), "printed": printed}
