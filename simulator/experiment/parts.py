"""Results of one scenario for some parameter sets, in the months that are reported."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from simulator.arrays import Floats, Integers
from simulator.engines.curves import Curves, Readable, in_rows, populations
from simulator.experiment.centre import ResourceDraws
from simulator.experiment.events import Histories
from simulator.experiment.marginal_benefit import BreakEven
from simulator.outcomes import summaries
from simulator.outcomes.uncertainty import jackknife
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario


@dataclass(frozen=True)
class ScenarioDraws:
    """Results of one scenario for some draws, in the months that are reported.

    end_points : (clock, population, end point, cause) -> first events of the cause; of cause "", survival without any
    noise : of `survival` and `end_points`
    without, treated_without : `outcomes` and `treated` of a draw without each of its replications in turn :
    (1, n_replications); empty where there are no replications
    histories : of the first draw, where they are kept
    by_prior : (n_draws,) S at the answer's month if additional patients benefit as the prior alone has it
    """

    survival: dict[tuple[str, str], Floats]
    end_points: dict[tuple[str, str, str, str], Floats]
    noise: dict[tuple[str, ...], Floats]
    occupancy: dict[str, dict[str, Floats]]
    outcomes: dict[tuple[str, str], summaries.Outcomes]
    treated: Floats
    resources: ResourceDraws | None = None
    without: dict[tuple[str, str], dict[str, Floats]] = field(default_factory=dict)
    treated_without: Floats | None = None
    break_even: BreakEven | None = None
    by_prior: Floats | None = None
    histories: Histories | None = None

    @property
    def shares(self) -> dict[tuple[str, ...], Floats]:
        """Survival, and what is reported of end points, by month."""
        return dict([*self.survival.items(), *self.end_points.items()])


def with_noise(part: ScenarioDraws, without: ScenarioDraws) -> ScenarioDraws:
    """Return a part with the noise between its replications."""
    replicated = {
        key: {name: values[None] for name, (_, values, _) in outcome.items()}
        for key, outcome in without.outcomes.items()
    }
    figures = np.concatenate([values for of_population in replicated.values() for values in of_population.values()])
    errors = iter(np.sqrt(jackknife(figures))[:, None])
    shares = without.shares
    by_month = np.split(np.sqrt(jackknife(np.concatenate(list(shares.values()), axis=1).T)), len(shares))
    return replace(
        part,
        noise={key: noise[None] for key, noise in zip(shares, by_month, strict=True)},
        outcomes={
            key: {name: (part.outcomes[key][name][0], part.outcomes[key][name][1], next(errors)) for name in values}
            for key, values in replicated.items()
        },
        without=replicated,
        treated_without=without.treated[None],
    )


def report_months(horizon: float, early: float) -> Floats:
    """Return the months that are reported: half months up to `early`, then whole months, and the horizon."""
    months = np.concatenate([np.arange(0.0, early, 0.5), np.arange(np.ceil(early), max(horizon, early) + 1.0)])
    return np.unique(np.append(months[months <= horizon], horizon))


def outcomes_of(curves: Curves | Readable, pathway: Pathway) -> dict[tuple[str, str], summaries.Outcomes]:
    """Return the outcomes of all populations on all clocks."""
    outcomes: dict[tuple[str, str], summaries.Outcomes] = {}
    names = populations(pathway)
    for clock in pathway.clocks:
        if isinstance(curves, Curves):
            # A draw's curves are short, and are read of all populations at once.
            together = _of_population(in_rows(curves, clock, names), clock, "all", pathway)
            reads = [(name, unit, np.reshape(read, (2, len(names), -1))) for name, (unit, *read) in together.items()]
            for place, population in enumerate(names):
                outcomes[clock, population] = {name: (unit, *read[:, place]) for name, unit, read in reads}
        else:
            outcomes |= {(clock, name): _of_population(curves, clock, name, pathway) for name in names}
    outcomes[pathway.clock, "all"] |= summaries.of_counts(curves, pathway)
    return outcomes


def _of_population(curves: Curves | Readable, clock: str, name: str, pathway: Pathway) -> summaries.Outcomes:
    survival = summaries.of_survival(curves, clock, name, pathway.months)
    return survival | summaries.of_end_points(curves, clock, name, pathway)


def treated_share(curves: Curves | Readable, pathway: Pathway) -> Floats:
    """Return the share of patients who are treated at the marginal decision, (n_draws,); 0 without one."""
    treated = summaries.treated_group(pathway)
    return np.zeros_like(curves.sizes["all"]) if treated is None else curves.sizes[treated]


def draws_of_curves(curves: Curves | Readable, scenario: Scenario) -> ScenarioDraws:
    """Return the reported months and outcomes of curves, or of what is read at the reported months only."""
    pathway = scenario.pathway
    at: Integers | slice = slice(None)
    if isinstance(curves, Curves):
        months = report_months(float(curves.months[-1]), pathway.months.early)
        at = np.rint(months / (curves.months[1] - curves.months[0])).astype(int)
    survival = {key: alive[:, at] for key, alive in curves.survival.items()}
    end_points = {
        (*key, name, cause): shares[key][:, at]
        for name, free in curves.end_points.items()
        for cause, shares in {"": free.survival, **free.incidence}.items()
        for key in survival
    }
    outcomes = outcomes_of(curves, pathway)
    part = ScenarioDraws(
        survival=survival,
        end_points=end_points,
        noise={},
        occupancy={c: {s: p[:, at] for s, p in states.items()} for c, states in curves.occupancy.items()},
        outcomes=outcomes,
        treated=treated_share(curves, pathway),
    )
    if curves.patients is None:
        return part
    patients = {name: curves.patients * size for name, size in curves.sizes.items()}
    return replace(part, noise={key: summaries.survival_noise(s, patients[key[1]]) for key, s in part.shares.items()})
