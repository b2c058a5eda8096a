"""A smooth curve through scattered points: penalised B-splines, their smoothness by generalised cross-validation.

minimise |y - B b|^2 + a |D2 b|^2 (Eilers & Marx 1996, Stat Sci 11:89); a by n RSS / (n - 1.4 edf)^2 (Kim & Gu 2004)
Cov b = s^2 (B'B + a D2'D2)^-1 (Wood 2017, Generalized Additive Models, section 4.2.4)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.arrays import Floats

SEGMENTS = 12
DEGREE = 3
CAUTION = 1.4


@dataclass(frozen=True)
class Smooth:
    """fitted : (n,) E[y | x] at the points; root : (n, k), times k standard normals the error of `fitted`."""

    fitted: Floats
    root: Floats


def smooth(x: Floats, y: Floats) -> Smooth:
    """Return y : (n,) as a smooth function of x : (n,), on the scale of x's normal scores."""
    if np.ptp(x) == 0.0:
        error = np.std(y) / np.sqrt(len(y))
        return Smooth(np.full(len(y), y.mean()), np.full((len(y), 1), error))
    basis = _basis(_scores(x))
    gram, moments = basis.T @ basis, basis.T @ y
    difference = np.diff(np.eye(basis.shape[1]), 2, axis=0)
    penalty = difference.T @ difference

    def criterion(amount: float) -> float:
        inverse = np.linalg.inv(gram + amount * penalty)
        rest = y - basis @ (inverse @ moments)
        return float(rest @ rest / (len(y) - CAUTION * np.trace(inverse @ gram)) ** 2)

    amount = min(np.geomspace(1e-3, 1e6, 37) * len(y) / 100.0, key=criterion)
    inverse = np.linalg.inv(gram + amount * penalty)
    fitted = basis @ (inverse @ moments)
    variance = np.sum((y - fitted) ** 2) / (len(y) - np.trace(inverse @ gram))
    return Smooth(fitted, np.sqrt(variance) * basis @ np.linalg.cholesky(inverse))


def _scores(x: Floats) -> Floats:
    """Return normal scores, Phi^-1((rank - 1/2) / n), ties alike."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri((rankdata(x) - 0.5) / len(x)))


def _basis(x: Floats) -> Floats:
    """Return the B-splines of equally spaced knots, (n, SEGMENTS + DEGREE)."""
    from scipy.interpolate import BSpline

    low, high = float(x.min()), float(x.max())
    width = (high - low) / SEGMENTS
    knots = low + width * np.arange(-DEGREE, SEGMENTS + DEGREE + 1)
    inside = np.clip(x, knots[DEGREE], knots[-DEGREE - 1])
    return np.asarray(BSpline.design_matrix(inside, knots, DEGREE).toarray())
