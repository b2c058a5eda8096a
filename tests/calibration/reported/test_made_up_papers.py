"""Three papers that never were, which use every kind of figure: predictions against patients counted one by one.

A paper's figures of a simulated cohort are computed again from the events of its patients, in plain loops.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp, inf, log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_paper import DEATHS, EFS, paper, written
from scipy import optimize, stats

from calibration.predictive import predict, simulate_figures, simulated
from calibration.reported.simulated_cohort import SimulatedCohort
from simulator.errors import InputError


@dataclass(frozen=True)
class Patient:
    """Months of entries by state, and of last follow-up, both from relapse."""

    entered: dict[str, list[float]]
    followed: float

    def to(self, states: Iterable[str], since: float = 0.0) -> float:
        return min((month for state in states for month in self.entered.get(state, []) if month >= since), default=inf)

    def has(self, state: str) -> bool:
        return self.to([state]) <= self.followed


def patients_of(cohort: SimulatedCohort) -> list[Patient]:
    patients = [Patient({}, float(end)) for end in cohort.follow_up]
    for state, entries in cohort.block.entered.items():
        for who, months in entries:
            for patient, month in zip(who.tolist(), months.tolist(), strict=True):
                patients[patient].entered.setdefault(state, []).append(month)
    return patients


Course = tuple[float, str]
"""Months seen, and the cause of the event, or ""."""


def courses(patients: Iterable[Patient], causes: dict[str, tuple[str, ...]], since: str = "") -> list[Course]:
    courses = []
    for patient in patients:
        origin = patient.to([since]) if since else 0.0
        if origin > patient.followed:
            continue
        by = {cause: patient.to(states, origin) for cause, states in causes.items()}
        cause = min(by, key=lambda name: by[name])
        seen = by[cause] <= patient.followed
        courses.append((min(by[cause], patient.followed) - origin, cause if seen else ""))
    return courses


@lru_cache
def _steps(of: tuple[Course, ...]) -> list[tuple[float, float, int, int]]:
    """Months of events, with survival after, events and at risk."""
    alive, steps = 1.0, []
    for month in sorted({seen for seen, cause in of if cause}):
        events, at_risk = sum(c != "" and s == month for s, c in of), sum(s >= month for s, _ in of)
        alive *= 1 - events / at_risk
        steps.append((month, alive, events, at_risk))
    return steps


def steps(of: list[Course]) -> list[tuple[float, float, int, int]]:
    return _steps(tuple(of))


def surviving(of: list[Course], month: float) -> float:
    return ([1.0] + [alive for at, alive, *_ in steps(of) if at <= month])[-1]


def incidence(of: list[Course], cause: str, month: float) -> float:
    total, before = 0.0, 1.0
    for at, alive, _, at_risk in steps(of):
        if at <= month:
            total += before * sum(c == cause and s == at for s, c in of) / at_risk
        before = alive
    return total


def quantile(of: list[Course], share: float) -> float:
    """The middle of the interval in which exactly as many have had the event, if there is one."""
    reached = next((at for at, alive, *_ in steps(of) if alive < 1 - share + 1e-12), inf)
    return (reached + next((at for at, alive, *_ in steps(of) if alive < 1 - share - 1e-12), inf)) / 2


def mean_to(of: list[Course], end: float) -> float:
    ends = [0.0, *(at for at, *_ in steps(of) if at < end), end]
    return sum((b - a) * surviving(of, a) for a, b in pairwise(ends))


def hazard_ratio(group: list[Course], others: list[Course]) -> float:
    """The maximum of the partial likelihood, each event a factor."""
    events = [(seen, 1) for seen, cause in group if cause] + [(seen, 0) for seen, cause in others if cause]
    at_risk = [(sum(s >= at for s, _ in group), sum(s >= at for s, _ in others)) for at, _ in events]

    def loss(b: float) -> float:
        parts = zip(events, at_risk, strict=True)
        return -sum(b * mine - log(in_group * exp(b) + rest) for (_, mine), (in_group, rest) in parts)

    return exp(optimize.minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-10}).x)


OS = {"death": DEATHS}
Check = Callable[[list[Patient]], float]


def treated(patients: list[Patient]) -> list[Patient]:
    return [patient for patient in patients if patient.has("salvage")]


def with_hsct(patients: list[Patient]) -> list[Patient]:
    return [patient for patient in patients if patient.has("hsct")]


def responders(patients: list[Patient]) -> list[Patient]:
    return [patient for patient in patients if patient.has("cr")]


def untreated(patients: list[Patient]) -> list[Patient]:
    return [patient for patient in patients if not patient.has("salvage")]


def months_to(patients: list[Patient], state: str, since: str = "") -> list[float]:
    return [p.to([state]) - (p.to([since]) if since else 0.0) for p in patients if p.has(state)]


A_TRIAL: dict[str, tuple[str, Check]] = {
    "efs_12": ("survival,end_point=efs,month=12,value=40,lower=32,upper=49",
               lambda all_: surviving(courses(all_, EFS), 12)),
    "relapses_12": ("incidence,population=treated,end_point=efs,cause=relapse,month=12,value=20,lower=12,upper=30",
                    lambda all_: incidence(courses(treated(all_), EFS), "relapse", 12)),
    "deaths_without_12": ("incidence,end_point=efs,cause=death,month=12,value=41,lower=33,upper=50",
                          lambda all_: incidence(courses(all_, EFS), "death", 12)),
    "median_efs": ("median_survival,end_point=efs,value=5.1,lower=3.9,upper=7.4",
                   lambda all_: quantile(courses(all_, EFS), 0.5)),
    "first_quarter": ("survival_quantile,quantile=25,value=2.2",
                      lambda all_: quantile(courses(all_, OS), 0.25)),
    "last_quarter": ("survival_quantile,population=treated,quantile=75,limit=not_reached,lower=20",
                     lambda all_: quantile(courses(treated(all_), OS), 0.75)),
}  # fmt: skip
FROM_HSCT: dict[str, tuple[str, Check]] = {
    "os_from_hsct_12": ("survival,population=hsct,from_=hsct,month=12,value=70,lower=50,upper=84",
                        lambda all_: surviving(courses(with_hsct(all_), OS, "hsct"), 12)),
    "nrm_12": ("incidence,population=hsct,from_=hsct,end_point=efs,cause=death,month=12,value=22,standard_error=7",
               lambda all_: incidence(courses(with_hsct(all_), EFS, "hsct"), "death", 12)),
    "from_response": ("median_survival,population=responders,from_=cr,limit=at_least,value=12",
                      lambda all_: min(quantile(courses(responders(all_), OS, "cr"), 0.5), 12.0)),
    "hsct_of_responders": ("entered,population=responders,state=hsct,count=11,n=13",
                           lambda all_: sum(patient.has("hsct") for patient in responders(all_)[:13])),
    "time_to_hsct": ("time_quantile,population=hsct,state=hsct,value=4.4",
                     lambda all_: float(np.median(months_to(with_hsct(all_), "hsct")))),
    "time_cr_to_hsct": ("time_quantile,population=hsct,state=hsct,from_=cr,quantile=25,value=1.2",
                        lambda all_: float(np.quantile(months_to(with_hsct(all_), "hsct", "cr"), 0.25))),
    "longest_to_response": ("time_quantile,population=treated,state=response,quantile=100,value=6.5",
                            lambda all_: max(months_to(treated(all_), "response"))),
}  # fmt: skip
A_REGISTRY: dict[str, tuple[str, Check]] = {
    "os_6": ("survival,curve=os,month=6,value=57", lambda all_: surviving(courses(all_, OS), 6)),
    "os_18": ("survival,curve=os,month=18,value=36", lambda all_: surviving(courses(all_, OS), 18)),
    "at_risk_6": ("at_risk,curve=os,month=6,count=85,n=150",
                  lambda all_: sum(seen >= 6 for seen, _ in courses(all_[:150], OS))),
    "efs_at_risk_12": ("at_risk,population=treated,end_point=efs,month=12,count=30,n=90",
                       lambda all_: sum(seen >= 12 for seen, _ in courses(treated(all_)[:90], EFS))),
    "landmark": ("landmark_survival,landmark=3,month=15,value=60,lower=48,upper=70",
                 lambda all_: surviving([c for c in courses(all_, OS) if c[0] > 3], 15)),
    "rmst_24": ("restricted_mean,month=24,value=11.5,lower=9.7,upper=13.3",
                lambda all_: mean_to(courses(all_, OS), 24)),
    "rmst_efs_12": ("restricted_mean,population=treated,end_point=efs,month=12,value=7",
                    lambda all_: mean_to(courses(treated(all_), EFS), 12)),
    "hr": ("hazard_ratio,population=treated,versus=untreated,value=0.35,lower=0.24,upper=0.51",
           lambda all_: hazard_ratio(courses(treated(all_), OS), courses(untreated(all_), OS))),
}  # fmt: skip
PAPERS = {"a trial": A_TRIAL, "transplants": FROM_HSCT, "a registry": A_REGISTRY}


@pytest.mark.parametrize("name", PAPERS)
def test_a_papers_figures_are_those_of_its_patients_counted_one_by_one(name: str, tmp_path: Path) -> None:
    rows = PAPERS[name]
    targets = paper(tmp_path, [written(figure, text) for figure, (text, _) in rows.items()], n=300)
    cohort = simulated(targets, {}, number=1)
    patients = patients_of(cohort)
    for figure in targets.figures:
        among = np.ones(len(patients), dtype=bool)
        if figure.is_count and figure.n < 300:
            chosen = np.flatnonzero(cohort.patients_of(figure))[: int(figure.n)]
            among = np.isin(np.arange(len(patients)), chosen)
        expected = rows[figure.name][1](patients)
        counted = figure.compared(np.asarray(cohort.figure(figure, among)))
        assert float(counted) == pytest.approx(expected, rel=1e-6 if figure.kind == "hazard_ratio" else 1e-9)


@pytest.mark.parametrize("name", PAPERS)
def test_every_figure_of_a_paper_has_a_prediction_in_its_own_unit(name: str, tmp_path: Path) -> None:
    targets = paper(tmp_path, [written(figure, text) for figure, (text, _) in PAPERS[name].items()])

    draws = pd.DataFrame({"uptake": np.linspace(0.4, 0.8, 20)})
    table = predict(targets, draws, lambda work, parts: [work(part) for part in parts]).set_index("target")
    assert list(table.index) == list(PAPERS[name])
    for figure in targets.figures:
        predicted = table.loc[figure.name]
        assert predicted["unit"] == figure.unit_of_figure
        assert not np.isnan(predicted["simulated"])
        assert predicted["inside"] in ("yes", "no")


@pytest.mark.parametrize("population", ["hsct", "responders", "treated", "all"])
def test_without_reported_follow_up_only_patients_who_enter_a_state_count_from_it(
    population: str, tmp_path: Path
) -> None:
    """Responders, too, have an HSCT or never do: the same transplanted patients, whatever population is named."""
    text = f"survival,population={population},from_=hsct,month=12,value=70,lower=50,upper=84"
    written_rows = [written("it", text), written("seen", "median_follow_up,value=20")]
    targets = paper(tmp_path, written_rows, n=300, follow_up=None)
    cohort = simulated(targets, {}, number=1)
    assert (cohort.follow_up == 240.0).all()
    with warnings.catch_warnings(action="error"):
        alive, followed = (cohort.figure(figure) for figure in targets.figures)
    patients = patients_of(cohort)
    assert alive == pytest.approx(surviving(courses(with_hsct(patients), OS, "hsct"), 12), abs=1e-9)
    assert followed == pytest.approx(np.median([min(patient.to(DEATHS), 240.0) for patient in patients]))


@pytest.mark.slow
def test_a_median_time_of_six_transplanted_is_predicted_of_six_transplanted(tmp_path: Path) -> None:
    """To response, and on to HSCT, each before its rival: the median of six sums of two exponential times."""
    targets = paper(
        tmp_path, [written("it", "time_quantile,population=treated,state=hsct,value=4,n=6")], follow_up=None
    )
    medians = simulate_figures(targets, None, slice(0, 300))[:, 0]
    rng, size = np.random.default_rng(1), (20_000, 6)
    times = rng.exponential(1 / (1 / 1.5 + 1 / 10), size) + rng.exponential(1 / (1 / 3 + 1 / 12), size)
    assert stats.ks_2samp(medians, np.median(times, axis=1)).pvalue > 0.01


BAD = {
    "an unknown end point": (
        "survival,end_point=pfs,month=6,value=40,n=20",
        "line 2, end_point: unknown end point; got 'pfs'; allowed: efs",
    ),
    "an unknown cause": (
        "incidence,end_point=efs,cause=relapses,month=6,value=40,n=20",
        r"line 2, cause: unknown cause of efs; got 'relapses'; allowed: relapse, death",
    ),
    "months from an unknown state": (
        "survival,from_=transplant,month=6,value=40,n=20",
        "line 2, from: unknown state; got 'transplant'",
    ),
    "the n of a part from a state": (
        "survival,from_=hsct,month=6,value=40,n=20",
        r"line 2, n: n counts patients who entered hsct, and the population is everybody; got '20'; allowed: 150",
    ),
    "a landmark after its month": (
        "landmark_survival,landmark=12,month=6,value=40",
        "line 2, landmark: a landmark after its month; got '12'; allowed: a month from 0 on, before 6",
    ),
    "no percentage": (
        "landmark_survival,landmark=1,month=6,value=140",
        "line 2, value: not a percentage; got '140'; allowed: 0 to 100",
    ),
    "no median": (
        "median_survival,lower=3,upper=9",
        "a time that is reached, or that is not; got .blank.; allowed: a `value`; or `limit`",
    ),
    "a median that is reached and is not": (
        "median_survival,value=5,limit=not_reached",
        "line 2, value: a time that is reached, or that is not; got '5'",
    ),
    "an unknown limit": (
        "median_survival,value=5,limit=above",
        "line 2, limit: unknown limit; got 'above'; allowed: not_reached, at_least, at_most",
    ),
    "a median time to a state after the last follow-up": (
        "time_quantile,population=treated,state=hsct,value=41",
        r"line 2, value: time quantile after the last follow-up; got '41'; allowed: up to 40, or a later end of",
    ),
    "no quantile": (
        "survival_quantile,value=5,quantile=120",
        "line 2, quantile: not a quantile; got '120'; allowed: percent of patients with the event",
    ),
    "an interval without its median": (
        "median_survival,value=5,lower=6,upper=9",
        "line 2: not a 95 % interval of its value; got '5, 6 to 9'",
    ),
    "the upper end of an interval alone": ("median_survival,value=5,upper=9", "line 2: half an interval; got '9'"),
    "a mean above its month": (
        "restricted_mean,month=12,value=13",
        "line 2, value: not a mean to its month; got '13'; allowed: 0 to 12",
    ),
    "a hazard ratio of a group to itself": (
        "hazard_ratio,population=hsct,versus=hsct,value=0.5",
        "line 2, versus: unknown population; got 'hsct'; allowed: treated",
    ),
    "a hazard ratio to everybody, the group included": (
        "hazard_ratio,population=treated,versus=all,value=0.5",
        "line 2, versus: populations that are compared have patients in common; got 'treated and all'; allowed: in `v",
    ),
    "a hazard ratio to an arm that the group is part of": (
        "hazard_ratio,population=hsct,versus=treated,value=0.5",
        "line 2, versus: populations that are compared have patients in common; got 'hsct and treated'",
    ),
    "a hazard ratio of a level to an arm": (
        "hazard_ratio,population=sex=female,versus=treated,value=0.5",
        "line 2, versus: populations that are compared have patients in common; got 'sex=female and treated'",
    ),
    "a hazard ratio below 0": (
        "hazard_ratio,population=hsct,versus=untreated,value=-1",
        "line 2, value: not a hazard ratio; got '-1'; allowed: above 0",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_figure_is_refused_with_its_line_and_what_is_allowed(case: str, tmp_path: Path) -> None:
    text, message = BAD[case]
    with pytest.raises(InputError, match=message):
        paper(tmp_path, [written("it", text)])


def test_an_end_point_of_an_unknown_state_is_refused(tmp_path: Path) -> None:
    message = r"cohort.toml: \[end_points.efs\] causes.death: unknown state; got 'gone'"
    with pytest.raises(InputError, match=message):
        paper(tmp_path, [], end_points={"efs": {"causes": {"death": "gone"}}})


def test_a_simulated_median_beyond_a_limit_counts_as_the_limit(tmp_path: Path) -> None:
    rows = [written("it", f"median_survival,value=2,limit={limit}") for limit in ("at_least", "at_most")]
    rows = [row.replace("it,", f"it{place},", 1) for place, row in enumerate(rows)]
    cohort = simulated(paper(tmp_path, rows), {}, number=1)
    plain = written("it", "median_survival,value=2")
    (tmp_path / "other").mkdir()
    (median,) = paper(tmp_path / "other", [plain]).figures
    of_cohort = cohort.figure(median)
    assert [cohort.figure(figure) for figure in cohort.targets.figures] == [of_cohort, of_cohort]
    compared = [float(figure.compared(np.asarray(of_cohort))) for figure in cohort.targets.figures]
    assert compared == [min(of_cohort, 2.0), max(of_cohort, 2.0)]


def test_months_to_the_first_event_have_closed_forms_at_constant_hazards(tmp_path: Path) -> None:
    """Untreated patients die at 1 / 3 a month: 20,000 patients, within five standard errors."""
    first_quarter = "survival_quantile,population=untreated,quantile=25,value=1"
    rows = [first_quarter, "restricted_mean,population=untreated,month=6,value=2.6"]
    targets = paper(tmp_path, [written(f"it{place}", row) for place, row in enumerate(rows)], n=20_000)
    first, mean = (simulated(targets, {}, number=1).figure(figure) for figure in targets.figures)
    assert first == pytest.approx(3 * log(4 / 3), abs=5 * 3 * (0.25 / 0.75 / 8000) ** 0.5)
    assert mean == pytest.approx(3 * (1 - exp(-2)), abs=5 * 3 / 8000**0.5)
