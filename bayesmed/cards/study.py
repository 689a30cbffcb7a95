"""The ``[study.prior_sensitivity]`` section of a card: which priors to fit again with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bayesmed.cards.priors import read_priors
from bayesmed.cards.section import Section
from bayesmed.core.errors import CardError, nearest
from bayesmed.generative import AnyModel
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.priors import Prior

__all__ = ["PriorStudy", "read_named_priors", "read_prior_study"]

PRIOR_SENSITIVITY = ("parameters", "factors", "together", "alternatives")


@dataclass(frozen=True)
class PriorStudy:
    """Priors to try in place of the model's own.

    Parameters
    ----------
    parameters
        Whose priors to make wider and narrower; all where empty.
    factors
        How many times as wide; None for the study's defaults.
    together
        Whether to try all combinations of factors, instead of one parameter at a time.
    alternatives
        Declared priors: by name, then by parameter.
    """

    parameters: tuple[str, ...] = ()
    factors: tuple[float, ...] | None = None
    together: bool = False
    alternatives: Mapping[str, Mapping[str, Prior]] = field(default_factory=dict)


def read_prior_study(study: Section, model: AnyModel) -> PriorStudy | None:
    """Read the section below ``[study]``; None where it is absent.

    Raises
    ------
    CardError
        If a key or parameter is unknown, a factor not greater than 0, or a prior impossible.
    """
    example = "[study.prior_sensitivity] and factors = [0.5, 2] below it"
    section = study.section("prior_sensitivity", PRIOR_SENSITIVITY, example=example)
    if section is None:
        return None
    parameters = section.texts("parameters")
    for name in parameters:
        if name.split("[", 1)[0] not in model.parameters:
            raise CardError(
                f"{section.card}: {section.at('parameters')} names {name!r}, which has no prior.",
                nearest(name, model.parameters),
            )
    return PriorStudy(
        parameters=parameters,
        factors=_factors(section),
        together=section.flag("together", False),
        alternatives=read_named_priors(
            section, "alternatives", lambda priors: with_priors(model, priors)
        ),
    )


def _factors(section: Section) -> tuple[float, ...] | None:
    if "factors" not in section.values:
        return None
    factors = section.numbers("factors")
    if any(factor <= 0 for factor in factors):
        raise section.wrong("factors", "Write numbers greater than 0.")
    return factors


def read_named_priors(
    section: Section, key: str, check: Callable[[Mapping[str, Prior]], object]
) -> dict[str, dict[str, Prior]]:
    """Read sets of priors by name, then by parameter; none where the key is absent.

    Parameters
    ----------
    section, key
        Where they stand.
    check
        Refuses priors that the model cannot have.

    Raises
    ------
    CardError
        If a name is empty or a prior impossible.
    """
    names = section.values.get(key, {})
    known = tuple(names) if isinstance(names, dict) else ()
    example = f'[{section.at(key)}.sceptical.slope] and distribution = "Normal"'
    named = section.section(key, known, example=example)
    if named is None:
        return {}
    found = {}
    for name in known:
        if not name.strip() or not name.isprintable():
            raise CardError(
                f"{section.card}: {named.path} has the name {name!a}.", "Write a word or two."
            )
        found[name] = read_priors(named, name)
        with replace(named, path=named.at(name), values={}).located():
            check(found[name])
    return found
