"""Practice: the share that the marginal decision treats today is a fact, the same in every parameter set of a run.

    sum_c w_c q_c(k) = reference,   q_c(k) = k q_c / (1 - q_c + k q_c)      w_c : of patients who reach the decision

One odds factor k a draw scales the uptake q_c of every cell c of the case mix. Fits read the draws' own uptake.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.arrays import Floats
from simulator.engines.exact.embedded import visits
from simulator.engines.model import point_values, resolve
from simulator.errors import InputError, plain
from simulator.evidence.cohort import Cohort
from simulator.pathway.pathway import Pathway, Transition
from simulator.pathway.references import names_in
from simulator.scenario.scenario import Scenario

HALVINGS = 60
TYPED = 5e-4
"""The most by which a reference that is typed as a value, with three digits, differs from it."""


def uptake(pathway: Pathway) -> tuple[str, ...]:
    """Return the parameters that the reference sets: the marginal decision's; none where none is declared."""
    return tuple(dict.fromkeys(name for branch in _branches(pathway) for name in names_in(branch.probability)))


def at_reference(pathway: Pathway, draws: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return draws, parameter -> (n_draws,), with the uptake put at the pathway's reference. Raises InputError."""
    rule, branches, columns = pathway.marginal, _branches(pathway), dict(draws)
    if rule is None:
        return columns
    by_level = any(branch.eligible or not isinstance(branch.probability, str) for branch in branches)
    factor = _factor(pathway, draws) if by_level else np.zeros(0)
    n_draws = max((len(column) for column in draws.values()), default=1)
    for branch, share, k in zip(branches, (rule.reference, 1.0 - rule.reference), (factor, 1.0 - factor), strict=True):
        for name in names_in(branch.probability):
            shares = np.asarray(draws.get(name, pathway.parameters[name].value))
            columns[name] = _scaled(shares, k) if by_level else np.full(n_draws, share)
    return columns


def mean_values(pathway: Pathway, cohort: Cohort | None) -> dict[str, Floats]:
    """Return parameter -> its posterior mean, or its declared value, with the uptake at the reference : (1,)."""
    means = point_values(pathway)
    if cohort is not None and cohort.posterior is not None:
        rows = cohort.posterior.set_index("parameter")["posterior_mean"]
        means |= {str(name): float(mean) for name, mean in rows.items() if name in means}
    return at_reference(pathway, {name: np.array([mean]) for name, mean in means.items()})


def check_declared(pathway: Pathway) -> None:
    """Refuse declared values that do not treat the reference: a pathway without draws runs at them."""
    for name, (value,) in at_reference(pathway, {}).items():
        declared = pathway.parameters[name].value
        if abs(value - declared) > TYPED:
            raise InputError(
                "the declared values, at which a pathway without draws runs, do not treat [marginal] reference",
                where=f"{pathway.where}: [parameters.{name}] value",
                got=declared,
                allowed=f"{plain(float(value))}, or another reference",
            )


def _branches(pathway: Pathway) -> list[Transition]:
    """Return the branches of the marginal decision, first the one that treats; none where none is declared."""
    rule = pathway.marginal
    if rule is None:
        return []
    return sorted(pathway.states[rule.decision].transitions, key=lambda branch: branch.name != rule.branch)


def _factor(pathway: Pathway, draws: Mapping[str, Floats]) -> Floats:
    """Return k / (1 + k) of each draw's odds factor k, (n_draws,)."""
    rule = pathway.marginal
    assert rule is not None
    values = {name: column[:, None] for name, column in draws.items()}
    model = resolve(Scenario(pathway.name, pathway, file=pathway.file), values)
    share = next(exit.probability for exit in model.exits[rule.decision] if exit.name == rule.branch)
    assert share is not None
    reach = visits(model, until=rule.decision)[rule.decision] * model.weights
    low, high = np.zeros((model.n_draws, 1)), np.ones((model.n_draws, 1))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        treated = np.sum(reach * _scaled(share, middle), axis=-1, keepdims=True) / reach.sum(axis=-1, keepdims=True)
        low, high = np.where(treated < rule.reference, middle, low), np.where(treated < rule.reference, high, middle)
    if np.any(np.abs(treated - rule.reference) > 1e-9):
        nearest = float(treated.flat[np.argmax(np.abs(treated - rule.reference))])
        raise InputError(
            f"'{rule.decision}' cannot treat this share, because of who is eligible",
            where=f"{pathway.where}: [marginal] reference",
            got=plain(rule.reference),
            allowed=f"{'up to' if nearest < rule.reference else 'from'} {plain(nearest)}",
        )
    return middle[:, 0]


def _scaled(share: Floats, factor: Floats) -> Floats:
    """Return a share whose odds are multiplied by k, by k / (1 + k)."""
    more, less = share * factor, (1.0 - share) * (1.0 - factor)
    return np.divide(more, more + less, out=np.zeros(np.shape(more)) + share, where=more + less > 0.0)
