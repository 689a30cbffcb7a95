r"""Types of persons when a known share of them defies monotonicity.

With a share :math:`\pi` of persons whose mediator falls where a monotone one never does,

.. math::
    p = (1-\pi)\,p^{\mathrm{obey}} + \pi\,p^{\mathrm{defy}},

the shares within each group being unknown. :math:`\pi=0` is monotonicity; no more than
:math:`\pi` is known of who defies.

Functions take NumPy arrays and variables of a graph, with any axes (draws, strata) in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.principal_types import Monotone, principal_types, type_names

__all__ = ["broken_stick", "defying_types", "place_of_types"]


def defying_types(monotone_in: Monotone) -> Floats:
    """Return the types that a monotone mediator does not allow, (T, 2, 2).

    Parameters
    ----------
    monotone_in
        As of `principal_types`.

    Examples
    --------
    >>> type_names(defying_types("instrument"))
    ('0010', '0110', '1000', '1001', '1010', '1011', '1110')
    """
    obeying = set(type_names(principal_types(monotone_in)))
    every = principal_types("none")
    return every[[name not in obeying for name in type_names(every)]]


def place_of_types(monotone_in: Monotone) -> Floats:
    """Return the (16, 16) zeros and ones that bring those who obey, then those who defy, in order.

    Parameters
    ----------
    monotone_in
        As of `principal_types`.

    Examples
    --------
    >>> place = place_of_types("both")
    >>> bool((place.sum(axis=0) == 1).all()), np.flatnonzero(place[5]).tolist()
    (True, [15])
    """
    groups = principal_types(monotone_in), defying_types(monotone_in)
    names = [name for group in groups for name in type_names(group)]
    return np.array(
        [[float(a == b) for b in type_names(principal_types("none"))] for a in names]
    ).reshape(16, 16)


def broken_stick(position: Sequence[ArrayLike]) -> list[Any]:
    r"""Return shares that are uniform on the simplex where positions are uniform.

    .. math::
        p_k = \Bigl(1-\sum_{j<k}p_j\Bigr)\bigl(1-(1-u_k)^{1/(K-k)}\bigr),\qquad k=1,\dots,K-1

    Parameters
    ----------
    position
        :math:`K-1` positions between 0 and 1.

    Examples
    --------
    >>> [round(float(p), 6) for p in broken_stick([0.75, 0.25])]
    [0.5, 0.125, 0.375]
    """
    left: Any = 1.0
    shares: list[Any] = []
    for k, u in enumerate(position):
        kept = (1.0 - u) ** (1.0 / (len(position) - k))
        shares.append(left * (1.0 - kept))
        left = left * kept
    return [*shares, left]
