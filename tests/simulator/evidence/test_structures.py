"""Rows of a table of structures: they are read for the policy and the files that they are of, and for no other."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from calibration.likelihood.targets import load_targets
from simulator.evidence import structures
from simulator.evidence.cohort import cohorts_folder
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario, load_scenario

BASE, POLICY = (load_scenario(name) for name in ("baseline", "wider-salvage"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copytree(cohorts_folder() / "wang2024", tmp_path / "wang2024")


def on(folder: Path, scenario: Scenario) -> Scenario:
    """A scenario whose pathway has the draws in a folder."""
    return replace(scenario, pathway=replace(scenario.pathway, draws=str(folder)))


def test_a_shipped_policy_is_in_the_table_once_a_structure() -> None:
    rows = structures.of_policy(BASE, POLICY)
    assert rows is not None
    assert list(rows["structure"]) == list(structures.to_fit(load_targets("wang2024").cohort.structures))
    assert set(rows["scenario"]) == {"wider-salvage"}


@pytest.mark.parametrize(
    ("base", "policy"),
    [
        (BASE, replace(POLICY, set={"salvage_uptake": 0.8})),
        (replace(BASE, set={"salvage_uptake": 0.6}), POLICY),
        (BASE, POLICY.benefiting(0.5)),
        (BASE, replace(POLICY, name="mine")),
        (load_scenario("letter-centre"), load_scenario("wider-salvage-todays-beds")),
        (BASE, load_scenario("hsct-as-milestone")),
        (load_scenario("infused"), load_scenario("longer-car-t-remission")),
    ],
)
def test_a_policy_with_other_levers_or_queues_or_of_another_pathway_is_not(base: Scenario, policy: Scenario) -> None:
    assert structures.of_policy(base, policy) is None


def test_rows_of_a_changed_structure_are_stale_and_the_note_says_what_to_do(folder: Path) -> None:
    draws = folder / "draws.csv"
    assert structures.stale(draws) is None
    other = folder / "structures" / "high_risk.toml"
    text = other.read_text(encoding="utf-8")
    assert text.count("high = 12") == 1
    other.write_text(text.replace("high = 12", "high = 13"), encoding="utf-8")
    assert structures.stale(draws) == (
        "structure.csv next to these draws is of another version of early_relapse, prior_hsct, cd19_negative. "
        f"Make it again with `aftercart calibrate {folder} --structures`."
    )
    rows = structures.of_policy(on(folder, BASE), on(folder, POLICY))
    assert rows is not None
    assert {"early_relapse", "prior_hsct", "cd19_negative"}.isdisjoint(rows["structure"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("distinguished", "apart"),
        ('meaning = "risk after the relapse"', 'meaning = "risk"'),
        ('high = "high risk"', 'high = "worse"'),
        ("assumption: no hazard ratio after CAR-T was read;", "assumption:"),
        ('label = "awaiting HSCT in CR"\n', ""),
        ("# Patients at high risk", "# They"),
    ],
)
def test_a_changed_text_of_a_structure_leaves_its_rows_as_they_are(old: str, new: str, folder: Path) -> None:
    """No number of a fit depends on a title, a label, a meaning, a source or a comment."""
    other = folder / "structures" / "high_risk.toml"
    text = other.read_text(encoding="utf-8")
    assert text.count(old) == 1
    other.write_text(text.replace(old, new), encoding="utf-8")
    assert structures.stale(folder / "draws.csv") is None


def test_rows_of_a_parameter_with_the_name_of_a_text_are_stale_once_it_changes(folder: Path) -> None:
    other = folder / "structures" / "high_risk.toml"
    text = other.read_text(encoding="utf-8").replace("risk_uptake_odds", "source")
    other.write_text(text, encoding="utf-8")
    before = structures.fresh(folder / "draws.csv")["prior_hsct"]
    other.write_text(text.replace("a = 2, b = 2", "a = 2, b = 3"), encoding="utf-8")
    assert structures.fresh(folder / "draws.csv")["prior_hsct"] != before


def test_rows_of_other_draws_another_reading_or_another_weight_of_priors_are_stale(folder: Path) -> None:
    about = folder / "cohort.toml"
    text = about.read_text(encoding="utf-8")
    about.write_text(text.replace('fit = ["no_response_deaths"]', "fit = []"), encoding="utf-8")
    assert "another version of without_salvage." in str(structures.stale(folder / "draws.csv"))
    about.write_text(text.replace("prior_weight = 5", "prior_weight = 4"), encoding="utf-8")
    assert "another version of priors_worth_five." in str(structures.stale(folder / "draws.csv"))
    about.write_text(text.replace('["hsct", "hsct_in_pr"]', '"hsct"', 1), encoding="utf-8")
    assert "another version of hsct_in_pr." in str(structures.stale(folder / "draws.csv"))
    about.write_text(text.replace('"partial_response_to_inotuzumab"', '"no_response"'), encoding="utf-8")
    assert "another version of hsct_after_inotuzumab." in str(structures.stale(folder / "draws.csv"))
    about.write_text(text, encoding="utf-8")
    draws = folder / "draws.csv"
    header, _, *others = draws.read_text(encoding="utf-8").splitlines(keepends=True)
    draws.write_text("".join([header, *others]), encoding="utf-8")
    assert structures.read(draws).empty
    assert structures.of_policy(on(folder, BASE), on(folder, POLICY)) is None


def test_a_cohort_without_a_table_has_no_line() -> None:
    three = load_pathway("three_state")
    assert structures.of_policy(Scenario("a", three), Scenario("b", three)) is None
