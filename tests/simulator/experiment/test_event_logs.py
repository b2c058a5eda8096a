"""Event logs: what a history says in the terms of process mining, the same in every format."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sojourn_times import exponential
from worlds import policy, ward

from simulator import InputError, Results, compare, run
from simulator.experiment.event_logs import formats
from simulator.experiment.event_logs.activities import of_scenario, steps

HOSTILE = "<b>a&b\"'</b> =1+1"
"""The label of a state."""

CENTRE = "[capacity]\nbeds = 2\n[service]\narrivals_per_year = 20\nwarm_up_years = 1\nyears = 1\n"
WARD = ward(
    exponential(mean=1.5),
    exponential(mean=1),
    exponential(mean=4),
    attributes={"site": {"here": 1.0, "there": 2.0}, "patient": {"new": 1.0}},
    states={"dead": {"kind": "death", "label": HOSTILE}},
)
COLUMNS = ["concept:name", "time:timestamp", "lifecycle:transition", "concept:instance", "org:resource", "org:group"]


@pytest.fixture(scope="module")
def results() -> Results:
    """A ward with two beds, too few, and with three. Both scenarios have the same patients."""
    two = policy(WARD, CENTRE)
    beds = replace(two.capacity["beds"], calendar=((0.0, 3),))
    scenarios = replace(two, name="=two"), replace(two, name="three", capacity={"beds": beds})
    return compare(*scenarios, draws=1, replications=1, horizon=24.0, histories=True, overload=True)


@pytest.fixture(scope="module")
def table(results: Results) -> pd.DataFrame:
    return results.events("csv")


@pytest.fixture(scope="module")
def folder(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    files = results.write_event_log(folder, "csv,xes,ocel,vidigi", origin="2024-03-01")
    assert [file.name for file in files] == [
        *("event_log.csv", "event_log.xes", "event_log_ocel.json", "event_log_vidigi.csv")
    ]
    return folder


@pytest.fixture(scope="module")
def mined(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "event_log.csv", keep_default_na=False, dtype={"concept:instance": str})
    # As this project's own reader takes them off: an apostrophe keeps a spreadsheet from running a cell.
    return table.map(lambda cell: cell.removeprefix("'") if isinstance(cell, str) else cell)


# --- A history by hand ---


def test_three_patients_and_one_bed_as_a_reader_would_say_it() -> None:
    """The first is served at once, the second when the first goes home, and the third dies in the queue."""
    events = pd.DataFrame(
        [(0, 0.0, "listed"), (0, 1.0, "ward"), (0, 3.0, "home"), (1, 0.5, "listed"), (1, 3.0, "ward"), (1, 4.0, "home"),
         (2, 1.0, "listed"), (2, 2.5, "dead"), (3, 6.0, "listed")],
        columns=["patient", "calendar_month", "state"],
    )  # fmt: skip
    nothing = float("nan")
    requests = pd.DataFrame(
        [(0, "beds", 1.0, 1.0, nothing, 3.0), (1, "beds", 1.5, 3.0, nothing, 4.0),
         (2, "beds", 2.0, nothing, 2.5, nothing),
         (3, "beds", 99.0, nothing, 99.5, nothing)],
        columns=["patient", "resource", "asked", "granted", "gone", "released"],
    )  # fmt: skip
    scenario = policy(ward(exponential(mean=1), patience=exponential(mean=1)), "[capacity]\nbeds = 1\n")
    made = steps(of_scenario(scenario, events, requests, horizon=24.0))
    rows = zip(made["patient"], made["at"] / 2_629_800_000, made["state"], made["lifecycle"], made["unit"], strict=True)
    assert list(rows) == [
        (0, 0.0, "listed", "start", 0),
        (0, 1.0, "ward", "schedule", 1),
        (0, 1.0, "listed", "complete", 0),
        (0, 1.0, "ward", "start", 1),
        (0, 3.0, "ward", "complete", 1),
        (0, 3.0, "home", "complete", 0),
        (1, 0.5, "listed", "start", 0),
        (1, 1.5, "ward", "schedule", 1),
        (1, 3.0, "listed", "complete", 0),
        (1, 3.0, "ward", "start", 1),
        (1, 4.0, "ward", "complete", 1),
        (1, 4.0, "home", "complete", 0),
        (2, 1.0, "listed", "start", 0),
        (2, 2.0, "ward", "schedule", 0),
        (2, 2.5, "ward", "withdraw", 0),
        (2, 2.5, "listed", "complete", 0),
        (2, 2.5, "dead", "complete", 0),
        # Followed to month 24 after entry: what the patient requests later is not of the log.
        (3, 6.0, "listed", "start", 0),
    ]


def test_a_month_is_a_twelfth_of_a_year_of_365_and_a_quarter_days() -> None:
    """A death after exactly 12 months, and an origin whose year has no leap day."""
    dies = ward({"family": "fixed", "months": 11}, {"family": "fixed", "months": 1})
    results = run(policy(dies, ""), engine="microsim", patients=1, draws=1, histories=True)
    times = results.events("csv", origin=date(2025, 1, 1)).set_index("concept:name")["time:timestamp"]
    assert times["home"] == pd.Timestamp("2026-01-01T06:00:00", tz="UTC")
    assert times["ward"].iloc[0] == pd.Timestamp("2025-01-31T10:30:00", tz="UTC")


# --- The log of a centre ---


def test_no_bed_has_two_patients_and_no_patient_a_bed_that_there_is_not(table: pd.DataFrame) -> None:
    held = table[table["org:resource"].notna()]
    for scenario, beds in (("=two", 2), ("three", 3)):
        of = held[held["case:scenario"] == scenario]
        assert set(of["org:resource"]) == {f"bed {number}" for number in range(1, beds + 1)}
        for _, bed in of.sort_values("time:timestamp", kind="stable").groupby("org:resource"):
            # Where one patient follows another at one instant, the first leaves before the next one comes.
            bed = bed.sort_values(["time:timestamp", "lifecycle:transition"])
            assert set(bed["lifecycle:transition"].iloc[::2]) == {"start"}
            assert set(bed["lifecycle:transition"].iloc[1::2]) == {"complete"}
            assert (bed["case:patient"].iloc[::2].to_numpy()[: len(bed) // 2] == bed["case:patient"].iloc[1::2]).all()


def test_waits_of_the_log_are_those_of_the_requests(results: Results, table: pd.DataFrame) -> None:
    assert results.requests is not None
    by_step = table[table["org:group"] == "beds"].pivot(
        index=["case:scenario", "case:patient"], columns="lifecycle:transition", values="time:timestamp"
    )
    waits = (by_step["start"] - by_step["schedule"]).dropna() / pd.Timedelta(days=30.4375)
    requests = results.requests.set_index(["scenario", "patient"])
    expected = (requests["granted"] - requests["asked"]).loc[waits.index]
    np.testing.assert_allclose(waits, expected, atol=1e-8)
    assert (waits > 0.1).sum() > 20
    reneged = by_step["withdraw"].notna().sum()
    assert 10 < reneged <= requests["gone"].notna().sum()


def test_the_log_has_every_event_of_the_history(results: Results, table: pd.DataFrame) -> None:
    labels = {"dead": HOSTILE}
    entered = table[(table["lifecycle:transition"] == "start") | table["concept:name"].isin(["home", HOSTILE])]
    states = results.events()["state"].map(lambda state: labels.get(state, state))
    assert Counter(entered["concept:name"]) == Counter(states)
    assert (table.groupby("case:concept:name")["time:timestamp"].diff().dropna() >= pd.Timedelta(0)).all()


def test_scenarios_share_patients_and_no_case(table: pd.DataFrame) -> None:
    """A case is SCENARIO/parameter set/replication/patient, and the same patient has the same attributes in both."""
    cases = table.drop_duplicates("case:concept:name").set_index("case:concept:name")
    for case, row in cases.iterrows():
        assert case == f"{row['case:scenario']}/1/1/{row['case:patient']}"
    by_patient = cases.groupby("case:patient")["case:site"]
    assert (by_patient.size() == 2).mean() > 0.9
    assert (by_patient.nunique() == 1).all()
    assert set(cases["case:site"]) == {"here", "there"}
    # "patient" is a column of every log: the attribute of this name has another.
    assert set(cases["case:attribute_patient"]) == {"new"}


# --- Formats ---


KINDS: dict[str, Callable[[str], Any]] = {
    "string": str, "int": int, "float": float, "boolean": {"true": True, "false": False}.__getitem__,
    "date": datetime.fromisoformat,
}  # fmt: skip


def attributes(elements: Iterable[ET.Element], prefixes: set[str]) -> dict[str, Any]:
    """Attributes by key, each of its kind, with a key that no other has; a prefix is that of an extension."""
    read: dict[str, Any] = {}
    for element in elements:
        assert set(element.attrib) == {"key", "value"}
        key = element.attrib["key"]
        assert re.fullmatch(r"[A-Za-z_][\w.-]*(:[\w.-]+)?", key)
        assert key not in read
        assert ":" not in key or key.partition(":")[0] in prefixes
        read[key] = KINDS[element.tag](element.attrib["value"])
    return read


def test_xes_has_the_form_of_ieee_1849_and_the_steps_of_the_table(mined: pd.DataFrame, folder: Path) -> None:
    root = ET.parse(folder / "event_log.xes").getroot()
    assert (root.tag, float(root.attrib["xes.version"])) == ("log", 1849.2016)
    order = ["extension", "global", "classifier", "attribute", "trace"]
    tags = ["attribute" if element.tag in KINDS else element.tag for element in root]
    assert tags == sorted(tags, key=order.index)
    prefixes = {extension.attrib["prefix"] for extension in root.iter("extension")}
    about = attributes((element for element in root if element.tag in KINDS), prefixes)
    assert (about["origin"], about["days_a_month"]) == ("2024-03-01", 30.4375)
    assert "Simulated patients, not real ones" in about["description"]
    declared = {of.attrib["scope"]: set(attributes(of, prefixes)) for of in root.iter("global")}
    rows, cases = [], []
    for trace in root.iter("trace"):
        cases.append(attributes((element for element in trace if element.tag != "event"), prefixes))
        assert declared["trace"] <= set(cases[-1])
        for event in trace.iter("event"):
            rows.append(attributes(event, prefixes))
            assert declared["event"] <= set(rows[-1])
    read = pd.DataFrame(rows)
    read["time:timestamp"] = [time.isoformat(timespec="milliseconds") for time in read["time:timestamp"]]
    pd.testing.assert_frame_equal(read[COLUMNS].fillna(""), mined[COLUMNS], check_dtype=False)
    of_case = mined.drop_duplicates("case:concept:name").filter(like="case:").reset_index(drop=True)
    expected = of_case.rename(columns=lambda column: column.removeprefix("case:"))
    pd.testing.assert_frame_equal(pd.DataFrame(cases), expected, check_dtype=False)


TYPE = {"name": str, "attributes": [{"name": str, "type": str}]}
RELATED = [{"objectId": str, "qualifier": str}]
VALUE, CHANGE = {"name": str, "value": str}, {"name": str, "value": str, "time": datetime}
OCEL: dict[str, Any] = {
    "eventTypes": [TYPE],
    "objectTypes": [TYPE],
    "events": [{"id": str, "type": str, "time": datetime, "attributes": [VALUE], "relationships": RELATED}],
    "objects": [{"id": str, "type": str, "attributes": [CHANGE], "relationships": RELATED}],
}
"""The published JSON schema of OCEL 2.0: keys, and what they hold."""


def conforms(value: Any, to: Any) -> bool:
    if isinstance(to, dict):
        return set(value) == set(to) and all(conforms(value[key], to[key]) for key in to)
    if isinstance(to, list):
        return isinstance(value, list) and all(conforms(entry, to[0]) for entry in value)
    return isinstance(value, str) and (to is str or datetime.fromisoformat(value).utcoffset() is not None)


def test_ocel_has_the_form_of_its_schema_and_a_bed_is_an_object(mined: pd.DataFrame, folder: Path) -> None:
    log = json.loads((folder / "event_log_ocel.json").read_text(encoding="utf-8"))
    assert conforms(log, OCEL)
    objects = {entry["id"]: entry for entry in log["objects"]}
    assert len(objects) == len(log["objects"])
    assert len({event["id"] for event in log["events"]}) == len(log["events"]) == len(mined)
    for name, types in (("events", "eventTypes"), ("objects", "objectTypes")):
        keys = {kind["name"]: {attribute["name"] for attribute in kind["attributes"]} for kind in log[types]}
        for entry in log[name]:
            assert {attribute["name"] for attribute in entry["attributes"]} <= keys[entry["type"]]
            assert {related["objectId"] for related in entry["relationships"]} <= set(objects)
    beds = {name for name, entry in objects.items() if entry["type"] == "bed"}
    assert beds == {*(f"=two/1/1/bed {i}" for i in (1, 2)), *(f"three/1/1/bed {i}" for i in (1, 2, 3))}
    held = [
        {to["qualifier"]: to["objectId"] for to in event["relationships"]}.get("unit", "") for event in log["events"]
    ]
    run_of = mined["case:concept:name"].str.rpartition("/")[0]
    assert held == list((run_of + "/" + mined["org:resource"]).where(mined["org:resource"] != "", ""))
    assert {value["name"]: value["value"] for value in objects["three"]["attributes"]}["origin"] == "2024-03-01"


def test_vidigi_has_one_arrival_a_patient_and_a_use_between_request_and_end(results: Results) -> None:
    table = results.events("vidigi", origin="2024-03-01")
    columns = ["entity_id", "pathway", "event_type", "event", "time", "timestamp", "run_number", "resource_id"]
    assert list(table.columns)[:8] == columns
    patients = results.events().drop_duplicates(["scenario", "patient"])
    arrivals = table[table["event"] == "arrival"]
    assert arrivals.groupby(["run_number", "entity_id"]).size().eq(1).all()
    np.testing.assert_allclose(arrivals["time"], patients["calendar_month"] * 30.4375, atol=1e-6)
    two = table[table["run_number"] == 1]
    patient = two.loc[(two["resource_id"] == 2) & (two["event"] == "ward ends"), "entity_id"].iloc[0]
    of_patient = two[two["entity_id"] == patient]
    assert of_patient["event"].tolist() == ["arrival", "listed", "waiting: beds", "ward", "ward ends", "depart"]
    types = ["arrival_departure", "queue", "queue", "resource_use", "resource_use_end", "arrival_departure"]
    assert of_patient["event_type"].tolist() == types
    assert of_patient["resource_id"].notna().tolist() == [kind.startswith("resource_use") for kind in types]


def test_names_stay_text_in_every_format(folder: Path) -> None:
    assert "<b>" not in (folder / "event_log.xes").read_text(encoding="utf-8")
    with (folder / "event_log.csv").open(encoding="utf-8", newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    assert {HOSTILE, "'=two", "'=two/1/1/0"} <= cells
    assert not [cell for cell in cells if cell.startswith("=")]


def test_a_log_is_the_same_bytes_again_however_many_patients_are_in_a_part(
    results: Results, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.experiment.event_logs.log.PATIENTS", 60)
    for file in results.write_event_log(tmp_path, formats.FORMATS, origin="2024-03-01"):
        assert file.read_bytes() == (folder / file.name).read_bytes()


def test_states_with_one_label_stay_two_activities() -> None:
    twins = ward(exponential(mean=1), states={"home": {"kind": "end", "label": "ward"}})
    results = run(policy(twins, ""), engine="microsim", patients=5, draws=1, histories=True)
    assert set(results.events("csv")["concept:name"]) == {"listed", "ward (ward)", "ward (home)"}


# --- Readers of the field ---


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_pm4py_reads_the_same_log_from_every_format(mined: pd.DataFrame, folder: Path) -> None:
    pm4py = pytest.importorskip("pm4py", reason="pm4py is of the extra `slow`")
    log = pm4py.read_xes(str(folder / "event_log.xes"))
    columns = {"case_id": "case:concept:name", "activity_key": "concept:name", "timestamp_key": "time:timestamp"}
    tables = [
        table.sort_values("case:concept:name", kind="stable").reset_index(drop=True).fillna("")
        for table in (log, pm4py.format_dataframe(mined, **columns))
    ]
    for column in (*columns.values(), "lifecycle:transition", "org:resource", "case:site"):
        assert tables[0][column].tolist() == tables[1][column].tolist(), column
    objects = pm4py.read_ocel2_json(str(folder / "event_log_ocel.json"))
    assert len(objects.events) == len(mined)
    on_beds = objects.relations[objects.relations["ocel:type"] == "bed"]
    assert set(on_beds["ocel:activity"]) == {"ward (start)", "ward (complete)"}
    assert len(on_beds) == (mined["org:resource"] != "").sum()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_vidigi_finds_who_waits_and_who_is_in_which_bed(results: Results, folder: Path) -> None:
    pytest.importorskip("vidigi", reason="vidigi is of the extra `slow`")
    from vidigi.analysis import event_durations, resource_use_intervals
    from vidigi.prep import reshape_for_animations

    assert results.requests is not None
    log = pd.read_csv(folder / "event_log_vidigi.csv").query("run_number == 1")
    requests = results.requests[results.requests["scenario"] == "=two"].set_index("patient")
    waits = event_durations(log, "waiting: beds", "ward").set_index("entity_id")["duration"].dropna() / 30.4375
    np.testing.assert_allclose(waits, (requests["granted"] - requests["asked"]).loc[waits.index], atol=1e-8)
    stays = resource_use_intervals(log, unclosed="drop").set_index("entity_id")["busy_time"] / 30.4375
    np.testing.assert_allclose(stays, (requests["released"] - requests["granted"]).loc[stays.index], atol=1e-8)
    frames = reshape_for_animations(log, every_x_time_units=30, limit_duration=1_000)
    assert frames[frames["event"] == "ward"].groupby("snapshot_time").size().max() == 2


# --- What is refused ---


ORIGINS = ["yesterday", "2026-02-30", "01.02.2026", "20260101", "2026-01-01T12:00", 2026, "0001-01-01"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_origin_that_is_no_date_is_refused_with_a_date_that_would_do(results: Results, origin: Any) -> None:
    with pytest.raises(InputError, match=r"^origin: .*date.*as 2026-01-01") as refusal:
        results.events("csv", origin=origin)
    assert str(origin) in str(refusal.value)


def test_a_format_that_is_none_is_refused_before_anything_is_written(results: Results, tmp_path: Path) -> None:
    message = "unknown format; got 'xess'; allowed: csv, xes, ocel, vidigi; did you mean 'xes'"
    with pytest.raises(InputError, match=message):
        results.write_event_log(tmp_path / "logs", "csv,xess")
    with pytest.raises(InputError, match="no format"):
        results.write_event_log(tmp_path / "logs", [])
    assert not (tmp_path / "logs").exists()
    with pytest.raises(InputError, match=r"xes.*allowed: csv, vidigi.*write_event_log"):
        results.events("xes")


def test_a_run_without_histories_has_no_event_log(tmp_path: Path) -> None:
    results = run(policy(ward(exponential(mean=1)), ""), draws=1, horizon=12.0)
    with pytest.raises(InputError, match=r"write_event_log: this run kept no histories.*histories=True"):
        results.write_event_log(tmp_path, "csv")


def test_the_program_never_imports_readers_that_are_for_tests() -> None:
    """pm4py has the AGPL."""
    root = Path(formats.__file__).parents[3]
    sources = (file for name in ("simulator", "calibration", "scenarios") for file in (root / name).rglob("*.py"))
    imports = re.compile(r"^\s*(import|from) (pm4py|vidigi)", re.M)
    assert not [file for file in sources if imports.search(file.read_text(encoding="utf-8"))]
