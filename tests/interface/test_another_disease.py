"""Commands on a made-up disease: text, tables and figures mention its states and months, and no other disease."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from worlds import policies_of_the_default_suite

Ran = Callable[[str], tuple[str, Path]]

PATHWAY = """
title = "Asthma: severe attacks and a biologic"
start = "stable"
patients = "adults with a severe attack"
survival_months = [3, 9, 18]
draws = "draws.csv"

[abbreviations]
ICU = "intensive care unit"

[clocks]
attack = "attack"
entry = "stable"

[attributes.smoking]
meaning = "smoking at the attack"
levels = { smoker = 1, non_smoker = 3 }

[states.stable]
kind = "sojourn"
label = "stable asthma"
[[states.stable.transitions]]
to = "attack"
time = { family = "exponential", median = 10 }

[states.attack]
kind = "decision"
label = "severe attack"
[[states.attack.branches]]
to = "biologic"
probability = "biologic_uptake"
[[states.attack.branches]]
to = "inhaler"
probability = "rest"

[states.biologic]
kind = "sojourn"
label = "on a biologic, awaiting the ICU"
[[states.biologic.transitions]]
to = "icu"
time = { family = "weibull", median = "icu_median", shape = 1.2 }
[[states.biologic.transitions]]
to = "dead"
time = { family = "exponential", mean = 60 }
[[states.biologic.transitions]]
to = "second_attack"
time = { family = "exponential", mean = 30 }

[states.icu]
kind = "sojourn"
label = "ICU stay"
holds = "icu_places"
[[states.icu.transitions]]
to = "controlled"
time = { family = "fixed", months = 0.5 }

[states.controlled]
kind = "sojourn"
label = "controlled asthma"
[[states.controlled.transitions]]
to = "dead"
time = { family = "exponential", mean = 90 }

[states.second_attack]
kind = "sojourn"
label = "second attack"
[[states.second_attack.transitions]]
to = "dead"
time = { family = "exponential", mean = 20 }

[states.inhaler]
kind = "sojourn"
label = "inhaler only"
[[states.inhaler.transitions]]
to = "dead"
time = { family = "exponential", mean = "inhaler_mean" }

[states.dead]
kind = "death"
label = "death of asthma"
cause = "asthma"

[groups.on_biologic]
label = "biologic"
entered = "biologic"
[groups.had_icu]
label = "ICU"
entered = "icu"
[groups.no_icu]
label = "biologic without ICU"
entered = "biologic"
not_entered = "icu"

[counts.icu_months]
label = "ICU months"
unit = "months per 100 attacks"
months = "icu"

[resources.icu_places]
label = "ICU places"
unit = "places"

[marginal]
decision = "attack"
branch = "biologic"
otherwise = "inhaler"
no_benefit = "second_attack"
reference = "8/20"

[guarantee_time]
entered = "had_icu"
others = "no_icu"
landmarks = [2]

[parameters.biologic_uptake]
unit = "probability"
meaning = "share given a biologic"
value = 0.4
lever = true
source = "assumption"
prior = { family = "beta", a = 8, b = 12 }
[parameters.icu_median]
unit = "months"
meaning = "median time to the ICU"
value = 2
source = "assumption"
prior = { family = "lognormal", median = 2, sigma = 0.3 }
[parameters.inhaler_mean]
unit = "months"
meaning = "mean survival on an inhaler only"
value = 25
source = "assumption"
prior = { family = "lognormal", median = 25, sigma = 0.2 }
"""
SCENARIOS = {
    "usual": 'title = "Usual care"\npathway = "asthma.toml"\n',
    "more": 'title = "More biologics"\nbase = "usual.toml"\n[set]\nbiologic_uptake = 0.8\n',
    "places": 'title = "Two places"\nbase = "usual.toml"\n[capacity]\nicu_places = 2\n'
    "[service]\narrivals_per_year = 40\nyears = 4\n",
}
RUNS = {
    "compare": ("compare", "usual.toml", "more.toml", "--draws", "6"),
    "places": ("run", "places.toml", "--draws", "2", "--replications", "2", "--horizon", "36"),
    "sensitivity": ("sensitivity", "more.toml", "usual.toml", "--show", "tornado,structure,evppi"),
    "sweep": ("sweep", "usual.toml", "--vary", "biologic_uptake=0.2,0.9", "--draws", "3"),
    "virtual": ("virtual-cohorts", "usual.toml", "more.toml", "--cohorts", "6", "--draws", "2"),
    "guarantee": ("guarantee-time", "usual.toml", "--cohorts", "6", "--draws", "2"),
    "short": ("run", "usual.toml", "--horizon", "2", "--draws", "2", "--quiet"),
}
OTHER = re.compile(
    r"relaps|hsct|\bcar-?t\b|b-all|leuk|salvage|transplant|remission|cd19|infusion|\bwang\b|the letter|n = 37|\b37 pat"
    r"|\bof 37\b|(?<![\d.])(?:6|12|24|60)[ -]months?\b|\bto month (?:6|12|24|60)\b|\b(?:os|rmst)_(?:6|12|24|60)\b"
    r"|survivors_12",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Return a function that gives the terminal output and the folder of a run, report and figures included."""
    from typer.testing import CliRunner

    from simulator.cli.application import app

    folder = tmp_path_factory.mktemp("asthma")
    (folder / "asthma.toml").write_text(PATHWAY)
    for name, scenario in SCENARIOS.items():
        (folder / f"{name}.toml").write_text(scenario)
    rng = np.random.default_rng(1)
    rows = [f"{rng.beta(8, 12):.4f},{2 * np.exp(0.3 * rng.normal()):.4f},{25 * np.exp(0.2 * rng.normal()):.4f}"
            for _ in range(100)]  # fmt: skip
    (folder / "draws.csv").write_text("\n".join(["biologic_uptake,icu_median,inhaler_mean", *rows, ""]))

    @cache
    def run(name: str) -> tuple[str, Path]:
        result = CliRunner().invoke(app, [*RUNS[name], "--jobs", "1", "--out", name], prog_name="aftercart")
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split()), folder / name

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "80")
        # The same drawing as pixels: it takes the longest and has no text to read. As compact it has the same texts.
        patch.setattr("simulator.figures.style.png", lambda figure: b"")
        patch.setattr("simulator.figures.gallery.in_two_widths", lambda draw: draw())
        yield run


def texts_of(file: Path) -> Iterator[str]:
    """Yield the text of a file: cells that are not numbers, the words of a drawing, a page without markup."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".csv":
        yield from (cell for row in csv.reader(text.splitlines()) for cell in row if not _is_number(cell))
    elif file.suffix == ".svg":
        yield from re.findall(r"<!--(.*?)-->", text, re.DOTALL)
        yield from re.findall(r"<(?:dc:)?(?:title|description|desc)>(.*?)</", text, re.DOTALL)
    else:
        yield from re.findall(r'alt="([^"]*)"', text)
        yield html.unescape(re.sub(r"<style.*?</style>|<!--.*?-->|<[^>]*>", " ", text, flags=re.DOTALL))


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.]+(?:e[-+]?\d+)?", cell) is not None


@pytest.mark.parametrize("name", policies_of_the_default_suite(RUNS, {"compare"}))
def test_outputs_mention_no_word_or_month_of_another_disease(name: str, ran: Ran) -> None:
    output, folder = ran(name)
    assert OTHER.search(output) is None, output
    files = [file for file in folder.rglob("*") if file.suffix in (".csv", ".svg", ".html", ".json")]
    assert any(file.suffix == ".csv" for file in files)
    for file in files:
        for text in texts_of(file):
            match = OTHER.search(text)
            assert match is None, f"{file.name}: {text[max(match.start() - 80, 0) : match.end() + 80]}"


@pytest.mark.parametrize(
    "name", policies_of_the_default_suite(("compare", "places", "sensitivity", "sweep", "virtual"), {"compare"})
)
def test_answers_name_the_declared_patients_and_the_declared_month(name: str, ran: Ran) -> None:
    output, _ = ran(name)
    assert "Of 100 adults with a severe attack, " in output
    assert "9 months" in output


def test_without_the_declared_month_the_answer_says_which_horizon_it_needs(ran: Ran) -> None:
    assert "needs a horizon of at least 3 months" in ran("short")[0]


def test_the_outcomes_are_named_by_the_declared_months(ran: Ran) -> None:
    with (ran("compare")[1] / "outcomes.csv").open() as stream:
        outcomes = {row["outcome"] for row in csv.DictReader(stream)}
    months = {"os_3", "os_9", "os_18", "rmst_9", "rmst_18"}
    survivors_gained = {"survivors_9_gained_per_10_more_treated", "survivors_18_gained_per_10_more_treated"}
    break_even = {"break_even_for_5_more_at_9", "draws_with_5_more_at_9"}
    assert outcomes >= months | survivors_gained | break_even
    # Without other cohorts there is no share of draws in which the policy pays as they suggest.
    assert outcomes - months - survivors_gained - break_even == {"median_os", "icu_months"}


@pytest.mark.slow
def test_ends_of_a_wait_are_the_exits_of_the_states_before_the_resource(ran: Ran) -> None:
    _, folder = ran("places")
    page = html.unescape((folder / "report.html").read_text())
    assert "Patients waiting for ICU places can be lost to death of asthma or second attack" in page
    assert ">Places</" in page
    assert "ICU: intensive care unit." in (folder / "pathway_diagram.svg").read_text()


def test_the_declared_groups_are_compared_from_the_declared_landmark(ran: Ran) -> None:
    output, folder = ran("guarantee")
    assert "of 100 patients with ICU are alive at 9 months" in output
    with (folder / "analyses.csv").open() as stream:
        begins = {float(row["begins"]) for row in csv.DictReader(stream) if row["analysis"] == "landmark"}
    assert begins == {2.0}


@pytest.mark.slow
def test_a_virtual_cohort_of_a_pathway_without_a_cohort_has_a_hundred_patients(ran: Ran) -> None:
    assert "100 patients an arm" in ran("virtual")[0]
