"""How far a page is from the exact engine: random settings solved by both, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from simulator.arrays import Floats
from simulator.engines.curves import up_to
from simulator.engines.exact import engine
from simulator.engines.model import Model, resolve
from simulator.errors import AftercartError, InputError
from simulator.explorer.page_model import PageModel, summed
from simulator.explorer.stored import quantised
from simulator.outcomes.summaries import median
from simulator.outcomes.uncertainty import of_medians
from simulator.scenario.scenario import Scenario

SETTINGS, DRAWS, TRIES = 8, 10, 400
BEFORE, AFTER = 1e-6, 2e-5
"""How far survival may be from the engine's, with curves as they are and as they are stored."""


def check(page: PageModel, values: Mapping[str, Floats], *, seed: int) -> dict[str, float]:
    """Return how far survival, its mean and median were from the engine's in random settings. Raises AftercartError.

    values : parameter -> (n_draws, 1), of the page; some of them are checked
    """
    generator = np.random.default_rng(seed)
    rows = generator.permutation(page.model.n_draws)[:DRAWS]
    few = {name: np.asarray(value)[rows] for name, value in values.items()}
    curves = {path: curve[rows] if len(curve) > 1 else curve for path, curve in page.curves.items()}
    tops = np.append(np.ones(len(page.months)), page.integrated)
    stored = {path: quantised(curve, tops) for path, curve in curves.items()}
    moved = dict.fromkeys(("before", "after", "mean_survival", "median"), 0.0)
    solved = ((one, model) for one in (page, *page.others) for _, model in settings(one, generator, few))
    for one, model in solved:
        alive, means, medians = _by_engine(page, model)
        for name, kept in (("before", curves), ("after", stored)):
            gone = summed(model, one.deaths, kept)
            moved[name] = max(moved[name], _apart(1.0 - gone[:, : len(page.months)], alive))
        moved["mean_survival"] = max(
            moved["mean_survival"], _apart(np.array(page.integrated) - gone[:, len(page.months) :], means)
        )
        moved["median"] = max(
            moved["median"], _apart_medians(_medians(page.months, 1.0 - gone), medians, page.months[-1])
        )
    if moved["before"] > BEFORE or moved["after"] > AFTER:
        raise AftercartError(
            f"the page is not the engine: survival of a random setting differs by {moved['after']:.2g}"
        )
    return moved


def settings(
    page: PageModel, generator: np.random.Generator, values: Mapping[str, Floats]
) -> Iterator[tuple[Scenario, Model]]:
    """Yield random settings, with their models: shares, case mix and benefit."""
    scenario, pathway = page.scenario, page.scenario.pathway
    names = [slider.name for slider in page.sliders]
    n_settings = 0
    for _ in range(TRIES):
        if n_settings == SETTINGS:
            return
        chosen = generator.permutation(names)[: generator.integers(1, 5)].tolist()
        # Shares of one choice that are moved together leave something for the others.
        shares = {
            name: float(generator.random()) * min((1.0 - of.fixed) / len(of.names) for of in pathway.siblings(name))
            for name in chosen
        }
        mix = {
            attribute: dict(
                zip(
                    pathway.attributes[attribute].levels,
                    generator.random(len(pathway.attributes[attribute].levels)).tolist(),
                    strict=True,
                )
            )
            for attribute in page.model.attributes
            if generator.random() < 0.5
        }
        setting = replace(
            scenario,
            set={**scenario.set, **shares},
            population={**scenario.population, **mix},
            marginal_benefit=float(generator.random()) if page.model.marginal else 1.0,
        )
        # Shares of a choice that are moved together may leave too little, or too much, for the others.
        with suppress(InputError):
            yield setting, resolve(setting, values)
            n_settings += 1


def _by_engine(page: PageModel, model: Model) -> tuple[Floats, Floats, Floats]:
    """Return survival in the page's months, its means to the page's, and its medians, (n_draws, ...)."""
    key, horizon = (model.pathway.clock, "all"), float(page.months[-1])
    curves = engine.curves(model, horizon, step=page.step, only=[key])
    places = np.rint(page.months / page.step).astype(int)
    means = np.stack([up_to(curves.means[key], page.step, month) for month in page.integrated], axis=1)
    return curves.survival[key][:, places], means, median(curves, *key)


def _medians(months: Floats, alive: Floats) -> Floats:
    """Return the medians of survival, (n_draws,), as the page finds them: by monotone cubics between its months."""
    medians = np.full(len(alive), np.inf)
    for draw, row in enumerate(alive[:, : len(months)]):
        below = np.flatnonzero(row < 0.5)
        if below.size:
            at = PchipInterpolator(months, row).solve(0.5, extrapolate=False)
            medians[draw] = at[at <= months[below[0]]][-1] if at.size else months[below[0]]
    return medians


def _apart_medians(one: Floats, other: Floats, most: float) -> float:
    """Return how far the medians over draws are from one another; `most` where one of them is not reached."""
    middles = [float(of_medians(values, np.zeros(len(values))).estimate) for values in (one, other)]
    if np.isnan(middles).any():
        return 0.0 if np.isnan(middles).all() else most
    return abs(middles[0] - middles[1])


def _apart(one: Floats, other: Floats) -> float:
    return float(np.max(np.abs(one - other)))
