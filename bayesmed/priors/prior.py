"""A prior as a small frozen record: what the user wrote, in data or in scaled units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from scipy.special import fdtri

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.types import Floats
from bayesmed.priors.families import FAMILIES, Family

Unit = Literal["data", "scaled"]


@dataclass(frozen=True, init=False)
class Prior:
    """A prior distribution by name.

    Parameters
    ----------
    distribution
        One of ``FAMILIES``, with PyMC's names and parametrisations.
    unit
        ``"data"``: as written, in the units of the data. ``"scaled"``: of the parameter divided
        by its natural scale, a number printed in every report.
    mu, sigma, nu, alpha, beta, lam, b, s, lower, upper
        Hyperparameters; each family takes its own. ``mu`` is 0 where it is left out.

    Raises
    ------
    ModelError
        If the distribution is unknown, or a hyperparameter is missing, unknown or impossible.

    Examples
    --------
    >>> Prior("Normal", mu=0, sigma=2)
    Prior('Normal', mu=0.0, sigma=2.0, unit='data')
    >>> Prior("HalfNormal", sigma=1, unit="scaled").moved(0.0, 3.0)
    Prior('HalfNormal', sigma=3.0, unit='data')
    """

    distribution: str
    values: tuple[tuple[str, float], ...]
    unit: Unit = field(default="data")

    def __init__(
        self,
        distribution: str,
        *,
        mu: float | None = None,
        sigma: float | None = None,
        nu: float | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        lam: float | None = None,
        b: float | None = None,
        s: float | None = None,
        lower: float | None = None,
        upper: float | None = None,
        unit: Unit = "data",
    ) -> None:
        given = {"mu": mu, "sigma": sigma, "nu": nu, "alpha": alpha, "beta": beta, "lam": lam}
        given |= {"b": b, "s": s, "lower": lower, "upper": upper}
        values = _checked(distribution, {k: v for k, v in given.items() if v is not None})
        if unit not in get_args(Unit):
            raise ModelError(
                f"The unit of a prior is {unit!r}.", 'Write unit = "data" or unit = "scaled".'
            )
        object.__setattr__(self, "distribution", distribution)
        object.__setattr__(self, "values", tuple(values.items()))
        object.__setattr__(self, "unit", unit)

    def __repr__(self) -> str:
        values = ", ".join(f"{k}={v!r}" for k, v in self.values)
        return f"Prior({self.distribution!r}, {values}, unit={self.unit!r})"

    def __str__(self) -> str:
        values = ", ".join(f"{k} = {v:.4g}" for k, v in self.values)
        return f"{self.distribution}({values})"

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> Prior:
        """Read the table of a card: ``distribution``, its hyperparameters, and ``unit``."""
        table = dict(table)
        if "distribution" not in table:
            raise ModelError("A prior has no distribution.", 'Add distribution = "Normal".')
        known = ("distribution", "unit", *HYPERPARAMETERS)
        for name in table:
            if name not in known:
                raise ModelError(f"A prior has the unknown key {name!r}.", nearest(name, known))
        return cls(**table)

    @property
    def family(self) -> Family:
        """The row of ``FAMILIES`` this prior belongs to."""
        return FAMILIES[self.distribution]

    @property
    def parameters(self) -> dict[str, float]:
        """Hyperparameters by name."""
        return dict(self.values)

    def moved(self, shift: float, factor: float) -> Prior:
        """Return the prior of ``shift + factor * x``, in data units, where this is that of x."""
        values: dict[str, Any] = self.family.moved(self.parameters, shift, factor)
        return Prior(self.distribution, **values)

    def in_data_units(self, shift: float, factor: float) -> Prior:
        """Return this prior in data units, given the parameter's natural location and scale."""
        return self.moved(shift, factor) if self.unit == "scaled" else self

    @property
    def support(self) -> tuple[float, float]:
        """Lower and upper end of the values with positive density."""
        match self.family.support:
            case "positive":
                return 0.0, math.inf
            case "bounded":
                return self.parameters["lower"], self.parameters["upper"]
            case _:
                return -math.inf, math.inf

    def log_density(self, x: Floats) -> Floats:
        """Log-density at ``x``, elementwise, minus infinity outside the support."""
        frozen = self.family.scipy(**self.parameters)
        value = np.asarray(frozen.logpdf(x), dtype=float)
        if self.distribution == "HalfStudentT":
            return np.where(np.asarray(x) >= 0, value + math.log(2.0), -np.inf)
        return value

    def quantile(self, q: Floats | float) -> Floats:
        """Quantiles at probabilities ``q``."""
        if self.distribution == "HalfStudentT":
            # t squared is F(1, nu): near 0 the quantiles of t itself lose all their digits.
            square = fdtri(1.0, self.parameters["nu"], q)
            return np.asarray(self.parameters["sigma"] * np.sqrt(square), dtype=float)
        frozen = self.family.scipy(**self.parameters)
        return np.asarray(frozen.ppf(q), dtype=float)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Independent draws of the given shape."""
        draws = self.family.scipy(**self.parameters).rvs(size=shape, random_state=rng)
        return np.abs(draws) if self.distribution == "HalfStudentT" else np.asarray(draws)


HYPERPARAMETERS = ("mu", "sigma", "nu", "alpha", "beta", "lam", "b", "s", "lower", "upper")


def _checked(distribution: object, given: Mapping[str, float]) -> dict[str, float]:
    """Return the hyperparameters of a family in its order, or say what is wrong with them."""
    if not isinstance(distribution, str) or distribution not in FAMILIES:
        raise ModelError(
            f"There is no prior distribution {distribution!r}.",
            nearest(str(distribution), FAMILIES),
        )
    roles = FAMILIES[distribution].roles
    for name in given:
        if name not in roles:
            raise ModelError(
                f"The prior {distribution} has no hyperparameter {name!r}.", nearest(name, roles)
            )
    values: dict[str, float] = {}
    for name, role in roles.items():
        if name not in given and role in ("location", "log_location") and name in ("mu", "alpha"):
            values[name] = 0.0
            continue
        if name not in given:
            raise ModelError(f"The prior {distribution} needs {name}.", f"Add {name} = a number.")
        values[name] = _number(distribution, name, given[name])
        if role not in ("location", "log_location") and values[name] <= 0:
            raise ModelError(
                f"{name} of the prior {distribution} is {given[name]}.",
                "It must be greater than 0.",
            )
    if "lower" in values and values["lower"] >= values["upper"]:
        raise ModelError(
            f"The prior {distribution} has lower {values['lower']} and upper {values['upper']}.",
            "Make lower smaller than upper.",
        )
    return values


def _number(distribution: str, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ModelError(f"{name} of the prior {distribution} is {value!r}.", "Give a number.")
    if not math.isfinite(value):
        raise ModelError(f"{name} of the prior {distribution} is {value}.", "Give a finite number.")
    return float(value)
