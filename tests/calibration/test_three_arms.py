"""450 patients with heart failure in three arms: the posterior of the fit is known on a grid and in closed form."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from calibration import fit
from calibration.fit import Fit
from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets, load_targets
from simulator.errors import AftercartError, InputError

ARMS = {"device": 120, "drugs": 190, "usual": 140}
ALIVE_DEVICE_12, ALIVE_24 = 104, 290
GAMMA = {"device": (2.0, 200.0), "drugs": (2.0, 130.0), "usual": (2.0, 70.0)}
"""Shape and rate of the prior of each arm's hazard of death, per month."""

PATHWAY = """
title = "Heart failure after a first admission"
start = "discharged"
[clocks]
discharge = "discharged"
[states.discharged]
kind = "decision"
"""
ARM = """
[[states.discharged.branches]]
to = "{arm}"
probability = "{arm}_share"
[states.{arm}]
kind = "sojourn"
[[states.{arm}.transitions]]
to = "death"
time = {{ family = "exponential", rate = "{arm}_hazard" }}
[groups.{arm}]
entered = "{arm}"
[parameters.{arm}_share]
unit = "probability"
meaning = "share"
value = {share}
prior = {{ family = "dirichlet", alpha = 1 }}
source = "assumption"
[parameters.{arm}_hazard]
unit = "per month"
meaning = "hazard of death"
value = 0.02
prior = {{ family = "gamma", shape = {shape}, rate = {rate} }}
source = "assumption"
"""
COHORT = """
title = "450 first admissions"
citation = "made up"
pathway = "heart.toml"
clock = "discharge"
n = 450
seed = 450
[arms]
device = ["device"]
drugs = ["drugs"]
usual = ["usual"]
all = ["device", "drugs", "usual"]
"""
TARGETS = "\n".join(
    [
        "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note",
        *(f"{arm},patients,{arm},,,,{n},450,,,patients,made up,likelihood," for arm, n in ARMS.items()),
        f"device_12,survivors,device,,,12,{ALIVE_DEVICE_12},120,,,patients,made up,likelihood,",
        f"all_24,survivors,all,,,24,{ALIVE_24},450,,,patients,made up,likelihood,\n",
    ]
)


@pytest.fixture(scope="module")
def heart_failure(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    folder = tmp_path_factory.mktemp("heart")
    arms = [
        ARM.format(arm=arm, share=share, shape=GAMMA[arm][0], rate=GAMMA[arm][1])
        for arm, share in zip(ARMS, (0.3, 0.4, 0.3), strict=True)
    ]
    text = PATHWAY + "".join(arms) + '\n[states.death]\nkind = "death"\ncause = "any"\n'
    (folder / "heart.toml").write_text(text, encoding="utf-8")
    (folder / "cohort.toml").write_text(COHORT, encoding="utf-8")
    (folder / "targets.csv").write_text(TARGETS, encoding="utf-8")
    return load_targets(folder)


@pytest.fixture
def changed(heart_failure: Targets, tmp_path: Path) -> Callable[..., Path]:
    """Write the cohort with other rows, and arms."""

    def write(*rows: str, arms: str = "") -> Path:
        for file in ("heart.toml", "cohort.toml"):
            text = (heart_failure.folder / file).read_text(encoding="utf-8")
            (tmp_path / file).write_text(text + (arms if file == "cohort.toml" else ""), encoding="utf-8")
        head = TARGETS.splitlines()[0]
        (tmp_path / "targets.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture(scope="module")
def fitted(heart_failure: Targets, quick_fits: None) -> Fit:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "predict", partial(fit.predict, wanted=100))
        return fit.run(heart_failure, seed=450, wanted=400, effective=1000.0, points=4000)


def test_the_shares_of_three_arms_have_their_dirichlet_posterior(fitted: Fit) -> None:
    assert fitted.problems() == []
    posterior = fitted.posterior.set_index("parameter")
    for arm, n in ARMS.items():
        known = stats.beta(1 + n, 2 + 450 - n)
        error = known.std() / np.sqrt(fitted.diagnostics.effective_sample_size)
        row = posterior.loc[f"{arm}_share"]
        assert abs(row["posterior_mean"] - known.mean()) < 4 * error
        assert row["posterior_sd"] == pytest.approx(known.std(), rel=4 / np.sqrt(2 * 1000))


def test_hazards_of_arms_whose_survivors_are_reported_together_have_their_posterior_on_a_grid(fitted: Fit) -> None:
    """Survivors of one arm at 12 months and of all at 24: by hand, the deaths of three binomials that add up."""
    posterior = fitted.posterior.set_index("parameter")
    for arm, (mean, sd) in posterior_on_a_grid().items():
        row = posterior.loc[f"{arm}_hazard"]
        assert abs(row["posterior_mean"] - mean) < 4 * sd / np.sqrt(fitted.diagnostics.effective_sample_size), arm
        assert row["posterior_sd"] == pytest.approx(sd, rel=4 / np.sqrt(2 * 1000)), arm


def posterior_on_a_grid() -> dict[str, tuple[float, float]]:
    """Posterior mean and SD of each arm's hazard."""
    hazards = {arm: np.linspace(1e-5, stats.gamma(a, scale=1 / b).ppf(0.9999), 80) for arm, (a, b) in GAMMA.items()}
    prior = {arm: stats.gamma(a, scale=1 / b).pdf(hazards[arm]) for arm, (a, b) in GAMMA.items()}
    device = hazards["device"]
    at_12 = stats.binom.pmf(ALIVE_DEVICE_12, 120, np.exp(-12 * device))
    alive = np.arange(ALIVE_DEVICE_12 + 1)
    from_device = stats.binom.pmf(alive, ALIVE_DEVICE_12, np.exp(-12 * device)[:, None]) * at_12[:, None]
    of_arm = {arm: stats.binom.pmf(np.arange(n + 1), n, np.exp(-24 * hazards[arm])[:, None]) for arm, n in ARMS.items()}
    joint = np.empty((80, 80, 80))
    for j, drugs in enumerate(of_arm["drugs"]):
        for k, usual in enumerate(of_arm["usual"]):
            others = np.convolve(drugs, usual)
            joint[:, j, k] = from_device @ others[ALIVE_24 - alive]
    joint *= prior["device"][:, None, None] * prior["drugs"][:, None] * prior["usual"]
    joint /= joint.sum()
    moments = {}
    for axis, arm in enumerate(ARMS):
        weights = joint.sum(axis=tuple({0, 1, 2} - {axis}))
        mean = float(weights @ hazards[arm])
        moments[arm] = mean, float(np.sqrt(weights @ (hazards[arm] - mean) ** 2))
    return moments


def test_reported_figures_are_near_those_of_simulated_cohorts(fitted: Fit) -> None:
    assert set(fitted.predictive["inside"]) == {"yes"}
    assert len(fitted.predictive) == 5


@pytest.mark.slow
@pytest.mark.usefixtures("quick_fits", "few_predictions")
def test_files_of_an_unreliable_sample_that_is_kept_are_named_unreliable(
    heart_failure: Targets, tmp_path: Path
) -> None:
    result = fit.calibrate(heart_failure.folder, out=tmp_path, wanted=2000, points=1000, keep=True)
    assert result.problems()
    names = {"unreliable_draws.csv", "unreliable_posterior.csv", "unreliable_predictive.csv", "unreliable_because.txt"}
    assert {file.name for file in tmp_path.iterdir()} == names
    because = (tmp_path / "unreliable_because.txt").read_text(encoding="utf-8")
    assert "not a fit, since the effective sample size" in because
    assert "At fault: no parameter: take more points." in because
    assert "--points N takes more than 1,000 points" in because


def test_rows_that_no_parameter_can_explain_are_named(changed: Callable[..., Path], tmp_path: Path) -> None:
    """Everybody lives 24 months, and 16 of 120 are reported to have died by the twelfth."""
    folder = changed("device_12,survivors,device,,,12,104,120,,,patients,made up,likelihood,")
    text = (folder / "heart.toml").read_text(encoding="utf-8")
    text = text.replace('{ family = "exponential", rate = "device_hazard" }', '{ family = "fixed", months = 24 }')
    (folder / "heart.toml").write_text(text.replace("lever = true\n", ""), encoding="utf-8")
    with pytest.raises(AftercartError, match=r"zero at every one of .*rows of: counts of patients\."):
        fit.calibrate(folder, out=tmp_path / "out", points=1000)


def test_a_branch_within_several_arms_is_a_share_of_their_patients(changed: Callable[..., Path]) -> None:
    """120 of the 310 with a device or drugs: a binomial of the one share over both."""
    rows = ("device,entered,active,device,,,120,310,,,patients,made up,likelihood,",)
    targets = load_targets(changed(*rows, arms='active = ["device", "drugs"]\n'))
    values = {"device_share": [[0.3], [0.2]], "drugs_share": [[0.4], [0.6]], "usual_share": [[0.3], [0.2]]}
    log_likelihood = Likelihood(targets)({name: np.array(value) for name, value in values.items()})
    np.testing.assert_allclose(log_likelihood, stats.binom.logpmf(120, 310, [3 / 7, 1 / 4]), rtol=1e-9)


def test_arms_that_overlap_cannot_have_the_sizes_of_others(changed: Callable[..., Path]) -> None:
    rows = ("device,patients,device,,,,120,450,,,patients,made up,likelihood,",)
    rows += ("drugs,patients,drugs,,,,190,450,,,patients,made up,likelihood,",)
    rows += ("usual,patients,usual,,,,140,450,,,patients,made up,likelihood,",)
    arms = '\n[arms]\ndevice = ["device"]\ndrugs = ["drugs"]\nusual = ["usual"]\n'
    folder = changed(*rows)
    text = (folder / "cohort.toml").read_text(encoding="utf-8").partition("[arms]")[0]
    (folder / "cohort.toml").write_text(text + arms, encoding="utf-8")
    pathway = folder / "heart.toml"
    states = pathway.read_text(encoding="utf-8").replace('entered = "drugs"', 'entered = ["drugs", "device"]')
    pathway.write_text(states, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"cohort.toml: n, .*line 3, .*line 4: no table of whole patients fits the counts"
    ):
        load_targets(folder)
