"""What a script imports from the package itself."""

import pytest

import simulator


def test_a_script_finds_every_public_name_and_can_catch_bad_input() -> None:
    for name in simulator.__all__:
        assert getattr(simulator, name).__name__ == name
    with pytest.raises(simulator.InputError, match="no such scenario"):
        simulator.run("no such scenario")


def test_results_are_printed_as_a_few_short_lines() -> None:
    printed = repr(simulator.compare("baseline", "no-hsct", draws=2, horizon=12.0, rough=True)).splitlines()
    assert printed[0] == "Results of baseline, no-hsct: exact, 2 parameter sets, 12 months, a rough answer"
    assert [each.split(":")[0].strip() for each in printed[1:]] == ["survival", "outcomes", "draws", "occupancy"]
    assert max(map(len, printed)) <= 100
