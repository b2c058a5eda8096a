"""The figures of a run, each with its name, its title, and an alternative text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from matplotlib.figure import Figure

from simulator import execution
from simulator.errors import UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.experiment.results import Results
from simulator.figures import abridged, difference, needed, occupancy, patients, resource_use, style, waits
from simulator.figures.pathway import diagram, flow
from simulator.figures.picture import Picture, in_two_widths
from simulator.figures.survival import curve, end_points, panels, survival
from simulator.plain_text import capital
from simulator.wording import added, headline, opening

NAME = "overall_survival"
MARK = "rough (--quick)"
"""On figures for a first look."""

Maker = Callable[[], Picture | None]


def gallery(results: Results, cohort: Cohort | None = None, pool: execution.Pool | None = None) -> list[Picture]:
    """Return the figures of a run, the answer first, on the first clock that anybody starts.

    cohort : the cohort that calibrates the pathway (see `load_cohort`); its reported figures are drawn, too
    pool : the processes that draw them, which return finished files; None: this one, and the files are made when read
    """
    makers = _makers(results, cohort)
    if pool is None:
        pictures = [make() for make in makers]
    else:
        # The last ones take the longest: they begin first, so that all processes end at about the same time.
        places = range(len(makers))[::-1]
        pictures = list(execution.map(partial(_finished, makers), places, jobs=pool))[::-1]
    return [picture for picture in pictures if picture is not None]


def _makers(results: Results, cohort: Cohort | None) -> list[Maker]:
    """Return what draws each figure, or nothing where there is none to draw."""
    results, cohort = abridged.of_run(results, cohort)
    table, pathway = results.survival, results.scenarios[0].pathway
    displayed = [clock for clock in opening.clocks(results) if occupancy.started(results.occupancy, clock)]
    draws: list[Callable[..., Picture | None]] = [partial(waits.picture, results, cohort=cohort)]
    for clock in displayed[:1]:
        draws += [partial(one.picture, results, clock=clock, cohort=cohort) for one in (difference, patients)]
        draws.append(partial(needed.picture, results, cohort=cohort))
    titles = {scenario.name: scenario.title for scenario in results.scenarios}
    if displayed and curve.MOST_BANDS < len(headline.policies(results.scenarios)) <= curve.MOST_CURVES:
        changes = added.at_answer(results.outcomes, results.scenarios, displayed[0])
        policies = partial(panels.by_policy, table, titles, changes, cohort=cohort, months=pathway.months)
        draws.append(partial(policies, clock=displayed[0]))
    # From three options on, curves in one panel come after a panel a policy.
    draws += [_overall_survival(results, clock, cohort) for clock in displayed[:1]]
    if displayed and results.end_points is not None:
        draws += end_points.pictures(results.end_points, pathway, clock=displayed[0], cohort=cohort)
    if results.queue is not None and len(results.queue):
        draws.append(partial(resource_use.picture, results.queue, results.scenarios, results.manifest, cohort))
    if pathway.groups and pathway.clock in displayed:
        draws.append(partial(panels.by_group, table, pathway, clock=pathway.clock, cohort=cohort))
    for clock in displayed[:1]:
        states = partial(occupancy.picture, results.occupancy, table, pathway, titles, clock=clock, cohort=cohort)
        draws.append(states)
    # The reported patients start the cohort's clock, which a pathway that extends theirs may not have.
    reported = cohort if cohort is not None and cohort.clock in pathway.clocks else None
    draws.append(partial(flow.picture, pathway, reported))
    makers: list[Maker] = [partial(in_two_widths, draw) for draw in draws]
    makers.append(partial(diagram.picture, pathway, results.scenarios, cohort=cohort))
    return [partial(_drawn, make, opening.point(results), results.is_rough) for make in makers]


def _drawn(make: Maker, point: str, is_rough: bool) -> Picture | None:
    picture = make()
    if picture is None:
        return None
    return _rough(picture.with_point(point)) if is_rough else picture.with_point(point)


def _finished(makers: Sequence[Maker], place: int) -> Picture | None:
    picture = makers[place]()
    return picture and picture.finished()


def named(results: Results, name: str, cohort: Cohort | None = None) -> Picture:
    """Return one figure of a run. name : of its file, such as "what_the_policy_adds". Raises UnknownNameError."""
    names = []
    for make in _makers(results, cohort):
        picture = make()
        if picture is not None and picture.name == name:
            return picture
        names += [picture.name] if picture else []
    raise UnknownNameError("figure", name, names, "picture")


def overall_survival(results: Results, cohort: Cohort | None = None) -> Picture:
    """Return the figure of overall survival alone."""
    results, cohort = abridged.of_run(results, cohort)
    picture = in_two_widths(_overall_survival(results, opening.clocks(results)[0], cohort))
    return _rough(picture) if results.is_rough else picture


def _overall_survival(results: Results, clock: str, cohort: Cohort | None) -> Callable[..., Picture]:
    months = results.scenarios[0].pathway.months
    return partial(survival.picture, results.survival, clock=clock, cohort=cohort, months=months, name=NAME)


def _rough(picture: Picture) -> Picture:
    """Return a picture with a mark that it is for a first look; in the margin where the title may fill the top."""
    in_margin = picture.narrow is not None

    def marked(figure: Figure | None) -> Figure | None:
        if figure is None:
            return None
        across, up = figure.get_size_inches()
        place = (1 - (0.01 if in_margin else style.MARGIN) / across, 1 - style.MARGIN / up)
        with style.applied():
            figure.text(
                *place, MARK, ha="right", va="top", rotation=90 if in_margin else 0, color=style.VERMILLION,
                weight="normal" if in_margin else "bold", fontsize=style.SMALL if in_margin else style.TEXT,
            )  # fmt: skip
        return figure

    marked(picture.figure)
    title = f"{capital(MARK)}: {picture.title}"
    return replace(picture, title=title, narrow=lambda: marked(picture.compact))
