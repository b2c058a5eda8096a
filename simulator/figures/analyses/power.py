"""The power of trials against their size: the mean over parameter sets, their own powers, and how many suffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.analyses.virtual_cohorts.power import USUAL, VirtualCohorts
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sheet
from simulator.figures.style import Line
from simulator.figures.survival import curve
from simulator.scenario.scenario import split_name
from simulator.wording import intervals, rounding, virtual_cohorts
from simulator.wording.headline import scenario_in_words

PLOT, LEFT, BELOW, ROW, CLOSE = 2.9, 0.65, 0.52, 0.2, 0.38
"""Inches of the axes up, left of them, of their scale, of a row of numbers below, and between names at the right."""

MOST_BANDS, BAND = 2, 0.25

CAUTIOUS = Line(style.QUIET, (0.0, (4.0, 1.6)))
"""Of a policy at another benefit than all."""


def picture(result: VirtualCohorts, power: pd.DataFrame, followed: str, *, width: float = style.WIDTH) -> Picture:
    """Return the figure. power : the table; followed : how long patients are followed up, a sentence"""
    every = list(dict.fromkeys(power["scenario"]))
    names = every[: curve.MOST_CURVES]
    footing = [
        f"Two arms of independent patients. {followed}", *notes.benefits_in_words(names),
        notes.source_in_words(result.cohort),
    ]  # fmt: skip
    has_shares = power["draws_with_power_80"].notna().any()
    body = PLOT + BELOW + 0.15 + (ROW * (len(names) + 1) + 0.1 if has_shares else 0.0)
    title = f"{virtual_cohorts.power_title(result, power)}{_noise(power)}"
    more = f" {len(every) - len(names)} more policies are in the table." if len(every) > len(names) else ""
    sheet = Sheet(title, _subtitle(result, power) + more, footing, body, width=width)
    room = 2.45 if width >= style.WIDTH else 1.5
    axes = sheet.axes(LEFT, sheet.top - PLOT - 0.15, width - LEFT - room - 0.25, PLOT)
    lines = {name: _line(name, result, names) for name in names}
    _fill(axes, power, lines)
    _names(sheet, axes, power, lines, room)
    if has_shares:
        _shares(sheet, axes, power, lines, room)
    return sheet.picture("power")


def _line(name: str, result: VirtualCohorts, names: Sequence[str]) -> Line:
    """Return a policy's own line; grey and dashed at another benefit, if it is drawn at its own, too."""
    policy, benefit = split_name(name)
    if benefit is not None and policy in names:
        return CAUTIOUS
    return style.lines([scenario.name for scenario in result.scenarios])[name]


def _noise(power: pd.DataFrame) -> str:
    """Return the Monte Carlo error that the first bar draws, where the title has no interval over parameter sets."""
    row = power[power["patients_an_arm"] == power["patients_an_arm"].min()].iloc[0]
    share, error = float(row["power"]), 1.96 * float(row["monte_carlo_se"])
    if rounding.interval(row["lower"], row["upper"], "probability", share):
        return ""
    low, high = max(share - error, 0.0), min(share + error, 1.0)
    return intervals.in_brackets(low, high, "probability", share, of=" of simulation noise")


def _subtitle(result: VirtualCohorts, power: pd.DataFrame) -> str:
    sentences = [
        f"How often the log-rank test (P < 0.05) distinguishes a policy from {result.scenarios[0].name}. Lines: the "
        "mean over the parameter sets, which is the assurance of a trial, not its power."
    ]
    if result.n_draws == 1:
        sentences = [sentences[0].partition(" Lines")[0], intervals.unseen(1)]
    else:
        hidden = ", where simulation noise does not hide it" if power["lower"].isna().any() else ""
        of_own = f"95 % of the own powers of {intervals.sets(result.n_draws)}"
        sentences.append(f"Bands: {of_own}{hidden}. Bars: Monte Carlo error (95 %).")
    return " ".join(sentences)


def _fill(axes: Axes, power: pd.DataFrame, lines: Mapping[str, Line]) -> None:
    curve.percent_axis(axes, label="Significant comparisons (%)")
    sizes = sorted(set(power["patients_an_arm"].tolist()))
    axes.set_xscale("log")
    axes.set(xticks=sizes, xticklabels=[f"{size:g}" for size in sizes], xlabel="Patients an arm")
    axes.set_xticks([], minor=True)
    axes.set_xlim(0.88 * sizes[0], 1.06 * sizes[-1])
    axes.axhline(100 * USUAL, color=style.INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    for place, (name, line) in enumerate(lines.items()):
        rows = power[power["scenario"] == name]
        columns = ("power", "lower", "upper", "monte_carlo_se")
        x = rows["patients_an_arm"].to_numpy(dtype=float)
        y, lower, upper, error = (100 * rows[column].to_numpy(dtype=float) for column in columns)
        mark, face = _marker(line)
        axes.errorbar(
            x, y, yerr=1.96 * np.nan_to_num(error), color=line.colour, linestyle=line.dash, linewidth=1.8, marker=mark,
            markerfacecolor=face, markersize=4.5, capsize=2, elinewidth=0.9, zorder=4 - place / 10,
        )  # fmt: skip
        if place < MOST_BANDS:
            known = np.isfinite(lower)
            look = {"hatch": "//", "edgecolor": style.FAINT} if line is CAUTIOUS else {"alpha": BAND}
            fill = "none" if line is CAUTIOUS else line.colour
            axes.fill_between(x, lower, upper, where=known, facecolor=fill, linewidth=0, zorder=1, **look)
            # Where the interval of a neighbour is hidden, no area reaches a size.
            axes.vlines(x[known], lower[known], upper[known], color=line.colour, linewidth=1.0, alpha=0.5, zorder=1)


def _names(sheet: Sheet, axes: Axes, power: pd.DataFrame, lines: Mapping[str, Line], room: float) -> None:
    """Write the names at the right ends of the lines, and that of the usual power."""
    ends = [100 * float(power.loc[power["scenario"] == name, "power"].iloc[-1]) for name in lines]
    marked = [*ends, 100 * USUAL]
    words = [text.broken_name(scenario_in_words(name), room) for name in lines]
    words.append(text.broken_title(f"{100 * USUAL:g} %: usual", room))
    gap = 102 * (CLOSE if any("\n" in name for name in words) else 0.18) / PLOT
    looks = [*(line.dark for line in lines.values()), style.QUIET]
    for name, place, colour in zip(words, text.label_places(marked, gap, 2.0, 100.0), looks, strict=True):
        axes.annotate(
            name, (1.0, place), (8, 0), ("axes fraction", "data"), "offset points", color=colour, weight="bold",
            va="center", annotation_clip=False, linespacing=1.15,
        )  # fmt: skip


def _shares(sheet: Sheet, axes: Axes, power: pd.DataFrame, lines: Mapping[str, Line], room: float) -> None:
    """Write below every size how many parameter sets have the usual power, a row a policy."""
    box, top = axes.get_position(), sheet.top - PLOT - 0.15 - BELOW
    across = sheet.width * np.array([box.x0, box.x1])
    low, high = np.log(axes.get_xlim())
    words = f"Of the parameter sets, % with a power of {100 * USUAL:g} % or more:"
    sheet.page.text(across[0], top - 0.5 * ROW, words, va="center", color=style.QUIET, fontsize=sheet.small)
    for place, (name, line) in enumerate(lines.items()):
        up = top - ROW * (place + 1.5)
        rows = power[power["scenario"] == name]
        for size, share in zip(rows["patients_an_arm"], rows["draws_with_power_80"], strict=True):
            at = across[0] + (np.log(size) - low) / (high - low) * (across[1] - across[0])
            number = rounding.number(float(share), "probability")
            sheet.page.text(at, up, number, ha="center", va="center", color=line.dark)
        mark, face = _marker(line)
        at = (across[0] - 0.3) / sheet.width, up / sheet.figure.get_figheight()
        sheet.page.plot(
            *at, mark, color=line.colour, markerfacecolor=face, markersize=4.5, transform=sheet.figure.transFigure
        )
        label = text.fitted(scenario_in_words(name), room, sheet.small, "bold")
        sheet.page.text(across[1] + 0.11, up, label, va="center", color=line.dark, fontsize=sheet.small, weight="bold")


def _marker(line: Line) -> tuple[str, str]:
    """Return the marker of a line, and its face."""
    return ("D", "white") if line is CAUTIOUS else ("o", line.colour)
