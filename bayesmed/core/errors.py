"""Errors a user can act on: what is wrong, where it stands, what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BayesmedError(Exception):
    """Root of every error raised on purpose by bayesmed."""

    # What the command line says of files when a command ends like this.
    aftermath = "Nothing was written."


class InputError(BayesmedError):
    """Something the user gave cannot be used as it is.

    Parameters
    ----------
    problem
        One sentence naming the problem and its place (row, column, key).
    remedy
        One sentence saying what to do.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        # Worker processes hand errors back pickled.
        return type(self), (self.problem, self.remedy)


class DataError(InputError):
    """A data table cannot be used."""


class CardError(InputError):
    """A model card cannot be used."""


class ModelError(InputError):
    """A model description, prior or sampler setting is not valid, or does not fit the data."""


class StorageError(InputError):
    """A saved fit or output folder cannot be read or written."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence offering the known name nearest to ``name``, or listing what exists.

    Examples
    --------
    >>> nearest("gama_hat", ["gamma_hat", "tau_hat"])
    "Did you mean 'gamma_hat'?"
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    shown = ", ".join(repr(k) for k in known[:12])
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return f"There are: {shown}{more}." if known else "There is none."
