"""Tables of a run, made of its scenario draws: survival, occupancy, outcomes by draw, and their summaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simulator.arrays import Booleans, Floats
from simulator.outcomes import summaries
from simulator.outcomes.labels import follow_up
from simulator.outcomes.uncertainty import Sample, of_each, of_means, quantiles, read_off, same_sign
from simulator.pathway.outcome_months import BY_PRIOR, alive_at, written
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import BREAK_EVEN, Scenario

if TYPE_CHECKING:
    from simulator.experiment.parts import ScenarioDraws


WORTHWHILE = "draws_with_"
"""Outcomes that are true or false of a draw begin so; the table shows the share of draws."""

SHARES = np.linspace(0.0, 1.0, 21)
"""Shares of the additional patients who benefit, at which the difference that a policy makes is reported."""

CERTAIN = 4.0
"""Survivors per 10 more treated are shown of draws in which this many standard errors more are treated."""


def _joined(draws: Sequence[ScenarioDraws], table: str, *keys: Any) -> Floats:
    return np.concatenate([reduce(getitem, keys, getattr(part, table)) for part in draws])


def sample(parts: Sequence[ScenarioDraws], clock: str, population: str, name: str) -> Sample:
    """Return an outcome of one population on one clock over draws."""
    values, noise = (_joined(parts, "outcomes", (clock, population), name, place) for place in (1, 2))
    without = _joined(parts, "without", (clock, population), name) if parts[0].without else None
    return Sample(values, noise, without)


def treated(parts: Sequence[ScenarioDraws]) -> Sample:
    """Return the treated share over draws; its noise is never shown alone."""
    values = _joined(parts, "treated")
    return Sample(values, np.zeros_like(values), _joined(parts, "treated_without") if parts[0].without else None)


Columns = dict[str, Any]
"""Of rows of a table: arrays : (n,), with a `month`, or one value of all."""


def stacked(parts: Sequence[Columns]) -> pd.DataFrame:
    """Return the table of the rows of several parts."""
    return pd.DataFrame(
        {
            name: np.concatenate([np.broadcast_to(part[name], part["month"].shape) for part in parts])
            for name in parts[0]
        }
    )


def survival_table(
    scenario: Scenario, clock: str, population: str, months: Floats, draws: Sequence[ScenarioDraws]
) -> Columns:
    keys: Columns = {"scenario": scenario.name, "clock": clock, "population": population, "month": months}
    return keys | _by_month(draws, "survival", [(clock, population)], "survival")


def _by_month(
    draws: Sequence[ScenarioDraws], table: str, keys: Sequence[tuple[str, ...]], name: str
) -> dict[str, Floats]:
    """Return the summary over draws of one population's shares by key and month, as columns; that of the estimate has
    a name."""
    values = np.concatenate([_joined(draws, table, key) for key in keys], axis=1)
    noise = np.zeros_like(values)
    if draws[0].noise:
        noise = np.concatenate([_joined(draws, "noise", key) for key in keys], axis=1)
    summary = of_means(values, noise**2).series()
    return {name: summary.pop("estimate")} | summary


def end_points_table(
    scenario: Scenario, clock: str, population: str, months: Floats, draws: Sequence[ScenarioDraws]
) -> Columns:
    """Return, of every end point, the rows of survival without its event, and of first events by cause."""
    end_points = scenario.pathway.end_points.items()
    events = [(name, cause) for name, end_point in end_points for cause in ("", *end_point.causes)]
    names, causes = np.repeat(events, months.size, axis=0).T
    keys: Columns = {"scenario": scenario.name, "clock": clock, "population": population}
    keys |= {"end_point": names, "cause": causes, "month": np.tile(months, len(events))}
    return keys | _by_month(draws, "end_points", [(clock, population, *event) for event in events], "probability")


def occupancy_table(scenario: Scenario, clock: str, months: Floats, draws: Sequence[ScenarioDraws]) -> Columns:
    states = list(draws[0].occupancy[clock])
    means = [_joined(draws, "occupancy", clock, state).mean(axis=0) for state in states]
    return {
        "scenario": scenario.name,
        "clock": clock,
        "month": np.tile(months, len(states)),
        "state": np.repeat(states, months.size),
        "probability": np.concatenate(means),
    }


def benefit_table(scenario: Scenario, draws: Sequence[ScenarioDraws]) -> Columns | None:
    """Return how many more a policy leaves alive by the share of additional patients who benefit.

    With the probability that at most this share does, as other cohorts suggest and by the prior alone. None unless the
    scenario is a policy at break-even.
    """
    points = [part.break_even for part in draws if part.break_even is not None]
    if not points:
        return None
    none, every = (np.concatenate([getattr(point, end) for point in points])[:, None] for end in ("none", "every"))
    values = none + SHARES * (every - none)
    differences = of_means(values, np.full_like(values, 0.0 if points[0].is_exact else np.nan))
    months = scenario.pathway.months
    keys: Columns = {"scenario": scenario.policy, "clock": scenario.pathway.clock}
    keys |= {"month": np.full(SHARES.size, months.answer), "share": SHARES, **differences.series("difference")}
    for column, name in (("by_other_cohorts", "informed"), ("by_the_prior_alone", "prior")):
        known = [benefit for point in points if (benefit := getattr(point, name)) is not None]
        keys[column] = np.mean(np.concatenate(known)[:, None] <= SHARES, axis=0) if known else np.nan
    return keys


@dataclass(frozen=True)
class Outcome:
    """An outcome of one population on one clock over draws, and its difference from the first scenario."""

    scenario: str
    clock: str
    population: str
    name: str
    unit: str
    result: Sample
    difference: Sample | None = None

    @property
    def is_median(self) -> bool:
        """Whether the outcome is summarised by its median: some draws never reach a median, or a break-even."""
        return self.name.startswith(("median_", "break_even"))

    @property
    def displayed(self) -> Sample:
        """The outcome; the share of draws of which it is true, where it is true or false."""
        if not self.name.startswith(WORTHWHILE):
            return self.result
        return Sample(*(np.atleast_1d(np.mean(column)) for column in (self.result.values, self.result.noise)))


def outcomes_table(outcomes: Sequence[Outcome], horizon: float, pathway: Pathway) -> pd.DataFrame:
    """Return the summaries over draws, a row an outcome. horizon : of the run, to which counts are followed"""
    medians = [outcome.is_median for outcome in outcomes]
    differences = [outcome.difference for outcome in outcomes]
    results, compared = of_each([outcome.displayed for outcome in outcomes], medians), of_each(differences, medians)
    followed = {name: follow_up(name, horizon, pathway) for name in {outcome.name for outcome in outcomes}}
    unknown = np.full_like(outcomes[0].result.values, np.nan)
    by_draw = np.stack([unknown if difference is None else difference.values for difference in differences], axis=1)
    return pd.DataFrame(
        {
            "scenario": [outcome.scenario for outcome in outcomes],
            "clock": [outcome.clock for outcome in outcomes],
            "population": [outcome.population for outcome in outcomes],
            "outcome": [outcome.name for outcome in outcomes],
            "unit": [outcome.unit for outcome in outcomes],
            **results.series(),
            **compared.series("difference"),
            "difference_same_sign": same_sign(by_draw, compared.estimate),
            "follow_up": [followed[outcome.name] for outcome in outcomes],
        }
    )


def draws_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return a row a scenario, clock, population and draw, a column an outcome, and its noise where it has any.

    A median that is not reached is infinite; an outcome of a group without patients is NaN.
    """
    columns: dict[tuple[str, str, str], dict[str, Floats]] = {}
    for outcome in outcomes:
        of_population = columns.setdefault((outcome.scenario, outcome.clock, outcome.population), {})
        of_population[outcome.name] = outcome.result.values
        if outcome.result.noise.any():
            of_population[f"{outcome.name}_monte_carlo_se"] = outcome.result.noise
    n_draws = len(outcomes[0].result.values)
    keys = pd.MultiIndex.from_tuples(columns, names=["scenario", "clock", "population"])
    names = dict.fromkeys(name for of_population in columns.values() for name in of_population)
    empty = np.full(n_draws, np.nan)
    stacked = {name: np.concatenate([values.get(name, empty) for values in columns.values()]) for name in names}
    stacked = {"draw": np.tile(np.arange(1, 1 + n_draws), len(keys)), **stacked}
    return pd.concat([keys.repeat(n_draws).to_frame(index=False), pd.DataFrame(stacked)], axis="columns")


def outcomes_of_population(
    scenario: Scenario,
    clock: str,
    population: str,
    draws: Sequence[ScenarioDraws],
    first: Sequence[ScenarioDraws] | None,
    *,
    treats_more: bool = False,
) -> Iterator[Outcome]:
    """Yield the outcomes of one population on one clock, with differences from the `first` scenario.

    treats_more : whether the scenario treats a larger share than the first, so that survivors per 10 more treated count
    """
    units = {name: unit for name, (unit, _, _) in draws[0].outcomes[clock, population].items()}
    results = _table(draws, clock, population, units)
    differences: list[Sample | None] = [None] * len(units)
    if first is not None:
        before = _table(first, clock, population, units)
        # Two medians that most draws do not reach may differ by anything.
        reached = _is_reached(before.values) & _is_reached(results.values)
        between = read_off(np.subtract, results, before).by_outcome()
        differences = [one if is_reached else None for one, is_reached in zip(between, reached, strict=True)]
    for (name, unit), result, difference in zip(units.items(), results.by_outcome(), differences, strict=True):
        yield Outcome(scenario.name, clock, population, name, unit, result, difference)
    if first is not None and treats_more and population == "all" and clock == scenario.pathway.clock:
        yield from _survivors_per_10(scenario, clock, draws, first)


def _table(parts: Sequence[ScenarioDraws], clock: str, population: str, names: Iterable[str]) -> Sample:
    """Return several outcomes of one population over draws, one a row."""
    key, names = (clock, population), list(names)
    values, noise = (
        np.concatenate([[part.outcomes[key][name][place] for name in names] for part in parts], axis=1)
        for place in (1, 2)
    )
    if not parts[0].without:
        return Sample(values, noise)
    return Sample(
        values, noise, np.concatenate([[part.without[key][name] for name in names] for part in parts], axis=1)
    )


def _is_reached(values: Floats) -> Booleans:
    """Return of which outcomes, (n_outcomes, n_draws), most draws that have one have a finite one."""
    known = ~np.isnan(values)
    reached = np.asarray((np.isfinite(values) | ~known).all(axis=1))
    if not reached.all():
        reached[~reached] = np.isfinite(quantiles(values[~reached].T, (0.5,))[0])
    return reached


def _survivors_per_10(
    scenario: Scenario, clock: str, draws: Sequence[ScenarioDraws], first: Sequence[ScenarioDraws]
) -> Iterator[Outcome]:
    more = read_off(np.subtract, treated(draws), treated(first))
    is_certain = more.values > CERTAIN * np.sqrt(np.mean(more.noise**2))
    for name, month in summaries.per_10_outcomes(scenario.pathway.months).items():
        alive = [sample(parts, clock, "all", alive_at(month)) for parts in (draws, first)]
        per_10 = read_off(summaries.survivors_per_10, *alive, treated(draws), treated(first))
        per_10 = replace(per_10, values=np.where(is_certain, per_10.values, np.nan))
        if not np.isnan(per_10.values).all():
            yield Outcome(scenario.name, clock, "all", name, "survivors", per_10)


def break_even_outcomes(
    scenario: Scenario,
    draws: Sequence[ScenarioDraws],
    scenarios: Sequence[Scenario],
    by_scenario: Sequence[Sequence[ScenarioDraws]],
    margin: float,
    first: Sequence[ScenarioDraws] | None,
) -> Iterator[Outcome]:
    """Yield whether a policy is worthwhile in a draw and, for the policy itself, at what smallest benefit."""
    clock, month = scenario.pathway.clock, scenario.pathway.months.answer
    same_policy = (
        parts for other, parts in zip(scenarios, by_scenario, strict=True) if other.policy == scenario.policy
    )
    break_evens = [part.break_even for parts in same_policy for part in parts if part.break_even is not None]
    if not break_evens or scenario.marginal_benefit == BREAK_EVEN:
        return
    alive = sample(draws, clock, "all", alive_at(month))
    before = None if first is None else sample(first, clock, "all", alive_at(month))
    before_by_prior = None if first is None or before is None else _by_prior(first, before) or before
    none_benefit = np.concatenate([point.survival for point in break_evens])

    def reach(after: Sample, before: Sample | None) -> Floats:
        """Return of which draws more are alive, by the margin, than before, or than if none benefited."""
        is_compared = before is not None and scenario.policy != scenarios[0].policy
        needed = before.values + margin / summaries.PER if before is not None and is_compared else none_benefit
        return (after.values >= needed - 1e-9).astype(float)

    worthwhile = f"{WORTHWHILE}{margin:g}_more_at_{written(month)}"
    figures = {worthwhile: reach(alive, before)}
    if scenario.marginal_benefit == 1.0:
        benefit = np.concatenate([point.benefit for point in break_evens])
        figures[f"break_even_for_{margin:g}_more_at_{written(month)}"] = benefit
    by_prior, of_prior = _by_prior(draws, alive), f"{alive_at(month)}{BY_PRIOR}"
    if by_prior is not None:
        figures[f"{worthwhile}{BY_PRIOR}"] = reach(by_prior, before_by_prior)
        figures[of_prior] = by_prior.values
    if len(alive.values) == 1:
        # All or none of one draw is no probability.
        figures = {name: values for name, values in figures.items() if not name.startswith(WORTHWHILE)}
    # The noise that simulated patients give these figures is unknown.
    noise = 0.0 if not alive.noise.any() else np.nan
    for name, values in figures.items():
        result, difference = Sample(values, np.full(len(values), noise)), None
        if before_by_prior is not None and name == of_prior:
            difference = read_off(np.subtract, result, before_by_prior)
        yield Outcome(scenario.name, clock, "all", name, "probability", result, difference)


def _by_prior(parts: Sequence[ScenarioDraws], alive: Sample) -> Sample | None:
    """Return an S with the values if additional patients benefit as the prior alone has it; None if not known."""
    known = [part.by_prior for part in parts if part.by_prior is not None]
    return replace(alive, values=np.concatenate(known)) if known else None
