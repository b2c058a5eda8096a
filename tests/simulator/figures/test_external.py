"""The figure of validation: every number stands on the sheet."""

import numpy as np
import pandas as pd
from matplotlib.text import Text

from simulator.figures.calibration import external

MISS = {
    "cohort_label": "Somebody 2020", "label": "leukaemia-free survival at 12 months from infusion", "unit": "months",
    "reported": 12.9, "predicted": np.inf, "lower": 14.3, "upper": np.inf, "inside": "no", "centred_on": "",
    "standard_error": np.nan,
}  # fmt: skip


def test_a_missed_median_that_is_not_reached_is_written_on_the_sheet() -> None:
    figure = external.picture(pd.DataFrame([MISS]), {"Somebody 2020": 53}, "a source", 24.0).figure
    figure.canvas.draw()
    edge = figure.bbox.x1
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    words = [text.get_text() for text in texts]
    assert "not reached (14.3 or more)" in words
    assert "miss" in words
    assert all(text.get_window_extent().x1 <= edge for text in texts if text.get_visible())
