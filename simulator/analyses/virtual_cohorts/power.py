"""What a cohort of n patients can show: the variation of its OS, and the log-rank power of a policy difference.

The two arms of n patients are independent: the second policy has another replication. For draw d and cohort c, at the
answer's month t

    variation x_dc = S_dc(t) by Kaplan-Meier: sampling, the mean variance within a draw; and parameters, between draws
    power     w_d = P(log-rank P < 0.05 | draw d), the share of its cohorts; reported as the mean of w_d, with its
              Monte Carlo error, the 95 % interval of w_d over draws, and the share of draws with w_d >= 0.8. The mean
              over draws is the assurance of a trial (O'Hagan et al. 2005, Pharm Stat 4:187)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.analyses.virtual_cohorts import files
from simulator.analyses.virtual_cohorts.patients import Hospital, Patients
from simulator.analyses.virtual_cohorts.settings import Settings, check, results_of_draws
from simulator.arrays import Booleans
from simulator.evidence.cohort import Cohort, load_cohort
from simulator.evidence.draws import load_informed_draws
from simulator.experiment.marginal_benefit import compared_with, with_marginal_benefits
from simulator.experiment.settings import Progress
from simulator.outcomes.kaplan_meier import KaplanMeier, kaplan_meier
from simulator.outcomes.log_rank import log_rank
from simulator.outcomes.uncertainty import central, of_means, without_noise
from simulator.scenario.scenario import Scenario, check_one_pathway

DOUBLINGS = 4
"""An arm of the power curve has n patients, 2 n, ... up to 2^4 n."""

LEVEL = 0.05
"""Of the two-sided test."""

USUAL = 0.8
"""The power that trials are planned for."""

DRAWN = 200
"""Cohorts whose curves are kept."""


@dataclass(frozen=True)
class VirtualCohorts:
    """Results of virtual cohorts. scenarios : the first, and the policies compared with it.

    cohorts : a row a cohort of the first scenario (cohort, draw, survival, standard_error, lower, upper at the
    answer's month)
    curves : of up to 200 cohorts (cohort, month, survival), a row a death
    variation : see `variation_between`; power : a row a policy and size of an arm; None where nothing is compared
    """

    scenarios: tuple[Scenario, ...]
    settings: Settings
    n_draws: int
    cohort: Cohort | None
    cohorts: pd.DataFrame
    curves: pd.DataFrame
    variation: dict[str, float]
    power: pd.DataFrame | None

    def write(self, folder: Path) -> None:
        """Write cohorts.csv, curves.csv, spread.csv, power.csv where policies are compared, and manifest.json."""
        spread = pd.DataFrame([self.variation])
        tables = {"cohorts": self.cohorts, "curves": self.curves, "spread": spread, "power": self.power}
        files.write(tables, self.scenarios, self.settings, self.n_draws, {}, folder)


@dataclass(frozen=True)
class _Work:
    """firsts : the first scenario, and at other benefits; against : which of them each policy is compared with."""

    firsts: tuple[Hospital, ...]
    policies: tuple[Hospital, ...]
    against: tuple[int, ...]
    n: int
    sizes: tuple[int, ...]

    def of(self, job: tuple[int, int]) -> tuple[list[KaplanMeier], Booleans]:
        """Return a draw's curves, one a cohort, and whether the arms differ : (n_policies, n_sizes, n_cohorts)."""
        draw, cohorts = job
        most = max(self.sizes)
        firsts, arms = (
            [hospital.patients(cohorts * most, draw, replication) for hospital in hospitals]
            for replication, hospitals in enumerate((self.firsts, self.policies))
        )
        curves = [kaplan_meier(firsts[0].alive(_cohort(c, most, self.n))) for c in range(cohorts)]
        differs = np.zeros((len(arms), len(self.sizes), cohorts), dtype=bool)
        for policy, size, c in np.ndindex(differs.shape):
            chosen = _cohort(c, most, self.sizes[size])
            differs[policy, size, c] = differ(firsts[self.against[policy]], arms[policy], chosen)
        return curves, differs


def _cohort(number: int, most: int, size: int) -> slice:
    return slice(number * most, number * most + size)


def differ(one: Patients, other: Patients, chosen: slice) -> bool:
    """Return whether two arms differ by the log-rank test at the level of 0.05."""
    return log_rank([one.alive(chosen), other.alive(chosen)]).p < LEVEL


def virtual_cohorts(
    scenario: Scenario,
    other: Scenario | None = None,
    *,
    yes: bool = True,
    progress: Progress | None = None,
    settings: Settings,
) -> VirtualCohorts:
    """Return the variation of a scenario's virtual cohorts, and the power to detect another's difference. InputError.

    A policy that raises uptake is compared if all benefit, and if as many benefit as other cohorts suggest, each with a
    first scenario in which additional patients benefit alike.
    yes : start however long it takes
    """
    options = [scenario] if other is None else [scenario, other]
    for option in options:
        check(option)
    check_one_pathway(options)
    table, cohort = load_informed_draws(scenario.pathway), load_cohort(scenario.pathway)
    settings = settings.of(scenario.pathway, cohort)
    dealt = settings.dealt(table, scenario.pathway)
    arms = [scenario, *with_marginal_benefits(options[1:], table, len(dealt), break_even=False)]
    displayed = with_marginal_benefits(options, table, len(dealt), break_even=False)
    bases = [compared_with(arm, displayed) or scenario for arm in arms]
    firsts = list(dict.fromkeys(bases))
    follow_up = None if cohort is None else cohort.follow_up
    first_hospitals, hospitals = (
        tuple(Hospital(arm, table, follow_up, settings.horizon, settings.seed, settings.simulator) for arm in of)
        for of in (firsts, arms[1:])
    )
    sizes = tuple(settings.size * 2**i for i in range(DOUBLINGS + 1)) if other is not None else (settings.size,)
    work = _Work(first_hospitals, hospitals, tuple(map(firsts.index, bases[1:])), settings.size, sizes)
    simulated = sizes[-1] * (len(firsts) + len(hospitals))
    results = results_of_draws(work.of, arms, simulated, settings, dealt, yes=yes, progress=progress)
    curves, differs = zip(*results, strict=True)
    cohorts = _cohorts(curves, scenario.pathway.months.answer)
    return VirtualCohorts(
        tuple(arms), settings, len(dealt), cohort, cohorts, _curves(curves), variation_between(cohorts),
        None if other is None else _power(arms[1:], sizes, differs),
    )  # fmt: skip


def _cohorts(curves: Sequence[Sequence[KaplanMeier]], month: float) -> pd.DataFrame:
    rows: list[tuple[float, ...]] = []
    for draw, by_cohort in enumerate(curves, start=1):
        for curve in by_cohort:
            lower, upper = curve.interval(month)
            survival, error = float(curve.at(month)), float(curve.standard_error(month))
            rows.append((len(rows) + 1, draw, survival, error, float(lower), float(upper)))
    return pd.DataFrame(rows, columns=["cohort", "draw", "survival", "standard_error", "lower", "upper"])


def _curves(curves: Sequence[Sequence[KaplanMeier]]) -> pd.DataFrame:
    """Return the curves of up to 200 cohorts, evenly from all draws."""
    all_curves = [curve for by_cohort in curves for curve in by_cohort]
    parts = [
        pd.DataFrame({"cohort": place + 1, "month": all_curves[place].months, "survival": all_curves[place].survival})
        for place in np.unique(np.linspace(0, len(all_curves) - 1, min(DRAWN, len(all_curves))).astype(int))
    ]
    return pd.concat(parts, ignore_index=True)


def variation_between(cohorts: pd.DataFrame) -> dict[str, float]:
    """Return the mean of the cohorts' OS, its 95 % range, and its standard deviation by source, in probabilities.

    sampling : within a draw, NaN with one cohort a draw; parameters : between draws, NaN with one draw
    standard_error : the mean of Greenwood's, which a single cohort reports
    """
    by_draw = cohorts.groupby("draw")["survival"]
    counts = by_draw.count().to_numpy(dtype=float)
    within = np.nan
    if counts.max() > 1:
        within = float((by_draw.var() * (counts - 1)).sum() / (counts - 1).sum())
    between = float(by_draw.mean().var() - np.mean(within / counts)) if counts.size > 1 else np.nan
    lower, upper = central(cohorts["survival"].to_numpy(dtype=float))
    return {
        "survival": float(cohorts["survival"].mean()),
        "lower": lower,
        "upper": upper,
        "standard_deviation": float(cohorts["survival"].std()) if len(cohorts) > 1 else np.nan,
        "sampling": float(np.sqrt(within)),
        "parameters": float(np.sqrt(np.maximum(between, 0.0))),
        "standard_error": float(cohorts["standard_error"].mean()),
    }


def _power(policies: Sequence[Scenario], sizes: Sequence[int], differs: Sequence[Booleans]) -> pd.DataFrame:
    rows = []
    for place, policy in enumerate(policies):
        for column, size in enumerate(sizes):
            by_draw = [np.asarray(draw[place, column]) for draw in differs]
            rows.append({"scenario": policy.name, "patients_an_arm": size, **power_of(by_draw)})
    return pd.DataFrame(rows)


def power_of(differs: Sequence[Booleans]) -> dict[str, float]:
    """Return the mean over draws of the share of cohorts that differ, its Monte Carlo error and its interval.

    draws_with_power_80 : the share of draws with a power of 80 % or more, without the noise of few cohorts; NaN where
    noise is all there is, and of one draw
    """
    shares, counts = np.array([draw.mean() for draw in differs]), np.array([draw.size for draw in differs])
    noise = np.full(shares.size, np.nan)
    np.divide(shares * (1.0 - shares), counts - 1, out=noise, where=counts > 1)
    summary = of_means(shares, noise).columns()
    powers = without_noise(shares, noise) if shares.size > 1 else np.array([np.nan])
    enough = float(np.mean(powers >= USUAL)) if np.isfinite(powers).all() else np.nan
    return {"power": summary.pop("estimate"), **summary, "draws_with_power_80": enough}
