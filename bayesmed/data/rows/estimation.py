"""How site estimates are computed from rows: a frozen record of choices."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.rows.columns import RowColumns

__all__ = ["CONSTANT_OUTCOMES", "COVARIANCES", "Estimation"]

COVARIANCES = ("HC1", "HC2")
CONSTANT_OUTCOMES = ("drop", "known")


@dataclass(frozen=True)
class Estimation:
    """Choices beside the roles of columns.

    Parameters
    ----------
    covariance
        "HC1", robust to unequal variances, with the factor n/(n − k); or "HC2", for differences in
        means without covariates, blocks or weights, whose variances are unbiased however unequal
        the arms. Where a cluster is named the covariance is robust to it instead, with the factor
        G/(G − 1) · (n − 1)/(n − k).
    least_per_arm
        Sites with fewer complete persons in an arm (twice as many in all, where treatment is an
        amount) are dropped.
    half_counts
        For log odds: where nobody, or everybody, of an arm has the event, add half a count to
        events and non-events of the site's arms; without it the site is dropped.
    constant_outcome
        Where the outcome does not vary within the arms of a site, its standard error is 0: "drop"
        such a site, for a small sample knows less than that, or take its effect as "known". A
        mediator without variation is taken as known (class size, set by design), and noted.
    strict
        Refuse the rows where a site would be dropped.

    Raises
    ------
    DataError
        If a choice does not exist.

    Examples
    --------
    >>> Estimation(least_per_arm=5).covariance
    'HC1'
    """

    covariance: str = "HC1"
    least_per_arm: int = 3
    half_counts: bool = False
    constant_outcome: str = "drop"
    strict: bool = False

    def __post_init__(self) -> None:
        if self.covariance not in COVARIANCES:
            raise DataError(
                f"{self.covariance!r} is no covariance.", nearest(self.covariance, COVARIANCES)
            )
        if self.constant_outcome not in CONSTANT_OUTCOMES:
            raise DataError(
                f"`constant_outcome` is {self.constant_outcome!r}.",
                nearest(self.constant_outcome, CONSTANT_OUTCOMES),
            )
        least = self.least_per_arm
        if type(least) is not int or least < 2:
            raise DataError(
                f"At least {least!r} persons per arm are asked for.",
                "Ask for a whole number from 2 up: one person has no variance.",
            )

    def check_columns(self, columns: RowColumns) -> None:
        """Refuse choices that do not fit the roles of the columns."""
        adjusted = columns.covariates or columns.fixed_effect or columns.weights
        if self.covariance == "HC2" and (columns.cluster or adjusted or not columns.has_arms):
            raise DataError(
                "HC2 is for differences in means between arms, without covariates, blocks, "
                "weights or clusters.",
                "Use HC1.",
            )
        if self.half_counts and (not columns.log_odds or columns.weights or columns.cluster):
            raise DataError(
                "`half_counts` corrects log odds of plain counts, without weights or clusters.",
                "Leave it out.",
            )
