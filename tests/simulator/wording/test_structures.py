"""What other structures of the model do to a policy's difference, in a sentence."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from simulator.evidence.cohort import Cohort, Structure, load_cohort
from simulator.pathway.format import load_pathway
from simulator.wording import structures

PATHWAY = load_pathway("b_all_post_cd19")


@pytest.fixture
def cohort() -> Cohort:
    loaded = load_cohort(PATHWAY)
    assert loaded is not None
    named = {"pooled": "the eight as one group", "late": "late events", "rescue": "more are rescued"}
    return replace(loaded, structures={name: Structure(meaning=meaning) for name, meaning in named.items()})


def rows(policy: str = "wider-salvage", survival: float = 0.5, **difference: float) -> pd.DataFrame:
    """A row a structure: its difference, and by how much that moved from the declared 0.226."""
    about: dict[str, Any] = {"scenario": policy, "survival": survival}
    every = {"declared": 0.226, "declared_again": 0.3, **difference}
    return pd.DataFrame(
        {
            **about,
            "structure": name,
            "difference": value,
            "moved": value - 0.226,
            "difference_lower": value - 0.01,
            "difference_upper": value + 0.01,
            "difference_same_sign": 0.8,
        }
        for name, value in every.items()
    )


def test_the_lowest_and_the_highest_structure_are_named_with_their_difference(cohort: Cohort) -> None:
    sentence = structures.sentence(rows(pooled=0.24, late=0.201, rescue=0.229), cohort, PATHWAY)
    assert sentence == (
        "wider-salvage: the interval covers the parameters of one model. 3 other readings, priors and structures, "
        "fitted to the same 37 patients, move the difference at 12 months by \N{MINUS SIGN}2.5 to +1.4 per 100: "
        "lowest 20 more (late events), highest 24 more (the eight as one group)."
    )


def test_a_difference_of_the_other_sign_is_shown_as_such(cohort: Cohort) -> None:
    low = rows("no-hsct", pooled=-0.03, late=0.012)  # 22.6 more as declared
    assert "highest 1.2 more (late events); in 1 of them it has the other sign." in structures.sentence(
        low, cohort, PATHWAY
    )


def test_where_a_verdict_rests_on_the_structure_it_is_said(cohort: Cohort) -> None:
    unclear = rows("no-hsct", pooled=-0.005, late=0.2)
    assert structures.sentence(unclear, cohort, PATHWAY).endswith(
        ": lowest 0.5 fewer (the eight as one group; no clear difference, 95 % interval 1.5 fewer to 0.5 more; fewer "
        "in 80 of 100 parameter sets), highest 20 more (late events); in 1 of them it is not clear."
    )
    mostly = rows("no-hsct", pooled=-0.005, late=-0.002, rescue=-0.03)
    mostly.loc[mostly["structure"] == "declared", ["difference", "difference_lower"]] = [0.001, -0.01]
    assert structures.sentence(mostly, cohort, PATHWAY).endswith("; in 1 of them it is clear.")


def test_the_control_alone_is_no_other_structure(cohort: Cohort) -> None:
    assert structures.sentence(rows(), cohort, PATHWAY) == ""


def test_one_structure_moves_and_the_base_has_its_own_survival(cohort: Cohort) -> None:
    base = rows("baseline", survival=0.31, pooled=float("nan")).assign(
        difference=float("nan"), difference_same_sign=float("nan"), moved=0.02
    )
    assert structures.sentence(base, cohort, PATHWAY).endswith(
        "1 other reading, prior or structure, fitted to the same 37 patients, moves survival at 12 months by "
        "+2.0 to +2.0 per 100: lowest 31 (the eight as one group), highest 31 (the eight as one group)."
    )
