"""`aftercart check`: whether a file can be used, or its first mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.errors import InputError


def check(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The TOML file of a pathway or scenario, the folder of a cohort, or a shipped name."
        ),
    ],
) -> None:
    """Check whether a file can be used, and show what is wrong."""
    from simulator.files import toml

    verdict: str | None
    if _has_benefit(file):
        verdict, *notes = _scenario(file)
    elif (path := _path(file)).is_dir():
        if not (path / "cohort.toml").exists():
            raise _no_cohort(path)
        verdict, *notes = _cohort(path)
    elif _PATHWAY_KEYS & toml.read(path).keys():
        verdict, *notes = _pathway(path)
    else:
        verdict, *notes = _scenario(path)
    typer.echo(f"OK: {verdict}")
    for note in notes:
        if note is not None:
            typer.echo(f"Note: {note}")


_PATHWAY_KEYS = {"states", "start", "parameters"}
"""Keys that a pathway has and a scenario does not have."""


def _has_benefit(file: str) -> bool:
    """Return whether the file is a scenario's name with its marginal benefit: NAME@0.5, whose .5 is no suffix."""
    path = Path(file)
    return "@" in path.name and path.suffix != ".toml" and not path.exists()


def _path(file: str) -> Path:
    """Return the file or folder of a name."""
    import scenarios
    from simulator.evidence.cohort import cohorts_folder
    from simulator.files import toml
    from simulator.pathway import shipped
    from simulator.pathway.checks import unknown

    if Path(file).exists() or Path(file).suffix:
        return Path(file)
    known = {name: scenarios.path(name) for name in scenarios.names()}
    known |= {name: shipped.path(name) for name in shipped.names()}
    known |= {folder.name: folder for folder in cohorts_folder().iterdir() if folder.is_dir()}
    if file not in known:
        raise unknown("file or name", file, known, "check", toml.file_meant(file, Path()))
    return known[file]


def _no_cohort(folder: Path) -> InputError:
    """Return the error of a folder without a cohort: the missing files, and the usable ones."""
    files = sorted(file.name for file in folder.glob("*.toml"))
    what = "this folder has no cohort (cohort.toml and targets.csv)"
    if (folder / "manifest.json").exists():
        return InputError(what, where=str(folder), got="a run's folder", allowed=f"aftercart report {folder}")
    allowed = f"one of its files: {', '.join(files)}" if files else "a cohort's folder, or a TOML file"
    return InputError(what, where=str(folder), allowed=allowed)


def _pathway(path: Path) -> tuple[str, str | None]:
    from calibration.choice_priors import priors_of_pathway
    from simulator.engines.model import check_numbers
    from simulator.evidence.draws import draws_file, draws_of, n_draws, staleness
    from simulator.pathway.format import load_pathway

    pathway = load_pathway(path)
    check_numbers(pathway)
    # A run needs no priors, but a calibration does.
    priors_of_pathway(pathway)
    file = draws_file(pathway)
    drawn = "no fitted parameter sets" if file is None else f"{n_draws(draws_of(file, pathway))} parameter sets"
    size = f"{len(pathway.states)} states, {len(pathway.parameters)} parameters"
    return f"pathway '{pathway.name}': {size}, {drawn}", staleness(pathway)


def _scenario(path: str | Path) -> tuple[str, str | None]:
    from simulator.engines.model import resolve
    from simulator.evidence.draws import informed_draws, levels, staleness
    from simulator.scenario.scenario import load_scenario

    scenario = load_scenario(path)
    # A lever may be valid at the declared values and not at every draw.
    resolve(scenario, levels(informed_draws(scenario.pathway)))
    return f"scenario '{scenario.name}' on pathway '{scenario.pathway.name}'", staleness(scenario.pathway)


_NOTHING_TO_FIT = (
    'no row of targets.csv has use = "likelihood", so calibrate has nothing to fit. `aftercart validate` predicts rows '
    'with use = "validation".'
)


def _cohort(folder: Path) -> tuple[str | None, ...]:
    from calibration.fit import Posterior, informs
    from calibration.likelihood.same_patients import SamePatients
    from calibration.likelihood.targets import load_targets
    from simulator.evidence.draws import read_draws, staleness

    targets = load_targets(folder)
    # The other checks of a calibration.
    Posterior(targets)
    cohort, drawn = targets.cohort, folder / "draws.csv"
    fitted, note = "not fitted yet", None
    if drawn.exists():
        fitted = f"fitted, {len(read_draws(drawn, targets.pathway))} parameter sets"
        note = staleness(targets.pathway, drawn)
    elif cohort.posterior is not None:
        raise InputError(
            "draws.csv is missing, although the cohort was fitted", where=str(drawn), allowed="aftercart calibrate"
        )
    verdict = f"cohort '{cohort.name}': n = {cohort.n}, {len(cohort.targets)} reported figures, {fitted}"
    unfit = None if informs(targets) else _NOTHING_TO_FIT
    return verdict, note, unfit, *targets.warnings, *SamePatients(targets).sentences()
