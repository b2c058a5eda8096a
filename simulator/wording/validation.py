"""What a validation is, and what the marginal benefit from other cohorts is, in a sentence."""

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
OWN = "the parameters were fitted to other figures of the same patients, so that this is no external validation"
TRANSPORT = (
    "The marginal benefit is transport between different cohorts, other patients at other places, and not an estimate "
    "of a treatment's effect."
)


def note(every: Sequence[Targets], benefit: Benefit | None) -> str:
    """Return what the validation is, and what the marginal benefit is where there is one."""
    return f"{_whose(every)} {TRANSPORT}" if benefit is not None else _whose(every)


def _whose(every: Sequence[Targets]) -> str:
    """Return what the validation is: of other cohorts, or of the one that the parameters were fitted to."""
    fitted = {folder.resolve() for each in every if (folder := cohort_folder(each.pathway)) is not None}
    own = [each.cohort.name for each in every if each.folder.resolve() in fitted]
    if not own:
        return NOTE
    said = f"{', '.join(own)}: {OWN}."
    return said if len(own) == len(every) else f"{said} {NOTE.replace('these cohorts', 'the other cohorts')}"
