"""What outcomes read of a model without cycles: survival at some months, means and medians, and no curves.

Sums of path curves are made at the months that are read only, and for medians at the places of a bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.curves import populations, up_to
from simulator.engines.exact.crossing import AROUND, Crossing, is_even, is_inside
from simulator.engines.exact.first_events import FirstEvents
from simulator.engines.exact.path_sums import PathSums
from simulator.engines.exact.solution import ROUNDING, Solution
from simulator.engines.lifetimes import is_below, least_of_path, on_curve

Key = tuple[str, str]

OVER = 1e-11
"""Share of a group whose events may be too many, as the lattice's error makes them, before its curve is cut at 0."""

COARSE = 32
"""Places of the lattice between those at which a median is looked for first."""


@dataclass
class OutcomeReadings:
    """Readings of survival, or of patients without an end point's event, by (clock, population).

    keys : those of a column each; columns : those of others, too, who are like them
    sums : of who has died, or has had an event; by_cause : of each cause's first events
    size : (n_draws, n_keys) the share of patients in a population, NaN where it is empty
    """

    solution: Solution | FirstEvents
    keys: Sequence[Key]
    columns: Mapping[Key, int]
    sums: PathSums
    by_cause: Mapping[str, PathSums]
    size: Floats
    count: Callable[[str], Floats]
    solve: Callable[..., Solution | FirstEvents]
    end_points: dict[str, OutcomeReadings] = field(default_factory=dict)
    _kept: dict[object, Floats] = field(default_factory=dict)

    def alive(self, key: Key, month: float) -> Floats:
        """Return S(month), (n_draws,); NaN beyond the horizon."""
        return self._of(key, month, ("alive", month), lambda: 1.0 - self.sums.at(month) / self.size)

    def months_alive(self, key: Key, month: float) -> Floats:
        """Return the integral of S from 0 to a month, (n_draws,); NaN beyond the horizon."""
        if month > self.months[-1] + 1e-9:
            return np.full(len(self.size), np.nan)
        lost = self._of(key, month, ("lost", month), lambda: self.sums.up_to(month) / self.size / month)
        if not np.any(self._column(key, ("gone", month), lambda: self.sums.at(month) / self.size) > 1.0 + OVER):
            return month * (1.0 - lost)
        (means,) = self.solution.mean_survival_of([self.keys[self.columns[key]]])
        return up_to(means, self.solution.lattice.step, month)

    def come(self, cause: str, key: Key, month: float) -> Floats:
        """Return the probability of a first event of a cause by a month, (n_draws,); NaN beyond the horizon."""

        def read() -> Floats:
            events = self.sums.at(month) / self.size
            # As of curves: the lattice's error may make the events of a small group more than its patients.
            most = np.where(events > 1.0 + ROUNDING, events, 1.0)
            return self.by_cause[cause].at(month) / self.size / most

        return self._of(key, month, (cause, month), read)

    def median(self, key: Key) -> Floats:
        """Return the median, (n_draws,), months; inf where it is not reached, NaN for nobody."""
        return self._column(key, "median", self._medians)

    @cached_property
    def sizes(self) -> dict[str, Floats]:
        """Population -> (n_draws,) share of all patients who reach the default clock."""
        return {name: self.solution.size(name) for name in populations(self.solution.model.pathway)}

    @cached_property
    def counts(self) -> dict[str, Floats]:
        """Count -> (n_draws,) per patient, from the default clock to the horizon."""
        return {name: self.count(name) for name in self.solution.model.pathway.counts}

    @cached_property
    def months(self) -> Floats:
        """(n_months,) from 0 to the horizon."""
        return self.solution.months

    def _of(self, key: Key, month: float, name: object, read: Callable[[], Floats]) -> Floats:
        if month > self.months[-1] + 1e-9:
            return np.full(len(self.size), np.nan)
        return self._column(key, name, lambda: np.clip(read(), 0.0, 1.0))

    def _column(self, key: Key, name: object, make: Callable[[], Floats]) -> Floats:
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name][:, self.columns[key]]

    def _medians(self) -> Floats:
        """Return the medians, (n_draws, n_keys)."""
        months, level, last = self.months, 0.5, self.months.size - 1

        def alive(places: Integers) -> Floats:
            return 1.0 - self.sums.at_places(np.clip(places, 0, last)) / self.size

        coarse = is_below(1.0 - self.sums.at_every(COARSE)[..., : last // COARSE + 1] / self.size[..., None], level)
        after = np.where(coarse.any(axis=-1), COARSE * coarse.argmax(axis=-1), last + 1)
        above, below = np.where(after > last, COARSE * (last // COARSE), after - COARSE), after
        while np.any(below - above > 1):
            middle = (above + below) // 2
            low = is_below(alive(middle), level)
            above, below = np.where(low, above, middle), np.where(low, middle, below)
        around = np.stack([alive(below + i) for i in range(-AROUND, AROUND)])
        means = 1.0 - self.sums.means_at(np.clip(below, 1, last) - 1) / self.size
        medians = on_curve(months, around[AROUND - 1], around[AROUND], means, level, below)
        even = is_even(around, means, self.solution.lattice.step) & is_inside(below, last)
        uneven = np.isfinite(medians) & (below > 0) & ~even & ~np.isnan(self.size)
        crossing = Crossing(self.solution, {}, {}, self.solve)
        for column in np.flatnonzero(uneven.any(axis=0)).tolist():
            paths = crossing.along(self.keys[column], below[:, column], uneven[:, column])
            for draw, path in enumerate(paths):
                if path is not None:
                    medians[draw, column] = least_of_path(path, level)
        return np.where(np.isnan(self.size), np.nan, medians)
