"""Outcomes of resource use, against request logs that are small enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sojourn_times import fixed
from worlds import load, sojourn, world

from simulator.engines.requests import Requests, request_log
from simulator.engines.trajectories import Trajectories
from simulator.outcomes import resource_use
from simulator.pathway.outcome_months import OutcomeMonths
from simulator.scenario.capacity import Capacity

NEVER = np.inf
OUTCOME_MONTHS = OutcomeMonths((6.0, 12.0, 24.0, 60.0), 12.0)
FIRST_MONTH, LAST_MONTH = 12.0, 24.0
BEDS = Capacity(((0.0, 2),))
LOG = request_log(
    [
        # patient, resource, requested, granted, reneged, released
        (0, 0, 11.0, 11.0, NEVER, 13.0),  # requested before the counted months, and in a bed in the first of them
        (1, 0, 12.0, 12.0, NEVER, 14.0),
        (2, 0, 12.5, 13.0, NEVER, 15.0),  # waited for the bed of patient 0
        (3, 0, 13.5, NEVER, 15.5, NEVER),  # lost, although a bed was free from 14 on
        (4, 0, 20.0, 22.0, NEVER, 30.0),  # still in bed when counting ends
        (5, 0, 24.0, 24.0, NEVER, 25.0),  # requested when counting has ended
    ]
)


def outcomes_of(requests: Requests = LOG, capacity: Capacity = BEDS) -> dict[str, float]:
    return {
        name: value
        for name, (_, value) in resource_use.of_resource(requests, capacity, FIRST_MONTH, LAST_MONTH).items()
    }


def test_requests_and_starts_are_counted_in_the_counted_months() -> None:
    assert outcomes_of()["requests_per_year"] == 4.0
    assert outcomes_of()["starts_per_year"] == 3.0


def test_waits_are_those_of_requests_that_were_granted() -> None:
    outcomes = outcomes_of()
    assert outcomes["wait_mean"] == pytest.approx((0.0 + 0.5 + 2.0) / 3)
    assert outcomes["wait_median"] == 0.5
    assert outcomes["wait_90th_percentile"] == pytest.approx(0.5 + 0.8 * 1.5)


def test_shares_are_those_of_all_requests() -> None:
    assert outcomes_of()["wait_over_30_days"] == 2 / 4
    assert outcomes_of()["lost_while_waiting"] == 1 / 4


def test_thirty_days_are_not_over_thirty_days() -> None:
    month = 30.4375
    rows = [(0, 0, 12.0, 12.0 + days / month, NEVER, 14.0) for days in (29.9, 30.1)]
    assert outcomes_of(request_log(rows))["wait_over_30_days"] == 0.5
    at_once = request_log([(0, 0, 0.0, 30.0 / month, NEVER, 2.0)])
    assert resource_use.of_resource(at_once, BEDS, 0.0, 12.0)["wait_over_30_days"][1] == 0.0


def test_every_request_is_served_at_once_soon_or_late_or_is_lost() -> None:
    outcomes = outcomes_of()
    assert outcomes["served_at_once"] == 1 / 4
    assert outcomes["served_within_7_days"] == 0.0
    assert outcomes["served_within_30_days"] == 1 / 4
    assert outcomes["lost_within_30_days"] == 0.0


def test_a_wait_of_seven_days_is_within_seven_days() -> None:
    waits = [days / 30.4375 for days in (6.9, 7.0, 7.1, 30.0)]
    rows = [(place, 0, 0.0, wait, NEVER, 2.0) for place, wait in enumerate(waits)]
    outcomes = resource_use.of_resource(request_log([*rows, (9, 0, 0.0, NEVER, 0.5, NEVER)]), BEDS, 0.0, 12.0)
    ends = {name: outcomes[name][1] for name in resource_use.ENDS_OF_WAITS}
    assert list(ends.values()) == [0.0, 2 / 5, 2 / 5, 1 / 5]


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([0.0, 0.1, 0.23, 0.5, 0.9856, 1.0, 3.0, NEVER])] * 2), min_size=1))
def test_the_ends_of_waits_and_the_waits_over_30_days_are_all_requests(waits: list[tuple[float, float]]) -> None:
    rows = [
        (place, 0, 1.0, 1.0 + (served if served <= lost else NEVER), 1.0 + (lost if lost < served else NEVER), NEVER)
        for place, (served, lost) in enumerate(waits)
    ]
    outcomes = resource_use.of_resource(request_log(rows), BEDS, 0.0, 12.0)
    names = [*resource_use.ENDS_OF_WAITS, "wait_over_30_days"]
    assert sum(outcomes[name][1] for name in names) == pytest.approx(1.0)
    assert outcomes["lost_within_30_days"][1] <= outcomes["lost_while_waiting"][1]


def test_stays_across_an_end_of_the_counted_months_count_for_their_part_inside() -> None:
    outcomes = outcomes_of()
    assert outcomes["queue_length"] == pytest.approx((0.5 + 2.0 + 2.0) / 12)
    assert outcomes["in_use"] == pytest.approx((1.0 + 2.0 + 2.0 + 2.0) / 12)
    assert outcomes["utilisation"] == pytest.approx(outcomes["in_use"] / 2)


def test_utilisation_uses_the_capacity_of_each_month() -> None:
    calendar = Capacity(((0.0, 1), (18.0, 3)))
    assert outcomes_of(capacity=calendar)["utilisation"] == pytest.approx(7.0 / (6 * 1 + 6 * 3))


def test_utilisation_of_offered_units_is_the_share_taken() -> None:
    offered = Capacity(((0.0, 1),), offered_every=0.5)
    outcomes = outcomes_of(capacity=offered)
    assert outcomes["utilisation"] == pytest.approx(3 / 24)
    assert "in_use" not in outcomes


def test_utilisation_of_offered_units_is_at_most_all_offers_made() -> None:
    """Two units every 7 months: of months 12 to 24 in months 14 and 21, and all four are taken."""
    taken = request_log(
        [(place, 0, 13.0, month, NEVER, month + 1) for place, month in enumerate((14.0, 14.0, 21.0, 21.0))]
    )
    assert outcomes_of(taken, Capacity(((0.0, 2),), offered_every=7.0))["utilisation"] == 1.0
    assert np.isnan(outcomes_of(taken, Capacity(((0.0, 2),), offered_every=30.0))["utilisation"]), "nothing was offered"


def test_without_requests_there_are_no_waits() -> None:
    outcomes = outcomes_of(request_log([]))
    assert outcomes["requests_per_year"] == outcomes["queue_length"] == outcomes["utilisation"] == 0.0
    names = ("wait_mean", "wait_median", "wait_90th_percentile")
    names += ("wait_over_30_days", "lost_while_waiting", "waiting_for_ever", *resource_use.ENDS_OF_WAITS)
    assert all(np.isnan(outcomes[name]) for name in names)


def test_if_all_patients_are_lost_there_is_no_mean_wait() -> None:
    outcomes = outcomes_of(request_log([(0, 0, 12.0, NEVER, 20.0, NEVER)]))
    assert outcomes["lost_while_waiting"] == outcomes["wait_over_30_days"] == 1.0
    assert np.isnan(outcomes["wait_mean"])


def test_a_patient_who_waits_for_ever_is_not_lost() -> None:
    outcomes = outcomes_of(request_log([(0, 0, 12.0, NEVER, NEVER, NEVER), (1, 0, 18.0, NEVER, 20.0, NEVER)]))
    assert outcomes["waiting_for_ever"] == outcomes["lost_while_waiting"] == 0.5
    assert outcomes["queue_length"] == pytest.approx((12 + 2) / 12)


def test_the_queue_over_time_counts_requests_neither_granted_nor_reneged() -> None:
    months = np.array([10.0, 11.0, 12.5, 13.0, 14.0, 15.5, 21.0, 22.0, 30.0])
    waiting, in_use = resource_use.over_time(LOG, months)
    assert waiting.tolist() == [0, 0, 1, 0, 1, 0, 1, 0, 0]
    assert in_use.tolist() == [0, 1, 2, 2, 1, 0, 0, 1, 0]


TWO_WARDS = {
    "waiting": sojourn(ward=fixed(1)),
    "ward": sojourn(other_ward=fixed(1), holds="beds"),
    "other_ward": sojourn(home=fixed(1), holds="beds"),
}


def test_a_patient_who_moves_between_wards_in_a_bed_starts_only_once() -> None:
    pathway = load(world("waiting", TWO_WARDS, resources=["beds", "theatres"]))
    patients, month = np.array([0, 1, 2]), np.array([1.0, 1.0, 1.0])
    block = Trajectories(patients, {}, np.zeros(3), np.full(3, NEVER), np.full(3, 120.0))
    block.entered = {"ward": [(patients, month)], "other_ward": [(np.array([0, 1, 1]), np.array([2.0, 2.0, 9.0]))]}
    block.left = {"ward": [(patients[:2], month[:2] + 1.0)]}
    origin = np.array([11.0, 12.0, 30.0])  # patient 2 begins when counting has ended

    def starts_of(resource: str) -> float:
        return resource_use.begun(pathway, block, origin, resource, FIRST_MONTH, LAST_MONTH)

    assert starts_of("beds") == 3.0  # patients 0 and 1, and patient 1 again in month 21
    assert starts_of("theatres") == 0.0


def test_survival_is_reported_by_the_year_of_arrival() -> None:
    arrival = np.array([11.0, 12.0, 20.0, 24.0, 29.0, 31.0])
    clock = np.array([5.0, 5.0, 0.0, 1.0, 2.0, 0.0])
    lived = np.array([1.0, 12.0, 30.0, 5.0, np.inf, 1.0])
    block = Trajectories(np.arange(6), {}, clock, clock + lived, clock + 120.0)
    outcomes = resource_use.by_arrival_year(block, arrival, 12.0, 30.0, OUTCOME_MONTHS)
    assert list(outcomes) == [1, 2]
    assert {name: value for name, (_, value) in outcomes[1].items()} == {
        "os_6": 1.0,
        "os_12": 0.5,
        "os_24": 0.5,
        "arrivals": 2.0,
    }
    assert outcomes[2]["os_6"][1] == 0.5
    assert outcomes[2]["arrivals"][1] == 2.0


def test_survival_after_the_end_of_follow_up_is_not_reported() -> None:
    clock, lived = np.zeros(3), np.array([2.0, 7.0, np.inf])
    block = Trajectories(np.arange(3), {}, clock, lived, clock + 12.0)
    (outcomes,) = resource_use.by_arrival_year(block, np.array([0.0, 1.0, 2.0]), 0.0, 12.0, OUTCOME_MONTHS).values()
    assert outcomes["os_6"][1] == pytest.approx(2 / 3)
    assert outcomes["os_12"][1] == pytest.approx(1 / 3)
    assert np.isnan(outcomes["os_24"][1])


def test_a_year_in_which_nobody_arrives_has_no_survival() -> None:
    empty = np.empty(0)
    outcomes = resource_use.by_arrival_year(
        Trajectories(np.arange(0), {}, empty, empty, empty), empty, 0.0, 12.0, OUTCOME_MONTHS
    )
    assert outcomes[1]["arrivals"][1] == 0.0
    assert np.isnan(outcomes[1]["os_12"][1])
