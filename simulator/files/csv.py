"""CSV files: read with the line and column of an error, and written so that a spreadsheet runs no cell."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from simulator.errors import InputError
from simulator.files import text as text_file
from simulator.plain_text import clean

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 50_000_000
"""Bytes, read in about ten seconds: 20,000 draws of 100 parameters with all their digits."""

EMPTY = '""'
ROWS = 20_000
"""Rows that are written at once."""

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number. Python would take 1_000 and full-width digits, too."""

_NUMBERS = re.compile(f"(?:{NUMBER.pattern}\0)*")

_RUNS = re.compile("'*[=+@\t\r\n\uff0b\uff0d\uff1d\uff20-]")
"""The beginning of a cell that a spreadsheet may run; an apostrophe makes it text. After OWASP, CSV injection."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The rows of a file as text, cleaned. lines : (n_rows,), of the file; columns : (n_rows,) each.

    A file whose content has not changed has the same cells, by which numbers and digests of them are kept.
    """

    path: Path
    lines: tuple[int, ...]
    columns: Mapping[str, tuple[str, ...]]

    def floats(self, names: Iterable[str]) -> dict[str, tuple[float, ...]]:
        """Return columns as numbers, blanks NaN. Raises InputError naming line and column."""
        names = tuple(names)
        self.require(names)
        return {name: _floats(self, name) for name in names}

    def require(self, names: Iterable[str]) -> None:
        """Refuse a file without these columns. Raises InputError."""
        for name in names:
            if name not in self.columns:
                raise InputError("a column is missing", where=str(self.path), got=list(self.columns), allowed=name)


def read(
    path: Path, text: Sequence[str], number: Sequence[str], optional: Sequence[str] = (), printed: Sequence[str] = ()
) -> pd.DataFrame:
    """Return a CSV file's rows, indexed by the lines they begin on. Raises InputError naming file, line and column.

    Numbers are floats; blanks, and missing `optional` columns of numbers, are NaN. The text of `printed` columns is
    kept as `printed_NAME` : 72.0 has more digits than 72. Columns that are not named stay text.
    """
    import pandas as pd  # only where a table is needed: `list` and `check` start fast

    contents = cells(path)
    contents.require((*text, *number))
    blank = ("",) * len(contents.lines)
    columns = {**contents.columns, **{name: contents.columns.get(name, blank) for name in optional}}
    as_printed = {f"printed_{name}": [cell.strip() for cell in columns[name]] for name in printed}
    numbers = {name: (math.nan,) * len(blank) for name in optional}
    numbers |= contents.floats(name for name in (*number, *optional) if name in contents.columns)
    # All columns at once: to change some of them takes pandas longer than to read the file.
    return pd.DataFrame({**columns, **as_printed, **numbers}, index=pd.Index(contents.lines, dtype=int))


def texts(path: Path) -> pd.DataFrame:
    """Return the cells of a file as a table, indexed by the lines that rows begin on. Raises InputError."""
    return _table(cells(path))


def _table(contents: Cells) -> pd.DataFrame:
    import pandas as pd  # only where a table is needed: `list` and `check` start fast

    return pd.DataFrame(dict(contents.columns), index=pd.Index(contents.lines, dtype=int), dtype=str)


def cells(path: Path) -> Cells:
    """Return the cells of a file. Empty lines are no rows, but they are counted. Raises InputError."""
    return _cells(text_file.read(path, LARGEST), path)


# A run reads its draws about four times (values, manifest, staleness), and a dozen small files in between.
@lru_cache(maxsize=64)
def _cells(content: str, path: Path) -> Cells:
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    rows, line, has_nul = {}, 1, "\0" in content
    try:
        for record in reader:
            rows[line] = record
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", where=f"{path}: line {line}") from error
    filled = [at for at, record in rows.items() if any(field.strip() for field in record)]
    if not filled:
        raise InputError("the file is empty", where=str(path), allowed="a line of column names, then rows")
    first, last = filled[0], filled[-1]
    if len(rows[first]) == 1:
        last = max(at for at, record in rows.items() if at <= last or record == [""])
        rows = {at: record or [""] for at, record in rows.items() if first <= at <= last}
    else:
        rows = {at: rows[at] for at in filled}
    header = [_read_cell(row) for row in rows[first]]
    _check_header(header, rows[first], f"{path}: line {first}")
    for at, record in rows.items():
        if len(record) != len(header):
            what = "the row and the header have different numbers of fields"
            raise InputError(what, where=f"{path}: line {at}", got=len(record), allowed=str(len(header)))
        if has_nul and "\0" in "".join(record):
            column = next(name for name, field in zip(header, record, strict=True) if "\0" in field)
            raise InputError("a NUL character", where=f"{path}: line {at}, {column}", allowed="text")
    del rows[first]
    columns: Iterable[tuple[str, ...]] = zip(*rows.values(), strict=True) if rows else ((),) * len(header)
    if "'" in content or clean(content) != content:
        columns = (tuple(map(_read_cell, column)) for column in columns)
    return Cells(path, tuple(rows), dict(zip(header, columns, strict=True)))


def _check_header(header: Sequence[str], written: Sequence[str], where: str) -> None:
    for place, column in enumerate(header, start=1):
        if not column.strip():
            raise InputError(f"column {place} has no name", where=where, got=list(header))
        if header.count(column) > 1:
            raise InputError("two columns have the same name", where=where, got=column)
    if len(header) == 1 and (other := re.search("[;\t]", written[0])):
        raise InputError("the columns are not separated by commas", where=where, got=other[0], allowed=",")


# As often as the cells: 92,000 numbers a time.
@lru_cache(maxsize=1024)
def _floats(cells: Cells, name: str) -> tuple[float, ...]:
    column = cells.columns[name]
    are_numbers = _NUMBERS.fullmatch("\0".join((*column, "")))  # no cell has a NUL
    numbers = tuple(map(float if are_numbers else _number, column))
    if any(map(math.isinf, numbers)):
        place = next(place for place, value in enumerate(numbers) if math.isinf(value))
        line, field = cells.lines[place], column[place]
        what = "not a finite number" if NUMBER.fullmatch(field.strip()) else "not a number"
        where = f"{cells.path}: line {line}, {name}"
        raise InputError(what, where=where, got=field, allowed="a number as in 0.6 or 6e-1")
    return numbers


def _number(cell: str) -> float:
    """Return a cell's number; NaN for a blank, and infinity for any other text."""
    cell = cell.strip()
    if NUMBER.fullmatch(cell):
        return float(cell)
    return math.inf if cell else math.nan


def write(table: pd.DataFrame, to: Path | IO[str], form: str, *, header: bool = True) -> None:
    """Write a table, with formatted numbers (".8g"), and texts that no spreadsheet runs; `read` restores them."""
    if isinstance(to, Path):
        with to.open("w", encoding="utf-8", newline="") as file:
            write(table, file, form, header=header)
        return
    if header:
        to.write(",".join(map(_written_cell, table.columns)) + "\n")
    for first in range(0, len(table), ROWS):
        # Whole columns at once: pandas takes three times as long, and a comparison writes 800,000 cells.
        columns = [_written_column(column, form) for _, column in table.iloc[first : first + ROWS].items()]
        # A blank cell alone would be an empty line, which is no row.
        to.writelines(f"{','.join(row) or EMPTY}\n" for row in zip(*columns, strict=True))


def _written_column(column: pd.Series, form: str) -> list[str]:
    """Return the cells of a column as text; a missing value is blank."""
    if column.dtype.kind in "iub":
        return list(map(str, column.tolist()))
    values = column.tolist()
    if column.dtype.kind == "f":
        texts = (f"%{form}\n" * len(values) % tuple(values)).split("\n")[:-1]
        return ["" if text == "nan" else text for text in texts]
    return ["" if value is None or value != value else _written_cell(value) for value in values]


@lru_cache(maxsize=4096, typed=True)
def _written_cell(value: object) -> str:
    text = str(value)
    runs = isinstance(value, str) and _RUNS.match(text) and not NUMBER.fullmatch(text)
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow([f"'{text}" if runs else text, ""])
    return line.getvalue().removesuffix(",\n")


def _read_cell(cell: str) -> str:
    return clean(cell[1:] if cell.startswith("'") and _RUNS.match(cell) else cell)
