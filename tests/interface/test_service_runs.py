"""Runs of a centre: the answer and tables that a planner sees, the files, and the refusals."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import months, policies_of_the_default_suite, slow, sojourn, toml, ward

import scenarios
from simulator.evidence.draws import load_draws, values
from simulator.experiment.offered_load import offered_loads
from simulator.experiment.run import compare
from simulator.outcomes import event_log
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import load_scenario
from simulator.wording.rounding import MINUS

Command = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("without_png", "in_one_width")

WARD = ward(exponential(mean="stay"), exponential(mean=1), exponential(mean=4), parameters={"stay": months(2)})

BUSY = """
pathway = "ward.toml"
[capacity]
beds = 2
[service]
arrivals_per_year = 12
warm_up_years = 1
years = 3
"""

STEPS = "[{ from_month = 0, units = 2 }, { from_month = 24, units = 3 }]"
CALENDAR = f'base = "busy.toml"\n[capacity]\nbeds.units = {STEPS}'
OVERLOADED = 'base = "busy.toml"\n[set]\nstay = 4\n[hazard_ratio]\n"listed.dead" = 0'
QUICK = ("--draws", "2", "--replications", "2", "--jobs", "1")


@pytest.fixture(autouse=True)
def centres(folder: Path) -> None:
    files = {"ward": toml(WARD), "busy": BUSY, "calendar": CALENDAR, "overloaded": OVERLOADED}
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)


def printed_text(result: Any) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def service(run: Path) -> pd.DataFrame:
    """The resources' rows, without those of a year of arrival."""
    table = pd.read_csv(run / "service.csv")
    return table[table["arrival_year"].isna()].set_index(["scenario", "resource", "outcome"]).sort_index()


def test_arrival_dates_and_the_same_arrival_months_give_the_same_run(aftercart: Command, folder: Path) -> None:
    """On the 1st, the 9th and twice the 20th of three months; one bed."""
    dates = [date(2019, month, day) for month in (1, 2, 3) for day in (1, 9, 20, 20)]
    months = [(day - dates[0]).days / 30.4375 for day in dates]
    declared = {"arrival_dates": f"[{', '.join(map(str, dates))}]", "arrival_months": str(months)}
    for key, arrivals in declared.items():
        (folder / "listed.toml").write_text(
            f'pathway = "ward.toml"\n[capacity]\nbeds = 1\n[service]\n{key} = {arrivals}\nyears = 1\n'
        )
        assert aftercart("run", "listed.toml", "--overload", "--out", key).exit_code == 0
    for table in ("service.csv", "queue.csv", "survival.csv", "outcomes.csv"):
        dated, listed = ((folder / key / table).read_text() for key in declared)
        assert dated == listed


def test_the_tables_say_which_numbers_stop_at_the_horizon(aftercart: Command, folder: Path) -> None:
    typed = ("--draws", "1", "--patients", "100", "--replications", "1", "--horizon", "36", "--jobs", "1")
    assert aftercart("run", "letter-centre", *typed, "--out", "run").exit_code == 0
    outcomes = pd.read_csv(folder / "run" / "outcomes.csv").groupby("outcome")["follow_up"].unique()
    shares = ("os", "efs", "efs_no_response", "efs_relapse", "efs_death")
    counts = ("median_os", "median_efs", "salvage_courses", "hscts", "hsct_bed_months", "car_t_products")
    assert {name: " ".join(outcome) for name, outcome in outcomes.items()} == {
        **{f"{share}_{month}": f"to month {month}" for share in shares for month in (6, 12, 24, 60)},
        **{f"{mean}_{month}": f"to month {month}" for mean in ("rmst", "rmst_efs") for month in (12, 60)},
        **dict.fromkeys(counts, "to month 36"),
    }
    table = pd.read_csv(folder / "run" / "service.csv").fillna({"resource": "", "follow_up": ""})
    assert set(table[table["resource"] != ""]["follow_up"]) == {"whole stays"}
    by_year = table[table["resource"] == ""]
    assert {(name, follow_up) for name, follow_up in zip(by_year["outcome"], by_year["follow_up"], strict=True)} == {
        ("os_6", "to month 6"), ("os_12", "to month 12"), ("os_24", "to month 24"), ("arrivals", "")
    }  # fmt: skip


# --- Answer and tables ---


def test_the_answer_gives_waits_and_losses_and_then_survival(aftercart: Command, folder: Path) -> None:
    printed = printed_text(aftercart("run", "busy.toml", "--out", "run"))
    assert re.match(r"Two beds: .* Of 100 patients, \d+ are alive at 12 months under busy\.", printed)
    pattern = r"Two beds: of patients who request one, (\d+) % wait over 30 days and (\d+) % are lost"
    shares = re.search(pattern, printed)
    assert shares is not None, printed
    beds = service(folder / "run").loc[("busy", "beds")]["estimate"]
    assert int(shares[1]) == round(100 * beds["wait_over_30_days"])
    assert int(shares[2]) == round(100 * beds["lost_while_waiting"])


def test_the_table_shows_each_figure_and_its_monte_carlo_error(aftercart: Command, folder: Path) -> None:
    printed = aftercart("run", "busy.toml", "--out", "run").stdout
    beds = service(folder / "run").loc[("busy", "beds")]
    utilisation_percent, error = (100 * beds.loc["utilisation", name] for name in ("estimate", "monte_carlo_se"))
    assert re.search(rf"utilisation, % +{utilisation_percent:.0f} ± {error:.2g}\n", printed), printed
    assert re.search(r"requests a year +\d+(\.\d)? ± 0?\.?\d+", printed), printed
    mean = 30.4375 * beds.loc["wait_mean", "estimate"]
    assert re.search(rf"mean wait of patients served, days +{mean:.{0 if mean >= 10 else 1}f} ", printed), printed


def test_long_waits_are_shown_in_months(aftercart: Command) -> None:
    printed = aftercart("run", "overloaded.toml", "--overload").stdout
    if "mean wait of patients served, days" not in printed:
        assert "mean wait of patients served, months" in printed
    assert ("mean wait of patients served, days" in printed) != ("mean wait of patients served, months" in printed)


@pytest.mark.slow
def test_intervals_over_parameter_sets_are_shown_if_there_are_several(aftercart: Command, folder: Path) -> None:
    typed = ("--draws", "6", "--replications", "3", "--jobs", "1")
    printed = printed_text(aftercart("run", "letter-centre", "--out", "run", *typed))
    assert "HSCT beds; waits and use cover whole stays, even past the horizon" in printed
    assert "letter-centre: one HSCT bed" in printed
    assert "Brackets: 95 % intervals over 6 parameter sets, without simulation noise" in printed
    assert "All patients, from relapse; counts to month 120; 95 % intervals over 6 parameter sets" in printed
    assert "±: Monte Carlo standard error, 3 replications per parameter set." in printed
    beds = service(folder / "run").loc[("letter-centre", "hsct_beds")]
    utilisation_percent = beds.loc["utilisation"]
    assert utilisation_percent["lower"] < utilisation_percent["estimate"] < utilisation_percent["upper"]
    assert utilisation_percent["monte_carlo_se"] > 0.0


@pytest.mark.slow
@pytest.mark.usefixtures("with_page_alone")
def test_if_simulation_noise_hides_the_interval_the_estimate_has_a_standard_error(
    aftercart_with_figures: Command, folder: Path
) -> None:
    printed = printed_text(aftercart_with_figures("run", "letter-centre", "--seed", "4", "--out", "run", *QUICK))
    utilisation = service(folder / "run").loc[("letter-centre", "hsct_beds", "utilisation")]
    assert np.isnan([utilisation["lower"], utilisation["upper"]]).all()
    utilisation_percent, error = (100 * utilisation[name] for name in ("estimate", "monte_carlo_se"))
    assert f"utilisation, % {utilisation_percent:.0f} ± {error:.2g} " in printed
    page = (folder / "run" / "report.html").read_text()
    assert f'<b>{utilisation_percent:.0f}</b> <span class="interval">± {error:.2g}</span>' in page
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL).lower().split()


@pytest.mark.parametrize(
    ("precision", "sentence"),
    [
        (1000, "is within 100000 % of every estimate (4 replications per parameter set, 1 needed)."),
        (0.001, "is above 0.1 % of the estimate for 9 of 9 figures: requests a year; "),
    ],
)
def test_a_note_says_whether_the_replications_suffice(
    aftercart: Command, folder: Path, precision: float, sentence: str
) -> None:
    (folder / "precise.toml").write_text(f'base = "busy.toml"\n[service]\nprecision = {precision}')
    assert f"Simulation noise (95 % Monte Carlo error) {sentence}" in printed_text(aftercart("run", "precise.toml"))


def test_one_replication_has_no_standard_errors_and_a_note_suggests_more(aftercart: Command) -> None:
    printed = printed_text(aftercart("run", "busy.toml", "--replications", "1"))
    assert "--replications 2 or more" in printed
    assert not any(phrase in printed for phrase in ("±", "standard error", "95 % intervals over"))
    assert "±: Monte Carlo standard error" in printed_text(aftercart("run", "busy.toml", "--replications", "2"))


@pytest.mark.usefixtures("with_page_alone")
def test_the_report_of_one_replication_shows_no_standard_error(aftercart_with_figures: Command, folder: Path) -> None:
    assert aftercart_with_figures("run", "busy.toml", "--replications", "1", "--out", "run").exit_code == 0
    page = re.sub(r"\s+", " ", (folder / "run" / "report.html").read_text(encoding="utf-8"))
    assert "±" not in page.partition("</style>")[2]
    assert not re.search("standard error|Monte Carlo errors|1 replications|1 draws", page)


@pytest.mark.parametrize(
    ("typed", "engine"),
    [
        (["busy.toml"], "microsim (resources are limited and are granted first come, first served)"),
        (["calendar.toml"], "des ([capacity] beds has a calendar)"),
        (["busy.toml", "--engine", "des"], "des (as asked)"),
        (["arrivals.toml"], "microsim (patients arrive over time, and no resource is limited)"),
        (["three.toml"], "exact (no resource is limited, so the answer has no simulation noise)"),
    ],
)
def test_the_engine_is_named_with_the_reason(aftercart: Command, folder: Path, typed: list[str], engine: str) -> None:
    (folder / "three.toml").write_text('pathway = "three_state"')
    (folder / "arrivals.toml").write_text(BUSY.replace("[capacity]\nbeds = 2\n", ""))
    assert f"Engine: {engine}." in printed_text(aftercart("run", *typed))


def test_the_offered_load_is_printed_before_the_run_unless_quiet(aftercart: Command) -> None:
    """One arrival a month, 4 in 5 reach the ward and stay two months: 1.6 on two beds."""
    assert "busy: demand for beds is 80 % of capacity\n" in aftercart("run", "busy.toml").stderr
    quiet = aftercart("run", "busy.toml", "--quiet")
    assert quiet.stderr == ""
    assert "Two beds: " in quiet.stdout


@pytest.mark.slow
def test_the_offered_load_counts_the_parameter_sets_in_which_demand_exceeds_capacity(aftercart: Command) -> None:
    printed = aftercart("run", "regional-centre", "--draws", "1", "--replications", "1", "--jobs", "1").stderr
    assert re.search(
        r"HSCT beds is [789]\d % of capacity, and 100 % or more in 1?[1-9] of 20 parameter sets\n", printed
    ), printed


@pytest.mark.parametrize(
    "typed",
    [
        ("busy.toml", "calendar.toml", "--engine", "des"),
        slow(("letter-centre", "letter-centre-2-beds", "wider-salvage-todays-beds", *QUICK, "--horizon", "24")),
    ],
)
def test_no_line_is_longer_than_80_columns(aftercart: Command, typed: tuple[str, ...]) -> None:
    result = aftercart("compare", *typed)
    assert result.exit_code == 0, result.output
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_differences_are_reported_to_the_first_scenario(aftercart: Command, folder: Path) -> None:
    printed = aftercart("compare", "busy.toml", "calendar.toml", "--engine", "des", "--out", "run").stdout
    assert "Under busy, two beds: " in " ".join(printed.split())
    assert "Under calendar, two beds, three from month 24: " in " ".join(printed.split())
    utilisation = service(folder / "run").loc[("calendar", "beds", "utilisation")]
    assert utilisation["difference"] < 0.0
    lower = -100 * utilisation["difference"]
    assert re.search(rf"utilisation, % +\d+ ± [\d.]+ +\d+ ± [\d.]+ +{MINUS}{lower:.0f}", printed), printed


def test_json_is_the_outcomes_table_and_nothing_else(aftercart: Command) -> None:
    rows = json.loads(aftercart("run", "busy.toml", "--json").stdout)
    assert {row["scenario"] for row in rows} == {"busy"}
    assert "survival" not in rows[0]


# --- Files ---


@pytest.mark.slow
@pytest.mark.usefixtures("work_by_other_processes")
def test_the_same_command_gives_the_same_bytes(aftercart: Command, folder: Path) -> None:
    for out, jobs in (("one", "1"), ("two", "2")):
        typed = ("run", "letter-centre", "--draws", "2", "--replications", "2", "--jobs", jobs)
        logs = ("--event-log", "csv,xes,ocel,vidigi", "--origin", "2025-12-31")
        assert aftercart(*typed, *logs, "--horizon", "24", "--out", out).exit_code == 0
    names = {path.name for path in (folder / "one").iterdir()}
    assert names >= {
        "service.csv",
        "queue.csv",
        "histories.csv",
        "requests.csv",
        "event_log.xes",
        "event_log_ocel.json",
    }
    for name in names - {"manifest.json"}:
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes(), name


def test_histories_include_waits_and_agree_with_the_tables(aftercart: Command, folder: Path) -> None:
    assert aftercart("run", "busy.toml", "--histories", "--replications", "1", "--out", "run").exit_code == 0
    events = pd.read_csv(folder / "run" / "histories.csv")
    requests = pd.read_csv(folder / "run" / "requests.csv")
    event_log.check(events[list(event_log.COLUMNS)], load_pathway(folder / "ward.toml"))
    admitted = events[events["state"] == "ward"].sort_values(["calendar_month", "patient"])
    granted = requests.dropna(subset="granted").sort_values(["granted", "patient"])
    np.testing.assert_allclose(admitted["calendar_month"], granted["granted"], rtol=1e-6)
    assert (granted["granted"] - granted["asked"] > 0.1).any(), "somebody waited"
    assert requests["gone"].notna().any(), "somebody was lost"
    counted_admissions = admitted[admitted["calendar_month"].between(12.0, 48.0, inclusive="left")]
    starts = service(folder / "run").loc[("busy", "beds", "starts_per_year"), "estimate"]
    assert starts == pytest.approx(len(counted_admissions) / 3)
    of_counted = events[events["counted"]]
    died = of_counted[(of_counted["state"] == "dead") & (of_counted["month"] <= 12)]
    outcomes = pd.read_csv(folder / "run" / "outcomes.csv").set_index(["population", "outcome"])
    assert outcomes.loc[("all", "os_12"), "estimate"] == pytest.approx(1 - len(died) / of_counted["patient"].nunique())


def test_both_engines_write_the_same_histories(aftercart: Command, folder: Path) -> None:
    for engine in ("microsim", "des"):
        assert aftercart("run", "busy.toml", "--histories", "--engine", engine, "--out", engine).exit_code == 0
    for name in ("histories.csv", "requests.csv"):
        by_microsim, by_des = (pd.read_csv(folder / engine / name) for engine in ("microsim", "des"))
        pd.testing.assert_frame_equal(by_microsim, by_des, check_exact=False, rtol=1e-6, atol=1e-6)


def test_histories_of_limited_and_unlimited_scenarios_go_into_one_table(aftercart: Command, folder: Path) -> None:
    (folder / "free.toml").write_text('pathway = "ward.toml"')
    typed = ("compare", "free.toml", "busy.toml", "--histories", "--patients", "40", "--out", "run")
    assert aftercart(*typed).exit_code == 0
    events = pd.read_csv(folder / "run" / "histories.csv")
    assert set(events["scenario"]) == {"free", "busy"}
    assert not events.isna().any().any()
    free = events[events["scenario"] == "free"]
    assert (free["calendar_month"] == free["month"]).all()


@pytest.mark.slow
def test_the_report_has_beds_and_can_be_made_again(aftercart_with_figures: Command, folder: Path) -> None:
    run = folder / "run"
    result = aftercart_with_figures("compare", "busy.toml", "calendar.toml", "--out", "run")
    assert result.exit_code == 0, result.output
    files = {path.name: path.read_bytes() for path in run.iterdir()}
    page = files["report.html"].decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>|&nbsp;", " ", page))
    assert " Beds " in text
    assert "[capacity] beds = { units = [{ from_month = 0, units = 2 }, { from_month = 24, units = 3 }] }" in text
    assert "[service] arrivals_per_year = 12" in text
    estimate = 100 * service(run).loc[("busy", "beds", "utilisation"), "estimate"]
    assert re.search(rf"Utilisation % {estimate:.0f} ±", text), text
    assert "Year 1 " in text
    assert "Year 3 " in text
    assert ">busy: two beds</th>" in page.partition("In words and numbers")[2], "the numbers of the figure"
    assert result.stdout.partition("\n")[0][:60] in text
    for output in (text, " ".join(result.stdout.split())):
        assert "survival at 12 months can look better with fewer of them" in output
    (run / "report.html").unlink()
    assert aftercart_with_figures("report", "run").exit_code == 0
    assert {path.name: path.read_bytes() for path in run.iterdir()} == files
    (run / "service.csv").unlink()
    assert "service.csv" in aftercart_with_figures("report", "run").stderr


def test_arrivals_without_limits_have_no_queue_but_starts_and_a_report(
    aftercart_with_figures: Command, folder: Path
) -> None:
    (folder / "open.toml").write_text(BUSY.replace("[capacity]\nbeds = 2\n", ""))
    result = aftercart_with_figures("run", "open.toml", "--out", "run")
    run = folder / "run"
    assert not (run / "queue.csv").exists()
    starts = service(run).loc[("open", "beds", "starts_per_year"), "estimate"]
    assert re.search(rf"beds started a year +{starts:.{0 if starts >= 10 else 1}f} ", printed_text(result)), (
        result.stdout
    )
    page = (run / "report.html").read_bytes()
    assert b"Beds started a year" in page
    assert b"queue.csv" not in page
    (run / "report.html").unlink()
    assert aftercart_with_figures("report", "run").exit_code == 0
    assert (run / "report.html").read_bytes() == page


@pytest.mark.slow
def test_a_centre_that_treats_as_many_patients_has_no_survivors_per_10_more_treated(
    aftercart: Command, folder: Path
) -> None:
    """Beds change neither which patients are treated nor how many: differences by chance are no benefit."""
    typed = ("--draws", "2", "--replications", "2", "--jobs", "1", "--patients", "100", "--horizon", "24")
    assert aftercart("compare", "baseline", "letter-centre", "wider-salvage", *typed, "--out", "run").exit_code == 0
    outcomes = pd.read_csv(folder / "run" / "outcomes.csv")
    survivors_gained = outcomes[outcomes["outcome"].str.contains("more_treated")]
    assert set(survivors_gained["scenario"]) == {"wider-salvage", "wider-salvage@cohorts"}


@pytest.mark.usefixtures("with_page_alone")
def test_without_limits_there_is_no_note_on_beds(aftercart_with_figures: Command, folder: Path) -> None:
    (folder / "free.toml").write_text('pathway = "ward.toml"')
    result = aftercart_with_figures("run", "free.toml", "--out", "run")
    assert result.exit_code == 0, result.output
    for output in (result.stdout, (folder / "run" / "report.html").read_text()):
        assert "may show more alive" not in " ".join(output.split())


# --- Shipped centres ---

CENTRES = [name for name in scenarios.names() if load_scenario(name).is_limited]


@pytest.mark.parametrize("name", CENTRES)
def test_every_shipped_centre_states_question_rationale_and_assumptions(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.question.endswith("?")
    assert scenario.rationale.strip()
    assert scenario.assumes.strip()
    assert len(scenario.title) <= 60


def test_the_centres_that_a_planner_asks_for_are_shipped() -> None:
    assert {f"letter-centre{beds}" for beds in ("", "-2-beds", "-3-beds", "-4-beds")} <= set(CENTRES)
    assert {"wider-salvage-todays-beds", "two-more-beds", "car-t-slot-a-month"} <= set(CENTRES)
    assert {"regional-centre", "regional-centre-wider-salvage"} <= set(CENTRES)


@pytest.mark.parametrize("name", policies_of_the_default_suite(CENTRES, {"regional-centre"}))
def test_demand_is_below_capacity_in_shipped_centres_and_high_in_the_regional_ones(name: str) -> None:
    scenario = load_scenario(name)
    table = load_draws(scenario.pathway)
    for load in offered_loads(scenario, values(table, slice(0, 60))).values():
        # The first 20 parameter sets decide whether a run is refused.
        for mean in (load[:20].mean(), load.mean()):
            assert mean < 1.0
            if name.startswith("regional"):
                assert 0.7 <= mean <= 0.95


# --- Refusals ---


def refused(result: Any, *phrases: str) -> None:
    """One message on standard error besides the load, with these words in it; nothing on standard output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (message,) = (line for line in result.stderr.splitlines() if "demand for" not in line)
    assert message.startswith("aftercart: ")
    for phrase in phrases:
        assert phrase in message, message


def test_demand_above_capacity_is_refused_before_the_run(aftercart: Command, folder: Path) -> None:
    phrases = (
        "[capacity] beds",
        "demand exceeds capacity, so the queue grows without limit",
        "a load of 2.00",
        "--overload",
    )
    refused(aftercart("run", "overloaded.toml", "--out", "run"), *phrases)
    refused(aftercart("compare", "busy.toml", "overloaded.toml", "--quiet", "--out", "run"), *phrases)
    assert not (folder / "run").exists()


def test_beds_that_close_for_ever_are_refused_before_the_run(aftercart: Command, folder: Path) -> None:
    steps = "[{ from_month = 0, units = 30 }, { from_month = 20, units = 0 }]"
    (folder / "closing.toml").write_text(f'base = "overloaded.toml"\n[capacity.beds]\nunits = {steps}')
    refused(
        aftercart("run", "closing.toml", "--out", "run"),
        "[capacity] beds",
        "no units after the last step of the calendar",
        "--overload",
    )


def test_a_service_whose_patients_may_wait_before_they_arrive_is_refused(aftercart: Command, folder: Path) -> None:
    """Patients hold a bed before the clock starts at home, so their arrivals depend on the queue."""
    states = {**WARD["states"], "home": sojourn(dead=exponential(mean=9))}
    (folder / "ward.toml").write_text(toml({**WARD, "states": states, "clocks": {"home": "home"}}))
    refused(aftercart("check", "busy.toml"), "arrivals at 'home' cannot be declared", "held in 'ward'", "no [service]")
    refused(aftercart("run", "busy.toml", "--out", "run"), "arrivals at 'home' cannot be declared")
    assert not (folder / "run").exists()


def test_demand_above_capacity_is_run_on_request(aftercart: Command, folder: Path) -> None:
    result = aftercart("run", "overloaded.toml", "--overload", "--out", "run")
    assert result.exit_code == 0, result.output
    beds = service(folder / "run").loc[("overloaded", "beds")]["estimate"]
    assert 0.9 < beds["utilisation"] <= 1.0
    assert json.loads((folder / "run" / "manifest.json").read_text())["overload"] is True


@pytest.mark.parametrize(
    ("table", "typed", "phrases"),
    [
        ("[capacity]\nbeds = 0", [], ["[capacity] beds", "not a whole number above zero", "got 0"]),
        ("[capacity]\nbeds = -1", [], ["[capacity] beds", "got -1"]),
        ("[capacity]\nbeds = 1.5", [], ["[capacity] beds", "got 1.5"]),
        ("[capacity]\nbed = 1", [], ["unknown resource", "got 'bed'", "did you mean 'beds'?"]),
        (
            "[capacity.beds]\nunits = [{ from_month = 0, units = 1 }, { from_month = 9, units = 2 }, "
            "{ from_month = 3, units = 1 }]",
            [],
            ["[capacity] beds", "out of order", "from_month 3 after 9"],
        ),
        ("[capacity]\nbeds = 2", ["--engine", "exact"], ["the exact engine has no queues", "[capacity]", "des"]),
        ("[capacity]\nbeds = 2", ["--engine", "exact", "--histories"], ["exact engine has no histories", "des"]),
        ("[service]\narrivals_per_year = 6", ["--engine", "exact"], ["the exact engine has no queues", "microsim"]),
        ("[capacity]\nbeds = 2", ["--replications", "0"], ["--replications", "got 0", "1 or more"]),
        ("[service]\narrival_months = [3, 1]", [], ["[service] arrival_months", "out of order"]),
    ],
)
def test_an_invalid_centre_is_refused_with_its_place(
    aftercart: Command, folder: Path, table: str, typed: list[str], phrases: list[str]
) -> None:
    (folder / "damaged.toml").write_text(f'base = "busy.toml"\n{table}')
    refused(aftercart("run", "damaged.toml", *typed), *phrases)


@pytest.mark.parametrize(
    ("capacity", "reason"),
    [
        (f"units = {STEPS}", "has a calendar"),
        ("units = 3\noffered_every_months = 1", "is offered at intervals"),
        ('units = 3\npriority = { state = ["listed"] }', "has a priority"),
    ],
)
def test_queues_that_microsim_does_not_offer_are_refused_and_des_is_suggested(
    aftercart: Command, folder: Path, capacity: str, reason: str
) -> None:
    (folder / "more.toml").write_text(f'base = "busy.toml"\n[capacity.beds]\n{capacity}')
    refused(aftercart("run", "more.toml", "--engine", "microsim"), "more.toml", reason, "--engine des")
    assert "Engine: des" in printed_text(aftercart("run", "more.toml"))


@pytest.mark.slow
def test_without_limits_there_is_no_table_of_beds() -> None:
    """Patients do not depend on one another: des has the tables of microsim, of one replication."""
    settings = {"patients": 20, "draws": 1, "replications": 4, "horizon": 24}
    by_des, by_microsim = (compare("wider-salvage", engine=name, **settings) for name in ("des", "microsim"))
    assert by_des.service is None
    assert by_des.queue is None
    for name in ("survival", "outcomes", "occupancy"):
        pd.testing.assert_frame_equal(getattr(by_des, name), getattr(by_microsim, name), rtol=1e-7)
