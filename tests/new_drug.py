"""Pathways that have everything a page of the explorer can meet."""

import worlds
from sojourn_times import exponential, weibull
from worlds import chance, decision, share, sojourn, world

NEW_DRUG = world(
    "relapse",
    {
        "relapse": decision(choice="uptake", care="rest"),
        "choice": decision(
            drug={"probability": "share_drug", "eligible": {"marker": {"no": 0.0}}}, old="share_old", none="rest"
        ),
        "drug": {
            "kind": "sojourn",
            "transitions": [
                worlds.exit_to("answer", weibull(median=1.5, shape=1.4), probability="safe"),
                worlds.exit_to("dead", exponential(mean=2.0), name="toxic", probability="rest"),
            ],
        },
        "old": sojourn(answer=exponential(mean=2.0)),
        "none": sojourn(dead=exponential(mean=6.0)),
        "answer": chance(better={"probability": {"by": "age", "young": "cr_young", "old": 0.3}}, worse="rest"),
        "better": sojourn(dead=weibull(median=40.0, shape=0.8)),
        "worse": sojourn(dead=weibull(median=4.0, shape=1.2)),
        "care": sojourn(
            dead={**weibull(median=2.0, shape=1.1), "hazard_ratio": {"by": "age", "young": 1.0, "old": 1.6}}
        ),
    },
    attributes={"marker": ["yes", "no"], "age": ["young", "old"], "site": {"left": 1, "right": 1}},
    case_mix=[{"of": ["marker", "age"], "weights": {"yes": {"young": 5, "old": 2}, "no": {"young": 1, "old": 2}}}],
    parameters={
        "uptake": share(0.5, lever=True),
        "share_drug": share(0.4, lever=True),
        "share_old": share(0.35),
        "safe": share(0.9),
        "cr_young": share(0.7),
    },
    marginal=worlds.practice("1/2", "relapse", "choice", "care", "worse"),
)
"""Eligibility, a response that depends on age, toxic deaths, attributes that go together, and marginal patients."""

BY_AGE = world(
    "relapse",
    {
        "relapse": decision(drug={"probability": {"by": "age", "young": "uptake", "old": "uptake_old"}}, care="rest"),
        "drug": sojourn(answer=exponential(mean=2.0), dead=exponential(mean=9.0)),
        "answer": chance(better="good", worse="rest"),
        "better": sojourn(dead=exponential(mean=40.0)),
        "worse": sojourn(dead=exponential(mean=3.0)),
        "care": sojourn(dead=exponential(mean=4.0)),
    },
    attributes={"age": {"young": 3, "old": 7}},
    parameters={
        name: share(value, lever=True)
        for name, value in zip(("uptake", "uptake_old", "good"), (0.6, 0.3, 0.5), strict=True)
    },
    marginal=worlds.practice("0.39", "relapse", "drug", "care", "worse"),
)
"""The share treated today is by age."""
