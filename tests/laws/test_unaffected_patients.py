"""Two policies differ only in the patients they touch; order, names of others and empty branches touch nobody."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from worlds import A_FEW_SHIPPED, KINDS, longer_remission, policies_of_the_default_suite

import scenarios
from simulator.engines.cells import levels_of
from simulator.engines.curves import Curves
from simulator.engines.exact import engine
from simulator.engines.model import Model, point_values, resolve
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway, State
from simulator.pathway.references import names_in
from simulator.randomness import Uniforms
from simulator.scenario.levers import apply_levers
from simulator.scenario.scenario import Scenario, load_scenario

Events = Callable[..., pd.DataFrame]
Lives = Mapping[int, list[tuple[float, str]]]
PATIENTS = range(3_000)


@pytest.fixture(scope="module")
def lives(events: Events) -> Callable[..., Lives]:
    """By patient, the months and states of their events; each model is simulated once."""
    known: dict[tuple[str, float], Lives] = {}

    def lived(scenario: Scenario, horizon: float = 120.0) -> Lives:
        policy = f"{scenario.where}@{scenario.marginal_benefit}{scenario.set}{scenario.name}"
        key = (f"{policy} on {scenario.pathway.name}", horizon)
        if key not in known:
            known[key] = lives_of(events(resolve(scenario), PATIENTS, horizon=horizon))
        return known[key]

    return lived


def lives_of(table: pd.DataFrame) -> Lives:
    lives: dict[int, list[tuple[float, str]]] = {}
    for who, *event in zip(*(table[column].tolist() for column in ("patient", "month", "state")), strict=True):
        lives.setdefault(who, []).append(tuple(event))
    return lives


def touched_states(scenario: Scenario) -> set[str]:
    """The states whose numbers a scenario changes."""
    values = point_values(scenario.pathway)
    pulled = apply_levers(scenario, values)
    changed = {name for name in values if not np.array_equal(pulled[name], values[name])}
    states = {key.split(".")[0] for key in scenario.hazard_ratio} | {*scenario.pathway.milestones}
    for name, state in scenario.pathway.states.items():
        for transition in state.transitions:
            if changed & {named for reference in transition.references for named in names_in(reference)}:
                states.add(name)
    return states


@pytest.mark.parametrize("name", policies_of_the_default_suite(scenarios.names(), KINDS))
def test_lives_part_only_where_a_policy_changes_something(name: str, lives: Callable[..., Lives]) -> None:
    scenario = load_scenario(name)
    if scenario.population:
        pytest.skip("a population changes who the patients are")
    before = lives(Scenario(name="as declared", pathway=load_pathway(scenario.pathway.name)))
    touched = touched_states(scenario)
    after = lives(scenario)
    for who, life in after.items():
        other = before[who]
        steps = zip(life, other, strict=False)
        split_name = next((i for i, (step, old) in enumerate(steps) if step != old), min(len(life), len(other)))
        if split_name < max(len(life), len(other)):
            assert life[split_name - 1][1] in touched, (who, life, other)
    assert before != after or not touched


def ever(life: list[tuple[float, str]], state: str) -> bool:
    return state in [name for _, name in life]


def test_a_patient_treated_today_lives_the_same_life_when_more_are_treated(lives: Callable[..., Lives]) -> None:
    baseline, wider, universal = (lives(load_scenario(n)) for n in ("baseline", "wider-salvage", "universal-salvage"))
    treated = [who for who in PATIENTS if ever(baseline[who], "salvage_choice")]
    assert 1_300 < len(treated) < 1_600
    assert all(baseline[who] == wider[who] == universal[who] for who in treated)
    still_untreated = [who for who in PATIENTS if ever(wider[who], "supportive_care")]
    assert len(still_untreated) > 250
    assert all(baseline[who] == wider[who] for who in still_untreated)
    assert all(ever(universal[who], "salvage_choice") for who in PATIENTS)


def test_a_hazard_ratio_touches_patients_of_its_levels_who_are_still_there_in_its_period(events: Events) -> None:
    """From the sixth month of remission on, the relapses of the CD19-positive come later, and of nobody else."""
    from_month_6 = [1.0, {"by": "cd19", "positive": 0.4, "negative_or_dim": 1.0, "unknown": 1.0}]
    pathway = load_scenario("baseline").pathway
    policy = Scenario("x", pathway, hazard_ratio={"car_t_remission.relapse": {"breaks": [6.0], "ratios": from_month_6}})
    before, after = (lives_of(events(resolve(scenario), PATIENTS)) for scenario in (load_scenario("baseline"), policy))
    cd19 = levels_of(policy, Uniforms(1), np.array(PATIENTS))["cd19"]
    positive = list(pathway.attributes["cd19"].levels).index("positive")
    relapse = {
        who: next((month for month, state in life if state == "relapse"), np.inf) for who, life in before.items()
    }
    moved = {who for who in before if before[who] != after[who]}
    assert moved == {who for who in before if cd19[who] == positive and relapse[who] > 6.0}
    assert len(moved) > 300


@pytest.mark.parametrize("benefit", ["0", "0.5"])
def test_a_patient_treated_today_lives_the_same_life_whatever_the_marginal_benefit(
    benefit: str, lives: Callable[..., Lives]
) -> None:
    baseline, wider = lives(load_scenario("baseline")), lives(load_scenario(f"wider-salvage@{benefit}"))
    unmoved = [who for who in PATIENTS if ever(baseline[who], "salvage_choice") or ever(wider[who], "supportive_care")]
    assert len(unmoved) > 1_500
    assert all(baseline[who] == wider[who] for who in unmoved)


@pytest.mark.parametrize("name", ["no-hsct", "hsct-for-all-responders", "earlier-hsct"])
def test_a_patient_who_never_responds_does_not_notice_an_hsct_policy(name: str, lives: Callable[..., Lives]) -> None:
    baseline, policy = lives(load_scenario("baseline")), lives(load_scenario(name))
    responds = ("complete_response", "partial_response")
    never = [who for who in PATIENTS if not any(ever(baseline[who], state) for state in responds)]
    assert len(never) > 1_500
    assert all(baseline[who] == policy[who] for who in never)
    if name == "hsct-for-all-responders":
        planned = [who for who in PATIENTS if ever(baseline[who], "awaiting_hsct")]
        assert planned
        assert all(baseline[who] == policy[who] for who in planned)


def test_a_longer_remission_moves_a_life_after_relapse_and_does_not_change_it(lives: Callable[..., Lives]) -> None:
    baseline, policy = lives(load_scenario("baseline")), lives(longer_remission())
    for who in PATIENTS:
        (_, _), *after = baseline[who]
        (_, _), *put_off = policy[who]
        assert [state for _, state in after] == [state for _, state in put_off]
        assert put_off[0][0] > after[0][0]
        since = [month - after[0][0] for month, _ in after]
        np.testing.assert_allclose([month - put_off[0][0] for month, _ in put_off], since, atol=1e-9)


@pytest.mark.parametrize("policy", A_FEW_SHIPPED, indirect=True)
def test_looking_further_adds_events_and_changes_none(policy: Scenario, lives: Callable[..., Lives]) -> None:
    near, far = lives(policy, 36.0), lives(policy, 120.0)
    assert all(far[who][: len(near[who])] == near[who] for who in PATIENTS)


def test_other_draws_replications_and_seeds_are_other_patients(events: Events) -> None:
    model = resolve(load_scenario("baseline"))
    first = events(model, range(500), seed=1, draw=1)
    for address in ({"seed": 1, "draw": 2}, {"seed": 2, "draw": 1}):
        other = events(model, range(500), **address)
        relapses = [table.loc[table["state"] == "relapse", "month"].to_numpy() for table in (first, other)]
        assert not np.isin(relapses[0], relapses[1]).any()
        assert abs(np.corrcoef(*relapses)[0, 1]) < 0.2


def shuffled(pathway: Pathway) -> Pathway:
    """The same pathway with its states and their ways out declared in another order."""
    random = np.random.default_rng(1)

    def state(declared: State) -> State:
        order = random.permutation(len(declared.transitions))
        return replace(declared, transitions=tuple(declared.transitions[place] for place in order))

    names = random.permutation(list(pathway.states)).tolist()
    return replace(pathway, states={name: state(pathway.states[name]) for name in names})


def same_curves(first: Curves, second: Curves) -> None:
    for key, survival in first.survival.items():
        np.testing.assert_allclose(survival, second.survival[key], atol=1e-7, err_msg=str(key))
    for clock, states in first.occupancy.items():
        for name, occupied in states.items():
            np.testing.assert_allclose(occupied, second.occupancy[clock][name], atol=1e-7, err_msg=name)
    for name, size in first.sizes.items():
        np.testing.assert_allclose(size, second.sizes[name], atol=1e-7, err_msg=name)


@pytest.mark.parametrize("policy", A_FEW_SHIPPED, indirect=True)
def test_the_order_of_states_and_of_ways_out_moves_nobody(
    policy: Scenario, model: Model, solved: Curves, events: Events
) -> None:
    other = resolve(replace(policy, pathway=shuffled(policy.pathway)))
    pd.testing.assert_frame_equal(events(model, range(1_500)), events(other, range(1_500)))
    same_curves(solved, engine.curves(other, 120.0))


@pytest.mark.parametrize("name", shipped.names())
def test_a_state_that_nobody_is_sent_to_moves_nobody(name: str, events: Events) -> None:
    pathway = load_pathway(name)
    choices = [state for state in pathway.states.values() if state.is_choice]
    if not choices:
        pytest.skip("no choice to add a branch to")
    added = State("new_treatment", "sojourn", "new treatment", transitions=_last_way(pathway).transitions)
    branch = replace(choices[0].transitions[0], name="new", to="new_treatment", probability=0.0, eligible={})
    choice = replace(choices[0], transitions=(branch, *choices[0].transitions))
    wider = replace(pathway, states={"new_treatment": added, **pathway.states, choice.name: choice})
    before, after = (resolve(Scenario(name=name, pathway=declared)) for declared in (pathway, wider))
    pd.testing.assert_frame_equal(events(before, range(1_500)), events(after, range(1_500)))
    whole, extended = engine.curves(before, 60.0), engine.curves(after, 60.0)
    same_curves(whole, extended)
    assert np.all(extended.occupancy[pathway.clock]["new_treatment"] == 0.0)


def _last_way(pathway: Pathway) -> State:
    """A sojourn that leads to death only."""
    return next(
        state
        for state in pathway.states.values()
        if state.kind == "sojourn"
        and all(pathway.states[transition.to].kind == "death" for transition in state.transitions)
    )
