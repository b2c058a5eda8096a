"""Easy cohorts of two or three parameters are fitted, and their posteriors agree with a grid of closed forms."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sojourn_times as times
import worlds
from made_up_cohort import EVERYBODY, TREATED_OR_NOT, write_cohort
from scipy import special, stats
from sojourn_times import Table, exponential
from worlds import months, parameter, policies_of_the_default_suite, rate, sojourn, two_arms, two_state, world

from calibration import fit
from calibration.fit import Fit
from simulator.arrays import Floats

HEADER = "name,kind,population,state,attribute,month,count,n,value,standard_error,lower,upper,unit,place,use,note\n"


def flat(lower: float, upper: float) -> Table:
    return {"family": "uniform", "lower": lower, "upper": upper}


SHARE = two_arms(
    times.weibull(shape=0.8, median="m1"), exponential(rate="lam2"), "p", clocks={"entry": "relapse"},
    parameters={
        "p": worlds.share(0.5, prior={"family": "beta", "a": 1, "b": 1}),
        "m1": months(15, prior={"family": "lognormal", "median": 15, "sigma": 0.7}),
        "lam2": rate(0.25, prior=flat(0.05, 1)),
    },
)  # fmt: skip
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


WEIBULL = two_state(
    times.weibull(shape="shape", median="middle"), clocks={"entry": "ill"},
    parameters={"shape": parameter("number", 1, prior=flat(0.3, 3)), "middle": months(10, prior=flat(1, 40))},
)  # fmt: skip
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
    return np.asarray(
        sum(special.xlogy(k, probability) for k, probability in zip((*counts, 12), (*dead, alive[3]), strict=True))
    )


def two_exits(exits: tuple[str, str], other: Table, a: Table, b: Table) -> Table:
    """The ill leave by two exits at constant hazards a and b, to states of two kinds."""
    ill = sojourn(**{to: exponential(rate=name) for to, name in zip(exits, "ab", strict=True)})
    states = {"ill": ill, "death": worlds.DEATH} | {to: other for to in exits if to != "death"}
    return world("ill", states, clocks={"entry": "ill"}, parameters={"a": a, "b": b})


CAUSES = two_exits(
    ("death", "other_death"), worlds.DEATH, rate(0.05, prior=flat(0.001, 0.3)), rate(0.05, prior=flat(0.001, 0.3))
)
CAUSES_ROWS = ("of_one,deaths,all,death,,12,20,60,33.3,,,,%", "of_other,entered,all,other_death,,12,11,60,18.3,,,,%")


def causes(a: Floats, b: Floats) -> Floats:
    """Of 60, 20 and 11 dead of either cause by month 12: shares a / (a + b) and b / (a + b) of 1 - exp(-12 (a + b))."""
    dead = -np.expm1(-12 * (a + b))
    return np.asarray(20 * np.log(dead * a / (a + b)) + 11 * np.log(dead * b / (a + b)) - 29 * 12 * (a + b))


RECOVERY = two_exits(("well", "death"), worlds.END, rate(2, prior=flat(0.01, 8)), rate(1, prior=flat(0.01, 8)))
RECOVERY_ROWS = ("recovered,entered,all,well,,1,50,80,62,,,,%", "dead,deaths,all,,,1,28,80,35,,,,%")


def recovery(a: Floats, b: Floats) -> Floats:
    """Of 80, 50 recovered and 28 died by month 1, so that 2 did neither: one multinomial, not two binomials."""
    exited = -np.expm1(-(a + b))
    return np.asarray(50 * np.log(exited * a / (a + b)) + 28 * np.log(exited * b / (a + b)) - 2 * (a + b))


EASY = {
    "recovery or death": ((RECOVERY, RECOVERY_ROWS, EVERYBODY, 80), recovery, {"a": (0.01, 8), "b": (0.01, 8)}),
    "a share, a Weibull median and a rate": (
        (SHARE, SHARE_ROWS, TREATED_OR_NOT, 70),
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


def fitted(folder: Path, pathway: Table, rows: tuple[str, ...], arms: Table, n: int) -> Fit:
    lines = (f"{row},made up,likelihood," for row in rows)
    targets = write_cohort(
        folder, pathway, lines, clock="entry", n=n, arms=arms, seed=3, header=HEADER, dependence="None."
    )
    return fit.run(targets, seed=3, wanted=500, effective=1500)


@pytest.mark.usefixtures("quick_fits", "few_predictions")
@pytest.mark.parametrize("case", policies_of_the_default_suite(EASY, {"recovery or death"}))
def test_the_posterior_of_an_easy_cohort_agrees_with_a_grid(case: str, tmp_path: Path) -> None:
    """Means and standard deviations within five Monte Carlo standard errors: a false alarm in a million."""
    cohort, log_posterior, ranges = EASY[case]
    result = fitted(tmp_path, *cohort)
    assert result.problems() == []
    axes = [np.linspace(low, high, 121) for low, high in ranges.values()]
    logs = log_posterior(*np.meshgrid(*axes, indexing="ij"))
    weights = np.exp(logs - logs.max())
    posterior = result.posterior.set_index("parameter")
    for i, (name, values) in enumerate(zip(ranges, axes, strict=True)):
        probabilities = weights.sum(axis=tuple(j for j in range(len(axes)) if j != i)) / weights.sum()
        mean = float(probabilities @ values)
        sd = float(np.sqrt(probabilities @ (values - mean) ** 2))
        fourth = float(probabilities @ (values - mean) ** 4) / sd**4
        noise = 5 / np.sqrt(result.diagnostics.effective_sample_size)
        assert posterior.loc[name, "posterior_mean"] == pytest.approx(mean, abs=noise * sd), name
        assert posterior.loc[name, "posterior_sd"] == pytest.approx(sd, rel=noise * np.sqrt(fourth - 1) / 2), name
