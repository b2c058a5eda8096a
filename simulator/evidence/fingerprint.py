"""What a fit reads, as a short text: draws carry it, and are stale where the files say something else now.

Two halves: the pathway (states, laws, eligibility, numbers, priors, case mix, groups), and the cohort (who was treated
how, and the values of its targets). Labels, meanings, sources, resources, counts and the order of keys are no part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from os.path import relpath
from pathlib import Path
from typing import Any

from simulator.evidence.cohort import TARGETS, CohortTable
from simulator.files import csv, toml
from simulator.pathway.pathway import Pathway, State, Transition

COLUMN = "fitted_to"
"""Of draws.csv, the last: the same text in each row, where the draws are those of a fit."""

_WORDS = {"title", "citation", "doi", "licence", "pathway", "seed", "dependence", "reason"}
"""Keys of cohort.toml that the likelihood does not read."""
_CELLS = [
    name for kind in ("text", "number", "optional") for name in TARGETS[kind] if name not in ("name", "place", "note")
]
"""Columns of targets.csv that the likelihood reads."""
_NOT_FITTED = ("predictive", "validation")
_LEVERS = ("set", "scale", "odds_ratio", "hazard_ratio")


def of_fit(pathway: Pathway, cohort: Path) -> str:
    """Return the text that draws of a pathway carry, fitted to the cohort in a folder. Raises InputError."""
    return f"{of_pathway(pathway)}-{of_cohort(cohort)}"


def of_pathway(pathway: Pathway) -> str:
    """Return the half that is the pathway's: 12 hexadecimal digits."""
    return _digest(
        {
            "start": pathway.start,
            "clocks": dict(pathway.clocks),
            "clock": pathway.clock,
            "group_window": float(pathway.group_window),
            "states": {name: _state(state) for name, state in pathway.states.items()},
            "attributes": {name: attribute.levels for name, attribute in pathway.attributes.items()},
            "groups": {
                name: [sorted(group.entered), sorted(group.not_entered)] for name, group in pathway.groups.items()
            },
            "parameters": {
                # A fit reads the prior, and the value of what has none.
                name: [parameter.unit, parameter.prior or parameter.value]
                for name, parameter in pathway.parameters.items()
            },
        }
    )


def _state(state: State) -> list[Any]:
    return [state.kind, {transition.name: _transition(transition) for transition in state.transitions}]


def _transition(transition: Transition) -> dict[str, Any]:
    # Draws that carry a text already know the last field by its first name.
    content = asdict(transition)
    return {"goes_on": content.pop("carried_forward"), **content}


def of_cohort(folder: Path) -> str:
    """Return the half that is the cohort's: 12 hexadecimal digits. Raises InputError if its files are malformed."""
    path = folder / "cohort.toml"
    table = toml.validate(CohortTable, toml.read(path), path).model_dump(exclude=_WORDS, exclude_none=True)
    targets = _targets(folder / "targets.csv")
    rows = {target["name"]: _row(target) for target in targets}
    for lever in _LEVERS:
        # A lever may name the row that reports it.
        table[lever] = {name: rows.get(each, each) for name, each in table[lever].items()}
    if "follow_up" in table:
        del table["follow_up"]["reason"]
    table["arms"] = {name: sorted(members) for name, members in table["arms"].items()}
    # Sizes of groups are read from every row of patients, whatever its use.
    read = [_row(target) for target in targets if target["use"] not in _NOT_FITTED or target["kind"] == "patients"]
    return _digest({**table, "targets": sorted(read, key=lambda row: json.dumps(row, sort_keys=True))})


def of_benefit(draws: Path, cohorts: Iterable[Path]) -> str:
    """Return the text that a marginal benefit carries beside the draws in a file, as cohorts in folders inform it.

    Raises InputError.
    """
    return "|".join([_of_draws(draws), *(f"{relpath(cohort, draws.parent)}={of_cohort(cohort)}" for cohort in cohorts)])


def changed_since(fitted: str, draws: Path) -> list[str]:
    """Return what has changed of that which a benefit was fitted to, in words. A cohort that is not there is as it was.

    fitted : as `of_benefit` returned it. Raises InputError.
    """
    of_draws, *cohorts = fitted.split("|")
    changed = ["the draws"] if of_draws != _of_draws(draws) else []
    for folder, _, half in (cohort.rpartition("=") for cohort in cohorts):
        path = draws.parent / folder
        if (path / "cohort.toml").is_file() and of_cohort(path) != half:
            changed.append(f"cohort {path.resolve().name}")
    return changed


def _of_draws(path: Path) -> str:
    return _digest({name: column for name, column in csv.cells(path).columns.items() if name != COLUMN})


def _targets(path: Path) -> list[dict[str, str]]:
    """Return the rows of targets.csv. A printed number keeps its digits, which say how it was rounded."""
    cells = csv.cells(path)
    cells.require((*TARGETS["text"], *TARGETS["number"]))
    values = cells.floats(name for name in (*TARGETS["number"], *TARGETS["optional"]) if name in cells.columns)
    alike = {name: [str(each) for each in column] for name, column in values.items() if name not in TARGETS["printed"]}
    columns = {**cells.columns, **alike}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _row(row: dict[str, str]) -> dict[str, str]:
    """Return the cells of a target that are filled."""
    told = {name: row.get(name, "").strip() for name in _CELLS}
    return {name: each for name, each in told.items() if each not in ("", "nan")}


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, default=asdict)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
