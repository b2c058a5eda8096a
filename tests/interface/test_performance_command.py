"""The command that writes docs/performance.md works; its measurements are not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).parents[1] / "benchmarks" / "performance.py"


@pytest.mark.slow
def test_a_quick_run_writes_every_section(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    subprocess.run([sys.executable, str(COMMAND), "--quick", "--out", str(page)], check=True, capture_output=True)
    text = page.read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# Performance",
        "## Compared with other programs",
        "## Two processes",
        "## How cost grows with patients",
        "## Where the time goes",
        "## The exact engine",
        "## Before path curves, and since",
        "## What addressed uniforms save",
    ]
    assert "A quick run: its figures mean nothing" in text
    for phrase in ("microsim / SimPy, with beds", "microsim / heormodel", "addressed uniforms", "peak memory"):
        assert phrase in text
