"""The likelihood of a cohort's targets, by the exact engine; a function of the targets table and nothing else.

log L = log sum over tables of (n! prod p^k / k!)      all counts of patients: see `courses`, `tables`
      - the same of the counts conditioned on          of how many patients other counts are
      + sum over percentages of log binomial           survival printed without a count, as independent figures
      + log density of the reported order statistics   time from entry to the default clock
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

import numpy as np

from calibration.likelihood.order_statistics import ReportedTimes, TimedGroup
from calibration.likelihood.reached import FollowedUp, estimate
from calibration.likelihood.targets import Targets
from calibration.reported.figure import where
from calibration.reported.kinds.counts import Levels
from calibration.reported.kinds.events import causes_of
from calibration.reported.kinds.times import ToClock
from calibration.reported.percentages import Percentage
from simulator.arrays import Floats
from simulator.distributions import Distribution
from simulator.engines.exact import accuracy, engine
from simulator.engines.exact.history_graph import Node, entered
from simulator.engines.exact.lattice import choose_step, fixed_after_fixed, fixed_from_the_start
from simulator.engines.exact.solution import Flow, Solution
from simulator.engines.model import Model, resolve
from simulator.engines.steps import STEP as RESOLVING
from simulator.engines.steps import divisor
from simulator.errors import InputError
from simulator.pathway.end_points import EndPoint

ROUNDING = 1e-13
"""Of a probability: the transform leaves less where nobody is."""

STEP = 0.25
"""Months a cell of the lattice at most; halving it moves the log-likelihood by less than 0.01 (tested).

Of the shipped cohort's posterior draws by 0.0044 at most.
"""


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of one cohort's targets. `step` : months a cell of the exact engine's lattice, where stays allow.

    Short or fixed stays take as many cells more as they need: see `cell`.
    """

    targets: Targets
    step: float = STEP

    def __post_init__(self) -> None:
        _reported_times(self.targets)

    @cached_property
    def times(self) -> ReportedTimes | None:
        return _reported_times(self.targets)

    def __call__(self, values: Mapping[str, Floats]) -> Floats:
        """Return the log-likelihood, (n_draws,), of parameter -> (n_draws, 1)."""
        return np.asarray(sum(self.parts(values).values()))

    def parts(self, values: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return kind of figures, in words -> log-likelihood, (n_draws,), of all that have these words."""
        model, targets = resolve(self.targets.scenario, values), self.targets
        parts = defaultdict[str, Floats](lambda: np.zeros(model.n_draws), nothing=np.zeros(model.n_draws))
        if targets.tables is not None or targets.percentages or targets.curves:
            followed = self.followed(model)
            if targets.tables is not None:
                parts["counts of patients"] += self.log_likelihood_of_counts(followed)
            for percentage in targets.percentages:
                figure = " in ".join(filter(None, (percentage.cause, percentage.end_point))) or "survival"
                name = f"{figure} of {percentage.population} at month {percentage.month:g}"
                parts[name] += percentage.log_likelihood(self.share(followed, percentage))
            for curve in targets.curves:
                survival = self.curve(followed, curve.population, curve.end_point, curve.months)
                parts[f"{curve.name} of {curve.population}"] += curve.log_likelihood(survival)
        if self.times is not None:
            parts["times"] += self.log_density_of_times(model, self.times)
        return parts

    def followed(self, model: Model) -> FollowedUp:
        """Return the cohort's patients, each until the end of their follow-up."""
        targets, horizon = self.targets, self.targets.horizon
        solved = engine.solve(model, horizon, step=self.cell, window=False, marking=targets.marking)
        return FollowedUp(solved.of_a_cohort(), *(targets.cohort.follow_up or (np.inf, np.inf)))

    def log_likelihood_of_counts(self, followed: FollowedUp) -> Floats:
        """Return the log probability of all counts, (n_draws,)."""
        targets = self.targets
        assert targets.tables is not None
        probabilities = self.cell_probabilities(followed)
        log_likelihood = targets.tables.log_likelihood(probabilities)
        if targets.conditioned_on is None:
            return log_likelihood
        condition = targets.conditioned_on.log_likelihood(probabilities)
        return np.where(np.isneginf(condition), -np.inf, log_likelihood - condition)

    @cached_property
    def cell(self) -> float:
        """Months a cell: `step`, or as much less as declared stays need, and months that have to be on an edge.

        These are fixed times, with all months that are read off, the end of the group window, the first months, and
        those that tell entries apart.
        """
        model, horizon = resolve(self.targets.scenario), self.targets.horizon
        fixed = fixed_from_the_start(model) | fixed_after_fixed(model)
        months = [month for figure in self.targets.fitted for month in figure.months]
        window, ends = model.pathway.group_window, self.targets.cohort.follow_up or ()
        on_edges = {month for month in (*months, *ends) if month < 2.0 * STEP}
        on_edges |= {window} if model.pathway.groups and window < horizon + STEP else set()
        on_edges |= {month for _, cuts in self.targets.marking.cuts for month in cuts}
        on_edges |= {*fixed, *months, *ends} if fixed else set()
        edges = sorted(month for month in on_edges if month > 0.0)
        # Where patients come back, the error falls with the second power of the cells only.
        coarser = 1.0 if accuracy.cycle(model) else STEP / RESOLVING
        widest = coarser * choose_step([model], horizon, [])
        if not edges:
            return widest * self.step / STEP
        finest = choose_step([model], horizon, edges)
        first, fewest = edges[0], math.ceil(edges[0] / widest - 1e-9)
        aligned = (first / cells for cells in range(fewest, int(first / finest) + 1))
        cell = next((step for step in aligned if divisor(edges, step, 2) == 1), min(finest, widest))
        # Wider cells would not have these months on their edges.
        return cell / max(math.ceil(STEP / self.step - 1e-9), 1)

    def cell_probabilities(self, followed: FollowedUp) -> Floats:
        """Return the probability of every cell of the table, (n_draws, n_cells)."""
        solution, courses = followed.solution, self.targets.courses
        probabilities = np.zeros((solution.model.n_draws, courses.n_cells))
        for courses_together in courses.indistinguishable:
            flows = (self._flow(solution, ended, levels) for ended, levels in courses_together.courses)
            by = followed.by(reduce(add, flows), courses.months if courses_together.ended else [np.inf])
            for cell, share in zip(courses_together.cells, np.diff(by, axis=1, prepend=0.0).T, strict=True):
                probabilities[:, cell] += share
        probabilities = np.clip(probabilities, 0.0, 1.0)
        return np.where(probabilities > ROUNDING, probabilities, 0.0)

    def _flow(self, solution: Solution, nodes: Collection[Node], levels: Collection[Levels]) -> Flow:
        """Return who comes to ends, as nodes, with some levels; to nodes of those alive, who has not left."""
        flows, ends = solution.flows, self.targets.courses.ends
        weights = np.asarray(sum(self._weights(solution, combination) for combination in levels))
        alive = {node.marks for node in nodes if not node.state}
        if not alive:
            return flows.total(nodes, "in", weights, from_entry=False)
        left = [node for node in flows.nodes if node.state in ends and node.marks in alive]
        gone = flows.total(left, "in", weights, from_entry=False)
        return flows.joined(alive.__contains__, weights) + gone.scaled(np.array([-1.0]))

    def _weights(self, solution: Solution, levels: Levels) -> Floats:
        """Return the case mix of patients with some levels, (n_draws or 1, n_cells)."""
        model, named = solution.model, dict(level.split("=", 1) for level in levels)
        weights = solution.weights
        for name in named.keys() & set(model.attributes):
            weights = weights * model.in_level(name, named[name])
        return weights * self.targets.courses.share(
            {name: named[name] for name in named.keys() - set(model.attributes)}
        )

    def survival(self, followed: FollowedUp, population: str, month: float) -> Floats:
        """Return the Kaplan-Meier estimate of S(month) in many patients of a population, (n_draws,); 0 if empty."""
        members = self.targets.cohort.arms.get(population, (population,))
        dead = followed.entered(self.targets.pathway.deaths, members)
        size = np.asarray(sum(followed.size(member) for member in members))
        lower, upper = followed.lower, followed.upper
        until = min(month, lower) if set(members) <= set(self.targets.pathway.groups) else month
        with np.errstate(invalid="ignore", divide="ignore"):
            alive = 1.0 - dead.at(until) / size
            if month > until:
                months = followed.solution.months
                alive = alive * estimate(dead, followed.joined(members), months, lower, month, upper)
        return np.asarray(np.clip(np.nan_to_num(alive), 0.0, 1.0))

    def share(self, followed: FollowedUp, percentage: Percentage) -> Floats:
        """Return the probability of what a percentage is of, (n_draws,)."""
        population, month, end_point = percentage.population, percentage.month, percentage.end_point
        if not end_point:
            return self.survival(followed, population, month)
        if not percentage.cause:
            return self.curve(followed, population, end_point, [month])[:, 0]
        return self._come(followed, population, end_point, percentage.cause, [month])[:, 0]

    def curve(self, followed: FollowedUp, population: str, end_point: str, months: Sequence[float]) -> Floats:
        """Return survival without an end point, or without death (""), by months, (n_draws, n_months)."""
        name = "all" if self.targets.cohort.is_everybody(population) else population
        if not end_point and name in (*self.targets.pathway.groups, *self.targets.cohort.arms) and name != "all":
            return np.column_stack([self.survival(followed, population, month) for month in months])
        if not end_point:
            dead = followed.entered(self.targets.pathway.deaths, (name,)).by(months)
            return np.asarray(np.clip(1.0 - dead / followed.size(name)[:, None], 0.0, 1.0))
        causes = causes_of(end_point, self.targets.cohort, self.targets.pathway)
        come = [self._come(followed, population, end_point, cause, months) for cause in causes]
        return np.asarray(np.clip(1.0 - np.sum(come, axis=0), 0.0, 1.0))

    def _come(
        self, followed: FollowedUp, population: str, end_point: str, cause: str, months: Sequence[float]
    ) -> Floats:
        """Return the share of a population with a first event of a cause by months, (n_draws, n_months).

        The patients of an arm are known at month 0, so that what patients had entered before the event says it.
        """
        cohort, pathway, whole = self.targets.cohort, self.targets.pathway, followed.solution
        causes, name = causes_of(end_point, cohort, pathway), "all" if cohort.is_everybody(population) else population
        event = EndPoint(end_point, end_point, "", causes)
        until = engine.first_events(whole, event, self.targets.horizon, False).until
        if name == "all" or name not in cohort.arms:
            flow, size = until.flow(causes[cause], name), whole.size(name)
        else:
            arms = [pathway.groups[arm] for arm in cohort.arms[name]]
            nodes = (node for node in until.flows.nodes if node.state in causes[cause])
            nodes_of_arms = [node for node in nodes if any(arm.includes(entered(node.marks)) for arm in arms)]
            flow = until.flow_of(nodes_of_arms, until.weights, pathway.clock)
            size = np.asarray(sum(followed.size(arm.name) for arm in arms))
        with np.errstate(invalid="ignore", divide="ignore"):
            come = until.at(flow, months) / size[:, None]
        return np.asarray(np.clip(np.nan_to_num(come), 0.0, 1.0))

    def log_density_of_times(self, model: Model, times: ReportedTimes) -> Floats:
        """Return the log density of the reported order statistics of the time to the default clock, (n_draws,)."""
        (exit,) = model.exits[model.pathway.start]
        assert exit.time is not None
        assert self.targets.times is not None
        attribute, levels = self.targets.times.attribute, []
        if attribute in model.attributes:
            levels = [cell[model.attributes.index(attribute)] for cell in model.cells]
        cells = {level: levels.index(level) if levels else 0 for level in self.targets.times.sizes}
        cdf = {level: _Cdf(exit.time, cell) for level, cell in cells.items()}
        pdf = {level: _Pdf(exit.time, cell) for level, cell in cells.items()}
        return np.broadcast_to(times.log_density(cdf, pdf), (model.n_draws,))


def _reported_times(targets: Targets) -> ReportedTimes | None:
    times, pathway = targets.times, targets.pathway
    if times is None:
        return None
    exits = pathway.states[pathway.start].transitions
    if len(exits) != 1 or exits[0].to != pathway.clock_state or exits[0].probability is not None:
        what = "reported times need a start state with one way out, to the default clock"
        raise InputError(what, where=f"{pathway.where}: [states.{pathway.start}]")
    groups = tuple(TimedGroup(level, size, times.medians.get(level)) for level, size in times.sizes.items())
    try:
        return ReportedTimes(groups, times.median, times.minimum, times.maximum)
    except InputError as error:
        lines = [figure.line for figure in targets.fitted if isinstance(figure, ToClock)]
        at = ": ".join(filter(None, (where(targets.folder, *lines), error.where)))
        raise InputError(error.what, where=at, got=error.got, allowed=error.allowed) from None


@dataclass(frozen=True)
class _Cdf:
    """The cdf of a sojourn in one cell, among patients who ever leave: times (...) -> (n_draws, ...)."""

    time: Distribution
    cell: int

    def hazard(self, times: Floats) -> Floats:
        hazard = np.asarray(self.time.columns().cumulative_hazard(times.reshape(-1)))
        hazard = hazard.reshape((1,) * (3 - hazard.ndim) + hazard.shape)
        hazard = hazard[:, self.cell if hazard.shape[1] > 1 else 0]
        return hazard.reshape(len(hazard), *times.shape)

    def __call__(self, times: Floats) -> Floats:
        return self.of_leaving(-np.expm1(-self.hazard(times)))

    def of_leaving(self, probabilities: Floats) -> Floats:
        """Return probabilities (n_draws, ...) among patients who leave: a cohort has no others."""
        leave = -np.expm1(-self.hazard(np.array(np.inf)))
        return np.asarray(
            probabilities / np.where(leave > 0.0, leave, 1.0).reshape(-1, *(1,) * (probabilities.ndim - 1))
        )


@dataclass(frozen=True)
class _Pdf(_Cdf):
    """The density, from a central difference of the cumulative hazard."""

    def __call__(self, times: Floats) -> Floats:
        step = 1e-5 * times
        slope = (self.hazard(times + step) - self.hazard(times - step)) / (2.0 * step)
        return self.of_leaving(slope * np.exp(-self.hazard(times)))
