"""Why estimates differ from the reference, estimator by estimator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from bayesmed.classical import ClassicalEstimate, bces
from bayesmed.classical.heterogeneity import ESTIMATORS as VARIANCES
from bayesmed.classical.random_effects import NAMES as RANDOM_EFFECTS
from bayesmed.core.numbers import number
from bayesmed.data import SiteEstimates
from bayesmed.effects.comparison import POSTERIOR, Difference, Reason
from bayesmed.effects.lines import (
    K_CLASS,
    LIML,
    ON_PERSONS,
    SITE_LINES,
    TWO_STAGES,
    is_least_squares,
    least_squares_weight,
    sampling_noise,
)
from bayesmed.effects.noise_differences import (
    AGREES,
    about_noise,
    attenuation_unknown,
    variance_kind,
)
from bayesmed.effects.person_differences import excess_over_chance, least_scatter
from bayesmed.effects.reference import WORTH_SAYING, Reference, Setting, raw_spread

NEAR = 2.0
"""Standard errors within which an estimate's own error explains its distance."""
NARROW = 0.5
"""Intervals below this share of the posterior's are worth a sentence."""
WEIGHTS: Mapping[str, str] = {
    "WLS": "1/se² of the total effects",
    RANDOM_EFFECTS["common"]: "1/(τ + se²), se that of the total effects",
    RANDOM_EFFECTS["slopes"]: "1/(τ × mediator effect² + se²), se that of the total effects",
    TWO_STAGES: "persons times the shares with and without treatment",
}


type Reasons = Callable[[ClassicalEstimate, int], Iterable[Reason]]


def differences(setting: Setting, more: Reasons) -> Iterator[Difference]:
    """Yield the reasons why estimates differ from the reference, estimator by estimator.

    Parameters
    ----------
    setting
        Estimates and reference.
    more
        Returns further reasons for the slope of an estimate on one mediator that differs.
    """
    for estimate in setting.estimates.values():
        for p, mediator in enumerate(setting.data.mediators):
            for reason in _of_one(setting, estimate, p, more):
                yield Difference(estimate.name, mediator, *reason)


def _of_one(
    setting: Setting, estimate: ClassicalEstimate, p: int, more: Reasons
) -> Iterator[Reason]:
    reference = setting.reference
    if not estimate.defined:
        yield _undefined(setting, estimate)
        return
    if reference is None:
        if estimate.name in SITE_LINES:
            yield from attenuation_unknown(setting, p)
        return
    if estimate.name == reference.name:
        return
    distance = float(estimate.slope[p] - reference.slope[p])
    if abs(distance) <= AGREES * reference.sd[p]:
        sds = distance / reference.sd[p]
        text = f"Agrees with {reference.words} to within {AGREES:g} {reference.unit}."
        yield Reason("agrees", text, sds)
        yield from _narrower(setting, reference, estimate, p)
        return
    reasons = [
        *about_noise(setting, reference, estimate, p),
        *_weights(setting, reference, estimate, p),
        *_different_target(setting, reference, estimate, p),
        *least_scatter(setting, estimate),
        *more(estimate, p),
    ]
    if not reasons and setting.data.n_mediators == 1:
        reasons = [*_direct_effects_denied(setting, reference, estimate)]
    yield from reasons or [_own_error(reference, estimate, p)]


def _narrower(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    """Say where an estimate that agrees with the posterior claims to know far more."""
    if reference.name != POSTERIOR:
        return
    low, high = np.quantile(reference.slopes[:, p], (0.025, 0.975))
    width = float(estimate.interval_high[p] - estimate.interval_low[p])
    if width < NARROW * (high - low):
        text = (
            "The 95 % interval is less than half as wide as that of the posterior: the doubt about "
            f"noise and spread that {setting.data.n_rows} sites leave is not in it."
        )
        yield Reason("narrower", text, width / float(high - low))


def _undefined(setting: Setting, estimate: ClassicalEstimate) -> Reason:
    """Say why there is no answer, with the number that has the wrong sign, or is 0."""
    data, name = setting.data, estimate.name
    text = f"Not defined: {estimate.reason}"
    mediator, variance = data.mediator_effect[:, 0], data.cov[:, 0, 0]
    if name == "Bias-corrected IV" and variance.all() and mediator.any():
        f = float(np.mean(mediator**2 / variance))
        return Reason("undefined_denominator", f"{text}.", f - 1)
    if name == K_CLASS and "chance" in estimate.reason:
        return Reason("undefined_denominator", f"{text}.", excess_over_chance(setting))
    kind = variance_kind(name)
    weightless = kind == "dersimonian_laird" and not variance.all()
    if kind is None or weightless or not raw_spread(data, setting.intercept).any():
        return Reason("not_defined", f"{text}.", 0.0)
    if data.n_mediators > 1 or not setting.intercept:
        left = raw_spread(data, setting.intercept) - sampling_noise(data, np.ones(data.n_rows))
        value = float(np.linalg.eigvalsh(left)[0])
    else:
        value = VARIANCES[kind](mediator, variance).variance
    text += f" (estimated variance {number(value)})."
    return Reason("undefined_denominator", text, value)


def _weights(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    unweighted = setting.estimates["OLS"]
    known = estimate.name in WEIGHTS and is_least_squares(setting.data, estimate.name)
    if known and unweighted.defined:
        moved = float(estimate.slope[p] - unweighted.slope[p])
        if abs(moved) > AGREES * reference.sd[p]:
            text = f"Its weights, {WEIGHTS[estimate.name]}, move it from OLS by {moved:+.3g}."
            yield Reason("weights", text, moved)


def _different_target(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    """Say what a mean direct effect adds to a line through the origin."""
    # On persons each of several arms has a direct effect of its own.
    through_origin = math.isnan(estimate.intercept)
    several_arms = setting.intercept and through_origin and estimate.name in ON_PERSONS
    if several_arms or through_origin == math.isnan(reference.intercept):
        return
    if not through_origin:
        yield Reason(
            "different_target",
            f"Its line has an intercept, {number(estimate.intercept)}; that of {reference.words} "
            "goes through the origin.",
            estimate.intercept,
        )
        return
    direct, data = reference.intercept, setting.data
    says = (
        f"Takes the {reference.constant} to be 0. {_capital(reference.words)} puts it at "
        f"{number(direct)}, which"
    )
    if estimate.name == "Pooled Wald":
        mean = float(data.weight @ data.mediator_effect[:, 0])
        added = direct / mean
        says += f" at a mean effect of {number(mean)} on {data.mediators[0]}"
    elif not _constant_is_told(data, estimate.name):
        return
    else:
        added = direct * _slope_of_a_constant(data, estimate.name)[p]
    if abs(added) > WORTH_SAYING * reference.sd[p]:
        yield Reason("different_target", f"{says} adds {number(added)} to the slope.", added)


def _constant_is_told(data: SiteEstimates, name: str) -> bool:
    """Whether it is known what an estimator through the origin makes of a constant."""
    if name not in ON_PERSONS:
        return True
    return name != LIML and is_least_squares(data, TWO_STAGES)


def _slope_of_a_constant(data: SiteEstimates, name: str) -> list[float]:
    """Return what a total effect of 1 at every site adds to slopes through the origin: P."""
    weight = least_squares_weight(data, name, intercept=False)
    if name == "Bias-corrected IV":
        weight = 1 / data.cov[:, 0, 0]
    square = (weight[:, None] * data.mediator_effect).T @ data.mediator_effect
    if not is_least_squares(data, name):
        square = square - weight.sum() * sampling_noise(data, weight)
    found: list[float] = np.linalg.solve(square, weight @ data.mediator_effect).tolist()
    return found


def _direct_effects_denied(
    setting: Setting, reference: Reference, estimate: ClassicalEstimate
) -> Iterator[Reason]:
    """Say that lines through the origin differ because the data have an intercept."""
    if not (math.isnan(estimate.intercept) and math.isnan(reference.intercept)):
        return
    line = bces(setting.data)
    if line.defined and abs(line.intercept) > NEAR * line.intercept_se:
        yield Reason(
            "different_target",
            "Both take direct effects to be 0, but with an intercept BCES has one of "
            f"{number(line.intercept)} (standard error {number(line.intercept_se)}), which each "
            "turns into slope in its own way.",
            line.intercept,
        )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _own_error(reference: Reference, estimate: ClassicalEstimate, p: int) -> Reason:
    distance = float(estimate.slope[p] - reference.slope[p])
    text = f"Lies {number(float(abs(distance) / reference.sd[p]))} {reference.unit} away"
    errors = abs(distance) / float(estimate.slope_se[p])
    if errors <= NEAR:
        text += f", {number(errors)} of its own standard errors: chance may do it."
        return Reason("own_error", text, errors)
    return Reason("unexplained", f"{text}; none of the reasons computed here applies.", distance)
