"""The figures of a sweep: a heat map, or a line if one name varies; and small multiples of the main outcomes."""

from __future__ import annotations

from simulator.analyses.sweep.run import Sweep
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style
from simulator.figures.analyses import heat_map, small_multiples
from simulator.figures.picture import Picture
from simulator.wording.sweep_rows import displayed


def pictures(sweep: Sweep, cohort: Cohort | None = None) -> list[Picture]:
    """Return the figures. cohort : the cohort that calibrates the pathway; the footing names its size and source."""
    outcomes = displayed(sweep)
    if not outcomes:
        return []
    footing = [*sweep.notes, notes.source_in_words(cohort)]
    if len(sweep.grid.axes) == 1:
        first = small_multiples.picture(sweep, outcomes[:1], footing, "line", plot=3.0, widest=style.WIDTH)
    else:
        first = heat_map.picture(sweep, outcomes[: 2 if sweep.grid.at(0).capacity else 1], footing)
    return [first, small_multiples.picture(sweep, outcomes, footing, "outcomes")]
