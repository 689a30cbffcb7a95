"""One trial without sites: a published one, a simulated one, and linearmodels on their rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from linearmodels.iv import IV2SLS

from bayesmed.data import TrialPersons

TABLES = Path(__file__).parents[1] / "data" / "tables"
JOBS = ("econ_hard", "depress1", "sex", "age")


def jobs2() -> pd.DataFrame:
    """JOBS II under the names of the simulated trial, with its four baseline covariates."""
    frame = pd.read_csv(TABLES / "jobs2_rows.csv")
    return frame.rename(columns={"treat": "r", "job_seek": "m", "depress2": "y", "comply": "c"})


def prospect(seed: int = 1, n: int = 297) -> pd.DataFrame:
    """A trial like PROSPECT (Small 2012): 145 of 297 treated, antidepressants as the mediator.

    Past use and baseline level of antidepressants tell who takes them without treatment; with it
    nearly everybody does. An unmeasured variable goes with the mediator and the outcome; the
    mediator's effect is -2, the direct effect -1.
    """
    rng = np.random.default_rng(seed)
    r = rng.permutation((np.arange(n) < round(n * 145 / 297)).astype(float))
    past = (rng.random(n) < 0.5).astype(float)
    level = np.minimum(rng.poisson(1.0 + 0.7 * past), 4).astype(float)
    u = rng.normal(size=n)
    latent = -1.3 + past + 0.6 * level + r * (2.3 - past - 0.6 * level)
    m = (latent + 0.6 * u + rng.normal(size=n) * 0.8 > 0).astype(float)
    c = 0.5 * r + 0.4 * level + rng.normal(size=n)
    y = 14 + 0.6 * past + 0.5 * level - r - 2 * m + 2.5 * u + 4 * rng.normal(size=n)
    return pd.DataFrame({"r": r, "past": past, "level": level, "m": m, "y": y, "c": c})


def persons_of(
    frame: pd.DataFrame, covariates: tuple[str, ...] = ("past", "level"), **options: Any
) -> TrialPersons:
    """Take r, m, y and covariates of a data frame."""
    return TrialPersons.from_arrays(
        treatment=frame["r"],
        mediator=frame["m"],
        outcome=frame["y"],
        covariates={name: frame[name] for name in covariates},
        **options,
    )


def design(
    frame: pd.DataFrame,
    covariates: tuple[str, ...],
    instruments: tuple[str, ...] | None = None,
    interactions: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Exogenous columns and instruments, with covariates about their means in products."""
    chosen = covariates if instruments is None else instruments
    x = frame[list(covariates)]
    crossed = (x - x.mean()).mul(frame["r"], axis=0).add_prefix("r × ")
    included = sm.add_constant(x.assign(r=frame["r"]))
    if interactions:
        others = [f"r × {name}" for name in covariates if name not in chosen]
        included = included.join(crossed[others])
    return included, crossed[[f"r × {name}" for name in chosen]]


def by_linearmodels(
    frame: pd.DataFrame,
    covariates: tuple[str, ...],
    instruments: tuple[str, ...] | None = None,
    *,
    interactions: bool = True,
    errors: str = "homoskedastic",
    outcome: Any = None,
) -> Any:
    """Two-stage least squares of linearmodels, with small-sample factors."""
    included, excluded = design(frame, covariates, instruments, interactions)
    model = IV2SLS(frame["y"] if outcome is None else outcome, included, frame[["m"]], excluded)
    kind = {"homoskedastic": "unadjusted", "sandwich": "robust"}[errors]
    return model.fit(cov_type=kind, debiased=True)
