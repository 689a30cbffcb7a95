"""Models of one trial and their effects, in words."""

from __future__ import annotations

from typing import Any

from bayesmed.core.words import joined
from bayesmed.generative import CovariateIV, PrincipalStrata, RandomCoefficients
from bayesmed.inference import TrialFit
from bayesmed.priors import Prior
from bayesmed.report.trials.names import trial_parameter_label

__all__ = ["model_in_words", "question", "title", "trial_parameter_label"]

_ARMS = (
    "An indirect effect of an arm is that of moving {m} under its treatment; a direct effect of an "
    "arm is that of treatment with {m} as it is in that arm."
)


def title(fit: TrialFit) -> str:
    """Return a title for a fit that was given none."""
    names = fit.data.names
    return f"Effects on {names.outcome} through {names.mediator}"


def question(fit: TrialFit) -> str:
    """Return the question a fit answers, in words."""
    n = fit.data.names
    if isinstance(fit.model, RandomCoefficients):
        moved = f"for all and where {n.treatment} moves it"
        return f"What does {n.mediator} do for {n.outcome}, {moved}?"
    return f"How much of the effect of {n.treatment} on {n.outcome} runs through {n.mediator}?"


def model_in_words(fit: TrialFit) -> tuple[str, ...]:
    """Return the model as sentences, with its equations in letters."""
    model: Any = fit.model
    if isinstance(model, CovariateIV):
        return _covariate_iv(fit, model)
    if isinstance(model, PrincipalStrata):
        return _principal_strata(fit, model)
    return _random_coefficients(fit, model)


def _covariate_iv(fit: TrialFit, model: CovariateIV) -> tuple[str, ...]:
    n = fit.data.names
    instruments = model.instruments or n.covariates
    controls = [name for name in n.covariates if name not in instruments]
    first = "M = a + b'X + cR + d'(R·X) + v"
    if model.mediator == "probit":
        first = "M is 1 where a + b'X + cR + d'(R·X) + v > 0, else 0, with v ~ Normal(0, 1)"
    by_arm = ", each arm with its own" if model.errors == "by_arm" else ""
    texts = [
        "Small (2012, section 5): covariates × treatment are instruments of the mediator.",
        (
            f"{first}; Y = α + β'X + θ_R R + θ_M M + e, where R is {n.treatment}, M {n.mediator}, "
            f"Y {n.outcome}, X ({joined(n.covariates)}) about its mean. The errors v and e are "
            f"normal and correlated in any way{by_arm}: that is the confounding."
        ),
        f"Instruments: {n.treatment} × {joined(instruments)}.",
    ]
    if controls:
        held = model.control_interactions
        both = f"; {n.treatment} × each of them is in both equations" if held else ""
        texts.append(f"Controls: {joined(controls)}{both}.")
    if model.person_effects == "random":
        texts.append("Persons' θ_R and θ_M vary normally around their means.")
    return tuple(texts)


def _principal_strata(fit: TrialFit, model: PrincipalStrata) -> tuple[str, ...]:
    n, data = fit.data.names, fit.data
    instrument = getattr(data, "instrument", "the instrument")
    cells = (
        f"Kim (2022): persons are in eight cells of {n.treatment} (D), {instrument} (Z) and "
        f"{n.mediator} (M)."
    )
    if model.saturated:
        return (
            cells,
            (
                f"The share with {n.mediator} at each (D, Z) and the mean of {n.outcome} in each "
                "cell are parameters. Effects are those that instrumental variables have."
            ),
            _ARMS.format(m=n.mediator),
        )
    types = (
        f"Persons are of {len(model.types)} types, by what their {n.mediator} would be at each D "
        "and Z. Shares of types are Dirichlet"
        f"({model.share_concentration:g}), whatever the data cannot tell of them."
    )
    how = model.likelihood_for(data)  # type: ignore[arg-type]  # cells, as the model takes them
    line = (
        "E(Y | type, D = d, M = m) = a + b m, with a and b of their own in every type and arm: b "
        f"varies between types with standard deviation σ_het{_heterogeneity(model)}"
    )
    likelihood = {
        "moments": "; means and variances of the cells are what is fitted.",
        "counts": "; a and b are probabilities and their differences, and counts are fitted.",
        "mixture": "; persons are a normal mixture of their types.",
    }[how]
    return cells, types, line + likelihood, _ARMS.format(m=n.mediator)


def _heterogeneity(model: PrincipalStrata) -> str:
    value = model.heterogeneity
    return f" ({_prior(value)})" if isinstance(value, Prior) else f", taken to be {value:g}"


def _prior(value: Prior) -> str:
    return f"{value} in scaled units" if value.unit == "scaled" else str(value)


def _random_coefficients(fit: TrialFit, model: Any) -> tuple[str, ...]:
    n = fit.data.names
    source = "Reardon and Raudenbush (2013, section 2): persons differ in compliance and benefit."
    if "mediator_share" in fit.tree["posterior"]:
        return (
            source,
            (
                f"Shares with {n.mediator} by arm, and mean and standard deviation of {n.outcome} "
                "in each of the four cells, are parameters."
            ),
        )
    direct = " + θT" if model.direct_effect else ""
    return (
        source,
        (
            f"M = m₀ + ΓT and Y = y₀{direct} + ΔM, where T is {n.treatment}, M {n.mediator}, Y "
            f"{n.outcome}; a person's (m₀, y₀, Γ, Δ) is jointly normal, correlated in any way."
        ),
    )
