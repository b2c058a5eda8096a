"""A simulated patient's timeline; and the patients whose history a policy changes, as a flow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from simulator.analyses.story import PER, Story
from simulator.evidence.cohort import load_cohort
from simulator.figures import notes, row_chart, style, text
from simulator.figures.pathway.flow import ribbon
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.sheet import WORDS, Sample, Sheet, area, marker_sample
from simulator.outcomes import changed
from simulator.plain_text import capital
from simulator.scenario.scenario import Scenario
from simulator.wording import intervals
from simulator.wording import story as words

TIMELINE, FLOW = "timeline", "what_the_policy_changes"
ROOM = 1.12
"""The months of the scale, over those of the last event; of a patient who lives on there is an arrow."""

LEAST = 0.006
"""Share of the scale that a bar has at least, so that a day is seen."""

HATCH = "//////"


def pictures(story: Story) -> list[Picture]:
    """Return the timeline and, of two scenarios, the flow, both in two widths."""
    draws = [timeline, *([flow] if story.changes is not None else [])]
    return [in_two_widths(partial(draw, story)) for draw in draws]


# --- The timeline: a row a state, a bar a stay ---


@dataclass(frozen=True)
class _Stay:
    """A stay in a state, in months from the clock's start; `until` is infinite where it does not end."""

    state: str
    since: float
    until: float


@style.applied()
def timeline(story: Story, *, width: float = style.WIDTH) -> Picture:
    """Return the timeline, a row a state that the patient enters. width : inches"""
    stays = {scenario.name: list(_stays(story, scenario)) for scenario in story.scenarios}
    everything = [stay for of_scenario in stays.values() for stay in of_scenario]
    states = list(dict.fromkeys(stay.state for stay in sorted(everything, key=lambda stay: stay.since)))
    rows = [row_chart.Row(story.pathway.states[state].label, _below(story, stays, state)) for state in states]
    starts = _starts(story, story.scenarios[0])
    scale = f"Months after {story.clock}" if starts else "Months after entry"
    cohort = load_cohort(story.pathway)
    subtitle = f"{capital(words.NOT_REAL)}. A row is a state, a bar the time in it."
    sheet, axes = row_chart.chart(
        words.headline(story).rstrip("."), subtitle, [notes.source_in_words(cohort)], rows, scale,
        _key(story, stays, width - 2 * style.MARGIN - WORDS), width=width,
    )  # fmt: skip
    first, last = min(stay.since for stay in everything), max(stay.since for stay in everything)
    ended = max((stay.until for stay in everything if math.isfinite(stay.until)), default=last)
    span = max(ended - first, 1.0)
    lives_on = any(math.isinf(stay.until) and not _is_over(story, stay) for stay in everything)
    end = max(first + ROOM * span, story.pathway.months.answer if lives_on else 0.0)
    axes.set_xlim(first - 0.02 * span, end)
    for place, scenario in enumerate(story.scenarios):
        for stay in stays[scenario.name]:
            _draw(axes, story, stay, -states.index(stay.state), place, end)
        for since, until in _waits(story, scenario):
            state = next((stay.state for stay in stays[scenario.name] if stay.since <= since < stay.until), None)
            if state is not None:
                _wait(axes, story, -states.index(state), place, since, min(until, end))
    return sheet.picture(TIMELINE)


def _starts(story: Story, scenario: Scenario) -> list[float]:
    """Return the months in which the patient starts the clock under a scenario."""
    events = story.of(scenario)
    return events.loc[events["state"] == story.pathway.clocks[story.clock], "month"].tolist()


def _stays(story: Story, scenario: Scenario) -> Iterator[_Stay]:
    events = story.of(scenario)
    start = (_starts(story, scenario) or [0.0])[0]
    months = [*(events["month"] - start), math.inf]
    for place, state in enumerate(events["state"]):
        yield _Stay(state, months[place], months[place + 1])


def _is_over(story: Story, stay: _Stay) -> bool:
    return story.pathway.states[stay.state].is_absorbing


def _below(story: Story, stays: Mapping[str, Sequence[_Stay]], state: str) -> str:
    """Return how long the patient stays in a state, under each scenario that brings them there."""
    lengths = {}
    for scenario, of_scenario in stays.items():
        times = [stay.until - stay.since for stay in of_scenario if stay.state == state]
        if times and not story.pathway.states[state].is_choice and math.isfinite(sum(times)):
            lengths[scenario] = words.duration(sum(times))
    if len(set(lengths.values())) == 1 and len(lengths) == len(stays):
        return next(iter(lengths.values()))
    return "; ".join(f"{scenario}: {length}" for scenario, length in lengths.items())


def _look(place: int) -> dict[str, Any]:
    """Return the look of a scenario's bars: the base is solid, the policy hatched."""
    if place == 0:
        return {"facecolor": style.INK, "edgecolor": style.INK, "linewidth": 0.8}
    return {"facecolor": "white", "edgecolor": style.POLICIES[0], "hatch": HATCH, "linewidth": 0.9}


def _lane(axes: Axes, story: Story, place: int) -> tuple[float, float]:
    """Return the foot of a scenario's bar from its row's middle, and its height."""
    tall = 2 * row_chart.half_bar(axes) / len(story.scenarios)
    return tall * (len(story.scenarios) / 2 - place - 1), 0.86 * tall


def _draw(axes: Axes, story: Story, stay: _Stay, row: float, place: int, end: float) -> None:
    """Draw a stay: a bar, a diamond for a choice, a cross for a death; an arrow where the patient lives on."""
    foot, tall = _lane(axes, story, place)
    state = story.pathway.states[stay.state]
    colour = style.INK if place == 0 else style.POLICIES[0]
    middle = row + foot + tall / 2
    if state.is_choice or state.is_absorbing:
        marker = "D" if state.is_choice else "X" if state.kind == "death" else "s"
        face = colour if place == 0 else "white"
        size = 4.2 if len(story.scenarios) > 1 else 6.0
        axes.plot(stay.since, middle, marker, color=colour, markerfacecolor=face, markersize=size, zorder=4)
        return
    low, high = axes.get_xlim()
    long = max(min(stay.until, end) - stay.since, LEAST * (high - low))
    axes.add_patch(Rectangle((stay.since, row + foot), long, tall, zorder=3, **_look(place)))
    if math.isinf(stay.until):
        axes.plot(end, middle, ">", color=colour, markersize=5.0, zorder=5, clip_on=False)


def _waits(story: Story, scenario: Scenario) -> Iterator[tuple[float, float]]:
    """Yield when the patient begins and ends to wait for a resource, in months from the clock's start."""
    start = (_starts(story, scenario) or [0.0])[0]
    of_scenario = story.waits[story.waits["scenario"] == scenario.name]
    for wait in of_scenario.to_dict("records"):
        ends = [wait[name] for name in ("granted", "reneged") if not pd.isna(wait[name])]
        until = min(ends, default=math.inf)
        if until - wait["requested"] > 1e-9:
            yield wait["requested"] - start, until - start


def _wait(axes: Axes, story: Story, row: float, place: int, since: float, until: float) -> None:
    foot, tall = _lane(axes, story, place)
    axes.add_patch(Rectangle((since, row + foot), until - since, tall, zorder=4, **WAITING))


WAITING: dict[str, Any] = {"facecolor": style.ORANGE, "edgecolor": style.INK, "linewidth": 0.6}


def _key(story: Story, stays: Mapping[str, Sequence[_Stay]], room: float) -> list[Sample]:
    """Return the entries of the scenarios, and of the marks that there are. room : inches of an entry's words"""
    names = [text.fitted(scenario.name, room) for scenario in story.scenarios]
    key = [Sample(name, area(0.2, 0.12, **_look(place))) for place, name in enumerate(names)]
    states = [story.pathway.states[stay.state] for of_scenario in stays.values() for stay in of_scenario]
    marks = (("D", "choice, or response", "is_choice"), ("X", "death", "death"), ("s", "end", "end"))
    for marker, label, kind in marks:
        if any(state.is_choice if kind == "is_choice" else state.kind == kind for state in states):
            key.append(marker_sample(label, marker, style.INK, style.INK))
    if any(True for scenario in story.scenarios for _ in _waits(story, scenario)):
        key.append(Sample("waiting for a resource", area(0.2, 0.12, **WAITING)))
    if any(math.isinf(stay.until) and not _is_over(story, stay) for of in stays.values() for stay in of):
        key.append(marker_sample("alive at the end of follow-up", ">", style.INK, style.INK))
    return key


# --- The flow: all patients, those whose history changes, and what becomes of them ---

TALL, BAR, GAP, LINE = 3.6, 0.16, 0.07, 0.145
"""Inches of 1,000 patients, of a bar's width, between bars, and of a line of text."""
LOOKS: Mapping[str, tuple[str, str]] = {
    changed.ALIVE_ONLY_UNDER_POLICY: (style.shade(style.GREEN, 1.35), "////"),
    changed.LATER: (style.shade(style.GREEN, 1.7), "////"),
    changed.AS_LONG: ("#d4d4d4", ""),
    changed.EARLIER: (style.shade(style.ORANGE, 1.6), "xxxx"),
    changed.ALIVE_ONLY_UNDER_BASE: (style.shade(style.ORANGE, 1.2), "xxxx"),
    changed.OFF_CLOCK: ("#eeeeee", "...."),
    changed.SAME: ("#f2f2f2", ""),
}
"""Fate -> its colour and hatch: longer lives are green, shorter ones orange."""


@style.applied()
def flow(story: Story, *, width: float = style.WIDTH) -> Picture:
    """Return the flow of 1,000 patients: unchanged or changed, and the fates of the changed. width : inches"""
    rows, labels = words.rows_of(story, story.scenarios[-1].name), words.fates_in_words(story)
    fates = [name for name in LOOKS if rows[name]["estimate"] > 0.0]
    right = width - style.MARGIN - (4.1 if width >= style.WIDTH else 2.5)
    middle = style.MARGIN + 0.42 * (right - style.MARGIN)
    room = width - style.MARGIN - right - BAR - 0.1
    lines = {name: [f"{words.count(rows[name])}", *text.wrap(labels[name], room)] for name in fates}
    small = style.small(width)
    heads = [
        [f"{PER:,}", *text.wrap(story.pathway.patients, middle - style.MARGIN - 0.1, small)],
        [words.count(rows["changed"]).value, *text.wrap("history changed", right - middle - 0.1, small)],
    ]
    above = LINE * max(map(len, heads)) + 0.15
    heights = {name: TALL * float(rows[name]["estimate"]) / PER for name in (*fates, "changed")}
    needed = {name: max(heights[name], LINE * len(lines[name]) + 0.02) for name in fates}
    body = above + max(sum(needed.values()) + GAP * (len(fates) - 1), TALL) + 0.1
    draws = int(story.manifest["draws"])
    uncertain = (
        f"In brackets: the 95 % interval over {intervals.sets(draws)}." if draws > 1 else intervals.unseen(draws)
    )
    subtitle = f"Widths are in proportion to patients, of {PER:,}. {uncertain} {words.benefit(story)}".strip()
    source = notes.source_in_words(load_cohort(story.pathway))
    sheet = Sheet(words.changes(story).split(". ")[0].rstrip("."), subtitle, [source], body, width=width)
    drawing = sheet.drawing(sheet.bottom + 0.1)
    top = body - 0.1 - above
    _bar(drawing, style.MARGIN, top, TALL, style.BLUE)
    _write(drawing, style.MARGIN, top + 0.06 + LINE * len(heads[0]), heads[0], small)
    if heights["changed"] > 0.0:
        edge = (top - heights["changed"], top)
        ribbon(drawing, (style.MARGIN + BAR, *edge), (middle, *edge), style.shade(style.SKY, 1.55))
        _bar(drawing, middle, top, heights["changed"], style.BLUE)
        _write(drawing, middle, top + 0.06 + LINE * len(heads[1]), heads[1], small)
    foot = inner = top
    for name in fates:
        colour, hatch = LOOKS[name]
        tall, is_same = heights[name], name == changed.SAME
        source_left, begin = (style.MARGIN, top - heights["changed"]) if is_same else (middle, inner)
        start = (source_left + BAR, begin - tall, begin)
        ribbon(drawing, start, (right, foot - tall, foot), colour, hatch)
        _bar(drawing, right, foot, tall, style.shade(colour, 0.7))
        _write(drawing, right + BAR + 0.08, foot - 0.005, lines[name])
        inner -= tall
        foot -= needed[name] + GAP
    return sheet.picture(FLOW, words.headline(story))


def _bar(drawing: Axes, left: float, top: float, tall: float, colour: str) -> None:
    drawing.add_patch(Rectangle((left, top - tall), BAR, tall, facecolor=colour, edgecolor="none", zorder=4))


def _write(drawing: Axes, left: float, top: float, lines: Sequence[str], size: float = style.TEXT) -> None:
    """Write lines from a place down, the first, a number, in bold."""
    for place, line in enumerate(lines):
        look = {"fontsize": size} if place else {"weight": "bold"}
        drawing.text(left, top - LINE * place, line, va="top", zorder=6, **look)
