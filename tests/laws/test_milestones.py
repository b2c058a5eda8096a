"""HSCT as a milestone: a world in which it changes nothing, so nobody's death moves by the least part of a month."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from sojourn_times import Table, exponential, fixed, gamma, weibull
from worlds import exit_to, in_a_row, load, slow, sojourn, world

from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.des import engine as des
from simulator.engines.exact import engine as exact
from simulator.engines.microsim import engine as microsim
from simulator.engines.microsim import queueing
from simulator.engines.model import resolve
from simulator.engines.requests import Requests, together
from simulator.errors import InputError
from simulator.experiment.engine_choice import choose_engine
from simulator.outcomes.event_log import check, table
from simulator.pathway.format import load_pathway
from simulator.pathway.milestones import with_milestones, without
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity, beyond_microsim
from simulator.scenario.scenario import Scenario, load_scenario

Alike = Callable[..., tuple[pd.DataFrame, Requests]]
Fair = Callable[[Requests, int], None]
Follow = Callable[..., list[tuple[float, str]]]

LEVERS: dict[str, dict[str, float]] = {
    "as shipped": {},
    "a second salvage, and a second HSCT": {"second_salvage_uptake": 0.9, "salvage_uptake": 0.9, "hsct_if_cr": 0.9},
    "long admissions, so that many relapse in them": {"hsct_admission_months": 6.0, "hsct_if_cr": 1.0},
    "everything at once": {"hsct_wait_median": 0.0, "response_median": 0.0, "hsct_admission_months": 0.0},
}


@pytest.fixture(name="world", params=LEVERS.values(), ids=LEVERS)
def hsct_as_milestone(request: pytest.FixtureRequest) -> Scenario:
    return replace(load_scenario("hsct-as-milestone"), set=request.param)


def never(world: Scenario) -> Scenario:
    """The same world in which nobody comes as far as HSCT."""
    return replace(world, hazard_ratio={**world.hazard_ratio, **without(world.pathway)})


def deaths(scenario: Scenario, patients: int = 6_000) -> Floats:
    blocks = microsim.simulate(resolve(scenario), Uniforms(8), range(patients), horizon=120.0)
    return np.concatenate([block.death_month for block in blocks])


def beds(scenario: Scenario, units: int, resource: str = "hsct_beds") -> Scenario:
    return replace(scenario, capacity={resource: Capacity(((0.0, units),))})


@pytest.mark.parametrize("benefit", [slow(1.0), 0.5, slow(0.0)])
def test_every_patient_dies_in_the_very_month_in_which_they_would_have_without_hsct(
    world: Scenario, benefit: float
) -> None:
    world = replace(world, marginal_benefit=benefit)
    np.testing.assert_array_equal(deaths(world), deaths(never(world)))


def test_hundreds_are_transplanted_even_so(world: Scenario) -> None:
    (block,) = microsim.simulate(resolve(world), Uniforms(8), range(6_000), horizon=120.0)
    assert sum(who.size for who, _ in block.entered["hsct"]) > 600
    assert "death_of_treatment" not in block.entered


@pytest.mark.parametrize(("units", "benefit"), [(1, 1.0), slow(3, 0.5)])
def test_however_few_beds_there_are_nobody_s_death_moves(world: Scenario, units: int, benefit: float) -> None:
    """A strong check of des alone: queues decide who is transplanted, and that changes nothing."""
    world = beds(replace(world, marginal_benefit=benefit), units)
    block, book = des.simulate(resolve(world), Uniforms(8), together(range(200)), horizon=120.0)
    np.testing.assert_array_equal(block.death_month, deaths(never(world), 200))
    check(table([block]), world.pathway)
    if units == 1 and world.set.get("hsct_admission_months") != 0.0:
        assert np.isinf(book.granted).any(), "nobody lost HSCT for want of a bed"


@pytest.mark.parametrize("units", [2])
def test_the_request_log_of_the_beds_is_fair_and_a_patient_who_relapses_in_bed_gives_it_back(
    world: Scenario, units: int, fair: Fair
) -> None:
    world = beds(world, units)
    _, book = des.simulate(resolve(world), Uniforms(8), together(range(200)), horizon=120.0)
    fair(book, units)
    served = np.isfinite(book.granted)
    stays = book.released[served] - book.granted[served]
    longest = resolve(world).exits["hsct"][0].time
    assert longest is not None
    assert np.all(stays <= float(longest.median()) + 1e-9)


@pytest.mark.parametrize("benefit", [slow(1.0), 0.5])
def test_microsim_and_des_agree_event_for_event(world: Scenario, benefit: float, alike: Alike) -> None:
    """Without a limit; and where CAR-T slots are short, which patients wait for long before."""
    world = replace(world, marginal_benefit=benefit)
    for scenario in (world, beds(world, 2, "car_t_slots")):
        alike(resolve(scenario), together(range(120)))


def test_a_hazard_ratio_by_level_and_period_is_carried_forward_with_its_time(alike: Alike) -> None:
    """Periods are months since the state before the milestone, in which the time was drawn."""
    waning = {"breaks": [2.0, 9.0], "ratios": [{"by": "prior_hsct", "yes": 1.0, "no": 0.2}, 3.0, 0.5]}
    shipped = load_scenario("hsct-as-milestone")
    world = replace(shipped, hazard_ratio={"awaiting_hsct.relapse_after_salvage": waning})
    died = deaths(world)
    np.testing.assert_array_equal(died, deaths(never(world)))
    assert (died != deaths(shipped)).mean() > 0.1
    alike(resolve(world), together(range(120)))


def test_every_patient_lives_as_the_reference_has_it(world: Scenario, follow: Follow) -> None:
    for benefit in (1.0, 0.5, 0.0):
        model = resolve(replace(world, marginal_benefit=benefit))
        events = table(microsim.simulate(model, Uniforms(1), range(40), horizon=120.0))
        check(events, model.pathway)
        for who, rows in events.groupby("patient"):
            expected = follow(model, who)
            assert list(rows["state"]) == [state for _, state in expected], who
            np.testing.assert_allclose(rows["month"], [month for month, _ in expected], rtol=0, atol=1e-9)


def test_survival_is_that_of_the_pathway_where_nobody_has_hsct_as_the_exact_engine_solves_it() -> None:
    """DKW with Massart's constant, a false alarm in 10^6; all as in `no-hsct`, whose patients never wait for HSCT."""
    n = 200_000
    solved = exact.curves(resolve(load_scenario("no-hsct")), 120.0)
    simulated = microsim.curves(resolve(load_scenario("hsct-as-milestone")), 120.0, patients=n, uniforms=Uniforms(3))
    stride = round(simulated.months[1] / solved.months[1])
    for clock in ("relapse", "infusion"):
        difference = simulated.survival[clock, "all"] - solved.survival[clock, "all"][:, ::stride]
        assert np.abs(difference).max() < np.sqrt(np.log(4 / 1e-6) / (2 * n)) + 2e-4


def test_transplanted_patients_look_better_even_so() -> None:
    curves: Curves = microsim.curves(
        resolve(load_scenario("hsct-as-milestone")), 24.0, patients=50_000, uniforms=Uniforms(3)
    )
    at_12 = [float(curves.survival["relapse", group][0, 120]) for group in ("hsct", "other_treated")]
    assert at_12[0] > at_12[1] + 0.1


CHAIN = {
    "ill": sojourn(listed=exponential(mean=3), dead=weibull(shape=1.4, mean=9)),
    "listed": sojourn(home=exponential(mean=2), ill=gamma(shape=2, mean=4), dead=exponential(mean=8)),
    "home": sojourn(garden=exponential(mean=1), dead=exponential(mean=2)),
    "garden": sojourn(home=exponential(mean=1), ill=exponential(mean=1)),
}
"""Two states that follow a risk, one of which may come back to another bed."""


@pytest.mark.parametrize("milestones", [("home",), ("home", "garden"), ("listed", "home", "garden")], ids=" ".join)
def test_a_chain_of_milestones_with_ways_back_keeps_every_risk(
    milestones: tuple[str, ...], alike: Alike, follow: Follow
) -> None:
    """Every risk of the state before goes on, several at once, through milestones that lead to one another."""
    pathway = with_milestones(load(world("ill", CHAIN)), milestones, "test")
    chain = Scenario("chain", pathway)
    model, without_them = resolve(chain), resolve(never(chain))
    death_months = []
    for resolved in (model, without_them):
        (block,) = microsim.simulate(resolved, Uniforms(2), range(3_000), horizon=60.0)
        death_months.append(block.death_month)
    np.testing.assert_array_equal(*death_months)
    events, _ = alike(model, together(range(300)))
    check(events, pathway)
    for who in range(40):
        courses = events[events["patient"] == who]
        assert list(courses["state"]) == [state for _, state in follow(model, who)]


TIED = {
    "ill": sojourn(worse=exponential(mean=2), listed=exponential(mean=3), home=fixed(3), dead=fixed(3)),
    "worse": sojourn(dead=fixed(3), home=fixed(3), listed=exponential(mean=3)),
    "listed": sojourn(dead=exponential(mean=8)),
    "home": sojourn(dead=exponential(mean=20)),
}
"""Two risks that strike in one instant, declared the other way round in the two states before a milestone."""


def test_of_risks_that_strike_in_one_instant_the_first_of_the_state_before_wins_in_a_milestone_too(
    alike: Alike,
) -> None:
    """Who is listed from `ill` goes home at 3 months, who is listed from `worse` dies at 3: each as if never listed."""
    tied = Scenario("tied", with_milestones(load(world("ill", TIED)), ("listed",), "test"))
    death_months = []
    for scenario in (tied, never(tied)):
        (block,) = microsim.simulate(resolve(scenario), Uniforms(3), range(2_000), horizon=60.0)
        death_months.append(block.death_month)
    np.testing.assert_array_equal(*death_months)
    alike(resolve(tied), together(range(300)))


TIMES = (lambda mean: exponential(mean=mean), lambda mean: weibull(shape=2, mean=mean), fixed)


@st.composite
def webs(draw: Callable) -> tuple[Table, tuple[str, ...]]:
    """A pathway of competing sojourns that lead anywhere, some for fixed times, and some of its states."""
    names = [f"s{i}" for i in range(draw(st.integers(3, 6)))]
    states = {}
    for place, name in enumerate(names):
        targets = {"dead", *names[place + 1 : place + 2], *draw(st.sets(st.sampled_from(names)))}
        states[name] = sojourn(**{
            target: draw(st.sampled_from(TIMES))(draw(st.integers(1, 9))) for target in sorted(targets - {name})
        })  # fmt: skip
    return world("s0", states), tuple(sorted(draw(st.sets(st.sampled_from(names[1:]), min_size=1))))


@given(webs())
@settings(derandomize=True, max_examples=6, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
def test_in_made_up_pathways_no_milestone_moves_a_death(alike: Alike, web: tuple[Table, tuple[str, ...]]) -> None:
    table, milestones = web
    without = load(table)
    try:
        pathway = with_milestones(without, milestones, "test")
    except InputError:
        reject()
    made_up = Scenario("web", pathway)
    death_months = []
    for scenario in (made_up, never(made_up)):
        (block,) = microsim.simulate(resolve(scenario), Uniforms(5), range(400), horizon=40.0)
        death_months.append(block.death_month)
    np.testing.assert_array_equal(*death_months)
    alike(resolve(made_up), together(range(30)), horizon=40.0)


def test_exact_refuses_by_name_and_auto_says_why_it_takes_microsim() -> None:
    world = load_scenario("hsct-as-milestone")
    with pytest.raises(InputError, match=r"hsct-as-milestone.toml: milestones: the exact engine has no milestones"):
        choose_engine("exact", [load_scenario("baseline"), world])
    with pytest.raises(InputError, match="allowed: run, compare or sweep with --engine auto, microsim or des"):
        exact.curves(resolve(world), 12.0)
    engine, why = choose_engine("auto", [load_scenario("baseline"), world])
    assert engine == "microsim"
    assert "hsct-as-milestone" in why


def test_short_beds_before_a_milestone_are_for_des_and_microsim_says_so() -> None:
    world = beds(load_scenario("hsct-as-milestone"), 1)
    assert "awaiting_hsct" in str(beyond_microsim(world.pathway, world.capacity))
    with pytest.raises(InputError, match=r"got .*awaiting_hsct.*milestone.*allowed: --engine des"):
        queueing.simulate(resolve(world), Uniforms(1), together(range(5)), horizon=10.0)
    assert choose_engine("auto", [world])[0] == "des"


BAD = {
    'milestones = ["hst"]': "unknown state; got 'hst'.*did you mean 'hsct'",
    'milestones = ["complete_response"]': "it is not a sojourn declared as competing",
    'milestones = ["awaiting_hsct"]': "it follows 'complete_response', which is not a sojourn",
    'milestones = ["car_t_remission"]': "a clock starts there",
    'milestones = ["hsct", "after_hsct"]\nhazard_ratio = { "after_hsct.relapse_after_salvage" = 0.5 }': "no risk",
    'milestones = ["hsct", "after_hsct"]\nhazard_ratio = { "hsct.death_of_treatment" = 0.5 }': "the state before",
    'milestones = ["hsct", "after_hsct"]\n[service]\narrivals_per_year = 9\nyears = 3': r"cannot have \[service\]",
}


@pytest.mark.parametrize(("text", "message"), BAD.items(), ids=BAD)
def test_what_cannot_be_a_milestone_is_refused_in_one_message(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text(f'pathway = "b_all_post_cd19"\n{text}\n', encoding="utf-8")
    with pytest.raises(InputError, match=message) as refused:
        load_scenario(file)
    assert str(file) in str(refused.value)


def test_a_milestone_after_a_state_with_no_other_risk_is_refused() -> None:
    pathway = load(in_a_row(exponential(mean=2), exponential(mean=8)))
    with pytest.raises(InputError, match="no latent times are carried forward into it; got 's1'"):
        with_milestones(pathway, ["s1"], "policy.toml")


def test_a_transition_that_does_not_exist_is_mended_by_one_that_takes_a_hazard_ratio() -> None:
    with pytest.raises(InputError, match=r"unknown transition; .*did you mean 'awaiting_hsct\.hsct'") as error:
        resolve(replace(load_scenario("hsct-as-milestone"), hazard_ratio={"awaiting.hsct": 0.5}))
    assert " hsct.relapse_after_salvage" not in str(error.value)


def test_a_base_with_milestones_hands_them_on_and_takes_no_more(tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    file.write_text('base = "hsct-as-milestone"\n[set]\nhsct_if_cr = 1.0\n', encoding="utf-8")
    assert load_scenario(file).pathway.milestones == ("hsct", "after_hsct")
    file.write_text('base = "hsct-as-milestone"\nmilestones = ["hsct"]\n', encoding="utf-8")
    with pytest.raises(InputError, match="the base already has milestones"):
        load_scenario(file)


def test_a_report_made_again_draws_the_world_as_it_was_run(tmp_path: Path) -> None:
    from simulator.experiment.run import run
    from simulator.report import run_folder

    run("hsct-as-milestone", draws=2, patients=200, horizon=24.0).write(tmp_path)
    (scenario,) = run_folder.read(tmp_path).scenarios
    assert scenario.pathway.milestones == ("hsct", "after_hsct")


def test_one_name_for_two_ways_that_would_go_on_is_refused() -> None:
    listed = sojourn(
        exit_to("ill", gamma(shape=2, mean=4), name="again"), exit_to("dead", exponential(mean=8), name="ill"),
        home=exponential(mean=2),
    )  # fmt: skip
    home = sojourn(exit_to("garden", exponential(mean=1), name="again"), dead=exponential(mean=2))
    pathway = load(world("ill", {**CHAIN, "listed": listed, "home": home}))
    with pytest.raises(InputError, match="two latent times that are carried forward into 'home' have the name 'again'"):
        with_milestones(pathway, ["home", "garden"], "test")


def test_the_disease_is_declared_in_one_place_only() -> None:
    declared, world = load_pathway("b_all_post_cd19"), load_scenario("hsct-as-milestone").pathway
    assert world.parameters == declared.parameters
    assert {name for name in declared.states if declared.states[name] != world.states[name]} == {"hsct", "after_hsct"}
