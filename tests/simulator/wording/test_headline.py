"""The answer in words agrees with the table."""

from dataclasses import replace

import pandas as pd
import pytest
from worlds import longer_remission

from simulator.pathway.outcome_months import BY_PRIOR, alive_at
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording.headline import answer, newly_eligible

BASELINE = ("baseline", "relapse", 0.344, 0.24, 0.45, None, None, None)
WIDER = ("wider-salvage", "relapse", 0.604, 0.47, 0.71, 0.259, 0.123, 0.376)
WIDER_HALF = ("wider-salvage@0.5", "relapse", 0.475, 0.36, 0.57, 0.13, 0.061, 0.188)


def outcomes(*rows: tuple[object, ...], outcome: str = "os_12") -> pd.DataFrame:
    names = ["scenario", "clock", "estimate", "lower", "upper"]
    names += ["difference", "difference_lower", "difference_upper"]
    table = pd.DataFrame(rows, columns=names)
    table[names[2:]] = table[names[2:]].astype(float)
    return table.assign(population="all", outcome=outcome, difference_same_sign=1.0)


@pytest.fixture(scope="module")
def baseline() -> Scenario:
    return load_scenario("baseline")


@pytest.fixture(scope="module")
def wider() -> Scenario:
    return load_scenario("wider-salvage")


def test_a_policy_is_worded_by_its_additional_survivors(baseline: Scenario, wider: Scenario) -> None:
    assert answer(outcomes(BASELINE, WIDER), [baseline, wider]) == (
        "Of 100 patients who relapse, 26 more (95 % interval 12 to 38) are alive at 12 months under wider-salvage: "
        "60 instead of 34 under baseline."
    )


def test_a_policy_whose_effect_is_not_clear_is_led_by_that(baseline: Scenario) -> None:
    no_hsct = load_scenario("no-hsct")
    table = outcomes(BASELINE, ("no-hsct", "relapse", 0.35, 0.2, 0.5, 0.014, -0.059, 0.089))
    assert answer(table.assign(difference_same_sign=0.63), [baseline, no_hsct]) == (
        "No clear difference: of 100 patients who relapse, 1.4 more (95 % interval 5.9 fewer to 8.9 more; more in 63 "
        "of 100 parameter sets) are alive at 12 months under no-hsct: 35 instead of 34 under baseline."
    )
    clear = answer(table.assign(difference_same_sign=0.93), [baseline, no_hsct])
    assert clear.startswith(
        "Of 100 patients who relapse, 1.4 more (95 % interval 5.9 fewer to 8.9 more; more in 93 of 100 parameter sets) "
        "are alive"
    )


def test_every_difference_of_an_answer_says_where_it_is_not_clear(baseline: Scenario, wider: Scenario) -> None:
    """At another benefit, by the prior alone, and on the second clock, too."""
    cautious = wider.with_marginal_benefit("cohorts")
    at = (cautious.name, "relapse", 0.35, 0.2, 0.5, 0.014, -0.059, 0.089)
    table = pd.concat([outcomes(BASELINE, WIDER, at), outcomes(at, outcome=f"{alive_at(12)}{BY_PRIOR}")])
    table.loc[table["scenario"] == cautious.name, "difference_same_sign"] = 0.63
    unclear = "no clear difference (1.4 more; 95 % interval 5.9 fewer to 8.9 more; more in 63 of 100 parameter sets)"
    assert answer(table, [baseline, wider, cautious]).endswith(
        f"(an extrapolation, not a measured effect), {unclear}; the prior alone gives {unclear}."
    )
    longer = longer_remission()
    table = outcomes(
        BASELINE,
        ("baseline", "infusion", 0.69, 0.6, 0.78, None, None, None),
        (longer.name, "infusion", 0.81, 0.75, 0.88, 0.12, 0.08, 0.15),
        (longer.name, *at[1:]),
    ).assign(difference_same_sign=[1.0, 1.0, 1.0, 0.63])
    assert answer(table, [baseline, longer]).endswith(f"At 12 months after relapse, {unclear}.")


def test_both_estimates_of_the_marginal_benefit_are_worded(baseline: Scenario, wider: Scenario) -> None:
    scenarios = [baseline, wider, wider.with_marginal_benefit(0.5)]
    text = answer(outcomes(BASELINE, WIDER, WIDER_HALF), scenarios)
    assert text.endswith(
        "If only half of the additional patients (treated only under it) benefit (an assumption), "
        "13 more (95 % interval 6 to 19)."
    )


@pytest.mark.parametrize(("benefit", "share"), [(0.0, "none"), (0.25, "25 %"), (0.075, "8 %")])
def test_an_estimate_of_the_marginal_benefit_is_worded_by_its_share(
    benefit: float, share: str, baseline: Scenario, wider: Scenario
) -> None:
    end = wider.with_marginal_benefit(benefit)
    text = answer(outcomes(BASELINE, WIDER, (end.name, *WIDER_HALF[1:])), [baseline, wider, end])
    assert f"If {share} of the additional patients (treated only under it) benefit (an assumption), 13 more" in text


def test_a_scenario_alone_is_worded_by_its_survivors(baseline: Scenario) -> None:
    assert answer(outcomes(BASELINE), [baseline]) == (
        "Of 100 patients who relapse, 34 (95 % interval 24 to 45) are alive at 12 months under baseline."
    )


@pytest.mark.parametrize(
    ("difference", "lower", "upper", "words"),
    [
        (-0.05, -0.09, -0.01, "5.0 fewer (95 % interval 1.0 to 9.0) are alive"),
        (
            0.02,
            -0.01,
            0.05,
            "2.0 more (95 % interval 1.0 fewer to 5.0 more; more in 100 of 100 parameter sets) are alive",
        ),
        (
            0.0001,
            -0.03,
            0.04,
            "as many (95 % interval 3.0 fewer to 4.0 more; more in 100 of 100 parameter sets) are alive",
        ),
        (0.012, 0.006, 0.018, "1.2 more (95 % interval 0.6 to 1.8) are alive"),
        (0.0001, 0.0001, 0.014, "as many (95 % interval 0 to 1.4 more) are alive"),
        (
            -0.0001,
            -0.014,
            0.0001,
            "as many (95 % interval 0 to 1.4 fewer; fewer in 100 of 100 parameter sets) are alive",
        ),
        (0.0, 0.0, 0.0, "as many are alive"),
        (0.1, None, None, "10 more (more in 100 of 100 parameter sets) are alive"),
    ],
)
def test_a_difference_is_worded_with_its_direction_and_interval(
    baseline: Scenario, wider: Scenario, difference: float, lower: float, upper: float, words: str
) -> None:
    before = (*BASELINE[:2], 0.34, *BASELINE[3:])
    row = (*WIDER[:2], 0.34 + difference, *WIDER[3:5], difference, lower, upper)
    assert answer(outcomes(before, row), [baseline, wider]).startswith(f"Of 100 patients who relapse, {words}")


def test_a_policy_that_leads_with_infusion_says_that_survival_from_relapse_is_the_same(baseline: Scenario) -> None:
    longer = longer_remission()
    table = outcomes(
        BASELINE,
        ("baseline", "infusion", 0.69, 0.6, 0.78, None, None, None),
        (longer.name, "infusion", 0.81, 0.75, 0.88, 0.12, 0.08, 0.15),
        (longer.name, "relapse", 0.345, 0.24, 0.45, 0.0, 0.0, 0.0),
    )
    text = answer(table, [baseline, longer])
    assert "12 more (95 % interval 8 to 15) are alive 12 months after infusion" in text
    assert text.endswith("At 12 months after relapse, as many.")


@pytest.mark.parametrize(
    ("months", "answer_month"),
    [((6, 12, 24, 60), 12), ((60, 24, 12, 6), 12), ((6, 24, 60), 6), ((24, 60), 24), ((60,), 60)],
)
def test_the_answer_is_at_month_12_or_else_6_then_24_then_60(
    baseline: Scenario, months: tuple[int, ...], answer_month: int
) -> None:
    alive = {6: 0.41, 12: 0.32, 24: 0.2, 60: 0.11}
    rows = [outcomes((*BASELINE[:2], alive[month], *BASELINE[3:]), outcome=f"os_{month}") for month in months]
    text = answer(pd.concat(rows), [baseline])
    assert f"{100 * alive[answer_month]:.0f} (95 %" in text
    assert f"are alive at {answer_month} months" in text


def test_a_shorter_horizon_answers_at_six_months(baseline: Scenario) -> None:
    assert "alive at 6 months" in answer(outcomes(BASELINE, outcome="os_6"), [baseline])


def test_a_horizon_too_short_for_any_answer_says_so(baseline: Scenario) -> None:
    assert "needs a horizon of at least 6 months" in answer(outcomes(BASELINE, outcome="rmst_12"), [baseline])


def test_the_answer_names_the_patients_of_the_pathway(baseline: Scenario) -> None:
    for patients in ("patients", "adults with asthma"):
        other = replace(baseline, pathway=replace(baseline.pathway, patients=patients))
        assert answer(outcomes(BASELINE), [other]).startswith(f"Of 100 {patients}, 34 ")


def test_a_policy_at_another_marginal_benefit_is_named_with_it(baseline: Scenario, wider: Scenario) -> None:
    quarter, all_benefit = wider.with_marginal_benefit(0.25), wider.with_marginal_benefit(1.0)
    table = outcomes(BASELINE, ("wider-salvage@0.25", *WIDER_HALF[1:]), ("wider-salvage@1", *WIDER[1:]))
    text = answer(table, [baseline, quarter, all_benefit])
    assert "13 more (95 % interval 6 to 19) are alive at 12 months under wider-salvage@0.25" in text
    assert "If all of the additional patients (treated only under it) benefit (an assumption), 26 more" in text


def test_two_estimates_of_one_policy_alone_are_not_compared(wider: Scenario) -> None:
    text = answer(outcomes(WIDER, WIDER_HALF), [wider, wider.with_marginal_benefit(0.5)])
    assert text.startswith("Of 100 patients who relapse, 60 (95 % interval 47 to 71) are alive at 12 months")
    assert text.endswith(
        "If only half of the additional patients (treated only under it) benefit (an assumption), "
        "48 (95 % interval 36 to 57)."
    )


def test_a_difference_is_that_of_the_table_and_not_of_the_rounded_numbers(baseline: Scenario, wider: Scenario) -> None:
    """31.27 and 56.51 are shown as 31 and 57, yet 25.24 more are alive: 25."""
    before = ("baseline", "relapse", 0.3127, 0.2, 0.5, None, None, None)
    after = (wider.name, "relapse", 0.5651, 0.3, 0.6, 0.2524, 0.15, 0.38)
    assert "25 more (95 % interval 15 to 38) are alive at 12 months under wider-salvage: 57 instead of 31" in answer(
        outcomes(before, after), [baseline, wider]
    )


def test_patients_who_never_relapse_are_reported_from_infusion(baseline: Scenario) -> None:
    no_relapses = ("baseline", "relapse", None, None, None, None, None, None)
    text = answer(outcomes(no_relapses, ("baseline", "infusion", 1.0, 1.0, 1.0, None, None, None)), [baseline])
    assert text == "Of 100 patients, 100 are alive 12 months after infusion under baseline."


@pytest.mark.parametrize(
    ("estimate", "lower", "upper", "words"),
    [
        (0.2, 0.13, 0.33, "at 12 months, 20 of 100 additional patients must benefit (95 % interval 13 to 33)."),
        (0.9, -0.1, None, "90 of 100 additional patients must benefit (95 % interval 0 to more than all)."),
        (0.9, 0.5, 1.2, "90 of 100 additional patients must benefit (95 % interval 50 to more than all)."),
        (0.9, 0.9, 0.9, "90 of 100 additional patients must benefit."),
        (1.0, 1.0, 1.0, "100 of 100 additional patients must benefit."),
        (
            1.01,
            0.9,
            1.2,
            "Even if all additional patients benefit, most parameter sets do not give 5 more of 100 alive at 12 "
            "months: 101 of 100 would have to (95 % interval 90 to more than all).",
        ),
        (None, None, None, "most parameter sets do not give 5 more of 100 alive at 12 months."),
        (
            0.0,
            -0.1,
            0.2,
            "Even if no additional patient benefits, most parameter sets give 5 more of 100 alive at 12 months.",
        ),
        (0.004, 0.004, 0.004, "0.4 of 100 additional patients must benefit."),
    ],
)
def test_the_smallest_share_that_must_benefit_is_worded(
    baseline: Scenario, wider: Scenario, estimate: float, lower: float, upper: float, words: str
) -> None:
    row = (wider.name, "relapse", estimate, lower, upper, None, None, None)
    at = ("wider-salvage@break-even", *WIDER[1:])
    table = pd.concat([outcomes(BASELINE, WIDER, at), outcomes(row, outcome="break_even_for_5_more_at_12")])
    scenarios = [baseline, wider, wider.with_marginal_benefit("break-even")]
    assert answer(table, scenarios).endswith(words)
    paying_share = ("wider-salvage@cohorts", "relapse", 0.82, None, None, None, None, None)
    other = outcomes(paying_share, outcome="draws_with_5_more_at_24")
    same = outcomes(paying_share, outcome="draws_with_5_more_at_12")
    assert answer(pd.concat([table, other]), scenarios).endswith(words)
    assert answer(pd.concat([table, other, same]), scenarios).endswith(
        f"{words[:-1]}; as other cohorts suggest, 82 of 100 parameter sets reach that."
    )


def test_the_answer_names_who_becomes_eligible_for_a_treatment_that_replaces_another(baseline: Scenario) -> None:
    dual = ("dual-target-reinfusion", "relapse", 0.32, 0.24, 0.4, 0.02, -0.01, 0.05)
    words = answer(outcomes(BASELINE, dual), [baseline, load_scenario("dual-target-reinfusion")])
    assert words.endswith("Newly eligible under dual-target-reinfusion: CD19 negative or dim.")
    chemotherapy = replace(baseline, name="chemotherapy", replace={"share_chemotherapy": "share_immunotherapy"})
    assert newly_eligible(chemotherapy) == "Newly eligible under chemotherapy: nobody."
