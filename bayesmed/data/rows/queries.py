"""The three questions asked of the engine: each is one group-by, and no row leaves it.

*Moments*: counts, missing cells, means and cross-products of every cell. *Weighted moments*: the
same with weights, about the means that are known by then. *Scores*: sums of products of t̃ e over
persons or clusters (`bayesmed.formulas.site_regression`), with t̃ and e linear in what a person has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.data.rows.cleaning import CLUSTER, COMPLETE, STATE, WEIGHT, Cleaned
from bayesmed.data.rows.engine import in_memory
from bayesmed.data.rows.linear_map import LinearMap

if TYPE_CHECKING:
    import ibis
    import pandas as pd

__all__ = ["moments_query", "scores_query", "weighted_query"]


def moments_query(rows: Cleaned, crossed: int, binary: tuple[int, ...]) -> ibis.Table:
    """Count, average and cross-multiply by cell, complete persons apart from the others.

    Columns: the keys, ``state``, ``rows``; ``have_…`` cells that are not missing; ``mean_i``, and
    ``cov_i_j`` (divisor n − 1) for i ≤ j < ``crossed``; ``other_i`` cells neither 0 nor 1 of the
    variables ``binary``; ``least_weight`` and ``most_weight``.
    """
    table = rows.table
    found: dict[str, Any] = {"rows": table.count()}
    for name in rows.counted:
        if name not in rows.keys:
            found[f"have_{name}"] = table[name].count()
    variables = [table[f"v{i}"] for i in range(len(rows.variables))]
    for i, x in enumerate(variables):
        found[f"mean_{i}"] = x.mean()
    for i, x in enumerate(variables[:crossed]):
        found[f"cov_{i}_{i}"] = x.var(how="sample")
        for j in range(i):
            found[f"cov_{j}_{i}"] = variables[j].cov(x, how="sample")
    for i in binary:
        found[f"other_{i}"] = (variables[i] * (variables[i] - 1) != 0).cast("int64").sum()
    if WEIGHT in rows.counted:
        found["least_weight"], found["most_weight"] = table[WEIGHT].min(), table[WEIGHT].max()
    return table.group_by([*rows.keys, STATE]).agg(**found)


def weighted_query(
    rows: Cleaned, keys: pd.DataFrame, centre: NDArray[np.float64], crossed: int
) -> ibis.Table:
    """Sum w, w d and w d d' over the complete persons of each cell, d = value − centre.

    Columns: ``cell``, ``n``, ``sum``; ``sum_i``; ``sum_i_j`` for i ≤ j < ``crossed``.
    """
    variables = centre.shape[1]
    constants = keys.assign(
        cell=np.arange(len(keys)), **{f"centre_{i}": centre[:, i] for i in range(variables)}
    )
    joined = _joined(rows, constants)
    weight = joined[WEIGHT]
    apart = [joined[f"v{i}"] - joined[f"centre_{i}"] for i in range(variables)]
    found: dict[str, Any] = {"n": joined.count(), "sum": weight.sum()}
    for i, x in enumerate(apart):
        found[f"sum_{i}"] = (weight * x).sum()
    for i, x in enumerate(apart[:crossed]):
        for j in range(i + 1):
            found[f"sum_{j}_{i}"] = (weight * x * apart[j]).sum()
    return joined.group_by("cell").agg(**found)


def scores_query(
    rows: Cleaned, keys: pd.DataFrame, maps: LinearMap, site: NDArray[np.int64], arms: int
) -> ibis.Table:
    """Sum the products of scores u = w t̃ e over the persons, or clusters, of each site.

    Columns: ``site``; ``product_a_b`` for a ≤ b, u ordered with treatments outside and outcomes
    inside; where there are clusters ``clusters`` and, with arms, ``clusters_a`` with a person in
    arm a.

    Parameters
    ----------
    rows
        The cleaned rows.
    keys
        The C cells that take part, as the engine knows them.
    maps
        How t̃ and e follow from a person's values, cell by cell.
    site
        (C,) the site of each cell, as a number.
    arms
        Number of arms, with the reference; 0 where treatment is an amount.
    """
    joined = _joined(rows, keys.assign(site=site, **maps.columns()))
    treatment, residual = maps.applied(joined)
    weight = joined[WEIGHT] if WEIGHT in rows.counted else 1.0
    scores = {
        f"u{j}_{k}": weight * t * e for j, t in enumerate(treatment) for k, e in enumerate(residual)
    }
    if CLUSTER in rows.counted:
        present = {f"in_{a}": (joined[maps.ARM] == a).cast("int64") for a in range(arms)}
        inner = joined.select(site=joined.site, cluster=joined[CLUSTER], **scores, **present)
        scored = inner.group_by(["site", "cluster"]).agg(
            **{u: inner[u].sum() for u in scores}, **{a: inner[a].max() for a in present}
        )
        counts = {"clusters": scored.count()}
        counts |= {f"clusters_{a}": scored[f"in_{a}"].sum() for a in range(arms)}
    else:
        scored, counts = joined.select(site=joined.site, **scores), {}
    names = list(scores)
    products = {
        f"product_{a}_{b}": (scored[names[a]] * scored[names[b]]).sum()
        for b in range(len(names))
        for a in range(b + 1)
    }
    return scored.group_by("site").agg(**products, **counts)


def _joined(rows: Cleaned, constants: pd.DataFrame) -> ibis.Table:
    """Put each cell's constants beside its complete persons."""
    table = rows.table.filter(rows.table[STATE] == COMPLETE)
    renamed = {key: f"cell_{key}" for key in rows.keys}
    cells = in_memory(constants.rename(columns=renamed))
    return table.inner_join(cells, [table[key] == cells[name] for key, name in renamed.items()])
