"""Small multiples of survival curves: a panel a group of patients, or a panel a policy beside what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.cohort import Cohort
from simulator.figures import curve, lettering, style, survival
from simulator.figures.curve import Curve
from simulator.figures.style import Line
from simulator.pathway import Pathway

MONTHS = 36.0
"""As far as the panels go: what follows hardly changes."""

PLOT = 1.85
"""Inches from 0 to 100 %, of each panel."""

TOP, FOOT, LEFT, GAP = 0.46, 0.5, 0.62, 0.28


@dataclass(frozen=True)
class Panel:
    """What one panel shows: a title, a line below it, curves, and reported figures (see Cohort.reported_survival)."""

    title: str
    note: str
    curves: Sequence[Curve]
    reported: pd.DataFrame


def by_group(frame: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None) -> Figure:
    """Return a figure with a panel for each of the pathway's groups, a curve a scenario.

    frame : the run's survival table.
    """
    caution = (
        "Groups are formed by what happened to the patients afterwards, so their curves are not effects of treatment: who "
        "was treated was fit for it, and who had a transplant had lived until then (guarantee time)."
    )
    panels = [_group_panel(frame, name, label, clock, cohort) for name, label in _groups(pathway)]
    return _draw(f"Overall survival from {clock}, by group", panels, curve.scenarios_in(frame), clock, cohort, caution)


def by_policy(frame: pd.DataFrame, *, clock: str, cohort: Cohort | None = None) -> Figure:
    """Return a figure with a panel for each policy, beside the first scenario."""
    names = curve.scenarios_in(frame)
    policies: dict[str, list[str]] = {}
    for name in names[1:]:
        policies.setdefault(style.family(name), []).append(name)
    reported = _reported(cohort, "all", clock)
    panels = [
        Panel(policy, f"beside {names[0]}", curve.select(frame, clock, "all", [names[0], *ends]), reported)
        for policy, ends in policies.items()
    ]
    return _draw(f"Overall survival from {clock}, policy by policy", panels, names, clock, cohort, "")


def by_group_alt_text(frame: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None) -> str:
    """Return what `by_group` says, in words with numbers."""
    said = [f"Overall survival by group, months since {clock}."]
    for name, label in _groups(pathway):
        panel = _group_panel(frame, name, label, clock, cohort)
        reported = [f"reported {value:g} % at {month:g}" for month, value in _points(panel.reported)]
        said.append(f"{label}: {'; '.join([*_at_twelve(panel.curves), *reported])}.")
    return " ".join(said)


def by_policy_alt_text(frame: pd.DataFrame, *, clock: str) -> str:
    """Return what `by_policy` says, in words with numbers."""
    curves = curve.select(frame, clock, "all")
    return f"Overall survival of each policy beside {curves[0].scenario}, from {clock}: {'; '.join(_at_twelve(curves))}."


def _at_twelve(curves: Sequence[Curve]) -> list[str]:
    said = []
    for each in curves:
        if each.is_empty:
            said.append(f"{each.scenario} has nobody")
        else:
            month = min(12.0, float(each.months[-1]))
            alive, lower, upper = (100 * part for part in each.at(month))
            interval = f" ({lower:.0f} to {upper:.0f})" if each.has_band else ""
            said.append(f"{each.scenario} {alive:.0f} %{interval} alive at {month:g} months")
    return said


def _points(reported: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(reported["month"], reported["value"], strict=True)) if len(reported) else []


def _groups(pathway: Pathway) -> list[tuple[str, str]]:
    return [(name, each.label) for name, each in pathway.groups.items()]


def _reported(cohort: Cohort | None, population: str, clock: str) -> pd.DataFrame:
    return pd.DataFrame() if cohort is None else cohort.reported_survival(population, clock)


def _group_panel(frame: pd.DataFrame, name: str, label: str, clock: str, cohort: Cohort | None) -> Panel:
    reported = _reported(cohort, name, clock)
    note = "; ".join(_point_in_words(row) for row in reported.itertuples())
    return Panel(label, f"reported: {note}" if note else "", curve.select(frame, clock, name), reported)


def _point_in_words(row: object) -> str:
    month, value, error = (float(getattr(row, each)) for each in ("month", "value", "standard_error"))
    spread = f" ± {error:g}" if error == error else ""
    return f"{value:g}{spread} % at {month:g} ({row.count:g} of {row.n:g})"  # type: ignore[attr-defined]


def _draw(
    title: str, panels: Sequence[Panel], names: Sequence[str], clock: str, cohort: Cohort | None, caution: str
) -> Figure:
    with style.applied():
        across = min(4, len(panels))
        down = -(-len(panels) // across)
        words = [*survival.ends_in_words(names), caution, survival.source_in_words(cohort) if cohort else ""]
        footing = " ".join(each for each in words if each)
        foot = lettering.footing_height(footing) + 0.05
        key = 0.3
        head = 0.42 + key
        figure = style.canvas(style.WIDTH, head + down * (TOP + PLOT + FOOT) + foot)
        lettering.heading(figure, title)
        lettering.footing(figure, footing)
        lines = style.lines(names)
        up = figure.get_size_inches()[1]
        _write_key(style.sheet(figure), up - 0.52, names, lines)
        width = (style.WIDTH - LEFT - style.MARGIN - GAP * (across - 1)) / across
        for place, panel in enumerate(panels):
            row, column = divmod(place, across)
            bottom = up - head - (row + 1) * (TOP + PLOT + FOOT) + FOOT
            axes = style.axes(figure, LEFT + column * (width + GAP), bottom, width, PLOT)
            _fill(axes, panel, lines, width, clock, cohort)
            if column:
                axes.set_ylabel("")
                axes.tick_params(axis="y", labelleft=False)
    return figure


def _fill(axes: Axes, panel: Panel, lines: dict[str, Line], width: float, clock: str, cohort: Cohort | None) -> None:
    longest = max((float(each.months[-1]) for each in panel.curves), default=MONTHS)
    end = min(MONTHS, longest)
    follow_up = cohort.follow_up if cohort is not None and cohort.clock == clock else None
    curve.percent_axis(axes)
    axes.set_xlim(0, end)
    axes.set_xticks(curve.month_ticks(end, 4))
    axes.set_xlabel(f"Months since {clock}")
    for each in panel.curves:
        curve.plot(axes, each, lines[each.scenario], follow_up=follow_up, end=end, band=0.13)
    curve.mark_follow_up(axes, follow_up, end, words=False)
    if len(panel.reported):
        curve.plot_reported(axes, panel.reported, end=end)
    nobody = [each.scenario for each in panel.curves if each.is_empty]
    if nobody:
        said = lettering.wrap(f"nobody under {', '.join(nobody)}", 0.8 * width, style.SMALL)
        axes.text(0.97 * end, 97, "\n".join(said), ha="right", va="top", fontsize=style.SMALL, color=style.QUIET)
    title = lettering.wrap(panel.title, width, style.TEXT, "bold")[0]
    axes.text(0, 1 + 0.23 / PLOT, title, transform=axes.transAxes, fontweight="bold", va="bottom")
    note = lettering.wrap(panel.note, width, style.SMALL)[:1]
    axes.text(
        0, 1 + 0.08 / PLOT, "".join(note), transform=axes.transAxes, fontsize=style.SMALL, color=style.QUIET, va="bottom"
    )


def _write_key(whole: Axes, y: float, names: Sequence[str], lines: dict[str, Line]) -> None:
    """Write a sample of each line with its scenario's name, in one row."""
    x = style.MARGIN
    for name in names:
        line = lines[name]
        whole.plot([x, x + 0.3], [y, y], color=line.colour, linestyle=line.dash, linewidth=1.8, dash_capstyle="butt")
        whole.text(x + 0.36, y, name, va="center", color=line.dark, fontweight="bold")
        x += 0.36 + lettering.width(name, style.TEXT, "bold") + 0.3
