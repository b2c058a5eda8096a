"""The figures of a sweep: a heat map, or a line where one name varies; and small multiples of what matters."""

from __future__ import annotations

from simulator.cohort import Cohort
from simulator.figures import heat_map, multiples, style, survival
from simulator.figures.gallery import Picture
from simulator.sweeps.run import Sweep
from simulator.sweeps.shown import shown

NO_COHORT = "Not for individual patients."


def pictures(sweep: Sweep, cohort: Cohort | None = None) -> list[Picture]:
    """Return the figures. cohort : the one that calibrates the pathway, whose size and source are printed."""
    found = shown(sweep)
    if not found:
        return []
    names = " and ".join(sweep.grid.names[:2])
    source = [*sweep.notes, survival.source_in_words(cohort) if cohort is not None else NO_COHORT]
    footing = " ".join(source)
    banded = " ".join([multiples.note(sweep), *source])
    if len(sweep.grid.axes) == 1:
        alt = multiples.alt_text(sweep, found[:1])
        figure = multiples.draw(sweep, found[:1], banded, plot=3.0, widest=style.WIDTH)
        first = Picture("line", f"{found[0].label} by {names}", alt, figure)
    else:
        mapped = found[: 2 if sweep.grid.at(0).capacity else 1]
        alt = heat_map.alt_text(sweep, mapped)
        first = Picture("heat_map", f"Heat map by {names}", alt, heat_map.draw(sweep, mapped, footing))
    alt = multiples.alt_text(sweep, found)
    return [first, Picture("outcomes", f"Outcomes by {names}", alt, multiples.draw(sweep, found, banded))]
