"""Every kind of figure with hard inputs, wide and compact: legible, on its sheet, in fixed colours.

Some inputs stand for all in the default suite; `pytest -m slow` draws the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hard_inputs import CASES
from lettering import Lettering, collisions, faint, outside, texts_of
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from spelling import misspelled
from worlds import policies_of_the_default_suite

from simulator.figures import style, waits
from simulator.figures.picture import LONGEST, Picture
from simulator.figures.survival import curve
from simulator.wording import rounding

EXPLAINED: Mapping[str, Callable[[Figure], bool]] = {
    "Bands": lambda figure: bool(figure.findobj(PolyCollection)),
    "Hatched dots": lambda figure: any(dots.get_hatch() for dots in figure.findobj(PathCollection)),
    "Black bar": lambda figure: any(line.get_linewidth() > 3 and len(line.get_xdata()) for line in lines_of(figure)),
    "Circles": lambda figure: any(line.get_marker() == "o" for line in lines_of(figure)),
    "Thin from": lambda figure: any(line.get_linewidth() == curve.THIN for line in lines_of(figure)),
    "streams meet": lambda figure: any(to_hex(bar.get_facecolor()) == style.FAINT for bar in rectangles_of(figure)),
}
"""Words of a subtitle or a note -> whether the figure has what they explain."""

OF_OUTCOMES = (
    "state_occupancy", "of_100_patients", "what_the_policy_adds", "how_many_must_benefit", "overall_survival",
    "survival_by_policy", "survival_by_group", "end_point_efs", waits.NAME,
)  # fmt: skip
"""Figures of a run that show simulated outcomes."""

OF_COUNTS = ("queue_over_time", waits.NAME)
QUICK = ("few_replications", "sweep_of_one_value", "ranks_of_one_quantity", "validation")


@dataclass(frozen=True)
class Drawn:
    """A figure of a case at one of its widths, and its texts."""

    name: str
    picture: Picture
    figure: Figure
    texts: list[Lettering]

    @property
    def is_compact(self) -> bool:
        return self.figure is self.picture.compact


def drawn_at_both_widths(pictures: list[Picture]) -> Iterator[Drawn]:
    for picture in pictures:
        for ending, figure in (("", picture.figure), ("_compact", picture.compact)):
            if figure is not None:
                yield Drawn(f"{picture.name}{ending}", picture, figure, texts_of(figure))


@pytest.fixture(scope="module", params=policies_of_the_default_suite(CASES, QUICK))
def gallery(request: pytest.FixtureRequest) -> list[Drawn]:
    return list(drawn_at_both_widths(CASES[request.param]()))


def test_no_text_leaves_its_sheet(gallery: list[Drawn]) -> None:
    assert {drawn.name: words for drawn in gallery if (words := outside(drawn.figure, drawn.texts))} == {}


def test_no_two_texts_overlap(gallery: list[Drawn]) -> None:
    assert {drawn.name: pairs for drawn in gallery if (pairs := collisions(drawn.texts))} == {}


def test_every_text_can_be_told_from_what_lies_behind_it(gallery: list[Drawn]) -> None:
    assert {drawn.name: words for drawn in gallery if (words := faint(drawn.figure, drawn.texts))} == {}


def test_every_figure_has_two_widths(gallery: list[Drawn]) -> None:
    assert [drawn.name for drawn in gallery if drawn.picture.compact is None] == []


def test_compact_figures_are_5_inches_wide_and_have_no_small_letters(gallery: list[Drawn]) -> None:
    for drawn in gallery:
        if drawn.is_compact:
            assert drawn.figure.get_figwidth() == style.COMPACT, drawn.name
            small = [text.words for text in drawn.texts if text.artist.get_fontsize() < style.COMPACT_SMALL]
            assert not small, (drawn.name, small)


def test_an_alternative_text_can_be_read_in_one_go(gallery: list[Drawn]) -> None:
    assert all(len(drawn.picture.alt) < LONGEST for drawn in gallery)


def test_what_a_figure_explains_is_drawn_on_it(gallery: list[Drawn]) -> None:
    for drawn in gallery:
        words = "\n".join(text.words for text in drawn.texts)
        unseen = [said for said, is_drawn in EXPLAINED.items() if said in words and not is_drawn(drawn.figure)]
        assert not unseen, (drawn.name, unseen)


def test_the_first_interval_of_a_title_is_called_one(gallery: list[Drawn]) -> None:
    # In brackets, as "(95 % interval 12 to 38)".
    number = rf"[+{rounding.MINUS}]?[\d.]+"
    firsts = {drawn.name: re.search(rf"\(([^()]*?){number} to {number}", drawn.picture.title) for drawn in gallery}
    assert {name: match[0] for name, match in firsts.items() if match and "95 % interval" not in match[1]} == {}


def test_an_interval_over_few_parameter_sets_says_over_how_many(gallery: list[Drawn]) -> None:
    """Every run of these cases has fewer sets than an interval needs."""
    for drawn in gallery:
        words = " ".join(text.words for text in drawn.texts).replace("\n", " ")
        if drawn.picture.name in OF_OUTCOMES and "95 % interval" in words:
            assert re.search(r"\b\d+ parameter sets only", words), drawn.name


def test_a_figure_without_intervals_says_so(gallery: list[Drawn]) -> None:
    """Figures of what is declared, or of what was reported, alone have none to miss."""
    for drawn in gallery:
        if drawn.picture.name in OF_OUTCOMES:
            words = "\n".join(text.words for text in drawn.texts).replace("\n", " ")
            said = ("95 % interval", "ncertainty is not shown", "every parameter set has the same difference")
            assert any(phrase in words for phrase in said), drawn.name


def test_the_title_of_a_figure_of_one_parameter_set_says_so(gallery: list[Drawn]) -> None:
    for drawn in gallery:
        if drawn.picture.name in OF_OUTCOMES:
            words = " ".join(text.words for text in drawn.texts).replace("\n", " ")
            is_of_one = "In the model with one parameter set, " in drawn.picture.title
            assert ("One parameter set: uncertainty is not shown" in words) is is_of_one, drawn.name


def test_numbers_have_one_spelling(gallery: list[Drawn]) -> None:
    texts = {drawn.name: "\n".join([drawn.picture.alt, *(text.words for text in drawn.texts)]) for drawn in gallery}
    assert {name: wrong for name, text in texts.items() if (wrong := misspelled(text))} == {}


def test_no_small_count_is_drawn_as_a_percentile_band(gallery: list[Drawn]) -> None:
    for drawn in gallery:
        if drawn.picture.name in OF_COUNTS:
            assert not drawn.figure.findobj(PolyCollection), drawn.name


def test_a_name_has_one_colour_in_all_figures_of_a_run(gallery: list[Drawn]) -> None:
    colours: dict[str, set[str]] = {}
    # Numbers have the colour of their row.
    named = [text for drawn in gallery for text in drawn.texts if any(map(str.isalpha, text.words))]
    for text in (text for text in named if is_chromatic(text.artist.get_color())):
        colours.setdefault(text.words.replace("\n", ""), set()).add(to_hex(text.artist.get_color()))
    assert {name: of for name, of in colours.items() if len(of) > 1} == {}


def test_no_state_has_the_colour_of_a_line(gallery: list[Drawn]) -> None:
    of_states, of_lines = set[str](), set[str]()
    for drawn in gallery:
        if drawn.picture.name == "state_occupancy":
            of_states |= {
                to_hex(face) for layer in drawn.figure.findobj(PolyCollection) for face in layer.get_facecolor()
            }
        else:
            of_lines |= {to_hex(line.get_color()) for line in drawn.figure.findobj(Line2D)}
    assert {colour for colour in of_states & of_lines if is_chromatic(colour)} == set()


def lines_of(figure: Figure) -> list[Line2D]:
    return [line for line in figure.findobj(Line2D) if isinstance(line, Line2D)]


def rectangles_of(figure: Figure) -> list[Rectangle]:
    return [bar for bar in figure.findobj(Rectangle) if isinstance(bar, Rectangle)]


def is_chromatic(colour: object) -> bool:
    return float(np.ptp(to_rgb(colour))) > 0.02
