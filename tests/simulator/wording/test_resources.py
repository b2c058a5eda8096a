"""Resources in words: their units, waits and losses, and the replications needed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import DEATH, decision, load, practice, share, sojourn, world

from simulator.engines.des.engine import simulate
from simulator.engines.model import resolve
from simulator.engines.requests import together
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording import resources

NAN = float("nan")


def row(outcome: str, estimate: float, lower: float = NAN, upper: float = NAN, **more: Any) -> dict[str, Any]:
    unit = {"wait_mean": "months", "wait_over_30_days": "probability", "lost_while_waiting": "probability"}[outcome]
    row_values = {"scenario": "centre", "resource": "hsct_beds", "outcome": outcome, "unit": unit}
    row_values |= {"estimate": estimate, "lower": lower, "upper": upper, "monte_carlo_se": 0.01, "difference": NAN}
    return row_values | {"difference_lower": NAN, "difference_upper": NAN, "replications_wanted": NAN} | more


def with_beds(capacity: Capacity) -> Scenario:
    return replace(load_scenario("baseline"), name="centre", capacity={"hsct_beds": capacity})


@pytest.mark.parametrize(
    ("capacity", "words"),
    [
        (Capacity(((0.0, 1),)), "one HSCT bed"),
        (Capacity(((0.0, 12),)), "twelve HSCT beds"),
        (Capacity(((0.0, 13),)), "13 HSCT beds"),
        (Capacity(((0.0, 1),), offered_every=1.0), "one HSCT bed offered a month"),
        (Capacity(((0.0, 2),), offered_every=0.5), "two HSCT beds offered every 0.5 months"),
        (Capacity(((0.0, 1), (24.0, 3))), "one HSCT bed, three from month 24"),
        (Capacity(((0.0, 1), (1.0, 0), (2.0, 1))), "one HSCT bed, none from month 1, one from month 2"),
        (Capacity(tuple((float(month), month) for month in range(9))), "0 to 8 HSCT beds by a calendar"),
    ],
)
def test_units_are_worded_with_their_calendar(capacity: Capacity, words: str) -> None:
    assert resources.units(with_beds(capacity), "hsct_beds") == words


@pytest.mark.parametrize(
    ("name", "capacity", "words"),
    [
        ("2 HSCT beds", Capacity(((0.0, 2),)), "2 HSCT beds"),
        ("1 HSCT bed", Capacity(((0.0, 1),)), "1 HSCT bed"),
        ("1 HSCT bed", Capacity(((0.0, 2),)), "1 HSCT bed: two HSCT beds"),
        ("1 HSCT bed", Capacity(((0.0, 1), (9.0, 2))), "1 HSCT bed: one HSCT bed, two from month 9"),
        ("1 HSCT bed", Capacity(((0.0, 1),), offered_every=1.0), "1 HSCT bed: one HSCT bed offered a month"),
        ("centre", Capacity(((0.0, 1),)), "centre: one HSCT bed"),
    ],
)
def test_units_that_are_the_name_of_an_option_are_said_once(name: str, capacity: Capacity, words: str) -> None:
    assert resources.name_with_units(replace(with_beds(capacity), name=name), "hsct_beds") == words


@pytest.mark.parametrize(
    ("label", "count", "words"), [("bed", 2, "bed (two)"), ("bed", 1, "one bed"), ("Bett", 0, "Bett (none)")]
)
def test_a_label_that_is_not_a_plural_has_the_number_next_to_it(label: str, count: int, words: str) -> None:
    centre = with_beds(Capacity(((0.0, count), (24.0, 1))))
    beds = replace(centre.pathway.resources["hsct_beds"], label=label, unit="")
    centre = replace(centre, pathway=replace(centre.pathway, resources={"hsct_beds": beds}))
    assert resources.units(centre, "hsct_beds") == f"{words}, one from month 24"


@pytest.mark.parametrize(
    ("late", "lost", "words"),
    [
        (
            row("wait_over_30_days", 0.31, 0.12, 0.5),
            row("lost_while_waiting", 0.12, 0.03, 0.2),
            "One HSCT bed: of patients who request it, 31 % wait over 30 days (95 % interval 12 to 50) and "
            "12 % are lost to relapse after salvage while waiting (3 to 20).",
        ),
        (
            row("wait_over_30_days", 0.01),
            row("lost_while_waiting", 0.011),
            "One HSCT bed: of patients who request it, 1.0 % wait over 30 days and 1.1 % are lost to relapse after "
            "salvage while waiting.",
        ),
        (
            row("wait_over_30_days", 0.002),
            row("lost_while_waiting", 0.0),
            "One HSCT bed: of patients who request it, 0.2 % wait over 30 days and 0 % are lost to relapse after "
            "salvage while waiting.",
        ),
        (row("wait_over_30_days", NAN), row("lost_while_waiting", NAN), "One HSCT bed: no patient requests it."),
    ],
)
def test_waits_and_losses_of_patients_who_request_a_bed(late: dict[str, Any], lost: dict[str, Any], words: str) -> None:
    centre = with_beds(Capacity(((0.0, 1),)))
    assert resources.sentence(pd.DataFrame([late, lost]), [centre]) == words


def test_without_limits_there_is_no_sentence() -> None:
    assert resources.sentence(None, [load_scenario("baseline")]) == ""


@pytest.mark.parametrize(
    ("months", "unit", "displayed_months"), [(0.5, "days", 15.21875), (2.9, "days", 88.26875), (3.5, "months", 3.5)]
)
def test_short_waits_are_shown_in_days_and_long_ones_in_months(
    months: float, unit: str, displayed_months: float
) -> None:
    wait = row("wait_mean", months)
    displayed = resources.displayed(wait, days=resources.in_days([wait]))
    assert (displayed["unit"], displayed["estimate"]) == (unit, pytest.approx(displayed_months))
    assert displayed["monte_carlo_se"] == pytest.approx(0.01 * (30.4375 if unit == "days" else 1.0))


def test_figures_with_too_much_simulation_noise_are_named_with_the_replications_needed() -> None:
    centre = replace(with_beds(Capacity(((0.0, 1),))), service=Service(1.0, 1.0, precision=0.2))
    rows = {
        "wait_mean": row("wait_mean", 1.0, replications_wanted=3.0),
        "wait_over_30_days": row("wait_over_30_days", 0.1, replications_wanted=1200.0),
        "lost_while_waiting": row("lost_while_waiting", 0.0),
    }
    assert resources.precision(rows, centre, 4) == (
        "Simulation noise (95 % Monte Carlo error) is above 20 % of the estimate for 1 of 2 figures: wait over 30 "
        "days, of requests. For less noise use --replications 1200."
    )
    enough = "is within 20 % of every estimate (1200 replications per parameter set, 1200 needed)."
    assert resources.precision(rows, centre, 1200).endswith(enough)


def test_patients_waiting_are_lost_to_the_other_exits_of_their_state() -> None:
    centre = load_scenario("baseline")
    assert resources.lost_while_waiting([centre], ["hsct_beds", "car_t_slots"]) == (
        "Patients waiting for HSCT beds can be lost to relapse after salvage. "
        "Patients waiting for CAR-T slots can be lost to death after relapse. "
    )


@pytest.mark.parametrize(
    ("benefit", "deaths"), [(1.0, ["sepsis"]), (0.5, ["sepsis", "dead"]), (0.0, ["sepsis", "dead"])]
)
def test_patients_treated_without_benefit_are_lost_to_the_deaths_of_supportive_care_too(
    benefit: float, deaths: list[str]
) -> None:
    states = {
        "relapse": decision(listed="uptake", care="rest"),
        "listed": sojourn(bed=exponential(mean=1), sepsis=exponential(mean=10)),
        "bed": sojourn(failure=exponential(mean=1), holds="beds"),
        "failure": sojourn(dead=exponential(mean=9)),
        "care": sojourn(dead=exponential(mean=6)),
        "sepsis": DEATH,
    }
    marginal = practice(0.3, "relapse", "listed", "care", "failure")
    pathway = load(world("relapse", states, resources=["beds"], marginal=marginal, parameters={"uptake": share(0.3)}))
    beds = {"beds": Capacity(((0.0, 1),))}
    raised = Scenario("raised", pathway, set={"uptake": 0.8}, marginal_benefit=benefit, capacity=beds)
    assert resources.losses(raised, "beds") == deaths
    courses, requests = simulate(resolve(raised), Uniforms(3), together(range(400)), horizon=240.0)
    lost = set(requests.patients[np.isfinite(requests.reneged)].tolist())
    died_of = {
        state for state in ("sepsis", "dead") for patients, _ in courses.entered[state] if lost & set(patients.tolist())
    }
    assert died_of == set(deaths)


def test_without_other_exits_no_waiting_patient_can_be_lost() -> None:
    pathway = load_pathway("b_all_post_cd19")
    waits = {
        name: replace(pathway.states[name], transitions=pathway.states[name].transitions[:1])
        for name in ("awaiting_hsct", "awaiting_hsct_in_pr")
    }
    only_served = replace(pathway, states={**pathway.states, **waits})
    text = resources.lost_while_waiting([replace(load_scenario("baseline"), pathway=only_served)], ["hsct_beds"])
    assert text == "Patients waiting for HSCT beds cannot be lost. "


def test_resources_are_headed_by_their_units() -> None:
    pathway = load_pathway("b_all_post_cd19")
    assert resources.title(pathway) == "Beds and slots"
    beds = pathway.resources["hsct_beds"]
    assert resources.title(replace(pathway, resources={"hsct_beds": replace(beds, unit="")})) == "HSCT beds"
