"""What happens on a ward, as literal logs of a few patients with fixed times, in calendar months.

Each patient is a level of one attribute, so that each has times of their own; they are numbered as they are listed.
`log` runs des, and microsim's queue path beside it wherever that can run the limits.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import AT_ONCE, Table, by, fixed
from worlds import load, sojourn, world

from simulator.engines.des import engine
from simulator.engines.model import Model, resolve
from simulator.engines.requests import Arrivals, Requests, together
from simulator.outcomes.event_log import check, table
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity, beyond_microsim
from simulator.scenario.scenario import Scenario, load_scenario

NEVER = 900.0
SEED = 1


@dataclass(frozen=True)
class Course:
    """One patient's times: calendar month of coming, then months since coming, or of a stay."""

    comes: float = 0.0
    ready: float = 0.0
    relapses: float = NEVER
    dies: float = NEVER
    stays: float = 3.0
    after: float = 1.0


WAITING = {"ward": fixed("ready"), "relapse": fixed("relapses"), "dead": fixed("dies")}
WARD = {
    "listed": sojourn(**WAITING),
    "ward": sojourn(home=fixed("stays"), holds="beds"),
    "relapse": sojourn(dead=fixed("after")),
}
"""A time is the name of what a course says of it."""
Log = Callable[..., dict[str, str]]


def beds(*calendar: tuple[float, int] | int) -> Capacity:
    return Capacity(tuple((0.0, step) if isinstance(step, int) else step for step in calendar))


def numbers(model: Model, names: list[str]) -> list[int]:
    """Numbers of patients, rising, who are these levels of the attribute."""
    mix = np.cumsum(list(model.mix["name"].values()))[:-1]
    level = np.searchsorted(mix, Uniforms(SEED).at("@name", np.arange(4_000)), side="right")
    patients: list[int] = []
    for place in range(len(names)):
        patients.append(int(np.flatnonzero((level == place) & (np.arange(level.size) > max(patients, default=-1)))[0]))
    return patients


def timed(table: Any, times: Table) -> Any:
    """A table in which each patient has the times of their course."""
    if isinstance(table, dict):
        return {key: timed(value, times) for key, value in table.items()}
    if isinstance(table, list):
        return [timed(value, times) for value in table]
    return by("name", **times[table]) if table in times else table


@pytest.fixture
def log(alike: Callable) -> Log:
    """What befalls each patient: month and state of every entry but the first."""

    def simulate(
        beds: Capacity,
        *,
        states: Table = WARD,
        theatre: Capacity | None = None,
        horizon: float = 100.0,
        **courses: Course,
    ) -> dict[str, str]:
        times = {key: {name: getattr(course, key) for name, course in courses.items()} for key in asdict(Course())}
        names = {"name": dict.fromkeys(courses, 1)}
        ward = world("listed", timed(states, times), resources=["beds", "theatre"], attributes=names)
        limits = {"beds": beds} if theatre is None else {"beds": beds, "theatre": theatre}
        model = resolve(Scenario("ward", load(ward), capacity=limits))
        patients = np.array(numbers(model, list(courses)))
        origin = np.array([course.comes for course in courses.values()])
        arrivals = Arrivals(patients, origin, np.ones(patients.size, dtype=bool))
        block, _ = engine.simulate(model, Uniforms(SEED), arrivals, horizon=horizon)
        events = table([block])
        check(events, model.pathway)
        if beyond_microsim(model.pathway, limits) is None:
            alike(model, arrivals, horizon=horizon, seed=SEED)
        return {
            name: ", ".join(
                f"{event.month + origin[place]:g} {event.state}"
                for event in events[(events["patient"] == patients[place]) & (events["event"] > 0)].itertuples()
            )
            for place, name in enumerate(courses)
        }

    return simulate


def test_first_come_is_first_served_whatever_the_number(log: Log) -> None:
    assert log(beds(1), ann=Course(), bob=Course(comes=1), cyd=Course(comes=0.5, stays=1)) == {
        "ann": "0 ward, 3 home",
        "bob": "4 ward, 7 home",
        "cyd": "3 ward, 4 home",
    }


def test_what_counts_is_the_request_and_not_the_coming(log: Log) -> None:
    assert log(beds(1), ann=Course(), bob=Course(comes=1, ready=1.5), cyd=Course(comes=2)) == {
        "ann": "0 ward, 3 home",
        "bob": "6 ward, 9 home",
        "cyd": "3 ward, 6 home",
    }


def test_a_patient_who_asks_in_one_instant_is_served_by_number(log: Log) -> None:
    events = log(beds(1), ann=Course(stays=2), bob=Course(comes=0.25, ready=0.75), cyd=Course(ready=1))
    assert events == {"ann": "0 ward, 2 home", "bob": "2 ward, 5 home", "cyd": "5 ward, 8 home"}
    assert log(beds(2), ann=Course(), bob=Course(), cyd=Course(), dan=Course(stays=1)) == {
        "ann": "0 ward, 3 home",
        "bob": "0 ward, 3 home",
        "cyd": "3 ward, 6 home",
        "dan": "3 ward, 4 home",
    }


def test_a_risk_in_the_very_instant_of_a_grant_wins_and_the_bed_goes_to_the_next(log: Log) -> None:
    events = log(
        beds(1), ann=Course(), bob=Course(comes=1, dies=2), cyd=Course(comes=1, relapses=2), dan=Course(comes=2)
    )
    assert events == {"ann": "0 ward, 3 home", "bob": "3 dead", "cyd": "3 relapse, 4 dead", "dan": "3 ward, 6 home"}


def test_sums_of_the_same_times_are_one_instant_whatever_their_rounding(log: Log) -> None:
    """0.1 + 0.2 is not 0.3, but the bed is free, and the patient dead, at once."""
    events = log(beds(1), ann=Course(comes=0.1, stays=0.2), bob=Course(comes=0.2, dies=0.1), cyd=Course(comes=0.3))
    assert events == {"ann": "0.1 ward, 0.3 home", "bob": "0.3 dead", "cyd": "0.3 ward, 3.3 home"}


def test_a_bed_that_is_free_when_it_is_asked_for_is_granted_at_once_before_a_risk_of_that_instant(log: Log) -> None:
    events = log(beds(1), ann=Course(ready=2, dies=2), bob=Course(comes=5, ready=0, relapses=0))
    assert events == {"ann": "2 ward, 5 home", "bob": "5 ward, 8 home"}


def test_a_bed_that_is_not_free_when_it_is_asked_for_is_no_help_against_a_risk_of_that_instant(log: Log) -> None:
    events = log(beds(1), ann=Course(), bob=Course(ready=2, dies=2), cyd=Course(ready=2, relapses=2))
    assert events == {"ann": "0 ward, 3 home", "bob": "2 dead", "cyd": "2 relapse, 3 dead"}


def test_a_bed_given_back_in_the_instant_of_a_request_is_free_for_it(log: Log) -> None:
    events = log(beds(1), ann=Course(), bob=Course(comes=3, dies=0.5), cyd=Course(comes=2, ready=1, dies=1))
    assert events == {"ann": "0 ward, 3 home", "bob": "3 ward, 6 home", "cyd": "3 dead"}


def test_a_patient_who_dies_in_a_bed_frees_it_for_the_next(log: Log) -> None:
    deadly = WARD | {"ward": sojourn(home=fixed("stays"), dead=fixed("after"), holds="beds")}
    ann, bob, cyd = Course(after=1.5), Course(comes=1, after=9), Course(comes=2, after=0.5)
    events = log(beds(1), states=deadly, ann=ann, bob=bob, cyd=cyd)
    assert events == {"ann": "0 ward, 1.5 dead", "bob": "1.5 ward, 4.5 home", "cyd": "4.5 ward, 5 dead"}


def test_a_patient_who_gives_up_waiting_leaves_no_bed_empty(log: Log) -> None:
    events = log(beds(2), ann=Course(), bob=Course(), cyd=Course(relapses=1), dan=Course(dies=2), eve=Course(comes=2))
    assert events == {
        "ann": "0 ward, 3 home",
        "bob": "0 ward, 3 home",
        "cyd": "1 relapse, 2 dead",
        "dan": "2 dead",
        "eve": "3 ward, 6 home",
    }


@pytest.mark.parametrize("horizon", [4.0, 100.0])
def test_the_end_of_follow_up_gives_no_bed_back_and_ends_no_wait(horizon: float, log: Log) -> None:
    events = log(
        beds(1),
        horizon=horizon,
        ann=Course(stays=10),
        bob=Course(comes=1, stays=10),
        cyd=Course(comes=11, ready=0.5, stays=1),
        dan=Course(comes=20, stays=1),
        eve=Course(comes=20.5, relapses=1, after=1),
    )
    # Ann keeps the bed to month 10 and Bob to 20, however early they are seen no longer; Cyd is next.
    seen = {"ann": "0 ward", "bob": "", "cyd": "", "dan": "21 ward, 22 home", "eve": "21.5 relapse, 22.5 dead"}
    later = {"ann": "0 ward, 10 home", "bob": "10 ward, 20 home", "cyd": "20 ward, 21 home"}
    assert events == (seen if horizon == 4.0 else {**seen, **later})


def test_a_ward_that_is_closed_for_a_month_throws_nobody_out_and_takes_nobody_in(log: Log) -> None:
    events = log(
        beds(1, (2.0, 0), (3.0, 1)), ann=Course(stays=2.5), bob=Course(comes=1), cyd=Course(comes=2.75, dies=3)
    )
    assert events == {"ann": "0 ward, 2.5 home", "bob": "3 ward, 6 home", "cyd": "5.75 dead"}
    events = log(beds(1, (2.0, 0), (3.0, 1)), ann=Course(stays=9), bob=Course(comes=1))
    assert events == {"ann": "0 ward, 9 home", "bob": "9 ward, 12 home"}


def test_beds_that_open_in_month_18_serve_patients_who_have_waited_since_before(log: Log) -> None:
    events = log(
        beds((0.0, 0), (18.0, 2)), ann=Course(), bob=Course(dies=18), cyd=Course(comes=5), dan=Course(comes=18)
    )
    assert events == {"ann": "18 ward, 21 home", "bob": "18 dead", "cyd": "18 ward, 21 home", "dan": "21 ward, 24 home"}


def test_fewer_beds_throw_nobody_out_but_serve_nobody_until_enough_are_free(log: Log) -> None:
    events = log(beds(2, (1.0, 1)), ann=Course(stays=2), bob=Course(stays=4), cyd=Course(comes=0.5))
    assert events == {"ann": "0 ward, 2 home", "bob": "0 ward, 4 home", "cyd": "4 ward, 7 home"}


def test_a_bed_that_closes_in_the_instant_in_which_it_is_given_back_is_closed_first(log: Log) -> None:
    events = log(beds(1, (3.0, 0), (7.0, 1)), ann=Course(), bob=Course(comes=1), cyd=Course(comes=3))
    assert events == {"ann": "0 ward, 3 home", "bob": "7 ward, 10 home", "cyd": "10 ward, 13 home"}


def test_a_bed_that_opens_in_an_instant_is_granted_after_its_releases_and_deaths_and_by_request(log: Log) -> None:
    events = log(
        beds(1, (3.0, 2)),
        ann=Course(),
        bob=Course(comes=3),
        cyd=Course(comes=2),
        dan=Course(comes=1, dies=2),
        eve=Course(comes=1, ready=0.5),
    )
    assert events == {
        "ann": "0 ward, 3 home",
        "bob": "6 ward, 9 home",
        "cyd": "3 ward, 6 home",
        "dan": "3 dead",
        "eve": "3 ward, 6 home",
    }


def test_priority_by_attribute_comes_before_the_time_of_the_request_and_that_before_the_number(log: Log) -> None:
    by_name = replace(beds(1), ranks=("name", ("eve", "dan")))
    events = log(
        by_name,
        ann=Course(),
        bob=Course(comes=2),
        cyd=Course(comes=1),
        dan=Course(comes=2),
        eve=Course(comes=3.0),
        fay=Course(comes=1),
    )
    assert events == {
        "ann": "0 ward, 3 home",
        "eve": "3 ward, 6 home",
        "dan": "6 ward, 9 home",
        "cyd": "9 ward, 12 home",
        "fay": "12 ward, 15 home",
        "bob": "15 ward, 18 home",
    }


URGENT = {**WARD, "relapse": sojourn(ward=AT_ONCE, dead=fixed("after"))}


def test_priority_by_the_state_that_patients_wait_in(log: Log) -> None:
    """Bob relapses on the list, loses his place on it, and goes on an urgent one; without it, he is behind Cyd."""
    courses = {"ann": Course(), "bob": Course(relapses=2, after=20), "cyd": Course(comes=1), "dan": Course(comes=2.5)}
    assert log(replace(beds(1), ranks=("state", ("relapse",))), states=URGENT, **courses) == {
        "ann": "0 ward, 3 home",
        "bob": "2 relapse, 3 ward, 6 home",
        "cyd": "6 ward, 9 home",
        "dan": "9 ward, 12 home",
    }
    assert log(beds(1), states=URGENT, **courses) == {
        "ann": "0 ward, 3 home",
        "bob": "2 relapse, 6 ward, 9 home",
        "cyd": "3 ward, 6 home",
        "dan": "9 ward, 12 home",
    }


def test_offered_slots_are_taken_by_waiting_patients_and_lost_if_nobody_waits(log: Log) -> None:
    events = log(
        Capacity(((0.0, 1),), offered_every=1.0),
        ann=Course(stays=50),
        bob=Course(comes=0.5),
        cyd=Course(comes=4.25),
        dan=Course(comes=4.5, dies=1.5),
        eve=Course(comes=4.75),
        fay=Course(comes=7),
    )
    assert events == {
        "ann": "0 ward, 50 home",
        "bob": "1 ward, 4 home",
        "cyd": "5 ward, 8 home",
        "dan": "6 dead",
        "eve": "6 ward, 9 home",
        "fay": "7 ward, 10 home",
    }


def test_two_slots_every_third_month_from_month_6_on(log: Log) -> None:
    offers = Capacity(((0.0, 0), (6.0, 2)), offered_every=3.0)
    events = log(
        offers, ann=Course(), bob=Course(comes=2), cyd=Course(comes=1), dan=Course(comes=7), eve=Course(comes=8)
    )
    assert events == {
        "ann": "6 ward, 9 home",
        "bob": "9 ward, 12 home",
        "cyd": "6 ward, 9 home",
        "dan": "9 ward, 12 home",
        "eve": "12 ward, 15 home",
    }


def step_down(holds: str) -> Table:
    """The ward is followed by a stay in a bed, or in the theatre."""
    onward = sojourn(step_down=fixed("stays"), holds="beds")
    return {**WARD, "ward": onward, "step_down": sojourn(home=fixed("after"), holds=holds)}


def test_a_patient_who_moves_to_a_state_that_holds_the_same_resource_keeps_the_bed(log: Log) -> None:
    events = log(beds(1), states=step_down("beds"), ann=Course(stays=2), bob=Course(dies=2.5), cyd=Course(comes=1))
    assert events == {"ann": "0 ward, 2 step_down, 3 home", "bob": "2.5 dead", "cyd": "3 ward, 6 step_down, 7 home"}


def test_a_patient_who_waits_for_the_theatre_keeps_the_bed_and_the_next_waits_for_both(log: Log) -> None:
    events = log(
        beds(2),
        states=step_down("theatre"),
        theatre=beds(1),
        ann=Course(stays=1, after=4),
        bob=Course(stays=2, after=1),
        cyd=Course(stays=1, after=1),
        dan=Course(comes=1.5, stays=5, after=1),
    )
    # Bob blocks his bed from month 2 to 5; Cyd has Ann's from month 1, and waits for the theatre from 2 on, after Bob.
    assert events == {
        "ann": "0 ward, 1 step_down, 5 home",
        "bob": "0 ward, 5 step_down, 6 home",
        "cyd": "1 ward, 6 step_down, 7 home",
        "dan": "5 ward, 10 step_down, 11 home",
    }


def either(ready: Any, other_ready: Any, other_holds: str) -> Table:
    """Patients ask for the ward, and for another ward or the theatre."""
    risks = {"relapse": WAITING["relapse"], "dead": WAITING["dead"]}
    listed = sojourn(ward=fixed(ready), other_ward=fixed(other_ready), **risks)
    return {**WARD, "listed": listed, "other_ward": sojourn(home=fixed("stays"), holds=other_holds)}


@pytest.mark.parametrize("limit", [beds(2), beds((0.0, 0), (3.0, 2)), Capacity(((0.0, 0), (3.0, 2)), 1.5)], ids=str)
def test_a_patient_who_asks_for_two_beds_at_once_takes_the_one_declared_first_and_no_more(
    limit: Capacity, log: Log
) -> None:
    """Two beds come free, or are offered, at once: Cyd, who asked twice, has one of them and Dan the other."""
    busy = {"ann": Course(), "bob": Course()} if limit == beds(2) else {}
    courses = {"cyd": Course(), "dan": Course(comes=1), "eve": Course(comes=4, dies=2)}
    events = log(limit, states=either("ready", "ready", "beds"), **busy, **courses)
    assert {name: events[name] for name in ("cyd", "dan", "eve")} == {
        "cyd": "3 ward, 6 home",
        "dan": "3 ward, 6 home",
        "eve": "4.5 ward, 7.5 home" if limit.offered_every else "6 dead",
    }


@pytest.mark.parametrize("closed", ["beds", "theatre"])
def test_a_patient_who_asks_for_a_bed_and_the_theatre_in_one_instant_is_in_both_lists_by_number(
    closed: str, log: Log
) -> None:
    """The other one is closed for ever: Ann, who asks for both in month 1, still comes before Bob."""
    limits = {"beds": beds(1), "theatre": beds(1)} | {closed: beds(0)}
    events = log(limits["beds"], states=either(1, 1, "theatre"), theatre=limits["theatre"], ann=Course(), bob=Course())
    open_one = "ward" if closed == "theatre" else "other_ward"
    assert events == {"ann": f"1 {open_one}, 4 home", "bob": f"4 {open_one}, 7 home"}


@pytest.mark.parametrize("first", ["ward", "other_ward"])
def test_of_two_that_open_in_one_instant_the_one_that_was_asked_for_first_is_granted(first: str, log: Log) -> None:
    times = ("ready", "after") if first == "ward" else ("after", "ready")
    opens = beds((0.0, 0), (3.0, 1))
    events = log(opens, states=either(*times, "theatre"), theatre=opens, ann=Course(ready=1, after=2))
    assert events == {"ann": f"3 {first}, 6 home"}


@pytest.mark.parametrize("units", [1, 2])
def test_a_patient_who_relapses_while_waiting_for_a_transplant_has_relapsed_after_salvage(
    units: int, alike: Callable
) -> None:
    base = replace(load_scenario("hsct-for-all-responders"), capacity={"hsct_beds": beds(units)})
    events: pd.DataFrame
    book: Requests
    events, book = alike(resolve(base), together(range(300)))
    follows = events.groupby("patient").shift(-1)
    lost = np.flatnonzero(np.isfinite(book.reneged))
    assert lost.size > 20
    for who, month in zip(book.patients[lost], book.reneged[lost], strict=True):
        row = events.index[(events["patient"] == who) & events["state"].str.startswith("awaiting_hsct")]
        assert list(follows.loc[row, "state"]) == ["relapse_after_salvage"]
        assert follows.loc[row, "month"].item() == pytest.approx(month, abs=1e-9)
