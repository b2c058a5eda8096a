"""A CSV file is read as it is written, and what is wrong with it is told with its own line."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulator import csv_file
from simulator.errors import InputError

Write = Callable[[str], Path]
HEADER = "name,count,value\n"


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        (tmp_path / "told.csv").write_bytes(text.encode())
        return tmp_path / "told.csv"

    return write


def read(path: Path):
    return csv_file.read(path, ["name"], ["count"], ["value", "lower"], ["value"])


def test_rows_are_known_by_the_lines_of_the_file(written: Write) -> None:
    told = read(written(f'{HEADER}\nalive,4,\n  \n,,\n"dead,\nof any cause",5,1.50\nlost,6,2\n'))
    assert told.index.tolist() == [3, 6, 8]
    assert told["count"].tolist() == [4.0, 5.0, 6.0]
    assert told["lower"].isna().all()


def test_digits_that_a_number_has_not_are_kept_beside_it(written: Write) -> None:
    told = read(written(f"{HEADER}alive,4,72.0\ndead,5,\n"))
    assert told["printed_value"].tolist() == ["72.0", ""]
    np.testing.assert_array_equal(told["value"], [72.0, np.nan])


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_how_a_spreadsheet_writes_it_does_not_matter(mark: str, end: str, written: Write) -> None:
    told = read(written(mark + f"{HEADER}alive,4,\n".replace("\n", end)))
    assert (told.index.tolist(), told["count"].tolist()) == ([2], [4.0])


REFUSED = {
    "a word": (f"{HEADER}alive,4,\n\ndead,four,\n", r"line 4, count: not a number; got 'four'"),
    "a number that is none": (f"{HEADER}alive,nan,\n", r"line 2, count: not a number; got 'nan'"),
    "without end": (f"{HEADER}alive,4,\ndead,5,inf\n", r"line 3, value: not a finite number; got 'inf'"),
    "a field too many": (f"{HEADER}alive,4,1,2\n", r"line 2: more or fewer fields .*got 4; allowed: 3"),
    "a field too few": (f"{HEADER}\nalive,4\n", r"line 3: more or fewer fields .*got 2; allowed: 3"),
    "a quotation that does not end": (f'{HEADER}alive,4,1\n"dead,5,1\n', r"line 3: not valid CSV"),
    "a column twice": ("name,count,name\nalive,4,dead\n", r"a column is told twice; got 'name'"),
    "no column": ("name,value\nalive,4\n", r"a column is missing; .*allowed: count"),
    "nothing": ("", r"a column is missing; .*allowed: name"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_line(what: str, written: Write) -> None:
    text, complaint = REFUSED[what]
    with pytest.raises(InputError, match=rf"told\.csv: {complaint}"):
        read(written(text))


def test_what_is_no_text_is_refused(written: Write, tmp_path: Path) -> None:
    (tmp_path / "told.csv").write_bytes(b"name\n\xe9\n")
    with pytest.raises(InputError, match=r"told\.csv: cannot be read: 'utf-8'"):
        read(tmp_path / "told.csv")
