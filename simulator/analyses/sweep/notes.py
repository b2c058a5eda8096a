"""What a reader of a sweep must know beside its numbers, in sentences: for the terminal, the figures, the manifest."""

from __future__ import annotations

import numpy as np

from simulator.analyses.sweep.axis import Axis
from simulator.analyses.sweep.grid import BENEFIT, Grid
from simulator.arrays import Floats
from simulator.scenario.scenario import Scenario

MOST = 4
"""Values that a sentence lists one by one."""


def of(grid: Grid, untouched: Floats, patients: int) -> list[str]:
    """Return the sentences. untouched : (n_cells,) share of draws without marginal patients; NaN if there are none."""
    found = []
    first = grid.at(0)
    if first.capacity and first.service is None:
        found.append(f"Without [service], all {patients:,} patients of a draw come at once and share what there is.")
    # A pathway that does not say who is marginal has no such patients.
    return [*found, *_marginal(grid, np.nan_to_num(untouched, nan=1.0))]


def _marginal(grid: Grid, untouched: Floats) -> list[str]:
    varied = BENEFIT in grid.names
    if (untouched == 1.0).all():
        return [f"No cell treats more than the draws' own policy: {BENEFIT} changes nothing."] if varied else []
    found = []
    if not varied:
        found.append(f"{BENEFIT} is the scenario's, {_benefit(grid.scenario)}, in every cell.")
    if untouched.max() > 0:
        who = "Uptake at or below a draw's own adds no patients"
        found.append(f"{who}: {_where(grid, untouched)}.")
    return found


def _benefit(scenario: Scenario) -> str:
    told = scenario.marginal_benefit
    return f"@{told}, each draw's own" if isinstance(told, str) else f"{told:g} (an assumption)"


def _where(grid: Grid, untouched: Floats) -> str:
    """Return in which share of draws, by the values of the name that decides it, if one does."""
    shaped = untouched.reshape([len(axis.values) for axis in grid.axes])
    for place, axis in enumerate(grid.axes):
        shares = np.moveaxis(shaped, place, 0).reshape(len(axis.values), -1)
        if np.ptp(shares) > 0 and (shares == shares[:, :1]).all():
            return _by_value(axis, shares[:, 0])
    low, high = untouched.min(), untouched.max()
    return f"in {_percent(high)} of draws" if low == high else f"in {_percent(low)} to {_percent(high)} of draws"


def _by_value(axis: Axis, shares: Floats) -> str:
    told = [(value, share) for value, share in zip(axis.values, shares, strict=True) if share > 0]
    if len(told) > MOST:
        (low, most), (high, least) = told[0], told[-1]
        return f"{axis.name} from {low:.10g} in {_percent(most)} of draws to {high:.10g} in {_percent(least)}"
    return f"{axis.name} " + ", ".join(f"{value:.10g} in {_percent(share)} of draws" for value, share in told)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if 0.005 <= share <= 0.995 or share in (0, 1) else f"{100 * share:.1f} %"
