"""From rows of persons to site estimates: the steps in order, and a record of what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress, Silent
from bayesmed.data.fields import codes
from bayesmed.data.rows.assembling import Named, site_estimates, unusable
from bayesmed.data.rows.choosing import Arms, Dropped, chosen_arms, listed, too_few
from bayesmed.data.rows.cleaning import CLUSTER, WEIGHT
from bayesmed.data.rows.engine import fetch
from bayesmed.data.rows.estimation import Estimation
from bayesmed.data.rows.linear_map import LinearMap
from bayesmed.data.rows.missingness import Missingness
from bayesmed.data.rows.moments import Moments
from bayesmed.data.rows.queries import scores_query
from bayesmed.data.rows.scanning import Scan, scan
from bayesmed.data.rows.site_cells import Cells
from bayesmed.data.rows.site_effects import Scores, fitted, with_covariance
from bayesmed.data.rows.words import derivation, notes_of
from bayesmed.data.rows.zero_counts import without_zero_counts

if TYPE_CHECKING:
    import pandas as pd

    from bayesmed.data.rows.columns import RowColumns
    from bayesmed.data.rows.person_rows import PersonRows
    from bayesmed.data.site_estimates import SiteEstimates

__all__ = ["Reduction", "reduce_rows"]


@dataclass(frozen=True, eq=False)
class Reduction:
    """Site estimates, and what became of the rows they come from.

    Parameters
    ----------
    estimates
        The site estimates.
    moments
        Moments of all complete persons.
    missingness
        Rows, complete rows and missing cells, by site and arm.
    dropped
        Sites and arms that take no part, with the reason.
    derivation
        How the estimates were computed, in a sentence or two.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmed.data.rows.columns import RowColumns
    >>> from bayesmed.data.rows.person_rows import PersonRows
    >>> people = pd.DataFrame({
    ...     "city": ["Oslo"] * 8 + ["Bergen"] * 8, "t": [0, 0, 0, 0, 1, 1, 1, 1] * 2,
    ...     "m": [1, 2, 3, 2, 4, 5, 5, 6, 1, 2, 3, 2, 2, 3, 3, 4],
    ...     "y": [2, 1, 4, 3, 6, 4, 7, 8] * 2})
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="city"))
    >>> found = reduce_rows(rows)
    >>> found.estimates.mediator_effect[:, 0].tolist(), found.dropped
    ([1.0, 3.0], ())
    """

    estimates: SiteEstimates
    moments: Moments
    missingness: Missingness
    dropped: tuple[Dropped, ...]
    derivation: str

    def by_site(self) -> pd.DataFrame:
        """Return the table of `missingness`, with the column ``dropped``: why a row is not used."""
        table = self.missingness.table.copy()
        amounts = self.moments.arm is None
        why: dict[tuple[str, str | None], str] = {}
        for d in self.dropped:
            # Amounts of several treatments have no rows of their own, but are dropped one by one.
            key, reason = (d.site, d.arm), d.reason
            if amounts and d.arm is not None:
                before = f"{why[d.site, None]}; " if (d.site, None) in why else ""
                key, reason = (d.site, None), f"{before}{d.arm}: {d.reason}"
            why[key] = reason
        pairs = zip(table["site"], table["arm"], strict=True)
        table["dropped"] = [why.get((s, None)) or why.get((s, a), "") for s, a in pairs]
        return table


def reduce_rows(
    rows: PersonRows, how: Estimation | None = None, *, progress: Progress | None = None
) -> Reduction:
    """Reduce rows of persons to site estimates.

    At each site, mediators and outcome are regressed on treatment, covariates and block intercepts
    by least squares (`bayesmed.formulas.site_regression`): without covariates and blocks, that is
    a difference in means. Persons are used when complete in every column with a role.

    Parameters
    ----------
    rows
        The persons and the roles of their columns.
    how
        Choices beside the roles of columns.
    progress
        Shows how far the scans are.

    Returns
    -------
    Reduction
        The estimates, with what was missing and what was dropped.

    Raises
    ------
    DataError
        If the rows cannot be used, or fewer than two site estimates are left.
    EngineError
        If the engine fails for reasons that lie in neither.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmed.data import PersonRows, RowColumns, reduce_rows
    >>> people = pd.DataFrame({
    ...     "site": ["A"] * 6 + ["B"] * 6,
    ...     "t": [0, 0, 0, 1, 1, 1] * 2,
    ...     "m": [1, 2, 3, 3, 4, 5, 1, 3, 5, 2, 4, 6],
    ...     "y": [1, 1, 4, 2, 3, 4, 2, 3, 5, 4, 6, 6],
    ... })
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="site"))
    >>> found = reduce_rows(rows)
    >>> found.estimates.mediator_effect.ravel().tolist(), found.dropped
    ([2.0, 1.0], ())
    """
    how = how or Estimation()
    how.check_columns(rows.columns)
    _require_sites(rows.columns)
    progress = progress or Silent()
    found = scan(rows, progress)
    arms = chosen_arms(found.moments, rows.columns, rows.source)
    dropped = _nobody_complete(found)
    dropped += too_few(found.moments, arms, how.least_per_arm)
    moments = _without(found.moments, arms, dropped, rows.source)
    moments, empty = without_zero_counts(moments, rows.columns, how.half_counts)
    dropped += empty
    moments = _without(moments, arms, dropped, rows.source)
    cells = _cells(moments, arms, rows)
    effects = fitted(cells)
    sites = list(dict.fromkeys(moments.site))
    dropped += [Dropped(sites[s], None, reason) for s, reason in effects.problem.items()]
    cov, scores = with_covariance(
        cells, effects, how.covariance, _asker(found, moments, cells, rows, progress)
    )
    columns = (arms.compared if arms else rows.columns.randomised) if cells.treatments > 1 else None
    known = how.constant_outcome == "known"
    dropped += unusable(sites, columns, arms, effects, cov, scores, known)
    if how.strict and dropped:
        raise DataError(
            f"{rows.source}: sites or arms cannot be used: {listed(dropped)}.",
            "Mend them, or leave out `strict`: they are then dropped by name.",
        )
    made = derivation(rows, found.missingness, cells, how.covariance)
    notes = notes_of(found, arms, dropped, sites, effects, cov, scores)
    estimates = site_estimates(
        rows, moments, cells, effects, cov, Named(sites, columns, tuple(dropped)), arms, notes, made
    )
    return Reduction(estimates, found.moments, found.missingness, tuple(dropped), made)


def _require_sites(columns: RowColumns) -> None:
    if not columns.site_columns:
        raise DataError(
            "No column is named as site.", "Name it; one trial without sites is a TrialMoments."
        )
    if columns.post_baseline:
        raise DataError(
            "Post-baseline confounders are named, and estimates of sites take none.",
            "Leave `post_baseline` out.",
        )
    if columns.mediator_instrument is not None:
        raise DataError(
            "An instrument for the mediator is named, and estimates of sites take none.",
            "Leave `mediator_instrument` out, or count the trial's cells: TrialCells.from_rows.",
        )


def _nobody_complete(found: Scan) -> list[Dropped]:
    """Return the sites of which the moments know nothing."""
    sites = dict.fromkeys(name for name in found.missingness.table["site"] if name)
    known = set(found.moments.site)
    return [Dropped(name, None, "no complete person") for name in sites if name not in known]


def _without(moments: Moments, arms: Arms | None, dropped: list[Dropped], source: str) -> Moments:
    """Keep the cells of the arms that are compared, at the sites that are left."""
    sites = {d.site for d in dropped if d.arm is None}
    pairs = {(d.site, d.arm) for d in dropped}
    kept = np.array(
        [
            name not in sites
            and (arms is None or (moments.arm is not None and moments.arm[c] in arms.all))
            and (name, moments.arm and moments.arm[c]) not in pairs
            for c, name in enumerate(moments.site)
        ]
    )
    left = len({name for name, keep in zip(moments.site, kept, strict=True) if keep})
    if left < 1:
        raise DataError(
            f"{source}: no site can be used: {listed(dropped)}.",
            "Sites need complete persons in every arm; define larger sites.",
        )
    index = np.flatnonzero(kept)
    return replace(
        moments,
        site=tuple(moments.site[c] for c in index),
        block=None if moments.block is None else tuple(moments.block[c] for c in index),
        arm=None if moments.arm is None else tuple(moments.arm[c] for c in index),
        n=moments.n[index],
        weight=moments.weight[index],
        mean=moments.mean[index],
        cross=moments.cross[index],
        keys=moments.keys.iloc[index].reset_index(drop=True),
    )


def _cells(moments: Moments, arms: Arms | None, rows: PersonRows) -> Cells:
    """Give sites, blocks and arms their numbers."""
    columns = rows.columns
    site = codes(moments.site)
    group = site if moments.block is None else codes(zip(moments.site, moments.block, strict=True))
    number = {} if arms is None else {a: i for i, a in enumerate(arms.all)}
    crossed = moments.cross.shape[1]
    return Cells(
        site=site,
        group=group,
        arm=np.array([number[a] for a in moments.arm]) if moments.arm else np.zeros_like(site),
        n=moments.n,
        weight=moments.weight,
        mean=moments.mean[:, :crossed],
        cross=moments.cross,
        arms=len(number) - 1 if number else 0,
        amounts=0 if arms else len(columns.randomised),
        covariates=len(columns.covariates),
        log_odds=tuple(columns.estimated.index(name) for name in columns.log_odds),
    )


def _asker(
    found: Scan, moments: Moments, cells: Cells, rows: PersonRows, progress: Progress
) -> Callable[[LinearMap], Scores] | None:
    """Return what asks the engine for scores, or None where the cells tell them."""
    asked = {CLUSTER, WEIGHT} & found.rows.counted.keys()
    if not (asked or cells.covariates or cells.amounts):
        return None

    def ask(maps: LinearMap) -> Scores:
        progress.phase("Scanning the rows again, for the covariances")
        arms = cells.arms + 1 if cells.arms else 0
        query = scores_query(found.rows, moments.keys, maps, cells.site, arms)
        frame = fetch(found.backend, query, progress, rows.source).sort_values("site")
        side = cells.treatments * cells.outcomes
        products = np.zeros((cells.sites, side, side))
        for b in range(side):
            for a in range(b + 1):
                products[:, a, b] = products[:, b, a] = frame[f"product_{a}_{b}"]
        if CLUSTER not in found.rows.counted:
            return Scores(products)
        in_arm = [frame[f"clusters_{a}"].to_numpy(dtype=float) for a in range(arms)]
        clusters = frame["clusters"].to_numpy(dtype=float)
        return Scores(products, clusters, np.column_stack(in_arm or [clusters]))

    return ask
