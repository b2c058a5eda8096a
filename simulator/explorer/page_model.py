"""What a page needs to solve a scenario itself: shares, path curves, and the routes that join them.

    there(t) = sum_r sign_r P_r(t) w_r        w_r = sum over cells of weight x product of the shares on route r

Path curves are read in every month that survival is drawn in, and integrated to the months of mean survival; those that
only occupancy needs, in fewer months.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact import accuracy, engine
from simulator.engines.exact.paths import Paths
from simulator.engines.exact.routes import WITHOUT, Branch, Route, Routes, TooManyRoutes, routes
from simulator.engines.model import Model, point_values, resolve
from simulator.engines.no_benefit import open_exits, share_without_benefit
from simulator.errors import InputError
from simulator.explorer.sliders import sliders
from simulator.pathway.pathway import Parameter
from simulator.scenario.levers import Values
from simulator.scenario.scenario import Scenario

FINE = 24.0
"""Months up to which survival is drawn by half months; to twice as long by whole months, then by fours."""


@dataclass(frozen=True)
class PageModel:
    """A scenario as a page has it.

    values : parameter -> its values before the scenario's levers; months : (n_months,) of survival
    means : to which mean survival is taken; occupied : months of occupancy, some of `months`
    curves : path -> (n_draws or 1, n_months + n_integrated), P_p, then its integrals, of the paths of deaths
    there : path -> (n_draws or 1, n_occupied + 1), of all paths, with the integral to the horizon
    step : months a cell of the lattice
    others : solved on one lattice with it, with its sliders; paths that are alike are one path
    """

    scenario: Scenario
    model: Model
    routes: Routes
    sliders: Sequence[Parameter]
    fixed: dict[str, str]
    values: dict[str, Floats]
    months: Floats
    means: tuple[float, ...]
    occupied: Floats
    curves: dict[int, Floats]
    there: dict[int, Floats]
    step: float
    others: tuple[PageModel, ...] = ()

    @property
    def integrated(self) -> tuple[float, ...]:
        """The months to which curves are integrated: of mean survival, and the last."""
        horizon = float(self.months[-1])
        return self.means if horizon in self.means else (*self.means, horizon)

    @cached_property
    def deaths(self) -> list[Route]:
        return [route for state in self.model.pathway.deaths for route in self.routes.there.get(state, ())]


def page_model(scenario: Scenario, values: Values, horizon: float, others: Sequence[Scenario] = ()) -> PageModel:
    """Return a scenario's model for a page, of some draws, and of others that differ from it in times.

    Raises InputError where a page cannot have one.
    """
    if horizon < scenario.pathway.months.answer:
        least = f"{scenario.pathway.months.answer:g} or more, the month of the answer"
        raise InputError("the page would end before its answer", where="--horizon", got=f"{horizon:g}", allowed=least)
    models = [_resolved(one, values) for one in (scenario, *others)]
    model = models[0]
    step = engine.one_step(models, horizon)
    routes = _routes(models, horizon, step)[0]
    moved, fixed = sliders(model, routes[0])
    asked = [month for month in (*scenario.pathway.months.survival, horizon) if month <= horizon]
    months = np.unique([*months_drawn(horizon), *asked])
    means = tuple(month for month in scenario.pathway.months.means if month <= horizon)
    occupied = np.unique(
        [*(m for m in (0.0, 1.0, 2.0, 3.0, 6.0, 9.0) if m < horizon), *np.arange(12.0, horizon, 12.0), *asked]
    )
    given = {name: np.asarray(value) for name, value in {**point_values(scenario.pathway), **values}.items()}
    page = PageModel(scenario, model, routes[0], moved, fixed, given, months, means, occupied, {}, {}, step)
    curves, there = _curves(page, models, routes, horizon)
    page = replace(page, curves=curves, there=there)
    solved = zip(models[1:], routes[1:], strict=True)
    return replace(
        page, others=tuple(replace(page, scenario=one.scenario, model=one, routes=of_model) for one, of_model in solved)
    )


def _curves(
    page: PageModel, models: Sequence[Model], routes: Sequence[Routes], horizon: float
) -> tuple[dict[int, Floats], dict[int, Floats]]:
    """Return the path curves of deaths and of all paths on the routes found, block of draws by block."""
    pathway, up_to = page.model.pathway, page.integrated
    deaths = {route.path for one in routes for state in pathway.deaths for route in one.there.get(state, ())}
    curves, there = dict[int, list[Floats]](), dict[int, list[Floats]]()
    size = max(engine.batch(pathway, horizon) // len(models), 1)
    for first in range(0, page.model.n_draws, size):
        rows = list(range(first, min(first + size, page.model.n_draws)))
        of_draws, paths = _routes([one.of_draws(rows) for one in models], horizon, page.step)
        if of_draws != routes:
            where = page.scenario.where
            raise InputError("parameter sets go different ways", where=where, allowed="shares above 0 in all")
        for path in sorted({route.path for one in routes for route in one.all}):
            there.setdefault(path, []).append(_read(paths, path, len(rows), page.occupied, (horizon,)))
            if path in deaths:
                curves.setdefault(path, []).append(_read(paths, path, len(rows), page.months, up_to))
    return _joined(curves), _joined(there)


def _joined(blocks: dict[int, list[Floats]]) -> dict[int, Floats]:
    return {path: _once(np.concatenate(parts)) for path, parts in blocks.items()}


def _read(paths: Paths, path: int, n_draws: int, months: Floats, up_to: tuple[float, ...]) -> Floats:
    """Return a path curve at months, and its integrals to others, (n_draws, n_months + n_up_to)."""
    parts = (paths.at(path, tuple(months.tolist())), len(months)), (paths.up_to(path, up_to), len(up_to))
    return np.hstack([np.broadcast_to(part, (n_draws, width)) for part, width in parts])


def _resolved(scenario: Scenario, values: Values) -> Model:
    """Return a scenario's model. Raises InputError where no sum over routes has it."""
    if isinstance(scenario.marginal_benefit, str):
        what, got = "each parameter set has a benefit of its own", f"@{scenario.marginal_benefit}"
        raise InputError(what, where=scenario.where, got=got, allowed="a number: the page shows the cautious estimate")
    of_run = "`aftercart compare` and `aftercart sweep` run this scenario"
    if scenario.is_limited:
        what = "patients wait for one another, or arrive over time: no sum over routes has that"
        where = f"{scenario.where}: [{'capacity' if scenario.capacity else 'service'}]"
        raise InputError(what, where=where, allowed=f"a scenario without it, with this one as --centre; {of_run}")
    if scenario.pathway.milestones:
        what = "milestones carry latent times forward: no sum over routes has that"
        passed = list(scenario.pathway.milestones)
        raise InputError(what, where=f"{scenario.where}: milestones", got=passed, allowed=f"none; {of_run}")
    model = resolve(scenario, values)
    _refuse_cycle(model)
    return model


def _routes(models: Sequence[Model], horizon: float, step: float) -> tuple[list[Routes], Paths]:
    paths = engine.new_paths(models[0].pathway, horizon, step, window=False)
    try:
        return [routes(model, paths) for model in models], paths
    except TooManyRoutes:
        allowed = "fewer branches; `aftercart compare` and `aftercart sweep` run this pathway"
        raise InputError("too many routes for a page", where=models[0].scenario.where, allowed=allowed) from None


def _refuse_cycle(model: Model) -> None:
    """Refuse a pathway in which patients come back: their visits are no sum over routes."""
    states = accuracy.cycle(model)
    if states:
        allowed = "states that are entered once; `aftercart compare` and `aftercart sweep` run this pathway"
        raise InputError(
            "patients come back to a state", where=model.scenario.where, got=", ".join(sorted(states)), allowed=allowed
        )


def _once(values: Floats) -> Floats:
    """Return one row where all draws have the same."""
    return values[:1] if np.array_equal(values, np.broadcast_to(values[:1], values.shape)) else values


def months_drawn(horizon: float) -> Floats:
    """Return half months to `FINE`, whole months to twice that, and thirds of a year to the horizon."""
    grid = [np.arange(0.0, FINE, 0.5), np.arange(FINE, 2 * FINE), np.arange(2 * FINE, max(horizon, 2 * FINE), 4.0)]
    months = np.concatenate(grid)
    return np.append(months[months < horizon], horizon)


def shares_of(model: Model, branch: Branch) -> Floats:
    """Return the share who take a branch, (n_draws or 1, n_cells or 1)."""
    exits = model.exits[branch.state]
    exits = open_exits(model.pathway, branch.state, exits) if branch.among else exits
    share = np.atleast_2d(next(np.asarray(exit.probability) for exit in exits if exit.name == branch.name))
    if not branch.who:
        return share
    without = share_without_benefit(model)
    without = np.zeros((1, 1)) if without is None else without
    return without if branch.who == WITHOUT else share - without


def summed(model: Model, routes: Iterable[Route], curves: dict[int, Floats]) -> Floats:
    """Return the sum over routes of their path curves, (n_draws, n): the formula above, as the page has it."""
    weights, known = np.atleast_2d(model.weights), dict[Branch, Floats]()
    total = np.zeros((1, 1))
    for route in routes:
        going = weights * (1.0 if route.cells is None else np.array(route.cells))
        for branch in route.branches:
            if branch not in known:
                known[branch] = shares_of(model, branch)
            going = going * known[branch]
        total = total + route.sign * going.sum(axis=1)[:, None] * curves[route.path]
    return total
