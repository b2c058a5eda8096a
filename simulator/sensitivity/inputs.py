"""The uncertain inputs: parameters with posterior draws, and the marginal benefit where a policy treats more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.cohort import is_silent, load_cohort
from simulator.curves import INTERVAL
from simulator.draws import choose, load_draws, values
from simulator.errors import InputError
from simulator.graph import unknown
from simulator.levers import pull
from simulator.model import point_values, resolve
from simulator.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario import Scenario

Floats = NDArray[np.float64]

BENEFIT = "marginal_benefit"
BENEFIT_RANGE = (0.0, 1.0)
"""Uniform in between: an assumption until external cohorts inform it. This is the one place that says so."""

BENEFIT_MEANING = "share of those treated only under the policy who gain what today's treated gain"

LEAST = 100
"""Draws: the ends of a 95 % interval, and ranks among 40 parameters, mean nothing with fewer."""


@dataclass(frozen=True)
class Inputs:
    """What is uncertain.

    draws : a row a joint draw, a column an input, in the order of the pathway file; marginal_benefit last, if varied
    silent : inputs that the cohort did not inform
    """

    pathway: Pathway
    draws: pd.DataFrame
    silent: frozenset[str]

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.draws.columns]

    def meaning(self, name: str) -> str:
        return BENEFIT_MEANING if name == BENEFIT else self.pathway.parameters[name].meaning

    def unit(self, name: str) -> str:
        return "probability" if name == BENEFIT else self.pathway.parameters[name].unit

    def siblings(self, name: str) -> tuple[str, ...]:
        """Return the inputs that share one choice with an input, itself included."""
        if name == BENEFIT:
            return (name,)
        return tuple(each for each in self.pathway.choice_siblings(name) if each in self.draws)

    @property
    def factors(self) -> list[tuple[str, ...]]:
        """The inputs, siblings of one choice together."""
        return list(dict.fromkeys(self.siblings(name) for name in self.names))

    @cached_property
    def centre(self) -> dict[str, float]:
        """Every input at its median over draws, siblings of a choice rescaled to sum to what they share."""
        found = {name: float(self.draws[name].median()) for name in self.names}
        for factor in self.factors:
            if len(factor) > 1:
                fixed = [each for each in self.pathway.choice_siblings(factor[0]) if each not in factor]
                left = 1.0 - sum(self.pathway.parameters[each].value for each in fixed)
                total = sum(found[each] for each in factor)
                found |= {each: left * found[each] / total for each in factor}
        return found

    def ends(self, name: str) -> tuple[float, float]:
        """Return the ends of an input's 95 % interval over draws; of the marginal benefit, those of its range."""
        if name == BENEFIT:
            return BENEFIT_RANGE
        low, high = np.quantile(self.draws[name], INTERVAL)
        return float(low), float(high)

    def moved(self, name: str, value: float) -> dict[str, float]:
        """Return the centre with one input moved, and its siblings in proportion, as [set] moves them."""
        if name == BENEFIT:
            return {**self.centre, name: value}
        own = {**point_values(self.pathway), **self.centre}
        pulled = pull(Scenario(name, self.pathway, set={name: value}), own)
        return {each: float(pulled[each]) for each in self.names}


def load_inputs(options: Sequence[Scenario], wanted: int | None, seed: int) -> Inputs:
    """Return the inputs of some scenarios of one pathway. wanted : draws, None for all. Raises InputError."""
    pathway = options[0].pathway
    table = load_draws(pathway)
    if table is None:
        raise InputError(
            "a pathway without draws has no uncertain parameters",
            where=pathway.where,
            allowed='a pathway with draws = "COHORT" or "FILE.csv"',
        )
    n_draws = choose(table, len(table) if wanted is None else wanted, pathway)
    if n_draws < LEAST:
        raise InputError("too few draws to rank parameters", where="--draws", got=n_draws, allowed=f"{LEAST} or more")
    draws = table.iloc[:n_draws].reset_index(drop=True)
    if any(is_open(each, draws) for each in options):
        low, high = BENEFIT_RANGE
        uniforms = Uniforms(seed).at(f"sensitivity/{BENEFIT}", np.arange(n_draws))
        draws = draws.assign(**{BENEFIT: low + (high - low) * uniforms})
    return Inputs(pathway, draws, _silent(pathway, list(draws.columns)))


def is_open(scenario: Scenario, draws: pd.DataFrame) -> bool:
    """Return whether a scenario treats more than its draws would, for a benefit that is not told as NAME@0.5."""
    if "@" in scenario.name:
        return False
    own = draws.drop(columns=BENEFIT, errors="ignore")
    marginal = resolve(scenario, values(own, slice(None))).marginal
    return marginal is not None and marginal.raised


def check_names(names: Sequence[str], inputs: Inputs) -> None:
    """Raise InputError for a name that is none of the inputs."""
    for name in names:
        if name not in inputs.draws:
            raise unknown("uncertain parameter", name, inputs.names, "--parameter")


def _silent(pathway: Pathway, names: Sequence[str]) -> frozenset[str]:
    cohort = load_cohort(pathway)
    found = {BENEFIT} & set(names)
    if cohort is not None and cohort.posterior is not None:
        found |= {str(row["parameter"]) for row in cohort.posterior.to_dict("records") if is_silent(row)}
    return frozenset(found)
