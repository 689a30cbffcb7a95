"""One name per thing: parameters, effects, dims and groups, as every output spells them."""

from __future__ import annotations

# Parameters (methods: delta, mu_theta, sigma_theta, mu_gamma, sigma_gamma).
SLOPE = "slope"
DIRECT_EFFECT_MEAN = "direct_effect_mean"
DIRECT_EFFECT_SD = "direct_effect_sd"
MEDIATOR_EFFECT_MEAN = "mediator_effect_mean"
MEDIATOR_EFFECT_SD = "mediator_effect_sd"
# The centred intercept: the average total effect where the mediator effect equals its centre.
TOTAL_EFFECT_AT_CENTRE = "total_effect_at_centre"
# Slopes that differ across sites (sigma_delta; delta_1, delta_2 and what they are at the centre).
SLOPE_SD = "slope_sd"
SLOPE_LINEAR = "slope_linear"
SLOPE_QUADRATIC = "slope_quadratic"
SLOPE_AT_CENTRE = "slope_at_centre"
SLOPE_LINEAR_AT_CENTRE = "slope_linear_at_centre"
# E(delta_s), where it is not the slope itself.
AVERAGE_SLOPE = "average_slope"
# Corr(gamma_s, theta_s): rho.
CORRELATION = "correlation"
# Degrees of freedom of Student-t direct effects, and effects of site covariates (nu, zeta).
DIRECT_EFFECT_DOF = "direct_effect_dof"
COVARIATE_EFFECT = "covariate_effect"
# Correlations of mediator effects across sites.
MEDIATOR_EFFECT_CORR = "mediator_effect_corr"
# Correlations of slopes across sites, among each other and with mediator effects (down).
SLOPE_CORR = "slope_corr"
MEDIATOR_EFFECT_SLOPE_CORR = "mediator_effect_slope_corr"
# Corr(gamma_ps, delta_ps), the same for each mediator, where it is taken as known.
COMPLIANCE_CORRELATION = "compliance_correlation"
CORRELATIONS = (MEDIATOR_EFFECT_CORR, SLOPE_CORR, MEDIATOR_EFFECT_SLOPE_CORR)
# What persons' mediator effects and slopes add by going together within sites (sum of kappa_p).
WITHIN_SITE_COVARIANCE = "within_site_covariance"
# Covariance of persons' mediators and outcome within sites (Sigma), by group of persons.
PERSON_COVARIANCE = "person_covariance"

# What each site has (gamma_s, theta_s, eta_s, beta_s).
MEDIATOR_EFFECT = "mediator_effect"
DIRECT_EFFECT = "direct_effect"
INDIRECT_EFFECT = "indirect_effect"
TOTAL_EFFECT = "total_effect"
SLOPE_OF_SITE = "slope_of_site"

# What is observed (hats).
MEDIATOR_EFFECT_ESTIMATE = "mediator_effect_estimate"
TOTAL_EFFECT_ESTIMATE = "total_effect_estimate"
ESTIMATES = "estimates"

# Dims.
CHAIN = "chain"
DRAW = "draw"
SITE = "site"
MEDIATOR = "mediator"
OTHER_MEDIATOR = "other_mediator"
COVARIATE = "covariate"
BLOCK = "block"
PERSON_GROUP = "person_group"
ESTIMATE = "estimate"
OTHER_ESTIMATE = "other_estimate"

# Groups of a fit's tree beside those ArviZ names.
SITE_EFFECTS = "site_effects"
SAME_SITES = "posterior_predictive_same_sites"

# Averages over the sites of the data (weighted) and in the population the sites come from.
ACME = "acme"
# Slopes averaged with mediator effects as weights (Reardon and Raudenbush 2013, equation 5).
CWATE = "cwate"
SHARE_MEDIATED = "share_mediated"
RELIABILITY = "reliability"
AVERAGE = "average"
SUPERPOPULATION = "superpopulation"
# Ends the name of what runs through all mediators together, where there are several.
ALL_MEDIATORS = "all_mediators"

# One trial with binary treatment, mediator and instrument: natural indirect and direct effects
# under each treatment, the average treatment effect, and what each arm's line has (methods,
# section 6).
NIE = "nie"
NDE = "nde"
ATE = "ate"
ARM_SLOPE = "arm_slope"
ARM_INTERCEPT = "arm_intercept"
MEDIATOR_MEAN = "mediator_mean"
OUTCOME_MEAN = "outcome_mean"
# How far apart types of persons are, and what each type has.
INTERCEPT_MEAN = "intercept_mean"
SLOPE_MEAN = "slope_mean"
INTERCEPT_HETEROGENEITY = "intercept_heterogeneity"
SLOPE_HETEROGENEITY = "slope_heterogeneity"
TYPE_SHARE = "type_share"
TYPE_INTERCEPT = "type_intercept"
TYPE_SLOPE = "type_slope"
INSTRUMENT_SHARE = "instrument_share"
MEDIATOR_SHARE = "mediator_share"
CELL_MEAN = "cell_mean"
CELL_SD = "cell_sd"
OUTCOME_SD = "outcome_sd"
# Its dims: arm of treatment, value of instrument and mediator, stratum of covariates, type.
ARM = "arm"
INSTRUMENT = "instrument"
MEDIATOR_VALUE = "mediator_value"
STRATUM = "stratum"
TYPE = "type"
# Persons' coefficients: levels of mediator and outcome, how they differ and go together.
MEDIATOR_LEVEL = "mediator_level"
OUTCOME_LEVEL = "outcome_level"
MEDIATOR_LEVEL_SD = "mediator_level_sd"
OUTCOME_LEVEL_SD = "outcome_level_sd"
PERSON_CORRELATION = "person_correlation"
COEFFICIENT = "coefficient"
OTHER_COEFFICIENT = "other_coefficient"
TREATMENT_GROUP = "treatment_group"
