"""Assumptions about how a study was made, and about persons, whatever the model."""

from __future__ import annotations

from typing import Final

from bayesmed.checks.assumptions.record import Assumption

__all__ = ["OF_DESIGNS"]

OF_DESIGNS: Final = (
    Assumption(
        "random_assignment",
        "Random assignment",
        "Treatment is as good as randomly assigned, within every site where there are sites.",
        "Differences between arms are then no effects of treatment, and nothing made of them is.",
        {
            "fu": "equation 6",
            "one_site": "vii",
            "sites": "viii (one mediator: vii)",
            "reardon": "7",
            "small": "proposition 1",
            "kim": "1",
        },
        design=True,
    ),
    Assumption(
        "no_interference",
        "No interference (SUTVA)",
        "No person's mediators or outcome depend on the treatment of others, nor the outcome on "
        "the mediators of others.",
        "Effects then depend on how many others are treated, and are those at these numbers only.",
        {"one_site": "i", "sites": "i", "reardon": "1"},
        design=True,
    ),
    Assumption(
        "no_selective_loss",
        "No selective loss of persons",
        "Persons whose mediator or outcome is missing are missing for reasons that have nothing to "
        "do with treatment and its effects.",
        "Arms are then no longer alike, and effects on mediator and outcome are off together.",
        study="missingness by arm: reduce_rows(rows).missingness",
    ),
    Assumption(
        "linear_in_treatment",
        "Mediators linear in treatment",
        "Each person's mediators are linear in treatment, as any effect of a treatment given or "
        "not is.",
        "With amounts of treatment, effects are then averages over the amounts that were given.",
        {"one_site": "iii", "sites": "iii", "reardon": "2"},
    ),
    Assumption(
        "linear_in_mediator",
        "Outcome linear in the mediators",
        "Each person's outcome is linear in the mediators, as any effect of a mediator that is "
        "there or not is, and mediators do not interact.",
        "A slope is then that over the part of the mediator's range that treatment moves persons "
        "through, and no statement about other parts.",
        {"one_site": "iv", "sites": "iv", "reardon": "3", "small": "equation 1"},
    ),
    Assumption(
        "relevance",
        "Treatment moves the mediators (relevance, rank)",
        "Treatment moves the mediators, or an instrument does, and moves them differently between "
        "places or persons where only such differences tell what they do.",
        "The answer is then little more than its prior, or a ratio of any size.",
        {
            "fu": "proposition 1, Var(γ) > 0",
            "one_site": "vi (printed as v)",
            "sites": "ix (one mediator: vi)",
            "reardon": "8",
            "small": "IV-A1",
            "kim": "2 (iii)",
        },
        (
            "reliability",
            "first_stage_f",
            "conditional_f",
            "rank",
            "instrument_strength",
            "compliance",
        ),
    ),
    Assumption(
        "exclusion",
        "No direct effects (exclusion)",
        "Treatment changes the outcome through the mediators only.",
        "What treatment does by other ways is then taken for the mediators' doing.",
        {"one_site": "ii", "sites": "ii", "reardon": "5"},
        ("no_direct_effects", "overidentification", "pooled_wald"),
        study="direct_effect = true; tilt by a mean direct effect",
        blind="Direct effects that are equal everywhere, or in proportion to mediator effects, "
        "hardly show.",
    ),
    Assumption(
        "within_site_covariance",
        "No compliance–effect covariance of persons (κ = 0)",
        "Among the persons of a site, those whose mediator moves more are not those for whom it "
        "matters more.",
        "What such persons add to total effects is then taken for slopes, or for direct effects.",
        {
            "one_site": "v (printed as a second iv)",
            "sites": "vi (one mediator: v.a)",
            "reardon": "6",
        },
        ("overidentification", "pooled_wald"),
        study="within_site_covariance of multi_site_iv; assumption_sensitivity",
        blind="It enters as direct effects do: data cannot tell the two apart.",
    ),
)
