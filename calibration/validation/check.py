"""Whether a calibration can be believed: simulation-based calibration, cross-validation and the lattice error."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from calibration.fit import ROWS as LATTICE_ROWS
from calibration.fit import Posterior, priors_of
from calibration.likelihood.likelihood import STEP, Likelihood
from calibration.likelihood.targets import Targets
from calibration.validation import ranks, trials
from calibration.validation.cross_validation import FITTED, ROWS, blocks, cross_validate
from calibration.validation.ecdf_bands import FALSE_ALARM, band, coverage, judged
from calibration.validation.ranks import RANKS
from simulator.arrays import Floats, slices
from simulator.errors import InputError
from simulator.evidence.draws import read_draws, values
from simulator.files import csv, whole

LARGEST_LATTICE_ERROR = 0.01
"""Of the log-likelihood, at any draw."""


@dataclass(frozen=True)
class Check:
    """trials : a row a simulated cohort; cross_validation : a row a target; lattice_error : of the log-likelihood.

    false_alarm : how often a right calibration fails
    """

    false_alarm: ClassVar = FALSE_ALARM
    largest_lattice_error: ClassVar = LARGEST_LATTICE_ERROR

    targets: Targets
    trials: pd.DataFrame
    cross_validation: pd.DataFrame
    lattice_error: float

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
        """The largest deviation of the share of ranks at the middle that still passes as uniform."""
        limits = band(len(self.ranks), RANKS, FALSE_ALARM / len(self.ranks.columns))
        return float(((limits.upper - limits.lower) / 2.0).max())

    def ranks_fail(self) -> bool:
        """Return whether ranks or coverage fail, as sometimes in a right calibration."""
        return any("no" in set(table[name]) for table, name in self._judged())

    def _judged(self) -> list[tuple[pd.DataFrame, str]]:
        return [(self.uniformity, "uniform"), (self.coverage, "inside")]

    def failures(self) -> list[str]:
        """Return a clause on every fault."""
        changes = "the cells of the lattice changes the log-likelihood"
        uneven, outside = (quantities_that_fail(*judged) for judged in self._judged())
        checks = [
            (not len(self.ranks), f"none of {len(self.trials)} simulated cohorts could be fitted"),
            (uneven, f"the ranks of {', '.join(uneven)} are not uniform"),
            (outside, f"intervals of {', '.join(outside)} include the true value too rarely or too often"),
            (self.lattice_error >= LARGEST_LATTICE_ERROR, f"halving {changes} by {self.lattice_error:.3f}"),
        ]
        return [clause for wrong, clause in checks if wrong]

    def write(self, folder: Path) -> None:
        """Write the tables and the manifest next to ranks.csv."""
        tables = {"uniformity": self.uniformity, "coverage": self.coverage, "left_out": self.cross_validation}
        for name, table in tables.items():
            csv.write(table, folder / f"{name}.csv", ".6g")
        manifest = json.dumps(self.manifest(), indent=2, ensure_ascii=False)
        whole.write(folder / "manifest.json", f"{manifest}\n".encode())

    def manifest(self) -> dict[str, Any]:
        """Return the settings and the results."""
        return trials.settings(self.targets) | {
            "fits": len(self.ranks),
            "refused": self.refused,
            "truth_outweighs_its_fit": int((self.trials["truth_share"] > 0.5).sum()),
            "false_alarm": FALSE_ALARM,
            "not_uniform": quantities_that_fail(self.uniformity, "uniform"),
            "coverage_outside": quantities_that_fail(self.coverage, "inside"),
            "log_likelihood_moved_by_halving_the_lattice": self.lattice_error,
            "note": "A simulation of stated assumptions; not for individual patients.",
        }


def quantities_that_fail(table: pd.DataFrame, column: str) -> list[str]:
    """Return the quantities with a "no" in a column."""
    return list(dict.fromkeys(table.loc[table[column] == "no", "quantity"]))


def refuse(targets: Targets, folder: Path, fits: int) -> None:
    """Raise InputError for a seed below 0, no fits, a folder with other fits, or a cohort without a fit."""
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
    """Return about how long one process takes for the missing fits and, at most, for cross-validation.

    A fit takes as long as those in the folder, or all its points. timed : the seconds of a piece of work
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

    Raises InputError where the cohort has no draws yet, where `fits` is below 1, and where the folder has other fits.
    """
    refuse(targets, folder, fits)
    draws = read_draws(targets.folder / "draws.csv", targets.pathway)
    report = progress or (lambda *_: None)
    done = trials.run(targets, fits, folder, jobs=jobs, progress=lambda at, of: report(at, of, "fitting"))
    report(0, 1, "leaving targets out")
    return Check(targets, done, cross_validate(targets, jobs=jobs), float(lattice_errors(targets, draws).max()))


def lattice_errors(targets: Targets, draws: pd.DataFrame, step: float = STEP) -> Floats:
    """Return |log L at step / 2 - log L at step| of every draw, (n_draws,)."""
    coarse, fine = Likelihood(targets, step), Likelihood(targets, step / 2.0)
    chunks = [values(draws, rows) for rows in slices(len(draws), LATTICE_ROWS)]
    return np.concatenate([np.abs(fine(chunk) - coarse(chunk)) for chunk in chunks])
