"""`aftercart beds`: which number of beds meets a target, to a folder as of `compare`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from simulator.cli import options
from simulator.cli.options import option
from simulator.cli.run import Options, simulated

TARGET = (
    'What is wanted of requests, as "wait_over_30_days <= 5%" (of any number of days). Others: lost_while_waiting, '
    "utilisation; wait_mean, wait_median, wait_90th_percentile (<= 7 days); in_use."
)
UNITS = "Numbers of beds to compare, as 1..4 or 2,3,5."
RESOURCE = "The resource. [default: the one that the scenario limits, or else the pathway's first]"


def beds(
    scenario: options.Scenario,
    target: Annotated[str, option("TARGET", TARGET)],
    units: Annotated[str, option("VALUES", UNITS)] = "1..4",
    resource: Annotated[str | None, option("NAME", RESOURCE)] = None,
    *,
    chosen: Options,
) -> None:
    """Find how many beds (or slots) meet a target.

    Queues that grow without limit are simulated, too, and named."""
    from simulator.analyses import beds
    from simulator.analyses.sweep.axis import read_values
    from simulator.outcomes import target as targets
    from simulator.scenario.scenario import load_scenario

    wanted, loaded = targets.read(target, "--target"), load_scenario(scenario)
    name = beds.named(loaded, resource, "--resource")
    compared = beds.with_units(loaded, name, read_values(units, "--units"), wanted, "--units")
    settings = replace(chosen, overload=True)
    simulated(compared, settings, f"{loaded.name}-beds", lambda results: beds.ask(results, name, wanted))
