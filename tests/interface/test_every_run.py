"""Every command runs with every engine that it offers, on every world, and its files are consistent.

Every pair of choices occurs in some run. The default suite has every world and every pair of the other choices; the
other runs, and the full matrix through the command line, are slow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from every_world import WORLDS, write
from pairwise import Case, Pair, all_cases, pairs, pairwise
from worlds import slow

from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.evidence.draws import load_informed_draws, single
from simulator.experiment.run import compare
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario

Command = Callable[..., Any]

RUNS = ("run", "compare")
COHORTS = ("virtual-cohorts", "guarantee-time")
FACTORS: dict[str, tuple[Any, ...]] = {
    "command": (*RUNS, "sweep", *COHORTS),
    "world": tuple(WORLDS),
    "engine": ("auto", "exact", "microsim", "des"),
    "patients": (30, 1),
    "draws": (1, 2),
    "replications": (2, 1),
    "horizon": (30, 1),
    "output": ("table", "json", "quiet"),
    "histories": (False, True),
}
FALSE_ALARM = 1e-6
"""Of a comparison of a simulation with the exact engine."""


def is_possible(case: Case) -> bool:
    """Whether a command offers a case. Options that it does not offer stay at their first level."""
    world, command, engine = WORLDS[case["world"]], case["command"], case["engine"]
    limited = world.is_limited
    offers = {"replications": limited, "histories": command in RUNS}
    if any(case[name] != FACTORS[name][0] for name, offered in offers.items() if not offered):
        return False
    if case["draws"] > world.draws:
        return False
    if engine == "exact" and (limited or world.has_milestones or case["histories"] or command in COHORTS):
        return False
    if engine == "microsim" and world.needs_des:
        return False
    if command in COHORTS:
        paired = command == "virtual-cohorts" or world.has_paired_groups
        return paired and not limited and case["horizon"] > 12
    return True


def typed(case: Case) -> list[str]:
    """Return what a person types."""
    world = WORLDS[case["world"]]
    arguments = [case["command"], world.scenario]
    if case["command"] == "compare" or (case["command"] == "virtual-cohorts" and case["output"] == "json"):
        arguments += [world.other]
    if case["command"] == "sweep":
        arguments += ["--vary", world.vary]
    if case["command"] in COHORTS:
        arguments += ["--n", str(case["patients"] + 1), "--cohorts", str(case["draws"])]
    else:
        arguments += ["--patients", str(case["patients"]), "--replications", str(case["replications"])]
    arguments += [f"--{name}={case[name]}" for name in ("engine", "draws", "horizon")]
    arguments += [f"--{case['output']}"] * (case["output"] != "table") + ["--histories"] * case["histories"]
    return [*arguments, "--jobs", "1", "--out", "out"]


CASES = pairwise(all_cases(FACTORS, is_possible))
DRAWN = [
    next(case for case in CASES if (case["command"], case["world"]) == drawn)
    for drawn in (
        ("run", "discharge"), ("run", "two clocks"), ("sweep", "ward"), ("virtual-cohorts", "two clocks"),
        ("guarantee-time", "two clocks"),
    )
]  # fmt: skip
"""The cases with figures; two of them make the report again. `test_service_runs` draws beds."""


def worlds_alone_and_other_pairs(case: Case) -> Iterator[Pair]:
    world = ("world", case["world"])
    yield world, world
    yield from (pair for pair in pairs(case) if world not in pair)


DEFAULT = [*pairwise(CASES, worlds_alone_and_other_pairs), DRAWN[0], *DRAWN[2:]]


def name_of(case: Case) -> str:
    return " ".join(str(level).replace(" ", "-") for level in case.values())


@pytest.fixture
def worlds(folder: Path) -> Path:
    write(folder)
    return folder


@pytest.mark.usefixtures("measured_error", "without_png", "in_one_width")
@pytest.mark.parametrize("case", [case if case in DEFAULT else slow(case) for case in CASES], ids=name_of)
def test_every_pair_of_choices_runs(
    case: Case, worlds: Path, aftercart_with_figures: Command, request: pytest.FixtureRequest
) -> None:
    drawn = case in DRAWN
    if not drawn:
        request.getfixturevalue("with_page_alone")
        request.getfixturevalue("without_pictures")
    result = aftercart_with_figures(*typed(case))
    assert result.exit_code == 0, result.output
    out = worlds / "out"
    if case["output"] == "json":
        assert json.loads(result.stdout)
    assert list(out.glob("*.csv"))
    assert bool(list(out.glob("*.svg"))) == drawn
    if case["command"] in RUNS:
        check_files(case, out)
        check_engines_agree(case, out)
        if drawn and case["world"] in ("two clocks", "discharge"):
            names = {path.name for path in out.iterdir()}
            (out / "report.html").unlink()
            assert aftercart_with_figures("report", "out").exit_code == 0
            assert {path.name for path in out.iterdir()} == names


def check_files(case: Case, out: Path) -> None:
    """Check the files of a run: their names, bounds and sums."""
    names = {path.name for path in out.iterdir() if path.stat().st_size > 0}
    scenarios = scenarios_of(case)
    limited, beds = any(scenario.is_limited for scenario in scenarios), any(scenario.capacity for scenario in scenarios)
    expected = {"survival.csv", "outcomes.csv", "occupancy.csv", "manifest.json", "report.html"}
    conditional = {"service.csv": limited, "queue.csv": beds, "histories.csv": case["histories"]}
    conditional |= {"requests.csv": beds and case["histories"]}
    assert expected <= names
    assert {name: name in names for name in conditional} == conditional
    survival, outcomes, occupancy = (pd.read_csv(out / f"{name}.csv") for name in ("survival", "outcomes", "occupancy"))
    assert set(survival["scenario"]) >= {scenario.name for scenario in scenarios}
    at_start = survival[(survival["month"] == 0) & survival["survival"].notna()]
    assert (at_start["survival"] == 1.0).all()
    assert not at_start[at_start["population"] == "all"].empty
    for _, curve in survival.groupby(["scenario", "clock", "population"]):
        assert (curve["survival"].dropna().diff().dropna() <= 1e-8).all()
    of_states = occupancy.groupby(["scenario", "clock", "month"])["probability"].sum()
    np.testing.assert_allclose(of_states, 1.0, atol=1e-6)
    tables = [survival.rename(columns={"survival": "estimate"}), outcomes]
    tables += [pd.read_csv(out / "service.csv")] if limited else []
    for table in tables:
        known = table.dropna(subset=["estimate", "lower", "upper"])
        slack = 1e-6 * (1.0 + known["estimate"].abs())
        assert (known["lower"] <= known["estimate"] + slack).all()
        assert (known["estimate"] <= known["upper"] + slack).all()
        assert (table["monte_carlo_se"].dropna() >= 0).all()


def check_engines_agree(case: Case, out: Path) -> None:
    """Without queues, check that des has the tables of microsim, and that both agree with the exact curve."""
    if WORLDS[case["world"]].is_limited or case["engine"] not in ("microsim", "des"):
        return
    settings = {name: case[name] for name in ("patients", "draws", "horizon")}
    scenarios = scenarios_of(case)
    survival = pd.read_csv(out / "survival.csv")
    if case["engine"] == "des":
        by_microsim = compare(*scenarios, engine="microsim", **settings)
        for name in ("survival", "outcomes", "occupancy"):
            pd.testing.assert_frame_equal(
                pd.read_csv(out / f"{name}.csv"), read_back(getattr(by_microsim, name)), rtol=1e-6, check_dtype=False
            )
    if not WORLDS[case["world"]].has_milestones:
        solved = compare(*scenarios, engine="exact", draws=case["draws"], horizon=case["horizon"]).survival
        simulated, exact = (
            table[table["population"] == "all"].set_index(["scenario", "clock", "month"])["survival"]
            for table in (survival, solved)
        )
        chance = np.log(2 * exact.index.droplevel("month").nunique() * case["draws"] / FALSE_ALARM)
        band = np.sqrt(chance / (2 * patients_at_clock(scenarios[0], case)))
        assert (simulated - exact).abs().max() <= band + 2e-4


def patients_at_clock(scenario: Scenario, case: Case) -> int:
    """Return how many of a parameter set's simulated patients start the default clock; the fewest of all sets."""
    draws = load_informed_draws(scenario.pathway)
    counts = []
    for draw in range(case["draws"]):
        model, uniforms = resolve(scenario, single(draws, draw)), Uniforms(1, draw + 1)
        (block,) = microsim.simulate(model, uniforms, range(case["patients"]), horizon=0.0, keep=frozenset())
        counts.append(int(np.isfinite(block.clock_month).sum()))
    return max(min(counts), 1)


def read_back(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(StringIO(table.to_csv(index=False)))


def scenarios_of(case: Case) -> list[Scenario]:
    return [load_scenario(name) for name in typed(case)[1 : 2 + (case["command"] == "compare")]]


@pytest.mark.parametrize(
    ("typed", "phrase"),
    [
        (("run", "letter-centre", "--engine", "exact"), "the exact engine has no queues"),
        (("run", "as-it-is.toml", "--engine", "exact", "--histories"), "the exact engine has no histories"),
        (("run", "hsct-as-milestone", "--engine", "exact"), "the exact engine has no milestones"),
        (("compare", "two-beds.toml", "by-urgency.toml", "--engine", "microsim"), "--engine des"),
        (("sweep", "two-beds.toml", "--vary", "stay=1,2", "--engine", "exact"), "the exact engine has no queues"),
        (("virtual-cohorts", "as-it-is.toml", "--engine", "exact"), "the exact engine simulates no patients"),
        (("virtual-cohorts", "two-beds.toml"), "limited resources"),
        (("virtual-cohorts", "as-it-is.toml", "--horizon", "12"), "--horizon"),
        (("guarantee-time", "as-it-is.toml"), "no pair of groups"),
        (("run", "as-it-is.toml", "--draws", "2"), "--draws"),
    ],
)
def test_runs_that_an_engine_does_not_offer_are_refused_at_once(
    typed: tuple[str, ...], phrase: str, worlds: Path, aftercart: Command
) -> None:
    before = set(worlds.rglob("*"))
    result = aftercart(*typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("aftercart: ")
    assert phrase in result.stderr
    assert set(worlds.rglob("*")) == before


def test_every_possible_pair_of_choices_is_among_the_runs() -> None:
    possible = {pair for case in all_cases(FACTORS, is_possible) for pair in pairs(case)}
    assert possible == {pair for case in CASES for pair in pairs(case)}


FULL = [
    case
    for case in all_cases(FACTORS, is_possible)
    if case["output"] == "json" and case["horizon"] == 30 and case["replications"] == 2
]


@pytest.mark.slow
@pytest.mark.parametrize("case", FULL, ids=name_of)
def test_the_full_matrix_runs_from_the_command_line(case: Case, worlds: Path, started: Callable[..., Any]) -> None:
    with started(*typed(case)) as process:
        printed, complaint = process.communicate(timeout=300)
    assert process.returncode == 0, complaint
    assert "Warning" not in complaint
    assert json.loads(printed)
    if case["command"] in RUNS:
        check_files(case, worlds / "out")
