"""Other structures of the model, where a comparison is read: the terminal, the report and the documentation."""

from pathlib import Path

from simulator.evidence.cohort import Cohort
from simulator.evidence.structures import DECLARED, of_policy
from simulator.experiment.results import Results
from simulator.report import page
from simulator.report.table import Table
from simulator.report.tables import run, structures
from simulator.scenario.scenario import load_scenario
from simulator.wording.intervals import Estimate

BASE, POLICY = (load_scenario(name) for name in ("baseline", "wider-salvage"))
DOCUMENT = Path(__file__).parents[3] / "docs" / "calibration.md"
LINE = (
    "wider-salvage: the interval covers the parameters, not the structure of the model. 12 other structures, fitted to "
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
    assert "All are below the limit" in text


def test_the_terminal_has_a_line_for_a_compared_policy(results: Results, cohort: Cohort) -> None:
    lines = [part for part in run.report(results, cohort) if isinstance(part, str)]
    assert sum(line.startswith(LINE) for line in lines) == 1


def test_the_report_has_the_line_and_a_folded_table(results: Results, cohort: Cohort) -> None:
    html = page.html(results, cohort=cohort)
    assert html.count("not the structure of the model") == 1
    assert "<summary>wider-salvage</summary>" in html
    assert html.count("under other structures of the model (n = 37)") == 1


def test_a_run_of_one_policy_and_a_pathway_without_a_cohort_have_none(cohort: Cohort) -> None:
    assert structures.sentences([[POLICY]], cohort) == []
    assert structures.sentences([[BASE, POLICY]], None) == []
