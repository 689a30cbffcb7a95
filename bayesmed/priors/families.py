"""The prior distributions a user may name, in one table.

Each family knows how its hyperparameters move when the variable is shifted and rescaled, which is
all that is needed to state a prior in data units or in scaled units, and how SciPy and PyMC spell
it. Names and parametrisations are PyMC's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bayesmed.core.types import ArrayLike

Role = Literal["location", "scale", "rate", "shape", "log_location", "log_scale"]
Support = Literal["real", "positive", "bounded"]


@dataclass(frozen=True)
class Family:
    """One distribution: the role of each hyperparameter, its support, its SciPy twin."""

    roles: Mapping[str, Role]
    support: Support
    scipy: Callable[..., Any]

    def moved(self, values: Mapping[str, float], shift: float, factor: float) -> dict[str, float]:
        """Hyperparameters of ``shift + factor * x`` where ``values`` are those of ``x``."""
        return {k: float(moved(values[k], role, shift, factor)) for k, role in self.roles.items()}


def moved(value: ArrayLike, role: Role, shift: ArrayLike, factor: ArrayLike) -> ArrayLike:
    """Return the hyperparameter of ``shift + factor * x``; numbers or PyTensor variables."""
    match role:
        case "location":
            return shift + factor * value
        case "scale":
            return factor * value
        case "rate":
            return value / factor
        case "log_location":
            return value + np.log(factor)
        case _:
            return value


def _scipy(name: str, translate: Callable[..., dict[str, float]]) -> Callable[..., Any]:
    """Return a constructor of the frozen SciPy distribution, importing SciPy when first used."""

    def frozen(**values: float) -> Any:
        from scipy import stats

        return getattr(stats, name)(**translate(**values))

    return frozen


def _truncated(mu: float, sigma: float, lower: float, upper: float) -> dict[str, float]:
    return {"a": (lower - mu) / sigma, "b": (upper - mu) / sigma, "loc": mu, "scale": sigma}


FAMILIES: Mapping[str, Family] = {
    "Normal": Family(
        {"mu": "location", "sigma": "scale"},
        "real",
        _scipy("norm", lambda mu, sigma: {"loc": mu, "scale": sigma}),
    ),
    "StudentT": Family(
        {"nu": "shape", "mu": "location", "sigma": "scale"},
        "real",
        _scipy("t", lambda nu, mu, sigma: {"df": nu, "loc": mu, "scale": sigma}),
    ),
    "Cauchy": Family(
        {"alpha": "location", "beta": "scale"},
        "real",
        _scipy("cauchy", lambda alpha, beta: {"loc": alpha, "scale": beta}),
    ),
    "Laplace": Family(
        {"mu": "location", "b": "scale"},
        "real",
        _scipy("laplace", lambda mu, b: {"loc": mu, "scale": b}),
    ),
    "Logistic": Family(
        {"mu": "location", "s": "scale"},
        "real",
        _scipy("logistic", lambda mu, s: {"loc": mu, "scale": s}),
    ),
    "TruncatedNormal": Family(
        {"mu": "location", "sigma": "scale", "lower": "location", "upper": "location"},
        "bounded",
        _scipy("truncnorm", _truncated),
    ),
    "Uniform": Family(
        {"lower": "location", "upper": "location"},
        "bounded",
        _scipy("uniform", lambda lower, upper: {"loc": lower, "scale": upper - lower}),
    ),
    "HalfNormal": Family(
        {"sigma": "scale"}, "positive", _scipy("halfnorm", lambda sigma: {"scale": sigma})
    ),
    "HalfStudentT": Family(
        {"nu": "shape", "sigma": "scale"},
        "positive",
        # |t| has no distribution of its own in SciPy: see Prior.frozen.
        _scipy("t", lambda nu, sigma: {"df": nu, "scale": sigma}),
    ),
    "HalfCauchy": Family(
        {"beta": "scale"}, "positive", _scipy("halfcauchy", lambda beta: {"scale": beta})
    ),
    "Exponential": Family(
        {"lam": "rate"}, "positive", _scipy("expon", lambda lam: {"scale": 1.0 / lam})
    ),
    "Gamma": Family(
        {"alpha": "shape", "beta": "rate"},
        "positive",
        _scipy("gamma", lambda alpha, beta: {"a": alpha, "scale": 1.0 / beta}),
    ),
    "InverseGamma": Family(
        {"alpha": "shape", "beta": "scale"},
        "positive",
        _scipy("invgamma", lambda alpha, beta: {"a": alpha, "scale": beta}),
    ),
    "LogNormal": Family(
        {"mu": "log_location", "sigma": "log_scale"},
        "positive",
        _scipy("lognorm", lambda mu, sigma: {"s": sigma, "scale": float(np.exp(mu))}),
    ),
}
