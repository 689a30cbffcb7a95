"""How strongly covariates × treatment move the mediator of one trial."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bayesmed.classical.trial_instruments import TrialInstruments, trial_instruments
from bayesmed.classical.trial_products import TrialData, trial_products
from bayesmed.data import TrialPersons
from bayesmed.formulas.first_stage import (
    STOCK_YOGO,
    effective_df,
    effective_f,
    effective_f_critical,
    partial_f,
)
from bayesmed.formulas.sandwich import sandwich


@dataclass(frozen=True)
class TrialStrength:
    """Strength of the instruments in the first stage.

    Attributes
    ----------
    instruments
        Number of instruments.
    df
        Persons less all coefficients of the first stage.
    partial_f, p_value
        F of the instruments and its p-value, for residuals of one variance.
    stock_yogo
        Value F should exceed; NaN where none is tabulated for this number of instruments.
    effective_f, effective_critical
        F where residuals vary unequally, and the value it should exceed for a bias of at most a
        tenth of the worst; NaN without persons.
    reason
        Why there is no F, or no effective F; empty otherwise.

    Examples
    --------
    >>> TrialStrength(4, 292, 13.0, 1e-9, math.nan, math.nan, math.nan, "only moments").strong
    False
    """

    instruments: int
    df: int
    partial_f: float
    p_value: float
    stock_yogo: float
    effective_f: float
    effective_critical: float
    reason: str = ""

    @property
    def strong(self) -> bool:
        """Whether F is known to exceed what it should, the effective one where there is one."""
        if math.isfinite(self.effective_f):
            return self.effective_f > self.effective_critical
        return self.partial_f > self.stock_yogo


def trial_strength(
    data: TrialData, *, instruments: Iterable[str] | None = None, interactions: bool = True
) -> TrialStrength:
    r"""Test whether treatment × covariates predict the mediator beyond covariates and treatment.

    The partial F and the values of Stock, Wright and Yogo (Small 2012, section 5), and from
    persons the effective F of Montiel Olea and Pflueger (2013), whose covariance is White's times
    n over the degrees of freedom (`bayesmed.formulas.first_stage`).

    Parameters
    ----------
    data, instruments, interactions
        As in `covariate_iv`.

    Returns
    -------
    TrialStrength
        NaN where columns are collinear or persons too few.

    Raises
    ------
    ModelError
        If there is no such covariate, or no instrument.
    DataError
        If treatment is an amount.

    Examples
    --------
    >>> x, r = np.tile([0, 0, 1, 1], 4), np.repeat([0, 1], 8)
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=r, mediator=2 * r * x + np.tile([0, 1], 8), outcome=x, covariates={"a": x})
    >>> round(trial_strength(persons).partial_f, 6)
    12.0
    """
    design = trial_instruments(data.names, instruments, interactions)
    sums = trial_products(data)
    stages, k = design.stages(sums), len(design.instruments)
    nan = math.nan
    if isinstance(stages, str):
        return TrialStrength(k, 0, nan, nan, nan, nan, nan, stages)
    from scipy.special import fdtrc

    first = stages.instruments
    f = partial_f(float(first.explained[0, 0]), float(first.left[0, 0]), k, stages.spare)
    effective, critical, reason = nan, nan, "an effective F needs the persons"
    if isinstance(data, TrialPersons):
        (effective, critical), reason = _effective(data, design, stages.spare), ""
    return TrialStrength(
        instruments=k,
        df=stages.spare,
        partial_f=f,
        p_value=float(fdtrc(k, stages.spare, f)),
        stock_yogo=STOCK_YOGO.get(k, nan),
        effective_f=effective,
        effective_critical=critical,
        reason=reason,
    )


def _effective(persons: TrialPersons, design: TrialInstruments, df: int) -> tuple[float, float]:
    included, instruments = design.columns(persons)
    basis = np.linalg.qr(included / np.abs(included).max(axis=0))[0]
    columns = np.column_stack([instruments, persons.mediator])
    columns = columns / np.abs(columns).max(axis=0)
    columns = columns - basis @ (basis.T @ columns)
    z, mediator = columns[:, :-1], columns[:, -1]
    coefficients = np.linalg.lstsq(z, mediator, rcond=None)[0]
    cov = persons.n / df * sandwich(z, mediator - z @ coefficients)
    products = z.T @ z
    f = effective_f(coefficients, products, cov)
    return f, effective_f_critical(effective_df(products, cov))
