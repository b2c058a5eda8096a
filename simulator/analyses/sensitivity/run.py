"""A sensitivity analysis: its parts, each a tidy table, by the exact engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from simulator.analyses.sensitivity import alternatives, tornado, value_of_information
from simulator.analyses.sensitivity import prcc as rank_correlation
from simulator.analyses.sensitivity import question as questions
from simulator.analyses.sensitivity import sobol as variance
from simulator.analyses.sensitivity.alternatives import Alternative, Widened
from simulator.analyses.sensitivity.inputs import Inputs, check_count, check_names, load_inputs, row_values
from simulator.analyses.sensitivity.lead import Lead, leads
from simulator.analyses.sensitivity.question import Decision, Question
from simulator.analyses.sensitivity.structural import DECLARED, offered
from simulator.arrays import Floats, Integers
from simulator.engines.model import resolve
from simulator.errors import InputError, UnknownNameError
from simulator.evidence.draws import BENEFIT, MOST
from simulator.execution import Pool
from simulator.experiment import cost, manifest
from simulator.experiment.cost import Dial
from simulator.experiment.marginal_benefit import benefiting_alike
from simulator.experiment.results import as_written, write_files
from simulator.experiment.settings import Settings
from simulator.pathway.outcome_months import alive_at, mean_to
from simulator.scenario.scenario import Scenario, check_one_pathway, load_scenario


class Widen(Protocol):
    """(draws, inputs that matter, progress) -> the draws without each assumed prior; and how long that takes."""

    def __call__(
        self, draws: pd.DataFrame, names: Collection[str], advance: Callable[[int, int], None]
    ) -> Iterable[Widened]: ...

    def seconds(self, draws: pd.DataFrame) -> float: ...


Progress = Callable[[int, int, str], None]
"""Long work calls it with the amount done, the total, and the stage."""

PARTS = ("tornado", "prcc", "sobol", "structure", "priors", "evppi")
QUICK = ("tornado", "prcc", "structure", "evppi")
"""The parts that take seconds."""

OF_MANY = tuple(part for part in PARTS if part != "tornado")
LEAST_OF_MANY = 100
"""Draws: with fewer, ranks, variances, regressions and changes of a mean say nothing of 40 parameters."""

SURELY_SHORT = 20_000
"""Rows of inputs that take minutes on any machine."""

SEEN = 1e-6
"""A smaller change may be the engine's rounding: the mean survival of a small group is known to 4e-7 months."""


@dataclass(frozen=True)
class Sensitivity:
    """Results: a tidy table a part, in the order of `PARTS`, and the manifest.

    leads : the estimates that `run` and `compare` lead with, over the same draws
    """

    question: Question
    inputs: Inputs
    tables: Mapping[str, pd.DataFrame]
    manifest: dict[str, Any]
    leads: Sequence[Lead]

    def write(self, folder: str | Path) -> None:
        """Write PART.csv for every part, and manifest.json, into a folder, made if need be. Raises InputError."""
        write_files(self.tables, self.manifest, folder)


def analyse(
    scenario: Scenario | str | Path,
    base: Scenario | str | Path | None = None,
    *,
    outcome: str | None = None,
    parts: Sequence[str] = (),
    parameters: Sequence[str] = (),
    costs: Mapping[str, float] | None = None,
    decide_by: str | None = None,
    clock: str | None = None,
    population: str = "all",
    draws: int | None = None,
    samples: int | None = None,
    seed: int = 1,
    horizon: float = 120.0,
    jobs: int = 1,
    widen: Widen | None = None,
    yes: bool = True,
    progress: Progress | None = None,
) -> Sensitivity:
    """Return how an outcome of a scenario, or its difference from a base, depends on uncertain inputs.

    outcome : default: survival at the pathway's month of the answer
    parts : some of `PARTS`; default `QUICK`, value of information only with a base to decide between
    parameters : only these inputs are shown; all vary
    decide_by, costs : the decision, see `Decision.by`
    draws : use the first so many, default all; structures and priors take up to 400
    samples : base samples of the Sobol sequence, a power of two; default `sobol.SAMPLES`
    widen : see `Widen`; the part `priors` needs it
    yes : start however long it takes

    Raises InputError before anything runs.
    """
    settings = Settings("exact", draws=draws, seed=seed, horizon=horizon, jobs=jobs)
    given = [scenario] if base is None else [base, scenario]
    options = tuple(map(load_scenario, given))
    check_one_pathway(options)
    options = (*(benefiting_alike(option, options[-1]) for option in options[:-1]), options[-1])
    pathway = options[0].pathway
    decision = Decision.by(decide_by, pathway, costs)
    chosen = _chosen(parts, options, horizon, draws, decision.month)
    if "evppi" not in chosen and (costs or decide_by):
        where, allowed = "--cost" if costs else "--decide-by", "--show evppi, with a BASE"
        raise InputError("only a decision uses it", where=where, got=costs or decide_by, allowed=allowed)
    outcome = outcome or alive_at(pathway.months.answer)
    decides = decision if "evppi" in chosen else None
    question = Question(options, outcome, clock or pathway.clock, population, horizon, decides)
    questions.check(question)
    if samples is not None and "sobol" not in chosen:
        raise InputError("only Sobol indices use samples", where="--samples", got=samples, allowed="--show sobol")
    samples = variance.SAMPLES if samples is None else samples
    if "sobol" in chosen:
        variance.check_samples(samples)
    if "priors" in chosen and widen is None:
        raise InputError(
            "no cohort was fitted to this pathway, so its priors cannot be changed",
            where="--show priors",
            got=options[0].pathway.name,
            allowed=", ".join(part for part in PARTS if part != "priors"),
        )
    inputs = load_inputs(options, draws, seed)
    check_names(parameters, inputs)
    about = manifest.manifest(options, settings, "exact", "every part runs without simulation noise", len(inputs.draws))
    about |= _settings(question, inputs, chosen, samples)
    question = questions.opened(question, inputs.draws)
    if not yes:
        cost.check_events(options, horizon)
        _check_time(question, inputs, chosen, samples, jobs, widen)
    with Pool(jobs) as pool:
        names = list(dict.fromkeys(parameters)) or inputs.names
        work = _Work(question, inputs, names, pool, progress or _silent, seed, samples, widen)
        tables = {part: as_written(getattr(work, part)()) for part in chosen}
        first = leads(question, pool, inputs, MOST if draws is None else draws)
    return Sensitivity(question, inputs, tables, about, first)


def not_offered(
    options: Sequence[Scenario], horizon: float, last: float, draws: int | None = None, *, fitted: bool
) -> dict[str, str]:
    """Return part -> why it cannot be shown for these scenarios.

    last : month of the decision; draws : the first so many, None for all; fitted : the draws were fitted to a cohort
    """
    reasons = dict[str, str]()
    if not fitted:
        reasons["priors"] = "no cohort was fitted to this pathway"
    if len(options) == 1:
        reasons["evppi"] = "it needs a BASE to compare with"
    elif horizon < last:
        reasons["evppi"] = f"it counts survival time up to month {last:g}, beyond the horizon"
    if not variance.is_offered():
        reasons["sobol"] = f"it needs SALib: {variance.INSTALL}"
    if (n_draws := check_count(options[0].pathway, draws)) < LEAST_OF_MANY:
        reasons |= dict.fromkeys(OF_MANY, f"takes {LEAST_OF_MANY} parameter sets or more; there are {n_draws}")
    return reasons


def _chosen(
    parts: Sequence[str], options: Sequence[Scenario], horizon: float, draws: int | None, last: float
) -> list[str]:
    for part in parts:
        if part not in PARTS:
            raise UnknownNameError("part", part, PARTS, "--show")
    if "evppi" in parts and len(options) == 1:
        raise InputError("a decision needs a second scenario", where="--show evppi", allowed="SCENARIO BASE")
    if "evppi" in parts and horizon < last:
        allowed = f"{last:g} months or more"
        raise InputError(
            "the decision counts survival time beyond the horizon", where="--horizon", got=horizon, allowed=allowed
        )
    for part in OF_MANY:
        if part in parts:
            check_count(options[0].pathway, draws, LEAST_OF_MANY, f"for {part} (--show tornado needs fewer)")
    reasons = not_offered(options, horizon, last, draws, fitted=True) if not parts else {}
    wanted = parts or [part for part in QUICK if part not in reasons]
    return [part for part in PARTS if part in wanted]


def _check_time(
    question: Question, inputs: Inputs, chosen: Sequence[str], samples: int, jobs: int, widen: Widen | None
) -> None:
    """Refuse an analysis that takes too long. Raises InputError."""
    draws = len(inputs.draws)
    rows = {"sobol": samples * (len(inputs.factors) + 2), "prcc": draws, "evppi": draws, "structure": MOST}
    rows["priors"] = min(draws, MOST) * (1 + len(inputs.names))
    rows = {part: rows[part] for part in chosen if part in rows}
    widening = widen.seconds(inputs.draws.iloc[:MOST]) if widen is not None and "priors" in chosen else 0.0
    if sum(rows.values()) < SURELY_SHORT and widening < cost.SURELY_SHORT and question.horizon <= 120:
        return
    seconds = questions.seconds_a_row(question, inputs.draws) * sum(rows.values()) / jobs + widening
    of_samples = Dial("--samples", samples, 64, variance.power_of_two)
    dial = of_samples if "sobol" in chosen else Dial("--draws", draws, 100)
    cost.check_time(seconds, jobs, [dial], what="this analysis", where=f"--show {','.join(chosen)}")


def _settings(question: Question, inputs: Inputs, chosen: Sequence[str], samples: int) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "parts": list(chosen), "outcome": question.outcome, "clock": question.clock, "population": question.population
    }  # fmt: skip
    if "sobol" in chosen:
        settings["sobol_samples"] = samples
    if BENEFIT in inputs.draws:
        settings["marginal_benefit_between"] = list(inputs.ends(BENEFIT))
        settings["marginal_benefit_from"] = "other cohorts" if inputs.informed_benefit else "an assumption"
    if question.decision is not None:
        counted = "life_months_to_month" if question.decision.unit == "life-month" else "survivors_at_month"
        settings["decision"] = {counted: question.decision.month, "costs": dict(question.decision.costs)}
    return settings


def _drawn(rows: pd.DataFrame) -> Integers:
    """Return the number of the parameters' draw in every row : (n,); a weighted sample repeats some draws."""
    parameters = rows.drop(columns=BENEFIT, errors="ignore")
    return np.asarray(parameters.groupby(list(parameters.columns)).ngroup(), dtype=np.int64)


def _silent(done: int, total: int, stage: str) -> None:
    pass


@dataclass(frozen=True)
class _Work:
    """The parts, as methods of their names."""

    question: Question
    inputs: Inputs
    names: list[str]
    pool: Pool
    progress: Progress
    seed: int
    samples: int
    widen: Widen | None

    def tornado(self) -> pd.DataFrame:
        table = tornado.table(self.inputs, self.names, self._values(tornado.rows(self.inputs, self.names), "tornado"))
        return self._ranked(table, table["swing"], "outcome_at_low", "outcome_at_high", "swing")

    def prcc(self) -> pd.DataFrame:
        values = self._values(self.inputs.draws, "the draws")
        siblings = {name: self.inputs.siblings(name) for name in self.names}
        table = rank_correlation.table(
            self.inputs.draws[self.inputs.names], np.where(np.ptp(values) > SEEN, values, 0.0), siblings
        )
        return self._ranked(table, table["prcc"].abs(), "prcc", "lower", "upper")

    def sobol(self) -> pd.DataFrame:
        moving = self._moving()
        factors = [factor for factor in self.inputs.joint_factors if moving & set(factor)]
        if not factors:
            return variance.table([], np.zeros(0), self.seed)
        rows = variance.rows(self.inputs.draws, factors, self.inputs.centre, self.samples, self.seed)
        table = variance.table(factors, self._values(rows, "Sobol indices"), self.seed)
        displayed = [bool({name, *together.split()} & set(self.names)) for name, together in
                 zip(table["parameter"], table["together"], strict=True)]  # fmt: skip
        table = table[displayed]
        return self._ranked(table, table["total"], *variance.SHARES)

    def structure(self) -> pd.DataFrame:
        rows = self.inputs.draws.iloc[:MOST]
        names = offered(resolve(option, row_values(rows, option.pathway)) for option in self.question.options)
        values = {name: self._values(rows, name, name) for name in names}
        compared = [Alternative(name, "", value, np.ones(len(value))) for name, value in values.items()]
        return alternatives.table(values[DECLARED], compared, _drawn(rows), medians=self.question.is_median)

    def priors(self) -> pd.DataFrame:
        assert self.widen is not None
        rows = self.inputs.draws.iloc[:MOST]
        declared = self._values(rows, DECLARED)
        compared = [Alternative(DECLARED, "", declared, np.ones(len(declared)))]
        drawn = rows.drop(columns=BENEFIT, errors="ignore")
        for widened in self.widen(
            drawn, self._moving() & set(self.names), lambda done, total: self.progress(done, total, "priors")
        ):
            moved = rows.assign(**{str(name): widened.draws[name].to_numpy() for name in widened.draws})
            values = declared if moved.equals(rows) else self._values(moved)
            weights = alternatives.weights_of(widened.log_weights)
            compared.append(Alternative(" ".join(widened.parameters), widened.description, values, weights))
        table = alternatives.table(declared, compared, _drawn(rows), medians=self.question.is_median)
        order = np.argsort(-np.nan_to_num(table["change"].abs().to_numpy(), nan=-1.0), kind="stable")
        return table.iloc[[0, *order[order != 0]]].reset_index(drop=True)

    def evppi(self) -> pd.DataFrame:
        rows = self.inputs.draws
        outcomes = questions.evaluate(
            self.question, self.pool, rows, decides=True, progress=self.progress, stage="the decision"
        )
        benefit = self.question.net_benefit(outcomes)
        assert self.question.decision is not None
        values = value_of_information.table(benefit, rows, self.names, self.seed, self.question.decision.worth)
        return self._ranked(values, values["value"], "value", "standard_error", "upward_bias", "share_of_everything")

    def _ranked(self, table: pd.DataFrame, size: pd.Series[float], *columns: str) -> pd.DataFrame:
        """Return a table with the greatest size first; inputs that no method separates are last, without numbers."""
        together = table.get("together", pd.Series("", index=table.index))
        blank = [bool({name, *also.split()} & self.inputs.blank) for name, also in
                 zip(table["parameter"], together, strict=True)]  # fmt: skip
        table = table.copy()
        order = np.lexsort((-size.to_numpy(), np.array(blank)))
        table.loc[blank, list(columns)] = np.nan
        return table.iloc[order].reset_index(drop=True)

    def _moving(self) -> set[str]:
        """Return the inputs that change the outcome at either end of their interval: only they can matter."""
        values = self._values(tornado.rows(self.inputs, self.inputs.names), "screening")
        table = tornado.table(self.inputs, self.inputs.names, values)
        return set(table.loc[table["swing"] > SEEN, "parameter"])

    def _values(self, rows: pd.DataFrame, stage: str = "", structure: str = DECLARED) -> Floats:
        """Return the outcome of rows of inputs : (n_rows,). Raises InputError where a row has none.

        stage : the name under which progress is reported; not reported without one
        """
        progress = self.progress if stage else None
        values = self.question.value(
            questions.evaluate(self.question, self.pool, rows, structure=structure, progress=progress, stage=stage)
        )
        if missing := int((~np.isfinite(values)).sum()):
            months = self.question.scenario.pathway.months
            reached = f"{alive_at(months.answer)} or {mean_to(months.means[-1])}"
            raise InputError(
                f"the outcome has no value for {missing} of {len(values)} sets of parameters",
                where="--outcome",
                got=self.question.outcome,
                allowed=f"an outcome that every draw reaches, as {reached}",
            )
        return values
