"""Cross-validation: targets are left out and predicted, against closed forms and with the letter's frozen draws."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration.likelihood.targets import Targets
from calibration.sampler.diagnostics import weighted_quantiles
from calibration.validation import cross_validation as left
from calibration.validation.check import LARGEST_LATTICE_ERROR, lattice_errors
from calibration.validation.cross_validation import blocks, cross_validate, same, without
from calibration.validation.ranks import STEP
from simulator.errors import InputError
from simulator.evidence.draws import read_draws

NewCohort = Callable[..., Targets]
pytestmark = pytest.mark.usefixtures("quick_fits")

ROWS = ("treated,patients,treated,,,,7,20,", "untreated,patients,untreated,,,,13,20,", "alive,survivors,all,,,12,6,20,")


@pytest.fixture(scope="module")
def predictions(new_cohort: NewCohort, quick_fits: None) -> pd.DataFrame:
    targets = new_cohort(20, *ROWS)
    uptake = stats.beta(9, 16).ppf((np.arange(400) + 0.5) / 400)
    pd.DataFrame({"uptake": uptake}).to_csv(targets.folder / "draws.csv", index=False)
    return cross_validate(targets).set_index("target")


def within_noise(row: pd.Series, known: object, factor: float, effective: float) -> None:
    """Bounds between the quantiles that 5 binomial standard errors of either level allow."""
    for bound, level in (("lower", 0.025), ("upper", 0.975)):
        noise = 5 * np.sqrt(level * (1 - level) / effective)
        least, most = (factor * known.ppf(np.clip(level + shift, 1e-9, 1 - 1e-9)) for shift in (-noise, noise))
        assert least <= row[bound] <= most, bound


@pytest.mark.slow
def test_the_prior_predicts_the_arms_that_are_left_out(predictions: pd.DataFrame) -> None:
    """Uptake ~ Beta(2, 3): of 20, a beta-binomial."""
    row = predictions.loc["treated"]
    assert (row["how"], row["left_out_with"]) == ("refitted", "patients of each arm")
    within_noise(row, stats.betabinom(20, 2, 3), 1.0, 250)


@pytest.mark.slow
def test_the_other_rows_predict_the_survivors_that_are_left_out(predictions: pd.DataFrame) -> None:
    """All die at a constant hazard of 0.1, whatever the uptake: binomial with S(12) = exp(-1.2)."""
    row = predictions.loc["alive"]
    assert (row["how"], row["informs"], row["effective_draws"]) == ("reweighted", "yes", pytest.approx(400))
    assert (row["unit"], row["reported"], row["inside"]) == ("%", 30.0, "yes")
    within_noise(row, stats.binom(20, np.exp(-1.2)), 5.0, 400)


@pytest.mark.slow
def test_the_only_row_of_a_cohort_is_predicted_by_the_prior(new_cohort: NewCohort) -> None:
    targets = new_cohort(20, "treated,patients,treated,,,,7,20,")
    uptake = stats.beta(9, 16).ppf((np.arange(100) + 0.5) / 100)
    pd.DataFrame({"uptake": uptake}).to_csv(targets.folder / "draws.csv", index=False)
    (row,) = cross_validate(targets).to_dict("records")
    assert (row["how"], row["informs"]) == ("refitted", "yes")
    within_noise(pd.Series(row), stats.betabinom(20, 2, 3), 1.0, 250)


def test_a_row_that_cannot_be_left_out_is_named_and_the_others_are_predicted(
    new_cohort: NewCohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = new_cohort(20, *ROWS)
    uptake = stats.beta(9, 16).ppf((np.arange(400) + 0.5) / 400)
    pd.DataFrame({"uptake": uptake}).to_csv(targets.folder / "draws.csv", index=False)
    without_block = left.without

    def refuse(targets: Targets, block: left.Block) -> Targets:
        if block.name == "patients of each arm":
            raise InputError("nobody is left")
        return without_block(targets, block)

    monkeypatch.setattr(left, "without", refuse)
    predictions = cross_validate(targets).set_index("target")
    assert predictions.loc["treated", "how"] == "not left out: nobody is left"
    assert predictions.loc["treated", ["lower", "upper", "inside"]].tolist() == [
        pytest.approx(np.nan, nan_ok=True)
    ] * 2 + [""]
    row = predictions.loc["alive"]
    assert (row["how"], row["informs"], row["inside"]) == ("reweighted", "yes", "yes")
    # All die at a constant hazard of 0.1, whatever the uptake.
    within_noise(row, stats.binom(20, np.exp(-1.2)), 5.0, 400)


def test_weighted_quantiles_agree_with_repeated_values() -> None:
    values, weights = np.array([3.0, 1.0, 2.0, 5.0]), np.array([2.0, 5.0, 1.0, 2.0])
    repeated = np.repeat(values, weights.astype(int))
    levels = (0.025, 0.5, 0.55, 0.975)
    known = np.quantile(repeated, levels, method="inverted_cdf")
    assert weighted_quantiles(values, weights, levels).tolist() == known.tolist()


def test_rows_that_determine_a_figure_are_left_out_with_it(letter: Targets) -> None:
    names = letter.cohort.targets["name"]
    members = {block.name: set(names.iloc[list(block.rows)]) for block in blocks(letter)}
    assert members["survivors at month 6"] == {"survivors_6"}
    assert len(members["survivors at month 12"]) == 5
    assert members["relapse_median"] == {"relapse_median"}
    assert members["complete_response / partial_response / no_response"] == {
        "complete_response",
        "partial_response",
        "no_response",
    }
    targets = letter.cohort.targets
    assert set.union(*members.values()) == set(targets.loc[targets["use"] == "likelihood", "name"])


@pytest.mark.slow
def test_a_row_left_out_is_missing_unless_other_rows_imply_it(letter: Targets) -> None:
    block_named = {block.name: block for block in blocks(letter)}
    assert not same(letter, without(letter, block_named["survivors at month 12"]))
    assert not same(letter, without(letter, block_named["deaths by the end"]))
    # the size of each arm is the n of its survivors too
    assert same(letter, without(letter, block_named["patients of each arm"]))


def test_halving_the_lattice_moves_the_likelihood_of_some_draws_by_less_than_a_hundredth(letter: Targets) -> None:
    draws = read_draws(letter.folder / "draws.csv", letter.pathway).iloc[::40]
    assert lattice_errors(letter, draws).max() < LARGEST_LATTICE_ERROR


@pytest.mark.slow
def test_halving_the_lattice_moves_the_likelihood_of_every_draw_by_less_than_a_hundredth(letter: Targets) -> None:
    assert lattice_errors(letter, read_draws(letter.folder / "draws.csv", letter.pathway)).max() < LARGEST_LATTICE_ERROR


def test_the_lattice_of_simulated_cohorts_moves_the_likelihood_by_less_than_a_twentieth(letter: Targets) -> None:
    draws = read_draws(letter.folder / "draws.csv", letter.pathway).iloc[::40]
    assert lattice_errors(letter, draws, STEP).max() < 0.05


@pytest.mark.slow
def test_the_frozen_table_includes_every_target(letter: Targets) -> None:
    frozen = pd.read_csv(Path(letter.folder) / "left_out.csv")
    targets = letter.cohort.targets
    assert set(frozen["target"]) == set(targets.loc[targets["use"] == "likelihood", "name"])
    assert ((frozen["lower"] - 1e-9 <= frozen["reported"]) & (frozen["reported"] <= frozen["upper"] + 1e-9)).map(
        {True: "yes", False: "no"}
    ).tolist() == frozen["inside"].tolist()
    # As docs/calibration.md says.
    assert (frozen["inside"] == "yes").all()
    assert (frozen["informs"] == "no").sum() == 7
