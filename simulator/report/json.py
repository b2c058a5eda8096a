"""Tables as JSON, for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd


def as_json(table: pd.DataFrame) -> str:
    """Return a table as a JSON array of its rows; an empty cell is null."""
    rows = [{str(key): _value(value) for key, value in row.items()} for row in table.to_dict("records")]
    return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)


def by_part(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return tables as a JSON object: part -> rows."""
    return "{" + ",\n".join(f'"{part}": {as_json(table)}' for part, table in tables.items()) + "}"


def _value(value: Any) -> Any:
    """Return a cell for JSON, with all digits; null if it is empty or infinite."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
