"""The posterior of the marginal benefit, m, by cohorts that treated more patients than the cohort of the draws.

For draw i, with practice at the pathway's reference, a fact, and cohort c, at its own uptake and mix, survival is a
line in m, and the cohort's figure binomial (of a curve, or of single patients, as in a fit: see `overall_survival`):

    S_ic(m) = S_ic(0) + m (S_ic(1) - S_ic(0)),      L_ic(m) = Binomial(k_c; n_c, S_ic(m))        m ~ U(0, 1)

Alone and pooled, p(m | i) ~ prod_c L_ic(m). Together, with differences between cohorts,

    logit m_c ~ N(mu, tau^2),   mu ~ Logistic(0, 1),   tau ~ |N(0, BETWEEN_COHORTS^2)|            assumptions

so that m of one cohort is about flat, and a new setting's m is drawn from N(mu, tau^2) too. The parameters stay as
they are: a cut posterior (Plummer 2015, Stat Comput 25, 37), in which a cohort moves m and nothing else. In the `joint`
one, for comparison, it also weighs the draws, w_i ~ its evidence under draw i.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from calibration.likelihood.reached import FollowedUp
from calibration.likelihood.targets import Targets
from calibration.reported.kinds.curves import Curve
from calibration.reported.kinds.patient_times import Times
from calibration.reported.percentages import Percentage
from calibration.sampler.diagnostics import effective_sample_size
from calibration.transport import overall_survival
from calibration.transport.hierarchy import GRID, Hierarchy
from calibration.transport.overall_survival import Finest
from calibration.validation.provenance import each_patient_once
from simulator import execution
from simulator.arrays import Floats, slices
from simulator.engines.curves import INTERVAL
from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.evidence import fingerprint
from simulator.evidence.draws import BENEFIT, BENEFIT_FILE, BENEFIT_PRIOR, draws_file, fitted_draws, read_draws, values
from simulator.evidence.practice import at_reference
from simulator.files import csv, whole
from simulator.pathway.outcome_months import alive_at
from simulator.pathway.pathway import Pathway
from simulator.scenario.scenario import Scenario

BETWEEN_COHORTS = 1.0
"""Scale of logit m, an assumption: at 1, 95 % of cohorts around one half lie between 0.12 and 0.88."""
IMPOSSIBLE = -1e4
"""Log-likelihood of a figure that has no chance under a draw: a weight of 0, and still a number."""
SEED = 2023
SUMMARY_FILE = "marginal_benefit_summary.csv"
TOGETHER = "together, with a spread between cohorts"
FLAT, BEFORE = "prior alone, flat", "prior alone, with a spread between cohorts"
"""Before any cohort informs m: of one cohort or one m for all, and of a new setting."""


@dataclass(frozen=True)
class Evidence:
    """A cohort's figure, and S at its months if no or all marginal patients benefit, (n_draws, n_months); of one month,
    (n_draws,).
    """

    cohort: str
    figure: Percentage | Curve | Times
    without_benefit: Floats
    with_benefit: Floats

    @property
    def log_likelihood(self) -> Floats:
        """(n_draws, n_grid)."""
        rows = []
        for none, all_ in zip(self.without_benefit, self.with_benefit, strict=True):
            survival = np.clip(none + GRID[:, None] * (all_ - none), 0.0, 1.0)
            rows.append(self.figure.log_likelihood(survival).reshape(GRID.size))
        log_likelihoods = np.array(rows)
        # Where the figure has no chance whatever m is, it says nothing of m, and next to nothing of the draw.
        return np.where(np.isneginf(log_likelihoods).all(axis=1, keepdims=True), IMPOSSIBLE, log_likelihoods)


def informing(targets: Targets) -> Finest | None:
    """Return what informs m: the finest OS of all patients; None if there is none, or if m is declared.

    On the pathway's first clock: from entry, the share that reaches its start matters as well. Where no more than today
    are treated, nobody is marginal.
    """
    return overall_survival.finest(targets) if _may_inform(targets) else None


def notes(targets: Targets) -> list[str]:
    """Return which figures do not inform m, and why, with their lines; and that of treated patients alone none may."""
    if not _may_inform(targets):
        return []
    sentences = overall_survival.notes(targets)
    if informing(targets) is not None and np.all(_share_treated(targets) >= 1.0):
        everybody = (
            f"{targets.cohort.file}: all {targets.cohort.n} patients were treated, and inform the marginal benefit"
        )
        sentences.append(f"{everybody}. If the paper left out patients who were not treated, set marginal_benefit = 1")
    return sentences


def _may_inform(targets: Targets) -> bool:
    if targets.cohort.clock != targets.pathway.clock or targets.fixed_benefit:
        return False
    return bool(np.any(_share_treated(targets) > 0.0))


def _share_treated(targets: Targets) -> Floats:
    """Return the share treated where it is more than today's, in every cell; 0 elsewhere."""
    marginal = resolve(replace(targets.scenario, marginal_benefit=1.0)).marginal
    if marginal is None:
        return np.zeros(1)
    return np.where(marginal.share > marginal.practice_share, marginal.share, 0.0)


Read = tuple[Scenario, tuple[float, ...], tuple[float, float]]
"""A scenario, the months at which it is read, and the months between which follow-up ends."""


@dataclass(frozen=True)
class ScenarioSurvival:
    """S of all patients under scenarios, by the exact engine."""

    scenarios: tuple[Read, ...]
    table: pd.DataFrame

    def of(self, rows: slice) -> Floats:
        """Return S under some draws, a row a month of a scenario, (n_months of all, n_rows)."""
        draw_values, alive = values(self.table, rows), []
        for scenario, months, ends in self.scenarios:
            solved = engine.solve(resolve(scenario, draw_values), max(months), window=False).of_a_cohort()
            if len(months) == 1 and ends == overall_survival.FOREVER:
                # The last point of the lattice, where nothing is interpolated.
                alive.append(solved.survival()[:, -1:].T)
            else:
                dead = solved.flow(scenario.pathway.deaths, "all")
                alive.append(1.0 - FollowedUp(solved, *ends).by(dead, months).T)
        return np.concatenate(alive)


def gather(
    cohorts: Sequence[Targets],
    table: pd.DataFrame,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Evidence], Floats] | None:
    """Return the evidence of the cohorts that inform m, and the baseline's S : (n_draws,); None if none does.

    table : draws as fitted; here every draw treats the reference, as in a run
    The draws go in the same batches whatever `jobs` is: the same bytes every time.
    """
    informed = [(cohort, finest) for cohort in _counted(cohorts) if (finest := informing(cohort)) is not None]
    pathway = cohorts[0].pathway
    baseline = Scenario(name=pathway.name, pathway=pathway, file=pathway.file)
    scenarios: list[Read] = [(baseline, (pathway.months.answer,), overall_survival.FOREVER)]
    for targets, of_all in informed:
        read = (of_all.figure.months, of_all.ends)
        scenarios += [(replace(targets.scenario, marginal_benefit=m), *read) for m in (0.0, 1.0)]
    in_practice = at_reference(pathway, {str(name): table[name].to_numpy(dtype=float) for name in table})
    work = ScenarioSurvival(tuple(scenarios), pd.DataFrame(in_practice)).of
    survival = execution.map(work, slices(len(table), engine.BATCH), jobs=jobs, progress=progress)
    first_rows = np.cumsum([len(months) for _, months, _ in scenarios])[:-1]
    alive, *of_cohorts = np.split(np.concatenate(list(survival), axis=1), first_rows)
    evidence = [
        Evidence(targets.cohort.name, of_all.figure, none.T, all_.T)
        for (targets, of_all), none, all_ in zip(informed, of_cohorts[::2], of_cohorts[1::2], strict=True)
    ]
    # Where benefit changes nothing by these months, m has no likelihood.
    evidence = [one for one in evidence if np.any(one.with_benefit > one.without_benefit + 1e-9)]
    return (evidence, alive[0]) if evidence else None


@dataclass(frozen=True)
class Posterior:
    """p(m | draw) on the grid, each row summing to one, (n_draws, n_grid); log_evidence : (n_draws,)."""

    density: Floats
    log_evidence: Floats

    def mean_over_draws(self, joint: bool = False) -> Floats:
        """Return p(m) : (n_grid,), every draw alike, or by its evidence in the joint posterior."""
        return self.weights @ self.density if joint else self.density.mean(axis=0)

    @property
    def weights(self) -> Floats:
        """The draws' weights in the joint posterior, (n_draws,)."""
        return np.asarray(special.softmax(self.log_evidence))


def of_one_benefit(log_likelihood: Floats) -> Posterior:
    """Return the posterior under a flat prior. log_likelihood : (n_draws, n_grid), of a cohort or summed."""
    weighed = log_likelihood + np.log(_trapezoid())
    return Posterior(special.softmax(weighed, axis=1), special.logsumexp(weighed, axis=1))


def _trapezoid() -> Floats:
    weights = np.full(GRID.size, 1.0 / (GRID.size - 1))
    weights[[0, -1]] /= 2.0
    return weights


@dataclass(frozen=True)
class Benefit:
    """values : one m a draw, of a new setting, (n_draws,); by_prior : the same before any cohort informs it.

    summary : a row a combination of the cohorts, and one a prior, of no cohorts
    fitted_to : see `fingerprint.of_benefit`
    """

    values: Floats
    by_prior: Floats
    summary: pd.DataFrame
    fitted_to: str = ""

    @property
    def chosen(self) -> str:
        """The row for a planner: a new setting's benefit."""
        return TOGETHER

    @property
    def before(self) -> str:
        """The same row before any cohort informs it."""
        return BEFORE

    def write(self, folder: Path) -> None:
        """Write both next to the draws, or neither."""
        columns = {BENEFIT: self.values, BENEFIT_PRIOR: self.by_prior, fingerprint.COLUMN: self.fitted_to}
        values = pd.DataFrame(columns)
        tables = {BENEFIT_FILE: values, SUMMARY_FILE: self.summary}
        with whole.together(*(folder / name for name in tables)) as parts:
            for table, part in zip(tables.values(), parts, strict=True):
                csv.write(table, part, ".6g")


def infer(evidence: Sequence[Evidence], alive: Floats, outcome: str, seed: int = SEED) -> Benefit:
    """Return the posterior of m. alive : (n_draws,) of the baseline, to show the effect of the joint posterior on it.

    outcome : its name, "os_12"
    """
    baseline = (outcome, alive)
    likelihoods = [cohort.log_likelihood for cohort in evidence]
    rows = []
    for cohort, likelihood in zip(evidence, likelihoods, strict=True):
        rows.append(_row(f"{cohort.cohort} alone", [cohort], of_one_benefit(likelihood), *baseline))
    if len(evidence) > 1:
        pooled = of_one_benefit(np.sum(likelihoods, axis=0))
        rows.append(_row("all cohorts with one benefit", evidence, pooled, *baseline))
    rows.append(_row(FLAT, [], of_one_benefit(np.zeros_like(likelihoods[0])), *baseline))
    drawn = by_prior = np.empty(0)
    for scale in (BETWEEN_COHORTS, 0.5 * BETWEEN_COHORTS, 2.0 * BETWEEN_COHORTS):
        hierarchy = Hierarchy.of(scale)
        nodes, log_evidence = hierarchy.of_nodes(likelihoods)
        predictive = Posterior(nodes @ hierarchy.kernel, log_evidence)
        of_spread = "" if scale == BETWEEN_COHORTS else f" (prior spread {scale:g} instead of {BETWEEN_COHORTS:g})"
        even = np.ones_like(nodes) / nodes.shape[1]
        prior = Posterior(even @ hierarchy.kernel, np.zeros_like(log_evidence))
        rows.append(_row(TOGETHER + of_spread, evidence, predictive, *baseline))
        rows.append(_row(BEFORE + of_spread, [], prior, *baseline))
        if scale == BETWEEN_COHORTS:
            # By the same uniforms: they differ by what the cohorts say only.
            drawn, by_prior = (hierarchy.sample(of, seed) for of in (nodes, even))
    return Benefit(drawn, by_prior, pd.DataFrame(rows))


def of_other_models(cohorts: Sequence[Targets]) -> list[str]:
    """Return the cohorts that would inform m if they had the pathway and draws of the first one that does."""
    same = _same_model(cohorts)
    return [cohort.cohort.name for cohort in cohorts if cohort not in same and informing(cohort) is not None]


def of_same_patients(cohorts: Sequence[Targets]) -> list[str]:
    """Return the cohorts that would inform m if no other that does had some of the same patients."""
    same = [cohort.cohort.name for cohort in _same_model(cohorts) if informing(cohort) is not None]
    counted = [cohort.cohort.name for cohort in _counted(_same_model(cohorts))]
    return [name for name in same if name not in counted]


def _counted(cohorts: Sequence[Targets]) -> list[Targets]:
    """Return the cohorts that inform m; of those of the same patients, the one with most months, or the first."""
    months = {cohort.cohort.name: len(survival.figure.months) for cohort in cohorts if (survival := informing(cohort))}
    every = [cohort for cohort in cohorts if cohort.cohort.name in months]
    counted = each_patient_once(sorted(every, key=lambda cohort: -months[cohort.cohort.name]))
    return [cohort for cohort in every if cohort.cohort.name in counted]


def _same_model(cohorts: Sequence[Targets]) -> list[Targets]:
    """Return the cohorts of the model of the first one that informs m, or of the first one."""
    first = next((cohort for cohort in cohorts if informing(cohort) is not None), cohorts[0]).pathway
    return [cohort for cohort in cohorts if _is_one_model(first, cohort.pathway)]


def _is_one_model(first: Pathway, other: Pathway) -> bool:
    """Return whether two pathways are the same in content, and their draws: one file, or copies of it.

    Groups, to which a cohort may add populations, change no patient's course.
    """
    one, two = (replace(pathway, name="", file=None, draws=None, groups={}) for pathway in (first, other))
    if one != two:
        return False
    draws, other_draws = fitted_draws(first), fitted_draws(other)
    return draws is other_draws if draws is None or other_draws is None else draws.equals(other_draws)


def of_cohorts(
    cohorts: Sequence[Targets],
    *,
    most: int | None = None,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Benefit | None:
    """Return the posterior of m under the first `most` draws, or all; None without draws, or if no cohort informs m.

    Cohorts of another pathway than the first one to inform it do not count, nor of the same patients: see
    `of_other_models`, `of_same_patients`.
    """
    same_model = _same_model(cohorts)
    path = draws_file(same_model[0].pathway)
    if path is None:
        return None
    table = read_draws(path, same_model[0].pathway).iloc[:most]
    gathered = gather(same_model, table, jobs=jobs, progress=progress)
    if gathered is None:
        return None
    fitted_to = fingerprint.of_benefit(path, [cohort.folder for cohort in _counted(same_model)])
    return replace(infer(*gathered, alive_at(same_model[0].pathway.months.answer)), fitted_to=fitted_to)


def _row(
    how: str, evidence: Sequence[Evidence], posterior: Posterior, outcome: str, alive: Floats
) -> dict[str, object]:
    row: dict[str, object] = {
        "how": how,
        "cohorts": len(evidence),
        "n": round(sum(cohort.figure.n for cohort in evidence)),
    }
    for name, joint in (("", False), ("joint_", True)):
        density = posterior.mean_over_draws(joint)
        lower, middle, upper = quantiles(density, [INTERVAL[0], 0.5, INTERVAL[1]])
        row |= {f"{name}mean": float(density @ GRID), f"{name}lower": lower, f"{name}median": middle}
        row[f"{name}upper"] = upper
    row["effective_draws"] = effective_sample_size(posterior.weights)
    order = np.argsort(alive)
    for name, weights in ((outcome, np.full(alive.size, 1.0 / alive.size)), (f"joint_{outcome}", posterior.weights)):
        edges = np.cumsum(weights[order])
        row[name] = float(weights @ alive)
        for end, share in zip(("lower", "upper"), INTERVAL, strict=True):
            row[f"{name}_{end}"] = float(alive[order][min(int(np.searchsorted(edges, share)), alive.size - 1)])
    return row


def quantiles(density: Floats, shares: Sequence[float]) -> list[float]:
    """Return quantiles of masses on the grid : (n_grid,), each spread over its cell."""
    edges = np.concatenate([[0.0], 0.5 * (GRID[1:] + GRID[:-1]), [1.0]])
    cumulative = np.concatenate([[0.0], np.cumsum(density)])
    return [float(value) for value in np.interp(shares, cumulative / cumulative[-1], edges)]
