"""The predictive table: every reported figure next to the same figure of simulated patients.

For every draw, patients are simulated afresh, followed up as the cohort was, and grouped as the paper grouped them.
A figure of 18 treated is that of the first 18 treated of the stream, whatever share of patients is treated: its
interval includes parameter uncertainty and the sampling of its n patients. Draws are of the posterior, or of the prior.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import SupportsFloat

import numpy as np
import pandas as pd

from calibration.denominators import Denominator, of_rows
from calibration.likelihood.targets import Targets
from calibration.reported.consistency import HORIZON
from calibration.reported.kinds import COUNTS, by_month
from simulator.arrays import Booleans, Floats, Integers, slices
from simulator.engines.microsim.engine import simulate_at_once
from simulator.engines.model import Model, resolve
from simulator.engines.trajectories import MOMENT, Trajectories
from simulator.errors import InputError
from simulator.evidence.draws import single
from simulator.evidence.prior_draws import prior_draws
from simulator.outcomes.episodes import Courses, whole
from simulator.outcomes.kaplan_meier import KaplanMeier, kaplan_meier
from simulator.outcomes.uncertainty import central, quantile
from simulator.randomness import Uniforms
from simulator.scenario.levers import Values

DRAWS = 1000
REPLICATION = 1
"""Other random numbers than those of replication 0, which experiments use."""
STREAM = (4, 16, 64)
"""Patients for each one of the cohort that are simulated in turn, until all denominators are filled."""


@dataclass(frozen=True)
class SimulatedCohort:
    """One simulated cohort: its patients, and how long each is followed from the start of its clock.

    entry : (n,) their order: a patient in place of one who never starts the clock has that one's; None as they stand
    """

    targets: Targets
    block: Trajectories
    follow_up: Floats
    entry: Integers | None = None

    @property
    def start(self) -> Floats:
        """Months from entry to the start of the cohort's clock, (n,)."""
        on_default = self.targets.cohort.clock == self.targets.pathway.clock
        return self.block.clock_month if on_default else np.zeros(self.follow_up.size)

    @property
    def died(self) -> Floats:
        """Months from the cohort's clock to death, inf if alive at last follow-up, (n,)."""
        since = self.block.death_month - self.start
        return np.where(since <= self.follow_up, since, np.inf)

    def kaplan_meier(self, patients: Booleans) -> KaplanMeier:
        """Return the estimate of some patients by their last follow-up."""
        seen, died = np.minimum(self.died, self.follow_up)[patients], np.isfinite(self.died[patients])
        courses = Courses(seen, died, np.full(seen.size, np.inf))
        return kaplan_meier(whole(courses, courses.ever))

    def members(self, population: str) -> Booleans:
        """Return which patients belong to an arm or a level of an attribute, (n,)."""
        pathway = self.targets.pathway
        if "=" in population:
            attribute, level = population.split("=", 1)
            return np.asarray(self.block.levels[attribute] == list(pathway.attributes[attribute].levels).index(level))
        if population in pathway.groups:
            group = pathway.groups[population]
            came = np.all([self._joined(states) for states in group.ways_in], axis=0)
            return np.asarray(came & ~self._joined(group.not_entered))
        arms = self.targets.cohort.arms[population]
        if "all" in arms:
            return np.ones(self.follow_up.size, dtype=bool)
        return np.asarray(np.any([self.members(arm) for arm in arms], axis=0))

    def entered(self, states: Sequence[str], by: float = np.inf) -> Booleans:
        """Return which patients entered any of `states` by a month and before their last follow-up, (n,)."""
        entered = np.zeros(self.follow_up.size, dtype=bool)
        for state in states:
            for patients, month in self.block.entered.get(state, []):
                end = np.minimum(self.follow_up[patients], by)
                entered[patients[month - self.start[patients] <= end]] = True
        return entered

    def _joined(self, states: Sequence[str]) -> Booleans:
        """Return which patients entered any of `states` within the pathway's window and their follow-up, (n,)."""
        window, later = self.targets.pathway.group_window + MOMENT, self.block.clock_month - self.start
        joined = np.zeros(self.follow_up.size, dtype=bool)
        for state in states:
            for patients, since in self.block.on_the_clock(state):
                seen = since + later[patients] <= self.follow_up[patients]
                joined[patients[(since <= window) & seen]] = True
        return joined

    def patients_of(self, row: pd.Series) -> Booleans:
        """Return the patients of a target, (n,)."""
        patients = self.members(row["population"])
        return patients & self.members(row["attribute"]) if row["attribute"] else patients

    def first(self, denominator: Denominator) -> Booleans | None:
        """Return the first n patients of a kind, (n_patients,); None if there are not so many."""
        belong = np.ones(self.follow_up.size, dtype=bool)
        for population in denominator.patients:
            belong &= self.members(population)
        found = np.flatnonzero(belong)
        if found.size < denominator.n:
            return None
        if self.entry is not None:
            found = found[np.argsort(self.entry[found])]
        chosen = np.zeros(self.follow_up.size, dtype=bool)
        chosen[found[: denominator.n]] = True
        return chosen

    def figure(self, row: pd.Series, among: Booleans | None = None) -> float:
        """Return the figure of a target, among some patients or all; NaN for a share or a median of nobody."""
        patients = self.patients_of(row) if among is None else self.patients_of(row) & among
        if not patients.any() and row["kind"] not in COUNTS:
            return np.nan
        return float(_FIGURES[row["kind"]](self, row, patients))

    def count_entered(self, row: pd.Series, patients: Booleans) -> np.int64:
        """Return how many of some patients entered a target's state, or any death, by its month."""
        states = [row["state"]] if row["state"] else self.targets.pathway.deaths
        return np.int64((self.entered(states, by_month(row["month"])) & patients).sum())


_FIGURES: dict[str, Callable[[SimulatedCohort, pd.Series, Booleans], SupportsFloat]] = {
    "patients": lambda cohort, row, patients: patients.sum(),
    "survivors": lambda cohort, row, patients: (cohort.died[patients] > row["month"]).mean(),
    "survival": lambda cohort, row, patients: cohort.kaplan_meier(patients).at(row["month"]),
    "median_survival": lambda cohort, row, patients: cohort.kaplan_meier(patients).median(),
    "deaths": SimulatedCohort.count_entered,
    "entered": SimulatedCohort.count_entered,
    "median": lambda cohort, row, patients: np.median(cohort.block.clock_month[patients]),
    "minimum": lambda cohort, row, patients: cohort.block.clock_month[patients].min(),
    "maximum": lambda cohort, row, patients: cohort.block.clock_month[patients].max(),
    "median_follow_up": lambda cohort, row, patients: np.median(np.minimum(cohort.died, cohort.follow_up)[patients]),
}


def simulate_figures(targets: Targets, draws: pd.DataFrame | None, rows: slice) -> Floats:
    """Return every target's figure, each of its own denominator, (n_cohorts, n_targets); NaN where it is not filled.

    draws : the i-th cohort has draw i, round and round; None for the pathway's declared values
    """
    target_rows = [row for _, row in targets.cohort.targets.iterrows()]
    wanted, n_draws = of_rows(targets), 1 if draws is None else len(draws)
    values = ((index + 1, single(draws, index % n_draws)) for index in range(rows.start, rows.stop))
    return np.array([_figures(targets, value, number, target_rows, wanted) for number, value in values])


def _figures(
    targets: Targets, values: Values, number: int, rows: Sequence[pd.Series], wanted: Sequence[Denominator]
) -> list[float]:
    for times in STREAM:
        cohort = simulated(targets, values, number=number, times=times)
        patients = {denominator: cohort.first(denominator) for denominator in wanted}
        if all(of is not None for of in patients.values()):
            break
    among = (patients[denominator] for denominator in wanted)
    return [np.nan if of is None else cohort.figure(row, of) for row, of in zip(rows, among, strict=True)]


def simulated(targets: Targets, values: Values, *, number: int, times: int = 1) -> SimulatedCohort:
    """Return a cohort `times` the reported size, followed up as that was; `number` : the draw in its uniforms."""
    states = {name for group in targets.pathway.groups.values() for name in group.states}
    states |= set(targets.cohort.targets["state"]) | set(targets.pathway.deaths)
    uniforms, n = Uniforms(targets.seed, draw=number, replication=REPLICATION), times * targets.cohort.n
    block, entry = _on_the_clock(targets, resolve(targets.scenario, values), uniforms, n, frozenset(states - {""}))
    return SimulatedCohort(targets, block, _follow_up(targets, uniforms, block), entry)


def _on_the_clock(
    targets: Targets, model: Model, uniforms: Uniforms, n: int, keep: frozenset[str]
) -> tuple[Trajectories, Integers]:
    """Return n patients who start the cohort's clock, with its case mix, and their order. Raises InputError if few do.

    Patients who never start the clock are replaced by later ones of the same levels, as far as the mix is reported.
    """
    for tried in (n, 10 * n, 100 * n):
        block = simulate_at_once(model, uniforms, range(tried), horizon=HORIZON, keep=keep)
        started = np.ones(tried, dtype=bool)
        if targets.cohort.clock == targets.pathway.clock:
            started = np.isfinite(block.clock_month)
        reported = [block.levels[name] for name in targets.scenario.population]
        kinds = np.unique(np.array([np.zeros(tried, dtype=int), *reported]), axis=1, return_inverse=True)[1].ravel()
        entry = np.full(tried, tried)
        for kind in np.unique(kinds[:n]):
            wanted, alike = np.flatnonzero(kinds[:n] == kind), np.flatnonzero(started & (kinds == kind))
            entry[alike[: wanted.size]] = wanted[: alike.size]
        first = entry < tried
        if first.sum() == n:
            return (block if first.all() else block.only(first)), entry[first]
    what = f"too few patients start the clock '{targets.cohort.clock}'"
    raise InputError(what, where=str(targets.folder / "cohort.toml"), got=int(first.sum()), allowed=f"{n} of {tried}")


def _follow_up(targets: Targets, uniforms: Uniforms, block: Trajectories) -> Floats:
    interval = targets.cohort.follow_up
    if interval is None:
        return np.full(block.patients.size, np.inf)
    u = uniforms.at("@follow_up", block.patients)
    return np.asarray(interval[0] + (interval[1] - interval[0]) * u)


def table(targets: Targets, figures: Floats, before: Floats) -> pd.DataFrame:
    """Return the predictive table from simulated figures, of the posterior and of the prior : (n_draws, n_targets)."""
    rows = []
    for (_, row), simulated, of_prior in zip(targets.cohort.targets.iterrows(), figures.T, before.T, strict=True):
        reported, unit, factor = reported_figure(row)
        centre, lower, upper = _summary(row, factor * simulated)
        prior_centre, prior_lower, prior_upper = _summary(row, factor * of_prior)
        rows.append(
            {
                "target": row["name"],
                "population": row["population"],
                "month": row["month"],
                "unit": unit,
                "reported": reported,
                "standard_error": row["standard_error"],
                "count": row["count"],
                "n": row["n"],
                "simulated": centre,
                "lower": lower,
                "upper": upper,
                "inside": inside(lower, reported, upper),
                "prior_simulated": prior_centre,
                "prior_lower": prior_lower,
                "prior_upper": prior_upper,
                "use": row["use"],
                "place": row["place"],
            }
        )
    return pd.DataFrame(rows)


def _summary(row: pd.Series, figures: Floats) -> tuple[float, float, float]:
    """Return the centre and the 95 % interval of a figure."""
    known = figures[~np.isnan(figures)]
    # A median survival that is not reached is infinite.
    centre = median if row["kind"] == "median_survival" else mean
    return (centre(known), *central(known))


def inside(lower: float, reported: float, upper: float) -> str:
    """Return yes or no, as tables say whether an interval includes a reported figure."""
    return "yes" if lower - 1e-9 <= reported <= upper + 1e-9 else "no"


def mean(values: Floats) -> float:
    """Return the mean of values of any number, NaN of none."""
    return float(values.mean()) if values.size else np.nan


def median(values: Floats) -> float:
    """Return the median of values of any number, NaN of none; values may be infinite."""
    return quantile(values, 0.5) if values.size else np.nan


def reported_figure(row: pd.Series) -> tuple[float, str, float]:
    """Return a target's figure, its unit, and the factor on a simulated one.

    Survival is in percent, as the exact count over n where there is one; counts are counts; times are in months.
    """
    if row["kind"] in ("survivors", "survival"):
        percent = 100.0 * row["count"] / row["n"] if np.isfinite(row["count"]) else row["value"]
        return float(percent), "%", 100.0
    if row["kind"] in COUNTS:
        return float(row["count"]), "patients", 1.0
    return float(row["value"]), "months", 1.0


def predict(
    targets: Targets, draws: pd.DataFrame, pool_map: Callable[..., Iterable[Floats]], wanted: int = DRAWS
) -> pd.DataFrame:
    """Return the predictive table of the first `wanted` draws, and of as many of the prior.

    pool_map : maps work over chunks, perhaps in parallel
    """
    wanted = min(wanted, len(draws))
    before = pd.DataFrame(prior_draws(targets.pathway, wanted))
    posterior, prior = (
        np.concatenate(list(pool_map(partial(simulate_figures, targets, table), slices(wanted, 50))))
        for table in (draws, before)
    )
    return table(targets, posterior, prior)
