"""The shipped table of structures is of the shipped files, and its control does not move."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.likelihood.targets import find_folder, load_targets
from calibration.validation.structure_table import policies_of, survival
from simulator.arrays import Floats
from simulator.engines.exact import accuracy, engine
from simulator.engines.model import point_values, resolve
from simulator.evidence import structures
from simulator.evidence.cohort import read_cohort
from simulator.evidence.draws import load_draws
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario, load_scenario

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


@pytest.mark.parametrize(("response", "ratio"), [("", 1.0), ("_in_pr", 2.5)])
def test_patients_stay_well_after_hsct_in_pr_as_after_hsct_in_cr_to_the_power_of_the_hazard_ratio(
    response: str, ratio: float
) -> None:
    """Of 37, 20 have a first HSCT and 17 a second; they can relapse from discharge on."""
    pathway, admission = load_targets("wang2024", structure="hsct_in_pr").pathway, f"hsct{response}"
    only = replace(pathway, start=admission, clocks={"hsct": admission}, groups={}, end_points={}, marginal=None)
    solved, at = engine.curves(resolve(Scenario("HSCT", only), {"pr_hsct_hazard_ratio": 2.5}), 60.0), point_values(only)

    def spared(months: Floats, event: str, cure: str) -> Floats:
        not_yet = 0.5 ** ((np.maximum(months, 0.0) / at[f"{event}_median"]) ** at[f"{event}_shape"])
        return at[cure] + (1.0 - at[cure]) * not_yet

    no_death = [spared(solved.months, "trm", f"trm_free_{which}_hsct") ** ratio for which in ("first", "second")]
    no_relapse = spared(solved.months - at["hsct_admission_months"], "hsct_relapse", "hsct_cure") ** ratio
    well = sum(solved.occupancy["hsct"][state][0] for state in (admission, f"after_{admission}"))
    known = (20 * no_death[0] + 17 * no_death[1]) / 37 * no_relapse
    np.testing.assert_allclose(well, known, rtol=0, atol=accuracy.LIMIT)
