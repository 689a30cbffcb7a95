"""The coordinates in which a site-slope model is sampled.

They are chosen to be nearly independent and nearly standard normal in the posterior: each parameter
is measured from about where it lies given the ones before it, in about its spread given them. In
their own units few sites make funnels: the slope is wide where mediator effects hardly differ and
narrow where direct effects hardly differ. The intercept is sampled as the mean total effect, which
the data know best. None of this changes the model: hyperparameters of the priors move along.

Middle and width need not be right, only near: they come from a regression of typical total effects
on typical features (each mediator's effect, its powers, covariates), as if all sites had the
typical sampling covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.names import (
    COMPLIANCE_CORRELATION,
    CORRELATION,
    DIRECT_EFFECT_DOF,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE,
    SLOPE_LINEAR,
    SLOPE_LINEAR_AT_CENTRE,
    SLOPE_QUADRATIC,
    SLOPE_SD,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.types import ArrayLike
from bayesmed.data import SiteEstimates
from bayesmed.formulas.site_slope import (
    SamplingCovariance,
    mediator_estimate_variance,
    outcome_conditional_noise,
    outcome_on_mediator_estimate,
)
from bayesmed.generative.site_slope_correlations import Take, taken_correlations
from bayesmed.generative.site_slope_parameters import (
    Entries,
    Related,
    complete_polynomial,
    completed,
    entry_names,
    labels,
    tilt,
)
from bayesmed.generative.site_slope_typical import Feature, features, key
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel

type Number = Callable[[str], Any]
# How much the spread of total effects counts against steep slopes: of 1, 4 and infinity, 4 gave the
# fewest divergences on tables of 3 to 10 sites (not none: some tables still have a few).
UNSEEN = 4.0


@dataclass(frozen=True)
class Frame:
    """What the coordinates of a model depend on besides numbers: names and counts."""

    model: SiteModel
    n_mediators: int
    moves: tuple[bool, ...]
    related: Related = "none"
    together: bool = False

    @classmethod
    def of(cls, model: SiteModel, data: SiteEstimates) -> Frame:
        """Return the frame of a model and its data."""
        priors, found = model.priors_for(data), []
        for f in features(model, data.n_mediators):
            entry = entry_names(f.parameter, labels(model, data, f.parameter))[f.entry]
            # A coordinate cannot move where the prior has positive values only.
            found.append(priors[entry].family.support != "positive")
        together = model.slopes_together(data)
        return cls(model, data.n_mediators, tuple(found), model.related(data), together)


def _near(
    name: str, precision: ArrayLike, pull: ArrayLike, number: Number, *, shift: ArrayLike = 0.0
) -> tuple[ArrayLike, ArrayLike]:
    """Combine what the estimates say about a parameter with its prior: where, and how widely."""
    prior = number(f"{name}_prior_precision")
    total = prior + precision
    return (prior * (number(f"{name}_prior_centre") + shift) + pull) / total, 1.0 / np.sqrt(total)


def parameters(frame: Frame, number: Number, take: Take) -> Entries:
    """Return all parameters in data units, each as ``middle + width * standardised``.

    ``take`` makes (or looks up) the standardised variable.
    """
    model, mediators = frame.model, range(frame.n_mediators)

    def positive(parameter: str, entry: int = 0) -> ArrayLike:
        name = key(parameter, entry)
        return take(name, 0.0, number(f"{name}_size"), 0.0)

    found: Entries = {MEDIATOR_EFFECT_SD: [positive(MEDIATOR_EFFECT_SD, p) for p in mediators]}
    if model.direct_effect:
        found[DIRECT_EFFECT_SD] = positive(DIRECT_EFFECT_SD)
    if model.slope == "random":
        found[SLOPE_SD] = [positive(SLOPE_SD, p) for p in mediators]
    if model.robust:
        found[DIRECT_EFFECT_DOF] = positive(DIRECT_EFFECT_DOF)
    if model.correlated:
        free = model.correlation_prior is not None
        found[CORRELATION] = positive(CORRELATION) if free else number(CORRELATION)
    known = None if model.known_compliance is None else number(COMPLIANCE_CORRELATION)
    found |= taken_correlations(frame.related, frame.n_mediators, take, known, frame.together)
    if model.within_site_covariance != 0.0:
        free = isinstance(model.within_site_covariance, Prior)
        name = WITHIN_SITE_COVARIANCE
        found[name] = take(name, *_prior_alone(name, number), 0.0) if free else number(name)
    found[MEDIATOR_EFFECT_MEAN] = [_mediator_mean(p, found, number, take) for p in mediators]
    _take_curve(frame, found, number, take)
    centre = [number(key("centre", p)) for p in mediators]
    return completed(model, found, centre)


def _prior_alone(name: str, number: Number) -> tuple[ArrayLike, ArrayLike]:
    return number(f"{name}_prior_centre"), 1.0 / np.sqrt(number(f"{name}_prior_precision"))


def _mediator_mean(p: int, found: Entries, number: Number, take: Take) -> ArrayLike:
    name = key(MEDIATOR_EFFECT_MEAN, p)
    variance = found[MEDIATOR_EFFECT_SD][p] ** 2 + number(key("typical_mediator", p))
    precision = number("sites") / variance
    pull = precision * number(key("mediator_average", p))
    return take(name, *_near(name, precision, pull, number), 0.0)


def _take_curve(frame: Frame, found: Entries, number: Number, take: Take) -> None:
    """Take the coefficients of the curve, one given those before, and then its height."""
    model = frame.model
    every = features(model, frame.n_mediators)
    noise = _noise(frame, found, number)
    precision, pull = _regression(frame, every, found, number, noise)
    away = [_away(frame, f, i, found, number) for i, f in enumerate(every)]
    if model.direct_effect:
        # A line that passes far from where the intercept's prior wants it is unlikely.
        prior = 1.0 / number(f"{model.intercept}_prior_precision")
        tie = 1.0 / (prior + noise / number("sites"))
        height = number("outcome_average") - number(f"{model.intercept}_prior_centre")
        for i, x in enumerate(away):
            pull[i] = pull[i] + tie * x * height
            for j in range(i + 1):
                precision[i][j] = precision[i][j] + tie * x * away[j]
    taken: list[ArrayLike] = []
    for i, f in enumerate(every):
        name, shift = key(f.parameter, f.entry), _moved_by(frame, f, found, number)
        near: tuple[ArrayLike, ArrayLike] = (0.0, number(f"{name}_size"))
        if frame.moves[i]:
            left, right = _without_later(i, every, precision, pull, number)
            own = right - sum(x * y for x, y in zip(left[:i], taken, strict=True))
            near = _near(name, left[i], own, number, shift=shift)
        taken.append(take(name, *near, shift))
        found.setdefault(f.parameter, []).append(taken[i] - shift)
    if model.direct_effect:
        _take_height(frame, away, taken, noise, found, number, take)


def _noise(frame: Frame, found: Entries, number: Number) -> ArrayLike:
    """Variance of a typical site's total effect around the curve."""
    noise = number("typical_outcome")
    if frame.model.direct_effect:
        noise = found[DIRECT_EFFECT_SD] ** 2 + noise
        if frame.model.correlated:
            noise = noise - (found[CORRELATION] * found[DIRECT_EFFECT_SD]) ** 2
    for p, sd in enumerate(found.get(SLOPE_SD, [])):
        square = found[MEDIATOR_EFFECT_SD][p] ** 2 + number(key("mediator_average", p)) ** 2
        noise = noise + sd**2 * square
    return noise


def _shrinkage(f: Feature, found: Entries, number: Number) -> ArrayLike:
    """How much of a feature of the estimates is one of the true effects."""
    if f.power == 0:
        return 1.0
    signal = found[MEDIATOR_EFFECT_SD][f.entry] ** 2
    kept = signal / (signal + number(key("typical_mediator", f.entry)))
    return kept**f.power if f.power > 1 else kept


def _regression(
    frame: Frame, every: Sequence[Feature], found: Entries, number: Number, noise: ArrayLike
) -> tuple[list[list[ArrayLike]], list[ArrayLike]]:
    """Return precision (lower triangle) and pull of the coefficients, priors aside."""
    kept = [_shrinkage(f, found, number) for f in every]
    weight = number("sites") / noise
    level, height = _levels(frame, every, found, number)

    def square(i: int, j: int) -> ArrayLike:
        whole = number(f"feature_square_{i}_{j}")
        return (
            whole - number(f"feature_average_{i}") * number(f"feature_average_{j}")
            if level
            else whole
        )

    precision = [
        [weight * kept[i] * kept[j] * square(i, j) for j in range(i + 1)] for i in range(len(every))
    ]
    pull = []
    for i, f in enumerate(every):
        product = number(f"feature_product_{i}")
        if level:
            product = product - number(f"feature_average_{i}") * number("outcome_average")
        if f.power == 1:
            p = f.entry
            typical = number(key("typical_mediator", p))
            # A slope so steep that the unseen part of the mediator effects would spread total
            # effects more than they are is unlikely: that keeps it from 0 on either side.
            precision[i][i] = precision[i][i] + weight * kept[i] * typical / UNSEEN
            variance = found[MEDIATOR_EFFECT_SD][p] ** 2 + typical
            own = number(key("typical_cross", p)) / variance
            product = product - own * square(i, i)
        pull.append(weight * kept[i] * product)
        if level:
            # Through the origin it is the level of the effects, too, that tells a slope.
            pull[i] = pull[i] + weight * level[i] * height
            for j in range(i + 1):
                precision[i][j] = precision[i][j] + weight * level[i] * level[j]
        if f.power == 1 and frame.model.correlated:
            # What the estimates know is the slope of total effects, direct ones included.
            pull[i] = pull[i] - precision[i][i] * tilt(found)
    return precision, pull


def _levels(
    frame: Frame, every: Sequence[Feature], found: Entries, number: Number
) -> tuple[list[ArrayLike], ArrayLike]:
    """Return mean mediator effects and the height they explain, where a line has no intercept.

    They are not shrunk with the spread: where effects hardly differ, their level is still known.
    """
    if frame.model.direct_effect or frame.model.slope == "polynomial":
        return [], 0.0
    means = [found[MEDIATOR_EFFECT_MEAN][f.entry] for f in every]
    return means, number("outcome_average") - found.get(WITHIN_SITE_COVARIANCE, 0.0)


def _away(frame: Frame, f: Feature, i: int, found: Entries, number: Number) -> ArrayLike:
    """How far a typical site's feature is from where the intercept's prior is about."""
    if frame.model.slope == "polynomial" or f.power == 0:
        return number(f"feature_average_{i}")
    mean: ArrayLike = found[MEDIATOR_EFFECT_MEAN][f.entry]
    return mean - number(key("intercept_prior_at", f.entry))


def _without_later(
    i: int,
    every: Sequence[Feature],
    precision: list[list[ArrayLike]],
    pull: list[ArrayLike],
    number: Number,
) -> tuple[list[ArrayLike], ArrayLike]:
    """Return row i of the precision and its pull with later coefficients integrated out."""
    a, b = [list(row) for row in precision], list(pull)
    for k in range(len(every) - 1, i, -1):
        name = key(every[k].parameter, every[k].entry)
        prior = number(f"{name}_prior_precision")
        pivot = a[k][k] + prior
        mean = (b[k] + prior * number(f"{name}_prior_centre")) / pivot
        for r in range(k):
            b[r] = b[r] - a[k][r] * mean
            for c in range(r + 1):
                a[r][c] = a[r][c] - a[k][r] * a[k][c] / pivot
    return a[i], b[i]


def _moved_by(frame: Frame, f: Feature, found: Entries, number: Number) -> ArrayLike:
    """How far a coefficient at the centre is from the one that carries the prior."""
    raw = frame.model.slope == "polynomial" and frame.model.direct_effect
    if not raw or f.parameter not in (SLOPE, SLOPE_LINEAR):
        return 0.0
    c, quadratic = number(key("centre", f.entry)), found[SLOPE_QUADRATIC][f.entry]
    if f.parameter == SLOPE_LINEAR:
        return 3.0 * c * quadratic
    if SLOPE_LINEAR in found:
        linear = found[SLOPE_LINEAR][f.entry]
    else:
        linear = found[SLOPE_LINEAR_AT_CENTRE][f.entry] - 3.0 * c * quadratic
    return (2.0 * linear + 3.0 * c * quadratic) * c


def _take_height(
    frame: Frame,
    away: Sequence[ArrayLike],
    taken: Sequence[ArrayLike],
    noise: ArrayLike,
    found: Entries,
    number: Number,
    take: Take,
) -> None:
    """Take the mean total effect, and find the intercept that goes with it."""
    model = frame.model
    shift = sum(x * y for x, y in zip(taken, away, strict=True))
    mean = found[MEDIATOR_EFFECT_MEAN]
    if model.intercept == DIRECT_EFFECT_MEAN and model.slope == "polynomial":
        shift = shift + _height_at_centre(frame, found, number)
    if model.intercept != DIRECT_EFFECT_MEAN and model.correlated:
        shift = shift + tilt(found) * (mean[0] - number("centre"))
    height = number("outcome_average")
    if model.slope != "polynomial":
        noise, height = _given_mediator_averages(frame, noise, height, found, number)
    precision = number("sites") / noise
    near = _near(model.intercept, precision, precision * height, number, shift=shift)
    found[model.intercept] = take(model.intercept, *near, shift) - shift


def _given_mediator_averages(
    frame: Frame, noise: ArrayLike, height: ArrayLike, found: Entries, number: Number
) -> tuple[ArrayLike, ArrayLike]:
    """Return noise and height of the average total effect given the average mediator effects."""
    slopes = list(found[SLOPE])
    if frame.model.correlated:
        slopes = [slopes[0] + tilt(found)]
    for p, slope in enumerate(slopes):
        sd = found[MEDIATOR_EFFECT_SD][p]
        names = [key(f"typical_{x}", p) for x in SamplingCovariance._fields]
        cov = SamplingCovariance(*(number(name) for name in names))
        behind = number(key("mediator_average", p)) - found[MEDIATOR_EFFECT_MEAN][p]
        if len(slopes) == 1:
            noise = noise - cov.outcome + outcome_conditional_noise(slope, sd, cov)
            height = height - outcome_on_mediator_estimate(slope, sd, cov) * behind
        else:
            kept = sd**2 / mediator_estimate_variance(sd, cov)
            noise = noise + slope**2 * kept * cov.mediator
            height = height - slope * kept * behind
    return noise, height


def _height_at_centre(frame: Frame, found: Entries, number: Number) -> ArrayLike:
    centre, whole = [number(key("centre", p)) for p in range(frame.n_mediators)], dict(found)
    complete_polynomial(whole, centre)
    each = zip(whole[SLOPE], whole[SLOPE_LINEAR], whole[SLOPE_QUADRATIC], centre, strict=True)
    return sum((a + (b + q * c) * c) * c for a, b, q, c in each)
