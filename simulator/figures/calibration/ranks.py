"""Simulation-based calibration: each quantity's ranks against uniform ranks, and the coverage of intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sheet
from simulator.pathway.outcome_months import worded
from simulator.pathway.pathway import Pathway
from simulator.wording import rounding

ROW, NAMES = 0.185, 2.5
"""Inches of a row of the coverage, and of the names of the quantities."""

PLOT, TICK = 0.78, 0.16
"""Inches of a panel of ranks, and between two numbers of its axis at least."""

LEVELS: Mapping[float, tuple[str, str]] = {
    0.5: (style.BLUE, "o"),
    0.8: (style.VERMILLION, "s"),
    0.95: (style.GREEN, "D"),
}

OUTCOMES = {"os": "OS at {months}", "rmst": "mean survival to {months}"}


@style.applied()
def picture(
    shares: Mapping[str, Floats],
    z: Floats,
    lower: Floats,
    upper: Floats,
    verdict: pd.DataFrame,
    *,
    note: str,
    cohort: Cohort,
    pathway: Pathway,
) -> Picture:
    """Return a panel a quantity: share of fits that rank the truth up to z, less z; and the band of uniform ranks.

    shares : quantity -> (n_points,); z, lower, upper : (n_points,) of the band; verdict : see `ecdf_bands.judged`
    """
    fits = int(verdict["fits"].iloc[0])
    subtitle = (
        f"{fits} cohorts of {cohort.n}, simulated from the prior and fitted. Line: share of fits in which the true "
        "value ranks below, minus the expected share; flat at 0 is right."
    )
    grid = Grid(len(shares), 7, plot=PLOT, above=0.36, below=0.1, left=0.52, gap=0.1)
    title, footing = "Does the calibration recover the true values?", _footing(note, shares, cohort, pathway)
    sheet = Sheet(title, subtitle, footing, grid.height + 0.4)
    height = max(np.abs(line - z).max() for line in (lower, upper, *shares.values()))
    for place, (axes, (name, share)) in enumerate(zip(sheet.panels(grid), shares.items(), strict=True)):
        _fill(axes, share, z, lower, upper, 1.1 * float(height))
        lines = text.wrap(label(name, pathway), grid.width, 7.0)
        axes.set_title("\n".join(lines[:2]), fontsize=7.0, fontweight="normal", pad=3, linespacing=1.05)
        axes.tick_params(labelbottom=place + grid.columns >= len(shares))
    words = "Rank of the true value in the fitted posterior, 0 to 1"
    sheet.page.text(style.WIDTH / 2, sheet.bottom + 0.05, words, ha="center")
    return sheet.picture("ranks", _in_words(verdict, pathway))


def _fill(axes: Axes, share: Floats, z: Floats, lower: Floats, upper: Floats, height: float) -> None:
    axes.fill_between(z, lower - z, upper - z, facecolor=style.HAIR, linewidth=0, zorder=1)
    axes.axhline(0.0, color=style.FAINT, linewidth=0.6, zorder=2)
    is_outside = bool(np.any((share < lower - 1e-12) | (share > upper + 1e-12)))
    colour, line = (style.VERMILLION, (0.0, (6.0, 1.3))) if is_outside else (style.BLUE, "solid")
    axes.plot(z, share - z, color=colour, linestyle=line, linewidth=1.3, drawstyle="steps-mid", zorder=3)
    if is_outside:
        look: dict[str, Any] = {"fontsize": style.SMALL, "color": style.shade(colour, 0.65)}
        axes.text(0.97, 0.95, "outside", transform=axes.transAxes, ha="right", va="top", **look)
    axes.set(xlim=(0, 1), ylim=(-height, height))
    tick = next((tick for tick in (0.1, 0.2, 0.5) if tick / (2 * height) * PLOT > TICK), 1.0)
    axes.set_yticks([-tick, 0, tick], [f"\N{MINUS SIGN}{tick:g}", "0", f"{tick:g}"])
    axes.set_xticks([0, 0.5, 1], ["0", "", "1"])
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")


@style.applied()
def coverage_picture(coverage: pd.DataFrame, *, note: str, cohort: Cohort, pathway: Pathway) -> Picture:
    """Return the coverage of central intervals, a row a quantity, over the range that chance allows."""
    names = list(dict.fromkeys(coverage["quantity"]))
    subtitle = (
        f"{int(coverage['fits'].iloc[0])} cohorts of {cohort.n}, simulated from the prior and fitted. Grey: the "
        "range by chance if the intervals are right."
    )
    title, footing = "How often does an interval cover the true value?", _footing(note, names, cohort, pathway)
    height = ROW * len(names)
    sheet = Sheet(title, subtitle, footing, height + 0.8)
    axes = sheet.axes(NAMES, sheet.bottom + 0.45, style.WIDTH - NAMES - 0.3, height)
    places = -np.arange(len(names), dtype=float)
    for level, (colour, marker) in LEVELS.items():
        rows = coverage[coverage["level"] == level]
        lower, upper, share = (100.0 * rows[c].to_numpy(dtype=float) for c in ("lower", "upper", "share"))
        fits = rows["fits"].to_numpy(dtype=float)
        axes.barh(places, (upper - lower) / fits, left=lower / fits, height=0.8, color=style.HAIR, zorder=1)
        axes.plot(share, places, marker, color=colour, markersize=4, linestyle="none", zorder=3)
        axes.axvline(100 * level, color=colour, linewidth=0.7, linestyle=(0, (2, 2)), zorder=2)
        axes.text(100 * level, 1.0, f"{100 * level:g} %", color=style.shade(colour, 0.75), ha="center", va="bottom")
    axes.set(xlim=(30, 101), ylim=(places[-1] - 0.7, 0.7), xlabel="Intervals that cover the true value, % of fits")
    axes.set_yticks(places, [label(name, pathway) for name in names])
    axes.tick_params(axis="y", length=0, labelsize=style.SMALL)
    return sheet.picture("coverage", _coverage_in_words(coverage, pathway))


def _footing(note: str, quantities: Iterable[str], cohort: Cohort, pathway: Pathway) -> list[str]:
    labels = [label(quantity, pathway) for quantity in quantities]
    return [note, *notes.explained(pathway.abbreviations, labels), notes.source_in_words(cohort)]


def label(quantity: str, pathway: Pathway) -> str:
    """Return a parameter's or an outcome's name in words, with the pathway's spelling of abbreviations."""
    if quantity == "log_likelihood":
        return "log likelihood of the cohort"
    if known := worded(quantity, OUTCOMES):
        return known
    words = quantity.replace("_", " ")
    for abbreviation in pathway.abbreviations:
        name = re.escape(abbreviation.replace("-", " ").replace("_", " "))
        words = re.sub(rf"\b{name}\b", abbreviation.replace("\\", r"\\"), words, flags=re.IGNORECASE)
    return words


def _in_words(verdict: pd.DataFrame, pathway: Pathway) -> str:
    fits, outside = int(verdict["fits"].iloc[0]), _outside(verdict, "uniform")
    worst = max(verdict.to_dict("records"), key=lambda row: abs(row["distance"]))
    return (
        f"Ranks of the true value in {fits} fits, a panel for each of {len(verdict)} quantities, with the band of "
        f"uniform ranks. {_outside_in_words(outside, pathway)} The furthest from uniform is "
        f"{label(worst['quantity'], pathway)}, {rounding.fixed(worst['distance'], 3, sign='+')}."
    )


def _coverage_in_words(coverage: pd.DataFrame, pathway: Pathway) -> str:
    ranges = [
        f"{100 * level:g} %: {100 * rows['share'].min():.0f} to {100 * rows['share'].max():.0f} % of fits"
        for level, rows in ((level, coverage[coverage["level"] == level]) for level in LEVELS)
    ]
    outside = _outside_in_words(_outside(coverage, "inside"), pathway)
    return f"How often central intervals cover the true value, by quantity. {'; '.join(ranges)}. {outside}"


def _outside(table: pd.DataFrame, column: str) -> list[str]:
    return list(dict.fromkeys(table.loc[table[column] == "no", "quantity"]))


def _outside_in_words(outside: Sequence[str], pathway: Pathway) -> str:
    return f"Outside: {', '.join(label(name, pathway) for name in outside)}." if outside else "None lies outside."
