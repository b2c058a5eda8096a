"""The documentation of the formats agrees with the program."""

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from simulator.distributions import FAMILIES, parameter_names
from simulator.pathway.format import load_pathway
from simulator.pathway.units import UNITS

Command = Callable[..., Any]


def blocks(document: Path) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)


def test_the_schema_in_the_repository_is_up_to_date(aftercart: Command, repository: Path) -> None:
    shipped = (repository / "scenarios" / "schema.json").read_text(encoding="utf-8")
    assert json.loads(aftercart("schema").stdout) == json.loads(shipped), "aftercart schema > scenarios/schema.json"


@pytest.mark.parametrize(("document", "options"), [("pathway", ["--pathway"]), ("scenario", [])])
def test_the_reference_in_the_documents_is_up_to_date(
    aftercart: Command, repository: Path, document: str, options: list[str]
) -> None:
    text = (repository / "docs" / f"{document}-format.md").read_text(encoding="utf-8")
    _, marker, reference = text.partition("<!-- generated -->\n")
    assert marker
    assert reference == aftercart("schema", *options, "--markdown").stdout


def test_the_reference_names_every_family_parameter_and_unit(aftercart: Command) -> None:
    printed = aftercart("schema", "--pathway", "--markdown").stdout
    for family in FAMILIES:
        row = re.search(rf"^\| `{family}` \|.*$", printed, re.M)
        assert row is not None, family
        for name in parameter_names(family):
            assert f"`{name}`" in row[0], (family, name)
    for unit in UNITS:
        assert f"| `{unit}` |" in printed


def test_the_pathway_schema_is_a_json_schema(aftercart: Command) -> None:
    schema = json.loads(aftercart("schema", "--pathway").stdout)
    assert set(schema["required"]) == {"title", "start", "states"}
    assert "StateTable" in schema["$defs"]


def test_the_documented_pathway_runs(aftercart: Command, folder: Path, repository: Path) -> None:
    example, _ = blocks(repository / "docs" / "pathway-format.md")
    _, _, minimal, *_ = blocks(repository / "docs" / "scenario-format.md")
    (folder / "second_line.toml").write_text(example, encoding="utf-8")
    (folder / "minimal.toml").write_text(minimal, encoding="utf-8")
    assert aftercart("check", "second_line.toml").exit_code == 0
    result = aftercart("run", "minimal.toml")
    assert result.exit_code == 0, result.output
    assert "bed-months per 100 relapses" in result.stdout


def test_the_documented_pathway_uses_what_it_explains(folder: Path, repository: Path) -> None:
    example, _ = blocks(repository / "docs" / "pathway-format.md")
    (folder / "second_line.toml").write_text(example, encoding="utf-8")
    pathway = load_pathway(folder / "second_line.toml")
    assert {state.kind for state in pathway.states.values()} == {"sojourn", "decision", "death"}
    assert {state.competes for state in pathway.states.values() if state.kind == "sojourn"} == {True, False}
    for table in (pathway.attributes, pathway.groups, pathway.counts, pathway.resources, pathway.parameters):
        assert table


def test_the_documented_extension_passes_check(aftercart: Command, folder: Path, repository: Path) -> None:
    for name, example in zip(
        ("second_line.toml", "extension.toml"), blocks(repository / "docs" / "pathway-format.md"), strict=True
    ):
        (folder / name).write_text(example, encoding="utf-8")
    result = aftercart("check", "extension.toml")
    assert result.exit_code == 0, result.output
    assert load_pathway(folder / "extension.toml").start == "diagnosis"


def test_the_documented_scenarios_pass_check(aftercart: Command, folder: Path, repository: Path) -> None:
    _, full, _, _, waning, together, *_ = blocks(repository / "docs" / "scenario-format.md")
    for scenario in (full, waning, together):
        (folder / "documented.toml").write_text(scenario, encoding="utf-8")
        result = aftercart("check", "documented.toml")
        assert result.exit_code == 0, result.output


@pytest.mark.slow
@pytest.mark.usefixtures("with_page_alone")
def test_the_documented_hazard_ratios_and_combinations_of_attributes_run(
    aftercart_with_figures: Command, folder: Path, repository: Path
) -> None:
    _, _, _, _, waning, together, *_ = blocks(repository / "docs" / "scenario-format.md")
    (folder / "waning.toml").write_text(waning, encoding="utf-8")
    (folder / "together.toml").write_text(together, encoding="utf-8")
    typed = ("compare", "baseline", "waning.toml", "together.toml", "--draws", "2", "--horizon", "24", "--out", "run")
    result = aftercart_with_figures(*typed)
    assert result.exit_code == 0, result.output
    page = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "[hazard_ratio] car_t_remission.relapse = { breaks = [1, 12], ratios = [1, 0.5, 1] }" in unescape(page)
    assert '[[case_mix]] of = ["cd19", "prior_hsct"], weights = { positive = { yes = 4, no = 13 }' in unescape(page)
    assert aftercart_with_figures("report", "run").exit_code == 0
    assert page == (folder / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_documented_centre_and_the_policy_on_it_run(aftercart: Command, folder: Path, repository: Path) -> None:
    """As printed they are checked; a centre of fewer arrivals is run, in less time."""
    *_, centre, policy = blocks(repository / "docs" / "scenario-format.md")
    (folder / "centre.toml").write_text(centre, encoding="utf-8")
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    for name in ("centre.toml", "policy.toml"):
        assert aftercart("check", name).exit_code == 0
    fewer = centre.replace("arrivals_per_year = 100 ", "arrivals_per_year = 12 ")
    assert fewer != centre
    (folder / "centre.toml").write_text(fewer, encoding="utf-8")
    quick = ("--draws", "1", "--replications", "1", "--horizon", "12", "--jobs", "1", "--overload")
    result = aftercart("compare", "centre.toml", "policy.toml", *quick)
    assert result.exit_code == 0, result.output
    assert "Engine: des" in result.stdout
