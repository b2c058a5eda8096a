"""Reading a CSV file that a person wrote: whatever is wrong with it is told with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simulator import toml_file
from simulator.errors import InputError


def read(
    path: Path, text: Sequence[str], number: Sequence[str], optional: Sequence[str] = (), printed: Sequence[str] = ()
) -> pd.DataFrame:
    """Return a CSV file's rows, each indexed by the line it begins on. Raises InputError naming file and line.

    Numbers are floats; blanks, and `optional` columns of numbers that are missing, are NaN. The `printed` of them have
    their text beside them, `printed_NAME` : 72.0 says more than 72.
    """
    frame = _texts(path)
    for column in (*text, *number):
        if column not in frame.columns:
            raise InputError("a column is missing", where=str(path), got=list(frame.columns), allowed=column)
    frame = frame.assign(**{column: "" for column in optional if column not in frame.columns})
    frame = frame.assign(**{f"printed_{column}": frame[column].str.strip() for column in printed})
    return frame.assign(**{column: _numbers(frame[column], path) for column in (*number, *optional)})


def _texts(path: Path) -> pd.DataFrame:
    """Return the rows as they are written. Lines without anything are none, but they are counted."""
    try:
        toml_file.check_regular(path)
        # Spreadsheets begin a text with a byte order mark.
        told = path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=str(path)) from error
    reader = csv.reader(io.StringIO(told, newline=""), strict=True)
    rows, line = {}, 1
    try:
        for record in reader:
            if any(field.strip() for field in record):
                rows[line] = record
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", where=f"{path}: line {line}") from error
    header = rows.pop(min(rows), []) if rows else []
    for at, record in rows.items():
        if len(record) != len(header):
            what = "more or fewer fields than the header has"
            raise InputError(what, where=f"{path}: line {at}", got=len(record), allowed=str(len(header)))
    for column in header:
        if header.count(column) > 1:
            raise InputError("a column is told twice", where=str(path), got=column)
    return pd.DataFrame(list(rows.values()), columns=header, index=pd.Index(list(rows), dtype=int), dtype=str)


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    for line, told, value in zip(column.index, column, numbers, strict=True):
        if told.strip() and not np.isfinite(value):
            what = "not a number" if np.isnan(value) else "not a finite number"
            raise InputError(what, where=f"{path}: line {line}, {column.name}", got=told)
    return numbers
