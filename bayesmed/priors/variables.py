"""Priors as PyMC variables with hyperparameters as data: they change without compiling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymc as pm

from bayesmed.priors.families import moved
from bayesmed.priors.prior import Prior


def hyperparameters(parameter: str, prior: Prior) -> dict[str, float]:
    """Names and values of the hyperparameters that ``variable`` looks up for a prior."""
    return {f"{parameter}_prior_{key}": value for key, value in prior.values}


def variable(
    name: str,
    parameter: str,
    prior: Prior,
    number: Callable[[str], Any],
    *,
    shift: Any,
    factor: Any,
    start: float | None = None,
) -> Any:
    """Add the random variable ``shift + factor * x`` to the model on the stack, x from the prior.

    Parameters
    ----------
    name
        Name of the variable.
    parameter, prior
        What x is, and its prior.
    number
        Returns the node of the graph that holds a hyperparameter, by its name.
    shift, factor
        Numbers or PyTensor variables, which may depend on other random variables; ``factor`` is
        positive, and ``shift`` is 0 for a prior of positive values only.
    start
        Around where chains start; None: around the centre of the prior.
    """
    roles = prior.family.roles
    values = {
        key: moved(number(f"{parameter}_prior_{key}"), roles[key], shift, factor)
        for key, _ in prior.values
    }
    return getattr(pm, prior.distribution)(name, initval=start, **values)
