"""How many persons are complete, by site and arm, and whether that differs between arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.notes import LOST
from bayesmed.data.cells import CellError, as_number, as_text
from bayesmed.data.rows.cleaning import ARM, COMPLETE, STATE, Cleaned
from bayesmed.data.rows.site_names import site_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Missingness", "arm_name", "missing_of"]

_SURE = 0.01
"""Below this probability, missingness that differs between arms is called different."""


@dataclass(frozen=True, eq=False)
class Missingness:
    """Rows, complete rows and missing cells.

    Parameters
    ----------
    table
        One row per site and arm: ``site``, ``arm`` (both empty where missing; the arm is "all"
        where treatment is an amount), ``rows``, ``complete``, and ``missing[x]`` of every column
        with a role.
    columns
        The columns with a role.
    """

    table: pd.DataFrame
    columns: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.table["rows"].sum())

    @property
    def complete(self) -> int:
        """Number of complete rows."""
        return int(self.table["complete"].sum())

    def by_arm(self) -> pd.DataFrame:
        """Return the table summed over sites, with the share of complete rows."""
        summed = self.table.drop(columns="site").groupby("arm", sort=True).sum().reset_index()
        summed.insert(3, "share_complete", summed["complete"] / summed["rows"])
        return summed

    def most_missing(self) -> str:
        """Say which column is missing most often."""
        counts = {c: int(self.table[f"missing[{c}]"].sum()) for c in self.columns}
        worst = max(counts, key=lambda c: counts[c])
        return f"Column {worst!r} is missing in {counts[worst]} of {self.rows} rows."

    def difference(self, arm: str, reference: str) -> float:
        """Probability that completeness differs as much between two arms by chance.

        The Cochran–Mantel–Haenszel test, stratified by site; 1 where nothing is missing.
        """
        from statsmodels.stats.contingency_tables import StratifiedTable

        counts = self.table[self.table["arm"].isin([arm, reference])]
        complete = counts.pivot_table(
            index="site", columns="arm", values="complete", aggfunc="sum", fill_value=0
        )
        rows = counts.pivot_table(
            index="site", columns="arm", values="rows", aggfunc="sum", fill_value=0
        )
        if arm not in rows or reference not in rows:
            return 1.0
        missing = rows - complete
        tables = np.stack(
            [
                np.stack([complete[arm], missing[arm]], axis=-1),
                np.stack([complete[reference], missing[reference]], axis=-1),
            ],
            axis=1,
        ).astype(float)
        # Sites in which everybody, or nobody, is complete say nothing.
        margins = np.concatenate([tables.sum(axis=1), tables.sum(axis=2)], axis=1)
        telling: NDArray[np.float64] = tables[(margins > 0).all(axis=1)]
        if not len(telling):
            return 1.0
        return float(StratifiedTable(np.moveaxis(telling, 0, -1)).test_null_odds().pvalue)

    def note(self, arms: tuple[str, ...], reference: str) -> str | None:
        """Return a warning where completeness differs between an arm and the reference."""
        share = self.by_arm().set_index("arm")["share_complete"]
        found = {arm: self.difference(arm, reference) for arm in arms}
        worst = min(found, key=lambda arm: found[arm], default=None)
        if worst is None or not found[worst] < _SURE:
            return None
        by_site = ", by site" if len(set(self.table["site"])) > 1 else ""
        return (
            f"More persons are complete in one arm than in the other: {share[worst]:.1%} in arm "
            f"{worst!r}, {share[reference]:.1%} in arm {reference!r} (difference by chance: "
            f"p = {found[worst]:.2g}{by_site}). {LOST}, effects "
            "among the complete are not those of all."
        )


def missing_of(frame: pd.DataFrame, rows: Cleaned) -> Missingness:
    """Count from the engine's groups, which tell complete persons from others."""
    import pandas as pd

    complete = (frame[STATE] == COMPLETE).astype(int) * frame["rows"]
    counted: dict[str, Any] = {
        "site": site_names(frame, rows),
        "arm": [arm_name(x) for x in frame[ARM]] if ARM in rows.keys else ["all"] * len(frame),
        "rows": frame["rows"],
        "complete": complete,
    }
    for key, column in rows.counted.items():
        have = frame[key].notna() * frame["rows"] if key in rows.keys else frame[f"have_{key}"]
        name = f"missing[{column}]"
        counted[name] = np.maximum(counted.get(name, 0), frame["rows"] - have)
    table = pd.DataFrame(counted).groupby(["site", "arm"], sort=True).sum().reset_index()
    return Missingness(table, tuple(dict.fromkeys(rows.counted.values())))


def arm_name(cell: object) -> str:
    """Return an arm as a name: 1, 1.0 and "1.0" are "1", and so is true."""
    text = as_text(cell)
    text = {"true": "1", "false": "0"}.get(text.casefold(), text)
    try:
        return as_text(as_number(text))
    except CellError:
        return text
