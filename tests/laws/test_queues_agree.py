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
from sojourn_times import Table, by, exponential, fixed
from worlds import KINDS, chance, load, policies_of_the_default_suite, slow, sojourn, ward, world

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
    capacity = {name: beds(units[min(i, len(units) - 1)]) for i, name in enumerate(scenario.pathway.resources)}
    return replace(scenario, capacity=capacity, service=None, before=None)


def limitable() -> list[str]:
    """Every shipped pathway, and every shipped scenario, in which somebody may hold a resource."""
    pathways = [f"pathway:{name}" for name in shipped.names() if load_pathway(name).resources]
    # A service scenario differs from its base in who comes when, and is run as it is below.
    # With milestones des is alone: see test_milestones.py.
    of_scenarios = [n for n in scenarios.names() if n not in SERVICES and not load_scenario(n).pathway.milestones]
    return pathways + [name for name in of_scenarios if load_scenario(name).pathway.resources]


EVERY_LIMITABLE = pytest.mark.parametrize("name", policies_of_the_default_suite(limitable()))


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
    for place, resource in enumerate(model.scenario.capacity.values()):
        fair(book.of(place), resource.units)


@EVERY_LIMITABLE
def test_every_shipped_policy_with_few_units_of_everything(name: str, alike: Alike, fair: Fair) -> None:
    for benefit in (1.0, 0.5, 0.0):
        model = resolve(scarce(policy(name).with_marginal_benefit(benefit), 1, 2))
        events, book = alike(model, together(range(PATIENTS)))
        check(events, model.pathway)
        every_book_is_fair(book, model, fair)
        if model.marginal is None or not model.marginal.raised:
            break


@pytest.mark.parametrize(
    ("units", "benefit"),
    [((1,), 0.5), slow((1, 50), 0.0), ((50, 1), 0.5), slow((2, 3), 1.0), slow((6, 4), 0.5)],
    ids=str,
)
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


@pytest.mark.parametrize(("years", "benefit"), [slow(1.0, 0.5), (10.0, 0.5), (1.0, 0.0), slow(10.0, 1.0)])
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


@pytest.mark.parametrize("name", policies_of_the_default_suite(SERVICES, KINDS))
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


@pytest.mark.parametrize(("horizon", "seed"), [(0.0, 2), slow(3.0, 3), (3.0, 4), slow(24.0, 5)])
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


@EVERY_LIMITABLE
def test_with_a_bed_for_everybody_nobody_waits_and_both_equal_the_unlimited_run(name: str, alike: Alike) -> None:
    unlimited = policy(name).with_marginal_benefit(0.5)
    patients = range(20, 20 + PATIENTS)
    events, book = alike(resolve(scarce(unlimited, PATIENTS)), together(patients))
    expected = table(microsim.simulate(resolve(unlimited), Uniforms(1), patients, horizon=120.0))
    pd.testing.assert_frame_equal(events, expected, rtol=0.0, atol=1e-9)
    np.testing.assert_array_equal(book.granted, book.requested)


def test_without_a_limit_no_book_is_kept_and_both_equal_the_unlimited_run(model: Model, alike: Alike) -> None:
    free = resolve(replace(model.scenario, capacity={}, service=None, before=None))
    events, book = alike(free, together(range(100)))
    unlimited = table(microsim.simulate(free, Uniforms(1), range(100), horizon=120.0))
    pd.testing.assert_frame_equal(events, unlimited, rtol=0.0, atol=1e-9)
    assert book.requested.size == 0


@pytest.mark.parametrize("engine", [queueing, des], ids=["microsim", "des"])
def test_a_centre_where_nobody_comes_has_no_events_and_an_empty_book(engine: ModuleType) -> None:
    model = resolve(scarce(wider(0.5), 1))
    block, book = engine.simulate(model, Uniforms(1), together(range(0)), horizon=120.0, before=model)
    assert table([block]).empty
    assert book.requested.size == 0


def test_patients_simulated_together_in_one_block_are_those_of_many_blocks(
    monkeypatch: pytest.MonkeyPatch, alike: Alike
) -> None:
    model, arrivals = resolve(scarce(wider(0.5, second_salvage_uptake=0.8), 1)), over_years(PATIENTS, 3.0)
    whole = alike(model, arrivals, before=model)
    monkeypatch.setattr(queueing, "BLOCK", 30)
    in_parts = alike(model, arrivals, before=model)
    pd.testing.assert_frame_equal(whole[0], in_parts[0])
    for mine, theirs in zip(whole[1].columns, in_parts[1].columns, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def by_line(first: float, second: float, third: float, **cure: float) -> Table:
    return fixed(by("line", first=first, second=second, third=third), **cure)


def grid(clock: str = "listed", listed_for_long: str = "dead", after_ward: str = "home", **cure: float) -> Table:
    """Everything at whole and half months: a scan, a ward and rehabilitation in the same bed."""
    states = {
        "referred": sojourn(scan=by_line(0.5, 1, 1), dead=by_line(2.5, 1.5, 9, **cure)),
        "scan": sojourn(listed=fixed(0.5), holds="scanner"),
        "listed": sojourn(ward=by_line(0, 1, 0.5), worse=by_line(2, 1, 7), **{listed_for_long: fixed(7, **cure)}),
        "worse": chance(referred=0.5, dead="rest"),
        "ward": sojourn(rehabilitation=by_line(1, 2, 0.5), holds="beds"),
        "rehabilitation": sojourn(reviewed=fixed(0.5), holds="beds", **{after_ward: by_line(0.5, 1, 0.5)}),
        "reviewed": chance(referred=0.3, home="rest"),
    }
    lines = {"line": {"first": 1, "second": 1, "third": 1}}
    return world("referred", states, clocks={clock: clock}, resources=["beds", "scanner"], attributes=lines)


@pytest.mark.parametrize(
    ("units", "horizon"),
    [slow((1, 1), 40.0), ((1, 3), 6.5), ((3, 1), 40.0), slow((4, 2), 2.0), slow((9, 9), 40.0)],
    ids=str,
)
def test_where_every_time_is_a_half_month_ties_abound_and_they_agree(
    units: tuple[int, int], horizon: float, alike: Alike, fair: Fair
) -> None:
    model = resolve(scarce(Scenario("ties", load(grid())), *units))
    n = 60
    random = np.random.default_rng(4)
    on_the_grid = Arrivals(np.arange(n), random.integers(0, 24, n) / 2.0, np.ones(n, dtype=bool))
    for arrivals in (together(range(n)), on_the_grid, replace(on_the_grid, origin=on_the_grid.origin + 0.1)):
        events, book = alike(model, arrivals, horizon=horizon)
        check(events, model.pathway)
        every_book_is_fair(book, model, fair)
        ends = np.minimum(book.granted, book.reneged)
        assert len(np.unique(np.rint(ends * 1e6))) < ends.size, "no ties"


def test_a_queue_before_the_clock_starts_where_some_are_at_no_other_risk(alike: Alike, fair: Fair) -> None:
    """Follow-up has no end yet, and neither has the wait of who is cured."""
    model = resolve(scarce(Scenario("before the clock", load(grid("ward", cure=0.5))), 1))
    _, book = alike(model, together(range(40)), horizon=12.0)
    every_book_is_fair(book, model, fair)
    assert np.isfinite(book.granted).any()


def by_name(guard: float, through: float, direct: float) -> Table:
    return fixed(by("name", guard=guard, through=through, direct=direct))


PASSING_THROUGH = world(
    "listed",
    {
        "listed": sojourn(gate=by_name(0.5, 1, 900), direct=by_name(900, 900, 0)),
        "gate": sojourn(lobby=by_name(2.5, 0, 0), holds="gate"),
        "lobby": sojourn(ward=by_name(100, 0, 0)),
        "direct": sojourn(ward=fixed(3)),
        "ward": sojourn(home=fixed(2), holds="beds"),
    },
    resources=["gate", "beds"],
    attributes={"name": {"guard": 1, "through": 1, "direct": 1}},
)
"""A gate that a patient passes through in no time, to a ward that others ask for in the same instant."""


@pytest.mark.parametrize("order", list(permutations(("guard", "through", "direct"))), ids=" ".join)
def test_a_patient_who_asks_for_another_bed_in_the_instant_of_a_grant_takes_their_turn_by_number(
    order: tuple[str, ...], alike: Alike
) -> None:
    """The guard leaves the gate in month 3: `through` passes it and asks for the bed, as `direct` does just then."""
    model = resolve(scarce(Scenario("gate", load(PASSING_THROUGH)), 1))
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
    model, before = (resolve(scarce(scenario, 1)) for scenario in (wider(benefit), load_scenario("baseline")))
    arrivals, kept = over_years(PATIENTS, 3.0), tally.counted_states(model.pathway)
    block, _ = queueing.simulate(model, Uniforms(1), arrivals, horizon=120.0, before=before, keep=kept)
    whole, _ = des.simulate(model, Uniforms(1), arrivals, horizon=120.0, before=before)
    some = np.arange(PATIENTS) % 3 > 0
    counted, expected = (tally.of_blocks(model, 60.0, [trajectories.only(some)]) for trajectories in (block, whole))
    for key, curve in expected.survival.items():
        np.testing.assert_array_equal(counted.survival[key], curve)
    assert counted.counts == expected.counts


def flares(years: float) -> Table:
    """A chronic disease that flares, a day ward, and patients who come back whether they had a bed or not."""
    states = {
        "well": sojourn(flare=exponential(mean=0.5), dead=exponential(mean=years)),
        "flare": sojourn(ward=exponential(mean=0.2), well=exponential(mean=2)),
        "ward": sojourn(well=exponential(mean=0.25), holds="beds"),
    }
    return world("well", states, clocks={"entry": "well"}, resources=["beds"])


def test_waits_that_lead_back_whatever_comes_of_them_are_left_to_des_in_time(alike: Alike) -> None:
    """Both ways out of every wait double what microsim simulates beforehand: it says so before memory is full."""
    alike(resolve(scarce(Scenario("deadly", load(flares(0.4))), 4)), together(range(20)), horizon=4.0)
    scenario = scarce(Scenario("flares", load(flares(100))), 4)
    with pytest.raises(InputError, match=r"both outcomes of every wait .* allowed: --engine des"):
        queueing.simulate(resolve(scenario), Uniforms(1), together(range(20)), horizon=60.0)
    engine, why = choose_engine("auto", [scenario])
    assert (engine, why) == ("des", "patients return to 'flare' even if they are not granted a unit there")
    assert choose_engine("microsim", [scenario])[0] == "microsim"


def ask_again(after_a_fortnight: str = "listed", **states: Table) -> Table:
    """A bed that is asked for again every fortnight, for as long as it takes."""
    clocks = {"entry": "listed"}
    return ward(fixed(3), patience=fixed(0.5), gives_up=after_a_fortnight, states=states, clocks=clocks)


def test_patients_who_ask_until_they_are_served_are_refused_by_microsim_and_served_by_des() -> None:
    model = resolve(scarce(Scenario("again", load(ask_again())), 1))
    with pytest.raises(InputError, match=r"1,001 one after another.*allowed: --engine des"):
        queueing.simulate(model, Uniforms(1), together(range(5)), horizon=6.0)
    _, book = des.simulate(model, Uniforms(1), together(range(5)), horizon=6.0)
    granted = np.sort(book.granted[np.isfinite(book.granted)])
    np.testing.assert_allclose(granted, [0.0, 3.0, 6.0, 9.0, 12.0], atol=1e-9)
    engine, why = choose_engine("auto", [model.scenario])
    assert (engine, "return to 'listed' without end" in why) == ("des", True)


@pytest.mark.parametrize(("share", "engine"), [(0.2, "microsim"), slow(0.99, "des")])
def test_patients_who_ask_again_and_again_get_an_answer_from_the_engine_that_is_chosen(
    share: float, engine: str
) -> None:
    """A share of those who leave the queue come back to it: 1 of 100 do not, and 10,000 patients ask 1,000 times."""
    comes_back = ask_again("pause", pause=chance(listed=share, home=1 - share))
    scenario = scarce(Scenario("again", load(comes_back)), 1)
    assert choose_engine("auto", [scenario])[0] == engine
    results = run(scenario, patients=200, replications=1, horizon=6.0)
    assert results.manifest["engine"] == engine


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
    capacity: dict[str, Capacity], why: str
) -> None:
    is_for_des_only(resolve(Scenario("beyond", load(grid()), capacity=capacity)), why)


@pytest.mark.parametrize(
    ("leads_to_the_scan", "why"),
    [
        ("listed_for_long", "'listed' may request two units at once"),
        ("after_ward", "'rehabilitation' hold one unit while they wait for another"),
    ],
    ids=["either of two", "one held"],
)
def test_two_units_that_one_patient_wants_are_for_des_only(leads_to_the_scan: str, why: str) -> None:
    pathway = load(grid(**{leads_to_the_scan: "scan"}))
    is_for_des_only(resolve(scarce(Scenario("beyond", pathway), 1)), why)
    # Where only one of the two is limited, there is one queue, and microsim can.
    one = Scenario("within", pathway, capacity={"beds": beds(1)})
    assert beyond_microsim(one.pathway, one.capacity) is None
