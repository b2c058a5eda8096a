"""The figures of a sweep: a heat map, or a line if one name varies; and small multiples of what else moves."""

from __future__ import annotations

from functools import partial

from simulator.analyses.sweep.run import Sweep
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style
from simulator.figures.analyses import heat_map, small_multiples
from simulator.figures.picture import Picture, in_two_widths
from simulator.wording.sweep_rows import drawn
from simulator.wording.sweep_titles import moves

LINE = {"plot": 3.0, "widest": style.WIDTH}
"""The size of a panel that is alone."""


def pictures(sweep: Sweep, cohort: Cohort | None = None) -> list[Picture]:
    """Return the figures. cohort : the cohort that calibrates the pathway; the footing names its size and source."""
    outcomes = drawn(sweep)
    if not outcomes:
        return []
    footing = [notes.source_in_words(cohort)]
    is_line = len(sweep.grid.axes) == 1
    if is_line:
        first = partial(small_multiples.picture, sweep, outcomes[:1], footing, "line", size=LINE)
    else:
        first = partial(heat_map.picture, sweep, outcomes[: 2 if outcomes[0].is_harm else 1], footing)
    # The line is the first of the outcomes; a map of them has no intervals.
    others = outcomes[1 if is_line else 0 :]
    more = [partial(small_multiples.picture, sweep, others, footing, "outcomes")]
    return [in_two_widths(draw) for draw in [first, *(more if any(moves(sweep, one) for one in others) else [])]]
