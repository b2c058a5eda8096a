"""Whether a calibration can be believed: simulation-based calibration, each target predicted, the lattice halved."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from calibration.fit import Posterior, priors_of
from calibration.likelihood.likelihood import STEP
from calibration.likelihood.targets import Targets
from calibration.validation import ranks, trials
from calibration.validation.cross_validation import FITTED, ROWS, blocks, left_out
from calibration.validation.ecdf_bands import FALSE_ALARM, band, coverage, judged
from calibration.validation.halving import MOST, moved_by_halving
from calibration.validation.ranks import DRAWS
from simulator.errors import InputError
from simulator.evidence.draws import read_draws
from simulator.files import csv, whole

RANKS = DRAWS + 1
"""Possible ranks of the truth among a fit's draws."""


@dataclass(frozen=True)
class Check:
    """trials : a row a simulated cohort; left_out : a row a target; moved : log-likelihood by halving the lattice.

    false_alarm : how often a right calibration fails; most_moved : what halving may move the log-likelihood by
    """

    false_alarm: ClassVar = FALSE_ALARM
    most_moved: ClassVar = MOST

    targets: Targets
    trials: pd.DataFrame
    left_out: pd.DataFrame
    moved: float

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """The ranks of the cohorts that were fitted, a column a quantity."""
        fitted = self.trials[self.trials["refused"] == ""]
        return fitted[trials.quantities(self.targets)].astype(int)

    @property
    def refused(self) -> dict[str, int]:
        """Reason -> cohorts that the calibration could not fit."""
        reasons = self.trials.loc[self.trials["refused"] != "", "refused"]
        return {str(reason): int(count) for reason, count in reasons.value_counts().items()}

    @cached_property
    def uniformity(self) -> pd.DataFrame:
        return judged(self.ranks, RANKS) if len(self.ranks) else pd.DataFrame(columns=["quantity", "uniform"])

    @cached_property
    def coverage(self) -> pd.DataFrame:
        return coverage(self.ranks, RANKS) if len(self.ranks) else pd.DataFrame(columns=["quantity", "inside"])

    @property
    def narrowest_band(self) -> float:
        """The share of ranks, off by which at the middle, they are still taken as uniform."""
        limits = band(len(self.ranks), RANKS, FALSE_ALARM / len(self.ranks.columns))
        return float(((limits.upper - limits.lower) / 2.0).max())

    def ranks_fail(self) -> bool:
        """Return whether ranks or coverage fail, as those of a right calibration sometimes do."""
        return any("no" in set(table[name]) for table, name in self._judged())

    def _judged(self) -> list[tuple[pd.DataFrame, str]]:
        return [(self.uniformity, "uniform"), (self.coverage, "inside")]

    def failures(self) -> list[str]:
        """Return what is wrong, a clause each; empty if nothing is."""
        uneven, outside = (quantities_that_fail(*each) for each in self._judged())
        checks = [
            (not len(self.ranks), f"none of {len(self.trials)} simulated cohorts could be fitted"),
            (uneven, f"the ranks of {', '.join(uneven)} are not uniform"),
            (outside, f"intervals of {', '.join(outside)} include the true value too rarely or too often"),
            (self.moved >= MOST, f"halving the cells of the lattice changes the log-likelihood by {self.moved:.3f}"),
        ]
        return [clause for wrong, clause in checks if wrong]

    def write(self, folder: Path) -> None:
        """Write the tables and the manifest beside ranks.csv."""
        tables = {"uniformity": self.uniformity, "coverage": self.coverage, "left_out": self.left_out}
        for name, table in tables.items():
            csv.write(table, folder / f"{name}.csv", ".6g")
        told = json.dumps(self.manifest(), indent=2, ensure_ascii=False)
        whole.write(folder / "manifest.json", f"{told}\n".encode())

    def manifest(self) -> dict[str, Any]:
        """Return what was done, and how it came out."""
        return trials.settings(self.targets) | {
            "fits": len(self.ranks),
            "refused": self.refused,
            "false_alarm": FALSE_ALARM,
            "not_uniform": quantities_that_fail(self.uniformity, "uniform"),
            "coverage_outside": quantities_that_fail(self.coverage, "inside"),
            "log_likelihood_moved_by_halving_the_lattice": self.moved,
            "note": "A simulation of stated assumptions; not for individual patients.",
        }


def quantities_that_fail(table: pd.DataFrame, column: str) -> list[str]:
    """Return the quantities with a "no" in a column."""
    return list(dict.fromkeys(table.loc[table[column] == "no", "quantity"]))


def refuse(targets: Targets, folder: Path, fits: int) -> None:
    """Raise InputError for a seed below 0, no fits, a folder that holds other fits, or a cohort without a fit."""
    if targets.seed < 0:
        raise InputError("a seed below 0", where="--seed", got=targets.seed, allowed="0 or more")
    if fits < 1:
        raise InputError("too few", where="--fits", got=fits, allowed="1 or more")
    trials.check_folder(folder, trials.settings(targets))
    if not (targets.folder / "draws.csv").exists():
        what = "the cohort has not been fitted yet"
        raise InputError(what, where=str(targets.folder), allowed=f"aftercart calibrate {targets.folder}")


def seconds(
    targets: Targets, folder: Path, fits: int, timed: Callable[[Callable[[], object]], float]
) -> tuple[float, float]:
    """Return about how long one process takes for the fits that are left, and for each figure left out, at most.

    A fit takes what those in the folder took, or all the points that it may. timed : the seconds of a piece of work
    """
    z = np.random.default_rng(0).standard_normal((ROWS, priors_of(targets).dimension))
    a_row = {step: timed(partial(Posterior(targets, step).log_likelihood, z)) / ROWS for step in (ranks.STEP, STEP)}
    file = folder / "ranks.csv"
    done = trials.read(file) if file.exists() else pd.DataFrame({"refused": [], "seconds": []})
    fitted = done.loc[done["refused"] == "", "seconds"]
    a_fit = float(fitted.mean()) if len(fitted) else ranks.QUICK.keywords["most_points"] * a_row[ranks.STEP]
    draws = len(read_draws(targets.folder / "draws.csv", targets.pathway))
    solved = len(blocks(targets)) * (draws + FITTED.keywords["most_points"])
    return max(fits - len(fitted), 0) * a_fit, solved * a_row[STEP]


def check(
    targets: Targets, folder: Path, *, fits: int, jobs: int = 1, progress: Callable[[int, int, str], None] | None = None
) -> Check:
    """Check a cohort's calibration, going on where an earlier run into the same folder stopped.

    Raises InputError where the cohort has no draws yet, where `fits` is below 1, and where the folder holds other fits.
    """
    refuse(targets, folder, fits)
    draws = read_draws(targets.folder / "draws.csv", targets.pathway)
    tell = progress or (lambda *_: None)
    done = trials.run(targets, fits, folder, jobs=jobs, progress=lambda at, of: tell(at, of, "fitting"))
    tell(0, 1, "leaving targets out")
    return Check(targets, done, left_out(targets, jobs=jobs), float(moved_by_halving(targets, draws).max()))
