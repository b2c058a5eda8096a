"""The first answer of a sensitivity analysis: the estimates that `run` and `compare` lead with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.analyses.sensitivity import question as questions
from simulator.analyses.sensitivity.inputs import Inputs
from simulator.analyses.sensitivity.question import Question
from simulator.arrays import Floats
from simulator.evidence.draws import BENEFIT
from simulator.execution import Pool
from simulator.outcomes.uncertainty import Summary, of_means, of_medians, same_sign
from simulator.scenario.scenario import COHORTS, HALF


@dataclass(frozen=True)
class Lead:
    """benefit : the marginal benefit, None where it is not varied; options : the outcomes of the options in order.

    answer : the outcome, or its difference from the base, draw by draw; same_sign : the share of draws with its sign
    """

    benefit: float | str | None
    options: tuple[Summary, ...]
    answer: Summary
    same_sign: float


def leads(question: Question, pool: Pool, inputs: Inputs, n_draws: int) -> list[Lead]:
    """Return the estimates over the first draws, at the benefits that `compare` shows for a policy."""
    rows = inputs.draws.iloc[:n_draws]
    benefits: Sequence[float | str | None] = [None]
    if BENEFIT in rows:
        benefits = [1.0, COHORTS if inputs.informed_benefit else HALF]
    estimates = []
    for benefit in benefits:
        at = rows.assign(**{BENEFIT: benefit}) if isinstance(benefit, float) else rows
        values = questions.evaluate(question, pool, at)
        by_option = () if question.per_10_month is not None else values
        options = tuple(_of(question, outcomes[question.outcome]) for outcomes in by_option)
        answers = question.value(values)
        answer = _of(question, answers)
        estimates.append(Lead(benefit, options, answer, float(same_sign(answers, answer.estimate))))
    return estimates


def _of(question: Question, values: Floats) -> Summary:
    summary = of_medians if question.is_median else of_means
    return summary(values, np.zeros(len(values)))
