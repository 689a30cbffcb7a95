r"""Moments of site estimates, corrected for their sampling covariance.

With :math:`D_s=(\hat\gamma_s, 1)`, or :math:`\hat\gamma_s` for a line through the origin, the
coefficients c solve :math:`\sum_s\psi_s(c)=0`,

.. math::

    \psi_s(c) = m_s - A_s c,\quad
    A_s = w_s\{D_sD_s' - \tilde V_{\gamma\gamma,s}\},\quad
    m_s = w_s\{D_s\hat\beta_s - \tilde V_{\gamma\beta,s}\},

where the tilde pads with zeros for the intercept. For one mediator, equal weights and an
intercept this is Akritas and Bershady's (1996) BCES(Y|X),

.. math::

    b = \frac{\sum(\hat\gamma_s-\bar\gamma)\hat\beta_s - \sum V_{\gamma\beta,s}}
             {\sum(\hat\gamma_s-\bar\gamma)^2 - \sum V_{\gamma\gamma,s}},

and for several the matrix form of Fuller (1987, section 3.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.types import Floats

# Of a matrix scaled to size 1: less is rounding.
ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class CorrectedMoments:
    r"""Corrected moments of S sites, k coefficients: P slopes, then the intercept if any.

    Attributes
    ----------
    matrix
        (S, k, k), :math:`A_s`.
    vector
        (S, k), :math:`m_s`.
    centre
        (P,) what was taken off the mediator effects, so that large means cost no digits; 0
        without an intercept.
    size
        (k,) square roots of the uncorrected diagonal, the scale of the summed matrix.
    sites
        How many sites have a weight.
    """

    matrix: Floats
    vector: Floats
    centre: Floats
    size: Floats
    sites: int

    @property
    def spare(self) -> int:
        """Sites beyond as many as there are coefficients."""
        return self.sites - int(self.vector.shape[1])

    @property
    def intercept(self) -> bool:
        """Whether the last coefficient is an intercept."""
        return bool(self.vector.shape[1] > self.centre.size)

    def positive_definite(self, matrix: Floats) -> NDArray[np.bool_]:
        """Whether summed matrices, (..., k, k), are positive definite beyond rounding: (...)."""
        scaled = matrix / (self.size[:, None] * self.size)
        found: NDArray[np.bool_] = np.linalg.eigvalsh(scaled)[..., 0] > ROUNDING
        return found

    def coefficients(self) -> Floats:
        """(k,) solution c, whether or not the summed matrix is positive definite."""
        return np.linalg.solve(self.matrix.sum(axis=0), self.vector.sum(axis=0))

    def influence(self, coefficients: Floats) -> Floats:
        r"""(S, k) influence of each site, :math:`(\sum A)^{-1}\psi_s(c)`."""
        psi = self.vector - self.matrix @ coefficients
        return np.linalg.solve(self.matrix.sum(axis=0), psi.T).T

    def at_zero(self, coefficients: Floats) -> Floats:
        """Return intercepts at mediator effects of 0, NaN for a line through it: (..., k) → (...).

        Linear in the coefficients, so it takes influences too.
        """
        if not self.intercept:
            return np.full(coefficients.shape[:-1], math.nan)
        return coefficients[..., -1] - coefficients[..., :-1] @ self.centre


def corrected_moments(
    mediator: Floats,
    total: Floats,
    mediator_cov: Floats,
    covariance: Floats,
    *,
    weight: Floats | None = None,
    intercept: bool = True,
) -> CorrectedMoments:
    """Return the corrected moments of each site.

    Parameters
    ----------
    mediator, total
        (S, P) and (S,) estimates.
    mediator_cov, covariance
        (S, P, P) and (S, P): V_γγ and V_γβ of each site.
    weight
        (S,) weights, equal by default.
    intercept
        Whether the line has one.
    """
    sites = total.size
    weight = np.ones(sites) if weight is None else weight
    centre = weight @ mediator / weight.sum() if intercept else np.zeros(mediator.shape[1])
    columns = [mediator - centre, np.ones((sites, 1))][: 1 + intercept]
    design = np.hstack(columns)
    uncorrected = design[:, :, None] * design[:, None, :]
    pad = (0, int(intercept))
    matrix = uncorrected - np.pad(mediator_cov, ((0, 0), pad, pad))
    vector = design * total[:, None] - np.pad(covariance, ((0, 0), pad))
    size = np.sqrt(np.diagonal((weight[:, None, None] * uncorrected).sum(axis=0)))
    return CorrectedMoments(
        weight[:, None, None] * matrix,
        weight[:, None] * vector,
        centre,
        np.where(size > 0, size, 1.0),
        int(np.count_nonzero(weight)),
    )


def bces_formula(
    mediator: Floats,
    total: Floats,
    mediator_cov: Floats,
    covariance: Floats | None = None,
    *,
    weight: Floats | None = None,
    intercept: bool = True,
) -> tuple[Floats, float]:
    """Return the bare BCES coefficients, whatever the sign of the denominator.

    A number, not always an estimate: where the corrected matrix is not positive definite the
    sampling variance accounts for all spread there is. `bces` then has no answer.

    Parameters
    ----------
    mediator, total, mediator_cov, covariance, weight, intercept
        As in `corrected_moments`; no covariance is 0.

    Returns
    -------
    tuple
        (P,) slopes, and the intercept (NaN without one).

    Examples
    --------
    >>> slope, intercept = bces_formula(
    ...     np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.5, 6.0]), np.full((3, 1, 1), 0.2))
    >>> slope.round(4).tolist(), round(intercept, 4)
    ([2.8571], -1.5476)
    """
    covariance = np.zeros_like(mediator) if covariance is None else covariance
    moments = corrected_moments(
        mediator, total, mediator_cov, covariance, weight=weight, intercept=intercept
    )
    found = moments.coefficients()
    return found[: mediator.shape[1]], float(moments.at_zero(found))
