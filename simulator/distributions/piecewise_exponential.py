"""PiecewiseExponential: a hazard that is constant between breaks."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Floats
from simulator.distributions.bounds import NOT_NEGATIVE, Reader, agree
from simulator.distributions.distribution import Family, Indices, from_zero, product, quotient
from simulator.errors import InputError


class Breaks:
    """Reads the list of times in months at which the hazard changes."""

    allowed = "a list of increasing numbers above 0"

    def read(self, value: object, key: str, where: str) -> Floats:
        """Breaks (n_breaks,). Raises InputError unless they increase from above 0."""
        entries = _entries(value, key, where, self.allowed)
        numbers = [NOT_NEGATIVE.read(entry, f"{key}[{place}]", where) for place, entry in enumerate(entries)]
        if any(entry.ndim for entry in numbers) or not (np.diff(numbers, prepend=0.0) > 0.0).all():
            raise InputError(f"{key} do not increase", where=where, got=value, allowed=self.allowed)
        return np.array(numbers, dtype=np.float64)


class Rates:
    """Reads the list of hazards per month, one a piece."""

    allowed = "a list of finite numbers, 0 or more"

    def read(self, value: object, key: str, where: str) -> Floats:
        """Rates (n_pieces, ...): one number a piece, or one a cell. Raises InputError otherwise."""
        entries = _entries(value, key, where, self.allowed)
        numbers = {f"{key}[{place}]": entry for place, entry in enumerate(entries)}
        rates = {name: NOT_NEGATIVE.read(entry, name, where) for name, entry in numbers.items()}
        agree({name: entry.shape for name, entry in rates.items()}, where)
        if not rates:
            raise InputError(f"{key} is empty", where=where, allowed=self.allowed)
        return np.stack(np.broadcast_arrays(*rates.values()))


@dataclass(frozen=True, eq=False, kw_only=True)
class PiecewiseExponential(Family):
    """H(t) = H(b_j) + rate_j (t - b_j) in the piece j from b_j to b_(j+1); b_0 = 0, the last is open.

    Friedman (1982), Annals of Statistics 10:101. breaks : (n_breaks,) months, common to all cells;
    rates : (n_breaks + 1, ...) per month.
    """

    readers: ClassVar[Mapping[str, Reader]] = {"breaks": Breaks(), "rates": Rates()}

    breaks: Floats
    rates: Floats
    _starts: Floats = field(init=False, repr=False)
    _reached: Floats = field(init=False, repr=False)
    _cell: Indices = field(init=False, repr=False)
    _flat: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = np.concatenate([[0.0], self.breaks])
        grown = np.cumsum(self.rates[:-1].T * np.diff(starts), axis=-1).T
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_reached", np.concatenate([np.zeros_like(self.rates[:1]), grown]))
        object.__setattr__(self, "_cell", np.arange(self.rates[0].size).reshape(self.rates.shape[1:]))
        object.__setattr__(self, "_flat", bool((self.rates == 0.0).any()))

    @classmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """From breaks in months and rates per month."""
        return cls(breaks=given["breaks"], rates=given["rates"])

    @classmethod
    def check(cls, given: Mapping[str, Floats], where: str) -> None:
        """Raise InputError unless there is one rate more than there are breaks."""
        if len(given["rates"]) != len(given["breaks"]) + 1:
            got = f"{len(given['breaks'])} breaks, {len(given['rates'])} rates"
            raise InputError("breaks and rates do not match", where=where, got=got, allowed="one more rate than breaks")

    @property
    def breaks_of_hazard(self) -> frozenset[float]:
        """The months at which the hazard may jump."""
        return frozenset(self.breaks.tolist())

    @property
    def cell_shape(self) -> tuple[int, ...]:
        """The shape of a piece's rate: () or (..., k)."""
        return self._cell.shape

    def with_parameters(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        # The table of pieces stays as it is; only which column each entry reads is gathered.
        changed = copy(self)
        if self._cell.ndim:
            object.__setattr__(changed, "_cell", change(self._cell))
        return changed

    def _cumulative_hazard(self, times: Floats) -> Floats:
        times = from_zero(times)
        piece = np.searchsorted(self.breaks, times, side="right")
        elapsed = times - self._starts.take(piece)
        multiply = product if self._flat else np.multiply
        entry = self._entry(piece)
        return self._reached.take(entry) + multiply(elapsed, self.rates.take(entry))

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        piece = np.zeros(np.broadcast_shapes(exposures.shape, self._cell.shape), dtype=np.intp)
        for reached in self._reached[1:]:
            piece += reached.take(self._cell) < exposures
        entry = self._entry(piece)
        remaining = exposures - self._reached.take(entry)
        divide = quotient if self._flat else np.divide
        return self._starts.take(piece) + divide(remaining, self.rates.take(entry))

    def _entry(self, piece: Indices) -> Indices:
        """The place of a piece in the tables (n_pieces, ...), which are read as if flat."""
        return np.asarray(piece * self.rates[0].size + self._cell)


def _entries(value: object, key: str, where: str, allowed: str) -> list[object]:
    if isinstance(value, np.ndarray) and value.ndim:
        return list(value)
    if not isinstance(value, list | tuple):
        raise InputError(f"{key} is not a list", where=where, got=value, allowed=allowed)
    return list(value)
