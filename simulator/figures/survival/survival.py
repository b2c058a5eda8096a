"""Overall survival of every scenario with its band, the reported figures, and the numbers alive below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import HALO, Sheet
from simulator.figures.style import Line
from simulator.figures.survival import curve, risk_table
from simulator.figures.survival.curve import Curve, FollowUp
from simulator.pathway.outcome_months import UNDECLARED, OutcomeMonths, in_words
from simulator.wording import added, statements
from simulator.wording.headline import scenario_in_words

NAME_LINE = 0.155
"""Inches from one line of a name to the next."""

LEFT, GAP = 0.62, 0.35
"""Inches left of the first panel, and from the names to what is right of them."""

ABOVE, BESIDE, LONG, TALL = 0.11, 0.09, 0.36, 0.13
"""Inches from a curve up to its number at the answer's month, from that month to the number, and that it takes."""

NEARER = 0.45
"""Of the room between two curves, the part below a number: it is nearer to its own, the lower one."""


@dataclass(frozen=True)
class Size:
    """Inches of a line of a name and from 0 to 100 %; ticks of the first panel; whether the whole horizon is drawn."""

    name: float
    plot: float
    ticks: int
    whole: bool


WIDE, COMPACT = Size(2.2, 3.5, 9, whole=True), Size(1.3, 2.5, 5, whole=False)


@style.applied()
def picture(
    survival: pd.DataFrame,
    *,
    clock: str,
    cohort: Cohort | None = None,
    months: OutcomeMonths = UNDECLARED,
    name: str = "overall_survival",
    width: float = style.WIDTH,
) -> Picture:
    """Return the figure of all patients on one clock, a curve a scenario, at most six of them.

    survival : the run's survival table
    cohort : its reported figures, size and follow-up are drawn, on its own clock
    months : the pathway's; if the horizon is long, the early months get a panel: most deaths fall in them
    width : inches; a compact figure has the early months alone
    """
    size = WIDE if width >= style.WIDTH else COMPACT
    every = curve.select(survival, clock, "all")
    curves = curve.at_most_six(every)
    lines = style.lines(curve.scenarios_in(survival))
    horizon = float(survival["month"].max())
    reported = curve.within(curve.reported_survival(cohort, "all", clock), horizon)
    n = cohort.n if cohort is not None and curve.select(survival, cohort.clock, "all") else 100
    rows = risk_table.rows_of(curves, reported, n)

    names = {scenario: text.broken_name(scenario_in_words(scenario), size.name) for scenario, _ in rows}
    column = risk_table.AFTER + max(text.width(label, style.TEXT, "bold") for label in names.values())
    # If names would hide one another, the table below is the key.
    has_names = len(curves) * _most_lines(names) * NAME_LINE <= size.plot

    below = risk_table.height(list(names.values())) + 0.62
    of_cohort = cohort is not None and clock != cohort.clock and _all_start(survival, cohort)
    condition = f" of patients who later reach {cohort.clock}" if cohort is not None and of_cohort else ""
    title = _statement(every, clock, months)
    subtitle = _subtitle(f"Overall survival from {clock}{condition}.", curves, every, reported)
    footing = notes.foot(_footing(curves, cohort, clock, of_cohort=of_cohort), cohort, width)
    sheet = Sheet(title, subtitle, footing, below + size.plot + 0.14, width=width)
    followed = cohort.follow_up if cohort is not None and (of_cohort or clock == cohort.clock) else None
    panels = []
    place = LEFT
    for across, end, ticks, label in _panels(width - LEFT - column, horizon, clock, months.early, size):
        axes = sheet.axes(place, sheet.bottom + below, across, size.plot)
        curve.draw(axes, curves, lines, reported=reported, followed=followed, end=end, ticks=ticks, label=label)
        _name_follow_up(axes, None if of_cohort else followed, end, style.small(width))
        panels.append(axes)
        place += across + column + GAP
    for axes in panels[1:]:
        axes.set_ylabel("")
        axes.tick_params(axis="y", labelleft=False)
    heading = f"Alive, of {n} (expected)"
    risk_table.write(sheet, panels, sheet.bottom + below - 0.62, heading, rows, names, lines)
    lowest = _write_reported(panels[0], reported, curves, months.answer, style.small(width))
    _write_answer(panels[0], curves, lines, months.answer, lowest=lowest)
    if has_names:
        _write_names(panels[0], curves, names, lines)
    numbers = curve.numbers({drawn.label: drawn for drawn in every}, months.survival, clock)
    points = curve.reported_in_words(reported)
    return sheet.picture(name, numbers=replace(numbers, notes=[f"Reported: {points}."] if points else []))


def _panels(across: float, horizon: float, clock: str, early: float, size: Size) -> list[tuple[float, float, int, str]]:
    """Return width, last month, ticks and label: one panel; of a long horizon, one of the first months, one of all.

    across : inches for panels, and between them, right of the first months' names, GAP
    """
    first = f"Months since {clock}: the first {early:g}"
    if not size.whole:
        across -= style.MARGIN
        return [(across, min(early, horizon), size.ticks, first if horizon > early else f"Months since {clock}")]
    if horizon <= 2.0 * early:
        return [(across - style.MARGIN, horizon, size.ticks, f"Months since {clock}")]
    across -= 2.0 * GAP
    return [(0.62 * across, early, size.ticks, first), (0.38 * across, horizon, 6, f"The whole {in_words(horizon)}")]


def _statement(every: Sequence[Curve], clock: str, months: OutcomeMonths) -> str:
    """Return what the figure says: how many are alive at the answer's month."""
    known = [one for one in curve.drawn_as_curves(every) if not one.is_empty]
    month = curve.answers_month(known, months)
    coincide = len(known) > 1 and all(one.coincides(known[0]) for one in known)
    values = {one.scenario: one.estimate(month) for one in known}
    statement = statements.alive(values, f"{in_words(month)} after {clock}", coincide=coincide)
    return added.of_sets(statement, curve.fewest_draws(known))


def _subtitle(topic: str, curves: Sequence[Curve], every: Sequence[Curve], reported: pd.DataFrame) -> str:
    sentences = [topic, *curve.marks_in_words([curves], [reported]), *curve.left_out(every, curves)]
    return " ".join([*sentences, *notes.benefits_in_words([one.scenario for one in curves])])


def _per_cent(axes: Axes, inches: float) -> float:
    """Return the per cent upwards that take so many inches."""
    height: float = axes.get_position().height * axes.get_figure(root=True).get_figheight()  # type: ignore[union-attr]
    return 102.0 * inches / height


def _name_follow_up(axes: Axes, followed: FollowUp, end: float, small: float) -> None:
    """Write the meaning of each mark of follow-up next to it, or left of it at the end; the second lower if need be."""
    months_an_inch = end / curve.inches_across(axes)
    free = 0.0
    for month, patients in zip(followed or (), ("fewer", "none"), strict=False):
        if month >= end:
            continue
        words = f"from month\n{month:g}: {patients}\nfollowed"
        needed = (text.width(words, small) + 0.06) * months_an_inch
        start = month + 0.03 * months_an_inch if month + needed <= end else month - needed
        top = 99.0 if start >= free else 99.0 - _per_cent(axes, 3.4 * small * 1.2 / 72)
        axes.text(max(start, 0.0), top, words, fontsize=small, color=style.QUIET, va="top")
        free = start + needed


def _write_reported(axes: Axes, reported: pd.DataFrame, curves: Sequence[Curve], answer: float, small: float) -> float:
    """Write each reported figure low under its point, or right under it if a curve runs there; above a low point.

    Return the per cent above which numbers at the answer's month, or at the last, have room.
    """
    lowest, answer = 4.0, min(answer, axes.get_xlim()[1])
    for row in reported.to_dict("records"):
        month, value, error = row["month"], row["value"], row["standard_error"]
        if month > axes.get_xlim()[1]:
            continue
        known = not np.isnan(error)
        words = f"{row['count']:g} of {row['n']:g}\n{value:g}{f' ± {error:g}' if known and error else ''} %"
        low, high = (value - error, value + error) if known else (value, value)
        place, side = (12.5, "top") if low > 20 else (high + 2.5, "bottom")
        tall, long = _per_cent(axes, 2.5 * small / 72), text.width(words, small)
        if low > 20:
            place = next(
                (top for top in (place, low - 1.5) if not _passes(axes, curves, month, long, top - tall, top)), place
            )
        months_an_inch = axes.get_xlim()[1] / curve.inches_across(axes)
        if place == 12.5 and abs(month - answer) < long / 2 * months_an_inch:
            lowest = 17.0
        # The words of the last month end where the panel does.
        furthest = axes.get_xlim()[1] * (1 - text.width(words, small) / 2 / curve.inches_across(axes))
        across = min(month, furthest)
        written = axes.text(across, place, words, ha="center", va=side, fontsize=small, linespacing=1.25, zorder=6)
        written.set_path_effects([HALO])
        if low > 20 and place < low - 1.5:
            axes.plot([month, month], [13.5, low - 1.5], color=style.FAINT, linewidth=0.6, zorder=2)
    return lowest


def _passes(axes: Axes, curves: Sequence[Curve], month: float, inches: float, low: float, high: float) -> bool:
    """Return whether a curve passes a box around a month, between two per cents."""
    half = inches / 2 * axes.get_xlim()[1] / curve.inches_across(axes)
    known = [one for one in curves if not one.is_empty]
    at = (100 * one.at(near)[0] for one in known for near in np.linspace(month - half, month + half, 9))
    return any(low < value < high for value in at)


def _write_answer(
    axes: Axes, curves: Sequence[Curve], lines: Mapping[str, Line], answer: float, *, lowest: float
) -> None:
    """Write each curve's survival at the answer's month, or at the last, beside it; of curves that coincide, once."""
    end = axes.get_xlim()[1]
    month, line = min(answer, end), _per_cent(axes, NAME_LINE)
    named = [
        one for place, one in enumerate(curves)
        if not (one.is_empty or any(one.coincides(other) for other in curves[:place]))
    ]  # fmt: skip
    # Right of the month the falling curves are below a number, left of it above.
    is_last = month > end - (BESIDE + LONG) * end / curve.inches_across(axes)
    side, up = ("right", -1.0) if is_last else ("left", 1.0)
    values = [100 * one.at(month)[0] for one in named]
    across = month + up * BESIDE * end / curve.inches_across(axes)
    furthest = across + up * LONG * end / curve.inches_across(axes)
    near, inside, far = (
        [up * 100 * one.at(at)[0] for one in named] for at in (month, (across + furthest) / 2, furthest)
    )
    above, tall = _per_cent(axes, ABOVE), _per_cent(axes, TALL)
    wanted = [up * place for place in _beside(near, inside, far, above, tall, line)]
    for one, value, y in zip(named, values, text.label_places(wanted, line, lowest, 102.0), strict=True):
        look = lines[one.scenario]
        axes.plot(month, value, "o", color=look.colour, markersize=3.5, zorder=4)
        words = axes.text(across, y, f"{one.estimate(month).value} %", color=look.dark, ha=side, va="center", zorder=7)
        words.set(fontweight="bold", path_effects=[HALO])


def _beside(
    near: Sequence[float], inside: Sequence[float], far: Sequence[float], above: float, tall: float, line: float
) -> list[float]:
    """Return places of numbers above their curves, or on them where there is no room below the next curve.

    Of curves that are closer than a number is tall, the numbers form a stack above all of them.
    near, inside, far : a curve where its number begins, in its middle, and where it ends
    above, tall, line : from a curve at most, that a number takes, and from one to the next
    """
    stacks: list[list[int]] = []
    for at in np.argsort(near, kind="stable").tolist():
        below = stacks[-1] if stacks else []
        fits = not below or far[at] - near[below[-1]] >= tall + line * (len(below) - 1)
        if fits or (len(below) == 1 and inside[at] - inside[below[0]] >= tall):
            stacks.append([at])
        else:
            below.append(at)
    places = list(inside)
    for stack, following in zip(stacks, [*stacks[1:], []], strict=True):
        top, more = near[stack[-1]], line * (len(stack) - 1)
        room = far[following[0]] - top - more if following else np.inf
        if len(stack) > 1 or room >= tall:
            for up, at in enumerate(stack):
                places[at] = top + min(above, NEARER * room) + line * up
    return places


def _write_names(axes: Axes, curves: Sequence[Curve], names: Mapping[str, str], lines: Mapping[str, Line]) -> None:
    """Write each scenario's name at the end of its curve; names : scenario -> its name broken into lines."""
    end = axes.get_xlim()[1]
    named = [drawn for drawn in curves if not drawn.is_empty]
    wanted = [100 * drawn.at(min(end, float(drawn.months[-1])))[0] for drawn in named]
    block, months_an_inch = _per_cent(axes, _most_lines(names) * NAME_LINE), end / curve.inches_across(axes)
    places = text.label_places(wanted, block, block / 2, 102.0 - block / 2)
    for drawn, y, label_y in zip(named, wanted, places, strict=True):
        name, colour = names[drawn.scenario], lines[drawn.scenario].dark
        link = (end + months_an_inch * np.array([0.0, 0.07, 0.14]), [y, label_y, label_y])
        axes.plot(*link, color=style.FAINT, linewidth=0.6, clip_on=False)
        place = end + (risk_table.AFTER - 0.02) * months_an_inch
        axes.text(place, label_y, name, color=colour, fontweight="bold", va="center", linespacing=1.0)


def _most_lines(names: Mapping[str, str]) -> int:
    return max((name.count("\n") + 1 for name in names.values()), default=1)


def _all_start(survival: pd.DataFrame, cohort: Cohort) -> bool:
    """Return whether patients start the cohort's clock in every scenario."""
    drawn = curve.select(survival, cohort.clock, "all")
    return bool(drawn) and not any(one.is_empty for one in drawn)


def _footing(curves: Sequence[Curve], cohort: Cohort | None, clock: str, *, of_cohort: bool) -> list[str]:
    sentences = []
    empty = [drawn.label for drawn in curves if drawn.is_empty]
    if empty:
        sentences.append(f"No patient reaches {clock} under {', '.join(empty)}.")
    if cohort is None:
        values = "come from parameter sets" if any(drawn.has_band for drawn in curves) else "have their declared values"
        sentences.append(f"No cohort is shown; the parameters {values}.")
    elif cohort.follow_up is not None and (of_cohort or clock == cohort.clock):
        (thins, ends), last = cohort.follow_up, max(float(drawn.months[-1]) for drawn in curves)
        dashed = f"; dashed after month {ends:g}, when the last ends: an extrapolation" if ends < last else ""
        later = f" It is counted from {cohort.clock}, so that it ends later from {clock}." if of_cohort else ""
        if thins < last:
            sentences.append(f"Thin after month {thins:g}, when the first survivors' follow-up ends{dashed}.{later}")
    if of_cohort and cohort is not None:
        sentences.append(f"Every patient of the cohort reached {cohort.clock}.")
    return sentences
