"""A run as a workbook for Excel: numbers as numbers, in per cent and days, and a chart. Equal runs give equal bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib import import_module
from io import BytesIO
from math import isfinite
from typing import Any

from simulator.errors import InputError
from simulator.evidence.cohort import load_cohort
from simulator.experiment.manifest import ROUGH, note
from simulator.experiment.results import Results, as_written
from simulator.outcomes.labels import population_in_words, words_and_unit
from simulator.outcomes.resource_use import TIMES
from simulator.plain_text import capital
from simulator.scenario.arrivals import DAYS_A_MONTH
from simulator.wording import changes, opening, paper
from simulator.wording.headline import policies, scenario_in_words

NAME = "results.xlsx"
CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format has no zone; the time of the run stands in manifest.json
FORMATS = {"%": "0.0 %", "months": "0.0", "days": "0.0", "month": "0.0", "": "General"}
"""Unit of a column or a cell -> its format."""
MEASURES = ("estimate", "lower", "upper", "difference", "difference_lower", "difference_upper")
NOT_REACHED = "not reached"

Value = str | float | tuple[float, str]
"""A cell: a text, a number, or a number with its unit."""
Rows = Iterator[Sequence[Value]]


def check_installed() -> None:
    """Raise InputError if XlsxWriter is missing: before a run, and not after it."""
    _xlsxwriter()


def content(results: Results) -> bytes:
    """Return the workbook of a run. Raises InputError if XlsxWriter is missing."""
    memory = BytesIO()
    # A text stays a text, whatever it begins with.
    texts = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    book = _xlsxwriter().Workbook(memory, {"in_memory": True, **texts})
    book.set_properties({"title": paper.title(results), "comments": note(_pathway(results)), "created": CREATED})
    sheets = {
        "About": ([40, 100], _about(results)),
        "Options": ([28, 28, 50, 50, 60], _options(results)),
        "Outcomes": ([28, 12, 24, 48, 22, *[11] * 6, 18], _outcomes(results)),
        "Curves": ([10, *[14] * 3 * len(results.scenarios)], _curves(results)),
        "Beds": ([28, 18, 10, 44, 10, *[11] * 6], _beds(results)),
        "Draws": ([28, 12, 10], _draws(results)),
    }
    formats = {form: book.add_format({"num_format": form}) for form in FORMATS.values()}
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for name, (widths, rows) in sheets.items():
        sheet = book.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        last = _fill(sheet, rows, {**formats, "head": head, "text": wrapped if name in ("About", "Options") else None})
        if name != "About":
            sheet.freeze_panes(1, 1)
        if name == "Curves":
            sheet.insert_chart(1, 2 + 3 * len(results.scenarios), _chart(book, results, last))
    book.close()
    return memory.getvalue()


def _xlsxwriter() -> Any:
    try:
        # By name, so that type checks do not need it.
        return import_module("xlsxwriter")
    except ImportError:
        what, how = "a workbook needs XlsxWriter, which is not installed", "pip install 'aftercart[office]'"
        raise InputError(what, where="--excel", allowed=f"{how}, or the CSV files, which every run writes") from None


def _fill(sheet: Any, rows: Rows, formats: dict[str, Any]) -> int:
    """Write the rows of a sheet, the first as its heading; return the last row. formats : also "head" and "text" """
    last = 0
    for last, row in enumerate(rows):
        for column, value in enumerate(row):
            number, unit = value if isinstance(value, tuple) else (value, "")
            if isinstance(number, str):
                sheet.write_string(last, column, number, formats["text" if last else "head"])
            elif isfinite(number):
                sheet.write_number(last, column, number, formats[FORMATS[unit]])
            elif number > 0:
                sheet.write_string(last, column, NOT_REACHED)
    return last


def _pathway(results: Results) -> Any:
    return results.scenarios[0].pathway


def _about(results: Results) -> Rows:
    manifest, pathway = results.manifest, _pathway(results)
    yield (paper.title(results),)
    for paragraph in [*[ROUGH] * results.is_rough, *opening.paragraphs(results)]:
        yield "Answer", paragraph
    for sentence in paper.conclusion(results, load_cohort(pathway)):
        yield "Conclusion", sentence
    yield "What it is, and is not", note(pathway)
    yield "Pathway", pathway.title
    yield "Engine", f"{manifest['engine']} ({manifest['engine_because']})"
    for key in ("draws", "horizon", "seed"):
        words = {"draws": "Parameter sets", "horizon": "Months simulated"}.get(key, capital(key))
        yield words, float(manifest[key])
    yield "Estimate, lower, upper", "mean over the parameter sets (of medians, the median) and 95 % interval"
    yield "Difference", "to the first option, within each parameter set"
    yield "Units", "% as Excel's per cent; waits in days; the other times in months"
    yield "More", "groups, other clocks, states, every setting and the time of the run: CSV files and manifest.json"


def _options(results: Results) -> Rows:
    cohort, options = load_cohort(_pathway(results)), policies(results.scenarios)
    yield "Option", "Title", "Question", "What it changes (the first: from the pathway as declared)", "Assumes"
    for place, (option, *_) in enumerate(options):
        changed = changes.of(option, options[0][0] if place else None, cohort)
        yield option.name, option.title, option.question, "; ".join(changed) or "nothing", option.assumes


def _outcomes(results: Results) -> Rows:
    measures = (capital(name.replace("_", " ")) for name in MEASURES)
    yield "Option", "From", "Patients", "Outcome", "Unit", *measures, "Name in outcomes.csv"
    pathway = _pathway(results)
    for row in results.outcomes.to_dict("records"):
        words, unit = words_and_unit(row["outcome"], pathway)
        patients = capital(population_in_words(row["population"], pathway))
        numbers = (_number(row[name], row["unit"]) for name in MEASURES)
        yield scenario_in_words(row["scenario"]), row["clock"], patients, capital(words), unit, *numbers, row["outcome"]


def _number(value: float, unit: str) -> Value:
    return value, {"probability": "%", "months": "months", "days": "days"}.get(unit, "")


def _curves(results: Results) -> Rows:
    clock, names = opening.clocks(results)[0], [scenario.name for scenario in results.scenarios]
    rows = results.survival[(results.survival["population"] == "all") & (results.survival["clock"] == clock)]
    columns = ("survival", "lower", "upper")
    heads = [scenario_in_words(name) + f", {column}" * (column != "survival") for name in names for column in columns]
    yield f"Month from {clock}", *heads
    of_names = {name: rows[rows["scenario"] == name] for name in names}
    values = [of_names[name][column].to_numpy() for name in names for column in columns]
    for month, *shares in zip(of_names[names[0]]["month"].to_numpy(), *values, strict=True):
        yield (float(month), "month"), *((float(share), "%") for share in shares)


def _chart(book: Any, results: Results, last: int) -> Any:
    """Return the chart of overall survival, of the columns of its sheet. last : the last row of the sheet"""
    chart, clock = book.add_chart({"type": "scatter", "subtype": "straight"}), opening.clocks(results)[0]
    for column in range(1, 1 + 3 * len(results.scenarios), 3):
        month, share = (["Curves", 1, place, last, place] for place in (0, column))
        chart.add_series({"name": ["Curves", 0, column], "categories": month, "values": share})
    rough = " (rough)" * results.is_rough
    chart.set_title({"name": f"Overall survival from {clock}{rough}", "name_font": {"size": 12}})
    chart.set_x_axis({"name": f"Months from {clock}", "min": 0, "max": results.manifest["horizon"], "num_format": "0"})
    chart.set_y_axis({"name": "Patients alive", "min": 0, "max": 1, "num_format": "0 %"})
    chart.set_size({"width": 760, "height": 420})
    return chart


def _beds(results: Results) -> Rows:
    measures = (capital(name.replace("_", " ")) for name in MEASURES)
    yield "Option", "Resource", "Year of arrival", "Outcome", "Unit", *measures
    if results.service is None:
        yield ("No resource is limited, and nobody arrives over time, in this run.",)
        return
    for row in results.service.to_dict("records"):
        factor, unit = (DAYS_A_MONTH, "days") if row["outcome"] in TIMES else (1.0, row["unit"])
        resource = _pathway(results).resources.get(row["resource"])
        year = row["arrival_year"] if row["arrival_year"] == "" else float(row["arrival_year"])
        displayed = "%" if unit == "probability" else unit
        numbers = (_number(factor * row[name], unit) for name in MEASURES)
        yield (
            scenario_in_words(row["scenario"]),
            resource.label if resource else "",
            year,
            capital(row["label"]),
            displayed,
            *numbers,
        )


def _draws(results: Results) -> Rows:
    """Yield the outcomes of all patients in every parameter set."""
    pathway, table = _pathway(results), results.draws
    if table is None:
        yield ("This run kept no outcomes of single parameter sets.",)
        return
    table = as_written(table[table["population"] == "all"].copy())
    units = dict(zip(results.outcomes["outcome"], results.outcomes["unit"], strict=True))
    names = [name for name in table.columns if name in units]
    yield (
        "Option",
        "From",
        "Parameter set",
        *(capital(", ".join(filter(None, words_and_unit(n, pathway)))) for n in names),
    )
    scenarios, clocks, numbers = (table[name].tolist() for name in ("scenario", "clock", "draw"))
    values = [[_number(value, units[name]) for value in table[name].tolist()] for name in names]
    for scenario, clock, number, *row in zip(scenarios, clocks, numbers, *values, strict=True):
        yield scenario_in_words(scenario), clock, float(number), *row
