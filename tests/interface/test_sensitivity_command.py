"""`aftercart sensitivity` as a person types it: answer, tables, folder, figures, refusals."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.cli.sensitivity import _widen
from simulator.evidence.draws import fitted_draws
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.wording.rounding import interval

Command = Callable[..., Any]

RATES = {"onset_rate": 0.1, "death_rate_healthy": 0.02, "death_rate_ill": 0.2}


@pytest.fixture
def ill(folder: Path) -> Path:
    """The illness-death model with 150 draws of its rates, and a policy."""
    pathway = (shipped.path("three_state")).read_text()
    pathway = pathway.replace('start = "healthy"', 'start = "healthy"\ndraws = "draws.csv"')
    (folder / "uncertain.toml").write_text(pathway)
    scores = np.random.default_rng(2).normal(size=(150, 3))
    draws = pd.DataFrame(np.array(list(RATES.values())) * np.exp(0.3 * scores), columns=list(RATES))
    draws.to_csv(folder / "draws.csv", index=False)
    (folder / "today.toml").write_text('pathway = "uncertain.toml"\n')
    (folder / "fewer.toml").write_text('base = "today.toml"\n[scale]\nonset_rate = 0.5\ndeath_rate_healthy = 1.5\n')
    return folder


def sensitivity(aftercart: Command, *typed: str) -> Any:
    return aftercart("sensitivity", *typed, "--jobs", "1")


def test_the_answer_comes_first_and_every_line_fits(aftercart: Command, ill: Path) -> None:
    result = sensitivity(aftercart, "fewer.toml", "today.toml")
    assert result.exit_code == 0, result.output
    output = " ".join(result.stdout.split())
    assert output.startswith("Of 100 patients, ")
    assert re.search(r"are alive at 12 months under fewer: [\d.]+ instead of [\d.]+ under today\. With every", output)
    assert "Each varied over its 95 % interval, death_rate_healthy (" in output
    assert "For the choice between today and fewer, without costs:" in output
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_intervals_of_structures_are_rounded_like_those_of_the_answer(aftercart: Command, ill: Path) -> None:
    """An end of -0.2 next to +18 is 0 in both, because an end has the decimals of its estimate."""
    result = sensitivity(aftercart, "fewer.toml", "today.toml", "--show", "structure", "--out", "run")
    assert result.exit_code == 0, result.output
    declared = pd.read_csv(ill / "run" / "structure.csv").iloc[0]
    ends = interval(declared["lower"], declared["upper"], "probability", declared["estimate"], sign="+")
    row = next(line for line in result.stdout.splitlines() if line.startswith("as declared"))
    assert ends is not None
    assert f"{ends[0]} to {ends[1]}" in row


def test_without_salib_all_leaves_out_sobol(aftercart: Command, ill: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.analyses.sensitivity.sobol.find_spec", lambda name: None)
    result = sensitivity(aftercart, "fewer.toml", "today.toml", "--show", "all", "--out", "run")
    assert result.exit_code == 0, result.output
    assert "sobol (it needs SALib: pip install 'aftercart[sensitivity]')" in " ".join(result.stderr.split())
    assert {path.stem for path in (ill / "run").glob("*.csv")} == {"tornado", "prcc", "structure", "evppi"}


def test_one_scenario_alone_has_no_decision(aftercart: Command, ill: Path) -> None:
    result = sensitivity(aftercart, "today.toml", "--outcome", "rmst_60", "--out", "one")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Mean survival to month 60, months: today: ")
    assert {file.name for file in (ill / "one").iterdir()} == {
        "tornado.csv", "prcc.csv", "structure.csv", "manifest.json"
    }  # fmt: skip


def test_all_names_the_parts_that_are_not_available(aftercart: Command, ill: Path) -> None:
    typed = ("--show", "all", "--samples", "16", "--out", "all", "--quiet")
    result = sensitivity(aftercart, "today.toml", *typed)
    assert result.exit_code == 0, result.output
    assert "these parts are not available: priors (no cohort was fitted to this pathway), evppi " in result.stderr
    assert "evppi (it needs a BASE to compare with)" in result.stderr
    parts = {f"{part}.csv" for part in ("tornado", "prcc", "sobol", "structure")}
    assert {file.name for file in (ill / "all").iterdir()} == {*parts, "manifest.json"}


@pytest.mark.parametrize("show", [(), ("--show", "all")])
def test_with_fewer_than_100_parameter_sets_only_the_tornado_is_shown(
    show: tuple[str, ...], aftercart: Command, ill: Path
) -> None:
    result = sensitivity(aftercart, "fewer.toml", "today.toml", "--draws", "40", *show, "--out", "few", "--quiet")
    assert result.exit_code == 0, result.output
    assert "these parts are not available: prcc, " in result.stderr
    assert "evppi (takes 100 parameter sets or more; there are 40)\n" in result.stderr
    assert result.stderr.count("\n") == 1
    assert {file.name for file in (ill / "few").iterdir()} == {"tornado.csv", "manifest.json"}


@pytest.mark.usefixtures("without_png")
def test_the_folder_contains_a_table_and_a_figure_for_each_part(
    aftercart_with_figures: Command, ill: Path, files_of_figures: Callable[..., set[str]]
) -> None:
    typed = ("--show", "evppi, tornado,prcc,structure,sobol", "--samples", "32", "--out", "all", "--quiet")
    result = sensitivity(aftercart_with_figures, "fewer.toml", "today.toml", *typed)
    assert result.exit_code == 0, result.output
    parts = ("tornado", "prcc", "sobol", "structure", "evppi")
    # There is nothing to learn for this decision, so that the value of information has no chart.
    tables, figures = {f"{part}.csv" for part in parts}, files_of_figures(*parts[:-1])
    assert {file.name for file in (ill / "all").iterdir()} == tables | figures | {"manifest.json"}
    table = pd.read_csv(ill / "all" / "tornado.csv")
    assert set(table["parameter"]) == set(RATES)
    manifest = json.loads((ill / "all" / "manifest.json").read_text())
    assert manifest["parts"] == list(parts)
    assert (manifest["outcome"], manifest["draws"], manifest["engine"]) == ("os_12", 150, "exact")


@pytest.mark.slow
@pytest.mark.usefixtures("without_png")
def test_figures_have_a_text_description_and_tables_name_n_and_source(
    aftercart_with_figures: Command, folder: Path
) -> None:
    typed = ("--show", "tornado", "--parameter", "hsct_cure", "--parameter", "pr_cure", "--out", "run")
    result = sensitivity(aftercart_with_figures, "wider-salvage", "baseline", *typed)
    assert result.exit_code == 0, result.output
    drawn = (folder / "run" / "tornado.svg").read_text()
    assert "wider-salvage less baseline) depends most on the fraction " in drawn
    output = " ".join(result.stdout.split())
    assert "n = 37" in output
    assert "pr_cure *" in output
    assert re.search(
        r"marginal_benefit is varied as other cohorts suggest \(0\.\d\d to 0\.\d\d\): an extrapolation", output
    )


def test_json_is_the_tables_and_nothing_else(aftercart: Command, ill: Path) -> None:
    typed = ("--json", "--show", "tornado,evppi", "--outcome", "os_24")
    tables = json.loads(sensitivity(aftercart, "fewer.toml", "today.toml", *typed).stdout)
    assert list(tables) == ["tornado", "evppi"]
    assert tables["evppi"][0]["parameter"] == "everything"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("today.toml", "--outcome", "os12"), ("unknown outcome", "did you mean 'os_12'?")),
        (("today.toml", "--parameter", "onset"), ("unknown uncertain parameter", "did you mean 'onset_rate'?")),
        (("today.toml", "--outcome", "os_60", "--horizon", "48"), ("beyond the horizon; got 48", "60 months or more")),
        (("today.toml", "--draws", "1"), ("--draws: too few draws for the ends of a 95 % interval", "40 or more")),
        (("today.toml", "--draws", "99", "--show", "prcc"), ("--draws: too few draws for prcc", "100 or more")),
        (
            ("today.toml", "--show", ""),
            ("--show: no part is named; got ''", "allowed: all, or one or more of tornado, prcc"),
        ),
        (("today.toml", "--show", " , "), ("--show: no part is named",)),
        (("today.toml", "--show", "evppi"), ("a decision needs a second scenario",)),
        (("today.toml", "--show", "priors"), ("no cohort was fitted",)),
        (("today.toml", "--show", "tornado,prc"), ("unknown part; got 'prc'", "did you mean 'prcc'?")),
        (("fewer.toml", "today.toml", "--cost", "beds"), ("not COUNT=RATE; got 'beds'",)),
        (("fewer.toml", "today.toml", "--cost", "beds=-1"), ("not COUNT=RATE; got 'beds=-1'",)),
        (("fewer.toml", "today.toml", "--cost", "beds=1"), ("unknown count; got 'beds'",)),
        (("letter-centre",), ("exact engine, which has no queues", "letter-centre.toml: [capacity]")),
        (("as-it-is.toml",), ("without draws has no uncertain parameters",)),
        (("today.toml", "today.toml"), ("two scenarios have one name",)),
    ],
)
def test_invalid_arguments_are_refused_in_one_line(
    aftercart: Command, ill: Path, typed: tuple[str, ...], words: tuple[str, ...]
) -> None:
    result = sensitivity(aftercart, *typed)
    assert result.exit_code == 2, result.output
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    for word in words:
        assert word in result.stderr
    assert not (ill / "results").exists()


@pytest.mark.slow
def test_weakening_an_assumed_prior_reports_the_change(aftercart: Command, folder: Path) -> None:
    typed = ("--show", "priors", "--parameter", "pr_cure", "--parameter", "hsct_wait_median", "--draws", "200")
    result = sensitivity(aftercart, "baseline", *typed, "--outcome", "rmst_60", "--out", "priors")
    assert result.exit_code == 0, result.output
    assert "Of 1 assumed prior, weakening the prior of pr_cure changes it most, by " in " ".join(result.stdout.split())
    table = pd.read_csv(folder / "priors" / "priors.csv")
    assert list(table["alternative"]) == ["as declared", "pr_cure"]
    assert table["told"].iloc[1] == "flat"
    assert table["effective_draws"].iloc[1] > 100


def test_weakening_priors_asks_first_if_it_takes_hours(
    aftercart: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.cli.sensitivity._Widened.seconds", lambda self, draws: 10.0 * 3600.0)
    result = aftercart("sensitivity", "baseline", "--show", "priors", "--jobs", "1", "--out", "priors")
    assert result.exit_code == 2, result.output
    for words in ("--show priors: this analysis would take about 10 hours", "--yes to start anyway"):
        assert words in result.stderr
    assert not (folder / "priors").exists()


@pytest.mark.slow
def test_the_predicted_time_of_weakened_priors_grows_with_the_draws() -> None:
    pathway = load_pathway("b_all_post_cd19")
    draws = fitted_draws(pathway)
    assert draws is not None
    widen = _widen(pathway, 1)
    assert widen is not None
    assert widen.seconds(draws.iloc[:400]) > 2.0 * widen.seconds(draws.iloc[:40]) > 0.0
