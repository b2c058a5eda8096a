"""Pages of the documentation do what they say: their commands and their Python run, and print what stands below."""

import re
import shlex
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from worlds import slow

Command = Callable[..., Any]

BLOCK = re.compile(r"^(?:<!-- needs (?P<needs>\w+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
"""A block of a page. After "needs NAME" it is run where NAME is installed."""

PAGES = {"api.md": ("heormodel",), "event-logs.md": ("pm4py", "vidigi")}
"""Page -> the packages that some of its blocks need."""


@pytest.mark.parametrize(
    ("page", "others"), [("event-logs.md", ()), slow("api.md", ()), *map(slow, PAGES, PAGES.values())]
)
@pytest.mark.filterwarnings("default")
def test_a_page_runs_and_prints_what_it_shows(
    page: str, others: tuple[str, ...], repository: Path, aftercart: Command, folder: Path
) -> None:
    for name in others:
        pytest.importorskip(name, reason=f"{name} is of the extra `slow` or `bench`")
    printed: str | None = None
    names: dict[str, Any] = {}
    blocks = list(BLOCK.finditer((repository / "docs" / page).read_text(encoding="utf-8")))
    assert {block["needs"] for block in blocks} - {None} == set(PAGES[page])
    for block in blocks:
        if block["kind"] == "sh":
            for typed in block["text"].splitlines():
                assert aftercart(*shlex.split(typed)[1:]).exit_code == 0, typed
        elif block["kind"] == "python":
            is_run = block["needs"] is None or block["needs"] in others
            printed = output_of(block["text"], names) if is_run else None
        elif block["kind"] == "text" and printed is not None:
            assert printed == block["text"]


def output_of(code: str, names: dict[str, Any]) -> str:
    with redirect_stdout(StringIO()) as output:
        exec(code, names)
    return output.getvalue()
