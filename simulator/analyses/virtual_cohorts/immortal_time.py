"""Immortal (guarantee) time: the same histories, compared by later treatment, and correctly.

Two groups of the pathway form a pair where one is declared by not entering a state that the other entered. They are
compared in three ways (see `outcomes.episodes`): by OS from the default clock; and from the decision that plans the
treatment, by survival without failure. Failure is any other event while patients wait for the treatment. A failed
patient cannot be treated, so that OS of waiting patients is no fair comparison: the failed are not yet dead. Patients
who failed, or were treated, before first reaching that decision are not compared from there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.analyses.virtual_cohorts import files
from simulator.analyses.virtual_cohorts.patients import Hospital, Patients
from simulator.analyses.virtual_cohorts.settings import Settings, check, results_of_draws
from simulator.arrays import Booleans, Floats
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, load_cohort
from simulator.evidence.draws import load_draws
from simulator.experiment.settings import Progress
from simulator.outcomes.episodes import Courses, Episodes, landmark, naive, simon_makuch
from simulator.outcomes.kaplan_meier import kaplan_meier
from simulator.outcomes.log_rank import log_rank
from simulator.outcomes.uncertainty import central, of_means, same_sign
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Group, Pathway, State
from simulator.scenario.scenario import Scenario

STEP = 0.25
"""Months between the points of the curves that are kept."""


@dataclass(frozen=True)
class Analysis:
    """A comparison: from a `clock` (the default clock, or a decision), its `kind`, and the month it begins at.

    failure : states whose entry counts as death
    """

    clock: str
    failure: tuple[str, ...]
    kind: str
    begins: float

    def episodes(self, courses: Courses) -> Episodes:
        """Return the episodes at risk, in the two groups."""
        if self.kind == "landmark":
            return landmark(courses, self.begins)
        return naive(courses) if self.kind == "naive" else simon_makuch(courses)


@dataclass(frozen=True)
class ImmortalTime:
    """Results of the analyses. groups : entered, and others; decision : plans the treatment, None if there is none.

    failure : the states that end survival without failure, from the decision on
    analyses : a row an analysis : alive at the answer's month in either group and their difference over draws, the
    share of draws with its sign (`difference_same_sign`), the range of the difference in cohorts of n, the share of
    them with its sign (`cohort_same_sign`), and how often it is as large as reported, or significant
    curves : (clock, analysis, begins, group, month, survival, lower, upper, monte_carlo_se), months from the clock
    reported : the difference that the cohort's paper reports, None if it reports none
    """

    scenario: Scenario
    settings: Settings
    n_draws: int
    cohort: Cohort | None
    groups: tuple[Group, Group]
    decision: str | None
    failure: tuple[str, ...]
    reported: float | None
    analyses: pd.DataFrame
    curves: pd.DataFrame

    def write(self, folder: Path) -> None:
        """Write analyses.csv, curves.csv and manifest.json."""
        more = {
            "groups": [group.name for group in self.groups],
            "decision": self.decision,
            "failure": list(self.failure),
            "reported_difference": self.reported,
        }
        tables = {"analyses": self.analyses, "curves": self.curves}
        files.write(tables, [self.scenario], self.settings, self.n_draws, more, folder)


def paired_groups(pathway: Pathway, name: str | None = None) -> tuple[Group, Group]:
    """Return the groups that the pathway compares; or the pair of the named group, or else the first pair.

    Raises InputError if there is no such pair.
    """
    if name is None and pathway.comparison is not None:
        return pathway.groups[pathway.comparison.entered], pathway.groups[pathway.comparison.others]
    pairs = {
        one.name: (one, other)
        for one in pathway.groups.values()
        for other in pathway.groups.values()
        if other.not_entered == one.entered and not one.not_entered
    }
    if not pairs or (name is not None and name not in pairs):
        raise InputError(
            "the pathway declares no pair of groups (one entered a state, the other did not)",
            where=f"{pathway.where}: [guarantee_time]" if name is None else "--group",
            got=list(pathway.groups) if name is None else name,
            allowed=", ".join(pairs)
            or "[groups.A] entered = STATE, [groups.B] not_entered = STATE, [guarantee_time] entered = A, others = B",
        )
    return pairs[name or next(iter(pairs))]


def planned_at(pathway: Pathway, group: Group) -> str | None:
    """Return the first decision that leads, by one sojourn, to a state that the group entered; None without one."""
    waits = {name for name, state in pathway.states.items() if _leads_to(state, group.entered)}
    decisions = (name for name, state in pathway.states.items() if state.kind == "decision" and _leads_to(state, waits))
    return next(decisions, None)


def failures(pathway: Pathway, group: Group) -> tuple[str, ...]:
    """Return the states, but for death, to which patients may leave instead while they wait to enter the group."""
    # At a choice nobody waits, and who goes from one wait to another still waits.
    waits = {
        name: state
        for name, state in pathway.states.items()
        if state.kind == "sojourn" and _leads_to(state, group.entered)
    }
    onward = [way.to for wait in waits.values() for way in wait.transitions if way.to not in (*group.entered, *waits)]
    return tuple(dict.fromkeys(name for name in onward if pathway.states[name].kind != "death"))


def _leads_to(state: State, names: Collection[str]) -> bool:
    return any(transition.to in names for transition in state.transitions)


def check_landmarks(landmarks: Iterable[float] | None, pathway: Pathway) -> tuple[float, ...]:
    """Return distinct landmark months in order; None: those that the pathway declares, or a quarter and half of the
    answer's month. Raises InputError for a landmark that is not before the answer's month.
    """
    answer = pathway.months.answer
    if landmarks is None:
        declared = () if pathway.comparison is None else pathway.comparison.landmarks
        return declared or (0.25 * answer, 0.5 * answer)
    months = tuple(sorted(set(landmarks)))
    for month in months:
        if not 0 < month < answer:
            allowed = f"above 0, below {answer:g}: survival is shown at {in_words(answer)}"
            raise InputError("no landmark", where="--landmarks", got=month, allowed=allowed)
    return months


@dataclass(frozen=True)
class _DrawResult:
    """One analysis of one draw, by group: its curves, and OS of every cohort at the answer's month.

    survival, noise : (2, n_months + 1) and its variance, the answer's month in the last column
    cohorts : (n_cohorts, 2) OS at that month; p : (n_cohorts,)
    sizes : (2,) patients a cohort in each group
    """

    survival: Floats
    noise: Floats
    cohorts: Floats
    p: Floats
    sizes: Floats


@dataclass(frozen=True)
class _Work:
    hospital: Hospital
    n: int
    groups: tuple[Group, Group]
    analyses: tuple[Analysis, ...]
    months: Floats

    def of(self, job: tuple[int, int]) -> list[_DrawResult]:
        draw, cohorts = job
        patients = self.hospital.patients(cohorts * self.n, draw)
        return [self._analysed(patients, cohorts, analysis) for analysis in self.analyses]

    def _analysed(self, patients: Patients, cohorts: int, analysis: Analysis) -> _DrawResult:
        entered, others = self.groups
        default, month = self.hospital.scenario.pathway.clock, self.hospital.scenario.pathway.months.answer
        if analysis.clock == default:
            since = np.zeros(patients.seen.size)
            eligible = patients.eligible(others.entered, since)
        else:
            # A patient who failed or was treated before can do neither for the first time from here on.
            since = patients.entered[analysis.clock]
            eligible = patients.eligible(others.entered, since, entered.entered + analysis.failure)
        courses = patients.courses(entered.entered, np.where(eligible, since, 0.0), analysis.failure)
        number = np.arange(eligible.size) // self.n
        by_cohort = [_compared(analysis, courses.only(eligible & (number == c)), month) for c in range(cohorts)]
        whole = analysis.episodes(courses.only(eligible))
        curves = [kaplan_meier(whole.of(group), analysis.begins) for group in (True, False)]
        occupied = np.array([[1.0 if whole.of(group).stop.size else np.nan] for group in (True, False)])
        months = np.append(self.months, month)
        return _DrawResult(
            np.array([curve.at(months) for curve in curves]) * occupied,
            np.array([curve.standard_error(months) ** 2 for curve in curves]),
            np.array([pair for pair, _, _ in by_cohort]),
            np.array([p for _, p, _ in by_cohort]),
            np.array([sizes for _, _, sizes in by_cohort]).mean(axis=0),
        )


def _compared(analysis: Analysis, courses: Courses, month: float) -> tuple[tuple[float, float], float, tuple[int, int]]:
    """Return a cohort's OS at a month by group, NaN of an empty group, the log-rank P, and the groups' sizes."""
    episodes = analysis.episodes(courses)
    groups = [episodes.of(True), episodes.of(False)]
    at = [float(kaplan_meier(group).at(month)) if group.stop.size else np.nan for group in groups]
    return (at[0], at[1]), log_rank(groups).p, (groups[0].stop.size, groups[1].stop.size)


def immortal_time(
    scenario: Scenario,
    *,
    group: str | None = None,
    landmarks: Sequence[float] | None = None,
    yes: bool = True,
    progress: Progress | None = None,
    settings: Settings,
) -> ImmortalTime:
    """Return the naive, landmark and Simon-Makuch comparisons of two groups. Raises InputError.

    yes : start however long it takes
    """
    check(scenario)
    pathway = scenario.pathway
    groups = paired_groups(pathway, group)
    months = check_landmarks(landmarks, pathway)
    decision = planned_at(pathway, groups[0])
    failure = failures(pathway, groups[0]) if decision else ()
    if not failure and decision == pathway.clock_state:
        decision = None  # a comparison from there would be the first one again
    analyses = _analyses(pathway.clock, (), months)
    if decision:
        analyses += _analyses(decision, failure, months)
    table, cohort = load_draws(pathway), load_cohort(pathway)
    settings = settings.of(pathway, cohort)
    dealt = settings.dealt(table, pathway)
    states = frozenset(groups[0].entered + groups[1].entered + failure + ((decision,) if decision else ()))
    follow_up = None if cohort is None else cohort.follow_up
    hospital = Hospital(scenario, table, follow_up, settings.horizon, settings.seed, settings.simulator, states)
    grid = np.arange(0.0, min(pathway.months.early, settings.horizon) + STEP / 2, STEP)
    work = _Work(hospital, settings.size, groups, analyses, grid)
    results = results_of_draws(work.of, [scenario], settings.size, settings, dealt, yes=yes, progress=progress)
    reported = None if cohort is None else reported_difference(cohort, groups, pathway)
    by_analysis = list(zip(analyses, zip(*results, strict=True), strict=True))
    rows = [_row(analysis, results, reported) for analysis, results in by_analysis]
    curves = [_curves(analysis, results, grid, groups) for analysis, results in by_analysis]
    return ImmortalTime(
        scenario, settings, len(dealt), cohort, groups, decision, failure, reported,
        pd.DataFrame(rows), pd.concat(curves, ignore_index=True),
    )  # fmt: skip


def _analyses(clock: str, failure: tuple[str, ...], landmarks: Sequence[float]) -> tuple[Analysis, ...]:
    at = partial(Analysis, clock, failure)
    return (at("naive", 0.0), *(at("landmark", month) for month in landmarks), at("simon_makuch", 0.0))


def reported_difference(cohort: Cohort, groups: Sequence[Group], pathway: Pathway) -> float | None:
    """Return the difference between two groups at the answer's month that a cohort's paper reports, from counts where
    it gives them; None if it reports none."""
    alive = []
    for group in groups:
        rows = cohort.reported_survival(group.name, pathway.clock)
        rows = rows[rows["month"] == pathway.months.answer]
        if rows.empty:
            return None
        row = rows.iloc[0]
        alive.append(row["count"] / row["n"] if np.isfinite(row["count"]) else row["value"] / 100.0)
    return float(alive[0] - alive[1])


def _row(analysis: Analysis, results: Sequence[_DrawResult], reported: float | None) -> dict[str, object]:
    at, variance = (np.array([getattr(result, name)[:, -1] for result in results]) for name in ("survival", "noise"))
    row: dict[str, object] = {"clock": analysis.clock, "analysis": analysis.kind, "begins": analysis.begins}
    sizes = np.mean([result.sizes for result in results], axis=0)
    row |= {"patients_entered": float(sizes[0]), "patients_other": float(sizes[1])}
    for name, values, noise in (
        ("entered", at[:, 0], variance[:, 0]),
        ("other", at[:, 1], variance[:, 1]),
        ("difference", at[:, 0] - at[:, 1], variance.sum(axis=1)),
    ):
        row |= of_means(values, noise).columns(name)
    estimate = np.asarray(row["difference"], dtype=float)
    row["difference_same_sign"] = float(same_sign(at[:, 0] - at[:, 1], estimate))
    cohorts = np.concatenate([result.cohorts for result in results])
    difference = cohorts[:, 0] - cohorts[:, 1]
    known = difference[np.isfinite(difference)]
    lower, upper = central(known)
    row |= {"cohorts": known.size, "cohort_lower": lower, "cohort_upper": upper}
    row["cohort_same_sign"] = _share(np.sign(known) == np.sign(estimate))
    row["as_large_as_reported"] = np.nan if reported is None else _share(known >= reported - 1e-9)
    row["significant"] = _share(np.concatenate([result.p for result in results])[np.isfinite(difference)] < 0.05)
    return row


def _share(chosen: Booleans) -> float:
    return float(chosen.mean()) if chosen.size else np.nan


def _curves(
    analysis: Analysis, results: Sequence[_DrawResult], months: Floats, groups: Sequence[Group]
) -> pd.DataFrame:
    parts = []
    later = months >= analysis.begins
    for place, group in enumerate(groups):
        survival, noise = (
            np.array([getattr(result, name)[place, :-1][later] for result in results]) for name in ("survival", "noise")
        )
        keys = {"clock": analysis.clock, "analysis": analysis.kind, "begins": analysis.begins, "group": group.name}
        parts.append(pd.DataFrame({**keys, "month": months[later], **of_means(survival, noise).series()}))
    return pd.concat(parts, ignore_index=True).rename(columns={"estimate": "survival"})
