"""Which engine runs some scenarios, and why: the engine that is requested, or one that can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simulator.engines.exact.uses import most_requests
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.scenario.capacity import beyond_microsim, doubles
from simulator.scenario.scenario import Scenario

ENGINES = ("auto", "exact", "microsim", "des")
MOST_REQUESTS = 20.0
"""Mean requests of one patient from one state above which microsim's queues may have too many to simulate."""


def choose_engine(engine: str, scenarios: Sequence[Scenario], horizon: float = 120.0) -> tuple[str, str]:
    """Return the engine to use and why. Raises InputError where the requested engine cannot run a scenario."""
    from simulator.engines.exact import accuracy
    from simulator.engines.exact import engine as exact

    limited = next((scenario for scenario in scenarios if scenario.is_limited), None)
    beyond = [
        (scenario, why)
        for scenario in scenarios
        if (why := beyond_microsim(scenario.pathway, scenario.capacity)) is not None
    ]
    if engine == "exact" and limited is not None:
        raise InputError(
            "the exact engine has no queues",
            where=f"{limited.where}: [{'capacity' if limited.capacity else 'service'}]",
            allowed="--engine auto, microsim or des",
        )
    passed = next((scenario for scenario in scenarios if scenario.pathway.milestones), None)
    if engine == "exact" and passed is not None:
        raise InputError(
            "the exact engine has no milestones: latent times that are carried forward need patients",
            where=f"{passed.where}: milestones",
            got=list(passed.pathway.milestones),
            allowed="--engine auto, microsim or des",
        )
    if engine == "microsim" and beyond:
        scenario, why = beyond[0]
        raise InputError(
            "the queues of microsim cannot simulate this scenario",
            where=scenario.where,
            got=why,
            allowed="--engine des",
        )
    if engine != "auto":
        return engine, "as asked"
    if limited is None and passed is not None:
        return (
            "microsim",
            f"the latent times of {passed.name} are carried forward into a milestone, which needs simulated patients",
        )
    if limited is None:
        try:
            for scenario in scenarios:
                exact.refuse_coarse(resolve(scenario), horizon)
        except accuracy.TooCoarse as error:
            return "microsim", f"{error.what}: {error.got}"
        return "exact", "no resource is limited, so the answer has no simulation noise"
    better = [why for _, why in beyond] or [why for scenario in scenarios if (why := _beforehand(scenario))]
    if better:
        return "des", better[0]
    if any(scenario.capacity for scenario in scenarios):
        return "microsim", "resources are limited and are granted first come, first served"
    return "microsim", "patients arrive over time, and no resource is limited"


def _beforehand(scenario: Scenario) -> str | None:
    """Return why microsim, which simulates both ends of every wait beforehand, may have too much to simulate."""
    model = resolve(replace(scenario, marginal_benefit=1.0))
    # Every onward exit, open or not: where a request is made at once, other risks act while it waits.
    why = doubles(scenario.pathway, model.onward, scenario.capacity)
    if why is None:
        state, requests = most_requests(model)
        if requests > MOST_REQUESTS:
            often = f"about {requests:,.0f} times" if requests < float("inf") else "without end"
            why = f"patients may return to '{state}' {often} until they are granted a unit"
    return why if why is not None or scenario.before is None else _beforehand(scenario.before)
