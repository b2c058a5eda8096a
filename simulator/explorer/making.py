"""From scenarios to a page: solved, compared with the engine, and written whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.analyses.sweep.axis import split
from simulator.engines.curves import check_horizon
from simulator.errors import InputError
from simulator.evidence.cohort import load_cohort
from simulator.evidence.draws import choose, load_informed_draws, values
from simulator.explorer.alternatives import OPTION, Alternative, alternatives, queued, refuse_unchanged
from simulator.explorer.check import check
from simulator.explorer.page import html
from simulator.explorer.page_model import PageModel, page_model
from simulator.explorer.presets import preset
from simulator.explorer.queues import table as queue_table
from simulator.files import whole
from simulator.scenario.scenario import Scenario, check_names, check_one_pathway

MOST_BYTES = 3_000_000


@dataclass(frozen=True)
class Made:
    """A page as it was written. differences : how far survival of random settings was from the engine's at most"""

    draws: int
    size: int
    differences: Mapping[str, float]

    @property
    def sentence(self) -> str:
        sets = f"{self.draws} parameter set{'s' * (self.draws != 1)}, {self.size / 1e6:.1f} MB"
        return f"{sets}. Survival of random settings is that of the engine to {self.differences['after']:.0e}."


def make(
    scenarios: Sequence[Scenario],
    out: Path,
    *,
    choices: Sequence[str] = (),
    centre: Scenario | None = None,
    draws: int | None = None,
    horizon: float = 60.0,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Made:
    """Write the page of the first scenario, with the others as presets. Raises InputError; nothing is left then.

    choices : levers that are not linear, with the values that are solved, NAME=VALUES
    centre : whose queue is simulated where one of them is a resource or a key of [service]
    draws : how many parameter sets; None: up to as many as a run has, fewer where the file would exceed `MOST_BYTES`
    """
    scenario, others = scenarios[0], scenarios[1:]
    check_horizon(horizon)
    check_names(scenarios)
    check_file(out)
    if seed < 0:
        raise InputError("not a seed", where="--seed", got=seed, allowed="0 or more")
    check_one_pathway([scenario, *([] if centre is None else [centre])])
    chosen = split(choices, OPTION)
    of_centre = {} if centre is None else queued(scenario.pathway, chosen)
    lever_values = alternatives(scenario, {name: values for name, values in chosen.items() if name not in of_centre})
    progress(0, 3)
    queue = None if centre is None else queue_table(centre, of_centre, draws=draws, seed=seed)
    table, cohort = load_informed_draws(scenario.pathway), load_cohort(scenario.pathway)
    n_draws = choose(table, draws, scenario.pathway)

    def text_of(number: int) -> tuple[bytes, dict[str, float]]:
        given = values(table, slice(0, number))
        page = page_model(scenario, given, horizon, [alternative.scenario for alternative in lever_values])
        refuse_unchanged(page, lever_values)
        presets = [preset(page, other) for other in others]
        progress(1, 3)
        differences = check(page, given, seed=seed)
        progress(2, 3)
        text = html(page, given, cohort, differences, presets, lever_values, queue).encode()
        if lever_values and draws is None and len(text) > MOST_BYTES:
            _refuse_size(page, lever_values, len(text))
        return text, differences

    content, differences = text_of(n_draws)
    if draws is None and len(content) > MOST_BYTES:
        n_draws = max(int(n_draws * 0.95 * MOST_BYTES / len(content)), 1)
        content, differences = text_of(n_draws)
    whole.write(out, content)
    progress(3, 3)
    return Made(n_draws, len(content), differences)


def _refuse_size(page: PageModel, lever_values: Sequence[Alternative], size: int) -> None:
    """Raise InputError with the values, from the last on, without which the page is small enough."""
    sizes = {path: curve.size for path, curve in {**page.there, **page.curves}.items()}
    paths = [{route.path for route in one.routes.all} for one in (page, *page.others)]
    left, total = size, sum(sizes.values())
    out = list[str]()
    while len(paths) > 1 and left > MOST_BYTES:
        paths_of_last = paths.pop() - set().union(*paths)
        left -= int(size * sum(map(sizes.__getitem__, paths_of_last)) / total)
        out.insert(0, lever_values[len(paths) - 1].name)
    raise InputError(
        f"the page would have {size / 1e6:.1f} MB with {page.model.n_draws} parameter sets",
        where=OPTION,
        allowed=f"up to {MOST_BYTES / 1e6:g} MB: leave out {', '.join(out)}, or give --draws",
    )


def check_file(out: Path) -> None:
    """Refuse a file that cannot be written, before minutes of work. Raises InputError."""
    if not out.parent.is_dir():
        raise InputError("no such folder", where="--out", got=str(out.parent), allowed="a folder that is there")
    if out.exists() and not out.is_file():
        raise InputError("not a file", where="--out", got=str(out), allowed="a new file, or one to replace")
