"""Priors as PyMC variables with hyperparameters as data: they change without compiling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymc as pm

from bayesmed.priors.prior import Prior


def hyperparameters(name: str, prior: Prior) -> dict[str, float]:
    """Names and values of the hyperparameters that ``variable`` looks up for a prior."""
    return {f"{name}_{key}": value for key, value in prior.values}


def variable(
    name: str, prior: Prior, number: Callable[[str], Any], *, shift: Any | None = None
) -> Any:
    """Add a random variable to the model on the stack.

    Parameters
    ----------
    name
        Name of the variable.
    prior
        Its prior, in the units of the variable.
    number
        Returns the node of the graph that holds a hyperparameter, by its name.
    shift
        Added to every location hyperparameter; may be a PyTensor variable.
    """
    nodes = {key: number(f"{name}_{key}") for key, _ in prior.values}
    if shift is not None:
        nodes = {
            key: node + shift if prior.family.roles[key] == "location" else node
            for key, node in nodes.items()
        }
    return getattr(pm, prior.distribution)(name, **nodes)
