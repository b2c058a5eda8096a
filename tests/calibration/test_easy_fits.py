"""Easy cohorts of two or three parameters are fitted, and their posteriors are those of a grid of closed forms."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from calibration import fit
from calibration.fit import Fit
from calibration.likelihood.targets import load_targets
from simulator.arrays import Floats

HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,lower,upper,unit,place,use,note\n"

COHORT = """
title = "a cohort that never was"
citation = "nobody"
pathway = "own.toml"
clock = "entry"
n = {n}
seed = 3
dependence = "None."
[arms]
{arms}
"""
ARMS = 'treated = ["treated"]\nuntreated = ["untreated"]\nall = ["treated", "untreated"]'
EVERYBODY = 'all = ["all"]'

DEATHS = """
[states.death]
kind = "death"
"""
PARAMETER = """
[parameters.{name}]
unit = "{unit}"
meaning = "made up"
value = {value}
prior = {prior}
source = "assumption"
"""


def parameter(name: str, unit: str, value: float, prior: str) -> str:
    return PARAMETER.format(name=name, unit=unit, value=value, prior=prior)


def flat(lower: float, upper: float) -> str:
    return f'{{ family = "uniform", lower = {lower}, upper = {upper} }}'


SHARE = (
    """
title = "a share is treated: a Weibull law, and an exponential one for the others"
start = "entry"
[clocks]
entry = "entry"
[states.entry]
kind = "decision"
[[states.entry.branches]]
to = "treat"
probability = "p"
[[states.entry.branches]]
to = "care"
probability = "rest"
[states.treat]
kind = "sojourn"
[[states.treat.transitions]]
to = "death"
time = { family = "weibull", shape = 0.8, median = "m1" }
[states.care]
kind = "sojourn"
[[states.care.transitions]]
to = "death"
time = { family = "exponential", rate = "lam2" }
[groups.treated]
entered = "treat"
[groups.untreated]
entered = "care"
"""
    + DEATHS
    + parameter("p", "probability", 0.5, '{ family = "beta", a = 1, b = 1 }')
    + parameter("m1", "months", 15, '{ family = "lognormal", median = 15, sigma = 0.7 }')
    + parameter("lam2", "per month", 0.25, flat(0.05, 1))
)
SHARE_ROWS = (
    "treated,patients,treated,,,,40,70,57,,,,%",
    "alive,survivors,treated,,,12,25,40,62,,,,%",
    "alive_untreated,survivors,untreated,,,12,2,30,6.7,,,,%",
    "curve,survival,treated,,,24,,40,48,8.2,,,%",
)


def share(p: Floats, m1: Floats, lam2: Floats) -> Floats:
    """Forty of 70 treated, 25 and 2 alive at 12 months, and 48 % worth S (1 - S) / SE^2 patients at 24."""
    alive = {month: np.exp(-np.log(2.0) * (month / m1) ** 0.8) for month in (12, 24)}
    worth = 0.48 * 0.52 / 0.082**2
    total = stats.binom.logpmf(40, 70, p) + stats.binom.logpmf(25, 40, alive[12])
    total = total + stats.binom.logpmf(2, 30, np.exp(-12 * lam2))
    total = total + worth * (0.48 * np.log(alive[24]) + 0.52 * np.log1p(-alive[24]))
    return np.asarray(total + stats.lognorm(0.7, scale=15).logpdf(m1))


WEIBULL = (
    """
title = "everybody dies, by a Weibull law"
start = "ill"
[clocks]
entry = "ill"
[states.ill]
kind = "sojourn"
[[states.ill.transitions]]
to = "death"
time = { family = "weibull", shape = "shape", median = "middle" }
"""
    + DEATHS
    + parameter("shape", "number", 1, flat(0.3, 3))
    + parameter("middle", "months", 10, flat(1, 40))
)
WEIBULL_ROWS = (
    "alive_3,survivors,all,,,3,64,80,80,,,,%",
    "dead_12,deaths,all,,,12,44,80,55,,,,%",
    "alive_30,survivors,all,,,30,12,80,15,,,,%",
)


def weibull(shape: Floats, middle: Floats) -> Floats:
    """Of 80, 16 dead by month 3, 44 by 12 and 68 by 30: a multinomial."""
    alive = [np.exp(-np.log(2.0) * (month / middle) ** shape) for month in (0, 3, 12, 30)]
    counts = (16, 28, 24)
    dead = [before - after for before, after in pairwise(alive)]
    return np.asarray(sum(special.xlogy(k, each) for k, each in zip((*counts, 12), (*dead, alive[3]), strict=True)))


def two_ways_out(title: str, exits: tuple[str, str], other: str, *parameters: str) -> str:
    """A pathway of the ill, who leave by two exits at constant hazards a and b, one of them a state of another kind."""
    transitions = "".join(
        f"""
[[states.ill.transitions]]
to = "{name}"
time = {{ family = "exponential", rate = "{rate}" }}"""
        for name, rate in zip(exits, "ab", strict=True)
    )
    head = f"""
title = "{title}"
start = "ill"
[clocks]
entry = "ill"
[states.ill]
kind = "sojourn"{transitions}
{other}"""
    return "".join([head, DEATHS, *parameters])


CAUSES = two_ways_out(
    "two causes of death at constant hazards",
    ("death", "other_death"),
    '[states.other_death]\nkind = "death"\n',
    parameter("a", "per month", 0.05, flat(0.001, 0.3)),
    parameter("b", "per month", 0.05, flat(0.001, 0.3)),
)
CAUSES_ROWS = (
    "of_one,deaths,all,death,,12,20,60,33.3,,,,%",
    "of_other,entered,all,other_death,,12,11,60,18.3,,,,%",
)


def causes(a: Floats, b: Floats) -> Floats:
    """Of 60, 20 and 11 dead of either cause by month 12: shares a / (a + b) and b / (a + b) of 1 - exp(-12 (a + b))."""
    dead = -np.expm1(-12 * (a + b))
    return np.asarray(20 * np.log(dead * a / (a + b)) + 11 * np.log(dead * b / (a + b)) - 29 * 12 * (a + b))


RECOVERY = two_ways_out(
    "recovery or death, at constant hazards",
    ("well", "death"),
    '[states.well]\nkind = "end"\n',
    parameter("a", "per month", 2, flat(0.01, 8)),
    parameter("b", "per month", 1, flat(0.01, 8)),
)
RECOVERY_ROWS = (
    "recovered,entered,all,well,,1,50,80,62,,,,%",
    "dead,deaths,all,,,1,28,80,35,,,,%",
)


def recovery(a: Floats, b: Floats) -> Floats:
    """Of 80, 50 recovered and 28 died by month 1, so that 2 did neither: one multinomial, not two binomials."""
    gone = -np.expm1(-(a + b))
    return np.asarray(50 * np.log(gone * a / (a + b)) + 28 * np.log(gone * b / (a + b)) - 2 * (a + b))


EASY = {
    "recovery or death": ((RECOVERY, RECOVERY_ROWS, EVERYBODY, 80), recovery, {"a": (0.01, 8), "b": (0.01, 8)}),
    "a share, a Weibull median and a rate": (
        (SHARE, SHARE_ROWS, ARMS, 70),
        share,
        {"p": (0.2, 0.9), "m1": (3, 80), "lam2": (0.05, 1)},
    ),
    "the shape and the median of a Weibull law": (
        (WEIBULL, WEIBULL_ROWS, EVERYBODY, 80),
        weibull,
        {"shape": (0.3, 3), "middle": (1, 40)},
    ),
    "two rates": ((CAUSES, CAUSES_ROWS, EVERYBODY, 60), causes, {"a": (0.001, 0.3), "b": (0.001, 0.3)}),
}


def fitted(folder: Path, pathway: str, rows: tuple[str, ...], arms: str, n: int) -> Fit:
    (folder / "own.toml").write_text(pathway, encoding="utf-8")
    (folder / "cohort.toml").write_text(COHORT.format(n=n, arms=arms), encoding="utf-8")
    told = "".join(f"{row},made up,likelihood,\n" for row in rows)
    (folder / "targets.csv").write_text(HEADER + told, encoding="utf-8")
    return fit.run(load_targets(folder), seed=3, wanted=500, effective=1500)


@pytest.mark.usefixtures("quick_fits")
@pytest.mark.parametrize("what", EASY)
def test_an_easy_cohort_is_fitted_and_its_posterior_is_that_of_a_grid(what: str, tmp_path: Path) -> None:
    """Means and standard deviations within five Monte Carlo standard errors: a false alarm in a million."""
    cohort, log_posterior, ranges = EASY[what]
    found = fitted(tmp_path, *cohort)
    assert found.problems() == []
    axes = [np.linspace(low, high, 121) for low, high in ranges.values()]
    logs = log_posterior(*np.meshgrid(*axes, indexing="ij"))
    weights = np.exp(logs - logs.max())
    posterior = found.posterior.set_index("parameter")
    for i, (name, values) in enumerate(zip(ranges, axes, strict=True)):
        probabilities = weights.sum(axis=tuple(j for j in range(len(axes)) if j != i)) / weights.sum()
        mean = float(probabilities @ values)
        sd = float(np.sqrt(probabilities @ (values - mean) ** 2))
        fourth = float(probabilities @ (values - mean) ** 4) / sd**4
        noise = 5 / np.sqrt(found.diagnostics.effective_sample_size)
        assert posterior.loc[name, "posterior_mean"] == pytest.approx(mean, abs=noise * sd), name
        assert posterior.loc[name, "posterior_sd"] == pytest.approx(sd, rel=noise * np.sqrt(fourth - 1) / 2), name
