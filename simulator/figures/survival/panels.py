"""Small multiples of survival curves: a panel a group of patients, or a panel a policy with the first scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.axes import Axes

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sheet, line_sample, title_panel
from simulator.figures.style import Line
from simulator.figures.survival import curve
from simulator.figures.survival.curve import Curve
from simulator.pathway.outcome_months import UNDECLARED, OutcomeMonths, in_words
from simulator.pathway.pathway import Pathway
from simulator.wording import added, statements
from simulator.wording.added import Added
from simulator.wording.headline import scenario_in_words

BY_GROUP, BY_POLICY = "survival_by_group", "survival_by_policy"
CAUTION = (
    "Groups are formed by later events (guarantee time) and by selection: their curves show no treatment's effect."
)


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


def by_group(
    survival: pd.DataFrame, pathway: Pathway, *, clock: str, cohort: Cohort | None = None, width: float = style.WIDTH
) -> Picture:
    """Return a figure with a panel for each of the pathway's groups, of the first scenario alone.

    A policy changes who is in a group: next to one another, its curves would show that, not an effect.
    survival : the run's survival table; width : inches
    """
    first, *others = curve.scenarios_in(survival)
    alone = f"Of {scenario_in_words(first)} alone: under a policy, other patients are in a group."
    subtitle = [f"Overall survival from {clock}, by group.", *([alone] if others else []), CAUTION]
    panels, drawn = [], dict[str, Curve]()
    for name, group in pathway.groups.items():
        curves, reported = curve.select(survival, clock, name, [first]), curve.reported_survival(cohort, name, clock)
        note = curve.reported_in_words(reported)
        panels.append(Panel(group.label, f"reported: {note}" if note else "", curves, reported))
        drawn.update((group.label, one) for one in curves)
    month = curve.answers_month(drawn.values(), pathway.months)
    values = {label: one.estimate(month) for label, one in drawn.items() if not one.is_empty}
    statement = statements.alive_in_groups(values, f"{in_words(month)} after {clock}", first)
    title = added.of_sets(statement, curve.fewest_draws(drawn.values()))
    footing = notes.explained(pathway.abbreviations, (panel.title for panel in panels))
    lines, end = style.lines([first]), pathway.months.of_panels
    sheet = draw(title, panels, lines, clock, cohort, footing, end=end, subtitle=" ".join(subtitle), width=width)
    return sheet.picture(BY_GROUP, numbers=curve.numbers(drawn, pathway.months.survival, clock))


def by_policy(
    survival: pd.DataFrame, titles: Mapping[str, str], changes: Sequence[Added], *, clock: str,
    cohort: Cohort | None = None, months: OutcomeMonths = UNDECLARED, width: float = style.WIDTH,
) -> Picture:  # fmt: skip
    """Return a figure with a panel for each policy and the first scenario.

    titles : policy -> its title, if any; changes : what policies add, see `added.at_answer`
    """
    first, *others = curve.drawn_as_curves(curve.select(survival, clock, "all"))
    reported = curve.reported_survival(cohort, "all", clock)
    policies: dict[str, list[Curve]] = {}
    for policy in others:
        policies.setdefault(style.family(policy.scenario), [first]).append(policy)
    panels = [Panel(policy, titles.get(policy, ""), curves, reported) for policy, curves in policies.items()]
    lines = style.lines(curve.scenarios_in(survival))
    drawn = {one.scenario: lines[one.scenario] for one in (first, *others)}
    subtitle = f"Overall survival from {clock}, a panel a policy."
    sheet = draw(
        added.of_sets(statements.changes(changes), curve.fewest_draws([first, *others])),
        panels,
        drawn,
        clock,
        cohort,
        [],
        end=months.of_panels,
        subtitle=subtitle,
        width=width,
    )
    numbers = curve.numbers({one.label: one for one in (first, *others)}, months.survival, clock)
    return sheet.picture(BY_POLICY, numbers=numbers)


@style.applied()
def draw(
    title: str,
    panels: Sequence[Panel],
    lines: Mapping[str, Line],
    clock: str,
    cohort: Cohort | None,
    footing: Sequence[str],
    *,
    end: float,
    across: int = 4,
    subtitle: str = "",
    head: float = 0.0,
    width: float = style.WIDTH,
    **size: float,
) -> Sheet:
    """Return a sheet of panels, `across` in a row, with one key of names; clock : the start of the months.

    lines : scenario -> its line in the run, of every drawn one
    end : the last month of the panels at most: later survival hardly changes
    head : inches kept free above the panels; width : of the sheet, a compact one has two panels in a row
    size : of a panel, if not the usual (see Grid)
    """
    small = style.small(width)
    grid = Grid(len(panels), across if width >= style.WIDTH else 2, sheet=width, **size)
    titles = [text.broken_title(panel.title, grid.width) for panel in panels]
    wrapped = [text.in_two_lines(panel.note, grid.width, size=small).splitlines() for panel in panels]
    lines_of_notes = max(len(lines) for lines in wrapped)
    above = 0.3 + 0.155 * (max(title.count("\n") for title in titles) + lines_of_notes)
    grid = replace(grid, above=above)
    followed = curve.follow_up(cohort, clock)
    ends = [_last(panel, end) for panel in panels]
    circles = [curve.within(panel.reported, last) for panel, last in zip(panels, ends, strict=True)]
    marks = curve.marks_in_words([panel.curves for panel in panels], circles)
    marks += curve.thinning_in_words(followed, max(ends))
    words = " ".join(filter(None, [subtitle, *marks, *notes.benefits_in_words(list(lines))]))
    key = [line_sample(scenario_in_words(name), line) for name, line in lines.items()]
    foot = notes.foot(footing, cohort, width)
    sheet = Sheet(title, words, foot, head + grid.height, key=key, width=width)
    for axes, panel, last, broken, note in zip(
        sheet.panels(grid, head=head), panels, ends, titles, wrapped, strict=True
    ):
        label = panel.across or f"Months since {clock}"
        curve.draw(
            axes, panel.curves, lines, reported=panel.reported, followed=followed, end=last, ticks=4, label=label
        )
        axes.set_ylabel(panel.up)
        _name_empty(axes, panel.curves, last / 2, grid.width, small)
        title_panel(axes, broken, "\n".join([*note, *[" "] * (lines_of_notes - len(note))]))
    return sheet


def _last(panel: Panel, end: float) -> float:
    """Return the last month of a panel."""
    return min(end, max((float(drawn.months[-1]) for drawn in panel.curves), default=end))


def _name_empty(axes: Axes, curves: Sequence[Curve], month: float, width: float, small: float) -> None:
    """Name the scenarios without patients in a panel, at its foot if the others' curves are high in a month."""
    labels = [drawn.label for drawn in curves if drawn.is_empty]
    words = "\n".join(text.wrap(f"no patients under {', '.join(labels)}", 0.8 * width, small))
    are_high = any(drawn.at(month)[0] > 0.5 for drawn in curves if not drawn.is_empty)
    place, side = (0.04, "bottom") if are_high else (0.95, "top")
    if labels:
        note = axes.text(0.97, place, words, transform=axes.transAxes, ha="right", va=side)
        note.set(fontsize=small, color=style.QUIET, bbox={"facecolor": "white", "linewidth": 0, "pad": 1})
