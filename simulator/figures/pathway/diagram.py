"""The pathway as a diagram, drawn from its declaration: boxes by kind; solid arrows take time, dashed ones none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isnan

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path as Curve

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.pathway import branches, choices, exits
from simulator.figures.pathway.branches import CHANGED, Branches
from simulator.figures.pathway.layout import Arrow
from simulator.figures.pathway.plan import GAP, SIZE, Box, Plan, plan, points_of
from simulator.figures.picture import Picture
from simulator.figures.sheet import KEY_ROW, SAMPLE, Sample, Sheet, key_rows, line_sample
from simulator.figures.style import Dash, Line
from simulator.pathway.pathway import Pathway, State
from simulator.scenario.scenario import Scenario
from simulator.wording import statements

NAME = "pathway_diagram"

Places = Mapping[Arrow, tuple[float, float]]
"""Arrow -> the middle of its share, in inches."""

_HEAD = 0.075
KEY = 0.13
"""Inches between the diagram and its key."""

FITS = {style.WIDTH: 12.0, style.COMPACT: style.COMPACT}
"""Inches that boxes may take on a sheet of a width: on a page, their letters stay legible."""

THIN, BACK, BOLD = 0.9, 1.3, 1.8
"""Points of an arrow, of one that leads back, and of one that a policy changes."""


def picture(pathway: Pathway, scenarios: Sequence[Scenario] = (), *, cohort: Cohort | None = None) -> Picture:
    """Return the diagram of a pathway; the footing names the cohort that calibrates it.

    scenarios : of a run, whose shares stand on the arrows of choices, and which colour what they change
    Where the boxes do not fit on a sheet, a wide one is a list of the states; a compact one has the choices, or of a
    policy that changes times alone the states in which it does, or without any of them the list, too.
    """
    of_run = branches.of_run(scenarios, cohort) if scenarios else Branches()
    title, point = _title(pathway, of_run)
    footing = _footing(pathway, cohort)

    @style.applied()
    def drawn(width: float) -> Picture:
        chart, places = _placed(pathway, of_run, width)
        made = _drawn(chart, places, title, footing).picture(NAME) if chart.width <= FITS[width] else None
        if made is None and width < style.WIDTH and not of_run.times_alone:
            made = choices.picture(NAME, title, pathway, of_run, cohort=cohort, width=width)
        return made or _listed(pathway, of_run, title, footing, width)

    wide, numbers = drawn(style.WIDTH), exits.table(pathway, of_run)
    return replace(wide, point=point, numbers=numbers, narrow=lambda: drawn(style.COMPACT).figure)


def _placed(pathway: Pathway, of: Branches, width: float) -> tuple[Plan, Places]:
    """Return a plan, and the places of shares on arrows: the others stand in the boxes of their choices."""
    in_boxes: set[Arrow] = set()
    while True:
        chart = plan(pathway, of, width, in_boxes)
        places = _places(chart)
        without = {arrow for arrow, place in places.items() if place is None}
        if not without:
            return chart, {arrow: place for arrow, place in places.items() if place is not None}
        in_boxes |= without


def _drawn(chart: Plan, places: Places, title: str, footing: Sequence[str]) -> Sheet:
    """Return the sheet of the boxes and arrows of a plan, with their key below them."""
    key = key_rows(_key(chart), chart.width - 2 * style.MARGIN)
    below = KEY + KEY_ROW * len(key)
    brackets = "In brackets: the resource used." if chart.pathway.resources else ""
    below_all = ["Solid arrows take time, dashed arrows none.", brackets, *footing]
    where = "On arrows and in boxes" if chart.in_boxes else "On arrows"
    subtitle = _subtitle(chart.pathway, chart.branches, where)
    sheet = Sheet(title, subtitle, below_all, chart.height + below + 0.08, width=chart.width)
    drawing = sheet.drawing(sheet.bottom + below)
    for arrow in chart.layout.routes:
        _draw_arrow(drawing, chart, arrow)
    for name, box in chart.boxes.items():
        state = chart.pathway.states[name]
        if any(transition.to == name for transition in state.transitions):
            _draw_loop(drawing, box)
        _draw_box(drawing, state, box, faint=name not in chart.open, bold=name in chart.pathway.clocks.values())
    for arrow, place in places.items():
        _write_share(drawing, chart, arrow, place)
    for line, row in enumerate(reversed(key)):
        sheet.write_key(row, style.MARGIN, sheet.bottom + 0.05 + KEY_ROW * line)
    return sheet


def _listed(pathway: Pathway, of: Branches, title: str, footing: Sequence[str], width: float) -> Picture:
    """Return the states as a list; on a compact sheet, of a policy that changes times alone, those of these times."""
    entries = list(exits.entries(pathway, of))
    subtitle = _subtitle(pathway, of, "In brackets")
    if of.times_alone and width < style.WIDTH:
        entries = [entry for entry in entries if entry.is_changed]
        subtitle = f"The states in which {of.policy} changes a time; the table has all."
    key = [line_sample(f"changed by {of.policy}", Line(CHANGED, "solid"), BOLD)] if of.changed else []
    return exits.picture(NAME, title, subtitle, entries, key, footing, width=width)


def _title(pathway: Pathway, of: Branches) -> tuple[str, str]:
    """Return the statement of a diagram: the largest change of a share, or the first; and a sentence more."""
    labels = {name: pathway.states[name].label for name in pathway.in_order}
    final = sum(not state.transitions for state in pathway.states.values())
    states = statements.states(labels[pathway.start], len(pathway.states), final)
    if of.times_alone:
        return statements.times(of.policy, of.changed_times(labels)), f"{states}."
    if not of.leading:
        return states, f"{pathway.title}."
    state, after = of.leading[0]
    shares = zip(of.names, of.shares[state, after], strict=True)
    known = {name: share for name, share in shares if not isnan(share)}
    return statements.branches(labels[state], labels[after], known), f"{states}."


def _subtitle(pathway: Pathway, of: Branches, where: str) -> str:
    """Return the pathway's title, and what the numbers are. where : they stand, as "On arrows" """
    share = f"{where}: share of the patients who come to a decision or chance, at mean parameters{of.compared}."
    return f"{pathway.title}. {share if of.shares else ''}".strip()


def _footing(pathway: Pathway, cohort: Cohort | None) -> list[str]:
    states, resources = pathway.states, pathway.resources
    labels = [pathway.title, *(state.label for state in states.values()), *(use.label for use in resources.values())]
    return [
        *(f"Clock “{clock}” starts at {states[state].label}." for clock, state in pathway.clocks.items()),
        *notes.explained(pathway.abbreviations, labels),
        "Drawn from the pathway file.",
        f"{'' if cohort is None else 'Calibrated to '}{notes.source_in_words(cohort)}",
    ]


def _draw_arrow(drawing: Axes, chart: Plan, arrow: Arrow) -> None:
    back = arrow in chart.layout.returns
    points = points_of(chart, arrow)
    faint = arrow in chart.closed or arrow[0] not in chart.open
    changed = arrow in chart.branches.changed
    colour = CHANGED if changed else style.shade(style.PURPLE if back else style.QUIET, 1.5 if faint else 1.0)
    dash: Dash = (0.0, (3.0, 1.8)) if chart.pathway.states[arrow[0]].is_choice else "solid"
    x, y = points[-1]
    tail = y - _HEAD if back else y + _HEAD
    head = [(x, y), (x - 0.6 * _HEAD, tail), (x + 0.6 * _HEAD, tail)]
    width = BOLD if changed else BACK if back else THIN
    _draw_line(drawing, _smooth(points), head, colour, width, dash, zorder=1 if faint else 2)


def _places(chart: Plan) -> dict[Arrow, tuple[float, float] | None]:
    """Return the place of every share on its arrow, where it meets no box, share or other arrow; None without one."""
    corners = [(box.left, box.bottom, box.left + box.width, box.bottom + box.height) for box in chart.boxes.values()]
    taken = np.reshape(corners, (-1, 2, 2))
    along = {arrow: places_along(points_of(chart, arrow)) for arrow in chart.layout.routes}
    of, places = chart.branches, dict[Arrow, tuple[float, float] | None]()
    # The title's arrow is named first, and a change before what stays.
    for arrow in dict.fromkeys((*of.leading[:1], *sorted(of.shares, key=lambda arrow: arrow not in of.changed))):
        if arrow in chart.closed or arrow not in along or arrow in chart.in_boxes:
            continue
        size = np.array([text.width(of.in_words(arrow), chart.small, _weight(chart, arrow)) + 0.04, 0.12])
        lower = _inner_first(along[arrow]) - size / 2
        meets = ((lower[:, None] <= taken[:, 1]) & (taken[:, 0] <= lower[:, None] + size)).all(axis=2).any(axis=1)
        others = np.concatenate([np.zeros((0, 2)), *(points for other, points in along.items() if other != arrow)])
        free = (low for low in lower[~meets] if not ((low < others) & (others < low + size)).all(axis=1).any())
        low = next(free, None)
        places[arrow] = None
        if low is not None:
            taken = np.concatenate([taken, [(low, low + size)]])
            across, up = (low + size / 2).tolist()
            places[arrow] = across, up
    return places


def _write_share(drawing: Axes, chart: Plan, arrow: Arrow, place: tuple[float, float]) -> None:
    colour = style.shade(CHANGED, 0.65) if arrow in chart.branches.changed else style.INK
    drawing.text(
        *place, chart.branches.in_words(arrow), ha="center", va="center", zorder=6, fontsize=chart.small,
        weight=_weight(chart, arrow), color=colour, bbox={"facecolor": "white", "lw": 0, "pad": 0.3},
    )  # fmt: skip


def _weight(chart: Plan, arrow: Arrow) -> str:
    return "bold" if arrow in chart.branches.changed else "normal"


def places_along(points: Sequence[tuple[float, float]]) -> Floats:
    """Return places along an arrow : (n, 2), by the Bernstein form of its cubic pieces."""
    vertices = np.asarray(_smooth(points).vertices)
    t = np.linspace(0.0, 1.0, 41)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
    return np.concatenate([weights @ vertices[start : start + 4] for start in range(0, len(vertices) - 1, 3)])


def _inner_first(along: Floats) -> Floats:
    """Return the places along an arrow, those in the middle of its pieces first."""
    from_middle = np.abs(np.tile(np.arange(41) - 20, len(along) // 41))
    return along[np.argsort(from_middle, kind="stable")]


def _draw_loop(drawing: Axes, box: Box) -> None:
    """Draw the arrow from a state to itself, on its right."""
    x, y = box.left + box.width, box.middle[1]
    out, high, low = x + 0.75 * GAP, y + 0.08, y - 0.08
    path = Curve([(x, high), (out, high + 0.05), (out, low - 0.05), (x, low)], [Curve.MOVETO, *[Curve.CURVE4] * 3])
    head = [(x, low), (x + _HEAD, low + 0.5 * _HEAD), (x + _HEAD, low - 0.6 * _HEAD)]
    _draw_line(drawing, path, head, style.PURPLE, 1.3, "solid", zorder=2)


def _draw_line(
    drawing: Axes, path: Curve, head: Sequence[tuple[float, float]], colour: str, width: float, dash: Dash, zorder: int
) -> None:
    look = {"edgecolor": colour, "linewidth": width, "linestyle": dash}
    drawing.add_patch(PathPatch(path, fill=False, zorder=zorder, **look))
    drawing.add_patch(Polygon(head, facecolor=colour, edgecolor="none", zorder=zorder))


def _smooth(points: Sequence[tuple[float, float]]) -> Curve:
    """Return a curve through points, upright at each of them."""
    vertices, codes = [points[0]], [int(Curve.MOVETO)]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        vertices += [(x0, middle), (x1, middle), (x1, y1)]
        codes += [int(Curve.CURVE4)] * 3
    return Curve(vertices, codes)


def _draw_box(drawing: Axes, state: State, box: Box, *, faint: bool, bold: bool) -> None:
    drawing.add_patch(_shape(state.kind, box, faint=faint))
    drawing.text(
        *box.middle,
        "\n".join(box.lines),
        ha="center",
        va="center_baseline" if len(box.lines) == 1 else "center",
        fontsize=SIZE,
        color="white" if state.kind == "death" else style.QUIET if faint else style.INK,
        fontweight="bold" if bold else "normal",
        linespacing=1.12,
        zorder=5,
        gid=f"state-{state.name}",
    )


def _shape(kind: str, box: Box, *, faint: bool = False) -> FancyBboxPatch:
    fill = {"decision": style.shade(style.SKY, 1.75), "chance": style.shade(style.YELLOW, 1.7), "death": "#4d4d4d"}
    rounding = min({"chance": 0.18, "sojourn": 0.06, "end": 0.06}.get(kind, 0.0), 0.45 * box.height)
    return FancyBboxPatch(
        (box.left, box.bottom),
        box.width,
        box.height,
        boxstyle=f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0",
        facecolor="white" if faint else fill.get(kind, "white"),
        edgecolor=style.FAINT if faint else style.INK,
        linestyle=(0, (3.0, 1.6)) if kind in ("decision", "chance") else "solid",
        linewidth=2.0 if kind == "end" else 0.9,
        zorder=4,
    )


def _key(chart: Plan) -> list[Sample]:
    """Return an entry for each kind of box and arrow that occurs."""
    states = chart.pathway.states.values()
    occurring = {state.kind for state in states}
    box = Box(0.0, -0.07, SAMPLE, 0.14, ())
    key = [
        Sample(words, _shape(kind, box), size=chart.small) for kind, words in exits.KINDS.items() if kind in occurring
    ]
    has_loop = any(exit.to == state.name for state in states for exit in state.transitions)
    lines = [
        ("leads back", style.PURPLE, BACK, bool(chart.layout.returns) or has_loop),
        (chart.branches.unused, style.FAINT, THIN, bool(chart.closed)),
        (f"changed by {chart.branches.policy}", CHANGED, BOLD, bool(chart.branches.changed)),
    ]
    for words, colour, width, occurs in lines:
        if occurs:
            sample = line_sample(words, Line(colour, "solid"), width)
            # Told apart in grey, too: by their widths, and by a head that points back.
            sample.artist.set(**{"marker": "<", "markevery": [0], "markersize": 5} if width == BACK else {})
            key.append(replace(sample, colour=style.INK, weight="normal", size=chart.small))
    return key
