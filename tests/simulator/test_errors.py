"""Messages about input that cannot be used."""

import pickle
from datetime import date

import numpy as np
import pytest

from simulator.errors import AftercartError, InputError, UnknownNameError, nearest


def test_a_message_gives_place_problem_value_allowed_values_and_the_likely_name() -> None:
    error = InputError("unknown unit", where="a.toml: x", got="moths", allowed="months, ratio", nearest="months")
    assert str(error) == ("a.toml: x: unknown unit; got 'moths'; allowed: months, ratio; did you mean 'months'?")


def test_a_message_leaves_out_what_is_not_known() -> None:
    assert str(InputError("the file is empty")) == "the file is empty"
    assert str(InputError("too large", got=0)) == "too large; got 0"


def test_a_message_leaves_out_the_middle_of_a_very_long_text() -> None:
    message = str(InputError("not a number", where=f"a.csv: line 2, {'b' * 9000}", got="5" * 9000))
    assert message.startswith("a.csv: line 2, bbb")
    assert message.endswith("555'")
    assert ("...bbb" in message, "...555" in message) == (True, True)
    assert len(message) < 1100


def test_a_numpy_value_is_shown_as_it_would_be_written() -> None:
    assert str(InputError("out of range", got=np.float64(1.5))) == "out of range; got 1.5"
    assert str(InputError("out of range", got=np.array([1, 2]))) == "out of range; got [1, 2]"


def test_a_date_is_shown_as_it_would_be_written() -> None:
    assert str(InputError("not a number", got=date(2020, 1, 31))) == "not a number; got '2020-01-31'"
    assert str(InputError("not text", got=[{"from": date(2020, 1, 31)}])) == "not text; got [{'from': '2020-01-31'}]"


def test_unusable_input_ends_the_command_with_2_and_other_failures_with_1() -> None:
    assert (AftercartError.exit_code, InputError.exit_code) == (1, 2)
    assert issubclass(InputError, AftercartError)


@pytest.mark.parametrize(
    "error",
    [
        InputError("out of range", where="here", got=-1.0, allowed="0 or more", nearest="rate"),
        UnknownNameError("state", "il", ["ill", "dead"], "here"),
    ],
)
def test_an_error_survives_the_way_back_from_a_worker_process(error: InputError) -> None:
    returned = pickle.loads(pickle.dumps(error))
    assert str(returned) == str(error)
    assert vars(returned) == vars(error)


def test_the_nearest_name_allows_for_a_typing_error_and_the_case_but_does_not_guess() -> None:
    names = ["exponential", "weibull", "lognormal", "loglogistic"]
    assert nearest("wiebull", names) == "weibull"
    assert nearest("LogNormal", names) == "lognormal"
    assert nearest("beta", names) is None
    assert nearest("weibull", []) is None
