"""A model with other priors, whatever it called the same parameters before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from bayesmed.core.names import CORRELATION, WITHIN_SITE_COVARIANCE
from bayesmed.generative.registry import AnyModel
from bayesmed.generative.site_slope_parameters import AT_CENTRE
from bayesmed.priors import Prior

# Parameters that are choices of a model: a number, or a prior.
CHOICES = (CORRELATION, WITHIN_SITE_COVARIANCE)


def with_priors(model: AnyModel, priors: Mapping[str, Prior]) -> AnyModel:
    """Return the model with some priors replaced; the others stay.

    Parameters
    ----------
    model
        The model.
    priors
        By parameter, or by entry (``slope[LDL]``). A prior of all entries takes the place of those
        of single ones, and a prior of the intercept at zero that of the one at the centre, or the
        other way round. A prior of ``correlation`` or ``within_site_covariance`` takes the place
        of the model's choice.

    Raises
    ------
    ModelError
        If the model has no such parameter, or a prior is impossible for it.

    Examples
    --------
    >>> from bayesmed.generative import SiteSlope
    >>> model = SiteSlope(priors={"total_effect_at_centre": Prior("Normal", sigma=1)})
    >>> list(with_priors(model, {"direct_effect_mean": Prior("Cauchy", beta=1)}).priors)
    ['direct_effect_mean']
    """
    own = {field.name for field in fields(model)}
    choices: dict[str, Any] = {k: v for k, v in priors.items() if k in CHOICES and k in own}
    kept = {k: v for k, v in model.priors.items() if not any(_replaces(n, k) for n in priors)}
    others = {k: v for k, v in priors.items() if k not in choices}
    return replace(model, priors=kept | others, **choices)


def _replaces(new: str, old: str) -> bool:
    """Say whether a new prior speaks of what an old one speaks of."""
    base = new.split("[", 1)[0]
    twin = {**AT_CENTRE, **{there: here for here, there in AT_CENTRE.items()}}.get(base)
    return old == new or old.startswith(f"{new}[") or old.split("[", 1)[0] == twin
