"""The page: the answer, its limits, figures, tables, assumptions; one file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from simulator.evidence.cohort import Cohort
from simulator.experiment.manifest import ROUGH
from simulator.experiment.results import Results
from simulator.figures.gallery import Picture, clocks
from simulator.pathway.pathway import Pathway
from simulator.report.elements import folded, inline_svg, paragraph, section, span, tag, text
from simulator.report.tables import levers, outcomes
from simulator.report.tables import resources as service_tables
from simulator.report.tables.assumptions import register
from simulator.report.tables.calibration import predictive
from simulator.scenario.scenario import COHORTS, Scenario, split_name
from simulator.wording import resources as resource_words
from simulator.wording.headline import CAUTIOUS_NOTE, answer

OMITTED = ("created", "command", "files", "scenarios", "stale_draws", "note")
"""Keys of the manifest that differ between equal runs, or that stand elsewhere on the page."""


def html(results: Results, *, cohort: Cohort | None = None, figures: Sequence[Picture] = ()) -> str:
    """Return the page of a run. figures : see `gallery`; cohort : the cohort that calibrates the pathway, or None."""
    pathway = results.scenarios[0].pathway
    scenarios = _displayed(results.scenarios)
    sections = [
        ("figures", "Figures", [_figure(figure) for figure in figures]),
        ("outcomes", "Outcomes", _outcomes(results, clocks(results))),
        ("beds", resource_words.title(pathway), service_tables.tables(results)),
        ("evidence", "Reported and simulated", [predictive(cohort, pathway)] if cohort else []),
        ("assumptions", "Assumption register", [register(pathway, results.scenarios, cohort)]),
        ("scenarios", "Scenarios", [_scenario(scenario) for scenario in scenarios]),
        ("manifest", "Manifest", [_manifest(results.manifest)]),
    ]
    sections = [(anchor, title, content) for anchor, title, content in sections if content]
    contents = tag("nav", *(tag("a", text(title), href=f"#{anchor}") for anchor, title, _ in sections))
    aside = _limits(cohort, pathway, results.manifest.get("stale_draws"))
    parts = (section(anchor, title, *content) for anchor, title, content in sections)
    body = tag("main", *_answer(results), aside, contents, *parts)
    return _shell(f"aftercart: {' and '.join(scenario.name for scenario in scenarios)}", body)


def _answer(results: Results) -> list[str]:
    """Return the answer, a paragraph a policy, the first as the page's heading."""
    first = results.scenarios[0]
    policies = outcomes.policies(results.scenarios) or [[]]
    answers = [answer(results.outcomes, [first, *policy]) for policy in policies]
    headline, stop, rest = answers[0].partition(". ")
    resources = resource_words.sentence(results.service, results.scenarios)
    answers[:1] = [f"{headline}." if stop else headline, *(words for words in (rest, resources) if words)]
    titles = [scenario.title or scenario.name for scenario in _displayed(results.scenarios)]
    under = f"{first.pathway.title}. {', '.join(titles)}."
    more = [paragraph(words, class_="answer") for words in [ROUGH] * results.is_rough + answers[1:]]
    return [tag("h1", text(answers[0])), *more, paragraph(under, class_="under")]


def _limits(cohort: Cohort | None, pathway: Pathway, stale: str | None) -> str:
    limits = [stale] if stale else []
    limits += [
        "It is for planning and teaching about groups of patients, and not for decisions about an individual patient.",
        "A policy's effect is a simulation of stated assumptions. It is not the effect of a treatment.",
    ]
    if cohort is None and pathway.draws is None:
        limits.append("It is not calibrated to a cohort: each parameter has the value that the pathway file declares.")
    elif cohort is None:
        limits.append(
            f"Its parameter sets come from {pathway.draws}. If they were fitted to a cohort, the page can show the "
            "reported figures, too: set draws in the pathway file to the cohort's folder."
        )
    else:
        source = ", doi ".join(part for part in (cohort.citation.rstrip("."), cohort.doi) if part)
        limits.append(
            f"It is calibrated to n = {cohort.n} reported patients: {cohort.title} ({source}). "
            "The intervals include what these patients and the sourced priors do not determine about the parameters. "
            "They do not include how far patients elsewhere differ from these."
        )
    return tag("aside", tag("h2", text("What it is not")), tag("ul", *(tag("li", text(limit)) for limit in limits)))



def _figure(picture: Picture) -> str:
    drawing = inline_svg(picture.svg, picture.name, picture.alt)
    words = folded("In words", paragraph(picture.alt))
    return tag("figure", tag("div", drawing, class_="scroll"), tag("figcaption", words), id=f"figure-{picture.name}")


def _outcomes(results: Results, order: Sequence[str]) -> list[str]:
    draws = results.manifest.get("draws")
    note = (
        "Numbers are means over the parameter sets (of median survival, the median), with 95 % intervals in brackets. "
        "Differences are taken within each parameter set."
    )
    if draws == 1:
        note = "There is one parameter set, so there are no intervals."
    tables = outcomes.of_all(results.outcomes, results.scenarios, order, results.manifest["horizon"])
    groups = outcomes.by_group(results.outcomes, results.scenarios, results.scenarios[0].pathway.clock)
    errors = ", with Monte Carlo errors," if results.outcomes["monte_carlo_se"].notna().any() else ""
    whole = f"All outcomes{errors} are in outcomes.csv."
    if any(scenario.marginal_benefit == COHORTS for scenario in results.scenarios):
        whole += f" {CAUTIOUS_NOTE}"
    return [paragraph(f"{note} {whole}"), tables, groups]


def _displayed(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios whose texts the page displays: one for all marginal benefits of a policy."""
    names = {scenario.name for scenario in scenarios}
    return [scenario for scenario in scenarios if split_name(scenario.name)[0] not in names - {scenario.name}]


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
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{sheet}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'
