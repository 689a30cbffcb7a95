"""Data as they show themselves: what they hold, and their first rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmed.core.display import Shown
from bayesmed.core.numbers import number

if TYPE_CHECKING:
    from bayesmed.data.site_estimates import SiteEstimates

__all__ = ["shown_sites", "shown_trial"]


def shown_sites(data: SiteEstimates) -> Shown:
    """Return every row with its estimates and standard errors."""
    columns = ["Site", *(f"Effect on {m}" for m in data.mediators)]
    rows = []
    for i, label in enumerate(data.labels):
        pairs = zip(data.mediator_effect[i], data.mediator_se[i], strict=True)
        cells = [_with_error(float(e), float(s)) for e, s in pairs]
        total = _with_error(float(data.total_effect[i]), float(data.total_effect_se[i]))
        rows.append((label, *cells, total))
    lines = [f"{data.outcome}: {data.outcome_scale}. Estimates with standard errors."]
    lines += [f"Note: {note}" for note in data.notes]
    columns.append(f"Total effect on {data.outcome}")
    return Shown(repr(data), tuple(lines), tuple(columns), tuple(rows))


def shown_trial(data: Any) -> Shown:
    """Return the variables of one trial and the part each has."""
    names = data.names
    parts = [("treatment", names.treatment), ("mediator", names.mediator)]
    parts.append(("outcome", names.outcome))
    parts += [("covariate", name) for name in names.covariates]
    if getattr(names, "instrument", None):
        parts.append(("instrument", names.instrument))
    lines = (f"{data.n_persons:,} persons", *(f"Note: {note}" for note in data.notes))
    rows = tuple((role, str(name)) for role, name in parts)
    return Shown(repr(data), lines, ("Part", "Variable"), rows)


def _with_error(value: float, error: float) -> str:
    return f"{number(value)} ({number(error)})"
