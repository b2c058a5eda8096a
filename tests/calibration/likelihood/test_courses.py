"""Counts of the same patients have one probability, whatever they have in common: nested, exclusive or overlapping."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import special, stats
from scipy.linalg import expm
from sojourn_times import exponential
from worlds import DEATH, rate, slow, sojourn, world

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


def sum_over_both(first: int, second: int, n: int, both: Floats, one: Floats, other: Floats) -> Floats:
    """Log chance of two counts of n patients, summed over the patients of both. both, one, other : probabilities."""
    terms = [
        stats.multinomial.logpmf([k, first - k, second - k, n - first - second + k], n, np.array(p).T)
        for k in range(max(0, first + second - n), min(first, second) + 1)
        for p in [[both, one - both, other - both, 1 - one - other + both]]
    ]
    return np.asarray(special.logsumexp(terms, axis=0))


def test_transplants_by_a_later_month_than_responses_overlap_with_them(cohort: NewCohort) -> None:
    """30 responded by month 3, and 12 were transplanted by month 6, who may have responded since."""
    targets = cohort("entered,all,response,3,30,60", "entered,all,transplant,6,12,60")
    by_3, by_6 = in_any(AFTER_TRANSPLANT, 3), in_any(AFTER_TRANSPLANT, 6)
    # A responder of month 3 who is not transplanted yet is, in three months, at rate t / (t + 0.3).
    rate = RATES["transplant_rate"][:, 0]
    both = by_3 + in_any(("response",), 3) * rate / (rate + 0.3) * -np.expm1(-3 * (rate + 0.3))
    expected = sum_over_both(30, 12, 60, both, responded(3), by_6)
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)


def test_survivors_may_have_responded_or_not(cohort: NewCohort) -> None:
    targets = cohort("entered,all,response,6,33,60", "survivors,all,,6,40,60")
    dead = in_any(("death_of_disease", "death_of_transplant", "death_at_home"), 6)
    both = in_any(("death_of_transplant", "death_at_home"), 6) + relapsed_and_died(6)
    expected = sum_over_both(33, 20, 60, both, responded(6), dead)
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)


def test_a_state_that_follows_either_course_is_counted_with_what_came_before(cohort: NewCohort) -> None:
    """10 relapsed by month 6; 30 are dead of the disease by month 12, of whom some never responded."""
    targets = cohort("entered,all,relapse,6,10,60", "deaths,all,death_of_disease,12,30,60")
    relapsed = in_any(("relapse",), 6) + relapsed_and_died(6)
    both = relapsed_and_died(6) + in_any(("relapse",), 6) * -np.expm1(-0.2 * 6)
    expected = sum_over_both(10, 30, 60, both, relapsed, in_any(("death_of_disease",), 12))
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)


def test_transplants_of_all_patients_are_transplants_of_the_responders(cohort: NewCohort) -> None:
    targets = cohort("patients,responders,,,33,60", "entered,all,transplant,3,12,60")
    response, transplant = responded(240), in_any(AFTER_TRANSPLANT, 3)
    expected = log_binomial(33, 60, response) + log_binomial(12, 33, transplant / response)
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=5e-4)


def test_how_many_patients_a_row_of_entries_is_of_is_given(cohort: NewCohort) -> None:
    """12 of 33 responders: 33 of 60 is no evidence, unless another row reports it."""
    of_responders = log_binomial(12, 33, in_any(AFTER_TRANSPLANT, 3) / responded(240))
    row = "entered,responders,transplant,3,12,33"
    for rows in ([row], [row, "entered,all,transplant,3,12,60"]):
        np.testing.assert_allclose(Likelihood(cohort(*rows), step=0.025)(RATES), of_responders, atol=5e-4)
    with_size = Likelihood(cohort(row, "patients,responders,,,33,60"), step=0.025)(RATES)
    np.testing.assert_allclose(with_size, of_responders + log_binomial(33, 60, responded(240)), atol=5e-4)


def test_patients_of_whom_a_row_of_entries_counts_some_were_assessed_by_chance(cohort: NewCohort) -> None:
    """6 of 15 assessed responders were transplanted, and 12 of all 33 responders are dead by month 12."""
    targets = cohort(
        "patients,responders,,,33,60", "entered,responders,transplant,,6,15", "deaths,responders,,12,12,33"
    )
    response = responded(240)
    transplant = in_any(AFTER_TRANSPLANT, 240) / response
    dead_both = in_any(("death_of_transplant", "death_at_home"), 12) / response
    dead = dead_both + relapsed_and_died(12) / response
    expected = []
    for t, d, b, r in zip(transplant, dead, dead_both, response, strict=True):
        of_assessed = [dict_of(b, t - b, d - b)] * 15 + [{(0, 0): 1 - d, (0, 1): d}] * 18
        assessed = log_binomial(15, 33, np.array(15 / 33))
        expected.append(np.log(chance_of((6, 12), of_assessed)) + log_binomial(33, 60, r) + assessed)
    np.testing.assert_allclose(Likelihood(targets, step=0.025)(RATES), expected, atol=1e-3)


def dict_of(both: float, one: float, other: float) -> dict[tuple[int, ...], float]:
    return {(1, 1): both, (1, 0): one, (0, 1): other, (0, 0): 1 - both - one - other}


def chance_of(counts: tuple[int, ...], patients: Sequence[Mapping[tuple[int, ...], float]]) -> float:
    """The chance that patients have some counts together: one after the other. patients : what counts -> its chance"""
    total = {(0,) * len(counts): 1.0}
    for patient in patients:
        following: dict[tuple[int, ...], float] = {}
        for so_far, chance in total.items():
            for counted, share in patient.items():
                together = tuple(map(sum, zip(so_far, counted, strict=True)))
                if all(k <= count for k, count in zip(together, counts, strict=True)):
                    following[together] = following.get(together, 0.0) + chance * share
        total = following
    return total.get(counts, 0.0)


EITHER_COURSE = (*STATES, "death_of_disease_after_response")
"""All courses: what a patient has entered by a month follows from the state at that month."""


def at_months(draw: int, months: Sequence[float]) -> dict[tuple[str, ...], float]:
    """States at some months -> chance, by matrix exponentials."""
    respond, die, transplant = (RATES[name][draw, 0] for name in ("respond", "die", "transplant_rate"))
    moves = {("treated", "response"): respond, ("treated", "death_of_disease"): die}
    moves |= {("response", "transplant"): transplant, ("response", "relapse"): 0.3}
    moves |= {("relapse", "death_of_disease_after_response"): 0.2, ("transplant", "death_of_transplant"): 0.1}
    moves |= {("transplant", "home"): 0.1, ("home", "death_at_home"): 0.01}
    generator = np.zeros((len(EITHER_COURSE), len(EITHER_COURSE)))
    for (source, target), speed in moves.items():
        generator[EITHER_COURSE.index(source), EITHER_COURSE.index(target)] = speed
    np.fill_diagonal(generator, -generator.sum(axis=1))
    courses = {("treated",): 1.0}
    for step in np.diff([0.0, *months]):
        onward = expm(step * generator)
        courses = {
            (*course, state): chance * p
            for course, chance in courses.items()
            for state, p in zip(EITHER_COURSE, onward[EITHER_COURSE.index(course[-1])], strict=True)
            if p > 1e-15
        }
    return {course[1:]: chance for course, chance in courses.items()}


RESPONDED = {*STATES, "death_of_disease_after_response"} - {"treated", "death_of_disease"}
DEAD = {state for state in EITHER_COURSE if state.startswith("death")}
RELAPSED = {"relapse", "death_of_disease_after_response"}
OVERLAPPING_ROWS = {
    "entered,all,response,3,4,7": lambda at: at[3] in RESPONDED,
    "survivors,all,,6,5,7": lambda at: at[6] in DEAD,
    "entered,all,relapse,12,2,7": lambda at: at[12] in RELAPSED,
    "deaths,transplanted,,12,1,3": lambda at: at[240] in AFTER_TRANSPLANT and at[12] in DEAD,
    "patients,responders,,,5,7": lambda at: at[240] in RESPONDED,
    "patients,transplanted,,,3,7": lambda at: at[240] in AFTER_TRANSPLANT,
    "entered,responders,home,,2,5": lambda at: at[240] in ("home", "death_at_home"),
    "deaths,all,death_of_disease,6,2,7": lambda at: at[6] in {"death_of_disease", "death_of_disease_after_response"},
}
"""Rows of seven patients, and which patients they count by their states at some months."""
COUNTS = (4, 2, 2, 1, 5, 3, 2, 2)


@pytest.mark.parametrize("left_out", [slow(1), slow(3), 4, 5, slow(len(COUNTS))])
def test_overlapping_rows_have_the_probability_of_all_ways_to_assign_patients(left_out: int, tmp_path: Path) -> None:
    """Seven patients, one after the other, in every course: the whole table, and without a row of each kind."""
    kept = [place for place in range(len(COUNTS)) if place != left_out]
    names = list(OVERLAPPING_ROWS)
    # A row of an arm is of the patients that its row of sizes counts.
    sizes = {4: [6], 5: [3]}
    kept = [place for place in kept if place not in sizes.get(left_out, [])]
    rows = [row_of(names[place], place) for place in kept]
    arms = {**ARMS, "transplanted": ["transplanted"]}
    targets = write_cohort(tmp_path, WORLD, rows, clock="start", n=7, seed=3, arms=arms)
    months = (3.0, 6.0, 12.0, 240.0)
    for draw, log_likelihood in enumerate(Likelihood(targets, step=0.025)(RATES)):
        of_patient: dict[tuple[int, ...], float] = {}
        for states, chance in at_months(draw, months).items():
            at = dict(zip(months, states, strict=True))
            counted = tuple(int(OVERLAPPING_ROWS[names[place]](at)) for place in kept)
            of_patient[counted] = of_patient.get(counted, 0.0) + chance
        expected = chance_of(tuple(COUNTS[place] for place in kept), [of_patient] * 7)
        assert log_likelihood == pytest.approx(np.log(expected), abs=1e-3)


def row_of(row: str, place: int) -> str:
    kind, population, state, month, count, n = row.split(",")
    return f"row_{place},{kind},{population},{state},,{month},{count},{n},,,,made up,likelihood,"


def test_two_percentages_of_the_same_patients_are_named(cohort: NewCohort) -> None:
    (sentence,) = SamePatients(cohort("survival,all,,6,,60", "survival,all,,12,,60")).sentences()
    assert re.search(r"targets.csv: lines 2 and 3 count the same patients, but enter .* use = \"predictive\"", sentence)


def test_percentages_of_two_arms_are_named_arm_by_arm(cohort: NewCohort) -> None:
    """Two arms with a count and a percentage each: one of the two rows of an arm is enough to compare with."""
    rows = [f"survivors,{arm},,3,{n - 5},{n}" for arm, n in (("others", 20), ("responders", 40))]
    rows += [f"survival,{arm},,12,,{n}" for arm, n in (("others", 20), ("responders", 40))]
    sentences = SamePatients(cohort(*rows)).sentences()
    for lines, sentence in zip(("lines 2 and 4", "lines 3 and 5"), sentences, strict=True):
        assert f"targets.csv: {lines} count" in sentence
        assert 'Give one of them use = "predictive".' in sentence


OVERLAPS = {
    "two arms and all": (
        ["survival,responders,,6,,33", "survival,others,,6,,27", "survival,all,,12,,60"],
        "line 4 counts patients of lines 2 and 3 again, but all enter .* Give line 4 use",
    ),
    "an arm with its size, and all": (
        ["patients,responders,,,33,60", "survival,responders,,6,,33", "survival,all,,12,,60", "survival,others,,6,,27"],
        "line 4 counts patients of lines 2, 3 and 5 again, but all enter .* Give line 4 use",
    ),
    "an arm, and all twice": (
        ["survival,responders,,6,,33", "survival,all,,12,,60", "survival,all,,24,,60"],
        "lines 2 to 4 count the same patients, but enter .* Give all but one of them use",
    ),
    "two arms, and all twice": (
        ["survival,responders,,6,,33", "survival,others,,6,,27", "survival,all,,12,,60", "survival,all,,24,,60"],
        "line 4 counts patients of lines 2, 3 and 5 again, .* Give line 4 use",
        "line 5 counts patients of lines 2 and 3 again, .* Give line 5 use",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OVERLAPS)
def test_rows_of_patients_who_count_elsewhere_have_to_go_and_no_row_of_an_arm_that_shares_nobody(
    case: str, cohort: NewCohort
) -> None:
    """Done as the sentences say, from all rows but one that remain, nothing overlaps: a percentage an arm, or one."""
    rows, *expected = OVERLAPS[case]
    sentences = SamePatients(cohort(*rows)).sentences()
    for sentence, words in zip(sentences, expected, strict=True):
        assert re.search(words, sentence), sentence
    gone = {int(line) for sentence in sentences for line in re.findall(r"Give line (\d+)", sentence)}
    kept = [row for line, row in enumerate(rows, start=2) if line not in gone]
    if "all but one" in sentences[0]:
        kept = kept[:1]
    assert SamePatients(cohort(*kept)).sentences() == []
    assert not any(row.startswith("survival,all") for row in kept)


INDEPENDENT = {
    "percentages of two arms": ["survival,responders,,6,,33", "survival,others,,6,,27"],
    "the size of an arm, and its survival": ["patients,responders,,,33,60", "survival,responders,,6,,33"],
    "responses, and survival of the responders": ["entered,all,response,,33,60", "survival,responders,,6,,33"],
    "survival of responders, and deaths of the others": ["survival,responders,,6,,33", "deaths,others,,6,10,27"],
    "counts of any kind": ["entered,all,response,6,33,60", "survivors,all,,6,40,60", "patients,transplanted,,,20,60"],
}


@pytest.mark.parametrize("case", INDEPENDENT)
def test_counts_and_percentages_of_other_patients_need_no_warning(case: str, cohort: NewCohort) -> None:
    assert SamePatients(cohort(*INDEPENDENT[case], arms=OVERLAPPING)).sentences() == []


ADDED_UP = {
    "survivors of an arm made of two that overlap": ["survivors,both,,12,20,40", "survivors,both,,6,30,40"],
    "a percentage of an arm made of two that overlap": ["survival,both,,12,,40", "entered,all,response,,45,60"],
}


@pytest.mark.parametrize("case", ADDED_UP)
def test_arms_of_one_population_with_patients_in_common_are_refused(case: str, cohort: NewCohort) -> None:
    """Even if they are few: here the shares of all arms add up to less than 1."""
    with pytest.raises(InputError, match=r"targets.csv: line 2.*: arms that are added up have patients in common"):
        cohort(*ADDED_UP[case], arms=OVERLAPPING)


def test_arms_that_exclude_one_another_by_their_course_are_read(cohort: NewCohort) -> None:
    targets = cohort("deaths,transplanted,,12,4,20", "deaths,relapsed,,12,5,10", arms=OVERLAPPING)
    assert np.isfinite(Likelihood(targets)(RATES)).all()


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


def test_an_arm_counts_all_patients_who_enter_it_whatever_the_months_of_the_rows(cohort: NewCohort) -> None:
    targets = cohort("patients,responders,,,33,60")
    np.testing.assert_allclose(Likelihood(targets)(RATES), log_binomial(33, 60, responded(120)), atol=5e-4)


def relapsed_and_died(month: float) -> Floats:
    """P(dead of the disease after a response by a month), (3,): all such deaths less those without a response."""
    respond, die = RATES["respond"][:, 0], RATES["die"][:, 0]
    without_response = die / (respond + die) * -np.expm1(-(respond + die) * month)
    return in_any(("death_of_disease",), month) - without_response
