r"""The sixteen types of persons by what their mediator would be, and which of them are allowed.

A type is the four potential values :math:`(M_{00},M_{01},M_{10},M_{11})` of a binary mediator,
:math:`M_{dz}` being that under treatment d and instrument z (Kim 2022, section 3). Types are rows
of an array (T, 2, 2), with d before z, in the order of the binary numbers they spell.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.types import Floats

__all__ = ["MONOTONE", "Monotone", "principal_types", "type_names"]

type Monotone = Literal["both", "instrument", "treatment", "none"]
MONOTONE: tuple[Monotone, ...] = get_args(Monotone.__value__)


def principal_types(monotone_in: Monotone = "none") -> Floats:
    r"""Return the types that a monotone mediator allows, (T, 2, 2), zeros and ones.

    .. math::

        \text{treatment (assumption 3): } M_{1z}\ge M_{0z}\ \text{for both } z,\qquad
        \text{instrument (assumption 4): } M_{d1}\ge M_{d0}\ \text{for both } d

    Kim (2022). Sixteen types without either, nine with one of them, six with both.

    Parameters
    ----------
    monotone_in
        In what the mediator never falls: ``"both"``, ``"instrument"``, ``"treatment"`` or
        ``"none"``.

    Raises
    ------
    ModelError
        If ``monotone_in`` is none of these.

    Examples
    --------
    >>> type_names(principal_types("both"))
    ('0000', '0001', '0011', '0101', '0111', '1111')
    """
    if monotone_in not in MONOTONE:
        raise ModelError(f"`monotone_in` is {monotone_in!r}.", nearest(str(monotone_in), MONOTONE))
    every = (np.arange(16)[:, None] >> np.arange(3, -1, -1)) & 1
    types = every.reshape(16, 2, 2).astype(np.float64)
    allowed = np.ones(16, dtype=bool)
    if monotone_in in ("both", "treatment"):
        allowed &= (types[:, 1] >= types[:, 0]).all(axis=1)
    if monotone_in in ("both", "instrument"):
        allowed &= (types[:, :, 1] >= types[:, :, 0]).all(axis=1)
    return types[allowed]


def type_names(types: Floats) -> tuple[str, ...]:
    r"""Return the names of types, the digits :math:`M_{00}M_{01}M_{10}M_{11}`.

    Examples
    --------
    >>> type_names(np.array([[[0, 1], [1, 1]]]))
    ('0111',)
    """
    return tuple("".join(str(int(m)) for m in one.ravel()) for one in types)
