"""What is counted of simulated patients is what their histories show, patient by patient."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from worlds import A_FEW_SHIPPED, slow

from simulator.arrays import Booleans, Floats
from simulator.engines import tally
from simulator.engines.microsim import engine
from simulator.engines.microsim import engine as microsim
from simulator.engines.model import Model, resolve
from simulator.errors import InputError
from simulator.outcomes.event_log import table
from simulator.randomness import Uniforms
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import load_scenario

Events = Callable[..., pd.DataFrame]
N = 1_000


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks, whose counts are added up."""
    monkeypatch.setattr(engine, "BLOCK", 150)


def clock_months(table: pd.DataFrame, state: str) -> Floats:
    """The month at which each patient first enters a state; inf if never."""
    first = table[table["state"] == state].groupby("patient")["month"].min()
    return first.reindex(range(N), fill_value=np.inf).to_numpy()


def within(table: pd.DataFrame, states: tuple[str, ...], zero: Floats, months: float) -> Booleans:
    """Who enters any of some states between the clock's start and some months later."""
    since = table["month"].to_numpy() - zero[table["patient"]]
    rows = table["state"].isin(states) & (since >= 0) & (since <= months + 1e-9)
    return np.isin(np.arange(N), table.loc[rows, "patient"])


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("policy", [*A_FEW_SHIPPED[:-1], slow(A_FEW_SHIPPED[-1])], indirect=True)
def test_curves_are_counted_from_the_events(model: Model, events: Events) -> None:
    counted_from_events(model, events, 120.0)


@pytest.mark.usefixtures("small_blocks")
def test_curves_of_a_near_horizon_still_define_groups_by_their_window(events: Events) -> None:
    counted_from_events(resolve(load_scenario("wider-salvage@0.5")), events, 24.0)


def counted_from_events(model: Model, events: Events, horizon: float) -> None:
    pathway = model.pathway
    counted = microsim.curves(model, horizon, patients=N, uniforms=Uniforms(3))
    followed = max(horizon, pathway.group_window) if pathway.groups else horizon
    table = events(model, range(N), horizon=followed, seed=3)
    assert counted.patients == N
    zero = {clock: clock_months(table, state) for clock, state in pathway.clocks.items()}
    death = clock_months(table[table["state"].isin(pathway.deaths)].assign(state="dead"), "dead")
    members = {"all": np.ones(N, dtype=bool)}
    default = zero[pathway.clock]
    for name, group in pathway.groups.items():
        out = within(table, group.not_entered, default, pathway.group_window)
        members[name] = within(table, group.entered, default, pathway.group_window) & ~out
    for clock, start in zero.items():
        for name, chosen in members.items():
            if not chosen.any():
                assert np.isnan(counted.survival[clock, name]).all()
                continue
            alive = (death - start)[chosen, None] > counted.months + 1e-9
            np.testing.assert_allclose(counted.survival[clock, name][0], alive.mean(axis=0), atol=1e-12)
            np.testing.assert_allclose(counted.sizes[name], chosen.mean(), atol=1e-12)
    for clock, start in zero.items():
        states = present(table, start, counted.months)
        for name, there in counted.occupancy[clock].items():
            np.testing.assert_allclose(there[0], states.get(name, 0.0), atol=1e-12, err_msg=f"{clock} {name}")
    for name, count in pathway.counts.items():
        since = table["month"].to_numpy() - default[table["patient"]]
        rows = table["state"].isin(count.entries) & (since >= 0) & (since <= horizon + 1e-9)
        if count.entries:
            per_patient = np.bincount(table.loc[rows, "patient"], minlength=N)
            np.testing.assert_allclose(counted.counts[name], per_patient.mean(), atol=1e-12)
            np.testing.assert_allclose(counted.count_variances[name], per_patient.var(ddof=1), atol=1e-9)
        else:
            stays = table.assign(left=table.groupby("patient")["month"].shift(-1, fill_value=np.inf))
            since = [stays[column].to_numpy() - default[stays["patient"]] for column in ("month", "left")]
            begun, ended = (np.clip(months, 0, horizon) for months in since)
            months = np.where(stays["state"].isin(count.months), ended - begun, 0.0)
            per_patient = np.bincount(stays["patient"], weights=months, minlength=N)
            np.testing.assert_allclose(counted.counts[name], per_patient.mean(), atol=1e-9)


def present(table: pd.DataFrame, start: Floats, months: Floats) -> dict[str, Floats]:
    """The share of patients in each state at each month: in the one entered last, at that month or before."""
    shares: dict[str, Floats] = {}
    for who, life in table.groupby("patient"):
        since = life["month"].to_numpy() - start[who]
        last = np.searchsorted(since, months + 1e-9, side="right") - 1
        names = life["state"].to_numpy()
        for place in np.unique(last[last >= 0]):
            shares.setdefault(names[place], np.zeros(months.size))[last == place] += 1 / N
    return shares


def test_curves_without_a_block_are_those_of_the_others() -> None:
    """Three blocks, of which the last is so small that groups are empty without the others, or nearly."""
    model = resolve(load_scenario("wider-salvage@0.5"))
    blocks = [
        next(engine.simulate(model, Uniforms(3, replication=number), range(patients), horizon=120.0))
        for number, patients in enumerate((70, 40, 3))
    ]
    whole, without_block = tally.replicated(model, 60.0, blocks)
    for name, free in tally.of_blocks(model, 60.0, blocks).end_points.items():
        for key, survival in free.survival.items():
            np.testing.assert_array_equal(whole.end_points[name].survival[key], survival)
        assert whole.end_points[name].patients is None
    for place in range(3):
        others = tally.of_blocks(model, 60.0, [block for number, block in enumerate(blocks) if number != place])
        for key, survival in others.survival.items():
            np.testing.assert_allclose(without_block.survival[key][place], survival[0], atol=1e-12)
        for name, size in others.sizes.items():
            np.testing.assert_allclose(without_block.sizes[name][place], size[0], atol=1e-12)
        for name, count in others.counts.items():
            np.testing.assert_allclose(without_block.counts[name][place], count[0], atol=1e-12)


def test_without_the_only_block_there_is_nobody() -> None:
    model = resolve(load_scenario("baseline"))
    _, without_block = tally.replicated(
        model, 12.0, list(engine.simulate(model, Uniforms(3), range(20), horizon=120.0))
    )
    assert all(np.isnan(survival).all() for survival in without_block.survival.values())


def test_a_shard_of_patients_is_a_part_of_the_whole() -> None:
    """Deaths by month of patients 0 to 999 and 1000 to 1999 add up to those of all."""
    model = resolve(load_scenario("baseline"))

    def deaths(patients: range) -> list[float]:
        blocks = engine.simulate(model, Uniforms(3), patients, horizon=60.0)
        return np.concatenate([block.death_month for block in blocks]).tolist()

    assert deaths(range(1_000)) + deaths(range(1_000, 2_000)) == deaths(range(2_000))


def test_microsim_takes_one_draw_at_a_time() -> None:
    many = resolve(load_scenario("baseline"), {"salvage_uptake": np.array([[0.3], [0.5]])})
    with pytest.raises(InputError, match="one draw at a time"):
        next(engine.simulate(many, Uniforms(1), range(10), horizon=12.0))


def test_microsim_without_its_queue_path_finds_every_bed_free() -> None:
    base = load_scenario("baseline")
    limited = replace(base, capacity={"hsct_beds": Capacity(((0.0, 1),)), "car_t_slots": Capacity(((0.0, 1),))})
    free, one_bed = (
        table(engine.simulate(resolve(scenario), Uniforms(1), range(500), horizon=24.0)) for scenario in (base, limited)
    )
    pd.testing.assert_frame_equal(free, one_bed)
