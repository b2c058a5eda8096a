"""The figure of waits: all requests by how their wait ends. Each number is the service table's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from simulator.experiment.results import Results
from simulator.experiment.run import run
from simulator.figures import gallery as gallery_of_runs
from simulator.figures import style, waits
from simulator.figures.picture import Picture
from simulator.wording import intervals, resources, rounding
from simulator.wording.difference import Difference


@pytest.fixture(scope="module")
def centres(two_centres: Results) -> Results:
    return two_centres


def drawn(picture: Picture | None) -> Picture:
    assert picture is not None
    return picture


def bars(axes: Axes, count: int) -> list[list[float]]:
    """Return the widths of the parts of every bar, from the top."""
    widths = [patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle)]
    size = len(waits.LOOKS)
    return [widths[size * place : size * (place + 1)] for place in range(count)]


@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
def test_a_bar_is_all_requests_and_its_parts_are_the_tables(centres: Results, width: float) -> None:
    figure = drawn(waits.picture(centres, width=width)).figure
    assert centres.service is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    for parts, scenario in zip(bars(figure.axes[1], 2), centres.scenarios, strict=True):
        rows = resources.rows_of(centres.service, scenario.name, "hsct_beds")
        by_name = dict(zip(waits.LOOKS, parts, strict=True))
        assert sum(parts) == pytest.approx(100.0)
        for name in ("served_at_once", "served_within_7_days", "served_within_30_days", "lost_within_30_days"):
            assert by_name[name] == pytest.approx(100 * rows[name]["estimate"])
        late = sum(by_name[name] for name in ("lost_after_30_days", "served_after_30_days", "waiting_for_ever"))
        assert late == pytest.approx(100 * rows["wait_over_30_days"]["estimate"], abs=1e-4)
        lost = by_name["lost_within_30_days"] + by_name["lost_after_30_days"]
        assert lost == pytest.approx(100 * rows["lost_while_waiting"]["estimate"])
        assert any(text.startswith(f"{100 * rows['wait_over_30_days']['estimate']:.2g}") for text in texts)
        assert scenario.name in texts
        assert resources.units(scenario, "hsct_beds") in texts


def test_a_part_that_is_no_request_has_no_edge(centres: Results) -> None:
    assert centres.service is not None
    is_loss = centres.service["outcome"].str.startswith("lost_")
    numbers = ["estimate", "lower", "upper"]
    service = centres.service.copy()
    service.loc[is_loss, numbers] = 0.0
    for width in (style.WIDTH, style.COMPACT):
        axes = drawn(waits.picture(replace(centres, service=service), width=width)).figure.axes[1]
        thin = [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_width() < 0.01]
        assert thin
        assert all(patch.get_linewidth() == 0 for patch in thin)


def test_the_bracket_spans_the_waits_over_30_days(centres: Results) -> None:
    axes = drawn(waits.picture(centres)).figure.axes[1]
    assert centres.service is not None
    late = [resources.rows_of(centres.service, s.name, "hsct_beds")["wait_over_30_days"] for s in centres.scenarios]
    expected = [[100 - 100 * row["estimate"], 100] for row in late if row["estimate"] > 0]
    np.testing.assert_allclose([list(line.get_xdata()) for line in axes.get_lines()], expected)


@pytest.mark.usefixtures("in_one_width")
def test_where_beds_are_limited_the_waits_come_first(centres: Results) -> None:
    names = [picture.name for make in gallery_of_runs._makers(centres, None)[:2] if (picture := make())]
    assert names == [waits.NAME, "what_the_policy_adds"]


def late_under(results: Results, scenario: str, resource: str = "hsct_beds") -> Mapping[Any, Any]:
    assert results.service is not None
    return resources.rows_of(results.service, scenario, resource)["wait_over_30_days"]


def test_the_title_is_the_paired_difference_of_the_centre_that_differs_most(centres: Results) -> None:
    picture = drawn(waits.picture(centres))
    before, after = (late_under(centres, name) for name in ("letter-centre", "letter-centre-2-beds"))
    difference = Difference.of_row(after)
    numbers = [rounding.number(row["estimate"], "probability") for row in (after, before)]
    words = difference.led(
        f"{difference.more_or_fewer} of 100 requests for HSCT beds wait over 30 days under letter-centre-2-beds"
        f"{difference.in_brackets}: {numbers[0]} instead of {numbers[1]} under letter-centre"
    )
    assert picture.title == f"In the model, {words}"
    assert picture.alt == f"{picture.title}."
    assert len(picture.alt) < 250


@pytest.mark.parametrize("width", [style.WIDTH, style.COMPACT])
def test_a_row_has_its_paired_difference_from_the_first(centres: Results, width: float) -> None:
    figure = drawn(waits.picture(centres, width=width)).figure
    words = [text.get_text() for text in figure.axes[0].texts]
    assert any("(grey: the difference from letter-centre)" in " ".join(text.split()) for text in words)
    for scenario in centres.scenarios[1:]:
        assert str(intervals.difference(late_under(centres, scenario.name))) in words


def test_a_title_compares_waits_for_one_resource_and_says_for_which(centres: Results) -> None:
    """Fewer wait for slots than for beds under both; the policy shortens the waits for slots alone."""
    assert centres.service is not None
    first, second = centres.scenarios[:2]
    table = resources.rows_of(centres.service, first.name, "hsct_beds")
    row = dict(table["wait_over_30_days"])
    unclear = dict.fromkeys(("lower", "upper", "difference_lower", "difference_upper"), np.nan)
    made = [
        (scenario, resource, table | {"wait_over_30_days": row | unclear | {
            "estimate": share, "difference": difference, "difference_same_sign": 1.0}})
        for scenario, resource, share, difference in (
            (first, "hsct_beds", 0.3, np.nan), (second, "hsct_beds", 0.3, 0.0),
            (first, "car_t_slots", 0.2, np.nan), (second, "car_t_slots", 0.15, -0.05),
        )
    ]  # fmt: skip
    assert resources.title_of_waits(made).startswith(
        f"In the model, 5.0 fewer of 100 requests for CAR-T slots wait over 30 days under {second.name}"
    )
    assert resources.title_of_waits(made).endswith(f": 15 instead of 20 under {first.name}")
    assert f"requests for HSCT beds wait over 30 days under {second.name} " in resources.title_of_waits(made[:2])
    assert resources.title_of_waits(made[:2]).endswith(f"as under {first.name}: 30")
    assert resources.title_of_waits(made[:1]) == (
        f"In the model, 30 % of requests for HSCT beds wait over 30 days under {first.name}"
    )


def test_without_limits_and_without_the_ends_of_waits_there_is_no_figure(centres: Results) -> None:
    assert waits.picture(run("no-hsct", draws=1, horizon=12.0)) is None
    assert centres.service is not None
    of_earlier_version = centres.service[~centres.service["outcome"].str.startswith("served_")]
    assert waits.picture(replace(centres, service=of_earlier_version)) is None


def test_the_key_names_what_ends_a_wait_in_the_words_of_the_pathway(centres: Results) -> None:
    texts = " ".join(text.get_text() for text in drawn(waits.picture(centres)).figure.axes[0].texts)
    assert "relapse after salvage while waiting" in texts
    assert "lost while waiting" not in texts
