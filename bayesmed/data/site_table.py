"""Site estimates as a table that loses nothing, with the record of its columns."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.column_checks import repeated
from bayesmed.data.columns import ArmCovariance, MediatorColumns, MediatorCovariance, SiteColumns
from bayesmed.data.fields import summing_to_one
from bayesmed.data.plausibility import DataWarning
from bayesmed.data.site_estimates import SiteEstimates

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARQUET", "site_table", "site_table_columns", "write_site_table"]

PARQUET = frozenset({".parquet", ".pq"})
_SAME = 1e-12
"""A variance is the square of its standard error but for rounding."""


def site_table(data: SiteEstimates) -> pd.DataFrame:
    """Return site estimates as a table that `site_table_columns` reads again.

    Columns of one mediator: ``site``, ``n``, ``gamma_hat``, ``gamma_se``, ``tau_hat``, ``tau_se``,
    ``cov``. Of several mediators a, b: ``gamma_hat_a``, ``gamma_se_a``, …, ``cov_a_tau``, …,
    ``cov_a_b``. Arms add ``arm`` and ``block`` (the site, where blocks are sites), and for arms
    that share a control group ``cov_gamma_tau_x``: the covariance of the row's effect on the
    mediator with the total effect in arm x of its block (`ArmCovariance`; ``cov_a_tau_x`` of
    several mediators). Then ``weight``, where weights are unequal, and the covariates by name.

    Raises
    ------
    DataError
        If two columns would have one name, or arms do not tell the rows of a block apart.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.5, 0.7], total_effect=[0.1, 0.2], n=[90, 80],
    ...     cov=[[[0.01, 0.002], [0.002, 0.04]]] * 2)
    >>> site_table(data)
      site   n  gamma_hat  gamma_se  tau_hat  tau_se    cov
    0    1  90        0.5       0.1      0.1     0.2  0.002
    1    2  80        0.7       0.1      0.2     0.2  0.002
    """
    import pandas as pd

    columns = site_table_columns(data)
    found: dict[str, Any] = {"site": list(data.site)}
    if columns.arm is not None:
        found["arm"] = list(data.arm or ())
    if columns.block is not None:
        found["block"] = _block_names(data)
    if data.n is not None:
        whole = (data.n == np.rint(data.n)).all() and (data.n < 2**53).all()
        found["n"] = data.n.astype(np.int64) if whole else data.n
    for p, mediator in enumerate(columns.mediators):
        found[mediator.effect] = data.mediator_effect[:, p]
        found[mediator.se or ""] = data.mediator_se[:, p]
    found["tau_hat"], found["tau_se"] = data.total_effect, data.total_effect_se
    for p, mediator in enumerate(columns.mediators):
        if mediator.cov is not None:
            found[mediator.cov] = data.cov[:, p, -1]
    for pair in columns.covariances:
        i, j = data.mediators.index(pair.first), data.mediators.index(pair.second)
        found[pair.cov or ""] = data.cov[:, i, j]
    for item in columns.arm_covariances:
        found |= _between_arms(data, item)
    if columns.weight is not None:
        found["weight"] = data.weight
    return pd.DataFrame(found | dict(data.covariates))


def site_table_columns(data: SiteEstimates) -> SiteColumns:
    """Return the roles of the columns of `site_table`.

    Raises
    ------
    DataError
        If two columns would have one name, or arms do not tell the rows of a block apart.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[[1, 2], [3, 5]], total_effect=[1, 2], cov=[np.eye(3), np.eye(3)],
    ...     mediators=["grit", "hours"], outcome="score")
    >>> columns = site_table_columns(data)
    >>> [m.cov for m in columns.mediators], columns.covariances[0].cov
    (['cov_grit_tau', 'cov_hours_tau'], 'cov_grit_hours')
    >>> SiteEstimates.from_frame(site_table(data), columns).fingerprint == data.fingerprint
    True
    """
    joined = data.arm is not None or data.n_blocks < data.n_rows
    roles: dict[str, Any] = {
        "mediators": _mediators(data),
        "total_effect": "tau_hat",
        "total_effect_se": "tau_se",
        "site": "site",
        "arm": None if data.arm is None else "arm",
        "block": "block" if joined else None,
        "weight": "weight" if _weighted(data) else None,
        "n": None if data.n is None else "n",
        "covariates": tuple(data.covariates),
        "covariances": tuple(
            MediatorCovariance(a, b, cov=f"cov_{a.strip()}_{b.strip()}")
            for a, b in combinations(data.mediators, 2)
        ),
        "arm_covariances": _arm_covariances(data),
    }
    _refuse_bad_names(list(_names(roles)))
    return SiteColumns(**roles, outcome=data.outcome, outcome_scale=data.outcome_scale)


def write_site_table(data: SiteEstimates, path: str | os.PathLike[str]) -> SiteColumns:
    """Write `site_table` to a CSV or Parquet file, and read it once to see that it is the same.

    Parameters
    ----------
    data
        What to write.
    path
        Ends in ``.parquet`` or ``.pq`` for Parquet; anything else is CSV.

    Returns
    -------
    SiteColumns
        The roles of the columns, to read the file with.

    Raises
    ------
    DataError
        If a name cannot stand in such a file.
    """
    file, columns, frame = Path(path), site_table_columns(data), site_table(data)
    parquet = file.suffix.lower() in PARQUET
    if parquet:
        frame.to_parquet(file, index=False)
    else:
        frame.to_csv(file, index=False, lineterminator="\n", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            read = SiteEstimates.read_parquet if parquet else SiteEstimates.read_csv
            problem = "" if _same(read(file, columns), data) else "names are read differently"
        except DataError as error:
            problem = error.problem
    if problem:
        raise DataError(
            f"The table of sites could not be read again from {file.name}: {problem}.",
            "Take unusual characters out of the names of sites, arms and columns.",
        )
    return columns


def _mediators(data: SiteEstimates) -> tuple[MediatorColumns, ...]:
    one = data.n_mediators == 1
    found = []
    for p, name in enumerate(data.mediators):
        label = name.strip()
        cov = "cov" if one else f"cov_{label}_tau"
        # Where covariances were not given, a column of zeros would say that they were.
        absent = not data.covariance_given and not data.cov[:, p, -1].any()
        effect, se = (
            ("gamma_hat", "gamma_se") if one else (f"gamma_hat_{label}", f"gamma_se_{label}")
        )
        found.append(MediatorColumns(name, effect, se=se, cov=None if absent else cov))
    return tuple(found)


def _arm_covariances(data: SiteEstimates) -> tuple[ArmCovariance, ...]:
    if not data.cross_cov:
        return ()
    if data.arm is None or len(set(zip(data.block.tolist(), data.arm, strict=True))) < data.n_rows:
        raise DataError(
            f"{data.source}: arms do not tell the rows of a block apart, and the covariances "
            "between them need names.",
            "Give every row of a block an arm of its own.",
        )
    called = ["gamma"] if data.n_mediators == 1 else [name.strip() for name in data.mediators]
    called.append("tau")
    return tuple(
        ArmCovariance(arm, tuple(tuple(f"cov_{a}_{b}_{arm}" for b in called) for a in called))
        for arm in dict.fromkeys(data.arm[i] for i, _ in sorted(data.cross_cov))
    )


def _between_arms(data: SiteEstimates, item: ArmCovariance) -> dict[str, NDArray[np.float64]]:
    """Return the columns of covariances with one arm; each pair stands in the later row."""
    assert data.arm is not None
    values = np.full(data.cov.shape, np.nan)
    for (i, j), matrix in data.cross_cov.items():
        if data.arm[i] == item.arm:
            values[j] = matrix.T
    return {
        name: values[:, a, b] for a, row in enumerate(item.columns) for b, name in enumerate(row)
    }


def _block_names(data: SiteEstimates) -> list[str]:
    """Call blocks by their sites, where each is of one site and the other way round."""
    pairs = set(zip(data.site, data.block.tolist(), strict=True))
    alike = len(pairs) == len(set(data.site)) == data.n_blocks
    return list(data.site) if alike else [str(code + 1) for code in data.block.tolist()]


def _weighted(data: SiteEstimates) -> bool:
    return not np.array_equal(data.weight, summing_to_one(np.ones(data.n_rows)))


def _names(roles: dict[str, Any]) -> Iterator[str]:
    """Yield the name of every column, as often as it would be written."""
    for role in ("site", "arm", "block", "n", "total_effect", "total_effect_se", "weight"):
        if roles[role] is not None:
            yield roles[role]
    for mediator in roles["mediators"]:
        yield from mediator.columns()
    yield from (pair.cov for pair in roles["covariances"])
    yield from (name for item in roles["arm_covariances"] for row in item.columns for name in row)
    yield from roles["covariates"]


def _refuse_bad_names(names: list[str]) -> None:
    if twice := repeated(names):
        raise DataError(
            f"Two columns of the table of sites would be called {twice!r}.",
            "Give mediators, arms and covariates of sites other names.",
        )
    for name in names:
        if name != name.strip() or not name:
            raise DataError(
                f"A column of the table of sites would be called {name!r}.",
                "Give the covariate a name that neither begins nor ends with a space.",
            )


def _same(found: SiteEstimates, data: SiteEstimates) -> bool:
    """Whether a table that was read holds what was written, but for rounding of variances."""
    names = ("site", "arm", "mediators", "outcome", "outcome_scale", "covariance_given")
    arrays = ("mediator_effect", "total_effect", "cov", "weight")
    pairs = [(getattr(found, name), getattr(data, name)) for name in arrays]
    pairs += [(found.cross_cov.get(key), matrix) for key, matrix in data.cross_cov.items()]
    pairs += [(found.covariates.get(name), x) for name, x in data.covariates.items()]
    pairs += [(found.n, data.n)] if data.n is not None else []
    return (
        all(getattr(found, name) == getattr(data, name) for name in names)
        and np.array_equal(found.block, data.block)
        and all(a is not None and np.allclose(a, b, rtol=_SAME, atol=0.0) for a, b in pairs)
    )
