"""Every row of a table has a reader's words."""

from pathlib import Path

import pandas as pd
import pytest

from simulator.experiment.results import Results
from simulator.experiment.run import run
from simulator.outcomes.labels import labelled
from simulator.pathway.format import load_pathway
from simulator.report import run_folder

PATHWAY = load_pathway("b_all_post_cd19")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"population": "all", "month": 6.0}, "all patients"),
        ({"population": "hsct", "month": 6.0}, "HSCT after relapse"),
        ({"population": "cd19=unknown", "outcome": "os_12"}, "CD19 unknown: alive at 12 months"),
        ({"population": "all", "outcome": "median_os"}, "median survival"),
        ({"population": "all", "outcome": "hscts"}, "HSCTs"),
        ({"resource": "hsct_beds", "month": 1.0}, "HSCT beds"),
        ({"resource": "hsct_beds", "outcome": "wait_mean"}, "HSCT beds: mean wait of patients served"),
        ({"state": "awaiting_hsct", "month": 1.0}, "awaiting HSCT in CR"),
        ({"population": "all", "end_point": "efs", "cause": ""}, "event-free survival"),
        (
            {"population": "treated", "end_point": "efs", "cause": "no_response"},
            "salvage-treated: no response as first event (event-free survival)",
        ),
    ],
)
def test_a_row_is_named_by_its_keys(row: dict[str, object], words: str) -> None:
    table = labelled(pd.DataFrame([{**row, "value": 1.0}]), PATHWAY)
    assert table["label"].tolist() == [words]
    keys = [name for name in row if name != "month"]
    assert list(table.columns).index("label") == 1 + max(list(table.columns).index(key) for key in keys)


def test_a_label_that_is_there_stays_and_a_table_without_keys_has_none() -> None:
    table = pd.DataFrame({"resource": ["hsct_beds"], "outcome": ["wait_mean"], "label": ["as it is"]})
    assert labelled(table, PATHWAY)["label"].tolist() == ["as it is"]
    assert list(labelled(pd.DataFrame({"share": [0.5]}), PATHWAY)) == ["share"]


def test_files_have_labels_and_folders_without_them_can_be_read(results: Results, tmp_path: Path) -> None:
    results.write(tmp_path)
    for name in ("survival", "outcomes", "outcomes_by_draw", "occupancy", "end_points"):
        written = pd.read_csv(tmp_path / f"{name}.csv")
        assert written["label"].str.len().gt(2).all(), name
    new = run_folder.read(tmp_path)
    for path in tmp_path.glob("*.csv"):
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
        table.drop(columns="label", errors="ignore").to_csv(path, index=False)
    earlier = run_folder.read(tmp_path)
    for name in ("survival", "outcomes", "occupancy"):
        before, after = getattr(earlier, name), getattr(new, name).drop(columns="label")
        pd.testing.assert_frame_equal(before, after)


def test_survival_by_year_of_arrival_is_named_as_survival_is() -> None:
    service = run("letter-centre", draws=1, replications=1, horizon=12.0).service
    assert service is not None
    by_year = service[service["outcome"] == "os_12"]
    assert set(by_year["label"]) == {"alive at 12 months"}
