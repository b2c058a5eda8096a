"""Draws belong to what they were fitted to: a changed number is noticed, a changed word is not."""

import shutil
from pathlib import Path

import pytest

from calibration.likelihood.targets import load_targets
from simulator.evidence import fingerprint
from simulator.evidence.cohort import cohorts_folder
from simulator.evidence.draws import BENEFIT, BENEFIT_FILE, fitted_draws, read_draws, stale_draws, staleness
from simulator.evidence.structures import FILE as STRUCTURES_FILE
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import load_scenario

LETTER = cohorts_folder() / "wang2024"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copied cohort with draws, which a pathway and a scenario next to it use."""
    shutil.copytree(LETTER, tmp_path / "own", ignore=shutil.ignore_patterns(BENEFIT_FILE, STRUCTURES_FILE))
    lines = (LETTER / "draws.csv").read_text().splitlines()[:4]
    (tmp_path / "own" / "draws.csv").write_text("\n".join(lines) + "\n")
    pathway = (shipped.path("b_all_post_cd19")).read_text(encoding="utf-8")
    (tmp_path / "pathway.toml").write_text(pathway.replace('"wang2024"', '"own/draws.csv"'), encoding="utf-8")
    (tmp_path / "mine.toml").write_text('pathway = "pathway.toml"\n')
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("name", ["baseline", "hsct-as-milestone", "wider-salvage"])
def test_the_frozen_draws_belong_to_the_shipped_files(name: str) -> None:
    assert staleness(load_scenario(name).pathway) is None


WORDS = {
    "a comment": ("pathway.toml", "# Sources.", "# Whence."),
    "a title": ("pathway.toml", 'title = "B-ALL', 'title = "A B-ALL'),
    "a label": ("pathway.toml", '"CD19 positive"', '"CD19+"'),
    "a source": ("pathway.toml", '"Wang et al. 2024: paragraph 2, sentence 4"', '"the same"'),
    "a meaning": ("pathway.toml", "CD19 on the blasts at relapse", "CD19"),
    "the order of keys": ("pathway.toml", "levels = { yes = 17, no = 20 }", "levels = { no = 20, yes = 17 }"),
    "weights in another unit": ("pathway.toml", "levels = { yes = 17, no = 20 }", "levels = { yes = 34, no = 40 }"),
    "a resource": ("pathway.toml", "[resources.", "[resources.another]\n\n[resources."),
    "an end point": ("pathway.toml", 'relapse = "relapse_after_salvage"', 'relapse = "progressive_disease"'),
    "a licence": ("own/cohort.toml", 'licence = "CC BY 4.0"', 'licence = "CC0"'),
    "a reason": ("own/cohort.toml", "The longest follow-up", "Follow-up"),
    "the seed of a fit": ("own/cohort.toml", "seed = 20240680", "seed = 1"),
    "the order of arms": ("own/cohort.toml", '["hsct", "other_treated"]', '["other_treated", "hsct"]'),
    "a note": ("own/targets.csv", "37 - 17", "from the above"),
    "a place": ("own/targets.csv", '"paragraph 2, sentence 4"', "page 2"),
    "the name of a row": ("own/targets.csv", "no_prior_hsct,", "no_hsct_before,"),
    "the value of a parameter with a prior": ("pathway.toml", "value = 10.6", "value = 11"),
    "a column that is not read": ("own/targets.csv", ",note\n", ",note,mine\n"),
    "a zero at the end of a count": ("own/targets.csv", ",17,37,,,", ",17.0,37,,,"),
}


@pytest.mark.representatives(8)
@pytest.mark.parametrize("case", WORDS)
def test_a_changed_word_does_not_make_draws_stale(case: str, folder: Path) -> None:
    file, old, new = WORDS[case]
    edit(folder / file, old, new)
    if case == "a column that is not read":
        rows = (folder / file).read_text().splitlines()
        (folder / file).write_text("\n".join([rows[0], *(f"{row},a word" for row in rows[1:])]) + "\n")
    assert staleness(load_pathway(folder / "pathway.toml")) is None


NUMBERS = {
    "a prior": ("pathway.toml", 'median = 5.5, sigma = 1.0 }', 'median = 5.6, sigma = 1.0 }'),
    "the family of a prior": ("pathway.toml", '"beta", a = 1, b = 1', '"uniform", lower = 0, upper = 1'),
    "a law": ("pathway.toml", 'family = "weibull"', 'family = "loglogistic"'),
    "the case mix": ("pathway.toml", "levels = { yes = 17, no = 20 }", "levels = { yes = 18, no = 19 }"),
    "eligibility": ("pathway.toml", "{ cd19 = { negative_or_dim = 0 } }", "{ cd19 = { negative_or_dim = 0.1 } }"),
    "the window of groups": ("pathway.toml", "group_window = 120", "group_window = 60"),
    "a group": ("pathway.toml", "[groups.untreated]", '[groups.relapsed]\nentered = "relapse"\n[groups.untreated]'),
    "a count": ("own/targets.csv", ",17,37,,,", ",16,37,,,"),
    "the digits of a percentage": ("own/targets.csv", ",38,8,", ",38.0,8,"),
    "the use of a row": ("own/targets.csv", "likelihood", "predictive"),
    "an arm": ("own/cohort.toml", '["hsct", "other_treated"]', '["hsct"]'),
    "follow-up": ("own/cohort.toml", "lower = 28.0", "lower = 29.0"),
    "how patients were treated": ("own/cohort.toml", "[follow_up]", "[set]\ntrm_shape = 1.5\n[follow_up]"),
}  # fmt: skip


@pytest.mark.representatives(6)
@pytest.mark.parametrize("case", NUMBERS)
def test_a_changed_number_makes_draws_stale(case: str, folder: Path) -> None:
    file, old, new = NUMBERS[case]
    edit(folder / file, old, new)
    message = staleness(load_pathway(folder / "pathway.toml"))
    assert message is not None
    assert ("pathway pathway" if file == "pathway.toml" else "cohort own") in message
    assert f"aftercart calibrate {folder / 'own'}" in message


def test_attributes_that_go_together_are_part_of_a_fit_in_any_order(folder: Path) -> None:
    levels = "levels = { yes = 17, no = 20 }"
    edit(folder / "pathway.toml", levels, 'levels = ["yes", "no"]')
    edit(
        folder / "pathway.toml",
        "levels = { bone_marrow = 34, extramedullary = 3 }",
        'levels = ["bone_marrow", "extramedullary"]',
    )
    text = (folder / "pathway.toml").read_text(encoding="utf-8")

    def of_table(table: str) -> str:
        (folder / "pathway.toml").write_text(f"{text}\n[[case_mix]]\n{table}\n", encoding="utf-8")
        return fingerprint.of_pathway(load_pathway(folder / "pathway.toml"))

    declared = of_table(
        'of = ["prior_hsct", "site"]\nweights = { yes = { bone_marrow = 16, extramedullary = 1 }, '
        "no = { bone_marrow = 18, extramedullary = 2 } }"
    )
    turned = of_table(
        'of = ["site", "prior_hsct"]\nweights = { extramedullary = { yes = 1, no = 2 }, '
        "bone_marrow = { yes = 16, no = 18 } }"
    )
    otherwise = of_table(
        'of = ["site", "prior_hsct"]\nweights = { extramedullary = { yes = 2, no = 1 }, '
        "bone_marrow = { yes = 15, no = 19 } }"
    )
    assert declared == turned != otherwise


def test_the_name_of_a_row_does_not_matter_to_the_lever_that_uses_it(folder: Path) -> None:
    cohort = cohorts_folder() / "li2023"
    shutil.copytree(cohort, folder / "li")
    edit(folder / "li" / "cohort.toml", 'salvage_uptake = "treated"', 'salvage_uptake = "those_treated"')
    edit(folder / "li" / "targets.csv", "\ntreated,", "\nthose_treated,")
    assert fingerprint.of_cohort(folder / "li") == fingerprint.of_cohort(cohort)


def test_draws_without_a_fingerprint_are_never_stale(folder: Path) -> None:
    lines = [line.rpartition(",")[0] for line in (folder / "own" / "draws.csv").read_text().splitlines()]
    (folder / "own" / "draws.csv").write_text("\n".join(lines) + "\n")
    edit(folder / "own" / "targets.csv", ",17,37,,,", ",16,37,,,")
    assert staleness(load_pathway(folder / "pathway.toml")) is None


def test_the_fingerprint_column_is_no_parameter(folder: Path) -> None:
    pathway = load_pathway("b_all_post_cd19")
    shipped = fitted_draws(pathway)
    assert shipped is not None
    assert fingerprint.COLUMN not in shipped
    assert read_draws(folder / "own" / "draws.csv", pathway).equals(shipped.iloc[:3])


def test_rows_of_two_fits_are_stale(folder: Path) -> None:
    draws = folder / "own" / "draws.csv"
    edit(draws, fingerprint.of_fit(load_pathway("b_all_post_cd19"), LETTER), "000000000000-000000000000")
    assert staleness(load_pathway(folder / "pathway.toml")) is not None


@pytest.fixture
def informed(folder: Path) -> Path:
    """The copied cohort with a marginal benefit next to its draws, informed by another cohort."""
    cohort, other = folder / "own", folder / "other"
    shutil.copytree(cohorts_folder() / "schultz2023", other)
    fitted_to = fingerprint.of_benefit(cohort / "draws.csv", [other])
    (cohort / BENEFIT_FILE).write_text(f"{BENEFIT},fitted_to\n" + f"0.5,{fitted_to}\n" * 3)
    assert staleness(load_pathway(folder / "pathway.toml")) is None
    return folder


def test_a_benefit_is_stale_once_its_draws_or_its_cohorts_change(informed: Path) -> None:
    edit(informed / "own" / "draws.csv", "1.", "1.5")
    edit(informed / "other" / "targets.csv", ",57,", ",56,")
    message = staleness(load_pathway(informed / "pathway.toml"))
    assert message is not None
    for words in ("marginal benefit", "the draws and cohort other", "aftercart validate --refit"):
        assert words in message
    assert stale_draws(load_pathway(informed / "pathway.toml")) is None


def test_a_benefit_is_not_stale_if_a_word_changes_or_its_cohorts_are_missing(informed: Path) -> None:
    edit(informed / "other" / "cohort.toml", "title = ", "# A word.\ntitle = ")
    assert staleness(load_pathway(informed / "pathway.toml")) is None
    shutil.rmtree(informed / "other")
    assert staleness(load_pathway(informed / "pathway.toml")) is None


def test_populations_that_only_a_cohort_names_make_no_draws_stale() -> None:
    targets = load_targets("wang2024")
    assert set(targets.pathway.groups) > set(load_pathway("b_all_post_cd19").groups)
    assert staleness(targets.pathway) is None
