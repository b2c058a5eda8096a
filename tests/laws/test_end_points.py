"""End points: a patient's first entry, from the start of a clock on, into a set of states.

Closed forms of every engine stand in `known_answers.py`. Here: what patients' histories show, and the exact engine
against simulated patients on both clocks, of every population, with groups that form after the event.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from every_engine import curves_of
from scipy import special, stats
from sojourn_times import Table, by, exponential, fixed, gamma, weibull
from worlds import DEATH, END, chance, decision, exit_to, load, practice, scenario, share, slow, sojourn, ward, world

from simulator import compare, run
from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.exact import engine as exact
from simulator.engines.exact.first_events import FirstEvents
from simulator.engines.exact.solution import Solution
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.experiment import shards
from simulator.outcomes.event_log import table
from simulator.outcomes.summaries import median, of_end_points
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario

FALSE_ALARM, STEP_ERROR, PATIENTS = 1e-4, 2e-4, 100_000


def second_line(**end_points: Table) -> Pathway:
    """Remission, perhaps a flare, relapse, treatment with several lines or none; patients come back to two states."""
    states = {
        "remission": sojourn(
            flare=exponential(mean=by("sex", f=10, m=4)),
            relapse=weibull(median=8, shape=1.3),
            dead=exponential(rate=0.02),
        ),
        "flare": sojourn(
            relapse=exponential(rate=0.2), dead=exponential(rate=0.05), remission=exponential(rate=0.1)
        ),
        "relapse": decision(salvage="uptake", care="rest"),
        "care": sojourn(dead=weibull(median=3, shape=1.5)),
        "salvage": sojourn(response=weibull(median=1.5, shape=3), toxicity=exponential(rate=0.1)),
        "toxicity": sojourn(response=exponential(mean=by("sex", f=2, m=5)), dead=exponential(rate=0.2)),
        "response": chance(complete=0.6, none="rest"),
        "complete": sojourn(hsct=exponential(rate=0.5), again=exponential(mean=by("sex", f=6, m=3), cure=0.3)),
        "none": sojourn(dead=exponential(rate=0.3)),
        "hsct": sojourn(dead=exponential(rate=0.05), again=exponential(rate=0.04)),
        "again": sojourn(salvage=exponential(rate=0.3), dead=exponential(rate=0.4)),
    }  # fmt: skip
    return load(world(
        "remission", states, clocks={"relapse": "relapse", "entry": "remission"}, group_window=14,
        groups={"hsct": "hsct", "other": ("salvage", "hsct")}, attributes={"sex": {"f": 2, "m": 1}},
        parameters={"uptake": share(0.5)},
        marginal=practice(0.5, "relapse", "salvage", "care", "none"),
        end_points={name: {"causes": causes} for name, causes in end_points.items()},
    ))  # fmt: skip


END_POINTS: dict[str, Table] = {
    "free": {"no response": "none", "relapse": "again", "death": "dead"},
    "relapse": {"relapse": "relapse", "flare": "flare", "death": "dead"},
    "response": {"response": ["response", "complete"], "hsct": "hsct"},
}
"""After the clock starts; before it and at its start; a choice, before groups form."""
POLICIES: dict[str, dict[str, Any]] = {
    "today": {},
    "more are treated": {"set": {"uptake": 0.9}},
    "and a part of them benefit": {"set": {"uptake": 0.9}, "marginal_benefit": 0.4},
}
LAST_BY_DEFAULT = [*map(slow, [*POLICIES.values()][:-1]), [*POLICIES.values()][-1]]
"""The last one has what the others have."""


@pytest.mark.parametrize("levers", LAST_BY_DEFAULT, ids=POLICIES)
def test_exact_agrees_with_simulated_patients_on_both_clocks_and_in_every_population(levers: dict[str, Any]) -> None:
    policy = Scenario("policy", second_line(**END_POINTS), **levers)
    solved, simulated = (curves_of(engine, policy, 24.0, PATIENTS) for engine in ("exact", "microsim"))
    stride = round(simulated.months[1] / solved.months[1])
    assert solved.patients is None
    for name, counted in simulated.end_points.items():
        curves = solved.end_points[name]
        comparisons = [(key, cause) for key in counted.survival for cause in counted.incidence]
        for key, cause in comparisons:
            off = np.abs(counted.incidence[cause][key] - curves.incidence[cause][key][:, ::stride]).max()
            assert off < dkw(simulated, key[1], 30 * len(comparisons)), (name, key, cause, off)
        for key, means in counted.means.items():
            off = abs(means.mean() - curves.means[key].mean())
            assert off < dkw(simulated, key[1], 30 * len(comparisons)), (name, key, off)


def dkw(simulated: Curves, population: str, comparisons: int) -> float:
    """The half-width of the band of a population, for so many comparisons (Massart 1990)."""
    n = (simulated.patients or 0) * simulated.sizes[population].item()
    return float(np.sqrt(np.log(2 * comparisons / FALSE_ALARM) / (2 * n))) + STEP_ERROR


def test_survival_and_first_events_of_all_causes_sum_to_one() -> None:
    policy = Scenario("policy", second_line(**END_POINTS), set={"uptake": 0.9}, marginal_benefit=0.4)
    for engine in ("exact", "microsim", "des"):
        for free in curves_of(engine, policy, 24.0, 300).end_points.values():
            for key, survival in free.survival.items():
                total = survival + sum(by_key[key] for by_key in free.incidence.values())
                np.testing.assert_allclose(total, 1.0, atol=1e-9)
                assert np.all(np.diff(survival) <= 1e-12)


def test_microsim_and_des_have_the_same_events() -> None:
    policy = Scenario("policy", second_line(**END_POINTS), set={"uptake": 0.9}, marginal_benefit=0.4)
    one, other = (curves_of(engine, policy, 24.0, 400) for engine in ("microsim", "des"))
    for name, free in one.end_points.items():
        for cause, by_key in free.incidence.items():
            for key, incidence in by_key.items():
                np.testing.assert_array_equal(incidence, other.end_points[name].incidence[cause][key])


@pytest.fixture(scope="module")
def histories() -> pd.DataFrame:
    policy = Scenario("policy", second_line(**END_POINTS))
    blocks = microsim.simulate(resolve(policy), Uniforms(5), range(2_000), horizon=120.0)
    return table(list(blocks))


def first_events(histories: pd.DataFrame, causes: Table, clock: str) -> pd.DataFrame:
    """Each patient's first event from the clock's state on, read row by row: months since the clock, and its cause."""
    of_state = {state: cause for cause, states in causes.items() for state in np.atleast_1d(states)}
    rows = []
    for _, events in histories.sort_values("event").groupby("patient"):
        states, months = list(events["state"]), list(events["month"])
        if clock not in states:
            continue
        start = states.index(clock)
        first = next((i for i in range(start, len(states)) if states[i] in of_state), None)
        rows.append((np.inf, "") if first is None else (months[first] - months[start], of_state[states[first]]))
    return pd.DataFrame(rows, columns=["month", "cause"])


@pytest.mark.parametrize("clock", ["relapse", "remission"])
@pytest.mark.parametrize("name", END_POINTS)
def test_what_is_counted_is_what_histories_show(histories: pd.DataFrame, name: str, clock: str) -> None:
    counted = microsim.curves(
        resolve(Scenario("policy", second_line(**END_POINTS))), 24.0, patients=2_000, uniforms=Uniforms(5)
    )
    events = first_events(histories, END_POINTS[name], clock)
    key, free = ("relapse" if clock == "relapse" else "entry", "all"), counted.end_points[name]
    for month in (0.0, 1.0, 6.0, 24.0):
        place = round(month / counted.months[1])
        for cause, by_key in free.incidence.items():
            share_of = np.mean((events["cause"] == cause) & (events["month"] <= month))
            np.testing.assert_allclose(by_key[key][0, place], share_of, atol=1e-9)
    mean = np.minimum(events["month"], 24.0).mean()
    np.testing.assert_allclose(free.means[key].sum() * counted.months[1], mean, atol=1e-9)


def test_incidence_is_the_aalen_johansen_estimate(lifelines: Any, histories: pd.DataFrame) -> None:
    """Nobody is censored before the horizon, so the estimate of lifelines is the share of patients."""
    events = first_events(histories, END_POINTS["free"], "relapse")
    codes = {"": 0, "no response": 1, "relapse": 2, "death": 3}
    counted = microsim.curves(
        resolve(Scenario("policy", second_line(**END_POINTS))), 24.0, patients=2_000, uniforms=Uniforms(5)
    )
    observed = events["cause"].where(events["month"] <= 24.0, "").map(codes)
    for cause in ("no response", "relapse", "death"):
        fitted = lifelines.AalenJohansenFitter(calculate_variance=False, jitter_level=0.0).fit(
            np.minimum(events["month"], 24.0), observed, event_of_interest=codes[cause]
        )
        for month in (3.0, 12.0):
            place = round(month / counted.months[1])
            incidence = counted.end_points["free"].incidence[cause]["relapse", "all"][0, place]
            np.testing.assert_allclose(incidence, fitted.predict(month), atol=1e-9)


def test_an_event_before_the_clock_counts_on_the_clock_of_entry_only() -> None:
    """The flare is half of what can happen in remission; after relapse there is none."""
    pathway = load(world(
        "remission",
        {
            "remission": sojourn(flare=exponential(rate=0.3), relapse=exponential(rate=0.3)),
            "flare": sojourn(relapse=exponential(rate=1.0)),
            "relapse": sojourn(flare=exponential(rate=0.2), dead=exponential(rate=0.2)),
        },
        clocks={"relapse": "relapse", "entry": "remission"},
        end_points={"flare": {"causes": {"flare": "flare"}}},
    ))  # fmt: skip
    curves = exact.curves(resolve(Scenario("policy", pathway)), 24.0)
    incidence, months = curves.end_points["flare"].incidence["flare"], curves.months
    np.testing.assert_allclose(incidence["relapse", "all"][0], 0.5 * (1 - np.exp(-0.4 * months)), atol=1e-4)
    # Of the half who relapse without one, half have it later: after two sojourns of rates 0.6 and 0.4.
    later = 1 - (0.6 * np.exp(-0.4 * months) - 0.4 * np.exp(-0.6 * months)) / 0.2
    expected = 0.5 * (1 - np.exp(-0.6 * months)) + 0.25 * later
    np.testing.assert_allclose(incidence["entry", "all"][0], expected, atol=1e-4)


def test_everybody_has_an_event_that_starts_the_clock() -> None:
    curves = exact.curves(resolve(Scenario("policy", second_line(start={"relapse": "relapse"}))), 12.0)
    free = curves.end_points["start"]
    assert np.all(free.survival["relapse", "all"] == 0.0)
    assert free.survival["entry", "all"][0, 0] == 1.0


def test_a_group_without_patients_has_no_curve_and_a_state_that_nobody_reaches_no_event() -> None:
    pathway = second_line(never={"never": "salvage"}, **END_POINTS)
    for engine in ("exact", "microsim"):
        curves = curves_of(engine, Scenario("policy", pathway, set={"uptake": 0.0}), 12.0, 300)
        assert np.all(curves.end_points["never"].survival["relapse", "all"] == 1.0)
        assert np.all(np.isnan(curves.end_points["free"].survival["relapse", "hsct"]))
        assert np.all(np.isnan(curves.end_points["free"].incidence["death"]["relapse", "hsct"]))


def test_a_shorter_horizon_changes_no_earlier_month() -> None:
    model = resolve(Scenario("policy", second_line(**END_POINTS)))
    near, far = (exact.curves(model, horizon, step=0.025).end_points for horizon in (6.0, 30.0))
    for name, free in near.items():
        for cause, by_key in free.incidence.items():
            for key, incidence in by_key.items():
                later = far[name].incidence[cause][key][:, : incidence.shape[1]]
                np.testing.assert_allclose(incidence, later, atol=2e-5)


def test_only_the_end_points_that_are_asked_for_are_solved() -> None:
    model = resolve(Scenario("policy", second_line(**END_POINTS)))
    curves = exact.curves(model, 12.0, only={("relapse", "all"), ("entry", "sex=f", "free")})
    assert list(curves.end_points) == ["free"]
    assert list(curves.end_points["free"].survival) == [("entry", "sex=f")]


def test_outcomes_of_competing_exponential_times() -> None:
    """Rates 0.1 of relapse and 0.05 of death: median log 2 / 0.15, restricted mean (1 - exp(-0.15 t)) / 0.15."""
    pathway = load(world(
        "well",
        {
            "well": sojourn(ill=exponential(rate=0.1), dead=exponential(rate=0.05)),
            "ill": sojourn(dead=exponential(rate=1)),
        },
        end_points={"efs": {"causes": {"relapse": "ill", "death without relapse": "dead"}}},
    ))  # fmt: skip
    for engine, patients in (("exact", 0), ("microsim", 40_000)):
        outcomes = of_end_points(
            curves_of(engine, Scenario("made up", pathway), 60.0, patients), "start", "all", pathway
        )
        happened = 1.0 - np.exp(-0.15 * 12.0)
        expected = {
            "efs_12": 1.0 - happened,
            "efs_relapse_12": 2.0 / 3.0 * happened,
            "efs_death_without_relapse_12": happened / 3.0,
            "median_efs": np.log(2.0) / 0.15,
            "rmst_efs_12": happened / 0.15,
        }
        for name, value in expected.items():
            unit, at, noise = outcomes[name]
            assert (engine == "exact") == (noise.item() == 0.0)
            assert abs(at.item() - value) < (1e-4 if unit == "probability" else 5e-4) + 4.0 * noise.item(), name
        if engine == "microsim":
            binomial = np.sqrt(2.0 / 3.0 * happened * (1.0 - 2.0 / 3.0 * happened) / patients)
            np.testing.assert_allclose(outcomes["efs_relapse_12"][2], binomial, rtol=0.02)


def test_without_benefit_exact_refuses_groups_that_it_cannot_follow_after_an_event() -> None:
    """Who is treated without benefit and has had the event may still enter the group: only simulation follows them."""
    pathway = second_line(toxicity={"toxicity": "toxicity"})
    pathway = replace(pathway, groups={"later": replace(pathway.groups["hsct"], name="later", entered=("none",))})
    policy = Scenario("policy", pathway, set={"uptake": 0.9}, marginal_benefit=0.0)
    with pytest.raises(InputError, match=r"does not follow patients without benefit.*run, compare or sweep with"):
        exact.curves(resolve(policy), 12.0)


@pytest.mark.parametrize("levers", LAST_BY_DEFAULT, ids=POLICIES)
def test_coarser_cells_move_restricted_means_by_little(levers: dict[str, Any]) -> None:
    model = resolve(Scenario("policy", second_line(**END_POINTS), **levers))
    coarse, fine = (exact.curves(model, 24.0, step=step) for step in (0.1, 0.0125))
    for name, free in coarse.end_points.items():
        for key, means in free.means.items():
            months = means.sum() * 0.1, fine.end_points[name].means[key].sum() * 0.0125
            assert abs(months[0] - months[1]) < 0.005, (name, key, months)


def among_fixed_times() -> Pathway:
    """Seven in ten fall ill at month 3.14, and half of them are cured at 4.4, a group of their own."""
    return load(world(
        "well",
        {
            "well": sojourn(
                exit_to("ill", fixed(3.14), probability=0.7), exit_to("dead", exponential(rate=0.1), probability=0.3)
            ),
            "ill": sojourn(exit_to("cured", fixed(1.26), probability=0.5), exit_to("dead", fixed(2), probability=0.5)),
            "cured": sojourn(dead=exponential(rate=0.01)),
        },
        groups={"cured": "cured"},
        end_points={"well": {"causes": {"ill": "ill"}}, "cure": {"causes": {"cure": "cured"}}},
    ))  # fmt: skip


def test_a_median_among_fixed_times_is_the_fixed_time() -> None:
    """Neither month is on a lattice of tenths."""
    pathway = among_fixed_times()
    for engine in ("exact", "microsim"):
        curves = curves_of(engine, Scenario("policy", pathway), 24.0, 20_000)
        assert abs(median(curves.end_points["well"], "start", "all").item() - 3.14) < 0.005
        assert abs(median(curves.end_points["well"], "start", "cured").item() - 3.14) < 0.005
        assert abs(median(curves.end_points["cure"], "start", "cured").item() - 4.4) < 0.005
        assert np.isinf(median(curves.end_points["cure"], "start", "all").item())


def test_a_groups_median_needs_no_window_where_nobody_joins_after_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    model = resolve(Scenario("policy", among_fixed_times()))

    def medians() -> list[float]:
        curves = exact.curves(model, 24.0)
        return [median(part, "start", "cured").item() for part in (curves, *curves.end_points.values())]

    settled = medians()
    for kind in (Solution, FirstEvents):
        monkeypatch.setattr(kind, "is_settled", False)
    np.testing.assert_allclose(settled, medians(), atol=0.004)


def test_patients_in_pieces_have_the_same_events(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Scenario("policy", second_line(**END_POINTS))
    whole = run(policy, engine="microsim", patients=900, horizon=24.0)
    monkeypatch.setattr(shards, "SHARD", 250)
    for results in (run(policy, engine="microsim", patients=900, horizon=24.0, jobs=jobs) for jobs in (1, 2)):
        assert results.end_points is not None
        pd.testing.assert_frame_equal(results.end_points, whole.end_points)
        pd.testing.assert_frame_equal(results.outcomes, whole.outcomes)


def test_where_patients_share_beds_noise_comes_from_replications() -> None:
    """The event is a bed, or to give up waiting for one."""
    table = ward(exponential(mean=2), exponential(mean=1), exponential(mean=8))
    pathway = load({**table, "end_points": {"bed": {"causes": {"bed": "ward", "gave up": "dead"}}}})
    service = Service(years=3, arrivals_per_year=12, warm_up_years=1)
    waits = []
    for beds in (1, 4):
        scenario = Scenario("ward", pathway, capacity={"beds": Capacity(((0.0, beds),))}, service=service)
        results = run(scenario, engine="microsim", replications=8, horizon=24.0)
        outcomes = results.outcomes[results.outcomes["population"] == "all"].set_index("outcome")
        assert outcomes.loc[["median_bed", "rmst_bed_12", "bed_bed_6", "bed_gave_up_6"], "monte_carlo_se"].gt(0.0).all()
        waits.append(outcomes.loc["median_bed", "estimate"])
        without = results.end_points
        assert without is not None
        assert without.loc[without["month"] == 1.0, "monte_carlo_se"].gt(0.0).all()
    assert waits[0] > waits[1] + 0.5, "patients have the event later where there are fewer beds"


@pytest.mark.slow
def test_policies_differ_by_what_they_change_in_every_parameter_set() -> None:
    pathway = second_line(**END_POINTS)
    first, other = (Scenario(name, pathway, set={"uptake": uptake}) for name, uptake in (("a", 0.4), ("b", 0.5)))
    results = compare(first, other, engine="exact", horizon=24.0)
    assert results.draws is not None
    draws = results.draws[results.draws["population"] == "all"].set_index(["scenario", "clock"])
    rows = results.outcomes[results.outcomes["population"] == "all"].set_index(["scenario", "clock", "outcome"])
    for name in ("free_12", "free_relapse_12", "median_free", "rmst_free_12"):
        for clock in ("relapse", "entry"):
            difference = draws.loc[("b", clock), name].item() - draws.loc[("a", clock), name].item()
            assert abs(rows.loc[("b", clock, name), "difference"] - difference) < 1e-6


def test_who_joins_a_group_at_one_instant_after_the_event_is_counted_at_that_instant() -> None:
    """Of the severely ill, who are treated after 10.6 months, only those of the first 1.4 months are within a year."""
    severe, mild, stay, window = 0.3, 0.2, 10.6, 12.0
    states = {
        "well": sojourn(severely_ill=exponential(rate=severe), mildly_ill=exponential(rate=mild)),
        "severely_ill": sojourn(treated=fixed(stay)),
        "mildly_ill": sojourn(treated=exponential(rate=severe + mild)),
        "treated": sojourn(dead=exponential(rate=0.05)),
        "dead": DEATH,
    }
    declared = world("well", states, groups={"treated_early": "treated"}, group_window=window)
    declared["end_points"] = {"illness": {"causes": {"severe": ["severely_ill"], "mild": ["mildly_ill"]}}}
    curves = exact.curves(resolve(scenario(declared)), 24.0)
    rate = severe + mild
    of_mild = mild * ((1.0 - np.exp(-rate * window)) / rate - window * np.exp(-rate * window))
    come = severe / rate * (1.0 - np.exp(-rate * np.minimum(curves.months, window - stay)))
    incidence = curves.end_points["illness"].incidence["severe"]["start", "treated_early"][0]
    np.testing.assert_allclose(incidence, come / (come[-1] + of_mild), rtol=0, atol=1e-5)


def test_who_joins_a_group_after_an_event_is_counted_from_entry_however_steep_the_time_to_it() -> None:
    """From arrival on, relapse has an infinite hazard at first, and who is cured before or after it is in no group:

    P(relapse v months after arrival, in the group) = int_0^v f(u) S(u) (1 - (1 - e^(-(W - u) / 5)) / 2) du
    """
    shape, scale, cured, window = 0.46, 18.6, 0.1, 60.0
    states = {
        "waiting": sojourn(arrived=weibull(shape=5, scale=4.3)),
        "arrived": sojourn(cured=exponential(rate=cured), relapse=gamma(shape=shape, scale=scale)),
        "relapse": sojourn(cured=exponential(rate=0.1), dead=exponential(rate=0.1)),
        "cured": END,
        "dead": DEATH,
    }
    declared = world("waiting", states, clocks={"arrival": "arrived", "entry": "waiting"}, group_window=window)
    declared |= {"groups": {"never_cured": {"entered": "arrived", "not_entered": "cured"}}}
    declared |= {"end_points": {"relapse": {"causes": {"relapse": ["relapse"]}}}}
    curves = exact.curves(resolve(scenario(declared)), 24.0)
    law, arrival = stats.gamma(shape, scale=scale), stats.weibull_min(5, scale=4.3)

    def in_group(months: Floats) -> Floats:
        return integral(
            lambda u: law.pdf(u) * np.exp(-cured * u) * 0.5 * (1.0 + np.exp(-0.2 * (window - u))), np.asarray(months)
        )

    size = in_group(window) + np.exp(-cured * window) * law.sf(window)
    incidence = curves.end_points["relapse"].incidence["relapse"]["entry", "never_cured"][0]
    for month in (3.0, 4.0, 5.0, 8.0, 20.0):
        come = integral(lambda v: arrival.pdf(month - v) * in_group(v), np.asarray(month))  # noqa: B023
        assert incidence[round(month / curves.months[1])] == pytest.approx(come / size, abs=3e-5)


def integral(density: Callable[[Floats], Floats], months: Floats) -> Floats:
    """The integral from 0 to each of some months, by Gauss and Legendre over their fourth roots: bounded at 0."""
    nodes, weights = special.roots_legendre(80)
    half = 0.5 * months[..., None] ** 0.25
    roots = half * (nodes + 1.0)
    return np.sum(half * weights * 4.0 * roots**3 * density(roots**4), axis=-1)


@pytest.mark.usefixtures("measured_error")
@pytest.mark.parametrize("horizon", [23.9, 24.0])
def test_a_run_may_end_just_before_the_window_of_a_group_that_forms_after_an_event(horizon: float) -> None:
    states = {
        "well": sojourn(ill=exponential(mean=5), dead=exponential(mean=10)),
        "ill": sojourn(treated=exponential(mean=5), dead=exponential(mean=10)),
        "treated": sojourn(dead=exponential(mean=10)),
        "dead": DEATH,
    }
    declared = world("well", states, groups={"treated": "treated"}, group_window=24)
    declared["end_points"] = {"illness": {"causes": {"illness": ["ill"], "death": ["dead"]}}}
    results = run(scenario(declared), engine="exact", horizon=horizon, jobs=1)
    assert results.manifest["lattice"]["end_point_error"]["largest"] < 1e-4
