"""From effects at sites to `SiteEstimates`: rows, blocks, names, and what cannot stand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.rows.choosing import Arms, Dropped, listed
from bayesmed.data.rows.moments import Moments
from bayesmed.data.rows.person_covariances import person_covariance
from bayesmed.data.rows.site_cells import Cells
from bayesmed.data.rows.site_effects import Scores, SiteEffects

if TYPE_CHECKING:
    from bayesmed.data.rows.person_rows import PersonRows
    from bayesmed.data.site_estimates import SiteEstimates

__all__ = ["Named", "site_estimates", "unusable"]

_Array = NDArray[np.float64]
_NEAR = 1e-9
"""A correlation is 1, and an eigenvalue 0, when it is as near."""


@dataclass(frozen=True)
class Named:
    """Names of sites and treatment columns, and those that take no part.

    Parameters
    ----------
    sites
        (S,) names.
    arms
        (J,) names of arms or treatment columns, None where there is one.
    dropped
        Sites and arms that take no part.
    """

    sites: list[str]
    arms: tuple[str, ...] | None
    dropped: tuple[Dropped, ...]

    def rows(self, present: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Return (site, treatment column) of every row that is left, in order."""
        without = {(d.site, d.arm) for d in self.dropped}
        return [
            (s, j)
            for s, name in enumerate(self.sites)
            if (name, None) not in without
            for j in range(present.shape[1])
            if present[s, j] and (self.arms is None or (name, self.arms[j]) not in without)
        ]


def unusable(
    sites: list[str],
    columns: tuple[str, ...] | None,
    arms: Arms | None,
    found: SiteEffects,
    cov: _Array,
    scores: Scores,
    known: bool,
) -> list[Dropped]:
    """Return the rows whose covariance cannot be used, with the reason.

    ``columns`` names the arms or treatment columns where there are several; ``known`` says that an
    outcome without variation is known without error.
    """
    dropped = []
    k = found.size.shape[1]
    for s, name in enumerate(sites):
        if s in found.problem:
            continue
        few = _few_clusters(scores, s, found.present[s])
        if 0 in few or (few and columns is None):
            where = f" in arm {arms.all[min(few)]!r}" if arms is not None else ""
            dropped.append(Dropped(name, None, f"fewer than two clusters{where}"))
            continue
        for j in np.flatnonzero(found.present[s]):
            arm = None if columns is None else columns[j]
            block = cov[s, j * k : (j + 1) * k, j * k : (j + 1) * k]
            if j + 1 in few:
                dropped.append(Dropped(name, arm, "fewer than two clusters in this arm"))
            elif block[-1, -1] == 0 and not known:
                dropped.append(Dropped(name, arm, "the outcome does not vary within arms"))
            elif reason := _dependence(block):
                dropped.append(Dropped(name, arm, reason))
    return dropped


def site_estimates(
    rows: PersonRows,
    moments: Moments,
    cells: Cells,
    found: SiteEffects,
    cov: _Array,
    named: Named,
    arms: Arms | None,
    notes: list[str],
    made: str,
) -> SiteEstimates:
    """Put the rows that are left together.

    Raises
    ------
    DataError
        If fewer than two are left.
    """
    from bayesmed.data.site_estimates import SiteEstimates

    k, columns = cells.outcomes, rows.columns
    kept = named.rows(found.present)
    if len(kept) < 2:
        gone = f": {listed(named.dropped)}" if named.dropped else ""
        raise DataError(
            f"{rows.source}: {len(kept)} site is left{gone}."
            if kept
            else f"{rows.source}: no site is left{gone}.",
            "The slope is learnt from differences between sites: give at least two, better ten.",
        )
    s, j = (np.array(x) for x in zip(*kept, strict=True))
    effect = found.effect[s, j]
    shaped = cov.reshape(len(cov), found.present.shape[1], k, found.present.shape[1], k)
    # Rows of one site stand together: the pairs of others are never looked at.
    ends = np.searchsorted(s, s, side="right")
    cross = {
        (a, b): shaped[s[a], j[a], :, j[b], :]
        for a, end in enumerate(ends.tolist())
        for b in range(a + 1, end)
    }
    return SiteEstimates.from_arrays(
        mediator_effect=effect[:, :-1],
        total_effect=effect[:, -1],
        cov=shaped[s, j, :, j, :],
        cross_cov=cross,
        site=[named.sites[i] for i in s],
        arm=[named.arms[i] for i in j] if named.arms is not None else None,
        block=s.tolist(),
        mediators=[columns.label(c) for c in columns.estimated[:-1]],
        outcome=columns.label(columns.outcome),
        outcome_scale=_scale(cells, columns.outcome in columns.log_odds),
        n=_persons(cells, found, s, j),
        covariates=_site_means(moments, cells, columns.site_covariates, s),
        source=rows.source,
        notes=notes,
        derivation=made,
        persons=None
        if columns.weights or columns.log_odds
        else person_covariance(
            cells, found, arms.all if arms else None, s, j, clustered=bool(columns.cluster)
        ),
    )


def _few_clusters(scores: Scores, s: int, present: NDArray[np.bool_]) -> set[int]:
    """Return the arms (the reference 0) with fewer than two clusters."""
    if scores.clusters_in_arm is None:
        return set()
    counts = scores.clusters_in_arm[s]
    looked = [True, *present] if len(counts) > 1 else [True]
    return {a for a, look in enumerate(looked) if look and counts[a] < 2}


def _dependence(cov: _Array) -> str | None:
    """Say how estimates follow from one another; those known without error do not count."""
    uncertain = np.diagonal(cov) > 0
    cov = cov[np.ix_(uncertain, uncertain)]
    if not np.isfinite(cov).all():
        return "its covariance is not finite"
    se = np.sqrt(np.diagonal(cov))
    corr = cov / np.outer(se, se)
    if (np.abs(corr - np.eye(len(corr))) >= 1 - _NEAR).any():
        return "two of its estimates have a sampling correlation of 1"
    if len(corr) and np.linalg.eigvalsh(corr)[0] < _NEAR:
        return (
            "one of its estimates follows from the others: it is their sum, or there are too few "
            "persons or clusters"
        )
    return None


def _persons(
    cells: Cells, found: SiteEffects, s: NDArray[np.int64], j: NDArray[np.int64]
) -> _Array:
    """Persons behind each row: of the arm and the reference, or all of the site."""
    if not cells.arms:
        return found.n[s]
    counts = np.zeros((cells.sites, cells.arms + 1))
    np.add.at(counts, (cells.site, cells.arm), cells.n)
    persons: _Array = counts[s, 0] + counts[s, j + 1]
    return persons


def _scale(cells: Cells, odds: bool) -> str:
    """Name the outcome's scale; outcomes that are 0 or 1 show it in their moments."""
    if odds:
        return "log odds ratio"
    mean, cross = cells.mean[:, -1], cells.cross[:, -1, -1]
    shares = cells.weight * mean * (1 - mean)
    if ((mean >= 0) & (mean <= 1)).all() and np.allclose(cross, shares, rtol=1e-9, atol=1e-9):
        return "difference of proportions"
    return "difference"


def _site_means(
    moments: Moments, cells: Cells, columns: tuple[str, ...], s: NDArray[np.int64]
) -> dict[str, _Array]:
    total = np.bincount(cells.site, cells.weight, minlength=cells.sites)
    means = {}
    for name in columns:
        mean = moments.mean[:, moments.variables.index(name)]
        means[name] = (np.bincount(cells.site, cells.weight * mean) / total)[s]
    return means
