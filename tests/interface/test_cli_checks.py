"""`calibrate` and `verify` print their diagnostics and checks, and fail if one fails."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from calibration import fit
from calibration.sampler.diagnostics import Diagnostics
from simulator.analyses import verification
from simulator.engines.exact import engine
from simulator.errors import AftercartError
from simulator.evidence.cohort import load_cohort
from simulator.pathway.format import load_pathway

Command = Callable[..., Any]

GOOD = Diagnostics(
    points=20_000, wanted=2000, effective_sample_size=6123.4, k_hat=0.31, tail_share=0.2, largest_weight=0.0021,
    unique_share=0.97, contraction={},
)  # fmt: skip


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace minutes of sampling by the frozen posterior, and record the settings of calibrate."""
    settings_used: dict[str, Any] = {}
    cohort = load_cohort(load_pathway("b_all_post_cd19"))
    assert cohort is not None

    def calibrate(name: str, **settings: Any) -> Any:
        settings_used.update(settings, cohort=name)
        return SimpleNamespace(posterior=cohort.posterior, diagnostics=GOOD, problems=list, warnings=list)

    monkeypatch.setattr(fit, "calibrate", calibrate)
    return settings_used


def test_calibrate_shows_prior_and_posterior_of_each_parameter(
    aftercart: Command, fitted: dict[str, Any], folder: Path
) -> None:
    result = aftercart("calibrate", "wang2024", "--out", "fit", "--seed", "7", "--jobs", "1", "--yes")
    assert result.exit_code == 0, result.output
    uncertain = [
        name for name, parameter in load_pathway("b_all_post_cd19").parameters.items() if parameter.prior is not None
    ]
    for name in uncertain:
        assert f"{name} " in result.stdout
    assert "effective size 6123" in result.stdout
    output = " ".join(result.stdout.split())
    assert "Pareto k-hat 0.31" in output
    assert "The k-hat" not in output
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    assert fitted["cohort"] == "wang2024"
    assert (fitted["out"].parent, fitted["seed"], fitted["jobs"]) == (Path("fit"), 7, 1)


def test_calibrate_says_why_a_sample_passes_in_spite_of_its_k_hat(
    aftercart: Command, fitted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "GOOD", replace(GOOD, k_hat=0.93, tail_share=0.12))
    output = " ".join(aftercart("calibrate", "wang2024", "--out", "fit", "--jobs", "1", "--yes").stdout.split())
    assert "Pareto k-hat 0.93" in output
    assert "The k-hat is not below its limit of 0.70, and the sample still passes: the largest weights" in output
    assert "make up 12% of the mean squared weight. Below 25%, cutting them off would change no estimate" in output


def test_calibrate_refuses_an_unwritable_folder_before_sampling(aftercart: Command, fitted: dict[str, Any]) -> None:
    result = aftercart("calibrate", "wang2024", "--out", "/proc/fit")
    assert result.exit_code == 2
    assert "'/proc/fit'" in result.stderr
    assert not fitted


def test_an_unreliable_fit_fails(aftercart: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def calibrate(*_: object, **__: object) -> None:
        raise AftercartError("wang2024: nothing written, since the effective sample size is 12")

    monkeypatch.setattr(fit, "calibrate", calibrate)
    result = aftercart("calibrate", "wang2024", "--out", "fit")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["aftercart: wang2024: nothing written, since the effective sample size is 12"]


@pytest.fixture
def few_subjects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the shipped pathways and scenarios, one without beds and one with them."""
    subjects = [subject for subject in verification.subjects() if subject.name in ("three_state", "letter-centre")]
    monkeypatch.setattr(verification, "subjects", lambda: subjects)


def test_verify_runs_its_checks_and_writes_nothing(aftercart: Command, few_subjects: None, folder: Path) -> None:
    before = set(folder.iterdir())
    result = aftercart("verify")
    assert result.exit_code == 0, result.output
    assert "microsim and des apart" in " ".join(result.stdout.split())
    assert result.stdout.endswith("8 checks passed.\n")
    assert set(folder.iterdir()) == before


def test_verify_fails_if_the_exact_engine_is_wrong(
    aftercart: Command, few_subjects: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = engine.curves

    def wrong(model: Any, horizon: float) -> Any:
        curves = original(model, horizon)
        half = {
            clock: {state: probability / 2 for state, probability in states.items()}
            for clock, states in curves.occupancy.items()
        }
        return replace(curves, occupancy=half)

    monkeypatch.setattr(engine, "curves", wrong)
    result = aftercart("verify", "--quiet")
    assert result.exit_code == 1
    assert result.stderr == "aftercart: 1 of 8 checks failed: three_state: occupancy sums to one\n"


@pytest.mark.slow
def test_every_shipped_pathway_and_scenario_passes_every_check(aftercart: Command) -> None:
    result = aftercart("verify")
    assert result.exit_code == 0, result.output
