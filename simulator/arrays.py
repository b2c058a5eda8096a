"""The kinds of NumPy arrays, for annotations, and pieces of them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Complex = NDArray[np.complex128]

# Linux takes back the memory of every freed array until one large block has been freed (mallopt(3), M_MMAP_THRESHOLD):
# after this one, which is never written to, arrays of a megabyte are made in what is there. A fifth of a run's time.
np.empty(30 * 2**20, dtype=np.uint8)


def slices(rows: int, size: int) -> list[slice]:
    """Return the slices of so many rows in order, of `size` rows each; the last may be shorter."""
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]
