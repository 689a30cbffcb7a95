"""Whether the mediator can be monotone in instrument and treatment, by what that rules out."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayesmed.checks.outcome_sets import (
    DRAWS,
    SETS,
    OutcomeCounts,
    counted_outcomes,
    probabilities,
)
from bayesmed.checks.predictive import REPLICATE
from bayesmed.checks.result import CheckResult, Status
from bayesmed.checks.thresholds import SURPRISING, UNLIKELY
from bayesmed.checks.violations import Violations, at_the_edge, in_replicas, violations
from bayesmed.core.names import ARM, DRAW, INSTRUMENT, MEDIATOR_VALUE, STRATUM
from bayesmed.core.numbers import number
from bayesmed.core.seeds import stream
from bayesmed.core.types import Floats
from bayesmed.core.words import p_value
from bayesmed.data import TrialCells
from bayesmed.formulas.instrument_inequalities import kitagawa_differences
from bayesmed.inference import TrialFit

__all__ = ["IN_INSTRUMENT", "IN_TREATMENT", "monotone_in_instrument", "monotone_in_treatment"]

IN_INSTRUMENT, IN_TREATMENT = "monotone_in_instrument", "monotone_in_treatment"
_BY_SET = (STRATUM, ARM, MEDIATOR_VALUE, SETS)
_VALUES = ("0", "1")
_SURE = 2
"""Standard errors beyond which the mediator is said to fall in an arm."""


def monotone_in_instrument(fit: TrialFit) -> CheckResult:
    """Look for what Kim's assumption 4 and exclusion rule out (Kitagawa 2015; Huber and Mellace).

    The largest violation, in standard errors, is compared with tables in which inequalities are
    equalities (`violations.at_the_edge`). A model that is monotone in the instrument gives its
    posterior predictive p too. That one is too small where the instrument moves hardly anybody,
    because priors of shares leave some who are moved in every replica; so of counts the larger of
    both is judged. Of moments it only stands in the arrays: standard deviations of cells are
    parameters of their own there, so that replicas need not obey the bounds of means.
    """
    data, model = _cells(fit), _model(fit)
    rng = stream(fit.seed, "monotone in instrument")
    counts = counted_outcomes(data)
    found = violations(data, counts)
    edge = at_the_edge(data, found, counts, rng)
    arrays = _of_sets(data, counts, found, rng).assign(
        observed=float(found.largest), replicated=(REPLICATE, edge)
    )
    p = _share_as_large(edge, float(found.largest))
    arrays["at_the_edge_p"] = p
    chance = p_value(p)
    if not model.saturated and not model.falling:
        observed, replicas = in_replicas(fit, counts)
        predictive = _share_as_large(replicas, observed)
        arrays = arrays.assign(in_replicas=("replica", replicas), predictive_p=predictive)
        if model.likelihood_for(data) == "counts":
            chance += f", {p_value(predictive)} in the model's replicas"
            p = max(p, predictive)
    title = f"{data.names.mediator} never falls with {data.instrument}, which acts through it alone"
    status: Status = "doubtful" if p < SURPRISING else "passed"
    text = _words(data, counts, found, chance, doubtful=p < SURPRISING)
    return CheckResult(IN_INSTRUMENT, title, status, text, p, arrays=arrays)


def monotone_in_treatment(fit: TrialFit) -> CheckResult:
    r"""Give the posterior probabilities that Kim's assumption 3 holds on average, at each z.

    The smallest of J is doubtful below :math:`1-(1-.05)^{1/J}`, which it is in one of twenty data
    sets where all J are equalities (Šidák 1967).
    """
    data, model = _cells(fit), _model(fit)
    rng = stream(fit.seed, "monotone in treatment")
    alpha = 1.0 + data.n
    share = rng.beta(alpha[..., 1], alpha[..., 0], size=(4 * DRAWS, *data.persons.shape))
    difference = share[:, :, 1] - share[:, :, 0]  # (draw, S, z)
    probability = (difference >= 0).mean(axis=0)
    low, high = np.quantile(difference, [0.025, 0.975], axis=0)
    by = (STRATUM, INSTRUMENT)
    arrays = xr.Dataset(
        {
            "probability": (by, probability),
            "difference": (by, data.mediator_mean[:, 1] - data.mediator_mean[:, 0]),
            "difference_low": (by, low),
            "difference_high": (by, high),
        },
        coords={STRATUM: list(data.stratum), INSTRUMENT: list(_VALUES)},
    )
    names, smallest = data.names, float(probability.min())
    title = f"{names.mediator} never falls with {names.treatment}"
    if model.saturated or model.defiers or model.monotone_in not in ("treatment", "both"):
        text = "It is not applicable, because the model does not assume it."
        return CheckResult(IN_TREATMENT, title, "not applicable", text, smallest, arrays=arrays)
    s, z = np.unravel_index(int(probability.argmin()), probability.shape)
    where = f"{data.instrument} = {z}" + _stratum(data, int(s))
    text = (
        f"The probability that the share with {names.mediator} is no lower under treatment is "
        f"{number(smallest)} at {where}, the smallest of {probability.size}"
    )
    if smallest >= 1 - (1 - UNLIKELY) ** (1 / probability.size):
        text += ": averages do not speak against it, though single persons may."
        return CheckResult(IN_TREATMENT, title, "passed", text, smallest, arrays=arrays)
    text += ": the model leaves out persons who lose it by treatment, and there are some."
    return CheckResult(IN_TREATMENT, title, "doubtful", text, smallest, arrays=arrays)


def _share_as_large(made: Floats, seen: float) -> float:
    """Return the p-value of a violation; the data count as one of the tables (Barnard 1963).

    Without a violation it is 1.
    """
    return float((1 + (made >= seen - 1e-9).sum()) / (1 + len(made))) if seen > 0 else 1.0


def _of_sets(
    data: TrialCells, counts: OutcomeCounts, found: Violations, rng: np.random.Generator
) -> xr.Dataset:
    """Label each inequality with its posterior, as if cells were free, and the bounds of means."""
    each, largest = [], np.full(DRAWS, -np.inf)
    for count in counts.count:
        differences = kitagawa_differences(probabilities(count, rng) @ counts.sets.T)
        largest = np.maximum(largest, -differences.min(axis=(1, 2, 3)))
        low, high = np.quantile(differences, [0.025, 0.975], axis=0)
        each.append(np.stack([low, high, (differences >= 0).mean(axis=0)]))
    low, high, probability = np.stack(each, axis=1)
    shares = counts.count @ counts.sets.T / data.persons[..., None, None]
    variables: dict[str, Any] = {
        "difference": (_BY_SET, kitagawa_differences(shares)),
        "difference_low": (_BY_SET, low),
        "difference_high": (_BY_SET, high),
        "probability": (_BY_SET, probability),
        "violation": (_BY_SET, found.sets),
        "largest_violation": (DRAW, largest),
    }
    if (bounds := found.bounds) is not None:
        variables |= {
            "mean_of_unmoved": (_BY_SET[:3], bounds.mean),
            "mean_low": (_BY_SET[:3], bounds.low),
            "mean_high": (_BY_SET[:3], bounds.high),
            "mean_violation": (_BY_SET[:3], bounds.violation),
        }
    return xr.Dataset(variables, coords=labels(data) | {SETS: list(counts.names)})


def labels(data: TrialCells) -> dict[str, list[str]]:
    """Return the labels of strata, arms and values of the mediator."""
    assert data.names.arms is not None
    return {STRATUM: list(data.stratum), ARM: list(data.names.arms), MEDIATOR_VALUE: list(_VALUES)}


def _words(
    data: TrialCells, counts: OutcomeCounts, found: Violations, chance: str, *, doubtful: bool
) -> str:
    largest = float(found.largest)
    if largest <= 0:
        return "No inequality is violated in these data, which is no proof of the assumption."
    text = f"{_worst(data, counts, found)} ({number(largest)} standard errors; {chance})"
    if not doubtful:
        return f"{text}: no more than chance allows, which is no proof of the assumption."
    text += (
        f". Some persons' {data.names.mediator} falls with {data.instrument}, or it acts in "
        f"another way too; then its slope is no effect of {data.names.mediator} on anyone."
    )
    if found.sets[..., 1, -1].min() > _SURE:  # of any outcome
        text += f" It lowers {data.names.mediator} everywhere: swap its values."
    return text


def _worst(data: TrialCells, counts: OutcomeCounts, found: Violations) -> str:
    """Say which inequality is violated most, with its numbers."""
    names, bounds = data.names, found.bounds
    assert names.arms is not None
    if bounds is not None and np.nanmax([-np.inf, *bounds.violation.ravel()]) == found.largest:
        s, d, m = np.unravel_index(int(np.nanargmax(bounds.violation)), bounds.violation.shape)
        low, high = number(bounds.low[s, d, m]), number(bounds.high[s, d, m])
        who = "always" if m else "never"
        return (
            f"The mean {names.outcome} of persons who {who} have {names.mediator} is "
            f"{number(bounds.mean[s, d, m])} and should be {low} to {high} at {names.treatment} = "
            f"{names.arms[d]}{_stratum(data, int(s))}"
        )
    # Shares with and without the mediator say the same of any outcome: the one with it stands.
    flipped = found.sets[..., ::-1, :]
    s, d, m, b = np.unravel_index(int(np.nanargmax(flipped)), flipped.shape)
    m = 1 - m
    persons = counts.count[s, d, :, m] @ counts.sets[b]
    before, after = persons / data.persons[s, d]
    which = "" if b == len(counts.names) - 1 else f"{counts.names[b]}, "
    return (
        f"P({which}{names.mediator} = {m}) {'falls' if m else 'rises'} with {data.instrument} from "
        f"{number(before)} to {number(after)} at {names.treatment} = {names.arms[d]}"
        f"{_stratum(data, int(s))}"
    )


def _stratum(data: TrialCells, s: int) -> str:
    return f", stratum {data.stratum[s]}" if data.n_strata > 1 else ""


def _cells(fit: TrialFit) -> TrialCells:
    assert isinstance(fit.data, TrialCells)
    return fit.data


def _model(fit: TrialFit) -> Any:
    return fit.model
