"""What a check returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import xarray as xr

from bayesmed.core.display import Shown, displayed

Status = Literal["passed", "doubtful", "failed", "not applicable"]
IMPORTANCE = ("failed", "doubtful", "passed", "not applicable")
"""The order in which they are shown."""


@displayed()
@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes
    ----------
    code
        Stable name, for programs.
    title
        What was checked, for people.
    status
        ``"passed"``; ``"doubtful"``: read the answer with this in mind; ``"failed"``: do not
        read the answer; ``"not applicable"``.
    reason
        One sentence with the number in it.
    value
        The number itself, where there is one.
    convergence
        Whether it is about the computation rather than about the data or the model.
    arrays
        What the check looked at, labelled, to draw; empty where one number says all.

    Examples
    --------
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> found = {result.code: result for result in bm.check(fit)}
    >>> found["sampling_covariance"].status, found["sampling_covariance"].reason
    ('passed', 'It was given and used.')
    >>> found["quadrature"].convergence
    True
    """

    code: str
    title: str
    status: Status
    reason: str
    value: float | None = None
    convergence: bool = False
    arrays: xr.Dataset = field(default_factory=xr.Dataset, compare=False, repr=False)

    def _shown(self) -> Shown:
        return Shown(f"{self.title}: {self.status}. {self.reason}")


@displayed()
class Checks(list[CheckResult]):
    """A list of checks that shows itself as a table, what matters first.

    Examples
    --------
    >>> print(Checks([CheckResult("a", "One", "passed", "Yes."),
    ...               CheckResult("b", "Two", "doubtful", "No.")]))
    Checks(1 doubtful, 1 passed)
    Check  Status    Because
    Two    doubtful  No.
    One    passed    Yes.
    """

    def _shown(self) -> Shown:
        counts = {one: sum(r.status == one for r in self) for one in IMPORTANCE}
        title = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
        rows = [(r.title, str(r.status), r.reason) for r in self]
        rows.sort(key=lambda row: IMPORTANCE.index(row[1]))
        return Shown(f"Checks({title})", (), ("Check", "Status", "Because"), tuple(rows))
