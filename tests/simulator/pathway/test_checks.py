"""A pathway file is refused with its name, the place, the wrong value, allowed values and the nearest valid name."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sojourn_times import Table, exponential, fixed, weibull
from worlds import chance, decision, load, practice, share, sojourn, world

from simulator.engines.model import check_numbers
from simulator.errors import InputError
from simulator.pathway.format import load_pathway

FILE = (Path(__file__).parent / "illness.toml").read_text(encoding="utf-8")


def checked(text: str) -> None:
    """Load a pathway and check its numbers."""
    check_numbers(load(text))


def changed(*pairs: tuple[str, str]) -> str:
    text = FILE
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


REFUSED = {
    "a misspelt rest": (
        ('probability = "rest"', 'probability = "rset"'),
        r"unknown parameter; got 'rset'; allowed: .*rest; did you mean 'rest'\?",
    ),
    "a probability in per cent": (("probability = 0.75", "probability = 75"), r"0 to 1 \(75 %\? write 0.75\)"),
    "a cure in per cent": (
        ("median = 30", "median = 30, cure = 30"),
        r"cure is out of range; got 30.0; .* \(30 %\? write 0.3\)",
    ),
    "a time that has run for a negative number of months": (
        ("median = 30", "median = 30, after = -2"),
        r"after is out of range; got -2.0; allowed: a finite number, 0 or more",
    ),
    "a time that has run for an unknown number of months": (
        ("median = 30", 'median = 30, after = "staay"'),
        r"unknown parameter; got 'staay'",
    ),
    "unknown state in a transition": (
        ('to = "choice"', 'to = "choise"'),
        r"\[states.well\] choise: to: unknown state; got 'choise'; allowed: .*; did you mean 'choice'",
    ),
    "unknown state to start": (('start = "well"', 'start = "wel"'), r"start: unknown state; got 'wel'.*'well'"),
    "unknown state of a clock": (('entry = "well"', 'entry = "wll"'), r"\[clocks\] entry: unknown state; got 'wll'"),
    "unknown state of a group": (
        ('entered = "treated"', 'entered = "traeted"'),
        r"\[groups.treated\].*'traeted'.*'treated'",
    ),
    "a group with the name of all patients": (
        ("[groups.treated]", "[groups.all]"),
        r"\[groups.all\]: this name belongs to another population; got 'all'",
    ),
    "a group with the name of a level": (
        ("[groups.treated]", '[groups."sex=female"]'),
        r"this name belongs to another population; got 'sex=female'",
    ),
    "a name with a control character": (
        ('to = "choice"', 'to = "cho\\u0000ice"'),
        r"states.well.transitions 1 \(.*\).to: a name that is not plain text; got 'cho.x00ice'",
    ),
    "unknown state of a count": (('entries = "treated"', 'entries = "tretd"'), r"\[counts.courses\].*unknown state"),
    "unknown parameter": (('rate = "onset"', 'rate = "onst"'), r"states.well\] choice.*parameter; got 'onst'.*'onset'"),
    "unknown parameter of a share": (
        ('"treats"\n', '"treat"\n'),
        r"\[states.choice\] treated: unknown parameter; got 'treat'",
    ),
    "a name with a slash": (
        ('to = "choice"\n', 'to = "choice"\nname = "a/b"\n'),
        r"states.well\]: a name with a slash; got 'a/b'",
    ),
    "unknown family": (
        ('"weibull"', '"wiebull"'),
        r"\[states.well\] dead: time: unknown family; got 'wiebull'.*'weibull'",
    ),
    "no family": (('family = "weibull", ', ""), r"time: a sojourn time needs a family"),
    "unknown parameter of a family": (("median = 30", "medain = 30"), r"weibull time; got 'medain'.*'median'"),
    "missing parameter of a family": ((", median = 30", ""), r"give one of scale, median, mean"),
    "one parameter too many": (("median = 30", "median = 30, mean = 3"), r"give one of scale, median, mean; got"),
    "unknown key at the top": (
        ('title = "illness"', 'title = "x"\ntilte = "y"'),
        r"tilte: unknown key; got 'tilte'.*'title'",
    ),
    "unknown key of a state": (
        ('kind = "death"', 'kind = "death"\ncuase = "x"'),
        r"states.dead.cuase: unknown key.*'cause'",
    ),
    "unknown key of a transition": (
        ("probability = 0.75", "probabilty = 0.75"),
        r"states.treated.transitions 1 \(well\).probabilty: unknown key.*'probability'",
    ),
    "unknown key of a parameter": (("value = 0.1", "valeu = 0.1"), r"parameters.onset.valeu: unknown key.*'value'"),
    "missing key": (('meaning = "hazard of illness"\n', ""), r"parameters.onset.meaning: a key is missing"),
    "unknown kind": (('kind = "decision"', 'kind = "choice"'), r"states.choice.kind: .*'choice'"),
    "unknown unit": (('"per month"', '"per week"'), r"parameters.onset.unit: .*'per week'"),
    "branches of a sojourn": (("[[states.well.transitions]]", "[[states.well.branches]]"), r"states.well"),
    "unknown attribute": (('sex = ["female"]', 'sxe = ["female"]'), r"unknown attribute; got 'sxe'.*'sex'"),
    "unknown level": (('sex = ["female"]', 'sex = ["femal"]'), r"unknown level of sex; got 'femal'.*'female'"),
    "two exits of one name": (
        ('to = "dead"\ntime = { family = "w', 'to = "dead"\nname = "choice"\ntime = { family = "w'),
        r"\[states.well\]: two exits have the name 'choice'",
    ),
    "probabilities of more than one": (
        ("value = 0.4", "value = 0.5"),
        r"\[states.choice\]: .*\(treats, leaves\) do not sum to one; got 1.1",
    ),
    "probabilities of less than one": (("value = 0.4", "value = 0.3"), r"do not sum to one; got 0.(9|8999)"),
    "a probability above one": (
        ("probability = 0.75", "probability = 1.75"),
        r"\[states.treated\] \w+: not a probability; got 1.75",
    ),
    "a negative probability": (("probability = 0.75", "probability = -0.25"), r"not a probability; got -0.25"),
    "two branches that take the rest": (
        ("probability = 0.75", 'probability = "rest"'),
        r'two branches have probability "rest"',
    ),
    "some with a probability and some without": (
        ("probability = 0.75\n", ""),
        r"only some transitions have a probability",
    ),
    "a state out of reach": (
        ('to = "untreated"', 'to = "treated"\nname = "again"'),
        r"no patient can reach state 'untreated'",
    ),
    "a parameter outside its unit": (
        ("value = 0.6", "value = 1.6"),
        r"\[parameters.treats\] value: value outside its unit \(probability\); got 1.6",
    ),
    "a negative hazard": (("value = 0.1\n", "value = -0.1\n"), r"\[parameters.onset\] value: value outside its unit"),
    "a negative time": (
        ("median = 30", "median = -30"),
        r"\[states.well\] dead: time: median is out of range; got -30",
    ),
    "not a number": (
        ("median = 30", "median = nan"),
        r"states.well.transitions 2 \(dead\).time.median: not a finite number; got nan",
    ),
    "an infinite number": (("value = 0.1\n", "value = inf\n"), r"parameters.onset.value: not a finite number; got inf"),
    "a negative weight": (("male = 1", "male = -1"), r"\[attributes.sex\] levels.male: negative weight; got -1"),
    "no weight at all": (("{ female = 3, male = 1 }", "{ female = 0, male = 0 }"), r"the weights sum to zero"),
    "a boolean for a number": (("median = 30", "median = true"), r"not a number or the name of a parameter"),
    "a word for a number": (("value = 0.6", 'value = "most"'), r"parameters.treats.value: .*'most'"),
    "breaks that do not increase": (("breaks = [2, 5]", "breaks = [5, 2]"), r"breaks do not increase"),
    "a rate too few": (("rates = [0.5, 0.2, 0.1]", "rates = [0.5, 0.2]"), r"breaks and rates do not match"),
    "a list for one number": (("median = 30", "median = [30]"), r"median is not a number"),
    "a list of shares": (
        ("probability = 0.75", "probability = [0.75]"),
        r"\[states.treated\] well: probability: only breaks and rates can be lists",
    ),
    "a list a level": (
        ('rate = "onset"', 'rate = { by = "sex", female = [1], male = 2 }'),
        r"only breaks and rates can be lists",
    ),
    "no `by`": (('rate = "onset"', "rate = { female = 1, male = 2 }"), r"a choice by attribute needs `by`"),
    "a level left out": (('rate = "onset"', 'rate = { by = "sex", female = 1 }'), r"no entry for level 'male' of sex"),
    "the rest for a rate": (('rate = "onset"', 'rate = "rest"'), r'"rest" is not a number'),
    "the rest for some": (
        ("probability = 0.75", 'probability = { by = "sex", female = "rest", male = 0.2 }'),
        r'"rest" is not a number',
    ),
    "a window of nothing": (('title = "illness"', 'title = "x"\ngroup_window = 0'), r"group_window"),
    "a count of both": (
        ('entries = "treated"', 'entries = "treated"\nmonths = "treated"'),
        r"give either entries or months",
    ),
    "an exit from death": (
        (
            'kind = "death"',
            'kind = "death"\n[[states.dead.transitions]]\nto = "well"\ntime = { family = "fixed", months = 1 }',
        ),
        r"\[states.dead\]: an absorbing state of kind 'death' has transitions or branches",
    ),
    "a sojourn without an exit": (
        ('kind = "death"\n', 'kind = "sojourn"\n'),
        r"\[states.dead\]: a sojourn needs one or more",
    ),
    "nobody eligible": (
        ('probability = "leaves"', 'probability = "leaves"\neligible = { sex = ["female"] }'),
        r"\[states.choice\]: no branch is open to male",
    ),
    "a factor above one": (
        ('eligible = { sex = ["female"] }', "eligible = { sex = { male = 1.5 } }"),
        r"eligibility outside 0 to 1",
    ),
    "unknown state of an end point": (
        ('"dead" }', '"daed" }'),
        r"\[end_points.efs\] causes.death: unknown state; got 'daed'; .*did you mean 'dead'\?",
    ),
    "an end point with the name of another folder": (
        ("[end_points.efs]", '[end_points."../efs"]'),
        r"no name of an end point; got '../efs'; allowed: up to 60 letters",
    ),
    "end points whose figures would have one file on some systems": (
        ("[counts.courses]", '[end_points.EFS]\ncauses = { death = "dead" }\n[counts.courses]'),
        r"two end points have names that files do not distinguish; got \['efs', 'EFS'\]; allowed: names that differ",
    ),
    "a state of two causes": (
        ('["untreated"], death', '["untreated", "dead"], death'),
        r"state 'dead' has two causes; got \['not treated', 'death'\]; allowed: one",
    ),
    "an end point without causes": (
        ('causes = { "not treated" = ["untreated"], death = "dead" }', "causes = {}"),
        r"\[end_points.efs\] causes: no cause; allowed: one or more states a cause",
    ),
    "a state in place of causes": (
        ('causes = { "not treated" = ["untreated"], death = "dead" }', 'causes = "dead"'),
        r"end_points.efs.causes: not a table; got 'dead'; allowed: cause = its state, or a list of its states",
    ),
    "a cause without states": (('["untreated"], death', "[], death"), r"no state has the cause 'not treated'"),
    "an end point with the name of overall survival": (
        ("[end_points.efs]", "[end_points.os]"),
        r"\[end_points.os\]: its outcome 'os_6' has the name of another outcome; got 'os'",
    ),
    "an end point with the name of a restricted mean": (
        ("[end_points.efs]", "[end_points.rmst]"),
        r"its outcome 'rmst_6' has the name of another outcome",
    ),
    "a count with the name of an end point's outcome": (
        ("[counts.courses]", "[counts.efs_not_treated_12]"),
        r"\[end_points.efs\]: its outcome 'efs_not_treated_12' has the name of another outcome",
    ),
    "an end point with the name of another one's cause": (
        ("[counts.courses]", '[end_points.efs_death]\ncauses = { death = "dead" }\n[counts.courses]'),
        r"\[end_points.efs_death\]: its outcome 'efs_death_6' has the name of another outcome",
    ),
    "a second clock that starts later": (
        ('entry = "well"', 'entry = "well"\nillness = "choice"'),
        r"the second clock does not start at entry",
    ),
}


@pytest.mark.parametrize(("change", "complaint"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_with_its_name_and_the_place(change: tuple[str, str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refusal:
        checked(changed(change))
    assert "/pathway.toml" in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_every_state_must_have_a_path_to_an_absorbing_state() -> None:
    forever = changed(
        ('to = "dead"\ntime = { family = "piecewise', 'to = "untreated"\nname = "stays"\ntime = { family = "piecewise')
    )
    with pytest.raises(InputError, match=r"no path leads from state 'untreated' to an absorbing state"):
        checked(forever)


def instant(second: Table) -> Table:
    """A cycle of a choice and a second state."""
    return world("first", {"first": chance(second=0.5, dead=0.5), "second": second})


def test_a_cycle_of_choices_is_refused() -> None:
    with pytest.raises(InputError, match=r"leads back to itself and no time passes.*a sojourn on every"):
        check_numbers(load(instant(chance(first=0.9, dead=0.1))))


@pytest.mark.parametrize(
    "time",
    [fixed, lambda scale: weibull(shape=2, scale=scale), lambda mean: exponential(mean=mean)],
    ids=["fixed", "weibull", "exponential"],
)
def test_a_cycle_of_sojourns_without_time_is_refused(time: Callable[[float], Table]) -> None:
    with pytest.raises(InputError, match="and no time passes"):
        check_numbers(load(instant(sojourn(first=time(0)))))
    check_numbers(load(instant(sojourn(first=time(0.5)))))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"title = 'x\n", "not valid TOML"),
        (b"\x00\xff\xfe\x80 binary", "not a text file .byte 1 is not UTF-8."),
        (b"title = \"x\"\n" + b"# " + b"x" * 1_000_001, "file too large.*allowed: up to 1000000 bytes"),
        (b"a = " + b"[" * 20_000 + b"]" * 20_000, "not valid TOML"),
        (b".".join([b"a"] * 50_000) + b" = 1", "nested too deeply"),
        (b"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", "nested too deeply"),
        (b"", "a key is missing"),
        (b"title = 1\nstart = 'x'\nstates = {}", "title"),
        (b"title = 'x'\nstart = 'x'\nstates = 3", "states"),
        (b"title = 'x'\ntitle = 'y'", "not valid TOML"),
    ],
    ids=["malformed", "binary", "huge", "deep", "hours", "dotted", "empty", "wrong type", "no table", "key twice"],
)  # fmt: skip
def test_a_file_that_is_no_pathway_is_refused_with_one_message(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "odd.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as refusal:
        load_pathway(file)
    assert str(file) in str(refusal.value)


def test_a_missing_file_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(str(tmp_path / "none.toml")) + ".*No such file"):
        load_pathway(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_pathway(tmp_path / "folder.toml")
    with pytest.raises(InputError, match=r"unknown pathway; got 'peer_pathwai'.*did you mean 'peer_pathway'"):
        load_pathway("peer_pathwai")


def decided(reference: object, uptake: object = "uptake") -> Table:
    """A pathway that treats a share of patients at a marginal decision."""
    states = {
        "relapse": decision(salvage=uptake, care="rest"),
        "salvage": sojourn(failure=exponential(mean=2)),
        "failure": sojourn(dead=exponential(mean=5)),
        "care": sojourn(dead=exponential(mean=3)),
    }
    marginal = practice(reference, "relapse", "salvage", "care", "failure")
    return world("relapse", states, marginal=marginal, parameters={"uptake": share(0.3)})


@pytest.mark.parametrize(
    ("reference", "treated"), [("18/37", 18 / 37), ("3 / 10", 0.3), (0.3, 0.3), (0, 0.0), (1, 1.0)]
)
def test_the_share_treated_in_practice_is_a_fraction_of_patients_or_a_number(reference: object, treated: float) -> None:
    marginal = load(decided(reference)).marginal
    assert marginal is not None
    assert marginal.reference == treated


@pytest.mark.parametrize("reference", ["19/18", "half", "1/0", "-1/3", "1/2/3", "nan", 1.5, -0.1])
def test_what_is_no_share_of_patients_is_no_practice(reference: object) -> None:
    with pytest.raises(
        InputError, match=r'\[marginal\] reference: not a share; got .*; allowed: .* "3/10", or a number'
    ):
        load(decided(reference))


def test_a_pathway_with_a_marginal_decision_must_state_practice() -> None:
    table = decided(0.3)
    del table["marginal"]["reference"]
    with pytest.raises(
        InputError, match=r'marginal.reference: a key is missing; allowed: the share treated today.*"3/10"'
    ):
        load(table)


def test_a_share_treated_that_is_a_number_is_refused_since_practice_could_not_set_it() -> None:
    with pytest.raises(InputError, match=r"\[states.relapse\]: the share treated is a number; allowed: a parameter"):
        load(decided(0.3, uptake=0.3))
