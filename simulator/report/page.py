"""The page, as a short paper: answer, options, figures, limits, a conclusion, a supplement; it needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from simulator.evidence.cohort import Cohort
from simulator.experiment.manifest import ROUGH, note
from simulator.experiment.results import Results
from simulator.figures import abridged, difference, needed, patients, resource_use, waits
from simulator.figures.gallery import NAME
from simulator.figures.picture import Picture
from simulator.figures.survival import panels
from simulator.report import levers
from simulator.report.elements import drawing, folded, paragraph, part, scrolled, section, span, table, tag, text
from simulator.report.tables import glance, outcomes, resources, structures
from simulator.report.tables.calibration import predictive, register
from simulator.scenario.scenario import Scenario
from simulator.wording import limits, opening, paper
from simulator.wording.headline import compared, policies
from simulator.wording.table import Part, Table

OMITTED = ("created", "command", "files", "scenarios", "stale_draws", "note")
"""Keys of the manifest that differ between equal runs, or that stand elsewhere on the page."""

TO_PRINT = "Printed, this page is a summary of one sheet; with its supplement open, it is the whole report."
EXPLORER = "Move the shares yourself (explorer)"

FIGURES = (waits.NAME, difference.NAME, patients.NAME, needed.NAME, NAME, resource_use.NAME, panels.BY_POLICY)
"""The figures of the paper itself, in their order; the others stand in its supplement."""


def html(results: Results, *, cohort: Cohort | None = None, figures: Sequence[Picture] = (), explorer: str = "") -> str:
    """Return the page of a run. figures : see `gallery`; cohort : the cohort that calibrates the pathway, or None.

    explorer : the file of its explorer next to it, if there is one
    """
    scenarios = results.scenarios
    beyond = list(structures.sentences(compared(scenarios), cohort))
    # Of one policy it is a limit of the answer; of several they would hide the others.
    of_policies, beyond = (beyond, []) if len(beyond) > 1 else ([], beyond)
    order = FIGURES if results.queue is not None else (*FIGURES[1:-1], waits.NAME, FIGURES[-1])
    drawn = sorted((one for one in figures if one.name in order), key=lambda one: order.index(one.name))
    sections: list[tuple[str, str, Iterable[str]]] = [
        ("options", "The options", [table(_at_a_glance(results, cohort))]),
        ("takes", "What it takes", map(part, _takes(results))),
        ("figures", "Figures", map(_figure, drawn)),
        ("sure", "How sure it is, and what it assumes", _sure(results, cohort, beyond)),
        ("conclusion", "Conclusion", [paragraph(" ".join(paper.conclusion(results, cohort)))]),
    ]
    behind = [_figure(one) for one in figures if one.name not in order]
    known, more = _known(sections), _known(_supplement(results, cohort, behind, of_policies))
    links = [(f"#{anchor}", title) for anchor, title, _ in [*known, *more]] + [(explorer, EXPLORER)] * bool(explorer)
    contents = tag("nav", *(tag("a", text(title), href=to) for to, title in links))
    bodies = (section(anchor, title, *content) for anchor, title, content in known)
    supplement = tag(
        "details",
        tag("summary", tag("h2", "Supplement")),
        *(section(anchor, title, *content, level=3) for anchor, title, content in more),
        id="supplement",
    )
    body = tag("main", _answer(results), contents, *bodies, supplement, paragraph(TO_PRINT, class_="under"))
    return _shell(f"aftercart: {' and '.join(policy[0].name for policy in policies(scenarios))}", body)


def _known(sections: Iterable[tuple[str, str, Iterable[str]]]) -> list[tuple[str, str, list[str]]]:
    """Return the sections that have any content."""
    listed = [(anchor, title, list(content)) for anchor, title, content in sections]
    return [(anchor, title, content) for anchor, title, content in listed if content]


def _supplement(
    results: Results, cohort: Cohort | None, behind: Sequence[str], sentences: Sequence[str]
) -> list[tuple[str, str, Iterable[str]]]:
    """Return anchor, title and content of the sections of the supplement. behind : its figures

    sentences : what other structures of the model change, where it stands in their section
    """
    pathway, scenarios = results.scenarios[0].pathway, [policy[0] for policy in policies(results.scenarios)]
    return [
        ("outcomes", "Outcomes", _outcomes(results)),
        ("behind", "What lies behind it", behind),
        ("structure", "Other structures of the model", [*map(paragraph, sentences), *_structures(results, cohort)]),
        ("evidence", "Reported and simulated", map(part, predictive(cohort, pathway) if cohort else ())),
        ("assumptions", "Assumption register", map(part, register(pathway, results.scenarios, cohort))),
        ("scenarios", "Scenarios", map(_scenario, scenarios)),
        ("manifest", "Manifest", [_manifest(results.manifest)]),
    ]


def _answer(results: Results) -> str:
    """Return the head of the page: its title and question, then the answer."""
    scenarios, (lead, more) = results.scenarios, paper.lead(results)
    compared = policies(scenarios)
    asked = compared[-1][0].question if len(compared) <= 2 else ""
    return tag(
        "header",
        tag("h1", text(paper.title(results))),
        paragraph(f"{scenarios[0].pathway.title}. {asked}".strip(), class_="under"),
        paragraph(lead, class_="lead"),
        *(paragraph(words, class_="answer") for words in [*[ROUGH] * results.is_rough, *more]),
        paragraph(note(scenarios[0].pathway), class_="under"),
    )


def _at_a_glance(results: Results, cohort: Cohort | None) -> Table:
    """Return the options with the names that figures have: it is printed next to one."""
    short, _ = abridged.of_run(results, cohort)
    return glance.at_a_glance(short, opening.clocks(short)[0], cohort)


def _takes(results: Results) -> Iterator[Part]:
    """Yield what every option takes: what is counted, then the use of every resource."""
    if taken := glance.takes(results, opening.clocks(results)[0]):
        yield taken
    yield from resources.use(results)


def _sure(results: Results, cohort: Cohort | None, beyond: Sequence[str]) -> Iterator[str]:
    """Yield the limits of a run, and what its options assume. beyond : what other structures of the model change"""
    scenarios, manifest = results.scenarios, results.manifest
    limited = limits.of(cohort, scenarios[0].pathway, manifest["horizon"], manifest.get("stale_draws"))
    items = (tag("li", text(limit)) for limit in [*limited, *beyond])
    yield tag("aside", tag("h3", text("What it is not")), tag("ul", *items))
    yield from (paragraph(words) for policy in policies(scenarios) if (words := limits.assumed(policy[0])))


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
    drawn = scrolled(drawing(picture.svg, picture.compact_svg, picture.alt))
    numbers = [] if picture.numbers is None else [folded("In words and numbers", table(picture.numbers))]
    words = [tag("figcaption", *numbers)] if numbers else []
    return tag("figure", drawn, *words, id=f"figure-{picture.name}")


def _scenario(scenario: Scenario) -> str:
    texts = {"Question": scenario.question, "Rationale": scenario.rationale, "Assumes": scenario.assumes}
    rows = [tag("dt", text(key)) + tag("dd", text(words)) for key, words in texts.items() if words]
    lines = "".join(tag("li", tag("code", text(line))) for line in levers.lines(scenario))
    changes = tag("ul", lines) if lines else text("None: nothing changes.")
    rows.append(tag("dt", text("Levers")) + tag("dd", changes))
    heading = tag("h4", text(scenario.title or scenario.name), " ", span(scenario.name, "unit"))
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
