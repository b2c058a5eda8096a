"""A report opens with what its reader asks: who lives longer or, where options differ in their beds, who waits."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from simulator.experiment.results import Results
from simulator.experiment.run import compare
from simulator.wording import centre, rounding
from simulator.wording.difference import Difference
from simulator.wording.headline import answer
from simulator.wording.intervals import Row
from simulator.wording.opening import paragraphs
from simulator.wording.resources import rows_of


@pytest.fixture(scope="module")
def centres() -> Results:
    names = ("letter-centre", "letter-centre-2-beds", "letter-centre-3-beds")
    return compare(*names, draws=3, replications=2, horizon=24.0)


def test_a_policy_opens_with_its_additional_survivors(results: Results) -> None:
    assert paragraphs(results) == [answer(results.outcomes, results.scenarios)]


def test_options_that_differ_in_their_beds_open_with_who_waits(centres: Results) -> None:
    first, waits, *_ = paragraphs(centres)
    assert centres.service is not None
    late = {one.name: rows_of(centres.service, one.name, "hsct_beds")["wait_over_30_days"] for one in centres.scenarios}
    most = max(list(late)[1:], key=lambda name: abs(late[name]["difference"]))
    number = f"{abs(100 * late[most]['difference']):.2g}"
    led = "Of 100" if Difference.of_row(late[most]).is_clear else "No clear difference: of 100"
    assert re.match(rf"{led} requests for HSCT beds, {number}(\.0)? fewer .*wait over 30 days under {most}: ", first)
    for option, beds in zip(centres.scenarios, ("one HSCT bed", "two HSCT beds", "three HSCT beds"), strict=True):
        rows = rows_of(centres.service, option.name, "hsct_beds")
        late_and_lost = [number_of(rows[name]) for name in ("wait_over_30_days", "lost_while_waiting")]
        assert f"{' and '.join(late_and_lost)} with {beds} ({option.name})" in waits


def number_of(row: Row) -> str:
    return rounding.number(row["estimate"], "probability")


def test_a_policy_with_the_same_beds_opens_with_who_waits_too() -> None:
    results = compare("letter-centre", "wider-salvage-todays-beds", draws=2, replications=1, horizon=12.0)
    waits, ends, year, of_100 = paragraphs(results)
    assert re.match(r"(No clear difference: o|O)f 100 requests for HSCT beds, .* wait over 30 days under wider", waits)
    assert ends.count("of patients who request it") == 2
    assert year.partition(": ")[0].endswith("are alive at 12 months under wider-salvage-todays-beds")
    assert "of 100 patients who relapse" in of_100.lower()


def test_a_centre_speaks_of_its_patients_of_a_year_and_then_of_100(centres: Results) -> None:
    first = replace(centres, scenarios=centres.scenarios[:1])
    waits, year, of_100 = paragraphs(first)
    assert waits.startswith("One HSCT bed: of patients who request it, ")
    assert " of 1 HSCT bed is in use" in waits
    assert of_100.startswith("Of 100 patients who relapse, ")
    words = re.match(
        r"In a year of 9.7 patients who relapse, ([\d.]+) are alive at 12 months.*, with ([\d.]+) salvage courses.* "
        r"and ([\d.]+) CAR-T products.* by month 24\.$",
        year,
    )
    assert words is not None, year
    assert centres.draws is not None
    of_first = centres.draws[(centres.draws["scenario"] == "letter-centre") & (centres.draws["population"] == "all")]
    means = of_first[of_first["clock"] == "relapse"].mean(numeric_only=True)
    per_patient = (means["os_12"], means["salvage_courses"] / 100, means["car_t_products"] / 100)
    for number, share in zip(words.groups(), per_patient, strict=True):
        assert float(number) == pytest.approx(9.65 * share, abs=0.051)


def test_centres_with_other_arrivals_have_years_of_their_own(centres: Results) -> None:
    first, second, _ = centres.scenarios
    assert second.service is not None
    busier = replace(second, service=replace(second.service, arrivals_per_year=96.5))
    results = replace(centres, scenarios=(first, busier))
    alive, ten_times = (centre.lines(one)[0][2][second.name] for one in (centres, results))
    assert ten_times["estimate"] == pytest.approx(10 * alive["estimate"])
    assert math.isfinite(alive["difference"])
    assert math.isnan(ten_times["difference"])
    assert re.search(r"[\d.]+ of 9.7 patients .* and [\d.]+ of 96 patients who relapse under", centre.sentence(results))


def test_patients_who_do_not_arrive_over_time_have_no_year(results: Results) -> None:
    assert centre.lines(results) == []
    assert centre.sentence(results) == ""


@pytest.mark.slow
def test_a_heading_without_an_interval_says_that_uncertainty_is_not_shown() -> None:
    single = compare("letter-centre", "letter-centre-2-beds", draws=2, replications=1, horizon=12.0)
    first, *_ = paragraphs(single)
    assert "interval" not in first
    assert first.endswith(" under letter-centre; uncertainty is not shown.")


def test_survival_that_differs_by_less_than_the_margin_is_said_once(centres: Results) -> None:
    year, alive = paragraphs(centres)[2:]
    assert re.match(
        r"In a year of 9.7 patients who relapse, [\d.]+ are alive at 12 months under letter-centre.*, with ", year
    )
    assert re.match(
        r"Survival at 12 months (differs little|does not clearly differ): \d+ of 100 patients who relapse are alive "
        r"under letter-centre, \d+ under letter-centre-2-beds and \d+ under letter-centre-3-beds; at most [\d.]+ "
        r"(more|fewer) .*than under ",
        alive,
    )
    wide = replace(centres, manifest={**centres.manifest, "margin": 0.1})
    assert len(paragraphs(wide)) == 5
