"""Survival curves with their bands, drawn thinner and dashed where the cohort's follow-up thins and ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.figures import notes, style, text
from simulator.figures.style import Line
from simulator.outcomes.uncertainty import FEWEST
from simulator.pathway.outcome_months import OutcomeMonths, in_words
from simulator.scenario.scenario import BREAK_EVEN
from simulator.wording import intervals
from simulator.wording.headline import scenario_in_words
from simulator.wording.intervals import Estimate
from simulator.wording.table import Row, Table, columns

FollowUp = tuple[float, float] | None
"""Months between which the cohort's follow-up ends; None if it is not declared."""

MOST_BANDS, MOST_CURVES = 2, 6
"""Bands of a panel at most, as more would hide one another, and curves: of more, a figure draws the differences."""

SAME = 0.01
"""Curves that nowhere differ by as much coincide: they have one band."""

BAND = 0.15
"""Opacity of a band."""

BOLD, THIN = 1.8, 0.8
"""Points of a curve while all patients are followed, and later."""


@dataclass(frozen=True)
class Curve:
    """S(t) of one scenario: months, survival, lower, upper : (n_months,), as probabilities; NaN without patients.

    draws : the parameter sets that the interval is over, where a table says it
    """

    scenario: str
    months: Floats
    survival: Floats
    lower: Floats
    upper: Floats
    draws: int = FEWEST

    @classmethod
    def of(cls, scenario: str, rows: pd.DataFrame) -> Curve:
        """Return the curve in rows with the columns month, survival, lower, upper, and perhaps draws."""
        names = ("month", "survival", "lower", "upper")
        months, survival, lower, upper = (rows[name].to_numpy(dtype=float) for name in names)
        draws = int(rows["draws"].iloc[0]) if "draws" in rows else FEWEST
        return cls(scenario, months, survival, lower, upper, draws)

    @property
    def label(self) -> str:
        """The scenario's name with its marginal benefit in words."""
        return scenario_in_words(self.scenario)

    @property
    def is_empty(self) -> bool:
        return not np.isfinite(self.survival).any()

    @property
    def has_band(self) -> bool:
        """Whether the interval is known at half of the months up to the last at which it is: less would be scraps."""
        known = np.flatnonzero(np.isfinite(self.upper))
        return bool(np.any(self.upper > self.lower)) and len(known) > 0.5 * known[-1]

    @property
    def has_gaps(self) -> bool:
        """Whether the interval is missing at a tenth of the months or more at which there are patients."""
        return not self.is_empty and float(np.mean(~np.isfinite(self.upper[np.isfinite(self.survival)]))) > 0.1

    def at(self, month: float) -> tuple[float, float, float]:
        """Return survival, lower, upper at a month, interpolated."""
        columns = (self.survival, self.lower, self.upper)
        survival, lower, upper = (float(np.interp(month, self.months, column)) for column in columns)
        return survival, lower, upper

    def estimate(self, month: float) -> Estimate:
        """Return the survival at a month, in per cent."""
        return replace(intervals.rounded(*self.at(month), "probability"), unit="%")

    def in_words(self, month: float) -> str:
        """Return "34 % (25 to 44)", the survival at a month."""
        return str(self.estimate(month))

    def coincides(self, other: Curve) -> bool:
        """Whether the curves differ by less than a point in all months; both have the same, and patients."""
        both = not (self.is_empty or other.is_empty) and len(self.months) == len(other.months)
        return both and bool(np.nanmax(np.abs(self.survival - other.survival)) < SAME)

    def between(self, start: float, end: float) -> Curve:
        """Return the part of the curve from one month to another, ends included."""
        inside = self.months[(self.months > start) & (self.months < end)]
        months = np.concatenate([[start], inside, [end]])
        parts = [np.interp(months, self.months, values) for values in (self.survival, self.lower, self.upper)]
        return replace(self, months=months, survival=parts[0], lower=parts[1], upper=parts[2])


def select(survival: pd.DataFrame, clock: str, population: str, scenarios: Iterable[str] = ()) -> list[Curve]:
    """Return the curves of a population on a clock, in the order of the scenarios; all if none is named."""
    chosen = survival[(survival["clock"] == clock) & (survival["population"] == population)].sort_values("month")
    tables = {str(name): rows for name, rows in chosen.groupby("scenario")}
    return [Curve.of(name, tables[name]) for name in scenarios or scenarios_in(survival) if name in tables]


def scenarios_in(frame: pd.DataFrame) -> list[str]:
    """Return the scenarios of a frame in their order."""
    return [str(name) for name in frame["scenario"].unique()]


def numbers(curves: Mapping[str, Curve], months: Iterable[float], clock: str) -> Table:
    """Return the survival at months and at the horizon, a row a curve. curves : by the label of the row"""
    known = {label: one for label, one in curves.items() if not one.is_empty}
    horizon = min((float(one.months[-1]) for one in known.values()), default=0.0)
    displayed = sorted({horizon, *(month for month in months if month <= horizon)})
    rows = [Row(label, [one.estimate(month) for month in displayed]) for label, one in known.items()]
    rows += [Row(label, ["no patients", *[""] * (len(displayed) - 1)]) for label in curves if label not in known]
    caption = f"Alive, in months since {clock}; intervals: 95 %, over {sets(known.values())}"
    return Table(columns("", *map(in_words, displayed)), rows, caption)


def reported_survival(cohort: Cohort | None, population: str, clock: str) -> pd.DataFrame:
    """Return a cohort's reported figures: see Cohort.reported_survival; no rows without a cohort."""
    return pd.DataFrame() if cohort is None else cohort.reported_survival(population, clock)


def within(reported: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return the reported figures up to a month."""
    return reported[reported["month"] <= end] if len(reported) else reported


def reported_in_words(reported: pd.DataFrame) -> str:
    """Return "72 \N{PLUS-MINUS SIGN} 11 % at 12 months (13 of 18)", for each figure; the patients stay in one line."""
    return "; ".join(map(_point_in_words, reported.to_dict("records")))


def _point_in_words(row: Mapping[Any, Any]) -> str:
    error = row["standard_error"]
    deviation = f" \N{PLUS-MINUS SIGN} {error:g}" if error == error else ""
    of_all = f"({row['count']:g} of {row['n']:g})".replace(" ", text.HELD)
    return f"{row['value']:g}{deviation} % at {in_words(row['month'])} {of_all}"


def follow_up(cohort: Cohort | None, clock: str) -> FollowUp:
    """Return the follow-up of a cohort on its own clock."""
    return cohort.follow_up if cohort is not None and cohort.clock == clock else None


def draw(
    axes: Axes,
    curves: Sequence[Curve],
    lines: Mapping[str, Line],
    *,
    reported: pd.DataFrame,
    followed: FollowUp,
    end: float,
    ticks: int,
    label: str,
) -> None:
    """Draw curves up to a month, with the reported figures and the marks of follow-up.

    ticks : months on the axis at most; label : of that axis
    """
    percent_axis(axes)
    month_axis(axes, end, ticks, label)
    with_bands = {one.scenario for one in banded(curves)}
    for curve in curves:
        if not curve.is_empty:
            _plot(axes, curve, lines[curve.scenario], followed, end, BAND if curve.scenario in with_bands else 0.0)
    for month in followed or ():
        if month < end:
            axes.axvline(month, color=style.FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
    plot_reported(axes, reported, end=end)


def drawn_as_curves(curves: Iterable[Curve]) -> list[Curve]:
    """Return the curves without the smallest share that must benefit: it differs by the margin, and is a figure."""
    return [one for one in curves if not one.scenario.endswith(f"@{BREAK_EVEN}")]


def at_most_six(curves: Iterable[Curve]) -> list[Curve]:
    """Return the curves of one panel; of too many, policies at their own benefit; if still too many, the first."""
    drawn = drawn_as_curves(curves)
    if len(drawn) > MOST_CURVES:
        drawn = list({style.family(one.scenario): one for one in reversed(drawn)}.values())[::-1]
    return drawn if len(drawn) <= MOST_CURVES else drawn[:1]


def left_out(every: Iterable[Curve], drawn: Iterable[Curve]) -> list[str]:
    """Return the sentence that policies are too many curves, if some are not drawn."""
    return not_drawn((one.scenario for one in every), (one.scenario for one in drawn), "curves")


def not_drawn(every: Iterable[str], drawn: Iterable[str], what: str) -> list[str]:
    """Return the sentence that the policies of scenarios are too many to draw, if some are not drawn."""
    policies = set(map(style.family, every)) - set(map(style.family, drawn))
    return [f"{len(policies)} policies are too many {what}: what they change is drawn as differences."] * bool(policies)


def answers_month(curves: Iterable[Curve], months: OutcomeMonths) -> float:
    """Return the answer's month, or the last one of the curves with patients if that is earlier."""
    return min([months.answer, *(float(one.months[-1]) for one in curves if not one.is_empty)])


def banded(curves: Sequence[Curve]) -> list[Curve]:
    """Return the curves that get their bands: the first and one of a policy, or one of them if they coincide."""
    first, others = curves[:1], curves[1:]
    policies = [one for one in others if style.family(one.scenario) != style.family(first[0].scenario)]
    pair = [*first, *(policies or others)][:MOST_BANDS]
    return [one for place, one in enumerate(pair) if one.has_band and not (place and one.coincides(pair[0]))]


def thinning_in_words(followed: FollowUp, end: float) -> list[str]:
    """Return the sentence on curves that are drawn thin, and dashed, where they are. end : the last month drawn"""
    if followed is None or followed[0] >= end:
        return []
    thins, ends = followed
    dashed = f", dashed from month {ends:g}: none" if ends < end else ""
    return [f"Thin from month {thins:g}: fewer are followed{dashed}."]


def marks_in_words(drawn: Sequence[Sequence[Curve]], reported: Sequence[pd.DataFrame]) -> list[str]:
    """Return the meaning of bands and circles, and that bands are missing. drawn, reported : of every panel"""
    sentences = []
    every = [curve for curves in drawn for curve in curves]
    if not any(curve.has_band for curve in every):
        sentences.append(f"No bands. {unseen(every)}")
    else:
        names = {" and ".join(one.label for one in banded(curves)) for curves in drawn}
        of_two = names.pop() if len(names) == 1 else "the first and the policy of a panel"
        some = f" (of {of_two})" if any(len(curves) > MOST_BANDS for curves in drawn) else ""
        sentences.append(f"Bands{some}: 95 % interval over {sets(every)}.")
        if any(curve.has_gaps for curve in every):
            sentences.append("Where a band is missing, too few runs show it.")
    return [*sentences, notes.REPORTED] if any(len(rows) for rows in reported) else sentences


def sets(curves: Iterable[Curve]) -> str:
    """Return what the intervals of curves are over."""
    return intervals.sets(fewest_draws(curves))


def unseen(curves: Iterable[Curve]) -> str:
    """Return that curves have no intervals, and why."""
    return intervals.unseen(fewest_draws(curves))


def fewest_draws(curves: Iterable[Curve]) -> int:
    """Return how many parameter sets curves are of."""
    return min((one.draws for one in curves), default=FEWEST)


def _plot(axes: Axes, curve: Curve, line: Line, followed: FollowUp, end: float, band: float) -> None:
    """Draw a curve; band : the opacity of its interval (0: none)."""
    thins, ends = followed or (end, end)
    end = min(end, float(curve.months[-1]))
    # Bold while all are followed; then thin, as a lighter colour would be too faint; then dashed, too.
    looks = [
        (0.0, thins, line.dash, BOLD, band),
        (thins, ends, line.dash, THIN, 0.5 * band),
        (ends, end, style.SPARSE, THIN, 0.3 * band),
    ]
    for start, stop, dash, width, opacity in looks:
        if start >= end:
            break
        # The curve of a landmark analysis begins at the landmark.
        part = curve.between(max(start, float(curve.months[0])), min(stop, end))
        axes.plot(
            part.months, 100 * part.survival, color=line.colour, linestyle=dash, linewidth=width, solid_capstyle="butt",
            zorder=3,
        )  # fmt: skip
        if band and curve.has_band:
            lower, upper = 100 * part.lower, 100 * part.upper
            axes.fill_between(part.months, lower, upper, color=line.colour, alpha=opacity, linewidth=0, zorder=1)
            for edge in (lower, upper):
                axes.plot(part.months, edge, color=line.colour, alpha=3 * opacity, linewidth=0.5, zorder=2)


def plot_reported(axes: Axes, reported: pd.DataFrame, *, end: float) -> None:
    """Draw the cohort's printed figures with their standard errors.

    reported : see Cohort.reported_survival, and perhaps the `colour` of each figure, if not of ink
    """
    rows = within(reported, end)
    if not len(rows):
        return
    # Figures of one month stand next to one another.
    months = rows.groupby("month")["month"]
    across = rows["month"] + 0.04 * end * (months.cumcount() - (months.transform("size") - 1) / 2)
    colours = rows["colour"] if "colour" in rows else pd.Series(style.INK, rows.index)
    for colour, of_colour in rows.assign(across=across).groupby(colours):
        axes.errorbar(
            of_colour["across"], of_colour["value"], yerr=of_colour["standard_error"], fmt="o", markersize=5.5,
            markerfacecolor="white", markeredgecolor=str(colour), markeredgewidth=1.3, ecolor=str(colour),
            elinewidth=1.1, capsize=2.5, clip_on=False, zorder=5,
        )  # fmt: skip


def percent_axis(axes: Axes, *, label: str = "Patients alive (%)") -> None:
    """Set 0 to 100 % upwards, with hairlines."""
    axes.set(ylim=(0, 102), yticks=[0, 25, 50, 75, 100], ylabel=label)
    axes.grid(axis="y", zorder=0)


def month_axis(axes: Axes, end: float, at_most: int, label: str) -> None:
    """Set months from 0 to `end` across, with a label that is no wider than the panel."""
    axes.set(xlim=(0, end), xticks=month_ticks(end, at_most), xlabel=text.fitted(label, inches_across(axes)))


def inches_across(axes: Axes) -> float:
    """Return the width of a panel."""
    return axes.get_position().width * axes.get_figure(root=True).get_figwidth()  # type: ignore[union-attr]


def month_ticks(end: float, at_most: int) -> list[float]:
    """Return round months from 0 to `end`, not many more than `at_most`."""
    steps = (0.5, 1, 2, 3, 6, 12, 24, 36, 48, 60, 120, 240)
    step = next((step for step in steps if end / step <= at_most - 1), 480)
    return [float(month) for month in np.arange(0, end + 1e-9, step)]
