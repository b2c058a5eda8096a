"""A cohort's targets as the calibration reads them: typed rows, checked against the pathway, each with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from calibration.reported.kinds import COUNTED, GONE, PERCENTAGE, TIMED, by_month, counted_as
from calibration.reported.overlaps import check_apart
from calibration.reported.percentages import Percentage, at_risk_warning, cut_warning
from calibration.reported.ways_out import ways_out
from simulator.engines.model import check_numbers, resolve
from simulator.errors import InputError
from simulator.evidence.cohort import Cohort, cohorts_folder, read_cohort
from simulator.pathway.checks import unknown
from simulator.pathway.format import named_pathway
from simulator.pathway.pathway import Group, Pathway, attributes_in, reachable, references_of
from simulator.scenario.scenario import Scenario


@dataclass(frozen=True)
class Spread:
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

    dependence : what the model owes to the cohort's paper, in words
    fixed_benefit : whether the cohort says what its marginal patients gain, so that it does not inform it
    sizes : of the table's arms, those that the branchings count already
    """

    cohort: Cohort
    scenario: Scenario
    folder: Path
    seed: int
    tables: Tables | None
    branchings: tuple[Branching, ...]
    spread: Spread | None
    sizes: Tables | None = None
    percentages: tuple[Percentage, ...] = ()
    fixed_benefit: bool = False
    dependence: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def pathway(self) -> Pathway:
        return self.scenario.pathway


def find_folder(name: str | Path) -> Path:
    """Return the folder of a shipped cohort, or one of the user's own. Raises InputError."""
    path = Path(name)
    if path.is_dir():
        return path
    known = sorted(each.name for each in cohorts_folder().iterdir() if each.is_dir())
    if str(name) not in known:
        raise unknown("cohort", str(name), known, "cohort")
    return cohorts_folder() / str(name)


def load_targets(name: str | Path) -> Targets:
    """Return a cohort's targets, checked. Raises InputError naming the file and the line."""
    from simulator.files import toml

    folder = find_folder(name)
    cohort = read_cohort(folder)
    told = toml.read(folder / "cohort.toml")
    pathway = named_pathway(told["pathway"], folder / "cohort.toml")
    check_numbers(pathway)
    check_somebody(cohort, folder)
    return read_targets(cohort, pathway, told, folder)


def with_rows(targets: Targets, rows: pd.DataFrame) -> Targets:
    """Return the targets of other rows, whose patients are treated as the cohort's own were. Raises InputError."""
    cohort = replace(targets.cohort, targets=rows, posterior=None, predictive=None)
    scenario = replace(targets.scenario, population=mix_of(cohort, targets.pathway, targets.folder))
    return read_targets(cohort, targets.pathway, {"seed": targets.seed}, targets.folder, scenario)


def read_targets(
    cohort: Cohort, pathway: Pathway, told: Mapping[str, Any], folder: Path, scenario: Scenario | None = None
) -> Targets:
    """Return what the rows of a cohort mean to the likelihood. Raises InputError.

    told : its cohort.toml; scenario : the pathway set to it, by default as that says
    """
    check_cohort(cohort, pathway, folder)
    contradictions.check_told_once(cohort.targets, folder)
    scenario = scenario or scenario_of(cohort, pathway, told, folder)
    model = resolve(scenario)
    ways = {name: [to for _, to in each] for name, each in model.open_ways}
    contradictions.check(cohort, pathway, ways, folder)
    used = cohort.targets[cohort.targets["use"] == "likelihood"]
    used = used.assign(kind=[counted_as(row, pathway) for row in used.to_dict("records")])
    told_in_percent = read_percentages(cohort, folder)
    out = ways_out(used, cohort.arms, ways, pathway.deaths)
    order = Order(pathway.clock_state, ways)
    in_table = used[used["kind"].isin(COUNTED) | used.index.isin(out)]
    check_apart(used, list(in_table.index), cohort, model, folder)
    rows = _rows(in_table, folder)
    branchings = tuple(_branchings(used, out, cohort, pathway, order, folder))
    return Targets(
        cohort=cohort,
        scenario=scenario,
        folder=folder,
        seed=told["seed"],
        tables=_tables(cohort, pathway, rows, folder),
        branchings=branchings,
        spread=_spread(cohort, pathway, used, folder),
        sizes=counted_sizes(rows, branchings, cohort, pathway, order, str(folder / "targets.csv")),
        dependence=str(told.get("dependence", "")),
        fixed_benefit="marginal_benefit" in told,
        percentages=tuple(each for index, each in told_in_percent.items() if index in used.index),
        warnings=(
            *(each.warning for each in told_in_percent.values() if each.warning),
            *(
                warning
                for index, row in cohort.targets.iterrows()
                for warn in (cut_warning, at_risk_warning)
                if (warning := warn(row, cohort, where(folder, index)))
            ),
        ),
    )


def read_percentages(cohort: Cohort, folder: Path) -> dict[object, Percentage]:
    """Return the rows that tell survival in percent, by their index."""
    rows = cohort.targets[cohort.targets["kind"] == PERCENTAGE]
    return {index: percentages.read(row, cohort, where(folder, index)) for index, row in rows.iterrows()}


def _rows(used: pd.DataFrame, folder: Path) -> list[Row]:
    return [
        Row(
            row["kind"],
            row["population"],
            row["state"],
            by_month(row["month"]),
            int(row["count"]),
            int(row["n"]),
            where(folder, i),
        )
        for i, row in used.iterrows()
    ]


def _tables(cohort: Cohort, pathway: Pathway, rows: Sequence[Row], folder: Path) -> Tables | None:
    if not rows:
        return None
    arms = list(dict.fromkeys(arm for members in cohort.arms.values() for arm in members))
    cells = cells_of(rows, arms, cohort.arms, pathway.deaths)
    told = equations(rows, cells, cohort.arms, cohort.n, f"{folder / 'cohort.toml'}: n")
    return Tables(cells, told, str(folder / "targets.csv"))


def _branchings(
    used: pd.DataFrame, out: Sequence[object], cohort: Cohort, pathway: Pathway, order: Order, folder: Path
) -> list[Branching]:
    """Return the `entered` rows, those of the same patients together. out : the index of those in the table."""
    entered: dict[tuple[str, int], list[Event]] = {}
    in_table: dict[tuple[str, int], list[Event]] = {}
    rows = used[used["kind"] == "entered"]
    for name, told in rows.groupby("population", sort=False):
        population = str(name)
        places = {str(row["state"]): where(folder, index) for index, row in told.iterrows()}
        groups = [pathway.groups[arm] for arm in cohort.arms[population] if arm in pathway.groups]
        _check_settled(pathway, population, groups, places)
    for index, row in used[used["kind"].isin(["entered", *GONE])].iterrows():
        found = entered if row["kind"] == "entered" and index not in out else in_table
        mine = found.setdefault((str(row["population"]), int(row["n"])), [])
        event = event_of(row, pathway, index)
        if any((each.states, each.month) == (event.states, event.month) for each in mine) and found is entered:
            raise InputError("a state has more than one row", where=where(folder, index), got=row["state"])
        if event not in mine:
            mine.append(event)
    return branchings_of(entered, in_table, order)


def event_of(row: pd.Series, pathway: Pathway, line: object) -> Event:
    """Return what a row counts, 0 if it prints a percentage: who entered its state, or any death, by its month."""
    states = (str(row["state"]),) if row["state"] else pathway.deaths
    count = row["n"] - row["count"] if row["kind"] == "survivors" else row["count"]
    return Event(states, by_month(row["month"]), 0 if row["kind"] == PERCENTAGE else int(count), line=line)


def _check_settled(pathway: Pathway, population: str, groups: Sequence[Group], places: Mapping[str, str]) -> None:
    """Refuse a state that is entered before the clock, or twice, or before it is settled who is of the population.

    places : state -> its line
    groups : that the population consists of; none if it is everybody
    """
    model = resolve(Scenario(name=pathway.name, pathway=pathway, file=pathway.file))
    ways = {name: [to for _, to in each] for name, each in model.open_ways}
    own = [pathway.groups[population]] if population in pathway.groups else groups if population != "all" else []
    deciding = {state for group in own for state in (*group.entered, *group.not_entered)}
    since_clock = reachable([pathway.clock_state], ways.__getitem__)
    for name, at in places.items():
        ahead = reachable(ways[name], ways.__getitem__)
        if name not in since_clock:
            what = f"no patients enter {name} after {pathway.clock_state}, from which the months of the cohort count"
            raise InputError(what, where=at, got=name, allowed='use = "predictive"')
        if name in ahead:
            raise InputError("a state that patients can enter twice cannot be fitted", where=at, got=name)
        if open_still := sorted(deciding & ahead):
            what = (
                f"patients who enter {name} may enter {open_still[0]} later, so membership of {population} is not yet "
                "decided"
            )
            raise InputError(what, where=at, got=name, allowed='use = "predictive"')


def _spread(cohort: Cohort, pathway: Pathway, used: pd.DataFrame, folder: Path) -> Spread | None:
    rows = used[used["kind"].isin(TIMED)]
    if rows.empty:
        return None
    of = [population_sizes.of_row(cohort, row) for _, row in rows.iterrows()]
    told = list(zip(of, rows["kind"], rows["value"].astype(float), strict=True))
    overall = {kind: value for whom, kind, value in told if population_sizes.is_everybody(cohort, whom)}
    medians = {whom: value for whom, _, value in told if not population_sizes.is_everybody(cohort, whom)}
    # The time may differ by an attribute of which no median is reported.
    named = {median.split("=")[0] for median in medians}
    for way in pathway.states[pathway.start].transitions:
        named |= {each for reference in references_of(way) for each in attributes_in(reference)}
    if len(named) > 1:
        raise InputError(
            "times that differ by more than one attribute cannot be fitted",
            where=where(folder, rows.index[0]),
            got=", ".join(sorted(named)),
        )
    if not named:
        return Spread(None, {"all": cohort.n}, {}, *(overall.get(kind) for kind in TIMED))
    (attribute,) = named
    sizes = _sizes(cohort, pathway, attribute, folder)
    medians = {population.split("=", 1)[1]: median for population, median in medians.items()}
    return Spread(attribute, sizes, medians, *(overall.get(kind) for kind in TIMED))


def _sizes(cohort: Cohort, pathway: Pathway, attribute: str, folder: Path) -> dict[str, int]:
    """Return level of an attribute -> patients, from the case_mix rows."""
    sizes = {}
    told = cohort.targets[(cohort.targets["use"] == "case_mix") & (cohort.targets["kind"] == "patients")]
    for level in pathway.attributes[attribute].levels:
        mine = told[told["attribute"] == f"{attribute}={level}"]
        if mine.empty:
            raise InputError(f"no case_mix row for {attribute}={level}", where=str(folder / "targets.csv"))
        sizes[level] = int(mine["count"].iloc[0])
    if sum(sizes.values()) != cohort.n:
        raise InputError(
            f"the case_mix rows of {attribute} do not add up to the cohort",
            where=str(folder / "targets.csv"),
            got=sum(sizes.values()),
            allowed=str(cohort.n),
        )
    return sizes
