"""The same patients under two policies: whose history differs, and who lives longer to a month of a clock.

A patient has the same random numbers under both, so a history differs only where the policy touches it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from simulator.engines.trajectories import MOMENT
from simulator.pathway.pathway import Pathway

ALIVE_ONLY_UNDER_POLICY, LATER, AS_LONG, EARLIER, ALIVE_ONLY_UNDER_BASE, OFF_CLOCK = (
    "alive_only_under_policy", "dies_later", "as_long", "dies_earlier", "alive_only_under_base", "off_clock",
)  # fmt: skip
SAME = "same"
FATES = (ALIVE_ONLY_UNDER_POLICY, LATER, AS_LONG, EARLIER, ALIVE_ONLY_UNDER_BASE, OFF_CLOCK)
"""What becomes of patients whose history differs; of the others it is `SAME`."""
SUMS: Mapping[str, tuple[str, ...]] = {
    "changed": FATES,
    "lives_longer": (ALIVE_ONLY_UNDER_POLICY, LATER),
    "lives_shorter": (EARLIER, ALIVE_ONLY_UNDER_BASE),
}
"""Fates together: the patients whose history differs, and those of them who live longer and shorter to the month."""


def lives(events: pd.DataFrame, pathway: Pathway, clock: str) -> pd.DataFrame:
    """Return each patient's month of the clock's start, NaN if never, and of death, inf if alive; index : patient.

    events : as in histories, months from entry
    """
    patients = pd.Index(events["patient"].unique(), name="patient")
    first = events[events["state"] == pathway.clocks[clock]].groupby("patient")["month"].min()
    death = events[events["state"].isin(pathway.deaths)].groupby("patient")["month"].min()
    return pd.DataFrame({"start": first.reindex(patients), "death": death.reindex(patients).fillna(np.inf)})


def differ(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Return whether each patient's history differs between two tables of the same patients; index : patient.

    Histories differ by a state, a month or an attribute.
    """
    columns = [name for name in one.columns if name not in ("calendar_month", "counted", "scenario")]
    both = one[columns].merge(other[columns], on=["patient", "event"], how="outer", suffixes=("", "/other"))
    same = (both["month"] - both["month/other"]).abs() <= MOMENT
    for name in columns:
        if name not in ("patient", "event", "month"):
            same &= both[name] == both[f"{name}/other"]
    return ~same.groupby(both["patient"]).all()


def fates(one: pd.DataFrame, other: pd.DataFrame, pathway: Pathway, clock: str, month: float) -> pd.Series:
    """Return the fate of each patient under another policy than the first, `SAME` or one of `FATES`; index : patient.

    one, other : the events of the same patients; month : after the clock's start, to which lives are compared
    """
    before, after = (lives(events, pathway, clock) for events in (one, other))
    after = after.reindex(before.index)
    lived, lived_after = ((life["death"] - life["start"]) for life in (before, after))
    alive, alive_after = lived > month, lived_after > month
    longer = np.minimum(lived_after, month) - np.minimum(lived, month)
    kinds = {
        OFF_CLOCK: before["start"].isna() | after["start"].isna(),
        ALIVE_ONLY_UNDER_POLICY: alive_after & ~alive,
        ALIVE_ONLY_UNDER_BASE: alive & ~alive_after,
        LATER: longer > MOMENT,
        EARLIER: longer < -MOMENT,
    }
    changed = differ(one, other).reindex(before.index)
    fate = np.select([~changed, *kinds.values()], [SAME, *kinds], AS_LONG)
    return pd.Series(fate, index=before.index)


def shares(fate: pd.Series) -> dict[str, float]:
    """Return the share of patients of every fate, and of the fates together in `SUMS`."""
    counts = fate.value_counts()
    together = {**{name: (name,) for name in (SAME, *FATES)}, **SUMS}
    return {name: sum(int(counts.get(one, 0)) for one in parts) / len(fate) for name, parts in together.items()}
