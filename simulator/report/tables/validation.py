"""The report of `aftercart validate`: the number of figures inside and the misses, then all figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.report.table import Part, Row, Table, columns
from simulator.wording import validation
from simulator.wording.intervals import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from calibration.likelihood.targets import Targets
    from calibration.transport.marginal_benefit import Benefit


def report(every: Sequence[Targets], table: pd.DataFrame, benefit: Benefit | None) -> Iterator[Part]:
    """Yield the answer, the figures, the marginal benefit, and what the cohorts share with the fitted one."""
    yield " ".join([validation.answer(table), *([] if benefit is None else [validation.of_benefit(benefit)])])
    yield _figures(table)
    if benefit is not None:
        rows = [
            Row(row["how"], [Estimate(f"{row['mean']:.2f}", (f"{row['lower']:.2f}", f"{row['upper']:.2f}"))])
            for row in benefit.summary.to_dict("records")
        ]
        yield Table(columns("", "mean"), rows, validation.benefit_caption(every[0].pathway))
    for targets in every:
        if targets.dependence:
            yield f"{targets.cohort.name}: {' '.join(targets.dependence.split())}"
    yield validation.note(every, benefit)


def _figures(table: pd.DataFrame) -> Table:
    rows = []
    for row in table.to_dict("records"):
        reported, predicted, *ends = validation.rounded(row)
        unit = row["unit"]
        extreme = f"{100 * min(row['at_most'], row['at_least']):.0f} %"
        verdict = "inside" if row["inside"] == "yes" else "MISS"
        interval = f"{predicted} {unit} ({' to '.join(ends)})"
        rows.append(Row(validation.figure(row), [f"{reported} {unit}", interval, extreme, verdict]))
    return Table(columns("", "reported", "predicted", "as extreme", ""), rows, validation.CAPTION)
