"""The explorer next to a report has the numbers of the run, or it is not written."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.experiment.run import compare
from simulator.report import explorer_of_run, run_folder
from simulator.report.explorer_of_run import NAME
from simulator.report.run_folder import read


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    compare("baseline", "wider-salvage", draws=2, horizon=12.0).write(folder)
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of a run, which a test may damage."""
    return shutil.copytree(finished, tmp_path / "run")


def data_of(page: Path) -> Any:
    block = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    return json.loads(block.group(1))


@pytest.mark.usefixtures("unchecked_pages")
def test_the_explorer_of_a_run_has_its_scenarios_parameter_sets_and_months(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "gallery", lambda *_: [])
    assert NAME not in run_folder.write_again(folder).read_text(encoding="utf-8")
    report = run_folder.write_again(folder, explorer=True).read_text(encoding="utf-8")
    assert f'href="{NAME}"' in report
    data = data_of(folder / NAME)
    assert (data["base"], data["draws"], data["months"][-1]) == ("baseline", 2, 12.0)
    assert [(preset["title"], preset["moved"]) for preset in data["presets"]] == [
        ("Wider salvage", {"salvage_uptake": 0.88})
    ]
    assert f'href="{NAME}"' in run_folder.write_again(folder).read_text(encoding="utf-8")


def test_where_a_file_of_the_run_has_changed_its_numbers_are_not_those_of_an_explorer(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    draws = next(record for record in manifest["files"] if record["what"] == "draws")
    draws["sha256"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match=r"this file has changed since the run \(draws\)"):
        run_folder.write_again(folder, explorer=True)
    assert not (folder / NAME).exists()
    assert not (folder / "report.html").exists()


def test_a_run_that_a_page_cannot_serve_has_no_explorer(tmp_path: Path) -> None:
    compare("baseline", "dual-target-reinfusion", draws=1, horizon=12.0).write(tmp_path)
    with pytest.raises(InputError, match="no slider moves it"):
        explorer_of_run.write(read(tmp_path), tmp_path)
    assert not (tmp_path / NAME).exists()
