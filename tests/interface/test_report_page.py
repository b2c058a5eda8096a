"""The report in a real browser: on a phone, on a sheet of paper, and for everybody."""

import base64
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, browser

from simulator.evidence.cohort import load_cohort
from simulator.experiment.run import compare
from simulator.figures import difference
from simulator.figures.picture import in_two_widths
from simulator.report.page import html
from simulator.scenario.scenario import Scenario, load_scenario

LONG = "an option with a name that goes on and on, as names do that a committee wrote, and that differ by their number"
WIDER = {"salvage_uptake": 0.88, "hsct_if_cr": 0.9, "hsct_if_pr": 0.95, "share_immunotherapy": 0.7}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report of five options with long names, of which each changes a lot."""
    baseline = load_scenario("baseline")
    options = [
        Scenario(
            f"{LONG} {number}", baseline.pathway, title=f"{LONG}: {number}", set=WIDER, scale={"hsct_wait_median": 0.5}
        )
        for number in range(4)
    ]
    results, cohort = compare(baseline, *options, draws=2, horizon=12.0), load_cohort(baseline.pathway)
    picture = in_two_widths(lambda **width: difference.picture(results, clock="relapse", cohort=cohort, **width))
    assert picture is not None
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html(results, cohort=cohort, figures=[picture]), encoding="utf-8")
    return path.as_uri()


def read(page: Page, address: str, width: int) -> None:
    page.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    page.send("Page.navigate", url=address)
    while page.run("document.readyState") != "complete" or page.run("location.href") != address:
        time.sleep(0.02)


def sheets(page: Page) -> int:
    pdf = base64.b64decode(page.send("Page.printToPDF", preferCSSPageSize=True)["data"])
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_five_options_with_long_names_fit_on_one_sheet_until_the_supplement_is_open(page: Page, report: str) -> None:
    read(page, report, 680)
    assert sheets(page) == 1
    page.send("Emulation.setEmulatedMedia", media="print")
    # As wide as the sheet within its margins: nothing is cut at its end.
    assert page.run("document.querySelector('main').scrollHeight <= document.querySelector('main').clientHeight")
    assert page.run("document.querySelector('figure img').getBoundingClientRect().height > 100")
    assert page.run("document.querySelector('aside').getBoundingClientRect().height > 50")
    page.send("Emulation.setEmulatedMedia", media="")
    page.run("document.getElementById('supplement').open = true")
    assert sheets(page) > 3


def test_a_phone_scrolls_tables_and_not_the_page(page: Page, report: str) -> None:
    read(page, report, 390)
    page.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert page.run("document.documentElement.scrollWidth") <= 390
    label = "document.querySelector('#options tbody th').getBoundingClientRect().left"
    page.run("document.querySelector('#options .scroll').scrollLeft = 300")
    assert page.run("document.querySelector('#options .scroll').scrollLeft") > 100
    assert page.run(label) == pytest.approx(16, abs=2)


def test_the_report_can_be_read_by_everybody(page: Page, report: str) -> None:
    """By the rules of axe-core."""
    if "AXE" not in os.environ:
        assert os.environ.get("CI") != "true", ".ci/run installs axe-core"
        pytest.skip("AXE=.../axe.min.js names no axe-core")
    read(page, report, 390)
    page.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    page.send("Runtime.evaluate", expression=Path(os.environ["AXE"]).read_text(encoding="utf-8"))
    assert page.run("axe.run().then(({ violations }) => violations.map(({ id, help }) => `${id}: ${help}`))") == []
    assert page.complaints == []
