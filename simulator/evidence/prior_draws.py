"""Draws from the priors: the parameter sets of a pathway that no cohort has informed.

theta = T(z), z = Phi^-1(u),   u addressed by the number of the draw and the parameter's name

T maps independent normal scores to the joint prior (see `Priors`). Adding a parameter moves the draws of no other one.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from simulator.arrays import Floats
from simulator.errors import InputError
from simulator.evidence.priors import priors_of_pathway
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms

N_DRAWS = 2_000
SEED = 0


def prior_draws(pathway: Pathway, n_draws: int = N_DRAWS) -> dict[str, Floats]:
    """Return draws of every parameter that has a prior, parameter -> (n_draws,), in its unit.

    Raises InputError as `priors_of_pathway` does, and if there is none.
    """
    priors, uniforms, numbers = priors_of_pathway(pathway), Uniforms(SEED), np.arange(n_draws)
    if not priors.names:
        what = "no parameter has a prior to draw from"
        raise InputError(what, where=f"{pathway.where}: draws", got=pathway.draws, allowed="a prior, or no `draws`")
    scores = [special.ndtri(uniforms.at(f"prior of {name}", numbers)) for name in priors.score_names]
    theta = priors.transform(np.column_stack(scores))
    return dict(zip(priors.names, theta.T, strict=True))
