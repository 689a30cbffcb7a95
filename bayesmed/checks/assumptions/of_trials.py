"""Assumptions about the persons of one trial: covariates, coefficients and types."""

from __future__ import annotations

from typing import Final

from bayesmed.checks.assumptions.record import Assumption

__all__ = ["OF_TRIALS"]

OF_COVARIATES: Final = (
    Assumption(
        "direct_effect_unmodified",
        "Instruments' covariates do not change the direct effect",
        "The average direct effect is the same whatever the covariates of the instruments.",
        "A change of the direct effect with them is then taken for the mediator's doing.",
        {"small": "IV-A2, direct effect"},
        ("overidentification",),
        study="direct_modifier; sensitivity_grid; assumption_sensitivity",
    ),
    Assumption(
        "slope_unmodified",
        "Instruments' covariates do not change the mediator's effect",
        "The mediator's average effect is the same whatever the covariates of the instruments.",
        "The slope is then that of no group of persons.",
        {"small": "IV-A2, mediator's effect"},
        ("overidentification",),
        study="slope_modifier; sensitivity_grid; assumption_sensitivity",
        blind="What else data say of it comes from the form of the model alone.",
    ),
    Assumption(
        "direct_effect_unmodified_by_controls",
        "Controls do not change the direct effect",
        "The average direct effect is the same whatever the covariates that are no instruments.",
        "Where controls go with the instruments' covariates, the slope is then off: 1.42 for a "
        "truth of 1 in a simulated trial.",
        {"small": "section 5"},
        study="control_interactions = true",
    ),
    Assumption(
        "mediator_unrelated_to_slopes",
        "Mediator unrelated to persons' slopes",
        "Given treatment and covariates, the mediator is unrelated to what it would do for the "
        "person.",
        "Persons who take the mediator because it helps them then make the slope more than the "
        "average one.",
        {"small": "IV-A3"},
        blind="It holds of itself where the mediator does the same for everybody.",
    ),
    Assumption(
        "equal_person_effects",
        "Effects that do not differ between persons",
        "Given covariates, direct effect and slope are the same for all persons.",
        "Averages stand under the assumptions above, but intervals are off where residuals vary "
        "with the mediator.",
        study='person_effects = "random"',
    ),
    Assumption(
        "equal_errors",
        "Errors alike in both arms",
        "Spreads and correlation of the errors of mediator and outcome are the same in both arms.",
        "Intervals are then off, and the slope too where the correlation differs.",
        {"small": "AA-1 and AA-2, which ask it of covariates too"},
        study='errors = "by_arm"',
    ),
    Assumption(
        "normal_errors",
        "Normal errors, linear in covariates",
        "Mediator and outcome are linear in covariates, with normal errors.",
        "Averages stand in large trials; intervals, and all that rests on the form of the model, "
        "do not.",
        {"small": "equation 4"},
    ),
)
OF_PERSONS: Final = (
    Assumption(
        "normal_persons",
        "Jointly normal persons",
        "Persons' levels, compliance and benefit are jointly normal.",
        "The average effect, and how compliance and benefit go together, are then those of another "
        "distribution; the intention to treat and the effect on the mediator stand.",
        checks=("normal_coefficients",),
    ),
    Assumption(
        "equal_direct_effect",
        "One direct effect for everybody",
        "Treatment works past the mediator by the same amount for everybody.",
        "Direct effects that go with compliance are then taken for benefit.",
    ),
)
OF_TYPES: Final = (
    Assumption(
        "random_instrument",
        "Random instrument",
        "The instrument is as good as randomly assigned, and independent of treatment.",
        "Differences by instrument are then not the mediator's doing.",
        {"kim": "2 (i)"},
        ("instrument_balance", "exclusion"),
        blind="Only its independence of treatment shows; most ways to fail do not.",
    ),
    Assumption(
        "instrument_exclusion",
        "Instrument works through the mediator only",
        "The instrument changes the outcome through the mediator only.",
        "What it does by other ways is then taken for the mediator's doing, divided by the share "
        "of persons it moves.",
        {"kim": "2 (ii)"},
        ("exclusion", "monotone_in_instrument"),
        blind="Many direct effects of an instrument pass.",
    ),
    Assumption(
        "monotone_in_treatment",
        "Mediator monotone in treatment",
        "Treatment takes the mediator away from nobody.",
        "Persons who lose it by treatment then cancel others: effects through the mediator are no "
        "average of anybody's.",
        {"one_site": "monotonicity (section 2)", "kim": "3"},
        ("monotone_in_treatment",),
        study="defiers; assumption_sensitivity",
        blind="Averages are looked at: single persons may still lose it.",
    ),
    Assumption(
        "monotone_in_instrument",
        "Mediator monotone in the instrument",
        "The instrument takes the mediator away from nobody.",
        "Persons who lose it then cancel others: the slope by instrument is no average of "
        "anybody's.",
        {"kim": "4"},
        ("monotone_in_instrument",),
        study="defiers; assumption_sensitivity",
        blind="It is looked at together with exclusion.",
    ),
    Assumption(
        "equal_type_effects",
        "Effects alike between types of persons",
        "The mediator does the same for persons of every type, that is of every response of the "
        "mediator to treatment and instrument.",
        "Effects that instrumental variables have are then not the natural effects.",
        {"kim": "proposition 1"},
        study="heterogeneity; assumption_sensitivity",
    ),
    Assumption(
        "normal_types",
        "Types of persons as their prior has them",
        "Effects of types vary normally around the average of their arm, and shares of types are "
        "Dirichlet.",
        "Natural effects are in part what the prior says of types that data do not tell.",
        study="heterogeneity; assumption_sensitivity",
    ),
)
OF_TRIALS: Final = (*OF_COVARIATES, *OF_PERSONS, *OF_TYPES)
