"""How persons vary within sites and arms: what sampling covariances are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError

__all__ = ["PersonCovariance"]

_Array = NDArray[np.float64]
_NEAR_SINGULAR = 1e-9
"""An eigenvalue of a correlation matrix is 0 when it is as near."""


@dataclass(frozen=True, eq=False)
class PersonCovariance:
    r"""Sums of products of persons' mediators and outcome within sites, by group of persons.

    Persons of group a (an arm, or all persons) have covariance :math:`\Sigma_a` around what
    treatment and covariates of their site predict, at all sites alike. The sampling covariance of
    the estimates of row r, and of those of two rows of one block, is then

    .. math:: V_r = \sum_a w_{ra}\Sigma_a,\qquad V_{rs} = \sum_a w_{rsa}\Sigma_a,

    with weights known from the design: :math:`1/n` of each arm for a difference in means. The
    products S_a are :math:`\mathrm{Wishart}(\Sigma_a, \nu_a)`, independent of the estimates where
    persons are normal (methods, section 4a).

    Parameters
    ----------
    groups
        (A,) names of the groups: the arms, the reference first, or one for all persons.
    cross
        (A, K, K) sums of products S_a, mediators before the outcome, pooled over sites.
    df
        (A,) their degrees of freedom: persons less coefficients.
    weight
        (R, A) weights of the groups in the covariance of each row.
    cross_weight
        For rows i < j of one block, (A,) weights in the covariance of the two; left out where 0.
    clustered
        Whether persons come in clusters: then they are not independent, and estimates are known
        less well than these products say.

    Raises
    ------
    DataError
        If shapes do not fit or a number is impossible.

    Examples
    --------
    >>> persons = PersonCovariance(
    ...     groups=("0", "1"), cross=np.array([[[40.0, 8.0], [8.0, 60.0]]] * 2),
    ...     df=np.array([20.0, 20.0]), weight=np.array([[0.1, 0.1], [0.2, 0.1]]))
    >>> persons.estimated_cov[1].round(2).tolist()
    [[0.6, 0.12], [0.12, 0.9]]
    """

    groups: tuple[str, ...]
    cross: _Array
    df: _Array
    weight: _Array
    cross_weight: Mapping[tuple[int, int], _Array] = field(default_factory=dict)
    clustered: bool = False

    def __post_init__(self) -> None:
        for name in ("cross", "df", "weight"):
            object.__setattr__(self, name, _read_only(getattr(self, name)))
        pairs = {pair: _read_only(w) for pair, w in self.cross_weight.items()}
        object.__setattr__(self, "cross_weight", pairs)
        object.__setattr__(self, "groups", tuple(self.groups))
        a, k = len(self.groups), self.cross.shape[-1]
        shapes = (
            self.cross.shape == (a, k, k),
            self.df.shape == (a,),
            self.weight.ndim == 2 and self.weight.shape[1] == a,
            all(w.shape == (a,) for w in pairs.values()),
        )
        numbers = [self.cross, self.df, self.weight, *pairs.values()]
        if not all(shapes) or not all(np.isfinite(x).all() for x in numbers):
            raise DataError(
                "The products of persons do not fit their groups, or are not finite.",
                "Give one matrix, one number of degrees of freedom and one weight for each group.",
            )
        if (self.df <= 0).any() or (self.weight < 0).any() or (self.weight.sum(axis=1) == 0).any():
            raise DataError(
                "Degrees of freedom or weights of groups of persons are not positive.",
                "Give the persons of each group, less their coefficients, and 1/n.",
            )

    @property
    def estimate(self) -> _Array:
        r"""(A, K, K) unbiased estimates :math:`S_a/\nu_a` of the covariances of persons."""
        found: _Array = self.cross / self.df[:, None, None]
        return found

    @property
    def estimated_cov(self) -> _Array:
        """(R, K, K) sampling covariances of the rows with the estimates in them."""
        found: _Array = np.tensordot(self.weight, self.estimate, axes=1)
        return found

    @property
    def problem(self) -> str:
        """Why the covariances cannot be estimated beside the sites; empty where they can."""
        if self.clustered:
            return "persons come in clusters"
        k = self.cross.shape[1]
        for group, cross, df in zip(self.groups, self.cross, self.df, strict=True):
            size = np.sqrt(np.diagonal(cross))
            if df < k + 1:
                return f"{group} has {df:.0f} persons beyond its means, for {k} variables"
            if (size == 0).any() or _smallest(cross / np.outer(size, size)) < _NEAR_SINGULAR:
                return f"in {group}, mediators and outcome do not vary, or follow from one another"
        return ""

    def pooled(self) -> PersonCovariance:
        """Return the same with one group for all persons."""
        return replace(
            self,
            groups=("all persons",),
            cross=self.cross.sum(axis=0, keepdims=True),
            df=self.df.sum(keepdims=True),
            weight=self.weight.sum(axis=1, keepdims=True),
            cross_weight={p: w.sum(keepdims=True) for p, w in self.cross_weight.items()},
        )

    def take(self, rows: Sequence[int]) -> PersonCovariance:
        """Return the weights of some rows, in that order; the products are those of all persons."""
        at = {row: position for position, row in enumerate(rows)}
        pairs = {
            (min(at[i], at[j]), max(at[i], at[j])): w
            for (i, j), w in self.cross_weight.items()
            if i in at and j in at
        }
        return replace(self, weight=self.weight[list(rows)], cross_weight=pairs)

    def rescaled(self, factor: _Array) -> PersonCovariance:
        """Return the same in other units, (K,) factors, the outcome's last."""
        return replace(self, cross=self.cross * factor[:, None] * factor)


def _smallest(corr: _Array) -> float:
    return float(np.linalg.eigvalsh(corr)[0])


def _read_only(array: object) -> _Array:
    copy = np.array(array, dtype=np.float64)
    copy.flags.writeable = False
    return copy
