"""Simulation-based calibration: each quantity's ranks against uniform ranks, and the coverage of intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.sheet import Grid, Sheet
from simulator.pathway.outcome_months import worded
from simulator.pathway.pathway import Pathway
from simulator.wording import calibration, reported

PLOT, ROW, NAMES = 0.78, 0.185, 2.5
"""Inches of a panel up, of a row of the coverage, and of the names of the quantities."""

MOST_COMPACT = 12
"""Panels of a compact figure: of the quantities that are furthest from uniform."""

LEVELS: Mapping[float, tuple[str, str]] = {
    0.5: (style.BLUE, "o"),
    0.8: (style.VERMILLION, "s"),
    0.95: (style.GREEN, "D"),
}

OUTCOMES = {"os": "OS at {months}", "rmst": "mean survival to {months}"}


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
    band = z, lower, upper
    return in_two_widths(partial(_picture, shares, band, verdict, note=note, cohort=cohort, pathway=pathway))


@style.applied()
def _picture(
    shares: Mapping[str, Floats],
    band: tuple[Floats, Floats, Floats],
    verdict: pd.DataFrame,
    *,
    note: str,
    cohort: Cohort,
    pathway: Pathway,
    width: float = style.WIDTH,
) -> Picture:
    is_narrow, (z, lower, upper) = width < style.WIDTH, band
    fits, every = int(verdict["fits"].iloc[0]), len(shares)
    height = 1.1 * max(np.abs(line - z).max() for line in (lower, upper, *shares.values()))
    chosen = _furthest(shares, z) if is_narrow else shares
    choice = f" Shown: the {len(chosen)} of {every} that are furthest from it." if len(chosen) < every else ""
    subtitle = (
        f"{fits} cohorts of {cohort.n}, simulated from the prior and fitted. Line: share of fits in which the true "
        f"value ranks below, minus the expected share; flat at 0 is right.{choice}"
    )
    size = {"left": 0.52, "gap": 0.1, "plot": PLOT, "sheet": width}
    grid = Grid(len(chosen), 3 if is_narrow else 7, above=0.4 if is_narrow else 0.36, below=0.1, **size)
    words = "Rank of the true value in the fitted posterior, 0 to 1"
    title, footing = calibration.ranks_title(verdict, names(shares, pathway)), _footing(note, chosen, cohort, pathway)
    sheet = Sheet(title, subtitle, footing, grid.height + 0.4, width=width)
    small = sheet.small if is_narrow else 7.0
    for place, (axes, (name, share)) in enumerate(zip(sheet.panels(grid), chosen.items(), strict=True)):
        _fill(axes, share, z, lower, upper, float(height), small)
        lines = text.wrap(label(name, pathway), grid.width, small)
        axes.set_title("\n".join(lines[:2]), fontsize=small, fontweight="normal", pad=3, linespacing=1.05)
        axes.tick_params(labelbottom=place + grid.columns >= len(chosen))
    sheet.page.text(width / 2, sheet.bottom + 0.05, words, ha="center")
    return sheet.picture("ranks")


def _furthest(shares: Mapping[str, Floats], z: Floats) -> dict[str, Floats]:
    """Return the quantities that are furthest from uniform, in their order."""
    far = sorted(shares, key=lambda name: -float(np.abs(shares[name] - z).max()))[:MOST_COMPACT]
    return {name: share for name, share in shares.items() if name in far}


def _fill(axes: Axes, share: Floats, z: Floats, lower: Floats, upper: Floats, height: float, small: float) -> None:
    axes.fill_between(z, lower - z, upper - z, facecolor=style.HAIR, linewidth=0, zorder=1)
    axes.axhline(0.0, color=style.FAINT, linewidth=0.6, zorder=2)
    is_outside = bool(np.any((share < lower - 1e-12) | (share > upper + 1e-12)))
    colour, line = (style.VERMILLION, (0.0, (6.0, 1.3))) if is_outside else (style.BLUE, "solid")
    axes.plot(z, share - z, color=colour, linestyle=line, linewidth=1.3, drawstyle="steps-mid", zorder=3)
    if is_outside:
        axes.text(
            0.97,
            0.95,
            "outside",
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=small,
            color=style.shade(colour, 0.65),
        )
    axes.set(xlim=(0, 1), ylim=(-height, height))
    # A tick's number takes an eighth of an inch.
    step = 0.1 * max(np.ceil(10 * 2 * height * 0.13 / PLOT), 1)
    axes.set_yticks([-step, 0, step], [f"\N{MINUS SIGN}{step:.2g}", "0", f"{step:.2g}"])
    axes.set_xticks([0, 0.5, 1], ["0", "", "1"])
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")


def coverage_picture(coverage: pd.DataFrame, *, note: str, cohort: Cohort, pathway: Pathway) -> Picture:
    """Return the coverage of central intervals, a row a quantity, over the range that chance allows."""
    return in_two_widths(partial(_coverage, coverage, note=note, cohort=cohort, pathway=pathway))


@style.applied()
def _coverage(
    coverage: pd.DataFrame, *, note: str, cohort: Cohort, pathway: Pathway, width: float = style.WIDTH
) -> Picture:
    quantities = list(dict.fromkeys(coverage["quantity"]))
    subtitle = (
        f"{int(coverage['fits'].iloc[0])} cohorts of {cohort.n}, simulated from the prior and fitted. Grey: the "
        "range by chance if the intervals are right."
    )
    title, footing = (
        calibration.coverage_title(coverage, names(quantities, pathway)),
        _footing(note, quantities, cohort, pathway),
    )
    height = ROW * len(quantities)
    sheet = Sheet(title, subtitle, footing, height + 0.8, width=width)
    axes = sheet.axes(NAMES, sheet.bottom + 0.45, width - NAMES - 0.3, height)
    places = -np.arange(len(quantities), dtype=float)
    for level, (colour, marker) in LEVELS.items():
        rows = coverage[coverage["level"] == level]
        lower, upper, share = (100.0 * rows[c].to_numpy(dtype=float) for c in ("lower", "upper", "share"))
        fits = rows["fits"].to_numpy(dtype=float)
        axes.barh(places, (upper - lower) / fits, left=lower / fits, height=0.8, color=style.HAIR, zorder=1)
        axes.plot(share, places, marker, color=colour, markersize=4, linestyle="none", zorder=3)
        axes.axvline(100 * level, color=colour, linewidth=0.7, linestyle=(0, (2, 2)), zorder=2)
        axes.text(100 * level, 1.0, f"{100 * level:g} %", color=style.shade(colour, 0.65), ha="center", va="bottom")
    axes.set(xlim=(30, 101), ylim=(places[-1] - 0.7, 0.7), xlabel="Intervals that cover the true value, % of fits")
    axes.set_xticks([40, 60, 80, 100])
    axes.set_yticks(places, [text.fitted(label(name, pathway), NAMES - 0.2, sheet.small) for name in quantities])
    axes.tick_params(axis="y", length=0, labelsize=sheet.small)
    return sheet.picture("coverage")


def names(quantities: Iterable[str], pathway: Pathway) -> dict[str, str]:
    """Return quantity -> its name in words."""
    return {quantity: label(quantity, pathway) for quantity in quantities}


def _footing(note: str, quantities: Iterable[str], cohort: Cohort, pathway: Pathway) -> list[str]:
    labels = [label(quantity, pathway) for quantity in quantities]
    return [note, *notes.explained(pathway.abbreviations, labels), notes.source_in_words(cohort)]


def label(quantity: str, pathway: Pathway) -> str:
    """Return a parameter's or an outcome's name in words, with the pathway's spelling of abbreviations."""
    if quantity == "log_likelihood":
        return "log likelihood of the cohort"
    if known := worded(quantity, OUTCOMES):
        return known
    return reported.parameter(quantity, pathway)
