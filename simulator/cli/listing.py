"""`aftercart list`: the shipped scenarios, pathways and cohorts."""

from __future__ import annotations

import typer


def list_() -> None:
    """List the shipped scenarios, pathways and cohorts."""
    import scenarios
    from simulator.evidence.cohort import cohorts_folder, shipped_cohorts
    from simulator.files import toml
    from simulator.pathway import shipped

    questions = {name: toml.read(scenarios.path(name)).get("question", "") for name in scenarios.names()}
    pathways = {name: toml.read(shipped.path(name)).get("title", "") for name in shipped.names()}
    cohorts = {
        name: toml.read(cohorts_folder() / name / "cohort.toml").get("title", "") for name in shipped_cohorts()
    }
    _print("Scenarios (aftercart run NAME, aftercart compare baseline NAME)", questions)
    _print("Pathways (pathway = NAME in a scenario)", pathways)
    _print("Cohorts (aftercart calibrate NAME, aftercart validate NAME)", cohorts)


def _print(heading: str, texts: dict[str, str]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from simulator.report import terminal

    console = terminal.console()
    console.print(heading)
    for name, text in texts.items():
        console.print(Padding(Text(name, style="bold"), (0, 0, 0, 2), expand=False))
        console.print(Padding(Text(text), (0, 0, 0, 6), expand=False))
    typer.echo()
