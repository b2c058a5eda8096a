"""Curves, single patients, end points and causes in the likelihood, against closed forms at constant hazards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from sojourn_times import exponential
from worlds import DEATH, months, sojourn, world

from calibration.likelihood.likelihood import STEP, Likelihood
from calibration.likelihood.same_patients import SamePatients
from calibration.likelihood.targets import Targets
from calibration.predictive import simulated
from calibration.reported.kinds.curves import Curve
from calibration.reported.kinds.patient_times import Times
from calibration.validation.simulated_targets import simulated_targets
from simulator.errors import InputError

COLUMNS = (
    "name,kind,population,state,attribute,from,end_point,cause,curve,month,count,n,value,standard_error,"
    "unit,place,use,note"
)
PRIOR = {"family": "lognormal", "median": 10, "sigma": 0.5}
DIES = world("ill", {"ill": sojourn(dead=exponential(mean="mean"))}, parameters={"mean": months(10, prior=PRIOR)})
TWO_WAYS = world(
    "ill",
    {
        "ill": sojourn(relapse=exponential(mean="mean"), dead=exponential(mean=20)),
        "relapse": sojourn(dead=exponential(mean=5)),
        "dead": DEATH,
    },
    parameters={"mean": months(10, prior=PRIOR)},
)
EFS = {"efs": {"causes": {"relapse": "relapse", "death": "dead"}}}
MEANS = np.array([4.0, 10.0, 25.0])


def row(name: str, kind: str, **cells: object) -> str:
    filled = {"population": "all", "place": "made up", "use": "likelihood", "name": name, "kind": kind, **cells}
    return ",".join(str(filled.get(column, "")) for column in COLUMNS.split(","))


def load(folder: Path, pathway: dict[str, object], *rows: str, n: int = 40, **tables: object) -> Targets:
    return write_cohort(folder, pathway, rows, clock="start", n=n, header=f"{COLUMNS}\n", **tables)


def part(targets: Targets, name: str, step: float = STEP) -> np.ndarray:
    return np.asarray(Likelihood(targets, step).parts({"mean": MEANS[:, None]})[name])


CURVE = [(3.0, 30, 75.0), (8.0, 18, 45.0), (20.0, 6, 15.0)]
"""Month, at risk and percent alive of 40 patients, none of them censored."""


def points(censored: int = 0, **cells: object) -> list[str]:
    at_risk = [
        row(f"n{k}", "at_risk", curve="os", month=t, count=max(at - censored, 0), n=40, **cells)
        for k, (t, at, _) in enumerate(CURVE)
    ]
    return at_risk + [
        row(f"s{k}", "survival", curve="os", month=t, value=alive, **cells) for k, (t, _, alive) in enumerate(CURVE)
    ]


def test_a_curve_without_censoring_is_the_multinomial_of_its_intervals(tmp_path: Path) -> None:
    targets = load(tmp_path, DIES, *points())
    alive = np.exp(-np.array([[0.0, 3.0, 8.0, 20.0, np.inf]]) / MEANS[:, None])
    expected = [stats.multinomial.logpmf([10, 12, 12, 6], 40, -np.diff(chances)) for chances in alive]
    np.testing.assert_allclose(targets.curves[0].log_likelihood(alive[:, 1:4]), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(part(targets, "os of all"), expected, rtol=0, atol=1e-6)


START = {"curve": "os", "month": 0}


@pytest.mark.parametrize("use", ["likelihood", "validation"])
def test_a_curve_that_begins_at_month_0_with_everybody_is_the_curve_without_that_point(
    use: str, tmp_path: Path
) -> None:
    """As a digitiser exports it: 100 % and 40 at risk at month 0."""
    start = [row("s", "survival", value=100, use=use, **START), row("n", "at_risk", count=40, n=40, use=use, **START)]
    without = load(tmp_path, DIES, *points(use=use))
    targets = load(tmp_path, DIES, *start, *points(use=use))
    assert targets.curves == without.curves
    assert [figure.name for figure in targets.figures] == [figure.name for figure in without.figures]
    assert [figure.line for figure in targets.figures] == [figure.line + 2 for figure in without.figures]
    assert len(targets.cohort.targets) == len(targets.figures)


def test_patients_censored_within_an_interval_count_half(tmp_path: Path) -> None:
    """5 of 40 are censored before month 3, and survive it as the others: d of 40 - c / 2."""
    (curve,) = load(tmp_path, DIES, *points(censored=5)).curves
    assert isinstance(curve, Curve)
    died, censored = curve.events[0], 40 - 25 - curve.events[0]
    assert died / (40 - censored / 2) == pytest.approx(0.25, abs=1e-12)
    assert curve.patients[0] == pytest.approx(40 - censored / 2, abs=1e-12)


def test_single_patients_enter_by_the_months_that_are_printed(tmp_path: Path) -> None:
    """An event at 3.4 months is one between 3.35 and 3.45; a patient censored at 7 is alive then."""
    (tmp_path / "patients.csv").write_text("population,month,event\nall,3.4,1\nall,12.0,1\nall,7,0\nall,31.5,0\n")
    targets = load(tmp_path, DIES, row("os", "patient_times", month=6, n=4), n=4)
    hazard = 1 / MEANS
    events = sum(np.log(np.exp(-hazard * (t - 0.05)) - np.exp(-hazard * (t + 0.05))) for t in (3.4, 12.0))
    expected = events - hazard * (7 + 31.5)
    (times,) = targets.curves
    assert isinstance(times, Times)
    alive = np.exp(-np.array([times.months]) / MEANS[:, None])
    np.testing.assert_allclose(times.log_likelihood(alive), expected, rtol=0, atol=1e-9)
    # Months between the edges of cells: a quarter of the cells leaves a hundredth of the error.
    np.testing.assert_allclose(part(targets, "os of all"), expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(part(targets, "os of all", STEP / 4), expected, rtol=0, atol=1e-6)
    assert targets.figures[0].reported == 75.0


def test_a_cumulative_incidence_is_a_binomial_of_its_competing_risk(tmp_path: Path) -> None:
    targets = load(
        tmp_path,
        TWO_WAYS,
        row("cir", "incidence", end_point="efs", cause="relapse", month=6, n=40, value=25),
        end_points=EFS,
    )
    total = 1 / MEANS + 1 / 20
    share = (1 / MEANS / total) * (1 - np.exp(-total * 6))
    np.testing.assert_allclose(
        part(targets, "relapse in efs of all at month 6"), stats.binom.logpmf(10, 40, share), atol=1e-6
    )
    np.testing.assert_allclose(
        targets.percentages[0].log_likelihood(share), stats.binom.logpmf(10, 40, share), atol=1e-9
    )


def test_a_simulated_cohort_prints_its_own_incidence(tmp_path: Path) -> None:
    relapses = row("cir", "incidence", end_point="efs", cause="relapse", month=6, n=40, value=25)
    cohort = simulated(load(tmp_path, TWO_WAYS, relapses, end_points=EFS), {"mean": 5.0}, number=1)
    (printed,) = simulated_targets(cohort).percentages
    ((_, months),) = cohort.block.entered["relapse"]
    assert (printed.alive, printed.n, printed.cause) == (pytest.approx((months <= 6.0).sum()), 40, "relapse")


def test_survival_without_an_end_point_is_a_binomial(tmp_path: Path) -> None:
    targets = load(
        tmp_path, TWO_WAYS, row("efs_6", "survival", end_point="efs", month=6, n=40, value=55), end_points=EFS
    )
    share = np.exp(-(1 / MEANS + 1 / 20) * 6)
    np.testing.assert_allclose(part(targets, "efs of all at month 6"), stats.binom.logpmf(22, 40, share), atol=1e-6)


def test_points_of_one_curve_are_no_rows_of_the_same_patients_but_two_curves_are(tmp_path: Path) -> None:
    assert SamePatients(load(tmp_path, DIES, *points())).sentences() == []
    later = row("os_12", "survival", month=12, n=40, value=30)
    (sentence,) = SamePatients(load(tmp_path, DIES, *points(), later)).sentences()
    assert "lines 2 to 8 (lines 2 to 7: one curve) count the same patients, but" in sentence
    assert 'Give one of them use = "predictive"' in sentence
    assert SamePatients(load(tmp_path, DIES, *points(use="predictive"), later)).sentences() == []


REFUSED = {
    "a point without its number at risk": (
        [points()[3]],
        r"line 2, month: a point of curve os without the number at risk; got '3'; allowed: an `at_risk` row",
    ),
    "numbers at risk alone": (points()[:3], r"line 2, curve: numbers at risk of a curve without a point"),
    "numbers at risk of no curve": (
        [row("n", "at_risk", month=3, count=30, n=40)],
        "numbers at risk without their curve",
    ),
    "more at risk than survive": (
        [points()[0], row("s0", "survival", curve="os", month=3, value=60)],
        "line 3 and .*line 2: 30 at risk of 40 before, while survival goes to 60 %",
    ),
    "a curve that rises": (
        [*points()[:2], points()[3], row("s1", "survival", curve="os", month=8, value=80)],
        "line 5 and .*no rising curve",
    ),
    "a curve of two sets of patients": (
        [points()[0], row("s0", "survival", curve="os", month=3, value=75, end_point="efs")],
        "curve os is of two sets of patients or events",
    ),
    "a curve that does not begin at 100 %": (
        [row("s", "survival", value=98, **START), *points()],
        "line 2, month: a month that is not simulated; got '0'; allowed: .*; at month 0, survival of 100 % and all `n`",
    ),
    "fewer than all at risk at month 0": (
        [row("n", "at_risk", count=39, n=40, **START), *points()],
        "line 2, month: a month that is not simulated; got '0'",
    ),
    "another n at month 0": (
        [row("n", "at_risk", count=39, n=39, **START), *points()],
        "line 2 and .*line 3, n: 39 patients at month 0 of curve os, and another n; got '40'; allowed: 39",
    ),
    "survivors at month 0": (
        [row("s", "survivors", count=40, n=40, month=0)],
        "line 2, month: a month that is not simulated; got '0'",
    ),
    "months from a state": (
        [row("s", "survival", **{"from": "ill"}, month=3, value=75, n=40)],
        "from: months from a state cannot be fitted",
    ),
    "a hazard ratio": (
        [row("q", "restricted_mean", month=12, value=7)],
        "a kind that cannot be fitted; got 'restricted_mean'; allowed: use = \"predictive\"",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_fitted_is_refused_with_its_line(case: str, tmp_path: Path) -> None:
    rows, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        load(tmp_path, DIES, *rows, end_points={"efs": {"causes": {"death": "dead"}}})


PATIENTS = {
    "no file": (None, 4, "patients.csv: no times of patients; allowed: columns population, month, event"),
    "another number of them": (
        "all,3.4,1\n",
        4,
        r"line 2, n: n is not the number of rows of all in patients.csv; got '4'; allowed: 1",
    ),
    "patients of a misspelt population": (
        "all,3,1\nal,5,1\n",
        1,
        r"patients.csv: line 3: no row of kind patient_times is of this patient; got 'al'; allowed: all",
    ),
    "a month below 0": ("all,-1,1\n", 1, r"patients.csv: line 2, month: not a time; got '-1'"),
    "neither an event nor none": (
        "all,3,2\n",
        1,
        r"patients.csv: line 2, event: not an event; got '2'; allowed: 1 for an event",
    ),
}


@pytest.mark.parametrize("case", PATIENTS)
def test_patients_that_cannot_be_read_are_refused_with_their_line(case: str, tmp_path: Path) -> None:
    patients, n, message = PATIENTS[case]
    if patients is not None:
        (tmp_path / "patients.csv").write_text(f"population,month,event\n{patients}")
    with pytest.raises(InputError, match=message):
        load(tmp_path, DIES, row("os", "patient_times", month=6, n=n))
