"""A sensitivity analysis of the illness-death model, whose survival is known, and of the letter's pathway."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sojourn_times import Table, fixed, lognormal
from worlds import scenario, two_state

from simulator.analyses.sensitivity import question, structural
from simulator.analyses.sensitivity.inputs import BENEFIT_RANGE, load_inputs
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
    told = (shipped.path("three_state")).read_text()
    told = told.replace('start = "healthy"', 'start = "healthy"\ndraws = "draws.csv"')
    for rate in RATES.values():
        prior = f"prior = {{ family = 'lognormal', median = {rate}, sigma = 0.3 }}"
        told = told.replace(f"value = {rate:.2f}", f"value = {rate:.2f}\n{prior}")
    (tmp_path / "uncertain.toml").write_text(told)
    scores = np.random.default_rng(1).normal(size=(200, 3))
    draws = pd.DataFrame(np.array(list(RATES.values())) * np.exp(0.3 * scores), columns=list(RATES))
    draws.to_csv(tmp_path / "draws.csv", index=False)
    return Scenario("as-it-is", load_pathway(tmp_path / "uncertain.toml"))


def test_a_tornado_is_the_closed_form_at_either_end(uncertain: Scenario) -> None:
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


def test_a_difference_is_that_of_the_two_scenarios(uncertain: Scenario) -> None:
    fewer = replace(uncertain, name="fewer", scale={"onset_rate": 0.5})
    table = analyse(fewer, uncertain, outcome="os_24", parts=["tornado"]).tables["tornado"]
    middle = load_draws(uncertain.pathway).median()
    halved = survival(middle["onset_rate"] / 2, middle["death_rate_healthy"], middle["death_rate_ill"], 24.0)
    assert table["outcome_at_centre"].iloc[0] == pytest.approx(halved - survival(*middle, 24.0), abs=2e-4)


def test_all_hazards_of_death_go_against_survival(uncertain: Scenario) -> None:
    found = analyse(uncertain, outcome="os_12", parts=["prcc", "sobol"], samples=64).tables
    prcc = found["prcc"].set_index("parameter")
    assert (prcc["upper"] < 0.0).all()
    assert set(found["sobol"]["parameter"]) == set(RATES)
    assert found["sobol"]["total"].sum() == pytest.approx(1.0, abs=0.15)


def test_a_short_horizon_leaves_the_decision_out(uncertain: Scenario) -> None:
    fewer = replace(uncertain, name="fewer", scale={"onset_rate": 0.5})
    found = analyse(fewer, uncertain, outcome="os_12", horizon=24)
    assert list(found.tables) == ["tornado", "prcc", "structure"]


def test_only_the_requested_inputs_are_reported_but_all_vary(uncertain: Scenario) -> None:
    whole = analyse(uncertain, parts=["tornado", "prcc", "sobol"], samples=32).tables
    one = analyse(uncertain, parts=["tornado", "prcc", "sobol"], samples=32, parameters=["onset_rate"]).tables
    for part, table in one.items():
        expected = whole[part][whole[part]["parameter"] == "onset_rate"].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, expected)


def test_jobs_change_no_number(uncertain: Scenario) -> None:
    settings = {"outcome": "os_12", "parts": ["tornado", "prcc", "structure"]}
    one, two = (analyse(uncertain, jobs=jobs, **settings).tables for jobs in (1, 2))
    for part in one:
        pd.testing.assert_frame_equal(one[part], two[part])


@pytest.fixture(scope="module")
def wider() -> tuple[Scenario, Scenario]:
    return load_scenario("wider-salvage"), load_scenario("baseline")


def test_draws_have_the_outcomes_that_a_run_has(wider: tuple[Scenario, Scenario]) -> None:
    # Solved only as far as the outcome reaches; the benefit is fixed by NAME@0.3.
    scenario, base = wider[0].with_marginal_benefit(0.3), wider[1]
    outcomes = compare(base, scenario, engine="exact", draws=10, horizon=60.0).outcomes
    draws = load_inputs([base, scenario], 100, 1).draws.iloc[:10]
    rows = outcomes[(outcomes["scenario"] == scenario.name) & (outcomes["clock"] == "relapse")]
    for outcome, population in (
        ("os_12", "all"), ("rmst_60", "cd19=unknown"), ("os_24", "treated"), ("median_os", "untreated"),
        ("hsct_bed_months", "all"), ("survivors_12_gained_per_10_more_treated", "all"),
    ):  # fmt: skip
        asked = question.opened(question.Question((base, scenario), outcome, "relapse", population, 60.0), draws)
        values = asked.value(question.evaluate(asked, 1, draws))
        told = rows[(rows["outcome"] == outcome) & (rows["population"] == population)].iloc[0]
        mean = np.median(values) if outcome == "median_os" else values.mean()
        own = "estimate" if outcome.startswith("survivors") else "difference"
        assert mean == pytest.approx(told[own], rel=1e-6, abs=1e-9, nan_ok=True), (outcome, population)


def test_the_benefit_is_varied_unless_the_scenarios_name_gives_it(wider: tuple[Scenario, Scenario]) -> None:
    scenario, base = wider
    assert BENEFIT not in load_inputs([base], 100, 1).draws
    assert BENEFIT not in load_inputs([base, scenario.with_marginal_benefit(0.5)], 100, 1).draws
    fixed = load_inputs([base, scenario.with_marginal_benefit(COHORTS)], 100, 1)
    varied = load_inputs([base, scenario], 100, 1)
    pd.testing.assert_frame_equal(varied.draws, fixed.draws)


def test_the_benefit_is_what_other_cohorts_suggest(wider: tuple[Scenario, Scenario]) -> None:
    suggested = pd.read_csv(cohorts_folder() / "wang2024" / BENEFIT_FILE)[BENEFIT]
    varied = load_inputs(wider, None, 1)
    np.testing.assert_array_equal(varied.draws[BENEFIT], suggested)
    assert varied.ends(BENEFIT) == tuple(np.quantile(suggested, [0.025, 0.975]))
    assert varied.benefit_in_words.endswith("an extrapolation, not a measured effect.")


def test_the_benefit_is_anything_where_no_other_cohort_informs_it(
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


def test_the_bar_of_the_benefit_ends_at_its_two_policies(wider: tuple[Scenario, Scenario]) -> None:
    scenario, base = wider
    table = analyse(scenario, base, parts=["tornado"]).tables["tornado"].set_index("parameter")
    bar = table.loc[BENEFIT]
    own = {name: row["centre"] for name, row in table.iterrows() if name != BENEFIT}
    for end in ("low", "high"):
        options = (base, scenario.with_marginal_benefit(float(bar[end])))
        alive = [engine.curves(resolve(option, own), 12.0).survival["relapse", "all"][0, -1] for option in options]
        assert bar[f"outcome_at_{end}"] == pytest.approx(alive[1] - alive[0], abs=1e-5)
    assert bar["low"] < 0.1 < 0.9 < bar["high"]
    assert not bar["informed"]


def test_a_benefit_of_every_draw_is_the_mixture_of_patients_who_benefit_and_patients_who_do_not(
    wider: tuple[Scenario, Scenario],
) -> None:
    model = resolve(wider[0], {"salvage_uptake": np.array([[0.4], [0.5], [0.95]])})
    assert model.marginal is not None
    benefit = np.array([[0.2], [0.9], [0.5]])

    def alive(gain: float | np.ndarray) -> np.ndarray:
        own = replace(model, marginal=replace(model.marginal, benefit=gain))
        return engine.curves(own, 24.0, only={("relapse", "all")}).survival["relapse", "all"]

    assert alive(benefit) == pytest.approx(benefit * alive(1.0) + (1 - benefit) * alive(0.0), abs=1e-9)


def test_no_parameter_is_named_where_all_that_moves_is_rounding(wider: tuple[Scenario, Scenario]) -> None:
    """Whoever is transplanted fares alike under either policy, so that their survival differs by rounding only."""
    few = {"population": "hsct", "parameters": ["cr_immunotherapy", "pr_car_t_reinfusion"]}
    found = analyse(*wider, outcome="rmst_60", parts=["tornado"], draws=40, **few)
    assert 1e-9 < found.tables["tornado"]["swing"].max() < 1e-6
    assert answer(found).endswith("With every parameter at its median, the outcome is 0. No parameter changes it.")
    found = analyse(*wider, parts=["prcc"], draws=100, **few)
    assert found.tables["prcc"]["prcc"].isna().all()
    assert answer(found).endswith("Over 100 parameter sets, no parameter can be ranked.")


def test_an_outcome_that_no_parameter_changes_leaves_ranks_blank_and_shares_without_rows() -> None:
    found = analyse("longer-car-t-remission", "baseline", parts=["prcc", "sobol"], draws=100)
    assert found.tables["prcc"][["prcc", "lower", "upper"]].isna().all(axis=None)
    assert found.tables["sobol"].empty
    assert answer(found).endswith("can be ranked. No parameter has a share of the variance to show.")


def test_it_leads_with_the_two_estimates_that_compare_leads_with(wider: tuple[Scenario, Scenario]) -> None:
    scenario, base = wider
    few = {"draws": 40, "horizon": 24.0}
    led = answer(analyse(scenario, base, parts=["tornado"], parameters=["hsct_cure"], **few))
    compared = compare(base, scenario, engine="exact", **few)
    first, others, _ = run_answer(compared.outcomes, compared.scenarios).split(". ", 2)
    assert led.startswith(f"{first}, if additional patients benefit as today's do. ")
    assert f"as varied here: {others.partition('effect), ')[2]}." in led


def test_structure_as_declared_is_what_a_run_gives(wider: tuple[Scenario, Scenario]) -> None:
    declared = analyse(wider[1], parts=["structure"], draws=100).tables["structure"].iloc[0]
    outcomes = run(wider[1], engine="exact", draws=100, horizon=24.0).outcomes
    rows = outcomes[(outcomes["population"] == "all") & (outcomes["clock"] == "relapse")]
    reported = rows[rows["outcome"] == "os_12"].iloc[0]
    for name in ("estimate", "lower", "upper"):
        assert declared[name] == pytest.approx(reported[name], rel=1e-6)


def test_no_parameter_is_named_where_none_changes_a_shown_digit(uncertain: Scenario) -> None:
    hardly = replace(uncertain, name="hardly", scale={"onset_rate": 0.9995})
    found = analyse(hardly, uncertain, parts=["tornado"])
    assert found.tables["tornado"]["swing"].max() > 1e-6
    assert answer(found).endswith("No parameter changes it visibly.")
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
                ratios = {round(moved[each] / inputs.centre[each], 9) for each in others}
                assert len(ratios) == 1
            others = set(inputs.names) - set(siblings)
            assert all(moved[each] == inputs.centre[each] for each in others)


def test_a_row_of_inputs_moves_as_a_scenarios_set_would(wider: tuple[Scenario, Scenario]) -> None:
    inputs = load_inputs(list(wider), 400, 1)
    own = {**point_values(inputs.pathway), **{k: v for k, v in inputs.centre.items() if k != BENEFIT}}
    pulled = apply_levers(Scenario("set", inputs.pathway, set={"cr_immunotherapy": 0.9}), own)
    moved = inputs.moved("cr_immunotherapy", 0.9)
    assert all(moved[name] == pytest.approx(float(pulled[name])) for name in moved if name != BENEFIT)


WEIBULL = {"median": np.array([[3.0], [8.0]]), "shape": np.array([[1.0], [3.0]])}


def test_a_log_normal_time_has_the_median_and_the_ratio_of_quartiles() -> None:
    declared = build("weibull", WEIBULL)
    found = structural.lognormal(declared)
    assert found.median() == pytest.approx(declared.median())
    for time in (declared, found):
        ratio = time.ppf(0.75) / time.ppf(0.25)
        assert ratio == pytest.approx((np.log(4) / np.log(4 / 3)) ** (1 / WEIBULL["shape"]))


def test_a_cure_and_a_hazard_ratio_are_kept_by_another_family() -> None:
    found = structural.lognormal(build("weibull", WEIBULL, cure=0.3, hazard_ratio=0.5))
    assert found.survival(np.inf) == pytest.approx(0.3**0.5)
    fixed = build("fixed", {"months": 1.2})
    assert structural.lognormal(fixed) is fixed


@pytest.mark.parametrize("change", [structural.weibull_without_cure, structural.lognormal_without_cure])
def test_without_a_cured_fraction_survival_agrees_at_two_months_and_then_falls(change: Through) -> None:
    declared = build("weibull", WEIBULL, cure=np.array([[0.4], [0.6]]))
    found = change(declared, (6.0, 24.0))
    for month in (6.0, 24.0):
        assert found.survival(month) == pytest.approx(declared.survival(month), abs=1e-9)
    assert np.all(found.survival(240.0) < declared.survival(240.0))
    assert found.survival(1e300) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("change", [structural.weibull_without_cure, structural.lognormal_without_cure])
@pytest.mark.parametrize("cure", [0.001, 0.5, 0.999, 1.0])
def test_a_plateau_reached_early_stays_finite(change: Through, cure: float) -> None:
    found = change(build("weibull", {"median": 0.05, "shape": 2.0}, cure=cure), (6.0, 24.0))
    told = found.survival(np.array([0.0, 1.0, 6.0, 24.0, 120.0]))
    assert np.isfinite(told).all()
    assert np.all(np.diff(told) <= 1e-12)
    assert told[3] == pytest.approx(cure, abs=1e-3)


@pytest.mark.parametrize("change", [structural.weibull_with_cure, structural.lognormal_with_cure])
@pytest.mark.parametrize("ratio", [None, 0.5])
def test_with_a_cured_fraction_the_first_half_leaves_as_declared_and_a_tenth_never(
    change: structural.Change, ratio: float | None
) -> None:
    plain = build("weibull", WEIBULL)
    found = change(plain)
    for share in (0.25, 0.5):
        assert found.ppf(share) == pytest.approx(plain.ppf(share))
    assert found.survival(1e300) == pytest.approx(0.1)
    assert np.all(found.survival(120.0) > plain.survival(120.0))
    # A hazard ratio is on whatever it is on.
    under = change(build("weibull", WEIBULL, hazard_ratio=ratio))
    assert under.survival(4.0) == pytest.approx(found.survival(4.0) ** (ratio or 1.0))
    fixed = build("fixed", {"months": 1.2})
    assert change(fixed) is fixed


def test_a_patient_who_dies_at_once_is_not_cured() -> None:
    at_once = structural.weibull_with_cure(build("exponential", {"mean": np.array([[0.0], [2.0]])}))
    assert at_once.survival(1.0)[0, 0] == 0.0
    assert at_once.survival(1e300).ravel() == pytest.approx([0.0, 0.1])


def test_a_pathway_without_cured_fractions_is_asked_what_a_tenth_would_do(uncertain: Scenario) -> None:
    """The illness-death model by hand: of either death a tenth never comes to it, the others as Weibull as matched."""
    found = analyse(uncertain, outcome="os_24", parts=["structure"], draws=100).tables["structure"]
    cured = "a cured fraction of 10 %"
    assert list(found["alternative"]) == ["as declared", "log-normal times", cured, f"log-normal times, {cured}"]
    assert (found["change"].iloc[1:] != 0.0).all()
    draws = load_draws(uncertain.pathway)
    assert draws is not None
    alive = [alive_with_a_tenth_cured(*row, 24.0) for row in draws.iloc[:100][list(RATES)].to_numpy()]
    assert found.loc[2, "estimate"] == pytest.approx(np.mean(alive), abs=3e-4)


def alive_with_a_tenth_cured(onset: float, healthy: float, ill: float, t: float) -> float:
    """Survival by the trapezium rule over the month of falling ill."""
    months = np.linspace(0.0, t, 2001)

    def lives(rate: float, month: np.ndarray) -> np.ndarray:
        """With S at the exponential's own quartile and median, solved for the Weibull of the other nine tenths."""
        first, last = np.log(4 / 3) / rate, np.log(2) / rate
        h1, h2 = -np.log((0.75 - 0.1) / 0.9), -np.log((0.5 - 0.1) / 0.9)
        shape = np.log(h2 / h1) / np.log(last / first)
        return 0.1 + 0.9 * np.exp(-h2 * (month / last) ** shape)

    falls_ill = onset * np.exp(-onset * months) * lives(healthy, months)
    still_healthy = float(np.exp(-onset * t) * lives(healthy, np.array(t)))
    return still_healthy + float(np.trapezoid(falls_ill * lives(ill, t - months), months))


def test_a_pathway_with_cured_fractions_is_asked_without_them(wider: tuple[Scenario, Scenario]) -> None:
    assert structural.offered([resolve(wider[1])]) == [
        "as declared", "log-normal times", "no cured fraction", "log-normal times, no cured fraction"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "asked"),
    [
        (lognormal(median=3, sigma=1), ["a cured fraction", "log-normal times, a cured fraction"]),
        (lognormal(median=3, sigma=1, cure=0.2), ["no cured", "log-normal times, no cured"]),
        (fixed(3), []),
        (fixed(3, cure=0.2), []),
    ],
)
def test_nothing_is_asked_that_would_leave_every_time_as_it_is(time: Table, asked: list[str]) -> None:
    names = structural.offered([resolve(scenario(two_state(time)))])
    assert len(names) == 1 + len(asked)
    assert all(name.startswith(start) for name, start in zip(names[1:], asked, strict=True))


def test_an_assumption_about_shapes_hardly_moves_what_the_letter_saw(wider: tuple[Scenario, Scenario]) -> None:
    found = analyse(wider[1], outcome="os_12", parts=["structure"], draws=100).tables["structure"]
    assert found["change"].abs().max() < 0.05


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
    ({"costs": {"beds": 1.0}}, "a cost is used only by a decision"),
    ({"outcome": "median_os", "parts": ["prcc"], "horizon": 3}, "the outcome has no value for 200 of 200"),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_what_cannot_be_answered_is_refused_in_a_line(
    uncertain: Scenario, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        analyse(uncertain, **settings)


def test_queues_draws_and_decisions_that_are_not_there_are_refused(
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
        with pytest.raises(InputError, match=r"--cost hscts: no cost; got .*; allowed: 0 to 1,000,000 life-months"):
            analyse(*wider, parts=["evppi"], costs={"hscts": rate}, draws=100)
    with pytest.raises(InputError, match="the decision counts survival time beyond the horizon; got 24"):
        analyse(*wider, parts=["evppi"], horizon=24)


def test_a_pathway_of_few_draws_is_refused_by_its_file_and_not_by_an_option(tmp_path: Path) -> None:
    told = (shipped.path("three_state")).read_text()
    (tmp_path / "few.toml").write_text(told.replace('start = "healthy"', 'start = "healthy"\ndraws = "few.csv"'))
    (tmp_path / "few.csv").write_text("onset_rate\n" + "0.1\n0.2\n" * 15)
    few = Scenario("few", load_pathway(tmp_path / "few.toml"))
    with pytest.raises(InputError, match=r"few.toml: too few draws for the ends of .*; got 30; allowed: 40 or more"):
        analyse(few)
    with pytest.raises(InputError, match=r"few.toml: too few draws for prcc .*; got 30; allowed: 100 or more"):
        analyse(few, parts=["prcc"])


def test_shares_that_few_samples_leave_uncertain_are_not_reported_and_none_exceeds_the_whole(
    uncertain: Scenario,
) -> None:
    found = analyse(uncertain, parts=["sobol"], samples=64)
    shares = found.tables["sobol"]
    above = replace(found, tables={"sobol": shares[:1].assign(parameter="onset_rate", total=1.07, total_lower=0.6)})
    assert "is due to onset_rate (100 %)" in answer(above)
    vague = replace(found, tables={"sobol": shares.assign(total_lower=-7.5)})
    assert "64 samples are too few to attribute the variance to any parameter: use --samples 256." in answer(vague)


def test_a_missing_library_is_named_with_the_way_to_get_it(
    uncertain: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze.sobol", None)
    with pytest.raises(InputError, match=r"SALib, which is not installed.*aftercart\[sensitivity\]"):
        analyse(uncertain, parts=["sobol"])


def test_the_value_of_information_is_of_the_declared_decision(wider: tuple[Scenario, Scenario]) -> None:
    told = {"parts": ["evppi"], "draws": 100, "parameters": ["hsct_cure"]}
    dear, cheap = (
        analyse("hsct-for-all-responders", wider[1], costs={"hsct_bed_months": rate}, **told) for rate in (1000.0, 0.0)
    )
    # At a thousand life-months a bed-month more HSCT is never worth it, and there is nothing to learn.
    assert dear.tables["evppi"]["value"].iloc[0] == 0.0
    assert cheap.tables["evppi"]["value"].iloc[0] > 1.0
    assert dear.manifest["decision"] == {"life_months_to_month": 60, "costs": {"hsct_bed_months": 1000.0}}


def test_a_value_that_is_all_of_everything_but_uncertain_is_not_said_to_need_others() -> None:
    asked = SimpleNamespace(
        base=SimpleNamespace(name="today"), scenario=SimpleNamespace(name="wider"), decision=SimpleNamespace(costs={})
    )
    worth = {"parameter": ["everything", "uptake"], "value": [4.6, 4.6], "standard_error": [2.7, 2.8]}
    found = SimpleNamespace(question=asked, tables={"evppi": pd.DataFrame(worth)})
    said = sentence(found, "evppi")  # type: ignore[arg-type]
    assert "4.6 ± 2.7 life-months" in said
    assert said.endswith("but the worth of no single number exceeds twice its error.")
