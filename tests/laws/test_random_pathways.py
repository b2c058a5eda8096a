"""Pathways that hypothesis makes up, under the same laws as the shipped ones.

Each has competing and told sojourns of every family, choices with eligibility and attributes, cycles, cure, fixed
times, groups with a window of their own, a clock that may start later, and sometimes a policy with marginal patients.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from simulator.engines.exact import engine
from simulator.engines.exact.accuracy import TooCoarse
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.outcomes.event_log import check
from simulator.pathway.checks import check as check_pathway
from simulator.pathway.end_points import EndPoint
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.randomness import Uniforms
from simulator.scenario.scenario import Scenario

HORIZON = 30.0
PATIENTS = 20_000
FALSE_ALARM = 1e-6
"""Of one pathway; each of its comparisons gets an equal part."""

Draw = Callable[[st.SearchStrategy], object]
LEVELS = {"age": ("young", "old"), "risk": ("low", "high", "unknown")}


def number(draw: Draw, lowest: float, highest: float, digits: int = 3) -> float:
    return round(draw(st.floats(lowest, highest, allow_nan=False)), digits)


def by_attribute(draw: Draw, lowest: float, highest: float) -> str:
    """A number in the file: plain, or chosen by an attribute, or by one attribute within another."""
    kind = draw(st.sampled_from(["plain", "plain", "plain", "by", "nested"]))
    if kind == "plain":
        return f"{number(draw, lowest, highest)}"
    age = {level: f"{number(draw, lowest, highest)}" for level in LEVELS["age"]}
    if kind == "nested":
        risk = ", ".join(f"{level} = {number(draw, lowest, highest)}" for level in LEVELS["risk"])
        age["old"] = f'{{ by = "risk", {risk} }}'
    return '{ by = "age", ' + ", ".join(f"{level} = {value}" for level, value in age.items()) + " }"


def time(draw: Draw, *, quickest: float = 1.0) -> str:
    """A sojourn time of any family, of a typical length from `quickest` to 30 months."""
    length = by_attribute(draw, quickest, 30.0)
    shape = number(draw, 0.7, 2.5)
    law = draw(
        st.sampled_from(
            [
                f'family = "exponential", mean = {length}',
                f'family = "weibull", shape = {shape}, scale = {length}',
                f'family = "gamma", shape = {shape}, mean = {length}',
                f'family = "lognormal", sigma = {number(draw, 0.4, 1.2)}, median = {length}',
                f'family = "loglogistic", shape = {number(draw, 1.0, 3.0)}, median = {length}',
                f'family = "gompertz", shape = {number(draw, -0.1, 0.1)}, rate = {number(draw, 0.02, 0.4)}',
                f'family = "generalised_gamma", mu = {number(draw, 0.5, 3.0)}, sigma = 0.7, q = {number(draw, -1, 1)}',
                f'family = "piecewise_exponential", breaks = [2, 7.5], rates = [0.3, {number(draw, 0.0, 0.4)}, 0.1]',
                # Tenths: the lattice blurs a chain of other fixed times within its cells of a tenth.
                f'family = "fixed", months = {number(draw, 0.5, 12.0, 1)}',
            ]
        )
    )
    cured = draw(st.sampled_from(["", "", f", cure = {by_attribute(draw, 0.0, 0.8)}"]))
    # A fixed time that has run for longer takes none, and a cycle must take some.
    begun = "" if "fixed" in law else draw(st.sampled_from(["", "", f", after = {by_attribute(draw, 0.0, 4.0)}"]))
    return "{ " + law + cured + begun + " }"


def shares(draw: Draw, n: int) -> list[float]:
    weights = np.array([draw(st.integers(1, 9)) for _ in range(n)], dtype=float)
    return (weights / weights.sum()).tolist()


@st.composite
def pathway_texts(draw: Draw) -> str:
    """A pathway file. State i leads to state i + 1 at least, the last to death, so none is out of reach or a trap."""
    n = draw(st.integers(3, 6))
    names = [f"s{i}" for i in range(n)]
    kinds = [draw(st.sampled_from(["competing", "told", "chance", "decision"])) for _ in names]
    kinds[-1] = "competing"
    ends = ["dead", "dead", "well", "toxic"]
    parts = []
    for i, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        first = names[i + 1] if i + 1 < n else "dead"
        # A choice goes onward only, so that time passes on every cycle.
        open_to = names[i + 1 :] if kind in ("chance", "decision") else names
        others = [draw(st.sampled_from([*open_to, *ends])) for _ in range(draw(st.integers(0, 2)))]
        targets = [first, *others]
        parts.append(f'[states.{name}]\nkind = "{kind if kind in ("chance", "decision") else "sojourn"}"\n')
        of = shares(draw, len(targets))
        last_is_rest = draw(st.booleans())
        for j, target in enumerate(targets):
            share = '"rest"' if last_is_rest and j == len(targets) - 1 else f"{of[j]!r}"
            if kind in ("chance", "decision"):
                parts.append(f'[[states.{name}.branches]]\nto = "{target}"\nname = "w{j}"\nprobability = {share}\n')
                if j:
                    gate = draw(st.sampled_from(["", 'age = ["old"]', 'age = ["young", "old"], risk = { high = 0.3 }']))
                    parts.append(f"eligible = {{ {gate} }}\n" if gate else "")
            else:
                parts.append(f'[[states.{name}.transitions]]\nto = "{target}"\nname = "w{j}"\ntime = {time(draw)}\n')
                parts.append(f"probability = {share}\n" if kind == "told" else "")
    parts.append('[states.dead]\nkind = "death"\n')
    text = "".join(parts)
    text += '[states.toxic]\nkind = "death"\n' if '"toxic"' in text else ""
    if '"well"' in text:
        text += '[states.well]\nkind = "end"\n'
    clock = draw(st.sampled_from([names[0], names[0], names[1]]))
    top = f'title = "made up"\nstart = "s0"\ngroup_window = {draw(st.sampled_from([12, 40]))}\n'
    top += f'[clocks]\nmain = "{clock}"\n' + ('entry = "s0"\n' if clock != "s0" else "")
    for attribute, levels in LEVELS.items():
        weights = ", ".join(f"{level} = {draw(st.integers(1, 5))}" for level in levels)
        top += f"[attributes.{attribute}]\nlevels = {{ {weights} }}\n"
    group = draw(st.sampled_from(names))
    top += f'[groups.ever]\nentered = ["{group}", "{names[-1]}"]\n'
    top += f'[groups.never]\nentered = "{clock}"\nnot_entered = "{group}"\n' if group != clock else ""
    top += f'[counts.entries]\nentries = ["{names[-1]}", "{group}"]\n'
    stays = [name for name, kind in zip(names, kinds, strict=True) if kind in ("competing", "told")]
    top += f'[counts.months]\nmonths = "{draw(st.sampled_from(stays))}"\n'
    return top + text


def made(text: str) -> Pathway:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made_up.toml"
        file.write_text(text, encoding="utf-8")
        return load_pathway(file)


few = settings(
    derandomize=True,
    max_examples=3,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
many = settings(few, max_examples=1_000)


RATIOS = (
    1.0,
    {"by": "age", "young": 2.0, "old": 0.3},
    {"breaks": [1.7, 6.0], "ratios": [0.4, {"by": "risk", "low": 1.0, "high": 2.0, "unknown": 0.0}, 1.5]},
)
"""Of the first way out of the last state, whose times compete."""
TOGETHER = {"young": {"low": 4, "high": 0, "unknown": 1}, "old": {"low": 1, "high": 3, "unknown": 2}}
CASE_MIXES = ((), [{"of": ["age", "risk"], "weights": TOGETHER}], ())


def every_law(text: str, follow: Callable[..., list], events: Callable[..., pd.DataFrame]) -> None:
    pathway = with_end_points(made(text), len(text))
    last = max(name for name in pathway.states if name not in ("dead", "well", "toxic"))
    kind = len(text) % len(RATIOS)
    scenario = Scenario("made up", pathway, hazard_ratio={f"{last}.w0": RATIOS[kind]}, case_mix=CASE_MIXES[kind])
    model = resolve(scenario)
    try:
        solved = engine.curves(model, HORIZON)
    except TooCoarse:
        # Of a group of a few patients in a million, a share is a quotient of two numbers next to rounding.
        sizes = engine.curves(model, HORIZON, step=0.1).sizes.values()
        assume(not any(0.0 < float(size[0]) < 1e-5 for size in sizes))
        raise
    for clock, states in solved.occupancy.items():
        somebody = clock != pathway.clock or solved.sizes["all"][0]
        np.testing.assert_allclose(sum(states.values()), somebody, atol=1e-6)
    for free in solved.end_points.values():
        for key, survival in free.survival.items():
            total = survival + sum(incidence[key] for incidence in free.incidence.values())
            np.testing.assert_allclose(np.nan_to_num(total, nan=1.0), 1.0, atol=1e-6)
    for survival in [s for curves in (solved, *solved.end_points.values()) for s in curves.survival.values()]:
        if not np.isnan(survival).all():
            assert np.all(np.diff(survival) <= 1e-12)
            assert np.all((survival >= 0.0) & (survival <= 1.0))
    table = events(model, range(40), horizon=HORIZON)
    check(table, pathway)
    for who, rows in table.groupby("patient"):
        expected = follow(model, who, horizon=HORIZON)
        assert list(rows["state"]) == [state for _, state in expected]
        np.testing.assert_allclose(rows["month"], [month for month, _ in expected], rtol=0, atol=1e-9)
    engines_agree(pathway, solved, microsim.curves(model, HORIZON, patients=PATIENTS, uniforms=Uniforms(7)))
    other = resolve(replace(scenario, pathway=backwards(pathway)))
    pd.testing.assert_frame_equal(table, events(other, range(40), horizon=HORIZON))
    turned = engine.curves(other, HORIZON)
    for key, survival in solved.survival.items():
        np.testing.assert_allclose(survival, turned.survival[key], atol=1e-6, err_msg=str(key))


def with_end_points(pathway: Pathway, seed: int) -> Pathway:
    """The same pathway, with an event of any two states, and one of a state and death."""
    names = sorted(pathway.states)
    random = np.random.default_rng(seed)
    one, two, three = map(str, random.choice(names, 3, replace=False))
    deaths = tuple(name for name in pathway.deaths if name != three)
    causes = {"event": {"one": (one,), "two": (two,)}, "free": {"three": (three,), "death": deaths or (one,)}}
    return replace(pathway, end_points={name: EndPoint(name, name, "", states) for name, states in causes.items()})


def engines_agree(pathway: Pathway, solved: engine.Curves, simulated: engine.Curves) -> None:
    """DKW, Hoeffding and normal bounds, Bonferroni over all that is compared."""
    stride = round(simulated.months[1] / solved.months[1])
    reached = simulated.patients or 0
    part = FALSE_ALARM / 2_000
    tolerance = 2e-3  # sojourns of one month on a lattice of a tenth, and jumps of fixed ones within a cell
    pairs = [("alive", simulated.survival, solved.survival)]
    for name, free in simulated.end_points.items():
        incidence = solved.end_points[name].incidence
        pairs += [(f"{name}: {cause}", by_key, incidence[cause]) for cause, by_key in free.incidence.items()]
    for what, counted, known in pairs:
        for (clock, population), shares in counted.items():
            if np.isnan(shares).all():
                assert solved.sizes[population] < 0.01
                continue
            share = float(simulated.sizes[population][0])
            expected = known[clock, population][:, ::stride]
            band = np.sqrt(np.log(2 / part) / (2 * max(reached * share, 1)))
            assert np.abs(shares - expected).max() < band + tolerance / max(share, 0.02), (what, clock, population)
    for name, size in simulated.sizes.items():
        assert abs(size - solved.sizes[name]) < np.sqrt(np.log(2 / part) / (2 * max(reached, 1))) + tolerance, name
    for clock, states in simulated.occupancy.items():
        n = reached if clock == pathway.clock else PATIENTS
        for state, there in states.items():
            off = np.abs(there - solved.occupancy[clock][state][:, ::stride])[:, ::10].max()
            # A fixed stay counted from the clock's start is one jump, which may fall on the other side of a month.
            assert off < np.sqrt(np.log(2 / part) / (2 * max(n, 1))) + 0.01, (clock, state)
    for name, count in simulated.counts.items():
        noise = 7 * np.sqrt(np.nan_to_num(simulated.count_variances[name]) / max(reached, 1))
        # Months in a state that everybody leaves at one instant are counted to half a cell.
        step = simulated.months[1] / 2 if name == "months" else 0.01 * max(1.0, float(count[0]))
        assert abs(count - solved.counts[name]) < noise + step, name


def backwards(pathway: Pathway) -> Pathway:
    """The same pathway, told from its last state and way out to its first."""
    states = {
        name: replace(state, transitions=state.transitions[::-1]) for name, state in reversed(pathway.states.items())
    }
    return replace(pathway, states=states)


@given(pathway_texts())
@few
def test_a_made_up_pathway_obeys_every_law(follow: Callable, events: Callable, text: str) -> None:
    every_law(text, follow, events)


@pytest.mark.slow
@given(pathway_texts())
@many
def test_hundreds_of_made_up_pathways_obey_every_law(follow: Callable, events: Callable, text: str) -> None:
    every_law(text, follow, events)


@given(pathway_texts(), st.floats(0.05, 0.4), st.floats(0.5, 0.95), st.sampled_from([0.0, 0.4]))
@few
def test_a_made_up_policy_that_raises_uptake_obeys_the_law_of_the_marginal_patient(
    follow: Callable, events: Callable, text: str, before: float, after: float, benefit: float
) -> None:
    the_law_of_the_marginal_patient(follow, events, text, before, after, benefit)


@pytest.mark.slow
@given(pathway_texts(), st.floats(0.05, 0.4), st.floats(0.5, 0.95), st.sampled_from([0.0, 0.4]))
@many
def test_hundreds_of_made_up_policies_obey_the_law_of_the_marginal_patient(
    follow: Callable, events: Callable, text: str, before: float, after: float, benefit: float
) -> None:
    the_law_of_the_marginal_patient(follow, events, text, before, after, benefit)


def the_law_of_the_marginal_patient(
    follow: Callable, events: Callable, text: str, before: float, after: float, benefit: float
) -> None:
    pathway = with_end_points(harmful(made(treated(text, before))), len(text))
    practice, raised = (
        resolve(Scenario("made up", pathway, set={"uptake": share}, marginal_benefit=benefit))
        for share in (before, after)
    )
    table = events(raised, range(60), horizon=HORIZON)
    check(table, pathway)
    for who, rows in table.groupby("patient"):
        expected = follow(raised, who, horizon=HORIZON)
        assert list(rows["state"]) == [state for _, state in expected]
        np.testing.assert_allclose(rows["month"], [month for month, _ in expected], rtol=0, atol=1e-9)
    try:
        solved = engine.curves(raised, HORIZON)
    except TooCoarse:
        # After an event, exact does not follow patients without benefit into a group.
        pathway = replace(pathway, end_points={})
        practice, raised = (replace(m, scenario=replace(m.scenario, pathway=pathway)) for m in (practice, raised))
        solved = engine.curves(raised, HORIZON)
    simulated = microsim.curves(raised, HORIZON, patients=PATIENTS, uniforms=Uniforms(9))
    engines_agree(pathway, solved, simulated)
    if benefit == 0.0:
        # Where patients come back, each is solved on cells as fine as it needs: the law holds on one lattice.
        step = min(float(curves.months[1]) for curves in (solved, engine.curves(practice, HORIZON)))
        today, policy = (
            engine.curves(model, HORIZON, step=step).survival["start", "all"] for model in (practice, raised)
        )
        sooner = 1e-7 if pathway.marginal is None or not pathway.marginal.harm else 1.0
        assert np.all(policy <= today + 1e-7)
        assert np.all(policy >= today - sooner)


def harmful(pathway: Pathway) -> Pathway:
    """The same pathway, in which additional patients may die of treatment, where a sojourn before the last says so."""
    assert pathway.marginal is not None
    toxic = replace(pathway, marginal=replace(pathway.marginal, harm=("toxic",)))
    try:
        check_pathway(toxic)
    except InputError:
        return pathway
    return toxic


def treated(text: str, share: float) -> str:
    """Put a decision before a pathway: its first state is the treatment, and its last the state of no response."""
    last = max(re.findall(r"^\[states\.(s\d)\]", text, re.MULTILINE))
    front = f"""title = "made up"
start = "decide"
group_window = 40
[marginal]
decision = "decide"
branch = "treat"
otherwise = "care"
no_benefit = "{last}"
reference = {share!r}
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
time = {{ family = "weibull", shape = 1.2, scale = {{ by = "age", young = 8, old = 4 }} }}
[parameters.uptake]
unit = "probability"
meaning = "share treated"
value = {share!r}
source = "assumption"
"""
    return front + text[text.index("[attributes.age]") :]
