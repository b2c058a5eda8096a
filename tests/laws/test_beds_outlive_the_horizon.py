"""Outcomes stop at the horizon; beds and queues do not: waits and use are the same at every horizon.

That requests follow queueing theory is shown at one horizon, by the known answers; they are the same at every other.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sojourn_times import Table, exponential, fixed, gamma, law, piecewise_exponential
from worlds import chance, decision, policy, practice, share, slow, sojourn, ward, world

from simulator import run
from simulator.engines.requests import Requests
from simulator.errors import InputError
from simulator.experiment import centre
from simulator.experiment.centre import Replication
from simulator.outcomes import resource_use
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

ENGINES = pytest.mark.parametrize("engine", ["microsim", "des"])


def years(scenario: Scenario, horizon: float, *, engine: str = "microsim", replication: int = 0) -> Replication:
    uniforms = Uniforms(11, replication=replication)
    return centre.replication(scenario, {}, engine=engine, horizon=horizon, patients=60, uniforms=uniforms)


def counted(replication: Replication) -> Requests:
    """The requests of the counted years."""
    return replication.requests.only(
        (replication.requests.requested >= replication.first) & (replication.requests.requested < replication.last)
    )


def same(one: Requests, other: Requests) -> None:
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        np.testing.assert_array_equal(mine, theirs)


LATE = fixed(900)


def beds_of(stay: Table, tables: str, patience: Table | None = LATE, **more: Any) -> Scenario:
    """A bed that is asked for at once and held until death, with capacity and service as in a scenario's file."""
    return policy(ward(stay, patience=patience, **{"then": "dead", **more}), tables)


# --- Three arrivals, one bed, a stay of 18 months ---


@ENGINES
@pytest.mark.parametrize("horizon", [1.0, 12.0, 24.0, 120.0])
def test_a_patient_keeps_the_bed_and_the_next_waits_for_it_whatever_the_horizon(horizon: float, engine: str) -> None:
    """Arrivals in months 0, 6.5 and 14 wait for 0, 11.5 and 22 months: the mean is 33.5 / 3."""
    service = "[service]\narrival_months = [0, 6.5, 14]\nyears = 2\n"
    scenario = beds_of(fixed(18), f"[capacity]\nbeds = 1\n{service}")
    replication = years(scenario, horizon, engine=engine)
    assert replication.requests.waited.tolist() == pytest.approx([0.0, 11.5, 22.0])
    assert replication.requests.released.tolist() == pytest.approx([18.0, 36.0, 54.0])
    results = run(scenario, engine=engine, horizon=horizon, overload=True)
    assert results.service is not None
    table = results.service.set_index("outcome")["estimate"]
    assert table["wait_mean"] == pytest.approx(33.5 / 3.0)
    # In use from month 0 to the end of the counted two years.
    assert table["utilisation"] == pytest.approx(1.0)


def test_without_arrivals_over_time_everybody_is_served_too() -> None:
    scenario = beds_of(fixed(0.5), "[capacity]\nbeds = 2\n")
    short, long = (years(scenario, horizon) for horizon in (1.0, 120.0))
    same(short.requests, long.requests)
    assert short.last == long.last == pytest.approx(15.0)
    assert np.sort(short.requests.waited).tolist() == pytest.approx(np.repeat(np.arange(30) / 2.0, 2))


def test_histories_and_deaths_end_at_the_horizon_as_before() -> None:
    scenario = beds_of(fixed(0.5), "[capacity]\nbeds = 2\n")
    for engine in ("microsim", "des"):
        replication = years(scenario, 3.0, engine=engine)
        assert max(month.max() for entries in replication.trajectories.entered.values() for _, month in entries) <= 3.0
        assert np.isfinite(replication.trajectories.death_month).sum() == 12, "six rounds of two beds"
        assert replication.requests.granted.max() > 14.0


# --- The same requests at every horizon ---


@ENGINES
def test_a_queue_of_one_bed_has_the_same_requests_at_every_horizon(engine: str) -> None:
    """Stays that differ as much as those of the known answers, which are of one horizon."""
    service = f"[service]\narrivals_per_year = {12 * 0.7}\nwarm_up_years = 8\nyears = 60\n"
    scenario = beds_of(gamma(shape=0.5, mean=1), f"[capacity]\nbeds = 1\n{service}", fixed(100_000))
    for replication in range(2):
        short, *longer = (
            counted(years(scenario, horizon, engine=engine, replication=replication)) for horizon in (6.0, 12.0, 120.0)
        )
        assert short.patients.size > 400
        for requests in longer:
            same(short, requests)


def peer_with_beds() -> str:
    """The peer pathway, whose patients come back; each HSCT begins with a bed that is asked for at once."""
    text = Path(str(load_pathway("peer_pathway").file)).read_text(encoding="utf-8")
    text = text.replace('start = "remission"\n', 'start = "remission"\n[resources.beds]\n', 1)
    text = text.replace('to = "hsct"', 'to = "awaiting_bed"')
    return text + (
        '[states.awaiting_bed]\nkind = "sojourn"\n[[states.awaiting_bed.transitions]]\nto = "admission"\n'
        'time = { family = "fixed", months = 0 }\n'
        '[states.admission]\nkind = "sojourn"\nholds = "beds"\n[[states.admission.transitions]]\nto = "hsct"\n'
        'time = { family = "exponential", mean = 1 }\n'
    )


@pytest.mark.parametrize("engine", ["microsim", slow("des")])
def test_where_patients_come_back_waits_and_use_are_the_same_at_every_horizon(engine: str) -> None:
    service = "[service]\narrivals_per_year = 60\nwarm_up_years = 3\nyears = 3\n"
    scenario = policy(peer_with_beds(), f"[capacity]\nbeds = 4\n{service}")
    near, far = (years(scenario, horizon, engine=engine) for horizon in (24.0, 1_000.0))
    same(counted(near), counted(far))
    use_near, use_far = (
        [value for _, value in resource_use.of_resource(
            run.requests, scenario.capacity["beds"], run.first, run.last
        ).values()]
        for run in (near, far)
    )  # fmt: skip
    assert use_near == pytest.approx(use_far, rel=1e-12)
    patients = counted(near).patients
    assert patients.size > np.unique(patients).size, "nobody came back"
    assert counted(near).waited.mean() > 0.0


# --- Who arrives, and until when ---


def test_patients_arrive_until_the_last_counted_patient_has_left() -> None:
    """With stays of 100 months that is long after the counted year, and whatever the horizon."""
    service = "[service]\narrivals_per_year = 12\nyears = 1\n"
    scenario = beds_of(fixed(100), f"[capacity]\nbeds = 30\n{service}")
    for horizon in (1.0, 120.0):
        replication = years(scenario, horizon)
        assert replication.arrival.max() > counted(replication).released.max() - 5.0 > 95.0


# --- What has no end is refused ---


NO_END = {
    "a cure": (exponential(mean=1, cure=0.01), "patients who never leave 'ward'"),
    "a hazard that runs out": (
        law("gompertz", shape=-0.5, rate=0.1),
        "some units are never released; got .patients who never leave 'ward'",
    ),
    "no hazard after a time": (piecewise_exponential(breaks=[2], rates=[1, 0]), "never leave 'ward'"),
}


@pytest.mark.parametrize(("stay", "complaint"), NO_END.values(), ids=NO_END)
@pytest.mark.parametrize("service", ["", "[service]\narrivals_per_year = 12\nyears = 1\n"], ids=["together", "years"])
def test_a_unit_that_is_never_given_back_is_refused_with_its_state(stay: Table, complaint: str, service: str) -> None:
    scenario = beds_of(stay, f"[capacity]\nbeds = 9\n{service}")
    for overload in (False, True):
        with pytest.raises(InputError, match=rf"policy.toml: \[capacity\] beds: .*{complaint}"):
            run(scenario, patients=20, overload=overload)


@pytest.mark.parametrize("service", ["", "[service]\narrivals_per_year = 12\nyears = 1\n"], ids=["together", "years"])
def test_a_cycle_that_is_never_left_is_refused_by_name(service: str) -> None:
    scenario = beds_of(exponential(mean=1), f"[capacity]\nbeds = 9\n{service}", then="listed")
    with pytest.raises(InputError, match=r"return to it without end; got .*cycle.*: listed, ward.; allowed: an exit"):
        run(scenario, patients=20, overload=True)


TREATED_IN_A_BED = {
    "in the bed itself": ("bed", "home", "never released; got .patients treated without benefit who never leave 'bed'"),
    "in a cycle": ("failure", "ask", "patients treated without benefit return to it without end; got .*: ask, bed."),
}


@pytest.mark.parametrize("engine", ["auto", "des"])
@pytest.mark.parametrize(("no_benefit", "onward", "complaint"), TREATED_IN_A_BED.values(), ids=TREATED_IN_A_BED)
def test_a_bed_held_for_ever_by_patients_who_neither_benefit_nor_die_is_refused(
    no_benefit: str, onward: str, complaint: str, engine: str
) -> None:
    """A tenth of the untreated never die. A run at full benefit shows a half of it, too."""
    for cure, benefit in ((0.1, 0.5), (0.1, 1.0), (0.0, 0.5)):
        states = {
            "diagnosis": chance(relapse=0.9, failure=0.1),
            "relapse": decision(ask="uptake", care="rest"),
            "ask": sojourn(bed=fixed(0)),
            "bed": sojourn(**{onward: exponential(mean=2), "dead": exponential(mean=2)}, holds="beds"),
            "failure": sojourn(home=exponential(mean=1)),
            "care": sojourn(dead=exponential(mean=6, cure=cure)),
        }
        marginal = practice(0.3, "relapse", "ask", "care", no_benefit)
        tables = {"resources": ["beds"], "marginal": marginal, "parameters": {"uptake": share(0.3)}}
        more = f"marginal_benefit = {benefit}\n[set]\nuptake = 0.8\n[capacity]\nbeds = 30\n"
        service = "[service]\narrivals_per_year = 12\nyears = 1\n"
        scenario = policy(world("diagnosis", states, **tables), more + service)
        if cure:
            with pytest.raises(InputError, match=rf"policy.toml: \[capacity\] beds: .*{complaint}.* 'care' that"):
                run(scenario, engine=engine)
        else:
            run(scenario, engine=engine, replications=1)


def test_a_patient_who_comes_round_without_a_limited_unit_may_do_so_for_ever() -> None:
    """After the bed, check-ups every other month without end: patients are followed to the horizon, and no further."""
    again = {"well": sojourn(checked=fixed(1)), "checked": sojourn(well=fixed(1), dead=exponential(rate=0))}
    scenario = beds_of(exponential(mean=1), "[capacity]\nbeds = 9\n", then="well", states=again)
    for engine in ("microsim", "des"):
        replication = years(scenario, 30.0, engine=engine)
        assert max(month.max() for _, month in replication.trajectories.entered["well"]) <= 30.0


def test_a_patient_who_is_never_served_waits_for_ever_and_is_not_called_lost() -> None:
    """The ward closes in month 2 for good; whoever has no other risk is still waiting when all else is over."""
    closing = "[capacity]\nbeds = { units = [{ from_month = 0, units = 1 }, { from_month = 2, units = 0 }] }\n"
    scenario = beds_of(fixed(1), f"{closing}[service]\narrival_months = [0, 0.5, 1, 3]\nyears = 1\n", None)
    replication = years(scenario, 12.0, engine="des")
    assert replication.requests.granted.tolist() == pytest.approx([0.0, 1.0, np.inf, np.inf])
    assert np.isinf(replication.requests.reneged).all()
    outcomes = resource_use.of_resource(replication.requests, scenario.capacity["beds"], 0.0, 12.0)
    assert (outcomes["waiting_for_ever"][1], outcomes["lost_while_waiting"][1]) == (0.5, 0.0)
    assert outcomes["queue_length"][1] == pytest.approx((0.5 + 11.0 + 9.0) / 12.0)
