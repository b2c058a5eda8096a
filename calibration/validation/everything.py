"""All cohorts of a validation: figure by figure, cohort by cohort, and over the share treated where it is unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from calibration.likelihood.targets import Targets
from calibration.validation import external, over_range
from simulator.evidence.draws import fitted_draws


@dataclass(frozen=True)
class Validation:
    """figures, cohorts : see `Prediction.table`, `external.together`; ranges : see `over_range.table`.

    every : the cohorts, `silent` ones included, which report nothing to compare yet; tables may be empty
    """

    every: tuple[Targets, ...]
    figures: pd.DataFrame
    cohorts: pd.DataFrame
    ranges: pd.DataFrame

    @property
    def silent(self) -> list[str]:
        """The cohorts that report no outcome."""
        return [targets.cohort.name for targets in self.every if external.is_silent(targets)]


def of_cohorts(every: Sequence[Targets], *, jobs: int, progress: Callable[[str, int, int], None]) -> Validation:
    """Return the validation of some cohorts by the draws of their pathways. Raises InputError.

    progress : called with a cohort's name, and how much of it is done
    """
    predictions, ranges = [], []
    for targets in every:
        draws, of_cohort = fitted_draws(targets.pathway), partial(progress, targets.cohort.name)
        if over_range.has_range(targets):
            at_each = over_range.at_each(targets, draws, jobs=jobs, progress=of_cohort)
            ranges.append(over_range.table(targets, at_each))
        elif not external.is_silent(targets):
            predictions.append(external.validate(targets, draws, jobs=jobs, progress=of_cohort))
    figures = [prediction.table() for prediction in predictions]
    tables = [pd.concat(parts, ignore_index=True) if parts else pd.DataFrame() for parts in (figures, ranges)]
    return Validation(tuple(every), tables[0], external.together(predictions), tables[1])
