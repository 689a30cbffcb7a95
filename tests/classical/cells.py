"""Cells of trials: published ones, and those of simulated persons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bayesmed.data import TrialCells, TrialNames

TABLES = Path(__file__).parents[1] / "data" / "tables"


def fertility() -> TrialCells:
    """Mothers of the 1980 census in strata of `black`."""
    frame = pd.read_csv(TABLES / "fertility_cells.csv")
    order = ["black", "girl1", "same_sex", "morekids"]
    frame = frame.sort_values(order)
    arrays = {name: frame[name].to_numpy().reshape(2, 2, 2, 2) for name in ("n", "mean", "squares")}
    return TrialCells.from_arrays(
        **arrays,
        stratum=["not black", "black"],
        names=TrialNames("girl1", "morekids", "weeks_worked"),
        instrument="same_sex",
        source="fertility_cells.csv",
    )


def of_persons(frame: pd.DataFrame) -> TrialCells:
    """Cells of columns d, z, m, y and, where there is one, x."""
    strata = int(frame["x"].max()) + 1 if "x" in frame else 1
    code = (4 * frame.d + 2 * frame.z + frame.m).to_numpy()
    code = code + 8 * frame["x"].to_numpy() if "x" in frame else code
    y = frame["y"].to_numpy()
    n = np.bincount(code, minlength=8 * strata)
    mean = np.bincount(code, y, minlength=8 * strata) / np.maximum(n, 1)
    squares = np.bincount(code, (y - mean[code]) ** 2, minlength=8 * strata)
    shape = (strata, 2, 2, 2)
    return TrialCells.from_arrays(
        n=n.reshape(shape), mean=mean.reshape(shape), squares=squares.reshape(shape)
    )


def drawn(rng: np.random.Generator, persons: int, first: float = 0.3) -> pd.DataFrame:
    """Persons whose mediator is confounded, with slopes 2 and 1 in the two arms, in two strata."""
    x, d = rng.integers(0, 2, persons), rng.integers(0, 2, persons)
    z = (rng.random(persons) < 0.4 + 0.2 * x).astype(int)
    u = rng.normal(size=persons)
    lean = 0.3 + 0.1 * d + first * z + 0.1 * np.tanh(u)
    m = (rng.random(persons) < lean).astype(int)
    y = 1 + 0.5 * d + 0.4 * x + (2 - d) * m + u + (0.5 + 0.5 * m) * rng.normal(size=persons)
    return pd.DataFrame({"x": x, "d": d, "z": z, "m": m, "y": y})
