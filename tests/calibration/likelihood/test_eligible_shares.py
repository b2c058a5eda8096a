"""A reported share of all treated, for a treatment closed to some, is set so that simulated patients have it."""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scipy import optimize
from worlds import slow

from calibration.likelihood.targets import Targets, find_folder, load_targets
from calibration.validation import external
from simulator.errors import InputError
from simulator.pathway import shipped

OPEN, CLOSED = 30 / 40, 10 / 40
"""Of the cohort's own mix: CD19 CAR-T is closed to CD19-negative relapses."""
CAR = "car,entered,treated,car_t_reinfusion,,,{},42"
CHEMOTHERAPY = "chemotherapy,entered,treated,chemotherapy,,,{},42"
IMMUNOTHERAPY = "immunotherapy,entered,treated,immunotherapy,,,{},42"
LEVERS = {"car": "share_car_t_reinfusion"}
CURED_BY_CD19 = (
    'shape = "relapse_shape"\n',
    'shape = "relapse_shape"\ncure = { by = "cd19", positive = 0.1, negative_or_dim = 0.7, unknown = 0.2 }\n',
)
TOGETHER = (
    (
        "levels = { positive = 17, negative_or_dim = 10, unknown = 10 }",
        'levels = ["positive", "negative_or_dim", "unknown"]',
    ),
    ("levels = { bone_marrow = 34, extramedullary = 3 }", 'levels = ["bone_marrow", "extramedullary"]'),
    (
        "[resources.hsct_beds]",
        """[[case_mix]]
of = ["site", "cd19"]
[case_mix.weights]
bone_marrow = { positive = 16, negative_or_dim = 4, unknown = 10 }
extramedullary = { positive = 1, negative_or_dim = 6, unknown = 0 }

[resources.hsct_beds]""",
    ),
)
"""CD19-negative relapses are more often extramedullary."""
Cohort = Callable[..., Targets]


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """A cohort of 60 with 42 treated and CD19 known of 40; rows report shares, `edits` change its pathway."""

    def write(
        *rows: str, more: str = "", edits: Sequence[tuple[str, str]] = (), use: str = "setting", clock: str = "relapse"
    ) -> Targets:
        folder = tmp_path / "mine"
        shutil.copytree(find_folder("schultz2023"), folder)
        pathway = shipped.path("b_all_post_cd19").read_text(encoding="utf-8")
        for old, new in edits:
            assert old in pathway
            pathway = pathway.replace(old, new, 1)
        (folder / "own.toml").write_text(pathway, encoding="utf-8")
        text = (folder / "cohort.toml").read_text(encoding="utf-8").replace("n = 57", "n = 60")
        names = [row.partition(",")[0] for row in rows]
        levers = "".join(f'{LEVERS.get(name, f"share_{name}")} = "{name}"\n' for name in names)
        text = text.replace('"b_all_post_cd19"', '"own.toml"') + levers + more
        text = text.replace('clock = "relapse"', f'clock = "{clock}"')
        (folder / "cohort.toml").write_text(text, encoding="utf-8")
        lines = [(folder / "targets.csv").read_text(encoding="utf-8").splitlines()[0].removesuffix(",evidence")]
        lines += ["treated,patients,treated,,,,42,60,70,,,,%,Table 2,setting,"]
        lines += ["negative,patients,all,,cd19=negative_or_dim,,10,40,,,,,patients,Table 1,case_mix,"]
        lines += ["unknown,patients,all,,cd19=unknown,,10,40,,,,,patients,Table 1,case_mix,"]
        lines += [f"{row},,,,,patients,Table 2,{use}," for row in rows]
        (folder / "targets.csv").write_text("\n".join(lines), encoding="utf-8")
        return load_targets(folder)

    return write


def test_a_share_of_all_treated_is_set_as_a_share_of_eligible_patients(cohort: Cohort) -> None:
    levers = cohort(CAR.format(25)).scenario.set
    assert levers == pytest.approx({"salvage_uptake": 0.7, "share_car_t_reinfusion": 25 / 42 / OPEN})


def test_a_share_of_the_whole_cohort_is_set_as_a_share_of_the_treated(cohort: Cohort) -> None:
    """25 of 60, where 42 were treated: tables often print every row of all patients."""
    of_all = cohort(CAR.replace(",42", ",60").format(25)).scenario.set
    assert of_all == pytest.approx({"salvage_uptake": 0.7, "share_car_t_reinfusion": 25 / 42 / OPEN})


@pytest.mark.parametrize("edits", [(), slow((CURED_BY_CD19, *TOGETHER))])
def test_simulated_patients_have_the_reported_share(edits: Sequence[tuple[str, str]], cohort: Cohort) -> None:
    """The share of ineligible patients goes to chemotherapy too, in proportion; the mix is that at relapse."""
    targets = cohort(CAR.format(25), CHEMOTHERAPY.format(6), use="validation", edits=edits)
    validation = external.validate(targets, None, wanted=80).table()
    # 5 standard errors of 80 cohorts with 42 treated.
    for predicted, share in zip(validation["predicted"], (25 / 42, 6 / 42), strict=True):
        assert predicted == pytest.approx(100 * share, abs=500 * (share * (1 - share) / 42 / 80) ** 0.5)


def test_two_shares_are_set_together(cohort: Cohort) -> None:
    """Chemotherapy has p of the eligible and p / (1 - c) of the others, c being CAR-T's share of the eligible."""
    levers = cohort(CAR.format(15), CHEMOTHERAPY.format(10)).scenario.set
    car = 15 / 42 / OPEN
    assert levers["share_car_t_reinfusion"] == pytest.approx(car)
    assert levers["share_chemotherapy"] == pytest.approx(10 / 42 / (OPEN + CLOSED / (1 - car)))


def test_shares_stay_as_reported_if_nobody_had_a_restricted_treatment(cohort: Cohort) -> None:
    levers = cohort(CHEMOTHERAPY.format(20), IMMUNOTHERAPY.format(22)).scenario.set
    assert levers["share_chemotherapy"] == pytest.approx(20 / 42)
    assert levers["share_immunotherapy"] == pytest.approx(22 / 42)


def test_a_share_among_patients_of_a_level_is_set_as_reported(cohort: Cohort) -> None:
    row = "car,entered,treated,car_t_reinfusion,cd19=positive,,15,20"
    assert cohort(row).scenario.set["share_car_t_reinfusion"] == pytest.approx(15 / 20)


def test_partial_eligibility_gives_part_of_the_share(cohort: Cohort) -> None:
    """Every second one of the CD19-negative: r = w p + v p / 2 / (1 - p / 2)."""
    half = [("negative_or_dim = 0 }", "negative_or_dim = 0.5 }")]
    share = cohort(CAR.format(25), edits=half).scenario.set["share_car_t_reinfusion"]

    def excess(p: float) -> float:
        return OPEN * p + CLOSED * 0.5 * p / (1 - 0.5 * p) - 25 / 42

    assert share == pytest.approx(optimize.brentq(excess, 0, 1), abs=1e-7)


def test_attributes_that_go_together_change_no_share_of_all_treated(cohort: Cohort) -> None:
    """The cohort reports CD19, so that 30 of 40 are eligible, whatever their sites are."""
    assert cohort(CAR.format(25), edits=TOGETHER).scenario.set["share_car_t_reinfusion"] == pytest.approx(
        25 / 42 / OPEN
    )


def test_patients_of_a_level_have_the_mix_of_what_goes_with_it(cohort: Cohort) -> None:
    """CD19 of the cohort, given the site by the pathway: of 20 + 4 p + 10 of the bone marrow, 4 p are not eligible."""
    row = "car,entered,treated,car_t_reinfusion,site=bone_marrow,,15,20"
    negative, positive, unknown = (10 / 40 * 4 / 10, 20 / 40 * 16 / 17, 10 / 40)
    eligible = (positive + unknown) / (negative + positive + unknown)
    share = cohort(row, edits=TOGETHER).scenario.set["share_car_t_reinfusion"]
    assert share == pytest.approx(15 / 20 / eligible, rel=1e-6)


def test_a_gate_that_goes_with_what_decides_earlier_is_refused(cohort: Cohort) -> None:
    """Nobody reports the sites of those who relapse, and the site goes with CD19, which cures before the relapse."""
    gate = ("eligible = { cd19 = { negative_or_dim = 0 } }", "eligible = { site = { extramedullary = 0 } }")
    with pytest.raises(InputError, match=r"patients who reach it differ by .*site"):
        cohort(CAR.format(25), edits=[CURED_BY_CD19, *TOGETHER, gate], clock="infusion")


def test_a_number_is_a_share_among_the_eligible(cohort: Cohort) -> None:
    assert cohort(more="share_car_t_reinfusion = 0.6\n").scenario.set["share_car_t_reinfusion"] == 0.6


BY_CD19 = 'probability = { by = "cd19", positive = "share_chemotherapy", negative_or_dim = 0.2, unknown = 0.2 }'
TREATED_BY_CD19 = (
    'probability = { by = "cd19", positive = "salvage_uptake", negative_or_dim = "hsct_if_pr", unknown = "hsct_if_pr" }'
)
REFUSED = {
    "more than are eligible": (
        [CAR.format(33)],
        {},
        "0.786 of all patients, but only 0.75 are eligible for share_car_t_reinfusion",
    ),
    "all eligible patients": (["car,entered,treated,car_t_reinfusion,,,30,40"], {}, "no shares among the eligible"),
    "no row for the other treatments": (
        [CHEMOTHERAPY.format(10)],
        {},
        "immunotherapy, car_t_reinfusion have different eligible patients, and no row reports the share of each",
    ),
    "another is a number": (
        [CAR.format(10)],
        {"more": "share_chemotherapy = 0.2\n"},
        "share_chemotherapy is set to a number, which is a share among the eligible",
    ),
    "rows of different patients": (
        [CAR.format(10), "chemotherapy,entered,treated,chemotherapy,cd19=positive,,5,20"],
        {},
        "the rows count different patients",
    ),
    "eligible by a parameter": (
        [CAR.format(10)],
        {"edits": [("negative_or_dim = 0 }", 'negative_or_dim = "second_salvage_uptake" }')]},
        "a parameter decides which patients are eligible for car_t_reinfusion",
    ),
    "treated by CD19": (
        [CAR.format(10)],
        {"edits": [('probability = "salvage_uptake"', TREATED_BY_CD19)]},
        "patients who reach it differ by cd19",
    ),
    "cured by CD19, and the mix is that at infusion": (
        [CAR.format(10)],
        {"edits": [CURED_BY_CD19], "clock": "infusion"},
        "patients who reach it differ by cd19",
    ),
    "shares by CD19": (
        [CAR.format(10)],
        {
            "edits": [
                ('probability = "share_chemotherapy"', BY_CD19),
                ('probability = "share_immunotherapy"', 'probability = "rest"'),
            ]
        },
        "its shares differ by an attribute",
    ),
}


@pytest.mark.representatives(5)
@pytest.mark.parametrize("case", REFUSED)
def test_a_row_that_does_not_determine_the_shares_is_refused(case: str, cohort: Cohort) -> None:
    rows, more, complaint = REFUSED[case]
    message = (
        r"mine/cohort.toml: \[set\]: a row cannot determine share_.* at 'salvage_choice', which is not open to every"
    )
    with pytest.raises(InputError, match=f"{message} patient: .*{re.escape(complaint)}.*; allowed: a row per branch"):
        cohort(*rows, **more)


def test_shares_that_add_up_to_more_than_all_are_refused(cohort: Cohort) -> None:
    with pytest.raises(InputError, match="leaves a negative share"):
        external.validate(cohort(CAR.format(25), CHEMOTHERAPY.format(20), use="validation"), None, wanted=1).table()
