"""Find sites in the data of one trial."""

from __future__ import annotations

from dataclasses import replace

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import checked_seed
from bayesmed.data import Estimation, PersonRows, Reduction, reduce_rows
from bayesmed.subgroups.by_compliance import sites_by_compliance
from bayesmed.subgroups.by_tree import sites_by_tree
from bayesmed.subgroups.choices import CausalTree, CompliancePropensity
from bayesmed.subgroups.found_sites import FoundSites

__all__ = ["find_sites"]


def find_sites(
    rows: PersonRows,
    how: CausalTree | CompliancePropensity,
    estimation: Estimation | None = None,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
) -> FoundSites:
    """Make sites of persons whose effects on the mediators differ, and estimate their effects.

    The columns named as ``site`` say what was known of persons before treatment. Without finding
    anything, they would make a site of every combination of their values (`RowColumns`); here the
    data choose which combinations are told apart.

    Parameters
    ----------
    rows
        The persons of one randomised trial.
    how
        `CausalTree`, or `CompliancePropensity`.
    estimation
        Choices of the estimation at each site.
    seed
        Of the random parts; drawn, and kept in the result, if not given.
    progress
        Shows how far the scans are.

    Returns
    -------
    FoundSites
        Estimates as any other sites have, and how the sites came about.

    Raises
    ------
    DataError
        If the rows cannot be used, or fewer than two sites are found.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from bayesmed.data import RowColumns
    >>> rng = np.random.default_rng(1)
    >>> people = pd.DataFrame({"t": np.arange(4000) % 2, "age": rng.integers(20, 60, 4000)})
    >>> people["m"] = people.t * (people.age >= 40) + rng.normal(size=4000)
    >>> people["y"] = people.m + rng.normal(size=4000)
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="age"))
    >>> found = find_sites(rows, CompliancePropensity(groups=2), seed=1)
    >>> found.estimates.n_rows, found.seed
    (2, 1)
    """
    _check(rows, how)
    seed = checked_seed(seed)
    progress = progress or Silent()
    if isinstance(how, CausalTree):
        told, splits, origin, caution = sites_by_tree(rows, how, seed, progress)
    else:
        told, splits, origin, caution = sites_by_compliance(rows, how, seed, progress)
    reduction = reduce_rows(told, estimation, progress=progress)
    return FoundSites(how, seed, told, _with_origin(reduction, origin, caution), splits)


def _check(rows: object, how: object) -> None:
    """Refuse what is no set of rows, and no way of finding sites."""
    if not isinstance(rows, PersonRows):
        raise DataError(
            f"A {type(rows).__name__} does not say what its columns are.",
            "Give PersonRows.from_frame(frame, RowColumns(...)), or PersonRows.read(file, ...).",
        )
    if not isinstance(how, (CausalTree, CompliancePropensity)):
        raise DataError(
            f"{how!r} is no way of finding sites.",
            "Give CausalTree(...) or CompliancePropensity(...), with parentheses.",
        )


def _with_origin(reduction: Reduction, origin: str, caution: str) -> Reduction:
    """Say beside the estimates where their sites come from."""
    made = f"{reduction.derivation} {origin}"
    estimates = replace(
        reduction.estimates,
        derivation=made,
        notes=(*reduction.estimates.notes, caution),
    )
    return replace(reduction, estimates=estimates, derivation=made)
