"""How far other structures of the model move the headline of a policy, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.evidence.cohort import Cohort
from simulator.evidence.structures import to_fit
from simulator.pathway.outcome_months import in_words
from simulator.pathway.pathway import Pathway
from simulator.wording import rounding
from simulator.wording.difference import Difference
from simulator.wording.intervals import Row

if TYPE_CHECKING:
    import pandas as pd


def sentence(rows: pd.DataFrame, cohort: Cohort, pathway: Pathway) -> str:
    """Return what the interval leaves out, and by how much; "" where no other structure was fitted.

    rows : of one policy, see `simulator.evidence.structures`, indexed by the structure
    """
    others = rows[rows.index.isin(list(cohort.structures))]
    if others.empty:
        return ""
    policy, month = rows["scenario"].iloc[0], in_words(pathway.months.answer)
    is_compared = bool(others["difference"].notna().all())
    what = f"the difference at {month}" if is_compared else f"survival at {month}"
    least, most = (float(end) for end in (others["moved"].min(), others["moved"].max()))
    low, high = (rounding.number(end, "probability", sign="+") for end in (least, most))
    ends = [
        f"{word} {_figure(others.loc[name].to_dict(), is_compared)} ({cohort.structures[str(name)].meaning})"
        for word, name in (("lowest", others["moved"].idxmin()), ("highest", others["moved"].idxmax()))
    ]
    count = f"{len(others)} other structures" if len(others) > 1 else "1 other structure"
    return (
        f"{policy}: the interval covers the parameters, not the structure of the model. {count}, fitted to the same "
        f"{cohort.n} patients, move{'s' * (len(others) == 1)} {what} by {low} to {high} per 100: {', '.join(ends)}."
    )


def _figure(row: Row, is_compared: bool) -> str:
    if is_compared:
        return Difference(row["difference"]).more_or_fewer
    return rounding.number(row["survival"], "probability")


def of_all(table: pd.DataFrame, cohort: Cohort, pathway: Pathway) -> Iterator[str]:
    """Yield the sentence of every policy of a table."""
    for _, rows in table.groupby("scenario", sort=False):
        yield sentence(rows.set_index("structure"), cohort, pathway)


def name(structure: str, cohort: Cohort) -> str:
    """Return a structure in words."""
    declared, again = to_fit({})
    own = {declared: "as declared", again: "as declared, fitted anew"}
    return own.get(structure) or cohort.structures[structure].meaning
