"""The files of a centre: its practice today and the policy to be decided, as TOML with the source of every number."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from simulator.evidence.cohort import load_cohort
from simulator.files.toml import written, written_key
from simulator.plain_text import capital, one_line
from simulator.scenario.answers import NO_LIMIT, POLICY, Answers, centre, treats_more
from simulator.scenario.scenario import Scenario
from simulator.wording import changes
from simulator.wording.questions import Question, mix, that_differ

WIDTH = 100
TABLES = {
    "capacity": "Units that these patients share. A resource without a line has no limit.",
    "set": "Values today that differ from the pathway's.",
    "population": "The mix of patients, in numbers of patients or per cent, one for every level.",
}


def practice(today: Scenario, pathway: str, answers: Answers, asked: Sequence[Question]) -> str:
    """Return the file of today's practice. pathway : as the file names it; asked : the questions, answered or not"""
    arrivals, *others = asked
    service, known = today.service, centre(today.pathway)
    assert service is not None
    lines = [
        *_comment(
            "Practice today at one centre. What follows a # is a comment. To change a default, remove the # before it "
            f"and write your number; then type: aftercart check {today.name}.toml"
        ),
        "",
        f"title = {written(f'{today.name}: practice today')}",
        f"question = {written(f'What happens to {today.pathway.patients}, and how long do they wait?')}",
        f"assumes = {written(_assumed(today))}",
        f"pathway = {written(pathway)}",
        "",
        "[service]",
        *_comment(_about(arrivals, answered=answers.arrivals_per_year is not None)),
        f"arrivals_per_year = {written(12.0 * service.arrivals_a_month)}",
        *_comment(
            "Years from an empty centre, which are not counted, and years that are: "
            f"{f'as in the scenario {known.name}' if known else 'an assumption'}."
        ),
        f"warm_up_years = {written(service.warm_up_years)}",
        f"years = {written(service.years)}",
    ]
    known_keys = {question.key for question in others if question.table == "population"}
    others += [mix(today.pathway, name) for name in that_differ(today.pathway) if name not in known_keys]
    for table, words in TABLES.items():
        of_table = [question for question in others if question.table == table]
        if of_table:
            lines += ["", *_comment(words), f"[{table}]"]
        for question in of_table:
            # A share that rounds to the reference is the default.
            answered = question.key in getattr(today if table == "set" else answers, table)
            lines += [*_comment(_about(question, answered=answered)), _entry(question, today)]
    return "\n".join(lines) + "\n"


def policy(option: Scenario, today: Scenario, answers: Answers, asked: Question) -> str:
    """Return the file of the policy, which changes that of today's practice."""
    changed = "; ".join(changes.of(option, today, load_cohort(today.pathway)))
    more, name = treats_more(option, today), "-".join([today.name, POLICY])
    benefit = "The additional patients benefit as much as today's treated patients. " if more else ""
    lines = [
        *_comment(f"The policy to be decided: what differs from {today.name}.toml. After a change, type: "),
        f"# aftercart check {name}.toml",
        "",
        f"title = {written(f'{today.name}: {changed}')}",
        f"question = {written(f'What would this change: {changed}?')}",
        f"assumes = {written(f'{benefit}{_assumed(option)}')}",
        f"base = {written(f'{today.name}.toml')}",
    ]
    if more:
        lines += _comment(
            "The share of the additional patients, treated only under this policy, who benefit as today's treated "
            "patients do: 1. `aftercart compare` also shows a cautious estimate. To change it, remove the # below."
        )
        lines += ["# marginal_benefit = 0.5"]
    lines += ["", *_comment(f"What is to be decided. {_whose(asked, answered=bool(answers.decision))}")]
    for table in ("set", "capacity"):
        after, before = getattr(option, table), getattr(today, table)
        entries = {key: value for key, value in after.items() if before.get(key) != value}
        lines += [f"[{table}]"] if entries else []
        for key, value in entries.items():
            of = option.pathway.parameters[key] if table == "set" else option.pathway.resources[key]
            number = value if table == "set" else value.units
            lines += [*_comment(capital(of.meaning)), f"{written_key(key)} = {written(number)}"]
    return "\n".join(lines) + "\n"


def answers_file(answers: Answers) -> str:
    """Return the file of answers that makes the same scenarios again."""
    given = {key: value for key, value in answers.model_dump().items() if value not in (None, {})}
    return "".join(f"{key} = {written(value)}\n" for key, value in given.items())


def _comment(text: str) -> list[str]:
    return wrap(
        one_line(text),
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _about(question: Question, *, answered: bool) -> str:
    words = f"{question.about}: {question.meaning}." if question.meaning else question.line
    return f"{words} {_whose(question, answered=answered)}"


def _whose(question: Question, *, answered: bool) -> str:
    """Return whose number it is: the centre's, or the default with its source."""
    default = f"{question.displayed} ({question.source})"
    if not answered:
        return f"The default: {default}."
    return f"Your answer; the default is {default}." if question.displayed else "Your answer."


def _entry(question: Question, today: Scenario) -> str:
    """Return the line of a key; a comment where the pathway's own value applies, or no limit."""
    key, declared = written_key(question.key), getattr(today, question.table)
    if question.table == "capacity":
        limit = today.capacity.get(question.key)
        return f"{key} = {limit.units}" if limit else f"# {key} = 1  # now: {NO_LIMIT}"
    if question.key in declared:
        return f"{key} = {written(declared[question.key])}"
    default = question.default
    return f"# {key} = {written(float(f'{default:.3g}') if isinstance(default, float) else default)}"


def _assumed(today: Scenario) -> str:
    units = " Units serve these patients only." if today.capacity else ""
    return f"{capital(today.pathway.patients)} come at random at a constant rate.{units}"
