"""Assumptions that stand in a model as a number, and may be held at others: one table of them.

A card knows a model only, so that names and the way to hold a number need no data; what an axis
is in words, and which values are worth trying, need them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.names import COMPLIANCE_CORRELATION, CORRELATION, WITHIN_SITE_COVARIANCE
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.generative.covariate_iv_parameters import (
    DIRECT_MODIFIER,
    SLOPE_MODIFIER,
    instruments_of,
)
from bayesmed.generative.covariate_iv_rows import product_rows
from bayesmed.generative.multi_site_iv import MultiSiteIV
from bayesmed.generative.principal_strata import PrincipalStrata
from bayesmed.generative.principal_strata_data import outcome_units
from bayesmed.generative.registry import AnyModel, AnyTrialModel
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.generative.site_slope import SiteSlope
from bayesmed.priors import Prior

__all__ = ["Axis", "axes_of", "axis_fields", "check_axis", "fitted_value", "held", "with_version"]

HETEROGENEITY, DEFIERS = "heterogeneity", "defiers"
BY_COVARIATE = (DIRECT_MODIFIER, SLOPE_MODIFIER)

CORRELATIONS = tuple(round(0.15 * i, 2) for i in range(-6, 7))
AROUND_ZERO = tuple(round(0.2 * i, 1) for i in range(-5, 6))
SMALL = tuple(round(0.1 * i, 1) for i in range(-3, 4))
SPREADS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0)
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Axis:
    """An assumption that is a number of a model.

    Attributes
    ----------
    name
        What tables and cards call it: a field of the model, or ``field[covariate]``.
    symbol
        Its symbol.
    words
        What it is, to stand after "the".
    unit
        The unit of its values, empty where they have none.
    values
        Values worth trying with these data, in rising order; 0 is the assumption itself.
    """

    name: str
    symbol: str
    words: str
    unit: str
    values: tuple[float, ...]


def axis_fields(model: AnyModel | AnyTrialModel) -> tuple[str, ...]:
    """Return the fields of a model whose numbers are assumptions, that of most interest first.

    Examples
    --------
    >>> axis_fields(SiteSlope()), axis_fields(PrincipalStrata(saturated=True))
    (('correlation',), ())
    """
    match model:
        case SiteSlope():
            return (CORRELATION,) if model.direct_effect else ()
        case MultiSiteIV():
            kappa = () if model.direct_effect else (WITHIN_SITE_COVARIANCE,)
            return (COMPLIANCE_CORRELATION, *kappa)
        case CovariateIV():
            return BY_COVARIATE
        case PrincipalStrata() if not model.saturated:
            return (HETEROGENEITY, *((DEFIERS,) if model.monotone_in != "none" else ()))
    return ()


def held[M](model: M, name: str, value: float | Prior) -> M:
    """Return the model with an assumption held at a number, or given a prior.

    Parameters
    ----------
    model
        The model.
    name
        As `Axis` has it.
    value
        The number or the prior.

    Raises
    ------
    ModelError
        If the model has no such assumption, or it cannot have the value.

    Examples
    --------
    >>> held(SiteSlope(), "correlation", 0.3).correlation
    0.3
    >>> held(CovariateIV(), "direct_modifier[age]", 2).direct_modifier
    (('age', 2.0),)
    """
    field, entry = _parts(name)
    check_axis(model, name)
    made: Any = model
    if field in BY_COVARIATE:
        value_by_name: Any = {**dict(getattr(model, field)), entry: value}
        return replace(made, **{field: value_by_name})  # type: ignore[no-any-return]
    return replace(made, **{field: value})  # type: ignore[no-any-return]


def fitted_value(model: AnyModel | AnyTrialModel, name: str) -> float | None:
    """Return the number an assumption has in a model; None where it is no number.

    Examples
    --------
    >>> fitted_value(SiteSlope(), "correlation"), fitted_value(PrincipalStrata(), "heterogeneity")
    (0.0, None)
    """
    field, entry = _parts(name)
    value: Any = getattr(model, field)
    if field in BY_COVARIATE:
        value = dict(value).get(entry, 0.0)
    if isinstance(value, bool):
        return None if value else 0.0
    return value if isinstance(value, float) else None


def with_version(
    model: AnyModel | AnyTrialModel, priors: Mapping[str, Prior]
) -> AnyModel | AnyTrialModel:
    """Return the model with some priors replaced, those of its assumptions among them.

    Raises
    ------
    ModelError
        If the model has no such parameter, or a prior is impossible for it.

    Examples
    --------
    >>> wide = {"heterogeneity": Prior("HalfNormal", sigma=2)}
    >>> with_version(PrincipalStrata(), wide).heterogeneity
    Prior('HalfNormal', sigma=2.0, unit='data')
    """
    fields = axis_fields(model)
    made: Any = model
    rest = {}
    for name, prior in priors.items():
        if _parts(name)[0] in fields:
            made = held(made, name, prior)
        else:
            rest[name] = prior
    if isinstance(made, SiteSlope | MultiSiteIV):
        return with_priors(made, rest)
    return replace(made, priors={**made.priors, **rest}) if rest else made  # type: ignore[no-any-return]


def axes_of(model: AnyModel | AnyTrialModel, data: Any) -> tuple[Axis, ...]:
    """Return the assumptions of a model that may be held at numbers, with values to try.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5], total_effect=[0.5, 1.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (2, 1, 1)), mediators=["effort"])
    >>> [axis.words for axis in axes_of(SiteSlope(), data)]
    ['correlation ρ of direct effects with effects on effort']
    """
    fields, named = axis_fields(model), []
    match model:
        case SiteSlope() if data.n_mediators == 1 and fields:
            words = f"correlation ρ of direct effects with effects on {data.mediators[0]}"
            return (Axis(CORRELATION, "ρ", words, "", CORRELATIONS),)
        case MultiSiteIV():
            return tuple(_of_sites(model, data, field) for field in fields)
        case PrincipalStrata():
            return tuple(_of_types(model, data, field) for field in fields)
        case CovariateIV():
            names = data.names
            for j in instruments_of(model, names).instruments:
                named += [_of_covariate(data, field, names.covariates[j]) for field in fields]
    return tuple(named)


def _of_sites(model: MultiSiteIV, data: Any, field: str) -> Axis:
    if field == COMPLIANCE_CORRELATION:
        own = "the mediator" if data.n_mediators == 1 else "their own mediator"
        name = data.mediators[0] if data.n_mediators == 1 else own
        words = f"correlation of slopes with effects on {name}"
        return Axis(field, "Corr(γ, δ)", words, "", CORRELATIONS)
    words = "within-site covariance κ of effects on mediators with slopes"
    scale = model.scale(data).outcome_spread
    return Axis(field, "κ", words, f"units of {data.outcome}", _scaled(AROUND_ZERO, scale))


def _of_types(model: PrincipalStrata, data: Any, field: str) -> Axis:
    names = data.names
    if field == DEFIERS:
        falls = {"instrument": data.instrument, "treatment": names.treatment}
        by = falls.get(model.monotone_in, f"{data.instrument} or {names.treatment}")
        words = f"share π of persons from whom {by} takes {names.mediator} away"
        return Axis(field, "π", words, "", SHARES)
    words = f"spread σ_het of effects of {names.mediator} between types of persons"
    scale = outcome_units(model, data).scale
    return Axis(field, "σ_het", words, f"units of {names.outcome}", _scaled(SPREADS, scale))


def _of_covariate(data: Any, field: str, covariate: str) -> Axis:
    names, rows = data.names, product_rows(data)
    *x, m, y = rows.sds().tolist()
    scale = y / x[names.covariates.index(covariate)]
    name, per = f"{field}[{covariate}]", f"per unit of {covariate}"
    if field == DIRECT_MODIFIER:
        words = f"change τ_R of the direct effect with {covariate}"
        return Axis(name, "τ_R", words, f"units of {names.outcome} {per}", _scaled(SMALL, scale))
    words = f"change τ_M of the slope with {covariate}"
    unit = f"units of {names.outcome} per unit of {names.mediator}, {per}"
    return Axis(name, "τ_M", words, unit, _scaled(SMALL, scale / m))


def _scaled(factors: tuple[float, ...], scale: float) -> tuple[float, ...]:
    """Return factors times a scale, in round numbers."""
    return tuple(float(f"{factor * scale:.3g}") for factor in factors)


def _parts(name: str) -> tuple[str, str]:
    field, _, entry = name.partition("[")
    return field, entry.removesuffix("]")


def check_axis(model: Any, name: str) -> None:
    """Refuse an assumption that a model does not have as a number.

    Raises
    ------
    ModelError
        If it is one.
    """
    field, entry = _parts(name)
    fields, kind = axis_fields(model), type(model).__name__
    if not fields:
        raise ModelError(f"This {kind} has no assumption that is a number.", _without_axes(model))
    if field not in fields:
        raise ModelError(f"A {kind} has no assumption {name!r}.", nearest(field, fields))
    if (field in BY_COVARIATE) != bool(entry):
        example = f"{field}[age]" if field in BY_COVARIATE else field
        raise ModelError(f"There is no assumption {name!r}.", f"Write it as {example!r}.")


def _without_axes(model: Any) -> str:
    match model:
        case SiteSlope():
            return "Set direct_effect = true: `correlation` is about direct effects."
        case PrincipalStrata():
            return "Give a model that is not saturated."
    return "Ask what other priors do: give `priors`, named sets of them."
