"""Outcomes are the same whether they are read of path curves at some months or of curves at all months."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest
from sojourn_times import fixed, weibull
from worlds import DEATH, chance, scenario, slow, sojourn, world

from simulator.arrays import Floats
from simulator.engines.curves import Curves, mixed
from simulator.engines.exact import engine
from simulator.engines.exact.joint_readings import read_in_parts, read_together
from simulator.engines.exact.outcome_readings import readings
from simulator.engines.model import Model, resolve, resolve_each, stacked
from simulator.evidence.draws import load_informed_draws, values
from simulator.experiment.parts import draws_of_curves, outcomes_of, report_months, treated_share
from simulator.outcomes.summaries import of_end_points, of_survival
from simulator.scenario.scenario import load_scenario

Outcomes = Mapping[tuple[str, str, str], Floats]


def outcomes(model: Model, horizon: float = 120.0) -> tuple[Outcomes, Outcomes]:
    """Return outcomes of path curves, and of curves."""
    step = engine.one_step([model], horizon)
    read = readings(model, horizon, step, engine.new_paths(model.pathway, horizon, step))
    assert read is not None
    curves = engine.curves(model, horizon, step=step)
    np.testing.assert_allclose(treated_share(read, model.pathway), treated_share(curves, model.pathway), atol=1e-12)
    return tuple(
        {
            (*key, name): at
            for key, by_name in outcomes_of(one, model.pathway).items()
            for name, (_, at, _) in by_name.items()
        }
        for one in (read, curves)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(
    "name", ["wider-salvage@0.3", *map(slow, ("universal-salvage@cohorts", "baseline", "hsct-for-all-responders"))]
)
def test_outcomes_of_policies_need_no_curves(name: str) -> None:
    policy = load_scenario(name)
    model = resolve(policy, values(load_informed_draws(policy.pathway), slice(0, 12)))
    by_path, by_curve = outcomes(model)
    sizes = engine.curves(model, 12.0, only={("relapse", name) for name in policy.pathway.groups}).sizes
    assert list(by_path) == list(by_curve)
    for key, at in by_curve.items():
        # Curves never rise, so that they follow the least of what a transform rounds: 1e-9 of all patients a month.
        months = 120.0 if key[2].startswith("rmst") else 1.0
        smallest = min((size for size in sizes.get(key[1], np.ones(1)) if size > 0.0), default=1.0)
        atol = 1e-9 * months / smallest if key[1] in policy.pathway.groups else 1e-9
        np.testing.assert_allclose(by_path[key], at, rtol=1e-9, atol=atol, err_msg=str(key))


def test_a_median_at_a_fixed_time_is_as_exact_without_curves() -> None:
    """Six of ten die at month 7.03, between two points of the lattice."""
    states = {
        "start": chance(short=0.6, long="rest"),
        "short": sojourn(dead=fixed(months=7.03)),
        "long": sojourn(dead=weibull(shape=1.4, scale=40.0)),
        "dead": DEATH,
    }
    by_path, by_curve = outcomes(resolve(scenario(world("start", states))), 60.0)
    key = next(key for key in by_path if key[2] == "median_os")
    assert by_path[key] == pytest.approx(7.03, abs=0.003)
    assert by_path[key] == pytest.approx(by_curve[key], abs=1e-9)


def test_an_outcome_beyond_the_horizon_has_no_number() -> None:
    policy = load_scenario("baseline")
    model = resolve(policy, values(load_informed_draws(policy.pathway), slice(0, 2)))
    by_path, by_curve = outcomes(model, 18.0)
    assert np.isnan(by_path["relapse", "all", "os_24"]).all()
    for key, at in by_curve.items():
        np.testing.assert_allclose(by_path[key], at, rtol=1e-9, atol=1e-9, err_msg=str(key))


def test_patients_who_come_back_have_no_path_curves() -> None:
    states = {
        "remission": sojourn(relapse=weibull(shape=1.0, scale=10.0)),
        "relapse": sojourn(remission=weibull(shape=1.0, scale=5.0), dead=weibull(shape=1.0, scale=8.0)),
        "dead": DEATH,
    }
    model = resolve(scenario(world("remission", states)))
    assert readings(model, 24.0, 0.1, engine.new_paths(model.pathway, 24.0, 0.1)) is None
    (read,) = read_together([model], 24.0, step=0.1)
    assert isinstance(read, Curves)


@pytest.mark.slow
def test_models_that_differ_in_shares_and_benefit_are_read_together_as_one_by_one() -> None:
    names = ["wider-salvage@0", "wider-salvage@0.3", "wider-salvage@cohorts", "hsct-for-all-responders"]
    policies = [load_scenario(name) for name in names]
    draws = values(load_informed_draws(policies[0].pathway), slice(0, 5))
    models = [resolve(policy, draws) for policy in policies]
    step = engine.one_step(models, 24.0)
    paths = engine.new_paths(policies[0].pathway, 24.0, step, repeats=len(models))
    together = readings(stacked(models, range(models[0].n_draws)), 24.0, step, paths)
    assert together is not None
    read = outcomes_of(together, policies[0].pathway)
    for place, model in enumerate(models):
        (alone, _), draws_of_model = outcomes(model, 24.0), slice(5 * place, 5 * place + 5)
        for (clock, population, name), at in alone.items():
            of_model = read[clock, population][name][1][draws_of_model]
            np.testing.assert_allclose(of_model, at, rtol=1e-11, atol=1e-11, err_msg=f"{population} {name}")


def test_policies_with_too_many_paths_keep_their_own_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [resolve(load_scenario(name)) for name in ("baseline", "wider-salvage")]
    key = (models[0].pathway.clock, "all")
    monkeypatch.setattr(engine, "new_paths", partial(engine.new_paths, most_bytes=1.0))
    ((_, read),) = read_in_parts(models, 24.0, step=0.25, only=[key])
    for model, curves in zip(models, read, strict=True):
        alone = engine.curves(model, 24.0, step=0.25, only=[key])
        assert isinstance(curves, Curves)
        np.testing.assert_allclose(curves.survival[key], alone.survival[key], rtol=0, atol=1e-9)


def test_one_outcome_of_one_population_is_read_as_of_its_curves() -> None:
    policies = [load_scenario(name) for name in ("baseline", "wider-salvage@0.3")]
    pathway, draws = policies[0].pathway, values(load_informed_draws(policies[0].pathway), slice(0, 4))
    models = list(resolve_each(policies, draws))
    only = {("relapse", "all"), ("relapse", "treated"), ("relapse", "all", "efs")}
    step = engine.one_step(models, 24.0)
    read, curves = (of(models, 24.0, step=step, only=only) for of in (read_together, engine.compared))
    for of_paths, of_curves in zip(read, curves, strict=True):
        assert not isinstance(of_paths, Curves)
        both = of_paths, of_curves
        for name in ("os_12", "rmst_12", "median_os"):
            ways = (of_survival(one, "relapse", "treated", pathway.months, {name})[name][1] for one in both)
            np.testing.assert_allclose(*ways, rtol=1e-9, atol=1e-9, err_msg=name)
        for name in ("efs_12", "rmst_efs_12"):
            ways = (of_end_points(one, "relapse", "all", pathway, {name})[name][1] for one in both)
            np.testing.assert_allclose(*ways, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.slow
def test_a_run_reads_the_months_that_it_reports_as_of_whole_curves() -> None:
    """At a benefit that differs between parameter sets, too, where whole curves are a mixture of both ends."""
    policies = [load_scenario(name) for name in ("wider-salvage", "wider-salvage@0")]
    pathway, draws = policies[0].pathway, values(load_informed_draws(policies[0].pathway), slice(0, 4))
    models = list(resolve_each(policies, draws))
    read = read_together(models, 24.0, reported=tuple(report_months(24.0, pathway.months.early).tolist()))
    every, none = engine.compared(models, 24.0)
    benefit = np.array([0.0, 0.25, 0.8, 1.0])
    assert not isinstance(read[0], Curves)
    assert not isinstance(read[1], Curves)
    pairs = [
        (read[0], every),
        (read[1], none),
        (read[0].mixed(read[1], benefit), mixed([every, none], [benefit, 1 - benefit])),
    ]
    for of_months, whole in pairs:
        reported, expected = (draws_of_curves(curves, policies[0]) for curves in (of_months, whole))
        assert reported.shares.keys() == expected.shares.keys()
        for key, at in expected.shares.items():
            np.testing.assert_allclose(reported.shares[key], at, rtol=1e-9, atol=1e-9, err_msg=str(key))
        for clock, states in expected.occupancy.items():
            for state, there in states.items():
                np.testing.assert_allclose(reported.occupancy[clock][state], there, atol=1e-9, err_msg=state)
        for key, outcomes in expected.outcomes.items():
            for name, (_, at, _) in outcomes.items():
                np.testing.assert_allclose(reported.outcomes[key][name][1], at, rtol=1e-9, atol=1e-8, err_msg=name)
