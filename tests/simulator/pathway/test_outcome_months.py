"""The months of a pathway's outcomes: declared, by default, and refused."""

import math

import pytest
from sojourn_times import exponential
from worlds import load, toml, two_state

from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.outcomes import summaries
from simulator.outcomes.labels import label
from simulator.pathway.format import load_pathway
from simulator.pathway.outcome_months import outcome_months
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario


def one_hazard(keys: str = "") -> Pathway:
    return load(f"{keys}\n{toml(two_state(exponential(rate=0.05)))}")


def test_the_shipped_pathway_declares_its_patients_and_months() -> None:
    pathway = load_pathway("b_all_post_cd19")
    assert pathway.patients == "patients who relapse"
    assert pathway.months.in_order == (12.0, 6.0, 24.0, 60.0)
    assert pathway.months.means == (12.0, 60.0)
    assert pathway.months.early == 24.0


def test_without_declaration_a_pathway_has_patients_and_months_6_12_24_and_60() -> None:
    pathway = one_hazard()
    assert pathway.patients == "patients"
    assert pathway.abbreviations == {}
    assert pathway.months.survival == (6.0, 12.0, 24.0, 60.0)
    assert pathway.months.answer == 12.0


def test_outcomes_are_named_by_and_computed_at_the_declared_months() -> None:
    pathway = one_hazard("survival_months = [9, 0.5, 3]")
    curves = engine.curves(resolve(Scenario("chain", pathway)), 12.0)
    outcomes = summaries.of_survival(curves, pathway.clock, "all", pathway.months)
    assert list(outcomes) == ["os_0.5", "os_3", "os_9", "median_os", "rmst_3", "rmst_9"]
    for name, month in (("os_0.5", 0.5), ("os_3", 3.0), ("os_9", 9.0)):
        assert outcomes[name][1][0] == pytest.approx(math.exp(-0.05 * month), abs=1e-4)
    for name, month in (("rmst_3", 3.0), ("rmst_9", 9.0)):
        assert outcomes[name][1][0] == pytest.approx((1.0 - math.exp(-0.05 * month)) / 0.05, abs=1e-3)
    assert list(summaries.per_10_outcomes(pathway.months)) == [
        "survivors_3_gained_per_10_more_treated", "survivors_9_gained_per_10_more_treated",
    ]  # fmt: skip


@pytest.mark.parametrize(("declared", "answer"), [((4,), 4), ((4, 8), 4), ((4, 8, 9), 8), ((1, 2, 3, 4, 5), 3)])
def test_the_answer_is_at_the_middle_month_unless_declared(declared: tuple[float, ...], answer: float) -> None:
    assert outcome_months(declared, None, "it").answer == answer
    assert outcome_months(declared, declared[-1], "it").in_order[0] == declared[-1]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("survival_months = []", "no month; got []; allowed: one or more; without the key 6, 12, 24, 60"),
        ("survival_months = [0, 3]", "survival_months: no month; got 0"),
        ("survival_months = [3, 3]", "survival_months: a month is listed twice"),
        ("survival_months = [3.0000001, 3]", "survival_months: a month is listed twice"),
        ("survival_months = [3, 9]\nanswer_month = 6", "answer_month: survival is not shown at this month"),
        ("survival_months = [3, 9]\nanswer_month = 6", "one of survival_months: 3, 9"),
        ('patients = ""', "patients"),
        ('survival_months = ["3"]', "survival_months"),
    ],
)
def test_invalid_months_are_refused_with_the_key(keys: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        one_hazard(keys)
    assert "pathway.toml" in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("os_1", "alive at 1 month, %"),
        ("os_0.5", "alive at 0.5 months, %"),
        ("rmst_18", "mean survival to month 18, months"),
        ("draws_with_2.5_more_at_1", "probability of at least 2.5 more alive at 1 month, %"),
        ("survivors_9_gained_per_10_more_treated", "additional survivors at 9 months per 10 more treated"),
        ("osmosis", "osmosis"),
    ],
)
def test_the_label_of_an_outcome_has_its_month(outcome: str, words: str) -> None:
    assert label(outcome, one_hazard()) == words
