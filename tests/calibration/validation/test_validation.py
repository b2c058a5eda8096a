"""Predictions for another cohort by simulated cohorts of its size, against the binomial."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from evidence import row_of
from scipy import stats

from calibration.likelihood.targets import Targets, find_folder, load_targets
from calibration.validation import external
from simulator.errors import InputError

NewCohort = Callable[..., Targets]
DYING = (("entered", "dead"), ("deaths", ""), ("deaths", "dead"), ("survivors", ""))
SHIPPED = ("li2023", "schultz2023", "wudhikarn2021")


def test_shipped_cohorts_are_listed() -> None:
    assert tuple(external.shipped()) == SHIPPED


def test_shipped_cohorts_set_their_uptake_and_mix() -> None:
    schultz, wudhikarn, li = (load_targets(name).scenario for name in ("schultz2023", "wudhikarn2021", "li2023"))
    assert dict(schultz.set) == {"salvage_uptake": 50 / 57}
    assert dict(wudhikarn.set) == {"salvage_uptake": 30 / 38}
    assert dict(li.set) == {"salvage_uptake": 1.0, "share_dual_target_reinfusion": 1.0}
    assert wudhikarn.population["prior_hsct"] == {"yes": 20, "no": 18}
    assert not schultz.population
    assert not li.population


@pytest.mark.parametrize("name", SHIPPED)
def test_every_figure_has_its_words_in_the_source_or_the_letter(name: str) -> None:
    for _, row in load_targets(name).cohort.targets.iterrows():
        assert row["place"].startswith("as cited in the letter") or "the source's own words" in row["note"], row["name"]


@pytest.mark.parametrize(
    ("cohort", "target", "evidence", "quantity"),
    [
        ("schultz2023", "survivors_12", "Schultz 2023", "relapse cohort 12-mo OS"),
        ("wudhikarn2021", "survivors_12", "Wudhikarn 2021", "12-mo OS"),
        ("wudhikarn2021", "median_survival", "Wudhikarn 2021", "OS after progression, median"),
        ("wudhikarn2021", "infusion_to_relapse", "Wudhikarn 2021", "CAR-T→progression, median"),
        ("li2023", "survivors_12", "Li W 2023", "12-mo OS after CD19+CD22 CAR-T"),
    ],
)
def test_a_shipped_figure_agrees_with_the_evidence(cohort: str, target: str, evidence: str, quantity: str) -> None:
    row = load_targets(cohort).cohort.targets.set_index("name").loc[target]
    evidence_row = row_of(evidence, quantity)
    assert (row["value"], row["n"]) == (float(evidence_row["value"]), float(evidence_row["n"]))


def test_a_prediction_is_binomial_with_the_size_of_the_cohort(new_cohort: NewCohort) -> None:
    rows = ("alive,survival,all,,,6,,25,61", "treated,patients,treated,,,,10,25,")
    predictions = external.validate(new_cohort(25, *rows, use="validation"), None, wanted=800).set_index("target")
    for name, chance in (("alive", np.exp(-0.6)), ("treated", 0.4)):
        law = stats.binom(25, chance)
        row = predictions.loc[name]
        # 5 standard errors either side of 2.5 and 97.5 %: a false alarm in a million.
        noise = 5 * np.sqrt(0.025 * 0.975 / 800)
        for end, level in (("lower", 0.025), ("upper", 0.975)):
            low, high = 4 * law.ppf([max(level - noise, 0.0), min(level + noise, 1.0)])
            assert low - 1e-9 <= row[end] <= high + 1e-9
        assert row["predicted"] == pytest.approx(100 * chance, abs=5 * 100 * np.sqrt(chance * (1 - chance) / 25 / 800))
        at_most = law.cdf(row["reported"] / 4 + 1e-9)
        assert row["at_most"] == pytest.approx(at_most, abs=5 * np.sqrt(0.25 / 800))


def test_a_count_is_shown_as_a_share_of_the_patients_it_counts(new_cohort: NewCohort) -> None:
    rows = ("ever_treated,entered,treated,treatment,,,9,9,", "dead,deaths,treated,,,,2,9,")
    predictions = external.validate(new_cohort(25, *rows, use="validation"), None, wanted=100).set_index("target")
    assert (predictions.loc["ever_treated", "lower"], predictions.loc["ever_treated", "upper"]) == (100.0, 100.0)
    assert predictions.loc["dead", "reported"] == pytest.approx(200 / 9)
    assert set(predictions["unit"]) == {"%"}


def test_a_count_is_predicted_by_the_month_of_its_row(new_cohort: NewCohort) -> None:
    """All die at a constant hazard of 0.1, and are followed for 10 to 30 months: 5 standard errors of 400 cohorts."""
    kinds = [(kind, state, month) for kind, state in DYING for month in (1, 6, 20)]
    counts = {"survivors": 57}
    rows = [f"{k}_{s}_{m},{k},all,{s},,{m},{counts.get(k, 3)},60," for k, s, m in kinds]
    predictions = external.validate(new_cohort(60, *rows, use="validation"), None, wanted=400)
    for row in predictions.itertuples():
        dead = float(np.mean(-np.expm1(-0.1 * np.minimum(row.month, np.linspace(10.0, 30.0, 20_001)))))
        chance = 1 - dead if row.kind == "survivors" else dead
        assert row.predicted == pytest.approx(100 * chance, abs=5 * 100 * np.sqrt(chance * (1 - chance) / 60 / 400))


COMPETING = '{ to = "dead", time = { family = "exponential", mean = 8.0 } }'


@pytest.mark.parametrize(("clock", "alive"), [("relapse", np.exp(-0.6)), ("infusion", np.nan)])
def test_a_patient_who_never_starts_the_clock_is_in_no_cohort(clock: str, alive: float, new_cohort: NewCohort) -> None:
    """Half die in remission, at a constant hazard: from infusion S = e^-t/4 and, of who relapsed, a convolution."""
    folder = new_cohort(25, "alive,survival,all,,,6,,25,61", use="validation").folder
    for name, old, new in (
        ("own.toml", '[{ to = "relapse"', f'[{COMPETING}, {{ to = "relapse"'),
        ("cohort.toml", 'clock = "relapse"', f'clock = "{clock}"'),
        ("cohort.toml", 'all = ["treated", "untreated"]', 'all = ["all"]'),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))
    predictions = external.validate(load_targets(folder), None, wanted=400)
    if clock == "infusion":
        # Relapse at rate 1/8 of rate 1/4 in all, then death at rate 1/10.
        alive = np.exp(-1.5) + (1 / 8) / (1 / 4 - 1 / 10) * (np.exp(-0.6) - np.exp(-1.5))
    assert predictions["predicted"].iloc[0] == pytest.approx(100 * alive, abs=5 * 100 * np.sqrt(0.25 / 25 / 400))


def test_a_figure_far_from_the_prediction_is_outside_its_interval(new_cohort: NewCohort) -> None:
    predictions = external.validate(new_cohort(25, "alive,survival,all,,,6,,25,5", use="validation"), None, wanted=200)
    assert predictions["inside"].tolist() == ["no"]
    assert predictions["at_most"].iloc[0] < 0.01


def test_a_cohort_with_nothing_to_predict_is_refused(new_cohort: NewCohort) -> None:
    with pytest.raises(InputError, match=r"targets.csv: nothing to validate.*validation"):
        external.validate(new_cohort(25, "alive,survival,all,,,6,,25,61", use="predictive"), None)


def test_a_case_mix_reported_for_some_patients_is_used_for_all(new_cohort: NewCohort) -> None:
    """Of 25, the sex of 20 is known: 5 women of 20, so that 15 men are left of those, and not 20."""
    targets = new_cohort(25, "women,patients,all,,sex=female,,5,20,", use="case_mix")
    assert targets.scenario.population == {"sex": {"female": 5.0, "male": 15.0}}


BAD_MIXES = {
    "a sex of nobody": (["x,patients,all,,,,5,20,"], "line 2: a case_mix row without an attribute; got 'x'"),
    "women twice": (
        ["x,patients,all,,sex=female,,5,20,"] * 2,
        "line 3: a level has more than one row; got 'sex=female'",
    ),
    "women of 20 and men of 25": (
        ["x,patients,all,,sex=female,,5,20,", "y,patients,all,,sex=male,,20,25,"],
        "line 3: the levels of sex have different values of n; got 25; allowed: 20",
    ),
    "more than 20 of 20": (
        ["x,patients,all,,sex=female,,5,20,", "y,patients,all,,sex=male,,16,20,"],
        "case_mix of sex: the levels count more patients than n; got '21'; allowed: up to 20",
    ),
}


@pytest.mark.parametrize("case", BAD_MIXES)
def test_a_mix_that_contradicts_itself_is_refused(case: str, new_cohort: NewCohort) -> None:
    rows, complaint = BAD_MIXES[case]
    with pytest.raises(InputError, match=f"targets.csv: {complaint}"):
        new_cohort(25, *rows, use="case_mix")


SPOILED = {
    "an unknown parameter to set": (
        "cohort.toml",
        "salvage_uptake =",
        "salvage_uptak =",
        "did you mean 'salvage_uptake'",
    ),
    "an unknown row": ("cohort.toml", '= "treated"\n', '= "treatd"\n', "row of targets.csv.*mean 'treated'"),
    "an unknown table": ("cohort.toml", "[set]", "[sets]", "unknown key; got 'sets'.*did you mean 'set'"),
    "a value outside its unit": ("cohort.toml", '= "treated"\n', "= 1.5\n", "outside its unit .*got 1.5"),
    "a truth value for a parameter": ("cohort.toml", '= "treated"\n', "= true\n", "not a number or text; got True"),
    "a benefit above 1": ("cohort.toml", "n = 38\n", "n = 38\nmarginal_benefit = 2\n", "benefit: .*; got 2"),
    "two levels without a row": ("targets.csv", "prior_hsct=yes", "cd19=positive", "more than one level has no row"),
    "a level too many": ("targets.csv", "yes,,20,38", "yes,,39,39", "more patients than the cohort has"),
    "18 treated of 17": ("targets.csv", ",30,38,79", ",18,17,79", "line 2: more than the total; got '18 of 17'"),
    "no place": ("targets.csv", ',"abstract",setting', ",,setting", "line 2: a target has no place"),
    "a percentage of no count": (
        "cohort.toml",
        "n = 38\n",
        "n = 38\nno_censoring_before = 12\n",
        "line 9: no count of 38",
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_damaged_cohort_is_refused_with_file_and_place(case: str, tmp_path: Path) -> None:
    file, old, new, complaint = SPOILED[case]
    folder = tmp_path / "mine"
    shutil.copytree(find_folder("wudhikarn2021"), folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(str(folder)) + f".*{complaint}"):
        load_targets(folder)
