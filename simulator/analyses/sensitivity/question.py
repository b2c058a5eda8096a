"""The question of an analysis: an outcome of a scenario, or its difference from a base, and a decision."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd

from simulator import execution
from simulator.analyses.sensitivity.inputs import is_open, row_values
from simulator.analyses.sensitivity.structural import DECLARED, restructured
from simulator.arrays import Floats
from simulator.engines.curves import Curves, Readable, populations
from simulator.engines.model import Model, resolve_each
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.draws import BENEFIT
from simulator.experiment.cost import timed
from simulator.experiment.marginal_benefit import treats_more_than
from simulator.outcomes import summaries
from simulator.pathway.end_points import EndPoint
from simulator.pathway.outcome_months import alive_at, mean_to
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

Values = Mapping[str, Floats]
"""Outcome -> (n_rows,)."""

TIMED_ROWS = 20

DEAREST = 1e6
"""The largest cost of one of a count, in the unit of the decision."""

LIFE_MONTHS_A_BED_MONTH = 1.0
"""Assumption: the worth of a month in bed, in months of life. Settable by --cost."""

WORTH = {"life-month": 1.0, "survivor": 0.1}
"""Unit of a decision -> the least value per 100 patients that is worth a registry."""

_NET = "net"
_TREATED = "treated"


@dataclass(frozen=True)
class Decision:
    """Net life-months, or survivors at a month, per 100 patients = 100 outcome - sum of rate x count.

    outcome : mean survival to the month, or survival at it
    unit : what is counted, a key of `WORTH`
    costs : count -> its worth in the unit, an exchange rate: an assumption
    """

    outcome: str
    month: float
    unit: str
    costs: Mapping[str, float]

    @classmethod
    def by(cls, outcome: str | None, pathway: Pathway, costs: Mapping[str, float] | None) -> Decision:
        """Return the decision by an outcome, default the mean survival to the last month. Raises InputError.

        costs : default, where life-months are counted, `LIFE_MONTHS_A_BED_MONTH` for every count of months
        """
        means = {mean_to(month): month for month in pathway.months.means}
        valued = means | {alive_at(month): month for month in pathway.months.survival}
        outcome = outcome or list(means)[-1]
        if outcome not in valued:
            raise UnknownNameError("outcome to decide by", outcome, valued, "--decide-by")
        if costs is None:
            in_bed = [name for name, count in pathway.counts.items() if count.months and outcome in means]
            costs = dict.fromkeys(in_bed, LIFE_MONTHS_A_BED_MONTH)
        return cls(outcome, valued[outcome], "life-month" if outcome in means else "survivor", costs)

    @property
    def worth(self) -> float:
        """The least value of information that is worth a registry, per 100 patients."""
        return WORTH[self.unit]

    def net(self, outcomes: Values) -> Floats:
        """Return the net life-months or survivors per 100 patients : (n_rows,)."""
        spent = sum(rate * outcomes[name] for name, rate in self.costs.items())
        return np.asarray(summaries.PER * outcomes[self.outcome] - spent)


@dataclass(frozen=True)
class Question:
    """options : the scenario, or the base and then the scenario; opened : whether an option's benefit is varied."""

    options: tuple[Scenario, ...]
    outcome: str
    clock: str
    population: str
    horizon: float
    decision: Decision | None = None
    opened: tuple[bool, ...] = field(default=())

    @property
    def is_median(self) -> bool:
        """Whether the outcome is summarised by its median over draws, as it may be infinite."""
        return self.outcome == "median_os" or (self.end_point is not None and self.outcome == self.end_point.median)

    @property
    def end_point(self) -> EndPoint | None:
        """The end point that the outcome is of, if any."""
        pathway = self.scenario.pathway
        return next((e for e in pathway.end_points.values() if self.outcome in dict(e.outcomes(pathway.months))), None)

    @property
    def month(self) -> float | None:
        """The month that the outcome is read at, of survival, a mean or a share; None of other outcomes."""
        by_month = re.fullmatch(r"(?:os|rmst)_([\d.]+)", self.outcome)
        described = self.scenario.pathway.end_point_outcomes.get(self.outcome)
        return described.month if described else float(by_month[1]) if by_month else None

    @property
    def scenario(self) -> Scenario:
        return self.options[-1]

    @property
    def per_10_month(self) -> float | None:
        """The month at which the outcome counts survivors per 10 more treated; None for every other outcome."""
        return summaries.per_10_outcomes(self.scenario.pathway.months).get(self.outcome)

    @property
    def base(self) -> Scenario | None:
        return self.options[0] if len(self.options) > 1 else None

    def value(self, outcomes: Sequence[Values]) -> Floats:
        """Return the outcome, or its difference from the base : (n_rows,)."""
        if (month := self.per_10_month) is not None:
            first, other = outcomes
            alive = alive_at(month)
            return summaries.survivors_per_10(other[alive], first[alive], other[_TREATED], first[_TREATED])
        values = outcomes[-1][self.outcome]
        if len(outcomes) > 1:
            with np.errstate(invalid="ignore"):
                return np.asarray(values - outcomes[0][self.outcome])
        return values

    def read(self, *, decides: bool) -> frozenset[str]:
        """Return the names of the outcomes that the question reads, or the decision."""
        if decides and self.decision is not None:
            return frozenset({self.decision.outcome, *self.decision.costs})
        return frozenset({self.outcome} if self.per_10_month is None else {alive_at(self.per_10_month), _TREATED})

    def net_benefit(self, outcomes: Sequence[Values]) -> Floats:
        """Return the scenario's net life-months or survivors over the base, per 100 patients : (n_rows,)."""
        return np.asarray(outcomes[1][_NET] - outcomes[0][_NET])

    def units(self) -> dict[str, str]:
        """Return every possible outcome with its unit."""
        pathway = self.scenario.pathway
        units = dict.fromkeys(map(alive_at, pathway.months.survival), "probability")
        units |= dict.fromkeys(("median_os", *map(mean_to, pathway.months.means)), "months")
        units |= {name: described.unit for name, described in pathway.end_point_outcomes.items()}
        if self.population == "all" and self.clock == pathway.clock:
            units |= {name: count.unit for name, count in pathway.counts.items()}
            if (
                self.base is not None
                and summaries.treated_group(pathway) is not None
                and treats_more_than(self.scenario, self.base)
            ):
                units |= dict.fromkeys(summaries.per_10_outcomes(pathway.months), "survivors")
        return units


def check(question: Question) -> None:
    """Raise InputError for a question that no run can answer."""
    for option in question.options:
        if option.is_limited:
            raise InputError(
                "a sensitivity analysis uses the exact engine, which has no queues",
                where=f"{option.where}: [{'capacity' if option.capacity else 'service'}]",
                allowed="a scenario without limited resources; `aftercart sweep` varies beds",
            )
    pathway = question.scenario.pathway
    if question.clock not in pathway.clocks:
        raise UnknownNameError("clock", question.clock, pathway.clocks, "--clock")
    if question.population not in populations(pathway):
        raise UnknownNameError("population", question.population, populations(pathway), "--population")
    if question.outcome not in question.units():
        raise UnknownNameError("outcome", question.outcome, question.units(), "--outcome")
    month = question.month or question.per_10_month
    if month and month > question.horizon:
        raise InputError(
            f"{question.outcome} is beyond the horizon",
            where="--horizon",
            got=question.horizon,
            allowed=f"{month:g} months or more",
        )
    for name, rate in question.decision.costs.items() if question.decision else ():
        if name not in pathway.counts:
            raise UnknownNameError("count", name, pathway.counts, "--cost")
        if not 0 <= rate <= DEAREST:
            raise InputError("no cost", where=f"--cost {name}", got=rate, allowed=f"0 to {DEAREST:,.0f}")


def opened(question: Question, draws: pd.DataFrame) -> Question:
    """Return the question with the options' benefits varied where they are open."""
    return replace(question, opened=tuple(is_open(option, draws) for option in question.options))


def evaluate(
    question: Question,
    jobs: int | execution.Pool,
    rows: pd.DataFrame,
    *,
    structure: str = DECLARED,
    decides: bool = False,
    progress: execution.Progress | None = None,
    stage: str = "",
) -> list[dict[str, Floats]]:
    """Return the outcomes of rows of inputs, an element an option. decides : of the decision, not the outcome."""
    # The exact engine solves so many rows at once that their arrays stay in the processor's cache.
    size = max(20, int(2400 / _last_month(question, decides)))
    items = [(structure, decides, rows.iloc[first : first + size]) for first in range(0, len(rows), size)]
    pieces = list(execution.map(partial(_piece, question), items, jobs=jobs, progress=progress, stage=stage))
    return [
        {name: np.concatenate([piece[option][name] for piece in pieces]) for name in pieces[0][option]}
        for option in range(len(question.options))
    ]


def seconds_a_row(question: Question, rows: pd.DataFrame) -> float:
    """Return about how many seconds a row of inputs takes, from a few rows."""
    timed_rows = rows.iloc[:TIMED_ROWS]
    return timed(partial(_piece, question, (DECLARED, False, timed_rows))) / len(timed_rows)


def _last_month(question: Question, decides: bool) -> float:
    """Return the last month to solve: later events do not change earlier outcomes."""
    return question.horizon if decides or question.month is None else question.month


def _piece(question: Question, item: tuple[str, bool, pd.DataFrame]) -> list[dict[str, Floats]]:
    structure, decides, rows = item
    resolved = resolve_each(question.options, row_values(rows, question.scenario.pathway))
    models = [
        _model(model, is_varied, rows, structure) for model, is_varied in zip(resolved, question.opened, strict=True)
    ]
    curves = _curves(models, question, _last_month(question, decides))
    outcomes = [_outcomes(option, question, decides=decides) for option in curves]
    if question.decision is None or not decides:
        return outcomes
    return [{_NET: question.decision.net(of_option)} for of_option in outcomes]


def _outcomes(curves: Curves | Readable, question: Question, *, decides: bool) -> dict[str, Floats]:
    """Return the outcomes that the question reads, by name."""
    pathway, names = question.scenario.pathway, question.read(decides=decides)
    at = (pathway.clock, "all") if decides else (question.clock, question.population)
    outcomes = summaries.of_survival(curves, *at, pathway.months, names)
    outcomes |= summaries.of_end_points(curves, *at, pathway, names)
    if not names.isdisjoint(pathway.counts):
        outcomes |= summaries.of_counts(curves, pathway)
    treated = summaries.treated_group(pathway) if _TREATED in names else None
    sizes = {_TREATED: curves.sizes[treated]} if treated else {}
    return {name: values for name, (_, values, _) in outcomes.items()} | sizes


def _model(model: Model, is_varied: bool, rows: pd.DataFrame, structure: str) -> Model:
    model = restructured(model, structure)
    if is_varied and model.marginal is not None:
        benefit = rows[BENEFIT].to_numpy(dtype=float)[:, None]
        model = replace(model, marginal=replace(model.marginal, benefit=benefit))
    return model


def _curves(models: Sequence[Model], question: Question, last: float) -> Sequence[Curves | Readable]:
    """Return what outcomes read of models to compare, on one lattice."""
    from simulator.engines.exact import engine
    from simulator.engines.exact.joint_readings import read_together

    pathway = question.scenario.pathway
    clock, treated = pathway.clock, summaries.treated_group(pathway)
    only: set[tuple[str, ...]] = {(question.clock, question.population), (clock, "all")}
    if question.end_point is not None:
        only.add((question.clock, question.population, question.end_point.name))
    if treated is not None and question.per_10_month is not None:
        only.add((clock, treated))
    # As fine as a run to the horizon, however early the outcome.
    step = engine.step_of(tuple(question.options), question.horizon)
    return read_together(models, last, step=step, only=only)
