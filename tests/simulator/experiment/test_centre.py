"""A centre over calendar time: who comes when, for how long they are followed, and what the wards are asked for."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sojourn_times import exponential
from worlds import months, rate, scenarios_in, sojourn, ward

from simulator.engines.model import resolve
from simulator.evidence.draws import load_draws, single
from simulator.experiment import centre
from simulator.experiment.centre import Replication
from simulator.experiment.offered_load import demand, offered_loads
from simulator.outcomes import resource_use
from simulator.pathway import pathway
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario, load_scenario

WARD = ward(
    exponential(mean="stay"), exponential(mean=5), exponential(mean=10), gives_up="home", parameters={"stay": months(2)}
)
REACHES_THE_WARD = 2 / 3
LATTICE = 2e-3
"""Relative error that the exact engine's lattice may have."""

Declare = Callable[..., Scenario]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    return scenarios_in(tmp_path, WARD)


def years(scenario: Scenario, *, engine: str = "microsim", horizon: float = 120.0, patients: int = 50) -> Replication:
    draw_values = single(load_draws(scenario.pathway), 0)
    uniforms = Uniforms(3, draw=1)
    return centre.replication(
        scenario, draw_values, engine=engine, horizon=horizon, patients=patients, uniforms=uniforms
    )


@pytest.fixture(scope="module")
def letter() -> Scenario:
    return load_scenario("letter-centre")


# --- Who comes when ---


@pytest.mark.parametrize("engine", ["microsim", "des"])
def test_patients_relapse_in_the_calendar_month_in_which_they_arrive(letter: Scenario, engine: str) -> None:
    assert letter.service is not None
    replication = years(letter, engine=engine)
    months = letter.service.months(Uniforms(3, draw=1), centre.BEYOND)
    np.testing.assert_allclose(replication.arrival, months, rtol=0, atol=1e-9)
    assert np.isfinite(replication.trajectories.clock_month).all()
    assert replication.trajectories.clock_month.max() > 12.0, "they were infused at different times before"


def test_where_the_clock_starts_with_entry_patients_enter_when_they_arrive(declare: Declare) -> None:
    scenario = declare("[capacity]\nbeds = 3\n[service]\narrival_months = [0, 1.5, 1.5, 7]\nyears = 1")
    replication = years(scenario)
    assert replication.arrival.tolist() == [0.0, 1.5, 1.5, 7.0]
    assert replication.trajectories.clock_month.tolist() == [0.0] * 4
    entered, months = replication.trajectories.entered["ward"][0]
    assert replication.requests.granted.tolist() == pytest.approx(sorted(replication.arrival[entered] + months))


@pytest.mark.parametrize(("horizon", "followed"), [(24.0, 120.0), (150.0, 150.0)])
def test_everybody_is_followed_to_the_end_of_the_groups_window_at_least(
    letter: Scenario, horizon: float, followed: float
) -> None:
    replication = years(letter, horizon=horizon)
    np.testing.assert_allclose(
        replication.trajectories.follow_up_end - replication.trajectories.clock_month, followed, rtol=0, atol=1e-9
    )
    died = np.isfinite(replication.trajectories.death_month)
    assert np.all(replication.trajectories.death_month[died] <= replication.trajectories.follow_up_end[died] + 1e-9)


def test_arrivals_go_on_until_the_last_counted_patient_has_left(letter: Scenario) -> None:
    for horizon in (12.0, 120.0):
        replication = years(letter, horizon=horizon)
        assert (replication.first, replication.last) == (12.0, 60.0)
        np.testing.assert_array_equal(replication.counted, (replication.arrival >= 12.0) & (replication.arrival < 60.0))
        assert replication.arrival.min() < 12.0, "a warm-up"
        numbers = replication.trajectories.patients[replication.counted]
        assert (
            replication.requests.over[np.isin(replication.requests.patients, numbers)].max() < replication.arrival.max()
        )
        assert replication.arrival.max() > 60.0 + 0.9 * centre.BEYOND


def test_without_a_service_everybody_enters_at_once(declare: Declare) -> None:
    replication = years(declare("[capacity]\nbeds = 3"), patients=40)
    assert replication.arrival.tolist() == [0.0] * 40
    assert replication.counted.all()
    assert replication.first == 0.0
    assert replication.last == pytest.approx(
        replication.requests.released[np.isfinite(replication.requests.released)].max()
    )


def test_a_centre_where_nobody_asks_has_a_month_to_look_at(declare: Declare) -> None:
    nobody = declare('[capacity]\nbeds = 1\n[hazard_ratio]\n"listed.ward" = 0')
    replication = years(nobody, patients=5)
    assert replication.requests.patients.size == 0
    assert replication.last == 1.0


# --- A policy from a month on ---


def policy(scenario: Scenario, **service: Any) -> Scenario:
    """A scenario's policy with another service, before which its base applies."""
    assert scenario.before is not None
    changed = replace(scenario.service, **service)  # type: ignore[type-var]
    return replace(scenario, service=changed, before=replace(scenario.before, service=changed))


def deaths(replication: Replication) -> dict[int, float]:
    return dict(
        zip(replication.trajectories.patients.tolist(), replication.trajectories.death_month.tolist(), strict=True)
    )


def test_a_policy_from_a_month_on_changes_no_patient_who_arrived_before_and_every_patient_after(tmp_path: Path) -> None:
    """Without limits: who arrives before fares as under the base, who arrives later as if it had always been."""
    service = "[service]\narrivals_per_year = 60\nyears = 4\n"
    policy = f'base = "baseline"\n[set]\nsalvage_uptake = 0.9\nhsct_wait_median = 3\n{service}policy_from_month = 24\n'
    (tmp_path / "later.toml").write_text(policy)
    (tmp_path / "always.toml").write_text(policy.replace("policy_from_month = 24\n", ""))
    (tmp_path / "never.toml").write_text(f'base = "baseline"\n{service}')
    later, always, never = (years(load_scenario(tmp_path / f"{n}.toml")) for n in ("later", "always", "never"))
    assert later.arrival.tolist() == pytest.approx(never.arrival.tolist())
    before = set(later.trajectories.patients[later.arrival < 24.0].tolist())
    deaths_by_patient, as_never, as_always = deaths(later), deaths(never), deaths(always)
    assert 60 < len(before) < len(deaths_by_patient) / 2
    for patient, month in deaths_by_patient.items():
        assert month == (as_never if patient in before else as_always)[patient]
    assert sum(as_never[patient] != as_always[patient] for patient in deaths_by_patient) > len(deaths_by_patient) / 4


DEATH_FIRST = {
    **WARD, "start": "remission", "clocks": {"listing": "listed"},
    "states": {**WARD["states"], "remission": sojourn(listed=exponential(rate="onset"), home=exponential(rate=0.1))},
    "parameters": {"stay": months(2), "onset": rate(0.1)},
}  # fmt: skip
"""Some leave before they are listed."""


@pytest.mark.parametrize("onset", [0.025, 0.4])
@pytest.mark.parametrize("ramp", [0, 12])
def test_a_policy_that_changes_which_patients_are_listed_does_not_change_how_many_are(
    tmp_path: Path, onset: float, ramp: int
) -> None:
    declare = scenarios_in(tmp_path, DEATH_FIRST)
    service = "[service]\narrivals_per_year = 240\nyears = 3\n"
    today = years(declare(f"[capacity]\nbeds = 90\n{service}", "today"))
    ramped = f"[service]\npolicy_from_month = 12\npolicy_ramp_months = {ramp}\n"
    changed = years(declare(f'base = "today.toml"\n[set]\nonset = {onset}\n{ramped}'))
    np.testing.assert_allclose(changed.arrival, today.arrival, rtol=0, atol=1e-9)
    early = changed.arrival < 12.0
    assert changed.trajectories.patients[early].tolist() == today.trajectories.patients[early].tolist()
    assert np.all(np.diff(changed.trajectories.patients) > 0)
    # Who is listed under the policy has waited for it as the policy has it: 1 / (onset + 0.1) on average.
    waited = changed.trajectories.clock_month[changed.arrival >= 12.0 + ramp]
    assert waited.mean() == pytest.approx(1 / (onset + 0.1), abs=4.5 * waited.std() / np.sqrt(waited.size))


def early_ward(folder: Path, onset: float, policy: float, service: str) -> Scenario:
    """A policy on a pathway on which some die before they are listed: the rate of being listed, before and under it."""
    declare = scenarios_in(folder, DEATH_FIRST)
    arrivals = f"[service]\narrivals_per_year = 240\nyears = 4\n[set]\nonset = {onset}\n"
    declare(f"[capacity]\nbeds = 900\n{arrivals}", "today")
    return declare(f'base = "today.toml"\n[set]\nonset = {policy}\n[service]\n{service}\n')


def test_of_a_ramp_as_many_are_under_the_policy_as_it_says_however_few_it_lists(tmp_path: Path) -> None:
    scenario = early_ward(tmp_path, 0.1, 0.01, "policy_from_month = 0\npolicy_ramp_months = 48")
    models = resolve(scenario), resolve(scenario.before)
    all_arrivals = [centre.arrivals_of_service(*models, scenario.service, 12.0, Uniforms(seed)) for seed in range(6)]
    under = np.concatenate([arrivals.under_policy[:960] for arrivals in all_arrivals])
    # Arrivals of four years: half of them on average; 4.5 standard errors.
    assert under.mean() == pytest.approx(0.5, abs=4.5 * 0.5 / np.sqrt(under.size))


@pytest.mark.parametrize(("onset", "policy"), [(0.1, 0.0), (0.0, 0.1)])
def test_where_nobody_is_listed_on_one_side_of_a_date_nobody_arrives_there(
    tmp_path: Path, onset: float, policy: float
) -> None:
    scenario = early_ward(tmp_path, onset, policy, "policy_from_month = 24")
    replication = years(scenario)
    side = replication.arrival < 24.0 if onset else replication.arrival >= 24.0
    assert side.all()
    assert 300 < replication.counted.sum() < 700


def test_a_policy_on_a_base_with_a_start_date_replaces_the_date(tmp_path: Path) -> None:
    """Until its date arrivals are under today's practice, not under the policy that it was declared on."""
    texts = {
        "today": 'base = "baseline"\n[service]\narrivals_per_year = 60\nyears = 4\n',
        "dated": 'base = "today.toml"\n[set]\nsalvage_uptake = 0.9\n[service]\npolicy_from_month = 24\n',
        "same": 'base = "dated.toml"\n',
        "later": 'base = "dated.toml"\n[service]\npolicy_from_month = 36\n',
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text)
    today, dated, same, later = (load_scenario(tmp_path / f"{name}.toml") for name in texts)
    assert later.before is not None
    assert later.before.set == today.set
    assert deaths(years(same)) == deaths(years(dated))
    replication, as_today, as_dated = years(later), deaths(years(today)), deaths(years(dated))
    assert (replication.arrival < 36.0).any()
    for patient, month in zip(replication.trajectories.patients.tolist(), replication.arrival.tolist(), strict=True):
        assert deaths(replication)[patient] == (as_today if month < 36.0 else as_dated)[patient]


def test_an_additional_patient_before_a_date_benefits_no_more_than_one_after_it(tmp_path: Path) -> None:
    salvages = ("chemotherapy", "immunotherapy", "car_t_reinfusion")
    harmless = "".join(f"toxicity_free_{salvage} = 1\n" for salvage in salvages)
    service = "[service]\narrivals_per_year = 60\nyears = 4\n"
    texts = {
        "wider": f'base = "baseline"\n[set]\nsalvage_uptake = 0.9\n{harmless}{service}',
        "sooner": 'base = "wider.toml"\n[set]\nhsct_wait_median = 1\n[service]\npolicy_from_month = 24\n',
        "today": f'base = "baseline"\n[set]\n{harmless}{service}',
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text)
    today = years(load_scenario(tmp_path / "today.toml"))
    none = years(load_scenario(f"{tmp_path / 'sooner.toml'}@0"))
    none_gain, as_today = deaths(none), deaths(today)
    all_gain = deaths(years(load_scenario(f"{tmp_path / 'sooner.toml'}@1")))
    half = load_scenario(f"{tmp_path / 'sooner.toml'}@0.5").before
    (tmp_path / "half.toml").write_text('base = "sooner.toml"\nmarginal_benefit = 0.5\n')
    declared = load_scenario(tmp_path / "half.toml").before
    assert half is not None
    assert declared is not None
    assert declared.marginal_benefit == half.marginal_benefit == 0.5
    early = [patient for patient, month in zip(today.trajectories.patients, today.arrival, strict=True) if month < 24.0]
    # Without benefit they die when they would have, or sooner, and then of the treatment's toxicity.
    places = [place for entries, _ in none.trajectories.entered.get("death_of_toxicity", ()) for place in entries]
    toxic = set(none.trajectories.patients[places].tolist())
    assert all(none_gain[patient] < as_today[patient] for patient in early if none_gain[patient] != as_today[patient])
    assert {patient for patient in early if none_gain[patient] != as_today[patient]} <= toxic
    assert [all_gain[patient] for patient in early] != [none_gain[patient] for patient in early]


def test_the_share_of_the_counted_years_arrivals_under_a_policy_by_hand() -> None:
    two_years = Service(years=2.0, arrivals_per_year=1.0, warm_up_years=1.0)
    shares = {
        (None, 0.0): 1.0,
        (0.0, 0.0): 1.0,
        (24.0, 0.0): 0.5,
        (24.0, 12.0): 6 / 24,
        (6.0, 12.0): (0.75 * 6 + 18) / 24,
        (0.0, 36.0): (1 / 3 + 1) / 2,
        (30.0, 12.0): 6 * 0.25 / 24,
        (90.0, 12.0): 0.0,
    }
    for (begin, ramp), share in shares.items():
        service = replace(two_years, policy_from_month=begin, policy_ramp_months=ramp)
        assert service.policy_share == pytest.approx(share, abs=1e-9), (begin, ramp)
    listed = Service(2.0, None, (1.0, 13.0, 24.0, 30.0, 50.0), 1.0, policy_from_month=18.0, policy_ramp_months=12.0)
    assert listed.policy_share == pytest.approx((0.0 + 0.5 + 1.0) / 3)


# --- What the wards are asked for, were nothing short ---

SERVICE = "[service]\narrivals_per_year = 12\nwarm_up_years = 1\nyears = 2\n"


def lasting(scenario: Scenario) -> float:
    return float(demand(scenario, {}).never_leaving(scenario)["beds"].mean())


def load(scenario: Scenario) -> float:
    return float(offered_loads(scenario, {})["beds"].mean())


def test_the_offered_load_by_hand(declare: Declare) -> None:
    """One arrival a month, of whom two in three reach the ward and stay 2 months on average, on 3 beds."""
    scenario = declare(f"[capacity]\nbeds = 3\n{SERVICE}")
    assert load(scenario) == pytest.approx(REACHES_THE_WARD * 2 / 3, rel=LATTICE)


def test_a_load_is_of_the_units_that_there_are_in_the_counted_years(declare: Declare) -> None:
    steps = "[{ from_month = 0, units = 90 }, { from_month = 12, units = 2 }, { from_month = 18, units = 4 }]"
    scenario = declare(f"[capacity]\nbeds = {{ units = {steps} }}\n{SERVICE}")
    assert load(scenario) == pytest.approx(REACHES_THE_WARD * 2 / 3.5, rel=LATTICE)


def test_a_load_of_offers_is_requests_over_offers(declare: Declare) -> None:
    scenario = declare(f"[capacity]\nbeds = {{ units = 3, offered_every_months = 2 }}\n{SERVICE}")
    assert load(scenario) == pytest.approx(REACHES_THE_WARD / 1.5, rel=LATTICE)


def test_a_patient_who_moves_on_with_the_unit_that_they_hold_asks_for_no_other(tmp_path: Path) -> None:
    """From the ward, half go on to a second room with the same bed, and a third of those back: still one request."""
    rooms = {
        "ward": sojourn(home=exponential(mean=4), room=exponential(mean=4), holds="beds"),
        "room": sojourn(ward=exponential(mean=3), home=exponential(mean=1.5), holds="beds"),
    }
    declare = scenarios_in(tmp_path, {**WARD, "states": {**WARD["states"], **rooms}, "parameters": {}})
    offers = f"[capacity]\nbeds = {{ units = 3, offered_every_months = 2 }}\n{SERVICE}"
    assert load(declare(offers)) == pytest.approx(REACHES_THE_WARD / 1.5, rel=LATTICE)
    assert load(declare(offers + '[hazard_ratio]\n"ward.room" = 0.5\n"listed.ward" = 0\n')) == 0.0


def test_a_load_of_a_policy_that_starts_in_the_counted_years_is_the_mean_of_before_and_after(declare: Declare) -> None:
    """From month 30 of 12 to 36: a quarter of the arrivals stay 6 months instead of 2."""
    declare(f"[capacity]\nbeds = 3\n{SERVICE}", "today")
    scenario = declare('base = "today.toml"\n[set]\nstay = 6\n[service]\npolicy_from_month = 30')
    assert load(scenario) == pytest.approx(REACHES_THE_WARD * (0.75 * 2 + 0.25 * 6) / 3, rel=LATTICE)
    always = declare('base = "today.toml"\n[set]\nstay = 6')
    assert load(always) == pytest.approx(REACHES_THE_WARD * 6 / 3, rel=LATTICE)


STAYS_LISTED = '[hazard_ratio]\n"listed.home" = 0\n'


def test_what_is_asked_for_in_the_end_is_of_the_policy_and_the_units_that_stay(declare: Declare) -> None:
    """From month 30 on everybody stays 6 months instead of 2, and from month 20 on there are 2 beds instead of 3."""
    steps = "{ units = [{ from_month = 0, units = 3 }, { from_month = 20, units = 2 }] }"
    declare(f"[capacity]\nbeds = {steps}\n{SERVICE}{STAYS_LISTED}", "today")
    scenario = declare('base = "today.toml"\n[set]\nstay = 6\n[service]\npolicy_from_month = 30')
    assert lasting(scenario) == pytest.approx(6 / 2, rel=LATTICE)
    none = steps.replace("units = 2", "units = 0")
    closing = declare(f"[capacity]\nbeds = {none}\n{SERVICE}{STAYS_LISTED}", "closing")
    assert lasting(closing) == np.inf
    ramp = declare('base = "policy.toml"\n[service]\npolicy_ramp_months = 12', "ramp")
    # The counted years end in month 36, when the policy's share is half.
    assert lasting(ramp) == pytest.approx((6 + 2) / 2 / 2, rel=LATTICE)
    listed = declare(f"[capacity]\nbeds = 1\n{STAYS_LISTED}[service]\narrival_months = [0, 0, 0]\nyears = 1", "listed")
    assert demand(listed, {}).never_leaving(listed) == {}, "a list ends"


def test_a_policy_applies_to_patients_who_arrive_in_the_month_it_starts(declare: Declare) -> None:
    listed = Service(2.0, None, (0.0, 6.0, 12.0, 18.0), policy_from_month=12.0)
    assert listed.policy_share == 0.5
    assert listed.under_policy(Uniforms(1), np.arange(4), np.array(listed.arrival_months)).tolist() == [0, 0, 1, 1]


def test_every_draw_has_a_load_of_its_own(declare: Declare) -> None:
    scenario = declare(f"[capacity]\nbeds = 3\n{SERVICE}")
    stays = {"stay": np.array([[1.0], [6.0]])}
    loads = offered_loads(scenario, stays)["beds"]
    np.testing.assert_allclose(loads, REACHES_THE_WARD * np.array([1.0, 6.0]) / 3, rtol=LATTICE)


def test_the_queue_over_time_is_read_in_the_middle_of_the_counted_months(declare: Declare) -> None:
    """Units that are offered at the beginning of each month leave nobody waiting just then, but later in the month."""
    service = "[service]\narrivals_per_year = 600\nyears = 2\n"
    scenario = declare(f"[capacity]\nbeds = {{ units = 50, offered_every_months = 1 }}\n{service}")
    *_, ward, _ = centre.run(scenario, {}, engine="des", horizon=12.0, patients=1, seed=1, draw=1, replications=1)
    assert ward.months.tolist() == [month + 0.5 for month in range(24)]
    queue = ward.outcomes["beds", 0, "queue_length"][1][0]
    assert ward.queue["beds"].mean() == pytest.approx(queue, rel=0.1)


def test_without_a_service_there_is_no_load(declare: Declare) -> None:
    assert offered_loads(declare("[capacity]\nbeds = 3"), {}) == {}


def test_utilisation_is_the_load_where_beds_abound(declare: Declare) -> None:
    """Over many years, of 40 beds that are never short; the stay's spread alone makes it vary."""
    scenario = declare("[capacity]\nbeds = 40\n[service]\narrivals_per_year = 120\nwarm_up_years = 1\nyears = 100")
    replication = years(scenario, horizon=60.0)
    assert np.all(replication.requests.waited == 0.0)
    held = np.minimum(replication.requests.released, replication.last) - np.maximum(
        replication.requests.granted, replication.first
    )
    busy = np.maximum(held, 0.0).sum() / (replication.last - replication.first) / 40
    # 8,000 admissions of exponential stay at random times: a relative standard error of sqrt(2 / 8,000).
    assert busy == pytest.approx(load(scenario), rel=4 * math.sqrt(2 / 8_000))


# --- What is begun, limited or not ---


@pytest.mark.parametrize("engine", ["microsim", "des"])
@pytest.mark.parametrize("name", ["letter-centre", "wider-salvage-todays-beds"])
def test_starts_counted_from_the_patients_are_those_of_the_wards_book(name: str, engine: str) -> None:
    replication = years(load_scenario(name), engine=engine)
    scenario = load_scenario(name)
    book = resource_use.of_resource(
        replication.requests.of(0), scenario.capacity["hsct_beds"], replication.first, replication.last
    )
    starts = resource_use.begun(
        scenario.pathway, replication.trajectories, replication.origin, "hsct_beds", replication.first, replication.last
    )
    assert starts == book["starts_per_year"][1] > 0.0


def test_a_resource_has_as_many_starts_without_a_limit_as_with_one_that_is_never_reached(letter: Scenario) -> None:
    plenty = replace(letter, capacity={name: Capacity(((0.0, 1_000),)) for name in letter.pathway.resources})
    draw_values, settings = single(load_draws(letter.pathway), 0), {"engine": "des", "horizon": 120.0, "patients": 1}
    parts = [
        centre.run(scenario, draw_values, **settings, seed=3, draw=1, replications=2)[2].outcomes
        for scenario in (plenty, letter, replace(letter, capacity={}))
    ]
    for resource in letter.pathway.resources:
        limited, _, free = (part[resource, 0, "starts_per_year"][1] for part in parts)
        assert free.tolist() == limited.tolist()
        assert free.sum() > 0.0
    assert ("car_t_slots", 0, "starts_per_year") in parts[1]


# --- What is asked once ---


def test_a_draw_has_one_model_and_a_pathway_one_graph_however_many_replications(
    letter: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            asked.append(name)
            return function(*arguments)

        return counted

    monkeypatch.setattr(centre, "resolve", counting("model", centre.resolve))
    monkeypatch.setattr(pathway, "reachable", counting("graph", pathway.reachable))
    draw_values, scenario = single(load_draws(letter.pathway), 0), replace(letter, pathway=replace(letter.pathway))
    for draw in (1, 2):
        centre.run(
            scenario, draw_values, engine="microsim", horizon=12.0, patients=1, seed=1, draw=draw, replications=3
        )
    assert asked.count("model") == 2
    assert 0 < asked.count("graph") <= 3 * len(scenario.pathway.states)
