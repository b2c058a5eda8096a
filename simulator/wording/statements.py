"""Statements that title the figures of a run: a number with its interval, in the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from simulator.outcomes.summaries import PER
from simulator.scenario.scenario import split_name
from simulator.wording import rounding
from simulator.wording.added import IN_THE_MODEL
from simulator.wording.headline import benefit_in_words
from simulator.wording.intervals import Estimate

MOST_LISTED = 2
"""Policies whose survival a title lists; of more it has the lowest and the highest."""


def alive(values: Mapping[str, Estimate], when: str, *, coincide: bool = False) -> str:
    """Return how many of 100 are alive under the first scenario and under policies, with intervals.

    values : scenario -> alive of 100, of those with patients; when : "12 months after diagnosis"
    coincide : whether all the curves do
    """
    if not values:
        return f"{IN_THE_MODEL}, no patient is alive {when}"
    (first, *estimates), *policies = _by_policy(values)
    same = "the curves coincide: " if coincide else ""
    opening = f"{IN_THE_MODEL}, {same}{values[first].value} of {PER} are alive {when} under {first}"
    words = [f"{opening}{_ends(values[first], '95 % interval ')}{_at_other_benefits(values, estimates)}"]
    if len(policies) <= MOST_LISTED:
        for name, *others in policies:
            words.append(f"{values[name].value} under {name}{_ends(values[name])}{_at_other_benefits(values, others)}")
        return ", ".join(words)
    named = sorted(((values[name], name) for name, *_ in policies), key=lambda pair: float(pair[0].value))
    (low, lowest), *_, (high, highest) = named
    return f"{words[0]}; under {len(policies)} policies {low.value} ({lowest}) to {high.value} ({highest})"


def alive_in_groups(values: Mapping[str, Estimate], when: str, scenario: str) -> str:
    """Return the per cent alive of each of the first groups with patients. values : label -> alive of 100"""
    if not values:
        return f"{IN_THE_MODEL}, no patient is in a group under {scenario}"
    kinds = ["95 % interval ", *[""] * len(values)]
    named = list(zip(values.items(), kinds, strict=False))[:MOST_LISTED]
    groups = [f"{value.value} % of {label}{_ends(value, kind)}" for (label, value), kind in named]
    return f"{IN_THE_MODEL}, alive {when} under {scenario}: {', '.join(groups)}"


def changes(values: Mapping[str, float], when: str) -> str:
    """Return how far policies move survival from the first scenario's. values : scenario -> probability"""
    policies = [name for name, *_ in _by_policy(values)]
    moved = {name: values[name] - values[policies[0]] for name in policies[1:]}
    if not moved:
        return f"{IN_THE_MODEL}, no policy has patients {when}"
    ends = [
        f"{_points(moved[name])} ({name})"
        for name in (min(moved, key=moved.__getitem__), max(moved, key=moved.__getitem__))
    ]
    return f"{IN_THE_MODEL}, {len(moved)} policies change survival {when} by {' to '.join(ends)} points"


def states(values: Mapping[str, tuple[float, str, float]], when: str) -> str:
    """Return how many are alive under the first scenario, most of them in which state, and under policies.

    values : scenario -> share alive, the state of the living with the most patients, and their share of all
    """
    (first, (share, state, most)), *policies = values.items()
    words = f"{IN_THE_MODEL}, of {PER} patients {_per_100(share)} are alive {when} under {first}"
    if share > 0.0:
        words += f", {_per_100(most)} of them in {state}"
    shares = [(alive, name) for name, (alive, *_) in policies]
    if len(shares) <= MOST_LISTED:
        return "; ".join([words, *(f"{_per_100(alive)} under {name}" for alive, name in shares)])
    (low, lowest), *_, (high, highest) = sorted(shares)
    return f"{words}; under {len(shares)} policies {_per_100(low)} ({lowest}) to {_per_100(high)} ({highest})"


def branches(state: str, after: str, shares: Mapping[str, float]) -> str:
    """Return which share of patients at a state goes to another, and under policies. shares : scenario -> share"""
    (first, share), *others = shares.items()
    moved = [f"{_per_100(other)} % under {name}" for name, other in others if _per_100(other) != _per_100(share)]
    more = f" and {len(moved) - MOST_LISTED} more" if len(moved) > MOST_LISTED else ""
    words = f"{IN_THE_MODEL}, {_per_100(share)} % of patients at {state} go on to {after} under {first}"
    return ", ".join([words, *moved[:MOST_LISTED]]) + more


def flow(n: int, alive: int | None, predicted: Estimate | None) -> str:
    """Return how many of a cohort are alive at the end of follow-up: in the model, if predicted, and as reported."""
    if alive is None:
        return f"What happened to the {n} patients"
    if predicted is None:
        return f"Of {n} patients, {alive} were alive at the end of follow-up"
    interval = _ends(predicted, "95 % interval ")
    words = f"{predicted.value} of {n} patients{interval} are alive at the end of follow-up"
    return f"{IN_THE_MODEL}, {words}; as reported, {alive} were"


def nobody_waits(values: Mapping[str, tuple[float, float]], label: str) -> str:
    """Return how much of the time nobody waits for a resource, in the first and the last quarter of the years shown.

    values : scenario -> both shares; the first of them, and the one whose last quarter differs most from its
    """
    (first, (begin, end)), *others = values.items()
    shares = f"{_per_100(begin)} % of the time at first and {_per_100(end)} % at last"
    far = max(others, key=lambda other: abs(other[1][1] - end), default=None)
    more = "" if far is None else f"; {_per_100(far[1][0])} % and {_per_100(far[1][1])} % under {far[0]}"
    return f"{IN_THE_MODEL}, nobody waits for {label} {shares} under {first}{more}"


def _points(difference: float) -> str:
    return rounding.number(difference, "probability", sign="+")


def _per_100(share: float) -> str:
    return rounding.number(share, "probability")


def _by_policy(names: Iterable[str]) -> list[list[str]]:
    """Return the scenarios of each policy: NAME, and NAME@0.5."""
    policies: dict[str, list[str]] = {}
    for name in names:
        policies.setdefault(split_name(name)[0], []).append(name)
    return list(policies.values())


def _at_other_benefits(values: Mapping[str, Estimate], names: Sequence[str]) -> str:
    return "".join(f"; {benefit_in_words(name)} {values[name].value}{_ends(values[name])}" for name in names)


def _ends(value: Estimate, kind: str = "") -> str:
    return "" if value.ends is None else f" ({kind}{' to '.join(value.ends)})"
