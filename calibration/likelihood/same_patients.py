"""Percentages of the same patients as other rows, which enter the likelihood as if they were independent: never silent.

Counts are in one table (`courses`). A percentage is independent of a count, given its n, if they have no patient in
common, or if the count is of all its patients, or of none of them: survival of responders, next to how many responded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from calibration.likelihood.targets import Targets
from calibration.reported.kinds.counts import row_of
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.patient_times import PatientTimes
from calibration.reported.kinds.survival import Share

Lines = tuple[int, ...]
"""Of a row, or of all rows of one curve."""


@dataclass(frozen=True)
class SamePatients:
    """The patients that fitted percentages of a cohort have in common with other fitted rows."""

    targets: Targets

    def sentences(self) -> list[str]:
        """Return which rows share patients but enter as if they did not, and what has to go: that with most overlaps.

        Of rows that all overlap with one another, any one may stay. The rows of a curve stay or go together.
        """
        overlaps: dict[Lines, set[Lines]] = {}
        for one, other in self._pairs():
            overlaps.setdefault(one, set()).add(other)
            overlaps.setdefault(other, set()).add(one)
        sentences = []
        while overlaps:
            most = max(overlaps, key=lambda lines: len(overlaps[lines]))
            others = sorted(overlaps[most])
            alike = all(overlaps[lines] | {lines} == {most, *others} for lines in others)
            sentences.append(self._of_alike([most, *others]) if alike else self._of_coarsest(most, others))
            for gone in [most, *others] if alike else [most]:
                overlaps = {lines: rest for lines in overlaps if (rest := overlaps[lines] - {gone}) and lines != gone}
        return sentences

    def _pairs(self) -> Iterator[tuple[Lines, Lines]]:
        """Yield the lines of a percentage, or of its curve, and of another row, if they are not independent."""
        targets, courses = self.targets, self.targets.courses
        fitted = (figure for figure in targets.fitted if isinstance(figure, Share | PatientTimes))
        percentages = [(figure, row_of(figure, "", targets.cohort, targets.pathway)) for figure in fitted]
        lines = {figure.where: self._together_with(figure) for figure in targets.fitted}
        for place, (figure, percentage) in enumerate(percentages):
            for other in courses.rows:
                if courses.in_common(percentage, other) and not courses.settles(other, percentage):
                    yield lines[figure.where], lines[other.where]
            for later, other in percentages[place + 1 :]:
                if lines[figure.where] != lines[later.where] and courses.in_common(percentage, other):
                    yield lines[figure.where], lines[later.where]

    def _together_with(self, figure: Kind) -> Lines:
        """Return the lines of a figure's curve, numbers at risk included; its own if it is of none."""
        return tuple(
            other.line
            for other in self.targets.fitted
            if other is figure or (figure.curve and other.curve == figure.curve)
        )

    def _of_alike(self, every: Sequence[Lines]) -> str:
        """Return that rows count patients of one another."""
        curves = "".join(f" ({_in_words(lines)}: one curve)" for lines in sorted(every) if len(lines) > 1)
        mend = f"Give {'one' if len(every) == 2 else 'all but one'} of them"
        return self._sentence(f"{_in_words(chain(*every))}{curves} count the same patients, but", mend)

    def _of_coarsest(self, lines: Lines, others: Sequence[Lines]) -> str:
        """Return that a row, or a curve, counts patients of others, which stay."""
        one, count = _in_words(lines), "counts" if len(lines) == 1 else "count"
        return self._sentence(f"{one} {count} patients of {_in_words(chain(*others))} again, but all", f"Give {one}")

    def _sentence(self, finding: str, mend: str) -> str:
        return (
            f"{self.targets.folder / 'targets.csv'}: {finding} enter the fit as if they were independent, so that its "
            f'intervals may be wrong. {mend} use = "predictive".'
        )


def _in_words(lines: Iterable[int]) -> str:
    """Return "line 3", "lines 3 and 4", "lines 3, 5 to 7, 9 and 10"."""
    spans: list[str] = []
    for _, places in groupby(enumerate(sorted(lines)), key=lambda place: place[1] - place[0]):
        run = [line for _, line in places]
        spans += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    *before, last = spans
    return f"lines {', '.join(before)} and {last}" if before else f"line{'s' * (' ' in last)} {last}"
