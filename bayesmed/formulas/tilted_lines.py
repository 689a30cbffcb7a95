"""What a line is tilted by where something is added to total effects that it has no place for."""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["tilt_of_constant", "tilt_of_modifier"]


def tilt_of_constant(mediator: Floats, weight: Floats) -> Floats:
    r"""Return what one unit added to every total effect adds to slopes through the origin, (P,).

    .. math:: h=\Bigl(\sum_s w_s\gamma_s\gamma_s'\Bigr)^{-1}\sum_s w_s\gamma_s

    from :math:`b=(\sum_sw_s\gamma_s\gamma_s')^{-1}\sum_sw_s\gamma_s\beta_s` at
    :math:`\beta_s+\kappa`: slopes move by :math:`h\kappa`, whether :math:`\kappa` is a mean direct
    effect or a within-site covariance of persons' mediator effects and slopes. For one mediator
    and equal weights :math:`h=\bar\gamma/\overline{\gamma^2}` (methods, section 3).

    Parameters
    ----------
    mediator
        (S, P) mediator effects.
    weight
        (S,) weights of the sites.

    Examples
    --------
    >>> tilt_of_constant(np.array([[1.0], [3.0]]), np.ones(2)).round(6).tolist()
    [0.4]
    """
    weighted = weight[:, None] * mediator
    return np.asarray(np.linalg.solve(mediator.T @ weighted, weighted.sum(axis=0)))


def tilt_of_modifier(modification: Floats, products: Floats) -> Floats:
    r"""Return what a unit of each direct modifier adds to the slope that covariates tell, (..., k).

    .. math:: h_j=\frac{(Sd)_j}{d'Sd}

    With instruments :math:`R\cdot X` of the mediator's equation :math:`d'(R\cdot X)`, two-stage
    least squares regresses the outcome on what instruments predict. A direct effect that changes
    by :math:`\tau_{R,j}` per unit of :math:`X_j` adds :math:`\tau_{R,j}RX_j` to the outcome, whose
    coefficient is :math:`\mathrm{Cov}(RX_j,d'RX)/\mathrm{Var}(d'RX)` (Small 2012, section 6); with
    one instrument it is :math:`1/d`.

    Parameters
    ----------
    modification
        (..., k) d.
    products
        (k, k) cross-products S of the instruments, less what the other regressors predict.

    Examples
    --------
    >>> tilt_of_modifier(np.array([0.5]), np.array([[7.0]])).tolist()
    [2.0]
    """
    along = modification @ products
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(along / (along * modification).sum(axis=-1, keepdims=True))
