"""What a sensitivity analysis answers first: the estimates that `run` and `compare` lead with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analyses.sensitivity import question
from simulator.analyses.sensitivity.inputs import Inputs
from simulator.analyses.sensitivity.question import Question
from simulator.arrays import Floats
from simulator.evidence.draws import BENEFIT
from simulator.execution.pool import Each
from simulator.outcomes.uncertainty import Summary, of_means, of_medians
from simulator.scenario.scenario import COHORTS, HALF


@dataclass(frozen=True)
class Lead:
    """benefit : at which marginal benefit, None where it is not varied; options : each's outcome, in their order.

    asked : the outcome, or its difference to the base, draw by draw
    """

    benefit: float | str | None
    options: tuple[Summary, ...]
    asked: Summary


def leads(asked: Question, each: Each, inputs: Inputs, n_draws: int) -> list[Lead]:
    """Return the estimates over the first draws, for the benefits that `compare` shows a policy for."""
    rows = inputs.draws.iloc[:n_draws]
    benefits: Sequence[float | str | None] = [None]
    if BENEFIT in rows:
        benefits = [1.0, COHORTS if inputs.informed_benefit else HALF]
    found = []
    for benefit in benefits:
        at = rows.assign(**{BENEFIT: benefit}) if isinstance(benefit, float) else rows
        values = question.joined(list(question.asked(asked, each, at)))
        options = () if asked.gained_at is not None else tuple(_of(asked, value[asked.outcome]) for value in values)
        found.append(Lead(benefit, options, _of(asked, asked.value(values))))
    return found


def _of(asked: Question, values: Floats) -> Summary:
    summary = of_medians if asked.outcome == "median_os" else of_means
    return summary(values, np.zeros(len(values)))
