"""Effects in words, as every output calls them."""

from __future__ import annotations

from collections.abc import Iterable

from bayesmed.core.names import (
    ACME,
    ALL_MEDIATORS,
    AVERAGE,
    AVERAGE_SLOPE,
    CWATE,
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    RELIABILITY,
    SHARE_MEDIATED,
    SLOPE_OF_SITE,
    SUPERPOPULATION,
    TOTAL_EFFECT,
)
from bayesmed.generative import SiteModel

SITE_RELIABILITY = f"{RELIABILITY}_of_site"
HERE, WIDE = "over the sites", "in the population of sites"


def of_all(name: str) -> str:
    """Return the name of an effect through all mediators together.

    Examples
    --------
    >>> of_all("acme")
    'acme_all_mediators'
    """
    return f"{name}_{ALL_MEDIATORS}"


def indirect(model: SiteModel) -> str:
    """Return what indirect effects are called (Fu 2023, section 4.1)."""
    return "total indirect effect" if model.interaction else "indirect effect"


def direct(model: SiteModel) -> str:
    """Return what direct effects are called (Fu 2023, section 4.1)."""
    return "pure direct effect" if model.interaction else "direct effect"


def effect_label(name: str, model: SiteModel, *, mediator: str = "", outcome: str = "") -> str:
    """Return an effect in words; a name without words stands for itself.

    Parameters
    ----------
    name
        As `Effects.draws` calls it.
    model
        Whether it has an interaction decides what effects are called.
    mediator, outcome
        What to call them; empty to speak of no particular one.

    Examples
    --------
    >>> from bayesmed.generative import SiteSlope
    >>> effect_label("acme", SiteSlope(), mediator="effort")
    'indirect effect through effort, over the sites (ACME)'
    >>> effect_label("average_direct_effect", SiteSlope(interaction=True))
    'pure direct effect, over the sites'
    >>> effect_label("cwate", SiteSlope(), mediator="effort", outcome="score")
    'compliance-weighted average effect of effort on score, over the sites (CWATE)'
    """
    whole = name.endswith(ALL_MEDIATORS)
    base = name.removesuffix(f"_{ALL_MEDIATORS}")
    place = mediator or "the mediator"
    through = " through all mediators" if whole else f" through {mediator}" if mediator else ""
    on = f" on {outcome}" if outcome else ""
    slope = f"slope of {mediator}" if mediator else "slope"
    weighted = f"compliance-weighted average effect of {place}{on}"
    words = {
        AVERAGE_SLOPE: f"{slope}, {WIDE}",
        CWATE: f"{weighted}, {HERE} (CWATE)",
        f"{SUPERPOPULATION}_{CWATE}": f"{weighted}, {WIDE} (CWATE)",
        SITE_RELIABILITY: f"reliability of the estimated effect on {place}",
        RELIABILITY: f"reliability of the estimated effects on {place}",
        ACME: f"{indirect(model)}{through}, {HERE} (ACME)",
        f"{SUPERPOPULATION}_{ACME}": f"{indirect(model)}{through}, {WIDE}",
    }
    kinds = {
        MEDIATOR_EFFECT: f"effect on {place}",
        SLOPE_OF_SITE: slope,
        INDIRECT_EFFECT: f"{indirect(model)}{through}",
        DIRECT_EFFECT: direct(model),
        TOTAL_EFFECT: f"total effect{on}",
        SHARE_MEDIATED: f"share{through or ' through the mediator'}",
    }
    for kind, text in kinds.items():
        words[kind] = text
        words[f"{AVERAGE}_{kind}"] = f"{text}, {HERE}"
        words[f"{SUPERPOPULATION}_{kind}"] = f"{text}, {WIDE}"
    return words.get(base, name)


def effect_labels(names: Iterable[str], model: SiteModel) -> dict[str, str]:
    """Return each of some effects in words, by name."""
    return {name: effect_label(name, model) for name in names}
