"""A pathway with its numbers in place: what every engine interprets.

    resolve(scenario, values) -> Model

Values may hold many parameter draws at once: arrays then have the shape (n_draws or 1, n_cells or 1), where a cell is
one combination of the attributes that matter; of a single draw, () or (n_cells,).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from simulator.arrays import Booleans, Floats
from simulator.engines.cells import Cell, cells_of
from simulator.engines.exits import Exit, Made, Resolver
from simulator.errors import InputError
from simulator.pathway.pathway import Pathway, reachable
from simulator.scenario.levers import Values, apply_levers
from simulator.scenario.scenario import LEVERS, Scenario


@dataclass(frozen=True)
class MarginalBenefit:
    """Who is marginal: treated by the scenario's share and not by practice's, the reference in every draw of a run.

    benefit : a number; or (n_draws, 1), for the exact engine only
    """

    practice_share: Floats
    share: Floats
    benefit: float | Floats

    @cached_property
    def raised(self) -> bool:
        return bool(np.any(self.share > self.practice_share))


@dataclass(frozen=True)
class Model:
    """States with numbers. `cells` are the combinations of the attributes that matter, `weights` their shares.

    ends : states in which patients are followed no further, by the exact engine: a set that is entered once
    """

    scenario: Scenario
    exits: Mapping[str, tuple[Exit, ...]]
    mix: Mapping[str, Mapping[str, float]]
    attributes: tuple[str, ...]
    cells: tuple[Cell, ...]
    weights: Floats
    marginal: MarginalBenefit | None
    n_draws: int
    ends: frozenset[str] = frozenset()

    @property
    def pathway(self) -> Pathway:
        return self.scenario.pathway

    @cached_property
    def instant(self) -> dict[str, Exit]:
        """The sojourns in which no time passes, for anybody, and the exit that is taken."""
        instant: dict[str, Exit] = {}
        for name, exits in self.exits.items():
            for exit in exits if exits and exits[0].probability is None else ():
                if exit.is_instant:
                    instant.setdefault(name, exit)
        return instant

    @cached_property
    def timeless(self) -> frozenset[str]:
        """The states in which no time passes: choices and instant sojourns."""
        return frozenset(self.instant) | {name for name, state in self.pathway.states.items() if state.is_choice}

    @cached_property
    def open_ways(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """By state, the exits that anybody can take, as (name, to)."""
        ways = []
        for state, exits in self.exits.items():
            taken = [self.instant[state]] if state in self.instant else exits
            taken = () if state in self.ends else taken
            ways.append((state, tuple((exit.name, exit.to) for exit in taken if exit.has_share)))
        return tuple(ways)

    @cached_property
    def open_onward(self) -> dict[str, list[str]]:
        """By state, where the exits lead that anybody can take."""
        return {state: [to for _, to in exits] for state, exits in self.open_ways}

    @cached_property
    def onward(self) -> dict[str, list[str]]:
        """By state, where patients may go: by a branch that has a share, or a latent time that may strike."""
        return {name: [exit.to for exit in exits if exit.may_be_taken] for name, exits in self.exits.items()}

    def is_over(self, state: str) -> bool:
        """Return whether patients in a state are followed no further: they are dead, or it is an end."""
        return state in self.ends or self.pathway.states[state].is_absorbing

    def of_draw(self, draw: int) -> Model:
        """Return the model of one of its draws, by place."""
        return self.of_draws([draw])

    def of_draws(self, draws: Sequence[int]) -> Model:
        """Return the model of some of its draws, by their places."""
        return self._mapped(lambda values: values[draws], len(draws))

    def in_numbers(self, draw: int) -> Model:
        """Return the model of one of its draws, by place, as resolved from numbers: microsim takes it."""

        def of_draw(values: Floats) -> Any:
            return values[draw][0] if values.shape[-1] == 1 else values[draw]

        model = self._mapped(of_draw, 1)
        return replace(model, weights=np.atleast_1d(model.weights))

    def _mapped(self, of_draws: Callable[[Floats], Any], n_draws: int) -> Model:
        """Return the model with a function of every array that has a row a draw."""

        def mapped(values: Any) -> Any:
            has_draws = isinstance(values, np.ndarray) and values.ndim > 1 and values.shape[0] == self.n_draws
            return of_draws(values) if has_draws else values

        def exit_of(exit: Exit) -> Exit:
            time = None if exit.time is None else exit.time.with_parameters(mapped)
            return replace(exit, time=time, probability=mapped(exit.probability))

        marginal = self.marginal
        if marginal is not None:
            marginal = MarginalBenefit(
                mapped(marginal.practice_share), mapped(marginal.share), mapped(marginal.benefit)
            )
        exits = {name: tuple(exit_of(exit) for exit in exits) for name, exits in self.exits.items()}
        return replace(self, exits=exits, weights=mapped(self.weights), marginal=marginal, n_draws=n_draws)

    def in_level(self, attribute: str, level: str) -> Booleans:
        """Return which cells : (n_cells,) have a level of an attribute that matters."""
        place = self.attributes.index(attribute)
        return np.array([cell[place] == level for cell in self.cells])


def stacked(models: Sequence[Model], draws: Sequence[int]) -> Model:
    """Return one model of some draws, by place, of several in turn, which differ in shares and benefit only."""
    first, n_draws = models[0], models[0].n_draws

    def together(*values: Any) -> Any:
        if all(np.array_equal(other, values[0]) for other in values) and np.shape(values[0])[:-1] in ((), (1,)):
            return values[0]
        width = max(np.atleast_2d(other).shape[1] for other in values)
        return np.concatenate([np.broadcast_to(other, (n_draws, width))[draws] for other in values])

    def exit_of(repeated: Exit, *exits: Exit) -> Exit:
        shares = [exit.probability for exit in exits]
        return replace(repeated, probability=None if shares[0] is None else together(*shares))

    whole, exits = first.of_draws([*draws] * len(models)), {}
    for name, repeated in whole.exits.items():
        of_models = [model.exits[name] for model in models]
        same = all(of_model is of_models[0] for of_model in of_models)
        exits[name] = repeated if same else tuple(map(exit_of, repeated, *of_models))
    marginal = first.marginal
    if marginal is not None:
        rules = [model.marginal for model in models if model.marginal is not None]
        numbers = zip(*((rule.practice_share, rule.share, rule.benefit) for rule in rules), strict=True)
        marginal = MarginalBenefit(*(together(*values) for values in numbers))
    return replace(whole, exits=exits, marginal=marginal)


def point_values(pathway: Pathway) -> dict[str, float]:
    """Return every parameter at its declared value."""
    return {name: parameter.value for name, parameter in pathway.parameters.items()}


def resolve(scenario: Scenario, values: Values | None = None) -> Model:
    """Return a scenario's model; `values` overlay the declared ones. Raises InputError naming the keys at fault."""
    return next(resolve_each([scenario], values))


def resolve_each(scenarios: Iterable[Scenario], values: Values | None = None) -> Iterator[Model]:
    """Yield the models of scenarios of one pathway; see `resolve`. Exits that are made of the same are the same."""
    made: dict[str, tuple[Made, tuple[Exit, ...]]] = {}
    for scenario in scenarios:
        draw_values: dict[str, Floats | float] = {**point_values(scenario.pathway), **(values or {})}
        try:
            model = _resolve(scenario, draw_values, made)
        except InputError as error:
            raise _blamed(scenario, draw_values, error) from None
        yield model


def _blamed(scenario: Scenario, draw_values: Values, error: InputError) -> InputError:
    """Return an error of the pathway's numbers as the lever's that made them so, if one did."""
    if scenario.pathway.where not in error.where or error.where.startswith(f"{scenario.where}: "):
        return error
    for lever in LEVERS:
        for name, value in getattr(scenario, lever).items():
            alone: dict[str, Any] = {lever: {name: value}}
            try:
                _resolve(Scenario(scenario.name, scenario.pathway, **alone), draw_values, {})
            except InputError:
                where = f"{scenario.where}: [{lever}] {name}, in {error.where}"
                return InputError(error.what, where=where, got=error.got, allowed=error.allowed, nearest=error.nearest)
    return error


def _resolve(scenario: Scenario, draw_values: Values, made: dict[str, tuple[Made, tuple[Exit, ...]]]) -> Model:
    pathway = scenario.pathway
    n_draws = max((np.shape(value)[0] for value in draw_values.values() if np.ndim(value)), default=1)
    mix = {name: joint.margin(name) for joint in scenario.joints for name in joint.of}
    attributes, cells, shares = cells_of(scenario)
    resolver = Resolver(scenario, apply_levers(scenario, draw_values), attributes, cells, made)
    exits = {name: resolver.exits(state) for name, state in pathway.states.items()}
    _check_time_passes(scenario, exits)
    return Model(scenario, exits, mix, attributes, cells, shares, _marginal(resolver, draw_values), n_draws)


def _check_time_passes(scenario: Scenario, exits: Mapping[str, tuple[Exit, ...]]) -> None:
    """Refuse a cycle that some patients could go round for ever within one instant."""
    cyclic = scenario.pathway.states_of_cycles
    ways_at_once = {name: [way.to for way in ways if name in cyclic and way.is_at_once] for name, ways in exits.items()}
    for name, onward in ways_at_once.items():
        if onward and exits[name][0].time is not None and name in reachable(onward, ways_at_once.__getitem__):
            raise InputError(
                f"patients return to '{name}' and no time passes",
                where=f"{scenario.where}: [states.{name}]",
                allowed="a sojourn longer than 0 months on every cycle",
            )


def marginal(scenario: Scenario) -> MarginalBenefit | None:
    """Return who is marginal at the declared values, as `resolve` does but without all other states; None if nobody.

    Raises InputError.
    """
    declared = point_values(scenario.pathway)
    attributes, cells, _ = cells_of(scenario)
    return _marginal(Resolver(scenario, apply_levers(scenario, declared), attributes, cells), declared)


def _marginal(resolver: Resolver, draw_values: Mapping[str, Floats | float]) -> MarginalBenefit | None:
    declared = resolver.pathway.marginal
    if declared is None:
        return None
    before = Resolver(resolver.scenario, draw_values, resolver.attributes, resolver.cells)
    decision = resolver.pathway.states[declared.decision]
    marginal_shares = []
    for ways in (before.exits(decision), resolver.exits(decision)):
        marginal_shares.append(next(way.probability for way in ways if way.name == declared.branch))
    assert marginal_shares[0] is not None
    assert marginal_shares[1] is not None
    return MarginalBenefit(marginal_shares[0], marginal_shares[1], _benefit(resolver.scenario, draw_values))


def _benefit(scenario: Scenario, draw_values: Mapping[str, Floats | float]) -> Floats | float:
    """Return the scenario's marginal benefit, or each draw's own."""
    benefit = scenario.marginal_benefit
    if not isinstance(benefit, str):
        return benefit
    if f"@{benefit}" not in draw_values:
        raise InputError(
            f"no draw of pathway '{scenario.pathway.name}' has a marginal benefit",
            where=scenario.where,
            got=f"@{benefit}",
            allowed="@0 to @1",
        )
    return draw_values[f"@{benefit}"]


def check_numbers(pathway: Pathway) -> None:
    """Refuse a pathway whose declared values do not make a model. Raises InputError."""
    resolve(Scenario(name=pathway.name, pathway=pathway, file=pathway.file))
