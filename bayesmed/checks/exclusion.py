"""Whether an instrument can be as good as random and act through the mediator alone."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmed.checks.monotonicity import labels
from bayesmed.checks.outcome_sets import DRAWS, OutcomeCounts, counted_outcomes, probabilities
from bayesmed.checks.result import CheckResult
from bayesmed.checks.thresholds import UNLIKELY
from bayesmed.core.names import ARM, DRAW, MEDIATOR_VALUE, STRATUM
from bayesmed.core.numbers import number
from bayesmed.core.seeds import stream
from bayesmed.data import TrialCells
from bayesmed.formulas.instrument_inequalities import pearl_sums, split_sums
from bayesmed.inference import TrialFit

__all__ = ["EXCLUSION", "exclusion"]

EXCLUSION = "exclusion"
_BY = (STRATUM, ARM, MEDIATOR_VALUE)


def exclusion(fit: TrialFit) -> CheckResult:
    r"""Judge Pearl's instrumental inequality, which needs no monotone mediator.

    Pearl's sum is the largest of many (`split_sums`), and that is too large by chance: where nearly
    everybody has the mediator its posterior lies above 1 though every assumption holds. So the
    draws of all of them make a simultaneous one-sided band, and what is judged is the largest level
    1 − p at which it still leaves one above 1. Of a single sum p is the probability that it is at
    most 1. Sums more than :math:`\sqrt{\log n}` posterior standard deviations below 1 are left out
    (Andrews and Soares 2010).
    """
    data = fit.data
    assert isinstance(data, TrialCells)
    names = data.names
    title = f"{data.instrument} can be random and act on {names.outcome} through {names.mediator}"
    title += " alone (Pearl's inequality)"
    counts = counted_outcomes(data)
    if counts.values == 1:
        text = (
            "Not applicable, because any means and variances are possible: it needs an outcome of "
            "0 and 1, or persons' outcomes (keep_outcomes=True)."
        )
        return CheckResult(EXCLUSION, title, "not applicable", text)
    arrays = _posterior(data, counts, stream(fit.seed, "exclusion"))
    p, largest = float(arrays["simultaneous_p"]), arrays["sum"]
    s, d, m = np.unravel_index(int(largest.values.argmax()), largest.shape)
    assert names.arms is not None
    where = f"{names.mediator} = {m} and {names.treatment} = {names.arms[d]}"
    where += f", stratum {data.stratum[s]}" if data.n_strata > 1 else ""
    text = (
        f"The largest of {largest.size} sums is {number(float(largest.max()))} at {where}, and "
        f"should be at most 1 (probability {number(p)}, all sums allowed for)"
    )
    if p >= UNLIKELY:
        text += ": the data do not speak against it; many direct effects of the instrument pass."
        return CheckResult(EXCLUSION, title, "passed", text, p, arrays=arrays)
    text += (
        f". {data.instrument} moves {names.outcome} in another way too, or is not as good as "
        f"random; then it says nothing about the effect of {names.mediator}."
    )
    return CheckResult(EXCLUSION, title, "doubtful", text, p, arrays=arrays)


def _posterior(data: TrialCells, counts: OutcomeCounts, rng: np.random.Generator) -> xr.Dataset:
    """Label Pearl's sums with their posterior, and find the level of the band."""
    by_stratum, furthest, above = [], np.full(DRAWS, -np.inf), -np.inf
    for count in counts.count:
        drawn = probabilities(count, rng)
        by_stratum.append(pearl_sums(drawn))
        split = split_sums(drawn)
        middle, spread = split.mean(axis=0), split.std(axis=0)
        beyond = (middle - 1) / spread
        near = beyond >= -np.sqrt(np.log(max(count.sum(), 2.0)))
        apart = np.where(near, (split - middle) / spread, -np.inf)
        furthest = np.maximum(furthest, apart.max(axis=(1, 2, 3)))
        above = max(above, float(beyond.max()))
    none_near = np.isneginf(furthest).all()
    sums = np.stack(by_stratum, axis=1)  # (draw, S, d, m)
    low, high = np.quantile(sums, [0.025, 0.975], axis=0)
    share = counts.count / data.persons[..., None, None]
    return xr.Dataset(
        {
            "sum": (_BY, pearl_sums(share)),
            "sum_low": (_BY, low),
            "sum_high": (_BY, high),
            "probability": (_BY, (sums <= 1).mean(axis=0)),
            "largest_sum": (DRAW, sums.max(axis=(1, 2, 3))),
            "simultaneous_p": 1.0 if none_near else float((furthest >= above).mean()),
        },
        coords=labels(data),
    )
