"""The model in words."""

from __future__ import annotations

from bayesmed.data import SiteEstimates
from bayesmed.effects.labels import direct, indirect
from bayesmed.generative import MultiSiteIV, SiteModel
from bayesmed.inference import Fit
from bayesmed.report.words import capital, of_mediators

SOURCE = (
    "This is the multi-site, multiple-mediator instrumental variables model of Reardon and "
    "Raudenbush (2013, equation 11), with sites-by-treatment as instruments: total effects are "
    "intent-to-treat effects, and effects on mediators are compliances."
)
INTERACTION = (
    "Where treatment also changes what the mediator does (a treatment–mediator interaction), the "
    "slope is the coefficient of the total indirect effect and the direct effect is the pure one."
)
WITH_INTERACTION = (
    "Treatment may also change what the mediator does (a treatment–mediator interaction): indirect "
    "effects are total indirect effects, and direct effects are pure direct effects, which contain "
    "the interaction times what the mediator would be without treatment (Fu 2023, section 4.1)."
)


def model_in_words(fit: Fit) -> tuple[str, ...]:
    """Return the model as sentences, with its equations in letters."""
    model, data = fit.model, fit.data
    several = data.n_mediators > 1
    estimates = (
        f"The {'estimates' if several else 'two estimates'} of a site scatter around its true "
        f"effects with {_sampling(fit)}: (γ̂, β̂) ~ Normal((γ, β), V). "
        f"Here γ {'are the effects' if several else 'is the effect'} of treatment on "
        f"{of_mediators(data)} and β its total effect on {data.outcome}."
    )
    spread = f"True effects on {of_mediators(data)} vary across sites: " + (
        "γ ~ Normal(μ_γ, Ω), correlated in any way." if several else "γ ~ Normal(μ_γ, σ_γ²)."
    )
    parts = (spread, _line(model, data), _slopes(model, data), _direct_effects(model))
    source = (SOURCE,) if isinstance(model, MultiSiteIV) else ()
    return (*source, estimates, " ".join(part for part in parts if part), *_controls(data))


def _sampling(fit: Fit) -> str:
    """Say where sampling covariances come from."""
    found = fit.model.persons(fit.data)
    if found is None:
        return "the sampling covariance V that came with them"
    whose = "persons of each arm" if len(found.groups) > 1 else "persons"
    return (
        f"a sampling covariance V made of the covariance Σ of {whose} around their means, the same "
        "at all sites and estimated with everything else"
    )


def _line(model: SiteModel, data: SiteEstimates) -> str:
    several = data.n_mediators > 1
    product = "Σ δγ" if several else "δγ"
    sum_of = (
        "the sum of slopes times mediator effects"
        if several
        else ("the slope times its mediator effect")
    )
    if not model.direct_effect:
        kappa = "" if model.within_site_covariance == 0 else " + κ"
        meaning = (
            " Here κ is what persons' mediator effects and slopes add by going together within "
            f"sites{_assumed(model)}."
        )
        return (
            f"Total effects are β = {product}{kappa}, without an intercept: this model has no "
            "direct effect, so all of every total effect is indirect."
        ) + (meaning if kappa else "")
    through = "through a mediator" if several else "of a site"
    return (
        f"Each site's total effect is its {direct(model)} plus {sum_of}: β = θ + {product}. The "
        f"{indirect(model)} {through} is δγ."
    )


def _slopes(model: SiteModel, data: SiteEstimates) -> str:
    apart = " and to each other" if data.n_mediators > 1 else ""
    match model.slope:
        case "random":
            return {
                "none": (
                    f"Slopes differ across sites, unrelated to mediator effects{apart}: "
                    "δ_s ~ Normal(δ, σ_δ²)."
                ),
                "slopes": (
                    "Slopes differ across sites, unrelated to mediator effects but correlated in "
                    "any way among each other: δ_s ~ Normal(δ, Ω_δ)."
                ),
                "effects": (
                    "Slopes differ across sites, correlated in any way among each other and with "
                    "mediator effects: (γ_s, δ_s) are jointly normal."
                ),
            }[model.related(data)]
        case "polynomial":
            return (
                "The slope depends on the mediator effect, δ_s = δ₀ + δ₁γ + δ₂γ², so its average "
                "E δ is not δ₀, the slope where the mediator effect is 0."
            )
    return ""


def _assumed(model: SiteModel) -> str:
    """Say what is taken as the within-site covariance."""
    kappa = model.within_site_covariance
    return f", assumed to be {kappa:g}" if isinstance(kappa, float) else f", with the prior {kappa}"


def _direct_effects(model: SiteModel) -> str:
    if not model.direct_effect:
        return ""
    mean = "μ_θ + ζx" if model.covariates else "μ_θ"
    if model.robust:
        text = (
            f"{capital(direct(model))}s are θ ~ Student-t(ν, {mean}, σ_θ), with the scale σ_θ "
            "and ν degrees of freedom: few of them let some sites lie far out."
        )
    else:
        text = f"{capital(direct(model))}s are θ ~ Normal({mean}, σ_θ²)."
    if model.covariates:
        names = ", ".join(model.covariates)
        text += (
            f" Covariates x ({names}) are centred at their means over the rows, so μ_θ is the mean "
            "at the average covariates."
        )
    return text


def _controls(data: SiteEstimates) -> tuple[str, ...]:
    """Say how rows that share a control group were taken."""
    if data.cross_cov:
        text = (
            "Estimates of rows that share a control group are correlated; the covariance of the "
            "whole block was used."
        )
    elif data.n_blocks < data.n_rows:
        text = (
            "Some rows share a control group, but the covariance between their estimates is not "
            "known: they were taken as independent."
        )
    elif len(set(data.site)) < data.n_rows:
        text = (
            "Rows of one site were taken as independent: with a control group in common, their "
            "estimates would be correlated."
        )
    else:
        return ()
    return (text,)
