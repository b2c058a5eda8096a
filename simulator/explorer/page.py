"""One file that needs no network: the model of a scenario, sliders, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from simulator.arrays import Floats
from simulator.evidence.cohort import Cohort
from simulator.explorer import one_file
from simulator.explorer.alternatives import Alternative, in_words, value_in_words
from simulator.explorer.page_model import PageModel
from simulator.explorer.stored import stored
from simulator.pathway.pathway import Count, Pathway
from simulator.scenario.scenario import INFORMED, LEVERS
from simulator.wording import limits

PACKAGE = "simulator.explorer"
SCRIPTS = ("model", "words", "elements", "svg", "setting", "survival", "tables", "alternatives", "view")
"""Files of the page's own code, in this order."""
REPORTED_ERRORS = 1.96
MOVED = (*LEVERS, "replace", "hazard_ratio", "population", "case_mix")
"""Keys of a scenario: one without any of them is today's practice."""
NOT_RANDOMISED = "Nobody knows this share: treatment was not randomised. 100 of 100 is the optimistic estimate."


def html(
    page: PageModel,
    values: Mapping[str, Floats],
    cohort: Cohort | None,
    checked: Mapping[str, float],
    presets: Sequence[Mapping[str, Any]] = (),
    lever_values: Sequence[Alternative] = (),
    queue: Mapping[str, Any] | None = None,
) -> str:
    """Return the page. values : parameter -> (n_draws, 1); checked : how far it was from the engine at most.

    lever_values : the values of which `page.others` are solved; queue : a table of a centre's
    """
    data = {
        **stored(page),
        **_words(page, values, cohort, lever_values),
        "checked": dict(checked),
        "presets": list(presets),
    }
    data["queue"] = queue
    for solved, alternative in zip(data["alternatives"], lever_values, strict=True):
        solved |= value_in_words(alternative)
    title = page.scenario.pathway.title or page.scenario.pathway.name
    return one_file.page(PACKAGE, title, script(), data)


def script() -> str:
    """Return the page's own code, one script of several files."""
    return one_file.script(PACKAGE, SCRIPTS)


def _words(
    page: PageModel, values: Mapping[str, Floats], cohort: Cohort | None, lever_values: Sequence[Alternative]
) -> dict[str, Any]:
    """Return what the page says, and what it starts with."""
    scenario, pathway, model = page.scenario, page.scenario.pathway, page.model
    names = list(pathway.parameters)
    horizon = float(page.months[-1])
    informed, movable = values.get(INFORMED), {slider.name for slider in page.sliders}
    is_reference = not any(getattr(scenario, key) for key in MOVED)
    return {
        "base": scenario.policy if scenario.file is None or _is_shipped(page) else scenario.file.name,
        "moved": {names.index(name): value for name, value in scenario.set.items() if name in movable},
        "followUp": _follow_up(cohort, pathway.clock, horizon),
        "before": "today" if is_reference else scenario.policy,
        "lead": "Today" if is_reference else scenario.policy,
        "clock": pathway.clock,
        "answer": pathway.months.answer,
        "survival": [month for month in pathway.months.survival if month <= horizon],
        "margin": 5.0,
        "centre": 0,
        "benefit": scenario.marginal_benefit,
        "hasBenefit": model.marginal is not None,
        "raised": model.marginal is not None and model.marginal.raised,
        "benefitWords": "additional: treated only with this setting",
        "benefitSource": NOT_RANDOMISED,
        "cohorts": None if informed is None else informed[:, 0].tolist(),
        "sliders": [{"parameter": names.index(parameter.name)} for parameter in page.sliders],
        "levers": in_words(page, lever_values),
        "fixed": [
            [f"{pathway.parameters[name].meaning} ({name})", reason]
            for name, reason in page.fixed.items()
            if name not in {alternative.axis.key for alternative in lever_values}
        ],
        "mixes": [_mix(page, attribute) for attribute in model.attributes],
        "states": [[name, state.label] for name, state in pathway.states.items()],
        "countLabels": [_count(pathway, count) for count in pathway.counts.values()],
        "reported": _reported(cohort, pathway.clock, horizon),
        "cohort": "" if cohort is None else cohort.title,
        "of": "" if cohort is None else f"n = {cohort.n} patients.",
        "patients": pathway.patients,
        "assumes": " ".join(scenario.assumes.split()),
        "resources": [resource.label for resource in pathway.resources.values()],
        "limits": limits.of(cohort, pathway, horizon, None),
    }


def _count(pathway: Pathway, count: Count) -> dict[str, str]:
    """Return what a page calls a count, and the units that are in use where it adds up months that one is held."""
    held = {pathway.states[state].holds for state in count.months}
    resource = held.pop() if len(held) == 1 else None
    return {
        "name": count.name,
        "label": count.label,
        "inUse": "" if resource is None else pathway.resources[resource].label,
    }


def _is_shipped(page: PageModel) -> bool:
    file = page.scenario.file
    return file is not None and file.parent == files("scenarios")


def _mix(page: PageModel, attribute: str) -> dict[str, Any]:
    declared = page.scenario.pathway.attributes[attribute]
    shares = page.model.mix[attribute]
    return {
        "attribute": attribute,
        "label": declared.meaning,
        "names": list(shares),
        "levels": [declared.labels.get(level, level) for level in shares],
        "shares": list(shares.values()),
        "source": declared.source,
    }


def _follow_up(cohort: Cohort | None, clock: str, horizon: float) -> list[dict[str, Any]]:
    """Return the months between which survivors' follow-up ends, with what a figure says there."""
    if cohort is None or cohort.follow_up is None or cohort.clock != clock:
        return []
    (thins, ends), words = cohort.follow_up, ("fewer followed", "none followed")
    sentences = f"After month {thins:g} fewer survivors are followed.", limits.extrapolation(cohort, horizon)
    marks = zip((thins, ends), words, sentences, strict=True)
    return [{"month": month, "words": mark, "sentence": text} for month, mark, text in marks if month < horizon]


def _reported(cohort: Cohort | None, clock: str, horizon: float) -> Sequence[dict[str, float]]:
    if cohort is None:
        return []
    rows = cohort.reported_survival("all", clock).to_dict("records")
    return [
        {
            "month": row["month"],
            "value": row["value"] / 100.0,
            "low": max(row["value"] - REPORTED_ERRORS * row["standard_error"], 0.0) / 100.0,
            "high": min(row["value"] + REPORTED_ERRORS * row["standard_error"], 100.0) / 100.0,
        }
        for row in rows
        if row["month"] <= horizon and row["standard_error"] == row["standard_error"]
    ]
