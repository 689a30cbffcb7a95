"""Persons at sites for tests of estimators on persons, and linearmodels on their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from linearmodels.iv import IV2SLS, IVLIML

from bayesmed.data import PersonRows, RowColumns


def persons(
    seed: int,
    sites: int = 8,
    each: tuple[int, int] = (12, 40),
    *,
    strength: float = 0.8,
    arms: int = 2,
    direct: float = 0.0,
) -> pd.DataFrame:
    """Unequal sites and shares treated; two mediators confounded with the outcome."""
    rng = np.random.default_rng(seed)
    parts = []
    for s in range(sites):
        n = int(rng.integers(*each))
        treated = max(2, round(n * rng.uniform(0.25, 0.6)))
        t = np.zeros(n, dtype=int)
        t[:treated] = 1 + np.arange(treated) % (arms - 1)
        effect = rng.normal(0.5, strength, (arms, 2)) * (np.arange(arms) > 0)[:, None]
        u, x = rng.normal(size=n), rng.normal(s, 1, n)
        block = np.arange(n) % 2
        m = 3 * s + effect[t] + u[:, None] + rng.normal(size=(n, 2)) + 0.3 * x[:, None]
        y = 100 + m @ [1.0, -0.5] + direct * (t > 0) + u + 0.5 * x + block + rng.normal(size=n)
        columns = {"site": f"s{s}", "t": t, "m1": m[:, 0], "m2": m[:, 1], "y": y, "x": x}
        parts.append(pd.DataFrame({**columns, "block": block, "w": 1.0 + block, "b": y > 100}))
    frame = pd.concat(parts, ignore_index=True)
    frame["b"] = frame["b"].astype(int)
    return frame


def rows_of(frame: pd.DataFrame, mediators: tuple[str, ...] = ("m1",), **roles: Any) -> PersonRows:
    plain = {"treatment": "t", "mediators": mediators, "outcome": "y", "site": "site"}
    return PersonRows.from_frame(frame, RowColumns(**{**plain, **roles}))


def by_linearmodels(
    frame: pd.DataFrame,
    mediators: tuple[str, ...],
    kappa: float | str,
    *,
    direct_effect: bool = False,
    covariate: bool = False,
    blocks: bool = False,
):
    """Fit on rows with every dummy written out; kappa a number, "2sls" or "liml"."""
    cell = frame["site"] + ("b" + frame["block"].astype(str) if blocks else "")
    exogenous = pd.get_dummies(cell, dtype=float)
    sites = pd.get_dummies(frame["site"], dtype=float)
    if covariate:
        exogenous = exogenous.join(sites.mul(frame["x"], axis=0).add_prefix("x "))
    arms = [a for a in sorted(frame["t"].unique()) if a]
    instruments = pd.concat(
        [sites.mul(frame["t"] == a, axis=0).add_prefix(f"{a} ") for a in arms], axis=1
    ).astype(float)
    if direct_effect:
        for a in arms:
            exogenous[f"arm {a}"] = (frame["t"] == a).astype(float)
        instruments = instruments.drop(columns=[f"{a} s0" for a in arms])
    parts = frame["y"], exogenous, frame[list(mediators)], instruments
    if kappa == "2sls":
        model = IV2SLS(*parts)
    else:
        model = IVLIML(*parts, kappa=None if kappa == "liml" else kappa)
    return model.fit(cov_type="unadjusted", debiased=True)
