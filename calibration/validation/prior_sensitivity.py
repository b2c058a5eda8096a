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

from calibration.choice_priors import priors_of_pathway
from calibration.likelihood.targets import Targets
from calibration.priors import Priors
from calibration.sampler.diagnostics import effective_sample_size
from simulator.arrays import Floats
from simulator.pathway.pathway import Parameter, Pathway, Prior

WIDER = 2.0
"""By how much the standard deviation of a prior, or that of its logarithm, is multiplied."""


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
    found: list[tuple[str, ...]] = []
    for name, parameter in pathway.parameters.items():
        if parameter.prior is None:
            continue
        together = next((each for each in sets if name in each), (name,))
        says = any("assumption" in pathway.parameters[each].source for each in together)
        if says and together not in found and without(parameter.prior) != parameter.prior:
            found.append(together)
    return found


def without(prior: Prior) -> Prior:
    """Return a prior without its assumption: a probability's flat, any other's standard deviation doubled."""
    told = dict(prior.arguments)
    if prior.family in ("beta", "dirichlet"):
        told = dict.fromkeys(told, 1.0)
    elif prior.family == "lognormal":
        told["sigma"] *= WIDER
    elif prior.family == "normal":
        told["sd"] *= WIDER
    elif prior.family == "gamma":
        told = {key: value / WIDER**2 for key, value in told.items()}
    return Prior(prior.family, told)


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
    before = log_likelihood(z)
    every = [each for each in assumed(targets.pathway) if set(each) & set(names)]
    for done, together in enumerate(every, start=1):
        other = _with(targets.pathway, together)
        moved = other.transform(z)
        choices = [
            (theta, _ratio(targets.pathway, together, draws)),
            (moved, log_likelihood(declared.inverse(moved)) - before),
        ]
        chosen, log_weights = max(choices, key=lambda each: _effective(each[1]))
        told = _told(targets.pathway.parameters[together[0]])
        yield Widened(together, told, pd.DataFrame(chosen, columns=columns), log_weights)
        progress(done, len(every))


def _with(pathway: Pathway, names: Collection[str]) -> Priors:
    parameters: Mapping[str, Parameter] = {
        name: replace(parameter, prior=without(parameter.prior))
        if name in names and parameter.prior is not None
        else parameter
        for name, parameter in pathway.parameters.items()
    }
    return Priors.from_parameters(parameters, pathway.dirichlets())


def _ratio(pathway: Pathway, names: Collection[str], draws: pd.DataFrame) -> Floats:
    """Return log p'(theta) / p(theta) : (n,), up to a constant."""
    found = np.zeros(len(draws))
    for name in names:
        prior = pathway.parameters[name].prior
        assert prior is not None
        values = draws[name].to_numpy()
        found += _log_density(without(prior), values) - _log_density(prior, values)
    return found


def _log_density(prior: Prior, x: Floats) -> Floats:
    """Return the log density of a prior, up to a constant; of one sibling, its factor of the Dirichlet's."""
    told = prior.arguments
    match prior.family:
        case "lognormal":
            return np.asarray(-0.5 * (np.log(x / told["median"]) / told["sigma"]) ** 2 - np.log(x))
        case "normal":
            return np.asarray(-0.5 * ((x - told["mean"]) / told["sd"]) ** 2)
        case "beta":
            return np.asarray((told["a"] - 1.0) * np.log(x) + (told["b"] - 1.0) * np.log1p(-x))
        case "dirichlet":
            return np.asarray((told["alpha"] - 1.0) * np.log(x))
        case "gamma":
            return np.asarray((told["shape"] - 1.0) * np.log(x) - told["rate"] * x)
    return np.zeros_like(x)


def _effective(log_weights: Floats) -> float:
    return effective_sample_size(np.exp(log_weights - log_weights.max()))


def _told(parameter: Parameter) -> str:
    prior = parameter.prior
    assert prior is not None
    return "flat" if prior.family in ("beta", "dirichlet") else "twice as wide"
