"""The checks of a cohort's figures before they are used: every one by itself, against the pathway and the cohort."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from calibration.reported import percentages, population_sizes
from calibration.reported.kinds.all import KINDS
from calibration.reported.kinds.kind import BY_KIND, Kind
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

USES = ("likelihood", "predictive", "case_mix", "setting", "validation")
HORIZON = 240.0
"""Months that are simulated."""


def check_somebody(figures: Sequence[Kind]) -> None:
    """Refuse a reported figure of nobody, as a simulated one may be. Raises InputError naming file and line."""
    for figure in figures:
        if figure.n == 0:
            raise InputError("a figure for no patients", where=f"{figure.where}, n", got="0", allowed="1 or more")


def check_cohort(figures: Sequence[Kind], cohort: Cohort, pathway: Pathway) -> None:
    """Refuse a cohort.toml that does not fit the pathway, or a bad figure. Raises InputError naming file and line."""
    file = cohort.file
    if cohort.clock not in pathway.clocks:
        raise UnknownNameError("clock", cohort.clock, pathway.clocks, f"{file}: clock")
    for arm in sorted({arm for members in cohort.arms.values() for arm in members}):
        if arm != "all" and arm not in pathway.groups:
            raise UnknownNameError("group", arm, pathway.groups, f"{file}: [arms]")
    for name, end_point in cohort.end_points.items():
        for cause, states in end_point.causes.items():
            for state in states:
                if state not in pathway.states:
                    raise UnknownNameError(
                        "state", state, pathway.states, f"{file}: [end_points.{name}] causes.{cause}"
                    )
    if cohort.follow_up is not None and not 0 <= cohort.follow_up[0] < cohort.follow_up[1]:
        at, allowed = f"{file}: [follow_up]", "0 <= lower < upper"
        raise InputError("not an interval", where=at, got=cohort.follow_up, allowed=allowed)
    mix = population_sizes.mix(figures)
    for figure in figures:
        _check_names(figure, cohort, pathway)
        _check_columns(figure)
        _check_numbers(figure, cohort)
        figure.check(cohort, pathway)
        if figure.is_fitted:
            _check_clock(figure, cohort, pathway)
            figure.check_fitted(cohort, pathway, mix)
    for figure in figures:
        _check_size(figure, cohort)
        figure.check_printed(cohort)


def _check_names(figure: Kind, cohort: Cohort, pathway: Pathway) -> None:
    at = figure.where
    if figure.use not in USES:
        raise UnknownNameError("use", figure.use, USES, at)
    if figure.unit and figure.unit not in figure.units:
        raise UnknownNameError(f"unit of kind '{figure.kind}'", figure.unit, figure.units, at)
    if not figure.place.strip():
        raise InputError("a target has no place in its source", where=at, got=figure.name, allowed="where it is read")
    if figure.state and figure.state not in figure.states(pathway):
        raise UnknownNameError(figure.what_state, figure.state, figure.states(pathway), at)
    levels = [f"{name}={level}" for name, attribute in pathway.attributes.items() for level in attribute.levels]
    if figure.population not in cohort.arms and figure.population not in levels:
        raise UnknownNameError("population", figure.population, [*cohort.arms, *levels], at)
    if figure.attribute and figure.attribute not in levels:
        raise UnknownNameError("attribute", figure.attribute, levels, at)
    if figure.use == "case_mix" and not figure.attribute:
        allowed = f"one of {', '.join(levels)}"
        raise InputError("a case_mix row without an attribute", where=at, got=figure.name, allowed=allowed)
    if figure.use == "case_mix" and not figure.counts_sizes:
        raise InputError("a case_mix row of another kind", where=at, got=figure.kind, allowed='"patients"')


def _check_columns(figure: Kind) -> None:
    """Refuse a filled cell that the figure's kind does not read, and a blank one that it needs."""
    for column in BY_KIND:
        cell = figure.cell(column)
        if cell and column not in figure.columns():
            readers = ", ".join(name for name, kind in KINDS.items() if column in kind.columns())
            raise InputError(
                f"kind '{figure.kind}' does not read `{column}`",
                where=f"{figure.where}, {column}",
                got=cell,
                allowed=f"blank (what the source adds goes into `note`); read by {readers}",
            )
        if column in figure.needs and not cell:
            needed = ", ".join(f"`{need}`" for need in figure.needs)
            what = f"kind '{figure.kind}' needs `{column}`, which is blank"
            raise InputError(what, where=figure.where, got=figure.name, allowed=f"{needed} as the source prints them")


def _check_numbers(figure: Kind, cohort: Cohort) -> None:
    at, count, n = figure.where, figure.count, figure.n
    if isfinite(n) and (n != int(n) or n < 0):
        raise InputError("not whole patients", where=f"{at}, n", got=f"{n:g}", allowed="1 or more")
    percentages.check_error(figure, is_open=figure.is_open)
    if isfinite(n) and n > cohort.n:
        raise InputError("more patients than the cohort has", where=at, got=int(n), allowed=f"up to {cohort.n}")
    if isfinite(figure.month) and not (0 < figure.month <= HORIZON or figure.is_start):
        what = "a month that is not simulated"
        allowed = f"months above 0, up to {HORIZON:g}; at month 0, survival of 100 % and all `n` at risk"
        raise InputError(what, where=f"{at}, month", got=f"{figure.month:g}", allowed=allowed)
    if cohort.follow_up is not None:
        _check_followed(figure, cohort.follow_up[1])
    if not isfinite(count):
        return
    if count != int(count):
        raise InputError("not whole patients", where=at, got=f"{count:g} of {n:g}")
    if not 0 <= count <= n:
        what = "a count below 0" if count < 0 else "more than the total"
        raise InputError(what, where=at, got=f"{count:g} of {n:g}", allowed=f"0 to {n:g}")


def _check_followed(figure: Kind, end: float) -> None:
    """Refuse a figure of a month after the last follow-up, and a quantile of times that lies there."""
    column = figure.dated
    month = figure.range_of("value")[0] if column == "value" else figure.month
    if column and month > end:
        what = f"{figure.kind.replace('_', ' ')} after the last follow-up"
        got, allowed = figure.cell(column), f"up to {end:g}, or a later end of [follow_up]"
        raise InputError(what, where=f"{figure.where}, {column}", got=got, allowed=allowed)


def _check_size(figure: Kind, cohort: Cohort) -> None:
    """Refuse figures of more patients than their population has.

    The n of counts that are not fitted may be larger, as where responses are of everybody treated. The size of an arm
    is compared with those of others in `contradictions`, which names the rows: up to that size no other row is wrong.
    """
    if figure.counts_sizes and not figure.attribute:
        return
    most = max(population_sizes.most(cohort, figure.population), cohort.sizes.get(figure.population, 0))
    may_be_of_more = figure.is_count and not figure.is_fitted
    patients = figure.count if may_be_of_more or figure.counts_sizes else figure.n
    if patients > most:
        what = f"more patients than {figure.population} has"
        raise InputError(what, where=figure.where, got=int(patients), allowed=f"up to {most}")


def _check_clock(figure: Kind, cohort: Cohort, pathway: Pathway) -> None:
    if cohort.clock != pathway.clock:
        what = "only figures on the pathway's first clock can be fitted"
        raise InputError(what, where=figure.where, got=cohort.clock, allowed='use = "validation"')
