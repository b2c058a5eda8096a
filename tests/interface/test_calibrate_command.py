"""`calibrate` ends with status 1 if its sample is unreliable, even if the sample is kept."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from calibration import fit
from calibration.likelihood.targets import load_targets
from calibration.validation import structure_table
from simulator.evidence import structures
from simulator.evidence.cohort import cohorts_folder
from simulator.report.tables import calibration as tables

Command = Callable[..., Any]


def test_an_unreliable_sample_that_is_kept_ends_with_status_1(
    aftercart: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_used: dict[str, object] = {}

    def calibrate(cohort: str, **settings: object) -> SimpleNamespace:
        settings_used.update(settings)
        return SimpleNamespace(
            problems=lambda: ["few"], warnings=lambda: ["wide cells"], refusal=lambda: "wang2024: not a fit, since few"
        )

    monkeypatch.setattr(fit, "calibrate", calibrate)
    typed = ("--points", "1234", "--keep-unreliable", "--out", "kept", "--jobs", "1", "--yes", "--quiet")
    result = aftercart("calibrate", "wang2024", *typed)
    assert result.exit_code == 1
    assert (settings_used["points"], settings_used["keep"]) == (1234, True)
    assert result.stderr.splitlines()[-2:] == ["aftercart: wide cells", "aftercart: wang2024: not a fit, since few"]
    assert "Files: kept" in result.stdout


def test_a_fit_that_takes_hours_asks_first_and_suggests_fewer_points(
    aftercart: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []

    def calibrate(cohort: str, **settings: object) -> SimpleNamespace:
        started.append(settings["points"])
        return SimpleNamespace(problems=list, warnings=list)

    monkeypatch.setattr(fit, "calibrate", calibrate)
    monkeypatch.setattr(fit, "seconds", lambda targets, points, timed: (60.0, 0.01 * points))
    typed = ("calibrate", "wang2024", "--out", "fitted", "--jobs", "2", "--quiet", "--points")
    result = aftercart(*typed, "10000000")
    assert (result.exit_code, result.stderr.count("\n"), started) == (2, 1, [])
    assert "a fit with all these points would take about 14 hours on 2 processes" in result.stderr
    # Half a minute before the points and 100 seconds for them.
    assert "--points 20000 takes about 2 minutes; fewer --points or more --jobs take less; or --yes" in result.stderr
    assert not Path("fitted").exists()
    assert aftercart(*typed, "10000000", "--yes").exit_code == 0
    assert aftercart(*typed, "100000").exit_code == 0
    assert started == [10_000_000, 100_000]


def test_the_predicted_time_of_a_fit_is_that_of_its_likelihood_rows() -> None:
    """On a machine where each row takes a second: 22,204 rows were counted for a fit that took all of 4,000 points."""
    seconds_before, seconds_of_points = fit.seconds(load_targets("wang2024"), 4_000, lambda work: float(fit.ROWS))
    assert seconds_of_points == 4_000
    assert 0.5 < (seconds_before + seconds_of_points) / 22_204 < 2.0


def test_the_structures_of_a_cohort_are_fitted_once_and_their_sentences_printed(
    aftercart: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, int]] = []

    def make(table: structure_table.StructureTable) -> list[str]:
        made.append((str(table.folder), table.points))
        return [] if table.keep else ["early_relapse"]

    monkeypatch.setattr(structure_table.StructureTable, "make", make)
    # It reads the cohort once a structure; see `test_structures_that_cannot_be_fitted_are_refused_with_the_place`.
    monkeypatch.setattr(structure_table, "refuse", lambda *_: None)
    shipped = structures.read(cohorts_folder() / "wang2024" / "draws.csv")
    monkeypatch.setattr(structure_table.StructureTable, "table", lambda _: shipped)
    typed = ("calibrate", "wang2024", "--structures", "--out", "table", "--jobs", "1", "--yes")
    result = aftercart(*typed)
    assert result.exit_code == 1
    assert "not in the table, since a few points decide: early_relapse" in result.stderr
    assert "wider-salvage: the interval covers the parameters of one model" in " ".join(result.stdout.split())
    assert aftercart(*typed, "--keep-unreliable", "--points", "5000").exit_code == 0
    assert made == [("table", structure_table.POINTS), ("table", 5000)]


@pytest.mark.parametrize(
    ("cohort", "points", "message"),
    [
        ("wang2024", "10", "--points: too few points; got 10; allowed: 1,000 or more"),
        ("schultz2023", "5000", "cohort.toml: the cohort declares no other structure; allowed: [structures.NAME]"),
    ],
)
def test_structures_that_cannot_be_fitted_are_refused_with_the_place(
    aftercart: Command, cohort: str, points: str, message: str
) -> None:
    result = aftercart("calibrate", cohort, "--structures", "--points", points, "--out", "table")
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert not Path("table").exists()


@pytest.mark.parametrize(
    ("mean", "lower", "upper", "text"),
    [(0.0022, 0.00027, 0.0068, "0.0022 (0.0003 to 0.0068)"), (0.39, 0.34, 0.44, "0.39 (0.34 to 0.44)")],
)
def test_a_small_rate_is_not_printed_as_zero(mean: float, lower: float, upper: float, text: str) -> None:
    assert str(tables.mean({"prior_mean": mean, "prior_lower": lower, "prior_upper": upper}, "prior")) == text
