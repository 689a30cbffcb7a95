"""The cells of a trial as a model of types takes them: parameters with units, labels, nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesmed.core.names import (
    ARM,
    CELL_MEAN,
    CELL_SD,
    INSTRUMENT,
    INSTRUMENT_SHARE,
    INTERCEPT_HETEROGENEITY,
    INTERCEPT_MEAN,
    MEDIATOR_SHARE,
    MEDIATOR_VALUE,
    OUTCOME_SD,
    SLOPE_HETEROGENEITY,
    SLOPE_MEAN,
    STRATUM,
    TYPE,
    TYPE_INTERCEPT,
    TYPE_SHARE,
    TYPE_SLOPE,
)
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.principal_types import type_names
from bayesmed.generative.trial_parameters import Coords, Parameter
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.principal_strata import PrincipalStrata

# Data nodes: cells; numbers that are no data; outcomes of persons and the cell of each.
CELLS, CONSTANTS, PERSONS = "cells", "constants", "persons"
UNIT = "cell"
"""The axis of persons at one treatment and instrument, which are independent of the others."""

_BY_ARM = (STRATUM, ARM)
_BY_CELL = (STRATUM, ARM, INSTRUMENT, MEDIATOR_VALUE)
DIMS: Mapping[str, tuple[str, ...]] = {
    INTERCEPT_MEAN: _BY_ARM,
    SLOPE_MEAN: _BY_ARM,
    OUTCOME_SD: (ARM,),
    CELL_SD: _BY_CELL,
    CELL_MEAN: _BY_CELL,
    MEDIATOR_SHARE: _BY_CELL[:3],
    INSTRUMENT_SHARE: (STRATUM, INSTRUMENT),
    TYPE_SHARE: (STRATUM, TYPE),
    TYPE_INTERCEPT: (STRATUM, TYPE, ARM),
    TYPE_SLOPE: (STRATUM, TYPE, ARM),
}
SUPPORTS = {
    INTERCEPT_MEAN: "real",
    SLOPE_MEAN: "real",
    INTERCEPT_HETEROGENEITY: "positive",
    SLOPE_HETEROGENEITY: "positive",
    CELL_SD: "positive",
    OUTCOME_SD: "positive",
    CELL_MEAN: "real",
    MEDIATOR_SHARE: "share",
}
_WIDE = Prior("Normal", mu=0, sigma=2.5, unit="scaled")
_SPREAD = Prior("HalfNormal", sigma=2.5, unit="scaled")
_UNIFORM = Prior("Uniform", lower=0, upper=1)
_DEFAULTS = {
    INTERCEPT_MEAN: _WIDE,
    SLOPE_MEAN: _WIDE,
    # Away from 0: types that are taken to be alike are no confounding, and would pull what the
    # instrument tells towards a comparison of persons with and without the mediator.
    INTERCEPT_HETEROGENEITY: Prior("LogNormal", mu=0, sigma=0.5, unit="scaled"),
    CELL_SD: _SPREAD,
    OUTCOME_SD: _SPREAD,
    CELL_MEAN: _WIDE,
    MEDIATOR_SHARE: _UNIFORM,
}
_COUNTED = {SLOPE_MEAN: Prior("Uniform", lower=-1, upper=1), CELL_MEAN: _UNIFORM}
_LEVELS = (INTERCEPT_MEAN, CELL_MEAN)


class OutcomeUnits(NamedTuple):
    """Natural location and scale of the outcome."""

    location: float
    scale: float


def outcome_units(model: PrincipalStrata, data: TrialCells) -> OutcomeUnits:
    """Return mean and standard deviation over all persons; 0 and 1 where probabilities are."""
    if model.likelihood_for(data) == "counts":
        return OutcomeUnits(0.0, 1.0)
    whole = data.pooled()
    n, mean, squares = (x.ravel() for x in (whole.n, whole.mean, whole.squares))
    location = float(n @ mean / n.sum())
    total = float(squares.sum() + n @ (mean - location) ** 2)
    return OutcomeUnits(location, float(np.sqrt(total / max(n.sum() - 1, 1))) or 1.0)


def table(model: PrincipalStrata, data: TrialCells) -> tuple[Parameter, ...]:
    """Return the parameters that have a prior of choice, in order."""
    counted = model.likelihood_for(data) == "counts"
    location, scale = outcome_units(model, data)
    found = []
    for name in model.parameters:
        if counted and name in (CELL_SD, INTERCEPT_MEAN, INTERCEPT_HETEROGENEITY):
            continue  # an outcome of 0 and 1 counted by the default choice
        default = (_COUNTED if counted else _DEFAULTS).get(name) or _DEFAULTS.get(name)
        if name == SLOPE_HETEROGENEITY:
            assert isinstance(model.heterogeneity, Prior)
            default = model.heterogeneity
        assert default is not None
        share = name == MEDIATOR_SHARE
        at, width = location if name in _LEVELS else 0.0, 1.0 if share else scale
        found.append(Parameter(name, default, DIMS.get(name, ()), at, width))
    return tuple(found)


def coords(model: PrincipalStrata, data: TrialCells) -> Coords:
    """Return the labels along every axis."""
    assert data.names.arms is not None
    arms = tuple(data.names.arms)
    binary = ("0", "1")
    several = data.n_strata > 1
    units = [
        f"{f'{stratum}, ' if several else ''}{data.names.treatment} = {arm}, "
        f"{data.instrument} = {z}"
        for stratum in data.stratum
        for arm in arms
        for z in binary
    ]
    return {
        STRATUM: data.stratum,
        ARM: arms,
        INSTRUMENT: binary,
        MEDIATOR_VALUE: binary,
        TYPE: type_names(model.types),
        UNIT: tuple(units),
    }


def observations(model: PrincipalStrata, data: TrialCells) -> dict[str, Floats]:
    """Return cells (3, S, 2, 2, 2) of counts, means and squares in the outcome's units; numbers."""
    location, scale = outcome_units(model, data)
    mean = np.where(data.n > 0, (data.mean - location) / scale, 0.0)
    het = model.heterogeneity
    fixed = 0.0 if isinstance(het, Prior) else het / scale
    found = {CELLS: np.stack([data.n, mean, data.squares / scale**2])}
    if not model.saturated:
        found[CONSTANTS] = np.array([fixed, model.share_concentration])
    if model.likelihood_for(data) == "mixture":
        assert data.outcomes is not None
        outcome, cell = data.outcomes
        found[PERSONS] = np.column_stack([(outcome - location) / scale, cell])
    return found


def observed(data: TrialCells) -> dict[str, tuple[tuple[str, ...], Floats]]:
    """Return the share with the mediator, and the cells' means and sds, NaN where unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(data.squares / np.where(data.n > 1, data.n - 1, np.nan))
    return {
        MEDIATOR_SHARE: (DIMS[MEDIATOR_SHARE], data.mediator_mean),
        CELL_MEAN: (_BY_CELL, np.where(data.n > 0, data.mean, np.nan)),
        CELL_SD: (_BY_CELL, sd),
    }
