r"""Effects through a binary mediator by instrument in each arm, with delta-method errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmed.classical.binary_iv_estimate import QUANTITIES, BinaryIV
from bayesmed.classical.canonical import normal_quantile
from bayesmed.classical.estimate import LEVEL
from bayesmed.classical.instrument_balance import InstrumentBalance, instrument_balance
from bayesmed.classical.trial_anderson_rubin import ConfidenceSet
from bayesmed.core.names import ARM_INTERCEPT, ARM_SLOPE, ATE, NDE, NIE
from bayesmed.core.numbers import number
from bayesmed.core.types import ArrayLike, Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.anderson_rubin import anderson_rubin_set
from bayesmed.formulas.binary_iv import first_stage, iv_effects
from bayesmed.formulas.derivatives import jacobian
from bayesmed.formulas.first_stage import STOCK_YOGO

STRONG_F = STOCK_YOGO[1]
UNBALANCED = 0.01
"""Below this probability, treatment and instrument are called dependent."""
_ROUNDING = 1e-12


def binary_iv(cells: TrialCells) -> BinaryIV:
    r"""Estimate what instrumental variables identify (`bayesmed.formulas.binary_iv`).

    Within strata of covariates the formulas hold stratum by stratum; what is returned are their
    averages over persons, :math:`\sum_s\frac{n_s}{n}q_s`. Standard errors are by the delta method
    from the means of mediator and outcome at each treatment and instrument, whose covariances are
    estimated there without bias (robust to unequal variances), the shares of the instrument, and
    the shares of the strata: persons are a sample. In an arm with as many persons at either value
    of the instrument, the slope's error is that of two-stage least squares with robust errors
    times :math:`\sqrt{n_z/(n_z-1)}`. Intervals are normal; where the first stage is weak they are
    too narrow, and a note says so. The sets of slopes that

    .. math::

        \frac{(\Delta\bar y_d-b\,\Delta\bar m_d)^2}
             {\mathrm{Var}(\Delta\bar y_d-b\,\Delta\bar m_d)}\le\chi^2_1(.95)

    does not reject (Anderson and Rubin 1949, with these variances) are right even then.

    That the effects are the natural ones asks for effects of the mediator that do not vary between
    types of persons, beside a valid instrument.

    Parameters
    ----------
    cells
        The trial.

    Returns
    -------
    BinaryIV
        Slopes and what needs them are not defined where the instrument does not move the mediator
        in some arm. Without standard errors where one person alone has some treatment and
        instrument.

    Examples
    --------
    >>> cells = TrialCells.from_arrays(
    ...     n=[[[30, 10], [20, 20]], [[30, 10], [10, 30]]],
    ...     events=[[[9, 5], [6, 10]], [[12, 6], [4, 21]]])
    >>> found = binary_iv(cells)
    >>> found.estimate["arm_slope"].round(3).tolist(), found.estimate["nie"].round(3).tolist()
    ([0.2, 0.35], [0.025, 0.044])
    """
    theta, cov = _means(cells)
    weight = cells.stratum_share
    moved = first_stage(cells.mediator_mean)
    undefined = _no_first_stage(cells, moved)
    reason = undefined or _no_error(cells)
    # Without a first stage slopes are not finite; they become "not defined" below.
    with np.errstate(divide="ignore", invalid="ignore"):
        each = _flat(theta)
        value = weight @ each
        gradient = jacobian(_flat, theta)
        apart = each - value
        joint = np.einsum("s,ski,sij,slj->kl", weight**2, gradient, cov, gradient)
        joint += np.einsum("s,sk,sl->kl", weight, apart, apart) / cells.n_persons
    value[_by_slope() & bool(undefined)] = np.nan
    unknown = np.isnan(value)
    joint[unknown] = joint[:, unknown] = np.nan
    se = np.sqrt(np.diagonal(joint))
    reach = normal_quantile() * se
    steps, of_steps = _steps(theta, cov)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = moved**2 / of_steps[..., 0, 0]
    balance = instrument_balance(cells)
    assert cells.names.arms is not None
    return BinaryIV(
        arms=cells.names.arms,
        estimate=_named(value),
        se=_named(se),
        interval_low=_named(value - reach),
        interval_high=_named(value + reach),
        cov=joint,
        first_stage=moved,
        first_stage_f=f,
        slope_sets=() if cells.n_strata > 1 else _slope_sets(steps[0], of_steps[0], reason),
        balance=balance,
        reason=reason,
        notes=(*_weak(cells, f, bool(undefined)), *_unbalanced(cells, balance)),
    )


def _means(cells: TrialCells) -> tuple[Floats, Floats]:
    """(S, 9) means of mediator and outcome at each (d, z), share at instrument 1; covariances."""
    s, persons = cells.n_strata, cells.persons
    share = cells.instrument_share[:, 1]
    parts = (cells.mediator_mean.reshape(s, 4), cells.outcome_mean.reshape(s, 4), share[:, None])
    cov = np.zeros((s, 9, 9))
    with np.errstate(divide="ignore", invalid="ignore"):
        of_means = cells.products / (persons * (persons - 1))[..., None, None]
    of_means = of_means.reshape(s, 4, 2, 2)
    for c in range(4):
        cov[:, [[c], [4 + c]], [c, 4 + c]] = of_means[:, c]
    cov[:, 8, 8] = share * (1 - share) / persons.sum(axis=(1, 2))
    return np.concatenate(parts, axis=1), cov


def _steps(theta: Floats, cov: Floats) -> tuple[Floats, Floats]:
    """(S, 2, 2) differences of mediator and outcome means by arm, and their (2, 2) covariances."""
    contrast = np.zeros((2, 2, 9))
    for d in range(2):
        for v in range(2):
            start = 4 * v + 2 * d
            contrast[d, v, start : start + 2] = -1.0, 1.0
    steps = np.einsum("dvi,si->sdv", contrast, theta)
    return steps, np.einsum("dvi,sij,dwj->sdvw", contrast, cov, contrast)


def _slope_sets(steps: Floats, cov: Floats, reason: str) -> tuple[ConfidenceSet, ...]:
    """Return the Anderson-Rubin set of each arm's slope."""
    critical = normal_quantile() ** 2
    found = []
    for step, noise in zip(steps, cov, strict=True):
        explained = np.outer(step, step)
        varies = np.diagonal(explained + noise) > 0
        if reason or not varies.all():
            why = reason or "the outcome does not vary in the arm"
            found.append(ConfidenceSet(LEVEL, (), defined=False, reason=why))
        else:
            pieces = anderson_rubin_set(explained, noise, 1, 1.0, critical)
            found.append(ConfidenceSet(LEVEL, pieces))
    return tuple(found)


def _flat(theta: ArrayLike) -> ArrayLike:
    """(..., 13) all quantities of (..., 9) means and shares."""
    shape = (*theta.shape[:-1], 2, 2)
    share = np.stack([1 - theta[..., 8], theta[..., 8]], axis=-1)
    found = iv_effects(theta[..., :4].reshape(shape), theta[..., 4:8].reshape(shape), share)
    by_arm = (
        found.slope,
        found.intercept,
        found.mediator_mean,
        found.outcome_mean,
        found.nie,
        found.nde,
    )
    return np.concatenate([*by_arm, found.ate[..., None]], axis=-1)


def _by_slope() -> NDArray[np.bool_]:
    """(13,) which quantities need a slope."""
    needs = {ARM_SLOPE, ARM_INTERCEPT, NIE, NDE}
    return np.array([name in needs for name in QUANTITIES[:-1] for _ in range(2)] + [False])


def _named(flat: Floats) -> dict[str, Floats]:
    """Cut (13,) numbers into quantities, read-only."""
    flat.flags.writeable = False
    cut = np.split(flat, range(2, 13, 2))
    by_name = dict(zip(QUANTITIES, cut, strict=True))
    return by_name | {ATE: by_name[ATE][0]}


def _no_first_stage(cells: TrialCells, moved: Floats) -> str:
    """Say in which arm the instrument moves nothing; "" where it moves the mediator in both."""
    bad = np.argwhere(np.abs(moved) < _ROUNDING)
    if not len(bad):
        return ""
    s, d = bad[0]
    return (
        f"{cells.names.mediator!r} is as frequent at both values of {cells.instrument!r}"
        f"{_where(cells, s, d)}"
    )


def _no_error(cells: TrialCells) -> str:
    """Say where one person leaves no variance; "" where there are two everywhere."""
    alone = np.argwhere(cells.persons == 1)
    if not len(alone):
        return ""
    s, d, z = alone[0]
    return f"one person alone is at {cells.instrument} = {z}{_where(cells, s, d)}"


def _weak(cells: TrialCells, f: Floats, undefined: bool) -> tuple[str, ...]:
    weak = np.argwhere(f < STRONG_F)
    if undefined or not len(weak):
        return ()
    s, d = min(weak.tolist(), key=lambda at: f[at[0], at[1]])
    several = f", and {len(weak) - 1} more like it" if len(weak) > 1 else ""
    note = (
        f"{cells.instrument!r} moves {cells.names.mediator!r} little{_where(cells, s, d)} (F = "
        f"{number(f[s, d])}, below {STRONG_F}{several}): ratios are far from normal and their "
        "intervals too narrow."
    )
    return (note,)


def _unbalanced(cells: TrialCells, balance: InstrumentBalance) -> tuple[str, ...]:
    if not balance.p_value < UNBALANCED:
        return ()
    note = (
        f"{cells.names.treatment!r} and {cells.instrument!r} are not independent: "
        f"{balance.words}. Effects average over the share of both arms together."
    )
    return (note,)


def _where(cells: TrialCells, s: int, d: int) -> str:
    assert cells.names.arms is not None
    stratum = f" of stratum {cells.stratum[s]!r}" if cells.n_strata > 1 else ""
    return f" in arm {cells.names.arms[d]!r}{stratum}"
