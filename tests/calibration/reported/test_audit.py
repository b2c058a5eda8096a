"""The counts behind the letter's printed figures, derived again from `targets.csv` by exhaustive search."""

from fractions import Fraction
from itertools import product
from math import exp, isclose, log, sqrt
from pathlib import Path

import numpy as np
import pytest
from evidence import number
from scipy import stats

from calibration.likelihood.targets import find_folder
from simulator.evidence.cohort import read_cohort

MOST_PATIENTS = 37
ROWS = read_cohort(find_folder("wang2024")).targets.set_index("name")
WITH_ERROR = list(ROWS.index[ROWS["standard_error"].notna()])
UNSIZED = {"survivors_12_mrd_reemergence": 15, "survivors_12_relapsed_or_refractory": 22}


def greenwood_variance(deaths: int, n: int) -> Fraction:
    """S^2 sum 1 / (at risk (at risk - 1)) over deaths one at a time, nobody censored (Greenwood 1926)."""
    survival = Fraction(n - deaths, n)
    if survival == 0:
        return Fraction(0)
    return survival**2 * sum(Fraction(1, at_risk * (at_risk - 1)) for at_risk in range(n, n - deaths, -1))


def prints(share: float, percent: float) -> bool:
    """Whether a share would be printed as a whole percentage; a half may go either way."""
    return abs(100 * share - percent) <= 0.5 + 1e-9


def counts_that_print(n: int, percent: float, error: float) -> list[int]:
    """The numbers of survivors out of n whose percentage and Greenwood error would be printed so."""
    return [
        alive
        for alive in range(n + 1)
        if prints(alive / n, percent) and prints(sqrt(greenwood_variance(n - alive, n)), error)
    ]


def count(name: str) -> int:
    return int(ROWS.loc[name, "count"])


def test_without_censoring_the_greenwood_error_is_binomial() -> None:
    for n in range(1, MOST_PATIENTS + 1):
        for alive in range(n + 1):
            survival = Fraction(alive, n)
            assert greenwood_variance(n - alive, n) == survival * (1 - survival) / n


def test_seven_survival_figures_are_printed_with_an_error() -> None:
    assert len(WITH_ERROR) == 7
    assert set(UNSIZED) < set(WITH_ERROR)


@pytest.mark.parametrize("name", WITH_ERROR)
def test_a_percentage_and_its_error_determine_one_count(name: str) -> None:
    row = ROWS.loc[name]
    assert counts_that_print(int(row["n"]), row["value"], row["standard_error"]) == [row["count"]]


def prints_with_one_censored(name: str, deaths: int, before: int) -> bool:
    """Whether a group with one patient censored after `before` of its deaths would print the letter's figure."""
    survival, sum_of_terms, at_risk = 1.0, 0.0, int(ROWS.loc[name, "n"])
    for death in range(deaths):
        at_risk -= death == before
        survival *= (at_risk - 1) / at_risk
        sum_of_terms += 1 / (at_risk * (at_risk - 1))
        at_risk -= 1
    row = ROWS.loc[name]
    return prints(survival, row["value"]) and prints(survival * sqrt(sum_of_terms), row["standard_error"])


@pytest.mark.parametrize("name", ["survivors_12_hsct", "survivors_12_other_treated", *UNSIZED])
def test_one_patient_censored_before_the_last_death_of_a_group_would_change_its_figure_and_later_none(
    name: str,
) -> None:
    n, dead = int(ROWS.loc[name, "n"]), int(ROWS.loc[name, "n"] - ROWS.loc[name, "count"])
    assert not any(prints_with_one_censored(name, deaths, at) for deaths in range(1, n - 1) for at in range(deaths))
    assert prints_with_one_censored(name, dead, before=dead)


def test_zero_percent_of_the_untreated_are_no_survivors() -> None:
    row = ROWS.loc["survivors_12_untreated"]
    assert [alive for alive in range(20) if prints(alive / 19, row["value"])] == [0]
    assert (row["count"], row["n"]) == (0, 19)


@pytest.mark.parametrize("name", UNSIZED)
def test_one_size_up_to_37_gives_the_figure_of_a_group_of_unreported_size(name: str) -> None:
    row = ROWS.loc[name]
    fitting = {
        n: counts
        for n in range(1, MOST_PATIENTS + 1)
        if (counts := counts_that_print(n, row["value"], row["standard_error"]))
    }
    assert fitting == {UNSIZED[name]: [row["count"]]}
    assert row["n"] == UNSIZED[name]


def test_the_two_groups_by_disease_before_infusion_are_all_37_patients_and_13_survivors() -> None:
    first, second = (ROWS.loc[name] for name in UNSIZED)
    assert first["n"] + second["n"] == MOST_PATIENTS
    assert first["count"] + second["count"] == count("survivors_12")
    assert (count("mrd_reemergence"), count("relapsed_or_refractory")) == (first["n"], second["n"])


def test_every_percentage_with_a_decimal_agrees_with_its_count() -> None:
    shares = ROWS[(ROWS["unit"] == "%") & (ROWS["kind"] != "survivors")]
    assert len(shares) == 9
    for name, row in shares.iterrows():
        fitting = [k for k in range(int(row["n"]) + 1) if abs(100 * k / row["n"] - row["value"]) <= 0.05 + 1e-9]
        assert fitting == [row["count"]], name


def early_deaths() -> set[tuple[int, int, int]]:
    """Deaths up to month 6 of the untreated, the HSCT group and the other treated that fit the reported survivors."""
    dead = [19 - count("survivors_12_untreated"), 10 - count("survivors_12_hsct")]
    dead.append(8 - count("survivors_12_other_treated"))
    by_six = MOST_PATIENTS - count("survivors_6")
    return {early for early in product(*(range(most + 1) for most in dead)) if sum(early) == by_six}


def test_three_timings_of_the_deaths_fit_the_survivors_at_6_and_12_months() -> None:
    assert early_deaths() == {(18, 2, 3), (19, 1, 3), (19, 2, 2)}


def test_exactly_one_patient_died_between_6_and_12_months() -> None:
    dead_by_12 = (19, 2, 3)
    for early in early_deaths():
        between = [late - by_six for late, by_six in zip(dead_by_12, early, strict=True)]
        assert sorted(between) == [0, 0, 1]
    assert count("survivors_6") - count("survivors_12") == 1


def test_every_death_after_12_months_is_of_a_treated_patient() -> None:
    late = {
        "untreated": count("untreated_deaths") - (19 - count("survivors_12_untreated")),
        "hsct": count("hsct_deaths") - (10 - count("survivors_12_hsct")),
        "other_treated": count("other_treated_deaths") - (8 - count("survivors_12_other_treated")),
    }
    assert late == {"untreated": 0, "hsct": 2, "other_treated": 1}
    assert sum(late.values()) == count("deaths") - (MOST_PATIENTS - count("survivors_12"))


def test_the_arms_add_up() -> None:
    assert count("untreated") + count("treated") == MOST_PATIENTS
    assert count("hsct") + count("other_treated") == count("treated")
    arms = ("hsct_deaths", "other_treated_deaths", "untreated_deaths")
    assert sum(count(name) for name in arms) == count("deaths")
    assert count("hsct_deaths_of_treatment") + count("hsct_deaths_after_relapse") == count("hsct_deaths")
    assert count("deaths_after_relapse") + count("deaths_of_treatment") == count("deaths")
    arms = ("survivors_12_untreated", "survivors_12_hsct", "survivors_12_other_treated")
    assert sum(count(name) for name in arms) == count("survivors_12")


def test_a_median_of_6_months_needs_five_deaths_within_its_rounding() -> None:
    # The 19th of 37 follow-ups is the median; the first 23 are deaths, in order, up to month 6.
    deaths_by_6, middle = MOST_PATIENTS - count("survivors_6"), (MOST_PATIENTS + 1) // 2
    assert deaths_by_6 - middle + 1 == 5
    assert ROWS.loc["follow_up_median", "value"] == 6.0
    assert ROWS.loc["follow_up_median", "use"] == "predictive"


def test_the_difference_between_hsct_and_other_treatment_is_no_evidence() -> None:
    alive, alive_otherwise = count("survivors_12_hsct"), count("survivors_12_other_treated")
    p = stats.fisher_exact([[alive, 10 - alive], [alive_otherwise, 8 - alive_otherwise]]).pvalue
    assert round(p, 2) == 0.61


REPORTED = {"Schultz 2023": (57, 50 / 57, "relapse cohort 12-mo OS"), "Wudhikarn 2021": (38, 30 / 38, "12-mo OS")}


@pytest.mark.parametrize("cohort", REPORTED)
def test_by_the_survival_of_the_treated_that_is_reported_fewer_additional_patients_benefit(cohort: str) -> None:
    """As docs/validation.md says: flat priors of m and of the survival of the treated, 13 of 18; no untreated alive."""
    n, uptake, figure = REPORTED[cohort]
    alive = number(cohort, figure) / 100 * n
    m = np.linspace(0.0, 1.0, 1001)
    mean_weight = np.zeros_like(m)
    for treated in stats.beta(1 + count("survivors_12_treated"), 6).ppf((np.arange(400) + 0.5) / 400):
        survival = treated * (18 / 37 + (uptake - 18 / 37) * m)
        likelihood = survival**alive * (1 - survival) ** (n - alive)
        mean_weight += likelihood / likelihood.sum() / 400
    low, high = m[np.searchsorted(mean_weight.cumsum(), [0.025, 0.975])]
    page = " ".join((Path(__file__).parents[3] / "docs" / "validation.md").read_text(encoding="utf-8").split())
    assert f"{mean_weight @ m:.2f} ({low:.2f} to {high:.2f}) by {cohort.split()[0]}" in page


def test_survival_of_the_treated_at_other_uptakes_exceeds_what_cohorts_report() -> None:
    treated = count("survivors_12_treated") / 18
    assert round(100 * 0.88 * treated) == 64 > number("Schultz 2023", "relapse cohort 12-mo OS")
    assert round(100 * 0.79 * treated) == 57 > number("Wudhikarn 2021", "12-mo OS")


def test_times_of_untreated_deaths_are_not_exponential() -> None:
    outliving = exp(-6 * log(2) / 3.5)
    assert isclose(outliving, 0.30, abs_tol=0.006)
    one_or_none = stats.binom.cdf(1, 19, outliving)
    assert one_or_none < 0.01
