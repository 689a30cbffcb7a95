r"""A planned multi-site trial: what its site estimates would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bayesmed.core.errors import ModelError
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.studies.simulation import values
from bayesmed.studies.simulation.design import arms_of_persons, estimates

Covariance = Literal["site", "pooled", "known"]


@dataclass(frozen=True, kw_only=True)
class TrialDesign:
    r"""A trial that is planned: sites, persons, and what effects are expected to be like.

    .. math::

        \gamma_s \sim N(\mu_\gamma,\sigma_\gamma^2),\quad
        \delta_s \sim N(\delta,\sigma_\delta^2),\quad
        \theta_s \sim N(\mu_\theta,\sigma_\theta^2),\quad
        (\hat\gamma_s,\hat\beta_s) \sim N\{(\gamma_s,\theta_s+\delta_s\gamma_s),
        \Sigma(1/n_1+1/n_0)\}

    Site estimates are differences in means of n₁ treated and n₀ other persons, whose mediator and
    outcome are normal within an arm with covariance Σ. They, and the covariance estimated beside
    them, are drawn from their sampling distributions, which costs the same for any number of
    persons. Effects of standard deviation 1 are in units of a person's.

    Parameters
    ----------
    sites
        Number of sites, 3 or more.
    persons
        Persons at each site.
    slope
        :math:`\delta`: what a unit of the mediator does to the outcome, on average over sites.
    mediator_effect_sd
        :math:`\sigma_\gamma`: how much effects on the mediator differ across sites. All of the
        information on the slope comes from it.
    direct_effect_sd
        :math:`\sigma_\theta`: how much the other effects on the outcome differ.
    mediator_outcome_correlation
        Correlation of mediator and outcome of persons of one arm and site, confounding included.
    mediator_effect_mean, direct_effect_mean
        :math:`\mu_\gamma,\mu_\theta`.
    slope_sd
        :math:`\sigma_\delta`.
    effect_correlation
        :math:`\mathrm{Corr}(\gamma_s,\theta_s)`; 0 is what the default model assumes.
    mediator_sd, outcome_sd
        Standard deviations of persons within one arm and site.
    treated_share
        Share of the persons of each site who are treated.
    covariance
        How Σ is estimated: ``"site"``, from the persons of each site and arm; ``"pooled"``, in each
        arm over all sites; ``"known"``, not at all.

    Raises
    ------
    ModelError
        If a value is not possible, or an arm would have fewer than three persons.

    Examples
    --------
    >>> design = TrialDesign(sites=20, persons=100, slope=0.5, mediator_effect_sd=0.3,
    ...                      direct_effect_sd=0.1, mediator_outcome_correlation=0.4)
    >>> design.arms
    (50, 50)
    >>> design.draw(np.random.default_rng(1)).n_rows
    20
    """

    sites: int
    persons: int
    slope: float
    mediator_effect_sd: float
    direct_effect_sd: float
    mediator_outcome_correlation: float
    mediator_effect_mean: float = 0.0
    direct_effect_mean: float = 0.0
    slope_sd: float = 0.0
    effect_correlation: float = 0.0
    mediator_sd: float = 1.0
    outcome_sd: float = 1.0
    treated_share: float = 0.5
    covariance: Covariance = "site"

    def __post_init__(self) -> None:
        values.whole(self, "sites", 3)
        values.whole(self, "persons", 6)
        for name in ("slope", "mediator_effect_mean", "direct_effect_mean"):
            values.number(self, name)
        for name in ("mediator_effect_sd", "direct_effect_sd", "slope_sd"):
            values.number(self, name, 0.0)
        for name in ("mediator_sd", "outcome_sd"):
            values.number(self, name, 0.0, ends=False)
        values.number(self, "effect_correlation", -1.0, 1.0)
        values.number(self, "mediator_outcome_correlation", -1.0, 1.0, ends=False)
        values.number(self, "treated_share", 0.0, 1.0, ends=False)
        values.choice(self, "covariance", get_args(Covariance))
        if min(self.arms) < 3:
            raise ModelError(
                f"TrialDesign: {self.persons} persons and a treated_share of "
                f"{self.treated_share:g} give an arm of {min(self.arms)}.",
                "Each arm needs 3.",
            )

    @property
    def truth(self) -> float:
        """The average slope."""
        return self.slope

    @property
    def arms(self) -> tuple[int, int]:
        """Persons at each site that are treated, and that are not."""
        treated = round(self.persons * self.treated_share)
        return treated, self.persons - treated

    @property
    def person_cov(self) -> Floats:
        """(2, 2) covariance of mediator and outcome of persons of one arm and site."""
        shared = self.mediator_outcome_correlation * self.mediator_sd * self.outcome_sd
        return np.array([[self.mediator_sd**2, shared], [shared, self.outcome_sd**2]])

    def draw(self, rng: np.random.Generator) -> SiteEstimates:
        """Draw the estimates of one trial, with the covariance estimated beside them."""
        z = rng.standard_normal((3, self.sites))
        rho = self.effect_correlation
        mediator = self.mediator_effect_mean + self.mediator_effect_sd * z[0]
        unit = rho * z[0] + np.sqrt(1.0 - rho**2) * z[1]
        direct = self.direct_effect_mean + self.direct_effect_sd * unit
        effects = np.column_stack(
            [mediator, direct + (self.slope + self.slope_sd * z[2]) * mediator]
        )
        root = np.linalg.cholesky(self.person_cov)
        treated, control = self.arms
        error = rng.standard_normal((self.sites, 2)) @ root.T
        error *= np.sqrt(1.0 / treated + 1.0 / control)
        if self.covariance == "known":
            cov = np.broadcast_to(self.person_cov, (self.sites, 2, 2))
            return estimates(effects + error, cov * (1 / treated + 1 / control), n=self.persons)
        arms = control, treated
        within = np.stack([wishart(self.sites, n - 1, rng) * (n - 1) for n in arms])
        products = root @ within @ root.T
        vary = arms_of_persons(products, arms)
        if self.covariance == "pooled":
            return estimates(effects + error, vary.estimated_cov, n=self.persons, persons=vary)
        cov = sum(products[i] / (n - 1) / n for i, n in enumerate(arms))
        return estimates(effects + error, cov, n=self.persons, persons=vary)


def wishart(n: int, dof: int, rng: np.random.Generator) -> Floats:
    """Draw 2 × 2 covariance matrices of independent standard normal numbers: (n, 2, 2).

    Each is as estimated with so many degrees of freedom (Bartlett's decomposition).
    """
    lower = np.zeros((n, 2, 2))
    lower[:, 0, 0] = np.sqrt(rng.chisquare(dof, n))
    lower[:, 1, 1] = np.sqrt(rng.chisquare(dof - 1, n))
    lower[:, 1, 0] = rng.standard_normal(n)
    return lower @ np.swapaxes(lower, 1, 2) / dof
