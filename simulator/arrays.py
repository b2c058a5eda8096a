"""The kinds of NumPy arrays, for annotations, and pieces of them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Complex = NDArray[np.complex128]


def slices(rows: int, size: int) -> list[slice]:
    """Return the slices of so many rows in order, of `size` rows each; the last may be shorter."""
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]
