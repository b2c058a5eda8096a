"""The kind of a validation, and of the marginal benefit from other cohorts, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.evidence.cohort import cohort_folder

if TYPE_CHECKING:
    from calibration.likelihood.targets import Targets
    from calibration.transport.marginal_benefit import Benefit

NOTE = (
    "External validation (ISPOR-SMDM): the parameters were not fitted to these cohorts; where a cohort's paper gave a "
    "prior its centre, that is said. A wide interval confirms little."
)
SAME = "the parameters were fitted to other figures of the same patients, so that this is no external validation"
TRANSPORT = (
    "The marginal benefit is transport between different cohorts, other patients at other places, and not an estimate "
    "of a treatment's effect."
)


def note(every: Sequence[Targets], benefit: Benefit | None) -> str:
    """Return whether the cohorts are external, and what the marginal benefit means if there is one."""
    return _external(every) if benefit is None else f"{_external(every)} {TRANSPORT}"


def _external(every: Sequence[Targets]) -> str:
    """Return which cohorts are other patients than the fitted ones."""
    fitted = {folder.resolve() for targets in every if (folder := cohort_folder(targets.pathway)) is not None}
    names = [targets.cohort.name for targets in every if targets.folder.resolve() in fitted]
    if not names:
        return NOTE
    text = f"{', '.join(names)}: {SAME}."
    return text if len(names) == len(every) else f"{text} {NOTE.replace('these cohorts', 'the other cohorts')}"
