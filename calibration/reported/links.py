"""Links between numbers of patients in any cohort: the dead at 6 months are dead at 12; an arm is part of the whole.

A number counts a body of patients: a population, or the n of it that a row is of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from calibration.reported import population_sizes
from calibration.reported.figure import Figure
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway, is_part, reachable

if TYPE_CHECKING:
    from calibration.reported.kinds.kind import Kind

ANY = ""
"""Any state of death."""
Patients = frozenset[str]
"""Arms, and levels of attributes, that they all belong to; none for the whole cohort."""
COHORT: Patients = frozenset()
TIMES = ("median", "minimum", "maximum")
"""Numbers that are times from entry to the first clock, of a body's patients."""


class Body(NamedTuple):
    """Some patients. n : if rows are of so many of them; None for all. since : of those who came to a state"""

    patients: Patients
    n: int | None = None
    since: str = ""


class Number(NamedTuple):
    """How many patients a body has, or how many of them have entered a state by a month.

    of : a state, or ANY death; of estimates, their end point
    what : `size` or `entered`; also `known`, by a row of `month` patients, a kind of time, and what is estimated
    """

    what: str
    body: Body
    of: str = ANY
    month: float = np.inf


@dataclass(frozen=True)
class Bound:
    """lower <= sum of coefficient x number <= upper. line : of the row that says so; None for what is always true.

    is_certain : or true unless follow-up differs by what happens to a patient
    """

    terms: Mapping[Number, float]
    lower: float = 0.0
    upper: float = np.inf
    line: object = None
    is_certain: bool = True


@dataclass(frozen=True)
class Populations:
    """The patients that the rows of a cohort are of.

    sizes : patients -> how many, where rows of `patients` say so; counted : every size that such a row reports
    months : at which any row counts or estimates them
    """

    cohort: Cohort
    pathway: Pathway
    sizes: Mapping[Patients, int]
    counted: Collection[float] = ()
    months: Collection[float] = ()

    @classmethod
    def of(cls, cohort: Cohort, pathway: Pathway, figures: Sequence[Kind]) -> Populations:
        named = cls(cohort, pathway, {}).named
        sizes = {named(name): size for name, size in cohort.sizes.items()}
        months = {figure.month for figure in figures if np.isfinite(figure.month)}
        counted = {cohort.n, *sizes.values(), *(figure.count for figure in figures if figure.counts_sizes)}
        return cls(cohort, pathway, sizes | {COHORT: cohort.n}, counted, sorted(months))

    @property
    def before_clock(self) -> Collection[str]:
        """States that patients can come to before the cohort's clock starts."""
        return self.pathway.states_before_clock if self.cohort.clock == self.pathway.clock else ()

    def causes(self, end_point: str) -> Mapping[str, tuple[str, ...]]:
        """Return cause -> its states, of an end point; of "", death."""
        if not end_point:
            return {"death": (ANY,)}
        return {**self.pathway.end_points, **self.cohort.end_points}[end_point].causes

    def events(self, end_point: str) -> set[str]:
        """Return the states of an end point, of every cause; of "", all deaths."""
        causes = self.causes(end_point) if end_point else {"death": self.pathway.deaths}
        return {state for states in causes.values() for state in states}

    def named(self, name: str) -> Patients:
        """Return the patients of an arm or a level; an arm that is another one, or a group, is that."""
        if self.cohort.is_everybody(name) or not name:
            return COHORT
        members = self.cohort.arms.get(name, (name,))
        return frozenset({name if name in self.pathway.groups or len(members) > 1 else members[0]})

    def patients(self, figure: Figure) -> Patients:
        return self.named(figure.population) | self.named(figure.attribute)

    def came(self, figure: Figure, state: str) -> Number:
        """Return those of a figure's patients, or the n of it, who came to a state."""
        body = self.body(figure)
        return Number("entered", body if body.n is None else body._replace(since=state), state)

    def whole(self, figure: Kind) -> list[Bound]:
        """Return that a figure's n are patients of its population. The n of a count may be the size of another one."""
        body, n, line = self.body(figure), figure.n, figure.line
        if np.isnan(n) or figure.counts_sizes or (figure.is_count and n in self.counted):
            return []
        assessed = [Bound({Number("size", body): 1}, n, n, line)] if body.n is not None else []
        return [*assessed, Bound({Number("size", Body(body.patients)): 1}, n, line=line)]

    def body(self, figure: Figure) -> Body:
        """Return the patients of a figure: a whole population, unless it has more than n, or an unknown number."""
        patients, n = self.patients(figure), figure.n
        most = np.inf if figure.attribute else population_sizes.most(self.cohort, figure.population)
        everybody = np.isnan(n) or n >= self.sizes.get(patients, most if n not in self.sizes.values() else np.inf)
        return Body(patients, None if everybody else int(n), figure.since)


def of(reported: Sequence[Bound], populations: Populations, onward: Mapping[str, Sequence[str]]) -> list[Bound]:
    """Return the links in any cohort between the numbers that rows report. onward : state -> the next states."""
    numbers = dict.fromkeys(number for bound in reported for number in bound.terms)
    wholes = [Body(number.body.patients) for number in numbers] + [Body(COHORT)]
    for arm, members in populations.cohort.arms.items():
        wholes += [Body(populations.named(name)) for name in (arm, *members)]
    pathway = populations.pathway
    events = _events(numbers, pathway)
    ways = Ways.of([state for state in events if state != ANY], pathway.start, onward)
    bounds = [Bound({Number("size", Body(COHORT)): 1}, populations.cohort.n, populations.cohort.n)]
    for body in dict.fromkeys([*wholes, *(number.body for number in numbers)]):
        if body.n is not None and Number("size", body) not in numbers:
            bounds.append(Bound({Number("size", body): 1}, body.n, body.n))
        bounds += _within(body, events, pathway.deaths, ways)
    bounds += _times(numbers)
    for whole, parts, exact in dict.fromkeys(families(list(dict.fromkeys(wholes)), populations)):
        bounds += _parts(whole, parts, events, exact=exact)
    return [*bounds, *_samples(numbers, events, populations), *_groups(wholes, events, populations)]


def _events(numbers: Collection[Number], pathway: Pathway) -> dict[str, list[float]]:
    """Return state, or any death -> the months by which it is counted, ascending; deaths all by the same months."""
    months: dict[str, set[float]] = {}
    for number in numbers:
        if number.what == "entered":
            months.setdefault(number.of, set()).add(number.month)
    by_death = {month for state in (ANY, *pathway.deaths) for month in months.get(state, ())}
    if by_death:
        months |= dict.fromkeys((ANY, *pathway.deaths), by_death)
    return {state: sorted(month) for state, month in months.items()}


def _within(body: Body, events: Mapping[str, list[float]], deaths: Iterable[str], ways: Ways) -> Iterator[Bound]:
    """Yield the links between the numbers of one body."""
    size = Number("size", body)
    last = {}
    for state, months in events.items():
        by = [Number("entered", body, state, month) for month in months]
        yield Bound({by[0]: 1})
        yield from (Bound({later: 1, earlier: -1}) for earlier, later in pairwise([*by, size]))
        last[state] = by[-1]
    for month in events.get(ANY, ()):
        causes = {Number("entered", body, state, month): -1.0 for state in deaths}
        yield Bound({Number("entered", body, ANY, month): 1, **causes}, 0, 0)
    for state, before in ways.through:
        yield from _only_through(body, state, before, events)
    yield from (Bound({size: 1, **{last[state]: -1 for state in states}}) for states in ways.exclusive)


class Ways(NamedTuple):
    """What the ways of a pathway say of states whose entries are counted.

    through : pairs of a state and one that patients pass before; exclusive : states of which they enter one at most
    """

    through: list[tuple[str, str]]
    exclusive: list[list[str]]

    @classmethod
    def of(cls, states: Sequence[str], start: str, onward: Mapping[str, Sequence[str]]) -> Ways:
        around = {state: _around(state, start, onward) for state in states}
        after = {state: reachable(onward[state], onward.__getitem__) for state in states}
        through = [(state, before) for state in states for before in states if state not in around[before] | {before}]
        exclusive = []
        for state in states:
            alone = [state]
            for other in states:
                if not any(other == member or other in after[member] or member in after[other] for member in alone):
                    alone.append(other)
            exclusive.append(alone)
        return cls(through, exclusive)


def _around(state: str, start: str, onward: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the states that patients can come to without that one."""
    return reachable([start], lambda name: [] if name == state else onward[name]) - {state}


def _only_through(body: Body, state: str, before: str, events: Mapping[str, list[float]]) -> Iterator[Bound]:
    """Yield that no more have entered a state than the one before it, by each month that both are counted by."""
    for month in events[state]:
        later = [event for event in events[before] if event >= month]
        if later:
            yield Bound({Number("entered", body, before, later[0]): 1, Number("entered", body, state, month): -1})


def _times(numbers: Collection[Number]) -> Iterator[Bound]:
    """Yield that no time of some patients, or of a part of them, is below their shortest or above their longest one."""
    times = [number for number in numbers if number.what in TIMES]
    for whole in times:
        sign = {"minimum": 1.0, "maximum": -1.0}.get(whole.what, 0.0)
        for part in times if sign else ():
            is_part = whole.body.n is None and part.body.patients >= whole.body.patients
            if part != whole and (part.body == whole.body or is_part):
                yield Bound({part: sign, whole: -sign})


def at_quantile(came: Number, share: float, months: tuple[float, float], line: object) -> list[Bound]:
    """Return that a share of those who came to a state did so by a quantile of their months, which lies between two.

    Definitions of a quantile differ by less than a patient, and not in the shortest and the longest time.
    """
    (earliest, latest), differ = months, float(0.0 < share < 1.0)
    before, by = (came._replace(month=month) for month in (float(np.nextafter(earliest, 0.0)), latest))
    bounds = [Bound({before: 1, came: -share}, -np.inf, differ, line)] if earliest > 0.0 else []
    return bounds + ([Bound({by: 1, came: -share}, -differ, line=line)] if latest < np.inf else [])


def families(wholes: Sequence[Body], populations: Populations) -> Iterator[tuple[Body, tuple[Body, ...], bool]]:
    """Yield bodies, others that are part of them and have no patient in common, and whether these are all of them."""
    groups = populations.pathway.groups
    for part in wholes:
        for whole in wholes:
            names = [next(iter(body.patients)) for body in (part, whole) if len(body.patients) == 1]
            are_groups = len(names) == 2 and names[0] != names[1] and groups.keys() >= set(names)
            is_group_part = are_groups and is_part(groups[names[0]], groups[names[1]], populations.pathway)
            if part.patients > whole.patients or is_group_part:
                yield whole, (part,), False
    for arm, members in populations.cohort.arms.items():
        parts = [Body(populations.named(name)) for name in members]
        if Body(populations.named(arm)) not in parts and Body(COHORT) not in parts:
            yield Body(populations.named(arm)), tuple(parts), not populations.cohort.is_everybody(arm)
            for whole in wholes:
                inside = [Body(whole.patients | part.patients) for part in parts if not part.patients <= whole.patients]
                yield whole, tuple(body for body in inside if whole.patients and body in wholes), False
    for attribute in populations.pathway.attributes:
        for whole in wholes:
            larger = [(body, body.patients - whole.patients) for body in wholes if body.patients > whole.patients]
            levels = [body for body, more in larger if len(more) == 1 and min(more).startswith(f"{attribute}=")]
            yield whole, tuple(levels), False


def _parts(whole: Body, parts: Sequence[Body], events: Mapping[str, list[float]], *, exact: bool) -> Iterator[Bound]:
    """Yield that parts have no more patients than the whole, with an event by a month, between two, and without it."""
    sizes = {Number("size", whole): 1.0} | {Number("size", part): -1.0 for part in parts}
    yield Bound(sizes, 0, 0 if exact else np.inf)
    for others in _others(sizes, events):
        yield from _rising([*others, sizes])


def _others(sizes: Mapping[Number, float], events: Mapping[str, list[float]]) -> Iterator[list[dict[Number, float]]]:
    """Yield how many patients of no part have entered a state, as sums, by each month that it is counted by."""
    for state, months in events.items():
        yield [{Number("entered", of.body, state, month): sign for of, sign in sizes.items()} for month in months]


def _rising(sums: Sequence[Mapping[Number, float]]) -> Iterator[Bound]:
    """Yield that sums of other numbers each are 0 or more, and no smaller than those before."""
    for before, after in pairwise([{}, *sums]):
        yield Bound({**after, **{number: -coefficient for number, coefficient in before.items()}})


def _samples(
    numbers: Collection[Number], events: Mapping[str, list[float]], populations: Populations
) -> Iterator[Bound]:
    """Yield that n patients of a population, or those whose level is known, are no more than it has."""
    known: dict[tuple[str, float], dict[Number, float]] = {}
    for number in numbers:
        if number.what == "known":
            yield Bound({Number("size", number.body): 1, number: -1})
            attribute = ",".join(sorted(name.partition("=")[0] for name in number.body.patients))
            known.setdefault((attribute, number.month), {})[number] = 1
    for (_, n), levels in known.items():
        yield Bound(levels, 0, n)
    for body in dict.fromkeys(number.body for number in numbers if number.body.n is not None):
        whole = Body(body.patients)
        if body.patients in populations.sizes or Number("size", body) in numbers:
            yield from _parts(whole, [body], events, exact=False)
            continue
        for others in _others({Number("size", whole): 1.0, Number("size", body): -1.0}, events):
            yield from _rising(others)


def _groups(wholes: Iterable[Body], events: Mapping[str, list[float]], populations: Populations) -> Iterator[Bound]:
    """Yield that everybody of a group has entered one of its states, and none of those that it excludes."""
    pathway = populations.pathway
    closed = np.inf if population_sizes.are_whole(populations.cohort, pathway) else pathway.group_window
    for body in dict.fromkeys(wholes):
        for group in (pathway.groups[name] for name in body.patients if name in pathway.groups):
            ever = {state: Number("entered", body, state) for state, months in events.items() if months[-1] == np.inf}
            for states in group.ways_in:
                if all(state in ever for state in states):
                    yield Bound({Number("size", body): -1, **{ever[state]: 1 for state in states}})
            for state in group.not_entered:
                yield from (Bound({entered: 1}, 0, 0) for entered in _before(closed, body, state, events))
            if len(body.patients) == 1 and not group.not_entered + group.entered_all:
                for state in group.entered:
                    ever_of_all = _before(closed, Body(COHORT), state, events)
                    yield from (Bound({Number("size", body): 1, entered: -1}) for entered in ever_of_all)


def _before(closed: float, body: Body, state: str, events: Mapping[str, list[float]]) -> list[Number]:
    """Return the number who entered a state by the last month of its counts at which groups were not yet closed."""
    months = [month for month in events.get(state, ()) if month <= closed]
    return [Number("entered", body, state, months[-1])] if months else []
