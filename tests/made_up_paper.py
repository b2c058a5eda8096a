"""Papers that never were on patients who relapse, some of whom respond and have an HSCT: the rows of every kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from made_up_cohort import write_cohort
from sojourn_times import exponential
from worlds import DEATH, chance, decision, share, sojourn, world

from calibration.likelihood.targets import Targets

COLUMNS = (
    "name,kind,population,state,attribute,from,end_point,cause,versus,limit,curve,month,landmark,quantile,count,n,"
    "value,standard_error,lower,upper,unit,place,use,note"
)
HSCT = world(
    "relapse",
    {
        "relapse": decision(salvage="uptake", palliation="rest"),
        "salvage": sojourn(response=exponential(mean=1.5), dead=exponential(mean=10)),
        "response": chance(cr=0.7, nr=0.3),
        "cr": sojourn(hsct=exponential(mean=3), progression=exponential(mean=12)),
        "hsct": sojourn(progression=exponential(mean=30), dead_of_treatment=exponential(mean=40)),
        "nr": sojourn(dead=exponential(mean=4)),
        "palliation": sojourn(dead=exponential(mean=3)),
        "progression": sojourn(dead=exponential(mean=5)),
        "dead_of_treatment": DEATH,
    },
    groups={"treated": "salvage", "untreated": "palliation", "hsct": "hsct"},
    attributes={"sex": {"female": 1, "male": 1}},
    parameters={"uptake": share(0.6, prior={"family": "beta", "a": 12, "b": 8})},
)
DEATHS = ("dead", "dead_of_treatment")
EFS = {"relapse": ("progression",), "death": DEATHS}
ARMS = {"treated": ["treated"], "untreated": ["untreated"], "hsct": ["hsct"], "all": ["treated", "untreated"]}
RESPONDERS = {"responders": {"entered": "cr"}}


def row(name: str, kind: str, **cells: object) -> str:
    """A row of targets.csv; columns that are not given are blank. `from_` is the column `from`."""
    filled = {"population": "all", "place": "made up", "use": "predictive"} | {"name": name, "kind": kind, **cells}
    filled |= {"from": filled.pop("from_", "")}
    return ",".join(str(filled.get(column, "")) for column in COLUMNS.split(","))


def paper(folder: Path, rows: Iterable[str], n: int = 150, **tables: object) -> Targets:
    """The folder of a paper on patients who relapse, followed for 6 to 40 months; a table that is None is left out."""
    about = {"follow_up": {"family": "uniform", "lower": 6.0, "upper": 40.0}, "populations": RESPONDERS}
    end_points = {"efs": {"label": "event-free survival", "causes": {name: list(of) for name, of in EFS.items()}}}
    given = {name: table for name, table in {**about, "end_points": end_points, **tables}.items() if table is not None}
    return write_cohort(folder, HSCT, rows, clock="start", n=n, arms=ARMS, header=f"{COLUMNS}\n", **given)


def written(name: str, text: str) -> str:
    kind, *cells = text.split(",")
    return row(name, kind, **dict(cell.split("=", 1) for cell in cells))
