"""The kind of a row determines its cells: none is ignored or missing, and the guide prints the table of the code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from calibration.likelihood.targets import Targets, load_targets
from calibration.reported.kinds.all import KINDS, guide
from calibration.reported.kinds.kind import BY_KIND
from simulator.errors import InputError

NewCohort = Callable[..., Targets]
GUIDE = Path(__file__).parents[3] / "docs" / "validation.md"
CELLS = {
    "from": "treatment",
    "end_point": "efs",
    "cause": "death",
    "versus": "treated",
    "limit": "at_least",
    "curve": "os",
    "landmark": "3",
    "quantile": "25",
    "state": "dead",
    "attribute": "sex=female",
    "month": "6",
    "count": "3",
    "n": "4",
    "value": "12",
    "standard_error": "20",
    "lower": "5",
    "upper": "60",
}
HEADER = f"name,kind,population,{','.join(BY_KIND)},unit,place,use,note\n"


def row_of(kind: str, columns: tuple[str, ...]) -> str:
    """A row whose cells in these columns are filled."""
    state = {"state": "relapse"} if kind in ("median", "minimum", "maximum") else {}
    cells = CELLS | state | ({"count": "20", "n": "20"} if kind == "patients" else {})
    cells |= {"value": "5"} if kind == "restricted_mean" else {}
    population = "untreated" if kind == "hazard_ratio" else "all"
    cells_by_column = ",".join(cells[column] if column in columns else "" for column in BY_KIND)
    return f"it,{kind},{population},{cells_by_column},,made up,validation,\n"


@pytest.fixture(scope="module")
def folder(new_cohort: NewCohort) -> Path:
    """A cohort of 20 patients, to which each test gives another row."""
    folder = new_cohort(20, "alive,survivors,all,,,6,3,20,").folder
    (folder / "patients.csv").write_text("population,month,event\n" + "all,3.4,1\n" * 4, encoding="utf-8")
    with (folder / "cohort.toml").open("a", encoding="utf-8") as file:
        file.write('\n[end_points.efs]\ncauses = {relapse = "relapse", death = "dead"}\n')
    return folder


def load(folder: Path, row: str) -> Targets:
    (folder / "targets.csv").write_text(HEADER + row, encoding="utf-8")
    return load_targets(folder)


ALSO = dict.fromkeys(("median_survival", "survival_quantile", "time_quantile"), ("value",))
ALSO |= dict.fromkeys(("survival", "incidence"), ("n",))
"""Cells of which a kind needs one or another."""


def test_the_guide_prints_what_each_kind_reads_and_how_it_is_fitted() -> None:
    assert guide() in GUIDE.read_text(encoding="utf-8"), guide()


@pytest.mark.representatives(9)
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_with_the_cells_that_its_kind_needs_is_read(kind: str, folder: Path) -> None:
    (figure,) = load(folder, row_of(kind, (*KINDS[kind].needs, *ALSO.get(kind, ())))).figures
    assert figure.kind == kind


@pytest.mark.representatives(9)
@pytest.mark.parametrize(("kind", "column"), [(name, need) for name, kind in KINDS.items() for need in kind.needs])
def test_a_blank_cell_that_the_kind_needs_is_refused(kind: str, column: str, folder: Path) -> None:
    columns = tuple(need for need in KINDS[kind].needs if need != column)
    with pytest.raises(InputError, match=rf"targets.csv: line 2: kind '{kind}' needs `{column}`, which is blank"):
        load(folder, row_of(kind, columns))


UNREAD = [(kind, column) for column in BY_KIND for kind in KINDS if column not in KINDS[kind].columns()]
UNREAD = list({**{column: (kind, column) for kind, column in UNREAD}, **dict(UNREAD)}.items())
UNREAD = [pair if isinstance(pair, tuple) else (name, pair) for name, pair in UNREAD]
"""Every column with a kind that does not read it, and every kind with a column."""


@pytest.mark.representatives(9)
@pytest.mark.parametrize(("kind", "column"), UNREAD)
def test_a_filled_cell_that_the_kind_does_not_read_is_refused(kind: str, column: str, folder: Path) -> None:
    with pytest.raises(InputError, match=rf"line 2, {column}: kind '{kind}' does not read `{column}`; got") as refusal:
        load(folder, row_of(kind, (*KINDS[kind].needs, column)))
    readers = [name for name, other in KINDS.items() if column in other.columns()]
    assert f"read by {', '.join(readers)}" in str(refusal.value)


def test_a_time_to_a_state_other_than_the_clocks_is_refused(new_cohort: NewCohort) -> None:
    with pytest.raises(InputError, match=r"line 2, state: kind 'median' is of the time from entry to relapse; got 'd"):
        new_cohort(20, "it,median,all,dead,,,,20,6", use="validation")


@pytest.mark.parametrize(("kind", "unit"), [("survival", "patients"), ("median", "%"), ("deaths", "months")])
def test_a_unit_of_another_kind_is_refused(kind: str, unit: str, folder: Path) -> None:
    row = row_of(kind, KINDS[kind].needs).replace(",,made up", f",{unit},made up")
    with pytest.raises(InputError, match=f"line 2: unknown unit of kind '{kind}'; got '{unit}'"):
        load(folder, row)
