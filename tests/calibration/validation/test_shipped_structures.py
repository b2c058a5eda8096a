"""The shipped table of structures is of the shipped files, and its control does not move."""

import numpy as np
import pytest

from calibration.likelihood.targets import load_targets
from calibration.validation.structure_table import policies_of, survival
from simulator.evidence import structures
from simulator.evidence.draws import load_draws
from simulator.scenario.scenario import load_scenario

WANG = load_targets("wang2024")
TABLE = structures.read(WANG.folder / "draws.csv")


def test_the_table_has_every_structure_and_every_policy_and_none_is_stale() -> None:
    policies = [policy.name for policy in policies_of(WANG.pathway)]
    wanted = {(name, policy) for name in structures.to_fit(WANG.cohort.structures) for policy in policies}
    assert set(zip(TABLE["structure"], TABLE["scenario"], strict=True)) == wanted
    assert structures.stale(WANG.folder / "draws.csv") is None


def test_the_declared_structure_fitted_anew_does_not_move() -> None:
    again = TABLE[TABLE["structure"] == structures.AGAIN]
    assert (again["moved"].abs() < 4 * again["moved_se"]).all()


def test_every_sample_is_worth_300_draws_and_its_error_is_half_a_point_at_most() -> None:
    assert (TABLE["effective_draws"] >= 300).all()
    assert (TABLE["moved_se"] < 0.005).all()


def test_the_declared_structure_has_the_headline_of_a_run() -> None:
    draws = load_draws(WANG.pathway)
    assert draws is not None
    before, after = survival([load_scenario(name) for name in ("baseline", "wider-salvage")], draws.iloc[:400])
    row = TABLE.set_index(["structure", "scenario"]).loc[(structures.DECLARED, "wider-salvage")]
    error = float(np.std(after - before)) / 20
    assert row["difference"] == pytest.approx(float(np.mean(after - before)), abs=4 * error)
