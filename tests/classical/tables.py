"""Tables of site estimates for tests of the classical estimators: real ones and made ones."""

from __future__ import annotations

import csv
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayesmed.data import (
    DataWarning,
    MediatorColumns,
    PersonCovariance,
    SiteColumns,
    SiteEstimates,
    load_dataset,
)

STAR = Path(__file__).parents[1] / "data" / "tables" / "star_k_sites.csv"


def sites(mediator, total, cov, **more) -> SiteEstimates:
    mediator = np.asarray(mediator, float)
    cov = np.broadcast_to(np.asarray(cov, float), (len(mediator), *np.shape(cov)[-2:]))
    return SiteEstimates.from_arrays(mediator_effect=mediator, total_effect=total, cov=cov, **more)


def drawn(
    seed: int | np.random.Generator,
    n: int,
    cov,
    *,
    slope=1.0,
    mean: float = 0.0,
    sd: float = 1.0,
    direct: tuple[float, float] = (0.2, 0.5),
) -> SiteEstimates:
    """Simulate n sites of P mediators, as many as ``slope`` has; sampling covariance(s) ``cov``."""
    rng = np.random.default_rng(seed)
    slope = np.atleast_1d(slope)
    cov = np.broadcast_to(np.asarray(cov, float), (n, slope.size + 1, slope.size + 1))
    mediator = rng.normal(mean, sd, (n, slope.size))
    total = mediator @ slope + rng.normal(*direct, n)
    root = np.linalg.cholesky(cov + 1e-15 * np.eye(slope.size + 1))
    noise = np.einsum("sij,sj->si", root, rng.standard_normal((n, slope.size + 1)))
    return sites(mediator + noise[:, :-1], total + noise[:, -1], cov)


def uneven(seed: int, n: int, p: int = 1) -> np.ndarray:
    """Covariances that differ between sites: (n, p + 1, p + 1)."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(0, 0.3, (n, p + 1, p + 3))
    return factor @ np.swapaxes(factor, 1, 2)


def with_persons(data: SiteEstimates, seed: int = 0) -> SiteEstimates:
    """Add how persons vary: two groups of them, of more persons at some sites than at others."""
    rng = np.random.default_rng(seed)
    k = data.n_mediators + 1
    factor = rng.normal(size=(2, k, 2 * k))
    df = np.array([15.0, 25.0]) * data.n_rows
    persons = PersonCovariance(
        groups=("0", "1"),
        cross=df[:, None, None] * (factor @ np.swapaxes(factor, 1, 2)) / 4,
        df=df,
        weight=1 / rng.uniform(10, 40, (data.n_rows, 2)),
    )
    return replace(data, persons=persons)


def mechte() -> SiteEstimates:
    columns = SiteColumns(
        (MediatorColumns("m", "gamma_hat", se="sd_u"),),
        total_effect="tau_hat",
        total_effect_se="sd_v",
    )
    return quiet(load_dataset("mechte_example"), columns)


def star_pairs() -> list[tuple[str, str, str]]:
    with STAR.open() as file:
        rows = {(r["comparison"], r["mediator"], r["outcome"]) for r in csv.DictReader(file)}
    return sorted(rows)


def star(pair: tuple[str, str, str] = ("small_vs_regular", "score_k", "score_1")) -> SiteEstimates:
    frame = pd.read_csv(STAR)
    keys = ["comparison", "mediator", "outcome"]
    columns = SiteColumns(
        (MediatorColumns("m", "gamma_hat", se="gamma_se", cov="cov"),),
        total_effect="tau_hat",
        total_effect_se="tau_se",
        site="site",
    )
    return quiet(frame[(frame[keys] == list(pair)).all(axis=1)], columns)


def quiet(frame: pd.DataFrame, columns: SiteColumns) -> SiteEstimates:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return SiteEstimates.from_frame(frame, columns)


LIPIDS = Path(__file__).parents[1] / "data" / "tables" / "mvmr_lipids_sbp.csv"


def lipids() -> SiteEstimates:
    """145 genetic variants: LDL, HDL, triglycerides, and systolic blood pressure."""
    columns = SiteColumns(
        tuple(MediatorColumns(m, f"{m}_beta", se=f"{m}_se") for m in ("LDL", "HDL", "Trg")),
        total_effect="SBP_beta",
        total_effect_se="SBP_se",
        site="SNP",
    )
    return quiet(pd.read_csv(LIPIDS), columns)
