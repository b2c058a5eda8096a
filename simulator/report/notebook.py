"""A finished run as a notebook shows it: the answer, the outcomes and the figure of overall survival."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from simulator.evidence.cohort import load_cohort
from simulator.experiment.results import Results
from simulator.figures import gallery
from simulator.figures.picture import Picture
from simulator.figures.style import coloured
from simulator.report.elements import paragraph, table
from simulator.report.tables import outcomes
from simulator.report.tables.run import answer
from simulator.wording import opening


def figure(results: Results, colours: Mapping[str, str]) -> Figure:
    """Return the figure of overall survival, on the clock that the scenarios lead with. Raises InputError."""
    with coloured(colours, list(dict.fromkeys(scenario.policy for scenario in results.scenarios))):
        return _picture(results).figure


def picture(results: Results, name: str, colours: Mapping[str, str]) -> Picture:
    """Return one figure of a run, by its name. Raises InputError."""
    with coloured(colours, list(dict.fromkeys(scenario.policy for scenario in results.scenarios))):
        return gallery.named(results, name, load_cohort(results.scenarios[0].pathway))


def html(results: Results) -> str:
    """Return the answer, the outcomes of all patients and the figure, as HTML."""
    clock, survival = opening.clocks(results)[0], _picture(results)
    tables = map(table, outcomes.of_options(results, clock))
    return "".join([paragraph(answer(results)), *tables, survival._repr_html_()])


def _picture(results: Results) -> Picture:
    return gallery.overall_survival(results, load_cohort(results.scenarios[0].pathway))
