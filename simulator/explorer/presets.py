"""Scenarios as settings of a page: those that differ from its own in shares, case mix or benefit only."""

from __future__ import annotations

from typing import Any

from simulator.errors import InputError
from simulator.explorer.page_model import PageModel
from simulator.scenario.scenario import Scenario


def preset(page: PageModel, scenario: Scenario) -> dict[str, Any]:
    """Return what a scenario sets on a page. Raises InputError where a page's sliders cannot."""
    base = page.scenario
    if scenario.pathway.name != base.pathway.name:
        raise InputError("another pathway", where=scenario.where, got=scenario.pathway.name, allowed=base.pathway.name)
    for lever in ("scale", "odds_ratio", "replace", "hazard_ratio", "case_mix", "capacity", "service"):
        if getattr(scenario, lever) != getattr(base, lever):
            why = "no slider moves it: a page has shares, case mix and benefit"
            raise InputError(why, where=f"{scenario.where}: [{lever}]", allowed="[set] of shares, [population]")
    movable = [slider.name for slider in page.sliders]
    moved = {name: value for name, value in scenario.set.items() if base.set.get(name) != value}
    for name in moved:
        if name not in movable:
            why = page.fixed.get(name, "no slider moves it")
            raise InputError(why, where=f"{scenario.where}: [set] {name}", allowed=", ".join(movable))
    for lever in ("set", "population"):
        if kept := getattr(base, lever).keys() - getattr(scenario, lever).keys():
            what = f"a button cannot take back what {base.name} sets: start from {scenario.name}"
            raise InputError(what, where=f"{base.where}: [{lever}]", got=", ".join(sorted(kept)), allowed=scenario.name)
    benefit = scenario.marginal_benefit
    if isinstance(benefit, str):
        what = "each parameter set has a benefit of its own"
        raise InputError(what, where=scenario.where, got=f"@{benefit}", allowed=scenario.policy)
    mixed = {name: shares for name, shares in scenario.population.items() if base.population.get(name) != shares}
    return {
        "title": (scenario.title or scenario.policy) + scenario.name.removeprefix(scenario.policy).replace("@", " @"),
        "moved": moved,
        "margins": {
            name: [shares.get(level, 0.0) for level in base.pathway.attributes[name].levels]
            for name, shares in mixed.items()
        },
        "benefit": benefit,
    }
