"""Priors of the branches of a choice: only those that can never sum to anything but one are taken, by every command."""

from pathlib import Path

import numpy as np
import pytest

from calibration.choice_priors import priors_of_pathway
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario

PATHWAY = """
title = "three ways"
start = "choice"
[clocks]
start = "choice"
[states.choice]
kind = "chance"
[[states.choice.branches]]
to = "drug"
probability = "drug_share"
[[states.choice.branches]]
to = "surgery"
probability = "surgery_share"
[[states.choice.branches]]
to = "waiting"
probability = {third}
[states.drug]
kind = "sojourn"
[[states.drug.transitions]]
to = "dead"
time = {{ family = "exponential", rate = 0.1 }}
[states.surgery]
kind = "sojourn"
[[states.surgery.transitions]]
to = "dead"
time = {{ family = "exponential", rate = 0.2 }}
[states.waiting]
kind = "sojourn"
[[states.waiting.transitions]]
to = "dead"
time = {{ family = "exponential", rate = 0.3 }}
[states.dead]
kind = "death"
[parameters]
drug_share = {{ unit = "probability", meaning = "made up", value = 0.3, source = "assumption", prior = {drug} }}
surgery_share = {{ unit = "probability", meaning = "made up", value = 0.3, source = "assumption", prior = {surgery} }}
{more}
"""
BETA, DIRICHLET = '{ family = "beta", a = 1, b = 1 }', '{ family = "dirichlet", alpha = 1 }'
UP_TO_HALF = '{ family = "uniform", lower = 0, upper = 0.5 }'
WAIT = 'waiting_share = { unit = "probability", meaning = "made up", value = 0.4, source = "assumption", prior = %s }'


def written(folder: Path, third: str, drug: str, surgery: str, more: str = "") -> Path:
    path = folder / "own.toml"
    path.write_text(PATHWAY.format(third=third, drug=drug, surgery=surgery, more=more), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("third", "drug", "surgery", "more"),
    [
        ('"rest"', UP_TO_HALF, UP_TO_HALF, ""),
        ('"waiting_share"', DIRICHLET, DIRICHLET, WAIT % DIRICHLET),
    ],
)
def test_priors_of_branches_that_sum_to_one_give_a_model_at_every_point(
    tmp_path: Path, third: str, drug: str, surgery: str, more: str
) -> None:
    pathway = load_pathway(written(tmp_path, third, drug, surgery, more))
    priors = priors_of_pathway(pathway)
    theta = priors.transform(3.0 * np.random.default_rng(1).standard_normal((200, priors.dimension)))
    values = {name: theta[:, [i]] for i, name in enumerate(priors.names)}
    assert resolve(Scenario("own", pathway), values).n_draws == 200


@pytest.mark.parametrize(
    ("third", "drug", "surgery", "more", "message"),
    [
        ('"rest"', DIRICHLET, DIRICHLET, "", r"drug_share\.prior: a dirichlet prior next to .*instead of \"rest\""),
        ('"rest"', BETA, BETA, "", r"\[states\.choice\]: .*can sum to more than 1; got 'drug_share, surgery_share"),
        ('"rest"', UP_TO_HALF, BETA, "", "can sum to more than 1"),
        ('"rest"', DIRICHLET, BETA, "", "a dirichlet prior next to"),
        ("0.4", BETA, BETA, "", "can sum to more than 1"),
        ("0.4", DIRICHLET, DIRICHLET, "", "can sum to more than 1"),
        ('"waiting_share"', DIRICHLET, DIRICHLET, WAIT % BETA, "can sum to more than 1"),
        ("0.4", '{ family = "uniform", lower = 0, upper = 0.3 }', UP_TO_HALF.replace("0.5", "0.3"), "", "less than 1"),
    ],
)
def test_priors_of_branches_that_may_not_sum_to_one_are_refused_by_their_choice(
    tmp_path: Path, third: str, drug: str, surgery: str, more: str, message: str
) -> None:
    pathway = load_pathway(written(tmp_path, third, drug, surgery, more))
    with pytest.raises(InputError, match=message):
        priors_of_pathway(pathway)
