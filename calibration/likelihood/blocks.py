"""How reported counts split the cells: into blocks whose sizes they settle, and into counts that cross the blocks.

Two sets of which one includes the other settle their difference, and a set that cuts one block alone settles both parts
of it. A set of cells is a whole number, a bit a cell, so that "includes" and "cuts" are one operation each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from calibration.likelihood.cells import Equation, incidence
from simulator.arrays import Floats
from simulator.errors import InputError


class Blocks(NamedTuple):
    """The cells, in blocks whose sizes the counts settle; cells that no count distinguishes are merged.

    merged : (n_cells, n_merged) 0 or 1, which cell is in which; cells that must be empty are in none
    starts : (n_blocks,) the first merged cell of each block; sizes : (n_blocks,) its patients
    crosses : (n_merged, n_crossing) 0 or 1, and counts : (n_crossing,), of counts that no block settles
    where : (n_crossing,) the rows that report those
    """

    merged: Floats
    starts: NDArray[np.intp]
    sizes: Floats
    crosses: Floats
    counts: Floats
    where: tuple[str, ...]

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Merged cells of each block, (n_blocks,)."""
        return np.diff(np.append(self.starts, len(self.crosses)))


class _Count(NamedTuple):
    """Patients in a set of cells, and the rows that say so."""

    patients: int
    where: str


def blocks_of(equations: Sequence[Equation], cells: Sequence[int], n_cells: int) -> Blocks:
    """Return the blocks of the cells, of 0 to n_cells - 1, that can have patients. Raises InputError.

    equations : counts that do not contradict one another, and that count every cell
    """
    everywhere = _bits(cells)
    counts = [(everywhere & _bits(equation.cells), _Count(equation.count, equation.where)) for equation in equations]
    reported = {bits: count for bits, count in counts if bits}
    known = _differences(reported) | reported
    settled = _settled(everywhere, {bits: count.patients for bits, count in known.items()}, list(reported))
    crossing = _independent(_crossing(known, settled), settled)
    parts = [part for block in settled for part in _parts(block, crossing)]
    return Blocks(
        np.array([[float(part >> cell & 1) for part in parts] for cell in range(n_cells)]),
        np.array([next(i for i, part in enumerate(parts) if part & block) for block in settled], dtype=np.intp),
        np.array(list(settled.values()), dtype=np.float64),
        np.array([_of(parts, cells) for cells in crossing]).reshape(len(crossing), len(parts)).T,
        np.array([count.patients for count in crossing.values()], dtype=np.float64),
        tuple(count.where for count in crossing.values()),
    )


def occupied(equations: Sequence[Equation], cells: Sequence[int]) -> list[int]:
    """Return the cells that can have patients where all others have none; no cell if the counts forbid that.

    One linear programme, of x with A x = b y and y >= 1: the one in which most cells have x >= 1.
    """
    n = len(cells)
    counts = np.array([float(equation.count) for equation in equations])
    x = linprog(
        np.concatenate([np.zeros(n), -np.ones(n), [0.0]]),
        A_eq=np.column_stack([incidence(equations, cells), np.zeros((len(equations), n)), -counts]),
        b_eq=np.zeros(len(equations)),
        A_ub=np.column_stack([-np.eye(n), np.eye(n), np.zeros(n)]),
        b_ub=np.zeros(n),
        bounds=[(0.0, None)] * n + [(0.0, 1.0)] * n + [(1.0, None)],
    ).x
    return [] if x is None else [cell for cell, is_occupied in zip(cells, x[n:-1], strict=True) if is_occupied > 0.5]


def _differences(known: Mapping[int, _Count]) -> dict[int, _Count]:
    """Return the rest of every set, where one inside it is taken out."""
    return {
        whole & ~part: _Count(known[whole].patients - known[part].patients, known[whole].where)
        for whole, part in permutations(known, 2)
        if whole & part == part
    }


def _settled(everywhere: int, known: Mapping[int, int], reported: Iterable[int]) -> dict[int, int]:
    """Return the most blocks -> patients that an order of the counts gives. Raises InputError."""
    ascending = sorted(known, key=lambda bits: (bits.bit_count(), bits))
    most: dict[int, int] = {}
    for first in reported:
        for order in (ascending, ascending[::-1]):
            blocks = _cut(everywhere, {bits: known[bits] for bits in [first, *order]})
            most = max(most, blocks, key=len)
    if not most:
        raise InputError("the counts do not say how many patients there are", allowed="a row that counts all of them")
    return dict(sorted(most.items(), key=lambda block: block[0] & -block[0]))


def _cut(everywhere: int, family: Mapping[int, int]) -> dict[int, int]:
    """Return blocks -> patients, cut by one set after the other; none where one stays unsettled."""
    blocks: dict[int, int | None] = {everywhere: None}
    before = 0
    while before != (before := sum(1 + (size is not None) for size in blocks.values())):
        for bits, count in family.items():
            cut = [block for block in blocks if block & bits and block & ~bits]
            whole = [block for block in blocks if not block & ~bits]
            unsettled = [block for block in whole if blocks[block] is None]
            left = count - sum(blocks[block] or 0 for block in whole)
            if len(cut) == 1 and not unsettled:
                size = blocks.pop(cut[0])
                blocks |= {cut[0] & bits: left, cut[0] & ~bits: None if size is None else size - left}
            elif not cut and unsettled:
                blocks[unsettled[0]] = left
    sizes = {bits: size for bits, size in blocks.items() if size is not None}
    return sizes if len(sizes) == len(blocks) else {}


def _parts(block: int, sets: Iterable[int]) -> list[int]:
    """Return a block's cells, merged where no set distinguishes them."""
    parts = [block]
    for bits in sets:
        parts = [half for part in parts for half in (part & bits, part & ~bits) if half]
    return parts


def _crossing(known: Mapping[int, _Count], settled: Mapping[int, int]) -> dict[int, _Count]:
    """Return the rest of sets that cut blocks, where blocks inside them are taken out, the fewest patients first.

    The rest of the blocks that a set cuts counts as well; so does what is left of a set without another one.
    """
    crossing: dict[int, _Count] = {}
    for bits, count in known.items():
        inside = [block for block in settled if not block & ~bits]
        if rest := bits & ~sum(inside):
            crossing[rest] = _Count(count.patients - sum(settled[block] for block in inside), count.where)
    crossing |= _differences(crossing)
    for bits, count in list(crossing.items()):
        cut = [block for block in settled if block & bits]
        crossing[sum(cut) & ~bits] = _Count(sum(settled[block] for block in cut) - count.patients, count.where)
    return dict(sorted(crossing.items(), key=lambda entry: (entry[1].patients, entry[0].bit_count(), entry[0])))


def _independent(crossing: Mapping[int, _Count], settled: Iterable[int]) -> dict[int, _Count]:
    """Return the first counts that do not follow from the blocks and from one another."""
    parts = [part for block in settled for part in _parts(block, crossing)]
    rows, kept = [_of(parts, block) for block in settled], {}
    for cells, count in crossing.items():
        more_rows = [*rows, _of(parts, cells)]
        if np.linalg.matrix_rank(np.array(more_rows)) == len(more_rows):
            rows, kept[cells] = more_rows, count
    return kept


def _of(parts: Iterable[int], cells: int) -> list[float]:
    return [float(bool(part & cells)) for part in parts]


def _bits(cells: Iterable[int]) -> int:
    return sum(1 << cell for cell in cells)
