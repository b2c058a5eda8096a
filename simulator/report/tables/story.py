"""The report of `story`: what becomes of the patient, the course, and what the policy changes for 1,000 patients."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.analyses.story import Story
from simulator.experiment.manifest import note
from simulator.outcomes import changed
from simulator.wording import intervals, story
from simulator.wording.headline import scenario_in_words
from simulator.wording.table import Part, Row, Table, columns


def answer(of: Story) -> str:
    """Return the answer in words: how long the patient lives, and how many a policy changes."""
    return " ".join(filter(None, [story.headline(of), story.changes(of)]))


def parts(of: Story) -> Iterator[Part]:
    """Yield the answer, who the patient is, the course, the table of what the policy changes, and the limits."""
    yield answer(of)
    yield " ".join(filter(None, [story.who(of), story.attributes(of)]))
    yield from story.course(of)
    if of.changes is not None:
        yield changes(of)
    yield story.method(of)
    yield note(of.pathway)


def changes(of: Story) -> Table:
    """Return the table of what a policy changes, a column for every share of additional patients who benefit."""
    assert of.changes is not None
    names = list(dict.fromkeys(of.changes["scenario"]))
    by_name = {name: story.rows_of(of, name) for name in names}
    labels = story.fates_in_words(of)
    displayed = [name for name in labels if any(by_name[policy][name]["estimate"] > 0.0 for policy in names)]
    rows = [
        Row(
            labels[name] if name in ("changed", changed.SAME) else f"  {labels[name]}",
            [story.count(by_name[policy][name]) for policy in names],
        )
        for name in displayed
    ]
    draws = int(of.manifest["draws"])
    caption = f"Of {of.changes['unit'].iloc[0].removeprefix('of ')}{intervals.over_draws(draws)}"
    return Table(columns("", *map(scenario_in_words, names)), rows, caption)
