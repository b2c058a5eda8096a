"""The posterior predictive table: every reported figure beside what simulated cohorts of the same size print."""

from __future__ import annotations

import math

from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway
from simulator.report.elements import paragraph, row, span, table, tag, text
from simulator.wording import numbers
from simulator.wording.intervals import Row


def predictive(cohort: Cohort, pathway: Pathway) -> str:
    """Return the table, by what each figure is used for; nothing for a cohort that has not been fitted."""
    if cohort.predictive is None:
        return paragraph("The cohort has not been fitted, so there is nothing to compare its figures with.")
    targets = cohort.targets.set_index("name", drop=False)
    shown = cohort.predictive[cohort.predictive["target"].isin(targets.index)]
    outside = int((shown["inside"] == "no").sum())
    said = (
        f"Of {len(shown)} reported figures, {len(shown) - outside} lie inside their 95 % predictive interval: the "
        f"{cohort.n} patients simulated afresh for every draw, grouped and followed as they were. The bar is that "
        "interval, the tick what was reported."
    )
    tables = []
    for use, title in numbers.USES.items():
        rows = [each for each in shown.to_dict("records") if each["use"] == use]
        lines = [_line(row, targets.loc[row["target"]].to_dict(), cohort, pathway) for row in rows]
        head = ["Reported figure", "Reported", "Simulated", "", "Inside", "Place"]
        tables.append(table(head, lines, caption=title, kind="numbers predictive"))
    return paragraph(said) + "".join(tables)


def _line(found: Row, target: Row, cohort: Cohort, pathway: Pathway) -> str:
    unit = str(found["unit"])
    inside = found["inside"] == "yes"
    simulated = tag("b", text(numbers.number(found["simulated"], unit)))
    interval = numbers.interval(found["lower"], found["upper"], unit, found["simulated"])
    return row(
        text(numbers.target(target, pathway)),
        text(_reported(found, target)),
        f"{simulated} {span(f'({interval})', 'interval') if interval else ''}",
        _range(found, unit, cohort.n),
        text("yes") if inside else tag("strong", text("no")),
        text(found["place"]),
        kind="" if inside else "outside",
    )


def _reported(found: Row, target: Row) -> str:
    count, n, unit = found["count"], found["n"], found["unit"]
    of = f"{count:g} of {n:g}" if math.isfinite(count) and math.isfinite(n) else ""
    if unit == "patients":
        return of or f"{found['reported']:g}"
    printed = target["value"] if math.isfinite(target["value"]) else round(found["reported"])
    error = f" ± {target['standard_error']:g}" if math.isfinite(target["standard_error"]) else ""
    told = f"{printed:g}{error} {unit}"
    return f"{told} ({of})" if of else told


def _range(found: Row, unit: str, n: int) -> str:
    """Return the interval as a bar and the reported figure as a tick, on 0 to 100 %, 0 to n, or 0 to the most."""
    lower, upper, reported = (float(found[each]) for each in ("lower", "upper", "reported"))
    if not all(math.isfinite(each) for each in (lower, upper, reported)):
        return ""
    whole = float(found["n"]) if math.isfinite(found["n"]) else float(n)
    most = {"%": 100.0, "patients": max(whole, upper)}.get(unit, 1.05 * max(upper, reported)) or 1.0
    bar = f"left:{100 * lower / most:.1f}%;width:{100 * (upper - lower) / most:.1f}%"
    tick = f"left:{100 * reported / most:.1f}%"
    return tag("span", tag("i", style=bar), tag("b", style=tick), class_="range", aria_hidden="true")
