"""Microsim's queue path and des tell the same story of every patient, and keep the same book of requests.

Same seed, same events in the same order, times within 1e-9 months (`alike`); and the book itself is fair: no more units
in use than there are, nobody waits beside a free one, first come, first served (`fair`). Nothing here is left to
chance: seeds are fixed, and no tolerance is statistical.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import scenarios
from simulator.engines import tally
from simulator.engines.des import engine as des
from simulator.engines.microsim import engine as microsim
from simulator.engines.microsim import queueing
from simulator.engines.model import Model, resolve
from simulator.engines.requests import Arrivals, Requests, together
from simulator.errors import InputError
from simulator.experiment.centre import arrivals_of_service
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.run import run
from simulator.outcomes.event_log import check, table
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity, beyond_microsim
from simulator.scenario.scenario import Scenario, load_scenario

Alike = Callable[..., tuple[pd.DataFrame, Requests]]
Fair = Callable[[Requests, int], None]
PATIENTS = 150
SERVICES = [name for name in scenarios.names() if load_scenario(name).service is not None]


def beds(units: int) -> Capacity:
    return Capacity(((0.0, units),))


def scarce(scenario: Scenario, *units: int) -> Scenario:
    """The scenario with so many units of each of the pathway's resources; the last number is for all that follow."""
    told = {name: beds(units[min(i, len(units) - 1)]) for i, name in enumerate(scenario.pathway.resources)}
    return replace(scenario, capacity=told, service=None, before=None)


def limitable() -> list[str]:
    """Every shipped pathway, and every shipped scenario, in which somebody may hold a resource."""
    found = [f"pathway:{name}" for name in shipped.names() if load_pathway(name).resources]
    # A service scenario differs from its base in who comes when, and is run as it is below.
    # With milestones des is alone: see test_milestones.py.
    of_scenarios = [n for n in scenarios.names() if n not in SERVICES and not load_scenario(n).pathway.milestones]
    return found + [name for name in of_scenarios if load_scenario(name).pathway.resources]


def policy(name: str) -> Scenario:
    if name.startswith("pathway:"):
        return Scenario(name, load_pathway(name.removeprefix("pathway:")))
    return load_scenario(name)


def over_years(n: int, years: float, seed: int = 1) -> Arrivals:
    """Patients who come over some years, in no order of their numbers, some before month 0, half under a policy."""
    random = np.random.default_rng(seed)
    return Arrivals(np.arange(n) + 7, random.uniform(-6.0, 12.0 * years, n), random.uniform(size=n) < 0.5)


def wider(benefit: float, **levers: float) -> Scenario:
    return replace(
        load_scenario("wider-salvage").with_marginal_benefit(benefit), set={"salvage_uptake": 0.88, **levers}
    )


def every_book_is_fair(book: Requests, model: Model, fair: Fair) -> None:
    for place, each in enumerate(model.scenario.capacity.values()):
        fair(book.of(place), each.units)


@pytest.mark.parametrize("name", limitable())
def test_every_shipped_policy_with_few_units_of_everything(name: str, alike: Alike, fair: Fair) -> None:
    for benefit in (1.0, 0.5, 0.0):
        model = resolve(scarce(policy(name).with_marginal_benefit(benefit), 1, 2))
        events, book = alike(model, together(range(PATIENTS)))
        check(events, model.pathway)
        every_book_is_fair(book, model, fair)
        if model.marginal is None or not model.marginal.raised:
            break


@pytest.mark.parametrize("units", [(1,), (1, 50), (50, 1), (2, 3), (6, 4)], ids=str)
@pytest.mark.parametrize("benefit", [1.0, 0.5, 0.0])
def test_wider_salvage_with_a_second_one_after_relapse(
    units: tuple[int, ...], benefit: float, alike: Alike, fair: Fair
) -> None:
    """Patients come back to both queues, some of them treated without benefit."""
    policy = wider(benefit, second_salvage_uptake=0.8, share_car_t_reinfusion=0.4, hsct_if_cr=0.9)
    model = resolve(scarce(policy, *units))
    _, book = alike(model, together(range(PATIENTS)))
    every_book_is_fair(book, model, fair)
    numbers = pd.Series(book.patients)
    assert numbers.groupby([numbers, book.resource]).size().max() > 1, "nobody came back"
    waited = book.waited[book.waited > 0]
    assert np.isinf(book.granted).any() or units == (6, 4)
    assert waited.size > 3


@pytest.mark.parametrize("years", [1.0, 10.0])
@pytest.mark.parametrize("benefit", [1.0, 0.5, 0.0])
def test_arrivals_over_the_calendar_half_of_them_before_the_policy(
    years: float, benefit: float, alike: Alike, fair: Fair
) -> None:
    model = resolve(scarce(wider(benefit, second_salvage_uptake=0.5), 1, 2))
    before = resolve(scarce(load_scenario("baseline"), 1, 2))
    arrivals = over_years(PATIENTS, years)
    events, book = alike(model, arrivals, before=before, horizon=60.0)
    every_book_is_fair(book, model, fair)
    check(events, model.pathway)
    number_of = {number: place for place, number in enumerate(arrivals.patients)}
    came = arrivals.origin[[number_of[patient] for patient in book.patients]]
    assert np.all(book.requested >= came)


def test_patients_before_a_policy_are_of_the_mix_before_it(alike: Alike) -> None:
    scenario = scarce(load_scenario("baseline"), 2, 50)
    other = replace(scenario, population={"cd19": {"positive": 1.0, "negative_or_dim": 30.0, "unknown": 1.0}})
    everybody = over_years(120, 4.0)
    arrivals = replace(everybody, under_policy=everybody.origin >= 24.0)
    alike(resolve(other), arrivals, before=resolve(scenario), horizon=24.0)
    block, _ = des.simulate(resolve(other), Uniforms(1), arrivals, horizon=24.0, before=resolve(scenario))
    positive = block.levels["cd19"] == 0
    assert positive[~arrivals.under_policy].mean() > 0.3
    assert positive[arrivals.under_policy].mean() < 0.15


@pytest.mark.parametrize("name", SERVICES)
def test_every_shipped_centre_over_its_own_years(name: str, alike: Alike, fair: Fair) -> None:
    scenario = load_scenario(name).with_marginal_benefit(0.5)
    if beyond_microsim(scenario.pathway, scenario.capacity) is not None:
        pytest.skip("for des only")
    model, service = resolve(scenario), scenario.service
    before = None if scenario.before is None else resolve(scenario.before)
    assert service is not None
    arrivals = arrivals_of_service(model, before, service, 24.0, Uniforms(1))
    _, book = alike(model, arrivals, before=before, horizon=24.0)
    every_book_is_fair(book, model, fair)


@pytest.mark.parametrize("seed", [2, 3, 4, 5])
@pytest.mark.parametrize("horizon", [0.0, 3.0, 24.0])
def test_follow_up_that_ends_while_patients_wait(seed: int, horizon: float, alike: Alike, fair: Fair) -> None:
    model = resolve(scarce(wider(0.5, second_salvage_uptake=0.8), 1, 1))
    _, book = alike(model, together(range(PATIENTS)), horizon=horizon, seed=seed)
    every_book_is_fair(book, model, fair)


def test_preparation_that_takes_time_and_other_draws_of_the_parameters(alike: Alike, fair: Fair) -> None:
    random = np.random.default_rng(3)
    policy = scarce(wider(0.5, reinfusion_preparation_months=1.5), 2, 1)
    times = {
        name: parameter.value for name, parameter in policy.pathway.parameters.items() if parameter.unit == "months"
    }
    values = {name: value * random.uniform(0.5, 2.0) for name, value in times.items()}
    model = resolve(policy, values)
    _, book = alike(model, over_years(PATIENTS, 4.0))
    every_book_is_fair(book, model, fair)


@pytest.mark.parametrize("name", limitable())
def test_with_a_bed_for_everybody_nobody_waits_and_both_equal_the_unlimited_run(name: str, alike: Alike) -> None:
    for benefit in (1.0, 0.5, 0.0):
        unlimited = policy(name).with_marginal_benefit(benefit)
        patients = range(20, 20 + PATIENTS)
        events, book = alike(resolve(scarce(unlimited, PATIENTS)), together(patients))
        told = table(microsim.simulate(resolve(unlimited), Uniforms(1), patients, horizon=120.0))
        pd.testing.assert_frame_equal(events, told, rtol=0.0, atol=1e-9)
        np.testing.assert_array_equal(book.granted, book.requested)


def test_without_a_limit_no_book_is_kept_and_both_equal_the_unlimited_run(model: Model, alike: Alike) -> None:
    free = resolve(replace(model.scenario, capacity={}, service=None, before=None))
    events, book = alike(free, together(range(100)))
    told = table(microsim.simulate(free, Uniforms(1), range(100), horizon=120.0))
    pd.testing.assert_frame_equal(events, told, rtol=0.0, atol=1e-9)
    assert book.requested.size == 0


@pytest.mark.parametrize("engine", [queueing, des], ids=["microsim", "des"])
def test_a_centre_where_nobody_comes_has_no_events_and_an_empty_book(engine: ModuleType) -> None:
    model = resolve(scarce(wider(0.5), 1))
    block, book = engine.simulate(model, Uniforms(1), together(range(0)), horizon=120.0, before=model)
    assert table([block]).empty
    assert book.requested.size == 0


def test_who_is_simulated_together_in_one_block_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, alike: Alike
) -> None:
    model, arrivals = resolve(scarce(wider(0.5, second_salvage_uptake=0.8), 1)), over_years(PATIENTS, 3.0)
    whole = alike(model, arrivals, before=model)
    monkeypatch.setattr(queueing, "BLOCK", 30)
    in_parts = alike(model, arrivals, before=model)
    pd.testing.assert_frame_equal(whole[0], in_parts[0])
    for mine, theirs in zip(whole[1].columns, in_parts[1].columns, strict=True):
        np.testing.assert_array_equal(mine, theirs)


GRID = """
title = "everything at whole hours"
start = "referred"
[clocks]
listed = "listed"
[resources.beds]
[resources.scanner]
[attributes.line]
levels = { first = 1, second = 1, third = 1 }
[states.referred]
kind = "sojourn"
[[states.referred.transitions]]
to = "scan"
time = { family = "fixed", months = { by = "line", first = 0.5, second = 1, third = 1 } }
[[states.referred.transitions]]
to = "dead"
time = { family = "fixed", months = { by = "line", first = 2.5, second = 1.5, third = 9 } }
[states.scan]
kind = "sojourn"
holds = "scanner"
[[states.scan.transitions]]
to = "listed"
time = { family = "fixed", months = 0.5 }
[states.listed]
kind = "sojourn"
[[states.listed.transitions]]
to = "ward"
time = { family = "fixed", months = { by = "line", first = 0, second = 1, third = 0.5 } }
[[states.listed.transitions]]
to = "worse"
time = { family = "fixed", months = { by = "line", first = 2, second = 1, third = 7 } }
[[states.listed.transitions]]
to = "dead"
time = { family = "fixed", months = 7 }
[states.worse]
kind = "chance"
[[states.worse.branches]]
to = "referred"
probability = 0.5
[[states.worse.branches]]
to = "dead"
probability = "rest"
[states.ward]
kind = "sojourn"
holds = "beds"
[[states.ward.transitions]]
to = "rehabilitation"
time = { family = "fixed", months = { by = "line", first = 1, second = 2, third = 0.5 } }
[states.rehabilitation]
kind = "sojourn"
holds = "beds"
[[states.rehabilitation.transitions]]
to = "reviewed"
time = { family = "fixed", months = 0.5 }
[[states.rehabilitation.transitions]]
to = "home"
time = { family = "fixed", months = { by = "line", first = 0.5, second = 1, third = 0.5 } }
[states.reviewed]
kind = "chance"
[[states.reviewed.branches]]
to = "referred"
probability = 0.3
[[states.reviewed.branches]]
to = "home"
probability = "rest"
[states.home]
kind = "end"
[states.dead]
kind = "death"
"""


@pytest.mark.parametrize("units", [(1, 1), (1, 3), (3, 1), (4, 2), (9, 9)], ids=str)
@pytest.mark.parametrize("horizon", [2.0, 6.5, 40.0])
def test_where_every_time_is_a_half_month_ties_abound_and_they_agree(
    units: tuple[int, int], horizon: float, tell: Callable[..., Pathway], alike: Alike, fair: Fair
) -> None:
    model = resolve(scarce(Scenario("ties", tell(GRID)), *units))
    n = 60
    random = np.random.default_rng(4)
    on_the_grid = Arrivals(np.arange(n), random.integers(0, 24, n) / 2.0, np.ones(n, dtype=bool))
    for arrivals in (together(range(n)), on_the_grid, replace(on_the_grid, origin=on_the_grid.origin + 0.1)):
        events, book = alike(model, arrivals, horizon=horizon)
        check(events, model.pathway)
        every_book_is_fair(book, model, fair)
        ends = np.minimum(book.granted, book.reneged)
        assert len(np.unique(np.rint(ends * 1e6))) < ends.size, "no ties"


def test_a_queue_before_the_clock_starts_where_some_are_at_no_other_risk(
    tell: Callable[..., Pathway], alike: Alike, fair: Fair
) -> None:
    """Follow-up has no end yet, and neither has the wait of who is cured."""
    text = GRID.replace('listed = "listed"', 'ward = "ward"').replace("months = 7 }", "months = 7, cure = 0.5 }")
    text = text.replace("third = 9 } }", "third = 9 }, cure = 0.5 }")
    model = resolve(scarce(Scenario("before the clock", tell(text)), 1))
    _, book = alike(model, together(range(40)), horizon=12.0)
    every_book_is_fair(book, model, fair)
    assert np.isfinite(book.granted).any()


PASSING_THROUGH = """
title = "A gate that a patient passes through in no time, to a ward that others ask for in the same instant"
start = "listed"
[resources.gate]
[resources.beds]
[attributes.name]
levels = { guard = 1, through = 1, direct = 1 }
[states.listed]
kind = "sojourn"
[[states.listed.transitions]]
to = "gate"
time = { family = "fixed", months = { by = "name", guard = 0.5, through = 1, direct = 900 } }
[[states.listed.transitions]]
to = "direct"
time = { family = "fixed", months = { by = "name", guard = 900, through = 900, direct = 0 } }
[states.gate]
kind = "sojourn"
holds = "gate"
[[states.gate.transitions]]
to = "lobby"
time = { family = "fixed", months = { by = "name", guard = 2.5, through = 0, direct = 0 } }
[states.lobby]
kind = "sojourn"
[[states.lobby.transitions]]
to = "ward"
time = { family = "fixed", months = { by = "name", guard = 100, through = 0, direct = 0 } }
[states.direct]
kind = "sojourn"
[[states.direct.transitions]]
to = "ward"
time = { family = "fixed", months = 3 }
[states.ward]
kind = "sojourn"
holds = "beds"
[[states.ward.transitions]]
to = "home"
time = { family = "fixed", months = 2 }
[states.home]
kind = "end"
"""


@pytest.mark.parametrize("order", list(permutations(("guard", "through", "direct"))), ids=" ".join)
def test_who_asks_for_another_bed_in_the_instant_of_a_grant_takes_their_turn_by_number(
    order: tuple[str, ...], tell: Callable[..., Pathway], alike: Alike
) -> None:
    """The guard leaves the gate in month 3: `through` passes it and asks for the bed, as `direct` does just then."""
    model = resolve(scarce(Scenario("gate", tell(PASSING_THROUGH)), 1))
    names = list(model.mix["name"])
    u = Uniforms(1).at("@name", np.arange(200))
    drawn = np.searchsorted(np.cumsum(list(model.mix["name"].values()))[:-1], u, side="right")
    numbers: list[int] = []
    for name in order:
        numbers.append(next(n for n in range(max(numbers, default=-1) + 1, 200) if names[drawn[n]] == name))
    events, _ = alike(model, Arrivals(np.array(numbers), np.zeros(3), np.ones(3, dtype=bool)), horizon=50.0)
    in_bed = events[events["state"] == "ward"].set_index("month")["patient"]
    first, second = sorted((numbers[order.index("through")], numbers[order.index("direct")]))
    assert (in_bed[3.0], in_bed[5.0]) == (first, second)


@pytest.mark.parametrize("benefit", [1.0, 0.5])
def test_what_is_counted_of_a_policy_that_starts_on_a_date_is_what_des_counts(benefit: float) -> None:
    """Half of the patients come before the policy: what is kept of them must fit what is kept of the others."""
    model, before = (resolve(scarce(each, 1)) for each in (wider(benefit), load_scenario("baseline")))
    arrivals, kept = over_years(PATIENTS, 3.0), tally.counted_states(model.pathway)
    block, _ = queueing.simulate(model, Uniforms(1), arrivals, horizon=120.0, before=before, keep=kept)
    whole, _ = des.simulate(model, Uniforms(1), arrivals, horizon=120.0, before=before)
    some = np.arange(PATIENTS) % 3 > 0
    counted, told = (tally.of_blocks(model, 60.0, [each.only(some)]) for each in (block, whole))
    for key, curve in told.survival.items():
        np.testing.assert_array_equal(counted.survival[key], curve)
    assert counted.counts == told.counts


FLARES = """
title = "A chronic disease that flares, a day ward, and patients who come back whether they had a bed or not"
start = "well"
[clocks]
entry = "well"
[resources.beds]
[states.well]
kind = "sojourn"
[[states.well.transitions]]
to = "flare"
time = { family = "exponential", mean = 0.5 }
[[states.well.transitions]]
to = "dead"
time = { family = "exponential", mean = 100 }
[states.flare]
kind = "sojourn"
[[states.flare.transitions]]
to = "ward"
time = { family = "exponential", mean = 0.2 }
[[states.flare.transitions]]
to = "well"
time = { family = "exponential", mean = 2 }
[states.ward]
kind = "sojourn"
holds = "beds"
[[states.ward.transitions]]
to = "well"
time = { family = "exponential", mean = 0.25 }
[states.dead]
kind = "death"
"""


def test_waits_that_lead_back_whatever_comes_of_them_are_left_to_des_in_time(
    tell: Callable[..., Pathway], alike: Alike
) -> None:
    """Both ways out of every wait double what microsim simulates beforehand: it says so before memory is full."""
    deadly = FLARES.replace("mean = 100", "mean = 0.4")
    alike(resolve(scarce(Scenario("deadly", tell(deadly)), 4)), together(range(20)), horizon=4.0)
    scenario = scarce(Scenario("flares", tell(FLARES)), 4)
    with pytest.raises(InputError, match=r"both outcomes of every wait .* allowed: --engine des"):
        queueing.simulate(resolve(scenario), Uniforms(1), together(range(20)), horizon=60.0)
    engine, why = choose_engine("auto", [scenario])
    assert (engine, why) == ("des", "patients return to 'flare' even if they are not granted a unit there")
    assert choose_engine("microsim", [scenario])[0] == "microsim"


ASK_AGAIN = """
title = "A bed that is asked for again every fortnight, for as long as it takes"
start = "ask"
[clocks]
entry = "ask"
[resources.beds]
[states.ask]
kind = "sojourn"
[[states.ask.transitions]]
to = "ward"
time = { family = "fixed", months = 0 }
[[states.ask.transitions]]
to = "ask"
time = { family = "fixed", months = 0.5 }
[states.ward]
kind = "sojourn"
holds = "beds"
[[states.ward.transitions]]
to = "home"
time = { family = "fixed", months = 3 }
[states.home]
kind = "end"
"""


def test_patients_who_ask_until_they_are_served_are_refused_by_microsim_and_served_by_des(
    tell: Callable[..., Pathway],
) -> None:
    model = resolve(scarce(Scenario("again", tell(ASK_AGAIN)), 1))
    with pytest.raises(InputError, match=r"1,001 one after another.*allowed: --engine des"):
        queueing.simulate(model, Uniforms(1), together(range(5)), horizon=6.0)
    _, book = des.simulate(model, Uniforms(1), together(range(5)), horizon=6.0)
    granted = np.sort(book.granted[np.isfinite(book.granted)])
    np.testing.assert_allclose(granted, [0.0, 3.0, 6.0, 9.0, 12.0], atol=1e-9)
    engine, why = choose_engine("auto", [model.scenario])
    assert (engine, "return to 'ask' without end" in why) == ("des", True)


@pytest.mark.parametrize(("share", "engine"), [(0.2, "microsim"), (0.99, "des")])
def test_patients_who_ask_again_and_again_get_an_answer_from_the_engine_that_is_chosen(
    share: float, engine: str, tell: Callable[..., Pathway]
) -> None:
    """A share of those who leave the queue come back to it: 1 of 100 do not, and 10,000 patients ask 1,000 times."""
    pause = f"""[[states.ask.transitions]]
to = "pause"
time = {{ family = "fixed", months = 0.5 }}
[states.pause]
kind = "chance"
[[states.pause.branches]]
to = "ask"
probability = {share}
[[states.pause.branches]]
to = "home"
probability = {1 - share:g}
"""
    again = '[[states.ask.transitions]]\nto = "ask"\ntime = { family = "fixed", months = 0.5 }\n'
    scenario = scarce(Scenario("again", tell(ASK_AGAIN.replace(again, pause))), 1)
    assert choose_engine("auto", [scenario])[0] == engine
    found = run(scenario, patients=200, replications=1, horizon=6.0)
    assert found.manifest["engine"] == engine


def test_what_cohorts_suggest_needs_no_draws_to_choose_an_engine() -> None:
    assert choose_engine("auto", [load_scenario("wider-salvage-todays-beds@cohorts")])[0] == "microsim"


@pytest.mark.parametrize("name", SERVICES)
def test_no_shipped_centre_doubles_its_waits(name: str) -> None:
    assert "come back" not in choose_engine("auto", [load_scenario(name)])[1]


BEYOND = {
    "a priority": ({"beds": replace(beds(1), ranks=("line", ("second",)))}, "beds has a priority"),
    "a calendar": ({"beds": Capacity(((0.0, 1), (3.0, 2)))}, "beds has a calendar"),
    "an offer": ({"scanner": Capacity(((0.0, 1),), 1.0)}, "scanner is offered at intervals"),
}


def is_for_des_only(model: Model, why: str) -> None:
    assert why in str(beyond_microsim(model.pathway, model.scenario.capacity))
    with pytest.raises(InputError, match=rf"beyond: .*{why}.*; allowed: --engine des"):
        queueing.simulate(model, Uniforms(1), together(range(5)), horizon=10.0)
    block, book = des.simulate(model, Uniforms(1), together(range(5)), horizon=10.0)
    check(table([block]), model.pathway)
    assert book.requested.size


@pytest.mark.parametrize(("capacity", "why"), BEYOND.values(), ids=BEYOND)
def test_what_is_beyond_the_queue_path_is_refused_with_the_engine_that_can(
    capacity: dict[str, Capacity], why: str, tell: Callable[..., Pathway]
) -> None:
    is_for_des_only(resolve(Scenario("beyond", tell(GRID), capacity=capacity)), why)


@pytest.mark.parametrize(
    ("way", "other", "why"),
    [
        ('to = "dead"\ntime = { family = "fixed", months = 7 }', "scan", "'listed' may request two units at once"),
        (
            'to = "home"\ntime = { family = "fixed", months = { by = "line", first = 0.5, second = 1, third = 0.5 } }',
            "scan",
            "'rehabilitation' hold one unit while they wait for another",
        ),
    ],
    ids=["either of two", "one held"],
)
def test_two_units_that_one_patient_wants_are_for_des_only(
    way: str, other: str, why: str, tell: Callable[..., Pathway]
) -> None:
    assert GRID.count(way) == 1
    text = GRID.replace(way, way.replace(way.split('"')[1], other, 1))
    is_for_des_only(resolve(scarce(Scenario("beyond", tell(text)), 1)), why)
    # Where only one of the two is limited, there is one queue, and microsim can.
    one = Scenario("within", tell(text), capacity={"beds": beds(1)})
    assert beyond_microsim(one.pathway, one.capacity) is None
