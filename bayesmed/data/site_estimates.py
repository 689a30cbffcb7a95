"""The table every site-level model takes: estimated effects with their sampling covariance."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmed.core.display import Shown, displayed
from bayesmed.data import derived, fields
from bayesmed.data.columns import SiteColumns
from bayesmed.data.covariance_checks import block_cov
from bayesmed.data.person_covariance import PersonCovariance
from bayesmed.data.plausibility import DataWarning, note_on_shared_controls, note_on_variances
from bayesmed.data.reading import read_csv_table, read_parquet_table
from bayesmed.data.table import Place, Table, table_from_frame
from bayesmed.data.table_parts import parts_from_table
from bayesmed.data.validation import check_estimates

if TYPE_CHECKING:
    import pandas as pd

    from bayesmed.core.progress import Progress
    from bayesmed.data.rows.estimation import Estimation
    from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["SiteEstimates"]


@displayed()
@dataclass(frozen=True, eq=False, repr=False)
class SiteEstimates:
    """Estimated effects of treatment on mediators and outcome, by site, with their covariance.

    Row s holds (γ̂_1..γ̂_P, β̂) ~ MVN((γ_1..γ_P, β), V_s) with V_s known. Rows of one ``block``
    share a control group: their estimates covary too. Make one with `from_frame`, `read_csv`,
    `read_parquet` or `from_arrays`; every way is checked alike. Arrays are read-only.

    Parameters
    ----------
    site, arm
        Names of the R rows; ``arm`` is None where a site has one row.
    block
        (R,) codes 0, 1, … of the blocks, in order of first appearance.
    mediators
        Names of the P mediators.
    outcome, outcome_scale
        Label of the outcome and of the scale of its effect ("difference", "log odds ratio", …).
    mediator_effect
        (R, P) estimates γ̂, in units of each mediator.
    total_effect
        (R,) estimates β̂, in units of the outcome.
    cov
        (R, P + 1, P + 1) sampling covariance of each row, total effect last.
    cross_cov
        For rows i < j of one block, the (P + 1, P + 1) covariance of row i's estimates (down)
        with row j's (across). Pairs left out are 0.
    weight
        (R,) population weights, stored so that they sum to 1.
    n
        (R,) sample sizes, or None.
    covariates
        Name to (R,) numbers describing the sites.
    covariance_given
        False where Cov(γ̂, β̂) was not given and is taken as 0.
    notes
        Warnings that belong beside every result.
    source
        File name, data set name or "data frame".
    derivation
        How the estimates were computed, where they come from rows of persons; else empty.
    persons
        How persons vary within sites and arms, where the estimates come from their rows; else None.
    place
        How messages call rows and columns; leave it out.

    Raises
    ------
    DataError
        If the estimates cannot be used; the message names row, column and remedy.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.5, 0.7, 0.4],
    ...     total_effect=[0.1, 0.2, 0.0],
    ...     cov=[[[0.01, 0.002], [0.002, 0.02]]] * 3,
    ...     mediators=["effort"],
    ... )
    >>> data
    SiteEstimates(3 rows, mediator 'effort', outcome 'outcome', from arrays)
    >>> data.total_effect_se.round(3).tolist()
    [0.141, 0.141, 0.141]
    """

    site: tuple[str, ...]
    arm: tuple[str, ...] | None
    block: NDArray[np.int64]
    mediators: tuple[str, ...]
    outcome: str
    outcome_scale: str
    mediator_effect: NDArray[np.float64]
    total_effect: NDArray[np.float64]
    cov: NDArray[np.float64]
    cross_cov: Mapping[tuple[int, int], NDArray[np.float64]]
    weight: NDArray[np.float64]
    n: NDArray[np.float64] | None = None
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    covariance_given: bool = True
    notes: tuple[str, ...] = ()
    source: str = "arrays"
    derivation: str = ""
    persons: PersonCovariance | None = None
    place: InitVar[Place | None] = None

    def __post_init__(self, place: Place | None) -> None:
        for name, value in fields.normalised(self).items():
            object.__setattr__(self, name, value)
        check_estimates(self, place or Place(self.source, self._row_name, {}))
        object.__setattr__(self, "weight", fields.summing_to_one(self.weight))

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, columns: SiteColumns, *, source: str = "data frame"
    ) -> SiteEstimates:
        """Take a pandas data frame of site estimates.

        Parameters
        ----------
        frame
            One row per site and arm.
        columns
            Which column plays which role.
        source
            What messages and reports call the table.

        Raises
        ------
        DataError
            If the table cannot be used; the message names row, column and remedy.

        Examples
        --------
        >>> from bayesmed.data import MediatorColumns, SiteColumns, load_dataset
        >>> columns = SiteColumns(
        ...     (MediatorColumns("PD", "gamma_hat", se="gamma_se", cov="cov"),),
        ...     total_effect="tau_hat",
        ...     total_effect_se="tau_se",
        ... )
        >>> SiteEstimates.from_frame(load_dataset("berkey1998"), columns, source="berkey1998")
        SiteEstimates(5 rows, mediator 'PD', outcome 'outcome', from berkey1998)
        """
        return _from_table(table_from_frame(frame, source), columns)

    @classmethod
    def read_csv(cls, path: str | os.PathLike[str], columns: SiteColumns) -> SiteEstimates:
        """Read a comma-separated UTF-8 file with one header line; see `from_frame`.

        Empty cells and NA are missing in a column of numbers, and refused; NA is a name
        like any other in a column of names. Messages count lines as an editor does.
        """
        return _from_table(read_csv_table(path), columns)

    @classmethod
    def read_parquet(cls, path: str | os.PathLike[str], columns: SiteColumns) -> SiteEstimates:
        """Read a Parquet file; see `from_frame`. Messages count rows from 1."""
        return _from_table(read_parquet_table(path), columns)

    @classmethod
    def from_rows(
        cls,
        rows: PersonRows,
        how: Estimation | None = None,
        *,
        progress: Progress | None = None,
    ) -> SiteEstimates:
        """Reduce rows of persons; see `reduce_rows`, which also tells what was left out.

        Examples
        --------
        >>> import pandas as pd
        >>> from bayesmed.data import PersonRows, RowColumns
        >>> people = pd.DataFrame({
        ...     "site": ["A"] * 6 + ["B"] * 6,
        ...     "t": [0, 0, 0, 1, 1, 1] * 2,
        ...     "m": [1, 2, 3, 3, 4, 5, 1, 3, 5, 2, 4, 6],
        ...     "y": [1, 1, 4, 2, 3, 4, 2, 3, 5, 4, 6, 6],
        ... })
        >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="site"))
        >>> SiteEstimates.from_rows(rows).mediator_effect.ravel().tolist()
        [2.0, 1.0]
        """
        from bayesmed.data.rows.reduction import reduce_rows

        return reduce_rows(rows, how, progress=progress).estimates

    @classmethod
    def from_arrays(
        cls,
        *,
        mediator_effect: ArrayLike,
        total_effect: ArrayLike,
        cov: ArrayLike,
        cross_cov: Mapping[tuple[int, int], ArrayLike] | None = None,
        site: Sequence[object] | None = None,
        arm: Sequence[object] | None = None,
        block: Sequence[object] | None = None,
        mediators: Sequence[str] | None = None,
        outcome: str = "outcome",
        outcome_scale: str = "difference",
        weight: ArrayLike | None = None,
        n: ArrayLike | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
        covariance_given: bool = True,
        source: str = "arrays",
        notes: Sequence[str] = (),
        derivation: str = "",
        persons: PersonCovariance | None = None,
    ) -> SiteEstimates:
        """Take arrays with full covariance matrices.

        Parameters
        ----------
        mediator_effect
            (R, P), or (R,) for one mediator.
        total_effect
            (R,).
        cov
            (R, P + 1, P + 1), total effect last.
        cross_cov
            Maps rows (i, j), i < j counted from 0, of one block to the (P + 1, P + 1) covariance
            of row i's estimates (down) with row j's (across). For arms that share a control group
            this is the sampling covariance of the control group's means. The covariance of the
            whole block must be positive semi-definite.
        site, arm, block
            Names of the rows, their arms, and the study whose control group they share. Default:
            sites numbered from 1, no arms, every row its own block.
        mediators
            Names of the P mediators; default "mediator", or "mediator_1", ….
        outcome, outcome_scale, weight, n, covariates, covariance_given, source, notes
            As in `SiteEstimates`; weights are equal by default.
        derivation, persons
            As in `SiteEstimates`.

        Raises
        ------
        DataError
            If shapes do not fit or the numbers cannot be used.

        Examples
        --------
        Two arms share a control group whose means have covariance ``shared``:

        >>> shared = np.array([[0.004, 0.001], [0.001, 0.005]])
        >>> data = SiteEstimates.from_arrays(
        ...     mediator_effect=[0.5, 0.7],
        ...     total_effect=[0.1, 0.2],
        ...     cov=[2 * shared, 2 * shared],
        ...     cross_cov={(0, 1): shared},
        ...     site=["Rome", "Rome"],
        ...     arm=["letter", "call"],
        ...     block=["Rome", "Rome"],
        ... )
        >>> data.labels
        ('Rome / letter', 'Rome / call')
        """
        effect = fields.numeric("mediator_effect", mediator_effect, source)
        effect = effect[:, None] if effect.ndim == 1 else effect
        rows, p = effect.shape if effect.ndim == 2 else (len(effect), 1)
        data = cls(
            site=fields.names(site, rows),
            arm=None if arm is None else fields.names(arm, rows),
            block=fields.codes(range(rows) if block is None else block),
            mediators=fields.mediator_names(mediators, p),
            outcome=outcome,
            outcome_scale=outcome_scale,
            mediator_effect=effect,
            total_effect=fields.numeric("total_effect", total_effect, source),
            cov=fields.numeric("cov", cov, source),
            cross_cov={
                pair: fields.numeric(f"cross_cov[{pair}]", matrix, source)
                for pair, matrix in (cross_cov or {}).items()
            },
            weight=np.ones(rows) if weight is None else fields.numeric("weight", weight, source),
            n=None if n is None else fields.numeric("n", n, source),
            covariates={
                name: fields.numeric(name, values, source)
                for name, values in (covariates or {}).items()
            },
            covariance_given=covariance_given,
            source=source,
            derivation=derivation,
            persons=persons,
        )
        return _with_notes(data, tuple(notes), Place(source, data._row_name, {}))

    def __repr__(self) -> str:
        several = "s" if self.n_mediators > 1 else ""
        return (
            f"SiteEstimates({self.n_rows} rows, mediator{several} "
            f"{', '.join(map(repr, self.mediators))}, outcome {self.outcome!r}, "
            f"from {self.source})"
        )

    @property
    def n_rows(self) -> int:
        """Number of rows R."""
        return len(self.site)

    @property
    def n_mediators(self) -> int:
        """Number of mediators P."""
        return len(self.mediators)

    @property
    def n_blocks(self) -> int:
        """Number of independent blocks B."""
        return int(self.block.max()) + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """Unique names of the rows: the site, or "site / arm"."""
        if self.arm is None:
            return self.site
        return tuple(f"{s} / {a}" for s, a in zip(self.site, self.arm, strict=True))

    @property
    def mediator_se(self) -> NDArray[np.float64]:
        """(R, P) standard errors of the mediator effects."""
        return self._se[:, :-1]

    @property
    def total_effect_se(self) -> NDArray[np.float64]:
        """(R,) standard errors of the total effects."""
        return self._se[:, -1]

    @property
    def _se(self) -> NDArray[np.float64]:
        se: NDArray[np.float64] = np.sqrt(np.diagonal(self.cov, axis1=1, axis2=2))
        return se

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of names and numbers in row order, without ``notes`` and other words."""
        return derived.fingerprint(self)

    def block_rows(self, block: int) -> NDArray[np.int64]:
        """Return the rows of one block."""
        return np.flatnonzero(self.block == block)

    def block_cov(self, block: int) -> NDArray[np.float64]:
        """Return the covariance of one block's estimates.

        Its side is rows × (P + 1): row by row, mediators then total effect.
        """
        return block_cov(self.cov, self.cross_cov, self.block_rows(block))

    def take(self, rows: Sequence[int]) -> SiteEstimates:
        """Return some rows, in the given order; weights are scaled to sum to 1 again.

        Raises
        ------
        DataError
            If fewer than two rows are left, or a row is taken twice.
        """
        return replace(self, **derived.taken(self, rows))

    def rescaled(self, mediator: Sequence[float], outcome: float) -> SiteEstimates:
        """Return the same estimates in other units.

        Parameters
        ----------
        mediator
            P factors: 1000 turns kilometres into metres.
        outcome
            Factor of the outcome.

        Raises
        ------
        DataError
            If a factor is 0 or not finite, or there are not P of them.
        """
        return replace(self, **derived.rescaled(self, mediator, outcome))

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy data frame, one row per row.

        Columns: ``site``, ``arm``, ``block``, ``n`` (the last three where there are any),
        ``mediator_effect[m]`` and ``mediator_effect_se[m]`` of every mediator m, ``total_effect``,
        ``total_effect_se``, ``cov[a, b]`` of every pair of estimates, ``weight``,
        ``covariate[x]``. Where there is a ``cross_cov``, ``cov[a, b @ arm]`` is the covariance of
        the row's estimate a with the estimate b of another arm of its block. Each pair of arms
        stands in the later of its two rows; the cells are NaN elsewhere. Name these columns as
        `ArmCovariance` to read them again. Where arms do not tell the rows of a block apart, rows
        are numbered within their block, from 1, in place of the arm. ``persons`` has no place here.
        """
        return derived.tidy(self)

    def _row_name(self, row: int) -> str:
        return f"row {row + 1} ({self.labels[row]})"

    def _shown(self) -> Shown:
        from bayesmed.data.display import shown_sites

        return shown_sites(self)


def _from_table(table: Table, columns: SiteColumns) -> SiteEstimates:
    """Build from a table of raw cells."""
    parts = parts_from_table(table, columns)
    data = SiteEstimates(**parts.fields, place=parts.place)
    return _with_notes(data, parts.notes, parts.place)


def _with_notes(data: SiteEstimates, notes: tuple[str, ...], place: Place) -> SiteEstimates:
    """Keep the notes on the estimates, and warn once of each."""
    estimate = np.column_stack([data.mediator_effect, data.total_effect])
    effects = (*data.mediators, "total_effect")
    # Standard errors that were computed here, from rows of persons, are what they say.
    given = not data.derivation
    notes = (
        *notes,
        *(note_on_variances(effects, estimate, data.cov, place) if given else ()),
        *note_on_shared_controls(data.site, data.block, data.cross_cov, place.source),
    )
    object.__setattr__(data, "notes", notes)
    for note in notes:
        warnings.warn(note, DataWarning, skip_file_prefixes=(str(Path(__file__).parent),))
    return data
