"""The pages on reporting standards are up to date, and their links and tests exist."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from simulator import load_scenario, survival_curves
from simulator.evidence.cohort import load_cohort

ITEMS = "1.1 1.2 1.3 2.1 2.2 2.3 2.4 2.5.1 2.5.2 2.5.3 2.5.4 2.5.5 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2 5.3 5.4 6.1"


def read(repository: Path, name: str) -> str:
    return (repository / "docs" / name).read_text(encoding="utf-8")


def test_the_stress_page_is_up_to_date_with_its_command(repository: Path) -> None:
    spec = importlib.util.spec_from_file_location("stress_des", repository / "docs" / "stress_des.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert read(repository, "stress-des.md") == module.page(), "stale: run python docs/stress_des.py"


@pytest.mark.parametrize("item", ITEMS.split())
def test_every_stress_item_is_filled_in(repository: Path, item: str) -> None:
    (text,) = re.findall(
        rf"^\*\*{re.escape(item)} [^*]+\*\*(.*?)(?=^\*\*\d|^## |\Z)", read(repository, "stress-des.md"), re.M | re.S
    )
    assert len(text.split()) > 5


def test_every_page_and_heading_that_is_linked_exists(repository: Path) -> None:
    for page in (repository / "README.md", *(repository / "docs").rglob("*.md")):
        for link, heading in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                linked = page.parent / link if link else page
                assert linked.exists(), (page.name, link)
                assert not heading or heading in headings(linked), (page.name, link, heading)


def headings(page: Path) -> set[str]:
    """Return the headings of a page as links name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in titles}


def test_the_glossary_is_alphabetical_and_linked_from_the_readme(repository: Path) -> None:
    terms = re.findall(r"^\*\*([^*]+)\.\*\*", read(repository, "glossary.md"), re.M)
    assert len(terms) > 40
    assert terms == sorted(terms, key=str.lower)
    assert "(docs/glossary.md)" in (repository / "README.md").read_text(encoding="utf-8")


def test_every_test_that_answers_an_item_exists(repository: Path) -> None:
    named = re.findall(r"`(tests/[^`]+\.py)(?:::(\w+))?`", read(repository, "validation-checklists.md"))
    assert len(named) > 30
    for file, name in named:
        text = (repository / file).read_text(encoding="utf-8")
        assert f"def {name or 'test_'}" in text, (file, name)


def test_an_item_is_answered_or_called_open(repository: Path) -> None:
    for line in read(repository, "validation-checklists.md").splitlines():
        if line.startswith("| ") and not line.startswith(("| type", "| item", "| domain")):
            *_, answer, where, _ = (cell.strip() for cell in line.split("|"))
            assert where or "open" in answer, line


def test_the_types_of_validation_are_all_named(repository: Path) -> None:
    text = read(repository, "validation-checklists.md")
    for kind in ("face validity", "verification", "cross validity", "external validity", "predictive validity"):
        assert f"| {kind}" in text
    assert len(re.findall(r"^\| [A-E]\d[AB]? ", text, re.M)) == 14


@pytest.mark.slow
def test_the_pages_say_what_a_complete_response_is_worth_next_to_a_partial_one(repository: Path) -> None:
    baseline = load_scenario("baseline")
    treatments, responses = ("chemotherapy", "immunotherapy", "car_t_reinfusion"), ("cr", "pr", "nr")
    everybody = {
        response: {f"{other}_{of}": float(other == response) for of in treatments for other in responses}
        for response in ("cr", "pr")
    }
    cr, pr = (
        100
        * survival_curves(replace(baseline, set=shares), months=[12, 60], populations=["treated"])["treated"].mean(0)
        for shares in everybody.values()
    )
    text = " ".join(read(repository, "defence-of-design.md").split())
    assert f"had a CR, {cr[0]:.0f} of 100 would be alive at 12 months and {cr[1]:.0f} at 60" in text
    assert f"if all had a PR, {pr[0]:.0f} and {pr[1]:.0f}, no clear differences" in text
    cohort = load_cohort(baseline.pathway)
    assert cohort is not None
    assert isinstance(cohort.posterior, pd.DataFrame)
    planned = (100 * cohort.posterior.set_index("parameter")["posterior_mean"]).round(0)
    assert f"in {planned['hsct_if_pr']:.0f} % of PR and {planned['hsct_if_cr']:.0f} % of CR" in text
    words = f"HSCT is planned in {planned['hsct_if_cr']:.0f} % of CR and {planned['hsct_if_pr']:.0f} % of PR"
    for name in ("dual-target-reinfusion", "immunotherapy-first"):
        assert words in " ".join(load_scenario(name).assumes.split())
    assert "the course after HSCT is the same from CR and from PR" in " ".join(
        read(repository, "stress-des.md").split()
    )
