"""What the figures of a sweep have in common: the plane that they show, its numbers in words."""

from __future__ import annotations

import numpy as np

from simulator.analyses.sweep.run import Sweep
from simulator.arrays import Floats
from simulator.figures import style, text
from simulator.wording import rounding
from simulator.wording.sweep_rows import Displayed


def plane(values: Floats) -> Floats:
    """Return the values over the first two names, those of any further at their first value."""
    return values[(slice(None), slice(None)) + (0,) * (values.ndim - 2)] if values.ndim > 2 else values


def title(sweep: Sweep) -> str:
    """Return a heading that fits."""
    told = f"{sweep.scenario.name} by {' and '.join(sweep.grid.names[:2])}"
    fits = text.width(told, style.TITLE, "bold") < style.WIDTH - 2 * style.MARGIN
    return told if fits else f"{sweep.scenario.name}, a sweep"


def broken(name: str, inches: float) -> list[str]:
    """Return a name in lines, broken after its dots if it is too long, and cut in its middle if it is so still."""
    if text.width(name) <= inches:
        return [name]
    *heads, tail = name.split(".")
    return [text.fitted(each, inches) for each in (*(f"{head}." for head in heads), tail)]


def subtitle(sweep: Sweep) -> str:
    """Return what the numbers are, and at which values further names are shown."""
    draws = sweep.manifest["draws"]
    said = f"All patients; {f'means over {draws} draws' if draws > 1 else 'one set of parameters'}."
    return f"{said}{fixed_sentence(sweep)}"


def fixed(sweep: Sweep) -> str:
    """Return at which values further names are shown; empty where there are none."""
    further = [axis.label(axis.values[0]) for axis in sweep.grid.axes[2:]]
    return f"Displayed at {', '.join(further)}; sweep.csv holds the rest." if further else ""


def fixed_sentence(sweep: Sweep) -> str:
    return f" {fixed(sweep)}" if fixed(sweep) else ""


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def ends(sweep: Sweep, what: Displayed) -> str:
    """Return the least and the greatest value with their cells: "Alive at 12 months, %: from 31 (...) to 57 (...)."."""
    values = plane(what.values(sweep)[0])
    if not np.isfinite(values).any():
        return f"{capital(what.label)}: nobody."
    said = []
    for place in (int(np.nanargmin(values)), int(np.nanargmax(values))):
        at = np.unravel_index(place, values.shape)
        where = ", ".join(axis.label(axis.values[each]) for axis, each in zip(sweep.grid.axes, at, strict=False))
        said.append(f"{rounding.number(values.flat[place], what.unit)} ({where})")
    return f"{capital(what.label)}: from {said[0]} to {said[1]}."
