"""`--histories`: every event, and every request for a limited resource, of the first draw's first replication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simulator.engines.microsim import engine as microsim
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence import draws
from simulator.experiment import centre
from simulator.experiment.centre import Replication
from simulator.experiment.results import Results
from simulator.files import csv
from simulator.outcomes import event_log
from simulator.randomness import Uniforms
from simulator.scenario.scenario import BREAK_EVEN, Scenario


def engine(requested: str, scenarios: Sequence[Scenario]) -> str:
    """Return an engine that has histories. Raises InputError if another was requested."""
    if requested == "exact":
        raise InputError("the exact engine has no histories", where="--histories", allowed="--engine microsim or des")
    # A scenario with limited resources never runs by exact: "auto" stays, with its reason.
    return "microsim" if requested == "auto" and not any(scenario.is_limited for scenario in scenarios) else requested


def write(results: Results, folder: Path) -> None:
    """Write histories.csv; and requests.csv where resources are limited: patients' requests in calendar months.

    Where any scenario has limited resources, events have the calendar month, and whether the patient is counted.
    """
    logs = []
    limited = any(scenario.is_limited for scenario in results.scenarios)
    with (folder / "histories.csv").open("w", encoding="utf-8", newline="") as file:
        header = True
        # At break-even curves are a mixture, which has no patients.
        for scenario in (scenario for scenario in results.scenarios if scenario.marginal_benefit != BREAK_EVEN):
            for events, requests in _parts(scenario, results):
                if not limited:
                    events = events[list(event_log.COLUMNS)].copy()
                elif "calendar_month" not in events:
                    events = events.assign(calendar_month=events["month"], counted=True)
                events.insert(0, "scenario", scenario.name)
                csv.write(results.marked(events), file, ".8g", header=header)
                header = False
                logs += [requests.assign(scenario=scenario.name)] if requests is not None else []
    if logs:
        with (folder / "requests.csv").open("w", encoding="utf-8", newline="") as file:
            for place, requests in enumerate(logs):
                table = requests[["scenario", *(name for name in requests if name != "scenario")]]
                csv.write(results.marked(table), file, ".8g", header=not place)


def _parts(scenario: Scenario, results: Results) -> Iterator[tuple[pd.DataFrame, pd.DataFrame | None]]:
    """Yield the events of some patients, and their requests if any resource is limited."""
    manifest = results.manifest
    draw_values = draws.single(draws.load_informed_draws(scenario.pathway), 0)
    uniforms, horizon, patients = Uniforms(manifest["seed"], draw=1), manifest["horizon"], manifest["patients"]
    if scenario.is_limited or manifest["engine"] == "des":
        settings = {"engine": manifest["engine"], "horizon": horizon, "patients": patients}
        replication = centre.replication(scenario, draw_values, **settings, uniforms=uniforms, whole=True)
        yield _on_the_calendar(replication), _requests(scenario, replication) if scenario.capacity else None
        return
    for trajectories in microsim.simulate(resolve(scenario, draw_values), uniforms, range(patients), horizon=horizon):
        yield event_log.table([trajectories]), None


def _on_the_calendar(replication: Replication) -> pd.DataFrame:
    """Return the events with their calendar month, and whether the patient is counted."""
    trajectories = replication.trajectories
    events = event_log.table([trajectories])
    order = np.argsort(trajectories.patients)
    place = order[np.searchsorted(trajectories.patients[order], events["patient"])]
    return events.assign(calendar_month=replication.origin[place] + events["month"], counted=replication.counted[place])


def _requests(scenario: Scenario, replication: Replication) -> pd.DataFrame:
    """Return the request log; the cell of an event that did not happen is empty."""
    requests, names = replication.requests, np.array(list(scenario.capacity))
    columns = {"patient": requests.patients, "resource": names[requests.resource]}
    months = {
        "asked": requests.requested,
        "granted": requests.granted,
        "gone": requests.reneged,
        "released": requests.released,
    }
    return pd.DataFrame(columns | {name: np.where(np.isfinite(month), month, np.nan) for name, month in months.items()})
