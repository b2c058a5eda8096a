"""Queues in pathways that hypothesis makes up: microsim's queue path and des agree event for event, and books are fair.

Resources are held in sojourns that are entered from competing sojourns, two of them at most, by one or more states,
with cycles, fixed times (ties), cured fractions, attributes, choices on the way, a clock that starts later, patients
who come together, over the calendar or on a grid of half months, and sometimes a policy with marginal patients.
Where microsim says that it cannot, it must refuse and name des; des must then keep a fair book alone.
"""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from simulator.engines.des import engine as des
from simulator.engines.exact import embedded
from simulator.engines.microsim import engine as microsim
from simulator.engines.microsim import queueing
from simulator.engines.model import Model, resolve
from simulator.engines.requests import Arrivals, Requests
from simulator.errors import InputError
from simulator.outcomes.event_log import check, table
from simulator.pathway.checks import check as check_pathway
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity, beyond_microsim
from simulator.scenario.scenario import Scenario

Draw = Callable[[st.SearchStrategy], object]
RESOURCES = ("beds", "slots")
MOST_EVENTS = 60
"""A patient, on average: more take des too long."""
TOP = """
title = "made up"
start = "{start}"
[clocks]
main = "{clock}"
[attributes.age]
levels = {{ young = 2, old = 1 }}
[resources.beds]
[resources.slots]
"""
REMISSION = """
[states.remission]
kind = "sojourn"
[[states.remission.transitions]]
to = "decide"
time = {time}
"""
AT_ONCE = 'time = { family = "fixed", months = 0 }\n'
MARGINAL = """
[marginal]
decision = "decide"
branch = "treat"
otherwise = "care"
no_benefit = "{last}"
reference = 0.3
[states.decide]
kind = "decision"
[[states.decide.branches]]
to = "s0"
name = "treat"
probability = "uptake"
[[states.decide.branches]]
to = "care"
probability = "rest"
[states.care]
kind = "sojourn"
[[states.care.transitions]]
to = "dead"
time = {care}
[parameters.uptake]
unit = "probability"
meaning = "share treated"
value = 0.3
source = "assumption"
"""


def by_age(draw: Draw, values: st.SearchStrategy) -> str:
    """A number in the file, for everybody or by age."""
    young, old = draw(values), draw(values)
    return draw(st.sampled_from([f"{young}", f'{{ by = "age", young = {young}, old = {old} }}']))


halves = st.integers(1, 10).map(lambda n: n / 2)
lengths = st.floats(0.5, 8.0).map(lambda x: round(x, 3))


def time(draw: Draw, *, fixed_only: bool) -> str:
    """A sojourn time; fixed ones are half months, so that many coincide."""
    fixed = f'family = "fixed", months = {by_age(draw, halves)}'
    if fixed_only:
        return f"{{ {fixed} }}"
    length = by_age(draw, lengths)
    law = draw(
        st.sampled_from(
            [
                fixed,
                fixed,
                f'family = "exponential", mean = {length}',
                f'family = "weibull", shape = {draw(st.sampled_from([0.7, 1.8]))}, scale = {length}',
                f'family = "lognormal", sigma = 0.8, median = {length}',
                f'family = "piecewise_exponential", breaks = [1, 4], rates = [0.3, {draw(lengths)}, 0.1]',
            ]
        )
    )
    cured = draw(st.sampled_from(["", "", "", f", cure = {by_age(draw, st.sampled_from([0.2, 0.6]))}"]))
    return "{ " + law + cured + " }"


@st.composite
def pathway_texts(draw: Draw) -> str:
    """A pathway file. State i leads to state i + 1 at least, the last to death, so none is out of reach or a trap."""
    n = draw(st.integers(3, 7))
    fixed_only, treats = draw(st.booleans()), draw(st.booleans())
    clock = "decide" if treats else draw(st.sampled_from(["s0", "s0", "s1"]))
    names = [f"s{i}" for i in range(n)]
    kinds = [draw(st.sampled_from([*["competing"] * 5, "told", "chance"])) for _ in names]
    kinds[-1] = "competing"
    ways: dict[str, list[str]] = {}
    for i, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        # A choice goes onward only, so that time passes on every cycle.
        open_to = names[i + 1 :] if kind == "chance" else names
        again = ["decide"] if treats and kind != "chance" else []
        if i == 0 and clock == "s1":
            # Who went round before the clock starts could be followed for ever.
            open_to = ["s1"]
        others = [
            draw(st.sampled_from([*open_to, *again, "dead", "well", "toxic"])) for _ in range(draw(st.integers(0, 2)))
        ]
        ways[name] = [names[i + 1] if i + 1 < n else "dead", *others]
    unfit = {to for name, kind in zip(names, kinds, strict=True) if kind != "competing" for to in ways[name]}
    fit = [name for name, kind in zip(names, kinds, strict=True) if kind != "chance" and name not in {"s0", *unfit}]
    held = {name: draw(st.sampled_from([None, *RESOURCES, *RESOURCES])) for name in fit}
    assume(any(held.values()))
    parts = []
    for name, kind in zip(names, kinds, strict=True):
        parts.append(f'[states.{name}]\nkind = "{"chance" if kind == "chance" else "sojourn"}"\n')
        parts.append(f'holds = "{held[name]}"\n' if held.get(name) else "")
        weights = np.array([draw(st.integers(1, 9)) for _ in ways[name]], dtype=float)
        for j, to in enumerate(ways[name]):
            listed = "branches" if kind == "chance" else "transitions"
            parts.append(f'[[states.{name}.{listed}]]\nto = "{to}"\nname = "w{j}"\n')
            parts.append("" if kind == "competing" else f"probability = {float(weights[j] / weights.sum())!r}\n")
            time_line = "" if kind == "chance" else f"time = {time(draw, fixed_only=fixed_only)}\n"
            # Who waits for a resource may ask for it on coming, as in the shipped pathway.
            asks = held.get(to) and not held.get(name)
            parts.append(AT_ONCE if asks and draw(st.sampled_from([True, False, False])) else time_line)
    text = "".join(parts) + '[states.dead]\nkind = "death"\n'
    text += '[states.toxic]\nkind = "death"\n' if '"toxic"' in text else ""
    text += '[states.well]\nkind = "end"\n' if '"well"' in text else ""
    if not treats:
        return TOP.format(start="s0", clock=clock) + text
    top = TOP.format(start=draw(st.sampled_from(["decide", "remission"])), clock=clock)
    remission = REMISSION.format(time=time(draw, fixed_only=fixed_only)) if '"remission"' in top else ""
    return top + text + remission + MARGINAL.format(last=names[-1], care=time(draw, fixed_only=fixed_only))


@st.composite
def all_arrivals(draw: Draw) -> Arrivals:
    n = draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    origin = {
        "together": np.zeros(n),
        "on the grid": random.integers(-4, 30, n) / 2.0,
        "at odds with it": random.integers(0, 30, n) / 2.0 + 0.1,
        "over years": random.uniform(-3.0, 40.0, n),
    }[draw(st.sampled_from(["together", "on the grid", "at odds with it", "over years"]))]
    under = random.uniform(size=n) < draw(st.sampled_from([1.0, 0.5]))
    return Arrivals(np.arange(n) + draw(st.sampled_from([0, 255, 1_000_000])), origin, under)


few = settings(
    derandomize=True,
    max_examples=9,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
many = settings(few, max_examples=10_000)
anything = (
    pathway_texts(),
    all_arrivals(),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([1.0, 0.5, 0.0]),
    st.sampled_from([30.0, 6.0, 2.5]),
)


def lives_end(model: Model) -> bool:
    """Whether the engines may run it: patients are followed until they can hold and ask for nothing more."""
    try:
        embedded.refuse_endless(model)
    except InputError:
        return False
    return bool(np.all(embedded.events(model) < MOST_EVENTS))


def by_des(model: Model, arrivals: Arrivals, horizon: float, practice: Model) -> tuple[pd.DataFrame, Requests]:
    with pytest.MonkeyPatch.context() as patch:
        # Patients who block one another's units go round until they are no longer followed: 20 s otherwise.
        patch.setattr(des, "MOST_RETURNS", 100)
        block, book = des.simulate(model, Uniforms(1), arrivals, horizon=horizon, before=practice)
    return table([block]), book


def the_law(
    alike: Callable,
    fair: Callable,
    text: str,
    arrivals: Arrivals,
    units: tuple[int, int],
    benefit: float,
    horizon: float,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made_up.toml"
        file.write_text(text, encoding="utf-8")
        pathway = load_pathway(file)
    with contextlib.suppress(InputError):
        # Where additional patients can die of treatment, they do.
        toxic = pathway.marginal and replace(pathway, marginal=replace(pathway.marginal, harm=("toxic",)))
        check_pathway(toxic or pathway)
        pathway = toxic or pathway
    limits = {name: Capacity(((0.0, n),)) for name, n in zip(RESOURCES, units, strict=True)}
    before = Scenario("before", pathway, capacity=limits)
    policy = replace(before, name="policy", marginal_benefit=benefit)
    policy = replace(policy, set={"uptake": 0.8}) if pathway.marginal else policy
    model, practice = resolve(policy), resolve(before)
    assume(all(lives_end(resolved) for resolved in (model, practice)))
    if beyond_microsim(pathway, limits) is None:
        free = replace(policy, capacity={name: Capacity(((0.0, 10_000),)) for name in RESOURCES})
        everybody = replace(arrivals, under_policy=np.ones(arrivals.patients.size, dtype=bool))
        try:
            events, book = alike(model, arrivals, horizon=horizon, before=practice)
            unlimited, _ = alike(resolve(free), everybody, horizon=horizon)
        except queueing.TooManyWaits:
            # `auto` leaves it to des, if not beforehand then now.
            events, book = by_des(model, arrivals, horizon, practice)
        else:
            numbers = range(int(arrivals.patients[0]), int(arrivals.patients[-1]) + 1)
            by_microsim = table(microsim.simulate(model, Uniforms(1), numbers, horizon=horizon))
            pd.testing.assert_frame_equal(unlimited, by_microsim, rtol=0.0, atol=1e-9)
    else:
        with pytest.raises(InputError, match="allowed: --engine des"):
            queueing.simulate(model, Uniforms(1), arrivals, horizon=horizon)
        events, book = by_des(model, arrivals, horizon, practice)
    check(events, pathway)
    for place, unit in enumerate(units):
        fair(book.of(place), unit, book)


@given(*anything)
@few
def test_queues_of_made_up_pathways_agree_event_for_event(
    alike: Callable,
    fair: Callable,
    text: str,
    arrivals: Arrivals,
    units: tuple[int, int],
    benefit: float,
    horizon: float,
) -> None:
    the_law(alike, fair, text, arrivals, units, benefit, horizon)


@pytest.mark.slow
@given(*anything)
@many
def test_thousands_of_made_up_queues_agree_event_for_event(
    alike: Callable,
    fair: Callable,
    text: str,
    arrivals: Arrivals,
    units: tuple[int, int],
    benefit: float,
    horizon: float,
) -> None:
    the_law(alike, fair, text, arrivals, units, benefit, horizon)
