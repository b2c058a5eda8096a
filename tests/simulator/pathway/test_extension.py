"""A pathway that extends another: its file declares changes only, and mistakes are named in the file that made them."""

from pathlib import Path

import pytest
from worlds import DEATH, in_a_row, sojourn, toml, two_state, write

from simulator import InputError, Scenario, load_pathway, run
from simulator.evidence.draws import staleness
from simulator.experiment.manifest import files

EXPONENTIAL = {"family": "exponential", "rate": 0.1}
LATER = {"title": "Two states in a row", "extends": "pathway.toml", "start": "well"}
WELL = {"states": {"well": sojourn(ill={"family": "exponential", "rate": 0.5})}}


def extended(by: str | dict[str, object], file: Path | None = None) -> Path:
    """The file of a pathway that extends a world in which everybody is ill and dies."""
    path = (file or write(two_state(EXPONENTIAL))).with_name("extension.toml")
    path.write_text(by if isinstance(by, str) else toml(by), encoding="utf-8")
    return path


def test_states_are_told_once() -> None:
    pathway = load_pathway(extended({**LATER, **WELL}))
    whole = load_pathway(write(in_a_row(WELL["states"]["well"]["transitions"][0]["time"], EXPONENTIAL)))
    assert list(pathway.states) == ["ill", "dead", "well"]
    one, other = (run(Scenario("today", of)).outcomes["estimate"].to_numpy() for of in (pathway, whole))
    assert one == pytest.approx(other, abs=1e-9)


def test_an_entry_takes_the_place_of_the_one_of_its_name() -> None:
    declared = {"title": "Slower", "extends": "pathway.toml"}
    slower = load_pathway(
        extended({**declared, "states": {"ill": sojourn(dead={"family": "exponential", "rate": 0.01})}})
    )
    (way,) = slower.states["ill"].transitions
    assert way.time is not None
    assert way.time.arguments == {"rate": 0.01}


COUNTED = {
    "patients": "patients who fall ill",
    "end_points": {"efs": {"label": "event-free survival", "causes": {"death": "dead"}}},
    "counts": {"courses": {"label": "courses", "unit": "courses per 100 who fall ill", "entries": "ill"}},
}
"""What a pathway says of the patients who start its clock."""


def test_what_is_said_of_another_clocks_patients_is_not_taken_over() -> None:
    """A count of 100 who are well is not one of 100 who fall ill, nor is their survival without an event."""
    file = write(two_state(EXPONENTIAL, **COUNTED))
    later = load_pathway(extended({**LATER, **WELL}, file))
    assert (later.patients, later.counts["courses"].unit, dict(later.end_points)) == (
        "patients",
        "per 100 patients",
        {},
    )
    same = load_pathway(extended({**LATER, **WELL, "clocks": {"illness": "ill", "entry": "well"}}, file))
    assert same.patients == "patients who fall ill"
    assert same.counts["courses"].unit == "courses per 100 who fall ill"
    assert list(same.end_points) == ["efs"]


def test_an_event_of_every_death_needs_a_death_that_is_added() -> None:
    """Otherwise patients who die of it would count as event-free."""
    file = write(two_state(EXPONENTIAL, **COUNTED))
    ill = sojourn(dead=EXPONENTIAL, dead_of_infection=EXPONENTIAL)
    added = {"title": "Infections", "extends": "pathway.toml", "states": {"ill": ill, "dead_of_infection": DEATH}}
    message = r"extension.toml: \[end_points.efs\]: event-free survival would include the dead.*'without dead_of_infec"
    with pytest.raises(InputError, match=message):
        load_pathway(extended(added, file))
    end_points = {"efs": {"label": "event-free survival", "causes": {"death": ["dead", "dead_of_infection"]}}}
    assert load_pathway(extended({**added, "end_points": end_points}, file)).end_points["efs"].states == (
        "dead", "dead_of_infection",
    )  # fmt: skip


def test_an_extension_may_be_extended_and_every_file_is_in_the_manifest() -> None:
    first = extended({**LATER, **WELL})
    second = first.with_name("third.toml")
    second.write_text('title = "As the second"\nextends = "extension.toml"\n', encoding="utf-8")
    pathway = load_pathway(second)
    assert pathway.start == "well"
    named = [Path(file["file"]).name for file in files([Scenario("today", pathway)]) if file["what"] == "pathway"]
    assert named == ["pathway.toml", "extension.toml", "third.toml"]
    assert staleness(pathway) is None


def test_a_pathway_is_loaded_again_if_a_file_of_it_has_changed() -> None:
    path = extended({**LATER, **WELL})
    pathway = load_pathway(path)
    assert load_pathway(path) is pathway
    whole = path.with_name("pathway.toml")
    whole.write_text(whole.read_text(encoding="utf-8").replace("0.1", "0.2"), encoding="utf-8")
    (way,) = load_pathway(path).states["ill"].transitions
    assert way.time is not None
    assert way.time.arguments == {"rate": 0.2}
    whole.unlink()
    with pytest.raises(InputError, match="no such file"):
        load_pathway(path)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ('title = "x"\nextends = "none.toml"\n', "extension.toml: extends: cannot be read: no such file"),
        ('title = "x"\nextends = "b_all"\n', "unknown pathway"),
        ('title = "x"\nextends = "extension.toml"\n', "the files extend one another in a circle"),
        ('title = "x"\nextends = 3\n', "extension.toml: extends: not text"),
        ('title = "x"\nextends = "pathway.toml"\nstates = 3\n', "extension.toml: states: not a table"),
        ('title = "x"\nextends = "pathway.toml"\nstart = "wel"\n', "unknown state"),
        ('extends = "pathway.toml"\n', "extension.toml: title: a key is missing"),
    ],
)
def test_a_mistake_is_named_in_the_file_that_made_it(declared: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        load_pathway(extended(declared))
    assert message in str(refused.value)


def test_a_mistake_in_the_extended_file_is_named_there() -> None:
    broken = write(two_state({"family": "exponental", "rate": 0.1}))
    with pytest.raises(InputError, match=r"pathway\.toml.*unknown family"):
        load_pathway(extended('title = "x"\nextends = "pathway.toml"\n', broken))


def test_two_files_that_extend_each_other_are_refused() -> None:
    first = write('title = "x"\nextends = "extension.toml"\n')
    with pytest.raises(InputError, match="the files extend one another in a circle"):
        load_pathway(extended('title = "x"\nextends = "pathway.toml"\n', first))
