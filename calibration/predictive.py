"""The predictive table: every reported figure next to the same figure of simulated patients.

For every draw, patients are simulated afresh, followed up as the cohort was, and grouped as the paper grouped them.
A figure of 18 treated is that of the first 18 treated of the stream, whatever share of patients is treated: its
interval includes parameter uncertainty and the sampling of its n patients. Draws are of the posterior, or of the prior.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from calibration.denominators import Denominator, of_rows
from calibration.likelihood.targets import Targets
from calibration.reported.consistency import HORIZON
from calibration.reported.kinds.kind import Kind
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.arrays import Booleans, Floats, Integers, slices
from simulator.engines.microsim.engine import simulate_at_once
from simulator.engines.model import Model, resolve
from simulator.engines.trajectories import Trajectories
from simulator.errors import InputError
from simulator.evidence.draws import values
from simulator.evidence.prior_draws import prior_draws
from simulator.outcomes.uncertainty import central, quantiles
from simulator.randomness import Uniforms
from simulator.scenario.levers import Values

DRAWS = 1000
REPLICATION = 1
"""Other random numbers than those of replication 0, which experiments use."""
STREAM = (4, 16, 64)
"""Patients for each one of the cohort that are simulated in turn, until all denominators are filled."""


def simulate_figures(targets: Targets, draws: pd.DataFrame | None, rows: slice) -> Floats:
    """Return every target's figure, each of its own denominator, (n_cohorts, n_targets); NaN where it is not filled.

    draws : the i-th cohort has draw i, round and round; None for the pathway's declared values
    """
    wanted, n_draws = of_rows(targets), 1 if draws is None else len(draws)
    places = [index % n_draws for index in range(rows.start, rows.stop)]
    # All draws are resolved at once: one by one takes more time than simulating the patients.
    resolved = resolve(targets.scenario, values(None if draws is None else draws.iloc[places], slice(None)))
    models = (resolved.in_numbers(index) for index in range(len(places)))
    return np.array([_figures(targets, model, number, wanted) for number, model in enumerate(models, rows.start + 1)])


def _figures(targets: Targets, model: Model, number: int, wanted: Sequence[tuple[Denominator, ...]]) -> list[float]:
    for times in STREAM:
        cohort = simulated_by(model, targets, number=number, times=times)
        first = {denominator: cohort.first(denominator) for of_figure in wanted for denominator in of_figure}
        if all(of is not None for of in first.values()):
            break
    return [
        _figure(cohort, figure, [first[denominator] for denominator in of_figure])
        for figure, of_figure in zip(targets.figures, wanted, strict=True)
    ]


def _figure(cohort: SimulatedCohort, figure: Kind, first: Sequence[Booleans | None]) -> float:
    """Return a figure, of each of its populations among the first patients of its denominator, (n,); NaN without."""
    among = np.zeros(cohort.follow_up.size, dtype=bool)
    for population, of in zip(figure.populations, first, strict=True):
        if of is None:
            return np.nan
        among |= of & cohort.members(population)
    return cohort.figure(figure, among)


def simulated(targets: Targets, values: Values, *, number: int, times: int = 1) -> SimulatedCohort:
    """Return a cohort `times` the reported size, followed up as that was; `number` : the draw in its uniforms."""
    return simulated_by(resolve(targets.scenario, values), targets, number=number, times=times)


def simulated_by(model: Model, targets: Targets, *, number: int, times: int = 1) -> SimulatedCohort:
    """Return `simulated` by a resolved model."""
    states = {name for group in targets.pathway.groups.values() for name in group.states}
    asked = (figure.asks(targets.cohort, targets.pathway) for figure in targets.figures)
    states = states.union(targets.pathway.deaths, *asked)
    uniforms, n = Uniforms(targets.seed, draw=number, replication=REPLICATION), times * targets.cohort.n
    block, entry = _on_the_clock(targets, model, uniforms, n, frozenset(states))
    return SimulatedCohort(targets, block, _follow_up(targets, uniforms, block), entry)


def _on_the_clock(
    targets: Targets, model: Model, uniforms: Uniforms, n: int, keep: frozenset[str]
) -> tuple[Trajectories, Integers]:
    """Return n patients who start the cohort's clock, with its case mix, and their order. Raises InputError if few do.

    Patients who never start the clock are replaced by later ones of the same levels, as far as the mix is reported.
    """
    for tried in (n, 10 * n, 100 * n):
        block = simulate_at_once(model, uniforms, range(tried), horizon=HORIZON, keep=keep)
        started = np.ones(tried, dtype=bool)
        if targets.cohort.clock == targets.pathway.clock:
            started = np.isfinite(block.clock_month)
        reported = [block.levels[name] for name in targets.scenario.population]
        kinds = np.zeros(tried, dtype=int)
        for level in reported:
            kinds = kinds * (level.max() + 1) + level
        entry = np.full(tried, tried)
        for kind in np.unique(kinds[:n]):
            wanted, alike = np.flatnonzero(kinds[:n] == kind), np.flatnonzero(started & (kinds == kind))
            entry[alike[: wanted.size]] = wanted[: alike.size]
        first = entry < tried
        if first.sum() == n:
            return (block if first.all() else block.only(first)), entry[first]
    what = f"too few patients start the clock '{targets.cohort.clock}'"
    raise InputError(what, where=str(targets.folder / "cohort.toml"), got=int(first.sum()), allowed=f"{n} of {tried}")


def _follow_up(targets: Targets, uniforms: Uniforms, block: Trajectories) -> Floats:
    lower, upper = targets.cohort.follow_up or (HORIZON, HORIZON)
    return np.asarray(lower + (upper - lower) * uniforms.at("@follow_up", block.patients))


def table(targets: Targets, figures: Floats, before: Floats) -> pd.DataFrame:
    """Return the predictive table from simulated figures, of the posterior and of the prior : (n_draws, n_targets)."""
    rows = []
    for figure, simulated, of_prior in zip(targets.figures, figures.T, before.T, strict=True):
        reported, factor = figure.reported, figure.factor
        centre, lower, upper = _summary(figure, factor * simulated)
        prior_centre, prior_lower, prior_upper = _summary(figure, factor * of_prior)
        rows.append(
            {
                "target": figure.name,
                "population": figure.population,
                "month": figure.month,
                "unit": figure.unit_of_figure,
                "reported": reported,
                "standard_error": figure.standard_error,
                "count": figure.count,
                "n": figure.n,
                "simulated": centre,
                "lower": lower,
                "upper": upper,
                "inside": inside(figure, lower, reported, upper),
                "prior_simulated": prior_centre,
                "prior_lower": prior_lower,
                "prior_upper": prior_upper,
                "use": figure.use,
                "place": figure.place,
            }
        )
    return pd.DataFrame(rows)


def _summary(figure: Kind, figures: Floats) -> tuple[float, float, float]:
    """Return the centre and the 95 % interval of a figure."""
    known = figures[~np.isnan(figures)]
    return ((median if figure.is_skewed else mean)(known), *central(known))


def inside(figure: Kind, lower: float, reported: float, upper: float) -> str:
    """Return yes or no, as tables say whether an interval includes a reported figure, which may be rounded."""
    lower, upper = figure.compared(np.array([lower, upper]))
    half = 1e-9 + (0.0 if figure.is_count else 0.5 * figure.digit_of("value"))
    return "yes" if lower - half <= reported <= upper + half else "no"


def mean(values: Floats) -> float:
    """Return the mean of values of any number, NaN of none."""
    return float(values.mean()) if values.size else np.nan


def median(values: Floats) -> float:
    """Return the median of values of any number, NaN of none; values may be infinite."""
    return float(quantiles(values, (0.5,))[0]) if values.size else np.nan


def predict(
    targets: Targets, draws: pd.DataFrame, pool_map: Callable[..., Iterable[Floats]], wanted: int = DRAWS
) -> pd.DataFrame:
    """Return the predictive table of the first `wanted` draws, and of as many of the prior.

    pool_map : maps work over chunks, perhaps in parallel
    """
    wanted = min(wanted, len(draws))
    before = pd.DataFrame(prior_draws(targets.pathway, wanted))
    posterior, prior = (
        np.concatenate(list(pool_map(partial(simulate_figures, targets, table), slices(wanted, 50))))
        for table in (draws, before)
    )
    return table(targets, posterior, prior)
