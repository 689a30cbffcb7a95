"""One causal tree for effects of treatment on one or several mediators, grown by econml.

econml's criterion for a tree of a generalised random forest (Athey, Tibshirani & Wager 2019) takes
any linear moments J θ = A. Those of P mediators regressed on J treatments, each with an intercept
of its own, make one tree for all mediators; persons are told apart where any of the effects differ.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.rows.baseline import PartOfPersons
from bayesmed.formulas.site_regression import regressed, residual_products
from bayesmed.subgroups.splits import Leaf, Node, Split, Summary

__all__ = ["adjusted", "grown", "moments_of", "require_econml", "summarised", "summary_of"]

_Array = NDArray[np.float64]
_MOST_EDGES = 64
"""A feature with more values is cut at as many quantiles."""
_ROUNDING = 1e-12


def adjusted(persons: PartOfPersons) -> PartOfPersons:
    """Leave of the mediators what a linear regression on the features does not tell.

    Treatment is randomised: effects stay as they are, and are known better.
    """
    root = np.ones(len(persons.features)) if persons.weight is None else np.sqrt(persons.weight)
    x = np.column_stack([np.ones(len(root)), persons.features - persons.features.mean(axis=0)])
    size = np.abs(x).max(axis=0)
    x = x / np.where(size > 0, size, 1.0)
    m = persons.mediators - persons.mediators.mean(axis=0)
    found = np.linalg.lstsq(x * root[:, None], m * root[:, None], rcond=None)[0]
    left = m - x @ found
    # What is nothing but rounding is nothing; in units of its spread it would look like much.
    left[:, left.std(axis=0) <= _ROUNDING * np.abs(persons.mediators).max(axis=0)] = 0.0
    return replace(persons, mediators=left)


def require_econml() -> Any:
    """Return econml's class of trees.

    Raises
    ------
    DataError
        If econml is not installed.
    """
    try:
        from econml.grf._base_grftree import GRFTree
    except ImportError as error:
        raise DataError(
            "A causal tree is grown by econml, which is not installed.",
            'Install it: pip install "bayesmed[subgroups]".',
        ) from error
    return GRFTree


def grown(persons: PartOfPersons, depth: int, least: int, seed: int) -> Node:
    """Grow a tree whose leaves differ in their effects on the mediators.

    Mediators enter in units of their standard deviation: none counts for more because of its units.

    Parameters
    ----------
    persons
        N persons with F features, J treatments and P mediators.
    depth
        Most splits on the way to a leaf.
    least
        About the fewest persons of an arm in a leaf (half its persons, of amounts of treatment).
    seed
        Decides between splits that are equally good.

    Returns
    -------
    Split or Leaf
        The root.

    Raises
    ------
    DataError
        If econml is not installed.
    """
    edges = [_edges(x) for x in persons.features.T]
    columns = zip(persons.features.T, edges, strict=True)
    code = np.column_stack([np.searchsorted(e, x, side="right") for x, e in columns])
    everybody = summary_of(persons)
    in_leaf = math.ceil(least * everybody.n / max(everybody.fewest, 1))
    tree = _grf_tree(code, persons, depth, in_leaf, seed)

    def node(i: int) -> Node:
        if tree.children_left[i] < 0:
            return Leaf(everybody)
        feature = int(tree.feature[i])
        # Codes are whole numbers: those up to the threshold lie below the edge after them.
        edge = float(edges[feature][math.floor(tree.threshold[i])])
        below, above = node(tree.children_left[i]), node(tree.children_right[i])
        return Split(feature, edge, below, above, everybody)

    return summarised(node(0), persons)


def summarised(node: Node, persons: PartOfPersons) -> Node:
    """Return the same splits with what these persons say of them."""
    summary = summary_of(persons)
    if isinstance(node, Leaf):
        return Leaf(summary)
    below = persons.features[:, node.feature] < node.edge
    return replace(
        node,
        below=summarised(node.below, persons.take(below)),
        above=summarised(node.above, persons.take(~below)),
        summary=summary,
    )


def _edges(x: _Array) -> _Array:
    """Return the values at which a feature can be cut."""
    values = np.unique(x)
    if len(values) > _MOST_EDGES:
        shares = np.arange(1, _MOST_EDGES) / _MOST_EDGES
        values = np.unique([values[0], *np.quantile(x, shares, method="inverted_cdf")])
    return values[1:]


def _grf_tree(
    code: NDArray[np.intp],
    persons: PartOfPersons,
    depth: int,
    in_leaf: int,
    seed: int,
) -> Any:
    tree_class = require_econml()
    spread = persons.mediators.std(axis=0)
    mediators = persons.mediators / np.where(spread > 0, spread, 1.0)
    right, jacobian = moments_of(persons.treatment, mediators)
    tree = tree_class(
        honest=False,  # The halves are drawn before: one of them never comes here.
        max_depth=depth,
        min_samples_leaf=in_leaf,
        min_samples_split=2 * in_leaf,
        random_state=seed,
    ).init()
    n, outputs = right.shape
    y = np.ascontiguousarray(np.hstack([mediators[:, :1], right, jacobian.reshape(n, -1)]))
    tree.fit(
        code.astype(np.float32),
        y,
        1,
        outputs,
        outputs - mediators.shape[1],
        sample_weight=persons.weight,
        check_input=False,
    )
    return tree.tree_


def moments_of(treatment: _Array, mediators: _Array) -> tuple[_Array, _Array]:
    r"""Moments of every person, :math:`J_i\theta = A_i` on average.

    .. math::

        \sum_i (m_{ip} - \gamma_p't_i - a_p)(t_i', 1)' = 0, \quad p = 1..P

    Returns
    -------
    tuple of NDArray
        A, (N, Q), and J, (N, Q, Q): first the effects, mediator by mediator, then the P
        intercepts; Q = P (J + 1).
    """
    n, j = treatment.shape
    p = mediators.shape[1]
    right = np.empty((n, p * (j + 1)))
    jacobian = np.zeros((n, p * (j + 1), p * (j + 1)))
    squares = treatment[:, :, None] * treatment[:, None, :]
    for k in range(p):
        effects, intercept = slice(k * j, (k + 1) * j), p * j + k
        right[:, effects] = mediators[:, k, None] * treatment
        right[:, intercept] = mediators[:, k]
        jacobian[:, effects, effects] = squares
        jacobian[:, effects, intercept] = jacobian[:, intercept, effects] = treatment
        jacobian[:, intercept, intercept] = 1.0
    return right, jacobian


def summary_of(persons: PartOfPersons) -> Summary:
    """Regress mediators on treatment; NaN where treatment does not vary."""
    values = np.column_stack([persons.treatment, persons.mediators])
    n, j = persons.treatment.shape
    weight = np.ones(n) if persons.weight is None else persons.weight
    apart = values - weight @ values / weight.sum()
    cross = (apart * weight[:, None]).T @ apart
    fewest = _fewest(persons.treatment) if persons.arms else n // 2
    if n < j + 2 or np.linalg.matrix_rank(cross[:j, :j]) < j:
        nan = np.full((j, persons.mediators.shape[1]), np.nan)
        return Summary(n, fewest, nan, nan)
    found = regressed(cross[None], j, 0)
    variance = np.diagonal(residual_products(cross[None], found)[0]) / (n - j - 1)
    se = np.sqrt(np.outer(np.diagonal(found.bread[0]), np.maximum(variance, 0.0)))
    return Summary(n, fewest, found.effect[0], se)


def _fewest(dummies: _Array) -> int:
    """Return the number of persons in the smallest arm."""
    counts = dummies.sum(axis=0)
    return int(min(counts.min(), len(dummies) - counts.sum()))
