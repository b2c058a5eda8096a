"""How many virtual cohorts of how many patients, over how many draws; and which scenarios can have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from simulator import execution
from simulator.engines.curves import check_horizon
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.evidence.draws import choose
from simulator.experiment import cost
from simulator.experiment.cost import Dial
from simulator.experiment.settings import Progress
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.plain_text import listed
from simulator.scenario.scenario import Scenario

ENGINES = ("auto", "microsim", "des")
PATIENTS = 100
"""Patients a cohort, where the pathway's draws come from no cohort."""

DRAWS = 50
TIMED = {"microsim": 20_000, "des": 500}
"""Patients who are simulated to estimate how long all of them take."""
SURELY_SHORT = 20
"""Up to this many times TIMED nothing is estimated."""

MOST = 20_000_000
"""Patients in all, an arm: about half an hour."""


@dataclass(frozen=True)
class Settings:
    """n : patients a cohort, None: as many as in the calibrated cohort, or 100; cohorts : in all, over all draws.

    draws None: 50, or as many as there are
    """

    n: int | None = None
    cohorts: int = 1000
    draws: int | None = None
    seed: int = 1
    engine: str = "auto"
    horizon: float = 120.0
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.engine == "exact":
            raise InputError(
                "the exact engine simulates no patients", where="--engine", got="exact", allowed=listed(ENGINES, "or")
            )
        if self.engine not in ENGINES:
            raise UnknownNameError("engine", self.engine, ENGINES, "--engine")
        counts = (("--n", self.size, 2), ("--cohorts", self.cohorts, 1), ("--jobs", self.jobs, 1))
        for option, value, least in counts:
            if value < least:
                raise InputError("too few", where=option, got=value, allowed=f"{least} or more")
        if self.size * self.cohorts > MOST:
            got = f"{self.cohorts:,} cohorts of {self.size:,}"
            raise InputError("too many patients", where="--cohorts", got=got, allowed=f"{MOST:,} in all")
        check_horizon(self.horizon)

    @property
    def size(self) -> int:
        """Patients a cohort."""
        return PATIENTS if self.n is None else self.n

    def of(self, pathway: Pathway, cohort: Cohort | None) -> Settings:
        """Return the settings for a pathway, with the size of its cohort if none is given.

        Raises InputError where the horizon ends before the month of the answer.
        """
        month = pathway.months.answer
        if self.horizon <= month:
            raise InputError(
                f"the horizon ends before survival is shown at {in_words(month)}", where="--horizon", got=self.horizon,
                allowed=f"more than {month:g}",
            )  # fmt: skip
        return replace(self, n=self.size if self.n is not None or cohort is None else cohort.n)

    def dealt(self, table: pd.DataFrame | None, pathway: Pathway) -> list[int]:
        """Return the number of cohorts of each draw, as even as possible. Raises InputError for too few cohorts."""
        draws = choose(table, self.draws or min(DRAWS, self.cohorts, 1 if table is None else len(table)), pathway)
        if draws > self.cohorts:
            raise InputError(
                "more parameter sets than cohorts", where="--draws", got=draws, allowed=f"1 to {self.cohorts}"
            )
        return [self.cohorts // draws + (draw < self.cohorts % draws) for draw in range(draws)]

    @property
    def simulator(self) -> str:
        return "des" if self.engine == "des" else "microsim"


def check(scenario: Scenario) -> None:
    """Refuse a scenario with limited resources: a virtual cohort waits for no resource. Raises InputError."""
    if scenario.is_limited:
        raise InputError(
            "virtual cohorts cannot have limited resources or arrivals",
            where=f"{scenario.where}: [{'capacity' if scenario.capacity else 'service'}]",
            allowed="a scenario without limited resources",
        )


def results_of_draws(
    work: Callable[[tuple[int, int]], Any],
    arms: Sequence[Scenario],
    patients: int,
    settings: Settings,
    dealt: Sequence[int],
    *,
    yes: bool,
    progress: Progress | None,
) -> list[Any]:
    """Return the results of the work on every draw. Raises InputError, unless `yes`, where it takes too long.

    work : takes a draw, from 1, and a number of cohorts; patients : of a cohort in all its arms
    """
    if not yes:
        cost.check_events(arms, settings.horizon)
        few = max(TIMED[settings.simulator] // patients, 1)
        if few * SURELY_SHORT < settings.cohorts:
            jobs = min(settings.jobs, settings.cohorts)
            seconds = cost.timed(partial(work, (1, few))) * settings.cohorts / few / jobs
            cost.check_time(seconds, jobs, [Dial("--cohorts", settings.cohorts, 100)], what="these cohorts")
    return list(execution.map(work, enumerate(dealt, start=1), jobs=settings.jobs, progress=progress))
