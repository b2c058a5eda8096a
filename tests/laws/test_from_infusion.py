"""From infusion on: what follows a relapse is that of the calibrated pathway, and some patients never relapse."""

from dataclasses import replace

import numpy as np
import pytest
from evidence import number
from matplotlib.text import Text
from scipy import stats
from worlds import slow

from simulator import compare, load_scenario
from simulator.engines.exact import engine
from simulator.engines.model import resolve
from simulator.evidence.cohort import cohorts_folder, load_cohort
from simulator.evidence.draws import levels, load_draws
from simulator.figures.gallery import gallery

CERTAIN = {
    "car_t_toxic_death": 0.0,
    "cr_car_t": 1.0,
    "long_term_remission": 0.0,
    "long_term_remission_with_hsct": 0.0,
    "remission_death_free_with_hsct": 1.0,
}
"""Everybody infused comes to a relapse, as in the pathway of those who do."""


def test_where_everybody_relapses_they_live_as_long_as_the_relapsed_cohort() -> None:
    relapsed, infused = load_scenario("baseline"), load_scenario("infused")
    # The case mix of those who relapse is declared there.
    mix = {"prior_hsct": {"yes": 17.0, "no": 20.0}}
    certain = replace(infused, population=mix)
    ends = dict.fromkeys(CERTAIN, 0.0) | CERTAIN
    base = engine.curves(resolve(relapsed), 120.0).survival["infusion", "all"]
    curve = engine.curves(resolve(certain, {name: np.full((1, 1), end) for name, end in ends.items()}), 120.0)
    np.testing.assert_allclose(curve.survival["infusion", "all"], base, atol=2e-4)


@pytest.mark.parametrize("ratio", [slow(1.0), 0.5])
def test_of_patients_in_long_term_remission_a_lower_hazard_makes_more(ratio: float) -> None:
    """P(relapse ever) = P(no toxic death) P(CR) (1 - sum_l w_l c_l^HR) where nobody dies in remission."""
    scenario = replace(load_scenario("infused"), hazard_ratio={"car_t_remission.relapse": ratio})
    values = {"remission_death_free_with_hsct": np.ones((1, 1))}
    curves = engine.curves(resolve(scenario, values), 600.0).end_points["efs"]
    relapsed = curves.incidence["relapse"]["infusion", "all"][0, -1]
    assert relapsed == pytest.approx(0.996 * 0.996 * (1.0 - 0.4 * 0.58**ratio - 0.6 * 0.76**ratio), abs=1e-4)


@pytest.mark.parametrize(
    ("policy", "cohort", "quantity", "of"),
    [
        ("infused", "Peking PUPH 115 (from infusion)", "morphologic CR", 115),
        ("infused-elsewhere", "CIBMTR tisa-cel 2025 (from infusion)", "CR/CRi, best", 100),
    ],
)
def test_of_everybody_infused_as_many_have_a_response_as_papers_report(
    policy: str, cohort: str, quantity: str, of: int
) -> None:
    """A toxic death comes before the response: P(CR) = P(no toxic death) P(CR | no toxic death), by exact means."""
    draws = _draws(policy)
    responding = (1.0 - draws["car_t_toxic_death"]) * draws["cr_car_t"]
    noise = 4.0 * responding.std() / np.sqrt(responding.size)
    assert responding.mean() == pytest.approx(number(cohort, quantity) / of, abs=0.01 + noise)
    ends = {"infused": (0.968, 1.0), "infused-elsewhere": (0.71, 0.96)}[policy]
    np.testing.assert_allclose(np.quantile(responding, (0.025, 0.975)), ends, atol=0.02)


def test_the_calibrated_part_has_the_draws_of_the_cohort_and_the_rest_its_priors() -> None:
    infused, relapsed = (load_draws(load_scenario(name).pathway) for name in ("infused", "baseline"))
    assert infused is not None
    assert relapsed is not None
    np.testing.assert_array_equal(infused["hsct_cure"], relapsed["hsct_cure"])
    np.testing.assert_array_equal(infused["relapse_shape"], relapsed["relapse_shape"])
    elsewhere = load_draws(load_scenario("infused-elsewhere").pathway)
    assert elsewhere is not None
    np.testing.assert_array_equal(elsewhere["hsct_cure"], relapsed["hsct_cure"])
    assert elsewhere["relapse_shape"].mean() == pytest.approx(2.0, abs=0.1)
    assert infused["cr_car_t"].mean() == pytest.approx(115 / 115.5, abs=0.002)


@pytest.mark.parametrize(
    ("policy", "reported"),
    [
        # 4-year leukaemia-free survival 68.7 (SE 4.5) and OS 70.7 (SE 4.3) of 115: external2.csv, Peking PUPH 115.
        slow("infused", {("efs", 48): (0.687, 0.045), ("os", 48): (0.707, 0.043)}),
        # ELIANA: OS of 79 at 12 months 76 (65-85); FELIX: EFS of 127 at 12 and 24 months 49.5 and 43.0.
        ("infused-elsewhere", {("os", 12): (0.76, 0.05), ("efs", 12): (0.495, 0.044), ("efs", 24): (0.43, 0.044)}),
    ],
)
def test_published_survival_from_infusion_is_within_what_the_priors_leave_open(
    policy: str, reported: dict[tuple[str, int], tuple[float, float]]
) -> None:
    """Each figure within two standard deviations: of the parameter sets and of its own sample."""
    model = resolve(load_scenario(policy), {name: draws[:100] for name, draws in levels(_draws(policy)).items()})
    curves = engine.curves(model, 60.0, only={("infusion", "all"), ("infusion", "all", "efs")})
    for (end_point, month), (value, error) in reported.items():
        survival = (curves if end_point == "os" else curves.end_points[end_point]).survival["infusion", "all"]
        at = survival[:, np.searchsorted(curves.months, month)]
        assert abs(at.mean() - value) < 2.0 * np.hypot(at.std(), error), (end_point, month, at.mean())


def _draws(policy: str) -> dict[str, np.ndarray]:
    table = load_draws(load_scenario(policy).pathway)
    assert table is not None
    return {str(name): table[name].to_numpy() for name in table.columns}


@pytest.mark.parametrize("policy", ["infused", "infused-elsewhere"])
def test_the_share_with_consolidative_hsct_is_fixed_and_every_text_says_so(policy: str) -> None:
    scenario = load_scenario(policy)
    attribute = scenario.pathway.attributes["prior_hsct"]
    percent = round(100 * attribute.levels["yes"] / sum(attribute.levels.values()))
    assert f"fixed at {percent} of 100" in " ".join(scenario.assumes.split())
    assert f"HSCT in first CR, fixed at .{percent}" in attribute.source
    page = " ".join((cohorts_folder().parent / "evidence" / "SOURCES.md").read_text(encoding="utf-8").split())
    assert "| HSCT in the first remission, fixed | 0.60 (0.40 to 0.79)" in page
    assert "has no prior, and is fixed at 0.60 and 0.21" in page


def test_elsewhere_one_median_time_to_relapse_has_the_interval_of_its_source_whatever_the_cd19() -> None:
    pathway = load_scenario("infused-elsewhere").pathway
    timing = pathway.states["car_t_remission"].transition("relapse").time
    assert timing is not None
    assert timing.arguments["median"] == "relapse_median"
    prior = pathway.parameters["relapse_median"].prior
    assert prior is not None
    shape, rate = prior.arguments["shape"], prior.arguments["rate"]
    lower, median, upper = stats.gamma(shape, scale=1.0 / rate).ppf([0.025, 0.5, 0.975])
    page = " ".join((cohorts_folder().parent / "evidence" / "SOURCES.md").read_text(encoding="utf-8").split())
    assert f"log-logistic, median {median:.0f} ({lower:.1f} to {upper:.1f}), shape 2: ELIANA" in page


def test_the_share_with_hsct_hardly_matters_to_the_interval_of_who_never_relapses() -> None:
    """Drawn from its interval, it moves neither end by more than a point: by independent sampling of the priors."""
    rng, n = np.random.default_rng(1), 200_000
    for policy, share in (("infused", (14, 9)), ("infused-elsewhere", (9.5, 36))):
        scenario = load_scenario(policy)
        levels, parameters = scenario.pathway.attributes["prior_hsct"].levels, scenario.pathway.parameters
        names = ("long_term_remission", "long_term_remission_with_hsct", "remission_death_free_with_hsct")
        priors = [parameters[name].prior for name in names]
        without, with_hsct, free = (rng.beta(*prior.arguments.values(), n) for prior in priors if prior is not None)
        fixed, drawn = (
            np.quantile(given * with_hsct * free + (1.0 - given) * without, (0.025, 0.975))
            for given in (levels["yes"] / sum(levels.values()), rng.beta(*share, n))
        )
        np.testing.assert_allclose(fixed, drawn, atol=0.01)


@pytest.mark.slow
def test_consolidative_hsct_for_more_is_a_case_mix_and_touches_nobody_else() -> None:
    results = compare("infused", "consolidative-hsct", draws=2, horizon=60.0)
    levels = results.survival[results.survival["population"].str.startswith("prior_hsct=")]
    by_level = levels.pivot(index=["population", "month"], columns="scenario", values="survival")
    np.testing.assert_allclose(by_level["consolidative-hsct"], by_level["infused"], atol=1e-9)


@pytest.mark.slow
def test_figures_from_infusion_do_not_say_that_everybody_infused_relapsed() -> None:
    results = compare("infused", draws=1, horizon=24.0)
    cohort = load_cohort(results.scenarios[0].pathway)
    pictures = {picture.name: picture for picture in gallery(results, cohort)}
    assert "cohort_flow" not in pictures
    words = " ".join(text.get_text() for text in pictures["overall_survival"].figure.findobj(Text))
    assert "Alive, of 100 (expected)" in words
    assert "as every patient of the cohort did" not in words
