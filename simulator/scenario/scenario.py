"""A scenario: a policy question, and the levers that declare it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from simulator.errors import InputError, UnknownNameError, number_meant, within
from simulator.files import toml
from simulator.pathway.case_mix import CaseMixTable
from simulator.pathway.format import load_pathway, named_pathway
from simulator.pathway.joint import Joint
from simulator.pathway.milestones import with_milestones
from simulator.pathway.pathway import Pathway
from simulator.pathway.units import check_unit
from simulator.plain_text import is_name
from simulator.scenario import capacity as limits
from simulator.scenario.arrivals import Service, ServiceTable, read_service
from simulator.scenario.capacity import Capacity
from simulator.scenario.hazard_ratios import DeclaredRatio, HazardRatios, is_table, read_hazard_ratios
from simulator.scenario.population import check_population, joints_of

HALF = 0.5
"""The marginal benefit that is shown next to 1 where no cohort informs it: an assumption."""
COHORTS, BREAK_EVEN = "cohorts", "break-even"
"""Marginal benefits that differ from draw to draw: as other cohorts inform it; where a policy is just worthwhile."""
INFORMED = f"@{COHORTS}"
"""Among a draw's values, no parameter of which has such a name: its marginal benefit."""
PRIOR_ALONE = "@prior"
"""The same, as the prior alone has it: of a new setting, before any cohort informs it."""

_REPORTED = ("set", "scale", "odds_ratio", "replace", "hazard_ratio", "population", "case_mix", "capacity", "service")

DECLARE = "declare_scenario(name, base, ...), which takes keys as in a file"

LEVERS = ("set", "scale", "odds_ratio")
Number = Annotated[float, Field(allow_inf_nan=False)]


class ScenarioTable(toml.Table):
    """A scenario file."""

    title: toml.Line = Field("", description="a few words")
    question: str = Field("", description="the question that a planner asks")
    rationale: str = ""
    assumes: str = Field("", description="what must be true for the answer to be right")
    base: str | None = Field(None, description="the scenario to which this one adds its levers")
    pathway: str | None = Field(None, description="a shipped pathway's name, or a file; default: the base's")
    leads_with: str | None = Field(None, description="the clock to show first")
    marginal_benefit: Annotated[Number, Field(ge=0, le=1)] = Field(
        1.0,
        description="share of additional patients (treated only under this policy) who benefit as today's treated do",
    )
    set: dict[str, Number] = Field(default_factory=dict, description="parameter = value")
    scale: dict[str, Number] = Field(default_factory=dict, description="parameter = factor")
    odds_ratio: dict[str, Number] = Field(default_factory=dict, description="probability parameter = odds ratio")
    replace: dict[str, str] = Field(
        default_factory=dict,
        description="share of a branch = share of another branch of its choice, which it takes over in each draw",
    )
    hazard_ratio: dict[str, Number | dict[str, Any]] = Field(
        default_factory=dict,
        description='"state.transition" = hazard ratio of a latent time: a number, {by = "attribute", level = ...}, or '
        "{breaks = [...], ratios = [...]} by months since the time began",
    )
    population: dict[str, dict[str, Number]] = Field(
        default_factory=dict, description="attribute = weight of each level"
    )
    case_mix: list[CaseMixTable] = Field(default_factory=list, description="attributes that go together")
    capacity: dict[str, limits.Told] = Field(default_factory=dict, description="resource = number of units, or a table")
    milestones: list[str] = Field(
        default_factory=list, description="states without effect: latent times of the state before are carried forward"
    )
    service: ServiceTable | None = Field(None, description="arrivals over calendar time")


@dataclass(frozen=True, eq=False)
class Scenario:
    """Levers on a pathway; one object is one scenario. Every key of the tables has been checked against the pathway.

    marginal_benefit : a number, or COHORTS or BREAK_EVEN: each draw's own
    bases : the files that it adds to, nearest first
    `before` : what applies to arrivals before the policy starts, where [service] names a month.
    """

    name: str
    pathway: Pathway
    title: str = ""
    question: str = ""
    rationale: str = ""
    assumes: str = ""
    leads_with: str | None = None
    marginal_benefit: float | str = 1.0
    set: Mapping[str, float] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    odds_ratio: Mapping[str, float] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)
    hazard_ratio: Mapping[str, DeclaredRatio] = field(default_factory=dict)
    population: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    case_mix: Sequence[Mapping[str, Any]] = ()
    capacity: Mapping[str, Capacity] = field(default_factory=dict)
    service: Service | None = None
    before: Scenario | None = None
    file: Path | None = None
    bases: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        """Return the name, the pathway's name and the levers."""
        levers = {key: value for key in _REPORTED if (value := getattr(self, key))}
        stated = [f"{key}={value!r}" for key, value in levers.items()]
        return f"Scenario({', '.join([repr(self.name), repr(self.pathway.name), *stated])})"

    @property
    def where(self) -> str:
        return str(self.file or self.name)

    @cached_property
    def hazard_ratios(self) -> dict[str, HazardRatios]:
        """The hazard ratios, read: by "state.transition". Raises InputError naming the key."""
        return read_hazard_ratios(self.hazard_ratio, self.pathway, self.where)

    @cached_property
    def joints(self) -> tuple[Joint, ...]:
        """The case mix: every attribute once, alone or with those that it goes with. Raises InputError."""
        return joints_of(self.pathway, self.case_mix, self.population, self.where)

    @property
    def policy(self) -> str:
        """The name without a marginal benefit: NAME of NAME@0.5."""
        return split_name(self.name)[0]

    @property
    def is_limited(self) -> bool:
        """Whether it has resources that may run short, or arrivals over time."""
        return bool(self.capacity) or self.service is not None

    @property
    def unlimited(self) -> list[str]:
        """The pathway's resources of which there are always enough."""
        return [name for name in self.pathway.resources if name not in self.capacity]

    def with_marginal_benefit(self, benefit: float | str) -> Scenario:
        """Return this scenario as NAME@benefit."""
        suffix = benefit if isinstance(benefit, str) else f"{benefit:g}"
        return replace(self.benefiting(benefit), name=f"{self.policy}@{suffix}")

    def benefiting(self, benefit: float | str) -> Scenario:
        """Return this scenario with a marginal benefit, also of additional patients before its date."""
        before = None if self.before is None else self.before.benefiting(benefit)
        return replace(self, marginal_benefit=benefit, before=before)


def split_name(name: str) -> tuple[str, float | str | None]:
    """Return NAME and the marginal benefit of NAME@benefit; None where a name has none."""
    stem, at, suffix = name.rpartition("@")
    if at and suffix in (COHORTS, BREAK_EVEN):
        return stem, suffix
    return (stem, float(suffix)) if at and _is_number(suffix) else (name, None)


def load_scenario(name_or_file: Scenario | str | Path, pathway: Pathway | None = None) -> Scenario:
    """Return a shipped scenario by name, or one declared in a file; `NAME@0.3` sets its marginal benefit.

    `NAME@cohorts` : as other cohorts inform it. `pathway` replaces the one the scenario names. A scenario that was made
    in Python is checked. Raises InputError.
    """
    if isinstance(name_or_file, Scenario):
        check(name_or_file)
        return name_or_file
    if not isinstance(name_or_file, str | Path):
        allowed = "a name, a file, or a Scenario"
        raise InputError("not a scenario", where="scenario", got=name_or_file, allowed=allowed)
    text, benefit = split_name(str(name_or_file))
    if benefit is not None and benefit != BREAK_EVEN and not Path(name_or_file).exists():
        where = f"scenario {name_or_file}"
        if isinstance(benefit, float) and not 0 <= benefit <= 1:
            allowed = within(0.0, 1.0, benefit)
            raise InputError("marginal benefit outside 0 to 1", where=where, got=benefit, allowed=allowed)
        if split_name(text)[1] is not None and not Path(text).exists():
            raise InputError(
                "more than one marginal benefit", where=where, got=str(name_or_file)[len(text) :], allowed=text
            )
        scenario = load_scenario(text, pathway).with_marginal_benefit(benefit)
        _check_benefit(scenario, where)
        return scenario
    if not Path(name_or_file).exists():
        _refuse_slip(str(name_or_file))
    return _load(_path(name_or_file), pathway, ())


def _refuse_slip(name: str) -> None:
    """Refuse NAME@0,6 and NAME@60%, whose marginal benefit is a number that is written otherwise."""
    _, at, suffix = name.rpartition("@")
    if at and (hint := number_meant(suffix)):
        allowed = f"0 to 1: {hint}" if 0 <= float(hint.removeprefix("write ")) <= 1 else "0 to 1"
        raise InputError("not a marginal benefit", where=f"scenario {name}", got=suffix, allowed=allowed)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _path(name_or_file: str | Path) -> Path:
    if Path(name_or_file).suffix == ".toml":
        return Path(name_or_file)
    return _shipped(str(name_or_file), "scenario", Path())


def _shipped(name: str, where: str, folder: Path) -> Path:
    """Return a shipped scenario's file. folder : where a file of that name may lie instead. Raises InputError."""
    import scenarios

    if name not in scenarios.names():
        raise UnknownNameError("scenario", name, scenarios.names(), where, toml.file_meant(name, folder))
    return scenarios.path(name)


def _base(named: str, path: Path) -> Path:
    """Return the file of the base that a scenario's file names: a shipped one, or a file in its folder."""
    where = f"{path}: base"
    return toml.named_file(path, named, where) if named.endswith(".toml") else _shipped(named, where, path.parent)


def _load(path: Path, pathway: Pathway | None, seen: tuple[Path, ...]) -> Scenario:
    if path.resolve() in seen:
        raise InputError("the scenario is its own base", where=f"{path}: base", got=[file.name for file in seen])
    table = toml.load(ScenarioTable, path)
    base = None
    if table.base is not None:
        base = _load(_base(table.base, path), pathway, (*seen, path.resolve()))
    if pathway is None and table.pathway is not None:
        pathway = named_pathway(table.pathway, path)
    return _declared(path.stem, table, base, pathway, str(path), path)


def declare_scenario(
    name: str, base: Scenario | str | Path | None = None, *, pathway: Pathway | str | Path | None = None, **keys: Any
) -> Scenario:
    """Return a scenario without a file, from the keys that a scenario's file may have: they are checked as there.

    declare_scenario("less", "as-it-is", set={"onset": 0.1}, capacity={"beds": 2})

    base : the scenario to which it adds its keys, by name, file or loaded; None: it has only its own
    pathway : by name, file or loaded; None: the base's
    keys : see docs/scenario-format.md; numbers and lists may be NumPy's
    Raises InputError naming the key.
    """
    where = f"scenario {name}"
    if not isinstance(name, str) or not is_name(name):
        raise InputError("not a name", where="declare_scenario", got=name, allowed="words in one line")
    table = toml.validate(ScenarioTable, toml.cleaned(_plain(keys), where), where)
    given = pathway if isinstance(pathway, Pathway) or pathway is None else load_pathway(pathway)
    return _declared(name, table, None if base is None else load_scenario(base, given), given, where, None)


def _plain(value: Any) -> Any:
    """Return a value as a file has it: dictionaries, lists, and numbers of Python."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list | range):
        return [_plain(entry) for entry in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _declared(
    name: str, table: ScenarioTable, base: Scenario | None, pathway: Pathway | None, where: str, file: Path | None
) -> Scenario:
    """Return the scenario that a table declares over its base. Raises InputError naming the key.

    pathway : instead of the base's
    """
    levers = _flat_tables(table)
    if base is not None:
        pathway = pathway or base.pathway
        levers = {key: {**getattr(base, key), **value} for key, value in levers.items()}
        stated = {name for joint in table.case_mix for name in joint.of if name not in table.population}
        levers["population"] = {name: mix for name, mix in levers["population"].items() if name not in stated}
        if "marginal_benefit" not in table.model_fields_set:
            table = table.model_copy(update={"marginal_benefit": base.marginal_benefit})
    if pathway is None:
        raise InputError("a scenario without a base needs a pathway", where=f"{where}: pathway")
    if table.milestones:
        pathway = with_milestones(pathway, table.milestones, f"{where}: milestones")
    texts = {key: getattr(table, key) for key in ("title", "question", "rationale", "assumes", "leads_with")}
    service = {} if table.service is None else table.service.model_dump(exclude_unset=True)
    keys: dict[str, Any] = {
        **texts,
        **levers,
        "case_mix": [joint.model_dump() for joint in table.case_mix] or (base.case_mix if base else ()),
        "capacity": limits.read(pathway, table.capacity, where, base.capacity if base else {}),
        "service": read_service(service, where, base.service if base else None),
        "bases": () if base is None else base.bases if base.file is None else (base.file, *base.bases),
    }
    scenario = Scenario(name, pathway, marginal_benefit=table.marginal_benefit, file=file, **keys)
    check(scenario)
    if scenario.service is None or scenario.service.policy_from_month is None:
        return scenario
    # A policy declared over another that has a date replaces it: what came before the date stays.
    until_then = (base.before or base) if base else Scenario(name, pathway, file=file)
    until_then = replace(until_then, capacity=scenario.capacity, service=scenario.service)
    return replace(scenario, before=until_then.benefiting(scenario.marginal_benefit))


def _flat_tables(table: ScenarioTable) -> dict[str, dict[str, Any]]:
    """Return the lever tables; `ill.death = 0.5` and `"ill.death" = 0.5` are the same."""
    ratios: dict[str, DeclaredRatio] = {}
    for key, value in table.hazard_ratio.items():
        if isinstance(value, dict) and value and not is_table(value):
            ratios |= {f"{key}.{name}": ratio for name, ratio in value.items()}
        else:
            ratios[key] = value
    levers: dict[str, dict[str, Any]] = {"hazard_ratio": ratios}
    for key in (*LEVERS, "replace", "population"):
        levers[key] = dict(getattr(table, key))
    return levers


def check_one_pathway(scenarios: Sequence[Scenario]) -> None:
    """Refuse to compare scenarios of different pathways. Raises InputError."""
    pathway = scenarios[0].pathway
    for scenario in scenarios[1:]:
        if scenario.pathway.where != pathway.where:
            raise InputError(
                "scenarios of different pathways cannot be compared",
                where=scenario.where,
                got=scenario.pathway.name,
                allowed=pathway.name,
            )


def check_names(scenarios: Sequence[Scenario]) -> None:
    """Rows of the tables are distinguished by the scenario's name, so no name may come twice."""
    for place, scenario in enumerate(scenarios):
        if scenario.name in [before.name for before in scenarios[:place]]:
            raise InputError(
                "two scenarios have one name", got=scenario.name, allowed="a different name for each scenario"
            )


def check(scenario: Scenario) -> None:
    """Refuse a lever that the pathway does not have. Raises InputError naming file and key."""
    pathway = scenario.pathway
    if not isinstance(pathway, Pathway):
        raise InputError("not a pathway", where=scenario.where, got=pathway, allowed=f"load_pathway(NAME); {DECLARE}")
    for resource, capacity in scenario.capacity.items():
        if not isinstance(capacity, Capacity):
            raise InputError("not a capacity", where=f"{scenario.where}: {resource}", got=capacity, allowed=DECLARE)
    for lever in LEVERS:
        for name, value in getattr(scenario, lever).items():
            where = f"{scenario.where}: [{lever}] {name}"
            if name not in pathway.parameters:
                raise UnknownNameError("parameter", name, pathway.parameters, where)
            _check_lever(lever, pathway.parameters[name].unit, value, where)
    for name, replaced in scenario.replace.items():
        _check_replacement(pathway, name, replaced, f"{scenario.where}: [replace] {name}")
    _check_once(scenario)
    _check_benefit(scenario, f"{scenario.where}: marginal_benefit")
    if pathway.milestones and scenario.service is not None:
        raise InputError(
            "a scenario with milestones cannot have [service]",
            where=scenario.where,
            allowed="[capacity] without [service], or no milestones: the demand at a milestone is not known in advance",
        )
    read_hazard_ratios(scenario.hazard_ratio, pathway, scenario.where)
    check_population(scenario.population, pathway, scenario.where)
    joints_of(pathway, scenario.case_mix, scenario.population, scenario.where)
    for resource in scenario.capacity:
        if resource not in pathway.resources:
            raise UnknownNameError("resource", resource, pathway.resources, f"{scenario.where}: [capacity] {resource}")
        _check_counted(scenario, resource)
    if scenario.leads_with is not None and scenario.leads_with not in pathway.clocks:
        raise UnknownNameError("clock", scenario.leads_with, pathway.clocks, f"{scenario.where}: leads_with")


def _check_counted(scenario: Scenario, resource: str) -> None:
    """Refuse a service whose patients may wait for a resource before they arrive."""
    early = sorted(scenario.pathway.states_before_clock)
    holding = [name for name in early if scenario.pathway.states[name].holds == resource]
    if scenario.service is not None and holding:
        raise InputError(
            f"arrivals at '{scenario.pathway.clock_state}' cannot be declared, because patients may wait earlier",
            where=f"{scenario.where}: [capacity] {resource}",
            got=f"held in '{holding[0]}'",
            allowed=f"resources held from '{scenario.pathway.clock_state}' on, or no [service]",
        )


def _check_lever(lever: str, unit: str, value: float, where: str) -> None:
    """Refuse what no parameter set allows; what a factor makes of a value is checked in `levers`."""
    if lever == "set":
        check_unit(value, unit, where)
    if lever != "set" and value < 0:
        raise InputError("negative factor", where=where, got=value, allowed="0 or more")
    if lever == "odds_ratio" and unit != "probability":
        raise InputError("an odds ratio needs a probability", where=where, got=unit, allowed="[scale]")


def _check_replacement(pathway: Pathway, name: str, replaced: str, where: str) -> None:
    """Refuse to replace what is no other branch of the same choice."""
    for parameter in (name, replaced):
        if parameter not in pathway.parameters:
            raise UnknownNameError("parameter", parameter, pathway.parameters, where)
    others = {other for choice in pathway.siblings(name) for other in choice.names} - {name}
    if replaced not in others:
        allowed = f"the share of another branch of the choice: {', '.join(sorted(others))}" if others else ""
        what = "a treatment takes over the share of another in its choice"
        raise InputError(what, where=where, got=replaced, allowed=allowed or "a key that is the share of a branch")


def _check_benefit(scenario: Scenario, where: str) -> None:
    """Refuse a benefit of additional patients where no decision is declared that they are additional at."""
    if scenario.pathway.marginal is None and scenario.marginal_benefit != 1.0:
        raise InputError(
            "the pathway declares no decision at which patients are additional",
            where=where,
            got=scenario.marginal_benefit,
            allowed=f"no marginal benefit, or [marginal] in {scenario.pathway.where}",
        )


def _check_once(scenario: Scenario) -> None:
    for name in scenario.pathway.parameters:
        levers = [lever for lever in LEVERS if name in getattr(scenario, lever)]
        levers += ["replace"] * [*scenario.replace, *scenario.replace.values()].count(name)
        if len(levers) > 1:
            raise InputError(
                f"'{name}' is given twice", where=scenario.where, got=", ".join(f"[{lever}]" for lever in levers)
            )
