"""Reported figures in words: a figure says what it counts, of whom, and by when."""

import math

import pytest

from calibration.reported.kinds.all import KINDS
from simulator.pathway.format import load_pathway
from simulator.wording.reported import WORDS, reported, target
from simulator.wording.validation import NOT_REACHED, with_unit

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
        ("survival", {"end_point": "efs", "month": 12.0}, "Efs at 12 months: supportive care"),
        (
            "incidence",
            {"end_point": "efs", "cause": "relapse", "month": 6.0},
            "Relapse by month 6 (efs): supportive care",
        ),
        ("restricted_mean", {"month": 24.0}, "Mean survival to month 24: supportive care"),
        ("hazard_ratio", {"versus": "treated"}, "Hazard ratio, survival: supportive care, to salvage-treated"),
        (
            "time_quantile",
            {"state": "hsct", "quantile": 25.0},
            "25 % quantile of the time to HSCT admission: supportive care",
        ),
    ],
)
def test_a_figure_of_an_event_says_which_and_from_when(kind: str, cells: dict[str, object], words: str) -> None:
    row = {"kind": kind, "population": "untreated", "attribute": "", "state": "", "month": math.nan, **cells}
    assert target(row, PATHWAY) == words


def test_every_kind_of_figure_has_words() -> None:
    assert set(WORDS) == set(KINDS)


def test_a_ratio_has_no_unit_and_a_median_that_is_not_reached_no_number() -> None:
    ratio = {"count": math.nan, "n": math.nan, "unit": "", "reported": 0.35}
    assert reported(ratio, {"value": 0.35, "standard_error": math.nan}) == "0.35"
    median = {"count": math.nan, "n": 18.0, "unit": "months", "reported": math.nan}
    assert reported(median, {"value": math.nan, "standard_error": math.nan}) == "not reached"
    assert with_unit(NOT_REACHED, {"unit": "months"}) == "not reached"
    assert [with_unit("0.35", {"unit": unit}) for unit in ("", "months")] == ["0.35", "0.35 months"]
