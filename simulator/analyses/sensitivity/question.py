"""The question that is put to every draw: an outcome of a scenario, or its difference to a base, and a decision."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pandas as pd

from simulator.analyses.sensitivity.inputs import is_open, with_benefits
from simulator.analyses.sensitivity.structural import DECLARED, restructured
from simulator.arrays import Floats
from simulator.engines.curves import Curves, populations
from simulator.engines.model import Model, resolve
from simulator.errors import InputError
from simulator.evidence.draws import BENEFIT
from simulator.execution.pool import Each
from simulator.experiment.cost import timed
from simulator.outcomes import summaries
from simulator.pathway.checks import unknown
from simulator.pathway.outcome_months import alive_at, mean_to
from simulator.scenario.scenario import Scenario

Values = Mapping[str, Floats]
"""Outcome -> (n_rows,)."""

TIMED_ROWS = 20

DEAREST = 1e6
"""Life-months that one of a count may cost: more than any patients live."""

_NET = "net_life_months"
_TREATED = "treated"


@dataclass(frozen=True)
class Decision:
    """Net life-months per 100 patients = 100 RMST(month) - sum of rate x count.

    costs : count -> life-months that one of it is worth, an exchange rate: an assumption
    """

    month: float
    costs: Mapping[str, float]

    def net(self, found: Values) -> Floats:
        """Return the net life-months per 100 patients : (n_rows,)."""
        spent = sum((rate * found[name] for name, rate in self.costs.items()), np.zeros(()))
        return np.asarray(summaries.PER * found[mean_to(self.month)] - spent)


@dataclass(frozen=True)
class Question:
    """options : the scenario, or the base and then the scenario. `opened` : whether each has its benefit varied."""

    options: tuple[Scenario, ...]
    outcome: str
    clock: str
    population: str
    horizon: float
    decision: Decision | None = None
    opened: tuple[bool, ...] = field(default=())

    @property
    def scenario(self) -> Scenario:
        return self.options[-1]

    @property
    def gained_at(self) -> float | None:
        """The month at which the outcome counts survivors gained; None of every other outcome."""
        return summaries.gained(self.scenario.pathway.months).get(self.outcome)

    @property
    def base(self) -> Scenario | None:
        return self.options[0] if len(self.options) > 1 else None

    def value(self, found: Sequence[Values]) -> Floats:
        """Return the outcome, or its difference to the base : (n_rows,)."""
        if (month := self.gained_at) is not None:
            first, other = found
            alive = alive_at(month)
            return summaries.gained_per_10(other[alive], first[alive], other[_TREATED], first[_TREATED])
        values = found[-1][self.outcome]
        if len(found) > 1:
            with np.errstate(invalid="ignore"):
                return np.asarray(values - found[0][self.outcome])
        return values

    def net_gain(self, found: Sequence[Values]) -> Floats:
        """Return the net life-months that the scenario gains over the base, per 100 patients : (n_rows,)."""
        return np.asarray(found[1][_NET] - found[0][_NET])

    def units(self) -> dict[str, str]:
        """Return every outcome that can be asked for, with its unit."""
        pathway = self.scenario.pathway
        found = dict.fromkeys(map(alive_at, pathway.months.survival), "probability")
        found |= dict.fromkeys(("median_os", *map(mean_to, pathway.months.means)), "months")
        if self.population == "all" and self.clock == pathway.clock:
            found |= {name: count.unit for name, count in pathway.counts.items()}
            if self.base is not None and summaries.treated_group(pathway) is not None:
                found |= dict.fromkeys(summaries.gained(pathway.months), "survivors")
        return found


def check(question: Question) -> None:
    """Raise InputError for what no run could answer."""
    for option in question.options:
        if option.is_limited:
            raise InputError(
                "a sensitivity analysis runs by the exact engine, which has no queues",
                where=f"{option.where}: [{'capacity' if option.capacity else 'service'}]",
                allowed="a scenario without limited resources; `aftercart sweep` varies beds",
            )
    pathway = question.scenario.pathway
    if question.clock not in pathway.clocks:
        raise unknown("clock", question.clock, pathway.clocks, "--clock")
    if question.population not in populations(pathway):
        raise unknown("population", question.population, populations(pathway), "--population")
    if question.outcome not in question.units():
        raise unknown("outcome", question.outcome, question.units(), "--outcome")
    month = re.search(r"_([\d.]+)", question.outcome)
    if month and float(month[1]) > question.horizon:
        raise InputError(
            f"{question.outcome} lies beyond the horizon",
            where="--horizon",
            got=question.horizon,
            allowed=f"{month[1]} months or more",
        )
    for name, rate in question.decision.costs.items() if question.decision else ():
        if name not in pathway.counts:
            raise unknown("count", name, pathway.counts, "--cost")
        if not 0 <= rate <= DEAREST:
            raise InputError("no cost", where=f"--cost {name}", got=rate, allowed=f"0 to {DEAREST:,.0f} life-months")


def opened(question: Question, draws: pd.DataFrame) -> Question:
    """Return the question with each option's benefit varied where it is open."""
    return replace(question, opened=tuple(is_open(option, draws) for option in question.options))


def asked(
    question: Question, each: Each, rows: pd.DataFrame, *, structure: str = DECLARED, decides: bool = False
) -> Iterator[list[dict[str, Floats]]]:
    """Yield, piece by piece, what the options give for rows of inputs.

    each : a map prepared with the question; decides : whether the decision is wanted, not the outcome
    """
    size = _rows_together(question, decides)
    items = [(structure, decides, rows.iloc[first : first + size]) for first in range(0, len(rows), size)]
    yield from each(_piece, items)


def seconds_a_row(question: Question, rows: pd.DataFrame) -> float:
    """Return about how long a row of inputs takes, from a few of them."""
    few = rows.iloc[:TIMED_ROWS]
    return timed(partial(_piece, question, (DECLARED, False, few))) / len(few)


def _rows_together(question: Question, decides: bool) -> int:
    """Return how many rows the exact engine solves at once: their arrays stay in the processor's cache."""
    return max(20, int(2400 / _reach(question, decides)))


def _reach(question: Question, decides: bool) -> float:
    """Return the months to solve: what comes later does not change what came before."""
    by_month = re.fullmatch(r"(?:os|rmst)_([\d.]+)", question.outcome)
    return question.horizon if decides or by_month is None else float(by_month[1])


def joined(found: Sequence[list[dict[str, Floats]]]) -> list[dict[str, Floats]]:
    """Return the pieces of `asked` as one, an element an option."""
    return [
        {name: np.concatenate([piece[option][name] for piece in found]) for name in found[0][option]}
        for option in range(len(found[0]))
    ]


def _piece(question: Question, item: tuple[str, bool, pd.DataFrame]) -> list[dict[str, Floats]]:
    structure, decides, rows = item
    options = zip(question.options, question.opened, strict=True)
    models = [_model(option, is_varied, rows, structure) for option, is_varied in options]
    read = _net if decides else _told
    return [read(curves, question) for curves in _curves(models, question, _reach(question, decides))]


def _net(curves: Curves, question: Question) -> dict[str, Floats]:
    pathway = question.scenario.pathway
    assert question.decision is not None
    told = summaries.of_survival(curves, pathway.clock, "all", pathway.months) | summaries.of_counts(curves, pathway)
    return {_NET: question.decision.net({name: values for name, (_, values, _) in told.items()})}


def _told(curves: Curves, question: Question) -> dict[str, Floats]:
    pathway = question.scenario.pathway
    told = summaries.of_survival(curves, question.clock, question.population, pathway.months)
    told |= summaries.of_counts(curves, pathway)
    treated = summaries.treated_group(pathway)
    sizes = {_TREATED: curves.sizes[treated]} if treated is not None and treated in curves.sizes else {}
    return {name: values for name, (_, values, _) in told.items()} | sizes


def _model(option: Scenario, is_varied: bool, rows: pd.DataFrame, structure: str) -> Model:
    model = restructured(resolve(option, with_benefits(rows)), structure)
    if is_varied and model.marginal is not None:
        benefit = rows[BENEFIT].to_numpy(dtype=float)[:, None]
        model = replace(model, marginal=replace(model.marginal, benefit=benefit))
    return model


def _curves(models: Sequence[Model], question: Question, reach: float) -> list[Curves]:
    """Return the curves of models that are compared, on one lattice."""
    from simulator.engines.exact import accuracy, engine

    pathway = question.scenario.pathway
    clock, treated = pathway.clock, summaries.treated_group(pathway)
    only = {(question.clock, question.population), (clock, "all")}
    if treated is not None and question.gained_at is not None:
        only.add((clock, treated))
    if any(accuracy.cycle(model) for model in models):
        step = engine.one_step(models, reach)
    else:
        # As fine as a run to the horizon, however early the outcome.
        step = engine.step_of(tuple(question.options), question.horizon)
    return [engine.curves(model, reach, step=step, only=only) for model in models]
