"""Many trials in one file, a row each, written as they are done: an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
import math
from collections import UserDict
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from calibration.fit import priors_of
from calibration.likelihood.targets import Targets
from calibration.validation.ranks import QUICK, RANKS, STEP, Trial, trial
from simulator import execution
from simulator.errors import InputError
from simulator.evidence import fingerprint
from simulator.files import csv, lock
from simulator.files import text as text_file
from simulator.files import whole as whole_file
from simulator.pathway.outcome_months import alive_at, mean_to

ABOUT = ["number", "refused", "effective_sample_size", "k_hat", "truth_share", "seconds"]
"""Columns before those of the ranks."""
MOST_TRIALS = 3
"""For every fit that is wanted."""


def run(
    targets: Targets, fits: int, folder: Path, *, jobs: int = 1, progress: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """Return the table of trials 1, 2, ..., a row each, up to so many fits, or `MOST_TRIALS` times as many trials.

    Trials in ranks.csv of `folder` are not done again. Raises InputError if these have other settings, or if another
    process is at work there.
    """
    file = folder / "ranks.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with lock.held(folder):
        about = settings(targets)
        check_folder(folder, about)
        if _is_new(folder):
            whole_file.write(folder / "settings.json", (json.dumps(about, indent=2) + "\n").encode())
        _drop_cut_row(file, quantities(targets))
        store = TrialFile(file, quantities(targets))

        def advance(done: int, total: int) -> None:
            if progress is not None:
                progress(fits - total + done, fits)

        with execution.Pool(jobs) as pool:
            while numbers := store.wanted(fits):
                list(execution.map(partial(trial, targets), numbers, jobs=pool, store=store, progress=advance))
        table = read(file)
    return table[(table["refused"] == "").cumsum().shift(fill_value=0) < fits]


class TrialFile(UserDict[int, Trial]):
    """The trials in a file, number -> trial; a new one is a new row of the file at once."""

    def __init__(self, file: Path, names: list[str]) -> None:
        """Read the trials. names : the quantities that are ranked"""
        super().__init__()
        self.file, self.names = file, names
        for line in read(file).to_dict("records"):
            ranks = {} if line["refused"] else {name: int(line[name]) for name in names}
            self.data[line["number"]] = Trial(**{name: line[name] for name in ABOUT}, ranks=ranks)

    def __setitem__(self, number: int, trial: Trial) -> None:
        with self.file.open("a", encoding="utf-8", newline="") as stream:
            csv.write(row(trial, self.names), stream, ".8g", header=False)
        self.data[number] = trial

    def wanted(self, fits: int) -> range:
        """Return the trials that are wanted for so many fits; none where there are enough, or most are refused."""
        missing = fits - sum(not trial.refused for trial in self.values())
        last = min(len(self) + max(missing, 0), MOST_TRIALS * fits)
        return range(1, last + 1) if last > len(self) else range(0)


def quantities(targets: Targets) -> list[str]:
    """Return the quantities to rank: every parameter with a prior, the outcomes, and the likelihood of the cohort."""
    months = targets.pathway.months
    return [*priors_of(targets).names, alive_at(months.answer), mean_to(months.early), "log_likelihood"]


def row(result: Trial, names: list[str]) -> pd.DataFrame:
    """Return a trial as a row of the table; cells without a rank are empty."""
    cells = {name: getattr(result, name) for name in ABOUT} | {name: result.ranks.get(name) for name in names}
    forms = {"effective_sample_size": ".0f", "k_hat": ".2f", "truth_share": ".2g", "seconds": ".1f"}
    numbers = {name: "" if math.isnan(cells[name]) else f"{cells[name]:{form}}" for name, form in forms.items()}
    return pd.DataFrame([cells | numbers], columns=ABOUT + names)


def read(file: Path) -> pd.DataFrame:
    """Return the table; a refused cohort has no ranks (NaN), and the reason in `refused`.

    Raises InputError unless its trials are 1, 2, ..., and their ranks are: a cohort counted twice would look like two.
    """
    header = csv.texts(file).columns
    table = csv.read(file, ["refused"], [name for name in header if name != "refused"])
    for number, (line, got) in enumerate(table["number"].items(), start=1):
        if got != number:
            what = "a trial is repeated" if got < number else "a trial is missing before this one"
            allowed = f"{number}: remove the lines from here on, then run the same command to continue"
            raise InputError(what, where=f"{file}: line {line}", got=f"{got:g}", allowed=allowed)
    for name in header.drop(ABOUT):
        wrong = table[(table["refused"] == "") & ~table[name].isin(range(RANKS))]
        if len(wrong):
            where, allowed = f"{file}: line {wrong.index[0]}, {name}", f"0 to {RANKS - 1} where no fit was refused"
            raise InputError("not a rank", where=where, got=f"{wrong[name].iloc[0]:g}", allowed=allowed)
    return table.astype({"number": int}).reset_index(drop=True)


def settings(targets: Targets) -> dict[str, Any]:
    """Return the settings that all trials of a file share."""
    return {
        "cohort": targets.cohort.name,
        "n": targets.cohort.n,
        "seed": targets.seed,
        "step": STEP,
        **QUICK.keywords,
        fingerprint.COLUMN: fingerprint.of_fit(targets.pathway, targets.folder),
        "version": version("aftercart"),
    }


def check_folder(folder: Path, about: dict[str, Any]) -> None:
    """Refuse a folder with fits of other settings, or with other things, in it."""
    if _is_new(folder):
        return
    try:
        before = dict(json.loads((folder / "settings.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        allowed = "a new or empty folder, or the folder of a stopped check"
        raise InputError("this folder has no check to continue", where=str(folder), allowed=allowed) from error
    for key, wanted in about.items():
        if before.get(key) != wanted:
            what = f"the fits in this folder have another {key.replace('_', ' ')}"
            raise InputError(what, where=str(folder), got=before.get(key), allowed=str(wanted))


def _is_new(folder: Path) -> bool:
    unfinished = whole_file.part_of(folder / "settings.json")
    return not folder.exists() or all(path == unfinished for path in folder.iterdir())


def _drop_cut_row(file: Path, names: list[str]) -> None:
    """Begin a file if it is not there, and drop a row cut short."""
    if not file.exists():
        whole_file.write(file, (",".join(ABOUT + names) + "\n").encode())
    text = text_file.read(file, csv.LARGEST)
    if text.partition("\n")[0] != ",".join(ABOUT + names):
        raise InputError("not the columns of a check", where=str(file), allowed=", ".join(ABOUT + names[:1]) + " ...")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        whole_file.write(file, whole.encode())
