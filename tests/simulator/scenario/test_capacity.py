"""Limited resources of a scenario: numbers, calendars, offers, priorities, and refusals with their place."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sojourn_times import exponential, fixed
from worlds import policy, scenarios_in, toml, ward

from simulator.errors import InputError
from simulator.scenario.capacity import Capacity, beyond_microsim
from simulator.scenario.scenario import Scenario, load_scenario

MIX = {"urgency": {"urgent": 1, "elective": 3}}
STAY = exponential(mean=2)
WARD = ward(STAY, fixed(1), exponential(mean=10), gives_up="home", resources=["beds", "theatre"], attributes=MIX)
Declare = Callable[..., Scenario]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    return scenarios_in(tmp_path, WARD)


def test_a_number_is_a_constant_number_of_units(declare: Declare) -> None:
    scenario = declare("[capacity]\nbeds = 3\ntheatre = 1.0")
    assert scenario.capacity == {"beds": Capacity(((0.0, 3),)), "theatre": Capacity(((0.0, 1),))}
    assert scenario.capacity["beds"].is_constant
    assert scenario.is_limited
    assert declare("[capacity]\nbeds = { units = 3 }").capacity["beds"] == scenario.capacity["beds"]


def test_a_resource_that_is_not_named_has_no_limit(declare: Declare) -> None:
    assert declare("").capacity == {}
    assert not declare("").is_limited
    assert "theatre" not in declare("[capacity]\nbeds = 3").capacity


def test_a_calendar_gives_the_units_from_each_month_on(declare: Declare) -> None:
    steps = "[{ from_month = 0, units = 2 }, { from_month = 18, units = 0 }, { from_month = 19.5, units = 4 }]"
    beds = declare(f"[capacity.beds]\nunits = {steps}").capacity["beds"]
    assert beds.calendar == ((0.0, 2), (18.0, 0), (19.5, 4))
    assert not beds.is_constant
    assert [beds.at(month) for month in (-3.0, 0.0, 17.9, 18.0, 19.5, 1e6)] == [2, 2, 2, 0, 4, 4]
    assert beds.mean_units(0.0, 18.0) == 2.0
    assert beds.mean_units(18.0, 19.5) == 0.0
    assert beds.mean_units(16.5, 21.0) == pytest.approx((1.5 * 2 + 1.5 * 4) / 4.5)


def test_offers_are_units_at_regular_intervals(declare: Declare) -> None:
    beds = declare("[capacity]\nbeds = { units = 2, offered_every_months = 0.5 }").capacity["beds"]
    assert beds == Capacity(((0.0, 2),), offered_every=0.5)
    assert beds.mean_units(0.0, 12.0) == 4.0


@pytest.mark.parametrize(
    ("priority", "ranks"),
    [
        ('urgency = ["urgent"]', ("urgency", ("urgent",))),
        ('urgency = ["elective", "urgent"]', ("urgency", ("elective", "urgent"))),
        ('state = ["listed"]', ("state", ("listed",))),
    ],
)
def test_a_priority_is_by_an_attribute_or_by_the_state_that_patients_wait_in(
    declare: Declare, priority: str, ranks: tuple[str, tuple[str, ...]]
) -> None:
    assert declare(f"[capacity]\nbeds = {{ units = 1, priority = {{ {priority} }} }}").capacity["beds"].ranks == ranks


def test_an_offer_at_a_step_of_the_calendar_has_the_new_units() -> None:
    """3 x 2.3 is a rounding error less than 6.9."""
    offered = Capacity(((0.0, 1), (6.9, 40)), offered_every=2.3)
    assert 3 * 2.3 < 6.9
    assert offered.offers(0.0, 12.0) == 1 + 1 + 1 + 3 * 40


def test_a_priority_of_the_base_must_fit_the_pathway_of_the_scenario(declare: Declare, tmp_path: Path) -> None:
    declare('[capacity]\nbeds = { units = 1, priority = { urgency = ["urgent"] } }', "today")
    (tmp_path / "other.toml").write_text(toml({**WARD, "attributes": {"haste": {"levels": MIX["urgency"]}}}))
    for capacity in ("", "[capacity]\nbeds = 5"):
        (tmp_path / "moved.toml").write_text(f'base = "today.toml"\npathway = "other.toml"\n{capacity}\n')
        with pytest.raises(InputError, match=r"moved.toml: \[capacity\] beds priority: unknown attribute.*'urgency'"):
            load_scenario(tmp_path / "moved.toml")


def test_keys_of_a_resource_that_are_not_given_are_those_of_the_base(declare: Declare) -> None:
    declare("[capacity]\nbeds = { units = 3, offered_every_months = 1 }\ntheatre = 2", "today")
    more = declare('base = "today.toml"\n[capacity]\nbeds = 5', "more")
    assert more.capacity == {"beds": Capacity(((0.0, 5),), offered_every=1.0), "theatre": Capacity(((0.0, 2),))}
    same = declare('base = "more.toml"\n', "same")
    assert same.capacity == more.capacity


def test_microsim_queues_for_constant_units_only(declare: Declare) -> None:
    def reason_against(beds: str) -> str | None:
        scenario = declare(f"[capacity]\nbeds = {beds}")
        return beyond_microsim(scenario.pathway, scenario.capacity)

    assert reason_against("3") is None
    assert reason_against("{ units = [{ from_month = 0, units = 3 }] }") is None
    later = "{ units = [{ from_month = 0, units = 3 }, { from_month = 9, units = 4 }] }"
    assert reason_against(later) == "[capacity] beds has a calendar"
    assert reason_against("{ units = 1, offered_every_months = 1 }") == "[capacity] beds is offered at intervals"
    assert reason_against('{ units = 1, priority = { state = ["listed"] } }') == "[capacity] beds has a priority"


REFUSED = {
    "no bed": ("beds = 0", r"\[capacity\] beds: not a whole number above zero; got 0.*allowed: 1, 2, 3.*no limit"),
    "fewer than none": ("beds = -2", r"\[capacity\] beds: not a whole number above zero; got -2"),
    "half a bed": ("beds = 2.5", r"\[capacity\] beds: not a whole number above zero; got 2.5"),
    "not a number": ("beds = nan", r"capacity.beds.*got nan"),
    "no end of beds": ("beds = inf", r"capacity.beds.*got inf"),
    "yes": ("beds = true", r"capacity\.beds: not a number of units; got True; allowed: a whole number of units, or"),
    "a calendar without its key": (
        "beds = [{ month = 0, units = 1 }]",
        r"capacity\.beds: a calendar without the key 'units'; got .*; allowed: { units = \[{ from_month = 0, units = 2",
    ),
    "a word": (
        'beds = "three"',
        r"capacity\.beds: not a number of units; got 'three'; allowed: a whole number of units, or a table with units,",
    ),
    "a calendar in a word": (
        'beds = { units = "three" }',
        r"capacity\.beds\.units: not a number of units; got 'three'; allowed: a whole number of units, or a calendar: ",
    ),
    "a calendar of numbers": (
        "beds = { units = [1, 2] }",
        r"capacity\.beds\.units 1: not a table; got 1; allowed: a table with from_month, units$",
    ),
    "a step of yes": (
        "beds = { units = [{ from_month = 0, units = true }] }",
        r"capacity\.beds\.units 1\.units: not a number; got True; allowed: a whole number up to 100,000; 0 closes",
    ),
    "a day in place of a number": ("beds = 2020-01-31", r"capacity\.beds: not a number of units; got '2020-01-31'"),
    "too many beds": (
        "beds = 1000000000",
        r"\[capacity\] beds: too many units; got 1000000000.*allowed: up to 100,000; for no limit, leave the resource",
    ),
    "beds without number": ("beds = 1e300", r"\[capacity\] beds: too many units; got 1e\+300"),
    "too many later": (
        "beds.units = [{ from_month = 0, units = 1 }, { from_month = 9, units = 100_001 }]",
        r"\[capacity\] beds: too many units; got 100001",
    ),
    "unknown resource": ("bed = 3", r"\[capacity\] bed: unknown resource; got 'bed'; .*did you mean 'beds'\?"),
    "unknown key": ("beds = { unit = 3 }", r"unit.*did you mean 'units'\?"),
    "no units": ("beds = { offered_every_months = 1 }", r"capacity.beds.*units"),
    "no calendar": ("beds = { units = [] }", r"beds: the calendar does not start at month 0; got 'nothing'"),
    "a late calendar": (
        "beds = { units = [{ from_month = 3, units = 1 }] }",
        r"\[capacity\] beds: the calendar does not start at month 0; got 3.0; allowed: from_month = 0 first",
    ),
    "a calendar out of order": (
        "beds.units = [{ from_month = 0, units = 1 }, { from_month = 9, units = 2 }, { from_month = 4, units = 1 }]",
        r"\[capacity\] beds: the calendar is out of order; got 'from_month 4 after 9'",
    ),
    "one month twice": (
        "beds = { units = [{ from_month = 0, units = 1 }, { from_month = 0, units = 2 }] }",
        r"the calendar is out of order; got 'from_month 0 after 0'; allowed: every from_month later than the",
    ),
    "half a bed later": (
        "beds = { units = [{ from_month = 0, units = 1 }, { from_month = 4, units = 1.5 }] }",
        r"\[capacity\] beds: not a whole number above zero; got 1.5; allowed: 0, 1, 2",
    ),
    "fewer than none later": (
        "beds = { units = [{ from_month = 0, units = 1 }, { from_month = 4, units = -1 }] }",
        r"\[capacity\] beds: not a whole number above zero; got -1",
    ),
    "never open": (
        "beds = { units = [{ from_month = 0, units = 0 }, { from_month = 4, units = 0 }] }",
        r"\[capacity\] beds: never open; got 0; allowed: a number of units above zero in some month",
    ),
    "a step after the end of time": (
        "beds.units = [{ from_month = 0, units = 1 }, { from_month = 1e300, units = 2 }]",
        r"capacity\.beds\.units 2\.from_month: input should be less than or equal to 12000; got 1e\+300",
    ),
    "offered once in all time": (
        "beds = { units = 1, offered_every_months = 1e300 }",
        r"offered_every_months: input should be less than or equal to 12000; got 1e\+300",
    ),
    "offered all the time": (
        "beds = { units = 1, offered_every_months = 1e-10 }",
        r"capacity\.beds\.offered_every_months: input should be greater than or equal to 0\.01; got 1e-10",
    ),
    "unknown attribute": (
        'beds = { units = 1, priority = { urgence = ["urgent"] } }',
        r"\[capacity\] beds priority: unknown attribute; got 'urgence'.*did you mean 'urgency'\?",
    ),
    "unknown level": (
        'beds = { units = 1, priority = { urgency = ["urgnt"] } }',
        r"\[capacity\] beds priority: unknown level of urgency; got 'urgnt'.*did you mean 'urgent'\?",
    ),
    "unknown state": (
        'beds = { units = 1, priority = { state = ["list"] } }',
        r"\[capacity\] beds priority: unknown state; got 'list'.*did you mean 'listed'\?",
    ),
    "two priorities": (
        'beds = { units = 1, priority = { urgency = ["urgent"], state = ["listed"] } }',
        r"\[capacity\] beds priority: more than one priority; got 'urgency, state'; allowed: one",
    ),
    "no priority": (
        "beds = { units = 1, priority = {} }",
        r"\[capacity\] beds priority: no priority; allowed: one: state, or an attribute",
    ),
    "priority for no level": (
        "beds = { units = 1, priority = { urgency = [] } }",
        r"\[capacity\] beds priority urgency: no patients are given priority; got \[\]; allowed: urgent, elective$",
    ),
    "priority twice": (
        'beds = { units = 1, priority = { urgency = ["urgent", "urgent"] } }',
        r"\[capacity\] beds priority: 'urgent' is listed twice; got \['urgent', 'urgent'\]; allowed: each once",
    ),
    "priority in a state without waiting patients": (
        'beds = { units = 1, priority = { state = ["ward"] } }',
        r"\[capacity\] beds priority: no patients wait for this resource in 'ward'; got 'ward'; allowed: listed$",
    ),
    "priority for a resource without requests": (
        'theatre = { units = 1, priority = { state = ["listed"] } }',
        r"\[capacity\] theatre priority: no patients wait for this resource in 'listed'; got 'listed'$",
    ),
}


@pytest.mark.parametrize(("capacity", "complaint"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_limit_is_refused_with_its_place(declare: Declare, capacity: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refusal:
        declare(f"[capacity]\n{capacity}")
    assert "policy.toml" in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_a_limit_on_a_unit_that_patients_start_with_is_refused() -> None:
    starts_there = {**ward(STAY, fixed(1), exponential(mean=10), gives_up="home", then="listed"), "start": "ward"}
    with pytest.raises(InputError, match=r"\[capacity\] beds: patients start in 'ward', which holds it"):
        policy(starts_there, "[capacity]\nbeds = 1")
    assert policy(starts_there, "").capacity == {}
