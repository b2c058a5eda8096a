"""External validation and the marginal benefit from other cohorts, in sentences. Terminal and figure print the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.evidence.cohort import cohort_folder
from simulator.wording import rounding
from simulator.wording.intervals import Row

if TYPE_CHECKING:
    import pandas as pd

    from calibration.likelihood.targets import Targets
    from calibration.transport.marginal_benefit import Benefit
    from simulator.pathway.pathway import Pathway

CAPTION = (
    "Predicted: mean and 95 % interval of cohorts of that size. As extreme: share of simulated cohorts at least as far "
    "out as the reported figure, on the nearer side"
)
NOTE = (
    "External validation (ISPOR-SMDM): the parameters were not fitted to these cohorts. If a cohort's paper gave a "
    "prior its centre, a note says so. A wide interval confirms little."
)
SAME = "the parameters were fitted to other figures of the same patients, so this is not external validation"
TRANSPORT = (
    "The marginal benefit is an extrapolation between cohorts of different patients at different places, not a "
    "measured effect of a treatment."
)


def note(every: Sequence[Targets], benefit: Benefit | None) -> str:
    """Return whether the cohorts are external, and what the marginal benefit means if there is one."""
    return _external(every) if benefit is None else f"{_external(every)} {TRANSPORT}"


def _external(every: Sequence[Targets]) -> str:
    """Return which cohorts are other patients than the fitted ones."""
    fitted = {folder.resolve() for targets in every if (folder := cohort_folder(targets.pathway)) is not None}
    names = [targets.cohort.name for targets in every if targets.folder.resolve() in fitted]
    if not names:
        return NOTE
    text = f"{', '.join(names)}: {SAME}."
    return text if len(names) == len(every) else f"{text} {NOTE.replace('these cohorts', 'the other cohorts')}"


def answer(table: pd.DataFrame) -> str:
    """Return the misses; without any, the number of figures within their intervals and the nearest to a miss."""
    missed = table[table["inside"] != "yes"]
    source = f"reported by {table['cohort'].nunique()} cohort{'s' if table['cohort'].nunique() > 1 else ''}"
    if len(missed):
        misses = [f"{figure(row)}, {in_words(row)}" for row in missed.to_dict("records")]
        are = "is a miss" if len(missed) == 1 else "are misses"
        return f"{len(missed)} of {len(table)} figures {source} {are}: {'; '.join(misses)}."
    row = min(table.to_dict("records"), key=lambda row: min(row["at_most"], row["at_least"]))
    inside = f"{len(table)} of {len(table)} figures {source} lie within the 95 % predictive interval"
    return f"{inside}. The nearest to a miss: {figure(row)}, {in_words(row)}."


def figure(row: Row) -> str:
    """Return the name of a reported figure: "cohort: survivors 12"."""
    return f"{row['cohort']}: {row['target'].replace('_', ' ')}"


def in_words(row: Row) -> str:
    """Return "35 % reported, 54 % predicted (32 to 74)", with ", a miss" for a miss."""
    unit, figures = str(row["unit"]), rounded(row)
    miss = "" if row["inside"] == "yes" else ", a miss"
    return f"{figures[0]} {unit} reported, {figures[1]} {unit} predicted ({figures[2]} to {figures[3]}){miss}"


def rounded(row: Row) -> list[str]:
    """Return the reported figure, the predicted figure, and the ends of its interval, all rounded."""
    unit, predicted = str(row["unit"]), float(row["predicted"])
    values = [float(row["reported"]), predicted, float(row["lower"]), float(row["upper"])]
    estimates = [values[0], predicted, predicted, predicted]
    return [
        "not reached" if math.isinf(value) else rounding.number(value, unit, end_of=estimate)
        for value, estimate in zip(values, estimates, strict=True)
    ]


def of_benefit(benefit: Benefit) -> str:
    """Return the marginal benefit that the cohorts together suggest."""
    row = next(benefit.summary[benefit.summary["how"] == benefit.chosen].itertuples())
    mean, lower, upper = (100.0 * float(getattr(row, column)) for column in ("mean", "lower", "upper"))
    cohorts = "cohorts that treated more suggest"
    source = f"{row.cohorts} {cohorts}" if row.cohorts != 1 else "a cohort that treated more suggests"
    wide = ": compatible with almost all benefiting, or almost none" if lower < 10.0 and upper > 90.0 else ""
    return (
        f"Of 100 additional patients under a policy, {source} that {mean:.0f} benefit as today's patients do "
        f"(95 % interval {lower:.0f} to {upper:.0f}){wide}."
    )


def benefit_caption(pathway: Pathway) -> str:
    """Return the heading of the marginal benefit, which names the draws that the other cohorts do not change."""
    draws = str(pathway.draws)
    fixed = f"the posterior of {draws}"
    if draws.endswith(".csv"):
        fixed = f"the parameter sets of pathway '{pathway.name}', {draws}"
    return f"Marginal benefit (share of additional patients who benefit), under {fixed}; 95 % intervals"
