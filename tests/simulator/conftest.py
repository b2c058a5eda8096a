"""One run of two policies, and its figures, for all tests that only read them."""

from __future__ import annotations

import pytest

from simulator.evidence.cohort import Cohort, load_cohort
from simulator.experiment.results import Results
from simulator.experiment.run import compare
from simulator.figures.gallery import gallery
from simulator.figures.picture import Picture
from simulator.pathway.pathway import Pathway


@pytest.fixture(scope="session")
def results() -> Results:
    """Practice today, and wider salvage with its three estimates of the benefit."""
    return compare("baseline", "wider-salvage", draws=4)


@pytest.fixture(scope="session")
def two_centres() -> Results:
    """Two beds at the letter's centre instead of one: patients wait."""
    return compare("letter-centre", "letter-centre-2-beds", draws=4, replications=4, horizon=24.0)


@pytest.fixture(scope="session")
def pathway(results: Results) -> Pathway:
    return results.scenarios[0].pathway


@pytest.fixture(scope="session")
def cohort(pathway: Pathway) -> Cohort:
    cohort = load_cohort(pathway)
    assert cohort is not None
    return cohort


@pytest.fixture(scope="session")
def pictures(results: Results, cohort: Cohort) -> list[Picture]:
    return gallery(results, cohort)
