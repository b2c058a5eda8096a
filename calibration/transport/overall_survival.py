"""The OS of all patients of a cohort, in the finest likelihood of its rows: that by which `calibrate` would fit them.

Times of single patients, or a curve with its numbers at risk, whichever has more patients; else the latest percentage
or count. Figures of the same patients count once, and no month counts as if nobody were censored at which hardly
anybody is at risk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, isfinite, nan
from typing import NamedTuple

from calibration.likelihood.targets import Targets
from calibration.reported import percentages
from calibration.reported.kinds import curves
from calibration.reported.kinds.counts import Survivors
from calibration.reported.kinds.curves import Curve
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.patient_times import PatientTimes, Times
from calibration.reported.kinds.summaries import AtRisk
from calibration.reported.kinds.survival import Survival
from calibration.reported.percentages import Percentage
from calibration.validation.external import USE

FOREVER = (inf, inf)


class Finest(NamedTuple):
    """ends : months between which follow-up ends, of patients who count as alive when it does; else all are followed"""

    figure: Percentage | Curve | Times
    ends: tuple[float, float] = FOREVER


def finest(targets: Targets) -> Finest | None:
    """Return the finest likelihood of the OS of all patients; None without any. Raises InputError naming a bad line."""
    cohort, figures = targets.cohort, _of_all(targets)
    times = [figure.times(cohort) for figure in figures if isinstance(figure, PatientTimes)]
    finer: list[Curve | Times] = [*times, *curves.read(_drawn(figures), cohort)]
    if finer:
        return Finest(max(finer, key=lambda figure: (figure.n, len(figure.months))))
    refused = dict(_refused(targets, figures))
    alive = [figure for figure in figures if isinstance(figure, Survivors | Survival) and figure.line not in refused]
    if not alive:
        return None
    latest = sorted(alive, key=lambda figure: figure.month)[-1]
    ends = cohort.follow_up if isinstance(latest, Survivors) else None
    return Finest(percentages.read(latest, cohort), ends or FOREVER)


def notes(targets: Targets) -> list[str]:
    """Return which figures do not inform m, with their lines: hardly any patients are at risk, or it is unknown.

    None where times or a curve inform it: single figures add nothing to these.
    """
    survival = finest(targets)
    if survival is not None and not isinstance(survival.figure, Percentage):
        return []
    return [note for _, note in _refused(targets, _of_all(targets))]


def _of_all(targets: Targets) -> list[Kind]:
    of_all = (figure for figure in targets.figures if (figure.population, figure.attribute) == ("all", ""))
    return [figure for figure in of_all if figure.is_plain and figure.use == USE]


def _drawn(figures: Sequence[Kind]) -> list[Kind]:
    """Return the points of curves that have a number at risk, and these numbers."""
    at_risk = {(figure.curve, figure.month): figure for figure in figures if isinstance(figure, AtRisk)}
    points = [figure for figure in figures if isinstance(figure, Survival) and figure.curve]
    points = [point for point in points if (point.curve, point.month) in at_risk]
    return [*points, *(at_risk[point.curve, point.month] for point in points)]


def _refused(targets: Targets, figures: Sequence[Kind]) -> Iterator[tuple[int, str]]:
    """Yield the lines of figures that would count as if nobody were censored, though many are, and a note on each."""
    cohort, m = targets.cohort, "does not inform the marginal benefit"
    at_risk = {figure.month: figure.count for figure in figures if isinstance(figure, AtRisk)}
    for figure in figures:
        if isinstance(figure, Survival) and figure.curve:
            yield figure.line, f"{figure.where}: a point of curve {figure.curve} without its number at risk {m}"
        elif isinstance(figure, Survivors | Survival) and not (isfinite(figure.error) or figure.is_exact(cohort)):
            followed = isinstance(figure, Survivors) and cohort.follow_up
            few = "" if followed else percentages.few_at_risk(figure, cohort, at_risk.get(figure.month, nan))
            if few:
                yield figure.line, f"{figure.where}: at month {figure.month:g} {few}, so that this figure {m}"
