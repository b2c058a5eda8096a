"""Figures that a cohort of 60 with 42 treated cannot have reported are refused with their file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.likelihood.targets import Targets, load_targets
from simulator.errors import InputError

COHORT = """
title = "60 relapses, one region"
citation = "Who, where, when"
pathway = "b_all_post_cd19"
clock = "relapse"
n = 60
seed = 1
{more}
[arms]
treated = ["treated"]
untreated = ["untreated"]
hsct = ["hsct"]
hsct_or_not = ["hsct", "other_treated"]
other_treated = ["other_treated"]
all = ["treated", "untreated"]

[set]
{levers}
"""
HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,lower,upper,unit,place,use,note"
TREATED = "treated,patients,treated,,,,42,60,70,,,,%,Table 2,setting,"
UNCENSORED = "no_censoring_before = 12"

LoadCohort = Callable[..., Targets]


@pytest.fixture
def load_cohort(tmp_path: Path) -> LoadCohort:
    """Load a cohort whose line 2 says that 42 of 60 are treated, and whose lines from 3 on are given."""

    def write(*rows: str, more: str = "", levers: str = 'salvage_uptake = "treated"') -> Targets:
        (tmp_path / "cohort.toml").write_text(COHORT.format(more=more, levers=levers), encoding="utf-8")
        (tmp_path / "targets.csv").write_text("\n".join([HEADER, TREATED, *rows, ""]), encoding="utf-8")
        return load_targets(tmp_path)

    return write


def alive(figures: str, month: float = 12, population: str = "all", unit: str = "%", name: str = "alive") -> str:
    """A row of survival in percent. figures : n, value, standard error, lower, upper."""
    return f"{name},survival,{population},,,{month:g},,{figures},{unit},Figure 2,validation,"


def count(kind: str, figures: str, population: str = "all", name: str = "", **options: str) -> str:
    """A row of a count. figures : count, n, value in percent or blank."""
    columns = {"state": "", "attribute": "", "month": "", "use": "validation", **options}
    place = f"{columns['state']},{columns['attribute']},{columns['month']}"
    return f"{name or kind},{kind},{population},{place},{figures},,,,%,Table 2,{columns['use']},"


def median(value: str, kind: str = "median_survival", name: str = "median") -> str:
    return f"{name},{kind},all,,,,,60,{value},,,,months,Figure 2,validation,"


ARMS = "line 2 and .*line 3: two rows contradict one another"
TWO = "line 3 and .*line 4: two rows contradict one another"
POSSIBLE = {
    "times to relapse that are printed alike": [
        median("3", "median", "middle"),
        median("3.0", "minimum", "least"),
        median("3.4", "maximum", "most"),
    ],
    "counts and estimates of the same month, rounded": [
        count("survivors", "33,60,55.0", month="12"),
        count("deaths", "27,60,45", month="12"),
        count("deaths", "31,60,52", name="ever"),
        alive("60,55,6.4,,"),
        alive("60,54.9,,43,68", 13, name="later"),
    ],
    "an estimate below the share alive, since some were lost": [
        count("survivors", "33,60,55", month="12"),
        alive("60,48,8,,"),
        alive("60,60,6.6,,", 6, name="six"),
    ],
    "a count, and an estimate without an error that is one patient off": [
        count("survivors", "33,60,55", month="12"),
        alive("60,54,,,"),
    ],
    "a percentage cut after its last digit": [count("survivors", "40,60,66", month="12"), alive("60,66,6.0,,")],
    "figures of those who were assessed": [
        count("deaths", "20,25,80", month="12", name="some"),
        count("deaths", "25,60,41.7", month="12"),
        count("survivors", "35,60,58.3", month="12"),
    ],
    "figures of everybody and of each arm": [
        count("patients", "18,60,30", "untreated"),
        count("patients", "23,42,55", "hsct", name="hsct"),
        count("survivors", "20,42,47.6", "treated", month="12"),
        alive("18,11,,,", population="untreated"),
    ],
    "survival that falls, and stays as it is within its rounding": [
        alive("60,45,6.5,,", 6, name="six"),
        alive("60,45.4,6.5,,", 12, name="twelve"),
        count("survivors", "27,60,45", month="13"),
    ],
    "survivors counted although some are lost to follow-up, and an estimate": [
        alive("60,45,6.5,,", 6),
        count("survivors", "30,60,50", month="12"),
    ],
    "responses after treatments": [
        count("entered", "20,42,48", "treated", "chemotherapy", state="chemotherapy"),
        count("entered", "26,42,62", "treated", "response", state="complete_response"),
        count("entered", "22,42,52", "treated", "immunotherapy", state="immunotherapy"),
    ],
    "deaths of an arm, of everybody": [count("deaths", "30,60,50", "treated")],
    "a median, estimates and counts": [
        median("9.4"),
        alive("60,51,6.5,,", 9.4),
        alive("60,55,6.4,,", 6, name="six"),
        count("survivors", "33,60,55", month="12"),
    ],
    "more patients of a level than the row that reports it counts": [
        count("patients", "15,30,50", name="some", attribute="prior_hsct=yes"),
        alive("20,45,,,", population="prior_hsct=yes"),
    ],
}


@pytest.mark.representatives(4)
@pytest.mark.parametrize("case", POSSIBLE)
def test_possible_reports_are_read(case: str, load_cohort: LoadCohort) -> None:
    assert len(load_cohort(*POSSIBLE[case]).cohort.targets) == 1 + len(POSSIBLE[case])


def test_a_standard_error_stands_for_no_more_patients_than_its_arm_has(load_cohort: LoadCohort) -> None:
    """18 of 60 are untreated; a rounded error of 9 % would stand for 19.8 patients."""
    row = alive(",20,9,,", population="untreated").replace("validation", "likelihood")
    (percentage,) = load_cohort(row).percentages
    assert percentage.n == 18
    with pytest.raises(InputError, match="line 3: a standard error smaller than 18 patients of untreated can give"):
        load_cohort(row.replace(",20,9,", ",20,8,"))


# Lines from 3 on, and the complaint.
IMPOSSIBLE = {
    "a median before a month at which most are alive": ([median("6.1"), alive("60,70,6,,")], TWO),
    "a median after a month at which a third are known to be alive": (
        [median("15"), count("survivors", "20,60,33", month="12")],
        TWO,
    ),
    "two medians": ([median("6.1"), median("8", name="other")], TWO),
    "two medians of follow-up": (
        [median("20", "median_follow_up"), median("30", "median_follow_up", name="other")],
        TWO,
    ),
    "an estimate far below the patients not known to have died, with a narrow interval": (
        [alive("60,40,,28,52"), count("survivors", "54,60,90", month="12")],
        TWO,
    ),
    "more deaths in the two arms than in the cohort": (
        [
            count("deaths", "20,42,48", "treated", month="12", name="dead_treated"),
            count("deaths", "10,18,56", "untreated", month="12", name="dead_untreated"),
            count("deaths", "33,60,55", month="12"),
        ],
        "line 2 and .*line 3 and .*line 4 and .*line 5: four rows contradict one another",
    ),
    "a shortest time to relapse above the median": (
        [median("3.0", "median", "middle"), median("4.0", "minimum", "least")],
        TWO,
    ),
    "a longest time to relapse below the median of a level": (
        [
            median("6.2", "median", "middle").replace("all,,,,,60", "cd19=positive,,cd19=positive,,,20"),
            median("5.5", "maximum", "most"),
        ],
        TWO,
    ),
    "fewer in the arms that make up the cohort than it has": ([count("patients", "15,60,25", "untreated")], ARMS),
    "more of a level in two arms than in all": (
        [
            count("patients", "17,60,28", name="yes", attribute="prior_hsct=yes"),
            count("patients", "10,42,24", "treated", name="yes_treated", attribute="prior_hsct=yes"),
            count("patients", "18,60,30", "untreated"),
            count("patients", "9,18,50", "untreated", name="yes_untreated", attribute="prior_hsct=yes"),
        ],
        "line 3 and .*line 4 and .*line 6: three rows contradict one another",
    ),
    "an error of 2475 patients": ([alive(",45,1.0,,")], "line 3: .* smaller than 60 patients of all .*'45 ± 1.0 %'"),
    "an interval of 46 patients": (
        [alive(",20,,10,33", population="untreated")],
        "line 3: a 95 % interval narrower than 18 patients of untreated can give .34 % wide.*'20 %, 10 to 33'",
    ),
    "42 of 60 are 97 %": ([count("survivors", "42,60,97", month="12")], "line 3: 42 of 60 is 70 %, which .* '97 %'"),
    "42 printed as 43": ([count("deaths", "42,60,43").replace("%", "patients")], "line 3: .* got '43 patients'"),
    "72 treated and untreated": (
        [count("patients", "30,60,50", "untreated")],
        "line 2 and .*line 3: two rows contradict .*'42 of 60 are treated; 30 of 60 are untreated'",
    ),
    "50 HSCT of 42 treated": (
        [count("patients", "50,60,83", "hsct")],
        "line 2 and .*line 3: two rows contradict .*'42 of 60 are treated; 50 of 60 are hsct'",
    ),
    "30 HSCT and 20 without of 40": (
        [
            count("patients", "30,60,50", "hsct", "hsct"),
            count("patients", "20,60,33", "other_treated", "without"),
            count("patients", "40,60,67", "hsct_or_not", "both"),
        ],
        "line 3 and .*line 4 and .*line 5: three rows contradict one another; .*40 of 60 are hsct_or_not'",
    ),
    "more survivors at a later month": (
        [count("survivors", "20,60,33", month="6", name="six"), count("survivors", "40,60,67", month="12")],
        "line 3 and .*line 4: two rows .*'20 of 60 .all. alive at month 6; 40 of 60 .all. alive at month 12'",
    ),
    "a percentage that rises": (
        [alive("60,47,6.5,,", 12), alive("60,45,6.5,,", 6, name="six")],
        "line 3 and .*line 4: two rows contradict .*'47 ± 6.5 % .all. alive at month 12; 45 ± 6.5 % .* month 6'",
    ),
    "a row without a name": (
        [alive("60,45,,,", name=" ")],
        "line 3: a row without a name; allowed: a name that no other row has",
    ),
    "two rows have one name": ([alive("60,45,,,"), alive("60,40,,,", 24)], "line 4: two rows have one name; .*line 3"),
    "two counts of the same": (
        [count("deaths", "30,60,50", name="some"), count("deaths", "31,60,52", name="others")],
        "line 3 and .*line 4: two rows contradict .*'30 of 60 .all. dead by last follow-up; 31 of 60 .*'",
    ),
    "a level reported twice": (
        [
            count("patients", "20,60,33", name="some", attribute="cd19=positive", use="case_mix"),
            count("patients", "20,60,33", name="others", attribute="cd19=positive", use="case_mix"),
        ],
        "line 4: a level has more than one row; got 'cd19=positive'; allowed: one case_mix row for it: line 3 is one",
    ),
    "a mix of no attribute": ([count("patients", "20,60,33", use="case_mix")], "line 3: a case_mix row without an"),
    "a mix of deaths": (
        [count("deaths", "20,60,33", attribute="cd19=positive", use="case_mix")],
        "line 3: a case_mix row of another kind; got 'deaths'; allowed: \"patients\"",
    ),
    "60 fitted in an arm of 42": (
        [count("deaths", "45,60,75", "treated", use="likelihood")],
        "line 3: more patients than treated has; got 60; allowed: up to 42",
    ),
    "42 treated and 30 untreated of 60, with a row of the treated": (
        [count("patients", "30,60,50", "untreated"), alive("42,45,8,,", population="treated")],
        f"{ARMS}; got '42 of 60 are treated; 30 of 60 are untreated'",
    ),
    "50 deaths in an arm of 42": ([count("deaths", "50,60,83", "treated")], "line 3: more .* than treated has; got 50"),
    "60 in an arm of 42": ([alive("60,45,6.6,,", population="treated")], "line 3: more patients than treated has"),
    "50 of a level of 20": (
        [
            count("patients", "20,60,33", name="mix", attribute="cd19=positive", use="case_mix"),
            alive("50,45,,,", population="cd19=positive"),
        ],
        "line 4: more patients than cd19=positive has; got 50; allowed: up to 20",
    ),
    "first treatments of more than 42": (
        [
            count("entered", "30,42,71", "treated", "chemotherapy", state="chemotherapy"),
            count("entered", "26,42,62", "treated", "response", state="complete_response"),
            count("entered", "25,42,60", "treated", "immunotherapy", state="immunotherapy"),
        ],
        "line 2 and .*line 3 and .*line 5: three rows .*30 of 42 .treated. entered chemotherapy .*; 25 of 42",
    ),
    "100 and 20 % at one month": ([alive("60,100,,,", name="all"), alive("60,20,,,")], TWO),
    "33 alive and 20 dead of 60": (
        [count("survivors", "33,60,55", month="12"), count("deaths", "20,60,33.3", month="12")],
        f"{TWO}.*'33 of 60 .all. alive at month 12; 20 of 60 .all. dead by month 12'",
    ),
    "33 alive of 60, and 80 %": ([count("survivors", "33,60,55", month="12"), alive("60,80,,,")], TWO),
    "33 alive of 60, and 20 %": ([count("survivors", "33,60,55", month="12"), alive("60,20,,,")], TWO),
    "33 alive of 60, and 20 % worth 60": ([count("survivors", "33,60,55", month="12"), alive("60,20,5.2,,")], TWO),
    "more dead by month 6 than by month 12": (
        [count("deaths", "30,60,50", month="6", name="six"), count("deaths", "20,60,33.3", month="12")],
        TWO,
    ),
    "more dead by a month than by the end": (
        [count("deaths", "30,60,50", month="6", name="six"), count("deaths", "20,60,33.3")],
        TWO,
    ),
    "more dead of one cause than of any": (
        [count("deaths", "30,60,50", state="death_of_treatment", name="of"), count("deaths", "20,60,33.3")],
        TWO,
    ),
    "more of an arm dead than of all": (
        [count("deaths", "30,42,71.4", "treated", month="6", name="arm"), count("deaths", "20,60,33.3", month="6")],
        TWO,
    ),
    "arms that make up another number of survivors": (
        [
            count("survivors", "30,42,71.4", "treated", month="6", name="some"),
            count("survivors", "9,18,50", "untreated", month="6", name="others"),
            count("survivors", "33,60,55", month="6"),
        ],
        "line 3 and .*line 4 and .*line 5: three rows contradict",
    ),
    "dead as entered, and dead": (
        [count("entered", "30,60,50", state="death_of_treatment"), count("deaths", "20,60,33.3")],
        TWO,
    ),
    "HSCTs of the arm and of all": (
        [count("patients", "23,60,38.3", "hsct", name="arm"), count("entered", "25,60,41.7", state="hsct")],
        TWO,
    ),
    "more responses than treatments": (
        [
            count("entered", "30,42,71.4", "treated", "response", state="complete_response"),
            count("entered", "20,42,47.6", "treated", "partial", state="partial_response"),
        ],
        "line 2 and .*line 3 and .*line 4: three rows contradict",
    ),
    "an error below zero": ([alive("60,45,-6.6,,")], "line 3: not a standard error; got '-6.6'; allowed: above 0"),
    "an error of zero": ([alive("60,45,0,,")], "line 3: not a standard error; got '0'"),
    "an endless error": ([alive("60,45,inf,,")], "line 3, standard_error: not a number; got 'inf'"),
    "an interval backwards": ([alive("60,45,,58,32")], "line 3: not a 95 % interval .* got '45 %, 58 to 32'"),
    "an interval without its value": ([alive("60,45,,50,70")], "line 3: not a 95 % interval .*lower <= value"),
    "an interval beyond all": ([alive("60,90,,80,101")], "line 3: not a 95 % interval .* <= 100"),
    "half an interval": ([alive("60,45,,32,")], "line 3: half an interval; got '32'; allowed: both"),
    "0 % with an error": ([alive("60,0,3,,")], "line 3: 0 and 100 % have no standard error; got '0 ± 3 %'"),
    "nobody": ([alive("0,45,,,")], "line 3, n: a figure for no patients; got '0'; allowed: 1 or more"),
    "half a patient": ([alive("59.5,45,6.6,,")], "line 3, n: not whole patients; got '59.5'"),
    "fewer than nobody": ([alive("-5,45,6.6,,")], "line 3, n: not whole patients; got '-5'"),
    "a month beyond all": ([alive("60,45,6.6,,", 241)], "line 3, month: a month that .*got '241'; .*up to 240"),
    "survivors beyond all": ([count("survivors", "5,60,8", month="241")], "line 3, month: a month .*up to 240"),
    "a unit that is none": ([alive("60,45,6.6,,", unit="percent")], "line 3: unknown unit .*got 'percent'; allowed: %"),
    "a line after a blank one": (["", alive("60,45,1.0,,")], "line 4: a standard error smaller than 60"),
}


@pytest.mark.representatives(12)
@pytest.mark.parametrize("case", IMPOSSIBLE)
@pytest.mark.filterwarnings("error")
def test_impossible_reports_are_refused_with_their_line(case: str, load_cohort: LoadCohort) -> None:
    rows, complaint = IMPOSSIBLE[case]
    with pytest.raises(InputError, match=rf"targets\.csv: {complaint}"):
        load_cohort(*rows)


def test_shares_that_leave_a_negative_rest_are_refused_on_reading(load_cohort: LoadCohort) -> None:
    rows = [
        count("entered", "30,42,71", "treated", "chemo", state="chemotherapy", use="setting"),
        count("entered", "25,42,60", "treated", "antibody", state="immunotherapy", use="setting"),
    ]
    with pytest.raises(
        InputError, match=r"cohort\.toml: share_chemotherapy, share_immunotherapy: leaves a negative share"
    ):
        load_cohort(*rows, levers='share_chemotherapy = "chemo"\nshare_immunotherapy = "antibody"')


def test_without_censoring_a_count_above_an_earlier_percentage_is_refused(load_cohort: LoadCohort) -> None:
    with pytest.raises(InputError, match=r"line 3 and .*line 4: two rows .*'45 % .all. .*; 30 of 60 .all. alive"):
        load_cohort(alive("60,45,,,", 6), count("survivors", "30,60,50", month="12"), more=UNCENSORED)


UNCOUNTED = {
    "46.1 % of 60, no unit": alive("60,46.1,6.4,,", unit=""),
    "46.1 % of 60": alive("60,46.1,6.4,,"),
    "46.1 % of survivors": count("survivors", "28,60,46.1", month="12"),
    "27 of 60 with an interval of its own": alive("60,45,,20,70"),
    "46.1 % with an interval": alive("60,46.1,,33,58"),
    "72.0 % of 18": alive("18,72.0,10.6,,", population="untreated"),
}


@pytest.mark.parametrize("case", UNCOUNTED)
def test_without_censoring_a_figure_that_no_count_prints_is_refused(case: str, load_cohort: LoadCohort) -> None:
    with pytest.raises(InputError, match=r"targets\.csv: line 3: .* nobody is censored before month 12"):
        load_cohort(UNCOUNTED[case], more=UNCENSORED)


COUNTED = {
    "27 of 60": alive("60,45.0,6.4,,"),
    "27 of 60, its n not given": alive(",45.0,6.4,,"),
    "27 of 60 with its interval": alive("60,45,,32,57"),
    "13 of 18": alive("18,72,10.6,,", population="untreated"),
}


@pytest.mark.parametrize("case", COUNTED)
def test_without_censoring_a_figure_that_a_count_prints_is_read(case: str, load_cohort: LoadCohort) -> None:
    assert not load_cohort(COUNTED[case], more=UNCENSORED).warnings
