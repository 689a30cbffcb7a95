"""Direct and mediator effects that differ with baseline covariates, as sensitivity parameters."""

from __future__ import annotations

from bayesmed.core.types import ArrayLike

__all__ = ["shifted_outcome"]


def shifted_outcome(
    outcome: ArrayLike,
    treatment: ArrayLike,
    mediator: ArrayLike,
    direct_modifier: ArrayLike,
    slope_modifier: ArrayLike,
) -> ArrayLike:
    r"""Return the outcome less what covariates change of its effects.

    .. math::

        Y_i - R_i\,\tau_R'(X_i-\bar X) - M_i\,\tau_M'(X_i-\bar X)

    If :math:`E[\theta_{Ri}\mid X]=\theta_R+\tau_R'(X-E X)` and
    :math:`E[\theta_{Mi}\mid X]=\theta_M+\tau_M'(X-E X)`, instruments made of covariates are valid
    for this outcome (Small 2012, equations 7 and 8, proposition 2; its text drops R and M from the
    shift in places).

    Parameters
    ----------
    outcome, treatment, mediator
        Arrays or PyTensor variables that broadcast.
    direct_modifier, slope_modifier
        :math:`\tau_R'(X-\bar X)` and :math:`\tau_M'(X-\bar X)` of each person.

    Examples
    --------
    >>> shifted_outcome(10.0, 1.0, 2.0, 0.5, 0.25)
    9.0
    """
    return outcome - treatment * direct_modifier - mediator * slope_modifier
