"""A draw's simulated patients in pieces, whose tallies are added up.

Another process needs this module and an engine for its pieces, and no tables, so that it starts sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.engines.microsim.engine import counted
from simulator.engines.model import resolve
from simulator.engines.tally import Tally
from simulator.randomness import Uniforms
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from simulator.engines.trajectories import Trajectories

SHARD = 262_144
"""Patients of a draw who are simulated in one piece; fixed, so that results do not depend on --jobs."""


@dataclass(frozen=True)
class Shard:
    """A piece: some patients of a draw, and whether it is the draw's last."""

    draw: int
    draw_values: Values
    patients: range
    is_last: bool


@dataclass
class Counted:
    """A scenario's patients: their tally and, where histories are kept, tables of their events."""

    tally: Tally
    events: list[pd.DataFrame]

    def merge(self, other: Counted) -> None:
        self.tally.merge(other.tally)
        self.events += other.events


@dataclass(frozen=True)
class Simulation:
    """What all pieces need. histories : keep the events of the first draw"""

    scenarios: Sequence[Scenario]
    seed: int
    horizon: float
    histories: bool = False

    def counted(self, shard: Shard) -> list[Counted]:
        """Return the piece's patients under every scenario."""
        return [self._under(scenario, shard) for scenario in self.scenarios]

    def _under(self, scenario: Scenario, shard: Shard) -> Counted:
        model, uniforms = resolve(scenario, shard.draw_values), Uniforms(self.seed, draw=shard.draw)
        if not self.histories or shard.draw != 1:
            return Counted(counted(model, self.horizon, shard.patients, uniforms), [])
        from simulator.experiment.events import followed

        blocks: list[Trajectories] = []
        tally = counted(model, self.horizon, shard.patients, uniforms, blocks)
        return Counted(tally, [followed(scenario.pathway, self.horizon, blocks)])


def shards(draw: int, draw_values: Values, patients: int) -> list[Shard]:
    """Return the pieces of a draw."""
    pieces = [range(first, min(first + SHARD, patients)) for first in range(0, patients, SHARD)]
    return [Shard(draw, draw_values, piece, piece is pieces[-1]) for piece in pieces]


def whole(pieces: Sequence[Shard], by_piece: Iterator[list[Counted]]) -> Iterator[list[Counted] | None]:
    """Yield a draw's patients, by scenario, after its last piece, and None after every other."""
    merged: list[Counted] = []
    for piece, by_scenario in zip(pieces, by_piece, strict=True):
        for total, part in zip(merged, by_scenario, strict=False):
            total.merge(part)
        merged = merged or by_scenario
        yield merged if piece.is_last else None
        if piece.is_last:
            merged = []
