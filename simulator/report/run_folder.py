"""A run's folder: its figures and report.html, written with the run and rewritten from its tables."""

from __future__ import annotations

import gc
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from simulator.engines.curves import LONGEST, populations
from simulator.errors import InputError
from simulator.evidence.cohort import load_cohort
from simulator.execution import Pool
from simulator.experiment.parts import report_months
from simulator.experiment.results import DIGITS, Results
from simulator.experiment.summaries import SHARES
from simulator.figures import picture
from simulator.figures.gallery import gallery
from simulator.files import csv, lock, toml
from simulator.files import text as text_file
from simulator.files import whole as whole_file
from simulator.outcomes import target as targets
from simulator.outcomes.labels import labelled
from simulator.outcomes.resource_use import QUEUES
from simulator.pathway import shipped
from simulator.pathway.case_mix import CaseMixTable
from simulator.pathway.format import load_pathway
from simulator.pathway.milestones import with_milestones
from simulator.pathway.outcome_months import alive_at, mean_to
from simulator.pathway.pathway import Pathway
from simulator.report import at_risk, explorer_of_run, summary, workbook
from simulator.report.page import html
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario, check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST = 10_000_000
"""Largest size of a manifest in bytes; a hundred scenarios need a few hundred thousand."""

_ENDS = ("lower", "upper", "monte_carlo_se")
_ESTIMATES = ("outcome", "unit", "estimate", *_ENDS)
_DIFFERENCES = ("difference", *(f"difference_{end}" for end in _ENDS))
TABLES = {
    "survival": ("scenario", "clock", "population", "month", "survival", *_ENDS),
    "outcomes": ("scenario", "clock", "population", *_ESTIMATES, *_DIFFERENCES),
    "occupancy": ("scenario", "clock", "month", "state", "probability"),
}
END_POINTS = ("scenario", "clock", "population", "end_point", "cause", "month", "probability", *_ENDS)
BENEFIT = ("scenario", "clock", "month", "share", *_DIFFERENCES, "by_other_cohorts", "by_the_prior_alone")
_MEASURES = ("", *(f"_{end}" for end in (*_ENDS, "least", "most")))
RESOURCE_TABLES = {
    "service": (
        *("scenario", "resource", "arrival_year", *_ESTIMATES),
        *("replication_sd", "replications_wanted", *_DIFFERENCES),
    ),
    "waits_by_group": (
        *("scenario", "resource", "by", "level", *_ESTIMATES),
        *("replication_sd", "replications_wanted", *_DIFFERENCES),
    ),
    "queue": (
        *("scenario", "resource", "month"),
        *(f"{name}{measure}" for name in ("waiting", "in_use") for measure in _MEASURES),
    ),
}
"""Table -> its columns."""
ADDED = {"difference": ("difference_same_sign",), "waiting": tuple(QUEUES)}
"""Column -> columns next to it that runs of earlier versions do not have."""
_SHARE, _NOT_NEGATIVE = (0.0, 1.0), (0.0, math.inf)
_WITHIN = {
    "month": (0.0, LONGEST),
    **dict.fromkeys(("survival", "share", "by_other_cohorts", "by_the_prior_alone"), _SHARE),
    "probability": _SHARE,
    **dict.fromkeys(("monte_carlo_se", "difference_monte_carlo_se", "waiting", "in_use"), _NOT_NEGATIVE),
}
"""Column -> the lowest and highest value that its numbers may have, within rounding."""
ROUNDING = 1e-6


class _Scenario(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    title: str = ""
    question: str = ""
    rationale: str = ""
    assumes: str = ""
    marginal_benefit: float | str = 1.0
    set: dict[str, float] = Field(default_factory=dict)
    scale: dict[str, float] = Field(default_factory=dict)
    odds_ratio: dict[str, float] = Field(default_factory=dict)
    replace: dict[str, str] = Field(default_factory=dict)
    hazard_ratio: dict[str, float | dict[str, Any]] = Field(default_factory=dict)
    population: dict[str, dict[str, float]] = Field(default_factory=dict)
    case_mix: list[CaseMixTable] = Field(default_factory=list)
    capacity: dict[str, Capacity] = Field(default_factory=dict)
    service: Service | None = None
    milestones: list[str] = Field(default_factory=list)


class _Pathway(BaseModel):
    name: str
    file: str | None = None
    sha256: str | None = None


class _File(BaseModel):
    file: str
    what: str
    sha256: str


class _Manifest(BaseModel):
    """The keys of a manifest that a report reads."""

    pathway: _Pathway
    scenarios: Annotated[list[_Scenario], Field(min_length=1)]
    horizon: Annotated[float, Field(gt=0, le=LONGEST)]
    draws: Annotated[int, Field(ge=1)]
    replications: Annotated[int, Field(ge=1)]
    rough: bool = False
    stale_draws: str | None = None
    seed: Annotated[int, Field(ge=0)] = 1
    files: list[_File] = Field(default_factory=list)
    target: str | None = None
    resource: str = ""


def write(results: Results, folder: Path, pool: Pool | None = None, *, excel: bool = False, pdf: bool = False) -> Path:
    """Write a run's figures, numbers at risk and report.html into an existing folder; return the page's path.

    pool : the processes that draw the figures; None: this one; excel, pdf : also a workbook, and a summary where a
    browser can print it: see `workbook` and `summary`
    It links to an explorer that is there. Raises OSError if the folder cannot be written, InputError if the cohort's
    files are malformed.
    """
    cohort = load_cohort(results.scenarios[0].pathway)
    # What is there by now stays: only among what figures leave is garbage looked for.
    gc.freeze()
    try:
        pictures = gallery(results, cohort, pool)
        explorer = explorer_of_run.NAME if (folder / explorer_of_run.NAME).exists() else ""
        page = html(results, cohort=cohort, figures=pictures, explorer=explorer)
        picture.save(pictures, folder)
        numbers = labelled(at_risk.table(results, cohort), results.scenarios[0].pathway)
        csv.write(numbers, folder / f"{at_risk.FILE}.csv", DIGITS)
        if excel:
            whole_file.write(folder / workbook.NAME, workbook.content(results))
        path = whole_file.write(folder / "report.html", page.encode())
        if pdf:
            summary.write(path, results.manifest)
        return path
    finally:
        gc.unfreeze()


def write_again(folder: Path, *, explorer: bool = False, excel: bool = False, pdf: bool = False) -> Path:
    """Rewrite the figures and the report of the run in a folder; return the page's path. Raises InputError.

    explorer, excel, pdf : also write the run's explorer, a workbook, a summary next to it
    """
    results = read(folder)
    if excel:
        workbook.check_installed()
        results = replace(results, draws=_draws(folder / "outcomes_by_draw.csv"))
    with lock.held(folder):
        if explorer:
            explorer_of_run.write(results, folder)
        return write(results, folder, excel=excel, pdf=pdf)


def read(folder: Path) -> Results:
    """Return the results in a run's folder.

    Raises InputError if the folder is no run's folder, or if the run's pathway is missing or has changed.
    """
    run, manifest = _manifest(folder / "manifest.json")
    tables = {name: _table(folder / f"{name}.csv", columns) for name, columns in TABLES.items()}
    pathway = _pathway(run.pathway, folder)
    if pathway.end_points:
        tables["end_points"] = _table(folder / "end_points.csv", END_POINTS)
    for name, table in tables.items():
        _check_complete(table, run, pathway, folder / f"{name}.csv")
    leads = _first_clocks(tables["survival"])
    scenarios = tuple(_scenario(scenario, pathway, leads, folder) for scenario in run.scenarios)
    limited = {
        "service": any(scenario.is_limited for scenario in scenarios),
        "queue": any(scenario.capacity for scenario in scenarios),
    }
    # Runs of earlier versions have no groups.
    groups = folder / "waits_by_group.csv"
    service, queue = (_resource_table(folder / f"{name}.csv") if written else None for name, written in limited.items())
    return Results(
        scenarios,
        tables["survival"],
        tables["outcomes"],
        tables["occupancy"],
        manifest,
        service,
        queue,
        end_points=tables.get("end_points"),
        benefit=_benefit(folder / "benefit.csv", run),
        waits_by_group=_resource_table(groups) if groups.exists() else None,
        service_draws=_service_draws(folder / "service_by_draw.csv", run),
    )


def _manifest(path: Path) -> tuple[_Manifest, dict[str, Any]]:
    if not path.exists():
        newest = _newest_run(path.parent)
        raise InputError("cannot be read: no such file", where=str(path), allowed="a run's folder", nearest=newest)
    try:
        content = json.loads(text_file.read(path, LARGEST))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a run's manifest: {error}", where=str(path)) from error
    if not isinstance(content, dict):
        raise InputError("not a run's manifest", where=str(path), allowed="the file as it was written")
    if not any((path.parent / f"{name}.csv").exists() for name in TABLES):
        what = "no results of run or compare stand next to it, and a report needs them"
        raise InputError(what, where=str(path), allowed="the folder of a run or a comparison")
    content = toml.cleaned(content, path)
    return toml.validate(_Manifest, content, path), content


def _newest_run(folder: Path) -> str | None:
    """Return the run that was written last, of the runs in a folder or one level below."""
    runs = [file.parent for depth in ("*", "*/*") for file in folder.glob(f"{depth}/survival.csv")]
    return str(max(runs, key=lambda run: (run.stat().st_mtime, run.name))) if runs else None


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    text = (
        "scenario",
        "clock",
        "population",
        "outcome",
        "unit",
        "state",
        "resource",
        "end_point",
        "cause",
        "by",
        "level",
    )
    numbers = [column for column in columns if column not in text]
    added = [column for name, later in ADDED.items() if name in columns for column in later]
    table = csv.read(path, [column for column in columns if column in text], numbers, added)
    ranges = [(table[name], *_WITHIN[name]) for name in columns if name in _WITHIN]
    if "unit" in columns:
        ranges.append((table.loc[table["unit"] == "probability", "estimate"], *_SHARE))
    for column, least, most in ranges:
        wrong = column[(column < least - ROUNDING) | (column > most + ROUNDING)]
        if len(wrong):
            where = f"{path}: line {wrong.index[0]}, {column.name}"
            raise InputError("out of range", where=where, got=float(wrong.iloc[0]), allowed=f"{least:g} to {most:g}")
    return table.reset_index(drop=True)


def _check_complete(table: pd.DataFrame, run: _Manifest, pathway: Pathway, path: Path) -> None:
    """Refuse a table that was cut short or belongs to another run: all its parts must be there, equally long."""
    scenarios = [scenario.name for scenario in run.scenarios]
    wanted = {(name, clock) for name in scenarios for clock in pathway.clocks}
    keys = [
        name for name in ("scenario", "clock", "population", "state", "end_point", "cause") if name in table.columns
    ]
    # All patients have outcomes that groups do not have; other tables have a row a month.
    equally_long = table[table["population"] != "all"] if "outcome" in table.columns else table
    whole = set(zip(table["scenario"], table["clock"], strict=True)) == wanted
    whole = whole and equally_long.groupby(keys, dropna=False).size().nunique() <= 1
    whole = whole and len(set(scenarios)) == len(scenarios)
    if whole and "population" in keys:
        whole = set(table.groupby(["scenario", "clock"])["population"].nunique()) == {len(populations(pathway))}
        whole = whole and set(table["population"]) == set(populations(pathway))
    whole = whole and ("state" not in keys or set(table["state"]) <= set(pathway.states))
    if whole and "cause" in keys:
        declared = {(e.name, cause) for e in pathway.end_points.values() for cause in ("", *e.causes)}
        whole = set(zip(table["end_point"], table["cause"], strict=True)) == declared
        whole = whole and table.groupby(keys).ngroups == len(wanted) * len(populations(pathway)) * len(declared)
    if whole and "month" in table:
        months, expected = np.unique(table["month"]), report_months(run.horizon, pathway.months.early)
        whole = months.size == expected.size and np.allclose(months, expected, rtol=ROUNDING)
    elif whole:
        required = {*map(alive_at, pathway.months.survival), "median_os", *map(mean_to, pathway.months.means)}
        required |= set(pathway.end_point_outcomes)
        whole = all(required <= set(rows) for _, rows in table.groupby(keys)["outcome"])
    if not whole or table.duplicated([*keys, "month" if "month" in table else "outcome"]).any():
        what, allowed = "not the whole table of the run", "the file as it was written"
        raise InputError(what, where=str(path), got=f"{len(table)} rows", allowed=allowed)


def _resource_table(path: Path) -> pd.DataFrame:
    """Return a table of a run with limited resources; an empty year of arrival is an empty text, as in the run."""
    table = _table(path, RESOURCE_TABLES[path.stem])
    if "arrival_year" in table:
        table["arrival_year"] = [int(year) if year == year else "" for year in table["arrival_year"]]
    return table


def _service_draws(path: Path, run: _Manifest) -> pd.DataFrame | None:
    """Return what the run's target is held against, by parameter set; None without a target."""
    if run.target is None:
        return None
    target = targets.read(run.target, f"{path.parent / 'manifest.json'}: target")
    return _table(path, ("scenario", "resource", target.outcome))


def _draws(path: Path) -> pd.DataFrame | None:
    """Return all patients' outcomes by parameter set; None in folders of earlier versions. inf is a median not reached.

    Raises InputError naming line and column.
    """
    if not path.exists():
        return None
    table = csv.texts(path)
    missing = [name for name in ("scenario", "clock", "population", "draw") if name not in table]
    if missing:
        raise InputError("a column is missing", where=str(path), got=list(table.columns), allowed=missing[0])
    table = table[table["population"] == "all"]
    for name in table.columns.difference(["scenario", "clock", "population", "label", "quality"]):
        numbers = pd.to_numeric(table[name], errors="coerce")
        wrong = table.index[numbers.isna() & (table[name] != "")]
        if len(wrong):
            where, got = f"{path}: line {wrong[0]}, {name}", table.loc[wrong[0], name]
            raise InputError("not a number", where=where, got=got, allowed="a number as in 0.6 or 6e-1, or inf")
        table = table.assign(**{name: numbers})
    return table


def _benefit(path: Path, run: _Manifest) -> pd.DataFrame | None:
    """Return the table of a run with policies that treat more; None where there is none, as in earlier versions."""
    if not path.exists():
        return None
    table = _table(path, BENEFIT)
    policies = {scenario.name for scenario in run.scenarios if scenario.marginal_benefit == 1.0}
    shares = {name: rows["share"].round(6).tolist() for name, rows in table.groupby("scenario")}
    if not (
        shares and shares.keys() <= policies and all(of_one == SHARES.round(6).tolist() for of_one in shares.values())
    ):
        what, allowed = "not the whole table of the run", "the file as it was written"
        raise InputError(what, where=str(path), got=f"{len(table)} rows", allowed=allowed)
    return table


def _pathway(record: _Pathway, folder: Path) -> Pathway:
    from hashlib import sha256

    file = record.file or record.name
    if not file.endswith(".toml") and file not in shipped.names():
        raise InputError(
            "the run's pathway is not shipped, so its report cannot be made again", where=str(folder), got=file
        )
    pathway = load_pathway(_moved(Path(file), folder))
    digest = sha256(pathway.file.read_bytes()).hexdigest() if pathway.file else None
    if record.sha256 not in (None, digest):
        raise InputError("the pathway has changed since the run", where=pathway.where, allowed="a new run")
    return pathway


def _moved(file: Path, folder: Path) -> Path:
    """Return a pathway's file at its old place, or in a folder above the run's folder if both were moved."""
    if file.suffix != ".toml" or file.exists():
        return file
    above = (parent / file.name for parent in folder.resolve().parents)
    return next((candidate for candidate in above if candidate.exists()), file)


def _first_clocks(survival: pd.DataFrame) -> dict[str, str]:
    """Return the first clock in each scenario's rows: the clock of its answer."""
    return {str(name): str(rows["clock"].iloc[0]) for name, rows in survival.groupby("scenario", sort=False)}


def _scenario(record: _Scenario, pathway: Pathway, leads: Mapping[str, str], folder: Path) -> Scenario:
    file = folder / "manifest.json"
    if record.milestones:
        pathway = with_milestones(pathway, record.milestones, f"{file}: milestones")
    lead = leads[record.name] if leads[record.name] != pathway.clock else None
    known = {key: getattr(record, key) for key in _Scenario.model_fields if key != "milestones"}
    known["case_mix"] = [joint.model_dump() for joint in record.case_mix]
    scenario = Scenario(**known, pathway=pathway, leads_with=lead, file=file)
    check(scenario)
    return scenario
