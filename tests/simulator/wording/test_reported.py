"""Reported figures in words: a figure says what it counts, of whom, and by when."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from calibration.likelihood.targets import load_targets
from calibration.reported.kinds.all import KINDS
from calibration.validation.everything import Validation
from simulator.evidence.cohort import cohorts_folder, read_cohort, shipped_cohorts
from simulator.pathway.end_points import EndPointTable
from simulator.pathway.format import load_pathway
from simulator.wording.reported import WORDS, cohort, reported, target, with_end_points
from simulator.wording.validation import NOT_REACHED, figure, labelled, short_names, with_unit

PATHWAY = load_pathway("b_all_post_cd19")


@pytest.mark.parametrize(
    ("kind", "state", "month", "words"),
    [
        ("patients", "", math.nan, "Supportive care"),
        ("entered", "chemotherapy", math.nan, "Chemotherapy: supportive care"),
        ("deaths", "", 12.0, "Deaths by month 12: supportive care"),
        ("survivors", "", 12.0, "Alive at 12 months: supportive care"),
        ("survival", "", 24.0, "Survival at 24 months: supportive care"),
        ("median_survival", "", math.nan, "Median survival: supportive care"),
        ("median_follow_up", "", math.nan, "Median time to death or last follow-up: supportive care"),
        ("median", "relapse", math.nan, "Median time to relapse: supportive care"),
    ],
)
def test_a_reported_figure_says_what_it_is(kind: str, state: str, month: float, words: str) -> None:
    row = {"kind": kind, "population": "untreated", "attribute": "", "state": state, "month": month}
    assert target(row, PATHWAY) == words


@pytest.mark.parametrize(
    ("kind", "cells", "words"),
    [
        ("survival", {"end_point": "efs", "month": 12.0}, "Event-free survival at 12 months: supportive care"),
        (
            "incidence",
            {"end_point": "efs", "cause": "relapse", "month": 6.0},
            "Relapse by month 6 (event-free survival): supportive care",
        ),
        (
            "survival",
            {"end_point": "efs", "month": 12.0, "from": "hsct"},
            "Event-free survival at 12 months from HSCT admission: supportive care",
        ),
        ("median_survival", {"clock": "relapse"}, "Median survival from relapse: supportive care"),
        ("restricted_mean", {"month": 24.0}, "Mean survival to month 24: supportive care"),
        ("hazard_ratio", {"versus": "treated"}, "Hazard ratio, survival: supportive care, to salvage-treated"),
        (
            "time_quantile",
            {"state": "hsct", "quantile": 25.0},
            "25 % quantile of time to HSCT admission: supportive care",
        ),
        ("time_quantile", {"state": "hsct"}, "Median time to HSCT admission: supportive care"),
        ("time_quantile", {"state": "hsct", "quantile": 0.0}, "Shortest time to HSCT admission: supportive care"),
        (
            "time_quantile",
            {"state": "relapse", "from": "hsct", "quantile": 100.0},
            "Longest time to relapse from HSCT admission: supportive care",
        ),
        ("survival_quantile", {"quantile": 50.0}, "Median survival: supportive care"),
        ("survival_quantile", {"quantile": 75.0}, "75 % quantile of survival: supportive care"),
    ],
)
def test_a_figure_of_an_event_says_which_and_from_when(kind: str, cells: dict[str, object], words: str) -> None:
    row = {"kind": kind, "population": "untreated", "attribute": "", "state": "", "month": math.nan, **cells}
    assert target(row, PATHWAY) == words


def test_an_end_point_that_only_a_cohort_declares_has_its_label() -> None:
    felix = read_cohort(cohorts_folder() / "felix2024")
    pfs = {"pfs": EndPointTable(causes={"death": "death_after_relapse"})}
    with_pfs = replace(felix, declared=felix.declared.model_copy(update={"end_points": pfs}))
    row = {"kind": "median_survival", "population": "all", "attribute": "", "state": "", "month": math.nan}
    assert target({**row, "end_point": "pfs"}, with_end_points(PATHWAY, with_pfs)) == "Median pfs: all patients"


@pytest.mark.parametrize(
    ("citation", "name"),
    [
        ("FELIX 2024: Roddie C, Sandhu KS. N Engl J Med 2024", "FELIX 2024"),
        ("Bader P, Rossig C, et al. CD19 CAR T cells are effective: a study. Blood Adv 2023;7(11):2436.", "Bader 2023"),
        ("Ortíz-Maldonado V, Rives S. Mol Ther 2021;29(2):636-644.", "Ortíz-Maldonado 2021"),
        ("Who, where, when", "felix2024"),
        ("Meeting abstract, cut at the site of relapse: address not stored.", "felix2024"),
    ],
)
def test_a_cohort_is_named_by_its_citation_or_else_by_its_folder(citation: str, name: str) -> None:
    assert cohort(replace(read_cohort(cohorts_folder() / "felix2024"), citation=citation)) == name


def test_shipped_cohorts_have_a_short_name_each() -> None:
    names = {name: cohort(read_cohort(cohorts_folder() / name)) for name in shipped_cohorts()}
    assert not set(names) & set(names.values())
    assert len(set(names.values())) == len(names)
    assert {names["felix2024"], names["bader2023"], names["wang2024"]} == {"FELIX 2024", "Bader 2023", "Wang 2024"}


def test_cohorts_with_one_short_name_are_named_by_their_folders() -> None:
    every = [load_targets(name) for name in ("li2023", "bader2023", "schultz2023")]
    every[1] = replace(every[1], cohort=replace(every[1].cohort, citation=every[0].cohort.citation))
    names = {"li2023": "li2023", "bader2023": "bader2023", "schultz2023": "Schultz 2023"}
    assert short_names(every) == names


def test_a_predicted_figure_is_named_by_what_is_declared_and_says_nothing_twice() -> None:
    every = tuple(map(load_targets, ("hcd19_2022", "felix2024", "friedes2023")))
    rows = [
        ("hcd19_2022", "hsct_of_responders"),
        ("hcd19_2022", "complete_response"),
        ("felix2024", "efs_12_from_infusion"),
    ]
    rows += [("felix2024", "median_survival_from_infusion"), ("friedes2023", "infusion_to_relapse")]
    figures = pd.DataFrame(rows, columns=["cohort", "target"])
    figures_in_words = labelled(Validation(every, figures, figures[["cohort"]], pd.DataFrame())).figures
    assert [figure(row) for row in figures_in_words.to_dict("records")] == [
        "hCD19 2022, HSCT admission, responders",
        "hCD19 2022, complete response, salvage-treated",
        "FELIX 2024, event-free survival at 12 months from infusion",
        "FELIX 2024, median survival from infusion",
        "Friedes 2023, median time to relapse",
    ]


def test_every_kind_of_figure_has_words() -> None:
    assert set(WORDS) == set(KINDS)


def test_a_ratio_has_no_unit_and_a_median_that_is_not_reached_no_number() -> None:
    ratio = {"count": math.nan, "n": math.nan, "unit": "", "reported": 0.35}
    assert reported(ratio, {"value": 0.35, "standard_error": math.nan}) == "0.35"
    median = {"count": math.nan, "n": 18.0, "unit": "months", "reported": math.nan}
    assert reported(median, {"value": math.nan, "standard_error": math.nan}) == "not reached"
    assert with_unit(NOT_REACHED, {"unit": "months"}) == "not reached"
    assert [with_unit("0.35", {"unit": unit}) for unit in ("", "months")] == ["0.35", "0.35 months"]
