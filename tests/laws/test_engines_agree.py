"""The microsimulation lies inside the bands around the exact engine that sampling noise allows.

Dvoretzky, Kiefer & Wolfowitz (1956), Massart's constant (1990): P(sup_t |S_n(t) - S(t)| > e) <= 2 exp(-2 n e^2). One
law makes many comparisons; each gets an equal part of FALSE_ALARM (Bonferroni), so a law that fails by chance does so
once in ten thousand policies. Seeds are fixed: a run either always passes or always fails.
"""

import numpy as np
import pytest
from scipy import stats
from worlds import slow

from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.exact import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import Model, resolve
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

FALSE_ALARM = 1e-4
STEP_ERROR = 2e-4
"""What the exact engine's own lattice may add."""
PATIENTS = 200_000
"""As many as the fixture `simulated` has."""


def on_lattice_of(coarse: Curves, fine: Curves, values: Floats) -> Floats:
    """Return values on a fine lattice of months at the points of a coarser one."""
    stride = round((coarse.months[1] - coarse.months[0]) / (fine.months[1] - fine.months[0]))
    return values[:, ::stride][:, : coarse.months.size]


def bound(n: float, comparisons: int) -> float:
    """The half-width of the DKW band of n patients."""
    return float(np.sqrt(np.log(2 * comparisons / FALSE_ALARM) / (2 * n))) + STEP_ERROR


def survival_agrees(solved: Curves, simulated: Curves, model: Model, patients: int) -> None:
    keys = [key for key in simulated.survival if not np.isnan(simulated.survival[key]).any()]
    for clock, population in keys:
        n = at_least(simulated, model, clock, population, patients)
        expected = on_lattice_of(simulated, solved, solved.survival[clock, population])
        off = np.abs(simulated.survival[clock, population] - expected).max()
        assert off < bound(n, len(keys)), (clock, population, off, n)


def at_least(curves: Curves, model: Model, clock: str, population: str, patients: int) -> float:
    """How many simulated patients a curve stands on: on the default clock, and for groups, those who reach it."""
    pathway = model.pathway
    if clock == pathway.clock or population in pathway.groups:
        return (curves.patients or 0) * float(curves.sizes[population][0])
    attribute, _, level = population.partition("=")
    return 0.99 * patients * (model.mix[attribute][level] if level else 1.0)


def sizes_agree(solved: Curves, simulated: Curves) -> None:
    for name, size in simulated.sizes.items():
        off = abs(float(size[0]) - float(solved.sizes[name][0]))
        assert off < bound(simulated.patients or 1, len(simulated.sizes)), (name, off)


def test_survival_of_every_population_on_every_clock_agrees(solved: Curves, simulated: Curves, model: Model) -> None:
    survival_agrees(solved, simulated, model, PATIENTS)


def test_as_many_patients_are_of_every_population(solved: Curves, simulated: Curves) -> None:
    sizes_agree(solved, simulated)


def test_nobody_is_of_a_population_in_one_engine_only(solved: Curves, simulated: Curves) -> None:
    for key, survival in solved.survival.items():
        assert np.isnan(survival).all() == np.isnan(simulated.survival[key]).all(), key


def test_patients_are_in_every_state_at_the_same_months(solved: Curves, simulated: Curves) -> None:
    """Hoeffding's bound, state by state, at every tenth of the lattice's points."""
    states = [(clock, state) for clock, by_state in simulated.occupancy.items() for state in by_state]
    months = slice(None, None, 10)
    comparisons = len(states) * simulated.months[months].size
    for clock, state in states:
        expected = on_lattice_of(simulated, solved, solved.occupancy[clock][state])
        off = np.abs(simulated.occupancy[clock][state] - expected)[:, months].max()
        assert off < bound(simulated.patients or 1, comparisons), (clock, state, off)


def test_planners_count_the_same(solved: Curves, simulated: Curves) -> None:
    """The normal bound on a mean, of the variance that was simulated."""
    z = stats.norm.isf(FALSE_ALARM / 2 / max(len(simulated.counts), 1))
    for name, count in simulated.counts.items():
        noise = z * np.sqrt(np.nan_to_num(simulated.count_variances[name]) / max(simulated.patients or 0, 1))
        assert abs(count - solved.counts[name]) < noise + STEP_ERROR * max(1.0, float(count[0])), name


@pytest.mark.parametrize("horizon", [slow(24.0), 150.0])
@pytest.mark.parametrize("name", ["baseline", slow("wider-salvage@0.5"), "no-hsct"])
def test_engines_agree_however_far_one_looks(name: str, horizon: float) -> None:
    model = resolve(load_scenario(name))
    solved = engine.curves(model, horizon)
    simulated = microsim.curves(model, horizon, patients=100_000, uniforms=Uniforms(11))
    survival_agrees(solved, simulated, model, 100_000)
    sizes_agree(solved, simulated)
    test_patients_are_in_every_state_at_the_same_months(solved, simulated)
    test_planners_count_the_same(solved, simulated)


@pytest.mark.parametrize(
    "levers",
    [
        slow({"set": {"second_salvage_uptake": 0.8, "salvage_uptake": 0.9}, "marginal_benefit": 0.3}),
        {"set": {"reinfusion_preparation_months": 2.5, "share_car_t_reinfusion": 0.8}},
        {"set": {"nr_chemotherapy": 0.0, "nr_immunotherapy": 0.0, "salvage_uptake": 1.0}, "marginal_benefit": 0.0},
        slow({"population": {"cd19": {"negative_or_dim": 1.0}}}),
        slow({"population": {"prior_hsct": {"no": 1.0, "yes": 0.2}, "site": {"bone_marrow": 1.0}}}),
        {
            "case_mix": [
                {
                    "of": ["prior_hsct", "cd19"],
                    "weights": {
                        "yes": {"positive": 1, "negative_or_dim": 6, "unknown": 0},
                        "no": {"positive": 9, "negative_or_dim": 2, "unknown": 5},
                    },
                }
            ],
            "population": {"cd19": {"positive": 1.0, "negative_or_dim": 3.0, "unknown": 1.0}},
        },
        {"hazard_ratio": {"car_t_remission.relapse": 0.0}},
        slow({"hazard_ratio": {"supportive_care.death_after_relapse": 3.0, "after_hsct.relapse_after_salvage": 0.4}}),
        {
            "hazard_ratio": {
                "car_t_remission.relapse": {"by": "cd19", "positive": 2.0, "negative_or_dim": 0.5, "unknown": 1.0},
                "supportive_care.death_after_relapse": {"breaks": [0.73, 6], "ratios": [0.0, 3.0, 1.0]},
            }
        },
    ],
    ids=str,
)
def test_engines_agree_far_from_what_is_shipped(levers: dict[str, object]) -> None:
    pathway = load_scenario("baseline").pathway
    model = resolve(Scenario(name="far off", pathway=pathway, **levers))
    solved = engine.curves(model, 60.0)
    simulated = microsim.curves(model, 60.0, patients=100_000, uniforms=Uniforms(12))
    survival_agrees(solved, simulated, model, 100_000)
    sizes_agree(solved, simulated)
    test_nobody_is_of_a_population_in_one_engine_only(solved, simulated)
    test_patients_are_in_every_state_at_the_same_months(solved, simulated)
    test_planners_count_the_same(solved, simulated)


def test_engines_agree_on_other_draws_of_the_parameters() -> None:
    policy = load_scenario("wider-salvage@0.5")
    random = np.random.default_rng(3)
    values = {
        name: parameter.value * random.uniform(0.5, 2.0)
        for name, parameter in policy.pathway.parameters.items()
        if parameter.unit == "months"
    }
    model = resolve(policy, values)
    solved = engine.curves(model, 120.0)
    simulated = microsim.curves(model, 120.0, patients=100_000, uniforms=Uniforms(13, draw=4))
    survival_agrees(solved, simulated, model, 100_000)
    sizes_agree(solved, simulated)


@pytest.mark.slow
def test_engines_agree_to_a_thousandth(model: Model, solved: Curves) -> None:
    simulated = microsim.curves(model, 120.0, patients=5_000_000, uniforms=Uniforms(21))
    survival_agrees(solved, simulated, model, 5_000_000)
    sizes_agree(solved, simulated)
    test_patients_are_in_every_state_at_the_same_months(solved, simulated)
    test_planners_count_the_same(solved, simulated)
