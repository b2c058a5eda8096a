"""Which engine runs some scenarios, and why: the engine that is requested, or one that can."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.engines.exact.uses import most_requests
from simulator.engines.model import resolve
from simulator.scenario.capacity import beyond_microsim, doubles
from simulator.scenario.scenario import Scenario

ENGINES = ("auto", "exact", "microsim", "des")
MOST_REQUESTS = 20.0
"""Mean requests of one patient from one state above which microsim's queues may have too many to simulate."""


def choose_engine(engine: str, scenarios: Sequence[Scenario], horizon: float = 120.0) -> tuple[str, str]:
    """Return the engine to use and why. Raises InputError where the requested engine cannot run a scenario."""
    from simulator.engines.exact import accuracy
    from simulator.engines.exact import engine as exact
    from simulator.engines.microsim import queueing

    for scenario in scenarios:
        if engine == "exact":
            exact.refuse(scenario)
        elif engine == "microsim":
            queueing.refuse(scenario)
    if engine != "auto":
        return engine, "as asked"
    limited = any(scenario.is_limited for scenario in scenarios)
    passed = [scenario.name for scenario in scenarios if scenario.pathway.milestones]
    if passed and not limited:
        carried = f"the latent times of {passed[0]} are carried forward into a milestone"
        return "microsim", f"{carried}, which needs simulated patients"
    if not limited:
        try:
            for scenario in scenarios:
                exact.refuse_coarse(resolve(scenario.benefiting(1.0)), horizon)
        except accuracy.TooCoarse as error:
            return "microsim", f"{error.what}: {error.got}"
        return "exact", "no resource is limited, so the answer has no simulation noise"
    beyond = [why for scenario in scenarios if (why := beyond_microsim(scenario.pathway, scenario.capacity))]
    better = beyond or [why for scenario in scenarios if (why := _beforehand(scenario))]
    if better:
        return "des", better[0]
    if any(scenario.capacity for scenario in scenarios):
        return "microsim", "resources are limited and are granted first come, first served"
    return "microsim", "patients arrive over time, and no resource is limited"


def _beforehand(scenario: Scenario) -> str | None:
    """Return why microsim, which simulates both ends of every wait beforehand, may have too much to simulate."""
    model = resolve(scenario.benefiting(1.0))
    # Every onward exit, open or not: where a request is made at once, other risks act while it waits.
    why = doubles(scenario.pathway, model.onward, scenario.capacity)
    if why is None:
        state, requests = most_requests(model)
        if requests > MOST_REQUESTS:
            often = f"about {requests:,.0f} times" if requests < float("inf") else "without end"
            why = f"patients may return to '{state}' {often} until they are granted a unit"
    return why if why is not None or scenario.before is None else _beforehand(scenario.before)
