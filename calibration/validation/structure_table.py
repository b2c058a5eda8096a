"""How far other structures of the model move the headline of every policy, fitted to the same patients.

moved = sum_i w_i x'_i - mean_i x_i        x, x' : the figure of a draw of the declared structure, and of another
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

import scenarios
from calibration.fit import FEWEST_POINTS, ROWS, Posterior, likelihood_of, priors_of
from calibration.likelihood.targets import Targets, load_targets
from calibration.sampler.diagnostics import weighted_quantiles
from calibration.sampler.evaluator import Progress
from calibration.sampler.imis import expected_rows
from calibration.validation.structure_fits import FEW, POINTS, REWEIGHTED, Fitted, frozen, refitted, reweighted
from simulator.arrays import Floats, slices
from simulator.engines.curves import INTERVAL
from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence import fingerprint, structures
from simulator.evidence.cohort import Structure
from simulator.evidence.draws import stale_draws, values
from simulator.evidence.practice import at_reference, uptake
from simulator.files import csv, whole
from simulator.outcomes.summaries import survival_at
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario, check, load_scenario


def policies_of(pathway: Pathway) -> list[Scenario]:
    """Return the shipped scenarios of a pathway in which nobody waits, the baseline first; or the pathway as it is."""
    shipped = map(load_scenario, scenarios.names())
    chosen = [policy for policy in shipped if policy.pathway.where == pathway.where and not structures.is_apart(policy)]
    return chosen or [Scenario(pathway.name, pathway, file=pathway.file)]


def survival(policies: Sequence[Scenario], draws: pd.DataFrame) -> Floats:
    """Return the survival of all at the month of the answer, (n_policies, n_draws), if everybody treated benefits."""
    pathway = policies[0].pathway
    month, key = pathway.months.answer, (pathway.clock, "all")
    treated = [_treating(policy, draws) for policy in policies]
    alive = np.empty((len(policies), len(draws)))
    # Few months are kept, so that more draws than in a run go through at a time.
    for rows in slices(len(draws), ROWS):
        models = [resolve(policy, values(table, rows)) for policy, table in treated]
        for place, solved in enumerate(engine.compared(models, month, only={key})):
            alive[place, rows] = survival_at(solved.months, solved.survival[key], solved.means[key], month)
    return alive


def _treating(policy: Scenario, draws: pd.DataFrame) -> tuple[Scenario, pd.DataFrame]:
    """Return a policy, and draws, that treat the share of all which the policy sets, or that of practice.

    Where the uptake differs between patients, its parameter is no share of all.
    """
    pathway, practice = policy.pathway, policy.pathway.marginal
    levers = dict(policy.set)
    for name in uptake(pathway)[:1]:
        if practice is not None and name in levers:
            pathway = replace(pathway, marginal=replace(practice, reference=levers.pop(name)))
    columns = {str(name): draws[name].to_numpy() for name in draws}
    return replace(policy, pathway=pathway, set=levers), pd.DataFrame(at_reference(pathway, columns))


@dataclass(frozen=True)
class StructureTable:
    """The table of a cohort's structures, made in a folder. targets : as declared; policies : the first is the base.

    points : of a fit, at most; keep : keep samples that are not good
    """

    targets: Targets
    policies: Sequence[Scenario]
    folder: Path
    jobs: int = 1
    points: int = POINTS
    keep: bool = False
    progress: Progress | None = None

    @property
    def frozen_draws(self) -> Path:
        return self.targets.folder / "draws.csv"

    @cached_property
    def declared(self) -> Fitted:
        return frozen(self.targets)

    @cached_property
    def declared_survival(self) -> Floats:
        return survival(self.policies, self.declared.draws)

    @cached_property
    def declared_log_likelihood(self) -> Floats:
        priors = priors_of(self.targets)
        with likelihood_of(self.targets, self.jobs) as (log_likelihood, _):
            return log_likelihood(priors.inverse(self.declared.draws[list(priors.names)].to_numpy()))

    @cached_property
    def to_fit(self) -> dict[str, Structure | None]:
        return structures.to_fit(self.targets.cohort.structures)

    def table(self) -> pd.DataFrame:
        """Return the rows that are there and not stale."""
        if not (self.folder / structures.FILE).exists():
            return pd.DataFrame(columns=[*structures.COLUMNS["text"], *structures.COLUMNS["number"]])
        table = structures.read(self.frozen_draws, self.folder)
        now = {policy.name: self._levers(policy) for policy in self.policies}
        return table[table[structures.LEVERS] == table["scenario"].map(now)]

    def missing(self) -> list[str]:
        """Return the structures that are not in the table."""
        rows = self.table().groupby("structure").size()
        return [name for name in self.to_fit if rows.get(name, 0) < len(self.policies)]

    def make(self) -> list[str]:
        """Fit the missing structures and add each to the table; return those whose sample is not good."""
        poor = []
        for done, name in enumerate(missing := self.missing()):
            fitted = self.fit(name, partial(self._report, f"{name} ({done + 1} of {len(missing)})"))
            if fitted.is_good or self.keep:
                self._write(name, self.rows(name, fitted))
            if not fitted.is_good:
                poor.append(name)
        return poor

    def _report(self, stage: str, detail: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(f"{stage}: {detail}", done, total)

    def fit(self, name: str, progress: Progress) -> Fitted:
        """Return the draws of a structure: the frozen ones, reweighted if that will do, or its own."""
        if name == structures.DECLARED:
            return self.declared
        structure = self.to_fit[name]
        targets = self.targets if structure is None else load_targets(self.targets.folder, structure=name)
        targets = replace(targets, seed=self.targets.seed)
        progress("reweighting", 0, 1)
        with likelihood_of(targets, self.jobs) as (log_likelihood, _):
            # Rows more or fewer are too far from the frozen draws.
            if structure is not None and not structure.reading:
                fitted = reweighted(self.declared, self.declared_log_likelihood, targets, log_likelihood)
                if fitted.is_good:
                    return fitted
            return refitted(targets, log_likelihood, self.points, progress)

    def rows(self, name: str, fitted: Fitted) -> pd.DataFrame:
        """Return the rows of a structure, one a policy."""
        pathway = fitted.targets.pathway
        alive = survival([replace(policy, pathway=pathway) for policy in self.policies], fitted.draws)
        about = {
            "structure": name,
            "how": fitted.how,
            "effective_draws": fitted.effective,
            "k_hat": fitted.k_hat if math.isfinite(fitted.k_hat) else np.nan,
            "log_evidence": self._log_evidence(name, fitted),
            fingerprint.COLUMN: structures.fresh(self.frozen_draws)[name],
        }
        rows = []
        for place, policy in enumerate(self.policies):
            row = {"scenario": policy.name, structures.LEVERS: self._levers(policy)}
            before, after = self.declared_survival[place], alive[place]
            numbers = _summary("survival", after, fitted.weights)
            if place:
                before, after = before - self.declared_survival[0], after - alive[0]
                numbers |= _summary("difference", after, fitted.weights)
                numbers["difference_same_sign"] = _same_sign(after, fitted.weights)
            rows.append(about | row | numbers | self._moved(before, after, fitted))
        return pd.DataFrame(rows)

    def _levers(self, policy: Scenario) -> str:
        return fingerprint.of_policy(self.policies[0], policy)

    def _log_evidence(self, name: str, fitted: Fitted) -> float:
        """Return the log of the integrated likelihood; NaN of other rows than the cohort's, which has its own."""
        structure = self.to_fit[name]
        if structure is not None and structure.reading:
            return np.nan
        if fitted.how != REWEIGHTED:
            return fitted.log_evidence
        table = self.table()
        again = table.loc[table["structure"] == structures.AGAIN, "log_evidence"]
        return fitted.log_evidence + float(again.iloc[0]) if len(again) else np.nan

    def _moved(self, before: Floats, after: Floats, fitted: Fitted) -> dict[str, float]:
        """Return by how much the mean of a figure moved, and the Monte Carlo error of that."""
        mean, n = float(fitted.weights @ after), len(before)
        moved = mean - float(before.mean())
        if fitted.drawn is None:
            variance = float(fitted.weights @ (after - mean) ** 2)
            error = math.sqrt(variance / fitted.effective + before.var() / self.declared.effective)
        else:
            left = n * fitted.weights * (after - mean) - (before - before.mean())
            error = float(np.sqrt((np.bincount(fitted.drawn, weights=left) ** 2).sum())) / n
        return {"moved": moved, "moved_se": error}

    def _write(self, name: str, rows: pd.DataFrame) -> None:
        """Write the table with one more structure, in their order."""
        kept = self.table()
        table = pd.concat([kept[kept["structure"] != name], rows]) if len(kept) else rows
        order = list(self.to_fit)
        table = table.sort_values("structure", key=lambda names: names.map(order.index), kind="stable")
        columns = [*structures.COLUMNS["text"][:3], *structures.COLUMNS["number"], *structures.COLUMNS["text"][3:]]
        with whole.together(self.folder / structures.FILE) as (part,):
            csv.write(table.reindex(columns=columns), part, ".6g")


def _summary(name: str, values: Floats, weights: Floats) -> dict[str, float]:
    lower, upper = weighted_quantiles(values, weights, INTERVAL).tolist()
    return {name: float(weights @ values), f"{name}_lower": lower, f"{name}_upper": upper}


def _same_sign(values: Floats, weights: Floats) -> float:
    return float(weights[np.sign(values) == np.sign(weights @ values)].sum())


def refuse(targets: Targets, policies: Sequence[Scenario], points: int) -> None:
    """Raise InputError for a cohort without structures, stale draws, or a structure that cannot be used."""
    if points < FEWEST_POINTS:
        raise InputError("too few points", where="--points", got=points, allowed=f"{FEWEST_POINTS:,} or more")
    if not targets.cohort.structures:
        where, allowed = (
            f"{targets.folder / 'cohort.toml'}",
            "[structures.NAME], a reading, a pathway or a prior_weight",
        )
        raise InputError("the cohort declares no other structure", where=where, allowed=allowed)
    if stale := stale_draws(targets.pathway, targets.folder / "draws.csv"):
        raise InputError(stale, where=str(targets.folder / "draws.csv"))
    for name in targets.cohort.structures:
        pathway = load_targets(targets.folder, structure=name).pathway
        for policy in policies:
            check(replace(policy, pathway=pathway))


def seconds(made: StructureTable, timed: Callable[[Callable[[], object]], float]) -> float:
    """Return about how long one process takes at most, if every missing structure is fitted anew."""
    posterior = Posterior(made.targets)
    z = np.random.default_rng(0).standard_normal((ROWS, posterior.priors.dimension))
    a_row = timed(partial(posterior.log_likelihood, z)) / ROWS
    rows = expected_rows(posterior.priors.dimension, **FEW) + made.points + len(made.declared.draws)
    return len(made.missing()) * rows * a_row
