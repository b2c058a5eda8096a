"""A calibrated cohort's data files: reported figures, the posterior, and its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from simulator.errors import InputError, UnknownNameError
from simulator.files import csv, toml
from simulator.pathway.end_points import EndPoint, EndPointTable, end_point
from simulator.pathway.pathway import FROM_PRIORS, Group, Pathway

if TYPE_CHECKING:
    import pandas as pd

FILE = "cohort.toml"
TARGETS = {
    "text": ("name", "kind", "population", "state", "attribute", "unit", "place", "use", "note"),
    "number": ("month", "count", "n", "value", "standard_error"),
    "optional": ("lower", "upper", "landmark", "quantile"),
    "printed": ("value", "standard_error", "lower", "upper"),
}
OPTIONAL_TEXTS = ("from", "end_point", "cause", "versus", "limit", "curve")
"""Columns of text that targets.csv need not have."""
_SUMMARY = ("mean", "sd", "lower", "median", "upper")
PATIENTS_FILE = "patients.csv"
PATIENTS = {"text": ("population",), "number": ("month", "event"), "printed": ("month",)}
POSTERIOR = {
    "text": ("parameter", "unit"),
    "number": (
        *(f"prior_{statistic}" for statistic in _SUMMARY),
        *(f"posterior_{statistic}" for statistic in _SUMMARY),
        "contraction",
    ),
    "optional": ("conflict",),
}
PREDICTIVE = {
    "text": ("target", "population", "unit", "inside", "use", "place"),
    "number": ("month", "reported", "standard_error", "count", "n", "simulated", "lower", "upper"),
    "optional": ("prior_simulated", "prior_lower", "prior_upper"),
}

UNINFORMED = 0.1
"""A contraction below this leaves the prior about as wide as it was."""

MOVED = 0.5
"""Prior standard deviations: a mean that moves more is informed by the cohort in spite of that."""

CONFLICT = 1.96
"""Standard deviations of its prior predictive distribution: a posterior mean further out conflicts with the prior."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Lever = dict[str, Number | str]
"""Number, or the name of the row of targets.csv that reports it; by the name of the parameter."""


Names = str | list[str]


class FollowUpTable(toml.Table):
    """Months between which survivors' follow-up ends."""

    family: Literal["uniform"] = "uniform"
    lower: Number
    upper: Number
    reason: str = ""


class PopulationTable(toml.Table):
    """Patients who entered one of `entered`, each of `entered_all` and none of `not_entered`: one of the first two."""

    label: toml.Line = ""
    entered: Names = Field(default_factory=list)
    entered_all: Names = Field(default_factory=list)
    not_entered: Names = Field(default_factory=list)


class Reading(toml.Table):
    """Another way to read the source: rows of targets.csv, by name, that it leaves out and that it fits instead."""

    meaning: str
    leave_out: Names = Field(default_factory=list)
    fit: Names = Field(default_factory=list)

    @property
    def rows(self) -> tuple[list[str], list[str]]:
        """The rows that it leaves out, and those that it fits instead."""
        return _several(self.leave_out), _several(self.fit)


class Structure(toml.Table):
    """Another structure of the model, fitted to the same patients.

    reading : of the cohort, "" for the declared rows; pathway : a file in its folder, "" for the cohort's own
    prior_weight : patients that its centred priors are worth, see `priors.of_weight`; None as declared
    populations : that take the place of the cohort's populations of these names
    entered : state that rows count entries into -> the states of the pathway that count as it
    """

    meaning: toml.Line
    reading: str = ""
    pathway: str = ""
    prior_weight: Annotated[Number, Field(gt=0)] | None = None
    populations: dict[str, PopulationTable] = Field(default_factory=dict)
    entered: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)


class CohortTable(toml.Table):
    """A cohort's cohort.toml."""

    title: toml.Line
    citation: toml.Line
    doi: toml.Line = ""
    licence: str = ""
    pathway: str
    clock: str
    n: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    arms: dict[str, Annotated[list[str], Field(min_length=1)]]
    populations: dict[str, PopulationTable] = Field(default_factory=dict)
    end_points: dict[str, EndPointTable] = Field(default_factory=dict)
    readings: dict[str, Reading] = Field(default_factory=dict)
    structures: dict[str, Structure] = Field(default_factory=dict)
    follow_up: FollowUpTable | None = None
    no_censoring_before: Annotated[Number, Field(ge=0)] = 0.0
    dependence: str = ""
    reason: str = ""
    evidence: toml.Line = ""
    same_patients: list[str] = Field(default_factory=list)
    unreported: dict[str, Annotated[list[Number], Field(min_length=2, max_length=2)]] = Field(default_factory=dict)
    marginal_benefit: Annotated[Number, Field(ge=0, le=1)] = 1.0
    set: Lever = Field(default_factory=dict)
    scale: Lever = Field(default_factory=dict)
    odds_ratio: Lever = Field(default_factory=dict)
    hazard_ratio: Lever = Field(default_factory=dict)


def is_silent(row: Mapping[Any, Any]) -> bool:
    """Return whether the cohort left a parameter's prior as it was. row : of posterior.csv"""
    moved = abs(row["posterior_mean"] - row["prior_mean"])
    return bool(row["contraction"] < UNINFORMED and moved < MOVED * row["prior_sd"])


def is_in_conflict(row: Mapping[Any, Any]) -> bool:
    """Return whether a parameter's likelihood conflicts with its prior. row : of posterior.csv"""
    return bool(abs(row.get("conflict", float("nan"))) > CONFLICT and not is_silent(row))


@dataclass(frozen=True)
class Cohort:
    """The data of one reported cohort.

    folder : with its files; declared : its cohort.toml
    n : patients; clock : the clock that its months count from; arms : population -> its disjoint arms
    structures : other structures of the model, by name; alike : state -> the states that count as it in one of them
    follow_up : months between which survivors' follow-up ends, or None
    no_censoring_before : no follow-up ended before this month; 0 where that is unknown
    targets, patients, posterior, predictive : the CSV files of its folder; blanks are NaN in columns of numbers.
    Targets and patients are indexed by their line. patients is None where no row is of their times, or there is no such
    file; posterior and predictive are None where the cohort has not been fitted.
    """

    folder: Path
    declared: CohortTable
    name: str
    title: str
    citation: str
    clock: str
    n: int
    arms: Mapping[str, tuple[str, ...]]
    follow_up: tuple[float, float] | None
    targets: pd.DataFrame
    patients: pd.DataFrame | None = None
    posterior: pd.DataFrame | None = None
    predictive: pd.DataFrame | None = None
    doi: str = ""
    no_censoring_before: float = 0.0
    structures: Mapping[str, Structure] = field(default_factory=dict)
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Population, an arm or a level of an attribute -> its size, from the first row that reports it."""
        sizes: dict[str, int] = {}
        for row in self.targets.to_dict("records"):
            if row["kind"] != "patients" or row["state"] or not isfinite(row["count"]):
                continue
            everybody = self.is_everybody(row["population"])
            name = row["attribute"] if everybody else row["population"]
            if name and row["attribute"] in ("", name) and (row["n"] == self.n or not everybody):
                sizes.setdefault(name, int(row["count"]))
        return sizes

    @cached_property
    def populations(self) -> dict[str, Group]:
        """Patients whom only this cohort names, each an arm of its own."""
        return {name: _population(name, of) for name, of in self.declared.populations.items()}

    @cached_property
    def end_points(self) -> dict[str, EndPoint]:
        """Events that only this cohort names."""
        return {name: end_point(name, of) for name, of in self.declared.end_points.items()}

    @property
    def file(self) -> Path:
        """Its cohort.toml."""
        return self.folder / FILE

    def structure(self, name: str) -> Structure:
        """Return another structure of the model by its name. Raises InputError."""
        if name not in self.structures:
            raise UnknownNameError("structure", name, self.structures, f"{self.file}: [structures]")
        return self.structures[name]

    def read_as(self, structure: Structure) -> Cohort:
        """Return the cohort in the reading, with the populations and states, of a structure. Raises InputError."""
        targets = {name: self._targets(name, *of.rows) for name, of in self.declared.readings.items()}
        if (reading := structure.reading) and reading not in targets:
            raise UnknownNameError("reading", reading, targets, f"{self.file}: [readings]")
        populations = {**self.declared.populations, **structure.populations}
        declared = self.declared.model_copy(update={"populations": populations})
        return replace(self, declared=declared, targets=targets.get(reading, self.targets), alike=structure.entered)

    def _targets(self, reading: str, leave_out: list[str], fit: list[str]) -> pd.DataFrame:
        """Return the rows of targets.csv with the uses of another reading."""
        rows, at = self.targets.copy(), f"{self.file}: [readings.{reading}]"
        for key, names, use in (("leave_out", leave_out, "predictive"), ("fit", fit, "likelihood")):
            for name in names:
                if name not in set(rows["name"]):
                    raise UnknownNameError("row of targets.csv", name, list(rows["name"]), f"{at} {key}")
            changed = rows["name"].isin(names)
            if (rows["use"][changed] == use).any():
                got = rows["name"][changed & (rows["use"] == use)].iloc[0]
                other = "is not fitted, so that it cannot be left out" if use == "predictive" else "is fitted already"
                raise InputError(f"a row {other}", where=f"{at} {key}", got=got, allowed="the names of other rows")
            rows.loc[changed, "use"] = use
        return rows

    def named(self, pathway: Pathway) -> Pathway:
        """Return a pathway with the populations that only this cohort names, as groups. Raises InputError."""
        for name, population in self.populations.items():
            at = f"{self.file}: [populations.{name}]"
            if name in pathway.groups:
                what = "a population with the name of a group of the pathway"
                raise InputError(what, where=at, allowed="another name")
            if not population.entered:
                what, allowed = "a population of patients who entered no state", "`entered`, `entered_all`, or both"
                raise InputError(what, where=at, allowed=allowed)
            for state in population.states:
                if state not in pathway.states:
                    raise UnknownNameError("state", state, pathway.states, at)
        for state in {*self.alike, *chain(*self.alike.values())} - set(pathway.states):
            raise UnknownNameError("state", state, pathway.states, f"{self.file}: [structures] entered")
        return replace(pathway, groups={**pathway.groups, **self.populations})

    def states_of(self, state: str) -> tuple[str, ...]:
        """Return the states that count as a state of its rows, "" for any death."""
        return tuple(self.alike.get(state, (state,)))

    def is_everybody(self, population: str) -> bool:
        """Return whether an arm is the whole cohort."""
        return population == "all" or "all" in self.arms.get(population, ())

    def reported_survival(self, population: str, clock: str) -> pd.DataFrame:
        """Return the reported survival of a population (month, count, n, value, standard_error), in percent.

        Empty on any clock but the cohort's.
        """
        rows = self.targets if clock == self.clock else self.targets.iloc[:0]
        chosen = (rows["kind"] == "survivors") & (rows["unit"] == "%") & (rows["population"] == population)
        return rows.loc[chosen, ["month", "count", "n", "value", "standard_error"]].sort_values("month")


def cohorts_folder() -> Path:
    """Return the folder of the shipped cohorts: data next to the calibration's code, which is not imported."""
    spec = find_spec("calibration")
    if spec is None or spec.origin is None:
        raise InputError("the calibration package is not installed", where="calibration")
    return Path(spec.origin).parent / "cohorts"


def shipped_cohorts() -> list[str]:
    """Return the names of the shipped cohorts, in their order."""
    return sorted(folder.name for folder in cohorts_folder().iterdir() if (folder / FILE).is_file())


def cohort_folder(pathway: Pathway) -> Path | None:
    """Return the folder of the cohort that a pathway's draws are fitted to; None if they are not fitted to one.

    `draws` names a folder with a cohort.toml, relative to the pathway's file, or draws.csv in it; or a shipped cohort.
    Raises InputError if it names neither.
    """
    if pathway.draws in (None, FROM_PRIORS):
        return None
    path = draws_path(pathway)
    folder = path.parent if path.name == "draws.csv" else path
    if (folder / FILE).is_file():
        return folder
    if path.suffix == ".csv":
        return None
    shipped = shipped_cohorts()
    if pathway.draws in shipped:
        return cohorts_folder() / pathway.draws
    raise UnknownNameError("cohort or folder with a cohort.toml", pathway.draws, shipped, f"{pathway.where}: draws")


def draws_path(pathway: Pathway) -> Path:
    """Return what a pathway's `draws` names, as a path: relative to the file that says so."""
    declared = pathway.fitted
    assert declared.draws is not None
    return (declared.file.parent if declared.file else Path()) / declared.draws


def load_cohort(pathway: Pathway) -> Cohort | None:
    """Return the cohort that a pathway's draws come from; None if it has none. Raises InputError if it is malformed.

    Without predictions, and with the parameters that it informs only, where the pathway extends the fitted one.
    """
    folder = cohort_folder(pathway)
    cohort = None if folder is None else read_cohort(folder)
    if cohort is None or pathway.fitted is pathway:
        return cohort
    posterior = cohort.posterior
    if posterior is not None:
        posterior = posterior[~posterior["parameter"].isin(pathway.from_priors)].reset_index(drop=True)
    return replace(cohort, predictive=None, posterior=posterior)


def declared_in(folder: Path) -> CohortTable:
    """Return the cohort.toml of a folder, without importing pandas. Raises InputError naming the key."""
    path = folder / FILE
    table = toml.load(CohortTable, path)
    for name in table.populations:
        if name in table.arms or name == "all" or "=" in name:
            what, allowed = "a population with the name of an arm or a level", "another name"
            raise InputError(what, where=f"{path}: [populations]", got=name, allowed=allowed)
    for name, of in table.structures.items():
        where = f"{path}: [structures.{name}]"
        if of.reading and of.reading not in table.readings:
            raise UnknownNameError("reading", of.reading, table.readings, f"{where} reading")
        for population in of.populations:
            if population not in table.populations:
                raise UnknownNameError("population", population, table.populations, f"{where} populations")
        if not (of.reading or of.pathway or of.prior_weight):
            allowed = "a reading, a pathway, a prior_weight, or several"
            raise InputError("the structure of the cohort itself", where=where, allowed=allowed)
    return table


def read_cohort(folder: Path) -> Cohort:
    """Return the cohort whose files are in a folder. Raises InputError naming the file and the key or column."""
    table = declared_in(folder)
    targets = csv.read(folder / "targets.csv", **TARGETS)
    has_times, path = (targets["kind"] == "patient_times").any(), folder / PATIENTS_FILE
    patients = csv.read(path, **PATIENTS) if has_times and path.exists() else None
    posterior, predictive = (
        csv.read(path, **columns).reset_index(drop=True) if path.exists() else None
        for path, columns in ((folder / "posterior.csv", POSTERIOR), (folder / "predictive.csv", PREDICTIVE))
    )
    return Cohort(
        folder=folder,
        declared=table,
        # The given path may be "." or "..".
        name=folder.resolve().name,
        title=table.title,
        citation=table.citation,
        doi=table.doi,
        clock=table.clock,
        n=table.n,
        arms={
            **{name: tuple(members) for name, members in table.arms.items()},
            **{name: (name,) for name in table.populations},
        },
        structures=table.structures,
        follow_up=None if table.follow_up is None else (table.follow_up.lower, table.follow_up.upper),
        no_censoring_before=table.no_censoring_before,
        targets=targets,
        patients=patients,
        posterior=posterior,
        predictive=predictive,
    )


def _population(name: str, of: PopulationTable) -> Group:
    entered, not_entered, entered_all = (tuple(_several(of)) for of in (of.entered, of.not_entered, of.entered_all))
    # Of states that patients have entered each, any one is one of those that they have entered.
    return Group(name, of.label or name.replace("_", " "), entered or entered_all[:1], not_entered, entered_all)


def _several(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names
