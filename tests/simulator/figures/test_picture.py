"""A picture's alternative text says the point in a breath, and the table below it has the numbers that are drawn."""

from __future__ import annotations

import re
from dataclasses import replace

from simulator.experiment.results import Results
from simulator.figures import text
from simulator.figures.picture import LONGEST, Picture
from simulator.wording import opening
from simulator.wording.added import IN_THE_MODEL
from simulator.wording.headline import scenario_in_words


def numbers_of(picture: Picture) -> dict[str, dict[str, str]]:
    """The table below a figure on the page: row -> column -> cell."""
    assert picture.numbers is not None
    heads = [column.label for column in picture.numbers.columns[1:]]
    return {
        str(row.label): {head: str(cell) for head, cell in zip(heads, row.cells, strict=True)}
        for row in picture.numbers.rows
    }


def test_every_alternative_text_says_the_point_in_a_breath(results: Results, pictures: list[Picture]) -> None:
    point = opening.point(results)
    for picture in pictures:
        assert len(picture.alt) < LONGEST, picture.name
        assert picture.alt.startswith(picture.title)
        assert picture.alt.endswith((".", "?"))
        says_more = picture.title.startswith(IN_THE_MODEL) or point in picture.alt or picture.point in picture.alt
        assert says_more, picture.alt
    assert re.match(r"In the model, [\d.]+ more of 100 alive at 12 months under wider-salvage \(95 % interval ", point)


def test_long_names_and_points_are_left_out_of_an_alternative_text(pictures: list[Picture]) -> None:
    long = replace(pictures[0], title="In the model, all are alive", point=f"{'Under a policy ' * 20}.")
    assert long.alt == "In the model, all are alive."
    assert len(replace(long, title="In the model, " + "a very long name " * 30).alt) < LONGEST


def test_numbers_below_a_runs_figure_are_its_outcomes(results: Results, pictures: list[Picture]) -> None:
    drawn = next(picture for picture in pictures if picture.name == "overall_survival")
    numbers, estimates = numbers_of(drawn), results.outcomes.set_index(["scenario", "clock", "population", "outcome"])
    for scenario in ("baseline", "wider-salvage", "wider-salvage@cohorts", "wider-salvage@break-even"):
        alive = estimates.loc[(scenario, "relapse", "all", "os_60"), "estimate"]
        assert numbers[scenario_in_words(scenario)]["60 months"].startswith(f"{100 * alive:.0f} % (")
    assert drawn.numbers is not None
    assert "38 ± 8 % at 6 months (14 of 37)" in drawn.numbers.notes[0].replace(text.HELD, " ")
