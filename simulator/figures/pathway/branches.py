"""How patients divide at every decision and chance in the scenarios of a run, and which arrows a scenario changes.

Shares are of the patients who come to a state, of whole lives, with every parameter at its mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from math import isnan, nan

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.embedded import visits
from simulator.engines.model import Model, resolve
from simulator.evidence.cohort import Cohort
from simulator.evidence.practice import mean_values
from simulator.figures import style, text
from simulator.figures.pathway.layout import Arrow
from simulator.pathway.pathway import Pathway, Transition, reachable
from simulator.pathway.references import names_in
from simulator.scenario.levers import apply_levers
from simulator.scenario.scenario import Scenario
from simulator.wording import rounding
from simulator.wording.headline import policies

LEADS_TO = "\N{RIGHTWARDS ARROW}"
"""From a share under the reference to those under policies: "to" is between the ends of a range."""

UNCHANGED = 0.0005
"""Shares that differ by less are the same: they are displayed per 100."""

DECLARED = "the pathway as declared"

CHANGED = style.VERMILLION
"""Colour of what a policy changes."""


@dataclass(frozen=True)
class Branches:
    """names : what is compared, the reference first.

    shares : arrow of a choice -> share in each, NaN where nobody comes to the choice
    changed : the arrows whose share or time another scenario than the reference changes
    medians : arrow of a changed time -> the median of its law in each, in months, for every cell of patients
    """

    names: tuple[str, ...] = ()
    shares: Mapping[Arrow, tuple[float, ...]] = field(default_factory=dict)
    changed: frozenset[Arrow] = frozenset()
    medians: Mapping[Arrow, tuple[Floats, ...]] = field(default_factory=dict)

    def time_in_words(self, arrow: Arrow) -> str:
        """Return "2.6 \N{RIGHTWARDS ARROW} 1.3 months", the medians of a changed time; empty if they are not known."""
        first, *others = self.medians.get(arrow, ((),))
        moved = [median for median in others if not np.array_equal(median, first)]
        ends = _months(first), _months(np.concatenate(moved)) if moved else ""
        return f"{LEADS_TO.join(f' {months} ' for months in ends).strip()} months" if all(ends) else ""

    def in_words(self, arrow: Arrow) -> str:
        """Return "49 %"; or with an arrow the share under the reference and the policy's, or the range of policies."""
        first, *others = self.shares[arrow]
        moved = [share for share in others if _moved(first, share)]
        if not moved:
            return f"{_per_100(first)} %"
        before = "" if isnan(first) else f"{_per_100(first)} {LEADS_TO} "
        return f"{before}{' to '.join(dict.fromkeys(map(_per_100, (min(moved), max(moved)))))} %"

    def is_taken(self, arrow: Arrow, otherwise: bool) -> bool:
        """Return whether anybody takes an arrow; otherwise : the answer where that is not known."""
        return any(share > 0.0 for share in self.shares[arrow]) if arrow in self.shares else otherwise

    @property
    def policy(self) -> str:
        """The policy of a comparison in words."""
        return self.names[1] if len(self.names) == 2 else "a policy"

    @property
    def unused(self) -> str:
        """What a state is that nobody reaches, and an arrow that nobody takes."""
        return "no patient in this run" if self.shares else "used only by a scenario"

    @property
    def compared(self) -> str:
        """What is compared, in words: ", from today to more-beds"; nothing where no share changes."""
        if not self.moves_patients:
            return ""
        return f", from {self.names[0]} to {'the policies' if len(self.names) > 2 else self.names[1]}"

    @property
    def moves_patients(self) -> bool:
        """Whether a policy changes the share of a branch."""
        return bool(self.changed & set(self.shares))

    @property
    def times_alone(self) -> bool:
        """Whether a policy changes times, and no share."""
        return bool(self.changed) and not self.moves_patients

    def changed_times(self, labels: Mapping[str, str]) -> list[str]:
        """Return the times that a policy changes: "waiting for a bed to admission". labels : of the states, in order"""
        times = [arrow for arrow in self.changed if arrow not in self.shares]
        order = {state: place for place, state in enumerate(labels)}
        times.sort(key=lambda arrow: [order[state] for state in arrow])
        months = {arrow: self.time_in_words(arrow) for arrow in times}
        ends = {arrow: f" (median {words})" if words else "" for arrow, words in months.items()}
        return [f"{labels[state]} to {labels[to]}{ends[state, to]}" for state, to in times]

    @cached_property
    def leading(self) -> list[Arrow]:
        """Of every choice that does not send all patients one way: the branch that changes most, or is taken most.

        The choice that changes most comes first, and leads the title, the rows and the shares on arrows.
        """
        choices = [list(arrows) for _, arrows in groupby(self.shares, key=lambda arrow: arrow[0])]
        most = [max(arrows, key=self._weight) for arrows in choices]
        divided = (arrow for arrow in most if self._change(arrow) or self._weight(arrow)[1] < 1.0 - UNCHANGED)
        return sorted(divided, key=lambda arrow: (arrow not in self.changed, -self._change(arrow)))

    def _weight(self, arrow: Arrow) -> tuple[float, float]:
        """Return the change of a share; and where there is none, the share, so that equal changes keep their order."""
        change = self._change(arrow)
        return change, 0.0 if change else max(share for share in self.shares[arrow] if not isnan(share))

    def _change(self, arrow: Arrow) -> float:
        """Return how far policies move a share from the reference, without the noise of sums; 0 for an unknown one."""
        first, *others = self.shares[arrow]
        moved = [share for share in others if _moved(first, share)] if not isnan(first) else []
        return max((round(abs(share - first), 9) for share in moved), default=0.0)


def held_change(words: str) -> str:
    """Return words in which both shares of a change stay on one line."""
    return words.replace(f" {LEADS_TO} ", f"{text.HELD}{LEADS_TO}{text.HELD}")


def closed(pathway: Pathway, of: Branches) -> frozenset[Arrow]:
    """Return the branches that nobody takes: in no scenario of a run, or as declared where no run is drawn."""
    arrows = [
        ((name, way.to), of.is_taken((name, way.to), not _is_closed(way, pathway)))
        for name, state in pathway.states.items()
        for way in state.transitions
    ]
    return frozenset(arrow for arrow, _ in arrows) - {arrow for arrow, is_taken in arrows if is_taken}


def reached(pathway: Pathway, of: Branches) -> frozenset[str]:
    """Return the states that patients reach."""
    shut = closed(pathway, of)
    return frozenset(
        reachable([pathway.start], lambda name: [to for to in pathway.onward(name) if (name, to) not in shut])
    )


def _is_closed(transition: Transition, pathway: Pathway) -> bool:
    probability = transition.probability
    if probability is None or isinstance(probability, float):
        return probability == 0
    parameters = [pathway.parameters[name] for name in names_in(probability) if probability != "rest"]
    return bool(parameters) and all(parameter.prior is None and parameter.value == 0 for parameter in parameters)


def _moved(first: float, share: float) -> bool:
    """Return whether patients come to a choice, and take a branch more or less often than in the first scenario."""
    return not isnan(share) and (isnan(first) or abs(share - first) >= UNCHANGED)


def of_run(scenarios: Sequence[Scenario], cohort: Cohort | None) -> Branches:
    """Return the branches of a run's policies; of one policy alone, next to the pathway as declared if it differs."""
    compared = [policy[0] for policy in policies(scenarios)]
    pathway = compared[0].pathway
    values = mean_values(pathway, cohort)
    if len(compared) == 1:
        compared.insert(0, Scenario(DECLARED, pathway, file=pathway.file))
    models = [resolve(scenario, {name: value[:, None] for name, value in values.items()}) for scenario in compared]
    of_each = [_shares(model) for model in models]
    arrows = dict.fromkeys(arrow for shares in of_each for arrow in shares)
    shares = {arrow: tuple(shares.get(arrow, nan) for shares in of_each) for arrow in arrows}
    moved = {arrow for arrow, (first, *others) in shares.items() if any(_moved(first, share) for share in others)}
    changed = moved.union(*(_changed_times(compared[0], policy, values) for policy in compared[1:]))
    if compared[0].name == DECLARED and not changed:
        return Branches((compared[1].name,), {arrow: both[1:] for arrow, both in shares.items()})
    times = [arrow for arrow in changed if arrow not in shares]
    medians = {arrow: tuple(_median(model, arrow) for model in models) for arrow in times}
    return Branches(tuple(scenario.name for scenario in compared), shares, frozenset(changed), medians)


def _shares(model: Model) -> dict[Arrow, float]:
    """Return the share of every branch of every choice, of the patients who come to the choice."""
    entries = visits(model)
    shares: dict[Arrow, float] = {}
    for name in (name for name, state in model.pathway.states.items() if state.is_choice and name in entries):
        came = entries[name] * model.weights
        total = float(np.sum(came))
        if not (np.isfinite(total) and total > 0.0):
            continue
        for exit in model.exits[name]:
            taken = float(np.sum(came * np.asarray(exit.probability, dtype=float))) / total
            shares[name, exit.to] = shares.get((name, exit.to), 0.0) + taken
    return shares


def _changed_times(first: Scenario, policy: Scenario, values: Mapping[str, Floats]) -> set[Arrow]:
    """Return the arrows whose time, or share of a time, depends on what a policy changes."""
    pathway = first.pathway
    before, after = (apply_levers(scenario, values) for scenario in (first, policy))
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    ratios = {
        key
        for key in {*first.hazard_ratio, *policy.hazard_ratio}
        if first.hazard_ratio.get(key) != policy.hazard_ratio.get(key)
    }
    changed = set()
    for name, state in pathway.states.items():
        for transition in () if state.is_choice else state.transitions:
            if not moved.isdisjoint(transition.parameters) or f"{name}.{transition.name}" in ratios:
                changed.add((name, transition.to))
    return changed


def _median(model: Model, arrow: Arrow) -> Floats:
    """Return the median months of the time along an arrow for every cell of patients : (n_cells,), or (1,)."""
    (time,) = (exit.time for exit in model.exits[arrow[0]] if exit.to == arrow[1])
    return np.ravel(time.median()) if time is not None else np.array([nan])


def _months(medians: Sequence[float] | Floats) -> str:
    """Return months in words, or the range of several cells of patients; nothing unless all are finite."""
    if not len(medians) or not np.all(np.isfinite(medians)):
        return ""
    return " to ".join(dict.fromkeys(rounding.number(end, "months") for end in (np.min(medians), np.max(medians))))


def _per_100(share: float) -> str:
    return rounding.number(share, "probability")
