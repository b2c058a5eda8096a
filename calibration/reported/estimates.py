"""Links between estimates of patients who may be censored: survival does not rise, and its causes are the rest.

    S(t) >= Y(t) / n,   S(t) <= 1 - D(t) / n,   S(t) + sum over causes of I_c(t) = 1,   mean to T = integral of S to T

Y : at risk; D : known to have had the event; S : Kaplan and Meier's, I : Aalen and Johansen's estimate. Each holds in
every cohort, however patients are censored. An estimate is counted in patients, as a share of its body: those of parts
are no more than those of the whole where nobody is censored, or all are alike. Then a quantile of the whole lies
between the first and the last of its parts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from calibration.reported import links
from calibration.reported.links import ANY, Body, Bound, Number, Populations

CAUSE = "incidence of "
"""Before the name of a cause: what the number of its estimate is."""
LATER = "later than "
"""Before a share of patients: 1 at months before that quantile of the time to the event, 0 at months after it."""
UNEVEN = 0.05
"""Share of a whole by which its parts may be above it without a warning: each is censored in its own way."""
Curves = Mapping[tuple[Body, str], Sequence[float]]
"""Body and end point, "" for death -> the months at which anything is estimated, ascending."""


def of(reported: Sequence[Bound], populations: Populations) -> list[Bound]:
    """Return the links between the estimates that rows report."""
    numbers = dict.fromkeys(number for bound in reported for number in bound.terms)
    months: dict[tuple[Body, str], set[float]] = {}
    for number in numbers:
        if number.what in ("alive", "at_risk", "mean") or number.what.startswith(CAUSE):
            months.setdefault((number.body, number.of), set()).add(number.month)
    families = _families(months, populations)
    means = {number for number in numbers if number.what == "mean"}
    for end_point, whole, parts in families:
        for part in parts:
            both = months[whole, end_point] | months[part, end_point]
            months[whole, end_point] = months[part, end_point] = both
        members = (whole, *parts)
        alike = [mean for mean in means if mean.of == end_point and mean.body in members]
        means |= {mean._replace(body=body) for mean in alike for body in members}
    curves = {curve: sorted(at) for curve, at in months.items()}
    bounds = [*_quantiles(numbers), *_nested(curves, numbers, populations)]
    for family in families:
        bounds += [*_parts(*family, curves, means, populations), *_between(*family, curves, numbers, populations)]
    for (body, end_point), at in curves.items():
        shares = {number.what for number in numbers if number.what.startswith(LATER) and number.of == end_point}
        bounds += [*_curve(body, end_point, at, populations), *_once(body, end_point, at, shares)]
        bounds += _counted(body, end_point, at, numbers, populations) if not body.since else []
    for mean in means:
        bounds += _area(mean, [month for month in curves[mean.body, mean.of] if month <= mean.month])
    return bounds


def _families(curves: Collection[tuple[Body, str]], populations: Populations) -> list[tuple[str, Body, list[Body]]]:
    """Return end point, a body and parts of it without a patient in common, each of which has an estimate of it."""
    families: list[tuple[str, Body, list[Body]]] = []
    for end_point in dict.fromkeys(end_point for _, end_point in curves):
        bodies = [body for body, of in curves if of == end_point and not body.since]
        largest = {body.patients: body for body in sorted(bodies, key=lambda body: body.n or np.inf)}
        families += [(end_point, whole, [body]) for body in bodies if (whole := Body(body.patients)) != body]
        for whole, parts, _ in dict.fromkeys(links.families([Body(patients) for patients in largest], populations)):
            families.append((end_point, whole, [largest[part.patients] for part in parts if part.patients in largest]))
    return [family for family in families if (family[1], family[0]) in curves and family[2]]


def _parts(
    end_point: str,
    whole: Body,
    parts: Sequence[Body],
    curves: Curves,
    means: Collection[Number],
    populations: Populations,
) -> Iterator[Bound]:
    """Yield that parts have no more survivors, patients at risk and events than the whole, and no more without.

    Nor more months that they live until one, and no more that they do not.
    """
    uncensored, causes = populations.cohort.no_censoring_before, populations.causes(end_point)
    size = {Number("size", whole): 1.0} | {Number("size", part): -1.0 for part in parts}
    estimated = ("alive", "at_risk", *(CAUSE + cause for cause in causes))
    most = {(what, month): 1.0 for month in curves[whole, end_point] for what in estimated}
    most |= {("mean", mean.month): mean.month for mean in means if (mean.body, mean.of) == (whole, end_point)}
    for (what, month), all_of_one in most.items():
        having = {Number(what, number.body, end_point, month): sign for number, sign in size.items()}
        is_certain = what == "at_risk" or month <= uncensored
        spared = 0.0 if is_certain else UNEVEN
        yield Bound(having | {Number("size", whole): spared * all_of_one}, is_certain=is_certain)
        without = {number: sign * all_of_one for number, sign in size.items()}
        without |= {number: -sign for number, sign in having.items()}
        yield Bound(without | {Number("size", whole): (1.0 + spared) * all_of_one}, is_certain=is_certain)


def _between(
    end_point: str,
    whole: Body,
    parts: Sequence[Body],
    curves: Curves,
    numbers: Collection[Number],
    populations: Populations,
) -> Iterator[Bound]:
    """Yield that a quantile of a whole is no later than all of its parts, and no earlier, if they are all of it."""
    cohort = populations.cohort
    followed = max(cohort.no_censoring_before, cohort.follow_up[0] if cohort.follow_up else 0.0)
    others = {Number("size", whole): 1.0} | {Number("size", part): -1.0 for part in parts}
    shares = {what for what, body, of, _ in numbers if what.startswith(LATER) and (body, of) == (whole, end_point)}
    for what in sorted(shares):
        for month in (month for month in curves[whole, end_point] if month <= followed):
            later = {Number(what, part, end_point, month): -1.0 for part in parts}
            later[Number(what, whole, end_point, month)] = 1.0
            earlier = {number: -sign for number, sign in later.items()}
            is_certain = month <= cohort.no_censoring_before
            yield Bound(later | others, 1.0 - len(parts), is_certain=is_certain)
            yield Bound(earlier | others, is_certain=is_certain)


def _once(body: Body, end_point: str, months: Sequence[float], shares: Collection[str]) -> Iterator[Bound]:
    """Yield that a quantile, once it is reached, stays so."""
    for share in sorted(shares):
        later = [Number(share, body, end_point, month) for month in months]
        yield Bound({later[0]: 1}, 0, 1)
        yield from (Bound({before: 1, after: -1}) for before, after in pairwise(later))


def _curve(body: Body, end_point: str, months: Sequence[float], populations: Populations) -> Iterator[Bound]:
    """Yield the links of survival without an end point, of those at risk, and of its causes."""
    size, causes = Number("size", body), populations.causes(end_point)
    yield Bound({size: 1}, 1)

    def at_months(what: str) -> list[Number]:
        return [Number(what, body, end_point, month) for month in months]

    yield Bound({at_months("at_risk")[-1]: 1})
    for falling in (at_months("alive"), at_months("at_risk")):
        yield from (Bound({before: 1, after: -1}) for before, after in pairwise([size, *falling]))
    shares = [at_months(CAUSE + cause) for cause in causes]
    for rising in shares:
        yield from (Bound({after: 1, before: -1}) for before, after in pairwise(rising))
        yield Bound({rising[0]: 1})
    for alive, at_risk, *of_causes in zip(at_months("alive"), at_months("at_risk"), *shares, strict=True):
        yield Bound({alive: 1, at_risk: -1})
        yield Bound({size: 1, alive: -1} | dict.fromkeys(of_causes, -1.0), 0, 0)


def _counted(
    body: Body, end_point: str, months: Sequence[float], numbers: Collection[Number], populations: Populations
) -> Iterator[Bound]:
    """Yield that no more survive than are not known to have had the event, at the first month after every count."""
    size, states, deaths = Number("size", body), populations.events(end_point), populations.pathway.deaths
    for number in dict.fromkeys(number._replace(body=body) for number in numbers if number.what == "entered"):
        is_death = number.of in (ANY, *deaths) and states >= set(deaths)
        following = [month for month in months if month >= number.month]
        if following and (is_death or number.of in states):
            alive, count = Number("alive", body, end_point, following[0]), number
            yield Bound({size: 1, alive: -1, count._replace(of=ANY) if is_death else count: -1})


def _area(mean: Number, months: Sequence[float]) -> Iterator[Bound]:
    """Yield that the area below a falling curve lies between the rectangles of its ends. months : up to the mean's"""
    survival = [Number("size", mean.body), *(mean._replace(what="alive", month=month) for month in months)]
    widths = np.diff([0.0, *months]).tolist()
    yield Bound({mean: -1} | dict(zip(survival[:-1], widths, strict=True)))
    yield Bound({mean: 1} | {after: -width for after, width in zip(survival[1:], widths, strict=True)})


def _nested(curves: Curves, numbers: Collection[Number], populations: Populations) -> Iterator[Bound]:
    """Yield that survival without more events is no better, its quantiles no later, and no more are at risk of them.

    The estimate can be better where those who had an event are followed for longer than the others.
    """
    exact = populations.cohort.no_censoring_before
    events = {end_point: populations.events(end_point) for _, end_point in curves}
    shares = dict.fromkeys(number.what for number in numbers if number.what.startswith(LATER))
    for (body, more), months in curves.items():
        for other, fewer in curves:
            if other != body or not events[fewer] < events[more]:
                continue
            for before in curves[other, fewer]:
                for month in [month for month in months if month >= before][:1]:
                    for what in ("alive", "at_risk", *shares):
                        terms = {Number(what, body, fewer, before): 1.0, Number(what, body, more, month): -1.0}
                        yield Bound(terms, is_certain=what == "at_risk" or month <= exact)


def _quantiles(numbers: Collection[Number]) -> Iterator[Bound]:
    """Yield that quantiles of a time ascend."""
    times = sorted((number for number in numbers if number.what == "time"), key=lambda time: time.month)
    for place, lower in enumerate(times):
        following = (higher for higher in times[place + 1 :] if (higher.body, higher.of) == (lower.body, lower.of))
        yield from (Bound({higher: 1, lower: -1}) for higher in following)
