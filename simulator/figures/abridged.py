"""Names and labels as figures show them: short enough to be read, and as distinct as they are in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario, split_name

if TYPE_CHECKING:
    import pandas as pd

    from simulator.experiment.results import Results

NAME, LABEL = 32, 44
"""Characters of a scenario's name without its @, and of any label; the report and the files have them in full."""


def shown(texts: Iterable[str], most: int) -> dict[str, str]:
    """Return each text as it is shown: cut in its middle if it is longer than `most`, and numbered if two are alike."""
    found: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        short, number = _cut(text, most), 1
        while short in found.values():
            number += 1
            short = f"{_cut(text, most - 4)} ({number})"
        found[text] = short
    return found


def _cut(text: str, most: int) -> str:
    # Names that were made by one rule differ most often at their ends.
    last = (most - 1) * 2 // 3
    return text if len(text) <= most else f"{text[: most - 1 - last].rstrip()}…{text[-last:].lstrip()}"


def of_run(results: Results, cohort: Cohort | None) -> tuple[Results, Cohort | None]:
    """Return a run, and its cohort, with the names of scenarios and clocks and every label as they are shown."""
    stems = shown((split_name(scenario.name)[0] for scenario in results.scenarios), NAME)
    names = {}
    for scenario in results.scenarios:
        stem = split_name(scenario.name)[0]
        names[scenario.name] = stems[stem] + scenario.name.removeprefix(stem)
    clocks = shown(results.scenarios[0].pathway.clocks, NAME)

    def renamed(table: pd.DataFrame | None) -> pd.DataFrame | None:
        if table is None or table.empty:
            return table
        columns = {"scenario": names, "clock": clocks}
        return table.assign(**{key: table[key].map(to) for key, to in columns.items() if key in table})

    tables: Mapping[str, Any] = {
        key: renamed(getattr(results, key)) for key in ("survival", "outcomes", "occupancy", "service", "queue")
    }
    scenarios = tuple(_scenario(scenario, names, clocks) for scenario in results.scenarios)
    whose = cohort if cohort is None else replace(cohort, clock=clocks.get(cohort.clock, cohort.clock))
    return replace(results, scenarios=scenarios, **tables), whose


def _scenario(scenario: Scenario, names: Mapping[str, str], clocks: Mapping[str, str]) -> Scenario:
    lead = scenario.leads_with
    pathway = of_pathway(scenario.pathway)
    pathway = replace(pathway, clocks={clocks[name]: state for name, state in pathway.clocks.items()})
    return replace(scenario, name=names[scenario.name], pathway=pathway, leads_with=lead and clocks[lead])


def of_pathway(pathway: Pathway) -> Pathway:
    """Return a pathway whose labels are as they are shown."""
    attributes = {
        name: replace(
            attribute,
            labels={key: shown(attribute.labels.values(), LABEL)[text] for key, text in attribute.labels.items()},
        )
        for name, attribute in pathway.attributes.items()
    }
    return replace(
        pathway,
        states=_labelled(pathway.states, replace),
        groups=_labelled(pathway.groups, replace),
        counts=_labelled(pathway.counts, replace),
        resources=_labelled(pathway.resources, replace),
        attributes=attributes,
    )


def _labelled(declared: Mapping[str, Any], change: Callable[..., Any]) -> dict[str, Any]:
    labels = shown((each.label for each in declared.values()), LABEL)
    return {name: change(each, label=labels[each.label]) for name, each in declared.items()}
