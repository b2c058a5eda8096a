"""Small worlds, each declared in a few lines: its states, and how patients leave them.

`sojourn(ill=exponential(rate=0.1), dead=exponential(mean=8))` is a state that patients leave at the earliest of two
latent times. A world is the content of a pathway's file as a table; `toml` writes it, `load` makes a `Pathway` of it.
A world that one test file needs stands in that file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sojourn_times import AT_ONCE, Table

from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario, load_scenario

A_FEW_SHIPPED = ("pathway:peer_pathway", "pathway:three_state", "wider-salvage@0.5", "dual-target-reinfusion")
"""Policies that cover the kinds of pathways: cycles, no draws, marginal patients."""
DEFAULT_SUITE = {"pathway:b_all_cd19_car_t", *A_FEW_SHIPPED}
"""Shipped policies of the default suite: pathways and scenarios of different kinds, not of other numbers alone, which
are slow.
"""
KINDS = (
    *("baseline", "consolidative-hsct", "dual-target-reinfusion", "hsct-as-milestone", "infused-elsewhere"),
    *("longer-car-t-remission", "wider-salvage@0", "wider-salvage@0.5"),
    *("letter-centre", "infusion-centre", "car-t-slot-a-month", "two-more-beds"),
)
"""Shipped scenarios of every engine, lever and pathway; the others differ from one of them in numbers alone."""

slow = partial(pytest.param, marks=pytest.mark.slow)
"""A parameter of a test that `pytest -m slow` runs: it has a lighter twin in the default suite."""

FOLDER = tempfile.TemporaryDirectory(prefix="worlds")
NUMBERS = count()


def policies_of_the_default_suite(names: Iterable[str], chosen: Container[str] = DEFAULT_SUITE) -> list[Any]:
    """Shipped policies as parameters of a test: the default suite runs some of them, `pytest -m slow` the others."""
    return [name if name in chosen else slow(name) for name in names]


# --- States and exits of a world ---


def exit_to(to: str, time: Table, **more: Any) -> Table:
    """An exit of a sojourn that has a name or a probability."""
    return {"to": to, "time": time, **more}


def sojourn(*exits: Table, holds: str = "", **times: Table) -> Table:
    """A state in which time passes, with latent times by destination."""
    transitions = [*exits, *(exit_to(to, time) for to, time in times.items())]
    return {"kind": "sojourn", **({"holds": holds} if holds else {}), "transitions": transitions}


def choice(kind: str, **shares: Any) -> Table:
    """A state that patients leave at once; a share is a probability, or a table with its eligibility."""
    tables = {to: share if isinstance(share, dict) else {"probability": share} for to, share in shares.items()}
    return {"kind": kind, "branches": [{"to": to, **table} for to, table in tables.items()]}


decision = partial(choice, "decision")
chance = partial(choice, "chance")
DEATH: Table = {"kind": "death"}
END: Table = {"kind": "end"}


def parameter(unit: str, value: float, **more: Any) -> Table:
    return {"unit": unit, "meaning": "made up", "value": value, "source": "assumption", **more}


share = partial(parameter, "probability")
months = partial(parameter, "months")
rate = partial(parameter, "per month")


def practice(reference: object, decision: str, branch: str, otherwise: str, no_benefit: str) -> Table:
    """The share treated today, and where: the table [marginal]."""
    names = {"decision": decision, "branch": branch, "otherwise": otherwise, "no_benefit": no_benefit}
    return {"reference": reference, **names}


def world(start: str, states: dict[str, Table], **tables: Any) -> Table:
    """A pathway's file. If an exit leads to `dead` or `home`, they are a death and an end unless declared.

    `resources` are names, `attributes` have levels, and a group is a state ever entered or a pair (entered, not
    entered); other tables are as in the file.
    """
    goes_to = {exit["to"] for state in states.values() for exit in state.get("transitions", state.get("branches", ()))}
    ends = {name: state for name, state in {"dead": DEATH, "home": END}.items() if name in goes_to - set(states)}
    short_forms = {
        "resources": lambda names: {name: {} for name in names},
        "attributes": lambda levels: {name: {"levels": weights} for name, weights in levels.items()},
        "groups": lambda groups: {name: group(entered) for name, entered in groups.items()},
    }
    more = {key: short_forms[key](table) if key in short_forms else table for key, table in tables.items()}
    return {"title": "made up", "start": start, **more, "states": {**states, **ends}}


def group(entered: str | tuple[str, str]) -> Table:
    return {"entered": entered} if isinstance(entered, str) else {"entered": entered[0], "not_entered": entered[1]}


# --- Worlds that several test files use ---


def two_state(death: Table, **tables: Any) -> Table:
    """Everybody is ill; one law gives the time to death."""
    return world("ill", {"ill": sojourn(dead=death)}, **tables)


def in_a_row(*laws: Table, **tables: Any) -> Table:
    """Patients pass one sojourn after another, `s0`, `s1` and so on, and die."""
    names = [f"s{place}" for place in range(len(laws))]
    onward = zip(names, [*names[1:], "dead"], laws, strict=True)
    return world("s0", {name: sojourn(**{to: time}) for name, to, time in onward}, **tables)


def to_and_fro(outward: Table, back: Table, death: Table, entry: Table | None = None, **tables: Any) -> Table:
    """Patients go from `a` to `b` and back, and may die in `a`."""
    before = {"before": sojourn(a=entry)} if entry else {}
    states = {**before, "a": sojourn(b=outward, dead=death), "b": sojourn(a=back)}
    return world(next(iter(states)), states, **tables)


def ward(
    stay: Table, ready: Table = AT_ONCE, patience: Table | None = None, *, gives_up: str = "dead", then: str = "home",
    states: dict[str, Table] | None = None, **tables: Any,
) -> Table:  # fmt: skip
    """Patients are listed, ask for a bed when they are ready, and hold it for their stay.

    Patients whose patience ends before a bed is free go to `gives_up`; after the bed they go home, or to `then`.
    """
    waits = {gives_up: patience} if patience else {}
    listed = {"listed": sojourn(ward=ready, **waits), "ward": sojourn(**{then: stay}, holds="beds")}
    return world("listed", {**listed, **(states or {})}, **{"resources": ["beds"], **tables})


def two_arms(
    treated: Table, untreated: Table, uptake: Any = "uptake", *, start: str = "relapse",
    states: dict[str, Table] | None = None, **tables: Any,
) -> Table:  # fmt: skip
    """At relapse some patients are treated, the others have supportive care; every arm has its law of death."""
    arms = {
        "relapse": decision(treatment=uptake, supportive_care="rest"),
        "treatment": sojourn(dead=treated),
        "supportive_care": sojourn(dead=untreated),
    }
    groups = {"treated": "treatment", "untreated": "supportive_care"}
    return world(start, {**arms, **(states or {})}, **{"groups": groups, **tables})


# --- Files and pathways of a world ---


def toml(table: Table) -> str:
    """The text of a table: one line for every key, so that other tables may follow."""
    lines = [f"{key} = {inline(value)}" for key, value in table.items() if not isinstance(value, dict)]
    for name, rows in table.items():
        if isinstance(rows, dict):
            lines += [f"[{name}]", *(f"{toml_key(key)} = {inline(value)}" for key, value in rows.items())]
    return "\n".join(lines) + "\n"


def toml_key(key: str) -> str:
    return key if key.isidentifier() else json.dumps(key)


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml_key(key)} = {inline(row)}" for key, row in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)


def write(text: str | Table, name: str = "pathway.toml", draws: str = "") -> Path:
    """Write a world, and its parameter sets next to it, to a new folder that lasts as long as the tests."""
    folder = Path(FOLDER.name) / str(next(NUMBERS))
    folder.mkdir()
    if draws:
        (folder / "draws.csv").write_text(draws, encoding="utf-8")
    (folder / name).write_text(text if isinstance(text, str) else toml(text), encoding="utf-8")
    return folder / name


def load(text: str | Table, draws: str = "") -> Pathway:
    return load_pathway(write(text, draws=draws))


def scenario(text: str | Table, **levers: Any) -> Scenario:
    """A scenario of a world; `levers` are fields of `Scenario`."""
    return Scenario("made up", load(text), **levers)


def longer_remission() -> Scenario:
    """Relapse comes later for the patients of the letter, and their lives are counted from infusion."""
    ratio = {"car_t_remission.relapse": 0.5}
    return replace(load_scenario("baseline"), name="longer-remission", hazard_ratio=ratio, leads_with="infusion")


def policy(text: str | Table, declared: str | Table, draws: str = "") -> Scenario:
    """A scenario of a world, declared in the file `policy.toml`."""
    file = write(text, draws=draws).with_name("policy.toml")
    file.write_text(
        f'pathway = "pathway.toml"\n{declared if isinstance(declared, str) else toml(declared)}', encoding="utf-8"
    )
    return load_scenario(file)


def scenarios_in(folder: Path, text: str | Table) -> Callable[..., Scenario]:
    """Write a world to a folder, and load the scenarios that are declared there: on the world, unless on a base."""
    (folder / "pathway.toml").write_text(text if isinstance(text, str) else toml(text), encoding="utf-8")

    def declare(declared: str, name: str = "policy") -> Scenario:
        head = "" if "base = " in declared else 'pathway = "pathway.toml"\n'
        (folder / f"{name}.toml").write_text(head + declared, encoding="utf-8")
        return load_scenario(folder / f"{name}.toml")

    return declare
