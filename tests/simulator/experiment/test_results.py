"""What a finished run keeps: every parameter set's outcomes, from which each row of the outcomes can be made again."""

from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter, signature
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import scenarios_in, share, two_state

import simulator
from simulator import Results, compare
from simulator.experiment.settings import Settings

KEYWORD_ONLY = Parameter.KEYWORD_ONLY
KEYS = ["scenario", "clock", "population"]


@pytest.fixture(scope="module")
def compared() -> Results:
    """Salvage as today, and wider: what patients gain is optimistic, cautious, and just worth it."""
    return compare("baseline", "wider-salvage", draws=6, horizon=24.0)


@pytest.fixture(scope="module")
def simulated() -> Results:
    return compare("baseline", "wider-salvage", draws=2, engine="microsim", patients=300, horizon=24.0)


def by_draw(results: Results, name: str, **where: str) -> np.ndarray:
    assert results.draws is not None
    rows = results.draws
    for key, value in ({"clock": "relapse", "population": "all"} | where).items():
        rows = rows[rows[key] == value]
    return rows.sort_values("draw")[name].to_numpy()


def test_every_parameter_set_has_a_row_a_scenario_clock_and_population(compared: Results) -> None:
    assert compared.draws is not None
    assert set(compared.draws.groupby(KEYS)["draw"].agg(list).map(tuple)) == {tuple(range(1, 7))}
    whole = set(map(tuple, compared.outcomes[KEYS].drop_duplicates().to_numpy()))
    assert set(map(tuple, compared.draws[KEYS].drop_duplicates().to_numpy())) == whole


def test_an_estimate_is_the_mean_over_parameter_sets_and_its_interval_their_quantiles(compared: Results) -> None:
    """Exact: nothing but the parameters differs, so that NumPy's own quantiles are the interval's ends."""
    assert compared.draws is not None
    rows = compared.outcomes[~compared.outcomes["outcome"].str.contains("median|break_even|draws_with")]
    of_population = dict(list(compared.draws.groupby(KEYS)))
    for row in rows.to_dict("records"):
        values = of_population[tuple(row[key] for key in KEYS)][row["outcome"]].to_numpy()
        values = values[~np.isnan(values)]
        if not values.size:
            assert np.isnan(row["estimate"])
            continue
        ends = np.quantile(values, [0.025, 0.975])
        np.testing.assert_allclose(row["estimate"], values.mean(), rtol=1e-7)
        np.testing.assert_allclose([row["lower"], row["upper"]], ends, rtol=1e-7, atol=1e-9)


def test_a_difference_is_that_of_the_same_parameter_set(compared: Results) -> None:
    more = by_draw(compared, "os_12", scenario="wider-salvage") - by_draw(compared, "os_12", scenario="baseline")
    outcomes = compared.outcomes.set_index([*KEYS, "outcome"]).sort_index()
    row = outcomes.loc[("wider-salvage", "relapse", "all", "os_12")]
    assert row["difference"] == pytest.approx(more.mean(), rel=1e-7)
    assert [row["difference_lower"], row["difference_upper"]] == pytest.approx(np.quantile(more, [0.025, 0.975]))
    assert row["difference_same_sign"] == np.mean(more > 0.0)


def test_the_probability_that_a_policy_pays_is_the_share_of_parameter_sets_in_which_it_does(compared: Results) -> None:
    pays = by_draw(compared, "draws_with_5_more_at_12", scenario="wider-salvage@cohorts")
    alive, today = (by_draw(compared, "os_12", scenario=name) for name in ("wider-salvage@cohorts", "baseline"))
    np.testing.assert_array_equal(pays, (alive >= today + 0.05 - 1e-9).astype(float))
    rows = compared.outcomes[compared.outcomes["outcome"] == "draws_with_5_more_at_12"].set_index("scenario")
    assert rows.loc["wider-salvage@cohorts", "estimate"] == pytest.approx(pays.mean())


def test_a_median_that_is_not_reached_is_infinite_and_a_group_without_patients_empty(compared: Results) -> None:
    medians = by_draw(compared, "median_os", population="hsct", scenario="wider-salvage")
    survival = by_draw(compared, "os_60", population="hsct", scenario="wider-salvage")
    assert np.isinf(medians[survival > 0.55]).all()
    nobody = compare("no-hsct", draws=3, horizon=24.0)
    assert np.isnan(by_draw(nobody, "os_12", population="hsct")).all()


@pytest.mark.parametrize(("cured", "difference"), [(0.2, None), (0.45, None), (0.2, "reached")])
def test_medians_that_most_parameter_sets_do_not_reach_have_no_difference(
    cured: float, difference: str | None, tmp_path: Path
) -> None:
    """Today's practice cures 60 %, 60 % and 30 %, or 30 % in most sets; the policy as many in every set."""
    often = [0.3, 0.3, 0.6] if difference else [0.6, 0.6, 0.3]
    ill = two_state(exponential(mean=6, cure="cured"), parameters={"cured": share(0.5, lever=True)}, draws="draws.csv")
    declare = scenarios_in(tmp_path, ill)
    (tmp_path / "draws.csv").write_text("\n".join(["cured", *map(str, often)]) + "\n", encoding="utf-8")
    today, policy = declare("", "today"), declare(f"[set]\ncured = {cured}\n")
    rows = compare(today, policy).outcomes.set_index(["scenario", "population", "outcome"])
    row = rows.loc[("policy", "all", "median_os")]
    assert np.isfinite(row["estimate"])
    if difference is None:
        assert np.isnan(row["difference"])
        return
    # In the set that does not reach it, the policy's median is earlier by any number of months.
    medians = [-6 * np.log(1 - 0.5 / (1 - cure)) for cure in (0.3, cured)]
    assert row["difference"] == pytest.approx(medians[1] - medians[0], abs=0.01)


def test_simulated_outcomes_carry_each_parameter_sets_monte_carlo_error(simulated: Results) -> None:
    alive, error = (by_draw(simulated, name, scenario="baseline") for name in ("os_12", "os_12_monte_carlo_se"))
    np.testing.assert_allclose(error, np.sqrt(alive * (1 - alive) / 300), rtol=1e-6)


@pytest.mark.parametrize("function", [simulator.run, simulator.compare, simulator.sweep])
def test_the_options_are_arguments_with_names_types_and_the_settings_defaults(function: Callable[..., object]) -> None:
    """What an editor completes, and what `help` shows; a name that is none, the nearest."""
    options = {name: option for name, option in signature(function).parameters.items() if option.kind == KEYWORD_ONLY}
    for field in fields(Settings):
        if field.name in options:
            assert options[field.name].default == field.default
            assert options[field.name].annotation == field.type
    assert {"engine", "patients", "draws", "seed", "horizon", "jobs", "replications", "overload"} <= options.keys()
    given = ("baseline", {}) if function is simulator.sweep else ("baseline",)
    with pytest.raises(TypeError, match=r"drws.*did you mean .draws"):
        function(*given, drws=3)


def test_the_file_holds_the_same(compared: Results, tmp_path: Path) -> None:
    compared.write(tmp_path / "run")
    written = pd.read_csv(tmp_path / "run" / "outcomes_by_draw.csv").drop(columns="label")
    assert compared.draws is not None
    pd.testing.assert_frame_equal(written, compared.draws, rtol=1e-7, check_dtype=False)
