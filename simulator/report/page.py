"""The page: the answer, what it is not, figures, tables, assumptions; one file that asks nothing of the network."""

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
from simulator.scenario.scenario import Scenario, split_name
from simulator.wording import resources as resource_words
from simulator.wording.headline import answer

NOT_SHOWN = ("created", "command", "files", "scenarios", "stale_draws", "note")
"""Of the manifest: where and when, so that the same run gives the same page, and what is said elsewhere on it."""


def html(results: Results, *, cohort: Cohort | None = None, figures: Sequence[Picture] = ()) -> str:
    """Return the page of a run. figures : see `gallery`; cohort : the one that calibrates the pathway, or None."""
    pathway = results.scenarios[0].pathway
    order = clocks(results)
    parts = [
        section("figures", "Figures", *(_figure(figure) for figure in figures)) if figures else "",
        section("outcomes", "Outcomes", *_outcomes(results, order)),
        section("beds", resource_words.title(pathway), *beds) if (beds := service_tables.tables(results)) else "",
        section("evidence", "Reported and simulated", predictive(cohort, pathway)) if cohort else "",
        section("assumptions", "Assumption register", register(pathway, results.scenarios, cohort)),
        section(
            "scenarios",
            "Scenarios",
            *(_scenario(scenario) for scenario in results.scenarios if _is_told(scenario, results)),
        ),
        section("manifest", "Manifest", _manifest(results.manifest)),
    ]
    title = " and ".join(scenario.name for scenario in results.scenarios if _is_told(scenario, results))
    aside = _what_it_is_not(cohort, pathway, results.manifest.get("stale_draws"))
    body = tag("main", *_answer(results), aside, _contents(parts, pathway), *parts)
    return _shell(f"aftercart: {title}", body)


def _answer(results: Results) -> list[str]:
    """Return the answer, a paragraph a policy, the first as the page's heading."""
    first = results.scenarios[0]
    policies = outcomes.policies(results.scenarios) or [[]]
    said = [answer(results.outcomes, [first, *ends]) for ends in policies]
    headline, stop, rest = said[0].partition(". ")
    wards = resource_words.sentence(results.service, results.scenarios)
    said[:1] = [f"{headline}." if stop else headline, *(each for each in (rest, wards) if each)]
    titles = [scenario.title or scenario.name for scenario in results.scenarios if _is_told(scenario, results)]
    under = f"{first.pathway.title}. {', '.join(titles)}."
    more = [paragraph(each, class_="answer") for each in [ROUGH] * results.is_rough + said[1:]]
    return [tag("h1", text(said[0])), *more, paragraph(under, class_="under")]


def _what_it_is_not(cohort: Cohort | None, pathway: Pathway, stale: str | None) -> str:
    said = [stale] if stale else []
    said += [
        "It is for planning and teaching about groups of patients, and not for decisions about an individual patient.",
        "A policy's effect is a simulation of stated assumptions. It is not the effect of a treatment.",
    ]
    if cohort is None and pathway.draws is None:
        said.append("It is not calibrated to a cohort: each parameter has the value that the pathway file declares.")
    elif cohort is None:
        said.append(
            f"Its parameter sets are those of {pathway.draws}. If they were fitted to a cohort, its reported figures "
            "can be shown here: let draws in the pathway file name the cohort's folder."
        )
    else:
        source = ", doi ".join(each for each in (cohort.citation.rstrip("."), cohort.doi) if each)
        said.append(
            f"It is calibrated to n = {cohort.n} reported patients: {cohort.title} ({source}). "
            "The intervals hold what they and the sourced priors leave open about the parameters, not whether patients "
            "elsewhere are like them."
        )
    return tag("aside", tag("h2", text("What it is not")), tag("ul", *(tag("li", text(each)) for each in said)))


def _contents(parts: Sequence[str], pathway: Pathway) -> str:
    names = {
        "figures": "Figures",
        "outcomes": "Outcomes",
        "beds": resource_words.title(pathway),
        "evidence": "Reported and simulated",
        "assumptions": "Assumption register",
        "scenarios": "Scenarios",
        "manifest": "Manifest",
    }
    there = {name: title for name, title in names.items() if any(f'<section id="{name}"' in part for part in parts)}
    return tag("nav", *(tag("a", text(title), href=f"#{name}") for name, title in there.items()))


def _figure(picture: Picture) -> str:
    drawing = inline_svg(picture.svg, picture.name, picture.alt)
    words = folded("In words", paragraph(picture.alt))
    return tag("figure", tag("div", drawing, class_="scroll"), tag("figcaption", words), id=f"figure-{picture.name}")


def _outcomes(results: Results, order: Sequence[str]) -> list[str]:
    draws = results.manifest.get("draws")
    said = (
        "Means over the parameters' draws, of the median survival the median over them; 95 % intervals in brackets; "
        "differences are taken draw by draw."
    )
    if draws == 1:
        said = "One set of parameters, so there are no intervals."
    tables = outcomes.of_all(results.outcomes, results.scenarios, order, results.manifest["horizon"])
    groups = outcomes.by_group(results.outcomes, results.scenarios, results.scenarios[0].pathway.clock)
    whole = "All of it, with Monte Carlo errors, is in outcomes.csv."
    return [paragraph(f"{said} {whole}"), tables, groups]


def _is_told(scenario: Scenario, results: Results) -> bool:
    """Return whether a scenario's texts are to be shown: of both ends of one policy, once."""
    stem, benefit = split_name(scenario.name)
    return benefit is None or stem not in [scenario.name for scenario in results.scenarios]


def _scenario(scenario: Scenario) -> str:
    told = {"Question": scenario.question, "Rationale": scenario.rationale, "Assumes": scenario.assumes}
    rows = [tag("dt", text(key)) + tag("dd", text(said)) for key, said in told.items() if said]
    changed = "".join(tag("li", tag("code", text(each))) for each in levers.told(scenario))
    shown = tag("ul", changed) if changed else text("None: nothing is changed.")
    rows.append(tag("dt", text("Levers")) + tag("dd", shown))
    heading = tag("h3", text(scenario.title or scenario.name), " ", span(scenario.name, "unit"))
    return tag("article", heading, tag("dl", *rows))


def _manifest(manifest: Mapping[str, Any]) -> str:
    rows = []
    for key, value in manifest.items():
        if key in NOT_SHOWN or value is None:
            continue
        if isinstance(value, Mapping):
            # Where the reader's copy of a file is, nobody else needs to know.
            value = {name: Path(each).name if name == "file" and each else each for name, each in value.items()}
            value = ", ".join(f"{name} {each}" for name, each in value.items() if each is not None)
        shown = f"{value:g}" if isinstance(value, float) else value
        rows.append(tag("dt", text(key.replace("_", " "))) + tag("dd", text(shown)))
    return tag("dl", *rows) + paragraph("The time of the run, and all of it for machines, is in manifest.json.")


def _shell(title: str, body: str) -> str:
    sheet = files("simulator.report").joinpath("page.css").read_text(encoding="utf-8")
    # Says to the browser what is true anyway: nothing is fetched.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{sheet}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'
