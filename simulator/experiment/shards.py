"""A draw's simulated patients in pieces, whose tallies are added up.

Another process needs this module and an engine for its pieces, and no tables, so that it starts sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulator.engines.microsim.engine import counted
from simulator.engines.model import resolve
from simulator.engines.tally import Tally
from simulator.randomness import Uniforms
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

SHARD = 262_144
"""Patients of a draw who are simulated in one piece; fixed, so that results do not depend on --jobs."""


@dataclass(frozen=True)
class Shard:
    """A piece: some patients of a draw, and whether it is the draw's last."""

    draw: int
    draw_values: Values
    patients: range
    is_last: bool


@dataclass(frozen=True)
class Simulation:
    """What all pieces need."""

    scenarios: Sequence[Scenario]
    seed: int
    horizon: float

    def tallies(self, shard: Shard) -> list[Tally]:
        """Return a tally of the piece's patients for every scenario."""
        uniforms = Uniforms(self.seed, draw=shard.draw)
        return [
            counted(resolve(scenario, shard.draw_values), self.horizon, shard.patients, uniforms)
            for scenario in self.scenarios
        ]


def shards(draw: int, draw_values: Values, patients: int) -> list[Shard]:
    """Return the pieces of a draw."""
    pieces = [range(first, min(first + SHARD, patients)) for first in range(0, patients, SHARD)]
    return [Shard(draw, draw_values, piece, piece is pieces[-1]) for piece in pieces]


def whole(pieces: Sequence[Shard], tallied: Iterator[list[Tally]]) -> Iterator[list[Tally] | None]:
    """Yield a draw's tallies after its last piece, and None after every other."""
    merged: list[Tally] = []
    for piece, tallies in zip(pieces, tallied, strict=True):
        for total, tally in zip(merged, tallies, strict=False):
            total.merge(tally)
        merged = merged or tallies
        yield merged if piece.is_last else None
        if piece.is_last:
            merged = []
