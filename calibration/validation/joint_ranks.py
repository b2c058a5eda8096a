"""How far out reported figures lie among those of simulated cohorts, all of a cohort together.

Reported and simulated cohorts are ranked together, figure by figure, equal ones by chance: the ranks are of N + 1
cohorts that nothing distinguishes if the model is right. From them,

    z = Phi^-1((rank + 1/2) / (N + 1)),   d^2 = z' C^+ z,   C the covariance of all z        (Mahalanobis 1936)
    joint rank = the share of the N + 1 cohorts whose d is at least that of the reported one

is uniform, whatever the dependence of the figures (Gneiting et al. 2008, TEST 17:211). The randomised PIT of a figure
is (rank + 1/2) / (N + 1). Whether the PITs of all figures are uniform is judged by their Cramer-von Mises distance,
ranked among simulated cohorts as well: figures of the same patients depend on one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from simulator.arrays import Floats


@dataclass(frozen=True)
class Ranks:
    """pits : (N + 1, n_figures), the reported cohort first; middle : the same, equal figures sharing their ranks."""

    pits: Floats
    middle: Floats

    @classmethod
    def of(cls, reported: Floats, simulated: Floats, seed: int) -> Ranks:
        """Rank reported : (n_figures,) among simulated : (N, n_figures) figures; cohorts that lack one are left out."""
        values = np.vstack([reported, simulated[~np.isnan(simulated).any(axis=1)]])
        ties = np.random.default_rng(seed).random(values.shape)
        # A printed share and a simulated one differ by rounding.
        order = np.lexsort(np.stack([ties, np.round(values, 9)]), axis=0)
        middle = stats.rankdata(np.round(values, 9), axis=0)
        return cls((np.argsort(order, axis=0) + 0.5) / len(values), (middle - 0.5) / len(values))

    @property
    def scores(self) -> Floats:
        """The normal scores z, (N + 1, n_figures)."""
        return np.asarray(special.ndtri(self.pits))

    def joint(self) -> float:
        """Return the joint rank of the reported figures, in (0, 1]: small if they lie far out together."""
        inverse = np.linalg.pinv(np.atleast_2d(np.cov(self.scores, rowvar=False)), hermitian=True)
        return _at_least(np.einsum("ni,ij,nj->n", self.scores, inverse, self.scores))

    def uneven(self) -> float:
        """Return the share of cohorts whose PITs are at least as far from uniform as those of the reported figures."""
        count = self.pits.shape[1]
        expected = (np.arange(count) + 0.5) / count
        return _at_least(((np.sort(self.pits, axis=1) - expected) ** 2).sum(axis=1))

    def above(self, signs: Floats) -> float:
        """Return the share of simulated cohorts with higher figures than reported, by their mean score.

        Cohorts with equal figures are on the side that brings the share nearer to one half: all of 3 alive is no less
        than the model can say. signs : (n_figures,) 1, or -1 where lower is meant, or 0 where a figure does not count
        """
        means = np.round(special.ndtri(self.middle) @ signs, 9)
        least, most = (means[1:] > means[0]).mean(), (means[1:] >= means[0]).mean()
        return float(min(max(least, 0.5), most))


def _at_least(distance: Floats) -> float:
    """Return the share of cohorts at least as far as the first, itself included."""
    return float((distance >= distance[0] * (1.0 - 1e-12)).mean())
