"""Cells in which nobody, or everybody, has an event: their log odds are infinite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmed.data.rows.choosing import Dropped
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.moments import Moments
from bayesmed.formulas.log_odds import with_half_counts

__all__ = ["without_zero_counts"]


def without_zero_counts(
    moments: Moments, columns: RowColumns, half_counts: bool
) -> tuple[Moments, list[Dropped]]:
    """Correct the sites that have such a cell, or name them for dropping.

    With ``half_counts`` all cells of such a site get half a count more of events and of
    non-events. Variances become those of the corrected counts; correlations within cells stay.
    """
    dropped: dict[str, Dropped] = {}
    mean, cross = moments.mean.copy(), moments.cross.copy()
    site = np.array(moments.site)
    for column in columns.log_odds:
        i = moments.variables.index(column)
        empty = (mean[:, i] <= 0) | (mean[:, i] >= 1)
        concerned = np.isin(site, site[empty])
        if not half_counts:
            reason = f"nobody or everybody has {column!r} in an arm"
            dropped |= {name: Dropped(name, None, reason) for name in site[empty]}
            continue
        n = moments.n[concerned]
        share = with_half_counts(n, mean[concerned, i])
        # (n + 1) p (1 − p) is the information of the corrected counts.
        variation = n**2 * share * (1 - share) / (n + 1)
        before = cross[concerned, i, i]
        ratio = np.sqrt(np.divide(variation, before, out=np.zeros_like(n), where=before > 0))
        cross[concerned, i, :] *= ratio[:, None]
        cross[concerned, :, i] *= ratio[:, None]
        cross[concerned, i, i] = variation
        mean[concerned, i] = share
    return replace(moments, mean=mean, cross=cross), list(dropped.values())
