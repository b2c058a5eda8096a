"""`calibrate` ends with status 1 if its sample is unreliable, even if the sample is kept."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from calibration import fit
from calibration.likelihood.targets import load_targets
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


@pytest.mark.parametrize(
    ("mean", "lower", "upper", "text"),
    [(0.0022, 0.00027, 0.0068, "0.0022 (0.0003-0.0068)"), (0.39, 0.34, 0.44, "0.39 (0.34-0.44)")],
)
def test_a_small_rate_is_not_printed_as_zero(mean: float, lower: float, upper: float, text: str) -> None:
    assert str(tables.mean({"prior_mean": mean, "prior_lower": lower, "prior_upper": upper}, "prior")) == text
