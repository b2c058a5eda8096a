"""The cross-table of the letter, and small ones: their probability by convolutions of the test's own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import sub
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from scipy.linalg import expm
from simulated_cells import check_shares, in_cells
from sojourn_times import exponential
from worlds import decision, rate, share, slow, sojourn, to_and_fro, world

from calibration.fit import Posterior
from calibration.likelihood.courses import Course
from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets, load_targets, with_rows
from calibration.predictive import simulated
from calibration.validation.simulated_targets import simulated_targets
from simulator.arrays import Floats
from simulator.engines.exact.history_graph import entered
from simulator.engines.model import resolve
from simulator.errors import InputError

Counted = dict[tuple[int, ...], float]
"""Counts -> chance."""


def with_patients(total: Counted, patient: Counted, n: int, most: Sequence[int]) -> Counted:
    """How many count together with n alike patients more, where they are no more than `most`."""
    counts, chances = np.array(list(total), dtype=np.int8), np.array(list(total.values()))
    more, of_more = np.array(list(patient), dtype=np.int8), np.array(list(patient.values()))
    for _ in range(n):
        together = (counts[:, None] + more).reshape(-1, len(most))
        fits = (together <= np.array(most, dtype=np.int8)).all(axis=1)
        codes = np.ravel_multi_index(together[fits].T, np.add(most, 1))
        codes, place = np.unique(codes, return_inverse=True)
        counts = np.transpose(np.unravel_index(codes, np.add(most, 1))).astype(np.int8)
        chances = np.bincount(place, (chances[:, None] * of_more).ravel()[fits])
    return dict(zip(map(tuple, counts.tolist()), chances.tolist(), strict=True))


# --- The letter: five groups of known size ---


def courses_of(targets: Targets, shares: Floats) -> Iterator[tuple[set[str], Course, float, float]]:
    """Yield what patients have entered, their course, the month by which they died, and the chance; each cell once."""
    seen: set[int] = set()
    for course, cells in targets.courses.of_course.items():
        for month, cell in zip(targets.courses.months if course.end else [np.nan], cells, strict=True):
            if cell not in seen:
                seen.add(cell)
                yield set(entered(course.marks)), course, month, float(shares[cell])


GROUPS = {"untreated": 19, "first": 3, "second": 7, "cr": 6, "chemotherapy": 2}


def group_of(states: set[str], course: Course) -> str | None:
    """The group of the letter that a patient is in, or None: the eighteen treated are all in one of four."""
    if "supportive_care" in states:
        return "untreated"
    if "hsct" in states:
        return "second" if "prior_hsct=yes" in course.levels else "first"
    if "chemotherapy" in states:
        return "chemotherapy"
    return "cr" if states & {"immunotherapy", "car_t_reinfusion"} and "complete_response" in states else None


def counted_in(group: str, states: set[str], course: Course, month: float) -> tuple[int, ...] | None:
    """What the letter counts of a patient beyond their group; None if it excludes them."""
    dead, of_treatment = bool(course.end), course.end == "death_of_treatment"
    relapsed = "relapse_after_salvage" in states
    excluded = {
        "untreated": not dead or not month <= 12,
        "first": of_treatment or (relapsed and not dead),
        "second": relapsed and not dead,
        "cr": relapsed != dead,
        "chemotherapy": dead,
    }[group]
    is_assessed = group == "untreated" or bool(states & {"complete_response", "partial_response", "no_response"})
    if excluded or month <= 1 or not is_assessed:
        return None
    return (
        *(int(state in states) for state in ("chemotherapy", "car_t_reinfusion", "partial_response", "no_response")),
        int(dead and month <= 6),
        int(dead and month <= 12 and group in ("first", "second")),
        int(dead and month <= 12 and group == "cr"),
        int(group == "second" and of_treatment),
        int(relapsed and group in ("first", "second")),
        int(relapsed and group == "cr"),
    )


LETTER = (3, 5, 4, 1, 23, 2, 3, 2, 2, 4)
"""Chemotherapy and CAR-T (the other ten of 18 had immunotherapy), PR and NR (the other 13: CR); dead by month 6, by 12
after HSCT and in CR without; dead of treatment; relapsed after HSCT, and in CR without."""


def log_probability_of_the_letter(targets: Targets, shares: Floats) -> float:
    patients: dict[str, Counted] = {group: {} for group in GROUPS}
    for states, course, month, chance in courses_of(targets, shares):
        group = group_of(states, course)
        counts = None if group is None else counted_in(group, states, course, month)
        if group is not None and counts is not None and chance > 0.0:
            patients[group][counts] = patients[group].get(counts, 0.0) + chance
    nobody: Counted = {(0,) * len(LETTER): 1.0}
    second, others = with_patients(nobody, patients["second"], GROUPS["second"], LETTER), nobody
    for group in ("chemotherapy", "cr", "untreated", "first"):
        others = with_patients(others, patients[group], GROUPS[group], LETTER)
    chance = sum(of_some * second.get(tuple(map(sub, LETTER, counts)), 0.0) for counts, of_some in others.items())
    arrangements = stats.multinomial.logpmf(list(GROUPS.values()), 37, np.full(5, 0.2)) + 37 * np.log(5)
    return float(np.log(chance) + arrangements)


@pytest.mark.slow
def test_the_probability_of_the_letter_is_that_of_its_cross_table(letter: Targets) -> None:
    """To nine digits, at a point of the prior: an own convolution, from the probabilities of the cells."""
    posterior = Posterior(letter)
    assert letter.tables is not None
    priors = posterior.priors
    z = 0.5 * np.random.default_rng(86).standard_normal((1, priors.dimension))
    values = dict(zip(priors.names, priors.transform(z).T[:, :, None], strict=True))
    likelihood = posterior.likelihood
    shares = likelihood.cell_probabilities(likelihood.followed(resolve(letter.scenario, values)))
    expected = [log_probability_of_the_letter(letter, of_draw) for of_draw in shares]
    np.testing.assert_allclose(letter.tables.log_likelihood(shares), expected, rtol=0, atol=1e-9)


def test_how_many_transplants_were_second_ones_is_no_evidence(letter: Targets) -> None:
    """Of ten a binomial of the case mix, whatever the parameters: nothing before HSCT depends on an earlier one."""
    rows = letter.cohort.targets
    sizes = rows[(rows["use"] != "likelihood") | rows["name"].isin(["hsct", "hsct_first", "hsct_second"])]
    posterior = Posterior(letter)
    z = np.random.default_rng(87).standard_normal((5, posterior.priors.dimension))
    values = dict(zip(posterior.priors.names, posterior.priors.transform(z).T[:, :, None], strict=True))
    with_levels = Likelihood(with_rows(letter, sizes))(values)
    without = Likelihood(with_rows(letter, sizes[~sizes["name"].isin(["hsct_first", "hsct_second"])]))(values)
    np.testing.assert_allclose(with_levels - without, stats.binom.logpmf(7, 10, 17 / 37), rtol=0, atol=1e-6)


def test_simulated_patients_of_the_letter_fill_the_cells_as_the_likelihood_says(letter: Targets) -> None:
    """20,000 patients: all salvages, responses, transplants and months at once."""
    targets = replace(letter, cohort=replace(letter.cohort, n=20_000))
    likelihood = Likelihood(letter)
    shares = likelihood.cell_probabilities(likelihood.followed(resolve(letter.scenario)))[0]
    counts = in_cells(simulated(targets, {}, number=1))
    assert counts.sum() == 20_000
    check_shares(counts, np.full_like(counts, 20_000), shares)


@pytest.mark.parametrize("number", [1, slow(2), slow(3)])
def test_a_simulated_cohort_prints_the_rows_of_the_letter_and_its_own_table_fits_them(
    number: int, letter: Targets
) -> None:
    """Whatever its patients did: first and second HSCT, CR without HSCT, chemotherapy without, and the rest."""
    priors = Posterior(letter).priors
    truth = priors.transform(np.random.default_rng(88 + number).standard_normal((1, priors.dimension)))[0]
    cohort = simulated(letter, dict(zip(priors.names, truth.tolist(), strict=True)), number=number)
    printed = simulated_targets(cohort)
    printed_rows, rows = ([row.where for row in targets.courses.rows] for targets in (printed, letter))
    assert printed_rows == rows
    counts = in_cells(replace(cohort, targets=printed))
    for equation in printed.courses.equations:
        assert counts[sorted(equation.cells)].sum() == equation.count, equation.where
    assert np.isfinite(
        Likelihood(printed)({name: np.array([[v]]) for name, v in zip(priors.names, truth, strict=True)})
    )


@pytest.mark.slow
@pytest.mark.parametrize("reading", [slow("pooled"), slow("without_salvage"), "non_responder_anywhere"])
def test_other_readings_of_the_letter_are_read_and_less_is_known_in_them(reading: str, letter: Targets) -> None:
    other, draw = load_targets("wang2024", reading), values_at_the_declared_point(letter)
    assert len(other.courses.rows) < len(letter.courses.rows)
    assert float(Likelihood(other)(draw)[0]) > float(Likelihood(letter)(draw)[0])


def values_at_the_declared_point(targets: Targets) -> Mapping[str, Floats]:
    return {name: np.array([[parameter.value]]) for name, parameter in targets.pathway.parameters.items()}


# --- Small worlds ---


COMES_BACK = to_and_fro(
    exponential(rate="out"), exponential(rate="back"), exponential(rate="die"), clocks={"start": "a"},
    groups={"been": "b", "never": ("a", "b")}, parameters={"out": rate(0.3), "back": rate(0.5), "die": rate(0.1)},
)  # fmt: skip
"""Patients go to b and back, and may come to b again."""
RATES = {"out": np.array([[0.3], [0.1]]), "back": np.array([[0.5], [0.2]]), "die": np.array([[0.1], [0.3]])}
BACK_ROWS = {
    "entered,all,b,3,4,6": lambda at: at[3] in ("b", "back", "dead_since"),
    "deaths,all,,6,2,6": lambda at: at[6] in ("dead", "dead_since"),
    "patients,been,,,5,6": lambda at: at[24] in ("b", "back", "dead_since"),
    "deaths,been,,12,2,5": lambda at: at[12] == "dead_since",
}
"""Rows of six patients followed for 24 months, and which patients they count by their states at some months."""


@pytest.mark.parametrize("cut", [3, 6.3])
def test_patients_who_come_back_have_entered_a_state_once(cut: float, tmp_path: Path) -> None:
    """By matrix exponentials, of a course that remembers whether b was entered."""
    rows = {row.replace(",b,3,", f",b,{cut},"): counts for row, counts in BACK_ROWS.items()}
    lines = [
        f"row_{i},{k},{p},{s},,{m},{c},{n},,,,made up,likelihood,"
        for i, (k, p, s, m, c, n) in enumerate(row.split(",") for row in rows)
    ]
    follow_up = {"family": "uniform", "lower": 23.9999, "upper": 24.0}
    arms = {"been": ["been"], "never": ["never"], "all": ["been", "never"]}
    targets = write_cohort(tmp_path, COMES_BACK, lines, clock="start", n=6, arms=arms, follow_up=follow_up)
    months = (*sorted({cut, 6.0}), 12.0, 24.0)
    for draw, log_likelihood in enumerate(Likelihood(targets)(RATES)):
        patient: Counted = {}
        for states, chance in states_at(draw, months).items():
            at = dict(zip(months, states, strict=True))
            at[3] = at[cut]
            counts = tuple(int(counted(at)) for counted in rows.values())
            patient[counts] = patient.get(counts, 0.0) + chance
        expected = with_patients({(0,) * 4: 1.0}, patient, 6, (4, 2, 5, 2))[4, 2, 5, 2]
        assert log_likelihood == pytest.approx(np.log(expected), abs=2e-3)


def states_at(draw: int, months: Sequence[float]) -> dict[tuple[str, ...], float]:
    names = ("a", "b", "back", "dead", "dead_since")
    out, back, die = (RATES[name][draw, 0] for name in ("out", "back", "die"))
    moves = {("a", "b"): out, ("a", "dead"): die, ("b", "back"): back, ("back", "b"): out, ("back", "dead_since"): die}
    generator = np.zeros((5, 5))
    for (source, target), speed in moves.items():
        generator[names.index(source), names.index(target)] = speed
    np.fill_diagonal(generator, -generator.sum(axis=1))
    courses = {("a",): 1.0}
    for step in np.diff([0.0, *months]):
        onward = expm(step * generator)
        courses = {
            (*course, state): chance * p
            for course, chance in courses.items()
            for state, p in zip(names, onward[names.index(course[-1])], strict=True)
        }
    return {course[1:]: chance for course, chance in courses.items()}


def test_rows_that_leave_too_many_courses_open_are_refused(tmp_path: Path) -> None:
    """Twelve wards that patients visit in any order, and a row for each."""
    wards = [f"ward_{number}" for number in range(12)]
    states = {"home_again": sojourn(dead=exponential(rate=0.1), **dict.fromkeys(wards, exponential(rate=0.1)))}
    states |= {ward: sojourn(home_again=exponential(rate=1.0)) for ward in wards}
    rows = [f"{ward},entered,all,{ward},,,3,9,,,,made up,likelihood," for ward in wards]
    with pytest.raises(InputError, match=r"targets.csv: rows of states .* too many courses .*up to 10,000 states"):
        write_cohort(tmp_path, world("home_again", states, clocks={"start": "home_again"}), rows, clock="start", n=9)


WOMEN_LIVE = world(
    "ill",
    {
        "ill": decision(drug="uptake", home="rest"),
        "drug": sojourn(dead=exponential(rate={"by": "sex", "female": 0.05, "male": 0.2})),
    },
    clocks={"illness": "ill"}, attributes={"sex": {"female": 1, "male": 3}, "site": {"left": 2, "right": 3}},
    groups={"treated": "drug", "untreated": "home"}, parameters={"uptake": share(0.4)},
)  # fmt: skip
"""Women on the drug live longer than men."""


def of_levels(folder: Path, *rows: str) -> Targets:
    lines = [f"row_{i},{row},,,,made up,likelihood," for i, row in enumerate(rows)]
    arms = {"treated": ["treated"], "untreated": ["untreated"], "all": ["treated", "untreated"]}
    follow_up = {"family": "uniform", "lower": 12.0, "upper": 13.0}
    return write_cohort(folder, WOMEN_LIVE, lines, clock="illness", n=20, arms=arms, follow_up=follow_up)


def test_counts_of_a_level_are_of_the_same_patients_as_those_of_the_arm(tmp_path: Path) -> None:
    """Of 9 treated, 4 are women; 5 of the 9 are dead by month 12, 1 of them a woman: four binomials."""
    rows = ("patients,treated,,,,9,20", "patients,treated,,sex=female,,4,9", "deaths,treated,,,12,5,9")
    targets = of_levels(tmp_path, *rows, "deaths,treated,,sex=female,12,1,4")
    women, men = -np.expm1(-0.05 * 12), -np.expm1(-0.2 * 12)
    expected = stats.binom.logpmf(9, 20, 0.4) + stats.binom.logpmf(4, 9, 0.25)
    expected += stats.binom.logpmf(1, 4, women) + stats.binom.logpmf(4, 5, men)
    assert Likelihood(targets)({})[0] == pytest.approx(expected, abs=1e-3)


def test_deaths_of_an_arm_by_a_level_are_summed_over_the_sex_of_the_dead(tmp_path: Path) -> None:
    """How many of the five dead are women is not reported."""
    rows = ("patients,treated,,,,9,20", "patients,treated,,sex=female,,4,9", "deaths,treated,,,12,5,9")
    women, men = stats.binom(4, -np.expm1(-0.05 * 12)), stats.binom(5, -np.expm1(-0.2 * 12))
    deaths = sum(women.pmf(k) * men.pmf(5 - k) for k in range(5))
    expected = stats.binom.logpmf(9, 20, 0.4) + stats.binom.logpmf(4, 9, 0.25) + np.log(deaths)
    assert Likelihood(of_levels(tmp_path, *rows))({})[0] == pytest.approx(expected, abs=1e-3)


def test_an_attribute_that_decides_nothing_splits_the_patients_by_its_shares(tmp_path: Path) -> None:
    targets = of_levels(
        tmp_path, "patients,treated,,,,9,20", "patients,site=left,,,,7,20", "entered,treated,drug,site=left,,3,3"
    )
    shares = np.array([0.4 * 0.4, 0.4 * 0.6, 0.6 * 0.4, 0.6 * 0.6])
    expected = stats.multinomial.logpmf([3, 6, 4, 7], 20, shares)
    # That three of the nine have it on the left is given.
    assert Likelihood(targets)({})[0] == pytest.approx(expected - stats.binom.logpmf(3, 20, 0.16), abs=1e-6)


# --- Populations and readings of a cohort's own ---


def declared(folder: Path, **tables: object) -> Targets:
    row = "row,patients,responding_women,,,,3,20,,,,made up,likelihood,"
    return write_cohort(folder, WOMEN_LIVE, [row], clock="illness", n=20, **tables)


BAD_POPULATIONS = {
    "a state that is not there": ({"entered": "drog"}, r"populations.responding_women\]: unknown state.*'drug'"),
    "nothing to enter": (
        {"not_entered": "drug"},
        "a population of patients who entered no state; allowed: `entered`, ",
    ),
    "an unknown key": ({"entered": "drug", "left": "drug"}, "unknown key"),
}


@pytest.mark.parametrize("case", BAD_POPULATIONS)
def test_a_population_that_cannot_be_read_is_refused(case: str, tmp_path: Path) -> None:
    table, complaint = BAD_POPULATIONS[case]
    with pytest.raises(InputError, match=complaint):
        declared(tmp_path, populations={"responding_women": table})


@pytest.mark.parametrize("table", [{"entered_all": ["drug", "dead"]}, {"entered": "drug", "entered_all": "dead"}])
def test_patients_who_entered_each_of_some_states_need_no_state_of_which_they_entered_any(
    table: dict[str, object], tmp_path: Path
) -> None:
    """40 % have the drug, of whom a few women live for longer than the 120 months in which groups form."""
    targets = declared(tmp_path, populations={"responding_women": table}, follow_up={"lower": 239.0, "upper": 240.0})
    dead = 1.0 - 0.25 * np.exp(-0.05 * 120) - 0.75 * np.exp(-0.2 * 120)
    assert Likelihood(targets)({})[0] == pytest.approx(stats.binom.logpmf(3, 20, 0.4 * dead), abs=1e-4)


@pytest.mark.parametrize(("name", "complaint"), [("treated", "a group of the pathway"), ("all", "an arm or a level")])
def test_a_population_needs_a_name_of_its_own(name: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"a population with the name of {complaint}"):
        declared(tmp_path, populations={name: {"entered": "drug"}})


BAD_READINGS = {
    "a row that is not there": ({"leave_out": "rwo"}, r"readings.other\] leave_out: unknown row.*did you mean 'row'"),
    "a fitted row to fit": ({"fit": "row"}, r"readings.other\] fit: a row is fitted already; got 'row'"),
    "no meaning": ({"meaning": None}, "meaning: a key is missing"),
}


@pytest.mark.parametrize("case", BAD_READINGS)
def test_a_reading_that_names_no_row_is_refused(case: str, tmp_path: Path) -> None:
    table, complaint = BAD_READINGS[case]
    reading = {key: value for key, value in {"meaning": "another", **table}.items() if value is not None}
    with pytest.raises(InputError, match=complaint):
        declared(tmp_path, populations={"responding_women": {"entered": "drug"}}, readings={"other": reading})


def test_an_unknown_reading_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[readings\]: unknown reading; got 'poold'.*did you mean 'pooled'"):
        load_targets("wang2024", "poold")
