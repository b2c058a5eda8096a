"""A log-likelihood that is evaluated in chunks, checked and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.sampler.modes import LogDensity
from simulator.arrays import Floats
from simulator.errors import AftercartError

Progress = Callable[[str, int, int], None]
"""Called as progress(stage, rows of the likelihood done in it, rows that it may need) after each chunk."""


@dataclass
class Evaluator:
    """The likelihood in chunks, checked and counted."""

    log_likelihood: LogDensity
    chunk: int
    progress: Progress | None
    stage: str = ""
    done: int = 0
    expected: int = 0

    def begin(self, stage: str, expected: int) -> None:
        """Start a stage that needs about so many rows."""
        self.stage, self.done, self.expected = stage, 0, expected

    def __call__(self, z: Floats) -> Floats:
        chunks = range(0, len(z), self.chunk)
        return np.concatenate([self._chunk(z[first : first + self.chunk]) for first in chunks])

    def _chunk(self, z: Floats) -> Floats:
        values = np.asarray(self.log_likelihood(z), dtype=np.float64)
        if values.shape != (len(z),):
            raise AftercartError(f"the log likelihood of {len(z)} rows has the shape {values.shape}")
        wrong = np.isnan(values) | (values == np.inf)
        if np.any(wrong):
            raise AftercartError(f"the log likelihood is {values[wrong][0]} at z = {z[wrong][0].tolist()}")
        self.done += len(z)
        if self.progress is not None:
            self.progress(self.stage, self.done, max(self.expected, self.done))
        return values
