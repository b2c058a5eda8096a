"""A cohort's targets as the calibration reads them: typed rows, checked against the pathway, with their lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from calibration.likelihood.courses import Courses, marking_of
from calibration.likelihood.tables import Tables
from calibration.reported.kinds.counts import Row
from calibration.reported.kinds.curves import Curve
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.patient_times import Times as PatientMonths
from calibration.reported.paper import Paper, Times, again, load
from calibration.reported.percentages import Percentage
from simulator.engines.exact import engine, history_graph
from simulator.engines.exact.history_graph import Marking
from simulator.engines.model import Model
from simulator.engines.no_benefit import share_without_benefit
from simulator.engines.steps import STEP
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort, cohorts_folder
from simulator.pathway.pathway import Pathway, reachable
from simulator.scenario.scenario import Scenario

MOST_NODES = 10_000
"""Of the graph of courses."""


@dataclass(frozen=True)
class Targets:
    """Everything that enters the likelihood. `scenario` : the pathway set to the cohort; `warnings` : sentences.

    figures : the rows of its targets.csv, in their order
    tables : all counts; conditioned_on : those of them that are no evidence
    courses : the cells that they are of; marking : what they ask of patients; horizon : months until which
    curves : curves that are read off, and times of single patients
    """

    cohort: Cohort
    figures: tuple[Kind, ...]
    scenario: Scenario
    seed: int
    courses: Courses
    marking: Marking
    horizon: float
    tables: Tables | None
    times: Times | None
    conditioned_on: Tables | None = None
    percentages: tuple[Percentage, ...] = ()
    curves: tuple[Curve | PatientMonths, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def pathway(self) -> Pathway:
        return self.scenario.pathway

    @property
    def folder(self) -> Path:
        return self.cohort.folder

    @property
    def dependence(self) -> str:
        """The model's debt to the cohort's paper, in words."""
        return self.cohort.declared.dependence

    @property
    def fixed_benefit(self) -> bool:
        """Whether the cohort declares the marginal benefit, so that it does not inform it."""
        return "marginal_benefit" in self.cohort.declared.model_fields_set

    @property
    def by_saddle_point(self) -> Targets:
        """The same targets, the log-likelihood of their counts a few hundredths off, but quick."""
        tables, given = (counts and counts.by_saddle_point for counts in (self.tables, self.conditioned_on))
        return replace(self, tables=tables, conditioned_on=given)

    @property
    def fitted(self) -> list[Kind]:
        return [figure for figure in self.figures if figure.is_fitted]


def find_folder(name: str | Path) -> Path:
    """Return the folder of a shipped cohort, or of the user's. Raises InputError."""
    path = Path(name)
    if path.is_dir():
        return path
    known = sorted(path.name for path in cohorts_folder().iterdir() if path.is_dir())
    if str(name) not in known:
        raise UnknownNameError("cohort", str(name), known, "cohort")
    return cohorts_folder() / str(name)


def load_targets(name: str | Path, reading: str = "", structure: str = "") -> Targets:
    """Return a cohort's targets, checked. Raises InputError naming the file and the line.

    reading : another way to read the source, of cohort.toml; structure : another reading, pathway or both, of the same
    """
    folder = find_folder(name)
    paper = load(folder, reading, structure)
    return _targets(paper, paper.cohort.declared.seed)


def with_rows(targets: Targets, rows: pd.DataFrame) -> Targets:
    """Return the targets of other rows, whose patients are treated as the cohort's were. Raises InputError."""
    return _targets(again(targets.cohort, rows, targets.scenario), targets.seed)


def _targets(paper: Paper, seed: int) -> Targets:
    """Return the meaning of a cohort's figures to the likelihood. Raises InputError."""
    marking, courses = _courses(paper)
    at, given = str(paper.cohort.folder / "targets.csv"), courses.conditioned_on if courses.rows else ()
    return Targets(
        cohort=paper.cohort,
        figures=paper.figures,
        scenario=paper.scenario,
        seed=seed,
        courses=courses,
        marking=marking,
        horizon=paper.horizon,
        tables=Tables(courses.n_cells, (*courses.equations, *given), at) if courses.rows else None,
        times=paper.times,
        conditioned_on=Tables(courses.n_cells, (courses.equations[0], *given), at) if given else None,
        percentages=paper.percentages,
        curves=paper.curves,
        warnings=paper.warnings,
    )


def _courses(paper: Paper) -> tuple[Marking, Courses]:
    """Return what fitted figures ask of patients, and the courses of these."""
    model, pathway, rows, horizon = paper.model, paper.scenario.pathway, paper.rows, paper.horizon
    _check_after_clock(rows, model)
    groups = [pathway.groups[arm] for arm in sorted(paper.arms & pathway.groups.keys())]
    marking, folder = marking_of(rows, groups, pathway, horizon), paper.cohort.folder
    if marking.cuts and share_without_benefit(model) is not None:
        what = "with patients treated without benefit, entries cannot be counted by a month"
        raise InputError(what, where=str(folder / "targets.csv"), got=marking.cuts[0][0], allowed='use = "predictive"')
    graph = history_graph.build(pathway.clock_state, marking=marking, ways=model.open_ways)
    if len(graph.nodes) > MOST_NODES:
        what = "rows of states that are entered in any order leave too many courses of patients open"
        allowed = f'up to {MOST_NODES:,} states with what came before; use = "predictive" for some of the rows'
        raise InputError(what, where=str(folder / "targets.csv"), got=f"{len(graph.nodes):,}", allowed=allowed)
    solution = engine.solve(model, horizon, step=max(STEP, horizon / 64), window=False, marking=marking)
    nodes = tuple(node for node in solution.flows.nodes if node.state not in model.timeless)
    courses = Courses(rows, pathway, paper.cohort.n, f"{paper.cohort.file}: n", nodes, model.scenario.joints)
    return marking, courses.of_assessed()


def _check_after_clock(rows: Iterable[Row], model: Model) -> None:
    """Refuse a state that is entered before the clock only."""
    later = reachable([model.pathway.clock_state], model.open_onward.__getitem__)
    for row in rows:
        if row.kind == "entered" and later.isdisjoint(row.states):
            clock, states = model.pathway.clock_state, " or ".join(row.states)
            what = f"no patients enter {states} after {clock}, from which the months of the cohort count"
            raise InputError(what, where=row.where, got=states, allowed='use = "predictive"')
