"""What a regression leaves of a person's treatment and outcomes, as the engine computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import ibis

__all__ = ["LinearMap"]

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearMap:
    """In cell c, a person with values v has t̃ = t_c + A_c (v − m_c) and e = r_c + B_c (v − m_c).

    Parameters
    ----------
    mean
        (C, V) centre m of each cell, where v is nearly its own mean: no digits are lost.
    treatment
        (C, J) value t of t̃ at the centre.
    treatment_slope
        (C, J, V) how t̃ changes with the values.
    residual
        (C, K) value r of the residuals at the centre.
    residual_slope
        (C, K, V).
    arm
        (C,) number of the cell's arm, the reference 0.
    """

    ARM: ClassVar[str] = "cell_arm_number"

    mean: _Array
    treatment: _Array
    treatment_slope: _Array
    residual: _Array
    residual_slope: _Array
    arm: NDArray[np.int64]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the constants of the cells as columns, without those that are 0 everywhere."""
        found: dict[str, NDArray[Any]] = {self.ARM: self.arm}
        parts = {"at_t": self.treatment, "at_e": self.residual}
        slopes = {"on_t": self.treatment_slope, "on_e": self.residual_slope}
        for name, values in parts.items():
            found |= {f"{name}{j}": values[:, j] for j in range(values.shape[1])}
        for name, matrix in slopes.items():
            for j, i in np.argwhere((matrix != 0).any(axis=0)):
                found[f"{name}{j}_{i}"] = matrix[:, j, i]
        used = {int(name.rsplit("_", 1)[1]) for name in found if name.startswith("on_")}
        return found | {f"centre_{i}": self.mean[:, i] for i in used}

    def applied(self, joined: ibis.Table) -> tuple[list[Any], list[Any]]:
        """Return t̃ (J columns) and e (K columns) of persons beside their cell's constants."""
        return self._values(joined, "t", self.treatment), self._values(joined, "e", self.residual)

    def _values(self, joined: ibis.Table, name: str, at: _Array) -> list[Any]:
        values = []
        for j in range(at.shape[1]):
            value = joined[f"at_{name}{j}"]
            for column in joined.columns:
                if column.startswith(f"on_{name}{j}_"):
                    i = column.rsplit("_", 1)[1]
                    value += joined[column] * (joined[f"v{i}"] - joined[f"centre_{i}"])
            values.append(value)
        return values
