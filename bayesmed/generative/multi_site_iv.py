r"""Multi-site, multiple-mediator instrumental variables: sites and treatment as instruments.

Reardon and Raudenbush (2013), section 4, as a generative model with measurement error:

.. math::

    (\hat\gamma_s, \hat\beta_s) \sim N\{(\gamma_s, \beta_s), V_s\},\quad
    \gamma_s \sim N(\mu_\gamma, \Omega_\gamma),\quad
    \delta_s \sim N(\delta, \Omega_\delta),\quad
    \beta_s = \sum_p \delta_{ps}\gamma_{ps} .

Slopes are integrated out. The equations are in :mod:`bayesmed.formulas.site_slope_blocks`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from bayesmed.core.errors import DataError, ModelError, nearest
from bayesmed.core.names import (
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    MEDIATOR_EFFECT_SLOPE_CORR,
    PERSON_COVARIANCE,
    SLOPE,
    SLOPE_CORR,
    SLOPE_SD,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.generative import site_slope_validation
from bayesmed.generative.site_model import SiteModel
from bayesmed.generative.site_slope_parameters import AT_CENTRE, Related
from bayesmed.priors import Prior

SlopeCovariance = Literal["auto", "diagonal", "full"]

SamplingCovariance = Literal["auto", "known", "by_arm", "common"]

SITES_FOR_FULL = 30
"""From this many blocks of sites on, slopes of different mediators may be correlated by default."""


@dataclass(frozen=True, repr=False)
class MultiSiteIV(SiteModel):
    r"""Slopes of several mediators from how sites differ, without a direct effect.

    What two-stage least squares with site-by-treatment instruments estimates, with slopes that
    differ between sites and the noise of the mediator effects in the model.

    Parameters
    ----------
    direct_effect
        Whether treatment also works past the mediators, which relaxes the exclusion restriction.
    slope_covariance
        :math:`\Omega_\delta`: ``"diagonal"``, slopes of different mediators unrelated across
        sites; ``"full"``, correlations with a uniform prior; ``"auto"``, full from 30 sites on.
    compliance_correlation
        Whether slopes may go with mediator effects across sites, :math:`\mathrm{Corr}(\gamma_{ps},
        \delta_{qs})`: sites where treatment moves a mediator more may be those where it matters
        more. ``True``: the likelihood tells it through curvature; correlations of all mediator
        effects and slopes are uniform a priori. A number in (-1, 1) is the known correlation of
        each slope with the effects on its own mediator; slopes go with the effects on other
        mediators as far as these go with their own (`bayesmed.generative.site_slope_correlations`).
    within_site_covariance
        :math:`\sum_p\kappa_p`, what persons' mediator effects and slopes add to the total effect
        by going together within sites: a number, or a prior. Only without a direct effect, from
        which the data cannot tell it.
    sampling_covariance
        ``"known"``: :math:`V_s` as the data give it. ``"by_arm"``: made of a covariance of persons
        in each arm, the same at all sites, which is a parameter; ``"common"``: in all arms. These
        need rows of persons. ``"auto"``: by arm where the data come from independent persons (one
        covariance for all of them where sites are adjusted for covariates), else known.
    priors
        Replacements of the default priors by parameter, as in `SiteSlope`.

    Raises
    ------
    ModelError
        If a choice or a prior is unknown or impossible.

    Notes
    -----
    Assumes (Reardon and Raudenbush's numbers in brackets) that treatment works through the
    mediators only (ii), that mediators do not affect each other (v), that within sites persons'
    mediator effects and slopes are unrelated (vi), that across sites slopes are unrelated to
    mediator effects (vii), each as far as the options above do not relax it.

    With a covariance of persons as a parameter this is the likelihood of the rows themselves, for
    normal persons whose covariance is the same at all sites: means of sites and arms are
    :math:`N(\cdot,\Sigma_t/n_{st})`, with means of the controls flat a priori, and products within
    cells :math:`\mathrm{Wishart}(\Sigma_t, \nu_t)`, so that nothing depends on the number of rows
    (:mod:`bayesmed.formulas.person_covariance`). Covariances estimated site by site make sites with
    steeper slopes, whose outcomes vary more, count less, and pull the average slope down.

    Examples
    --------
    >>> MultiSiteIV().parameters
    ('slope', 'slope_sd', 'mediator_effect_mean', 'mediator_effect_sd')
    >>> MultiSiteIV(compliance_correlation=True).derived
    ('mediator_effect_corr', 'slope_corr', 'mediator_effect_slope_corr', 'person_covariance')
    """

    direct_effect: bool = False
    slope_covariance: SlopeCovariance = "auto"
    compliance_correlation: bool | float = False
    within_site_covariance: float | Prior = 0.0
    sampling_covariance: SamplingCovariance = "auto"
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_choices()
        for name, prior in self.priors.items():
            site_slope_validation.check_prior(self, name, prior)
        site_slope_validation.check_twins(self)
        if not isinstance(self.within_site_covariance, Prior):
            object.__setattr__(self, "within_site_covariance", float(self.within_site_covariance))
        if not isinstance(self.compliance_correlation, bool):
            # A known correlation of 0 is none.
            known = float(self.compliance_correlation) or False
            object.__setattr__(self, "compliance_correlation", known)
        object.__setattr__(self, "priors", MappingProxyType(dict(self.priors)))

    def __hash__(self) -> int:
        return hash(self.identity())

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, in the order outputs list them."""
        names = [SLOPE, SLOPE_SD]
        if self.direct_effect:
            names += [self.intercept, DIRECT_EFFECT_SD]
        if isinstance(self.within_site_covariance, Prior):
            names.append(WITHIN_SITE_COVARIANCE)
        return (*names, MEDIATOR_EFFECT_MEAN, MEDIATOR_EFFECT_SD)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that follow from the others, or have a prior of no choice."""
        twins = (DIRECT_EFFECT_MEAN, AT_CENTRE[DIRECT_EFFECT_MEAN]) if self.direct_effect else ()
        others = tuple(name for name in twins if name != self.intercept)
        correlations = (MEDIATOR_EFFECT_CORR, SLOPE_CORR, MEDIATOR_EFFECT_SLOPE_CORR)
        relations = correlations[: 3 if self.compliance_correlation else 2]
        persons = () if self.sampling_covariance == "known" else (PERSON_COVARIANCE,)
        return (*others, *relations, *persons)

    def related(self, data: SiteEstimates) -> Related:
        """Say which slopes are correlated across sites."""
        if self.compliance_correlation:
            return "effects"
        return "slopes" if self.slopes_together(data) else "none"

    @property
    def known_compliance(self) -> float | None:
        """Known correlation of slopes with their own mediators' effects; None where there is none.

        It is no bool: 1 is not true.
        """
        known = self.compliance_correlation
        return None if isinstance(known, bool) else known

    def slopes_together(self, data: SiteEstimates) -> bool:
        """Whether slopes of different mediators may go together beside what effects explain."""
        enough = self.slope_covariance == "auto" and data.n_blocks >= SITES_FOR_FULL
        full = self.slope_covariance == "full" or enough
        return full and data.n_mediators > 1 and self.compliance_correlation is not True

    def persons(self, data: SiteEstimates) -> PersonCovariance | None:
        """Return the products of persons whose covariances are parameters, or None."""
        found = data.persons
        if self.sampling_covariance == "known" or found is None or found.problem:
            return None
        return found.pooled() if self.sampling_covariance == "common" else found

    def check_data(self, data: SiteEstimates) -> None:
        """Refuse data this model has no likelihood for.

        Raises
        ------
        DataError
            If a prior names a mediator that is not there, or a covariance of persons is asked for
            that the data do not tell.
        """
        site_slope_validation.check_data(self, data)
        if self.sampling_covariance in ("auto", "known"):
            return
        reason = "they are no rows of independent persons"
        if data.persons is not None:
            reason = data.persons.problem
            if self.sampling_covariance == "by_arm" and len(data.persons.groups) < 2:
                reason = reason or "adjusted at each site, they have one covariance for all persons"
        if reason:
            raise DataError(
                f"The data ({data.source}) cannot tell the covariance of persons "
                f"({self.sampling_covariance}): {reason}.",
                'Set sampling_covariance = "auto" or "known".',
            )

    def _check_choices(self) -> None:
        for name, kind in (
            ("slope_covariance", SlopeCovariance),
            ("sampling_covariance", SamplingCovariance),
        ):
            choice, known = getattr(self, name), get_args(kind)
            if choice not in known:
                raise ModelError(
                    f"The {name} of a multi_site_iv model is {choice!r}.",
                    nearest(str(choice), known),
                )
        if not isinstance(self.direct_effect, bool):
            raise ModelError(f"direct_effect is {self.direct_effect!r}.", "Write true or false.")
        rho: Any = self.compliance_correlation
        is_number = isinstance(rho, int | float | np.number)
        if not isinstance(rho, bool) and not (is_number and -1 < rho < 1):
            raise ModelError(
                f"compliance_correlation is {rho!r}.",
                "Write true or false, or a number between -1 and 1.",
            )
        kappa: Any = self.within_site_covariance
        is_number = isinstance(kappa, int | float | np.number) and not isinstance(kappa, bool)
        if not isinstance(kappa, Prior) and not (is_number and math.isfinite(kappa)):
            raise ModelError(
                f"within_site_covariance is {kappa!r}.", "Give a finite number, or a prior."
            )
        if self.direct_effect and kappa != 0:
            raise ModelError(
                "The data cannot tell a within-site covariance from a direct effect.",
                "Keep one of the two.",
            )
        if self.slope_covariance == "diagonal" and self.compliance_correlation is True:
            raise ModelError(
                "compliance_correlation correlates all slopes and mediator effects.",
                'Leave slope_covariance = "diagonal" out.',
            )
