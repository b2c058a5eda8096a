"""The measurements, as a page of Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from textwrap import fill

from aftercart_runs import POLICIES
from coupling import Gain
from measure import TRANSITIONS, Measured
from ratios import Ratio, cores
from timing import Paired

COMMAND = "python tests/benchmarks/performance.py"
WIDTH = 120
PROCESSES_FLOOR = 1.7
MEMORY_FLOOR = 1024.0
PARTS = {
    "uniforms": "addressed uniforms (`randomness.py`)",
    "logs and powers": "-log(u), and the sojourns' inverse cumulative hazards",
    "choosing exits": "the earliest competing time, the earliest of a choice",
    "bookkeeping": "collecting the patients in a state, and moving them on",
    "tallying": "counting OS and occupancy",
    "joining segments": "joining the segments between requests",
    "the queue": "granting requests in order",
    "the rest": "everything else",
}

BEFORE_PATH_CURVES = (
    ("OS of 60 parameter sets, one policy", "364", "131", "2.8", "7"),
    ("the same, two policies", "590", "130", "4.5", "7"),
    ("the same, five policies", "1576", "143", "11", "7"),
    ("OS of 400 parameter sets, one policy", "2082", "654", "3.2", "7"),
    ("the same, two policies", "4251", "912", "4.7", "7"),
    ("the same, five policies", "10109", "908", "11", "7"),
    ("each further cell of a sweep, 30 parameter sets", "726", "32", "23", "20"),
    ("six cells of a sweep, 30 parameter sets", "4344", "607", "7.2", "20"),
    ("tornado: OS at 12 months", "117", "47", "2.5", "20"),
    ("tornado: OS at 12 months, of treated patients", "737", "45", "16", "20"),
    ("tornado: OS at 60 months", "287", "40", "7.1", "20"),
    ("tornado: mean survival to month 60", "319", "41", "7.9", "20"),
    ("tornado: survivors gained per 10 more treated", "551", "78", "7", "20"),
)
"""Measured once, OS on 2026-11-30 and the rest on 2026-11-29: work, milliseconds before and since, ratio, aim."""


def page(measured: Measured, *, quick: bool) -> str:
    """Return the document."""
    sections = (
        _head(measured, quick),
        _peers(measured),
        _processes(measured),
        _growth(measured),
        _parts(measured),
        _exact(measured),
        _before_path_curves(),
        _gains(measured.gains),
    )
    return "\n\n".join(sections) + "\n"


def missed(measured: Measured) -> list[str]:
    """Return which floors are missed, in words."""
    sentences = [
        f"{ratio.label} is {_number(ratio.measured.ratio)}, below {ratio.floor:g}"
        for ratio in measured.ratios
        if ratio.measured is not None and ratio.floor is not None and ratio.measured.ratio < ratio.floor
    ]
    large = measured.processes.large
    if large is not None and large.ratio < PROCESSES_FLOOR:
        sentences.append(f"two processes / one is {_number(large.ratio)}, below {PROCESSES_FLOOR}")
    most = measured.memory[-1]
    if most.mebibytes > MEMORY_FLOOR:
        sentences.append(f"{most.patients:,} patients take {most.mebibytes:.0f} MiB, above {MEMORY_FLOOR:.0f}")
    sentences += [
        f"the gain in {gain.outcome} ({gain.policy}) is {_number(gain.addressed)}, below {gain.floor:g}"
        for gain in measured.gains
        if gain.floor is not None and gain.addressed < gain.floor
    ]
    return sentences


def _head(measured: Measured, quick: bool) -> str:
    core = "kept on one core" if measured.pinned else "which this system does not keep on one core"
    packages = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "simpy", "heormodel"))
    machine = (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on a machine with {cores()} cores ({platform.machine()}, "
        f"{platform.system()}), with Python {platform.python_version()}, {packages}, by"
    )
    method = (
        "Ratios carry over to other machines better than seconds do. They are the median and range of "
        f"{measured.sizes.pairs} pairs of runs that take turns in one process, {core}, each for at least "
        f"{measured.sizes.enough:g} s. The [peer pathway](../simulator/pathway/shipped/peer_pathway.toml) has 8 "
        f"states, 18 competing times, and {TRANSITIONS} transitions a patient in 120 months."
    )
    failed = missed(measured)
    reached = "Every floor (the least that is accepted) is reached."
    verdict = f"**A floor (the least that is accepted) is missed:** {'; '.join(failed)}." if failed else reached
    note = ["A quick run: its figures mean nothing, and show only that everything can be measured."] if quick else []
    command = f"```sh\n{COMMAND}{' --quick' if quick else ''}\n```"
    install = "This needs the extra `bench` (`pip install -e '.[bench]'`) and an otherwise idle machine."
    opening = "How fast are the engines, next to other programs, and what do more patients cost?"
    head = ["# Performance", opening, verdict, *note, fill(machine, WIDTH), command, install, fill(method, WIDTH)]
    return "\n\n".join(head)


def _peers(measured: Measured) -> str:
    text = (
        "Both sides of a row simulate the same number of patients and keep the same results: when each patient dies, "
        "and with beds how long each request waits (heormodel: the mean time alive). Curves are OS and the occupancy "
        "of every state. With beds, 50 patients a month arrive and share 34 beds, each held for a month on average. "
        "Models: [SimPy, by hand](../tests/benchmarks/simpy_by_hand.py); [heormodel, in its own "
        "style](../tests/benchmarks/heormodel_idiom.py). An aim is what was hoped for."
    )
    rows = [_ratio_row(ratio) for ratio in measured.ratios]
    head = ("ratio of", "patients", "ratio", "range", "patients a second, theirs", "ours", "floor", "aim", "")
    sizes = "The ratio grows with the number of patients:"
    by_size = [(f"{n:,}", _number(free.ratio), _number(beds.ratio)) for n, free, beds in measured.by_size]
    return "\n\n".join(
        [
            "## Compared with other programs",
            fill(text, WIDTH),
            _table(head, rows),
            sizes,
            _table(("patients", "microsim / SimPy without beds", "with beds"), by_size),
        ]
    )


def _ratio_row(row: Ratio) -> tuple[str, ...]:
    floor, aim = ("" if ratio is None else f"{ratio:g}" for ratio in (row.floor, row.aim))
    if row.measured is None:
        return row.label, f"{row.patients:,}", row.why_not, "", "", "", floor, aim, ""
    slow_rate, fast_rate = (
        _thousands(row.patients / median(times)) for times in (row.measured.slow, row.measured.fast)
    )
    ratio, spread = _number(row.measured.ratio), _range(row.measured)
    return row.label, f"{row.patients:,}", ratio, spread, slow_rate, fast_rate, floor, aim, _verdict(row)


def _verdict(row: Ratio) -> str:
    if row.measured is None or row.floor is None or row.aim is None:
        return ""
    if row.measured.ratio < row.floor:
        return "**floor missed**"
    return "aim reached" if row.measured.ratio >= row.aim else "floor reached"


def _processes(measured: Measured) -> str:
    processes = measured.processes
    text = (
        'How many times as fast `simulator.run(..., engine="microsim", jobs=2)` is as `jobs=1`, by wall time, '
        "including the start of the second process (in the last row without it). Two processes that share nothing, "
        "each with half the patients, show what the machine can reach."
    )
    if processes.small is None or processes.large is None or processes.machine is None:
        return f"## Two processes\n\nNot measured: {processes.why_not}."
    small, large = ((pair.ratio, _range(pair)) for pair in (processes.small, processes.large))
    verdict = "reached" if large[0] >= PROCESSES_FLOOR else "**missed**"
    rows = [
        (f"{processes.small_patients:,}", _number(small[0]), small[1], "", ""),
        (f"{processes.large_patients:,}", _number(large[0]), large[1], f"{PROCESSES_FLOOR}", verdict),
        ("the same, two that share nothing", _number(processes.machine.ratio), _range(processes.machine), "", ""),
        ("one more patient", _number(processes.further), "", "", ""),
    ]
    head = ("patients", "two processes / one", "range", "floor", "")
    return "\n\n".join(["## Two processes", fill(text, WIDTH), _table(head, rows)])


def _growth(measured: Measured) -> str:
    text = (
        "The time of microsim's curves on one core, and the peak memory of `simulator.run` without histories (floor: "
        "10 million patients within 1 GiB)."
    )
    beds = measured.memory_with_beds
    tail = (
        f"With beds, every patient is kept, because waits depend on all others: {beds.patients:,} take "
        f"{beds.mebibytes:,.0f} MiB. des, which keeps every event, runs "
        f"{_thousands(measured.des_patients_a_second)} patients a second with beds."
    )
    rows = []
    for cost in measured.memory:
        per_patient = measured.seconds[cost.patients] / cost.patients
        rows.append(
            (
                f"{cost.patients:,}",
                f"{measured.seconds[cost.patients]:.3g}",
                _thousands(1 / per_patient),
                f"{1e9 * per_patient / TRANSITIONS:.0f}",
                f"{cost.mebibytes:.0f}",
            )
        )
    head = ("patients", "seconds", "patients a second", "ns a transition", "peak memory, MiB")
    return "\n\n".join(["## How cost grows with patients", fill(text, WIDTH), _table(head, rows), fill(tail, WIDTH)])


def _parts(measured: Measured) -> str:
    columns = list(measured.parts)
    rows = [(label, *(_share(measured.parts[column].get(part)) for column in columns)) for part, label in PARTS.items()]
    text = (
        "Shares of a `cProfile` profile, in per cent. The share of granting requests in order is timed without the "
        "profiler, which would slow its loop more than the rest."
    )
    return "\n\n".join(["## Where the time goes", fill(text, WIDTH), _table(("part", *columns), rows)])


def _exact(measured: Measured) -> str:
    text = (
        "One run gives OS of every population on every clock, and the occupancy of every state, over 120 months. The "
        "error is the largest change of any OS at half the step."
    )
    rows = [
        (solution.label, f"{solution.milliseconds:.1f}", f"{solution.step:g}", f"{solution.error:.1e}")
        for solution in measured.exact
    ]
    head = ("pathway", "milliseconds", "step, months", "error of OS")
    cells, draws = measured.sizes.swept
    swept = (
        "Cells of a sweep that differ in shares only have the same path curves. A sweep of `wider-salvage` over "
        f"{cells} uptakes, with {draws} parameter sets, takes {measured.milliseconds_a_cell:.2g} milliseconds a cell "
        "and parameter set: all outcomes of all populations, and their table."
    )
    shared = (
        f"OS of {measured.sizes.compared} parameter sets under five policies that differ in shares "
        f"({', '.join(f'`{name}`' for name in POLICIES)}) takes {measured.milliseconds_a_policy:.2g} milliseconds a "
        "parameter set and policy. Once path curves are known, another uptake of salvage takes "
        f"{measured.milliseconds_moved:.2g} milliseconds: OS of {measured.sizes.moved} parameter sets by half months."
    )
    points, all_points, alone = measured.tornado
    tornado = (
        "In a tornado over shares all points have the same path curves. OS at 12 months at its "
        f"{points} points, under `baseline` and `wider-salvage`, takes {all_points:.2g} milliseconds; one point alone "
        f"takes {alone:.2g}."
    )
    parts = [
        "## The exact engine",
        fill(text, WIDTH),
        _table(head, rows),
        fill(shared, WIDTH, break_on_hyphens=False),
        fill(swept, WIDTH),
        fill(tornado, WIDTH),
    ]
    return "\n\n".join(parts)


def _before_path_curves() -> str:
    text = (
        "Both engines, that of commit e9af16f and that of 2026-11-29 (of OS 2026-11-30), took turns on the pathway and "
        "parameter sets of that commit. Times are of the processor, next to other work, the least of two or three "
        "runs: ratios moved by a third. A tornado moves 19 shares under two policies (39 points)."
    )
    why = (
        "OS under one policy gains least: path curves are made for the first policy and shared by the others, and a "
        "cell keeps twice as many numbers as before, so that the error falls with the fourth power of the step. A "
        "tornado costs little more than one of its points. Of that, arithmetic is about half a millisecond; the rest "
        "is the interpreter, with 26,000 calls of functions. Even if path curves were kept from one call to the next, "
        "though no analysis would use them, putting parameters in place takes a quarter of the time: twice as long as "
        "the aim allows for OS at 12 months."
    )
    head = ("work", "milliseconds, e9af16f", "since", "times as fast", "aim")
    table = _table(head, BEFORE_PATH_CURVES)
    return "\n\n".join(["## Before path curves, and since", fill(text, WIDTH), table, fill(why, WIDTH)])


def _gains(gains: Sequence[Gain]) -> str:
    text = (
        "Two policies share the random numbers of every patient, state, visit and transition. To show their "
        "difference, they need fewer patients than with independent streams, by the factor (var A + var B) / var(A - "
        "B). Perfect coupling, the most that is possible, ranks patients alike under both policies. ± is a standard "
        "error."
    )
    rows = [
        (
            gain.policy,
            gain.outcome,
            f"{_number(gain.addressed)} ± {gain.error:.1g}",
            _number(gain.perfect),
            _number(gain.independent),
            gain.expected,
        )
        for gain in gains
    ]
    head = ("policy", "outcome", "addressed uniforms", "perfect coupling", "independent streams", "expected")
    return "\n\n".join(["## What addressed uniforms save", fill(text, WIDTH), _table(head, rows)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _range(measured: Paired) -> str:
    least, largest = measured.range
    return f"{_number(least)} to {_number(largest)}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f}"


def _thousands(value: float) -> str:
    return f"{value / 1e6:.2f} million" if value >= 1e6 else f"{float(f'{value:.3g}'):,.0f}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
