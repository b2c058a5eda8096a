"""The shipped table of structures is of the shipped files, and its control does not move."""

import numpy as np
import pytest

from calibration.likelihood.targets import find_folder
from calibration.validation.structure_table import policies_of, survival
from simulator.evidence import structures
from simulator.evidence.cohort import read_cohort
from simulator.evidence.draws import load_draws
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import load_scenario

COHORT, PATHWAY = read_cohort(find_folder("wang2024")), load_pathway("b_all_post_cd19")
DRAWS = COHORT.folder / "draws.csv"
TABLE = structures.read(DRAWS)


def test_the_table_has_every_structure_and_every_policy_and_none_is_stale() -> None:
    policies = [policy.name for policy in policies_of(PATHWAY)]
    wanted = {(name, policy) for name in structures.to_fit(COHORT.structures) for policy in policies}
    assert set(zip(TABLE["structure"], TABLE["scenario"], strict=True)) == wanted
    assert structures.stale(DRAWS) is None


def test_the_declared_structure_fitted_anew_does_not_move() -> None:
    again = TABLE[TABLE["structure"] == structures.AGAIN]
    assert (again["moved"].abs() < 4 * again["moved_se"]).all()


def test_every_sample_is_worth_300_draws_and_its_error_is_half_a_point_at_most() -> None:
    assert (TABLE["effective_draws"] >= 300).all()
    assert (TABLE["moved_se"] < 0.005).all()


def test_the_declared_structure_has_the_headline_of_a_run() -> None:
    draws = load_draws(PATHWAY)
    assert draws is not None
    before, after = survival([load_scenario(name) for name in ("baseline", "wider-salvage")], draws.iloc[:400])
    row = TABLE.set_index(["structure", "scenario"]).loc[(structures.DECLARED, "wider-salvage")]
    error = float(np.std(after - before)) / 20
    assert row["difference"] == pytest.approx(float(np.mean(after - before)), abs=4 * error)
