"""One scenario's survival curve with its band, drawn lighter and dashed where the cohort's follow-up thins and ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.arrays import Floats
from simulator.figures import style
from simulator.figures.style import Line
from simulator.wording import rounding

FollowUp = tuple[float, float] | None
"""Months between which the cohort's follow-up ends; None if it is not declared."""


@dataclass(frozen=True)
class Curve:
    """S(t) of one scenario: months, survival, lower, upper : (n_months,), as probabilities; NaN without patients."""

    scenario: str
    months: Floats
    survival: Floats
    lower: Floats
    upper: Floats

    @property
    def is_empty(self) -> bool:
        return not np.isfinite(self.survival).any()

    @property
    def has_band(self) -> bool:
        return bool(np.any(self.upper > self.lower))

    def at(self, month: float) -> tuple[float, float, float]:
        """Return survival, lower, upper at a month, interpolated."""
        columns = (self.survival, self.lower, self.upper)
        survival, lower, upper = (float(np.interp(month, self.months, column)) for column in columns)
        return survival, lower, upper

    def in_words(self, month: float) -> str:
        """Return "34 % (25 to 44)", the survival at a month."""
        alive, lower, upper = self.at(month)
        ends = rounding.interval(lower, upper, "probability", alive)
        interval = "" if ends is None else f" ({ends[0]} to {ends[1]})"
        return f"{rounding.number(alive, 'probability')} %{interval}"

    def between(self, start: float, end: float) -> Curve:
        """Return the part of the curve from one month to another, ends included."""
        inside = self.months[(self.months > start) & (self.months < end)]
        months = np.concatenate([[start], inside, [end]])
        parts = [np.interp(months, self.months, values) for values in (self.survival, self.lower, self.upper)]
        return Curve(self.scenario, months, *parts)


def select(survival: pd.DataFrame, clock: str, population: str, scenarios: Iterable[str] = ()) -> list[Curve]:
    """Return the curves of a population on a clock, in the order of the scenarios; all if none is named."""
    chosen = survival[(survival["clock"] == clock) & (survival["population"] == population)]
    curves = []
    for name in scenarios or scenarios_in(survival):
        rows = chosen[chosen["scenario"] == name].sort_values("month")
        if len(rows):
            columns = [rows[column].to_numpy(dtype=float) for column in ("month", "survival", "lower", "upper")]
            curves.append(Curve(name, *columns))
    return curves


def scenarios_in(frame: pd.DataFrame) -> list[str]:
    """Return the scenarios of a frame in their order."""
    return [str(name) for name in frame["scenario"].unique()]


def plot(axes: Axes, curve: Curve, line: Line, *, follow_up: FollowUp, end: float, band: float = 0.16) -> None:
    """Draw a curve up to `end`; `band` is the opacity of its interval (0: none)."""
    if curve.is_empty:
        return
    for start, stop, light, sparse in _segments(follow_up, min(end, float(curve.months[-1]))):
        # The curve of a landmark analysis begins at the landmark.
        part = curve.between(max(start, float(curve.months[0])), stop)
        colour = style.shade(line.colour, 1.45) if light else line.colour
        axes.plot(
            part.months,
            100 * part.survival,
            color=colour,
            linestyle=style.SPARSE if sparse else line.dash,
            linewidth=1.3 if light else 1.8,
            solid_capstyle="butt",
            dash_capstyle="butt",
            zorder=3,
        )
        if band and curve.has_band:
            opacity = band * (0.5 if light else 1.0) * (0.6 if sparse else 1.0)
            axes.fill_between(
                part.months, 100 * part.lower, 100 * part.upper, color=line.colour, alpha=opacity, linewidth=0, zorder=1
            )
            for edge in (part.lower, part.upper):
                axes.plot(part.months, 100 * edge, color=line.colour, alpha=min(1.0, 3 * opacity), lw=0.5, zorder=2)


def _segments(follow_up: FollowUp, end: float) -> list[tuple[float, float, bool, bool]]:
    """Return (start, stop, lighter, dashed) of the parts of a curve."""
    if follow_up is None:
        return [(0.0, end, False, False)]
    thins, ends = follow_up
    parts = [(0.0, thins, False, False), (thins, ends, True, False), (ends, end, True, True)]
    return [(start, min(stop, end), light, sparse) for start, stop, light, sparse in parts if start < end]


def mark_follow_up(axes: Axes, follow_up: FollowUp, end: float) -> None:
    """Mark the months when the cohort's follow-up begins to end and when it has ended."""
    for month in follow_up or ():
        if month < end:
            axes.axvline(month, color=style.FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)


def name_follow_up(axes: Axes, follow_up: FollowUp, end: float) -> None:
    """Write the meaning of each mark next to it."""
    for month, words in zip(follow_up or (), ("fewer\nfollowed", "none\nfollowed"), strict=False):
        if month < end:
            place = month + 0.012 * end
            axes.text(place, 99, f"from {month:g}:\n{words}", fontsize=style.SMALL, color=style.QUIET, va="top")


def plot_reported(axes: Axes, reported: pd.DataFrame, *, end: float) -> None:
    """Draw the cohort's printed figures with their standard errors; `reported` : see Cohort.reported_survival."""
    for row in reported[reported["month"] <= end].itertuples():
        error = float(row.standard_error)  # type: ignore[arg-type]
        axes.errorbar(
            float(row.month),  # type: ignore[arg-type]
            float(row.value),  # type: ignore[arg-type]
            yerr=None if np.isnan(error) else error,
            fmt="o",
            markersize=5.5,
            markerfacecolor="white",
            markeredgecolor=style.INK,
            markeredgewidth=1.3,
            ecolor=style.INK,
            elinewidth=1.1,
            capsize=2.5,
            clip_on=False,
            zorder=5,
        )


def percent_axis(axes: Axes, *, label: str = "Patients alive (%)") -> None:
    """Set 0 to 100 % upwards, with hairlines."""
    axes.set_ylim(0, 102)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_ylabel(label)
    axes.grid(axis="y", color=style.HAIR, linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)


def month_ticks(end: float, at_most: int) -> list[float]:
    """Return round months from 0 to `end`, not many more than `at_most`."""
    for step in (0.5, 1, 2, 3, 6, 12, 24, 36, 48, 60, 120, 240, 480):
        if end / step <= at_most - 1:
            break
    return [float(month) for month in np.arange(0, end + 1e-9, step)]
