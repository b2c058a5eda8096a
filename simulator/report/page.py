"""The page: the answer, its limits, figures, tables, assumptions; one file that needs no network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from simulator.evidence.cohort import Cohort
from simulator.experiment.manifest import ROUGH
from simulator.experiment.results import Results
from simulator.figures import difference, needed, occupancy, patients, resource_use, waits
from simulator.figures.pathway import diagram, flow
from simulator.figures.picture import Picture
from simulator.figures.survival import panels
from simulator.report import levers
from simulator.report.elements import drawing, folded, paragraph, part, section, span, table, tag, text
from simulator.report.tables import outcomes, resources, structures
from simulator.report.tables.calibration import predictive, register
from simulator.scenario.scenario import Scenario
from simulator.wording import limits, opening
from simulator.wording import resources as resource_wording
from simulator.wording.headline import compared, policies
from simulator.wording.table import Table

OMITTED = ("created", "command", "files", "scenarios", "stale_draws", "note")
"""Keys of the manifest that differ between equal runs, or that stand elsewhere on the page."""

EXPLORER = "Move the shares yourself (explorer)"

PLACES = {
    waits.NAME: "waits",
    **dict.fromkeys((difference.NAME, patients.NAME, needed.NAME), "difference"),
    **dict.fromkeys((resource_use.NAME, flow.NAME, panels.BY_GROUP, occupancy.NAME, diagram.NAME), "behind"),
}
"""Figure -> its section, in their order; the others are of survival."""


def html(results: Results, *, cohort: Cohort | None = None, figures: Sequence[Picture] = (), explorer: str = "") -> str:
    """Return the page of a run. figures : see `gallery`; cohort : the cohort that calibrates the pathway, or None.

    explorer : the file of its explorer next to it, if there is one
    """
    scenarios, manifest = results.scenarios, results.manifest
    beyond = structures.sentences(compared(scenarios), cohort)
    # Of one policy it is a limit of the answer; of several they would hide the figures.
    of_policies, beyond = (beyond, []) if len(beyond) > 1 else ([], beyond)
    drawn: dict[str, list[str]] = defaultdict(list)
    order = list(PLACES)
    for picture in sorted(figures, key=lambda picture: order.index(picture.name) if picture.name in PLACES else 0):
        drawn[PLACES.get(picture.name, "survival")].append(_figure(picture))
    sections = list(_sections(results, cohort, drawn, of_policies))
    links = [(f"#{anchor}", title) for anchor, title, _ in sections] + [(explorer, EXPLORER)] * bool(explorer)
    contents = tag("nav", *(tag("a", text(title), href=to) for to, title in links))
    limited = limits.of(cohort, scenarios[0].pathway, manifest["horizon"], manifest.get("stale_draws"))
    items = (tag("li", text(limit)) for limit in [*limited, *beyond])
    aside = tag("aside", tag("h2", text("What it is not")), tag("ul", *items))
    bodies = (section(anchor, title, *content) for anchor, title, content in sections)
    body = tag("main", *_answer(results), aside, contents, *bodies)
    return _shell(f"aftercart: {' and '.join(policy[0].name for policy in policies(scenarios))}", body)


def _sections(
    results: Results, cohort: Cohort | None, drawn: Mapping[str, list[str]], sentences: Sequence[str]
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield anchor, title and content of every section that has any. drawn : figures by section

    sentences : what other structures of the model change, where it stands in their section
    """
    pathway, scenarios = results.scenarios[0].pathway, [policy[0] for policy in policies(results.scenarios)]
    sections: list[tuple[str, str, Iterable[str]]] = [
        ("waits", "How long patients wait", drawn["waits"]),
        ("difference", f"What the {'policies add' if len(scenarios) > 2 else 'policy adds'}", drawn["difference"]),
        ("outcomes", "Outcomes", _outcomes(results)),
        ("survival", "Survival", drawn["survival"]),
        ("beds", resource_wording.title(pathway), map(part, resources.use(results))),
        ("behind", "What lies behind it", drawn["behind"]),
        ("structure", "Other structures of the model", [*map(paragraph, sentences), *_structures(results, cohort)]),
        ("evidence", "Reported and simulated", map(part, predictive(cohort, pathway) if cohort else ())),
        ("assumptions", "Assumption register", map(part, register(pathway, results.scenarios, cohort))),
        ("scenarios", "Scenarios", map(_scenario, scenarios)),
        ("manifest", "Manifest", [_manifest(results.manifest)]),
    ]
    if results.queue is None:
        sections.insert(3, sections.pop(0))
    for anchor, title, parts in sections:
        if content := list(parts):
            yield anchor, title, content


def _answer(results: Results) -> list[str]:
    """Return the opening's paragraphs, their first sentence as the page's heading."""
    scenarios, (answer, *others) = results.scenarios, opening.paragraphs(results)
    headline, stop, rest = answer.partition(". ")
    more = [*[ROUGH] * results.is_rough, rest, *others]
    titles = [policy[0].title or policy[0].name for policy in policies(scenarios)]
    under = f"{scenarios[0].pathway.title}. {', '.join(titles)}."
    paragraphs = [paragraph(words, class_="answer") for words in more if words]
    return [tag("h1", text(f"{headline}." if stop else headline)), *paragraphs, paragraph(under, class_="under")]


def _outcomes(results: Results) -> list[str]:
    """Return the tables of the first clock, and folded those of other clocks and of groups."""
    first, *others = opening.clocks(results)
    known = results.outcomes[["difference", "monte_carlo_se"]].notna().any()
    has = {"has_differences": bool(known["difference"]), "has_errors": bool(known["monte_carlo_se"])}
    content = [paragraph(limits.numbers(results.manifest["draws"], **has))]
    said: set[str] = set()
    content += _tables(outcomes.of_options(results, first), said)
    for clock in others:
        tables = _tables(outcomes.of_options(results, clock), said)
        content.append(folded(f"The same outcomes, in months from {clock}", *tables))
    if groups := outcomes.by_group(results):
        content.append(folded("The same survival by group and patient attribute", table(groups)))
    return content


def _tables(tables: Iterable[Table], said: set[str]) -> Iterator[str]:
    """Yield tables, a note below the first that needs it. said : the notes so far"""
    for content in tables:
        yield table(replace(content, notes=[note for note in content.notes if note not in said]))
        said.update(content.notes)


def _structures(results: Results, cohort: Cohort | None) -> list[str]:
    """Return the folded table of every compared policy that a cohort's structures were fitted for."""
    if cohort is None:
        return []
    pairs = [(first, policy[0]) for first, *policy in compared(results.scenarios) if policy]
    tables = ((policy.name, structures.of_policy(base, policy, cohort)) for base, policy in pairs)
    return [folded(name, table(of_policy)) for name, of_policy in tables if of_policy is not None]


def _figure(picture: Picture) -> str:
    drawn = tag("div", drawing(picture.svg, picture.compact_svg, picture.alt), class_="scroll")
    numbers = [] if picture.numbers is None else [folded("In words and numbers", table(picture.numbers))]
    words = [tag("figcaption", *numbers)] if numbers else []
    return tag("figure", drawn, *words, id=f"figure-{picture.name}")


def _scenario(scenario: Scenario) -> str:
    texts = {"Question": scenario.question, "Rationale": scenario.rationale, "Assumes": scenario.assumes}
    rows = [tag("dt", text(key)) + tag("dd", text(words)) for key, words in texts.items() if words]
    lines = "".join(tag("li", tag("code", text(line))) for line in levers.lines(scenario))
    changes = tag("ul", lines) if lines else text("None: nothing changes.")
    rows.append(tag("dt", text("Levers")) + tag("dd", changes))
    heading = tag("h3", text(scenario.title or scenario.name), " ", span(scenario.name, "unit"))
    return tag("article", heading, tag("dl", *rows))


def _manifest(manifest: Mapping[str, Any]) -> str:
    rows = []
    for key, value in manifest.items():
        if key in OMITTED or value is None:
            continue
        if isinstance(value, Mapping):
            # Only its user needs to know where a file lies.
            value = {name: Path(entry).name if name == "file" and entry else entry for name, entry in value.items()}
            value = ", ".join(f"{name} {entry}" for name, entry in value.items() if entry is not None)
        cell = f"{value:g}" if isinstance(value, float) else value
        rows.append(tag("dt", text(key.replace("_", " "))) + tag("dd", text(cell)))
    return tag("dl", *rows) + paragraph("The time of the run and every setting, for machines, are in manifest.json.")


def _shell(title: str, body: str) -> str:
    sheet = files("simulator.report").joinpath("page.css").read_text(encoding="utf-8")
    # The page fetches nothing; this lets the browser enforce it.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{sheet}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'
