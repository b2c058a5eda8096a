"""Fixed sojourns in a row: what happens at one time stays at one time, however the months are declared."""

import numpy as np
import pytest
from sojourn_times import fixed, weibull
from worlds import exit_to, in_a_row, load, scenario, sojourn, world

from simulator.engines.exact import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.outcomes.summaries import survival_at
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

ROUNDING = 3e-8
"""What the damped transform leaves of the last digits at the lattice's end: 1e-8 comes round, as much is rounded."""


def alive(pathway: Pathway, month: float) -> float:
    curves = engine.curves(resolve(Scenario("fixed", pathway)), 24.0)
    return float(survival_at(curves.months, curves.survival[pathway.clock, "all"], month)[0])


@pytest.mark.parametrize("months", [(1.33, 4.65), (0.04, 5.94), (0.05, 5.9, 0.03), (2.999, 2.999)])
def test_a_patient_who_must_die_just_before_month_six_is_dead_at_month_six(months: tuple[float, ...]) -> None:
    pathway = load(in_a_row(*map(fixed, months)))
    assert alive(pathway, sum(months) - 0.06) == pytest.approx(1.0, abs=1e-9)
    assert alive(pathway, 6.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("months", [(1.25, 4.75), (0.05, 5.95), (6.0,), (1.0, 2.0, 3.0)])
def test_a_patient_who_dies_at_month_six_has_not_outlived_it(months: tuple[float, ...]) -> None:
    assert alive(load(in_a_row(*map(fixed, months))), 6.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("length", [0.92, 0.46, 0.7, 0.125])
def test_courses_of_one_length_end_together_however_many_there_were(length: float) -> None:
    ends = (exit_to("course", fixed(length), probability=0.9), exit_to("dead", fixed(length), probability=0.1))
    pathway = load(world("course", {"course": sojourn(*ends)}))
    for month in (6.0, 12.0, 24.0):
        assert alive(pathway, month) == pytest.approx(0.9 ** np.floor(month / length + 1e-9), abs=ROUNDING)


def test_both_engines_agree_on_fixed_times_after_a_random_one() -> None:
    model = resolve(scenario(in_a_row(weibull(median=2, shape=1.5), fixed(1.25), fixed(4.75))))
    n = 100_000
    solved, simulated = engine.curves(model, 24.0), microsim.curves(model, 24.0, patients=n, uniforms=Uniforms(5))
    key = next(iter(solved.survival))
    at = np.rint(simulated.months / solved.months[1]).astype(int)
    apart = np.abs(solved.survival[key][0, at] - simulated.survival[key][0])
    # Dvoretzky-Kiefer-Wolfowitz with Massart's constant, at a false-alarm rate of 1e-6.
    assert apart.max() < np.sqrt(np.log(2 / 1e-6) / (2 * n)) + 1e-4
