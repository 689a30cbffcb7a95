"""Models as they show themselves: their equations, and their priors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from bayesmed.core.display import Shown
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel

__all__ = ["one_line", "shown_model"]

# Of models of one trial, by the name of their class; R or T is treatment, M mediator, Y outcome.
TRIALS: Mapping[str, tuple[str, ...]] = {
    "CovariateIV": (
        "M = a + bᵀX + cR + dᵀ(R·X) + v",
        "Y = α + βᵀX + θ_R R + θ_M M + e,  Corr(e, v) = ψ",
    ),
    "PrincipalStrata": (
        "t = (M₀₀, M₀₁, M₁₀, M₁₁), the type of a person",
        "E[Y_dm | t] = a_td + b_td m,  b_td ~ Normal(b_d, σ_het²),  a_td ~ Normal(a_d, σ_a²)",
    ),
    "RandomCoefficients": (
        "M_i = m₀ᵢ + Γ_i T_i",
        "Y_i = y₀ᵢ + Δ_i M_i,  (m₀, y₀, Γ, Δ)_i ~ Normal(μ, Ω)",
    ),
}
WITH_DIRECT = "Y_i = y₀ᵢ + θ T_i + Δ_i M_i,  (m₀, y₀, Γ, Δ)_i ~ Normal(μ, Ω)"


def one_line(model: Any) -> str:
    """Return a model as it is written in Python, without the choices that are defaults."""
    parts = []
    for field in fields(model):
        value = getattr(model, field.name)
        factory = field.default_factory
        default = field.default if factory is MISSING else factory()
        if isinstance(value, Mapping):
            value = dict(value)
        if value != default:
            parts.append(f"{field.name}={value!r}")
    return f"{type(model).__name__}({', '.join(parts)})"


def shown_model(model: Any, equations: tuple[str, ...] | None = None) -> Shown:
    """Return equations and priors of a model, for people."""
    if equations is None:
        equations = TRIALS.get(type(model).__name__, ())
        if getattr(model, "direct_effect", False) and len(equations) > 1:
            equations = (equations[0], WITH_DIRECT)
    return Shown(one_line(model), equations, ("Parameter", "Prior"), _priors(model))


def site_equations(model: SiteModel) -> tuple[str, ...]:
    """Return the equations of a model of sites, as it is configured."""
    mean = "μ_θ + ζᵀx_s" if model.covariates else "μ_θ"
    slope, lines = "δ", ["(γ̂_s, β̂_s) ~ Normal((γ_s, β_s), V_s)", "γ_s ~ Normal(μ_γ, Ω)"]
    if model.slope == "random":
        slope = "δ_s"
        lines.append("δ_s ~ Normal(δ, Ω_δ)")
    if model.slope == "polynomial":
        slope = "δ_s"
        lines.append("δ_s = δ₀ + δ₁γ_s + δ₂γ_s²")
    if not model.direct_effect:
        kappa = "" if model.within_site_covariance == 0 else " + κ"
        return (*lines, f"β_s = Σ {slope}γ_s{kappa}")
    of = f"Student-t(ν, {mean}, σ_θ)" if model.robust else f"Normal({mean}, σ_θ²)"
    lines += [f"θ_s ~ {of}", f"β_s = θ_s + Σ {slope}γ_s"]
    if model.correlated:
        lines.append(f"Corr(γ_s, θ_s) = ρ, {_given(model.correlation)}")
    return tuple(lines)


def _given(value: float | Prior) -> str:
    return f"with the prior {value}" if isinstance(value, Prior) else f"taken to be {value:g}"


def _priors(model: Any) -> tuple[tuple[str, str], ...]:
    """Return priors that were set, after the names that have a default scaled to the data."""
    own = {str(name): str(prior) for name, prior in model.priors.items()}
    rows = [(name, own.pop(name, "default, scaled to the data")) for name in model.parameters]
    return (*rows, *own.items())
