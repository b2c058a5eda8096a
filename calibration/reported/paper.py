"""A cohort as its folder reports it: figures read once, checked, and the pathway set to its patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isinf
from pathlib import Path

import pandas as pd

from calibration.reported import contradictions, population_sizes
from calibration.reported.cohort_scenario import mix_of, scenario_of
from calibration.reported.consistency import HORIZON, check_cohort, check_somebody
from calibration.reported.end_points_of_arms import check_end_points
from calibration.reported.figure import Figure
from calibration.reported.kinds import curves, patient_times
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
from simulator.engines.model import Model, check_numbers, resolve
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, Structure, read_cohort
from simulator.evidence.priors import inside, of_weight
from simulator.pathway.format import named_pathway
from simulator.pathway.pathway import Pathway, reachable
from simulator.pathway.references import attributes_in
from simulator.scenario.scenario import Scenario


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
class Paper:
    """A cohort's figures, and what the likelihood takes from them. `scenario` : the pathway set to the cohort.

    figures : the rows of its targets.csv, in their order; model : in which all ways are open that any draw opens
    rows : the counts of one table; arms : of fitted figures; horizon : months until which patients are followed
    percentages, curves, times : the other fitted figures; warnings : sentences
    """

    cohort: Cohort
    figures: tuple[Kind, ...]
    scenario: Scenario
    model: Model
    rows: tuple[Row, ...]
    arms: frozenset[str]
    horizon: float
    percentages: tuple[Percentage, ...]
    curves: tuple[Curve | PatientMonths, ...]
    times: Times | None
    warnings: tuple[str, ...]


def load(folder: Path, reading: str = "", structure: str = "") -> Paper:
    """Return a cohort's figures, checked. Raises InputError naming the file and the line.

    reading : another way to read the source, of cohort.toml; structure : another reading, pathway or both, of the same
    """
    cohort = read_cohort(folder)
    other = cohort.structure(structure) if structure else Structure(meaning="as declared", reading=reading)
    cohort = cohort.read_as(other)
    key = f"[structures.{structure}] pathway" if other.pathway else "pathway"
    pathway = named_pathway(other.pathway or cohort.declared.pathway, cohort.file, key)
    pathway = cohort.named(pathway)
    if other.prior_weight:
        pathway = of_weight(pathway, other.prior_weight)
    check_numbers(pathway)
    patient_times.check_reported(cohort)
    figures = read(cohort, pathway)
    check_somebody(figures)
    check_cohort(figures, cohort, pathway)
    figures = curves.after_start(figures)
    cohort = replace(cohort, targets=cohort.targets.loc[[figure.line for figure in figures]])
    contradictions.check_reported_once(figures)
    scenario = scenario_of(figures, cohort, pathway)
    return _paper(figures, cohort, scenario)


def again(cohort: Cohort, rows: pd.DataFrame, scenario: Scenario) -> Paper:
    """Return other rows of a cohort, whose patients are treated as the cohort's were. Raises InputError."""
    cohort = replace(cohort, targets=rows, posterior=None, predictive=None)
    figures = read(cohort, scenario.pathway)
    scenario = replace(scenario, population=mix_of(figures, scenario.pathway, cohort.folder))
    check_cohort(figures, cohort, scenario.pathway)
    contradictions.check_reported_once(figures)
    return _paper(figures, cohort, scenario)


def _paper(figures: tuple[Kind, ...], cohort: Cohort, scenario: Scenario) -> Paper:
    pathway = scenario.pathway
    values = inside(pathway)
    model = resolve(scenario, values)
    doubts = contradictions.check(figures, cohort, pathway, model.open_onward)
    used = [figure for figure in figures if figure.is_fitted]
    check_exclusive(figures, cohort, model)
    check_end_points(figures, cohort, model)
    times = tuple(figure.times(cohort) for figure in used if isinstance(figure, PatientTimes))
    return Paper(
        cohort=cohort,
        figures=figures,
        scenario=scenario,
        model=model,
        rows=tuple(figure.row(cohort, pathway) for figure in used if isinstance(figure, Count)),
        arms=frozenset(arm for figure in used if figure.adds_up for arm in cohort.arms.get(figure.population, ())),
        horizon=_horizon(figures, cohort, model),
        percentages=tuple(
            figure.percentage(cohort) for figure in used if isinstance(figure, Share) and not figure.curve
        ),
        curves=(*curves.read(used, cohort), *times),
        times=_times(figures, cohort, pathway),
        warnings=(*doubts, *filter(None, (warning for figure in figures for warning in figure.warnings(cohort)))),
    )


def _horizon(figures: Sequence[Kind], cohort: Cohort, model: Model) -> float:
    """Return the months to look ahead: to the end of the longest follow-up, and to the last month of a row.

    Without a follow-up, patients are seen as long as they are simulated, if rows count them by the end; or until the
    window of groups ends, if patients may join or leave them after month 0.
    """
    pathway, onward = model.pathway, model.open_onward
    ever = any(figure.is_fitted and isinstance(figure, Events) and isinf(figure.by) for figure in figures)
    later = reachable([pathway.clock_state], onward.__getitem__) - model.timeless
    deciding = {state for group in pathway.groups.values() for state in group.states}
    entered_later = reachable([to for state in later for to in onward[state]], onward.__getitem__)
    changes = not deciding.isdisjoint(entered_later)
    longest = HORIZON if ever else pathway.group_window if changes else 1.0
    months = [month for figure in figures for month in figure.months]
    return float(max([cohort.follow_up[1] if cohort.follow_up else longest, *months]))


def _times(figures: Sequence[Kind], cohort: Cohort, pathway: Pathway) -> Times | None:
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
    sizes = _sizes(population_sizes.mix(figures), cohort, pathway, attribute)
    medians = {population.split("=", 1)[1]: median for population, median in medians.items()}
    return Times(attribute, sizes, medians, *statistics)


def _sizes(mix: Mapping[str, Figure], cohort: Cohort, pathway: Pathway, attribute: str) -> dict[str, int]:
    """Return level of an attribute -> patients, from the case_mix rows."""
    sizes, at = population_sizes.of_levels(mix, cohort, pathway, attribute), str(cohort.folder / "targets.csv")
    for level in pathway.attributes[attribute].levels:
        if level not in sizes:
            what = f"a reported time needs a case_mix row for {attribute}={level}"
            raise InputError(what, where=at, allowed="one level without a row has the rest of the cohort")
    total = sum(sizes.values())
    if total != cohort.n:
        what = f"the case_mix rows of {attribute} do not add up to the cohort"
        raise InputError(what, where=at, got=total, allowed=str(cohort.n))
    return sizes
