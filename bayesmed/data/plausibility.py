"""Signs that a column does not hold what it is named for. They warn; they never refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr

from bayesmed.data.table import Place

__all__ = [
    "DataWarning",
    "note_on_shared_controls",
    "note_on_variances",
    "se_look_like_variances",
]


class DataWarning(UserWarning):
    """A table can be used, but something in it is probably not what was meant.

    Examples
    --------
    >>> issubclass(DataWarning, UserWarning)
    True
    """


def note_on_variances(
    names: Sequence[str], estimate: NDArray[np.float64], cov: NDArray[np.float64], place: Place
) -> tuple[str, ...]:
    """Return a note where standard errors look like variances, else nothing.

    ``estimate`` is (R, K), ``cov`` is (R, K, K), ``names`` the K effects.
    """
    se = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    suspect = se_look_like_variances(estimate, se)
    if not suspect.any():
        return ()
    listed = ", ".join(place.at(f"se[{n}]") for n, s in zip(names, suspect, strict=True) if s)
    note = (
        f"Standard errors look like variances ({listed}): taken as standard errors they do not "
        "fit the spread of the estimates, taken as variances they do. If they are variances, "
        "give their square roots."
    )
    return (note,)


def note_on_shared_controls(
    site: Sequence[str],
    block: NDArray[np.int64],
    cross_cov: Mapping[tuple[int, int], object],
    source: str,
) -> tuple[str, ...]:
    """Return a note where rows that may share a control group are taken as independent."""
    joined = {i for pair in cross_cov for i in pair}
    alone = [i for i in range(len(site)) if i not in joined]
    remedy = (
        "give their covariance: columns named in `arm_covariances` of SiteColumns, or `cross_cov` "
        "of SiteEstimates.from_arrays."
    )
    blocks = [int(block[i]) for i in alone]
    if len(set(blocks)) < len(blocks):
        note = (
            f"{source}: rows share a block, but no covariance between them is given, so they are "
            f"taken as independent. If they share a control group, {remedy}"
        )
        return (note,)
    seen: dict[str, int] = {}
    for i in alone:
        if site[i] in seen:
            note = (
                f"{source}: arms of site {site[i]!r} are taken as independent. If they share a "
                f"control group, name their `block` and {remedy}"
            )
            return (note,)
        seen[site[i]] = i
    return ()


def se_look_like_variances(
    estimate: NDArray[np.float64], se: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say for which of K effects the standard errors look like variances.

    With Q(v) = Σ (b − b̄)² / v about the precision-weighted mean b̄ (Cochran 1954) and df = rows − 1,
    a correct v gives Q(v) ~ χ²(df) when sites agree, and more when they differ. Two rules, over
    the rows with a positive standard error s:

    * *too wide*, effect by effect: P(χ² < Q(s²)) < .001, which no true differences between sites
      can bring about, while P(χ² < Q(s)) > .05. False alarms: below 1 in 1,000 per effect.
    * *too narrow*, only when it holds for all K effects: Q(s²)/df > 300 (sites differ by some 17
      standard errors), Q(s)/df < 100, and P(χ² < Q(s)) > .01. True differences can bring it
      about when every site is very large, hence a warning and the strict limits.

    Parameters
    ----------
    estimate, se
        Estimates and standard errors, each (R, K).

    Returns
    -------
    NDArray[bool]
        One flag per effect, (K,).
    """
    reached = [_dispersion(estimate[:, k], se[:, k]) for k in range(estimate.shape[1])]
    wide = np.array([p_se < 1e-3 and p_var > 0.05 for *_, p_se, p_var in reached])
    narrow = np.array(
        [q_se > 300 and q_var < 100 and p_var > 0.01 for q_se, q_var, _, p_var in reached]
    )
    return wide | np.full(len(reached), narrow.all())


def _dispersion(
    estimate: NDArray[np.float64], se: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """Return Q/df and P(χ²(df) < Q), each with s² and with s as variances: q, q, p, p."""
    positive = se > 0
    df = int(positive.sum()) - 1
    if df < 2:
        return 1.0, 1.0, 0.5, 0.5
    b, s = estimate[positive], se[positive]
    # Powers of s are taken relative to its mean, so that no unit over- or underflows.
    unit = np.exp(np.log(s).mean())
    with np.errstate(over="ignore"):
        q_se = _cochran_q(b / unit, (s / unit) ** 2)
        q_var = _cochran_q(b / unit, s / unit) * unit
    return q_se / df, q_var / df, float(chdtr(df, q_se)), float(chdtr(df, q_var))


def _cochran_q(b: NDArray[np.float64], v: NDArray[np.float64]) -> float:
    weight = 1 / v
    mean = np.sum(weight * b) / np.sum(weight)
    return float(np.sum(weight * (b - mean) ** 2))
