"""What a clock counts from, and who is of a group: windows, deaths before the clock, patients who never reach it."""

import numpy as np
import pytest
from sojourn_times import Table, by, exponential, fixed
from worlds import END, load, longer_remission, rate, share, slow, sojourn, world

from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.exact import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

STATES = {
    "referred": {
        "kind": "chance",
        "branches": [
            {"to": "treated", "name": "at once", "probability": "at_once"},
            {"to": "waiting", "probability": "waits"},
            {"to": "lost", "probability": "lost"},
        ],
    },
    "waiting": sojourn(
        treated=exponential(rate="start_rate"), dead=exponential(rate=by("fitness", fit=0.02, frail=0.2))
    ),
    "treated": sojourn(second_line=exponential(rate=0.1), dead=exponential(rate=0.05)),
    "second_line": sojourn(dead=exponential(rate=0.3)),
    "lost": END,
}


def referral(**states: Table) -> Pathway:
    """Referred, perhaps treated; some die or are lost before treatment begins."""
    return load(world(
        "referred", {**STATES, **states}, group_window=10, clocks={"treatment": "treated", "referral": "referred"},
        attributes={"fitness": {"fit": 1, "frail": 1}},
        groups={
            "second_line": "second_line", "first_line_only": ("treated", "second_line"), "referred": "referred"
        },
        counts={
            "referrals": {"entries": "referred"}, "starts": {"entries": "treated"},
            "second_lines": {"entries": "second_line"}, "months_treated": {"months": ["treated", "second_line"]},
        },
        parameters={"at_once": share(0), "waits": share(1), "lost": share(0), "start_rate": rate(0.2)},
    ))  # fmt: skip


S, D = 0.15, 0.05  # hazards of leaving the treated state, and of dying there


def solve(pathway: Pathway, horizon: float = 60.0, **levers: float) -> Curves:
    return engine.curves(resolve(Scenario("referral", pathway, set=levers)), horizon)


def test_the_default_clock_counts_from_treatment_and_only_treated_patients() -> None:
    curves = solve(referral())
    t = curves.months
    # dP/dt of treated -0.15, of second line 0.1 - 0.3: illness and death, whose survival is a sum of exponentials.
    alive = np.exp(-S * t) + 0.1 / (0.3 - S) * (np.exp(-S * t) - np.exp(-0.3 * t))
    np.testing.assert_allclose(curves.survival["treatment", "all"][0], alive, atol=1e-4)
    # The frail who reach treatment are fewer: 0.2 / 0.4 of them, against 0.2 / 0.22 of the fit.
    np.testing.assert_allclose(curves.sizes["fitness=frail"], 0.5 / (0.5 + 0.2 / 0.22), atol=1e-4)
    np.testing.assert_allclose(curves.counts["starts"], 1.0, atol=1e-9)


def test_the_entry_clock_counts_everybody_also_patients_who_die_before_treatment() -> None:
    curves = solve(referral())
    t = curves.months
    expected = 0.0
    for dies in (0.02, 0.2):
        waiting = np.exp(-(0.2 + dies) * t)
        treated = 0.2 / (S - 0.2 - dies) * (np.exp(-(0.2 + dies) * t) - np.exp(-S * t))
        # Second line: treated, then 0.1 a month, then 0.3; partial fractions of a chain of three.
        rates = np.array([0.2 + dies, S, 0.3])
        terms = [np.exp(-r * t) / np.prod([o - r for o in rates if o != r]) for r in rates]
        expected = expected + 0.5 * (waiting + treated + 0.2 * 0.1 * sum(terms))
    np.testing.assert_allclose(curves.survival["referral", "all"][0], expected, atol=1e-4)
    np.testing.assert_allclose(sum(curves.occupancy["referral"].values()), 1.0, atol=1e-7)


@pytest.mark.representatives(5)
@pytest.mark.parametrize(
    "levers",
    [
        {},
        {"at_once": 0.4, "waits": 0.6},
        {"at_once": 0.3, "waits": 0.5, "lost": 0.2},
        {"lost": 0.7, "waits": 0.3},
        {"start_rate": 0.0},
        {"at_once": 1.0, "waits": 0.0},
        {"lost": 1.0, "waits": 0.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("horizon", [6.0, 36.0])
def test_both_engines_see_the_same_patients_on_both_clocks(levers: dict[str, float], horizon: float) -> None:
    """Some are treated at once, some are lost, nobody is ever treated: DKW and Hoeffding, one in ten thousand."""
    model = resolve(Scenario("referral", referral(), set=levers))
    n = 40_000
    solved, simulated = engine.curves(model, horizon), microsim.curves(model, horizon, patients=n, uniforms=Uniforms(6))
    reached = simulated.patients or 0
    for (clock, population), survival in simulated.survival.items():
        everybody = clock == "referral" and population not in model.pathway.groups
        stands_on = n * 0.49 if everybody else reached * float(simulated.sizes[population][0])
        expected = solved.survival[clock, population]
        assert np.isnan(survival).all() == np.isnan(expected).all(), (clock, population)
        if not np.isnan(survival).all():
            band = np.sqrt(np.log(2 * 20 / 1e-4) / (2 * stands_on))
            assert np.abs(survival - expected).max() < band + 2e-4, (clock, population)
    for name, size in simulated.sizes.items():
        assert abs(size - solved.sizes[name]) < np.sqrt(np.log(2 * 20 / 1e-4) / (2 * max(reached, 1))) + 1e-6, name
    for clock, states in simulated.occupancy.items():
        for state, there in states.items():
            off = np.abs(there - solved.occupancy[clock][state])[:, ::10].max()
            assert off < np.sqrt(np.log(2 * 500 / 1e-4) / (2 * max(reached, 1))) + 2e-4, (clock, state)
    for name, count in simulated.counts.items():
        noise = 5 * np.sqrt(np.nan_to_num(simulated.count_variances[name]) / max(reached, 1))
        assert abs(count - solved.counts[name]) < noise + 1e-3, name


def test_what_comes_before_the_clock_does_not_count_even_at_the_same_instant() -> None:
    model = resolve(Scenario("referral", referral(), set={"at_once": 0.4, "waits": 0.6}))
    for curves in (engine.curves(model, 12.0), microsim.curves(model, 12.0, patients=2_000, uniforms=Uniforms(1))):
        assert curves.sizes["referred"] == curves.counts["referrals"] == 0.0
        np.testing.assert_allclose(curves.counts["starts"], 1.0, atol=1e-9)


def test_a_group_is_the_patients_who_enter_within_the_window_at_every_horizon() -> None:
    """P(second line within 10 months) = 0.1 / 0.15 (1 - exp(-1.5)), whether one looks 5, 10, 60 or 150 months ahead."""
    pathway = referral()
    for horizon in (5.0, 10.0, 60.0, 150.0):
        sizes = solve(pathway, horizon).sizes
        within = 0.1 / S * (1 - np.exp(-S * 10))
        np.testing.assert_allclose(sizes["second_line"], within, atol=1e-5)
        np.testing.assert_allclose(sizes["first_line_only"], 1 - within, atol=1e-5)


def test_a_patient_who_enters_after_the_window_stays_out_of_the_group() -> None:
    """First line only: who died in it by month 10, and who is in it then and may take any course after."""
    curves = solve(referral())
    t = curves.months
    within = 0.1 / S * (1 - np.exp(-S * 10))
    died = D / S * (1 - np.exp(-S * np.minimum(t, 10)))
    still = np.exp(-S * 10)
    later = np.maximum(t - 10, 0)
    alive = np.exp(-S * later) + 0.1 / (0.3 - S) * (np.exp(-S * later) - np.exp(-0.3 * later))
    expected = 1 - (died + still * (1 - alive)) / (1 - within)
    np.testing.assert_allclose(curves.survival["treatment", "first_line_only"][0], expected, atol=2e-4)


@pytest.mark.parametrize("horizon", [20.0, 24.0, 60.0])
def test_a_group_that_nobody_can_enter_in_time_is_empty_at_every_horizon(horizon: float) -> None:
    model = resolve(Scenario("fixed", fixed_stays(40)))
    simulated = microsim.curves(model, horizon, patients=1_000, uniforms=Uniforms(2))
    for curves in (engine.curves(model, horizon), simulated):
        np.testing.assert_allclose(curves.sizes["hospice"], 0.0, atol=1e-8)
        assert np.isnan(curves.survival["admission", "hospice"]).all()


@pytest.mark.parametrize("name", [slow("baseline"), "wider-salvage", slow("wider-salvage@0"), slow("earlier-hsct")])
def test_the_letters_groups_are_the_same_at_every_horizon(name: str) -> None:
    model = resolve(load_scenario(name))
    by_horizon = [engine.curves(model, horizon) for horizon in (24.0, 120.0, 150.0)]
    for group in model.pathway.groups:
        sizes = [curves.sizes[group][0] for curves in by_horizon]
        np.testing.assert_allclose(sizes, sizes[0], atol=1e-5, err_msg=group)
        for clock in model.pathway.clocks:
            short, *longer = (at_whole_months(curves, (clock, group)) for curves in by_horizon)
            for survival in longer:
                np.testing.assert_allclose(survival, short, atol=2e-5, err_msg=f"{clock} {group}")


def at_whole_months(curves: Curves, key: tuple[str, str]) -> Floats:
    """S at months 0, 1, ..., 24."""
    return curves.survival[key][0, np.rint(np.arange(25) / curves.months[1]).astype(int)]


def test_treated_and_untreated_are_everybody_and_hsct_and_other_are_the_treated() -> None:
    for name in ("baseline", "wider-salvage", "wider-salvage@0.5", "no-hsct"):
        sizes = engine.curves(resolve(load_scenario(name)), 24.0).sizes
        np.testing.assert_allclose(sizes["treated"] + sizes["untreated"], 1.0, atol=1e-9)
        np.testing.assert_allclose(sizes["hsct"] + sizes["other_treated"], sizes["treated"], atol=1e-9)


def test_the_clock_of_relapse_does_not_see_when_the_relapse_came() -> None:
    base, longer = (engine.curves(resolve(of), 120.0) for of in (load_scenario("baseline"), longer_remission()))
    for population in ("all", "treated", "hsct"):
        relapse, infusion = ("relapse", population), ("infusion", population)
        np.testing.assert_allclose(longer.survival[relapse], base.survival[relapse], atol=1e-8)
        assert np.all(longer.survival[infusion] >= base.survival[infusion] - 1e-8)
        assert longer.survival[infusion][0, 120] > base.survival[infusion][0, 120] + 0.02


def fixed_stays(home: float = 12.9) -> Pathway:
    """Stays of fixed length, which end at the very edge of a window and of a horizon."""
    states = {
        "waiting": sojourn(ward=exponential(rate=0.2)), "ward": sojourn(home=fixed(11.1)),
        "home": sojourn(hospice=fixed(home)), "hospice": sojourn(dead=exponential(rate=0.2)),
    }  # fmt: skip
    clocks = {"admission": "ward", "referral": "waiting"}
    return load(world(
        "waiting", states, group_window=24, clocks=clocks, groups={"hospice": "hospice"},
        counts={"hospice": {"entries": "hospice"}},
    ))  # fmt: skip


@pytest.mark.parametrize("horizon", [24.0, 30.0])
def test_an_entry_at_the_very_edge_of_window_and_horizon_counts_for_everybody(horizon: float) -> None:
    """11.1 + 12.9 months are 24, whatever rounding makes of the sum."""
    model = resolve(Scenario("fixed", fixed_stays()))
    for curves in (
        engine.curves(model, horizon),
        microsim.curves(model, horizon, patients=5_000, uniforms=Uniforms(2)),
    ):
        np.testing.assert_allclose(curves.sizes["hospice"], 1.0, atol=1e-7)
        np.testing.assert_allclose(curves.counts["hospice"], 1.0, atol=1e-7)
        expected = np.exp(-0.2 * np.maximum(curves.months - 24.0, 0.0))
        np.testing.assert_allclose(
            curves.survival["admission", "hospice"][0], expected, atol=1e-4 if curves.patients is None else 0.03
        )


def test_patients_in_an_endless_cycle_never_reach_the_clock() -> None:
    circle = {
        "lost": sojourn(wandering=fixed(1)),
        # A way out that is always too late: treatment after two months, where everybody leaves after one.
        "wandering": sojourn(lost=fixed(1), treated=fixed(2)),
    }
    curves = solve(referral(**circle), at_once=0.2, waits=0.5, lost=0.3)
    fit, frail = (0.2 + 0.5 * 0.2 / (0.2 + dies) for dies in (0.02, 0.2))
    np.testing.assert_allclose(curves.sizes["fitness=frail"], frail / (fit + frail), atol=1e-4)
    np.testing.assert_allclose(curves.counts["starts"], 1.0, atol=1e-9)
    np.testing.assert_allclose(sum(curves.occupancy["referral"].values()), 1.0, atol=1e-7)
