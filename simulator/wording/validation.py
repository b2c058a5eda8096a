"""External validation and the marginal benefit from other cohorts, in sentences. Terminal and figure print the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.evidence.cohort import cohort_folder
from simulator.wording import reported, rounding
from simulator.wording.added import IN_THE_MODEL
from simulator.wording.headline import ABSORBS
from simulator.wording.intervals import Row

if TYPE_CHECKING:
    import pandas as pd

    from calibration.likelihood.targets import Targets
    from calibration.transport.marginal_benefit import Benefit
    from calibration.validation.everything import Validation
    from simulator.pathway.pathway import Pathway

CAPTION = (
    "Predicted: mean and 95 % interval of cohorts of that size. As extreme: share of simulated cohorts at least as far "
    "out as the reported figure, on the nearer side"
)
UNLIKE = 0.025
"""Joint rank up to which a cohort is called unlike the model."""
JOINT = "joint rank: share of simulated cohorts at least as unusual"
TOGETHER = (
    "All figures of a cohort together. Joint rank: share of simulated cohorts at least as far from the others "
    f"({100 * UNLIKE:g} % or less: unlike the model). Better survival: share of simulated cohorts that survive better "
    "than reported"
)
SCORES = (
    "Scores of the forecasts, smaller is better, of the model and of two naive ones: flat (0 to 100 % alike) and "
    "carried over (patients fare as those of the fitted cohort, treated or not)"
)
CENTRED = "* A prior is centred on this figure, or on one of some of its patients, so that it tests little:"
NOTE = (
    "External validation (ISPOR-SMDM): the parameters were not fitted to these cohorts. Figures that a prior is "
    "centred on are marked. A wide interval confirms little."
)
NOT_REACHED = "not reached"
NOT_SIMULATED = "no simulated cohort has this figure"
NAMED = 2
"""Misses that a title names."""
LEAN = 2.0 / 3.0
"""Share of simulated cohorts on one side of the report from which on the model leans to it."""
CLEAR = 0.9
"""Share of simulated cohorts on one side of the report from which on the model is clearly wrong."""
SAME = "the parameters were fitted to other figures of the same patients, so this is not external validation"
TRANSPORT = (
    "The marginal benefit is an extrapolation between cohorts of different patients at different places, not a "
    f"measured effect of a treatment. It also absorbs {ABSORBS}."
)


def short_names(every: Sequence[Targets]) -> dict[str, str]:
    """Return cohort -> its short name; those of which two are alike keep the names of their folders."""
    names = {targets.cohort.name: reported.cohort(targets.cohort) for targets in every}
    alike = [name for name, short in names.items() if list(names.values()).count(short) > 1]
    return names | {name: name for name in alike}


def labelled(validation: Validation) -> Validation:
    """Return a validation whose tables name each cohort (`cohort_label`) and each figure (`label`) in words."""
    names, labels = short_names(validation.every), dict(_labels(validation.every))
    tables = {}
    for name in ("figures", "cohorts", "ranges"):
        table = tables[name] = getattr(validation, name).copy()
        if len(table):
            table["cohort_label"] = [names.get(cohort, cohort) for cohort in table["cohort"]]
        if "target" in table:
            table["label"] = [labels[key] for key in zip(table["cohort"], table["target"], strict=True)]
    return replace(validation, **tables)


def _labels(every: Sequence[Targets]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield (cohort, figure) and the figure in words; whose it is, unless everybody's."""
    for targets in every:
        pathway, clock = reported.with_end_points(targets.pathway, targets.cohort), {"clock": targets.cohort.clock}
        for row in targets.cohort.targets.to_dict("records"):
            words = reported.figure({**row, **clock}, pathway).removesuffix(": all patients").replace(": ", ", ")
            yield (targets.cohort.name, row["name"]), words


def note(every: Sequence[Targets], benefit: Benefit | None) -> str:
    """Return whether the cohorts are external, and what the marginal benefit means if there is one."""
    return _external(every) if benefit is None else f"{_external(every)} {TRANSPORT}"


def _external(every: Sequence[Targets]) -> str:
    """Return which cohorts are other patients than the fitted ones."""
    fitted = {folder.resolve() for targets in every if (folder := cohort_folder(targets.pathway)) is not None}
    short = short_names(every)
    names = [short[targets.cohort.name] for targets in every if targets.folder.resolve() in fitted]
    if not names:
        return NOTE
    text = f"{', '.join(names)}: {SAME}."
    return text if len(names) == len(every) else f"{text} {NOTE.replace('these cohorts', 'the other cohorts')}"


def answer(validation: Validation) -> str:
    """Return what is unlike the model, where survival is predicted too high or low, and the misses or the nearest."""
    return " ".join(filter(None, [*_unlike(validation), *_verdicts(validation), _misses(validation.figures)]))


def _unlike(validation: Validation) -> Iterator[str]:
    """Yield whether all cohorts together are unlike the model, then the cohorts that are."""
    rows = [row for row in validation.cohorts.to_dict("records") if row["joint_rank"] <= UNLIKE]
    for row in rows:
        if row["counted"] == "":
            yield f"Taken together, the cohorts are unlike the model ({JOINT}): {percent(row['joint_rank'])}."
    counted = [row for row in rows if row["counted"] != ""]
    parts = [f"{_with_size(row['cohort_label'], validation)}, {percent(row['joint_rank'])}" for row in counted]
    if parts:
        yield f"Unlike the model ({JOINT}): {'; '.join(parts)}."


def percent(share: float) -> str:
    """Return a share of simulated cohorts: "15 %", "1.1 %", "none"."""
    return f"{rounding.number(share, 'probability')} %" if share > 0.0 else "none"


def _verdicts(validation: Validation) -> Iterator[str]:
    """Yield for which cohorts survival is predicted too high, then too low."""
    better = _better(validation)
    for wrong, than in (("high", "better"), ("low", "worse")):
        shares = {cohort: share if than == "better" else 1.0 - share for cohort, share in better.items()}
        survive = f"share of simulated cohorts that survive {than} than reported"
        for degree, least, most in (("too", CLEAR, 1.1), ("rather", LEAN, CLEAR)):
            named = sorted((-share, cohort) for cohort, share in shares.items() if least <= share < most)
            parts = [f"{_with_size(cohort, validation)}, {percent(-share)}" for share, cohort in named]
            if parts:
                unclear = "" if degree == "too" else ", no clear error"
                yield f"Survival predicted {degree} {wrong}{unclear} ({survive}): {'; '.join(parts)}."


def _with_size(cohort: str, validation: Validation) -> str:
    sizes = numbers(validation.every)
    return f"{cohort} (n = {sizes[cohort]})" if cohort in sizes else cohort


def numbers(every: Sequence[Targets]) -> dict[str, int]:
    """Return cohort, by its short name -> its patients."""
    names = short_names(every)
    return {names[targets.cohort.name]: targets.cohort.n for targets in every}


def titles(every: Sequence[Targets]) -> dict[str, str]:
    """Return cohort, by its short name -> its patients in words."""
    names = short_names(every)
    return {names[targets.cohort.name]: targets.cohort.title for targets in every}


def _better(validation: Validation) -> dict[str, float]:
    """Return cohort -> the share of simulated cohorts that survive better; of a range, that nearest to one half."""
    rows = validation.cohorts.to_dict("records")
    better = {str(row["cohort_label"]): float(row["better"]) for row in rows if math.isfinite(row["better"])}
    for cohort, table in validation.ranges.groupby("cohort_label") if len(validation.ranges) else ():
        least, most = table["better"].min(), table["better"].max()
        better[f"{cohort}, whatever share is treated"] = min(max(least, 0.5), most)
    return {cohort: share for cohort, share in better.items() if share != 0.5}


def _misses(table: pd.DataFrame) -> str:
    if not len(table):
        return ""
    missing, table = table[table["inside"] == ""], table[table["inside"] != ""]
    if not len(table):
        return f"{NOT_SIMULATED.capitalize()}: {'; '.join(map(figure, missing.to_dict('records')))}."
    missed = table[table["inside"] == "no"]
    source = f"reported by {table['cohort'].nunique()} cohort{'s' if table['cohort'].nunique() > 1 else ''}"
    if len(missed):
        misses = [f"{figure(row)}: {in_words(row)}" for row in missed.to_dict("records")]
        are = "is a miss" if len(missed) == 1 else "are misses"
        return f"{len(missed)} of {len(table)} figures {source} {are}: {'; '.join(misses)}."
    row = min(table.to_dict("records"), key=lambda row: min(row["at_most"], row["at_least"]))
    inside = f"{len(table)} of {len(table)} figures {source} lie within the 95 % predictive interval"
    return f"{inside}. The nearest to a miss: {figure(row)}: {in_words(row)}."


def title(table: pd.DataFrame) -> str:
    """Return how many reported figures the predictions hold, and the misses, or the figure nearest to a miss."""
    known = table[table["inside"] != ""]
    missed = [figure(row) for row in known[known["inside"] == "no"].to_dict("records")]
    inside = len(known) - len(missed)
    held = f"all {inside}" if not missed else f"{inside} of {len(known)}"
    holds = f"{IN_THE_MODEL}, {held} reported figures lie inside their 95 % prediction"
    if not len(known):
        return f"{IN_THE_MODEL}, no simulated cohort has any of the reported figures"
    if not missed:
        return holds
    more = f" and {len(missed) - NAMED} more" if len(missed) > NAMED else ""
    return f"{holds}; misses: {'; '.join(missed[:NAMED])}{more}"


def as_extreme(row: Row) -> str:
    """Return the share of simulated cohorts at least as far out as the report, "3 %"; empty where it is not known."""
    share = min(row.get("at_most", math.nan), row.get("at_least", math.nan))
    return percent(share) if math.isfinite(share) else ""


def figure(row: Row) -> str:
    """Return the name of a reported figure: "Who 2024, survival at 9 months from its start"."""
    return f"{row['cohort_label']}, {row['label']}"


def of_all(cohorts: pd.DataFrame) -> list[str]:
    """Return notes on the row of all cohorts: which figures it has, and whether the PITs are uniform."""
    if not len(cohorts) or not (of_all := cohorts[cohorts["counted"] == ""].to_dict("records")):
        return []
    (row,) = of_all
    left_out = ", ".join(cohorts.loc[cohorts["counted"] == "no", "cohort_label"])
    without = f" Left out: {left_out} (priors are centred on all their figures, or the patients are another cohort's)."
    return [
        f"All cohorts: the {row['figures']} figures that no prior is centred on, no patient twice. Randomised PITs are "
        f"at least as uneven in {100 * row['uneven']:.0f} % of simulated sets.{without if left_out else ''}"
    ]


def beaten(figures: pd.DataFrame) -> str:
    """Return how often the model's forecast is better than the naive ones."""
    parts = []
    for name, words in (("flat", "flat"), ("carried_over", "carried over")):
        known = figures[figures[f"crps_{name}"].notna()]
        crps, log_score = (int((known[score] < known[f"{score}_{name}"]).sum()) for score in ("crps", "log_score"))
        if len(known):
            parts.append(f"than {words} for {crps} (CRPS) and {log_score} (log score) of {len(known)} figures")
    return f"The model is better {', and '.join(parts)}." if parts else ""


def provenance(cohort: str, priors: Sequence[str], dependence: str) -> str:
    """Return what the model owes to a cohort's paper."""
    owed = f"{cohort}: its paper is a source of the priors of {', '.join(priors)}." if priors else ""
    return " ".join(filter(None, [owed, f"{cohort}: {dependence}" if dependence and not owed else dependence]))


def left_alone(left: Mapping[str, Sequence[str]]) -> str:
    """Return the levers and attributes that cohorts leave as in the pathway. left : cohort -> names"""
    every = [name for name in next(iter(left.values()), ()) if all(name in names for names in left.values())]
    alike: dict[str, list[str]] = {}
    for cohort, names in left.items():
        alike.setdefault(", ".join(name for name in names if name not in every), []).append(cohort)
    parts = [f"{names} ({', '.join(cohorts)})" for names, cohorts in alike.items() if names]
    parts = [", ".join(every), *parts] if every else parts
    return f"Left as in the pathway, since not reported: {'; '.join(parts)}." if parts else ""


def ranges_title(table: pd.DataFrame) -> str:
    """Return how many reported figures the predictions hold at some value of the lever that is not reported."""
    inside = [bool((rows["inside"] == "yes").any()) for _, rows in table.groupby(["cohort_label", "label"], sort=False)]
    levers = ", ".join(dict.fromkeys(table["lever"])).replace("_", " ")
    held = "all" if all(inside) else f"{sum(inside)} of"
    return f"{IN_THE_MODEL}, {held} {len(inside)} reported figures lie inside their 95 % prediction at some {levers}"


def ranges_caption(table: pd.DataFrame) -> str:
    """Return the heading of the figures that are predicted over a range of a lever."""
    levers = ", ".join(dict.fromkeys(table["lever"]))
    return f"Not reported: {levers}. Predicted (95 % interval) if it were"


def nothing_yet(cohorts: Sequence[str]) -> str:
    """Return that cohorts report no outcome."""
    return f"{', '.join(cohorts)}: nothing to compare yet (no outcome reported)." if cohorts else ""


def in_words(row: Row) -> str:
    """Return "35 % reported, 54 % predicted (32 to 74)", with ", a miss" for a miss."""
    figures = rounded(row)
    reported, predicted = (with_unit(figure, row) for figure in figures[:2])
    if row["inside"] == "":
        return f"{reported} reported, {NOT_SIMULATED}"
    miss = "" if row["inside"] == "yes" else ", a miss"
    return f"{reported} reported, {predicted} predicted ({figures[2]} to {figures[3]}){miss}"


def with_unit(figure: str, row: Row) -> str:
    """Return a rounded figure with its unit; a time that is not reached and a hazard ratio have none."""
    return figure if figure == NOT_REACHED or not row["unit"] else f"{figure} {row['unit']}"


def rounded(row: Row) -> list[str]:
    """Return the reported figure or limit, the predicted figure, and the ends of its interval, all rounded."""
    unit, predicted = str(row["unit"]), float(row["predicted"])
    values = [float(row["reported"]), predicted, float(row["lower"]), float(row["upper"])]
    estimates = [values[0], predicted, predicted, predicted]
    figures = [
        NOT_REACHED if math.isinf(value) else rounding.number(value, unit, end_of=estimate)
        for value, estimate in zip(values, estimates, strict=True)
    ]
    if figures[0] != NOT_REACHED:
        figures[0] = f"{reported.limit(row)} {figures[0]}".strip()
    return figures


def of_cohorts(how: str, names: Mapping[str, str]) -> str:
    """Return which cohorts a marginal benefit is by, one of them by its short name. names : cohort -> short name"""
    cohort, alone, more = how.partition(" alone")
    return f"{names.get(cohort, cohort)}{alone}{more}"


def of_benefit(benefit: Benefit) -> str:
    """Return the marginal benefit that the cohorts together suggest."""
    rows = benefit.summary.set_index("how").to_dict("index")
    (mean, lower, upper), before = (
        [100.0 * float(rows[how][column]) for column in ("mean", "lower", "upper")]
        for how in (benefit.chosen, benefit.before)
    )
    count = rows[benefit.chosen]["cohorts"]
    source = f"{count} cohorts that treated more suggest" if count != 1 else "a cohort that treated more suggests"
    wide = ": compatible with almost all benefiting, or almost none" if lower < 10.0 and upper > 90.0 else ""
    return (
        f"Of 100 additional patients under a policy, {source} that {mean:.0f} benefit as today's treated do, in a new "
        f"setting (95 % interval {lower:.0f} to {upper:.0f}){wide}. The prior alone, before any cohort, gives "
        f"{before[0]:.0f} ({before[1]:.0f} to {before[2]:.0f})."
    )


def benefit_caption(pathway: Pathway) -> str:
    """Return the heading of the marginal benefit, which names the draws that the other cohorts do not change."""
    draws = str(pathway.draws)
    fixed = f"the posterior of {draws}"
    if draws.endswith(".csv"):
        fixed = f"the parameter sets of pathway '{pathway.name}', {draws}"
    return f"Marginal benefit (share of additional patients who benefit), under {fixed}; 95 % intervals"
