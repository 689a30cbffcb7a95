"""Lines of a trial with an instrument of the mediator and types of persons (Kim 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bayesmed.checks.assumptions.line import (
    NOTHING,
    LedgerLine,
    Sensitivity,
    judged,
    relaxed,
    untestable,
)
from bayesmed.checks.assumptions.summaries import summary
from bayesmed.checks.assumptions.tipping import tipping_point, tipping_sentence
from bayesmed.checks.result import CheckResult
from bayesmed.core.names import ARM, ARM_SLOPE, CHAIN, DRAW, TYPE_SHARE
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.effects import Effects, effects
from bayesmed.effects.trials.principal_strata import NIE_GAP
from bayesmed.generative import PrincipalStrata
from bayesmed.inference import TrialFit
from bayesmed.priors import Prior

__all__ = ["of_principal_strata"]


def of_principal_strata(
    fit: TrialFit, model: PrincipalStrata, results: Sequence[CheckResult]
) -> Iterator[LedgerLine]:
    """Yield the assumptions of Kim (2022), as the model has them."""
    assert isinstance(fit.data, TrialCells)
    own = effects(fit)
    yield judged("relevance", results)
    yield judged("random_instrument", results)
    yield judged("instrument_exclusion", results, _direct(own, fit.data))
    yield _in_treatment(own, model, results)
    yield _in_instrument(own, model, results)
    yield _alike(own, model)
    if not model.saturated:
        yield untestable("normal_types", "Some types of persons meet no data.")


def _direct(own: Effects, cells: TrialCells) -> Sensitivity:
    """Find the direct effect of the instrument that would change the answer in some arm.

    A slope by instrument moves by it over the share of persons the instrument moves.
    """
    moved = cells.mediator_mean[..., 1] - cells.mediator_mean[..., 0]  # (S, d)
    if not moved.all():
        return NOTHING
    tilt = (cells.stratum_share[:, None] / moved).sum(axis=0)
    slopes = own.draws[ARM_SLOPE].transpose(CHAIN, DRAW, ARM)
    arms = [str(arm) for arm in slopes[ARM].to_numpy()]
    at = slopes.to_numpy().reshape(-1, 2) / tilt
    points = [(tipping_point(at[:, d], tilt[d]), arms[d]) for d in range(2)]
    known = [(point, arm) for point, arm in points if point is not None]
    if not known:
        return NOTHING
    told = [pair for pair in known if not pair[0].includes] or known
    found, arm = min(told, key=lambda pair: abs(pair[0].value))
    what = f"an effect of {cells.instrument} by other ways of {{}}"
    of = f"the slope by {cells.instrument} in arm {arm}"
    return tipping_sentence(found, "in units of the outcome", what, of=of)


def _in_treatment(
    own: Effects, model: PrincipalStrata, results: Sequence[CheckResult]
) -> LedgerLine:
    code = "monotone_in_treatment"
    if model.saturated or (model.monotone_in in ("treatment", "both") and not model.defiers):
        return judged(code, results)
    falls = (model.types[:, 1] < model.types[:, 0]).any(axis=-1)
    found = summary(_share(own, falls), "share of persons", "The share who lose it is")
    return relaxed(code, f"Treatment may take the mediator away{_from(model)}.", found)


def _in_instrument(
    own: Effects, model: PrincipalStrata, results: Sequence[CheckResult]
) -> LedgerLine:
    code = "monotone_in_instrument"
    if model.saturated or not model.falling:
        return judged(code, results)
    falls = (model.types[..., 1] < model.types[..., 0]).any(axis=-1)
    found = summary(_share(own, falls), "share of persons", "The share who lose it is")
    return relaxed(code, f"The instrument may take the mediator away{_from(model)}.", found)


def _from(model: PrincipalStrata) -> str:
    if model.defiers:
        return f" from some of the {model.defiers:g} of all persons who defy monotonicity"
    return " from some types of persons"


def _share(own: Effects, which: Any) -> Floats:
    """(n,) the share of some types of persons."""
    shares = own.draws[TYPE_SHARE].transpose(CHAIN, DRAW, "type").to_numpy()
    return np.asarray(shares.reshape(-1, shares.shape[-1])[:, which].sum(axis=1))


def _alike(own: Effects, model: PrincipalStrata) -> LedgerLine:
    code, spread = "equal_type_effects", model.heterogeneity
    if model.saturated:
        text = "The model has no types, and calls its effects those of instrumental variables."
        return untestable(code, text)
    if not isinstance(spread, Prior) and spread == 0:
        return untestable(code, "The model takes it as true: data would hardly tell.")
    how = f"with the prior {spread}" if isinstance(spread, Prior) else f"{spread:g}"
    gap = own.draws[NIE_GAP].transpose(CHAIN, DRAW, ARM)
    arms = [str(arm) for arm in gap[ARM].to_numpy()]
    values = gap.to_numpy().reshape(-1, len(arms))
    found = [
        summary(
            values[:, d],
            "instrumental variables less natural indirect effect",
            f"In arm {arm} instrumental variables less the natural indirect effect is",
        )
        for d, arm in enumerate(arms)
    ]
    said = " ".join(one.sentence for one in found)
    reason = f"Effects vary between types with a standard deviation σ_het, {how}."
    return relaxed(code, reason, found[-1]._replace(sentence=said))
