"""The summary as a PDF: one sheet, dated by its run; and one sentence where no browser prints it."""

import re
import subprocess
from pathlib import Path

import pytest
from browser import CHROMIUM

from simulator.report import summary

PAGE = '<!DOCTYPE html><html lang="en"><head><title>t</title></head><body><main>text</main></body></html>'
CREATED = {"created": "2026-05-04T03:02:01+00:00"}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_same_page_gives_the_same_sheet_dated_by_its_run(page: Path) -> None:
    summary.write(page, CREATED)
    first = page.with_name(summary.NAME).read_bytes()
    assert first.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", first)) == 1
    assert set(re.findall(rb"Date \(D:(\d+)", first)) == {b"20260504030201"}
    assert summary.why_absent(page.parent) == ""


def test_without_a_browser_nothing_fails_and_a_sentence_says_so(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "BROWSERS", ("no-such-browser",))
    (stale := page.with_name(summary.NAME)).write_bytes(b"of an earlier report")
    summary.write(page, CREATED)
    assert not stale.exists()
    assert summary.why_absent(page.parent) == summary.MISSING


def test_a_browser_that_prints_nothing_is_no_error(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("browser", timeout)

    monkeypatch.setattr(summary, "browser", lambda: "browser")
    monkeypatch.setattr(subprocess, "run", never)
    summary.write(page, CREATED)
    assert summary.why_absent(page.parent) == summary.FAILED


def test_a_run_of_an_unknown_time_keeps_the_date_of_printing() -> None:
    assert summary.dated(b"/CreationDate (D:20200101000000+00'00')", None) == b"/CreationDate (D:20200101000000+00'00')"
    # Everything else stays at its place: a PDF points into itself.
    dated = summary.dated(b"/CreationDate (D:20200101000000+00'00')", CREATED["created"])
    assert dated == b"/CreationDate (D:20260504030201+00'00')"
