"""A file format's reference in Markdown, from the tables that read it, so that no key can be missing."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from simulator.distributions import FAMILIES, Family
from simulator.files.toml import Table
from simulator.pathway.format import UNITS, PathwayTable
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
    for key, told in schema["properties"].items():
        found, path = _table_in(told, known), _place(place, key, told)
        kind = _kind(told)
        if found is not None:
            inner.append((found, path))
            kind = " or ".join([*_numbers_in(told), f"`{path}`"])
        required = key in schema.get("required", ())
        lines.append(f"| `{key}` | {kind} | {_default(told, required)} | {told.get('description', '')} |")
    yield "\n".join(lines)
    for found, path in inner:
        yield from _sections(found, known, path)


def _ways(told: Schema) -> list[Schema]:
    """Return what a value may be: one schema an alternative."""
    return [each for each in told.get("anyOf", [told]) if each.get("type") != "null"]


def _kind(told: Schema) -> str:
    return " or ".join(dict.fromkeys(_one_kind(way) for way in _ways(told)))


def _one_kind(told: Schema) -> str:
    if "enum" in told:
        return "one of " + ", ".join(f"`{each}`" for each in told["enum"])
    if told.get("type") == "array":
        inside = WORDS.get(told.get("items", {}).get("type", ""))
        return f"list of {inside}s" if inside else "list"
    if told.get("type") == "object":
        values = told.get("additionalProperties")
        inside = _kind(values) if isinstance(values, dict) and values else ""
        return f"table: {inside}" if " " in inside else f"table of {inside}s" if inside else "table"
    return WORDS.get(told.get("type", ""), "anything")


def _default(told: Schema, required: bool) -> str:
    if required:
        return "required"
    default = told.get("default")
    if default in (None, "", [], {}):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _table_in(told: Schema, known: dict[str, Schema]) -> Schema | None:
    """Return the table that a value is, or that its list or table holds."""
    for way in _ways(told):
        for inside in _inside(way):
            if "$ref" in inside:
                return known[inside["$ref"].rpartition("/")[2]]
    return None


def _inside(way: Schema) -> list[Schema]:
    """Return what a list or table holds; else what it is itself."""
    inside = way.get("items") or way.get("additionalProperties") or way
    return _ways(inside) if isinstance(inside, dict) else []


def _numbers_in(told: Schema) -> list[str]:
    """Return "number" where a number may stand for the table: a short form."""
    ways = [inside for way in _ways(told) for inside in _inside(way)]
    return ["number"] if any(way.get("type") == "number" for way in ways) else []


def _place(place: str, key: str, told: Schema) -> str:
    """Return a table's TOML heading: [key]; [key.NAME] where there is one a name; [[key]] in a list."""
    path = f"{place.strip('[]')}.{key}" if place else key
    kind = next((way["type"] for way in _ways(told) if way.get("type") in ("object", "array")), "")
    return {"object": f"[{path}.NAME]", "array": f"[[{path}]]"}.get(kind, f"[{path}]")


def families() -> str:
    """Return the table of sojourn-time families."""
    lines = ["| family | formula | parameters | range |", "|---|---|---|---|"]
    for name, family in FAMILIES.items():
        told = " ".join(cleandoc(family.__doc__ or "").replace("|", "\\|").split())
        lines.append(f"| `{name}` | {told} | {_parameters(family)} | {_ranges(family)} |")
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
    """Return the table of units and what a parameter of each may be."""
    lines = ["| unit | lowest | highest |", "|---|---|---|"]
    return "\n".join(lines + [f"| `{unit}` | {low:g} | {high:g} |" for unit, (low, high) in UNITS.items()])
