"""What the multi-site IV model assumes, in the terms and numbers of Reardon and Raudenbush."""

from __future__ import annotations

from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Fit

SOURCE = (
    "This is the multi-site, multiple-mediator instrumental variables model of Reardon and "
    "Raudenbush (2013, equation 11), with sites-by-treatment as instruments: total effects are "
    "intent-to-treat effects, and effects on mediators are compliances."
)


def multi_site_assumptions(fit: Fit, model: MultiSiteIV) -> tuple[str, ...]:
    """Return the nine assumptions, numbered as theirs for several sites and mediators, and ours."""
    several = fit.data.n_mediators > 1
    mediators = "mediators" if several else "mediator"
    alone = (
        "(i) No person's mediators or outcome depend on the treatment of others, nor the outcome "
        "on the mediators of others (SUTVA)."
    )
    linear = (
        f"(iii), (iv) Each person's {mediators} {'are' if several else 'is'} linear in treatment, "
        "as any effect of a treatment given or not is, and the outcome is linear in the "
        f"{mediators}{', which do not interact' if several else ''}."
    )
    found = [alone, _exclusion(model, mediators), linear]
    if several:
        found.append(
            "(v) The mediators act in parallel: none changes another. What slopes and indirect "
            "effects mean where one does stands with the effects. These data cannot check it."
        )
    persons = model.persons(fit.data) is not None
    return (*found, _within(model), _between(fit, model), *_rest(several, persons))


def _exclusion(model: MultiSiteIV, mediators: str) -> str:
    if model.direct_effect:
        return (
            f"(ii), relaxed: treatment may also work past the {mediators}. Across sites these "
            f"direct effects are unrelated to effects on the {mediators} (Fu 2023, Assumption 1). "
            "These data cannot check it."
        )
    return (
        f"(ii) Treatment changes the outcome through the {mediators} only (exclusion). Total "
        f"effects where effects on the {mediators} are 0 speak to it, together with (vi)."
    )


def _within(model: MultiSiteIV) -> str:
    kappa = model.within_site_covariance
    persons = (
        "persons whose mediator moves more are not those for whom it matters more (no within-site "
        "compliance–effect covariance)"
    )
    if kappa == 0:
        tell = " What they add would be taken for direct effects." if model.direct_effect else ""
        return f"(vi) Within sites, {persons}.{tell}"
    assumed = (
        f"is {kappa:g} at every site" if isinstance(kappa, float) else f"has the prior {kappa}"
    )
    return (
        "(vi), relaxed: within sites, persons whose mediator moves more may be those for whom it "
        f"matters more. What this adds to the total effect, κ, {assumed}, whatever the effects on "
        "the mediators."
    )


def _between(fit: Fit, model: MultiSiteIV) -> str:
    several = fit.data.n_mediators > 1
    if model.compliance_correlation:
        every = "each slope may go with every mediator effect" if several else "slopes may go with "
        every += "" if several else "mediator effects"
        return (
            f"(vii), relaxed: across sites {every}, along straight lines (joint normality). It is "
            "known from the bend that this gives to total effects."
        )
    own = "of each mediator is unrelated to the effects of treatment on any of them"
    one = "is unrelated to the effect of treatment on the mediator"
    return (
        f"(vii) Across sites, the slope {own if several else one} (between-site "
        "compliance–effect independence). A bend in total effects would speak against it; without "
        "one it may still fail."
    )


def _rest(several: bool, persons: bool) -> tuple[str, ...]:
    rank = (
        "there are at least as many sites as mediators, and across them no effect on a mediator "
        "follows from those on the others (rank)"
        if several
        else "treatment changes the mediator at some site (rank)"
    )
    errors = (
        "persons are normal and vary alike at all sites"
        if persons
        else "estimates are normal around the true effects with the right standard errors"
    )
    return (
        "(viii) Within each site treatment is as good as randomly assigned.",
        f"(ix) As far as a slope is not to lean on its prior, {rank}.",
        f"Beyond these nine: mediator effects and slopes of sites are normal, and {errors}.",
    )
