"""One simulated patient's history, under one policy or two; and how many patients a policy changes.

A patient is an address of random numbers, so the same patient can be followed under two policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from simulator import execution
from simulator.analyses import histories
from simulator.analyses.histories import PATIENTS, Source
from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.experiment import manifest
from simulator.experiment.events import MONTHS, Histories, attribute_columns
from simulator.experiment.marginal_benefit import compared_with, with_marginal_benefits
from simulator.experiment.results import write_files
from simulator.experiment.settings import Given, Progress, Settings, StoryOptions, with_options
from simulator.outcomes import changed
from simulator.outcomes.uncertainty import of_means
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario, load_scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PER = 1_000
"""Patients of whom a policy changes so many."""

GIVEN, MEDIAN, FIRST_CHANGED, NONE_CHANGED = "given", "median survivor", "first changed", "none changed"
"""Why a patient is shown: their number was given; or the rule that chose them."""


@dataclass(frozen=True)
class Story:
    """A simulated patient, and the policy's effect on all. scenarios : the base first, if two are compared.

    patient : the number, of `patients` who are counted; rule : why this patient, see `GIVEN`
    events : a row an event under each scenario: months from entry, and from the start of `clock`, with attributes
    waits : a row a request of the patient for a limited resource, in months from entry
    changes : a row a fate (see `outcomes.changed`), of 1,000 patients, under the policy and at other shares of
    additional patients who benefit, `other_benefits`; None where nothing is compared
    """

    scenarios: tuple[Scenario, ...]
    clock: str
    patient: int
    patients: int
    rule: str
    events: pd.DataFrame
    waits: pd.DataFrame
    changes: pd.DataFrame | None
    manifest: Mapping[str, Any]
    other_benefits: tuple[Scenario, ...] = ()

    @property
    def pathway(self) -> Pathway:
        return self.scenarios[0].pathway

    def of(self, scenario: Scenario) -> pd.DataFrame:
        """Return the patient's events under a scenario."""
        return self.events[self.events["scenario"] == scenario.name]

    @property
    def answer(self) -> str:
        """The story in words, as the command line prints it."""
        return str(import_module("simulator.report.tables.story").answer(self))

    def plot(self) -> Figure:
        """Return the timeline, a matplotlib figure; matplotlib is imported here only."""
        return import_module("simulator.figures.story").timeline(self).figure  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"Story of simulated patient {self.patient} under {' and '.join(one.name for one in self.scenarios)}"

    def write(self, folder: str | Path) -> None:
        """Write story.csv, waits.csv, changes.csv where policies are compared, and manifest.json."""
        waits = self.waits if len(self.waits) else None
        write_files({"story": self.events, "waits": waits, "changes": self.changes}, self.manifest, folder)


@with_options(StoryOptions)
def story(
    scenario: Given,
    *,
    versus: Given | None = None,
    patient: int | None = None,
    patients: int = PATIENTS,
    progress: Progress | None = None,
    **options: Unpack[StoryOptions],
) -> Story:
    """Return a simulated patient's history; `versus` another scenario, how many patients the policy changes, too.

    patient : a number; None: the median survivor or, of two scenarios, the first whose history differs
    patients : how many are simulated, unless [service] declares arrivals
    Raises InputError before anything runs.
    """
    loaded, *base = (load_scenario(one) for one in (scenario, versus) if one)
    return of(loaded, *base, patient=patient, progress=progress, settings=Settings(patients=patients, **options))


def of(
    scenario: Scenario, base: Scenario | None = None, *, patient: int | None, settings: Settings,
    progress: Progress | None = None,
) -> Story:  # fmt: skip
    """Return the story of a scenario, and of what it changes of a base; see `story`."""
    scenarios = [scenario] if base is None else [base, scenario]
    drawn = histories.source(scenarios, settings)
    clock, month = scenario.leads_with or scenario.pathway.clock, scenario.pathway.months.answer
    if settings.horizon < month:
        what = f"the horizon ends before lives are compared at {in_words(month)}"
        raise InputError(what, where="--horizon", got=settings.horizon, allowed=f"{month:g} or more")
    kept = drawn.of(1)
    number, rule = _chosen(patient, kept, scenario, clock)
    pairs = [] if base is None else list(_pairs(drawn))
    changes = _changes(drawn, pairs, clock, month, progress) if pairs else None
    contents = manifest.manifest(scenarios, drawn.settings, drawn.settings.engine, drawn.why, drawn.n_draws)
    return Story(
        tuple(scenarios), clock, number, kept[0].events["patient"].nunique(), rule,
        _events(scenarios, kept, number, clock), _waits(scenarios, kept, number), changes,
        {**contents, "patient": number, "chosen": rule}, tuple(policy for _, policy in pairs[1:]),
    )  # fmt: skip


def _chosen(number: int | None, kept: Sequence[Histories], scenario: Scenario, clock: str) -> tuple[int, str]:
    """Return a patient's number, and why this patient is shown. Raises InputError for a number that nobody has."""
    known = kept[0].events["patient"].unique()
    if number is not None:
        if number not in known:
            more = ", those who arrive in the counted years" if scenario.service else " (--patients simulates more)"
            allowed = f"{known.min()} to {known.max()}{more}"
            raise InputError("no such patient", where="--patient", got=number, allowed=allowed)
        return int(number), GIVEN
    if len(kept) > 1:
        differs = changed.differ(kept[0].events, kept[1].events)
        if differs.any():
            return int(differs.index[differs].min()), FIRST_CHANGED
    lives = changed.lives(kept[0].events, scenario.pathway, clock)
    lived = (lives["death"] - lives["start"]).fillna(np.inf).sort_values(kind="stable")
    on_clock = lives["start"].notna().sum() or len(lived)
    return int(lived.index[(on_clock - 1) // 2]), MEDIAN if len(kept) == 1 else NONE_CHANGED


def _events(scenarios: Sequence[Scenario], kept: Sequence[Histories], number: int, clock: str) -> pd.DataFrame:
    """Return a patient's events under each scenario, with labels and months from the clock's start."""
    pathway = scenarios[0].pathway
    tables = []
    for scenario, one in zip(scenarios, kept, strict=True):
        events = one.events[one.events["patient"] == number]
        starts = events.loc[events["state"] == pathway.clocks[clock], "month"]
        table = events[["patient", "event", "month", "state"]].copy()
        table.insert(0, "scenario", scenario.name)
        table.insert(4, f"months_from_{clock}", table["month"] - (starts.min() if len(starts) else np.nan))
        table["label"] = [pathway.states[state].label for state in table["state"]]
        tables.append(table.join(events[list(attribute_columns(pathway).values())]))
    return pd.concat(tables, ignore_index=True)


def _waits(scenarios: Sequence[Scenario], kept: Sequence[Histories], number: int) -> pd.DataFrame:
    """Return a patient's requests under each scenario, in months from entry; an event that did not happen is NaN."""
    tables = []
    for scenario, one in zip(scenarios, kept, strict=True):
        if one.requests is None:
            continue
        of_patient = one.events[one.events["patient"] == number]
        origin = float((of_patient["calendar_month"] - of_patient["month"]).iloc[0])
        requests = one.requests[one.requests["patient"] == number]
        months = {name: requests[column] - origin for column, name in MONTHS.items()}
        tables.append(pd.DataFrame({"scenario": scenario.name, "resource": requests["resource"], **months}))
    columns = ["scenario", "resource", *MONTHS.values()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


@dataclass(frozen=True)
class _Pair:
    """A policy and what it is compared with, of which every draw's fates are counted."""

    drawn: Source
    clock: str
    month: float

    def of(self, draw: int) -> tuple[dict[str, float], int]:
        """Return the share of patients of every fate, and of how many patients, over all replications."""
        count = self.drawn.settings.replications if self.drawn.is_limited else 1
        pathway = self.drawn.scenarios[0].pathway
        fates = []
        for replication in range(count):
            before, after = (one.events for one in self.drawn.of(draw, replication))
            fates.append(changed.fates(before, after, pathway, self.clock, self.month))
        together = pd.concat(fates)
        return changed.shares(together), len(together)


def _changes(
    drawn: Source, pairs: Sequence[tuple[Scenario, Scenario]], clock: str, month: float, progress: Progress | None
) -> pd.DataFrame:
    """Return the fates of 1,000 patients over parameter sets, a row a policy and fate."""
    rows = []
    for place, (base, policy) in enumerate(pairs):
        work = _Pair(replace(drawn, scenarios=(base, policy)), clock, month)
        advance = None if progress is None else partial(_advance, progress, place, len(pairs))
        draws = range(1, drawn.n_draws + 1)
        of_draws = execution.map(work.of, draws, jobs=drawn.settings.jobs, progress=advance)
        shares, counts = zip(*of_draws, strict=True)
        for name in shares[0]:
            values = np.array([share[name] for share in shares])
            summary = of_means(values, _chance(values, np.array(counts), drawn.is_limited)).columns()
            scaled = {key: PER * value for key, value in summary.items()}
            about = {"scenario": policy.name, "versus": base.name, "outcome": name, "unit": f"of {PER:,} patients"}
            rows.append({**about, "months": month, "clock": clock, **scaled})
    return pd.DataFrame(rows)


def _advance(progress: Progress, place: int, count: int, done: int, total: int) -> None:
    progress(place * total + done, count * total)


def _chance(values: Floats, counts: Floats, is_limited: bool) -> Floats:
    """Return the variance of shares by chance; unknown where patients share a resource."""
    if is_limited:
        return np.full(values.shape, np.nan)
    return values * (1.0 - values) / np.maximum(counts - 1, 1)


def _pairs(drawn: Source) -> Iterable[tuple[Scenario, Scenario]]:
    """Yield the base and the policy, also at the benefits that a policy is shown for if it treats more."""
    base, policy = drawn.scenarios
    yield base, policy
    if base.policy == policy.policy:
        return
    displayed = with_marginal_benefits(drawn.scenarios, drawn.table, drawn.n_draws, break_even=False)
    for other in displayed:
        if other.policy == policy.policy and other.name != policy.name:
            yield compared_with(other, displayed) or base, other
