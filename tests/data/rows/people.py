"""Simulated persons, and least squares on them by statsmodels, site by site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray

from bayesmed.data import Estimation, PersonRows, RowColumns, SiteEstimates, reduce_rows
from bayesmed.data.rows import Reduction


def people(seed: int = 1, sites: int = 4, persons: int = 60, arms: int = 2) -> pd.DataFrame:
    """Persons at unequal sites, with a column for every role."""
    rng = np.random.default_rng(seed)
    frames = []
    for s in range(sites):
        n = persons + 7 * s
        x = rng.normal(size=(n, 2)) + np.array([5 * s, 100])
        block = rng.integers(0, 3, n)
        arm = np.where(rng.random(n) < 0.4 + 0.05 * block, rng.integers(1, arms, n), 0)
        dose = 10 + arm + 0.3 * x[:, 0] + rng.normal(size=n)
        cluster = arm * 100 + rng.integers(0, 9, n)
        u = rng.normal(size=n) + 0.4 * rng.normal(size=500)[cluster]
        m1 = 50 + arm * (0.5 + 0.1 * s) + x[:, 0] + 0.3 * block + u
        m2 = -3 + 0.2 * arm * rng.normal(size=n) + 0.5 * u + rng.normal(size=n)
        y = 1000 + 0.3 * arm + 0.4 * m1 - 0.2 * m2 + 0.1 * x[:, 1] + rng.normal(size=n) * (1 + arm)
        frame = pd.DataFrame({"site": f"s{s}", "arm": arm, "dose": dose, "block": block})
        frame["cluster"] = cluster
        frame["w"] = rng.uniform(0.2, 3, n)
        frame[["x1", "x2"]] = x
        frame["m1"], frame["m2"], frame["y"] = m1, m2, y
        frame["b1"] = (m1 > np.median(m1)).astype(int)
        frame["event"] = (y + 2 * rng.normal(size=n) > np.median(y)).astype(int)
        frame["offer"] = rng.integers(0, 2, n)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def roles(**changed: Any) -> RowColumns:
    """Roles of the plain columns, some of them changed."""
    plain = {"treatment": "arm", "mediators": ("m1",), "outcome": "y", "site": "site"}
    return RowColumns(**{**plain, **changed})


def reduced(frame: Any, how: Estimation | None = None, **changed: Any) -> Reduction:
    """Reduce a data frame by the roles of `roles`."""
    return reduce_rows(PersonRows.from_frame(frame, roles(**changed)), how)


def by_statsmodels(
    frame: pd.DataFrame,
    treatments: Sequence[Sequence[float]] | NDArray[Any],
    outcomes: Sequence[str],
    *,
    covariates: Sequence[str] = (),
    block: str | None = None,
    weights: str | None = None,
    **fit: Any,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Effects (J, K) at one site, and their covariance (J K, J K).

    The covariance of two outcomes' estimates is taken from the variances of estimates for their
    sum, so that every number is the other package's own.
    """
    t = np.column_stack(list(treatments))
    parts = [t, frame[list(covariates)].to_numpy(dtype=float)]
    if block is None:
        parts.append(np.ones((len(frame), 1)))
    else:
        parts.append(pd.get_dummies(frame[block]).to_numpy(dtype=float))
    x = np.column_stack(parts)
    j, k = t.shape[1], len(outcomes)

    def fitted(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        # About its mean, so that sums of outcomes lose no digits.
        centred = y - y.mean()
        model = sm.OLS(centred, x) if weights is None else sm.WLS(centred, x, frame[weights])
        found = model.fit(**fit)
        return np.asarray(found.params)[:j], np.asarray(found.cov_params())[:j, :j]

    columns = [frame[name].to_numpy(dtype=float) for name in outcomes]
    # On one scale, so that variances of sums do not drown the smaller outcome.
    scale = [c.std() for c in columns]
    single = [fitted(c / s) for c, s in zip(columns, scale, strict=True)]
    effect = np.column_stack([e * s for (e, _), s in zip(single, scale, strict=True)])
    cov = np.zeros((j, k, j, k))
    for a in range(k):
        for b in range(k):
            if a == b:
                part = single[a][1]
            else:
                plus = fitted(columns[a] / scale[a] + columns[b] / scale[b])[1]
                minus = fitted(columns[a] / scale[a] - columns[b] / scale[b])[1]
                part = (plus - minus) / 4
            cov[:, a, :, b] = part * scale[a] * scale[b]
    # The sum tells the symmetric part of the covariance between treatments only.
    return effect, cov.reshape(j * k, j * k)


def close(got: NDArray[Any], wanted: NDArray[Any], tolerance: float = 1e-9) -> None:
    """Require equality beside the largest entry."""
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * np.abs(wanted).max())


def symmetrised(cov: NDArray[Any], j: int, k: int) -> NDArray[Any]:
    """Average Cov(Θ_ja, Θ_lb) with Cov(Θ_jb, Θ_la): what variances of sums can tell."""
    four = cov.reshape(j, k, j, k)
    return ((four + four.transpose(0, 3, 2, 1)) / 2).reshape(j * k, j * k)


def site_covariance(data: SiteEstimates, site: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Effects (J, K) and covariance (J K, J K) of one site's rows."""
    rows = [i for i, name in enumerate(data.site) if name == site]
    effect = np.column_stack([data.mediator_effect[rows], data.total_effect[rows]])
    return effect, data.block_cov(int(data.block[rows[0]]))
