"""The ``[study.assumptions]`` section of a card: which assumptions to hold at which values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bayesmed.cards.section import Section
from bayesmed.cards.study import read_named_priors
from bayesmed.core.errors import CardError
from bayesmed.generative.assumption_axes import check_axis, held, with_version
from bayesmed.priors import Prior

__all__ = ["AssumptionStudy", "read_assumption_study"]

ASSUMPTIONS, AXIS = ("axes", "priors"), ("name", "values")
MOST_AXES, MOST_VALUES = 2, 200


@dataclass(frozen=True)
class AssumptionStudy:
    """Assumptions to hold at values, and priors to try beside them.

    Parameters
    ----------
    axes
        One or two assumptions with their values, empty for those chosen by the data; empty for
        the model's first.
    priors
        Versions of the analysis: priors by name, then by parameter.
    """

    axes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    priors: Mapping[str, Mapping[str, Prior]] = field(default_factory=dict)


def read_assumption_study(study: Section, model: Any) -> AssumptionStudy | None:
    """Read the section below ``[study]``; None where it is absent.

    Raises
    ------
    CardError
        If a key is unknown, the model has no such assumption, or a value or prior is impossible.
    """
    example = '[[study.assumptions.axes]] and name = "correlation" below it'
    section = study.section("assumptions", ASSUMPTIONS, example=example)
    if section is None:
        return None

    def check(priors: Mapping[str, Prior]) -> None:
        with_version(model, priors)

    return AssumptionStudy(_axes(section, model), read_named_priors(section, "priors", check))


def _axes(section: Section, model: Any) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {}
    axes = section.sections("axes", AXIS)
    if len(axes) > MOST_AXES:
        raise CardError(
            f"{section.card}: {section.at('axes')} are {len(axes)}.",
            "Write one or two: each is an axis of a picture.",
        )
    for axis in axes:
        name = axis.required_text("name", "an assumption of the model")
        with axis.located():
            check_axis(model, name)
        if name in found:
            raise axis.wrong("name", "Name each assumption once.")
        found[name] = _values(axis, name, model)
    return found


def _values(axis: Section, name: str, model: Any) -> tuple[float, ...]:
    if "values" not in axis.values:
        return ()
    values = axis.numbers("values")
    if not 0 < len(values) <= MOST_VALUES:
        raise axis.wrong("values", f"Write 1 to {MOST_VALUES} numbers, or take the key away.")
    with replace(axis, path=axis.at("values"), values={}).located():
        for value in values:
            held(model, name, value)
    return values
