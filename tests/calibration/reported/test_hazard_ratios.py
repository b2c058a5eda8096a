"""A hazard ratio lies between the ratios of its groups' cumulative hazards; opposite to all of them, it is doubted."""

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from made_up_paper import paper, written
from worlds import slow

from calibration.likelihood.targets import load_targets
from simulator.evidence.cohort import cohorts_folder
from simulator.outcomes.episodes import Courses, Episodes, whole
from simulator.outcomes.hazard_ratio import hazard_ratio

LIVE_LONGER = "hazard_ratio,population=treated,versus=untreated,value=0.5,lower=0.3,upper=0.8"
DIE_SOONER = "hazard_ratio,population=treated,versus=untreated,value=2.1,lower=1.3,upper=3.5"
FEW_ALIVE = "survival,population=treated,month=12,value=20,standard_error=4"
MANY_ALIVE = "survival,population=untreated,month=12,value=60,standard_error=5"
MORE_SOON = (
    "survival,population=treated,month=6,value=70,standard_error=5",
    "survival,population=untreated,month=6,value=66,standard_error=5",
)
FEWER_SOON = (
    "survival,population=treated,month=6,value=66,standard_error=5",
    "survival,population=untreated,month=6,value=70,standard_error=5",
)
CURVES = (
    "survival,population=treated,month=12,value=20,curve=a",
    "survival,population=untreated,month=12,value=80,curve=b",
)
AT_RISK = (
    "at_risk,population=treated,month=12,count=6,n=40,curve=a",
    "at_risk,population=untreated,month=15,count=12,n=20,curve=b",
)
DOUBTED = {
    "worse survival": (LIVE_LONGER, FEW_ALIVE, MANY_ALIVE),
    "worse survival, and no interval": (LIVE_LONGER.split(",lower")[0], FEW_ALIVE, MANY_ALIVE),
    "better survival": (
        DIE_SOONER,
        "survival,population=treated,month=12,value=60,lower=50,upper=70",
        "survival,population=untreated,month=12,value=20,lower=12,upper=30",
    ),
    "fewer survivors": (
        LIVE_LONGER,
        "survivors,population=treated,month=12,count=20,n=80",
        "survivors,population=untreated,month=12,count=50,n=70",
    ),
    "more deaths": (
        LIVE_LONGER,
        "deaths,population=treated,month=12,count=60,n=80",
        "deaths,population=untreated,month=12,count=20,n=70",
    ),
    "a sooner median": (
        LIVE_LONGER,
        "median_survival,population=treated,value=4.1,lower=3.0,upper=6.2",
        "median_survival,population=untreated,value=15.2,lower=10.1",
    ),
    "a smaller mean": (
        LIVE_LONGER,
        "restricted_mean,population=treated,month=12,value=5.1,standard_error=0.5",
        "restricted_mean,population=untreated,month=12,value=9.2,standard_error=0.6",
    ),
    "worse survival, and the same before": (
        LIVE_LONGER,
        FEW_ALIVE,
        MANY_ALIVE,
        "survival,population=treated,month=1,value=100,n=80",
        "survival,population=untreated,month=1,value=100,n=70",
    ),
    "a worse curve": (LIVE_LONGER, *CURVES, *AT_RISK),
    "worse event-free survival": (
        f"{LIVE_LONGER},end_point=efs",
        f"{FEW_ALIVE},end_point=efs",
        f"{MANY_ALIVE},end_point=efs",
    ),
    "worse survival of women": (
        "hazard_ratio,population=sex=female,versus=sex=male,value=0.5,lower=0.3,upper=0.8",
        "survival,attribute=sex=female,month=12,value=20,standard_error=4",
        "survival,population=sex=male,month=12,value=60,standard_error=5",
    ),
}
BELIEVED = {
    "better survival": (DIE_SOONER, FEW_ALIVE, MANY_ALIVE),
    "no figure of the groups": (LIVE_LONGER,),
    "an interval around 1": (LIVE_LONGER.replace("0.8", "1.2"), FEW_ALIVE, MANY_ALIVE),
    "curves that cross": (LIVE_LONGER, FEW_ALIVE, MANY_ALIVE, *MORE_SOON),
    "survival within the error": (LIVE_LONGER, *FEWER_SOON),
    "the same survival": (LIVE_LONGER, FEW_ALIVE, FEW_ALIVE.replace("treated", "untreated")),
    "curves without numbers at risk": (LIVE_LONGER, *CURVES),
    "curves of hardly anybody": (LIVE_LONGER, *CURVES, *(text.replace("count=", "count=1,note=") for text in AT_RISK)),
    "a curve to nobody": (
        LIVE_LONGER,
        CURVES[0].replace("=20", "=0"),
        CURVES[1],
        AT_RISK[0].replace("=6", "=0"),
        AT_RISK[1],
    ),
    "numbers at risk of an earlier month": (LIVE_LONGER, *CURVES, AT_RISK[0], AT_RISK[1].replace("=15", "=6")),
    "other events": (f"{LIVE_LONGER},end_point=efs", FEW_ALIVE, MANY_ALIVE),
    "other months": (LIVE_LONGER, FEW_ALIVE, MANY_ALIVE.replace("=12", "=9")),
    "another group": (LIVE_LONGER, FEW_ALIVE, MANY_ALIVE.replace("untreated", "all")),
    "deaths by last follow-up": (
        LIVE_LONGER,
        "deaths,population=treated,count=60,n=80",
        "deaths,population=untreated,count=20,n=70",
    ),
    "deaths of one cause": (
        LIVE_LONGER,
        "deaths,population=treated,state=dead_of_treatment,month=12,count=60,n=80",
        "deaths,population=untreated,state=dead_of_treatment,month=12,count=0,n=70",
    ),
    "survival from a landmark": (
        LIVE_LONGER,
        "landmark_survival,population=treated,landmark=6,month=12,value=20,standard_error=6",
        "landmark_survival,population=untreated,landmark=6,month=12,value=80,standard_error=8",
    ),
    "medians without an interval": (
        LIVE_LONGER,
        "median_survival,population=treated,value=4.1",
        "median_survival,population=untreated,value=15.2",
    ),
    "a median that is later than printed": (
        LIVE_LONGER,
        "median_survival,population=treated,limit=at_least,value=4.1,lower=3.0,upper=6.2",
        "median_survival,population=untreated,value=15.2,lower=10.1",
    ),
}


def doubts(folder: Path, texts: tuple[str, ...]) -> list[str]:
    warnings = paper(folder, [written(f"figure {place}", text) for place, text in enumerate(texts)]).warnings
    return [warning for warning in warnings if "adjusted (for" in warning]


@pytest.mark.representatives(5)
@pytest.mark.parametrize("what", DOUBTED)
def test_a_hazard_ratio_is_doubted_for(what: str, tmp_path: Path) -> None:
    (doubt,) = doubts(tmp_path, DOUBTED[what])
    assert all(f"line {place}" in doubt for place in (2, 3, 4))
    assert "line 5" not in doubt


@pytest.mark.representatives(6)
@pytest.mark.parametrize("what", BELIEVED)
def test_a_hazard_ratio_is_believed_with(what: str, tmp_path: Path) -> None:
    assert doubts(tmp_path, BELIEVED[what]) == []


def test_only_the_months_at_which_the_groups_are_apart_are_named(tmp_path: Path) -> None:
    lines = " and ".join(f"{tmp_path / 'targets.csv'}: line {line}" for line in (2, 5, 6))
    assert doubts(tmp_path, (LIVE_LONGER, *FEWER_SOON, FEW_ALIVE, MANY_ALIVE)) == [
        f"{lines}: hazard ratio of 0.5 (treated, to untreated; survival); 20 ± 4 % (treated) alive at month 12; "
        "60 ± 5 % (untreated) alive at month 12: possible only if survival crosses at other months, or if the hazard "
        "ratio is adjusted (for other differences, for when treatment began); check `versus` in the source"
    ]


TO_TREATED = "hazard_ratio,population=untreated,versus=treated"
DIFFER = {
    "that are not inverse": (LIVE_LONGER, f"{TO_TREATED},value=0.5,lower=0.3,upper=0.8"),
    "whose inverse is another number": (LIVE_LONGER, f"{TO_TREATED},value=3.1,lower=1.3,upper=4.5"),
    "of which one is larger": (LIVE_LONGER, LIVE_LONGER.replace("0.5", "0.7")),
}
AGREE = {
    "that are inverse": (LIVE_LONGER, f"{TO_TREATED},value=2.0,lower=1.3,upper=3.3"),
    "that are inverse within rounding": (LIVE_LONGER.replace("0.5", "0.47"), f"{TO_TREATED},value=2.1"),
    "of other events": (LIVE_LONGER, f"{TO_TREATED},end_point=efs,value=0.5"),
    "of other groups": (LIVE_LONGER, "hazard_ratio,population=hsct,versus=untreated,value=0.3"),
    "of women, and of all": (LIVE_LONGER, f"{TO_TREATED},attribute=sex=female,value=0.5"),
}


@pytest.mark.parametrize("what", DIFFER)
def test_two_hazard_ratios_are_doubted(what: str, tmp_path: Path) -> None:
    (doubt,) = doubts(tmp_path, DIFFER[what])
    lines = " and ".join(f"{tmp_path / 'targets.csv'}: line {line}" for line in (2, 3))
    assert doubt.startswith(f"{lines}: hazard ratio of 0.5 (treated, to untreated; survival); hazard ratio of ")
    assert doubt.endswith(
        ": one is not the other, or its inverse where the groups are exchanged: possible only if one is adjusted (for "
        "other differences, for when treatment began); check `versus` in the source"
    )


@pytest.mark.parametrize("what", AGREE)
def test_two_hazard_ratios_are_believed(what: str, tmp_path: Path) -> None:
    assert doubts(tmp_path, AGREE[what]) == []


@pytest.mark.parametrize(("value", "sentences"), [(0.2, 0), (5, 1)])
def test_the_treated_of_the_letter_cannot_die_sooner(value: float, sentences: int, tmp_path: Path) -> None:
    folder = copytree(cohorts_folder() / "wang2024", tmp_path / "wang2024")
    file = folder / "targets.csv"
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    cells = {"name": "ratio", "kind": "hazard_ratio", "population": "treated", "versus": "untreated", "value": value}
    names = [*header.split(","), "versus"]
    row = ",".join(str({**cells, "place": "made up", "use": "predictive"}.get(name, "")) for name in names)
    file.write_text("\n".join([f"{header},versus", *(f"{line}," for line in lines), row, ""]), encoding="utf-8")
    warnings = load_targets(folder).warnings
    assert sum("hazard ratio is adjusted" in warning for warning in warnings) == sentences


def cumulative_hazard(group: Episodes, months: np.ndarray) -> np.ndarray:
    """Nelson and Aalen's estimate at some months, one event at a time."""
    estimate = np.zeros(months.size)
    for event in group.stop[group.died]:
        estimate[months >= event] += 1.0 / (group.stop >= event).sum()
    return estimate


@pytest.mark.parametrize("number", [*range(8), *map(slow, range(8, 40))])
def test_a_hazard_ratio_is_never_outside_the_ratios_of_cumulative_hazards_and_is_the_inverse_of_its_inverse(
    number: int,
) -> None:
    """Hazards that cross, groups of unequal size and follow-up that differs by group."""
    rng = np.random.default_rng(number)
    groups = []
    for size in rng.integers(6, 40, 2):
        event, followed = (
            10.0 * rng.weibull(rng.uniform(0.4, 3.0), size),
            rng.uniform(4.0, rng.uniform(10.0, 40.0), size),
        )
        courses = Courses(np.minimum(event, followed), event <= followed, np.full(size, np.inf))
        groups.append(whole(courses, courses.ever))
    months = np.unique(np.concatenate([group.stop[group.died] for group in groups]))
    months = months[months <= min(group.stop.max() for group in groups)]
    of_one, of_other = (cumulative_hazard(group, months) for group in groups)
    with np.errstate(divide="ignore"):
        ratios = of_one / of_other
    assert ratios.min() - 1e-9 <= hazard_ratio(*groups) <= ratios.max() + 1e-9
    assert hazard_ratio(*groups) * hazard_ratio(*reversed(groups)) == pytest.approx(1.0, abs=1e-6)
