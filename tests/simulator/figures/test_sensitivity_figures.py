"""Figures of a sensitivity analysis say what decides, in words, with both estimates of what the policy adds."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.analyses.sensitivity.lead import Lead
from simulator.analyses.sensitivity.run import Sensitivity, analyse
from simulator.evidence.cohort import Cohort
from simulator.figures.analyses.sensitivity import pictures
from simulator.figures.picture import Picture
from simulator.outcomes.uncertainty import Summary
from simulator.wording import sensitivity_titles
from simulator.wording.sensitivity import answer

BENEFIT = "Share of additional patients who benefit as today's treated do"


@pytest.fixture(scope="module")
def tornado() -> Sensitivity:
    return analyse("wider-salvage", "baseline", draws=40, parts=["tornado"])


@pytest.fixture(scope="module")
def analysis(tornado: Sensitivity) -> Sensitivity:
    """The six parts; all but the tornado with made-up numbers."""
    shares = [("marginal_benefit", "", 1.05), ("cr_chemotherapy", "cr_chemotherapy pr_chemotherapy", 0.3),
              ("hsct_cure", "", 0.1), ("trm_shape", "", 0.004), ("nr_cure", "", -0.01)]  # fmt: skip
    sobol = pd.DataFrame(shares, columns=["parameter", "together", "total"])
    for name in ("first_order", "total"):
        sobol[name] = sobol["total"]
        sobol[f"{name}_lower"], sobol[f"{name}_upper"] = sobol["total"] - 0.1, sobol["total"] + 0.1
    worth = pd.DataFrame({"parameter": ["everything", "marginal_benefit", "hsct_cure"], "value": [5.0, 2.3, 0.9],
                          "standard_error": 0.2, "share_of_everything": 0.2})  # fmt: skip
    weaker = pd.DataFrame({
        "alternative": ["as declared", "pr_cure", "hsct_if_cr", "trm_shape"], "told": ["", "flat", "flat", "wider"],
        "effective_draws": [400.0, 200.0, 150.0, 33.0], "estimate": [0.15, 0.154, 0.138, np.nan], "lower": 0.01,
        "upper": 0.24, "change": [0.0, 0.004, -0.012, np.nan], "change_se": [0.0, 0.001, 0.001, np.nan],
    })  # fmt: skip
    ranked = pd.DataFrame({"parameter": ["marginal_benefit", "hsct_cure"], "prcc": [0.9, -0.4], "lower": [0.8, -0.5],
                           "upper": [0.95, -0.2]})  # fmt: skip
    made_up = {
        "prcc": ranked,
        "sobol": sobol,
        "structure": weaker.iloc[:3].assign(told=""),
        "priors": weaker,
        "evppi": worth,
    }
    options = analyse("wider-salvage", "baseline", draws=100, parts=["evppi"]).question
    manifest = {**tornado.manifest, "sobol_samples": 64}
    return replace(tornado, question=options, tables={**tornado.tables, **made_up}, manifest=manifest)


@pytest.fixture(scope="module")
def drawn(analysis: Sensitivity, cohort: Cohort) -> dict[str, Picture]:
    return {picture.name: picture for picture in pictures(analysis, cohort)}


def text_of(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())


def test_titles_are_statements_in_the_model_and_subtitles_have_both_estimates(drawn: dict[str, Picture]) -> None:
    assert list(drawn) == ["tornado", "prcc", "sobol", "structure", "priors", "evppi"]
    for name, picture in drawn.items():
        assert picture.title.startswith("In the model, "), name
        assert len(picture.alt) < 250, name
        for figure in (picture.figure, picture.compact):
            assert figure is not None
            words = text_of(figure)
            assert "if the newly treated benefit as other cohorts suggest" in words, name
            assert len(re.findall(r"\d+ more of 100", words)) == 2, name


def test_an_estimate_that_is_not_clear_is_led_by_that_in_any_unit(tornado: Sensitivity) -> None:
    def made_up(value: float, lower: float, upper: float) -> tuple[Lead]:
        summary = Summary(*map(np.asarray, (value, lower, upper, 0.0)))
        return (Lead(None, (), summary, 0.6),)

    of_100 = replace(tornado, leads=made_up(0.01, -0.02, 0.04))
    assert sensitivity_titles.estimates(of_100) == (
        "Estimate: no clear difference, 1.0 more of 100 (95 % interval 2.0 fewer to 4.0 more; more in 60 of 100 "
        "parameter sets)."
    )
    months = replace(tornado.question, outcome="rmst_60")
    in_months = replace(tornado, question=months, leads=made_up(-1.0, -2.5, 0.2), tables={})
    assert sensitivity_titles.estimates(in_months) == (
        "Estimate: no clear difference, 1.0 fewer months (95 % interval 2.5 fewer to 0.2 more; fewer in 60 of 100 "
        "parameter sets)."
    )
    assert "wider-salvage less baseline: no clear difference (1.0 fewer; 95 % interval 2.5" in answer(in_months)


def test_rows_have_their_meaning_above_their_name_and_none_is_cut(drawn: dict[str, Picture]) -> None:
    for name in ("tornado", "prcc", "sobol", "evppi"):
        words = text_of(drawn[name].figure)
        assert BENEFIT in words, name
        assert "\N{WHITE CIRCLE} marginal_benefit" in words, name
        assert "\N{HORIZONTAL ELLIPSIS}" not in words, name
        assert "..." not in words, name


def test_a_tornado_leaves_out_what_moves_it_by_less_than_a_point(analysis: Sensitivity) -> None:
    displayed = sensitivity_titles.drawn(analysis, "tornado", 100)
    assert (displayed["swing"] >= 0.01).all()
    rest = int(analysis.tables["tornado"]["swing"].notna().sum()) - len(displayed)
    assert sensitivity_titles.omitted(analysis, "tornado", displayed) == f"{rest} more, each under 1 point"


def test_no_share_of_the_variance_is_above_100_percent(drawn: dict[str, Picture]) -> None:
    (axes,) = (axes for axes in drawn["sobol"].figure.axes if axes.get_xlabel().startswith("Share"))
    points = np.concatenate([np.asarray(line.get_xdata(), dtype=float) for line in axes.lines])
    assert points.min() >= 0.0
    assert points.max() <= 100.0
    assert "drawn at 100 %: use --samples 256" in text_of(drawn["sobol"].figure)
    assert drawn["sobol"].title.startswith("In the model, 100 % of the variance")


@pytest.mark.parametrize("part", ["structure", "priors"])
def test_other_structures_and_priors_are_drawn_as_changes_below_the_whole_interval(
    part: str, drawn: dict[str, Picture]
) -> None:
    figure = drawn[part].figure
    (changes,) = (axes for axes in figure.axes if axes.get_xlabel().startswith("Change"))
    dots = [float(np.asarray(line.get_xdata())[0]) for line in changes.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([0.4, -1.2])
    assert "by \N{MINUS SIGN}1.2 to +0.4 points; its 95 % interval is +1 to +24" in drawn[part].title
    assert "As declared: +15" in text_of(figure)


def test_rows_that_nothing_moves_are_not_drawn(tornado: Sensitivity, cohort: Cohort) -> None:
    table = tornado.tables["tornado"]
    centre = table["outcome_at_centre"]
    still = table.assign(swing=0.0, outcome_at_low=centre, outcome_at_high=centre)
    assert pictures(replace(tornado, tables={"tornado": still}), cohort) == []
    little = still.assign(swing=[0.004 - 0.0001 * place for place in range(len(table))])
    (picture,) = pictures(replace(tornado, tables={"tornado": little}), cohort)
    words = text_of(picture.figure)
    assert f"{len(table) - 3} more, each smaller" in words
    assert "each under" not in words


def test_a_decision_with_nothing_to_learn_for_has_no_chart(analysis: Sensitivity) -> None:
    nothing = analysis.tables["evppi"].assign(value=0.0)
    assert pictures(replace(analysis, tables={"evppi": nothing})) == []
