"""Guarantee (immortal) time: the same histories, compared by who enters a treatment some day, and rightly.

Two groups of the pathway answer each other where one is declared by not having entered what the other entered. They are
compared in three ways (see `censored.episodes`): by OS from the default clock; and from the decision that plans the
treatment, by survival without failure. Failure is what else may come while patients wait for the treatment. Who has
failed cannot be treated any more, so that by OS even those who wait are no fair comparison: they are not yet dead. And
who had failed, or been treated, before coming to that decision for the first time is not compared from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from simulator.analyses.virtual_cohorts.patients import Hospital, Patients
from simulator.analyses.virtual_cohorts.settings import Settings, check, check_time
from simulator.arrays import Booleans, Floats
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, load_cohort
from simulator.evidence.draws import load_draws
from simulator.execution.pool import workers
from simulator.experiment.cost import check_events
from simulator.experiment.settings import Progress
from simulator.outcomes.episodes import Courses, Episodes, landmark, naive, simon_makuch
from simulator.outcomes.kaplan_meier import kaplan_meier
from simulator.outcomes.log_rank import log_rank
from simulator.outcomes.uncertainty import of_means
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Group, Pathway
from simulator.scenario.scenario import Scenario

STEP = 0.25
"""Months between the points of the curves that are kept."""


@dataclass(frozen=True)
class Analysis:
    """A way to compare: from a `clock` (the default one, or a decision), `kind`, and the month it begins at.

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
class Guarantee:
    """What the analyses say. groups : who entered, and the others; decision : where it is planned, None if nowhere.

    failure : the states that end survival without failure, from the decision on
    analyses : a row an analysis : alive at the answer's month in either group and their difference over draws, the
    range of the difference in cohorts of n, and how often it is as large as reported, or significant
    curves : (clock, analysis, begins, group, month, survival, lower, upper,
    monte_carlo_se), months from the clock
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


def paired_groups(pathway: Pathway, name: str | None = None) -> tuple[Group, Group]:
    """Return the groups that the pathway compares; or those of the named one, or else the first that answer each other.

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
            "no two groups are declared of which one has not entered what the other entered",
            where=f"{pathway.where}: [guarantee_time]" if name is None else "--group",
            got=list(pathway.groups) if name is None else name,
            allowed=", ".join(pairs)
            or "[groups.A] entered = STATE, [groups.B] not_entered = STATE, [guarantee_time] entered = A, others = B",
        )
    return pairs[name or next(iter(pairs))]


def planned_at(pathway: Pathway, group: Group) -> str | None:
    """Return the first decision that leads, by one sojourn, to what a group has entered; None if there is none."""
    leads = {
        name
        for name, state in pathway.states.items()
        if any(transition.to in group.entered for transition in state.transitions)
    }
    deciding = (name for name, state in pathway.states.items() if state.kind == "decision")
    return next(
        (n for n in deciding if any(transition.to in leads for transition in pathway.states[n].transitions)), None
    )


def failures(pathway: Pathway, group: Group) -> tuple[str, ...]:
    """Return the states, but for death, to which what else may come leads, where patients wait for what they enter."""
    waits = [state for state in pathway.states.values() if any(way.to in group.entered for way in state.transitions)]
    onward = [way.to for wait in waits for way in wait.transitions if way.to not in group.entered]
    return tuple(dict.fromkeys(name for name in onward if pathway.states[name].kind != "death"))


def check_landmarks(landmarks: Iterable[float] | None, pathway: Pathway) -> tuple[float, ...]:
    """Return landmark months in order, each once; None: those that the pathway declares, or a quarter and half of the
    answer's month. Raises InputError unless survival at the answer's month can be shown from each.
    """
    answer = pathway.months.answer
    if landmarks is None:
        declared = () if pathway.comparison is None else pathway.comparison.landmarks
        return declared or (0.25 * answer, 0.5 * answer)
    found = tuple(sorted(set(landmarks)))
    for month in found:
        if not 0 < month < answer:
            allowed = f"above 0, below {answer:g}: survival is shown at {in_words(answer)}"
            raise InputError("no landmark", where="--landmarks", got=month, allowed=allowed)
    return found


@dataclass(frozen=True)
class _Found:
    """One analysis of one draw: its curves, OS when it answers and its variance by group, and every cohort's own.

    survival, noise : (2, n_months), the latter its variance; at, variance : (2,), at the answer's month
    cohorts : (n_cohorts, 2) their own at that month; p : (n_cohorts,)
    sizes : (2,) patients a cohort who are of each group
    """

    survival: Floats
    noise: Floats
    at: Floats
    variance: Floats
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

    def of(self, job: tuple[int, int]) -> list[_Found]:
        draw, cohorts = job
        patients = self.hospital.patients(cohorts * self.n, draw)
        return [self._analysed(patients, cohorts, analysis) for analysis in self.analyses]

    def _analysed(self, patients: Patients, cohorts: int, analysis: Analysis) -> _Found:
        entered, others = self.groups
        default, month = self.hospital.scenario.pathway.clock, self.hospital.scenario.pathway.months.answer
        if analysis.clock == default:
            since = np.zeros(patients.seen.size)
            here = patients.eligible(others.entered, since)
        else:
            # Who failed or was treated before can do neither for the first time from here on.
            since = patients.entered[analysis.clock]
            here = patients.eligible(others.entered, since, entered.entered + analysis.failure)
        every = patients.courses(entered.entered, np.where(here, since, 0.0), analysis.failure)
        number = np.arange(here.size) // self.n
        own = [_compared(analysis, every.only(here & (number == c)), month) for c in range(cohorts)]
        whole = analysis.episodes(every.only(here))
        curves = [kaplan_meier(whole.of(group), analysis.begins) for group in (True, False)]
        there = np.array([1.0 if whole.of(group).stop.size else np.nan for group in (True, False)])
        return _Found(
            np.array([curve.at(self.months) for curve in curves]) * there[:, None],
            np.array([curve.standard_error(self.months) ** 2 for curve in curves]),
            np.array([float(curve.at(month)) for curve in curves]) * there,
            np.array([float(curve.standard_error(month)) ** 2 for curve in curves]),
            np.array([pair for pair, _, _ in own]),
            np.array([p for _, p, _ in own]),
            np.array([sizes for _, _, sizes in own]).mean(axis=0),
        )


def _compared(
    analysis: Analysis, courses: Courses, month: float
) -> tuple[tuple[float, float], float, tuple[int, int]]:
    """Return a cohort's OS at a month by group, NaN of an empty one, the log-rank P, and the groups' sizes."""
    episodes = analysis.episodes(courses)
    groups = [episodes.of(True), episodes.of(False)]
    at = [float(kaplan_meier(group).at(month)) if group.stop.size else np.nan for group in groups]
    return (at[0], at[1]), log_rank(groups).p, (groups[0].stop.size, groups[1].stop.size)


def guarantee_time(
    scenario: Scenario,
    *,
    group: str | None = None,
    landmarks: Sequence[float] | None = None,
    yes: bool = True,
    progress: Progress | None = None,
    settings: Settings,
) -> Guarantee:
    """Return the naive comparison of two groups beside the landmark's and Simon & Makuch's. Raises InputError.

    yes : start however long it takes
    """
    check(scenario)
    pathway = scenario.pathway
    groups = paired_groups(pathway, group)
    months = check_landmarks(landmarks, pathway)
    decision = planned_at(pathway, groups[0])
    failure = failures(pathway, groups[0]) if decision else ()
    if not failure and decision == pathway.clock_state:
        decision = None  # counted from there it is the first comparison again
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
    found: list[list[_Found]] = []
    work = _Work(hospital, settings.size, groups, analyses, grid)
    if not yes:
        check_events([scenario], settings.horizon)
        check_time(work.of, settings.size, settings)
    with workers(min(settings.jobs, len(dealt)), work) as each_draw:
        for done, own in enumerate(each_draw(_Work.of, list(enumerate(dealt, start=1))), start=1):
            found.append(own)
            if progress is not None:
                progress(done, len(dealt))
    reported = None if cohort is None else reported_difference(cohort, groups, pathway)
    by_analysis = [[own[place] for own in found] for place in range(len(analyses))]
    rows = [_row(analysis, own, reported) for analysis, own in zip(analyses, by_analysis, strict=True)]
    curves = [_curves(analysis, own, grid, groups) for analysis, own in zip(analyses, by_analysis, strict=True)]
    return Guarantee(
        scenario, settings, len(dealt), cohort, groups, decision, failure, reported,
        pd.DataFrame(rows), pd.concat(curves, ignore_index=True),
    )  # fmt: skip


def _analyses(clock: str, failure: tuple[str, ...], landmarks: Sequence[float]) -> tuple[Analysis, ...]:
    at = partial(Analysis, clock, failure)
    return (at("naive", 0.0), *(at("landmark", month) for month in landmarks), at("simon_makuch", 0.0))


def reported_difference(cohort: Cohort, groups: Sequence[Group], pathway: Pathway) -> float | None:
    """Return what a cohort's paper reports of two groups at the answer's month, as counts where it gives them; None if
    it reports none."""
    alive = []
    for group in groups:
        rows = cohort.reported_survival(group.name, pathway.clock)
        rows = rows[rows["month"] == pathway.months.answer]
        if rows.empty:
            return None
        row = rows.iloc[0]
        alive.append(row["count"] / row["n"] if np.isfinite(row["count"]) else row["value"] / 100.0)
    return float(alive[0] - alive[1])


def _row(analysis: Analysis, own: Sequence[_Found], reported: float | None) -> dict[str, object]:
    at, variance = (np.array([getattr(each, name) for each in own]) for name in ("at", "variance"))
    told: dict[str, object] = {"clock": analysis.clock, "analysis": analysis.kind, "begins": analysis.begins}
    sizes = np.mean([each.sizes for each in own], axis=0)
    told |= {"patients_entered": float(sizes[0]), "patients_other": float(sizes[1])}
    for name, values, noise in (
        ("entered", at[:, 0], variance[:, 0]),
        ("other", at[:, 1], variance[:, 1]),
        ("difference", at[:, 0] - at[:, 1], variance.sum(axis=1)),
    ):
        found = of_means(values, noise).columns()
        told |= {f"{name}_{key}".removesuffix("_estimate"): each for key, each in found.items()}
    cohorts = np.concatenate([each.cohorts for each in own])
    apart = cohorts[:, 0] - cohorts[:, 1]
    known = apart[np.isfinite(apart)]
    lower, upper = np.quantile(known, (0.025, 0.975)) if known.size else (np.nan, np.nan)
    told |= {"cohorts": known.size, "cohort_lower": float(lower), "cohort_upper": float(upper)}
    told["as_large_as_reported"] = np.nan if reported is None else _share(apart[np.isfinite(apart)] >= reported - 1e-9)
    told["significant"] = _share(np.concatenate([each.p for each in own])[np.isfinite(apart)] < 0.05)
    return told


def _share(chosen: Booleans) -> float:
    return float(chosen.mean()) if chosen.size else np.nan


def _curves(analysis: Analysis, own: Sequence[_Found], months: Floats, groups: Sequence[Group]) -> pd.DataFrame:
    parts = []
    for place, group in enumerate(groups):
        told = months >= analysis.begins
        values, noise = (np.array([getattr(e, name)[place][told] for e in own]) for name in ("survival", "noise"))
        alive = of_means(values, noise)
        parts.append(
            pd.DataFrame(
                {
                    "clock": analysis.clock,
                    "analysis": analysis.kind,
                    "begins": analysis.begins,
                    "group": group.name,
                    "month": months[told],
                    "survival": alive.estimate,
                    "lower": alive.lower,
                    "upper": alive.upper,
                    "monte_carlo_se": alive.monte_carlo_se,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
