"""The marginal benefits that a policy is shown for, and the curves at those that differ from draw to draw.

    S(t | m) = m S(t | 1) + (1 - m) S(t | 0)        m of the marginal patients gain, and no resource is limited
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.engines.curves import Curves, mixed
from simulator.engines.model import resolve
from simulator.evidence.draws import values
from simulator.outcomes import summaries
from simulator.pathway.pathway import Pathway
from simulator.scenario.levers import Values
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, HALF, INFORMED, Scenario, parted


@dataclass(frozen=True)
class BreakEven:
    """Where a policy just pays, (n_draws,) each: the benefit, which may lie outside 0 to 1, and S there."""

    benefit: Floats
    survival: Floats


def with_benefits(
    scenarios: Sequence[Scenario], table: pd.DataFrame | None, n_draws: int, *, break_even: bool
) -> list[Scenario]:
    """Return the scenarios to show: one that treats more than the draws' own policy, for several marginal benefits.

    That is 1, what other cohorts suggest (0.5 where none inform it), and where it just pays if `break_even`; a scenario
    that names a benefit of its own is shown for that and for 1.
    """
    informed = table is not None and INFORMED in table.columns
    shown: list[Scenario] = []
    for scenario in scenarios:
        benefits: list[float | str] = []
        if _treats_more(scenario, values(table, slice(0, n_draws))):
            benefits = [1.0]
            if scenario.marginal_benefit == 1.0:
                benefits = [COHORTS if informed else HALF, *([BREAK_EVEN] if break_even else [])]
        every = [scenario, *(scenario.with_marginal_benefit(benefit) for benefit in benefits)]
        shown.extend(end for end in every if end.name not in [known.name for known in shown])
    return shown


def _treats_more(scenario: Scenario, own: Values) -> bool:
    """Return whether a scenario treats more than the draws' own policy, before its date or from then on."""
    marginal = resolve(scenario, own).marginal
    is_raised = marginal is not None and marginal.raised
    return is_raised or (scenario.before is not None and _treats_more(scenario.before, own))


def simulated(shown: Sequence[Scenario], engine: str) -> list[Scenario]:
    """Return the scenarios to simulate: for one at break-even both ends, which are then mixed.

    With the exact engine, where a mixture is what it would solve, what other cohorts suggest is mixed too.
    """
    mixes = (BREAK_EVEN, COHORTS) if engine == "exact" else (BREAK_EVEN,)
    found: list[Scenario] = []
    for each in shown:
        found += _ends(each, shown) if each.marginal_benefit in mixes else [each]
    return list({each.name: each for each in found}.values())


def _ends(scenario: Scenario, shown: Sequence[Scenario]) -> list[Scenario]:
    """Return a policy at the benefits 1 and 0, as it is shown if it is."""
    stem = parted(scenario.name)[0]
    known = {each.marginal_benefit: each for each in shown if parted(each.name)[0] == stem}
    return [known.get(benefit) or scenario.with_marginal_benefit(benefit) for benefit in (1.0, 0.0)]


def mixture(
    scenario: Scenario, shown: Sequence[Scenario], curves: Mapping[str, Curves], informed: Floats | None, margin: float
) -> tuple[Curves, BreakEven | None]:
    """Return the curves of a policy whose benefit is each draw's own, and where it pays if that is asked for.

    curves : scenario's name -> curves, of `simulated(shown)`; informed : (n_draws,) the benefit that cohorts suggest
    margin : more of 100 alive than under the first scenario, or than if none gained where that is the policy itself
    """
    every, none = (curves[each.name] for each in _ends(scenario, shown))
    found = None
    if scenario.marginal_benefit == COHORTS:
        assert informed is not None
        gain = informed
    else:
        own = parted(scenario.name)[0] == parted(shown[0].name)[0]
        found = _break_even([none if own else curves[shown[0].name], none, every], scenario.pathway, margin)
        gain = np.clip(np.nan_to_num(found.benefit, posinf=1.0), 0.0, 1.0)
    return mixed([every, none], [gain, 1.0 - gain]), found


def _break_even(curves: Sequence[Curves], pathway: Pathway, margin: float) -> BreakEven:
    of_all, month = (pathway.clock, "all"), pathway.months.answer
    at = (summaries.survival_at(curve.months, curve.survival[of_all], month) for curve in curves)
    return BreakEven(*summaries.break_even(*at, margin=margin / summaries.PER))
