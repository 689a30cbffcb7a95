"""One place that judges whether a posterior was computed well enough to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.names import CHAIN, DRAW
from bayesmed.inference.entries import entries
from bayesmed.inference.quadrature import LINE_TOLERANCE

MAX_R_HAT = 1.01
MIN_ESS = 400.0
MIN_E_BFMI = 0.3


@dataclass(frozen=True)
class Diagnostic:
    """One number against its bound.

    Attributes
    ----------
    code
        ``divergences``, ``r_hat``, ``ess_bulk``, ``ess_tail``, ``e_bfmi`` or ``quadrature``.
    value, bound
        The worst value found and the last one accepted.
    where
        The parameter or chain it was found at, empty where there is none.
    passed
        Whether the value is within the bound.
    """

    code: str
    value: float
    bound: float
    where: str
    passed: bool


def diagnose(tree: xr.DataTree) -> tuple[Diagnostic, ...]:
    """Judge a fit by its tree.

    Sampling: no divergence, R-hat of every parameter at most 1.01, bulk and tail effective sample
    sizes at least 400, energy fraction (E-BFMI) of every chain above .3. Quadrature: the line
    error. Its draws are independent and are not judged.
    """
    if "quadrature" in tree.children:
        error = float(tree["quadrature"]["line_error"])
        return (Diagnostic("quadrature", error, LINE_TOLERANCE, "", error <= LINE_TOLERANCE),)
    table = parameter_diagnostics(tree)
    worst = []
    divergences = float(tree["sample_stats"]["diverging"].sum())
    worst.append(Diagnostic("divergences", divergences, 0.0, "", divergences == 0))
    for code, bound, sign in (
        ("r_hat", MAX_R_HAT, 1.0),
        ("ess_bulk", MIN_ESS, -1.0),
        ("ess_tail", MIN_ESS, -1.0),
    ):
        # A chain that never moved has no R-hat and no effective size: as bad as can be.
        values = {k: v[code] if np.isfinite(v[code]) else sign * np.inf for k, v in table.items()}
        where = max(values, key=lambda name: sign * values[name])
        passed = sign * values[where] <= sign * bound
        worst.append(Diagnostic(code, values[where], bound, where, bool(passed)))
    energy = energy_fractions(tree)
    chain = int(np.argmin(energy))
    lowest = float(energy[chain])
    worst.append(Diagnostic("e_bfmi", lowest, MIN_E_BFMI, f"chain {chain}", lowest > MIN_E_BFMI))
    return tuple(worst)


def parameter_diagnostics(tree: xr.DataTree) -> dict[str, dict[str, float]]:
    """R-hat, bulk and tail effective sample size of every entry of every parameter, unrounded."""
    import arviz_stats as azs

    found = entries(tree["posterior"].to_dataset(), persons=True)
    posterior = xr.Dataset({entry.key: entry.values for entry in found})
    if posterior.sizes[DRAW] < 4:
        raise ValueError("diagnostics need at least four draws")
    # Chains that never move have no R-hat, which is judged, not warned about.
    with np.errstate(invalid="ignore", divide="ignore"):
        measures: dict[str, Any] = {
            "r_hat": azs.rhat(posterior) if posterior.sizes[CHAIN] > 1 else None,
            "ess_bulk": azs.ess(posterior, method="bulk"),
            "ess_tail": azs.ess(posterior, method="tail", prob=(0.05, 0.95)),
        }
    return {
        str(name): {
            key: float("nan") if measured is None else float(measured[name])
            for key, measured in measures.items()
        }
        for name in posterior.data_vars
    }


def energy_fractions(tree: xr.DataTree) -> Any:
    """E-BFMI of every chain, shape (chain,): mean squared energy step over energy variance."""
    from arviz_stats.base import array_stats

    energy = np.asarray(tree["sample_stats"]["energy"])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.atleast_1d(array_stats.bfmi(energy)), nan=0.0)
