"""Names and labels for figures: short enough to be read, as distinct as the full ones; and what intervals are over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from simulator.experiment.results import Results

NAME, LABEL = 32, 44
"""Characters of a scenario's name without its @, and of any label; the report and the files have them in full."""


def shortened(texts: Iterable[str], most: int) -> dict[str, str]:
    """Return text -> short text: cut in its middle if it is longer than `most`, and numbered if two are alike."""
    forms: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        short, number = _cut(text, most), 1
        while short in forms.values():
            number += 1
            short = f"{_cut(text, most - 4)} ({number})"
        forms[text] = short
    return forms


def _cut(text: str, most: int) -> str:
    # Names made by one rule mostly differ at their ends.
    last = (most - 1) * 2 // 3
    return text if len(text) <= most else f"{text[: most - 1 - last].rstrip()}…{text[-last:].lstrip()}"


def of_run(results: Results, cohort: Cohort | None) -> tuple[Results, Cohort | None]:
    """Return a run and its cohort with short names of scenarios and clocks and short labels.

    Its curves have their parameter sets as a column `draws`: see `Curve`.
    """
    stems = shortened((scenario.policy for scenario in results.scenarios), NAME)
    names = {s.name: stems[s.policy] + s.name.removeprefix(s.policy) for s in results.scenarios}
    clocks = shortened(results.scenarios[0].pathway.clocks, NAME)

    def renamed(table: pd.DataFrame | None) -> pd.DataFrame | None:
        if table is None or table.empty:
            return table
        columns = {"scenario": names, "clock": clocks}
        return table.assign(**{key: table[key].map(to) for key, to in columns.items() if key in table})

    tables: dict[str, Any] = {
        key: renamed(getattr(results, key))
        for key in ("survival", "outcomes", "occupancy", "end_points", "benefit", "service", "queue")
    }
    for key in ("survival", "end_points"):
        if tables[key] is not None:
            tables[key] = tables[key].assign(draws=results.manifest["draws"])
    scenarios = tuple(_scenario(scenario, names, clocks) for scenario in results.scenarios)
    renamed_cohort = cohort if cohort is None else replace(cohort, clock=clocks.get(cohort.clock, cohort.clock))
    # No figure reads the tables of single parameter sets and patients, which are long.
    return replace(results, scenarios=scenarios, draws=None, histories=None, requests=None, **tables), renamed_cohort


def _scenario(scenario: Scenario, names: Mapping[str, str], clocks: Mapping[str, str]) -> Scenario:
    lead = scenario.leads_with
    pathway = of_pathway(scenario.pathway)
    pathway = replace(pathway, clocks={clocks[name]: state for name, state in pathway.clocks.items()})
    return replace(scenario, name=names[scenario.name], pathway=pathway, leads_with=lead and clocks[lead])


def of_pathway(pathway: Pathway) -> Pathway:
    """Return a pathway with short labels."""
    kinds = ("states", "groups", "counts", "resources", "end_points")
    labelled: dict[str, Any] = {kind: _labelled(getattr(pathway, kind)) for kind in kinds}
    attributes = {}
    for name, attribute in pathway.attributes.items():
        short = shortened(attribute.labels.values(), LABEL)
        attributes[name] = replace(attribute, labels={key: short[text] for key, text in attribute.labels.items()})
    return replace(pathway, attributes=attributes, **labelled)


def _labelled(declared: Mapping[str, Any]) -> dict[str, Any]:
    labels = shortened((item.label for item in declared.values()), LABEL)
    return {name: replace(item, label=labels[item.label]) for name, item in declared.items()}
