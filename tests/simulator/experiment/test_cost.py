"""What work would cost: what takes too long is refused with its time, and with what would make it shorter."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sojourn_times import exponential
from worlds import months, scenarios_in, slow, to_and_fro

from simulator.analyses.sensitivity.sobol import check_samples, power_of_two
from simulator.errors import InputError
from simulator.experiment import cost
from simulator.experiment.cost import Dial, check_events, check_time, in_words
from simulator.experiment.settings import Settings
from simulator.scenario.scenario import Scenario, load_scenario

HOURS = 5 * 3600.0

STAY = exponential(mean="stay")
FLICKER = to_and_fro(STAY, STAY, exponential(mean=1000), parameters={"stay": months(0.01)})


@pytest.fixture
def flicker(tmp_path: Path) -> Scenario:
    return scenarios_in(tmp_path, FLICKER)("", "in-and-out")


def test_a_quarter_of_an_hour_is_begun() -> None:
    check_time(900.0, 2, [], what="this")


def test_more_is_refused_with_its_time_and_the_options_that_shorten_it() -> None:
    dials = [Dial("--draws", 50, 10), Dial("--replications", 4, 2)]
    with pytest.raises(InputError) as refused:
        check_time(6000.0, 2, dials, what="this", quick="--quick gives a rough answer")
    message = str(refused.value)
    assert message.startswith("this would take about 2 hours on 2 processes; allowed: up to 15 minutes;")
    assert "--draws 10 takes about 20 minutes" not in message
    assert "--replications" not in message
    assert message.endswith("--quick gives a rough answer; or --yes to start anyway")


def test_what_is_suggested_is_a_round_number_that_takes_about_three_minutes() -> None:
    with pytest.raises(InputError, match=r"--draws 20 takes about 3 minutes; or --yes"):
        check_time(3600.0, 1, [Dial("--draws", 400, 10)], what="this")
    with pytest.raises(InputError, match=r"--patients 10000 takes about 3 minutes; or --yes"):
        check_time(HOURS, 1, [Dial("--patients", 1_000_000, 1_000)], what="this")


@pytest.mark.parametrize("seconds", [1e3, 5e3, 77_777.0, 1e5])
def test_samples_that_are_suggested_are_a_power_of_two_as_they_have_to_be(seconds: float) -> None:
    with pytest.raises(InputError) as refused:
        check_time(seconds, 1, [Dial("--samples", 65_536, 64, power_of_two)], what="this")
    suggested = re.search(r"--samples (\d+) takes about [1-3] minutes", str(refused.value))
    assert suggested is not None
    check_samples(int(suggested[1]))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "1 second"), (40, "40 seconds"), (180, "3 minutes"), (7200, "2 hours"), (5e6, "58 days"), (1e8, "3 years")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_patients_of_thousands_of_events_are_asked_about(flicker: Scenario) -> None:
    """Both stays have a mean of 0.01 month: 100 entries a month, 12,000 in 120 months, fewer for those who die."""
    with pytest.raises(InputError, match=r"in-and-out\.toml: a patient would enter about 1[01],\d{3} states in 120"):
        check_events([flicker], 120.0)
    check_events([flicker], 6.0)
    check_events([replace(flicker, set={"stay": 1.0})], 120.0)


@pytest.mark.parametrize("name", ["baseline", "wider-salvage", "hsct-as-milestone", "regional-centre-wider-salvage"])
def test_a_shipped_policy_has_a_handful_of_events_a_patient(name: str) -> None:
    assert 1 < cost.events_a_patient(load_scenario(name), 120.0) < 20


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        (["baseline"], {}),
        (["baseline", "wider-salvage"], {"draws": 400}),
        (["letter-centre"], {}),
        (["baseline"], {"engine": "des", "patients": 100, "draws": 2}),
    ],
)
def test_short_runs_are_not_timed(
    names: list[str], settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(*given: object) -> float:
        raise AssertionError("timed")

    monkeypatch.setattr(cost, "timed", timed)
    cost.check_run([load_scenario(name) for name in names], Settings(**settings))


@pytest.mark.parametrize(
    ("names", "settings", "options"),
    [
        (["baseline"], {"engine": "des", "patients": 10_000_000}, ["--patients", "--quick", "--yes"]),
        (["baseline"], {"engine": "microsim", "patients": 100_000_000}, ["--patients"]),
        slow(["regional-centre"], {"engine": "des", "replications": 4_000}, ["--replications"]),
        (["letter-centre"], {"replications": 100_000}, ["--replications"]),
    ],
)
def test_long_runs_are_refused_before_anything_runs(
    names: list[str], settings: dict[str, object], options: list[str]
) -> None:
    with pytest.raises(InputError, match=r"this would take about \d+ (hours|days)") as refused:
        cost.check_run([load_scenario(name) for name in names], Settings(**settings))
    for option in options:
        assert option in refused.value.allowed


def test_time_grows_with_draws_replications_and_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a piece that always takes a second: draws x (what each takes once + replications x patients)."""
    monkeypatch.setattr(cost, "timed", lambda work: float(work.args[3].replications))
    scenario = load_scenario("letter-centre")

    def seconds(**settings: object) -> float:
        chosen = Settings(**settings)
        return cost.seconds_of(scenario, None, "microsim", chosen, 10)

    assert seconds(replications=1) == pytest.approx(10.0)
    assert seconds(replications=4) == pytest.approx(40.0)


def test_an_option_that_only_part_of_the_work_depends_on_is_suggested_with_the_time_of_the_rest() -> None:
    with pytest.raises(InputError, match="--points 10000 takes about 3 minutes"):
        cost.check_time(60.0 + 10_000.0, 1, [Dial("--points", 1_000_000, 1_000, fixed=60.0)], what="a fit")
    with pytest.raises(InputError, match="--points 1000 takes about 10 minutes"):
        cost.check_time(600.0 + 10_000.0, 1, [Dial("--points", 1_000_000, 1_000, fixed=600.0)], what="a fit")
