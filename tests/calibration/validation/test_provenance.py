"""What the model owes to a cohort's paper is read from the pathway's sources and the cohort's rows."""

import re
from dataclasses import replace
from functools import cache

import pytest
from evidence import row_of

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


@pytest.mark.parametrize(("cohort", "figure"), CITED)
def test_a_shipped_figure_agrees_with_its_row_of_the_evidence(cohort: str, figure: str) -> None:
    targets = shipped(cohort)
    row = targets.cohort.targets.set_index("name").loc[figure]
    evidence = row_of(declared(targets).evidence, row["evidence"])
    printed = [float(part.split()[0].strip("()%")) for part in re.split(r";| and ", evidence["value"])]
    printed += [float(median) for median in re.findall(r"median ([\d.]+)", evidence["ci_se_range"])]
    assert {row["value"], row["count"]} & set(printed)
    assert float(evidence["n"]) == row["n"]


def test_every_predicted_figure_of_a_shipped_cohort_names_its_row_of_the_evidence() -> None:
    assert len(CITED) > 25
    for name in external.shipped():
        rows = shipped(name).cohort.targets
        assert rows.loc[rows["use"] == "validation", "evidence"].ne("").all(), name


def test_a_figure_is_marked_if_a_source_of_a_prior_cites_it() -> None:
    targets = shipped("wudhikarn2021")
    figures = {figure.name: figure for figure in targets.figures}
    medians = [f"relapse_median_cd19_{level}" for level in ("positive", "negative_or_dim", "unknown")]
    assert centred_on(targets, figures["infusion_to_relapse"]) == medians
    for name in ("survivors_12", "median_survival", "complete_response", "treated"):
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
