"""How far an answer moves: with its priors, and with what was taken as known."""

from __future__ import annotations

import numpy as np

from bayesmed.core.names import ACME, AVERAGE_SLOPE, CHAIN, DRAW, SLOPE
from bayesmed.effects.labels import of_all
from bayesmed.inference import Fit
from bayesmed.report import comparison, pictures, tables
from bayesmed.report.content import Block, Paragraph, Section, Table
from bayesmed.report.findings import Findings
from bayesmed.report.tables import shown
from bayesmed.report.words import average_label, slope_label
from bayesmed.studies.sensitivity.power_scaling import (
    ALL_PRIORS,
    LIKELIHOOD,
    THRESHOLD,
    power_scaling,
)

__all__ = ["moves"]

TOLD = (SLOPE, AVERAGE_SLOPE, ACME, of_all(ACME))
FEWEST_DRAWS = 400
"""Draws below which importance weights have no tails to smooth."""
SCALED = (
    "From the draws of the fit alone: how far the posterior moves for each doubling of the power "
    f"of a prior, or of the likelihood. From {THRESHOLD:g} on it counts; a quantity that answers "
    "to its prior but not to the likelihood is told by the prior, one that answers to both has a "
    "prior at odds with the data (Kallioinen and others 2024)."
)
ASK = (
    "Refits say more: prior_sensitivity and assumption_sensitivity, or bayesmed sensitivity, "
    "fit under other priors and under assumptions that fail, and report which conclusions change."
)


def moves(found: Findings, fit: Fit) -> Section:
    """Return power-scaling, assumed error correlations, and priors beside posteriors."""
    blocks: list[Block] = []
    scaled = scaling(fit)
    if scaled is not None:
        blocks += [scaled, Paragraph(SCALED)]
    moved = comparison.covariance_sensitivity(fit)
    if moved is not None:
        blocks.append(moved)
    blocks += [Paragraph(ASK), tables.priors(fit), pictures.prior_posterior(fit)]
    blocks.append(tables.parameters(found, fit))
    return Section("moves", "How the answer moves", tuple(blocks))


def scaling(fit: Fit) -> Table | None:
    """Return how slopes and average indirect effects answer to priors and likelihood.

    None where there are too few draws to tell.
    """
    drawn = fit.tree["log_likelihood"].sizes
    densities = [fit.tree[name].to_dataset() for name in ("log_likelihood", "log_prior")]
    known = all(bool(np.isfinite(v).all()) for d in densities for v in d.data_vars.values())
    if drawn[CHAIN] * drawn[DRAW] < FEWEST_DRAWS or not known:
        return None
    table = power_scaling(fit)
    table = table[table["quantity"].isin(TOLD)]
    values = table.set_index(["quantity", "mediator", "component"])
    rows = []
    for name, mediator in dict.fromkeys(zip(table["quantity"], table["mediator"], strict=True)):
        own = [
            float(values.loc[(name, mediator, c), "sensitivity"]) for c in (ALL_PRIORS, LIKELIHOOD)
        ]
        said = str(values.loc[(name, mediator, ALL_PRIORS), "diagnosis"]) or "none"
        slope = name in (SLOPE, AVERAGE_SLOPE)
        label = slope_label(fit, mediator) if slope else average_label(fit, name, mediator)
        rows.append((label, *(shown(round(v, 3)) for v in own), said))
    if not rows or all(row[1] == tables.MISSING for row in rows):
        return None
    columns = ("Quantity", "All priors", "Likelihood", "Diagnosis")
    return Table("If priors or data counted a little more", columns, tuple(rows), texts=(0, 3))
