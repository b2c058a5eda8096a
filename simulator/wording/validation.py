"""The kind of a validation, and of the marginal benefit from other cohorts, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.evidence.cohort import cohort_folder

if TYPE_CHECKING:
    from calibration.likelihood.targets import Targets
    from calibration.transport.marginal_benefit import Benefit

NOTE = (
    "External validation (ISPOR-SMDM): the parameters were not fitted to these cohorts. If a cohort's paper gave a "
    "prior its centre, a note says so. A wide interval confirms little."
)
SAME = "the parameters were fitted to other figures of the same patients, so this is not external validation"
TRANSPORT = (
    "The marginal benefit is an extrapolation between cohorts of different patients at different places, not a "
    "measured effect of a treatment."
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
