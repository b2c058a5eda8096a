"""The notes below a figure: marginal benefits, abbreviations, source and cautions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from simulator.evidence.cohort import Cohort
from simulator.figures import style
from simulator.plain_text import capital
from simulator.scenario.scenario import BREAK_EVEN, COHORTS, split_name
from simulator.wording import reported
from simulator.wording.headline import benefit_in_words

REPORTED = "Circles: reported, ± one standard error."

ASSUMED = "an assumption about the additional patients"
_MEANINGS: dict[float | str | None, str] = {
    COHORTS: "the additional patients benefit as other cohorts suggest (an extrapolation, not a measured effect)",
    BREAK_EVEN: "as many additional patients benefit as the policy needs to reach the margin, at most all (no band)",
}


def benefits_in_words(scenarios: Sequence[str]) -> list[str]:
    """Return the meaning of every marginal benefit in the labels of scenarios; see `scenario_in_words`."""
    benefits = {benefit_in_words(name): split_name(name)[1] for name in scenarios}
    meanings = {words: _MEANINGS.get(benefit, ASSUMED) for words, benefit in benefits.items() if words}
    return [f"{capital(words)}: {meaning}." for words, meaning in meanings.items()]


def explained(abbreviations: Mapping[str, str], labels: Iterable[str]) -> list[str]:
    """Return a sentence with the abbreviations that labels use and their meanings; none without abbreviations."""
    text = " ".join(labels)
    used = [
        f"{abbreviation}: {meaning}"
        for abbreviation, meaning in abbreviations.items()
        if re.search(rf"(?<!\w){re.escape(abbreviation)}(?!\w)", text)
    ]
    return [f"{'; '.join(used)}."] if used else []


def foot(sentences: Sequence[str], cohort: Cohort | None, width: float) -> list[str]:
    """Return the notes of a sheet of a width in inches with the source; of a compact one, the source alone."""
    return [*(sentences if width >= style.WIDTH else ()), source_in_words(cohort)]


def source_in_words(cohort: Cohort | None) -> str:
    """Return the cohort's size, its short name and the limits of its figures; the page has the citation, once."""
    if cohort is None:
        return "Not for individual patients."
    source = f"n = {cohort.n} ({reported.cohort(cohort)})."
    return f"{source} A simulation of stated assumptions; not for individual patients."
