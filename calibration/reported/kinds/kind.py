"""A kind of figure: what it reports, the cells that it needs and reads, and everything that is later asked of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from calibration.reported import percentages
from calibration.reported.figure import Figure
from calibration.reported.links import Bound, Populations
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans, Floats
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

BY_KIND = (
    *("state", "attribute", "from", "end_point", "cause", "versus", "limit", "curve", "month", "landmark", "quantile"),
    *("count", "n", "value", "standard_error", "lower", "upper"),
)
"""Columns that only some kinds read; all kinds read the other columns."""
DECIMALS = 1
"""Of a printed time in months, or of a percentage without a count.

A whole percentage determines a count out of 50 patients or fewer.
"""
COMPARE = 'use = "predictive"'
PATIENTS, PERCENT, MONTHS = ("%", "patients"), ("%",), ("months",)


class Kind(Figure, ABC):
    """A figure of one kind.

    kind, meaning : its name, and what is reported; needs, reads : columns of BY_KIND; units : allowed for its `value`
    is_count : whether it is a number of patients, 0 in an empty group; counts_sizes : whether of populations
    of_entered : whether its n are patients who entered its `state`
    adds_up : whether the arms of its population are added up, so that no patient may be of two
    what_state : the word for its `state`
    unit_of_figure, factor : of the figure that is shown, and what a simulated one is multiplied by
    is_skewed : whether simulated ones may be infinite, so that their centre is the median
    sign : whether higher ones are better survival (1), worse (-1), or neither
    is_open : whether an interval may have no upper end
    fitted : how it enters the likelihood, in words, or why it does not
    dated : the column of a month that has to lie within follow-up, or ""
    """

    kind: ClassVar[str]
    meaning: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    reads: ClassVar[tuple[str, ...]]
    units: ClassVar[tuple[str, ...]] = PATIENTS
    is_count: ClassVar[bool] = False
    counts_sizes: ClassVar[bool] = False
    of_entered: ClassVar[bool] = False
    adds_up: ClassVar[bool] = True
    what_state: ClassVar[str] = "state"
    is_skewed: ClassVar[bool] = False
    unit_of_figure: ClassVar[str] = "patients"
    factor: ClassVar[float] = 1.0
    sign: ClassVar[float] = 0.0
    is_open: ClassVar[bool] = False
    fitted: ClassVar[str]
    dated: ClassVar[str] = ""

    @property
    def reported(self) -> float:
        """The figure as it is shown: patients, percent or months."""
        return self.value

    @abstractmethod
    def simulated(self, cohort: SimulatedCohort, patients: Booleans) -> float:
        """Return the figure of some patients of a simulated cohort, (n,): at least one, but for a count."""

    def compared(self, simulated: Floats) -> Floats:
        """Return simulated figures, of any shape, as they are ranked and scored against the reported one."""
        return simulated

    @abstractmethod
    def in_words(self) -> str:
        """Return what is reported, "20 of 60 (treated) dead by month 12"."""

    @property
    def populations(self) -> tuple[str, ...]:
        """The populations whose patients, together, it is of."""
        return (self.population,)

    @property
    def is_start(self) -> bool:
        """Whether it is what all patients have in common at month 0, where curves are drawn from."""
        return False

    def asks(self, cohort: Cohort, pathway: Pathway) -> set[str]:
        """Return the states whose entries decide the figure of simulated patients."""
        return {*cohort.states_of(self.state), self.since} - {""}

    def bounds(self, populations: Populations) -> list[Bound]:
        """Return the bounds that the figure sets to numbers of patients."""
        return []

    def states(self, pathway: Pathway) -> tuple[str, ...]:
        """Return what its `state` can be, next to blank."""
        return tuple(pathway.states)

    def check(self, cohort: Cohort, pathway: Pathway) -> None:
        """Refuse what a figure of its kind cannot be. Raises InputError."""
        if self.since and self.since not in pathway.states:
            raise UnknownNameError("state", self.since, pathway.states, f"{self.where}, from")

    def check_printed(self, cohort: Cohort) -> None:
        """Refuse printed numbers that contradict one another. Raises InputError."""

    def check_fitted(self, cohort: Cohort, pathway: Pathway, mix: Mapping[str, Figure]) -> None:
        """Refuse what cannot be fitted. mix : level -> its figure of the case mix. Raises InputError."""

    def warnings(self, cohort: Cohort) -> list[str]:
        """Return what is assumed of the figure, as sentences; "" for nothing."""
        return [percentages.cut_warning(self, cohort)]

    @property
    def left_out_with(self) -> str:
        """What is left out together with it: figures that imply one another have the same; "" for those of a choice."""
        return self.name

    def whole(self, cohort: SimulatedCohort) -> int:
        """Return its n in a simulated cohort."""
        return int(cohort.patients_of(self).sum())

    def reprinted(self, cohort: SimulatedCohort, n: int) -> dict[str, float]:
        """Return the numbers that a simulated cohort prints, by column, of n patients."""
        return {"count": cohort.figure(self)}

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the columns of BY_KIND that it needs or reads."""
        return cls.needs + cls.reads


class NotFitted(Kind):
    """A figure that is compared only."""

    fitted = "no: it is a summary whose law no count of patients gives"

    def check_fitted(self, cohort: Cohort, pathway: Pathway, mix: Mapping[str, Figure]) -> None:
        raise InputError("a kind that cannot be fitted", where=self.where, got=self.kind, allowed=COMPARE)
