"""Where checks draw their lines: every threshold, with its source."""

from __future__ import annotations

from typing import Final

from bayesmed.classical.binary_iv import STRONG_F, UNBALANCED

__all__ = [
    "LOW_RELIABILITY",
    "NO_RELIABILITY",
    "STRONG_F",
    "SURPRISING",
    "UNBALANCED",
    "UNLIKELY",
    "WEAK_F",
    "WORST_BIAS",
]

SURPRISING: Final = 0.05
"""Predictive and other p-values below this are doubtful: one true assumption in twenty."""
UNLIKELY: Final = 0.05
"""Posterior probabilities of an assumption below this are doubtful."""
NO_RELIABILITY: Final = 0.05
"""Below this share of true variance in estimated mediator effects, data cannot answer."""
LOW_RELIABILITY: Final = 0.3
"""Where the share may be below this, the prior of the spread of mediator effects matters."""
WEAK_F: Final = 10
"""Staiger and Stock's (1997) rule of thumb; of each mediator given the others where several."""
WORST_BIAS: Final = 0.1
"""Stock and Yogo (2005): the bias of least squares that two-stage least squares may keep."""
