"""Draws of the covariate-IV model's coordinates turned into its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical.trial_products import TrialData
from bayesmed.core.names import OUTCOME_SD, SLOPE_SD
from bayesmed.core.types import Floats
from bayesmed.generative.covariate_iv_coordinates import (
    COORDINATES,
    Layout,
    observed_columns,
    placed,
)
from bayesmed.generative.covariate_iv_data import observations
from bayesmed.generative.covariate_iv_parameters import (
    DIRECT_EFFECT_SD,
    DIRECT_MODIFIER,
    EFFECT_CORRELATION,
    ERROR_CORRELATION,
    MEDIATOR_SD,
    table_of,
)
from bayesmed.generative.protocol import Draws

if TYPE_CHECKING:
    from bayesmed.generative.covariate_iv import CovariateIV

_OTHERS = {MEDIATOR_SD, DIRECT_MODIFIER, DIRECT_EFFECT_SD, SLOPE_SD, EFFECT_CORRELATION}
_ERRORS = {OUTCOME_SD, ERROR_CORRELATION}


def replaced(model: CovariateIV) -> frozenset[str]:
    """Names of the parameters that follow from coordinates."""
    others = _OTHERS if model.free_errors else _OTHERS | _ERRORS
    return frozenset(set(model.parameters) - others)


def completed(model: CovariateIV, draws: Draws, data: TrialData) -> dict[str, Floats]:
    """Return every parameter in data units from coordinates and the others."""
    rows = model.rows(data)
    layout, nodes = Layout.of(model, data.names), observations(model, rows)
    table = {p.name: p for p in table_of(model, rows)}
    dims = model.dims()
    others = {}
    for name, values in draws.items():
        if name in table:
            p = table[name]
            own = (values - p.location) / p.scale
            others[name] = own if name in dims else own[:, None]
    found = placed(layout, nodes, draws[COORDINATES], others, observed_columns)
    done = {}
    for name, p in table.items():
        if name in draws:
            done[name] = draws[name]
            continue
        if name not in found.parameters:
            # Along an axis without entries.
            done[name] = np.zeros((len(draws[COORDINATES]), 0))
            continue
        values = np.asarray(p.location + p.scale * found.parameters[name])
        done[name] = values if name in dims else values[:, 0]
    return done
