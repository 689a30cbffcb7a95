"""Errors a user can act on: what is wrong, where it stands, what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BayesmedError(Exception):
    """Root of every error raised on purpose by bayesmed.

    Examples
    --------
    >>> issubclass(DataError, InputError) and issubclass(InputError, BayesmedError)
    True
    """

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

    Examples
    --------
    >>> error = InputError("There is no column 'effrot'.", "Did you mean 'effort'?")
    >>> str(error)
    "There is no column 'effrot'. Did you mean 'effort'?"
    >>> error.remedy
    "Did you mean 'effort'?"
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        # Worker processes hand errors back pickled.
        return type(self), (self.problem, self.remedy)


class DataError(InputError):
    """A data table cannot be used.

    Examples
    --------
    >>> from bayesmed.data import load_dataset
    >>> load_dataset("berkey1999")
    Traceback (most recent call last):
    bayesmed.core.errors.DataError: There is no data set 'berkey1999'. Did you mean 'berkey1998'?
    """


class CardError(InputError):
    """A model card cannot be used.

    Examples
    --------
    >>> from bayesmed.cards import find_card
    >>> find_card("site_slop")
    Traceback (most recent call last):
    bayesmed.core.errors.CardError: There is no shipped model card 'site_slop'. Did you mean
    'site_slope'?
    """


class ModelError(InputError):
    """A model description, prior or sampler setting is not valid, or does not fit the data.

    Examples
    --------
    >>> from bayesmed.generative import SiteSlope
    >>> SiteSlope(correlation=2.0)
    Traceback (most recent call last):
    bayesmed.core.errors.ModelError: ...
    """


class StorageError(InputError):
    """A saved fit or output folder cannot be read or written.

    Examples
    --------
    >>> from bayesmed.inference import load_fit
    >>> load_fit("lost.nc")
    Traceback (most recent call last):
    bayesmed.core.errors.StorageError: There is no lost.nc. Check the path.
    """


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
