"""The posterior predictive table: every reported figure next to the same figure of simulated cohorts of that size."""

from __future__ import annotations

import math

from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway
from simulator.report.elements import paragraph, row, span, table, tag, text
from simulator.wording import numbers
from simulator.wording.intervals import Row


def predictive(cohort: Cohort, pathway: Pathway) -> str:
    """Return the table, by the use of the figures; a note for a cohort that has not been fitted."""
    if cohort.predictive is None:
        return paragraph("The model has not been fitted to the cohort, so there are no simulated figures to compare.")
    targets = cohort.targets.set_index("name", drop=False)
    figures = cohort.predictive[cohort.predictive["target"].isin(targets.index)]
    outside = int((figures["inside"] == "no").sum())
    note = (
        f"Of {len(figures)} reported figures, {len(figures) - outside} lie inside their 95 % predictive interval. "
        f"Every parameter set simulates {cohort.n} new patients, grouped and followed up as the reported ones. The bar "
        "is the interval, the tick the reported figure."
    )
    tables = []
    for use, title in numbers.USES.items():
        chosen = figures[figures["use"] == use].to_dict("records")
        lines = [_line(figure, targets.loc[figure["target"]].to_dict(), cohort, pathway) for figure in chosen]
        head = ["Reported figure", "Reported", "Simulated", "", "Inside", "Place"]
        tables.append(table(head, lines, caption=title, kind="numbers predictive"))
    return paragraph(note) + "".join(tables)


def _line(figure: Row, target: Row, cohort: Cohort, pathway: Pathway) -> str:
    unit = str(figure["unit"])
    inside = figure["inside"] == "yes"
    simulated = tag("b", text(numbers.number(figure["simulated"], unit)))
    interval = numbers.interval(figure["lower"], figure["upper"], unit, figure["simulated"])
    return row(
        text(numbers.target(target, pathway)),
        text(_reported(figure, target)),
        f"{simulated} {span(f'({interval})', 'interval') if interval else ''}",
        _range(figure, unit, cohort.n),
        text("yes") if inside else tag("strong", text("no")),
        text(figure["place"]),
        kind="" if inside else "outside",
    )


def _reported(figure: Row, target: Row) -> str:
    count, n, unit = figure["count"], figure["n"], figure["unit"]
    of = f"{count:g} of {n:g}" if math.isfinite(count) and math.isfinite(n) else ""
    if unit == "patients":
        return of or f"{figure['reported']:g}"
    printed = target["value"] if math.isfinite(target["value"]) else round(figure["reported"])
    error = f" ± {target['standard_error']:g}" if math.isfinite(target["standard_error"]) else ""
    value = f"{printed:g}{error} {unit}"
    return f"{value} ({of})" if of else value


def _range(figure: Row, unit: str, n: int) -> str:
    """Return the interval as a bar and the reported figure as a tick, on 0 to 100 %, to n, or to the maximum."""
    lower, upper, reported = (float(figure[column]) for column in ("lower", "upper", "reported"))
    if not all(math.isfinite(value) for value in (lower, upper, reported)):
        return ""
    whole = float(figure["n"]) if math.isfinite(figure["n"]) else float(n)
    most = {"%": 100.0, "patients": max(whole, upper)}.get(unit, 1.05 * max(upper, reported)) or 1.0
    bar = f"left:{100 * lower / most:.1f}%;width:{100 * (upper - lower) / most:.1f}%"
    tick = f"left:{100 * reported / most:.1f}%"
    return tag("span", tag("i", style=bar), tag("b", style=tick), class_="range", aria_hidden="true")
