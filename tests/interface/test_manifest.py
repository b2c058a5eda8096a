"""The manifest records the files, versions and command of a run, and whether its draws are stale."""

import json
import platform
import shlex
from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from sojourn_times import exponential
from worlds import rate, toml, two_state

from simulator.evidence.cohort import cohorts_folder

Command = Callable[..., Any]
TYPED = ["compare", "as-it-is.toml", "fewer-fall-ill.toml", "--out", "a folder", "--quiet"]


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def test_a_manifest_has_the_command_the_versions_and_the_platform(aftercart: Command, folder: Path) -> None:
    assert aftercart(*TYPED).exit_code == 0
    manifest = read_manifest(folder / "a folder")
    assert shlex.split(manifest["command"]) == ["aftercart", *TYPED]
    assert manifest["platform"] == platform.platform()
    assert manifest["versions"]["python"] == platform.python_version()
    for name in ("aftercart", "numpy", "scipy", "pandas", "pydantic", "simpy", "matplotlib"):
        assert manifest["versions"][name] == version(name)
    assert manifest["stale_draws"] is None


def test_every_file_of_a_run_is_named_once_with_its_hash(aftercart: Command, folder: Path) -> None:
    """The base of a scenario is a file of the run, too."""
    assert aftercart("run", "fewer-fall-ill.toml", "--out", "a folder", "--quiet").exit_code == 0
    files = {entry["file"]: (entry["what"], entry["sha256"]) for entry in read_manifest(folder / "a folder")["files"]}
    declared = {str((folder / name).resolve()): "scenario" for name in ("as-it-is.toml", "fewer-fall-ill.toml")}
    shipped = {"simulator/pathway/shipped/three_state.toml": "pathway"}
    assert {file: kind for file, (kind, _) in files.items()} == declared | shipped
    for file in declared:
        assert files[file][1] == sha256(Path(file).read_bytes()).hexdigest()


def test_draws_the_marginal_benefit_and_the_cohort_are_among_the_files(aftercart: Command, folder: Path) -> None:
    assert (
        aftercart("run", "wider-salvage", "--draws", "1", "--horizon", "12", "--out", "out", "--quiet").exit_code == 0
    )
    files = {entry["file"]: entry["what"] for entry in read_manifest(folder / "out")["files"]}
    cohort = "calibration/cohorts/wang2024"
    assert files[f"{cohort}/draws.csv"] == "draws"
    assert files[f"{cohort}/marginal_benefit.csv"] == "marginal benefit"
    assert files[f"{cohort}/targets.csv"] == files[f"{cohort}/cohort.toml"] == "cohort"
    assert files["scenarios/wider-salvage.toml"] == "scenario"


@pytest.mark.slow
def test_the_manifest_of_a_sweep_has_the_command_and_the_files(aftercart: Command, folder: Path) -> None:
    typed = ["sweep", "as-it-is.toml", "--vary", "onset_rate=0.1,0.2"]
    result = aftercart(*typed, "--out", "out", "--quiet")
    assert result.exit_code == 0, result.stderr
    manifest = read_manifest(folder / "out")
    assert manifest["command"] == shlex.join(["aftercart", *typed, "--out", "out", "--quiet"])
    assert [entry["what"] for entry in manifest["files"]] == ["scenario", "pathway"]


HAZARD = rate(0.1, prior={"family": "lognormal", "median": 0.1, "sigma": 0.5})
PATHWAY = two_state(exponential(rate="hazard"), draws="draws.csv", parameters={"hazard": HAZARD})
STALE = "These draws were fitted to another version of pathway ill: results mix the two. Refit with"


@pytest.mark.usefixtures("without_png")
def test_a_note_on_stale_draws_is_in_the_terminal_the_report_and_the_manifest(
    aftercart_with_figures: Command, folder: Path
) -> None:
    (folder / "ill.toml").write_text(toml(PATHWAY))
    (folder / "now.toml").write_text('pathway = "ill.toml"')
    (folder / "draws.csv").write_text("hazard,fitted_to\n0.1,0123456789ab-0123456789ab\n")
    for file in ("ill.toml", "now.toml"):
        checked = aftercart_with_figures("check", file)
        assert checked.exit_code == 0
        assert f"Note: {STALE}" in checked.stdout
    ran = aftercart_with_figures("run", "now.toml", "--out", "out")
    assert ran.exit_code == 0
    assert f"Note: {STALE}" in ran.stderr
    assert read_manifest(folder / "out")["stale_draws"].startswith(STALE)
    assert STALE in (folder / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_check_notes_a_stale_cohort(aftercart: Command, folder: Path) -> None:
    import shutil

    shutil.copytree(cohorts_folder() / "wang2024", folder / "mine")
    assert "fitted to another version" not in aftercart("check", "mine").stdout
    cohort = folder / "mine" / "cohort.toml"
    cohort.write_text(cohort.read_text(encoding="utf-8").replace("upper = 74.7", "upper = 75", 1), encoding="utf-8")
    checked = aftercart("check", "mine")
    assert checked.exit_code == 0, checked.stderr
    assert "Note: These draws were fitted to another version of cohort mine" in checked.stdout
