"""Systems of linear equations that are solved by elimination are those that LAPACK solves."""

import numpy as np
import pytest

from simulator.arrays import Complex
from simulator.engines.exact import elimination

FREQUENCIES = 12


def numbers(rng: np.random.Generator, *shape: int) -> Complex:
    return rng.uniform(-1.0, 1.0, shape) + 1j * rng.uniform(-1.0, 1.0, shape)


@pytest.mark.parametrize("bytes_of_a_slice", [1, 10_000, elimination.BYTES])
@pytest.mark.parametrize("nodes", [1, 2, 5, 12])
def test_the_solution_is_that_of_a_dense_solver(
    nodes: int, bytes_of_a_slice: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three draws and two cells, some factors of which are alike in every draw, cell or frequency."""
    monkeypatch.setattr(elimination, "BYTES", bytes_of_a_slice)
    rng = np.random.default_rng(nodes)
    shapes = [(3, 2, FREQUENCIES), (1, 1, FREQUENCIES), (3, 1, 1), (1, 1, 1)]
    ways = [(u, v) for u in range(nodes) for v in range(nodes) if rng.uniform() < 0.6]
    # Of all who leave a node, less than all arrive anywhere.
    factors = {way: 0.6 / nodes * numbers(rng, *shapes[rng.integers(4)]) for way in ways}
    right = {node: numbers(rng, *shapes[rng.integers(4)]) for node in range(nodes)}
    matrix = np.zeros((3, 2, FREQUENCIES, nodes, nodes), dtype=complex) + np.eye(nodes)
    for (source, node), factor in factors.items():
        matrix[..., node, source] -= factor
    b = np.stack([np.broadcast_to(right[node], (3, 2, FREQUENCIES)) for node in range(nodes)], axis=-1)
    dense = np.linalg.solve(matrix, b[..., None])[..., 0]
    solved = elimination.solve(factors, right, FREQUENCIES)
    for node in range(nodes):
        np.testing.assert_allclose(np.broadcast_to(solved[node], dense.shape[:-1]), dense[..., node], atol=1e-13)


def test_nodes_that_lead_nowhere_but_on_are_substituted() -> None:
    right = {node: np.full((1, 1, FREQUENCIES), complex(node == "a")) for node in "cba"}
    solved = elimination.solve(
        {("a", "b"): np.full((1, 1, 1), 0.5), ("b", "c"): np.full((1, 1, 1), 0.4)}, right, FREQUENCIES
    )
    assert [float(solved[node][0, 0, 3].real) for node in "abc"] == [1.0, 0.5, 0.2]
