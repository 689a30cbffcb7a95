"""Sites that were found: their estimates, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bayesmed.core.display import Shown, displayed
from bayesmed.core.numbers import number
from bayesmed.data import PersonRows, Reduction, SiteEstimates
from bayesmed.subgroups.choices import CausalTree, CompliancePropensity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FoundSites", "ToldApart"]


class ToldApart(NamedTuple):
    """Rows with sites, a table of how they came about, and what to say of them."""

    rows: PersonRows
    splits: pd.DataFrame
    origin: str
    caution: str


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class FoundSites:
    """Sites found in one trial, and the estimates of their effects.

    Parameters
    ----------
    how
        How they were found.
    seed
        Of the random parts.
    rows
        The persons whose effects are estimated, with the sites as a column; still lazy.
    reduction
        Estimates, with what was missing and dropped.
    splits
        How the sites came about. For a tree one row per split, in the order in which they follow
        each other: ``split`` (its number), ``among`` whom, ``column``, what is ``below`` and
        ``above``, how many persons (``n_below``, ``n_above``), the split (``below_split``, 0 where
        there is none) or site (``below_site``, empty) that follows on either side, and by how much
        effects on each mediator are larger above than below, with standard errors, among those
        the tree was grown on (as if persons were independent and counted alike). For propensities
        one row per mediator, fold and column.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from bayesmed.data import PersonRows, RowColumns
    >>> from bayesmed.subgroups import CompliancePropensity, find_sites
    >>> rng = np.random.default_rng(1)
    >>> people = pd.DataFrame({"t": np.arange(900) % 2, "age": rng.integers(20, 60, 900)})
    >>> people["m"] = people.t * (people.age - 20) / 20 + rng.normal(size=900)
    >>> people["y"] = people.m + rng.normal(size=900)
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="age"))
    >>> found = find_sites(rows, CompliancePropensity(groups=3), seed=1)
    >>> found.estimates.n_rows, found.seed
    (3, 1)
    >>> bool(np.all(np.diff(found.estimates.mediator_effect[:, 0]) > 0))
    True
    """

    how: CausalTree | CompliancePropensity
    seed: int
    rows: PersonRows
    reduction: Reduction
    splits: pd.DataFrame

    @property
    def estimates(self) -> SiteEstimates:
        """The site estimates, as any model takes them."""
        return self.reduction.estimates

    def table(self) -> pd.DataFrame:
        """Return the sites with their estimates; see `SiteEstimates.to_frame`."""
        return self.estimates.to_frame()

    def _shown(self) -> Shown:
        data = self.estimates
        columns = ("Site", "n", *(f"On {name}" for name in (*data.mediators, data.outcome)))
        rows = []
        for i, site in enumerate(data.labels):
            persons = "" if data.n is None else f"{data.n[i]:,.0f}"
            effects = (*data.mediator_effect[i], data.total_effect[i])
            rows.append((site, persons, *(number(float(x)) for x in effects)))
        title = f"FoundSites({data.n_rows} sites, {self.how!r}, seed={self.seed})"
        return Shown(title, (), columns, tuple(rows))
