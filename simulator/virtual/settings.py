"""How many virtual cohorts of how many patients, over how many draws; and what a scenario must be to have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from simulator.curves import check_horizon
from simulator.draws import choose
from simulator.errors import InputError
from simulator.graph import unknown
from simulator.pathway import Pathway
from simulator.scenario import Scenario

ENGINES = ("auto", "microsim", "des")
MONTH = 12.0
"""At which OS is told, as the letter does."""

DRAWS = 50
MOST = 20_000_000
"""Patients in all, an arm: half an hour or so."""


@dataclass(frozen=True)
class Settings:
    """n : patients a cohort; cohorts : in all, dealt out to the draws; draws None: 50, or as many as there are."""

    n: int = 37
    cohorts: int = 1000
    draws: int | None = None
    seed: int = 1
    engine: str = "auto"
    horizon: float = 120.0
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.engine == "exact":
            raise InputError("the exact engine has no patients", where="--engine", got="exact", allowed=_or(ENGINES))
        if self.engine not in ENGINES:
            raise unknown("engine", self.engine, ENGINES, "--engine")
        for option, value, least in (("--n", self.n, 2), ("--cohorts", self.cohorts, 1), ("--jobs", self.jobs, 1)):
            if value < least:
                raise InputError("too few", where=option, got=value, allowed=f"{least} or more")
        if self.n * self.cohorts > MOST:
            got = f"{self.cohorts:,} cohorts of {self.n:,}"
            raise InputError("too many patients", where="--cohorts", got=got, allowed=f"{MOST:,} in all")
        check_horizon(self.horizon)
        if self.horizon <= MONTH:
            raise InputError(
                f"ends before OS is told at {MONTH:g} months", where="--horizon", got=self.horizon,
                allowed=f"more than {MONTH:g}",
            )  # fmt: skip

    def dealt(self, table: pd.DataFrame | None, pathway: Pathway) -> list[int]:
        """Return how many cohorts each draw has, as even as can be. Raises InputError if there are fewer than draws."""
        draws = choose(table, self.draws or min(DRAWS, self.cohorts, 1 if table is None else len(table)), pathway)
        if draws > self.cohorts:
            raise InputError("more draws than cohorts", where="--draws", got=draws, allowed=f"1 to {self.cohorts}")
        return [self.cohorts // draws + (draw < self.cohorts % draws) for draw in range(draws)]

    @property
    def simulator(self) -> str:
        return "des" if self.engine == "des" else "microsim"


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def check(scenario: Scenario) -> None:
    """Refuse a scenario with limited resources: a virtual cohort has no ward to wait for. Raises InputError."""
    if scenario.is_limited:
        raise InputError(
            "virtual cohorts have no beds and no arrivals",
            where=f"{scenario.where}: [{'capacity' if scenario.capacity else 'service'}]",
            allowed="a scenario without limited resources",
        )
