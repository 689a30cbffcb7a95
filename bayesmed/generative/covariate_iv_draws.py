"""Draws of the covariate-IV model's coordinates turned into its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical.trial_instruments import position
from bayesmed.classical.trial_products import TrialData
from bayesmed.core.names import OUTCOME_SD, SLOPE, SLOPE_SD
from bayesmed.core.types import Floats
from bayesmed.generative.covariate_iv_coordinates import (
    AT_SLOPE,
    Layout,
    named,
    numpy_times,
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
from bayesmed.generative.covariate_iv_rows import product_rows
from bayesmed.generative.protocol import Draws
from bayesmed.priors import Prior

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
            free = (values - p.location) / p.scale
            others[name] = free if name in dims else free[:, None]
    at = {name: draws[name].reshape(-1, size) for name, size in layout.sizes.items()}
    found = placed(layout, nodes, at, others, numpy_times)
    own = named(layout, found.linear)
    own |= {SLOPE: found.slope, OUTCOME_SD: found.errors.outcome_sd}
    own[ERROR_CORRELATION] = found.errors.correlation
    done = {}
    for name, p in table.items():
        if name in draws:
            done[name] = draws[name]
            continue
        if name not in own:
            # Along an axis without entries.
            done[name] = np.zeros((len(draws[AT_SLOPE]), 0))
            continue
        values = np.asarray(p.location + p.scale * own[name])
        done[name] = values if name in dims else values[:, 0]
    return done


def slope_priors(model: CovariateIV, data: TrialData) -> list[Prior]:
    """Priors of slope modifiers in data units."""
    *_, m, y = sds = product_rows(data).sds()
    found = []
    for name, prior in model.slope_pairs:
        if isinstance(prior, Prior):
            unit = float(y / (m * sds[position(data.names, name)]))
            found.append(prior.in_data_units(0.0, unit))
    return found
