"""The request log: who enters the centre when, and every request for a limited resource, in calendar months.

The order within one instant is: changes of capacity, then releases, deaths and other ways out, then grants by priority,
time of the request and number of the patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Booleans, Floats, Integers
from simulator.calendar import INSTANTS


@dataclass(frozen=True)
class Arrivals:
    """Who enters. Arrays : (n_patients,).

    origin : calendar month in which each enters the pathway (before 0 for who arrives at the default clock later)
    under_policy : whether the scenario applies to each, and not what was before it
    """

    patients: Integers
    origin: Floats
    under_policy: Booleans


def together(patients: range) -> Arrivals:
    """Return arrivals of patients who all enter at month 0."""
    numbers = np.arange(patients.start, patients.stop)
    return Arrivals(numbers, np.zeros(numbers.size), np.ones(numbers.size, dtype=bool))


@dataclass(frozen=True)
class Requests:
    """Every request for a limited resource, by time and patient. Arrays : (n_requests,), calendar months.

    resource : its place among the scenario's [capacity]
    requested : when it was made; granted : inf if never
    reneged : when it ended without a grant, by death or another way out; inf if granted, or if nothing ends the wait
    released : when the unit was given back; inf if it was never granted
    """

    patients: Integers
    resource: Integers
    requested: Floats
    granted: Floats
    reneged: Floats
    released: Floats

    @property
    def waited(self) -> Floats:
        """Months from the request to its end, whatever that was."""
        return np.minimum(self.granted, self.reneged) - self.requested

    @property
    def over(self) -> Floats:
        """When the request is over: reneged, or the unit given back; inf if never."""
        return np.where(np.isfinite(self.granted), self.released, self.reneged)

    def of(self, resource: int) -> Requests:
        """Return the requests for one resource."""
        return self.only(self.resource == resource)

    def only(self, chosen: Booleans | Integers) -> Requests:
        """Return some of the requests."""
        return Requests(*(column[chosen] for column in self.columns))

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """The fields, in their order."""
        return self.patients, self.resource, self.requested, self.granted, self.reneged, self.released


def request_log(rows: Sequence[tuple[float, ...]]) -> Requests:
    """Return requests from rows (patient, resource, requested, granted, reneged, released), in the order of the log."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    whole = table[:, :2].astype(np.int64)
    requested = np.rint(table[:, 2] * INSTANTS)
    order = np.lexsort((whole[:, 1], whole[:, 0], requested))
    return Requests(whole[order, 0], whole[order, 1], *(table[order, column] for column in range(2, 6)))
