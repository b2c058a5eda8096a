"""What the model owes to a cohort's paper, and what a cohort leaves as in the pathway: derived, never listed.

Sources of parameters cite evidence as "FILE: COHORT, QUANTITY". cohort.toml names its COHORT (`evidence`), and a row of
targets.csv its QUANTITY (column `evidence`), with others of some of its patients: "QUANTITY | OTHER".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from calibration.likelihood.targets import Targets
from calibration.reported.figure import Figure
from simulator.evidence.cohort import CohortTable


def declared(targets: Targets) -> CohortTable:
    """Return the cohort.toml of a cohort."""
    return targets.cohort.declared


def centred_on(targets: Targets, figure: Figure) -> list[str]:
    """Return the parameters whose prior is centred on a figure, or on one of some of its patients, by their sources."""
    quantities = [re.escape(quantity) for cell in figure.evidence.split("|") if (quantity := cell.strip())]
    return _citing(targets, f", (?:{'|'.join(quantities)})(?=$|[;).])") if quantities else []


def of_paper(targets: Targets) -> list[str]:
    """Return the parameters whose prior is centred on any figure of a cohort's paper."""
    return _citing(targets, ", ")


def _citing(targets: Targets, pattern: str) -> list[str]:
    evidence = declared(targets).evidence
    cited = re.compile(f": {re.escape(evidence)}{pattern}")
    parameters = targets.pathway.parameters.values() if evidence else ()
    return [parameter.name for parameter in parameters if parameter.prior and cited.search(parameter.source)]


def each_patient_once(cohorts: Iterable[Targets]) -> list[str]:
    """Return the cohorts but those that have some of the same patients as one before them: either may declare it."""
    counted: list[Targets] = []
    for targets in cohorts:
        if not any(_share_patients(targets, other) or _share_patients(other, targets) for other in counted):
            counted.append(targets)
    return [targets.cohort.name for targets in counted]


def _share_patients(targets: Targets, other: Targets) -> bool:
    return other.cohort.name in declared(targets).same_patients


def left(targets: Targets) -> list[str]:
    """Return the levers and attributes that a cohort leaves at the pathway's own: its paper does not report them.

    A share is set if a sibling of it is, whose change rescales it.
    """
    scenario, pathway = targets.scenario, targets.pathway
    changed = {*scenario.set, *scenario.scale, *scenario.odds_ratio, *scenario.hazard_ratio}
    changed |= {name for given in set(changed) for shares in pathway.siblings(given) for name in shares.names}
    changed |= set(declared(targets).unreported)
    levers = [name for name, parameter in pathway.parameters.items() if parameter.lever and name not in changed]
    return [*levers, *(name for name in pathway.attributes if name not in scenario.population)]
