"""Reading a pathway file."""

from pathlib import Path

import pytest
from sojourn_times import exponential
from worlds import load, sojourn, world

from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.outcome_months import OutcomeMonths
from simulator.pathway.references import Selection

FILE = (Path(__file__).parent / "illness.toml").read_text(encoding="utf-8")


def changed(*pairs: tuple[str, str]) -> str:
    text = FILE
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_a_pathway_file_is_read() -> None:
    pathway = load(FILE)
    assert list(pathway.states) == ["well", "choice", "treated", "untreated", "dead"]
    assert pathway.clock == "entry"
    assert pathway.states["well"].competes
    assert not pathway.states["treated"].competes
    assert [transition.name for transition in pathway.states["treated"].transitions] == ["well", "dead"]
    assert pathway.attributes["sex"].levels == {"female": 0.75, "male": 0.25}
    assert pathway.states["choice"].transitions[0].eligible == {"sex": {"female": 1.0, "male": 0.0}}
    assert pathway.groups["treated"].not_entered == ("untreated",)
    assert pathway.deaths == ("dead",)


def test_without_declared_clocks_there_is_one_from_the_start() -> None:
    assert load(changed(('[clocks]\nentry = "well"\n', ""))).clocks == {"start": "well"}


@pytest.mark.parametrize("name", shipped.names())
def test_every_shipped_pathway_is_read_by_its_name_and_by_its_file(name: str) -> None:
    pathway = load_pathway(name)
    assert pathway.name == name
    assert load_pathway(shipped.path(name)) == pathway
    for parameter in pathway.parameters.values():
        assert parameter.source
        assert parameter.meaning


def test_a_reference_may_be_chosen_by_one_attribute_within_another() -> None:
    lives = '[parameters.lives]\nunit = "months"\nmeaning = "x"\nvalue = 20\nsource = "x"\n'
    text = changed(
        ("[attributes.sex]", "[attributes.age]\nlevels = { young = 1, old = 1 }\n[attributes.sex]"),
        ("median = 30", 'median = { by = "sex", female = 30, male = { by = "age", young = "lives", old = 9 } }'),
        ("[parameters.onset]", f"{lives}[parameters.onset]"),
    )
    median = load(text).states["well"].transitions[1].time.arguments["median"]
    assert median == Selection("sex", {"female": 30.0, "male": Selection("age", {"young": "lives", "old": 9.0})})


def test_every_piece_of_a_hazard_may_be_a_parameter_or_chosen_by_attribute() -> None:
    text = changed(("rates = [0.5, 0.2, 0.1]", 'rates = ["onset", { by = "sex", female = 0.2, male = 0 }, 0.1]'))
    rates = load(text).states["untreated"].transitions[0].time.arguments["rates"]
    assert rates == ("onset", Selection("sex", {"female": 0.2, "male": 0.0}), 0.1)


def test_a_repeated_state_in_a_list_counts_once() -> None:
    text = changed(('entries = "treated"', 'entries = ["treated", "untreated", "treated"]'))
    assert load(text).counts["courses"].entries == ("treated", "untreated")


def test_an_end_point_has_its_causes_and_the_names_of_its_outcomes() -> None:
    efs = load(FILE).end_points["efs"]
    assert dict(efs.causes) == {"not treated": ("untreated",), "death": ("dead",)}
    outcomes = dict(efs.outcomes(OutcomeMonths((6.0, 12.0), 12.0)))
    assert list(outcomes) == [
        *("efs_6", "efs_12", "median_efs", "rmst_efs_12"),
        *("efs_not_treated_6", "efs_not_treated_12", "efs_death_6", "efs_death_12"),
    ]
    assert outcomes["efs_12"].words == "event-free survival at 12 months"
    assert outcomes["efs_not_treated_6"].words == "not treated as first event by 6 months (event-free survival)"


def test_without_a_label_an_end_point_has_the_words_of_its_name() -> None:
    declared = {"alive_and_well": {"causes": {"any_death": "dead"}}}
    pathway = load(world("ill", {"ill": sojourn(dead=exponential(rate=1))}, end_points=declared))
    assert pathway.end_points["alive_and_well"].label == "alive and well"
    assert pathway.end_point_outcomes["alive_and_well_any_death_6"].words.startswith("any death as first event")
