"""The fingerprint of a fit: draws carry it, and are stale where the files have changed since.

Two halves: the pathway (states, laws, eligibility, numbers, priors, case mix, groups), and the cohort (its treatment,
and the values of its targets). Labels, meanings, sources, resources, counts and the order of keys are no part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from itertools import product
from os.path import relpath
from pathlib import Path
from typing import Any

from simulator.evidence.cohort import OPTIONAL_TEXTS, TARGETS, Structure, declared_in
from simulator.files import csv, text
from simulator.pathway import extension, shipped
from simulator.pathway.joint import Joint
from simulator.pathway.pathway import Pathway, State, Transition
from simulator.scenario.scenario import Scenario

COLUMN = "fitted_to"
"""The last column of draws.csv: the same text in every row of fitted draws."""

_WORDS = {
    *("title", "citation", "doi", "licence", "pathway", "seed", "dependence", "reason"),
    *("evidence", "readings", "structures", "same_patients", "unreported"),
}
"""Keys of cohort.toml that the likelihood does not read."""
_CELLS = [
    *(
        name
        for kind in ("text", "number", "optional")
        for name in TARGETS[kind]
        if name not in ("name", "place", "note")
    ),
    *OPTIONAL_TEXTS,
]
"""Columns of targets.csv that the likelihood reads."""
_TEXTS = ("label", "labels", "meaning", "source")
"""Keys of a pathway's states, parameters and so on that are for people to read: no number depends on them."""
_NOT_FITTED = ("predictive", "validation")
_LEVERS = ("set", "scale", "odds_ratio", "hazard_ratio")
_CHANGES = (*_LEVERS, "replace", "population", "case_mix", "marginal_benefit")


def of_fit(pathway: Pathway, cohort: Path) -> str:
    """Return the fingerprint of draws of a pathway, fitted to the cohort in a folder. Raises InputError."""
    declared = declared_in(cohort).populations
    groups = {name: group for name, group in pathway.groups.items() if name not in declared}
    return f"{of_pathway(replace(pathway, groups=groups))}-{of_cohort(cohort)}"


def of_pathway(pathway: Pathway) -> str:
    """Return the pathway's half: 12 hexadecimal digits."""
    return _digest(
        {
            "start": pathway.start,
            "clocks": dict(pathway.clocks),
            "clock": pathway.clock,
            "group_window": float(pathway.group_window),
            "states": {name: _state(state) for name, state in pathway.states.items()},
            "attributes": {name: attribute.levels for name, attribute in pathway.attributes.items()},
            # Draws of pathways without it carry a text already.
            **({"case_mix": sorted(map(_joint, pathway.case_mix))} if pathway.case_mix else {}),
            "groups": {
                name: [sorted(group.entered), sorted(group.not_entered)] for name, group in pathway.groups.items()
            },
            "parameters": {
                # A fit reads the prior, or the value where there is none.
                name: [parameter.unit, parameter.prior or parameter.value]
                for name, parameter in pathway.parameters.items()
            },
        }
    )


def _joint(joint: Joint) -> list[Any]:
    """Return the combinations of a joint, whatever the order of attributes and levels."""
    cells = product(*([(name, level) for level in levels] for name, levels in zip(joint.of, joint.levels, strict=True)))
    return sorted([sorted(cell), joint.share(dict(cell))] for cell in cells)


def _state(state: State) -> list[Any]:
    return [state.kind, {transition.name: _transition(transition) for transition in state.transitions}]


def _transition(transition: Transition) -> dict[str, Any]:
    # Draws that carry a text already know the last field by its first name.
    content = asdict(transition)
    return {"goes_on": content.pop("carried_forward"), **content}


def of_cohort(folder: Path) -> str:
    """Return the cohort's half: 12 hexadecimal digits. Raises InputError if its files are malformed."""
    return _of_cohort(folder, *(text.read(folder / name, csv.LARGEST) for name in ("cohort.toml", "targets.csv")))


# A command asks twice, of every cohort that informs it. contents : of the files, so that a change is seen
@lru_cache(maxsize=64)
def _of_cohort(folder: Path, *contents: str) -> str:
    table = declared_in(folder).model_dump(exclude=_WORDS, exclude_none=True)
    targets = _targets(folder / "targets.csv")
    rows = {target["name"]: _row(target) for target in targets}
    for lever in _LEVERS:
        # A lever may name the row that reports it.
        table[lever] = {name: rows.get(value, value) for name, value in table[lever].items()}
    for name in ("populations", "end_points"):
        if not table[name]:
            # Draws of cohorts without them carry a text already.
            del table[name]
    if "end_points" in table:
        table["end_points"] = {name: declared["causes"] for name, declared in table["end_points"].items()}
    if "follow_up" in table:
        del table["follow_up"]["reason"]
    table["arms"] = {name: sorted(members) for name, members in table["arms"].items()}
    # Sizes of groups are read from every row of patients, whatever its use.
    read = [_row(target) for target in targets if target["use"] not in _NOT_FITTED or target["kind"] == "patients"]
    return _digest({**table, "targets": sorted(read, key=lambda row: json.dumps(row, sort_keys=True))})


def of_benefit(draws: Path, cohorts: Iterable[Path]) -> str:
    """Return the fingerprint of a marginal benefit next to the draws in a file, as cohorts in folders inform it.

    Raises InputError.
    """
    return "|".join([_of_draws(draws), *(f"{relpath(cohort, draws.parent)}={of_cohort(cohort)}" for cohort in cohorts)])


def changed_since(fitted: str, draws: Path) -> list[str]:
    """Return the changes since a benefit was fitted, in words; a cohort that is not there counts as unchanged.

    fitted : as `of_benefit` returned it. Raises InputError.
    """
    of_draws, *cohorts = fitted.split("|")
    changed = ["the draws"] if of_draws != _of_draws(draws) else []
    for folder, _, half in (cohort.rpartition("=") for cohort in cohorts):
        path = draws.parent / folder
        if (path / "cohort.toml").is_file() and of_cohort(path) != half:
            changed.append(f"cohort {path.resolve().name}")
    return changed


def of_structures(draws: Path, structures: Mapping[str, Structure | None]) -> dict[str, str]:
    """Return name -> fingerprint of results of the draws in a cohort's folder, and of fits of other structures.

    It has the fingerprint that the draws carry, so that stale draws are the draws' matter. structures : None is the
    cohort's own. Raises InputError.
    """
    cohort, readings = draws.parent, declared_in(draws.parent).readings
    of_draws, digests = [csv.cells(draws).columns.get(COLUMN, ("",))[0], _of_draws(draws)], {}
    for name, other in structures.items():
        path = cohort / other.pathway if other and other.pathway else None
        declared = _declared(extension.read(path, name, None)) if path and path.is_file() else ()
        rows = readings[other.reading].rows if other and other.reading else None
        weight = [other.prior_weight] if other and other.prior_weight else []
        populations = other.populations.items() if other else ()
        entered = [[population, of.model_dump(exclude={"label"})] for population, of in sorted(populations)]
        alike = [{state: sorted(states) for state, states in other.entered.items()}] if other and other.entered else []
        digests[name] = _digest([*of_draws, rows, *declared, *weight, *entered, *alike])
    return digests


def _declared(file: extension.File | None) -> Iterator[dict[str, Any]]:
    """Yield what a pathway's file, and each that it extends, declares: without texts, and not what is shipped."""
    while file is not None:
        if file.path.parent != shipped.FOLDER:
            tables = {
                key: table for key, table in file.declared.items() if key not in (*extension.OWN, "abbreviations")
            }
            yield {key: _without_texts(table) if key in extension.ENTRIES else table for key, table in tables.items()}
        file = file.extended


def _without_texts(entries: Any) -> Any:
    """Return a table of entries without their texts; a malformed one, which is refused where it is used, as it is."""
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        return entries
    return {name: {key: of[key] for key in of if key not in _TEXTS} for name, of in entries.items()}


def of_policy(base: Scenario, policy: Scenario) -> str:
    """Return the fingerprint of what two scenarios change."""
    return _digest([[getattr(scenario, key) or None for key in _CHANGES] for scenario in (base, policy)])


def _of_draws(path: Path) -> str:
    return _of_cells(csv.cells(path))


# A command asks twice, and the digest of a thousand draws takes as long as to read them.
@lru_cache(maxsize=4)
def _of_cells(cells: csv.Cells) -> str:
    return _digest({name: column for name, column in cells.columns.items() if name != COLUMN})


def _targets(path: Path) -> list[dict[str, str]]:
    """Return the rows of targets.csv. A reported number keeps its digits, which show its rounding."""
    cells = csv.cells(path)
    cells.require((*TARGETS["text"], *TARGETS["number"]))
    values = cells.floats(name for name in (*TARGETS["number"], *TARGETS["optional"]) if name in cells.columns)
    plain = [name for name in values if name not in TARGETS["printed"]]
    columns = {**cells.columns, **{name: [str(value) for value in values[name]] for name in plain}}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _row(row: dict[str, str]) -> dict[str, str]:
    """Return the filled cells of a target."""
    cells = {name: row.get(name, "").strip() for name in _CELLS}
    return {name: cell for name, cell in cells.items() if cell not in ("", "nan")}


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, default=asdict)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
