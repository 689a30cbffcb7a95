"""Derivatives of formulas by the formulas themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.types import Floats

__all__ = ["jacobian"]

_STEP = 1e-100
"""Nothing is subtracted, so that the step may be as small as doubles are."""


def jacobian(
    function: Callable[[NDArray[np.complex128]], NDArray[np.complex128]], at: Floats
) -> Floats:
    r"""Differentiate a function of several numbers, exact to rounding.

    .. math:: \frac{\partial f}{\partial x_p}(x) = \frac{\mathrm{Im}\,f(x+ih\,e_p)}{h}

    (the complex step; Squire and Trapp 1998), for functions made of sums, products and quotients.

    Parameters
    ----------
    function
        Maps (..., P) complex numbers to (..., K).
    at
        (..., P) where.

    Returns
    -------
    ndarray
        (..., K, P).

    Examples
    --------
    >>> jacobian(lambda x: x[..., :1] / x[..., 1:], np.array([3.0, 2.0])).tolist()
    [[0.5, -0.75]]
    """
    size = at.shape[-1]
    # The parameters stepped in stand in front.
    step = np.eye(size).reshape(size, *(1,) * (at.ndim - 1), size)
    found = function(at + 1j * _STEP * step).imag / _STEP
    return np.moveaxis(found, 0, -1)
