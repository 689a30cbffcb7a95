r"""Anderson and Rubin's (1949) test of the mediator's effect, right however weak the instruments.

If :math:`\theta_M` is the effect, instruments do not predict :math:`Y-\theta_MM`. With explained
cross-products Z and error E of (M, Y), k instruments and d = n - L - k degrees of freedom left,

.. math:: F(\theta) = \frac{c'Zc/k}{c'Ec/d},\qquad c = (-\theta, 1)'

has the F distribution with k and d degrees of freedom where errors are normal with one variance.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["anderson_rubin_f", "anderson_rubin_set"]


def anderson_rubin_f(
    slope: float, explained: Floats, error: Floats, instruments: int, df: float
) -> float:
    """Return F of the module's equation.

    Parameters
    ----------
    slope
        The effect to be tested, outcome units per mediator unit.
    explained, error
        (2, 2) Z and E, mediator first.
    instruments, df
        k and d.

    Examples
    --------
    >>> anderson_rubin_f(0.0, np.diag([4.0, 1.0]), np.diag([1.0, 2.0]), 1, 10.0)
    5.0
    """
    c = np.array([-slope, 1.0])
    return float((c @ explained @ c) / instruments / ((c @ error @ c) / df))


def anderson_rubin_set(
    explained: Floats, error: Floats, instruments: int, df: float, critical: float
) -> tuple[tuple[float, float], ...]:
    r"""Return the effects the test does not reject, as closed intervals in rising order.

    .. math:: \{\theta: c'Dc\le0\},\qquad D = Z - \frac{k}{d}F_{crit}E

    is a quadratic inequality: an interval where instruments are strong; nothing where several
    instruments contradict each other; all but an open interval, or everything, where they are weak
    (:math:`D_{MM}\le0`, a first-stage F below the critical value).

    Parameters
    ----------
    explained, error, instruments, df
        As in `anderson_rubin_f`.
    critical
        :math:`F_{crit}`.

    Examples
    --------
    >>> e = np.eye(2)
    >>> anderson_rubin_set(np.array([[5.0, 4.0], [4.0, 4.0]]), e, 1, 1.0, 1.0)
    ((0.5, 1.5),)
    >>> weak = anderson_rubin_set(np.array([[0.0, 0.0], [0.0, 2.0]]), e, 1, 1.0, 1.0)
    >>> [(round(low, 6), round(high, 6)) for low, high in weak]
    [(-inf, -1.0), (1.0, inf)]
    """
    size = np.sqrt(np.diagonal(explained + error))
    d = (explained - critical * instruments / df * error) / (size[:, None] * size)
    a, b, c = float(d[0, 0]), float(d[0, 1]), float(d[1, 1])
    unit = float(size[1] / size[0])
    everything = ((-math.inf, math.inf),)
    discriminant = b * b - a * c
    if a == 0:
        return _linear(b, c, unit)
    if discriminant < 0:
        return () if a > 0 else everything
    # The root of larger size first: neither loses digits to a difference.
    sum_ = b + math.copysign(math.sqrt(discriminant), b)
    ends = sorted((sum_ / a * unit, c / sum_ * unit)) if sum_ else [0.0, 0.0]
    if a > 0:
        return ((ends[0], ends[1]),)
    return ((-math.inf, ends[0]), (ends[1], math.inf)) if ends[0] < ends[1] else everything


def _linear(b: float, c: float, unit: float) -> tuple[tuple[float, float], ...]:
    """Solve c - 2 b θ <= 0."""
    if b == 0:
        return ((-math.inf, math.inf),) if c <= 0 else ()
    end = c / (2 * b) * unit
    return ((end, math.inf),) if b > 0 else ((-math.inf, end),)
