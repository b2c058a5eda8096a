"""The notes below a figure: benefits in policies' names, abbreviations, source and cautions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from simulator.evidence.cohort import Cohort
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, split_name

REPORTED = "Circles: reported, ± one standard error."

_BENEFITS = {
    COHORTS: "the additional patients benefit as other cohorts suggest (an extrapolation, not a measured effect)",
    BREAK_EVEN: "just enough additional patients benefit for the policy to reach the margin, at most all (no band)",
}


def benefits_in_words(scenarios: Sequence[str]) -> list[str]:
    """Return the meaning of every NAME@0.5."""
    benefits = dict.fromkeys(benefit for _, benefit in map(split_name, scenarios) if benefit is not None)
    sentences = []
    for benefit in benefits:
        if isinstance(benefit, str):
            sentences.append(f"@{benefit}: {_BENEFITS[benefit]}.")
        else:
            share = "half" if benefit == 0.5 else f"{100 * benefit:g} %"
            sentences.append(f"@{benefit:g}: only {share} of the additional patients benefit (assumption).")
    return sentences


def explained(abbreviations: Mapping[str, str], labels: Iterable[str]) -> list[str]:
    """Return a sentence with the abbreviations that labels use and their meanings; none without abbreviations."""
    text = " ".join(labels)
    used = [
        f"{abbreviation}: {meaning}"
        for abbreviation, meaning in abbreviations.items()
        if re.search(rf"(?<!\w){re.escape(abbreviation)}(?!\w)", text)
    ]
    return [f"{'; '.join(used)}."] if used else []


def source_in_words(cohort: Cohort | None) -> str:
    """Return the cohort's size, its source, and the limits of its figures; without a cohort, the limits alone."""
    if cohort is None:
        return "Not for individual patients."
    source = f"n = {cohort.n}: {cohort.citation.rstrip('.')}."
    return f"{source} A simulation of stated assumptions; not for individual patients."
