"""How persons vary around what treatment and covariates of their site predict, from cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmed.data.person_covariance import PersonCovariance
from bayesmed.data.rows.site_cells import Cells
from bayesmed.data.rows.site_effects import SiteEffects

__all__ = ["person_covariance"]

ALL = "all persons"

_Integers = NDArray[np.int64]


def person_covariance(
    cells: Cells,
    found: SiteEffects,
    arms: tuple[str, ...] | None,
    s: _Integers,
    j: _Integers,
    *,
    clustered: bool,
) -> PersonCovariance:
    """Pool the products of persons within cells over the sites and arms that take part.

    Differences in means have a group of persons for each arm. With covariates, blocks or amounts
    of treatment there is one for all: coefficients are those of the site's persons together.

    Parameters
    ----------
    cells, found
        Moments and what `fitted` made of them, without weights and log odds.
    arms
        Names of all arms, the reference first; None where treatment is an amount.
    s, j
        (R,) site and treatment column of the rows that take part, those of a site together.
    clustered
        Whether persons come in clusters.
    """
    ends = np.searchsorted(s, s, side="right")
    pairs = [(a, b) for a, end in enumerate(ends.tolist()) for b in range(a + 1, end)]
    if arms is None or cells.covariates or cells.group.max() + 1 > cells.sites:
        kept = np.unique(s)
        return PersonCovariance(
            groups=(ALL,),
            cross=found.residual[kept].sum(axis=0, keepdims=True),
            df=(found.n - found.parameters)[kept].sum(keepdims=True),
            weight=found.bread[s, j, j][:, None],
            cross_weight={(a, b): found.bread[s[a], j[a], j[b], None] for a, b in pairs},
            clustered=clustered,
        )
    n = np.zeros((cells.sites, len(arms)))
    np.add.at(n, (cells.site, cells.arm), cells.n)
    taken = np.zeros(n.shape, dtype=bool)
    taken[s, j + 1] = taken[s, 0] = True
    own = taken[cells.site, cells.arm]
    inside = np.zeros((len(arms), cells.outcomes, cells.outcomes))
    before = cells.amounts + cells.covariates
    np.add.at(inside, cells.arm[own], cells.cross[own][:, before:, before:])
    weight = np.zeros((len(s), len(arms)))
    weight[:, 0] = 1 / n[s, 0]
    weight[np.arange(len(s)), j + 1] = 1 / n[s, j + 1]
    there = np.flatnonzero(taken.any(axis=0))
    shared = (there == 0).astype(float)
    return PersonCovariance(
        groups=tuple(arms[a] for a in there),
        cross=inside[there],
        df=np.bincount(cells.arm[own], cells.n[own] - 1, minlength=len(arms))[there],
        weight=weight[:, there],
        cross_weight={(a, b): shared * weight[a, 0] for a, b in pairs},
        clustered=clustered,
    )
