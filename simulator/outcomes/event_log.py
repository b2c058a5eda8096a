"""Histories: one row an event of a patient, in order; and a check that every history is possible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.errors import AftercartError
from simulator.pathway.pathway import Pathway

if TYPE_CHECKING:
    from simulator.engines.trajectories import Trajectories

COLUMNS = ("patient", "event", "month", "state")
"""`event` numbers a patient's entries from 0, `month` counts from the start, `state` is the state entered."""


def table(blocks: Iterable[Trajectories]) -> pd.DataFrame:
    """Return the events of simulated patients, by patient and event."""
    entries = [
        (block.patients[places], np.broadcast_to(event, month.shape), month, state)
        for block in blocks
        for state, entered in block.entered.items()
        for (places, month), event in zip(entered, block.order[state], strict=True)
    ]
    if not entries:
        return pd.DataFrame(columns=list(COLUMNS))
    *numbers, states = zip(*entries, strict=True)
    patient, event, month = (np.concatenate(parts) for parts in numbers)
    state = np.repeat(np.array(states, dtype=object), [part.size for part in numbers[0]])
    order = np.lexsort((event, patient))
    return pd.DataFrame(dict(zip(COLUMNS, (column[order] for column in (patient, event, month, state)), strict=True)))


def check(events: pd.DataFrame, pathway: Pathway) -> None:
    """Raise AftercartError if a history is impossible: it starts at the start, time never runs back, every step is
    declared, and nothing follows an absorbing state."""
    first = events.groupby("patient", sort=False).head(1)
    if not (first["state"] == pathway.start).all() or not (first["month"] == 0.0).all():
        raise AftercartError(f"a history does not begin in {pathway.start} at month 0")
    same = events["patient"].to_numpy()[1:] == events["patient"].to_numpy()[:-1]
    month = events["month"].to_numpy()
    if np.any(same & (np.diff(month) < 0)):
        raise AftercartError("time runs back in a history")
    declared = {(name, transition.to) for name, state in pathway.states.items() for transition in state.transitions}
    if pathway.marginal is not None:
        # A patient treated without benefit dies as under supportive care, in whatever state.
        dies = [transition.to for transition in pathway.states[pathway.marginal.otherwise].transitions]
        declared |= {
            (name, death) for name, state in pathway.states.items() if not state.is_absorbing for death in dies
        }
    state = events["state"].to_numpy()
    steps = set(zip(state[:-1][same], state[1:][same], strict=True))
    if not steps <= declared:
        raise AftercartError(f"a history takes a step that is not declared: {sorted(steps - declared)[0]}")
