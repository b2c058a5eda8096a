"""The choices of a pathway on a compact sheet: a row a decision or chance, with the branch that changes most.

A diagram of 28 states at 5 inches would have letters of 4 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import isnan

from simulator.evidence.cohort import Cohort
from simulator.figures import notes, row_chart, style
from simulator.figures.pathway.branches import Branches
from simulator.figures.pathway.layout import Arrow
from simulator.figures.picture import Picture
from simulator.figures.sheet import Sample, marker_sample
from simulator.outcomes.summaries import PER
from simulator.pathway.pathway import Pathway

MOST = 8
"""Rows."""


@style.applied()
def picture(
    name: str, title: str, pathway: Pathway, of: Branches, colour: str, *, cohort: Cohort | None, width: float
) -> Picture | None:
    """Return the figure; None where there is no choice. colour : of what a policy changes; width : inches"""
    arrows, label = rows(of), {state: declared.label for state, declared in pathway.states.items()}
    if not arrows:
        return None
    names = [row_chart.Row(f"{label[state]}: {label[to]}", of.in_words((state, to))) for state, to in arrows[:MOST]]
    rest = f"{MOST} of {len(arrows)} choices: the table has all" if len(arrows) > MOST else ""
    scale = f"Of {PER} patients who come to the choice, at mean parameters"
    subtitle = f"A row a decision or chance: its branch that {'changes' if of.moves_patients else 'is taken'} most."
    times = of.changed_times(label) if of.moves_patients else []
    later = f" Times change, too: {', '.join(times)}." if times else ""
    sheet, axes = row_chart.chart(
        title, subtitle + later, [notes.source_in_words(cohort)], names, scale, _key(of, colour), width=width, rest=rest
    )
    axes.set_xlim(-2, PER + 2)
    for place, arrow in enumerate(arrows[:MOST]):
        first, *others = (PER * share for share in of.shares[arrow])
        moved = [share for share in others if not isnan(share)] if arrow in of.changed else []
        if moved:
            known = [share for share in (first, *moved) if not isnan(share)]
            axes.plot([min(known), max(known)], [-place, -place], color=colour, linewidth=1.8, zorder=3)
            axes.plot(moved, [-place] * len(moved), "o", color=colour, markersize=6, zorder=4)
        axes.plot(first, -place, "o", color=style.INK, markerfacecolor="white", markersize=6, zorder=5)
    return sheet.picture(name)


def rows(of: Branches) -> list[Arrow]:
    """Return an arrow a choice that leaves open where patients go, those that a policy changes first."""

    def weight(arrow: Arrow) -> tuple[float, float]:
        known = [share for share in of.shares[arrow] if not isnan(share)]
        return round(max(known) - min(known), 9), max(known)

    choices = [list(arrows) for _, arrows in groupby(of.shares, key=lambda arrow: arrow[0])]
    most = [max(arrows, key=weight) for arrows in choices]
    return sorted((arrow for arrow in most if weight(arrow) != (0.0, 1.0)), key=lambda arrow: arrow not in of.changed)


def _key(of: Branches, colour: str) -> Sequence[Sample]:
    if not of.moves_patients:
        return ()
    first, *others = of.names
    samples = [marker_sample(f"under {first}", "o", style.INK, "white", 6)]
    words = others[0] if len(others) == 1 else "the policies"
    return [*samples, marker_sample(f"under {words}, if it differs", "o", colour, colour, 6)]
