"""Parameters whose effects no method can separate have blank cells, one sentence, and no warning."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from simulator.analyses.sensitivity import prcc, value_of_information
from simulator.analyses.sensitivity.inseparable import constant, together
from simulator.analyses.sensitivity.run import analyse
from simulator.figures.analyses.sensitivity import pictures
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.report import terminal
from simulator.report.tables.sensitivity import report
from simulator.scenario.scenario import Scenario
from simulator.wording.sensitivity import answer

RATES = ("onset_rate", "death_rate_healthy", "death_rate_ill")
NUMBERS = {"tornado": "swing", "prcc": "prcc", "sobol": "total", "evppi": "value"}

Draws = Callable[..., pd.DataFrame]


def alone(name: str) -> Sequence[str]:
    return (name,)


@pytest.fixture
def draws() -> pd.DataFrame:
    scores = np.random.default_rng(1).normal(size=(150, 3))
    return pd.DataFrame(np.array([0.1, 0.02, 0.2]) * np.exp(0.3 * scores), columns=list(RATES))


@pytest.fixture
def scenarios_of(tmp_path: Path) -> Callable[[pd.DataFrame], tuple[Scenario, Scenario]]:
    """The illness-death model with such draws, and a policy with it."""

    def scenarios(draws: pd.DataFrame) -> tuple[Scenario, Scenario]:
        pathway_text = (shipped.path("three_state")).read_text()
        pathway_text = pathway_text.replace('start = "healthy"', 'start = "healthy"\ndraws = "draws.csv"')
        (tmp_path / "uncertain.toml").write_text(pathway_text)
        draws.round(6).to_csv(tmp_path / "draws.csv", index=False)
        pathway = load_pathway(tmp_path / "uncertain.toml")
        return Scenario("today", pathway), Scenario("fewer", pathway, scale={"onset_rate": 0.5})

    return scenarios


# --- Groups of parameters ---


def test_independent_draws_are_distinguished(draws: pd.DataFrame) -> None:
    assert together(draws, alone) == []
    assert constant(draws) == []


@pytest.mark.parametrize(
    ("moved", "group"),
    [
        (lambda d: d.assign(death_rate_ill=d["onset_rate"]), ("onset_rate", "death_rate_ill")),
        (lambda d: d.assign(death_rate_ill=(2.0 * d["onset_rate"]).round(4)), ("onset_rate", "death_rate_ill")),
        (lambda d: d.assign(death_rate_ill=1.0 - d["onset_rate"]), ("onset_rate", "death_rate_ill")),
        (lambda d: d.assign(death_rate_ill=np.exp(9.0 * d["onset_rate"])), ("onset_rate", "death_rate_ill")),
        (lambda d: d.assign(death_rate_ill=d["onset_rate"] + 3.0 * d["death_rate_healthy"]), RATES),
    ],
    ids=["a copy", "rounded", "its complement", "a function of it", "a sum"],
)
def test_draws_that_move_together_are_one_group(
    moved: Callable[[pd.DataFrame], pd.DataFrame], group: tuple[str, ...], draws: pd.DataFrame
) -> None:
    assert together(moved(draws), alone) == [group]


def test_two_pairs_are_two_groups(draws: pd.DataFrame) -> None:
    more = draws.assign(copy=draws["onset_rate"], other=2.0 * draws["death_rate_ill"])
    assert together(more, alone) == [("onset_rate", "copy"), ("death_rate_ill", "other")]


def test_shares_of_one_choice_are_reported_although_they_sum_to_one(draws: pd.DataFrame) -> None:
    share = draws["onset_rate"] / draws["onset_rate"].max()
    shares = draws.assign(death_rate_healthy=share, death_rate_ill=1.0 - share).drop(columns="onset_rate")
    assert together(shares, lambda name: tuple(map(str, shares.columns))) == []


def test_strongly_correlated_draws_are_distinguished(draws: pd.DataFrame) -> None:
    correlated = draws["onset_rate"] + 0.1 * draws["death_rate_healthy"]
    assert together(draws.assign(death_rate_ill=correlated).drop(columns="death_rate_healthy"), alone) == []


def test_a_parameter_that_varies_by_rounding_only_is_constant(draws: pd.DataFrame) -> None:
    still = draws.assign(onset_rate=0.1, death_rate_ill=0.2 + 1e-16 * np.arange(150))
    assert constant(still) == ["onset_rate", "death_rate_ill"]
    assert together(still, alone) == []


def test_fewer_draws_than_parameters_form_no_groups() -> None:
    assert together(pd.DataFrame(np.random.default_rng(2).normal(size=(4, 6))).rename(columns=str), alone) == []


# --- Tables and sentences ---


def test_parameters_that_move_together_are_blank_in_every_part_with_one_sentence(
    draws: pd.DataFrame, scenarios_of: Callable[[pd.DataFrame], tuple[Scenario, Scenario]]
) -> None:
    today, fewer = scenarios_of(draws.assign(death_rate_ill=2.0 * draws["onset_rate"]))
    results = analyse(fewer, today, parts=list(NUMBERS), samples=64)
    for part, column in NUMBERS.items():
        table = results.tables[part].set_index("parameter")
        pair = [name for name in ("onset_rate", "death_rate_ill") if name in table.index]
        assert table.loc[pair, column].isna().all()
        assert np.isfinite(table.loc["death_rate_healthy", column])
    text = answer(results)
    assert text.endswith("onset_rate and death_rate_ill vary together, so their effects cannot be separated.")
    assert text.count("cannot be separated") == 1
    assert "(+" not in text.partition("correlates most with")[2].partition("death_rate_healthy")[0]


def test_a_parameter_that_does_not_vary_is_blank_in_every_part_with_one_sentence(
    draws: pd.DataFrame, scenarios_of: Callable[[pd.DataFrame], tuple[Scenario, Scenario]]
) -> None:
    today, fewer = scenarios_of(draws.assign(death_rate_ill=0.2))
    results = analyse(fewer, today, parts=list(NUMBERS), samples=64)
    for part, column in NUMBERS.items():
        table = results.tables[part].set_index("parameter")
        assert table[column].drop(["death_rate_ill"], errors="ignore").notna().all()
        assert "death_rate_ill" not in table.index or np.isnan(table.loc["death_rate_ill", column])
    assert answer(results).endswith("death_rate_ill does not vary.")


@pytest.mark.parametrize("differing", [1, 2, 10])
@pytest.mark.parametrize("copied", [False, True])
def test_a_parameter_that_differs_in_few_draws_has_no_rank(
    differing: int, copied: bool, draws: pd.DataFrame, scenarios_of: Callable[[pd.DataFrame], tuple[Scenario, Scenario]]
) -> None:
    """A parameter that is constant in nearly all draws, or a copy of another in nearly all."""
    rare = 2.0 * draws["onset_rate"] if copied else pd.Series(0.2, index=draws.index)
    rare.iloc[:differing] = np.linspace(0.4, 0.5, differing)
    today, _ = scenarios_of(draws.assign(death_rate_ill=rare))
    results = analyse(today, parts=["prcc"])
    row = results.tables["prcc"].set_index("parameter").loc["death_rate_ill"]
    assert row[["prcc", "lower", "upper"]].isna().all()
    assert row["effective_draws"] < 2 * differing + 2
    assert "death_rate_ill" in answer(results).partition("The correlation")[2]
    assert "fewer than 20 parameter sets" in answer(results)


def test_parameters_that_all_move_together_have_no_ranking(
    draws: pd.DataFrame, scenarios_of: Callable[[pd.DataFrame], tuple[Scenario, Scenario]]
) -> None:
    """All parameters are multiples of one, rounded to six digits."""
    onset = draws["onset_rate"]
    today, _ = scenarios_of(draws.assign(death_rate_healthy=onset / 7.0, death_rate_ill=2.0 * onset))
    results = analyse(today, parts=["prcc", "tornado", "sobol"], samples=64)
    assert results.tables["prcc"][["prcc", "lower", "upper"]].isna().all(axis=None)
    assert "correlates most with" not in answer(results)
    assert "it most" not in answer(results)


def test_without_variation_a_table_without_rows_says_so(
    draws: pd.DataFrame, scenarios_of: Callable[[pd.DataFrame], tuple[Scenario, Scenario]]
) -> None:
    today, fewer = scenarios_of(draws.assign(onset_rate=0.1, death_rate_healthy=0.02, death_rate_ill=0.2))
    results = analyse(fewer, today, parts=["tornado", "prcc", "sobol", "structure", "evppi"], samples=64)
    assert results.tables["sobol"].empty
    output = io.StringIO()
    terminal.show(report(results), Console(file=output, width=80))
    assert output.getvalue().count("No parameter has a value to show here.") == 1
    assert "onset_rate, death_rate_healthy and death_rate_ill do not vary." in " ".join(output.getvalue().split())
    pictures(results)


# --- Methods ---


def siblings(draws: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    return {str(name): (str(name),) for name in draws}


@pytest.mark.parametrize("n_draws", [2, 3, 5, 6, 19])
def test_ranks_of_too_few_draws_are_blank(n_draws: int, draws: pd.DataFrame) -> None:
    few = draws.head(n_draws).reset_index(drop=True)
    table = prcc.table(few, few["onset_rate"].to_numpy(), siblings(few))
    assert table[["prcc", "lower", "upper"]].isna().all(axis=None)


def test_ranks_of_fewer_draws_than_parameters_are_blank() -> None:
    wide = pd.DataFrame(np.random.default_rng(3).normal(size=(100, 120))).rename(columns=str)
    table = prcc.table(wide, wide["0"].to_numpy(), siblings(wide))
    assert table[["prcc", "lower", "upper"]].isna().all(axis=None)


def test_ranks_with_an_outcome_that_does_not_vary_are_blank(draws: pd.DataFrame) -> None:
    table = prcc.table(draws, np.zeros(150), siblings(draws))
    assert table[["prcc", "lower", "upper"]].isna().all(axis=None)


def test_a_duplicated_control_takes_no_degree_of_freedom(draws: pd.DataFrame) -> None:
    """Fisher's interval: atanh of its ends are 1.96 / sqrt(n - k - 3) from that of the estimate, k controls."""
    outcome = draws["onset_rate"] + 0.03 * np.random.default_rng(2).normal(size=150)
    for table in (draws, draws.assign(copy=draws["death_rate_healthy"])):
        row = prcc.table(table, outcome.to_numpy(), {"onset_rate": ("onset_rate",)}).iloc[0]
        half_width = np.arctanh(row["upper"]) - np.arctanh(row["prcc"])
        assert half_width == pytest.approx(1.959964 / np.sqrt(150 - 2 - 3), rel=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e-3])
def test_worthless_information_has_one_sentence_and_no_shares(
    scale: float, draws: pd.DataFrame, scenarios_of: Callable[[pd.DataFrame], tuple[Scenario, Scenario]]
) -> None:
    """A policy that certainly pays, and one that changes almost nothing: in both cases the better option is known."""
    today, fewer = scenarios_of(draws)
    fewer = replace(fewer, scale={"onset_rate": 1.0 - scale / 2.0} if scale else {"onset_rate": 0.5})
    results = analyse(fewer, today, parts=["evppi"])
    output = io.StringIO()
    terminal.show(report(results), Console(file=output, width=80))
    text = " ".join(output.getvalue().split())
    assert "error Perfect information would be worth less than 1 life-month per 100 patients." in text
    assert "No parameter has a value" not in text
    assert "100 %" not in text
    assert results.tables["evppi"]["share_of_everything"].isna().all()


def test_information_is_worthless_if_the_benefit_does_not_vary(draws: pd.DataFrame) -> None:
    table = value_of_information.table(np.full(150, 2.0), draws, list(RATES), 1)
    assert (table["value"] == 0.0).all()
    assert table["share_of_everything"].isna().all()
