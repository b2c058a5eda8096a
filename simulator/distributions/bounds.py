"""Bounds: what a parameter of a distribution may be, read from what a file or a caller says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulator.arrays import Booleans, Floats
from simulator.errors import InputError, in_per_cent


class Reader(Protocol):
    """Whatever turns what was written under `key` into a float64 array, or raises InputError."""

    @property
    def allowed(self) -> str:
        """What may be written, in words."""

    def read(self, value: object, key: str, where: str) -> Floats:
        """The checked value; `where` is the place to name in an error."""


@dataclass(frozen=True)
class Bounds:
    """The finite numbers for which `holds`; `allowed` says so in words."""

    allowed: str
    holds: Callable[[Floats], Booleans]

    def read(self, value: object, key: str, where: str) -> Floats:
        """A number, or an array of one a cell: float64, () or (..., k). Raises InputError otherwise."""
        values = _numbers(value)
        if values is None:
            raise InputError(f"{key} is not a number", where=where, got=value, allowed=self.allowed)
        wrong = values[~(np.isfinite(values) & self.holds(values))]
        if wrong.size:
            hint = in_per_cent(float(wrong[0])) if self is PROBABILITY else ""
            raise InputError(f"{key} is out of range", where=where, got=wrong[0], allowed=f"{self.allowed}{hint}")
        return values


REAL = Bounds("a finite number", lambda values: np.isfinite(values))
POSITIVE = Bounds("a finite number above 0", lambda values: values > 0.0)
NOT_NEGATIVE = Bounds("a finite number, 0 or more", lambda values: values >= 0.0)
PROBABILITY = Bounds("a number from 0 to 1", lambda values: (values >= 0.0) & (values <= 1.0))


def agree(shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    """Raise InputError unless the shapes of all parameters broadcast: as many cells, or one for all."""
    dimensions = {key: shape for key, shape in shapes.items() if shape}
    try:
        if len(dimensions) > 1:
            np.broadcast_shapes(*dimensions.values())
    except ValueError:
        raise InputError("parameters have different numbers of cells", where=where, got=dimensions) from None


def _numbers(value: object) -> Floats | None:
    # A list would pass for one value a cell; in a file it is a mistake.
    if isinstance(value, list | tuple | str):
        return None
    values = np.array(value)
    return values.astype(np.float64) if values.dtype.kind in "iuf" and values.size else None
