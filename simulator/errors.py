"""Errors that say what is wrong, where, what was got, what is allowed, and which name was probably meant."""

import re
from collections.abc import Iterable
from math import inf
from typing import Any

from simulator.plain_text import visible

LONGEST = 500
"""Characters of a place, or of what was got, in a message; of a longer one its middle is left out."""


class AftercartError(Exception):
    """Any failure that aftercart reports in words, in one line of visible text; the command ends with `exit_code`."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))

    def __reduce__(self) -> tuple[Any, ...]:
        # Back from a worker process with its message, whatever the class was made of.
        return AftercartError.__new__, (type(self), *self.args), vars(self)


class InputError(AftercartError):
    """Input that cannot be used: "WHERE: WHAT; got GOT; allowed: ALLOWED; did you mean 'NEAREST'?".

    what : the complaint, naming the key
    where : the file, table or transition it was found in
    got : the offending value; None if there is none to show
    allowed : the values or names that would do, in words
    nearest : the valid name closest to the one given (see `nearest`)
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: str = "", got: object = None, allowed: str = "", nearest: str | None = None
    ) -> None:
        self.what = what
        self.where = where
        self.got = got
        self.allowed = allowed
        self.nearest = nearest
        message = f"{_cut(where)}: {what}" if where else what
        if got is not None:
            message += f"; got {_cut(repr(_as_written(got)))}"
        if allowed:
            message += f"; allowed: {allowed}"
        if nearest:
            message += f"; did you mean {nearest!r}?"
        super().__init__(message)


class EngineRefusal(InputError):
    """What an engine finds only while it runs. instead : the engine that `auto` goes on with"""

    instead: str


class UnknownNameError(InputError):
    """A name that is none of some: with all of them, or the twelve that are most like it.

    meant : what was meant, if that is known; else the most alike is offered
    """

    def __init__(self, what: str, got: str, names: Iterable[str], where: str, meant: str | None = None) -> None:
        names = list(names)
        allowed = number_meant(got) or ", ".join(names)
        if len(names) > 12:
            allowed = number_meant(got) or ", ".join(alike(got, names, 12)) + ", ..."
        super().__init__(f"unknown {what}", where=where, got=got, allowed=allowed, nearest=meant or nearest(got, names))


def _cut(text: str) -> str:
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]}...{text[-half:]}"


def _as_written(value: Any) -> Any:
    """Return a value as it was written in the file: plain numbers for NumPy's, and texts for dates."""
    if isinstance(value, dict):
        return {key: _as_written(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_as_written(entry) for entry in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.tolist() if hasattr(value, "tolist") else value


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most like `name`, whatever its case, or the one that it begins; None if there is none.

    Alike: difflib's ratio is 0.6 or more.
    """
    from difflib import get_close_matches  # not needed unless something is wrong

    by_lower_case = {choice.lower(): choice for choice in choices}
    lower = str(name).lower()
    begun = [choice for choice in by_lower_case if len(lower) > 2 and choice.startswith(lower)]
    matches = get_close_matches(lower, by_lower_case, n=1) or (begun if len(begun) == 1 else [])
    return by_lower_case[matches[0]] if matches else None


def alike(name: str, choices: Iterable[str], count: int) -> list[str]:
    """Return so many choices, those first that have a word of `name` in them, then those most like it."""
    from difflib import SequenceMatcher

    words = [word for word in re.split(r"[^a-z0-9]+", str(name).lower()) if len(word) > 2]

    def distance(choice: str) -> tuple[int, float]:
        lower = choice.lower()
        return -sum(word in lower for word in words), -SequenceMatcher(None, str(name).lower(), lower).ratio()

    return sorted(choices, key=distance)[:count]


def within(lowest: float, highest: float, value: float) -> str:
    """Return the range that is allowed, "0 to 1", and of a share that was given in per cent the number to write."""
    if highest == inf:
        return "a finite number" + (f", {lowest:g} or more" if lowest > -inf else "")
    return f"{lowest:g} to {highest:g}{in_per_cent(value) if highest == 1.0 else ''}"


def in_per_cent(value: float) -> str:
    """Return " (60 %? write 0.6)" of 60, which should have been a share; nothing of what is no percentage."""
    return f" ({value:g} %? write {value / 100:g})" if 2.0 <= value <= 100.0 else ""


def number_meant(text: object) -> str | None:
    """Return "write 0.6" of "0,6", ".6" and "60 %"; None of anything else."""
    match = re.fullmatch(r"\s*([+-]?(?:[0-9]+|[0-9]*[.,][0-9]+))\s*(%?)\s*", text) if isinstance(text, str) else None
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    return f"write {value / 100 if match[2] else value:g}"


def plain(value: float) -> float:
    """Return a computed number as it is shown, without the noise of its last digits."""
    return float(f"{value:.12g}")
