r"""The equations of every model, as its card page shows them.

Greek letters are those of `bayesmed.core.names`: :math:`\gamma` effects on mediators,
:math:`\delta` slopes, :math:`\theta` direct effects, :math:`\beta` total effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bayesmed.checks.assumptions import Paper

PAPERS_OF: Final[Mapping[str, tuple[Paper, ...]]] = {
    "site_slope": ("fu",),
    "multi_site_iv": ("sites", "reardon"),
    "covariate_iv": ("small",),
    "random_coefficients": ("one_site",),
    "principal_strata": ("kim",),
}

EQUATIONS: Final[Mapping[str, str]] = {
    "site_slope": r"""
Estimates of site $s$ scatter around its true effects with a covariance that is known; true effects
on the mediator and direct effects differ between sites:

$$
(\hat\gamma_s, \hat\beta_s) &\sim N\{(\gamma_s, \beta_s), V_s\}, \\
\gamma_s &\sim N(\mu_\gamma, \sigma_\gamma^2), \qquad
\theta_s \sim N(\mu_\theta, \sigma_\theta^2), \\
\beta_s &= \theta_s + \delta\gamma_s .
$$

The indirect effect of a site is $\delta\gamma_s$. With several mediators it is
$\delta_p\gamma_{ps}$ for each; with `slope = "random"` slopes are $\delta_s \sim N(\delta,
\sigma_\delta^2)$; with `slope = "polynomial"` $\delta_s = \delta_0 + \delta_1\gamma_s +
\delta_2\gamma_s^2$. Site effects are integrated out.
""",
    "multi_site_iv": r"""
Slopes of $P$ mediators differ between sites, and total effects have no part that is direct:

$$
(\hat\gamma_s, \hat\beta_s) &\sim N\{(\gamma_s, \beta_s), V_s\}, \\
\gamma_s &\sim N_P(\bar\gamma, \Omega_\gamma), \qquad
\delta_s \sim N_P(\bar\delta, \Omega_\delta), \\
\beta_s &= \textstyle\sum_p \delta_{ps}\gamma_{ps}
\quad [\, + \kappa \ \text{or} + \theta_s \,] .
$$

Slopes are unrelated to mediator effects unless `compliance_correlation` says otherwise. Given rows
of persons, $V_s = \Sigma_1/n_{s1} + \Sigma_0/n_{s0}$ with the covariance $\Sigma$ of an arm's
persons a parameter.
""",
    "covariate_iv": r"""
Treatment $R$ is randomised; baseline covariates $X$ change how it moves the mediator $M$, and with
it the outcome $Y$:

$$
M &= a + b'X + cR + d'(R \cdot X) + v, \\
Y &= \alpha + \beta'X + \theta_R R + \theta_M M + e, \qquad
\mathrm{Corr}(e, v) = \psi_R \ \text{free}.
$$

With modifiers, $\theta_R$ becomes $\theta_R + \tau_R'(X - EX)$ and $\theta_M$ becomes $\theta_M +
\tau_M'(X - EX)$. With persons' effects the variance of $Y$ given $M$, $R$ and $X$ gains
$R\omega_R^2 + M^2\omega_M^2 + 2RM\omega_{RM}$.
""",
    "random_coefficients": r"""
Every person has levels and effects of their own, which may go together:

$$
(m_{0i}, y_{0i}, \Gamma_i, \Delta_i) &\sim N(\mu, \Omega), \\
M_i &= m_{0i} + \Gamma_i T_i, \\
Y_i &= y_{0i} \ [\, + \theta T_i \,] + \Delta_i M_i .
$$

The average effect of the mediator is $\mu_\Delta$. What the treatment tells directly is the
compliance-weighted one, $\mu_\Delta + \omega_{\Delta\Gamma}/\mu_\Gamma$.
""",
    "principal_strata": r"""
Treatment $d$, instrument $z$ and mediator are 0 or 1. A person's type is what the mediator would be
under all four: $t = (M_{00}, M_{01}, M_{10}, M_{11})$. Cells of persons are mixtures of types:

$$
P(M=1 \mid d, z) &= \textstyle\sum_t \pi_t\, M_{dz}(t), \\
E[Y_{dm} \mid t] &= a_{td} + b_{td}\, m, \\
b_{td} &\sim N(b_d, \sigma_{\mathrm{het}}^2), \qquad a_{td} \sim N(a_d, \sigma_a^2).
$$

Shares $\pi_t$ are Dirichlet over the types that `monotone_in` allows. With
$\sigma_{\mathrm{het}} = 0$ instrumental variables hit the natural effects.
""",
}
