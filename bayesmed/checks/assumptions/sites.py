"""Lines of models of sites, as they are configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bayesmed.checks.assumptions.additions import equal_addition
from bayesmed.checks.assumptions.common import of_every_study
from bayesmed.checks.assumptions.line import (
    NOTHING,
    LedgerLine,
    by_design,
    judged,
    relaxed,
    untestable,
)
from bayesmed.checks.assumptions.site_numbers import error_correlation, related_direct_effects
from bayesmed.checks.assumptions.site_slopes import of_slopes
from bayesmed.checks.assumptions.summaries import estimated
from bayesmed.checks.result import CheckResult
from bayesmed.core.names import DIRECT_EFFECT_DOF, DIRECT_EFFECT_MEAN, WITHIN_SITE_COVARIANCE
from bayesmed.core.notes import FOUND_APART, FOUND_TWICE
from bayesmed.core.words import joined
from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Fit

__all__ = ["of_sites"]


def of_sites(fit: Fit, results: Sequence[CheckResult]) -> Iterator[LedgerLine]:
    """Yield every assumption of a model of sites."""
    yield from of_every_study(fit.data.notes)
    if isinstance(fit.model, MultiSiteIV):
        yield untestable(
            "linear_in_treatment",
            "It holds where treatment is given or not; estimates do not say whether it is.",
        )
        yield untestable(
            "linear_in_mediator",
            "It holds where mediators are there or not; otherwise only persons' rows could tell.",
        )
    yield judged("relevance", results)
    yield _exclusion(fit, results)
    yield _within_sites(fit, results)
    if fit.model.direct_effect:
        yield from _of_direct_effects(fit, results)
    yield from of_slopes(fit, results)
    if fit.data.n_mediators > 1:
        yield untestable(
            "parallel_mediators", "Estimates of total effects are the same in any order of them."
        )
    yield from _of_estimates(fit, results)


def _exclusion(fit: Fit, results: Sequence[CheckResult]) -> LedgerLine:
    if not fit.model.direct_effect:
        return judged("exclusion", results, equal_addition(fit))
    found = estimated(fit, DIRECT_EFFECT_MEAN, "Direct effects average")
    return relaxed("exclusion", "The model has direct effects, by other ways.", found)


def _within_sites(fit: Fit, results: Sequence[CheckResult]) -> LedgerLine:
    code, kappa = "within_site_covariance", fit.model.within_site_covariance
    if fit.model.direct_effect:
        found = estimated(
            fit,
            DIRECT_EFFECT_MEAN,
            "Slopes stand, and κ is counted for direct effects, which average",
        )
        return relaxed(
            code,
            "What it adds on average would be among the direct effects, which are free.",
            found,
        )
    if isinstance(kappa, float):
        tilt = equal_addition(fit)
        if kappa == 0:
            return judged(code, results, tilt)
        reason = f"κ is taken to be {kappa:g} at every site, which the data cannot tell."
        text = f"The answer holds at this κ. {tilt.sentence}".strip()
        return relaxed(code, reason, tilt._replace(sentence=text))
    found = estimated(fit, WITHIN_SITE_COVARIANCE, "κ is averaged over: it is")
    return relaxed(code, f"κ has the prior {kappa}, and moves slopes through the origin.", found)


def _of_direct_effects(fit: Fit, results: Sequence[CheckResult]) -> Iterator[LedgerLine]:
    code, model = "direct_effects_unrelated", fit.model
    tipping = related_direct_effects(fit)
    if model.correlation_prior is not None:
        reason = (
            f"Their correlation has the prior {model.correlation_prior}, which data hardly move."
        )
        text = f"The answer is an average over this prior. {tipping.sentence}"
        yield relaxed(code, reason, tipping._replace(sentence=text))
    elif model.correlated:
        reason = (
            f"The correlation is taken to be {model.correlation:g}; these data cannot check it."
        )
        text = f"The answer holds at this correlation. {tipping.sentence}"
        yield relaxed(code, reason, tipping._replace(sentence=text))
    else:
        yield untestable(code, "", tipping)
    if model.interaction:
        yield untestable("level_unrelated", "Estimates do not hold what it would be.")
    if model.robust:
        found = estimated(fit, DIRECT_EFFECT_DOF, "Outlying sites weigh less: ν is")
        yield relaxed("normal_direct_effects", "Direct effects are Student-t.", found)
    else:
        yield judged("normal_direct_effects", results)
    if model.covariates:
        names = joined(model.covariates)
        yield untestable(
            "covariates_in_proportion", f"The model has {names} as shifts of direct effects."
        )


def _of_estimates(fit: Fit, results: Sequence[CheckResult]) -> Iterator[LedgerLine]:
    persons = fit.model.persons(fit.data)
    if persons is not None:
        known = "It follows from the covariance of persons, which is a parameter of the model."
        yield by_design("sampling_covariance", known)
        yield untestable("persons_alike", "Products of persons of all sites are added up.")
    else:
        yield judged("sampling_errors", results)
        if fit.data.covariance_given:
            yield by_design("sampling_covariance", "It came with the estimates, and was used.")
        else:
            yield judged("sampling_covariance", results, error_correlation(fit))
    yield judged("errors_unrelated", results)
    yield untestable("normal_mediator_effects", "")
    yield _independent(fit)
    yield _chosen_apart(fit)


def _chosen_apart(fit: Fit) -> LedgerLine:
    """Say whether the data chose the sites, and by whom."""
    code, notes = "sites_chosen_apart", fit.data.notes
    if any(FOUND_TWICE in note for note in notes):
        reason = "Sites were found among the same persons on whom effects are estimated."
        return replace(untestable(code, reason), status="doubtful")
    if any(FOUND_APART in note for note in notes):
        return by_design(
            code,
            "Sites were found in the data, but nobody's site hangs on their own mediator or "
            "outcome. The answer is that of this random split: other splits give others, and "
            "repeat_sites shows how far apart they are.",
        )
    return by_design(code, "Sites are as the data name them; nothing here chose them.")


def _independent(fit: Fit) -> LedgerLine:
    """Say how rows that share a control group were taken."""
    code, data = "independent_sites", fit.data
    if data.cross_cov:
        return by_design(
            code,
            "Rows that share a control group were taken together, with the covariance of the "
            "whole block; blocks are independent as far as the design says.",
        )
    unknown = data.n_blocks < data.n_rows
    if not unknown and len(set(data.site)) == data.n_rows:
        return by_design(code, "Rows are different sites; that they are independent is design.")
    how = (
        "Some rows share a control group and the covariance between their estimates is not known"
        if unknown
        else "Rows of one site may share a control group"
    )
    shared = data.n_rows - len(np.unique(data.block if unknown else data.site))
    line = untestable(code, "", NOTHING)
    text = f"{how}: they were taken as independent."
    return LedgerLine(
        line.assumption,
        "doubtful",
        text,
        line.consequence,
        float(shared),
        "rows beyond the first of their site",
    )
