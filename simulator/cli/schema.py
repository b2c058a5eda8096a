"""`aftercart schema`: the file formats, for machines (JSON schema) and for people (Markdown)."""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    pathway: Annotated[
        bool, typer.Option("--pathway", help="Print the format of a pathway instead of a scenario.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print tables for people, as in docs/.")] = False,
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
