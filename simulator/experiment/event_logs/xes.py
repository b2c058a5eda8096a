"""Event logs in XES, the XML of IEEE Std 1849-2016: a log of traces, a trace of events, each with typed attributes."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TextIO
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd

from simulator.experiment.event_logs.log import EventLog
from simulator.experiment.event_logs.tables import CASE, TIME, of_cases, process_mining, stamps
from simulator.plain_text import clean

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="">
\t<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
\t<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
\t<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
\t<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
\t<global scope="trace">
\t\t<string key="concept:name" value=""/>
\t</global>
\t<global scope="event">
\t\t<string key="concept:name" value=""/>
\t\t<string key="lifecycle:transition" value="complete"/>
\t\t<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
\t</global>
\t<classifier name="Activity" scope="event" keys="concept:name"/>
\t<classifier name="Step" scope="event" keys="concept:name lifecycle:transition"/>
"""


KINDS = {bool: "boolean", int: "int", float: "float", str: "string"}


def write(log: EventLog, file: TextIO) -> None:
    """Write a log, a trace after another."""
    file.write(HEAD)
    about = {"concept:name": "aftercart", "lifecycle:model": "standard", "description": log.about, **log.dating}
    file.writelines(_attribute("\t", key, value) for key, value in about.items())
    for table in process_mining(log):
        of_case = of_cases(table)
        events, first = _events(table.drop(columns=of_case)), ~table[CASE].duplicated()
        keys = [column.removeprefix("case:") for column in of_case]
        cases = zip(*(table[column][first].tolist() for column in of_case), strict=True)
        starts = np.flatnonzero(np.append(first, True)).tolist()
        for (begin, end), values in zip(pairwise(starts), cases, strict=True):
            attributes = (_attribute("\t\t", key, value) for key, value in zip(keys, values, strict=True))
            file.writelines(["\t<trace>\n", *attributes, *events[begin:end], "\t</trace>\n"])
    file.write("</log>\n")


def _events(table: pd.DataFrame) -> list[str]:
    """Return the elements of a table's steps, a text a row."""
    dates = [f'\t\t\t<date key="{TIME}" value="{time}"/>\n' for time in stamps(table[TIME])]
    columns = table.columns.drop(TIME).tolist()
    events = []
    for date, *values in zip(dates, *(table[column].tolist() for column in columns), strict=True):
        given = ((key, value) for key, value in zip(columns, values, strict=True) if value is not None)
        attributes = "".join(_attribute("\t\t\t", key, value) for key, value in given)
        events.append(f"\t\t<event>\n{date}{attributes}\t\t</event>\n")
    return events


# A log has the same few attributes a million times.
@lru_cache(maxsize=10_000, typed=True)
def _attribute(indent: str, key: str, value: bool | float | str) -> str:
    """Return the element of an attribute, in a line."""
    text = str(value).lower() if isinstance(value, bool) else clean(str(value))
    return f"{indent}<{KINDS[type(value)]} key={quoteattr(key)} value={quoteattr(text)}/>\n"
