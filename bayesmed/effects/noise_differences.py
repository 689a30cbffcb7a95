"""Why an estimate differs from the reference: what it does about sampling error, and how far."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from bayesmed.classical import ClassicalEstimate, expected_ols_slopes
from bayesmed.classical.heterogeneity import ESTIMATORS as VARIANCES
from bayesmed.classical.simex import LAMBDAS
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.effects.comparison import Reason
from bayesmed.effects.lines import is_least_squares, least_squares_weight, sampling_noise
from bayesmed.effects.reference import WORTH_SAYING, Reference, Setting, raw_spread
from bayesmed.effects.weak_instruments import products_of, weak_instruments

AGREES = 0.25
"""Estimates closer to the reference than this many of its sds agree with it."""
SIMEX = ("SIMEX", "SIMEX (published form)")
# Estimators that leave Cov(γ̂, β̂) out, and those that only differ by taking it.
WITH_COVARIANCE: Mapping[str, str] = {
    "BCES (published form)": "BCES",
    "SIMEX (published form)": "SIMEX",
    "Reliability-corrected, no covariance (DerSimonian-Laird)": (
        "Reliability-corrected (DerSimonian-Laird)"
    ),
    "Reliability-corrected, no covariance (Paule-Mandel)": "Reliability-corrected (Paule-Mandel)",
}
VARIANCE_IN_NAME: Mapping[str, str] = {
    "(DerSimonian-Laird)": "dersimonian_laird",
    "(Paule-Mandel)": "paule_mandel",
    "(moments)": "moments",
    "BCES": "moments",
}


def about_noise(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    """Yield what an estimator does about sampling error, for the slope on one mediator."""
    products = products_of(setting, estimate)
    if products is not None:
        yield from weak_instruments(setting, reference, products, p)
    else:
        yield from _attenuation(setting, reference, estimate, p)
        yield from _ignored_covariance(setting, reference, estimate, p)
    yield from _extrapolation(setting, reference, estimate, p)
    yield from _other_reliability(setting, reference, estimate)


def variance_kind(name: str) -> str | None:
    """Return which estimator of the variance of mediator effects an estimator divides by."""
    return next((kind for key, kind in VARIANCE_IN_NAME.items() if key in name), None)


def _attenuation(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    least_squares = is_least_squares(setting.data, estimate.name)
    if not least_squares or not setting.data.mediator_se.any():
        return
    if reference.spread is None:
        yield from attenuation_unknown(setting, p)
        return
    weight = least_squares_weight(setting.data, estimate.name, setting.intercept)
    noise = sampling_noise(setting.data, weight)
    kept = float(np.median(_reliability(reference.spread, noise, p)))
    seen = float(np.median(expected_ols_slopes(reference.slopes, reference.spread, noise)[:, p]))
    slope, mediator = float(reference.slope[p]), setting.data.mediators[p]
    if abs(seen - slope) <= WORTH_SAYING * reference.sd[p]:
        return
    does = "pulls the slope towards 0 by a factor"
    if setting.data.n_mediators > 1:
        does = "pulls and mixes the slopes, with a reliability"
    what = "true difference between sites" if setting.intercept else "true effect"
    yield Reason(
        "attenuation",
        f"Noise in the estimated effects on {mediator} is taken for real: it {does} "
        f"λ = {kept:.2f} (the share of their variation that is {what}); a slope of "
        f"{number(slope)} would look like {number(seen)}.",
        kept,
    )


def _reliability(spread: Floats, noise: Floats, p: int) -> Floats:
    return np.asarray(spread[:, p, p] / (spread[:, p, p] + noise[p, p]))


def attenuation_unknown(setting: Setting, p: int) -> Iterator[Reason]:
    """Yield that least squares is pulled to 0, where nothing says by how much."""
    noise = float(setting.data.cov[:, p, p].mean())
    spread = float(raw_spread(setting.data, setting.intercept)[p, p])
    if noise > 0 and spread > 0:
        yield Reason(
            "attenuation",
            f"Noise in the estimated effects on {setting.data.mediators[p]} is taken for real: it "
            f"pulls the slope towards 0. Its variance is {noise / spread:.2f} times that of the "
            "estimates, so by how much cannot be told.",
            1 - noise / spread,
        )


def _extrapolation(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    """Put the true curve of answers by added noise through SIMEX's parabola."""
    if estimate.name not in SIMEX or reference.spread is None:
        return
    data, at = setting.data, np.array([0.0, *LAMBDAS])
    noise = sampling_noise(data, np.ones(data.n_rows))
    # What the published form leaves out is a reason of its own.
    cross = data.cov[:, :-1, -1].mean(axis=0) * (estimate.name == SIMEX[0])
    curve = [
        expected_ols_slopes(
            reference.slopes, reference.spread, (1 + more) * noise, (1 + more) * cross
        )[:, p]
        for more in at
    ]
    reached = float(np.median(np.polyval(np.polyfit(at, np.array(curve), 2), -1.0)))
    slope = float(reference.slope[p])
    if abs(reached - slope) <= WORTH_SAYING * reference.sd[p] or number(reached) == number(slope):
        return
    kept = float(np.median(_reliability(reference.spread, noise, p)))
    yield Reason(
        "extrapolation",
        f"Its parabola does not take off all noise where reliability is low: at λ = {kept:.2f} a "
        f"slope of {number(slope)} would look like {number(reached)}.",
        reached / slope if slope else math.nan,
    )


def _ignored_covariance(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    data, name = setting.data, estimate.name
    cross = data.cov[:, p, -1]
    if not data.covariance_given or not cross.any():
        return
    weight = np.ones(data.n_rows)
    if is_least_squares(data, name):
        weight = least_squares_weight(data, name, setting.intercept)
        noise = np.tensordot(weight, data.cov[:, :-1, -1], axes=1)
        square = _weighted_square(data, weight, setting.intercept)
        moved = float(np.linalg.solve(square, noise)[p])
    else:
        partner = setting.estimates.get(WITH_COVARIANCE.get(name, ""))
        if partner is None or not partner.defined:
            return
        moved = float(estimate.slope[p] - partner.slope[p])
    if abs(moved) > WORTH_SAYING * reference.sd[p]:
        mean = number(float(weight @ cross / weight.sum()))
        yield Reason(
            "ignored_covariance",
            f"The covariance of each site's two errors (on average {mean}) is left out and passes "
            f"for a slope: it moves the estimate by {moved:+.3g}.",
            moved,
        )


def _weighted_square(data: SiteEstimates, weight: Floats, intercept: bool) -> Floats:
    mediator = data.mediator_effect
    if intercept:
        mediator = mediator - weight @ mediator / weight.sum()
    return np.asarray((weight[:, None] * mediator).T @ mediator)


def _other_reliability(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate
) -> Iterator[Reason]:
    """Compare the reliabilities used, where the reference's brings the estimate nearer to it."""
    kind, data = variance_kind(estimate.name), setting.data
    if kind is None or data.n_mediators > 1 or not setting.intercept or reference.spread is None:
        return
    noise = sampling_noise(data, np.ones(data.n_rows))
    variance = VARIANCES[kind](data.mediator_effect[:, 0], data.cov[:, 0, 0]).variance
    own = variance / (variance + float(noise[0, 0]))
    theirs = float(np.median(_reliability(reference.spread, noise, 0)))
    slope, target = float(estimate.slope[0]), float(reference.slope[0])
    if abs(slope * own / theirs - target) < (1 - AGREES) * abs(slope - target):
        yield Reason(
            "other_reliability",
            f"Corrects with a reliability of {own:.2f}; {reference.words} has {theirs:.2f}, with "
            f"which it would be {number(slope * own / theirs)}.",
            own,
        )
