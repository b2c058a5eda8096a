"""What a calibration found, and whether a check of it passes, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.evidence.cohort import CONFLICT, UNINFORMED, Cohort, is_in_conflict, is_silent
from simulator.wording import rounding
from simulator.wording.intervals import Row

if TYPE_CHECKING:
    import pandas as pd

    from calibration.fit import Fit
    from calibration.validation.check import Check
    from simulator.pathway.pathway import Pathway

NOT_FITTED = "The model has not been fitted to the cohort, so there are no simulated figures to compare."
NO_PARAMETERS = "The pathway has no parameters: its numbers are in the pathway file."
SAME_INFORMATION = "* Other rows report the same information, so the fit was not without it."

NAMED = 3
"""Quantities that a title names."""

USES = {
    "likelihood": "Used for fitting",
    "predictive": "Compared only, not fitted",
    "case_mix": "Case mix, as simulated",
}
"""What a target is used for, in words."""


def predictions(figures: pd.DataFrame) -> str:
    """Return how many reported figures the simulated cohorts predict, and how little that proves."""
    inside = int((figures["inside"] != "no").sum())
    reported, lower, upper = (figures[name] for name in ("reported", "prior_lower", "prior_upper"))
    before = int(((lower - 1e-9 <= reported) & (reported <= upper + 1e-9)).sum())
    fitted = int((figures["use"] == "likelihood").sum())
    prior = f", and {before} lie inside before the fit, by the prior alone" if lower.notna().any() else ""
    return (
        f"Of {len(figures)} reported figures, {inside} lie inside their 95 % predictive interval. This proves little: "
        f"{fitted} of them were fitted{prior}. Every parameter set simulates new patients, followed up alike, as many "
        "as each figure is of. Sizes of groups are predicted of the whole cohort."
    )


def farthest(figures: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Return the shares simulated more than a standard error from their report. names : target -> in words"""
    shares = figures[(figures["unit"] == "%") & (figures["standard_error"] > 0.0)]
    errors = ((shares["simulated"] - shares["reported"]) / shares["standard_error"]).abs()
    rows = shares.assign(errors=errors)[errors > 1.0].sort_values("errors", ascending=False, kind="stable")
    deviations = [
        f"{names[row['target']]}, {_percent(row['simulated'])} ({_percent(row['reported'])} reported)"
        for row in rows.to_dict("records")[:NAMED]
    ]
    return f"Farthest from the report, by more than a standard error: {'; '.join(deviations)}." if deviations else ""


def _percent(value: float) -> str:
    return f"{rounding.number(value / 100.0, 'probability')} %"


def informed(pathway: Pathway, fitted: Sequence[Row], cohort: Cohort | None) -> str:
    """Return how many parameters the cohort informs. fitted : rows of its posterior"""
    total = len(pathway.parameters)
    if not fitted or cohort is None:
        return f"{total} parameters, at the values that the pathway file declares."
    silent = sum(is_silent(row) for row in fitted)
    return (
        f"{total} parameters: {total - len(fitted)} fixed, {len(fitted) - silent} informed by the {cohort.n} patients, "
        f"and {silent}, marked, that rest on the prior. Contraction is 1 minus the ratio of posterior to prior "
        f"variance. A parameter is marked if its contraction is below {UNINFORMED:g} and its mean moved by less than "
        "half a prior standard deviation. Values are means with 95 % intervals."
    )


def conflicts(fitted: Sequence[Row]) -> str:
    """Return which parameters' priors conflict with the data. fitted : rows of the posterior"""
    known = [row for row in fitted if row.get("conflict", math.nan) == row.get("conflict", math.nan)]
    parameters = [
        f"{row['parameter']} ({rounding.fixed(row['conflict'], 1, sign='+')})" for row in known if is_in_conflict(row)
    ]
    by = f"by more than {CONFLICT:g} standard deviations of where the posterior mean may fall; 1 in 20 does by chance"
    return f"The data conflict with the prior of: {', '.join(parameters)} ({by})." if parameters else ""


def sample(fit: Fit) -> str:
    """Return how good the sample of a fit is."""
    quality = fit.diagnostics
    figures = (
        f"Sample: {quality.points} points, effective size {quality.effective_sample_size:.0f}, Pareto k-hat "
        f"{quality.k_hat:.2f}, largest weight {quality.largest_weight:.2%}, unique draws {quality.unique_share:.0%}"
    )
    return ". ".join(filter(None, [figures, quality.why_k_hat_passes]))


def verdict(check: Check) -> str:
    """Return in a sentence whether ranks are uniform, intervals cover, and the lattice is fine enough."""
    name, n = check.targets.cohort.name, check.targets.cohort.n
    of = f"in {len(check.ranks)} fits of simulated cohorts of {n}"
    if not (failed := check.failures()):
        return (
            f"The calibration of {name} recovers the true values: {of}, all {check.ranks.shape[1]} quantities rank "
            "uniformly, and intervals cover the truth as often as they should."
        )
    sentence = f"The calibration of {name} fails a check: {of}, {'; '.join(failed)}."
    return f"{sentence} {_by_chance(check)}" if check.ranks_fail() else sentence


def ranks_title(verdict: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Return whether all true values rank as they should. names : quantity -> in words"""
    outside = list(verdict.loc[verdict["uniform"] == "no", "quantity"])
    if not outside:
        return f"{_all(len(names), 'quantity ranks', 'quantities rank')} uniformly, as they should"
    return f"{len(outside)} of {len(names)} quantities {_do(outside)} not rank uniformly: {_named(outside, names)}"


def coverage_title(coverage: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Return whether all intervals cover the truth as often as they should. names : quantity -> in words"""
    outside = list(dict.fromkeys(coverage.loc[coverage["inside"] == "no", "quantity"]))
    often = "the true value as often as they should"
    if not outside:
        return f"Intervals of {_all(len(names), 'quantity', 'quantities').lower()} cover {often}"
    return f"Intervals of {len(outside)} of {len(names)} quantities do not cover {often}: {_named(outside, names)}"


def _do(outside: Sequence[str]) -> str:
    return "does" if len(outside) == 1 else "do"


def _all(count: int, one: str, many: str) -> str:
    return f"The one {one}" if count == 1 else f"All {count} {many}"


def _named(outside: Sequence[str], names: Mapping[str, str]) -> str:
    more = f" and {len(outside) - NAMED} more" if len(outside) > NAMED else ""
    return f"{', '.join(names[name] for name in outside[:NAMED])}{more}"


def _by_chance(check: Check) -> str:
    """Return how often a right calibration fails by chance, and how to find out."""
    by_chance = f"{100 * check.false_alarm:g}"
    return (
        f"Of 100 checks of a correct calibration, {by_chance} find uneven ranks by chance, and {by_chance} such "
        "intervals. To see whether this is chance, use another --seed and --out, or more --fits."
    )


def power(check: Check) -> str:
    """Return the largest error that this number of fits would miss."""
    narrowest = 100 * check.narrowest_band
    return f"With {len(check.ranks)} fits, shares of ranks up to {narrowest:.0f} points wrong still pass as uniform."


def lattice(check: Check) -> str:
    """Return how much a finer lattice changes the likelihood."""
    error, limit = f"{check.lattice_error:.4f}", check.largest_lattice_error
    return f"Halving the lattice step changes the log-likelihood by {error} at most (limit {limit})."
