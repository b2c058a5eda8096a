"""One axis of a sweep: a name that varies, and its values: 0.5,0.7,0.9 or 1..6 or 0.5..0.9..0.1."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from simulator.errors import InputError

MOST = 1_000_000
"""Values of an axis."""

FORMS = "numbers as 0.5,0.7,0.9, whole ones as 1..6, or steps as 0.5..0.9..0.1"


@dataclass(frozen=True)
class Axis:
    """A name that varies. table, key : its place in a scenario, as ("set", "uptake")

    values : whole numbers are int, so that they read as typed
    """

    name: str
    table: str
    key: str
    values: tuple[float, ...]

    def label(self, value: float) -> str:
        """Return "beds=2"."""
        return f"{self.name}={value:.10g}"

    def nearest(self, value: float) -> int | None:
        """Return the place of the value that is nearest to a number; None outside the values."""
        if not min(self.values) <= value <= max(self.values):
            return None
        return min(range(len(self.values)), key=lambda place: abs(self.values[place] - value))


VARY = "--vary"
"""The option of `sweep`, named in a message where no other is."""


def split(options: Iterable[str], where: str = VARY) -> dict[str, str]:
    """Return name -> values of options `NAME=VALUES`. Raises InputError naming the option."""
    vary: dict[str, str] = {}
    for option in options:
        name, equals, values = option.rpartition("=")
        name = name.strip()
        if not equals or not name or not values.strip():
            raise InputError("not NAME=VALUES", where=where, got=option, allowed="beds=1..6, for example")
        if name in vary:
            raise InputError(
                "a name is given twice", where=where, got=name, allowed=f"{where} {name}={vary[name]},{values}"
            )
        vary[name] = values
    return vary


def read_values(given: str | Iterable[float], where: str) -> tuple[float, ...]:
    """Return the values of a text, or of numbers, in their order. Raises InputError."""
    items = _of_text(given, where) if isinstance(given, str) else _of_numbers(given, where)
    values: list[float] = []
    for value in items:
        if len(values) == MOST:
            raise InputError("too many values for a sweep", where=where, allowed=f"up to {MOST:,}")
        values.append(value)
    if not values:
        raise InputError("no values", where=where, allowed=FORMS)
    if len(set(values)) < len(values):
        repeated = next(value for place, value in enumerate(values) if value in values[:place])
        points = _with_points(given) if isinstance(given, str) else ""
        allowed = f"each once{f'; decimals with a point, {points}' if points else ''}"
        raise InputError("a value is given twice", where=where, got=repeated, allowed=allowed)
    return tuple(values)


def _of_numbers(given: Iterable[float], where: str) -> Iterator[float]:
    if not isinstance(given, Iterable):
        raise InputError("only one value", where=where, got=given, allowed=f"a list, as [{given}]; {FORMS}")
    for item in given:
        try:
            yield _plain(float(item), item, where)
        except (TypeError, ValueError):
            raise InputError("not a number", where=where, got=item, allowed=FORMS) from None


def _of_text(text: str, where: str) -> Iterator[float]:
    for item in text.split(","):
        first, *more = [_decimal(part, item, where) for part in item.split("..")]
        if not more:
            yield _plain(float(first), item, where)
            continue
        last, step = _ends(more, item, where)
        if step is None and (first % 1 or last % 1):
            raise InputError("a range of fractions without a step", where=where, got=item, allowed=f"{item}..0.1")
        step = step or Decimal(1)
        if last < first:
            points = _with_points(text)
            allowed = f"decimals with a point, {points}" if points else f"{last}..{first}"
            raise InputError(
                "the range ends before it starts", where=where, got=text if points else item, allowed=allowed
            )
        if (last - first) / step >= MOST:
            raise InputError("too many values for a sweep", where=where, got=item, allowed=f"up to {MOST:,}")
        # Decimals, so that three steps of 0.1 from 0.5 end exactly at 0.8.
        for place in range(int((last - first) // step) + 1):
            yield _plain(float(first + place * step), item, where)


def _with_points(text: str) -> str:
    """Return "0.1..0.5..0.1" of "0,1..0,5", whose commas are decimal; empty where they cannot be."""
    number = "[+-]?[0-9]+,[0-9]+"
    if re.fullmatch(rf"{number}((\.\.|,){number})*", text.replace(" ", "")) is None:
        return ""
    return re.sub("([0-9]+),([0-9]+)", r"\1.\2", text) + "..0.1" * (text.count("..") == 1)


def _ends(more: list[Decimal], item: str, where: str) -> tuple[Decimal, Decimal | None]:
    if len(more) > 2:
        raise InputError("not a range", where=where, got=item, allowed=FORMS)
    step = more[1] if len(more) == 2 else None
    if step is not None and step <= 0:
        raise InputError(
            "the step is too small to change the value", where=where, got=item, allowed="a step above zero"
        )
    return more[0], step


def _decimal(part: str, item: str, where: str) -> Decimal:
    try:
        value = Decimal(part.strip())
    except InvalidOperation:
        raise InputError("not a number", where=where, got=item.strip(), allowed=FORMS) from None
    _plain(float(value), item, where)
    return value


def _plain(value: float, item: object, where: str) -> float:
    if not math.isfinite(value):
        raise InputError("not a finite number", where=where, got=item, allowed=FORMS)
    return int(value) if value == int(value) and abs(value) < 2**53 else value
