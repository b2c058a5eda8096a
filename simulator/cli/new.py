"""`aftercart new`: a centre and a decision, asked for in the terminal or read from a file, as two scenarios."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli import folder, inspect
from simulator.cli.failures import STOPPED
from simulator.cli.options import option
from simulator.errors import AftercartError, InputError
from simulator.plain_text import visible

if TYPE_CHECKING:
    from simulator.pathway.pathway import Pathway
    from simulator.scenario.answers import Answers
    from simulator.scenario.scenario import Scenario
    from simulator.wording.questions import Question

NAME = "The name of the files: NAME.toml is practice today, NAME-policy.toml the policy."
PATHWAY = "A shipped pathway's name (aftercart list), or a TOML file. [default: that of the scenario baseline]"
ANSWERS = "A TOML file with the answers, for scripts. What it leaves out is a default."

WHERE = "answers"
"""Where an answer stands that was typed, in messages."""


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help=NAME)],
    pathway: Annotated[str | None, option("NAME", PATHWAY)] = None,
    answers: Annotated[Path | None, option("FILE", ANSWERS)] = None,
) -> None:
    """Write two scenarios of your centre from a few answers.

    Each question shows its default and where that comes from; an empty answer takes it."""
    from simulator.files import toml, whole
    from simulator.scenario.answers import NOTHING, POLICY, Answers
    from simulator.wording import scenario_files
    from simulator.wording.questions import decision, questions

    today_file = _file(name)
    files = [today_file, today_file.with_name(f"{today_file.stem}-{POLICY}.toml")]
    given = NOTHING if answers is None else toml.load(Answers, answers)
    declared = _pathway(pathway, given, answers)
    asks = answers is None and in_terminal()
    _check_absent(files, declared, asks)
    if answers is None:
        given = _asked(declared, pathway, asks)
    today, policy = _scenarios(given, declared, str(answers or WHERE))
    today, policy = replace(today, name=today_file.stem), replace(policy, name=files[1].stem)
    texts = [
        scenario_files.practice(today, _named(declared, today_file.parent), given, questions(declared, given)),
        scenario_files.policy(policy, today, given, decision(today)),
    ]
    with whole.together(*files) as parts:
        for part, text in zip(parts, texts, strict=True):
            part.write_text(text, encoding="utf-8", newline="\n")
    _print_next(files, (today, policy), "" if answers else scenario_files.answers_file(given))


def in_terminal() -> bool:
    """Return whether a person can be asked again."""
    return sys.stdin.isatty()


def _file(name: str) -> Path:
    """Return the file of today's practice. Raises InputError if there can be none of this name."""
    file = Path(name if name.endswith(".toml") else f"{name}.toml")
    if "@" in file.stem or folder.safe(file.stem) != file.stem:
        allowed = f"a plain name, as {folder.safe(file.stem.replace('@', '-'))}"
        raise InputError("not the name of a scenario's file", where="NAME", got=file.stem, allowed=allowed)
    if not file.parent.is_dir():
        raise InputError("no such folder", where="NAME", got=str(file.parent), allowed="a folder that exists")
    return file


def _pathway(named: str | None, given: Answers, answers: Path | None) -> Pathway:
    from simulator.pathway.format import load_pathway, named_pathway
    from simulator.scenario.scenario import load_scenario

    if named is not None:
        return load_pathway(named)
    if given.pathway is not None and answers is not None:
        return named_pathway(given.pathway, answers)
    return load_scenario("baseline").pathway


def _named(pathway: Pathway, beside: Path) -> str:
    """Return a pathway as a file in a folder names it: a shipped one by its name, another by its file."""
    from simulator.pathway import shipped

    file = pathway.file
    assert file is not None
    if pathway.name in shipped.names() and file.samefile(shipped.path(pathway.name)):
        return pathway.name
    try:
        return Path(os.path.relpath(file, beside)).as_posix()
    except ValueError:
        # On another drive.
        return file.resolve().as_posix()


def _check_absent(files: list[Path], pathway: Pathway, asks: bool) -> None:
    """Refuse to overwrite a file, unless a person at the terminal agrees; the pathway's file is never overwritten."""
    for file in files:
        if not file.exists():
            continue
        if any(file.samefile(of_pathway) for of_pathway in pathway.files):
            raise InputError("this is the pathway's own file", where=str(file), allowed="another NAME")
        if not asks:
            raise InputError("the file exists", where=str(file), allowed="another NAME, or remove the file first")
        with _stopping():
            if not typer.confirm(f"{visible(str(file))} exists. Overwrite it?"):
                raise AftercartError(f"{STOPPED}; nothing was written")


@contextmanager
def _stopping() -> Iterator[None]:
    """Say that nothing was written where the answers end, or Ctrl-C is pressed."""
    try:
        yield
    except typer.Abort:
        raise AftercartError(f"{STOPPED} before the last answer; nothing was written") from None


def _asked(pathway: Pathway, named: str | None, asks: bool) -> Answers:
    """Return what is typed in answer to the questions. asks : again, where an answer cannot be used; or InputError"""
    from simulator.report import terminal
    from simulator.scenario.answers import NOTHING, practice
    from simulator.wording import questions

    _print(*questions.introduction(pathway))
    given = NOTHING.model_copy(update={"pathway": named})
    asked = questions.questions(pathway)
    with _stopping():
        for place, question in enumerate(asked, start=1):
            _print("", f"{place} of {len(asked) + 1}. {question.line}")
            given = _answer(question, given, pathway, asks)
        today = practice(given, pathway, WHERE)
        question = questions.decision(today)
        _print("", f"{len(asked) + 1} of {len(asked) + 1}. {question.line} Today:")
        for line in questions.menu(today):
            typer.echo(fill(line, terminal.console().width, initial_indent="  ", subsequent_indent="      "))
        return _answer(question, given, pathway, asks)


def _print(*lines: str) -> None:
    from simulator.report import terminal

    for line in lines:
        terminal.console().print(line)


def _answer(question: Question, given: Answers, pathway: Pathway, asks: bool) -> Answers:
    """Return the answers with one more, once it can be used."""
    _print(question.help)
    prompt = f"[{question.displayed}]" if question.displayed else ">"
    while True:
        typed = typer.prompt(prompt, default="", show_default=False, prompt_suffix=" ").strip()
        try:
            answers = _with(given, question, typed)
            _scenarios(answers, pathway, WHERE, decided=question.table == "decision")
        except InputError as error:
            if not asks:
                raise
            typer.echo(
                f"{InputError(error.what, got=error.got, allowed=error.allowed, nearest=error.nearest)}", err=True
            )
        else:
            return answers


def _with(given: Answers, question: Question, typed: str) -> Answers:
    from simulator.files import toml
    from simulator.scenario.answers import Answers

    if not typed:
        return given
    value = question.read(typed)
    table = {**getattr(given, question.table), question.key: value} if question.key else value
    tables: dict[str, Any] = {**given.model_dump(exclude_none=True), question.table: table}
    return toml.validate(Answers, tables, Path(WHERE))


def _scenarios(given: Answers, pathway: Pathway, where: str, *, decided: bool = True) -> tuple[Scenario, Scenario]:
    """Return practice today and the policy, checked as by `aftercart check`; without a policy, today's twice."""
    from simulator.evidence.cohort import load_cohort
    from simulator.scenario.answers import policy, practice
    from simulator.wording import changes
    from simulator.wording.questions import decision

    today = practice(given, pathway, where)
    inspect.check_levers(today)
    if not decided:
        return today, today
    answers = given if given.decision else given.model_copy(update={"decision": decision(today).default or {}})
    option = policy(answers, today, where)
    inspect.check_levers(option)
    if not changes.of(option, today, load_cohort(pathway)):
        what, got = "the policy changes nothing", ", ".join(answers.decision)
        raise InputError(what, where=f"{where}: [decision]", got=got, allowed="a value that is not today's")
    return today, option


def _note_of_overload(scenarios: tuple[Scenario, Scenario]) -> str:
    """Return why a run would be refused because its queue grows without limit; empty if it would not."""
    from simulator.evidence.draws import load_informed_draws
    from simulator.experiment import overload

    table = load_informed_draws(scenarios[0].pathway)
    try:
        for scenario in scenarios:
            if scenario.capacity:
                overload.check(scenario, table, overload.FEW, False, None)
    except InputError as error:
        return str(error)
    return ""


def _print_next(files: list[Path], scenarios: tuple[Scenario, Scenario], answers: str) -> None:
    """Print which files there are, which commands come next, and how to repeat the answers."""
    from simulator.analyses import beds

    practice, policy = (shlex.quote(str(file)) for file in files)
    typer.echo(f"\nWritten: {visible(practice)} (practice today) and {visible(policy)} (the policy).")
    note, pathway = _note_of_overload(scenarios), scenarios[0].pathway
    if note:
        typer.echo(f"Note: {note}")
    flag = " --overload" if note else ""
    typer.echo(f"What does the policy change?\n  aftercart compare {visible(practice)} {visible(policy)}{flag}")
    if pathway.resources:
        resource = pathway.resources[beds.named(scenarios[1], None, "")].label
        typer.echo(f"How many {resource} does the policy need?")
        typer.echo(f'  aftercart beds {visible(policy)} --target "wait_over_30_days <= 5%"')
    if answers:
        typer.echo(f"To repeat this without questions, save the lines below as answers.toml:\n\n{answers}")
        typer.echo("  aftercart new NAME --answers answers.toml")
