"""What an engine says of a model, on a lattice of months: the common ground of engines and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.lifetimes import Lifetimes, Path, average, path_of_cell
from simulator.errors import InputError, UnknownNameError
from simulator.pathway.pathway import Pathway

LONGEST = 12_000
"""Months; a lattice of tenths is kept for every state."""

INTERVAL = (0.025, 0.975)
"""What every interval that is reported holds."""


class Survival(Protocol):
    """What is read of survival by (clock, population) keys, (n_draws,) each; NaN beyond the horizon."""

    def alive(self, key: tuple[str, str], month: float) -> Floats:
        """Return S(month)."""

    def months_alive(self, key: tuple[str, str], month: float) -> Floats:
        """Return the integral of S from 0 to a month."""

    def come(self, cause: str, key: tuple[str, str], month: float) -> Floats:
        """Return the probability of a first event of a cause by a month."""

    def median(self, key: tuple[str, str]) -> Floats:
        """Return the median; inf where it is not reached, NaN for nobody."""


class Readable(Survival, Protocol):
    """What a run reports, of an engine without noise and without its whole curves."""

    @property
    def survival(self) -> Mapping[tuple[str, str], Floats]:
        """(clock, population) -> S at the reported months, (n_draws, n_reported)."""

    @property
    def incidence(self) -> Mapping[str, Mapping[tuple[str, str], Floats]]:
        """Of an end point, cause -> the same of first events."""

    @property
    def occupancy(self) -> Mapping[str, Mapping[str, Floats]]:
        """Clock -> state -> the same of being there."""

    @property
    def patients(self) -> None: ...

    def mixed(self, none: Self, benefit: Floats) -> Self:
        """Return the same if a share of the additional patients, (n_draws,), benefits; here all do, `none` : nobody."""

    @property
    def sizes(self) -> Mapping[str, Floats]: ...

    @property
    def counts(self) -> Mapping[str, Floats]: ...

    @property
    def end_points(self) -> Mapping[str, Readable]: ...


@dataclass(frozen=True)
class Curves:
    """One engine run of one model.

    months : (n_months,) from 0 to the horizon, equally spaced
    survival : (clock, population) -> (n_draws, n_months); NaN where a population is empty
    means : (clock, population) -> (n_draws, n_months - 1), the mean of S(t) from each month to the next
    occupancy : clock -> state -> (n_draws, n_months), the probability of being there
    sizes : population -> (n_draws,) share of all patients who reach the default clock
    lifetimes : the paths of S near months, where lines between them do not do
    counts : count -> (n_draws,) per patient, from the default clock to the horizon
    count_variances : count -> (n_draws,) variance among patients; absent for exact
    patients : how many were simulated a draw; None for exact, which has no sampling noise
    end_points : end point -> the same of patients without its event, `survival` the probability of none by a month
    incidence : of an end point, cause -> (clock, population) -> (n_draws, n_months), first events by a month
    """

    months: Floats
    survival: Mapping[tuple[str, str], Floats]
    means: Mapping[tuple[str, str], Floats]
    occupancy: Mapping[str, Mapping[str, Floats]]
    sizes: Mapping[str, Floats]
    lifetimes: Lifetimes
    counts: Mapping[str, Floats]
    count_variances: Mapping[str, Floats]
    patients: int | None = None
    end_points: Mapping[str, Curves] = field(default_factory=dict)
    incidence: Mapping[str, Mapping[tuple[str, str], Floats]] = field(default_factory=dict)


def populations(pathway: Pathway) -> list[str]:
    """Return `all`, the groups, and every level of every attribute as attribute=level."""
    levels = [f"{name}={level}" for name, attribute in pathway.attributes.items() for level in attribute.levels]
    return ["all", *pathway.groups, *levels]


def in_rows(curves: Curves, clock: str, names: Sequence[str]) -> Curves:
    """Return the curves of some populations on a clock as of one, `all`, whose draws are each population's in turn."""

    def rows(by_key: Mapping[tuple[str, str], Floats]) -> dict[tuple[str, str], Floats]:
        return {(clock, "all"): np.concatenate([by_key[clock, name] for name in names])}

    def paths(_: tuple[str, str], places: Integers) -> list[Path | None]:
        parts = zip(names, np.split(places, len(names)), strict=True)
        return [path for name, part in parts for path in curves.lifetimes((clock, name), part)]

    return replace(
        curves,
        survival=rows(curves.survival),
        means=rows(curves.means),
        sizes={"all": np.concatenate([curves.sizes[name] for name in names])},
        lifetimes=paths,
        end_points={name: in_rows(free, clock, names) for name, free in curves.end_points.items()},
        incidence={cause: rows(by_key) for cause, by_key in curves.incidence.items()},
    )


def up_to(means: Floats, step: float, month: float) -> Floats:
    """Return the integral from 0 to a month, (n_draws,), of what has these means over cells of `step` months."""
    cells = min(max(month / step, 0.0), means.shape[1])
    whole = int(cells + 1e-9)
    part = max(cells - whole, 0.0)
    total = means[:, :whole].sum(axis=1)
    return np.asarray(step * (total + part * means[:, whole] if part > 0.0 else total))


def split_level(pathway: Pathway, population: str) -> tuple[str, str]:
    """Return (attribute, level) of a population that is a level. Raises InputError if there is none such."""
    attribute, _, level = population.partition("=")
    if attribute not in pathway.attributes or level not in pathway.attributes[attribute].levels:
        raise UnknownNameError("population", population, populations(pathway), pathway.where)
    return attribute, level


def mixed(parts: Sequence[Curves], shares: Sequence[float | Floats]) -> Curves:
    """Return the curves of a mixture of patients, in which a share of everybody is of each part, on one lattice.

    shares : one a part, a number or (n_draws,)
    """

    def mean(values: Iterable[Floats]) -> Floats:
        pairs = zip(shares, values, strict=True)
        return np.asarray(sum((np.asarray(share) * values.T).T for share, values in pairs))

    first = parts[0]
    counts = {name: mean(part.counts[name] for part in parts) for name in first.counts}
    sizes = {name: mean(part.sizes[name] for part in parts) for name in first.sizes}

    def of_patients(curves: Sequence[Mapping[tuple[str, str], Floats]]) -> dict[tuple[str, str], Floats]:
        shares_of = {}
        for key in first.survival:
            name = key[1]
            pairs = zip(parts, curves, strict=True)
            total = mean(part.sizes[name][:, None] * np.nan_to_num(share_of[key]) for part, share_of in pairs)
            with np.errstate(invalid="ignore", divide="ignore"):
                shares_of[key] = total / sizes[name][:, None]
        return shares_of

    def paths(key: tuple[str, str], places: Integers) -> list[Path | None]:
        size = [np.asarray(share) * part.sizes[key[1]] for share, part in zip(shares, parts, strict=True)]
        lifetimes = [
            part.lifetimes(key, np.where(share > 0, places, 0)) for share, part in zip(size, parts, strict=True)
        ]

        def of_draw(draw: int, place: int) -> Path | None:
            if all(paths[draw] is None for paths in lifetimes):
                return None
            there = [number for number, share in enumerate(size) if share[draw] > 0]
            near = slice(place - 1, place + 1)
            means = [parts[i].means[key][draw, place - 1] for i in there]
            bent = [
                path_of_cell(first.months[near], parts[i].survival[key][draw, near], mean)
                for i, mean in zip(there, means, strict=True)
            ]
            chosen = [lifetimes[i][draw] or path for i, path in zip(there, bent, strict=True)]
            return average(chosen, [size[i][draw] / sum(share[draw] for share in size) for i in there])

        return [of_draw(draw, int(place)) for draw, place in enumerate(places)]

    return Curves(
        first.months,
        of_patients([part.survival for part in parts]),
        of_patients([part.means for part in parts]),
        {
            clock: {state: mean(part.occupancy[clock][state] for part in parts) for state in states}
            for clock, states in first.occupancy.items()
        },
        sizes,
        paths,
        counts,
        {
            name: mean(part.count_variances[name] + (part.counts[name] - counts[name]) ** 2 for part in parts)
            for name in first.count_variances
        },
        first.patients,
        {name: mixed([part.end_points[name] for part in parts], shares) for name in first.end_points},
        {cause: of_patients([part.incidence[cause] for part in parts]) for cause in first.incidence},
    )


def check_horizon(horizon: float) -> None:
    """Raise InputError unless a horizon is some months that fit in memory."""
    if not 0 < horizon <= LONGEST:
        raise InputError("no horizon", where="--horizon", got=horizon, allowed=f"months above 0, up to {LONGEST}")
