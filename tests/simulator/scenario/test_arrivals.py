"""A centre over calendar time: arrivals, the start of a policy, counted patients, and refusals.

Statistical tests share FALSE_ALARM: fewer than one suite in 10,000 fails by chance, though seeds are fixed.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from worlds import scenarios_in

from simulator.errors import InputError
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms
from simulator.scenario.arrivals import Service
from simulator.scenario.scenario import Scenario

FALSE_ALARM = 1e-4 / 5
Declare = Callable[..., Scenario]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    return scenarios_in(tmp_path, Path(str(load_pathway("three_state").file)).read_text(encoding="utf-8"))


def test_a_service_has_the_declared_values(declare: Declare) -> None:
    service_table = """[service]
arrivals_per_year = 9.5
years = 4
warm_up_years = 1
policy_from_month = 24
policy_ramp_months = 6
precision = 0.05
"""
    service = declare(service_table).service
    assert service == Service(4.0, 9.5, None, 1.0, 24.0, 6.0, 0.05)
    assert (service.first, service.last) == (12.0, 60.0)
    assert service.arrivals_a_month == 9.5 / 12.0
    assert declare("").service is None
    assert declare(service_table).is_limited


def test_the_rate_of_listed_arrivals_is_that_of_the_counted_years(declare: Declare) -> None:
    service = declare("[service]\narrival_months = [0, 5, 12.5, 13, 13, 24]\nyears = 1\nwarm_up_years = 1").service
    assert service is not None
    assert service.arrival_months == (0.0, 5.0, 12.5, 13.0, 13.0, 24.0)
    assert service.arrivals_a_month == 3.0 / 12.0


def test_dates_are_months_since_the_first_date(declare: Declare) -> None:
    """36525 days are 1200 months of 30.4375 days; two patients may come on one day, and a date may be a text."""
    dates = "[1900-01-01, '1900-01-31', 1900-01-31, 2000-01-02]"
    dated = declare(f"[service]\narrival_dates = {dates}\nyears = 200").service
    months = declare(f"[service]\narrival_months = [0, {30 / 30.4375}, {30 / 30.4375}, 1200]\nyears = 200").service
    assert dated == months


def test_dates_replace_the_rate_of_the_base(declare: Declare) -> None:
    declare("[service]\narrivals_per_year = 10\nyears = 4", "centre")
    dated = declare('base = "centre.toml"\n[service]\narrival_dates = [2020-01-31]').service
    assert dated == Service(4.0, None, (0.0,))


def test_a_policy_from_the_month_of_the_last_arrival_applies_to_that_patient(declare: Declare) -> None:
    service = declare("[service]\narrival_months = [0, 5, 7]\nyears = 4\npolicy_from_month = 7").service
    assert service is not None
    assert service.policy_share == pytest.approx(1 / 3)
    assert service.under_policy(Uniforms(9), np.arange(3), np.array([0.0, 5.0, 7.0])).tolist() == [False, False, True]


def test_keys_of_a_service_that_are_not_given_are_those_of_the_base(declare: Declare) -> None:
    declare("[service]\narrivals_per_year = 10\nyears = 4\nwarm_up_years = 2\nprecision = 0.2", "centre")
    busier = declare('base = "centre.toml"\n[service]\narrivals_per_year = 20', "busier").service
    assert busier == Service(4.0, 20.0, warm_up_years=2.0, precision=0.2)
    listed = declare('base = "centre.toml"\n[service]\narrival_months = [30]', "listed").service
    assert listed == Service(4.0, None, (30.0,), 2.0, precision=0.2)
    assert declare('base = "centre.toml"\n', "same").service == Service(4.0, 10.0, warm_up_years=2.0, precision=0.2)


def test_before_a_policy_starts_its_base_applies(declare: Declare) -> None:
    declare("[set]\nonset_rate = 0.2", "today")
    service = "[service]\narrivals_per_year = 3\nyears = 5\n"
    policy = declare(f'base = "today.toml"\n[set]\nonset_rate = 0.05\n{service}policy_from_month = 12')
    assert policy.before is not None
    assert (policy.set["onset_rate"], policy.before.set["onset_rate"]) == (0.05, 0.2)
    assert policy.before.service == policy.service
    assert policy.before.before is None
    at_once = declare(f'base = "today.toml"\n{service}')
    assert at_once.before is None


def test_before_a_policy_without_a_base_the_pathway_applies_as_declared(declare: Declare) -> None:
    policy = declare("[set]\nonset_rate = 0.05\n[service]\narrivals_per_year = 3\nyears = 5\npolicy_from_month = 12\n")
    assert policy.before is not None
    assert policy.before.set == {}


REFUSED = {
    "no arrivals declared": (
        "years = 4",
        r"\[service\]: arrivals must be declared exactly once; allowed: one of arrivals_per",
    ),
    "arrivals declared twice": (
        "years = 4\narrivals_per_year = 3\narrival_months = [1]",
        r"arrivals must be declared exactly once",
    ),
    "months and dates": (
        "years = 4\narrival_months = [1]\narrival_dates = [2020-01-01]",
        r"\[service\]: arrivals must be declared exactly once; got \['arrival_months', 'arrival_dates'\]; allowed",
    ),
    "an impossible rate": ("arrivals_per_year = 1e300\nyears = 4", r"arrivals_per_year.*equal to 100000; got"),
    "years for ever": ("arrivals_per_year = 3\nyears = 1e9", r"service\.years.*less than or equal to 200; got 1000000"),
    "a warm-up for ever": (
        "arrivals_per_year = 3\nyears = 4\nwarm_up_years = 1e7",
        r"service\.warm_up_years.*less than or equal to 100; got",
    ),
    "dates as months": (
        "arrival_months = [0, 2020-01-31]\nyears = 4",
        r"service\.arrival_months 2: not a number of months; got '2020-01-31'; allowed: .*dates write arrival_dates$",
    ),
    "months as dates": (
        "arrival_dates = [0.5, 2]\nyears = 4",
        r"service\.arrival_dates 1: not a date; got 0\.5; allowed: 2020-01-31, for",
    ),
    "an impossible day": ('arrival_dates = ["2019-02-29"]\nyears = 4', r"dates 1: not a date; got '2019-02-29'"),
    "a time of day": (
        "arrival_dates = [2020-01-31T10:00:00]\nyears = 4",
        r"arrival_dates 1: not a date; got '2020-01-31T10:00:00'",
    ),
    "one date, no list": ("arrival_dates = 2020-01-31\nyears = 4", r"arrival_dates: not a list; got '2020-01-31'"),
    "no dates": ("arrival_dates = []\nyears = 4", r"arrival_dates: no dates; got \[\]; allowed: \[2020-01-31,"),
    "dates out of order": (
        "arrival_dates = [2020-03-02, 2020-01-31]\nyears = 4",
        r"\[service\] arrival_dates: out of order; got '2020-01-31 after 2020-03-02'; allowed: in increasing order",
    ),
    "all dates in the warm-up": (
        "arrival_dates = [2020-01-31]\nyears = 4\nwarm_up_years = 1",
        r"\[service\] arrival_dates: no patients arrive in the years that are counted; allowed: a month from 12 to 60",
    ),
    "a policy after the end": (
        "arrivals_per_year = 3\nyears = 4\nwarm_up_years = 1\npolicy_from_month = 60",
        r"policy_from_month: the policy would affect no counted patient; got 60\.0; allowed: before month 60",
    ),
    "a policy after the last of a list": (
        "arrival_months = [0, 5, 7]\nyears = 4\npolicy_from_month = 7.5",
        r"policy_from_month: the policy would affect no counted patient; got 7\.5; allowed: before month 7",
    ),
    "no years": ("arrivals_per_year = 3", r"\[service\]: the number of years to count is missing; allowed: years = 5"),
    "years of nothing": ("arrivals_per_year = 3\nyears = 0", r"service.years.*greater than or equal to 0.01"),
    "no arrivals": ("arrivals_per_year = 0\nyears = 4", r"service.arrivals_per_year.*than or equal to 0.001; got 0"),
    "not a number": ("arrivals_per_year = nan\nyears = 4", r"service.arrivals_per_year.*got nan"),
    "no end of years": ("arrivals_per_year = 3\nyears = inf", r"service.years.*got inf"),
    "time before the start": ("arrivals_per_year = 3\nyears = 4\nwarm_up_years = -1", r"service.warm_up_years.*got -1"),
    "a ramp from nowhere": (
        "arrivals_per_year = 3\nyears = 4\npolicy_ramp_months = 6",
        r"\[service\] policy_ramp_months: a ramp without policy_from_month; allowed: policy_from_month",
    ),
    "a policy before 0": ("arrivals_per_year = 3\nyears = 4\npolicy_from_month = -1", r"policy_from_month.*got -1"),
    "months out of order": (
        "arrival_months = [1, 5, 4.5]\nyears = 4",
        r"\[service\] arrival_months: out of order; got '4.5 after 5'; allowed: in increasing order",
    ),
    "a month before 0": ("arrival_months = [-1, 2]\nyears = 4", r"arrival_months: not months from 0 on; got \[-1"),
    "an empty list": ("arrival_months = []\nyears = 4", r"arrival_months: not months from 0 on; got \[\]"),
    "nobody is counted": (
        "arrival_months = [1, 70]\nyears = 4\nwarm_up_years = 1",
        r"arrival_months: no patients arrive in the years that are counted; allowed: a month from 12 to 60",
    ),
    "precision of nothing": ("arrivals_per_year = 3\nyears = 4\nprecision = 0", r"precision.*or equal to 0.001"),
    "unknown key": ("arrivals_per_yaer = 3\nyears = 4", r"arrivals_per_yaer.*did you mean 'arrivals_per_year'\?"),
}


@pytest.mark.parametrize(("service_keys", "complaint"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_service_is_refused_with_its_place(declare: Declare, service_keys: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refusal:
        declare(f"[service]\n{service_keys}")
    assert "policy.toml" in str(refusal.value)


CENTRE = Service(years=400.0, arrivals_per_year=30.0, warm_up_years=10.0)


def test_gaps_between_arrivals_are_exponential_and_independent() -> None:
    months = CENTRE.months(Uniforms(5), beyond=0.0)
    gaps = np.diff(months, prepend=0.0)
    assert gaps.size > 10_000
    assert stats.kstest(gaps, "expon", args=(0.0, 12.0 / 30.0)).pvalue > FALSE_ALARM
    follows = stats.spearmanr(gaps[:-1], gaps[1:])
    assert follows.pvalue > FALSE_ALARM


def test_arrivals_a_year_are_poisson() -> None:
    """The counts' dispersion, sum (n - mean)^2 / mean, is chi-square (Fisher 1950); so is the total, nearly."""
    months = CENTRE.months(Uniforms(6), beyond=0.0)
    counts = np.histogram(months, bins=np.arange(0.0, CENTRE.last + 1.0, 12.0))[0]
    dispersion = np.sum((counts - counts.mean()) ** 2) / counts.mean()
    assert FALSE_ALARM / 2 < stats.chi2.cdf(dispersion, counts.size - 1) < 1.0 - FALSE_ALARM / 2
    assert FALSE_ALARM / 2 < stats.poisson.cdf(counts.sum(), 30.0 * counts.size) < 1.0 - FALSE_ALARM / 2


def test_arrivals_continue_until_the_end_of_the_last_follow_up() -> None:
    """A longer horizon keeps the earlier arrivals; none is missing at the end, and none comes after it."""
    for horizon in (0.0, 24.0, 120.0):
        months = CENTRE.months(Uniforms(7), horizon)
        longer = CENTRE.months(Uniforms(7), horizon + 60.0)
        assert np.all(np.diff(months) >= 0.0)
        np.testing.assert_array_equal(months, longer[: months.size])
        assert months[-1] < CENTRE.last + horizon <= longer[months.size]
    listed = Service(years=1.0, arrival_months=(0.0, 11.0, 12.0, 35.9, 36.0))
    assert listed.months(Uniforms(7), 24.0).tolist() == [0.0, 11.0, 12.0, 35.9]


def test_replications_differ_and_a_busier_centre_has_the_same_arrivals_sooner() -> None:
    months = CENTRE.months(Uniforms(8), 0.0)
    other = CENTRE.months(Uniforms(8, replication=1), 0.0)
    n = min(months.size, other.size)
    assert not np.any(months[:n] == other[:n])
    busier = replace(CENTRE, arrivals_per_year=60.0).months(Uniforms(8), 0.0)
    np.testing.assert_allclose(busier[:1_000], months[:1_000] / 2.0, rtol=1e-12)


def test_a_patient_who_arrives_in_the_warm_up_or_after_the_years_is_not_counted() -> None:
    service = Service(years=2.0, arrivals_per_year=1.0, warm_up_years=1.0)
    arrival = np.array([0.0, 11.999, 12.0, 35.999, 36.0, 90.0])
    assert service.counted(arrival).tolist() == [False, False, True, True, False, False]


def test_a_policy_applies_from_its_month_on() -> None:
    service = Service(years=4.0, arrivals_per_year=1.0, policy_from_month=12.0)
    arrival = np.array([0.0, 11.999, 12.0, 40.0])
    assert service.under_policy(Uniforms(9), np.arange(4), arrival).tolist() == [False, False, True, True]
    always = replace(service, policy_from_month=None)
    assert always.under_policy(Uniforms(9), np.arange(4), arrival).all()


def test_a_ramp_raises_the_share_under_the_policy_and_no_patient_leaves_it() -> None:
    service = Service(years=4.0, arrivals_per_year=1.0, policy_from_month=12.0, policy_ramp_months=10.0)
    patients = np.arange(20_000)
    before = np.zeros(patients.size, dtype=bool)
    for month, share in ((11.9, 0.0), (12.0, 0.0), (14.0, 0.2), (17.0, 0.5), (21.0, 0.9), (22.0, 1.0), (50.0, 1.0)):
        under = service.under_policy(Uniforms(9), patients, np.full(patients.size, month))
        assert not np.any(before & ~under)
        assert stats.binomtest(int(under.sum()), patients.size, share).pvalue > FALSE_ALARM / 7
        before = under
