"""Statements that title the figures of a run: a number with its interval, in the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from simulator.outcomes.summaries import PER
from simulator.scenario.scenario import split_name
from simulator.wording import intervals, rounding
from simulator.wording.added import IN_THE_MODEL, Added
from simulator.wording.headline import benefit_in_words, scenario_in_words
from simulator.wording.intervals import Estimate

MOST_LISTED = 2
"""Policies whose survival a title lists; of more it has the lowest and the highest."""


def alive(values: Mapping[str, Estimate], when: str, *, coincide: bool = False, where: str = "") -> str:
    """Return how many of 100 are alive under the first scenario and under policies, with intervals.

    values : scenario -> alive of 100, of those with patients; when : "12 months after diagnosis"
    coincide : whether all the curves do; where : the state of most of them under the first scenario, if there is one
    """
    if not values:
        return f"{IN_THE_MODEL}, no patient is alive {when}"
    (first, *estimates), *policies = _by_policy(values)
    same, kinds = "the curves coincide: " if coincide else "", intervals.kinds()
    opening = f"{IN_THE_MODEL}, {same}{values[first].value} of {PER} are alive {when} under {first}"
    ends = _ends(values[first], kinds, where and f"most of them in {where}")
    words = [f"{opening}{ends}{_at_other_benefits(values, estimates, kinds)}"]
    if len(policies) <= MOST_LISTED:
        for name, *others in policies:
            of_policy = f"{values[name].value} under {name}{_ends(values[name], kinds)}"
            words.append(f"{of_policy}{_at_other_benefits(values, others, kinds)}")
        return ", ".join(words)
    named = sorted(((values[name], name) for name, *_ in policies), key=lambda pair: float(pair[0].value))
    (low, lowest), *_, (high, highest) = named
    least = f"{low.value} under {lowest}{_ends(low, kinds)}"
    most = f"{high.value} under {highest}{_ends(high, kinds)}"
    return f"{words[0]}; of {len(policies)} policies, from {least} to {most}"


def without_event(end_point: str, when: str, values: Mapping[str, Estimate], *, alone: bool) -> str:
    """Return how many are without an end point's event under the first scenario, and under the first policy.

    values : scenario -> per cent, of those with patients; when : "12 months"; alone : whether the run has one scenario
    """
    leading = [names[0] for names in _by_policy(values)][:MOST_LISTED]
    kinds = intervals.kinds()
    shares = [f"{values[name].value} %{_ends(values[name], kinds)}" for name in leading]
    under = [
        share if alone else f"{share} under {scenario_in_words(name)}"
        for share, name in zip(shares, leading, strict=True)
    ]
    opening = f"{IN_THE_MODEL}, {end_point} at {when}"
    return f"{opening} is {' and '.join(under)}" if under else f"{opening}: no patients"


def alive_in_groups(values: Mapping[str, Estimate], when: str, scenario: str) -> str:
    """Return the per cent alive of each of the first groups with patients. values : label -> alive of 100"""
    if not values:
        return f"{IN_THE_MODEL}, no patient is in a group under {scenario}"
    named, kinds = list(values.items())[:MOST_LISTED], intervals.kinds()
    groups = [f"{value.value} % of {label}{_ends(value, kinds)}" for label, value in named]
    return f"{IN_THE_MODEL}, alive {when} under {scenario}: {', '.join(groups)}"


def changes(added: Sequence[Added]) -> str:
    """Return by how many of 100 alive policies differ from the first scenario: the lowest and the highest of them, of
    those whose difference is clear if there are any."""
    if not added:
        return f"{IN_THE_MODEL}, no policy has patients"
    clear = sum(one.difference.is_clear for one in added)
    some = f"{clear} of {len(added)} policies clearly change{'s' if clear == 1 else ''}" if clear else ""
    change = f"{clear} policies change" if clear == len(added) else some or "no policy clearly changes"
    opening = f"{IN_THE_MODEL}, {change} how many of {PER} are alive {added[0].when}"
    named = [one for one in added if one.difference.is_clear] or added
    least, most = min(named, key=_difference), max(named, key=_difference)
    if least is most:
        whose = f"under {least.scenario.name}" if len(named) < len(added) else "each"
        return f"{opening}: {least.difference} {whose}"
    return f"{opening}: {' to '.join(f'{one.difference} under {one.scenario.name}' for one in (least, most))}"


def branches(state: str, after: str, shares: Mapping[str, float]) -> str:
    """Return which share of patients at a state goes to another, and under policies. shares : scenario -> share"""
    (first, share), *others = shares.items()
    words = f"{IN_THE_MODEL}, {_per_100(share)} % of patients at {state} go on to {after} under {first}"
    moved = [(other, name) for name, other in others if _per_100(other) != _per_100(share)]
    if len(moved) > MOST_LISTED:
        (low, lowest), (high, highest) = min(moved), max(moved)
        ends = f"from {_per_100(low)} % under {lowest} to {_per_100(high)} % under {highest}"
        return f"{words}; of {len(moved)} policies that change it, {ends}"
    return ", ".join([words, *(f"{_per_100(other)} % under {name}" for other, name in moved)])


def states(first: str, count: int, final: int) -> str:
    """Return where patients start, and how many states there are, and are final: nobody leaves them."""
    are = "state is" if count == 1 else "states is" if final == 1 else "states are"
    return f"Patients start at {first}; {final} of {count} {are} final"


def times(policies: str, of_times: Sequence[str]) -> str:
    """Return which times policies change, where they change no share. of_times : "waiting for a bed to admission"."""
    more = f" and {len(of_times) - MOST_LISTED} more" if len(of_times) > MOST_LISTED else ""
    return f"{IN_THE_MODEL}, {policies} changes times alone: {', '.join(of_times[:MOST_LISTED])}{more}"


def flow(n: int, alive: int | None, predicted: Estimate | None) -> str:
    """Return how many of a cohort are alive at the end of follow-up: in the model, if predicted, and as reported."""
    if alive is None:
        return f"What happened to the {n} patients"
    if predicted is None:
        return f"Of {n} patients, {alive} were alive at the end of follow-up"
    interval = _ends(predicted, intervals.kinds())
    words = f"{predicted.value} of {n} patients{interval} are alive at the end of follow-up"
    return f"{IN_THE_MODEL} as fitted, {words}; as reported, {alive} were"


def nobody_waits(values: Mapping[str, tuple[float, float]], label: str) -> str:
    """Return how much of the time nobody waits for a resource, in the first and the last quarter of the years shown.

    values : scenario -> both shares; the first of them, and the one whose last quarter differs most from its
    """
    (first, (begin, end)), *others = values.items()
    shares = f"{_per_100(begin)} % of the time at first and {_per_100(end)} % at last"
    far = max(others, key=lambda other: abs(other[1][1] - end), default=None)
    more = "" if far is None else f"; {_per_100(far[1][0])} % and {_per_100(far[1][1])} % under {far[0]}"
    return f"{IN_THE_MODEL}, nobody waits for {label} {shares} under {first}{more}"


def _difference(one: Added) -> float:
    return one.difference.value


def _per_100(share: float) -> str:
    return rounding.number(share, "probability")


def _by_policy(names: Iterable[str]) -> list[list[str]]:
    """Return the scenarios of each policy: NAME, and NAME@0.5."""
    policies: dict[str, list[str]] = {}
    for name in names:
        policies.setdefault(split_name(name)[0], []).append(name)
    return list(policies.values())


def _at_other_benefits(values: Mapping[str, Estimate], names: Sequence[str], kinds: Iterator[str]) -> str:
    return "".join(f"; {benefit_in_words(name)} {values[name].value}{_ends(values[name], kinds)}" for name in names)


def _ends(value: Estimate, kinds: Iterator[str], more: str = "") -> str:
    """Return the interval in brackets, after a space, and what else is said of the value."""
    interval = [] if value.ends is None else [f"{next(kinds)}{' to '.join(value.ends)}"]
    parts = [*interval, *([more] if more else [])]
    return f" ({'; '.join(parts)})" if parts else ""
