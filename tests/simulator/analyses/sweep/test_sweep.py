"""A sweep is its cells, each as it would be alone: values, names, the grid, differences, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import months, scenarios_in, ward

from simulator import compare, load_scenario, run, sweep
from simulator.analyses.sweep import axis, checks
from simulator.analyses.sweep.axis import read_values
from simulator.analyses.sweep.grid import find, make_grid
from simulator.errors import InputError
from simulator.experiment import cost
from simulator.outcomes.uncertainty import Summary
from simulator.scenario.scenario import Scenario
from simulator.wording import sweep as wording
from simulator.wording.sweep import answer

WARD = ward(
    exponential(mean=2), exponential(mean="wait"), exponential(mean=10), resources=["beds", "theatre"],
    attributes={"urgency": {"urgent": 1, "elective": 3}}, parameters={"wait": months(1)},
)  # fmt: skip
YEARS = "[service]\narrivals_per_year = 12\nyears = 2\nwarm_up_years = 1\n"
VALUES = ["estimate", "lower", "upper", "monte_carlo_se", "difference", "difference_lower", "difference_upper"]
OUTCOME = ["clock", "population", "outcome", "unit"]


@pytest.fixture(name="ward")
def on_the_ward(tmp_path: Path) -> Callable[[str], Scenario]:
    return scenarios_in(tmp_path, WARD)


@pytest.fixture
def healthy(tmp_path: Path) -> Scenario:
    (tmp_path / "as-it-is.toml").write_text('pathway = "three_state"\n', encoding="utf-8")
    return load_scenario(tmp_path / "as-it-is.toml")


@pytest.mark.parametrize(
    ("told", "values"),
    [
        ("0.5,0.7,0.9", (0.5, 0.7, 0.9)),
        ("1..6", (1, 2, 3, 4, 5, 6)),
        ("0.5..0.9..0.1", (0.5, 0.6, 0.7, 0.8, 0.9)),
        ("0..1..0.4", (0, 0.4, 0.8)),
        ("1..3,8", (1, 2, 3, 8)),
        ("3,1", (3, 1)),
        ("-1..1", (-1, 0, 1)),
        (".5...9..0.4", (0.5, 0.9)),
        (" 2 , 1e1", (2, 10)),
        ([0.5, 1.0], (0.5, 1)),
        (range(1, 4), (1, 2, 3)),
        (np.linspace(0, 1, 3), (0, 0.5, 1)),
    ],
)
def test_values_are_lists_ranges_and_steps(told: Any, values: tuple[float, ...]) -> None:
    assert read_values(told, "here") == values


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("a", "not a number; got 'a'"),
        ("", "not a number"),
        ("1,,2", "not a number; got ''"),
        ("nan", "not a finite number"),
        ("1e999", "not a finite number"),
        ("0.5..0.9", "without a step"),
        ("6..1", "range ends before it starts; got '6..1'; allowed: 1..6"),
        ("0,1..0,5", "before it starts; got '0,1..0,5'; allowed: decimals with a point, 0.1..0.5..0.1"),
        ("0,5..1,0..0,1", "allowed: decimals with a point, 0.5..1.0..0.1"),
        ("0,6,0,8", "a value is given twice; got 0; allowed: each once; decimals with a point, 0.6,0.8"),
        ("0..1..0", "a step above zero"),
        ("1..2..1..1", "not a range"),
        ("1,2,1.0", "a value is given twice; got 1"),
        ("1..10000000", "too many values for a sweep"),
        ("0..1..1e-300", "too many values for a sweep"),
        ([], "no values"),
        (["x"], "not a number"),
        ([float("inf")], "not a finite number"),
    ],
)
def test_values_that_cannot_be_used_are_refused(told: Any, word: str) -> None:
    with pytest.raises(InputError, match=r"^--vary beds: ") as refused:
        read_values(told, "--vary beds")
    assert word in str(refused.value)


def test_options_are_split_at_the_first_equals_sign() -> None:
    assert axis.split(["beds=1..6", "scale.wait=0.5,1"]) == {"beds": "1..6", "scale.wait": "0.5,1"}
    for told in ("beds", "=1", "beds=", " =2"):
        with pytest.raises(InputError, match="not NAME=VALUES"):
            axis.split([told])
    with pytest.raises(InputError, match=r"a name is given twice; got 'beds'; allowed: --vary beds=1,2"):
        axis.split(["beds=1", "beds=2"])


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("wait", ("set", "wait")),
        ("set.wait", ("set", "wait")),
        ("scale.wait", ("scale", "wait")),
        ("beds", ("capacity", "beds")),
        ("marginal_benefit", ("", "marginal_benefit")),
        ("arrivals_per_year", ("service", "arrivals_per_year")),
        ("hazard_ratio.listed.dead", ("hazard_ratio", "listed.dead")),
    ],
)
def test_a_name_is_found_where_a_scenario_declares_it(
    ward: Callable[[str], Scenario], name: str, place: tuple[str, str]
) -> None:
    assert find(ward("").pathway, name) == place


@pytest.mark.parametrize(
    ("name", "meant"),
    [("bedz", "beds"), ("scale.weight", "scale.wait"), ("hazard_ratio.listed.deed", "hazard_ratio.listed.dead")],
)
def test_an_unknown_name_is_refused_with_what_was_meant(ward: Callable[[str], Scenario], name: str, meant: str) -> None:
    with pytest.raises(InputError, match=rf"unknown name; got '{name}'.*did you mean '{meant}'\?"):
        sweep(ward(""), {name: "1"})


def test_each_name_comes_once(ward: Callable[[str], Scenario]) -> None:
    with pytest.raises(InputError, match="the same as 'wait'"):
        make_grid(ward(""), {"wait": "1", "set.wait": "2"})
    with pytest.raises(InputError, match="no values to vary"):
        make_grid(ward(""), {})


def test_cells_are_numbered_with_the_first_name_slowest(ward: Callable[[str], Scenario]) -> None:
    grid = make_grid(ward(""), {"beds": "1..3", "wait": "5,6"})
    assert [grid.values(cell) for cell in range(len(grid))] == [(1, 5), (1, 6), (2, 5), (2, 6), (3, 5), (3, 6)]
    assert grid.label(3) == "beds=2, wait=6"
    assert {grid.values(cell) for cell in grid.edges()} == {(1, 5), (2, 5), (3, 5), (1, 6)}


def test_a_cell_keeps_the_other_keys_of_its_scenario(ward: Callable[[str], Scenario]) -> None:
    text = '[capacity]\ntheatre = 4\nbeds = { units = 2, priority = { urgency = ["urgent"] } }\n' + YEARS
    vary = {"beds": "5", "arrivals_per_year": "30", "scale.wait": "2", "hazard_ratio.listed.dead": "0.5"}
    made = make_grid(ward(text), vary).at(0)
    assert made.capacity["beds"].units == 5
    assert made.capacity["beds"].ranks == ("urgency", ("urgent",))
    assert made.capacity["theatre"].units == 4
    assert made.service is not None
    assert (made.service.arrivals_per_year, made.service.years) == (30, 2)
    assert (made.scale, made.hazard_ratio) == ({"wait": 2}, {"listed.dead": 0.5})


def test_what_applies_before_a_policy_has_the_same_beds(tmp_path: Path, ward: Callable[[str], Scenario]) -> None:
    ward("[capacity]\nbeds = 3\n" + YEARS + "policy_from_month = 18\n[set]\nwait = 0.5\n")
    scenario = load_scenario(tmp_path / "policy.toml")
    made = make_grid(scenario, {"beds": "7", "wait": "2", "policy_from_month": "24"}).at(0)
    assert made.before is not None
    assert made.before.capacity["beds"].units == 7
    assert made.before.service is not None
    assert made.before.service.policy_from_month == 24
    assert (made.set, made.before.set) == ({"wait": 2}, {})


def test_a_policy_may_start_in_years_that_the_same_cell_adds(tmp_path: Path, ward: Callable[[str], Scenario]) -> None:
    ward("[capacity]\nbeds = 3\n" + YEARS + "policy_from_month = 18\n[set]\nwait = 0.5\n")
    scenario = load_scenario(tmp_path / "policy.toml")
    made = make_grid(scenario, {"policy_from_month": "60", "years": "9"}).at(0)
    assert made.service is not None
    assert (made.service.policy_from_month, made.service.years) == (60, 9)
    with pytest.raises(InputError, match="affect no counted patient"):
        make_grid(scenario, {"policy_from_month": "60"}).at(0)


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({"beds": "0..2"}, "with beds=0: [capacity] beds: not a whole number above zero"),
        ({"beds": "1e9"}, "with beds=1000000000: [capacity] beds: too many units"),
        ({"years": "2,1e9"}, "years: input should be less than or equal to 200"),
        ({"beds": "1,1.5"}, "with beds=1.5: [capacity] beds: not a whole number above zero"),
        ({"wait": "1,-1"}, "with wait=-1: [set] wait: value outside its unit (months)"),
        ({"wait": "1", "scale.wait": "2"}, "'wait' is given in two tables"),
        ({"arrivals_per_year": "12,0"}, "arrivals_per_year: input should be greater than or equal to 0.001; got 0"),
        ({"marginal_benefit": "1.5,0.5"}, "--vary marginal_benefit: marginal benefit outside 0 to 1; got 1.5"),
        ({"marginal_benefit": "0.5"}, "declares no decision at which patients are additional"),
        ({"beds": 3}, "--vary beds: only one value; got 3; allowed: a list, as [3]"),
        (["beds"], "vary: not a dictionary of names and values; got ['beds']"),
        ({"policy_from_month": "12"}, "has no policy_from_month"),
        ({"beds": "1..2", "wait": "1,-1"}, "with beds=1, wait=-1: [set] wait: value outside its unit"),
    ],
)
def test_a_bad_value_is_refused_before_anything_runs(
    ward: Callable[[str], Scenario], monkeypatch: pytest.MonkeyPatch, vary: dict[str, str], words: str
) -> None:
    monkeypatch.setattr("simulator.analyses.sweep.run._piece", None)
    with pytest.raises(InputError) as refused:
        sweep(ward("[capacity]\nbeds = 3\n" + YEARS), vary)
    assert words in str(refused.value)


def test_a_centre_without_limits_is_swept(ward: Callable[[str], Scenario]) -> None:
    found = sweep(ward(YEARS), {"wait": "0.5,2"}, horizon=12.0, replications=1)
    assert len(found.draws) == 2


def test_without_service_it_cannot_vary(healthy: Scenario) -> None:
    with pytest.raises(InputError, match="arrivals must be declared exactly once"):
        sweep(healthy, {"years": "1..2"})


def cells_alone(found: Any, **settings: Any) -> Any:
    """The same cells as separate scenarios, compared."""
    return compare(*(found.grid.at(cell) for cell in range(len(found.grid))), **settings)


def test_without_limits_the_grid_is_what_its_cells_are_alone(healthy: Scenario) -> None:
    found = sweep(healthy, {"onset_rate": "0.05,0.1", "scale.death_rate_ill": [1, 0.5]})
    own = found.table[found.table["outcome"] != "draws_with_marginal_patients"].reset_index(drop=True)
    alone = cells_alone(found)
    pd.testing.assert_frame_equal(own[OUTCOME + VALUES], alone.outcomes[OUTCOME + VALUES])
    assert list(own.columns[:2]) == ["onset_rate", "scale.death_rate_ill"]
    assert found.manifest["engine"] == "exact"


def test_with_beds_the_grid_is_what_its_cells_are_alone(ward: Callable[[str], Scenario]) -> None:
    settings = {"replications": 3, "horizon": 24.0}
    found = sweep(ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "3..5", "wait": "0.5,2"}, **settings)
    alone = cells_alone(found, **settings)
    of_patients = found.table[found.table["resource"] == ""].reset_index(drop=True)
    columns = [*OUTCOME, *VALUES, "follow_up"]
    pd.testing.assert_frame_equal(of_patients[columns], alone.outcomes[columns])
    of_wards = found.table[found.table["resource"] != ""].reset_index(drop=True)
    service = alone.service[alone.service["arrival_year"] == ""].reset_index(drop=True)
    columns = ["resource", "outcome", "unit", *VALUES, "follow_up"]
    pd.testing.assert_frame_equal(of_wards[columns], service[columns])


@pytest.mark.usefixtures("by_others")
def test_processes_and_their_number_change_nothing(ward: Callable[[str], Scenario]) -> None:
    scenario, vary = ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "3..4"}
    one, two = (sweep(scenario, vary, horizon=12.0, jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)


def test_differences_are_draw_by_draw_to_the_first_cell() -> None:
    found = sweep("baseline", {"salvage_uptake": "0.5,0.9"}, draws=4, horizon=24.0)
    first, last = found.draws
    rows = found.table[(found.table["outcome"] == "os_12") & (found.table["population"] == "all")]
    row = rows[(rows["clock"] == "relapse") & (rows["salvage_uptake"] == 0.9)].iloc[0]
    assert row["difference"] == pytest.approx(np.mean(last - first), abs=1e-7)
    lower, upper = np.quantile(last - first, [0.025, 0.975])
    assert (row["difference_lower"], row["difference_upper"]) == pytest.approx((lower, upper), abs=1e-7)
    assert rows[rows["salvage_uptake"] == 0.5]["difference"].isna().all()


def test_a_sweep_shows_the_scenarios_own_marginal_benefit_only() -> None:
    settings: dict[str, Any] = {"draws": 2, "horizon": 12.0}
    found = sweep("wider-salvage@0.5", {"hsct_if_cr": [0.6]}, **settings)
    alone = run(found.grid.at(0), **settings)
    assert len(alone.scenarios) == 2
    own = alone.outcomes[alone.outcomes["scenario"] == alone.scenarios[0].name]
    own = own[own["outcome"] == "os_12"]
    told = found.table[found.table["outcome"] == "os_12"]
    assert told["estimate"].tolist() == own["estimate"].tolist()
    assert "Every cell uses the scenario's marginal_benefit: 0.5 (an assumption)." in found.notes


def test_an_uptake_below_a_draws_own_is_said_with_its_share_of_draws() -> None:
    found = sweep("baseline", {"salvage_uptake": "0.01,0.99"}, draws=3, horizon=12.0)
    assert (
        "No additional patients where the uptake is no higher than the parameter set's: salvage_uptake 0.01 in 100 % "
        "of parameter sets."
    ) in found.notes
    rows = found.table[found.table["outcome"] == "draws_with_marginal_patients"]
    assert rows["estimate"].tolist() == [0.0, 1.0]


def test_a_marginal_benefit_that_nobody_has_changes_nothing() -> None:
    found = sweep("baseline", {"marginal_benefit": "0,1"}, draws=2, horizon=12.0)
    assert found.notes == (
        "No cell treats more patients than the parameter sets themselves, so marginal_benefit has no effect.",
    )
    assert (found.draws[0] == found.draws[1]).all()


STAYS_LISTED = '[hazard_ratio]\n"listed.dead" = 0\n'


def test_loads_that_cannot_be_served_are_named_cell_by_cell(ward: Callable[[str], Scenario]) -> None:
    scenario = ward("[capacity]\nbeds = 3\n" + YEARS + STAYS_LISTED)
    vary = {"beds": "1..4", "arrivals_per_year": "5,21"}
    # Everybody reaches the ward and stays 2 months: 3.5 beds at 21 arrivals a year.
    with pytest.raises(InputError, match=r"demand exceeds capacity in 3 of 8 cells") as refused:
        sweep(scenario, vary)
    for told in ("beds=1, arrivals_per_year=21 (beds 3.50)", "beds=2, arrivals_per_year=21 (beds 1.75)", "(beds 1.17)"):
        assert told in str(refused.value)
    assert "beds=1, arrivals_per_year=5" not in str(refused.value)
    assert len(sweep(scenario, vary, overload=True, horizon=12.0, replications=1).table)


def test_where_patients_leave_the_queue_no_cell_is_refused(ward: Callable[[str], Scenario]) -> None:
    scenario = ward("[capacity]\nbeds = 3\n" + YEARS)
    assert len(sweep(scenario, {"beds": "1..2", "arrivals_per_year": "21"}, horizon=12.0, replications=1).table)


def test_a_load_that_cannot_be_served_in_the_end_is_refused_in_a_sweep_too(ward: Callable[[str], Scenario]) -> None:
    steps = "[{ from_month = 0, units = 9 }, { from_month = 30, units = 1 }]"
    scenario = ward(f"[capacity]\nbeds = {{ units = {steps} }}\n{YEARS}{STAYS_LISTED}")
    with pytest.raises(InputError, match=r"in 1 of 2 cells.*arrivals_per_year=21 \(beds 3\.50\)"):
        sweep(scenario, {"arrivals_per_year": "5,21"})


def test_one_engine_serves_all_cells_and_is_named(ward: Callable[[str], Scenario]) -> None:
    priority = '[capacity]\nbeds = { units = 3, priority = { urgency = ["urgent"] } }\n' + YEARS
    found = sweep(ward(priority), {"beds": "3..4"}, horizon=12.0, replications=1)
    assert found.manifest["engine"] == "des"
    assert found.manifest["engine_because"] == "[capacity] beds has a priority (one engine for all 2 cells)"
    with pytest.raises(InputError, match="the exact engine has no queues"):
        sweep(ward(""), {"beds": "3..4"}, engine="exact")


def test_too_many_cells_are_refused_with_their_cost_unless_asked_for(
    healthy: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"1,002,001 cells would take about \d+ (minutes|hours|days).*--yes"):
        sweep(healthy, {"onset_rate": "0..1..0.001", "death_rate_ill": "0..1..0.001"}, yes=False)
    monkeypatch.setattr(checks, "MOST_CELLS", 2)
    with pytest.raises(InputError, match=r"3 cells would take about"):
        sweep(healthy, {"onset_rate": "0.1,0.2,0.3"}, yes=False)
    assert len(sweep(healthy, {"onset_rate": "0.1,0.2,0.3"}).draws) == 3


def test_a_sweep_of_thousands_of_values_says_what_it_costs_from_a_few_of_them(
    healthy: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    monkeypatch.setattr(checks, "resolve", lambda scenario, own: tried.append(scenario))
    monkeypatch.setattr(cost, "MOST_SECONDS", 0.0)
    with pytest.raises(InputError, match=r"5,001 cells would take about"):
        sweep(healthy, {"onset_rate": "0..1..0.0002"}, yes=False)
    assert [tried[0].set["onset_rate"], tried[-1].set["onset_rate"]] == [0.0, 1.0]
    assert len(tried) <= 101


def test_a_value_that_is_wrong_among_thousands_is_refused_before_anything_runs(
    healthy: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MOST_TRIED", 2)
    monkeypatch.setattr("simulator.analyses.sweep.run.part_of", lambda *_: pytest.fail("it runs"))
    with pytest.raises(InputError, match="onset_rate"):
        sweep(healthy, {"onset_rate": "0.1,0.2,-1,0.3,0.4"})


def test_the_answer_is_the_best_and_the_worst_cell(healthy: Scenario) -> None:
    found = sweep(healthy, {"onset_rate": "0.05,0.1,0.2"})
    best, worst = 100 * found.draws[0, 0], 100 * found.draws[2, 0]
    assert answer(found) == (
        f"Of 100 patients, {best:.0f} are alive at 12 months at best (onset_rate=0.05) and {worst:.0f} at worst "
        f"(onset_rate=0.2): a difference of {best - worst:.0f}."
    )
    alike = sweep("baseline", {"marginal_benefit": "0,1"}, draws=2, horizon=12.0)
    assert "in every cell: what varies makes no difference" in answer(alike)
    short = sweep(healthy, {"onset_rate": "0.1,0.2"}, horizon=3.0)
    assert answer(short).startswith("There is no overall survival to show")


def test_with_beds_the_answer_is_what_one_more_bed_buys(
    ward: Callable[[str], Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sweep(ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "8,3,2,9"}, horizon=24.0)
    assert "alive at 12 months with 3 instead of 2 beds. Of 100 patients who request one" in answer(found)
    assert "More than eight beds change no result by as much as one patient in 100." in answer(found)
    short = sweep(found.scenario, {"beds": "2,3"}, horizon=24.0)
    assert "More than" not in answer(short)
    # Its interval names directions as the answer of a comparison does.
    difference = Summary(*(np.array(value) for value in (-1.8, -7.3, 0.7, np.nan)))
    monkeypatch.setattr(wording, "_difference", lambda *_: difference)
    assert "1.8 fewer (95 % interval 7.3 fewer to 0.7 more) are alive" in answer(short)


def test_without_requests_for_a_bed_no_share_of_requests_is_shown(ward: Callable[[str], Scenario]) -> None:
    nobody = ward('[hazard_ratio]\n"listed.ward" = 0\n')
    found = sweep(nobody, {"beds": "1,2"}, patients=50, horizon=12.0, replications=1)
    lost = found.table[found.table["outcome"] == "lost_while_waiting"]["estimate"]
    assert lost.isna().all()
    assert "bed. No patient requests one. More than" in answer(found)


def test_what_a_table_shows_as_more_survivors_is_not_said_to_change_nothing(ward: Callable[[str], Scenario]) -> None:
    """44.4 and 44.6 are 44 and 45 of 100 in the table, however little they are apart."""
    found = sweep(ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "8,9,10"}, horizon=24.0)
    alike, apart = (np.full_like(found.draws, 0.444) for _ in range(2))
    apart[2] = 0.446
    for values, is_said in ((alike, True), (apart, False)):
        leading = tuple(replace(each, values=value) for each, value in zip(found.leading, values, strict=True))
        assert ("More than eight beds" in answer(replace(found, leading=leading))) is is_said


def test_without_service_everybody_comes_at_once_and_that_is_said(ward: Callable[[str], Scenario]) -> None:
    found = sweep(ward(""), {"beds": "1..2"}, patients=50, horizon=12.0, replications=1)
    assert found.notes == ("Without [service], all 50 patients of a parameter set arrive at once and share the units.",)
