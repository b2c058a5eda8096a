"""How far other structures of a cohort's model move the headline of each policy: the table next to its draws.

The pathway, the draws, the rows of the cohort, the structure and the policy are as they were, or a row is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.evidence import fingerprint
from simulator.evidence.cohort import Structure, cohort_folder, cohorts_folder, declared_in
from simulator.files import csv
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

FILE = "structure.csv"
DECLARED, AGAIN = "declared", "declared_again"
"""The structure of the cohort itself: by its frozen draws, and fitted anew as the others are."""
LEVERS = "policy"
"""The column with the fingerprint of what a policy and its base change."""
COLUMNS = {
    "text": ("structure", "scenario", "how", LEVERS, fingerprint.COLUMN),
    "number": (
        *("survival", "survival_lower", "survival_upper"),
        *("difference", "difference_lower", "difference_upper", "difference_same_sign"),
        *("moved", "moved_se", "effective_draws", "k_hat", "log_evidence"),
    ),
}
"""moved : of the difference from the first scenario, or of that scenario's own survival, since `DECLARED`."""


def to_fit(structures: Mapping[str, Structure]) -> dict[str, Structure | None]:
    """Return the structures of a table by name, in order: the cohort's own twice, then the others."""
    return {DECLARED: None, AGAIN: None, **structures}


def fresh(draws: Path) -> dict[str, str]:
    """Return structure -> the fingerprint of its rows if the files are as they were. Raises InputError."""
    return fingerprint.of_structures(draws, to_fit(declared_in(draws.parent).structures))


def read(draws: Path, folder: Path | None = None) -> pd.DataFrame:
    """Return the rows that are not stale, of the table next to a file of draws or in another folder. InputError."""
    table, present = csv.read((folder or draws.parent) / FILE, **COLUMNS), fresh(draws)
    return table[table[fingerprint.COLUMN] == table["structure"].map(present)].reset_index(drop=True)


def of_policy(base: Scenario, policy: Scenario) -> pd.DataFrame | None:
    """Return the rows of a policy, one a structure; None if it is not in the table of its pathway's cohort."""
    folder = cohort_folder(policy.pathway)
    if folder is None or not (folder / FILE).exists() or any(map(is_apart, (base, policy))):
        return None
    rows = read(folder / "draws.csv")
    rows = rows[(rows["scenario"] == policy.policy) & (rows[LEVERS] == fingerprint.of_policy(base, policy))]
    return None if rows.empty else rows


def is_apart(scenario: Scenario) -> bool:
    """Return whether no table has a scenario: its patients wait, or its pathway is not that of the draws."""
    pathway = scenario.pathway
    return scenario.is_limited or bool(pathway.milestones) or pathway.fitted is not pathway


def stale(draws: Path) -> str | None:
    """Return, in words, that the table next to draws lacks structures as they are now; else None. Raises InputError."""
    file = draws.with_name(FILE)
    if not file.exists() or not (draws.parent / "cohort.toml").exists():
        return None
    cells = csv.cells(file)
    cells.require(keys := ("structure", fingerprint.COLUMN))
    made = set(zip(cells.columns[keys[0]], cells.columns[keys[1]], strict=True))
    missing = [name for name, now in fresh(draws).items() if (name, now) not in made]
    if not missing:
        return None
    cohort = draws.parent.name if draws.parent.parent == cohorts_folder() else str(draws.parent)
    return (
        f"{FILE} next to these draws is of another version of {', '.join(missing)}. "
        f"Make it again with `aftercart calibrate {cohort} --structures`."
    )
