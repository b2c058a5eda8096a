"""Small multiples of survival curves: a panel a group of patients, or a panel a policy with the first scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.evidence.cohort import Cohort
from simulator.figures import style, text
from simulator.figures.style import Line
from simulator.figures.survival import curve, survival
from simulator.figures.survival.curve import Curve
from simulator.pathway.outcome_months import UNDECLARED, OutcomeMonths, in_words
from simulator.pathway.pathway import Pathway

PLOT = 1.85
"""Inches from 0 to 100 %, of each panel."""

TITLE, LINE, NOTE, FOOT, LEFT, GAP, WIDEST = 0.3, 0.155, 0.16, 0.5, 0.62, 0.28, 3.2


@dataclass(frozen=True)
class Panel:
    """A title, a line below it, curves, and reported figures (see Cohort.reported_survival).

    across, up : labels of the axes, if not months since the figure's clock, and patients alive
    """

    title: str
    note: str
    curves: Sequence[Curve]
    reported: pd.DataFrame
    across: str = ""
    up: str = "Patients alive (%)"


def by_group(frame: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None) -> Figure:
    """Return a figure with a panel for each of the pathway's groups, a curve a scenario.

    frame : the run's survival table.
    """
    caution = (
        "Groups are formed by later events, so their curves do not show the effect of a treatment: patients in a group "
        "had to survive until then (guarantee time), and to be selected."
    )
    panels = [_group_panel(frame, name, label, clock, cohort) for name, label in _groups(pathway)]
    caution = " ".join([caution, *text.explained(pathway.abbreviations, (panel.title for panel in panels))])
    title, names, end = f"Overall survival from {clock}, by group", curve.scenarios_in(frame), pathway.months.of_panels
    return draw(title, panels, names, clock, cohort, caution, end=end)


def by_policy(
    frame: pd.DataFrame, *, clock: str, cohort: Cohort | None = None, months: OutcomeMonths = UNDECLARED
) -> Figure:
    """Return a figure with a panel for each policy and the first scenario; every policy has the same line."""
    names = curve.scenarios_in(frame)
    policies: dict[str, list[str]] = {}
    for name in names[1:]:
        policies.setdefault(style.family(name), []).append(name)
    roles = [names[0], *dict.fromkeys(_role(name) for name in names[1:])]
    reported = _reported(cohort, "all", clock)
    panels = []
    for policy, ends in policies.items():
        curves = curve.select(frame, clock, "all", [names[0], *ends])
        displayed = [curves[0], *(replace(curve, scenario=_role(curve.scenario)) for curve in curves[1:])]
        panels.append(Panel(policy, "", displayed, reported))
    title = f"Overall survival from {clock}, policy by policy"
    return draw(title, panels, roles, clock, cohort, "", end=months.of_panels)


def _role(name: str) -> str:
    return f"policy{name[len(style.family(name)) :]}"


def by_group_alt_text(frame: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None) -> str:
    """Return the figure of `by_group` in words with numbers."""
    sentences = [f"Overall survival by group, months since {clock}."]
    for name, label in _groups(pathway):
        panel = _group_panel(frame, name, label, clock, cohort)
        reported = [f"reported {value:g} % at {month:g}" for month, value in _points(panel.reported)]
        sentences.append(f"{label}: {'; '.join([*_alive(panel.curves, pathway.months), *reported])}.")
    return " ".join(sentences)


def by_policy_alt_text(frame: pd.DataFrame, *, clock: str, months: OutcomeMonths = UNDECLARED) -> str:
    """Return the figure of `by_policy` in words with numbers."""
    curves = curve.select(frame, clock, "all")
    alive = "; ".join(_alive(curves, months))
    return f"Overall survival of each policy next to {curves[0].scenario}, from {clock}: {alive}."


def _alive(curves: Sequence[Curve], months: OutcomeMonths) -> list[str]:
    """Return the survival at the answer's month, or at the horizon if that is earlier."""
    clauses = []
    for policy in curves:
        if policy.is_empty:
            clauses.append(f"{policy.scenario} has no patients")
        else:
            month = min(months.answer, float(policy.months[-1]))
            clauses.append(f"{policy.scenario} {policy.in_words(month)} alive at {in_words(month)}")
    return clauses


def _points(reported: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(reported["month"], reported["value"], strict=True)) if len(reported) else []


def _groups(pathway: Pathway) -> list[tuple[str, str]]:
    return [(name, group.label) for name, group in pathway.groups.items()]


def _reported(cohort: Cohort | None, population: str, clock: str) -> pd.DataFrame:
    return pd.DataFrame() if cohort is None else cohort.reported_survival(population, clock)


def _group_panel(frame: pd.DataFrame, name: str, label: str, clock: str, cohort: Cohort | None) -> Panel:
    reported = _reported(cohort, name, clock)
    note = "; ".join(_point_in_words(row) for row in reported.itertuples())
    return Panel(label, f"reported: {note}" if note else "", curve.select(frame, clock, name), reported)


def _point_in_words(row: object) -> str:
    month, value, error = (float(getattr(row, column)) for column in ("month", "value", "standard_error"))
    deviation = f" ± {error:g}" if error == error else ""
    return f"{value:g}{deviation} % at {month:g} ({row.count:g} of {row.n:g})"  # type: ignore[attr-defined]


def draw(
    title: str,
    panels: Sequence[Panel],
    names: Sequence[str],
    clock: str,
    cohort: Cohort | None,
    caution: str,
    *,
    end: float,
    across: int = 4,
) -> Figure:
    """Return a figure of panels, `across` in a row, with one key of names; clock : the start of the months.

    end : the last month of the panels at most: later survival hardly changes
    """
    with style.applied():
        across = min(across, len(panels))
        down = -(-len(panels) // across)
        footing = _footing(panels, names, cohort, caution)
        rows = _key_rows(names)
        width = min(WIDEST, (style.WIDTH - LEFT - style.MARGIN - GAP * (across - 1)) / across)
        titles = [_title(panel, width) for panel in panels]
        top = TITLE + LINE * max(title.count("\n") for title in titles)
        top += NOTE if any(panel.note for panel in panels) else 0.0
        head = 0.45 + 0.22 * len(rows)
        foot = text.footing_height(footing) + 0.05
        figure = style.canvas(style.WIDTH, head + down * (top + PLOT + FOOT) + foot)
        text.heading(figure, title)
        text.footing(figure, footing)
        lines = style.lines(names)
        up = figure.get_size_inches()[1]
        _write_key(style.sheet(figure), up - 0.52, rows, lines)
        for place, panel in enumerate(panels):
            row, column = divmod(place, across)
            bottom = up - head - (row + 1) * (top + PLOT + FOOT) + FOOT
            axes = style.axes(figure, LEFT + column * (width + GAP), bottom, width, PLOT)
            _fill(axes, panel, lines, width, clock, cohort, end)
            if column:
                axes.set_ylabel("")
                axes.tick_params(axis="y", labelleft=False)
    return figure


def _footing(panels: Sequence[Panel], names: Sequence[str], cohort: Cohort | None, caution: str) -> str:
    sentences = []
    if any(curve.has_band for panel in panels for curve in panel.curves):
        crowded = any(len(panel.curves) > survival.MOST_BANDS for panel in panels)
        banded = f" (of {names[0]} only)" if crowded else ""
        sentences.append(f"Bands: 95 % interval over the parameter sets{banded}.")
    if any(len(panel.reported) for panel in panels):
        sentences.append("Circles: reported, ± one standard error.")
    sentences += [*survival.benefits_in_words(names), caution, survival.source_in_words(cohort)]
    return " ".join(sentence for sentence in sentences if sentence)


def _fill(
    axes: Axes, panel: Panel, lines: dict[str, Line], width: float, clock: str, cohort: Cohort | None, end: float
) -> None:
    end = min(end, max((float(curve.months[-1]) for curve in panel.curves), default=end))
    follow_up = cohort.follow_up if cohort is not None and cohort.clock == clock else None
    curve.percent_axis(axes, label=panel.up)
    axes.set_xlim(0, end)
    axes.set_xticks(curve.month_ticks(end, 4))
    axes.set_xlabel(panel.across or f"Months since {clock}")
    for place, drawn in enumerate(panel.curves):
        banded = survival.has_band(panel.curves, place)
        curve.plot(axes, drawn, lines[drawn.scenario], follow_up=follow_up, end=end, band=0.13 if banded else 0.0)
    curve.mark_follow_up(axes, follow_up, end)
    if len(panel.reported):
        curve.plot_reported(axes, panel.reported, end=end)
    empty = [curve.scenario for curve in panel.curves if curve.is_empty]
    if empty:
        words = "\n".join(text.wrap(f"no patients under {', '.join(empty)}", 0.8 * width, style.SMALL))
        axes.text(0.97 * end, 97, words, ha="right", va="top", fontsize=style.SMALL, color=style.QUIET)
    _write_title(axes, panel, width)


def _write_title(axes: Axes, panel: Panel, width: float) -> None:
    """Write a panel's title above it, and its note between, in a line."""
    note = "".join(text.wrap(panel.note, width, style.SMALL)[:1])
    title = _title(panel, width)
    low, high = 1 + 0.08 / PLOT, 1 + 0.23 / PLOT
    axes.text(0, low, note, transform=axes.transAxes, fontsize=style.SMALL, color=style.QUIET, va="bottom")
    axes.text(0, high if note else low, title, transform=axes.transAxes, fontweight="bold", va="bottom")


def _title(panel: Panel, width: float) -> str:
    if " " in panel.title:
        return "\n".join(text.wrap(panel.title, width, style.TEXT, "bold"))
    return text.broken_name(panel.title, width)


def _key_rows(names: Sequence[str]) -> list[list[str]]:
    """Return the names in rows that fit the width."""
    rows: list[list[str]] = [[]]
    used = 0.0
    for name in names:
        needed = 0.66 + text.width(name, style.TEXT, "bold")
        if rows[-1] and used + needed > style.WIDTH - 2 * style.MARGIN:
            rows.append([])
            used = 0.0
        rows[-1].append(name)
        used += needed
    return rows


def _write_key(sheet: Axes, top: float, rows: Sequence[Sequence[str]], lines: dict[str, Line]) -> None:
    """Write a sample of each line with its scenario's name."""
    for place, names in enumerate(rows):
        x, y = style.MARGIN, top - 0.22 * place
        for name in names:
            style.sample(sheet, x, y, lines[name])
            sheet.text(x + 0.36, y, name, va="center", color=lines[name].dark, fontweight="bold")
            x += 0.66 + text.width(name, style.TEXT, "bold")
