"""Rows of `entered` that are counted in one table with the deaths of the same patients: nobody goes both ways.

If 50 of 80 patients recovered and 28 died, 2 did neither, which two independent figures would not say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from calibration.reported.kinds import GONE
from simulator.pathway.pathway import reachable


def ways_out(
    used: pd.DataFrame,
    arms: Mapping[str, Sequence[str]],
    ways: Mapping[str, Sequence[str]],
    deaths: Collection[str],
) -> list[object]:
    """Return the index of such rows, of those that are fitted. ways : state -> where it leads.

    After such a state nobody can be counted by any other row of the same patients; and some row counts all of them.
    """
    after = {state: reachable(ways[state], ways.__getitem__) for state in ways}
    rows = used[used["kind"].isin(["entered", *GONE])].to_dict("index")
    found: list[object] = []
    for index, row in rows.items():
        mine, state = set(arms[row["population"]]), str(row["state"])
        if row["kind"] != "entered" or state in after[state]:
            continue
        beside = [other for other in rows.values() if mine & set(arms[other["population"]])]
        states = {each for other in beside for each in ([other["state"]] if other["state"] else deaths)} - {state}
        apart = not states & after[state] and not any(state in after[each] for each in states)
        of_all = [(other["population"], other["n"]) for other in beside if other["kind"] in GONE]
        if apart and (row["population"], row["n"]) in of_all:
            found.append(index)
    return found
