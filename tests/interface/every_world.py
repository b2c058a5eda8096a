"""The worlds on which every command is run: every shipped pathway, kinds of scenario, and three made-up worlds.

`two clocks` has attributes that go together, paired groups, counts and parameter sets, and no resources.
`discharge` has a fixed time and patients who never leave, but no deaths, groups or parameters.
`ward` has beds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sojourn_times import by, exponential, fixed, gamma, lognormal, weibull
from worlds import decision, exit_to, months, share, sojourn, toml, ward, world

TWO_CLOCKS = world(
    "watched",
    {
        "watched": sojourn(onset=weibull(shape=1.3, scale=5), dead=exponential(mean=40)),
        "onset": decision(treated="uptake", untreated="rest"),
        "treated": sojourn(
            exit_to("operated", gamma(shape=2, mean=3), probability=0.4),
            exit_to("dead", lognormal(median=by("stage", early=30, late=9), sigma=1), probability=0.6),
        ),
        "operated": sojourn(onset_again=exponential(mean=20), dead=exponential(mean=60)),
        "onset_again": sojourn(operated=exponential(mean=6), dead=exponential(mean=6)),
        "untreated": sojourn(dead=exponential(mean="untreated_mean")),
    },
    draws="two_clocks.csv",
    group_window=24,
    clocks={"onset": "onset", "entry": "watched"},
    attributes={"stage": ["early", "late"], "frail": ["no", "yes"]},
    case_mix=[{"of": ["stage", "frail"], "weights": {"early": {"no": 8, "yes": 1}, "late": {"no": 1, "yes": 2}}}],
    groups={"operated": "operated", "not_operated": ("treated", "operated")},
    end_points={
        "free": {"causes": {"second onset": "onset_again", "no treatment": "untreated", "death": "dead"}},
        "seen": {"label": "time to onset", "causes": {"onset": "onset", "operation": ["operated"]}},
    },
    counts={
        "operations": {"unit": "per 100 onsets", "entries": "operated"},
        "treatment_months": {"unit": "per 100 onsets", "months": "treated"},
    },
    parameters={"uptake": share(0.6, lever=True), "untreated_mean": months(8)},
)

DRAWS = "uptake,untreated_mean\n0.5,7\n0.7,10\n"

DISCHARGE = world(
    "admitted",
    {
        "admitted": sojourn(
            exit_to("home", fixed(2), probability=0.75), exit_to("long_stay", fixed(0.5), probability=0.25)
        ),
        "long_stay": sojourn(home=exponential(mean="long_mean", cure=0.2)),
    },
    parameters={"long_mean": months(6)},
)
WARD = ward(
    exponential(mean="stay"), exponential(mean=1), exponential(mean=4), then="recovered",
    states={"recovered": sojourn(dead=exponential(mean=30))}, attributes={"urgency": {"high": 1, "low": 2}},
    end_points={"bed": {"causes": {"bed": "ward", "gave up": "dead"}}}, parameters={"stay": months(2)},
)  # fmt: skip

SERVICE = "[service]\narrivals_per_year = 8\nwarm_up_years = 1\nyears = 2\n"
PRIORITY = 'beds = { units = 2, priority = { urgency = ["high"] } }'

FILES = {
    "two_clocks.toml": toml(TWO_CLOCKS),
    "two_clocks.csv": DRAWS,
    "discharge.toml": toml(DISCHARGE),
    "ward.toml": toml(WARD),
    "chain.toml": 'pathway = "exponential_chain"',
    "all-operable.toml": 'base = "chain.toml"\n[set]\noperable = 1',
    "peer.toml": 'pathway = "peer_pathway"',
    "later-relapse.toml": 'base = "peer.toml"\n[hazard_ratio]\nremission.relapse = {breaks = [12], ratios = [0.5, 1]}',
    "as-it-is.toml": 'pathway = "three_state"',
    "fewer-fall-ill.toml": 'base = "as-it-is.toml"\n[scale]\nonset_rate = 0.5',
    "clocks.toml": 'pathway = "two_clocks.toml"\nleads_with = "entry"',
    "all-treated.toml": 'base = "clocks.toml"\n[set]\nuptake = 1\n[population]\nfrail = { no = 1, yes = 1 }',
    "home.toml": 'pathway = "discharge.toml"',
    "home-later.toml": 'base = "home.toml"\n[scale]\nlong_mean = 2',
    "one-ward.toml": 'pathway = "ward.toml"',
    "long-stays.toml": 'base = "one-ward.toml"\n[set]\nstay = 3',
    "hsct-if-complete.toml": 'base = "hsct-as-milestone"\n[set]\nhsct_if_pr = 0',
    "two-beds.toml": f'pathway = "ward.toml"\n[capacity]\nbeds = 2\n{SERVICE}',
    "by-urgency.toml": f'base = "two-beds.toml"\n[capacity]\n{PRIORITY}',
    "no-limit.toml": f'pathway = "ward.toml"\n{SERVICE}',
    "at-once.toml": 'pathway = "ward.toml"\n[capacity]\nbeds = 1',
    "at-once-two.toml": 'base = "at-once.toml"\n[capacity]\nbeds = 2',
}


@dataclass(frozen=True)
class World:
    """A scenario, another on the same pathway, a parameter to vary, and what their runs have or need."""

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
    "beds at once": World("at-once.toml", "at-once-two.toml", "stay=1,2", is_limited=True),
    "none, then beds": World("one-ward.toml", "two-beds.toml", "stay=1,2", is_limited=True),
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
