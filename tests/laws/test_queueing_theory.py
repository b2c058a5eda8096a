"""Wards hold against queueing theory: Erlang B and C, Erlang-A, Pollaczek-Khinchine, Cobham, Little's law, utilisation.

Times are in mean stays (one month here). Each replication has its own arrivals and patients, starts from an empty ward
and leaves out a warm-up of at least ten relaxation times, 1 / (c mu (1 - sqrt(rho))^2) (Cohen 1982), so that what is
left of the empty start is below exp(-10); patients are followed for forty months, which fewer than one in 1e5 waits
come near. Estimates are ratios over replications, sum S / sum N, with the variance of S - ratio N (Cochran 1977); each
must lie inside its own interval of Student's t. All COMPARISONS share FALSE_ALARM in equal parts (Bonferroni): right
engines fail one suite in 10,000 by chance, though seeds are fixed, so that a run either always passes or always fails.
Each interval must also be narrow enough (`TEETH`) for the comparison to mean something.
"""

from collections.abc import Callable
from math import exp, factorial, gamma, sqrt
from types import ModuleType

import numpy as np
import pytest
from scipy import stats
from sojourn_times import AT_ONCE, Table, exponential, fixed, law, lognormal, weibull
from worlds import scenario, ward

from simulator.arrays import Floats
from simulator.engines.des import engine as des
from simulator.engines.microsim import queueing
from simulator.engines.model import Model, resolve
from simulator.engines.requests import Arrivals, Requests
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity

FALSE_ALARM = 1e-4
COMPARISONS = 120
"""At least as many as there are in this file (88, with the slow ones)."""
TEETH = 0.35
"""The widest interval's half-width, as a share of what theory says."""
HORIZON = 40.0

SLOW_DES = pytest.param(des, marks=pytest.mark.slow)
ENGINES = pytest.mark.parametrize("engine", [queueing, SLOW_DES], ids=["microsim", "des"])


def centre(stay: Table, beds: Capacity | int, *, ready: Table = AT_ONCE, patience: Table | None = None) -> Model:
    """Poisson arrivals who ask for a bed when ready, and stay for a time; who runs out of patience dies."""
    mix = {"urgency": {"urgent": 3, "elective": 7}}
    limit = Capacity(((0.0, beds),)) if isinstance(beds, int) else beds
    return resolve(scenario(ward(stay, ready, patience, attributes=mix), capacity={"beds": limit}))


class Runs:
    """Replications of a centre, and what is measured in the counted years of each: (S, N), (2, replications)."""

    def __init__(
        self, engine: ModuleType, model: Model, rate: float, replications: int = 30, *, patients: int = 4_000
    ) -> None:
        c = model.scenario.capacity["beds"].units
        rho = min(rate / c, 0.85)  # above it, deaths shorten the memory of a queue
        warm_up = 10.0 / (c * (1.0 - sqrt(rho)) ** 2)
        service = Service(patients / rate / 12.0, 12.0 * rate, warm_up_years=warm_up / 12.0)
        self.first, self.last, self.beds = service.first, service.last, c
        self.runs: list[tuple[Requests, Floats]] = []
        for replication in range(replications):
            uniforms = Uniforms(20240680, replication=replication)
            months = service.months(uniforms, HORIZON)
            everybody = np.ones(months.size, dtype=bool)
            arrivals = Arrivals(np.arange(months.size), months, everybody)
            block, book = engine.simulate(model, uniforms, arrivals, horizon=HORIZON)
            urgent = block.levels["urgency"][np.searchsorted(block.patients, book.patients)] == 0
            self.runs.append((book, urgent))

    def share(self, of: Callable[[Requests], Floats], level: bool | None = None) -> Floats:
        """The mean of something of the requests made in the counted years, of one urgency or of all."""
        found = []
        for book, urgent in self.runs:
            counted = (book.requested >= self.first) & (book.requested < self.last)
            counted &= True if level is None else urgent == level
            found.append((of(book)[counted].sum(), counted.sum()))
        return np.array(found, dtype=float).T

    def over_time(self, begin: str, until: Callable[[Requests], Floats], units: float) -> Floats:
        """The mean number, over the counted years, of those who are between two times."""
        found = []
        for book, _ in self.runs:
            end = np.clip(until(book), self.first, self.last)
            begun = np.clip(getattr(book, begin), self.first, self.last)
            found.append(((end - begun).sum(), units * (self.last - self.first)))
        return np.array(found).T

    @property
    def mean_wait(self) -> Floats:
        return self.share(lambda book: book.waited)

    @property
    def waits(self) -> Floats:
        return self.share(lambda book: book.waited > 0.0)

    @property
    def lost(self) -> Floats:
        return self.share(lambda book: np.isinf(book.granted))

    @property
    def queue(self) -> Floats:
        return self.over_time("requested", lambda book: np.minimum(book.granted, book.reneged), 1.0)

    @property
    def utilisation(self) -> Floats:
        return self.over_time("granted", lambda book: book.released, self.beds)


def lies_around(expected: float, measured: Floats) -> None:
    """What theory says lies in the interval of what was measured."""
    s, n = measured
    ratio = s.sum() / n.sum()
    error = np.std(s - ratio * n, ddof=1) / np.mean(n) / sqrt(s.size)
    half = stats.t.isf(FALSE_ALARM / COMPARISONS / 2.0, s.size - 1) * error
    assert abs(ratio - expected) < half, (ratio, expected, half)
    # Of few replications, Student's t is wide whatever they show.
    assert 5.5 * error < TEETH * expected, (expected, error)


def erlang_b(c: int, load: float) -> float:
    return load**c / factorial(c) / sum(load**k / factorial(k) for k in range(c + 1))


def erlang_c(c: int, load: float) -> float:
    """The probability of waiting in M/M/c at an offered load of so many beds (Erlang 1917)."""
    blocked = erlang_b(c, load)
    return blocked / (1.0 - load / c * (1.0 - blocked))


def test_erlangs_formulas_are_those_of_the_tables() -> None:
    """Erlang B of 10 erlangs on 10 lines is 0.2146; M/M/1 waits with probability rho."""
    assert erlang_b(10, 10.0) == pytest.approx(0.2146, abs=5e-5)
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1.0 / 3.0)


def follows_erlang_c(runs: Runs, c: int, load: float) -> None:
    waits = erlang_c(c, load)
    lies_around(waits, runs.waits)
    lies_around(waits / (c - load), runs.mean_wait)
    lies_around(load * waits / (c - load), runs.queue)
    lies_around(load / c, runs.utilisation)
    late = 1.0 / (c - load)
    lies_around(waits * exp(-(c - load) * late), runs.share(lambda book: book.waited > late))


@ENGINES
@pytest.mark.parametrize(("c", "load"), [(1, 0.7), (3, 2.4), (10, 8.0)])
def test_waits_for_c_beds_follow_erlang_c(c: int, load: float, engine: ModuleType) -> None:
    follows_erlang_c(Runs(engine, centre(exponential(mean=1.0), c), load), c, load)


def erlang_a(c: int, arrivals: float, patience: float, top: int = 400) -> tuple[float, float, float]:
    """P(lost), mean wait of all who ask and P(wait) in M/M/c+M, from its birth-death chain (Palm 1957)."""
    leaving = np.array([min(n, c) + max(n - c, 0) / patience for n in range(1, top)])
    p = np.exp(np.cumsum(np.concatenate([[0.0], np.log(arrivals / leaving)])))
    p /= p.sum()
    queue = float(np.sum(p * np.maximum(np.arange(top) - c, 0)))
    return queue / patience / arrivals, queue / arrivals, float(p[c:].sum())


def follows_erlang_a(runs: Runs, c: int, load: float, patience: float) -> None:
    lost, wait, waits = erlang_a(c, load, patience)
    lies_around(lost, runs.lost)
    lies_around(wait, runs.mean_wait)
    lies_around(waits, runs.waits)
    lies_around(load * (1.0 - lost) / c, runs.utilisation)


@ENGINES
@pytest.mark.parametrize(("c", "load", "patience"), [(1, 0.8, 2.0), (3, 3.0, 1.0), (4, 6.0, 5.0)])
def test_a_patient_who_dies_while_waiting_follows_erlang_a(
    c: int, load: float, patience: float, engine: ModuleType
) -> None:
    """Also above a load of one, where deaths keep the queue finite."""
    model = centre(exponential(mean=1.0), c, patience=exponential(mean=patience))
    follows_erlang_a(Runs(engine, model, load), c, load, patience)


@pytest.mark.slow
def test_des_alone_follows_erlang_c_and_erlang_a() -> None:
    """A few shorter replications, at loads where they are precise enough; `slow` runs des as long as microsim."""
    follows_erlang_c(Runs(des, centre(exponential(mean=1.0), 2), 1.0, 12, patients=1_500), 2, 1.0)
    impatient = centre(exponential(mean=1.0), 3, patience=exponential(mean=1.0))
    follows_erlang_a(Runs(des, impatient, 3.0, 12, patients=1_000), 3, 3.0, 1.0)


def test_the_risk_runs_before_the_request_too_and_requests_are_a_thinned_stream() -> None:
    """Getting ready takes 0.5 months, dying 2: four in five ask, and are as short of patience as they were."""
    model = centre(exponential(mean=1.0), 3, ready=exponential(mean=0.5), patience=exponential(mean=2.0))
    runs = Runs(queueing, model, 4.0, 20)
    lost, wait, _ = erlang_a(3, 4.0 * 0.8, 2.0)
    lies_around(lost, runs.lost)
    lies_around(wait, runs.mean_wait)
    asked = [((book.requested >= runs.first) & (book.requested < runs.last)).sum() for book, _ in runs.runs]
    lies_around(4.0 * 0.8, np.array([asked, [runs.last - runs.first] * len(asked)], dtype=float))


SCALE = 1.0 / gamma(1.0 + 1.0 / 1.5)
STAYS = {
    "Weibull": (weibull(shape=1.5, scale=SCALE), SCALE**2 * gamma(1.0 + 2.0 / 1.5)),
    "log-normal": (lognormal(sigma=0.8, median=exp(-0.32)), exp(0.64)),
    "gamma": (law("gamma", shape=0.5, mean=1), 3.0),
    "fixed": (fixed(1), 1.0),
}


@ENGINES
@pytest.mark.parametrize(("stay", "square"), STAYS.values(), ids=STAYS)
def test_one_bed_and_stays_of_any_law_follow_pollaczek_and_khinchine(
    stay: Table, square: float, engine: ModuleType
) -> None:
    """Mean wait = arrivals E[S^2] / (2 (1 - rho)), and rho is both the chance to wait and the utilisation."""
    rho = 0.6
    runs = Runs(engine, centre(stay, 1), rho)
    lies_around(rho * square / (2.0 * (1.0 - rho)), runs.mean_wait)
    lies_around(rho, runs.waits)
    lies_around(rho, runs.utilisation)


@pytest.mark.parametrize(("stay", "square"), STAYS.values(), ids=STAYS)
def test_a_patient_who_cannot_wait_is_lost_as_erlang_b_says_whatever_the_law_of_the_stay(
    stay: Table, square: float
) -> None:
    """A free bed is granted in the instant of the request; otherwise the risk of that instant wins."""
    runs = Runs(queueing, centre(stay, 4, patience=AT_ONCE), 3.0, 20)
    lies_around(erlang_b(4, 3.0), runs.lost)
    assert runs.mean_wait[0].sum() == 0.0


def test_littles_law_in_every_replication() -> None:
    """Queue length over time = arrivals x mean wait: the two differ by the edges of the counted years only."""
    runs = Runs(queueing, centre(STAYS["log-normal"][0], 3, patience=exponential(mean=6.0)), 2.9, 20)
    months = runs.last - runs.first
    (queue, span), (waits, n) = runs.queue, runs.mean_wait
    difference = queue / span - n / months * (waits / n)
    half = stats.t.isf(FALSE_ALARM / COMPARISONS / 2.0, difference.size - 1) * np.std(difference, ddof=1)
    assert abs(difference.mean()) < half / sqrt(difference.size)
    assert np.abs(difference).max() < 0.03 * (queue / span).mean()


def test_priority_on_one_bed_follows_cobham() -> None:
    """W_k = W_0 / ((1 - s_(k-1)) (1 - s_k)); W_0 = arrivals E[S^2] / 2, s_k the load of the first k (Cobham 1954)."""
    rho, first = 0.5, 0.3 * 0.5
    urgent_first = Capacity(((0.0, 1),), ranks=("urgency", ("urgent",)))
    runs = Runs(des, centre(exponential(mean=1.0), urgent_first), rho, 12, patients=1_000)
    lies_around(rho / (1.0 - first), runs.share(lambda book: book.waited, True))
    lies_around(rho / ((1.0 - first) * (1.0 - rho)), runs.share(lambda book: book.waited, False))
    lies_around(rho, runs.waits)
    lies_around(rho, runs.utilisation)
