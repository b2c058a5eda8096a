"""A CSV file is read as it is written, and errors are reported with the line of the file."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator.errors import InputError
from simulator.files import csv as csv_file

WriteText = Callable[[str], Path]
HEADER = "name,count,value\n"


@pytest.fixture
def csv_of(tmp_path: Path) -> WriteText:
    def write(text: str) -> Path:
        (tmp_path / "table.csv").write_bytes(text.encode())
        return tmp_path / "table.csv"

    return write


def read(path: Path):
    return csv_file.read(path, ["name"], ["count"], ["value", "lower"], ["value"])


def test_rows_have_the_line_numbers_of_the_file(csv_of: WriteText) -> None:
    table = read(csv_of(f'{HEADER}\nalive,4,\n  \n,,\n"dead,\nof any cause",5,1.50\nlost,6,2\n'))
    assert table.index.tolist() == [3, 6, 8]
    assert table["count"].tolist() == [4.0, 5.0, 6.0]
    assert table["lower"].isna().all()


@pytest.mark.parametrize("text", ["\nshare\n.5\n\n.3\n\n", '\nshare\n.5\n""\n.3\n', "\nshare\n.5\n  \n.3\n \n"])
def test_an_empty_line_in_a_file_of_one_column_is_an_empty_cell(text: str, csv_of: WriteText) -> None:
    column = csv_file.read(csv_of(text), [], ["share"])["share"]
    assert column.index.tolist() == [3, 4, 5]
    np.testing.assert_array_equal(column, [0.5, np.nan, 0.3])


def test_an_empty_cell_may_end_a_column(csv_of: WriteText) -> None:
    np.testing.assert_array_equal(csv_file.read(csv_of('share\n.5\n""\n'), [], ["share"])["share"], [0.5, np.nan])


def test_a_blank_after_many_whole_numbers_is_read_at_once(csv_of: WriteText) -> None:
    """A pattern in which 17 is a number in two ways would try 2^60."""
    table = csv_file.read(csv_of("name,n\n" + 60 * "a,17\n" + "a,\n"), ["name"], ["n"])
    assert table["n"].isna().sum() == 1


def test_printed_digits_are_kept_next_to_the_number(csv_of: WriteText) -> None:
    table = read(csv_of(f"{HEADER}alive,4,72.0\ndead,5,\n"))
    assert table["printed_value"].tolist() == ["72.0", ""]
    np.testing.assert_array_equal(table["value"], [72.0, np.nan])


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_marks_of_spreadsheets_are_accepted(mark: str, end: str, csv_of: WriteText) -> None:
    table = read(csv_of(mark + f"{HEADER}alive,4,\n".replace("\n", end)))
    assert (table.index.tolist(), table["count"].tolist()) == ([2], [4.0])


REFUSED = {
    "a word": (f"{HEADER}alive,4,\n\ndead,four,\n", r"line 4, count: not a number; got 'four'"),
    "nan": (f"{HEADER}alive,nan,\n", r"line 2, count: not a number; got 'nan'"),
    "without end": (f"{HEADER}alive,4,\ndead,5,inf\n", r"line 3, value: not a number; got 'inf'"),
    "a field too many": (f"{HEADER}alive,4,1,2\n", r"line 2: .* different numbers of fields; got 4; allowed: 3"),
    "a field too few": (f"{HEADER}\nalive,4\n", r"line 3: .* different numbers of fields; got 2; allowed: 3"),
    "a quotation that does not end": (f'{HEADER}alive,4,1\n"dead,5,1\n', r"line 3: not valid CSV"),
    "a column twice": ("name,count,name\nalive,4,dead\n", r"line 1: two columns have the same name; got 'name'"),
    "no column": ("name,value\nalive,4\n", r"a column is missing; .*allowed: count"),
    "a thousand with its mark": (f"{HEADER}alive,1_000,\n", r"line 2, count: not a number; got '1_000'"),
    "hexadecimal digits": (f"{HEADER}alive,0x10,\n", r"line 2, count: not a number; got '0x10'"),
    "full-width digits": (f"{HEADER}alive,\uff11\uff12,\n", r"line 2, count: not a number; got '\uff11\uff12'"),
    "a comma for a point": (f'{HEADER}alive,"1,5",\n', r"line 2, count: not a number; got '1,5'; allowed: .*0.6"),
    "a percentage": (f"{HEADER}alive,60%,\n", r"line 2, count: not a number; got '60%'"),
    "a truth value": (f"{HEADER}alive,True,\n", r"line 2, count: not a number; got 'True'"),
    "an exponent without end": (f"{HEADER}alive,1e3000000000,\n", r"line 2, count: not a finite number"),
    "digits without end": (f"{HEADER}alive,{'9' * 400},\n", r"line 2, count: not a finite number"),
    "a NUL": (f"{HEADER}al\0ive,1,\n", r"line 2, name: a NUL character"),
    "a NUL in a column's name": ("name,co\0unt,value\nalive,1,\n", r"line 1, count: a NUL character"),
    "tabs": ("name\tcount\tvalue\nalive\t4\t\n", r"line 1: the columns are not separated by commas; got '\\t'"),
    "a column without a name": ("name,count,\nalive,4,\n", r"line 1: column 3 has no name"),
    "semicolons": ("name;count;value\nalive;4;\n", r"line 1: the columns are not separated by commas; got ';'"),
    "a cell of a megabyte": (f"{HEADER}{'a' * 1_000_000},1,\n", r"line 2: not valid CSV: field larger"),
    "nothing": ("", r"the file is empty; allowed: a line of column names"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_file_is_refused_with_its_line(case: str, csv_of: WriteText) -> None:
    text, complaint = REFUSED[case]
    with pytest.raises(InputError, match=rf"table\.csv: {complaint}"):
        read(csv_of(text))


@pytest.mark.parametrize("number", ["0", "-0.5", "+2", ".5", "5.", "1e-3", "2E+2", " 7 ", "0012"])
def test_numbers_may_be_written_in_the_usual_forms(number: str, csv_of: WriteText) -> None:
    assert read(csv_of(f"{HEADER}alive,{number},\n"))["count"].tolist() == [float(number)]


def test_a_file_too_large_is_refused_before_it_is_parsed(csv_of: WriteText, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "LARGEST", 20)
    with pytest.raises(InputError, match="file too large; allowed: up to 20 bytes"):
        read(csv_of(f"{HEADER}alive,1,\n"))


TEXTS = ("=1+1", "@SUM(A1)", "+cmd", "-cmd|' /C calc'!A0", "'=1", "''@x", "\uff1d1", "it's", "'quoted'", 'a "b", c', "")


def test_formulas_of_spreadsheets_are_written_as_text_and_read_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"=name": TEXTS, "value": np.arange(len(TEXTS)) - 0.5})
    csv_file.write(table, tmp_path / "table.csv", ".8g")
    cells = list(csv.reader((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()))
    assert not [cell for row in cells for cell in row[:1] if re.match("[=+@\t\r\uff1d-]", cell)]
    assert cells[1] == ["'=1+1", "-0.5"]
    back = csv_file.read(tmp_path / "table.csv", ["=name"], ["value"])
    assert (back["=name"].tolist(), back["value"].tolist()) == (list(TEXTS), table["value"].tolist())


def test_control_characters_are_removed(csv_of: WriteText) -> None:
    table = read(csv_of(f"{HEADER}\x1b[31malive\u202e,4,\n"))
    assert table["name"].tolist() == ["[31malive"]


def test_a_file_that_is_not_text_is_refused(csv_of: WriteText, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"name\n\xe9\n")
    with pytest.raises(InputError, match=r"table\.csv: not a text file .byte 5 is not UTF-8."):
        read(tmp_path / "table.csv")


def test_cells_are_written_as_by_pandas_except_formulas_of_spreadsheets(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "text": ["a,b", 'q"r', "two\nlines", "", None, "-5"],
            "mixed": [1, "", 2.5, True, None, float("nan")],
            "number": [1.0, np.inf, -np.inf, np.nan, 1e-9, 123456789.5],
            "count": range(6),
        }
    )
    csv_file.write(table, tmp_path / "ours.csv", ".8g")
    table.to_csv(tmp_path / "pandas.csv", index=False, float_format="%.8g", lineterminator="\n")
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "pandas.csv").read_bytes()
    csv_file.write(table[["text"]], tmp_path / "ours.csv", ".8g")
    assert (tmp_path / "ours.csv").read_bytes() == b'text\n"a,b"\n"q""r"\n"two\nlines"\n""\n""\n-5\n'
