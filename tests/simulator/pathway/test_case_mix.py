"""Attributes that go together: their weights are read once, and margins, levels and other mixes follow from them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sojourn_times import Table, by, exponential
from worlds import load, two_state

from simulator.errors import InputError
from simulator.pathway.joint import Joint

AGE_AND_SEX: Table = {
    "of": ["age", "sex"],
    "weights": {"young": {"female": 5, "male": 1}, "old": {"female": 1, "male": 3}},
}


def patients(case_mix: Any = (AGE_AND_SEX,), **attributes: Any) -> Table:
    """The ill, whose death depends on their sex; `site` goes with nothing."""
    declared = {"sex": ["female", "male"], "age": ["young", "old"], "site": {"a": 1, "b": 3}, **attributes}
    death = exponential(mean=by("sex", female=20, male=5))
    return two_state(death, attributes=declared, case_mix=list(case_mix))


def test_the_weights_of_combinations_give_the_shares_of_each_attribute() -> None:
    pathway = load(patients())
    assert pathway.attributes["sex"].levels == pytest.approx({"female": 0.6, "male": 0.4})
    assert pathway.attributes["age"].levels == pytest.approx({"young": 0.6, "old": 0.4})
    assert pathway.attributes["site"].levels == {"a": 0.25, "b": 0.75}
    (joint,) = pathway.case_mix
    assert joint.of == ("sex", "age")
    np.testing.assert_allclose(joint.shares, [[0.5, 0.1], [0.1, 0.3]])


def test_a_table_may_name_attributes_and_levels_in_any_order() -> None:
    turned: Table = {
        "of": ["sex", "age"],
        "weights": {"male": {"old": 3, "young": 1}, "female": {"old": 1, "young": 5}},
    }
    (joint,), (other,) = load(patients()).case_mix, load(patients([turned])).case_mix
    assert (joint.of, joint.levels, joint.shares.tolist()) == (other.of, other.levels, other.shares.tolist())


def test_three_attributes_may_go_together() -> None:
    weights = {
        age: {sex: {"a": 1, "b": place} for sex in ("female", "male")} for place, age in enumerate(("young", "old"))
    }
    of_three: Table = {"of": ["age", "sex", "site"], "weights": weights}
    (joint,) = load(patients([of_three], site=["a", "b"])).case_mix
    assert joint.share({"age": "old", "site": "b"}) == pytest.approx(2 / 6)
    assert joint.share({"age": "young", "site": "b"}) == 0.0
    assert joint.margin("site") == pytest.approx({"a": 4 / 6, "b": 2 / 6})


def with_weights(**weights: Any) -> Table:
    return patients([{**AGE_AND_SEX, "weights": {**AGE_AND_SEX["weights"], **weights}}])


REFUSED: dict[str, tuple[Callable[[], Table], str]] = {
    "one attribute": (lambda: patients([{**AGE_AND_SEX, "of": ["age"]}]), r"nothing goes together; got \['age'\]"),
    "unknown attribute": (
        lambda: patients([{**AGE_AND_SEX, "of": ["age", "sexx"]}]),
        r"\[\[case_mix\]\] of age, sexx: unknown attribute; got 'sexx'.*'sex'",
    ),
    "an attribute in two tables": (lambda: patients([AGE_AND_SEX, AGE_AND_SEX]), "attribute 'age' comes twice"),
    "an attribute twice": (lambda: patients([{**AGE_AND_SEX, "of": ["sex", "sex"]}]), "attribute 'sex' comes twice"),
    "a level left out": (
        lambda: with_weights(old={"female": 1}),
        r"of age, sex: old: these levels have no weight: male; got 'female'; allowed: .*male = 0 if no patient",
    ),
    "an unknown level": (lambda: with_weights(aged={"female": 1}), "of age, sex: unknown level of age; got 'aged'"),
    "a number for two levels": (
        lambda: with_weights(old=4),
        "old: no weights of the levels of sex; got 4; allowed: a table, level of sex = weight",
    ),
    "a negative weight": (
        lambda: with_weights(old={"female": 1, "male": -1}),
        "old: male: not a weight; got -1; allowed: a number, 0 or more",
    ),
    "a word": (lambda: with_weights(old={"female": 1, "male": "x"}), "old: male: not a weight; got 'x'"),
    "nobody": (
        lambda: with_weights(old={"female": 0, "male": 0}, young={"female": 0, "male": 0}),
        "of age, sex: the weights sum to zero",
    ),
    "so many that their sum overflows": (
        lambda: with_weights(old={"female": 1e308, "male": 1e308}),
        "of age, sex: the weights sum to more than a computer's numbers hold; allowed: numbers of patients",
    ),
    "so many of one attribute": (
        lambda: patients(site={"a": 1e308, "b": 1e308}),
        r"\[attributes.site\] levels: the weights sum to more than a computer's numbers hold; allowed: numbers",
    ),
    "one table in single brackets": (
        lambda: {**patients(), "case_mix": AGE_AND_SEX},
        r"case_mix: not a list; got .*; allowed: \[\[case_mix\]\] in double brackets, once for each table",
    ),
    "an attribute without a list": (
        lambda: patients([{**AGE_AND_SEX, "of": "age"}]),
        "case_mix 1.of: not a list; got 'age'; allowed: the attributes, two or more",
    ),
    "weights declared twice": (
        lambda: patients(sex={"female": 1, "male": 1}),
        r"\[attributes.sex\] levels: weights here and in \[\[case_mix\]\]; .*: levels = \['female', 'male'\]",
    ),
    "no weights at all": (
        lambda: patients(site=["a", "b"]),
        r"\[attributes.site\] levels: no weights; got \['a', 'b'\]; allowed: level = weight, or .*case_mix",
    ),
    "a level twice": (lambda: patients(site=["a", "a"]), r"levels: a level comes twice; got \['a', 'a'\]"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_weights_that_make_no_case_mix_are_refused_with_the_repair(case: str) -> None:
    text, complaint = REFUSED[case]
    with pytest.raises(InputError, match=complaint):
        load(text())


def joint(shares: Any) -> Joint:
    levels = (("female", "male"), ("young", "middle", "old"))
    return Joint(("sex", "age"), levels, np.array(shares) / np.sum(shares))


SEX, AGE = {"female": 0.3, "male": 0.7}, {"young": 0.5, "middle": 0.2, "old": 0.3}


def odds_ratios(joint: Joint) -> Any:
    shares = joint.shares
    return shares[0, :-1] * shares[1, 1:] / (shares[0, 1:] * shares[1, :-1])


def test_new_margins_are_reached_and_the_association_is_kept() -> None:
    before = joint([[5, 1, 2], [1, 4, 3]])
    after = before.with_margins({"sex": SEX, "age": AGE}, "here")
    assert after.margin("sex") == pytest.approx(SEX, abs=1e-12)
    assert after.margin("age") == pytest.approx(AGE, abs=1e-12)
    np.testing.assert_allclose(odds_ratios(after), odds_ratios(before), rtol=1e-9)


def test_one_new_margin_rescales_the_patients_of_each_level() -> None:
    before = joint([[5, 1, 2], [1, 4, 3]])
    after = before.with_margins({"sex": SEX}, "here")
    np.testing.assert_allclose(after.shares, [[0.3 * 5 / 8, 0.3 / 8, 0.3 * 2 / 8], [0.7 / 8, 0.7 / 2, 0.7 * 3 / 8]])


def test_the_margins_of_a_joint_change_nothing() -> None:
    before = joint([[5, 1, 2], [1, 4, 3]])
    after = before.with_margins({"sex": before.margin("sex"), "age": before.margin("age")}, "here")
    np.testing.assert_allclose(after.shares, before.shares, rtol=1e-14)


def test_margins_out_of_reach_are_refused() -> None:
    with pytest.raises(InputError, match=r"here.middle: no combination with age = middle has patients; got 0.2"):
        joint([[5, 0, 2], [1, 0, 3]]).with_margins({"age": AGE}, "here")
    # The young are women, and all women are young: 30 % cannot be 50 %.
    with pytest.raises(InputError, match=r"here: the association .* does not allow these margins together; got"):
        joint([[5, 0, 0], [0, 4, 3]]).with_margins({"sex": SEX, "age": AGE}, "here")


def test_levels_end_where_the_shares_of_those_before_them_say() -> None:
    shares = joint([[5, 1, 2], [0, 0, 0]])
    np.testing.assert_allclose(shares.edges("sex"), [1.0])
    np.testing.assert_allclose(shares.edges("age")[0], [5 / 8, 6 / 8])
