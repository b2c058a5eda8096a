"""The formats of event logs: what each is called, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from simulator.errors import InputError, UnknownNameError
from simulator.experiment.event_logs import ocel, tables, xes
from simulator.experiment.event_logs.log import EventLog
from simulator.files import csv

DIGITS = ".12g"

Table = Callable[[EventLog], Iterator[pd.DataFrame]]


def _write_csv(log: EventLog, file: TextIO, made: Table) -> None:
    for number, table in enumerate(made(log)):
        texts: dict[str, Any] = {
            name: tables.stamps(table[name]) for name in (tables.TIME, "timestamp") if name in table
        }
        if "resource_id" in table:
            texts["resource_id"] = table["resource_id"].astype(object).where(table["resource_id"].notna(), None)
        csv.write(table.assign(**texts), file, DIGITS, header=number == 0)


TABLES: dict[str, Table] = {"csv": tables.process_mining, "vidigi": tables.vidigi}
"""Formats that are tables."""

FORMATS: dict[str, tuple[str, Callable[[EventLog, TextIO], None]]] = {
    "csv": ("event_log.csv", lambda log, file: _write_csv(log, file, tables.process_mining)),
    "xes": ("event_log.xes", xes.write),
    "ocel": ("event_log_ocel.json", ocel.write),
    "vidigi": ("event_log_vidigi.csv", lambda log, file: _write_csv(log, file, tables.vidigi)),
}
"""Format -> the name of its file, and what writes it."""


def read_formats(formats: str | Iterable[str], where: str = "formats") -> list[str]:
    """Return formats, from a list or from names with commas between. Raises InputError for what is none."""
    names = formats.split(",") if isinstance(formats, str) else list(formats)
    names = [name.strip() if isinstance(name, str) else name for name in names]
    if not any(names):
        raise InputError("no format", where=where, got=formats, allowed=", ".join(FORMATS))
    for name in names:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS, where)
    return list(dict.fromkeys(names))


def table(log: EventLog, form: str) -> pd.DataFrame:
    """Return a log as one table. Raises InputError for a format that is none."""
    if form not in TABLES:
        allowed = f"{', '.join(TABLES)}; others are written by write_event_log"
        raise InputError("not a table of events", where="events", got=form, allowed=allowed)
    return pd.concat(TABLES[form](log), ignore_index=True)


def write(log: EventLog, formats: Iterable[str], folder: Path) -> list[Path]:
    """Write a log into an existing folder, a file a format; return the files."""
    files = []
    for name in formats:
        file, write_to = FORMATS[name]
        files.append(folder / file)
        with files[-1].open("w", encoding="utf-8", newline="") as opened:
            write_to(log, opened)
    return files
