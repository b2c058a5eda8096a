"""The choices of a pathway on a compact sheet: a row a decision or chance, with the branch that changes most.

A diagram of 28 states at 5 inches would have letters of 4 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, row_chart, style
from simulator.figures.pathway.branches import CHANGED, Branches
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sample, marker_sample
from simulator.outcomes.summaries import PER
from simulator.pathway.pathway import Pathway

MOST = 8
"""Rows."""


@style.applied()
def picture(
    name: str, title: str, pathway: Pathway, of: Branches, *, cohort: Cohort | None, width: float
) -> Picture | None:
    """Return the figure; None where there is no choice. width : inches"""
    arrows, label = of.leading, {state: pathway.states[state].label for state in pathway.in_order}
    if not arrows:
        return None
    names = [row_chart.Row(f"{label[state]}: {label[to]}", of.in_words((state, to))) for state, to in arrows[:MOST]]
    rest = f"{MOST} of {len(arrows)} choices: the table has all" if len(arrows) > MOST else ""
    scale = f"Of {PER} patients who come to the choice, at mean parameters"
    most = "changes most, or else is taken most" if of.moves_patients else "is taken most"
    subtitle = f"A row a decision or chance: its branch that {most}."
    times = of.changed_times(label) if of.moves_patients else []
    later = f" Times change, too: {', '.join(times)}." if times else ""
    sheet, axes = row_chart.chart(
        title, subtitle + later, [notes.source_in_words(cohort)], names, scale, _key(of), width=width, rest=rest
    )
    axes.set_xlim(-2, PER + 2)
    for place, arrow in enumerate(arrows[:MOST]):
        first, *others = (PER * share for share in of.shares[arrow])
        moved = [share for share in others if not isnan(share)] if arrow in of.changed else []
        if moved:
            known = [share for share in (first, *moved) if not isnan(share)]
            axes.plot([min(known), max(known)], [-place, -place], color=CHANGED, linewidth=1.8, zorder=3)
            axes.plot(moved, [-place] * len(moved), "o", color=CHANGED, markersize=6, zorder=4)
        axes.plot(first, -place, "o", color=style.INK, markerfacecolor="white", markersize=6, zorder=5)
    return sheet.picture(name)


def _key(of: Branches) -> Sequence[Sample]:
    if not of.moves_patients:
        return ()
    first, *others = of.names
    samples = [marker_sample(f"under {first}", "o", style.INK, "white", 6)]
    words = others[0] if len(others) == 1 else "the policies"
    return [*samples, marker_sample(f"under {words}, if it differs", "o", CHANGED, CHANGED, 6)]
