"""The uncertain inputs: parameters with posterior draws, and the marginal benefit where a policy treats more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from simulator.analyses.sensitivity import inseparable
from simulator.arrays import Floats
from simulator.engines.model import point_values, resolve
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import is_silent, load_cohort
from simulator.evidence.draws import BENEFIT, choose, informed_draws
from simulator.evidence.practice import at_reference, uptake
from simulator.outcomes.uncertainty import FEWEST, central
from simulator.pathway.pathway import Pathway
from simulator.plain_text import listed
from simulator.randomness import Uniforms
from simulator.scenario.levers import apply_levers
from simulator.scenario.scenario import COHORTS, INFORMED, PRIOR_ALONE, Scenario, split_name

BENEFIT_RANGE = (0.0, 1.0)
"""Uniform in between: an assumption where no other cohort informs it."""

BENEFIT_MEANING = "share of additional patients (treated only under the policy) who benefit as today's treated do"


@dataclass(frozen=True)
class Inputs:
    """The uncertain inputs and their draws.

    draws : a row a joint draw as fitted, a column a parameter, in the order of the pathway file; marginal_benefit last,
    if varied. The uptake is no input: `row_values` puts it at the reference
    silent : inputs that the cohort did not inform; informed_benefit : other cohorts inform marginal_benefit
    """

    pathway: Pathway
    draws: pd.DataFrame
    silent: frozenset[str]
    informed_benefit: bool

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.draws.columns if name not in uptake(self.pathway)]

    def meaning(self, name: str) -> str:
        return BENEFIT_MEANING if name == BENEFIT else self.pathway.parameters[name].meaning

    def unit(self, name: str) -> str:
        return "probability" if name == BENEFIT else self.pathway.parameters[name].unit

    def siblings(self, name: str) -> tuple[str, ...]:
        """Return the inputs that share one choice with an input, itself included."""
        if name == BENEFIT:
            return (name,)
        return tuple(sibling for sibling in self.pathway.choice_siblings(name) if sibling in self.names)

    @property
    def factors(self) -> list[tuple[str, ...]]:
        """The inputs, siblings of one choice together."""
        return list(dict.fromkeys(self.siblings(name) for name in self.names))

    @property
    def joint_factors(self) -> list[tuple[str, ...]]:
        """The factors; factors whose inputs move together are one."""
        factors = self.factors
        for group in self.together:
            first, *others = (factor for factor in factors if set(factor) & set(group))
            merged = first + tuple(name for factor in others for name in factor)
            factors = [merged if factor == first else factor for factor in factors if factor not in others]
        return factors

    @cached_property
    def constant(self) -> list[str]:
        """The inputs that do not vary."""
        return inseparable.constant(self.draws[self.names])

    @cached_property
    def together(self) -> list[tuple[str, ...]]:
        """The groups of inputs that move together, so that no method separates them."""
        return inseparable.together(self.draws[self.names], self.siblings)

    @property
    def blank(self) -> set[str]:
        """The inputs that have no number in any part."""
        return {*self.constant, *(name for group in self.together for name in group)}

    @property
    def blank_in_words(self) -> str:
        """Return why some inputs have no number, a sentence a reason; empty where all have a number."""
        sentences = [f"{listed(group)} vary together, so their effects cannot be separated." for group in self.together]
        if self.constant:
            sentences.append(f"{listed(self.constant)} {'do' if len(self.constant) > 1 else 'does'} not vary.")
        stated = [name for name in uptake(self.pathway) if name in self.draws]
        if stated and self.pathway.marginal is not None:
            share = f"{100 * self.pathway.marginal.reference:.0f} %"
            are = "are" if len(stated) > 1 else "is"
            sentences.append(
                f"{listed(stated)} {are} left out: who is treated today is known ({share}), not estimated."
            )
        return " ".join(sentences)

    @cached_property
    def centre(self) -> dict[str, float]:
        """All columns at their medians over draws, siblings of a choice rescaled to their joint probability."""
        centre = {str(name): float(self.draws[name].median()) for name in self.draws}
        if BENEFIT in centre and not self.informed_benefit:
            centre[BENEFIT] = sum(BENEFIT_RANGE) / 2.0
        for factor in self.factors:
            if len(factor) > 1:
                fixed = [sibling for sibling in self.pathway.choice_siblings(factor[0]) if sibling not in factor]
                left = 1.0 - sum(self.pathway.parameters[sibling].value for sibling in fixed)
                total = sum(centre[sibling] for sibling in factor)
                centre |= {sibling: left * centre[sibling] / total for sibling in factor}
        return centre

    def ends(self, name: str) -> tuple[float, float]:
        """Return the ends of an input's 95 % interval over draws; of an assumed benefit, of its range."""
        if name == BENEFIT and not self.informed_benefit:
            return BENEFIT_RANGE
        return central(self.draws[name].to_numpy(dtype=float))

    @property
    def benefit_in_words(self) -> str:
        """Return the source of the marginal benefit, in a sentence; empty where it is not varied."""
        if BENEFIT not in self.draws:
            return ""
        low, high = self.ends(BENEFIT)
        if self.informed_benefit:
            return (
                f"{BENEFIT} is varied as other cohorts suggest ({low:.2f} to {high:.2f}): an extrapolation, not a "
                "measured effect."
            )
        return f"{BENEFIT} is varied uniformly from {low:g} to {high:g}: an assumption."

    def moved(self, name: str, value: float) -> dict[str, float]:
        """Return the centre with one input moved, and its siblings in proportion, as by [set]."""
        if name == BENEFIT:
            return {**self.centre, name: value}
        draw_values = {**point_values(self.pathway), **self.centre}
        pulled = apply_levers(Scenario(name, self.pathway, set={name: value}), draw_values)
        return {name: float(pulled[name]) for name in self.centre}


def load_inputs(options: Sequence[Scenario], wanted: int | None, seed: int) -> Inputs:
    """Return the inputs of some scenarios of one pathway. wanted : draws, None for all. Raises InputError."""
    pathway = options[0].pathway
    table, n_draws = _table(pathway, wanted)
    check_count(pathway, wanted)
    draws = table.iloc[:n_draws].reset_index(drop=True)
    varied, is_informed = any(is_open(option, draws) for option in options), INFORMED in draws
    draws = draws.drop(columns=PRIOR_ALONE, errors="ignore")
    benefit = draws.pop(INFORMED) if is_informed else _assumed(seed, n_draws)
    if varied:
        draws = draws.assign(**{BENEFIT: benefit})
    return Inputs(pathway, draws, _silent(pathway, list(draws.columns)), is_informed)


def _table(pathway: Pathway, wanted: int | None) -> tuple[pd.DataFrame, int]:
    columns = informed_draws(pathway)
    if columns is None:
        raise InputError(
            "a pathway without draws has no uncertain parameters",
            where=pathway.where,
            allowed='a pathway with draws = "COHORT" or "FILE.csv"',
        )
    table = pd.DataFrame(columns)
    return table, choose(table, len(table) if wanted is None else wanted, pathway)


def check_count(
    pathway: Pathway, wanted: int | None, least: int = FEWEST, what: str = "for the ends of a 95 % interval"
) -> int:
    """Return the number of draws. Raises InputError where the file has, or `wanted` is, less than `least`."""
    table, n_draws = _table(pathway, wanted)
    if len(table) < least:
        allowed = f"{least} or more, in the file that `draws` names"
        raise InputError(f"too few draws {what}", where=pathway.where, got=len(table), allowed=allowed)
    if n_draws < least:
        raise InputError(f"too few draws {what}", where="--draws", got=n_draws, allowed=f"{least} or more")
    return n_draws


def _assumed(seed: int, n_draws: int) -> Floats:
    low, high = BENEFIT_RANGE
    return low + (high - low) * Uniforms(seed).at(f"sensitivity/{BENEFIT}", np.arange(n_draws))


def is_open(scenario: Scenario, table: pd.DataFrame) -> bool:
    """Return whether a scenario treats more than the reference, at a benefit that no name as NAME@0.5 fixes."""
    benefit = split_name(scenario.name)[1]
    marginal = resolve(scenario, row_values(table, scenario.pathway)).marginal
    return benefit in (None, COHORTS) and marginal is not None and marginal.raised


def row_values(rows: pd.DataFrame, pathway: Pathway) -> dict[str, Floats | float]:
    """Return the values of rows, (n_rows, 1) each: the uptake at the reference, benefits as those cohorts inform.

    What does not vary is a number, unless nothing does.
    """
    names = [INFORMED if name == BENEFIT else str(name) for name in rows]
    columns = dict(zip(names, np.ascontiguousarray(rows.to_numpy(dtype=float).T), strict=True))
    columns = at_reference(pathway, columns)
    varied = {name for name, column in columns.items() if np.ptp(column) > 0.0} or columns.keys()
    return {name: column[:, None] if name in varied else float(column[0]) for name, column in columns.items()}


def check_names(names: Sequence[str], inputs: Inputs) -> None:
    """Raise InputError for a name that is not an input."""
    for name in names:
        if name in uptake(inputs.pathway):
            allowed = f"[set] in a scenario, or `aftercart sweep SCENARIO --vary {name}=...`"
            raise InputError(
                "the share treated is known and not varied", where="--parameter", got=name, allowed=allowed
            )
        if name not in inputs.names:
            raise UnknownNameError("uncertain parameter", name, inputs.names, "--parameter")


def _silent(pathway: Pathway, names: Sequence[str]) -> frozenset[str]:
    cohort = load_cohort(pathway)
    silent = {BENEFIT} & set(names)
    if cohort is not None and cohort.posterior is not None:
        silent |= {str(row["parameter"]) for row in cohort.posterior.to_dict("records") if is_silent(row)}
    return frozenset(silent)
