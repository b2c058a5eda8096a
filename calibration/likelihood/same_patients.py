"""Percentages of the same patients as other rows, which enter the likelihood as if they were independent: never silent.

Counts are in one table (`courses`). A percentage is independent of a count, given its n, if they have no patient in
common, or if the count is of all its patients, or of none of them: survival of responders, next to how many responded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from calibration.likelihood.targets import Targets
from calibration.reported.kinds.counts import row_of
from calibration.reported.kinds.patient_times import PatientTimes
from calibration.reported.kinds.survival import Share


@dataclass(frozen=True)
class SamePatients:
    """The patients that fitted percentages of a cohort have in common with other fitted rows."""

    targets: Targets

    def sentences(self) -> list[str]:
        """Return a sentence for every set of rows that share patients and enter as if they did not."""
        linked: list[set[int]] = []
        for one, other in self._pairs():
            joined = [lines for lines in linked if not lines.isdisjoint((one, other))]
            linked = [lines for lines in linked if lines not in joined]
            linked.append({one, other}.union(*joined))
        return [self._sentence(sorted(lines)) for lines in linked]

    def _pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the lines of a percentage and of another row, if they are not independent."""
        targets, courses = self.targets, self.targets.courses
        fitted = (figure for figure in targets.fitted if isinstance(figure, Share | PatientTimes))
        percentages = {figure.line: row_of(figure, "", targets.cohort, targets.pathway) for figure in fitted}
        curves = {figure.line: figure.curve or figure.name for figure in targets.fitted}
        lines = {figure.where: figure.line for figure in targets.figures}
        for line, percentage in percentages.items():
            for other in courses.rows:
                if courses.in_common(percentage, other) and not courses.settles(other, percentage):
                    yield line, lines[other.where]
            for later, other in percentages.items():
                if later > line and curves[line] != curves[later] and courses.in_common(percentage, other):
                    yield line, later

    def _sentence(self, lines: list[int]) -> str:
        return (
            f"{self.targets.folder / 'targets.csv'}: {_in_words(lines)} count the same patients, but enter the fit as "
            "if they were independent, so that its intervals may be wrong. Give "
            f'{"one" if len(lines) == 2 else "all but one"} of them use = "predictive".'
        )


def _in_words(lines: list[int]) -> str:
    """Return "lines 3 and 4", "lines 3, 5 to 7 and 9"."""
    runs = [list(run) for _, run in groupby(enumerate(lines), key=lambda place: place[1] - place[0])]
    spans = [
        f"{run[0][1]} to {run[-1][1]}" if len(run) > 2 else " and ".join(str(line) for _, line in run) for run in runs
    ]
    return f"lines {', '.join(spans[:-1])}{' and ' if spans[1:] else ''}{spans[-1]}"
