"""Assumptions about how sites differ."""

from __future__ import annotations

from typing import Final

from bayesmed.checks.assumptions.record import Assumption

__all__ = ["OF_SITES"]

OF_SITES: Final = (
    Assumption(
        "direct_effects_unrelated",
        "Direct effects unrelated to mediator effects",
        "Across sites, direct effects are not correlated with effects on the mediators.",
        "What direct effects share with mediator effects is then taken for the slope: more sites "
        "make the interval narrower around the wrong number (with a correlation of .6 intervals of "
        "30 simulated sites cover the truth in 40 %).",
        {"fu": "assumption 1"},
        study="correlation of site_slope; assumption_sensitivity",
        blind="An association of the two lies along the line: the scatter never shows it.",
    ),
    Assumption(
        "level_unrelated",
        "Untreated level of the mediator unrelated to effects on it",
        "What the mediator would be without treatment is, site by site, unrelated to the effect "
        "on it.",
        "Pure direct effects, which contain the interaction times that level, then go with "
        "mediator effects, and the slope is off as under correlated direct effects.",
        {"fu": "section 4.1"},
    ),
    Assumption(
        "one_slope",
        "One slope for all sites",
        "A unit of a mediator does the same for the outcome at every site.",
        "The interval of the average slope is then too narrow. In a model with direct effects the "
        "average itself stands as long as slopes are unrelated to mediator effects; in one without "
        "it may be off, too (by .09 of 1 where slopes have a standard deviation of .4).",
        {"fu": "proposition 1 (1)", "reardon": "two-stage least squares"},
        ("fan", "overidentification"),
        study='slope = "random"',
        blind="Slopes that differ little are not found: at 30 sites a spread of a quarter of the "
        "slope is found in one data set of seven.",
    ),
    Assumption(
        "slopes_unrelated",
        "Slopes unrelated to mediator effects",
        "Across sites, slopes are unrelated to the effects of treatment on every mediator.",
        "Sites where treatment moves the mediator more then weigh more: the answer is not the "
        "average slope.",
        {
            "fu": "proposition 1 (2)",
            "sites": "vii (one mediator: v.b)",
            "reardon": "9",
        },
        ("curvature", "pooled_wald"),
        study='compliance_correlation of multi_site_iv, slope = "polynomial" of site_slope; '
        "assumption_sensitivity",
        blind="Where slopes of 30 sites do go with mediator effects a bend shows in half of the "
        "data sets at best, in three of five where the model has no direct effects.",
    ),
    Assumption(
        "parabola",
        "Slopes follow a parabola",
        "Slopes depend on the mediator effect as a parabola, and on nothing else.",
        "The average slope is then that of another curve, most of all where few sites are.",
        {"fu": "remark 1"},
        ("curvature", "fan"),
    ),
    Assumption(
        "normal_slopes",
        "Normal slopes",
        "Slopes of sites are normal around their mean, and go with mediator effects, where they "
        "may, along straight lines.",
        "A few sites with odd slopes then carry the average and its interval.",
        checks=("fan", "normal_effects"),
    ),
    Assumption(
        "slopes_apart",
        "Slopes of different mediators unrelated",
        "Across sites, the slope of one mediator is unrelated to that of another.",
        "Intervals of slopes are then somewhat too wide or too narrow.",
        study='slope_covariance = "full"',
    ),
    Assumption(
        "parallel_mediators",
        "Parallel mediators",
        "No mediator changes another one.",
        "A slope is then that of the mediator past the others, and what runs through several, one "
        "after the other, counts for the last of them.",
        {"sites": "v", "reardon": "4"},
    ),
    Assumption(
        "sampling_errors",
        "Estimates normal with known errors",
        "Estimates of a site are normal around its true effects, with the standard errors given.",
        "Standard errors that are too small leave noise in the mediator effects, which pulls the "
        "slope to that of persons; too large ones push it the other way.",
        {"fu": "assumption 2"},
        ("normal_effects",),
        blind="Tails are looked at, the size of standard errors is not.",
    ),
    Assumption(
        "sampling_covariance",
        "Known covariance of a site's estimates",
        "Errors of the effects of one site go together as the sampling covariance says.",
        "Errors that go together then pass for a slope.",
        {"fu": "assumption 2, corr(u, v)"},
        ("sampling_covariance",),
        study="error correlations in the report",
    ),
    Assumption(
        "errors_unrelated",
        "Errors unrelated to effects",
        "How large the errors of a site are has nothing to do with its effects.",
        "Large and small sites then come from different populations: averages are those of "
        "neither.",
        {"fu": "assumption 2, Cov(γ, u) = 0"},
        ("precision",),
    ),
    Assumption(
        "normal_mediator_effects",
        "Normal mediator effects",
        "True effects on the mediators are normal across sites.",
        "Skewed mediator effects cost coverage: exponential ones, with heavy-tailed direct "
        "effects, leave as little as 87 % to intervals of 95 % at 100 sites.",
        blind="Sampling errors blur it; no check looks at it, but the picture of predictions does.",
    ),
    Assumption(
        "normal_direct_effects",
        "Normal direct effects",
        "Direct effects are normal across sites.",
        "A few outlying sites then carry the slope.",
        checks=("normal_effects",),
        study='direct_effect_distribution = "student_t"',
        blind="Of 30 sites tails as long as those of Student's t with 3 degrees of freedom show "
        "in a third.",
    ),
    Assumption(
        "covariates_in_proportion",
        "Covariates shift direct effects in proportion",
        "Covariates of sites shift direct effects in proportion, and slopes not at all.",
        "What covariates do otherwise stays among the direct effects, or passes for slopes.",
    ),
    Assumption(
        "independent_sites",
        "Independent sites of one population",
        "Sites are independent draws from one population, but for control groups they share.",
        "Errors shared between rows count as signs of a slope, and intervals are too narrow.",
        {"fu": "proposition 1 (random sample), section 5"},
    ),
    Assumption(
        "sites_chosen_apart",
        "Sites chosen apart from the persons in them",
        "Who belongs to which site was not chosen by looking at the mediators and outcomes of the "
        "persons whose effects are estimated there.",
        "What made a site look different by chance is then taken for its effect: mediator effects "
        "spread too much, and slopes go where mediator and outcome are confounded.",
        study="find_sites, which uses other persons, and repeat_sites",
        design=True,
    ),
    Assumption(
        "persons_alike",
        "Persons vary alike at all sites",
        "Persons are normal around the means of their arm, with the same covariance at all sites.",
        "Sites with more variable persons then count for more than they tell.",
        study='sampling_covariance = "known"',
    ),
)
