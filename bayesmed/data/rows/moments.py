"""Counts, means and cross-products of persons, cell by cell: all a regression needs of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Moments"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Sufficient statistics of complete persons, by site, block and arm.

    Parameters
    ----------
    site
        (C,) name of each cell's site.
    block
        (C,) block within the site (the fixed effect), or None.
    arm
        (C,) arm, or None where treatment is an amount.
    variables
        Names of the V variables: amounts of treatment, covariates, mediators, outcome, and what
        else describes sites.
    n
        (C,) persons.
    weight
        (C,) sum of their weights; ``n`` without weights.
    mean
        (C, V) means, weighted where there are weights.
    cross
        (C, U, U) sums of (weighted) products about the cell's mean, of the first U variables.
    keys
        How the engine knows the cells; for further scans.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmed.data import PersonRows, RowColumns
    >>> people = pd.DataFrame({"t": [0, 0, 1, 1], "m": [1, 3, 4, 8], "y": [2, 2, 3, 5], "s": "A"})
    >>> moments = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="s")).moments()
    >>> moments.arm, moments.mean.tolist(), moments.cross[1].tolist()
    (('0', '1'), [[2.0, 2.0], [6.0, 4.0]], [[8.0, 4.0], [4.0, 2.0]])
    """

    site: tuple[str, ...]
    block: tuple[str, ...] | None
    arm: tuple[str, ...] | None
    variables: tuple[str, ...]
    n: NDArray[np.float64]
    weight: NDArray[np.float64]
    mean: NDArray[np.float64]
    cross: NDArray[np.float64]
    keys: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy data frame, one row per cell.

        Columns: ``site``, ``block`` and ``arm`` where there are any, ``n``, ``weight``,
        ``mean[x]`` of every variable and ``cross[x, y]`` of every pair.
        """
        import pandas as pd

        columns: dict[str, object] = {"site": list(self.site)}
        columns |= {k: list(v) for k in ("block", "arm") if (v := getattr(self, k)) is not None}
        columns |= {"n": self.n, "weight": self.weight}
        columns |= {f"mean[{x}]": self.mean[:, i] for i, x in enumerate(self.variables)}
        crossed = self.variables[: self.cross.shape[1]]
        for j, y in enumerate(crossed):
            columns |= {
                f"cross[{x}, {y}]": self.cross[:, i, j] for i, x in enumerate(crossed[: j + 1])
            }
        return pd.DataFrame(columns)
