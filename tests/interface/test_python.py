"""What a script imports from the package itself."""

import pytest

import simulator


def test_a_script_finds_every_public_name_and_can_catch_bad_input() -> None:
    for name in simulator.__all__:
        assert getattr(simulator, name).__name__ == name
    with pytest.raises(simulator.InputError, match="no such scenario"):
        simulator.run("no such scenario")
