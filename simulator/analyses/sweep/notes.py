"""Notes on a sweep's numbers, in sentences: for the terminal, the figures, the manifest."""

from __future__ import annotations

import numpy as np

from simulator.analyses.sweep.axis import Axis
from simulator.analyses.sweep.grid import BENEFIT, Grid
from simulator.arrays import Floats
from simulator.scenario.scenario import Scenario

MOST = 4
"""Values that a sentence lists one by one."""


def of(grid: Grid, untouched: Floats, patients: int) -> list[str]:
    """Return the sentences. untouched : (n_cells,) share of draws without marginal patients; NaN: not declared."""
    # A pathway that does not declare marginal patients has none.
    sentences = _marginal(grid, np.nan_to_num(untouched, nan=1.0))
    first = grid.at(0)
    if first.capacity and first.service is None:
        together = (
            f"Without [service], all {patients:,} patients of a parameter set arrive at once and share the units."
        )
        return [together, *sentences]
    return sentences


def _marginal(grid: Grid, untouched: Floats) -> list[str]:
    varied = BENEFIT in grid.names
    if (untouched == 1.0).all():
        return [f"No cell treats more patients than today, so {BENEFIT} has no effect."] if varied else []
    sentences = []
    if not varied:
        sentences.append(f"Every cell uses the scenario's {BENEFIT}: {_benefit(grid.scenario)}.")
    if untouched.max() > 0:
        sentences.append(
            f"No additional patients where the uptake is no higher than today's: {_where(grid, untouched)}."
        )
    return sentences


def _benefit(scenario: Scenario) -> str:
    benefit = scenario.marginal_benefit
    return f"@{benefit}, a value per parameter set" if isinstance(benefit, str) else f"{benefit:g} (an assumption)"


def _where(grid: Grid, untouched: Floats) -> str:
    """Return the share of draws in words, by the values of the axis that decides it, if one axis does."""
    shaped = untouched.reshape(grid.shape)
    for place, axis in enumerate(grid.axes):
        shares = np.moveaxis(shaped, place, 0).reshape(len(axis.values), -1)
        if np.ptp(shares) > 0 and (shares == shares[:, :1]).all():
            return _by_value(axis, grid, shares[:, 0])
    ends = dict.fromkeys((untouched.min(), untouched.max()))
    return f"in {' to '.join(map(_percent, ends))} of parameter sets"


def _by_value(axis: Axis, grid: Grid, shares: Floats) -> str:
    positive = [(value, share) for value, share in zip(axis.values, shares, strict=True) if share > 0]
    if len(positive) > MOST:
        (low, most), (high, least) = positive[0], positive[-1]
        first, last = (_displayed(axis, grid, value) for value in (low, high))
        return f"{axis.name} from {first} (in {_percent(most)} of parameter sets) to {last} (in {_percent(least)})"
    values = (f"{_displayed(axis, grid, value)} (in {_percent(share)} of parameter sets)" for value, share in positive)
    return f"{axis.name} {', '.join(values)}"


def _displayed(axis: Axis, grid: Grid, value: float) -> str:
    """Return a value as a figure's axis has it: a probability in per cent."""
    parameters = grid.scenario.pathway.parameters
    is_share = axis.table == "set" and parameters[axis.key].unit == "probability"
    return f"{100 * value:.3g} %" if is_share else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if 0.005 <= share <= 0.995 or share in (0, 1) else f"{100 * share:.1f} %"
