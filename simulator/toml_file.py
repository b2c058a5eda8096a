"""Reading a TOML file that a person wrote: one clear message for whatever is wrong with it."""

from __future__ import annotations

import math
import re
import stat
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from simulator.errors import InputError, nearest

LARGEST = 1_000_000
"""Bytes; a pathway is a few tens of thousands."""


class Table(BaseModel):
    """A TOML table with no keys but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)

KINDS = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
}
"""What a value should have been, by pydantic's name of the mistake."""


def refusal(what: str, *, allowed: str) -> PydanticCustomError:
    """Return what a table's own validator raises, to be told as an InputError with the value's place."""
    return PydanticCustomError("refusal", "{what}", {"what": what, "allowed": allowed})


def read(path: Path) -> dict[str, Any]:
    """Return a TOML file's tables. Raises InputError if it cannot be read, is no TOML, or holds NaN or infinity."""
    try:
        check_regular(path)
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError("file too large", where=str(path), got=f"{size} bytes", allowed=f"{LARGEST}")
        # Some editors begin a text with a byte order mark.
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"not a text file (byte {error.start} is not UTF-8)", where=str(path)) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"not valid TOML: {error or 'nested too deeply'}", where=str(path)) from error
    except ValueError as error:
        # Python reads no integer of more than some thousand digits, and tomllib passes its complaint on.
        raise InputError("not valid TOML: a number with too many digits", where=str(path)) from error
    _refuse_non_finite(data, str(path), ())
    return data


def check_regular(path: Path) -> None:
    """Refuse what could be read for ever, a device or a pipe. Raises InputError, or OSError if it is not there."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError("cannot be read: not a regular file", where=str(path))


def beside(path: Path, named: str, where: str) -> Path:
    """Return the file that a file names, relative to itself. Raises InputError naming `where` if it is not there."""
    found = path.parent / named
    if not found.exists():
        there = [str(each.relative_to(path.parent)) for each in path.parent.glob("*.toml") if each != path]
        raise InputError("cannot be read: no such file", where=where, got=named, nearest=nearest(named, there))
    return found


def _refuse_non_finite(value: object, where: str, place: tuple[int | str, ...], whole: object = None) -> None:
    whole = value if whole is None else whole
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise InputError("a number too large", where=f"{where}: {_told_place(place, whole)}", allowed="up to 1e308")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(
            "not a finite number", where=f"{where}: {_told_place(place, whole)}", got=value, allowed="a finite number"
        )
    if isinstance(value, dict):
        for key, each in value.items():
            _refuse_non_finite(each, where, (*place, key), whole)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _refuse_non_finite(each, where, (*place, index), whole)


def _told_place(place: Iterable[int | str], data: object) -> str:
    """Return a value's place in words: "states.ill.transitions 2 (dead).time.rate"; what is listed counts from 1."""
    told = ""
    for part in place:
        if isinstance(part, int) and isinstance(data, list):
            data = data[part] if part < len(data) else None
            name = (data.get("name") or data.get("to")) if isinstance(data, Mapping) else None
            told += f" {part + 1}" + (f" ({name})" if isinstance(name, str) else "")
        else:
            data = data.get(part) if isinstance(data, Mapping) else None
            told += f".{part}" if told else str(part)
    return told


def validate(model: type[Model], data: dict[str, Any], path: Path) -> Model:
    """Return `data` as `model`. Raises InputError for the first thing that does not fit."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _told(error.errors(), model, data, path) from None


def _told(errors: list[ErrorDetails], model: type[BaseModel], data: dict[str, Any], path: Path) -> InputError:
    first = next((each for each in errors if each["type"] == "extra_forbidden"), None) or _innermost(errors, data)
    kind, got, told = first["type"], first["input"], first.get("ctx", {})
    place = _written(first["loc"], data)
    where = f"{path}: {_told_place(place, data)}"
    if kind == "extra_forbidden":
        names = sorted(_keys_at(model, first["loc"][:-1]))
        got = str(first["loc"][-1])
        return InputError(
            "unknown key", where=where, got=got, allowed=", ".join(names), nearest=nearest(got, names)
        )
    if kind == "missing":
        return InputError("a key is missing", where=f"{path}: {_told_place(first['loc'], data)}")
    if kind == "literal_error":
        names = re.findall(r"'([^']*)'", told["expected"])
        return InputError(
            f"unknown {first['loc'][-1]}", where=where, got=got, allowed=", ".join(names), nearest=nearest(got, names)
        )
    if kind in KINDS:
        # A value that may be of several kinds has made one mistake a kind.
        same = [each["type"] for each in errors if _written(each["loc"], data) == place]
        wanted = " or ".join(dict.fromkeys(KINDS[each] for each in same if each in KINDS))
        keys = f"a table with {', '.join(sorted(_keys_at(model, place)))}" if kind == "model_type" else ""
        return InputError(f"not {wanted}", where=where, got=got, allowed=keys)
    return InputError(first["msg"][0].lower() + first["msg"][1:], where=where, got=got, allowed=told.get("allowed", ""))


def _innermost(errors: list[ErrorDetails], data: object) -> ErrorDetails:
    """Return the first mistake, or one inside the same value where it may be of several kinds."""
    place = _written(errors[0]["loc"], data)
    inside = [each for each in errors if _written(each["loc"], data)[: len(place)] == place]
    return max(inside, key=lambda each: len(_written(each["loc"], data)))


def _written(place: Iterable[int | str], data: Any) -> tuple[int | str, ...]:
    """Return the parts of a place that are in the file, not the kinds that pydantic tried nor a short form's keys."""
    found: list[int | str] = []
    for part in place:
        if isinstance(part, int) if isinstance(data, list) else isinstance(data, Mapping) and part in data:
            data = data[part]
            found.append(part)
    return tuple(found)


def _keys_at(model: type[BaseModel], place: Iterable[int | str]) -> set[str]:
    """Return the keys that are allowed at a place, found by walking the models' annotations."""
    for part in place:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) if isinstance(part, str) else None
        inner = _model_in(field.annotation) if field is not None else None
        if inner is not None:
            model = inner
    return {field.alias or name for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for each in getattr(annotation, "__args__", ()):
        found = _model_in(each)
        if found is not None:
            return found
    return None
