"""Sites found again and again in the same data: how much an answer depends on the random parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import checked_seed, child_seed
from bayesmed.data import Estimation, PersonRows, SiteEstimates
from bayesmed.formulas.repeated_splits import median_over_splits
from bayesmed.subgroups.choices import CausalTree, CompliancePropensity
from bayesmed.subgroups.find import find_sites
from bayesmed.subgroups.found_sites import FoundSites

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RepeatedSites", "SplitAnswers", "repeat_sites"]

type Answer = Callable[[SiteEstimates], tuple[ArrayLike, ArrayLike]]


@dataclass(frozen=True, eq=False)
class SplitAnswers:
    """The same quantities estimated in every split.

    Parameters
    ----------
    seeds
        Seeds of the B splits.
    estimate, se
        (B, K) estimates and standard errors; NaN where a split has no answer.
    """

    seeds: tuple[int, ...]
    estimate: NDArray[np.float64]
    se: NDArray[np.float64]

    def combined(self) -> pd.DataFrame:
        """Return one row per quantity, over the splits that have an answer.

        Columns: ``estimate`` and ``se`` by `median_over_splits`, whose ``se`` counts the spread
        between splits; ``se_within``, the median of the splits' own; ``lowest``, ``highest`` and
        ``sd_between`` of the estimates; ``share_positive``; ``answered``, the number of splits.
        """
        import pandas as pd

        known = (np.isfinite(self.estimate) & np.isfinite(self.se)).all(axis=1)
        if not known.any():
            raise DataError("No split has an answer.", "Take fewer or larger sites.")
        estimate, se = self.estimate[known], self.se[known]
        middle, whole = median_over_splits(estimate, se)
        spread = estimate.std(axis=0, ddof=1) if len(estimate) > 1 else np.full(len(middle), np.nan)
        return pd.DataFrame(
            {
                "estimate": middle,
                "se": whole,
                "se_within": np.median(se, axis=0),
                "lowest": estimate.min(axis=0),
                "highest": estimate.max(axis=0),
                "sd_between": spread,
                "share_positive": (estimate > 0).mean(axis=0),
                "answered": int(known.sum()),
            }
        )


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class RepeatedSites:
    """Sites found in several random splits of the same persons.

    Parameters
    ----------
    found
        What was found, split by split.
    without
        Seed to reason of the splits in which no sites were found.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from bayesmed.data import PersonRows, RowColumns
    >>> from bayesmed.subgroups import CompliancePropensity, repeat_sites
    >>> rng = np.random.default_rng(1)
    >>> people = pd.DataFrame({"t": np.arange(900) % 2, "age": rng.integers(20, 60, 900)})
    >>> people["m"] = people.t * (people.age - 20) / 20 + rng.normal(size=900)
    >>> people["y"] = people.m + rng.normal(size=900)
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="age"))
    >>> repeat_sites(rows, CompliancePropensity(groups=3), splits=2, seed=1)
    RepeatedSites(2 splits of 3 to 3 sites)
    """

    found: tuple[FoundSites, ...]
    without: dict[int, str]

    def columns_used(self) -> pd.Series[float]:
        """Return in which share of the splits each column tells persons apart (trees only)."""
        import pandas as pd

        used = [set(f.splits.get("column", ())) for f in self.found]
        names = sorted(set().union(*used))
        shares = {name: sum(name in u for u in used) / len(used) for name in names}
        return pd.Series(shares, dtype=float).sort_values(ascending=False, kind="stable")

    def _shown(self) -> Shown:
        sites = [found.estimates.n_rows for found in self.found]
        title = f"RepeatedSites({len(sites)} splits of {min(sites)} to {max(sites)} sites)"
        lines = (f"{len(self.without)} splits found no sites.",) if self.without else ()
        used = tuple((str(name), f"{share:.0%}") for name, share in self.columns_used().items())
        return Shown(title, lines, ("Column", "Splits that use it") if used else (), used)

    def answers(self, answer: Answer) -> SplitAnswers:
        """Ask the same of every split.

        Parameters
        ----------
        answer
            Takes site estimates; returns K estimates and their K standard errors.

        Examples
        --------
        ``repeated.answers(lambda sites: (wls(sites).slope, wls(sites).slope_se))``
        """
        pairs = [answer(f.estimates) for f in self.found]
        return SplitAnswers(
            seeds=tuple(f.seed for f in self.found),
            estimate=np.array([np.atleast_1d(e) for e, _ in pairs], dtype=np.float64),
            se=np.array([np.atleast_1d(s) for _, s in pairs], dtype=np.float64),
        )


def repeat_sites(
    rows: PersonRows,
    how: CausalTree | CompliancePropensity,
    estimation: Estimation | None = None,
    *,
    splits: int = 20,
    seed: int | None = None,
    progress: Progress | None = None,
) -> RepeatedSites:
    """Find sites in several random splits of the same persons; see `find_sites`.

    Parameters
    ----------
    rows, how, estimation
        As for `find_sites`.
    splits
        Number of splits.
    seed
        Each split gets a seed from it.
    progress
        Shows how many splits are done.

    Returns
    -------
    RepeatedSites
        What every split found.

    Raises
    ------
    DataError
        If no split finds sites.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from bayesmed.data import RowColumns
    >>> rng = np.random.default_rng(1)
    >>> people = pd.DataFrame({"t": np.arange(900) % 2, "age": rng.integers(20, 60, 900)})
    >>> people["m"] = people.t * (people.age >= 40) + rng.normal(size=900)
    >>> people["y"] = people.m + rng.normal(size=900)
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="age"))
    >>> repeated = repeat_sites(rows, CompliancePropensity(groups=3), splits=3, seed=1)
    >>> first = repeated.answers(lambda s: (s.mediator_effect[0], s.mediator_se[0]))
    >>> first.combined()["answered"].tolist()
    [3]
    """
    if type(splits) is not int or splits < 1:
        raise DataError(f"{splits!r} splits are asked for.", "Ask for a whole number from 1 up.")
    seed, progress = checked_seed(seed), progress or Silent()
    progress.phase(f"Finding sites in {splits} random splits")
    found: list[FoundSites] = []
    without: dict[int, str] = {}
    for b in range(splits):
        own = child_seed(seed, f"split {b}")
        try:
            found.append(find_sites(rows, how, estimation, seed=own))
        except DataError as error:
            # What every split says is about the rows or the choices, not about a split.
            if splits == 1 or (not found and str(error) in without.values()):
                raise
            without[own] = str(error)
        progress.advance((b + 1) / splits)
    if not found:
        raise DataError(
            f"{rows.source}: none of {splits} splits gives sites.",
            f"The first says: {next(iter(without.values()))}",
        )
    return RepeatedSites(tuple(found), without)
