"""Reading a TOML file that a person wrote: one clear message for whatever is wrong with it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from simulator.errors import InputError, nearest

LARGEST = 1_000_000
"""Bytes; a pathway is a few tens of thousands."""


class Table(BaseModel):
    """A TOML table with no keys but its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def read(path: Path) -> dict[str, Any]:
    """Return a TOML file's tables. Raises InputError if it cannot be read, is no TOML, or holds NaN or infinity."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(
                "file too large", where=str(path), got=f"{path.stat().st_size} bytes", allowed=f"{LARGEST}"
            )
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not a text file (byte {error.start} is not UTF-8)", where=str(path)) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"not valid TOML: {error or 'nested too deeply'}", where=str(path)) from error
    _refuse_non_finite(data, str(path), "")
    return data


def _refuse_non_finite(value: object, where: str, place: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(
            "not a finite number", where=f"{where}: {place}", got=value, allowed="a finite number"
        )
    if isinstance(value, dict):
        for key, each in value.items():
            _refuse_non_finite(each, where, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for each in value:
            _refuse_non_finite(each, where, place)


def validate(model: type[Model], data: dict[str, Any], path: Path) -> Model:
    """Return `data` as `model`. Raises InputError for the first thing that does not fit."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _told(error.errors(), model, path) from None


def _told(errors: list[ErrorDetails], model: type[BaseModel], path: Path) -> InputError:
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(part) for part in first["loc"])
    where = f"{path}: {place}"
    if first["type"] == "extra_forbidden":
        names = sorted(_keys_at(model, first["loc"][:-1]))
        got = str(first["loc"][-1])
        return InputError(
            "unknown key", where=where, got=got, allowed=", ".join(names), nearest=nearest(got, names)
        )
    if first["type"] == "missing":
        return InputError("a key is missing", where=where)
    return InputError(first["msg"][0].lower() + first["msg"][1:], where=where, got=first["input"])


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
