"""What the records of `bayesmed.data.columns` check of themselves: names, no data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bayesmed.core.errors import DataError

if TYPE_CHECKING:
    from bayesmed.data.columns import SiteColumns

__all__ = [
    "check_arm_covariances",
    "check_cov_or_corr",
    "check_precision",
    "is_grid",
    "repeated",
    "require_name",
]


def check_arm_covariances(columns: SiteColumns) -> None:
    """Refuse covariances between arms whose roles or shape do not fit the other columns."""
    if not columns.arm_covariances:
        return
    for role in ("arm", "block"):
        if getattr(columns, role) is None:
            raise DataError(
                f"Covariances between arms are named, but no column for `{role}`.",
                "Name the column of arms and the column of blocks: covariances are of arms "
                "in one block.",
            )
    if twice := repeated(item.arm for item in columns.arm_covariances):
        raise DataError(f"The covariances with arm {twice!r} are named twice.", "Name them once.")
    size = len(columns.mediators) + 1
    for item in columns.arm_covariances:
        if len(item.columns) != size or any(len(row) != size for row in item.columns):
            shape = " + ".join(str(len(row)) for row in item.columns) or "0"
            raise DataError(
                f"The covariances with arm {item.arm!r} are not {size} × {size} columns "
                f"({shape} are named).",
                "Give a row of columns for each estimate of the other arm (mediators in order, "
                f"then total effect), each with a column for each estimate of {item.arm!r}.",
            )


def is_grid(columns: object) -> bool:
    """Say whether these are rows of column names; a text in place of a row is not."""
    return isinstance(columns, tuple | list) and all(
        isinstance(row, tuple | list) and all(isinstance(name, str) for name in row)
        for row in columns
    )


def repeated(names: Iterable[str]) -> str | None:
    """Return the first name that occurs twice."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def require_name(name: str, what: str) -> None:
    """Refuse an empty name."""
    if not name.strip():
        raise DataError(f"The name of {what} is empty.", "Give it a name.")


def check_precision(owner: str, se: str | None, interval: tuple[str, str] | None) -> None:
    """Refuse an effect without precision, or with two."""
    if se is None and interval is None:
        raise DataError(
            f"{owner} has no standard error.",
            "Name the column of standard errors, or the two columns of a 95 % interval.",
        )
    if se is not None and interval is not None:
        raise DataError(
            f"{owner} has both a standard error and an interval.",
            "Name only one of them: the other one then follows.",
        )
    if interval is not None and not _is_pair(interval):
        raise DataError(
            f"{owner} needs two interval columns, not {interval!r}.",
            "Name the column of the lower and the column of the upper end.",
        )


def _is_pair(columns: object) -> bool:
    """Say whether these are two column names; one text of two letters is not."""
    return isinstance(columns, tuple | list) and len(columns) == 2


def check_cov_or_corr(owner: str, cov: str | None, corr: str | None) -> None:
    """Refuse a covariance given in two ways."""
    if cov is not None and corr is not None:
        raise DataError(
            f"{owner} has both a `cov` and a `corr` column.",
            "Name only one of them: the other one then follows.",
        )
