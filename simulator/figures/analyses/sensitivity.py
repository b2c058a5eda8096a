"""The figures of a sensitivity analysis: a chart of rows a part."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from simulator.analyses.sensitivity.run import SEEN, Sensitivity
from simulator.evidence.cohort import Cohort
from simulator.figures import row_chart, style, text
from simulator.figures.analyses import alternatives
from simulator.figures.analyses.sensitivity_chart import chart, displayed, scale
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.sheet import Sample, area, marker_sample
from simulator.outcomes.labels import words_and_unit
from simulator.wording import rounding, sensitivity_titles
from simulator.wording.sensitivity import costs, factor, measured

SOBOL: Mapping[str, tuple[str, float, str, str, str]] = {
    "first_order": ("alone", 0.05, "o", style.BLUE, style.BLUE),
    "total": ("with interactions", -0.05, "D", style.VERMILLION, "white"),
}
"""Column -> meaning, inches above the middle of the row, marker, colour and face."""

ENDS: tuple[dict[str, Any], dict[str, Any]] = (
    {"facecolor": style.shade(style.ORANGE, 1.35), "edgecolor": style.shade(style.ORANGE, 0.7), "hatch": "//////",
     "linewidth": 0.0},
    {"facecolor": style.BLUE, "linewidth": 0.0},
)  # fmt: skip
"""The look of the low end's bar, light and hatched, and of the high end's, dark and plain."""


@style.applied()
def pictures(analysis: Sensitivity, cohort: Cohort | None = None) -> list[Picture]:
    """Return a picture a part. cohort : the cohort that calibrates the pathway, whose size and source are printed."""
    drawing = {
        "tornado": _tornado,
        "prcc": _prcc,
        "sobol": _sobol,
        "structure": alternatives.picture,
        "priors": alternatives.picture,
        "evppi": _evppi,
    }
    parts = [part for part in analysis.tables if len(displayed(analysis, part, style.WIDTH))]
    return [in_two_widths(partial(drawing[part], analysis, part, cohort)) for part in parts]


def _tornado(analysis: Sensitivity, part: str, cohort: Cohort | None, *, width: float = style.WIDTH) -> Picture:
    table = displayed(analysis, part, width)
    note = (
        "The other shares of a choice change in proportion. Parameters are correlated, so the bars do not add up to an "
        "interval."
    )
    meanings = ("number at its low end", "at its high end; its value next to the bar")
    key = [Sample(words, area(height=0.1, **look)) for words, look in zip(meanings, ENDS, strict=True)]
    drawn = "Bars: one number at a time at both ends of its 95 % interval, the others at their medians."
    sheet, axes = chart(analysis, part, table, cohort, drawn, note, scale(analysis), width=width, key=key)
    times, half = factor(analysis.question), row_chart.half_bar(axes)
    centre = times * float(table["outcome_at_centre"].iloc[0])
    ends = times * table[["outcome_at_low", "outcome_at_high"]].to_numpy()
    widest = 0.0
    for place, (row, (low, high)) in enumerate(zip(table.to_dict("records"), ends, strict=True)):
        bars = [(low, ENDS[0]), (high, ENDS[1])]
        for end, look in sorted(bars, key=lambda bar: -abs(bar[0] - centre)):
            axes.barh(-place, end - centre, height=2 * half, left=centre, zorder=2.5, **look)
        for at, other, value in ((low, high, row["low"]), (high, low, row["high"])):
            # If both ends lie on one side, the nearer end has no place next to its bar.
            outside = abs(at - centre) >= abs(other - centre) or (at - centre) * (other - centre) < 0
            if outside and abs(at - centre) > 1e-9:
                words = _value(value, row["unit"])
                widest = max(widest, text.width(words, sheet.small))
                _name_end(axes, place, at, words, right=at > centre, size=sheet.small)
    row_chart.zero_line(axes, centre)
    # The values next to the outermost bars are inside the axes.
    low, high = min(ends.min(), centre), max(ends.max(), centre)
    room, across = widest + 0.08, axes.get_position().width * width
    more = (high - low if high - low > SEEN else 1.0) * room / max(across - 2 * room, 1.0)
    axes.set_xlim(low - more, high + more)
    return sheet.picture(part)


def _value(value: float, unit: str) -> str:
    """Return a parameter's value with its unit: "64 %", "11 months", "1.3"."""
    if unit == "probability":
        return f"{rounding.number(value, unit)} %"
    number = "<0.01" if 0 < value < 0.01 else f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"
    words = "" if unit == "number" else f" {unit.removesuffix('s') if number == '1' else unit}"
    return f"{number}{words}"


def _name_end(axes: Axes, row: int, at: float, words: str, *, right: bool, size: float) -> None:
    """Write the parameter's value next to the end of its bar."""
    axes.annotate(
        words, (at, -row), xytext=(3 if right else -3, 0), textcoords="offset points", ha="left" if right else "right",
        va="center", fontsize=size, color=style.QUIET,
    )  # fmt: skip


def _prcc(analysis: Sensitivity, part: str, cohort: Cohort | None, *, width: float = style.WIDTH) -> Picture:
    table = displayed(analysis, part, width)
    note = "Correlations of ranks, with all other numbers held but those of the same choice."
    scale = f"Partial rank correlation with: {measured(analysis.question)}"
    drawn = "Circles: partial rank correlations over the parameter sets, with 95 % intervals."
    sheet, axes = chart(analysis, part, table, cohort, drawn, note, scale, width=width)
    for place, row in enumerate(table.to_dict("records")):
        row_chart.point(axes, place, row["prcc"], row["lower"], row["upper"])
    axes.set_xlim(-1.05, 1.05)
    row_chart.zero_line(axes, 0.0)
    return sheet.picture(part)


def _sobol(analysis: Sensitivity, part: str, cohort: Cohort | None, *, width: float = style.WIDTH) -> Picture:
    table = displayed(analysis, part, width)
    note = "Sobol indices. Inputs are assumed independent; the shares of a choice are one input."
    scale = f"Share of the variance (%): {measured(analysis.question)}"
    key = [marker_sample(words, mark, colour, face) for words, _, mark, colour, face in SOBOL.values()]
    noise = sensitivity_titles.noisy_shares(analysis, table)
    drawn = f"Marks: shares of the variance that each number explains, with 95 % intervals.{noise}"
    sheet, axes = chart(analysis, part, table, cohort, drawn, note, scale, width=width, key=key)
    for place, row in enumerate(table.to_dict("records")):
        for name, (_, lift, mark, colour, face) in SOBOL.items():
            at, low, high = (100 * min(max(row[f"{name}{end}"], 0.0), 1.0) for end in ("", "_lower", "_upper"))
            lifted = place - lift * row_chart.rows_an_inch(axes)
            row_chart.point(axes, lifted, at, low, high, mark, colour, face)
    axes.set_xlim(-2, 102)
    row_chart.zero_line(axes, 0.0)
    return sheet.picture(part)


def _evppi(analysis: Sensitivity, part: str, cohort: Cohort | None, *, width: float = style.WIDTH) -> Picture:
    table, decision = displayed(analysis, part, width), analysis.question.decision
    assert decision is not None
    by, _ = words_and_unit(decision.outcome, analysis.question.scenario.pathway)
    counted = f"{costs(analysis.question)}{' (an assumption)' if decision.costs else ''}"
    drawn = (
        "Bars: what it is worth to know a number before choosing, with 95 % intervals of the estimation error. Options "
        f"are compared by one number: {by}, {counted}."
    )
    note = "Knowing one number also informs those correlated with it."
    scale = f"Value of knowing the number before choosing, {decision.unit}s per 100 patients"
    sheet, axes = chart(analysis, part, table, cohort, drawn, note, scale, width=width)
    upper, half = table["value"] + 1.96 * table["standard_error"], row_chart.half_bar(axes)
    for place, row in enumerate(table.to_dict("records")):
        colour = style.BLACK if place == 0 else style.BLUE
        axes.barh(-place, row["value"], height=2 * half, color=style.shade(colour, 1.5), zorder=2)
        error = 1.96 * row["standard_error"]
        row_chart.whisker(axes, place, max(row["value"] - error, 0.0), row["value"] + error, colour)
    axes.set_xlim(0, max(decision.worth, 1.08 * float(upper.max())))
    return sheet.picture(part)
