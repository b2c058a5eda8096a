"""A sensitivity analysis of the illness-death model, whose survival is known, and of the letter's pathway."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import Table, fixed, lognormal
from worlds import longer_remission, scenario, two_state

from simulator.analyses.sensitivity import question, structural
from simulator.analyses.sensitivity.inputs import BENEFIT_RANGE, load_inputs
from simulator.analyses.sensitivity.question import Decision
from simulator.analyses.sensitivity.run import analyse
from simulator.distributions import Distribution, build
from simulator.engines.exact import engine
from simulator.engines.model import point_values, resolve
from simulator.errors import InputError
from simulator.evidence.cohort import cohorts_folder
from simulator.evidence.draws import BENEFIT, BENEFIT_FILE, load_draws
from simulator.experiment.run import compare, run
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.scenario.levers import apply_levers
from simulator.scenario.scenario import COHORTS, Scenario, load_scenario
from simulator.wording.headline import answer as run_answer
from simulator.wording.sensitivity import answer, sentence

Through = Callable[[Distribution, structural.Through], Distribution]
RATES = {"onset_rate": 0.1, "death_rate_healthy": 0.02, "death_rate_ill": 0.2}


def survival(onset: float, healthy: float, ill: float, t: float) -> float:
    leave = onset + healthy
    return float(np.exp(-leave * t) + onset / (ill - leave) * (np.exp(-leave * t) - np.exp(-ill * t)))


@pytest.fixture
def uncertain(tmp_path: Path) -> Scenario:
    """The illness-death model with 200 independent draws of its three rates."""
    pathway_text = (shipped.path("three_state")).read_text()
    pathway_text = pathway_text.replace('start = "healthy"', 'start = "healthy"\ndraws = "draws.csv"')
    for rate in RATES.values():
        prior = f"prior = {{ family = 'lognormal', median = {rate}, sigma = 0.3 }}"
        pathway_text = pathway_text.replace(f"value = {rate:.2f}", f"value = {rate:.2f}\n{prior}")
    (tmp_path / "uncertain.toml").write_text(pathway_text)
    scores = np.random.default_rng(1).normal(size=(200, 3))
    draws = pd.DataFrame(np.array(list(RATES.values())) * np.exp(0.3 * scores), columns=list(RATES))
    draws.to_csv(tmp_path / "draws.csv", index=False)
    return Scenario("as-it-is", load_pathway(tmp_path / "uncertain.toml"))


def test_both_ends_of_a_tornado_agree_with_the_closed_form(uncertain: Scenario) -> None:
    table = analyse(uncertain, outcome="os_12", parts=["tornado"]).tables["tornado"].set_index("parameter")
    draws = load_draws(uncertain.pathway)
    assert draws is not None
    middle = draws.median()
    for name in RATES:
        for end, share in (("low", 0.025), ("high", 0.975)):
            moved = {**middle, name: draws[name].quantile(share)}
            expected = survival(*(moved[rate] for rate in RATES), 12.0)
            assert table.loc[name, f"outcome_at_{end}"] == pytest.approx(expected, abs=2e-4)
    assert table["outcome_at_centre"].iloc[0] == pytest.approx(survival(*middle, 12.0), abs=2e-4)
    assert list(table["swing"]) == sorted(table["swing"], reverse=True)


def test_a_tornado_of_two_scenarios_shows_their_difference(uncertain: Scenario) -> None:
    fewer = replace(uncertain, name="fewer", scale={"onset_rate": 0.5})
    table = analyse(fewer, uncertain, outcome="os_24", parts=["tornado"]).tables["tornado"]
    middle = load_draws(uncertain.pathway).median()
    halved = survival(middle["onset_rate"] / 2, middle["death_rate_healthy"], middle["death_rate_ill"], 24.0)
    assert table["outcome_at_centre"].iloc[0] == pytest.approx(halved - survival(*middle, 24.0), abs=2e-4)


def test_all_hazards_of_death_have_negative_correlations_with_survival(uncertain: Scenario) -> None:
    tables = analyse(uncertain, outcome="os_12", parts=["prcc", "sobol"], samples=64).tables
    prcc = tables["prcc"].set_index("parameter")
    assert (prcc["upper"] < 0.0).all()
    assert set(tables["sobol"]["parameter"]) == set(RATES)
    assert tables["sobol"]["total"].sum() == pytest.approx(1.0, abs=0.15)


def test_a_short_horizon_has_no_decision(uncertain: Scenario) -> None:
    fewer = replace(uncertain, name="fewer", scale={"onset_rate": 0.5})
    results = analyse(fewer, uncertain, outcome="os_12", horizon=24)
    assert list(results.tables) == ["tornado", "prcc", "structure"]


def test_only_the_requested_inputs_are_reported_but_all_vary(uncertain: Scenario) -> None:
    all_inputs = analyse(uncertain, parts=["tornado", "prcc", "sobol"], samples=32).tables
    requested = analyse(uncertain, parts=["tornado", "prcc", "sobol"], samples=32, parameters=["onset_rate"]).tables
    for part, table in requested.items():
        expected = all_inputs[part][all_inputs[part]["parameter"] == "onset_rate"].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, expected)


def test_the_number_of_processes_changes_no_number(uncertain: Scenario) -> None:
    settings = {"outcome": "os_12", "parts": ["tornado", "prcc", "structure"]}
    alone, together = (analyse(uncertain, jobs=jobs, **settings).tables for jobs in (1, 2))
    for part in alone:
        pd.testing.assert_frame_equal(alone[part], together[part])


@pytest.fixture(scope="module")
def wider() -> tuple[Scenario, Scenario]:
    return load_scenario("wider-salvage"), load_scenario("baseline")


def test_outcomes_of_draws_agree_with_a_run(wider: tuple[Scenario, Scenario]) -> None:
    # Solved only up to the month of the outcome; NAME@0.3 fixes the benefit.
    scenario, base = wider[0].with_marginal_benefit(0.3), wider[1]
    outcomes = compare(base, scenario, engine="exact", draws=2, horizon=60.0).outcomes
    draws = load_inputs([base, scenario], 100, 1).draws.iloc[:2]
    rows = outcomes[(outcomes["scenario"] == scenario.name) & (outcomes["clock"] == "relapse")]
    for outcome, population in (
        ("os_12", "all"), ("rmst_60", "cd19=unknown"), ("os_24", "treated"), ("median_os", "untreated"),
        ("hsct_bed_months", "all"), ("survivors_12_gained_per_10_more_treated", "all"),
    ):  # fmt: skip
        opened = question.opened(question.Question((base, scenario), outcome, "relapse", population, 60.0), draws)
        values = opened.value(question.evaluate(opened, 1, draws))
        row = rows[(rows["outcome"] == outcome) & (rows["population"] == population)].iloc[0]
        mean = np.median(values) if outcome == "median_os" else values.mean()
        column = "estimate" if outcome.startswith("survivors") else "difference"
        assert mean == pytest.approx(row[column], rel=1e-6, abs=1e-9, nan_ok=True), (outcome, population)


def test_the_benefit_is_varied_unless_the_name_of_the_scenario_fixes_it(wider: tuple[Scenario, Scenario]) -> None:
    scenario, base = wider
    assert BENEFIT not in load_inputs([base], 100, 1).draws
    assert BENEFIT not in load_inputs([base, scenario.with_marginal_benefit(0.5)], 100, 1).draws
    fixed = load_inputs([base, scenario.with_marginal_benefit(COHORTS)], 100, 1)
    varied = load_inputs([base, scenario], 100, 1)
    pd.testing.assert_frame_equal(varied.draws, fixed.draws)


def test_the_benefit_is_varied_as_other_cohorts_suggest(wider: tuple[Scenario, Scenario]) -> None:
    suggested = pd.read_csv(cohorts_folder() / "wang2024" / BENEFIT_FILE)[BENEFIT]
    varied = load_inputs(wider, None, 1)
    np.testing.assert_array_equal(varied.draws[BENEFIT], suggested)
    assert varied.ends(BENEFIT) == tuple(np.quantile(suggested, [0.025, 0.975]))
    assert varied.benefit_in_words.endswith("an extrapolation, not a measured effect.")


def test_without_other_cohorts_the_benefit_is_varied_uniformly(
    wider: tuple[Scenario, Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.evidence.draws.BENEFIT_FILE", "nobody.csv")
    varied = load_inputs(wider, 2000, 1)
    assert varied.ends(BENEFIT) == BENEFIT_RANGE
    assert varied.benefit_in_words == "marginal_benefit is varied uniformly from 0 to 1: an assumption."
    assert varied.centre[BENEFIT] == 0.5
    # Kolmogorov-Smirnov at 1.63 / sqrt(n): one sample in a hundred, one seed.
    ordered = np.sort(varied.draws[BENEFIT])
    assert np.abs(ordered - (np.arange(2000) + 0.5) / 2000).max() < 1.63 / np.sqrt(2000)


@pytest.mark.slow
def test_the_bar_of_the_benefit_ends_at_the_policies_with_low_and_high_benefit(
    wider: tuple[Scenario, Scenario],
) -> None:
    scenario, base = wider
    table = analyse(scenario, base, parts=["tornado"]).tables["tornado"].set_index("parameter")
    bar = table.loc[BENEFIT]
    centre = {name: row["centre"] for name, row in table.iterrows() if name != BENEFIT} | {"salvage_uptake": 18 / 37}
    for end in ("low", "high"):
        options = (base, scenario.with_marginal_benefit(float(bar[end])))
        alive = [engine.curves(resolve(option, centre), 12.0).survival["relapse", "all"][0, -1] for option in options]
        assert bar[f"outcome_at_{end}"] == pytest.approx(alive[1] - alive[0], abs=1e-5)
    assert bar["low"] < 0.1 < 0.9 < bar["high"]
    assert not bar["informed"]


def test_survival_at_a_partial_benefit_is_a_mixture_of_full_and_no_benefit(wider: tuple[Scenario, Scenario]) -> None:
    model = resolve(wider[0], {"salvage_uptake": np.array([[0.4], [0.5], [0.95]])})
    assert model.marginal is not None
    benefit = np.array([[0.2], [0.9], [0.5]])

    def alive(benefit_share: float | np.ndarray) -> np.ndarray:
        model_of_share = replace(model, marginal=replace(model.marginal, benefit=benefit_share))
        return engine.curves(model_of_share, 24.0, only={("relapse", "all")}).survival["relapse", "all"]

    assert alive(benefit) == pytest.approx(benefit * alive(1.0) + (1 - benefit) * alive(0.0), abs=1e-9)


@pytest.mark.slow
def test_no_parameter_is_named_if_the_outcome_changes_by_rounding_only(wider: tuple[Scenario, Scenario]) -> None:
    """Survival after transplant is the same under either policy, up to rounding."""
    settings = {"population": "hsct", "parameters": ["cr_immunotherapy", "pr_car_t_reinfusion", "hsct_cure"]}
    results = analyse(*wider, outcome="rmst_60", parts=["tornado"], draws=40, **settings)
    assert results.tables["tornado"]["swing"].max() < 1e-6
    assert "With every parameter at its median, the outcome is 0. No parameter changes it." in answer(results)
    results = analyse(*wider, parts=["prcc"], draws=100, **settings)
    assert results.tables["prcc"]["prcc"].isna().all()
    assert "Over 100 parameter sets, no parameter can be ranked." in answer(results)


def test_an_outcome_that_no_parameter_changes_leaves_ranks_blank_and_shares_without_rows() -> None:
    results = analyse(longer_remission(), "baseline", parts=["prcc", "sobol"], draws=100)
    assert results.tables["prcc"][["prcc", "lower", "upper"]].isna().all(axis=None)
    assert results.tables["sobol"].empty
    assert "can be ranked. No parameter has a share of the variance to show." in answer(results)


@pytest.mark.slow
def test_the_answer_starts_with_the_two_estimates_of_a_comparison(wider: tuple[Scenario, Scenario]) -> None:
    scenario, base = wider
    settings = {"draws": 40, "horizon": 12.0}
    text = answer(analyse(scenario, base, parts=["tornado"], parameters=["hsct_cure"], **settings))
    compared = compare(base, scenario, engine="exact", **settings)
    first, others, _ = run_answer(compared.outcomes, compared.scenarios).split(". ", 2)
    assert text.startswith(f"{first}, if additional patients benefit as today's treated do. ")
    from_the_draws = others.partition("effect), ")[2].partition("; the prior alone gives")[0]
    assert f"as varied here: {from_the_draws}." in text


@pytest.mark.slow
def test_the_declared_structure_agrees_with_a_run(wider: tuple[Scenario, Scenario]) -> None:
    declared = analyse(wider[1], parts=["structure"], draws=100).tables["structure"].iloc[0]
    outcomes = run(wider[1], engine="exact", draws=100, horizon=12.0).outcomes
    rows = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == "relapse")]
    reported = rows[rows["outcome"] == "os_12"].iloc[0]
    for name in ("estimate", "lower", "upper"):
        assert declared[name] == pytest.approx(reported[name], rel=1e-6)


def test_no_parameter_is_named_if_none_changes_a_shown_digit(uncertain: Scenario) -> None:
    tiny_effect = replace(uncertain, name="hardly", scale={"onset_rate": 0.9995})
    results = analyse(tiny_effect, uncertain, parts=["tornado"])
    assert results.tables["tornado"]["swing"].max() > 1e-6
    assert answer(results).endswith("No parameter changes it visibly.")
    assert "Each varied over its 95 % interval, " in answer(analyse(uncertain, parts=["tornado"]))


def test_siblings_move_in_proportion_and_sum_to_one(wider: tuple[Scenario, Scenario]) -> None:
    inputs = load_inputs(list(wider), 400, 1)
    for name in inputs.names:
        for end in inputs.ends(name):
            moved = inputs.moved(name, end)
            assert moved[name] == pytest.approx(end)
            siblings = inputs.siblings(name)
            if len(siblings) > 1:
                assert sum(moved[sibling] for sibling in siblings) == pytest.approx(1.0)
                others = [sibling for sibling in siblings if sibling != name]
                ratios = {round(moved[sibling] / inputs.centre[sibling], 9) for sibling in others}
                assert len(ratios) == 1
            others = set(inputs.names) - set(siblings)
            assert all(moved[name] == inputs.centre[name] for name in others)


def test_an_input_moves_its_siblings_as_the_set_lever_does(wider: tuple[Scenario, Scenario]) -> None:
    inputs = load_inputs(list(wider), 400, 1)
    values = {**point_values(inputs.pathway), **{k: v for k, v in inputs.centre.items() if k != BENEFIT}}
    with_lever = apply_levers(Scenario("set", inputs.pathway, set={"cr_immunotherapy": 0.9}), values)
    moved = inputs.moved("cr_immunotherapy", 0.9)
    assert all(moved[name] == pytest.approx(float(with_lever[name])) for name in moved if name != BENEFIT)


WEIBULL = {"median": np.array([[3.0], [8.0]]), "shape": np.array([[1.0], [3.0]])}


def test_a_log_normal_time_keeps_the_median_and_the_ratio_of_quartiles() -> None:
    declared = build("weibull", WEIBULL)
    alternative = structural.lognormal(declared)
    assert alternative.median() == pytest.approx(declared.median())
    for time in (declared, alternative):
        ratio = time.ppf(0.75) / time.ppf(0.25)
        assert ratio == pytest.approx((np.log(4) / np.log(4 / 3)) ** (1 / WEIBULL["shape"]))


def test_another_family_keeps_the_cure_and_the_hazard_ratio() -> None:
    alternative = structural.lognormal(build("weibull", WEIBULL, cure=0.3, hazard_ratio=0.5))
    assert alternative.survival(np.inf) == pytest.approx(0.3**0.5)
    waning: dict[str, Any] = {"hazard_ratio": [0.5, 1.0], "breaks": [4.0]}
    alternative = structural.lognormal(build("weibull", WEIBULL, **waning))
    plain = structural.lognormal(build("weibull", WEIBULL))
    assert alternative.survival(9.0) == pytest.approx(plain.survival(9.0) / plain.survival(4.0) ** 0.5)
    late = structural.lognormal(build("weibull", WEIBULL, after=4.0))
    assert late.survival(5.0) == pytest.approx(plain.survival(9.0) / plain.survival(4.0))
    fixed = build("fixed", {"months": 1.2})
    assert structural.lognormal(fixed) is fixed


def test_a_risk_in_two_states_loses_its_cured_fraction_in_both() -> None:
    whole, late = (build("weibull", WEIBULL, cure=0.3, after=after) for after in (None, 4.0))
    both = [structural.weibull_without_cure(time, (6.0, 24.0)) for time in (whole, late)]
    assert both[1].survival(5.0) == pytest.approx(both[0].survival(9.0) / both[0].survival(4.0))


@pytest.mark.parametrize("change", [structural.weibull_without_cure, structural.lognormal_without_cure])
def test_without_a_cured_fraction_survival_agrees_at_two_months_and_then_falls(change: Through) -> None:
    declared = build("weibull", WEIBULL, cure=np.array([[0.4], [0.6]]))
    alternative = change(declared, (6.0, 24.0))
    for month in (6.0, 24.0):
        assert alternative.survival(month) == pytest.approx(declared.survival(month), abs=1e-9)
    assert np.all(alternative.survival(240.0) < declared.survival(240.0))
    assert alternative.survival(1e300) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("change", [structural.weibull_without_cure, structural.lognormal_without_cure])
@pytest.mark.parametrize("cure", [0.001, 0.5, 0.999, 1.0])
def test_a_plateau_reached_early_stays_finite(change: Through, cure: float) -> None:
    alternative = change(build("weibull", {"median": 0.05, "shape": 2.0}, cure=cure), (6.0, 24.0))
    alive = alternative.survival(np.array([0.0, 1.0, 6.0, 24.0, 120.0]))
    assert np.isfinite(alive).all()
    assert np.all(np.diff(alive) <= 1e-12)
    assert alive[3] == pytest.approx(cure, abs=1e-3)


@pytest.mark.parametrize("change", [structural.weibull_with_cure, structural.lognormal_with_cure])
@pytest.mark.parametrize("ratio", [None, 0.5])
def test_with_a_cured_fraction_half_leave_as_declared_and_a_tenth_never(
    change: structural.Change, ratio: float | None
) -> None:
    plain = build("weibull", WEIBULL)
    alternative = change(plain)
    for share in (0.25, 0.5):
        assert alternative.ppf(share) == pytest.approx(plain.ppf(share))
    assert alternative.survival(1e300) == pytest.approx(0.1)
    assert np.all(alternative.survival(120.0) > plain.survival(120.0))
    # A hazard ratio applies to the changed time too.
    with_ratio = change(build("weibull", WEIBULL, hazard_ratio=ratio))
    assert with_ratio.survival(4.0) == pytest.approx(alternative.survival(4.0) ** (ratio or 1.0))
    fixed = build("fixed", {"months": 1.2})
    assert change(fixed) is fixed


def test_a_patient_who_dies_at_once_is_not_cured() -> None:
    at_once = structural.weibull_with_cure(build("exponential", {"mean": np.array([[0.0], [2.0]])}))
    assert at_once.survival(1.0)[0, 0] == 0.0
    assert at_once.survival(1e300).ravel() == pytest.approx([0.0, 0.1])


def test_a_pathway_without_cured_fractions_is_analysed_with_a_tenth_cured(uncertain: Scenario) -> None:
    """The illness-death model by hand: a tenth is cured of either death, the others have matched Weibull times."""
    table = analyse(uncertain, outcome="os_24", parts=["structure"], draws=100).tables["structure"]
    cured = "a cured fraction of 10 %"
    assert list(table["alternative"]) == ["as declared", "log-normal times", cured, f"log-normal times, {cured}"]
    assert (table["change"].iloc[1:] != 0.0).all()
    draws = load_draws(uncertain.pathway)
    assert draws is not None
    alive = [alive_with_a_tenth_cured(*row, 24.0) for row in draws.iloc[:100][list(RATES)].to_numpy()]
    assert table.loc[2, "estimate"] == pytest.approx(np.mean(alive), abs=3e-4)


def alive_with_a_tenth_cured(onset: float, healthy: float, ill: float, t: float) -> float:
    """Survival by the trapezium rule over the month of falling ill."""
    months = np.linspace(0.0, t, 2001)

    def lives(rate: float, month: np.ndarray) -> np.ndarray:
        """The Weibull of the other nine tenths has the survival of the exponential at its quartile and median."""
        first, last = np.log(4 / 3) / rate, np.log(2) / rate
        h1, h2 = -np.log((0.75 - 0.1) / 0.9), -np.log((0.5 - 0.1) / 0.9)
        shape = np.log(h2 / h1) / np.log(last / first)
        return 0.1 + 0.9 * np.exp(-h2 * (month / last) ** shape)

    falls_ill = onset * np.exp(-onset * months) * lives(healthy, months)
    still_healthy = float(np.exp(-onset * t) * lives(healthy, np.array(t)))
    return still_healthy + float(np.trapezoid(falls_ill * lives(ill, t - months), months))


def test_a_pathway_with_cured_fractions_is_analysed_without_them(wider: tuple[Scenario, Scenario]) -> None:
    assert structural.offered([resolve(wider[1])]) == [
        "as declared", "log-normal times", "no cured fraction", "log-normal times, no cured fraction"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "alternatives"),
    [
        (lognormal(median=3, sigma=1), ["a cured fraction", "log-normal times, a cured fraction"]),
        (lognormal(median=3, sigma=1, cure=0.2), ["no cured", "log-normal times, no cured"]),
        (fixed(3), []),
        (fixed(3, cure=0.2), []),
    ],
)
def test_alternatives_that_change_no_time_are_not_offered(time: Table, alternatives: list[str]) -> None:
    names = structural.offered([resolve(scenario(two_state(time)))])
    assert len(names) == 1 + len(alternatives)
    assert all(name.startswith(start) for name, start in zip(names[1:], alternatives, strict=True))


def test_alternative_shapes_change_survival_at_12_months_by_less_than_5_points(
    wider: tuple[Scenario, Scenario],
) -> None:
    table = analyse(wider[1], outcome="os_12", parts=["structure"], draws=100).tables["structure"]
    assert table["change"].abs().max() < 0.05


REFUSED = [
    ({"outcome": "os_13"}, "unknown outcome; got 'os_13'.*did you mean 'os_12'"),
    ({"outcome": "os_60", "horizon": 24}, "os_60 is beyond the horizon; got 24.*60 months or more"),
    ({"parts": ["tornados"]}, "unknown part.*did you mean 'tornado'"),
    ({"parts": ["evppi"]}, "a decision needs a second scenario"),
    ({"parts": ["priors"]}, "no cohort was fitted"),
    ({"parts": ["sobol"], "samples": 100}, "power of two"),
    ({"parts": ["prcc"], "samples": 64}, r"--samples: only Sobol indices use samples; got 64; allowed: --show sobol"),
    ({"parameters": ["onset"]}, "unknown uncertain parameter; got 'onset'.*did you mean 'onset_rate'"),
    ({"draws": 1}, "too few draws.*got 1; allowed: 40 or more"),
    ({"draws": 201}, "too many draws are requested.*got 201"),
    ({"clock": "relapse"}, "unknown clock"),
    ({"population": "ill"}, "unknown population"),
    ({"costs": {"beds": 1.0}}, "--cost: only a decision uses it"),
    ({"outcome": "median_os", "parts": ["prcc"], "horizon": 3}, "the outcome has no value for 200 of 200"),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_invalid_settings_are_refused_with_a_reason(
    uncertain: Scenario, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        analyse(uncertain, **settings)


def test_queues_missing_draws_and_impossible_decisions_are_refused(
    uncertain: Scenario, wider: tuple[Scenario, Scenario]
) -> None:
    with pytest.raises(InputError, match="exact engine, which has no queues"):
        analyse("letter-centre")
    with pytest.raises(InputError, match="without draws has no uncertain parameters"):
        analyse(Scenario("bare", load_pathway(shipped.path("three_state"))))
    with pytest.raises(InputError, match="different pathways"):
        analyse(uncertain, wider[1])
    with pytest.raises(InputError, match=r"unknown count.*did you mean 'hscts'"):
        analyse(*wider, parts=["evppi"], costs={"hsct": 1.0}, draws=100)
    for rate in (1e308, float("nan"), -1.0):
        with pytest.raises(InputError, match=r"--cost hscts: no cost; got .*; allowed: 0 to 1,000,000"):
            analyse(*wider, parts=["evppi"], costs={"hscts": rate}, draws=100)
    with pytest.raises(InputError, match="the decision counts survival time beyond the horizon; got 24"):
        analyse(*wider, parts=["evppi"], horizon=24)


def test_a_pathway_with_few_draws_is_refused_with_its_file(tmp_path: Path) -> None:
    pathway_text = (shipped.path("three_state")).read_text()
    (tmp_path / "few.toml").write_text(
        pathway_text.replace('start = "healthy"', 'start = "healthy"\ndraws = "few.csv"')
    )
    (tmp_path / "few.csv").write_text("onset_rate\n" + "0.1\n0.2\n" * 15)
    few = Scenario("few", load_pathway(tmp_path / "few.toml"))
    with pytest.raises(InputError, match=r"few.toml: too few draws for the ends of .*; got 30; allowed: 40 or more"):
        analyse(few)
    with pytest.raises(InputError, match=r"few.toml: too few draws for prcc .*; got 30; allowed: 100 or more"):
        analyse(few, parts=["prcc"])


def test_uncertain_sobol_shares_are_not_worded_and_none_exceeds_100_percent(uncertain: Scenario) -> None:
    results = analyse(uncertain, parts=["sobol"], samples=64)
    shares = results.tables["sobol"]
    above = replace(results, tables={"sobol": shares[:1].assign(parameter="onset_rate", total=1.07, total_lower=0.6)})
    assert "is due to onset_rate (100 %)" in answer(above)
    vague = replace(results, tables={"sobol": shares.assign(total_lower=-7.5)})
    assert "64 samples are too few to attribute the variance to any parameter: use --samples 256." in answer(vague)


def test_a_missing_library_is_named_with_its_install_command(
    uncertain: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze.sobol", None)
    with pytest.raises(InputError, match=r"SALib, which is not installed.*aftercart\[sensitivity\]"):
        analyse(uncertain, parts=["sobol"])


@pytest.mark.slow
def test_the_value_of_information_depends_on_the_declared_costs(wider: tuple[Scenario, Scenario]) -> None:
    settings = {"parts": ["evppi"], "draws": 100, "parameters": ["hsct_cure"]}
    expensive, cheap = (
        analyse("hsct-for-all-responders", wider[1], costs={"hsct_bed_months": rate}, **settings)
        for rate in (1000.0, 0.0)
    )
    # At a thousand life-months a bed-month more HSCT is never worth it, and there is nothing to learn.
    assert expensive.tables["evppi"]["value"].iloc[0] == 0.0
    assert cheap.tables["evppi"]["value"].iloc[0] > 1.0
    assert expensive.manifest["decision"] == {"life_months_to_month": 60, "costs": {"hsct_bed_months": 1000.0}}


def test_an_uncertain_value_of_information_is_worded_as_uncertain() -> None:
    question_of_two = SimpleNamespace(
        base=SimpleNamespace(name="today"),
        scenario=SimpleNamespace(name="wider", pathway=SimpleNamespace(counts={})),
        decision=Decision("rmst_60", 60.0, "life-month", {}),
    )
    values = {"parameter": ["everything", "uptake"], "value": [4.6, 4.6], "standard_error": [2.7, 2.8]}
    results = SimpleNamespace(question=question_of_two, tables={"evppi": pd.DataFrame(values)})
    text = sentence(results, "evppi")  # type: ignore[arg-type]
    assert "4.6 ± 2.7 life-months" in text
    assert text.endswith("but the worth of no single number exceeds twice its error.")
