"""Scenarios as settings of a page: those that differ from its own in shares, case mix or benefit only."""

from __future__ import annotations

from typing import Any

from simulator.errors import InputError
from simulator.explorer.page_model import PageModel
from simulator.scenario.scenario import LEVERS, Scenario


def preset(page: PageModel, scenario: Scenario) -> dict[str, Any]:
    """Return what a scenario sets on a page. Raises InputError where a page's sliders cannot."""
    base = page.scenario
    if scenario.pathway.name != base.pathway.name:
        raise InputError("another pathway", where=scenario.where, got=scenario.pathway.name, allowed=base.pathway.name)
    for lever in ("replace", "hazard_ratio", "case_mix", "capacity", "service", "milestones", *LEVERS):
        own, of_base = getattr(scenario, lever, None), getattr(base, lever, None)
        if lever != "set" and own and own != of_base:
            why = "no slider moves it: a page has shares, case mix and benefit"
            raise InputError(why, where=f"{scenario.where}: [{lever}]", allowed="[set] of shares, [population]")
    movable = [slider.name for slider in page.sliders]
    moved = {name: value for name, value in scenario.set.items() if base.set.get(name) != value}
    for name in moved:
        if name not in movable:
            why = page.fixed.get(name, "no slider moves it")
            raise InputError(why, where=f"{scenario.where}: [set] {name}", allowed=", ".join(movable))
    benefit = scenario.marginal_benefit
    mixed = {name: shares for name, shares in scenario.population.items() if base.population.get(name) != shares}
    return {
        "title": scenario.title or scenario.name,
        "moved": moved,
        "margins": {
            name: [shares.get(level, 0.0) for level in base.pathway.attributes[name].levels]
            for name, shares in mixed.items()
        },
        "benefit": benefit if isinstance(benefit, float) else 1.0,
    }
