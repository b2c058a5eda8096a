"""`calibrate` ends with status 1 where a sample is no fit, also where it is kept."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from calibration import fit
from simulator.report.tables import display

Command = Callable[..., Any]


def test_a_sample_that_is_kept_though_it_is_no_fit_ends_with_status_1(
    aftercart: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def calibrate(cohort: str, **told: object) -> SimpleNamespace:
        asked.update(told)
        return SimpleNamespace(
            problems=lambda: ["few"], warnings=lambda: ["wide cells"], refusal=lambda: "wang2024: not a fit, since few"
        )

    monkeypatch.setattr(fit, "calibrate", calibrate)
    typed = ("--points", "1234", "--keep-unreliable", "--out", "kept", "--jobs", "1", "--quiet")
    result = aftercart("calibrate", "wang2024", *typed)
    assert result.exit_code == 1
    assert (asked["points"], asked["keep"]) == (1234, True)
    assert result.stderr.splitlines()[-2:] == ["aftercart: wide cells", "aftercart: wang2024: not a fit, since few"]
    assert "Files: kept" in result.stdout


@pytest.mark.parametrize(
    ("mean", "lower", "upper", "shown"),
    [(0.0022, 0.00027, 0.0068, "0.0022 (0.0003-0.0068)"), (0.39, 0.34, 0.44, "0.39 (0.34-0.44)")],
)
def test_a_small_rate_is_not_shown_as_nothing(mean: float, lower: float, upper: float, shown: str) -> None:
    assert display._summary({"prior_mean": mean, "prior_lower": lower, "prior_upper": upper}, "prior") == shown
