"""How estimates of one trial move where covariates change the effects themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical.trial_estimate import TrialEstimate
from bayesmed.classical.trial_instruments import sequence_of_modifiers, trial_instruments
from bayesmed.classical.trial_iv import NAMES, two_stages
from bayesmed.classical.trial_products import TrialData, trial_products
from bayesmed.core.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 256


@dataclass(frozen=True)
class SensitivityRow:
    """Estimates at given sensitivity parameters.

    Attributes
    ----------
    direct_modifier, slope_modifier
        (k,) how much a unit of each instrument's covariate changes the direct effect and the
        mediator's effect.
    estimate
        Two-stage least squares of the shifted outcome.
    """

    direct_modifier: tuple[float, ...]
    slope_modifier: tuple[float, ...]
    estimate: TrialEstimate


@dataclass(frozen=True)
class SensitivityGrid:
    """Estimates over a grid of sensitivity parameters.

    Attributes
    ----------
    covariates
        The k covariates the parameters speak of, in order.
    rows
        The direct effect's modifiers change fastest.
    reason
        Why no row is defined; empty otherwise.

    Examples
    --------
    >>> SensitivityGrid(("age",), (), "columns are collinear").table().empty
    True
    """

    covariates: tuple[str, ...]
    rows: tuple[SensitivityRow, ...]
    reason: str = ""

    def table(self) -> pd.DataFrame:
        """Return a tidy table in the layout of Small's (2012) Table 2.

        Columns: ``direct_modifier[x]`` and ``slope_modifier[x]`` of every covariate, then
        ``direct_effect`` and ``slope`` with ``_se``, ``_low`` and ``_high`` (95 %).
        """
        import pandas as pd

        columns: dict[str, list[float]] = {}
        for role in ("direct_modifier", "slope_modifier"):
            for j, name in enumerate(self.covariates):
                columns[f"{role}[{name}]"] = [getattr(row, role)[j] for row in self.rows]
        for effect in ("direct_effect", "slope"):
            for end in ("", "_se", "_low", "_high"):
                values = [getattr(row.estimate, effect + end) for row in self.rows]
                columns[effect + end] = values
        return pd.DataFrame(columns)


def sensitivity_grid(
    data: TrialData,
    *,
    direct_modifiers: Sequence[Sequence[float]] | None = None,
    slope_modifiers: Sequence[Sequence[float]] | None = None,
    instruments: Iterable[str] | None = None,
    interactions: bool = True,
) -> SensitivityGrid:
    r"""Estimate at every combination of sensitivity parameters :math:`\tau_R` and :math:`\tau_M`.

    If a unit of covariate j changes the direct effect by :math:`\tau_{R,j}` and the mediator's
    effect by :math:`\tau_{M,j}`, two-stage least squares is right for the outcome less these
    changes (Small 2012, section 6, Table 2). Estimates are additive in the parameters: a shift of
    c in :math:`\tau_{R,j}` moves them by -c times two-stage least squares of
    :math:`R(X_j-\bar X_j)`. The data cannot tell :math:`\tau_R` at all: it is yours to judge.

    Parameters
    ----------
    data, instruments, interactions
        As in `covariate_iv`.
    direct_modifiers, slope_modifiers
        Rows of k numbers, one for each instrument's covariate in the trial's order. Default: every
        combination of 0 and 1, the last covariate changing fastest; for two covariates the 16 rows
        of Small's table.

    Returns
    -------
    SensitivityGrid
        A row for every pair of the two. Errors are homoskedastic.

    Raises
    ------
    ModelError
        If there is no such covariate, no instrument, a row of another length, or more than 256
        rows by default.
    DataError
        If treatment is an amount.

    Examples
    --------
    >>> from bayesmed.data import TrialPersons
    >>> x, r = np.tile([0, 0, 1, 1], 4), np.repeat([0, 1], 8)
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=r, mediator=2 * r * x + np.tile([0, 1], 8),
    ...     outcome=1 + r + 6 * r * x + np.tile([0, 2], 8), covariates={"severe": x})
    >>> sensitivity_grid(persons).table()["slope"].round(6).tolist()
    [3.0, 2.5, 2.5, 2.0]
    """
    design = trial_instruments(data.names, instruments, interactions)
    covariates = tuple(data.names.covariates[j] for j in design.instruments)
    k = len(covariates)
    if (direct_modifiers is None or slope_modifiers is None) and 4**k > MOST_ROWS:
        raise ModelError(
            f"All combinations of {k} covariates are {4**k} rows.",
            "Give `direct_modifiers` and `slope_modifiers`.",
        )
    corners = list(product((0.0, 1.0), repeat=k))
    of_direct = sequence_of_modifiers(corners if direct_modifiers is None else direct_modifiers, k)
    of_slope = sequence_of_modifiers(corners if slope_modifiers is None else slope_modifiers, k)
    sums = trial_products(data)
    stages = design.stages(sums)
    if isinstance(stages, str):
        return SensitivityGrid(covariates, (), stages)
    # Other covariates change nothing.
    among = np.eye(len(data.names.covariates))[list(design.instruments)]
    rows = []
    for slope, direct in product(of_slope, of_direct):
        both = sums.mediator_and_outcome(direct @ among, slope @ among)
        estimate = two_stages(NAMES["homoskedastic"], stages, both)
        rows.append(SensitivityRow(tuple(direct.tolist()), tuple(slope.tolist()), estimate))
    reason = next((row.estimate.reason for row in rows if not row.estimate.defined), "")
    return SensitivityGrid(covariates, tuple(rows), reason)
