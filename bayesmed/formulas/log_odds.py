"""Log odds of a share, and how its estimate moves with the share (the delta method)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_odds", "log_odds_slope", "with_half_counts"]

_Array = NDArray[np.float64]


def log_odds(share: _Array) -> _Array:
    """Return log(p / (1 − p)).

    Examples
    --------
    >>> log_odds(np.array([0.5]))
    array([0.])
    """
    odds: _Array = np.log(share) - np.log1p(-share)
    return odds


def log_odds_slope(share: _Array) -> _Array:
    """Return d log odds / dp = 1 / (p (1 − p)).

    With Var(p̂) = p(1 − p)/n it gives Woolf's variance 1/(np) + 1/(n(1 − p)) of the log odds
    (Woolf 1955), and with Cov(p̂, m̂) the covariance with any other estimate m̂ of the same persons.

    Examples
    --------
    >>> log_odds_slope(np.array([0.5]))
    array([4.])
    """
    slope: _Array = 1 / (share * (1 - share))
    return slope


def with_half_counts(n: _Array, share: _Array) -> _Array:
    """Return the share after half a count is added to both outcomes: (n p + ½)/(n + 1).

    The correction of Haldane (1956) and Anscombe (1956) for cells in which nobody, or everybody,
    has the outcome.

    Examples
    --------
    >>> with_half_counts(np.array([9.0]), np.array([0.0]))
    array([0.05])
    """
    corrected: _Array = (n * share + 0.5) / (n + 1)
    return corrected
