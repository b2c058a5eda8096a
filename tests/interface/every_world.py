"""The worlds that every command is tried on: every shipped pathway, kinds of scenario, and three worlds of its own.

`two clocks` has a case mix, groups that answer each other, counts, and parameter sets of its own, and no resources.
`discharge` has a fixed time, patients who never leave, nobody who dies, and neither groups nor parameters.
`ward` has beds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TWO_CLOCKS = """
title = "Two clocks"
start = "watched"
draws = "two_clocks.csv"
group_window = 24

[clocks]
onset = "onset"
entry = "watched"

[attributes.stage]
levels = { early = 3, late = 1 }

[states.watched]
kind = "sojourn"
[[states.watched.transitions]]
to = "onset"
time = { family = "weibull", shape = 1.3, scale = 5 }
[[states.watched.transitions]]
to = "dead"
time = { family = "exponential", mean = 40 }

[states.onset]
kind = "decision"
[[states.onset.branches]]
to = "treated"
probability = "uptake"
[[states.onset.branches]]
to = "untreated"
probability = "rest"

[states.treated]
kind = "sojourn"
[[states.treated.transitions]]
to = "operated"
probability = 0.4
time = { family = "gamma", shape = 2, mean = 3 }
[[states.treated.transitions]]
to = "dead"
probability = 0.6
time = { family = "lognormal", median = { by = "stage", early = 30, late = 9 }, sigma = 1 }

[states.operated]
kind = "sojourn"
[[states.operated.transitions]]
to = "onset_again"
time = { family = "exponential", mean = 20 }
[[states.operated.transitions]]
to = "dead"
time = { family = "exponential", mean = 60 }

[states.onset_again]
kind = "sojourn"
[[states.onset_again.transitions]]
to = "operated"
time = { family = "exponential", mean = 6 }
[[states.onset_again.transitions]]
to = "dead"
time = { family = "exponential", mean = 6 }

[states.untreated]
kind = "sojourn"
[[states.untreated.transitions]]
to = "dead"
time = { family = "exponential", mean = "untreated_mean" }

[states.dead]
kind = "death"

[groups.operated]
entered = "operated"
[groups.not_operated]
entered = "treated"
not_entered = "operated"

[counts.operations]
unit = "per 100 onsets"
entries = "operated"
[counts.treatment_months]
unit = "per 100 onsets"
months = "treated"

[parameters.uptake]
unit = "probability"
meaning = "share who are treated"
value = 0.6
lever = true
source = "assumption"
[parameters.untreated_mean]
unit = "months"
meaning = "mean survival without treatment"
value = 8
source = "assumption"
"""

DRAWS = "uptake,untreated_mean\n0.5,7\n0.7,10\n"

DISCHARGE = """
title = "Discharge"
start = "admitted"

[states.admitted]
kind = "sojourn"
[[states.admitted.transitions]]
to = "home"
probability = 0.75
time = { family = "fixed", months = 2 }
[[states.admitted.transitions]]
to = "long_stay"
probability = 0.25
time = { family = "fixed", months = 0.5 }

[states.long_stay]
kind = "sojourn"
[[states.long_stay.transitions]]
to = "home"
time = { family = "exponential", mean = "long_mean", cure = 0.2 }

[states.home]
kind = "end"

[parameters.long_mean]
unit = "months"
meaning = "mean of a long stay that ends"
value = 6
source = "assumption"
"""

WARD = """
title = "Listed for a bed"
start = "listed"

[attributes.urgency]
levels = { high = 1, low = 2 }

[resources.beds]
label = "beds"

[states.listed]
kind = "sojourn"
[[states.listed.transitions]]
to = "ward"
time = { family = "exponential", mean = 1 }
[[states.listed.transitions]]
to = "dead"
time = { family = "exponential", mean = 4 }

[states.ward]
kind = "sojourn"
holds = "beds"
[[states.ward.transitions]]
to = "recovered"
time = { family = "exponential", mean = "stay" }

[states.recovered]
kind = "sojourn"
[[states.recovered.transitions]]
to = "dead"
time = { family = "exponential", mean = 30 }

[states.dead]
kind = "death"

[parameters.stay]
unit = "months"
meaning = "mean stay"
value = 2.0
source = "assumption"
"""

SERVICE = "[service]\narrivals_per_year = 8\nwarm_up_years = 1\nyears = 2\n"
PRIORITY = 'beds = { units = 2, priority = { urgency = ["high"] } }'

FILES = {
    "two_clocks.toml": TWO_CLOCKS,
    "two_clocks.csv": DRAWS,
    "discharge.toml": DISCHARGE,
    "ward.toml": WARD,
    "chain.toml": 'pathway = "exponential_chain"',
    "all-operable.toml": 'base = "chain.toml"\n[set]\noperable = 1',
    "peer.toml": 'pathway = "peer_pathway"',
    "later-relapse.toml": 'base = "peer.toml"\n[hazard_ratio]\n"remission.relapse" = 0.5',
    "as-it-is.toml": 'pathway = "three_state"',
    "fewer-fall-ill.toml": 'base = "as-it-is.toml"\n[scale]\nonset_rate = 0.5',
    "clocks.toml": 'pathway = "two_clocks.toml"\nleads_with = "entry"',
    "all-treated.toml": 'base = "clocks.toml"\n[set]\nuptake = 1',
    "home.toml": 'pathway = "discharge.toml"',
    "home-later.toml": 'base = "home.toml"\n[scale]\nlong_mean = 2',
    "one-ward.toml": 'pathway = "ward.toml"',
    "long-stays.toml": 'base = "one-ward.toml"\n[set]\nstay = 3',
    "hsct-if-complete.toml": 'base = "hsct-as-milestone"\n[set]\nhsct_if_pr = 0',
    "two-beds.toml": f'pathway = "ward.toml"\n[capacity]\nbeds = 2\n{SERVICE}',
    "by-urgency.toml": f'base = "two-beds.toml"\n[capacity]\n{PRIORITY}',
    "no-limit.toml": f'pathway = "ward.toml"\n{SERVICE}',
    "at-once.toml": 'base = "baseline"\n[capacity]\nhsct_beds = 1',
    "at-once-two.toml": 'base = "at-once.toml"\n[capacity]\nhsct_beds = 2',
}


@dataclass(frozen=True)
class World:
    """A scenario, another on the same pathway, and a parameter to vary; what they have and what they ask for."""

    scenario: str
    other: str
    vary: str
    draws: int = 1
    is_limited: bool = False
    has_milestones: bool = False
    needs_des: bool = False
    has_paired_groups: bool = False


SALVAGE = "salvage_uptake=0.4,0.6"
WORLDS = {
    "baseline": World("baseline", "wider-salvage", SALVAGE, draws=2, has_paired_groups=True),
    "milestone": World(
        "hsct-as-milestone", "hsct-if-complete.toml", SALVAGE, draws=2, has_milestones=True, has_paired_groups=True
    ),
    "letter centre": World("letter-centre", "letter-centre-2-beds", SALVAGE, draws=2, is_limited=True),
    "slots, calendar": World("car-t-slot-a-month", "two-more-beds", SALVAGE, draws=2, is_limited=True, needs_des=True),
    "beds at once": World("at-once.toml", "at-once-two.toml", SALVAGE, draws=2, is_limited=True),
    "none, then beds": World("baseline", "letter-centre", SALVAGE, draws=2, is_limited=True),
    "exponential chain": World("chain.toml", "all-operable.toml", "operable=0.2,0.8"),
    "peer pathway": World("peer.toml", "later-relapse.toml", "hazard_ratio.remission.relapse=0.5,1"),
    "three states": World("as-it-is.toml", "fewer-fall-ill.toml", "onset_rate=0.1,0.2"),
    "two clocks": World("clocks.toml", "all-treated.toml", "uptake=0.2,0.8", draws=2, has_paired_groups=True),
    "discharge": World("home.toml", "home-later.toml", "long_mean=6,12"),
    "unlimited ward": World("one-ward.toml", "long-stays.toml", "stay=1,2"),
    "ward": World("two-beds.toml", "no-limit.toml", "stay=1,2", is_limited=True),
    "ward without limit": World("no-limit.toml", "two-beds.toml", "stay=1,2", is_limited=True),
    "urgent first": World("by-urgency.toml", "two-beds.toml", "stay=1,2", is_limited=True, needs_des=True),
}


def write(folder: Path) -> None:
    """Write the worlds' files into a folder."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
