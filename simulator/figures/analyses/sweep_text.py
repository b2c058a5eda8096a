"""Common parts of a sweep's figures: their subtitle, and the marks of today and of the scenario."""

from __future__ import annotations

from simulator.analyses.sweep.grid import value_in
from simulator.analyses.sweep.run import Sweep
from simulator.figures import text
from simulator.wording import sweep_axes, sweep_titles


def subtitle(sweep: Sweep, drawn: str) -> str:
    """Return what is drawn, what varies, the drawn values of further names, and notes. drawn : a sentence"""
    further = [axis.label(axis.values[0]) for axis in sweep.grid.axes[2:]]
    fixed = f" Shown at {', '.join(further)}; sweep.csv has the rest." if further else ""
    return " ".join([f"{drawn} {sweep_titles.meanings(sweep)}{fixed}", *sweep.notes])


def broken(label: str, inches: float) -> list[str]:
    """Return the label of an axis in lines."""
    return list(text.wrap(label, inches))


def cells(sweep: Sweep) -> dict[str, tuple[int, int]]:
    """Return the places across and up of the cells nearest to the scenario and to today, without those outside."""
    axes = sweep.grid.axes[:2]
    places = {}
    for name, one in sweep_axes.practice(sweep):
        across, up = (axis.nearest(value_in(one, axis)) for axis in axes)
        if across is not None and up is not None:
            places[name] = (across, up)
    return places


def marks(sweep: Sweep) -> list[tuple[str, tuple[int, int]]]:
    """Return the cells of the scenario and of today with their words and places; one if both are the same."""
    axes, pathway = sweep.grid.axes[:2], sweep.scenario.pathway
    practice, words_of_cell = dict(sweep_axes.practice(sweep)), dict[tuple[int, int], str]()
    for name, cell in cells(sweep).items():
        values = (sweep_axes.roughly(axis, pathway, value_in(practice[name], axis)) for axis in axes)
        words_of_cell.setdefault(cell, f"nearest to {name} ({', '.join(values)})")
    return [(words, cell) for cell, words in words_of_cell.items()]
