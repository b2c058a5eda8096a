"""Times of the engines and of their peers on the peer pathway: `pytest -m benchmark tests/benchmarks`."""

from collections.abc import Callable
from functools import partial

import aftercart_runs
import heormodel_idiom
import parts
import pytest
import ratios
import simpy_by_hand

PATIENTS = 20_000
FEW = 2_000

pytestmark = pytest.mark.benchmark(min_rounds=3)

Benchmark = Callable[..., object]


def test_microsim_without_beds(benchmark: Benchmark) -> None:
    benchmark(aftercart_runs.deaths, PATIENTS)


def test_microsim_with_its_curves(benchmark: Benchmark) -> None:
    benchmark(aftercart_runs.curves, PATIENTS)


def test_microsim_with_beds(benchmark: Benchmark) -> None:
    benchmark(aftercart_runs.with_beds, PATIENTS)


def test_des_with_beds(benchmark: Benchmark) -> None:
    benchmark(aftercart_runs.with_beds_by_des, FEW)


@pytest.mark.parametrize("name", ["peer", "baseline"])
def test_exact_curves(benchmark: Benchmark, name: str) -> None:
    benchmark(aftercart_runs.exact_curves, name)


@pytest.mark.parametrize("run", [simpy_by_hand.without_beds, simpy_by_hand.with_beds])
def test_simpy_by_hand(benchmark: Benchmark, run: Callable[[int], object]) -> None:
    benchmark(run, FEW)


@pytest.mark.skipif(not ratios.has_heormodel(), reason="needs the extra `bench`")
def test_heormodel(benchmark: Benchmark) -> None:
    benchmark(partial(heormodel_idiom.run, PATIENTS))


@pytest.mark.parametrize("run", [aftercart_runs.deaths, aftercart_runs.curves, aftercart_runs.with_beds])
def test_a_profile_leaves_little_time_without_a_part(run: Callable[[int], object]) -> None:
    run(FEW)
    assert parts.shares(partial(run, PATIENTS))[parts.OTHER] < 0.15
