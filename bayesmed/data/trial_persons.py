"""Persons of one trial without sites, as arrays: what models of single persons are fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress
from bayesmed.data.trial_names import TrialNames, fingerprint

if TYPE_CHECKING:
    from bayesmed.data.rows import PersonRows

__all__ = ["TrialPersons"]

_Array = NDArray[np.float64]


@displayed()
@dataclass(frozen=True, eq=False, repr=False)
class TrialPersons:
    """Complete persons of one randomised trial.

    Parameters
    ----------
    names
        What the variables are called.
    treatment
        (N,) 0 in the reference arm and 1 in the other; or amounts, where ``names.arms`` is None.
    covariates
        (N, q) baseline covariates.
    post_baseline
        (N, c) confounders of mediator and outcome measured after treatment began.
    mediator, outcome
        (N,).
    source
        Where the persons come from.
    notes
        What to keep in mind beside them.

    Raises
    ------
    DataError
        If shapes do not fit, a number is not finite, or treatment is not as ``names.arms`` says.

    Examples
    --------
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 1, 1], mediator=[1, 3, 2, 6], outcome=[5, 6, 4, 9],
    ...     covariates={"age": [30, 40, 35, 45]})
    >>> persons
    TrialPersons(4 persons: treatment 'treatment', mediator 'mediator', outcome 'outcome')
    """

    names: TrialNames
    treatment: _Array
    covariates: _Array
    post_baseline: _Array
    mediator: _Array
    outcome: _Array
    source: str = "arrays"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names, n = self.names, np.size(self.treatment)
        widths = {"covariates": len(names.covariates), "post_baseline": len(names.post_baseline)}
        for role in ("treatment", "covariates", "post_baseline", "mediator", "outcome"):
            shape = (n, widths[role]) if role in widths else (n,)
            array = np.array(getattr(self, role), dtype=np.float64)
            if array.shape != shape:
                raise DataError(
                    f"{self.source}: {role} has the shape {array.shape}, not {shape}.",
                    "Give one row per person, the same persons in all of them.",
                )
            array.flags.writeable = False
            object.__setattr__(self, role, array)
        object.__setattr__(self, "notes", tuple(self.notes))
        everything = np.column_stack([self.treatment, self.measured]).T
        for name, values in zip((names.treatment, *names.measured), everything, strict=True):
            if bad := np.flatnonzero(~np.isfinite(values)).tolist():
                raise DataError(
                    f"{self.source}, {name!r}: the value of person {bad[0] + 1} is "
                    f"{values[bad[0]]}.",
                    "Leave persons with missing values out.",
                )
        self._check_treatment()

    def _check_treatment(self) -> None:
        found = np.unique(self.treatment)
        place = f"{self.source}, {self.names.treatment!r}"
        if len(found) < 2:
            raise DataError(f"{place}: everybody has the same value.", "Effects compare persons.")
        if self.names.arms is not None and found.tolist() != [0.0, 1.0]:
            raise DataError(
                f"{place}: {found[~np.isin(found, (0, 1))][0]:g} is neither 0 nor 1.",
                "Code two arms as 0 and 1, or say that treatment is an amount (`continuous`).",
            )

    @classmethod
    def from_arrays(
        cls,
        *,
        treatment: ArrayLike,
        mediator: ArrayLike,
        outcome: ArrayLike,
        covariates: Mapping[str, ArrayLike] | None = None,
        post_baseline: Mapping[str, ArrayLike] | None = None,
        continuous: bool = False,
        source: str = "arrays",
    ) -> TrialPersons:
        """Take one array per variable, covariates by name.

        Parameters
        ----------
        treatment, mediator, outcome
            (N,) each.
        covariates, post_baseline
            Name to (N,).
        continuous
            Whether treatment is an amount, not an arm.
        source
            What messages call the persons.

        Raises
        ------
        DataError
            As for the class.
        """
        covariates, post_baseline = covariates or {}, post_baseline or {}
        names = TrialNames(
            covariates=tuple(covariates),
            post_baseline=tuple(post_baseline),
            arms=None if continuous else ("0", "1"),
        )
        n = np.size(treatment)
        for name, values in (*covariates.items(), *post_baseline.items()):
            if np.shape(values) != (n,):
                raise DataError(
                    f"{source}: {name!r} has the shape {np.shape(values)}, not {(n,)}.",
                    "Give one number per person.",
                )
        return cls(
            names=names,
            treatment=np.asarray(treatment, dtype=np.float64),
            covariates=_columns(covariates, n),
            post_baseline=_columns(post_baseline, n),
            mediator=np.asarray(mediator, dtype=np.float64),
            outcome=np.asarray(outcome, dtype=np.float64),
            source=source,
        )

    @classmethod
    def from_rows(cls, rows: PersonRows, *, progress: Progress | None = None) -> TrialPersons:
        """Bring the complete persons of rows here; they must fit into memory.

        Parameters
        ----------
        rows
            The persons and the roles of their columns: no site, one treatment, one mediator.
        progress
            Shows how far the scans are.

        Raises
        ------
        DataError
            If the rows cannot be used, or a column has a role that a trial does not know.

        Examples
        --------
        >>> import pandas as pd
        >>> from bayesmed.data import PersonRows, RowColumns
        >>> people = pd.DataFrame({"t": ["no", "yes"] * 2, "m": [1, 3, 2, 6], "y": [5, 6, 4, 9]})
        >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", reference="no"))
        >>> TrialPersons.from_rows(rows).treatment.tolist()
        [0.0, 1.0, 0.0, 1.0]
        """
        from bayesmed.data.rows.trials import trial_persons

        return trial_persons(rows, progress)

    @property
    def n(self) -> int:
        """Number of persons."""
        return self.treatment.size

    @property
    def n_persons(self) -> int:
        """Number of persons, as other kinds of data call it."""
        return self.n

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of names and numbers, without ``notes`` and other words."""
        return fingerprint(asdict(self.names), self.treatment, self.measured)

    @property
    def measured(self) -> _Array:
        """(N, q + c + 2) covariates, post-baseline confounders, mediator and outcome."""
        rest = (self.covariates, self.post_baseline, self.mediator, self.outcome)
        return np.column_stack(rest)

    def __repr__(self) -> str:
        names = self.names
        return (
            f"TrialPersons({self.n} persons: treatment {names.treatment!r}, mediator "
            f"{names.mediator!r}, outcome {names.outcome!r})"
        )

    def _shown(self) -> Shown:
        from bayesmed.data.display import shown_trial

        return shown_trial(self)


def _columns(named: Mapping[str, ArrayLike], n: int) -> _Array:
    if not named:
        return np.empty((n, 0))
    return np.column_stack([np.asarray(x, dtype=np.float64) for x in named.values()])
