"""Addressed uniforms: a number depends on what it is for, never on who asked before.

    u = uniform(seed, draw, replication, patient, name, visit)  in the open interval (0, 1)

A counter-based generator (Salmon et al. 2011): the key is a BLAKE2b digest of the address's text part, the counter
is (patient, visit), and two rounds of Stafford's Mix13 finaliser (Steele, Lea & Flood 2014, SplitMix) scramble it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from simulator.arrays import Floats, Integers

_PATIENT_STEP = np.uint64(0x9E3779B97F4A7C15)
_VISIT_STEP = np.uint64(0xD1B54A32D192ED03)
_MULTIPLY_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLY_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_12 = (np.uint64(n) for n in (30, 27, 31, 12))
# 52 bits k after the exponent of 1 are the double 1 + k / 2^52; (k + 1/2) / 2^52 is exact, and neither 0 nor 1.
_ONE = np.uint64(0x3FF0000000000000)
_ONE_LESS_HALF_A_CELL = 1.0 - 2.0**-53


@lru_cache(maxsize=65536)
def _keys(seed: int, draw: int, replication: int, names: tuple[str, ...]) -> NDArray[np.uint64]:
    """Return the two keys of every name, (2, n_names, 1)."""
    addresses = (f"{seed}/{draw}/{replication}/{name}".encode() for name in names)
    digests = b"".join(blake2b(address, digest_size=16).digest() for address in addresses)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64).reshape(-1, 2, 1).swapaxes(0, 1)


def _mix(x: NDArray[np.uint64], scratch: NDArray[np.uint64]) -> None:
    """Stafford's Mix13, in place."""
    for shift, multiply in ((_SHIFT_30, _MULTIPLY_1), (_SHIFT_27, _MULTIPLY_2)):
        np.right_shift(x, shift, out=scratch)
        np.bitwise_xor(x, scratch, out=x)
        np.multiply(x, multiply, out=x)
    np.right_shift(x, _SHIFT_31, out=scratch)
    np.bitwise_xor(x, scratch, out=x)


@dataclass(frozen=True)
class Uniforms:
    """The uniforms of one (seed, draw, replication).

    `draw` numbers the parameter draw from 1; `replication` numbers independent repetitions from 0.
    """

    seed: int
    draw: int = 1
    replication: int = 0

    def at(self, name: str, patients: Integers, visits: Integers | int = 0) -> Floats:
        """Return u : (n,) in (0, 1) for patients : (n,), at their visits : (n,) or one visit for all."""
        return np.asarray(self.of((name,), patients, visits)[0])

    def of(self, names: tuple[str, ...], patients: Integers, visits: Integers | int = 0) -> Floats:
        """Return u : (n_names, n), a row of `at` a name."""
        first, second = _keys(self.seed, self.draw, self.replication, names)
        x = first + _bits(patients) * _PATIENT_STEP
        scratch = np.empty_like(x)
        _mix(x, scratch)
        # An array of one visit, for arrays wrap round in silence and scalars warn of it.
        np.add(second, _bits(np.atleast_1d(visits)) * _VISIT_STEP, out=scratch)
        np.bitwise_xor(x, scratch, out=x)
        _mix(x, scratch)
        np.right_shift(x, _SHIFT_12, out=x)
        np.bitwise_or(x, _ONE, out=x)
        u: Floats = x.view(np.float64)
        u -= _ONE_LESS_HALF_A_CELL
        return u


def _bits(numbers: Integers) -> NDArray[np.uint64]:
    return numbers.astype(np.int64, copy=False).view(np.uint64)


def uniform(seed: int, draw: int, replication: int, patient: int, name: str, visit: int = 0) -> float:
    """One uniform by its whole address; the same number that `Uniforms.at` gives."""
    return float(Uniforms(seed, draw, replication).at(name, np.array([patient]), visit)[0])
