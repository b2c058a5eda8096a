"""The benefits that a policy is shown for: told apart, mixed right, and at break-even just worth its margin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator.engines.exact import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence.draws import load_informed_draws, read_benefits, values
from simulator.experiment import marginal_benefit
from simulator.experiment.engine_choice import choose_engine
from simulator.experiment.results import Results
from simulator.experiment.run import compare, run
from simulator.outcomes import summaries
from simulator.randomness import Uniforms
from simulator.scenario.scenario import INFORMED, PRIOR_ALONE, Scenario, load_scenario, split_name

WIDER = load_scenario("wider-salvage")
DRAWS = load_informed_draws(WIDER.pathway)
SETTINGS = {"draws": 5, "horizon": 24.0, "jobs": 1}


@pytest.fixture(scope="module")
def compared() -> Results:
    return compare("baseline", "wider-salvage", **SETTINGS)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def outcomes(compared: Results) -> pd.DataFrame:
    everybody = compared.outcomes[compared.outcomes["population"] == "all"]
    return everybody[everybody["clock"] == "relapse"].set_index(["scenario", "outcome"])


def test_break_even_is_where_a_line_meets_the_margin() -> None:
    """Where benefit changes nothing, none need benefit, or not even all are enough."""
    none, every = np.array([0.3, 0.3, 0.4, 0.3, 0.4]), np.array([0.5, 0.33, 0.5, 0.3, 0.4])
    needed, wanted = summaries.break_even(np.full(5, 0.3), none, every, margin=0.05)
    np.testing.assert_allclose(needed, [0.25, 5 / 3, -0.5, np.inf, 0.0])
    np.testing.assert_allclose(wanted, 0.35)


def test_a_policy_that_treats_more_is_shown_for_three_benefits(outcomes: pd.DataFrame) -> None:
    names = list(dict.fromkeys(name for name, _ in outcomes.index))
    assert names == ["baseline", "wider-salvage", "wider-salvage@cohorts", "wider-salvage@break-even"]


def test_at_break_even_a_policy_has_the_margin_and_no_more(outcomes: pd.DataFrame) -> None:
    assert outcomes.loc[("wider-salvage@break-even", "os_12"), "difference"] == pytest.approx(0.05, abs=1e-7)
    assert 0 < outcomes.loc[("wider-salvage", "break_even_for_5_more_at_12"), "estimate"] < 1
    assert outcomes.loc[("wider-salvage", "draws_with_5_more_at_12"), "estimate"] == 1.0


def test_a_draw_pays_where_its_own_benefit_reaches_break_even(outcomes: pd.DataFrame) -> None:
    model = resolve(WIDER, values(DRAWS, slice(0, 5)))
    ends = [engine.curves(replace(model, marginal=replace(model.marginal, benefit=m)), 12.0) for m in (0.0, 1.0)]
    none, every = (curves.survival["relapse", "all"][:, -1] for curves in ends)
    pays = DRAWS[INFORMED].to_numpy()[:5] * (every - none) >= 0.05
    assert outcomes.loc[("wider-salvage@cohorts", "draws_with_5_more_at_12"), "estimate"] == pays.mean()


def test_a_margin_can_be_asked_for() -> None:
    outcomes = run("wider-salvage", margin=12.5, **{**SETTINGS, "draws": 1}).outcomes  # type: ignore[arg-type]
    row = outcomes[outcomes["outcome"] == "break_even_for_12.5_more_at_12"].iloc[0]
    assert row["scenario"] == "wider-salvage"
    # One draw reaches the margin or not, which is no probability.
    assert not outcomes["outcome"].str.startswith("draws_with_").any()
    with pytest.raises(InputError, match=r"--margin: the margin is out of range; got 101"):
        run("wider-salvage", margin=101)


def test_each_draw_has_its_own_benefit() -> None:
    informed = WIDER.with_marginal_benefit("cohorts")
    together = engine.curves(resolve(informed, values(DRAWS, slice(0, 4))), 24.0).survival["relapse", "all"]
    for i in range(4):
        one = WIDER.with_marginal_benefit(float(DRAWS[INFORMED].iloc[i]))
        alone = engine.curves(resolve(one, values(DRAWS, slice(i, i + 1))), 24.0).survival["relapse", "all"]
        np.testing.assert_allclose(together[i], alone[0], atol=1e-9)


def test_a_mixture_of_both_ends_is_what_the_engine_solves(compared: Results) -> None:
    mixed = compared.survival
    solved = engine.curves(resolve(WIDER.with_marginal_benefit("cohorts"), values(DRAWS, slice(0, 5))), 24.0)
    for population in ("all", "treated", "hsct", "cd19=positive"):
        rows = mixed[(mixed["scenario"] == "wider-salvage@cohorts") & (mixed["population"] == population)]
        survival = rows[(rows["clock"] == "relapse") & (rows["month"] == 12.0)]["survival"].iloc[0]
        assert survival == pytest.approx(solved.survival["relapse", population][:, 120].mean(), abs=1e-6)


def test_simulated_patients_benefit_as_often_as_their_draw_says() -> None:
    informed = WIDER.with_marginal_benefit("cohorts")
    model = resolve(informed, {name: float(value[0, 0]) for name, value in values(DRAWS, slice(0, 1)).items()})
    n = 40_000
    seen = microsim.curves(model, 12.0, patients=n, uniforms=Uniforms(4)).survival["relapse", "all"][0]
    expected = engine.curves(model, 12.0).survival["relapse", "all"][0]
    # Dvoretzky-Kiefer-Wolfowitz: a false alarm in a million.
    assert np.abs(seen - expected).max() < np.sqrt(np.log(2e6) / (2 * n)) + 1e-3


@pytest.mark.slow
def test_microsim_shows_the_same_benefits() -> None:
    settings = {"draws": 2, "horizon": 24.0, "jobs": 1, "engine": "microsim", "patients": 400}
    results = compare("baseline", "wider-salvage", **settings)  # type: ignore[arg-type]
    assert [split_name(scenario.name)[1] for scenario in results.scenarios] == [None, None, "cohorts", "break-even"]
    assert results.survival["monte_carlo_se"].notna().all()


def test_where_patients_wait_no_break_even_is_reported() -> None:
    results = compare("letter-centre", "wider-salvage-todays-beds", draws=1, horizon=12.0, jobs=1, replications=1)
    assert [split_name(scenario.name)[1] for scenario in results.scenarios[1:]] == [None, "cohorts"]


def test_a_pathway_without_cohorts_keeps_the_assumption() -> None:
    pathway = replace(WIDER.pathway, draws=None)
    bare = Scenario("bare", pathway)
    policy = replace(WIDER, pathway=pathway)
    compared_at = marginal_benefit.with_marginal_benefits([bare, policy], None, 1, break_even=True)
    assert [scenario.marginal_benefit for scenario in compared_at] == [1.0, 1.0, 0.5, "break-even"]
    with pytest.raises(InputError, match=r"no draw of pathway .* has a marginal benefit; got '@cohorts'"):
        resolve(policy.with_marginal_benefit("cohorts"))


def test_a_policy_that_treats_no_more_is_shown_once() -> None:
    fewer = Scenario("fewer", WIDER.pathway, set={"salvage_uptake": 0.1})
    assert marginal_benefit.with_marginal_benefits([fewer], DRAWS, 3, break_even=True) == [fewer]


def test_a_name_may_ask_for_what_cohorts_suggest() -> None:
    assert load_scenario("wider-salvage@cohorts").marginal_benefit == "cohorts"
    assert choose_engine("auto", [load_scenario("wider-salvage@cohorts")])[0] == "exact"
    with pytest.raises(InputError, match="more than one marginal benefit"):
        load_scenario("wider-salvage@0.5@cohorts")
    with pytest.raises(InputError, match="unknown scenario"):
        load_scenario("wider-salvage@break-even")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("marginal_benefit\n0.5\n1.5\n", r"line 3, marginal_benefit: not a share; got 1.5; allowed: 0 to 1"),
        ("marginal_benefit\n0.5\nhalf\n", r"line 3, marginal_benefit: not a number; got 'half'"),
        (
            "marginal_benefit\n0.5\n",
            r"the number of values differs from the number of draws; got 1; allowed: 2 \(aftercart validate --refit\)",
        ),
        ("marginal_benefit,prior_alone\n0.5,0.5\n0.5,2\n", r"line 3, prior_alone: not a share; got 2.0"),
        ("benefit\n0.5\n0.6\n", r"a column is missing; got \['benefit'\]; allowed: marginal_benefit"),
    ],
)
def test_benefits_that_do_not_fit_the_draws_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "marginal_benefit.csv").write_text(text)
    with pytest.raises(InputError, match=f"marginal_benefit.csv: {complaint}"):
        read_benefits(tmp_path / "marginal_benefit.csv", 2)


def test_there_is_a_benefit_for_every_draw_and_one_by_its_prior_alone() -> None:
    assert DRAWS[INFORMED].between(0, 1).all()
    # The prior of a new setting is symmetric about one half: 2,000 draws at a false-alarm rate of 1 in 1,000.
    assert DRAWS[PRIOR_ALONE].mean() == pytest.approx(0.5, abs=3.3 * DRAWS[PRIOR_ALONE].std() / len(DRAWS) ** 0.5)


def test_what_the_prior_alone_gives_is_the_mixture_at_its_draws(compared: Results, outcomes: pd.DataFrame) -> None:
    policies = [replace(WIDER, name=f"x@{end}", marginal_benefit=end) for end in (0.0, 1.0)]
    solved = [engine.curves(resolve(policy, values(DRAWS, slice(0, 5))), 12.0) for policy in policies]
    none, every = (curves.survival["relapse", "all"][:, -1] for curves in solved)
    benefit = DRAWS[PRIOR_ALONE].to_numpy()[:5]
    by_prior = outcomes.loc[("wider-salvage@cohorts", "os_12_by_the_prior_alone")]
    assert by_prior["estimate"] == pytest.approx(np.mean(none + benefit * (every - none)), abs=1e-6)
    today = outcomes.loc[("baseline", "os_12"), "estimate"]
    assert by_prior["difference"] == pytest.approx(by_prior["estimate"] - today, abs=1e-6)
    assert "; the prior alone gives " in compared.answer
    assert compared.answer.endswith(" by the prior alone.")


def test_more_treated_only_because_more_relapse_have_no_survivors_per_10_more_treated() -> None:
    """A shorter remission brings more patients to the decision, and fewer survive: not because they are treated."""
    infused = load_scenario("infused")
    sooner = replace(infused, name="sooner", hazard_ratio={"car_t_remission.relapse": 2.0})
    wider = replace(infused, name="wider", set={"salvage_uptake": 0.88})
    outcomes = compare(infused, sooner, wider, draws=1, horizon=24.0, jobs=1).outcomes
    per_10 = outcomes[outcomes["outcome"] == "survivors_24_gained_per_10_more_treated"]
    assert set(per_10["scenario"]) == {"wider", "wider@cohorts", "wider@break-even"}
    assert (per_10["estimate"] > 0.0).all()
