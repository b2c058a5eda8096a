"""Priors of the branches of a choice: only priors whose shares always sum to one are accepted."""

from typing import Any

import numpy as np
import pytest
from sojourn_times import Table, exponential
from worlds import chance, load, share, sojourn, world

from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence.priors import priors_of_pathway
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

BETA, DIRICHLET = {"family": "beta", "a": 1, "b": 1}, {"family": "dirichlet", "alpha": 1}
UP_TO_HALF = {"family": "uniform", "lower": 0, "upper": 0.5}
STATES = {name: sojourn(dead=exponential(rate=0.1)) for name in ("drug", "surgery", "waiting")}


def three_ways(third: float | str, drug: Table, surgery: Table, waiting: Table | None = None) -> Pathway:
    """A choice of three, with priors of the shares that have names."""
    shares = {"drug": "drug_share", "surgery": "surgery_share", "waiting": third}
    parameters = {"drug_share": share(0.3, prior=drug), "surgery_share": share(0.3, prior=surgery)}
    parameters |= {"waiting_share": share(0.4, prior=waiting)} if waiting else {}
    return load(world("choice", {"choice": chance(**shares), **STATES}, parameters=parameters))


@pytest.mark.parametrize(
    "priors", [("rest", UP_TO_HALF, UP_TO_HALF), ("waiting_share", DIRICHLET, DIRICHLET, DIRICHLET)]
)
def test_priors_of_branches_that_sum_to_one_give_a_model_at_every_point(priors: tuple[Any, ...]) -> None:
    pathway = three_ways(*priors)
    joint = priors_of_pathway(pathway)
    theta = joint.transform(3.0 * np.random.default_rng(1).standard_normal((200, joint.dimension)))
    values = {name: theta[:, [i]] for i, name in enumerate(joint.names)}
    assert resolve(Scenario("own", pathway), values).n_draws == 200


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        (("rest", DIRICHLET, DIRICHLET), r"drug_share\.prior: a dirichlet prior next to .*instead of \"rest\""),
        (("rest", BETA, BETA), r"\[states\.choice\]: .*can sum to more than 1; got 'drug_share, surgery_share"),
        (("rest", UP_TO_HALF, BETA), "can sum to more than 1"),
        (("rest", DIRICHLET, BETA), "a dirichlet prior next to"),
        ((0.4, BETA, BETA), "can sum to more than 1"),
        ((0.4, DIRICHLET, DIRICHLET), "can sum to more than 1"),
        (("waiting_share", DIRICHLET, DIRICHLET, BETA), "can sum to more than 1"),
        ((0.4, {**UP_TO_HALF, "upper": 0.3}, {**UP_TO_HALF, "upper": 0.3}), "less than 1"),
    ],
)
def test_priors_of_branches_that_may_not_sum_to_one_are_refused(priors: tuple[Any, ...], message: str) -> None:
    pathway = three_ways(*priors)
    with pytest.raises(InputError, match=message):
        priors_of_pathway(pathway)
