"""Parameters taken apart into the single numbers they consist of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayesmed.core.names import (
    CHAIN,
    DRAW,
    ESTIMATE,
    MEDIATOR,
    MEDIATOR_EFFECT_SLOPE_CORR,
    OTHER_COEFFICIENT,
    OTHER_ESTIMATE,
    OTHER_MEDIATOR,
    PERSON_COVARIANCE,
)


class Entry(NamedTuple):
    """One number of a parameter.

    Attributes
    ----------
    name
        The parameter.
    key
        The entry: ``slope``, or ``slope[LDL]`` where there are several; priors have the same keys.
    labels
        What it belongs to, by dim: mediator, other_mediator, covariate.
    values
        Draws with dims chain and draw.
    """

    name: str
    key: str
    labels: Mapping[str, str]
    values: xr.DataArray


def entries(group: xr.Dataset, *, persons: bool = False) -> list[Entry]:
    """Return every entry of a group of parameters (``posterior``, ``prior``), in order.

    Of a correlation matrix these are the pairs, each once: its diagonal is no unknown, and nor is a
    known correlation of effects with slopes. Covariances
    of persons, which are no question of anybody's, are among them with ``persons`` only.

    Examples
    --------
    >>> import numpy as np
    >>> group = xr.Dataset({"slope": (("chain", "draw", "mediator"), np.zeros((1, 2, 2)))},
    ...                    coords={"mediator": ["LDL", "HDL"]})
    >>> [entry.key for entry in entries(group)]
    ['slope[LDL]', 'slope[HDL]']
    """
    found = []
    for name, values in group.data_vars.items():
        if name == PERSON_COVARIANCE and not persons:
            continue
        dims = [str(d) for d in values.dims if d not in (CHAIN, DRAW)]
        single = dims in ([], [MEDIATOR]) and all(values.sizes[d] == 1 for d in dims)
        for index in product(*(range(values.sizes[d]) for d in dims)):
            # Of effects with slopes every pair is another number.
            twice = OTHER_MEDIATOR in dims and name != MEDIATOR_EFFECT_SLOPE_CORR
            twice = twice or OTHER_COEFFICIENT in dims
            at = dict(zip(dims, index, strict=True))
            if twice and index[0] >= index[1]:
                continue
            if name == PERSON_COVARIANCE and at[ESTIMATE] > at[OTHER_ESTIMATE]:
                continue
            labels = {d: str(values[d].values[i]) for d, i in at.items()}
            key = str(name) if single else f"{name}[{', '.join(labels.values())}]"
            own = values.isel(at).transpose(CHAIN, DRAW).reset_coords(drop=True)
            if name == MEDIATOR_EFFECT_SLOPE_CORR and bool((own == own[0, 0]).all()):
                continue
            found.append(Entry(str(name), key, labels, own))
    return found


def summarised(
    tree: xr.DataTree, entry: Entry, probabilities: Sequence[float]
) -> tuple[float, float, list[float]]:
    """Return mean, standard deviation and quantiles of an entry, exact where they were integrated.

    Parameters
    ----------
    tree
        The tree of a fit; with the group ``quadrature`` where it was integrated.
    entry
        An entry of its posterior.
    probabilities
        Of the quantiles; those that quadrature has kept.
    """
    if "quadrature" in tree.children:
        exact = tree["quadrature"].to_dataset().sel(parameter=entry.key)
        quantiles = exact["quantile"].sel(probability=list(probabilities))
        mean, sd = float(exact["mean"]), float(exact["sd"])
    else:
        draws = np.asarray(entry.values, dtype=float)
        quantiles = np.quantile(draws, list(probabilities))
        # The sd of a single draw is 0, not a warning.
        mean, sd = float(draws.mean()), float(draws.std(ddof=min(1, draws.size - 1)))
    return mean, sd, [float(q) for q in quantiles]
