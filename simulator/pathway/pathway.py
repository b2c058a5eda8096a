"""The declared pathway: states, transitions, parameters, attributes; frozen, and checked as a graph.

`format.py` reads one from TOML, `checks.py` checks it, `engines/model.py` puts numbers into it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TypeVar

from simulator.pathway.end_points import Described, EndPoint
from simulator.pathway.joint import Joint
from simulator.pathway.order import in_order
from simulator.pathway.outcome_months import UNDECLARED, OutcomeMonths
from simulator.pathway.references import REST, Reference, attributes_in, leaf_of, names_in

CHOICES = ("decision", "chance")
ABSORBING = ("death", "end")
LONGEST_WAY = 12_000.0
"""Months."""
Place = TypeVar("Place")
FROM_PRIORS = "prior"
"""As a pathway's `draws`."""


@dataclass(frozen=True)
class Prior:
    family: str
    arguments: Mapping[str, float]


@dataclass(frozen=True)
class Parameter:
    name: str
    unit: str
    meaning: str
    value: float
    source: str
    lever: bool = False
    prior: Prior | None = None


@dataclass(frozen=True)
class Timing:
    """A sojourn time: its family and what its parameters refer to."""

    family: str
    arguments: Mapping[str, Reference]


@dataclass(frozen=True)
class Transition:
    """One way out of a state: a latent time, a destination with a time, or a branch of a choice.

    `carried_forward` : of a milestone, the latent time of this name that was drawn in the state before.
    """

    name: str
    to: str
    time: Timing | None = None
    probability: Reference | None = None
    eligible: Mapping[str, Mapping[str, Reference]] = field(default_factory=dict)
    carried_forward: bool = False

    @property
    def references(self) -> Iterator[Reference]:
        """Its probability, its eligibility and its time's arguments."""
        if self.probability is not None:
            yield self.probability
        for levels in self.eligible.values():
            yield from levels.values()
        if self.time is not None:
            yield from self.time.arguments.values()

    @property
    def parameters(self) -> Iterator[str]:
        """The names of the parameters that its references are made of."""
        return (name for reference in self.references for name in names_in(reference))


@dataclass(frozen=True)
class State:
    name: str
    kind: str
    label: str
    meaning: str = ""
    transitions: tuple[Transition, ...] = ()
    holds: str | None = None
    cause: str | None = None

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that its transitions' shares and times are made of."""
        return tuple(dict.fromkeys(name for transition in self.transitions for name in transition.parameters))

    @property
    def is_choice(self) -> bool:
        return self.kind in CHOICES

    @property
    def is_absorbing(self) -> bool:
        return self.kind in ABSORBING

    @property
    def competes(self) -> bool:
        """Whether this is a sojourn declared as competing latent times."""
        return self.kind == "sojourn" and self.transitions[0].probability is None

    def transition(self, name: str) -> Transition:
        return next(transition for transition in self.transitions if transition.name == name)


@dataclass(frozen=True)
class Siblings:
    """The shares of one choice: parameters, the sum of declared numbers, and whether a branch takes the rest."""

    state: str
    names: tuple[str, ...]
    fixed: float
    has_rest: bool


@dataclass(frozen=True)
class Attribute:
    name: str
    meaning: str
    source: str
    levels: Mapping[str, float]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Group:
    """Patients who ever entered one of some states, and none of some others, within the window.

    entered_all : states of which they have entered every one, too: of a population that a cohort declares
    """

    name: str
    label: str
    entered: tuple[str, ...]
    not_entered: tuple[str, ...] = ()
    entered_all: tuple[str, ...] = ()

    @property
    def states(self) -> tuple[str, ...]:
        """The states that decide who is of the group."""
        return self.entered + self.not_entered + self.entered_all

    @property
    def ways_in(self) -> tuple[tuple[str, ...], ...]:
        """Sets of states: whoever is of the group has entered one of each."""
        return self.entered, *((state,) for state in self.entered_all)

    def includes(self, entered: Collection[str]) -> bool:
        """Return whether patients who have entered some states are of the group."""
        came = not any(set(states).isdisjoint(entered) for states in self.ways_in)
        return came and set(self.not_entered).isdisjoint(entered)


@dataclass(frozen=True)
class Count:
    """Something planners count: entries into states, or months spent in them."""

    name: str
    label: str
    unit: str
    entries: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resource:
    name: str
    label: str
    unit: str
    meaning: str = ""

    def labelled(self, count: int) -> str:
        """Return the label, without the plural's s for one unit."""
        singular = count == 1 and self.label.endswith("s") and not self.label.endswith("ss")
        return self.label[:-1] if singular else self.label

    def counted(self, count: int) -> str:
        """Return so many units: "1 bed", "2 beds"."""
        return f"{count} {self.labelled(count)}"


@dataclass(frozen=True)
class Marginal:
    """Where a policy treats additional patients, what becomes of those without benefit, and the share treated today.

    harm : deaths of treatment, which those patients may die, too
    """

    decision: str
    branch: str
    otherwise: str
    no_benefit: str
    reference: float
    harm: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Two groups that are compared though they form only during follow-up, and from which months on."""

    entered: str
    others: str
    landmarks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Pathway:
    """States and how patients move between them. `clocks` maps a clock to the state that starts it.

    patients : who starts the default clock, as in "of 100 patients who fall ill"; abbreviations : each with its meaning
    case_mix : attributes that go together; the others are independent
    extended : the pathway of which the file declares the changes; inherits_draws : whether the draws are its, too
    """

    name: str
    title: str
    description: str
    start: str
    clocks: Mapping[str, str]
    states: Mapping[str, State]
    parameters: Mapping[str, Parameter]
    attributes: Mapping[str, Attribute]
    groups: Mapping[str, Group]
    counts: Mapping[str, Count]
    resources: Mapping[str, Resource]
    group_window: float = 120.0
    patients: str = "patients"
    months: OutcomeMonths = UNDECLARED
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    marginal: Marginal | None = None
    comparison: Comparison | None = None
    draws: str | None = None
    file: Path | None = None
    milestones: tuple[str, ...] = ()
    end_points: Mapping[str, EndPoint] = field(default_factory=dict)
    case_mix: tuple[Joint, ...] = ()
    extended: Pathway | None = None
    inherits_draws: bool = False

    def __repr__(self) -> str:
        """Return the name, and how much is declared."""
        declared = ("states", "parameters", "attributes", "resources")
        return f"Pathway({self.name!r}: {', '.join(f'{len(getattr(self, key))} {key}' for key in declared)})"

    @property
    def fitted(self) -> Pathway:
        """The pathway that the draws are of: this one, or the one that it extends."""
        return self.extended.fitted if self.extended is not None and self.inherits_draws else self

    @cached_property
    def from_priors(self) -> tuple[str, ...]:
        """The parameters whose draws are from their priors: all, or those that the extended pathway does not have."""
        if self.draws == FROM_PRIORS:
            return tuple(name for name, parameter in self.parameters.items() if parameter.prior is not None)
        known = self.fitted.parameters
        added = (name for name, parameter in self.parameters.items() if parameter != known.get(name))
        return tuple(name for name in added if self.draws is not None and self.parameters[name].prior is not None)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that declare the pathway."""
        before = () if self.extended is None else self.extended.files
        return (*before, *(() if self.file is None else (self.file,)))

    @property
    def clock(self) -> str:
        """The default clock: the first that is declared."""
        return next(iter(self.clocks))

    @property
    def clock_state(self) -> str:
        return self.clocks[self.clock]

    @property
    def where(self) -> str:
        return str(self.file or self.name)

    def followed(self, horizon: float) -> float:
        """Return the months for which patients are followed: to the end of the group window at least."""
        return max(horizon, self.group_window) if self.groups else horizon

    @property
    def deaths(self) -> tuple[str, ...]:
        return tuple(name for name, state in self.states.items() if state.kind == "death")

    @cached_property
    def end_point_outcomes(self) -> dict[str, Described]:
        """The outcomes of every end point, at the pathway's months."""
        return dict(pair for end_point in self.end_points.values() for pair in end_point.outcomes(self.months))

    @cached_property
    def in_order(self) -> list[str]:
        """The states from the start on, each after those that lead to it, branches as declared (see `order.py`)."""
        return in_order(self.start, self.onward)

    def onward(self, name: str) -> list[str]:
        """Return where a state's exits lead."""
        return [transition.to for transition in self.states[name].transitions]

    @cached_property
    def states_before_clock(self) -> frozenset[str]:
        """The states that a patient can come to before the default clock starts."""
        way = reachable([self.start], lambda name: () if name == self.clock_state else self.onward(name))
        return frozenset(way - {self.clock_state})

    @cached_property
    def states_of_cycles(self) -> frozenset[str]:
        """The states that a patient can come back to."""
        return frozenset(name for name in self.states if name in reachable(self.onward(name), self.onward))

    @cached_property
    def longest_way_to_clock(self) -> float:
        """The months for which patients are followed before the default clock starts.

        Without end, but where they can go round: then `LONGEST_WAY`, for some may never get out.
        """

        def onward(name: str) -> frozenset[str]:
            return self.states_before_clock.intersection(self.onward(name))

        goes_round = any(name in reachable(onward(name), onward) for name in self.states_before_clock)
        return LONGEST_WAY if goes_round else math.inf

    @cached_property
    def times_carried_forward(self) -> dict[str, tuple[str, ...]]:
        """By state that leads to a milestone, the names of the latent times that may go on in it."""
        carried = {
            name: [way.name for to in self.onward(name) for way in self.states[to].transitions if way.carried_forward]
            for name in self.states
        }
        return {name: tuple(dict.fromkeys(times)) for name, times in carried.items() if times}

    def siblings(self, parameter: str) -> tuple[Siblings, ...]:
        """Return the shares of every choice that `parameter` is a branch of, for patients of some levels each."""
        siblings: list[Siblings] = []
        for state in self.states.values():
            references = [way.probability for way in state.transitions if way.probability is not None]
            if not any(parameter in names_in(reference) for reference in references):
                continue
            attributes = list(dict.fromkeys(name for reference in references for name in attributes_in(reference)))
            for levels in product(*(self.attributes[name].levels for name in attributes)):
                cell = dict(zip(attributes, levels, strict=True))
                leaves = [leaf_of(reference, cell) for reference in references]
                named = tuple(dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, str) and leaf != REST))
                fixed = sum(leaf for leaf in leaves if isinstance(leaf, float))
                shares = Siblings(state.name, named, fixed, REST in leaves)
                if parameter in named and shares not in siblings:
                    siblings.append(shares)
        return tuple(siblings)

    def choice_siblings(self, parameter: str) -> tuple[str, ...]:
        """Return the parameters that share one choice's probability with `parameter`, itself included."""
        shared = (shares.names for shares in self.siblings(parameter) if len(shares.names) > 1 and not shares.has_rest)
        return next(shared, (parameter,))

    def dirichlets(self) -> tuple[tuple[str, ...], ...]:
        """Return the sets of siblings that share one Dirichlet prior, in the order they are declared."""
        sets = []
        for name, parameter in self.parameters.items():
            if parameter.prior is not None and parameter.prior.family == "dirichlet":
                siblings = tuple(group for group in self.choice_siblings(name) if self._has_dirichlet(group))
                if siblings not in sets:
                    sets.append(siblings)
        return tuple(sets)

    def _has_dirichlet(self, name: str) -> bool:
        prior = self.parameters[name].prior
        return prior is not None and prior.family == "dirichlet"


def reachable(start: Iterable[Place], onward: Callable[[Place], Iterable[Place]]) -> set[Place]:
    """Return every state, or node of another graph, that can be reached from `start`, itself included."""
    reached: set[Place] = set()
    waiting = list(start)
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting.extend(onward(state))
    return reached


def is_part(group: Group, other: Group, pathway: Pathway) -> bool:
    """Return whether everybody of a group is of another one: no way leads into it but through the other."""

    def only_through(states: Sequence[str], others: Sequence[str]) -> bool:
        around = reachable([pathway.start], lambda name: () if name in others else pathway.onward(name))
        return (around - set(others)).isdisjoint(states)

    came = all(any(only_through(states, others) for states in group.ways_in) for others in other.ways_in)
    return came and set(other.not_entered) <= set(group.not_entered)
