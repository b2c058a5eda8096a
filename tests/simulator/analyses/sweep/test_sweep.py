"""A sweep: values, names, the grid, cells that agree with single runs, differences, and refusals."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import months, rate, scenarios_in, to_and_fro, ward
from worlds import scenario as declared

from simulator import compare, load_scenario, run, sweep
from simulator.analyses.sweep import axis, checks
from simulator.analyses.sweep.axis import read_values
from simulator.analyses.sweep.grid import find, make_grid
from simulator.engines.exact.accuracy import TooCoarse
from simulator.errors import InputError
from simulator.experiment import cost
from simulator.scenario.scenario import Scenario
from simulator.wording import sweep as wording
from simulator.wording.difference import Difference
from simulator.wording.sweep import answer

WARD = ward(
    exponential(mean=2), exponential(mean="wait"), exponential(mean=10), resources=["beds", "theatre"],
    attributes={"urgency": {"urgent": 1, "elective": 3}}, parameters={"wait": months(1)},
)  # fmt: skip
YEARS = "[service]\narrivals_per_year = 12\nyears = 2\nwarm_up_years = 1\n"
VALUES = ["estimate", "lower", "upper", "monte_carlo_se", "difference", "difference_lower", "difference_upper"]
OUTCOME = ["clock", "population", "outcome", "unit"]


@pytest.fixture(name="ward")
def declare_on_ward(tmp_path: Path) -> Callable[[str], Scenario]:
    return scenarios_in(tmp_path, WARD)


@pytest.fixture
def healthy(tmp_path: Path) -> Scenario:
    (tmp_path / "as-it-is.toml").write_text('pathway = "three_state"\n', encoding="utf-8")
    return load_scenario(tmp_path / "as-it-is.toml")


@pytest.mark.parametrize(
    ("declared", "values"),
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
def test_values_are_lists_ranges_and_steps(declared: Any, values: tuple[float, ...]) -> None:
    assert read_values(declared, "here") == values


@pytest.mark.parametrize(
    ("declared", "word"),
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
def test_values_that_cannot_be_used_are_refused(declared: Any, word: str) -> None:
    with pytest.raises(InputError, match=r"^--vary beds: ") as refused:
        read_values(declared, "--vary beds")
    assert word in str(refused.value)


def test_options_are_split_at_the_first_equals_sign() -> None:
    assert axis.split(["beds=1..6", "scale.wait=0.5,1"]) == {"beds": "1..6", "scale.wait": "0.5,1"}
    for option in ("beds", "=1", "beds=", " =2"):
        with pytest.raises(InputError, match="not NAME=VALUES"):
            axis.split([option])
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
def test_a_name_belongs_to_the_table_of_a_scenario_that_declares_it(
    ward: Callable[[str], Scenario], name: str, place: tuple[str, str]
) -> None:
    assert find(ward("").pathway, name) == place


@pytest.mark.parametrize(
    ("name", "likely"),
    [("bedz", "beds"), ("scale.weight", "scale.wait"), ("hazard_ratio.listed.deed", "hazard_ratio.listed.dead")],
)
def test_an_unknown_name_is_refused_with_the_likely_name(
    ward: Callable[[str], Scenario], name: str, likely: str
) -> None:
    with pytest.raises(InputError, match=rf"unknown name; got '{name}'.*did you mean '{likely}'\?"):
        sweep(ward(""), {name: "1"})


def test_every_name_can_be_varied_once(ward: Callable[[str], Scenario]) -> None:
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
    cell = make_grid(ward(text), vary).at(0)
    assert cell.capacity["beds"].units == 5
    assert cell.capacity["beds"].ranks == ("urgency", ("urgent",))
    assert cell.capacity["theatre"].units == 4
    assert cell.service is not None
    assert (cell.service.arrivals_per_year, cell.service.years) == (30, 2)
    assert (cell.scale, cell.hazard_ratio) == ({"wait": 2}, {"listed.dead": 0.5})


def test_before_a_policy_starts_a_cell_has_the_same_beds(tmp_path: Path, ward: Callable[[str], Scenario]) -> None:
    ward("[capacity]\nbeds = 3\n" + YEARS + "policy_from_month = 18\n[set]\nwait = 0.5\n")
    scenario = load_scenario(tmp_path / "policy.toml")
    cell = make_grid(scenario, {"beds": "7", "wait": "2", "policy_from_month": "24"}).at(0)
    assert cell.before is not None
    assert cell.before.capacity["beds"].units == 7
    assert cell.before.service is not None
    assert cell.before.service.policy_from_month == 24
    assert (cell.set, cell.before.set) == ({"wait": 2}, {})


def test_a_policy_may_start_in_years_that_its_cell_adds(tmp_path: Path, ward: Callable[[str], Scenario]) -> None:
    ward("[capacity]\nbeds = 3\n" + YEARS + "policy_from_month = 18\n[set]\nwait = 0.5\n")
    scenario = load_scenario(tmp_path / "policy.toml")
    cell = make_grid(scenario, {"policy_from_month": "60", "years": "9"}).at(0)
    assert cell.service is not None
    assert (cell.service.policy_from_month, cell.service.years) == (60, 9)
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
        ({"wait": "1", "scale.wait": "2"}, "'wait' is given twice"),
        ({"arrivals_per_year": "12,0"}, "arrivals_per_year: input should be greater than or equal to 0.001; got 0"),
        ({"marginal_benefit": "1.5,0.5"}, "--vary marginal_benefit: marginal benefit outside 0 to 1; got 1.5"),
        ({"marginal_benefit": "0.5"}, "declares no decision at which patients are additional"),
        ({"beds": 3}, "--vary beds: only one value; got 3; allowed: a list, as [3]"),
        (["beds"], "vary: not a dictionary of names and values; got ['beds']"),
        ({"policy_from_month": "12"}, "has no policy_from_month"),
        ({"beds": "1..2", "wait": "1,-1"}, "with beds=1, wait=-1: [set] wait: value outside its unit"),
    ],
)
def test_a_bad_value_is_refused_before_the_runs(
    ward: Callable[[str], Scenario], monkeypatch: pytest.MonkeyPatch, vary: dict[str, str], words: str
) -> None:
    monkeypatch.setattr("simulator.analyses.sweep.run._piece", None)
    with pytest.raises(InputError) as refused:
        sweep(ward("[capacity]\nbeds = 3\n" + YEARS), vary)
    assert words in str(refused.value)


def test_a_centre_without_limits_is_swept(ward: Callable[[str], Scenario]) -> None:
    results = sweep(ward(YEARS), {"wait": "0.5,2"}, horizon=12.0, replications=1)
    assert len(results.draws) == 2


def test_without_a_service_its_keys_cannot_vary(healthy: Scenario) -> None:
    with pytest.raises(InputError, match="arrivals must be declared exactly once"):
        sweep(healthy, {"years": "1..2"})


def compare_cells(results: Any, **settings: Any) -> Any:
    """Compare the cells as separate scenarios."""
    return compare(*(results.grid.at(cell) for cell in range(len(results.grid))), **settings)


def test_without_limits_the_cells_of_a_grid_agree_with_single_runs(healthy: Scenario) -> None:
    results = sweep(healthy, {"onset_rate": "0.05,0.1", "scale.death_rate_ill": [1, 0.5]})
    table = results.table[results.table["outcome"] != "draws_with_marginal_patients"].reset_index(drop=True)
    alone = compare_cells(results)
    pd.testing.assert_frame_equal(table[OUTCOME + VALUES], alone.outcomes[OUTCOME + VALUES])
    assert list(table.columns[:2]) == ["onset_rate", "scale.death_rate_ill"]
    assert results.manifest["engine"] == "exact"


@pytest.mark.slow
def test_policies_that_move_shares_and_times_agree_with_single_runs() -> None:
    """Cells of one relapse time share their path curves, and those of another do not."""
    vary = {"salvage_uptake": "0.4,0.9", "relapse_shape": [1.0, 1.5], "marginal_benefit": [1, 0]}
    results = sweep("baseline", vary, draws=2, horizon=12.0)
    table = results.table[results.table["outcome"] != "draws_with_marginal_patients"]
    # These have every pair of values.
    for cell in (0, 3, 5, 6):
        alone = run(results.grid.at(cell), draws=2, horizon=12.0).outcomes
        alone = alone[alone["scenario"] == results.grid.at(cell).name].reset_index(drop=True)
        alone = alone[~alone["outcome"].str.contains("break_even|draws_with")].reset_index(drop=True)
        rows = table[(table[results.grid.names] == list(results.grid.values(cell))).all(axis=1)]
        rows = rows[~rows["outcome"].str.contains("per_10")].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows[OUTCOME + VALUES[:4]], alone[OUTCOME + VALUES[:4]], rtol=1e-7, atol=1e-8)


def test_with_beds_the_cells_of_a_grid_agree_with_single_runs(ward: Callable[[str], Scenario]) -> None:
    settings = {"replications": 3, "horizon": 24.0}
    results = sweep(ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "3..5", "wait": "0.5,2"}, **settings)
    alone = compare_cells(results, **settings)
    outcomes_of_patients = results.table[results.table["resource"] == ""].reset_index(drop=True)
    columns = [*OUTCOME, *VALUES, "follow_up"]
    pd.testing.assert_frame_equal(outcomes_of_patients[columns], alone.outcomes[columns])
    outcomes_of_resources = results.table[results.table["resource"] != ""].reset_index(drop=True)
    service = alone.service[alone.service["arrival_year"] == ""].reset_index(drop=True)
    columns = ["resource", "outcome", "unit", *VALUES, "follow_up"]
    pd.testing.assert_frame_equal(outcomes_of_resources[columns], service[columns])


@pytest.mark.slow
@pytest.mark.usefixtures("work_by_other_processes")
def test_the_number_of_processes_changes_no_cell(ward: Callable[[str], Scenario]) -> None:
    scenario, vary = ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "3..4"}
    with_one_job, with_two_jobs = (sweep(scenario, vary, horizon=12.0, jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(with_one_job.table, with_two_jobs.table)


def test_differences_are_draw_by_draw_to_the_first_cell() -> None:
    results = sweep("baseline", {"salvage_uptake": "0.5,0.9"}, draws=4, horizon=24.0)
    first, last = results.draws
    rows = results.table[(results.table["outcome"] == "os_12") & (results.table["population"] == "all")]
    row = rows[(rows["clock"] == "relapse") & (rows["salvage_uptake"] == 0.9)].iloc[0]
    assert row["difference"] == pytest.approx(np.mean(last - first), abs=1e-7)
    lower, upper = np.quantile(last - first, [0.025, 0.975])
    assert (row["difference_lower"], row["difference_upper"]) == pytest.approx((lower, upper), abs=1e-7)
    assert rows[rows["salvage_uptake"] == 0.5]["difference"].isna().all()


@pytest.mark.slow
def test_a_sweep_uses_only_the_marginal_benefit_of_its_scenario() -> None:
    settings: dict[str, Any] = {"draws": 2, "horizon": 12.0}
    results = sweep("wider-salvage@0.5", {"hsct_if_cr": [0.6]}, **settings)
    alone = run(results.grid.at(0), **settings)
    assert len(alone.scenarios) == 2
    outcomes = alone.outcomes[alone.outcomes["scenario"] == alone.scenarios[0].name]
    outcomes = outcomes[outcomes["outcome"] == "os_12"]
    swept = results.table[results.table["outcome"] == "os_12"]
    # Sums of path curves and of curves differ in their last bits.
    assert swept["estimate"].tolist() == pytest.approx(outcomes["estimate"].tolist(), rel=1e-7, abs=1e-12)
    assert "Every cell uses the scenario's marginal_benefit: 0.5 (an assumption)." in results.notes


def test_a_note_gives_the_share_of_draws_with_higher_uptake_than_a_cell() -> None:
    results = sweep("baseline", {"salvage_uptake": "0.01,0.99"}, draws=3, horizon=12.0)
    assert (
        "No additional patients where the uptake is no higher than today's: salvage_uptake 1 % (in 100 % "
        "of parameter sets)."
    ) in results.notes
    rows = results.table[results.table["outcome"] == "draws_with_marginal_patients"]
    assert rows["estimate"].tolist() == [0.0, 1.0]


def test_without_additional_patients_the_marginal_benefit_changes_nothing() -> None:
    results = sweep("baseline", {"marginal_benefit": "0,1"}, draws=2, horizon=12.0)
    assert results.notes == ("No cell treats more patients than today, so marginal_benefit has no effect.",)
    assert (results.draws[0] == results.draws[1]).all()


STAYS_LISTED = '[hazard_ratio]\n"listed.dead" = 0\n'


def test_cells_with_demand_above_capacity_are_named(ward: Callable[[str], Scenario]) -> None:
    scenario = ward("[capacity]\nbeds = 3\n" + YEARS + STAYS_LISTED)
    vary = {"beds": "1..4", "arrivals_per_year": "5,21"}
    # Everybody reaches the ward and stays 2 months: 3.5 beds at 21 arrivals a year.
    with pytest.raises(InputError, match=r"demand exceeds capacity in 3 of 8 cells") as refused:
        sweep(scenario, vary)
    for load in ("beds=1, arrivals_per_year=21 (beds 3.50)", "beds=2, arrivals_per_year=21 (beds 1.75)", "(beds 1.17)"):
        assert load in str(refused.value)
    assert "beds=1, arrivals_per_year=5" not in str(refused.value)
    assert len(sweep(scenario, vary, overload=True, horizon=12.0, replications=1).table)


def test_no_cell_is_refused_if_patients_leave_the_queue(ward: Callable[[str], Scenario]) -> None:
    scenario = ward("[capacity]\nbeds = 3\n" + YEARS)
    assert len(sweep(scenario, {"beds": "1..2", "arrivals_per_year": "21"}, horizon=12.0, replications=1).table)


def test_a_cell_with_demand_above_the_last_capacity_is_refused(ward: Callable[[str], Scenario]) -> None:
    steps = "[{ from_month = 0, units = 9 }, { from_month = 30, units = 1 }]"
    scenario = ward(f"[capacity]\nbeds = {{ units = {steps} }}\n{YEARS}{STAYS_LISTED}")
    with pytest.raises(InputError, match=r"in 1 of 2 cells.*arrivals_per_year=21 \(beds 3\.50\)"):
        sweep(scenario, {"arrivals_per_year": "5,21"})


def test_all_cells_have_one_engine_and_its_reason(ward: Callable[[str], Scenario]) -> None:
    priority = '[capacity]\nbeds = { units = 3, priority = { urgency = ["urgent"] } }\n' + YEARS
    results = sweep(ward(priority), {"beds": "3..4"}, horizon=12.0, replications=1)
    assert results.manifest["engine"] == "des"
    assert results.manifest["engine_because"] == "[capacity] beds has a priority (one engine for all 2 cells)"
    with pytest.raises(InputError, match="the exact engine has no queues"):
        sweep(ward(""), {"beds": "3..4"}, engine="exact")


def test_too_many_cells_are_refused_with_their_cost_unless_confirmed(
    healthy: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"1,002,001 cells would take about \d+ (minutes|hours|days).*--yes"):
        sweep(healthy, {"onset_rate": "0..1..0.001", "death_rate_ill": "0..1..0.001"}, yes=False)
    monkeypatch.setattr(checks, "MOST_CELLS", 2)
    with pytest.raises(InputError, match=r"3 cells would take about"):
        sweep(healthy, {"onset_rate": "0.1,0.2,0.3"}, yes=False)
    assert len(sweep(healthy, {"onset_rate": "0.1,0.2,0.3"}).draws) == 3


def test_the_cost_of_thousands_of_cells_is_predicted_from_a_few(
    healthy: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved: list[Scenario] = []

    def tried(scenarios: Iterable[Scenario], _: object) -> list[object]:
        resolved.extend(scenarios)
        return []

    monkeypatch.setattr(checks, "resolve_each", tried)
    monkeypatch.setattr(cost, "MOST_SECONDS", 0.0)
    with pytest.raises(InputError, match=r"5,001 cells would take about"):
        sweep(healthy, {"onset_rate": "0..1..0.0002"}, yes=False)
    assert [resolved[0].set["onset_rate"], resolved[-1].set["onset_rate"]] == [0.0, 1.0]
    assert len(resolved) <= 101


def test_one_wrong_value_among_thousands_is_refused_before_the_runs(
    healthy: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MOST_TRIED", 2)
    monkeypatch.setattr("simulator.analyses.sweep.run.parts_of", lambda *_: pytest.fail("it runs"))
    with pytest.raises(InputError, match="onset_rate"):
        sweep(healthy, {"onset_rate": "0.1,0.2,-1,0.3,0.4"})


def test_the_answer_is_the_best_and_the_worst_cell(healthy: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    results = sweep(healthy, {"onset_rate": "0.05,0.1,0.2"})
    best, worst = 100 * results.draws[0, 0], 100 * results.draws[2, 0]
    assert answer(results) == (
        f"Of 100 patients, {best:.0f} are alive at 12 months at best (onset_rate=0.05) and {worst:.0f} at worst "
        f"(onset_rate=0.2): a difference of {best - worst:.0f}."
    )
    alike = sweep("baseline", {"marginal_benefit": "0,1"}, draws=2, horizon=12.0)
    assert "in every cell: what varies makes no difference" in answer(alike)
    monkeypatch.setattr(wording, "between_cells", lambda *_: Difference(0.018, -0.007, 0.073, 0.7))
    unclear = answer(results)
    assert unclear.startswith("No clear difference: of 100 patients, ")
    assert unclear.endswith(" (95 % interval 0.7 fewer to 7.3 more; more in 70 of 100 parameter sets).")
    short = sweep(healthy, {"onset_rate": "0.1,0.2"}, horizon=3.0)
    assert answer(short).startswith("There is no overall survival to show")


def test_with_beds_the_answer_is_the_benefit_of_one_more_bed(
    ward: Callable[[str], Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = sweep(ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "8,3,2,9"}, horizon=24.0)
    assert "alive at 12 months with 3 instead of 2 beds. Of 100 patients who request one" in answer(results)
    assert "More than eight beds change no result by as much as one patient in 100." in answer(results)
    short = sweep(results.scenario, {"beds": "2,3"}, horizon=24.0)
    assert "More than" not in answer(short)
    # Its interval names directions as the answer of a comparison does.
    unclear = Difference(-0.018, -0.073, 0.007, 0.7)
    monkeypatch.setattr(wording, "between_cells", lambda *_: unclear)
    assert answer(short).startswith(
        "No clear difference: of 100 patients, 1.8 fewer (95 % interval 7.3 fewer to 0.7 more; fewer in 70 of 100 "
        "parameter sets) are alive"
    )


def test_without_requests_for_a_bed_no_share_of_requests_is_shown(ward: Callable[[str], Scenario]) -> None:
    scenario = ward('[hazard_ratio]\n"listed.ward" = 0\n')
    results = sweep(scenario, {"beds": "1,2"}, patients=50, horizon=12.0, replications=1)
    lost = results.table[results.table["outcome"] == "lost_while_waiting"]["estimate"]
    assert lost.isna().all()
    assert "bed. No patient requests one. More than" in answer(results)


def test_a_visible_difference_is_not_called_no_change(ward: Callable[[str], Scenario]) -> None:
    """44.4 and 44.6 are 44 and 45 of 100 in the table, although they differ by 0.2."""
    results = sweep(ward("[capacity]\nbeds = 3\n" + YEARS), {"beds": "8,9,10"}, horizon=24.0)
    alike, different = (np.full_like(results.draws, 0.444) for _ in range(2))
    different[2] = 0.446
    for values, is_said in ((alike, True), (different, False)):
        leading = tuple(
            replace(quantity, values=value) for quantity, value in zip(results.leading, values, strict=True)
        )
        assert ("More than eight beds" in answer(replace(results, leading=leading))) is is_said


def test_without_a_service_all_patients_arrive_at_once_and_a_note_says_so(ward: Callable[[str], Scenario]) -> None:
    results = sweep(ward(""), {"beds": "1..2"}, patients=50, horizon=12.0, replications=1)
    assert results.notes == (
        "Without [service], all 50 patients of a parameter set arrive at once and share the units.",
    )


@pytest.mark.slow
def test_a_sweep_over_returns_that_no_lattice_follows_is_simulated_as_a_run_is() -> None:
    """The first cell's cycle is solved, and that of the second is too fast."""
    time = exponential(rate="speed")
    cycle = to_and_fro(time, time, exponential(rate=0.05), parameters={"speed": rate(1.0)})
    results = sweep(declared(cycle), {"speed": [1.0, 1_000.0]}, patients=50, horizon=12.0)
    assert results.manifest["engine"] == "microsim"
    assert "a -> b -> a" in results.manifest["engine_because"]
    assert results.table["estimate"].notna().any()
    with pytest.raises(TooCoarse, match="a -> b -> a"):
        sweep(declared(cycle), {"speed": [1.0, 1_000.0]}, engine="exact", horizon=12.0)
