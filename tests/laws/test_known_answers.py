"""Every engine gives the answers that are known: of small worlds by formulae, of wards by queueing theory.

Worlds: the exact engine is held to what it may be off by. How many simulated patients are in a state is binomial; each
count lies inside its own interval.

Wards: times are in mean stays (one month here). Each replication has its own arrivals and patients, starts from an
empty ward and leaves out a warm-up of at least ten relaxation times, 1 / (c mu (1 - sqrt(rho))^2) (Cohen 1982), so that
what is left of the empty start is below exp(-10); patients arrive until the last counted request is over. Estimates are
ratios over replications, sum S / sum N, with the variance of S - ratio N (Cochran 1977); each must lie inside its own
interval of Student's t, narrow enough (`TEETH`) for the comparison to mean something.

All comparisons of worlds share FALSE_ALARM in equal parts (Bonferroni), and so do those of wards: right engines fail
one suite in 5,000 by chance, though seeds are fixed, so that a run either always passes or always fails.
"""

from collections.abc import Callable
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from every_engine import ENGINES, curves_of
from known_answers import WORLDS, Known
from known_waits import STAYS, WARDS, KnownWard, beds_of, erlang_b, erlang_c
from scipy import stats
from sojourn_times import exponential
from worlds import slow

from simulator.arrays import Floats
from simulator.engines.requests import Requests
from simulator.errors import InputError
from simulator.experiment import centre
from simulator.experiment.centre import Replication
from simulator.experiment.engine_choice import choose_engine
from simulator.outcomes.resource_use import of_resource
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import Service

FALSE_ALARM = 1e-4


# --- Worlds ---

PATIENTS = {"exact": 0, "microsim": 40_000, "des": 500}


def months(known: Known, engine: str) -> Floats:
    """Where an engine is compared: simulated patients in whole months, of which others tell little more."""
    compared = known.compared
    return compared if engine == "exact" or compared.size < 20 else compared[np.isclose(np.rint(compared), compared)]


def comparisons(known: Known, engine: str) -> int:
    start = np.zeros(1)
    by_month = [known.states(start), known.survival(start), known.incidence(start)]
    return months(known, engine).size * sum(map(len, by_month)) + len(known.sizes)


CASES = [(name, engine) for name, known in WORLDS.items() for engine in known.engines]
TWINS = (
    "a random chain, 0",
    "a random chain, 2",
    "to and fro",
    "courses of 0.46",
    "courses of 0.7",
    "fixed for ",
    "held for ",
)
"""Beginnings of the names of worlds that differ from another one in numbers alone: des has them in the slow tests."""
LONG = "a risk that runs on in the next state, where another begins"


def is_slow(name: str, engine: str) -> bool:
    return (engine == "des" and name.startswith(TWINS)) or (engine != "exact" and name == LONG)


ALARM = FALSE_ALARM / sum(comparisons(WORLDS[name], engine) for name, engine in CASES if engine != "exact")
"""A false alarm of one comparison of simulated patients."""


@pytest.mark.representatives(70)
@pytest.mark.parametrize(("name", "engine"), [slow(*case) if is_slow(*case) else case for case in CASES])
def test_an_engine_gives_the_known_answer(name: str, engine: str) -> None:
    known, clock = WORLDS[name], WORLDS[name].scenario.pathway.clock
    answer = curves_of(engine, known.scenario, known.horizon, PATIENTS[engine])
    at = np.rint(months(known, engine) / answer.months[1]).astype(int)
    for state, expected in known.states(answer.months[at]).items():
        agrees(answer.occupancy[clock][state][0, at], expected, known.error, answer.patients)
    for population, expected in known.survival(answer.months[at]).items():
        size = None if answer.patients is None else round(answer.patients * answer.sizes[population].item())
        agrees(answer.survival[clock, population][0, at], expected, known.error, size)
    for (event, cause), expected in known.incidence(answer.months[at]).items():
        agrees(answer.end_points[event].incidence[cause][clock, "all"][0, at], expected, known.error, answer.patients)
    for population, share in known.sizes.items():
        agrees(answer.sizes[population], np.array([share]), 1e-7, answer.patients)


def agrees(share: Floats, expected: Floats, error: float, patients: int | None) -> None:
    """A share is the known one: to the error of the exact engine, or as far as the number of patients allows."""
    if patients is None:
        np.testing.assert_allclose(share, expected, rtol=0.0, atol=error)
        return
    probability, count = np.clip(expected, 0.0, 1.0), np.rint(share * patients)
    assert np.all(count >= stats.binom.ppf(ALARM / 2.0, patients, probability)), (share, expected)
    assert np.all(count <= stats.binom.isf(ALARM / 2.0, patients, probability)), (share, expected)


# --- Wards ---

COMPARISONS = 165
"""At least as many as there are of wards (163, with the slow ones)."""
TEETH = 0.35
"""The widest interval's half-width, as a share of what theory says."""


class Runs:
    """Replications of a ward, and what is measured in the counted years of each: (S, N), (2, replications)."""

    def __init__(self, engine: str, known: KnownWard, replications: int, patients: int) -> None:
        self.known, self.beds = known, known.scenario.capacity["beds"].units
        rho = min(known.arrivals / self.beds, 0.85)  # above it, deaths shorten the memory of a queue
        warm_up = 10.0 / (self.beds * (1.0 - sqrt(rho)) ** 2)
        rate = known.arrivals
        scenario = replace(
            known.scenario, service=Service(patients / rate / 12.0, 12.0 * rate, warm_up_years=warm_up / 12.0)
        )
        self.runs: list[Replication] = [
            centre.replication(
                scenario, {}, engine=engine, horizon=1.0, patients=0, uniforms=Uniforms(20240680, replication=number)
            )
            for number in range(replications)
        ]

    def measure(self, name: str) -> Floats:
        measures: dict[str, Callable[[], Floats]] = {
            "lost": lambda: self.share(lambda log: np.isinf(log.granted)),
            "waits": lambda: self.share(lambda log: log.waited > 0.0),
            "late": lambda: self.share(lambda log: log.waited > self.known.late),
            "mean wait": lambda: self.share(lambda log: log.waited),
            "mean wait of the urgent": lambda: self.share(lambda log: log.waited, 0),
            "mean wait of the elective": lambda: self.share(lambda log: log.waited, 1),
            "queue": lambda: self.over_time("requested", lambda log: np.minimum(log.granted, log.reneged), 1.0),
            "utilisation": lambda: self.over_time("granted", lambda log: log.released, self.beds),
            "requests a month": lambda: (
                np.array([(self.counted(run).sum(), run.last - run.first) for run in self.runs]).T
            ),
        }
        return measures[name]() if name in measures else self.outcome(name)

    def counted(self, run: Replication) -> Floats:
        """Whether each request is made in the counted years."""
        return (run.requests.requested >= run.first) & (run.requests.requested < run.last)

    def share(self, of: Callable[[Requests], Floats], level: int | None = None) -> Floats:
        """The mean of something of the requests made in the counted years, of one urgency or of all."""
        sums = []
        for run in self.runs:
            counted = self.counted(run)
            if level is not None:
                place = np.searchsorted(run.trajectories.patients, run.requests.patients)
                counted &= run.trajectories.levels["urgency"][place] == level
            sums.append((of(run.requests)[counted].sum(), counted.sum()))
        return np.array(sums, dtype=float).T

    def outcome(self, name: str) -> Floats:
        """An outcome of the service table, which is a share of the requests made in the counted years."""
        capacity, counted = self.known.scenario.capacity["beds"], [self.counted(run).sum() for run in self.runs]
        shares = [of_resource(run.requests, capacity, run.first, run.last)[name][1] for run in self.runs]
        return np.array([np.multiply(shares, counted), counted])

    def over_time(self, begin: str, until: Callable[[Requests], Floats], units: float) -> Floats:
        """The mean number, over the counted years, of those who are between two times."""
        sums = []
        for run in self.runs:
            end = np.clip(until(run.requests), run.first, run.last)
            begun = np.clip(getattr(run.requests, begin), run.first, run.last)
            sums.append(((end - begun).sum(), units * (run.last - run.first)))
        return np.array(sums).T


def lies_around(expected: float, measured: Floats) -> None:
    """What theory says lies in the interval of what was measured."""
    s, n = measured
    if expected == 0.0:
        assert not s.any()
        return
    ratio = s.sum() / n.sum()
    error = np.std(s - ratio * n, ddof=1) / np.mean(n) / sqrt(s.size)
    half = stats.t.isf(FALSE_ALARM / COMPARISONS / 2.0, s.size - 1) * error
    assert abs(ratio - expected) < half, (ratio, expected, half)
    # Of few replications, Student's t is wide whatever they show.
    assert 5.5 * error < TEETH * expected, (expected, error)


ONE_OF_A_FORMULA = (
    *("Erlang C, M/M/3", "Erlang A, 1 bed", "Erlang A, getting ready"),
    *("Pollaczek and Khinchine, gamma", "Erlang B, Weibull", "Cobham"),
)


def runs_it(engine: str, known: KnownWard) -> bool:
    try:
        choose_engine(engine, [known.scenario])
    except InputError:
        return False
    return True


def cases() -> list[object]:
    """Each ward in each engine that runs it: des in a few short replications, and as long as microsim under `slow`.

    Wards of one formula differ in numbers alone: by default there is one of each.
    """
    cases: list[object] = []
    for name, known in WARDS.items():
        for engine in [engine for engine in ENGINES if runs_it(engine, known)]:
            case = (name, engine, known.replications, 4_000)
            cases.append(case if engine == "microsim" and name in ONE_OF_A_FORMULA else slow(*case))
            if engine == "des" and known.short:
                cases.append((name, engine, *known.short))
    return cases


def test_erlangs_formulas_are_those_of_the_tables() -> None:
    """Erlang B of 10 erlangs on 10 lines is 0.2146; M/M/1 waits with probability rho."""
    assert erlang_b(10, 10.0) == pytest.approx(0.2146, abs=5e-5)
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1.0 / 3.0)


@pytest.mark.parametrize(("name", "engine", "replications", "patients"), cases())
def test_requests_for_beds_follow_queueing_theory(name: str, engine: str, replications: int, patients: int) -> None:
    runs = Runs(engine, WARDS[name], replications, patients)
    for measured, expected in WARDS[name].answers.items():
        lies_around(expected, runs.measure(measured))


def test_littles_law_in_every_replication() -> None:
    """Queue length over time = arrivals x mean wait: the two differ by the edges of the counted years only."""
    stays = beds_of(STAYS["log-normal"][0], 3, patience=exponential(mean=6.0))
    runs = Runs("microsim", KnownWard(stays, 2.9, {}), 20, 4_000)
    (queue, span), (waits, n) = runs.measure("queue"), runs.measure("mean wait")
    difference = queue / span - n / span * (waits / n)
    half = stats.t.isf(FALSE_ALARM / COMPARISONS / 2.0, difference.size - 1) * np.std(difference, ddof=1)
    assert abs(difference.mean()) < half / sqrt(difference.size)
    assert np.abs(difference).max() < 0.03 * (queue / span).mean()
