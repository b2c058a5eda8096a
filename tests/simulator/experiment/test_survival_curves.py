"""Overall survival of some draws at some months is that of a run."""

import numpy as np
import pandas as pd
import pytest

from simulator import InputError, run, survival_curves
from simulator.evidence.draws import load_informed_draws
from simulator.scenario.scenario import load_scenario

POPULATIONS = ["all", "hsct", "cd19=unknown"]


def test_survival_at_a_month_is_that_of_a_run_draw_by_draw() -> None:
    curves = survival_curves("wider-salvage@0.4", 3, [6, 12, 24], POPULATIONS)
    draws = run("wider-salvage@0.4", draws=3, engine="exact").draws.query("scenario == 'wider-salvage@0.4'")
    for name in POPULATIONS:
        rows = draws[(draws.clock == "relapse") & (draws.population == name)]
        expected = rows[["os_6", "os_12", "os_24"]].to_numpy(dtype=float)
        np.testing.assert_allclose(curves[name], expected, rtol=0, atol=1e-7, err_msg=name)


def test_the_means_are_those_of_the_runs_curve() -> None:
    months = np.arange(0.0, 61.0)
    curves = survival_curves("baseline", 5, months)
    survival = run("baseline", draws=5, engine="exact", horizon=60).survival
    rows = survival[(survival.clock == "relapse") & (survival.population == "all") & survival.month.isin(months)]
    np.testing.assert_allclose(curves["all"].mean(axis=0), rows.survival, rtol=0, atol=1e-7)
    assert curves["all"].shape == (5, 61)
    assert np.all(curves["all"][:, 0] == 1.0)


def test_parameter_sets_of_ones_own_are_followed_in_their_order() -> None:
    table = load_informed_draws(load_scenario("baseline").pathway)
    assert isinstance(table, pd.DataFrame)
    chosen = table.iloc[[5, 2]]
    both = survival_curves("baseline", chosen)["all"]
    for row, place in enumerate((5, 2)):
        alone = survival_curves("baseline", table.iloc[[place]])["all"][0]
        np.testing.assert_allclose(both[row], alone, rtol=0, atol=1e-9)


TABLE = load_informed_draws(load_scenario("baseline").pathway)
LIST = r"allowed: a list of numbers from 0 to 12,000, as \[6, 12\]"


@pytest.mark.representatives(8)
@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"months": []}, f"months: no months; .*{LIST}"),
        ({"months": 12}, f"months: not a list of months; got 12; {LIST}"),
        ({"months": "12"}, f"months: not a list of months; got '12'; {LIST}"),
        ({"months": ["12"]}, f"months: not a month; got '12'; {LIST}"),
        ({"months": [True]}, f"months: not a month; got True; {LIST}"),
        ({"months": [3, -1.0]}, f"months: not a month; got -1.0; {LIST}"),
        ({"months": [float("nan")]}, f"months: not a month; got nan; {LIST}"),
        ({"months": [float("inf")]}, f"months: not a month; got inf; {LIST}"),
        ({"months": [20_000]}, f"months: not a month; got 20000; {LIST}"),
        ({"populations": ["hsc"]}, "populations: unknown population; got 'hsc'; .*did you mean 'hsct'"),
        ({"populations": "hsct"}, r"""populations: not a list; got 'hsct'; allowed: a list, as \["hsct"\]"""),
        ({"populations": 5}, r"""populations: not a list; got 5; allowed: a list, as \["all"\]"""),
        ({"draws": 10_000_000}, "--draws: too many draws"),
        ({"draws": 0}, "--draws: too few draws are requested; got 0; allowed: 1 to"),
        ({"draws": 2.5}, "draws: no parameter sets; got 2.5; allowed: a whole number, or a pandas table"),
        ({"draws": True}, "draws: no parameter sets; got True; allowed: a whole number, or a pandas table"),
        ({"draws": TABLE.iloc[:0]}, "draws: no draws; allowed: a row"),
        ({"draws": TABLE.drop(columns="salvage_uptake")}, "draws: a parameter with a prior is missing; .*uptake"),
        ({"draws": TABLE.rename(columns={"salvage_uptake": "salvage"})}, "header, column .*unknown parameter"),
        ({"draws": TABLE.assign(salvage_uptake=np.nan)}, "draws: line 1, salvage_uptake: an empty cell"),
        ({"draws": TABLE.assign(salvage_uptake="half")}, "line 1, salvage_uptake: not a number; got 'half'"),
        ({"draws": TABLE.assign(salvage_uptake=1.5)}, "line 1, salvage_uptake: value outside its unit"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_is_allowed(options: dict[str, object], what: str) -> None:
    with pytest.raises(InputError, match=what):
        survival_curves("baseline", **{"draws": 2, **options})  # type: ignore[arg-type]


def test_what_is_no_scenario_is_refused() -> None:
    with pytest.raises(InputError, match="scenario: not a scenario; got 5; allowed: a name, a file, or a Scenario"):
        survival_curves(5)  # type: ignore[arg-type]


def test_a_centre_with_limited_beds_is_refused() -> None:
    with pytest.raises(InputError, match="no queues"):
        survival_curves("letter-centre", 2)
