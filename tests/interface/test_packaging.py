"""The package's files, version and licence agree, and the README's commands are those that are tested."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

DEPENDENCIES = {"simpy", "numpy", "scipy", "pandas", "matplotlib", "pydantic", "typer", "rich"}


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9-]+", requirement)
    assert name is not None
    return name[0]


def readme_command(repository: Path, marker: str) -> str:
    text = (repository / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(rf"^<!-- {marker} -->\n```sh\n(.*?)^```", text, re.M | re.S)
    return str(command).strip()


def test_the_version_is_the_same_everywhere(repository: Path, project: dict[str, Any]) -> None:
    version = project["project"]["version"]
    assert f"\nversion: {version}\n" in (repository / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## [{version}]" in (repository / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_licence_is_the_same_everywhere(repository: Path, project: dict[str, Any]) -> None:
    assert project["project"]["license"] == "MIT"
    assert (repository / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")
    assert "\nlicense: MIT\n" in (repository / "CITATION.cff").read_text(encoding="utf-8")


def test_dependencies_are_those_that_are_needed(project: dict[str, Any]) -> None:
    assert {name_of(requirement) for requirement in project["project"]["dependencies"]} == DEPENDENCIES


def test_packages_are_installed_with_their_data_and_without_the_tests(project: dict[str, Any]) -> None:
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [
        "simulator",
        "calibration",
        "scenarios",
    ]


def test_no_ignored_name_hides_a_shipped_file(repository: Path, tmp_path: Path) -> None:
    shipped = [path for name in ("simulator", "calibration", "scenarios") for path in (repository / name).rglob("*.*")]
    shipped = [path for path in shipped if "__pycache__" not in path.parts and not path.name.startswith(".")]
    assert len(shipped) > 50
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text((repository / ".gitignore").read_text(encoding="utf-8"))
    paths = [str(path.relative_to(repository)) for path in shipped]
    command = ["git", "check-ignore", "--no-index", *paths, "results/x", ".venv/x"]
    ignored = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ignored.stdout.split() == ["results/x", ".venv/x"]


def test_the_readme_has_the_main_job_and_the_test_command(repository: Path) -> None:
    assert readme_command(repository, "main job").endswith("/aftercart compare baseline wider-salvage")
    for tool in ("ruff check", "mypy", "lint-imports", "pytest"):
        assert f" {tool}" in readme_command(repository, "tests")


def test_ci_runs_the_commands_of_the_readme(repository: Path) -> None:
    """The script's function that reads the README is run alone; without a command in the README the script stops."""
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    (function,) = re.findall(r"^command_of_readme\(\) \{\n.*?^\}", script, re.M | re.S)
    for marker in ("main job", "tests"):
        code = f"checkout={repository}\n{function}\ncommand_of_readme '{marker}'"
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == readme_command(repository, marker)


def test_the_letter_is_cited(repository: Path) -> None:
    assert "doi: 10.1186/s12967-024-05362-w" in (repository / "CITATION.cff").read_text(encoding="utf-8")
