"""All kinds of figure: the rows of targets.csv are read into them, and the guide prints them."""

from __future__ import annotations

from calibration.reported import figure
from calibration.reported.kinds.counts import Deaths, Entered, EnteredDeath, Patients, Survivors
from calibration.reported.kinds.kind import Kind
from calibration.reported.kinds.patient_times import PatientTimes, rows_of
from calibration.reported.kinds.quantiles import MedianSurvival, SurvivalQuantile, TimeQuantile
from calibration.reported.kinds.summaries import AtRisk, HazardRatio, RestrictedMean
from calibration.reported.kinds.survival import Incidence, LandmarkSurvival, Survival
from calibration.reported.kinds.times import Maximum, Median, MedianFollowUp, Minimum
from simulator.errors import UnknownNameError
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway

KINDS: dict[str, type[Kind]] = {
    kind.kind: kind
    for kind in (
        Patients,
        Entered,
        Deaths,
        Survivors,
        Survival,
        LandmarkSurvival,
        Incidence,
        AtRisk,
        MedianSurvival,
        SurvivalQuantile,
        RestrictedMean,
        HazardRatio,
        TimeQuantile,
        PatientTimes,
        MedianFollowUp,
        Median,
        Minimum,
        Maximum,
    )
}


def read(cohort: Cohort, pathway: Pathway) -> tuple[Kind, ...]:
    """Return the rows of a cohort's targets.csv, each as its kind. Raises InputError naming a bad line."""
    figures, rows, folder = list[Kind](), cohort.targets, cohort.folder
    patients = rows_of(cohort) if (rows["kind"] == PatientTimes.kind).any() else {}
    for line, row in zip(rows.index, rows.to_dict("records"), strict=True):
        kind = str(row["kind"])
        if kind not in KINDS:
            raise UnknownNameError("kind", kind, KINDS, figure.where(folder, line))
        is_death = kind == "entered" and row["state"] in pathway.deaths
        cells = figure.cells(row, line, folder)
        if kind == PatientTimes.kind:
            cells["rows"] = patients.get((cells["population"], cells["end_point"]), ())
        figures.append((EnteredDeath if is_death else KINDS[kind])(**cells))
    return tuple(figures)


def guide() -> str:
    """Return the table of kinds that the guide prints, in Markdown."""
    lines = ["| `kind` | what it reports | needs | also reads | `unit` | fitted |", "|---" * 6 + "|"]
    for name, kind in KINDS.items():
        needs, reads = (", ".join(f"`{column}`" for column in columns) for columns in (kind.needs, kind.reads))
        lines.append(f"| `{name}` | {kind.meaning} | {needs} | {reads} | {', '.join(kind.units)} | {kind.fitted} |")
    return "\n".join(lines)
