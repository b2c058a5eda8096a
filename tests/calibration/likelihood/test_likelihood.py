"""The likelihood of the letter's cohort, against simulated patients, finer lattices and other tables."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated_cells import check_shares, in_cells

from calibration import fit
from calibration.fit import Posterior
from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets, find_folder, load_targets, with_rows
from calibration.reported.simulated_cohort import SimulatedCohort
from calibration.validation.check import LARGEST_LATTICE_ERROR
from simulator.arrays import Floats, slices
from simulator.engines.exact.solution import Solution
from simulator.engines.microsim.engine import simulate
from simulator.engines.model import resolve
from simulator.errors import InputError
from simulator.evidence.draws import fitted_draws, single, values
from simulator.evidence.priors import Priors
from simulator.pathway.format import load_pathway
from simulator.randomness import Uniforms

NewCohort = Callable[..., Targets]

PATIENTS = 100_000


@pytest.fixture(scope="module")
def targets(letter: Targets) -> Targets:
    return letter


@pytest.fixture(scope="module")
def likelihood(targets: Targets) -> Likelihood:
    return Likelihood(targets)


@pytest.fixture(scope="module")
def draws(targets: Targets) -> pd.DataFrame:
    posterior_draws = fitted_draws(targets.pathway)
    assert posterior_draws is not None
    return posterior_draws


@pytest.fixture(scope="module")
def followed(targets: Targets, draws: pd.DataFrame) -> list[SimulatedCohort]:
    """Large cohorts of three draws, each patient followed for their own uniform time, as in the predictive table."""
    return [followed_patients(targets, draws, row) for row in (0, 700, 1400)]


def followed_patients(targets: Targets, draws: pd.DataFrame, row: int) -> SimulatedCohort:
    uniforms = Uniforms(41, draw=row + 1)
    model = resolve(targets.scenario, single(draws, row))
    blocks = list(simulate(model, uniforms, range(PATIENTS), horizon=240.0))
    merged = blocks[0]
    for block in blocks[1:]:
        offset = merged.patients.size
        for state, entries in block.entered.items():
            shifted = [(patient + offset, month) for patient, month in entries]
            merged.entered.setdefault(state, []).extend(shifted)
        merged.levels = {name: np.concatenate([merged.levels[name], block.levels[name]]) for name in merged.levels}
        for name in ("patients", "clock_month", "death_month", "follow_up_end"):
            setattr(merged, name, np.concatenate([getattr(merged, name), getattr(block, name)]))
    lower, upper = targets.cohort.follow_up or (0.0, 0.0)
    follow_up = lower + (upper - lower) * uniforms.at("@follow_up", merged.patients)
    return SimulatedCohort(targets, merged, follow_up)


def exact_shares(likelihood: Likelihood, draws: pd.DataFrame, rows: list[int]) -> tuple[Floats, Solution]:
    model = resolve(likelihood.targets.scenario, {name: column[rows, None] for name, column in columns(draws).items()})
    followed = likelihood.followed(model)
    return likelihood.cell_probabilities(followed), followed.solution


def columns(draws: pd.DataFrame) -> dict[str, Floats]:
    return {str(name): draws[name].to_numpy(dtype=float) for name in draws.columns}


def test_simulated_patients_fill_the_cells_as_the_likelihood_says(
    likelihood: Likelihood, draws: pd.DataFrame, followed: list[SimulatedCohort]
) -> None:
    shares, _ = exact_shares(likelihood, draws, [0, 700, 1400])
    counts = np.array([in_cells(cohort) for cohort in followed])
    assert (counts.sum(axis=1) == PATIENTS).all()
    check_shares(counts, np.full_like(counts, PATIENTS), shares)


def test_every_patient_is_in_one_cell(likelihood: Likelihood) -> None:
    priors = Priors.from_parameters(likelihood.targets.pathway.parameters, likelihood.targets.pathway.dirichlets())
    theta = priors.transform(np.random.default_rng(42).standard_normal((50, priors.dimension)))
    table = pd.DataFrame(theta, columns=list(priors.names))
    shares, _ = exact_shares(likelihood, table, list(range(50)))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-6)


def test_the_cells_include_hsct_of_the_treated(likelihood: Likelihood, draws: pd.DataFrame) -> None:
    shares, solution = exact_shares(likelihood, draws, [0, 500, 1000])
    courses = likelihood.targets.courses
    states = {cell: course.marks for course, cells in courses.of_course.items() for cell in cells}
    treated, hsct = (
        np.array([name in states[i] for i in range(courses.n_cells)]) for name in ("salvage_choice", "hsct")
    )
    in_cells = shares[:, hsct].sum(axis=1) / shares[:, treated].sum(axis=1)
    np.testing.assert_allclose(in_cells, solution.size("hsct") / solution.size("treated"), atol=1e-6)


def test_the_likelihood_is_that_of_the_table_and_of_the_times(likelihood: Likelihood, draws: pd.DataFrame) -> None:
    """Each once: salvage, response, HSCT and deaths are counts of one table."""
    model = resolve(likelihood.targets.scenario, {name: column[:10, None] for name, column in columns(draws).items()})
    tables, times = likelihood.targets.tables, likelihood.times
    assert tables is not None
    assert times is not None
    assert likelihood.targets.conditioned_on is None
    shares, _ = exact_shares(likelihood, draws, list(range(10)))
    expected = tables.log_likelihood(shares) + likelihood.log_density_of_times(model, times)
    log_likelihood = likelihood({name: column[:10, None] for name, column in columns(draws).items()})
    np.testing.assert_allclose(log_likelihood, expected, rtol=0, atol=1e-8)


def test_cells_are_a_quarter_of_a_month_and_as_accurate_as_far_narrower_ones(
    likelihood: Likelihood, draws: pd.DataFrame
) -> None:
    finest, finer = (Likelihood(likelihood.targets, step=step) for step in (0.0125, 0.125))
    draw_values = values(draws.iloc[::100], slice(0, 8))
    assert likelihood.cell == 0.25
    known = finest(draw_values)
    errors, halved = (np.abs(lattice(draw_values) - known).max() for lattice in (likelihood, finer))
    assert errors < LARGEST_LATTICE_ERROR / 4
    # An error of the second order or higher: a quarter or less of it is left.
    assert halved < errors / 4


def test_halving_the_lattice_moves_the_likelihood_by_less_than_a_hundredth(
    likelihood: Likelihood, draws: pd.DataFrame
) -> None:
    finer = Likelihood(likelihood.targets, step=likelihood.step / 2)
    draw_values = values(draws, slice(0, 30))
    assert np.abs(likelihood(draw_values) - finer(draw_values)).max() < 0.01


def test_the_likelihood_of_a_draw_does_not_depend_on_the_draws_evaluated_with_it(targets: Targets) -> None:
    posterior = Posterior(targets)
    z = np.random.default_rng(43).standard_normal((16, posterior.priors.dimension))
    together = posterior.log_likelihood(z)
    in_sevens = np.concatenate([posterior.log_likelihood(z[first : first + 7]) for first in range(0, 16, 7)])
    alone = np.concatenate([posterior.log_likelihood(score[None]) for score in z[:5]])
    assert np.isfinite(together).sum() > 12
    # Counts that are next to impossible rest on cells of 1e-9, of which rounding leaves seven digits.
    np.testing.assert_allclose(in_sevens, together, rtol=0, atol=1e-6)
    np.testing.assert_allclose(alone, together[:5], rtol=0, atol=1e-6)


@pytest.mark.slow
def test_the_likelihood_of_300_draws_in_few_calls_is_that_of_small_blocks(targets: Targets) -> None:
    posterior = Posterior(targets)
    z = 0.5 * np.random.default_rng(44).standard_normal((300, posterior.priors.dimension))
    with fit.likelihood_of(targets, jobs=1) as (log_likelihood, _):
        together = log_likelihood(z)
    in_blocks = np.concatenate([posterior.log_likelihood(z[rows]) for rows in slices(300, 40)])
    np.testing.assert_allclose(in_blocks, together, rtol=0, atol=1e-8)


def test_the_order_of_the_rows_does_not_matter(likelihood: Likelihood, draws: pd.DataFrame, tmp_path: Path) -> None:
    draw_values = values(draws, slice(0, 5))
    expected = likelihood(draw_values)
    folder = changed(tmp_path / "turned", lambda rows: rows.sample(frac=1, random_state=1))
    np.testing.assert_allclose(Likelihood(load_targets(folder))(draw_values), expected, rtol=0, atol=1e-9)


def changed(folder: Path, change) -> Path:
    """A copy of the letter's cohort with its rows changed."""
    folder.mkdir()
    shipped = find_folder("wang2024")
    shutil.copy(shipped / "cohort.toml", folder)
    rows = pd.read_csv(shipped / "targets.csv", dtype=str, keep_default_na=False)
    change(rows).to_csv(folder / "targets.csv", index=False)
    return folder


@pytest.mark.slow
def test_predictive_rows_do_not_change_the_likelihood(likelihood: Likelihood, draws: pd.DataFrame) -> None:
    rows = likelihood.targets.cohort.targets
    fewer = Likelihood(with_rows(likelihood.targets, rows[rows["use"] != "predictive"]))
    draw_values = values(draws, slice(0, 5))
    np.testing.assert_allclose(fewer(draw_values), likelihood(draw_values), rtol=0, atol=1e-9)


def test_medians_by_level_need_not_be_reported(likelihood: Likelihood, draws: pd.DataFrame, tmp_path: Path) -> None:
    """Without the medians by CD19 the density is that of 37 times from three groups, not of 37 CD19 positive."""
    levels = ["relapse_median_cd19_positive", "relapse_median_cd19_negative_or_dim"]
    fewer = load_targets(changed(tmp_path / "overall", lambda rows: rows[~rows["name"].isin(levels)]))
    assert fewer.times is not None
    assert fewer.times.sizes == {"positive": 17, "negative_or_dim": 10, "unknown": 10}
    likelihood_without_levels = Likelihood(fewer)
    medians = {name: np.array([[10.0], [10.0]]) for name in draws.columns if name.startswith("relapse_median")}
    medians["relapse_median_cd19_unknown"] = np.array([[10.0], [2.0]])
    # Alike in all else: one draw twice.
    twice = values(draws.iloc[[0, 0]], slice(0, 2))
    model = resolve(likelihood_without_levels.targets.scenario, {**twice, **medians})
    assert likelihood_without_levels.times is not None
    alike, different = likelihood_without_levels.log_density_of_times(model, likelihood_without_levels.times)
    assert alike > different + 0.5


OTHER = """\
name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note
treated,patients,treated,,,,14,25,,,patients,made up,likelihood,
chemotherapy,entered,treated,chemotherapy,,,5,14,,,patients,made up,likelihood,
survivors_3,survivors,all,,,3,17,25,,,%,made up,likelihood,
survivors_9_treated,survivors,treated,,,9,8,14,,,%,made up,likelihood,
survivors_9_untreated,survivors,untreated,,,9,1,11,,,%,made up,likelihood,
deaths,deaths,all,,,,20,25,,,patients,made up,likelihood,
treated_deaths,deaths,treated,,,,9,14,,,patients,made up,likelihood,
treated_deaths_of_treatment,deaths,treated,death_of_treatment,,,3,14,,,patients,made up,likelihood,
"""


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    """Twenty-five patients in two arms, other months, one reported branch, no times of relapse."""
    folder = tmp_path_factory.mktemp("another")
    text = (find_folder("wang2024") / "cohort.toml").read_text(encoding="utf-8")
    head, _, tail = text.partition("[arms]")
    arms = '[arms]\ntreated = ["treated"]\nuntreated = ["untreated"]\nall = ["treated", "untreated"]\n\n'
    text = head.replace("n = 37", "n = 25") + arms + "[follow_up]" + tail.partition("[follow_up]")[2]
    (folder / "cohort.toml").write_text(text, encoding="utf-8")
    (folder / "targets.csv").write_text(OTHER, encoding="utf-8")
    return load_targets(folder)


def test_another_cohort_of_the_same_form_can_be_fitted(another: Targets) -> None:
    posterior = Posterior(another)
    z = np.random.default_rng(44).standard_normal((200, posterior.priors.dimension))
    log_likelihood = posterior.log_likelihood(z)
    assert np.isfinite(log_likelihood).mean() > 0.9
    # 14 of 25 treated: the likelihood of the uptake alone peaks there, so prior draws near it do better
    uptake = posterior.priors.transform(z)[:, posterior.priors.names.index("salvage_uptake")]
    near = np.abs(uptake - 14 / 25) < 0.1
    assert np.median(log_likelihood[near]) > np.median(log_likelihood[~near])


@pytest.mark.slow
def test_another_cohort_of_the_same_form_is_fitted_well(another: Targets) -> None:
    fitted = fit.run(another, jobs=2, seed=45, wanted=500, effective=1000.0)
    assert fitted.problems() == []
    uptake = fitted.posterior.set_index("parameter").loc["salvage_uptake"]
    # 14 of 25, flat prior: Beta(15, 12)
    assert uptake["posterior_mean"] == pytest.approx(15 / 27, abs=0.015)
    assert uptake["posterior_sd"] == pytest.approx(stats.beta(15, 12).std(), rel=0.1)


def test_reported_times_need_a_single_path_to_the_clock(targets: Targets) -> None:
    times = targets.times
    assert times is not None
    two_ways_out = load_pathway("three_state")
    elsewhere = replace(targets, scenario=replace(targets.scenario, pathway=two_ways_out), tables=None)
    with pytest.raises(InputError, match="reported times need a start state with one way out"):
        Likelihood(elsewhere)


def seen_dead(month: float) -> float:
    """P(dead by min(month, F)) at a constant hazard of 0.1, F uniform on 10 to 30 months."""
    ends = np.linspace(10.0, 30.0, 200_001)
    return float(np.trapezoid(-np.expm1(-0.1 * np.minimum(month, ends)), ends) / 20.0)


@pytest.mark.parametrize(("first", "second"), [(3.0, 12.0), (15.0, 24.0), (6.0, np.inf)])
@pytest.mark.parametrize("kind", ["deaths", "entered"])
def test_counts_by_a_month_are_a_multinomial_over_the_months(
    kind: str, first: float, second: float, new_cohort: NewCohort
) -> None:
    """Of 20, 5 by the first month and 9 by the second, among patients still followed."""
    months = [f"{month:g}" if np.isfinite(month) else "" for month in (first, second)]
    rows = [f"by_{month},{kind},all,dead,,{month},{k},20," for month, k in zip(months, (5, 9), strict=True)]
    log_likelihood = Likelihood(new_cohort(20, *rows))({"uptake": np.array([[0.4]])})
    probabilities = np.diff([0.0, seen_dead(first), seen_dead(second), 1.0])
    assert log_likelihood.item() == pytest.approx(stats.multinomial.logpmf([5, 4, 11], 20, probabilities), abs=2e-3)


def test_entries_to_a_choice_by_two_months_are_counted_by_their_difference(new_cohort: NewCohort) -> None:
    """Chance of treatment 0.4 at relapse: all who are treated are by month 1, and nobody between months 1 and 6."""
    rows = [f"by_{month},entered,all,treatment,,{month},{k},20," for month, k in ((1, 9), (6, 9))]
    log_likelihood = Likelihood(new_cohort(20, *rows))({"uptake": np.array([[0.4]])})
    assert log_likelihood == pytest.approx(stats.binom.logpmf(9, 20, 0.4), abs=1e-9)
    rows[1] = "by_6,entered,all,treatment,,6,10,20,"
    assert np.isneginf(Likelihood(new_cohort(20, *rows))({"uptake": np.array([[0.4]])}))


def test_states_of_one_choice_may_be_counted_by_different_months(new_cohort: NewCohort) -> None:
    """Everybody takes one branch at relapse: 9 the treatment by month 1, the others supportive care by month 6."""
    rows = ["one,entered,all,treatment,,1,9,20,", "other,entered,all,supportive_care,,6,11,20,"]
    log_likelihood = Likelihood(new_cohort(20, *rows))({"uptake": np.array([[0.4]])})
    assert log_likelihood == pytest.approx(stats.binom.logpmf(9, 20, 0.4), abs=1e-9)


def test_what_decides_nothing_may_go_with_cd19_and_a_fit_stays_the_same(targets: Targets, draws: pd.DataFrame) -> None:
    """The cohort's margins are reached whatever goes together; prior HSCT decides something, and changes the fit."""
    negative = {"bone_marrow": 4, "extramedullary": 6}, {"yes": 9, "no": 1}
    others = {"bone_marrow": 15, "extramedullary": 1}, {"yes": 4, "no": 9}
    some = values(draws, slice(3))
    before = Likelihood(targets)(some)
    for name, of_negative, of_others in zip(("site", "prior_hsct"), negative, others, strict=True):
        weights = {"positive": of_others, "negative_or_dim": of_negative, "unknown": of_others}
        scenario = replace(targets.scenario, case_mix=[{"of": ["cd19", name], "weights": weights}])
        together = Likelihood(replace(targets, scenario=scenario))(some)
        assert resolve(scenario).mix["cd19"] == pytest.approx(resolve(targets.scenario).mix["cd19"])
        assert np.allclose(together, before, rtol=0.0, atol=1e-7) == (name == "site")
