"""`aftercart sweep`: one scenario over a grid of values, to a folder of one tidy table and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from simulator.cli import options, output

if TYPE_CHECKING:
    from simulator.analyses.sweep.run import Sweep

VARY = (
    "A parameter, resource, marginal_benefit, [service] key, scale.NAME, odds_ratio.NAME or hazard_ratio.STATE.NAME. "
    "Values: 0.5,0.7,0.9, 1..6 or 0.5..0.9..0.1. May be repeated."
)


@dataclass
class Options(options.Simulation):
    """The options of `sweep`."""

    json: options.JsonTable = False
    yes: options.Yes = False
    quiet: options.Quiet = False


def sweep(
    scenario: options.Scenario, vary: Annotated[list[str], options.option("NAME=VALUES", VARY)], chosen: Options
) -> None:
    """Simulate a scenario over a grid of values.

    Every cell uses the scenario's own marginal_benefit, unless --vary marginal_benefit=... varies it.
    """
    from simulator.analyses.sweep import axis
    from simulator.analyses.sweep.run import simulate
    from simulator.outcomes.labels import labelled
    from simulator.report.json import as_json
    from simulator.report.tables import sweep as tables
    from simulator.scenario.scenario import load_scenario

    varied, loaded, settings = axis.split(vary), load_scenario(scenario), chosen.settings()
    options.print_staleness(loaded.pathway)
    result, out = output.written(
        chosen,
        f"{loaded.name}-sweep",
        lambda advance: simulate(loaded, varied, settings, yes=chosen.yes, progress=advance),
        _draw,
    )
    output.print_results(
        chosen, out, tables.report(result), json=lambda: as_json(labelled(result.table, result.scenario.pathway))
    )


def _draw(result: Sweep, into: Path) -> None:
    from simulator.evidence.cohort import load_cohort
    from simulator.figures import picture
    from simulator.figures.analyses import sweep as sweep_gallery

    picture.save(sweep_gallery.pictures(result, load_cohort(result.scenario.pathway)), into)
