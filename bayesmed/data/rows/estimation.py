"""How site estimates are computed from rows: a frozen record of choices."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.rows.columns import RowColumns

__all__ = ["CONSTANT_OUTCOMES", "COVARIANCES", "Estimation"]

COVARIANCES = ("HC1", "HC2", "pooled")
CONSTANT_OUTCOMES = ("drop", "known")


@dataclass(frozen=True)
class Estimation:
    """Choices beside the roles of columns.

    Parameters
    ----------
    covariance
        "HC1", robust to unequal variances, with the factor n/(n − k). Or, for differences in means
        without covariates, blocks or weights: "HC2", whose variances are unbiased however unequal
        the arms; "pooled", one covariance of the persons of an arm at all sites. That is known
        better than each site's own, and cannot make sites with steeper slopes, whose outcomes vary
        more, count less. Where a cluster is named the covariance is robust to it instead, with the
        factor G/(G − 1) · (n − 1)/(n − k).
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
        plain = not (columns.cluster or adjusted) and columns.has_arms
        if self.covariance == "pooled" and columns.log_odds:
            raise DataError(
                "A pooled covariance is for differences in means, not for log odds.",
                "Use HC1, or compare proportions.",
            )
        if self.covariance != "HC1" and not plain:
            raise DataError(
                f"{self.covariance} is for differences in means between arms, without covariates, "
                "blocks, weights or clusters.",
                "Use HC1.",
            )
        if self.half_counts and (not columns.log_odds or columns.weights or columns.cluster):
            raise DataError(
                "`half_counts` corrects log odds of plain counts, without weights or clusters.",
                "Leave it out.",
            )
