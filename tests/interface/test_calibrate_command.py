"""`calibrate` ends with status 1 where a sample is no fit, also where it is kept."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from calibration import fit

Command = Callable[..., Any]


def test_a_sample_that_is_kept_though_it_is_no_fit_ends_with_status_1(
    aftercart: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def calibrate(cohort: str, **told: object) -> SimpleNamespace:
        asked.update(told)
        return SimpleNamespace(problems=lambda: ["few"], refusal=lambda: "wang2024: not a fit, since few")

    monkeypatch.setattr(fit, "calibrate", calibrate)
    typed = ("--points", "1234", "--keep-unreliable", "--out", "kept", "--jobs", "1", "--quiet")
    result = aftercart("calibrate", "wang2024", *typed)
    assert result.exit_code == 1
    assert (asked["points"], asked["keep"]) == (1234, True)
    assert result.stderr.splitlines()[-1] == "aftercart: wang2024: not a fit, since few"
    assert "Files: kept" in result.stdout
