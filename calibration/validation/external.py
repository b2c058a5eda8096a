"""External validation (ISPOR-SMDM): a cohort's reported figures next to predictions of the model, not refitted.

The pathway is set to the cohort's uptake and mix, and simulated cohorts of its size take their parameters from the
frozen posterior draws: an interval includes parameter uncertainty and the sampling of n patients. The i-th simulated
cohort of every reported one has draw i, so that all of them together are one world of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import isnan

import numpy as np
import pandas as pd

from calibration import predictive
from calibration.denominators import Denominator, assessed, denominators, of_rows
from calibration.likelihood.targets import Targets
from calibration.reported.consistency import HORIZON
from calibration.reported.kinds.counts import Deaths
from calibration.reported.kinds.kind import Kind
from calibration.validation import scores
from calibration.validation.joint_ranks import Ranks
from calibration.validation.provenance import centred_on, each_patient_once
from simulator import execution
from simulator.arrays import Booleans, Floats, slices
from simulator.errors import InputError
from simulator.evidence.cohort import cohorts_folder, read_cohort, shipped_cohorts
from simulator.outcomes.uncertainty import central

USE = "validation"
ALL = "all cohorts"


def shipped() -> list[str]:
    """Return the shipped cohorts to which nothing is fitted, those without a figure to predict included."""
    uses = {name: set(read_cohort(cohorts_folder() / name).targets["use"]) for name in shipped_cohorts()}
    return [name for name, used in uses.items() if USE in used or "likelihood" not in used]


def is_silent(targets: Targets) -> bool:
    """Return whether a cohort reports how patients were treated and nothing to predict or to fit."""
    return not {USE, "likelihood", "predictive"} & set(targets.cohort.targets["use"])


def to_validate(targets: Targets) -> list[Kind]:
    """Return the figures of a cohort that are predicted. Raises InputError if none can be, naming a bad row."""
    chosen = [figure for figure in targets.figures if figure.use == USE]
    if not chosen:
        file, allowed = str(targets.folder / "targets.csv"), f'a row with use = "{USE}"'
        raise InputError("nothing to validate", where=file, allowed=allowed)
    denominators(targets, chosen)
    return chosen


def notes(targets: Targets) -> list[str]:
    """Return notes on a cohort's predictions, with their lines."""
    figures = [figure for figure in targets.figures if figure.use == USE]
    alike = "are treated as the assessed patients, similar to the rest"
    selected = "a selected group, as responders, has no meaning here"
    sentences = [(at, f"{part} {alike}; {selected}") for at, part in assessed(targets, figures).items()]
    if targets.cohort.follow_up is None:
        until = f"no [follow_up] in cohort.toml, so deaths are predicted until month {HORIZON:g}"
        deaths = (figure for figure in figures if isinstance(figure, Deaths))
        sentences += [(figure.where, until) for figure in deaths if isnan(figure.month)]
    return [f"{at}: {sentence}" for at, sentence in sentences]


@dataclass(frozen=True)
class Prediction:
    """A cohort's predicted figures. rows : the figures that are predicted

    of : the denominators of each; figures : (n_cohorts, n_rows), in percent or months; NaN where one is not filled
    """

    targets: Targets
    rows: tuple[Kind, ...]
    of: tuple[tuple[Denominator, ...], ...]
    figures: Floats

    @cached_property
    def reported(self) -> Floats:
        """The reported figures, (n_rows,)."""
        return np.array([_reported(figure)[0] for figure in self.rows])

    @cached_property
    def centred_on(self) -> list[list[str]]:
        """Of each row, the parameters whose prior is centred on it."""
        return [centred_on(self.targets, figure) for figure in self.rows]

    @cached_property
    def is_simulated(self) -> Booleans:
        """Of each row, whether any simulated cohort has the patients and events of its figure, (n_rows,)."""
        return np.array([not missing.all() for missing in np.isnan(self.figures).T])

    @property
    def is_test(self) -> Booleans:
        """Of each row, whether it is simulated and no prior is centred on it, (n_rows,)."""
        return np.asarray(self.is_simulated & [not priors for priors in self.centred_on])

    @cached_property
    def ranks(self) -> Ranks:
        """The reported figures among simulated ones, of the rows that are simulated."""
        compared = np.array([row.compared(figures) for row, figures in zip(self.rows, self.figures.T, strict=True)]).T
        return Ranks.of(self.reported[self.is_simulated], compared[:, self.is_simulated], self.targets.seed)

    @property
    def better(self) -> float:
        """The share of simulated cohorts that survive better than reported; NaN without a figure of survival."""
        return self.ranks.above(self.signs) if self.signs.any() else np.nan

    @property
    def signs(self) -> Floats:
        """Whether higher figures are better survival: 1, or -1; 0 for other figures; of the rows that are simulated."""
        return np.array([figure.sign for figure in self.rows])[self.is_simulated]

    def table(self) -> pd.DataFrame:
        """Return a row a figure.

        limit : whether `reported` is a limit; predicted : mean, or of months the median, without regard to the limit
        at_most, at_least : shares of simulated cohorts whose figure is at most, or at least, the reported one
        pit : randomised probability integral transform
        crps, log_score : of this forecast, of the flat one and of the one carried over; see `scores`
        centred_on : the parameters whose prior is centred on the figure

        Where no simulated cohort has the figure, the row has what is reported.
        """
        pits = np.full(len(self.rows), np.nan)
        pits[self.is_simulated] = self.ranks.pits[0]
        parts = zip(self.rows, self.of, self.figures.T, pits, self.centred_on, strict=True)
        return pd.DataFrame([_row(self.targets, *part) for part in parts])


def validate(
    targets: Targets,
    draws: pd.DataFrame | None,
    *,
    jobs: int = 1,
    wanted: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prediction:
    """Return a cohort's predicted figures, of `wanted` simulated cohorts (1000). Raises InputError.

    draws : of the pathway's parameters; None, its declared values
    """
    rows = tuple(to_validate(targets))
    places = [targets.figures.index(figure) for figure in rows]
    work = partial(predictive.simulate_figures, targets, draws)
    parts = execution.map(work, slices(wanted or predictive.DRAWS, 50), jobs=jobs, progress=progress)
    factors = np.array([_reported(figure)[2] for figure in rows])
    of = tuple(of_rows(targets)[place] for place in places)
    return Prediction(targets, rows, of, factors * np.concatenate(list(parts))[:, places])


def _reported(figure: Kind) -> tuple[float, str, float]:
    """Return a figure, its unit, and the factor on a simulated one: a count is a percentage of its n."""
    if figure.is_count:
        return 100.0 * figure.count / figure.n, "%", 100.0 / figure.n
    return figure.reported, figure.unit_of_figure, figure.factor


def _row(
    targets: Targets, figure: Kind, of: tuple[Denominator, ...], simulated: Floats, pit: float, priors: Sequence[str]
) -> dict[str, object]:
    reported, unit, _ = _reported(figure)
    known = simulated[~np.isnan(simulated)]
    compared = figure.compared(known)
    lower, upper = central(known)
    centre = predictive.mean if unit == "%" else predictive.median
    return {
        "cohort": targets.cohort.name,
        "clock": targets.cohort.clock,
        "target": figure.name,
        "kind": figure.kind if figure.is_plain else f"{figure.kind} ({figure.end_point or figure.since})",
        "population": figure.population,
        "month": figure.month,
        "unit": unit,
        "reported": reported,
        "limit": figure.limit,
        "standard_error": figure.standard_error,
        "n": figure.n,
        "predicted": centre(known),
        "lower": lower,
        "upper": upper,
        "at_most": (compared <= reported + 1e-9).mean() if known.size else np.nan,
        "at_least": (compared >= reported - 1e-9).mean() if known.size else np.nan,
        "inside": predictive.inside(figure, lower, reported, upper) if known.size else "",
        "pit": pit,
        **scores.of_figure(targets, figure, of[0].n, unit, compared, reported),
        "centred_on": ", ".join(priors),
        "place": figure.place,
        "note": figure.note,
    }


def together(predictions: Sequence[Prediction]) -> pd.DataFrame:
    """Return a row a cohort, and one of all: how far out its figures lie together, those that are simulated.

    joint_rank : share of simulated cohorts at least as far out; uneven : with PITs at least as uneven, of all cohorts
    better : share of simulated cohorts that survive better than reported, NaN without a figure of survival
    counted : whether it is one of all, without figures that a prior is centred on; no where its patients are another's
    """
    counted = _counted(predictions)
    rows = [_together(of, "yes" if of in counted else "no") for of in predictions]
    if len(counted) > 1:
        rows.append(_together(_merged([_only(of, of.is_test) for of in counted]), "", ALL))
    return pd.DataFrame(rows)


def _only(prediction: Prediction, chosen: Booleans) -> Prediction:
    """Return some of the figures, (n_rows,)."""
    places = np.flatnonzero(chosen)
    rows, of = tuple(prediction.rows[place] for place in places), tuple(prediction.of[place] for place in places)
    return replace(prediction, rows=rows, of=of, figures=prediction.figures[:, places])


def _merged(predictions: Sequence[Prediction]) -> Prediction:
    """Return the figures of all cohorts as those of one: the i-th simulated cohort of each has draw i."""
    rows = tuple(row for prediction in predictions for row in prediction.rows)
    of = tuple(denominator for prediction in predictions for denominator in prediction.of)
    return Prediction(predictions[0].targets, rows, of, np.hstack([prediction.figures for prediction in predictions]))


def _together(of: Prediction, counted: str, name: str = "") -> dict[str, object]:
    figures = int(of.is_simulated.sum())
    return {
        "cohort": name or of.targets.cohort.name,
        "figures": figures,
        "joint_rank": of.ranks.joint() if figures else np.nan,
        "better": of.better,
        "uneven": of.ranks.uneven() if figures else np.nan,
        "counted": counted,
    }


def _counted(predictions: Sequence[Prediction]) -> list[Prediction]:
    """Return the cohorts with figures that test the model; of the same patients, the one with most, or the first."""
    tests = sorted((of for of in predictions if of.is_test.any()), key=lambda of: -of.is_test.sum())
    counted = each_patient_once(of.targets for of in tests)
    return [of for of in tests if of.targets.cohort.name in counted]
