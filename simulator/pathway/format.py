"""The TOML format of a pathway: the tables it has, and how they become a `Pathway`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from simulator.errors import InputError, UnknownNameError
from simulator.files import toml
from simulator.pathway import extension
from simulator.pathway.case_mix import AttributeTable, CaseMixTable, read_attribute, read_joints
from simulator.pathway.checks import check
from simulator.pathway.end_points import EndPointTable, end_point
from simulator.pathway.outcome_months import outcome_months
from simulator.pathway.pathway import (
    Comparison,
    Count,
    Group,
    Marginal,
    Parameter,
    Pathway,
    Prior,
    Resource,
    State,
    Timing,
    Transition,
)
from simulator.pathway.references import Reference, Selection
from simulator.pathway.units import check_unit

Number = Annotated[float, Field(allow_inf_nan=False)]
Names = str | list[str]
ReferenceTable = Number | str | dict[str, Any] | list[Any]

MODIFIERS = ("cure", "hazard_ratio", "after")
"""Of a sojourn time of any family."""


class TransitionTable(toml.Table):
    """A way out of a sojourn. With a probability on all of them, `time` depends on the destination."""

    to: str = Field(description="the state that follows")
    name: str | None = Field(None, description="its name, if two exits lead to one state; default: `to`")
    time: dict[str, Any] = Field(
        description="a sojourn time: family, its parameters, `cure`, `hazard_ratio` and `after`"
    )
    probability: ReferenceTable | None = Field(None, description="the destination's probability")


class BranchTable(toml.Table):
    """A branch of a choice."""

    to: str = Field(description="the state that follows")
    name: str | None = Field(None, description="its name; default: `to`")
    probability: ReferenceTable = Field(description='its share among the eligible, or "rest"')
    eligible: dict[str, list[str] | dict[str, ReferenceTable]] = Field(
        default_factory=dict, description="by attribute: the levels that are eligible, or a factor per level"
    )


class StateTable(toml.Table):
    """A state: a sojourn (time passes), a choice (instant: a decision or chance), or an end."""

    kind: Literal["sojourn", "decision", "chance", "death", "end"]
    label: toml.Line | None = None
    meaning: str = ""
    holds: str | None = Field(None, description="the resource that a patient in this state holds")
    cause: toml.Line | None = Field(None, description="of a death")
    transitions: list[TransitionTable] = Field(default_factory=list, description="of a sojourn")
    branches: list[BranchTable] = Field(default_factory=list, description="of a decision or of chance")


class PriorTable(toml.Table):
    """A parameter's prior."""

    family: Literal["beta", "dirichlet", "lognormal", "normal", "gamma", "uniform"]
    a: Number | None = None
    b: Number | None = None
    alpha: Number | None = None
    median: Number | None = None
    sigma: Number | None = None
    mean: Number | None = None
    sd: Number | None = None
    shape: Number | None = None
    rate: Number | None = None
    lower: Number | None = None
    upper: Number | None = None


class ParameterTable(toml.Table):
    """A number that has a name: what it means, its unit, where it comes from."""

    unit: Literal["probability", "months", "per month", "ratio", "number"]
    meaning: str
    value: Number = Field(description="used where there are no draws")
    source: str = Field(description="where the number comes from, or the word assumption")
    lever: bool = Field(False, description="whether a policy can change the parameter")
    prior: PriorTable | None = Field(None, description="if absent, the parameter is fixed at its value")


class GroupTable(toml.Table):
    """Patients who entered any of `entered` and none of `not_entered` within the window."""

    entered: Names = Field(description="a state, or a list of states")
    not_entered: Names = Field(default_factory=list, description="a state, or a list of states")
    label: toml.Line | None = None


class CountTable(toml.Table):
    """What planners count, per patient: entries into states, or months spent in them."""

    label: toml.Line | None = None
    unit: toml.Line = "per 100 patients"
    entries: Names = Field(default_factory=list, description="a state, or a list of states")
    months: Names = Field(default_factory=list, description="a state, or a list of states")


class ResourceTable(toml.Table):
    """Something of which there may be too few."""

    label: toml.Line | None = None
    unit: toml.Line = ""
    meaning: str = ""


class MarginalTable(toml.Table):
    """The one decision at which the marginal patient need not be the average one."""

    decision: str
    branch: str = Field(description="the branch that treats")
    otherwise: str = Field(description="the sojourn of untreated patients; leads only to death")
    no_benefit: str = Field(description="the state of patients treated without benefit")
    reference: str | Number = Field(
        description='the share treated today, whose outcomes were calibrated: "3/10", or a number from 0 to 1'
    )
    harm: Names = Field(
        default_factory=list, description="deaths of treatment that patients treated without benefit may die, too"
    )


class ComparisonTable(toml.Table):
    """What `aftercart guarantee-time` compares: patients who enter a treatment, and who could but do not."""

    entered: str = Field(description="the group of patients who enter a state")
    others: str = Field(description="the group of patients who have not entered that state")
    landmarks: list[Number] = Field(
        default_factory=list, description="months, below answer_month; default: a quarter and half of it"
    )


class PathwayTable(toml.Table):
    """A pathway file."""

    title: toml.Line
    description: str = ""
    extends: str | None = Field(None, description="a shipped pathway, or a file: this file declares changes only")
    start: str = Field(description="the state that every patient enters at month 0")
    draws: str | None = Field(
        None, description='a shipped cohort, a fitted cohort\'s folder, a CSV file of draws, or "prior"'
    )
    group_window: Annotated[Number, Field(gt=0)] = Field(120.0, description="months, for [groups]")
    clocks: dict[str, str] = Field(default_factory=dict, description="clock = the state that starts it; first: default")
    patients: Annotated[str, Field(min_length=1)] = Field(
        "patients", description='the patients who start the default clock, as in "patients who fall ill"'
    )
    survival_months: list[Number] | None = Field(
        None, description="months at which survival is shown; default: half a year, one, two and five years"
    )
    answer_month: Number | None = Field(
        None, description="the survival month of the headline; default: the middle month (the lower of two)"
    )
    abbreviations: dict[str, str] = Field(
        default_factory=dict, description="abbreviation in labels and names = its meaning"
    )
    attributes: dict[str, AttributeTable] = Field(default_factory=dict)
    case_mix: list[CaseMixTable] = Field(default_factory=list, description="attributes that go together")
    states: dict[str, StateTable]
    parameters: dict[str, ParameterTable] = Field(default_factory=dict)
    groups: dict[str, GroupTable] = Field(default_factory=dict)
    end_points: dict[str, EndPointTable] = Field(default_factory=dict)
    counts: dict[str, CountTable] = Field(default_factory=dict)
    resources: dict[str, ResourceTable] = Field(default_factory=dict)
    marginal: MarginalTable | None = None
    guarantee_time: ComparisonTable | None = None


def named_pathway(named: str, path: Path, key: str = "pathway") -> Pathway:
    """Return the pathway that a key of a file names: a shipped one, or a file in its folder."""
    file = extension.read(named, f"{path}: {key}", path)
    return _declared(file)


def load_pathway(name_or_file: str | Path) -> Pathway:
    """Return a shipped pathway by its name, or the one declared in a file. Raises InputError."""
    file = extension.read(name_or_file, "pathway", None)
    return _declared(file)


# A command loads its pathway for every scenario and cohort, and to see whether the draws are stale.
@lru_cache(maxsize=64)
def _declared(file: extension.File) -> Pathway:
    """Return the pathway that a file declares, checked."""
    extended = None if file.extended is None else _declared(file.extended)
    pathway = _pathway(toml.validate(PathwayTable, file.tables, file.path), file, extended)
    check(pathway)
    return pathway


def _pathway(table: PathwayTable, file: extension.File, extended: Pathway | None) -> Pathway:
    path = file.path
    levels = {name: list(attribute.levels) for name, attribute in table.attributes.items()}
    joints = read_joints([joint.model_dump() for joint in table.case_mix], levels, str(path))
    attributes = {name: read_attribute(name, of, joints, str(path)) for name, of in table.attributes.items()}
    return Pathway(
        name=path.stem,
        title=table.title,
        description=table.description,
        start=table.start,
        clocks=table.clocks or {"start": table.start},
        states={name: _state(name, state, table, path) for name, state in table.states.items()},
        parameters={name: _parameter(name, parameter, path) for name, parameter in table.parameters.items()},
        attributes=attributes,
        case_mix=joints,
        groups={
            name: Group(name, group.label or _words(name), _tuple(group.entered), _tuple(group.not_entered))
            for name, group in table.groups.items()
        },
        counts={name: _count(name, count, path) for name, count in table.counts.items()},
        resources={
            name: Resource(name, resource.label or _words(name), resource.unit, resource.meaning)
            for name, resource in table.resources.items()
        },
        group_window=table.group_window,
        patients=table.patients,
        abbreviations=table.abbreviations,
        marginal=_marginal(table.marginal, path),
        comparison=_comparison(table.guarantee_time),
        draws=table.draws,
        file=path,
        extended=extended,
        inherits_draws=extended is not None and "draws" not in file.declared,
        end_points={name: end_point(name, declared) for name, declared in table.end_points.items()},
        months=outcome_months(table.survival_months, table.answer_month, str(path)),
    )


def _marginal(table: MarginalTable | None, path: Path) -> Marginal | None:
    if table is None:
        return None
    treated, slash, patients = str(table.reference).partition("/")
    try:
        share = float(treated) / float(patients if slash else 1)
    except (ValueError, ZeroDivisionError):
        share = math.nan
    if not 0.0 <= share <= 1.0:
        allowed = 'a fraction of patients, as "3/10", or a number from 0 to 1'
        raise InputError("not a share", where=f"{path}: [marginal] reference", got=table.reference, allowed=allowed)
    return Marginal(**{**table.model_dump(), "reference": share, "harm": _tuple(table.harm)})


def _comparison(table: ComparisonTable | None) -> Comparison | None:
    return None if table is None else Comparison(table.entered, table.others, tuple(sorted(set(table.landmarks))))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _tuple(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))


def _state(name: str, table: StateTable, pathway: PathwayTable, path: Path) -> State:
    where = f"{path}: [states.{name}]"
    is_choice = table.kind in ("decision", "chance")
    wrong = table.transitions if is_choice else table.branches
    if wrong:
        allowed = "branches" if is_choice else "transitions"
        raise InputError(
            f"a {table.kind} has no {'transitions' if is_choice else 'branches'}", where=where, allowed=allowed
        )
    ways: list[Transition] = []
    for transition in table.transitions:
        place = f"{where} {transition.name or transition.to}"
        probability = (
            None if transition.probability is None else read_reference(transition.probability, f"{place}: probability")
        )
        ways.append(
            Transition(
                transition.name or transition.to, transition.to, _timing(transition.time, f"{place}: time"), probability
            )
        )
    for branch in table.branches:
        place = f"{where} {branch.name or branch.to}"
        eligible = {
            name: _eligibility(open_to, pathway.attributes[name].levels if name in pathway.attributes else (), place)
            for name, open_to in branch.eligible.items()
        }
        probability = read_reference(branch.probability, f"{place}: probability")
        ways.append(Transition(branch.name or branch.to, branch.to, None, probability, eligible))
    return State(name, table.kind, table.label or _words(name), table.meaning, tuple(ways), table.holds, table.cause)


def _eligibility(
    open_to: list[str] | dict[str, ReferenceTable], levels: Iterable[str], where: str
) -> dict[str, Reference]:
    """Return a factor a level: of a list, 1 for its levels and 0 for the rest; of a table, 1 if not declared."""
    if isinstance(open_to, list):
        return {**dict.fromkeys(levels, 0.0), **dict.fromkeys(open_to, 1.0)}
    return {level: read_reference(share, f"{where}: eligible.{level}") for level, share in open_to.items()}


def _timing(table: dict[str, Any], where: str) -> Timing:
    from simulator.distributions import FAMILIES, parameter_names

    family = table.get("family")
    if not isinstance(family, str):
        raise InputError("a sojourn time needs a family", where=where, got=family, allowed=", ".join(FAMILIES))
    if family not in FAMILIES:
        raise UnknownNameError("family", family, FAMILIES, where)
    allowed = parameter_names(family) | set(MODIFIERS)
    arguments = {}
    for key, value in table.items():
        if key == "family":
            continue
        if key not in allowed:
            raise UnknownNameError(f"parameter of the {family} time", key, sorted(allowed), where)
        place = f"{where}.{key}"
        listed = isinstance(value, list)
        arguments[key] = (
            tuple(read_reference(entry, place) for entry in value) if listed else read_reference(value, place)
        )
    return Timing(family, arguments)


def read_reference(value: object, where: str) -> Reference:
    """Return a number, a parameter's name or a choice by attribute, as declared. Raises InputError."""
    if isinstance(value, bool) or value is None:
        raise InputError("not a number or the name of a parameter", where=where, got=value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        raise InputError("only breaks and rates can be lists", where=where, got=value)
    if isinstance(value, dict) and isinstance(value.get("by"), str):
        levels = {key: read_reference(entry, f"{where}.{key}") for key, entry in value.items() if key != "by"}
        return Selection(value["by"], levels)
    raise InputError(
        "a choice by attribute needs `by`", where=where, got=value, allowed='{by = "attribute", level = ...}'
    )


def _parameter(name: str, table: ParameterTable, path: Path) -> Parameter:
    check_unit(table.value, table.unit, f"{path}: [parameters.{name}] value")
    prior = None
    if table.prior is not None:
        arguments = {key: value for key, value in table.prior.model_dump().items() if isinstance(value, float)}
        prior = Prior(table.prior.family, arguments)
    return Parameter(name, table.unit, table.meaning, table.value, table.source, table.lever, prior)


def _count(name: str, table: CountTable, path: Path) -> Count:
    if bool(table.entries) == bool(table.months):
        raise InputError("give either entries or months", where=f"{path}: [counts.{name}]")
    return Count(name, table.label or _words(name), table.unit, _tuple(table.entries), _tuple(table.months))
