"""What addressed uniforms save: fewer patients show the difference of two policies than with independent streams.

    gain = (var A + var B) / var(A - B)

of one patient's outcome A under a policy and B under the baseline. It is 1 if the two are independent. The largest gain
is that of perfect coupling, in which both outcomes rank patients alike (Frechet 1951, Hoeffding 1940).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import aftercart_runs
import numpy as np

from simulator.arrays import Floats
from simulator.engines.microsim import engine
from simulator.randomness import Uniforms

Outcome = Callable[[Floats], Floats]

BATCHES = 20
HORIZON = 120.0


@dataclass(frozen=True)
class Gain:
    """One row of the table. `error` : the standard error of `addressed`, from batches of patients.

    expected : in words; floor : the least gain that is accepted, if any
    """

    policy: str
    outcome: str
    addressed: float
    error: float
    perfect: float
    independent: float
    expected: str = ""
    floor: float | None = None


def alive_at(month: float) -> Outcome:
    return lambda months: (months > month).astype(np.float64)


def months_lived(end: float) -> Outcome:
    return lambda months: np.minimum(months, end)


OUTCOMES = {"os_12": alive_at(12.0), "os_60": alive_at(60.0), "rmst_60": months_lived(60.0)}
POLICIES = (
    ("wider salvage, against the baseline", "baseline", "wider-salvage", "about 2.3", None),
    ("hazards after HSCT x 1.5, on the peer pathway", "peer", "peer_hsct_hazards", "at least 10", 10.0),
)
EXPECTED_OF = "os_12"


def table(patients: int) -> list[Gain]:
    """Return the gains of every policy and outcome."""
    gains = []
    for label, base, policy, expected, floor in POLICIES:
        without, under = lived(base, patients, 1), lived(policy, patients, 1)
        of_other_patients = lived(policy, patients, 2)
        for name, outcome in OUTCOMES.items():
            a, b, independent = outcome(under), outcome(without), outcome(of_other_patients)
            gains.append(
                Gain(
                    label,
                    name,
                    gain(a, b),
                    _error(a, b),
                    gain(np.sort(a), np.sort(b)),
                    gain(*_as_many(independent, b)),
                    *((expected, floor) if name == EXPECTED_OF else ()),
                )
            )
    return gains


def lived(name: str, patients: int, seed: int) -> Floats:
    """Return every patient's months from the default clock to death, inf if alive, without those who never start it."""
    blocks = engine.simulate(
        aftercart_runs.model(name), Uniforms(seed), range(patients), horizon=HORIZON, keep=aftercart_runs.NOTHING
    )
    months = [(block.death_month - block.clock_month)[np.isfinite(block.clock_month)] for block in blocks]
    return np.concatenate(months)


def gain(a: Floats, b: Floats) -> float:
    return float((a.var() + b.var()) / (a - b).var())


def _as_many(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    n = min(a.size, b.size)
    return a[:n], b[:n]


def _error(a: Floats, b: Floats) -> float:
    n = a.size // BATCHES * BATCHES
    gains = [gain(*pair) for pair in zip(np.split(a[:n], BATCHES), np.split(b[:n], BATCHES), strict=True)]
    return float(np.std(gains, ddof=1) / BATCHES**0.5)
