"""Parameters, effects and data in words, as every output calls them."""

from __future__ import annotations

from collections.abc import Mapping

from bayesmed.core.names import (
    AVERAGE_SLOPE,
    CORRELATION,
    COVARIATE,
    COVARIATE_EFFECT,
    DIRECT_EFFECT_DOF,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR,
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    MEDIATOR_EFFECT_SLOPE_CORR,
    OTHER_MEDIATOR,
    SLOPE,
    SLOPE_AT_CENTRE,
    SLOPE_CORR,
    SLOPE_LINEAR,
    SLOPE_LINEAR_AT_CENTRE,
    SLOPE_QUADRATIC,
    SLOPE_SD,
    TOTAL_EFFECT_AT_CENTRE,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.words import joined
from bayesmed.data import SiteEstimates
from bayesmed.effects.labels import direct, effect_label
from bayesmed.generative import SiteModel
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.report.trials.words import trial_parameter_label


def parameter_label(fit: Fit | TrialFit, name: str, labels: Mapping[str, str]) -> str:
    """Return an entry of a parameter in words, with its symbol.

    Parameters
    ----------
    fit
        The fit, whose model and data give the words.
    name
        The parameter; a name without words stands for itself.
    labels
        What the entry belongs to, by dim: mediator, other_mediator, covariate.
    """
    if is_trial(fit):
        return trial_parameter_label(fit, name, labels)
    model, data = fit.model, fit.data
    mediator = labels.get(MEDIATOR) or data.mediators[0]
    other, covariate = labels.get(OTHER_MEDIATOR, ""), labels.get(COVARIATE, "")
    several = f" of {mediator}" if data.n_mediators > 1 else ""
    kind = direct(model)
    words = {
        SLOPE: f"{_slope(model)}: {data.outcome} per unit of {mediator}",
        SLOPE_AT_CENTRE: f"Steepness of the curve{several} at the centre",
        SLOPE_LINEAR: f"Change δ₁ of the slope{several} with γ",
        SLOPE_LINEAR_AT_CENTRE: f"Curvature{several} at the centre, δ₁ + 3δ₂γ",
        SLOPE_QUADRATIC: f"Change δ₂ of the slope{several} with γ²",
        SLOPE_SD: f"Spread σ_δ of the slope{several} across sites",
        AVERAGE_SLOPE: f"Average slope{several} in the population, E δ",
        TOTAL_EFFECT_AT_CENTRE: f"Total effect on {data.outcome} at the centre",
        DIRECT_EFFECT_MEAN: f"Mean μ_θ of the {kind}s θ",
        DIRECT_EFFECT_SD: f"{'Scale' if model.robust else 'Spread'} σ_θ of the {kind}s θ",
        DIRECT_EFFECT_DOF: f"Degrees of freedom ν of the {kind}s θ",
        CORRELATION: f"Correlation ρ of {kind}s with effects on {mediator}",
        COVARIATE_EFFECT: f"Effect ζ of {covariate} on {kind}s",
        MEDIATOR_EFFECT_MEAN: f"Mean μ_γ of the effects γ on {mediator}",
        MEDIATOR_EFFECT_SD: f"Spread σ_γ of the effects γ on {mediator}",
        MEDIATOR_EFFECT_CORR: f"Correlation Ω of effects on {mediator} and {other}",
        SLOPE_CORR: f"Correlation of the slopes of {mediator} and {other}",
        MEDIATOR_EFFECT_SLOPE_CORR: (
            f"Correlation of effects on {mediator} with the slope of {other or mediator}"
        ),
        WITHIN_SITE_COVARIANCE: "Within-site covariance Σκ of effects on mediators with slopes",
    }
    return words.get(name, name)


def _slope(model: SiteModel) -> str:
    match model.slope:
        case "random":
            return "Average slope δ"
        case "polynomial":
            return "Slope δ₀ where γ is 0"
    return "Slope δ"


def slope_label(fit: Fit, mediator: str) -> str:
    """Return the slope an answer is about, averaged where it varies."""
    average = "Average slope" if fit.model.slope != "constant" else "Slope"
    return f"{average}: {fit.data.outcome} per unit of {mediator}"


def average_label(fit: Fit, name: str, mediator: str = "") -> str:
    """Return an average effect in words."""
    mediator = mediator or (fit.data.mediators[0] if fit.data.n_mediators == 1 else "")
    return capital(effect_label(name, fit.model, mediator=mediator, outcome=fit.data.outcome))


def all_indirect(fit: Fit) -> bool:
    """Say whether total effects are nothing but the sums of indirect effects."""
    return not fit.model.direct_effect and fit.model.within_site_covariance == 0


def capital(text: str) -> str:
    """Begin a text with a capital letter."""
    return text[:1].upper() + text[1:]


def of_mediators(data: SiteEstimates) -> str:
    """Return all mediators as a list in a sentence."""
    return joined(data.mediators)


def sites(data: SiteEstimates) -> str:
    """Return how many sites there are, and how many arms where some have several.

    Examples
    --------
    >>> import numpy as np
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2], total_effect=[1, 2], cov=np.zeros((2, 2, 2)))
    >>> sites(data)
    '2 sites'
    """
    at = len(set(data.site))
    return f"{at} sites" if at == data.n_rows else f"{data.n_rows} arms of {at} sites"


def question(data: SiteEstimates) -> str:
    """Return the question a fit answers, in words."""
    return (
        f"How much of the treatment's effect on {data.outcome} runs through its "
        f"{'effect' if data.n_mediators == 1 else 'effects'} on {of_mediators(data)}?"
    )


def title(data: SiteEstimates) -> str:
    """Return a title for a fit that was given none."""
    return f"Effects on {data.outcome} through {of_mediators(data)}"
