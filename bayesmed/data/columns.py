"""Which column of a table plays which role: frozen records, no data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.column_checks import (
    check_arm_covariances,
    check_cov_or_corr,
    check_precision,
    is_grid,
    repeated,
    require_name,
)

__all__ = ["TOTAL_EFFECT", "ArmCovariance", "MediatorColumns", "MediatorCovariance", "SiteColumns"]

TOTAL_EFFECT = "total_effect"
"""The last of a row's estimates, after the mediators'."""


@dataclass(frozen=True)
class MediatorColumns:
    """Columns of one mediator: the estimated effect of treatment on it, and its precision.

    Parameters
    ----------
    name
        What the mediator is called in results.
    effect
        Column of the estimates γ̂, in units of the mediator.
    se
        Column of their standard errors, in the same units; 0 means "known". Give this or
        ``interval``.
    interval
        Columns of the lower and upper end of a 95 % interval on the scale of ``effect``. The
        standard error is taken as (upper − lower) / (2 × 1.959964).
    cov, corr
        Column of the sampling covariance (units: mediator × outcome) or correlation of γ̂ with
        the estimated total effect of the same row. Give one or neither; with neither the
        covariance is taken as 0 and results say so.

    Raises
    ------
    DataError
        If both or neither of ``se`` and ``interval``, or both ``cov`` and ``corr``, are given.

    Examples
    --------
    >>> MediatorColumns("effort", "gamma_hat", se="gamma_se", cov="cov").effect
    'gamma_hat'
    """

    name: str
    effect: str
    se: str | None = None
    interval: tuple[str, str] | None = None
    cov: str | None = None
    corr: str | None = None

    def __post_init__(self) -> None:
        require_name(self.name, "a mediator")
        if self.name == TOTAL_EFFECT:
            raise DataError(
                f"A mediator is called {TOTAL_EFFECT!r}, which is what the outcome's effect is "
                "called.",
                "Give the mediator another name.",
            )
        owner = f"Mediator {self.name!r}"
        check_precision(owner, self.se, self.interval)
        check_cov_or_corr(owner, self.cov, self.corr)
        if self.interval is not None:
            object.__setattr__(self, "interval", tuple(self.interval))

    def columns(self) -> Iterator[str]:
        """Yield every column named here."""
        yield self.effect
        yield from (c for c in (self.se, *(self.interval or ()), self.cov, self.corr) if c)


@dataclass(frozen=True)
class MediatorCovariance:
    """Column of the sampling covariance or correlation between two mediators' estimates.

    Parameters
    ----------
    first, second
        Names of two mediators.
    cov, corr
        Column of the covariance (product of their units) or of the correlation: give one.

    Raises
    ------
    DataError
        If not exactly one of ``cov`` and ``corr`` is given, or both names are the same.

    Examples
    --------
    >>> MediatorCovariance("effort", "hope", cov="cov_effort_hope").first
    'effort'
    """

    first: str
    second: str
    cov: str | None = None
    corr: str | None = None

    def __post_init__(self) -> None:
        owner = f"The covariance of mediators {self.first!r} and {self.second!r}"
        if self.first == self.second:
            raise DataError(
                f"{owner} names the same mediator twice.",
                "Name two mediators; a mediator's own variance comes from its standard error.",
            )
        check_cov_or_corr(owner, self.cov, self.corr)
        if self.cov is None and self.corr is None:
            raise DataError(f"{owner} names no column.", "Name the column in `cov` or in `corr`.")


@dataclass(frozen=True)
class ArmCovariance:
    """Columns of the sampling covariance of a row's estimates with those of another arm.

    Estimates of arms that share a control group covary: Cov(γ̂_a, β̂_b) is the covariance of the
    control group's means. Give each pair of arms once, in the row of either; a pair left empty in
    both rows is 0.

    Parameters
    ----------
    arm
        The arm whose estimates run across.
    columns
        (P + 1) × (P + 1) names of columns, P mediators in order and the total effect last. Entry
        [i][j] holds, in the row of another arm of the same block, the covariance of that row's
        i-th estimate with the j-th estimate of ``arm``.

    Raises
    ------
    DataError
        If the name is empty, or the columns are not rows of names.

    Examples
    --------
    The row of the arm "call" holds in "tg" the covariance of its total effect with the effect
    on the mediator in the arm "letter":

    >>> ArmCovariance("letter", (("gg", "gt"), ("tg", "tt"))).columns[1][0]
    'tg'
    """

    arm: str
    columns: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        require_name(self.arm, "an arm")
        if not is_grid(self.columns):
            raise DataError(
                f"The covariances with arm {self.arm!r} are not rows of column names.",
                'Give them row by row, such as (("gg", "gt"), ("tg", "tt")).',
            )
        object.__setattr__(self, "columns", tuple(tuple(row) for row in self.columns))


@dataclass(frozen=True)
class SiteColumns:
    """Columns of a table of site estimates.

    Parameters
    ----------
    mediators
        One record per mediator, at least one.
    total_effect
        Column of the estimated total effects β̂ of treatment on the outcome, in its units.
    total_effect_se, total_effect_interval
        Column of their standard errors, or columns of the ends of a 95 % interval: give one.
    site
        Column of site names. Without it rows are called "1", "2", ….
    arm
        Column of treatment arms, where a site has several rows.
    block
        Column naming the study whose rows share a control group; ``arm_covariances`` names the
        covariance between such rows.
    weight
        Column of population weights (default: equal weights).
    n
        Column of sample sizes, kept for display.
    covariates
        Columns of numbers that describe the sites.
    covariances
        Columns of sampling covariances between mediators' estimates; pairs not named are 0.
    arm_covariances
        Columns of sampling covariances between arms of one block, one record per arm; pairs of
        arms not given are 0. They need ``arm`` and ``block``.
    outcome
        What the outcome is called in results.
    outcome_scale
        Scale of the total effect: "difference", "log odds ratio", …; a label only.
    where
        Keep the rows whose column equals the value, compared as text.

    Raises
    ------
    DataError
        If roles are missing, given twice or contradict each other.

    Examples
    --------
    >>> effort = MediatorColumns("effort", "gamma_hat", se="gamma_se", cov="cov")
    >>> columns = SiteColumns((effort,), "tau_hat", total_effect_se="tau_se", site="country")
    >>> columns.mediators[0].name
    'effort'
    """

    mediators: tuple[MediatorColumns, ...]
    total_effect: str
    total_effect_se: str | None = None
    total_effect_interval: tuple[str, str] | None = None
    site: str | None = None
    arm: str | None = None
    block: str | None = None
    weight: str | None = None
    n: str | None = None
    covariates: tuple[str, ...] = ()
    covariances: tuple[MediatorCovariance, ...] = ()
    arm_covariances: tuple[ArmCovariance, ...] = ()
    outcome: str = "outcome"
    outcome_scale: str = "difference"
    where: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if isinstance(self.mediators, MediatorColumns):
            raise DataError(
                "mediators is the columns of one mediator.", "Put them in a tuple: (mediator,)."
            )
        for name in ("mediators", "covariates", "covariances", "arm_covariances"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.total_effect_interval is not None:
            object.__setattr__(self, "total_effect_interval", tuple(self.total_effect_interval))
        object.__setattr__(self, "where", dict(self.where))
        require_name(self.outcome, "the outcome")
        check_precision("The total effect", self.total_effect_se, self.total_effect_interval)
        self._check_mediators()
        self._check_covariances()
        check_arm_covariances(self)
        self._check_columns_differ()

    def _check_mediators(self) -> None:
        names = [m.name for m in self.mediators]
        if not names:
            raise DataError("No mediator is named.", "Name at least one mediator's columns.")
        if twice := repeated(names):
            raise DataError(
                f"Two mediators are called {twice!r}.", "Give every mediator its own name."
            )

    def _check_covariances(self) -> None:
        names = [m.name for m in self.mediators]
        for pair in self.covariances:
            for name in (pair.first, pair.second):
                if name not in names:
                    raise DataError(
                        f"A covariance names {name!r}, which is not a mediator.",
                        nearest(name, names),
                    )
        if twice := repeated(" and ".join(sorted((p.first, p.second))) for p in self.covariances):
            raise DataError(f"The covariance of mediators {twice} is given twice.", "Give it once.")

    def _check_columns_differ(self) -> None:
        used = [c for m in self.mediators for c in m.columns()]
        used += [c for p in self.covariances for c in (p.cov, p.corr) if c]
        used += [self.total_effect]
        used += [c for c in (self.total_effect_se, *(self.total_effect_interval or ())) if c]
        between = [c for item in self.arm_covariances for row in item.columns for c in row]
        others = {self.site, self.arm, self.block, self.weight, self.n, *self.covariates}
        if twice := repeated([*used, *between]) or next((c for c in between if c in others), None):
            raise DataError(
                f"Column {twice!r} is given two roles.",
                "Every estimate, standard error, interval end and covariance has its own column.",
            )
        if twice := repeated(self.covariates):
            raise DataError(f"Covariate {twice!r} is named twice.", "Name it once.")
