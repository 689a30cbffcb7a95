r"""Persons at many sites, their mediator confounded: the designs of Reardon's bias table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bayesmed.core.errors import ModelError
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.studies.simulation import values
from bayesmed.studies.simulation.design import arms_of_persons, estimates

Covariance = Literal["pooled", "site"]
CONFOUNDING = 0.5


@dataclass(frozen=True)
class ReardonDesign:
    r"""Persons whose mediator is confounded, half of them treated, at sites that differ.

    .. math::

        M = \gamma_s T + u,\quad Y = \delta_s M + \tfrac12 u + e,\quad u, e \sim N(0, 1)

    with :math:`(\gamma_s,\delta_s)` bivariate normal. There is no direct effect. The persons are
    drawn, and reduced to differences in means with their covariance, and to how persons vary within
    arms, which a `MultiSiteIV` uses.

    Parameters
    ----------
    sites
        Number of sites, 3 or more.
    persons
        Persons at each site: an even number, 8 or more.
    mediator_effect_mean, mediator_effect_sd
        Those of :math:`\gamma_s`.
    slope, slope_sd
        Those of :math:`\delta_s`.
    compliance_correlation
        :math:`\mathrm{Corr}(\gamma_s,\delta_s)`.
    covariance
        Of the estimates. ``"pooled"``: the covariance of persons in each arm is estimated over all
        sites; ``"site"``: at each site by itself. Sites with steeper slopes have more variable
        outcomes, so that with covariances of their own they count less.

    Raises
    ------
    ModelError
        If a value is not possible.

    Examples
    --------
    >>> design = ReardonDesign(sites=50, persons=60, mediator_effect_mean=0.3)
    >>> design.draw(np.random.default_rng(1)).n_rows
    50
    """

    sites: int = 50
    persons: int = 200
    mediator_effect_mean: float = 0.6
    mediator_effect_sd: float = 0.3
    slope: float = 1.0
    slope_sd: float = 0.0
    compliance_correlation: float = 0.0
    covariance: Covariance = "pooled"

    def __post_init__(self) -> None:
        values.whole(self, "sites", 3)
        values.whole(self, "persons", 8)
        if self.persons % 2:
            raise ModelError(
                f"ReardonDesign: persons is {self.persons}.",
                "Give an even number: half are treated.",
            )
        values.number(self, "mediator_effect_mean")
        values.number(self, "mediator_effect_sd", 0.0)
        values.number(self, "slope")
        values.number(self, "slope_sd", 0.0)
        values.number(self, "compliance_correlation", -1.0, 1.0)
        values.choice(self, "covariance", get_args(Covariance))

    @property
    def truth(self) -> float:
        """The average slope."""
        return self.slope

    def draw(self, rng: np.random.Generator) -> SiteEstimates:
        """Draw persons, and reduce them to the estimates of one study."""
        persons = self._persons(rng)
        half = self.persons // 2
        mean = persons.mean(axis=2)
        away = persons - mean[:, :, None]
        products = np.einsum("tsik,tsil->tskl", away, away)
        vary = arms_of_persons(products, (half, half))
        if self.covariance == "pooled":
            products = np.broadcast_to(products.mean(axis=1, keepdims=True), products.shape)
        cov = products.sum(axis=0) / (half - 1) / half
        return estimates(mean[1] - mean[0], cov, n=self.persons, persons=vary)

    def _persons(self, rng: np.random.Generator) -> Floats:
        """Return mediator and outcome by arm, site and person: (2, S, persons / 2, 2)."""
        shared, own = rng.standard_normal((2, self.sites))
        rho = self.compliance_correlation
        gamma = self.mediator_effect_mean + self.mediator_effect_sd * shared
        slope = self.slope + self.slope_sd * (rho * shared + np.sqrt(1.0 - rho**2) * own)
        u, e = rng.standard_normal((2, 2, self.sites, self.persons // 2))
        treated = np.array([0.0, 1.0])[:, None, None]
        mediator = gamma[:, None] * treated + u
        return np.stack([mediator, slope[:, None] * mediator + CONFOUNDING * u + e], axis=-1)
