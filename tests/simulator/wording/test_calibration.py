"""What a calibration found, in sentences."""

import pandas as pd

from simulator.wording import calibration

NAMES = {"treated": "alive at 12 months: treated", "drugs": "alive at 12 months: drugs", "size": "device"}


def figures(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["target", "unit", "reported", "simulated", "standard_error"])


def test_shares_more_than_a_standard_error_from_their_report_are_named_the_farthest_first() -> None:
    table = figures(("treated", "%", 70.0, 58.0, 10.0), ("drugs", "%", 40.0, 60.0, 10.0), ("size", "patients", 1, 9, 1))
    assert calibration.farthest(table, NAMES) == (
        "Farthest from the report, by more than a standard error: alive at 12 months: drugs, 60 % (40 % reported); "
        "alive at 12 months: treated, 58 % (70 % reported)."
    )


def test_where_all_shares_are_near_their_report_none_is_named() -> None:
    near = figures(("treated", "%", 70.0, 61.0, 10.0), ("drugs", "%", 0.0, 5.0, 0.0))
    assert calibration.farthest(near, NAMES) == ""
