"""A pathway that no cohort has informed is drawn from its priors, against scipy's distributions and quadrature."""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from worlds import chance, load, rate, share, two_state, world, write

from simulator import InputError, Scenario, load_pathway, run
from simulator.evidence.draws import draws_file, load_draws
from simulator.evidence.prior_draws import N_DRAWS, prior_draws
from simulator.pathway.pathway import Pathway

LOGNORMAL = {"family": "lognormal", "median": 0.1, "sigma": 0.5}
EXPONENTIAL = {"family": "exponential", "rate": "death_rate"}
DIRICHLET = {"family": "dirichlet", "alpha": 1.5}


def dying(**parameters: object) -> Pathway:
    """Everybody is ill and dies at a rate that only its prior describes."""
    declared = {"death_rate": rate(0.1, prior=LOGNORMAL), **parameters}
    return load(two_state(EXPONENTIAL, draws="prior", parameters=declared))


def test_draws_follow_the_priors() -> None:
    # Two parameters at a false-alarm rate of 1 in 1,000 each.
    shares = {"home": share(0.5, prior=DIRICHLET), "dead": share(0.5, prior=DIRICHLET)}
    states = {"ill": chance(home="home", dead="dead")}
    drawn = prior_draws(load(world("ill", states, draws="prior", parameters=shares)))
    assert stats.kstest(drawn["home"], stats.beta(1.5, 1.5).cdf).pvalue > 0.001
    np.testing.assert_allclose(drawn["home"] + drawn["dead"], 1.0)
    rates = prior_draws(dying())["death_rate"]
    assert rates.shape == (N_DRAWS,)
    assert stats.kstest(rates, stats.lognorm(0.5, 0.0, 0.1).cdf).pvalue > 0.001


def test_survival_is_its_mean_over_the_prior_with_an_interval() -> None:
    pathway = dying()
    results = run(Scenario("today", pathway), draws=N_DRAWS)
    (row,) = results.outcomes.query("outcome == 'os_12' and population == 'all'").itertuples()
    alive = stats.lognorm(0.5, 0.0, 0.1).expect(lambda rate: math.exp(-12.0 * rate))
    spread = stats.lognorm(0.5, 0.0, 0.1).expect(lambda rate: math.exp(-24.0 * rate)) - alive**2
    assert row.estimate == pytest.approx(alive, abs=3.3 * math.sqrt(spread / N_DRAWS))
    ends = [math.exp(-12.0 * end) for end in stats.lognorm(0.5, 0.0, 0.1).ppf([0.975, 0.025])]
    assert (row.lower, row.upper) == pytest.approx(ends, abs=0.03)


def test_another_parameter_moves_no_draw_of_the_first() -> None:
    more = dying(unused=rate(1.0, prior={"family": "gamma", "shape": 2.0, "rate": 2.0}))
    np.testing.assert_array_equal(prior_draws(more)["death_rate"], prior_draws(dying())["death_rate"])


def test_results_say_that_no_data_inform_the_draws() -> None:
    pathway = dying()
    assert draws_file(pathway) is None
    assert "Parameters drawn from their priors, without data: 1." in run(Scenario("today", pathway)).manifest["note"]


def test_priors_under_which_shares_do_not_sum_to_one_are_refused() -> None:
    flat = {"family": "beta", "a": 1.0, "b": 1.0}
    states = {"ill": chance(home="home", dead="dead")}
    shares = {"home": share(0.5, prior=flat), "dead": share(0.5, prior=flat)}
    pathway = load(world("ill", states, draws="prior", parameters=shares))
    with pytest.raises(InputError, match="under their priors the shares of these branches can sum to more than 1"):
        load_draws(pathway)


def test_a_pathway_without_any_prior_has_no_draws_to_offer() -> None:
    fixed = load(two_state({"family": "exponential", "rate": 0.1}, draws="prior"))
    with pytest.raises(InputError, match="no parameter has a prior"):
        load_draws(fixed)


EXTENSION = """
title = "A drug is tried"
extends = "pathway.toml"

[states.ill]
kind = "sojourn"
transitions = [
    { to = "dead", time = { family = "exponential", rate = "death_rate" } },
    { to = "well", time = { family = "exponential", rate = "recovery_rate" } },
]

[states.well]
kind = "sojourn"
transitions = [{ to = "dead", time = { family = "exponential", rate = 0.01 } }]

[parameters.recovery_rate]
unit = "per month"
meaning = "recovery"
value = 0.2
source = "assumption"
prior = { family = "gamma", shape = 4.0, rate = 20.0 }
"""


def test_what_a_pathway_adds_to_a_fitted_one_is_from_its_priors() -> None:
    table = two_state(EXPONENTIAL, draws="draws.csv", parameters={"death_rate": rate(0.1, prior=LOGNORMAL)})
    file = write(table, draws="death_rate\n0.05\n0.1\n0.2\n")
    extension = file.with_name("drug.toml")
    extension.write_text(EXTENSION, encoding="utf-8")
    pathway = load_pathway(extension)
    drawn = load_draws(pathway)
    assert drawn is not None
    assert pathway.from_priors == ("recovery_rate",)
    assert drawn["death_rate"].tolist() == [0.05, 0.1, 0.2]
    np.testing.assert_array_equal(drawn["recovery_rate"], prior_draws(pathway, 3)["recovery_rate"])
    # Dead by month 12, of each draw: a closed form of competing exponentials.
    alive = run(Scenario("drug", pathway)).outcomes.query("outcome == 'os_12' and population == 'all'")["estimate"]

    def survival(death: float, recovery: float) -> float:
        leaving = death + recovery
        well, _ = integrate.quad(lambda t: recovery * math.exp(-leaving * t - 0.01 * (12.0 - t)), 0.0, 12.0)
        return math.exp(-12.0 * leaving) + well

    by_draw = [survival(*row) for row in drawn[["death_rate", "recovery_rate"]].to_numpy().tolist()]
    assert alive.item() == pytest.approx(np.mean(by_draw), abs=1e-4)


def test_a_parameter_that_is_declared_anew_is_from_its_new_prior() -> None:
    table = two_state(EXPONENTIAL, draws="draws.csv", parameters={"death_rate": rate(0.1, prior=LOGNORMAL)})
    file = write(table, draws="death_rate\n0.05\n0.1\n0.2\n")
    elsewhere = file.with_name("elsewhere.toml")
    declared = 'title = "Elsewhere"\nextends = "pathway.toml"\n[parameters.death_rate]\nunit = "per month"\n'
    prior = 'meaning = "death"\nvalue = 0.3\nsource = "assumption"\n'
    prior += 'prior = { family = "lognormal", median = 0.3, sigma = 0.1 }\n'
    elsewhere.write_text(declared + prior, encoding="utf-8")
    drawn = load_draws(load_pathway(elsewhere))
    assert drawn is not None
    assert drawn["death_rate"].min() > 0.2
    assert len(drawn) == 3
