"""The figure of waits: all requests by how their wait ends. Each number is the service table's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from simulator.experiment.results import Results
from simulator.experiment.run import compare, run
from simulator.figures import style, waits
from simulator.figures.gallery import gallery
from simulator.figures.picture import Picture
from simulator.wording import resources


@pytest.fixture(scope="module")
def centres() -> Results:
    return compare("letter-centre", "letter-centre-2-beds", draws=4, replications=4, horizon=24.0)


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
    names = [picture.name for picture in gallery(centres)]
    assert names[:2] == [waits.NAME, "what_the_policy_adds"]


def test_the_title_compares_the_first_centre_with_the_one_that_differs_most(centres: Results) -> None:
    picture = drawn(waits.picture(centres))
    assert picture.title.startswith("In the model, ")
    assert "% of requests wait over 30 days under letter-centre" in picture.title
    assert "under letter-centre-2-beds" in picture.title
    assert picture.alt == f"{picture.title}."
    assert len(picture.alt) < 250


def test_without_limits_and_without_the_ends_of_waits_there_is_no_figure(centres: Results) -> None:
    assert waits.picture(run("no-hsct", draws=1, horizon=12.0)) is None
    assert centres.service is not None
    of_earlier_version = centres.service[~centres.service["outcome"].str.startswith("served_")]
    assert waits.picture(replace(centres, service=of_earlier_version)) is None


def test_the_key_names_what_ends_a_wait_in_the_words_of_the_pathway(centres: Results) -> None:
    texts = " ".join(text.get_text() for text in drawn(waits.picture(centres)).figure.axes[0].texts)
    assert "relapse after salvage while waiting" in texts
    assert "lost while waiting" not in texts
