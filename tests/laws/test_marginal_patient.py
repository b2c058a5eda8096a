"""The patient whom only a policy treats: what they gain is a number from 0 to 1, and 0 means nothing at all."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from known_answers import Rates, States, by_expm
from sojourn_times import by, exponential, fixed, lognormal, weibull
from worlds import DEATH, chance, decision, exit_to, load, practice, share, slow, sojourn, world

import scenarios
from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.exact import engine as exact
from simulator.engines.exact.uses import Uses
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import marginal, resolve
from simulator.experiment import centre
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario, load_scenario

ROUNDING = 1e-8
"""What the damped transform (1e-8 at the lattice's end) leaves of the last digit of a double."""

Events = Callable[..., pd.DataFrame]


@cache
def raising() -> list[str]:
    """The shipped scenarios that treat more than the baseline does."""
    raising_uptake = []
    for name in scenarios.names():
        if load_scenario(name).is_limited:
            continue
        of = marginal(load_scenario(name))
        raising_uptake += [name] if of is not None and of.raised else []
    return raising_uptake


LEVERS = {name: dict(load_scenario(name).set) for name in raising()} | {
    "second salvage": {"salvage_uptake": 0.9, "second_salvage_uptake": 0.6},
    "nobody fails to respond": {"salvage_uptake": 1.0, "nr_chemotherapy": 0.0, "nr_immunotherapy": 0.0},
    "waiting": {"salvage_uptake": 0.8, "reinfusion_preparation_months": 2.0},
    "treated at once": {"salvage_uptake": 1.0, "response_median": 0.0},
}
BY_NAME = [
    slow(levers) if name in ("universal-salvage", "nobody fails to respond") else levers
    for name, levers in LEVERS.items()
]
SALVAGES = ("chemotherapy", "immunotherapy", "car_t_reinfusion", "dual_target_reinfusion")
HARMLESS = {f"toxicity_free_{salvage}": 1.0 for salvage in SALVAGES}


@pytest.fixture(scope="module", params=BY_NAME, ids=LEVERS)
def pair(request: pytest.FixtureRequest) -> tuple[Scenario, Scenario]:
    """A policy that raises uptake, helps nobody and harms nobody, and the same policy without the raise."""
    base, levers = load_scenario("baseline"), {**HARMLESS, **request.param}
    others = {name: value for name, value in levers.items() if name != "salvage_uptake"}
    return replace(base, set=levers, marginal_benefit=0.0), replace(base, set=others)


@pytest.fixture(scope="module")
def solved_pair(pair: tuple[Scenario, Scenario]) -> list[Curves]:
    # The law holds on any lattice that both share.
    return [exact.curves(resolve(scenario), 120.0, step=0.1) for scenario in pair]


def deaths(scenario: Scenario, horizon: float = 120.0) -> Floats:
    blocks = microsim.simulate(resolve(scenario), Uniforms(8), range(30_000), horizon=horizon)
    return np.concatenate([block.death_month for block in blocks])


def test_without_benefit_every_patient_dies_in_the_month_in_which_they_would_have(
    pair: tuple[Scenario, Scenario],
) -> None:
    np.testing.assert_allclose(deaths(pair[0]), deaths(pair[1]), rtol=0, atol=1e-9)


def test_without_benefit_survival_is_exactly_what_it_was(solved_pair: list[Curves]) -> None:
    raised, before = solved_pair
    for clock in raised.occupancy:
        for population in ("all", "cd19=unknown", "prior_hsct=yes"):
            after, today = (curves.survival[clock, population] for curves in (raised, before))
            np.testing.assert_allclose(after, today, rtol=0, atol=ROUNDING, err_msg=f"{clock} {population}")


def test_with_toxicity_no_additional_patient_outlives_supportive_care_and_some_die_of_the_treatment() -> None:
    base = load_scenario("baseline")
    raised = replace(base, set={"salvage_uptake": 0.9}, marginal_benefit=0.0)
    (block,) = microsim.simulate(resolve(raised), Uniforms(8), range(30_000), horizon=120.0)
    (before,) = microsim.simulate(resolve(base), Uniforms(8), range(30_000), horizon=120.0)
    assert np.all(block.death_month <= before.death_month + 1e-9)
    sooner = np.flatnonzero(block.death_month < before.death_month - 1e-9)
    toxic, cared_for = (
        {int(who) for places, _ in lives.entered[state] for who in places}
        for lives, state in ((block, "death_of_toxicity"), (before, "supportive_care"))
    )
    assert set(sooner.tolist()) <= toxic & cared_for
    assert 50 < len(sooner) < 1_000


def test_without_benefit_more_are_treated_even_so(solved_pair: list[Curves]) -> None:
    raised, before = solved_pair
    assert raised.sizes["treated"] > before.sizes["treated"] + 0.2
    assert raised.counts["salvage_courses"] > before.counts["salvage_courses"] + 0.2
    np.testing.assert_allclose(raised.counts["hscts"], before.counts["hscts"], atol=1e-9)


def test_a_patient_treated_without_benefit_never_responds_and_has_the_course_of_the_treated_until_then(
    events: Events,
) -> None:
    table = events(resolve(load_scenario("universal-salvage@0")), range(4_000))
    baseline = events(resolve(load_scenario("baseline")), range(4_000))
    untreated = set(baseline.loc[baseline["state"] == "supportive_care", "patient"])
    assert 1_900 < len(untreated) < 2_200
    course = table[table["patient"].isin(untreated)]
    assert set(course["patient"]) == untreated
    assert not course["state"].isin(["supportive_care", "complete_response", "partial_response", "hsct"]).any()
    responses = course[course["state"].str.startswith("response_")]
    assert len(responses) > 500
    after = course.loc[responses.index + 1, "state"]
    assert set(after) <= {"no_response", "death_after_relapse"}
    assert (after == "no_response").mean() == 1.0


def test_the_marginal_are_as_many_as_are_treated_more(events: Events) -> None:
    """Half of them gain at a benefit of a half: one uniform a patient decides."""
    lives = {name: events(resolve(load_scenario(name)), range(6_000)) for name in ("baseline", "wider-salvage@0.5")}
    treated = {name: set(table.loc[table["state"] == "salvage_choice", "patient"]) for name, table in lives.items()}
    more = treated["wider-salvage@0.5"] - treated["baseline"]
    assert treated["baseline"] < treated["wider-salvage@0.5"]
    tables = (events(resolve(load_scenario("wider-salvage")), range(6_000)), lives["wider-salvage@0.5"])
    full, partial = ({who: tuple(rows) for who, rows in table.groupby("patient")["month"]} for table in tables)
    gains = [who for who in sorted(more) if full[who] == partial[who]]
    share = len(gains) / len(more)
    assert abs(share - 0.5) < 4.5 * np.sqrt(0.25 / len(more)) + 0.01


@pytest.mark.parametrize("name", raising())
@pytest.mark.parametrize("benefit", [0.25, slow(0.5), slow(0.9)])
def test_between_the_ends_everything_is_the_mixture_of_the_ends(name: str, benefit: float) -> None:
    scenario = load_scenario(name)
    none, some, full = (exact.curves(resolve(scenario.with_marginal_benefit(b)), 120.0) for b in (0.0, benefit, 1.0))

    def mixed(of: Callable[[Curves], Floats]) -> None:
        np.testing.assert_allclose(of(some), (1 - benefit) * of(none) + benefit * of(full), rtol=0, atol=ROUNDING)

    for clock in some.occupancy:
        mixed(lambda curves, clock=clock: curves.survival[clock, "all"])
        for state in some.occupancy[clock]:
            # A probability that is next to zero is cut off at zero.
            np.testing.assert_allclose(
                some.occupancy[clock][state],
                (1 - benefit) * none.occupancy[clock][state] + benefit * full.occupancy[clock][state],
                atol=1e-7,
            )
    for count in some.counts:
        mixed(lambda curves, count=count: curves.counts[count])
    np.testing.assert_allclose(some.sizes["treated"], full.sizes["treated"], atol=1e-9)


@pytest.mark.parametrize("uptake", [slow(0.486), 0.3, slow(0.0)])
def test_nobody_is_marginal_where_no_more_are_treated(uptake: float) -> None:
    base = load_scenario("baseline")
    full, none = (replace(base, set={"salvage_uptake": uptake}, marginal_benefit=b) for b in (1.0, 0.0))
    np.testing.assert_array_equal(deaths(full), deaths(none))
    first, second = (exact.curves(resolve(scenario), 60.0).survival["relapse", "all"] for scenario in (full, none))
    np.testing.assert_array_equal(first, second)


def test_additional_patients_are_those_above_the_uptake_of_practice_in_every_draw() -> None:
    table = {"salvage_uptake": np.array([[0.2], [0.88], [0.95]])}
    raised, today = (
        exact.curves(resolve(replace(scenario, set={**scenario.set, **HARMLESS}), table), 60.0)
        for scenario in (load_scenario("wider-salvage@0"), load_scenario("baseline"))
    )
    survival = raised.survival["relapse", "all"]
    np.testing.assert_allclose(survival[:2], today.survival["relapse", "all"][:2], rtol=0, atol=ROUNDING)
    assert survival[2, -1] < today.survival["relapse", "all"][2, -1]
    np.testing.assert_allclose(raised.sizes["treated"], 0.88, atol=1e-9)


def later() -> Pathway:
    """A decision some way down the road, which the age of a patient bears on."""
    states = {
        "remission": sojourn(relapse=weibull(shape=1.4, scale=8), dead=exponential(mean=60)),
        "relapse": decision(
            treatment={"name": "treat", "probability": "uptake", "eligible": {"age": {"old": 0.5}}}, care="rest"
        ),
        "treatment": sojourn(response=fixed(1.5), dead=exponential(mean=12)),
        "response": chance(remission=0.6, failure=0.4),
        "failure": sojourn(dead=exponential(mean=9)),
        "care": sojourn(
            exit_to("dead", lognormal(sigma=0.7, median=by("age", young=4, old=2)), probability=0.7),
            exit_to("dead", exponential(mean=20), name="much later", probability="rest"),
        ),
    }
    marginal = practice(0.3, "relapse", "treat", "care", "failure")
    return load(world(
        "remission", states, group_window=40, attributes={"age": {"young": 2, "old": 1}}, marginal=marginal,
        groups={"treated": "treatment", "relapsed": "relapse"}, parameters={"uptake": share(0.3)},
    ))  # fmt: skip


def test_a_later_decision_that_comes_again_and_depends_on_age_obeys_the_same_law() -> None:
    """A second relapse is no second chance to be marginal, so the untouched policy keeps its own second relapses."""
    pathway = later()
    raised = Scenario("raised", pathway, set={"uptake": 0.8}, marginal_benefit=0.0)
    curves = exact.curves(resolve(raised), 36.0)
    blocks = list(microsim.simulate(resolve(raised), Uniforms(4), range(60_000), horizon=36.0))
    months = np.concatenate([block.death_month for block in blocks])
    simulated = np.array([(months > t).mean() for t in curves.months[::10]])
    band = np.sqrt(np.log(2 / 1e-5) / (2 * 60_000))
    assert np.abs(simulated - curves.survival["start", "all"][0, ::10]).max() < band + 2e-4
    np.testing.assert_allclose(sum(curves.occupancy["start"].values()), 1.0, atol=1e-7)


def test_a_group_entered_before_the_decision_does_not_grow_with_patients_treated_without_benefit() -> None:
    pathway = later()
    sizes = {}
    for benefit in (0.0, 1.0):
        raised = Scenario("raised", pathway, set={"uptake": 0.8}, marginal_benefit=benefit)
        sizes[benefit] = exact.curves(resolve(raised), 36.0).sizes
    for group in ("relapsed", "treated"):
        np.testing.assert_allclose(sizes[0.0][group], sizes[1.0][group], atol=1e-8)


def again() -> Pathway:
    """Patients who respond may relapse again, and are asked again."""
    states = {
        "relapse": decision(treatment="treated", none="rest"),
        "treatment": sojourn(
            exit_to("remission", exponential(mean=2), probability=0.6),
            exit_to("no_response", exponential(mean=1), probability=0.4),
        ),
        "remission": sojourn(relapse=weibull(median=5, shape=1.2)),
        "none": sojourn(dead=weibull(median=3, shape=1.5)),
        "no_response": sojourn(dead=exponential(mean=4)),
    }
    marginal = practice(0.4, "relapse", "treatment", "none", "no_response")
    return load(world(
        "relapse", states, clocks={"relapse": "relapse"}, marginal=marginal, groups={"treated": "treatment"},
        parameters={"treated": share(0.4)},
    ))  # fmt: skip


def test_without_benefit_nobody_benefits_at_a_later_relapse_either() -> None:
    pathway = again()
    today = exact.curves(resolve(Scenario("today", pathway)), 60.0)
    more = Scenario("more", pathway, set={"treated": 0.9}, marginal_benefit=0.0)
    in_vain = exact.curves(resolve(more), 60.0)
    np.testing.assert_allclose(in_vain.survival["relapse", "all"], today.survival["relapse", "all"], atol=ROUNDING)
    np.testing.assert_allclose(deaths(more, 60.0), deaths(Scenario("today", pathway), 60.0), rtol=0, atol=1e-9)


@pytest.mark.parametrize("benefit", [0.3, 0.5])
def test_a_patient_who_benefits_does_so_at_every_relapse_and_both_engines_agree(benefit: float) -> None:
    """Simultaneously over months and populations at a false-alarm rate of 1e-6 (DKW with Massart's constant)."""
    n = 200_000
    model = resolve(Scenario("more", again(), set={"treated": 0.9}, marginal_benefit=benefit))
    solved = exact.curves(model, 60.0)
    simulated = microsim.curves(model, 60.0, patients=n, uniforms=Uniforms(12))
    for population in ("all", "treated"):
        size = float(simulated.sizes[population][0])
        assert size == pytest.approx(float(solved.sizes[population][0]), abs=5 / np.sqrt(n))
        # Where patients come back, the exact engine's cells are finer.
        exactly = solved.survival["relapse", population][:, :: round(simulated.months[1] / solved.months[1])]
        difference = np.abs(exactly - simulated.survival["relapse", population]).max()
        assert difference < np.sqrt(np.log(4 / 1e-6) / (2 * n * size)) + 1e-4


def in_a_bed(wait: float, stay: float, cure: float) -> Pathway:
    """A fixed stay in a bed."""
    states = {
        "relapse": decision(ask="uptake", care="rest"),
        "ask": sojourn(bed=fixed(wait), dead=exponential(rate=0)),
        "bed": sojourn(failure=fixed(stay), holds="beds"),
        "failure": sojourn(dead=exponential(mean=9)),
        "care": sojourn(dead=exponential(mean=6, cure=cure)),
    }
    marginal = practice(0.3, "relapse", "ask", "care", "failure")
    parameters = {"uptake": share(0.3)}
    return load(world("relapse", states, resources=["beds"], marginal=marginal, parameters=parameters))


@pytest.mark.parametrize("wait", [0.0, 0.37])
@pytest.mark.parametrize("stay", [slow(0.25), 1.0, slow(3.3)])
@pytest.mark.parametrize("cure", [0.0, 0.5])
def test_a_patient_treated_without_benefit_holds_a_bed_until_a_fixed_stay_ends_or_death(
    wait: float, stay: float, cure: float
) -> None:
    pathway = in_a_bed(wait, stay, cure)
    beds = {"beds": Capacity(((0.0, 5),))}
    raised = Scenario("raised", pathway, set={"uptake": 0.8}, marginal_benefit=0.0, capacity=beds)
    held = cure * stay + (1 - cure) * 6 * (np.exp(-wait / 6) - np.exp(-(wait + stay) / 6))
    asked = Uses(resolve(raised)).months({"beds": np.ones(1)})["beds"]
    # Within a cell of a tenth of a month, deaths and beds are multiplied as means.
    np.testing.assert_allclose(asked, 0.3 * stay + 0.5 * held, rtol=1e-3)
    # Where waits have no end, those who are cured are served at last; the others have died.
    asked = Uses(resolve(raised)).months({"beds": np.zeros(1)})["beds"]
    np.testing.assert_allclose(asked, (0.3 + 0.5 * cure) * stay, rtol=1e-6)


def in_a_bed_again() -> Pathway:
    """A bed after every response, and then a relapse of three in four."""
    states = {
        "relapse": decision(treatment="uptake", care="rest"),
        "treatment": chance(ask=0.6, failure=0.4),
        "ask": sojourn(bed=fixed(0)),
        "bed": sojourn(
            exit_to("relapse", exponential(mean=2), probability=0.75),
            exit_to("dead", exponential(mean=2), probability=0.25),
            holds="beds",
        ),
        "failure": sojourn(dead=exponential(mean=3)),
        "care": sojourn(dead=exponential(mean=6)),
    }
    marginal = practice(0.3, "relapse", "treatment", "care", "failure")
    parameters = {"uptake": share(0.3)}
    return load(world("relapse", states, resources=["beds"], marginal=marginal, parameters=parameters))


@pytest.mark.parametrize("benefit", [0.0, 0.3, 1.0])
def test_patients_who_come_back_use_beds_as_a_mixture_of_those_who_benefit_every_time_and_never(benefit: float) -> None:
    """0.6 q / (1 - 0.75 x 0.6 q) stays if a share q is treated with benefit at every visit: the uptake, or practice."""
    beds = {"beds": Capacity(((0.0, 10**5),))}
    raised = Scenario("raised", in_a_bed_again(), set={"uptake": 0.8}, marginal_benefit=benefit, capacity=beds)
    every, never = (0.6 * q / (1.0 - 0.75 * 0.6 * q) for q in (0.8, 0.3))
    expected = benefit * every + (1.0 - benefit) * never
    asked = Uses(resolve(raised)).months({"beds": np.ones(1)})["beds"]
    np.testing.assert_allclose(asked, 2.0 * expected, rtol=1e-9)
    n = 20_000
    replication = centre.replication(raised, {}, engine="microsim", horizon=12.0, patients=n, uniforms=Uniforms(13))
    requests = np.bincount(replication.requests.patients, minlength=n)
    # One false alarm in 1e5 of a normal mean; as if independent at every visit, 0.3 would be 11 standard errors off.
    assert abs(requests.mean() - expected) < 4.4 * requests.std() / np.sqrt(n)


def test_the_means_over_cells_of_entries_and_of_groups_are_those_of_the_curves() -> None:
    model = resolve(replace(load_scenario("baseline"), set={"salvage_uptake": 0.9}, marginal_benefit=0.3))
    solution = exact.solve(model, 24.0, step=0.05)

    def middle(curve: Floats) -> Floats:
        return np.asarray(0.5 * (curve[:, 1:] + curve[:, :-1]))

    for state in model.pathway.states:
        means = solution.by_cell(solution.flow([state], "all"))[:, : solution.n_months - 1]
        np.testing.assert_allclose(means, middle(solution.entered([state])), rtol=0, atol=1e-3, err_msg=state)
    for group in model.pathway.groups:
        sizes = middle(solution.size_by_month(group))
        means = np.diff(solution.members_up_to(group, solution.months)) / solution.lattice.step
        np.testing.assert_allclose(means, sizes, rtol=0, atol=1e-3, err_msg=group)


def short_window() -> Scenario:
    """A decision at the clock's start, and a group of those who are treated within two months."""
    states = {
        "relapse": decision(wait="uptake", care="rest"),
        "wait": sojourn(treatment=exponential(mean=4)),
        "treatment": sojourn(
            exit_to("response", exponential(mean=1), probability=0.5),
            exit_to("failure", exponential(mean=1), probability="rest"),
        ),
        "response": sojourn(dead=exponential(mean=30)),
        "failure": sojourn(dead=exponential(mean=5)),
        "care": sojourn(dead=exponential(mean=8)),
    }
    marginal = practice(0.4, "relapse", "wait", "care", "failure")
    declared = world(
        "relapse", states, marginal=marginal, parameters={"uptake": share(0.4)}, group_window=2,
        groups={"early": "treatment"},
    )  # fmt: skip
    return Scenario("raised", load(declared), set={"uptake": 0.8}, marginal_benefit=0.0)


def test_patients_without_benefit_who_are_treated_after_the_window_are_not_of_the_group() -> None:
    model, n = resolve(short_window()), 100_000
    solved, simulated = exact.curves(model, 24.0), microsim.curves(model, 24.0, patients=n, uniforms=Uniforms(8))
    stride = round(simulated.months[1] / solved.months[1])
    size = float(simulated.sizes["early"][0])
    # One false alarm in 1e5 each (Dvoretzky, Kiefer & Wolfowitz).
    assert abs(size - solved.sizes["early"][0]) < np.sqrt(np.log(2e5) / (2 * n))
    off = simulated.survival["start", "early"] - solved.survival["start", "early"][:, ::stride]
    assert np.abs(off).max() < np.sqrt(np.log(2e5) / (2 * n * size)) + 1e-4


LATER_RATES = {
    ("remission", "relapse"): 0.3, ("wait", "treatment"): 0.25, ("treatment", "response"): 0.1,
    ("treatment", "failure"): 0.1, ("response", "dead"): 0.03, ("failure", "dead"): 0.1, ("care", "dead"): 0.1,
}  # fmt: skip
"""Of a pathway whose decision, at the relapse, comes later than the clock's start: practice treats 40 %."""


def decided_later(again: float, harm: float = 0.0) -> Scenario:
    """A policy that treats 80 % at a relapse, 30 % of the others with benefit; some relapse again, some die of it."""
    relapse = {"remission": exponential(rate=again)} if again else {}
    states = {
        "remission": sojourn(relapse=exponential(rate=0.3)),
        "relapse": decision(wait="uptake", care="rest"),
        "wait": sojourn(treatment=exponential(rate=0.25)),
        "treatment": sojourn(outcome=exponential(rate=0.2), toxic=exponential(rate=harm)),
        "outcome": chance(response=0.5, failure=0.5),
        "response": sojourn(dead=exponential(rate=0.03), **relapse),
        "failure": sojourn(dead=exponential(rate=0.1)),
        "care": sojourn(dead=exponential(rate=0.1)),
        "toxic": DEATH,
    }
    declared = world(
        "remission", states, parameters={"uptake": share(0.4)}, group_window=6,
        marginal={**practice(0.4, "relapse", "wait", "care", "failure"), "harm": "toxic"},
        groups={"treated": "treatment", "waiting": "wait"},
        end_points={"pfs": {"causes": {"failure": "failure", "death": ["dead", "toxic"]}}},
    )  # fmt: skip
    return Scenario("raised", load(declared), set={"uptake": 0.8}, marginal_benefit=0.3)


def of_group(rates: Rates, into: tuple[str, ...], window: float, months: Floats) -> tuple[float, States]:
    """Return who enters some states within a window, and of them who is in each state by months: expm, doubled."""
    members = {(f"{a}+", f"{b}+"): rate for (a, b), rate in rates.items()}
    joining = members | {(a, f"{b}+" if b in into else b): rate for (a, b), rate in rates.items()}
    at_window = {name: float(p[0]) for name, p in by_expm(joining, "remission", np.array([window])).items()}
    early, late = months[months <= window], months[months > window] - window
    within = by_expm(joining, "remission", early)
    there = {}
    for name in (name for name in at_window if name.endswith("+")):
        parts = (p * by_expm(members, other, late).get(name, 0.0) for other, p in at_window.items() if other[-1] == "+")
        there[name[:-1]] = np.append(within[name], sum(parts, np.zeros(late.size)))
    return sum(p for name, p in at_window.items() if name[-1] == "+"), there


@pytest.mark.parametrize("again", [0.0, slow(0.05)], ids=["once", "with returns"])
@pytest.mark.parametrize("harm", [slow(0.0), 0.15], ids=["harmless", "toxic"])
@pytest.mark.parametrize(("group", "state"), [("treated", "treatment"), ("waiting", "wait")])
def test_who_decides_later_and_is_treated_after_the_window_is_not_of_the_group(
    again: float, harm: float, group: str, state: str
) -> None:
    """Against expm: of the 80 %, 40 % and 30 % of the rest benefit, and the others die as under care, or of harm."""
    months = np.array([3.0, 6.0, 9.0, 12.0, 18.0, 24.0])
    sizes, dead, event_free = 0.0, np.zeros(6), np.zeros(6)
    # A patient benefits at every relapse or at none.
    for weight, benefiting in ((0.3, 0.8), (0.7, 0.4)):
        rates = {**LATER_RATES, ("response", "remission"): again}
        rates |= {("remission", "wait"): 0.3 * benefiting, ("remission", "care"): 0.3 * 0.2}
        rates |= {("remission", "wait*"): 0.3 * (0.8 - benefiting), ("wait*", "treatment*"): 0.25}
        rates |= {("treatment*", "failure*"): 0.2} | {(f"{name}*", "dead"): 0.1 for name in ("wait", "treatment")}
        rates |= {("failure*", "dead"): 0.1, ("treatment", "toxic"): harm, ("treatment*", "toxic"): harm}
        del rates["remission", "relapse"]
        into = (state, f"{state}*")
        size, there = of_group(rates, into, 6.0, months)
        sizes, dead = sizes + weight * size, dead + weight * (there["dead"] + there["toxic"])
        until = {pair: rate for pair, rate in rates.items() if not pair[0].startswith("failure")}
        _, there = of_group(until, into, 6.0, months)
        event_free += weight * (size - sum(there[name] for name in ("dead", "toxic", "failure", "failure*")))
    curves = exact.curves(resolve(decided_later(again, harm)), 24.0)
    at = np.rint(months / curves.months[1]).astype(int)
    assert curves.sizes[group][0] == pytest.approx(sizes, abs=1e-4)
    key = ("start", group)
    np.testing.assert_allclose(curves.survival[key][0, at], 1.0 - dead / sizes, rtol=0, atol=1e-4)
    pfs = curves.end_points["pfs"]
    np.testing.assert_allclose(pfs.survival[key][0, at], event_free / sizes, rtol=0, atol=1e-4)
