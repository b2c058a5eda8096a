"""End points of an arm that is known at month 0 are fitted, against a Markov chain; of others they are refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from scipy import stats
from scipy.linalg import expm
from sojourn_times import exponential
from worlds import DEATH, chance, decision, sojourn, world

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets
from calibration.predictive import simulated
from calibration.reported.end_points_of_arms import is_known_at_once
from calibration.reported.kinds.events import ToEvent
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence.priors import inside
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Group
from simulator.scenario.scenario import Scenario

HEADER = (
    "name,kind,population,state,attribute,end_point,cause,curve,month,count,n,value,standard_error,lower,upper,"
    "unit,place,use,note\n"
)
RATES = {
    "response": {"hsct": 0.3, "relapse": 0.15, "dead": 0.02},
    "hsct": {"relapse": 0.05, "dead": 0.03},
    "no_response": {"dead": 0.4},
    "untreated": {"dead": 0.25},
    "relapse": {"dead": 0.3},
}
"""Constant hazards a month."""
SHARE_TREATED, SHARE_RESPONDING = 0.6, 0.7
STAYS = {name: sojourn(**{to: exponential(rate=rate) for to, rate in to.items()}) for name, to in RATES.items()}
CLINIC = world(
    "ill",
    {
        "ill": decision(treatment=SHARE_TREATED, untreated="rest"),
        "treatment": chance(response=SHARE_RESPONDING, no_response="rest"),
        **STAYS,
        "dead": DEATH,
    },
    groups={
        "treated": "treatment", "responders": "response", "hsct": "hsct", "untreated": "untreated",
        "other": ("treatment", "hsct"),
    },
)  # fmt: skip
ARMS = {name: [name] for name in ("treated", "responders", "hsct", "untreated")} | {"either": ["hsct", "other"]}
EFS = {"efs": {"causes": {"relapse": "relapse", "death": "dead"}}}
STARTS = {
    "responders": {"response": 1.0},
    "treated": {"response": SHARE_RESPONDING, "no_response": 1.0 - SHARE_RESPONDING},
    "either": {"response": SHARE_RESPONDING, "no_response": 1.0 - SHARE_RESPONDING},
    "untreated": {"untreated": 1.0},
}


def first_events(arm: str, month: float) -> tuple[float, float]:
    """The chances of a first relapse, and of a death before one, by a month: the chain with relapse as an end."""
    names = [*RATES, "dead"]
    matrix = np.zeros((len(names), len(names)))
    for state, onward in RATES.items():
        for to, rate in onward.items() if state != "relapse" else ():
            matrix[names.index(state), names.index(to)] = rate
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    there = np.array([STARTS[arm].get(name, 0.0) for name in names]) @ expm(month * matrix)
    return float(there[names.index("relapse")]), float(there[names.index("dead")])


def free(arm: str, month: float) -> float:
    return 1.0 - sum(first_events(arm, month))


def row(name: str, kind: str, population: str, month: float, **cells: object) -> str:
    filled = {"place": "made up", "use": "likelihood", "end_point": "efs", "n": 40, **cells}
    filled |= {"name": name, "kind": kind, "population": population, "month": month}
    return ",".join(str(filled.get(column, "")) for column in HEADER.strip().split(","))


def load(folder: Path, *rows: str, **tables: object) -> Targets:
    about = {"clock": "start", "n": 100, "arms": ARMS, "end_points": EFS, **tables}
    return write_cohort(folder, CLINIC, rows, header=HEADER, **about)


@pytest.mark.parametrize("arm", STARTS)
def test_incidence_and_event_free_survival_of_an_arm_are_binomials_of_its_own_first_events(
    arm: str, tmp_path: Path
) -> None:
    rows = [row(f"i{month}", "incidence", arm, month, cause="relapse", value=25) for month in (3, 12)]
    parts = Likelihood(load(tmp_path, *rows, row("efs", "survival", arm, 6, value=45))).parts({})
    for month in (3.0, 12.0):
        expected = stats.binom.logpmf(10, 40, first_events(arm, month)[0])
        assert parts[f"relapse in efs of {arm} at month {month:g}"] == pytest.approx(expected, abs=1e-6)
    assert parts[f"efs of {arm} at month 6"] == pytest.approx(stats.binom.logpmf(18, 40, free(arm, 6.0)), abs=1e-6)


def test_figures_of_causes_with_one_name_are_all_fitted(tmp_path: Path) -> None:
    """Death without relapse and death of any kind are both called death: either row moves the likelihood."""
    ends = EFS | {"os": {"causes": {"death": "dead"}}}
    both = [row(end, "incidence", "treated", 12, end_point=end, cause="death", value=20) for end in ends]

    def log_likelihood(*rows: str) -> float:
        (tmp_path / str(len(rows)) / rows[0][:3]).mkdir(parents=True)
        return float(Likelihood(load(tmp_path / str(len(rows)) / rows[0][:3], *rows, end_points=ends))({})[0])

    assert log_likelihood(*both) == pytest.approx(sum(map(log_likelihood, both)), abs=1e-9)


def test_a_curve_of_an_arm_is_the_multinomial_of_its_first_events_by_interval(tmp_path: Path) -> None:
    points = [(2.0, 30, 75.0), (6.0, 18, 45.0), (15.0, 6, 15.0)]
    rows = [row(f"n{month:g}", "at_risk", "treated", month, curve="efs", count=at) for month, at, _ in points]
    rows += [
        row(f"s{month:g}", "survival", "treated", month, curve="efs", value=share, n="") for month, _, share in points
    ]
    parts = Likelihood(load(tmp_path, *rows)).parts({})
    alive = [1.0, *(free("treated", month) for month, *_ in points), 0.0]
    expected = stats.multinomial.logpmf([10, 12, 12, 6], 40, -np.diff(alive))
    np.testing.assert_allclose(parts["efs of treated"], [expected], rtol=0, atol=1e-5)


def test_single_patients_of_an_arm_enter_by_its_own_event_free_survival(tmp_path: Path) -> None:
    """An event at 3.4 months is one between 3.35 and 3.45; a patient censored at 7 is free of it then."""
    lines = [f"{arm},efs,{times}" for arm in ("treated", "untreated") for times in ("3.4,1", "12.0,1", "7,0")]
    (tmp_path / "patients.csv").write_text("\n".join(["population,end_point,month,event", *lines, ""]))
    rows = [row(f"times_{arm}", "patient_times", arm, 6, n=3) for arm in ("treated", "untreated")]
    parts = Likelihood(load(tmp_path, *rows)).parts({})
    for arm in ("treated", "untreated"):
        events = sum(np.log(free(arm, month - 0.05) - free(arm, month + 0.05)) for month in (3.4, 12.0))
        np.testing.assert_allclose(parts[f"times_{arm} of {arm}"], [events + np.log(free(arm, 7.0))], rtol=0, atol=1e-3)


def test_simulated_patients_of_an_arm_who_are_lost_to_follow_up_have_the_events_that_are_fitted(tmp_path: Path) -> None:
    """20,000 patients, followed for 2 to 20 months: within 5 standard errors, without any censoring, times 2."""
    rows = [
        row("cir", "incidence", "treated", 12, cause="relapse", value=25),
        row("efs", "survival", "either", 12, value=45),
    ]
    targets = load(tmp_path, *rows, n=20_000, follow_up={"lower": 2.0, "upper": 20.0})
    likelihood = Likelihood(targets)
    shares = map(partial(likelihood.share, likelihood.followed(resolve(targets.scenario))), targets.percentages)
    cohort = simulated(targets, {}, number=1)
    for figure, (share,) in zip(targets.figures, shares, strict=True):
        assert isinstance(figure, ToEvent)
        patients = cohort.members(figure.population)
        error = np.sqrt(share * (1.0 - share) / patients.sum())
        assert figure.simulated(cohort, patients) == pytest.approx(share, abs=10 * error)


@pytest.mark.parametrize("arm", ["hsct", "other_treated"])
@pytest.mark.parametrize("kind", ["incidence", "survival"])
def test_an_end_point_of_an_arm_that_forms_later_is_refused_with_what_can_be_done(
    kind: str, arm: str, tmp_path: Path
) -> None:
    cause = {"cause": "relapse"} if kind == "incidence" else {}
    with pytest.raises(
        InputError, match="line 2, population: an end point of an arm that patients join or leave"
    ) as error:
        load(tmp_path, row("x", kind, arm, 6, value=45, **cause), arms={**ARMS, "other_treated": ["other"]})
    assert "`entered` or `deaths` of this arm by a month" in str(error.value)
    assert load(
        tmp_path, row("x", kind, arm, 6, value=45, use="predictive", **cause), arms={**ARMS, "other_treated": ["other"]}
    )


@pytest.mark.parametrize(
    ("arm", "levers", "known"),
    [
        (("treated",), {}, True),
        (("hsct", "other_treated"), {}, True),
        (("hsct",), {}, False),
        (("other_treated",), {}, False),
        (("immunotherapy",), {}, True),
        (("immunotherapy",), {"second_salvage_uptake": 0.2}, False),
        (("reinfusion",), {}, True),
        (("reinfusion",), {"reinfusion_preparation_months": 1.0}, False),
    ],
)
def test_who_has_a_salvage_is_known_at_relapse_unless_it_can_be_the_second_or_has_to_be_prepared(
    arm: tuple[str, ...], levers: dict[str, float], known: bool
) -> None:
    pathway = load_pathway("b_all_post_cd19")
    named = {"immunotherapy": "immunotherapy", "reinfusion": "car_t_reinfusion"}
    groups = {**pathway.groups, **{name: Group(name, name, (state,)) for name, state in named.items()}}
    scenario = Scenario("arms", replace(pathway, groups=groups), set=levers)
    assert is_known_at_once(arm, resolve(scenario, inside(scenario.pathway))) is known
