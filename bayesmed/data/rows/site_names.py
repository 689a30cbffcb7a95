"""What sites are called: by the value of one column, or by those of several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from bayesmed.data.cells import as_text
from bayesmed.data.rows.cleaning import Cleaned

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["site_names"]


def site_names(frame: pd.DataFrame, rows: Cleaned) -> tuple[str, ...]:
    """Name the site of every group, as "region=North, 30 ≤ age < 50" where columns make it up.

    The name is empty where the value of a column is missing, and "all" where there are no sites.
    """
    if not rows.site_keys:
        return ("all",) * len(frame)
    parts = []
    for key in rows.site_keys:
        column = rows.counted[key]
        values = [as_text(cell) for cell in frame[key]]
        if column in rows.edges:
            labels = _group_labels(column, rows.edges[column])
            parts.append([labels[int(code)] if code else "" for code in values])
        elif len(rows.site_keys) > 1:
            parts.append([f"{column}={value}" if value else "" for value in values])
        else:
            parts.append(values)
    return tuple(", ".join(site) if all(site) else "" for site in zip(*parts, strict=True))


def _group_labels(column: str, edges: Sequence[float]) -> list[str]:
    # Quantiles have as many digits as doubles have: six tell groups apart, where they can.
    short = [as_text(float(f"{edge:.6g}")) for edge in edges]
    shown = short if len(set(short)) == len(edges) else [as_text(edge) for edge in edges]
    inner = [f"{a} ≤ {column} < {b}" for a, b in pairwise(shown)]
    return [f"{column} < {shown[0]}", *inner, f"{column} ≥ {shown[-1]}"]
