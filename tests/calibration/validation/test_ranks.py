"""Simulation-based calibration of a cohort whose posterior is known: its ranks, interruptions and damaged files."""

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from worlds import slow

from calibration.likelihood.targets import Targets, with_rows
from calibration.predictive import simulated
from calibration.reported.kinds.times import printed
from calibration.validation import ranks, trials
from calibration.validation.ecdf_bands import judged
from calibration.validation.ranks import RANKS, trial
from calibration.validation.simulated_targets import simulated_targets
from simulator.errors import InputError

NewCohort = Callable[..., Targets]
ROWS = ("treated,patients,treated,,,,7,20,", "untreated,patients,untreated,,,,13,20,")
FEW_POINTS = {"initial": 200, "batch": 100, "refit": 200, "refits": 1, "most_points": 1000, "chunk": 500}


@pytest.fixture(scope="module")
def targets(new_cohort: NewCohort) -> Targets:
    return new_cohort(20, *ROWS)


@pytest.fixture(autouse=True)
def _few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "QUICK", partial(ranks.QUICK, **FEW_POINTS))


def test_a_simulated_cohort_has_the_rows_of_the_reported_one(letter: Targets) -> None:
    reported = letter
    values = {
        name: parameter.value for name, parameter in reported.pathway.parameters.items() if parameter.prior is not None
    }
    cohort = simulated(reported, values, number=3)
    printed_rows = simulated_targets(cohort).cohort.targets.set_index("name")
    rows = reported.cohort.targets.set_index("name")
    fitted = rows["use"].isin(["likelihood", "case_mix"])
    assert set(printed_rows.index) == set(rows.index[fitted | (rows["kind"] == "patients")])
    figures = {figure.name: figure for figure in reported.figures}
    for name, row in rows.loc[printed_rows.index].iterrows():
        simulated_row, figure = printed_rows.loc[name], cohort.figure(figures[name])
        if row["kind"] in ("median", "minimum", "maximum"):
            assert simulated_row["value"] == printed(figure)
        elif row["kind"] == "survivors":
            assert simulated_row["count"] == pytest.approx(figure * simulated_row["n"])
        elif row["kind"] in ("patients", "deaths", "entered"):
            assert simulated_row["count"] == figure
        assert (simulated_row["use"], simulated_row["place"]) == (row["use"], row["place"])
    assert printed_rows.loc["survivors_12_treated", "n"] == printed_rows.loc["treated", "count"]
    assert printed_rows.loc["cd19_positive", "count"] == printed_rows.loc["relapse_median_cd19_positive", "n"]


def test_a_simulated_cohort_needs_only_the_figures_that_are_fitted(new_cohort: NewCohort) -> None:
    """A median of survival, which cannot be fitted, stands next to the rows that are."""
    targets = new_cohort(20, *ROWS)
    rows = targets.cohort.targets
    columns = {"name": "median", "kind": "median_survival", "population": "all", "use": "predictive", "unit": "months"}
    median = rows.iloc[[0]].assign(**columns, count=np.nan, value=7.0, printed_value="7").astype(rows.dtypes)
    median.index = [rows.index[-1] + 1]
    assert trial(with_rows(targets, pd.concat([rows, median])), 1).refused == ""


def test_a_truth_that_equals_some_draws_has_a_random_rank_among_them() -> None:
    values, equal = np.array([0.3, 0.1, 0.3 + 1e-13, 0.3, 0.9, 0.9]), np.ones(6)
    assert [ranks.rank(values, equal, v) for v in (0.1, 0.5, 0.9)] == [RANKS * u // 60 for u in (13, 25, 37)]
    assert ranks.rank(np.array([0.5, 0.1, 0.9]), np.array([0.2, 0.4, 0.4]), 0.5) == RANKS // 2


@pytest.mark.parametrize(("n", "centre", "sd"), [slow(3, -0.6, 0.9), (3, 0.6, 3.0), slow(40, 0.0, 1.0)])
def test_the_truth_ranks_uniformly_among_few_points_of_any_mixture(n: int, centre: float, sd: float) -> None:
    """The posterior is N(0, 1), the rough likelihood wavy. Classes 0 to 2, and 117 to 119: within 4 binomial sd."""
    random = np.random.default_rng(n)
    log_density = lambda z: -0.5 * ((z[:, 0] - centre) / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))  # noqa: E731
    drawn_ranks = []
    for seed in range(1500):
        z = random.normal(centre, sd, (n, 1))
        rough = lambda z: 0.2 * np.sin(z[:, 0])  # noqa: E731
        points = SimpleNamespace(z=z, log_likelihood=rough(z), mixture=SimpleNamespace(log_density=log_density))
        fit = ranks.weighed(random.standard_normal((1, 1)), points, rough, lambda z: np.zeros(len(z)), seed)
        drawn_ranks.append(ranks.rank(fit.z[:, 0], fit.weights, random.random()))
    expected = 1500 * 3 / RANKS
    for place in (np.less(drawn_ranks, 3), np.greater(drawn_ranks, RANKS - 4)):
        assert abs(place.sum() - expected) < 4 * np.sqrt(expected)


@pytest.mark.slow
def test_an_outcome_that_no_parameter_changes_has_a_random_rank(targets: Targets) -> None:
    """Treated or not, all die at one hazard. Eight ranks of 120 have less than five values in 1 of 1e7 such tests."""
    ranks_of_outcome = [trial(targets, number).ranks["os_12"] for number in range(1, 9)]
    assert len(set(ranks_of_outcome)) >= 5


def test_a_simulated_cohort_keeps_the_parameters_set_for_the_reported_one(new_cohort: NewCohort) -> None:
    targets = new_cohort(20, *ROWS)
    set_to = replace(targets, scenario=replace(targets.scenario, set={"treated_mean": 3.0}))
    simulated_again = simulated_targets(simulated(set_to, {"uptake": 0.5}, number=1))
    assert simulated_again.scenario.set == {"treated_mean": 3.0}


def test_a_percentage_without_a_count_is_printed_with_its_censored_standard_error(
    lifelines: Any, new_cohort: NewCohort
) -> None:
    targets = new_cohort(20, *ROWS, "alive_12,survival,all,,,12,,20,45")
    cohort = simulated(targets, {"uptake": 0.5}, number=1)
    cohort = replace(cohort, follow_up=np.linspace(3.0, 30.0, 20))
    observed_until, died = np.minimum(cohort.died, cohort.follow_up), np.isfinite(cohort.died)
    curve = lifelines.KaplanMeierFitter().fit(observed_until, died)
    share = float(curve.predict(12.0))
    assert 0.0 < share < 1.0
    assert not died.all()
    table = curve.event_table.query("observed > 0 and event_at <= 12")
    relative_variance = (table["observed"] / table["at_risk"] / (table["at_risk"] - table["observed"])).sum()
    targets = simulated_targets(cohort)
    row = targets.cohort.targets.set_index("name").loc["alive_12"]
    assert (row["printed_value"], row["printed_upper"]) == (f"{row['value']:.1f}", "")
    (percentage,) = targets.percentages
    assert percentage.alive / percentage.n == pytest.approx(share, abs=5.1e-4)
    assert percentage.n == pytest.approx(share * (1 - share) / (share**2 * relative_variance), rel=0.02)


def test_a_time_is_printed_to_one_decimal_and_never_as_zero() -> None:
    assert [printed(time) for time in (10.25, 0.449, 0.0517, 0.0432, 0.00051)] == [10.2, 0.4, 0.1, 0.04, 0.0005]


def test_the_rank_of_the_truth_agrees_with_the_known_posterior(targets: Targets) -> None:
    """Uptake ~ Beta(2, 3) before, k of 20 treated: Beta(2 + k, 3 + 20 - k) after. Errors of rank: 5 binomial sd."""
    for number in (1, 2):
        result = trial(targets, number)
        uptake, k = truth_of(targets, number)
        share = stats.beta(2 + k, 23 - k).cdf(uptake)
        noise = 5 * np.sqrt(RANKS * share * (1 - share)) + 5
        assert abs(result.ranks["uptake"] - RANKS * share) < noise
        assert set(result.ranks) == {"uptake", "os_12", "rmst_24", "log_likelihood"}


def truth_of(targets: Targets, number: int) -> tuple[float, int]:
    from simulator.randomness import Uniforms

    u = Uniforms(targets.seed, draw=number).at("@prior", np.arange(1))
    uptake = float(stats.beta(2, 3).ppf(u)[0])
    rows = simulated_targets(simulated(targets, {"uptake": uptake}, number=number)).cohort.targets.set_index("name")
    return uptake, int(rows.loc["treated", "count"])


def test_os_and_rmst_agree_with_the_survival_curve(targets: Targets) -> None:
    """All die at a constant hazard of 0.1: S(12) = exp(-1.2), RMST = 10 (1 - exp(-2.4))."""
    outcomes = ranks.outcomes(targets, ("uptake",), np.array([[0.2], [0.9]]))
    assert outcomes["os_12"] == pytest.approx(np.exp(-1.2), abs=1e-6)
    assert outcomes["rmst_24"] == pytest.approx(10 * (1 - np.exp(-2.4)), abs=1e-3)


@pytest.mark.slow
def test_ranks_are_uniform_if_prior_and_likelihood_are_right(targets: Targets, tmp_path: Path) -> None:
    table = trials.run(targets, 60, tmp_path)
    assert (table["refused"] == "").all()
    assert (judged(table[["uptake"]].astype(int), RANKS)["uniform"] == "yes").all()


@pytest.mark.slow
def test_ranks_are_not_uniform_if_the_likelihood_counts_patients_several_times(
    new_cohort: NewCohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = new_cohort(20, *ROWS)
    usual = ranks.Posterior.log_likelihood
    monkeypatch.setattr(ranks.Posterior, "log_likelihood", lambda self, z: 8 * usual(self, z))
    table = trials.run(targets, 60, tmp_path)
    assert judged(table[["uptake"]].astype(int), RANKS)["uniform"].tolist() == ["no"]


def test_an_interrupted_run_continues_and_ends_with_the_same_ranks(targets: Targets, tmp_path: Path) -> None:
    whole = trials.run(targets, 2, tmp_path / "whole")
    trials.run(targets, 1, tmp_path / "parts")
    with (tmp_path / "parts" / "ranks.csv").open("a") as stream:
        stream.write("2,,12")  # the power failed in the middle of a row
    parts = trials.run(targets, 2, tmp_path / "parts")
    assert parts.drop(columns="seconds").equals(whole.drop(columns="seconds"))


def test_as_many_cohorts_are_fitted_as_are_requested_even_if_some_are_refused(
    targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def every_second(_: Targets, number: int) -> ranks.Trial:
        names = trials.quantities(targets)
        return ranks.Trial(
            number, "" if number % 2 else "counted twice", 100.0, 0.1, 0.01, 1.0, dict.fromkeys(names, 3)
        )

    monkeypatch.setattr(trials, "trial", every_second)
    reports: list[tuple[int, int]] = []
    table = trials.run(targets, 4, tmp_path, progress=lambda done, fits: reports.append((done, fits)))
    assert table["refused"].tolist() == ["", "counted twice"] * 3 + [""]
    assert reports[-1] == (4, 4)
    assert len(trials.run(targets, 3, tmp_path)) == 5


@pytest.mark.slow
@pytest.mark.usefixtures("work_by_other_processes")
def test_several_processes_find_the_same_ranks(
    targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    alone = [trial(targets, number).ranks for number in (1, 2)]
    together = trials.run(targets, 2, tmp_path, jobs=2)
    assert together[list(alone[0])].to_dict("records") == alone


def test_a_second_check_in_a_folder_is_refused_while_the_first_runs(targets: Targets, tmp_path: Path) -> None:
    refused = []

    def start_another(_: int, __: int) -> None:
        with pytest.raises(InputError, match="another aftercart command is using this folder") as refusal:
            trials.run(targets, 1, tmp_path)
        refused.append(refusal)

    assert len(trials.run(targets, 1, tmp_path, progress=start_another)) == len(refused) == 1
    assert len(trials.run(targets, 1, tmp_path)) == 1


@pytest.mark.parametrize(
    ("kept_rows", "complaint"),
    [
        ([1, 2, 2], "line 4: a trial is repeated; got '2'; allowed: 3"),
        ([1, 3], "line 3: a trial is missing .* got '3'"),
    ],
)
def test_a_repeated_or_missing_trial_is_refused_with_its_line(
    kept_rows: list[int], complaint: str, targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = trials.quantities(targets)
    quick = lambda _, number: ranks.Trial(number, "", 100.0, 0.1, 0.01, 1.0, dict.fromkeys(names, 3))  # noqa: E731
    monkeypatch.setattr(trials, "trial", quick)
    trials.run(targets, 3, tmp_path)
    file = tmp_path / "ranks.csv"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[number] for number in [0, *kept_rows]))
    with pytest.raises(InputError, match=rf"ranks.csv: {complaint}"):
        trials.run(targets, 3, tmp_path)


@pytest.mark.parametrize("cell", ["", "-1", "2.5", "120"])
def test_an_invalid_rank_is_refused_with_its_line(
    cell: str, targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = trials.quantities(targets)
    quick = lambda _, number: ranks.Trial(number, "", 100.0, 0.1, 0.01, 1.0, dict.fromkeys(names, 3))  # noqa: E731
    monkeypatch.setattr(trials, "trial", quick)
    trials.run(targets, 2, tmp_path)
    file = tmp_path / "ranks.csv"
    header, first, second = file.read_text().splitlines()
    file.write_text("\n".join([header, first, f"{second.rpartition(',')[0]},{cell}"]) + "\n")
    with pytest.raises(InputError, match=rf"ranks\.csv: line 3, {names[-1]}: not a rank; .*allowed: 0 to 119"):
        trials.run(targets, 2, tmp_path)


@pytest.mark.parametrize("whole", [0, 1])
def test_a_full_disk_at_the_start_does_not_block_the_next_run(
    whole: int, targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes none or one of the files, and a few bytes of the next."""
    usual, files = Path.write_bytes, []

    def fill(self: Path, content: bytes) -> int:
        files.append(self)
        if len(files) > whole:
            usual(self, content[:9])
            raise OSError(errno.ENOSPC, "No space left on device")
        return usual(self, content)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", fill)
        with pytest.raises(OSError, match="No space left"):
            trials.run(targets, 1, tmp_path)
    assert len(list(tmp_path.iterdir())) == whole
    assert len(trials.run(targets, 1, tmp_path)) == 1


def test_the_unfinished_file_of_a_killed_process_does_not_block_the_next_run(targets: Targets, tmp_path: Path) -> None:
    (tmp_path / ".settings.json.part").write_text("{")
    assert len(trials.run(targets, 1, tmp_path)) == 1


def test_a_folder_with_fits_of_other_settings_is_refused(targets: Targets, tmp_path: Path) -> None:
    trials.run(targets, 1, tmp_path)
    file = tmp_path / "settings.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps(settings | {"seed": 99}))
    with pytest.raises(InputError, match=r"the fits in this folder have another seed; got 99; allowed: 5"):
        trials.run(targets, 2, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("notes.txt", "mine", "this folder has no check to continue"),
        ("settings.json", "{", "this folder has no check to continue"),
        ("settings.json", "[]", "have another cohort"),
        ("settings.json", "3", "this folder has no check to continue"),
        ("settings.json", "[" * 100_000, "this folder has no check to continue"),
        ("ranks.csv", "number,uptake\n1,3\n", "not the columns of a check"),
    ],
)
def test_a_folder_with_other_files_is_refused_and_stays_as_it_is(
    targets: Targets, tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    if name == "ranks.csv":
        (tmp_path / "settings.json").write_text(json.dumps(trials.settings(targets)))
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=complaint):
        trials.run(targets, 1, tmp_path)
    assert (tmp_path / name).read_text() == text


def test_a_refused_cohort_is_counted_with_its_reason(
    targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InputError("two times are equal")

    monkeypatch.setattr(ranks, "QUICK", refuse)
    table = trials.run(targets, 2, tmp_path)
    assert table["refused"].tolist() == ["two times are equal"] * 2 * trials.MOST_TRIALS
    assert table["uptake"].isna().all()
