"""The likelihood of a cohort's targets, by the exact engine; a function of the targets table and nothing else.

log L = log sum over tables of (n! prod p^k / k!)      arms x causes x intervals, and who is alive: see `tables`
      - log sum over tables of the sizes of arms       those that a branching counts already: see `arm_sizes`
      + sum over branchings of log multinomial         which treatment, which response
      + sum over percentages of log binomial           survival printed without a count, as independent figures
      + log density of the reported order statistics   time from entry to the default clock
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from calibration.likelihood.branchings import Branching
from calibration.likelihood.cells import ALIVE, ANY, ELSEWHERE, Cell
from calibration.likelihood.order_statistics import ReportedTimes, TimedGroup
from calibration.likelihood.reached import FollowedUp, estimate
from calibration.likelihood.targets import Targets
from calibration.reported.consistency import HORIZON
from simulator.arrays import Floats
from simulator.distributions import Distribution
from simulator.engines.exact import engine
from simulator.engines.exact.lattice import choose_step, fixed_from_the_start
from simulator.engines.exact.solution import Solution
from simulator.engines.model import Model, resolve
from simulator.errors import InputError
from simulator.pathway.pathway import reachable

ROUNDING = 1e-13
"""Of a probability: less is what the transform leaves where nobody is."""

STEP = 0.1
"""Months a cell of the lattice at most; halving it moves the log-likelihood by less than 0.01 (tested)."""


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of one cohort's targets. `step` : months a cell of the exact engine's lattice, where stays allow.

    Stays that are short, or fixed, take as many cells more as they need: see `cell`.
    """

    targets: Targets
    step: float = STEP

    def __post_init__(self) -> None:
        if self.targets.spread is not None:
            self._reported_times(self.targets)

    @cached_property
    def times(self) -> ReportedTimes | None:
        return self._reported_times(self.targets)

    def __call__(self, values: Mapping[str, Floats]) -> Floats:
        """Return the log-likelihood, (n_draws,), of parameter -> (n_draws, 1)."""
        return np.asarray(sum(self.parts(values).values()))

    def parts(self, values: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the log-likelihood, (n_draws,), of each kind of figures apart, in words."""
        model, targets, found = resolve(self.targets.scenario, values), self.targets, dict[str, Floats]()
        found["nothing"] = np.zeros(model.n_draws)
        if targets.tables is not None or targets.branchings or targets.percentages:
            window = self._arms_change_later(model)
            solution = engine.solve(model, self.horizon, step=self.cell, window=window).of_a_cohort()
            followed = self.follow_up(solution)
            if targets.tables is not None:
                found["patients, survivors and deaths"] = targets.tables.log_likelihood(
                    self.cell_probabilities(followed)
                ) - self.log_probability_of_sizes(followed)
            for branching in targets.branchings:
                name = f"{', '.join(branching.states)} of {branching.population}"
                found[name] = branching.log_likelihood(self.branch_probabilities(followed, branching))
            for percentage in targets.percentages:
                survival = self.survival(followed, percentage.population, percentage.month)
                found[f"survival of {percentage.population} at month {percentage.month:g}"] = percentage.log_likelihood(
                    survival
                )
        if self.times is not None:
            found["times"] = self.log_density_of_times(model, self.times)
        return found

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
        ways = {name: [to for _, to in exits] for name, exits in model.open_ways}
        lasting = reachable([model.pathway.clock_state], ways.__getitem__) - model.timeless
        later = reachable([to for name in lasting for to in ways[name]], ways.__getitem__)
        deciding = {name for group in model.pathway.groups.values() for name in group.entered + group.not_entered}
        return self.targets.cohort.follow_up is None and not deciding.isdisjoint(later)

    @cached_property
    def cell(self) -> float:
        """Months a cell: `step`, or as much less than 0.1 as declared stays, fixed times and months of rows need.

        Between the first edges survival may fall so steeply that a line between them is far from it.
        """
        model, rows = resolve(self.targets.scenario), self.targets.cohort.targets
        fixed = fixed_from_the_start(model)
        months = rows[rows["use"] == "likelihood"]["month"].dropna()
        window, ends = model.pathway.group_window, self.targets.cohort.follow_up or ()
        edges = {month for month in months if month < 2.0 * STEP}
        edges |= {window} if model.pathway.groups and window < self.horizon + STEP else set()
        edges |= {*fixed, *months, *ends} if fixed else set()
        needed = choose_step([model], self.horizon, sorted(edges))
        # Wider cells would not have a fixed time on their edges.
        return needed * (min(self.step / STEP, 1.0) if fixed else self.step / STEP)

    def follow_up(self, solution: Solution) -> FollowedUp:
        """Return the cohort's patients in a solved model, each until the end of their own follow-up."""
        return FollowedUp(solution, *(self.targets.cohort.follow_up or (np.inf, np.inf)))

    def cell_probabilities(self, followed: FollowedUp) -> Floats:
        """Return the probability of every cell of the table, (n_draws, n_cells)."""
        assert self.targets.tables is not None
        deaths = self.targets.pathway.deaths

        def gone(arm: str, cause: str, month: float) -> Floats:
            return followed.seen(followed.entered(deaths if cause == ANY else [cause], [arm]), month)

        columns = []
        cells = self.targets.tables.cells
        shares = {arm: followed.size(arm) for cell in cells if (arm := cell.arm) != ELSEWHERE}
        for cell in cells:
            if cell.arm == ELSEWHERE:
                columns.append(1.0 - np.asarray(sum(shares.values())))
            elif cell.cause is ALIVE:
                ever = [gone(cell.arm, cause, np.inf) for cause in self._gone(cell.arm)]
                columns.append(shares[cell.arm] - sum(ever, np.zeros(())))
            else:
                columns.append(gone(cell.arm, cell.cause, cell.end) - gone(cell.arm, cell.cause, cell.start))
        found = np.clip(np.column_stack(columns), 0.0, 1.0)
        return np.where(found > ROUNDING, found, 0.0)

    def _gone(self, arm: str) -> list[str]:
        """Return how patients of an arm leave those of no cause: by any death, or by each way that a row tells."""
        assert self.targets.tables is not None
        deaths = (ANY, *self.targets.pathway.deaths)
        told = [cell.cause for cell in self.targets.tables.cells if cell.arm == arm and cell.cause is not ALIVE]
        return [ANY] if all(cause in deaths for cause in told) else list(dict.fromkeys(told))

    def log_probability_of_sizes(self, followed: FollowedUp) -> Floats:
        """Return the log probability of the sizes of arms that branchings count, (n_draws,); 0 where impossible."""
        if self.targets.sizes is None:
            return np.zeros(followed.solution.model.n_draws)
        shares = np.column_stack([followed.size(cell.arm) for cell in self.targets.sizes.cells[:-1]])
        rest = 1.0 - shares.sum(axis=1, keepdims=True)
        cells = np.column_stack([shares, np.where(rest > ROUNDING, rest, 0.0)])
        found = self.targets.sizes.log_likelihood(np.clip(cells, 0.0, 1.0))
        return np.where(np.isneginf(found), 0.0, found)

    def branch_probabilities(self, followed: FollowedUp, branching: Branching) -> Floats:
        """Return the probability of each event, of those that are given too, (n_draws, n_events + n_given)."""
        group = _group(self.targets, branching.population)
        size = sum((followed.size(arm) for arm in group), np.zeros(followed.solution.model.n_draws))
        population = branching.population
        members = (population,) if population in ("all", *self.targets.pathway.groups) else group
        events = (*branching.events, *branching.given)
        came = [followed.seen(followed.entered(event.states, members), event.month) for event in events]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.clip(np.nan_to_num(np.array(came).T / size[:, None]), 0.0, 1.0)

    def survival(self, followed: FollowedUp, population: str, month: float) -> Floats:
        """Return the Kaplan-Meier estimate of S(month) in many patients of a population, (n_draws,); 0 of nobody."""
        members = _group(self.targets, population)
        dead = followed.entered(self.targets.pathway.deaths, members)
        size = np.asarray(sum(followed.size(member) for member in members))
        lower, upper = followed.lower, followed.upper
        until = min(month, lower) if set(members) <= set(self.targets.pathway.groups) else month
        with np.errstate(invalid="ignore", divide="ignore"):
            alive = 1.0 - dead.at(until) / size
            if month > until:
                alive = alive * estimate(dead, followed.joined(members), lower, month, upper)
        return np.asarray(np.clip(np.nan_to_num(alive), 0.0, 1.0))

    def log_density_of_times(self, model: Model, times: ReportedTimes) -> Floats:
        """Return the log density of the reported order statistics of the time to the default clock, (n_draws,)."""
        (way,) = model.exits[model.pathway.start]
        assert way.time is not None
        spread = self.targets.spread
        assert spread is not None
        cells = {name: self._cell_of(model, name) for name in spread.sizes}
        cdf = {name: _Cdf(way.time, cell) for name, cell in cells.items()}
        pdf = {name: _Pdf(way.time, cell) for name, cell in cells.items()}
        found = times.log_density(cdf, pdf)
        return np.broadcast_to(found, (model.n_draws,))

    def _cell_of(self, model: Model, level: str) -> int:
        attribute = self.targets.spread.attribute if self.targets.spread else None
        if attribute is None or attribute not in model.attributes:
            return 0
        place = model.attributes.index(attribute)
        return next(i for i, cell in enumerate(model.cells) if cell[place] == level)

    @staticmethod
    def _reported_times(targets: Targets) -> ReportedTimes | None:
        spread, pathway = targets.spread, targets.pathway
        if spread is None:
            return None
        ways = pathway.states[pathway.start].transitions
        if len(ways) != 1 or ways[0].to != pathway.clock_state or ways[0].probability is not None:
            raise InputError(
                "reported times need a start state with one way out, to the default clock",
                where=f"{pathway.where}: [states.{pathway.start}]",
            )
        groups = tuple(TimedGroup(name, size, spread.medians.get(name)) for name, size in spread.sizes.items())
        return ReportedTimes(groups, spread.median, spread.minimum, spread.maximum)


@dataclass(frozen=True)
class _Cdf:
    """The cdf of a sojourn in one cell, of those who ever leave: times (...) -> (n_draws, ...)."""

    time: Distribution
    cell: int

    def hazard(self, times: Floats) -> Floats:
        found = np.asarray(self.time.columns().cumulative_hazard(times.reshape(-1)))
        found = found.reshape((1,) * (3 - found.ndim) + found.shape)
        mine = found[:, self.cell if found.shape[1] > 1 else 0]
        return mine.reshape(len(mine), *times.shape)

    def __call__(self, times: Floats) -> Floats:
        return self.of_leaving(-np.expm1(-self.hazard(times)))

    def of_leaving(self, found: Floats) -> Floats:
        """Return probabilities (n_draws, ...) as those of whoever leaves: nobody else is in a cohort."""
        leave = -np.expm1(-self.hazard(np.array(np.inf)))
        return np.asarray(found / np.where(leave > 0.0, leave, 1.0).reshape(-1, *(1,) * (found.ndim - 1)))


@dataclass(frozen=True)
class _Pdf(_Cdf):
    """The density, from a central difference of the cumulative hazard."""

    def __call__(self, times: Floats) -> Floats:
        apart = 1e-5 * times
        slope = (self.hazard(times + apart) - self.hazard(times - apart)) / (2.0 * apart)
        return self.of_leaving(slope * np.exp(-self.hazard(times)))


def _group(targets: Targets, population: str) -> tuple[str, ...]:
    return targets.cohort.arms.get(population, (population,))


__all__ = ["Cell", "Likelihood"]
