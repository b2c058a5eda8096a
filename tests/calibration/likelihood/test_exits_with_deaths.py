"""Counts of entries to a state that are fitted in one table with the deaths of the same patients."""

from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from scipy.linalg import expm
from sojourn_times import exponential
from worlds import DEATH, END, rate, sojourn, world

from calibration.likelihood.likelihood import Likelihood
from simulator.errors import InputError

CURE = world(
    "ill",
    {
        "ill": sojourn(cured=exponential(rate="cure"), early_death=exponential(rate="early")),
        "cured": sojourn(late_death=exponential(rate=0.1)), "early_death": DEATH, "late_death": DEATH,
    },
    clocks={"entry": "ill"}, parameters={"cure": rate(0.2), "early": rate(0.1)},
)  # fmt: skip
"""Early death, or cure and late death."""
COUNTS = (
    "cured,entered,all,cured,,12,40,60,,,,made up,likelihood,",
    "dead,deaths,all,early_death,,6,15,60,,,,made up,likelihood,",
)


def test_cures_by_a_year_and_early_deaths_by_half_a_year_are_one_multinomial(tmp_path: Path) -> None:
    targets = write_cohort(tmp_path, CURE, COUNTS, clock="entry", n=60, seed=3)
    cure, early = np.array([0.2, 0.1, 0.5]), np.array([0.1, 0.05, 0.2])
    log_likelihood = Likelihood(targets)({"cure": cure[:, None], "early": early[:, None]})
    cured, dead = (rate / (cure + early) * -np.expm1(-m * (cure + early)) for rate, m in ((cure, 12), (early, 6)))
    expected = 40 * np.log(cured) + 15 * np.log(dead) + 5 * np.log(1 - cured - dead)
    assert np.diff(log_likelihood) == pytest.approx(np.diff(expected), abs=1e-3)


SURGERY = world(
    "well",
    {
        "well": sojourn(ill=exponential(rate=0.3), dead=exponential(rate=0.1)),
        "ill": sojourn(surgery=exponential(rate=0.3), drug=exponential(rate=0.2)),
        "surgery": sojourn(dead=exponential(rate=0.1), home=exponential(rate=0.1)), "drug": END,
    },
    clocks={"illness": "ill"},
)  # fmt: skip
"""Surgery, or a drug, of those who fall ill."""
ROWS = {
    "surgery": "surgery,entered,all,surgery,,6,28,60,,,,made up,likelihood,",
    "dead": "dead,deaths,all,dead,,6,8,60,,,,made up,likelihood,",
    "drug": "drug,entered,all,drug,,6,15,60,,,,made up,likelihood,",
    "well": "well,entered,all,well,,,60,60,,,,made up,likelihood,",
}


def surgery_likelihood(folder: Path, *names: str) -> Likelihood:
    rows = (ROWS[name] for name in names)
    return Likelihood(write_cohort(folder, SURGERY, rows, clock="illness", n=60, seed=3))


def at_six_months() -> dict[str, float]:
    names = ("ill", "surgery", "dead", "home", "drug")
    generator = np.zeros((5, 5))
    generator[0, [1, 4]], generator[1, [2, 3]] = (0.3, 0.2), (0.1, 0.1)
    np.fill_diagonal(generator, -generator.sum(axis=1))
    return dict(zip(names, expm(6 * generator)[0], strict=True))


def test_patients_who_took_another_exit_had_no_surgery_so_three_counts_are_one_multinomial(tmp_path: Path) -> None:
    """28 had surgery, and 8 of them are dead; 15 had the drug, and no row counts patients after it."""
    likelihood, probabilities = surgery_likelihood(tmp_path, "surgery", "dead", "drug"), at_six_months()
    shares = [
        probabilities["dead"],
        probabilities["surgery"] + probabilities["home"],
        probabilities["drug"],
        probabilities["ill"],
    ]
    assert likelihood({})[0] == pytest.approx(stats.multinomial.logpmf([8, 20, 15, 17], 60, shares), abs=1e-3)


def test_deaths_after_the_clock_follow_surgery_although_deaths_before_it_do_not(tmp_path: Path) -> None:
    likelihood, probabilities = surgery_likelihood(tmp_path, "surgery", "dead"), at_six_months()
    shares = [
        probabilities["dead"],
        probabilities["surgery"] + probabilities["home"],
        probabilities["drug"] + probabilities["ill"],
    ]
    assert likelihood({})[0] == pytest.approx(stats.multinomial.logpmf([8, 20, 32], 60, shares), abs=1e-3)


def test_a_count_of_a_state_before_the_clock_is_not_fitted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 2: no patients enter well after ill, .* use = \"predictive\""):
        surgery_likelihood(tmp_path, "well")
