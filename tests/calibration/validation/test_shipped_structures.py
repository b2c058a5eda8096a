"""The shipped table of structures is of the shipped files, and its control does not move."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from worlds import slow

from calibration.likelihood.targets import find_folder, load_targets
from calibration.sampler.diagnostics import weighted_quantiles
from calibration.validation.structure_table import StructureTable, policies_of, survival
from simulator.arrays import Floats
from simulator.engines.curves import INTERVAL
from simulator.engines.exact import accuracy, engine
from simulator.engines.model import point_values, resolve
from simulator.evidence import structures
from simulator.evidence.cohort import read_cohort
from simulator.evidence.draws import load_draws
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording import rounding

COHORT, PATHWAY = read_cohort(find_folder("wang2024")), load_pathway("b_all_post_cd19")
DRAWS = COHORT.folder / "draws.csv"
TABLE = structures.read(DRAWS)
CALIBRATION = Path(__file__).parents[3] / "docs" / "calibration.md"


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


@pytest.mark.parametrize(
    ("structure", "admission", "death", "relapse"),
    [
        slow("hsct_in_pr", "hsct", 1.0, 1.0),
        ("hsct_in_pr", "hsct_in_pr", 2.5, 2.5),
        slow("hsct_after_inotuzumab", "hsct", 1.0, 1.0),
        ("hsct_after_inotuzumab", "hsct_after_inotuzumab", 2.5, 1.0),
    ],
)
def test_patients_stay_well_after_a_worse_hsct_as_after_others_to_the_power_of_the_hazard_ratio(
    structure: str, admission: str, death: float, relapse: float
) -> None:
    """Of 37, 20 have a first HSCT and 17 a second; they can relapse from discharge on."""
    pathway = load_targets("wang2024", structure=structure).pathway
    (ratio,) = (name for name in pathway.parameters if name.endswith("_hsct_hazard_ratio"))
    only = replace(pathway, start=admission, clocks={"hsct": admission}, groups={}, end_points={}, marginal=None)
    solved, at = engine.curves(resolve(Scenario("HSCT", only), {ratio: 2.5}), 60.0), point_values(only)

    def spared(months: Floats, event: str, cure: str) -> Floats:
        not_yet = 0.5 ** ((np.maximum(months, 0.0) / at[f"{event}_median"]) ** at[f"{event}_shape"])
        return at[cure] + (1.0 - at[cure]) * not_yet

    no_death = [spared(solved.months, "trm", f"trm_free_{which}_hsct") ** death for which in ("first", "second")]
    no_relapse = spared(solved.months - at["hsct_admission_months"], "hsct_relapse", "hsct_cure") ** relapse
    well = sum(solved.occupancy["hsct"][state][0] for state in (admission, f"after_{admission}"))
    known = (20 * no_death[0] + 17 * no_death[1]) / 37 * no_relapse
    np.testing.assert_allclose(well, known, rtol=0, atol=accuracy.LIMIT)


@pytest.mark.slow
def test_the_page_says_what_a_complete_response_is_worth_where_hsct_in_pr_is_worse_than_in_cr() -> None:
    targets = load_targets("wang2024")
    fitted = StructureTable(targets, policies_of(PATHWAY), targets.folder).fit("hsct_in_pr", lambda *_: None)
    pathway, weights = fitted.targets.pathway, fitted.weights
    treatments, responses = ("chemotherapy", "immunotherapy", "car_t_reinfusion"), ("cr", "pr", "nr")
    everybody = [
        {"salvage_uptake": 1.0, **{f"{of}_{by}": float(of == same) for by in treatments for of in responses}}
        for same in ("cr", "pr")
    ]
    alive, worth = [], []
    for month in (12.0, 60.0):
        at_month = replace(pathway, months=replace(pathway.months, answer=month))
        cr, pr = survival([Scenario("same response", at_month, set=shares) for shares in everybody], fitted.draws)
        alive.append([f"{100 * of @ weights:.0f}" for of in (cr, pr)])
        ends = (rounding.fixed(100 * end, 0) for end in weighted_quantiles(cr - pr, weights, INTERVAL))
        worth.append([f"{100 * (cr - pr) @ weights:.0f}", " to ".join(ends), f"{100 * weights[cr > pr].sum():.0f}"])
    text = " ".join(CALIBRATION.read_text(encoding="utf-8").split())
    (cr_12, pr_12), (cr_60, pr_60) = alive
    assert f"{cr_12} of 100 would be alive at 12 months and {cr_60} at 60 after a CR, {pr_12} and {pr_60} after" in text
    more, interval, clear = worth[0]
    assert f"worth {more} more of 100 at 12 months (95 % interval {interval}; more in {clear} of 100 parameter" in text
    more, interval, clear = worth[1]
    assert f"and {more} more at 60 ({interval}; {clear} of 100)" in text
