"""Practice is a fact: the same share is treated in every parameter set of a run, and of a fit each set's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sojourn_times import by, exponential
from worlds import chance, decision, load, practice, share, sojourn, world

from calibration.fit import Posterior
from calibration.likelihood.targets import load_targets
from simulator import compare, run
from simulator.analyses.sensitivity.inputs import load_inputs
from simulator.analyses.sensitivity.question import Question, evaluate, opened
from simulator.analyses.sensitivity.run import analyse
from simulator.analyses.virtual_cohorts.power import virtual_cohorts
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.engines.cells import levels_of
from simulator.engines.exact import engine as exact
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence.draws import fitted_draws, levels, load_draws, load_informed_draws, read_draws, values
from simulator.evidence.practice import at_reference, check_declared, uptake
from simulator.experiment.marginal_benefit import benefiting_alike
from simulator.experiment.survival_curves import survival_curves
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import PRIOR_ALONE, Scenario, load_scenario

Events = Callable[..., pd.DataFrame]
LETTER = load_scenario("baseline")
REFERENCE = 18 / 37
PATIENTS = range(3_000)


def treating(share_treated: float) -> Scenario:
    """A planner's practice: one key."""
    return replace(LETTER, name=f"own {share_treated}", set={"salvage_uptake": share_treated})


def test_every_parameter_set_of_a_run_treats_the_same_share_and_keeps_its_other_numbers() -> None:
    fitted = fitted_draws(LETTER.pathway)
    assert fitted is not None
    assert np.ptp(fitted["salvage_uptake"]) > 0.4
    for load_table in (load_draws, load_informed_draws):
        table = load_table(LETTER.pathway)
        assert table is not None
        assert (table["salvage_uptake"] == REFERENCE).all()
        others = fitted.columns.drop("salvage_uptake")
        pd.testing.assert_frame_equal(table[others], fitted[others])


def test_today_18_of_37_are_treated_whatever_the_parameter_set() -> None:
    draws = run("baseline", draws=20, horizon=12.0).draws
    assert draws is not None
    np.testing.assert_allclose(draws.query("population == 'all'")["salvage_courses"].dropna(), 100 * REFERENCE)


def test_a_parameter_set_given_by_hand_treats_the_reference_too() -> None:
    fitted = fitted_draws(LETTER.pathway)
    assert fitted is not None
    given, known = (survival_curves("baseline", draws, [12.0])["all"] for draws in (fitted.iloc[:5], 5))
    np.testing.assert_array_equal(given, known)


def test_the_interval_of_a_policy_that_only_raises_uptake_is_that_of_the_benefit_of_salvage() -> None:
    """S rises in proportion to the share that is treated more: a planner who treats 60 % is nearer to 88 %."""
    today, theirs, wider = (
        survival_curves(of, 20, [12.0])["all"] for of in ("baseline", treating(0.6), "wider-salvage")
    )
    a_share = (wider - today) / (0.88 - REFERENCE)
    np.testing.assert_allclose(theirs, today + a_share * (0.6 - REFERENCE), atol=1e-8)


@pytest.mark.slow
def test_a_planners_own_number_is_practice_and_additional_patients_benefit_alike_in_base_and_policy() -> None:
    """Wider salvage treats 0.28 more instead of 0.394: it brings so much less, and more of them must benefit."""
    left = (0.88 - 0.6) / (0.88 - REFERENCE)
    policies = ("wider-salvage", "wider-salvage@0")
    theirs, ours = (compare(base, *policies, draws=8, horizon=12.0) for base in (treating(0.6), LETTER))

    def figure(results: Any, scenario: str, outcome: str, column: str) -> float:
        rows = results.outcomes.query("population == 'all' and clock == 'relapse'").set_index(["scenario", "outcome"])
        return float(rows.loc[(scenario, outcome), column])

    def by_draw(results: Any, scenario: str, outcome: str) -> pd.Series:
        rows = results.draws.query("population == 'all' and clock == 'relapse' and scenario == @scenario")
        return rows.set_index("draw")[outcome]

    estimates = [(name, "os_12") for name in ("wider-salvage", "wider-salvage@cohorts", "wider-salvage@0")]
    for name, outcome in (*estimates, ("wider-salvage@cohorts", "os_12_by_the_prior_alone")):
        for column in ("difference", "difference_lower", "difference_upper"):
            before = figure(ours, name, outcome, column)
            assert figure(theirs, name, outcome, column) == pytest.approx(left * before, abs=1e-6)
    # If none of the additional patients benefit, some die of toxicity: the break-even is on the line from S(0) to S(1).
    none, every, today = (by_draw(ours, name, "os_12") for name in ("wider-salvage@0", "wider-salvage", "baseline"))
    needed = by_draw(theirs, "wider-salvage", "break_even_for_5_more_at_12")
    np.testing.assert_allclose(needed, (0.05 / left + today - none) / (every - none), rtol=1e-6)
    assert (needed > by_draw(ours, "wider-salvage", "break_even_for_5_more_at_12")).all()
    gains = theirs.draws.query("population == 'all' and clock == 'relapse'").pivot(
        index="draw", columns="scenario", values="os_12"
    )
    more = gains["wider-salvage@cohorts"] - gains[f"{treating(0.6).name}@cohorts"]
    reach = figure(theirs, "wider-salvage@cohorts", "draws_with_5_more_at_12", "estimate")
    assert reach == pytest.approx(float((more >= 0.05).mean()))
    informed = load_informed_draws(LETTER.pathway)
    assert informed is not None
    pays = informed[PRIOR_ALONE].to_numpy()[: needed.size] >= needed.to_numpy()
    by_prior = figure(theirs, "wider-salvage@cohorts", "draws_with_5_more_at_12_by_the_prior_alone", "estimate")
    assert by_prior == pytest.approx(float(pays.mean()))
    assert f"{treating(0.6).name}@break-even" not in set(theirs.outcomes["scenario"])


@pytest.mark.slow
def test_a_base_with_a_benefit_of_its_own_is_compared_at_the_benefit_of_each_estimate() -> None:
    """Nobody who is treated in both changes: the differences are those from a base that declares no benefit."""
    bases = (treating(0.6), replace(treating(0.6), marginal_benefit=0.5))
    plain, half = (compare(base, "wider-salvage", draws=2, horizon=12.0).outcomes for base in bases)
    columns = ["scenario", "outcome", "estimate", "difference"]
    first, second = (
        rows.query("population == 'all' and clock == 'relapse' and scenario.str.startswith('wider')")[columns]
        for rows in (plain, half)
    )
    assert first["difference"].notna().any()
    pd.testing.assert_frame_equal(first.reset_index(drop=True), second.reset_index(drop=True))


def test_sensitivity_compares_a_stated_benefit_with_a_base_that_has_it() -> None:
    base, policy, stated = treating(0.6), load_scenario("wider-salvage"), load_scenario("wider-salvage@0.3")
    assert benefiting_alike(base, policy) is base
    assert benefiting_alike(LETTER, stated) is LETTER
    assert benefiting_alike(base, stated).name == f"{base.name}@0.3"
    assert benefiting_alike(base, stated).marginal_benefit == 0.3
    assert benefiting_alike(base.with_marginal_benefit(0.3), policy).name == base.name
    analysis = analyse(stated, base, parts=["tornado"], draws=40, horizon=12.0)
    assert [option.name for option in analysis.question.options] == [f"{base.name}@0.3", stated.name]


def test_trials_of_a_policy_and_a_practice_that_both_treat_more_have_patients_who_benefit_alike() -> None:
    """A policy that is practice differs from it by chance only, at each estimate: the test's level, 5 %."""
    policy = replace(treating(0.88), name="the same").with_marginal_benefit(0.0)
    trials = virtual_cohorts(treating(0.88), policy, settings=Settings(n=40, cohorts=40, draws=1, horizon=12.5))
    assert trials.power is not None
    largest = trials.power[trials.power["patients_an_arm"] == trials.power["patients_an_arm"].max()]
    assert list(largest["scenario"]) == ["the same@0", "the same@1"]
    assert (largest["power"] * 40 <= stats.binom.ppf(0.999, 40, 0.05)).all()


def clinic(reach: Any, eligible: Any = None, reference: float = 0.5) -> Pathway:
    """Uptake by age, at a relapse that some never reach."""
    treat: Any = {"probability": by("age", young="young", old="old")} | ({"eligible": eligible} if eligible else {})
    states = {
        "remission": chance(relapse={"probability": reach}, home="rest"),
        "relapse": decision(treatment=treat, care="rest"),
        "treatment": sojourn(failure=exponential(mean=3), dead=exponential(mean=9)),
        "failure": sojourn(dead=exponential(mean=3)),
        "care": sojourn(dead=exponential(mean=2)),
    }
    return load(world(
        "remission", states, clocks={"relapse": "relapse"}, attributes={"age": {"young": 3, "old": 1}},
        parameters={"young": share(0.6), "old": share(0.2)}, groups={"treated": "treatment", "relapsed": "relapse"},
        marginal=practice(reference, "relapse", "treatment", "care", "failure"),
    ))  # fmt: skip


OWN = {"young": np.array([0.6, 0.9, 0.05]), "old": np.array([0.2, 0.3, 0.5])}


@pytest.mark.parametrize(
    ("reach", "weights"),
    [(1.0, (0.75, 0.25)), (by("age", young=0.3, old=0.9), (0.5, 0.5))],
    ids=["everybody relapses", "the old relapse three times as often"],
)
def test_uptake_by_level_is_scaled_by_one_odds_factor_to_the_reference(reach: Any, weights: Sequence[float]) -> None:
    """k solves a quadratic: w1 k a / (1 + k a) + w2 k b / (1 + k b) = r, with a and b the odds of the two ages."""
    a, b = (OWN[age] / (1.0 - OWN[age]) for age in ("young", "old"))
    r, (w1, w2) = 0.5, weights
    square, linear = a * b * (1.0 - r), w1 * a + w2 * b - r * (a + b)
    k = (-linear + np.sqrt(linear**2 + 4.0 * square * r)) / (2.0 * square)
    pathway = clinic(reach)
    scaled = at_reference(pathway, OWN)
    for age, odds in (("young", a), ("old", b)):
        np.testing.assert_allclose(scaled[age], k * odds / (1.0 + k * odds), rtol=1e-12)
    sizes = exact.curves(resolve(Scenario("today", pathway), levels(scaled)), 24.0).sizes
    np.testing.assert_allclose(sizes["treated"] / sizes["relapsed"], r, atol=1e-9)
    again = at_reference(pathway, scaled)
    for age in OWN:
        np.testing.assert_allclose(again[age], scaled[age], rtol=1e-12)


def test_who_is_half_as_often_eligible_has_half_the_odds_before_and_after() -> None:
    pathway = clinic(1.0, eligible={"age": {"old": 0.5}})
    scaled = at_reference(pathway, OWN)
    sizes = exact.curves(resolve(Scenario("today", pathway), levels(scaled)), 24.0).sizes
    np.testing.assert_allclose(sizes["treated"], 0.5, atol=1e-9)
    factors = [scaled[age] / (1.0 - scaled[age]) * (1.0 - OWN[age]) / OWN[age] for age in OWN]
    np.testing.assert_allclose(*factors, rtol=1e-9)


def test_a_reference_beyond_those_who_are_eligible_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[marginal\] reference: 'relapse' cannot .* got 0.9; allowed: up to 0.75"):
        at_reference(clinic(1.0, eligible={"age": ["young"]}, reference=0.9), OWN)


def test_declared_values_that_do_not_treat_the_reference_are_refused_where_there_are_no_draws() -> None:
    check_declared(clinic(1.0, reference=0.5))
    with pytest.raises(InputError, match=r"\[parameters.young\] value: the declared values.*got 0.6; allowed: 0.7"):
        run(Scenario("today", clinic(1.0, reference=0.6)))


def lives(events: Events, scenario: Scenario, draws: dict[str, Any]) -> dict[int, list[tuple[float, str]]]:
    table = events(resolve(scenario, draws), PATIENTS)
    rows = zip(*(table[column].tolist() for column in ("patient", "month", "state")), strict=True)
    lives_by_patient: dict[int, list[tuple[float, str]]] = {}
    for who, month, state in rows:
        lives_by_patient.setdefault(who, []).append((month, state))
    return lives_by_patient


def test_a_treatment_takes_over_each_parameter_sets_own_share_of_another() -> None:
    policy, table = load_scenario("dual-target-reinfusion"), values(load_draws(LETTER.pathway), slice(0, 50))
    before, after = (resolve(scenario, table) for scenario in (LETTER, policy))
    attribute = before.attributes.index("cd19")
    eligible = [cell[attribute] != "negative_or_dim" for cell in before.cells]
    shares = [{exit.name: np.asarray(exit.probability) for exit in m.exits["salvage_choice"]} for m in (before, after)]
    taken = [np.broadcast_to(shares[i][name], (50, len(eligible)))[:, eligible] for i, name in
             ((0, "car_t_reinfusion"), (1, "dual_target_reinfusion"))]  # fmt: skip
    np.testing.assert_allclose(*taken, rtol=1e-12)
    assert np.ptp(taken[1][:, 0]) > 0.2
    assert not np.any(shares[1]["car_t_reinfusion"])


def test_only_patients_who_leave_the_replaced_treatment_or_become_eligible_notice_a_replacement(events: Events) -> None:
    policy = load_scenario("dual-target-reinfusion")
    draws = {name: float(value) for name, value in load_draws(LETTER.pathway).iloc[3].items()}  # type: ignore[union-attr]
    before, after = (lives(events, scenario, draws) for scenario in (LETTER, policy))
    negative = levels_of(LETTER, Uniforms(1), np.array(PATIENTS))["cd19"] == list(
        LETTER.pathway.attributes["cd19"].levels
    ).index("negative_or_dim")

    def ever(who: int, state: str, lives_by_patient: dict[int, list[tuple[float, str]]]) -> bool:
        return state in [name for _, name in lives_by_patient[who]]

    reinfused = {who for who in PATIENTS if ever(who, "car_t_reinfusion", before)}
    dual = {who for who in PATIENTS if ever(who, "dual_target_reinfusion", after)}
    assert {who for who in dual if not negative[who]} == reinfused
    assert {who for who in PATIENTS if before[who] != after[who]} == dual
    assert 50 < len(dual - reinfused) < len(dual)


def test_sensitivity_leaves_the_uptake_out_and_evaluates_every_row_at_the_reference() -> None:
    policies = (LETTER, load_scenario("wider-salvage"))
    inputs = load_inputs(policies, 60, seed=1)
    assert uptake(LETTER.pathway) == ("salvage_uptake",)
    assert "salvage_uptake" not in inputs.names
    assert "salvage_uptake is left out: who is treated today is known (49 %)" in inputs.blank_in_words
    question = opened(Question(policies, "os_12", "relapse", "all", 12.0), inputs.draws)
    moved = inputs.draws.assign(salvage_uptake=0.9)
    rows = (inputs.draws, moved, inputs.draws.drop(columns="salvage_uptake"))
    first, *others = (question.value(evaluate(question, 1, draws)) for draws in rows)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_the_uptake_is_refused_as_a_parameter_of_sensitivity() -> None:
    with pytest.raises(InputError, match=r"--parameter: the share treated is known.*got 'salvage_uptake'.*--vary"):
        analyse("wider-salvage", "baseline", parameters=["salvage_uptake"])


def test_a_fit_reads_the_uptake_of_its_own_draws() -> None:
    """Moved to the reference, a draw's likelihood changes by the binomial of 18 treated of 37 and by nothing else."""
    targets, fitted, stated = load_targets("wang2024"), fitted_draws(LETTER.pathway), load_draws(LETTER.pathway)
    assert fitted is not None
    assert stated is not None
    pd.testing.assert_frame_equal(fitted, read_draws(targets.folder / "draws.csv", targets.pathway))
    posterior = Posterior(targets)
    names = list(posterior.priors.names)
    first = (table[names].iloc[:20].to_numpy() for table in (fitted, stated))
    own_share, at_18_of_37 = (posterior.log_likelihood(posterior.priors.inverse(rows)) for rows in first)
    binomial = [stats.binom.logpmf(18, 37, p) for p in (fitted["salvage_uptake"].iloc[:20], REFERENCE)]
    np.testing.assert_allclose(own_share - at_18_of_37, binomial[0] - binomial[1], atol=1e-6)
    assert np.ptp(binomial[0]) > 0.5
