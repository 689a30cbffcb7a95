"""Sums of products of persons, from site estimates that carry how persons vary within sites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.types import Floats
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.formulas.k_class import whitened_by_design

ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class PersonProducts:
    r"""What instrumental-variable estimators of persons are made of, K variables, outcome last.

    Attributes
    ----------
    explained
        (K, K) Z: products of what site by treatment predicts, less what is left of the treatment
        alone where it has a direct effect.
    error
        (K, K) E: products of what it does not predict.
    instruments
        k, excluded ones.
    df
        Persons less all coefficients: n - L - k.
    on_treatment
        (J, K) coefficients of the variables on treatment, for a direct effect; else None.
    treatment_inverse
        (J, J) inverse of treatment's products, for a direct effect; else None.
    """

    explained: Floats
    error: Floats
    instruments: int
    df: float
    on_treatment: Floats | None = None
    treatment_inverse: Floats | None = None

    @property
    def total(self) -> Floats:
        """(K, K) T = Z + E."""
        return self.explained + self.error


def person_products(data: SiteEstimates, *, direct_effect: bool) -> PersonProducts | None:
    """Return the sums of products; None where the data do not carry those of persons.

    Examples
    --------
    >>> from bayesmed.data import PersonCovariance
    >>> persons = PersonCovariance(
    ...     ("all",), cross=[[[40.0, 8.0], [8.0, 60.0]]], df=[20], weight=[[0.5], [0.25]])
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2], total_effect=[2, 3], cov=persons.estimated_cov, persons=persons)
    >>> person_products(data, direct_effect=False).explained.tolist()
    [[18.0, 28.0], [28.0, 44.0]]
    """
    persons = data.persons
    if persons is None:
        return None
    error, df = persons.cross.sum(axis=0), float(persons.df.sum())
    effect, arms = _whitened(data, persons)
    size = np.sqrt((effect**2).sum(axis=0))
    if not direct_effect:
        return PersonProducts(_products(effect, 0 * size), error, data.n_rows, df)
    basis, root = np.linalg.qr(arms)
    inverse = np.linalg.inv(root)
    return PersonProducts(
        explained=_products(effect - basis @ (basis.T @ effect), ROUNDING * size),
        error=error,
        instruments=data.n_rows - arms.shape[1],
        df=df,
        on_treatment=inverse @ (basis.T @ effect),
        treatment_inverse=inverse @ inverse.T,
    )


def whitened_noise(data: SiteEstimates) -> Floats | None:
    r"""Return what sampling error adds to Z in expectation, without a direct effect: (K, K).

    .. math::

        \sum_s\mathrm{E}\,e_s'G_s^{-1}e_s = \sum_a\Sigma_a\sum_s\mathrm{tr}(G_s^{-1}w_{sa})

    with w the (rows, rows) weights of group a in the covariance of a block's rows, and G their sum;
    for one group :math:`k\Sigma`. None where the data do not carry the products of persons.

    Examples
    --------
    >>> from bayesmed.data import PersonCovariance
    >>> persons = PersonCovariance(("all",), cross=[np.eye(2)], df=[20], weight=[[0.5], [0.25]])
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2], total_effect=[2, 3], cov=persons.estimated_cov, persons=persons)
    >>> whitened_noise(data).tolist()
    [[0.1, 0.0], [0.0, 0.1]]
    """
    persons = data.persons
    if persons is None:
        return None
    share = persons.weight / persons.weight.sum(axis=1, keepdims=True)
    for rows, weight in _shared(data, persons):
        # Only the sum over the rows of a block has a meaning.
        own = np.linalg.solve(weight.sum(axis=0), weight)
        share[rows] = np.moveaxis(np.diagonal(own, axis1=-2, axis2=-1), 0, -1)
    return np.asarray(np.tensordot(share.sum(axis=0), persons.estimate, axes=1))


def _products(values: Floats, least: Floats) -> Floats:
    """Multiply columns; one of a size of ``least`` or below is rounding, and 0."""
    real = np.sqrt((values**2).sum(axis=0)) > least
    values = np.where(real, values, 0.0)
    return np.asarray(values.T @ values)


def _whitened(data: SiteEstimates, persons: PersonCovariance) -> tuple[Floats, Floats]:
    """Estimates (R, K) and indicators of arms (R, J), in units of the rows' designs."""
    names = ("",) * data.n_rows if data.arm is None else data.arm
    _, arm = np.unique(names, return_inverse=True)
    indicators = np.eye(int(arm.max()) + 1)[arm]
    k = data.n_mediators + 1
    values = np.column_stack([data.mediator_effect, data.total_effect, indicators])
    weight = persons.weight.sum(axis=1)
    whitened = values / np.sqrt(weight)[:, None]
    for rows, own in _shared(data, persons):
        whitened[rows] = whitened_by_design(values[rows], own.sum(axis=0))
    return whitened[:, :k], whitened[:, k:]


def _shared(
    data: SiteEstimates, persons: PersonCovariance
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Yield blocks of n rows whose estimates covary: rows (B, n) and their weights (A, B, n, n)."""
    pairs: dict[int, list[tuple[int, int]]] = {}
    for i, j in persons.cross_weight:
        pairs.setdefault(int(data.block[i]), []).append((i, j))
    alike: dict[int, list[tuple[list[int], Floats]]] = {}
    for own in pairs.values():
        rows = sorted({row for pair in own for row in pair})
        at = {row: position for position, row in enumerate(rows)}
        weight = np.zeros((len(persons.groups), len(rows), len(rows)))
        weight[:, range(len(rows)), range(len(rows))] = persons.weight[rows].T
        for i, j in own:
            weight[:, at[i], at[j]] = weight[:, at[j], at[i]] = persons.cross_weight[i, j]
        alike.setdefault(len(rows), []).append((rows, weight))
    for blocks in alike.values():
        listed, weights = zip(*blocks, strict=True)
        yield np.array(listed, dtype=np.int64), np.stack(weights, axis=1)
