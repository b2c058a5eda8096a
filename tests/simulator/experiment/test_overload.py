"""Queues that grow without limit are refused, and no others: against theory, and against brute force.

Brute force: of 3,600 arrivals, those who wait when half have come and when all have. Seeds are fixed.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from known_waits import erlang_a
from worlds import slow

from simulator import run, sweep
from simulator.engines.des import engine
from simulator.engines.exact.uses import Uses
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.experiment.centre import arrivals_of_service
from simulator.experiment.overload import LEAVING, check, growing_in_trial
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario, load_scenario
from simulator.wording import resources

Declare = Callable[..., Scenario]

TOP = 'title = "queues"\nstart = "ask"\n[resources.beds]\n[resources.theatre]\n[states.dead]\nkind = "death"\n'


def state(name: str, *ways: tuple[str, str], holds: str = "") -> str:
    text = f'[states.{name}]\nkind = "sojourn"\n' + (f'holds = "{holds}"\n' if holds else "")
    return text + "".join(f'[[states.{name}.transitions]]\nto = "{to}"\ntime = {{ {time} }}\n' for to, time in ways)


def exponential(mean: float, cure: float = 0.0) -> str:
    return f'family = "exponential", mean = {mean}' + (f", cure = {cure}" if cure else "")


AT_ONCE = 'family = "fixed", months = 0'
LATE = 'family = "fixed", months = 100_000'
NEVER = 'family = "exponential", rate = 0'
HEAVY = 'family = "lognormal", median = 0.5, sigma = 1.5'
YEARS = "arrivals_per_year = {rate}\nyears = 20\nwarm_up_years = 3\n"
TWO_YEARS = "arrivals_per_year = {rate}\nyears = 2\n"


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    def write(pathway: str, capacity: str, rate: float = 36, service: str = YEARS) -> Scenario:
        (tmp_path / "pathway.toml").write_text(TOP + pathway, encoding="utf-8")
        text = f'pathway = "pathway.toml"\n[capacity]\n{capacity}\n[service]\n{service.format(rate=rate)}'
        (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
        return load_scenario(tmp_path / "policy.toml")

    return write


def ward(patience: str = NEVER, stay: str = exponential(1.0), then: str = "dead") -> str:
    return state("ask", ("bed", AT_ONCE), ("dead", patience)) + state("bed", (then, stay), holds="beds")


def grows(scenario: Scenario) -> bool:
    """Whether a queue grows, by brute force, with the units of the end."""
    assert scenario.service is not None
    n = 3_600
    service = replace(scenario.service, warm_up_years=0.0, years=n / scenario.service.arrivals_a_month / 12.0)
    units = {
        name: replace(limit, calendar=((0.0, limit.calendar[-1][1]),)) for name, limit in scenario.capacity.items()
    }
    model = resolve(replace(scenario, service=service, capacity=units))
    intake = arrivals_of_service(model, None, service, 0.0, Uniforms(3))
    _, book = engine.simulate(model, Uniforms(3), intake, horizon=0.0)
    half, whole = (
        np.sum((book.requested <= month) & (book.requested + book.waited > month))
        for month in (service.last / 2, service.last)
    )
    return bool(whole > 0.02 * n and whole > 1.5 * half)


def is_refused(scenario: Scenario) -> bool:
    try:
        check(scenario, None, 1, False, None)
    except InputError as error:
        return "the queue grows without limit" in str(error)
    return False


# --- Leaving the queue keeps it stable ---


def test_where_patients_leave_the_queue_an_overload_runs_and_is_erlang_as(declare: Declare) -> None:
    service = "arrivals_per_year = 36\nyears = 100\nwarm_up_years = 5\n"
    scenario = declare(ward(exponential(2.0)), "beds = 2", service=service)
    lost, *_ = erlang_a(2, 3.0, 2.0)
    in_use = 3.0 * (1.0 - lost)
    assert (round(lost, 3), round(in_use, 3)) == (0.385, 1.846)
    table = run(scenario, horizon=12.0, replications=8).service
    assert table is not None
    rows = table.set_index("outcome")
    for outcome, expected in (("lost_while_waiting", lost), ("in_use", in_use)):
        row = rows.loc[outcome]
        # 4 standard errors of 8 replications of 3,600 arrivals each; the seed is fixed.
        assert row["estimate"] == pytest.approx(expected, abs=4.0 * row["monte_carlo_se"] + 1e-3)


def test_of_patients_whose_patience_is_years_the_share_leaves_that_a_fluid_limit_gives(declare: Declare) -> None:
    """At 150 % of capacity a third must leave, however patient they are: 1 - 1 / load (Whitt 2006)."""
    service = "arrivals_per_year = 36\nyears = 100\nwarm_up_years = 30\n"
    results = run(declare(ward(exponential(60.0)), "beds = 2", service=service), horizon=12.0, replications=8).service
    assert results is not None
    row = results.set_index("outcome").loc["lost_while_waiting"]
    assert erlang_a(2, 3.0, 60.0)[0] == pytest.approx(1 / 3, abs=1e-4)
    # 4 standard errors of 8 replications of 3,600 arrivals each; the seed is fixed.
    assert row["estimate"] == pytest.approx(1 / 3, abs=4.0 * row["monte_carlo_se"])


@pytest.mark.parametrize(("patience", "bounded"), [slow(60.0, True), (6_000.0, False)])
def test_a_large_centre_is_tried_for_as_long_as_a_small_one(patience: float, bounded: bool, declare: Declare) -> None:
    """Its first 3,000 arrivals come within ten months, when queues of either patience still grow."""
    scenario = declare(ward(exponential(patience)), "beds = 200", rate=3_600)
    assert (not growing_in_trial(scenario, {}, {"beds": LEAVING})) == bounded


def test_a_note_says_why_a_queue_stays_bounded_or_that_it_does_not(declare: Declare) -> None:
    def note(patience: str, service: str = YEARS, **settings: object) -> str:
        scenario = declare(ward(patience), "beds = 2", service=service)
        results = run(scenario, horizon=6.0, replications=1, **settings)
        rows = resources.rows_of(results.service, "policy", "beds")
        return resources.stability(rows, results.manifest, scenario, "beds")

    assert re.fullmatch(
        r"Demand is 150 % .* stable, because 3\d\.\d % of patients leave it before they are served\.",
        note(exponential(2.0)),
    )
    assert "150 % of capacity, and the queue grows without limit" in note(NEVER, overload=True)
    assert "250 % of capacity, and the queue grows without limit" in note(LATE, YEARS.format(rate=60), overload=True)
    early = note(exponential(40.0), "arrivals_per_year = 36\nyears = 0.1\n")
    assert "keep the queue bounded, but hardly any leave in the years counted" in early
    assert "because the list of arrivals ends" in note(NEVER, f"arrival_months = {[0] * 60}\nyears = 1\n")
    assert note(exponential(2.0), YEARS.replace("{rate}", "12")) == ""


def test_a_note_says_that_a_queue_is_served_where_beds_are_added_in_the_end(declare: Declare) -> None:
    scenario = declare(*WORLDS["capacity that rises in the end"])
    results = run(scenario, horizon=6.0, replications=1)
    note = resources.stability(resources.rows_of(results.service, "policy", "beds"), results.manifest, scenario, "beds")
    assert re.fullmatch(
        r"Demand is \d+ % of capacity\. The queue is served in the end, when demand is 75 % of capacity\.", note
    )


def test_a_late_patience_in_a_few_parameter_sets_is_noted_and_in_most_is_refused(
    declare: Declare, tmp_path: Path
) -> None:
    """Three arrivals a month and two beds: at stays of a month only leaving could bound the queue."""
    world = (ward(LATE, stay='family = "exponential", mean = "stay"'), "beds = 2", 36)
    scenario = with_stays(declare, tmp_path, [0.4] * 24 + [1.0], world)
    results = run(scenario, horizon=6.0, replications=1)
    rows = resources.rows_of(results.service, "policy", "beds")
    note = resources.stability(rows, results.manifest, scenario, "beds")
    assert "grows without limit in a trial of the parameter set with the highest demand" in note
    with pytest.raises(InputError, match="too few leave in time"):
        run(with_stays(declare, tmp_path, [0.4] * 4 + [1.0] * 21, world), horizon=6.0, replications=1)


def test_a_note_says_that_a_queue_grows_though_demand_is_below_capacity(declare: Declare) -> None:
    scenario = declare(*worse_while_waiting(0.7, 12))
    results = run(scenario, horizon=6.0, replications=1, overload=True)
    rows = resources.rows_of(results.service, "policy", "beds")
    assert "70 % of capacity, and the queue grows" in resources.stability(rows, results.manifest, scenario, "beds")


DRAWN = """
[parameters.stay]
unit = "months"
meaning = "mean stay"
value = 1.0

source = "assumption"
"""


def with_stays(declare: Declare, tmp_path: Path, stays: list[float], world: tuple[str, str, float]) -> Scenario:
    """A scenario of one parameter set a mean stay, which counts two years."""
    (tmp_path / "draws.csv").write_text("stay\n" + "".join(f"{stay}\n" for stay in stays), encoding="utf-8")
    pathway, capacity, rate = world
    declare(pathway + DRAWN, capacity, rate, TWO_YEARS)
    file = tmp_path / "pathway.toml"
    file.write_text(f'draws = "draws.csv"\n{file.read_text(encoding="utf-8")}', encoding="utf-8")
    return load_scenario(tmp_path / "policy.toml")


@pytest.mark.parametrize("last", [0.4, slow(3.0)])
def test_a_parameter_set_in_which_the_queue_grows_is_noted_though_the_first_is_stable(
    last: float, declare: Declare, tmp_path: Path
) -> None:
    """Three arrivals a month and two beds, held 0.4 months in all but the last of 25 parameter sets."""
    stays = [0.4] * 24 + [last]
    scenario = with_stays(
        declare, tmp_path, stays, (ward(stay='family = "exponential", mean = "stay"'), "beds = 2", 36)
    )
    results = run(scenario, horizon=6.0, replications=1)
    note = resources.stability(resources.rows_of(results.service, "policy", "beds"), results.manifest, scenario, "beds")
    assert ("grows without limit in 1 of 25 parameter sets" in note) == (last > 2 / 3)
    assert "parameter sets" not in str(run(scenario, horizon=6.0, replications=1, draws=24).manifest["offered_load"])


@pytest.mark.slow
def test_most_parameter_sets_decide_in_a_trial_and_a_note_names_the_others(declare: Declare, tmp_path: Path) -> None:
    """Loads do not show it where some come first. Half of six a month never leave: a bed suffices for stays of 0.1."""
    pathway, capacity, rate = by_rank("strong")
    world = (pathway.replace("mean = 0.3", 'mean = "stay"'), capacity, rate)
    mostly_stable = with_stays(declare, tmp_path, [0.1] * 4 + [0.45], world)
    results = run(mostly_stable, horizon=6.0, replications=1)
    rows = resources.rows_of(results.service, "policy", "beds")
    note = resources.stability(rows, results.manifest, mostly_stable, "beds")
    assert "grows without limit in a trial of the parameter set with the highest demand" in note
    with pytest.raises(InputError, match="demand exceeds capacity"):
        run(with_stays(declare, tmp_path, [0.1] + [0.45] * 4, world), horizon=6.0, replications=1)


def test_patients_who_block_one_another_are_refused_though_demand_is_below_capacity(declare: Declare) -> None:
    """Three beds before and after surgery, and patients wait in the first for a theatre, and there for a bed again."""
    pathway = state("ask", ("before", exponential(3.0))) + state("before", ("surgery", exponential(2.0)), holds="beds")
    pathway += state("surgery", ("after", exponential(1.0)), holds="theatre")
    pathway += state("after", ("dead", exponential(2.0)), holds="beds")
    with pytest.raises(InputError) as refused:
        run(declare(pathway, "beds = 3\ntheatre = 3", rate=6))
    message = str(refused.value)
    assert "[capacity]: the queue grows without limit" in message
    assert "hold one unit while they wait for another" in message
    assert 50 < float(re.search(r"got \S(\d+) % of 3,000 arrivals", message)[1]) <= 100


FIXED = 'family = "fixed", months = {}'
BLOCKED = (
    state("ask", ("before", FIXED.format(0)))
    + state("before", ("surgery", FIXED.format(2)), holds="beds")
    + state("surgery", ("after", FIXED.format(1)), holds="theatre")
    + state("after", ("dead", FIXED.format(1)), holds="beds")
)


@pytest.mark.parametrize(
    ("pathway", "units", "arrivals", "for_ever", "why"),
    [
        # The first patient needs the bed of the second, who needs the theatre of the first.
        (
            BLOCKED,
            "beds = 1\ntheatre = 1",
            [0, 1],
            {"beds": 1 / 3, "theatre": 1 / 2},
            "in 'before' and 'surgery' hold one unit",
        ),
        # One patient is in bed when the last bed closes, and two come too late.
        (
            ward(stay=FIXED.format(1.5)),
            "[capacity.beds]\nunits = [{ from_month = 0, units = 1 }, { from_month = 1, units = 0 }]",
            [0, 0.5, 2],
            {"beds": 2 / 3},
            "no more units open",
        ),
    ],
    ids=("patients block one another", "the last bed closes"),
)
def test_patients_who_wait_for_ever_are_not_called_lost(
    pathway: str, units: str, arrivals: list[float], for_ever: dict[str, float], why: str, declare: Declare
) -> None:
    scenario = declare(pathway, units, service=f"arrival_months = {arrivals}\nyears = 1\n")
    results = run(scenario, horizon=6.0, replications=1, overload=True)
    sentence = resources.sentence(results.service, [scenario])
    for resource, share in for_ever.items():
        rows = resources.rows_of(results.service, "policy", resource)
        assert rows["waiting_for_ever"]["estimate"] == pytest.approx(share)
        assert rows["lost_while_waiting"]["estimate"] == 0.0
        note = resources.stability(rows, results.manifest, scenario, resource)
        assert re.search(rf"{100 * share:.0f} % of requests wait for ever: .*{why}", note)
        assert "is served in the end" not in note
        assert re.search(rf"0 % are lost (to dead )?while waiting and {100 * share:.0f} % wait for ever", sentence)


def by_rank(first: str) -> tuple[str, str, float]:
    """Half of the patients are weak and may leave the queue, half are strong and never do; `first` come first."""
    leaves = 'family = "exponential", rate = { by = "who", weak = 0.1, strong = 0 }'
    who = "[attributes.who]\nlevels = { weak = 1, strong = 1 }\n"
    return ward(leaves, exponential(0.3)) + who, f'beds = {{ units = 1, priority = {{ who = ["{first}"] }} }}', 72


def worse_while_waiting(stay: float, rate: float) -> tuple[str, str, float]:
    """Patients who wait get worse, after half a month on average, and then stay three months."""
    pathway = state("ask", ("bed", AT_ONCE), ("worse", exponential(0.5)))
    pathway += state("worse", ("long", AT_ONCE), ("dead", NEVER))
    pathway += state("long", ("dead", exponential(3.0)), holds="beds")
    return pathway + state("bed", ("dead", exponential(stay)), holds="beds"), "beds = 1", rate


def in_series(patience: float, stay: float, theatre: float) -> tuple[str, str, float]:
    """Patients leave the queue for a bed, and never the one for the theatre that follows."""
    pathway = state("ask", ("bed", AT_ONCE), ("dead", exponential(patience)))
    pathway += state("bed", ("next", exponential(stay)), holds="beds")
    pathway += state("next", ("theatre", AT_ONCE), ("dead", NEVER))
    return pathway + state("theatre", ("dead", exponential(theatre)), holds="theatre"), "beds = 1\ntheatre = 1", 12


CLOSING = "beds = { units = [{ from_month = 0, units = 9 }, { from_month = 200, units = 0 }] }"

WORLDS = {
    "those who may leave come first, and the others are too many for what is left": by_rank("weak"),
    "those who never leave come first": by_rank("strong"),
    "those who wait get worse and stay long": worse_while_waiting(0.7, 12),
    "those who wait get worse, but all together are served": worse_while_waiting(0.7, 3),
    # M/M/1 + M of load 0.95 and mean patience 0.5 lets 0.6 a month through.
    "a first queue below its capacity whom many leave even so": in_series(0.5, 0.95, 1.2),
    # name: pathway, capacity, arrivals a year
    "nobody leaves": (ward(), "beds = 2", 36),
    "nobody leaves, enough beds": (ward(), "beds = 4", 36),
    "all leave in the end": (ward(exponential(20.0)), "beds = 1", 36),
    "all leave at a fixed time": (ward('family = "fixed", months = 7'), "beds = 1", 36),
    "all leave, but long after anybody looks": (ward(LATE), "beds = 2", 60),
    "all leave, but long after anybody looks, and few arrive": (ward(LATE, exponential(30.0)), "beds = 1", 1.2),
    "all leave after five years on average": (ward(exponential(60.0)), "beds = 2", 36),
    "all leave after five years on average, and few arrive": (
        ward(exponential(60.0), exponential(25.0)),
        "beds = 1",
        1,
    ),
    "beds close in the end, and all leave, but long after anybody looks": (ward(LATE), CLOSING, 36),
    "beds close in the end, and all leave in two months": (ward(exponential(2.0)), CLOSING, 36),
    "all leave at once": (ward(AT_ONCE), "beds = 1", 36),
    "half never leave, who alone are too many": (ward(exponential(0.5, 0.5)), "beds = 1", 36),
    "half never leave, who alone are served": (ward(exponential(0.5, 0.5)), "beds = 2", 36),
    "heavy stays, all leave": (ward(exponential(5.0), HEAVY), "beds = 1", 36),
    "heavy stays, nobody leaves": (ward(stay=HEAVY), "beds = 6", 36),
    "who leaves comes back until served": (
        state("ask", ("bed", AT_ONCE), ("home", exponential(0.5)))
        + state("home", ("ask", exponential(1.0)))
        + state("bed", ("dead", exponential(1.0)), holds="beds"),
        "beds = 2",
        36,
    ),
    "who is served comes back once in two": (
        ward(then="home") + state("home", ("ask", exponential(3.0)), ("dead", exponential(3.0))),
        "beds = 7",
        36,
    ),
    "who is served comes back too often": (
        ward(then="home") + state("home", ("ask", exponential(3.0)), ("dead", exponential(6.0))),
        "beds = 6",
        36,
    ),
    "capacity that falls": (
        ward(),
        "beds = { units = [{ from_month = 0, units = 9 }, { from_month = 900, units = 2 }] }",
        36,
    ),
    "capacity that rises in the end": (
        ward(),
        "beds = { units = [{ from_month = 0, units = 1 }, { from_month = 200, units = 4 }] }",
        36,
    ),
    "offers that suffice": (ward(), "beds = { units = 8, offered_every_months = 2 }", 36),
    "offers that do not": (ward(), "beds = { units = 5, offered_every_months = 2 }", 36),
    "offers that do not, but patients leave": (
        ward(exponential(1.0)),
        "beds = { units = 5, offered_every_months = 2 }",
        36,
    ),
    "a first queue whom many leave spares the second": (
        state("ask", ("bed", AT_ONCE), ("dead", exponential(1.0)))
        + state("bed", ("next", exponential(1.0)), holds="beds")
        + state("next", ("theatre", AT_ONCE), ("dead", NEVER))
        + state("theatre", ("dead", exponential(1.2)), holds="theatre"),
        "beds = 1\ntheatre = 2",
        36,
    ),
    "a first queue that lets too many through": (
        state("ask", ("bed", AT_ONCE), ("dead", exponential(1.0)))
        + state("bed", ("next", exponential(1.0)), holds="beds")
        + state("next", ("theatre", AT_ONCE), ("dead", NEVER))
        + state("theatre", ("dead", exponential(1.6)), holds="theatre"),
        "beds = 2\ntheatre = 2",
        36,
    ),
    # One bed and one theatre of mean 1 each, the bed kept until the theatre is free: at most 1 / 1.5 a month.
    "a bed that is kept until the theatre is free, too often": (
        state("ask", ("bed", AT_ONCE), ("dead", NEVER))
        + state("bed", ("theatre", exponential(1.0)), holds="beds")
        + state("theatre", ("dead", exponential(1.0)), holds="theatre"),
        "beds = 1\ntheatre = 1",
        12 * 0.8,
    ),
    "a bed that is kept until the theatre is free": (
        state("ask", ("bed", AT_ONCE), ("dead", NEVER))
        + state("bed", ("theatre", exponential(1.0)), holds="beds")
        + state("theatre", ("dead", exponential(1.0)), holds="theatre"),
        "beds = 1\ntheatre = 1",
        12 * 0.5,
    ),
    "two who hold what the other waits for": (
        state("ask", ("bed", AT_ONCE), ("dead", NEVER))
        + state("bed", ("theatre", exponential(1.0)), holds="beds")
        + state("theatre", ("again", exponential(1.0)), holds="theatre")
        + state("again", ("dead", exponential(1.0)), holds="beds"),
        "beds = 1\ntheatre = 1",
        12 * 0.3,
    ),
}
UNBOUNDED = {
    "those who may leave come first, and the others are too many for what is left",
    "those who wait get worse and stay long",
    "nobody leaves",
    "all leave, but long after anybody looks",
    "all leave, but long after anybody looks, and few arrive",
    "beds close in the end, and all leave, but long after anybody looks",
    "half never leave, who alone are too many",
    "who leaves comes back until served",
    "who is served comes back too often",
    "capacity that falls",
    "offers that do not",
    "a first queue that lets too many through",
    "a bed that is kept until the theatre is free, too often",
    "two who hold what the other waits for",
}


HAVE_A_TWIN = (
    "those who may leave come first, and the others are too many for what is left",
    "all leave after five years on average, and few arrive",
    "beds close in the end, and all leave, but long after anybody looks",
    "offers that do not, but patients leave",
    "a bed that is kept until the theatre is free, too often",
    "two who hold what the other waits for",
)
"""Worlds that take the longest, next to which another one is decided for the same reason."""


@pytest.mark.representatives(12)
@pytest.mark.parametrize("name", [slow(name) if name in HAVE_A_TWIN else name for name in WORLDS])
def test_a_queue_is_refused_if_and_only_if_it_grows_without_limit(name: str, declare: Declare) -> None:
    scenario = declare(*WORLDS[name])
    assert is_refused(scenario) == (name in UNBOUNDED)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_brute_force_says_which_queues_grow(name: str, declare: Declare) -> None:
    assert grows(declare(*WORLDS[name])) == (name in UNBOUNDED)


def test_a_list_of_arrivals_ends_so_that_its_queue_is_served(declare: Declare) -> None:
    scenario = declare(ward(), "beds = 1", service="arrival_months = [0, 0, 0, 0, 1, 1, 1, 1]\nyears = 1")
    table = run(scenario, horizon=12.0, replications=1).service
    assert table is not None
    assert table.set_index("outcome").loc["lost_while_waiting", "estimate"] == 0.0


def test_a_policy_that_ends_an_overload_runs_and_one_that_brings_it_is_refused(
    declare: Declare, tmp_path: Path
) -> None:
    pathway = ward(stay='family = "exponential", mean = "stay"')
    pathway += '[parameters.stay]\nunit = "months"\nmeaning = "stay"\nvalue = 1\nsource = "assumption"\n'
    declare(pathway, "beds = 2")
    service = "[service]\npolicy_from_month = 60\npolicy_ramp_months = 30\n"
    for stay, refused in {0.5: False, 1.0: True}.items():
        (tmp_path / "later.toml").write_text(f'base = "policy.toml"\n[set]\nstay = {stay}\n{service}')
        assert is_refused(load_scenario(tmp_path / "later.toml")) == refused


def test_the_share_who_never_leave_is_the_demand_where_waits_have_no_end(declare: Declare) -> None:
    uses = Uses(resolve(declare(ward(exponential(0.5, 0.25), exponential(2.0)), "beds = 1")))
    assert uses.months({"beds": np.ones(1)})["beds"].item() == pytest.approx(2.0, rel=1e-5)
    assert uses.months({"beds": np.zeros(1)})["beds"].item() == pytest.approx(0.25 * 2.0, rel=1e-5)


def test_a_mean_stay_without_end_is_refused(declare: Declare) -> None:
    scenario = declare(ward(stay='family = "loglogistic", shape = 0.9, median = 0.01'), "beds = 50", rate=12)
    with pytest.raises(InputError, match="the length of stay has no mean"):
        run(scenario, horizon=6.0)


def test_a_sweep_names_the_cells_whose_queue_grows_in_a_trial_and_runs_those_whose_queue_does_not(
    declare: Declare,
) -> None:
    with pytest.raises(InputError, match=r"in 1 of 2 cells; got 'beds=1 \(\d+ % of 3,000 arrivals in a trial"):
        sweep(declare(*worse_while_waiting(0.7, 12)), {"beds": "1,9"}, horizon=6.0, replications=1)
    stable = sweep(declare(*in_series(0.5, 0.95, 1.2)), {"theatre": "1,2"}, horizon=6.0, replications=1)
    assert len(stable.draws) == 2
