"""Shares of a choice that is not open to everybody: told of all who come to it, as papers do, set among the eligible.

With shares p_j among who is eligible for every branch, eligibility e_jc in cell c of the attributes that gate it, and
w_c of the patients there, a paper counts

    r_j = sum_c w_c e_jc p_j / sum_k e_kc p_k

which is solved for p by p_j <- p_j r_j / r_j(p). Branches that are not told are one, open to the same patients: then p
does not depend on how they share what is left, which differs from draw to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.pathway.format import shares
from simulator.pathway.pathway import (
    Pathway,
    Selection,
    State,
    Transition,
    attributes_in,
    names_in,
    reachable,
    references_of,
)

Mix = Mapping[str, Mapping[str, float]]

ROUNDS = 5_000
EXACT = 1e-9


@dataclass(frozen=True)
class Told:
    """A cohort's levers. values : parameter -> its number; rows : those told by a row; at : where they are told.

    start : the state whose patients have the case mix that the cohort reports
    """

    values: Mapping[str, float]
    rows: Mapping[str, pd.Series]
    at: str
    start: str


def among_eligible(told: Told, pathway: Pathway, mix: Mix) -> dict[str, float]:
    """Return the levers to set, shares that rows tell of all as those among the eligible. Raises InputError."""
    found = dict(told.values)
    for state in pathway.states.values():
        asked = {name for way in state.transitions for name in way.eligible}
        mine = [way for way in state.transitions if told.rows.keys() & set(names_in(way.probability))]
        if asked and mine:
            found |= _Choice(told, pathway, mix, state, mine).solved()
    return found


@dataclass(frozen=True)
class _Choice:
    """told_ways : branches whose share a row tells."""

    told: Told
    pathway: Pathway
    mix: Mix
    state: State
    told_ways: list[Transition]

    @cached_property
    def cells(self) -> dict[tuple[tuple[str, str], ...], float]:
        """Levels of the attributes that gate the choice -> share of the patients whom the rows count."""
        declared = self.pathway.attributes
        of = {name: shares(self.mix.get(name, declared[name].levels), self.told.at) for name in self._gates}
        attribute, _, level = _level(self.told.rows[str(self.told_ways[0].probability)]).partition("=")
        if attribute in of:
            of[attribute] = {level: 1.0}
        cells = [tuple(zip(of, levels, strict=True)) for levels in product(*of.values())]
        found = {cell: prod(of[name][level] for name, level in cell) for cell in cells}
        return {cell: share for cell, share in found.items() if share > 0}

    @property
    def _gates(self) -> list[str]:
        return sorted({name for way in self.state.transitions for name in way.eligible})

    def _check(self) -> None:
        if any(isinstance(way.probability, Selection) for way in self.state.transitions):
            raise self._refused("its shares differ by an attribute")
        if len({_level(self.told.rows[str(way.probability)]) for way in self.told_ways}) > 1:
            raise self._refused("the rows count different patients")
        if differing := self._differing() & set(self._gates):
            raise self._refused(f"patients who reach it differ by {', '.join(sorted(differing))}")

    def _differing(self) -> set[str]:
        """Return the attributes of which those who come to the choice have another mix than `mix`.

        What differs before the reported mix is counted changes nothing, unless an attribute without one carries it on.
        """
        at_entry = _differing(self.pathway, self.state, self.pathway.start)
        since = _differing(self.pathway, self.state, self.told.start)
        ways = {name: [way.to for way in state.transitions] for name, state in self.pathway.states.items()}
        is_later = self.state.name in reachable([self.told.start], ways.__getitem__)
        return since | at_entry - self.mix.keys() if is_later and since <= self.mix.keys() else at_entry

    def solved(self) -> dict[str, float]:
        """Return parameter -> share among the eligible, of the told ones. Raises InputError if it depends on others."""
        self._check()
        names = [str(way.probability) for way in self.told_ways]
        reported = [self.told.values[name] for name in names]
        left = 1.0 - sum(reported)
        others = [way for way in self.state.transitions if way not in self.told_ways and not self._is_closed(way)]
        if left < -EXACT or (left > EXACT and not others):
            # Refused where the levers are pulled, as told numbers would be.
            return {}
        open_to = np.array([self._open(way) for way in self.told_ways])
        if left > EXACT:
            self._check_alike(others)
            open_to, reported = np.vstack([open_to, self._open(others[0])]), [*reported, left]
        found = self._invert(open_to, np.array(reported), names)
        return dict(zip(names, found[: len(names)].tolist(), strict=True))

    def _is_closed(self, way: Transition) -> bool:
        """Return whether nobody takes a branch, under any draw."""
        if not isinstance(way.probability, str) or way.probability not in self.pathway.parameters:
            return way.probability == 0.0
        parameter = self.pathway.parameters[way.probability]
        fixed = parameter.value if parameter.prior is None else None
        return self.told.values.get(parameter.name, fixed) == 0.0

    def _open(self, way: Transition) -> list[float]:
        """Return who is eligible for a branch, of each cell."""
        told = [prod(self._number(way, name, level) for name, level in cell) for cell in self.cells]
        return [float(each) for each in told]

    def _number(self, way: Transition, attribute: str, level: str) -> float:
        told = way.eligible.get(attribute, {}).get(level, 1.0)
        if not isinstance(told, float):
            raise self._refused(f"a parameter decides which patients are eligible for {way.name}")
        return told

    def _check_alike(self, others: list[Transition]) -> None:
        set_too = [str(way.probability) for way in others if way.probability in self.told.values]
        if set_too:
            raise self._refused(f"{', '.join(set_too)} is set to a number, which is a share among the eligible")
        if any(self._open(way) != self._open(others[0]) for way in others):
            named = ", ".join(way.name for way in others)
            raise self._refused(f"{named} have different eligible patients, and no row reports the share of each")

    def _invert(self, open_to: Floats, reported: Floats, names: list[str]) -> Floats:
        """Return p from r : (n_branches,); open_to : (n_branches, n_cells)."""
        weights = np.array(list(self.cells.values()))
        for name, mine, told in zip(names, open_to, reported, strict=False):
            most = float(weights[mine > 0].sum())
            if told > most + EXACT:
                raise self._refused(
                    f"the share is {told:.3g} of all patients, but only {most:.3g} are eligible for {name}"
                )
        found = reported.copy()
        for _ in range(ROUNDS):
            total = np.maximum(found @ open_to, np.finfo(float).tiny)
            predicted = found * (open_to @ (weights / total))
            if np.abs(predicted - reported).max() < EXACT:
                return np.asarray(found / found.sum())
            found = found * np.divide(reported, predicted, out=np.zeros_like(found), where=predicted > 0)
            found /= found.sum()
        raise self._refused("no shares among the eligible give these shares of all patients")

    def _refused(self, what: str) -> InputError:
        named = [name for way in self.told_ways for name in names_in(way.probability) if name in self.told.rows]
        return InputError(
            f"a row cannot determine {', '.join(named)} at '{self.state.name}', which is not open to every patient: "
            f"{what}",
            where=self.told.at,
            allowed="a row per branch, a row of an attribute's level, or numbers (shares among the eligible)",
        )


def _level(row: pd.Series) -> str:
    """Return the attribute's level that a row is of, "" for all."""
    return str(row["attribute"]) or (str(row["population"]) if "=" in str(row["population"]) else "")


def _differing(pathway: Pathway, state: State, start: str) -> set[str]:
    """Return the attributes by which patients of a state differ in whether they come to a choice."""

    def onward(name: str) -> list[str]:
        return [] if name == state.name else [way.to for way in pathway.states[name].transitions]

    found: set[str] = set()
    for name in reachable([start], onward) - {state.name}:
        for way in pathway.states[name].transitions:
            told = references_of(way)
            if len(pathway.states[name].transitions) == 1 and way.time is not None:
                told = iter([argument for key, argument in way.time.arguments.items() if key == "cure"])
            else:
                found |= set(way.eligible)
            found |= {attribute for each in told for attribute in attributes_in(each)}
    return found
