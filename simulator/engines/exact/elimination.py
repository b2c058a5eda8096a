"""Systems of linear equations e = b + M e, one a frequency, whose unknowns are the nodes of a graph.

    e_v = (b_v + sum_u M_vu e_u) / (1 - M_vv)      put into the equations of all nodes w that v leads to

The node with the fewest ways through it is eliminated first (Markowitz 1957, Management Science 3, 3): a ring of states
takes work and memory in proportion to their number. No pivot is needed, because patients who leave a node arrive once
at most: the columns of |M| sum to less than 1 (Golub & Van Loan 2013, Matrix Computations, section 4.1.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from simulator.arrays import Complex, Floats, slices

BYTES = 2**25
"""Of the equations of a slice of frequencies."""

Unknown = TypeVar("Unknown")
Factors = Mapping[tuple[Unknown, Unknown], Complex | Floats]
"""(u, v) -> M_vu, (n_draws or 1, n_cells or 1, n_frequencies or 1)."""


def solve(factors: Factors[Unknown], right: Mapping[Unknown, Complex], frequencies: int) -> dict[Unknown, Complex]:
    """Return e : (n_draws or 1, n_cells or 1, n_frequencies) of every node of `right`, which holds b."""
    shape = np.broadcast_shapes((1, 1, frequencies), *(values.shape for values in (*factors.values(), *right.values())))
    order, terms = _order(factors, right)
    solved = {node: np.empty(shape, dtype=np.complex128) for node in right}
    for piece in slices(frequencies, max(1, BYTES // (16 * shape[0] * shape[1] * terms))):
        into = {node: dict[Unknown, Complex | Floats]() for node in right}
        for (source, node), factor in factors.items():
            into[node][source] = _cut(factor, piece)
        constant = {node: _cut(values, piece) for node, values in right.items()}
        for place, node in enumerate(order):
            if node in into[node]:
                once = 1.0 / (1.0 - into[node].pop(node))
                constant[node] = constant[node] * once
                into[node] = {source: factor * once for source, factor in into[node].items()}
            for later in order[place + 1 :]:
                if node in into[later]:
                    factor = into[later].pop(node)
                    constant[later] = constant[later] + factor * constant[node]
                    for source, earlier in into[node].items():
                        into[later][source] = into[later].get(source, 0.0) + factor * earlier
        for node in reversed(order):
            solved[node][..., piece] = constant[node]
            for source, factor in into[node].items():
                solved[node][..., piece] += factor * solved[source][..., piece]
    return solved


def _cut(values: Complex | Floats, piece: slice) -> Complex | Floats:
    return values[..., piece] if values.shape[-1] > 1 else values


def _order(factors: Factors[Unknown], right: Mapping[Unknown, Complex]) -> tuple[list[Unknown], int]:
    """Return the nodes in the order of their elimination, and how many terms the equations have then."""
    into, out_of = ({node: set[Unknown]() for node in right} for _ in range(2))
    for source, node in factors:
        if source != node:
            into[node].add(source)
            out_of[source].add(node)
    order, terms = list[Unknown](), len(into)
    while into:
        node = min(into, key=lambda node: len(into[node]) * len(out_of[node]))
        sources, others = into.pop(node), out_of.pop(node)
        for other in others:
            into[other] = (into[other] | sources) - {node, other}
        for source in sources:
            out_of[source] = (out_of[source] | others) - {node, source}
        order.append(node)
        terms += len(sources)
    return order, terms
