"""A posterior without one assumed prior: the frozen draws, reweighted, without fitting anew.

Scores z ~ N(0, I) are the parameters under either prior, theta = T(z) and theta' = T'(z). Two samples of one posterior:

    moved         theta' = T'(z) of each draw,  weight L(theta') / L(theta)      good where the data are silent
    reweighted    theta  as drawn,              weight p'(theta) / p(theta)      good where they speak

and the one of the greater effective size is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from calibration.likelihood.targets import Targets
from calibration.sampler.diagnostics import effective_sample_size
from simulator.arrays import Floats
from simulator.evidence.priors import Priors, priors_of_pathway
from simulator.pathway.pathway import Pathway, Prior

WIDER = 2.0
"""Factor on the standard deviation of a prior, or of its logarithm."""


@dataclass(frozen=True)
class Widened:
    """draws : (n, a column a parameter with a prior); log_weights : (n,), unnormalised; description : its change."""

    parameters: tuple[str, ...]
    description: str
    draws: pd.DataFrame
    log_weights: Floats


def assumed(pathway: Pathway) -> list[tuple[str, ...]]:
    """Return the priors whose source says "assumption", siblings of one Dirichlet together, unless they are flat."""
    sets = pathway.dirichlets()
    assumptions: list[tuple[str, ...]] = []
    for name, parameter in pathway.parameters.items():
        if parameter.prior is None or without(parameter.prior) == parameter.prior:
            continue
        names = next((siblings for siblings in sets if name in siblings), (name,))
        if any("assumption" in pathway.parameters[member].source for member in names) and names not in assumptions:
            assumptions.append(names)
    return assumptions


def without(prior: Prior) -> Prior:
    """Return a prior without its assumption: flat for a probability, otherwise twice as wide."""
    arguments = dict(prior.arguments)
    if prior.family in ("beta", "dirichlet"):
        arguments = dict.fromkeys(arguments, 1.0)
    elif prior.family == "lognormal":
        arguments["sigma"] *= WIDER
    elif prior.family == "normal":
        arguments["sd"] *= WIDER
    elif prior.family == "gamma":
        arguments = {key: value / WIDER**2 for key, value in arguments.items()}
    return Prior(prior.family, arguments)


def widened(
    targets: Targets,
    draws: pd.DataFrame,
    log_likelihood: Callable[[Floats], Floats],
    names: Collection[str],
    progress: Callable[[int, int], None],
) -> Iterator[Widened]:
    """Yield the posterior without each assumed prior of some parameters.

    draws : (n, a column a parameter with a prior), from the posterior
    log_likelihood : of scores under the declared priors, as `fit.likelihood_of` gives it
    """
    declared = priors_of_pathway(targets.pathway)
    columns = list(declared.names)
    theta = draws[columns].to_numpy()
    z = declared.inverse(theta)
    declared_log_likelihood = log_likelihood(z)
    assumptions = [siblings for siblings in assumed(targets.pathway) if set(siblings) & set(names)]
    for done, siblings in enumerate(assumptions, start=1):
        parameters = targets.pathway.parameters
        priors = {name: prior for name in siblings if (prior := parameters[name].prior) is not None}
        moved = _priors_without(targets.pathway, priors).transform(z)
        choices = [
            (theta, np.asarray(sum(_log_ratio(prior, draws[name].to_numpy()) for name, prior in priors.items()))),
            (moved, log_likelihood(declared.inverse(moved)) - declared_log_likelihood),
        ]
        chosen, log_weights = max(choices, key=lambda choice: _effective(choice[1]))
        change = "flat" if priors[siblings[0]].family in ("beta", "dirichlet") else "twice as wide"
        yield Widened(siblings, change, pd.DataFrame(chosen, columns=columns), log_weights)
        progress(done, len(assumptions))


def _priors_without(pathway: Pathway, priors: Mapping[str, Prior]) -> Priors:
    """Return a pathway's priors without the assumptions of some."""
    changed = {name: replace(pathway.parameters[name], prior=without(prior)) for name, prior in priors.items()}
    return Priors.from_parameters({**pathway.parameters, **changed}, pathway.dirichlets())


def _log_ratio(prior: Prior, x: Floats) -> Floats:
    """Return log p'(x) / p(x) : (n,), up to a constant."""
    return _log_density(without(prior), x) - _log_density(prior, x)


def _log_density(prior: Prior, x: Floats) -> Floats:
    """Return the log density of a prior, up to a constant; for a sibling, its factor in the Dirichlet's."""
    arguments = prior.arguments
    match prior.family:
        case "lognormal":
            return np.asarray(-0.5 * (np.log(x / arguments["median"]) / arguments["sigma"]) ** 2 - np.log(x))
        case "normal":
            return np.asarray(-0.5 * ((x - arguments["mean"]) / arguments["sd"]) ** 2)
        case "beta":
            return np.asarray((arguments["a"] - 1.0) * np.log(x) + (arguments["b"] - 1.0) * np.log1p(-x))
        case "dirichlet":
            return np.asarray((arguments["alpha"] - 1.0) * np.log(x))
        case "gamma":
            return np.asarray((arguments["shape"] - 1.0) * np.log(x) - arguments["rate"] * x)
    return np.zeros_like(x)


def _effective(log_weights: Floats) -> float:
    return effective_sample_size(np.exp(log_weights - log_weights.max()))
