"""A fit from targets to files: its posterior has a closed form, a seed gives the same bytes, and files are whole."""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration import fit
from calibration.fit import Fit
from calibration.likelihood.targets import Targets, find_folder
from simulator.errors import AftercartError, InputError
from simulator.evidence import fingerprint
from simulator.evidence.cohort import read_cohort
from simulator.evidence.draws import fitted_draws
from simulator.evidence.priors import Priors
from simulator.files import csv
from simulator.pathway.format import load_pathway

NewCohort = Callable[..., Targets]
pytestmark = pytest.mark.usefixtures("quick_fits")

FILES = ("draws.csv", "posterior.csv", "predictive.csv")
BEFORE = "what was there before\n"
# Uptake ~ Beta(2, 3) before, 7 of 20 treated: Beta(9, 16) after.
KNOWN = stats.beta(2 + 7, 3 + 13)
SMALL = {"seed": 11, "wanted": 200, "effective": 400.0}


@pytest.fixture(scope="module")
def targets(new_cohort: NewCohort) -> Targets:
    return new_cohort(20, "treated,patients,treated,,,,7,20,", "untreated,patients,untreated,,,,13,20,")


@pytest.fixture(scope="module")
def fitted(targets: Targets, quick_fits: None) -> Fit:
    return fit.run(targets, **SMALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_text(BEFORE, encoding="utf-8")
    return tmp_path


def untouched(folder: Path) -> bool:
    names = sorted(path.name for path in folder.iterdir())
    return names == sorted(FILES) and all((folder / n).read_text(encoding="utf-8") == BEFORE for n in FILES)


def test_a_decision_with_a_beta_prior_has_its_beta_posterior(fitted: Fit) -> None:
    row = fitted.posterior.set_index("parameter").loc["uptake"]
    error = KNOWN.std() / np.sqrt(fitted.diagnostics.effective_sample_size)
    assert abs(row["posterior_mean"] - KNOWN.mean()) < 4 * error
    assert row["posterior_sd"] == pytest.approx(KNOWN.std(), rel=4 / np.sqrt(2 * 400))
    for name, level in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
        # the error of a quantile: that of a binomial share, over the density
        noise = np.sqrt(level * (1 - level) / 400) / KNOWN.pdf(KNOWN.ppf(level))
        assert abs(row[f"posterior_{name}"] - KNOWN.ppf(level)) < 4 * noise, name
    assert (row["prior_mean"], row["unit"]) == (pytest.approx(0.4), "probability")
    assert row["contraction"] == pytest.approx(1 - KNOWN.var() / stats.beta(2, 3).var(), abs=0.1)


def test_the_evidence_is_the_beta_binomial_probability_of_the_count(fitted: Fit) -> None:
    known = stats.betabinom.logpmf(7, 20, 2, 3)
    assert fitted.sample.log_evidence == pytest.approx(known, abs=4 / np.sqrt(400))


def test_the_draws_are_the_beta_posterior(fitted: Fit) -> None:
    assert fitted.draws.shape == (200, 1)
    assert stats.kstest(fitted.draws["uptake"], KNOWN.cdf).pvalue > 1e-4


def test_the_predicted_count_is_beta_binomial(fitted: Fit) -> None:
    row = fitted.predictive.set_index("target").loc["treated"]
    known = stats.betabinom(20, 9, 16)
    assert abs(row["simulated"] - known.mean()) < 5 * known.std() / np.sqrt(200)
    for bound, level in (("lower", 0.025), ("upper", 0.975)):
        noise = 5 * np.sqrt(level * (1 - level) / 200)
        assert known.ppf(max(level - noise, 1e-9)) <= row[bound] <= known.ppf(min(level + noise, 1 - 1e-9)), bound
    assert row["inside"] == "yes"


@pytest.mark.slow
@pytest.mark.usefixtures("work_by_other_processes")
def test_the_same_seed_gives_the_same_bytes_whatever_the_jobs(targets: Targets, fitted: Fit, tmp_path: Path) -> None:
    fitted.write(tmp_path)
    fit.calibrate(targets.folder, out=tmp_path / "two", jobs=2, **SMALL)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


@pytest.mark.slow
def test_another_seed_gives_other_draws(targets: Targets, fitted: Fit) -> None:
    other_fit = fit.run(targets, **{**SMALL, "seed": 12})
    assert not np.array_equal(other_fit.draws, fitted.draws)
    assert not np.array_equal(other_fit.predictive["simulated"], fitted.predictive["simulated"])


def test_a_seed_below_zero_is_refused(targets: Targets) -> None:
    with pytest.raises(InputError, match=r"a seed below 0; got -1"):
        fit.run(targets, seed=-1)


@pytest.mark.usefixtures("few_predictions")
def test_a_fit_is_written_to_the_folder_of_its_cohort(new_cohort: NewCohort) -> None:
    targets = new_cohort(20, "treated,patients,treated,,,,7,20,", "untreated,patients,untreated,,,,13,20,")
    reports: list[tuple[str, int, int]] = []
    result = fit.calibrate(targets.folder, wanted=100, effective=200.0, progress=lambda *report: reports.append(report))
    read = read_cohort(targets.folder)
    assert read.posterior is not None
    assert read.predictive is not None
    draws = pd.read_csv(targets.folder / "draws.csv", dtype=str)
    assert set(draws.pop("fitted_to")) == {fingerprint.of_fit(targets.pathway, targets.folder)}
    pd.testing.assert_frame_equal(draws.astype(float), result.draws, check_exact=True)
    assert all(0 < done <= most for _, done, most in reports)
    for stage in {stage for stage, _, _ in reports}:
        done = [number for name, number, _ in reports if name == stage]
        assert done == sorted(done)


@pytest.mark.usefixtures("few_predictions")
def test_nothing_is_written_when_the_sample_is_bad(targets: Targets, folder: Path) -> None:
    # a thousand points, for two thousand draws
    with pytest.raises(AftercartError, match=r"nothing written.*effective sample size") as refusal:
        fit.calibrate(targets.folder, out=folder, seed=11, wanted=2000, points=1000)
    assert refusal.value.exit_code == 1
    assert untouched(folder)


@pytest.mark.usefixtures("few_predictions")
def test_a_few_points_give_half_as_many_draws(targets: Targets) -> None:
    quick = fit.run(targets, seed=11, points=1000)
    assert len(quick.draws) == 500
    assert quick.problems() == []


def test_fewer_than_a_thousand_points_are_refused(targets: Targets) -> None:
    with pytest.raises(InputError, match=r"--points: too few points; got 999; allowed: 1,000 or more"):
        fit.run(targets, seed=11, points=999)


def test_nothing_is_written_when_a_person_interrupts_the_sampling(targets: Targets, folder: Path) -> None:
    reports = []

    def interrupt(*report: object) -> None:
        reports.append(report)
        if len(reports) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit.calibrate(targets.folder, out=folder, progress=interrupt, **SMALL)
    assert len(reports) == 3
    assert untouched(folder)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_no_file_changes_if_one_cannot_be_written(
    error: type[BaseException], fitted: Fit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = csv.write

    def fail_at_predictive(table: pd.DataFrame, to: Path | IO[str], form: str, **header: bool) -> None:
        if isinstance(to, Path) and "predictive" in to.name:
            to.write_text("half a fi", encoding="utf-8")
            raise error
        write(table, to, form, **header)

    monkeypatch.setattr(csv, "write", fail_at_predictive)
    with pytest.raises(error):
        fitted.write(folder)
    assert untouched(folder)


PATHWAY = load_pathway("b_all_post_cd19")
PRIORS = Priors.from_parameters(PATHWAY.parameters, PATHWAY.dirichlets())


@pytest.fixture(scope="module")
def frozen() -> pd.DataFrame:
    draws = fitted_draws(PATHWAY)
    assert draws is not None
    return draws


def test_the_frozen_draws_are_2000_with_a_column_a_parameter_with_a_prior(frozen: pd.DataFrame) -> None:
    with_prior = [name for name, parameter in PATHWAY.parameters.items() if parameter.prior is not None]
    assert list(frozen.columns) == with_prior
    assert len(frozen) == fit.WANTED == 2000


def test_shares_of_one_choice_sum_to_one_in_every_frozen_draw(frozen: pd.DataFrame) -> None:
    assert len(PATHWAY.dirichlets()) == 5
    for siblings in PATHWAY.dirichlets():
        np.testing.assert_allclose(frozen[list(siblings)].sum(axis=1), 1.0, rtol=0, atol=1e-12)


def test_every_frozen_draw_is_within_its_unit(frozen: pd.DataFrame) -> None:
    # the inverse refuses values outside a prior's support
    assert np.isfinite(PRIORS.inverse(frozen.to_numpy())).all()


def test_at_least_two_in_three_frozen_draws_are_distinct(frozen: pd.DataFrame) -> None:
    assert len(frozen.drop_duplicates()) > 2000 * 2 / 3


def test_the_frozen_posterior_agrees_with_the_frozen_draws(frozen: pd.DataFrame) -> None:
    posterior = read_cohort(find_folder("wang2024")).posterior
    assert posterior is not None
    table = posterior.set_index("parameter")
    assert list(table.index) == list(frozen.columns)
    # systematic resampling is less noisy than independent draws
    distance = (frozen.mean() - table["posterior_mean"]).abs() / (table["posterior_sd"] / np.sqrt(len(frozen)))
    assert distance.max() < 4
    # Quantiles near 1 have the draws around them in their rounding.
    printed = frozen.map(lambda value: float(f"{value:.6g}"))
    for bound, level in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
        noise = 4 * np.sqrt(level * (1 - level) / len(frozen))
        assert (printed < table[f"posterior_{bound}"]).mean().max() < level + noise, bound
        assert (printed <= table[f"posterior_{bound}"]).mean().min() > level - noise, bound
    contraction = 1 - (table["posterior_sd"] / table["prior_sd"]) ** 2
    np.testing.assert_allclose(table["contraction"], contraction, atol=1e-4)


def test_the_frozen_prior_agrees_with_the_pathway() -> None:
    posterior = read_cohort(find_folder("wang2024")).posterior
    assert posterior is not None
    table = posterior.set_index("parameter")
    for name, prior in PRIORS.summary().items():
        for statistic in ("mean", "sd", "lower", "median", "upper"):
            assert table.loc[name, f"prior_{statistic}"] == pytest.approx(getattr(prior, statistic), rel=1e-5), (
                name,
                statistic,
            )
        assert table.loc[name, "unit"] == PATHWAY.parameters[name].unit


def test_parameters_without_data_in_the_letter_keep_their_prior() -> None:
    posterior = read_cohort(find_folder("wang2024")).posterior
    assert posterior is not None
    table = posterior.set_index("parameter")
    # nobody had CD19/CD22 CAR-T
    for response in ("cr", "pr", "nr"):
        row = table.loc[f"{response}_dual_target_reinfusion"]
        assert abs(row["contraction"]) < 0.15, response
        assert row["posterior_mean"] == pytest.approx(row["prior_mean"], abs=0.01), response


@pytest.mark.parametrize(
    ("name", "known"),
    [
        # 18 of 37 treated
        ("salvage_uptake", stats.beta(1 + 18, 1 + 19)),
        # the one patient without a response is one of the two alive after chemotherapy
        ("nr_cure", stats.beta(1 + 1, 9)),
    ],
)
def test_a_parameter_of_one_count_in_the_letter_has_its_beta_posterior(name: str, known: Any) -> None:
    posterior = read_cohort(find_folder("wang2024")).posterior
    assert posterior is not None
    row = posterior.set_index("parameter").loc[name]
    assert row["posterior_mean"] == pytest.approx(known.mean(), abs=0.01)
    assert row["posterior_sd"] == pytest.approx(known.std(), rel=0.05)


def test_the_cure_after_a_partial_response_is_less_certain_to_rise_than_without_a_response() -> None:
    """The other patient alive after chemotherapy had a complete or a partial response: the letter leaves it open."""
    posterior = read_cohort(find_folder("wang2024")).posterior
    assert posterior is not None
    mean = posterior.set_index("parameter")["posterior_mean"]
    prior = stats.beta(1, 9).mean()
    assert PRIORS.summary()["pr_cure"].mean == PRIORS.summary()["nr_cure"].mean == pytest.approx(prior)
    assert prior < mean["pr_cure"] < mean["nr_cure"]
