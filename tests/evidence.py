"""Published figures of other cohorts: a text cites a row of calibration/evidence as "FILE: COHORT, QUANTITY"."""

import re
from itertools import pairwise
from pathlib import Path

import pandas as pd

import calibration

FILES = {
    path.name: pd.read_csv(path, dtype=str, encoding="utf-8")
    for path in sorted((Path(calibration.__path__[0]) / "evidence").glob("external*.csv"))
}
ROWS = pd.concat(FILES.values(), keys=FILES, names=["file", "line"]).reset_index("file")
CITATIONS = {f"{row.file}: {row.cohort}, {row.quantity}" for row in ROWS.itertuples()}
_CITED = re.compile(rf"\b(?:{'|'.join(map(re.escape, FILES))}): ")
_END = re.compile(r'$|[;).`"]| \|')


def cited(text: str) -> list[str]:
    """The rows that a text cites; what follows a file that names no row, whole. A quantity may hold any character."""
    text = " ".join(text.replace("\\\n", " ").split())
    citations = []
    for start, end in pairwise([*(match.start() for match in _CITED.finditer(text)), len(text)]):
        rest = text[start:end].strip()
        longest = max((citation for citation in CITATIONS if rest.startswith(citation)), key=len, default="")
        citations.append(longest if longest and _END.match(rest, len(longest)) else rest)
    return citations


def row_of(cohort: str, quantity: str) -> pd.Series:
    """The row of a cohort's quantity, in whichever file it stands."""
    rows = ROWS[(ROWS["cohort"] == cohort) & (ROWS["quantity"] == quantity)]
    assert len(rows) == 1, f"{cohort}, {quantity}"
    return rows.iloc[0]


def numbers(cohort: str, quantity: str) -> list[float]:
    """A row's numbers: "73.8 vs 30.9" are two, of "64 (21/33, C)" only the first counts."""
    return [float(part.split()[0]) for part in str(row_of(cohort, quantity)["value"]).split(" vs ")]


def number(cohort: str, quantity: str) -> float:
    """A row's number, the first of two."""
    return numbers(cohort, quantity)[0]
