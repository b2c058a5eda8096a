"""The exact engine's error: every reported curve of every parameter set against cells of an eightieth of a month."""

from collections.abc import Sequence

import numpy as np
import pytest
from sojourn_times import exponential, piecewise_exponential
from worlds import scenario, slow, sojourn, world

from simulator.arrays import Floats
from simulator.engines.curves import Curves
from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.evidence.draws import load_informed_draws, values
from simulator.experiment.run import run
from simulator.scenario.scenario import load_scenario

HORIZON = 60.0
FINE = 0.0125
LIMIT = 1e-4
HARDEST = (86, 565, 876, 1050, 1115, 1259)
"""Parameter sets that cells twice as wide move most: short waits, and hazards that are infinite at first."""
POLICIES = ["baseline", "wider-salvage@0.5", "earlier-hsct"]


def curves_of(solved: Curves, step: float) -> dict[str, Floats]:
    """Return every reported curve, (n_draws, n_months), by half months."""
    stride = round(0.5 / step)
    curves = {f"survival {key}": curve for key, curve in solved.survival.items()}
    for clock, states in solved.occupancy.items():
        curves |= {f"in {state}, {clock}": curve for state, curve in states.items()}
    for name, free in solved.end_points.items():
        curves |= {f"{name} {key}": curve for key, curve in free.survival.items()}
        for cause, incidence in free.incidence.items():
            curves |= {f"{cause} {key}": curve for key, curve in incidence.items()}
    return {name: curve[:, ::stride] for name, curve in curves.items()}


def largest_error(policy: str, rows: Sequence[int]) -> tuple[float, str]:
    """Return the largest error of any curve at the default step, and the curve."""
    scenario = load_scenario(policy)
    table = load_informed_draws(scenario.pathway)
    assert table is not None
    model = resolve(scenario, values(table.iloc[list(rows)], slice(None)))
    coarse = engine.curves(model, HORIZON)
    step = float(coarse.months[1])
    fine = curves_of(engine.curves(model, HORIZON, step=FINE), FINE)
    errors = {name: np.nan_to_num(np.abs(curve - fine[name])).max() for name, curve in curves_of(coarse, step).items()}
    name = max(errors, key=lambda curve: errors[curve])
    return float(errors[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("policy", [*map(slow, POLICIES[:2]), POLICIES[2]])
def test_no_curve_of_the_hardest_draws_is_wrong_by_a_ten_thousandth(policy: str) -> None:
    error, name = largest_error(policy, HARDEST)
    assert error < LIMIT, name


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_no_curve_of_any_draw_is_wrong_by_a_ten_thousandth(policy: str) -> None:
    table = load_informed_draws(load_scenario(policy).pathway)
    assert table is not None
    for first in range(0, len(table), 5):
        error, name = largest_error(policy, range(first, min(first + 5, len(table))))
        assert error < LIMIT, (first, name)


def test_declared_months_between_the_points_of_a_long_lattice_are_right_to_a_ten_thousandth() -> None:
    """Over 1,200 months cells are a tenth of a month; hazards of 0.7 and 0.3 a month, each cause takes its share."""
    months = [0.33, 1.07, 2.222, 7.77]
    ill = sojourn(dead=exponential(rate=0.7), home=exponential(rate=0.3))
    causes = {"death": "dead", "cure": "home"}
    declared = world(
        "ill", {"ill": ill}, survival_months=months, answer_month=1.07, end_points={"ep": {"causes": causes}}
    )
    draws = run(scenario(declared), engine="exact", horizon=1_200.0, jobs=1).draws
    free = np.exp(-np.array(months))
    for name, answer in {"ep": free, "ep_death": 0.7 * (1 - free), "os": 1 - 0.7 * (1 - free)}.items():
        read = draws[[f"{name}_{month:g}" for month in months]].to_numpy(float)[0]
        np.testing.assert_allclose(read, answer, rtol=0, atol=2e-5, err_msg=name)
    parts = [draws[[f"{name}_{month:g}" for month in months]].to_numpy(float) for name in ("ep", "ep_death", "ep_cure")]
    np.testing.assert_allclose(sum(parts), 1.0, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("breaks", "rates"),
    [
        (((2.07, 2.17), (2.17, 2.27)), ((0.05, 6.0, 0.05), (0.05, 6.0, 0.05))),
        (((1.05,), (1.05,)), ((0.02, 2.0), (2.0, 0.02))),
        (((1.0, 1.03), (1.03, 1.2)), ((0.1, 5.0, 0.1), (0.1, 3.0, 0.1))),
        (((0.03, 0.2), (0.07,)), ((0.05, 6.0, 0.05), (0.05, 6.0))),
    ],
    ids=["between points", "in the middle of a cell", "one at a point", "in the first cell"],
)
def test_causes_whose_hazards_jump_within_a_cell_share_its_events_as_they_happen(
    breaks: tuple[tuple[float, ...], ...], rates: tuple[tuple[float, ...], ...]
) -> None:
    """P(cause by t) = sum over pieces of (S(a) - S(b)) h_cause / h."""
    laws = [piecewise_exponential(breaks=list(at), rates=list(of)) for at, of in zip(breaks, rates, strict=True)]
    ends = {"ep": {"causes": {"death": "dead", "cure": "home"}}}
    solved = engine.curves(
        resolve(scenario(world("ill", {"ill": sojourn(dead=laws[0], home=laws[1])}, end_points=ends))), 12.0
    )
    points = np.union1d(solved.months, np.concatenate(breaks))
    hazards = [
        np.array(of)[np.searchsorted(at, points[:-1], side="right")] for at, of in zip(breaks, rates, strict=True)
    ]
    total = sum(hazards)
    survival = np.exp(-np.concatenate([[0.0], np.cumsum(total * np.diff(points))]))
    by = np.concatenate([[0.0], np.cumsum(-np.diff(survival) * hazards[0] / total)])
    curves = solved.end_points["ep"].incidence["death"]["start", "all"][0]
    np.testing.assert_allclose(curves, by[np.searchsorted(points, solved.months)], rtol=0, atol=1e-8)
