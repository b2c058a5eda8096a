"""The answer of a validation says first what is unlike the model."""

import pandas as pd
import pytest

from calibration.likelihood.targets import load_targets
from calibration.validation.everything import Validation
from simulator.wording.validation import answer, labelled, percent

FELIX, BADER = load_targets("felix2024"), load_targets("bader2023")


def of(**ranks: float) -> Validation:
    """A validation of two cohorts with these joint ranks, which lean to neither side, and of both together."""
    rows = [
        {"cohort": name.replace("_", " "), "joint_rank": rank, "better": 0.5, "counted": "" if "_" in name else "yes"}
        for name, rank in ranks.items()
    ]
    return labelled(Validation((FELIX, BADER), pd.DataFrame(), pd.DataFrame(rows), pd.DataFrame()))


def test_cohorts_that_are_unlike_the_model_are_named_with_their_joint_rank() -> None:
    joint = "(joint rank: share of simulated cohorts at least as unusual)"
    assert answer(of(felix2024=0.001, bader2023=0.5, all_cohorts=0.0114)) == (
        f"Taken together, the cohorts are unlike the model {joint}: 1.1 %. "
        f"Unlike the model {joint}: FELIX 2024 (n = 127), 0.1 %."
    )
    assert answer(of(felix2024=0.025, bader2023=0.02, all_cohorts=0.026)) == (
        f"Unlike the model {joint}: FELIX 2024 (n = 127), 2.5 %; Bader 2023 (n = 81), 2.0 %."
    )
    assert answer(of(felix2024=0.026, bader2023=0.9)) == ""


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "none"), (0.001, "0.1 %"), (0.0149, "1.5 %"), (0.151, "15 %"), (1.0, "100 %")]
)
def test_a_small_share_of_simulated_cohorts_is_not_rounded_to_zero(share: float, words: str) -> None:
    assert percent(share) == words
