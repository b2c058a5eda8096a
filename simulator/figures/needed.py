"""How many must benefit: the difference that a policy makes by the share of additional patients who benefit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sheet, title_panel
from simulator.figures.style import Line
from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import in_words
from simulator.wording import added, intervals
from simulator.wording.intervals import Row

NAME = "how_many_must_benefit"
PLOT, GAP, STRIP, BELOW, LEFT = 2.1, 0.28, 0.42, 0.5, 0.72
"""Inches of a panel, down to its strip of the benefit, of the strip, below it, and left of both."""

BAND, BINS = 0.16, 10
SHARE = f"Of {PER} additional patients, how many benefit"
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "by_other_cohorts": {"color": "#b5b5b5", "fill": True},
    "by_the_prior_alone": {"color": style.INK, "linestyle": (0, (2, 1.5)), "linewidth": 1.1},
}
"""Column of the table of benefit -> its look in the strip below a panel."""


@style.applied()
def picture(results: Results, *, cohort: Cohort | None = None, width: float = style.WIDTH) -> Picture | None:
    """Return the figure; None where no policy treats more, or earlier versions wrote the run. width : inches"""
    needed = {} if results.benefit is None else added.shares_needed(results.outcomes, results.manifest["margin"])
    by_policy = () if results.benefit is None else results.benefit.groupby("scenario", sort=False)
    tables = {str(name): rows for name, rows in by_policy if name in needed and rows["difference"].notna().all()}
    if not tables:
        return None
    margin, month = results.manifest["margin"], results.scenarios[0].pathway.months.answer
    statement = added.title_of_shares({name: needed[name] for name in tables}, margin, month)
    title = added.of_sets(statement, results.manifest["draws"])
    across = min(2, len(tables)) if width > style.COMPACT else 1
    above = 0.34 if len(tables) > 1 else 0.16
    known = [name for name in LOOKS if all(rows[name].notna().all() for rows in tables.values())]
    known = known if results.manifest["draws"] > 1 else []
    below = GAP + STRIP + BELOW if known else BELOW
    grid = Grid(len(tables), across, PLOT, above, below, LEFT, 0.75, widest=width, aside=0.2, sheet=width)
    footing = [notes.source_in_words(cohort)]
    subtitle = _subtitle(results, {name: needed[name] for name in tables})
    sheet = Sheet(title, subtitle, footing, grid.height, width=width)
    lines = style.lines([scenario.name for scenario in results.scenarios])
    first = results.scenarios[0]
    for axes, (name, rows) in zip(sheet.panels(grid, one_scale=False), tables.items(), strict=True):
        _difference(axes, rows, lines[name], needed[name], margin)
        compared = "if none benefited" if name == first.name else f"under {first.name}"
        label = f"More alive at {in_words(month)} than {compared}, of {PER}"
        axes.set_ylabel("\n".join(text.wrap(label, PLOT)))
        (_benefit(sheet, axes, rows, known) if known else axes).set_xlabel(SHARE)
        if len(tables) > 1:
            title_panel(axes, text.fitted(name, grid.width, style.TEXT, "bold"))
    return sheet.picture(NAME)


def _subtitle(results: Results, needed: Mapping[str, Row]) -> str:
    policy = next(iter(needed)) if len(needed) == 1 else "the policy"
    who = f"Additional patients are treated only under {policy}. "
    if results.manifest["draws"] == 1:
        return f"{who}Line: the difference. {intervals.unseen(1)}"
    over = intervals.sets(results.manifest["draws"])
    bar = " Black bar: 95 % interval of the share needed." if any(map(_interval, needed.values())) else ""
    return f"{who}Line and band: the difference and its 95 % interval over {over}.{bar}"


def _is_reached(needed: Row) -> bool:
    """Whether the share that must benefit is one."""
    return bool(0.0 <= needed["estimate"] <= 1.0)


def _interval(needed: Row) -> list[float]:
    """Return the ends of the interval of a share that is drawn, of 100, at most all; none without an interval."""
    ends = [min(max(PER * needed[end], 0.0), float(PER)) for end in ("lower", "upper")]
    return ends if _is_reached(needed) and math.isfinite(needed["lower"] + needed["upper"]) else []


def _difference(axes: Axes, rows: pd.DataFrame, line: Line, needed: Row, margin: float) -> None:
    """Draw the difference by share, with the margin and the share that reaches it."""
    columns = ("share", "difference", "difference_lower", "difference_upper")
    share, value, lower, upper = (PER * rows[name].to_numpy(dtype=float) for name in columns)
    if np.isfinite(lower).all():
        axes.fill_between(share, lower, upper, color=line.colour, alpha=BAND, linewidth=0, zorder=1)
    axes.plot(share, value, color=line.colour, linewidth=1.9, zorder=3)
    known = [end for end in (*value, *lower, *upper, 1.4 * margin, 0.0) if math.isfinite(end)]
    room = 0.04 * max(max(known) - min(known), 1.0)
    axes.set(xlim=(0, PER), ylim=(min(known) - (room if min(known) < -0.5 else 0.0), max(known) + room))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", zorder=0)
    axes.axhline(margin, color=style.INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=2)
    _name_margin(axes, margin, share, np.fmin(value, lower), np.fmax(value, upper), needed)
    if _is_reached(needed):
        estimate, ends = PER * needed["estimate"], _interval(needed)
        axes.plot(ends, [margin] * len(ends), color=style.INK, linewidth=3.6, solid_capstyle="butt", zorder=4)
        axes.plot(estimate, margin, "o", color=style.INK, markersize=7, zorder=5, clip_on=False)
        words = str(intervals.estimate(needed))
        axes.annotate(
            f"{words}\nmust benefit", (estimate, margin), (0.04, 0.95), "data", "axes fraction", weight="bold",
            va="top", arrowprops={"arrowstyle": "-", "color": style.INK, "linewidth": 0.8, "shrinkB": 4}, zorder=6,
        )  # fmt: skip


def _name_margin(
    axes: Axes, margin: float, share: Floats, lowest: Floats, highest: Floats, needed: Row
) -> None:  # fmt: skip
    """Write the margin at an end of its line, below or above, where neither the band nor the share needed is."""
    words = f"{margin:g} more"
    box, (low, high) = axes.get_position(), axes.get_ylim()
    across, up = axes.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    long, tall = PER * (text.width(words) + 0.06) / (box.width * across), 0.17 * (high - low) / (box.height * up)
    marks = [PER * needed["estimate"], *_interval(needed)] if _is_reached(needed) else [math.nan]
    places = [(begin, side) for side in (-1, 1) for begin in (PER - long, 0.0)]

    def is_free(begin: float, side: int) -> bool:
        inside, foot, top = np.linspace(begin, begin + long, 9), *sorted((margin, margin + side * tall))
        passes = (np.interp(inside, share, lowest) < top) & (np.interp(inside, share, highest) > foot)
        return not (passes.any() or (min(marks) < begin + long and max(marks) > begin))

    begin, side = next((place for place in places if is_free(*place)), places[0])
    axes.annotate(
        words, (begin + long if begin else 0.0, margin), (-2 if begin else 2, 3 * side), "data", "offset points",
        ha="right" if begin else "left", va="top" if side < 0 else "bottom", color=style.INK,
    )  # fmt: skip


def _benefit(sheet: Sheet, axes: Axes, rows: pd.DataFrame, known: Sequence[str]) -> Axes:
    """Draw below a panel how likely each share is, as other cohorts suggest and by the prior alone, if it is known."""
    axes.tick_params(axis="x", labelbottom=False)
    box, (across, up) = axes.get_position(), sheet.figure.get_size_inches()
    strip = sheet.axes(box.x0 * across, box.y0 * up - GAP - STRIP, box.width * across, STRIP)
    strip.set(xlim=(0, PER), yticks=[])
    strip.spines["left"].set_visible(False)
    steps = np.linspace(0, PER, BINS + 1)
    for name in known:
        below = rows[name].to_numpy(dtype=float)[:: (len(rows) - 1) // BINS]
        # Nobody is below the first share: who is at it belongs to the first step.
        strip.stairs(np.diff(below, prepend=0.0)[1:] + np.eye(BINS)[0] * below[0], steps, **LOOKS[name])
    strip.set_ylim(0, None)
    words = f"Grey: what other cohorts suggest{'; dashed: the prior alone' if len(known) > 1 else ''}"
    strip.annotate(words, (0, 1), (0, 3), "axes fraction", "offset points", color=style.QUIET, va="bottom")
    return strip
