"""The assumption register: each parameter's meaning, value or posterior, source, and whether a policy can change it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simulator.evidence.cohort import UNINFORMED, Cohort, is_silent
from simulator.pathway.pathway import Parameter, Pathway
from simulator.report.elements import paragraph, row, span, table, tag, text
from simulator.scenario.scenario import LEVERS, Scenario
from simulator.wording.intervals import Row
from simulator.wording.numbers import digits


def register(pathway: Pathway, scenarios: Sequence[Scenario], cohort: Cohort | None) -> str:
    """Return the table, in the order of the pathway file."""
    if not pathway.parameters:
        return paragraph("The pathway has no parameters: its numbers are in the pathway file.")
    posterior = _posterior(cohort)
    lines = [
        _line(parameter, posterior.get(parameter.name), scenarios, cohort) for parameter in pathway.parameters.values()
    ]
    head = ["Parameter", "Value", "Contraction", "Lever", "Source"]
    return paragraph(_note(pathway, posterior, cohort)) + table(head, lines, kind="register")


def _posterior(cohort: Cohort | None) -> dict[str, Row]:
    if cohort is None or cohort.posterior is None:
        return {}
    return {str(row["parameter"]): row for row in cohort.posterior.to_dict("records")}


def _note(pathway: Pathway, posterior: Mapping[str, Row], cohort: Cohort | None) -> str:
    total = len(pathway.parameters)
    fitted = [posterior[name] for name in pathway.parameters if name in posterior]
    if not fitted or cohort is None:
        return f"{total} parameters, at the values that the pathway file declares."
    silent = sum(is_silent(row) for row in fitted)
    return (
        f"{total} parameters: {total - len(fitted)} fixed, {len(fitted) - silent} informed by the {cohort.n} patients, "
        f"and {silent}, marked, that rest on the prior. Contraction is 1 minus the ratio of posterior to prior "
        f"variance. A parameter is marked if its contraction is below {UNINFORMED:g} and its mean moved by less than "
        "half a prior standard deviation. Values are means with 95 % intervals."
    )


def _line(
    parameter: Parameter, posterior: Row | None, scenarios: Sequence[Scenario], cohort: Cohort | None
) -> str:
    name = tag("code", text(parameter.name)) + tag("div", text(parameter.meaning), class_="meaning")
    set_by = [_changed(scenario, parameter.name) for scenario in scenarios if "@" not in scenario.name]
    return row(
        name,
        _value(parameter, posterior) + "".join(tag("div", text(words), class_="changed") for words in set_by if words),
        _contraction(posterior, cohort),
        "yes" if parameter.lever else "",
        text(parameter.source),
        kind="uninformed" if posterior is not None and is_silent(posterior) else "",
    )


def _value(parameter: Parameter, posterior: Row | None) -> str:
    unit = "" if parameter.unit in ("number", "probability") else parameter.unit
    if posterior is None:
        why = "fixed" if parameter.prior is None else "as declared"
        return f"{tag('b', text(digits(parameter.value, parameter.unit)))} {span(unit, 'unit')} {span(why, 'interval')}"
    (mean, after), (before, prior) = (_summary(posterior, when, parameter.unit) for when in ("posterior", "prior"))
    estimate = f"{tag('b', text(mean))} {span(unit, 'unit')} {span(f'({after})', 'interval')}"
    return estimate + tag("div", text(f"prior {before} ({prior})"), class_="prior")


def _summary(posterior: Row, when: str, unit: str) -> tuple[str, str]:
    mean, lower, upper = (digits(float(posterior[f"{when}_{name}"]), unit) for name in ("mean", "lower", "upper"))
    return mean, f"{lower} to {upper}"


def _contraction(posterior: Row | None, cohort: Cohort | None) -> str:
    if posterior is None or cohort is None:
        return ""
    value = float(posterior["contraction"])
    if not math.isfinite(value):
        return ""
    width = f"width:{100 * min(max(value, 0.0), 1.0):.0f}%"
    bar = tag("span", tag("i", style=width), class_="bar", aria_hidden="true")
    number = text(f"{value:.2f}".replace("-", "\N{MINUS SIGN}"))
    mark = tag("div", text(f"not informed by the {cohort.n} patients"), class_="mark") if is_silent(posterior) else ""
    return f"{number} {bar}{mark}"


def _changed(scenario: Scenario, name: str) -> str:
    """Return a scenario's change of a parameter in words; empty without a change."""
    words = {"set": "", "scale": "times ", "odds_ratio": "odds times "}
    for lever in LEVERS:
        levers: Mapping[str, float] = getattr(scenario, lever)
        if name in levers:
            return f"{scenario.name}: {words[lever]}{levers[name]:g}"
    return ""
