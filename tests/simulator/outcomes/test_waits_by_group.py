"""Who waits and who is lost, by the state they wait in, attribute and priority: counted by hand, and all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.engines.requests import request_log
from simulator.engines.trajectories import Trajectories
from simulator.experiment.results import Results
from simulator.experiment.run import run
from simulator.outcomes.resource_use import Values
from simulator.outcomes.waits_by_group import PRIORITY, REST, Group, of_groups
from simulator.pathway.format import load_pathway
from simulator.report.tables import groups
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import load_scenario
from simulator.wording.intervals import Estimate
from simulator.wording.table import Table

NEVER = np.inf
PATHWAY = load_pathway("b_all_post_cd19")
LOG = request_log(
    [
        # patient, resource, requested, granted, reneged, released
        (10, 0, 13.0, 13.5, NEVER, 14.0),  # in CR, CD19 positive
        (11, 0, 14.0, NEVER, 17.0, NEVER),  # in PR, CD19 negative or dim: lost after three months
        (12, 0, 15.0, 15.0, NEVER, 16.0),  # in PR, CD19 positive
        (10, 0, 20.0, NEVER, 20.5, NEVER),  # the first again, now in PR: lost after half a month
    ]
)


def outcomes(capacity: Capacity) -> dict[Group, Values]:
    """Patients 10, 11 and 12 enter at months 10, 12 and 15, and reach these states months later."""
    block = Trajectories.at_entry(
        np.array([10, 11, 12]),
        {name: np.zeros(3, dtype=int) for name in PATHWAY.attributes} | {"cd19": np.array([0, 1, 0])},
        12.0,
    )
    block.entered = {
        "awaiting_hsct": [(np.array([0]), np.array([3.0]))],
        "awaiting_hsct_in_pr": [(np.array([1, 2]), np.array([2.0, 0.0])), (np.array([0]), np.array([9.5]))],
    }
    origin = np.array([10.0, 12.0, 15.0])
    return of_groups(LOG, block, origin, PATHWAY, "hsct_beds", capacity, 12.0, 24.0, (90,))


def test_a_request_belongs_to_the_state_that_its_patient_entered_last() -> None:
    of_states = {level: values for (by, level), values in outcomes(Capacity(((0.0, 1),))).items() if by == "state"}
    in_cr, in_pr = of_states["awaiting_hsct"], of_states["awaiting_hsct_in_pr"]
    assert (in_cr["requests_per_year"][1], in_pr["requests_per_year"][1]) == (1.0, 3.0)
    assert (in_cr["lost_per_year"][1], in_pr["lost_per_year"][1]) == (0.0, 2.0)
    assert in_cr["wait_mean"][1] == pytest.approx(0.5)
    assert in_pr["lost_while_waiting"][1] == pytest.approx(2 / 3)


def test_patients_are_grouped_by_their_attributes_and_any_days() -> None:
    of_levels = {level: values for (by, level), values in outcomes(Capacity(((0.0, 1),))).items() if by == "cd19"}
    assert {level: values["requests_per_year"][1] for level, values in of_levels.items()} == {
        "positive": 3.0, "negative_or_dim": 1.0, "unknown": 0.0,
    }  # fmt: skip
    assert of_levels["negative_or_dim"]["wait_over_90_days"][1] == 1.0
    assert of_levels["positive"]["wait_over_30_days"][1] == 0.0
    assert np.isnan(of_levels["unknown"]["lost_while_waiting"][1])


def test_classes_of_a_priority_are_groups_and_those_in_none_come_last() -> None:
    ranked = Capacity(((0.0, 1),), ranks=("cd19", ("negative_or_dim",)))
    classes = {level: values for (by, level), values in outcomes(ranked).items() if by == PRIORITY}
    assert list(classes) == ["negative_or_dim", REST]
    assert [values["requests_per_year"][1] for values in classes.values()] == [1.0, 3.0]


@pytest.fixture(scope="module")
def centre() -> Results:
    busy = load_scenario("regional-centre")
    assert busy.service is not None
    service = replace(busy.service, years=2.0, warm_up_years=0.5, wait_days=(60,))
    return run(replace(busy, service=service), draws=2, replications=2, horizon=12.0, overload=True)


def test_the_groups_of_a_run_have_all_its_requests_and_losses(centre: Results) -> None:
    assert centre.service is not None
    assert centre.waits_by_group is not None
    whole = centre.service[centre.service["resource"] == "hsct_beds"].set_index("outcome")["estimate"]
    for _, rows in centre.waits_by_group.groupby("by"):
        for outcome in ("requests_per_year", "lost_per_year"):
            parts = rows.loc[rows["outcome"] == outcome, "estimate"]
            assert parts.sum() == pytest.approx(whole[outcome], rel=1e-6)
    assert whole["lost_per_year"] > 0.0


def test_a_table_names_the_groups_in_words_and_has_every_number_of_days(centre: Results) -> None:
    (table,) = groups.of_resource(centre, "hsct_beds")
    assert isinstance(table, Table)
    assert [column.label for column in table.columns[1:]] == [
        "requests a year", "over 30 days, %", "over 60 days, %", "lost while waiting, %", "lost a year",
    ]  # fmt: skip
    assert centre.waits_by_group is not None
    lost = centre.waits_by_group[centre.waits_by_group["outcome"] == "lost_while_waiting"].iloc[0]
    cell = table.rows[0].cells[3]
    assert isinstance(cell, Estimate)
    assert (float(cell.value), float(cell.error)) == pytest.approx(
        (100 * lost["estimate"], 100 * lost["monte_carlo_se"]), rel=0.06
    )
    labels = [row.label for row in table.rows]
    assert labels[:3] == ["awaiting HSCT in CR", "awaiting HSCT in PR", "CD19 positive"]
    assert "no HSCT before relapse" in labels
