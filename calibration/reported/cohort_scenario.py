"""The pathway set to a cohort: which patients were treated, and how, by cohort.toml and the rows of its targets.

A lever is a number, or the name of the row of targets.csv that reports it. Other levers stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from calibration.reported import population_sizes
from calibration.reported.eligible_shares import Levers, among_eligible
from calibration.reported.kinds.kind import Kind
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Attribute, Pathway
from simulator.scenario.scenario import LEVERS, Scenario, check


def scenario_of(figures: Sequence[Kind], cohort: Cohort, pathway: Pathway) -> Scenario:
    """Return the scenario that sets a pathway to a cohort. Raises InputError naming the file and the key."""
    file, declared, named = cohort.file, cohort.declared, {figure.name: figure for figure in reversed(figures)}
    mix = mix_of(figures, pathway, cohort.folder)
    tables: dict[str, Any] = {
        lever: {
            key: _value(got, named, cohort, f"{file}: [{lever}] {key}") for key, got in getattr(declared, lever).items()
        }
        for lever in (*LEVERS, "hazard_ratio")
    }
    rows = {name: named[entry] for name, entry in declared.set.items() if isinstance(entry, str)}
    start = pathway.clock_state if cohort.clock == pathway.clock else pathway.start
    tables["set"] = among_eligible(Levers(tables["set"], rows, f"{file}: [set]", start), pathway, mix)
    benefit = declared.marginal_benefit
    scenario = Scenario(cohort.name, pathway, marginal_benefit=benefit, population=mix, file=file, **tables)
    check(scenario)
    return scenario


def _value(declared: float | str, named: Mapping[str, Kind], cohort: Cohort, at: str) -> float:
    """Return a lever's number; of the figure that it names, the count over n, or the percentage."""
    if not isinstance(declared, str):
        return declared
    if declared not in named:
        raise UnknownNameError("row of targets.csv", declared, list(named)[::-1], at)
    figure = named[declared]
    if isfinite(figure.count) and figure.n > 0:
        return figure.count / _patients(figure, cohort)
    if not isfinite(figure.value):
        raise InputError("a row without a count and without a value", where=at, got=declared)
    return figure.value / 100.0 if figure.unit == "%" else figure.value


def _patients(figure: Kind, cohort: Cohort) -> float:
    """Return the patients whose share a figure prints: n, or all of its population where n is larger."""
    size = cohort.sizes.get(population_sizes.of_figure(cohort, figure))
    return figure.n if size is None or figure.counts_sizes else min(figure.n, size)


def mix_of(figures: Sequence[Kind], pathway: Pathway, folder: Path) -> dict[str, dict[str, float]]:
    """Return attribute -> level -> patients, from the case_mix rows; one level without a row has the rest of n."""
    mix: dict[str, dict[str, float]] = {}
    of: dict[str, float] = {}
    for name, figure in population_sizes.mix(figures).items():
        attribute, _, level = name.partition("=")
        if figure.n != of.setdefault(attribute, figure.n):
            what = f"the levels of {attribute} have different values of n"
            raise InputError(what, where=figure.where, got=int(figure.n), allowed=f"{of[attribute]:g}")
        mix.setdefault(attribute, {})[level] = figure.count
    for attribute, levels in mix.items():
        _complete(levels, of[attribute], pathway.attributes[attribute], folder)
    return mix


def _complete(levels: dict[str, float], n: float, attribute: Attribute, folder: Path) -> None:
    """Give the rest of n to the one level that has no row."""
    at = f"{folder / 'targets.csv'}: case_mix of {attribute.name}"
    missing = [level for level in attribute.levels if level not in levels]
    if len(missing) > 1:
        raise InputError("more than one level has no row", where=at, got=", ".join(missing))
    left = n - sum(levels.values())
    if left < 0:
        what = "the levels count more patients than n"
        raise InputError(what, where=at, got=f"{n - left:g}", allowed=f"up to {n:g}")
    levels |= dict.fromkeys(missing, left)
