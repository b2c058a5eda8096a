"""The denominator of a reported count: predictions use the same patients, and unreported denominators are refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import policies_of_the_default_suite

from calibration import fit
from calibration.denominators import denominators, in_words
from calibration.likelihood.targets import Targets, find_folder, load_targets
from calibration.predictive import simulate_figures, simulated
from calibration.validation import external
from simulator.errors import InputError

NewCohort = Callable[..., Targets]
UPTAKE, FEMALE = 0.4, 0.25
"""Of `new_cohort`'s pathway, independent of one another."""
N = 200
SIZES = ("women,patients,all,,sex=female,,50,200,", "treated,patients,treated,,,,80,200,")

SHARES = {
    "the treated, of all": ("patients,treated,,,,80,200,", UPTAKE),
    "women, of the treated": ("patients,treated,,sex=female,,20,80,", FEMALE),
    "the treated women, of all women": ("patients,treated,,sex=female,,20,50,", UPTAKE),
    "the treated women, of all": ("patients,treated,,sex=female,,20,200,", UPTAKE * FEMALE),
    "women, of those whose sex is known": ("patients,all,,sex=female,,30,120,", FEMALE),
    "treated women who died, of the treated women": ("deaths,treated,,sex=female,,19,21,", 1.0),
    "treated women who died, of the treated": ("deaths,treated,,sex=female,,19,80,", FEMALE),
    "treated women who died, of all women": ("deaths,treated,,sex=female,,19,50,", UPTAKE),
    "women who were treated, of the women": ("entered,sex=female,treatment,,,20,50,", UPTAKE),
    "women who were treated, of all": ("entered,sex=female,treatment,,,20,200,", UPTAKE * FEMALE),
    "who died, of the treated who were followed up": ("deaths,treated,,,,70,75,", 1.0),
}


@pytest.mark.representatives(2)
@pytest.mark.parametrize("case", policies_of_the_default_suite(SHARES, [*SHARES][::3]))
def test_a_count_is_predicted_as_a_share_of_its_denominator(case: str, new_cohort: NewCohort) -> None:
    row, share = SHARES[case]
    targets = new_cohort(N, *SIZES, f"it,{row}", use="validation")
    # Without follow-up everybody is seen to die, so that deaths are a share of known size.
    text = (targets.folder / "cohort.toml").read_text()
    (targets.folder / "cohort.toml").write_text(text.partition("[follow_up]")[0])
    prediction = external.validate(load_targets(targets.folder), None, wanted=100).table().set_index("target").loc["it"]
    least = 20 if "treated women, of" in case else 50 if "women" in case else 80
    # A ratio's own bias is about share / size.
    allowed = 5 * np.sqrt(share * (1 - share) / least / 100) + 0.002
    assert prediction["predicted"] == pytest.approx(100 * share, abs=100 * allowed)


@pytest.mark.parametrize(
    ("rows", "populations", "sizes"),
    [
        ((), ("treated", "untreated"), (None, None)),
        (SIZES, ("treated", "untreated"), (80, None)),
        ((*SIZES, "untreated,patients,untreated,,,,120,200,"), ("treated", "untreated"), (80, 120)),
        (SIZES, ("sex=female", "sex=male"), (50, None)),
    ],
)
def test_a_hazard_ratio_compares_the_reported_numbers_of_both_arms(
    rows: tuple[str, ...], populations: tuple[str, str], sizes: tuple[int | None, ...], new_cohort: NewCohort
) -> None:
    """By direct counting: the first patients of each arm of a long stream, or those of the first 200."""
    targets = with_hazard_ratio(new_cohort(N, *rows, "os,survivors,all,,,6,90,200,", use="validation"), *populations)
    cohort, ratio = simulated(targets, {}, number=1, times=4), targets.figures[-1]
    compared = np.zeros(4 * N, dtype=bool)
    for population, size in zip(populations, sizes, strict=True):
        of = np.flatnonzero(cohort.members(population))
        compared[of[of < N] if size is None else of[:size]] = True
    estimate = simulate_figures(targets, None, slice(0, 1))[0, -1]
    assert 0.0 < estimate < 10.0
    assert estimate == pytest.approx(cohort.figure(ratio, compared), rel=1e-9)


def test_a_figure_that_no_simulated_cohort_has_keeps_its_row_and_is_no_part_of_the_others(
    new_cohort: NewCohort,
) -> None:
    """Nobody is treated where the cohort sets the uptake to 0."""
    targets = with_hazard_ratio(new_cohort(N, SIZES[0], use="validation"), "treated", "untreated")
    with (targets.folder / "cohort.toml").open("a", encoding="utf-8") as file:
        file.write("\n[set]\nuptake = 0\n")
    prediction = external.validate(load_targets(targets.folder), None, wanted=20)
    women, ratio = prediction.table().to_dict("records")
    assert (ratio["reported"], ratio["inside"]) == (0.8, "")
    assert np.isnan([ratio[name] for name in ("predicted", "lower", "upper", "at_most", "pit", "crps")]).all()
    alone = external.validate(new_cohort(N, SIZES[0], use="validation"), None, wanted=20)
    assert women["pit"] == alone.table()["pit"].iloc[0]
    (of_both,), (of_one,) = (external.together([of]).to_dict("records") for of in (prediction, alone))
    assert (of_both["figures"], of_both["joint_rank"]) == (1, of_one["joint_rank"])
    (nothing,) = external.together([external._only(prediction, np.array([False, True]))]).to_dict("records")
    assert (nothing["figures"], nothing["counted"]) == (0, "no")
    assert np.isnan([nothing[name] for name in ("joint_rank", "uneven", "better")]).all()


def with_hazard_ratio(targets: Targets, population: str, versus: str) -> Targets:
    """The cohort with a last row, the hazard ratio of a population to another one."""
    table = pd.read_csv(targets.folder / "targets.csv", dtype=str, keep_default_na=False)
    ratio = {"name": "hr", "kind": "hazard_ratio", "population": population, "versus": versus, "value": "0.8"}
    rows = [*table.to_dict("records"), {**ratio, "place": "made up", "use": "validation"}]
    pd.DataFrame(rows).fillna("").to_csv(targets.folder / "targets.csv", index=False)
    return load_targets(targets.folder)


def cohort_of_60(folder: Path, *rows: str) -> Targets:
    """A cohort of 60 with 42 treated on the letter's pathway, whose HSCTs are some of the treated."""
    shutil.copytree(find_folder("schultz2023"), folder)
    text = (folder / "cohort.toml").read_text(encoding="utf-8").replace("n = 57", "n = 60")
    text = text.replace("[arms]\n", '[arms]\nhsct = ["hsct"]\nother = ["other_treated"]\n')
    (folder / "cohort.toml").write_text(text, encoding="utf-8")
    head = (folder / "targets.csv").read_text(encoding="utf-8").splitlines()[0].removesuffix(",evidence")
    lines = [head, "treated,patients,treated,,,,42,60,70,,,,%,Table 2,setting,"]
    lines += [f"{row},,,,,patients,Table 3,validation," for row in rows]
    (folder / "targets.csv").write_text("\n".join(lines), encoding="utf-8")
    return load_targets(folder)


def denominators_in_words(targets: Targets) -> list[str]:
    figures = [figure for figure in targets.figures if figure.use == "validation"]
    return [in_words(denominator) for denominator in denominators(targets, figures).values()]


@pytest.mark.parametrize(
    ("row", "n"), [("treated,,sex=female,,20,66", 66), ("treated,,,,80,180", 180), ("all,,sex=female,,30,120", 120)]
)
def test_a_fitted_count_of_patients_whose_n_no_row_reports_is_refused(row: str, n: int, new_cohort: NewCohort) -> None:
    """It would be fitted as so many of all 200."""
    targets = new_cohort(N, SIZES[1], f"it,patients,{row},", use="likelihood")
    with pytest.raises(InputError, match=rf"targets.csv: line 3: no row reports which patients n counts; got .n = {n}"):
        fit.calibrate(targets.folder, points=1000)


def test_hscts_can_be_counted_among_the_treated_only(tmp_path: Path) -> None:
    """Patients are treated before an HSCT."""
    hsct, first = "hsct,patients,hsct,,,,23,42", "first,patients,hsct,,prior_hsct=no,,12,23"
    targets = cohort_of_60(tmp_path / "mine", hsct, first, "rest,patients,other,,,,19,42")
    assert denominators_in_words(targets) == ["treated", "hsct", "treated"]
    with pytest.raises(
        InputError, match=r"targets.csv: line 4: no row reports which patients n counts; got .n = 18 of 'un'"
    ):
        denominators_in_words(
            cohort_of_60(tmp_path / "other", "x,patients,other,,,,18,60", "un,patients,untreated,,,,9,18")
        )


@pytest.mark.slow
def test_predicted_hscts_of_the_treated_agree_with_a_direct_simulation(tmp_path: Path) -> None:
    """By Monte Carlo of the declared pathway's choices and times, with the states on the way to HSCT alone."""
    targets = cohort_of_60(tmp_path / "mine", "hsct,patients,hsct,,,,23,42")
    prediction = external.validate(targets, None, wanted=100).table().iloc[0]
    assert prediction["reported"] == pytest.approx(100 * 23 / 42)
    assert prediction["predicted"] == pytest.approx(100 * _hscts_of_the_treated(targets), abs=5.0)


def _hscts_of_the_treated(targets: Targets, n: int = 200_000) -> float:
    """The share of patients who respond, are planned for HSCT, and do not relapse before it."""
    p = {name: parameter.value for name, parameter in targets.pathway.parameters.items()}
    rng = np.random.default_rng(3)
    negative = rng.random(n) < 10 / 37
    treatments = ("chemotherapy", "immunotherapy", "car_t_reinfusion")
    shares = np.array([p[f"share_{treatment}"] for treatment in treatments])
    shares = np.where(negative[:, None], [shares[0] / shares[:2].sum(), shares[1] / shares[:2].sum(), 0.0], shares)
    treatment_index = (rng.random(n)[:, None] > shares.cumsum(axis=1)).sum(axis=1).clip(max=2)
    complete, partial = (
        np.array([p[f"{response}_{treatment}"] for treatment in treatments])[treatment_index]
        for response in ("cr", "pr")
    )
    u = rng.random(n)
    in_cr, in_pr = u < complete, (u >= complete) & (u < complete + partial)

    def weibull(median: float, shape: float) -> np.ndarray:
        return np.asarray(median * (rng.exponential(size=n) / np.log(2)) ** (1 / shape))

    wait = weibull(p["hsct_wait_median"], p["hsct_wait_shape"])
    relapse = weibull(p["remission_relapse_median"], p["remission_relapse_shape"])
    relapse[rng.random(n) < p["remission_cure"]] = np.inf
    progression = weibull(p["pr_progression_median"], 1.0)
    progression[rng.random(n) < p["pr_cure"]] = np.inf
    planned = rng.random(n) < np.where(in_cr, p["hsct_if_cr"], p["hsct_if_pr"])
    return float((planned & ((in_cr & (wait < relapse)) | (in_pr & (wait < progression)))).mean())


REFUSED = {
    "more than were treated": (
        "deaths,treated,,,,9,90,",
        r"two rows contradict one another; got '80 of 200 are treated; 9 of 90 \(treated\) dead",
    ),
    "an arm of unreported size": ("patients,untreated,,,,9,90,", r"allowed: 200 \(all\); or a row of kind patients"),
    "women of an arm of unreported size": (
        "patients,untreated,,sex=female,,9,30,",
        r"allowed: 200 \(all\), 80 \(sex=female\)",
    ),
    "as many women as treated": ("patients,treated,,sex=female,,20,80,", "n may count several sets of patients"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_count_with_an_unreported_denominator_is_refused_with_its_line(case: str, new_cohort: NewCohort) -> None:
    row, complaint = REFUSED[case]
    sizes = ("women,patients,all,,sex=female,,80,200,", SIZES[1])
    with pytest.raises(InputError, match=rf"targets.csv: line 4: .*{complaint}"):
        external.to_validate(new_cohort(N, *sizes, f"it,{row}", use="validation"))


@pytest.mark.representatives(4)
@pytest.mark.parametrize("name", external.shipped())
def test_entries_of_shipped_cohorts_are_counted_among_their_population(name: str) -> None:
    targets = load_targets(name)
    rows = targets.cohort.targets
    entries = [figure for figure in targets.figures if figure.kind == "entered"]
    for line, denominator in denominators(targets, entries).items():
        assert in_words(denominator) == rows.loc[line, "population"]
    assert pd.Series(rows["name"]).is_unique


def test_a_denominator_below_the_treated_counts_as_assessed_and_a_note_says_so(tmp_path: Path) -> None:
    """15 HSCTs of 26: whether these are responders or those who were followed, the row does not say."""
    targets = cohort_of_60(tmp_path / "mine", "hsct,entered,treated,hsct,,,15,26", "all,entered,treated,hsct,,,15,42")
    (note,) = external.notes(targets)
    assert "26 of 42 treated are treated as the assessed patients" in note
    assert "as responders, has no meaning here" in note


def test_a_level_that_is_known_for_some_patients_can_be_a_denominator(tmp_path: Path) -> None:
    known = ("pos,patients,all,,cd19=positive,,38,55", "treated_pos,patients,treated,,cd19=positive,,28,38")
    assert denominators_in_words(cohort_of_60(tmp_path / "mine", *known))[-1] == "cd19=positive"
