"""Who a scenario's patients are: other margins keep the association, other combinations replace it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sojourn_times import Table, by, exponential
from worlds import scenarios_in, toml, two_state

from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.report import levers
from simulator.scenario.scenario import Scenario

Declare = Callable[..., Scenario]
AGE_AND_SEX: Table = {
    "of": ["age", "sex"],
    "weights": {"young": {"female": 5, "male": 1}, "old": {"female": 1, "male": 3}},
}
APART: Table = {"sex": {"female": 1, "male": 1}, "age": {"young": 1, "old": 1}, "site": {"a": 1, "b": 3}}


@pytest.fixture
def together(tmp_path: Path) -> Declare:
    """Scenarios of a pathway in which age goes with sex."""
    return scenarios_in(tmp_path, patients([AGE_AND_SEX], sex=["female", "male"], age=["young", "old"]))


@pytest.fixture
def independent(tmp_path: Path) -> Declare:
    """Scenarios of a pathway in which every attribute is independent."""
    return scenarios_in(tmp_path, patients([]))


def patients(case_mix: list[Table], **levels: Any) -> Table:
    return two_state(exponential(mean=by("sex", female=20, male=5)), attributes={**APART, **levels}, case_mix=case_mix)


def declared(*tables: Table, **more: Any) -> str:
    return toml({**more, "case_mix": list(tables)})


def test_without_a_case_mix_every_attribute_is_independent(independent: Declare) -> None:
    model = resolve(independent(""))
    assert [joint.of for joint in model.scenario.joints] == [("sex",), ("age",), ("site",)]
    assert model.attributes == ("sex",)


def test_an_attribute_that_goes_with_one_that_decides_matters_too(together: Declare) -> None:
    model = resolve(together(""))
    assert model.attributes == ("sex", "age")
    assert dict(zip(model.cells, model.weights, strict=True)) == pytest.approx(
        {("female", "young"): 0.5, ("female", "old"): 0.1, ("male", "young"): 0.1, ("male", "old"): 0.3}
    )


def test_another_share_of_the_young_brings_their_sex(together: Declare) -> None:
    model = resolve(together("[population]\nage = { young = 1, old = 0 }"))
    assert model.mix["age"] == {"young": 1.0, "old": 0.0}
    assert model.mix["sex"] == pytest.approx({"female": 5 / 6, "male": 1 / 6})
    np.testing.assert_allclose(model.weights, [5 / 6, 0.0, 1 / 6, 0.0])


def test_a_scenario_may_say_that_attributes_go_together(independent: Declare) -> None:
    scenario = independent(declared(AGE_AND_SEX))
    assert resolve(scenario).mix["sex"] == pytest.approx({"female": 0.6, "male": 0.4})
    assert [joint.of for joint in scenario.joints] == [("sex", "age"), ("site",)]
    assert list(levers.lines(scenario)) == [
        '[[case_mix]] of = ["age", "sex"], '
        "weights = { young = { female = 5, male = 1 }, old = { female = 1, male = 3 } }"
    ]


def test_margins_of_a_scenario_apply_to_its_own_combinations(independent: Declare) -> None:
    model = resolve(independent(declared(AGE_AND_SEX, population={"age": {"young": 1, "old": 3}})))
    assert model.mix["sex"] == pytest.approx({"female": 0.25 * 5 / 6 + 0.75 / 4, "male": 0.25 / 6 + 0.75 * 3 / 4})


def test_a_scenario_replaces_the_combinations_of_its_pathway_and_of_its_base(together: Declare) -> None:
    turned = {**AGE_AND_SEX, "weights": {"young": {"female": 1, "male": 9}, "old": {"female": 5, "male": 5}}}
    together("[population]\nage = { young = 1, old = 0 }\nsite = { a = 1, b = 0 }", "base")
    model = resolve(together(declared(turned, base="base.toml")))
    # The base's share of the young is of other combinations; its site stays.
    assert model.mix["age"] == pytest.approx({"young": 0.5, "old": 0.5})
    assert model.mix["site"] == {"a": 1.0, "b": 0.0}
    together(declared(turned), "base")
    assert resolve(together('base = "base.toml"')).mix["sex"] == pytest.approx({"female": 0.3, "male": 0.7})


def test_more_attributes_may_go_together_than_in_the_pathway(together: Declare) -> None:
    weights = {age: {sex: {"a": 1, "b": 2} for sex in ("female", "male")} for age in ("young", "old")}
    scenario = together(declared({"of": ["age", "sex", "site"], "weights": weights}))
    assert [joint.of for joint in scenario.joints] == [("sex", "age", "site")]


SEX_AND_SITE: Table = {"of": ["sex", "site"], "weights": {"female": {"a": 1, "b": 1}, "male": {"a": 1, "b": 0}}}
EXTREME: Table = {**AGE_AND_SEX, "weights": {"young": {"female": 5, "male": 0}, "old": {"female": 0, "male": 3}}}
REFUSED = {
    "an association that is torn apart": (
        declared(SEX_AND_SITE),
        r"\[\[case_mix\]\]: attributes that go together in the pathway are .*; allowed: one table of sex, age",
    ),
    "an unknown attribute": (declared({**AGE_AND_SEX, "of": ["age", "sexx"]}), r"of age, sexx: unknown attribute"),
    "a level that nobody has": (
        declared(
            {**AGE_AND_SEX, "weights": {"young": {"female": 5, "male": 0}, "old": {"female": 1, "male": 0}}},
            population={"sex": {"female": 1, "male": 1}},
        ),
        r"\[population\] sex.male: no combination with sex = male has patients; got 0.5",
    ),
    "margins that contradict each other": (
        declared(EXTREME, population={"sex": {"female": 1, "male": 1}, "age": {"young": 1, "old": 3}}),
        r"\[population\] sex, age: the association of these attributes does not allow these margins together",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_case_mix_that_cannot_be_is_refused(case: str, together: Declare, tmp_path: Path) -> None:
    text, complaint = REFUSED[case]
    with pytest.raises(InputError, match=complaint) as refusal:
        together(text)
    assert str(tmp_path / "policy.toml") in str(refusal.value)
