"""The laws that `aftercart verify` checks, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.analyses.verification import Check
from simulator.wording.table import Column, Row, Table, columns


def laws(checks: Sequence[Check]) -> Table:
    """Return the error of every law, its limit, and whether it holds."""
    rows = []
    for check in checks:
        verdict = "ok" if check.passed else "FAILED"
        rows.append(Row(check.subject, [check.law, f"{check.measured:.2g}", f"{check.limit:.2g}", verdict]))
    subject, *numbers = columns("", "error", "limit", "")
    return Table([subject, Column("law", is_number=False), *numbers], rows)
