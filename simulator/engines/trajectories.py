"""What happened to simulated patients: entries, exits and deaths, in the one form of all engines with patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.arrays import Booleans, Floats, Integers

MOMENT = 1e-9
"""Months within which two times are one: sums of the same fixed sojourns may differ by rounding."""


@dataclass
class Trajectories:
    """What happened to consecutive patients. Arrays : (n_patients,).

    levels : attribute -> index of the patient's level
    clock_month : month of the default clock's start, from entry; inf if never
    death_month : month of death, from entry; inf if alive at the end of follow-up
    entered : (patients, months) of every entry into a state, in arrays of their own
    left : the same for every exit
    early : of states that lie before the default clock, whether each entry did
    """

    patients: Integers
    levels: dict[str, Integers]
    clock_month: Floats
    death_month: Floats
    follow_up_end: Floats
    entered: dict[str, list[tuple[Integers, Floats]]] = field(default_factory=dict)
    left: dict[str, list[tuple[Integers, Floats]]] = field(default_factory=dict)
    order: dict[str, list[Integers]] = field(default_factory=dict)
    early: dict[str, list[Booleans]] = field(default_factory=dict)

    @classmethod
    def at_entry(cls, patients: Integers, levels: dict[str, Integers], longest: float) -> Trajectories:
        """Return patients to whom nothing has happened yet. longest : months they are followed before the clock."""
        never = np.full(patients.size, np.inf)
        return cls(patients, levels, never, never.copy(), np.full(patients.size, longest))

    def ever_entered(self, states: Sequence[str], months_after_clock: float) -> Booleans:
        """Return who entered any of `states` from the default clock's start to some months after it, (n_patients,)."""
        entered = np.zeros(self.patients.size, dtype=bool)
        for state in states:
            for who, since in self.on_the_clock(state):
                entered[who[since <= months_after_clock + MOMENT]] = True
        return entered

    def first_entry(self, states: Sequence[str], *, from_entry: bool) -> tuple[Integers, Floats]:
        """Return the place of the state that each patient enters first, and after how many months, inf if never.

        (n_patients,) each. from_entry : since entry, instead of the default clock's start. At one instant, what is
        listed first is first.
        """
        place, first = np.zeros(self.patients.size, dtype=np.int64), np.full(self.patients.size, np.inf)
        for number, state in enumerate(states):
            earliest = np.full(self.patients.size, np.inf)
            for who, since in self.entered.get(state, ()) if from_entry else self.on_the_clock(state):
                np.minimum.at(earliest, who, since)
            sooner = earliest < first
            place[sooner], first[sooner] = number, earliest[sooner]
        return place, first

    def on_the_clock(self, state: str) -> Iterator[tuple[Integers, Floats]]:
        """Yield who entered a state from the default clock's start on, and how long after it.

        What comes before the clock's start at the very same instant is left out.
        """
        for place, (who, month) in enumerate(self.entered.get(state, ())):
            since = month - self.clock_month[who]
            counts = since >= 0
            if state in self.early:
                counts &= ~self.early[state][place]
            yield who[counts], since[counts]

    def only(self, chosen: Booleans) -> Trajectories:
        """Return some of the patients : (n_patients,), at their new places."""
        new = np.cumsum(chosen) - 1
        levels = {name: level[chosen] for name, level in self.levels.items()}
        chosen_patients = Trajectories(
            self.patients[chosen],
            levels,
            self.clock_month[chosen],
            self.death_month[chosen],
            self.follow_up_end[chosen],
        )
        for state, events in self.entered.items():
            kept = [chosen[who] for who, _ in events]
            chosen_patients.entered[state] = [
                (new[who[k]], month[k]) for (who, month), k in zip(events, kept, strict=True)
            ]
            if state in self.order:
                chosen_patients.order[state] = [order[k] for order, k in zip(self.order[state], kept, strict=True)]
            if state in self.early:
                chosen_patients.early[state] = [early[k] for early, k in zip(self.early[state], kept, strict=True)]
        for state, exits in self.left.items():
            chosen_patients.left[state] = [(new[who[chosen[who]]], month[chosen[who]]) for who, month in exits]
        return chosen_patients
