"""What the model owes to a cohort's paper is read from the pathway's sources and the cohort's rows."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from evidence import ROWS, cited, row_of

import calibration
from calibration.likelihood.targets import find_folder, load_targets
from calibration.validation import external
from calibration.validation.provenance import centred_on, declared, left, of_paper
from simulator.evidence.cohort import read_cohort

shipped = cache(load_targets)

CITED = [
    (name, str(row["name"]))
    for name in external.shipped()
    for _, row in read_cohort(find_folder(name)).targets.iterrows()
    if row["evidence"]
]


@pytest.mark.representatives(12)
@pytest.mark.parametrize(("cohort", "figure"), CITED)
def test_a_shipped_figure_agrees_with_its_row_of_the_evidence(cohort: str, figure: str) -> None:
    targets = shipped(cohort)
    row = targets.cohort.targets.set_index("name").loc[figure]
    evidence, *_ = (row_of(declared(targets).evidence, cell.strip()) for cell in row["evidence"].split("|"))
    printed = [float(part.split()[0].strip("()%")) for part in re.split(r";| and ", evidence["value"])]
    printed += [float(median) for median in re.findall(r"median ([\d.]+)", evidence["ci_se_range"])]
    assert {row["value"], row["count"]} & set(printed)
    assert float(evidence["n"]) == row["n"]


def test_every_predicted_figure_of_a_shipped_cohort_names_its_row_of_the_evidence() -> None:
    assert len(CITED) > 25
    for name in external.shipped():
        rows = shipped(name).cohort.targets
        assert rows.loc[rows["use"] == "validation", "evidence"].ne("").all(), name


def test_every_figure_of_a_predicted_cohort_is_predicted_used_or_listed_with_the_reason() -> None:
    text = (Path(calibration.__path__[0]) / "evidence" / "SOURCES.md").read_text(encoding="utf-8")
    table = text.partition("## Figures of these cohorts that are not predicted")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`([^`]+)`", table.partition("|---|")[2]))
    known = set()
    for targets in map(shipped, external.shipped()):
        paper = ROWS.loc[ROWS["cohort"] == declared(targets).evidence, "quantity"]
        cells = {cell.strip() for row in targets.cohort.targets["evidence"] for cell in row.split("|")}
        sources = cited((targets.folder / "SOURCES.md").read_text(encoding="utf-8"))
        in_words = {quantity for quantity in paper if any(source.endswith(f", {quantity}") for source in sources)}
        assert set(paper) - cells - in_words <= listed, targets.cohort.name
        assert not cells & listed, targets.cohort.name
        known |= set(paper)
    assert listed <= known


def test_the_page_marks_every_second_hand_figure_that_is_predicted_or_sets_the_uptake() -> None:
    page = (Path(__file__).parents[3] / "docs" / "validation.md").read_text(encoding="utf-8")
    # A row without a cohort's name is of the cohort before.
    blocks = re.findall(r"^(\| ([\w-]+)[^|]*, n = .*\n(?:\| \| .*\n)*)", page, flags=re.MULTILINE)
    marked = {cohort: rows.count("†") for rows, cohort in blocks if "†" in rows}
    second_hand = {}
    for targets in map(shipped, external.shipped()):
        about, rows = declared(targets), targets.cohort.targets
        cited = rows.loc[rows["use"].isin(["validation", "setting"]) & rows["evidence"].ne(""), "evidence"]
        how = [row_of(about.evidence, cell.split(" | ")[0])["how_read"] for cell in cited]
        if "cited elsewhere" in how:
            second_hand[about.citation.split()[0]] = how.count("cited elsewhere")
    # Not in a table, since its uptake is unknown.
    assert second_hand.pop("Friedes") > 0
    assert "Friedes 2023 (n = 85, second-hand)" in page
    assert marked == second_hand


def test_a_figure_is_marked_if_a_source_of_a_prior_cites_it() -> None:
    targets = shipped("wudhikarn2021")
    figures = {figure.name: figure for figure in targets.figures}
    medians = [f"relapse_median_cd19_{level}" for level in ("positive", "negative_or_dim", "unknown")]
    assert centred_on(targets, figures["infusion_to_relapse"]) == medians
    # Of the 30 responses, 12 are those on which a prior is centred.
    assert centred_on(targets, figures["complete_response"]) == ["cr_immunotherapy"]
    for name in ("survivors_12", "median_survival", "treated"):
        assert centred_on(targets, figures[name]) == []
    assert of_paper(targets) == [*medians, "cr_immunotherapy"]


def test_a_source_that_cites_a_longer_quantity_does_not_mark_the_shorter_one() -> None:
    targets = shipped("schultz2023")
    figure = targets.figures[1]
    assert centred_on(targets, replace(figure, evidence="12-mo OS")) == []
    parameters = dict(targets.pathway.parameters)
    cited = "external.csv: Schultz 2023, relapse cohort 12-mo OS; 52 %"
    parameters["hsct_cure"] = replace(parameters["hsct_cure"], source=cited)
    scenario = replace(targets.scenario, pathway=replace(targets.pathway, parameters=parameters))
    assert centred_on(replace(targets, scenario=scenario), figure) == ["hsct_cure"]


def test_levers_that_a_cohort_leaves_as_in_the_pathway_are_named() -> None:
    of_li = left(shipped("li2023"))
    assert not {"salvage_uptake", "share_dual_target_reinfusion", "share_immunotherapy"} & set(of_li)
    assert {"hsct_if_cr", "second_salvage_uptake", "cd19", "prior_hsct"} <= set(of_li)
    of_wudhikarn = left(shipped("wudhikarn2021"))
    assert {"share_immunotherapy", "cd19"} <= set(of_wudhikarn)
    assert "prior_hsct" not in of_wudhikarn
    assert "salvage_uptake" not in left(shipped("friedes2023"))
