"""A simulated patient's story in words, made of the pathway's labels; and what a policy changes for 1,000 patients."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.analyses.story import FIRST_CHANGED, GIVEN, MEDIAN, NONE_CHANGED, PER, Story
from simulator.engines.trajectories import MOMENT
from simulator.experiment.events import attribute_columns
from simulator.outcomes import changed
from simulator.pathway.outcome_months import in_words
from simulator.plain_text import capital, listed
from simulator.scenario.arrivals import DAYS_A_MONTH
from simulator.scenario.scenario import Scenario
from simulator.wording import intervals, rounding
from simulator.wording.headline import benefit_assumption
from simulator.wording.intervals import Row

if TYPE_CHECKING:
    import pandas as pd

NOT_REAL = "a computer made this history, and it is not a real person's"
SHORT = 2.0
"""Months below which a time is in days."""

Moment = tuple[float, list[str]]
"""A month, and what happens at it, in order."""


def duration(months: float) -> str:
    """Return "8.1 months", "12 days", or "less than a day"."""
    if months >= SHORT:
        return f"{rounding.number(months, 'months').removesuffix('.0')} months"
    days = round(months * DAYS_A_MONTH)
    return f"{days} day{'s' * (days != 1)}" if days else "less than a day"


def name(story: Story) -> str:
    return f"Simulated patient {story.patient}"


def headline(story: Story) -> str:
    """Return how long the patient lives, or how much longer under the policy, in a sentence."""
    ends = [_end(story, scenario) for scenario in story.scenarios]
    if len(ends) == 1:
        (lived, died, after), (scenario,) = ends[0], story.scenarios
        when = f"dies {duration(lived)} after {after}" if died else f"is alive {duration(lived)} after {after}"
        return f"{name(story)} {when} under {scenario.name}."
    base, policy = story.scenarios
    if is_same(story):
        return f"{name(story)} has the same history under {base.name} and {policy.name}."
    return f"{name(story)} {_longer(ends[0], ends[1], base.name, policy.name)}."


def _end(story: Story, scenario: Scenario) -> tuple[float, bool, str]:
    """Return the months lived, whether to death, and from when they count: the clock, or entry if it never starts."""
    events, pathway = story.of(scenario), story.pathway
    start, after = 0.0, "entry"
    starts = events.loc[events["state"] == pathway.clocks[story.clock], "month"]
    if len(starts) and all(pathway.clocks[story.clock] in set(story.of(one)["state"]) for one in story.scenarios):
        start, after = float(starts.min()), story.clock
    last = events.iloc[-1]
    if last["state"] in pathway.deaths:
        return float(last["month"]) - start, True, after
    return _followed(story, events) - start, False, after


def _followed(story: Story, events: pd.DataFrame) -> float:
    """Return the month from entry to which a patient who does not die is followed: the horizon after the clock."""
    starts = events.loc[events["state"] == story.pathway.clock_state, "month"]
    return float(starts.min() if len(starts) else 0.0) + float(story.manifest["horizon"])


def _longer(before: tuple[float, bool, str], after: tuple[float, bool, str], base: str, policy: str) -> str:
    """Return what the patient's life gains or loses, as the end of a sentence."""
    (lived, died, clock), (lived_after, died_after, _) = before, after
    more = lived_after - lived
    if not died and not died_after:
        return f"is alive {duration(lived)} after {clock} under {base} and {policy}, with different histories"
    if died and died_after and abs(more) <= MOMENT:
        return f"dies {duration(lived)} after {clock} under {base} and {policy}, with different histories"
    # Of one who is still alive at the end it is known only that the life is so much longer.
    least = "" if died and died_after else "at least "
    words = (
        f"lives {least}{duration(abs(more))} {'longer' if more > 0 else 'less long'} under {policy} than under {base}"
    )
    ends = [f"{duration(lived)}{'' if died else ' or more'}" for lived, died, _ in (after, before)]
    return f"{words}: {ends[0]} after {clock} instead of {ends[1]}"


def is_same(story: Story) -> bool:
    """Return whether the patient's history is the same under both scenarios."""
    one, other = (story.of(scenario).drop(columns="scenario") for scenario in story.scenarios)
    return not changed.differ(one, other).any()


def who(story: Story) -> str:
    """Return who the patient is, why this one, and that it is nobody."""
    arrive = " and arrive in the counted years" if any(one.service for one in story.scenarios) else ""
    chosen = {
        GIVEN: "",
        MEDIAN: " Among them, this patient has the median survival.",
        FIRST_CHANGED: f" It is the first whose history differs under {story.scenarios[-1].name}.",
        NONE_CHANGED: " No history differs between the scenarios; this patient has the median survival.",
    }[story.rule]
    return (
        f"{name(story)} is one of {story.patients:,} who are simulated with the first parameter set{arrive}: "
        f"{NOT_REAL}.{chosen}"
    )


def attributes(story: Story) -> str:
    """Return the patient's attributes in a sentence; under both scenarios where they differ; "" without any."""
    by_scenario = {scenario.name: "; ".join(_levels(story, scenario)) for scenario in story.scenarios}
    if not any(by_scenario.values()):
        return ""
    if len(set(by_scenario.values())) == 1:
        return f"Attributes: {next(iter(by_scenario.values()))}."
    return " ".join(f"Attributes under {scenario}: {levels}." for scenario, levels in by_scenario.items())


def _levels(story: Story, scenario: Scenario) -> Iterator[str]:
    """Yield the labels of the patient's levels, after the attribute's name where a label has no word of it."""
    first = story.of(scenario).iloc[0]
    for attribute, column in attribute_columns(story.pathway).items():
        label = story.pathway.attributes[attribute].labels[first[column]]
        words = attribute.replace("_", " ")
        yield label if any(word.lower() in label.lower() for word in words.split()) else f"{words}: {label}"


def course(story: Story) -> list[str]:
    """Return the patient's history, a paragraph what scenarios share and one for what they do not."""
    courses = [_moments(story, scenario) for scenario in story.scenarios]
    names = [scenario.name for scenario in story.scenarios]
    if len(courses) == 1 or is_same(story):
        under = listed([f"Under {names[0]}", *names[1:]])
        return [f"{under}: {_sentences(courses[0], None)} {_outlook(story, story.scenarios[0])}"]
    shared = _shared(*courses)
    before = shared[-1][0] if shared else None
    paragraphs = [f"Under {listed(names)}: {_sentences(shared, None)}"] if shared else []
    for scenario, moments in zip(story.scenarios, courses, strict=True):
        parting = _without(moments, shared)
        outlook = _outlook(story, scenario)
        rest = f"{_sentences(parting, before)} {outlook}" if parting else f"{outlook[:1].lower()}{outlook[1:]}"
        paragraphs.append(f"Under {scenario.name}: {rest}")
    return paragraphs


def _moments(story: Story, scenario: Scenario) -> list[Moment]:
    """Return what happens to the patient, month by month; waits begin and end among the states that are entered."""
    events, labels = story.of(scenario), {state.name: state.label for state in story.pathway.states.values()}
    happened = [(float(event["month"]), 1, labels[event["state"]]) for event in events.to_dict("records")]
    waits = story.waits[story.waits["scenario"] == scenario.name]
    for wait in waits.to_dict("records"):
        resource = story.pathway.resources[wait["resource"]].labelled(2)
        ends = min(end for end in (wait["granted"], wait["reneged"], math.inf) if not math.isnan(end))
        if ends - wait["requested"] > MOMENT and wait["requested"] <= _followed(story, events):
            happened.append((wait["requested"], 2, f"a wait for {resource} begins"))
            if math.isfinite(ends) and ends <= _followed(story, events):
                without = "" if ends == wait["granted"] else " without one"
                happened.append((ends, 0, f"the wait for {resource} ends{without}"))
    happened.sort(key=lambda one: one[:2])
    moments: list[Moment] = []
    for month, _, words in happened:
        if moments and month - moments[-1][0] <= MOMENT:
            moments[-1][1].append(words)
        else:
            moments.append((month, [words]))
    return moments


def _shared(one: Sequence[Moment], other: Sequence[Moment]) -> list[Moment]:
    """Return the moments that two courses begin with; of the moment in which they part, what they share."""
    shared: list[Moment] = []
    for (month, words), (month_of_other, words_of_other) in zip(one, other, strict=False):
        if abs(month - month_of_other) > MOMENT:
            break
        count = next((k for k, (a, b) in enumerate(zip(words, words_of_other, strict=False)) if a != b), None)
        count = min(len(words), len(words_of_other)) if count is None else count
        if count:
            shared.append((month, words[:count]))
        if count < max(len(words), len(words_of_other)):
            break
    return shared


def _without(moments: Sequence[Moment], shared: Sequence[Moment]) -> list[Moment]:
    """Return the rest of a course after what is shared."""
    if not shared:
        return list(moments)
    place = len(shared) - 1
    month, words = moments[place]
    rest = words[len(shared[-1][1]) :]
    return [*([(month, rest)] if rest else []), *moments[place + 1 :]]


def _sentences(moments: Sequence[Moment], before: float | None) -> str:
    """Return moments in sentences. before : the month of the moment that came before; None at the beginning"""
    sentences = []
    for month, words in moments:
        happens = ", then ".join(words)
        if before is None:
            sentences.append(f"the history begins with {happens}.")
        elif month - before <= MOMENT:
            sentences.append(f"then {happens}.")
        else:
            sentences.append(f"{duration(month - before)} later, {happens}.")
        before = month
    return " ".join([*sentences[:1], *map(capital, sentences[1:])])


def _outlook(story: Story, scenario: Scenario) -> str:
    """Return the last sentence: how long after the clock, or where the patient is at the end of follow-up."""
    events = story.of(scenario)
    state = story.pathway.states[str(events.iloc[-1]["state"])]
    lived, died, after = _end(story, scenario)
    if died:
        return f"This is {duration(lived)} after {after}."
    if state.kind == "end":
        return "There the pathway ends."
    if story.pathway.clock_state not in set(events["state"]):
        return f"Nothing more happens: the patient stays in {state.label}."
    return f"The patient is alive in {state.label} at the end of follow-up, {duration(lived)} after {after}."


# --- What a policy changes for 1,000 patients ---


def fates_in_words(story: Story) -> dict[str, str]:
    """Return the fates of patients in words, for a figure and a table."""
    base, policy = (scenario.name for scenario in story.scenarios)
    month = in_words(story.pathway.months.answer)
    clock = story.pathway.states[story.pathway.clocks[story.clock]].label
    return {
        changed.SAME: "same history",
        "changed": f"history changed by {policy}",
        changed.ALIVE_ONLY_UNDER_POLICY: f"alive at {month} only under {policy}",
        changed.LATER: f"die within {month}, but later under {policy}",
        changed.AS_LONG: f"live as long to {month}",
        changed.EARLIER: f"die within {month}, and sooner under {policy}",
        changed.ALIVE_ONLY_UNDER_BASE: f"alive at {month} only under {base}",
        changed.OFF_CLOCK: f"come to {clock} under one of them only, or under neither",
    }


def rows_of(story: Story, scenario: str) -> dict[str, Row]:
    """Return the rows of the changes under a policy, by outcome."""
    assert story.changes is not None
    rows = story.changes[story.changes["scenario"] == scenario].to_dict("records")
    return {str(row["outcome"]): row for row in rows}


def count(row: Row) -> intervals.Estimate:
    """Return patients of 1,000, with their interval."""
    return intervals.rounded(row["estimate"], row["lower"], row["upper"], "patients")


def changes(story: Story) -> str:
    """Return how many of 1,000 patients the policy changes, and how; "" where nothing is compared."""
    if story.changes is None:
        return ""
    base, policy = story.scenarios
    rows = rows_of(story, policy.name)
    of_all = f"Of {PER:,} {story.pathway.patients}"
    if rows["changed"]["estimate"] == 0.0:
        return f"{of_all}, {policy.name} changes the history of nobody."
    when = in_words(story.pathway.months.answer)
    after = "" if story.clock == story.pathway.clock else f" after {story.clock}"
    kinds = intervals.kinds()

    def of(outcome: str, of_policy: Mapping[str, Row] = rows) -> str:
        estimate = count(of_policy[outcome])
        ends = "" if estimate.ends is None else f" ({next(kinds)}{' to '.join(estimate.ends)})"
        return f"{estimate.value}{ends}"

    sentences = [
        f"{of_all}, {policy.name} changes the history of {of('changed')}.",
        f"By {when}{after}, {of('lives_longer')} of them have lived longer than under {base.name}, "
        f"{of('lives_shorter')} less long, and {of(changed.AS_LONG)} as long.",
        f"At {when}, {of(changed.ALIVE_ONLY_UNDER_POLICY)} are alive only under {policy.name}, and "
        f"{of(changed.ALIVE_ONLY_UNDER_BASE)} only under {base.name}.",
    ]
    for other in story.other_benefits:
        others = rows_of(story, other.name)
        sentences.append(
            f"{benefit_assumption(other)}, {of('lives_longer', others)} have lived longer and "
            f"{of('lives_shorter', others)} less long."
        )
    return " ".join(sentences)


def benefit(story: Story) -> str:
    """Return what the counts assume of additional patients; "" where a policy treats nobody in addition."""
    return f"{benefit_assumption(story.scenarios[-1])}." if story.other_benefits else ""


def method(story: Story) -> str:
    """Return how the histories come about, in sentences."""
    if len(story.scenarios) == 1:
        return "The same number is the same patient under every scenario: --versus compares two."
    draws = int(story.manifest["draws"])
    noise = " and include simulation noise" if any(one.is_limited for one in story.scenarios) else ""
    counts = f"are means over {draws} parameter sets; intervals are over {intervals.sets(draws)}{noise}"
    if draws == 1:
        counts = "are of one parameter set, so they have no intervals"
    return (
        "Both histories have the same random numbers, and differ only where the policy changes something for this "
        f"patient. Counts of {PER:,} patients {counts}."
    )
