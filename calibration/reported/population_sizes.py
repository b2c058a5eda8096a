"""The patients that a population of a cohort can have: as rows of `patients` report, and as other arms leave.

Arms that are listed together, as `all = ["treated", "untreated"]`, have no patient in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

from calibration.reported.figure import Figure
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway


def are_whole(cohort: Cohort, pathway: Pathway) -> bool:
    """Return whether groups count every entry of their states by last follow-up: their window is open as long.

    Where no follow-up is reported it is taken to end by then, unless the window is shorter than it is by default.
    """
    return pathway.group_window >= (cohort.follow_up[1] if cohort.follow_up else Pathway.group_window)


def of_figure(cohort: Cohort, figure: Figure) -> str:
    """Return the population of a figure: the level that it reports among everybody, or its arm."""
    is_level = figure.attribute and cohort.is_everybody(figure.population)
    return figure.attribute if is_level else figure.population


def of_levels(mix: Mapping[str, Figure], cohort: Cohort, pathway: Pathway, attribute: str) -> dict[str, int]:
    """Return level of an attribute -> patients; one level without a figure has the rest.

    mix : level of an attribute -> the figure of the case mix that counts it
    """
    levels = pathway.attributes[attribute].levels
    sizes = {level: int(mix[name].count) for level in levels if (name := f"{attribute}={level}") in mix}
    rest = cohort.n - sum(sizes.values())
    if len(sizes) == len(levels) - 1 and rest >= 0:
        sizes |= {level: rest for level in levels if level not in sizes}
    return sizes


def most(cohort: Cohort, population: str) -> int:
    """Return the most patients of a population, by its size and by what other arms leave."""
    sizes, members = cohort.sizes, cohort.arms.get(population, ())
    single = {cohort.arms[name][0]: size for name, size in sizes.items() if len(cohort.arms.get(name, ())) == 1}
    of_parts = sum(single[member] for member in members) if all(member in single for member in members) else cohort.n
    size = sizes.get(population, of_parts if members else cohort.n)
    return min(size, _left_by_others(cohort, population))


def _left_by_others(cohort: Cohort, population: str) -> int:
    """Return how many patients others leave for an arm: of each arm that includes it, those in no other part of it."""
    arms, fewest = set(cohort.arms.get(population, ())), cohort.n
    for whole, members in cohort.arms.items():
        if whole != population and arms and arms <= set(members):
            others = _size_of_parts(cohort, set(members) - arms)
            fewest = min(fewest, cohort.sizes.get(whole, cohort.n) - others)
    return fewest


def _size_of_parts(cohort: Cohort, members: Iterable[str]) -> int:
    """Return how many patients rows report of arms that consist of some members and have none in common."""
    remaining, patients, sizes = set(members), 0, cohort.sizes
    for name in sorted((name for name in cohort.arms if name in sizes), key=lambda name: -sizes[name]):
        if set(cohort.arms[name]) <= remaining:
            remaining -= set(cohort.arms[name])
            patients += sizes[name]
    return patients


def mix(figures: Iterable[Figure]) -> dict[str, Figure]:
    """Return level of an attribute -> the figure of the case mix that counts it."""
    return {figure.attribute: figure for figure in figures if figure.use == "case_mix" and isfinite(figure.count)}
