"""Worlds whose answers are known by formulae that no engine uses: half of the battery that every engine passes.

A world is known by P(in each state at a month); `known_waits.py` has wards, which are known by queueing theory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import sojourn_times as times
from every_engine import ENGINES
from scipy import integrate, linalg, stats
from sojourn_times import Table, by, exponential, fixed, loglogistic, lognormal, weibull
from worlds import DEATH, chance, exit_to, in_a_row, scenario, sojourn, two_state, world

from simulator.arrays import Floats
from simulator.pathway.end_points import EndPoint
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario

ERROR = 1e-4
"""What the exact engine may be off by at its default step."""
CLOSED = 1e-7
"""What it may be off by where it needs no lattice."""
HALF_MONTHS = 0.5 * np.arange(121)

Rates = Mapping[tuple[str, str], float]
States = dict[str, Floats]


@dataclass(frozen=True, eq=False)
class Known:
    """A world, and what is known of its patients at a month since their start.

    states : months (n,) -> state -> (n,), the probability of being there
    alive : months (n,) -> population -> (n,), its survival
    incidence : months (n,) -> (end point, cause) -> (n,), first events of the cause in all patients
    sizes : population -> its share of all patients
    error : what the exact engine may be off by
    months : where to compare; by default at every tenth of a month up to the horizon
    engines : those that run it in little time; simulated patients who move a thousand times take long
    """

    scenario: Scenario
    states: Callable[[Floats], States] = lambda months: {}
    alive: Callable[[Floats], States] = lambda months: {}
    incidence: Callable[[Floats], dict[tuple[str, str], Floats]] = lambda months: {}
    sizes: Mapping[str, float] = field(default_factory=dict)
    error: float = ERROR
    months: Floats | None = None
    horizon: float = 60.0
    engines: tuple[str, ...] = ENGINES

    @property
    def compared(self) -> Floats:
        return 0.1 * np.arange(round(10 * self.horizon) + 1) if self.months is None else self.months

    def survival(self, months: Floats) -> States:
        """The survival of every population of which it is known, and of all where every death is."""
        states, deaths = self.states(months), self.scenario.pathway.deaths
        everybody = {"all": 1.0 - sum(states[name] for name in deaths)} if set(deaths) <= set(states) else {}
        return {**everybody, **self.alive(months)}


def by_expm(rates: Rates, start: str, months: Floats) -> States:
    """P(in each state at a month) of a Markov chain: the first row of expm(Q t)."""
    states = sorted({name for pair in rates for name in pair})
    q = np.zeros((len(states), len(states)))
    for (source, target), rate in rates.items():
        q[states.index(source), states.index(target)] += rate
        q[states.index(source), states.index(source)] -= rate
    rows = linalg.expm(q[None] * months[:, None, None])[:, states.index(start)]
    return {name: rows[:, place] for place, name in enumerate(states)}


def hypoexponential(months: Floats, *rates: float) -> Floats:
    """F(t) of a sum of exponentials of different rates (Ross, Introduction to Probability Models, 5.2.4)."""
    weights = [np.prod([other / (other - rate) for other in rates if other != rate]) for rate in rates]
    return 1.0 - sum(w * np.exp(-rate * months) for w, rate in zip(weights, rates, strict=True))


def chain(rates: Rates, start: str, states: dict[str, Table] | None = None, **settings: Any) -> Known:
    """States that patients leave at constant rates; `states` where a file declares them in another way."""
    declared = states or {
        name: sojourn(**{to: exponential(rate=rate) for (source, to), rate in rates.items() if source == name})
        for name in dict.fromkeys(source for source, _ in rates)
    }
    settings = {"months": HALF_MONTHS, **settings}
    return Known(scenario(world(start, declared)), lambda months: by_expm(rates, start, months), **settings)


def by_period(rates: Rates, breaks: tuple[float, ...], **ratios: tuple[float, ...]) -> Known:
    """A chain whose start `s` patients leave at rates that change as their hazard ratios do: expm by period.

    ratios : state that patients enter from `s` -> one a period since their entry
    """

    def states(months: Floats) -> States:
        at = {name: np.zeros(months.size) for name in sorted({name for pair in rates for name in pair})}
        reached = {"s": 1.0}
        for place, (begin, end) in enumerate(zip((0.0, *breaks), (*breaks, np.inf), strict=True)):
            changed = {
                (a, b): rate * ratios.get(b, ones)[place] if a == "s" else rate for (a, b), rate in rates.items()
            }
            now = (begin <= months) & (months < end)
            elapsed = np.append(months[now], min(end, months[-1])) - begin
            parts = [(share, by_expm(changed, name, elapsed)) for name, share in reached.items()]
            ends = {name: sum(share * part[name] for share, part in parts) for name in at}
            for name, there in ends.items():
                at[name][now] = there[:-1]
            reached = {name: float(there[-1]) for name, there in ends.items()}
        return at

    ones = (1.0,) * (len(breaks) + 1)
    declared = {f"s.{to}": {"breaks": list(breaks), "ratios": list(by)} for to, by in ratios.items()}
    known = chain(rates, "s")
    return replace(known, scenario=replace(known.scenario, hazard_ratio=declared), states=states)


def by_expm_until(rates: Rates, start: str, causes: Mapping[str, tuple[str, ...]], months: Floats) -> States:
    """P(a first event of each cause by a month) of a Markov chain: its states are left no more."""
    ends = {name for states in causes.values() for name in states}
    there = by_expm({pair: rate for pair, rate in rates.items() if pair[0] not in ends}, start, months)
    return {cause: sum(there.get(name, 0.0 * months) for name in states) for cause, states in causes.items()}


def first_events(known: Known, rates: Rates, start: str, **causes: tuple[str, ...]) -> Known:
    """A chain of which an end point is declared, too."""
    pathway = known.scenario.pathway
    event = EndPoint("event", "without the event", "", causes)
    return replace(
        known,
        scenario=replace(known.scenario, pathway=replace(pathway, end_points={"event": event})),
        incidence=lambda months: {
            ("event", cause): share for cause, share in by_expm_until(rates, start, causes, months).items()
        },
    )


def random_chain(seed: int) -> Known:
    random = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(5)]
    rates: dict[tuple[str, str], float] = {}
    for i, name in enumerate(names):
        targets = {names[(i + 1) % 5], "dead", *map(str, random.choice(names, 2))} - {name}
        rates |= {(name, target): float(random.uniform(0.01, 0.3)) for target in sorted(targets)}
    return first_events(chain(rates, "s0"), rates, "s0", worse=("s3",), both=("s1", "s2"), death=("dead",))


def to_and_fro_rates(speed: float, death: float) -> Rates:
    return {("a", "b"): speed, ("a", "dead"): death, ("b", "a"): speed}


def back_and_forth(speed: float) -> Known:
    """Patients who come back at a rate, over ten years."""
    rates = to_and_fro_rates(speed, 0.01)
    engines = ENGINES if speed < 1.0 else ("exact",)
    return chain(rates, "a", months=np.array([0.0, 0.5, 1, 6, 24, 60, 120]), horizon=120.0, engines=engines)


def ring(size: int, speed: float) -> Known:
    names = [f"s{i}" for i in range(size)]
    rates = {**dict.fromkeys(zip(names, [*names[1:], names[0]], strict=True), speed), ("s0", "dead"): 0.05}
    engines = ENGINES if size * speed < 5.0 else ("exact",)
    return chain(rates, "s0", months=np.array([0.0, 0.5, 1, 6, 60]), engines=engines)


ILLNESS_AND_DEATH = {("healthy", "ill"): 0.10, ("healthy", "dead"): 0.02, ("ill", "dead"): 0.20}
TWO_WAYS_INTO_ONE_STATE = chain(
    {
        ("well", "ill"): 0.3, ("well", "dead"): 0.02, ("ill", "well"): 0.4, ("ill", "worse"): np.log(2) / 4,
        ("ill", "dead"): 0.07, ("worse", "ill"): 0.1, ("worse", "dead"): 0.25,
    },
    "well",
    {
        "well": sojourn(ill=exponential(rate=0.3), dead=exponential(mean=50)),
        "ill": sojourn(
            exit_to("dead", exponential(rate=0.05), name="suddenly"),
            exit_to("dead", exponential(rate=0.02), name="slowly"),
            well=exponential(mean=2.5), worse=exponential(median=4.0),
        ),
        "worse": sojourn(ill=exponential(rate=0.1), dead=exponential(rate=0.25)),
    },
)  # fmt: skip
COMPETING = {("well", "ill"): 0.3, ("well", "dead"): 0.1, ("ill", "well"): 0.2, ("ill", "dead"): 0.25}
CYCLES = {
    "a cycle with two ways into one state": TWO_WAYS_INTO_ONE_STATE,
    **{f"a random chain, {seed}": random_chain(seed) for seed in range(3)},
}


def exponential_chain(months: Floats) -> States:
    """The shipped chain with a chance node, as its description has it."""
    dead = 0.42 * hypoexponential(months, 1, 0.5, 0.125) + 0.3 * hypoexponential(months, 1, 0.5, 0.2)
    return {"dead": dead, "cured": 0.28 * hypoexponential(months, 1, 0.5, 0.25)}


def risks(**exits: Table) -> dict[str, Table]:
    """One sojourn, and a death for each of its risks."""
    return {"s": sojourn(**exits), **dict.fromkeys(exits, DEATH)}


def competing_weibulls(shape: float) -> Known:
    """P(by j at t) = p_j F(t), p_j = s_j^-k / sum s^-k, F Weibull of scale (sum s^-k)^(-1/k)."""
    scales = {"a": 6.0, "b": 15.0, "c": 40.0}
    total = sum(scale**-shape for scale in scales.values())
    leaves = stats.weibull_min(shape, scale=total ** (-1 / shape)).cdf
    states = risks(**{state: weibull(shape=shape, scale=scale) for state, scale in scales.items()})
    return Known(
        scenario(world("s", states)),
        lambda months: {state: scale**-shape / total * leaves(months) for state, scale in scales.items()},
        error=CLOSED,
    )


def by_a_risk(hazard: Callable[[Floats], Floats], months: Floats) -> Floats:
    """P(by a risk at a month): int_0^t of its hazard times S, by quadrature over the cube root, smooth at 0."""
    cubed = lambda root: 3.0 * root**2 * hazard(root**3)  # noqa: E731
    return np.array([integrate.fixed_quad(cubed, 0.0, np.cbrt(month), n=100)[0] for month in months])


FIRST, SECOND = stats.lognorm(0.9, scale=8.0), stats.weibull_min(1.8, scale=12.0)
UNCURED, OTHER, CURE = stats.weibull_min(1.4, scale=10.0), stats.expon(scale=25.0), 0.35
EARLY = stats.weibull_min(0.7, scale=9)
FALLEN_ILL = stats.lognorm(1.1, scale=9.0)


def alive_by_sex(female: Callable[[Floats], Floats], male: Callable[[Floats], Floats]) -> Callable[[Floats], States]:
    """Survival by the cumulative hazards of three women and a man of four."""

    def alive(months: Floats) -> States:
        women, men = np.exp(-female(months)), np.exp(-male(months))
        return {"sex=female": women, "sex=male": men, "all": 0.75 * women + 0.25 * men}

    return alive


def weibull_hazard(months: Floats) -> Floats:
    return (months / 9) ** 1.4


def passed(months: Floats, month: float) -> Floats:
    """Whether a fixed time is over, at the very month too."""
    return (months >= month - 1e-9).astype(float)


STAY, STEEP = 1.25, {"shape": 0.7, "scale": 9, "cure": CURE}


def one_clock(months: Floats) -> Floats:
    """S of a risk that runs through two states, the second of which patients enter after a fixed stay in the first."""
    return CURE + (1 - CURE) * EARLY.sf(months)


def one_clock_and_another_risk(months: Floats) -> States:
    """The other risk starts with the second state: P(by it at t) = int S(s) dF(s), F from the end of the stay on."""
    there = OTHER.sf(np.maximum(months - STAY, 0.0))
    lost = [integrate.quad(lambda s: one_clock(s) * OTHER.pdf(s - STAY), STAY, max(t, STAY))[0] for t in months]
    second = passed(months, STAY) * one_clock(months) * there
    return {"second": second, "relapsed": np.array(lost)}


def held(months: float) -> Known:
    """A fixed sojourn puts off by its length whatever came before."""

    def states(t: Floats) -> States:
        alive = np.exp(-0.2 * np.maximum(t - months, 0))
        return {"dead": 1.0 - alive, "held": alive - np.exp(-0.2 * t)}

    table = world("waits", {"waits": sojourn(held=exponential(rate=0.2)), "held": sojourn(dead=fixed(months))})
    return Known(scenario(table), states)


def fixed_in_a_row(*months: float) -> Known:
    """What happens at one time stays at one time, however its months are declared."""
    return Known(
        scenario(in_a_row(*map(fixed, months))),
        alive=lambda t: {"all": 1.0 - passed(t, sum(months))},
        error=1e-9, months=np.array([sum(months) - 0.06, 6.0]), horizon=24.0,
    )  # fmt: skip


def courses(length: float) -> Known:
    """Courses of one length, of each of which one patient in ten dies at the end.

    The damped transform comes round by 1e-8, and rounds as much, at the end of the lattice.
    """
    ends = exit_to("course", fixed(length), probability=0.9), exit_to("dead", fixed(length), probability=0.1)
    return Known(
        scenario(world("course", {"course": sojourn(*ends)})),
        alive=lambda months: {"all": 0.9 ** np.floor(months / length + 1e-9)}, error=3e-8, horizon=24.0,
    )  # fmt: skip


BY_DESTINATION = sojourn(
    exit_to("a", times.gamma(shape=2.5, mean=6), probability=0.3),
    exit_to("b", loglogistic(shape=2, median=9), probability=0.5),
    exit_to("b", fixed(20), name="later", probability="rest"),
)
COURSE_AND_PAUSE = {
    "course": sojourn(exit_to("pause", fixed(0.92), probability=0.9), exit_to("dead", fixed(0.92), probability=0.1)),
    "pause": sojourn(course=fixed(0.3)),
}
SEXES = {"sex": {"female": 3, "male": 1}}
BY_SEX = two_state(exponential(mean=by("sex", female=20, male=5)), attributes=SEXES)
OF_NO_SEX = two_state(weibull(shape=1.4, scale=9), attributes=SEXES)


def at_once(months: Floats) -> dict[tuple[str, str], Floats]:
    """A decision at the end of a sojourn is the event, not the sojourn that follows at the same instant."""
    gone = 1.0 - np.exp(-0.2 * months)
    return {("event", "decided"): 0.7 * gone, ("event", "waits"): 0.3 * gone, ("other", "nobody"): 0.0 * months}


CHOICES_AS_EVENTS = world(
    "home",
    {
        "home": {"kind": "sojourn", "transitions": [exit_to("sorted", exponential(rate=0.2))]},
        "sorted": chance(decided=0.7, ward=0.3, closed=0.0),
        "decided": chance(ward=1.0),
        "ward": sojourn(home=exponential(rate=0.4), dead=exponential(rate=0.1)),
        "closed": sojourn(dead=exponential(rate=1.0)),
    },
    end_points={
        "event": {"causes": {"waits": "ward", "decided": "decided"}}, "other": {"causes": {"nobody": "closed"}}
    },
)  # fmt: skip

AGE_GOES_WITH_SEX = two_state(
    exponential(mean=by("sex", female=20, male=5)), attributes={"sex": ["female", "male"], "age": ["young", "old"]},
    case_mix=[{"of": ["age", "sex"], "weights": {"young": {"female": 5, "male": 1}, "old": {"female": 1, "male": 3}}}],
)  # fmt: skip


def alive_by_age(months: Floats, young: float = 0.6) -> States:
    """Age decides nothing: 5 of 6 of the young are women, and 1 of 4 of the old, however many are young."""
    female, male = np.exp(-months / 20), np.exp(-months / 5)
    by_age = {"age=young": (5 * female + male) / 6, "age=old": (female + 3 * male) / 4}
    all_ages = young * by_age["age=young"] + (1 - young) * by_age["age=old"]
    return {"sex=female": female, "sex=male": male, **by_age, "all": all_ages}


WORLDS = {
    "choices as events": Known(scenario(CHOICES_AS_EVENTS), incidence=at_once),
    "competing events": first_events(
        chain(COMPETING, "well"), COMPETING, "well", relapse=("ill",), death_in_remission=("dead",)
    ),
    "illness and death": Known(
        Scenario("shipped", load_pathway("three_state")),
        lambda months: by_expm(ILLNESS_AND_DEATH, "healthy", months),
        sizes={"ever_ill": 0.10 / 0.12 * (1 - np.exp(-0.12 * 120))},
        error=ERROR / 5, months=HALF_MONTHS,
    ),
    "a chain with a chance node": Known(Scenario("shipped", load_pathway("exponential_chain")), exponential_chain),
    **CYCLES,
    **{f"to and fro at {speed}": back_and_forth(speed) for speed in (0.1, 1.0, 10.0)},
    **{f"a ring of {size} at {speed}": ring(size, speed) for size, speed in product((3, 10), (0.5, 20.0))},
    "different stages": Known(
        scenario(in_a_row(*(exponential(rate=rate) for rate in (0.9, 0.4, 0.15)))),
        lambda months: {"dead": hypoexponential(months, 0.9, 0.4, 0.15)},
    ),
    "stages of one kind": Known(
        scenario(in_a_row(*[exponential(mean=5)] * 3)),
        lambda months: {"dead": stats.gamma(3, scale=5).cdf(months)}, error=ERROR / 3,
    ),
    **{f"competing Weibulls of shape {shape}": competing_weibulls(shape) for shape in (0.5, 1.0, 1.7)},
    "risks of different families": Known(
        scenario(world("s", risks(a=lognormal(sigma=0.9, median=8), b=weibull(shape=1.8, scale=12)))),
        lambda months: {
            "a": by_a_risk(lambda t: FIRST.pdf(t) * SECOND.sf(t), months),
            "b": by_a_risk(lambda t: SECOND.pdf(t) * FIRST.sf(t), months),
        },
        error=CLOSED, months=HALF_MONTHS[:61], horizon=30.0,
    ),
    "times by destination": Known(
        scenario(world("s", {"s": BY_DESTINATION, "a": DEATH, "b": DEATH})),
        lambda months: {
            "a": 0.3 * stats.gamma(2.5, scale=6 / 2.5).cdf(months),
            "b": 0.5 * stats.fisk(2, scale=9).cdf(months) + 0.2 * passed(months, 20),
        },
        error=CLOSED,
    ),
    "a share cured of one risk": Known(
        scenario(world("s", risks(a=weibull(shape=1.4, scale=10, cure=CURE), b=exponential(mean=25)))),
        lambda months: {
            "a": by_a_risk(lambda t: (1 - CURE) * UNCURED.pdf(t) * OTHER.sf(t), months),
            "s": (CURE + (1 - CURE) * UNCURED.sf(months)) * OTHER.sf(months),
        },
        lambda months: {"all": (CURE + (1 - CURE) * UNCURED.sf(months)) * OTHER.sf(months)},
        error=CLOSED, months=HALF_MONTHS[:81], horizon=40.0,
    ),
    "a hazard ratio": Known(
        scenario(two_state(lognormal(sigma=1.1, median=9, cure=0.2)), hazard_ratio={"ill.dead": 0.5}),
        alive=lambda months: {"all": np.sqrt(0.2 + 0.8 * FALLEN_ILL.sf(months))}, error=CLOSED,
    ),
    "a hazard ratio that wanes, and another that starts late": by_period(
        {("s", "ill"): 0.1, ("s", "dead"): 0.05, ("ill", "dead"): 0.25}, (3.0, 7.03), ill=(0.2, 0.5, 1), dead=(1, 1, 3)
    ),
    "nobody dies while a treatment lasts": by_period({("s", "dead"): 0.2}, (6.0, 11.97), dead=(1, 0, 2.5)),
    "a hazard ratio by level": Known(
        scenario(
            OF_NO_SEX, hazard_ratio={"ill.dead": by("sex", female=0.5, male=2)},
        ),
        alive=alive_by_sex(lambda t: 0.5 * weibull_hazard(t), lambda t: 2 * weibull_hazard(t)), error=CLOSED,
    ),
    "a hazard ratio by level and by period": Known(
        scenario(
            OF_NO_SEX, hazard_ratio={"ill.dead": {"breaks": [5.01], "ratios": [by("sex", female=0, male=1), 2]}},
        ),
        alive=alive_by_sex(
            lambda t: 2 * np.maximum(weibull_hazard(t) - weibull_hazard(5.01), 0),
            lambda t: weibull_hazard(t) + np.maximum(weibull_hazard(t) - weibull_hazard(5.01), 0),
        ),
        error=CLOSED,
    ),
    "a fixed time is of the period that begins with it": Known(
        scenario(two_state(fixed(5, cure=0.3)), hazard_ratio={"ill.dead": {"breaks": [5, 6], "ratios": [0, 2, 1]}}),
        alive=lambda months: {"all": np.where(passed(months, 5), 0.3**2, 1.0)}, error=CLOSED,
    ),
    "a risk that runs on in the next state": Known(
        scenario(world("first", {
            "first": sojourn(second=fixed(STAY), dead=weibull(**STEEP)),
            "second": sojourn(third=fixed(2.03), dead=weibull(**STEEP, after=STAY)),
            "third": sojourn(dead=weibull(**STEEP, after=STAY + 2.03)),
        })),
        alive=lambda months: {"all": one_clock(months)}, error=CLOSED,
    ),
    "a risk that runs on in the next state, where another begins": Known(
        scenario(world("first", {
            "first": sojourn(second=fixed(STAY), dead=weibull(**STEEP)),
            "second": sojourn(relapsed=exponential(mean=25), dead=weibull(**STEEP, after=STAY)),
            "relapsed": DEATH,
        })),
        one_clock_and_another_risk, months=HALF_MONTHS[:81], horizon=40.0,
    ),
    "constant risks that have run before": chain(ILLNESS_AND_DEATH, "healthy", {
        "healthy": sojourn(ill=exponential(rate=0.10, after=3), dead=exponential(rate=0.02, after=0.5)),
        "ill": sojourn(dead=exponential(mean=5, after=40)),
    }),
    "a hazard ratio of the same periods in both states of a risk": Known(
        scenario(
            world("first", {
                "first": sojourn(second=fixed(1.2), dead=weibull(shape=1.4, scale=9)),
                "second": sojourn(dead=weibull(shape=1.4, scale=9, after=1.2)),
            }),
            hazard_ratio={
                key: {"breaks": [0.52, 5.01], "ratios": [3, 0.5, 2]} for key in ("first.dead", "second.dead")
            },
        ),
        alive=lambda months: {"all": np.exp(-sum(
            (late - early) * np.maximum(weibull_hazard(months) - weibull_hazard(month), 0)
            for month, early, late in ((0.0, 0.0, 3.0), (0.52, 3.0, 0.5), (5.01, 0.5, 2.0))
        ))},
        error=CLOSED,
    ),
    **{f"held for {months} months": held(months) for months in (3.0, 3.14, 0.25)},
    "a fixed time among the risks": Known(
        scenario(world("s", risks(early=weibull(shape=0.7, scale=9), late=fixed(5.03)))),
        lambda months: {
            "early": EARLY.cdf(np.minimum(months, 5.03)), "late": EARLY.sf(5.03) * passed(months, 5.03)
        },
        error=CLOSED,
    ),
    **{f"fixed for {' + '.join(map(str, months))} months": fixed_in_a_row(*months) for months in (
        (1.33, 4.65), (0.04, 5.94), (0.05, 5.9, 0.03), (2.999, 2.999), (1.25, 4.75), (0.05, 5.95), (6.0,),
        (1.0, 2.0, 3.0),
    )},
    "fixed times after a random one": Known(
        scenario(in_a_row(weibull(median=2, shape=1.5), fixed(1.25), fixed(4.75))),
        lambda months: {
            "dead": stats.weibull_min(1.5, scale=2 / np.log(2) ** (1 / 1.5)).cdf(np.maximum(months - 6.0, 0.0))
        },
        horizon=24.0,
    ),
    **{f"courses of {length} months": courses(length) for length in (0.92, 0.46, 0.7, 0.125)},
    "courses with a pause": Known(
        scenario(world("course", COURSE_AND_PAUSE)),
        lambda months: {"dead": 1 - 0.9 ** np.floor((months + 0.3) / 1.22 + 1e-9)},
    ),
    "two levels of an attribute": Known(
        scenario(BY_SEX), alive=alive_by_sex(lambda t: t / 20, lambda t: t / 5),
        sizes={"sex=female": 0.75, "sex=male": 0.25}, error=CLOSED,
    ),
    "attributes that go together": Known(
        scenario(AGE_GOES_WITH_SEX), alive=alive_by_age,
        sizes={"sex=female": 0.6, "sex=male": 0.4, "age=young": 0.6, "age=old": 0.4}, error=CLOSED,
    ),
    "attributes that go together, of whom fewer are young": Known(
        scenario(AGE_GOES_WITH_SEX, population={"age": {"young": 1, "old": 3}}),
        alive=lambda months: alive_by_age(months, young=0.25),
        sizes={"sex=female": 0.25 * 5 / 6 + 0.75 / 4, "age=old": 0.75}, error=CLOSED,
    ),
}  # fmt: skip
