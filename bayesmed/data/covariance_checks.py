"""Sampling covariances that some estimates can really have: of rows, and of whole blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.covariance import cov_name
from bayesmed.data.table import Place

__all__ = ["block_cov", "check_block_covariances", "check_row_covariances"]

_Array = NDArray[np.float64]

# Room for rounding in double precision only: a matrix with fewer digits may fail, and says so.
_EIGENVALUE_FLOOR = -1e-9
_CORR_BELOW = 1 - 1e-12
_SMALLEST_VARIANCE = 1e-300


def check_row_covariances(names: Sequence[str], cov: _Array, place: Place) -> None:
    """Refuse row covariances that no estimates can have, pair by pair, then as a whole."""
    variance = np.diagonal(cov, axis1=1, axis2=2)
    se = np.sqrt(np.maximum(variance, 0))
    for i, name in enumerate(names):
        bad = (variance[:, i] < 0) | ((variance[:, i] > 0) & (variance[:, i] < _SMALLEST_VARIANCE))
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"{place.at(f'se[{name}]', row)}: the sampling variance is {variance[row, i]:g}.",
                "Variances are 0 (known) or positive, in a unit that keeps them above 1e-300.",
            )
        for j in range(i):
            _check_pair(cov_name(names[j], name), cov[:, j, i], cov[:, i, j], se[:, [j, i]], place)
    smallest = _smallest_eigenvalues(cov)
    if smallest.min() < _EIGENVALUE_FLOOR:
        raise DataError(
            f"{place.at_row(int(np.argmax(smallest < _EIGENVALUE_FLOOR)))}: the covariance of "
            f"{', '.join(names)} is not positive semi-definite.",
            "Check the covariances and that no column holds variances in place of standard "
            "errors; if they were rounded, give more digits.",
        )


def check_block_covariances(
    cov: _Array, cross_cov: Mapping[tuple[int, int], _Array], block: NDArray[np.int64], place: Place
) -> None:
    """Refuse covariances between rows of different blocks, and impossible whole blocks."""
    k = cov.shape[1]
    for (i, j), matrix in cross_cov.items():
        if not 0 <= i < j < len(block):
            raise DataError(
                f"{place.source}: `cross_cov` names the rows {(i, j)}.",
                f"Name two rows i < j between 0 and {len(block) - 1}; the matrix of (j, i) is "
                "the transpose.",
            )
        if block[i] != block[j]:
            raise DataError(
                f"{place.source}: `cross_cov` joins {place.row(i)} and {place.row(j)}, which are "
                "in different blocks.",
                "Give rows that share a control group the same `block`.",
            )
        called = f"cross_cov[{i}, {j}]"
        if matrix.shape != (k, k) or not np.isfinite(matrix).all():
            raise DataError(
                f"{place.at(called)}: not a {k} × {k} matrix of finite numbers.",
                "Give the covariance of the first row's mediators and total effect (down) with "
                "the second row's (across).",
            )
    for code in dict.fromkeys(int(block[i]) for i, _ in cross_cov):
        rows = np.flatnonzero(block == code)
        if _smallest_eigenvalues(block_cov(cov, cross_cov, rows)[None])[0] < _EIGENVALUE_FLOOR:
            # Where a table names columns, the remedy speaks of them.
            pairs = [f"cross_cov[{i}, {j}]" for i, j in cross_cov if block[i] == code]
            named = dict.fromkeys(place.quantity.get(p, "its `cross_cov` matrices") for p in pairs)
            raise DataError(
                f"{place.source}: the covariance of the block of "
                f"{', '.join(place.row(int(r)) for r in rows)} is not positive semi-definite.",
                "Check the signs, the order (mediators, then total effect) and the size of "
                f"{' and of '.join(named)}.",
            )


def block_cov(
    cov: _Array, cross_cov: Mapping[tuple[int, int], _Array], rows: NDArray[np.int64]
) -> _Array:
    """Put together the covariance of some rows' estimates, row by row."""
    k = cov.shape[1]
    whole = np.zeros((len(rows) * k, len(rows) * k))
    for a, i in enumerate(rows):
        whole[a * k : (a + 1) * k, a * k : (a + 1) * k] = cov[i]
        for b, j in enumerate(rows):
            matrix = cross_cov.get((int(i), int(j)))
            if matrix is not None:
                whole[a * k : (a + 1) * k, b * k : (b + 1) * k] = matrix
                whole[b * k : (b + 1) * k, a * k : (a + 1) * k] = matrix.T
    return whole


def _check_pair(pair: str, upper: _Array, lower: _Array, se: _Array, place: Place) -> None:
    """Check one covariance over all rows: symmetric, 0 where an SE is 0, |correlation| < 1."""
    product = se[:, 0] * se[:, 1]
    asymmetric = np.abs(upper - lower) > 1e-9 * np.maximum(product, np.abs(upper))
    if asymmetric.any():
        row = int(np.argmax(asymmetric))
        raise DataError(
            f"{place.at(pair, row)}: the covariance matrix is not symmetric "
            f"({upper[row]:g} and {lower[row]:g}).",
            "Give the same covariance on both sides of the diagonal.",
        )
    known = (product == 0) & (upper != 0)
    if known.any():
        row = int(np.argmax(known))
        raise DataError(
            f"{place.at(pair, row)}: the covariance is {upper[row]:g} although a standard error "
            "is 0.",
            "An estimate known without error has covariance 0; set it to 0 or give the standard "
            "error.",
        )
    too_large = (product > 0) & (np.abs(upper) >= _CORR_BELOW * product)
    if too_large.any():
        row = int(np.argmax(too_large))
        raise DataError(
            f"{place.at(pair, row)}: the covariance {upper[row]:g} implies a correlation of "
            f"{upper[row] / product[row]:.4g}, which is not between -1 and 1.",
            "Check that it is a covariance (or name it `corr`) and that the standard errors are "
            "not variances.",
        )


def _smallest_eigenvalues(cov: _Array) -> _Array:
    """Smallest eigenvalue of each matrix on the correlation scale, so that units do not matter."""
    se = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    scale = np.where(se > 0, se, 1.0)
    scaled = cov / (scale[:, :, None] * scale[:, None, :])
    smallest: _Array = np.linalg.eigvalsh((scaled + scaled.transpose(0, 2, 1)) / 2).min(axis=1)
    # A row known without error has eigenvalue 0; only its covariances (checked) could be wrong.
    return smallest
