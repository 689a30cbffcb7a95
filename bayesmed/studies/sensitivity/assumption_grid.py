"""The values an assumption study tries: one axis, or all combinations of two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from bayesmed.core.errors import ModelError, nearest
from bayesmed.generative import CovariateIV
from bayesmed.generative.assumption_axes import (
    Axis,
    axes_of,
    axis_fields,
    check_axis,
    fitted_value,
    held,
    with_version,
)
from bayesmed.priors import Prior
from bayesmed.studies.sensitivity.prior_sets import FITTED

type Chosen = str | Sequence[str] | Mapping[str, Sequence[float]] | None

HELD = "held"
"""What tables call refits in which every axis is held at a value."""
MOST_AXES = 2
MOST_CROSSED = 7
"""Of more values of its own than these an axis that crosses another keeps every other one."""


@dataclass(frozen=True)
class Point:
    """Values at which assumptions are held together, by the name of the axis."""

    values: Mapping[str, float]

    @property
    def key(self) -> str:
        """Name of the refit."""
        return ", ".join(f"{name} = {value:.12g}" for name, value in self.values.items())

    def held(self, model: Any) -> Any:
        """Return the model with the assumptions at these values.

        Raises
        ------
        ModelError
            If the model cannot have one of them.
        """
        for name, value in self.values.items():
            model = held(model, name, value)
        return model


@dataclass(frozen=True)
class Plan:
    """What is to be fitted.

    Attributes
    ----------
    axes
        The assumptions that are held at values.
    points
        The values, by the name of the refit.
    models
        Every model to fit, by the name of the refit: those at values, then the named versions.
    """

    axes: tuple[Axis, ...]
    points: Mapping[str, Point]
    models: Mapping[str, Any]


def planned(model: Any, data: Any, axes: Chosen, priors: Mapping[str, Mapping[str, Prior]]) -> Plan:
    """Return what `assumption_sensitivity` is to fit, all that can be refused being refused.

    Raises
    ------
    ModelError, DataError
        As `assumption_sensitivity`.
    """
    chosen = grid_axes(model, data, axes, have_priors=bool(priors))
    points = {point.key: point for point in grid_points(model, chosen)}
    models = {key: point.held(model) for key, point in points.items()}
    for name, own in priors.items():
        if name in (FITTED, HELD, *models) or not name.strip():
            raise ModelError(f"The name {name!r} of priors is taken.", "Choose another one.")
        models[name] = with_version(model, own)
    if not models:
        raise ModelError("No value differs from that of the fit.", "Give others beside it.")
    for made in models.values():
        made.check_data(data)
    return Plan(chosen, points, models)


def grid_axes(model: Any, data: Any, axes: Chosen, *, have_priors: bool) -> tuple[Axis, ...]:
    """Return the axes that are asked for with the values to try.

    Parameters
    ----------
    model, data
        What was fitted.
    axes
        As `assumption_sensitivity` takes them.
    have_priors
        Whether priors are given, so that no axis need be.

    Raises
    ------
    ModelError
        If there is no such assumption, there are more than two, or a value is no number.
    """
    there = {axis.name: axis for axis in axes_of(model, data)}
    if axes is None:
        names = list(there)
        axes = _of_one_covariate(names) if isinstance(model, CovariateIV) else names[:1]
        if not names and not have_priors:
            _axis(model, there, "")  # says what can be asked instead
    if isinstance(axes, str):
        axes = (axes,)
    if not axes and not have_priors:
        raise ModelError("There is nothing to try.", "Name an assumption, or give priors.")
    asked = dict(axes) if isinstance(axes, Mapping) else dict.fromkeys(axes, ())
    if len(asked) > MOST_AXES:
        raise ModelError(
            f"{len(asked)} assumptions are to be held at values at once.",
            "Give one or two: each is an axis of a picture.",
        )
    return tuple(
        _with_values(_axis(model, there, str(name)), values, len(asked))
        for name, values in asked.items()
    )


def grid_points(model: Any, axes: Sequence[Axis]) -> list[Point]:
    """Return all combinations of values but the one that the fit itself has.

    Those come last that make another graph than the others: where an assumption holds, what
    speaks of it is left out.
    """
    if not axes:
        return []
    names = [axis.name for axis in axes]
    fitted = {name: fitted_value(model, name) for name in names}
    points = [
        Point(dict(zip(names, values, strict=True)))
        for values in product(*(axis.values for axis in axes))
    ]
    left = [point for point in points if point.values != fitted]
    return sorted(left, key=lambda point: 0.0 in point.values.values())


def _axis(model: Any, there: Mapping[str, Axis], name: str) -> Axis:
    if name in there:
        return there[name]
    if axis_fields(model) and not there:
        raise ModelError(
            f"{axis_fields(model)[0]} is about one mediator, and the data have several.",
            "Keep one mediator, or ask what other priors do: give `priors`.",
        )
    check_axis(model, name)  # what no data would allow is refused in its own words
    raise ModelError(f"There is no assumption {name!r} for these data.", nearest(name, there))


def _with_values(axis: Axis, values: Any, axes: int) -> Axis:
    """Return an axis with the values to try, in rising order; fewer of its own where two cross."""
    several = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)
    if not several or not all(_is_number(value) for value in values):
        raise ModelError(f"The values of {axis.name} are {values!r}.", "Give finite numbers.")
    if len(values):
        return replace(axis, values=tuple(sorted({float(value) for value in values})))
    fine = axes == 1 or len(axis.values) <= MOST_CROSSED
    return axis if fine else replace(axis, values=axis.values[::2])


def _of_one_covariate(names: list[str]) -> list[str]:
    """Return the names that end as the first one does: both modifiers of one covariate."""
    return [name for name in names if name.partition("[")[2] == names[0].partition("[")[2]]


def _is_number(value: object) -> bool:
    known = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return known and math.isfinite(value)  # type: ignore[arg-type]  # a number, as just found
