"""The report of `aftercart validate`: where the model is wrong, then all figures, scores and what they rest on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.wording import validation as wording
from simulator.wording.intervals import Estimate
from simulator.wording.rounding import NONE
from simulator.wording.table import Part, Row, Table, columns

if TYPE_CHECKING:
    import pandas as pd

    from calibration.transport.marginal_benefit import Benefit
    from calibration.validation.everything import Validation

SCORED = ("", "_flat", "_carried_over")


def report(
    validation: Validation,
    benefit: Benefit | None,
    priors: Mapping[str, Sequence[str]],
    left: Mapping[str, Sequence[str]],
) -> Iterator[Part]:
    """Yield the answer, the figures, their scores, the marginal benefit, and what the cohorts share with the model.

    priors, left : cohort -> parameters whose prior its paper is a source of; levers that it leaves as in the pathway
    """
    every, short = validation.every, wording.short_names(validation.every)
    yield " ".join([wording.answer(validation), *([] if benefit is None else [wording.of_benefit(benefit)])])
    if len(validation.figures):
        yield _figures(validation.figures)
        yield _together(validation.cohorts)
        yield _scores(validation.figures)
    if len(validation.ranges):
        yield _ranges(validation.ranges)
    if benefit is not None:
        rows = [
            Row(
                wording.of_cohorts(row["how"], short),
                [Estimate(_share(row["mean"]), (_share(row["lower"]), _share(row["upper"])))],
            )
            for row in benefit.summary.to_dict("records")
        ]
        yield Table(columns("", "mean"), rows, wording.benefit_caption(every[0].pathway))
    for targets in every:
        name = targets.cohort.name
        yield wording.provenance(short[name], priors[name], " ".join(targets.dependence.split()))
    yield wording.left_alone({short[name]: names for name, names in left.items() if name not in validation.silent})
    yield wording.nothing_yet([short[name] for name in validation.silent])
    yield wording.note(every, benefit)


def _label(row: Mapping[Any, Any]) -> str:
    return wording.figure(row) + " *" * bool(row["centred_on"])


def _figures(table: pd.DataFrame) -> Table:
    rows = []
    for row in table.to_dict("records"):
        reported, predicted, *ends = wording.rounded(row)
        extreme = f"{wording.as_extreme(row)}{' MISS' * (row['inside'] == 'no')}"
        cells = [f"{predicted} ({' to '.join(ends)})", extreme] if row["inside"] else [NONE, ""]
        rows.append(Row(_label(row), [wording.with_unit(reported, row), *cells]))
    marked = [f"{wording.figure(row)} ({row['centred_on']})" for row in table.to_dict("records") if row["centred_on"]]
    notes = [f"{wording.CENTRED} {'; '.join(marked)}."] if marked else []
    notes += [f"{NONE} {wording.NOT_SIMULATED}."] if (table["inside"] == "").any() else []
    return Table(columns("", "reported", "predicted", "as extreme"), rows, wording.CAPTION, notes)


def _together(table: pd.DataFrame) -> Table:
    rows = []
    for row in table.to_dict("records"):
        rank, better = ("" if np.isnan(row[name]) else wording.percent(row[name]) for name in ("joint_rank", "better"))
        rows.append(Row(row["cohort_label"], [f"{row['figures']}", rank, better]))
    heads = columns("", "figures", "joint rank", "better survival")
    return Table(heads, rows, wording.TOGETHER, wording.of_all(table))


def _scores(table: pd.DataFrame) -> Table:
    rows = []
    for row in table.to_dict("records"):
        cells = [_number(row[f"crps{name}"], 1) for name in SCORED]
        rows.append(Row(_label(row), [*cells, *(_number(row[f"log_score{name}"], 1) for name in SCORED)]))
    heads = columns("", "CRPS", "flat", "carried over", "log score", "flat", "carried over")
    return Table(heads, rows, wording.SCORES, list(filter(None, [wording.beaten(table)])))


def _share(value: float) -> str:
    """Return a share in hundredths; a sum over parameter sets differs in its last digits from 0.025."""
    return f"{round(value, 9):.2f}"


def _number(value: float, places: int) -> str:
    return "" if np.isnan(value) else "never" if np.isinf(value) else f"{value:.{places}f}"


def _ranges(table: pd.DataFrame) -> Table:
    settings = list(dict.fromkeys(table["setting"]))
    rows = []
    for _, of_figure in table.groupby(["cohort", "target"], sort=False):
        records = {row["setting"]: row for row in of_figure.to_dict("records")}
        first = next(iter(records.values()))
        cells: list[str | Estimate] = []
        for setting in settings:
            if setting not in records:
                cells.append("")
                continue
            _, predicted, *ends = wording.rounded(records[setting])
            cells.append(Estimate(predicted, (ends[0], NONE if math.isinf(records[setting]["upper"]) else ends[1])))
        rows.append(Row(_label(first), [f"{wording.rounded(first)[0]} {first['unit']}", *cells]))
    heads = columns("", "reported", *(f"{100 * setting:.0f} %" for setting in settings))
    return Table(heads, rows, wording.ranges_caption(table))
