"""What follows from site estimates: other rows, other units, a tidy table, a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.arm_covariances import cross_cov_columns
from bayesmed.data.covariance import cov_name

if TYPE_CHECKING:
    import pandas as pd

    from bayesmed.data.site_estimates import SiteEstimates

__all__ = ["fingerprint", "rescaled", "taken", "tidy"]


def fingerprint(data: SiteEstimates) -> str:
    """Hash names and numbers in row order; see `SiteEstimates.fingerprint`."""
    labels: dict[str, Any] = {
        "site": data.site,
        "arm": data.arm,
        "mediators": data.mediators,
        "outcome": data.outcome,
        "outcome_scale": data.outcome_scale,
        "covariance_given": data.covariance_given,
        "covariates": sorted(data.covariates),
        "cross_cov": sorted(data.cross_cov),
        "n": data.n is not None,
    }
    arrays = [data.mediator_effect, data.total_effect, data.cov, data.weight]
    arrays += [data.covariates[name] for name in sorted(data.covariates)]
    arrays += [data.cross_cov[pair] for pair in sorted(data.cross_cov)]
    arrays += [] if data.n is None else [data.n]
    if (persons := data.persons) is not None:
        labels["persons"] = [persons.groups, sorted(persons.cross_weight), persons.clustered]
        arrays += [persons.cross, persons.df, persons.weight]
        arrays += [persons.cross_weight[pair] for pair in sorted(persons.cross_weight)]
    digest = hashlib.sha256(json.dumps(labels, sort_keys=True).encode())
    digest.update(data.block.astype("<i8").tobytes())
    for array in arrays:
        # Adding 0 turns -0.0 into 0.0: equal numbers have equal bytes.
        digest.update((array + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()


def taken(data: SiteEstimates, rows: Sequence[int]) -> dict[str, Any]:
    """Return the fields of ``data`` that change when only ``rows`` are kept, in that order."""
    index = np.asarray(rows, dtype=np.int64)
    if index.ndim != 1 or ((index < 0) | (index >= data.n_rows)).any():
        raise DataError(
            f"{data.source}: there are no such rows to take.",
            f"Give row numbers from 0 to {data.n_rows - 1}.",
        )
    now_at = {row: position for position, row in enumerate(index.tolist())}
    cross = {}
    for (i, j), matrix in data.cross_cov.items():
        if i in now_at and j in now_at:
            a, b = now_at[i], now_at[j]
            cross[min(a, b), max(a, b)] = matrix if a < b else matrix.T
    return {
        "site": tuple(data.site[i] for i in index),
        "arm": None if data.arm is None else tuple(data.arm[i] for i in index),
        "block": data.block[index],
        "mediator_effect": data.mediator_effect[index],
        "total_effect": data.total_effect[index],
        "cov": data.cov[index],
        "cross_cov": cross,
        "weight": data.weight[index],
        "n": None if data.n is None else data.n[index],
        "covariates": {name: x[index] for name, x in data.covariates.items()},
        "persons": None if data.persons is None else data.persons.take(index.tolist()),
    }


def rescaled(data: SiteEstimates, mediator: Sequence[float], outcome: float) -> dict[str, Any]:
    """Return the fields of ``data`` that change with the units: D V D for a covariance V."""
    factor = np.array([*mediator, outcome], dtype=np.float64)
    if len(factor) != data.n_mediators + 1 or not np.isfinite(factor).all() or (factor == 0).any():
        raise DataError(
            f"{data.source}: {list(mediator)} and {outcome} are no factors of units.",
            f"Give {data.n_mediators} factors for the mediators and one for the outcome, none 0.",
        )
    square: NDArray[np.float64] = factor[:, None] * factor[None, :]
    return {
        "mediator_effect": data.mediator_effect * factor[:-1],
        "total_effect": data.total_effect * factor[-1],
        "cov": data.cov * square,
        "cross_cov": {pair: matrix * square for pair, matrix in data.cross_cov.items()},
        "persons": None if data.persons is None else data.persons.rescaled(factor),
    }


def tidy(data: SiteEstimates) -> pd.DataFrame:
    """Return the tidy table; see `SiteEstimates.to_frame`."""
    import pandas as pd

    columns: dict[str, Any] = {"site": list(data.site)}
    if data.arm is not None:
        columns["arm"] = list(data.arm)
    if data.n_blocks < data.n_rows:
        columns["block"] = data.block
    if data.n is not None:
        columns["n"] = data.n
    for p, name in enumerate(data.mediators):
        columns[f"mediator_effect[{name}]"] = data.mediator_effect[:, p]
        columns[f"mediator_effect_se[{name}]"] = data.mediator_se[:, p]
    columns["total_effect"] = data.total_effect
    columns["total_effect_se"] = data.total_effect_se
    effects = (*data.mediators, "total_effect")
    for j, second in enumerate(effects):
        for i, first in enumerate(effects[:j]):
            columns[cov_name(first, second)] = data.cov[:, i, j]
    columns |= cross_cov_columns(data)
    columns["weight"] = data.weight
    columns |= {f"covariate[{name}]": x for name, x in data.covariates.items()}
    return pd.DataFrame(columns)
