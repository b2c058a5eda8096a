"""A cohort's targets as the calibration reads them: typed rows, checked against the pathway, with their lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from calibration.likelihood.arm_sizes import counted_sizes
from calibration.likelihood.branchings import Branching, Event, Order, branchings_of
from calibration.likelihood.cells import Row, cells_of, equations
from calibration.likelihood.tables import Tables
from calibration.reported import contradictions, percentages, population_sizes
from calibration.reported.cohort_scenario import mix_of, scenario_of
from calibration.reported.consistency import check_cohort, check_somebody, where
from calibration.reported.kinds import COUNTED, DEATHS_AND_SURVIVORS, PERCENTAGE, TIMED, by_month, counted_as
from calibration.reported.overlaps import check_exclusive
from calibration.reported.percentages import Percentage, at_risk_warning, cut_warning
from simulator.engines.model import check_numbers, resolve
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, cohorts_folder, read_cohort
from simulator.pathway.checks import unknown
from simulator.pathway.format import named_pathway
from simulator.pathway.pathway import Pathway, attributes_in, reachable, references_of
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
class Targets:
    """Everything that enters the likelihood. `scenario` : the pathway set to the cohort; `warnings` : sentences.

    dependence : the model's debt to the cohort's paper, in words
    fixed_benefit : whether the cohort declares the marginal benefit, so that it does not inform it
    sizes : of the table's arms, the ones that the branchings count already
    """

    cohort: Cohort
    scenario: Scenario
    folder: Path
    seed: int
    tables: Tables | None
    branchings: tuple[Branching, ...]
    times: Times | None
    sizes: Tables | None = None
    percentages: tuple[Percentage, ...] = ()
    fixed_benefit: bool = False
    dependence: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def pathway(self) -> Pathway:
        return self.scenario.pathway


def find_folder(name: str | Path) -> Path:
    """Return the folder of a shipped cohort, or of the user's. Raises InputError."""
    path = Path(name)
    if path.is_dir():
        return path
    known = sorted(path.name for path in cohorts_folder().iterdir() if path.is_dir())
    if str(name) not in known:
        raise unknown("cohort", str(name), known, "cohort")
    return cohorts_folder() / str(name)


def load_targets(name: str | Path) -> Targets:
    """Return a cohort's targets, checked. Raises InputError naming the file and the line."""
    from simulator.files import toml

    folder = find_folder(name)
    cohort = read_cohort(folder)
    declared = toml.read(folder / "cohort.toml")
    pathway = named_pathway(declared["pathway"], folder / "cohort.toml")
    check_numbers(pathway)
    check_somebody(cohort, folder)
    return read_targets(cohort, pathway, declared, folder)


def with_rows(targets: Targets, rows: pd.DataFrame) -> Targets:
    """Return the targets of other rows, whose patients are treated as the cohort's were. Raises InputError."""
    cohort = replace(targets.cohort, targets=rows, posterior=None, predictive=None)
    scenario = replace(targets.scenario, population=mix_of(cohort, targets.pathway, targets.folder))
    return read_targets(cohort, targets.pathway, {"seed": targets.seed}, targets.folder, scenario)


def read_targets(
    cohort: Cohort, pathway: Pathway, declared: Mapping[str, Any], folder: Path, scenario: Scenario | None = None
) -> Targets:
    """Return the meaning of a cohort's rows to the likelihood. Raises InputError.

    declared : its cohort.toml; scenario : the pathway set to the cohort, by default as declared
    """
    check_cohort(cohort, pathway, folder)
    contradictions.check_reported_once(cohort.targets, folder)
    scenario = scenario or scenario_of(cohort, pathway, declared, folder)
    model = resolve(scenario)
    order = Order.of(model)
    contradictions.check(cohort, pathway, order.onward, folder)
    used = cohort.targets[cohort.targets["use"] == "likelihood"]
    used = used.assign(kind=[counted_as(row, pathway) for row in used.to_dict("records")])
    all_rows = [(row, where(folder, index)) for index, row in cohort.targets.iterrows()]
    figures = [percentages.read(row, cohort, at) for row, at in all_rows if row["kind"] == PERCENTAGE]
    fitted = cohort.targets[cohort.targets["kind"] == PERCENTAGE].index.isin(used.index)
    exits = exits_with_deaths(used, cohort.arms, order.onward, pathway.deaths)
    in_table = used[used["kind"].isin(COUNTED) | used.index.isin(exits)]
    check_exclusive(used, list(in_table.index), cohort, model, folder)
    rows = _rows(in_table, folder)
    branchings = tuple(_branchings(used, exits, cohort, pathway, order, folder))
    warnings = [figure.warning for figure in figures]
    warnings += [warning(row, cohort, at) for row, at in all_rows for warning in (cut_warning, at_risk_warning)]
    return Targets(
        cohort=cohort,
        scenario=scenario,
        folder=folder,
        seed=declared["seed"],
        tables=_tables(cohort, pathway, rows, folder),
        branchings=branchings,
        times=_times(cohort, pathway, used, folder),
        sizes=counted_sizes(rows, branchings, cohort, pathway, order, str(folder / "targets.csv")),
        dependence=str(declared.get("dependence", "")),
        fixed_benefit="marginal_benefit" in declared,
        percentages=tuple(figure for figure, is_fitted in zip(figures, fitted, strict=True) if is_fitted),
        warnings=tuple(filter(None, warnings)),
    )


def exits_with_deaths(
    used: pd.DataFrame, arms: Mapping[str, Sequence[str]], onward: Mapping[str, Sequence[str]], deaths: Collection[str]
) -> list[object]:
    """Return the index of `entered` rows that are counted in one table with deaths of the same patients.

    If 50 of 80 patients recovered and 28 died, 2 did neither, which two independent figures would not say. No patient
    enters such a state and another one that rows count of the same patients; and some row counts all of these.

    onward : state -> the next states
    """
    after = {state: reachable(onward[state], onward.__getitem__) for state in onward}
    rows = used[used["kind"].isin(["entered", *DEATHS_AND_SURVIVORS])].to_dict("index")
    lines: list[object] = []
    for index, row in rows.items():
        arms_of_row, state = set(arms[row["population"]]), str(row["state"])
        if row["kind"] != "entered" or state in after[state]:
            continue
        others = [other for other in rows.values() if arms_of_row & set(arms[other["population"]])]
        states = {name for other in others for name in ([other["state"]] if other["state"] else deaths)} - {state}
        exclusive = not states & after[state] and not any(state in after[name] for name in states)
        of_all = [(other["population"], other["n"]) for other in others if other["kind"] in DEATHS_AND_SURVIVORS]
        if exclusive and (row["population"], row["n"]) in of_all:
            lines.append(index)
    return lines


def _rows(used: pd.DataFrame, folder: Path) -> list[Row]:
    return [
        Row(row["kind"], row["population"], row["state"], by_month(row["month"]), int(row["count"]), int(row["n"]), at)
        for row, at in ((row, where(folder, line)) for line, row in used.iterrows())
    ]


def _tables(cohort: Cohort, pathway: Pathway, rows: Sequence[Row], folder: Path) -> Tables | None:
    if not rows:
        return None
    arms = list(dict.fromkeys(arm for members in cohort.arms.values() for arm in members))
    cells = cells_of(rows, arms, cohort.arms, pathway.deaths)
    counts = equations(rows, cells, cohort.arms, cohort.n, f"{folder / 'cohort.toml'}: n")
    return Tables(cells, counts, str(folder / "targets.csv"))


def _branchings(
    used: pd.DataFrame, exits: Sequence[object], cohort: Cohort, pathway: Pathway, order: Order, folder: Path
) -> list[Branching]:
    """Return the `entered` rows, by patients. exits : the index of those in the table."""
    entered: dict[tuple[str, int], list[Event]] = {}
    in_table: dict[tuple[str, int], list[Event]] = {}
    declared = Order.of(resolve(Scenario(name=pathway.name, pathway=pathway, file=pathway.file)))
    for line, row in used[used["kind"] == "entered"].iterrows():
        _check_settled(row, cohort, pathway, declared, where(folder, line))
    for line, row in used[used["kind"].isin(["entered", *DEATHS_AND_SURVIVORS])].iterrows():
        is_branching = row["kind"] == "entered" and line not in exits
        events = (entered if is_branching else in_table).setdefault((str(row["population"]), int(row["n"])), [])
        event = event_of(row, pathway, line)
        if is_branching and any((other.states, other.month) == (event.states, event.month) for other in events):
            raise InputError("a state has more than one row", where=where(folder, line), got=row["state"])
        if event not in events:
            events.append(event)
    return branchings_of(entered, in_table, order)


def event_of(row: pd.Series, pathway: Pathway, line: object) -> Event:
    """Return the event that a row counts, 0 times if it prints a percentage: entry of its state, or any death."""
    states = (str(row["state"]),) if row["state"] else pathway.deaths
    count = row["n"] - row["count"] if row["kind"] == "survivors" else row["count"]
    return Event(states, by_month(row["month"]), 0 if row["kind"] == PERCENTAGE else int(count), line=line)


def _check_settled(row: pd.Series, cohort: Cohort, pathway: Pathway, order: Order, at: str) -> None:
    """Refuse a state that is entered before the clock, or twice, or before membership of the population is settled."""
    name, population, predictive = row["state"], row["population"], 'use = "predictive"'
    if name not in {pathway.clock_state} | order.after([pathway.clock_state]):
        what = f"no patients enter {name} after {pathway.clock_state}, from which the months of the cohort count"
        raise InputError(what, where=at, got=name, allowed=predictive)
    if name in order.after([name]):
        raise InputError("a state that patients can enter twice cannot be fitted", where=at, got=name)
    arms = (population,) if population in pathway.groups else () if population == "all" else cohort.arms[population]
    groups = [pathway.groups[arm] for arm in arms if arm in pathway.groups]
    deciding = {state for group in groups for state in (*group.entered, *group.not_entered)}
    if later := sorted(deciding & order.after([name])):
        may_enter = f"patients who enter {name} may enter {later[0]} later"
        what = f"{may_enter}, so membership of {population} is not yet decided"
        raise InputError(what, where=at, got=name, allowed=predictive)


def _times(cohort: Cohort, pathway: Pathway, used: pd.DataFrame, folder: Path) -> Times | None:
    rows = used[used["kind"].isin(TIMED)]
    if rows.empty:
        return None
    overall: dict[str, float] = {}
    medians: dict[str, float] = {}
    for _, row in rows.iterrows():
        population = population_sizes.of_row(cohort, row)
        everybody = cohort.is_everybody(population)
        (overall if everybody else medians)[row["kind"] if everybody else population] = float(row["value"])
    # The time may differ by an attribute of which no median is reported.
    names = {median.split("=")[0] for median in medians}
    for exit in pathway.states[pathway.start].transitions:
        names |= {name for reference in references_of(exit) for name in attributes_in(reference)}
    if len(names) > 1:
        what = "times that differ by more than one attribute cannot be fitted"
        raise InputError(what, where=where(folder, rows.index[0]), got=", ".join(sorted(names)))
    if not names:
        return Times(None, {"all": cohort.n}, {}, *(overall.get(kind) for kind in TIMED))
    (attribute,) = names
    sizes = _sizes(cohort, pathway, attribute, folder)
    medians = {population.split("=", 1)[1]: median for population, median in medians.items()}
    return Times(attribute, sizes, medians, *(overall.get(kind) for kind in TIMED))


def _sizes(cohort: Cohort, pathway: Pathway, attribute: str, folder: Path) -> dict[str, int]:
    """Return level of an attribute -> patients, from the case_mix rows."""
    sizes, at = population_sizes.of_levels(cohort, pathway, attribute), str(folder / "targets.csv")
    for level in pathway.attributes[attribute].levels:
        if level not in sizes:
            what = f"a reported time needs a case_mix row for {attribute}={level}"
            raise InputError(what, where=at, allowed="one level without a row has the rest of the cohort")
    total = sum(sizes.values())
    if total != cohort.n:
        what = f"the case_mix rows of {attribute} do not add up to the cohort"
        raise InputError(what, where=at, got=total, allowed=str(cohort.n))
    return sizes
