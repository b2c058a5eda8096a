"""How to run: the engine, how many patients and parameter sets, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, signature
from numbers import Integral, Real
from pathlib import Path
from typing import TypedDict, TypeVar

from simulator.engines.curves import check_horizon
from simulator.errors import InputError, UnknownNameError
from simulator.experiment.engine_choice import ENGINES
from simulator.scenario.scenario import Scenario

Given = Scenario | str | Path

Progress = Callable[[int, int], None]

Function = TypeVar("Function", bound=Callable[..., object])

MOST_PATIENTS = 100_000_000
"""Patients a draw: hours of work, for a standard error of 0.00005."""


@dataclass(frozen=True)
class Settings:
    """How to run.

    engine : "auto", "exact" (no simulation noise), "microsim" (simple queues) or "des" (any queues)
    patients : simulated per parameter set and replication, unless [service] declares arrivals; exact simulates none
    draws : the first so many parameter sets; None: up to 400 for exact, 100 for microsim, 50 with limited resources
    seed : the same seed gives the same numbers
    horizon : months simulated from the start of the default clock
    jobs : processes
    replications : of every parameter set, where resources are limited
    overload : run even if demand exceeds capacity, so that queues grow without limit
    margin : the extra survivors per 100 at the answer's month from which a policy is worthwhile: an assumption
    rough : few parameter sets by default, and every table marked; the caller gives few patients and replications
    histories : keep every event of the first parameter set's first replication; not for exact
    """

    engine: str = "auto"
    patients: int = 10_000
    draws: int | None = None
    seed: int = 1
    horizon: float = 120.0
    jobs: int = 1
    replications: int = 4
    overload: bool = False
    margin: float = 5.0
    rough: bool = False
    histories: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UnknownNameError("engine", self.engine, ENGINES, "--engine")
        for name in ("patients", "draws", "seed", "jobs", "replications"):
            value = getattr(self, name)
            if not (_is_whole(value) or (name == "draws" and value is None)):
                raise InputError("not a whole number", where=f"--{name}", got=value, allowed="a whole number")
            object.__setattr__(self, name, None if value is None else int(value))  # also NumPy's
        if isinstance(self.horizon, bool) or not isinstance(self.horizon, Real):
            raise InputError("not a number", where="--horizon", got=self.horizon, allowed="months above 0")
        check_horizon(float(self.horizon))
        if isinstance(self.margin, bool) or not isinstance(self.margin, Real) or not 0.0 <= self.margin <= 100.0:
            raise InputError(
                "the margin is out of range",
                where="--margin",
                got=self.margin,
                allowed="0 to 100 more survivors per 100 patients",
            )
        counts = (("--patients", self.patients), ("--jobs", self.jobs), ("--replications", self.replications))
        for option, value in counts:
            if value < 1:
                raise InputError("too few", where=option, got=value, allowed="1 or more")
        if self.patients > MOST_PATIENTS:
            raise InputError("too many", where="--patients", got=self.patients, allowed=f"up to {MOST_PATIENTS:,}")


class StoryOptions(TypedDict, total=False):
    """The options of `story`, by name: see `Settings`."""

    engine: str
    draws: int | None
    seed: int
    horizon: float
    jobs: int
    replications: int
    overload: bool


class SweepOptions(StoryOptions, total=False):
    """The options of `sweep`, by name: see `Settings`."""

    patients: int


class Options(SweepOptions, total=False):
    """The options of `run` and `compare`, by name: see `Settings`."""

    margin: float
    rough: bool
    histories: bool


def with_options(options: type[StoryOptions]) -> Callable[[Function], Function]:
    """Give a function that takes **options their names, types, defaults and descriptions, for help and notebooks.

    A name that is no option is refused with those that there are. Raises TypeError.
    """
    described = (line.strip() for line in (Settings.__doc__ or "").splitlines())
    descriptions = [line for line in described if line.partition(" :")[0] in options.__annotations__]
    descriptions.append("progress : called with how many pieces are done, and of how many")

    def with_signature(function: Function) -> Function:
        without = signature(function)
        named = [parameter for parameter in without.parameters.values() if parameter.kind != Parameter.VAR_KEYWORD]
        named += [
            Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for field in fields(Settings)
            if field.name in options.__annotations__
        ]
        names = [parameter.name for parameter in named if parameter.kind == Parameter.KEYWORD_ONLY]

        @wraps(function)
        def checked(*given: object, **options: object) -> object:
            for name in options:
                if name not in without.parameters and name not in names:
                    # As Python refuses a keyword; but with the names that there are.
                    raise TypeError(str(UnknownNameError("option", name, names, function.__name__)))
            return function(*given, **options)

        checked.__signature__ = without.replace(parameters=named)  # type: ignore[attr-defined]
        if function.__doc__:
            checked.__doc__ = "\n    ".join([function.__doc__.rstrip(), "", *descriptions, ""])
        return checked  # type: ignore[return-value]

    return with_signature


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
