"""Cases that include every pair of choices: most failures need two choices together, few need three."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

Case = dict[str, Any]
Pair = tuple[tuple[str, Any], tuple[str, Any]]

CANDIDATES = 40
"""Number of cases compared for each case that is chosen."""


def all_cases(factors: Mapping[str, Sequence[Any]], possible: Callable[[Case], bool]) -> list[Case]:
    """Return all combinations of one level a factor that are possible."""
    cases = (dict(zip(factors, levels, strict=True)) for levels in product(*factors.values()))
    return [case for case in cases if possible(case)]


def pairs(case: Case) -> Iterable[Pair]:
    return combinations(case.items(), 2)


def pairwise(cases: Sequence[Case], wanted: Callable[[Case], Iterable[Pair]] = pairs) -> list[Case]:
    """Return some of the cases in which every pair of two factors' levels occurs that occurs in any of them.

    wanted : of a case, the pairs that must occur

    Greedy: the best of some cases with the rarest pair that is missing; earlier levels come first.
    """
    cases_with_pair: dict[Pair, list[int]] = {}
    for place, case in enumerate(cases):
        for pair in wanted(case):
            cases_with_pair.setdefault(pair, []).append(place)
    missing = dict.fromkeys(sorted(cases_with_pair, key=lambda pair: len(cases_with_pair[pair])))
    generator = random.Random(1)
    chosen: list[Case] = []
    while missing:
        places = cases_with_pair[next(iter(missing))]
        candidates = [cases[place] for place in sorted(generator.sample(places, min(CANDIDATES, len(places))))]
        best = max(candidates, key=lambda case: sum(pair in missing for pair in wanted(case)))
        chosen.append(best)
        for pair in wanted(best):
            missing.pop(pair, None)
    return chosen
