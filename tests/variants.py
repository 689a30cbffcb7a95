"""One fit of each variant of the site-slope model, made of chosen draws: nothing is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import xarray as xr

from bayesmed.core.names import (
    CORRELATIONS,
    COVARIATE_EFFECT,
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_SLOPE_CORR,
)
from bayesmed.data import SiteEstimates
from bayesmed.generative import MultiSiteIV, SiteModel, SiteSlope
from bayesmed.generative.site_slope_draws import SITE_COORDINATES
from bayesmed.generative.site_slope_parameters import centres, completed
from bayesmed.generative.site_slope_population import entries
from bayesmed.inference import Fit, Sampler
from bayesmed.inference.tree import assemble
from bayesmed.priors import Prior

type Truth = Mapping[str, float | tuple[float, ...] | tuple[tuple[float, ...], ...]]

BASE: Truth = {
    "slope": 1.5,
    "direct_effect_mean": 0.3,
    "direct_effect_sd": 0.2,
    "mediator_effect_mean": 0.5,
    "mediator_effect_sd": 0.4,
}


@dataclass(frozen=True)
class Variant:
    """A model, what is true, and the shape of the data."""

    model: SiteModel
    truth: Truth = field(default_factory=dict)
    mediators: tuple[str, ...] = ("effort",)
    arms: int = 1

    def true(self) -> dict[str, np.ndarray]:
        """Every parameter with a prior, shape (1, ...), and what follows from it."""
        p = len(self.mediators)
        found = {}
        for name, value in ({**BASE, **self.truth}).items():
            if not self.model.direct_effect and name.startswith("direct"):
                continue
            own = np.atleast_1d(np.asarray(value, dtype=float))[None]
            if name in CORRELATIONS:
                found[name] = own
            elif name in self.model.by_mediator:
                found[name] = np.broadcast_to(own, (1, p)).copy()
            else:
                found[name] = own if name == COVARIATE_EFFECT else own[:, 0]
        if p > 1 or MEDIATOR_EFFECT_SLOPE_CORR in found:
            found[MEDIATOR_EFFECT_CORR] = (0.3 + 0.7 * np.eye(p))[None]
        return found


def table(variant: Variant, sites: int = 24, seed: int = 3) -> SiteEstimates:
    """Simulate a table of estimates; arms of a site share a control group."""
    rng = np.random.default_rng(seed)
    rows, p = sites * variant.arms, len(variant.mediators)
    one = np.full((p + 1, p + 1), 0.3) + 0.7 * np.eye(p + 1)
    cov = one * np.outer([*[0.1] * p, 0.15], [*[0.1] * p, 0.15])
    site = [f"site {i // variant.arms + 1}" for i in range(rows)]
    pairs = [(i, j) for i in range(rows) for j in range(i + 1, rows) if site[i] == site[j]]
    empty = SiteEstimates.from_arrays(
        mediator_effect=rng.normal(size=(rows, p)),
        total_effect=np.zeros(rows),
        cov=np.tile(cov, (rows, 1, 1)),
        cross_cov=dict.fromkeys(pairs, cov / 2),
        site=site,
        arm=[f"arm {i % variant.arms + 1}" for i in range(rows)] if variant.arms > 1 else None,
        block=site,
        mediators=variant.mediators,
        outcome="score",
        covariates={"urban": rng.uniform(size=rows), "year": rng.normal(2000, 5, rows)},
    )
    model, truth = variant.model, variant.true()
    effects = model.new_site_effects(truth, model.covariate_values(empty), rng)
    seen = model.estimates(effects, truth, empty, rng)
    return replace(
        empty,
        mediator_effect=seen["mediator_effect_estimate"][0],
        total_effect=seen["total_effect_estimate"][0],
    )


def every_parameter(
    model: SiteModel, draws: Mapping[str, np.ndarray], data: SiteEstimates
) -> dict[str, np.ndarray]:
    """Add the parameters that follow from slopes and intercept at a mediator effect of zero."""
    have = entries(model, draws)
    if model.correlated and "correlation" not in have:
        have["correlation"] = model.correlation
    scales = [model.scale(data, i) for i in range(data.n_mediators)]
    found = dict(draws)
    for name, value in completed(model, have, centres(model, scales)).items():
        if name in (*model.parameters, *model.derived) and name not in found:
            found[name] = np.concatenate(value, 1) if isinstance(value, list) else value[:, 0]
    return found


@cache
def variant_fit(name: str) -> Fit:
    """Return the fit of one of ``VARIANTS``, made once."""
    return made(VARIANTS[name])


def made(variant: Variant, shape: tuple[int, int] = (4, 250), spread: float = 1.0) -> Fit:
    """Make a fit of independent draws around what is true; of the truth itself without spread."""
    rng = np.random.default_rng(7)
    data = table(variant)
    model, n, p = variant.model, shape[0] * shape[1], data.n_mediators
    draws = {}
    for name, value in variant.true().items():
        noise = spread * rng.normal(size=(n, *value.shape[1:]))
        positive = name.endswith(("_sd", "_dof"))
        draws[name] = value * np.exp(0.15 * noise) if positive else value + 0.1 * noise
    weight = 1 - spread * rng.uniform(0, 0.5, (n, 1, 1))
    for name in set(CORRELATIONS) & set(draws):
        # All of them shrink together, so that they stay correlations of one vector.
        rest = 0.0 if name == MEDIATOR_EFFECT_SLOPE_CORR else np.eye(p)
        draws[name] = weight * variant.true()[name] + (1 - weight) * rest
    draws = every_parameter(model, draws, data)
    if model.slope != "constant" and p * variant.arms > 1:
        draws[SITE_COORDINATES] = rng.normal(size=(n, p * variant.arms, data.n_blocks))
    shaped = {name: values.reshape(*shape, *values.shape[1:]) for name, values in draws.items()}
    stats = {"diverging": np.zeros(shape, dtype=bool), "energy": rng.normal(5.0, 1.0, shape)}
    kept = xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})
    tree = assemble(model, data, shaped, kept, seed=1)
    tree.attrs |= {"created_at": "2026-01-01T00:00:00+00:00", "seconds_total": 0.1}
    return Fit(model, data, Sampler(chains=shape[0], draws=shape[1]), 1, tree)


CURVE: Truth = {"slope": 1.0, "slope_linear": 0.8, "slope_quadratic": -0.3}
TWO = ("LDL", "HDL")
BOTH: Truth = {"slope": (1.5, -0.7), "mediator_effect_mean": (0.5, 0.2)}
# Slopes with mediator effects, their own (down the diagonal) and that of the other mediator.
TOGETHER: Truth = {
    "slope_corr": ((1.0, 0.2), (0.2, 1.0)),
    "mediator_effect_slope_corr": ((0.5, 0.1), (0.2, 0.3)),
}
THREE = ("LDL", "HDL", "CRP")
UNIFORM = Prior("Uniform", lower=-0.5, upper=0.5)

VARIANTS: Mapping[str, Variant] = {
    "constant": Variant(SiteSlope()),
    "interaction": Variant(SiteSlope(interaction=True)),
    "random": Variant(SiteSlope(slope="random"), {"slope_sd": 0.4}),
    "random without direct effect": Variant(
        SiteSlope(slope="random", direct_effect=False), {"slope_sd": 0.4}
    ),
    "polynomial": Variant(SiteSlope(slope="polynomial"), CURVE),
    "student_t": Variant(
        SiteSlope(direct_effect_distribution="student_t"), {"direct_effect_dof": 4.0}
    ),
    "correlation": Variant(SiteSlope(correlation=-0.4)),
    "correlation prior": Variant(SiteSlope(correlation=UNIFORM), {"correlation": 0.2}),
    "covariates": Variant(
        SiteSlope(covariates=("urban", "year")), {"covariate_effect": (0.5, 0.02)}
    ),
    "two mediators": Variant(SiteSlope(), BOTH, TWO),
    "two mediators without direct effect": Variant(SiteSlope(direct_effect=False), BOTH, TWO),
    "two mediators, random": Variant(
        SiteSlope(slope="random", covariates=("urban",)),
        {**BOTH, "slope_sd": (0.4, 0.2), "covariate_effect": (0.5,)},
        TWO,
    ),
    "two mediators, polynomial": Variant(
        SiteSlope(slope="polynomial"),
        {**CURVE, "slope": (1.0, -0.5), "mediator_effect_mean": (0.5, 0.2)},
        TWO,
    ),
    "shared controls": Variant(SiteSlope(), {}, ("effort",), arms=2),
    "shared controls, random": Variant(
        SiteSlope(slope="random"), {"slope_sd": 0.4}, ("effort",), arms=2
    ),
    "three mediators": Variant(SiteSlope(interaction=True), {}, THREE),
    "multi-site IV": Variant(MultiSiteIV(), {"slope_sd": 0.4}),
    "multi-site IV, three mediators": Variant(
        MultiSiteIV(), {"slope": (1.5, -0.7, 0.4), "slope_sd": (0.4, 0.2, 0.3)}, THREE
    ),
    "multi-site IV, compliance": Variant(
        MultiSiteIV(compliance_correlation=True), {**BOTH, **TOGETHER, "slope_sd": 0.4}, TWO
    ),
    "multi-site IV, kappa": Variant(
        MultiSiteIV(within_site_covariance=0.3), {**BOTH, "slope_sd": 0.3}, TWO
    ),
}
