"""How site estimates were made from rows, and what to keep in mind, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.data.rows.choosing import Arms, Dropped, listed
from bayesmed.data.rows.missingness import Missingness
from bayesmed.data.rows.scanning import Scan
from bayesmed.data.rows.site_cells import Cells
from bayesmed.data.rows.site_effects import Scores, SiteEffects

if TYPE_CHECKING:
    from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["derivation", "notes_of"]

_FEW_CLUSTERS = 10


def derivation(rows: PersonRows, missingness: Missingness, cells: Cells, covariance: str) -> str:
    """Say how the estimates were computed."""
    columns = rows.columns
    what = (
        "differences in means" if cells.arms else "least-squares slopes on the amount of treatment"
    )
    if columns.log_odds:
        called = ", ".join(columns.label(c) for c in columns.log_odds)
        what += f" (log odds ratios for {called})"
    if columns.instrument:
        what = f"intention-to-treat effects of {columns.instrument}: {what}"
    parts = [what[0].upper() + what[1:] + " at each site"]
    if columns.covariates:
        parts.append(f"adjusted for {', '.join(columns.covariates)} with coefficients of its own")
    if columns.fixed_effect:
        parts.append(f"within blocks of {columns.fixed_effect}")
    if columns.weights:
        parts.append(f"weighted by {columns.weights}")
    kind = (
        f"robust to clusters of {columns.cluster}"
        if columns.cluster
        else "pooled over sites within arms"
        if covariance == "pooled"
        else f"robust to unequal variances ({covariance})"
    )
    return (
        f"From {missingness.rows:,} rows of persons, {missingness.complete:,} of them complete. "
        f"{', '.join(parts)}; joint covariance of all estimates of the same persons, {kind}."
    )


def notes_of(
    found: Scan,
    arms: Arms | None,
    dropped: list[Dropped],
    sites: list[str],
    effects: SiteEffects,
    cov: NDArray[np.float64],
    scores: Scores,
) -> list[str]:
    """Return what to keep in mind beside the estimates."""
    notes = []
    without = {d.site for d in dropped if d.arm is None}
    if dropped:
        notes.append(f"Dropped, {len(dropped)} of the rows' sites or arms: {listed(dropped)}.")
    if arms is not None and (other := _in_other_arms(found, arms)):
        notes.append(f"{other:,} persons are in arms that are not compared, and left out.")
    if arms is not None and (note := found.missingness.note(arms.compared, arms.reference)):
        notes.append(note)
    k = effects.size.shape[1]
    known = [
        name
        for s, name in enumerate(sites)
        if s not in effects.problem
        and name not in without
        and (np.diagonal(cov[s]) == 0)[np.repeat(effects.present[s], k)].any()
    ]
    if known:
        shown = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
        notes.append(
            f"A mediator or the outcome does not vary within arms at {shown}: its effect has a "
            "standard error of 0 there, and is taken as known."
        )
    left = np.array([name not in without for name in sites])
    if scores.clusters is not None and (few := int((scores.clusters[left] < _FEW_CLUSTERS).sum())):
        notes.append(
            f"{few} of {left.sum()} sites have fewer than {_FEW_CLUSTERS} clusters: their standard "
            "errors are uncertain, and on average too small."
        )
    return notes


def _in_other_arms(found: Scan, arms: Arms) -> int:
    moments = found.moments
    assert moments.arm is not None
    return int(sum(n for n, a in zip(moments.n, moments.arm, strict=True) if a not in arms.all))
