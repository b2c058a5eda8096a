"""What a pathway replaces of the fitted one is said, and a benefit that was fitted under another law is not used."""

from dataclasses import replace
from pathlib import Path

import pytest

from calibration.likelihood.targets import load_targets
from simulator.cli import inspect
from simulator.evidence.cohort import load_cohort
from simulator.evidence.draws import benefit_file, load_informed_draws, staleness
from simulator.evidence.replaced import replaced
from simulator.experiment.marginal_benefit import with_marginal_benefits
from simulator.pathway.format import load_pathway
from simulator.pathway.milestones import with_milestones
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import INFORMED, Scenario
from simulator.wording import limits

RELAPSE = [f"relapse_{name}" for name in ("median_cd19_positive", "median_cd19_negative_or_dim",
           "median_cd19_unknown", "shape")]  # fmt: skip
OWN_CARE = """
[states.supportive_care]
kind = "sojourn"
label = "supportive care"

[[states.supportive_care.transitions]]
to = "death_after_relapse"
time = { family = "exponential", rate = "own_rate" }

[parameters.own_rate]
unit = "per month"
meaning = "hazard of death in supportive care"
value = 0.3
prior = { family = "gamma", shape = 9, rate = 30 }
source = "assumption"
"""


def extension(folder: Path, changes: str, extends: str = "b_all_post_cd19") -> Pathway:
    file = folder / "own.toml"
    file.write_text(f'title = "Own"\nextends = "{extends}"\n{changes}', encoding="utf-8")
    return load_pathway(file)


def said(pathway: Pathway) -> str:
    return " ".join(limits.of(load_cohort(pathway), pathway, 120.0, None))


@pytest.fixture
def extended(tmp_path: Path) -> Pathway:
    return extension(tmp_path, OWN_CARE)


def test_a_law_of_ones_own_after_relapse_is_said_everywhere(
    extended: Pathway, capsys: pytest.CaptureFixture[str]
) -> None:
    laws = replaced(extended)
    # Who waits for a reinfusion dies by the calibrated parameters still.
    assert (laws.parameters, laws.states, laws.bears_on_benefit) == ((), ("supportive_care",), True)
    words = "the law of 1 state (supportive_care)"
    assert f"own replaces {words}: what stands instead was not fitted to these patients." in said(extended)
    assert "Parameters that it adds, drawn from their priors: 1." in said(extended)
    inspect.check(str(extended.file))
    for text in (capsys.readouterr().out, staleness(extended) or ""):
        assert f"own replaces {words}" in text
        assert "the marginal benefit that other cohorts suggest, and it is not used." in text


def test_a_calibrated_parameter_that_is_declared_anew_is_named(tmp_path: Path) -> None:
    fitted = load_pathway("b_all_post_cd19").parameters["nr_cure"]
    text = f'unit = "{fitted.unit}"\nmeaning = "{fitted.meaning}"\nvalue = 0.05\nsource = "assumption"\n'
    extended = extension(tmp_path, f"[parameters.nr_cure]\n{text}")
    assert str(replaced(extended)) == "1 calibrated parameter (nr_cure)"
    assert "own replaces 1 calibrated parameter (nr_cure)" in (staleness(extended) or "")


def test_a_benefit_that_was_fitted_under_another_law_gives_way_to_the_assumption(extended: Pathway) -> None:
    table = load_informed_draws(extended)
    assert table is not None
    assert INFORMED not in table.columns
    assert benefit_file(extended) is None
    policy = Scenario("wider", extended, set={"salvage_uptake": 0.88})
    compared = with_marginal_benefits([Scenario("today", extended), policy], table, 3, break_even=True)
    assert [scenario.marginal_benefit for scenario in compared] == [1.0, 1.0, 0.5, "break-even"]


def test_what_comes_before_the_relapse_does_not_touch_the_benefit(capsys: pytest.CaptureFixture[str]) -> None:
    """The programme keeps the calibrated times to relapse in a law with long-term remission; elsewhere has its own."""
    for name, parameters in (("b_all_cd19_car_t", 0), ("b_all_cd19_car_t_elsewhere", len(RELAPSE))):
        pathway = load_pathway(name)
        laws = replaced(pathway)
        assert list(laws.parameters) == RELAPSE[:parameters]
        assert (laws.states, laws.bears_on_benefit) == (("car_t_remission",), False)
        assert staleness(pathway) is None
        assert benefit_file(pathway) is not None
        inspect.check(name)
        assert f"Note: {name} replaces {laws} of b_all_post_cd19" in capsys.readouterr().out
        assert f"{name} replaces {laws}: " in said(pathway)


def test_the_fitted_pathway_and_other_words_for_it_replace_nothing(tmp_path: Path) -> None:
    fitted = load_pathway("b_all_post_cd19")
    assert not replaced(fitted)
    assert not replaced(extension(tmp_path, '[abbreviations]\nOS = "overall survival"\n'))
    assert " replaces " not in said(fitted)
    care = fitted.states["supportive_care"]
    states = {**fitted.states, care.name: replace(care, label="best supportive care")}
    assert not replaced(replace(fitted, states=states, extended=fitted, inherits_draws=True))


def test_a_declared_milestone_replaces_no_law() -> None:
    pathway = load_pathway("b_all_cd19_car_t")
    assert replaced(with_milestones(pathway, ["hsct"], "milestones")) == replaced(pathway)


def test_another_share_treated_today_is_another_benefit(tmp_path: Path) -> None:
    fitted = load_pathway("b_all_post_cd19")
    assert fitted.marginal is not None
    other = replace(fitted, marginal=replace(fitted.marginal, reference=0.6), extended=fitted, inherits_draws=True)
    assert str(replaced(other)) == "[marginal]"
    assert replaced(other).bears_on_benefit


def test_structures_of_a_cohort_are_fitted_by_themselves_and_no_run_of_the_cohorts_pathway_is_warned() -> None:
    assert staleness(load_pathway("b_all_post_cd19")) is None
    structure = load_targets("wang2024", structure="loglogistic_times")
    assert structure.warnings == load_targets("wang2024").warnings
    assert replaced(structure.pathway).bears_on_benefit
