"""Scenarios: the effect of every lever, inheritance from a base, and refusals."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sojourn_times import by, exponential, fixed
from worlds import DEATH, END, decision, exit_to, load, months, parameter, scenarios_in, share, sojourn, world, write

import scenarios
from simulator.engines.model import point_values, resolve
from simulator.errors import InputError
from simulator.pathway.pathway import Pathway
from simulator.scenario.levers import apply_levers
from simulator.scenario.scenario import Scenario, load_scenario

Declare = Callable[..., Scenario]
SHARES = {"a": 0.5, "b": 0.3, "c": 0.2}
THREE_WAYS = world(
    "choice",
    {
        "choice": decision(**{name: name for name in SHARES}),
        **{name: sojourn(dead=exponential(median="survives")) for name in ("a", "b")},
        "c": sojourn(
            exit_to("dead", fixed(3), probability=by("sex", female="dies_female", male="dies_male")),
            exit_to("well", fixed(1), probability=by("sex", female="lives_female", male="lives_male")),
        ),
        "well": END,
    },
    clocks={"main": "choice"},
    attributes={"sex": {"female": 1, "male": 1}},
    resources=["bed"],
    parameters={
        **{name: share(value) for name, value in SHARES.items()}, "survives": months(10),
        "dies_female": share(0.25), "lives_female": share(0.75), "dies_male": share(0.4), "lives_male": share(0.6),
        "spare": parameter("ratio", 1),
    },
)  # fmt: skip


@pytest.fixture
def pathway() -> Pathway:
    return load(THREE_WAYS)


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    return scenarios_in(tmp_path, THREE_WAYS)


def values_with_levers(scenario: Scenario) -> dict[str, float]:
    return {name: float(value) for name, value in apply_levers(scenario, point_values(scenario.pathway)).items()}


def shares(values: Mapping[str, float]) -> list[float]:
    return [values[name] for name in SHARES]


def test_a_parameter_that_is_set_has_that_value_and_its_siblings_keep_their_proportions(declare: Declare) -> None:
    """a to 0.2: b and c share 0.8 as 3 to 2."""
    np.testing.assert_allclose(shares(values_with_levers(declare("[set]\na = 0.2"))), [0.2, 0.48, 0.32])


def test_siblings_that_are_set_too_stay_as_they_are_set(declare: Declare) -> None:
    np.testing.assert_allclose(shares(values_with_levers(declare("[set]\na = 0.2\nb = 0.1"))), [0.2, 0.1, 0.7])
    np.testing.assert_allclose(shares(values_with_levers(declare("[set]\na = 0.2\nb = 0.1\nc = 0.7"))), [0.2, 0.1, 0.7])


def test_a_branch_may_take_all_or_nothing(declare: Declare) -> None:
    np.testing.assert_allclose(shares(values_with_levers(declare("[set]\nb = 1"))), [0, 1, 0])
    np.testing.assert_allclose(shares(values_with_levers(declare("[set]\nb = 0"))), [0.5 / 0.7, 0, 0.2 / 0.7])


def test_a_treatment_that_replaces_another_adds_its_share_and_the_others_keep_theirs(declare: Declare) -> None:
    """0.5, 0.3, 0.2: b takes over the share of c."""
    np.testing.assert_allclose(shares(values_with_levers(declare('[replace]\nb = "c"'))), [0.5, 0.5, 0.0])


def test_scaling_a_share_rescales_its_siblings(declare: Declare) -> None:
    values = values_with_levers(declare("[scale]\nb = 2\nsurvives = 0.5"))
    np.testing.assert_allclose(shares(values), [0.4 * 5 / 7, 0.6, 0.4 * 2 / 7])
    assert values["survives"] == 5.0


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0, 3.0, 1e9])
def test_an_odds_ratio_multiplies_the_odds(declare: Declare, ratio: float) -> None:
    values = values_with_levers(declare(f"[odds_ratio]\nb = {ratio!r}"))
    assert values["b"] == pytest.approx(ratio * 0.3 / (0.7 + ratio * 0.3))
    assert sum(shares(values)) == pytest.approx(1.0)
    assert values["a"] / values["c"] == pytest.approx(2.5) or values["c"] == pytest.approx(0.0, abs=1e-8)


def test_levers_apply_to_every_draw_separately(pathway: Pathway) -> None:
    draws = {"a": [[0.5], [0.1]], "b": [[0.3], [0.5]], "c": [[0.2], [0.4]]}
    draw_values = {**point_values(pathway), **{name: np.array(column) for name, column in draws.items()}}
    values = apply_levers(Scenario("x", pathway, set={"a": 0.4}), draw_values)
    np.testing.assert_allclose(values["b"], [[0.36], [0.6 * 5 / 9]])
    np.testing.assert_allclose(values["c"], [[0.24], [0.6 * 4 / 9]])
    odds = apply_levers(Scenario("x", pathway, odds_ratio={"a": 2.0}), draw_values)
    np.testing.assert_allclose(odds["a"], [[2 / 3], [0.2 / 1.1]])


def test_siblings_of_a_share_by_attribute_are_those_of_its_level(declare: Declare) -> None:
    """Setting how many women die changes how many women live, and no man."""
    values = values_with_levers(declare("[set]\ndies_female = 0.5"))
    assert values["lives_female"] == 0.5
    assert (values["dies_male"], values["lives_male"]) == (0.4, 0.6)
    model = resolve(declare("[set]\ndies_female = 0.5\ndies_male = 0.9"))
    np.testing.assert_allclose(model.exits["c"][0].probability, [0.5, 0.9])
    np.testing.assert_allclose(model.exits["c"][1].probability, [0.5, 0.1])


def test_the_rest_of_a_choice_follows_a_changed_share() -> None:
    base = load_scenario("baseline")
    model = resolve(replace(base, set={"salvage_uptake": 0.9}))
    treated, untreated = (exit.probability for exit in model.exits["relapse"])
    assert (float(treated), float(untreated)) == (0.9, pytest.approx(0.1))


def test_a_hazard_ratio_is_a_power_of_survival_on_its_transition_only(declare: Declare) -> None:
    model = resolve(declare('[hazard_ratio]\n"a.dead" = 0.5'))
    other = resolve(declare("[hazard_ratio]\na.dead = 0.5"))
    times = np.array([1.0, 10.0, 30.0])
    for resolved in (model, other):
        np.testing.assert_allclose(resolved.exits["a"][0].time.survival(times), 0.5 ** (times / 20))
        np.testing.assert_allclose(resolved.exits["b"][0].time.survival(times), 0.5 ** (times / 10))


def test_a_hazard_ratio_may_differ_by_level_and_by_period_since_entry(declare: Declare) -> None:
    """Women benefit for ever, men in the first six months; sex, which decides nothing in `a`, is a patient's own."""
    by_sex = '{ by = "sex", female = 0.5, male = 1 }'
    ratios = f"ratios = [0.5, {by_sex}]"
    model = resolve(declare(f'[hazard_ratio]\n"a.dead" = {{ breaks = [6], {ratios} }}\n"b.dead" = {by_sex}'))
    table = resolve(
        declare(f"[hazard_ratio.a]\ndead = {{ breaks = [6], {ratios} }}\n[hazard_ratio]\nb.dead = {by_sex}")
    )
    times = np.array([[1.0], [6.0], [30.0]])
    halved, after = 0.5 ** (times / 20), 0.5 ** (np.maximum(times - 6, 0) / 20)
    for resolved in (model, table):
        assert resolved.attributes == ("sex",)
        women_and_men = halved * np.hstack([np.ones_like(times), after])
        np.testing.assert_allclose(resolved.exits["a"][0].time.survival(times), women_and_men, rtol=1e-12)
        np.testing.assert_allclose(resolved.exits["b"][0].time.survival(times), 0.5 ** (times / [20, 10]))


def test_an_attribute_matters_where_a_hazard_ratio_asks_for_it() -> None:
    pathway = load(
        world("ill", {"ill": sojourn(dead=exponential(mean=9))}, attributes={"sex": {"female": 1, "male": 1}})
    )
    assert resolve(Scenario("as it is", pathway)).attributes == ()
    policy = Scenario("policy", pathway, hazard_ratio={"ill.dead": by("sex", female=1, male=2)})
    assert resolve(policy).attributes == ("sex",)
    assert resolve(policy).exits["ill"][0].time.median() == pytest.approx(9 * np.log(2) / [1, 2])


def test_a_population_has_the_shares_that_are_declared(declare: Declare) -> None:
    model = resolve(declare("[population]\nsex = { male = 3, female = 0 }"))
    assert dict(model.mix["sex"]) == {"female": 0.0, "male": 1.0}
    resolved = resolve(declare("[population]\nsex = { male = 3, female = 1 }"))
    assert list(resolved.mix["sex"].items()) == [("female", 0.25), ("male", 0.75)]


def test_a_scenario_adds_its_levers_to_those_of_its_base(declare: Declare) -> None:
    declare('title = "Base"\n[set]\na = 0.2\nb = 0.5\n[scale]\nsurvives = 2', "base")
    child = declare('base = "base.toml"\ntitle = "Child"\n[set]\na = 0.4\n[population]\nsex = { male = 1, female = 0 }')
    assert child.set == {"a": 0.4, "b": 0.5}
    assert child.scale == {"survives": 2.0}
    assert (child.title, child.name) == ("Child", "policy")
    assert child.population == {"sex": {"male": 1.0, "female": 0.0}}
    assert declare('base = "policy.toml"', "again").set == child.set


def test_a_scenario_inherits_the_marginal_benefit_or_declares_another(declare: Declare) -> None:
    half = declare('base = "wider-salvage"\nmarginal_benefit = 0.5', "half")
    child = declare('base = "half.toml"\n[set]\nhsct_if_cr = 1.0')
    assert (half.marginal_benefit, child.marginal_benefit) == (0.5, 0.5)
    assert declare('base = "half.toml"\nmarginal_benefit = 1.0', "again").marginal_benefit == 1.0


def test_a_marginal_benefit_without_a_declared_decision_is_refused(declare: Declare, tmp_path: Path) -> None:
    refused = "the pathway declares no decision at which patients are additional; got "
    with pytest.raises(InputError, match=rf"policy.toml: marginal_benefit: {refused}0.5"):
        declare("marginal_benefit = 0.5")
    declare("marginal_benefit = 1")
    for benefit in ("0.5", "cohorts"):
        with pytest.raises(InputError, match=refused):
            load_scenario(f"{tmp_path / 'policy.toml'}@{benefit}")


def test_a_shipped_scenario_may_be_a_base_and_a_cycle_of_bases_is_refused(declare: Declare) -> None:
    assert declare('base = "wider-salvage"\n[set]\nhsct_if_cr = 1.0').set == {"salvage_uptake": 0.88, "hsct_if_cr": 1.0}
    with pytest.raises(InputError, match=r"policy.toml: base: the scenario is its own base"):
        declare('base = "policy.toml"')
    declare('base = "wider-salvage"', "other")
    declare('base = "other.toml"')
    with pytest.raises(InputError, match="the scenario is its own base"):
        declare('base = "policy.toml"', "other")


def test_a_name_may_carry_its_marginal_benefit() -> None:
    scenario = load_scenario("wider-salvage@0.3")
    assert (scenario.name, scenario.marginal_benefit) == ("wider-salvage@0.3", 0.3)
    assert scenario.set == load_scenario("wider-salvage").set
    assert load_scenario("wider-salvage@1").marginal_benefit == 1.0
    for wrong in ("wider-salvage@1.5", "wider-salvage@-0.1"):
        with pytest.raises(InputError, match="marginal benefit outside 0 to 1"):
            load_scenario(wrong)
    for wrong, hint in (
        ("60", r"allowed: 0 to 1 \(60 %\? write 0.6\)"),
        ("0,6", "got '0,6'; allowed: 0 to 1: write 0.6"),
        ("60%", "got '60%'; allowed: 0 to 1: write 0.6"),
        ("1,5", "got '1,5'; allowed: 0 to 1$"),
    ):
        with pytest.raises(InputError, match=hint):
            load_scenario(f"wider-salvage@{wrong}")
    for wrong in ("wider-salvage@nan", "wider-salvage@inf"):
        with pytest.raises(InputError):
            load_scenario(wrong)
    with pytest.raises(InputError, match="unknown scenario"):
        load_scenario("wider-salvage@much")


@pytest.mark.parametrize("name", scenarios.names())
def test_every_shipped_scenario_states_question_rationale_and_assumptions(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.title
    assert scenario.question.endswith("?")
    assert scenario.rationale
    assert scenario.assumes
    resolve(scenario)


def test_a_scenario_on_another_pathway_is_checked_against_it(pathway: Pathway) -> None:
    with pytest.raises(InputError, match="unknown parameter; got 'salvage_uptake'"):
        load_scenario("wider-salvage", pathway)


REFUSED = {
    "unknown parameter": ("[set]\nsurvivs = 1", r"\[set\] survivs: unknown parameter; got 'survivs'.*'survives'"),
    "unknown lever": ("[sett]\na = 1", r"sett: unknown key; got 'sett'.*'set'"),
    "a share above one": (
        "[set]\na = 1.2",
        r"\[set\] a: value outside its unit \(probability\); got 1.2; allowed: 0 to 1",
    ),
    "a negative time": ("[set]\nsurvives = -1", r"\[set\] survives: value outside its unit \(months\); got -1"),
    "not a number": ("[set]\nsurvives = nan", r"set.survives: not a finite number; got nan"),
    "infinite": ("[scale]\nsurvives = inf", r"scale.survives: not a finite number; got inf"),
    "a word": ('[set]\nsurvives = "long"', r"set.survives: .*'long'"),
    "a negative factor": ("[scale]\nsurvives = -2", r"\[scale\] survives: negative factor; got -2"),
    "scaled out of its unit": ("[scale]\na = 3", r"a: value outside its unit \(probability\); got 1.5.*odds_ratio"),
    "the odds of months": ("[odds_ratio]\nsurvives = 2", r"\[odds_ratio\] survives: an odds ratio needs a probability"),
    "a parameter in two tables": ("[set]\na = 0.1\n[scale]\na = 2", r"'a' is given twice; got '\[set\], \[scale\]'"),
    "a parameter that is set and replaced": (
        '[set]\na = 0.1\n[replace]\nb = "a"',
        r"'a' is given twice; got '\[set\], ",
    ),
    "a treatment replaced by two": ('[replace]\na = "c"\nb = "c"', r"'c' is given twice; got '\[replace\], "),
    "an unknown treatment replaced": ('[replace]\na = "bb"', r"\[replace\] a: unknown parameter; got 'bb'.*'b'"),
    "a treatment replaced by itself": (
        '[replace]\na = "a"',
        r"\[replace\] a: a treatment takes over the share of another in its choice; got 'a'; allowed: .*: b, c",
    ),
    "a time replaced": (
        '[replace]\nsurvives = "a"',
        r"\[replace\] survives: .* got 'a'; allowed: a key that is the share",
    ),
    "replaced by a number": (
        "[replace]\na = 0.3",
        r"replace.a: not text; got 0.3; allowed: share of a branch = share of",
    ),
    "more than all": ("[set]\na = 0.7\nb = 0.7", r"a, b: leaves a negative share for c; got -0.[34]"),
    "all set and not one": (
        "[set]\na = 0.7\nb = 0.1\nc = 0.1",
        r"probabilities \(a, b, c\) do not sum to one; got 0.[89]",
    ),
    "unknown transition": (
        '[hazard_ratio]\n"a.ded" = 2',
        r"\[hazard_ratio\] a.ded: unknown transition; got 'a.ded'.*'a.dead'",
    ),
    "a branch's hazard": ('[hazard_ratio]\n"choice.a" = 2', r"unknown transition; got 'choice.a'"),
    "the hazard of a sojourn with probabilities": (
        '[hazard_ratio]\n"c.dead" = 2',
        r"\[hazard_ratio\] c.dead: a hazard ratio needs a latent time, .*\[odds_ratio\]",
    ),
    "an empty table of ratios": (
        '[hazard_ratio]\n"a.dead" = {}',
        r"\[hazard_ratio\] a.dead: no hazard ratio; got {}; allowed: a number, {by = .*, or {breaks = ",
    ),
    "an empty table of a state's ratios": (
        "[hazard_ratio]\na = {}",
        r"unknown transition; got 'a'; allowed: a.dead, b.dead",
    ),
    "a list of ratios": (
        '[hazard_ratio]\n"a.dead" = [1, 2]',
        r'hazard_ratio.a.dead: not a number or a table; got \[1, 2\]; allowed: "state.transition" = hazard ratio of',
    ),
    "a list of a state's ratios": (
        "[hazard_ratio.a]\ndead = [1, 2]",
        r"\[hazard_ratio\] a.dead: no hazard ratio; got \[1, 2\]; allowed: a number",
    ),
    "a negative ratio": ('[hazard_ratio]\n"a.dead" = -2', r"negative hazard ratio; got -2"),
    **{
        f"a ratio: {ratio}": (f'[hazard_ratio]\n"a.dead" = {ratio}', rf"\[hazard_ratio\] a.dead{complaint}")
        for ratio, complaint in {
            '{ by = "sexx", male = 1 }': ": unknown attribute; got 'sexx'.*'sex'",
            '{ by = "sex", mail = 1 }': ": unknown level of sex; got 'mail'.*'male'",
            '{ by = "sex", male = 1 }': ": no entry for level 'female' of sex",
            '{ by = "sex", male = -1, female = 1 }': ": negative hazard ratio; got -1",
            '{ by = "sex", male = "a", female = 1 }': ": not a number; got 'a'; allowed: a hazard ratio",
            "{ breaks = 6, ratios = [1, 2] }": ": breaks is not a list; got 6",
            "{ breaks = [0, 6], ratios = [1, 2, 1] }": r": breaks do not increase; got \[0, 6\]",
            "{ breaks = [6], ratios = [1, 2, 1] }": r": breaks and ratios do not match; got \[1, 2, 1\]; .* list of 2",
            "{ breaks = [6] }": ": breaks and ratios do not match; allowed: a list of 2",
            "{ breaks = [6], ratios = [1, -2] }": r": ratios\[1\]: negative hazard ratio; got -2",
            "{ breaks = [6], ratios = [1, 2], from = 1 }": ": unknown key; got 'from'; allowed: breaks, ratios",
        }.items()
    },
    "unknown attribute": (
        "[population]\nsexx = { male = 1 }",
        r"\[population\] sexx: unknown attribute; got 'sexx'.*'sex'",
    ),
    "unknown level": ("[population]\nsex = { mail = 1 }", r"unknown level of sex; got 'mail'.*'male'"),
    "a level left out": (
        "[population]\nsex = { male = 3 }",
        r"\[population\] sex: these levels have no weight: female; got 'male'; allowed: a weight .* female = 0",
    ),
    "nobody": ("[population]\nsex = { male = 0, female = 0 }", r"\[population\] sex: the weights sum to zero"),
    "a negative weight": ("[population]\nsex = { male = -1, female = 2 }", r"sex.male: negative weight; got -1"),
    "unknown resource": ("[capacity]\nbad = 3", r"\[capacity\] bad: unknown resource; got 'bad'.*'bed'"),
    "half a bed": ("[capacity]\nbed = 2.5", r"not a whole number above zero; got 2.5"),
    "no bed": ("[capacity]\nbed = 0", r"not a whole number above zero; got 0"),
    "too much benefit": ("marginal_benefit = 1.5", r"marginal_benefit: .*less than or equal to 1"),
    "unknown clock": ('leads_with = "mian"', r"leads_with: unknown clock; got 'mian'.*'main'"),
}


@pytest.mark.parametrize(("text", "complaint"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_lever_is_refused_with_file_and_key(
    declare: Declare, tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint) as refusal:
        resolve(declare(text))
    assert str(tmp_path / "policy.toml") in str(refusal.value) or "pathway.toml" in str(refusal.value)


def test_siblings_that_sum_to_zero_cannot_be_rescaled_and_both_are_named(pathway: Pathway) -> None:
    values = {**point_values(pathway), "a": 1.0, "b": 0.0, "c": 0.0}
    with pytest.raises(InputError, match=r"x: a: b, c sum to zero and cannot be rescaled.*allowed: set b as well"):
        apply_levers(Scenario("x", pathway, set={"a": 0.5}), values)


def test_a_missing_or_unknown_pathway_and_an_unknown_scenario_are_refused(declare: Declare) -> None:
    with pytest.raises(InputError, match="pathway: a scenario without a base needs a pathway"):
        load_scenario(write('title = "x"'))
    with pytest.raises(InputError, match=r"unknown pathway; got 'three_stat'.*'three_state'"):
        load_scenario(write('pathway = "three_stat"'))
    with pytest.raises(InputError, match=r"unknown scenario; got 'baselin'.*'baseline'"):
        load_scenario("baselin")


def with_a_third(z: float | str, y: float | str = "q") -> Pathway:
    """Two shares with names, and a third that is the rest or a number."""
    states = {"choice": decision(x="p", y=y, z=z), "x": END, "y": END, "z": DEATH}
    return load(world("choice", states, parameters={"p": share(0.2), "q": share(0.3)}))


def branch_shares(scenario: Scenario) -> list[float]:
    return [float(np.asarray(exit.probability)) for exit in resolve(scenario).exits["choice"]]


@pytest.mark.parametrize("p", [0.0, 0.2, 0.6, 1.0])
def test_a_branch_that_takes_the_rest_is_rescaled_like_its_named_siblings(p: float) -> None:
    remaining = 1.0 - p
    shares = branch_shares(Scenario("policy", with_a_third("rest"), set={"p": p}))
    assert shares == pytest.approx([p, remaining * 0.3 / 0.8, remaining * 0.5 / 0.8])


def test_a_share_declared_as_a_number_stays_and_the_named_siblings_give_way() -> None:
    pathway = with_a_third(0.5)
    assert branch_shares(Scenario("policy", pathway, set={"p": 0.4})) == pytest.approx([0.4, 0.1, 0.5])
    with pytest.raises(InputError, match=r"policy: p: leaves a negative share for q; got -0.1"):
        branch_shares(Scenario("policy", pathway, set={"p": 0.6}))


def test_a_share_next_to_fixed_shares_only_cannot_be_changed() -> None:
    with pytest.raises(InputError, match=r"p: the other branches of 'choice' are fixed .*allowed: .*rest"):
        branch_shares(Scenario("policy", with_a_third(0.5, y=0.3), set={"p": 0.6}))
