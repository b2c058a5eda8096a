"""Reported figures in words: a figure says what it counts, of whom, and by when."""

import math

import pytest

from simulator.pathway.format import load_pathway
from simulator.wording.reported import target

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
