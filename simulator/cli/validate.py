"""`aftercart validate`: the reported figures of other cohorts next to the predictions of the model, not refitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli import folder, options, output, progress
from simulator.cli.options import argument, completed_cohort, flag
from simulator.plain_text import visible

if TYPE_CHECKING:
    from calibration.likelihood.targets import Targets
    from calibration.transport.marginal_benefit import Benefit
    from calibration.validation.everything import Validation


COHORTS = "Shipped cohorts' names, or folders. [default: all shipped cohorts with figures to validate]"
REFIT = "Refit the marginal benefit to every parameter set, and save it next to draws.csv."


def validate(
    cohorts: Annotated[list[str] | None, argument("COHORT", COHORTS, completed_cohort)] = None,
    out: options.Out = None,
    refit: Annotated[bool, flag("--refit", REFIT)] = False,
    jobs: options.Jobs = None,
    quiet: options.Quiet = False,
) -> None:
    """Predict what other cohorts report, without refitting.

    Each cohort's uptake and case mix (its cohort.toml) replace those of the pathway. For your own, give its folder."""
    from calibration.likelihood.targets import load_targets
    from calibration.transport import marginal_benefit
    from calibration.validation import everything, external, provenance
    from simulator.evidence import draws
    from simulator.report.tables import validation as tables
    from simulator.wording.validation import labelled

    using = options.processes(jobs)
    every = [load_targets(name) for name in cohorts or external.shipped()]
    _check_names(every)
    for targets in every:
        if not external.is_silent(targets):
            external.to_validate(targets)
        for warning in [*targets.warnings, *external.notes(targets), *marginal_benefit.notes(targets)]:
            typer.echo(f"aftercart: {warning}", err=True)
    stale_note = draws.stale_draws if refit else draws.staleness
    stale = {targets.pathway.where: stale_note(targets.pathway) for targets in every}
    for sentence in filter(None, stale.values()):
        typer.echo(f"Note: {sentence}", err=True)
    left_out = _left_out(every)
    for why, names in left_out.items():
        typer.echo(f"aftercart: not used for the marginal benefit ({why}): {', '.join(names)}", err=True)
    frozen = _frozen(every) if refit else None
    out = out or folder.default("validation")
    kept = nullcontext() if frozen is None else folder.kept(frozen)
    with folder.filled(out) as unfinished, kept, progress.displayed("validating", quiet=quiet) as advance:
        validation = labelled(everything.of_cohorts(every, jobs=using, progress=partial(_advance, advance)))
        most = None if refit else draws.MOST
        of_benefit = partial(_advance, advance, "the marginal benefit")
        benefit = marginal_benefit.of_cohorts(every, most=most, jobs=using, progress=of_benefit)
        _write(validation, benefit, unfinished, list(chain(*left_out.values())), stale)
        if frozen is not None and benefit is not None:
            benefit.write(frozen)
    priors, left = (
        {targets.cohort.name: names(targets) for targets in every} for names in (provenance.of_paper, provenance.left)
    )
    output.print_report(out, tables.report(validation, benefit, priors, left), quiet=quiet)
    if frozen is not None:
        typer.echo(f"Saved: {visible(str(frozen / draws.BENEFIT_FILE))}")


def _advance(advance: progress.Progress, stage: str, done: int, total: int) -> None:
    advance(done, total, stage)


def _left_out(every: Sequence[Targets]) -> dict[str, list[str]]:
    """Return why cohorts do not inform the benefit that they would inform alone -> their names."""
    from calibration.transport import marginal_benefit

    first = next((targets.cohort.name for targets in every if marginal_benefit.informing(targets) is not None), "")
    left_out = {
        f"their pathway or draws differ from those of {first}": marginal_benefit.of_other_models(every),
        "another cohort that informs it has some of their patients": marginal_benefit.of_same_patients(every),
    }
    return {why: names for why, names in left_out.items() if names}


def _check_names(every: Sequence[Targets]) -> None:
    from simulator.errors import InputError

    names = [targets.cohort.name for targets in every]
    for name in names:
        if names.count(name) > 1:
            raise InputError("two cohorts have one name", got=name, allowed="a different folder name for each cohort")


def _frozen(every: Sequence[Targets]) -> Path:
    """Return the folder of the draws, where the benefit is kept.

    Raises InputError if the draws are not one cohort's, or if no cohort informs the benefit.
    """
    from calibration.transport import marginal_benefit
    from simulator.errors import InputError
    from simulator.evidence.cohort import cohort_folder
    from simulator.evidence.replaced import replaced

    calibrated = {None if (of := cohort_folder(targets.pathway)) is None else of.resolve() for targets in every}
    (cohort,) = calibrated if len(calibrated) == 1 else (None,)
    if cohort is None:
        raise InputError(
            "--refit needs cohorts whose pathway uses the draws of one calibrated cohort",
            where="--refit",
            got=", ".join(sorted(targets.pathway.name for targets in every)),
            allowed="cohorts of one pathway whose draws are a cohort's",
        )
    if not any(marginal_benefit.informing(targets) for targets in every):
        raise InputError(
            "no cohort informs the marginal benefit",
            where="--refit",
            got=", ".join(targets.cohort.name for targets in every),
            allowed='a pathway with [marginal], and a row of use "validation" with the survival of all patients',
        )
    of_other_laws = (targets for targets in every if marginal_benefit.informing(targets) and targets.pathway.extended)
    for targets in of_other_laws:
        if replaced(targets.pathway).bears_on_benefit:
            raise InputError(
                f"the benefit is kept next to the draws of {targets.pathway.fitted.name}, whose laws this one replaces",
                where="--refit",
                got=targets.pathway.name,
                allowed="the same without --refit, or draws of its own",
            )
    folder.check_writable(cohort)
    return cohort


def _write(
    validation: Validation,
    benefit: Benefit | None,
    into: Path,
    left_out: Sequence[str],
    stale: Mapping[str, str | None],
) -> None:
    from calibration.transport.marginal_benefit import SUMMARY_FILE
    from simulator.experiment import manifest
    from simulator.figures import picture
    from simulator.figures.calibration import external, ranges
    from simulator.files import csv
    from simulator.wording.validation import answer, note, numbers, titles

    tables = {"validation.csv": validation.figures, "cohorts.csv": validation.cohorts, "ranges.csv": validation.ranges}
    for name, table in tables.items():
        if len(table):
            csv.write(table.replace(float("inf"), float("nan")), into / name, ".6g")
    if benefit is not None:
        csv.write(benefit.summary, into / SUMMARY_FILE, ".6g")
    every = validation.every
    sizes = numbers(every)
    longest = max(targets.pathway.months.early for targets in every)
    pictures = []
    if len(validation.figures):
        pictures.append(external.picture(validation.figures, sizes, _source(every), longest, titles(every)))
    if len(validation.ranges):
        pictures.append(ranges.picture(validation.ranges, sizes, _source(every)))
    picture.save(pictures, into)
    texts = {"answer": answer(validation), "note": note(every, benefit)}
    manifest.write(_manifest(every, texts, left_out, stale), into)


def _source(every: Sequence[Targets]) -> str:
    from simulator.evidence.cohort import load_cohort
    from simulator.wording.validation import short_names

    calibrated = load_cohort(every[0].pathway)
    sources = [] if calibrated is None else [f"Model: n = {calibrated.n}, {calibrated.citation}"]
    for name, targets in zip(short_names(every).values(), every, strict=True):
        sources.append(f"{name}: {targets.cohort.citation.removeprefix(f'{name}: ')}")
    return " ".join([*sources, "A simulation of stated assumptions; not for individual patients."])


def _manifest(
    every: Sequence[Targets], texts: Mapping[str, str], left_out: Sequence[str], stale: Mapping[str, str | None]
) -> dict[str, Any]:
    from datetime import UTC, datetime

    from calibration.transport import marginal_benefit
    from calibration.validation import external, provenance
    from simulator.experiment import manifest

    cohorts = [
        {
            "name": targets.cohort.name,
            "title": targets.cohort.title,
            "citation": targets.cohort.citation,
            "n": targets.cohort.n,
            "seed": targets.seed,
            "pathway": targets.pathway.name,
            "draws": targets.pathway.draws,
            "levers": {"set": dict(targets.scenario.set), "scale": dict(targets.scenario.scale)},
            "dependence": targets.dependence,
            "priors_from_its_paper": provenance.of_paper(targets),
            "left_as_in_the_pathway": provenance.left(targets),
            "warnings": [*targets.warnings, *external.notes(targets), *marginal_benefit.notes(targets)],
            "left_out_of_the_marginal_benefit": targets.cohort.name in left_out,
            "stale_draws": stale[targets.pathway.where],
            "files": manifest.files([targets.scenario], targets.folder),
        }
        for targets in every
    ]
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return {"created": created, **texts, "cohorts": cohorts, **manifest.circumstances()}
