"""A policy's headline under other structures of the model: a row a structure, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from simulator.evidence import structures
from simulator.evidence.cohort import Cohort
from simulator.pathway.outcome_months import in_words
from simulator.scenario.scenario import Scenario
from simulator.wording import intervals, rounding
from simulator.wording import structures as wording
from simulator.wording.intervals import Estimate
from simulator.wording.table import Row, Table, columns

NOTE = (
    "Each structure is fitted to the same {n} patients: by reweighting the frozen parameter sets if that is accurate, "
    "else by a fit of its own. Moved: by how much the difference changes from the structure as declared, with its "
    "Monte Carlo error. k-hat: the shape of the largest weights; from 0.7 on (less for fewer than 2,200 points) it "
    "counts only where they make up a quarter of the mean squared weight or more. Log evidence: since that structure, "
    "if the rows are the same. The table has all parameter sets, a run the first of them: as declared, both may differ "
    "by a little. A policy treats the same share of all patients in each structure, and the additional "
    "patients benefit as today's treated patients do."
)


def sentences(scenarios: Sequence[Sequence[Scenario]], cohort: Cohort | None) -> list[str]:
    """Return a sentence a compared policy. scenarios : the first with each other policy, as `headline.compared`"""
    if cohort is None:
        return []
    pairs = [(first, policy[0]) for first, *policy in scenarios if policy]
    tables = [structures.of_policy(base, policy) for base, policy in pairs]
    return [wording.sentence(rows, cohort, scenarios[0][0].pathway) for rows in tables if rows is not None]


def of_policy(base: Scenario, policy: Scenario, cohort: Cohort) -> Table | None:
    """Return the table of a policy, compared with a base; None if it is not in the cohort's table."""
    of_base, rows = structures.of_policy(base, base), structures.of_policy(base, policy)
    if of_base is None or rows is None:
        return None
    before = of_base.set_index("structure")["survival"].to_dict()
    evidence = rows.loc[rows["structure"] == structures.AGAIN, "log_evidence"].max()
    rows = rows.assign(before=rows["structure"].map(before), log_evidence=rows["log_evidence"] - evidence)
    heads = ("difference", "same sign, %", "moved, points", "effective sample size", "k-hat", "log evidence")
    lines = [_row(row, cohort) for row in rows.to_dict("records")]
    month, n = in_words(base.pathway.months.answer), cohort.n
    caption = f"Alive at {month}, %, under other readings, priors and structures (n = {n}); 95 % intervals"
    note = NOTE.format(n=n)
    return Table(columns("Structure", base.name, policy.name, *heads), lines, caption, [note])


def _row(row: intervals.Row, cohort: Cohort) -> Row:
    moved = Estimate(rounding.number(row["moved"], "probability", sign="+"), error=f"{100 * row['moved_se']:.1g}")
    quality = ("effective_draws", 0), ("k_hat", 2), ("log_evidence", 1)
    cells = [
        *(rounding.number(row[name], "probability") for name in ("before", "survival")),
        intervals.difference({**row, "unit": "probability"}),
        rounding.number(row["difference_same_sign"], "probability"),
        "" if row["structure"] == structures.DECLARED else moved,
        *(rounding.fixed(row[name], places) if isfinite(row[name]) else "" for name, places in quality),
    ]
    return Row(wording.name(row["structure"], cohort), cells)
