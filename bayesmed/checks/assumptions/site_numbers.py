"""How much it takes of each failure to change what a fit of sites says of 0, without refitting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesmed.checks.assumptions.line import Sensitivity
from bayesmed.checks.assumptions.site_draws import (
    average_slopes,
    by_mediator,
    correlations,
    covariances,
    line_weights,
    single,
)
from bayesmed.checks.assumptions.tipping import Tipping, tipping_point, tipping_sentence
from bayesmed.core.names import (
    CORRELATION,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE_SD,
)
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.formulas.expected_slopes import expected_slopes
from bayesmed.formulas.unseen_correlation import correlation_without_slope, own_spread
from bayesmed.inference import Fit

__all__ = ["error_correlation", "nearest", "of_slope", "related_direct_effects", "related_slopes"]


def related_direct_effects(fit: Fit) -> Sensitivity:
    r"""Find the correlation of direct and mediator effects that would change the answer about 0.

    What data tell stays what it is at every correlation (`bayesmed.formulas.unseen_correlation`),
    so draws at one give draws at all. Of several mediators it is the smallest multiple correlation
    of direct effects with all of them.
    """
    slopes, spread = average_slopes(fit), by_mediator(fit, MEDIATOR_EFFECT_SD)
    own, sd = own_spread(spread, correlations(fit)), single(fit, DIRECT_EFFECT_SD)[:, None]
    given = single(fit, CORRELATION)[:, None] if _drawn(fit) else fit.model.correlation
    assert not isinstance(given, str)
    at = correlation_without_slope(slopes, sd, own, given)  # type: ignore[arg-type]  # no prior
    now = 0.0 if _drawn(fit) else float(fit.model.correlation)  # type: ignore[arg-type]
    found, which = nearest([tipping_point(own_at, 1.0, now) for own_at in at.T])
    if _drawn(fit):
        low, high = np.quantile(at, (0.025, 0.975))
        text = (
            f"Were it known, the 95 % interval of the slope would include 0 for correlations from "
            f"{number(low)} to {number(high)}."
        )
        return Sensitivity(
            None if found is None else found.value,
            "correlation of direct and mediator effects",
            text,
        )
    effects = "effects on the mediator" if len(at.T) == 1 else "what mediator effects predict"
    what = f"a correlation of {{}} of direct effects with {effects}"
    return tipping_sentence(
        found,
        "correlation of direct and mediator effects",
        what,
        limit=1.0,
        of=of_slope(fit, which),
    )


def _drawn(fit: Fit) -> bool:
    return fit.model.correlation_prior is not None


def related_slopes(fit: Fit) -> Sensitivity:
    r"""Find how closely slopes must follow mediator effects to change the answer about 0.

    The bias is the limit of least squares for many sites (`bayesmed.formulas.expected_slopes`). Of
    slopes that differ it is :math:`\mathrm{Corr}(\gamma_p,\delta_p)`; of a model with one slope
    the spread of slopes that follow mediator effects wholly.
    """
    slopes, sd = average_slopes(fit), by_mediator(fit, MEDIATOR_EFFECT_SD)
    varies = SLOPE_SD in fit.tree["posterior"]
    together = sd * by_mediator(fit, SLOPE_SD) if varies else sd
    found, which = nearest([_tilted(fit, slopes, together, p) for p in range(slopes.shape[1])])
    if varies:
        what = "a correlation of {} of slopes with effects on their mediator"
        quantity, limit = "correlation of slopes with mediator effects", 1.0
    else:
        what = "slopes that differ by a standard deviation of {} and follow mediator effects wholly"
        quantity, limit = "standard deviation of such slopes", np.inf
        found = None if found is None else found._replace(value=abs(found.value))
    return tipping_sentence(found, quantity, what, limit=limit, of=of_slope(fit, which))


def _tilted(fit: Fit, slopes: Floats, together: Floats, p: int) -> Tipping | None:
    """Return the tipping point of mediator p; ``together`` (n, P) is Cov(γ, δ) at one unit."""
    n, k = slopes.shape
    omega = np.zeros((n, k, k))
    omega[:, p, p] = together[:, p]
    tilt = expected_slopes(
        np.zeros((n, k)),
        by_mediator(fit, MEDIATOR_EFFECT_MEAN),
        covariances(fit),
        slope_effect_cov=omega,
        intercept=fit.model.direct_effect,
    )[:, p]
    return tipping_point(_ratio(slopes[:, p], tilt), tilt)


def error_correlation(fit: Fit) -> Sensitivity:
    """Find the correlation of a site's errors that would change the answer about 0."""
    slopes, weight = average_slopes(fit), line_weights(fit)
    sizes = fit.data.mediator_se * fit.data.total_effect_se[:, None]
    tilt = expected_slopes(
        np.zeros_like(slopes),
        by_mediator(fit, MEDIATOR_EFFECT_MEAN),
        covariances(fit),
        noise_covariance=weight @ sizes / weight.sum(),
        intercept=fit.model.direct_effect,
    )
    points = [
        tipping_point(_ratio(own, shift), shift)
        for own, shift in zip(slopes.T, tilt.T, strict=True)
    ]
    found, which = nearest(points)
    what = "a correlation of {} of the two errors of each site"
    return tipping_sentence(
        found, "correlation of errors", what, limit=1.0, of=of_slope(fit, which)
    )


def _ratio(slopes: Floats, tilt: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(slopes / tilt)


def nearest(points: Sequence[Tipping | None]) -> tuple[Tipping | None, int]:
    """Return the point that is nearest, of slopes that are told from 0 if there are any."""
    known = [(p, i) for i, p in enumerate(points) if p is not None]
    told = [pair for pair in known if not pair[0].includes] or known
    return min(told, key=lambda pair: abs(pair[0].value), default=(None, 0))


def of_slope(fit: Fit, which: int) -> str:
    """Say which slope an interval is of."""
    slope = "slope" if fit.model.slope == "constant" else "average slope"
    several = f" of {fit.data.mediators[which]}" if fit.data.n_mediators > 1 else ""
    return f"the {slope}{several}"
