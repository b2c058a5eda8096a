"""Reading a TOML file that a person wrote: one clear message for any error in it."""

from __future__ import annotations

import json
import math
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from simulator.errors import InputError, nearest, number_meant, within
from simulator.files import text as text_file
from simulator.plain_text import clean, is_name, one_line

LARGEST = 1_000_000
"""Bytes; a pathway is a few tens of thousands."""

DEEPEST = 20
"""Levels of nested tables; the formats need four."""

NAMES = frozenset({"base", "pathway", "start", "to", "holds", "draws", "leads_with", "decision", "branch", "by"})
"""Keys whose text is a name: cleaned, it would be another name."""

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{100}}")


class Table(BaseModel):
    """A TOML table that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Line = Annotated[str, AfterValidator(one_line)]
"""A text of one line, as a title or a label."""

Model = TypeVar("Model", bound=BaseModel)

_SLIP = re.compile(
    r"=[ \t]*([+-]?[0-9]+,[0-9]+|[+-]?\.[0-9]+|[0-9]+(?:[.,][0-9]+)?[ \t]*%)(?=[ \t]*(?:[,}#]|$))", re.MULTILINE
)
"""A number that is not TOML: 0,6 or .6 or 60 %."""

_LINE = re.compile(r"\(at line ([0-9]+),")
_CURLY = re.compile("=[ \t]*[\u201c\u201d\u201e\u00ab\u2018]")
_UNQUOTED = re.compile(r"""\[*(?:[\w-]+\.|"[^"]*"\.)*((?=[\w-]*[^\x00-\x7f])[\w-]+)""")
"""A key, or the last part of a table's name, with letters that need quotes in TOML."""

KINDS = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
}
"""The kind that a value should have, by pydantic's name of the error."""


def _loads(text: str) -> dict[str, Any]:
    # The time to read a dotted key grows with the square of its length.
    if _DEEP_KEY.search(text):
        raise RecursionError
    return tomllib.loads(text)


def refusal(what: str, *, allowed: str) -> PydanticCustomError:
    """Return the error that a table's validator raises; it becomes an InputError with the value's place."""
    return PydanticCustomError("refusal", "{what}", {"what": what, "allowed": allowed})


def read(path: Path) -> dict[str, Any]:
    """Return a TOML file's tables, with cleaned texts. Raises InputError if it cannot be read or is no TOML.

    Also refused: NaN, infinity, tables nested too deeply, and names that are not plain text in one line.
    """
    return parse(text_file.read(path, LARGEST), path)


def load(model: type[Model], path: Path) -> Model:
    """Return a TOML file as `model`. Raises InputError for the first error."""
    return validate(model, read(path), path)


# A command reads its pathway, and those of other structures, about ten times.
@lru_cache(maxsize=128)
def parse(text: str, path: Path) -> dict[str, Any]:
    """Return the tables of a file's text, as `read` does. They are shared: nobody may change them."""
    if not is_name(path.stem):
        raise InputError("the file's name is not plain text in one line", where=str(path), allowed="another name")
    try:
        data = _loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else error
        got, hint = _slip(text, str(error))
        raise InputError(f"not valid TOML: {what}", where=str(path), got=got, allowed=hint) from error
    except ValueError as error:
        # Python refuses integers of more than some thousand digits, and tomllib passes its error on.
        raise InputError("not valid TOML: a number with too many digits", where=str(path)) from error
    return cleaned(data, path)


def _slip(text: str, complaint: str) -> tuple[str | None, str]:
    """Return the probable mistake, or the line of the parser's error; and how to write it."""
    if slip := _SLIP.search(text):
        return slip[1], number_meant(slip[1]) or ""
    if (place := _LINE.search(complaint)) is None:
        return None, ""
    line = text.splitlines()[int(place[1]) - 1].strip()
    if _CURLY.search(line):
        return line, 'straight quotes, as in title = "Today"'
    if name := _UNQUOTED.match(line):
        return line, f'a name with such letters in quotes: "{name[1]}"'
    return line or None, ""


def file_meant(name: str, folder: Path) -> str | None:
    """Return "own.toml" for "own" where there is such a file."""
    return f"{name}.toml" if name and (folder / f"{name}.toml").is_file() else None


def cleaned(data: dict[str, Any], path: Path | str) -> dict[str, Any]:
    """Return a file's tables with cleaned texts. Raises InputError for an impossible value or name."""
    tables: dict[str, Any] = _cleaned(data, str(path), (), data)
    return tables


def named_file(path: Path, named: str, where: str) -> Path:
    """Return the file named in a file, relative to it. Raises InputError naming `where` if it is not there."""
    file = path.parent / named
    if not file.exists():
        others = [str(other.relative_to(path.parent)) for other in path.parent.glob("*.toml") if other != path]
        raise InputError("cannot be read: no such file", where=where, got=named, nearest=nearest(named, others))
    return file


def written(value: object) -> str:
    """Return a value as TOML in one line, numbers in twelve digits."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{written_key(key)} = {written(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return f"{value:.12g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def written_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _cleaned(value: Any, file: str, place: tuple[int | str, ...], whole: object) -> Any:
    """Return a value with cleaned texts. Raises InputError for an impossible value or key."""
    if isinstance(value, str):
        if place and place[-1] in NAMES and clean(value) != value:
            where = f"{file}: {_in_words(place, whole)}"
            raise InputError("a name that is not plain text", where=where, got=value, allowed="no control characters")
        return clean(value)
    if isinstance(value, bool | int | float):
        too_large = isinstance(value, int) and abs(value) > sys.float_info.max
        if too_large or not math.isfinite(value):
            where = f"{file}: {_in_words(place, whole)}"
            if too_large:
                raise InputError("a number too large", where=where, allowed="up to 1e308")
            raise InputError("not a finite number", where=where, got=value, allowed="a finite number")
        return value
    if isinstance(value, dict | list) and len(place) >= DEEPEST:
        raise InputError("not valid TOML: nested too deeply", where=f"{file}: {place[0]}", allowed=f"{DEEPEST} levels")
    if isinstance(value, list):
        return [_cleaned(item, file, (*place, index), whole) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    for key in value:
        if not is_name(key):
            where = f"{file}: {_in_words(place, whole)}".removesuffix(": ")
            raise InputError("a name that is not plain text in one line", where=where, got=key, allowed="another name")
    return {key: _cleaned(item, file, (*place, key), whole) for key, item in value.items()}


def _in_words(place: Iterable[int | str], data: object) -> str:
    """Return a value's place in words: "states.ill.transitions 2 (dead).time.rate"; lists count from 1."""
    words = ""
    for part in place:
        if isinstance(part, int) and isinstance(data, list):
            data = data[part] if part < len(data) else None
            name = (data.get("name") or data.get("to")) if isinstance(data, Mapping) else None
            words += f" {part + 1}" + (f" ({name})" if isinstance(name, str) else "")
        else:
            data = data.get(part) if isinstance(data, Mapping) else None
            words += f".{part}" if words else str(part)
    return words


def validate(model: type[Model], data: dict[str, Any], path: Path | str) -> Model:
    """Return `data` as `model`. Raises InputError for the first error."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _input_error(error.errors(), model, data, path) from None


def _input_error(
    errors: list[ErrorDetails], model: type[BaseModel], data: dict[str, Any], path: Path | str
) -> InputError:
    first = next((error for error in errors if error["type"] == "extra_forbidden"), None) or _innermost(errors, data)
    kind, got, context = first["type"], first["input"], first.get("ctx", {})
    place = _written(first["loc"], data)
    where = f"{path}: {_in_words(place, data)}"
    if kind == "extra_forbidden":
        names = sorted(_keys(_at(model, first["loc"][:-1])[0]))
        got = str(first["loc"][-1])
        return InputError("unknown key", where=where, got=got, allowed=", ".join(names), nearest=nearest(got, names))
    if kind == "missing":
        allowed = _at(model, first["loc"])[1]
        return InputError("a key is missing", where=f"{path}: {_in_words(first['loc'], data)}", allowed=allowed)
    if kind == "literal_error":
        names = re.findall(r"'([^']*)'", context["expected"])
        return InputError(
            f"unknown {first['loc'][-1]}", where=where, got=got, allowed=", ".join(names), nearest=nearest(got, names)
        )
    if kind in KINDS:
        # A value that may be of several kinds has one error a kind.
        same = [error["type"] for error in errors if _written(error["loc"], data) == place]
        wanted = " or ".join(dict.fromkeys(KINDS[kind] for kind in same if kind in KINDS))
        inner, allowed = _at(model, place)
        if kind == "model_type":
            allowed = f"a table with {', '.join(sorted(_keys(inner)))}"
        elif kind == "list_type" and isinstance(got, Mapping):
            allowed = f"[[{'.'.join(map(str, place))}]] in double brackets, once for each table"
        hint = number_meant(got) if kind == "float_type" else None
        return InputError(f"not {wanted}", where=where, got=got, allowed=hint or allowed)
    allowed = context.get("allowed", "")
    if context.get("le") == 1 and isinstance(got, int | float):
        allowed = within(0, 1, got)
    return InputError(first["msg"][0].lower() + first["msg"][1:], where=where, got=got, allowed=allowed)


def _innermost(errors: list[ErrorDetails], data: object) -> ErrorDetails:
    """Return the first error, or an error inside the same value where it may be of several kinds."""
    place = _written(errors[0]["loc"], data)
    inside = [error for error in errors if _written(error["loc"], data)[: len(place)] == place]
    return max(inside, key=lambda error: len(_written(error["loc"], data)))


def _written(place: Iterable[int | str], data: Any) -> tuple[int | str, ...]:
    """Return the parts of a place that are in the file, without pydantic's kinds and the keys of short forms."""
    written: list[int | str] = []
    for part in place:
        if isinstance(part, int) if isinstance(data, list) else isinstance(data, Mapping) and part in data:
            data = data[part]
            written.append(part)
    return tuple(written)


def _at(model: type[BaseModel], place: Iterable[int | str]) -> tuple[type[BaseModel], str]:
    """Return the model at a place, by the models' annotations, and the description of its innermost field."""
    described = ""
    for part in place:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        if field is not None:
            model, described = _model_in(field.annotation) or model, field.description or ""
    return model, described


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = map(_model_in, getattr(annotation, "__args__", ()))
    return next((model for model in models if model is not None), None)
