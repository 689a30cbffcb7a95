r"""How an estimator did over replicates, each number with its Monte Carlo error.

Replicates in which an estimator is not defined (its denominator is not positive) are counted. They
exclude no value, so they enter ``rejects`` as not rejecting; they have no estimate and no
interval, so bias, root mean squared error, sign, coverage and width are those of the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bayesmed.core.types import Floats

type Booleans = npt.NDArray[np.bool_]
METRICS = ("bias", "rmse", "rejects", "covers", "median_width", "wrong_sign", "type_s")
"""Columns of a table of metrics; each is followed by its error, ``bias_error`` and so on."""


def metrics(estimate: Floats, low: Floats, high: Floats, truth: float) -> dict[str, float | int]:
    """Summarise the replicates of one estimator in one design.

    Parameters
    ----------
    estimate, low, high
        (replicates,) estimates and ends of their intervals, NaN where there are none.
    truth
        What is estimated.

    Returns
    -------
    dict
        ``replicates``, ``undefined`` and ``without_interval`` as counts; then, each with its Monte
        Carlo error, ``bias``; ``rmse``; ``rejects``, the share of all replicates whose interval
        excludes 0 (size where the truth is 0, power elsewhere); ``covers``, of the intervals the
        share that holds the truth; ``median_width`` of the intervals; ``wrong_sign``, the share of
        estimates of the other sign than the truth; ``type_s``, the same of the rejecting ones.
        NaN where nothing is left to count, and signs are not asked for where the truth is 0.

    Examples
    --------
    >>> estimate = np.array([1.0, 3.0, np.nan])
    >>> found = metrics(estimate, estimate - 2, estimate + 2, truth=2.0)
    >>> found["undefined"], found["bias"], found["rmse"], round(found["rejects"], 3)
    (1, 0.0, 1.0, 0.333)
    """
    defined, interval = ~np.isnan(estimate), ~(np.isnan(low) | np.isnan(high))
    rejects = interval & ((low > 0) | (high < 0))
    found: dict[str, float | int] = {
        "replicates": estimate.size,
        "undefined": int((~defined).sum()),
        "without_interval": int((defined & ~interval).sum()),
    }
    away = estimate[defined] - truth
    with np.errstate(invalid="ignore"):
        covers = ((low <= truth) & (truth <= high))[interval]
        width = (high - low)[interval]
    signed = np.sign(truth)
    wrong = (np.sign(estimate) == -signed) if signed else np.zeros(estimate.shape, dtype=bool)
    beyond = np.where(low > 0, 1.0, -1.0) == -signed
    return found | _with_errors(
        {
            "bias": _mean(away),
            "rmse": _root_mean_square(away),
            "rejects": _share(rejects),
            "covers": _share(covers),
            "median_width": _median(width),
            "wrong_sign": _share(wrong[defined] if signed else wrong[:0]),
            "type_s": _share(beyond[rejects] if signed else wrong[:0]),
        }
    )


def _with_errors(pairs: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    return {
        name: value
        for key, (estimate, error) in pairs.items()
        for name, value in ((key, estimate), (f"{key}_error", error))
    }


def _mean(x: Floats) -> tuple[float, float]:
    if not x.size:
        return math.nan, math.nan
    error = float(x.std(ddof=1)) / math.sqrt(x.size) if x.size > 1 else math.nan
    return float(x.mean()), error


def _root_mean_square(x: Floats) -> tuple[float, float]:
    """Its error is the delta method's; heavy tails make both unreliable."""
    value, error = _mean(x**2)
    root = math.sqrt(value)
    return root, error / (2.0 * root) if root else error


def _share(x: Booleans) -> tuple[float, float]:
    """Its error is the binomial one after one more case of either kind, so that it is never 0."""
    if not x.size:
        return math.nan, math.nan
    smoothed = (float(x.sum()) + 1.0) / (x.size + 2.0)
    return float(x.mean()), math.sqrt(smoothed * (1.0 - smoothed) / x.size)


def _median(x: Floats) -> tuple[float, float]:
    """Its error is half the distance of the order statistics one standard error away."""
    if not x.size:
        return math.nan, math.nan
    ordered = np.sort(x)
    reach, middle = math.sqrt(x.size) / 2.0, (x.size - 1) / 2.0
    first, last = max(math.floor(middle - reach), 0), min(math.ceil(middle + reach), x.size - 1)
    known = math.isfinite(ordered[last])
    error = float(ordered[last] - ordered[first]) / 2.0 if known else math.inf
    return float(np.median(ordered)), error
