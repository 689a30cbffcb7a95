"""What runs through a mediator that covariates × treatment instrument, and what past it."""

from __future__ import annotations

import numpy as np

from bayesmed.classical.trial_products import TrialData
from bayesmed.core.names import (
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    SHARE_MEDIATED,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.core.types import Floats
from bayesmed.core.words import joined
from bayesmed.effects.trials.estimands import TrialEstimands
from bayesmed.formulas.covariate_iv import indirect_effect
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.generative.covariate_iv_parameters import (
    DIRECT_MODIFIED,
    DIRECT_MODIFIER,
    SLOPE_MODIFIED,
    SLOPE_MODIFIER,
)
from bayesmed.generative.covariate_iv_residuals import (
    mediator_equation,
    modifications,
    slope_modifiers,
)
from bayesmed.generative.covariate_iv_rows import person_rows, product_rows
from bayesmed.generative.protocol import Draws

__all__ = ["covariate_iv_effects"]

_AT_ONCE = 2_000_000

_ASSUMED = (
    "The slope rests on covariates that change how treatment moves the mediator (IV-A1), change "
    "neither the average direct effect nor the average slope{but} (IV-A2), and on a mediator "
    "unrelated to persons' slopes given treatment and covariates (IV-A3)."
)
_PROBIT = (
    "The form of a probit alone can act as an instrument: where the linear F of the instruments is "
    "small, the slope rests on that form."
)
_CUT = (
    "The data do not update the modifiers of the slope by {names}: posteriors given values drawn "
    "from their prior are pooled."
)
_ALIASED = (
    "The modifiers of the direct effect by {names} cannot be told from the slope but by their "
    "prior, and by what several instruments contradict each other in."
)
_RANDOM_BY_ARM = (
    "With errors by arm, how far direct effects differ between persons is told from the errors of "
    "the treated mainly by its prior."
)


def covariate_iv_effects(model: CovariateIV, draws: Draws, data: TrialData) -> TrialEstimands:
    r"""Return the effects of one trial, averages over its persons.

    The effect through the mediator is the average of a person's slope times mediator effect given
    covariates, :math:`\theta_Mc+\tau_M'\mathrm{Cov}(X)d` (`bayesmed.formulas.covariate_iv`). With
    a probit a person's mediator effect is :math:`\Phi(\eta_1)-\Phi(\eta_0)`.

    Parameters
    ----------
    model
        The model.
    draws
        (n, ...) arrays of all its parameters.
    data
        The trial, whose covariates are averaged over.

    Examples
    --------
    >>> from bayesmed.data import TrialPersons
    >>> data = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 1, 1], mediator=[1, 3, 2, 6], outcome=[5, 6, 4, 9],
    ...     covariates={"age": [30, 40, 35, 45]})
    >>> draws = {"slope": np.array([2.0]), "direct_effect": np.array([1.0]),
    ...          "mediator_effect": np.array([0.5]), "mediator_modification": np.array([[0.1]])}
    >>> found = covariate_iv_effects(CovariateIV(), draws, data)
    >>> {name: float(values[0]) for name, values in found.draws.items()}
    {'slope': 2.0, 'direct_effect': 1.0, 'mediator_effect': 0.5, 'indirect_effect': 1.0,
     'total_effect': 2.0, 'share_mediated': 0.5}
    """
    through = _probit if model.mediator == "probit" else _normal
    on_mediator, indirect = through(model, draws, data)
    total = draws[DIRECT_EFFECT] + indirect
    with np.errstate(divide="ignore", invalid="ignore"):
        share = indirect / total
    values = {
        SLOPE: draws[SLOPE],
        DIRECT_EFFECT: draws[DIRECT_EFFECT],
        MEDIATOR_EFFECT: on_mediator,
        INDIRECT_EFFECT: indirect,
        TOTAL_EFFECT: total,
        SHARE_MEDIATED: share,
    }
    modifiers = {k: draws[k] for k in (DIRECT_MODIFIER, SLOPE_MODIFIER) if k in draws}
    return TrialEstimands(
        draws=values | modifiers,
        labels={name: label for name, label in _labels(data).items() if name in values | modifiers},
        dims={
            name: dims
            for name, dims in (
                (DIRECT_MODIFIER, (DIRECT_MODIFIED,)),
                (SLOPE_MODIFIER, (SLOPE_MODIFIED,)),
            )
            if name in modifiers
        },
        coords={DIRECT_MODIFIED: model.uncertain_direct, SLOPE_MODIFIED: model.uncertain_slope},
        ratios=frozenset({SHARE_MEDIATED}),
        notes=_notes(model),
    )


def _normal(model: CovariateIV, draws: Draws, data: TrialData) -> tuple[Floats, Floats]:
    """Average effects on the mediator and through it."""
    rows = product_rows(data)
    slope, on_mediator = draws[SLOPE], draws[MEDIATOR_EFFECT]
    tau = slope_modifiers(model, draws, rows)
    d = modifications(model, draws, data.names)
    together = ((tau @ rows.covariate_covariance()) * d).sum(axis=1)
    return on_mediator, indirect_effect(slope, on_mediator, together)


def _probit(model: CovariateIV, draws: Draws, data: TrialData) -> tuple[Floats, Floats]:
    """Averages over persons of differences of probabilities, and of slopes times them."""
    from scipy.special import ndtr

    from bayesmed.data import TrialPersons

    assert isinstance(data, TrialPersons)
    rows = person_rows(data)
    x = np.column_stack([rows.ones, rows.covariates]).T
    n, at_once = len(draws[SLOPE]), max(1, _AT_ONCE // data.n)
    on_mediator, indirect = np.empty(n), np.empty(n)
    for start in range(0, n, at_once):
        part = slice(start, start + at_once)
        some = {name: values[part] for name, values in draws.items()}
        control, treated = mediator_equation(model, some, data.names)
        effect = ndtr(treated @ x) - ndtr(control @ x)
        slope = some[SLOPE][:, None] + slope_modifiers(model, some, rows) @ rows.covariates.T
        on_mediator[part], indirect[part] = effect.mean(axis=1), (slope * effect).mean(axis=1)
    return on_mediator, indirect


def _labels(data: TrialData) -> dict[str, str]:
    names = data.names
    t, m, y = names.treatment, names.mediator, names.outcome
    return {
        SLOPE: f"effect of {m} on {y}, average where covariates are at their means",
        DIRECT_EFFECT: f"effect of {t} on {y} past {m}",
        MEDIATOR_EFFECT: f"effect of {t} on {m}",
        INDIRECT_EFFECT: f"effect of {t} on {y} through {m}",
        TOTAL_EFFECT: f"effect of {t} on {y}",
        SHARE_MEDIATED: f"share of the effect of {t} on {y} that runs through {m}",
        DIRECT_MODIFIER: f"how much a unit of the covariate changes the effect of {t} past {m}",
        SLOPE_MODIFIER: f"how much a unit of the covariate changes the effect of {m}",
    }


def _notes(model: CovariateIV) -> tuple[str, ...]:
    but = ", but for the modifiers" if model.direct_modifier or model.slope_modifier else ""
    notes = [_ASSUMED.format(but=but)]
    if model.mediator == "probit":
        notes.append(_PROBIT)
    if model.uncertain_direct:
        notes.append(_ALIASED.format(names=joined(model.uncertain_direct)))
    if model.uncertain_slope:
        notes.append(_CUT.format(names=joined(model.uncertain_slope)))
    if model.person_effects == "random" and model.errors == "by_arm":
        notes.append(_RANDOM_BY_ARM)
    return tuple(notes)
