"""`aftercart sensitivity`: the inputs that drive an answer, to a folder of a table and a figure a part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options, output, progress
from simulator.cli.options import argument, completed, flag, option

if TYPE_CHECKING:
    import pandas as pd

    from simulator.analyses.sensitivity.alternatives import Widened
    from simulator.analyses.sensitivity.run import Sensitivity, Widen
    from simulator.pathway.pathway import Pathway
    from simulator.scenario.scenario import Scenario

OUTCOME = "Any outcome of outcomes.csv. [default: survival at the pathway's month of the answer]"
SHOW = (
    "Parts, separated by commas, or all. Seconds: tornado, prcc, structure, evppi. Minutes: sobol, priors. "
    "[default: the parts that take seconds]"
)
COST = (
    "Opportunity cost of one unit of a count, as bed_months=1: in life-months, or in survivors if --decide-by "
    "names survival. May be repeated. [default: 1 life-month for a month in bed, an assumption]"
)
DECIDE = "Outcome that values the options: mean survival to a month, or survival at one. [default: mean survival]"
SAMPLES = "Points of the Sobol sequence (--show sobol), a power of two. [default: 512]"


def completed_parts(begun: str) -> list[str]:
    """Return the parts that the last name of a list may become, after the names before it."""
    from simulator.analyses.sensitivity.run import PARTS

    before, comma, last = begun.rpartition(",")
    names = [name for name in PARTS if name not in before.split(",")] if comma else [*PARTS, "all"]
    return [f"{before}{comma}{name}" for name in names if name.startswith(last)]


@dataclass
class Options:
    """The options of `sensitivity`."""

    outcome: Annotated[str | None, option("NAME", OUTCOME)] = None
    show: Annotated[str | None, option("PART,...", SHOW, completion=completed_parts)] = None
    parameter: Annotated[list[str] | None, option("NAME", "Report only this parameter. May be repeated.")] = None
    decide_by: Annotated[str | None, option("NAME", DECIDE)] = None
    cost: Annotated[list[str] | None, option("COUNT=RATE", COST)] = None
    clock: Annotated[str | None, option("NAME", "The clock of the outcome. [default: the pathway's own]")] = None
    population: Annotated[str, option("NAME", "A population of outcomes.csv.")] = "all"
    draws: Annotated[int | None, option("N", "Use the first N parameter sets. [default: all]")] = None
    samples: Annotated[int | None, option("N", SAMPLES)] = None
    seed: options.Seed = 1
    horizon: options.Horizon = 120.0
    out: options.Out = None
    json: Annotated[bool, flag("--json", "Print only the tables, as JSON by part.")] = False
    jobs: options.Jobs = None
    quiet: options.Quiet = False
    yes: options.Yes = False


def sensitivity(
    scenario: options.Scenario,
    base: Annotated[str | None, argument("BASE", "Analyse the difference from this scenario.", completed)] = None,
    *,
    chosen: Options,
) -> None:
    """Show what an outcome depends on.

    That is, which uncertain numbers, and which assumptions."""
    from simulator.analyses.sensitivity.question import Decision
    from simulator.analyses.sensitivity.run import analyse
    from simulator.report.json import by_part
    from simulator.report.tables import sensitivity as tables
    from simulator.scenario.scenario import check_names, load_scenario

    using = options.processes(chosen.jobs)
    loaded = [load_scenario(name) for name in (scenario, *([base] if base else []))]
    check_names(loaded)
    options.print_staleness(loaded[0].pathway)
    last = Decision.by(chosen.decide_by, loaded[0].pathway, None).month
    parts = _parts(chosen, loaded, last)

    def work(advance: progress.Progress) -> Sensitivity:
        return analyse(
            *loaded,
            outcome=chosen.outcome,
            parts=parts,
            parameters=chosen.parameter or (),
            decide_by=chosen.decide_by,
            costs=_rates(chosen.cost or ()) or None,
            clock=chosen.clock,
            population=chosen.population,
            draws=chosen.draws,
            samples=chosen.samples,
            seed=chosen.seed,
            horizon=chosen.horizon,
            jobs=using,
            widen=_widen(loaded[0].pathway, using) if "priors" in parts else None,
            yes=chosen.yes,
            progress=advance,
        )

    name = f"{'-vs-'.join(option.name for option in loaded)}-sensitivity"
    analysis, out = output.written(chosen, name, work, _draw, stage="asking")
    output.print_results(chosen, out, tables.report(analysis), json=lambda: by_part(analysis.tables))


def _parts(chosen: Options, loaded: Sequence[Scenario], last: float) -> list[str]:
    """Return the requested parts. For `all` or none, return the available parts and print why others are missing."""
    from simulator.analyses.sensitivity.run import OF_MANY, PARTS, QUICK, not_offered
    from simulator.errors import InputError
    from simulator.evidence.cohort import cohort_folder

    show = chosen.show
    parts = [part.strip() for part in (show or "").split(",") if part.strip()]
    if show is not None and not parts:
        raise InputError(
            "no part is named", where="--show", got=show, allowed=f"all, or one or more of {', '.join(PARTS)}"
        )
    if show is not None and parts != ["all"]:
        return parts
    offered = QUICK if show is None else PARTS
    fitted = cohort_folder(loaded[0].pathway) is not None
    unavailable = not_offered(loaded, chosen.horizon, last, chosen.draws, fitted=fitted)
    # Without --show nobody wants a decision, but ranks are always there.
    if show is not None or set(unavailable) >= set(OF_MANY):
        reasons = {why: [part for part in offered if unavailable.get(part) == why] for why in unavailable.values()}
        omitted = ", ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items() if names)
        if omitted:
            typer.echo(f"aftercart: these parts are not available: {omitted}", err=True)
    return [part for part in offered if part not in unavailable]


def _rates(costs: Iterable[str]) -> dict[str, float]:
    """Return count -> rate of costs COUNT=RATE. Raises InputError."""
    from math import isfinite

    from simulator.errors import InputError

    rates: dict[str, float] = {}
    for cost in costs:
        name, equals, rate = cost.rpartition("=")
        try:
            rates[name.strip()] = float(rate)
        except ValueError:
            equals = ""
        if not equals or not isfinite(rates[name.strip()]) or rates[name.strip()] < 0:
            allowed = "0 or more of what --decide-by counts: bed_months=1, for example"
            raise InputError("not COUNT=RATE", where="--cost", got=cost, allowed=allowed)
    return rates


def _widen(pathway: Pathway, jobs: int) -> Widen | None:
    """Return the posterior without each assumed prior; None if no cohort was fitted."""
    from simulator.evidence.cohort import cohort_folder

    cohort = cohort_folder(pathway)
    return None if cohort is None else _Widened(cohort, jobs)


@dataclass(frozen=True)
class _Widened:
    """The posterior of a cohort without each assumed prior."""

    cohort: Path
    jobs: int

    def __call__(
        self, draws: pd.DataFrame, names: Collection[str], advance: Callable[[int, int], None]
    ) -> Iterator[Widened]:
        from calibration.fit import likelihood_of
        from calibration.likelihood.targets import load_targets
        from calibration.validation.prior_sensitivity import widened

        targets = load_targets(self.cohort)
        with likelihood_of(targets, self.jobs) as (log_likelihood, _):
            yield from widened(targets, draws, log_likelihood, names, advance)

    def seconds(self, draws: pd.DataFrame) -> float:
        """Return the estimated seconds of its likelihoods."""
        from calibration.fit import ROWS, Posterior
        from calibration.likelihood.targets import load_targets
        from calibration.validation.prior_sensitivity import assumed
        from simulator.experiment.cost import timed

        posterior = Posterior(load_targets(self.cohort))
        few = draws[list(posterior.priors.names)].iloc[:ROWS].to_numpy()
        a_row = timed(lambda: posterior.log_likelihood(posterior.priors.inverse(few))) / len(few)
        return a_row * len(draws) * (1 + len(assumed(posterior.likelihood.targets.pathway))) / self.jobs


def _draw(analysis: Sensitivity, into: Path) -> None:
    from simulator.evidence.cohort import load_cohort
    from simulator.figures import picture
    from simulator.figures.analyses import sensitivity as sensitivity_gallery

    picture.save(sensitivity_gallery.pictures(analysis, load_cohort(analysis.inputs.pathway)), into)
