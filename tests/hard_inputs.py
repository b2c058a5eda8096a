"""Hard inputs for figures: small worlds and tables with many, long, few, equal, empty or extreme things in them.

Every function of `CASES` makes the pictures of one hard input, in both widths where a figure has two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from sojourn_times import Table, exponential, fixed
from worlds import DEATH, chance, decision, load, months, practice, share, sojourn, world, write

from calibration.validation.ecdf_bands import FALSE_ALARM, band, coverage, ecdf, judged
from simulator.analyses.sensitivity.run import Sensitivity, analyse
from simulator.analyses.story import story
from simulator.analyses.sweep.run import Sweep, sweep
from simulator.analyses.virtual_cohorts.immortal_time import immortal_time
from simulator.analyses.virtual_cohorts.power import virtual_cohorts
from simulator.analyses.virtual_cohorts.settings import Settings
from simulator.evidence.cohort import Cohort, load_cohort
from simulator.evidence.draws import BENEFIT_FILE
from simulator.experiment.results import Results
from simulator.experiment.run import compare
from simulator.figures import story as figures_of_stories
from simulator.figures.analyses import immortal_time as figure_of_immortal_time
from simulator.figures.analyses import sensitivity as figures_of_sensitivity
from simulator.figures.analyses import sweep as figures_of_sweeps
from simulator.figures.analyses import virtual_cohorts as figures_of_cohorts
from simulator.figures.calibration import external, ranges, ranks
from simulator.figures.gallery import gallery
from simulator.figures.pathway import diagram, flow
from simulator.figures.picture import Picture, in_two_widths
from simulator.pathway import shipped
from simulator.pathway.format import load_pathway
from simulator.pathway.pathway import Pathway
from simulator.scenario.arrivals import Service
from simulator.scenario.capacity import Capacity
from simulator.scenario.scenario import Scenario

LONG = "a-policy-of-much-wider-salvage-and-earlier-hsct-at-every-centre-of-the-region"
SCRIPTS = ("今日の救援療法", "более-широкое-лечение", "ευρύτερη-θεραπεία", "معالجة-أوسع")
SOURCE = "n = 37: Nobody 2020, a journal that never was 2020;1:1. Not for individual patients."

# --- A small world with everything that a figure draws ---

PARAMETERS = {
    "uptake": share(0.5, prior={"family": "beta", "a": 1, "b": 1}),
    "responding": share(0.7, prior={"family": "beta", "a": 7, "b": 3}),
    "months_with_care": months(4.0, prior={"family": "lognormal", "median": 4, "sigma": 0.3}),
    "months_with_salvage": months(9.0, prior={"family": "lognormal", "median": 9, "sigma": 0.3}),
}


def states(death: Table | None = None) -> dict[str, Table]:
    """Remission, relapse, salvage or care, response, HSCT with a bed. death : the law of every death, if not its own"""
    dying = {"care": "months_with_care", "salvage": "months_with_salvage", "nr": 3, "progression": 5}
    dead = {name: death or exponential(mean=mean) for name, mean in dying.items()}
    return {
        "remission": sojourn(relapse=exponential(mean=8)),
        "relapse": decision(salvage="uptake", care="rest"),
        "salvage": {**sojourn(response=exponential(mean=1.5), dead=dead["salvage"]), "label": "on salvage"},
        "response": chance(cr="responding", nr="rest"),
        "cr": {**sojourn(bed=exponential(mean=3), progression=exponential(mean=12)), "label": "complete response"},
        "bed": {**sojourn(after=fixed(1.2), holds="beds"), "label": "admitted for HSCT"},
        "after": {**sojourn(progression=exponential(mean=60), dead_of_hsct=exponential(mean=90)), "label": "HSCT done"},
        "nr": {**sojourn(dead=dead["nr"]), "label": "no response"},
        "care": {**sojourn(dead=dead["care"]), "label": "supportive care"},
        "progression": {**sojourn(dead=dead["progression"]), "label": "relapse after salvage"},
        "dead": {**DEATH, "label": "death after relapse"},
        "dead_of_hsct": {**DEATH, "label": "transplant-related death", "cause": "treatment"},
    }  # fmt: skip


def small_letter(n_draws: int = 5, of: Mapping[str, Table] | None = None, **tables: Any) -> Pathway:
    """A pathway with the clocks and the groups of the letter. n_draws : 0 for declared values only; of : its states"""
    declared = {
        "title": "Relapse after CAR-T, a small world", "clocks": {"relapse": "relapse", "infusion": "remission"},
        "groups": {"treated": "salvage", "untreated": "care", "hsct": "bed", "other_treated": ("salvage", "bed")},
        "resources": ["beds"], "parameters": PARAMETERS, "survival_months": [6, 12, 24, 60],
        "marginal": practice(0.5, "relapse", "salvage", "care", "nr"),
        "counts": {"bed_months": {"label": "bed-months", "unit": "bed-months per 100 relapses", "months": "bed"}},
        "end_points": {"efs": {"label": "event-free survival", "causes": {
            "no response": "nr", "relapse": "progression", "death": ["dead", "dead_of_hsct"]}}},
        "abbreviations": {"HSCT": "haematopoietic stem cell transplantation"},
    }  # fmt: skip
    declared |= {"draws": "draws.csv"} if n_draws else {}
    made = world("remission", dict(of or states()), **{key: of for key, of in (declared | tables).items() if of})
    if not n_draws:
        return load(made)
    file = write(made, draws=draws_of(made["parameters"], n_draws).to_csv(index=False))
    at_random = np.random.default_rng(2)
    benefit = {"marginal_benefit": at_random.beta(2, 2, n_draws), "prior_alone": at_random.uniform(size=n_draws)}
    pd.DataFrame(benefit).to_csv(file.with_name(BENEFIT_FILE), index=False)
    return load_pathway(file)


def draws_of(parameters: Mapping[str, Table], count: int) -> pd.DataFrame:
    """Parameter sets around the declared values."""
    scores = np.random.default_rng(1).normal(size=(count, len(parameters)))
    columns = {}
    for (name, table), score in zip(parameters.items(), scores.T, strict=True):
        value, is_share = table["value"], table["unit"] == "probability"
        columns[name] = np.clip(value + 0.08 * score, 0.02, 0.98) if is_share else value * np.exp(0.25 * score)
    return pd.DataFrame(columns)


@cache
def letter() -> Cohort:
    """The cohort of the letter: its reported figures are drawn on a small world's clock and groups, too."""
    cohort = load_cohort(load_pathway("b_all_post_cd19"))
    assert cohort is not None
    return cohort


def today(pathway: Pathway, **levers: Any) -> Scenario:
    return Scenario("today", pathway, **levers)


def policies(pathway: Pathway, names: Sequence[str], title: str = "") -> list[Scenario]:
    """Today, and policies that treat more and more, or have relapse come later."""
    made = [today(pathway, title=title)]
    for place, name in enumerate(names):
        lever: dict[str, Any] = {"set": {"uptake": min(0.6 + 0.05 * place, 0.97)}}
        if place % 3 == 2:
            lever = {"hazard_ratio": {"cr.progression": 0.5 / (1 + place)}}
        made.append(Scenario(name, pathway, title=f"{title} {name}".strip() if title else "", **lever))
    return made


def drawn(results: Results, cohort: Cohort | None = None) -> list[Picture]:
    return gallery(results, cohort)


# --- Runs ---


def one_scenario() -> list[Picture]:
    return drawn(compare(today(small_letter())), letter())


def policy(horizon: float) -> list[Picture]:
    return drawn(compare(*policies(small_letter(3), ["wider-salvage"]), horizon=horizon), letter())


def horizon_6() -> list[Picture]:
    return policy(6.0)


def horizon_36() -> list[Picture]:
    return policy(36.0)


def horizon_240() -> list[Picture]:
    return policy(240.0)


def scenarios_14() -> list[Picture]:
    names = [f"policy-{place}" for place in range(1, 14)]
    return drawn(compare(*policies(small_letter(2, marginal=None), names), horizon=60.0), letter())


def long_names() -> list[Picture]:
    names = [f"{LONG}-{end}" for end in ("north", "south", "west")]
    long = {name: {**table, "label": f"{table.get('label', name)} at the centre, or at one of its many partners"}
            for name, table in states().items()}  # fmt: skip
    pathway = small_letter(of=long)
    made = policies(pathway, names, title="As the region has planned it for years:")
    return drawn(compare(*made, horizon=36.0), letter())


def other_scripts() -> list[Picture]:
    return drawn(compare(*policies(small_letter(), SCRIPTS), horizon=36.0), letter())


def one_draw() -> list[Picture]:
    return drawn(compare(*policies(small_letter(), ["wider-salvage", "earlier"]), draws=1, horizon=60.0), letter())


def declared_values() -> list[Picture]:
    return drawn(compare(*policies(small_letter(0), ["wider-salvage"]), horizon=60.0))


def nothing_moves() -> list[Picture]:
    pathway = small_letter()
    return drawn(compare(today(pathway), Scenario("the-same-again", pathway)), letter())


def empty_group() -> list[Picture]:
    pathway = small_letter()
    options = [today(pathway, set={"uptake": 1.0}), Scenario("nobody-treated", pathway, set={"uptake": 0.0})]
    return drawn(compare(*options, horizon=60.0), letter())


def all_die_at_once() -> list[Picture]:
    pathway = small_letter(of=states(fixed(0.01)))
    return drawn(compare(*policies(pathway, ["wider-salvage"]), horizon=24.0), letter())


def nobody_dies() -> list[Picture]:
    pathway = small_letter(of=states(exponential(mean=1e7)))
    return drawn(compare(*policies(pathway, ["wider-salvage"]), horizon=24.0), letter())


def states_25() -> list[Picture]:
    """Patients pass 25 states in a row, and may die in each."""
    names = [f"stage-{place}" for place in range(1, 26)]
    onward = zip(names, [*names[1:], "home"], strict=True)
    made = {name: sojourn(**{to: exponential(mean=2), "dead": exponential(mean=80)}) for name, to in onward}
    pathway = load(world(names[0], made, title="Twenty-five stages"))
    slower = {f"{name}.dead": 2.0 for name in names[:12]}
    return drawn(compare(today(pathway), Scenario("worse-early", pathway, hazard_ratio=slower), horizon=36.0))


# --- Runs with beds ---


def centre(pathway: Pathway, name: str, beds: Sequence[tuple[float, int]], arrivals: float, **more: Any) -> Scenario:
    service = Service(years=2.0, arrivals_per_year=arrivals, warm_up_years=0.5)
    return Scenario(name, pathway, capacity={"beds": Capacity(tuple(beds))}, service=service, **more)


def beds(*counts: Sequence[tuple[float, int]], arrivals: float, **options: Any) -> list[Picture]:
    pathway = small_letter()
    centres = [centre(pathway, f"centre-{place}", count, arrivals) for place, count in enumerate(counts, start=1)]
    settings = {"draws": 3, "replications": 3, "horizon": 24.0, "overload": True, **options}
    return drawn(compare(*centres, **settings), letter())


def one_bed_or_none() -> list[Picture]:
    return beds([(0.0, 1)], [(0.0, 0)], arrivals=3.0)


def few_replications() -> list[Picture]:
    return beds([(0.0, 2)], [(0.0, 3)], arrivals=40.0, draws=1, replications=1)


def beds_open_and_close() -> list[Picture]:
    return beds([(0.0, 1), (12.0, 3), (13.0, 0), (20.0, 4)], [(0.0, 2)], [(0.0, 2), (29.0, 9)], arrivals=60.0)


# --- Stories ---


def stories() -> list[Picture]:
    """A patient under one policy, and under two; of a long name, with waits for a bed, and without any effect."""
    pathway = small_letter()
    first, wider, other = policies(pathway, ["wider-salvage", LONG])
    ward = centre(pathway, "one-bed", [(0.0, 1)], 30.0)
    more = replace(ward, name=LONG, capacity={"beds": Capacity(((0.0, 2),))})
    settings = {"draws": 3, "patients": 200, "horizon": 60.0, "overload": True}
    made = [
        story(first, **settings),
        story(wider, versus=first, **settings),
        story(other, versus=wider, patient=7, **settings),
        story(more, versus=ward, **settings),
        story(Scenario("the-same-again", pathway), versus=first, **{**settings, "draws": 1}),
    ]
    return [picture for of in made for picture in figures_of_stories.pictures(of)]


# --- Sweeps ---


def swept(vary: Mapping[str, Sequence[float]], draws: int = 3, **levers: Any) -> Sweep:
    return sweep(today(small_letter(), **levers), vary, draws=draws, horizon=24.0)


def of_sweep(sweep_of: Sweep) -> list[Picture]:
    return figures_of_sweeps.pictures(sweep_of, letter())


def sweep_of_one_value() -> list[Picture]:
    return of_sweep(swept({"uptake": [0.8]}))


def sweep_of_one_name() -> list[Picture]:
    return of_sweep(swept({"uptake": [0.3, 0.5, 0.7, 0.9]}))


def sweep_of_equal_values() -> list[Picture]:
    return of_sweep(swept({"marginal_benefit": [0.0, 0.5, 1.0], "months_with_care": [4.0, 4.000001]}, 1))


def sweep_of_one_cell() -> list[Picture]:
    return of_sweep(swept({"uptake": [0.5], "responding": [0.7]}))


def sweep_of_many_values() -> list[Picture]:
    vary = {"uptake": np.linspace(0.0, 1.0, 14), "responding": np.linspace(0.1, 0.9, 13)}
    return of_sweep(swept(vary, 1))


def sweep_of_long_names() -> list[Picture]:
    return of_sweep(swept({"hazard_ratio.cr.progression": [0.5, 1.0], "hazard_ratio.salvage.dead": [0.5, 1.0]}, 1))


# --- Sensitivity ---


def questioned(n_parameters: int = 0, meaning: str = "", **settings: Any) -> Sensitivity:
    """An analysis of a policy over 120 parameter sets; `n_parameters` more that change the deaths of care little."""
    more = {
        f"hazard_of_a_further_kind_of_care_{place}": share(0.5, meaning=f"{meaning} {place}", prior={
            "family": "beta", "a": 2, "b": 2})
        for place in range(n_parameters)
    }  # fmt: skip
    named = {name: {**table, "meaning": meaning or "made up"} for name, table in PARAMETERS.items()} | more
    made = states()
    if more:
        made["nr"] = sojourn(fork=exponential(mean=1), dead=exponential(mean=9))
        made["fork"] = chance(**{f"kind_{place}": 1 / n_parameters for place in range(n_parameters)})
        for place, name in enumerate(more):
            made[f"kind_{place}"] = chance(slow=name, dead="rest")
        made["slow"] = sojourn(dead=exponential(mean=3))
    pathway = small_letter(120, made, parameters=named)
    option = Scenario("wider-salvage", pathway, set={"uptake": 0.8})
    return analyse(option, today(pathway), horizon=60.0, **settings)


def of_analysis(analysis: Sensitivity) -> list[Picture]:
    return figures_of_sensitivity.pictures(analysis, letter())


def sensitivity() -> list[Picture]:
    analysis = questioned(parts=["tornado", "prcc", "sobol", "structure", "evppi"], samples=16)
    structure = analysis.tables["structure"]
    priors = pd.concat([structure.iloc[:1]] * 4, ignore_index=True)
    priors["alternative"] = ["declared", *list(PARAMETERS)[1:]]
    priors.loc[2, "effective_draws"] = 5.0
    return of_analysis(replace(analysis, tables={**analysis.tables, "priors": priors}))


def sensitivity_of_many_parameters() -> list[Picture]:
    meaning = "probability that a patient of this kind of supportive care lives on after the first month of it, as read"
    return of_analysis(questioned(30, meaning, parts=["tornado", "prcc"]))


def nothing_to_learn() -> list[Picture]:
    analysis = questioned(parts=["tornado", "evppi"])
    evppi = analysis.tables["evppi"].assign(value=0.0, standard_error=0.0)
    tornado = analysis.tables["tornado"]
    tornado = tornado.assign(outcome_at_low=tornado["outcome_at_centre"], outcome_at_high=tornado["outcome_at_centre"])
    return of_analysis(replace(analysis, tables={"tornado": tornado.assign(swing=0.0), "evppi": evppi}))


# --- Virtual cohorts ---


def cohorts(names: Sequence[str], **settings: Any) -> list[Picture]:
    """Virtual cohorts; every policy has the power of the first, and one of them an unknown interval."""
    first, *others = policies(small_letter(), names)
    settings = {"n": 37, "cohorts": 12, "draws": 3, "horizon": 24.0, **settings}
    made = virtual_cohorts(first, others[0], settings=Settings(**settings))
    assert made.power is not None
    of_one = made.power[made.power["scenario"] == names[0]]
    power_of = pd.concat([of_one.assign(scenario=name) for name in names], ignore_index=True)
    power_of.loc[1, ["lower", "upper"]] = np.nan
    made = replace(made, cohort=letter(), scenarios=(first, *others), power=power_of)
    return figures_of_cohorts.pictures(made)


def power() -> list[Picture]:
    return cohorts(["wider-salvage", LONG])


def power_of_many_policies() -> list[Picture]:
    return cohorts([f"policy-{place}" for place in range(1, 9)], n=2, cohorts=4, draws=1)


def guarantee_time() -> list[Picture]:
    made = immortal_time(today(small_letter()), settings=Settings(n=37, cohorts=6, draws=3, horizon=24.0))
    unknown = made.analyses.assign(difference_lower=np.nan, difference_upper=np.nan)
    return [figure_of_immortal_time.picture(replace(made, **more)) for more in (
        {"cohort": letter()}, {"analyses": unknown, "reported": None})]  # fmt: skip


# --- Calibration and validation ---


def ranked(count: int, fits: int) -> list[Picture]:
    names = [*list(load_pathway("b_all_post_cd19").parameters)[: count - 1], "os_12"]
    at_random = np.random.default_rng(3)
    made = pd.DataFrame(
        {name: at_random.integers(0, 100, fits) // (1 + (place == 1)) for place, name in enumerate(names)}
    )
    limits = band(fits, 100, FALSE_ALARM / count)
    shares = {name: ecdf(made[name].to_numpy(), 100) for name in made}
    about = {"note": "In 5 % of checks of a correct calibration, a line leaves the grey somewhere.", "cohort": letter(),
             "pathway": load_pathway("b_all_post_cd19")}  # fmt: skip
    return [
        ranks.picture(shares, limits.z, limits.lower, limits.upper, judged(made, 100), **about),
        ranks.coverage_picture(coverage(made, 100), **about),
    ]


def ranks_of_one_quantity() -> list[Picture]:
    return ranked(1, 20)


def ranks_of_56_quantities() -> list[Picture]:
    return ranked(48, 40)


def reported(cohort: str, label: str, unit: str, *numbers: float, inside: str = "yes") -> dict[str, object]:
    columns = zip(("reported", "predicted", "lower", "upper"), numbers, strict=True)
    about = {
        "cohort_label": cohort,
        "label": label,
        "unit": unit,
        "inside": inside,
        "centred_on": "",
        "standard_error": np.nan,
    }
    return about | dict(columns)


def validation() -> list[Picture]:
    """Figures at and beyond the ends of the axes, missed, not simulated, with long names."""
    nobody = "Nobody 2020, children and young adults at nine centres of the east"
    figure = "leukaemia-free survival at 12 months from infusion of those who had relapsed before"
    rows = [
        reported(nobody, figure, "%", 100.0, 99.0, 80.0, 100.0),
        reported(nobody, "overall survival at 12 months", "%", 0.0, 40.0, 30.0, 50.0, inside="no"),
        reported("Somebody 2021", "response", "%", 50.0, np.nan, np.nan, np.nan, inside=""),
        reported(nobody, figure, "months", 12.9, np.inf, 14.3, np.inf, inside="no"),
        reported("Somebody 2021", "median survival", "months", np.inf, 22.0, 9.0, np.inf),
        reported("Somebody 2021", "median survival, not assessed", "months", 0.1, 0.0, 0.0, 0.3),
    ]
    sizes = {nobody: 57, "Somebody 2021": 1234}
    return [external.picture(pd.DataFrame(rows), sizes, SOURCE, 24.0)]


def validation_ranges() -> list[Picture]:
    rows = [
        reported(f"Nobody {2020 + figure}", f"overall survival at {12 * (figure + 1)} months", unit, 30.0, 25.0 + at,
                 10.0, 45.0 + at) | {"setting": at / 20, "lever": "salvage_uptake"}
        for figure, unit in enumerate(("%", "months", "%", "months", "%")) for at in (5.0, 10.0, 15.0)
    ]  # fmt: skip
    return [ranges.picture(pd.DataFrame(rows), {f"Nobody {2020 + place}": 50 for place in range(5)}, SOURCE)]


# --- Pathways ---


def fan(branches: int, label: str = "complication", **more: Any) -> Pathway:
    """Patients leave surgery for one of many complications, without a choice."""
    names = [f"{label} {place}" for place in range(1, branches + 1)]
    first = sojourn(**{f"c{place}": exponential(mean=9) for place in range(branches)}, dead=exponential(mean=20))
    rest = {f"c{place}": {**sojourn(dead=exponential(mean=2)), "label": name} for place, name in enumerate(names)}
    return load(world("surgery", {"surgery": first, **rest, **more}, title="Surgery and what may follow"))


def clinic(branches: int, start: str = "clinic", label: str = "treatment", **before: Any) -> Pathway:
    """A decision between many treatments, of which each has the same share, and the last the rest."""
    shares = {f"p{place}": share(1 / branches) for place in range(1, branches)}
    ways = {f"t{place}": f"p{place}" for place in range(1, branches)} | {f"t{branches}": "rest"}
    after = {way: {**sojourn(dead=exponential(mean=4)), "label": f"{label} {way[1:]}"} for way in ways}
    return load(world(start, {**before, "clinic": decision(**ways), **after}, title="A choice", parameters=shares))


def everyone_one_way() -> Pathway:
    """More boxes than a narrow sheet takes, and a decision that sends all patients one way: nobody comes to `never`."""
    before = {"start": sojourn(**{f"a{place}": exponential(mean=9) for place in range(8)})}
    before |= {f"a{place}": sojourn(fork=exponential(mean=4), dead=exponential(mean=30)) for place in range(8)}
    after = {name: sojourn(dead=exponential(mean=3)) for name in ("always", "never")}
    made = {**before, "fork": decision(always=1.0, never=0.0), **after}
    return load(world("start", made, title="Everyone goes one way"))


def under(pathway: Pathway, **policies_of: Mapping[str, Any]) -> Picture:
    """The diagram of a run of today and of policies. policies_of : policy -> its levers"""
    options = [Scenario(name, pathway, **levers) for name, levers in policies_of.items()]
    return diagram.picture(pathway, [today(pathway), *options])


MANY_WAYS_OUT = 12
WIDER_AND_WIDER = {f"policy_{place}": {"set": {"p1": 0.04 * place, "p2": 0.3}} for place in range(1, 15)}


def many_ways_out() -> list[Picture]:
    """Boxes do not fit side by side: of a pathway alone, of policies that change times or shares, with long names."""
    times = {f"surgery.c{place}": 0.5 for place in range(3)}
    treatments, long = clinic(MANY_WAYS_OUT), clinic(2, label="a treatment with a name as long as those of protocols")
    return [
        diagram.picture(fan(MANY_WAYS_OUT)),
        under(fan(MANY_WAYS_OUT), prophylaxis={"hazard_ratio": times}),
        under(fan(20, "complication with a long name, number"), prophylaxis={"hazard_ratio": times}),
        under(treatments, more={"set": {"p3": 0.5}}),
        diagram.picture(treatments),
        under(clinic(3), **WIDER_AND_WIDER),
        under(long, more={"set": {"p1": 0.9}}),
        under(everyone_one_way()),
    ]


def shipped_pathways() -> list[Picture]:
    made = [diagram.picture(load_pathway(name), [Scenario("today", load_pathway(name))]) for name in shipped.names()]
    pathway = load_pathway("b_all_post_cd19")
    made.append(diagram.picture(pathway))
    rows = letter().targets[letter().targets["kind"] != "deaths"]
    larger = replace(
        letter(), n=3700, targets=rows.assign(count=100 * rows["count"], n=100 * rows["n"]), predictive=None
    )
    flows = [in_two_widths(partial(flow.picture, pathway, cohort)) for cohort in (letter(), larger)]
    return [*made, *(picture for picture in flows if picture is not None)]


CASES: Mapping[str, Callable[[], list[Picture]]] = {
    case.__name__: case
    for case in (
        one_scenario, horizon_6, horizon_36, horizon_240, scenarios_14, long_names, other_scripts, one_draw,
        declared_values, nothing_moves, empty_group, all_die_at_once, nobody_dies, states_25, one_bed_or_none,
        few_replications, beds_open_and_close, stories, sweep_of_one_value, sweep_of_one_name, sweep_of_equal_values,
        sweep_of_one_cell, sweep_of_many_values, sweep_of_long_names, sensitivity, sensitivity_of_many_parameters,
        nothing_to_learn, power, power_of_many_policies, guarantee_time, ranks_of_one_quantity,
        ranks_of_56_quantities, validation, validation_ranges, many_ways_out, shipped_pathways,
    )
}  # fmt: skip
