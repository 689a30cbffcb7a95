"""Which arms and sites take part, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.cells import as_text
from bayesmed.data.rows.cleaning import ARM
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.missingness import arm_name
from bayesmed.data.rows.moments import Moments

__all__ = ["Arms", "Dropped", "chosen_arms", "listed", "too_few", "two_arms"]

_MANY_ARMS = 20


@dataclass(frozen=True)
class Dropped:
    """A site, or an arm of it, that takes no part.

    Parameters
    ----------
    site
        Its name.
    arm
        The arm; None where the whole site is meant.
    reason
        Why, in a few words.
    """

    site: str
    arm: str | None
    reason: str

    def __str__(self) -> str:
        where = self.site if self.arm is None else f"{self.site} / {self.arm}"
        return f"{where} ({self.reason})"


def listed(dropped: Sequence[Dropped], most: int = 5) -> str:
    """Name some of what is dropped, and count the rest."""
    shown = "; ".join(str(d) for d in dropped[:most])
    return shown if len(dropped) <= most else f"{shown}; and {len(dropped) - most} more"


@dataclass(frozen=True)
class Arms:
    """The reference and the arms compared with it.

    Parameters
    ----------
    reference
        The arm all others are compared with.
    compared
        The others, in order.
    """

    reference: str
    compared: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every arm, the reference first."""
        return (self.reference, *self.compared)


def chosen_arms(moments: Moments, columns: RowColumns, source: str) -> Arms | None:
    """Return the arms to compare; None where treatment is an amount.

    Raises
    ------
    DataError
        If an arm does not occur or is spelled in two ways, or the reference cannot be told.
    """
    if moments.arm is None:
        return None
    column = columns.randomised[0]
    present = list(dict.fromkeys(sorted(moments.arm, key=_rank)))
    if moments.keys[ARM].nunique() > len({arm.casefold() for arm in present}):
        raise DataError(
            f"{source}, column {column!r}: an arm is spelled in two ways, such as 1 and 1.0, or "
            f"in upper and lower case ({_some(moments.keys[ARM])}).",
            "Spell every arm in one way.",
        )
    if len(present) < 2:
        raise DataError(
            f"{source}, column {column!r}: everybody is in arm {present[0]!r}.",
            "Effects compare arms; check the column and the conditions `where`.",
        )
    reference = _reference(columns, present, source)
    compared = tuple(arm_name(a) for a in columns.arms) or tuple(
        a for a in present if a != reference
    )
    for arm in compared:
        if arm not in present or arm == reference:
            raise DataError(
                f"{source}, column {column!r}: there is no arm {arm!r} to compare.",
                nearest(arm, [a for a in present if a != reference]),
            )
        if compared.count(arm) > 1:
            raise DataError(
                f"{source}, column {column!r}: the arm {arm!r} is to be compared twice.",
                "Name it once in `arms`.",
            )
    return Arms(reference, compared)


def two_arms(moments: Moments, columns: RowColumns, source: str) -> Arms:
    """Return the reference and the one arm compared with it, of a treatment that has arms.

    Raises
    ------
    DataError
        As `chosen_arms`, or if several arms are compared.
    """
    arms = chosen_arms(moments, columns, source)
    assert arms is not None
    if len(arms.compared) > 1:
        raise DataError(
            f"{source}, column {columns.randomised[0]!r}: {len(arms.compared)} arms are compared "
            f"with {arms.reference!r} ({', '.join(arms.compared)}).",
            "Name one of them as `arms`.",
        )
    return arms


def too_few(moments: Moments, arms: Arms | None, least: int) -> list[Dropped]:
    """Return the sites, or arms of sites, with fewer persons than ``least``."""
    sites = list(dict.fromkeys(moments.site))
    number = {name: s for s, name in enumerate(sites)}
    of_cell = np.array([number[name] for name in moments.site])
    dropped = []
    if arms is None:
        counts = np.bincount(of_cell, moments.n)
        return [
            Dropped(name, None, f"{counts[s]:.0f} complete persons")
            for name, s in number.items()
            if counts[s] < 2 * least
        ]
    by_arm = {a: _counts(of_cell, moments, a, len(sites)) for a in arms.all}
    for name, s in number.items():
        if by_arm[arms.reference][s] < least:
            dropped.append(Dropped(name, None, _count(by_arm[arms.reference][s], arms.reference)))
            continue
        few = [a for a in arms.compared if by_arm[a][s] < least]
        if len(few) == len(arms.compared):
            dropped.append(Dropped(name, None, _count(by_arm[few[0]][s], few[0])))
        else:
            dropped += [Dropped(name, a, _count(by_arm[a][s], a)) for a in few]
    return dropped


def _counts(
    of_cell: NDArray[np.int64], moments: Moments, arm: str, sites: int
) -> NDArray[np.float64]:
    assert moments.arm is not None
    inside = np.array([a == arm for a in moments.arm])
    return np.bincount(of_cell[inside], moments.n[inside], minlength=sites)


def _count(n: float, arm: str) -> str:
    return f"{'nobody' if n == 0 else f'{n:.0f} complete'} in arm {arm!r}"


def _reference(columns: RowColumns, present: list[str], source: str) -> str:
    column = columns.randomised[0]
    if columns.reference is not None:
        reference = arm_name(columns.reference)
        if reference not in present:
            raise DataError(
                f"{source}, column {column!r}: there is no arm {columns.reference!r}.",
                nearest(columns.reference, present),
            )
        return reference
    numeric = all(_rank(a)[0] == 0 for a in present)
    if len(present) > 2 and numeric and not columns.arms:
        many = f"{len(present)} values" if len(present) > _MANY_ARMS else f"the values {present}"
        raise DataError(
            f"{source}, column {column!r} has {many}: arms, or amounts of treatment?",
            "Name the arm to compare with as `reference`, or say `continuous`.",
        )
    # Beside 0 and 1, a name is no arm: None, "refused".
    mixed = len({_rank(a)[0] for a in present if a != "0"}) > 1
    if (mixed and not columns.arms) or "0" not in present:
        raise DataError(
            f"{source}, column {column!r} has the arms {_some(present)}: which is the reference?",
            "Name the arm to compare with as `reference`; if an arm is no arm, name the others as "
            "`arms`.",
        )
    return "0"


def _some(arms: Iterable[object]) -> str:
    shown = list(dict.fromkeys(map(as_text, arms)))
    more = ", …" if len(shown) > _MANY_ARMS else ""
    return ", ".join(map(repr, shown[:_MANY_ARMS])) + more


def _rank(arm: str) -> tuple[int, float, str]:
    """Sort numbers by size, names after them."""
    try:
        return 0, float(arm), arm
    except ValueError:
        return 1, 0.0, arm
