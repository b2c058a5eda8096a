"""Fitting a cohort: from its targets and the pathway's priors to frozen draws, a summary and a predictive table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.denominators import check_fitted
from calibration.likelihood.likelihood import STEP, Likelihood
from calibration.likelihood.targets import Targets, load_targets
from calibration.predictive import predict
from calibration.sampler.diagnostics import Diagnostics, conflict, diagnose, weighted_quantiles
from calibration.sampler.difficulty import difficulties
from calibration.sampler.imis import LEAST_POINTS, WeightedSample, ZeroLikelihoodError, expected_rows, sample
from simulator import execution
from simulator.arrays import Floats, slices
from simulator.errors import AftercartError, InputError
from simulator.evidence import fingerprint
from simulator.evidence.priors import Priors, Summary, priors_of_pathway
from simulator.files import csv, whole

WANTED = 2000
"""Draws that are frozen; with few points, half as many as these."""
EFFECTIVE = 3000
"""Effective sample size of the weighted sample that they are taken from."""
POINTS = 75_000
"""Points that are sampled at most. The shipped fit takes 47,000, and variants of its cohort 57,000."""
FEWEST_POINTS = 1000
USEFUL_POINTS = int(LEAST_POINTS * EFFECTIVE)
"""Points with which an easy fit may end."""
EASY = 0.3
"""Effective points for each one sampled, from which on a bad sample is only too small."""
UNRELIABLE = "unreliable_"
"""Before the names of files of a sample that is not good: nothing reads them as a fit."""
MEASURED = 50
"""Draws on which the lattice error of the log-likelihood is measured."""
LARGEST_LATTICE_ERROR = 0.05
"""Posterior standard deviations by which cells that are too wide may move a posterior mean."""
ROWS = 250
"""Draws a likelihood call: fewer have the cost of a call, more leave the processor's cache and keep jobs waiting."""


@dataclass(frozen=True)
class Fit:
    """A fitted cohort. draws : (2000, a column a parameter with a prior); tables as in the cohort's folder.

    cell : months a cell of the lattice; lattice_error : of the log-likelihood, see `lattice_error_of`
    """

    targets: Targets
    sample: WeightedSample
    diagnostics: Diagnostics
    draws: pd.DataFrame
    posterior: pd.DataFrame
    predictive: pd.DataFrame
    cell: float
    lattice_error: float

    def warnings(self) -> list[str]:
        """Return sentences on the errors of the draws."""
        if self.lattice_error <= LARGEST_LATTICE_ERROR:
            return []
        by = f"by {self.lattice_error:.2f} posterior standard deviations (limit {LARGEST_LATTICE_ERROR:g})"
        return [
            f"{self.targets.folder.name}: cells of {self.cell:.2g} months are too wide for these draws: on narrower "
            f"ones posterior means may move {by}. "
            "Cells follow declared values: declare a `value` near the posterior mean for every time and rate, give "
            'fixed times in tenths of a month, or only compare rows soon after a fixed time (use = "predictive")'
        ]

    def problems(self) -> list[str]:
        """Return sentences on the faults of the sample; none if it is good."""
        return self.diagnostics.problems()

    def difficulties(self) -> list[str]:
        """Return sentences on the parameters at fault and what to change; none if a sample is only small."""
        if self.diagnostics.effective_sample_size > EASY * self.diagnostics.points:
            return []
        return difficulties(self.sample, priors_of(self.targets))

    def write(self, folder: Path) -> None:
        """Write draws.csv, with the fingerprint of its data, posterior.csv and predictive.csv: all of them, or none.

        A sample that is not good is no fit: its files are named `UNRELIABLE`, next to a text with the reasons.
        """
        fitted_to = fingerprint.of_fit(self.targets.pathway, self.targets.folder)
        tables = {"draws": self.draws.assign(**{fingerprint.COLUMN: fitted_to})}
        tables |= {"posterior": self.posterior, "predictive": self.predictive.replace(np.inf, np.nan)}
        bad = self.problems()
        files = [folder / f"{UNRELIABLE if bad else ''}{name}.csv" for name in tables]
        files += [folder / f"{UNRELIABLE}because.txt"] if bad else []
        with whole.together(*files) as parts:
            for (name, table), part in zip(tables.items(), parts, strict=False):
                csv.write(table, part, ".17g" if name == "draws" else ".6g")
            if bad:
                parts[-1].write_text(self.refusal() + "\n", encoding="utf-8")

    def refusal(self) -> str:
        """Return why the sample is no fit, which parameters are at fault, and what to change."""
        reasons = "; ".join(self.problems())
        fault = "; ".join(self.difficulties()) or "no parameter: take more points"
        more = f"--points N takes more than {self.diagnostics.points:,} points, --keep-unreliable keeps these"
        return f"{self.targets.folder.name}: not a fit, since {reasons}. At fault: {fault}. {more}."


def informs(targets: Targets) -> bool:
    """Return whether a cohort has a row to fit."""
    return bool(targets.tables or targets.times or targets.percentages or targets.curves)


def priors_of(targets: Targets) -> Priors:
    """Return the prior of the parameters of a cohort's pathway. Raises InputError naming the pathway's file."""
    priors = priors_of_pathway(targets.pathway)
    if informs(targets) and not priors.names:
        what, allowed = "rows to fit, and no parameter with a prior", "a `prior` for each parameter that is uncertain"
        raise InputError(what, where=f"{targets.pathway.where}: [parameters]", allowed=allowed)
    return priors


class Posterior:
    """Prior and likelihood in the space of standard-normal scores z : (n, dimension)."""

    def __init__(self, targets: Targets, step: float = STEP) -> None:
        self.likelihood = Likelihood(targets, step)
        self.priors = priors_of(targets)

    def log_likelihood(self, z: Floats) -> Floats:
        """Return the log-likelihood, (n,)."""
        return self.of_values(self.priors.transform(z))

    def of_values(self, theta: Floats) -> Floats:
        """Return the log-likelihood of the parameters' values, (n, n_names)."""
        return self.likelihood({name: theta[:, [i]] for i, name in enumerate(self.priors.names)})


@contextmanager
def likelihood_of(targets: Targets, jobs: int) -> Iterator[tuple[Callable[[Floats], Floats], execution.Pool]]:
    """Give a log-likelihood of z : (n, d) that uses several processes, and the pool of these processes."""
    posterior = Posterior(targets)
    with execution.Pool(jobs) as pool:

        def log_likelihood(z: Floats) -> Floats:
            theta = posterior.priors.transform(z)
            blocks = [theta[rows] for rows in slices(len(theta), ROWS)]
            return np.concatenate(list(execution.map(posterior.of_values, blocks, jobs=pool)))

        yield log_likelihood, pool


def calibrate(
    cohort: str | Path,
    *,
    out: Path | None = None,
    jobs: int = 1,
    seed: int | None = None,
    wanted: int | None = None,
    effective: float = EFFECTIVE,
    points: int = POINTS,
    keep: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Fit:
    """Fit a cohort and write its draws, posterior and predictive tables into `out` (default: its folder).

    wanted : draws, by default 2,000, or half as many as points; effective : sample size behind them
    points : sampled at most
    keep : write a bad sample too, under other names (see `Fit.write`), and return it
    progress : called with (stage, done, expected at most)
    Raises InputError on targets that cannot be used, and AftercartError, with nothing written, if the sample is bad.
    """
    targets = load_targets(cohort)
    if not informs(targets):
        where = str(targets.folder / "targets.csv")
        raise InputError("nothing to fit", where=where, allowed='rows with use = "likelihood"')
    check_fitted(targets)
    folder, seed = out or targets.folder, targets.seed if seed is None else seed
    fit = run(targets, jobs=jobs, seed=seed, wanted=wanted, effective=effective, points=points, progress=progress)
    if fit.problems() and not keep:
        raise AftercartError(f"nothing written. {fit.refusal()}")
    folder.mkdir(parents=True, exist_ok=True)
    fit.write(folder)
    return fit


def run(
    targets: Targets,
    *,
    jobs: int = 1,
    seed: int,
    wanted: int | None = None,
    effective: float = EFFECTIVE,
    points: int = POINTS,
    progress: Callable[[str, int, int], None] | None = None,
) -> Fit:
    """Return the fit of a cohort's targets: IMIS, resampled draws, their summary and predictions."""
    if points < FEWEST_POINTS:
        raise InputError("too few points", where="--points", got=points, allowed=f"{FEWEST_POINTS:,} or more")
    if seed < 0:
        raise InputError("a seed below 0", where="seed", got=seed, allowed="0 or more")
    targets = replace(targets, seed=seed)
    wanted = min(WANTED, points // 2) if wanted is None else wanted
    priors = priors_of(targets)
    with likelihood_of(targets, jobs) as (log_likelihood, pool):
        try:
            weighted = sample(
                log_likelihood,
                priors.dimension,
                seed=seed,
                wanted=wanted,
                effective=effective,
                most_points=points,
                # Whatever the jobs, the same blocks: results do not depend on them.
                chunk=8 * ROWS,
                **_sizes(points),
                progress=progress,
            )
        except ZeroLikelihoodError as error:
            raise AftercartError(f"{targets.folder.name}: {error}. {_impossible(targets, priors)}") from None
        rows = weighted.resample(wanted, seed=seed)
        theta = priors.transform(weighted.z)
        prior_sd = [marginal.sd for marginal in priors.marginals.values()]
        diagnostics = diagnose(weighted.log_weight, rows, names=priors.names, theta=theta, prior_sd=prior_sd)
        draws = pd.DataFrame(theta[rows], columns=list(priors.names))
        conflicts = dict(zip(priors.score_names, conflict(weighted.z, weighted.weights).tolist(), strict=True))
        posterior = _summary(targets, priors, theta, weighted.weights, diagnostics, conflicts)
        predictive = predict(targets, draws, partial(execution.map, jobs=pool))
    some = rows[:MEASURED]
    lattice_error = lattice_error_of(targets, weighted.z[some], weighted.log_likelihood[some])
    return Fit(targets, weighted, diagnostics, draws, posterior, predictive, Likelihood(targets).cell, lattice_error)


def lattice_error_of(targets: Targets, z: Floats, log_likelihood: Floats) -> float:
    """Return the standard deviation by which cells a quarter as wide move log-likelihoods of draws z : (n, d).

    |E'[x] - E[x]| <= sd(x) sd(d) to first order,   d = log L' - log L;   a constant d moves nothing
    """
    finer = Posterior(targets, STEP / 4.0)
    difference = np.concatenate([finer.log_likelihood(z[rows]) for rows in slices(len(z), 5)]) - log_likelihood
    return float(np.std(difference)) if np.isfinite(difference).all() else np.inf


def _sizes(points: int) -> dict[str, int]:
    """Return how many points of the prior, and of every refit of the mixture, come before `points`."""
    return {"initial": min(2000, points // 4), "refit": min(6000, points // 8)}


def seconds(targets: Targets, points: int, timed: Callable[[Callable[[], object]], float]) -> tuple[float, float]:
    """Return about how long one process takes to find the posterior of a cohort, and to sample all points of it.

    A good fit ends before it has all points. timed : the seconds of a piece of work
    """
    posterior = Posterior(targets)
    dimension = posterior.priors.dimension
    z = np.random.default_rng(0).standard_normal((ROWS, dimension))
    a_row = timed(partial(posterior.log_likelihood, z)) / ROWS
    return expected_rows(dimension, **_sizes(points)) * a_row, points * a_row


def _impossible(targets: Targets, priors: Priors) -> str:
    """Return the figures that no point of the prior can give, and what to change."""
    theta = priors.transform(np.random.default_rng(targets.seed).standard_normal((200, priors.dimension)))
    parts = Likelihood(targets).parts({name: theta[:, [i]] for i, name in enumerate(priors.names)})
    never = [name for name, logs in parts.items() if np.isneginf(logs).all()]
    which = "; ".join(never) or "all figures together"
    return (
        f"The pathway cannot give the rows of: {which}. Check the rows, or add a path to the pathway that makes them "
        "possible"
    )


def _summary(
    targets: Targets,
    priors: Priors,
    theta: Floats,
    weights: Floats,
    diagnostics: Diagnostics,
    conflicts: Mapping[str, float],
) -> pd.DataFrame:
    """Return prior and posterior of every parameter, from the whole weighted sample; the last sibling has no score."""
    rows = []
    for values, (name, prior) in zip(theta.T, priors.summary().items(), strict=True):
        mean = float(weights @ values)
        sd = float(np.sqrt(weights @ (values - mean) ** 2))
        lower, median, upper = weighted_quantiles(values, weights, (0.025, 0.5, 0.975)).tolist()
        posterior = asdict(Summary(mean, sd, lower, median, upper))
        row = {"parameter": name, "unit": targets.pathway.parameters[name].unit}
        row |= {f"prior_{key}": value for key, value in asdict(prior).items()}
        row |= {f"posterior_{key}": value for key, value in posterior.items()}
        rows.append(row | {"contraction": diagnostics.contraction[name], "conflict": conflicts.get(name, np.nan)})
    return pd.DataFrame(rows)
