"""Every model and variant with fixed numeric priors, and what data of it are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from bayesmed.data import PersonRows, RowColumns, SiteEstimates, TrialCells, TrialPersons
from bayesmed.generative import (
    CovariateIV,
    MultiSiteIV,
    PrincipalStrata,
    RandomCoefficients,
    SiteSlope,
)
from bayesmed.generative.site_slope_parameters import AT_CENTRE
from bayesmed.inference import Sampler
from bayesmed.priors import Prior
from bayesmed.studies.calibration.calibrate import LIGHT


def _normal(mu: float, sigma: float) -> Prior:
    return Prior("Normal", mu=mu, sigma=sigma)


def _half(sigma: float) -> Prior:
    return Prior("HalfNormal", sigma=sigma)


SITES: Mapping[str, Prior] = {
    "slope": _normal(0.5, 1),
    "slope_linear": _normal(0, 0.5),
    "slope_quadratic": _normal(0, 0.25),
    "slope_sd": _half(0.5),
    "direct_effect_mean": _normal(0.2, 0.5),
    "direct_effect_sd": _half(0.4),
    "direct_effect_dof": Prior("Gamma", alpha=2, beta=0.1),
    "covariate_effect": _normal(0, 0.5),
    "mediator_effect_mean": _normal(0.5, 0.5),
    "mediator_effect_sd": _half(0.6),
}
# The intercept is where the mediator is at its average, which moves with the data: wide, it does
# not matter.
COVARIATE_IV: Mapping[str, Prior] = {
    "slope": _normal(0.5, 0.5),
    "direct_effect": _normal(0, 1),
    "mediator_effect": _normal(0.5, 0.5),
    "mediator_modification": _normal(0, 0.5),
    "direct_modification": _normal(0, 0.5),
    "mediator_coefficient": _normal(0, 0.5),
    "outcome_coefficient": _normal(0, 0.5),
    "mediator_intercept": _normal(0, 0.5),
    "outcome_intercept": _normal(0, 30),
    "mediator_sd": _half(1),
    "outcome_sd": _half(1),
    "error_correlation": Prior("Uniform", lower=-1, upper=1),
    "direct_effect_sd": _half(0.5),
    "slope_sd": _half(0.5),
    "direct_effect_slope_corr": Prior("Uniform", lower=-1, upper=1),
}
COEFFICIENTS: Mapping[str, Prior] = {
    "slope": _normal(0.5, 0.5),
    "mediator_effect": _normal(0.5, 0.5),
    "direct_effect": _normal(0, 0.5),
    "mediator_level": _normal(0, 0.02),
    "outcome_level": _normal(0, 1),
    "slope_sd": _half(0.3),
    "outcome_level_sd": Prior("LogNormal", mu=0, sigma=0.3),
    "mediator_sd": _half(1),
    "mediator_effect_sd": _half(0.5),
    "mediator_level_sd": _half(1),
    "mediator_share": Prior("Uniform", lower=0, upper=1),
    "cell_mean": _normal(0, 1),
    "cell_sd": _half(1),
}
TYPES: Mapping[str, Prior] = {
    "intercept_mean": _normal(0, 1),
    "slope_mean": _normal(0.5, 1),
    "intercept_heterogeneity": Prior("LogNormal", mu=-0.5, sigma=0.5),
    "cell_sd": _half(1),
    "outcome_sd": _half(1),
    "mediator_share": Prior("Uniform", lower=0, upper=1),
    "cell_mean": _normal(0, 1),
}
COUNTED: Mapping[str, Prior] = {
    "slope_mean": Prior("Uniform", lower=-1, upper=1),
    "mediator_share": Prior("Uniform", lower=0, upper=1),
    "cell_mean": Prior("Uniform", lower=0, upper=1),
}
HET = _half(0.5)


@dataclass(frozen=True)
class SBCVariant:
    """A model without priors, those it gets, what its data are like, and how it is fitted."""

    model: Any
    priors: Mapping[str, Prior]
    like: Callable[[], Any]
    sampler: Sampler = LIGHT

    def with_priors(self) -> Any:
        """Return the model with every prior it has among those given."""
        table = self.like()
        names = {key.split("[", 1)[0] for key in self.model.priors_for(table)}
        back = {moved: name for name, moved in AT_CENTRE.items()}
        wanted = {back.get(name, name) for name in names}
        own = {name: prior for name, prior in self.priors.items() if name in wanted}
        return replace(self.model, priors={**own, **self.model.priors})


def sites(n: int = 12, mediators: int = 1, arms: int = 1) -> Callable[[], SiteEstimates]:
    """Return what makes a table; arms of a site share a control group."""

    @cache
    def made() -> SiteEstimates:
        rng, k = np.random.default_rng(20261125), mediators + 1
        site = [f"site {i // arms + 1}" for i in range(n)]
        corr = 0.3 + 0.7 * np.eye(k)
        size = rng.uniform(0.15, 0.35, (n, 1)) * np.array([1.0] * mediators + [1.5])
        cov = corr * size[:, :, None] * size[:, None, :]
        pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if site[i] == site[j]]
        return SiteEstimates.from_arrays(
            mediator_effect=rng.normal(size=(n, mediators)),
            total_effect=rng.normal(size=n),
            cov=cov,
            cross_cov={(i, j): 0.5 * corr * size[i][:, None] * size[j][None, :] for i, j in pairs},
            site=site,
            arm=[f"arm {i % arms + 1}" for i in range(n)] if arms > 1 else None,
            block=site,
            mediators=tuple(f"mediator {i + 1}" for i in range(mediators)),
            covariates={"urban": rng.uniform(-1, 1, n)},
        )

    return made


@cache
def reduced_sites() -> SiteEstimates:
    """Return a table that was reduced from rows of persons."""
    rng, n, size = np.random.default_rng(20261126), 12, 60
    t, s = np.tile([0, 1], n * size // 2), np.repeat(np.arange(n), size)
    m = 0.5 * t + rng.normal(size=n * size)
    y = 0.5 * m + rng.normal(size=n * size)
    frame = pd.DataFrame({"t": t, "s": s, "m": m, "y": y})
    return SiteEstimates.from_rows(
        PersonRows.from_frame(frame, RowColumns("t", ("m",), "y", site="s"))
    )


def persons(
    n: int = 200, *, covariates: int = 0, amount: bool = False, binary: bool = False
) -> Callable[[], TrialPersons]:
    """Return what makes persons."""

    @cache
    def made() -> TrialPersons:
        rng = np.random.default_rng(20261127)
        t = rng.gamma(2, 0.75, n) if amount else np.tile([0.0, 1.0], n // 2)
        x = {f"x{i + 1}": rng.normal(size=n) for i in range(covariates)}
        m = 0.5 * t + rng.normal(size=n)
        m = (m > 0.25).astype(float) if binary else m
        return TrialPersons.from_arrays(
            treatment=t,
            mediator=m,
            outcome=0.5 * m + rng.normal(size=n),
            covariates=x,
            continuous=amount,
        )

    return made


def cells(
    size: int = 150, *, counted: bool = False, kept: bool = False
) -> Callable[[], TrialCells]:
    """Return what makes cells, so many persons at each treatment and instrument."""

    @cache
    def made() -> TrialCells:
        rng = np.random.default_rng(20261128)
        share = np.array([[0.3, 0.5], [0.5, 0.7]])
        d, z = (x.ravel().repeat(size) for x in np.indices((2, 2)))
        m = (rng.random(d.size) < share[d, z]).astype(int)
        y = 0.5 * m + rng.normal(size=d.size)
        y = (y > 0.5).astype(float) if counted else y
        frame = pd.DataFrame({"d": d, "z": z, "m": m, "y": y})
        rows = PersonRows.from_frame(frame, RowColumns("d", ("m",), "y", mediator_instrument="z"))
        return TrialCells.from_rows(rows, keep_outcomes=kept)

    return made


SHORT = replace(LIGHT, draws=300, tune=350)
QUICK = replace(LIGHT, target_accept=0.95)
"""Of models that take long with what few sites ask for; divergences are counted."""


def _sites(model: Any, like: Callable[[], SiteEstimates] | None = None) -> SBCVariant:
    return SBCVariant(model, SITES, like or sites())


def _quick(model: Any, like: Callable[[], SiteEstimates] | None = None) -> SBCVariant:
    return SBCVariant(model, SITES, like or sites(), QUICK)


def _iv(model: CovariateIV, covariates: int = 1, n: int = 200, binary: bool = False) -> SBCVariant:
    priors = dict(COVARIATE_IV)
    return SBCVariant(model, priors, persons(n, covariates=covariates, binary=binary))


RHO = Prior("Uniform", lower=-0.6, upper=0.6)
NO_DIRECT = SiteSlope(slope="random", direct_effect=False)
VARIANTS: Mapping[str, SBCVariant] = {
    "SiteSlope, 5 sites": _sites(SiteSlope(), sites(5)),
    "SiteSlope": _sites(SiteSlope()),
    "SiteSlope, exact engine": replace(
        _sites(SiteSlope()), sampler=Sampler(engine="exact", draws=100, chains=1)
    ),
    "SiteSlope, 100 sites": _sites(SiteSlope(), sites(100)),
    "SiteSlope without direct effects": _sites(SiteSlope(direct_effect=False)),
    "random slopes": _sites(SiteSlope(slope="random")),
    "random slopes, no direct effects": _sites(NO_DIRECT),
    "polynomial slopes": _sites(SiteSlope(slope="polynomial")),
    "Student-t direct effects": _quick(SiteSlope(direct_effect_distribution="student_t")),
    "correlation −.4 of effects": _quick(SiteSlope(correlation=-0.4)),
    "correlation with a prior": _quick(SiteSlope(correlation=RHO)),
    "a covariate of sites": _quick(SiteSlope(covariates=("urban",))),
    "two mediators": _quick(SiteSlope(), sites(12, 2)),
    "two mediators, random slopes": _quick(SiteSlope(slope="random"), sites(12, 2)),
    "two mediators, polynomial slopes": _quick(SiteSlope(slope="polynomial"), sites(12, 2)),
    "shared controls": _quick(SiteSlope(), sites(16, arms=2)),
    "shared controls, random slopes": _quick(SiteSlope(slope="random"), sites(16, arms=2)),
    "MultiSiteIV": _quick(MultiSiteIV()),
    "MultiSiteIV, two mediators": _quick(MultiSiteIV(slope_covariance="full"), sites(12, 2)),
    "MultiSiteIV, compliance correlation": _quick(MultiSiteIV(compliance_correlation=True)),
    "MultiSiteIV, compliance correlation known": _quick(MultiSiteIV(compliance_correlation=0.5)),
    "MultiSiteIV, κ with a prior": _quick(MultiSiteIV(within_site_covariance=_normal(0, 0.3))),
    "MultiSiteIV, direct effects": _quick(MultiSiteIV(direct_effect=True)),
    "MultiSiteIV, persons by arm": _quick(MultiSiteIV(), reduced_sites),
    "CovariateIV": _iv(CovariateIV()),
    "CovariateIV, common errors": _iv(CovariateIV(errors="common")),
    "CovariateIV, two instruments and a control": _iv(CovariateIV(instruments=("x1", "x2")), 3),
    "CovariateIV, τ_R with a prior": _iv(CovariateIV(direct_modifier={"x1": _normal(0, 0.3)})),
    "CovariateIV, τ_R and τ_M known": _iv(
        CovariateIV(direct_modifier={"x1": 0.2}, slope_modifier={"x1": 0.1})
    ),
    "CovariateIV, probit": _iv(CovariateIV(mediator="probit"), binary=True),
    "CovariateIV, persons' effects": _iv(
        CovariateIV(person_effects="random", errors="common"), n=300
    ),
    "RandomCoefficients, two arms": SBCVariant(
        RandomCoefficients(mediator="normal"), COEFFICIENTS, persons()
    ),
    "RandomCoefficients, amounts": SBCVariant(
        RandomCoefficients(mediator="normal"), COEFFICIENTS, persons(amount=True)
    ),
    "RandomCoefficients, direct effect": SBCVariant(
        RandomCoefficients(mediator="normal", direct_effect=True),
        COEFFICIENTS,
        persons(amount=True),
    ),
    "RandomCoefficients, binary mediator": SBCVariant(
        RandomCoefficients(mediator="binary"), COEFFICIENTS, persons(binary=True)
    ),
    "PrincipalStrata": SBCVariant(PrincipalStrata(heterogeneity=HET), TYPES, cells()),
    "PrincipalStrata, σ_het known": SBCVariant(PrincipalStrata(heterogeneity=0.3), TYPES, cells()),
    "PrincipalStrata, monotone in treatment": SBCVariant(
        PrincipalStrata(monotone_in="treatment", heterogeneity=HET), TYPES, cells()
    ),
    "PrincipalStrata, monotone in both": SBCVariant(
        PrincipalStrata(monotone_in="both", heterogeneity=HET), TYPES, cells()
    ),
    "PrincipalStrata, monotone in none": SBCVariant(
        PrincipalStrata(monotone_in="none", heterogeneity=HET), TYPES, cells()
    ),
    "PrincipalStrata, a tenth defiers": SBCVariant(
        PrincipalStrata(heterogeneity=HET, defiers=0.1), TYPES, cells()
    ),
    "PrincipalStrata, counts": SBCVariant(
        PrincipalStrata(heterogeneity=HET), COUNTED, cells(counted=True), SHORT
    ),
    "PrincipalStrata, mixture": SBCVariant(
        PrincipalStrata(outcome_likelihood="mixture", heterogeneity=HET),
        TYPES,
        cells(6, kept=True),
        SHORT,
    ),
    "PrincipalStrata, saturated": SBCVariant(PrincipalStrata(saturated=True), TYPES, cells()),
    "PrincipalStrata, saturated counts": SBCVariant(
        PrincipalStrata(saturated=True), COUNTED, cells(counted=True)
    ),
}
