"""The likelihood of a cohort's targets, by the exact engine; a function of the targets table and nothing else.

log L = log sum over tables of (n! prod p^k / k!)      arms x causes x intervals, and patients alive: see `tables`
      - log sum over tables of the sizes of arms       where a branching counts them already: see `arm_sizes`
      + sum over branchings of log multinomial         which treatment, which response
      + sum over percentages of log binomial           survival printed without a count, as independent figures
      + log density of the reported order statistics   time from entry to the default clock
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calibration.likelihood.branchings import Branching, Order
from calibration.likelihood.cells import ALIVE, ANY, ELSEWHERE
from calibration.likelihood.order_statistics import ReportedTimes, TimedGroup
from calibration.likelihood.reached import FollowedUp, estimate
from calibration.likelihood.targets import Targets
from calibration.reported.consistency import HORIZON, where
from calibration.reported.kinds import TIMED
from simulator.arrays import Floats
from simulator.distributions import Distribution
from simulator.engines.exact import accuracy, engine
from simulator.engines.exact.lattice import choose_step, fixed_after_fixed, fixed_from_the_start
from simulator.engines.exact.solution import Solution
from simulator.engines.model import Model, resolve
from simulator.engines.steps import STEP as RESOLVING
from simulator.engines.steps import divisor
from simulator.errors import InputError

ROUNDING = 1e-13
"""Of a probability: the transform leaves less where nobody is."""

STEP = 0.25
"""Months a cell of the lattice at most; halving it moves the log-likelihood by less than 0.01 (tested).

Of the shipped cohort's posterior draws by 0.0012 at most.
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
        """Return kind of figures, in words -> log-likelihood, (n_draws,)."""
        model, targets = resolve(self.targets.scenario, values), self.targets
        parts = {"nothing": np.zeros(model.n_draws)}
        if targets.tables is not None or targets.branchings or targets.percentages:
            window = self._arms_change_later(model)
            solution = engine.solve(model, self.horizon, step=self.cell, window=window).of_a_cohort()
            followed = self.follow_up(solution)
            if targets.tables is not None:
                log_likelihood = targets.tables.log_likelihood(self.cell_probabilities(followed))
                parts["patients, survivors and deaths"] = log_likelihood - self.log_probability_of_sizes(followed)
            for branching in targets.branchings:
                name = f"{', '.join(branching.states)} of {branching.population}"
                parts[name] = branching.log_likelihood(self.branch_probabilities(followed, branching))
            for percentage in targets.percentages:
                population, month = percentage.population, percentage.month
                survival = self.survival(followed, population, month)
                parts[f"survival of {population} at month {month:g}"] = percentage.log_likelihood(survival)
        if self.times is not None:
            parts["times"] = self.log_density_of_times(model, self.times)
        return parts

    @cached_property
    def horizon(self) -> float:
        """Months to look ahead: to the end of the longest follow-up, and to the last month of a row."""
        cohort = self.targets.cohort
        rows = cohort.targets[cohort.targets["use"] == "likelihood"]
        ever = rows["kind"].isin(["deaths", "entered"]) & rows["month"].isna()
        longest = cohort.follow_up[1] if cohort.follow_up else HORIZON if ever.any() else 1.0
        return float(max([longest, *cohort.targets["month"].dropna()]))

    def _arms_change_later(self, model: Model) -> bool:
        """Return whether patients may join or leave an arm after the horizon: nobody is followed up for longer."""
        order = Order.of(model)
        later = order.after(({order.start} | order.after([order.start])) - model.timeless)
        deciding = {name for group in model.pathway.groups.values() for name in group.entered + group.not_entered}
        return self.targets.cohort.follow_up is None and not deciding.isdisjoint(later)

    @cached_property
    def cell(self) -> float:
        """Months a cell: `step`, or as much less as declared stays need, and months that have to be on an edge.

        These are fixed times, with all months that are read off, the end of the group window, and the first months.
        """
        model, rows = resolve(self.targets.scenario), self.targets.cohort.targets
        fixed = fixed_from_the_start(model) | fixed_after_fixed(model)
        months = rows[rows["use"] == "likelihood"]["month"].dropna()
        window, ends = model.pathway.group_window, self.targets.cohort.follow_up or ()
        on_edges = {month for month in (*months, *ends) if month < 2.0 * STEP}
        on_edges |= {window} if model.pathway.groups and window < self.horizon + STEP else set()
        on_edges |= {*fixed, *months, *ends} if fixed else set()
        edges = sorted(month for month in on_edges if month > 0.0)
        # Where patients come back, the error falls with the second power of the cells only.
        coarser = 1.0 if accuracy.cycle(model) else STEP / RESOLVING
        widest = coarser * choose_step([model], self.horizon, [])
        if not edges:
            return widest * self.step / STEP
        finest = choose_step([model], self.horizon, edges)
        first, fewest = edges[0], math.ceil(edges[0] / widest - 1e-9)
        aligned = (first / cells for cells in range(fewest, int(first / finest) + 1))
        cell = next((step for step in aligned if divisor(edges, step, 2) == 1), min(finest, widest))
        # Wider cells would not have these months on their edges.
        return cell / max(math.ceil(STEP / self.step - 1e-9), 1)

    def follow_up(self, solution: Solution) -> FollowedUp:
        """Return the cohort's patients in a solved model, each until the end of their follow-up."""
        return FollowedUp(solution, *(self.targets.cohort.follow_up or (np.inf, np.inf)))

    def cell_probabilities(self, followed: FollowedUp) -> Floats:
        """Return the probability of every cell of the table, (n_draws, n_cells)."""
        assert self.targets.tables is not None
        deaths = self.targets.pathway.deaths

        def left(arm: str, cause: str, month: float) -> Floats:
            return followed.seen(followed.entered(deaths if cause == ANY else [cause], [arm]), month)

        columns = []
        cells = self.targets.tables.cells
        shares = {arm: followed.size(arm) for cell in cells if (arm := cell.arm) != ELSEWHERE}
        for cell in cells:
            if cell.arm == ELSEWHERE:
                columns.append(1.0 - np.asarray(sum(shares.values())))
            elif cell.cause is ALIVE:
                ever = [left(cell.arm, cause, np.inf) for cause in self._causes(cell.arm)]
                columns.append(shares[cell.arm] - sum(ever, np.zeros(())))
            else:
                columns.append(left(cell.arm, cell.cause, cell.end) - left(cell.arm, cell.cause, cell.start))
        probabilities = np.clip(np.column_stack(columns), 0.0, 1.0)
        return np.where(probabilities > ROUNDING, probabilities, 0.0)

    def _causes(self, arm: str) -> list[str]:
        """Return how patients of an arm leave those alive: by any death, or by every cause and state with a row."""
        assert self.targets.tables is not None
        causes = [cell.cause for cell in self.targets.tables.cells if cell.arm == arm and cell.cause is not ALIVE]
        return [ANY] if {ANY, *self.targets.pathway.deaths}.issuperset(causes) else list(dict.fromkeys(causes))

    def log_probability_of_sizes(self, followed: FollowedUp) -> Floats:
        """Return the log probability of the sizes of arms that branchings count, (n_draws,); 0 where impossible."""
        if self.targets.sizes is None:
            return np.zeros(followed.solution.model.n_draws)
        shares = np.column_stack([followed.size(cell.arm) for cell in self.targets.sizes.cells[:-1]])
        rest = 1.0 - shares.sum(axis=1, keepdims=True)
        cells = np.column_stack([shares, np.where(rest > ROUNDING, rest, 0.0)])
        log_probability = self.targets.sizes.log_likelihood(np.clip(cells, 0.0, 1.0))
        return np.where(np.isneginf(log_probability), 0.0, log_probability)

    def branch_probabilities(self, followed: FollowedUp, branching: Branching) -> Floats:
        """Return the probability of every event, given ones included, (n_draws, n_events + n_given)."""
        group = _group(self.targets, branching.population)
        size = sum((followed.size(arm) for arm in group), np.zeros(followed.solution.model.n_draws))
        population = branching.population
        members = (population,) if population in ("all", *self.targets.pathway.groups) else group
        events = (*branching.events, *branching.given)
        entered = [followed.seen(followed.entered(event.states, members), event.month) for event in events]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.clip(np.nan_to_num(np.array(entered).T / size[:, None]), 0.0, 1.0)

    def survival(self, followed: FollowedUp, population: str, month: float) -> Floats:
        """Return the Kaplan-Meier estimate of S(month) in many patients of a population, (n_draws,); 0 if empty."""
        members = _group(self.targets, population)
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
        rows = targets.cohort.targets
        lines = rows.index[rows["kind"].isin(TIMED) & (rows["use"] == "likelihood")]
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


def _group(targets: Targets, population: str) -> tuple[str, ...]:
    return targets.cohort.arms.get(population, (population,))
