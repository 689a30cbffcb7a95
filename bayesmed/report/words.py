"""Parameters, effects and the model in words, as every output calls them."""

from __future__ import annotations

from bayesmed.core.names import (
    ACME,
    AVERAGE,
    DIRECT_EFFECT,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    RELIABILITY,
    SHARE_MEDIATED,
    SLOPE,
    SUPERPOPULATION,
    TOTAL_EFFECT,
    TOTAL_EFFECT_AT_CENTRE,
)
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope

INTERACTION = (
    "Where treatment also changes what the mediator does (a treatment–mediator interaction), the "
    "slope is the coefficient of the total indirect effect and the direct effect is the pure one."
)


def parameter_label(name: str, data: SiteEstimates) -> str:
    """Return a parameter in words, with its symbol; a name without words stands for itself."""
    mediator, outcome = data.mediators[0], data.outcome
    words = {
        SLOPE: f"Slope δ: {outcome} per unit of {mediator}",
        TOTAL_EFFECT_AT_CENTRE: f"Total effect on {outcome} at the centre",
        DIRECT_EFFECT_MEAN: "Mean of the direct effects θ",
        DIRECT_EFFECT_SD: "Spread of the direct effects θ",
        MEDIATOR_EFFECT_MEAN: f"Mean of the effects γ on {mediator}",
        MEDIATOR_EFFECT_SD: f"Spread of the effects γ on {mediator}",
    }
    return words.get(name, name)


def effect_label(name: str, data: SiteEstimates) -> str:
    """Return an average effect in words; a name without words stands for itself."""
    mediator = data.mediators[0]
    here, wide = "over the sites", "in the population of sites"
    words = {
        ACME: f"Indirect effect through {mediator}, {here} (ACME)",
        f"{AVERAGE}_{DIRECT_EFFECT}": f"Direct effect, {here}",
        f"{AVERAGE}_{TOTAL_EFFECT}": f"Total effect on {data.outcome}, {here}",
        f"{AVERAGE}_{SHARE_MEDIATED}": f"Share through {mediator}, {here}",
        f"{SUPERPOPULATION}_{ACME}": f"Indirect effect through {mediator}, {wide}",
        f"{SUPERPOPULATION}_{DIRECT_EFFECT}": f"Direct effect, {wide}",
        f"{SUPERPOPULATION}_{TOTAL_EFFECT}": f"Total effect on {data.outcome}, {wide}",
        f"{SUPERPOPULATION}_{SHARE_MEDIATED}": f"Share through {mediator}, {wide}",
        RELIABILITY: f"Reliability of the estimated effects on {mediator}",
    }
    return words.get(name, name)


def question(data: SiteEstimates) -> str:
    """Return the question a fit answers, in words."""
    return (
        f"How much of the treatment's effect on {data.outcome} runs through its effect on "
        f"{data.mediators[0]}?"
    )


def title(data: SiteEstimates) -> str:
    """Return a title for a fit that was given none."""
    return f"Effects on {data.outcome} through {data.mediators[0]}"


def model_in_words(model: SiteSlope, data: SiteEstimates) -> tuple[str, ...]:
    """Return the model as sentences, with its equations in letters."""
    mediator, outcome = data.mediators[0], data.outcome
    estimates = (
        "The two estimates of a site scatter around its true effects with the sampling covariance "
        f"V that came with them: (γ̂, β̂) ~ Normal((γ, β), V). Here γ is the effect of treatment on "
        f"{mediator} and β its total effect on {outcome}."
    )
    spread = f"True effects on {mediator} vary across sites: γ ~ Normal(μ_γ, σ_γ²)."
    if model.direct_effect:
        line = (
            "Each site's total effect is its direct effect plus the slope times its mediator "
            "effect: β = θ + δγ, with direct effects θ ~ Normal(μ_θ, σ_θ²). The indirect effect "
            "of a site is δγ."
        )
    else:
        line = (
            "Total effects lie on a line through the origin, β = δγ: this model has no direct "
            "effect, so all of every total effect is indirect."
        )
    return (estimates, f"{spread} {line}", INTERACTION)


def assumptions(model: SiteSlope) -> tuple[str, ...]:
    """Return what the answer relies on whatever the data, one sentence each."""
    between = (
        "Across sites, effects on the mediator are unrelated to direct effects (Fu 2023, "
        "Assumption 1). These data cannot check it."
        if model.direct_effect
        else "Treatment changes the outcome through the mediator only (exclusion)."
    )
    return (
        "Within each site treatment is as good as randomly assigned: both effects are causal.",
        between,
        "The slope is the same at every site.",
        "Estimates are normal around the true effects and their standard errors are right.",
    )
