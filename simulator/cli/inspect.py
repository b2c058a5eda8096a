"""`aftercart list`, `check`, `schema` and `verify`: what is there, and whether it can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import progress
from simulator.cli.options import flag
from simulator.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from simulator.pathway.pathway import Pathway
    from simulator.scenario.scenario import Scenario

FILE = "The TOML file of a pathway or scenario, the folder of a cohort, or a shipped name."


def list_() -> None:
    """List the shipped scenarios, pathways and cohorts."""
    import scenarios
    from simulator.evidence.cohort import cohorts_folder, shipped_cohorts
    from simulator.files import toml
    from simulator.pathway import shipped

    tables = {name: toml.read(scenarios.path(name)) for name in scenarios.names()}
    questions: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        questions.setdefault(_named_pathway(name, tables), {})[name] = table.get("question", "")
    pathways = {name: toml.read(shipped.path(name)).get("title", "") for name in shipped.names()}
    cohorts = {name: toml.read(cohorts_folder() / name / "cohort.toml").get("title", "") for name in shipped_cohorts()}
    for pathway, asked in questions.items():
        reference = next(name for name in asked if tables[name].keys() <= _REFERENCE_KEYS)
        instead = f"compare {reference}" if len(asked) > 1 else "run"
        _print_texts(f"Scenarios on {pathway} (aftercart {instead} NAME)", asked)
    _print_texts("Pathways (pathway = NAME in a scenario)", pathways)
    _print_texts("Cohorts (aftercart calibrate NAME, aftercart validate NAME)", cohorts)


_REFERENCE_KEYS = {"assumes", "pathway", "question", "rationale", "title"}
"""Of a scenario that changes nothing."""


def _named_pathway(scenario: str, tables: Mapping[str, Mapping[str, str]]) -> str:
    """Return the pathway of a shipped scenario, or of its base."""
    table = tables[scenario]
    return table["pathway"] if "pathway" in table else _named_pathway(table["base"], tables)


def _print_texts(heading: str, texts: dict[str, str]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from simulator.report import terminal

    console = terminal.console()
    console.print(heading)
    for name, text in texts.items():
        console.print(Padding(Text(name, style="bold"), (0, 0, 0, 2), expand=False))
        console.print(Padding(Text(text), (0, 0, 0, 6), expand=False))
    typer.echo()


def check(file: Annotated[str, typer.Argument(metavar="FILE", help=FILE)]) -> None:
    """Check whether a file can be used.

    If it cannot, print where and what is wrong."""
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


_PATHWAY_KEYS = {"extends", "parameters", "start", "states"}
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

    if Path(file).exists() or Path(file).suffix:
        return Path(file)
    known = {name: scenarios.path(name) for name in scenarios.names()}
    known |= {name: shipped.path(name) for name in shipped.names()}
    known |= {folder.name: folder for folder in cohorts_folder().iterdir() if folder.is_dir()}
    if file not in known:
        raise UnknownNameError("file or name", file, known, "check", toml.file_meant(file, Path()))
    return known[file]


def _no_cohort(folder: Path) -> InputError:
    """Return the error of a folder without a cohort: the missing files, and the usable ones."""
    files = sorted(file.name for file in folder.glob("*.toml"))
    what = "this folder has no cohort (cohort.toml and targets.csv)"
    if (folder / "manifest.json").exists():
        return InputError(what, where=str(folder), got="a run's folder", allowed=f"aftercart report {folder}")
    allowed = f"one of its files: {', '.join(files)}" if files else "a cohort's folder, or a TOML file"
    return InputError(what, where=str(folder), allowed=allowed)


def _pathway(path: Path) -> tuple[str | None, ...]:
    from simulator.engines.model import check_numbers
    from simulator.evidence.draws import informed_draws, n_draws
    from simulator.evidence.priors import priors_of_pathway
    from simulator.pathway.format import load_pathway

    pathway = load_pathway(path)
    check_numbers(pathway)
    # A run needs no priors, but a calibration does.
    priors_of_pathway(pathway)
    columns = informed_draws(pathway)
    drawn = "no fitted parameter sets" if columns is None else f"{n_draws(columns)} parameter sets"
    size = f"{len(pathway.states)} states, {len(pathway.parameters)} parameters"
    return f"pathway '{pathway.name}': {size}, {drawn}", *_notes(pathway)


def _scenario(path: str | Path) -> tuple[str | None, ...]:
    from simulator.scenario.scenario import load_scenario

    scenario = load_scenario(path)
    check_levers(scenario)
    return f"scenario '{scenario.name}' on pathway '{scenario.pathway.name}'", *_notes(scenario.pathway)


def check_levers(scenario: Scenario) -> None:
    """Refuse a lever that is valid at the declared values and not in every parameter set. Raises InputError."""
    from simulator.engines.model import resolve
    from simulator.evidence.draws import informed_draws, levels
    from simulator.evidence.practice import at_reference, check_declared

    draws = informed_draws(scenario.pathway)
    if draws is None:
        check_declared(scenario.pathway)
    resolve(scenario, levels(draws and at_reference(scenario.pathway, draws)))


def _notes(pathway: Pathway) -> tuple[str | None, ...]:
    """Return what changed since the draws were fitted, or what the pathway replaces of what they were fitted with."""
    from simulator.evidence.draws import staleness
    from simulator.evidence.replaced import replaced

    laws, stale = replaced(pathway), staleness(pathway)
    if not laws or laws.bears_on_benefit:
        return (stale,)
    return f"{pathway.name} replaces {laws} of {pathway.fitted.name}, to which its parameter sets were fitted.", stale


_NOTHING_TO_FIT = (
    'no row of targets.csv has use = "likelihood", so calibrate has nothing to fit. `aftercart validate` predicts rows '
    'with use = "validation".'
)


def _cohort(folder: Path) -> tuple[str | None, ...]:
    from calibration.denominators import check_fitted
    from calibration.fit import Posterior, informs
    from calibration.likelihood.same_patients import SamePatients
    from calibration.likelihood.targets import load_targets
    from simulator.evidence.draws import read_draws, staleness

    targets = load_targets(folder)
    # The other checks of a calibration.
    Posterior(targets)
    check_fitted(targets)
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


def schema(
    pathway: Annotated[bool, flag("--pathway", "Print the format of a pathway instead of a scenario.")] = False,
    markdown: Annotated[bool, flag("--markdown", "Print tables for people, as in docs/.")] = False,
) -> None:
    """Print the JSON schema of a scenario or pathway file."""
    from simulator.pathway.format import PathwayTable
    from simulator.scenario.scenario import ScenarioTable

    if markdown:
        from simulator.report import format_reference

        text = format_reference.pathway() if pathway else format_reference.scenario()
    else:
        import json

        name, table = ("pathway", PathwayTable) if pathway else ("scenario", ScenarioTable)
        content = table.model_json_schema()
        content |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"aftercart {name}"}
        text = json.dumps(content, indent=2, ensure_ascii=False)
    typer.echo(text)


def verify(quiet: Annotated[bool, flag("--quiet -q", "Print only how many checks passed.")] = False) -> None:
    """Check the engines against one another and known laws."""
    from simulator.analyses import verification
    from simulator.errors import AftercartError
    from simulator.report import terminal
    from simulator.report.tables.verification import laws

    with progress.displayed("verifying", quiet=quiet) as advance:
        checks = list(verification.checks(advance))
    if not quiet:
        terminal.show([laws(checks)], terminal.console())
    failed = [f"{check.subject}: {check.law}" for check in checks if not check.passed]
    if failed:
        raise AftercartError(f"{len(failed)} of {len(checks)} checks failed: {'; '.join(failed)}")
    terminal.console().print(f"{len(checks)} checks passed.")
