"""A state looks the same in every figure and run, unlike any policy, and can be told from its neighbours in grey."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from lettering import contrast
from matplotlib.colors import to_rgb
from sojourn_times import exponential
from worlds import load, sojourn, world

from simulator.experiment.results import Results
from simulator.figures import occupancy, style
from simulator.figures.state_looks import Look, looks
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway


def lightness(colour: str) -> float:
    """CIE 1976 L*, from 0 (black) to 100 (white)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(116 * np.cbrt(np.dot((0.2126, 0.7152, 0.0722), linear)) - 16)


@pytest.fixture(params=shipped.names())
def shipped_pathway(request: pytest.FixtureRequest) -> Pathway:
    return load_pathway(request.param)


def test_every_state_in_which_time_passes_and_every_death_has_a_look_of_its_own(shipped_pathway: Pathway) -> None:
    of_states = looks(shipped_pathway)
    passing = {name for name, state in shipped_pathway.states.items() if state.kind in ("sojourn", "end", "death")}
    assert set(of_states) == passing
    assert len(set(of_states.values())) == len(passing)


def test_no_state_has_a_policys_colour(shipped_pathway: Pathway) -> None:
    policies = {colour.lower() for colour in (style.BLACK, *style.POLICIES)}
    assert not policies & {look.colour.lower() for look in looks(shipped_pathway).values()}


def test_the_living_are_darker_the_later_they_come_and_the_dead_are_grey(shipped_pathway: Pathway) -> None:
    of_states = looks(shipped_pathway)
    dead = set(shipped_pathway.deaths)
    living = [lightness(of_states[name].colour) for name in shipped_pathway.in_order if name in set(of_states) - dead]
    assert all(later < earlier for earlier, later in pairwise(living))
    for name, look in of_states.items():
        assert (np.ptp(to_rgb(look.colour)) < 0.02) == (name in dead)


def in_a_row(count: int) -> Pathway:
    """A pathway of many states, one after another."""
    names = [f"stage_{place}" for place in range(count)]
    onward = zip(names, [*names[1:], "home"], strict=True)
    return load(world(names[0], {name: sojourn(**{to: exponential(mean=2)}) for name, to in onward}))


@pytest.mark.parametrize("count", [2, 6, 12, 25])
def test_any_two_states_can_be_told_apart_in_grey(count: int) -> None:
    for one, other in combinations(looks(in_a_row(count)).values(), 2):
        assert one.hatch != other.hatch or abs(lightness(one.colour) - lightness(other.colour)) >= 9.0


def test_every_hatch_is_seen_in_grey(shipped_pathway: Pathway) -> None:
    for look in [*looks(shipped_pathway).values(), *looks(in_a_row(25)).values()]:
        assert not look.hatch or contrast(look.drawn["edgecolor"], look.colour) >= 1.7


def test_a_state_looks_the_same_in_runs_of_other_scenarios_and_horizons(results: Results, pathway: Pathway) -> None:
    table = results.occupancy
    runs = [table, table[table["scenario"] == "baseline"], table[table["month"] <= 6.0]]
    drawn: dict[str, set[Look]] = {}
    for run in runs:
        for layer in occupancy.stack(run, pathway, "relapse").layers:
            if len(layer.states) == 1:
                drawn.setdefault(layer.states[0], set()).add(layer.look)
    assert {name: {looks(pathway)[name]} for name in drawn} == drawn


def test_layers_that_touch_can_be_told_apart_in_grey(results: Results, pathway: Pathway) -> None:
    layers = occupancy.stack(results.occupancy, pathway, "relapse").layers
    top_of_the_living = [layer for layer in layers if not layer.dead][-2:]
    first_of_the_dead = next(layer for layer in layers if layer.dead)
    for a, b in (*pairwise(layers), *((layer, first_of_the_dead) for layer in top_of_the_living)):
        difference = abs(lightness(a.look.colour) - lightness(b.look.colour))
        assert difference >= 9.0 or (a.look.hatch != b.look.hatch and difference >= 3.0), (a.label, b.label, difference)


def test_of_more_than_four_scenarios_estimates_of_one_policy_share_a_panel(results: Results, pathway: Pathway) -> None:
    table = results.occupancy
    of_policy = table[table["scenario"] == "wider-salvage"]
    more = pd.concat([table, *(of_policy.assign(scenario=name) for name in ("universal-salvage", "no-hsct"))])
    figure = occupancy.picture(more, results.survival, pathway, clock="relapse").figure
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert titles == ["A  baseline", "B  wider-salvage", "C  universal-salvage", "D  no-hsct"]
    # The smallest share that must benefit has no panel in any run.
    of_three = occupancy.picture(table, results.survival, pathway, clock="relapse").figure
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in of_three.axes if axes.get_title(loc="left")]
    assert titles == ["A  baseline", "B  wider-salvage", "C  wider-salvage (cautious estimate)"]
