"""The assumption register: each parameter with its meaning, its value or posterior, its source, and who can change it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.cohort import Cohort
from simulator.pathway import Parameter, Pathway
from simulator.report.elements import paragraph, row, span, table, tag, text
from simulator.report.wording import digits
from simulator.scenario import LEVERS, Scenario

UNINFORMED = 0.1
"""A contraction below this leaves the prior as it was: the cohort has not informed the parameter."""


def register(pathway: Pathway, scenarios: Sequence[Scenario], cohort: Cohort | None) -> str:
    """Return the table, in the order of the pathway file."""
    if not pathway.parameters:
        return paragraph("The pathway has no parameters: its numbers are in the file.")
    posterior = _posterior(cohort)
    lines = [_line(each, posterior.get(each.name), scenarios, cohort) for each in pathway.parameters.values()]
    head = ["Parameter", "Value", "Contraction", "Lever", "Source"]
    return paragraph(_said(pathway, posterior, cohort)) + table(head, lines, kind="register")


def _posterior(cohort: Cohort | None) -> dict[str, Mapping[str, Any]]:
    if cohort is None or cohort.posterior is None:
        return {}
    return {str(each["parameter"]): each for each in cohort.posterior.to_dict("records")}


def _said(pathway: Pathway, posterior: Mapping[str, Mapping[str, Any]], cohort: Cohort | None) -> str:
    total = len(pathway.parameters)
    fitted = [posterior[name] for name in pathway.parameters if name in posterior]
    if not fitted or cohort is None:
        return f"{total} parameters, at the values that the pathway file declares."
    silent = sum(each["contraction"] < UNINFORMED for each in fitted)
    return (
        f"{total} parameters: {total - len(fitted)} fixed, {len(fitted) - silent} informed by the {cohort.n} patients, and "
        f"{silent} that they did not inform (contraction below {UNINFORMED:g}), marked, where the prior speaks. "
        "Contraction is 1 less the posterior's variance over the prior's. Values are means with 95 % intervals."
    )


def _line(
    parameter: Parameter, found: Mapping[str, Any] | None, scenarios: Sequence[Scenario], cohort: Cohort | None
) -> str:
    silent = found is not None and found["contraction"] < UNINFORMED
    name = tag("code", text(parameter.name)) + tag("div", text(parameter.meaning), class_="meaning")
    set_by = [_changed(each, parameter.name) for each in scenarios if "@" not in each.name]
    return row(
        name,
        _value(parameter, found) + "".join(tag("div", text(each), class_="changed") for each in set_by if each),
        _contraction(found, cohort),
        "yes" if parameter.lever else "",
        text(parameter.source),
        kind="uninformed" if silent else "",
    )


def _value(parameter: Parameter, found: Mapping[str, Any] | None) -> str:
    if found is None:
        why = "fixed" if parameter.prior is None else "declared"
        return f"{tag('b', text(digits(parameter.value)))} {span(parameter.unit, 'unit')} {span(why, 'interval')}"
    mean, lower, upper = (digits(float(found[f"posterior_{each}"])) for each in ("mean", "lower", "upper"))
    told = f"{tag('b', text(mean))} {span(parameter.unit, 'unit')} {span(f'({lower} to {upper})', 'interval')}"
    mean, lower, upper = (digits(float(found[f"prior_{each}"])) for each in ("mean", "lower", "upper"))
    return told + tag("div", text(f"prior {mean} ({lower} to {upper})"), class_="prior")


def _contraction(found: Mapping[str, Any] | None, cohort: Cohort | None) -> str:
    if found is None or cohort is None:
        return ""
    value = float(found["contraction"])
    if not math.isfinite(value):
        return ""
    width = f"width:{100 * min(max(value, 0.0), 1.0):.0f}%"
    bar = tag("span", tag("i", style=width), class_="bar", aria_hidden="true")
    shown = text(f"{value:.2f}".replace("-", "\N{MINUS SIGN}"))
    mark = tag("div", text(f"not informed by the {cohort.n}"), class_="mark") if value < UNINFORMED else ""
    return f"{shown} {bar}{mark}"


def _changed(scenario: Scenario, name: str) -> str:
    """Return what a scenario does to a parameter, in words; nothing if nothing."""
    words = {"set": "", "scale": "times ", "odds_ratio": "odds times "}
    for lever in LEVERS:
        levers: Mapping[str, float] = getattr(scenario, lever)
        if name in levers:
            return f"{scenario.name}: {words[lever]}{levers[name]:g}"
    return ""
