"""A simulated patient's story is that of the histories, and what a policy changes is counted by hand."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from math import exp, log
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential, fixed
from worlds import load, slow, sojourn, two_state, ward, world

from simulator import compare, load_scenario, story
from simulator.analyses.story import FIRST_CHANGED, MEDIAN, NONE_CHANGED, Story
from simulator.errors import InputError
from simulator.outcomes import changed
from simulator.randomness import uniform
from simulator.report.tables.story import parts
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario
from simulator.wording import story as words

Histories = dict[tuple[str, int], pd.DataFrame]
MEAN = 10.0
SMALL: dict[str, Any] = {"draws": 1, "patients": 150}


def dies(mean: float = MEAN, name: str = "now", **levers: Any) -> Scenario:
    """Everybody is ill, and dies at an exponential time."""
    rate = {"unit": "per month", "meaning": "made up", "value": 1 / mean, "source": "assumption"}
    return Scenario(name, load(two_state(exponential(rate="rate"), parameters={"rate": rate})), **levers)


def twice_as_long(base: Scenario) -> Scenario:
    return replace(base, name="better", scale={"rate": 0.5})


@pytest.fixture(scope="module")
def wider() -> Story:
    return story("wider-salvage", versus="baseline", draws=2, patients=40)


@pytest.fixture(scope="module")
def without() -> Story:
    return story("no-hsct", versus="baseline", **SMALL)


@pytest.fixture(scope="module")
def histories() -> Histories:
    """The events of every patient of a run of the same scenarios."""
    run = compare("baseline", "no-hsct", engine="microsim", histories=True, horizon=120.0, **SMALL).events()
    return dict(iter(run.groupby(["scenario", "patient"])))


def text_of(of: Story) -> str:
    return "\n".join(part for part in parts(of) if isinstance(part, str))


def test_the_story_is_what_the_patients_random_numbers_give() -> None:
    month = -log(uniform(3, 1, 0, 7, "ill/dead")) * MEAN
    of = story(dies(), patient=7, seed=3)
    assert of.events["month"].tolist() == pytest.approx([0.0, month])
    assert f"Simulated patient 7 dies {month:.1f} months after start under now." in of.answer
    assert f"the history begins with ill. {month:.1f} months later, dead." in text_of(of)


def test_a_story_says_that_nobody_lived_it(wider: Story) -> None:
    assert "a computer made this history, and it is not a real person's" in text_of(wider)
    assert "not for individual ones" in text_of(wider)
    assert "n = 37" in text_of(wider)


def test_the_patient_is_the_same_as_in_a_run_with_histories(without: Story, histories: Histories) -> None:
    columns = ["scenario", "event", "month", "state", "cd19", "prior_hsct", "disease_before_infusion", "site"]
    of_patient = pd.concat([histories[scenario.name, without.patient][columns] for scenario in without.scenarios])
    pd.testing.assert_frame_equal(without.events[columns], of_patient.reset_index(drop=True))


def test_without_a_number_the_first_patient_is_shown_whose_history_differs(
    without: Story, histories: Histories
) -> None:
    fates = [fate_by_hand(histories["baseline", n], histories["no-hsct", n], 12.0) for n in range(150)]
    differs = [n for n, fate in enumerate(fates) if fate != changed.SAME]
    assert (without.patient, without.rule) == (differs[0], FIRST_CHANGED)


def test_without_a_number_and_another_scenario_the_median_survivor_is_shown() -> None:
    of = story(dies(), patients=101, seed=4)
    months = [-log(uniform(4, 1, 0, patient, "ill/dead")) * MEAN for patient in range(101)]
    assert of.rule == MEDIAN
    assert of.events["month"].iloc[-1] == pytest.approx(np.median(months))
    assert "this patient has the median survival" in text_of(of)


def fate_by_hand(one: pd.DataFrame, other: pd.DataFrame, month: float) -> str:
    """What becomes of a patient, read from two short tables of events."""
    if list(zip(one["state"], one["month"], strict=True)) == list(zip(other["state"], other["month"], strict=True)):
        return changed.SAME
    lived = []
    for events in (one, other):
        start = next(month for month, state in zip(events["month"], events["state"], strict=True) if state == "relapse")
        died = events["state"].iloc[-1].startswith("death")
        lived.append(events["month"].iloc[-1] - start if died else np.inf)
    before, after = lived
    if (before > month) != (after > month):
        return changed.ALIVE_ONLY_UNDER_POLICY if after > month else changed.ALIVE_ONLY_UNDER_BASE
    before, after = min(before, month), min(after, month)
    return changed.AS_LONG if abs(after - before) < 1e-9 else changed.LATER if after > before else changed.EARLIER


def test_counts_of_1000_patients_are_those_of_the_histories(without: Story, histories: Histories) -> None:
    fates = [fate_by_hand(histories["baseline", n], histories["no-hsct", n], 12.0) for n in range(150)]
    assert without.changes is not None
    counts = without.changes.set_index("outcome")["estimate"]
    for name in (changed.SAME, *changed.FATES):
        assert counts[name] == pytest.approx(1000 * fates.count(name) / 150), name
    assert counts["changed"] == pytest.approx(1000 - counts[changed.SAME])
    assert len(set(fates)) > 4, "a policy that helps some and harms others"


def test_who_lives_longer_agrees_with_the_closed_form() -> None:
    """All live twice as long: the policy changes everybody, and between both curves are those alive only under it."""
    base = dies()
    of = story(twice_as_long(base), versus=base, patients=5_000)
    assert of.changes is not None
    counts = of.changes.set_index("outcome")["estimate"]
    month = base.pathway.months.answer
    only, before = exp(-month / 20) - exp(-month / 10), exp(-month / 10)
    error = 1000 * np.sqrt(0.25 / 5_000)
    assert counts["changed"] == 1000
    assert counts[changed.ALIVE_ONLY_UNDER_POLICY] == pytest.approx(1000 * only, abs=4 * error)
    assert counts[changed.AS_LONG] == pytest.approx(1000 * before, abs=4 * error)
    assert counts["lives_longer"] == pytest.approx(1000 * (1 - before), abs=4 * error)
    assert counts["lives_shorter"] == 0
    assert re.search(r"lives \d+(\.\d)? months longer under better than under now", words.headline(of))


def test_intervals_are_over_parameter_sets_and_the_cautious_estimate_stands_beside(wider: Story) -> None:
    assert wider.changes is not None
    rows = wider.changes.set_index(["scenario", "outcome"])
    row = rows.loc[("wider-salvage@cohorts", "lives_longer")]
    assert row["lower"] <= row["estimate"] <= row["upper"]
    assert [one.name for one in wider.other_benefits] == ["wider-salvage@cohorts"]
    cautious = rows.loc[("wider-salvage@cohorts", "lives_longer"), "estimate"]
    assert cautious < rows.loc[("wider-salvage", "lives_longer"), "estimate"]
    assert "If the additional patients (treated only under it) benefit as other cohorts suggest" in wider.answer


def test_a_policy_that_changes_nothing_is_said_to() -> None:
    base = dies()
    of = story(replace(base, name="again"), versus=base, patients=20)
    assert of.rule == NONE_CHANGED
    assert f"Simulated patient {of.patient} has the same history under now and again." in of.answer
    assert "again changes the history of nobody." in of.answer
    assert "Under now and again: the history begins with ill." in text_of(of)
    assert "No history differs between the scenarios" in text_of(of)


def test_what_histories_share_is_written_once_and_they_part_where_the_policy_acts(wider: Story) -> None:
    shared, under_base, under_policy = words.course(wider)
    assert shared.startswith("Under baseline and wider-salvage: the history begins with remission after CAR-T.")
    assert shared.endswith(" later, relapse.")
    assert under_base.startswith("Under baseline: then supportive care. ")
    assert under_policy.startswith("Under wider-salvage: then salvage choice, then ")


def test_case_mixes_give_the_same_patient_other_attributes() -> None:
    mix = {"young": 1.0, "old": 1.0}
    of_age = exponential(mean={"by": "age", "young": 20.0, "old": 5.0})
    base = Scenario("now", load(two_state(of_age, attributes={"age": mix})))
    of = story(replace(base, name="older", population={"age": {"young": 0.0, "old": 1.0}}), versus=base, patients=50)
    assert words.attributes(of) == "Attributes under now: age: young. Attributes under older: age: old."


@pytest.fixture
def beds() -> Callable[[int], Scenario]:
    """Four patients ask for a bed at once, stay for a month, and give up after 50 months."""
    pathway = load(ward(fixed(1.0), ready=fixed(2.0), patience=fixed(52.0)))

    def with_beds(count: int) -> Scenario:
        return Scenario(f"{count}-beds", pathway, capacity={"beds": Capacity(((0.0, count),))})

    return with_beds


@pytest.mark.parametrize("engine", ["microsim", slow("des")])
def test_a_wait_for_a_bed_is_part_of_the_story_whatever_the_engine(
    beds: Callable[[int], Scenario], engine: str
) -> None:
    of = story(beds(2), versus=beds(1), patient=3, patients=4, engine=engine)
    assert words.course(of) == [
        "Under 1-beds and 2-beds: the history begins with listed. 2 months later, a wait for beds begins.",
        "Under 1-beds: 3 months later, the wait for beds ends, then ward. 30 days later, home. There the pathway ends.",
        "Under 2-beds: 30 days later, the wait for beds ends, then ward. 30 days later, home. There the pathway ends.",
    ]
    assert (of.waits["granted"] - of.waits["requested"]).tolist() == pytest.approx([3.0, 1.0])


def test_who_gives_up_waits_without_a_bed(beds: Callable[[int], Scenario]) -> None:
    (course,) = words.course(story(beds(0), patient=0, patients=1))
    assert "a wait for beds begins. 50 months later, the wait for beds ends without one, then dead." in course


def test_a_patient_who_never_starts_the_clock_has_a_story_from_entry() -> None:
    """Half of the patients die before they fall ill, the clock's start; a policy changes when."""
    states = {"well": sojourn(ill=exponential(mean=5), dead=exponential(mean=5)), "ill": sojourn(dead=fixed(3.0))}
    base = Scenario("now", load(world("well", states, clocks={"illness": "ill"})))
    of = story(replace(base, name="later", hazard_ratio={"well.ill": 0.2}), versus=base, patients=200)
    assert of.changes is not None
    counts = of.changes.set_index("outcome")["estimate"]
    assert counts[changed.OFF_CLOCK] > 200
    never = next(n for n in range(200) if "ill" not in story(base, patient=n, patients=200).events["state"].tolist())
    assert re.search(rf"Simulated patient {never} dies .* after entry under now", story(base, patient=never).answer)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a number that nobody has": ({"patient": 400}, "--patient: no such patient; got 400; allowed: 0 to 149"),
    "a negative number": ({"patient": -1}, "no such patient; got -1"),
    "an engine without patients": ({"engine": "exact"}, "--engine: the exact engine has no histories; allowed: .*des"),
    "another pathway": ({"versus": "infused"}, "different pathways cannot be compared.*got 'b_all_post_cd19'"),
    "itself": ({"versus": "wider-salvage"}, "two scenarios have one name"),
    "a short horizon": ({"horizon": 6.0}, "--horizon: the horizon ends before lives are compared at 12 months"),
    "more sets than there are": ({"draws": 10**6}, "--draws: too many draws"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_followed_is_refused_in_one_message(case: str) -> None:
    options, message = BAD[case]
    with pytest.raises(InputError, match=message):
        story("wider-salvage", **{**SMALL, **options})


def test_patients_of_a_centre_are_those_who_are_counted(beds: Callable[[int], Scenario]) -> None:
    years = Service(years=2.0, warm_up_years=1.0, arrivals_per_year=12.0)
    of = story(replace(beds(3), service=years), replications=1)
    assert f"one of {of.patients} who are simulated with the first parameter set and arrive in the counted years" in (
        text_of(of)
    )
    with pytest.raises(InputError, match="those who arrive in the counted years"):
        story(replace(beds(3), service=years), replications=1, patient=0)


@pytest.mark.slow
def test_a_story_is_printed_in_a_line_and_plotted(wider: Story) -> None:
    assert repr(wider) == f"Story of simulated patient {wider.patient} under baseline and wider-salvage"
    assert wider.plot().get_figwidth() == 10.0
    assert load_scenario("baseline").policy in wider.answer
    assert json.loads(wider.events.to_json())["label"]
