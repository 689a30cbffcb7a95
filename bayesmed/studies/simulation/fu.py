r"""Fu's simulated designs: Algorithm 1 and departures from what it assumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bayesmed.core.errors import ModelError
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.studies.simulation import values
from bayesmed.studies.simulation.design import estimates

MediatorEffects = Literal["normal", "exponential"]
DirectEffects = Literal["normal", "student_t"]
MEAN_MEDIATOR_EFFECT, MEAN_DIRECT_EFFECT, DOF = 2.0, 4.0, 3.0


@dataclass(frozen=True)
class FuDesign:
    r"""Fu (2023), Algorithm 1, and what happens where it does not hold.

    .. math::

        \gamma_s \sim N(2, 1),\quad \theta_s \sim N(4, 1),\quad \beta_s = \theta_s+\delta\gamma_s,
        \quad se(\hat\gamma_s), se(\hat\beta_s) \sim \mathrm{Gamma}(1, 1)

    All are drawn anew for each replicate. Standard errors are known; the mean sampling variance of
    the mediator effects is twice their true variance.

    Parameters
    ----------
    sites
        Number of sites, 3 or more.
    slope
        :math:`\delta`: with 2 about half of the total effect runs through the mediator.
    slope_sd
        :math:`\sigma_\delta`, where slopes are :math:`N(\delta,\sigma_\delta^2)`.
    effect_correlation
        :math:`\mathrm{Corr}(\gamma_s,\theta_s)`; Fu's Assumption 1 says 0.
    error_correlation
        Correlation of the two sampling errors of each site.
    covariance_given
        Whether that correlation is in the table; if not it counts as 0.
    mediator_effects
        ``"exponential"``: 1 + Exp(1), of the same mean and spread.
    direct_effects
        ``"student_t"``: 4 + t with three degrees of freedom.

    Raises
    ------
    ModelError
        If a value is not possible.

    Examples
    --------
    >>> FuDesign(sites=30).draw(np.random.default_rng(1))
    SiteEstimates(30 rows, mediator 'mediator', outcome 'outcome', from simulation)
    """

    sites: int
    slope: float = 2.0
    slope_sd: float = 0.0
    effect_correlation: float = 0.0
    error_correlation: float = 0.0
    covariance_given: bool = True
    mediator_effects: MediatorEffects = "normal"
    direct_effects: DirectEffects = "normal"

    def __post_init__(self) -> None:
        values.whole(self, "sites", 3)
        values.number(self, "slope")
        values.number(self, "slope_sd", 0.0)
        values.number(self, "effect_correlation", -1.0, 1.0)
        values.number(self, "error_correlation", -1.0, 1.0, ends=False)
        values.flag(self, "covariance_given")
        values.choice(self, "mediator_effects", get_args(MediatorEffects))
        values.choice(self, "direct_effects", get_args(DirectEffects))
        if self.effect_correlation and self.direct_effects != "normal":
            raise ModelError(
                "FuDesign: Student-t direct effects have no effect_correlation.",
                "Change one of the two at a time.",
            )

    @property
    def truth(self) -> float:
        """The average slope."""
        return self.slope

    def draw(self, rng: np.random.Generator) -> SiteEstimates:
        """Draw the estimates of one study."""
        away, unit = self._mediator_effects(rng), self._direct_effects(rng)
        se = rng.gamma(1.0, 1.0, (self.sites, 2))
        error = rng.standard_normal((self.sites, 2))
        r, rho = self.error_correlation, self.effect_correlation
        error[:, 1] = r * error[:, 0] + np.sqrt(1.0 - r**2) * error[:, 1]
        slope: Floats | float = self.slope
        if self.slope_sd:
            slope = slope + self.slope_sd * rng.standard_normal(self.sites)
        mediator = MEAN_MEDIATOR_EFFECT + away
        direct = MEAN_DIRECT_EFFECT + rho * away + np.sqrt(1.0 - rho**2) * unit
        effects = np.column_stack([mediator, direct + slope * mediator])
        known = r if self.covariance_given else 0.0
        corr = np.array([[1.0, known], [known, 1.0]])
        cov = se[:, :, None] * se[:, None, :] * corr
        return estimates(effects + se * error, cov, given=self.covariance_given)

    def _mediator_effects(self, rng: np.random.Generator) -> Floats:
        """Deviations of mean 0 and standard deviation 1."""
        if self.mediator_effects == "exponential":
            return rng.standard_exponential(self.sites) - 1.0
        return rng.standard_normal(self.sites)

    def _direct_effects(self, rng: np.random.Generator) -> Floats:
        """Deviations of mean 0 and scale 1."""
        if self.direct_effects == "student_t":
            return np.asarray(rng.standard_t(DOF, self.sites))
        return rng.standard_normal(self.sites)
