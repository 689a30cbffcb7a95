"""How far an answer moves: with its priors, and with what was taken as known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from bayesmed.core.names import ACME, AVERAGE_SLOPE, CHAIN, DRAW, SLOPE
from bayesmed.effects import effects
from bayesmed.effects.labels import of_all
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.report import comparison, pictures, tables
from bayesmed.report.content import Block, Paragraph, Section, Table
from bayesmed.report.findings import Findings
from bayesmed.report.tables import shown
from bayesmed.report.trials.pictures import OF_MEDIATOR, ON_OUTCOME
from bayesmed.report.words import average_label, capital, slope_label
from bayesmed.studies.sensitivity.power_scaling import (
    ALL_PRIORS,
    LIKELIHOOD,
    THRESHOLD,
    power_scaling,
)

__all__ = ["SCALED", "moves", "scaling"]

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


def _label(fit: Fit, name: str, mediator: str) -> str:
    """Return what to call a quantity; nothing for one that is not shown."""
    if name not in TOLD:
        return ""
    slope = name in (SLOPE, AVERAGE_SLOPE)
    return slope_label(fit, mediator) if slope else average_label(fit, name, mediator)


def _trial_label(fit: TrialFit) -> Callable[[str, str], str]:
    """Do of one trial as `_label` does."""
    labels = effects(fit).labels

    def label(name: str, arm: str) -> str:
        if name not in (*ON_OUTCOME, *OF_MEDIATOR):
            return ""
        own = capital(labels.get(name, name))
        return f"{own}, arm {arm}" if arm else own

    return label


def scaling(fit: Fit | TrialFit) -> Table | None:
    """Return how slopes and main effects answer to priors and likelihood.

    None where there are too few draws to tell.
    """
    drawn = fit.tree["log_likelihood"].sizes
    densities = [fit.tree[name].to_dataset() for name in ("log_likelihood", "log_prior")]
    known = all(bool(np.isfinite(v).all()) for d in densities for v in d.data_vars.values())
    if drawn[CHAIN] * drawn[DRAW] < FEWEST_DRAWS or not known:
        return None
    table = power_scaling(fit)
    values = table.set_index(["quantity", "entry", "component"])
    rows = []
    label = _trial_label(fit) if is_trial(fit) else partial(_label, fit)
    for key in dict.fromkeys(zip(table["quantity"], table["entry"], strict=True)):
        if not label(*key):
            continue
        own = [float(values.loc[(*key, c), "sensitivity"]) for c in (ALL_PRIORS, LIKELIHOOD)]
        said = str(values.loc[(*key, ALL_PRIORS), "diagnosis"]) or "none"
        rows.append((label(*key), *(shown(round(v, 3)) for v in own), said))
    if not rows or all(row[1] == tables.MISSING for row in rows):
        return None
    columns = ("Quantity", "All priors", "Likelihood", "Diagnosis")
    return Table(
        "If priors or data counted a little more",
        columns,
        tuple(rows),
        texts=(0, 3),
        slug="scaling",
    )
