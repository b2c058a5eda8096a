"""The verdict on the calibration of Wang et al., recomputed from the frozen ranks of its simulated cohorts."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from calibration.likelihood.targets import Targets, find_folder, load_targets
from calibration.validation import trials
from calibration.validation.check import Check, quantities_that_fail
from calibration.validation.ranks import RANKS, trial
from simulator.randomness import Uniforms

FOLDER = find_folder("wang2024")
pytestmark = pytest.mark.slow


@cache
def targets() -> Targets:
    return replace(load_targets("wang2024"), seed=manifest()["seed"])


@cache
def frozen() -> Check:
    left_out = pd.read_csv(FOLDER / "left_out.csv")
    return Check(targets(), trials.read(FOLDER / "ranks.csv"), left_out, manifest()["moved"])


@cache
def manifest() -> dict:
    content = json.loads((FOLDER / "check.json").read_text(encoding="utf-8"))
    return content | {"moved": content["log_likelihood_moved_by_halving_the_lattice"]}


def test_at_least_300_simulated_cohorts_were_fitted() -> None:
    check = frozen()
    assert len(check.ranks) >= 300
    assert len(check.ranks) + sum(check.refused.values()) == len(check.trials)
    assert check.trials["number"].tolist() == list(range(1, len(check.trials) + 1))


def test_every_parameter_and_outcome_ranks_uniformly_and_is_covered() -> None:
    check = frozen()
    assert {"os_12", "rmst_24"} <= set(check.ranks)
    assert set(check.ranks) == set(trials.quantities(check.targets))
    assert quantities_that_fail(check.uniformity, "uniform") == []
    assert quantities_that_fail(check.coverage, "inside") == []
    assert check.failures() == []


def test_the_intervals_of_the_fits_alone_include_the_truth_nearly_as_often() -> None:
    """Without the truth among the points: u = (b + v w) / (b + a + w), so that b / (b + a) = (u - v w) / (1 - w)."""
    check = frozen()
    names = [*trials.quantities(check.targets)]
    fits = check.trials.loc[check.trials["refused"].isna() | (check.trials["refused"] == "")]
    share = fits["truth_share"].to_numpy()[:, None]
    ties = np.stack([Uniforms(check.targets.seed, draw=n).at("@ties", np.arange(len(names))) for n in fits["number"]])
    u = (fits[names].to_numpy() + 0.5) / RANKS
    below = (u - ties * share) / np.maximum(1.0 - share, 1e-12)
    covered = pd.Series(((below > 0.025) & (below < 0.975)).mean(axis=0), names)
    print(
        f"95 % intervals: {covered.mean():.3f} on average, {covered.min():.3f} to {covered.max():.3f}", covered["os_12"]
    )
    # As docs/calibration.md says.
    assert covered.mean() == pytest.approx(0.933, abs=0.001)
    assert covered["os_12"] == pytest.approx(0.947, abs=0.001)
    assert covered.min() == pytest.approx(0.900, abs=0.001)


def test_the_frozen_verdict_follows_from_the_frozen_ranks() -> None:
    recomputed = frozen().manifest()
    known = {key: value for key, value in manifest().items() if key != "moved"}
    assert {key: recomputed[key] for key in known} == known


@pytest.mark.parametrize("number", [1, 8, 12])
def test_a_repeated_fit_has_the_same_ranks(number: int) -> None:
    repeated = trial(targets(), number)
    row = frozen().trials.set_index("number").loc[number]
    assert repeated.ranks == {name: int(row[name]) for name in repeated.ranks}
