"""Other structures of the model: their headline has a closed form on a small cohort; the shipped ones make sense."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_cohort import TREATED_OR_NOT, write_cohort
from scipy import stats
from sojourn_times import exponential, fixed
from worlds import chance, decision, load, practice, share, slow, sojourn, toml, world

from calibration import fit
from calibration.likelihood.targets import Targets, load_targets
from calibration.predictive import simulated
from calibration.validation.structure_fits import FROZEN, REFITTED, REWEIGHTED, frozen, refitted
from calibration.validation.structure_table import StructureTable, policies_of, refuse, survival
from simulator.errors import InputError
from simulator.evidence import structures
from simulator.pathway.format import load_pathway
from simulator.scenario.scenario import Scenario

pytestmark = pytest.mark.usefixtures("quick_fits")

BETA = {"family": "beta", "a": 1, "b": 1}
CLINIC = world(
    "relapse",
    {
        "relapse": decision(treatment="uptake", supportive_care="rest"),
        "treatment": chance(home="cure", no_response="rest"),
        "no_response": sojourn(dead=exponential(mean=2)),
        "supportive_care": sojourn(dead=exponential(mean=2)),
    },
    clocks={"relapse": "relapse"}, groups={"treated": "treatment", "untreated": "supportive_care"},
    parameters={"uptake": share(0.4, prior=BETA), "cure": share(0.5, prior=BETA)},
    marginal=practice("8/20", "relapse", "treatment", "supportive_care", "no_response"),
)  # fmt: skip
"""Some are treated, some of these are cured; all others die at a constant hazard."""
PESSIMIST = {"title": "few are cured", "extends": "own.toml", "parameters": {
    "cure": share(0.1, prior={"family": "beta", "a": 1, "b": 9})
}}  # fmt: skip
ROWS = (
    "treated,patients,treated,,,,8,20,,,,made up,likelihood,",
    "untreated,patients,untreated,,,,12,20,,,,made up,likelihood,",
    "cured,entered,treated,home,,,5,8,,,,made up,likelihood,",
)
ALIVE = np.exp(-12 / 2)
"""Of those who are not cured, at 12 months."""


def of_cure(p: float) -> float:
    """The difference that treating 80 instead of 40 of 100 makes, if p of the treated are cured."""
    return 0.4 * p * (1.0 - ALIVE)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory, quick_fits: None) -> Targets:
    folder = tmp_path_factory.mktemp("cohort")
    (folder / "other.toml").write_text(toml(PESSIMIST), encoding="utf-8")
    (folder / "same.toml").write_text(toml({"title": "the same", "extends": "own.toml"}), encoding="utf-8")
    write_cohort(
        folder, CLINIC, ROWS, clock="relapse", n=20, arms=TREATED_OR_NOT,
        readings={"unknown": {"meaning": "cures are not used", "leave_out": "cured"}},
        structures={
            "pessimist": {"meaning": "few are cured", "pathway": "other.toml"},
            "unknown": {"meaning": "cures are not used", "reading": "unknown"},
            "same": {"meaning": "the same", "pathway": "same.toml"},
        },
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "predict", partial(fit.predict, wanted=20))  # no test reads predictions
        fit.calibrate(folder, wanted=800, effective=1600.0)
    return load_targets(folder)


@pytest.fixture(scope="module")
def made(cohort: Targets, tmp_path_factory: pytest.TempPathFactory) -> StructureTable:
    base = Scenario("base", cohort.pathway)
    table = StructureTable(
        cohort, [base, replace(base, name="more", set={"uptake": 0.8})], tmp_path_factory.mktemp("t")
    )
    assert table.make() == []
    return table


CURED = {
    structures.DECLARED: stats.beta(6, 4),
    structures.AGAIN: stats.beta(6, 4),
    "pessimist": stats.beta(6, 12),
    "unknown": stats.beta(1, 1),
    "same": stats.beta(6, 4),
}


@pytest.mark.parametrize("name", CURED)
def test_the_headline_of_each_structure_is_that_of_its_beta_posterior(made: StructureTable, name: str) -> None:
    rows = made.table().set_index(["structure", "scenario"]).loc[name]
    known, row = CURED[name], rows.loc["more"]
    error = of_cure(known.std()) / np.sqrt(row["effective_draws"])
    assert row["difference"] == pytest.approx(of_cure(known.mean()), abs=4 * error)
    assert row["difference_lower"] == pytest.approx(of_cure(known.ppf(0.025)), abs=0.02)
    assert row["difference_upper"] == pytest.approx(of_cure(known.ppf(0.975)), abs=0.02)
    assert row["difference_same_sign"] == pytest.approx(1.0)
    assert rows.loc["base", "survival"] == pytest.approx(ALIVE + of_cure(known.mean()), abs=4 * error)
    moved = of_cure(known.mean()) - of_cure(CURED[structures.DECLARED].mean())
    assert row["moved"] == pytest.approx(moved, abs=4 * row["moved_se"] + 1e-12)


def test_the_frozen_draws_are_reweighted_or_a_structure_is_fitted_anew(made: StructureTable) -> None:
    how = made.table().drop_duplicates("structure").set_index("structure")["how"]
    assert (how[structures.DECLARED], how[structures.AGAIN], how["same"]) == (FROZEN, REFITTED, REWEIGHTED)
    assert how["unknown"] == REFITTED, "its flat posterior is far wider than the frozen draws"
    rows = made.table().set_index(["structure", "scenario"])
    assert rows.loc[("same", "more"), "moved"] == pytest.approx(0.0, abs=1e-12)


def test_the_evidence_of_structures_of_the_same_rows_is_beta_binomial(made: StructureTable) -> None:
    evidence = made.table().drop_duplicates("structure").set_index("structure")["log_evidence"]
    known = [stats.betabinom.logpmf(5, 8, 1, b) for b in (1, 9)]
    assert evidence["pessimist"] - evidence[structures.AGAIN] == pytest.approx(known[1] - known[0], abs=0.15)
    assert np.isnan(evidence["unknown"])


def test_a_fit_of_its_own_gives_what_reweighting_gives(made: StructureTable, cohort: Targets) -> None:
    other = load_targets(cohort.folder, structure="pessimist")
    with fit.likelihood_of(other, 1) as (log_likelihood, _):
        fitted = refitted(other, log_likelihood, 20_000)
    assert fitted.draws["cure"].mean() == pytest.approx(6 / 18, abs=4 * stats.beta(6, 12).std() / fitted.effective**0.5)


def test_a_stopped_table_goes_on_and_one_of_changed_files_is_made_again(
    made: StructureTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made.missing() == []
    file = made.folder / structures.FILE
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("pessimist")), encoding="utf-8")
    assert made.missing() == ["pessimist"]
    file.write_text("".join(lines), encoding="utf-8")
    other = made.targets.folder / "other.toml"
    before = other.read_text(encoding="utf-8")
    other.write_text(f"# a word more\n{before}", encoding="utf-8")
    assert made.missing() == []
    other.write_text(f"group_window = 100.0\n{before}", encoding="utf-8")
    assert made.missing() == ["pessimist"]
    other.write_text(before, encoding="utf-8")
    monkeypatch.setattr(StructureTable, "fit", lambda *_: pytest.fail("nothing is missing"))
    assert made.make() == []


def test_a_policy_treats_the_same_share_of_all_where_some_are_treated_less_often() -> None:
    clinic = world(
        "relapse",
        {
            "relapse": decision(
                treatment={"probability": "uptake", "eligible": {"risk": {"high": "odds"}}}, supportive_care="rest"
            ),
            "treatment": chance(home=0.5, no_response=0.5),
            "no_response": sojourn(home=fixed(1)),
            "supportive_care": sojourn(dead=fixed(1)),
        },
        attributes={"risk": {"high": 1, "low": 3}}, clocks={"relapse": "relapse"},
        parameters={"uptake": share(0.4), "odds": share(0.3)},
        marginal=practice("2/5", "relapse", "treatment", "supportive_care", "no_response"),
    )  # fmt: skip
    base = Scenario("base", load(clinic))
    draws = pd.DataFrame({"uptake": [0.4, 0.7], "odds": [0.3, 0.9]})
    alive = survival([base, replace(base, name="more", set={"uptake": 0.8})], draws)
    np.testing.assert_allclose(alive, [[0.4, 0.4], [0.8, 0.8]], atol=1e-9)


# --- Messages ---


def rewritten(cohort: Targets, folder: Path, **structure: object) -> Path:
    for file in cohort.folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    about = (folder / "cohort.toml").read_text(encoding="utf-8")
    keys = toml(structure)
    (folder / "cohort.toml").write_text(f'{about}\n[structures.wrong]\nmeaning = "wrong"\n{keys}', encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ({"reading": "unknwon"}, r"\[structures.wrong\] reading: unknown reading.*unknwon.*did you mean 'unknown'"),
        (
            {},
            r"\[structures.wrong\]: the structure of the cohort itself; allowed: a reading, a pathway, a prior_weight",
        ),
        ({"pathway": "nowhere.toml"}, r"\[structures.wrong\] pathway.*nowhere.toml"),
        ({"prior_weight": 0}, r"structures.wrong.prior_weight: input should be greater than 0; got 0"),
    ],
)
def test_a_structure_that_is_none_is_refused_with_its_place(
    cohort: Targets, tmp_path: Path, structure: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_targets(rewritten(cohort, tmp_path, **structure), structure="wrong")


def test_an_unknown_structure_is_refused_with_those_declared(cohort: Targets) -> None:
    with pytest.raises(InputError, match=r"unknown structure; got 'optimist'; allowed: pessimist, unknown, same"):
        load_targets(cohort.folder, structure="optimist")


def test_a_structure_without_a_lever_of_a_policy_is_refused(cohort: Targets) -> None:
    policy = Scenario("more", cohort.pathway, set={"uptaek": 0.8})
    with pytest.raises(InputError, match=r"\[set\] uptaek: unknown parameter"):
        refuse(cohort, [policy], 20_000)


def test_a_cohort_without_structures_is_refused() -> None:
    with pytest.raises(InputError, match="the cohort declares no other structure"):
        refuse(load_targets("schultz2023"), [], 20_000)


# --- The shipped structures ---


@pytest.mark.slow
def test_nobody_without_response_goes_unrescued_where_the_non_responder_is_alive(letter: Targets) -> None:
    """Without rescue the letter's own reading is nearly impossible; readings that leave the one open are not."""
    draws = frozen(letter).draws.iloc[:10]
    drops = {}
    for reading in ("", "pooled", "non_responder_anywhere", "without_salvage"):
        likelihood = fit.Posterior(load_targets("wang2024", reading)).of_values
        rescued, none = draws.copy(), draws.assign(nr_cure=1e-9, pr_cure=1e-9)
        drops[reading] = np.median(likelihood(none.to_numpy()) - likelihood(rescued.to_numpy()))
    for structure in letter.cohort.structures.values():
        pathway = load_pathway(letter.folder / structure.pathway) if structure.pathway else letter.pathway
        if pathway.parameters["nr_cure"].prior is None:
            assert drops[structure.reading] > -3.0, structure.name
    assert drops[""] < -5.0
    assert drops["without_salvage"] < -5.0


SALVAGES = ("chemotherapy", "immunotherapy", "car_t_reinfusion", "dual_target_reinfusion")
SOURCED = {
    *("remission_cure", "hsct_cure", "trm_free_first_hsct", "trm_free_second_hsct"),
    *(f"{response}_{salvage}" for response in ("cr", "pr", "nr") for salvage in SALVAGES),
}
"""Probabilities that are centred on other cohorts and as weak as a flat prior, by the head of the pathway."""


@pytest.mark.parametrize(("name", "patients"), [("priors_worth_five", 5.0), slow("priors_worth_one", 1.0)])
def test_sourced_priors_of_another_weight_are_all_of_them_at_their_declared_centres(
    name: str, patients: float, letter: Targets
) -> None:
    weighted = load_targets("wang2024", structure=name).pathway.parameters
    for of, parameter in letter.pathway.parameters.items():
        prior, centre = weighted[of].prior, parameter.value
        if of not in SOURCED:
            assert weighted[of] == parameter
            continue
        assert prior is not None
        alphas = {"alpha": centre} if prior.family == "dirichlet" else {"a": centre, "b": 1.0 - centre}
        assert prior.arguments == pytest.approx({key: patients * alpha for key, alpha in alphas.items()}), of


@pytest.mark.parametrize(
    "name", [*map(slow, ("early_relapse", "prior_hsct", "cd19_negative", "hsct_in_pr")), "hsct_after_inotuzumab"]
)
def test_a_pathway_whose_ratios_and_odds_are_1_is_the_declared_one(name: str, letter: Targets) -> None:
    draws = frozen(letter).draws.iloc[:2]
    declared = fit.Posterior(letter).of_values(draws.to_numpy())
    ratios = ("risk_hazard_ratio", "risk_uptake_odds", "pr_hsct_hazard_ratio", "inotuzumab_hsct_hazard_ratio")
    no_difference = {**dict.fromkeys(ratios, 1.0), "inotuzumab_share": [0.1, 0.9]}
    other = fit.Posterior(load_targets("wang2024", structure=name))
    values = draws.assign(**no_difference)[list(other.priors.names)]
    np.testing.assert_allclose(other.of_values(values.to_numpy()), declared, rtol=1e-9)


def test_rows_of_a_response_count_every_state_of_it_in_patients_of_a_structure() -> None:
    targets = load_targets("wang2024", structure="hsct_after_inotuzumab")
    patients = simulated(targets, {}, number=1, times=20)
    count = {figure.name: patients.figure(figure) for figure in targets.figures if figure.kind in ("entered", "deaths")}
    responses = sum(count[name] for name in ("complete_response", "partial_response", "no_response"))
    treated = sum(count[name] for name in ("chemotherapy", "immunotherapy", "car_t_reinfusion"))
    assert count["deaths_of_toxicity"] > 0
    assert responses + count["deaths_of_toxicity"] == treated


def test_a_state_that_a_structure_does_not_have_is_refused(cohort: Targets, tmp_path: Path) -> None:
    folder = rewritten(cohort, tmp_path, prior_weight=2, **{"entered.home": ["healed"]})
    with pytest.raises(InputError, match=r"cohort.toml: \[structures\] entered: unknown state; got 'healed'"):
        load_targets(folder, structure="wrong")


def test_the_shipped_policies_are_those_in_which_nobody_waits() -> None:
    names = [policy.name for policy in policies_of(load_pathway("b_all_post_cd19"))]
    assert names[0] == "baseline"
    assert {"wider-salvage", "no-hsct", "dual-target-reinfusion"} < set(names)
    assert {"letter-centre", "hsct-as-milestone", "infused"}.isdisjoint(names)
