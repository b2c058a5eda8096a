"""Distribution: a sojourn time given by its cumulative hazard and the inverse of it; the rest is derived."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.arrays import Floats
from simulator.distributions.bounds import Reader, agree

Indices = NDArray[np.intp]


class Distribution(ABC):
    """A sojourn time T in months, with H(t) = -log P(T > t).

    Parameters are float64 arrays of shape () or (..., k): the last axis is the k case-mix cells (1 where all
    are alike), any axis before it the caller's own, such as draws. They broadcast against the argument of
    every method. H may be infinite (everybody has left) or stay bounded (some never leave).
    """

    def cumulative_hazard(self, times: ArrayLike) -> Floats:
        """H(t), 0 for t <= 0 (a fixed sojourn of 0 months steps at 0); times in months, may be infinite."""
        with _limits_are_expected():
            return np.asarray(self._cumulative_hazard(np.asarray(times, dtype=np.float64)))

    def inverse_cumulative_hazard(self, exposures: ArrayLike) -> Floats:
        """The least time t in months with H(t) >= exposure; inf where there is none.

        exposures : any shape, >= 0; standard exponential variates -log(1 - u) give sojourn times
        """
        with _limits_are_expected():
            return np.asarray(self._inverse_cumulative_hazard(np.asarray(exposures, dtype=np.float64)))

    def survival(self, times: ArrayLike) -> Floats:
        """S(t) = P(T > t) = exp(-H(t)); times in months."""
        with _limits_are_expected():
            return np.asarray(self._survival(np.asarray(times, dtype=np.float64)))

    def cdf(self, times: ArrayLike) -> Floats:
        """F(t) = P(T <= t) = -expm1(-H(t)); times in months."""
        return np.asarray(-np.expm1(-self.cumulative_hazard(times)))

    def ppf(self, u: ArrayLike) -> Floats:
        """The least time t in months with F(t) >= u; inf where there is none. u in [0, 1]."""
        with _limits_are_expected():
            return np.asarray(self._inverse_cumulative_hazard(-np.log1p(-np.asarray(u, dtype=np.float64))))

    def median(self) -> Floats:
        """The time in months by which half have left; inf if fewer than half ever do."""
        return self.ppf(0.5)

    def spread(self) -> Floats:
        """The interquartile range in months among those who ever leave; 0 for a fixed sojourn."""
        leave = self.cdf(np.inf)
        return np.asarray(self.ppf(0.75 * leave) - self.ppf(0.25 * leave))

    @property
    def atom(self) -> Floats | None:
        """The time in months of a fixed sojourn, when all who leave do: a share 1 - S(atom). Else None."""
        return None

    @property
    def breaks_of_hazard(self) -> frozenset[float]:
        """The months at which the hazard may jump."""
        parts = (part.breaks_of_hazard for part in vars(self).values() if isinstance(part, Distribution))
        return frozenset[float]().union(*parts)

    @property
    def cell_shape(self) -> tuple[int, ...]:
        """The shape all parameters broadcast to: () or (..., k)."""
        parameters = vars(self).values()
        shapes = (parameter.shape for parameter in parameters if isinstance(parameter, np.ndarray))
        inner = (parameter.cell_shape for parameter in parameters if isinstance(parameter, Distribution))
        return np.broadcast_shapes(*shapes, *inner)

    def take(self, index: Indices) -> Self:
        """Each patient's distribution: index (n,) of cells makes parameters (..., n); scalars stay scalar."""

        def gathered(values: NDArray[Any]) -> NDArray[Any]:
            if values.shape[-1] == 1:
                return np.repeat(values, np.size(index), axis=-1)
            return values.take(index, axis=-1)

        return self.with_parameters(gathered)

    def columns(self) -> Self:
        """Parameters (..., k) become (..., k, 1), and times (n,) give (..., k, n); scalars stay scalar."""
        return self.with_parameters(lambda values: values[..., np.newaxis])

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What makes it equal to another in value, hashable."""

        def of(value: Any) -> Hashable:
            if isinstance(value, np.ndarray):
                return value.shape, value.tobytes()
            return value.key if isinstance(value, Distribution) else value

        return type(self).__name__, *map(of, vars(self).values())

    def column(self, cell: int) -> Self:
        """Return the distribution of one case-mix cell: parameters (..., k) become (..., 1)."""
        return self.with_parameters(lambda values: values[..., cell : cell + 1] if values.shape[-1] > 1 else values)

    def by_cell(self) -> list[NDArray[Any]]:
        """Return the parameters that differ between case-mix cells, (..., k) each."""
        parameters: list[NDArray[Any]] = []

        def collect(values: NDArray[Any]) -> NDArray[Any]:
            parameters.extend([values] if values.shape[-1] > 1 else [])
            return values

        # A family says there which of its tables are by cell: periods of a hazard are not.
        self.with_parameters(collect)
        return parameters

    def with_parameters(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        """Return the distribution with its parameters changed, (..., k) each."""
        # Copied, not built again: what was decided from the whole table stays decided.
        changed = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray) and value.ndim:
                object.__setattr__(changed, name, change(value))
            elif isinstance(value, Distribution):
                object.__setattr__(changed, name, value.with_parameters(change))
        return changed

    def _survival(self, times: Floats) -> Floats:
        return np.asarray(np.exp(-self._cumulative_hazard(times)))

    @abstractmethod
    def _cumulative_hazard(self, times: Floats) -> Floats: ...

    @abstractmethod
    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats: ...


class Family(Distribution):
    """A distribution with a name and parameters of its own, which a pathway file may declare."""

    readers: ClassVar[Mapping[str, Reader]]
    one_of: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def from_parameters(cls, given: Mapping[str, Floats]) -> Self:
        """The distribution from checked parameters: every reader's key, and exactly one of `one_of`."""

    @classmethod
    def check(cls, given: Mapping[str, Floats], where: str) -> None:
        """Raise InputError if parameters that are right one by one do not go together."""
        agree({key: values.shape for key, values in given.items()}, where)


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaleFamily(Family):
    """H(t) = G(t / scale), with G free of units. Scale 0: left at once; scale inf: never."""

    scale: Floats
    _limiting: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_limiting", bool(((self.scale == 0.0) | np.isinf(self.scale)).any()))

    def _cumulative_hazard(self, times: Floats) -> Floats:
        times = from_zero(times)
        return self._standard_hazard(quotient(times, self.scale) if self._limiting else times / self.scale)

    def _inverse_cumulative_hazard(self, exposures: Floats) -> Floats:
        if self._limiting:
            return product(self._standard_inverse(exposures), self.scale)
        # In one expression, so that NumPy multiplies in place.
        return self._standard_inverse(exposures) * self.scale

    @abstractmethod
    def _standard_hazard(self, ratios: Floats) -> Floats:
        """G(x) for x = t / scale in [0, inf]."""

    @abstractmethod
    def _standard_inverse(self, exposures: Floats) -> Floats:
        """The x with G(x) = exposure in [0, inf]."""


def from_zero(times: Floats) -> Floats:
    """Times with the negative ones, if any, raised to 0."""
    return np.maximum(times, 0.0) if np.min(times, initial=0.0) < 0.0 else times


def product(left: Floats, right: Floats) -> Floats:
    """left * right for factors in [0, inf], and 0 wherever either is 0."""
    with np.errstate(invalid="ignore"):
        return np.where((left == 0.0) | (right == 0.0), 0.0, left * right)


def quotient(left: Floats, right: Floats) -> Floats:
    """left / right for values in [0, inf], and 0 wherever left is 0 or right is infinite."""
    with np.errstate(invalid="ignore"):
        return np.where((left == 0.0) | np.isinf(right), 0.0, left / right)


def _limits_are_expected() -> np.errstate:
    # log(0), 1 / 0 and overflow mean "never" or "at once" here; an invalid operation stays an error.
    return np.errstate(divide="ignore", over="ignore", under="ignore")
