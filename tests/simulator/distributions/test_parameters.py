"""Which parameters a sojourn time accepts, and what is said of the others."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from simulator.distributions import FAMILIES, build, parameter_names
from simulator.errors import InputError

pytestmark = pytest.mark.filterwarnings("error")

REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("wiebull", {}, {}, "unknown family; got 'wiebull'; allowed: .*; did you mean 'weibull'"),
    ("weibull", {"shap": 1, "scale": 2}, {}, "unknown parameter of weibull; got 'shap'; .* 'shape'"),
    ("weibull", {"scale": 2}, {}, r"weibull needs shape; got \['scale'\]; allowed: shape: a finite number"),
    ("weibull", {"shape": 1}, {}, r"give one of scale, median, mean; got \[\]"),
    ("weibull", {"shape": 1, "scale": 2, "mean": 2}, {}, r"one of scale, .*; got \['scale', 'mean'\]"),
    ("exponential", {"rate": 1, "mean": 1}, {}, "give one of rate, mean, median"),
    ("lognormal", {"sigma": 1, "mu": 1, "median": 1}, {}, "give one of mu, median"),
    ("exponential", {"rate": -1.0}, {}, "rate is out of range; got -1.0; allowed: .*, 0 or more"),
    ("exponential", {"rate": np.nan}, {}, "rate is out of range; got nan"),
    ("exponential", {"mean": np.inf}, {}, "mean is out of range; got inf"),
    ("exponential", {"mean": np.array([1.0, -2.0])}, {}, "mean is out of range; got -2.0"),
    ("exponential", {"mean": "9"}, {}, "mean is not a number; got '9'"),
    ("exponential", {"mean": True}, {}, "mean is not a number; got True"),
    ("exponential", {"mean": [1.0, 2.0]}, {}, r"mean is not a number; got \[1.0, 2.0\]"),
    ("exponential", {"mean": None}, {}, "mean is not a number"),
    ("weibull", {"shape": 0.0, "scale": 1}, {}, "shape is out of range; got 0.0; allowed: .* above 0"),
    ("lognormal", {"sigma": 0.0, "mu": 1}, {}, "sigma is out of range"),
    ("gamma", {"shape": 1e6, "mean": 1}, {}, "shape is out of range; got 1000000.0; allowed: .* to 250000"),
    ("gompertz", {"shape": -np.inf, "rate": 1}, {}, "shape is out of range"),
    ("generalised_gamma", {"mu": 0, "sigma": 1, "q": 40}, {}, "q is out of range; got 40.0; .* -31 to 31"),
    ("fixed", {"months": -1}, {}, "months is out of range"),
    ("weibull", {"shape": np.ones(2), "scale": np.ones(3)}, {}, "different numbers of cells; got .*'scale'"),
    ("piecewise_exponential", {"breaks": [2, 1], "rates": [1, 1, 1]}, {}, r"do not increase; got \[2, 1\]"),
    ("piecewise_exponential", {"breaks": [0, 1], "rates": [1, 1, 1]}, {}, "breaks do not increase"),
    ("piecewise_exponential", {"breaks": [1], "rates": [1, -1]}, {}, r"rates\[1\] is out of range; got -1.0"),
    ("piecewise_exponential", {"breaks": [1], "rates": [1]}, {}, "do not match; got '1 breaks, 1 rates'"),
    ("piecewise_exponential", {"breaks": 1, "rates": [1, 1]}, {}, "breaks is not a list; got 1"),
    ("piecewise_exponential", {"breaks": [], "rates": []}, {}, "rates is empty"),
    ("exponential", {"mean": 1}, {"cure": 1.2}, "cure is out of range; got 1.2; allowed: .* from 0 to 1"),
    ("exponential", {"mean": 1}, {"hazard_ratio": -0.1}, "hazard_ratio is out of range; got -0.1"),
    ("exponential", {"mean": 1}, {"after": -1.0}, "after is out of range; got -1.0; allowed: .*, 0 or more"),
    ("exponential", {"mean": np.ones(2)}, {"after": np.ones(3)}, "different numbers of cells; got .*'after'"),
    ("exponential", {"mean": np.ones(2)}, {"cure": np.ones(3)}, "different numbers of cells; got .*'cure'"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "parameters", "modified", "message"), REFUSED)
def test_what_makes_no_sense_is_refused_with_the_repair(
    family: str, parameters: dict[str, Any], modified: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=r"^file\.toml: relapse: time: .*" + message):
        build(family, parameters, **modified, where="file.toml: relapse: time")


def test_a_family_declares_every_parameter_it_accepts() -> None:
    assert parameter_names("weibull") == {"shape", "scale", "median", "mean"}
    assert parameter_names("gamma") == {"shape", "rate", "scale", "mean"}
    assert parameter_names("piecewise_exponential") == {"breaks", "rates"}
    with pytest.raises(InputError, match="did you mean 'gamma'"):
        parameter_names("gama")


@pytest.mark.parametrize("family", FAMILIES)
def test_each_parameter_that_a_family_declares_is_read(family: str) -> None:
    choice = FAMILIES[family].one_of
    for key in parameter_names(family):
        others = parameter_names(family) - set(choice) | set(choice if key in choice else choice[:1])
        rest = dict.fromkeys(others - set(choice if key in choice else ()) - {key}, 1.0)
        with pytest.raises(InputError, match=f"^{key} is not a (number|list); got 'much'"):
            build(family, {key: "much", **rest})


def test_the_caller_cannot_change_a_distribution_by_changing_its_array() -> None:
    scale = np.array([4.0, 9.0])
    sojourn = build("weibull", {"shape": 1.3, "scale": scale})
    before = sojourn.median()
    scale[:] = 1.0
    assert_array_equal(sojourn.median(), before)


def test_exponentials_and_weibulls_start_without_scipy() -> None:
    program = (
        "import sys; from simulator.distributions import build; "
        "build('weibull', {'shape': 1.3, 'mean': 2.0}, cure=0.1, hazard_ratio=0.5).ppf(0.3); "
        "build('exponential', {'rate': 1.0}).cdf(0.3); "
        "sys.exit('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
