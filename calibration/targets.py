"""A cohort's targets as the calibration reads them: typed rows, checked against the pathway, each with its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.cells import Row, Tables, cells_of, enumerate_tables, equations
from simulator.cohort import Cohort, read_cohort
from simulator.draws import cohorts_folder
from simulator.errors import InputError
from simulator.graph import unknown
from simulator.pathway import Pathway
from simulator.pathway_file import load_pathway

KINDS = ("patients", "survivors", "deaths", "entered", "median", "minimum", "maximum", "median_follow_up")
USES = ("likelihood", "predictive", "case_mix")


@dataclass(frozen=True)
class Branching:
    """Of n patients of a population, how many ever entered each of some states that exclude one another."""

    population: str
    states: tuple[str, ...]
    counts: tuple[int, ...]
    n: int


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
    """Everything that enters the likelihood."""

    cohort: Cohort
    pathway: Pathway
    folder: Path
    seed: int
    tables: Tables | None
    branchings: tuple[Branching, ...]
    spread: Spread | None


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
    from simulator import toml_file

    folder = find_folder(name)
    cohort = read_cohort(folder)
    told = toml_file.read(folder / "cohort.toml")
    pathway = load_pathway(_pathway_of(told.get("pathway"), folder))
    if cohort.clock != pathway.clock:
        raise unknown("clock", cohort.clock, [pathway.clock], f"{folder / 'cohort.toml'}: clock")
    _check_rows(cohort, pathway, folder)
    used = cohort.targets[cohort.targets["use"] == "likelihood"]
    seed = told.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise InputError("'seed' is missing or no whole number", where=str(folder / "cohort.toml"), got=seed)
    return Targets(
        cohort=cohort,
        pathway=pathway,
        folder=folder,
        seed=seed,
        tables=_tables(cohort, pathway, used, folder),
        branchings=tuple(_branchings(used, folder)),
        spread=_spread(cohort, pathway, used, folder),
    )


def _pathway_of(named: object, folder: Path) -> str | Path:
    if not isinstance(named, str):
        raise InputError("'pathway' is missing", where=str(folder / "cohort.toml"))
    return folder / named if named.endswith(".toml") else named


def where(folder: Path, index: int) -> str:
    """Return the place of a targets row: the header is line 1."""
    return f"{folder / 'targets.csv'}: line {index + 2}"


def _check_rows(cohort: Cohort, pathway: Pathway, folder: Path) -> None:
    arms = {arm for members in cohort.arms.values() for arm in members}
    for arm in sorted(arms):
        if arm != "all" and arm not in pathway.groups:
            raise unknown("group", arm, pathway.groups, f"{folder / 'cohort.toml'}: [arms]")
    for index, row in cohort.targets.iterrows():
        at = where(folder, int(str(index)))
        if row["kind"] not in KINDS:
            raise unknown("kind", row["kind"], KINDS, at)
        if row["use"] not in USES:
            raise unknown("use", row["use"], USES, at)
        if not str(row["place"]).strip():
            raise InputError(
                "a target has no place in its source", where=at, got=row["name"], allowed="where it is read"
            )
        if row["state"] and row["state"] not in pathway.states:
            raise unknown("state", row["state"], pathway.states, at)
        levels = [f"{name}={level}" for name, each in pathway.attributes.items() for level in each.levels]
        if row["population"] not in cohort.arms and row["population"] not in levels:
            raise unknown("population", row["population"], [*cohort.arms, *levels], at)
        count, n = row["count"], row["n"]
        if np.isfinite(count) and np.isfinite(n) and not 0 <= count <= n:
            raise InputError(
                "more than there are", where=at, got=f"{count:g} of {n:g}", allowed=f"0 to {n:g}"
            )


def _tables(cohort: Cohort, pathway: Pathway, used: pd.DataFrame, folder: Path) -> Tables | None:
    rows = []
    for index, row in used[used["kind"].isin(["patients", "survivors", "deaths"])].iterrows():
        at = where(folder, int(str(index)))
        if row["population"] not in cohort.arms:
            raise InputError(
                "not an arm of the cohort", where=at, got=row["population"], allowed=", ".join(cohort.arms)
            )
        if not np.isfinite(row["count"]):
            raise InputError("a count is missing", where=at, got=row["name"])
        rows.append(
            Row(
                row["kind"],
                row["population"],
                row["state"],
                row["month"],
                int(row["count"]),
                int(row["n"]),
                at,
            )
        )
    if not rows:
        return None
    arms = list(dict.fromkeys(arm for members in cohort.arms.values() for arm in members))
    cells = cells_of(rows, arms, cohort.arms, pathway.deaths)
    return enumerate_tables(cells, equations(rows, cells, cohort.arms), str(folder / "targets.csv"))


def _branchings(used: pd.DataFrame, folder: Path) -> list[Branching]:
    """Return the sets of `entered` rows: rows of one population in a row, until their counts add up to its n."""
    found, states, counts = [], list[str](), list[int]()
    rows = used[used["kind"] == "entered"]
    for place, (index, row) in enumerate(rows.iterrows()):
        states.append(row["state"])
        counts.append(int(row["count"]))
        n = int(row["n"])
        if sum(counts) > n:
            raise InputError(
                "more than there are",
                where=where(folder, int(str(index))),
                got=sum(counts),
                allowed=f"up to {n}",
            )
        following = rows.iloc[place + 1] if place + 1 < len(rows) else None
        if (
            sum(counts) == n
            or following is None
            or (following["population"], following["n"]) != (row["population"], row["n"])
        ):
            found.append(Branching(row["population"], tuple(states), tuple(counts), n))
            states, counts = [], []
    return found


def _spread(cohort: Cohort, pathway: Pathway, used: pd.DataFrame, folder: Path) -> Spread | None:
    rows = used[used["kind"].isin(["median", "minimum", "maximum"])]
    if rows.empty:
        return None
    overall: dict[str, float] = {}
    medians: dict[str, float] = {}
    attribute = None
    for index, row in rows.iterrows():
        if row["population"] == "all":
            overall[row["kind"]] = float(row["value"])
            continue
        if row["kind"] != "median":
            raise InputError(
                "only a median can be told of a level", where=where(folder, int(str(index))), got=row["kind"]
            )
        attribute, level = row["population"].split("=", 1)
        medians[level] = float(row["value"])
    sizes = {"all": cohort.n}
    if attribute is not None:
        mix = cohort.targets[(cohort.targets["use"] == "case_mix")].set_index("attribute")["count"]
        levels = pathway.attributes[attribute].levels
        missing = [level for level in levels if f"{attribute}={level}" not in mix.index]
        if missing:
            raise InputError(
                f"no case_mix row for {attribute}={missing[0]}", where=str(folder / "targets.csv")
            )
        sizes = {level: int(mix[f"{attribute}={level}"]) for level in levels}
    return Spread(
        attribute, sizes, medians, overall.get("median"), overall.get("minimum"), overall.get("maximum")
    )
