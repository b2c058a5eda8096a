"""The summary of a report as a PDF: Chromium prints the page, whose print style is one sheet."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.files import whole

NAME = "summary.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
# The page has no scripts and asks for nothing; where there is no sandbox, in a container, Chromium would not start.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pdf-header-footer",
)
PATIENCE = 120.0
"""Seconds."""
MISSING = "summary.pdf needs Chromium or Chrome, which is not installed; report.html prints as the same sheet."
FAILED = "summary.pdf could not be made: the browser printed nothing; report.html prints as the same sheet."
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}[^)]*\)")


def browser() -> str | None:
    """Return the program that prints; None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def write(page: Path, manifest: Mapping[str, Any]) -> None:
    """Write the summary of a report next to it, where a browser can print it. Raises OSError."""
    page.with_name(NAME).unlink(missing_ok=True)
    program = browser()
    if program is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / NAME
        command = [program, *FLAGS, f"--user-data-dir={folder}", f"--print-to-pdf={made}", page.resolve().as_uri()]
        with suppress(subprocess.TimeoutExpired, OSError):
            subprocess.run(command, timeout=PATIENCE, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if made.exists():
            whole.write(page.with_name(NAME), dated(made.read_bytes(), manifest.get("created")))


def why_absent(folder: Path) -> str:
    """Return why a folder has no summary; empty where it has one."""
    if (folder / NAME).exists():
        return ""
    return MISSING if browser() is None else FAILED


def dated(pdf: bytes, created: object) -> bytes:
    """Return a PDF with the time of its run in the place of the time of its printing, in as many bytes."""
    try:
        time = datetime.fromisoformat(str(created)).strftime("%Y%m%d%H%M%S").encode()
    except ValueError:
        return pdf
    return _DATE.sub(lambda match: match[1] + time + match[0][len(match[1]) + len(time) :], pdf)
