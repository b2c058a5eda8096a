"""The uniform numbers: uniform, independent, and determined by their address alone."""

import math
import struct
from functools import cache
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from worlds import slow

from simulator.arrays import Floats, Integers
from simulator.randomness import Uniforms, uniform

N = 200_000
FALSE_ALARM = 1e-6
"""Of one test; seeds are fixed, so that a run either always passes or always fails."""
PATIENTS = np.arange(N)

MASK = 2**64 - 1


def mix13(x: int) -> int:
    """Stafford's Mix13 finaliser, in Python's own integers."""
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 & MASK
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def from_the_description(seed: int, draw: int, replication: int, patient: int, name: str, visit: int) -> float:
    """Compute a number from the written description: digest, two counters, two rounds, 52 bits and a half."""
    digest = blake2b(f"{seed}/{draw}/{replication}/{name}".encode(), digest_size=16).digest()
    first, second = struct.unpack("<QQ", digest)
    x = mix13((patient * 0x9E3779B97F4A7C15 + first) & MASK)
    x = mix13(x ^ (visit * 0xD1B54A32D192ED03 + second) & MASK)
    return ((x >> 12) + 0.5) * 2.0**-52


ADDRESSES = st.tuples(
    st.integers(-(2**70), 2**70),
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 2**62),
    st.text(max_size=30),
    st.integers(0, 2**40),
)


@given(ADDRESSES)
@settings(derandomize=True, max_examples=8, deadline=None, database=None)
def test_a_number_agrees_with_the_description(address: tuple[int, int, int, int, str, int]) -> None:
    seed, draw, replication, patient, name, visit = address
    assert uniform(*address) == from_the_description(seed, draw, replication, patient, name, visit)


def test_numbers_never_change_from_version_to_version() -> None:
    """Seeds printed in a manifest must give the same patients for ever."""
    assert uniform(1, 1, 0, 0, "relapse/salvage_choice") == 0.20176185113427791
    assert uniform(20240680, 17, 3, 12345, "@cd19", 2) == 0.44328064632522357


@given(st.data())
@settings(derandomize=True, max_examples=60, deadline=None, database=None)
def test_a_number_is_the_same_alone_in_a_block_and_in_any_order(data: st.DataObject) -> None:
    patients = np.array(data.draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=30)))
    visits = np.array(data.draw(st.lists(st.integers(0, 50), min_size=len(patients), max_size=len(patients))))
    uniforms = Uniforms(7, draw=2, replication=1)
    together = uniforms.at("salvage/hsct", patients, visits)
    order = np.random.default_rng(0).permutation(len(patients))
    np.testing.assert_array_equal(uniforms.at("salvage/hsct", patients[order], visits[order]), together[order])
    for patient, visit, u in zip(patients, visits, together, strict=True):
        assert uniform(7, 2, 1, int(patient), "salvage/hsct", int(visit)) == u
    np.testing.assert_array_equal(uniforms.at("x", patients, 3), uniforms.at("x", patients, np.full(len(patients), 3)))


def test_other_numbers_requested_in_between_change_nothing() -> None:
    uniforms = Uniforms(1)
    first = uniforms.at("a", PATIENTS[:100])
    uniforms.at("b", PATIENTS)
    Uniforms(2).at("a", PATIENTS)
    np.testing.assert_array_equal(uniforms.at("a", PATIENTS[:100]), first)
    np.testing.assert_array_equal(Uniforms(1).at("a", PATIENTS[:100]), first)


def test_arguments_are_not_changed() -> None:
    patients, visits = np.arange(10), np.arange(10)
    Uniforms(1).at("a", patients, visits)
    np.testing.assert_array_equal(patients, np.arange(10))
    np.testing.assert_array_equal(visits, np.arange(10))


def inverse_of_mix13(x: int) -> int:
    """Every step of Mix13 can be inverted."""

    def unshifted(y: int, shift: int) -> int:
        x = y
        for _ in range(64 // shift):
            x = y ^ x >> shift
        return x

    x = unshifted(x, 31) * pow(0x94D049BB133111EB, -1, 2**64) & MASK
    x = unshifted(x, 27) * pow(0xBF58476D1CE4E5B9, -1, 2**64) & MASK
    return unshifted(x, 30)


def patient_who_gets(bits: int, seed: int, name: str) -> int:
    """The patient whose 64 bits are these at the first visit."""
    first, second = struct.unpack("<QQ", blake2b(f"{seed}/1/0/{name}".encode(), digest_size=16).digest())
    mixed_visit = inverse_of_mix13(bits) ^ second
    return (inverse_of_mix13(mixed_visit) - first) * pow(0x9E3779B97F4A7C15, -1, 2**64) & MASK


@pytest.mark.parametrize(("bits", "expected"), [(0, 2.0**-53), (MASK, 1.0 - 2.0**-53), (1 << 63, 0.5 + 2.0**-53)])
def test_numbers_are_never_0_or_1_even_if_all_bits_are_equal(bits: int, expected: float) -> None:
    """The least is 2^-53 and the greatest 1 - 2^-53: neither log(u) nor log(1 - u) is infinite."""
    patient = np.array([patient_who_gets(bits, 1, "edge")], dtype=np.uint64).astype(np.int64)
    (u,) = Uniforms(1).at("edge", patient)
    assert u == expected
    assert math.isfinite(math.log(u))
    assert math.isfinite(math.log1p(-u))


@cache
def stream_along(coordinate: str, index: int) -> Floats:
    """A stream of numbers along one coordinate of the address; every `index` gives another stream."""
    if coordinate == "patients":
        return Uniforms(index).at("relapse", PATIENTS)
    if coordinate == "visits":
        return Uniforms(1).at("relapse", np.full(N, index), PATIENTS)
    streams = {
        "seeds": lambda i: uniform(i, 1, 0, index, "relapse"),
        "draws": lambda i: uniform(1, i + 1, 0, index, "relapse"),
        "replications": lambda i: uniform(1, 1, i, index, "relapse"),
        "names": lambda i: uniform(1, 1, 0, index, f"state_{i}/to"),
    }
    return np.array([streams[coordinate](i) for i in range(5_000)])


COORDINATES = ["patients", "visits", "seeds", "draws", "replications", "names"]


@pytest.mark.representatives(3)
@pytest.mark.parametrize("index", [3, slow(12_345)])
@pytest.mark.parametrize("coordinate", COORDINATES)
def test_numbers_along_every_coordinate_are_uniform(coordinate: str, index: int) -> None:
    u = stream_along(coordinate, index)
    assert stats.kstest(u, "uniform").pvalue > FALSE_ALARM
    counts = np.bincount((u * 256).astype(int), minlength=256)
    assert stats.chisquare(counts).pvalue > FALSE_ALARM
    # The lowest bits that are tested: a multiple of the generator's cell.
    low = np.bincount((u * 2.0**44 % 1.0 * 64).astype(int), minlength=64)
    assert stats.chisquare(low).pvalue > FALSE_ALARM


def not_correlated(first: Floats, second: Floats, comparisons: int) -> bool:
    z = stats.norm.isf(FALSE_ALARM / 2 / comparisons)
    return bool(abs(np.corrcoef(first, second)[0, 1]) < z / math.sqrt(first.size))


@pytest.mark.parametrize("coordinate", COORDINATES)
def test_numbers_along_every_coordinate_are_not_autocorrelated(coordinate: str) -> None:
    u = stream_along(coordinate, 3)
    for lag in (1, 2, 3, 4, 8, 16, 64, 1000, 4096):
        assert not_correlated(u[:-lag], u[lag:], 9)
    pairs = np.histogram2d(u[:-1:2], u[1::2], bins=16, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(pairs.ravel()).pvalue > FALSE_ALARM


def test_other_seeds_draws_replications_names_and_visits_give_independent_streams() -> None:
    base = Uniforms(1).at("relapse", PATIENTS)
    other_streams = {
        "seed": Uniforms(2).at("relapse", PATIENTS),
        "draw": Uniforms(1, draw=2).at("relapse", PATIENTS),
        "replication": Uniforms(1, replication=1).at("relapse", PATIENTS),
        "name": Uniforms(1).at("relapsf", PATIENTS),
        "visit": Uniforms(1).at("relapse", PATIENTS, 1),
        "next patients": Uniforms(1).at("relapse", PATIENTS + 1),
        "digits moved": Uniforms(11).at("relapse", PATIENTS),
        "digits between": Uniforms(1, draw=11).at("relapse", PATIENTS),
    }
    streams = [base, *other_streams.values()]
    n_pairs = len(streams) * (len(streams) - 1) // 2
    for i, first in enumerate(streams):
        for second in streams[:i]:
            assert not_correlated(first, second, n_pairs)
            assert not np.any(first == second)
            joint = np.histogram2d(first, second, bins=8, range=[[0, 1], [0, 1]])[0]
            assert stats.chisquare(joint.ravel()).pvalue > FALSE_ALARM / n_pairs


def test_choices_of_one_patient_are_independent_of_the_choices_before() -> None:
    """Three branches of equal share win a third each, whichever branch won at the visit before."""
    winners = []
    for visit in (0, 1):
        ranks = [-np.log(Uniforms(5).at(f"choice/{branch}", PATIENTS, visit)) for branch in "abc"]
        winners.append(np.argmin(ranks, axis=0))
    table = np.histogram2d(*winners, bins=3)[0]
    assert stats.chisquare(table.ravel()).pvalue > FALSE_ALARM


def test_a_million_numbers_are_distinct() -> None:
    """Birthdays: a million numbers of 52 bits hold about 1e12 / 2 / 2^52 = 1e-4 pairs."""
    u = np.concatenate([Uniforms(1).at("relapse", np.arange(500_000), visit) for visit in (0, 1)])
    assert np.unique(u).size == u.size


@pytest.mark.parametrize("coordinate", ["patient", "visit"])
def test_one_bit_of_the_address_changes_half_the_bits_of_the_number(coordinate: str) -> None:
    """Avalanche: over all bits in and all bits out, each turns in half of 4,096 addresses."""

    def bits(patients: Integers, visits: Integers) -> NDArray[np.uint64]:
        return (Uniforms(9).at("avalanche", patients, visits) * 2.0**52).astype(np.uint64)

    n = 4_096
    random = np.random.default_rng(1)
    patients, visits = random.integers(0, 2**40, n), random.integers(0, 2**20, n)
    before = bits(patients, visits)
    z = stats.norm.isf(FALSE_ALARM / 2 / (40 * 52))
    for place in range(40 if coordinate == "patient" else 20):
        flipped = np.int64(1) << np.int64(place)
        changed_bits = bits(patients ^ flipped, visits) if coordinate == "patient" else bits(patients, visits ^ flipped)
        change = before ^ changed_bits
        shares = [float(((change >> np.uint64(out)) & np.uint64(1)).mean()) for out in range(52)]
        assert max(abs(share - 0.5) for share in shares) < z * 0.5 / math.sqrt(n), place


def test_small_patient_and_visit_numbers_leave_no_pattern() -> None:
    """The first hundred patients at their first hundred visits: a lattice would show in rows, columns and diagonals."""
    grid = np.array([Uniforms(1).at("relapse", np.arange(256), visit) for visit in range(256)])
    for lines in (grid.mean(axis=0), grid.mean(axis=1), [np.diagonal(grid, k).mean() for k in range(-128, 128)]):
        z = (np.asarray(lines) - 0.5) * math.sqrt(12 * 256)
        assert np.abs(z).max() < 8.0
    assert stats.kstest(grid.ravel(), "uniform").pvalue > FALSE_ALARM
    assert stats.kstest((grid[1:] + grid[:-1]).ravel()[::2] % 1.0, "uniform").pvalue > FALSE_ALARM


def test_numbers_of_several_names_at_once_are_those_of_each_name() -> None:
    patients, visits = np.array([5, 0, 9]), np.array([0, 2, 1])
    names = ("remission/relapse", "remission/dead")
    np.testing.assert_array_equal(
        Uniforms(3).of(names, patients, visits), [Uniforms(3).at(name, patients, visits) for name in names]
    )
    assert Uniforms(3).of((), patients).shape == (0, 3)
