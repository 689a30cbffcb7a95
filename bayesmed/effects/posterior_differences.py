"""Reasons that lie with the model: its prior, its shape, and what it assumes beyond a line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesmed.classical import ClassicalEstimate, ols
from bayesmed.classical.cochran_q import scatter_about
from bayesmed.core.errors import BayesmedError
from bayesmed.core.names import (
    CORRELATION,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_SD,
    SLOPE,
    SLOPE_AT_CENTRE,
)
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.effects.comparison import POSTERIOR, Difference, Reason
from bayesmed.effects.lines import ON_PERSONS
from bayesmed.effects.reference import WORTH_SAYING, Reference, Setting, draws, slope_name
from bayesmed.effects.slope_differences import about_slopes
from bayesmed.inference import Fit, exact_posterior
from bayesmed.priors import Prior

WIDER = 4.0
"""How many times wider the slope's prior is made to see what it does."""
LEAST_EFFECTIVE = 0.5
"""Share of effective draws below which draws say too little about another prior."""
MOST_SITES = 300
"""More would take seconds to integrate."""
SKEWED = 0.2
"""Posterior sds that mean and median must be apart to be worth a sentence."""
SIGNIFICANT = 0.05
COUNT_ERRORS_ONLY = ("WLS", "Pooled Wald", *ON_PERSONS)


def of_posterior(fit: Fit, posterior: pd.DataFrame) -> Iterator[Difference]:
    """Yield what concerns the posterior itself: its prior and its shape."""
    for p, row in enumerate(posterior.to_dict("records")):
        mediator = str(row["mediator"])
        text, value = _prior(fit, p)
        yield Difference(POSTERIOR, mediator, "prior", text, value)
        skew = (row["mean"] - row["q50"]) / row["sd"]
        if abs(skew) > SKEWED:
            text = (
                f"It is skewed: the mean {number(row['mean'])} and the median "
                f"{number(row['q50'])} are {abs(skew):.2g} sds apart."
            )
            yield Difference(POSTERIOR, mediator, "shape", text, skew)


def _prior(fit: Fit, p: int) -> tuple[str, float]:
    """Shift of the mean, in sds, under a wider prior of the slope; else the prior's share."""
    name = next(n for n in (SLOPE, SLOPE_AT_CENTRE) if n in fit.model.parameters)
    priors = fit.model.priors_for(fit.data)
    prior = priors.get(name) or priors[f"{name}[{fit.data.mediators[p]}]"]
    values, slope = draws(fit, name)[:, p], draws(fit, slope_name(fit))[:, p]
    shift = _shift_by_weights(prior, values, slope)
    if shift is None:
        shift = _shift_by_integration(fit, prior)
    if shift is not None:
        wider = f"A prior of the slope {WIDER:g} times as wide"
        return f"{wider} would move its mean by {shift:+.2g} of its sds.", shift
    sd = float(prior.family.scipy(**prior.parameters).std())
    share = min(1.0, float(values.var()) / sd**2)
    return f"The prior of the slope holds about {share:.0%} of its precision.", share


def _wider(prior: Prior) -> Prior:
    """Return a prior as many times wider about its median, or from 0 where it starts there."""
    starts_at_0 = prior.family.support == "positive"
    shift = 0.0 if starts_at_0 else (1 - WIDER) * float(prior.quantile(0.5))
    return prior.moved(shift, WIDER)


def _shift_by_weights(prior: Prior, values: Floats, slope: Floats) -> float | None:
    """Weigh draws by the ratio of the priors; None where too few of them would count."""
    if prior.family.support == "bounded":
        return None
    log_weight = _wider(prior).log_density(values) - prior.log_density(values)
    weight = np.exp(log_weight - log_weight.max())
    if weight.sum() ** 2 / (weight @ weight) < LEAST_EFFECTIVE * weight.size:
        return None
    return float((weight @ slope / weight.sum() - slope.mean()) / slope.std())


def _shift_by_integration(fit: Fit, prior: Prior) -> float | None:
    """Integrate the posterior of either prior; None where that takes long or cannot be done."""
    if fit.data.n_rows > MOST_SITES:
        return None
    wider = replace(fit.model, priors={**fit.model.priors, SLOPE: _wider(prior)})
    try:
        before, after = (
            exact_posterior(model, fit.data).summary(SLOPE) for model in (fit.model, wider)
        )
    except BayesmedError:
        return None
    return (after.mean - before.mean) / before.sd


def of_model(fit: Fit, setting: Setting, estimate: ClassicalEstimate, p: int) -> Iterator[Reason]:
    """Yield what the model assumes and an estimator does not, for the slope on one mediator."""
    reference = setting.reference
    assert reference is not None
    yield from about_slopes(fit, setting, reference, estimate, p)
    if not math.isnan(estimate.intercept):
        yield from _correlation(fit, reference, p)
        yield from _covariates(fit, setting, p)


def _correlation(fit: Fit, reference: Reference, p: int) -> Iterator[Reason]:
    if not fit.model.correlated or p > 0:
        return
    fixed = fit.model.correlation
    rho = draws(fit, CORRELATION) if isinstance(fixed, Prior) else np.array(fixed)
    ratio = draws(fit, DIRECT_EFFECT_SD) / draws(fit, MEDIATOR_EFFECT_SD)[:, 0]
    added = float(np.median(rho * ratio))
    if abs(added) > WORTH_SAYING * reference.sd[p]:
        yield Reason(
            "correlation",
            "The model takes direct effects to rise or fall with mediator effects (ρ = "
            f"{float(np.median(rho)):.2g}); a regression takes that for a slope of "
            f"{number(added)} more.",
            added,
        )


def _covariates(fit: Fit, setting: Setting, p: int) -> Iterator[Reason]:
    if not fit.model.covariates or setting.reference is None:
        return
    data, names = setting.data, ", ".join(fit.model.covariates)
    alone = ols(data)
    columns = np.column_stack(
        [data.mediator_effect, np.ones(data.n_rows), fit.model.covariate_values(data)]
    )
    adjusted = np.linalg.lstsq(columns, data.total_effect, rcond=None)[0][p]
    moved = float(adjusted - alone.slope[p])
    if abs(moved) > WORTH_SAYING * setting.reference.sd[p]:
        text = f"Does not adjust for {names}; doing so moves the OLS slope by {moved:+.3g}."
        yield Reason("covariates", text, moved)


def excess_scatter(setting: Setting, *, scatter_modelled: bool) -> Iterator[Difference]:
    """Yield what scatter beyond sampling error does to those who do not allow for it.

    Parameters
    ----------
    setting
        Estimates and reference.
    scatter_modelled
        Whether the reference allows for direct effects or slopes that differ between sites.
    """
    reference, data = setting.reference, setting.data
    if reference is None:
        return
    start = 0.0 if math.isnan(reference.intercept) else reference.intercept
    coefficients = data.n_mediators + setting.intercept
    found = scatter_about(reference.name, data, reference.slope, start, coefficients=coefficients)
    if not found.p_value <= SIGNIFICANT:  # NaN where there is no test
        return
    scatter = (
        f"Sites scatter about the line of {reference.words} more than their errors allow: "
        f"{found.words}"
    )
    if scatter_modelled:
        names = [n for n in COUNT_ERRORS_ONLY if n in setting.estimates]
        says = "weights and standard errors that count only those errors miss the rest."
    else:
        names, says = [reference.name], "it takes all of that for sampling error, others do not."
    for name in names:
        if name == reference.name or setting.estimates[name].defined:
            for mediator in data.mediators:
                yield Difference(
                    name, mediator, "excess_scatter", f"{scatter}; {says}", found.statistic
                )
