"""The figures of a sweep: a heat map, or a line if one name varies; and small multiples of the main outcomes."""

from __future__ import annotations

from simulator.analyses.sweep.run import Sweep
from simulator.evidence.cohort import Cohort
from simulator.figures import style
from simulator.figures.analyses import heat_map, small_multiples
from simulator.figures.gallery import Picture
from simulator.figures.survival import survival
from simulator.wording.sweep_rows import displayed


def pictures(sweep: Sweep, cohort: Cohort | None = None) -> list[Picture]:
    """Return the figures. cohort : the cohort that calibrates the pathway; the footing names its size and source."""
    outcomes = displayed(sweep)
    if not outcomes:
        return []
    names = " and ".join(sweep.grid.names[:2])
    source = [*sweep.notes, survival.source_in_words(cohort)]
    footing = " ".join(source)
    banded = " ".join([small_multiples.note(sweep), *source])
    if len(sweep.grid.axes) == 1:
        alt = small_multiples.alt_text(sweep, outcomes[:1])
        figure = small_multiples.draw(sweep, outcomes[:1], banded, plot=3.0, widest=style.WIDTH)
        first = Picture("line", f"{outcomes[0].label} by {names}", alt, figure)
    else:
        mapped = outcomes[: 2 if sweep.grid.at(0).capacity else 1]
        alt = heat_map.alt_text(sweep, mapped)
        first = Picture("heat_map", f"Heat map by {names}", alt, heat_map.draw(sweep, mapped, footing))
    alt = small_multiples.alt_text(sweep, outcomes)
    return [first, Picture("outcomes", f"Outcomes by {names}", alt, small_multiples.draw(sweep, outcomes, banded))]
