"""What is read off a ward's book, against books that are small enough to be read by eye."""

import numpy as np
import pytest
from sojourn_times import fixed
from worlds import load, sojourn, world

from simulator.engines.requests import Requests, request_log
from simulator.engines.trajectories import Trajectories
from simulator.outcomes import resource_use
from simulator.pathway.outcome_months import OutcomeMonths
from simulator.scenario.capacity import Capacity

NEVER = np.inf
READ_AT = OutcomeMonths((6.0, 12.0, 24.0, 60.0), 12.0)
FIRST, LAST = 12.0, 24.0
BEDS = Capacity(((0.0, 2),))
BOOK = request_log(
    [
        # patient, resource, asked, granted, gone, released
        (0, 0, 11.0, 11.0, NEVER, 13.0),  # asked for before the counted months, and in a bed in the first of them
        (1, 0, 12.0, 12.0, NEVER, 14.0),
        (2, 0, 12.5, 13.0, NEVER, 15.0),  # waited for the bed of patient 0
        (3, 0, 13.5, NEVER, 15.5, NEVER),  # lost, although a bed was free from 14 on
        (4, 0, 20.0, 22.0, NEVER, 30.0),  # still in bed when counting ends
        (5, 0, 24.0, 24.0, NEVER, 25.0),  # asked for when counting has ended
    ]
)


def of_resource(requests: Requests = BOOK, capacity: Capacity = BEDS) -> dict[str, float]:
    return {name: value for name, (_, value) in resource_use.of_resource(requests, capacity, FIRST, LAST).items()}


def test_requests_and_starts_are_counted_in_the_counted_months() -> None:
    assert of_resource()["requests_per_year"] == 4.0
    assert of_resource()["starts_per_year"] == 3.0


def test_waits_are_those_of_requests_that_were_granted() -> None:
    found = of_resource()
    assert found["wait_mean"] == pytest.approx((0.0 + 0.5 + 2.0) / 3)
    assert found["wait_median"] == 0.5
    assert found["wait_90th_percentile"] == pytest.approx(0.5 + 0.8 * 1.5)


def test_shares_are_those_of_all_requests() -> None:
    assert of_resource()["wait_over_30_days"] == 2 / 4
    assert of_resource()["lost_while_waiting"] == 1 / 4


def test_thirty_days_are_not_over_thirty_days() -> None:
    month = 30.4375
    rows = [(0, 0, 12.0, 12.0 + days / month, NEVER, 14.0) for days in (29.9, 30.1)]
    assert of_resource(request_log(rows))["wait_over_30_days"] == 0.5
    at_once = request_log([(0, 0, 0.0, 30.0 / month, NEVER, 2.0)])
    assert resource_use.of_resource(at_once, BEDS, 0.0, 12.0)["wait_over_30_days"][1] == 0.0


def test_what_reaches_over_an_end_of_the_counted_months_counts_with_the_part_inside() -> None:
    found = of_resource()
    assert found["queue_length"] == pytest.approx((0.5 + 2.0 + 2.0) / 12)
    assert found["in_use"] == pytest.approx((1.0 + 2.0 + 2.0 + 2.0) / 12)
    assert found["utilisation"] == pytest.approx(found["in_use"] / 2)


def test_utilisation_is_of_the_units_that_there_were() -> None:
    calendar = Capacity(((0.0, 1), (18.0, 3)))
    assert of_resource(capacity=calendar)["utilisation"] == pytest.approx(7.0 / (6 * 1 + 6 * 3))


def test_of_units_that_are_offered_utilisation_is_the_share_that_was_taken() -> None:
    offered = Capacity(((0.0, 1),), offered_every=0.5)
    found = of_resource(capacity=offered)
    assert found["utilisation"] == pytest.approx(3 / 24)
    assert "in_use" not in found


def test_utilisation_is_of_the_offers_that_were_made_and_never_more_than_all() -> None:
    """Two units every 7 months: of months 12 to 24 in months 14 and 21, and all four are taken."""
    taken = request_log(
        [(place, 0, 13.0, month, NEVER, month + 1) for place, month in enumerate((14.0, 14.0, 21.0, 21.0))]
    )
    assert of_resource(taken, Capacity(((0.0, 2),), offered_every=7.0))["utilisation"] == 1.0
    assert np.isnan(of_resource(taken, Capacity(((0.0, 2),), offered_every=30.0))["utilisation"]), "nothing was offered"


def test_where_nobody_asks_there_are_no_waits() -> None:
    found = of_resource(request_log([]))
    assert found["requests_per_year"] == found["queue_length"] == found["utilisation"] == 0.0
    names = ("wait_mean", "wait_median", "wait_90th_percentile")
    names += ("wait_over_30_days", "lost_while_waiting", "waiting_for_ever")
    assert all(np.isnan(found[name]) for name in names)


def test_where_everybody_is_lost_nobody_has_waited_for_a_bed() -> None:
    found = of_resource(request_log([(0, 0, 12.0, NEVER, 20.0, NEVER)]))
    assert found["lost_while_waiting"] == found["wait_over_30_days"] == 1.0
    assert np.isnan(found["wait_mean"])


def test_who_waits_for_ever_is_not_lost() -> None:
    found = of_resource(request_log([(0, 0, 12.0, NEVER, NEVER, NEVER), (1, 0, 18.0, NEVER, 20.0, NEVER)]))
    assert found["waiting_for_ever"] == found["lost_while_waiting"] == 0.5
    assert found["queue_length"] == pytest.approx((12 + 2) / 12)


def test_the_queue_over_time_counts_requests_neither_granted_nor_reneged() -> None:
    months = np.array([10.0, 11.0, 12.5, 13.0, 14.0, 15.5, 21.0, 22.0, 30.0])
    waiting, in_use = resource_use.over_time(BOOK, months)
    assert waiting.tolist() == [0, 0, 1, 0, 1, 0, 1, 0, 0]
    assert in_use.tolist() == [0, 1, 2, 2, 1, 0, 0, 1, 0]


WARDS = {
    "waiting": sojourn(ward=fixed(1)),
    "ward": sojourn(other_ward=fixed(1), holds="beds"),
    "other_ward": sojourn(home=fixed(1), holds="beds"),
}


def test_a_patient_who_moves_from_a_bed_into_another_begins_no_other_unit() -> None:
    pathway = load(world("waiting", WARDS, resources=["beds", "theatres"]))
    who, month = np.array([0, 1, 2]), np.array([1.0, 1.0, 1.0])
    block = Trajectories(who, {}, np.zeros(3), np.full(3, NEVER), np.full(3, 120.0))
    block.entered = {"ward": [(who, month)], "other_ward": [(np.array([0, 1, 1]), np.array([2.0, 2.0, 9.0]))]}
    block.left = {"ward": [(who[:2], month[:2] + 1.0)]}
    origin = np.array([11.0, 12.0, 30.0])  # patient 2 begins when counting has ended

    def begun(resource: str) -> float:
        return resource_use.begun(pathway, block, origin, resource, FIRST, LAST)

    assert begun("beds") == 3.0  # patients 0 and 1, and patient 1 again in month 21
    assert begun("theatres") == 0.0


def test_survival_is_reported_by_the_year_of_arrival() -> None:
    arrival = np.array([11.0, 12.0, 20.0, 24.0, 29.0, 31.0])
    clock = np.array([5.0, 5.0, 0.0, 1.0, 2.0, 0.0])
    lived = np.array([1.0, 12.0, 30.0, 5.0, np.inf, 1.0])
    block = Trajectories(np.arange(6), {}, clock, clock + lived, clock + 120.0)
    found = resource_use.by_arrival_year(block, arrival, 12.0, 30.0, READ_AT)
    assert list(found) == [1, 2]
    assert {name: value for name, (_, value) in found[1].items()} == {
        "os_6": 1.0,
        "os_12": 0.5,
        "os_24": 0.5,
        "arrivals": 2.0,
    }
    assert found[2]["os_6"][1] == 0.5
    assert found[2]["arrivals"][1] == 2.0


def test_survival_beyond_the_follow_up_is_not_reported() -> None:
    clock, lived = np.zeros(3), np.array([2.0, 7.0, np.inf])
    block = Trajectories(np.arange(3), {}, clock, lived, clock + 12.0)
    (found,) = resource_use.by_arrival_year(block, np.array([0.0, 1.0, 2.0]), 0.0, 12.0, READ_AT).values()
    assert found["os_6"][1] == pytest.approx(2 / 3)
    assert found["os_12"][1] == pytest.approx(1 / 3)
    assert np.isnan(found["os_24"][1])


def test_a_year_in_which_nobody_arrives_has_no_survival() -> None:
    empty = np.empty(0)
    found = resource_use.by_arrival_year(Trajectories(np.arange(0), {}, empty, empty, empty), empty, 0.0, 12.0, READ_AT)
    assert found[1]["arrivals"][1] == 0.0
    assert np.isnan(found[1]["os_12"][1])
