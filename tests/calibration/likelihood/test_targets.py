"""Reading a cohort's folder: errors are refused with their place, and the shipped cohort's figures have a source."""

import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from worlds import slow

from calibration.likelihood.targets import Targets, find_folder, load_targets
from simulator.errors import InputError
from simulator.evidence.cohort import read_cohort
from simulator.files import text as text_file
from simulator.pathway.format import load_pathway

WANG = find_folder("wang2024")
ROWS = read_cohort(WANG).targets
# Passages of targets.csv, each there once.
UNTREATED = "untreated,patients,untreated,,,,19,37"
CHEMOTHERAPY = "chemotherapy,entered,treated,chemotherapy,,,3,18,16.7"
NO_RESPONSE = "no_response,entered,treated,no_response,,,1,18,5.6"
HSCT_TRM = "hsct_deaths_of_treatment,deaths,hsct,death_of_treatment,,,2,10"
MEDIAN = "relapse_median,median,all,relapse,,,,37,10.3"
POSITIVE = "relapse_median_cd19_positive,median,cd19=positive,relapse,cd19=positive,,,17,10.6"
SURVIVORS_6 = "survivors_6,survivors,all,,,6,14,37"
FOLLOW_UP = 'follow_up_median,median_follow_up,all,,,,,37,6.0,,months,"paragraph 4, sentence 1",predictive'
SECOND_TRM = 'death_of_treatment,prior_hsct=yes,,2,7,,,patients,"paragraph 3, sentence 5",likelihood'

Edit = Callable[[str, str, str], Path]


@pytest.fixture
def copied(tmp_path: Path) -> Edit:
    """Copy the cohort into a folder of the test's own, with one passage of one of its files replaced."""

    def copy(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "wang_again"
        folder.mkdir()
        for name in ("cohort.toml", "targets.csv"):
            shutil.copy(WANG / name, folder / name)
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return folder

    return copy


def line_of(passage: str) -> int:
    lines = (WANG / "targets.csv").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if passage in line)


def test_a_copy_of_a_cohort_is_read_the_same(copied: Edit, letter: Targets) -> None:
    copy, first = load_targets(copied("cohort.toml", "n = 37", "n =  37")), letter
    assert copy.tables is not None
    assert first.tables is not None
    equations = [
        [(equation.cells, equation.count) for equation in targets.tables.equations] for targets in (copy, first)
    ]
    assert equations[0] == equations[1]
    assert (copy.times, copy.seed) == (first.times, first.seed)


# What is wrong: the passage of targets.csv, what it becomes, the complaint.
BAD_ROWS = {
    "an unknown kind": (UNTREATED, UNTREATED.replace(",patients,", ",pateints,"), "kind; got 'pateints'.*'patients'"),
    "an unknown use": (SECOND_TRM, SECOND_TRM.replace("likelihood", "predicted"), "unknown use.*'predictive'"),
    "an unknown state": (CHEMOTHERAPY, CHEMOTHERAPY.replace("y,,,", "ies,,,"), "unknown state.*'chemotherapy'"),
    "an unknown population": (UNTREATED, UNTREATED.replace("patients,u", "patients,o"), "population.*'untreated'"),
    "an unknown level": (SECOND_TRM, SECOND_TRM.replace("=yes", "=yess"), "unknown attribute.*'prior_hsct=yes'"),
    "no place": (SECOND_TRM, SECOND_TRM.replace('"paragraph 3, sentence 5"', ""), "no place in its source"),
    "no state": (CHEMOTHERAPY, CHEMOTHERAPY.replace("chemotherapy,,,", ",,,"), "kind 'entered' needs `state`"),
    "deaths of what is no death": (HSCT_TRM, HSCT_TRM.replace("h_of_treatment,,", "h,,"), "unknown death"),
    "more than the total": (UNTREATED, UNTREATED.replace("19,37", "38,37"), "more than the total; got '38 of 37'"),
    "fewer than none": (UNTREATED, UNTREATED.replace("19,37", "-1,37"), "count below 0; got '-1 of 37'"),
    "more than the cohort": (SURVIVORS_6, SURVIVORS_6.replace("14,37", "14,38"), "the cohort has; got 38"),
    "no count": (UNTREATED, UNTREATED.replace("19,37", ",37"), "kind 'patients' needs `count`"),
    "no size": (CHEMOTHERAPY, CHEMOTHERAPY.replace("3,18", "3,"), "kind 'entered' needs `n`"),
    "half a patient": (UNTREATED, UNTREATED.replace("19,37", "18.5,37"), "not whole patients"),
    "survivors at no month": (SURVIVORS_6, SURVIVORS_6.replace("6,14,37", ",14,37"), "kind 'survivors' needs `month`"),
    "no time": (MEDIAN, MEDIAN.replace("10.3", ""), "kind 'median' needs `value`"),
    "a time below zero": (MEDIAN, MEDIAN.replace("10.3", "-10.3"), "not a time; got '-10.3'"),
    "a range of a level": (POSITIVE, POSITIVE.replace("median,cd19", "minimum,cd19"), "only a median"),
    "a range of a level, by attribute": (
        MEDIAN,
        MEDIAN.replace("median,all,relapse,", "maximum,all,relapse,cd19=positive"),
        "only a median can be reported for a level",
    ),
    "a median of some": (MEDIAN, MEDIAN.replace("37,10.3", "30,10.3"), "some of the 37 patients of all cannot be"),
    "a time of an arm": (MEDIAN, MEDIAN.replace("all", "hsct"), "no time for an arm"),
    "a fitted follow-up": (FOLLOW_UP, FOLLOW_UP.replace("predictive", "likelihood"), "cannot be fitted"),
    "19 responses of 18": (NO_RESPONSE, NO_RESPONSE.replace("1,18,5.6", "2,18,11.1"), "four rows contradict"),
    "a state counted twice": (NO_RESPONSE, NO_RESPONSE.replace("d,no_resp", "d,partial_resp"), "two rows contradict"),
    "survival after the last follow-up": (
        SURVIVORS_6,
        SURVIVORS_6.replace("survivors,all,,,6,14", "survival,all,,,74.8,"),
        "month: survival after the last follow-up; got '74.8'; allowed: up to 74.7, or a later end of \\[follow_up\\]",
    ),
    "a median after the last follow-up": (
        FOLLOW_UP,
        FOLLOW_UP.replace(",6.0,", ",76.0,"),
        "value: median follow up after the last follow-up; got '76'; allowed: up to 74.7",
    ),
    "two survivors at 12": (SURVIVORS_6, SURVIVORS_6.replace("6,14,37", "12,14,37"), "two rows contradict"),
}


OF_THE_LETTER = ("19 responses of 18", "a state counted twice", "two survivors at 12")
"""Contradictions that take the longest to find; `test_contradictions` has some of each kind in a small world."""


@pytest.mark.representatives(12)
@pytest.mark.parametrize("case", [slow(case) if case in OF_THE_LETTER else case for case in BAD_ROWS])
def test_a_bad_row_is_refused_with_its_file_and_line(case: str, copied: Edit) -> None:
    old, new, complaint = BAD_ROWS[case]
    folder = copied("targets.csv", old, new)
    place = re.escape(f"{folder / 'targets.csv'}: line {line_of(old)}")
    with pytest.raises(InputError, match=rf"{place}\b.*{complaint}"):
        load_targets(folder)


def test_17_treated_contradict_the_18_of_another_row(copied: Edit) -> None:
    old = "survivors_12_treated,survivors,treated,,,12,13,18"
    folder = copied("targets.csv", f"{old},72,11,%", f"{old.replace('13,18', '13,17')},,,patients")
    with pytest.raises(InputError, match=r"contradict each other.*got '17 and 18'") as refusal:
        load_targets(folder)
    for passage in (old, CHEMOTHERAPY):
        assert f"targets.csv: line {line_of(passage)}" in str(refusal.value)


def test_a_word_for_a_number_is_refused_with_its_line_and_column(copied: Edit) -> None:
    folder = copied("targets.csv", UNTREATED, "untreated,patients,untreated,,,,nineteen,37")
    place = re.escape(f"{folder / 'targets.csv'}: line {line_of(UNTREATED)}, count")
    with pytest.raises(InputError, match=rf"{place}: not a number; got 'nineteen'"):
        load_targets(folder)


def test_a_missing_column_is_named(copied: Edit) -> None:
    with pytest.raises(InputError, match=r"a column is missing.*allowed: standard_error"):
        load_targets(copied("targets.csv", ",standard_error,", ",error,"))


UNKNOWN = 'cd19=unknown,,10,37,,,patients,"paragraph 2, sentence 4",'
POSITIVE_ROW = (
    'cd19=positive,,17,37,,,patients,"paragraph 2, sentence 4",case_mix,\ncd19_negative_or_dim,patients,all,,'
)
NEGATIVE_AND_UNKNOWN = (
    'cd19=negative_or_dim,,10,37,,,patients,"paragraph 2, sentence 4",case_mix,\n'
    f"cd19_unknown,patients,all,,{UNKNOWN}case_mix"
)
BAD_CASE_MIXES = {
    "two levels without a row": (
        NEGATIVE_AND_UNKNOWN,
        NEGATIVE_AND_UNKNOWN.replace("case_mix", "predictive"),
        "more than one level has no row; got 'negative_or_dim, unknown'",
    ),
    "no level with a row": (
        f"{POSITIVE_ROW}{NEGATIVE_AND_UNKNOWN}",
        f"{POSITIVE_ROW}{NEGATIVE_AND_UNKNOWN}".replace("case_mix", "predictive"),
        "a reported time needs a case_mix row for cd19=positive.*has the rest",
    ),
    "two rows for a level": (UNKNOWN, UNKNOWN.replace("unknown", "positive"), "line 4: a level has more than one row"),
    "levels that are not everybody": ("cd19=unknown,,10", "cd19=unknown,,9", "do not add up.*got 36; allowed: 37"),
}


def test_the_one_level_without_a_row_has_the_rest_of_the_cohort(copied: Edit, letter: Targets) -> None:
    without = load_targets(copied("targets.csv", f"{UNKNOWN}case_mix", f"{UNKNOWN}predictive"))
    assert without.times == letter.times
    assert without.times is not None
    assert without.times.sizes == {"positive": 17, "negative_or_dim": 10, "unknown": 10}


@pytest.mark.parametrize("case", BAD_CASE_MIXES)
def test_a_case_mix_that_does_not_cover_everybody_is_refused(case: str, copied: Edit) -> None:
    old, new, complaint = BAD_CASE_MIXES[case]
    with pytest.raises(InputError, match=f"targets.csv: .*{complaint}"):
        load_targets(copied("targets.csv", old, new))


BAD_COHORT_FILES = {
    "a seed below zero": ("seed = 20240680", "seed = -1", "seed: .*greater than or equal to 0; got -1"),
    "a word for a seed": ("seed = 20240680", 'seed = "lucky"', "seed: not a whole number; got 'lucky'"),
    "no seed": ("seed = 20240680", "", "seed: a key is missing"),
    "a truth value for a seed": ("seed = 20240680", "seed = true", "seed: not a whole number; got True"),
    "no pathway": ('pathway = "b_all_post_cd19"', "", "pathway: a key is missing"),
    "an unknown pathway": ('"b_all_post_cd19"', '"b_all_post_cd20"', "b_all_post_cd19"),
    "an unknown clock": ('clock = "relapse"', 'clock = "relaps"', "unknown clock.*'relapse'"),
    "an unknown group": ('untreated = ["untreated"]', 'untreated = ["untreted"]', "unknown group.*'untreated'"),
    "no patients": ("n = 37", "n = 0", "n: .*greater than or equal to 1; got 0"),
    "follow-up that ends before it starts": ("lower = 28.0", "lower = 80.0", "not an interval"),
    "no citation": ('citation = "', 'cited = "', "cited: unknown key.*allowed: .*citation"),
}


@pytest.mark.parametrize("case", BAD_COHORT_FILES)
def test_a_bad_cohort_file_is_refused_by_name(case: str, copied: Edit) -> None:
    old, new, complaint = BAD_COHORT_FILES[case]
    folder = copied("cohort.toml", old, new)
    with pytest.raises(InputError, match=complaint) as refusal:
        load_targets(folder)
    assert case == "an unknown pathway" or str(folder / "cohort.toml") in str(refusal.value)


def test_each_file_of_a_cohort_and_of_its_pathway_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names, read = Counter[str](), text_file.read

    def counted(path: Path, largest: int) -> str:
        names[path.name] += 1
        return read(path, largest)

    monkeypatch.setattr(text_file, "read", counted)
    load_targets("wang2024")
    files = ("cohort.toml", "targets.csv", "posterior.csv", "predictive.csv", "b_all_post_cd19.toml")
    assert names == Counter(files)


def test_an_unknown_cohort_is_refused_with_the_likely_name() -> None:
    with pytest.raises(InputError, match=r"unknown cohort; got 'wang2042'.*did you mean 'wang2024'"):
        load_targets("wang2042")


def test_only_firm_statements_of_the_letter_enter_the_likelihood() -> None:
    use = dict(zip(ROWS["name"], ROWS["use"], strict=True))
    assert use["follow_up_median"] == use["deaths_of_treatment"] == "predictive"
    hsct_of_treated = ROWS[(ROWS["use"] == "likelihood") & (ROWS["state"] == "hsct")]
    assert hsct_of_treated.empty


@pytest.mark.parametrize("name", ROWS["name"])
def test_a_row_of_the_letter_has_its_place(name: str) -> None:
    place = ROWS.set_index("name").loc[name, "place"]
    match = re.fullmatch(r"paragraph ([1-6]), (sentence \d|sentences \d and \d)", place)
    assert match is not None, place


def test_no_name_is_declared_twice() -> None:
    assert ROWS["name"].is_unique


def test_the_case_mix_of_the_letter_agrees_with_the_pathway() -> None:
    pathway = load_pathway("b_all_post_cd19")
    mix = ROWS[ROWS["use"] == "case_mix"]
    reported = dict(zip(mix["attribute"], mix["count"], strict=True))
    for name, attribute in pathway.attributes.items():
        levels = {level: reported.pop(f"{name}={level}") for level in attribute.levels}
        assert sum(levels.values()) == 37
        total = sum(attribute.levels.values())
        assert levels == pytest.approx({level: 37 * n / total for level, n in attribute.levels.items()})
    assert not reported
    assert set(mix["n"]) == {37}


def test_the_shipped_cohort_file_cites_the_letter() -> None:
    declared = tomllib.loads((WANG / "cohort.toml").read_text(encoding="utf-8"))
    assert declared["doi"] == "10.1186/s12967-024-05362-w"
    assert (declared["n"], declared["follow_up"]["lower"], declared["follow_up"]["upper"]) == (37, 28.0, 74.7)
    assert set(declared["arms"]["all"]) == set(declared["arms"]["untreated"]) | set(declared["arms"]["treated"])
