"""Cross-validation: every reported figure predicted by a fit that has not seen it.

Targets that imply one another are left out together: all survivors at a month, all deaths, all branches of one choice.
The frozen draws are reweighted by likelihood without / likelihood with (Gelfand, Dey & Chang 1992); where too few of
them remain effective, the rest of the targets is fitted anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from calibration.fit import likelihood_of, priors_of
from calibration.likelihood.cells import settled
from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets, with_rows
from calibration.predictive import simulate_figures
from calibration.reported.kinds.counts import Row
from calibration.reported.kinds.kind import Kind
from calibration.sampler.diagnostics import (
    effective_sample_size,
    is_heavy,
    pareto_k_hat,
    tail_share,
    weighted_quantiles,
)
from calibration.sampler.imis import sample
from simulator import execution
from simulator.arrays import Floats, slices
from simulator.engines.curves import INTERVAL
from simulator.errors import InputError
from simulator.evidence.draws import read_draws, values

LEAST = 300.0
"""Effective draws below which the rest is fitted anew: a bound is then known to 0.9 points of probability."""

ROWS = 50
WANTED = 500
"""Draws of a new fit."""
FITTED = partial(sample, wanted=WANTED, initial=1000, refit=1000, most_points=8000, starts=1)
"""The sampler of `calibrate` with fewer points."""


@dataclass(frozen=True)
class Block:
    """Likelihood targets that are left out together; `rows` : their places in the table."""

    name: str
    rows: tuple[int, ...]


def blocks(targets: Targets) -> list[Block]:
    """Return the blocks that can be left out, in the order of the table."""
    members: dict[str, list[int]] = {}
    for place, figure in enumerate(targets.figures):
        if figure.is_fitted:
            name = figure.left_out_with or " / ".join(_choice_of(targets, figure))
            members.setdefault(name, []).append(place)
    return [Block(name, tuple(rows)) for name, rows in members.items()]


def _choice_of(targets: Targets, figure: Kind) -> list[str]:
    """Return the states of a choice that rows count of the same patients, of which nobody enters two."""
    rows = [other for other in targets.courses.rows if other.kind == "entered"]
    of_same = [other for other in rows if (other.population, other.n) == (figure.population, figure.n)]
    choices: list[list[Row]] = []
    for other in of_same:
        choice = next((rows for rows in choices if all(targets.courses.exclude(other, one) for one in rows)), None)
        if choice is None:
            choices.append(choice := [])
        choice.append(other)
    states = ([state for other in choice for state in other.states] for choice in choices)
    return list(dict.fromkeys(next(states_of for states_of in states if figure.state in states_of)))


def without(targets: Targets, block: Block) -> Targets:
    """Return the targets without a block."""
    rows = targets.cohort.targets
    return with_rows(targets, rows.drop(index=rows.index[list(block.rows)]))


def same(targets: Targets, rest: Targets) -> bool:
    """Return whether the rest is the same to the likelihood: its tables, branches and times."""
    terms, other_terms = ((version.percentages, version.curves, version.times) for version in (targets, rest))
    if targets.tables is None or terms != other_terms:
        return terms == other_terms
    kept_rows = {equation.where for equation in rest.tables.equations} if rest.tables else set()
    kept = [equation for equation in targets.tables.equations if equation.where in kept_rows]
    dropped = [equation for equation in targets.tables.equations if equation.where not in kept_rows]
    return all(settled(kept, lost.cells, targets.tables.n_cells) == lost.count for lost in dropped)


def cross_validate(targets: Targets, *, jobs: int = 1) -> pd.DataFrame:
    """Return a row a likelihood target: the reported figure, and a prediction for as many patients by a fit without it.

    lower, upper : 95 % predictive interval, NaN where there is none; effective_draws : behind it
    how : reweighted or refitted, or why it cannot be left out
    informs : no where other rows report the same, so that nothing is left out
    """
    draws = read_draws(targets.folder / "draws.csv", targets.pathway)
    chunks = slices(len(draws), ROWS)
    work = partial(_log_likelihood, targets, draws)
    with execution.Pool(jobs) as pool:

        def log_likelihood(block: Block | None) -> Floats:
            return np.concatenate(list(execution.map(work, [(block, rows) for rows in chunks], jobs=pool)))

        figures = np.concatenate(list(execution.map(partial(simulate_figures, targets, draws), chunks, jobs=pool)))
        whole = log_likelihood(None)
        rows = [_predicted(targets, block, draws, figures, whole, log_likelihood) for block in blocks(targets)]
    return pd.concat(rows, ignore_index=True)


def _log_likelihood(targets: Targets, draws: pd.DataFrame, item: tuple[Block | None, slice]) -> Floats:
    block, rows = item
    kept = targets if block is None else without(targets, block)
    return np.asarray(Likelihood(kept)(values(draws, rows)))


def _predicted(
    targets: Targets,
    block: Block,
    draws: pd.DataFrame,
    figures: Floats,
    whole: Floats,
    log_likelihood: Callable[[Block | None], Floats],
) -> pd.DataFrame:
    try:
        is_implied = same(targets, without(targets, block))
    except InputError as error:
        nothing = np.full((1, len(targets.cohort.targets)), np.nan)
        return _rows(targets, block, nothing, np.zeros(1)).assign(how=f"not left out: {error.what}", informs="yes")
    log_ratio = log_likelihood(block) - whole
    how, weights = "reweighted", np.exp(log_ratio - log_ratio.max())
    if not is_implied and _is_poor(log_ratio, weights):
        how, draws = "refitted", refitted(targets, block)
        figures = simulate_figures(targets, draws, slice(0, len(draws)))
        weights = np.ones(len(draws))
    predicted = _rows(targets, block, figures, weights)
    return predicted.assign(how=how, informs="no" if is_implied else "yes")


def _is_poor(log_weight: Floats, weights: Floats) -> bool:
    heavy = is_heavy(pareto_k_hat(log_weight), tail_share(weights), len(weights))
    return effective_sample_size(weights) < LEAST or heavy


def refitted(targets: Targets, block: Block) -> pd.DataFrame:
    """Return draws of the parameters given all targets but a block."""
    priors = priors_of(targets)
    with likelihood_of(without(targets, block), 1) as (log_likelihood, _):
        points = FITTED(log_likelihood, priors.dimension, seed=targets.seed)
    rows = points.resample(WANTED, seed=targets.seed)
    return pd.DataFrame(priors.transform(points.z[rows]), columns=list(priors.names))


def _rows(targets: Targets, block: Block, figures: Floats, weights: Floats) -> pd.DataFrame:
    predicted = []
    for place in block.rows:
        figure = targets.figures[place]
        reported, factor = figure.reported, figure.factor
        known = ~np.isnan(figures[:, place])
        lower, upper = np.full(2, np.nan)
        if known.any():
            lower, upper = weighted_quantiles(factor * figures[known, place], weights[known], INTERVAL)
        predicted.append(
            {
                "target": figure.name,
                "left_out_with": block.name,
                "population": figure.population,
                "unit": figure.unit_of_figure,
                "reported": reported,
                "lower": lower,
                "upper": upper,
                "inside": "" if np.isnan(lower) else "yes" if lower - 1e-9 <= reported <= upper + 1e-9 else "no",
                "effective_draws": effective_sample_size(weights) if known.any() else 0.0,
            }
        )
    return pd.DataFrame(predicted)
