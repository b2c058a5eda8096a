"""What a run's numbers are, and what they are not."""

from __future__ import annotations

from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import FROM_PRIORS, Pathway

PURPOSE = (
    "It is for planning and teaching about groups of patients, and not for decisions about an individual patient.",
    "A policy's effect is a simulation of stated assumptions. It is not the effect of a treatment.",
)


def of(cohort: Cohort | None, pathway: Pathway, stale: str | None) -> list[str]:
    """Return what a run is not for, and what its intervals leave out. stale : a warning, or None"""
    if cohort is not None:
        source = ", doi ".join(part for part in (cohort.citation.rstrip("."), cohort.doi) if part)
        origin = (
            f"It is calibrated to n = {cohort.n} reported patients: {cohort.title} ({source}). "
            "The intervals include what these patients and the sourced priors do not determine about the parameters. "
            "They do not include how far patients elsewhere differ from these."
        )
        if added := len(pathway.from_priors):
            origin += f" Parameters that they do not inform, drawn from their priors: {added}."
    elif pathway.draws == FROM_PRIORS:
        origin = (
            "It is not calibrated to a cohort: parameters are drawn from the priors that the pathway file declares. "
            "The intervals show what these priors leave open."
        )
    elif pathway.draws is None:
        origin = "It is not calibrated to a cohort: each parameter has the value that the pathway file declares."
    else:
        origin = (
            f"Its parameter sets come from {pathway.draws}. If they were fitted to a cohort, the page can show the "
            "reported figures, too: set draws in the pathway file to the cohort's folder."
        )
    return [*([stale] if stale else []), *PURPOSE, origin]


def numbers(draws: int, *, has_errors: bool) -> str:
    """Return what the numbers of an outcomes table are, and where all of them stand."""
    note = "There is one parameter set, so there are no intervals."
    if draws > 1:
        note = (
            "Numbers are means over the parameter sets (of median survival, the median), with 95 % intervals in "
            "brackets. Differences are taken within each parameter set."
        )
    return f"{note} All outcomes{', with Monte Carlo errors,' * has_errors} are in outcomes.csv."
