"""The marginal benefit that cohorts suggest, against the audit's arithmetic, quadrature, and sampling."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats
from sojourn_times import exponential
from worlds import chance, decision, practice, share, slow, sojourn, toml, world

from calibration.likelihood.likelihood import Likelihood
from calibration.likelihood.targets import Targets, find_folder, load_targets
from calibration.reported.percentages import Percentage
from calibration.transport import marginal_benefit as benefit
from calibration.transport.hierarchy import GRID, Hierarchy
from calibration.transport.marginal_benefit import Evidence, ScenarioSurvival, infer, of_one_benefit, quantiles
from calibration.transport.overall_survival import FOREVER
from simulator.arrays import Floats
from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.evidence.cohort import cohorts_folder
from simulator.evidence.draws import BENEFIT_FILE, draws_file, load_draws, read_draws, values

WANG = cohorts_folder() / "wang2024"
UPTAKE = 18 / 37
SCHULTZ, WUDHIKARN = Percentage("all", 12.0, 0.52 * 57, 57.0), Percentage("all", 12.0, 0.35 * 38, 38.0)


@cache
def shipped() -> list[Targets]:
    """Three cohorts that treated more than the letter's."""
    return [load_targets(name) for name in ("schultz2023", "wudhikarn2021", "li2023")]


def by_hand(figure: Percentage, uptake: float, treated: Floats, uptake_before: Floats | float = UPTAKE) -> Evidence:
    """The letter's 72 % of the treated against 0 % of the others, carried to another uptake."""
    return carried(figure, uptake, (treated, 0.0), uptake_before)


def carried(
    figure: Percentage, uptake: float, alive: tuple[Floats, Floats | float], uptake_before: Floats | float
) -> Evidence:
    """Survival of all, where more patients are treated and none or all of these benefit. alive : treated, others"""
    treated, others = alive
    more = np.maximum(uptake, uptake_before)
    return Evidence(
        "by hand",
        figure,
        treated * uptake_before + others * (1.0 - uptake_before),
        treated * more + others * (1.0 - more),
    )


def of_the_draws(figure: Percentage, uptake: float, draws: pd.DataFrame) -> Floats:
    """The joint posterior of the audit's arithmetic, with each draw's survival and 18 of 37 for the letter's."""
    targets = load_targets("wang2024")
    solution = engine.solve(resolve(targets.scenario, values(draws, slice(0, len(draws)))), 12.0, window=False)
    treated, others = (solution.of_a_cohort().survival(group)[:, -1] for group in ("treated", "untreated"))
    evidence = carried(figure, uptake, (treated, others), UPTAKE)
    return of_one_benefit(evidence.log_likelihood).mean_over_draws(joint=True)


def interval(density: Floats) -> list[float]:
    return [float(density @ GRID), *quantiles(density, [0.025, 0.975])]


@pytest.mark.parametrize(
    ("figure", "uptake", "audit"), [(SCHULTZ, 0.88, [0.62, 0.11, 0.98]), (WUDHIKARN, 0.79, [0.38, 0.02, 0.93])]
)
def test_the_benefit_from_one_cohort_agrees_with_the_audit(
    figure: Percentage, uptake: float, audit: list[float]
) -> None:
    """13 of 18 and 18 of 37 with their own uncertainty (flat priors)."""
    rng = np.random.default_rng(1)
    evidence = by_hand(figure, uptake, rng.beta(14, 6, 4000), rng.beta(19, 20, 4000))
    posterior = of_one_benefit(evidence.log_likelihood)
    assert interval(posterior.mean_over_draws(joint=True)) == pytest.approx(audit, abs=0.06)


@pytest.mark.parametrize(("figure", "uptake"), [(SCHULTZ, 0.88), (WUDHIKARN, 0.79)])
def test_the_benefit_given_one_draw_is_a_beta_integral(figure: Percentage, uptake: float) -> None:
    """p is a line in m, so that the posterior of p is a beta between the two ends (72 % and 0 % fixed)."""
    evidence = by_hand(figure, uptake, np.array([13 / 18]))
    density = of_one_benefit(evidence.log_likelihood).density[0]
    beta = stats.beta(figure.alive + 1, figure.n - figure.alive + 1)
    low, high = float(evidence.without_benefit[0]), float(evidence.with_benefit[0])
    ends = beta.cdf([low, high])
    exact = [(beta.ppf(ends[0] + share * (ends[1] - ends[0])) - low) / (high - low) for share in (0.025, 0.5, 0.975)]
    assert quantiles(density, [0.025, 0.5, 0.975]) == pytest.approx(exact, abs=0.002)
    mean = integrate.quad(lambda p: (p - low) / (high - low) * beta.pdf(p), low, high)[0] / (ends[1] - ends[0])
    assert float(density @ GRID) == pytest.approx(mean, abs=1e-4)


@pytest.fixture(scope="module")
def two_cohorts() -> list[Evidence]:
    treated = np.array([0.6, 0.72, 0.8])
    return [by_hand(SCHULTZ, 0.88, treated), by_hand(WUDHIKARN, 0.79, treated)]


def test_with_one_benefit_the_evidence_is_the_product(two_cohorts: list[Evidence]) -> None:
    posterior = of_one_benefit(sum(evidence.log_likelihood for evidence in two_cohorts))
    for i in range(3):

        def density(m: float, i: int = i) -> float:
            ends = [
                (evidence_of_cohort.figure, evidence_of_cohort.without_benefit[i], evidence_of_cohort.with_benefit[i])
                for evidence_of_cohort in two_cohorts
            ]
            return float(np.prod([np.exp(figure.log_likelihood(np.array(a + m * (b - a)))) for figure, a, b in ends]))

        evidence = integrate.quad(density, 0, 1)[0]
        assert posterior.log_evidence[i] == pytest.approx(np.log(evidence), abs=1e-3)
        mean = integrate.quad(lambda m, density=density: m * density(m), 0, 1)[0] / evidence
        assert posterior.density[i] @ GRID == pytest.approx(mean, abs=1e-3)


def test_with_heterogeneity_the_benefit_agrees_with_sampling_from_the_prior(two_cohorts: list[Evidence]) -> None:
    hierarchy = Hierarchy.of(1.0)
    nodes, log_evidence = hierarchy.of_nodes([evidence.log_likelihood for evidence in two_cohorts])
    density = nodes @ hierarchy.kernel
    rng, n = np.random.default_rng(7), 400_000
    mu, tau = rng.logistic(size=n), np.abs(rng.normal(size=n))
    m = special.expit(mu + tau * rng.normal(size=(3, n)))
    for i in range(3):
        log_likelihoods = [
            cohort.figure.log_likelihood((1 - share) * cohort.without_benefit[i] + share * cohort.with_benefit[i])
            for cohort, share in zip(two_cohorts, m[:2], strict=True)
        ]
        weights = np.exp(sum(log_likelihoods))
        assert log_evidence[i] == pytest.approx(np.log(weights.mean()), abs=0.02)
        weights /= weights.sum()
        assert density[i] @ GRID == pytest.approx(weights @ m[2], abs=0.006)
        order = np.argsort(m[2])
        sampled = m[2][order][np.searchsorted(np.cumsum(weights[order]), [0.025, 0.5, 0.975])]
        assert quantiles(density[i], [0.025, 0.5, 0.975]) == pytest.approx(list(sampled), abs=0.015)


def test_without_data_the_benefit_in_a_new_setting_is_almost_uniform() -> None:
    prior = Hierarchy.of(1.0).kernel.mean(axis=0)
    assert prior @ GRID == pytest.approx(0.5, abs=1e-3)
    assert quantiles(prior, [0.25, 0.75]) == pytest.approx([0.22, 0.78], abs=0.03)


def test_each_posterior_stands_next_to_its_prior_which_no_cohort_informs(two_cohorts: list[Evidence]) -> None:
    """The flat prior has its mean and quantiles in closed form; the others are sampled: mu, tau, then m."""
    inferred = infer(two_cohorts, np.array([0.3, 0.3, 0.3]), "os_12")
    rows = inferred.summary.set_index("how")
    priors = rows[rows["cohorts"] == 0]
    assert [name.removeprefix("prior alone, ") for name in priors.index] == [
        "flat", *(name.removeprefix("together, ") for name in rows.index if name.startswith("together")),
    ]  # fmt: skip
    assert list(priors.loc[benefit.FLAT, ["mean", "lower", "upper"]]) == pytest.approx([0.5, 0.025, 0.975], abs=1e-9)
    rng, n = np.random.default_rng(11), 400_000
    mu, tau, noise = rng.logistic(size=n), np.abs(rng.normal(size=n)), rng.normal(size=n)
    for (_, row), scale in zip(priors.iloc[1:].iterrows(), (1.0, 0.5, 2.0), strict=True):
        m = special.expit(mu + scale * tau * noise)
        assert list(row[["mean", "joint_mean"]]) == pytest.approx([0.5, 0.5], abs=1e-9)
        sampled = np.quantile(m, [0.025, 0.5, 0.975])
        assert list(row[["lower", "median", "upper"]]) == pytest.approx(list(sampled), abs=0.008)
    how = inferred.summary["how"].tolist()
    assert how.index(inferred.before) == how.index(inferred.chosen) + 1


def test_frozen_benefits_are_drawn_from_the_predictive_distribution(two_cohorts: list[Evidence]) -> None:
    hierarchy = Hierarchy.of(1.0)
    nodes, _ = hierarchy.of_nodes([evidence.log_likelihood for evidence in two_cohorts])
    repeated_nodes = np.repeat(nodes[1:2], 3000, axis=0)
    drawn = hierarchy.sample(repeated_nodes, seed=5)
    edges = np.concatenate([[0.0], 0.5 * (GRID[1:] + GRID[:-1]), [1.0]])
    cumulative = np.concatenate([[0.0], np.cumsum(nodes[1] @ hierarchy.kernel)])
    assert stats.kstest(drawn, lambda m: np.interp(m, edges, cumulative)).pvalue > 1e-6
    np.testing.assert_array_equal(hierarchy.sample(repeated_nodes[:10], seed=5), drawn[:10])


@pytest.fixture(scope="module")
def first_draws() -> tuple[list[Evidence], Floats]:
    """The first ten draws, with the cohorts that are shipped."""
    pathway = shipped()[0].pathway
    path = draws_file(pathway)
    assert path is not None
    evidence = benefit.gather(shipped(), read_draws(path, pathway).iloc[:10])
    assert evidence is not None
    return evidence


def test_cohorts_inform_the_benefit_unless_all_their_patients_were_treated(
    first_draws: tuple[list[Evidence], Floats],
) -> None:
    assert [evidence.cohort for evidence in first_draws[0]] == ["schultz2023", "wudhikarn2021"]
    assert benefit.informing(shipped()[2]) is None


def test_survival_of_a_subgroup_does_not_inform_the_benefit(tmp_path: Path) -> None:
    """The figure of all patients informs the benefit, whatever the attribute or the month of the others."""
    folder = tmp_path / "mine"
    shutil.copytree(find_folder("schultz2023"), folder)
    informing = benefit.informing(load_targets(folder))
    with (folder / "targets.csv").open("a", encoding="utf-8") as stream:
        for month in (12, 24):
            stream.write(f"less_{month},survival,all,,cd19=negative_or_dim,{month},,20,10,7,,,%,Figure,validation,,\n")
    assert informing is not None
    assert benefit.informing(load_targets(folder)) == informing


def test_survival_is_linear_in_the_benefit(first_draws: tuple[list[Evidence], Floats]) -> None:
    pathway = shipped()[0].pathway
    path = draws_file(pathway)
    assert path is not None
    part = replace(shipped()[0].scenario, marginal_benefit=0.3)
    in_practice = load_draws(pathway)
    assert in_practice is not None
    survival = ScenarioSurvival(((part, (12.0,), FOREVER),), in_practice).of(slice(0, 10))[0]
    evidence = first_draws[0][0]
    linear = 0.7 * evidence.without_benefit + 0.3 * evidence.with_benefit
    np.testing.assert_allclose(survival, linear[:, 0], atol=1e-9)


def test_the_shipped_benefit_follows_from_its_draws_and_cohorts(first_draws: tuple[list[Evidence], Floats]) -> None:
    """If it is not: aftercart validate --refit."""
    frozen = pd.read_csv(WANG / BENEFIT_FILE)["marginal_benefit"].to_numpy()
    np.testing.assert_allclose(infer(*first_draws, "os_12").values, frozen[:10], atol=1e-6)


@pytest.mark.parametrize(("cohort", "figure", "uptake"), [(0, SCHULTZ, 0.88), slow(1, WUDHIKARN, 0.79)])
def test_with_the_case_mix_of_the_letter_the_benefit_is_that_of_the_audits_arithmetic_with_the_draws(
    cohort: int, figure: Percentage, uptake: float
) -> None:
    """The audit takes the letter's 72 % of the treated. The draws have 59 %, which takes a larger benefit."""
    targets = shipped()[cohort]
    path = draws_file(targets.pathway)
    assert path is not None
    draws = read_draws(path, targets.pathway).iloc[:100]
    alike = replace(targets, scenario=replace(targets.scenario, population={}))
    gathered = benefit.gather([alike], draws)
    assert gathered is not None
    density = of_one_benefit(gathered[0][0].log_likelihood).mean_over_draws(joint=True)
    assert interval(density) == pytest.approx(interval(of_the_draws(figure, uptake, draws)), abs=0.002)


@pytest.mark.slow
def test_the_shipped_summary_includes_the_joint_posterior() -> None:
    summary = pd.read_csv(WANG / benefit.SUMMARY_FILE).set_index("how")
    assert len(summary) == 10
    row = summary.loc["schultz2023 alone"]
    path = draws_file(shipped()[0].pathway)
    assert path is not None
    known = interval(of_the_draws(SCHULTZ, 0.88, read_draws(path, shipped()[0].pathway)))
    assert list(row[["joint_mean", "joint_lower", "joint_upper"]]) == pytest.approx(known, abs=0.002)
    together = summary.loc[benefit.TOGETHER]
    assert together["lower"] < 0.1
    assert together["upper"] > 0.9
    # The cohorts would raise the baseline's 12-month OS, towards the letter's 35 %, by less than two points.
    assert together["os_12"] < together["joint_os_12"] < together["os_12"] + 0.02 < 13 / 37
    frozen = pd.read_csv(WANG / BENEFIT_FILE)["marginal_benefit"]
    assert frozen.mean() == pytest.approx(together["mean"], abs=5 * 0.3 / np.sqrt(len(frozen)))


def test_a_cohort_with_lower_uptake_does_not_inform_the_benefit() -> None:
    targets = replace(shipped()[0], scenario=replace(shipped()[0].scenario, set={"salvage_uptake": 0.01}))
    path = draws_file(targets.pathway)
    assert path is not None
    assert benefit.gather([targets], read_draws(path, targets.pathway).iloc[:3]) is None


PATHWAY = world(
    "relapse",
    {
        "relapse": decision(salvage="uptake", supportive_care="rest"),
        "salvage": chance(response="responding", no_response="rest"),
        "response": sojourn(dead=exponential(rate=0.02)),
        "no_response": sojourn(dead=exponential(rate=0.4)),
        "supportive_care": sojourn(dead=exponential(rate=0.25)),
    },
    draws="draws.csv",
    clocks={"relapse": "relapse"},
    groups={"treated": "salvage"},
    marginal=practice(0.4, "relapse", "salvage", "supportive_care", "no_response"),
    parameters={
        "uptake": share(0.4, prior={"family": "beta", "a": 4, "b": 6}),
        "responding": share(0.7, prior={"family": "beta", "a": 14, "b": 6}),
    },
)  # fmt: skip
COHORTS = {"first": (64, 45), "second": (76, 70)}
"""Cohorts of 80: name -> treated, alive at 12 months."""


def write_two_cohorts(folder: Path, shared: str) -> list[Targets]:
    """Two cohorts on one pathway file: a shared one by a relative or absolute path, or a copy for each cohort."""
    rng = np.random.default_rng(4)
    draws = pd.DataFrame({"uptake": rng.beta(4, 6, 30), "responding": rng.beta(14, 6, 30)})
    for name, (treated, alive) in COHORTS.items():
        model_folder = folder / name if shared == "copies" else folder
        (folder / name).mkdir(parents=True)
        (model_folder / "own.toml").write_text(toml(PATHWAY))
        draws.to_csv(model_folder / "draws.csv", index=False)
        file = {"relative": "../own.toml", "absolute": str(folder / "own.toml"), "copies": "own.toml"}[shared]
        (folder / name / "cohort.toml").write_text(
            f'title = "Another region"\ncitation = "nobody"\npathway = "{file}"\nclock = "relapse"\nn = 80\nseed = 1\n'
            '[arms]\ntreated = ["treated"]\nall = ["all"]\n[set]\nuptake = "treated"\n'
        )
        (folder / name / "targets.csv").write_text(
            "name,kind,population,state,attribute,month,count,n,value,standard_error,unit,place,use,note\n"
            f"treated,patients,treated,,,,{treated},80,,,patients,page 1,setting,\n"
            f"alive,survivors,all,,,12,{alive},80,,,patients,page 2,validation,\n"
        )
    return [load_targets(folder / name) for name in COHORTS]


def by_closed_form(folder: Path, cohorts: Sequence[str]) -> float:
    """The mean of m: patients without benefit live as long as untreated ones, and draws have equal weight."""
    draws = pd.read_csv(next(folder.glob("**/draws.csv")))
    alive_if = {rate: np.exp(-12 * rate) for rate in (0.02, 0.25, 0.4)}
    response = draws["responding"].to_numpy()[:, None]
    treated = response * alive_if[0.02] + (1 - response) * alive_if[0.4]
    m = np.linspace(0, 1, 4001)
    log = np.zeros((len(draws), m.size))
    for name in cohorts:
        # Practice is a fact: the reference of the pathway, and not each draw's own uptake.
        uptake, before = COHORTS[name][0] / 80, 0.4
        additional = np.maximum(uptake - before, 0)
        of_more = additional * (m * treated + (1 - m) * alive_if[0.25])
        alive = np.minimum(uptake, before) * treated + of_more + (1 - uptake) * alive_if[0.25]
        log += stats.binom.logpmf(COHORTS[name][1], 80, alive)
    weights = special.softmax(log, axis=1)
    return float((weights @ m).mean())


@pytest.mark.parametrize("shared", ["relative", "absolute", "copies"])
def test_cohorts_on_one_pathway_inform_the_benefit_together_however_they_name_its_file(
    shared: str, tmp_path: Path
) -> None:
    cohorts = write_two_cohorts(tmp_path, shared)
    benefit_of_cohorts = benefit.of_cohorts(cohorts)
    assert benefit_of_cohorts is not None
    assert benefit.of_other_models(cohorts) == []
    mean = benefit_of_cohorts.summary.set_index("how")["mean"]
    for name in COHORTS:
        assert mean[f"{name} alone"] == pytest.approx(by_closed_form(tmp_path, [name]), abs=0.003)
    assert mean["all cohorts with one benefit"] == pytest.approx(by_closed_form(tmp_path, list(COHORTS)), abs=0.003)


@pytest.mark.parametrize("declaring", COHORTS)
def test_patients_of_two_cohorts_inform_the_benefit_once_whichever_of_the_two_declares_it(
    declaring: str, tmp_path: Path
) -> None:
    first, second = COHORTS
    write_two_cohorts(tmp_path, "relative")
    with (tmp_path / declaring / "cohort.toml").open("r+", encoding="utf-8") as stream:
        text = stream.read()
        stream.seek(0)
        stream.write(f'same_patients = ["{second if declaring == first else first}"]\n{text}')
    cohorts = [load_targets(tmp_path / name) for name in COHORTS]
    for order, counted, left_out in ((cohorts, first, second), (cohorts[::-1], second, first)):
        assert benefit.of_same_patients(order) == [left_out]
        inferred = benefit.of_cohorts(order)
        assert inferred is not None
        mean = inferred.summary.set_index("how")["mean"]
        assert mean[f"{counted} alone"] == pytest.approx(by_closed_form(tmp_path, [counted]), abs=0.003)
        assert inferred.summary["n"].max() == 80
        assert counted in inferred.fitted_to
        assert f"{left_out}=" not in inferred.fitted_to


def test_a_cohort_that_treats_no_more_than_today_takes_no_patients_from_one_that_does(tmp_path: Path) -> None:
    """Of its patients none is additional, so that it says nothing of them."""
    first, second = COHORTS
    write_two_cohorts(tmp_path, "relative")
    rows = (tmp_path / first / "targets.csv").read_text(encoding="utf-8")
    fewer = rows.replace(f"treated,patients,treated,,,,{COHORTS[first][0]},", "treated,patients,treated,,,,32,")
    assert fewer != rows
    (tmp_path / first / "targets.csv").write_text(fewer, encoding="utf-8")
    text = (tmp_path / first / "cohort.toml").read_text(encoding="utf-8")
    (tmp_path / first / "cohort.toml").write_text(f'same_patients = ["{second}"]\n{text}', encoding="utf-8")
    cohorts = [load_targets(tmp_path / name) for name in COHORTS]
    assert [benefit.informing(cohort) is None for cohort in cohorts] == [True, False]
    assert benefit.of_same_patients(cohorts) == []
    inferred = benefit.of_cohorts(cohorts)
    assert inferred is not None
    assert f"{second} alone" in set(inferred.summary["how"])


def test_a_cohort_of_treated_patients_alone_is_asked_whether_others_were_left_out(tmp_path: Path) -> None:
    """A series of treated patients says nothing of additional ones."""
    first, second = COHORTS
    write_two_cohorts(tmp_path, "relative")
    rows = (tmp_path / first / "targets.csv").read_text(encoding="utf-8")
    every = rows.replace(f"treated,patients,treated,,,,{COHORTS[first][0]},", "treated,patients,treated,,,,80,")
    (tmp_path / first / "targets.csv").write_text(every, encoding="utf-8")
    (note,) = benefit.notes(load_targets(tmp_path / first))
    assert note.endswith("If the paper left out patients who were not treated, set marginal_benefit = 1")
    assert benefit.notes(load_targets(tmp_path / second)) == []
    with (tmp_path / first / "cohort.toml").open("r+", encoding="utf-8") as stream:
        text = stream.read()
        stream.seek(0)
        stream.write(f"marginal_benefit = 1\n{text}")
    assert benefit.notes(load_targets(tmp_path / first)) == []


def test_a_figure_without_a_chance_whatever_the_benefit_says_nothing_of_it() -> None:
    """As an event in a month in which a parameter set lets nobody have one: other cohorts inform it there."""
    survival = np.array([0.0, 0.3]), np.array([0.0, 0.6])
    impossible, other = Evidence("one", SCHULTZ, *survival), by_hand(WUDHIKARN, 0.79, np.array([0.6, 0.72]))
    posterior = of_one_benefit(impossible.log_likelihood)
    assert posterior.density[0] == pytest.approx(of_one_benefit(np.zeros((1, GRID.size))).density[0])
    assert posterior.weights == pytest.approx([0.0, 1.0])
    both = of_one_benefit(impossible.log_likelihood + other.log_likelihood)
    assert both.density[0] == pytest.approx(of_one_benefit(other.log_likelihood).density[0])
    assert np.isfinite(infer([impossible, other], np.array([0.3, 0.4]), "os_12").values).all()


CHANGES = [("own.toml", "rate = 0.25", "rate = 0.3"), ("draws.csv", "0.", "0.1")]


@pytest.mark.parametrize(("file", "old", "new"), CHANGES)
def test_a_cohort_with_another_pathway_or_draws_is_named_as_left_out(
    file: str, old: str, new: str, tmp_path: Path
) -> None:
    write_two_cohorts(tmp_path, "copies")
    file_of_second = tmp_path / "second" / file
    file_of_second.write_text(file_of_second.read_text().replace(old, new, 1))
    cohorts = [load_targets(tmp_path / name) for name in COHORTS]
    assert benefit.of_other_models(cohorts) == ["second"]
    benefit_of_cohorts = benefit.of_cohorts(cohorts)
    assert benefit_of_cohorts is not None
    assert benefit_of_cohorts.summary["cohorts"].max() == 1


def test_a_cohort_that_does_not_inform_the_benefit_is_not_named_as_left_out(tmp_path: Path) -> None:
    cohorts = write_two_cohorts(tmp_path, "copies")
    assert benefit.of_other_models([*shipped(), *cohorts]) == ["first", "second"]
    assert benefit.of_other_models([*cohorts, shipped()[2]]) == []


@pytest.mark.slow
def test_a_cohort_of_another_pathway_that_does_not_inform_the_benefit_may_be_the_first() -> None:
    cohorts = [load_targets("ari2021"), *shipped()]
    assert benefit.of_other_models(cohorts) == []
    of_all, of_relapsed = (benefit.of_cohorts(every, most=5) for every in (cohorts, shipped()))
    assert of_all is not None
    assert of_relapsed is not None
    pd.testing.assert_frame_equal(of_all.summary, of_relapsed.summary)


COLUMNS = "name,kind,population,state,attribute,month,curve,count,n,value,standard_error,unit,place,use,note"
FOLLOWED = "[follow_up]\nlower = 6\nupper = 30\n"
TIMES = {"events": (0.4, 2.3, 5.1, 5.1, 7.7, 14.0), "others": (9.5, 21.0, 30.0)}
"""Months of nine patients, and those at which some of them were last seen alive."""


def first_alone(folder: Path, *rows: str, more: str = "", use: str = "validation") -> Targets:
    """The first cohort with other figures. rows : name,kind,population,state,attribute,month,curve,count,n,value"""
    write_two_cohorts(folder, "relative")
    lines = ["treated,patients,treated,,,,,64,80,,,patients,page 1,setting,"]
    lines += [f"{row},,%,page 2,{use}," for row in rows]
    (folder / "first" / "targets.csv").write_text("\n".join([COLUMNS, *lines, ""]))
    with (folder / "first" / "cohort.toml").open("a") as stream:
        stream.write(more)
    patients = [f"all,{month},{event}" for event, name in ((1, "events"), (0, "others")) for month in TIMES[name]]
    (folder / "first" / "patients.csv").write_text("\n".join(["population,month,event", *patients, ""]))
    return load_targets(folder / "first")


def alive_by_closed_form(folder: Path, month: Floats | float, m: Floats) -> Floats:
    """S of the first cohort, (n_draws, n_m, n_months), in which 0.8 are treated; practice treats 0.4."""
    response = pd.read_csv(folder / "draws.csv")["responding"].to_numpy()[:, None, None]
    month, m = np.atleast_1d(month), m[:, None]
    treated = response * np.exp(-0.02 * month) + (1 - response) * np.exp(-0.4 * month)
    untreated = np.exp(-0.25 * month)
    return np.asarray(0.4 * treated + 0.4 * (m * treated + (1 - m) * untreated) + 0.2 * untreated)


def drawn(*months: float, at_risk: bool = True) -> list[str]:
    """Points of a curve of 80, of whom nobody is censored."""
    alive = {3.0: 60, 9.0: 48, 24.0: 30}
    points = [f"s{t:g},survival,all,,,{t:g},os,,80,{100 * alive[t] / 80}" for t in months]
    return points + [f"n{t:g},at_risk,all,,,{t:g},os,{alive[t]},80," for t in months if at_risk]


def of_the_curve(folder: Path, m: Floats) -> Floats:
    alive = alive_by_closed_form(folder, np.array([0.0, 3.0, 9.0, 24.0, np.inf]), m)
    return np.asarray(stats.multinomial.logpmf([20, 12, 18, 30], 80, -np.diff(alive)))


def of_the_times(folder: Path, m: Floats) -> Floats:
    events, others = (np.array(TIMES[name]) for name in ("events", "others"))
    died = alive_by_closed_form(folder, events - 0.05, m) - alive_by_closed_form(folder, events + 0.05, m)
    return np.asarray(np.log(died).sum(axis=-1) + np.log(alive_by_closed_form(folder, others, m)).sum(axis=-1))


def of_the_followed(folder: Path, m: Floats) -> Floats:
    """Follow-up ends evenly between months 6 and 30: who is lost before month 24 is not known to have died."""
    until = np.minimum(24.0, 6.0 + 24.0 * (np.arange(60) + 0.5) / 60)
    return np.asarray(stats.binom.logpmf(45, 80, alive_by_closed_form(folder, until, m).mean(axis=-1)))


FINEST = {
    "a curve with its numbers at risk": ([*drawn(3, 9, 24), "late,survival,all,,,36,,,80,5"], "", of_the_curve, 80),
    "times of single patients": (
        ["os,patient_times,all,,,12,,,9,", "late,survival,all,,,24,,,80,20"],
        "",
        of_the_times,
        9,
    ),
    "a curve of all, and times of a few": (["os,patient_times,all,,,12,,,9,", *drawn(3, 9, 24)], "", of_the_curve, 80),
    "a count of patients, some of them lost": (["alive,survivors,all,,,24,,45,80,"], FOLLOWED, of_the_followed, 80),
}


@pytest.mark.parametrize("case", FINEST)
def test_the_finest_survival_that_a_cohort_reports_informs_the_benefit(case: str, tmp_path: Path) -> None:
    rows, more, log_likelihood, n = FINEST[case]
    inferred = benefit.of_cohorts([first_alone(tmp_path, *rows, more=more)])
    assert inferred is not None
    row = inferred.summary.set_index("how").loc["first alone"]
    m = np.linspace(0, 1, 501)
    weights = special.softmax(log_likelihood(tmp_path, m), axis=1).mean(axis=0)
    assert row["mean"] == pytest.approx(weights @ m, abs=0.002)
    ends = np.interp([0.025, 0.975], np.cumsum(weights), m)
    assert list(row[["lower", "upper"]]) == pytest.approx(list(ends), abs=0.006)
    assert row["n"] == n


@pytest.mark.parametrize("rows", [drawn(3, 9, 24), ["os,patient_times,all,,,12,,,9,"]])
def test_the_likelihood_of_the_benefit_is_that_of_a_fit_of_the_same_rows(rows: list[str], tmp_path: Path) -> None:
    fitted = first_alone(tmp_path / "fitted", *rows, use="likelihood")
    gathered = benefit.gather([first_alone(tmp_path, *rows)], pd.read_csv(tmp_path / "draws.csv"))
    assert gathered is not None
    draws = {"uptake": np.full((30, 1), 0.4), "responding": pd.read_csv(tmp_path / "draws.csv")[["responding"]].values}
    for place in (0, 60, 200):
        scenario = replace(fitted.scenario, marginal_benefit=float(GRID[place]))
        of_all = Likelihood(replace(fitted, scenario=scenario)).parts(draws)["os of all"]
        np.testing.assert_allclose(gathered[0][0].log_likelihood[:, place], of_all, rtol=0, atol=2e-3)


AS_IF_UNCENSORED = {
    "few at risk as reported": (
        ["early,survival,all,,,12,,,80,55", "late,survival,all,,,36,,,80,20", "n36,at_risk,all,,,36,,1,80,"],
        "",
        "line 4: at month 36 only about 1.0 of 80 patients are still at risk, so that this figure does not inform",
    ),
    "few at risk by follow-up": (
        ["early,survival,all,,,12,,,80,55", "late,survival,all,,,29,,,80,30"],
        FOLLOWED,
        "line 4: at month 29 only about 1.0 of 80 patients are still at risk, so that this figure does not inform",
    ),
    "a curve without numbers at risk": (
        ["early,survival,all,,,12,,,80,55", "late,survival,all,,,36,os,,80,20"],
        "",
        "line 4: a point of curve os without its number at risk does not inform the marginal benefit",
    ),
}


@pytest.mark.parametrize("case", AS_IF_UNCENSORED)
def test_a_month_with_hardly_anybody_at_risk_does_not_inform_the_benefit_and_is_named(
    case: str, tmp_path: Path
) -> None:
    rows, more, words = AS_IF_UNCENSORED[case]
    targets = first_alone(tmp_path, *rows, more=more)
    survival = benefit.informing(targets)
    assert survival is not None
    assert (survival.figure.months, survival.figure.n) == ((12.0,), 80.0)
    (note,) = benefit.notes(targets)
    assert words in note
    alone = first_alone(tmp_path / "alone", *rows[1:])
    if case != "few at risk by follow-up":
        assert benefit.informing(alone) is None
        assert "line 3" in benefit.notes(alone)[0]
