"""What a run's numbers are not: sentences next to its tables."""

from dataclasses import replace

import pytest
from sojourn_times import Table, exponential
from worlds import load, sojourn, world

from simulator.scenario.scenario import load_scenario
from simulator.wording import limits

ILL = exponential(rate=0.1)
CLOCKS = {"illness": "ill", "birth": "well"}
AFTER_ILLNESS = "Only patients who come to ill are in this pathway: figures from birth are conditional on ill."


@pytest.mark.parametrize(
    ("well", "clock", "said"),
    [
        ({"ill": ILL}, "birth", AFTER_ILLNESS),
        ({"ill": ILL}, "illness", ""),
        ({"ill": ILL, "dead": exponential(rate=0.01)}, "birth", ""),
        ({"ill": {**ILL, "cure": 0.5}}, "birth", ""),
    ],
)
def test_figures_from_before_the_clock_are_called_conditional_where_everybody_comes_to_it(
    well: dict[str, Table], clock: str, said: str
) -> None:
    """Not where some die before, or never leave."""
    pathway = load(world("well", {"well": sojourn(**well), "ill": sojourn(dead=ILL)}, clocks=CLOCKS))
    assert limits.conditional(pathway, clock) == said


def test_what_several_options_assume_is_said_once() -> None:
    first = load_scenario("letter-centre")
    names = [replace(first, name=f"{number} beds") for number in (1, 2, 3)]
    sentences = list(limits.all_assumed([*names, load_scenario("no-hsct"), replace(first, name="silent", assumes="")]))
    assert sentences[0] == "1 beds, 2 beds and 3 beds assume: Relapses come at random at a constant rate."
    assert sentences[1].startswith("no-hsct assumes: Without HSCT, ")
    assert len(sentences) == 2
