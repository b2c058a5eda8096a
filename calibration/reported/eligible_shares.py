"""Shares of a choice that is not open to everybody: reported among all patients who reach it, set among the eligible.

    r_j = sum_c w_c e_jc p_j / sum_k e_kc p_k      p_j <- p_j r_j / r_j(p)

r_j : the share that a paper counts;  p_j : among patients who are eligible for every branch;  w_c : patients in cell c
of the attributes that gate the choice;  e_jc : their eligibility. Branches that are not reported are one, open to the
same patients: then p does not depend on how they share the rest, which differs from draw to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np

from calibration.reported.figure import Figure
from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.pathway.format import MODIFIERS
from simulator.pathway.pathway import Pathway, State, Transition, reachable
from simulator.pathway.references import Selection, attributes_in, names_in
from simulator.scenario.population import joints_of

Mix = Mapping[str, Mapping[str, float]]

ROUNDS = 5_000
EXACT = 1e-9


@dataclass(frozen=True)
class Levers:
    """A cohort's levers. values : parameter -> its number; rows : parameter -> the row that reports it; at : the place.

    start : the state whose patients have the case mix that the cohort reports
    """

    values: Mapping[str, float]
    rows: Mapping[str, Figure]
    at: str
    start: str


def among_eligible(levers: Levers, pathway: Pathway, mix: Mix) -> dict[str, float]:
    """Return the levers to set, shares that rows report among all as those among the eligible. Raises InputError."""
    settings = dict(levers.values)
    for state in pathway.states.values():
        gates = {name for branch in state.transitions for name in branch.eligible}
        reported = [branch for branch in state.transitions if levers.rows.keys() & set(names_in(branch.probability))]
        if gates and reported:
            settings |= _Choice(levers, pathway, mix, state, reported).solved()
    return settings


@dataclass(frozen=True)
class _Choice:
    """reported : the branches whose share a row reports."""

    levers: Levers
    pathway: Pathway
    mix: Mix
    state: State
    reported: list[Transition]

    @cached_property
    def cells(self) -> dict[tuple[tuple[str, str], ...], float]:
        """Levels of the attributes that gate the choice -> share of the patients that the rows count."""
        declared, gates, at = self.pathway.attributes, self._gates, self.levers.at
        joints = joints_of(self.pathway, (), self.mix, at)
        attribute, _, level = _level(self.levers.rows[str(self.reported[0].probability)]).partition("=")
        if attribute:
            alone = {attribute: {other: float(other == level) for other in declared[attribute].levels}}
            joints = tuple(joint.with_margins(alone, at) if attribute in joint.of else joint for joint in joints)
        gating = [joint for joint in joints if not set(gates).isdisjoint(joint.of)]
        cells = [tuple(zip(gates, cell, strict=True)) for cell in product(*(declared[name].levels for name in gates))]
        share_of_cell = {cell: prod(joint.share(dict(cell)) for joint in gating) for cell in cells}
        return {cell: share for cell, share in share_of_cell.items() if share > 0}

    @property
    def _gates(self) -> list[str]:
        return sorted({name for branch in self.state.transitions for name in branch.eligible})

    def _check(self) -> None:
        if any(isinstance(branch.probability, Selection) for branch in self.state.transitions):
            raise self._refused("its shares differ by an attribute")
        if len({_level(self.levers.rows[str(branch.probability)]) for branch in self.reported}) > 1:
            raise self._refused("the rows count different patients")
        if differing := self._differing() & set(self._gates):
            raise self._refused(f"patients who reach it differ by {', '.join(sorted(differing))}")

    def _differing(self) -> set[str]:
        """Return the attributes whose mix among patients who reach the choice is not `mix`.

        Differences from before the reported mix is counted change nothing, unless an attribute without one keeps them.
        """
        at_entry = _differing(self.pathway, self.state, self.pathway.start)
        since = _differing(self.pathway, self.state, self.levers.start)
        onward = {name: [exit.to for exit in state.transitions] for name, state in self.pathway.states.items()}
        is_later = self.state.name in reachable([self.levers.start], onward.__getitem__)
        if is_later and since <= self.mix.keys():
            return self._together(since) | self._together(at_entry - self.mix.keys()) - self.mix.keys()
        return self._together(at_entry)

    def _together(self, attributes: set[str]) -> set[str]:
        """Return attributes and those that go with them."""
        return attributes.union(*(joint.of for joint in self.pathway.case_mix if not attributes.isdisjoint(joint.of)))

    def solved(self) -> dict[str, float]:
        """Return reported parameter -> share among the eligible. Raises InputError if it depends on others."""
        self._check()
        names = [str(branch.probability) for branch in self.reported]
        reported = [self.levers.values[name] for name in names]
        left = 1.0 - sum(reported)
        not_reported = (branch for branch in self.state.transitions if branch not in self.reported)
        others = [branch for branch in not_reported if not self._is_closed(branch)]
        if left < -EXACT or (left > EXACT and not others):
            # Refused where the levers are applied, as numbers would be.
            return {}
        open_to = np.array([self._open(branch) for branch in self.reported])
        if left > EXACT:
            self._check_alike(others)
            open_to, reported = np.vstack([open_to, self._open(others[0])]), [*reported, left]
        solution = self._invert(open_to, np.array(reported), names)
        return dict(zip(names, solution[: len(names)].tolist(), strict=True))

    def _is_closed(self, branch: Transition) -> bool:
        """Return whether nobody takes a branch, under any draw."""
        if not isinstance(branch.probability, str) or branch.probability not in self.pathway.parameters:
            return branch.probability == 0.0
        parameter = self.pathway.parameters[branch.probability]
        fixed = parameter.value if parameter.prior is None else None
        return self.levers.values.get(parameter.name, fixed) == 0.0

    def _open(self, branch: Transition) -> list[float]:
        """Return the share that is eligible for a branch, of each cell."""
        return [float(prod(self._number(branch, name, level) for name, level in cell)) for cell in self.cells]

    def _number(self, branch: Transition, attribute: str, level: str) -> float:
        share = branch.eligible.get(attribute, {}).get(level, 1.0)
        if not isinstance(share, float):
            raise self._refused(f"a parameter decides which patients are eligible for {branch.name}")
        return share

    def _check_alike(self, others: list[Transition]) -> None:
        set_too = [str(branch.probability) for branch in others if branch.probability in self.levers.values]
        if set_too:
            raise self._refused(f"{', '.join(set_too)} is set to a number, which is a share among the eligible")
        if any(self._open(branch) != self._open(others[0]) for branch in others):
            named = ", ".join(branch.name for branch in others)
            raise self._refused(f"{named} have different eligible patients, and no row reports the share of each")

    def _invert(self, open_to: Floats, reported: Floats, names: list[str]) -> Floats:
        """Return p from r : (n_branches,); open_to : (n_branches, n_cells)."""
        weights = np.array(list(self.cells.values()))
        for name, is_open, share in zip(names, open_to, reported, strict=False):
            most = float(weights[is_open > 0].sum())
            if share > most + EXACT:
                open_to_name = f"but only {most:.3g} are eligible for {name}"
                raise self._refused(f"the share is {share:.3g} of all patients, {open_to_name}")
        p = reported.copy()
        for _ in range(ROUNDS):
            total = np.maximum(p @ open_to, np.finfo(float).tiny)
            predicted = p * (open_to @ (weights / total))
            if np.abs(predicted - reported).max() < EXACT:
                return np.asarray(p / p.sum())
            p = p * np.divide(reported, predicted, out=np.zeros_like(p), where=predicted > 0)
            p /= p.sum()
        raise self._refused("no shares among the eligible give these shares of all patients")

    def _refused(self, what: str) -> InputError:
        names = (name for branch in self.reported for name in names_in(branch.probability))
        shares = ", ".join(name for name in names if name in self.levers.rows)
        return InputError(
            f"a row cannot determine {shares} at '{self.state.name}', which is not open to every patient: {what}",
            where=self.levers.at,
            allowed="a row per branch, a row of an attribute's level, or numbers (shares among the eligible)",
        )


def _level(figure: Figure) -> str:
    """Return the attribute's level that a figure is of, "" for all."""
    return figure.attribute or (figure.population if "=" in figure.population else "")


def _differing(pathway: Pathway, state: State, start: str) -> set[str]:
    """Return the attributes by which patients differ in whether they reach a choice."""

    def onward(name: str) -> list[str]:
        return [] if name == state.name else [exit.to for exit in pathway.states[name].transitions]

    attributes: set[str] = set()
    for name in reachable([start], onward) - {state.name}:
        for exit in pathway.states[name].transitions:
            references = exit.references
            if len(pathway.states[name].transitions) == 1 and exit.time is not None:
                arguments = exit.time.arguments
                references = (arguments[key] for key in MODIFIERS if key in arguments)
            else:
                attributes |= set(exit.eligible)
            attributes |= {attribute for reference in references for attribute in attributes_in(reference)}
    return attributes
