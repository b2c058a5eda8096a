"""100 patients as dots, a panel a policy: alive under the first, the policy's extra (hatched: not certain), dead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.figures import notes, style, text
from simulator.figures.picture import Picture
from simulator.figures.sheet import Grid, Sample, Sheet, area
from simulator.figures.style import Line
from simulator.outcomes.summaries import PER
from simulator.pathway.outcome_months import in_words
from simulator.wording import added, intervals
from simulator.wording.added import Added

NAME = "of_100_patients"
COLUMNS, LINE = 20, 0.165
"""Dots in a row, and inches of a line of text."""

DEAD, MORE, FEWER = "#d4d4d4", "//////", "xxxxxx"


@style.applied()
def picture(
    results: Results, *, clock: str, cohort: Cohort | None = None, width: float = style.WIDTH
) -> Picture | None:
    """Return the figure; None where nothing is compared. clock : the start of the months; width : inches"""
    rows = added.at_answer(results.outcomes, results.scenarios, clock)
    if not rows:
        return None
    first = results.scenarios[0]
    title = added.of_sets(added.title_of_100(rows, first.name), results.manifest["draws"])
    lines = style.lines([scenario.name for scenario in results.scenarios])
    across = 1 if width < style.WIDTH else min(2, len(rows))
    room = (width - 2 * style.MARGIN - 0.3 * (across - 1)) / across
    plot = room * (PER / COLUMNS) / COLUMNS
    labels = [_label(row, room) for row in rows]
    above = 0.16 + LINE * max(len(label) for label in labels)
    grid = Grid(len(rows), across, plot, above, 0.12, style.MARGIN, 0.3, room, sheet=width)
    footing = [notes.source_in_words(cohort)]
    subtitle, key = _subtitle(results, rows, clock), _key(rows, first.name, lines)
    sheet = Sheet(title, subtitle, footing, grid.height, key=key, width=width)
    for axes, row, label in zip(sheet.panels(grid), rows, labels, strict=True):
        _dots(axes, row, lines[row.scenario.name].colour)
        for place, words in enumerate(label):
            axes.annotate(
                words, (0, 1), (0, 72 * LINE * (len(label) - place - 1) + 3), "axes fraction", "offset points",
                va="bottom", weight="normal" if place else "bold",
            )  # fmt: skip
    return sheet.picture(NAME)


def _subtitle(results: Results, rows: Sequence[Added], clock: str) -> str:
    draws = results.manifest["draws"]
    if not any(one.interval for one in added.differences(rows)):
        uncertain = added.unseen(rows, draws) or "Uncertainty is not shown."
    elif any(added.of_100(row)[1] for row in rows):
        uncertain = f"Hatched dots are not certain: see their interval over {intervals.sets(draws)}."
    else:
        uncertain = f"95 % intervals are over {intervals.sets(draws)}."
    return f"Each dot: one of {PER} patients, {in_words(rows[0].month)} after {clock}. {uncertain}"


def _label(row: Added, room: float) -> list[str]:
    """Return a panel's lines: the policy, its name and what it adds, also by the cautious estimate."""
    name = text.fitted(row.scenario.title or row.scenario.name, room, style.TEXT, "bold")
    adds = f"{row.scenario.name}: {row.difference}" if row.scenario.title else str(row.difference)
    lines = [name, *text.wrap(adds, room)]
    if row.other is not None:
        lines += text.wrap(f"{added.at_other_benefit(row)}", room)
    return lines


def _key(rows: Sequence[Added], first: str, lines: Mapping[str, Line]) -> list[Sample]:
    """Return the entries of the dots that there are. lines : scenario -> its line: of several, none is the key's"""
    looks: dict[str, dict[str, Any]] = {}
    before, changes = zip(*(added.of_100(row) for row in rows), strict=True)
    if max(before) > 0:
        looks[f"alive under {first}"] = {"facecolor": style.INK, "linewidth": 0}
    colours = [lines[row.scenario.name].colour for row, change in zip(rows, changes, strict=True) if change > 0]
    if colours:
        colour = colours[0] if len(colours) == 1 else style.QUIET
        looks["more alive under the policy"] = {"facecolor": "white", "edgecolor": colour, "hatch": MORE}
    if min(changes) < 0:
        looks["fewer alive under the policy"] = {"facecolor": "white", "edgecolor": style.INK, "hatch": FEWER}
    looks["dead"] = {"facecolor": DEAD, "linewidth": 0}
    return [Sample(words, area(0.2, 0.14, **look)) for words, look in looks.items()]


def _dots(axes: Axes, row: Added, colour: str) -> None:
    """Draw the patients in rows, from the upper left: alive, more or fewer alive, dead."""
    before, more = added.of_100(row)
    height = PER // COLUMNS
    axes.set(xlim=(-0.5, COLUMNS - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")
    axes.set_axis_off()
    across, up = zip(*(divmod(place, height) for place in range(PER)), strict=True)
    alive, changed = min(before, before + more), abs(more)
    size = (0.72 * 72 * axes.get_position().width * axes.figure.get_figwidth() / COLUMNS) ** 2  # type: ignore[union-attr]
    looks: tuple[tuple[int, int, dict[str, Any]], ...] = (
        (0, alive, {"facecolor": style.INK, "linewidth": 0}),
        (alive, alive + changed, {
            "facecolor": "white", "edgecolor": colour if more > 0 else style.INK, "hatch": MORE if more > 0 else FEWER,
            "linewidth": 0.9}),
        (alive + changed, PER, {"facecolor": DEAD, "linewidth": 0}),
    )  # fmt: skip
    for begin, end, look in looks:
        axes.scatter(across[begin:end], up[begin:end], size, **look)
