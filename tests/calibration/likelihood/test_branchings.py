"""Counts of the same patients, one nested in another, are one multinomial, not two independent figures."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from scipy.linalg import expm
from sojourn_times import exponential
from worlds import DEATH, rate, sojourn, world

from calibration.fit import Posterior
from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.same_patients import SamePatients
from calibration.likelihood.targets import Targets
from simulator.arrays import Floats
from simulator.errors import InputError

NewCohort = Callable[..., Targets]

STATES_OF = {
    "treated": sojourn(response=exponential(rate="respond"), death_of_disease=exponential(rate="die")),
    "response": sojourn(transplant=exponential(rate="transplant_rate"), relapse=exponential(rate=0.3)),
    "relapse": sojourn(death_of_disease=exponential(rate=0.2)),
    "transplant": sojourn(death_of_transplant=exponential(rate=0.1), home=exponential(rate=0.1)),
    "home": sojourn(death_at_home=exponential(rate=0.01)),
    "death_at_home": DEATH, "death_of_disease": DEATH, "death_of_transplant": DEATH,
}  # fmt: skip
"""Response, transplant, and death of either course."""
GROUPS = {
    "responders": "response", "others": ("treated", "response"), "transplanted": "transplant", "relapsed": "relapse"
}  # fmt: skip
WORLD = world(
    "treated", STATES_OF, survival_months=[12], clocks={"start": "treated"}, groups=GROUPS,
    parameters={"respond": rate(0.2), "die": rate(0.1), "transplant_rate": rate(0.4)},
)  # fmt: skip
ARMS = {"responders": ["responders"], "others": ["others"], "all": ["responders", "others"]}
OVERLAPPING = {
    "transplanted": ["transplanted"], "relapsed": ["relapsed"], "everybody": ["all"],
    "both": ["responders", "transplanted"],
}  # fmt: skip
RATES = {"respond": np.array([[0.2], [0.1], [0.5]]), "die": np.array([[0.1], [0.3], [0.2]])}
RATES |= {"transplant_rate": np.array([[0.4], [0.1], [0.8]])}


@pytest.fixture
def cohort(tmp_path: Path) -> NewCohort:
    """Load a cohort of rows "kind,population,state,month,count,n"; the first is line 2 of its file."""

    def write(*rows: str, arms: Mapping[str, list[str]] | None = None) -> Targets:
        lines = []
        for i, row in enumerate(rows):
            kind, population, state, month, count, n = row.split(",")
            value = "50.0" if kind == "survival" else ""
            lines.append(f"row_{i},{kind},{population},{state},,{month},{count},{n},{value},,,made up,likelihood,")
        arms = {**ARMS, **(arms or {})}
        return write_cohort(tmp_path, WORLD, lines, clock="start", n=60, seed=3, arms=arms)

    return write


STATES = ("treated", "response", "relapse", "transplant", "home", "death_of_disease", "death_of_transplant")
STATES += ("death_at_home",)
AFTER_TRANSPLANT = ("transplant", "home", "death_of_transplant", "death_at_home")


def in_any(states: tuple[str, ...], month: float) -> Floats:
    """P(in one of some states at a month), (3,), by the matrix exponential; of those never left, P(entered)."""
    probabilities = []
    for respond, die, transplant in np.hstack([RATES[name] for name in ("respond", "die", "transplant_rate")]):
        moves = {("treated", "response"): respond, ("treated", "death_of_disease"): die}
        moves |= {("response", "transplant"): transplant, ("response", "relapse"): 0.3}
        moves |= {("relapse", "death_of_disease"): 0.2, ("transplant", "death_of_transplant"): 0.1}
        moves |= {("transplant", "home"): 0.1, ("home", "death_at_home"): 0.01}
        generator = np.zeros((len(STATES), len(STATES)))
        for (source, target), speed in moves.items():
            generator[STATES.index(source), STATES.index(target)] += speed
        np.fill_diagonal(generator, -generator.sum(axis=1))
        probabilities.append(expm(month * generator)[0, [STATES.index(state) for state in states]].sum())
    return np.array(probabilities)


def responded(month: float) -> Floats:
    respond, die = RATES["respond"][:, 0], RATES["die"][:, 0]
    return respond / (respond + die) * -np.expm1(-(respond + die) * month)


def log_binomial(k: int, n: int, p: Floats) -> Floats:
    return np.asarray(stats.binom.logpmf(k, n, p))


def test_transplants_of_responders_are_a_share_of_a_share(cohort: NewCohort) -> None:
    targets = cohort("entered,all,response,6,33,60", "entered,all,transplant,3,12,60")
    response, transplant = responded(6), in_any(AFTER_TRANSPLANT, 3)
    expected = log_binomial(33, 60, response) + log_binomial(12, 33, transplant / response)
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)
    assert SamePatients(targets).sentences() == []


def test_the_order_of_the_rows_does_not_matter(cohort: NewCohort) -> None:
    rows = ["entered,all,response,6,33,60", "entered,all,transplant,3,12,60", "entered,all,response,3,25,60"]
    first, last = Likelihood(cohort(*rows))(RATES), Likelihood(cohort(*reversed(rows)))(RATES)
    np.testing.assert_allclose(first, last, atol=1e-9)


def test_a_cause_of_death_that_only_follows_transplant_is_part_of_the_transplants(cohort: NewCohort) -> None:
    """12 transplanted by month 6, 3 dead of it by month 3: 9 of the other 57 were transplanted."""
    rows = ("entered,all,response,6,33,60", "entered,all,transplant,6,12,60", "deaths,all,death_of_transplant,3,3,60")
    dead, transplant = in_any(("death_of_transplant",), 3), in_any(AFTER_TRANSPLANT, 6)
    expected = log_binomial(3, 60, dead) + log_binomial(9, 57, (transplant - dead) / (1 - dead))
    expected += log_binomial(21, 48, (responded(6) - transplant) / (1 - transplant))
    targets = cohort(*rows)
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)
    assert SamePatients(targets).sentences() == []


def test_discharges_and_deaths_are_disjoint_parts_of_the_transplants(cohort: NewCohort) -> None:
    """A multinomial: dead of transplant, gone home, transplanted otherwise, the rest."""
    targets = cohort(
        "entered,all,transplant,6,20,60", "entered,all,home,6,8,60", "deaths,all,death_of_transplant,6,7,60"
    )
    dead, home = in_any(("death_of_transplant",), 6), in_any(("home", "death_at_home"), 6)
    transplant = in_any(AFTER_TRANSPLANT, 6)
    expected = [
        stats.multinomial.logpmf([7, 8, 5, 40], 60, [d, h, t - d - h, 1 - t])
        for d, h, t in zip(dead, home, transplant, strict=True)
    ]
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)


def test_a_part_larger_than_the_whole_is_refused(cohort: NewCohort) -> None:
    with pytest.raises(InputError, match=r"line 2 and .*line 3: two rows contradict"):
        cohort("entered,all,response,6,12,60", "entered,all,transplant,3,13,60")


def test_rows_to_fit_without_a_parameter_to_fit_are_refused(cohort: NewCohort) -> None:
    with pytest.raises(InputError, match=r"own\.toml: \[parameters\]: rows to fit, and no parameter with a prior"):
        Posterior(cohort("entered,all,response,6,33,60"))


AS_IF_INDEPENDENT = {
    "transplants by a later month than responses": ["entered,all,response,3,30,60", "entered,all,transplant,6,12,60"],
    "survivors, who may have responded": ["entered,all,response,6,33,60", "survivors,all,,6,40,60"],
    "a state that follows either course": ["entered,all,relapse,6,10,60", "deaths,all,death_of_disease,12,30,60"],
    "an arm of responders and the transplants of all": [
        "patients,responders,,,33,60",
        "entered,all,transplant,3,12,60",
    ],
    "all and an arm": ["entered,all,transplant,3,12,60", "entered,responders,transplant,3,12,33"],
    "two percentages": ["survival,all,,6,,60", "survival,all,,12,,60"],
}


@pytest.mark.parametrize("case", AS_IF_INDEPENDENT)
def test_rows_of_the_same_patients_that_enter_as_if_independent_are_named(case: str, cohort: NewCohort) -> None:
    (sentence,) = SamePatients(cohort(*AS_IF_INDEPENDENT[case])).sentences()
    assert re.search(
        r"targets.csv: line 2 and line 3 count the same patients, but enter .* use = \"predictive\"", sentence
    )


def test_rows_of_two_arms_are_named_arm_by_arm(cohort: NewCohort) -> None:
    """Two arms with a count and a percentage each: one of the two rows of an arm is enough to compare with."""
    rows = [f"survivors,{arm},,3,{n - 5},{n}" for arm, n in (("others", 20), ("responders", 40))]
    rows += [f"survival,{arm},,12,,{n}" for arm, n in (("others", 20), ("responders", 40))]
    sentences = SamePatients(cohort(*rows)).sentences()
    for lines, sentence in zip(("line 2 and line 4", "line 3 and line 5"), sentences, strict=True):
        assert f"targets.csv: {lines} count" in sentence
        assert 'Give one of them use = "predictive".' in sentence


def test_the_warning_offers_to_count_a_row_within_the_group_that_contains_it(cohort: NewCohort) -> None:
    responders = "patients,responders,,,33,60"
    (sentence,) = SamePatients(cohort(responders, "entered,all,transplant,3,12,60")).sentences()
    assert sentence.endswith(
        'Give one of them use = "predictive", or count line 3 among the responders whom line 2 counts (its name as '
        "`population`, its size as `n`)."
    )
    assert SamePatients(cohort(responders, "entered,responders,transplant,3,12,33")).sentences() == []


def test_the_warning_offers_predictive_use_alone_if_no_group_contains_the_rows(cohort: NewCohort) -> None:
    (sentence,) = SamePatients(cohort("entered,all,response,6,33,60", "survivors,all,,6,40,60")).sentences()
    assert sentence.endswith('intervals may be wrong. Give one of them use = "predictive".')


NESTED = {
    "deaths of an arm and of a part of it": ["deaths,responders,,12,10,33", "deaths,transplanted,,12,4,20"],
    "sizes of an arm and of a part of it": ["patients,responders,,,33,60", "patients,transplanted,,,20,60"],
    "deaths of everybody and of an arm": ["deaths,everybody,,12,30,60", "deaths,transplanted,,12,4,20"],
    "survivors of an arm made of two that overlap": ["survivors,both,,12,20,40", "survivors,both,,6,30,40"],
    "a percentage of an arm made of two that overlap": ["survival,both,,12,,40", "entered,all,response,,45,60"],
}


@pytest.mark.parametrize("case", NESTED)
def test_arms_with_patients_in_common_are_refused_before_the_fit(case: str, cohort: NewCohort) -> None:
    """Even if they are few: here the shares of all arms add up to less than 1."""
    with pytest.raises(InputError, match=r"targets.csv: line 2.*: arms that are added up have patients in common"):
        cohort(*NESTED[case], arms=OVERLAPPING)


def test_arms_that_exclude_one_another_by_their_course_are_added_up(cohort: NewCohort) -> None:
    targets = cohort("deaths,transplanted,,12,4,20", "deaths,relapsed,,12,5,10", arms=OVERLAPPING)
    assert np.isfinite(Likelihood(targets)(RATES)).all()


INDEPENDENT = {
    "responders, and how many of them were transplanted": [
        "patients,responders,,,33,60",
        "entered,responders,transplant,3,12,33",
    ],
    "responses, and the transplants of the responders": [
        "entered,all,response,,33,60",
        "entered,responders,transplant,3,12,33",
    ],
    "responses, and the survivors of those who did not": ["entered,all,response,,33,60", "survivors,others,,6,12,27"],
    "deaths and survivors": ["deaths,all,death_of_transplant,6,3,60", "survivors,all,,12,30,60"],
    "two arms": ["survival,responders,,6,,33", "survival,others,,6,,27"],
}


@pytest.mark.parametrize("case", INDEPENDENT)
def test_rows_of_other_or_nested_patients_need_no_warning(case: str, cohort: NewCohort) -> None:
    assert SamePatients(cohort(*INDEPENDENT[case])).sentences() == []


def test_an_arm_that_a_row_of_entries_counts_is_counted_once(cohort: NewCohort) -> None:
    """33 of 60 responded, 20 of the 33 and 12 of the other 27 are alive at month 6: four groups of 60 patients."""
    responses = responded(240)
    died_as_responders = in_any(tuple(state for state in STATES if state.startswith("death")), 6) - in_any(
        ("death_of_disease",), 6
    )
    died_as_responders += relapsed_and_died(6)
    died_otherwise = in_any(("death_of_disease",), 6) - relapsed_and_died(6)
    shares = [died_as_responders, responses - died_as_responders, died_otherwise, 1 - responses - died_otherwise]
    expected = [stats.multinomial.logpmf([13, 20, 15, 12], 60, p) for p in np.array(shares).T]
    alive = ("survivors,responders,,6,20,33", "survivors,others,,6,12,27")
    for size in (["patients,responders,,,33,60"], ["entered,all,response,,33,60"]):
        for sizes in (size, [*size, "patients,others,,,27,60"]):
            targets = cohort(*sizes, *alive)
            np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)
            assert SamePatients(targets).sentences() == []


def test_an_arm_counts_all_patients_who_enter_it_whatever_the_months_of_the_rows(cohort: NewCohort) -> None:
    targets = cohort("patients,responders,,,33,60")
    np.testing.assert_allclose(Likelihood(targets)(RATES), log_binomial(33, 60, responded(120)), atol=5e-4)


def relapsed_and_died(month: float) -> Floats:
    """P(dead of the disease after a response by a month), (3,): all such deaths less those without a response."""
    respond, die = RATES["respond"][:, 0], RATES["die"][:, 0]
    without_response = die / (respond + die) * -np.expm1(-(respond + die) * month)
    return in_any(("death_of_disease",), month) - without_response
