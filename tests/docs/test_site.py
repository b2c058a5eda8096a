"""The documentation site needs no network: what its pages load is in it. `.ci/run` builds it and says where: SITE."""

import json
import os
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import Page, browser

LOADED = {"src", "srcset", "poster", "data", "background"}
"""Attributes whose address a browser loads; of `link`, `href`, too."""
WIDTHS = (390, 768, 1280)


class Loaded(HTMLParser):
    """Collects the addresses that a page loads from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses = re.findall(r"(?:@import\s+[\"']?|url\([\"']?)((?:https?:)?//[^\"')\s]+)", page)
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = LOADED | ({"href"} if tag in ("link", "image", "use") else set())
        values = [value.strip() for name, value in attrs if name in names and value]
        self.addresses += [value for value in values if re.match(r"(https?:)?//", value)]


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/a.css">',
        "<style>@import 'https://cdn.example/a.css';</style>",
        "<style>@font-face { src: url(https://cdn.example/a.woff2) }</style>",
        '<img srcset="https://cdn.example/a.png 2x">',
        '<iframe src="http://cdn.example/"></iframe>',
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(page: str) -> None:
    assert Loaded(page).addresses


def test_links_and_pictures_in_the_page_itself_load_nothing() -> None:
    page = '<a href="https://doi.org/10">x</a><img src="data:image/svg+xml,%3Csvg xmlns=http://www.w3.org/">'
    assert Loaded(page + '<script src="_static/a.js"></script>').addresses == []


@pytest.fixture(scope="module")
def site() -> Path:
    if "SITE" not in os.environ:
        pytest.skip("no SITE: .ci/run builds one")
    return Path(os.environ["SITE"]).resolve()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_no_file_of_the_site_loads_anything_from_elsewhere(site: Path) -> None:
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(files) > 50
    loaded = {file.relative_to(site): Loaded(file.read_text(encoding="utf-8")).addresses for file in files}
    assert {file: addresses for file, addresses in loaded.items() if addresses} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_in_a_browser_ask_for_nothing_outside_and_fit(site: Path, page: Page, width: int) -> None:
    names = [*site.glob("docs/*.html"), *site.glob("docs/lessons/*.html"), site / "README.html"]
    assert len(names) > 30
    too_wide = []
    for name in names:
        page.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        page.send("Page.navigate", url=name.as_uri())
        until = time.monotonic() + 30
        while not page.run(
            f"location.href.startsWith({json.dumps(name.as_uri())}) && document.readyState === 'complete'"
        ):
            assert time.monotonic() < until, name
            time.sleep(0.02)
        assert page.complaints == [], name
        if not name.stem.endswith("-slides") and page.run("document.documentElement.scrollWidth > innerWidth + 1"):
            too_wide.append(str(name.relative_to(site)))
    assert too_wide == []
    assert [address for address in page.requests if not address.startswith(("file:", "data:", "about:", "blob:"))] == []


def test_every_lesson_has_a_notebook_without_checks_and_slides_with_its_figures(site: Path) -> None:
    lessons = sorted(site.glob("docs/lessons/0*.html"))
    lessons = [lesson for lesson in lessons if not lesson.stem.endswith("-slides")]
    assert len(lessons) == 8
    for lesson in lessons:
        notebook = json.loads(lesson.with_suffix(".ipynb").read_text(encoding="utf-8"))
        sources = ["".join(cell["source"]) for cell in notebook["cells"]]
        assert sum(cell["cell_type"] == "code" for cell in notebook["cells"]) >= 3
        assert not any("assert " in source or ".md)" in source or "{code-cell}" in source for source in sources)
        slides = lesson.with_name(f"{lesson.stem}-slides.html").read_text(encoding="utf-8")
        assert slides.count("<section>") >= 5
        assert "<picture>" in slides or "<svg" in slides
        assert "For the teacher" not in slides
        assert "Traceback" not in lesson.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["explorer", "animation"])
def test_a_page_shows_what_its_command_makes(site: Path, name: str) -> None:
    assert f'src="{name}-page.html"' in (site / "docs" / f"{name}.html").read_text(encoding="utf-8")
    assert (site / "docs" / f"{name}-page.html").stat().st_size > 50_000
