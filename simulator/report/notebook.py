"""A finished run as a notebook shows it: the answer, the outcomes and the figure of overall survival."""

from __future__ import annotations

from matplotlib.figure import Figure

from simulator.evidence.cohort import load_cohort
from simulator.experiment.results import Results
from simulator.figures import gallery
from simulator.figures.picture import Picture
from simulator.report.elements import inline_svg, paragraph, table
from simulator.report.tables import outcomes
from simulator.report.tables.run import answer
from simulator.wording import headline


def figure(results: Results) -> Figure:
    """Return the figure of overall survival, on the clock that the scenarios lead with."""
    return _picture(results).figure


def html(results: Results) -> str:
    """Return the answer, the outcomes of all patients and the figure, as HTML."""
    clock, picture = gallery.clocks(results)[0], _picture(results)
    policies = headline.compared(results.scenarios)
    made = (
        make(results, policy, clock) for policy in policies for make in (outcomes.of_policy, outcomes.of_end_points)
    )
    tables = [table(one) for one in made if one is not None]
    return "".join([paragraph(answer(results)), *tables, inline_svg(picture.svg, picture.name, picture.alt)])


def _picture(results: Results) -> Picture:
    return gallery.overall_survival(results, load_cohort(results.scenarios[0].pathway))
