"""A run as a workbook, read back: its numbers are numbers, its texts are texts, and equal runs give equal bytes."""

import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.experiment.results import Results
from simulator.experiment.run import run
from simulator.pathway.format import load_pathway
from simulator.report import run_folder, workbook
from simulator.scenario.scenario import Scenario

openpyxl = pytest.importorskip("openpyxl")
pytest.importorskip("xlsxwriter")

SHEETS = ["About", "Options", "Outcomes", "Curves", "Beds", "Draws"]


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(BytesIO(content))


@pytest.fixture(scope="module")
def book(results: Results) -> Any:
    return opened(workbook.content(results))


def rows(book: Any, sheet: str) -> list[dict[str, Any]]:
    """The rows of a sheet below its heading, as tables of cells."""
    head, *others = book[sheet].iter_rows()
    return [dict(zip((cell.value for cell in head), row, strict=True)) for row in others]


def test_an_outcome_is_a_number_in_per_cent(results: Results, book: Any) -> None:
    assert book.sheetnames == SHEETS
    (row,) = (
        row
        for row in rows(book, "Outcomes")
        if [row[key].value for key in ("Option", "From", "Patients")] == ["wider-salvage", "relapse", "All patients"]
        and row["Outcome"].value == "Alive at 12 months"
    )
    outcome = results.outcomes.set_index(["scenario", "clock", "population", "outcome"])
    known = outcome.sort_index().loc[("wider-salvage", "relapse", "all", "os_12")]
    assert row["Estimate"].value == pytest.approx(known["estimate"], abs=1e-12)
    assert row["Difference"].value == pytest.approx(known["difference"], abs=1e-12)
    assert row["Estimate"].number_format == "0.0 %"
    assert row["Unit"].value == "%"


def test_every_outcome_of_the_run_has_its_row(results: Results, book: Any) -> None:
    assert [row["Name in outcomes.csv"].value for row in rows(book, "Outcomes")] == results.outcomes["outcome"].tolist()
    assert len(rows(book, "Draws")) == 4 * 4 * 2  # scenarios, parameter sets, clocks


def test_the_curves_are_drawn_as_a_chart_of_excels_own(results: Results, book: Any) -> None:
    (chart,) = book["Curves"]._charts
    months = [row["Month from relapse"].value for row in rows(book, "Curves")]
    assert months == sorted(set(results.survival["month"]))
    assert len(chart.ser) == len(results.scenarios)
    assert chart.ser[1].yVal.numRef.f == f"Curves!$E$2:$E${1 + len(months)}"
    assert book["Curves"]["E1"].value == "wider-salvage"


def test_an_option_stands_in_a_planners_words(book: Any) -> None:
    changed = [row["What it changes (the first: from the pathway as declared)"].value for row in rows(book, "Options")]
    assert changed == ["nothing", "salvage uptake 49 % \N{RIGHTWARDS ARROW} 88 %"]


def test_waits_are_in_days() -> None:
    centre = run("letter-centre", draws=1, replications=1, horizon=12.0)
    assert centre.service is not None
    served = next(row for row in rows(opened(workbook.content(centre)), "Beds") if "Mean wait" in row["Outcome"].value)
    (months,) = centre.service.loc[centre.service["outcome"] == "wait_mean", "estimate"]
    assert served["Estimate"].value == pytest.approx(30.4375 * months)
    assert (served["Unit"].value, served["Resource"].value) == ("days", "HSCT beds")


@pytest.fixture(scope="module")
def another() -> Results:
    """A run of another disease: of one parameter set, without a cohort and without beds."""
    return run(Scenario(name="=1+1", title="@SUM(A1)", pathway=load_pathway("three_state")), horizon=24.0)


def test_a_name_that_looks_like_a_formula_stays_a_text(another: Results) -> None:
    book = opened(workbook.content(another))
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert rows(book, "Options")[0]["Option"].value == "=1+1"
    assert [row["Option"].value for row in rows(book, "Beds")] == [
        "No resource is limited, and nobody arrives over time, in this run."
    ]


def test_equal_runs_give_equal_bytes_whenever_they_are(another: Results) -> None:
    later = replace(another, manifest={**another.manifest, "created": "2099-01-01T00:00:00+00:00"})
    assert workbook.content(later) == workbook.content(another)


def test_a_median_that_is_not_reached_is_said_and_an_empty_group_is_blank(another: Results) -> None:
    assert another.draws is not None
    draws = another.draws.assign(median_os=np.inf, rmst_12=np.nan)
    (row, *_) = rows(opened(workbook.content(replace(another, draws=draws))), "Draws")
    assert row["Median survival, months"].value == "not reached"
    assert row["Mean survival to month 12, months"].value is None


def test_a_finished_run_gives_the_same_workbook(another: Results, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(run_folder, "gallery", lambda *_: [])
    another.write(tmp_path / "run")
    again = run_folder.write_again(tmp_path / "run", excel=True).with_name(workbook.NAME)
    another.to_excel(tmp_path / "first.xlsx")
    assert again.read_bytes() == (tmp_path / "first.xlsx").read_bytes()
    (tmp_path / "run" / "outcomes_by_draw.csv").unlink()
    earlier = run_folder.write_again(tmp_path / "run", excel=True).with_name(workbook.NAME)
    assert opened(earlier.read_bytes())["Draws"]["A1"].value == "This run kept no outcomes of single parameter sets."


def test_a_damaged_table_of_parameter_sets_is_refused_with_its_line(another: Results, tmp_path: Path) -> None:
    another.write(tmp_path)
    path = tmp_path / "outcomes_by_draw.csv"
    header, first, *others = path.read_text().splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True)) | {"os_12": "x"}
    path.write_text("\n".join([header, ",".join(cells.values()), *others]) + "\n")
    with pytest.raises(InputError, match=r"outcomes_by_draw\.csv: line 2, os_12: not a number; got 'x'"):
        run_folder.write_again(tmp_path, excel=True)


def test_without_xlsxwriter_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(InputError, match=r"--excel: .*not installed; allowed: pip install 'aftercart\[office\]'"):
        workbook.check_installed()
