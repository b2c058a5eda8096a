"""Figures that as many simulated patients would print, against closed forms and the letter."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration import predictive
from calibration.denominators import Denominator
from calibration.likelihood.targets import Targets, find_folder, load_targets
from calibration.predictive import inside, predict, simulate_figures
from simulator.arrays import Floats
from simulator.engines.microsim import engine
from simulator.evidence.cohort import read_cohort
from simulator.evidence.draws import fitted_draws
from simulator.evidence.prior_draws import prior_draws
from simulator.evidence.priors import Priors

NewCohort = Callable[..., Targets]

N = 25
UPTAKE = 0.4
ALIVE_6 = np.exp(-6 / 10.0)
COHORTS = 1000
OTHERS = 20
FALSE_ALARM = 1e-6
LETTER = read_cohort(find_folder("wang2024")).targets.set_index("name")
PRINTED = [str(name) for name in LETTER.index[(LETTER["kind"] == "survivors") & LETTER["month"].isin([6.0, 12.0])]]
ROWS = (
    f"treated,patients,treated,,,,10,{N},",
    f"women,patients,all,,sex=female,,6,{N},",
    f"survivors_6,survivors,all,,,6,14,{N},",
    "survivors_6_treated,survivors,treated,,,6,5,10,",
    "survivors_6_women,survivors,sex=female,,sex=female,6,3,6,",
    f"deaths,deaths,all,,,,20,{N},",
    "deaths_treated,deaths,treated,dead,,,8,10,",
    f"earliest,minimum,all,relapse,,,,{N},0.3",
    f"middle,median,all,relapse,,,,{N},6.0",
    f"latest,maximum,all,relapse,,,,{N},30.0",
    f"follow_up,median_follow_up,all,,,,,{N},8.0",
)
NAMES = [row.split(",")[0] for row in ROWS]


def draws_of(uptake: float, number: int = COHORTS) -> pd.DataFrame:
    return pd.DataFrame({"uptake": np.full(number, uptake)})


@pytest.fixture(scope="module")
def targets(new_cohort: NewCohort) -> Targets:
    return new_cohort(N, *ROWS, use="predictive")


@pytest.fixture(scope="module")
def simulated(targets: Targets) -> Floats:
    return simulate_figures(targets, draws_of(UPTAKE), slice(0, COHORTS))


@pytest.fixture(scope="module")
def figures(simulated: Floats) -> dict[str, Floats]:
    return dict(zip(NAMES, simulated.T, strict=True))


@pytest.fixture(scope="module")
def table(targets: Targets, simulated: Floats) -> pd.DataFrame:
    return predictive.table(targets, simulated, simulated).set_index("target")


@pytest.mark.slow
def test_a_cohort_larger_than_a_block_is_simulated_whole(
    targets: Targets, simulated: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BLOCK", 7)
    np.testing.assert_array_equal(simulate_figures(targets, draws_of(UPTAKE), slice(0, 2)), simulated[:2])


def dead_at_the_end() -> float:
    """1 - E exp(-F / 10), F uniform on 10 to 30 months."""
    return 1.0 - 10.0 * (np.exp(-1.0) - np.exp(-3.0)) / 20.0


COUNTS = {
    "treated": (N, UPTAKE),
    "women": (N, 0.25),
    "survivors_6": (N, ALIVE_6),
    "deaths": (N, dead_at_the_end()),
    "deaths_treated": (10, dead_at_the_end()),
    "survivors_6_treated": (10, ALIVE_6),
    "survivors_6_women": (6, ALIVE_6),
}
"""name -> the patients of the figure, and the chance that each of them is counted."""


@pytest.mark.parametrize("name", COUNTS)
def test_a_figure_of_whole_patients_is_binomial(name: str, figures: dict[str, Floats]) -> None:
    n, share = COUNTS[name]
    counts = figures[name] * (n if name.startswith("survivors") else 1)
    assert_counts(counts, stats.binom.pmf(np.arange(n + 1), n, share))


def assert_counts(counts: Floats, chances: Floats) -> None:
    """Whole patients, of a law; its rare counts together."""
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    observed = np.bincount(np.rint(counts).astype(int), minlength=chances.size)
    expected = counts.size * chances
    common = expected >= 5
    cells = [np.append(of[common], of[~common].sum()) for of in (observed, expected)]
    observed, expected = (of[: common.sum() + (~common).any()] for of in cells)
    assert stats.chisquare(observed, expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", COUNTS)
def test_the_interval_of_a_count_is_binomial(name: str, table: pd.DataFrame) -> None:
    n, share = COUNTS[name]
    factor = 100 / n if name.startswith("survivors") else 1
    # Where the binomial is near 2.5 or 97.5 % a sample may fall either side.
    noise = 5 * np.sqrt(0.025 * 0.975 / COHORTS)
    for bound, level in (("lower", 0.025), ("upper", 0.975)):
        between = stats.binom.ppf([level - noise, level + noise], n, share)
        assert between[0] <= table.loc[name, bound] / factor + 1e-9, bound
        assert between[1] >= table.loc[name, bound] / factor - 1e-9, bound


def assert_mean(values: Floats, expected: float) -> None:
    known = values[~np.isnan(values)]
    error = known.std() / np.sqrt(known.size)
    assert abs(known.mean() - expected) < 5 * error


def middle_of_25(cdf: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """The cdf of the 13th of 25: at least 13 are below (David & Nagaraja 2003, 2.1)."""
    return lambda times: stats.binom.sf(12, N, cdf(times))


def dead_or_censored(times: Floats) -> Floats:
    """P(min(T, F) <= t): dead, or followed no longer."""
    return 1.0 - np.exp(-times / 10.0) * np.clip((30.0 - times) / 20.0, 0.0, 1.0)


def relapsed(times: Floats) -> Floats:
    return -np.expm1(-times / 8.0)


TIMES = {
    "earliest": lambda times: 1.0 - (1.0 - relapsed(times)) ** N,
    "middle": middle_of_25(relapsed),
    "latest": lambda times: relapsed(times) ** N,
    "follow_up": middle_of_25(dead_or_censored),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_reported_time_is_its_order_statistic(name: str, figures: dict[str, Floats]) -> None:
    assert stats.kstest(figures[name], TIMES[name]).pvalue > FALSE_ALARM


def test_reported_figures_are_compared_with_their_interval(table: pd.DataFrame) -> None:
    assert (table["count"].dropna() == [10, 6, 14, 5, 3, 20, 8]).all()
    assert table.loc["survivors_6", "reported"] == 100 * 14 / 25
    assert table.loc["middle", "reported"] == 6.0
    for _, row in table.iterrows():
        assert (row["inside"] == "yes") == (row["lower"] <= row["reported"] <= row["upper"])


def test_a_figure_far_from_the_model_lies_outside(new_cohort: NewCohort) -> None:
    targets = new_cohort(N, f"treated,patients,treated,,,,24,{N},", use="predictive")
    assert predict(targets, draws_of(UPTAKE, 200), map).loc[0, "inside"] == "no"


def test_a_median_survival_that_simulated_cohorts_do_not_reach_has_no_upper_end(new_cohort: NewCohort) -> None:
    targets = new_cohort(40, "lasting,median_survival,all,,,,,40,22.5", use="predictive")
    for not_reached, simulated in ((10, 20.0), (60, np.inf)):
        medians = np.array([[20.0]] * (100 - not_reached) + [[np.inf]] * not_reached)
        row = predictive.table(targets, medians, medians).iloc[0]
        assert (row["simulated"], row["lower"], row["upper"], row["inside"]) == (simulated, 20.0, np.inf, "yes")


@pytest.mark.slow
def test_how_many_are_treated_depends_on_the_uptake_and_the_survival_of_ten_treated_does_not(
    new_cohort: NewCohort,
) -> None:
    """Over draws of a beta prior the treated are beta-binomial, and survivors of ten treated stay binomial."""
    targets = new_cohort(N, ROWS[0], ROWS[3], use="predictive")
    treated, alive = simulate_figures(targets, pd.DataFrame(prior_draws(targets.pathway, COHORTS)), slice(0, COHORTS)).T
    assert_counts(treated, stats.betabinom(N, 2, 3).pmf(np.arange(N + 1)))
    assert_counts(10 * alive[~np.isnan(alive)], stats.binom.pmf(np.arange(11), 10, ALIVE_6))
    # Ten of a stream of 1,600 are not treated where the uptake is below 1 %: a draw in 1,500.
    assert np.isnan(alive).mean() < 0.01


def test_patients_who_start_the_clock_late_do_not_change_the_order(new_cohort: NewCohort) -> None:
    """Of the first n, as many have each level as in a cohort of n, however few of them start the clock."""
    cohort = predictive.simulated(new_cohort(N, *ROWS, use="predictive"), {}, number=1, times=4)
    reversed_order = replace(cohort, entry=np.arange(4 * N)[::-1])
    chosen = reversed_order.first(Denominator(frozenset(), N))
    assert chosen is not None
    assert np.flatnonzero(chosen).tolist() == list(range(3 * N, 4 * N))
    assert cohort.first(Denominator(frozenset({"treated"}), 4 * N)) is None


def test_a_group_without_patients_has_an_empty_cell(new_cohort: NewCohort) -> None:
    targets = new_cohort(8, "alive,survivors,treated,,,6,0,8,", use="predictive")
    summary = predict(targets, draws_of(0.0, 60), map)
    assert summary[["simulated", "lower", "upper"]].isna().all(axis=None)
    assert summary.loc[0, "inside"] == "no"


def test_the_size_of_a_chunk_of_draws_does_not_change_figures(targets: Targets, simulated: Floats) -> None:
    parts = [simulate_figures(targets, draws_of(UPTAKE), slice(first, first + 20)) for first in (0, 20, 40)]
    np.testing.assert_array_equal(simulated[:60], np.concatenate(parts))


def frozen() -> pd.DataFrame:
    table = read_cohort(find_folder("wang2024")).predictive
    assert table is not None
    return table.set_index("target")


@pytest.fixture(scope="module")
def from_other_draws(letter: Targets) -> pd.DataFrame:
    """The letter's predictive table from the last draws, where the frozen one is from the first 1,000."""
    draws = fitted_draws(letter.pathway)
    assert draws is not None
    return predict(letter, draws.iloc[-OTHERS:], map).set_index("target")


def test_all_6_and_12_month_survival_of_the_letter_is_compared() -> None:
    assert len(PRINTED) == 8
    assert set(frozen().index) == set(LETTER.index)


@pytest.mark.parametrize("name", PRINTED)
def test_survival_printed_in_the_letter_lies_in_its_interval(name: str, from_other_draws: pd.DataFrame) -> None:
    for table in (frozen(), from_other_draws):
        row = table.loc[name]
        assert row["lower"] - 1e-9 <= row["reported"] <= row["upper"] + 1e-9
        assert row["inside"] == "yes"
        assert row["reported"] == pytest.approx(100 * LETTER.loc[name, "count"] / LETTER.loc[name, "n"], abs=1e-3)


def test_a_printed_figure_is_a_miss_only_if_no_number_that_prints_so_lies_in_the_interval() -> None:
    figures = {figure.name: figure for figure in load_targets("wudhikarn2021").figures}
    median, count = figures["infusion_to_relapse"], figures["complete_response"]
    assert median.printed["value"] == "5.5"
    assert [inside(median, lower, 5.5, 14.5) for lower in (5.49, 5.54, 5.56)] == ["yes", "yes", "no"]
    assert [inside(count, lower, 100 * 13 / 30, 90.0) for lower in (43.3, 43.4)] == ["yes", "no"]


SHORT = ("survivors_12_treated", "survivors_12_other_treated", "survivors_12_relapsed_or_refractory")
"""Printed figures more than a standard error above their mean of simulated cohorts (docs/calibration.md)."""


@pytest.mark.parametrize("name", [name for name in PRINTED if name not in (*SHORT, "survivors_12_untreated")])
def test_the_mean_of_a_printed_figure_is_within_a_standard_error_of_the_letter(
    name: str, from_other_draws: pd.DataFrame
) -> None:
    error, row = LETTER.loc[name, "standard_error"], frozen().loc[name]
    assert abs(row["simulated"] - row["reported"]) < error
    # Noise of a mean over other cohorts is their spread / sqrt(number): four of these, 6e-5 a figure.
    noise = 4 * (row["upper"] - row["lower"]) / 4 / np.sqrt(OTHERS)
    assert abs(from_other_draws.loc[name, "simulated"] - row["reported"]) < error + noise


@pytest.mark.parametrize("name", SHORT)
def test_survival_of_the_treated_is_between_what_the_prior_and_the_letter_say(
    name: str, from_other_draws: pd.DataFrame
) -> None:
    error, row, other = LETTER.loc[name, "standard_error"], frozen().loc[name], from_other_draws.loc[name]
    assert row["prior_simulated"] < row["simulated"] < row["reported"] - error
    # Noise of a mean over other cohorts, as above.
    noise = 4 * (row["upper"] - row["lower"]) / 4 / np.sqrt(OTHERS)
    assert row["prior_simulated"] - noise < other["simulated"] < row["reported"] - error + noise


@pytest.fixture(scope="module")
def page() -> str:
    return " ".join((Path(__file__).parents[2] / "docs" / "calibration.md").read_text(encoding="utf-8").split())


def test_the_page_on_the_calibration_says_which_survival_it_predicts_too_low(page: str) -> None:
    table, printed = frozen(), LETTER["value"]
    for name in ("survivors_12_treated", "survivors_12_hsct", "survivors_12_other_treated"):
        row = table.loc[name]
        assert (
            f"{row['simulated']:.0f} % (n = {row['n']:.0f}, {interval(row)}; "
            f"prior {row['prior_simulated']:.0f} %, reported {printed[name]:.0f} %)"
        ) in page
    for name in ("survivors_12", "survivors_12_relapsed_or_refractory", "survivors_12_mrd_reemergence"):
        assert f"{table.loc[name, 'simulated']:.0f} % instead of {printed[name]:.0f} %" in page
    gap = table["reported"] - table["simulated"]
    without_hsct, with_hsct = 8 / 18 * gap["survivors_12_other_treated"], 10 / 18 * gap["survivors_12_hsct"]
    short = gap["survivors_12_treated"]
    assert f"Of the {short:.1f} points by which the treated fall short, {without_hsct:.1f} come from" in page
    assert f"and {with_hsct:.1f} from the ten with HSCT" in page
    both = table.loc["chemotherapy_without_hsct_deaths"]
    assert f"the model predicts {both['simulated']:.1f} deaths ({both['lower']:.0f} to {both['upper']:.0f})" in page


def interval(row: pd.Series) -> str:
    return f"95 % interval {row['lower']:.0f} to {row['upper']:.0f}"


def test_the_page_on_the_calibration_counts_the_figures_in_their_intervals(page: str) -> None:
    table = frozen()
    assert (table["inside"] == "yes").all()
    for bound, distance in (("prior_lower", 1.0), ("prior_upper", -1.0)):
        assert (distance * (table["reported"] - table[bound]) >= -1e-9).all()
    assert f"All {len(table)} reported figures" in page
    assert (table["use"].value_counts()[["likelihood", "case_mix", "predictive"]] == [35, 9, 12]).all()
    assert "35 of them were fitted, nine are the case mix, which is set, and most of the other 12" in page


def test_the_page_on_the_calibration_names_the_parameters_whose_prior_conflicts_with_the_letter(
    page: str, letter: Targets
) -> None:
    posterior = read_cohort(find_folder("wang2024")).posterior
    assert posterior is not None
    (conflict,) = posterior[posterior["conflict"].abs() > 1.96].itertuples()
    known = posterior["conflict"].notna().sum()
    assert f"one of {known}: `{conflict.parameter}` ({conflict.conflict:.2f})" in page
    without = set(posterior["parameter"][posterior["conflict"].isna()])
    parameters, dirichlets = letter.pathway.parameters, letter.pathway.dirichlets()
    scores = Priors.from_parameters(parameters, dirichlets).score_names
    last = without - set(scores)
    assert (len(without), len(last)) == (20, 5)
    assert f"The other {len(posterior) - known} parameters have none: five are the last branch of a choice" in page
    assert f"posterior of {len(without - last)} is not narrower than the prior by more than the" in page


def test_few_untreated_patients_survive_a_year(from_other_draws: pd.DataFrame) -> None:
    for table in (frozen(), from_other_draws):
        assert table.loc["survivors_12_untreated", "simulated"] < 3.0


def test_the_frozen_table_agrees_with_the_frozen_draws(from_other_draws: pd.DataFrame) -> None:
    """The mean of a figure in other cohorts differs by its noise only."""
    frozen_rows = frozen().loc[from_other_draws.index]
    spread = (frozen_rows["upper"] - frozen_rows["lower"]) / 4 + 0.5
    assert ((from_other_draws["simulated"] - frozen_rows["simulated"]).abs() < 5 * spread / np.sqrt(OTHERS)).all()
