"""Other structures of the model, where a comparison is read: the terminal, the report and the documentation."""

import re
from math import exp
from pathlib import Path

from simulator.evidence.cohort import Cohort
from simulator.evidence.structures import AGAIN, DECLARED, of_policy
from simulator.experiment.results import Results
from simulator.report import page
from simulator.report.tables import run, structures
from simulator.scenario.scenario import load_scenario
from simulator.wording import rounding
from simulator.wording.intervals import Estimate
from simulator.wording.table import Table

BASE, POLICY = (load_scenario(name) for name in ("baseline", "wider-salvage"))
DOCUMENT = Path(__file__).parents[3] / "docs" / "calibration.md"
LINE = (
    "wider-salvage: the interval covers the parameters of one model. 16 other readings, priors and structures, fitted "
    "to "
)


def markdown(table: Table) -> list[str]:
    """The rows of a table as those of the documentation."""
    rows = []
    for row in table.rows:
        cells = [str(cell) if isinstance(cell, str | Estimate) else "" for cell in row.cells]
        rows.append(f"| {' | '.join([str(row.label), *cells])} |")
    return rows


def test_the_documented_table_is_the_shipped_one(cohort: Cohort) -> None:
    table = structures.of_policy(BASE, POLICY, cohort)
    assert table is not None
    assert len(table.rows) == 2 + len(cohort.structures)
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [row for row in markdown(table) if row not in text] == []
    assert "n = 37" in table.caption


def test_the_page_says_how_unequal_the_samples_of_structures_are(cohort: Cohort) -> None:
    rows = of_policy(BASE, POLICY)
    assert rows is not None
    worth = rows.set_index("structure")["effective_draws"]
    others = worth[list(cohort.structures)]
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert f"worth {others.min():.0f} to {others.max():,.0f} equal ones" in text
    assert f"those as declared {worth[DECLARED]:,.0f}." in text
    assert rows["k_hat"].max() < 0.66
    assert "All k-hats are below the limit" in text


def test_the_page_gives_differences_that_are_called_clear_with_intervals_that_contain_none() -> None:
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    for policy in ("no-hsct", "hsct-for-all-responders"):
        rows = of_policy(BASE, load_scenario(policy))
        assert rows is not None
        by_name = rows.set_index("structure")
        for name in (DECLARED, "no_cured_fraction"):
            row = by_name.loc[name]
            low, high = 100 * row["difference_lower"], 100 * row["difference_upper"]
            assert low < 0 < high
            value, lower, upper = (rounding.fixed(end, 1) for end in (100 * row["difference"], low, high))
            assert re.search(rf"{value} \((?:95 % interval )?{lower} to {upper}[;)]", text)
        assert row["difference_same_sign"] > 0.9
        assert f"in {100 * row['difference_same_sign']:.0f} of 100" in text


def test_the_page_says_how_much_the_data_prefer_flat_priors_of_rescue() -> None:
    rows = of_policy(BASE, POLICY)
    assert rows is not None
    evidence = rows.set_index("structure")["log_evidence"].dropna()
    more = evidence.drop(AGAIN) - evidence[AGAIN]
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert more.idxmax() == "rescued_as_often_as_not"
    assert f"**The Bayes factor of flat priors of rescue is {exp(more.max()):.0f}**, the largest of eleven" in text
    assert len(more) == 11


def test_the_page_says_how_much_the_weight_of_sourced_priors_moves() -> None:
    moved = {}
    for policy in (BASE, POLICY):
        rows = of_policy(BASE, policy)
        assert rows is not None
        moved[policy.name] = (100 * rows.set_index("structure")["moved"]).round(1)
    five, one = ([moved[name][f"priors_worth_{of}"] for name in moved] for of in ("five", "one"))
    assert (five, one) == ([-0.7, -0.6], [0.8, 0.6])
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert re.search(r"five patients, they lower [^.]* by 0\.7 [^.]* by 0\.6; worth one [^.]* by 0\.8 and 0\.6\.", text)


def test_the_page_says_what_policies_on_response_bring_where_hsct_in_pr_is_worse_than_in_cr() -> None:
    texts = [
        " ".join(DOCUMENT.with_name(name).read_text(encoding="utf-8").split())
        for name in ("calibration.md", "defence-of-design.md")
    ]
    moved = []
    for policy in ("immunotherapy-first", "dual-target-reinfusion"):
        rows = of_policy(BASE, load_scenario(policy))
        assert rows is not None
        by_name = 100 * rows.set_index("structure")[["difference", "difference_lower", "difference_upper", "moved"]]
        value, lower, upper, by = (rounding.fixed(number, 1) for number in by_name.loc["hsct_in_pr"])
        before = rounding.fixed(by_name.loc[DECLARED, "difference"], 1)
        assert re.search(rf"`{policy}` [^`]*{value} [^`]*\({lower} to {upper}\) instead of {before}[.,]", texts[0])
        moved.append(by)
    assert f"these two policies bring {moved[0]} and {moved[1]} more at 12 months" in texts[1]


def test_the_page_and_the_scenario_say_what_immunotherapy_brings_where_hsct_after_inotuzumab_is_worse() -> None:
    text, moved = " ".join(DOCUMENT.read_text(encoding="utf-8").split()), {}
    for policy in (load_scenario("immunotherapy-first"), POLICY):
        rows = of_policy(BASE, policy)
        assert rows is not None
        by_name = 100 * rows.set_index("structure")[["difference", "difference_lower", "difference_upper", "moved"]]
        *difference, by = by_name.loc["hsct_after_inotuzumab"]
        moved[policy.name] = [
            rounding.fixed(number, 1) for number in (by_name.loc[DECLARED, "difference"], *difference)
        ]
    before, value, lower, upper = moved["immunotherapy-first"]
    assert f"{value} more of 100 alive at 12 months ({lower} to {upper}) instead of {before}, and `wider-" in text
    assert (
        f"{value} instead of {before} more of 100 are alive at 12 months"
        in load_scenario("immunotherapy-first").assumes
    )
    assert "`wider-salvage` moves by less than 0.1." in text
    assert abs(by) < 0.1


def test_the_terminal_has_a_line_for_a_compared_policy(results: Results, cohort: Cohort) -> None:
    lines = [part for part in run.report(results, cohort) if isinstance(part, str)]
    assert sum(line.startswith(LINE) for line in lines) == 1


def test_the_report_has_the_line_and_a_folded_table(results: Results, cohort: Cohort) -> None:
    html = page.html(results, cohort=cohort)
    assert html.count("the interval covers the parameters of one model") == 1
    assert "<summary>wider-salvage</summary>" in html
    assert html.count("under other readings, priors and structures (n = 37)") == 1


def test_a_run_of_one_policy_and_a_pathway_without_a_cohort_have_none(cohort: Cohort) -> None:
    assert structures.sentences([[POLICY]], cohort) == []
    assert structures.sentences([[BASE, POLICY]], None) == []
