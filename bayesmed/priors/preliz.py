"""Priors from PreliZ, which finds distributions that say what an expert says, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmed.core.errors import ModelError, nearest
from bayesmed.priors.families import FAMILIES
from bayesmed.priors.prior import Prior, Unit


def from_preliz(distribution: Any, *, unit: Unit = "data") -> Prior:
    """Return the prior that a PreliZ distribution is.

    Parameters
    ----------
    distribution
        A distribution of PreliZ with all of its parameters set, for example by ``maxent`` or
        ``quartile``; one of the families that `Prior` knows.
    unit
        In what it was stated: the units of the data, or multiples of the natural scale.

    Raises
    ------
    ModelError
        If the family is another one, or a parameter is not set.

    Examples
    --------
    >>> import preliz as pz
    >>> from_preliz(pz.maxent(pz.HalfNormal(), 0, 2, 0.95, plot=False)).distribution
    'HalfNormal'
    """
    name = type(distribution).__name__
    if name not in FAMILIES:
        raise ModelError(
            f"A {name} of PreliZ is no family of priors here.", nearest(name, FAMILIES)
        )
    values = {}
    for parameter in FAMILIES[name].roles:
        # Set as well where the distribution was stated by others, such as mean and sd.
        value = getattr(distribution, parameter, None)
        if value is None or not np.isscalar(value):
            raise ModelError(
                f"The {name} of PreliZ has no number as {parameter}.",
                "Set all of its parameters, or let PreliZ find them.",
            )
        values[parameter] = float(value)  # type: ignore[arg-type]
    return Prior(name, **values, unit=unit)


def to_preliz(prior: Prior) -> Any:
    """Return a prior as a distribution of PreliZ, to plot, summarise or compare there.

    A prior in scaled units becomes the distribution of the scaled parameter.

    Parameters
    ----------
    prior
        The prior.

    Raises
    ------
    ModelError
        If PreliZ is not installed.

    Examples
    --------
    >>> to_preliz(Prior("HalfNormal", sigma=2))
    HalfNormal(sigma=2)
    """
    try:
        import preliz
    except ImportError as error:
        raise ModelError(
            "PreliZ is not installed.", 'Install it: pip install "bayesmed[preliz]".'
        ) from error
    return getattr(preliz, prior.distribution)(**prior.parameters)
