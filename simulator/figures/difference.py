"""What policies add: a row a policy, or of one policy a month, with the paired difference and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.figures import notes, row_chart, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sample, Sheet, marker_sample
from simulator.figures.survival import curve
from simulator.figures.survival.curve import FollowUp
from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import in_words
from simulator.scenario.scenario import COHORTS
from simulator.wording import added, intervals
from simulator.wording.added import Added
from simulator.wording.difference import Difference
from simulator.wording.headline import CAUTIOUS, benefit_in_words

NAME = "what_the_policy_adds"
ROW, BELOW = 0.46, 0.56
"""Inches of a row, and of the scale below."""
SHADE = "#e9f0f5"


@style.applied()
def picture(
    results: Results, *, clock: str, cohort: Cohort | None = None, width: float = style.WIDTH
) -> Picture | None:
    """Return the figure; None where nothing is compared. clock : the start of the months; width : inches"""
    at_answer = added.at_answer(results.outcomes, results.scenarios, clock)
    if not at_answer:
        return None
    rows = at_answer if len(at_answer) > 1 else added.by_month(results.outcomes, results.scenarios, clock)
    title, margin, has_cautious = (
        added.of_sets(added.title(at_answer, results.scenarios[0].name), results.manifest["draws"]),
        results.manifest.get("margin"),
        any(r.other for r in rows),
    )
    key = _key(rows) if has_cautious else ()
    followed = curve.follow_up(cohort, clock)
    names = [_words(row, len(at_answer) > 1, followed, 0.3 * width - 2 * style.MARGIN - 0.14) for row in rows]
    left = 2 * style.MARGIN + 0.14 + max(text.width(line, style.TEXT, "bold") for name in names for line in name)
    numbers = max(text.width(_numbers(one), style.TEXT, "bold") for one in added.differences(rows))
    across = width - left - numbers - 2 * style.MARGIN
    label = text.wrap(_scale(results, rows), width - 2 * style.MARGIN - 0.5)
    below = BELOW + 0.16 * (len(label) - 1)
    footing = [notes.source_in_words(cohort)]
    body = ROW * len(rows) + below + 0.22
    sheet = Sheet(title, _subtitle(results, rows, margin), footing, body, key=key, width=width)
    axes = row_chart.rows_of(sheet, left, sheet.bottom + below, across, len(rows), ROW)
    _span(axes, rows, margin)
    lines = style.lines([scenario.name for scenario in results.scenarios])
    for place, row in enumerate(rows):
        middle = sheet.bottom + below + ROW * (len(rows) - place - 0.5)
        _name(sheet, names[place], middle, left - style.MARGIN - 0.14)
        _mark(axes, sheet, place, middle, row.difference, lines[row.scenario.name].colour, row.other is not None)
        if row.other is not None:
            _mark(axes, sheet, place, middle, row.other[1], "", True)
    # In the middle of the scale, or as near as the sheet has room for it.
    half = max(text.width(line) for line in label) / 2 + style.MARGIN
    centre = min(max(left + across / 2, half), width - half)
    sheet.page.text(centre, sheet.bottom + below - 0.3, "\n".join(label), ha="center", va="top", linespacing=1.3)
    return sheet.picture(NAME)


def _scale(results: Results, rows: Sequence[Added]) -> str:
    """Return the label of the scale."""
    when = f" {rows[0].when}" if len({row.month for row in rows}) == 1 else ""
    return f"More alive{when} than under {results.scenarios[0].name}, of {PER} {rows[0].patients}"


def _subtitle(results: Results, rows: Sequence[Added], margin: float | None) -> str:
    several = len({row.month for row in rows}) == 1
    drawn = f"Difference from {results.scenarios[0].name}, {'a row a policy' if several else 'a row a month'}. "
    uncertain = added.unseen(rows, results.manifest["draws"])
    if not uncertain:
        uncertain = _lines(added.differences(rows), results.manifest["draws"])
    return f"{drawn}{uncertain}{'' if margin is None else f' Shaded: {margin:g} more or better.'}"


def _lines(drawn: Sequence[Difference], draws: int) -> str:
    """Return what the lines are, where any is seen, and why others are missing."""
    if not any(one.interval for one in drawn):
        return "No lines: every parameter set has the same difference, as rounded."
    is_whole = all(math.isfinite(one.lower) for one in drawn)
    missing = "" if is_whole else " Where a line is missing, too few runs show it."
    return f"Lines: 95 % intervals of the paired difference, over {intervals.sets(draws)}.{missing}"


def _key(rows: Sequence[Added]) -> list[Sample]:
    other = next(row.other[0] for row in rows if row.other)
    words = "as other cohorts suggest" if other.marginal_benefit == COHORTS else "an assumption"
    cautious = f"{benefit_in_words(other.name)} ({words})"
    label = "optimistic estimate (same benefit as today's treated patients)" if CAUTIOUS in cautious else "as declared"
    return [marker_sample(label, "o", style.INK, style.INK, 6), marker_sample(cautious, "D", style.QUIET, "white", 5.5)]


def _span(axes: Axes, rows: Sequence[Added], margin: float | None) -> None:
    """Set the scale, with its start and the margin."""
    ends = [PER * end for difference in added.differences(rows) for end in difference[:3] if math.isfinite(end)]
    low, high = min(0.0, *ends), max(0.0, *ends, min(1.5 * (margin or 0.0), float(PER)))
    room = 0.05 * max(high - low, 1.0)
    axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    row_chart.zero_line(axes, 0.0)
    if margin is not None:
        axes.axvspan(margin, high + room, color=SHADE, linewidth=0, zorder=0)
        # The words begin at the margin, and end with the panel if they would leave the sheet.
        words, figure = f"{margin:g} more or better", axes.get_figure(root=True)
        place = figure.dpi_scale_trans.inverted().transform(axes.transData.transform((margin, 0.0)))[0]  # type: ignore[union-attr]
        begins = place + text.width(words) + style.MARGIN < figure.get_figwidth()  # type: ignore[union-attr]
        axes.annotate(
            words, (margin if begins else high + room, 1), (2, 3), ("data", "axes fraction"), "offset points",
            color=style.QUIET, va="bottom", ha="left" if begins else "right",
        )  # fmt: skip


def _words(row: Added, of_policies: bool, followed: FollowUp, room: float) -> tuple[str, str]:
    """Return a row's policy in words and its name, or its name alone if one of them would be cut.

    Of one policy, its month, and that the cohort was not all followed up to it.
    """
    if not of_policies:
        thins, ends = followed or (math.inf, math.inf)
        few = "none" if row.month > ends else "fewer" if row.month > thins else ""
        return in_words(row.month), few and f"{few} followed"
    name = row.scenario.name
    lines = text.in_two_lines(row.scenario.title or name, room, "bold")
    if row.scenario.title and text.CUT not in lines and text.width(name) <= room:
        return lines, name
    return text.in_two_lines(name, room, "bold"), ""


def _name(sheet: Sheet, words: tuple[str, str], middle: float, right: float) -> None:
    """Write a row's words up to a place at their right."""
    lines, name = words
    half = 0.075 if name else 0.0
    sheet.page.text(right, middle + half, lines, ha="right", va="center", weight="bold", linespacing=1.2)
    sheet.page.text(right, middle - half * (lines.count("\n") + 1), name, ha="right", va="center", color=style.QUIET)


def _mark(axes: Axes, sheet: Sheet, place: int, middle: float, difference: Difference, colour: str, pair: bool) -> None:
    """Draw a difference of a row, and write its numbers at the right; without a colour : at another benefit."""
    offset = (0.19 if colour else -0.19) if pair else 0.0
    value, lower, upper = (PER * end for end in difference[:3])
    row = place - offset
    mark, face, line = ("o", colour, colour) if colour else ("D", "white", style.QUIET)
    if math.isfinite(lower):
        axes.plot([lower, upper], [-row, -row], color=line, linewidth=2.4, solid_capstyle="butt", zorder=3)
    axes.plot(value, -row, mark, color=line, markerfacecolor=face, markersize=6.5 if colour else 5.5, zorder=4)
    ink, weight = (style.INK, "bold") if colour else (style.QUIET, "normal")
    across = axes.get_position().x1 * sheet.figure.get_figwidth() + style.MARGIN
    sheet.page.text(across, middle + ROW * offset, _numbers(difference), va="center", color=ink, weight=weight)


def _numbers(difference: Difference) -> str:
    return str(intervals.rounded(*difference[:3], "probability", sign="+"))
