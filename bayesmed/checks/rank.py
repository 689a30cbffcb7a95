"""Whether sites tell several mediators apart."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmed.checks.predictive import REPLICATE, predictive_p
from bayesmed.checks.result import CheckResult
from bayesmed.classical import Strength
from bayesmed.core.names import CHAIN, DRAW, MEDIATOR, MEDIATOR_EFFECT, SITE, SITE_EFFECTS
from bayesmed.core.numbers import number
from bayesmed.core.seeds import stream
from bayesmed.core.types import Floats
from bayesmed.core.words import joined, p_value
from bayesmed.formulas.rank import weakest_combination
from bayesmed.formulas.strength import (
    precision_weight,
    spread_and_noise,
    whitened_singular_values,
)
from bayesmed.inference import Fit

__all__ = ["rank_of_sites"]

REPLICATES = 500
"""Predictions that are compared."""


def rank_of_sites(fit: Fit, found: Strength) -> CheckResult:
    """Judge whether effects on several mediators differ in as many directions.

    The smallest singular value is compared with those of predictions in which the effects of the
    weakest combination of mediators are taken away (methods, section 7): the posterior of the
    value itself never nears 0.
    """
    code, p = "rank", len(found.mediators)
    title = "Sites tell the mediators apart (rank)"
    if found.exact:
        return CheckResult(code, title, "not applicable", f"Not needed: {found.reason}.")
    if not found.defined:
        return CheckResult(code, title, "doubtful", f"They do not: {found.reason}.")
    listed = joined([number(float(v)) for v in found.singular_values])
    numbers = (
        f"singular values {listed} against {number(found.noise_level)} for sampling error alone, "
        f"{p_value(found.rank_p_value)}"
    )
    value = float(found.rank)
    replicated = _without_weakest(fit, found.intercept)
    observed = float(found.singular_values[-1])
    p_of = predictive_p(observed, replicated)
    numbers += f"; predictive without the weakest {p_value(p_of)}"
    arrays = xr.Dataset({"observed": ((), observed), "replicated": ((REPLICATE,), replicated)})
    if found.rank == p:
        text = (
            f"{'Both' if p == 2 else f'All {p}'} directions of their effects stand out ({numbers})."
        )
        return CheckResult(code, title, "passed", text, value, arrays=arrays)
    stand = "stands" if found.rank == 1 else "stand"
    text = f"{found.rank} of {p} directions of their effects {stand} out ({numbers}). "
    text += _untold(found)
    return CheckResult(code, title, "doubtful", text, value, arrays=arrays)


def _without_weakest(fit: Fit, intercept: bool) -> Floats:
    """Smallest singular values of estimates, were the weakest combination of effects without any.

    Effects are draws of the posterior for the sites there are, less their part (about the mean,
    with an intercept) along the direction that stands out of sampling error the least.
    """
    data, rng = fit.data, stream(fit.seed, "rank")
    drawn = fit.tree[SITE_EFFECTS][MEDIATOR_EFFECT].transpose(CHAIN, DRAW, SITE, MEDIATOR)
    effects = drawn.values.reshape(-1, *drawn.shape[2:])
    effects = effects[:: max(1, len(effects) // REPLICATES)]
    cov = data.cov[:, : data.n_mediators, : data.n_mediators]
    weight = precision_weight(cov)
    spread, noise = spread_and_noise(data.mediator_effect, cov, weight, intercept)
    weakest = weakest_combination(spread, noise)
    # The part along it, as sampling errors measure it: N v / v'Nv times v'(effect).
    along = noise @ weakest / (weakest @ noise @ weakest)
    about = effects - effects.mean(axis=1, keepdims=True) if intercept else effects
    flat = effects - (about @ weakest)[..., None] * along
    root = np.linalg.cholesky(cov)
    errors = np.einsum("sij,rsj->rsi", root, rng.standard_normal(flat.shape))
    found = []
    for estimates in flat + errors:
        seen, _ = spread_and_noise(estimates, cov, weight, intercept)
        freedom = float(len(estimates) - intercept)
        found.append(whitened_singular_values(seen, noise, freedom)[-1])
    return np.array(found)


def _untold(found: Strength) -> str:
    """Say which combination of mediators' effects is lost in sampling error, and what follows."""
    names = joined(found.untold)
    does = "does not differ between sites" if found.intercept else "does not differ from 0"
    if len(found.untold) == 1:
        return (
            f"The effect on {names} {does} beyond sampling error: its slope is little more than "
            "its prior."
        )
    if found.combination:
        terms = [
            f"{number(c)} × {mediator}" if abs(c - 1) > 1e-12 else mediator
            for mediator, c in zip(found.untold, found.combination, strict=True)
        ]
        what = f"The effect on {' + '.join(terms).replace('+ -', '− ')} {does}"
    else:
        missing = len(found.mediators) - found.rank
        what = f"In {missing} combinations of {names} the effect {does}"
    return (
        f"{what} beyond sampling error: the slopes of {names} are not told apart, and lean on "
        "their priors."
    )
