"""Every pair of choices in a few cases: most failures need two of them to meet, hardly any needs three."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

Case = dict[str, Any]
Pair = tuple[tuple[str, Any], tuple[str, Any]]

TRIED = 40
"""Cases that are tried for each one that is taken."""


def every(factors: Mapping[str, Sequence[Any]], possible: Callable[[Case], bool]) -> list[Case]:
    """Return all combinations of one level a factor that are possible."""
    cases = (dict(zip(factors, levels, strict=True)) for levels in product(*factors.values()))
    return [case for case in cases if possible(case)]


def pairwise(cases: Sequence[Case]) -> list[Case]:
    """Return some of the cases in which every pair of two factors' levels occurs that occurs in any of them.

    Greedy: the best of some cases that hold the rarest pair not yet taken; earlier levels come first.
    """
    holding: dict[Pair, list[int]] = {}
    for place, case in enumerate(cases):
        for pair in pairs(case):
            holding.setdefault(pair, []).append(place)
    missing = dict.fromkeys(sorted(holding, key=lambda pair: len(holding[pair])))
    chance = random.Random(1)
    chosen: list[Case] = []
    while missing:
        places = holding[next(iter(missing))]
        tried = [cases[place] for place in sorted(chance.sample(places, min(TRIED, len(places))))]
        best = max(tried, key=lambda case: sum(pair in missing for pair in pairs(case)))
        chosen.append(best)
        for pair in pairs(best):
            missing.pop(pair, None)
    return chosen


def pairs(case: Case) -> Iterable[Pair]:
    return combinations(case.items(), 2)
