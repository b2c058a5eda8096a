"""A cohort's targets as the calibration reads them: typed rows, checked against the pathway, with their lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isinf
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from calibration.likelihood.courses import Courses, marking_of
from calibration.likelihood.tables import Tables
from calibration.reported import contradictions, population_sizes
from calibration.reported.cohort_scenario import mix_of, scenario_of
from calibration.reported.consistency import HORIZON, check_cohort, check_somebody
from calibration.reported.figure import Figure
from calibration.reported.kinds import curves
from calibration.reported.kinds.all import read
from calibration.reported.kinds.counts import Count, Events, Row
from calibration.reported.kinds.curves import Curve
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.patient_times import PatientTimes
from calibration.reported.kinds.patient_times import Times as PatientMonths
from calibration.reported.kinds.survival import Share
from calibration.reported.kinds.times import Maximum, Median, Minimum, ToClock
from calibration.reported.overlaps import check_exclusive
from calibration.reported.percentages import Percentage
from simulator.arrays import Floats
from simulator.engines.exact import engine, history_graph
from simulator.engines.exact.history_graph import Marking
from simulator.engines.model import Model, check_numbers, resolve
from simulator.engines.no_benefit import share_without_benefit
from simulator.engines.steps import STEP
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, cohorts_folder, read_cohort
from simulator.evidence.priors import priors_of_pathway
from simulator.pathway.checks import unknown
from simulator.pathway.format import named_pathway
from simulator.pathway.pathway import Pathway, reachable
from simulator.pathway.references import attributes_in
from simulator.scenario.scenario import Scenario

Found = TypeVar("Found")

MOST_NODES = 10_000
"""Of the graph of courses."""


@dataclass(frozen=True)
class Times:
    """Reported order statistics of the time from entry to the default clock. `medians` : attribute level -> median."""

    attribute: str | None
    sizes: dict[str, int]
    medians: dict[str, float]
    median: float | None
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True)
class Targets:
    """Everything that enters the likelihood. `scenario` : the pathway set to the cohort; `warnings` : sentences.

    figures : the rows of its targets.csv, in their order
    tables : all counts; given : those of them that are no evidence
    courses : the cells that they are of; marking : what they ask of patients; horizon : months until which
    curves : curves that are read off, and times of single patients
    dependence : the model's debt to the cohort's paper, in words
    fixed_benefit : whether the cohort declares the marginal benefit, so that it does not inform it
    """

    cohort: Cohort
    figures: tuple[Kind, ...]
    scenario: Scenario
    folder: Path
    seed: int
    courses: Courses
    marking: Marking
    horizon: float
    tables: Tables | None
    times: Times | None
    given: Tables | None = None
    percentages: tuple[Percentage, ...] = ()
    curves: tuple[Curve | PatientMonths, ...] = ()
    fixed_benefit: bool = False
    dependence: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def pathway(self) -> Pathway:
        return self.scenario.pathway

    @property
    def by_saddle_point(self) -> Targets:
        """The same targets, the log-likelihood of their counts a few hundredths off, but quick."""
        tables, given = (counts and counts.by_saddle_point for counts in (self.tables, self.given))
        return replace(self, tables=tables, given=given)

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
        raise unknown("cohort", str(name), known, "cohort")
    return cohorts_folder() / str(name)


def load_targets(name: str | Path, reading: str = "", structure: str = "") -> Targets:
    """Return a cohort's targets, checked. Raises InputError naming the file and the line.

    reading : another way to read the source, of cohort.toml; structure : another reading, pathway or both, of the same
    """
    from simulator.files import toml

    folder = find_folder(name)
    cohort = read_cohort(folder)
    declared = toml.read(folder / "cohort.toml")
    other = _found("structure", cohort.structures, structure, folder) if structure else None
    reading = other.reading if other else reading
    rows = {known: _reread(cohort, known, folder) for known in cohort.readings}
    if reading:
        cohort = replace(cohort, targets=_found("reading", rows, reading, folder))
    file, key = folder / "cohort.toml", f"[structures.{structure}] pathway"
    pathway = named_pathway(other.pathway, file, key) if other and other.pathway else None
    pathway = pathway or named_pathway(declared["pathway"], file)
    pathway = _with_populations(pathway, cohort, folder)
    check_numbers(pathway)
    figures = read(cohort.targets, pathway, folder)
    check_somebody(figures)
    return read_targets(figures, cohort, pathway, declared, folder)


def _found(kind: str, known: Mapping[str, Found], name: str, folder: Path) -> Found:
    if name not in known:
        raise unknown(kind, name, known, f"{folder / 'cohort.toml'}: [{kind}s]")
    return known[name]


def _reread(cohort: Cohort, reading: str, folder: Path) -> pd.DataFrame:
    """Return the rows of targets.csv with the uses of another reading."""
    rows, at = cohort.targets.copy(), f"{folder / 'cohort.toml'}: [readings.{reading}]"
    for key, names, use in zip(
        ("leave_out", "fit"), cohort.readings[reading], ("predictive", "likelihood"), strict=True
    ):
        for name in names:
            if name not in set(rows["name"]):
                raise unknown("row of targets.csv", name, list(rows["name"]), f"{at} {key}")
        changed = rows["name"].isin(names)
        if (rows["use"][changed] == use).any():
            got = rows["name"][changed & (rows["use"] == use)].iloc[0]
            other = "is not fitted, so that it cannot be left out" if use == "predictive" else "is fitted already"
            raise InputError(f"a row {other}", where=f"{at} {key}", got=got, allowed="the names of other rows")
        rows.loc[changed, "use"] = use
    return rows


def _with_populations(pathway: Pathway, cohort: Cohort, folder: Path) -> Pathway:
    """Return the pathway with the populations that only the cohort names as groups. Raises InputError."""
    for name, population in cohort.populations.items():
        at = f"{folder / 'cohort.toml'}: [populations.{name}]"
        if name in pathway.groups:
            raise InputError("a population with the name of a group of the pathway", where=at, allowed="another name")
        for state in population.states:
            if state not in pathway.states:
                raise unknown("state", state, pathway.states, at)
    return cohort.named(pathway)


def with_rows(targets: Targets, rows: pd.DataFrame) -> Targets:
    """Return the targets of other rows, whose patients are treated as the cohort's were. Raises InputError."""
    cohort = replace(targets.cohort, targets=rows, posterior=None, predictive=None)
    figures = read(rows, targets.pathway, targets.folder)
    scenario = replace(targets.scenario, population=mix_of(figures, targets.pathway, targets.folder))
    return read_targets(figures, cohort, targets.pathway, {"seed": targets.seed}, targets.folder, scenario)


def read_targets(
    figures: tuple[Kind, ...],
    cohort: Cohort,
    pathway: Pathway,
    declared: Mapping[str, Any],
    folder: Path,
    scenario: Scenario | None = None,
) -> Targets:
    """Return the meaning of a cohort's figures to the likelihood. Raises InputError.

    declared : its cohort.toml; scenario : the pathway set to the cohort, by default as declared
    """
    check_cohort(figures, cohort, pathway, folder)
    contradictions.check_reported_once(figures)
    scenario = scenario or scenario_of(figures, cohort, pathway, declared, folder)
    model = resolve(scenario, _inside(pathway))
    onward = {name: [to for _, to in exits] for name, exits in model.open_ways}
    contradictions.check(figures, cohort, pathway, onward, folder)
    used = [figure for figure in figures if figure.is_fitted]
    check_exclusive(used, cohort, model)
    horizon = _horizon(figures, cohort, model)
    marking, courses = _courses(used, cohort, model, horizon, folder)
    at, given = str(folder / "targets.csv"), courses.given if courses.rows else ()
    return Targets(
        cohort=cohort,
        figures=figures,
        scenario=scenario,
        folder=folder,
        seed=declared["seed"],
        courses=courses,
        marking=marking,
        horizon=horizon,
        tables=Tables(courses.n_cells, (*courses.equations, *given), at) if courses.rows else None,
        times=_times(figures, cohort, pathway, folder),
        given=Tables(courses.n_cells, (courses.equations[0], *given), at) if given else None,
        dependence=str(declared.get("dependence", "")),
        fixed_benefit="marginal_benefit" in declared,
        percentages=tuple(
            figure.percentage(cohort) for figure in used if isinstance(figure, Share) and not figure.curve
        ),
        curves=(*curves.read(used, cohort), *(one.times(cohort) for one in used if isinstance(one, PatientTimes))),
        warnings=tuple(filter(None, (warning for figure in figures for warning in figure.warnings(cohort)))),
    )


def _inside(pathway: Pathway) -> dict[str, Floats]:
    """Return values of the parameters with a prior that are at no edge of it: ways are open if any draw opens them."""
    priors = priors_of_pathway(pathway)
    values = priors.transform(np.zeros((1, priors.dimension))) if priors.names else np.zeros((1, 0))
    return dict(zip(priors.names, values.T[:, :, None], strict=True))


def _horizon(figures: Sequence[Kind], cohort: Cohort, model: Model) -> float:
    """Return the months to look ahead: to the end of the longest follow-up, and to the last month of a row.

    Without a follow-up, patients are seen as long as they are simulated, if rows count them by the end; or until the
    window of groups ends, if patients may join or leave them after month 0.
    """
    pathway, onward = model.pathway, {name: [to for _, to in exits] for name, exits in model.open_ways}
    ever = any(figure.is_fitted and isinstance(figure, Events) and isinf(figure.by) for figure in figures)
    later = reachable([pathway.clock_state], onward.__getitem__) - model.timeless
    deciding = {state for group in pathway.groups.values() for state in group.states}
    changes = not deciding.isdisjoint(reachable([to for state in later for to in onward[state]], onward.__getitem__))
    longest = HORIZON if ever else pathway.group_window if changes else 1.0
    months = [month for figure in figures for month in figure.months]
    return float(max([cohort.follow_up[1] if cohort.follow_up else longest, *months]))


def _courses(
    used: Sequence[Kind], cohort: Cohort, model: Model, horizon: float, folder: Path
) -> tuple[Marking, Courses]:
    """Return what fitted figures ask of patients, and the courses of these."""
    pathway = model.pathway
    rows = tuple(figure.row(cohort, pathway) for figure in used if isinstance(figure, Count))
    _check_after_clock(rows, model)
    asked = {arm for figure in used if figure.adds_up for arm in cohort.arms.get(figure.population, ())}
    marking = marking_of(rows, [pathway.groups[arm] for arm in sorted(asked & pathway.groups.keys())], pathway, horizon)
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
    courses = Courses(rows, pathway, cohort.n, f"{folder / 'cohort.toml'}: n", nodes, model.scenario.joints)
    return marking, courses.of_assessed()


def _check_after_clock(rows: Iterable[Row], model: Model) -> None:
    """Refuse a state that is entered before the clock only."""
    onward = {name: [to for _, to in exits] for name, exits in model.open_ways}
    later = reachable([model.pathway.clock_state], onward.__getitem__)
    for row in rows:
        if row.kind == "entered" and row.state not in later:
            clock = model.pathway.clock_state
            what = f"no patients enter {row.state} after {clock}, from which the months of the cohort count"
            raise InputError(what, where=row.where, got=row.state, allowed='use = "predictive"')


def _times(figures: Sequence[Kind], cohort: Cohort, pathway: Pathway, folder: Path) -> Times | None:
    times = [figure for figure in figures if figure.is_fitted and isinstance(figure, ToClock)]
    if not times:
        return None
    overall: dict[str, float] = {}
    medians: dict[str, float] = {}
    for figure in times:
        population = population_sizes.of_figure(cohort, figure)
        everybody = cohort.is_everybody(population)
        (overall if everybody else medians)[figure.kind if everybody else population] = figure.value
    statistics = [overall.get(kind.kind) for kind in (Median, Minimum, Maximum)]
    # The time may differ by an attribute of which no median is reported.
    names = {median.split("=")[0] for median in medians}
    for exit in pathway.states[pathway.start].transitions:
        names |= {name for reference in exit.references for name in attributes_in(reference)}
    if len(names) > 1:
        what = "times that differ by more than one attribute cannot be fitted"
        raise InputError(what, where=times[0].where, got=", ".join(sorted(names)))
    if not names:
        return Times(None, {"all": cohort.n}, {}, *statistics)
    (attribute,) = names
    sizes = _sizes(population_sizes.mix(figures), cohort, pathway, attribute, folder)
    medians = {population.split("=", 1)[1]: median for population, median in medians.items()}
    return Times(attribute, sizes, medians, *statistics)


def _sizes(mix: Mapping[str, Figure], cohort: Cohort, pathway: Pathway, attribute: str, folder: Path) -> dict[str, int]:
    """Return level of an attribute -> patients, from the case_mix rows."""
    sizes, at = population_sizes.of_levels(mix, cohort, pathway, attribute), str(folder / "targets.csv")
    for level in pathway.attributes[attribute].levels:
        if level not in sizes:
            what = f"a reported time needs a case_mix row for {attribute}={level}"
            raise InputError(what, where=at, allowed="one level without a row has the rest of the cohort")
    total = sum(sizes.values())
    if total != cohort.n:
        what = f"the case_mix rows of {attribute} do not add up to the cohort"
        raise InputError(what, where=at, got=total, allowed=str(cohort.n))
    return sizes
