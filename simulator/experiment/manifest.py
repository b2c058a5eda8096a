"""The manifest of a run: everything that a reader needs to get the same numbers again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import InputError
from simulator.evidence.cohort import load_cohort
from simulator.evidence.draws import benefit_file, draws_file, staleness
from simulator.experiment.invocation import COMMAND
from simulator.pathway import shipped
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    from simulator.experiment.settings import Settings

NOTE = (
    "For planning and teaching about groups of patients, not for individual ones. "
    "A policy effect is a simulation of stated assumptions, not a treatment effect."
)

ROUGH = "Rough (--quick), for a first look: few parameter sets and, where patients are simulated, few patients."
"""The mark of rough results, wherever their numbers are shown."""

LIBRARIES = ("aftercart", "numpy", "scipy", "pandas", "pydantic", "simpy", "matplotlib", "SALib")
"""Their versions stand in the manifest."""

UNRECORDED = ("engine", "draws", "jobs", "histories")
"""Settings that the manifest leaves out: as used, the engine and the draws have entries of their own."""

ROOT = Path(__file__).parents[2]
"""The folder of the packages; paths of shipped files start here."""


def manifest(scenarios: Sequence[Scenario], settings: Settings, engine: str, why: str, n_draws: int) -> dict[str, Any]:
    """Return the settings, engine, pathway, scenarios and files of a run."""
    pathway = scenarios[0].pathway
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": f"{ROUGH} {note(pathway)}" if settings.rough else note(pathway),
        "engine": engine,
        "engine_because": why,
        **{key: value for key, value in asdict(settings).items() if key not in UNRECORDED},
        "draws": n_draws,
        "patients": settings.patients if engine != "exact" else None,
        "pathway": {
            "name": pathway.name,
            "title": pathway.title,
            "file": None if pathway.file in (None, shipped.path(pathway.name)) else str(pathway.file.resolve()),
            "cohort": pathway.draws,
            "sha256": _digest(pathway),
        },
        "stale_draws": staleness(pathway),
        "scenarios": [_declared(scenario) for scenario in scenarios],
        "files": files(scenarios),
        **circumstances(),
    }


def circumstances() -> dict[str, Any]:
    """Return the command, the versions of libraries, and the platform."""
    return {
        "command": COMMAND.get(),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        "platform": platform.platform(),
    }


def make_folder(folder: str | Path) -> Path:
    """Return a folder to write into, made if it is not there. Raises InputError where it cannot be made."""
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"nothing can be written to this folder ({error.strerror})"
        raise InputError(what, where="folder", got=str(folder), allowed="a folder that you can create") from error
    return path


def write(contents: Mapping[str, Any], folder: Path) -> None:
    """Write manifest.json into an existing folder. Raises OSError."""
    text = json.dumps(contents, indent=2, ensure_ascii=False) + "\n"
    # The bytes of a folder's name that are not text are written as escapes.
    (folder / "manifest.json").write_text(text, encoding="utf-8", errors="backslashreplace")


def files(scenarios: Sequence[Scenario], cohort: Path | None = None) -> list[dict[str, str]]:
    """Return every file that the numbers, or reported figures, came from: its path, kind and SHA-256.

    cohort : the folder of a cohort that is compared with the scenarios
    """
    pathway = scenarios[0].pathway
    used = {path: "scenario" for scenario in scenarios for path in (scenario.file, *scenario.bases) if path is not None}
    used |= dict.fromkeys(pathway.files, "pathway")
    draws = draws_file(pathway)
    if draws is not None:
        used[draws] = "draws"
    if (benefit := benefit_file(pathway)) is not None:
        used[benefit] = "marginal benefit"
    folders = [cohort] if cohort is not None else [] if draws is None else [draws.parent]
    names = ("cohort.toml", "targets.csv", "posterior.csv", "predictive.csv")
    used |= {folder / name: "cohort" for folder in folders for name in names}
    return [
        {"file": _named(path), "what": what, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path, what in used.items()
        if path.exists()
    ]


def _named(path: Path) -> str:
    """Return the path of a file: of a shipped file from ROOT, so that machines agree; else in full."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def note(pathway: Pathway) -> str:
    """Return the size of the cohort that results are calibrated to, and what they are not for."""
    cohort, drawn = load_cohort(pathway), len(pathway.from_priors)
    calibrated = [] if cohort is None else [f"Calibrated to n = {cohort.n} reported patients."]
    from_priors = [f"Parameters drawn from their priors, without data: {drawn}."] if drawn else []
    return " ".join([*calibrated, *from_priors, NOTE])


def _declared(scenario: Scenario) -> dict[str, Any]:
    keys = ("set", "scale", "odds_ratio", "replace", "hazard_ratio", "population")
    levers: dict[str, Any] = {key: dict(getattr(scenario, key)) for key in keys if getattr(scenario, key)}
    if scenario.case_mix:
        levers["case_mix"] = list(scenario.case_mix)
    if scenario.pathway.milestones:
        levers["milestones"] = list(scenario.pathway.milestones)
    if scenario.capacity:
        levers["capacity"] = {name: asdict(capacity) for name, capacity in scenario.capacity.items()}
    if scenario.service is not None:
        levers["service"] = asdict(scenario.service)
    return {
        "name": scenario.name,
        "title": scenario.title,
        "question": scenario.question,
        "rationale": scenario.rationale,
        "assumes": scenario.assumes,
        "marginal_benefit": scenario.marginal_benefit,
        **levers,
    }


def _digest(pathway: Pathway) -> str | None:
    return hashlib.sha256(pathway.file.read_bytes()).hexdigest() if pathway.file else None


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
