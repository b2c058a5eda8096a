"""The joint prior of a pathway's parameters, as a map from independent standard normal scores.

A parameter with a prior of its own takes one score z, theta = ppf(Phi(z)). A Dirichlet of k siblings takes k
- 1, by stick breaking (Connor & Mosimann 1969, J Am Stat Assoc 64, 194): with v_j ~ Beta(alpha_j, alpha_j+1 +
... + alpha_k),

    theta_j = v_j (1 - v_1) ... (1 - v_j-1),    theta_k = (1 - v_1) ... (1 - v_k-1).

So the prior is N(0, I) in z whatever the families, which is where the sampler works.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np
from scipy import special

from simulator.arrays import Floats
from simulator.errors import InputError, nearest
from simulator.evidence.prior_families import Dirichlet, Marginal, beta, build, score_of_tails
from simulator.pathway.pathway import Parameter, Pathway, Siblings


@dataclass(frozen=True)
class Summary:
    """A parameter's prior or posterior: `lower` and `upper` are the 2.5 % and 97.5 % quantiles."""

    mean: float
    sd: float
    lower: float
    median: float
    upper: float


@dataclass(frozen=True)
class _Single:
    """One parameter on one score."""

    names: tuple[str]
    marginal: Marginal

    @property
    def marginals(self) -> tuple[Marginal, ...]:
        return (self.marginal,)

    @property
    def dimension(self) -> int:
        return 1

    def values(self, scores: Floats) -> Floats:
        return self.marginal.value(scores)

    def scores(self, values: Floats) -> Floats:
        lower, upper = self.marginal.support
        outside = ~((values > lower) & (values < upper))
        if np.any(outside):
            raise InputError(
                "outside its prior",
                where=f"parameters.{self.names[0]}",
                got=float(values[outside][0]),
                allowed=f"between {lower:g} and {upper:g}",
            )
        return self.marginal.score(values)


@dataclass(frozen=True)
class _Siblings:
    """k siblings of one choice, one Dirichlet, on k - 1 scores."""

    names: tuple[str, ...]
    alphas: tuple[float, ...]

    @cached_property
    def marginals(self) -> tuple[Marginal, ...]:
        total = math.fsum(self.alphas)
        return tuple(beta(alpha, total - alpha) for alpha in self.alphas)

    @property
    def dimension(self) -> int:
        return len(self.alphas) - 1

    @cached_property
    def breaks(self) -> tuple[tuple[Marginal, Marginal], ...]:
        """v_1 to v_k-1, the share that each sibling breaks off what is left of the stick; each with 1 - v_j."""
        rests = list(accumulate(reversed(self.alphas)))[::-1]
        pairs = zip(self.alphas, rests[1:], strict=False)
        return tuple((beta(alpha, rest), beta(rest, alpha)) for alpha, rest in pairs)

    def values(self, scores: Floats) -> Floats:
        values = np.empty((len(scores), len(self.alphas)))
        stick = np.ones(len(scores))
        for j, (taken, left) in enumerate(self.breaks):
            values[:, j] = stick * taken.value(scores[:, j])
            stick = stick * left.value(-scores[:, j])
        values[:, -1] = stick
        return values

    def scores(self, values: Floats) -> Floats:
        if not (np.all(values > 0) and np.all(np.abs(values.sum(axis=1) - 1) < 1e-6)):
            raise InputError("siblings of one choice must be above 0 and sum to 1", where=", ".join(self.names))
        sticks = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
        columns = [
            score_of_tails(
                taken.distribution.cdf(values[:, j] / sticks[:, j]),
                left.distribution.cdf(sticks[:, j + 1] / sticks[:, j]),
            )
            for j, (taken, left) in enumerate(self.breaks)
        ]
        return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Priors:
    """The joint prior of every parameter that has one.

    names : the parameters with a prior, in the order of declaration; the columns of theta and of draws.csv
    dimension : number of scores; each Dirichlet has one fewer than siblings
    """

    names: tuple[str, ...]
    dimension: int
    pieces: tuple[_Single | _Siblings, ...]

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, Parameter], dirichlets: Sequence[Sequence[str]] = (), *, where: str = ""
    ) -> Priors:
        """Read the priors of a pathway's parameters; `dirichlets` lists the sets of siblings, `where` begins a place.

        Raises InputError on a prior that cannot be read and on a Dirichlet parameter that is not in exactly
        one set.
        """
        declared = {name: parameter.prior for name, parameter in parameters.items() if parameter.prior is not None}
        priors = {
            name: build(prior, unit=parameters[name].unit, where=f"{where}parameters.{name}.prior")
            for name, prior in declared.items()
        }
        pieces = _pieces(priors, dirichlets, where)
        return cls(tuple(priors), sum(piece.dimension for piece in pieces), pieces)

    @property
    def score_names(self) -> tuple[str, ...]:
        """The parameter of every score, (dimension,); of siblings, the one that it breaks off."""
        return tuple(name for piece in self.pieces for name in piece.names[: piece.dimension])

    def transform(self, z: Floats) -> Floats:
        """Finite parameter values of scores. z : (n, dimension) -> (n, n_names), in the parameters' units."""
        theta = np.empty((len(z), len(self.names)))
        for piece, scores, columns in self._layout():
            theta[:, columns] = piece.values(z[:, scores])
        return theta

    def inverse(self, theta: Floats) -> Floats:
        """Scores of parameter values. theta : (n, n_names) -> (n, dimension).

        Raises InputError on values on or outside the edge of their prior.
        """
        z = np.empty((len(theta), self.dimension))
        for piece, scores, columns in self._layout():
            z[:, scores] = piece.scores(theta[:, columns])
        return z

    @cached_property
    def marginals(self) -> dict[str, Marginal]:
        """The marginal prior of every parameter; those of a Dirichlet are betas."""
        marginals = dict(pair for piece in self.pieces for pair in zip(piece.names, piece.marginals, strict=True))
        return {name: marginals[name] for name in self.names}

    def summary(self) -> dict[str, Summary]:
        """The summary of every parameter's marginal prior, from its closed form."""
        scores = special.ndtri(np.array([0.025, 0.5, 0.975]))
        return {
            name: Summary(marginal.mean, marginal.sd, *map(float, marginal.value(scores)))
            for name, marginal in self.marginals.items()
        }

    def _layout(self) -> Iterator[tuple[_Single | _Siblings, slice, list[int]]]:
        """Each piece with its columns of z and of theta."""
        first = 0
        for piece in self.pieces:
            columns = [self.names.index(name) for name in piece.names]
            yield piece, slice(first, first + piece.dimension), columns
            first += piece.dimension


def _pieces(
    priors: Mapping[str, Marginal | Dirichlet], dirichlets: Sequence[Sequence[str]], where: str
) -> tuple[_Single | _Siblings, ...]:
    """The independent pieces of the prior, each where its first member was declared."""
    alphas = {name: prior.alpha for name, prior in priors.items() if isinstance(prior, Dirichlet)}
    siblings = _siblings(alphas, priors, dirichlets, where)
    pieces: list[_Single | _Siblings] = []
    for name, prior in priors.items():
        if not isinstance(prior, Dirichlet):
            pieces.append(_Single((name,), prior))
        elif name not in siblings:
            at = f"{where}parameters.{name}.prior"
            raise InputError("a dirichlet prior needs siblings of the same choice", where=at)
        elif siblings[name] not in pieces:
            pieces.append(siblings[name])
    return tuple(pieces)


def _siblings(
    alphas: Mapping[str, float], priors: Mapping[str, object], dirichlets: Sequence[Sequence[str]], begins: str
) -> dict[str, _Siblings]:
    """The Dirichlet that each sibling belongs to."""
    siblings: dict[str, _Siblings] = {}
    for members in map(tuple, dirichlets):
        where = f"{begins}siblings {', '.join(members)}"
        if len(members) < 2:
            raise InputError("a Dirichlet needs two siblings or more", where=where)
        for name in members:
            if name not in alphas:
                closest = None if name in priors else nearest(name, alphas)
                raise InputError("a sibling without a dirichlet prior", where=where, got=name, nearest=closest)
            if name in siblings or members.count(name) > 1:
                raise InputError("a parameter can be in one Dirichlet only", where=where, got=name)
        dirichlet = _Siblings(members, tuple(alphas[name] for name in members))
        siblings.update(dict.fromkeys(members, dirichlet))
    return siblings


def priors_of_pathway(pathway: Pathway) -> Priors:
    """Return the prior of a pathway's parameters. Raises InputError naming its file and the parameter or the choice.

    Priors of the branches of a choice must only give shares that sum to one: a run refuses any others.
    """
    declared = {name: parameter.prior for name, parameter in pathway.parameters.items() if parameter.prior}
    siblings, dirichlets = {name: pathway.siblings(name) for name in declared}, pathway.dirichlets()
    for name, prior in declared.items():
        if prior.family == "dirichlet":
            _check_dirichlet(pathway, name, siblings[name])
    priors = Priors.from_parameters(pathway.parameters, dirichlets, where=f"{pathway.where}: ")
    for shares in dict.fromkeys(shares for name in priors.names for shares in siblings[name]):
        _check_sum(shares, pathway, dirichlets, priors.marginals)
    return priors


def of_weight(pathway: Pathway, patients: float) -> Pathway:
    """Return a pathway whose centred priors of probabilities are worth so many patients: alpha patients / sum of alpha.

    These are as weak as a flat prior, which is worth a patient for each branch, but not flat; others stay as they are.
    """
    betas = ((name,) for name, of in pathway.parameters.items() if of.prior and of.prior.family == "beta")
    changed = {}
    for names in (*pathway.dirichlets(), *betas):
        priors = {name: prior for name in names if (prior := pathway.parameters[name].prior)}
        alphas = [alpha for prior in priors.values() for alpha in prior.arguments.values()]
        if set(alphas) == {1.0} or not math.isclose(total := math.fsum(alphas), len(alphas)):
            continue
        for name, prior in priors.items():
            scaled = {key: alpha * patients / total for key, alpha in prior.arguments.items()}
            changed[name] = replace(pathway.parameters[name], prior=replace(prior, arguments=scaled))
    return replace(pathway, parameters={**pathway.parameters, **changed})


def inside(pathway: Pathway) -> dict[str, Floats]:
    """Return values, (1, 1), of the parameters with a prior that are at no edge of it: ways are open if any draw's is.

    Raises InputError as `priors_of_pathway` does.
    """
    priors = priors_of_pathway(pathway)
    values = priors.transform(np.zeros((1, priors.dimension))) if priors.names else np.zeros((1, 0))
    return dict(zip(priors.names, values.T[:, :, None], strict=True))


def _check_dirichlet(pathway: Pathway, name: str, siblings: Iterable[Siblings]) -> None:
    """Refuse a Dirichlet prior of a branch next to one that takes the rest: the rest has no alpha."""
    for shares in siblings:
        if shares.has_rest:
            raise InputError(
                'a dirichlet prior next to a branch with probability "rest", which has no alpha',
                where=f"{pathway.where}: [states.{shares.state}], parameters.{name}.prior",
                got=f'{", ".join(shares.names)}, "rest"',
                allowed='a parameter with a dirichlet prior for that branch too, instead of "rest"',
            )


def _check_sum(
    shares: Siblings, pathway: Pathway, dirichlets: Iterable[Sequence[str]], marginals: Mapping[str, Marginal]
) -> None:
    """Refuse priors under which the shares of a choice can sum to more than one, or, without a rest, to less."""
    siblings = {name for dirichlet in dirichlets if set(dirichlet) <= set(shares.names) for name in dirichlet}
    lowest = highest = shares.fixed + bool(siblings)
    for name in set(shares.names) - siblings:
        value = pathway.parameters[name].value
        lower, upper = marginals[name].support if name in marginals else (value, value)
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
