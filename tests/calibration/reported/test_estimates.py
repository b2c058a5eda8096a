"""Estimates of censored patients contradict one another only where no cohort, however it is followed, can give both."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from made_up_cohort import write_cohort
from made_up_paper import COLUMNS, DEATHS, EFS, paper, written
from sojourn_times import exponential
from worlds import policies_of_the_default_suite, slow, sojourn, world

from calibration.predictive import simulated
from calibration.reported import contradictions
from calibration.reported.kinds.kind import Kind
from calibration.reported.simulated_cohort import Observed, SimulatedCohort
from simulator.errors import InputError
from simulator.outcomes.cumulative_incidence import CENSORED

CONTRADICTIONS = {
    "event-free survival that rises": (
        "survival,end_point=efs,month=6,value=30",
        "survival,end_point=efs,month=12,value=40",
    ),
    "an incidence that falls": (
        "incidence,end_point=efs,cause=relapse,month=6,value=30,n=150",
        "incidence,end_point=efs,cause=relapse,month=12,value=20,n=150",
    ),
    "causes and survival of more than everybody": (
        "survival,end_point=efs,month=12,value=50",
        "incidence,end_point=efs,cause=relapse,month=12,value=35,n=150",
        "incidence,end_point=efs,cause=death,month=12,value=20,n=150",
    ),
    "causes and survival of less than everybody": (
        "survival,end_point=efs,month=12,value=40",
        "incidence,end_point=efs,cause=relapse,month=12,value=35,n=150",
        "incidence,end_point=efs,cause=death,month=12,value=20,n=150",
    ),
    "an incidence of more than have died or relapsed by a later month": (
        "incidence,end_point=efs,cause=relapse,month=6,value=70,n=150",
        "survival,end_point=efs,month=12,value=40",
    ),
    "more at risk than are not known to be dead": ("at_risk,month=6,count=120,n=150", "deaths,month=6,count=40,n=150"),
    "more at risk than survive": ("at_risk,month=6,count=120,n=150", "survival,month=6,value=70"),
    "more at risk later": ("at_risk,month=6,count=80,n=150", "at_risk,month=12,count=90,n=150"),
    "more at risk of an event than of death": (
        "at_risk,month=6,count=80,n=150",
        "at_risk,end_point=efs,month=6,count=90,n=150",
    ),
    "survival above a half after its median": ("median_survival,value=8.2", "survival,month=12,value=60"),
    "survival below a half before its median": ("median_survival,value=8.2", "survival,month=6,value=40"),
    "a median that is not reached, and is": ("median_survival,limit=not_reached", "survival,month=12,value=40"),
    "a median of at least a year, and less": ("median_survival,limit=at_least,value=12", "survival,month=6,value=40"),
    "a median of at most a year, and more": ("median_survival,limit=at_most,value=12", "survival,month=15,value=60"),
    "a first quartile after the median": ("survival_quantile,quantile=25,value=9", "median_survival,value=8.2"),
    "a median to response after the longest time": (
        "time_quantile,population=treated,state=response,value=8.5",
        "time_quantile,population=treated,state=response,quantile=100,value=6.5",
    ),
    "an HSCT before the shortest time to it": (
        "time_quantile,population=treated,state=hsct,quantile=0,value=5.1",
        "entered,population=treated,state=hsct,month=3,count=6,n=80",
    ),
    "more HSCTs before the shortest time than others had one": (
        "time_quantile,state=hsct,quantile=0,value=5.1,n=20",
        "entered,state=hsct,month=3,count=6,n=150",
        "entered,state=hsct,count=22,n=150",
    ),
    "an HSCT after the longest time to it": (
        "time_quantile,population=treated,state=hsct,quantile=100,value=3.1",
        "entered,population=treated,state=hsct,month=4,count=6,n=80",
        "entered,population=treated,state=hsct,count=20,n=80",
    ),
    "a median time by which a quarter of the HSCTs were": (
        "time_quantile,state=hsct,value=3.1",
        "entered,state=hsct,month=4,count=5,n=150",
        "entered,state=hsct,count=20,n=150",
    ),
    "a median time before which more than half of the HSCTs were": (
        "time_quantile,state=hsct,value=3.1",
        "entered,state=hsct,month=3,count=12,n=150",
        "entered,state=hsct,count=20,n=150",
    ),
    "more of an arm dead between two months than of everybody": (
        "deaths,population=treated,month=6,count=20,n=80",
        "deaths,population=treated,month=12,count=40,n=80",
        "deaths,month=6,count=80,n=150",
        "deaths,month=12,count=95,n=150",
    ),
    "a mean below the area of its curve": ("restricted_mean,month=12,value=5", "survival,month=12,value=60"),
    "a mean above the area of its curve": (
        "restricted_mean,month=12,value=10",
        "survival,month=6,value=50",
    ),
    "a landmark survival that its curve does not give": (
        "landmark_survival,landmark=6,month=12,value=90",
        "survival,month=6,value=60",
        "survival,month=12,value=40",
    ),
    "more dead than a curve can bear": (
        "survival,month=12,value=80,lower=70,upper=88",
        "deaths,month=12,count=60,n=150",
    ),
    "more dead of one cause than a curve can bear": (
        "survival,month=12,value=80,lower=70,upper=88",
        "deaths,state=dead,month=6,count=60,n=150",
    ),
    "event-free survival in spite of deaths": (
        "survival,end_point=efs,month=12,value=80,lower=70,upper=88",
        "deaths,month=6,count=60,n=150",
    ),
    "event-free survival in spite of relapses": (
        "survival,end_point=efs,month=12,value=80,lower=70,upper=88",
        "entered,state=progression,month=12,count=60,n=150",
    ),
    "survival of an arm that rises": (
        "survival,population=treated,month=6,value=60",
        "survival,population=treated,month=12,value=70",
    ),
    "survival from response that rises": (
        "survival,population=responders,from_=cr,month=6,value=60",
        "survival,population=responders,from_=cr,month=12,value=70",
    ),
    "an n of responders above the number who responded": (
        "entered,state=cr,count=20,n=150",
        "entered,population=responders,state=hsct,count=11,n=25",
    ),
    "a median time of more transplanted than had an HSCT": (
        "entered,state=hsct,count=12,n=150",
        "time_quantile,population=treated,state=hsct,value=4.1,n=24",
    ),
    "survival of more responders than responded": (
        "entered,state=cr,count=20,n=150",
        "survival,population=responders,month=6,value=60,n=25",
    ),
    "an n of responders above their number": (
        "patients,population=responders,count=20,n=150",
        "entered,population=responders,state=hsct,count=11,n=25",
    ),
    "more of an arm at risk than of everybody": (
        "at_risk,population=treated,month=6,count=60,n=80",
        "at_risk,month=6,count=50,n=150",
    ),
    "more of two arms at risk than of everybody": (
        "at_risk,population=treated,month=6,count=30,n=80",
        "at_risk,population=untreated,month=6,count=30,n=70",
        "at_risk,month=6,count=50,n=150",
    ),
}  # fmt: skip
MAY_BE = {
    "event-free survival above survival": ("survival,end_point=efs,month=12,value=50", "survival,month=12,value=40"),
    "event-free survival with a median after that of survival": (
        "median_survival,end_point=efs,population=treated,value=9.2",
        "median_survival,population=treated,value=7.1",
    ),
    "a large arm that survives better than everybody": (
        "survival,population=treated,month=12,value=80,n=80",
        "survival,month=12,value=30",
    ),
    "a large arm that survives worse than everybody": (
        "survival,population=treated,month=12,value=10,n=80",
        "survival,month=12,value=70",
    ),
    "two arms that both survive better than everybody": (
        "survival,population=treated,month=12,value=60,n=80",
        "survival,population=untreated,month=12,value=55,n=70",
        "survival,month=12,value=40",
    ),
    "a part that relapses more often than everybody": (
        "incidence,population=treated,end_point=efs,cause=relapse,month=6,value=70,n=80",
        "incidence,end_point=efs,cause=relapse,month=9,value=20,n=150",
    ),
    "more relapses than patients who ever relapsed": (
        "incidence,population=treated,end_point=efs,cause=relapse,month=6,value=60,n=80",
        "entered,population=treated,state=progression,count=10,n=80",
    ),
    "two arms that both live for longer than everybody": (
        "restricted_mean,population=treated,month=12,value=9,n=80",
        "restricted_mean,population=untreated,month=12,value=8,n=70",
        "restricted_mean,month=12,value=6",
    ),
    "an arm that lives for longer than everybody by its curve": (
        "survival,population=treated,month=12,value=90,n=80",
        "restricted_mean,month=12,value=4",
    ),
    "a median before those of both arms": (
        "median_survival,population=treated,value=4.2,n=80",
        "median_survival,population=untreated,value=5.1,n=70",
        "median_survival,value=3.1",
    ),
    "a quartile after those of both arms": (
        "survival_quantile,end_point=efs,population=treated,quantile=25,value=2.2,n=80",
        "survival_quantile,end_point=efs,population=untreated,quantile=25,limit=at_most,value=3,n=70",
        "survival_quantile,end_point=efs,quantile=25,value=4.1",
    ),
}  # fmt: skip


TOGETHER = {
    "medians of survival with and without an event that are printed alike": (
        "median_survival,end_point=efs,value=9",
        "median_survival,value=9.0",
        "survival_quantile,end_point=efs,quantile=25,value=4.1",
        "survival_quantile,quantile=25,limit=at_least,value=4.0",
    ),
    "first HSCTs at the shortest time": (
        "time_quantile,state=hsct,quantile=0,value=5",
        "entered,state=hsct,month=4.5,count=1,n=150",
    ),
    "HSCTs of others before the shortest time of some": (
        "time_quantile,state=hsct,quantile=0,value=5.1,n=20",
        "entered,state=hsct,month=3,count=6,n=150",
        "entered,state=hsct,count=26,n=150",
    ),
    "the last HSCT at the longest time": (
        "time_quantile,state=hsct,quantile=100,value=3.1",
        "entered,state=hsct,month=3,count=19,n=150",
        "entered,state=hsct,month=3.2,count=20,n=150",
        "entered,state=hsct,count=20,n=150",
    ),
    "a median time of the fifth of nine HSCTs": (
        "time_quantile,state=hsct,value=3.1,n=9",
        "entered,state=hsct,month=3,count=4,n=150",
        "entered,state=hsct,month=3.2,count=5,n=150",
        "entered,state=hsct,count=9,n=150",
    ),
    "times of as many who had an HSCT as did not respond": (
        "time_quantile,population=treated,state=hsct,value=3.1,n=20",
        "time_quantile,population=treated,state=nr,value=2.1,n=20",
    ),
    "months of an HSCT from response": (
        "time_quantile,population=treated,state=hsct,from_=response,quantile=100,value=1.1",
        "entered,population=treated,state=hsct,month=3,count=6,n=80",
        "entered,population=treated,state=hsct,count=20,n=80",
    ),
}  # fmt: skip
BEFORE_RELAPSE = world(
    "remission",
    {
        "remission": sojourn(infection=exponential(mean=5), relapse=exponential(mean=10)),
        "infection": sojourn(relapse=exponential(mean=10), dead=exponential(mean=30)),
        "relapse": sojourn(infection=exponential(mean=10), dead=exponential(mean=10)),
    },
    clocks={"relapse": "relapse", "entry": "remission"},
)
SHORTEST = ("time_quantile,state=infection,quantile=0,value=5.1", "entered,state=infection,month=3,count=6,n=60")
FIRST = ("minimum,value=5.1", "entered,state=relapse,month=3,count=6,n=60")
LAST = ("maximum,value=5.1", "entered,state=relapse,month=6,count=6,n=60", "entered,state=relapse,count=20,n=60")


def rows(texts: tuple[str, ...], use: str = "predictive") -> list[str]:
    """Survival and incidence without an error or n have a standard error of 6 %."""
    lines = []
    for place, text in enumerate(texts):
        bare = text.startswith(("survival,", "incidence,")) and not {"n=", "upper=", "standard_error="} & {
            f"{cell.split('=')[0]}=" for cell in text.split(",")
        }
        lines.append(written(f"figure {place}", f"{text},use={use}" + (",standard_error=6" if bare else "")))
    return lines


@pytest.mark.representatives(8)
@pytest.mark.parametrize("what", policies_of_the_default_suite(CONTRADICTIONS, [*CONTRADICTIONS][::2]))
def test_a_paper_cannot_report(what: str, tmp_path: Path) -> None:
    texts = CONTRADICTIONS[what]
    lines = " and ".join(f"{tmp_path / 'targets.csv'}: line {place + 2}" for place in range(len(texts)))
    with pytest.raises(InputError, match="rows contradict one another; got") as raised:
        paper(tmp_path, rows(texts))
    assert str(raised.value).startswith(lines)
    for place in range(len(texts)):  # none of the rows can be spared
        paper(tmp_path, rows(texts[:place] + texts[place + 1 :]))


@pytest.mark.parametrize("what", TOGETHER)
def test_a_paper_can_report(what: str, tmp_path: Path) -> None:
    assert len(paper(tmp_path, rows(TOGETHER[what])).figures) == len(TOGETHER[what])


@pytest.mark.parametrize("texts", [SHORTEST, FIRST, LAST])
def test_the_times_from_entry_bound_who_came_by_a_month_from_entry_but_not_from_relapse(
    texts: tuple[str, ...], tmp_path: Path
) -> None:
    """By month 3 from relapse come those too who had the infection, or the relapse, before that clock started."""

    def load(clock: str) -> None:
        write_cohort(tmp_path, BEFORE_RELAPSE, rows(texts), clock=clock, n=60, header=f"{COLUMNS}\n")

    load("relapse")
    with pytest.raises(InputError, match="rows contradict one another; got"):
        load("entry")


def test_fitted_figures_are_compared_too(tmp_path: Path) -> None:
    texts = CONTRADICTIONS["event-free survival that rises"]
    with pytest.raises(InputError, match="two rows contradict one another"):
        paper(tmp_path, rows(texts, "likelihood"))


@pytest.mark.parametrize("what", policies_of_the_default_suite(MAY_BE, [*MAY_BE][::3]))
def test_what_only_uneven_follow_up_makes_possible_is_said(what: str, tmp_path: Path) -> None:
    (warning,) = [text for text in paper(tmp_path, rows(MAY_BE[what])).warnings if "possible only" in text]
    assert all(f"line {place + 2}" in warning for place in range(len(MAY_BE[what])))
    with pytest.raises(InputError, match="rows contradict one another"):
        paper(tmp_path, rows(MAY_BE[what]), follow_up=None, no_censoring_before=12.0)


def test_two_medians_are_named_with_their_events(tmp_path: Path) -> None:
    (warning,) = paper(tmp_path, rows(MAY_BE["event-free survival with a median after that of survival"])).warnings
    assert warning == (
        f"{tmp_path / 'targets.csv'}: line 2 and {tmp_path / 'targets.csv'}: line 3: "
        "median of 9.2 months (treated; efs); median of 7.1 months (treated; survival): "
        "possible only if some patients are followed for longer than others"
    )


def test_the_shortest_time_is_named_with_its_state(tmp_path: Path) -> None:
    place = tmp_path / "targets.csv"
    with pytest.raises(InputError) as raised:
        paper(tmp_path, rows(CONTRADICTIONS["an HSCT before the shortest time to it"]))
    assert str(raised.value) == (
        f"{place}: line 2 and {place}: line 3: two rows contradict one another; "
        "got 'quantile 0 % of 5.1 months (treated; time to hsct); 6 of 80 (treated) entered hsct by month 3'; "
        "allowed: figures possible for the same patients; check kind, population, month and n in the source"
    )


def test_event_free_survival_can_exceed_survival() -> None:
    """A relapses at month 1 and dies at 5, B leaves at 2, C stays: 2 of 3 are event-free, but 1 of 2 alive."""
    efs = (1 - 1 / 3) * 1.0
    survival = 1 - 1 / 2
    assert efs > survival


OF_ARMS = (
    "incidence,end_point=efs,cause=death,month=6",
    "restricted_mean,month=6",
    "survival_quantile,quantile=10",
    "survival_quantile,end_point=efs,quantile=25",
    "median_survival",
)
CAME = ("progression", "hsct", "cr")
PRINTED = [
    *(f"survival,month={month}" for month in (3, 6, 12, 20)),
    *(f"survival,end_point=efs,month={month}" for month in (3, 6, 12, 20)),
    *(f"survival,population=treated,end_point=efs,month={month}" for month in (6, 12)),
    *(f"survival,population={arm},month=12" for arm in ("treated", "untreated")),
    *(f"incidence,end_point=efs,cause={cause},month={month}" for cause in EFS for month in (6, 12, 20)),
    *(f"{text},population={arm}" for arm in ("treated", "untreated") for text in OF_ARMS),
    *(f"at_risk,{of}month={month}" for of in ("", "end_point=efs,") for month in (3, 6, 12, 20)),
    *(f"survival_quantile,{of}quantile={share}" for of in ("", "end_point=efs,") for share in (10, 25, 50)),
    *(f"restricted_mean,{of}month={month}" for of in ("", "end_point=efs,") for month in (6, 20)),
    *(f"landmark_survival,landmark={month},month=12" for month in (3, 6)),
    *(f"time_quantile,population=treated,state=response,quantile={share}" for share in (0, 25, 50, 100)),
    *(f"time_quantile,state={state},quantile={share}" for state in CAME for share in (0, 10, 50, 75, 100)),
    *(f"time_quantile,state=cr,from_=response,quantile={share}" for share in (0, 50, 100)),
    *(f"survival,population=responders,from_=cr,month={month}" for month in (3, 9)),
    "restricted_mean,population=responders,from_=cr,month=9",
    *(f"{kind},month={month}" for kind in ("deaths", "survivors") for month in (3, 6, 12, 20)),
    *(f"deaths,population={arm},month={month}" for arm in ("treated", "untreated") for month in (6, 12)),
    *(f"entered,state={state},month={month}" for state in CAME for month in (2, 4, 12)),
    *(f"entered,{of}state=hsct" for of in ("", "population=treated,", "attribute=sex=female,")),
    *(f"entered,population=treated,state=hsct,month={month}" for month in (3, 5)),
]  # fmt: skip
TIMES = {"median_survival", "survival_quantile", "time_quantile", "restricted_mean"}


def placeholder(text: str, n: int) -> str:
    """A row of figures that are not known yet."""
    kind = text.split(",")[0]
    if kind in ("at_risk", "deaths", "survivors", "entered"):
        return f"{text},count=1,n={n}"
    return f"{text},value=1" if kind in TIMES else f"{text},value=50,standard_error=20"


def printed(text: str, cohort: SimulatedCohort, figure: Kind, decimals: int) -> str:
    """The row of a simulated cohort's figure, "" if nobody can have it; of survival with an error if with a decimal."""
    value, n = cohort.figure(figure), figure.whole(cohort)
    if figure.is_count or figure.kind == "survivors":
        count = value if figure.is_count else value * n
        return f"{text},count={count:.0f},n={n}"
    if np.isnan(value):
        return ""
    if np.isinf(value):
        return f"{text},limit=not_reached"
    rounded = f"{figure.factor * value:.{decimals}f}"
    if figure.unit_of_figure == "months":
        came = cohort.observed(figure.since, [[figure.state]]).came if decimals and "state=" in text else np.empty(0)
        of_them = f",n={(came & cohort.patients_of(figure)).sum()}" if came.size else ""
        return f"{text},value={rounded}{of_them}" if float(rounded) > 0 else ""
    if float(rounded) in (0, 100):
        return ""
    is_survival = figure.kind == "survival"
    if is_survival and (decimals or figure.since or figure.population != "all"):
        return f"{text},value={rounded},standard_error={figure.reprinted(cohort, n)['standard_error']}"
    return f"{text},value={rounded},n={n}" if figure.kind != "landmark_survival" else f"{text},value={rounded}"


def write_patients(folder: Path, end_points: Iterable[tuple[str, Observed]]) -> None:
    """Months to a tenth, as papers print them; 0.0 is printed as 0.1."""
    lines = [
        f"all,{max(month, 0.1):.1f},{int(cause != CENSORED)},{end_point}"
        for end_point, observed in end_points
        for month, cause in zip(observed.seen, observed.cause, strict=True)
    ]
    (folder / "patients.csv").write_text("\n".join(["population,month,event,end_point", *lines, ""]), encoding="utf-8")


THIRTY = "population,month,event\n" + 10 * "all,3.2,1\nall,7.5,1\nall,9,0\n"
ROWS_OF_PATIENTS = "patient_times,month=6,n=30"
PRINTED_OF_THEM = ("survivors,month=6,count=20,n=30", "median_survival,value=7.5", "restricted_mean,month=8,value=6.2")


@pytest.mark.representatives(4)
@pytest.mark.parametrize(
    "other",
    [
        "survivors,month=6,count=15,n=30",
        "deaths,month=8,count=15,n=30",
        "survival,month=8,value=50,n=30",
        "at_risk,month=6,count=25,n=30",
        "median_survival,value=4",
        "survival_quantile,quantile=25,value=2.5",
        "restricted_mean,month=8,value=4",
        "survival,end_point=efs,month=6,value=80,n=30",
    ],
)
def test_rows_of_patients_are_compared_with_what_is_printed_of_them(other: str, tmp_path: Path) -> None:
    """Of thirty patients ten died at month 3.2, ten at 7.5, and ten were followed to month 9."""
    (tmp_path / "patients.csv").write_text(THIRTY, encoding="utf-8")
    about = {"n": 30, "follow_up": None, "no_censoring_before": 9.0}
    with pytest.raises(InputError, match="two rows contradict one another"):
        paper(tmp_path, rows((ROWS_OF_PATIENTS, other)), **about)
    paper(tmp_path, rows((ROWS_OF_PATIENTS, *PRINTED_OF_THEM)), **about)


def test_nothing_but_the_answer_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """HiGHS prints whatever it is told not to."""
    (tmp_path / "patients.csv").write_text(THIRTY, encoding="utf-8")
    paper(tmp_path, rows((ROWS_OF_PATIENTS, *PRINTED_OF_THEM)), n=30, follow_up=None, no_censoring_before=9.0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("number", [*map(slow, (1, 2)), 3, *map(slow, (4, 5, 6))])
def test_no_figures_of_the_same_patients_contradict_one_another(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cohorts of 24 to 150 patients, followed for 1 to 40 months, print every figure that they have."""
    n, earliest = (24, 60, 150)[number % 3], (1.0, 6.0)[number % 2]
    about = {"n": n, "follow_up": {"family": "uniform", "lower": earliest, "upper": 40.0}}
    about["no_censoring_before"] = earliest
    with monkeypatch.context() as unchecked:
        unchecked.setattr(contradictions, "check", lambda *_: [])
        targets = paper(tmp_path, [written(text.replace(",", " "), placeholder(text, n)) for text in PRINTED], **about)
    cohort = simulated(targets, {"uptake": np.array([0.6])}, number=number)
    texts = zip(PRINTED, targets.figures, strict=True)
    lines = [printed(text, cohort, figure, number % 2) for text, figure in texts]
    lines += [f"patient_times,{of}month=12,n={n}" for of in ("", "end_point=efs,")]
    write_patients(tmp_path, [("", cohort.observed("", [DEATHS])), ("efs", cohort.observed("", list(EFS.values())))])
    targets = paper(tmp_path, rows(tuple(filter(None, lines)), "validation"), **about)
    assert len(targets.figures) > 0.7 * len(PRINTED)
