"""A run's folder: its figures and report.html, written once with the run and again from its tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from simulator.capacity import Capacity
from simulator.cohort import load_cohort
from simulator.errors import InputError
from simulator.figures import style
from simulator.figures.gallery import gallery, save
from simulator.pathway import Pathway
from simulator.pathway_file import load_pathway, names
from simulator.report.page import html
from simulator.results import Results
from simulator.scenario import Scenario
from simulator.service import Service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TABLES = ("survival", "outcomes", "occupancy")


def write(results: Results, folder: Path) -> Path:
    """Write a run's figures and report.html into an existing folder; return the page's path.

    Raises OSError where the folder cannot be written, InputError if the cohort's files are malformed.
    """
    cohort = load_cohort(results.scenarios[0].pathway)
    pictures = gallery(results, cohort)
    page = html(results, cohort=cohort, figures=pictures)
    save(pictures, folder)
    return style.write(folder / "report.html", page.encode())


def write_again(folder: Path) -> Path:
    """Write the figures and the report of a run that is in a folder; return the page's path. Raises InputError."""
    return write(read(folder), folder)


def read(folder: Path) -> Results:
    """Return the results that a run's folder holds.

    Raises InputError if it is no run's folder, or if its pathway is not at hand as it was.
    """
    manifest = _manifest(folder / "manifest.json")
    tables = {name: _table(folder / f"{name}.csv") for name in TABLES}
    pathway = _pathway(manifest, folder)
    leads = _first_clocks(tables["survival"])
    scenarios = tuple(_scenario(told, pathway, leads, folder) for told in manifest["scenarios"])
    service, queue = (_ward_table(folder / f"{name}.csv", scenarios) for name in ("service", "queue"))
    return Results(scenarios, tables["survival"], tables["outcomes"], tables["occupancy"], manifest, service, queue)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise InputError(what, where=str(path), allowed="a run's folder") from error
    except ValueError as error:
        raise InputError(f"not a run's manifest: {error}", where=str(path)) from error
    for key in ("pathway", "scenarios"):
        if not isinstance(found, dict) or not found.get(key):
            raise InputError(f"'{key}' is missing", where=str(path))
    return dict(found)


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error


def _ward_table(path: Path, scenarios: Sequence[Scenario]) -> pd.DataFrame | None:
    """Return a table of a run with limited resources as the run had it, where an empty cell is an empty text."""
    if not any(each.is_limited for each in scenarios):
        return None
    found = _table(path)
    if "arrival_year" in found:
        found["resource"] = found["resource"].fillna("")
        found["arrival_year"] = [int(year) if year == year else "" for year in found["arrival_year"]]
    return found


def _pathway(manifest: Mapping[str, Any], folder: Path) -> Pathway:
    from hashlib import sha256

    told = manifest["pathway"]
    file = told.get("file") or told["name"]
    if not str(file).endswith(".toml") and file not in names():
        raise InputError(
            "the run's pathway is not a shipped one, so its report cannot be made again", where=str(folder), got=file
        )
    pathway = load_pathway(file)
    digest = sha256(pathway.file.read_bytes()).hexdigest() if pathway.file else None
    if told.get("sha256") not in (None, digest):
        raise InputError("the pathway has changed since the run", where=pathway.where, allowed="a new run")
    return pathway


def _first_clocks(survival: pd.DataFrame) -> dict[str, str]:
    """Return the clock that comes first in each scenario's rows: the one it leads with."""
    return {str(name): str(rows["clock"].iloc[0]) for name, rows in survival.groupby("scenario", sort=False)}


def _scenario(told: Mapping[str, Any], pathway: Pathway, leads: Mapping[str, str], folder: Path) -> Scenario:
    lead = leads.get(told["name"])
    known = {key: value for key, value in told.items() if key in Scenario.__dataclass_fields__}
    if "capacity" in told:
        known["capacity"] = {name: _capacity(each) for name, each in told["capacity"].items()}
    if "service" in told:
        months = told["service"]["arrival_months"]
        known["service"] = Service(**told["service"] | {"arrival_months": None if months is None else tuple(months)})
    return Scenario(
        **known, pathway=pathway, leads_with=None if lead == pathway.clock else lead, file=folder / "manifest.json"
    )


def _capacity(told: Mapping[str, Any]) -> Capacity:
    """Return a capacity of the manifest, whose lists were tuples."""
    ranks = told["ranks"]
    calendar = tuple((month, units) for month, units in told["calendar"])
    return Capacity(calendar, told["offered_every"], None if ranks is None else (ranks[0], tuple(ranks[1])))
