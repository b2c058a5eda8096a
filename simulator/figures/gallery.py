"""The figures of a run, each with its name, its title, and an alternative text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from matplotlib.figure import Figure

from simulator.evidence.cohort import Cohort
from simulator.experiment.manifest import ROUGH
from simulator.experiment.results import Results
from simulator.figures import abridged, occupancy, resource_use, style
from simulator.figures.pathway import diagram, flow
from simulator.figures.survival import panels, survival
from simulator.files import whole


@dataclass(frozen=True)
class Picture:
    """A figure; `name` is its file's, without the ending, and `alt` its alternative text."""

    name: str
    title: str
    alt: str
    figure: Figure

    @cached_property
    def svg(self) -> str:
        """The figure as SVG, drawn once for its file and for the page."""
        return style.svg(self.figure, title=self.title, alt=self.alt)


def gallery(results: Results, cohort: Cohort | None = None) -> list[Picture]:
    """Return the figures of a run, the answer first; none of a clock that nobody starts.

    cohort : the cohort that calibrates the pathway (see `load_cohort`); its reported figures are drawn, too.
    """
    results, cohort = abridged.of_run(results, cohort)
    pathway = results.scenarios[0].pathway
    displayed = [clock for clock in clocks(results) if occupancy.started(results.occupancy, clock)]
    pictures = [
        _overall(results, clock, cohort, f"_from_{clock}" if place else "") for place, clock in enumerate(displayed)
    ]
    if displayed and len(results.scenarios) > survival.MOST_BANDS:
        alt = panels.by_policy_alt_text(results.survival, clock=displayed[0], months=pathway.months)
        figure = panels.by_policy(results.survival, clock=displayed[0], cohort=cohort, months=pathway.months)
        pictures.append(Picture("survival_by_policy", "Overall survival, policy by policy", alt, figure))
    if results.queue is not None and len(results.queue):
        alt = resource_use.alt_text(results.queue, results.scenarios)
        figure = resource_use.draw(results.queue, results.scenarios, results.manifest, cohort)
        pictures.append(Picture("queue_over_time", "Patients waiting and units in use, over time", alt, figure))
    if pathway.groups and pathway.clock in displayed:
        alt = panels.by_group_alt_text(results.survival, pathway, clock=pathway.clock, cohort=cohort)
        figure = panels.by_group(results.survival, pathway, clock=pathway.clock, cohort=cohort)
        pictures.append(Picture("survival_by_group", "Overall survival, by group", alt, figure))
    for clock in displayed[:1]:
        alt = occupancy.alt_text(results.occupancy, pathway, clock=clock)
        figure = occupancy.draw(results.occupancy, pathway, clock=clock, cohort=cohort)
        pictures.append(Picture("state_occupancy", "Where patients are", alt, figure))
    flow_figure = flow.draw(pathway, cohort) if cohort is not None else None
    if cohort is not None and flow_figure is not None:
        title = f"What happened to the {cohort.n} reported patients"
        pictures.append(Picture("cohort_flow", title, flow.alt_text(pathway, cohort), flow_figure))
    figure = diagram.draw(pathway, cohort=cohort)
    pictures.append(Picture("pathway_diagram", "The pathway", diagram.alt_text(pathway), figure))
    return [_rough(picture) for picture in pictures] if results.is_rough else pictures


def _rough(picture: Picture) -> Picture:
    """Return a picture with a mark that it is for a first look."""
    across, up = picture.figure.get_size_inches()
    with style.applied():
        picture.figure.text(
            1 - style.MARGIN / across, 1 - style.MARGIN / up, "rough (--quick)", ha="right", va="top",
            color=style.VERMILLION, weight="bold",
        )  # fmt: skip
    return replace(picture, alt=f"{ROUGH} {picture.alt}")


def clocks(results: Results) -> list[str]:
    """Return the pathway's clocks, the default one first unless every policy leads with another."""
    declared = results.scenarios[0].pathway.clocks
    policies = results.scenarios[1:] or results.scenarios
    leads = {policy.leads_with for policy in policies}
    first = leads.pop() if len(leads) == 1 else None
    return sorted(declared, key=lambda clock: clock != first)


def save(pictures: Sequence[Picture], folder: Path) -> None:
    """Write every picture as NAME.svg and NAME.png into an existing folder, each whole. Raises OSError."""
    for picture in pictures:
        whole.write(folder / f"{picture.name}.svg", picture.svg.encode())
        whole.write(folder / f"{picture.name}.png", style.png(picture.figure))


def _overall(results: Results, clock: str, cohort: Cohort | None, ending: str = "") -> Picture:
    months = results.scenarios[0].pathway.months
    alt = survival.alt_text(results.survival, clock=clock, cohort=cohort, months=months)
    figure = survival.draw(results.survival, clock=clock, cohort=cohort, months=months)
    return Picture(f"overall_survival{ending}", f"Overall survival from {clock}", alt, figure)
