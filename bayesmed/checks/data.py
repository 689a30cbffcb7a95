"""Whether the data can answer at all, and what was taken on trust."""

from __future__ import annotations

import numpy as np

from bayesmed.checks.result import CheckResult
from bayesmed.core.errors import BayesmedError
from bayesmed.core.names import MEDIATOR_EFFECT_SD, SLOPE
from bayesmed.formulas.site_slope import reliability
from bayesmed.inference import Fit, exact_posterior
from bayesmed.inference.exact import Mode, sampled_modes

# Posterior medians of the reliability of the mediator effects.
NO_RELIABILITY = 0.05
LOW_RELIABILITY = 0.3
# Second modes are a matter of few sites; up to here quadrature finds them in a tenth of a second.
FEW_SITES = 200


def spread_of_mediator_effects(fit: Fit) -> CheckResult:
    r"""Judge whether mediator effects differ across sites at all (:math:`\lambda` against 0)."""
    sd = np.asarray(fit.tree["posterior"][MEDIATOR_EFFECT_SD])
    value = float(np.median(reliability(sd, float(np.mean(fit.data.mediator_se**2)))))
    title = "Mediator effects differ across sites (reliability)"
    if value < NO_RELIABILITY:
        reason = (
            f"These data cannot answer, because only {value:.1%} of the variance of the estimated "
            "mediator effects is true difference between sites; the rest is sampling error. The "
            "slope below is little more than its prior."
        )
        return CheckResult("reliability", title, "failed", reason, value)
    reason = f"{value:.0%} of the variance of the estimated mediator effects is true difference"
    if value < LOW_RELIABILITY:
        reason += ", so the prior of their spread matters: vary it."
        return CheckResult("reliability", title, "doubtful", reason, value)
    return CheckResult("reliability", title, "passed", reason + ".", value)


def sampling_covariance(fit: Fit) -> CheckResult:
    """Say whether the covariance of each site's two estimates was given."""
    title = "Sampling covariance of each site's two estimates is known"
    if not fit.data.covariance_given:
        reason = (
            "It was not given and was taken as 0. Both estimates come from the same persons, so "
            "it is rarely 0, and a positive one biases the slope upwards: give cov or corr."
        )
        return CheckResult("sampling_covariance", title, "doubtful", reason)
    return CheckResult("sampling_covariance", title, "passed", "It was given and used.")


def slope_modes(fit: Fit) -> CheckResult:
    """Look for a second mode of the slope."""
    modes = _modes(fit)
    title = "The slope has one most probable region"
    if len(modes) < 2:
        return CheckResult("slope_modes", title, "passed", f"One mode, near {modes[0].at:.3g}.", 1)
    listed = " and ".join(f"{m.at:.3g} (probability {m.probability:.0%})" for m in modes)
    reason = f"The posterior of the slope has {len(modes)} modes, near {listed}: report them all."
    return CheckResult("slope_modes", title, "doubtful", reason, float(len(modes)))


def _modes(fit: Fit) -> tuple[Mode, ...]:
    if "quadrature" in fit.tree.children:
        found = fit.tree["quadrature"].to_dataset()
        pairs = zip(found["slope_mode"].values, found["slope_mode_probability"].values, strict=True)
        return tuple(Mode(float(at), float(p)) for at, p in pairs)
    if fit.data.n_rows <= FEW_SITES:
        try:
            return exact_posterior(fit.model, fit.data).modes()
        except BayesmedError:
            pass  # these priors cannot be integrated: the draws have to do
    return sampled_modes(np.asarray(fit.tree["posterior"][SLOPE]).ravel())


def notes(fit: Fit) -> list[CheckResult]:
    """Turn the notes made while reading the data into results."""
    return [
        CheckResult(f"data_note_{i}", "Data as read", "doubtful", note)
        for i, note in enumerate(fit.data.notes, start=1)
    ]
