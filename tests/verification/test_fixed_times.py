"""Fixed sojourns in a row: what happens at one time stays at one time, however the months are told."""

from collections.abc import Callable

import numpy as np
import pytest

from simulator.engines.exact import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.outcomes.summaries import survival_at
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

ROUNDING = 3e-8
"""What the damped transform leaves of the last digits at the lattice's end: 1e-8 comes round, as much is rounded."""

Tell = Callable[..., Pathway]


def in_a_row(months: tuple[float, ...]) -> str:
    """Patients stay so many months in one state after another, and die."""
    told = 'title = "in a row"\nstart = "s0"\n'
    for place, month in enumerate(months):
        onward = f"s{place + 1}" if place + 1 < len(months) else "dead"
        told += f'[states.s{place}]\nkind = "sojourn"\n[[states.s{place}.transitions]]\nto = "{onward}"\n'
        told += f'time = {{ family = "fixed", months = {month} }}\n'
    return told + '[states.dead]\nkind = "death"\n'


def in_courses(length: float) -> str:
    """A course of treatment after the other, of which nine in ten are survived."""
    told = 'title = "courses"\nstart = "course"\n[states.course]\nkind = "sojourn"\n'
    for to, share in (("course", 0.9), ("dead", 0.1)):
        told += f'[[states.course.transitions]]\nto = "{to}"\nprobability = {share}\n'
        told += f'time = {{ family = "fixed", months = {length} }}\n'
    return told + '[states.dead]\nkind = "death"\n'


def alive(pathway: Pathway, month: float) -> float:
    curves = engine.curves(resolve(Scenario("fixed", pathway)), 24.0)
    return float(survival_at(curves.months, curves.survival[pathway.clock, "all"], month)[0])


@pytest.mark.parametrize("months", [(1.33, 4.65), (0.04, 5.94), (0.05, 5.9, 0.03), (2.999, 2.999)])
def test_who_must_die_just_before_month_six_is_dead_at_month_six(tell: Tell, months: tuple[float, ...]) -> None:
    pathway = tell(in_a_row(months))
    assert alive(pathway, sum(months) - 0.06) == pytest.approx(1.0, abs=1e-9)
    assert alive(pathway, 6.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("months", [(1.25, 4.75), (0.05, 5.95), (6.0,), (1.0, 2.0, 3.0)])
def test_who_dies_at_month_six_has_not_outlived_it(tell: Tell, months: tuple[float, ...]) -> None:
    assert alive(tell(in_a_row(months)), 6.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("length", [0.92, 0.46, 0.7, 0.125])
def test_courses_of_one_length_end_together_however_many_there_were(tell: Tell, length: float) -> None:
    pathway = tell(in_courses(length))
    for month in (6.0, 12.0, 24.0):
        assert alive(pathway, month) == pytest.approx(0.9 ** np.floor(month / length + 1e-9), abs=ROUNDING)


def test_both_engines_tell_the_same_of_fixed_times_after_a_random_one(tell: Tell) -> None:
    told = in_a_row((1.25, 4.75)).replace(
        '[states.s0]\nkind = "sojourn"', '[states.s0]\nkind = "sojourn"\nlabel = "first"'
    ).replace('start = "s0"', 'start = "before"')
    told += '[states.before]\nkind = "sojourn"\n[[states.before.transitions]]\nto = "s0"\n'
    told += 'time = { family = "weibull", median = 2, shape = 1.5 }\n'
    model = resolve(Scenario("fixed", tell(told)))
    n = 100_000
    solved, simulated = engine.curves(model, 24.0), microsim.curves(model, 24.0, patients=n, uniforms=Uniforms(5))
    key = next(iter(solved.survival))
    at = np.rint(simulated.months / solved.months[1]).astype(int)
    apart = np.abs(solved.survival[key][0, at] - simulated.survival[key][0])
    # Dvoretzky-Kiefer-Wolfowitz with Massart's constant, at a false-alarm rate of 1e-6.
    assert apart.max() < np.sqrt(np.log(2 / 1e-6) / (2 * n)) + 1e-4
