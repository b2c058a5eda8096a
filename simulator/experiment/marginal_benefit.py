"""The marginal benefits that a policy is shown for, and the curves at benefits that differ from draw to draw.

S(t | m) = m S(t | 1) + (1 - m) S(t | 0)        m of the marginal patients benefit; no resource is limited
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from simulator.arrays import Floats
from simulator.engines.curves import Curves, Readable, mixed
from simulator.engines.model import marginal, resolve
from simulator.evidence.draws import values
from simulator.outcomes import summaries
from simulator.pathway.pathway import Pathway
from simulator.scenario.levers import Values
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, HALF, INFORMED, Scenario, split_name


@dataclass(frozen=True)
class BreakEven:
    """The benefit at which a policy is just worthwhile, which may lie outside 0 to 1, and S there : (n_draws,).

    none, every : the difference in S if none, or all, of the additional patients benefit; is_exact : without noise
    informed, prior : the benefit as other cohorts suggest it, and as its prior alone has it; None where none inform it
    """

    benefit: Floats
    survival: Floats
    none: Floats
    every: Floats
    is_exact: bool
    informed: Floats | None = None
    prior: Floats | None = None


def with_marginal_benefits(
    scenarios: Sequence[Scenario], table: pd.DataFrame | None, n_draws: int, *, break_even: bool
) -> list[Scenario]:
    """Return the scenarios to show: a scenario that treats more than the reference, for several marginal benefits.

    Those are 1, the benefit that other cohorts suggest (0.5 where none inform it), and break-even if `break_even`, but
    not of the first policy, which others are compared with; a scenario that declares a benefit has that one and 1. A
    first policy that treats more is shown for every benefit that another one is shown for.
    """
    informed = table is not None and INFORMED in table.columns
    draw_values = values(table, slice(0, n_draws))
    displayed: list[Scenario] = []
    for scenario in scenarios:
        benefits: list[float | str] = []
        if _treats_more(scenario, draw_values):
            benefits = [1.0]
            compared = break_even and (len(scenarios) == 1 or scenario is not scenarios[0])
            if scenario.marginal_benefit == 1.0:
                benefits = [COHORTS if informed else HALF, *([BREAK_EVEN] if compared else [])]
        variants = [scenario, *(scenario.with_marginal_benefit(benefit) for benefit in benefits)]
        displayed.extend(end for end in variants if end.name not in [known.name for known in displayed])
    return _with_the_first_alike(displayed) if displayed and _treats_more(displayed[0], draw_values) else displayed


def _with_the_first_alike(displayed: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios, the first policy among them at every benefit that it is compared at."""
    of_policy = [scenario for scenario in displayed if scenario.policy == displayed[0].policy]
    others = [scenario for scenario in displayed if scenario not in of_policy]
    known = {scenario.marginal_benefit for scenario in of_policy} | {BREAK_EVEN}
    wanted = dict.fromkeys(other.marginal_benefit for other in others)
    return [*of_policy, *(of_policy[0].with_marginal_benefit(end) for end in wanted if end not in known), *others]


def _treats_more(scenario: Scenario, draw_values: Values) -> bool:
    """Return whether a scenario treats more than the reference, before its date or from then on."""
    of = resolve(scenario, draw_values).marginal
    is_raised = of is not None and of.raised
    return is_raised or (scenario.before is not None and _treats_more(scenario.before, draw_values))


def treats_more_than(policy: Scenario, first: Scenario) -> bool:
    """Return whether a policy treats a larger share of the patients who come to the marginal decision.

    Otherwise more patients are treated only where more come there, and their survival says nothing of the treatment.
    """
    one, other = _least_and_most_treated(policy), _least_and_most_treated(first)
    # Their cells may differ, so that no share of a kind of patients has its like.
    return any(mine > its for mine, its in zip(one, other, strict=False))


# Every table and figure of a policy asks.
@lru_cache(maxsize=256)
def _least_and_most_treated(scenario: Scenario) -> tuple[float, ...]:
    """Return the shares of the kinds of patients least and most treated at the marginal decision; () without one."""
    of = marginal(replace(scenario, marginal_benefit=1.0))
    return () if of is None else (float(np.min(of.share)), float(np.max(of.share)))


def simulated(displayed: Sequence[Scenario], engine: str) -> list[Scenario]:
    """Return the scenarios to simulate: instead of a scenario at break-even both ends, which are then mixed.

    The exact engine mixes a scenario at the benefit that other cohorts suggest too: its solution is the mixture.
    """
    mixes = (BREAK_EVEN, COHORTS) if engine == "exact" else (BREAK_EVEN,)
    mixed_of = [scenario for scenario in displayed if scenario.marginal_benefit in mixes]
    if mixed_of and _has_benefits(displayed):
        mixed_of.append(displayed[0])
    ends = {
        end.name: end
        for scenario in displayed
        for end in (_ends(scenario, displayed) if scenario in mixed_of else [scenario])
    }
    # The first policy, of which both ends are needed, may declare another benefit.
    ends |= {first.name: first for first in displayed[:1] if first.marginal_benefit not in mixes}
    return list(ends.values())


def _has_benefits(displayed: Sequence[Scenario]) -> bool:
    """Return whether the first policy treats more than the reference itself, and others are compared with it."""
    others = [scenario.policy == displayed[0].policy for scenario in displayed[1:]]
    return any(others) and not all(others)


def compared_with(scenario: Scenario, displayed: Sequence[Scenario]) -> Scenario | None:
    """Return what a scenario's differences are from: the first policy, if it treats more too, at the same benefit.

    None if that is the benefit at which the scenario is just worthwhile.
    """
    first = displayed[0]
    if scenario.policy == first.policy or not _has_benefits(displayed):
        return first
    if scenario.marginal_benefit == BREAK_EVEN:
        return None
    alike = (other for other in displayed if other.policy == first.policy)
    return next((other for other in alike if other.marginal_benefit == scenario.marginal_benefit), first)


def benefiting_alike(base: Scenario, policy: Scenario) -> Scenario:
    """Return a base that treats more itself with a policy's marginal benefit, also in its name; others as they are."""
    benefit = split_name(policy.name)[1]
    if benefit == split_name(base.name)[1] or not _treats_more(base, {}):
        return base
    alike = base.benefiting(policy.marginal_benefit)
    return replace(alike, name=base.policy) if benefit is None else alike.with_marginal_benefit(benefit)


def _ends(scenario: Scenario, displayed: Sequence[Scenario]) -> list[Scenario]:
    """Return a policy at the benefits 1 and 0; the displayed scenario where there is one."""
    known = {other.marginal_benefit: other for other in displayed if other.policy == scenario.policy}
    return [known.get(benefit) or scenario.with_marginal_benefit(benefit) for benefit in (1.0, 0.0)]


def mixture(
    scenario: Scenario,
    displayed: Sequence[Scenario],
    curves: Mapping[str, Curves | Readable],
    informed: Floats | None,
    margin: float,
) -> tuple[Curves | Readable, BreakEven | None]:
    """Return the curves of a policy whose benefit differs between draws, and its break-even unless cohorts inform it.

    curves : scenario's name -> curves, of `simulated(displayed)`; informed : (n_draws,) the benefit cohorts suggest
    margin : more of 100 alive than under the first scenario; if that is this policy, than if none benefited
    """
    benefited, none = (curves[end.name] for end in _ends(scenario, displayed))
    break_even = None
    if scenario.marginal_benefit == COHORTS:
        assert informed is not None
        benefit = informed
    else:
        first = [none, none] if scenario.policy == displayed[0].policy else [curves[displayed[0].name]] * 2
        if _has_benefits(displayed):
            first = [curves[end.name] for end in _ends(displayed[0], displayed)]
        break_even = _break_even([*first, none, benefited], scenario.pathway, margin)
        benefit = np.clip(np.nan_to_num(break_even.benefit, posinf=1.0), 0.0, 1.0)
    if isinstance(benefited, Curves) and isinstance(none, Curves):
        return mixed([benefited, none], [benefit, 1.0 - benefit]), break_even
    assert not isinstance(benefited, Curves)
    assert not isinstance(none, Curves)
    return benefited.mixed(none, benefit), break_even


def survival_at_benefit(
    scenario: Scenario, displayed: Sequence[Scenario], curves: Mapping[str, Curves | Readable], benefit: Floats
) -> Floats:
    """Return S at the answer's month, (n_draws,), if a share of the additional patients benefits; else as `mixture`."""
    every, none = (_at_answer(curves[end.name], scenario.pathway) for end in _ends(scenario, displayed))
    return benefit * every + (1.0 - benefit) * none


def _at_answer(curves: Curves | Readable, pathway: Pathway) -> Floats:
    return summaries.readable(curves).alive((pathway.clock, "all"), pathway.months.answer)


def _break_even(curves: Sequence[Curves | Readable], pathway: Pathway, margin: float) -> BreakEven:
    every_before, before, none, every = (_at_answer(one, pathway) for one in curves)
    # Where patients of the first policy are additional too, as many of them benefit.
    every = every - (every_before - before)
    benefit, survival = summaries.break_even(before, none, every, margin=margin / summaries.PER)
    is_exact = all(one.patients is None for one in curves)
    return BreakEven(benefit, survival, none - before, every - before, is_exact)
