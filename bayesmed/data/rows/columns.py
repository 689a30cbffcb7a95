"""Which column of a table of persons plays which role: a frozen record, no data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.columns import TOTAL_EFFECT

__all__ = ["RowColumns"]


@dataclass(frozen=True)
class RowColumns:
    """Columns of a table with one row per person.

    Parameters
    ----------
    treatment
        Column of the treatment. By default its values are arms: 0 and 1, or names. Several columns
        are several treatments, which enter the regression at each site side by side.
    mediators
        Columns of the mediators, at least one.
    outcome
        Column of the outcome.
    site
        Column that names the site. Several columns make a site of every combination of their
        values: strata of baseline covariates. An empty cell, NA or the like is no name: such
        persons are counted as missing. One trial without sites has none (`TrialMoments`).
    reference
        The arm every other arm is compared with. Default: 0, where the arms are 0 and others.
    arms
        The arms to compare with the reference; default all. Persons in other arms are left out.
    continuous
        Whether the treatment is an amount, not an arm: effects are then per unit of treatment.
        Several treatment columns always are.
    instrument
        Column of a randomised encouragement Z. The effects are then those of Z, and the treatment
        stands first among the mediators (Fu 2023, equation 28): its slope is the direct effect.
        ``reference``, ``arms`` and ``continuous`` then speak of Z.
    mediator_instrument
        Column, 0 or 1, of an instrument for the mediator: it moves the mediator, and the outcome
        through nothing else (Kim 2022). Of trials in cells only (`TrialCells`), whose sites are
        strata of persons. It is not ``instrument``, which encourages treatment.
    covariates
        Columns of baseline covariates; each site has its own coefficients.
    post_baseline
        Columns of confounders of mediator and outcome measured after treatment began; of trials
        without sites only.
    fixed_effect
        Column of blocks within sites: persons are compared within them.
    cluster
        Column of clusters, counted within sites; covariances are then robust to them.
    weights
        Column of sampling weights.
    site_covariates
        Columns whose mean over a site's persons describes the site.
    log_odds
        Which mediators or outcome, coded 0 and 1, are compared by log odds ratios; by default
        everything is compared by differences in means (of proportions, where it is 0 and 1).
    cuts
        For numeric site columns: where to cut them, ``{"age": (30, 50)}`` for three groups.
    quantiles
        For numeric site columns: into how many groups of about equal size to cut them.
    labels
        What results call a mediator or the outcome, by column; default the column's name.
    where
        Keep the persons whose column equals the value, compared as text.

    Raises
    ------
    DataError
        If roles are missing, given twice or contradict each other.

    Examples
    --------
    >>> columns = RowColumns("voucher", ("scholarship",), "finished", site="city")
    >>> columns.estimated
    ('scholarship', 'finished')
    >>> RowColumns("enrolled", ("visits",), "cost", site="village", instrument="offer").estimated
    ('enrolled', 'visits', 'cost')
    """

    treatment: str | tuple[str, ...]
    mediators: tuple[str, ...]
    outcome: str
    site: str | tuple[str, ...] = ()
    reference: str | None = None
    arms: tuple[str, ...] = ()
    continuous: bool = False
    instrument: str | None = None
    mediator_instrument: str | None = None
    covariates: tuple[str, ...] = ()
    post_baseline: tuple[str, ...] = ()
    fixed_effect: str | None = None
    cluster: str | None = None
    weights: str | None = None
    site_covariates: tuple[str, ...] = ()
    log_odds: tuple[str, ...] = ()
    cuts: Mapping[str, tuple[float, ...]] = field(default_factory=dict, hash=False)
    quantiles: Mapping[str, int] = field(default_factory=dict, hash=False)
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    where: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in (
            "mediators",
            "arms",
            "covariates",
            "post_baseline",
            "site_covariates",
            "log_odds",
        ):
            object.__setattr__(self, name, _tuple(getattr(self, name)))
        for name in ("treatment", "site"):
            given = getattr(self, name)
            object.__setattr__(self, name, given if isinstance(given, str) else tuple(given))
        for name in ("quantiles", "labels", "where"):
            object.__setattr__(self, name, dict(getattr(self, name)))
        object.__setattr__(self, "cuts", {k: _tuple(v) for k, v in self.cuts.items()})
        self._check_roles()
        self._check_treatment()
        self._check_log_odds()
        self._check_groups()
        self._check_labels()

    @property
    def randomised(self) -> tuple[str, ...]:
        """The columns whose effects are estimated: the instrument, or the treatments."""
        return _tuple(self.instrument or self.treatment)

    @property
    def estimated(self) -> tuple[str, ...]:
        """The columns on which effects are estimated: mediators, then the outcome."""
        first = _tuple(self.treatment) if self.instrument else ()
        return (*first, *self.mediators, self.outcome)

    @property
    def site_columns(self) -> tuple[str, ...]:
        """The columns that make up a site's name."""
        return _tuple(self.site)

    @property
    def has_arms(self) -> bool:
        """Whether persons are in arms, rather than under amounts of treatment."""
        return not self.continuous and len(self.randomised) == 1

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that has a role or a condition, once."""
        return tuple(dict.fromkeys([*(column for _, column in self._roles()), *self.where]))

    def label(self, column: str) -> str:
        """Return what results call a column."""
        return self.labels.get(column, column)

    def _roles(self) -> list[tuple[str, str]]:
        """Every column with its role, as messages call it."""
        one = {"fixed_effect": self.fixed_effect, "cluster": self.cluster, "weights": self.weights}
        many = {
            "treatment": _tuple(self.treatment),
            "instrument": _tuple(self.instrument or ()),
            "mediator_instrument": _tuple(self.mediator_instrument or ()),
            "mediators": self.mediators,
            "outcome": (self.outcome,),
            "site": self.site_columns,
            "covariates": self.covariates,
            "post_baseline": self.post_baseline,
            "site_covariates": self.site_covariates,
            **{role: _tuple(column or ()) for role, column in one.items()},
        }
        return [(role, column) for role, columns in many.items() for column in columns]

    def _check_roles(self) -> None:
        for role in ("treatment", "mediators", "outcome"):
            if not getattr(self, role):
                raise DataError(f"No column is named as {role}.", "Name it.")
        for role, column in self._roles():
            if not str(column).strip():
                raise DataError(f"The name of a column ({role}) is empty.", "Name the column.")
        # A baseline covariate may also describe the site, or make up its strata; a cluster may be
        # the block as well. What is estimated and what is randomised has one role only.
        alone = {"treatment", "instrument", "mediator_instrument", "mediators", "outcome"}
        alone |= {"weights", "post_baseline"}
        seen: dict[str, str] = {}
        for role, column in self._roles():
            before = seen.setdefault(column, role)
            if column in self._repeated_within(role) or (
                before != role and (role in alone or before in alone)
            ):
                raise DataError(
                    f"Column {column!r} is given two roles ({before} and {role}).",
                    "Every column has one role.",
                )

    def _repeated_within(self, role: str) -> set[str]:
        counts = Counter(column for r, column in self._roles() if r == role)
        return {column for column, count in counts.items() if count > 1}

    def _check_treatment(self) -> None:
        if self.instrument is not None and not isinstance(self.treatment, str):
            raise DataError(
                "An instrument is named beside several treatment columns.",
                "Name one treatment column; its effect on the outcome becomes a slope.",
            )
        if self.instrument is not None and self.mediator_instrument is not None:
            raise DataError(
                "Both an `instrument` and a `mediator_instrument` are named.",
                "The first encourages treatment, the second moves the mediator: name one of them.",
            )
        if not self.has_arms and (self.reference is not None or self.arms):
            raise DataError(
                "A reference arm is named, but the treatment is an amount.",
                "Leave `reference` and `arms` out, or `continuous`.",
            )
        if self.reference is not None and self.reference in self.arms:
            raise DataError(
                f"The arm {self.reference!r} is compared with itself.",
                "Leave the reference out of `arms`.",
            )

    def _check_log_odds(self) -> None:
        for column in self.log_odds:
            if column not in self.estimated:
                raise DataError(
                    f"`log_odds` names {column!r}, which is neither mediator nor outcome.",
                    nearest(column, self.estimated),
                )
        if not self.log_odds:
            return
        for role in ("covariates", "fixed_effect"):
            if getattr(self, role):
                raise DataError(
                    f"Log odds ratios with {role} need a logistic regression at every site, "
                    "which is not done here.",
                    f"Leave {role} out, or compare by differences in proportions (linear).",
                )
        if not self.has_arms:
            raise DataError(
                "Log odds ratios compare arms, but the treatment is an amount.",
                "Compare by differences, or name a treatment with arms.",
            )

    def _check_groups(self) -> None:
        for name in ("cuts", "quantiles"):
            for column in getattr(self, name):
                if column not in self.site_columns:
                    raise DataError(
                        f"`{name}` names {column!r}, which is no site column.",
                        nearest(column, self.site_columns),
                    )
        if both := sorted(self.cuts.keys() & self.quantiles.keys()):
            raise DataError(f"{both[0]!r} has both `cuts` and `quantiles`.", "Give one of them.")
        for column, edges in self.cuts.items():
            rising = all(a < b for a, b in pairwise(edges))
            if not edges or not rising or not all(map(math.isfinite, edges)):
                raise DataError(
                    f"The cuts of {column!r} are {list(edges)}.", "Give rising, finite numbers."
                )
        for column, groups in self.quantiles.items():
            if type(groups) is not int or not 2 <= groups <= 1000:
                raise DataError(
                    f"{column!r} is to be cut into {groups!r} groups.",
                    "Give a whole number from 2 to 1000.",
                )

    def _check_labels(self) -> None:
        for column in self.labels:
            if column not in self.estimated:
                raise DataError(
                    f"`labels` names {column!r}, which is neither mediator nor outcome.",
                    nearest(column, self.estimated),
                )
        labels = [self.label(c) for c in self.estimated[:-1]]
        for label in [*labels, self.label(self.outcome)]:
            if not label.strip() or label == TOTAL_EFFECT or labels.count(label) > 1:
                raise DataError(
                    f"A mediator or the outcome is called {label!r}.",
                    f"Give every mediator a name of its own, other than {TOTAL_EFFECT}.",
                )


def _tuple[T](given: T | Iterable[T]) -> tuple[T, ...]:
    """Return one name as a tuple of one."""
    if isinstance(given, str):
        return (given,)
    return tuple(given)  # type: ignore[arg-type]
