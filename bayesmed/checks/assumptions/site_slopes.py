"""Lines on how slopes differ between sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bayesmed.checks.assumptions.line import LedgerLine, Sensitivity, judged, relaxed, untestable
from bayesmed.checks.assumptions.site_draws import by_mediator
from bayesmed.checks.assumptions.site_numbers import related_slopes
from bayesmed.checks.assumptions.summaries import summary
from bayesmed.checks.result import CheckResult
from bayesmed.core.names import (
    CHAIN,
    DRAW,
    MEDIATOR,
    MEDIATOR_EFFECT_SLOPE_CORR,
    OTHER_MEDIATOR,
    SLOPE_LINEAR,
    SLOPE_SD,
)
from bayesmed.core.types import Floats
from bayesmed.inference import Fit

__all__ = ["of_slopes"]


def of_slopes(fit: Fit, results: Sequence[CheckResult]) -> Iterator[LedgerLine]:
    """Yield whether slopes are one, go with mediator effects, and are normal."""
    match fit.model.slope:
        case "constant":
            yield judged("one_slope", results)
            yield judged("slopes_unrelated", results, related_slopes(fit))
        case "polynomial":
            change = _of_mediators(
                fit,
                by_mediator(fit, SLOPE_LINEAR),
                "change of the slope by a unit of mediator effect",
                "Where the effect on {} is 0, a unit more of it changes the slope by",
            )
            how = "The slope changes with the mediator effect as a parabola."
            yield relaxed("one_slope", how, change)
            yield relaxed("slopes_unrelated", how, change)
            yield judged("parabola", results)
        case _:
            yield from _random(fit, results)


def _random(fit: Fit, results: Sequence[CheckResult]) -> Iterator[LedgerLine]:
    spread = _of_mediators(
        fit,
        by_mediator(fit, SLOPE_SD),
        "standard deviation of slopes",
        "Slopes of {} differ by a standard deviation of",
    )
    yield relaxed("one_slope", "Slopes differ between sites.", spread)
    known = fit.model.known_compliance
    if known is not None:
        how = f"The correlation of slopes with effects on their mediator is taken to be {known:g}."
        text = "The answer holds at this correlation, which these data may speak against."
        yield relaxed("slopes_unrelated", how, Sensitivity(known, "known correlation", text))
    elif fit.model.related(fit.data) == "effects":
        corr = _of_mediators(
            fit,
            _own_correlations(fit),
            "correlation of slopes with mediator effects",
            "Slopes of {} and effects on it are correlated by",
        )
        how = "Slopes may go with mediator effects, along straight lines."
        yield relaxed("slopes_unrelated", how, corr)
    else:
        yield judged("slopes_unrelated", results, related_slopes(fit))
    yield judged("normal_slopes", results)
    if fit.data.n_mediators == 1:
        return
    jointly = known is None and fit.model.related(fit.data) == "effects"
    if not (jointly or fit.model.slopes_together(fit.data)):
        yield untestable("slopes_apart", "Few sites hardly tell correlations of slopes.")
    else:
        how = "Slopes of different mediators may be correlated in any way."
        text = "Their correlations are among the parameters, averaged over."
        yield relaxed("slopes_apart", how, Sensitivity(None, "", text))


def _own_correlations(fit: Fit) -> Floats:
    """(n, P) draws of how each slope goes with the effects on its own mediator."""
    drawn = fit.tree["posterior"][MEDIATOR_EFFECT_SLOPE_CORR]
    values = drawn.transpose(CHAIN, DRAW, MEDIATOR, OTHER_MEDIATOR).values
    return np.asarray(np.diagonal(values, axis1=-2, axis2=-1).reshape(-1, values.shape[-1]))


def _of_mediators(fit: Fit, draws: Floats, quantity: str, what: str) -> Sensitivity:
    """Summarise a parameter of each mediator, its name in the sentence; the largest stands."""
    names = fit.data.mediators
    found = [
        summary(own, quantity, what.format(name)) for own, name in zip(draws.T, names, strict=True)
    ]
    chief = max(found, key=lambda one: abs(one.number or 0.0))
    said = " ".join(one.sentence for one in found)
    return Sensitivity(chief.number, f"{'largest ' * (len(names) > 1)}{quantity}", said)
