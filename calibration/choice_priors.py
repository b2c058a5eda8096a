"""Whether the priors of the branches of a choice can only give shares that sum to one: a run refuses any others."""

from __future__ import annotations

from calibration.priors import Priors
from simulator.errors import InputError
from simulator.pathway.pathway import Pathway, Siblings


def priors_of_pathway(pathway: Pathway) -> Priors:
    """Return the prior of a pathway's parameters. Raises InputError naming its file and the parameter or the choice."""
    for name, parameter in pathway.parameters.items():
        if parameter.prior is not None and parameter.prior.family == "dirichlet":
            _check_dirichlet(pathway, name)
    priors = Priors.from_parameters(pathway.parameters, pathway.dirichlets(), where=f"{pathway.where}: ")
    supports = {
        name: marginal.support
        for piece in priors.pieces
        for name, marginal in zip(piece.names, piece.marginals, strict=True)
    }
    for name in priors.names:
        for shares in pathway.siblings(name):
            _check_sum(shares, pathway, supports)
    return priors


def _check_dirichlet(pathway: Pathway, name: str) -> None:
    """Refuse a Dirichlet prior of a branch next to one that takes the rest: the rest has no alpha."""
    for shares in pathway.siblings(name):
        if shares.has_rest:
            raise InputError(
                'a dirichlet prior next to a branch with probability "rest", which has no alpha',
                where=f"{pathway.where}: [states.{shares.state}], parameters.{name}.prior",
                got=f'{", ".join(shares.names)}, "rest"',
                allowed='a parameter with a dirichlet prior for that branch too, instead of "rest"',
            )


def _check_sum(shares: Siblings, pathway: Pathway, supports: dict[str, tuple[float, float]]) -> None:
    """Refuse priors under which the shares of a choice can sum to more than one, or, without a rest, to less."""
    together = {name for dirichlet in pathway.dirichlets() if set(dirichlet) <= set(shares.names) for name in dirichlet}
    lowest = highest = shares.fixed + bool(together)
    for name in set(shares.names) - together:
        value = pathway.parameters[name].value
        lower, upper = supports.get(name, (value, value))
        lowest, highest = lowest + lower, highest + upper
    if highest <= 1.0 + 1e-6 and (shares.has_rest or lowest >= 1.0 - 1e-6):
        return
    bounded = ", or uniform priors whose upper ends sum to 1 or less" if shares.has_rest else ""
    branches = ", ".join(shares.names) + (', "rest"' if shares.has_rest else "")
    raise InputError(
        f"under their priors the shares of these branches can sum to {'more than' if highest > 1.0 else 'less than'} 1",
        where=f"{pathway.where}: [states.{shares.state}]",
        got=branches,
        allowed=f"a parameter with a dirichlet prior for every branch{bounded}",
    )
