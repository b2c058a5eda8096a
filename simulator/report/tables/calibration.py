"""A calibration as tables: reported figures next to simulated ones, parameters, and the check of a fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.evidence.cohort import Cohort, is_silent
from simulator.pathway.outcome_months import alive_at, in_words, mean_to
from simulator.pathway.pathway import Parameter, Pathway
from simulator.scenario.scenario import LEVERS, Scenario
from simulator.wording import calibration, intervals, reported, rounding
from simulator.wording.intervals import Estimate
from simulator.wording.table import Bar, Cell, Column, Part, Row, Table, columns

if TYPE_CHECKING:
    from calibration.fit import Fit
    from calibration.validation.check import Check


def predictive(cohort: Cohort, pathway: Pathway) -> Iterator[Part]:
    """Yield every reported figure next to the same figure of simulated cohorts of that size, a table a use."""
    if cohort.predictive is None:
        yield calibration.NOT_FITTED
        return
    targets = cohort.targets.set_index("name", drop=False)
    is_shown = cohort.predictive["target"].isin(targets.index) & cohort.predictive["use"].isin(calibration.USES)
    figures = cohort.predictive[is_shown]
    named = reported.with_end_points(cohort.named(pathway), cohort)
    words = {row["name"]: reported.figure(row, named) for row in cohort.targets.to_dict("records")}
    yield " ".join(filter(None, [calibration.predictions(figures), calibration.farthest(figures, words)]))
    heads = [
        *columns("Reported figure", "Reported", "Simulated"),
        Column("Before the fit", page_only=True),
        Column("Interval (tick: reported)", page_only=True),
        Column("Inside"),
        Column("Place", is_number=False, page_only=True),
    ]
    for use, caption in calibration.USES.items():
        rows = [
            _predicted(figure, targets.loc[figure["target"]].to_dict(), cohort, named)
            for figure in figures[figures["use"] == use].to_dict("records")
        ]
        if rows:
            yield Table(heads, rows, caption, style="numbers predictive")


def _predicted(figure: intervals.Row, target: intervals.Row, cohort: Cohort, pathway: Pathway) -> Row:
    simulated = intervals.estimate({**figure, "estimate": figure["simulated"]})
    prior = {name: figure[f"prior_{name}"] for name in ("simulated", "lower", "upper")}
    before = intervals.estimate({**figure, **prior, "estimate": prior["simulated"]})
    bar, inside = Cell(bar=_range(figure, cohort.n)), figure["inside"]
    cells = [reported.reported(figure, target), simulated, before, bar, inside, figure["place"]]
    return Row(reported.target(target, pathway), cells, style="" if inside == "yes" else "outside")


def _range(figure: intervals.Row, n: int) -> Bar | None:
    """Return the interval and the reported figure as shares of 100 %, of n, or of the maximum."""
    lower, upper, reported = (float(figure[column]) for column in ("lower", "upper", "reported"))
    if not all(math.isfinite(value) for value in (lower, upper, reported)):
        return None
    whole = float(figure["n"]) if math.isfinite(figure["n"]) else float(n)
    most = {"%": 100.0, "patients": max(whole, upper)}.get(figure["unit"], 1.05 * max(upper, reported)) or 1.0
    return Bar(lower / most, upper / most, reported / most)


def register(pathway: Pathway, scenarios: Sequence[Scenario], cohort: Cohort | None) -> Iterator[Part]:
    """Yield the assumption register: each parameter's meaning, value or posterior, source, and who changes it."""
    if not pathway.parameters:
        yield calibration.NO_PARAMETERS
        return
    table = None if cohort is None else cohort.posterior
    posterior = {} if table is None else {str(row["parameter"]): row for row in table.to_dict("records")}
    fitted_rows = [posterior[name] for name in pathway.parameters if name in posterior]
    yield calibration.informed(pathway, fitted_rows, cohort)
    yield calibration.conflicts(fitted_rows)
    rows = [
        _parameter(parameter, posterior.get(parameter.name), scenarios, cohort)
        for parameter in pathway.parameters.values()
    ]
    yield Table(columns("Parameter", "Value", "Contraction", "Lever", "Source"), rows, style="register")


def _parameter(
    parameter: Parameter, posterior: intervals.Row | None, scenarios: Sequence[Scenario], cohort: Cohort | None
) -> Row:
    unit = "" if parameter.unit in ("number", "probability") else parameter.unit
    contraction, style = Cell(), ""
    if posterior is None or cohort is None:
        value = Estimate(reported.digits(parameter.value, parameter.unit), unit=unit)
        origin = "fixed" if parameter.prior is None else "as declared"
    else:
        mean, *ends = _digits(posterior, "posterior", parameter.unit)
        value = Estimate(mean, (ends[0], ends[1]), unit=unit)
        origin = "prior {} ({} to {})".format(*_digits(posterior, "prior", parameter.unit))
        contraction, style = _contraction(posterior, cohort), "uninformed" if is_silent(posterior) else ""
    changes = [_change(scenario, parameter.name) for scenario in scenarios if "@" not in scenario.name]
    notes = [("prior", origin), *(("changed", change) for change in changes if change)]
    label = Cell(parameter.name, notes=[("meaning", parameter.meaning)])
    cells = [Cell(value, notes=notes), contraction, "yes" if parameter.lever else "", parameter.source]
    return Row(label, cells, style=style)


def _digits(posterior: intervals.Row, when: str, unit: str) -> list[str]:
    """Return the rounded mean and ends of the interval. when : `prior` or `posterior`"""
    return [reported.digits(float(posterior[f"{when}_{name}"]), unit) for name in ("mean", "lower", "upper")]


def _contraction(posterior: intervals.Row, cohort: Cohort) -> Cell:
    value = float(posterior["contraction"])
    if not math.isfinite(value):
        return Cell()
    mark = [("mark", f"not informed by the {cohort.n} patients")] if is_silent(posterior) else []
    return Cell(Estimate(rounding.fixed(value, 2)), Bar(0.0, min(max(value, 0.0), 1.0)), mark)


def _change(scenario: Scenario, name: str) -> str:
    """Return a scenario's change of a parameter in words; empty without a change."""
    words = {"set": "", "scale": "times ", "odds_ratio": "odds times "}
    for lever in LEVERS:
        levers: Mapping[str, float] = getattr(scenario, lever)
        if name in levers:
            return f"{scenario.name}: {words[lever]}{levers[name]:g}"
    if name in scenario.replace:
        return f"{scenario.name}: takes over {scenario.replace[name]}"
    return ""


def fitted(fit: Fit) -> Iterator[Part]:
    """Yield the prior and posterior of each parameter, and how good the sample is."""
    rows = []
    for row in fit.posterior.to_dict("records"):
        before, after = (mean(row, when) for when in ("prior", "posterior"))
        rows.append(Row(row["parameter"], [before, after, rounding.fixed(row["contraction"], 2)]))
    caption = f"Means (95 % intervals); learned (contraction): 1 {rounding.MINUS} posterior / prior variance"
    yield Table(columns("parameter", "prior", "posterior", "learned"), rows, caption)
    yield calibration.conflicts(fit.posterior.to_dict("records"))
    yield calibration.sample(fit)


def mean(row: intervals.Row, when: str) -> Estimate:
    """Return the mean and interval of a parameter, with two digits of the upper limit: 0.002 a month is not 0.00."""
    middle, lower, upper = (row[f"{when}_{statistic}"] for statistic in ("mean", "lower", "upper"))
    places = 1 if upper >= 10 else 2 if upper >= 0.1 or upper <= 0 else min(6, 1 - math.floor(math.log10(upper)))
    return Estimate(f"{middle:.{places}f}", (f"{lower:.{places}f}", f"{upper:.{places}f}"))


def checked(check: Check) -> Iterator[Part]:
    """Yield the verdict, the coverage, the cross-validation, the lattice error, and the limits."""
    yield calibration.verdict(check)
    if len(check.ranks):
        yield _coverage(check)
    for reason, count in check.refused.items():
        yield f"{count} of {len(check.trials)} simulated cohorts could not be fitted: {reason}."
    yield _cross_validation(check)
    yield calibration.lattice(check)
    yield check.manifest()["note"]


def _coverage(check: Check) -> Table:
    """Return how often intervals cover the truth: of two quantities, and the range over all."""
    levels = sorted(set(check.coverage["level"]))
    by_level = [check.coverage[check.coverage["level"] == level].set_index("quantity") for level in levels]
    months = check.targets.pathway.months
    named = {
        alive_at(months.answer): f"OS at {in_words(months.answer)}",
        mean_to(months.early): f"mean survival to month {months.early:g}",
    }
    rows = [Row(words, [_covered(table.loc[name]) for table in by_level]) for name, words in named.items()]
    spans = [f"{100 * table['share'].min():.0f} to {100 * table['share'].max():.0f}" for table in by_level]
    rows.append(Row(f"least and most of all {len(by_level[0])} quantities", spans))
    caption = f"Intervals that cover the truth, % of {len(check.ranks)} fits (range by chance)"
    headings = columns("", *(f"{100 * level:g} %" for level in levels))
    return Table(headings, rows, caption, [calibration.power(check)])


def _covered(row: intervals.Row) -> Estimate:
    least, most = (f"{100 * row[end] / row['fits']:.0f}" for end in ("lower", "upper"))
    return Estimate(f"{100 * row['share']:.0f}", (least, most))


def _cross_validation(check: Check) -> Table:
    records = check.cross_validation.to_dict("records")
    predicted = [row for row in records if row["inside"]]
    rows, notes = [], [f"{_name(row)}: {row['how']}." for row in records if not row["inside"]]
    for row in predicted:
        places = 1 if row["unit"] == "months" else 0
        reported = f"{row['reported']:.{places}f} {row['unit']}"
        ends = f"{row['lower']:.{places}f} to {row['upper']:.{places}f}"
        rows.append(Row(_name(row) + " *" * (row["informs"] != "yes"), [reported, ends, row["inside"]]))
    if any(row["informs"] == "no" for row in records):
        notes.append(calibration.SAME_INFORMATION)
    inside = sum(row["inside"] == "yes" for row in predicted)
    caption = f"Each figure, predicted by a fit without it: {inside} of {len(predicted)} are within 95 % intervals"
    return Table(columns("figure", "reported", "predicted", "inside"), rows, caption, notes)


def _name(row: intervals.Row) -> str:
    return str(row["target"]).replace("_", " ")
