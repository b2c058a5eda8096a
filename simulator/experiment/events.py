"""`--histories`: every event, and every request for a limited resource, of the first draw's first replication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from simulator.experiment.centre import Replication
    from simulator.experiment.results import Results
    from simulator.scenario.scenario import Scenario


def engine(asked: str, scenarios: Sequence[Scenario]) -> str:
    """Return an engine that has histories. Raises InputError if another was asked for."""
    from simulator.errors import InputError

    if asked == "exact":
        raise InputError("the exact engine has no histories", where="--histories", allowed="--engine microsim or des")
    # What has limited resources never runs by exact, and keeps the reason why.
    return "microsim" if asked == "auto" and not any(scenario.is_limited for scenario in scenarios) else asked


def write(results: Results, folder: Path) -> None:
    """Write histories.csv; and requests.csv where resources are limited: patients' requests in calendar months.

    Where any scenario has limited resources, events also tell the calendar month, and whether the patient is counted.
    """
    from simulator.files import csv
    from simulator.outcomes import event_log
    from simulator.scenario.scenario import BREAK_EVEN

    books = []
    limited = any(scenario.is_limited for scenario in results.scenarios)
    with (folder / "histories.csv").open("w", encoding="utf-8", newline="") as file:
        header = True
        # At break-even curves are a mixture, of which nobody has a history.
        for scenario in (scenario for scenario in results.scenarios if scenario.marginal_benefit != BREAK_EVEN):
            for events, requests in _parts(scenario, results):
                if not limited:
                    events = events[list(event_log.COLUMNS)].copy()
                elif "calendar_month" not in events:
                    events = events.assign(calendar_month=events["month"], counted=True)
                events.insert(0, "scenario", scenario.name)
                csv.write(results.marked(events), file, ".8g", header=header)
                header = False
                books += [requests.assign(scenario=scenario.name)] if requests is not None else []
    if books:
        with (folder / "requests.csv").open("w", encoding="utf-8", newline="") as file:
            for place, requests in enumerate(books):
                told = requests[["scenario", *(name for name in requests if name != "scenario")]]
                csv.write(results.marked(told), file, ".8g", header=not place)


def _parts(scenario: Scenario, results: Results) -> Iterator[tuple[pd.DataFrame, pd.DataFrame | None]]:
    """Yield the events of some patients, and the requests that they made if any resource is limited."""
    from simulator.engines.microsim import engine as microsim
    from simulator.engines.model import resolve
    from simulator.evidence import draws
    from simulator.experiment import centre
    from simulator.outcomes import event_log
    from simulator.randomness import Uniforms

    told = results.manifest
    own = draws.single(draws.load_informed_draws(scenario.pathway), 0)
    uniforms, horizon, patients = Uniforms(told["seed"], draw=1), told["horizon"], told["patients"]
    if scenario.is_limited or told["engine"] == "des":
        settings = {"engine": told["engine"], "horizon": horizon, "patients": patients}
        years = centre.replication(scenario, own, **settings, uniforms=uniforms, whole=True)
        yield _on_the_calendar(years), _requests(scenario, years) if scenario.capacity else None
        return
    for block in microsim.simulate(resolve(scenario, own), uniforms, range(patients), horizon=horizon):
        yield event_log.table([block]), None


def _on_the_calendar(replication: Replication) -> pd.DataFrame:
    """Return the events with the calendar month of each, and whether its patient is counted."""
    import numpy as np

    from simulator.outcomes import event_log

    block = replication.trajectories
    events = event_log.table([block])
    order = np.argsort(block.patients)
    place = order[np.searchsorted(block.patients[order], events["patient"])]
    return events.assign(calendar_month=replication.origin[place] + events["month"], counted=replication.counted[place])


def _requests(scenario: Scenario, replication: Replication) -> pd.DataFrame:
    """Return the request log; an empty cell is what did not happen."""
    import numpy as np
    import pandas as pd

    requests, names = replication.requests, np.array(list(scenario.capacity))
    columns = {"patient": requests.patients, "resource": names[requests.resource]}
    months = {
        "asked": requests.requested,
        "granted": requests.granted,
        "gone": requests.reneged,
        "released": requests.released,
    }
    return pd.DataFrame(columns | {name: np.where(np.isfinite(month), month, np.nan) for name, month in months.items()})
