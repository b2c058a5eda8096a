"""Write docs/stress-des.md: the text of stress_des.md.in, filled with tables of what the program itself reads."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import scenarios
from simulator.evidence.cohort import Cohort, load_cohort
from simulator.evidence.draws import load_draws
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway, State
from simulator.scenario.scenario import load_scenario

HERE = Path(__file__).parent
PAGE = HERE / "stress-des.md"


def page() -> str:
    """Return the page as it should be."""
    pathway = load_pathway("b_all_post_cd19")
    cohort = load_cohort(pathway)
    assert cohort is not None
    return (
        (HERE / "stress_des.md.in")
        .read_text(encoding="utf-8")
        .format(**_model(pathway, cohort.n), **_data(pathway, cohort), **_project(), scenarios=_scenarios())
    )


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def _model(pathway: Pathway, n: int) -> dict[str, object]:
    states = pathway.states.values()
    return {
        "start": pathway.start,
        "group_window": f"{pathway.group_window:g}",
        "groups": ", ".join(f"`{name}`" for name in pathway.groups),
        "deaths": ", ".join(f"`{name}`" for name in pathway.deaths),
        "counts": table(["count", "unit"], ((count.label, count.unit) for count in pathway.counts.values())),
        "states": table(
            ["state", "kind", "leads to", "meaning"],
            (
                (f"`{state.name}`", state.kind, ", ".join(_exits(state)), state.meaning or state.label)
                for state in states
            ),
        ),
        "attributes": table(
            ["attribute", "levels", "source"],
            (
                (attribute.name, ", ".join(_of(n, *level) for level in attribute.levels.items()), attribute.source)
                for attribute in pathway.attributes.values()
            ),
        ),
        "resources": table(
            ["resource", "held in", "meaning"],
            (
                (name, ", ".join(f"`{state.name}`" for state in states if state.holds == name), resource.meaning)
                for name, resource in pathway.resources.items()
            ),
        ),
    }


def _of(n: int, level: str, share: float) -> str:
    """Return a level of an attribute with its patients: "positive 17 of 37 (46 %)"."""
    return f"{level} {n * share:.3g} of {n} ({100 * share:.2g} %)"


def _exits(state: State) -> list[str]:
    """Return where a state leads to, once each, with the names of a second exit that leads there."""
    names: dict[str, list[str]] = {}
    for way in state.transitions:
        names.setdefault(way.to, []).append(way.name)
    return [f"{to} (also as {', '.join(more)})" if more else to for to, (_, *more) in names.items()]


def _data(pathway: Pathway, cohort: Cohort) -> dict[str, object]:
    draws = load_draws(pathway)
    assert draws is not None
    assert cohort.posterior is not None
    assert cohort.follow_up is not None
    posterior = cohort.posterior.set_index("parameter")

    def posterior_of(name: str) -> str:
        if name not in posterior.index:
            return "-"
        mean, lower, upper = posterior.loc[name, ["posterior_mean", "posterior_lower", "posterior_upper"]]
        return f"{mean:.3g} ({lower:.3g} to {upper:.3g})"

    parameters = pathway.parameters.values()
    return {
        "cohort": cohort.name,
        "citation": cohort.citation,
        "doi": cohort.doi,
        "n": cohort.n,
        "follow_up_lower": f"{cohort.follow_up[0]:g}",
        "follow_up_upper": f"{cohort.follow_up[1]:g}",
        "n_draws": len(draws),
        "n_parameters": len(parameters),
        "n_fitted": sum(parameter.prior is not None for parameter in parameters),
        "n_assumed": sum(parameter.source.startswith("assumption") for parameter in parameters),
        "n_partly": sum(parameter.source.find("assumption") > 0 for parameter in parameters),
        "parameters": table(
            ["parameter", "unit", "value", "posterior", "prior", "source"],
            (
                (
                    f"`{parameter.name}`",
                    parameter.unit,
                    f"{parameter.value:g}",
                    posterior_of(parameter.name),
                    _prior(parameter),
                    parameter.source,
                )
                for parameter in parameters
            ),
        ),
    }


def _prior(parameter: object) -> str:
    prior = getattr(parameter, "prior", None)
    if prior is None:
        return "fixed"
    return f"{prior.family} ({', '.join(f'{name} {value:g}' for name, value in prior.arguments.items())})"


def _project() -> dict[str, object]:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "version": project["version"],
        "python": project["requires-python"],
        "dependencies": ", ".join(project["dependencies"]),
    }


def _scenarios() -> str:
    loaded = (load_scenario(name) for name in scenarios.names())
    return table(["scenario", "question"], ((f"`{scenario.name}`", scenario.question) for scenario in loaded))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
