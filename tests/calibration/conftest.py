"""A pathway and a cohort so simple that every figure has a closed form."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from made_up_cohort import TREATED_OR_NOT, write_cohort
from sojourn_times import exponential
from worlds import months, share, sojourn, two_arms

from calibration import fit
from calibration.likelihood.targets import Targets, load_targets
from calibration.sampler import imis
from calibration.validation import cross_validation, structure_fits

TWO_ARMS = two_arms(
    exponential(mean="treated_mean"), exponential(mean=10), states={"remission": sojourn(relapse=exponential(mean=8))},
    start="remission", clocks={"relapse": "relapse", "infusion": "remission"},
    attributes={"sex": {"female": 1, "male": 3}},
    parameters={"uptake": share(0.4, prior={"family": "beta", "a": 2, "b": 3}), "treated_mean": months(10)},
)  # fmt: skip
"""Everybody relapses at a constant hazard; some are treated; all die at a constant hazard."""
FOLLOW_UP = {"family": "uniform", "lower": 10.0, "upper": 30.0}


@pytest.fixture(scope="session")
def letter() -> Targets:
    """The targets of the letter, as shipped."""
    return load_targets("wang2024")


@pytest.fixture(scope="session")
def new_cohort(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Targets]:
    """Write a cohort of n patients, with rows "name,kind,population,state,attribute,month,count,n,value"; load it."""

    def write(n: int, *rows: str, use: str = "likelihood") -> Targets:
        lines = [f"{row},,,made up,{use}," for row in rows]
        return write_cohort(
            tmp_path_factory.mktemp("cohort"), TWO_ARMS, lines, clock="relapse", n=n, seed=5, arms=TREATED_OR_NOT,
            follow_up=FOLLOW_UP,
        )  # fmt: skip

    return write


@pytest.fixture(scope="module")
def quick_fits() -> Iterator[None]:
    """Begin with fewer points, more of them a call: so few parameters need no more for as good a sample."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "sample", partial(imis.sample, batch=200, refits=2))
        patch.setattr(fit, "_sizes", lambda points: {"initial": 500, "refit": min(1000, points // 8)})
        patch.setattr(fit, "ROWS", 250)
        patch.setattr(structure_fits, "FEW", {**structure_fits.FEW, "refit": 500, "refits": 2})
        few = {"initial": 200, "batch": 100, "refit": 200, "refits": 2, "most_points": 1000}
        patch.setattr(cross_validation, "FITTED", partial(cross_validation.FITTED, **few))
        yield


@pytest.fixture
def few_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predict by twenty of the draws: for tests that read no prediction."""
    monkeypatch.setattr(fit, "predict", partial(fit.predict, wanted=20))
