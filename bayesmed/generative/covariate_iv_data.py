"""What the graph of the covariate-IV model reads: orthonormal columns, least squares, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.formulas.effect_modification import shifted_outcome
from bayesmed.generative.covariate_iv_coordinates import Layout, linear_part
from bayesmed.generative.covariate_iv_parameters import instruments_of
from bayesmed.generative.covariate_iv_rows import TrialRows

if TYPE_CHECKING:
    from bayesmed.generative.covariate_iv import CovariateIV

COLUMNS = "columns"


class Standardised(NamedTuple):
    """Rows without units.

    Attributes
    ----------
    included, instruments
        (P, L), (P, k).
    mediator, outcome
        (P,) about their means; the outcome less what is known to modify its effects.
    """

    included: Floats
    instruments: Floats
    mediator: Floats
    outcome: Floats


def standardised_rows(model: CovariateIV, rows: TrialRows) -> Standardised:
    """Divide by standard deviations and take products with treatment."""
    *_, m, y = sds = rows.sds()
    design, x = instruments_of(model, rows.names), rows.covariates / sds[:-2]
    crossed = rows.arm[:, None] * x
    of_direct = rows.covariates @ fixed_modifiers(model.direct_pairs, rows)
    of_slope = rows.products @ fixed_modifiers(model.slope_pairs, rows)
    # The products hold the mediator.
    outcome = shifted_outcome(rows.outcome, rows.arm, 1.0, of_direct, of_slope)
    treated = rows.arm * rows.ones
    return Standardised(
        included=np.column_stack([rows.ones, x, treated, crossed[:, list(design.interacted)]]),
        instruments=crossed[:, list(design.instruments)],
        mediator=rows.mediator / m,
        outcome=outcome / y,
    )


def fixed_modifiers(pairs: tuple[tuple[str, object], ...], rows: TrialRows) -> Floats:
    """(q,) numbers by covariate, 0 where there is none or it has a prior."""
    found = np.zeros(len(rows.names.covariates))
    for name, value in pairs:
        if isinstance(value, float):
            found[rows.names.covariates.index(name)] = value
    return found


def observations(model: CovariateIV, rows: TrialRows) -> dict[str, Floats]:
    """Return the values of the data nodes.

    Parameters
    ----------
    model
        Its choices.
    rows
        Persons where the likelihood is one of persons, else rows with their products.

    Returns
    -------
    dict
        ``linear``: from coefficients of mediator and outcome on orthonormal columns to parameters
        and, where the likelihood is one of products, to the means of mediator and outcome along
        the rows of arm 0 and arm 1; ``measured``: (2, 2, P) what they are there. Or ``columns``:
        (N, L + k + 4) orthonormal columns, mediator, outcome, treatment and the mediator as
        measured. ``fitted_included``, ``fitted_instruments``: (2, L), (2, k) coefficients of
        mediator and outcome on the columns; with a probit a third row for its index.
        ``slope_start``: an estimate of the slope, and how far it may be off; ``start``: least
        squares given the mediator.
    """
    layout = Layout.of(model, rows.names)
    x = standardised_rows(model, rows)
    basis, triangle = np.linalg.qr(np.column_stack([x.included, x.instruments]))
    fitted = np.stack([basis.T @ x.mediator, basis.T @ x.outcome])
    left = np.column_stack([x.mediator, x.outcome]) - basis @ fitted.T
    linear = linear_part(layout, np.linalg.inv(triangle), model.uncertain_direct != ())
    found = {}
    # A node that the graph does not read is one that a sampler does not know.
    if layout.free_errors:
        found["start"] = _starts(left, rows, layout)
    at = layout.included
    found["slope_start"] = _slope_start(fitted[:, at:], left, float(rows.n.sum()))
    if model.uncertain_direct:
        root, noise = triangle[at:, at:], float(left[:, 0] @ left[:, 0]) / rows.n.sum()
        found |= _modified(model, rows, root, fitted[0, at:], noise)
    if layout.probit:
        index = probit_fit(basis, rows.raw_mediator)
        fitted = np.vstack([fitted, index])
        found["spread"] = np.array([1.0 / _generalised_slope(basis @ index)])
    found |= {"fitted_included": fitted[:, :at], "fitted_instruments": fitted[:, at:]}
    if model.by_person:
        *_, m, _ = rows.sds()
        raw = rows.raw_mediator / m
        if model.person_effects == "random" and layout.free_errors:
            found["squares"] = _squares(rows.arm, raw, layout)
        columns = [basis, x.mediator, x.outcome, rows.arm, raw]
        return {COLUMNS: np.column_stack(columns), "linear": linear, **found}
    measured = np.stack([x.mediator, x.outcome]).reshape(2, 2, -1)
    along = _along_rows(basis, linear.shape[1])
    linear = np.concatenate([linear, *along])
    return {"persons": rows.n, "measured": measured, "linear": linear, **found}


def _along_rows(basis: Floats, size: int) -> Floats:
    """(2, 2P, size) from coefficients to means of mediator and outcome, without the slope's."""
    rows, whole = basis.shape
    found = np.zeros((2, rows, size))
    found[0, :, :whole] = basis
    found[1, :, whole:] = basis[:, : size - whole]
    return found


def _starts(left: Floats, rows: TrialRows, layout: Layout) -> Floats:
    """Least squares of the outcome on the mediator, by arm or over both: centres and errors."""
    arms = [rows.arm == a for a in (0, 1)] if layout.arms == 2 else [rows.arm >= 0]
    counts = rows.n if layout.arms == 2 else rows.n.sum(keepdims=True)
    found = []
    for chosen, n in zip(arms, counts, strict=True):
        m, y = left[chosen].T
        square = max(float(m @ m), 1e-12 * n)
        slope = float(m @ y) / square
        rest = y - slope * m
        variance = max(float(rest @ rest) / n, 1e-12)
        found.append(
            [slope, np.sqrt(variance / square), 0.5 * np.log(variance), 1 / np.sqrt(2 * n)]
        )
    return np.array(found).T


def _slope_start(on_instruments: Floats, left: Floats, n: float) -> Floats:
    """Limited information maximum likelihood of the slope and about its standard error.

    On the far side of least squares the likelihood rises again towards an infinite slope: with
    strong instruments a chain that starts there stays. With weak ones the estimate says little and
    may be anywhere: it is kept near least squares.
    """
    explained, residual = on_instruments @ on_instruments.T, left.T @ left / n
    variance = max(float(residual[0, 0]), 1e-12)
    seen = float(residual[0, 1]) / variance
    unit = np.sqrt(max(float(residual[1, 1]) - seen**2 * variance, 1e-12) / variance)
    # Least squares' residual does not go with that of the mediator.
    turn = np.array([[1.0, 0.0], [-seen, 1.0]])
    scale = np.array([np.sqrt(variance), np.sqrt(variance) * unit])
    standard = turn @ explained @ turn.T / (scale[:, None] * scale)
    first, second = np.linalg.eigh(standard)[1][:, 0]
    away = -first / second if abs(second) > 1e-6 else 0.0
    se = np.sqrt((1 + away**2) / max(float(standard[0, 0]), 1e-6))
    return np.array([seen + unit * np.clip(away, -3.0, 3.0), unit * min(se, 3.0)])


def _squares(treatment: Floats, mediator: Floats, layout: Layout) -> Floats:
    """(3, A) averages of R, M² and RM over the persons with errors in common."""
    every = np.stack([treatment, mediator**2, treatment * mediator])
    if layout.arms == 1:
        return every.mean(axis=1, keepdims=True)
    return np.stack([every[:, treatment == arm].mean(axis=1) for arm in (0, 1)], axis=1)


def _modified(
    model: CovariateIV, rows: TrialRows, root: Floats, on_instruments: Floats, noise: float
) -> dict[str, Floats]:
    """Return what direct modifiers with a prior add on the columns, and how they move the slope."""
    instruments = instruments_of(model, rows.names).instruments
    label = [rows.names.covariates[j] for j in instruments]
    modified = root[:, [label.index(name) for name in model.uncertain_direct]]
    strength = on_instruments @ on_instruments + len(label) * noise
    return {"modified": modified, "slope_shift": on_instruments @ modified / strength}


def probit_fit(basis: Floats, taken: Floats) -> Floats:
    """Probit coefficients on orthonormal columns, drawn a little to 0: a start, no estimate.

    Examples
    --------
    >>> basis = np.full((100, 1), 0.1)
    >>> round(float(0.1 * probit_fit(basis, np.repeat([0.0, 1.0], [20, 80]))[0]), 2)
    0.84
    """
    from scipy.special import log_ndtr

    found = np.zeros(basis.shape[1])
    sign = 2.0 * taken - 1.0
    for _ in range(25):
        index = sign * (basis @ found)
        ratio = np.exp(-0.5 * (np.log(2 * np.pi) + index**2) - log_ndtr(index))
        weight = ratio * (ratio + index)
        # The ridge keeps separated data finite.
        curvature = (basis * weight[:, None]).T @ basis + 1e-3 * np.eye(len(found))
        step = np.linalg.solve(curvature, basis.T @ (sign * ratio) - 1e-3 * found)
        found = found + step * min(1.0, 5.0 * np.sqrt(len(taken)) / np.abs(step).sum())
    return found


def _generalised_slope(index: Floats) -> float:
    """How much more of the latent error persons with the mediator have than those without."""
    from scipy.special import ndtr

    share = np.clip(ndtr(index), 1e-6, 1 - 1e-6)
    density = np.exp(-0.5 * index**2) / np.sqrt(2 * np.pi)
    return float(density.sum() / (share * (1 - share)).sum())
