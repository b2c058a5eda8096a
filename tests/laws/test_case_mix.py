"""Attributes that go together are a mixture of patients of one kind each, in every engine.

Brute force: the exact engine solves every combination of levels alone, and the curves of all are their weighted sums.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.engines.cells import levels_of
from simulator.engines.curves import Curves, populations
from simulator.engines.exact import engine
from simulator.engines.exact.embedded import absorption
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

PATHWAY = load_pathway("b_all_post_cd19")
WEIGHTS = {"positive": {"yes": 2, "no": 9}, "negative_or_dim": {"yes": 12, "no": 3}, "unknown": {"yes": 0, "no": 4}}
CD19_AND_HSCT = {"of": ["cd19", "prior_hsct"], "weights": WEIGHTS}
RELAPSE = {"car_t_remission.relapse": {"by": "prior_hsct", "yes": 2.0, "no": 1.0}}
"""An assumption, so that both attributes decide something."""
HORIZON = 36.0


def alone(**levels: str) -> Scenario:
    """Patients of one kind."""
    mix = {name: {level: float(level == levels[name]) for level in PATHWAY.attributes[name].levels} for name in levels}
    return Scenario("alone", PATHWAY, population=mix, hazard_ratio=RELAPSE)


@pytest.fixture(scope="module")
def kinds() -> dict[tuple[str, str], tuple[float, Curves]]:
    """By CD19 and prior HSCT, the share who relapse, and the curves."""
    kinds = {}
    for cd19, prior in product(WEIGHTS, ("yes", "no")):
        model = resolve(alone(cd19=cd19, prior_hsct=prior))
        # The lattice of all kinds, so that nothing but the mixture differs.
        place = model.weights.argmax()
        kinds[cd19, prior] = float(absorption(model)[0, place]), engine.curves(model, HORIZON, step=0.05)
    return kinds


CASE_MIXES: dict[str, Mapping[str, Any]] = {
    "weights of combinations": {"case_mix": [CD19_AND_HSCT]},
    "another share of prior HSCT": {"case_mix": [CD19_AND_HSCT], "population": {"prior_hsct": {"yes": 1, "no": 1}}},
}


def shares(name: str) -> Iterator[tuple[str, str, float]]:
    """CD19, prior HSCT and share: half of each in the second case mix, of 14 with and 16 without prior HSCT."""
    for cd19, prior in product(WEIGHTS, ("yes", "no")):
        weight = WEIGHTS[cd19][prior]
        total = 30 if name == "weights of combinations" else 2 * {"yes": 14, "no": 16}[prior]
        yield cd19, prior, weight / total


@pytest.mark.parametrize("name", CASE_MIXES)
def test_curves_are_the_weighted_sums_of_those_of_every_combination(
    name: str, kinds: Mapping[tuple[str, str], tuple[float, Curves]]
) -> None:
    model = resolve(Scenario("together", PATHWAY, hazard_ratio=RELAPSE, **CASE_MIXES[name]))
    solved = engine.curves(model, HORIZON, step=0.05)
    compared = [
        who for who in populations(PATHWAY) if who.partition("=")[0] in ("all", *PATHWAY.groups, *CD19_AND_HSCT["of"])
    ]
    for clock, who in product(PATHWAY.clocks, compared):
        summed, size = np.zeros((1, solved.months.size)), 0.0
        for cd19, prior, share in shares(name):
            relapse, curves = kinds[cd19, prior]
            is_level = "=" in who
            if is_level and who not in (f"cd19={cd19}", f"prior_hsct={prior}"):
                continue
            # Groups and the clock of relapse are of patients who relapse.
            weight = share * (relapse if clock == PATHWAY.clock or who in PATHWAY.groups else 1.0)
            weight *= 1.0 if is_level or who == "all" else float(curves.sizes[who][0])
            if weight:
                summed, size = summed + weight * curves.survival[clock, "all" if is_level else who], size + weight
        np.testing.assert_allclose(solved.survival[clock, who], summed / size, atol=2e-7, err_msg=f"{clock} {who}")


def test_microsim_and_des_draw_the_same_patients(events: Callable[..., pd.DataFrame], follow: Callable) -> None:
    model = resolve(Scenario("together", PATHWAY, hazard_ratio=RELAPSE, case_mix=[CD19_AND_HSCT]))
    table = events(model, range(300), horizon=HORIZON)
    for who, rows in table.groupby("patient"):
        life = follow(model, who, horizon=HORIZON)
        assert list(rows["state"]) == [state for _, state in life]
        np.testing.assert_allclose(rows["month"], [month for month, _ in life], rtol=0, atol=1e-9)


def test_patients_have_the_shares_of_every_combination() -> None:
    n = 200_000
    levels = levels_of(Scenario("together", PATHWAY, case_mix=[CD19_AND_HSCT]), Uniforms(5), np.arange(n))
    places = {name: list(PATHWAY.attributes[name].levels) for name in levels}
    for cd19, prior, share in shares("weights of combinations"):
        is_cell = (levels["cd19"] == places["cd19"].index(cd19)) & (
            levels["prior_hsct"] == places["prior_hsct"].index(prior)
        )
        assert abs(is_cell.mean() - share) <= 5 * np.sqrt(share * (1 - share) / n)


def test_a_table_of_independent_attributes_makes_the_same_patients_as_none() -> None:
    """And an attribute outside the table is the same whatever the others are."""
    cd19, prior_hsct = (PATHWAY.attributes[name].levels for name in ("cd19", "prior_hsct"))
    product_of_margins = {level: {prior: a * b for prior, b in prior_hsct.items()} for level, a in cd19.items()}
    mixes = ((), [{**CD19_AND_HSCT, "weights": product_of_margins}], [CD19_AND_HSCT])
    independent, together, associated = (
        levels_of(Scenario("x", PATHWAY, case_mix=mix), Uniforms(3), np.arange(20_000)) for mix in mixes
    )
    for name in PATHWAY.attributes:
        np.testing.assert_array_equal(independent[name], together[name])
    assert (independent["prior_hsct"] != associated["prior_hsct"]).mean() > 0.2
    np.testing.assert_array_equal(independent["site"], associated["site"])


def test_an_attribute_that_decides_nothing_but_goes_with_one_that_does_is_not_like_all() -> None:
    """Where CD19-negative relapses are the extramedullary ones, the site of relapse tells CD19."""
    other = {"bone_marrow": 1, "extramedullary": 0}
    by_site = {**dict.fromkeys(WEIGHTS, other), "negative_or_dim": {"bone_marrow": 0, "extramedullary": 1}}
    independent = resolve(Scenario("apart", PATHWAY))
    together = resolve(Scenario("together", PATHWAY, case_mix=[{"of": ["cd19", "site"], "weights": by_site}]))
    site, cd19 = ("infusion", "site=extramedullary"), ("infusion", "cd19=negative_or_dim")
    for curves in (
        engine.curves(together, HORIZON),
        microsim.curves(together, HORIZON, patients=5_000, uniforms=Uniforms(2)),
    ):
        np.testing.assert_allclose(curves.survival[site], curves.survival[cd19], atol=1e-12)
        assert np.abs(curves.survival[site] - curves.survival["infusion", "all"]).max() > 0.01
    survival = engine.curves(independent, HORIZON).survival
    assert np.array_equal(survival[site], survival["infusion", "all"])


def test_a_cohort_has_the_reported_mix_at_relapse_and_what_goes_with_it() -> None:
    """Few CD19-positive patients relapse; the cohort of those who do reports CD19, and its sites follow."""
    reported = {"positive": 0.5, "negative_or_dim": 0.3, "unknown": 0.2}
    extramedullary = {"positive": 0.1, "negative_or_dim": 0.6, "unknown": 0.0}
    by_site = {cd19: {"bone_marrow": 1 - share, "extramedullary": share} for cd19, share in extramedullary.items()}
    few = {"by": "cd19", "positive": 0.0, "negative_or_dim": 1.0, "unknown": 1.0}
    scenario = Scenario(
        "cohort",
        PATHWAY,
        population={"cd19": reported},
        case_mix=[{"of": ["cd19", "site"], "weights": by_site}],
        hazard_ratio={"car_t_remission.relapse": {"breaks": [2.0], "ratios": [1.0, few]}},
    )
    solution = engine.solve(resolve(scenario), 12.0, window=False)
    assert solution.size("cd19=positive") < 0.3
    cohort = solution.of_a_cohort()
    for cd19, share in reported.items():
        assert cohort.size(f"cd19={cd19}") == pytest.approx(share)
    assert cohort.size("site=extramedullary") == pytest.approx(0.5 * 0.1 + 0.3 * 0.6)
