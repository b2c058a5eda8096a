"""What a planner is asked about a centre: from the pathway's declaration, each with a default and its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.arrays import Floats
from simulator.errors import InputError, number_meant, plain
from simulator.evidence.cohort import load_cohort
from simulator.evidence.practice import mean_values
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.pathway.references import attributes_in, names_in
from simulator.plain_text import capital, listed, one_line
from simulator.scenario.answers import NO_LIMIT, NOTHING, Answers, centre, limitable, on_pathway, service_of
from simulator.scenario.scenario import Scenario
from simulator.wording import reported

ASSUMED = "an assumption"


@dataclass(frozen=True)
class Question:
    """A question, and where its answer stands: in a table of `Answers`, under a key of it; "" is the table itself.

    about : its subject; meaning : of the subject; ask : what is asked of it; to_type : how it is answered
    default : None has to be answered; displayed : the default in words; source : of the default
    read : what was typed -> the answer
    """

    table: str
    key: str
    about: str
    meaning: str
    ask: str
    to_type: str
    default: Any
    displayed: str
    source: str
    read: Callable[[str], Any]

    @property
    def line(self) -> str:
        return f"{self.about}: {self.ask}" if self.about else capital(self.ask)

    @property
    def help(self) -> str:
        """What the subject means, what may be typed, and the default with its source."""
        default = f"Default: {self.displayed} ({self.source})" if self.displayed else ""
        return " ".join(f"{capital(part)}." for part in (self.meaning, self.to_type, default) if part)


def introduction(pathway: Pathway) -> list[str]:
    """Return what is asked about, and what an empty answer does."""
    loaded = map(load_pathway, shipped.names())
    extending = [one for one in loaded if one.extended is not None and one.extended.where == pathway.where]
    others = [one for one in extending if one.patients != pathway.patients]
    return [
        f"{pathway.title}. An empty answer takes the default.",
        *(f"To begin with {other.patients} instead: --pathway {other.name}" for other in others),
    ]


def questions(pathway: Pathway, answers: Answers = NOTHING) -> list[Question]:
    """Return the questions about practice today, and those of other keys that some answers have."""
    return [
        _arrivals(pathway),
        *(_share(pathway, name) for name in dict.fromkeys([*_decided_today(pathway), *answers.set])),
        *(mix(pathway, name) for name in dict.fromkeys([*_deciding(pathway), *answers.population])),
        *(_units(pathway, name) for name in dict.fromkeys([*limitable(pathway), *answers.capacity])),
    ]


def decision(today: Scenario) -> Question:
    """Return what is asked about the policy."""
    key, value, source = _suggested(today)
    displayed = "" if value is None else f"{key} = {_number(value, _unit(today.pathway, key))}"
    return Question(
        "decision", "", "", "", "what is to be decided?", "Type KEY = VALUE, several with commas",
        None if value is None else {key: value}, displayed, source, lambda text: dict(_decided(text, today, key)),
    )  # fmt: skip


def menu(today: Scenario) -> list[str]:
    """Return what can be decided, a line a key, with its value today: "uptake = 49 %: share of patients treated"."""
    pathway, values = today.pathway, _values(today.pathway)
    levers = [name for name, parameter in pathway.parameters.items() if parameter.lever]
    lines = []
    for name in dict.fromkeys([*_decided_today(pathway), *levers]):
        of = pathway.parameters[name]
        value = today.set.get(name, float(values[name].mean()))
        lines.append(f"{name} = {_number(value, of.unit)}: {one_line(of.meaning)}")
    for name in limitable(pathway):
        units = str(today.capacity[name].units) if name in today.capacity else NO_LIMIT
        lines.append(f"{name} = {units}: {pathway.resources[name].label}")
    return lines


def mix(pathway: Pathway, name: str) -> Question:
    """Return the question about the share of each level of an attribute."""
    of = pathway.attributes[name]
    percent = {level: plain(round(100.0 * share, 1)) for level, share in of.levels.items()}
    displayed = ", ".join(f"{share:g} %" for share in percent.values())
    about = capital(one_line(of.meaning or reported.parameter(name, pathway)))
    ask = f"how many are {listed([of.labels[level] for level in of.levels])}?"
    to_type = f"Type {len(percent)} numbers in this order, of patients or per cent; leave it empty if you do not know"
    source = one_line(of.source) or ASSUMED
    return Question(
        "population", name, about, "", ask, to_type, percent, displayed, source, lambda text: _weights(text, percent)
    )


def that_differ(pathway: Pathway) -> list[str]:
    """Return the attributes that make a difference to what happens to patients."""
    ways = [way for state in pathway.states.values() for way in state.transitions]
    times = [time for way in ways if way.time is not None for time in way.time.arguments.values()]
    named = {name for reference in (*times, *(way.probability for way in ways)) for name in attributes_in(reference)}
    named.update(*(way.eligible for way in ways))
    return [name for name in pathway.attributes if name in named]


def _deciding(pathway: Pathway) -> list[str]:
    """Return the attributes that decide who may have a treatment; without one, all that make a difference."""
    eligible = {name for state in pathway.states.values() for way in state.transitions for name in way.eligible}
    return [name for name in that_differ(pathway) if name in eligible or not eligible]


def _decided_today(pathway: Pathway) -> list[str]:
    """Return the shares of patients treated that planners know: of the marginal decision, or else of every decision."""
    rule, states = pathway.marginal, pathway.states
    if rule is not None:
        return list(dict.fromkeys(names_in(states[rule.decision].transition(rule.branch).probability)))
    first = [state.transitions[0].probability for state in states.values() if state.kind == "decision"]
    named = dict.fromkeys(name for reference in first for name in names_in(reference))
    return [name for name in named if pathway.parameters[name].lever]


def _values(pathway: Pathway) -> Mapping[str, Floats]:
    """Return parameter -> its value today, as far as is known : (1,)."""
    return mean_values(pathway, load_cohort(pathway))


def _arrivals(pathway: Pathway) -> Question:
    known, number = centre(pathway), 12.0 * service_of(pathway).arrivals_a_month
    source = f"as in the scenario {known.name}: {known.title}" if known else f"one a month, {ASSUMED}"
    return Question(
        "arrivals_per_year", "", capital(pathway.patients), "", "how many a year?", "", number, f"{number:.4g}", source,
        lambda text: _typed(text, "a year"),
    )  # fmt: skip


def _share(pathway: Pathway, name: str) -> Question:
    of, value = pathway.parameters[name], float(_values(pathway)[name].mean())
    about, meaning = f"{capital(reported.parameter(name, pathway))} today", one_line(of.meaning)
    of_patients = of.unit == "probability"
    ask, to_type = ("which share?", "type 50 % or 0.5") if of_patients else (f"how many? ({of.unit})", "")
    displayed, source = _number(value, of.unit), one_line(of.source)
    return Question(
        "set", name, about, meaning, ask, to_type, value, displayed, source, lambda text: _typed(text, of.unit)
    )


def _units(pathway: Pathway, name: str) -> Question:
    of, known = pathway.resources[name], centre(pathway)
    limit = known.capacity.get(name) if known else None
    default: float | str = float(limit.units) if limit else NO_LIMIT
    source = f"as in the scenario {known.name}" if known else ASSUMED

    def read(text: str) -> float | str:
        return NO_LIMIT if one_line(text).strip("\"'").lower() == NO_LIMIT else _typed(text, "units")

    ask, to_type = "how many do these patients share?", f'type a number, or "{NO_LIMIT}"'
    displayed = str(limit.units) if limit else NO_LIMIT
    return Question("capacity", name, of.label, one_line(of.meaning), ask, to_type, default, displayed, source, read)


def _suggested(today: Scenario) -> tuple[str, float | None, str]:
    """Return a decision to begin with, and its source: the least that a shipped scenario adds, or half of the rest."""
    pathway = today.pathway
    for name in _decided_today(pathway):
        value = float(today.set.get(name, _values(pathway)[name].mean()))
        more = [s for s in on_pathway(pathway) if list(s.set) == [name] and s.set[name] > value]
        if more:
            least = min(more, key=lambda scenario: (scenario.set[name], len(scenario.bases)))
            return name, least.set[name], f"as in the scenario {least.name}"
        if pathway.parameters[name].unit == "probability" and value < 1.0:
            return name, plain(round((1.0 + value) / 2.0, 2)), f"{ASSUMED}: half of the patients not treated today"
    for name, limit in today.capacity.items():
        return name, limit.units + 1.0, f"{ASSUMED}: one more"
    return "", None, ""


def _decided(text: str, today: Scenario, default: str) -> Iterator[tuple[str, float]]:
    """Yield the keys and values of "uptake = 75 %, beds = 3"; a value alone is of the default key."""
    for part in filter(str.strip, text.split(",")):
        key, equals, value = part.rpartition("=")
        if not equals and not default:
            raise InputError("not a key and its value", got=part, allowed="KEY = VALUE")
        name = key.strip() if equals else default
        yield name, _typed(value, _unit(today.pathway, name))


def _unit(pathway: Pathway, name: str) -> str:
    return pathway.parameters[name].unit if name in pathway.parameters else "units"


def _number(value: float, unit: str) -> str:
    if unit == "probability":
        return f"{100.0 * value:.3g} %"
    return f"{value:.3g}{f' {unit}' if unit in ('months', 'per month') else ''}"


def _typed(text: str, unit: str) -> float:
    """Return a number that was typed, with its unit or without, and "75 %" for a share. Raises InputError."""
    number = one_line(text).removesuffix(unit).strip()
    percent = re.fullmatch(r"(.*?)\s*%", number) if unit == "probability" else None
    try:
        return plain(float(percent[1]) / 100.0) if percent else float(number)
    except ValueError:
        raise InputError("not a number", got=text, allowed=number_meant(number) or "a number, as 20 or 0.5") from None


def _weights(text: str, levels: Mapping[str, float]) -> Mapping[str, float]:
    numbers = [part for part in re.split(r"[\s;,%]+", text) if part]
    if len(numbers) != len(levels):
        allowed = f"{len(levels)} numbers: {', '.join(levels)}"
        raise InputError("not a number for every level", got=one_line(text), allowed=allowed)
    return {level: _typed(number, "patients") for level, number in zip(levels, numbers, strict=True)}
