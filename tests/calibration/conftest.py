"""A pathway and a cohort so plain that every figure of theirs is known in closed form."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from calibration import fit
from calibration.likelihood.targets import Targets, load_targets
from calibration.sampler import imis

PATHWAY = """
title = "Two arms, constant hazards"
description = "Everybody relapses at a constant hazard; some are treated; all die at a constant hazard."
start = "remission"

[clocks]
relapse = "relapse"
infusion = "remission"

[attributes.sex]
levels = { female = 1, male = 3 }

[states.remission]
kind = "sojourn"
[[states.remission.transitions]]
to = "relapse"
time = { family = "exponential", mean = 8.0 }

[states.relapse]
kind = "decision"
[[states.relapse.branches]]
to = "treatment"
probability = "uptake"
[[states.relapse.branches]]
to = "supportive_care"
probability = "rest"

[states.treatment]
kind = "sojourn"
[[states.treatment.transitions]]
to = "dead"
time = { family = "exponential", mean = "treated_mean" }

[states.supportive_care]
kind = "sojourn"
[[states.supportive_care.transitions]]
to = "dead"
time = { family = "exponential", mean = 10.0 }

[states.dead]
kind = "death"
cause = "any"

[groups.treated]
entered = "treatment"
[groups.untreated]
entered = "supportive_care"

[parameters.uptake]
unit = "probability"
meaning = "probability of treatment"
value = 0.4
prior = { family = "beta", a = 2, b = 3 }
source = "assumption: a round number"

[parameters.treated_mean]
unit = "months"
meaning = "mean survival from relapse if treated"
value = 10.0
source = "assumption: as untreated"
"""

COHORT = """
title = "A cohort that never was"
citation = "nobody"
pathway = "two_arms.toml"
clock = "relapse"
n = {n}
seed = 5

[arms]
treated = ["treated"]
untreated = ["untreated"]
all = ["treated", "untreated"]

[follow_up]
family = "uniform"
lower = 10.0
upper = 30.0
"""

HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note\n"


@pytest.fixture(scope="session")
def new_cohort(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Targets]:
    """Write a cohort of n patients, with rows "name,kind,population,state,attribute,month,count,n,value"; load it."""

    def write(n: int, *rows: str, use: str = "likelihood") -> Targets:
        folder = tmp_path_factory.mktemp("cohort")
        (folder / "two_arms.toml").write_text(PATHWAY, encoding="utf-8")
        (folder / "cohort.toml").write_text(COHORT.format(n=n), encoding="utf-8")
        told = "".join(f"{row},,,made up,{use},\n" for row in rows)
        (folder / "targets.csv").write_text(HEADER + told, encoding="utf-8")
        return load_targets(Path(folder))

    return write


@pytest.fixture(scope="module")
def quick_fits() -> Iterator[None]:
    """Begin with fewer points: a posterior of one to three parameters needs no more for as good a sample."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "sample", partial(imis.sample, initial=500, batch=200, refit=1000))
        yield
