"""Reasons why a posterior is hard to sample name the parameters at fault, and no others."""

from collections.abc import Callable

import numpy as np
import pytest

from calibration.sampler.difficulty import difficulties
from calibration.sampler.imis import WeightedSample, sample
from simulator.arrays import Floats
from simulator.evidence.priors import Priors
from simulator.pathway.pathway import Parameter, Prior


def priors() -> Priors:
    normal = Prior("normal", {"mean": 0.0, "sd": 1.0})
    names = ("uptake", "hazard", "delay", "cure")
    return Priors.from_parameters({name: Parameter(name, "number", "", 0.0, "", prior=normal) for name in names})


def sampled(log_likelihood: Callable[[Floats], Floats]) -> WeightedSample:
    return sample(log_likelihood, 4, seed=3, wanted=100, initial=1000, refit=500, most_points=2000)


@pytest.mark.parametrize(
    ("log_likelihood", "phrase", "named"),
    [
        (lambda z: -0.5 * ((z[:, 1] - 6.0) / 0.3) ** 2, "above its prior's median", {"hazard"}),
        (lambda z: -0.5 * ((z[:, 1] + 6.0) / 0.3) ** 2, "below its prior's median", {"hazard"}),
        (lambda z: -0.5 * ((np.abs(z[:, 2]) - 1.5) / 0.2) ** 2, "two separate sets of values", {"delay"}),
        (lambda z: -0.5 * ((z[:, 0] + z[:, 3]) / 0.05) ** 2, "hardly distinguish uptake from cure", {"uptake", "cure"}),
    ],
)
def test_the_parameters_at_fault_are_named(
    log_likelihood: Callable[[Floats], Floats], phrase: str, named: set[str]
) -> None:
    sentences = difficulties(sampled(log_likelihood), priors())
    (sentence,) = [sentence for sentence in sentences if phrase in sentence]
    assert {name for name in priors().names if name in sentence} == named


def test_an_easy_posterior_has_no_difficulty() -> None:
    assert difficulties(sampled(lambda z: -0.5 * ((z - 0.5) ** 2).sum(axis=1)), priors()) == []
