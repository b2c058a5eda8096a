"""A file format's reference in Markdown, made from the tables that read the format, so that no key is missing."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from math import isinf
from typing import Any

from simulator.distributions import FAMILIES, Family
from simulator.files.toml import Table
from simulator.pathway.format import PathwayTable
from simulator.pathway.units import UNITS
from simulator.scenario.scenario import ScenarioTable

Schema = dict[str, Any]

WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}


def pathway() -> str:
    """Return the reference of the pathway format: every table, the sojourn-time families, the units."""
    return "\n\n".join([*sections(PathwayTable), "### Sojourn times", families(), "### Units", units()])


def scenario() -> str:
    """Return the reference of the scenario format."""
    return "\n\n".join(sections(ScenarioTable))


def sections(table: type[Table]) -> Iterator[str]:
    """Yield the Markdown section of a table and of every table in it, each under its TOML heading."""
    schema = table.model_json_schema()
    yield from _sections(schema, schema.get("$defs", {}), "")


def _sections(schema: Schema, known: dict[str, Schema], place: str) -> Iterator[str]:
    heading = f"`{place}`" if place else "The top of the file"
    lines = [f"### {heading}", "", cleandoc(schema.get("description", "")), ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    inner: list[tuple[Schema, str]] = []
    for key, field in schema["properties"].items():
        table, path = _table_in(field, known), _place(place, key, field)
        kind = _kind(field)
        if table is not None:
            inner.append((table, path))
            kind = " or ".join([*_numbers_in(field), f"`{path}`"])
        required = key in schema.get("required", ())
        lines.append(f"| `{key}` | {kind} | {_default(field, required)} | {field.get('description', '')} |")
    yield "\n".join(lines)
    for table, path in inner:
        yield from _sections(table, known, path)


def _alternatives(schema: Schema) -> list[Schema]:
    """Return the schemas of a value's alternatives."""
    return [alternative for alternative in schema.get("anyOf", [schema]) if alternative.get("type") != "null"]


def _kind(schema: Schema) -> str:
    return " or ".join(dict.fromkeys(_one_kind(alternative) for alternative in _alternatives(schema)))


def _one_kind(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        inside = WORDS.get(schema.get("items", {}).get("type", ""))
        return f"list of {inside}s" if inside else "list"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        inside = _kind(values) if isinstance(values, dict) and values else ""
        return f"table: {inside}" if " " in inside else f"table of {inside}s" if inside else "table"
    return WORDS.get(schema.get("type", ""), "anything")


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    default = schema.get("default")
    if default in (None, "", [], {}):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _table_in(schema: Schema, known: dict[str, Schema]) -> Schema | None:
    """Return the schema of a value that is a table, or a list or table of tables; None for others."""
    references = (element["$ref"] for element in _elements(schema) if "$ref" in element)
    return next((known[reference.rpartition("/")[2]] for reference in references), None)


def _elements(schema: Schema) -> list[Schema]:
    """Return the alternatives of the elements of a value's lists and tables, or of the value itself."""
    inner = [schema.get("items") or schema.get("additionalProperties") or schema for schema in _alternatives(schema)]
    return [element for table in inner if isinstance(table, dict) for element in _alternatives(table)]


def _numbers_in(schema: Schema) -> list[str]:
    """Return "number" if a number is the short form of the table."""
    return ["number"] if any(element.get("type") == "number" for element in _elements(schema)) else []


def _place(place: str, key: str, schema: Schema) -> str:
    """Return a table's TOML heading: [key]; [key.NAME] for a table a name; [[key]] for a list."""
    path = f"{place.strip('[]')}.{key}" if place else key
    kinds = (alternative.get("type") for alternative in _alternatives(schema))
    kind = next((kind for kind in kinds if kind in ("object", "array")), "")
    return {"object": f"[{path}.NAME]", "array": f"[[{path}]]"}.get(kind, f"[{path}]")


def families() -> str:
    """Return the table of sojourn-time families."""
    lines = ["| family | formula | parameters | range |", "|---|---|---|---|"]
    for name, family in FAMILIES.items():
        formula = " ".join(cleandoc(family.__doc__ or "").replace("|", "\\|").split())
        lines.append(f"| `{name}` | {formula} | {_parameters(family)} | {_ranges(family)} |")
    return "\n".join(lines)


def _parameters(family: type[Family]) -> str:
    always = [f"`{key}`" for key in family.readers if key not in family.one_of]
    choice = [f"one of {', '.join(f'`{key}`' for key in family.one_of)}"] if family.one_of else []
    return "; ".join([", ".join(always)] * bool(always) + choice)


def _ranges(family: type[Family]) -> str:
    by_range: dict[str, list[str]] = {}
    for key, reader in family.readers.items():
        by_range.setdefault(reader.allowed, []).append(f"`{key}`")
    return "; ".join(f"{', '.join(keys)}: {allowed}" for allowed, keys in by_range.items())


def units() -> str:
    """Return the table of units and the range of a parameter in each unit."""
    lines = ["| unit | lowest | highest |", "|---|---|---|"]
    ranges = ((unit, *("no limit" if isinf(end) else f"{end:g}" for end in ends)) for unit, ends in UNITS.items())
    return "\n".join(lines + [f"| `{unit}` | {lowest} | {highest} |" for unit, lowest, highest in ranges])
